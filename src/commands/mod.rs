//! The behaviour of every command: one file or folder a group, each declaration beside its function.

pub mod array;
pub mod bitmap;
pub mod acl;
pub mod cluster;
pub mod command;
pub mod connection;
pub mod generic;
pub mod geo;
pub mod hash;
pub mod hyperloglog;
pub mod list;
pub mod pubsub;
pub mod scripting;
pub mod server;
pub mod set;
pub mod sorted_set;
pub mod stream;
pub mod string;
pub mod transactions;

use std::sync::OnceLock;

use crate::command::Registry;

/// Every command there is, in groups, in the order in which COMMAND names them.
pub fn registry() -> &'static Registry {
    static REGISTRY: OnceLock<Registry> = OnceLock::new();
    REGISTRY.get_or_init(|| {
        Registry::new(&[
            string::COMMANDS,
            string::edit::COMMANDS,
            string::increment::COMMANDS,
            string::lcs::COMMANDS,
            list::COMMANDS,
            list::popping::COMMANDS,
            list::moving::COMMANDS,
            list::blocking::COMMANDS,
            generic::COMMANDS,
            generic::expiry::COMMANDS,
            generic::dump::COMMANDS,
            generic::migrate::COMMANDS,
            generic::object::COMMANDS,
            generic::scan::COMMANDS,
            generic::sort::COMMANDS,
            generic::wait::COMMANDS,
            set::COMMANDS,
            set::algebra::COMMANDS,
            sorted_set::COMMANDS,
            sorted_set::range::COMMANDS,
            sorted_set::popping::COMMANDS,
            sorted_set::algebra::COMMANDS,
            stream::COMMANDS,
            stream::add::COMMANDS,
            stream::read::COMMANDS,
            stream::groups::COMMANDS,
            stream::pending::COMMANDS,
            stream::claim::COMMANDS,
            stream::inspect::COMMANDS,
            hash::COMMANDS,
            hash::increment::COMMANDS,
            hash::expiry::COMMANDS,
            hash::getset::COMMANDS,
            hash::import::COMMANDS,
            array::COMMANDS,
            array::ring::COMMANDS,
            array::search::COMMANDS,
            geo::COMMANDS,
            geo::search::COMMANDS,
            bitmap::COMMANDS,
            hyperloglog::COMMANDS,
            transactions::COMMANDS,
            pubsub::COMMANDS,
            scripting::COMMANDS,
            connection::COMMANDS,
            connection::client::COMMANDS,
            connection::tracking::COMMANDS,
            server::COMMANDS,
            server::lolwut::COMMANDS,
            server::config::COMMANDS,
            server::memory::COMMANDS,
            server::process::COMMANDS,
            server::saving::COMMANDS,
            server::debug::COMMANDS,
            server::info::COMMANDS,
            server::observe::COMMANDS,
            command::COMMANDS,
            acl::COMMANDS,
            cluster::COMMANDS,
        ])
    })
}

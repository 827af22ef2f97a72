//! Configuration parameters: typed where the engine reads them.

use crate::data::{hash, list, set, sorted_set};

use super::notify::Class;

/// What the engine reads while it runs.
#[derive(Clone, Debug)]
pub struct Config {
    pub list: list::Limits,
    pub hash: hash::Limits,
    pub set: set::Limits,
    pub sorted_set: sorted_set::Limits,
    pub databases: usize,
    pub proto_max_bulk_len: u64,
    pub client_query_buffer_limit: u64,
    pub notify: Class,
    pub requirepass: Vec<u8>,
    pub maxclients: usize,
    pub active_expire: bool,
    pub hz: u32,
    pub tracking_table_max_keys: u64,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            list: list::Limits::default(),
            hash: hash::Limits::default(),
            set: set::Limits::default(),
            sorted_set: sorted_set::Limits::default(),
            databases: 16,
            proto_max_bulk_len: 512 * 1024 * 1024,
            client_query_buffer_limit: 1024 * 1024 * 1024,
            notify: Class::NONE,
            requirepass: Vec::new(),
            maxclients: 10000,
            active_expire: true,
            hz: 10,
            tracking_table_max_keys: 1_000_000,
        }
    }
}

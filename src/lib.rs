//! resplay: a Redis-compatible engine that does no I/O.

pub mod resp;
pub mod data;
pub mod keyspace;
pub mod command;
pub mod cli;

#[cfg(target_arch = "wasm32")]
pub mod wasm;

//! resplay: a Redis-compatible engine that does no I/O.

pub mod resp;
pub mod data;
pub mod keyspace;
pub mod persist;
pub mod lua;
pub mod server;
pub mod command;
pub mod commands;
pub mod cli;
pub mod engine;
pub mod playback;

#[cfg(target_arch = "wasm32")]
pub mod wasm;
#[cfg(not(target_arch = "wasm32"))]
pub mod native;

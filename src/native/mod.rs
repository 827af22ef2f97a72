//! The native host: an event loop, files, signals and the HTTP that serves the page. It knows nothing of Redis: bytes go
//! to the engine, bytes and events come from it.

pub mod cli;
pub mod doctest;
pub mod event_loop;
mod exchange;
pub mod disk;
pub mod aof;
pub mod files;
pub mod http;
pub mod launch;
pub mod limits;
pub mod log;
pub mod serve;
pub mod sockets;

/// The system's words for an error, without Rust's additions.
pub fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

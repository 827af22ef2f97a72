//! The native host: an event loop, files, signals and the HTTP that serves the page. It knows nothing of Redis: bytes go
//! to the engine, bytes and events come from it.

pub mod cli;
pub mod doctest;
pub mod event_loop;
pub mod log;
pub mod serve;

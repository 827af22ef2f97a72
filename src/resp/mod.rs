//! Requests from bytes, replies to bytes, replies from bytes. It must not know what Redis is.

pub mod reply;

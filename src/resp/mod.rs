//! The wire: requests from bytes, replies to bytes (RESP2 and RESP3), replies from bytes. Knows nothing of Redis.

pub mod double;
pub mod quoted;
pub mod request;
pub mod reply;
pub mod writer;

pub use request::{ProtocolError, Request, RequestLimits, RequestParser, Span};
pub use writer::{Protocol, ReplyWriter};

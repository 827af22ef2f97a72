//! The playground page over HTTP: not served by the server itself yet, `cargo xtask play` does it.

use std::net::SocketAddr;

use super::log::Log;

/// Serves from a thread of its own; the error says why it cannot.
pub fn serve(_: SocketAddr, _: &Log) -> Result<(), String> {
    Ok(())
}

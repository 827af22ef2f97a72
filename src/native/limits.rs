//! What the host heeds of the configuration: how long a client may idle, from where it may come.

use crate::data::number;
use crate::server::client::{Client, Flags};
use crate::server::config::Config;

#[derive(Clone, Debug)]
pub struct Limits {
    pub idle_ms: u64,
    pub keep_alive_seconds: u64,
    pub is_protected: bool,
}

impl Limits {
    pub fn of(config: &Config) -> Limits {
        let int = |name: &str| number::parse_i64(config.text_of(name)).unwrap_or(0).max(0) as u64;
        Limits {
            idle_ms: int("timeout") * 1000,
            keep_alive_seconds: int("tcp-keepalive"),
            is_protected: config.text_of("protected-mode") == b"yes",
        }
    }
}

/// Whether a client that says nothing may be sent away.
pub fn may_time_out(client: &Client) -> bool {
    let waits = [Flags::BLOCKED, Flags::SUBSCRIBED, Flags::REPLICA, Flags::MASTER, Flags::MONITOR];
    !waits.into_iter().any(|flag| client.flags.has(flag))
}

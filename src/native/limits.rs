//! What the host heeds of the configuration: how long a client may idle, how much it may leave unread.

use crate::data::number;
use crate::server::client::{Client, Flags};
use crate::server::config::Config;

/// Replies a client does not read may take so much before it is closed, whatever the configuration says.
const UNREAD_BYTES_MAX: usize = 1 << 30;

/// `client-output-buffer-limit` of one class of clients; 0 is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutputLimit {
    pub hard_bytes: usize,
    pub soft_bytes: usize,
    pub soft_ms: u64,
}

#[derive(Clone, Debug)]
pub struct Limits {
    pub idle_ms: u64,
    pub keep_alive_seconds: u64,
    pub is_protected: bool,
    normal: OutputLimit,
    replica: OutputLimit,
    pubsub: OutputLimit,
}

/// How a client stands with what it has not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    Fine,
    /// Too much if it stays so for so many milliseconds.
    Soft(u64),
    TooMuch,
}

impl Limits {
    pub fn of(config: &Config) -> Limits {
        let int = |name: &str| number::parse_i64(config.text_of(name)).unwrap_or(0).max(0) as u64;
        let mut limits = Limits {
            idle_ms: int("timeout") * 1000,
            keep_alive_seconds: int("tcp-keepalive"),
            is_protected: config.text_of("protected-mode") == b"yes",
            normal: OutputLimit::default(),
            replica: OutputLimit::default(),
            pubsub: OutputLimit::default(),
        };
        let text = String::from_utf8_lossy(config.text_of("client-output-buffer-limit")).into_owned();
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        for part in words.chunks_exact(4) {
            let number = |at: usize| part[at].parse::<u64>().unwrap_or(0);
            let limit = OutputLimit {
                hard_bytes: number(1) as usize,
                soft_bytes: number(2) as usize,
                soft_ms: number(3) * 1000,
            };
            match part[0] {
                "normal" => limits.normal = limit,
                "pubsub" => limits.pubsub = limit,
                _ => limits.replica = limit,
            }
        }
        limits
    }

    pub fn unread(&self, client: &Client, bytes: usize) -> Unread {
        let limit = if client.flags.has(Flags::REPLICA) {
            &self.replica
        } else if client.flags.has(Flags::SUBSCRIBED) {
            &self.pubsub
        } else {
            &self.normal
        };
        let is_over = |limit: usize| limit > 0 && bytes > limit;
        if bytes > UNREAD_BYTES_MAX || is_over(limit.hard_bytes) {
            Unread::TooMuch
        } else if is_over(limit.soft_bytes) {
            Unread::Soft(limit.soft_ms)
        } else {
            Unread::Fine
        }
    }
}

/// Whether a client that says nothing may be sent away.
pub fn may_time_out(client: &Client) -> bool {
    let waits = [Flags::BLOCKED, Flags::SUBSCRIBED, Flags::REPLICA, Flags::MASTER, Flags::MONITOR];
    !waits.into_iter().any(|flag| client.flags.has(flag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_have_limits_of_their_own() {
        let mut config = Config::default();
        let line = b"client-output-buffer-limit normal 1000 100 7 pubsub 0 0 0";
        assert_eq!(config.apply_line(line), Ok(None));
        let limits = Limits::of(&config);
        let mut client = Client::new(crate::server::clients::Clients::default().add(0), 0);
        assert_eq!(limits.unread(&client, 100), Unread::Fine);
        assert_eq!(limits.unread(&client, 101), Unread::Soft(7000));
        assert_eq!(limits.unread(&client, 1001), Unread::TooMuch);
        client.flags.add(Flags::SUBSCRIBED);
        assert_eq!(limits.unread(&client, 1 << 29), Unread::Fine);
        assert_eq!(limits.unread(&client, (1 << 30) + 1), Unread::TooMuch);
        client.flags.add(Flags::REPLICA);
        assert_eq!(limits.unread(&client, (256 << 20) + 1), Unread::TooMuch);
    }
}

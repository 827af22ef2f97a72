//! What the engine asks of its host. The engine does no I/O; the host takes these and does it.

use super::clients::ClientId;

/// How grave a log line is, in redis.conf's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    Debug,
    Verbose,
    Notice,
    Warning,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Write what is left of the client's output, then close its connection.
    Close(ClientId),
    Log(LogLevel, String),
    /// SHUTDOWN: end the process (the browser ignores it). What is to be saved has been.
    Shutdown,
    /// DEBUG SLEEP: let so many microseconds pass before the next input.
    Sleep {
        microseconds: u64,
    },
    /// BGSAVE: write a snapshot, then say how it went with `save_ended`.
    Save,
    /// BGREWRITEAOF.
    RewriteAof,
    /// A configuration parameter that only the host can act on has changed.
    ConfigChanged(&'static str),
    /// ACL SAVE: write this text to the ACL file.
    SaveAcl(Vec<u8>),
    /// CONFIG REWRITE.
    RewriteConfig,
    /// DEBUG RESTART, DEBUG SEGFAULT and their like: end at once.
    Crash,
}

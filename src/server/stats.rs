//! Counters that INFO shows and CONFIG RESETSTAT clears.

use std::collections::VecDeque;

use super::histogram::Histogram;

#[derive(Clone, Debug, Default)]
pub struct Stats {
    pub connections_received: u64,
    pub connections_rejected: u64,
    pub commands_processed: u64,
    pub input_bytes: u64,
    pub output_bytes: u64,
    pub keyspace_hits: u64,
    pub keyspace_misses: u64,
    pub expired_keys: u64,
    pub expired_subkeys: u64,
    pub evicted_keys: u64,
    pub evicted_clients: u64,
    /// Values taken away by UNLINK and FLUSHALL that Redis would hand to a thread of its own.
    pub lazily_freed: u64,
    pub unexpected_error_replies: u64,
    pub total_error_replies: u64,
    pub query_buffer_limit_disconnections: u64,
    pub output_buffer_limit_disconnections: u64,
    pub acl_denied_auth: u64,
    pub acl_denied_command: u64,
    pub acl_denied_key: u64,
    pub acl_denied_channel: u64,
    pub reads: u64,
    pub writes: u64,
    rates: VecDeque<Rate>,
    /// Error replies by code, in order of the code.
    pub errors: std::collections::BTreeMap<Vec<u8>, u64>,
    /// One a registered command, by its number in the registry.
    pub commands: Vec<CommandStats>,
}

#[derive(Clone, Debug, Default)]
pub struct CommandStats {
    pub calls: u64,
    pub microseconds: u64,
    /// Refused before it ran.
    pub rejected: u64,
    /// Ran and answered an error.
    pub failed: u64,
    /// Of the runs in the slow log: how many, and their microseconds together and at most.
    pub slow: (u64, u64, u64),
    /// Durations, from the first one on.
    pub latency: Option<Histogram>,
}

/// The counters at one time, for what happens per second.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rate {
    pub at_ms: u64,
    pub commands: u64,
    pub reads: u64,
    pub input_bytes: u64,
    pub output_bytes: u64,
}

const RATES_MAX: usize = 16;
const RATE_INTERVAL_MS: u64 = 100;

/// At most so many different error codes are counted apart.
pub const ERROR_CODES_MAX: usize = 128;

impl Stats {
    /// Every counter that is one number, for checkpoints.
    pub fn counters(&mut self) -> [&mut u64; 22] {
        [
            &mut self.connections_received,
            &mut self.connections_rejected,
            &mut self.commands_processed,
            &mut self.input_bytes,
            &mut self.output_bytes,
            &mut self.keyspace_hits,
            &mut self.keyspace_misses,
            &mut self.expired_keys,
            &mut self.expired_subkeys,
            &mut self.evicted_keys,
            &mut self.evicted_clients,
            &mut self.lazily_freed,
            &mut self.unexpected_error_replies,
            &mut self.total_error_replies,
            &mut self.query_buffer_limit_disconnections,
            &mut self.output_buffer_limit_disconnections,
            &mut self.acl_denied_auth,
            &mut self.acl_denied_command,
            &mut self.acl_denied_key,
            &mut self.acl_denied_channel,
            &mut self.reads,
            &mut self.writes,
        ]
    }

    pub fn count_error(&mut self, code: &[u8]) {
        self.total_error_replies += 1;
        if let Some(count) = self.errors.get_mut(code) {
            *count += 1;
        } else if self.errors.len() < ERROR_CODES_MAX {
            self.errors.insert(code.to_vec(), 1);
        }
    }

    /// Notes the counters from time to time; returns what happened per second lately.
    pub fn sample_rates(&mut self, now_ms: u64) -> Rate {
        let now = Rate {
            at_ms: now_ms,
            commands: self.commands_processed,
            reads: self.reads,
            input_bytes: self.input_bytes,
            output_bytes: self.output_bytes,
        };
        let first = self.rates.front().copied().unwrap_or_default();
        if self.rates.back().is_none_or(|last| now_ms >= last.at_ms + RATE_INTERVAL_MS) {
            self.rates.push_back(now);
            if self.rates.len() > RATES_MAX {
                self.rates.pop_front();
            }
        }
        let elapsed_ms = now_ms - first.at_ms.min(now_ms);
        if first.at_ms == 0 || elapsed_ms == 0 {
            return Rate::default();
        }
        let rate = |now: u64, then: u64| now.saturating_sub(then) * 1000 / elapsed_ms;
        Rate {
            at_ms: now_ms,
            commands: rate(now.commands, first.commands),
            reads: rate(now.reads, first.reads),
            input_bytes: rate(now.input_bytes, first.input_bytes),
            output_bytes: rate(now.output_bytes, first.output_bytes),
        }
    }

    pub fn reset(&mut self) {
        let commands = vec![CommandStats::default(); self.commands.len()];
        *self = Stats { commands, ..Stats::default() };
    }
}

//! Counters that INFO shows and CONFIG RESETSTAT clears.

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
    pub unexpected_error_replies: u64,
    pub total_error_replies: u64,
    pub query_buffer_limit_disconnections: u64,
    pub output_buffer_limit_disconnections: u64,
    /// Error replies by code, in order of the code.
    pub errors: std::collections::BTreeMap<Vec<u8>, u64>,
    /// One a registered command, by its number in the registry.
    pub commands: Vec<CommandStats>,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct CommandStats {
    pub calls: u64,
    pub microseconds: u64,
    /// Refused before it ran.
    pub rejected: u64,
    /// Ran and answered an error.
    pub failed: u64,
}

/// At most so many different error codes are counted apart.
pub const ERROR_CODES_MAX: usize = 128;

impl Stats {
    pub fn count_error(&mut self, code: &[u8]) {
        self.total_error_replies += 1;
        if let Some(count) = self.errors.get_mut(code) {
            *count += 1;
        } else if self.errors.len() < ERROR_CODES_MAX {
            self.errors.insert(code.to_vec(), 1);
        }
    }

    pub fn reset(&mut self) {
        let commands = vec![CommandStats::default(); self.commands.len()];
        *self = Stats { commands, ..Stats::default() };
    }
}

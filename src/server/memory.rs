//! How much memory the instance takes: counted while there is a limit, otherwise estimated from the keys.

use super::Server;

/// Entries looked at in one database; the rest is taken to be like them.
const SAMPLES: usize = 10_000;
/// What an instance without keys takes, roughly.
pub const STARTUP_BYTES: u64 = 256 * 1024;

#[derive(Clone, Copy, Debug, Default)]
pub struct Memory {
    pub used: u64,
    pub resident: u64,
    pub peak: u64,
    pub clients: u64,
    /// Tables of the databases, without keys and values.
    pub tables: u64,
}

impl Memory {
    pub fn overhead(&self) -> u64 {
        STARTUP_BYTES + self.clients + self.tables
    }

    pub fn dataset(&self) -> u64 {
        self.used.saturating_sub(self.overhead())
    }
}

impl Server {
    /// When the most memory was measured, in seconds.
    pub fn memory_peak_time(&self) -> u64 {
        self.memory_peak.1 / 1000
    }

    /// Measures, and remembers the peak. O(samples).
    pub fn measure_memory(&mut self) -> Memory {
        let clients = self
            .clients
            .iter()
            .map(|client| (client.memory_bytes() + self.unsent_bytes(client)) as u64)
            .sum();
        let mut memory = Memory { clients, ..Memory::default() };
        let is_counted = self.config.maxmemory > 0;
        let mut keys = 0;
        for db in self.keyspace.iter() {
            memory.tables += db.table().heap_bytes() as u64;
            if is_counted {
                continue;
            }
            let (mut seen, mut bytes) = (0u64, 0u64);
            for entry in db.iter().take(SAMPLES) {
                seen += 1;
                bytes += entry.total_bytes() as u64;
            }
            let (each, rest) = (bytes.checked_div(seen).unwrap_or(0), bytes.checked_rem(seen).unwrap_or(0));
            keys += each * db.len() as u64 + rest;
        }
        memory.used = match is_counted {
            true => self.counted_memory(),
            false => STARTUP_BYTES + memory.clients + memory.tables + keys,
        };
        memory.resident = self.resident_bytes.map_or(memory.used, |measure| measure());
        if memory.used > self.memory_peak.0 {
            self.memory_peak = (memory.used, self.now_ms);
        }
        memory.peak = self.memory_peak.0;
        memory
    }
}

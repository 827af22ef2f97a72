//! The slow log: commands that took longer than the setting allows, the latest first.

use std::collections::VecDeque;

use super::config::Config;

pub struct Entry {
    pub id: u64,
    /// Unix time in seconds.
    pub time: u64,
    pub microseconds: u64,
    /// Shortened to what the settings allow.
    pub arguments: Vec<Vec<u8>>,
    pub argument_count: usize,
    pub address: String,
    pub client_name: Vec<u8>,
}

#[derive(Default)]
pub struct SlowLog {
    entries: VecDeque<Entry>,
    next_id: u64,
    pub logged: u64,
    pub microseconds_sum: u64,
    pub microseconds_max: u64,
}

impl SlowLog {
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The latest first.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// The numbers that a checkpoint keeps beside the entries.
    pub fn counters(&self) -> [u64; 4] {
        [self.next_id, self.logged, self.microseconds_sum, self.microseconds_max]
    }

    pub fn restore(&mut self, counters: [u64; 4], entries: Vec<Entry>) {
        [self.next_id, self.logged, self.microseconds_sum, self.microseconds_max] = counters;
        self.entries = entries.into();
    }

    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// Logs a command; its number is given here.
    pub fn push(&mut self, config: &Config, words: &[&[u8]], mut entry: Entry) {
        entry.id = self.next_id;
        self.next_id += 1;
        entry.arguments = shortened(config, words);
        entry.argument_count = words.len();
        self.logged += 1;
        self.microseconds_sum += entry.microseconds;
        self.microseconds_max = self.microseconds_max.max(entry.microseconds);
        self.entries.push_front(entry);
        self.entries.truncate(config.slowlog_max_len);
    }
}

fn shortened(config: &Config, words: &[&[u8]]) -> Vec<Vec<u8>> {
    let max = config.slowlog_max_argc.max(1);
    let kept = if words.len() > max { max - 1 } else { words.len() };
    let mut arguments: Vec<Vec<u8>> = words[..kept]
        .iter()
        .map(|word| {
            let max = config.slowlog_max_string;
            if word.len() <= max {
                return word.to_vec();
            }
            let mut short = word[..max].to_vec();
            short.extend_from_slice(format!("... ({} more bytes)", word.len() - max).as_bytes());
            short
        })
        .collect();
    if kept < words.len() {
        arguments.push(format!("... ({} more arguments)", words.len() - kept).into_bytes());
    }
    arguments
}

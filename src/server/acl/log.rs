//! ACL LOG: what was refused to whom, alike cases together.

use std::collections::VecDeque;

/// What was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    Command,
    Key,
    Channel,
    Auth,
}

impl Reason {
    pub fn name(self) -> &'static str {
        match self {
            Reason::Command => "command",
            Reason::Key => "key",
            Reason::Channel => "channel",
            Reason::Auth => "auth",
        }
    }
}

#[derive(Clone, Debug)]
pub struct Entry {
    pub id: u64,
    pub count: u64,
    pub reason: Reason,
    /// `toplevel`, `multi` or `lua`.
    pub context: &'static str,
    pub object: Vec<u8>,
    pub user: Vec<u8>,
    pub client: String,
    pub created_ms: u64,
    pub updated_ms: u64,
}

#[derive(Default)]
pub struct Log {
    entries: VecDeque<Entry>,
    next_id: u64,
}

/// So many of the latest entries are compared with a new one.
const COMPARED: usize = 10;
/// Alike cases further apart in time are told apart.
const ALIKE_MS: u64 = 60_000;

impl Log {
    pub fn entries(&self) -> impl ExactSizeIterator<Item = &Entry> {
        self.entries.iter()
    }

    pub fn clear(&mut self) {
        self.entries.clear();
    }

    pub fn add(&mut self, mut entry: Entry, len_max: usize) {
        let is_alike = |old: &Entry| {
            old.reason == entry.reason
                && old.context == entry.context
                && entry.updated_ms.saturating_sub(old.updated_ms) <= ALIKE_MS
                && old.object == entry.object
                && old.user == entry.user
        };
        let alike = self.entries.iter().take(COMPARED).position(is_alike);
        if let Some(old) = alike.and_then(|index| self.entries.remove(index)) {
            entry = Entry { id: old.id, count: old.count + 1, created_ms: old.created_ms, ..entry };
        } else {
            entry.id = self.next_id;
            self.next_id += 1;
        }
        self.entries.push_front(entry);
        self.entries.truncate(len_max);
    }
}

//! One database: the table of its entries, and what expires when.

use std::collections::{BTreeMap, BTreeSet};

use crate::data::table::Table;

use super::entry::Entry;

/// What a look-up of a key found.
pub enum Found<'a> {
    Missing,
    /// There, but its time is up: the caller reaps it.
    Expired,
    Live(&'a mut Entry),
}

pub fn is_expired(entry: &Entry, now_ms: u64) -> bool {
    entry.expires_at().is_some_and(|when| when <= now_ms)
}

pub struct Db {
    table: Table<Entry>,
    /// How many keys have a time to live.
    volatile: usize,
    /// Where the sweep for expired keys goes on.
    sweep_cursor: u64,
    /// When the next field of a hash expires, by key and in order.
    field_deadlines: BTreeMap<Box<[u8]>, u64>,
    field_order: BTreeSet<(u64, Box<[u8]>)>,
}

impl Db {
    pub fn new(seed: u64) -> Self {
        Db {
            table: Table::new(seed),
            volatile: 0,
            sweep_cursor: 0,
            field_deadlines: BTreeMap::new(),
            field_order: BTreeSet::new(),
        }
    }

    /// A database without keys, whose table hashes alike.
    pub fn emptied(&self) -> Self {
        Db { table: self.table.emptied(), ..Db::new(0) }
    }

    pub fn len(&self) -> usize {
        self.table.len()
    }

    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Keys with a time to live.
    pub fn volatile(&self) -> usize {
        self.volatile
    }

    pub fn table(&self) -> &Table<Entry> {
        &self.table
    }

    /// Incremental work on the table in idle time; true while there is more.
    pub fn step(&mut self, buckets: usize) -> bool {
        self.table.step(buckets)
    }

    #[inline]
    pub fn find(&mut self, key: &[u8], now_ms: u64) -> Found<'_> {
        match self.table.get_mut(key) {
            None => Found::Missing,
            Some(entry) if is_expired(entry, now_ms) => Found::Expired,
            Some(entry) => Found::Live(entry),
        }
    }

    /// The entry if it has not expired; nothing is reaped or counted.
    pub fn peek(&self, key: &[u8], now_ms: u64) -> Option<&Entry> {
        self.table.get(key).filter(|entry| !is_expired(entry, now_ms))
    }

    /// The entry, expired or not.
    pub fn raw(&self, key: &[u8]) -> Option<&Entry> {
        self.table.get(key)
    }

    /// The entry, expired or not. The expiry must be changed through [`Db::set_expiry`] alone.
    #[inline]
    pub fn raw_mut(&mut self, key: &[u8]) -> Option<&mut Entry> {
        self.table.get_mut(key)
    }

    /// Puts an entry, with the expiry it carries, in the place of any that was there.
    pub fn put(&mut self, entry: Entry) -> Option<Entry> {
        if entry.expires_at().is_some() {
            self.volatile += 1;
        }
        let old = self.table.insert(entry);
        if let Some(old) = &old {
            if old.expires_at().is_some() {
                self.volatile -= 1;
            }
            self.set_field_deadline(old.key(), None);
        }
        old
    }

    /// As [`Db::put`], for a key that is known to be absent.
    pub fn put_new(&mut self, entry: Entry) {
        if entry.expires_at().is_some() {
            self.volatile += 1;
        }
        self.table.insert_new(entry);
    }

    #[inline]
    pub fn remove(&mut self, key: &[u8]) -> Option<Entry> {
        let entry = self.table.remove(key)?;
        if entry.expires_at().is_some() {
            self.volatile -= 1;
        }
        if !self.field_deadlines.is_empty() {
            self.set_field_deadline(key, None);
        }
        Some(entry)
    }

    /// Sets or clears when a key expires; false when there is no such key.
    pub fn set_expiry(&mut self, key: &[u8], when_ms: Option<u64>) -> bool {
        let Some(entry) = self.table.get_mut(key) else { return false };
        self.volatile += usize::from(when_ms.is_some());
        self.volatile -= usize::from(entry.expires_at().is_some());
        entry.set_expires_at(when_ms);
        true
    }

    /// Says when the next field of the hash at `key` expires.
    pub fn set_field_deadline(&mut self, key: &[u8], when_ms: Option<u64>) {
        let old = match when_ms {
            Some(when_ms) => self.field_deadlines.insert(key.into(), when_ms),
            None if self.field_deadlines.is_empty() => return,
            None => self.field_deadlines.remove(key),
        };
        if let Some(old) = old {
            self.field_order.remove(&(old, key.into()));
        }
        if let Some(when_ms) = when_ms {
            self.field_order.insert((when_ms, key.into()));
        }
    }

    /// When the next field of the hash at `key` expires.
    pub fn field_deadline(&self, key: &[u8]) -> Option<u64> {
        self.field_deadlines.get(key).copied()
    }

    /// The hash whose field expires first, if that time has come.
    pub fn next_hash_to_reap(&self, now_ms: u64) -> Option<&[u8]> {
        self.field_order.first().filter(|(when_ms, _)| *when_ms <= now_ms).map(|(_, key)| &**key)
    }

    /// Hashes of which some field has a time to live.
    pub fn hashes_with_field_expiry(&self) -> usize {
        self.field_deadlines.len()
    }

    /// Whether anything here may expire.
    pub fn has_deadlines(&self) -> bool {
        self.volatile > 0 || !self.field_deadlines.is_empty()
    }

    /// Looks at up to `budget` keys for expired ones, going round the table from call to call. Returns those found and
    /// how many keys were looked at.
    pub fn sweep(&mut self, now_ms: u64, budget: usize) -> (Vec<Box<[u8]>>, usize) {
        let mut expired = Vec::new();
        let mut seen = 0;
        if self.volatile == 0 {
            return (expired, seen);
        }
        if self.table.len() <= budget {
            self.sweep_cursor = 0;
        }
        loop {
            self.sweep_cursor = self.table.scan(self.sweep_cursor, &mut |entry| {
                seen += 1;
                if is_expired(entry, now_ms) {
                    expired.push(Box::from(entry.key()));
                }
            });
            seen += 1;
            // A small database is always swept whole, so what has expired goes at once.
            if self.sweep_cursor == 0 || (seen >= budget && self.table.len() > budget) {
                return (expired, seen);
            }
        }
    }

    pub fn scan(&self, cursor: u64, visit: &mut dyn FnMut(&Entry)) -> u64 {
        self.table.scan(cursor, visit)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.table.iter()
    }

    pub fn random(&self, rng: &mut dyn FnMut() -> u64) -> Option<&Entry> {
        self.table.random(rng)
    }

    pub fn clear(&mut self) {
        self.table.clear();
        self.volatile = 0;
        self.sweep_cursor = 0;
        self.field_deadlines.clear();
        self.field_order.clear();
    }
}

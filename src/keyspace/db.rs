//! One database: the table of its entries, and what expires when.

use std::collections::{BTreeMap, BTreeSet};

use crate::data::table::Table;

use super::entry::Entry;

/// What a look-up of a key found.
pub enum Found<'a> {
    Missing,
    /// There, but its time is up: the caller reaps it.
    Expired,
    Live(&'a Entry),
}

pub fn is_expired(entry: &Entry, now_ms: u64) -> bool {
    entry.expires_at().is_some_and(|when| when <= now_ms)
}

/// The bytes of all entries. One of them may be in somebody's hands: its bytes count again when they are next asked for.
#[derive(Default)]
struct Count {
    bytes: u64,
    lent: Vec<u8>,
    is_lent: bool,
}

pub struct Db {
    table: Table<Entry>,
    /// Only while somebody wants to know.
    count: Option<Box<Count>>,
    /// Where the search for keys to evict that expire goes on, if they are few.
    sample_cursor: u64,
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
            count: None,
            sample_cursor: 0,
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
    pub fn find(&self, key: &[u8], now_ms: u64) -> Found<'_> {
        match self.table.get(key) {
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

    /// The entry, expired or not, to be changed. The expiry must be changed through [`Db::set_expiry`] alone.
    #[inline]
    pub fn raw_mut(&mut self, key: &[u8]) -> Option<&mut Entry> {
        if self.count.is_some() {
            self.lend(key);
        }
        self.table.get_mut(key)
    }

    // Counting bytes.

    /// Begins or ends to keep the bytes of all entries counted. O(keys) where it begins.
    pub fn keep_count(&mut self, on: bool) {
        self.count = on.then(|| {
            let bytes = self.table.iter().map(|entry| entry.total_bytes() as u64).sum();
            Box::new(Count { bytes, ..Count::default() })
        });
    }

    /// The bytes of all entries and of the table. They must be counted.
    pub fn counted_bytes(&mut self) -> u64 {
        self.settle();
        self.count.as_ref().map_or(0, |count| count.bytes) + self.table.heap_bytes() as u64
    }

    fn lend(&mut self, key: &[u8]) {
        if self.count.as_ref().is_some_and(|count| count.is_lent && count.lent == key) {
            return;
        }
        self.settle();
        let (Some(count), Some(entry)) = (&mut self.count, self.table.get(key)) else { return };
        count.bytes -= entry.total_bytes() as u64;
        count.lent.clear();
        count.lent.extend_from_slice(key);
        count.is_lent = true;
    }

    /// Counts what was lent as it is now.
    fn settle(&mut self) {
        if let Some(count) = self.count.as_mut().filter(|count| count.is_lent) {
            count.is_lent = false;
            count.bytes += self.table.get(&count.lent).map_or(0, |entry| entry.total_bytes() as u64);
        }
    }

    fn count_in(&mut self, entry: &Entry) {
        if let Some(count) = &mut self.count {
            count.bytes += entry.total_bytes() as u64;
        }
    }

    fn count_out(&mut self, entry: &Entry) {
        if let Some(count) = &mut self.count {
            count.bytes -= entry.total_bytes() as u64;
        }
    }

    /// Puts an entry, with the expiry it carries, in the place of any that was there.
    pub fn put(&mut self, entry: Entry) -> Option<Entry> {
        if entry.expires_at().is_some() {
            self.volatile += 1;
        }
        self.settle();
        self.count_in(&entry);
        let old = self.table.insert(entry);
        if let Some(old) = &old {
            self.count_out(old);
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
        self.count_in(&entry);
        self.table.insert_new(entry);
    }

    #[inline]
    pub fn remove(&mut self, key: &[u8]) -> Option<Entry> {
        self.settle();
        let entry = self.table.remove(key)?;
        self.count_out(&entry);
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
        let Some(entry) = self.raw_mut(key) else { return false };
        let was_volatile = entry.expires_at().is_some();
        entry.set_expires_at(when_ms);
        self.volatile += usize::from(when_ms.is_some());
        self.volatile -= usize::from(was_volatile);
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

    /// When the next key or field expires, those aside whose time has come. O(keys) where any key has a time to live.
    pub fn next_expiry(&self, now_ms: u64) -> Option<u64> {
        let keys = self.iter().take(if self.volatile > 0 { usize::MAX } else { 0 });
        let mut fields = self.field_order.iter().map(|(when_ms, _)| *when_ms);
        let field = fields.find(|when_ms| *when_ms > now_ms);
        keys.filter_map(Entry::expires_at).filter(|when_ms| *when_ms > now_ms).chain(field).min()
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

    /// Shows `each` up to `count` random entries, at least one if there is one to be shown; with `volatile`, only those that
    /// expire. O(count), unless few of many keys expire: they are searched for in turn.
    pub fn sample(
        &mut self,
        count: usize,
        volatile: bool,
        rng: &mut dyn FnMut() -> u64,
        each: &mut dyn FnMut(&Entry),
    ) {
        const TRIES: usize = 4;
        let mut found = 0;
        let tries = if volatile { TRIES * count } else { count };
        for _ in 0..tries {
            let Some(entry) = self.table.random(rng).filter(|_| found < count) else { break };
            if !volatile || entry.expires_at().is_some() {
                found += 1;
                each(entry);
            }
        }
        while found == 0 && volatile && self.volatile > 0 {
            self.sample_cursor = self.table.scan(self.sample_cursor, &mut |entry| {
                if entry.expires_at().is_some() {
                    found += 1;
                    each(entry);
                }
            });
        }
    }

    pub fn clear(&mut self) {
        if let Some(count) = &mut self.count {
            **count = Count::default();
        }
        self.table.clear();
        self.volatile = 0;
        self.sweep_cursor = 0;
        self.field_deadlines.clear();
        self.field_order.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::value::Value;
    use crate::keyspace::ValueMut;

    #[test]
    fn the_count_follows_every_change() {
        let mut db = Db::new(1);
        db.put(Entry::with_bytes(b"before", b"counting"));
        db.keep_count(true);
        let check = |db: &mut Db| {
            let all: u64 = db.iter().map(|entry| entry.total_bytes() as u64).sum();
            assert_eq!(db.counted_bytes(), all + db.table().heap_bytes() as u64);
        };
        check(&mut db);
        for number in 0..100 {
            db.put_new(Entry::with_int(format!("k{number}").as_bytes(), number));
        }
        db.put_new(Entry::with_boxed(b"long", Box::new(Value::String(vec![0; 5000]))));
        check(&mut db);
        for key in [&b"k1"[..], b"long", b"long", b"k2", b"missing", b"k1"] {
            if let Some(entry) = db.raw_mut(key) {
                entry.set_bytes(&[1; 300]);
            }
            if key == b"long" {
                db.raw_mut(key).expect("it is there").set_boxed(Box::new(Value::String(vec![0; 9000])));
                if let Some(ValueMut::Boxed(Value::String(bytes))) = db.raw_mut(key).map(Entry::value_mut) {
                    bytes.extend_from_slice(&[0; 9000]);
                }
            }
        }
        check(&mut db);
        db.raw_mut(b"long").expect("it is there").set_int(7);
        db.set_expiry(b"long", Some(9));
        db.set_expiry(b"k9", Some(9));
        db.put(Entry::with_bytes(b"k9", b"another"));
        db.raw_mut(b"k3").expect("it is there").set_bytes(b"gone soon");
        db.remove(b"k3");
        db.remove(b"k3");
        check(&mut db);
        db.clear();
        assert_eq!(db.counted_bytes(), 0);
    }

    #[test]
    fn a_single_volatile_key_is_found_among_many() {
        let mut db = Db::new(1);
        for number in 0..10_000 {
            db.put_new(Entry::with_int(format!("k{number}").as_bytes(), number));
        }
        let mut state = 1u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            state ^ state >> 33
        };
        let mut seen = Vec::new();
        db.sample(5, true, &mut random, &mut |entry| seen.push(entry.key().to_vec()));
        assert!(seen.is_empty());
        db.set_expiry(b"k7", Some(1));
        db.sample(5, true, &mut random, &mut |entry| seen.push(entry.key().to_vec()));
        assert!(!seen.is_empty() && seen.iter().all(|key| key == b"k7"));
        db.sample(5, false, &mut random, &mut |entry| seen.push(entry.key().to_vec()));
        assert!(seen.len() >= 6);
    }
}

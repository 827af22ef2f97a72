//! Databases: keys, values, expiry, access clock. Knows no clients and no commands.

pub mod entry;
pub mod db;
pub mod digest;
pub mod eviction;

pub use db::{Db, Found};
pub use entry::{Entry, ValueMut, ValueRef};

/// Every database of one instance.
pub struct Keyspace {
    dbs: Vec<Db>,
}

impl Keyspace {
    pub fn new(databases: usize, seed: u64) -> Self {
        Keyspace { dbs: (0..databases).map(|number| Db::new(seed.wrapping_add(number as u64))).collect() }
    }

    /// As many databases without keys, whose tables hash alike.
    pub fn emptied(&self) -> Self {
        Keyspace { dbs: self.dbs.iter().map(Db::emptied).collect() }
    }

    pub fn databases(&self) -> usize {
        self.dbs.len()
    }

    #[inline]
    pub fn db(&self, number: usize) -> &Db {
        &self.dbs[number]
    }

    #[inline]
    pub fn db_mut(&mut self, number: usize) -> &mut Db {
        &mut self.dbs[number]
    }

    pub fn iter(&self) -> impl Iterator<Item = &Db> {
        self.dbs.iter()
    }

    /// Begins or ends to keep the bytes of all keys counted. O(keys) where it begins.
    pub fn keep_count(&mut self, on: bool) {
        self.dbs.iter_mut().for_each(|db| db.keep_count(on));
    }

    /// The bytes of all keys and tables, which must be counted. O(databases).
    pub fn counted_bytes(&mut self) -> u64 {
        self.dbs.iter_mut().map(Db::counted_bytes).sum()
    }

    pub fn swap(&mut self, first: usize, second: usize) {
        self.dbs.swap(first, second);
    }

    /// All keys, the expired ones not yet reaped included.
    pub fn len(&self) -> usize {
        self.dbs.iter().map(Db::len).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.dbs.iter().all(Db::is_empty)
    }

    /// Whether a key is there and has not expired; it is not reaped.
    pub fn exists(&self, db: usize, key: &[u8], now_ms: u64) -> bool {
        self.dbs[db].peek(key, now_ms).is_some()
    }

    /// Whether a key is there but its time is up.
    pub fn is_expired(&self, db: usize, key: &[u8], now_ms: u64) -> bool {
        self.dbs[db].raw(key).is_some_and(|entry| db::is_expired(entry, now_ms))
    }
}

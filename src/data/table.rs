//! A hash table of one-word elements that carry their own key. Databases, big hashes, sets and sorted sets
//! are made of it. It must not know what its elements mean, nor time, nor chance: the seed comes in.

use std::collections::BTreeMap;

/// What a table holds: something that owns its key.
pub trait Element {
    fn key(&self) -> &[u8];
}

pub struct Table<E> {
    seed: u64,
    len: usize,
    map: BTreeMap<u64, Vec<E>>,
}

impl<E: Element> Table<E> {
    pub fn new(seed: u64) -> Self {
        Table { seed, len: 0, map: BTreeMap::new() }
    }
    pub fn len(&self) -> usize {
        self.len
    }
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
    pub fn hash(&self, key: &[u8]) -> u64 {
        let mut hash = self.seed ^ 0xcbf2_9ce4_8422_2325;
        for &byte in key {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        (hash ^ hash >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
    pub fn get(&self, key: &[u8]) -> Option<&E> {
        self.map.get(&self.hash(key))?.iter().find(|e| e.key() == key)
    }
    pub fn get_mut(&mut self, key: &[u8]) -> Option<&mut E> {
        let hash = self.hash(key);
        self.map.get_mut(&hash)?.iter_mut().find(|e| e.key() == key)
    }
    pub fn contains(&self, key: &[u8]) -> bool {
        self.get(key).is_some()
    }
    /// Puts the element in, and returns the one with an equal key that it replaces.
    pub fn insert(&mut self, element: E) -> Option<E> {
        if let Some(old) = self.get_mut(element.key()) {
            return Some(std::mem::replace(old, element));
        }
        self.insert_new(element);
        None
    }
    /// Puts in an element whose key is known to be absent.
    pub fn insert_new(&mut self, element: E) {
        debug_assert!(!self.contains(element.key()));
        let hash = self.hash(element.key());
        self.map.entry(hash).or_default().push(element);
        self.len += 1;
    }
    pub fn remove(&mut self, key: &[u8]) -> Option<E> {
        let hash = self.hash(key);
        let chain = self.map.get_mut(&hash)?;
        let at = chain.iter().position(|e| e.key() == key)?;
        let element = chain.swap_remove(at);
        if chain.is_empty() {
            self.map.remove(&hash);
        }
        self.len -= 1;
        Some(element)
    }
    /// The element of this key, made by `make` if there was none (then the second part is true).
    /// `make` must give an element of this very key.
    pub fn find_or_insert_with(&mut self, key: &[u8], make: impl FnOnce() -> E) -> (&mut E, bool) {
        let fresh = !self.contains(key);
        if fresh {
            self.insert_new(make());
        }
        (self.get_mut(key).expect("it was found or put in"), fresh)
    }
    /// A hint that this key is about to be looked up.
    pub fn prefetch(&self, _key: &[u8]) {}
    /// One step of SCAN: calls `each` for some elements and returns the next cursor, 0 when done. An element
    /// that is present from the first step to the last is given at least once, whatever changes in between.
    pub fn scan(&self, cursor: u64, each: &mut dyn FnMut(&E)) -> u64 {
        let mut chains = self.map.range(cursor.reverse_bits()..);
        let Some((_, chain)) = chains.next() else { return 0 };
        chain.iter().for_each(each);
        chains.next().map_or(0, |(hash, _)| hash.reverse_bits())
    }
    /// A random element, each about equally likely.
    pub fn random(&self, rng: &mut dyn FnMut() -> u64) -> Option<&E> {
        if self.len == 0 {
            return None;
        }
        self.iter().nth((rng() % self.len as u64) as usize)
    }
    /// All elements; the order follows from the seed and the history of the table.
    pub fn iter(&self) -> impl Iterator<Item = &E> {
        self.map.values().flatten()
    }
    pub fn retain(&mut self, mut keep: impl FnMut(&mut E) -> bool) {
        self.map.retain(|_, chain| {
            chain.retain_mut(&mut keep);
            !chain.is_empty()
        });
        self.len = self.map.values().map(Vec::len).sum();
    }
    pub fn clear(&mut self) {
        self.map.clear();
        self.len = 0;
    }
    /// Does some of the postponed work of growing and shrinking; true while some is left.
    pub fn step(&mut self, _buckets: usize) -> bool {
        false
    }
    /// Bytes the table itself has allocated, its elements' own allocations apart.
    pub fn heap_bytes(&self) -> usize {
        self.len * 11
    }
    /// Makes room for `elements` in all; only a hint.
    pub fn reserve(&mut self, _elements: usize) {}
}

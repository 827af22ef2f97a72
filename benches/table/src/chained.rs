//! The design that lost: buckets of one cache line, seven tags and seven words, the last of which becomes a
//! pointer to another bucket when the bucket overflows; two arrays of buckets while growing, one bucket
//! moved with each insertion. Only what is measured is here; nothing is ever freed.

use resplay::data::table::{Element, Table};

#[repr(C, align(64))]
#[derive(Clone, Copy)]
struct Bucket {
    meta: u64,
    words: [usize; 7],
}

const EMPTY: Bucket = Bucket { meta: 0, words: [0; 7] };
const LANES: u64 = 0x0101_0101_0101_0101;
const LOWS: u64 = 0x7f7f_7f7f_7f7f_7f7f;
const CHAINED: u64 = 1 << 56;

impl Bucket {
    fn lanes_of(&self, tag: u64) -> u64 {
        let differs = self.meta ^ (tag * LANES);
        let highs = if self.meta & CHAINED == 0 { 0x0080_8080_8080_8080 } else { 0x0000_8080_8080_8080 };
        !(((differs & LOWS) + LOWS) | differs) & highs
    }
}

pub struct Chained<E> {
    hasher: Table<E>,
    len: usize,
    new: Vec<Bucket>,
    old: Vec<Bucket>,
    moved: usize,
}

impl<E: Element> Chained<E> {
    pub fn new(seed: u64) -> Self {
        assert_eq!(size_of::<E>(), size_of::<usize>());
        Chained { hasher: Table::new(seed), len: 0, new: vec![EMPTY], old: Vec::new(), moved: 0 }
    }

    pub fn get(&self, key: &[u8]) -> Option<&E> {
        let hash = self.hasher.hash(key);
        let found = find(&self.new, hash, key);
        if found.is_none() && !self.old.is_empty() { find(&self.old, hash, key) } else { found }
    }

    /// Of the arrays; chained buckets come on top.
    pub fn array_bytes(&self) -> usize {
        (self.new.capacity() + self.old.capacity()) * 64
    }

    pub fn insert_new(&mut self, element: E) {
        let hash = self.hasher.hash(element.key());
        if !self.old.is_empty() {
            self.step();
        }
        if self.old.is_empty() && self.len >= self.new.len() * 7 {
            let size = self.new.len() * 2;
            self.old = std::mem::replace(&mut self.new, vec![EMPTY; size]);
            self.moved = 0;
        }
        self.len += 1;
        let word = unsafe { std::mem::transmute_copy::<E, usize>(&element) };
        std::mem::forget(element);
        put(&mut self.new, hash, word);
    }

    fn step(&mut self) {
        let mut bucket = std::mem::replace(&mut self.old[self.moved], EMPTY);
        loop {
            for slot in 0..7 {
                if bucket.meta >> (slot * 8) & 0xff == 0 || slot == 6 && bucket.meta & CHAINED != 0 {
                    continue;
                }
                let element = unsafe { &*(&raw const bucket.words[slot]).cast::<E>() };
                put(&mut self.new, self.hasher.hash(element.key()), bucket.words[slot]);
            }
            if bucket.meta & CHAINED == 0 {
                break;
            }
            bucket = *unsafe { Box::from_raw(bucket.words[6] as *mut Bucket) };
        }
        self.moved += 1;
        if self.moved == self.old.len() {
            self.old = Vec::new();
        }
    }
}

fn find<'a, E: Element>(buckets: &'a [Bucket], hash: u64, key: &[u8]) -> Option<&'a E> {
    let mut bucket = &buckets[(hash >> 8) as usize & (buckets.len() - 1)];
    loop {
        let mut lanes = bucket.lanes_of((hash & 0xff).max(1));
        while lanes != 0 {
            let slot = lanes.trailing_zeros() as usize / 8;
            let element = unsafe { &*(&raw const bucket.words[slot]).cast::<E>() };
            if element.key() == key {
                return Some(element);
            }
            lanes &= lanes - 1;
        }
        if bucket.meta & CHAINED == 0 {
            return None;
        }
        bucket = unsafe { &*(bucket.words[6] as *const Bucket) };
    }
}

fn put(buckets: &mut [Bucket], hash: u64, word: usize) {
    let tag = (hash & 0xff).max(1);
    let at = (hash >> 8) as usize & (buckets.len() - 1);
    let mut bucket = &mut buckets[at];
    loop {
        let empty = bucket.lanes_of(0);
        if empty != 0 {
            let slot = empty.trailing_zeros() as usize / 8;
            bucket.meta |= tag << (slot * 8);
            bucket.words[slot] = word;
            return;
        }
        if bucket.meta & CHAINED == 0 {
            let child = Bucket { meta: bucket.meta >> 48 & 0xff, words: [bucket.words[6], 0, 0, 0, 0, 0, 0] };
            bucket.words[6] = Box::into_raw(Box::new(child)) as usize;
            bucket.meta = bucket.meta & !(0xff << 48) | CHAINED;
        }
        bucket = unsafe { &mut *(bucket.words[6] as *mut Bucket) };
    }
}

//! One segment of a table: a small array of buckets, each of them one cache line: seven tags of one byte, a
//! count of the elements that found it full and moved on, seven elements. An element lies in its home bucket or
//! in the next ones that had room; a search stops at the first bucket nobody ever had to leave.
//! (Tags and counts after F14, Facebook 2019.) It must not know how segments make a table.

use super::Element;

pub(super) const SLOTS: usize = 7;

#[derive(Clone)]
#[cfg_attr(target_pointer_width = "64", repr(C, align(64)))]
struct Bucket<E> {
    /// Seven tags, 0 for an empty slot, and in the highest byte the count of those that moved on.
    meta: u64,
    slots: [Option<E>; SLOTS],
}

/// Every segment holds the elements whose hashes start with the same `depth` bits.
#[derive(Clone)]
pub(super) struct Segment<E> {
    buckets: Box<[Bucket<E>]>,
    pub prefix: u64,
    pub len: u32,
    pub depth: u8,
}

/// Where an element is: its bucket and its slot.
pub(super) type Place = (usize, usize);

const LANES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x0080_8080_8080_8080;
const LOWS: u64 = 0x7f7f_7f7f_7f7f_7f7f;
const MOVED_ON: u64 = 1 << 56;

impl<E> Bucket<E> {
    const EMPTY: Bucket<E> = Bucket { meta: 0, slots: [const { None }; SLOTS] };

    /// The highest bit of each lane whose tag is this one.
    #[inline]
    fn lanes_of(&self, tag: u64) -> u64 {
        let differs = self.meta ^ (tag * LANES);
        !(((differs & LOWS) + LOWS) | differs) & HIGHS
    }

    #[inline]
    fn was_full(&self) -> bool {
        self.meta >= MOVED_ON
    }
}

#[inline]
fn slot_of(lanes: u64) -> usize {
    lanes.trailing_zeros() as usize / 8
}

#[inline]
fn tag_of(hash: u64) -> u64 {
    (hash & 0xff).max(1)
}

impl<E> Segment<E> {
    pub const BUCKET_BYTES: usize = size_of::<Bucket<E>>();

    pub fn new(prefix: u64, depth: u8, buckets: usize) -> Segment<E> {
        let buckets = (0..buckets).map(|_| Bucket::EMPTY).collect();
        Segment { buckets, prefix, len: 0, depth }
    }

    pub fn buckets(&self) -> usize {
        self.buckets.len()
    }

    /// The bucket an element of this hash should be in. Buckets part the segment's hashes in ascending order.
    #[inline]
    pub fn home(&self, hash: u64) -> usize {
        let fraction = hash << self.depth >> 32;
        ((fraction * self.buckets.len() as u64) >> 32) as usize
    }

    #[inline]
    fn after(&self, bucket: usize) -> usize {
        if bucket + 1 == self.buckets.len() { 0 } else { bucket + 1 }
    }

    /// There must be room.
    #[inline]
    pub fn put(&mut self, hash: u64, element: E) -> Place {
        let tag = tag_of(hash);
        let mut at = self.home(hash);
        loop {
            let bucket = &mut self.buckets[at];
            let empty = bucket.lanes_of(0);
            if empty != 0 {
                let slot = slot_of(empty);
                bucket.meta |= tag << (slot * 8);
                bucket.slots[slot] = Some(element);
                self.len += 1;
                return (at, slot);
            }
            // At 255 the count stays, whoever leaves: it is only ever too high until the next rebuilding.
            bucket.meta = bucket.meta.saturating_add(MOVED_ON);
            at = self.after(at);
        }
    }

    pub fn take(&mut self, hash: u64, (at, slot): Place) -> Option<E> {
        let mut passed = self.home(hash);
        while passed != at {
            let bucket = &mut self.buckets[passed];
            if bucket.meta >> 56 != 255 {
                bucket.meta -= MOVED_ON;
            }
            passed = self.after(passed);
        }
        let bucket = &mut self.buckets[at];
        bucket.meta &= !(0xff << (slot * 8));
        self.len -= 1;
        bucket.slots[slot].take()
    }

    #[inline]
    pub fn get(&self, (bucket, slot): Place) -> Option<&E> {
        self.buckets[bucket].slots[slot].as_ref()
    }

    #[inline]
    pub fn get_mut(&mut self, (bucket, slot): Place) -> Option<&mut E> {
        self.buckets[bucket].slots[slot].as_mut()
    }

    pub fn iter(&self) -> impl Iterator<Item = &E> {
        self.buckets.iter().flat_map(|bucket| bucket.slots.iter().flatten())
    }

    #[inline]
    pub fn prefetch(&self, hash: u64) {
        super::prefetch(&self.buckets[self.home(hash)]);
    }
}

impl<E: Element> Segment<E> {
    #[inline]
    pub fn find(&self, hash: u64, key: &[u8]) -> Option<Place> {
        let tag = tag_of(hash);
        let mut at = self.home(hash);
        for _ in 0..self.buckets.len() {
            let bucket = &self.buckets[at];
            let mut lanes = bucket.lanes_of(tag);
            while lanes != 0 {
                let slot = slot_of(lanes);
                if bucket.slots[slot].as_ref().is_some_and(|element| element.key() == key) {
                    return Some((at, slot));
                }
                lanes &= lanes - 1;
            }
            if !bucket.was_full() {
                return None;
            }
            at = self.after(at);
        }
        None
    }

    /// Fetches the elements of the first bucket that look like this hash's.
    pub fn prefetch_elements(&self, hash: u64) {
        let bucket = &self.buckets[self.home(hash)];
        let mut lanes = bucket.lanes_of(tag_of(hash));
        while lanes != 0 {
            bucket.slots[slot_of(lanes)].iter().for_each(E::prefetch);
            lanes &= lanes - 1;
        }
    }

    /// Takes all elements out, with their keys on the way to the cache before they are needed.
    pub fn drain(&mut self, mut each: impl FnMut(E)) {
        const AHEAD: usize = 2;
        for bucket in self.buckets.iter().take(AHEAD) {
            bucket.slots.iter().flatten().for_each(E::prefetch);
        }
        self.len = 0;
        for at in 0..self.buckets.len() {
            if let Some(bucket) = self.buckets.get(at + AHEAD) {
                bucket.slots.iter().flatten().for_each(E::prefetch);
            }
            let bucket = std::mem::replace(&mut self.buckets[at], Bucket::EMPTY);
            bucket.slots.into_iter().flatten().for_each(&mut each);
        }
    }

    /// Drops the elements that are not to be kept.
    pub fn retain(&mut self, hash_of: impl Fn(&[u8]) -> u64, mut keep: impl FnMut(&mut E) -> bool) {
        for at in 0..self.buckets.len() {
            for slot in 0..SLOTS {
                let Some(element) = &mut self.buckets[at].slots[slot] else { continue };
                if !keep(element) {
                    let hash = hash_of(element.key());
                    drop(self.take(hash, (at, slot)));
                }
            }
        }
    }

    /// Calls `each` for the elements whose home is this bucket and whose hashes pass.
    pub fn visit_home(
        &self,
        home: usize,
        hash_of: impl Fn(&[u8]) -> u64,
        passes: impl Fn(u64) -> bool,
        each: &mut dyn FnMut(&E),
    ) {
        let mut at = home;
        for _ in 0..self.buckets.len() {
            let bucket = &self.buckets[at];
            for element in bucket.slots.iter().flatten() {
                let hash = hash_of(element.key());
                if self.home(hash) == home && passes(hash) {
                    each(element);
                }
            }
            if !bucket.was_full() {
                return;
            }
            at = self.after(at);
        }
    }
}

//! A hash table of one-word elements that carry their own key. Databases, big hashes, sets and sorted sets
//! are made of it. It must not know what its elements mean, nor time, nor chance: the seed comes in.
//!
//! The table is a directory of segments (extendible hashing; Fagin, Nievergelt, Pippenger, Strong 1979). A hash's
//! first bits choose the segment, the next ones the bucket in it. A full segment is rebuilt somewhat
//! larger, or split in two when it is as large as segments get; a sparse one shrinks or joins its twin. So no
//! operation ever moves more than one segment's elements, no two tables exist side by side while growing, and
//! the table stays about 80 % full at any size.
//!
//! Everything is in the order of hashes: directory, segments, buckets. SCAN's cursor is a position in that order
//! and means the same whatever has grown or shrunk in between.

mod keyed;
mod segment;

use keyed::KeyedHash;
use segment::{Place, SLOTS, Segment, View, capacity};

/// What a table holds: something that owns its key.
pub trait Element {
    fn key(&self) -> &[u8];
    /// Has the key fetched into the cache.
    fn prefetch(&self) {}
    /// Sixteen bits the table may keep in the element: what it last set, or 0 in doubt.
    fn hint(&self) -> u16 {
        0
    }
    fn set_hint(&mut self, _hint: u16) {}
}

pub struct Table<E> {
    hash: KeyedHash,
    len: usize,
    segments: Vec<Segment<E>>,
    /// The segment of each prefix of `depth` bits; empty when there is but one segment.
    directory: Vec<View<E>>,
    depth: u8,
    /// In all segments.
    buckets: usize,
    /// Of any segment, since the table was last empty.
    buckets_max: usize,
}

/// The sizes of segments in buckets: powers of two, or one bucket less than an allocator's usual sizes, since
/// aligning them takes up to one.
const SIZES: [usize; 16] = [1, 2, 4, 6, 8, 11, 16, 23, 31, 39, 55, 63, 79, 95, 111, 127];
const SIZE_MAX: usize = SIZES[SIZES.len() - 1];

/// The size of a segment that has to hold so many elements and some more.
fn size_for(elements: usize) -> usize {
    let wanted = elements + elements / 8;
    match SIZES.iter().find(|&&size| wanted <= capacity(size)) {
        Some(&size) => size,
        // Only colliding keys make such a segment.
        None => (wanted / SLOTS * 2).next_power_of_two(),
    }
}

impl<E: Element> Table<E> {
    /// Allocates nothing yet. With a secret seed nobody can make keys collide.
    pub fn new(seed: u64) -> Self {
        Table {
            hash: KeyedHash::new(seed),
            len: 0,
            segments: Vec::new(),
            directory: Vec::new(),
            depth: 0,
            buckets: 0,
            buckets_max: 0,
        }
    }

    /// A table without elements that hashes as this one does.
    pub fn emptied(&self) -> Self {
        Table { hash: self.hash, ..Table::new(0) }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[inline]
    pub fn hash(&self, key: &[u8]) -> u64 {
        self.hash.hash(key)
    }

    #[inline]
    pub fn get(&self, key: &[u8]) -> Option<&E> {
        self.find(self.hash(key), key).map(|(_, _, element)| element)
    }

    /// The element must keep its key. It may be assigned a new element, but not be swapped with another table's.
    #[inline]
    pub fn get_mut(&mut self, key: &[u8]) -> Option<&mut E> {
        let (segment, place, _) = self.find(self.hash(key), key)?;
        self.segments[segment].get_mut(place)
    }

    pub fn contains(&self, key: &[u8]) -> bool {
        self.find(self.hash(key), key).is_some()
    }

    /// Puts the element in, and returns the one with an equal key that it replaces.
    pub fn insert(&mut self, element: E) -> Option<E> {
        let hash = self.hash(element.key());
        if let Some((segment, place, _)) = self.find(hash, element.key()) {
            return self.segments[segment].replace(hash, place, element);
        }
        self.put(hash, element);
        None
    }

    /// Puts in an element whose key is known to be absent.
    pub fn insert_new(&mut self, element: E) {
        debug_assert!(!self.contains(element.key()));
        self.put(self.hash(element.key()), element);
    }

    pub fn remove(&mut self, key: &[u8]) -> Option<E> {
        let hash = self.hash(key);
        let (segment, place, _) = self.find(hash, key)?;
        let element = self.segments[segment].take(hash, place);
        self.len -= 1;
        self.shrink(segment);
        element
    }

    /// The element of this key, made by `make` if there was none (then the second part is true).
    /// `make` must give an element of this very key.
    pub fn find_or_insert_with(&mut self, key: &[u8], make: impl FnOnce() -> E) -> (&mut E, bool) {
        let hash = self.hash(key);
        let found = self.find(hash, key).map(|(segment, place, _)| (segment, place));
        let (segment, place) = found.unwrap_or_else(|| {
            let element = make();
            debug_assert!(element.key() == key);
            self.put(hash, element)
        });
        let element = self.segments[segment].get_mut(place);
        (element.expect("it was found or put in"), found.is_none())
    }

    /// A hint that this key is about to be looked up: fetches its bucket.
    #[inline]
    pub fn prefetch(&self, key: &[u8]) {
        if self.len != 0 {
            let hash = self.hash(key);
            // SAFETY: the segment is the table's.
            unsafe { self.view_of(hash).prefetch(hash) }
        }
    }

    /// A second hint, some time after [`Table::prefetch`]: fetches the element itself.
    #[inline]
    pub fn prefetch_element(&self, key: &[u8]) {
        if self.len != 0 {
            let hash = self.hash(key);
            // SAFETY: the segment is the table's.
            unsafe { self.view_of(hash).prefetch_elements(hash) }
        }
    }

    /// One step of SCAN, about a bucket's worth: calls `each` for some elements (possibly none) and returns the
    /// next cursor, 0 when done. An element that is there from the first step to the last is given once and
    /// only once, whatever comes and goes, grows and shrinks in between. Any number is a valid cursor.
    ///
    /// The cursor is the position in the order of hashes up to which all has been given, with its bits reversed:
    /// positions are multiples of a high power of two, so cursors are small numbers.
    pub fn scan(&self, cursor: u64, each: &mut dyn FnMut(&E)) -> u64 {
        if self.len == 0 {
            return 0;
        }
        let from = cursor.reverse_bits();
        let segment = &self.segments[self.segment_of(from)];
        // A power of two of steps, at least one a bucket.
        let bits = u32::from(segment.depth) + segment.buckets().next_power_of_two().ilog2();
        let last = from | u64::MAX.checked_shr(bits).unwrap_or(0);
        for home in segment.home(from)..=segment.home(last) {
            segment.visit_home(home, |key| self.hash(key), |hash| (from..=last).contains(&hash), each);
        }
        last.wrapping_add(1).reverse_bits()
    }

    /// A random element, each equally likely.
    pub fn random(&self, rng: &mut dyn FnMut() -> u64) -> Option<&E> {
        // All slots of all segments are equally likely, as if every segment were as large as the largest;
        // of those, well over a tenth hold an element.
        const TRIES_MAX: usize = 4096;
        if self.len == 0 {
            return None;
        }
        let widest = if let [one] = &self.segments[..] { one.buckets() } else { self.buckets_max };
        let mut segment = 0;
        for _ in 0..TRIES_MAX {
            segment = below(rng(), self.segments.len());
            let slot = below(rng(), widest * SLOTS);
            let candidate = &self.segments[segment];
            if slot / SLOTS < candidate.buckets()
                && let Some(element) = candidate.get((slot / SLOTS, slot % SLOTS))
            {
                return Some(element);
            }
        }
        let (before, after) = self.segments.split_at(segment);
        after.iter().chain(before).flat_map(Segment::iter).next()
    }

    /// All elements; the order follows from the seed and the history of the table.
    pub fn iter(&self) -> impl Iterator<Item = &E> {
        self.segments.iter().flat_map(Segment::iter)
    }

    /// Drops the elements for which `keep` says no.
    pub fn retain(&mut self, mut keep: impl FnMut(&mut E) -> bool) {
        let hash = self.hash;
        for segment in &mut self.segments {
            segment.retain(|key| hash.hash(key), &mut keep);
        }
        self.len = self.segments.iter().map(|segment| segment.len as usize).sum();
        loop {
            let before = (self.segments.len(), self.buckets);
            let mut at = 0;
            while at < self.segments.len() {
                self.shrink(at);
                at += 1;
            }
            if before == (self.segments.len(), self.buckets) {
                return;
            }
        }
    }

    /// Drops everything, the table's own memory too.
    pub fn clear(&mut self) {
        self.segments = Vec::new();
        self.directory = Vec::new();
        (self.len, self.depth, self.buckets, self.buckets_max) = (0, 0, 0, 0);
    }

    /// Does some of the postponed work of growing and shrinking; true while some is left. This table
    /// postpones nothing.
    pub fn step(&mut self, _buckets: usize) -> bool {
        false
    }

    /// Bytes the table itself has allocated on a 64-bit machine, its elements' own allocations apart.
    pub fn heap_bytes(&self) -> usize {
        const BUCKET: usize = 64;
        const SEGMENT: usize = 48;
        const VIEW: usize = 16;
        self.buckets * BUCKET + self.segments.capacity() * SEGMENT + self.directory.capacity() * VIEW
    }

    /// Makes room for `elements` in all, if the table is still empty; only a hint, and not believed beyond a
    /// million.
    pub fn reserve(&mut self, elements: usize) {
        if self.len != 0 || elements == 0 {
            return;
        }
        self.clear();
        let elements = elements.min(1 << 20);
        while elements >> self.depth > capacity(SIZE_MAX) * 7 / 8 {
            self.depth += 1;
        }
        let each = size_for(elements >> self.depth);
        let count = 1u32 << self.depth;
        self.segments =
            (0..count).map(|i| Segment::new(self.prefix_of(i as usize), self.depth, each)).collect();
        self.link_all();
        self.buckets = each << self.depth;
        self.buckets_max = each;
    }
}

/// Growing and shrinking.
impl<E: Element> Table<E> {
    /// There must be a segment.
    #[inline]
    fn view_of(&self, hash: u64) -> View<E> {
        if self.depth == 0 {
            self.segments[0].view(0)
        } else {
            self.directory[(hash >> (64 - self.depth)) as usize]
        }
    }

    #[inline]
    fn segment_of(&self, hash: u64) -> usize {
        self.view_of(hash).number()
    }

    fn prefix_of(&self, index: usize) -> u64 {
        (index as u64) << (63 - self.depth) << 1
    }

    #[inline]
    fn find(&self, hash: u64, key: &[u8]) -> Option<(usize, Place, &E)> {
        if self.len == 0 {
            return None;
        }
        let view = self.view_of(hash);
        // SAFETY: the segment is the table's, and the table is borrowed as long as the element.
        let (place, element) = unsafe { view.find(hash, key) }?;
        Some((view.number(), place, element))
    }

    #[inline]
    fn put(&mut self, hash: u64, element: E) -> (usize, Place) {
        if self.segments.is_empty() {
            self.segments.reserve_exact(1);
            self.add(Segment::new(0, 0, 1));
        }
        let mut segment = self.segment_of(hash);
        if self.segments[segment].is_full() {
            self.grow(segment);
            segment = self.segment_of(hash);
        }
        self.len += 1;
        (segment, self.segments[segment].put(hash, element))
    }

    #[cold]
    fn grow(&mut self, at: usize) {
        let segment = &self.segments[at];
        let (len, depth) = (segment.len as usize, segment.depth);
        // Splitting does not help against keys of equal hashes: then their segment just grows.
        let deep = self.len >> depth < capacity(SIZE_MAX) / 16;
        if segment.buckets() < SIZE_MAX || deep {
            self.rebuild(at, size_for(len + 1).max(segment.buckets() + 1));
        } else {
            self.split(at);
        }
    }

    fn rebuild(&mut self, at: usize, buckets: usize) {
        let old = &mut self.segments[at];
        let mut new = Segment::new(old.prefix, old.depth, buckets);
        old.pour(&mut new, None, |key| self.hash.hash(key));
        self.buckets -= old.buckets();
        *old = new;
        self.count(buckets);
        self.link(at);
    }

    fn split(&mut self, at: usize) {
        if self.segments[at].depth == self.depth {
            self.depth += 1;
            self.directory = match self.directory.len() {
                0 => vec![self.segments[at].view(at); 2],
                _ => self.directory.iter().flat_map(|&view| [view, view]).collect(),
            };
        }
        let old = &mut self.segments[at];
        let depth = old.depth + 1;
        let twin_prefix = old.prefix | 1 << (64 - depth);
        let half = size_for(old.len as usize / 2);
        let mut left = Segment::new(old.prefix, depth, half);
        let mut right = Segment::new(twin_prefix, depth, half);
        old.pour(&mut left, Some(&mut right), |key| self.hash.hash(key));
        self.buckets -= old.buckets();
        *old = left;
        self.count(self.segments[at].buckets());
        self.link(at);
        self.add(right);
        self.link(self.segments.len() - 1);
    }

    /// Puts a segment into the directory.
    fn link(&mut self, at: usize) {
        if self.depth > 0 {
            let segment = &self.segments[at];
            let run = self.run(segment.prefix, segment.depth);
            let view = segment.view(at);
            self.directory[run].fill(view);
        }
    }

    /// Makes a new directory for the segments there are.
    fn link_all(&mut self) {
        self.directory = match self.depth {
            0 => Vec::new(),
            depth => vec![self.segments[0].view(0); 1 << depth],
        };
        (0..self.segments.len()).for_each(|at| self.link(at));
    }

    fn add(&mut self, segment: Segment<E>) {
        self.count(segment.buckets());
        self.segments.push(segment);
    }

    fn count(&mut self, new_buckets: usize) {
        self.buckets += new_buckets;
        self.buckets_max = self.buckets_max.max(new_buckets);
    }

    /// The part of the directory that a prefix of so many bits has.
    fn run(&self, prefix: u64, depth: u8) -> std::ops::Range<usize> {
        let first = (prefix >> (63 - self.depth) >> 1) as usize;
        first..first + (1 << (self.depth - depth))
    }

    /// Gives memory back if the segment has become sparse.
    #[inline]
    fn shrink(&mut self, at: usize) {
        let segment = &self.segments[at];
        let sparse = (segment.len as usize) * 5 < capacity(segment.buckets()) * 2;
        if sparse && (segment.buckets() > 1 || self.depth > 0) || self.len == 0 {
            self.shrink_sparse(at);
        } else if segment.stale * 8 > segment.len + 16 {
            self.rebuild(at, segment.buckets());
        }
    }

    #[cold]
    fn shrink_sparse(&mut self, at: usize) {
        if self.len == 0 {
            return self.clear();
        }
        let segment = &self.segments[at];
        let (len, depth) = (segment.len as usize, segment.depth);
        if depth > 0 {
            let twin = self.segment_of(segment.prefix ^ 1 << (64 - depth));
            let together = len + self.segments[twin].len as usize;
            if self.segments[twin].depth == depth && together * 8 <= capacity(SIZE_MAX) * 5 {
                return self.join(at, twin);
            }
        }
        let size = size_for(len);
        if size < segment.buckets() {
            self.rebuild(at, size);
        }
    }

    fn join(&mut self, at: usize, twin: usize) {
        let depth = self.segments[at].depth - 1;
        let prefix = self.segments[at].prefix.min(self.segments[twin].prefix);
        let together = (self.segments[at].len + self.segments[twin].len) as usize;
        let mut joined = Segment::new(prefix, depth, size_for(together));
        for half in [at, twin] {
            let half = &mut self.segments[half];
            self.buckets -= half.buckets();
            half.pour(&mut joined, None, |key| self.hash.hash(key));
        }
        self.count(joined.buckets());
        self.segments[at] = joined;
        self.link(at);
        self.segments.swap_remove(twin);
        if twin < self.segments.len() {
            self.link(twin);
        }
        self.halve_directory();
    }

    /// Halves the directory while no two neighbours in it differ. Looked at only when it is far too large for
    /// its segments, so that the look is paid for by the joins before it.
    fn halve_directory(&mut self) {
        while self.depth > 0 && self.segments.len() * 2 <= self.directory.len() {
            if self.segments.iter().any(|segment| segment.depth == self.depth) {
                return;
            }
            self.depth -= 1;
            self.directory = match self.depth {
                0 => Vec::new(),
                _ => self.directory.iter().copied().step_by(2).collect(),
            };
        }
    }
}

impl<E: Element + Clone> Clone for Table<E> {
    fn clone(&self) -> Self {
        let mut table = Table { segments: self.segments.clone(), directory: Vec::new(), ..*self };
        table.link_all();
        table
    }
}

fn below(random: u64, limit: usize) -> usize {
    ((u128::from(random) * limit as u128) >> 64) as usize
}

/// Has a place fetched into the cache.
#[inline]
pub(super) fn prefetch<T>(place: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch changes nothing, whatever the address.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(place.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = place;
}

#[cfg(test)]
mod tests;

//! One segment of a table: a small array of buckets, each of them one cache line: seven tags of one byte, a
//! filter of eight bits, seven elements. An element lies in its home bucket, or if that was full in one of
//! the next; the filters on its way say that an element of this kind moved on, so a search mostly ends
//! where it began. (After F14, Facebook 2019, and `boost::unordered_flat_map`, 2022.) Filters only fill; a segment
//! with much in them that is no longer true is to be rebuilt. It must not know how segments make a table.

use std::ptr::NonNull;

use super::Element;

pub(super) const SLOTS: usize = 7;

#[derive(Clone)]
#[cfg_attr(target_pointer_width = "64", repr(C, align(64)))]
struct Bucket<E> {
    /// Seven tags, 0 for an empty slot, and in the highest byte a filter of the tags that moved on.
    meta: u64,
    slots: [Option<E>; SLOTS],
}

/// Every segment holds the elements whose hashes start with the same `depth` bits.
#[derive(Clone)]
pub(super) struct Segment<E> {
    /// Never grows: a view points to it.
    buckets: Vec<Bucket<E>>,
    pub prefix: u64,
    pub len: u32,
    /// How many elements left that lay outside their home.
    pub stale: u32,
    pub depth: u8,
}

/// What a directory knows of a segment: enough to search it without looking at the segment itself.
pub(super) struct View<E> {
    buckets: NonNull<Bucket<E>>,
    count: u32,
    /// The segment's number and, in the lowest byte, its depth.
    number: u32,
}

impl<E> Clone for View<E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for View<E> {}

// SAFETY: a view is used by the table alone that owns the segment, and goes where the table goes.
unsafe impl<E: Send> Send for View<E> {}

/// Where an element is: its bucket and its slot.
pub(super) type Place = (usize, usize);

const LANES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x0080_8080_8080_8080;
const LOWS: u64 = 0x7f7f_7f7f_7f7f_7f7f;

impl<E> Bucket<E> {
    const EMPTY: Bucket<E> = Bucket { meta: 0, slots: [const { None }; SLOTS] };

    /// The highest bit of each lane whose tag is this one.
    #[inline]
    fn lanes_of(&self, tag: u64) -> u64 {
        let differs = self.meta ^ (tag * LANES);
        !(((differs & LOWS) + LOWS) | differs) & HIGHS
    }

    /// Whether anything moved on from here.
    #[inline]
    fn was_full(&self) -> bool {
        self.meta >> 56 != 0
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

/// How many elements a segment may hold before it grows.
pub(super) const fn capacity(buckets: usize) -> usize {
    if buckets == 1 { SLOTS } else { buckets * SLOTS * 29 / 32 }
}

impl<E> Segment<E> {
    pub fn new(prefix: u64, depth: u8, buckets: usize) -> Segment<E> {
        let buckets = (0..buckets).map(|_| Bucket::EMPTY).collect();
        Segment { buckets, prefix, len: 0, stale: 0, depth }
    }

    pub fn buckets(&self) -> usize {
        self.buckets.len()
    }

    pub fn is_full(&self) -> bool {
        self.len as usize >= capacity(self.buckets.len())
    }

    /// For a directory. It holds as long as the segment exists.
    pub fn view(&self, number: usize) -> View<E> {
        let start = NonNull::new(self.buckets.as_ptr().cast_mut()).expect("a vector's pointer is never null");
        let number = (number as u32) << 8 | u32::from(self.depth);
        View { buckets: start, count: self.buckets.len() as u32, number }
    }

    /// The bucket an element of this hash should be in. Buckets part the segment's hashes in ascending order.
    #[inline]
    pub fn home(&self, hash: u64) -> usize {
        home(hash, self.depth, self.buckets.len())
    }

    #[inline]
    fn after(&self, bucket: usize) -> usize {
        if bucket + 1 == self.buckets.len() { 0 } else { bucket + 1 }
    }

    /// There must be room.
    #[inline]
    pub fn put(&mut self, hash: u64, mut element: E) -> Place
    where
        E: Element,
    {
        element.set_hint(hint_of(hash, self.depth));
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
            bucket.meta |= filter_of(tag);
            at = self.after(at);
        }
    }

    pub fn take(&mut self, hash: u64, (at, slot): Place) -> Option<E>
    where
        E: Element,
    {
        self.stale += u32::from(at != self.home(hash));
        let bucket = &mut self.buckets[at];
        bucket.meta &= !(0xff << (slot * 8));
        self.len -= 1;
        let mut element = bucket.slots[slot].take()?;
        // It might take the place of another one in another table.
        element.set_hint(0);
        Some(element)
    }

    /// Puts an element in the place of one with an equal key.
    pub fn replace(&mut self, hash: u64, (at, slot): Place, mut element: E) -> Option<E>
    where
        E: Element,
    {
        element.set_hint(hint_of(hash, self.depth));
        let mut old = self.buckets[at].slots[slot].replace(element)?;
        old.set_hint(0);
        Some(old)
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
}

/// The bit that elements of this tag have in the filter.
#[inline]
fn filter_of(tag: u64) -> u64 {
    1 << (56 + tag % 8)
}

impl<E> View<E> {
    #[inline]
    pub fn number(self) -> usize {
        (self.number >> 8) as usize
    }

    #[inline]
    fn depth(self) -> u8 {
        self.number as u8
    }

    /// # Safety
    /// The segment must still exist, and must not be changed while the buckets are looked at.
    #[inline]
    unsafe fn buckets<'a>(self) -> &'a [Bucket<E>] {
        // SAFETY: pointer and count are the segment's own, whose vector never grows.
        unsafe { std::slice::from_raw_parts(self.buckets.as_ptr(), self.count as usize) }
    }

    /// # Safety
    /// The segment must still exist.
    #[inline]
    pub unsafe fn prefetch(self, hash: u64) {
        // SAFETY: the caller's.
        let buckets = unsafe { self.buckets() };
        super::prefetch(&buckets[home(hash, self.depth(), buckets.len())]);
    }
}

#[inline]
fn home(hash: u64, depth: u8, buckets: usize) -> usize {
    let fraction = hash << depth >> 32;
    ((fraction * buckets as u64) >> 32) as usize
}

impl<E: Element> View<E> {
    /// # Safety
    /// The segment must still exist, and must not be changed while the element is looked at.
    #[inline]
    pub unsafe fn find<'a>(self, hash: u64, key: &[u8]) -> Option<(Place, &'a E)> {
        // SAFETY: the caller's.
        let buckets = unsafe { self.buckets() };
        let tag = tag_of(hash);
        let filter = filter_of(tag);
        let mut at = home(hash, self.depth(), buckets.len());
        for _ in 0..buckets.len() {
            let bucket = &buckets[at];
            let mut lanes = bucket.lanes_of(tag);
            while lanes != 0 {
                let slot = slot_of(lanes);
                if let Some(element) = &bucket.slots[slot]
                    && element.key() == key
                {
                    return Some(((at, slot), element));
                }
                lanes &= lanes - 1;
            }
            if bucket.meta & filter == 0 {
                return None;
            }
            at = if at + 1 == buckets.len() { 0 } else { at + 1 };
        }
        None
    }

    /// Fetches the elements of the first bucket that look like this hash's.
    ///
    /// # Safety
    /// The segment must still exist.
    pub unsafe fn prefetch_elements(self, hash: u64) {
        // SAFETY: the caller's.
        let buckets = unsafe { self.buckets() };
        let bucket = &buckets[home(hash, self.depth(), buckets.len())];
        let mut lanes = bucket.lanes_of(tag_of(hash));
        while lanes != 0 {
            bucket.slots[slot_of(lanes)].iter().for_each(E::prefetch);
            lanes &= lanes - 1;
        }
    }
}

/// The hint of an element in a segment of this depth: sixteen bits of its hash. They start at a multiple of
/// six bits, so that they say something about the next splits too.
#[inline]
fn hint_of(hash: u64, depth: u8) -> u16 {
    (hash << hint_start(depth) >> 48) as u16
}

#[inline]
fn hint_start(depth: u8) -> u8 {
    depth - depth % 6
}

impl<E: Element> Segment<E> {
    /// Moves all elements into `left`, or into `right` from its prefix on. Where its hint tells an element's new
    /// home, its key is not read: reading some hundred keys scattered over the memory is what takes time.
    pub fn pour(
        &mut self,
        left: &mut Segment<E>,
        mut right: Option<&mut Segment<E>>,
        hash_of: impl Fn(&[u8]) -> u64,
    ) {
        const AHEAD: usize = 2;
        let start = hint_start(self.depth);
        let blind = start != hint_start(left.depth);
        let prefix = self.prefix >> (63 - start) >> 1 << 1 << (63 - start);
        let unknown = ((1u64 << 48) - 1) >> start & !0xff;
        self.len = 0;
        for at in 0..self.buckets.len() {
            if blind {
                let ahead = if at == 0 { 0..=AHEAD } else { at + AHEAD..=at + AHEAD };
                for bucket in ahead.filter_map(|at| self.buckets.get(at)) {
                    bucket.slots.iter().flatten().for_each(E::prefetch);
                }
            }
            let bucket = std::mem::replace(&mut self.buckets[at], Bucket::EMPTY);
            for (slot, element) in bucket.slots.into_iter().enumerate() {
                let Some(element) = element else { continue };
                let hint = element.hint();
                let mut hash = prefix | u64::from(hint) << 48 >> start | (bucket.meta >> (slot * 8)) & 0xff;
                let mut exact = false;
                if blind || hint == 0 {
                    (hash, exact) = (hash_of(element.key()), true);
                }
                let to = match &mut right {
                    Some(right) if hash >= right.prefix => &mut **right,
                    _ => &mut *left,
                };
                if !exact && to.home(hash) != to.home(hash | unknown) {
                    hash = hash_of(element.key());
                }
                // Halves are hardly ever so uneven, unless someone knows the seed.
                if to.is_full() {
                    let mut larger = Segment::new(to.prefix, to.depth, to.buckets() * 2);
                    to.pour(&mut larger, None, &hash_of as &dyn Fn(&[u8]) -> u64);
                    *to = larger;
                }
                to.put(hash, element);
            }
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

//! The array: strings at 64-bit indexes, with holes that cost nothing. Indexes go up to `u64::MAX - 1`.
//!
//! Indexes are cut into slices of equal size; a slice exists where an element does. One with few elements keeps them as
//! a sorted list, one with many as a window of slots. A cursor remembers where the last insertion went.

use std::collections::BTreeMap;

use super::listpack::Entry;
use slice::Slice;
use slot::Slot;

pub mod pattern;
mod slice;
mod slot;
#[cfg(test)]
mod tests;

/// How arrays are laid out.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// `array-slice-size`: slots of a slice of a new array; taken as the power of two below.
    pub slice_size: u32,
    /// `array-sparse-kmax`: a slice with more elements is dense; 0 makes all dense.
    pub sparse_max: usize,
    /// `array-sparse-kmin`: a dense slice left with so few becomes sparse again.
    pub sparse_min: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { slice_size: 4096, sparse_max: 10, sparse_min: 5 }
    }
}

#[derive(Clone)]
pub struct Array {
    slices: BTreeMap<u64, Slice>,
    count: u64,
    last_insert: Option<u64>,
    slice_bits: u32,
    directory: Directory,
}

/// The sizes that Redis's directory of slices would have, for ARINFO alone.
#[derive(Clone, Copy, Debug, Default)]
struct Directory {
    flat: u64,
    /// Capacity and entries of the second level, from the first slice on that needs it.
    blocks: Option<(u64, u64)>,
}

const BLOCK_SLICES: u64 = 2048;
const SLICE_BITS_MAX: u32 = 20;

/// What ARINFO tells.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts {
    pub slices: u64,
    pub directory_size: u64,
    pub blocks: u64,
    pub slice_size: u64,
}

/// What ARINFO FULL tells besides.
#[derive(Clone, Copy, Debug, Default)]
pub struct FullFacts {
    pub dense: u64,
    pub sparse: u64,
    pub dense_slots: u64,
    pub dense_elements: u64,
    pub sparse_slots: u64,
}

pub type Elements<'a> = Box<dyn Iterator<Item = (u64, Entry<'a>)> + 'a>;

impl Array {
    pub fn new(limits: Limits) -> Self {
        Array {
            slices: BTreeMap::new(),
            count: 0,
            last_insert: None,
            slice_bits: limits.slice_size.max(1).ilog2().min(SLICE_BITS_MAX),
            directory: Directory::default(),
        }
    }

    pub fn encoding(&self) -> &'static str {
        "sliced-array"
    }

    /// Bytes allocated on a 64-bit machine, nearly: of many slices the first are looked at. O(1).
    pub fn heap_bytes(&self) -> usize {
        const NODE: usize = 48;
        const SLICES: usize = 4;
        let seen: usize = self.slices.values().take(SLICES).map(Slice::heap_bytes).sum();
        super::scaled(seen, self.slices.len().min(SLICES), self.slices.len()) + self.slices.len() * NODE
    }

    /// Elements that are there.
    pub fn count(&self) -> u64 {
        self.count
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The highest index in use plus one.
    pub fn len(&self) -> u64 {
        let last = self.slices.last_key_value();
        last.map_or(0, |(id, slice)| self.index(*id, slice.highest()) + 1)
    }

    /// Where the last insertion went, or what ARSEEK made of it; nothing before the first.
    pub fn last_insert(&self) -> Option<u64> {
        self.last_insert
    }

    pub fn set_last_insert(&mut self, index: Option<u64>) {
        self.last_insert = index;
    }

    /// Where the next insertion goes; nothing when there is no index left.
    pub fn next_insert(&self) -> Option<u64> {
        match self.last_insert {
            None => Some(0),
            Some(last) => last.checked_add(1).filter(|next| *next < u64::MAX),
        }
    }

    /// O(log of the slices).
    pub fn get(&self, index: u64) -> Option<Entry<'_>> {
        let (id, offset) = self.split(index);
        self.slices.get(&id)?.get(offset)?.entry()
    }

    /// Sets an element, below `u64::MAX`; true where there was none.
    pub fn set(&mut self, index: u64, value: &[u8], limits: Limits) -> bool {
        debug_assert!(index < u64::MAX, "the length must be a number too");
        let (id, offset) = self.split(index);
        let size = 1 << self.slice_bits;
        if !self.slices.contains_key(&id) {
            self.directory.add(&self.slices, id);
        }
        let slice = self.slices.entry(id).or_insert_with(|| Slice::new(offset, size, limits));
        let is_new = slice.set(offset, Slot::of(value), size, limits);
        self.count += u64::from(is_new);
        is_new
    }

    /// Takes one element away; false where there was none.
    pub fn remove(&mut self, index: u64, limits: Limits) -> bool {
        self.remove_range(index, index, limits) == 1
    }

    /// Takes away all elements with these indexes, both ends included. O(elements and slices touched).
    pub fn remove_range(&mut self, from: u64, to: u64, limits: Limits) -> u64 {
        if from > to {
            return 0;
        }
        let ((first, first_offset), (last, last_offset)) = (self.split(from), self.split(to));
        let end = (1 << self.slice_bits) - 1;
        let mut removed = 0;
        let mut emptied = Vec::new();
        for (&id, slice) in self.slices.range_mut(first..=last) {
            let low = if id == first { first_offset } else { 0 };
            let high = if id == last { last_offset } else { end };
            removed += slice.remove_range(low, high, limits);
            if slice.count() == 0 {
                emptied.push(id);
            }
        }
        for id in emptied {
            self.slices.remove(&id);
            self.directory.remove(&self.slices, id);
        }
        self.count -= removed;
        removed
    }

    /// The elements between two indexes, both included; from the higher to the lower where `from` is the higher.
    pub fn range(&self, from: u64, to: u64) -> Elements<'_> {
        if from <= to { Box::new(self.ascending(from, to)) } else { Box::new(self.ascending(to, from).rev()) }
    }

    /// All elements in the order of their indexes.
    pub fn iter(&self) -> Elements<'_> {
        self.range(0, u64::MAX)
    }

    fn ascending(&self, from: u64, to: u64) -> impl DoubleEndedIterator<Item = (u64, Entry<'_>)> {
        let ((first, first_offset), (last, last_offset)) = (self.split(from), self.split(to));
        let end = (1 << self.slice_bits) - 1;
        self.slices.range(first..=last).flat_map(move |(&id, slice)| {
            let low = if id == first { first_offset } else { 0 };
            let high = if id == last { last_offset } else { end };
            slice.iter(low, high).map(move |(offset, entry)| (self.index(id, offset), entry))
        })
    }

    /// ARRING, before it writes: makes the newest elements, as far as they follow each other without a hole and fit
    /// into `size`, start at index 0 when the ring shrinks, or grows after it had wrapped around.
    pub fn fit_ring(&mut self, size: u64, limits: Limits) {
        let span = self.len();
        let next = self.last_insert.map_or(0, |last| last.wrapping_add(1));
        let has_wrapped = self.last_insert.is_some() && next < span;
        if span == 0 || size == span || size > span && !has_wrapped {
            return;
        }
        let newest = self.last_insert.map_or(span - 1, |last| last % span);
        let (mut oldest, mut kept) = (newest, 0);
        while kept < size.min(span) && self.get(oldest).is_some() {
            kept += 1;
            oldest = if oldest == 0 { span - 1 } else { oldest - 1 };
        }
        let mut ring = Array::new(Limits { slice_size: 1 << self.slice_bits, ..limits });
        for to in 0..kept {
            oldest = if oldest == span - 1 { 0 } else { oldest + 1 };
            if let Some(element) = self.get(oldest) {
                ring.set(to, &element.to_vec(), limits);
            }
        }
        ring.last_insert = kept.checked_sub(1);
        *self = ring;
    }

    pub fn facts(&self) -> Facts {
        let (directory_size, blocks) = self.directory.blocks.unwrap_or((self.directory.flat, 0));
        Facts { slices: self.slices.len() as u64, directory_size, blocks, slice_size: 1 << self.slice_bits }
    }

    /// O(slices).
    pub fn full_facts(&self) -> FullFacts {
        let mut facts = FullFacts::default();
        for slice in self.slices.values() {
            if slice.is_dense() {
                facts.dense += 1;
                facts.dense_slots += slice.slots() as u64;
                facts.dense_elements += slice.count() as u64;
            } else {
                facts.sparse += 1;
                facts.sparse_slots += slice.slots() as u64;
            }
        }
        facts
    }

    /// The slice of an index, and the place inside it.
    fn split(&self, index: u64) -> (u64, u32) {
        (index >> self.slice_bits, (index & ((1 << self.slice_bits) - 1)) as u32)
    }

    fn index(&self, slice: u64, offset: u32) -> u64 {
        slice << self.slice_bits | u64::from(offset)
    }
}

impl Directory {
    /// Before slice `id` is added to `slices`.
    fn add(&mut self, slices: &BTreeMap<u64, Slice>, id: u64) {
        if self.blocks.is_none() && id >= BLOCK_SLICES {
            self.blocks = Some((4, u64::from(self.flat > 0)));
            self.flat = 0;
        }
        if let Some((capacity, entries)) = &mut self.blocks {
            if block_is_empty(slices, id) {
                if *entries == *capacity {
                    *capacity *= 2;
                }
                *entries += 1;
            }
        } else if id >= self.flat {
            self.flat = (id + 1).next_power_of_two();
        }
    }

    /// After slice `id` has been taken out of `slices`.
    fn remove(&mut self, slices: &BTreeMap<u64, Slice>, id: u64) {
        if let Some((_, entries)) = &mut self.blocks {
            *entries -= u64::from(block_is_empty(slices, id));
        } else if let Some((highest, _)) = slices.last_key_value() {
            self.flat = self.flat.min((highest + 1).next_power_of_two());
        }
    }
}

fn block_is_empty(slices: &BTreeMap<u64, Slice>, id: u64) -> bool {
    let first = id / BLOCK_SLICES * BLOCK_SLICES;
    slices.range(first..=first + (BLOCK_SLICES - 1)).next().is_none()
}

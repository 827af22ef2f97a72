//! A slice of an array: a sorted list of few elements, or a window of slots that grows by doubling.

use super::Limits;
use super::slot::Slot;
use crate::data::listpack::Entry;

/// The least window, where the slice has room for it.
const WINDOW_MIN: u32 = 8;

#[derive(Clone)]
pub(super) enum Slice {
    /// Offsets ascend.
    Sparse(Vec<(u32, Slot)>),
    Dense(Window),
}

/// Slots from offset `start` on. Not all are in use; `highest` is.
#[derive(Clone)]
pub(super) struct Window {
    start: u32,
    slots: Vec<Slot>,
    count: u32,
    highest: u32,
}

pub(super) type Elements<'a> = Box<dyn DoubleEndedIterator<Item = (u32, Entry<'a>)> + 'a>;

impl Slice {
    /// An empty one that is about to get its first element.
    pub fn new(offset: u32, size: u32, limits: Limits) -> Self {
        if limits.sparse_max > 0 {
            return Slice::Sparse(Vec::with_capacity(limits.sparse_max.min(4)));
        }
        let len = WINDOW_MIN.min(size);
        Slice::Dense(Window { start: offset.min(size - len), slots: empty(len), count: 0, highest: 0 })
    }

    pub fn get(&self, offset: u32) -> Option<&Slot> {
        match self {
            Slice::Sparse(list) => {
                let at = list.binary_search_by_key(&offset, |(at, _)| *at).ok()?;
                Some(&list[at].1)
            }
            Slice::Dense(window) => window.slots.get(offset.checked_sub(window.start)? as usize),
        }
    }

    /// True where there was no element.
    pub fn set(&mut self, offset: u32, slot: Slot, size: u32, limits: Limits) -> bool {
        if let Slice::Sparse(list) = self {
            let at = match list.binary_search_by_key(&offset, |(at, _)| *at) {
                Ok(at) => {
                    list[at].1 = slot;
                    return false;
                }
                Err(at) => at,
            };
            if list.len() < limits.sparse_max {
                if list.len() == list.capacity() {
                    let capacity = (2 * list.len()).clamp(list.len() + 1, limits.sparse_max);
                    list.reserve_exact(capacity - list.len());
                }
                list.insert(at, (offset, slot));
                return true;
            }
            *self = Slice::Dense(Window::of(std::mem::take(list), size));
        }
        match self {
            Slice::Dense(window) => window.set(offset, slot, size),
            Slice::Sparse(_) => unreachable!("it has just become dense"),
        }
    }

    /// How many elements went.
    pub fn remove_range(&mut self, low: u32, high: u32, limits: Limits) -> u64 {
        match self {
            Slice::Sparse(list) => {
                let first = list.partition_point(|(at, _)| *at < low);
                let last = list.partition_point(|(at, _)| *at <= high);
                list.drain(first..last).count() as u64
            }
            Slice::Dense(window) => {
                let removed = window.remove_range(low, high);
                let slots = window.slots.len();
                let few = window.count as usize <= limits.sparse_min.min(limits.sparse_max);
                if few && slots > WINDOW_MIN as usize && slots >= limits.sparse_min.saturating_mul(4) {
                    *self = Slice::Sparse(window.take_list(limits.sparse_min));
                }
                removed
            }
        }
    }

    pub fn count(&self) -> usize {
        match self {
            Slice::Sparse(list) => list.len(),
            Slice::Dense(window) => window.count as usize,
        }
    }

    /// The highest offset in use; the slice must not be empty.
    pub fn highest(&self) -> u32 {
        match self {
            Slice::Sparse(list) => list.last().map_or(0, |(at, _)| *at),
            Slice::Dense(window) => window.highest,
        }
    }

    pub fn is_dense(&self) -> bool {
        matches!(self, Slice::Dense(_))
    }

    /// Room there is for elements without growing.
    pub fn slots(&self) -> usize {
        match self {
            Slice::Sparse(list) => list.capacity(),
            Slice::Dense(window) => window.slots.len(),
        }
    }

    pub fn heap_bytes(&self) -> usize {
        const SAMPLES: usize = 64;
        match self {
            Slice::Sparse(list) => {
                let outside: usize = list.iter().take(SAMPLES).map(|(_, slot)| slot.heap_bytes()).sum();
                list.capacity() * 24 + super::super::scaled(outside, list.len().min(SAMPLES), list.len())
            }
            Slice::Dense(window) => {
                let outside: usize = window.slots.iter().take(SAMPLES).map(Slot::heap_bytes).sum();
                let slots = window.slots.len();
                window.slots.capacity() * 16 + super::super::scaled(outside, slots.min(SAMPLES), slots)
            }
        }
    }

    /// The elements with offsets from `low` to `high`.
    pub fn iter(&self, low: u32, high: u32) -> Elements<'_> {
        match self {
            Slice::Sparse(list) => {
                let first = list.partition_point(|(at, _)| *at < low);
                let last = list.partition_point(|(at, _)| *at <= high);
                let part = &list[first..last];
                Box::new(part.iter().filter_map(|(at, slot)| Some((*at, slot.entry()?))))
            }
            Slice::Dense(window) => {
                let (first, last) = window.places(low, high);
                let part = window.slots[first..last].iter().enumerate();
                let start = window.start + first as u32;
                Box::new(part.filter_map(move |(at, slot)| Some((start + at as u32, slot.entry()?))))
            }
        }
    }
}

fn empty(len: u32) -> Vec<Slot> {
    vec![Slot::Empty; len as usize]
}

impl Window {
    /// The least window around all elements of a list, which must not be empty.
    fn of(list: Vec<(u32, Slot)>, size: u32) -> Self {
        let lowest = list.first().map_or(0, |(at, _)| *at);
        let highest = list.last().map_or(0, |(at, _)| *at);
        let len = (highest - lowest + 1).next_power_of_two().max(WINDOW_MIN).min(size);
        let start = lowest.min(size - len);
        let mut window = Window { start, slots: empty(len), count: list.len() as u32, highest };
        for (at, slot) in list {
            window.slots[(at - start) as usize] = slot;
        }
        window
    }

    fn set(&mut self, offset: u32, slot: Slot, size: u32) -> bool {
        if offset < self.start {
            self.grow_left(offset, size);
        } else if offset - self.start >= self.slots.len() as u32 {
            self.grow_right(offset, size);
        }
        let place = &mut self.slots[(offset - self.start) as usize];
        let is_new = place.is_empty();
        *place = slot;
        self.count += u32::from(is_new);
        self.highest = if self.count == 1 { offset } else { self.highest.max(offset) };
        is_new
    }

    fn grow_right(&mut self, offset: u32, size: u32) {
        let mut len = self.slots.len() as u32;
        while offset - self.start >= len && len < size {
            len = (2 * len).min(size);
        }
        self.move_to(self.start.min(size - len), len);
    }

    /// What is there stays at the window's right end, so that more elements to the left find room.
    fn grow_left(&mut self, offset: u32, size: u32) {
        let end = self.start + self.slots.len() as u32;
        let len = (end - offset).next_power_of_two().max(WINDOW_MIN).min(size);
        self.move_to(end.saturating_sub(len), len);
    }

    fn move_to(&mut self, start: u32, len: u32) {
        let shift = (self.start - start) as usize;
        if shift == 0 {
            self.slots.reserve_exact(len as usize - self.slots.len());
            self.slots.resize(len as usize, Slot::Empty);
            return;
        }
        let mut slots = empty(len);
        for (to, from) in slots[shift..].iter_mut().zip(self.slots.drain(..)) {
            *to = from;
        }
        (self.start, self.slots) = (start, slots);
    }

    /// Which slots are those of the offsets from `low` to `high`.
    fn places(&self, low: u32, high: u32) -> (usize, usize) {
        let first = (low.saturating_sub(self.start) as usize).min(self.slots.len());
        let end = (high + 1).saturating_sub(self.start) as usize;
        (first, end.clamp(first, self.slots.len()))
    }

    fn remove_range(&mut self, low: u32, high: u32) -> u64 {
        let (first, last) = self.places(low, high);
        let mut removed = 0;
        for slot in &mut self.slots[first..last] {
            removed += u32::from(!slot.is_empty());
            *slot = Slot::Empty;
        }
        self.count -= removed;
        if self.count > 0 && (low..=high).contains(&self.highest) {
            let highest = self.slots.iter().rposition(|slot| !slot.is_empty());
            self.highest = self.start + highest.unwrap_or(0) as u32;
        }
        u64::from(removed)
    }

    fn take_list(&mut self, capacity: usize) -> Vec<(u32, Slot)> {
        let mut list = Vec::with_capacity(capacity.max(self.count as usize));
        for (at, slot) in self.slots.drain(..).enumerate() {
            if !slot.is_empty() {
                list.push((self.start + at as u32, slot));
            }
        }
        list
    }
}

//! An intset: distinct integers, sorted, all of one width, exactly as Redis lays them out.
//!
//! Format: width in bytes (u32), count (u32), then the integers; everything little-endian. RDB files and DUMP
//! payloads carry these bytes. This file must not know what a set is for.

use std::ops::Range;

const HEADER: usize = 8;

/// The bytes given to [`Intset::from_bytes`] are not an intset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corrupt;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Width {
    Two = 2,
    Four = 4,
    Eight = 8,
}

impl Width {
    fn of(value: i64) -> Self {
        if i16::try_from(value).is_ok() {
            Width::Two
        } else if i32::try_from(value).is_ok() {
            Width::Four
        } else {
            Width::Eight
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intset {
    bytes: Vec<u8>,
    width: Width,
}

impl Default for Intset {
    fn default() -> Self {
        Self::new()
    }
}

impl Intset {
    pub fn new() -> Self {
        let mut this = Intset { bytes: vec![0; HEADER], width: Width::Two };
        this.write_header();
        this
    }

    /// Takes over bytes of a DUMP payload or an RDB file: width, length and order are checked. An intset of nothing
    /// passes. O(n).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Corrupt> {
        let word =
            |at: usize| -> Option<u32> { Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?)) };
        let width = match word(0) {
            Some(2) => Width::Two,
            Some(4) => Width::Four,
            Some(8) => Width::Eight,
            _ => return Err(Corrupt),
        };
        let count = word(4).ok_or(Corrupt)?;
        if bytes.len() as u64 != HEADER as u64 + u64::from(count) * width as u64 {
            return Err(Corrupt);
        }
        let this = Intset { bytes: bytes.to_vec(), width };
        if (1..this.len()).any(|index| this.at(index - 1) >= this.at(index)) {
            return Err(Corrupt);
        }
        Ok(this)
    }

    /// The intset as RDB files hold it. O(1).
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn len(&self) -> usize {
        (self.bytes.len() - HEADER) / self.width as usize
    }

    pub fn is_empty(&self) -> bool {
        self.bytes.len() == HEADER
    }

    pub fn heap_bytes(&self) -> usize {
        self.bytes.capacity()
    }

    /// The integer with this index in ascending order. O(1).
    pub fn get(&self, index: usize) -> Option<i64> {
        (index < self.len()).then(|| self.at(index))
    }

    pub fn min(&self) -> Option<i64> {
        self.get(0)
    }

    pub fn max(&self) -> Option<i64> {
        self.get(self.len().wrapping_sub(1))
    }

    /// O(log n).
    pub fn contains(&self, value: i64) -> bool {
        self.search(value).is_ok()
    }

    /// Says whether the integer is new. O(n), O(log n) to find out.
    pub fn insert(&mut self, value: i64) -> bool {
        let Err(index) = self.search(value) else { return false };
        self.widen(Width::of(value));
        let width = self.width as usize;
        let at = HEADER + index * width;
        let old_len = self.bytes.len();
        if self.bytes.capacity() - old_len < width {
            self.bytes.reserve_exact(width + old_len / 8);
        }
        self.bytes.extend_from_slice(&value.to_le_bytes()[..width]);
        if at < old_len {
            self.bytes.copy_within(at..old_len, at + width);
            self.put(index, value);
        }
        self.write_header();
        true
    }

    /// Says whether the integer was there. The width stays, as in Redis. O(n).
    pub fn remove(&mut self, value: i64) -> bool {
        let Ok(index) = self.search(value) else { return false };
        self.remove_range(index..index + 1);
        true
    }

    /// Removes the integers with these indexes. O(n).
    pub fn remove_range(&mut self, range: Range<usize>) {
        let width = self.width as usize;
        self.bytes.drain(HEADER + range.start * width..HEADER + range.end * width);
        if self.bytes.capacity() > 2 * self.bytes.len() + 64 {
            self.bytes.shrink_to_fit();
        }
        self.write_header();
    }

    /// The integers in ascending order, from either end.
    pub fn iter(&self) -> Iter<'_> {
        Iter { set: self, range: 0..self.len() }
    }

    fn search(&self, value: i64) -> Result<usize, usize> {
        let len = self.len();
        if len == 0 || value > self.at(len - 1) {
            return Err(len); // Ascending insertion is the common case.
        }
        let (mut low, mut high) = (0, len);
        while low < high {
            let middle = low + (high - low) / 2;
            let found = self.at(middle);
            if found == value {
                return Ok(middle);
            }
            if found < value {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Err(low)
    }

    #[inline]
    fn at(&self, index: usize) -> i64 {
        let width = self.width as usize;
        let bytes = &self.bytes[HEADER + index * width..][..width];
        match self.width {
            Width::Two => i64::from(i16::from_le_bytes([bytes[0], bytes[1]])),
            Width::Four => i64::from(i32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])),
            Width::Eight => i64::from_le_bytes(bytes.try_into().expect("eight bytes were cut out")),
        }
    }

    fn put(&mut self, index: usize, value: i64) {
        let width = self.width as usize;
        self.bytes[HEADER + index * width..][..width].copy_from_slice(&value.to_le_bytes()[..width]);
    }

    fn widen(&mut self, width: Width) {
        if width <= self.width {
            return;
        }
        let mut bytes = Vec::with_capacity(HEADER + (self.len() + 1) * width as usize);
        bytes.extend_from_slice(&self.bytes[..HEADER]);
        for value in self.iter() {
            bytes.extend_from_slice(&value.to_le_bytes()[..width as usize]);
        }
        self.bytes = bytes;
        self.width = width;
    }

    fn write_header(&mut self) {
        let count = self.len() as u32;
        self.bytes[..4].copy_from_slice(&(self.width as u32).to_le_bytes());
        self.bytes[4..HEADER].copy_from_slice(&count.to_le_bytes());
    }
}

/// Integers of an intset, from either end.
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    set: &'a Intset,
    range: Range<usize>,
}

impl Iterator for Iter<'_> {
    type Item = i64;

    #[inline]
    fn next(&mut self) -> Option<i64> {
        self.range.next().map(|index| self.set.at(index))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.range.size_hint()
    }
}

impl DoubleEndedIterator for Iter<'_> {
    fn next_back(&mut self) -> Option<i64> {
        self.range.next_back().map(|index| self.set.at(index))
    }
}

impl ExactSizeIterator for Iter<'_> {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn bytes_are_those_of_redis() {
        let mut set = Intset::new();
        for value in [5, -1, 300] {
            assert!(set.insert(value));
        }
        assert_eq!(set.bytes(), b"\x02\0\0\0\x03\0\0\0\xff\xff\x05\0\x2c\x01");
        assert!(set.insert(-70_000));
        assert_eq!(set.bytes()[..12], *b"\x04\0\0\0\x04\0\0\0\x90\xee\xfe\xff");
        assert!(set.remove(-70_000));
        assert_eq!(set.bytes().len(), HEADER + 12, "the width never shrinks");
    }

    #[test]
    fn behaves_like_a_sorted_set_of_integers() {
        let mut state = 7u64;
        let mut next = move || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            state >> 20
        };
        for round in 0..60 {
            let (mut set, mut model) = (Intset::new(), BTreeSet::new());
            for _ in 0..200 {
                let shift = [0, 12, 28][round % 3] * (next() % 2) as u32;
                let value = ((next() % 40) as i64 - 20) << shift;
                if next().is_multiple_of(3) {
                    assert_eq!(set.remove(value), model.remove(&value));
                } else {
                    assert_eq!(set.insert(value), model.insert(value));
                }
                assert_eq!(set.contains(value), model.contains(&value));
                assert_eq!(set.len(), model.len());
            }
            assert!(set.iter().eq(model.iter().copied()));
            assert_eq!(Intset::from_bytes(set.bytes()), Ok(set.clone()));
        }
        let mut ends = Intset::new();
        assert!(ends.insert(i64::MAX) && ends.insert(i64::MIN) && !ends.insert(i64::MIN));
        assert_eq!((ends.min(), ends.max()), (Some(i64::MIN), Some(i64::MAX)));
    }

    #[test]
    fn refuses_what_is_no_intset() {
        for bytes in [
            &b""[..],
            b"\x02\0\0\0\x01\0\0",
            b"\x03\0\0\0\x01\0\0\0\0\0\0",
            b"\x02\0\0\0\x02\0\0\0\x01\0",
            b"\x02\0\0\0\x02\0\0\0\x01\0\x01\0",
            b"\x02\0\0\0\x02\0\0\0\x02\0\x01\0",
            b"\x08\0\0\0\xff\xff\xff\xff\x02\0\x01\0",
        ] {
            assert_eq!(Intset::from_bytes(bytes), Err(Corrupt));
        }
    }
}

//! A listpack: a sequence of integers and short strings in one run of bytes, exactly as Redis lays it out.
//!
//! Format: <https://github.com/antirez/listpack/blob/master/listpack.md>. The bytes are what RDB files and DUMP
//! payloads carry, and their number is what Redis compares with its thresholds, so both are kept to the byte.
//! This file must not know which type uses the listpack or what an entry means.
//!
//! A gap before the first byte makes pushing and popping at the front as cheap as at the back.

use crate::data::number::{Text, i64_text, parse_i64};

mod format;

pub use format::entry_size_bytes;
use format::{
    COUNT_UNKNOWN, END, HEADER, backlen_len, decode, encode, encoded_len, start_of_entry_before, total_len,
    validate, write_backlen,
};

/// Redis refuses to grow a listpack beyond this.
pub const SIZE_MAX_BYTES: usize = 1 << 30;

/// An element of a listpack. Strings that are the canonical text of an `i64` are held as `Int`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry<'a> {
    Int(i64),
    Bytes(&'a [u8]),
}

impl<'a> Entry<'a> {
    /// What a listpack would hold for this string. O(1).
    pub fn of(value: &'a [u8]) -> Self {
        match parse_i64(value) {
            Some(number) => Entry::Int(number),
            None => Entry::Bytes(value),
        }
    }

    /// The element's text; an integer's digits are written into `text`.
    pub fn bytes<'b>(self, text: &'b mut Text) -> &'b [u8]
    where
        'a: 'b,
    {
        match self {
            Entry::Bytes(bytes) => bytes,
            Entry::Int(number) => {
                *text = i64_text(number);
                text
            }
        }
    }

    pub fn to_vec(self) -> Vec<u8> {
        match self {
            Entry::Bytes(bytes) => bytes.to_vec(),
            Entry::Int(number) => i64_text(number).to_vec(),
        }
    }

    pub fn append_to(self, out: &mut Vec<u8>) {
        match self {
            Entry::Bytes(bytes) => out.extend_from_slice(bytes),
            Entry::Int(number) => out.extend_from_slice(&i64_text(number)),
        }
    }

    /// The integer this element is the text of, as INCR understands integers.
    pub fn as_i64(self) -> Option<i64> {
        match self {
            Entry::Int(number) => Some(number),
            Entry::Bytes(bytes) => parse_i64(bytes),
        }
    }

    /// Length of the element's text in bytes.
    pub fn text_len(self) -> usize {
        match self {
            Entry::Bytes(bytes) => bytes.len(),
            Entry::Int(number) => i64_text(number).len(),
        }
    }

    pub fn equals(self, value: &[u8]) -> bool {
        Needle::new(value).matches(self)
    }
}

/// A string to compare many elements with, parsed once.
#[derive(Clone, Copy)]
pub struct Needle<'a> {
    bytes: &'a [u8],
    number: Option<i64>,
}

impl<'a> Needle<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Needle { bytes, number: parse_i64(bytes) }
    }

    #[inline]
    pub fn matches(&self, entry: Entry<'_>) -> bool {
        match entry {
            Entry::Int(number) => self.number == Some(number),
            Entry::Bytes(bytes) => bytes == self.bytes,
        }
    }
}

/// The bytes given to [`Listpack::from_bytes`] are not a listpack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corrupt;

/// A position is a byte offset into [`Listpack::bytes`], valid until the next change at or before it.
pub type Position = usize;

/// `buffer[start..]` is the listpack; what precedes it is the gap.
#[derive(Debug)]
pub struct Listpack {
    buffer: Vec<u8>,
    start: u32,
    len: u32,
}

impl Default for Listpack {
    fn default() -> Self {
        Self::new()
    }
}

impl Clone for Listpack {
    /// A copy without the room for growth.
    fn clone(&self) -> Self {
        Listpack { buffer: self.bytes().to_vec(), start: 0, len: self.len }
    }
}

impl PartialEq for Listpack {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for Listpack {}

impl Listpack {
    pub fn new() -> Self {
        Self::with_capacity(0)
    }

    /// An empty listpack with room for `entries_bytes` of encoded elements.
    pub fn with_capacity(entries_bytes: usize) -> Self {
        let mut buffer = Vec::with_capacity(HEADER + entries_bytes + 1);
        buffer.extend_from_slice(&[HEADER as u8 + 1, 0, 0, 0, 0, 0, END]);
        Listpack { buffer, start: 0, len: 0 }
    }

    /// Takes over bytes of a DUMP payload or an RDB file after checking every element. O(n), never panics.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Corrupt> {
        let len = validate(bytes)?;
        Ok(Listpack { buffer: bytes.to_vec(), start: 0, len })
    }

    /// The listpack as RDB files hold it. O(1).
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[self.start as usize..]
    }

    /// Size of [`Self::bytes`], which Redis compares with its thresholds.
    #[inline]
    pub fn size_bytes(&self) -> usize {
        self.buffer.len() - self.start as usize
    }

    /// Number of elements. O(1).
    #[inline]
    pub fn len(&self) -> usize {
        self.len as usize
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn heap_bytes(&self) -> usize {
        self.buffer.capacity()
    }

    // Walking.

    #[inline]
    pub fn first(&self) -> Option<Position> {
        (self.len > 0).then_some(HEADER)
    }

    pub fn last(&self) -> Option<Position> {
        self.prev(self.end())
    }

    /// The position after the last element: inserting there appends.
    #[inline]
    pub fn end(&self) -> Position {
        self.size_bytes() - 1
    }

    #[inline]
    pub fn next(&self, at: Position) -> Option<Position> {
        let next = at + total_len(self.bytes(), at);
        (next < self.end()).then_some(next)
    }

    #[inline]
    pub fn prev(&self, at: Position) -> Option<Position> {
        (at > HEADER).then(|| start_of_entry_before(self.bytes(), at))
    }

    /// The element at a position obtained from this listpack.
    #[inline]
    pub fn get(&self, at: Position) -> Entry<'_> {
        decode(self.bytes(), at)
    }

    /// Position of the element with this index; negative indexes count from the back. O(n), from the nearer end.
    pub fn seek(&self, index: i64) -> Option<Position> {
        let len = i64::from(self.len);
        let index = if index < 0 { index + len } else { index };
        if index < 0 || index >= len {
            return None;
        }
        let bytes = self.bytes();
        if index <= len / 2 {
            let mut at = HEADER;
            for _ in 0..index {
                at += total_len(bytes, at);
            }
            Some(at)
        } else {
            let mut at = self.end();
            for _ in index..len {
                at = start_of_entry_before(bytes, at);
            }
            Some(at)
        }
    }

    /// The element with this index; negative indexes count from the back. O(n).
    pub fn get_index(&self, index: i64) -> Option<Entry<'_>> {
        self.seek(index).map(|at| self.get(at))
    }

    /// First element equal to `value` at `from` or later, looking at every `1 + skip`-th element only. O(n).
    pub fn find(&self, from: Position, value: &[u8], skip: usize) -> Option<Position> {
        let needle = Needle::new(value);
        let bytes = self.bytes();
        let end = self.end();
        let mut at = from;
        while at < end {
            if needle.matches(decode(bytes, at)) {
                return Some(at);
            }
            for _ in 0..=skip {
                if at >= end {
                    return None;
                }
                at += total_len(bytes, at);
            }
        }
        None
    }

    /// All elements, from either end.
    pub fn iter(&self) -> Iter<'_> {
        Iter { bytes: self.bytes(), front: HEADER, back: self.end(), remaining: self.len() }
    }

    /// The elements from index `skip` on; backwards it still ends at `skip`. O(n) to start.
    pub fn iter_from(&self, skip: usize) -> Iter<'_> {
        let front = self.seek(skip as i64).unwrap_or(self.end());
        Iter { bytes: self.bytes(), front, back: self.end(), remaining: self.len().saturating_sub(skip) }
    }

    /// The first `len` elements, from either end. O(n) to start.
    pub fn iter_to(&self, len: usize) -> Iter<'_> {
        let back = self.seek(len as i64).unwrap_or(self.end());
        Iter { bytes: self.bytes(), front: HEADER, back, remaining: self.len().min(len) }
    }

    // Changing.

    /// O(1) amortised.
    pub fn push_back(&mut self, value: &[u8]) {
        self.insert_entry(self.end(), Entry::of(value));
    }

    /// O(1) amortised.
    pub fn push_front(&mut self, value: &[u8]) {
        self.insert_entry(HEADER, Entry::of(value));
    }

    pub fn push_back_int(&mut self, number: i64) {
        self.insert_entry(self.end(), Entry::Int(number));
    }

    pub fn push_front_int(&mut self, number: i64) {
        self.insert_entry(HEADER, Entry::Int(number));
    }

    /// Inserts before the element at `at`, or at the back when `at` is [`Self::end`]. O(n).
    pub fn insert(&mut self, at: Position, value: &[u8]) {
        self.insert_entry(at, Entry::of(value));
    }

    /// [`Self::insert`] of an integer, or of a string known not to be one. Returns the position after it.
    pub fn insert_entry(&mut self, at: Position, entry: Entry<'_>) -> Position {
        let encoded = encoded_len(entry);
        let total = encoded + backlen_len(encoded);
        self.open(at, total);
        self.write_entry(at, entry, encoded);
        self.len += 1;
        self.write_header();
        at + total
    }

    /// Puts another element in the place of the one at `at`; `at` stays its position. O(n).
    pub fn replace(&mut self, at: Position, value: &[u8]) {
        self.replace_entry(at, Entry::of(value));
    }

    pub fn replace_int(&mut self, at: Position, number: i64) {
        self.replace_entry(at, Entry::Int(number));
    }

    pub fn replace_entry(&mut self, at: Position, entry: Entry<'_>) {
        let old = total_len(self.bytes(), at);
        let encoded = encoded_len(entry);
        let new = encoded + backlen_len(encoded);
        if new > old {
            self.open_behind(at + old, new - old);
        } else {
            self.close_behind(at + new, old - new);
        }
        self.write_entry(at, entry, encoded);
        self.write_header();
        self.shrink_if_loose();
    }

    /// Removes the element at `at`, which becomes the position of the next one (or the end). O(n), O(1) at both ends.
    pub fn remove(&mut self, at: Position) {
        self.remove_many(at, 1);
    }

    /// Removes up to `count` elements from `at` on. O(n).
    pub fn remove_many(&mut self, at: Position, count: usize) {
        let (mut to, mut removed) = (at, 0u32);
        while (removed as usize) < count && to < self.end() {
            to += total_len(self.bytes(), to);
            removed += 1;
        }
        if removed > 0 {
            self.remove_span(at, to, removed);
        }
    }

    /// Removes up to `count` elements from index `index` on; negative indexes count from the back. O(n).
    pub fn remove_range(&mut self, index: i64, count: usize) {
        if let Some(at) = self.seek(index) {
            self.remove_many(at, count);
        }
    }

    pub fn clear(&mut self) {
        *self = Self::new();
    }

    /// Removes the elements for which `keep` says no. O(n).
    pub fn retain(&mut self, mut keep: impl FnMut(Entry<'_>) -> bool) {
        let end = self.end();
        let (mut read, mut write, mut kept) = (HEADER, HEADER, 0);
        let start = self.start as usize;
        while read < end {
            let total = total_len(self.bytes(), read);
            if keep(self.get(read)) {
                if read != write {
                    self.buffer.copy_within(start + read..start + read + total, start + write);
                }
                write += total;
                kept += 1;
            }
            read += total;
        }
        self.buffer.truncate(start + write);
        self.buffer.push(END);
        self.len = kept;
        self.write_header();
        self.shrink_if_loose();
    }

    /// Keeps the first `index` elements and returns the others. O(n).
    pub fn split_off(&mut self, index: usize) -> Listpack {
        let at = self.seek(index as i64).unwrap_or(self.end());
        let tail = &self.bytes()[at..self.end()];
        let mut other = Listpack::with_capacity(tail.len());
        other.buffer.truncate(HEADER);
        other.buffer.extend_from_slice(tail);
        other.buffer.push(END);
        let kept = index.min(self.len()) as u32;
        other.len = self.len - kept;
        other.write_header();
        self.buffer.truncate(self.start as usize + at);
        self.buffer.push(END);
        self.len = kept;
        self.write_header();
        self.shrink_if_loose();
        other
    }

    /// Adds all elements of `other` at the back. O(n).
    pub fn append(&mut self, other: &Listpack) {
        let entries = &other.bytes()[HEADER..other.end()];
        let at = self.end();
        self.open(at, entries.len());
        let from = self.start as usize + at;
        self.buffer[from..from + entries.len()].copy_from_slice(entries);
        self.len += other.len;
        self.write_header();
    }

    fn remove_span(&mut self, from: Position, to: Position, removed: u32) {
        if from == HEADER {
            self.start += (to - from) as u32;
        } else {
            self.close_behind(from, to - from);
        }
        self.len -= removed;
        self.write_header();
        self.shrink_if_loose();
    }

    /// Opens `count` bytes at `at`, at the front by taking them from the gap.
    fn open(&mut self, at: Position, count: usize) {
        if at != HEADER || self.len == 0 {
            return self.open_behind(at, count);
        }
        if (self.start as usize) < count {
            let size = self.size_bytes();
            let spare = (self.buffer.capacity() - self.buffer.len()).min(count + size / 4 + 4);
            self.relocate(roomy(size + count + spare) - size - spare, spare);
        }
        self.start -= count as u32;
    }

    /// Opens `count` bytes at `at` by moving what follows.
    fn open_behind(&mut self, at: Position, count: usize) {
        let size = self.size_bytes();
        if self.buffer.capacity() - self.buffer.len() < count {
            if self.start as usize >= count + size / 4 {
                self.close_gap();
            } else {
                let gap = self.start as usize;
                self.relocate(gap, roomy(gap + size + count) - gap - size);
            }
        }
        let start = self.start as usize;
        let old_len = self.buffer.len();
        self.buffer.resize(old_len + count, END);
        self.buffer.copy_within(start + at..old_len, start + at + count);
    }

    /// Takes out `count` bytes at `at` by moving what follows.
    fn close_behind(&mut self, at: Position, count: usize) {
        let from = self.start as usize + at;
        self.buffer.copy_within(from + count.., from);
        self.buffer.truncate(self.buffer.len() - count);
    }

    fn close_gap(&mut self) {
        let start = self.start as usize;
        self.buffer.copy_within(start.., 0);
        self.buffer.truncate(self.buffer.len() - start);
        self.start = 0;
    }

    /// Moves to a new allocation with the given room before and after.
    fn relocate(&mut self, gap: usize, spare: usize) {
        let mut buffer = Vec::with_capacity(gap + self.size_bytes() + spare);
        buffer.resize(gap, 0);
        buffer.extend_from_slice(self.bytes());
        self.buffer = buffer;
        self.start = gap as u32;
    }

    /// Room to grow by so many bytes at one end, none at the other. O(n).
    pub fn reserve(&mut self, front: usize, back: usize) {
        self.relocate(front, back);
    }

    /// Gives back the room to grow that an allocator would take back. O(n).
    pub fn shrink_to_fit(&mut self) {
        if self.buffer.capacity() > roomy(self.size_bytes()) {
            self.relocate(0, 0);
        }
    }

    fn shrink_if_loose(&mut self) {
        let size = self.size_bytes();
        if self.buffer.capacity() > 2 * size + 64 {
            self.relocate(0, roomy(size + 1) - size);
        }
    }

    fn write_header(&mut self) {
        let size = self.size_bytes() as u32;
        let count = u16::try_from(self.len).unwrap_or(COUNT_UNKNOWN);
        let header = &mut self.buffer[self.start as usize..][..HEADER];
        header[..4].copy_from_slice(&size.to_le_bytes());
        header[4..].copy_from_slice(&count.to_le_bytes());
    }

    fn write_entry(&mut self, at: Position, entry: Entry<'_>, encoded: usize) {
        let from = self.start as usize + at;
        encode(entry, &mut self.buffer[from..from + encoded]);
        write_backlen(encoded, &mut self.buffer[from + encoded..][..backlen_len(encoded)]);
    }
}

/// The size to ask for where so much is needed. Allocators keep about four sizes an octave; what is lost between
/// them serves as room to grow here.
fn roomy(needed: usize) -> usize {
    let octave = needed.max(64).ilog2();
    needed.next_multiple_of(1 << (octave - 2))
}

/// Elements of a listpack, from either end.
#[derive(Clone)]
pub struct Iter<'a> {
    bytes: &'a [u8],
    front: Position,
    back: Position,
    remaining: usize,
}

impl<'a> Iterator for Iter<'a> {
    type Item = Entry<'a>;

    #[inline]
    fn next(&mut self) -> Option<Entry<'a>> {
        if self.front >= self.back {
            return None;
        }
        let entry = decode(self.bytes, self.front);
        self.front += total_len(self.bytes, self.front);
        self.remaining -= 1;
        Some(entry)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.remaining, Some(self.remaining))
    }
}

impl<'a> DoubleEndedIterator for Iter<'a> {
    #[inline]
    fn next_back(&mut self) -> Option<Entry<'a>> {
        if self.front >= self.back {
            return None;
        }
        self.back = start_of_entry_before(self.bytes, self.back);
        self.remaining -= 1;
        Some(decode(self.bytes, self.back))
    }
}

impl ExactSizeIterator for Iter<'_> {}

#[cfg(test)]
mod tests;

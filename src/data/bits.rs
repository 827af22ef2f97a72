//! Strings as rows of bits, the first being the highest of the first byte: counting, finding, fields of any width,
//! and combining. Beyond its end a string is zeros. This file must not know keys or commands.

use std::ops::Range;

/// The bit at this offset. O(1).
pub fn get(bytes: &[u8], offset: u64) -> bool {
    let byte = usize::try_from(offset / 8).ok().and_then(|at| bytes.get(at));
    byte.is_some_and(|byte| byte >> (7 - offset % 8) & 1 == 1)
}

/// Sets a bit within the string and returns what it was; beyond the end nothing happens. O(1).
pub fn set(bytes: &mut [u8], offset: u64, bit: bool) -> bool {
    let old = get(bytes, offset);
    if let Some(byte) = usize::try_from(offset / 8).ok().and_then(|at| bytes.get_mut(at)) {
        let mask = 0x80 >> (offset % 8);
        *byte = if bit { *byte | mask } else { *byte & !mask };
    }
    old
}

/// How many bits are set. O(n).
pub fn count(bytes: &[u8]) -> u64 {
    let mut words = bytes.chunks_exact(8);
    let mut total = 0;
    for word in &mut words {
        total += u64::from(word_of(word).count_ones());
    }
    total + words.remainder().iter().map(|byte| u64::from(byte.count_ones())).sum::<u64>()
}

/// How many bits of a range of offsets are set. O(n).
pub fn count_range(bytes: &[u8], offsets: Range<u64>) -> u64 {
    let Some(Cut { first, middle, last }) = cut(bytes, offsets) else { return 0 };
    u64::from(first.count_ones()) + count(&bytes[middle]) + u64::from(last.count_ones())
}

/// The offset of the first bit in a range that is `bit`, within the string. O(n).
pub fn find(bytes: &[u8], bit: bool, offsets: Range<u64>) -> Option<u64> {
    let end = offsets.end.min(bytes.len() as u64 * 8);
    let mut at = offsets.start;
    while at < end && !at.is_multiple_of(8) {
        if get(bytes, at) == bit {
            return Some(at);
        }
        at += 1;
    }
    if at >= end {
        return None;
    }
    let dull = if bit { 0x00 } else { 0xff };
    let dull_word = if bit { 0 } else { u64::MAX };
    let start = (at / 8) as usize;
    let bytes = &bytes[start..end.div_ceil(8) as usize];
    let dull_words = bytes.chunks_exact(8).take_while(|word| word_of(word) == dull_word).count();
    let found = bytes.iter().skip(dull_words * 8).position(|&byte| byte != dull)? + dull_words * 8;
    let inside = if bit { bytes[found].leading_zeros() } else { bytes[found].leading_ones() };
    let offset = (start + found) as u64 * 8 + u64::from(inside);
    (offset < end).then_some(offset)
}

/// BITOP's operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    And,
    Or,
    Xor,
    /// Of the first string alone.
    Not,
    /// Set in the first and in no other.
    Diff,
    /// Set in some other, but not in the first.
    Diff1,
    /// Set in the first and in some other.
    AndOr,
    /// Set in exactly one.
    One,
}

/// Combines strings, as long as the longest. O(n) in all of them.
pub fn combine(operation: Operation, sources: &[&[u8]]) -> Vec<u8> {
    const BLOCK: usize = 4096;
    let Some((first, others)) = sources.split_first() else { return Vec::new() };
    let len = sources.iter().map(|source| source.len()).max().unwrap_or(0);
    let mut result = vec![0; len];
    // A block of everything at a time stays in the cache.
    for (number, out) in result.chunks_mut(BLOCK).enumerate() {
        let start = number * BLOCK;
        let block = |source: &[u8], into: &mut [u8; BLOCK]| {
            let part = source.get(start..).unwrap_or_default();
            let part = &part[..part.len().min(out.len())];
            into[..part.len()].copy_from_slice(part);
            into[part.len()..].fill(0);
        };
        let (mut all, mut other, mut some) = ([0; BLOCK], [0; BLOCK], [0; BLOCK]);
        block(first, &mut all);
        for source in others {
            block(source, &mut other);
            match operation {
                Operation::And => zip(&mut all, &other, |left, right| left & right),
                Operation::Xor => zip(&mut all, &other, |left, right| left ^ right),
                Operation::Or => zip(&mut all, &other, |left, right| left | right),
                Operation::Not => {}
                Operation::Diff | Operation::Diff1 | Operation::AndOr => {
                    zip(&mut some, &other, |left, right| left | right);
                }
                // `some` are the bits seen, `all` those seen an odd number of times: twice rules out.
                Operation::One => {
                    let seen_before = all;
                    zip(&mut all, &other, |left, right| left | right);
                    zip(&mut other, &seen_before, |left, right| left & right);
                    zip(&mut some, &other, |left, right| left | right);
                }
            }
        }
        match operation {
            Operation::Not => all.iter_mut().for_each(|byte| *byte = !*byte),
            Operation::Diff | Operation::One => zip(&mut all, &some, |left, right| left & !right),
            Operation::Diff1 => zip(&mut all, &some, |left, right| !left & right),
            Operation::AndOr => zip(&mut all, &some, |left, right| left & right),
            Operation::And | Operation::Or | Operation::Xor => {}
        }
        let len = out.len();
        out.copy_from_slice(&all[..len]);
    }
    result
}

/// The type of a bit field: `i1` to `i64`, `u1` to `u63`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    signed: bool,
    bits: u32,
}

/// What becomes of a value that does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overflow {
    Wrap,
    Saturate,
    Fail,
}

impl Field {
    pub fn parse(text: &[u8]) -> Option<Self> {
        let (signed, digits) = match text {
            [b'i', digits @ ..] => (true, digits),
            [b'u', digits @ ..] => (false, digits),
            _ => return None,
        };
        let bits = super::number::parse_i64(digits)?;
        let bits_max = if signed { 64 } else { 63 };
        (1..=bits_max).contains(&bits).then_some(Field { signed, bits: bits as u32 })
    }

    pub fn bits(self) -> u32 {
        self.bits
    }

    pub fn is_signed(self) -> bool {
        self.signed
    }

    /// The field that starts at this offset. O(1).
    pub fn read(self, bytes: &[u8], offset: u64) -> i64 {
        let mut word = 0u128;
        let start = offset / 8;
        for at in start..start + 9 {
            let byte = usize::try_from(at).ok().and_then(|at| bytes.get(at));
            word = word << 8 | u128::from(byte.copied().unwrap_or(0));
        }
        let raw = word >> (72 - (offset % 8) as u32 - self.bits);
        self.wrapped(raw as u64)
    }

    /// Writes the low bits of a value; bits beyond the end of the string are lost. O(1).
    pub fn write(self, bytes: &mut [u8], offset: u64, value: i64) {
        let shift = 72 - (offset % 8) as u32 - self.bits;
        let mask = u128::from(u64::MAX >> (64 - self.bits)) << shift;
        let word = (u128::from(value as u64) << shift) & mask;
        let Ok(start) = usize::try_from(offset / 8) else { return };
        for (index, byte) in bytes.iter_mut().skip(start).take(9).enumerate() {
            let low = 64 - 8 * index;
            *byte = *byte & !((mask >> low) as u8) | (word >> low) as u8;
        }
    }

    /// The value SET writes. Nothing if it is to fail. As in Redis an unsigned field takes a negative value for a
    /// very large one.
    pub fn fit(self, value: i64, overflow: Overflow) -> Option<i64> {
        let value = if self.signed { i128::from(value) } else { i128::from(value as u64) };
        self.limited(value, overflow)
    }

    /// The value INCRBY writes. Nothing if it is to fail.
    pub fn increase(self, old: i64, by: i64, overflow: Overflow) -> Option<i64> {
        self.limited(i128::from(old) + i128::from(by), overflow)
    }

    fn limited(self, value: i128, overflow: Overflow) -> Option<i64> {
        let (min, max) = if self.signed {
            (-(1i128 << (self.bits - 1)), (1i128 << (self.bits - 1)) - 1)
        } else {
            (0, (1i128 << self.bits) - 1)
        };
        match overflow {
            _ if (min..=max).contains(&value) => Some(value as i64),
            Overflow::Wrap => Some(self.wrapped(value as u64)),
            Overflow::Saturate => Some(value.clamp(min, max) as i64),
            Overflow::Fail => None,
        }
    }

    fn wrapped(self, raw: u64) -> i64 {
        let unused = 64 - self.bits;
        if self.signed { ((raw << unused) as i64) >> unused } else { (raw << unused >> unused) as i64 }
    }
}

struct Cut {
    first: u8,
    middle: Range<usize>,
    last: u8,
}

/// A range of offsets as the bytes it covers wholly, and those at its ends with what is outside masked away.
fn cut(bytes: &[u8], offsets: Range<u64>) -> Option<Cut> {
    let end = offsets.end.min(bytes.len() as u64 * 8);
    let start = offsets.start;
    if start >= end {
        return None;
    }
    let (start_byte, end_byte) = ((start / 8) as usize, (end / 8) as usize);
    let first_mask = 0xffu8 >> (start % 8);
    let last_mask = !(0xffu16 >> (end % 8)) as u8;
    if start_byte == end_byte {
        return Some(Cut { first: bytes[start_byte] & first_mask & last_mask, middle: 0..0, last: 0 });
    }
    let last = if end.is_multiple_of(8) { 0 } else { bytes[end_byte] & last_mask };
    Some(Cut { first: bytes[start_byte] & first_mask, middle: start_byte + 1..end_byte, last })
}

#[inline]
fn zip(into: &mut [u8], other: &[u8], operation: impl Fn(u8, u8) -> u8) {
    for (left, right) in into.iter_mut().zip(other) {
        *left = operation(*left, *right);
    }
}

#[inline]
fn word_of(bytes: &[u8]) -> u64 {
    u64::from_ne_bytes(bytes.try_into().expect("chunks are of eight bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(mut state: u64) -> impl FnMut() -> u64 {
        move || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            state >> 33
        }
    }

    fn bits(bytes: &[u8]) -> Vec<bool> {
        (0..bytes.len() as u64 * 8).map(|at| get(bytes, at)).collect()
    }

    #[test]
    fn counts_and_finds_like_a_row_of_bits() {
        let mut next = numbers(1);
        for round in 0..300 {
            let dull = [0x00, 0xff, 0x55][round % 3];
            let mut bytes = vec![dull; next() as usize % 40];
            for _ in 0..next() % 3 {
                let at = next() as usize % (bytes.len() + 1);
                bytes.get_mut(at).into_iter().for_each(|byte| *byte = next() as u8);
            }
            let model = bits(&bytes);
            assert_eq!(count(&bytes), model.iter().filter(|bit| **bit).count() as u64);
            for _ in 0..20 {
                let start = next() % (model.len() as u64 + 20);
                let end = next() % (model.len() as u64 + 20);
                let inside = |at: &usize| (start..end).contains(&(*at as u64));
                let ones = (0..model.len()).filter(inside).filter(|&at| model[at]).count();
                assert_eq!(count_range(&bytes, start..end), ones as u64);
                for bit in [false, true] {
                    let expected = (0..model.len()).filter(inside).find(|&at| model[at] == bit);
                    assert_eq!(find(&bytes, bit, start..end), expected.map(|at| at as u64));
                }
            }
        }
        assert_eq!((get(b"\x01", 7), get(b"\x01", 8), get(b"", u64::MAX)), (true, false, false));
        assert_eq!(find(b"\xff\xf0", false, 0..u64::MAX), Some(12));
        assert_eq!(find(b"", true, 0..u64::MAX), None);
    }

    #[test]
    fn bits_are_set() {
        let mut bytes = *b"\x00\x00";
        assert!(!set(&mut bytes, 9, true));
        assert_eq!(bytes, *b"\x00\x40");
        assert!(set(&mut bytes, 9, false));
        assert!(!set(&mut bytes, 16, true));
        assert_eq!(bytes, *b"\x00\x00");
    }

    #[test]
    fn strings_are_combined_bit_by_bit() {
        let mut next = numbers(2);
        for (operation, rule) in [
            (Operation::And, (|bits, all| bits == all) as fn(u32, u32) -> bool),
            (Operation::Or, |bits, _| bits > 0),
            (Operation::Xor, |bits, _| bits.count_ones() % 2 == 1),
            (Operation::Not, |bits, _| bits & 1 == 0),
            (Operation::Diff, |bits, _| bits == 1),
            (Operation::Diff1, |bits, _| bits & 1 == 0 && bits > 0),
            (Operation::AndOr, |bits, _| bits & 1 == 1 && bits > 1),
            (Operation::One, |bits, _| bits.count_ones() == 1),
        ] {
            for long in [30, 10_000] {
                let count = if operation == Operation::Not { 1 } else { 2 + next() % 3 };
                let sources: Vec<Vec<u8>> =
                    (0..count).map(|_| (0..next() % long).map(|_| next() as u8).collect()).collect();
                let borrowed: Vec<&[u8]> = sources.iter().map(Vec::as_slice).collect();
                let result = combine(operation, &borrowed);
                assert_eq!(result.len(), sources.iter().map(Vec::len).max().unwrap_or(0));
                for at in 0..result.len() as u64 * 8 {
                    let ones = borrowed.iter().enumerate();
                    let ones = ones.fold(0, |sum, (index, bytes)| sum | u32::from(get(bytes, at)) << index);
                    assert_eq!(get(&result, at), rule(ones, (1 << count) - 1), "{operation:?}");
                }
            }
        }
        assert!(combine(Operation::And, &[]).is_empty());
    }

    #[test]
    fn fields_are_read_and_written() {
        let mut next = numbers(3);
        for _ in 0..3000 {
            let signed = next().is_multiple_of(2);
            let field = Field { signed, bits: 1 + next() as u32 % if signed { 64 } else { 63 } };
            let mut bytes: Vec<u8> = (0..20).map(|_| next() as u8).collect();
            let (offset, before) = (next() % 80, bits(&bytes));
            let value = field.wrapped(next() << 33 ^ next());
            field.write(&mut bytes, offset, value);
            assert_eq!(field.read(&bytes, offset), value);
            for (at, bit) in before.iter().enumerate() {
                let inside = (offset..offset + u64::from(field.bits)).contains(&(at as u64));
                assert!(inside || get(&bytes, at as u64) == *bit);
            }
        }
        let field = |text: &str| Field::parse(text.as_bytes());
        assert_eq!(field("u8").map(|field| field.read(b"\xff\x80", 4)), Some(0xf8));
        assert_eq!(field("i4").map(|field| field.read(b"\x0f", 4)), Some(-1));
        assert_eq!(field("u16").map(|field| field.read(b"\x0f", 4)), Some(0xf000));
        for text in ["u64", "i65", "u0", "i0", "x8", "u", "", "u08", "U8", "i-1"] {
            assert_eq!(field(text), None, "{text}");
        }
    }

    #[test]
    fn overflow_is_handled_as_told() {
        use Overflow::*;
        let field = |text: &str| Field::parse(text.as_bytes()).expect("well-formed");
        let all =
            |text: &str, old, by| [Wrap, Saturate, Fail].map(|mode| field(text).increase(old, by, mode));
        assert_eq!(all("u8", 250, 10), [Some(4), Some(255), None]);
        assert_eq!(all("u8", 5, -10), [Some(251), Some(0), None]);
        assert_eq!(all("i8", 120, 10), [Some(-126), Some(127), None]);
        assert_eq!(all("i8", -120, -10), [Some(126), Some(-128), None]);
        assert_eq!(all("i64", i64::MAX, 1), [Some(i64::MIN), Some(i64::MAX), None]);
        assert_eq!(all("i64", i64::MIN, -1), [Some(i64::MAX), Some(i64::MIN), None]);
        assert_eq!(all("u63", i64::MAX, i64::MIN), [Some(i64::MAX), Some(0), None]);
        assert_eq!(all("u8", 1, 2), [Some(3); 3]);
        assert_eq!(
            [Wrap, Saturate, Fail].map(|mode| field("u8").fit(-1, mode)),
            [Some(255), Some(255), None]
        );
        assert_eq!([Wrap, Saturate, Fail].map(|mode| field("i4").fit(-9, mode)), [Some(7), Some(-8), None]);
    }
}

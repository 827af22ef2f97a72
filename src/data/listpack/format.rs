//! The bytes of a listpack: how an element is written, measured and read from either side, and whether bytes given by
//! a stranger are a listpack at all.

use super::{Corrupt, Entry, Position};

pub(super) const HEADER: usize = 6;
pub(super) const END: u8 = 0xFF;
/// The header's element count when there are too many to count in 16 bits.
pub(super) const COUNT_UNKNOWN: u16 = u16::MAX;

/// Size of an element in a listpack, with its back length.
pub fn entry_size_bytes(entry: Entry<'_>) -> usize {
    let encoded = encoded_len(entry);
    encoded + backlen_len(encoded)
}

/// Size of the encoding at `at` without its back length; the two numbers are its head and its payload.
#[inline]
pub(super) fn lengths(bytes: &[u8], at: Position) -> (usize, usize) {
    let first = bytes[at];
    match first {
        0..=0x7F => (1, 0),
        0x80..=0xBF => (1, usize::from(first & 0x3F)),
        0xC0..=0xDF => (1, 1),
        0xE0..=0xEF => (2, usize::from(first & 0x0F) << 8 | usize::from(bytes[at + 1])),
        0xF0 => (5, read_u32(bytes, at + 1) as usize),
        0xF1 => (1, 2),
        0xF2 => (1, 3),
        0xF3 => (1, 4),
        _ => (1, 8),
    }
}

#[inline]
pub(super) fn total_len(bytes: &[u8], at: Position) -> usize {
    let (head, payload) = lengths(bytes, at);
    head + payload + backlen_len(head + payload)
}

#[inline]
pub(super) fn read_u32(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

#[inline]
pub(super) fn decode(bytes: &[u8], at: Position) -> Entry<'_> {
    let (head, payload) = lengths(bytes, at);
    let first = bytes[at];
    let body = &bytes[at + head..at + head + payload];
    match first {
        0..=0x7F => Entry::Int(i64::from(first)),
        0xC0..=0xDF => {
            let raw = i64::from(first & 0x1F) << 8 | i64::from(body[0]);
            Entry::Int(if raw >= 1 << 12 { raw - (1 << 13) } else { raw })
        }
        0x80..=0xBF | 0xE0..=0xF0 => Entry::Bytes(body),
        _ => {
            let negative = body[payload - 1] & 0x80 != 0;
            let mut word = [if negative { 0xFF } else { 0 }; 8];
            word[..payload].copy_from_slice(body);
            Entry::Int(i64::from_le_bytes(word))
        }
    }
}

pub(super) fn encoded_len(entry: Entry<'_>) -> usize {
    match entry {
        Entry::Bytes(bytes) => match bytes.len() {
            len @ 0..64 => 1 + len,
            len @ 64..4096 => 2 + len,
            len => 5 + len,
        },
        Entry::Int(0..=127) => 1,
        Entry::Int(-4096..=4095) => 2,
        Entry::Int(-0x8000..=0x7FFF) => 3,
        Entry::Int(-0x80_0000..=0x7F_FFFF) => 4,
        Entry::Int(-0x8000_0000..=0x7FFF_FFFF) => 5,
        Entry::Int(_) => 9,
    }
}

/// Writes an element without its back length; `out` has just its length.
pub(super) fn encode(entry: Entry<'_>, out: &mut [u8]) {
    match entry {
        Entry::Bytes(bytes) => {
            let len = bytes.len();
            let head = out.len() - len;
            match head {
                1 => out[0] = 0x80 | len as u8,
                2 => out[..2].copy_from_slice(&[0xE0 | (len >> 8) as u8, len as u8]),
                _ => {
                    out[0] = 0xF0;
                    out[1..5].copy_from_slice(&(len as u32).to_le_bytes());
                }
            }
            out[head..].copy_from_slice(bytes);
        }
        Entry::Int(number) => match out.len() {
            1 => out[0] = number as u8,
            2 => {
                let raw = (number & 0x1FFF) as u16;
                out.copy_from_slice(&[0xC0 | (raw >> 8) as u8, raw as u8]);
            }
            len => {
                out[0] = [0xF1, 0xF2, 0xF3, 0xF4][(len - 3).min(3)];
                out[1..].copy_from_slice(&number.to_le_bytes()[..len - 1]);
            }
        },
    }
}

/// How many bytes tell the length of an element to one who comes from the right. The odd limits are Redis's.
#[inline]
pub(super) fn backlen_len(encoded: usize) -> usize {
    match encoded {
        0..=127 => 1,
        128..16383 => 2,
        16383..2_097_151 => 3,
        2_097_151..268_435_455 => 4,
        _ => 5,
    }
}

pub(super) fn write_backlen(encoded: usize, out: &mut [u8]) {
    let mut rest = encoded as u64;
    let last = out.len() - 1;
    for (index, byte) in out.iter_mut().enumerate().rev() {
        *byte = (rest & 0x7F) as u8 | if index == 0 { 0 } else { 0x80 };
        rest >>= 7;
    }
    debug_assert!(rest == 0 || last == 4);
}

/// The back length that ends before `at`, or nothing when it is malformed.
#[inline]
pub(super) fn read_backlen(bytes: &[u8], at: Position) -> Option<u64> {
    let mut value = 0;
    for index in 0..5 {
        let byte = *bytes.get(at.checked_sub(1 + index)?)?;
        value |= u64::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[inline]
pub(super) fn start_of_entry_before(bytes: &[u8], at: Position) -> Position {
    let encoded = read_backlen(bytes, at).expect("a listpack was validated when it was made") as usize;
    at - encoded - backlen_len(encoded)
}

/// Checks everything and counts the elements.
pub(super) fn validate(bytes: &[u8]) -> Result<u32, Corrupt> {
    if bytes.len() < HEADER + 1 || bytes.len() > super::SIZE_MAX_BYTES {
        return Err(Corrupt);
    }
    let end = bytes.len() - 1;
    if read_u32(bytes, 0) as usize != bytes.len() || bytes[end] != END {
        return Err(Corrupt);
    }
    let (mut at, mut count) = (HEADER, 0u32);
    while at < end {
        let first = bytes[at];
        let head = match first {
            0xF5..=0xFF => return Err(Corrupt),
            0xF0 => 5,
            0xE0..=0xEF => 2,
            _ => 1,
        };
        if head > end - at {
            return Err(Corrupt);
        }
        let (head, payload) = lengths(bytes, at);
        let encoded = (head as u64) + (payload as u64);
        let backlen = backlen_len(encoded.min(u64::from(u32::MAX)) as usize);
        if encoded + backlen as u64 > (end - at) as u64 {
            return Err(Corrupt);
        }
        at += encoded as usize + backlen;
        if read_backlen(bytes, at) != Some(encoded) {
            return Err(Corrupt);
        }
        count += 1;
    }
    let stored = u16::from_le_bytes([bytes[4], bytes[5]]);
    if stored != COUNT_UNKNOWN && u32::from(stored) != count {
        return Err(Corrupt);
    }
    Ok(count)
}

//! LZF, the compression of long strings: runs of literal bytes, and copies of what came up to 8 KB before.
//!
//! A first byte below 32 says how many literal bytes follow, less one. Any other holds the length of a copy in its upper
//! three bits (seven: the next byte is added), less two, and the upper bits of the distance, less one; the lower eight follow.

const LITERALS_MAX: usize = 32;
const COPY_MIN: usize = 3;
const COPY_MAX: usize = 264;
const DISTANCE_MAX: usize = 1 << 13;
const TABLE_BITS: u32 = 14;
/// No copy gives more bytes for each of its own.
const GAIN_MAX: u64 = COPY_MAX as u64 / 2;

/// Keeps its table between strings.
#[derive(Default)]
pub struct Compressor {
    /// Where three bytes were last seen, by their hash; positions of all strings count on from each other.
    table: Vec<u32>,
    base: u32,
}

impl Compressor {
    /// Appends the compressed bytes to `out` and says how many they are; nothing where that would not save four bytes.
    pub fn compress(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Option<usize> {
        let start = out.len();
        let end_max = start + bytes.len().checked_sub(4)?;
        self.begin(bytes.len())?;
        let (mut at, mut literals_from) = (0, 0);
        while at + COPY_MIN <= bytes.len() {
            let Some(distance) = self.find(bytes, at) else {
                at += 1;
                continue;
            };
            let len = common_len(bytes, at, distance);
            write_literals(&bytes[literals_from..at], out);
            write_copy(len, distance, out);
            if out.len() > end_max {
                break;
            }
            // What a long copy covers is seldom worth remembering; its end is.
            let end = at + len;
            at = (at + 1).max(end.saturating_sub(2));
            while at < end {
                if at + COPY_MIN <= bytes.len() {
                    self.find(bytes, at);
                }
                at += 1;
            }
            literals_from = end;
        }
        if out.len() <= end_max {
            write_literals(&bytes[literals_from..], out);
        }
        self.base += bytes.len() as u32;
        if out.len() > end_max {
            out.truncate(start);
            return None;
        }
        Some(out.len() - start)
    }

    fn begin(&mut self, len: usize) -> Option<()> {
        let len = u32::try_from(len).ok().filter(|len| *len < 1 << 31)?;
        if self.table.is_empty() || self.base.checked_add(len).is_none() {
            self.table = vec![0; 1 << TABLE_BITS];
            // Below it are the positions of no string.
            self.base = 1;
        }
        Some(())
    }

    /// Remembers the three bytes at `at`; how far back they were before.
    #[inline]
    fn find(&mut self, bytes: &[u8], at: usize) -> Option<usize> {
        let three = [bytes[at], bytes[at + 1], bytes[at + 2]];
        let word = u32::from_le_bytes([three[0], three[1], three[2], 0]);
        let place = (word.wrapping_mul(0x9e37_79b1) >> (32 - TABLE_BITS)) as usize;
        let position = self.base + at as u32;
        let before = std::mem::replace(&mut self.table[place], position);
        let start = before.checked_sub(self.base)? as usize;
        let distance = at - start;
        (distance <= DISTANCE_MAX && bytes[start..start + 3] == three).then_some(distance)
    }
}

fn common_len(bytes: &[u8], at: usize, distance: usize) -> usize {
    let limit = COPY_MAX.min(bytes.len() - at);
    (COPY_MIN..limit).find(|len| bytes[at + len] != bytes[at + len - distance]).unwrap_or(limit)
}

fn write_literals(bytes: &[u8], out: &mut Vec<u8>) {
    for run in bytes.chunks(LITERALS_MAX) {
        out.push(run.len() as u8 - 1);
        out.extend_from_slice(run);
    }
}

fn write_copy(len: usize, distance: usize, out: &mut Vec<u8>) {
    let (len, distance) = (len - 2, distance - 1);
    let high = (distance >> 8) as u8;
    if len < 7 {
        out.push((len as u8) << 5 | high);
    } else {
        out.push(7 << 5 | high);
        out.push((len - 7) as u8);
    }
    out.push(distance as u8);
}

/// The bytes that were compressed, if they are `len`.
pub fn decompress(bytes: &[u8], len: usize) -> Option<Vec<u8>> {
    if len as u64 > (bytes.len() as u64).saturating_mul(GAIN_MAX) {
        return None;
    }
    let mut out = Vec::with_capacity(len);
    let mut rest = bytes;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first < 32 {
            let (literals, after) = rest.split_at_checked(usize::from(first) + 1)?;
            out.extend_from_slice(literals);
            rest = after;
        } else {
            let mut count = usize::from(first >> 5) + 2;
            if count == 9 {
                let (&more, after) = rest.split_first()?;
                count += usize::from(more);
                rest = after;
            }
            let (&low, after) = rest.split_first()?;
            rest = after;
            let distance = (usize::from(first & 31) << 8 | usize::from(low)) + 1;
            let from = out.len().checked_sub(distance)?;
            if count > len - out.len() {
                return None;
            }
            // A copy may reach into itself.
            for at in from..from + count {
                out.push(out[at]);
            }
        }
        if out.len() > len {
            return None;
        }
    }
    (out.len() == len).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_back_what_was_compressed() {
        let mut state = 1u64;
        let mut next = move || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) as usize
        };
        let mut compressor = Compressor::default();
        for round in 0..400 {
            let letters = 1 + round % 40;
            let len = next() % 3000 * (1 + round % 7);
            let bytes: Vec<u8> = (0..len).map(|_| (next() % letters) as u8).collect();
            let mut out = b"before".to_vec();
            match compressor.compress(&bytes, &mut out) {
                Some(size) => {
                    assert_eq!(size, out.len() - 6);
                    assert!(size + 4 <= len);
                    assert_eq!(decompress(&out[6..], len), Some(bytes));
                    assert_eq!(decompress(&out[6..], len + 1), None);
                }
                None => assert_eq!(out, b"before"),
            }
        }
        let mut out = Vec::new();
        assert_eq!(compressor.compress(&[7; 100_000], &mut out), Some(out.len()));
        assert!(out.len() < 1300, "{}", out.len());
    }

    #[test]
    fn survives_nonsense() {
        assert_eq!(decompress(b"", 0), Some(vec![]));
        assert_eq!(decompress(b"\x00a\xff\xff\x00", 1 << 40), None);
        assert_eq!(decompress(b"\x00a\xe0\x00\x00", 10), Some(vec![b'a'; 10]));
        assert_eq!(decompress(b"\x00a\xe0\x00\x01", 10), None, "it reaches before the start");
        assert_eq!(decompress(b"\x05a", 6), None);
    }
}

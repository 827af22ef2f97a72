//! The keyed hash of the table: deterministic for a seed and the same on every machine, so it must not depend
//! on the width of `usize` or on byte order. With a secret seed nobody can make keys collide on purpose.
//! Multiply-and-fold over a secret, in the manner of wyhash (Wang Yi, 2019).

/// Two secrets from one seed. Cheap to keep in every table.
#[derive(Clone, Copy)]
pub(super) struct KeyedHash {
    first: u64,
    second: u64,
}

const ODD: [u64; 3] = [0x9e37_79b9_7f4a_7c15, 0xd1b5_4a32_d192_ed03, 0xaef1_7502_108e_f2d9];

impl KeyedHash {
    pub fn new(seed: u64) -> KeyedHash {
        let first = splitmix(seed);
        KeyedHash { first, second: splitmix(first ^ seed.rotate_left(32)) }
    }

    #[inline]
    pub fn hash(self, key: &[u8]) -> u64 {
        let len = key.len();
        let (mut low, mut high) = (self.first, self.second ^ ODD[0].wrapping_mul(len as u64));
        if len > 16 {
            let mut rest = key;
            while let Some((chunk, after)) = rest.split_first_chunk::<16>() {
                if after.is_empty() {
                    break;
                }
                low = fold(read8(chunk, 0) ^ low, read8(chunk, 8) ^ high);
                high = high.rotate_left(23).wrapping_add(ODD[1]);
                rest = after;
            }
            let (a, b) = (read8(key, len - 16), read8(key, len - 8));
            return fold(fold(a ^ low, b ^ high), ODD[2] ^ self.second);
        }
        let (a, b) = match len {
            8.. => (read8(key, 0), read8(key, len - 8)),
            4.. => (read4(key, 0), read4(key, len - 4)),
            1.. => {
                let (first, middle, last) = (key[0], key[len / 2], key[len - 1]);
                (u64::from(first) << 16 | u64::from(middle) << 8 | u64::from(last), 0)
            }
            0 => (0, 0),
        };
        low = fold(a ^ low, b ^ high);
        fold(low ^ self.first, ODD[2] ^ self.second)
    }
}

#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

#[inline]
fn read8(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

#[inline]
fn read4(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes")))
}

fn splitmix(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_add(ODD[0]);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_same_everywhere() {
        let text = b"the quick brown fox jumps over the lazy dog";
        let hash = KeyedHash::new(42);
        let all = (0..=text.len()).fold(0u64, |sum, n| sum.rotate_left(5) ^ hash.hash(&text[..n]));
        assert_eq!(all, PINNED);
    }

    const PINNED: u64 = 9_652_113_737_376_289_815;

    #[test]
    fn each_byte_and_the_length_count() {
        let hash = KeyedHash::new(7);
        for len in 0..80usize {
            let key = vec![0u8; len];
            let base = hash.hash(&key);
            assert_ne!(base, hash.hash(&vec![0u8; len + 1]));
            for at in 0..len {
                let mut other = key.clone();
                other[at] = 1;
                let changed = (base ^ hash.hash(&other)).count_ones();
                assert!((8..=56).contains(&changed), "{len} {at} {changed}");
            }
        }
    }
}

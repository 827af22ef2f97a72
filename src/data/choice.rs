//! Random choices of indexes, the same for every type. Chance comes in as numbers; this file must not know what is chosen.

use std::collections::HashSet;

/// A source of random numbers.
pub type Rng<'a> = &'a mut dyn FnMut() -> u64;

/// A number below `len`, each about equally likely. `len` must not be 0.
#[inline]
pub fn below(len: usize, rng: Rng<'_>) -> usize {
    (rng() % len as u64) as usize
}

/// Distinct numbers below `len`, `count` of them (or all), in random order. O(min(len, count)) expected.
pub fn distinct(len: usize, count: usize, rng: Rng<'_>) -> Vec<usize> {
    let count = count.min(len);
    if count > len / 3 {
        let mut all: Vec<usize> = (0..len).collect();
        for at in 0..count {
            all.swap(at, at + below(len - at, rng));
        }
        all.truncate(count);
        return all;
    }
    let mut seen = HashSet::with_capacity_and_hasher(count, foldhash::fast::FixedState::default());
    let mut chosen = Vec::with_capacity(count);
    // Robert Floyd's way (Communications of the ACM 30, 9): as many numbers as are wanted, none drawn in vain.
    for last in len - count..len {
        let drawn = below(last + 1, rng);
        let number = if seen.insert(drawn) { drawn } else { last };
        seen.insert(number);
        chosen.push(number);
    }
    for at in (1..chosen.len()).rev() {
        chosen.swap(at, below(at + 1, rng));
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chooses_so_many_distinct_numbers() {
        let mut state = 1u64;
        let mut rng = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            state >> 33
        };
        for (len, count) in [(0, 0), (0, 3), (1, 1), (10, 3), (10, 4), (10, 10), (10, 99), (1000, 20)] {
            let mut chosen = distinct(len, count, &mut rng);
            assert_eq!(chosen.len(), count.min(len));
            chosen.sort_unstable();
            chosen.dedup();
            assert_eq!(chosen.len(), count.min(len));
            assert!(chosen.iter().all(|&number| number < len));
        }
    }
}

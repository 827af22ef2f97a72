//! The members of a big sorted set: each with its score, numbered densely from 0, found by their bytes.
//!
//! Numbers are what the order (`ranked`) refers to, so a member's bytes are stored once. A removed member's number is
//! taken by the last one; numbers only ever fall, which is why a scan from the highest to the lowest misses nobody who
//! is there all the time. This file must not know the order of scores.
//!
//! The index is open addressing over words of 32 bits of hash and 32 bits of number, sorted by hash as far as
//! collisions allow: growing it reads no member, and almost every mismatch is seen without reading one.

use crate::data::packed::Packed;
use foldhash::SharedSeed;
use foldhash::fast::SeedableRandomState;
use std::hash::BuildHasher;

/// Numbers are 32 bits, one value of which the index keeps for "vacant".
const MEMBERS_MAX: usize = u32::MAX as usize - 1;
const INDEX_MIN: usize = 8;

#[derive(Clone)]
struct Member {
    score: f64,
    text: Packed,
}

#[derive(Clone)]
pub struct Members {
    members: Vec<Member>,
    index: Vec<u64>,
    texts_bytes: usize,
    seed: u64,
}

impl Members {
    pub fn new(seed: u64) -> Self {
        Members { members: Vec::new(), index: Vec::new(), texts_bytes: 0, seed }
    }

    #[inline]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// The member with this number, which must be below [`Self::len`]. O(1).
    #[inline]
    pub fn text(&self, number: u32) -> &[u8] {
        self.members[number as usize].text.key()
    }

    #[inline]
    pub fn score(&self, number: u32) -> f64 {
        self.members[number as usize].score
    }

    #[inline]
    pub fn set_score(&mut self, number: u32, score: f64) {
        self.members[number as usize].score = score;
    }

    /// O(1).
    pub fn find(&self, text: &[u8]) -> Option<u32> {
        self.find_hashed(text, self.hash(text))
    }

    /// Adds a member known to be absent and returns its number. O(1) amortised.
    pub fn push(&mut self, text: &[u8], score: f64) -> u32 {
        let number = self.members.len();
        assert!(number < MEMBERS_MAX, "a sorted set cannot hold more members than its numbers tell apart");
        if number == self.members.capacity() {
            self.members.reserve_exact(number / 8 + 4);
        }
        let packed = Packed::new(text, None, &[]);
        self.texts_bytes += packed.heap_bytes();
        self.members.push(Member { score, text: packed });
        if (number + 1) * 4 > self.index.len() * 3 {
            self.rebuild_index((number + 1) * 5 / 3);
        }
        self.place(self.hash(text), number as u32);
        number as u32
    }

    /// Removes a member. When another one had to take its number, that one's old number is returned. O(1).
    pub fn remove(&mut self, number: u32) -> Option<u32> {
        let slot = self.slot_of(number);
        self.vacate(slot);
        let last = self.members.len() as u32 - 1;
        let moved = (number != last).then_some(last);
        if moved.is_some() {
            let slot = self.slot_of(last);
            self.index[slot] = self.index[slot] & !u64::from(u32::MAX) | u64::from(number + 1);
        }
        let removed = self.members.swap_remove(number as usize);
        self.texts_bytes -= removed.text.heap_bytes();
        let len = self.members.len();
        if len * 2 < self.members.capacity() {
            self.members.shrink_to(len + len / 4);
        }
        if self.index.len() > INDEX_MIN && len * 10 < self.index.len() * 3 {
            self.rebuild_index(len * 5 / 3);
        }
        moved
    }

    /// Makes room for as many more. O(n).
    pub fn reserve(&mut self, more: usize) {
        self.members.reserve_exact(more);
        if (self.members.len() + more) * 4 > self.index.len() * 3 {
            self.rebuild_index((self.members.len() + more) * 3 / 2);
        }
    }

    /// Bytes allocated here, including each member's. O(1).
    pub fn heap_bytes(&self) -> usize {
        self.texts_bytes + self.members.capacity() * 16 + self.index.capacity() * size_of::<u64>()
    }

    fn hash(&self, text: &[u8]) -> u32 {
        let state = SeedableRandomState::with_seed(self.seed, SharedSeed::global_fixed());
        (state.hash_one(text) >> 32) as u32
    }

    /// Where a hash would like to be: the index is in the order of hashes.
    #[inline]
    fn home(&self, hash: u32) -> usize {
        ((u64::from(hash) * self.index.len() as u64) >> 32) as usize
    }

    #[inline]
    fn after(&self, slot: usize) -> usize {
        if slot + 1 == self.index.len() { 0 } else { slot + 1 }
    }

    fn find_hashed(&self, text: &[u8], hash: u32) -> Option<u32> {
        if self.index.is_empty() {
            return None;
        }
        let mut slot = self.home(hash);
        loop {
            let word = self.index[slot];
            if word == 0 {
                return None;
            }
            let number = word as u32;
            if (word >> 32) as u32 == hash && self.text(number - 1) == text {
                return Some(number - 1);
            }
            slot = self.after(slot);
        }
    }

    fn slot_of(&self, number: u32) -> usize {
        let mut slot = self.home(self.hash(self.text(number)));
        while self.index[slot] as u32 != number + 1 {
            slot = self.after(slot);
        }
        slot
    }

    fn place(&mut self, hash: u32, number: u32) {
        let mut slot = self.home(hash);
        while self.index[slot] != 0 {
            slot = self.after(slot);
        }
        self.index[slot] = u64::from(hash) << 32 | u64::from(number + 1);
    }

    /// Empties a slot and moves back those who had to give way to it (Knuth, volume 3, 6.4, algorithm R).
    fn vacate(&mut self, mut hole: usize) {
        let len = self.index.len();
        let mut slot = hole;
        loop {
            slot = self.after(slot);
            let word = self.index[slot];
            if word == 0 {
                break;
            }
            let home = self.home((word >> 32) as u32);
            let from_home = if slot >= home { slot - home } else { slot + len - home };
            let from_hole = if slot >= hole { slot - hole } else { slot + len - hole };
            if from_home >= from_hole {
                self.index[hole] = word;
                hole = slot;
            }
        }
        self.index[hole] = 0;
    }

    fn rebuild_index(&mut self, slots: usize) {
        let old = std::mem::replace(&mut self.index, vec![0; slots.max(INDEX_MIN)]);
        for word in old.into_iter().filter(|&word| word != 0) {
            self.place((word >> 32) as u32, word as u32 - 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_dense_and_everyone_is_found() {
        let mut state = 3u64;
        let mut next = move || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            state >> 33
        };
        let mut members = Members::new(9);
        let mut model: Vec<String> = Vec::new();
        for step in 0..20_000u64 {
            let growing = (step / 2000).is_multiple_of(2);
            if model.is_empty() || next() % 10 < if growing { 7 } else { 3 } {
                let text = format!("member:{}", next() % 5000);
                let found = members.find(text.as_bytes());
                assert_eq!(found, model.iter().position(|other| *other == text).map(|at| at as u32));
                if found.is_none() {
                    assert_eq!(members.push(text.as_bytes(), step as f64) as usize, model.len());
                    model.push(text);
                }
            } else {
                let at = next() as usize % model.len();
                let last = model.len() - 1;
                assert_eq!(members.remove(at as u32), (at != last).then_some(last as u32));
                model.swap_remove(at);
            }
            assert_eq!(members.len(), model.len());
        }
        for (number, text) in model.iter().enumerate() {
            assert_eq!(members.find(text.as_bytes()), Some(number as u32));
        }
    }
}

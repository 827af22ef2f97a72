//! Which keys go first when memory is short, and what reading and writing a key leaves in it for that. It must not know
//! how much memory there is.

use super::{Entry, Keyspace};

/// Victims found but not taken yet.
const CANDIDATES_MAX: usize = 16;
/// A counter of uses never falls below this when a key is new, so that it has a chance.
const FIRST_FREQUENCY: u8 = 5;
const CLOCK_MASK: u32 = 0x00ff_ffff;

/// What makes a key go before another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    #[default]
    Never,
    Used,
    Modified,
    Frequency,
    Expiry,
    Random,
}

/// `maxmemory-policy` and what belongs to it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Policy {
    pub order: Order,
    /// Only keys that expire are evicted.
    pub volatile: bool,
    /// Keys looked at for each that is evicted.
    pub samples: usize,
    pub log_factor: u32,
    pub decay_minutes: u32,
}

impl Policy {
    /// Takes the order and the kind of keys from a policy's name.
    pub fn rename(&mut self, name: &[u8]) {
        self.volatile = name.starts_with(b"volatile");
        self.order = match name.rsplit(|byte| *byte == b'-').next().unwrap_or_default() {
            b"lru" => Order::Used,
            b"lrm" => Order::Modified,
            b"lfu" => Order::Frequency,
            b"ttl" => Order::Expiry,
            b"random" => Order::Random,
            _ => Order::Never,
        };
    }

    // An entry's clock: seconds of the last use or change, or for LFU minutes (16 bits) and a logarithmic counter.

    /// Notes that a key is read. `clock` are the seconds of `now_ms` as entries keep them.
    #[inline]
    pub fn note_read(&self, entry: &Entry, clock: u32, now_ms: u64, rng: &mut dyn FnMut() -> u64) {
        match self.order {
            Order::Frequency => self.note_use(entry, now_ms, rng),
            Order::Modified => {}
            _ => entry.set_clock(clock),
        }
    }

    /// Notes that a key is changed.
    #[inline]
    pub fn note_write(&self, entry: &Entry, clock: u32, now_ms: u64, rng: &mut dyn FnMut() -> u64) {
        match self.order {
            Order::Frequency => self.note_use(entry, now_ms, rng),
            _ => entry.set_clock(clock),
        }
    }

    /// What a new key's clock says.
    #[inline]
    pub fn first_clock(&self, clock: u32, now_ms: u64) -> u32 {
        match self.order {
            Order::Frequency => clock_of_frequency(FIRST_FREQUENCY, now_ms),
            _ => clock,
        }
    }

    fn note_use(&self, entry: &Entry, now_ms: u64, rng: &mut dyn FnMut() -> u64) {
        let frequency = self.frequency(entry, now_ms);
        let excess = u64::from(frequency.saturating_sub(FIRST_FREQUENCY));
        // One chance in `excess * factor + 1`; at the top there is none.
        let odds = excess * u64::from(self.log_factor) + 1;
        let grows = (u128::from(rng()) * u128::from(odds)) >> 64 == 0;
        entry.set_clock(clock_of_frequency(frequency.saturating_add(u8::from(grows)), now_ms));
    }

    /// How often a key is used, on a logarithmic scale; it decays with time.
    pub fn frequency(&self, entry: &Entry, now_ms: u64) -> u8 {
        let (then, counter) = (entry.clock() >> 8, entry.clock() as u8);
        let elapsed = (minutes(now_ms).wrapping_sub(then)) & 0xffff;
        let periods = elapsed.checked_div(self.decay_minutes).unwrap_or(0);
        counter.saturating_sub(u8::try_from(periods).unwrap_or(u8::MAX))
    }

    /// The higher, the sooner a key goes.
    fn score(&self, entry: &Entry, now_ms: u64) -> u64 {
        match self.order {
            Order::Frequency => u64::from(u8::MAX - self.frequency(entry, now_ms)),
            Order::Expiry => u64::MAX - entry.expires_at().unwrap_or(u64::MAX),
            _ => idle_seconds(entry, now_ms),
        }
    }
}

/// Seconds since a key was used, or changed, whatever the policy counts.
pub fn idle_seconds(entry: &Entry, now_ms: u64) -> u64 {
    let clock = (now_ms / 1000) as u32;
    u64::from(clock.wrapping_sub(entry.clock()) & CLOCK_MASK)
}

/// The clock of a key last used so many seconds ago.
pub fn clock_of_idle(seconds: u64, now_ms: u64) -> u32 {
    let seconds = seconds.min(u64::from(CLOCK_MASK)) as u32;
    ((now_ms / 1000) as u32).wrapping_sub(seconds) & CLOCK_MASK
}

/// The clock of a key used so often, just now.
pub fn clock_of_frequency(frequency: u8, now_ms: u64) -> u32 {
    minutes(now_ms) << 8 | u32::from(frequency)
}

fn minutes(now_ms: u64) -> u32 {
    (now_ms / 60_000) as u32 & 0xffff
}

/// Where the search for victims stands: the best keys seen so far, the best one last.
#[derive(Default)]
pub struct Candidates {
    keys: Vec<(u64, usize, Box<[u8]>)>,
    next_db: usize,
}

impl Candidates {
    /// Forgets all; to be called when the policy changes.
    pub fn clear(&mut self) {
        self.keys.clear();
    }

    /// The database and name of the key to evict next, if the policy allows any.
    pub fn next(
        &mut self,
        policy: Policy,
        keyspace: &mut Keyspace,
        now_ms: u64,
        rng: &mut dyn FnMut() -> u64,
    ) -> Option<(usize, Box<[u8]>)> {
        match policy.order {
            Order::Never => return None,
            Order::Random => return self.next_random(policy, keyspace, rng),
            _ => {}
        }
        loop {
            for db in 0..keyspace.databases() {
                let offer = &mut |entry: &Entry| self.offer(policy.score(entry, now_ms), db, entry.key());
                keyspace.db_mut(db).sample(policy.samples, policy.volatile, rng, offer);
            }
            if self.keys.is_empty() {
                return None;
            }
            while let Some((score, db, key)) = self.keys.pop() {
                // It may be gone, or have been used since it was seen.
                let is_good = |entry: &Entry| {
                    (!policy.volatile || entry.expires_at().is_some()) && policy.score(entry, now_ms) >= score
                };
                if db < keyspace.databases() && keyspace.db(db).raw(&key).is_some_and(is_good) {
                    return Some((db, key));
                }
            }
        }
    }

    /// From one database after the other.
    fn next_random(
        &mut self,
        policy: Policy,
        keyspace: &mut Keyspace,
        rng: &mut dyn FnMut() -> u64,
    ) -> Option<(usize, Box<[u8]>)> {
        for _ in 0..keyspace.databases() {
            let db = self.next_db % keyspace.databases();
            self.next_db = db + 1;
            let mut found = None;
            keyspace.db_mut(db).sample(1, policy.volatile, rng, &mut |entry| {
                found = Some(Box::from(entry.key()));
            });
            if let Some(key) = found {
                return Some((db, key));
            }
        }
        None
    }

    fn offer(&mut self, score: u64, db: usize, key: &[u8]) {
        if self.keys.iter().any(|(_, at, known)| *at == db && **known == *key) {
            return;
        }
        let at = self.keys.partition_point(|(other, ..)| *other < score);
        if self.keys.len() == CANDIDATES_MAX {
            if at == 0 {
                return;
            }
            self.keys.remove(0);
            self.keys.insert(at - 1, (score, db, key.into()));
        } else {
            self.keys.insert(at, (score, db, key.into()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random() -> impl FnMut() -> u64 {
        let mut state = 7u64;
        move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state ^ state >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9)
        }
    }

    #[test]
    fn frequencies_grow_ever_more_slowly_and_decay() {
        let mut rng = random();
        // The table of the manual, for a hundred and a thousand uses: https://redis.io/docs/latest/develop/reference/eviction/
        for (log_factor, hits, expected) in [
            (0, 100, 104..=106),
            (0, 1000, 255..=255),
            (10, 100, 8..=14),
            (10, 1000, 14..=24),
            (100, 1000, 8..=14),
        ] {
            let policy =
                Policy { order: Order::Frequency, log_factor, decay_minutes: 1, ..Policy::default() };
            let entry = Entry::with_int(b"k", 1);
            entry.set_clock(policy.first_clock(0, 0));
            for _ in 0..hits {
                policy.note_read(&entry, 0, 0, &mut rng);
            }
            let frequency = policy.frequency(&entry, 59_999);
            assert!(expected.contains(&frequency), "{log_factor} {hits}: {frequency}");
            assert_eq!(policy.frequency(&entry, 3 * 60_000), frequency - 3);
            assert_eq!(policy.frequency(&entry, 300 * 60_000), 0);
            let never = Policy { decay_minutes: 0, ..policy };
            assert_eq!(never.frequency(&entry, 300 * 60_000), frequency);
        }
    }

    #[test]
    fn the_longest_unused_keys_go_first() {
        let mut keyspace = Keyspace::new(3, 1);
        for number in 0..3000u64 {
            let entry = Entry::with_int(format!("k{number}").as_bytes(), number as i64);
            entry.set_clock(number as u32);
            keyspace.db_mut((number % 3) as usize).put_new(entry);
        }
        let (mut rng, mut candidates) = (random(), Candidates::default());
        let policy = Policy { order: Order::Used, samples: 10, ..Policy::default() };
        let mut old = 0;
        for _ in 0..1000 {
            let (db, key) =
                candidates.next(policy, &mut keyspace, 3_000_000, &mut rng).expect("there are keys enough");
            let entry = keyspace.db_mut(db).remove(&key).expect("a victim is there");
            old += usize::from(entry.clock() < 1300);
        }
        assert!(old > 950, "{old} of 1000 were of the oldest");
    }

    #[test]
    fn policies_keep_to_keys_that_expire() {
        for name in ["volatile-lru", "volatile-lfu", "volatile-lrm", "volatile-random", "volatile-ttl"] {
            let mut keyspace = Keyspace::new(2, 1);
            for number in 0..100u64 {
                let mut entry = Entry::with_int(format!("k{number}").as_bytes(), number as i64);
                entry.set_expires_at((number % 10 == 0).then_some(1_000_000 + number));
                keyspace.db_mut(1).put_new(entry);
            }
            let mut policy = Policy { samples: 5, log_factor: 10, decay_minutes: 1, ..Policy::default() };
            policy.rename(name.as_bytes());
            let (mut rng, mut candidates) = (random(), Candidates::default());
            let mut gone = Vec::new();
            while let Some((db, key)) = candidates.next(policy, &mut keyspace, 5000, &mut rng) {
                let entry = keyspace.db_mut(db).remove(&key).expect("a victim is there");
                gone.push(entry.expires_at().expect("only such keys go"));
            }
            assert_eq!((gone.len(), keyspace.len()), (10, 90), "{name}");
            let (first, last) = (gone[..5].iter().sum::<u64>(), gone[5..].iter().sum::<u64>());
            assert!(name != "volatile-ttl" || first < last, "{gone:?}");
        }
    }
}

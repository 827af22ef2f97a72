//! HOTKEYS: which keys cost most time and bytes while a session of it runs.

use std::collections::BTreeMap;

/// Keys counted at most; later ones are left out.
const KEYS_MAX: usize = 100_000;

pub struct Session {
    pub started_ms: u64,
    pub ends_ms: Option<u64>,
    pub stopped_ms: Option<u64>,
    pub by_cpu: bool,
    pub by_net: bool,
    /// How many keys to show.
    pub count: usize,
    pub sample_ratio: u64,
    pub microseconds: u64,
    pub net_bytes: u64,
    keys: BTreeMap<Box<[u8]>, (u64, u64)>,
}

/// The current or the last session.
#[derive(Default)]
pub struct HotKeys {
    pub session: Option<Session>,
}

impl HotKeys {
    pub fn is_active(&self, now_ms: u64) -> bool {
        self.session.as_ref().is_some_and(|session| session.is_active(now_ms))
    }
}

impl Session {
    pub fn new(now_ms: u64, by_cpu: bool, by_net: bool) -> Self {
        Session {
            started_ms: now_ms,
            ends_ms: None,
            stopped_ms: None,
            by_cpu,
            by_net,
            count: 10,
            sample_ratio: 1,
            microseconds: 0,
            net_bytes: 0,
            keys: BTreeMap::new(),
        }
    }

    pub fn is_active(&self, now_ms: u64) -> bool {
        self.stopped_ms.is_none() && self.ends_ms.is_none_or(|ends_ms| now_ms < ends_ms)
    }

    pub fn ended_ms(&self, now_ms: u64) -> u64 {
        let end = self.stopped_ms.unwrap_or(now_ms);
        self.ends_ms.map_or(end, |ends_ms| end.min(ends_ms))
    }

    /// A command with these keys took so long and moved so many bytes.
    pub fn count<'a>(
        &mut self,
        keys: impl ExactSizeIterator<Item = &'a [u8]>,
        microseconds: u64,
        bytes: u64,
    ) {
        self.microseconds += microseconds;
        self.net_bytes += bytes;
        let share = keys.len().max(1) as u64;
        for key in keys {
            if self.keys.len() >= KEYS_MAX && !self.keys.contains_key(key) {
                continue;
            }
            let counters = self.keys.entry(key.into()).or_default();
            counters.0 += microseconds / share;
            counters.1 += bytes / share;
        }
    }

    /// The keys that cost most, by time or by bytes.
    pub fn top(&self, by_cpu: bool) -> Vec<(&[u8], u64)> {
        let cost = |counters: &(u64, u64)| if by_cpu { counters.0 } else { counters.1 };
        let mut keys: Vec<(&[u8], u64)> =
            self.keys.iter().map(|(key, counters)| (&**key, cost(counters))).collect();
        crate::data::order::sort_by_key(&mut keys, |(_, cost)| std::cmp::Reverse(*cost));
        keys.truncate(self.count);
        keys
    }
}

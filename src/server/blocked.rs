//! Clients that wait: for keys, for time to pass. Woken in the order in which they came.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::resp::Request;

use super::clients::ClientId;

/// What a client that waited in vain is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnTimeout {
    Null,
    NullArray,
    Integer(i64),
    /// Run the command once more, told that its time is up (WAIT, WAITAOF).
    RunAgain,
    /// Run the command once more; it may go on waiting until this time (XREADGROUP … CLAIM).
    RetryUntil(Option<u64>),
}

/// Why and for how long a client waits.
#[derive(Clone, Debug)]
pub struct Blocked {
    /// The command, run again from the start when one of the keys is ready.
    pub request: Request,
    pub db: usize,
    pub keys: Vec<Box<[u8]>>,
    /// Wake also when a key goes away or changes type (XREADGROUP).
    pub wakes_on_delete: bool,
    pub deadline_ms: Option<u64>,
    pub since_ms: u64,
    pub on_timeout: OnTimeout,
    /// Commands run for it since it blocked: its place in the queue stays.
    pub order: u64,
}

/// A key and the number of its database.
type KeyOfDb = (usize, Box<[u8]>);

/// Who waits for which key, and what has become ready.
#[derive(Default)]
pub struct Waiting {
    by_key: BTreeMap<KeyOfDb, BTreeMap<u64, ClientId>>,
    deadlines: BTreeSet<(u64, ClientId)>,
    ready: VecDeque<KeyOfDb>,
    /// Waited for, and given another value in one step: to Redis such a key is no new one.
    overwritten: BTreeSet<KeyOfDb>,
    /// Ready keys that only those hear of who wait for a key to go.
    only_gone: BTreeSet<KeyOfDb>,
    is_ready: BTreeSet<KeyOfDb>,
    last_order: u64,
}

impl Waiting {
    pub fn is_idle(&self) -> bool {
        self.by_key.is_empty()
    }

    pub fn keys_waited_for(&self) -> usize {
        self.by_key.len()
    }

    pub fn next_order(&mut self) -> u64 {
        self.last_order += 1;
        self.last_order
    }

    pub fn add(&mut self, id: ClientId, blocked: &Blocked) {
        for key in &blocked.keys {
            self.by_key.entry((blocked.db, key.clone())).or_default().insert(blocked.order, id);
        }
        if let Some(deadline_ms) = blocked.deadline_ms {
            self.deadlines.insert((deadline_ms, id));
        }
    }

    pub fn remove(&mut self, id: ClientId, blocked: &Blocked) {
        for key in &blocked.keys {
            let place = (blocked.db, key.clone());
            if let Some(queue) = self.by_key.get_mut(&place) {
                queue.remove(&blocked.order);
                if queue.is_empty() {
                    self.by_key.remove(&place);
                }
            }
        }
        if let Some(deadline_ms) = blocked.deadline_ms {
            self.deadlines.remove(&(deadline_ms, id));
        }
    }

    /// A key has changed: if somebody waits for it, it is looked at when the running command has ended.
    pub fn signal(&mut self, db: usize, key: &[u8]) {
        if self.by_key.is_empty() {
            return;
        }
        let place = (db, Box::from(key));
        if !self.by_key.contains_key(&place) {
            return;
        }
        let is_overwritten = self.overwritten.remove(&place);
        if self.is_ready.insert(place.clone()) {
            if is_overwritten {
                self.only_gone.insert(place.clone());
            }
            self.ready.push_back(place);
        } else if !is_overwritten {
            self.only_gone.remove(&place);
        }
    }

    /// A key gets another value in the place of the one it has; [`Waiting::signal`] follows.
    pub fn overwrite(&mut self, db: usize, key: &[u8]) {
        let place = (db, Box::from(key));
        if self.by_key.contains_key(&place) {
            self.overwritten.insert(place);
        }
    }

    /// Every key that is waited for in a database (SWAPDB brings other keys under these names).
    pub fn signal_db(&mut self, db: usize) {
        let keys: Vec<_> = self.by_key.keys().filter(|(at, _)| *at == db).cloned().collect();
        for (db, key) in keys {
            self.signal(db, &key);
        }
    }

    /// The next ready key with those who wait for it, first come first; `true` when only those are to be woken who wait for a
    /// key to go.
    pub fn next_ready(&mut self) -> Option<(usize, Box<[u8]>, Vec<ClientId>, bool)> {
        let (db, key) = self.ready.pop_front()?;
        let place = (db, key);
        self.is_ready.remove(&place);
        let clients =
            self.by_key.get(&place).map(|queue| queue.values().copied().collect()).unwrap_or_default();
        let is_only_gone = self.only_gone.remove(&place);
        Some((place.0, place.1, clients, is_only_gone))
    }

    pub fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    pub fn next_deadline(&self) -> Option<u64> {
        self.deadlines.first().map(|&(deadline_ms, _)| deadline_ms)
    }

    /// A client whose time is up.
    pub fn next_timeout(&self, now_ms: u64) -> Option<ClientId> {
        self.deadlines.first().filter(|&&(deadline_ms, _)| deadline_ms <= now_ms).map(|&(_, id)| id)
    }
}

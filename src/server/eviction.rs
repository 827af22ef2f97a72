//! Keeping within `maxmemory` and `maxmemory-clients`: what is in use is counted, keys are evicted, and the largest clients
//! sent away. Every decision follows from what the engine has been told, so that a replay decides alike.

use super::Server;
use super::client::Flags;
use super::clients::ClientId;
use super::event::LogLevel;
use super::memory::STARTUP_BYTES;
use super::notify::Class;
use crate::keyspace::eviction::{Candidates, Order};

/// Keys evicted before one command, for each step of `maxmemory-eviction-tenacity`; the rest follows.
const KEYS_PER_TENACITY: u64 = 100;

#[derive(Default)]
pub struct Eviction {
    candidates: Candidates,
    /// What all clients take together, and those that may be evicted; known while a limit is set.
    clients_bytes: u64,
    evictable_bytes: u64,
    /// More is to be evicted as soon as nothing else runs.
    is_due: bool,
    /// The command now running began without enough memory.
    pub is_out_of_memory: bool,
    over_since_ms: Option<u64>,
    exceeded_ms: u64,
}

impl Eviction {
    /// Milliseconds spent beyond the limit: in all, and this time.
    pub fn exceeded_ms(&self, now_ms: u64) -> (u64, u64) {
        let current = self.over_since_ms.map_or(0, |since_ms| now_ms - since_ms);
        (self.exceeded_ms + current, current)
    }
}

impl Server {
    /// Whether what clients take has to be known at any time.
    fn counts_clients(&self) -> bool {
        self.config.maxmemory > 0 || self.config.maxmemory_clients != 0
    }

    /// A limit or the policy has changed.
    pub fn follow_memory_limits(&mut self) {
        self.eviction.candidates.clear();
        self.keyspace.keep_count(self.config.maxmemory > 0);
        (self.eviction.clients_bytes, self.eviction.evictable_bytes) = (0, 0);
        for client in self.clients.iter_mut() {
            client.counted = None;
        }
        for id in if self.counts_clients() { self.clients.ids() } else { Vec::new() } {
            self.count_client(id);
        }
        self.eviction.is_due = self.config.maxmemory > 0;
        self.eviction.is_out_of_memory &= self.eviction.is_due;
    }

    /// Notes what a client takes now. To be called when that may have changed.
    #[inline]
    pub fn count_client(&mut self, id: ClientId) {
        if self.counts_clients() {
            self.count_client_anew(id, false);
        }
    }

    /// The client is no more.
    pub fn stop_counting_client(&mut self, id: ClientId) {
        if self.counts_clients() {
            self.count_client_anew(id, true);
        }
    }

    fn count_client_anew(&mut self, id: ClientId, is_gone: bool) {
        let Some(client) = self.clients.get(id) else { return };
        let is_gone = is_gone || client.flags.has(Flags::CLOSE_ASAP);
        let bytes = if is_gone { 0 } else { (client.memory_bytes() + self.unsent_bytes(client)) as u64 };
        let is_evictable =
            ![Flags::NO_EVICT, Flags::REPLICA, Flags::MASTER].iter().any(|flag| client.flags.has(*flag));
        let Some(client) = self.clients.get_mut(id) else { return };
        let eviction = &mut self.eviction;
        if let Some((bytes, was_evictable)) = client.counted.replace((bytes, is_evictable)) {
            eviction.clients_bytes -= bytes;
            eviction.evictable_bytes -= if was_evictable { bytes } else { 0 };
        }
        eviction.clients_bytes += bytes;
        eviction.evictable_bytes += if is_evictable { bytes } else { 0 };
    }

    /// What is compared with `maxmemory`, which must be set. O(databases).
    pub fn counted_memory(&mut self) -> u64 {
        STARTUP_BYTES + self.eviction.clients_bytes + self.keyspace.counted_bytes()
    }

    /// Evicts keys until memory suffices, or some, when there are many; false when none may go. `maxmemory` must be set.
    pub fn make_room(&mut self) -> bool {
        let limit = self.config.maxmemory;
        self.eviction.is_due = false;
        let mut budget = match self.config.eviction_tenacity {
            100.. => u64::MAX,
            tenacity => KEYS_PER_TENACITY * tenacity.max(1),
        };
        loop {
            if self.counted_memory() <= limit {
                if let Some(since_ms) = self.eviction.over_since_ms.take() {
                    self.eviction.exceeded_ms += self.now_ms - since_ms;
                }
                return true;
            }
            if self.current_pause().is_some() {
                return true;
            }
            self.eviction.over_since_ms.get_or_insert(self.now_ms);
            if budget == 0 {
                self.eviction.is_due = true;
                return true;
            }
            budget -= 1;
            let (policy, now_ms) = (self.config.eviction, self.now_ms);
            let rng = &mut self.rng;
            let victim =
                self.eviction.candidates.next(policy, &mut self.keyspace, now_ms, &mut || rng.next());
            let Some((db, key)) = victim else { return false };
            self.evict(db, &key);
        }
    }

    fn evict(&mut self, db: usize, key: &[u8]) {
        self.keyspace.db_mut(db).remove(key);
        self.stats.evicted_keys += 1;
        let command: &[u8] =
            if self.config.text_of("lazyfree-lazy-eviction") == b"yes" { b"UNLINK" } else { b"DEL" };
        self.propagation.add(db, [command, key].into_iter());
        self.propagation.flush();
        // Want of memory changed the key, not the client that happens to run: it is told even if it wants no echo.
        let current = self.current.take();
        self.changed(db, key, Class::EVICTED, "evicted");
        self.current = current;
    }

    /// Goes on evicting what was too much for the last command.
    pub fn evict_what_is_due(&mut self) {
        if self.eviction.is_due && self.config.maxmemory > 0 {
            self.make_room();
        }
    }

    /// When [`Server::evict_what_is_due`] wants to be called.
    pub fn eviction_deadline(&self) -> Option<u64> {
        (self.eviction.is_due && self.config.eviction.order != Order::Never).then_some(self.now_ms)
    }

    /// Sends the largest clients away until all together take no more than `maxmemory-clients`.
    pub fn evict_clients(&mut self) {
        let limit = match self.config.maxmemory_clients {
            0 => return,
            percent @ ..0 => self.config.maxmemory / 100 * percent.unsigned_abs(),
            bytes => bytes as u64,
        };
        // A share of no limit is none.
        while limit > 0 && self.eviction.evictable_bytes > limit {
            let evictable = self.clients.iter().filter_map(|client| match client.counted {
                Some((bytes, true)) if bytes > 0 => Some((bytes, std::cmp::Reverse(client.id))),
                _ => None,
            });
            let Some((_, std::cmp::Reverse(id))) = evictable.max() else { return };
            let text = self.describe_client(id, 0).unwrap_or_default();
            self.log(LogLevel::Notice, format!("Evicting client: {text}"));
            self.stats.evicted_clients += 1;
            // In a replayed session nobody has taken what was sent long ago.
            if let Some(client) = self.clients.get_mut(id).filter(|_| !self.has_journal) {
                client.reply.buffer().clear();
                client.sent = 0;
            }
            self.kill(id);
            self.count_client(id);
        }
    }
}

//! Everything of one instance that is not a key, as plain data. Knows no command.

pub mod error;
pub mod rng;
pub mod event;
pub mod notify;
pub mod config;
pub mod stats;
pub mod blocked;
pub mod pubsub;
pub mod propagation;
pub mod client;
pub mod clients;
pub mod acl;
pub mod tracking;
pub mod pause;
pub mod histogram;
pub mod slowlog;
pub mod latency;
pub mod memory;
pub mod persistence;
pub mod snapshot;
pub mod hotkeys;
pub mod output;
pub mod scripting;
pub mod eviction;
pub mod describe;
pub mod witness;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::data::glob;
use crate::data::value::Value;
use crate::keyspace::{Entry, Keyspace, ValueMut};

use client::{Client, Flags};
use clients::{ClientId, Clients};
use event::{Event, LogLevel};
use notify::Class;

/// The version of Redis that clients are told to expect.
pub const VERSION: &str = "8.10.0";

/// How the engine gets the text of the ACL file, by its path, from its host: the text, or why there is none.
pub type AclReader = fn(&[u8]) -> Result<Vec<u8>, String>;

/// What came of talking to another server.
pub enum Exchanged {
    NotConnected,
    /// One line for each reply.
    Answers(Vec<Vec<u8>>),
    /// The replies until then, and what was being done: `writing` or `reading`.
    Broken(Vec<Vec<u8>>, &'static str),
}

/// How the engine talks to another server while all else waits (MIGRATE): host, port, milliseconds, bytes, and how many
/// lines to read.
pub type Exchange = fn(&[u8], &[u8], u64, &[u8], usize) -> Exchanged;

/// The state of one instance.
pub struct Server {
    pub now_ms: u64,
    pub started_at_ms: u64,
    /// What reads leave in an entry: Unix seconds, 24 bits.
    pub access_clock: u32,
    pub keyspace: Keyspace,
    pub clients: Clients,
    pub pubsub: pubsub::PubSub,
    pub waiting: blocked::Waiting,
    pub config: config::Config,
    pub stats: stats::Stats,
    pub rng: rng::Rng,
    pub propagation: propagation::Propagation,
    pub run_id: String,
    /// Clients that see every command (MONITOR), in the order in which they asked.
    pub monitors: BTreeSet<ClientId>,
    /// Changes to the data since the start: what `dirty` counts.
    pub dirty: u64,
    pub tracking: tracking::Tracking,
    pub pause: Option<pause::Pause>,
    /// Clients that have left more unread than their soft limit, or had lately.
    over_soft_limit: BTreeSet<ClientId>,
    pub eviction: eviction::Eviction,
    next_output_check_ms: u64,
    /// Clients that wait for the end of a pause.
    postponed: VecDeque<ClientId>,
    /// The client whose request is running.
    pub current: Option<ClientId>,
    pub slowlog: slowlog::SlowLog,
    pub latency: latency::Latency,
    pub hotkeys: hotkeys::HotKeys,
    pub acl: acl::Acl,
    /// Reads the ACL file, where the host can.
    pub acl_reader: Option<AclReader>,
    pub exchange: Option<Exchange>,
    /// Whether the host can listen where a new configuration says, of which this parameter has changed.
    pub can_listen: Option<fn(&config::Config, &str) -> bool>,
    pub replication_id: String,
    /// For INFO; 0 where there are no processes.
    pub process_id: u32,
    /// The session may be replayed.
    pub has_journal: bool,
    pub persistence: persistence::Persistence,
    pub scripting: scripting::Scripting,
    /// The most memory measured so far, and when.
    memory_peak: (u64, u64),
    /// DEBUG SLEEP of the running command, in microseconds.
    pub slept: u64,
    /// DEBUG SLEEP of the running request, in milliseconds: what comes after the request comes so much later.
    pub slept_ms: u64,
    /// Memory of the process, where the host can measure it. For INFO only.
    pub resident_bytes: Option<fn() -> u64>,
    /// Clients whose blocking ended: their buffered input is to be run.
    pub unblocked: VecDeque<ClientId>,
    /// Keys not found by the running command, while somebody wants to hear of them.
    pub missed: Vec<Box<[u8]>>,
    /// Who watches which key.
    watchers: BTreeMap<(usize, Box<[u8]>), BTreeSet<ClientId>>,
    events: VecDeque<Event>,
    announced: VecDeque<ClientId>,
    /// Who looks on, if anybody does.
    pub witness: Option<Box<witness::Witness>>,
    /// Statistics only: microseconds of a monotonic clock of the host.
    pub stopwatch: Option<fn() -> u64>,
}

impl Server {
    pub fn new(seed: u64, now_ms: u64) -> Self {
        let mut rng = rng::Rng::new(seed);
        let mut config = config::Config::default();
        // Tables inside values are keyed too, or a hostile client could fill one bucket.
        config.hash.table_seed = rng.next();
        config.set.table_seed = rng.next();
        config.sorted_set.table_seed = rng.next();
        Server {
            now_ms,
            started_at_ms: now_ms,
            access_clock: access_clock(now_ms),
            keyspace: Keyspace::new(config.databases, rng.next()),
            clients: Clients::default(),
            pubsub: pubsub::PubSub::default(),
            waiting: blocked::Waiting::default(),
            stats: stats::Stats::default(),
            run_id: rng.hex(40),
            // Of a source of its own: what is drawn next must not depend on it.
            replication_id: rng::Rng::new(!seed).hex(40),
            rng,
            config,
            propagation: propagation::Propagation::default(),
            monitors: BTreeSet::new(),
            dirty: 0,
            tracking: tracking::Tracking::default(),
            pause: None,
            over_soft_limit: BTreeSet::new(),
            eviction: eviction::Eviction::default(),
            next_output_check_ms: 0,
            postponed: VecDeque::new(),
            current: None,
            slowlog: slowlog::SlowLog::default(),
            latency: latency::Latency::default(),
            hotkeys: hotkeys::HotKeys::default(),
            acl: acl::Acl::default(),
            acl_reader: None,
            exchange: None,
            can_listen: None,
            process_id: 0,
            has_journal: false,
            persistence: persistence::Persistence::new(now_ms),
            scripting: scripting::Scripting::default(),
            memory_peak: (0, now_ms),
            slept: 0,
            slept_ms: 0,
            resident_bytes: None,
            unblocked: VecDeque::new(),
            missed: Vec::new(),
            watchers: BTreeMap::new(),
            events: VecDeque::new(),
            announced: VecDeque::new(),
            witness: None,
            stopwatch: None,
        }
    }

    /// Time never runs backwards.
    pub fn set_now(&mut self, now_ms: u64) {
        if now_ms > self.now_ms {
            self.now_ms = now_ms;
            self.access_clock = access_clock(now_ms);
        }
    }

    /// After commands that nobody sent: what they have left for others to see.
    pub fn forget_run(&mut self) {
        self.announced.clear();
        self.unblocked.clear();
    }

    pub fn microseconds(&self) -> u64 {
        self.stopwatch.map_or(0, |stopwatch| stopwatch())
    }

    pub fn emit(&mut self, event: Event) {
        self.events.push_back(event);
    }

    pub fn log(&mut self, level: LogLevel, text: impl Into<String>) {
        self.emit(Event::Log(level, text.into()));
    }

    pub fn next_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    // WATCH.

    pub fn watch(&mut self, id: ClientId, db: usize, key: &[u8]) {
        let expired = self.keyspace.is_expired(db, key, self.now_ms);
        let Some(client) = self.clients.get_mut(id) else { return };
        if client.watched.iter().any(|(at, watched, _)| *at == db && **watched == *key) {
            return;
        }
        client.watched.push((db, key.into(), expired));
        self.watchers.entry((db, key.into())).or_default().insert(id);
    }

    pub fn unwatch(&mut self, id: ClientId) {
        let Some(client) = self.clients.get_mut(id) else { return };
        for (db, key, _) in std::mem::take(&mut client.watched) {
            let place = (db, key);
            if let Some(ids) = self.watchers.get_mut(&place) {
                ids.remove(&id);
                if ids.is_empty() {
                    self.watchers.remove(&place);
                }
            }
        }
    }

    /// Keys that somebody watches.
    pub fn watched_keys(&self) -> usize {
        self.watchers.len()
    }

    /// Makes the transactions of those who watch `key` fail. One who watched a key that had expired already is not
    /// disturbed when it is reaped.
    pub fn touch_watched(&mut self, db: usize, key: &[u8]) {
        if self.watchers.is_empty() {
            return;
        }
        let Some(ids) = self.watchers.get(&(db, Box::from(key))) else { return };
        let is_gone = self.keyspace.db(db).raw(key).is_none();
        for &id in ids {
            let Some(client) = self.clients.get_mut(id) else { continue };
            let watched = client.watched.iter_mut().find(|(at, watched, _)| *at == db && **watched == *key);
            match watched {
                Some((_, _, had_expired)) if *had_expired && is_gone => *had_expired = false,
                _ => client.flags.add(Flags::DIRTY_CAS),
            }
        }
    }

    /// A watched key whose time has come since it was watched makes the transaction fail, reaped or not.
    pub fn check_watched_expiry(&mut self, id: ClientId) {
        let Some(client) = self.clients.get(id) else { return };
        let has_expired = |(db, key, had_expired): &(usize, Box<[u8]>, bool)| {
            !had_expired && self.keyspace.is_expired(*db, key, self.now_ms)
        };
        if client.watched.iter().any(has_expired)
            && let Some(client) = self.clients.get_mut(id)
        {
            client.flags.add(Flags::DIRTY_CAS);
        }
    }

    /// A database is emptied, or `other` takes its place: transactions fail whose watched keys are not what they were. A key
    /// whose time is up counts as absent, before and after.
    pub fn touch_all_watched(&mut self, db: usize, other: Option<usize>) {
        let keys: Vec<Box<[u8]>> =
            self.watchers.keys().filter(|(at, _)| *at == db).map(|(_, key)| key.clone()).collect();
        for key in keys {
            let was_there = self.keyspace.db(db).raw(&key).is_some();
            let comes = other.is_some_and(|other| self.keyspace.db(other).raw(&key).is_some());
            let comes_expired = other.is_some_and(|other| self.keyspace.is_expired(other, &key, self.now_ms));
            if !was_there && !comes {
                continue;
            }
            for &id in self.watchers.get(&(db, key.clone())).into_iter().flatten() {
                let Some(client) = self.clients.get_mut(id) else { continue };
                let watched = client.watched.iter_mut().find(|(at, watched, _)| *at == db && *watched == key);
                match watched {
                    Some((_, _, had_expired)) if *had_expired && !comes => *had_expired = false,
                    Some((_, _, had_expired)) if *had_expired && comes_expired => {}
                    Some((_, _, had_expired)) if !was_there && comes_expired => *had_expired = true,
                    _ => client.flags.add(Flags::DIRTY_CAS),
                }
            }
        }
    }

    // Changes.

    /// The one hook behind every change to a key: WATCH, waiting clients, notifications, and what else follows keys.
    pub fn changed(&mut self, db: usize, key: &[u8], class: Class, event: &str) {
        self.touch_watched(db, key);
        if let Some(witness) = &mut self.witness {
            witness.changed(db, key);
        }
        self.waiting.signal(db, key);
        self.invalidate(key);
        self.notify(db, key, class, event);
    }

    /// A keyspace notification alone, for what is not a change (`expire` on a copy, `keymiss` …).
    pub fn notify(&mut self, db: usize, key: &[u8], class: Class, event: &str) {
        let wanted = self.config.notify;
        if let Some(witness) = &mut self.witness {
            let is_sent = wanted.has(class) && wanted.has(Class::KEYSPACE.or(Class::KEYEVENT));
            witness.noticed(key, event, is_sent);
        }
        if !wanted.has(class) {
            return;
        }
        if wanted.has(Class::KEYSPACE) {
            let channel = [format!("__keyspace@{db}__:").as_bytes(), key].concat();
            self.publish(&channel, event.as_bytes());
        }
        if wanted.has(Class::KEYEVENT) {
            self.publish(format!("__keyevent@{db}__:{event}").as_bytes(), key);
        }
    }

    /// Whether somebody is to be told which fields of a hash have changed.
    #[inline]
    pub fn wants_fields(&self) -> bool {
        self.config.notify.has(Class::SUBKEYS) && self.config.notify.has(Class::HASH)
    }

    /// The notifications that name fields; they are apart from those of [`Server::notify`]. Names that would blur a
    /// channel's or a payload's borders go to the other channels alone.
    pub fn notify_fields(&mut self, db: usize, key: &[u8], event: &str, fields: &[&[u8]]) {
        if fields.is_empty() || !self.wants_fields() {
            return;
        }
        let wanted = self.config.notify;
        let mut names = Vec::new();
        for field in fields {
            let comma: &[u8] = if names.is_empty() { b"" } else { b"," };
            names.extend_from_slice(comma);
            names.extend_from_slice(format!("{}:", field.len()).as_bytes());
            names.extend_from_slice(field);
        }
        if wanted.has(Class::SUBKEYSPACE) {
            let channel = [format!("__subkeyspace@{db}__:").as_bytes(), key].concat();
            self.publish(&channel, &[event.as_bytes(), b"|", &names].concat());
        }
        if wanted.has(Class::SUBKEYEVENT) {
            let message = [format!("{}:", key.len()).as_bytes(), key, b"|", &names].concat();
            self.publish(format!("__subkeyevent@{db}__:{event}").as_bytes(), &message);
        }
        if wanted.has(Class::SUBKEYSPACEITEM) && !key.contains(&b'\n') {
            for field in fields {
                let channel = [format!("__subkeyspaceitem@{db}__:").as_bytes(), key, b"\n", field].concat();
                self.publish(&channel, event.as_bytes());
            }
        }
        if wanted.has(Class::SUBKEYSPACEEVENT) {
            let channel = [format!("__subkeyspaceevent@{db}__:{event}|").as_bytes(), key].concat();
            self.publish(&channel, &names);
        }
    }

    /// Tells of the keys that the command just run did not find.
    pub fn tell_misses(&mut self, db: usize) {
        for key in std::mem::take(&mut self.missed) {
            self.notify(db, &key, Class::KEY_MISS, "keymiss");
        }
    }

    /// PUBLISH; the number of clients reached. O(listeners + patterns).
    pub fn publish(&mut self, channel: &[u8], message: &[u8]) -> usize {
        if self.pubsub.is_idle() {
            return 0;
        }
        let listeners: Vec<ClientId> =
            self.pubsub.channels.get(channel).map(|ids| ids.iter().copied().collect()).unwrap_or_default();
        let mut reached = listeners.len();
        for id in listeners {
            self.write_to(id, |reply| {
                reply.push(3);
                reply.bulk(b"message");
                reply.bulk(channel);
                reply.bulk(message);
            });
        }
        let matching: Vec<(Box<[u8]>, ClientId)> = self
            .pubsub
            .patterns
            .iter()
            .filter(|(pattern, _)| glob::matches(pattern, channel))
            .flat_map(|(pattern, ids)| ids.iter().map(|id| (pattern.clone(), *id)))
            .collect();
        reached += matching.len();
        for (pattern, id) in matching {
            self.write_to(id, |reply| {
                reply.push(4);
                reply.bulk(b"pmessage");
                reply.bulk(&pattern);
                reply.bulk(channel);
                reply.bulk(message);
            });
        }
        reached
    }

    /// SPUBLISH; the number of clients reached.
    pub fn publish_to_shard(&mut self, channel: &[u8], message: &[u8]) -> usize {
        let listeners: Vec<ClientId> = self
            .pubsub
            .shard_channels
            .get(channel)
            .map(|ids| ids.iter().copied().collect())
            .unwrap_or_default();
        for &id in &listeners {
            self.write_to(id, |reply| {
                reply.push(3);
                reply.bulk(b"smessage");
                reply.bulk(channel);
                reply.bulk(message);
            });
        }
        listeners.len()
    }

    // Expiry.

    /// Removes a key whose time is up, and tells the world.
    pub fn reap(&mut self, db: usize, key: &[u8]) {
        if self.keyspace.db_mut(db).remove(key).is_none() {
            return;
        }
        self.stats.expired_keys += 1;
        self.propagation.add(db, [b"DEL" as &[u8], key].into_iter());
        // Time changed the key, not the client that happened to look: it is told even if it wants no echo.
        let current = self.current.take();
        self.changed(db, key, Class::EXPIRED, "expired");
        self.current = current;
    }

    /// Removes up to `limit` fields of a hash whose time is up, and the key with the last of them, and tells the world;
    /// how many.
    pub fn reap_fields(&mut self, db: usize, key: &[u8], limit: usize) -> usize {
        let now_ms = self.now_ms;
        let database = self.keyspace.db_mut(db);
        if database.field_deadline(key).is_none_or(|when_ms| when_ms > now_ms) {
            return 0;
        }
        let mut reaped: Vec<Box<[u8]>> = Vec::new();
        let (mut next, mut is_empty) = (None, false);
        if let Some(ValueMut::Boxed(Value::Hash(hash))) = database.raw_mut(key).map(Entry::value_mut) {
            hash.reap(now_ms, limit, &mut |field| reaped.push(field.into()));
            (next, is_empty) = (hash.next_expiry(), hash.is_empty());
        }
        database.set_field_deadline(key, next);
        if reaped.is_empty() {
            return 0;
        }
        self.stats.expired_subkeys += reaped.len() as u64;
        for field in &reaped {
            self.propagation.add(db, [b"HDEL" as &[u8], key, field].into_iter());
        }
        self.changed(db, key, Class::HASH, "hexpired");
        if self.wants_fields() {
            let fields: Vec<&[u8]> = reaped.iter().map(|field| &field[..]).collect();
            self.notify_fields(db, key, "hexpired", &fields);
        }
        if is_empty {
            self.keyspace.db_mut(db).remove(key);
            self.changed(db, key, Class::GENERIC, "del");
        }
        reaped.len()
    }

    /// Removes fields of hashes whose time is up, `fields_max` of each database at most. They are known in order, so this
    /// costs nothing when there are none.
    pub fn sweep_fields(&mut self, fields_max: usize) {
        if !self.config.active_expire {
            return;
        }
        for db in 0..self.keyspace.databases() {
            let mut budget = fields_max;
            while let Some(key) = self.keyspace.db(db).next_hash_to_reap(self.now_ms).filter(|_| budget > 0) {
                let key: Box<[u8]> = key.into();
                budget = budget.saturating_sub(self.reap_fields(db, &key, budget).max(1));
                self.propagation.flush();
            }
        }
    }

    /// Looks for expired keys, at `keys_max` keys of each database at most.
    pub fn sweep(&mut self, keys_max: usize) {
        if !self.config.active_expire || self.current_pause().is_some() {
            return;
        }
        let started_at = self.microseconds();
        for db in 0..self.keyspace.databases() {
            let now_ms = self.now_ms;
            let (expired, _) = self.keyspace.db_mut(db).sweep(now_ms, keys_max);
            for key in expired {
                self.reap(db, &key);
            }
            self.keyspace.db_mut(db).step(100);
        }
        self.propagation.flush();
        self.observe_latency("expire-cycle", started_at);
    }

    /// Notes for LATENCY what took longer than its threshold, since a reading of the stopwatch.
    fn observe_latency(&mut self, event: &'static str, started_at: u64) {
        let threshold_ms = self.config.latency_threshold_ms;
        let took_ms = self.microseconds().saturating_sub(started_at) / 1000;
        if threshold_ms > 0 && took_ms >= threshold_ms {
            self.latency.add(event, self.now_ms / 1000, took_ms);
        }
    }

    /// Does what a changed parameter asks for beyond being read anew.
    pub fn follow_config(&mut self, name: &str) {
        if name == "databases" && self.keyspace.is_empty() {
            self.keyspace = Keyspace::new(self.config.databases, self.rng.next());
            self.follow_memory_limits();
        }
        if matches!(name, "maxmemory" | "maxmemory-clients" | "maxmemory-policy") {
            self.follow_memory_limits();
        }
        if name == "requirepass" {
            self.follow_requirepass();
        }
        if name == "tracking-table-max-keys" {
            self.limit_tracked_keys();
        }
    }

    // Databases as a whole.

    /// Empties a database.
    pub fn flush(&mut self, db: usize) {
        self.touch_all_watched(db, None);
        self.keyspace.db_mut(db).clear();
        self.waiting.signal_db(db);
    }

    pub fn swap_databases(&mut self, first: usize, second: usize) {
        if first == second {
            return;
        }
        self.touch_all_watched(first, Some(second));
        self.touch_all_watched(second, Some(first));
        self.keyspace.swap(first, second);
        self.waiting.signal_db(first);
        self.waiting.signal_db(second);
    }

    // Clients.

    /// Closes another client's connection at once: it reads nothing more and is seen no more.
    pub fn kill(&mut self, id: ClientId) {
        self.leave_all(id);
        if let Some(client) = self.clients.get_mut(id) {
            client.discard_queue();
            client.input = Vec::new();
            client.flags.add(Flags::CLOSE_ASAP);
        }
        self.close_after_reply(id);
    }

    /// Ends all that makes the server remember the client between its commands.
    pub fn leave_all(&mut self, id: ClientId) {
        self.unblock(id);
        self.unwatch(id);
        self.unsubscribe_all(id);
        self.stop_tracking(id);
        self.monitors.remove(&id);
    }

    /// Ends a wait; the client's buffered input is run next.
    pub fn unblock(&mut self, id: ClientId) {
        let Some(client) = self.clients.get_mut(id) else { return };
        client.flags.remove(Flags::BLOCKED);
        if let Some(blocked) = client.blocked.take() {
            self.waiting.remove(id, &blocked);
            self.unblocked.push_back(id);
        }
    }

    /// Leaves every channel, without a word.
    pub fn unsubscribe_all(&mut self, id: ClientId) {
        let Some(client) = self.clients.get_mut(id) else { return };
        client.flags.remove(Flags::SUBSCRIBED);
        let channels = std::mem::take(&mut client.channels);
        let patterns = std::mem::take(&mut client.patterns);
        let shard_channels = std::mem::take(&mut client.shard_channels);
        for name in channels {
            pubsub::leave(&mut self.pubsub.channels, &name, id);
        }
        for name in patterns {
            pubsub::leave(&mut self.pubsub.patterns, &name, id);
        }
        for name in shard_channels {
            pubsub::leave(&mut self.pubsub.shard_channels, &name, id);
        }
    }

    /// The connection is gone: forget all that the client held.
    pub fn forget(&mut self, id: ClientId) -> Option<Box<Client>> {
        self.leave_all(id);
        self.stop_counting_client(id);
        self.clients.remove(id)
    }
}

fn access_clock(now_ms: u64) -> u32 {
    (now_ms / 1000) as u32 & 0x00ff_ffff
}

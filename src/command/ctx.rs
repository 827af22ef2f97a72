//! What a running command may do: typed access to keys, the hook for changes, blocking, propagation.

use std::borrow::Cow;

use crate::data::array::Array;
use crate::data::hash::Hash;
use crate::data::list::List;
use crate::data::number;
use crate::data::set::Set;
use crate::data::sorted_set::SortedSet;
use crate::data::stream::Stream;
use crate::data::value::{INLINE_BYTES_MAX, Value};
use crate::keyspace::{Entry, Found, ValueMut, ValueRef};
use crate::resp::{ReplyWriter, Request};
use crate::server::Server;
use crate::server::blocked::{Blocked, OnTimeout};
use crate::server::client::{Client, Flags};
use crate::server::clients::ClientId;
use crate::server::config::Config;
use crate::server::error::{self, Result};
use crate::server::notify::Class;

use super::registry::Registry;
use super::{Args, Command, call};

/// On whose behalf a command runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A request of a client, now.
    Client,
    /// A queued command inside EXEC.
    Exec,
    /// redis.call in a script.
    Script,
    /// A blocked client's command, run again because a key is ready.
    Resumed,
    /// An AOF or a master: no checks, no propagation of its own.
    Stream,
}

/// What becomes of a key's time to live when its value is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ttl {
    Clear,
    Keep,
    /// Unix time in milliseconds.
    At(u64),
}

/// What goes to the AOF and the replicas for a command that changed something.
enum Effects {
    Verbatim,
    /// Verbatim even if nothing has changed.
    Always,
    Nothing,
    Instead(Vec<Request>),
}

pub struct Ctx<'a> {
    pub server: &'a mut Server,
    pub registry: &'a Registry,
    pub client: ClientId,
    pub db: usize,
    pub command: &'static Command,
    pub origin: Origin,
    /// CLIENT NO-TOUCH: keys do not count as used.
    pub keep_clocks: bool,
    words: Args<'a>,
    effects: Effects,
    is_blocked: bool,
}

impl<'a> Ctx<'a> {
    pub(super) fn new(
        server: &'a mut Server,
        registry: &'a Registry,
        client: ClientId,
        db: usize,
        command: &'static Command,
        origin: Origin,
        words: Args<'a>,
    ) -> Self {
        Ctx {
            server,
            registry,
            client,
            db,
            command,
            origin,
            keep_clocks: false,
            words,
            effects: Effects::Verbatim,
            is_blocked: false,
        }
    }

    pub fn now_ms(&self) -> u64 {
        self.server.now_ms
    }

    /// The client on whose behalf this runs.
    pub fn client(&mut self) -> &mut Client {
        self.server.clients.get_mut(self.client).expect("a client outlives its running command")
    }

    /// A random number.
    pub fn random(&mut self) -> u64 {
        self.server.rng.next()
    }

    // Reading keys. `read` is what a command's user sees: it counts hits and misses and touches the access clock.

    /// Reaps the key if its time is up. A stream says itself which keys go.
    #[inline]
    fn expire_now(&mut self, key: &[u8]) {
        let db = self.server.keyspace.db_mut(self.db);
        if db.volatile() > 0
            && self.origin != Origin::Stream
            && matches!(db.find(key, self.server.now_ms), Found::Expired)
        {
            self.server.reap(self.db, key);
        }
    }

    /// As [`Ctx::expire_now`], for reading. While clients are paused nothing is reaped: then true says that the key is still
    /// there but must not be seen.
    #[inline]
    fn expire_or_hide(&mut self, key: &[u8]) -> bool {
        if self.server.pause.is_some() && self.server.current_pause().is_some() {
            return self.server.keyspace.is_expired(self.db, key, self.server.now_ms);
        }
        self.expire_now(key);
        false
    }

    pub fn read(&mut self, key: &[u8]) -> Option<&Entry> {
        let touches = !self.keep_clocks;
        self.read_or_look(key, touches)
    }

    /// As [`Ctx::read`], without touching the access clock: for commands that look at a key and not at its value.
    pub fn look(&mut self, key: &[u8]) -> Option<&Entry> {
        self.read_or_look(key, false)
    }

    #[inline]
    fn read_or_look(&mut self, key: &[u8], touches: bool) -> Option<&Entry> {
        let is_hidden = self.expire_or_hide(key);
        let server = &mut *self.server;
        match server.keyspace.db(self.db).raw(key).filter(|_| !is_hidden) {
            Some(entry) => {
                server.stats.keyspace_hits += 1;
                if touches {
                    let (policy, rng) = (&server.config.eviction, &mut server.rng);
                    policy.note_read(entry, server.access_clock, server.now_ms, &mut || rng.next());
                }
                Some(entry)
            }
            None => {
                server.stats.keyspace_misses += 1;
                if server.config.notify.has(Class::KEY_MISS) {
                    server.missed.push(key.into());
                }
                None
            }
        }
    }

    /// A look that leaves no trace (OBJECT, TTL …), expired keys aside.
    pub fn peek(&mut self, key: &[u8]) -> Option<&Entry> {
        let is_hidden = self.expire_or_hide(key);
        self.server.keyspace.db(self.db).raw(key).filter(|_| !is_hidden)
    }

    /// The entry, to be changed; no hit or miss is counted. Its expiry is changed by [`Ctx::set_expiry`] alone.
    pub fn write(&mut self, key: &[u8]) -> Option<&mut Entry> {
        self.expire_now(key);
        let server = &mut *self.server;
        let entry = server.keyspace.db_mut(self.db).raw_mut(key)?;
        if !self.keep_clocks {
            let (policy, rng) = (&server.config.eviction, &mut server.rng);
            policy.note_write(entry, server.access_clock, server.now_ms, &mut || rng.next());
        }
        Some(entry)
    }

    pub fn exists(&mut self, key: &[u8]) -> bool {
        self.peek(key).is_some()
    }

    /// The string at `key`, or nothing; any other type is an error. A hit or a miss is counted.
    pub fn string(&mut self, key: &[u8]) -> Result<Option<Cow<'_, [u8]>>> {
        self.read(key).map(string_of).transpose()
    }

    /// As [`Ctx::string`], for commands that go on to write.
    pub fn string_to_write(&mut self, key: &[u8]) -> Result<Option<Cow<'_, [u8]>>> {
        self.write(key).map(|entry| string_of(entry)).transpose()
    }

    // Writing keys. None of these tells the world: say `changed`.

    /// A key that has just been seen, and counted as used.
    #[inline]
    fn known(&mut self, key: &[u8]) -> &mut Entry {
        self.server.keyspace.db_mut(self.db).raw_mut(key).expect("it has just been seen")
    }

    /// Stores a string, whatever was there before.
    pub fn set_string(&mut self, key: &[u8], bytes: &[u8], ttl: Ttl) {
        if let Some(int) = number::parse_i64(bytes).filter(|_| bytes.len() <= 20) {
            return self.set_integer(key, int, ttl);
        }
        if bytes.len() > INLINE_BYTES_MAX {
            return self.set_value(key, Value::String(bytes.to_vec()), ttl);
        }
        if self.replaces(key, "string") {
            let entry = self.known(key);
            entry.set_bytes(bytes);
            entry.set_edited(false);
            self.apply_ttl(key, ttl);
        } else {
            let mut entry = Entry::with_bytes(key, bytes);
            if let Ttl::At(when_ms) = ttl {
                entry.set_expires_at(Some(when_ms));
            }
            self.put_new(entry);
        }
    }

    pub fn set_integer(&mut self, key: &[u8], value: i64, ttl: Ttl) {
        if self.replaces(key, "string") {
            self.known(key).set_int(value);
            self.apply_ttl(key, ttl);
        } else {
            let mut entry = Entry::with_int(key, value);
            if let Ttl::At(when_ms) = ttl {
                entry.set_expires_at(Some(when_ms));
            }
            self.put_new(entry);
        }
    }

    /// Stores a value of any type, whatever was there before.
    pub fn set_value(&mut self, key: &[u8], value: Value, ttl: Ttl) {
        if self.replaces(key, value.type_name()) {
            self.known(key).set_boxed(Box::new(value));
            if !self.server.waiting.is_idle() {
                self.server.waiting.overwrite(self.db, key);
            }
            self.server.keyspace.db_mut(self.db).set_field_deadline(key, None);
            self.apply_ttl(key, ttl);
        } else {
            let mut entry = Entry::with_boxed(key, Box::new(value));
            if let Ttl::At(when_ms) = ttl {
                entry.set_expires_at(Some(when_ms));
            }
            self.put_new(entry);
        }
    }

    /// Adds a key that is known to be absent.
    pub fn put_new(&mut self, entry: Entry) {
        let server = &*self.server;
        entry.set_clock(server.config.eviction.first_clock(server.access_clock, server.now_ms));
        if self.server.config.notify.has(Class::NEW) {
            self.server.notify(self.db, entry.key(), Class::NEW, "new");
        }
        self.server.keyspace.db_mut(self.db).put_new(entry);
    }

    /// Whether a live key is there whose value a new one of type `type_name` replaces; says so to those who listen.
    #[inline]
    fn replaces(&mut self, key: &[u8], type_name: &str) -> bool {
        let listening = self.server.config.notify.has(Class::OVERWRITTEN.or(Class::TYPE_CHANGED));
        let Some(entry) = self.write(key) else { return false };
        if listening {
            let type_changes = type_name_of(entry) != type_name;
            self.server.notify(self.db, key, Class::OVERWRITTEN, "overwritten");
            if type_changes {
                self.server.notify(self.db, key, Class::TYPE_CHANGED, "type_changed");
            }
        }
        true
    }

    #[inline]
    fn apply_ttl(&mut self, key: &[u8], ttl: Ttl) {
        let db = self.server.keyspace.db_mut(self.db);
        match ttl {
            Ttl::Keep => {}
            Ttl::Clear if db.volatile() == 0 => {}
            Ttl::Clear => drop(db.set_expiry(key, None)),
            Ttl::At(when_ms) => drop(db.set_expiry(key, Some(when_ms))),
        }
    }

    /// Sets or clears when a key expires; false when there is no such key.
    pub fn set_expiry(&mut self, key: &[u8], when_ms: Option<u64>) -> bool {
        self.server.keyspace.db_mut(self.db).set_expiry(key, when_ms)
    }

    /// Takes a key away without a word; false when it was not there.
    pub fn remove(&mut self, key: &[u8]) -> bool {
        self.expire_now(key);
        self.server.keyspace.db_mut(self.db).remove(key).is_some()
    }

    /// DEL: takes a key away and tells the world.
    pub fn delete(&mut self, key: &[u8]) -> bool {
        let removed = self.remove(key);
        if removed {
            self.changed(key, Class::GENERIC, "del");
        }
        removed
    }

    /// Takes away a key whose last element has gone. The change that emptied it has been counted already.
    pub fn delete_emptied(&mut self, key: &[u8]) {
        if self.remove(key) {
            self.server.changed(self.db, key, Class::GENERIC, "del");
        }
    }

    // Telling the world.

    /// Every change to a key is told here, after it is made.
    pub fn changed(&mut self, key: &[u8], class: Class, event: &str) {
        self.changed_times(key, class, event, 1);
    }

    /// As [`Ctx::changed`], counted as so many changes. None at all is told but not propagated, as by an LTRIM that
    /// trims nothing.
    pub fn changed_times(&mut self, key: &[u8], class: Class, event: &str, times: usize) {
        self.server.dirty += times as u64;
        self.server.changed(self.db, key, class, event);
    }

    /// As [`Ctx::changed`], in a database that is not the client's own (MOVE, COPY … DB).
    pub fn changed_in(&mut self, db: usize, key: &[u8], class: Class, event: &str) {
        self.server.dirty += 1;
        self.server.changed(db, key, class, event);
    }

    /// A second notification for a change that has been told already.
    pub fn notify(&mut self, key: &[u8], class: Class, event: &str) {
        self.server.notify(self.db, key, class, event);
    }

    /// What the AOF and the replicas get instead of the command as it came; several calls add up.
    pub fn propagate_as<T: AsRef<[u8]>>(&mut self, words: &[T]) {
        if self.server.propagation.is_on() {
            match &mut self.effects {
                Effects::Instead(requests) => requests.push(Request::of(words)),
                other => *other = Effects::Instead(vec![Request::of(words)]),
            }
        }
    }

    /// Nothing goes to the AOF and the replicas, although something changed.
    pub fn propagate_nothing(&mut self) {
        self.effects = Effects::Nothing;
    }

    /// The command as it came goes out although no key changed (PUBLISH).
    pub fn propagate_always(&mut self) {
        self.effects = Effects::Always;
    }

    /// Sends on what this command did; called once, when it has ended.
    pub(super) fn propagate(self, changed: bool) {
        let changed = changed || matches!(self.effects, Effects::Always);
        if !changed || !self.server.propagation.is_on() || self.origin == Origin::Stream {
            return;
        }
        match self.effects {
            Effects::Verbatim | Effects::Always => self.server.propagation.add(self.db, self.words.words()),
            Effects::Nothing => {}
            Effects::Instead(requests) => {
                for request in &requests {
                    self.server.propagation.add(self.db, request.iter());
                }
            }
        }
    }

    // Waiting.

    /// Transactions and scripts never wait.
    pub fn may_block(&self) -> bool {
        !matches!(self.origin, Origin::Exec | Origin::Script | Origin::Stream)
    }

    /// Waits until one of `keys` changes; then the command runs again from the start. The command returns at once and
    /// writes nothing. Where waiting is not allowed, the reply of a wait in vain is written. `deadline_ms`: `None` waits for
    /// ever; a command that runs again keeps its first deadline.
    pub fn block<'k>(
        &mut self,
        reply: &mut ReplyWriter,
        keys: impl IntoIterator<Item = &'k [u8]>,
        deadline_ms: Option<u64>,
        on_timeout: OnTimeout,
    ) {
        let words: Vec<&[u8]> = self.words.words().collect();
        self.block_as(reply, &words, keys, deadline_ms, on_timeout, false);
    }

    /// As [`Ctx::block`], but another request runs when a key is ready; `wakes_on_delete`: the client is told when a key
    /// takes another type.
    pub fn block_as<'k>(
        &mut self,
        reply: &mut ReplyWriter,
        words: &[&[u8]],
        keys: impl IntoIterator<Item = &'k [u8]>,
        deadline_ms: Option<u64>,
        on_timeout: OnTimeout,
        wakes_on_delete: bool,
    ) {
        if !self.may_block() {
            return write_timeout(reply, on_timeout);
        }
        self.is_blocked = true;
        if self.origin == Origin::Resumed {
            if matches!(on_timeout, OnTimeout::RetryUntil(_)) {
                self.retry_at(deadline_ms);
            }
            return;
        }
        let mut waits_for: Vec<Box<[u8]>> = Vec::new();
        for key in keys {
            if !waits_for.iter().any(|known| **known == *key) {
                waits_for.push(key.into());
            }
        }
        let blocked = Blocked {
            request: Request::of(words),
            db: self.db,
            keys: waits_for,
            wakes_on_delete,
            deadline_ms,
            since_ms: self.server.now_ms,
            on_timeout,
            order: self.server.waiting.next_order(),
        };
        self.server.waiting.add(self.client, &blocked);
        let client = self.client();
        client.flags.add(Flags::BLOCKED);
        client.blocked = Some(Box::new(blocked));
    }

    /// The client goes on waiting until its first deadline, but its command runs again at `retry_ms`.
    fn retry_at(&mut self, retry_ms: Option<u64>) {
        let Some(mut blocked) = self.client().blocked.take() else { return };
        self.server.waiting.remove(self.client, &blocked);
        if let OnTimeout::RetryUntil(end_ms) = blocked.on_timeout {
            blocked.deadline_ms = retry_ms.into_iter().chain(end_ms).min();
        }
        self.server.waiting.add(self.client, &blocked);
        self.client().blocked = Some(blocked);
    }

    /// The command is paused in the middle, and goes on in a way of its own: nothing is written, nothing is counted yet.
    pub fn suspend(&mut self) {
        self.is_blocked = true;
        self.client().flags.add(Flags::BLOCKED);
    }

    /// Whether [`Ctx::block`] was called.
    pub(super) fn is_blocked(&self) -> bool {
        self.is_blocked
    }

    /// The deadline for a timeout in seconds, as BLPOP takes it; 0 waits for ever.
    pub fn deadline_of_seconds(&self, text: &[u8]) -> Result<Option<u64>> {
        let seconds = number::parse_f64(text).ok_or(error::TIMEOUT_NOT_A_FLOAT)?;
        let milliseconds = libm::ceil(seconds * 1000.0);
        if milliseconds > i64::MAX as f64 {
            return Err(error::TIMEOUT_OUT_OF_RANGE);
        }
        self.deadline_of(milliseconds as i64, seconds < 0.0)
    }

    /// The deadline for a timeout in milliseconds, as XREAD takes it; 0 waits for ever.
    pub fn deadline_of_milliseconds(&self, text: &[u8]) -> Result<Option<u64>> {
        let milliseconds = number::parse_i64(text)
            .ok_or(error::Error::new("ERR timeout is not an integer or out of range"))?;
        self.deadline_of(milliseconds, milliseconds < 0)
    }

    fn deadline_of(&self, milliseconds: i64, is_negative: bool) -> Result<Option<u64>> {
        if is_negative {
            return Err(error::TIMEOUT_NEGATIVE);
        }
        if milliseconds == 0 {
            return Ok(None);
        }
        let deadline =
            self.server.now_ms.checked_add(milliseconds as u64).filter(|&ms| ms <= i64::MAX as u64);
        deadline.map(Some).ok_or(error::TIMEOUT_OUT_OF_RANGE)
    }

    // Running other commands.

    /// The request as it came.
    pub fn request(&self) -> Request {
        let words: Vec<&[u8]> = self.words.words().collect();
        Request::of(&words)
    }

    /// Shows the request to MONITOR before the commands that follow from it.
    pub fn show_to_monitors(&mut self) {
        if !self.server.monitors.is_empty() {
            call::feed_monitors(self.server, self.client, self.command, &self.words, self.origin);
        }
    }

    /// Runs another command on behalf of the same client, in its present database: EXEC's queue, scripts.
    pub fn call(&mut self, request: &Request, reply: &mut ReplyWriter, origin: Origin) {
        call::dispatch(
            self.server,
            self.registry,
            self.client,
            &request.bytes,
            &request.spans,
            reply,
            origin,
        );
        self.db = self.client().db;
    }
}

/// Typed access for one type: reading, changing, creating on demand. Any other type at the key is an error.
macro_rules! typed {
    ($variant:ident, $type:ty, $read:ident, $write:ident, $create:ident) => {
        impl Ctx<'_> {
            /// Counts a hit or a miss and touches the access clock.
            pub fn $read(&mut self, key: &[u8]) -> Result<Option<&$type>> {
                match self.read(key).map(Entry::value) {
                    None => Ok(None),
                    Some(ValueRef::Boxed(Value::$variant(value))) => Ok(Some(value)),
                    Some(_) => Err(error::WRONG_TYPE),
                }
            }

            pub fn $write(&mut self, key: &[u8]) -> Result<Option<&mut $type>> {
                match self.write(key).map(Entry::value_mut) {
                    None => Ok(None),
                    Some(ValueMut::Boxed(Value::$variant(value))) => Ok(Some(value)),
                    Some(_) => Err(error::WRONG_TYPE),
                }
            }

            /// Makes one where there is none; the caller fills it or removes the key.
            pub fn $create(&mut self, key: &[u8], make: impl FnOnce(&Config) -> $type) -> Result<&mut $type> {
                if self.write(key).is_none() {
                    let new = make(&self.server.config);
                    self.put_new(Entry::with_boxed(key, Box::new(Value::$variant(new))));
                }
                match self.known(key).value_mut() {
                    ValueMut::Boxed(Value::$variant(value)) => Ok(value),
                    _ => Err(error::WRONG_TYPE),
                }
            }
        }
    };
}

typed!(List, List, list, list_mut, list_or_create);
typed!(Hash, Hash, unreaped_hash, unreaped_hash_mut, unreaped_hash_or_create);
typed!(Set, Set, set, set_mut, set_or_create);
typed!(Stream, Box<Stream>, stream, stream_mut, stream_or_create);
typed!(SortedSet, SortedSet, sorted_set, sorted_set_mut, sorted_set_or_create);
typed!(Array, Box<Array>, array, array_mut, array_or_create);

/// Hashes lose the fields whose time is up before they are shown.
impl Ctx<'_> {
    /// Counts a hit or a miss and touches the access clock.
    pub fn hash(&mut self, key: &[u8]) -> Result<Option<&Hash>> {
        self.reap_fields(key);
        self.unreaped_hash(key)
    }

    pub fn hash_mut(&mut self, key: &[u8]) -> Result<Option<&mut Hash>> {
        self.reap_fields(key);
        self.unreaped_hash_mut(key)
    }

    /// Makes an empty one where there is none; the caller fills it or removes the key.
    pub fn hash_or_create(&mut self, key: &[u8]) -> Result<&mut Hash> {
        self.reap_fields(key);
        self.unreaped_hash_or_create(key, |_| Hash::new())
    }

    /// A stream says itself which fields go.
    #[inline]
    fn reap_fields(&mut self, key: &[u8]) {
        if self.server.keyspace.db(self.db).hashes_with_field_expiry() > 0 && self.origin != Origin::Stream {
            self.expire_now(key);
            self.server.reap_fields(self.db, key, usize::MAX);
        }
    }

    /// To be called after every change that may have moved the time at which the next field of a hash expires.
    #[inline]
    pub fn set_field_deadline(&mut self, key: &[u8], when_ms: Option<u64>) {
        let db = self.server.keyspace.db_mut(self.db);
        if when_ms.is_some() || db.hashes_with_field_expiry() > 0 {
            db.set_field_deadline(key, when_ms);
        }
    }

    /// Whether a key or a field given this time to live goes at once.
    pub fn is_past(&self, when_ms: u64) -> bool {
        when_ms <= self.server.now_ms && self.origin != Origin::Stream
    }

    /// As [`Ctx::changed`] for `count` fields of a hash; `fields` may be empty unless [`Ctx::wants_fields`].
    pub fn fields_changed<'f>(
        &mut self,
        key: &[u8],
        event: &str,
        count: usize,
        fields: impl IntoIterator<Item = &'f [u8]>,
    ) {
        self.server.dirty += count as u64;
        self.server.changed(self.db, key, Class::HASH, event);
        if self.wants_fields() {
            let fields: Vec<&[u8]> = fields.into_iter().collect();
            self.server.notify_fields(self.db, key, event, &fields);
        }
    }

    /// Whether somebody is to be told which fields have changed.
    pub fn wants_fields(&self) -> bool {
        self.server.wants_fields()
    }
}

/// The string an entry holds; any other type is an error.
pub fn string_of(entry: &Entry) -> Result<Cow<'_, [u8]>> {
    match entry.value() {
        ValueRef::Bytes(bytes) => Ok(Cow::Borrowed(bytes)),
        ValueRef::Int(value) => Ok(Cow::Owned(itoa::Buffer::new().format(value).as_bytes().to_vec())),
        ValueRef::Boxed(Value::String(bytes)) => Ok(Cow::Borrowed(bytes)),
        #[allow(unreachable_patterns)]
        ValueRef::Boxed(_) => Err(error::WRONG_TYPE),
    }
}

/// As TYPE names it.
pub fn type_name_of(entry: &Entry) -> &'static str {
    match entry.value() {
        ValueRef::Int(_) | ValueRef::Bytes(_) => "string",
        ValueRef::Boxed(value) => value.type_name(),
    }
}

/// The reply of a client that waited in vain.
pub fn write_timeout(reply: &mut ReplyWriter, on_timeout: OnTimeout) {
    match on_timeout {
        OnTimeout::Null => reply.null(),
        OnTimeout::NullArray | OnTimeout::RetryUntil(_) => reply.null_array(),
        OnTimeout::Integer(value) => reply.integer(value),
        OnTimeout::RunAgain => {}
    }
}

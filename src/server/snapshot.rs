//! All keys of an instance as the bytes of an RDB file, and back.

use crate::data::number::u64_text;
use crate::data::value::Value;
use crate::keyspace::eviction::{self, Order};
use crate::keyspace::{Entry, ValueRef};
use crate::persist::file::{self, Frame, Item, Use};
use crate::persist::{Bad, Target, dump};
use crate::resp::Request;
use crate::resp::request::encode_request;

use super::event::LogLevel;
use super::{Server, VERSION};

/// What loading a file has brought, beside keys.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The request that takes the file's libraries of functions, if that changes anything.
    pub functions: Option<Request>,
    /// Bytes of the file itself; others may follow it.
    pub bytes: usize,
}

/// What becomes of the keys that are there when others are loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Present {
    /// They go.
    Replaced,
    /// They stay; a key that comes again is an error.
    Kept,
    /// They stay, but for those that come again.
    Merged,
}

impl Server {
    /// An RDB file with every key. One that is the base of an append-only file says so.
    pub fn snapshot(&mut self, is_aof_base: bool) -> Vec<u8> {
        let used = self.measure_memory().used;
        let (created, used) = (u64_text(self.now_ms / 1000), u64_text(used));
        let facts: [(&[u8], &[u8]); 5] = [
            (b"redis-ver", VERSION.as_bytes()),
            (b"redis-bits", b"64"),
            (b"ctime", &created),
            (b"used-mem", &used),
            (b"aof-base", if is_aof_base { b"1" } else { b"0" }),
        ];
        self.write_file(&facts, Target::Anyone)
    }

    /// The same for this engine alone: nothing is lost, not even how a value is encoded.
    pub fn snapshot_for_ourselves(&self) -> Vec<u8> {
        self.write_file(&[], Target::Ourselves)
    }

    /// Commands that make every key, for an append-only file whose base is no RDB file.
    pub fn snapshot_as_commands(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for source in self.scripting.sources() {
            encode_request([b"FUNCTION" as &[u8], b"LOAD", source].into_iter(), &mut out);
        }
        for (number, db) in self.keyspace.iter().enumerate().filter(|(_, db)| !db.is_empty()) {
            encode_request([b"SELECT" as &[u8], &u64_text(number as u64)].into_iter(), &mut out);
            for entry in db.iter() {
                let expires_at = u64_text(entry.expires_at().unwrap_or(0));
                let payload = dump::dump(&entry.value(), false);
                let words: [&[u8]; 5] = [b"RESTORE", entry.key(), &expires_at, &payload, b"ABSTTL"];
                encode_request(words.into_iter(), &mut out);
            }
        }
        out
    }

    fn write_file(&self, facts: &[(&[u8], &[u8])], target: Target) -> Vec<u8> {
        let (policy, now_ms) = (self.config.eviction, self.now_ms);
        let use_of = |entry: &Entry| match policy.order {
            _ if target == Target::Ourselves => Use::Clock(entry.clock()),
            Order::Frequency => Use::Frequency(policy.frequency(entry, now_ms)),
            _ => Use::Idle(eviction::idle_seconds(entry, now_ms)),
        };
        let tells_use = matches!(policy.order, Order::Used | Order::Modified | Order::Frequency)
            || target == Target::Ourselves;
        let frame = Frame {
            target,
            compresses: self.config.text_of("rdbcompression") == b"yes",
            has_checksum: self.config.text_of("rdbchecksum") == b"yes",
            facts,
            functions: &self.scripting.sources(),
            use_of: if tells_use { Some(&use_of) } else { None },
        };
        file::write(&self.keyspace, &frame)
    }

    /// Takes the keys of an RDB file, all or none.
    pub fn load(&mut self, bytes: &[u8], present: Present) -> Result<Loaded, String> {
        let mut keyspace = self.keyspace.emptied();
        let mut loaded = Loaded::default();
        let (mut keys, mut expired, mut empty) = (0, 0, 0);
        let (now_ms, clock, limits) = (self.now_ms, self.access_clock, self.config.limits());
        let policy = self.config.eviction;
        let is_aof = self.persistence.is_loading;
        let checks_sum = self.config.text_of("rdbchecksum") == b"yes" && !self.persistence.skips_checksums;
        let (mut lines, mut sources) = (Vec::new(), Vec::new());
        let result = file::read(bytes, &limits, checks_sum, &mut |item| match item {
            Item::Fact(b"redis-ver", version) => {
                let version = String::from_utf8_lossy(version);
                lines.push((LogLevel::Notice, format!("Loading RDB produced by version {version}")));
                Ok(())
            }
            Item::Fact(..) => Ok(()),
            Item::Function(source) => {
                sources.push(source.to_vec());
                Ok(())
            }
            Item::Skipped { key, why } => {
                let key = String::from_utf8_lossy(key);
                empty += u64::from(why == Bad::Empty);
                lines.push((
                    LogLevel::Warning,
                    match why {
                        Bad::Empty => format!("skipping empty key: {key}"),
                        why => format!("skipping key {key}: {why}"),
                    },
                ));
                Ok(())
            }
            Item::Key { db, entry, used } => {
                let db = usize::try_from(db).ok().filter(|db| *db < keyspace.databases());
                let db = keyspace.db_mut(db.ok_or(Bad::Corrupt("there are not so many databases here"))?);
                // What follows in an append-only file may yet save a key.
                if !is_aof && entry.expires_at().is_some_and(|when_ms| when_ms <= now_ms) {
                    expired += 1;
                    return Ok(());
                }
                keys += 1;
                let is_lfu = policy.order == Order::Frequency;
                entry.set_clock(match used {
                    Some(Use::Clock(clock)) => clock,
                    Some(Use::Idle(seconds)) if !is_lfu => eviction::clock_of_idle(seconds, now_ms),
                    Some(Use::Frequency(frequency)) if is_lfu => {
                        eviction::clock_of_frequency(frequency, now_ms)
                    }
                    _ => policy.first_clock(clock, now_ms),
                });
                if put(db, entry) { Ok(()) } else { Err(Bad::Corrupt("a key comes twice")) }
            }
        });
        let rest = result.map_err(|bad| bad.to_string())?;
        loaded.bytes = bytes.len() - rest.len();
        for (level, line) in lines {
            self.log(level, line);
        }
        self.take_keys(keyspace, present)?;
        // The new databases have not been counted.
        self.follow_memory_limits();
        loaded.functions = self.functions_request(&sources, present);
        (self.persistence.keys_loaded, self.persistence.keys_expired) = (keys, expired);
        let skipped = if empty > 0 { format!(", empty keys skipped: {empty}") } else { String::new() };
        let text = format!("Done loading RDB, keys loaded: {keys}, keys expired: {expired}{skipped}.");
        self.log(LogLevel::Notice, text);
        Ok(loaded)
    }

    fn functions_request(&self, sources: &[Vec<u8>], present: Present) -> Option<Request> {
        let replaces_all = present == Present::Replaced;
        if sources.is_empty() && (!replaces_all || self.scripting.sources().is_empty()) {
            return None;
        }
        let sources: Vec<&[u8]> = sources.iter().map(Vec::as_slice).collect();
        let payload = file::libraries(&sources, false);
        let how: &[u8] = if replaces_all { b"FLUSH" } else { b"REPLACE" };
        Some(Request::of(&[b"FUNCTION" as &[u8], b"RESTORE", payload.as_slice(), how]))
    }

    fn take_keys(&mut self, mut keyspace: crate::keyspace::Keyspace, present: Present) -> Result<(), String> {
        for db in 0..keyspace.databases() {
            match present {
                Present::Replaced => {
                    self.touch_all_watched(db, None);
                    std::mem::swap(self.keyspace.db_mut(db), keyspace.db_mut(db));
                    self.waiting.signal_db(db);
                }
                Present::Kept | Present::Merged => {
                    let old = self.keyspace.db(db);
                    if present == Present::Kept && keyspace.db(db).iter().any(|e| old.raw(e.key()).is_some())
                    {
                        return Err("a key is there already".to_owned());
                    }
                    let new = keyspace.db_mut(db);
                    let keys: Vec<Box<[u8]>> = new.iter().map(|entry| entry.key().into()).collect();
                    for entry in keys.iter().filter_map(|key| new.remove(key)) {
                        put(self.keyspace.db_mut(db), entry);
                    }
                    self.waiting.signal_db(db);
                }
            }
        }
        Ok(())
    }
}

/// False when there was such a key, which is replaced.
fn put(db: &mut crate::keyspace::Db, entry: Entry) -> bool {
    let fields_expire_at = match entry.value() {
        ValueRef::Boxed(Value::Hash(hash)) => hash.next_expiry(),
        _ => None,
    };
    let key: Option<Box<[u8]>> = fields_expire_at.map(|_| entry.key().into());
    let is_new = db.put(entry).is_none();
    if let Some(key) = key {
        db.set_field_deadline(&key, fields_expire_at);
    }
    is_new
}

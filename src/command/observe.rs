//! Tells a [`Witness`] what commands do: their keys before and after, and what they counted.

use crate::data::value::Value;
use crate::keyspace::{Entry, ValueRef};
use crate::server::Server;
use crate::server::clients::ClientId;
use crate::server::witness::{KeyStep, Look, Step, Witness};

use super::ctx::{Origin, type_name_of};
use super::{Args, Command, keyspec};

const KEYS_MAX: usize = 32;
const WORDS_MAX: usize = 16;
const WORD_BYTES_MAX: usize = 64;
/// Longer strings are no longer held beside their header in Redis, and OBJECT ENCODING says so.
const EMBEDDED_BYTES_MAX: usize = 44;

/// As OBJECT ENCODING names it.
pub fn encoding_of(entry: &Entry) -> &'static str {
    match entry.value() {
        ValueRef::Int(_) => "int",
        ValueRef::Bytes(bytes) if bytes.len() <= EMBEDDED_BYTES_MAX && !entry.is_edited() => "embstr",
        ValueRef::Bytes(_) | ValueRef::Boxed(Value::String(_)) => "raw",
        ValueRef::Boxed(value) => value.encoding(),
    }
}

/// How a value is held.
pub fn look(entry: &Entry) -> Look {
    let size = match entry.value() {
        ValueRef::Int(int) => int.to_string().len() as u64,
        ValueRef::Bytes(bytes) => bytes.len() as u64,
        ValueRef::Boxed(value) => match value {
            Value::String(bytes) => bytes.len() as u64,
            Value::List(list) => list.len() as u64,
            Value::Hash(hash) => hash.len() as u64,
            Value::Set(set) => set.len() as u64,
            Value::SortedSet(set) => set.len() as u64,
            Value::Stream(stream) => stream.len() as u64,
            Value::Array(array) => array.count(),
        },
    };
    Look {
        type_name: type_name_of(entry),
        encoding: encoding_of(entry),
        size,
        expires_at: entry.expires_at(),
    }
}

fn look_at(server: &Server, db: usize, key: &[u8]) -> Option<Look> {
    server.keyspace.db(db).peek(key, server.now_ms).map(look)
}

/// A command is about to run, and somebody looks on.
pub(super) fn begin(
    server: &mut Server,
    id: ClientId,
    db: usize,
    command: &'static Command,
    words: &Args,
    origin: Origin,
) {
    let Some(mut witness) = server.witness.take() else { return };
    let step = witness.next_depth().map(|depth| {
        let found = keyspec::find(command.name, command.keys, words.argc(), &|index| words.get(index));
        let keys = found.iter().take(KEYS_MAX).map(|(position, flags)| {
            let key = words.get(position);
            let before = look_at(server, db, key);
            KeyStep { key: key.to_vec(), position, flags: flags.names().collect(), before, after: None }
        });
        let cut = |word: &[u8]| word[..word.len().min(WORD_BYTES_MAX)].to_vec();
        Step {
            name: command.name,
            client: id.serial,
            origin: match origin {
                Origin::Client => "client",
                Origin::Exec => "exec",
                Origin::Script => "script",
                Origin::Resumed => "resumed",
                Origin::Stream => "stream",
            },
            depth,
            words: words.words().take(WORDS_MAX).map(cut).collect(),
            word_count: words.argc(),
            keys: keys.collect(),
            notices: Vec::new(),
            changes: server.dirty,
            lookups: server.stats.keyspace_hits + server.stats.keyspace_misses,
            is_blocked: false,
        }
    });
    witness.begin(step);
    server.witness = Some(witness);
}

/// The command that began last has ended.
pub(super) fn end(server: &mut Server, db: usize, is_blocked: bool) {
    let Some(mut witness) = server.witness.take() else { return };
    if let Some(step) = witness.end() {
        step.changes = server.dirty - step.changes;
        step.lookups = server.stats.keyspace_hits + server.stats.keyspace_misses - step.lookups;
        step.is_blocked = is_blocked;
        for key in &mut step.keys {
            key.after = look_at(server, db, &key.key);
        }
    }
    server.witness = Some(witness);
}

/// Lets a server be looked at; `closely`: every command, not only the keys that change.
pub fn watch(server: &mut Server, closely: bool) {
    let mut witness = Witness::default();
    witness.steps = closely.then(Vec::new);
    server.witness = Some(Box::new(witness));
}

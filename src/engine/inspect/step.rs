//! What one input did, taken apart: the bytes, the commands that ran, their keys, and the values before and after.

use super::wire::wire;
use super::{Part, facts, timeline, value};
use crate::data::value::Value;
use crate::engine::Engine;
use crate::engine::journal::Input;
use crate::keyspace::ValueRef;
use crate::resp::reply::{Decoder, Reply};
use crate::server::Server;
use crate::server::witness::{KeyStep, Look, Step};

/// Changed keys compared.
const DIFFERENCES_MAX: usize = 20;
/// Elements of a value compared.
const ELEMENTS_MAX: usize = 60;
/// Longer replies are not decoded to be counted.
const COUNTED_BYTES_MAX: usize = 1024 * 1024;

/// One input and what came of it outside.
#[derive(Default)]
pub struct Deed {
    pub input: Option<Input>,
    /// What clients were sent, by serial.
    pub output: Vec<(u64, Vec<u8>)>,
    pub propagated: Vec<u8>,
}

pub fn step(moment: usize, deed: &Deed, before: &Server, after: &Engine) -> Part {
    let Some(input) = &deed.input else { return Part::Nothing };
    let server = after.server();
    let request = match input {
        Input::Receive { bytes, .. } => wire(bytes),
        _ => Part::Nothing,
    };
    let output = deed.output.iter().map(|(client, bytes)| {
        let is_resp3 = server
            .clients
            .by_serial(*client)
            .and_then(|id| server.clients.get(id))
            .is_some_and(|client| client.reply.is_resp3());
        Part::Record(vec![
            ("client", Part::time(*client)),
            ("resp", Part::count(if is_resp3 { 3 } else { 2 })),
            ("elements", elements(bytes)),
            ("wire", wire(bytes)),
        ])
    });
    let witness = server.witness.as_deref();
    let steps = witness.and_then(|witness| witness.steps.as_deref()).unwrap_or_default();
    let changes = witness.map(|witness| witness.changes.as_slice()).unwrap_or_default();
    let differences = changes.iter().take(DIFFERENCES_MAX).map(|(db, key)| {
        Part::Record(vec![
            ("db", Part::count(*db)),
            ("key", Part::bytes(key)),
            ("before", compared(before, server.now_ms, *db, key)),
            ("after", compared(server, server.now_ms, *db, key)),
        ])
    });
    Part::Record(vec![
        ("input", timeline::moment(moment, input)),
        ("before", Part::time(before.now_ms)),
        ("now", Part::time(server.now_ms)),
        ("request", request),
        ("output", Part::List(output.collect())),
        ("propagated", wire(&deed.propagated)),
        ("steps", Part::List(steps.iter().map(|step| command(step, after)).collect())),
        ("missed", Part::time(witness.map_or(0, |witness| witness.missed_steps))),
        ("changes", Part::count(changes.len())),
        ("differences", Part::List(differences.collect())),
    ])
}

/// A value to compare, if it can be compared cheaply: a window on a long one would move.
fn compared(server: &Server, now_ms: u64, db: usize, key: &[u8]) -> Part {
    let Some(database) = (db < server.keyspace.databases()).then(|| server.keyspace.db(db)) else {
        return Part::Nothing;
    };
    let from = match database.peek(key, now_ms).map(|entry| entry.value()) {
        // New entries come last.
        Some(ValueRef::Boxed(Value::Stream(stream))) => stream.len().saturating_sub(ELEMENTS_MAX),
        _ => 0,
    };
    value(server, db, key, from, ELEMENTS_MAX)
}

/// Elements of the reply, if there is a whole one.
fn elements(bytes: &[u8]) -> Part {
    if bytes.len() > COUNTED_BYTES_MAX {
        return Part::Nothing;
    }
    let mut decoder = Decoder::new();
    decoder.feed(bytes);
    match decoder.next_reply() {
        Ok(Some(reply)) => Part::count(reply.elements().map_or(1, <[Reply]>::len)),
        _ => Part::Nothing,
    }
}

fn command(step: &Step, engine: &Engine) -> Part {
    let registry = engine.registry();
    let declared = registry.entries().iter().map(|entry| entry.command).find(|it| it.name == step.name);
    let words = step.words.iter().map(|word| Part::bytes(word)).collect();
    let notices = step.notices.iter().map(|notice| {
        Part::Record(vec![
            ("event", Part::text(&notice.event)),
            ("key", Part::bytes(&notice.key)),
            ("sent", Part::Flag(notice.is_sent)),
        ])
    });
    Part::Record(vec![
        ("name", Part::text(step.name)),
        ("client", Part::time(step.client)),
        ("origin", Part::text(step.origin)),
        ("depth", Part::count(step.depth)),
        ("words", Part::List(words)),
        ("wordCount", Part::count(step.word_count)),
        ("complexity", Part::text(declared.map_or("", |command| command.complexity))),
        ("summary", Part::text(declared.map_or("", |command| command.summary))),
        ("specs", declared.map_or(Part::List(Vec::new()), facts::specs_of)),
        ("keys", Part::List(step.keys.iter().map(key_step).collect())),
        ("notices", Part::List(notices.collect())),
        ("changes", Part::time(step.changes)),
        ("lookups", Part::time(step.lookups)),
        ("blocked", Part::Flag(step.is_blocked)),
    ])
}

fn key_step(step: &KeyStep) -> Part {
    let flags = step.flags.iter().map(|flag| Part::text(flag)).collect();
    Part::Record(vec![
        ("key", Part::bytes(&step.key)),
        ("word", Part::count(step.position)),
        ("flags", Part::List(flags)),
        ("before", look(step.before)),
        ("after", look(step.after)),
    ])
}

fn look(look: Option<Look>) -> Part {
    let Some(look) = look else { return Part::Nothing };
    Part::Record(vec![
        ("type", Part::text(look.type_name)),
        ("encoding", Part::text(look.encoding)),
        ("size", Part::time(look.size)),
        ("expires", Part::time_or_nothing(look.expires_at)),
    ])
}

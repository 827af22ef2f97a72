//! What the panels of the page ask of an engine, as structured values.

use js_sys::{Array, Uint8Array};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsError, JsValue};

use super::Engine;
use crate::cli::transcript::{self, What};
use crate::command::observe;
use crate::engine::inspect::{self, KeysQuery, Part};
use crate::engine::journal::Journal;
use crate::resp::Protocol;
use crate::server::Server;

impl Serialize for Part {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Part::Nothing => serializer.serialize_unit(),
            Part::Flag(flag) => serializer.serialize_bool(*flag),
            Part::Number(number) => serializer.serialize_f64(*number),
            Part::Integer(integer) => serializer.serialize_i64(*integer),
            Part::Text(text) => serializer.serialize_str(text),
            Part::Bytes(bytes) => serializer.serialize_bytes(bytes),
            Part::List(parts) => {
                let mut list = serializer.serialize_seq(Some(parts.len()))?;
                for part in parts {
                    list.serialize_element(part)?;
                }
                list.end()
            }
            Part::Record(fields) => {
                // Not a struct: its names would be kept on both sides, and come out as others once memory is put back.
                let mut record = serializer.serialize_map(Some(fields.len()))?;
                for (name, part) in fields {
                    record.serialize_entry(name, part)?;
                }
                record.end()
            }
        }
    }
}

fn told(part: &Part) -> JsValue {
    let serializer = serde_wasm_bindgen::Serializer::new()
        .serialize_missing_as_null(true)
        .serialize_maps_as_objects(true)
        .serialize_large_number_types_as_bigints(true);
    // A tree of plain values always converts.
    part.serialize(&serializer).unwrap_or(JsValue::NULL)
}

fn words(array: &Array) -> Vec<Vec<u8>> {
    array.iter().map(|word| Uint8Array::new(&word).to_vec()).collect()
}

fn keys_of(server: &Server, db: usize, open: &Array, filter: &[u8], from: usize, count: usize) -> JsValue {
    let query = KeysQuery { db, open: words(open), filter: filter.to_vec(), from, count };
    told(&inspect::keys(server, &query))
}

/// The line of the command that makes an edit by hand.
#[wasm_bindgen]
pub fn edit_line(name: &str, given: &Array) -> Option<String> {
    inspect::edit(name, &words(given))
}

/// What a transcript does, step by step: `[{say, pass, client, line}]`, or why it is none.
#[wasm_bindgen]
pub fn transcript_steps(text: &str) -> JsValue {
    let steps = match transcript::parse(text) {
        Ok(steps) => steps,
        Err(error) => return error.to_string().into(),
    };
    let told_of = |what: &What| {
        let text = |text: &str| Part::text(text.trim());
        let (mut say, mut pass, mut by, mut line) =
            (Part::Nothing, Part::Nothing, Part::Nothing, Part::Nothing);
        match what {
            What::Comment(comment) => say = text(comment),
            What::Clock { ms } => pass = Part::time(*ms),
            What::Command { client, text: command, .. } => (by, line) = (text(client), text(command)),
            _ => return None,
        }
        Some(Part::Record(vec![("say", say), ("pass", pass), ("client", by), ("line", line)]))
    };
    told(&Part::List(steps.iter().filter_map(|step| told_of(&step.what)).collect()))
}

/// Bytes of requests or replies, part by part.
#[wasm_bindgen]
pub fn wire_parts(bytes: &[u8]) -> JsValue {
    told(&inspect::wire(bytes))
}

#[wasm_bindgen]
impl Engine {
    /// What declarations say of a request that runs elsewhere.
    pub fn facts(&self, request: &[u8]) -> JsValue {
        told(&inspect::facts(self.inner.registry(), request))
    }

    /// Whether a script is paused between two turns.
    pub fn is_running(&self) -> bool {
        self.inner.server().scripting.running.is_some()
    }

    /// The moment before the running script began.
    pub fn calm(&self) -> usize {
        self.calm
    }

    /// Ends a running script as another client would; false when it must not be ended, since it has written.
    pub fn stop_script(&mut self, now_ms: f64) -> bool {
        let now_ms = now_ms as u64;
        let id = self.inner.connect(now_ms);
        self.inner.receive(id, b"SCRIPT KILL\r\nFUNCTION KILL\r\n", now_ms);
        self.inner.disconnect(id, now_ms);
        self.inner.tick(now_ms);
        !self.is_running()
    }

    /// From now on, changed keys are told of.
    pub fn watch(&mut self) {
        observe::watch(self.inner.server_mut(), false);
    }

    /// The keys changed since the last call, as `[db, key]`; the latest last.
    pub fn changes(&mut self) -> JsValue {
        let witness = self.inner.server_mut().witness.as_mut();
        let changes = witness.map(|witness| std::mem::take(&mut witness.changes)).unwrap_or_default();
        let change = |(db, key): &(usize, Box<[u8]>)| Part::List(vec![Part::count(*db), Part::bytes(key)]);
        told(&Part::List(changes.iter().map(change).collect()))
    }

    pub fn tree(&self, db: usize, open: &Array, filter: &[u8], from: usize, count: usize) -> JsValue {
        keys_of(self.inner.server(), db, open, filter, from, count)
    }

    pub fn value(&self, db: usize, key: &[u8], from: usize, count: usize) -> JsValue {
        told(&inspect::value(self.inner.server(), db, key, from, count))
    }

    /// The inputs so far: the number of the present moment.
    pub fn moment(&self) -> usize {
        self.inner.journal().map_or(0, |journal| journal.len())
    }

    pub fn timeline(&self, from: usize, count: usize) -> JsValue {
        self.inner.journal().map_or(JsValue::NULL, |journal| told(&inspect::timeline(journal, from, count)))
    }

    pub fn now(&self) -> f64 {
        self.inner.server().now_ms as f64
    }

    /// An engine that goes on from a moment, as if nothing had followed it.
    pub fn branch(&self, moment: usize) -> Option<Engine> {
        Some(Engine::played(self.inner.journal()?, moment))
    }
}

/// A moment of a session, played again in an instance that holds nothing else: its memory is what a page puts back to go to
/// an earlier moment.
#[wasm_bindgen]
pub struct Past {
    inner: inspect::Past,
}

#[wasm_bindgen]
impl Past {
    /// Before the first input of a journal.
    #[wasm_bindgen(constructor)]
    pub fn new(journal: &[u8]) -> Result<Past, JsError> {
        let head = journal.get(..journal.len().min(24)).and_then(Journal::from_bytes);
        let journal = head.ok_or_else(|| JsError::new("the journal is damaged"))?;
        Ok(Past { inner: inspect::Past::new(journal.seed(), journal.started_at_ms()) })
    }

    /// Goes on to the moment after the last of these inputs, of which the first is the one of this moment.
    pub fn play(&mut self, inputs: &[u8]) {
        self.inner.play(inputs);
    }

    /// Inputs before the one of this moment.
    pub fn played(&self) -> usize {
        self.inner.played()
    }

    pub fn moment(&self) -> usize {
        self.inner.moment()
    }

    pub fn tree(&self, db: usize, open: &Array, filter: &[u8], from: usize, count: usize) -> JsValue {
        keys_of(self.inner.server(), db, open, filter, from, count)
    }

    pub fn value(&self, db: usize, key: &[u8], from: usize, count: usize) -> JsValue {
        told(&inspect::value(self.inner.server(), db, key, from, count))
    }

    pub fn step(&self) -> JsValue {
        told(&self.inner.step())
    }

    /// The reply taken apart as the other protocol, 2 or 3, has it. The memory is to be put back afterwards.
    pub fn reply_as(&mut self, resp: u8) -> JsValue {
        let protocol = if resp == 3 { Protocol::Resp3 } else { Protocol::Resp2 };
        told(&inspect::wire(&self.inner.reply_as(protocol)))
    }

    /// Has the allocator take so much memory at once, so that it need not grow for a while.
    pub fn reserve(bytes: usize) {
        drop(Vec::<u8>::with_capacity(bytes));
    }
}

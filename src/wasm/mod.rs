//! The browser host: what JavaScript sees of the engine and of the terminal. Converts values and nothing else.
//!
//! Times are milliseconds as JavaScript counts them, clients are named by their serial, commands and replies cross as
//! bytes; what is to be shown crosses as text with the ends and classes of its spans.

#![allow(clippy::new_without_default, reason = "JavaScript knows constructors, not `Default`")]

mod actions;
mod inspect;
mod printed;

use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsError, JsValue};

use crate::cli::complete::{self, KeyQuery};
use crate::cli::format::Class;
use crate::cli::transcript;
use crate::engine;
use crate::engine::journal::Journal;
use crate::playback::{Playback, SEED, STARTED_AT_MS};
use crate::server::event::Event;

pub use actions::Session;
pub use inspect::Past;
pub use printed::Printed;

#[wasm_bindgen(start)]
fn start() {
    console_error_panic_hook::set_once();
}

#[wasm_bindgen]
extern "C" {
    fn load_rest_of_engine();
}

/// Has the host load what the page did not need at first. `xtask/src/split.rs` puts calls of the same function where the
/// rest is needed; in the module as a whole there is none.
#[wasm_bindgen]
pub fn load_rest() {
    load_rest_of_engine();
}

/// The version of the engine, as in `Cargo.toml`.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

/// The names of the classes that spans carry, by number.
#[wasm_bindgen]
pub fn class_names() -> Vec<String> {
    Class::ALL.iter().map(|class| class.name().to_owned()).collect()
}

/// Plays a transcript on an instance of its own, in virtual time: the same text with the output as it really is.
#[wasm_bindgen]
pub fn play_transcript(text: &str) -> Result<String, JsError> {
    let steps = transcript::parse(text).map_err(|error| JsError::new(&error.to_string()))?;
    Ok(transcript::print(
        &Playback::new(engine::Engine::with_journal(SEED, STARTED_AT_MS), false).play(&steps),
    ))
}

/// One instance with the journal of its inputs.
#[wasm_bindgen]
pub struct Engine {
    inner: engine::Engine,
    /// How many inputs there were when no script ran for the last time.
    calm: usize,
}

#[wasm_bindgen]
impl Engine {
    #[wasm_bindgen(constructor)]
    pub fn new(seed: u32, now_ms: f64) -> Engine {
        Engine { inner: engine::Engine::with_journal(u64::from(seed), now_ms as u64), calm: 0 }
    }

    /// Plays a journal; what its clients were sent then is thrown away.
    pub fn replay(journal: &[u8]) -> Result<Engine, JsError> {
        let journal = Journal::from_bytes(journal).ok_or_else(|| JsError::new("the journal is damaged"))?;
        Ok(Engine::played(&journal, usize::MAX))
    }

    /// Starts the journal anew from the state of now; false while that cannot be done, as when a client waits. The journal is
    /// then another: take it from its first byte on.
    pub fn checkpoint(&mut self) -> bool {
        self.inner.checkpoint()
    }

    /// All keys and libraries of functions as an RDB file, which any Redis reads as far as it knows the types.
    pub fn snapshot(&mut self) -> Vec<u8> {
        self.inner.snapshot()
    }

    /// Takes the place of all keys by those of an RDB file. On an error nothing has changed.
    pub fn load(&mut self, rdb: &[u8], now_ms: f64) -> Result<(), JsError> {
        self.inner.load(rdb, now_ms as u64).map_err(|reason| JsError::new(&reason))
    }

    pub fn connect(&mut self, now_ms: f64) -> f64 {
        self.inner.connect(now_ms as u64).serial as f64
    }

    pub fn disconnect(&mut self, client: f64, now_ms: f64) {
        if let Some(id) = self.id(client) {
            self.inner.disconnect(id, now_ms as u64);
        }
    }

    /// The clients connected, oldest first.
    pub fn clients(&self) -> Vec<f64> {
        self.inner.server().clients.ids().iter().map(|id| id.serial as f64).collect()
    }

    pub fn receive(&mut self, client: f64, bytes: &[u8], now_ms: f64) {
        if let Some(id) = self.id(client) {
            self.note_calm();
            self.inner.receive(id, bytes, now_ms as u64);
        }
    }

    pub fn tick(&mut self, now_ms: f64) {
        self.inner.tick(now_ms as u64);
    }

    /// Changes to the data since the start: as long as it stays the same, nothing was done that could be lost.
    pub fn dirty(&self) -> f64 {
        self.inner.server().dirty as f64
    }

    pub fn next_deadline(&self) -> Option<f64> {
        self.inner.next_deadline().map(|ms| ms as f64)
    }

    /// When time alone brings about the next thing that somebody would notice.
    pub fn next_due(&self) -> Option<f64> {
        self.inner.next_due().map(|ms| ms as f64)
    }

    pub fn next_with_output(&mut self) -> Option<f64> {
        self.inner.next_with_output().map(|id| id.serial as f64)
    }

    pub fn take_output(&mut self, client: f64) -> Vec<u8> {
        self.id(client).map(|id| self.inner.take_output(id)).unwrap_or_default()
    }

    /// The next client the engine wants closed. Its other wishes concern hosts with files and processes.
    pub fn next_to_close(&mut self) -> Option<f64> {
        while let Some(event) = self.inner.next_event() {
            if let Event::Close(id) = event {
                return Some(id.serial as f64);
            }
        }
        None
    }

    pub fn journal_length(&self) -> usize {
        self.inner.journal().map_or(0, |journal| journal.bytes().len())
    }

    /// The journal from a byte on.
    pub fn journal_from(&self, start: usize) -> Vec<u8> {
        let bytes = self.inner.journal().map_or(&[][..], Journal::bytes);
        bytes.get(start..).unwrap_or_default().to_vec()
    }

    /// Traps as a bug would.
    pub fn crash_for_test(&self) {
        panic!("a crash was asked for");
    }

    /// Live keys that fit, as far as a look at some of them finds them.
    fn keys(&self, db: i64, query: &KeyQuery) -> Vec<Vec<u8>> {
        let keyspace = &self.inner.server().keyspace;
        let Some(number) = usize::try_from(db).ok().filter(|&number| number < keyspace.databases()) else {
            return Vec::new();
        };
        complete::live_keys(keyspace.db(number), query, self.inner.server().now_ms)
    }

    /// An engine that has played the first inputs of a journal; what its clients were sent is thrown away.
    fn played(journal: &Journal, inputs: usize) -> Engine {
        let inner = engine::Engine::with_journal(journal.seed(), journal.started_at_ms());
        let mut engine = Engine { inner, calm: 0 };
        for input in journal.inputs().take(inputs) {
            engine.note_calm();
            engine.inner.apply(input);
        }
        while let Some(id) = engine.inner.next_with_output() {
            engine.inner.take_output(id);
        }
        while engine.inner.next_event().is_some() {}
        engine
    }

    fn note_calm(&mut self) {
        if !self.is_running() {
            self.calm = self.moment();
        }
    }

    fn id(&self, client: f64) -> Option<engine::ClientId> {
        self.inner.server().clients.by_serial(client as u64)
    }
}

/// An object with these properties.
fn object<const N: usize>(properties: [(&str, JsValue); N]) -> JsValue {
    let object = js_sys::Object::new();
    for (name, value) in properties {
        // Setting a property of a fresh plain object cannot fail.
        js_sys::Reflect::set(&object, &name.into(), &value).ok();
    }
    object.into()
}

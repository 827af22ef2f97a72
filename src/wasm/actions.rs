//! One terminal as JavaScript sees it: every call answers what is to be done, in order, as plain objects.

use js_sys::{Array, Uint8Array};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::printed::Printed;
use super::{Engine, object};
use crate::cli::format::Class;
use crate::cli::options::Tool;
use crate::cli::session::{self, Action, Address, FileUse, MONITORING, READING, Settings, Standing, State};
use crate::cli::table::Table;
use crate::cli::{complete, printed};

#[wasm_bindgen]
pub struct Session {
    inner: session::Session,
    /// The keys are elsewhere: an engine at hand knows their names at most.
    knows_names_only: bool,
}

#[wasm_bindgen]
#[allow(clippy::new_without_default, reason = "JavaScript calls the constructor")]
impl Session {
    #[wasm_bindgen(constructor)]
    pub fn new() -> Session {
        let settings = Settings { may_connect: false, ..Settings::default() };
        let mut inner = session::Session::new(settings);
        inner.set_table(Table::builtin());
        Session { inner, knows_names_only: false }
    }

    /// A terminal of a server elsewhere, and of any other that it is told to connect to.
    pub fn at(host: String, port: u16) -> Session {
        let settings = Settings { address: Address::Tcp { host, port }, ..Settings::default() };
        let mut inner = session::Session::new(settings);
        inner.set_table(Table::builtin());
        Session { inner, knows_names_only: true }
    }

    pub fn start(&mut self, now_ms: f64) -> Array {
        converted(self.inner.start(now_ms as u64))
    }

    /// What [`Session::resume`] of another instance wants, or nothing while a reply is awaited.
    pub fn standing(&self) -> Option<Vec<f64>> {
        let standing = self.inner.standing()?;
        let flag = |is: bool| f64::from(u8::from(is));
        Some(vec![
            standing.db as f64,
            standing.db_before_multi as f64,
            flag(standing.in_multi),
            flag(standing.subscribed),
            flag(standing.monitoring),
            flag(standing.resp3),
            flag(standing.hints),
        ])
    }

    /// In the place of `start`: the connection stands already, where another session left it.
    pub fn resume(&mut self, standing: &[f64]) {
        if let &[db, db_before_multi, in_multi, subscribed, monitoring, resp3, hints] = standing {
            self.inner.resume(Standing {
                db: db as i64,
                db_before_multi: db_before_multi as i64,
                in_multi: in_multi != 0.0,
                subscribed: subscribed != 0.0,
                monitoring: monitoring != 0.0,
                resp3: resp3 != 0.0,
                hints: hints != 0.0,
            });
        }
    }

    pub fn connected(&mut self, now_ms: f64) -> Array {
        converted(self.inner.connected(now_ms as u64))
    }

    pub fn connect_failed(&mut self, reason: &str, now_ms: f64) -> Array {
        converted(self.inner.connect_failed(reason, now_ms as u64))
    }

    pub fn disconnected(&mut self, now_ms: f64) -> Array {
        converted(self.inner.disconnected(None, now_ms as u64))
    }

    pub fn submit(&mut self, line: &str, now_ms: f64) -> Array {
        converted(self.inner.submit(line, now_ms as u64))
    }

    pub fn receive(&mut self, bytes: &[u8], now_ms: f64) -> Array {
        converted(self.inner.receive(bytes, now_ms as u64))
    }

    pub fn interrupt(&mut self, now_ms: f64) -> Array {
        converted(self.inner.interrupt(now_ms as u64))
    }

    pub fn tick(&mut self, now_ms: f64) -> Array {
        converted(self.inner.tick(now_ms as u64))
    }

    /// What the file holds that an action `file` asked for; nothing where there is none.
    pub fn supply(&mut self, bytes: Option<Vec<u8>>, now_ms: f64) -> Array {
        converted(self.inner.supply(bytes.ok_or(None), now_ms as u64))
    }

    /// What could follow the line and what is wrong with it, as `{text, fault?, teach?}`, or nothing.
    pub fn hint(&self, line: &str) -> JsValue {
        let text = self.inner.hint(line);
        match self.inner.fault(line) {
            Some(fault) => {
                let units = line[..fault.at].encode_utf16().count() as f64;
                let text = text.unwrap_or_default();
                object([("text", text.into()), ("fault", units.into()), ("teach", fault.text.into())])
            }
            None => text.map_or(JsValue::NULL, |text| object([("text", text.into())])),
        }
    }

    /// The ways to complete the line at the cursor (in UTF-16 units), as `{lines, cursors, labels, notes}`.
    pub fn complete(&self, line: &str, cursor: usize, engine: &Engine) -> JsValue {
        let mut completion = complete::complete(self.inner.table(), line, byte_at(line, cursor));
        if let Some(mut query) = completion.keys.clone() {
            query.type_name = query.type_name.filter(|_| !self.knows_names_only);
            let keys = engine.keys(self.inner.db(), &query);
            completion.add_keys(&keys);
        }
        let (lines, cursors, labels, notes) = (Array::new(), Array::new(), Array::new(), Array::new());
        for item in &completion.items {
            let (line, cursor) = completion.apply(line, item);
            cursors.push(&(line[..cursor].encode_utf16().count() as f64).into());
            lines.push(&line.into());
            labels.push(&(&item.text).into());
            notes.push(&(&item.note).into());
        }
        object([
            ("lines", lines.into()),
            ("cursors", cursors.into()),
            ("labels", labels.into()),
            ("notes", notes.into()),
        ])
    }

    /// The protocol that the connection speaks, 2 or 3.
    pub fn resp(&self) -> u8 {
        if self.inner.is_resp3() { 3 } else { 2 }
    }

    pub fn db(&self) -> f64 {
        self.inner.db() as f64
    }

    pub fn prompt(&self) -> String {
        self.inner.prompt()
    }

    /// What stands in the empty prompt while messages come in.
    pub fn awaits(&self) -> Option<String> {
        match self.inner.state() {
            State::Reading => Some(READING.to_owned()),
            State::Monitoring => Some(MONITORING.to_owned()),
            _ => None,
        }
    }

    /// The lines that make another client listen to the same, one a line; nothing while none does.
    pub fn listens(&self) -> String {
        self.inner.listens().join("\n")
    }

    pub fn state(&self) -> String {
        match self.inner.state() {
            State::Ready | State::NotConnected => "ready",
            State::Continuing => "more",
            State::Waiting | State::Connecting => "waiting",
            State::Reading | State::Monitoring => "listening",
        }
        .to_owned()
    }
}

/// The byte where the UTF-16 unit stands.
fn byte_at(line: &str, unit: usize) -> usize {
    let mut units = 0;
    line.char_indices()
        .find(|(_, character)| {
            units += character.len_utf16();
            units > unit
        })
        .map_or(line.len(), |(byte, _)| byte)
}

/// What a page has in the place of a tool that needs files or a machine.
fn missing(tool: Option<&Tool>) -> &'static str {
    match tool {
        Some(Tool::FunctionsRdb { .. }) => {
            "A page saves functions together with the keys: --rdb FILE. FUNCTION DUMP gives them alone."
        }
        Some(Tool::Replica) => "A page does not replicate; MONITOR shows what the server runs.",
        Some(Tool::Cluster(_)) => "There is one server here: --cluster has nothing to work on.",
        _ => "This works from a shell only: resplay cli, or redis-cli.",
    }
}

fn print(printed: printed::Printed) -> JsValue {
    object([("t", "print".into()), ("printed", Printed::new(printed).into())])
}

fn converted(actions: Vec<Action>) -> Array {
    actions
        .into_iter()
        .map(|action| {
            let plain = |kind: &str| object([("t", kind.into())]);
            match action {
                Action::Send(bytes) => {
                    object([("t", "send".into()), ("bytes", Uint8Array::from(&bytes[..]).into())])
                }
                Action::Print(printed) => print(printed),
                Action::Echo { prompt, line } => {
                    object([("t", "echo".into()), ("prompt", prompt.into()), ("line", line.into())])
                }
                Action::Remember(line) => object([("t", "remember".into()), ("line", line.into())]),
                Action::Wake { after_ms } => {
                    object([("t", "wake".into()), ("after", (after_ms as f64).into())])
                }
                Action::Connect(Address::Tcp { host, port }) => {
                    object([("t", "connect".into()), ("host", host.into()), ("port", f64::from(port).into())])
                }
                Action::Connect(Address::Socket(_)) => plain("run"),
                Action::Disconnect => plain("disconnect"),
                Action::Clear => plain("clear"),
                Action::Exit => plain("exit"),
                Action::Status(text) => object([("t", "status".into()), ("text", text.into())]),
                Action::Run(options) => match options.tool {
                    Some(Tool::Rdb { file }) => object([("t", "rdb".into()), ("name", file.into())]),
                    tool => print(printed::Printed::words(Class::Notice, missing(tool.as_ref()))),
                },
                Action::NeedFile { name, use_ } => {
                    let use_ = match use_ {
                        FileUse::Script => "script",
                        FileUse::Argument => "argument",
                        FileUse::Commands => "commands",
                    };
                    object([("t", "file".into()), ("name", name.into()), ("use", use_.into())])
                }
            }
        })
        .collect()
}

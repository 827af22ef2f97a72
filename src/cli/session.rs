//! One terminal: lines typed and bytes received go in, actions for the host come out.
//!
//! A line goes through [`Session::submit`]: split, looked at for words meant for the terminal, then sent. Replies come
//! back through [`Session::receive`]; what they mean for the prompt (database, transaction, subscription) is followed
//! here exactly as redis-cli follows it. The host owns the screen, the connection and the clock.

mod lines;
mod replies;
mod sending;
mod standing;
mod tooling;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;

use super::complete::{self, Completion};
use super::format::{Class, Style};
use super::hints;
use super::history::History;
use super::options::Options;
use super::printed::Printed;
use super::split::{self, SplitError};
use super::table::Table;
use super::teach::{self, Fault};
use super::tools;
use crate::resp::reply::Decoder;

pub use replies::elapsed_text;
pub use sending::encode;
pub use standing::Standing;

/// Lines that may wait for the one running.
const WAITING_LINES_MAX: usize = 100_000;
/// Subscriptions that are remembered for another client.
const LISTENING_MAX: usize = 1000;
/// From here on the time a command took is shown.
const SLOW_MS: u64 = 500;
/// Shown while messages of a subscription are awaited.
pub const READING: &str = "Reading messages... (press Ctrl-C to quit or any key to type command)";

/// The same for MONITOR.
pub const MONITORING: &str = "Every command that the server runs is shown... (press Ctrl-C to quit)";

/// What the host is to do, in order.
#[derive(Clone, Debug)]
pub enum Action {
    /// Write these bytes to the server.
    Send(Vec<u8>),
    Print(Printed),
    /// A line starts to run; a screen that did not show it while it was typed shows it now.
    Echo {
        prompt: String,
        line: String,
    },
    /// Keep this line for later sessions.
    Remember(String),
    /// Empty the screen.
    Clear,
    /// End the terminal.
    Exit,
    /// Close the connection, if any, and open this one; then call `connected` or `connect_failed`.
    Connect(Address),
    /// Close the connection.
    Disconnect,
    /// Call `tick` after so many milliseconds.
    Wake {
        after_ms: u64,
    },
    /// Show this line in place, below all that is printed, or take it away.
    Status(Option<String>),
    /// Run one of redis-cli's tools; the session does not do this one itself.
    Run(Box<Options>),
    /// Hand what a file holds to `supply`. Without a name the user has not said which.
    NeedFile {
        name: Option<String>,
        use_: FileUse,
    },
}

/// What becomes of a file that a line asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileUse {
    /// `--eval`
    Script,
    /// `-x`, `-X`: an argument.
    Argument,
    /// `--pipe`: commands, or the protocol itself.
    Commands,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    Tcp { host: String, port: u16 },
    Socket(String),
}

impl Address {
    /// `host:port`, with brackets around an IPv6 host.
    pub fn shown(&self) -> String {
        match self {
            Address::Tcp { host, port } if host.contains(':') => format!("[{host}]:{port}"),
            Address::Tcp { host, port } => format!("{host}:{port}"),
            Address::Socket(path) => path.clone(),
        }
    }
}

/// How a session is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    pub address: Address,
    pub db: i64,
    pub user: Option<String>,
    pub password: Option<String>,
    /// Switch to RESP3 after connecting (`-3`).
    pub resp3: bool,
    pub style: Style,
    /// Pauses between repetitions (`-i`).
    pub interval_ms: u64,
    pub show_pushes: bool,
    /// Follow redirections of a cluster (`-c`).
    pub cluster: bool,
    /// Explain errors.
    pub teach: bool,
    /// A lesson may ask the server for a key's type.
    pub teach_may_ask: bool,
    /// `CONNECT`, `-h` and `-p` at the prompt are possible.
    pub may_connect: bool,
    /// Fetch COMMAND DOCS from the server for hints and HELP after connecting.
    pub fetch_docs: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            address: Address::Tcp { host: "127.0.0.1".to_owned(), port: 6379 },
            db: 0,
            user: None,
            password: None,
            resp3: false,
            style: Style::default(),
            interval_ms: 0,
            show_pushes: true,
            cluster: false,
            teach: true,
            teach_may_ask: true,
            may_connect: true,
            fetch_docs: false,
        }
    }
}

/// What the terminal is doing, for the host to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Ready for a line.
    Ready,
    /// The line so far leaves a quote open.
    Continuing,
    /// A reply is awaited.
    Waiting,
    /// Ready for a line while messages come in; [`READING`] may be shown.
    Reading,
    /// MONITOR runs; Ctrl-C ends it.
    Monitoring,
    /// A connection is being made.
    Connecting,
    /// Ready for a line, which will first connect.
    NotConnected,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    Down,
    Opening,
    Up,
}

/// A command that was sent, or is about to be.
#[derive(Debug)]
struct Pending {
    purpose: Purpose,
    args: Vec<Vec<u8>>,
    style: Style,
    /// Confirmations still to come of a SUBSCRIBE or its like.
    confirmations: usize,
    started_ms: u64,
    /// How often it is to be sent again after this reply.
    again: u64,
    /// What is sent unseen once the last reply is there: its flags were for this command alone.
    after: Vec<Vec<Vec<u8>>>,
    interval_ms: u64,
}

#[derive(Debug, PartialEq, Eq)]
enum Purpose {
    /// Typed by the user.
    Typed,
    Authenticate,
    Select,
    SwitchProtocol,
    /// A reply nobody sees.
    Quiet,
    /// For a tool at work.
    Tool,
    Docs,
    /// TYPE of the key in a WRONGTYPE error.
    KeyType {
        key: Vec<u8>,
        command: String,
    },
}

pub struct Session {
    pub settings: Settings,
    pub history: History,
    table: Arc<Table>,
    hints: bool,
    link: Link,
    decoder: Decoder,
    /// The database the server has selected, and the one the user wants after a reconnect.
    db: i64,
    wanted_db: i64,
    db_before_multi: i64,
    in_multi: bool,
    subscribed: bool,
    monitoring: bool,
    /// What was sent to this end, for another connection to listen to the same.
    listening: Vec<String>,
    resp3: bool,
    sent: VecDeque<Pending>,
    /// What is sent after a connection is made: setup first, then the command that asked for it.
    setup: VecDeque<Purpose>,
    parked: Option<Pending>,
    asking: bool,
    paused: Option<(u64, Pending)>,
    tool: Option<tooling::Running>,
    /// What is to be done with the file asked for.
    wanted: Option<Box<Options>>,
    waiting: VecDeque<String>,
    unfinished: Option<String>,
    shutting_down: bool,
    ended: bool,
    failures: u64,
    now_ms: u64,
    out: Vec<Action>,
}

impl Session {
    pub fn new(settings: Settings) -> Session {
        Session {
            wanted_db: settings.db,
            settings,
            history: History::default(),
            table: Arc::default(),
            hints: true,
            link: Link::Down,
            decoder: Decoder::new(),
            db: 0,
            db_before_multi: 0,
            in_multi: false,
            subscribed: false,
            monitoring: false,
            listening: Vec::new(),
            resp3: false,
            sent: VecDeque::new(),
            setup: VecDeque::new(),
            parked: None,
            asking: false,
            paused: None,
            tool: None,
            wanted: None,
            waiting: VecDeque::new(),
            unfinished: None,
            shutting_down: false,
            ended: false,
            failures: 0,
            now_ms: 0,
            out: Vec::new(),
        }
    }

    /// The commands for hints, HELP and lessons.
    pub fn set_table(&mut self, table: Arc<Table>) {
        self.table = table;
    }

    pub fn table(&self) -> &Arc<Table> {
        &self.table
    }

    /// Whether the user wants hints (`:set hints`).
    pub fn hints(&self) -> bool {
        self.hints
    }

    /// What stands before the line being typed.
    pub fn prompt(&self) -> String {
        if self.unfinished.is_some() { "... ".to_owned() } else { self.ready_prompt() }
    }

    /// The prompt of a line that does not go on from another.
    fn ready_prompt(&self) -> String {
        if self.link == Link::Down {
            return "not connected> ".to_owned();
        }
        let mut prompt = match &self.settings.address {
            Address::Socket(path) => format!("redis {path}"),
            tcp => tcp.shown(),
        };
        if self.db != 0 {
            prompt.push_str(&format!("[{}]", self.db));
        }
        if self.in_multi {
            prompt.push_str("(TX)");
        }
        if self.subscribed {
            prompt.push_str("(subscribed mode)");
        }
        prompt.push_str("> ");
        prompt
    }

    pub fn state(&self) -> State {
        if self.unfinished.is_some() {
            State::Continuing
        } else if self.link == Link::Opening {
            State::Connecting
        } else if self.is_busy() {
            State::Waiting
        } else if self.monitoring {
            State::Monitoring
        } else if self.link == Link::Down {
            State::NotConnected
        } else if self.subscribed {
            State::Reading
        } else {
            State::Ready
        }
    }

    /// The database the prompt shows.
    pub fn db(&self) -> i64 {
        self.db
    }

    pub fn is_resp3(&self) -> bool {
        self.resp3
    }

    /// The lines that make another client listen to what this one listens to.
    pub fn listens(&self) -> Vec<String> {
        if self.listening.is_empty() || !(self.subscribed || self.monitoring) {
            return Vec::new();
        }
        let protocol = self.resp3.then(|| "HELLO 3".to_owned());
        protocol.into_iter().chain(self.listening.iter().cloned()).collect()
    }

    /// How many error replies typed commands have met.
    pub fn failures(&self) -> u64 {
        self.failures
    }

    /// The grey text behind a line being typed, when the user wants hints.
    pub fn hint(&self, line: &str) -> Option<String> {
        let known = self.hints && self.unfinished.is_none();
        known.then(|| hints::hint(&self.table, line)).flatten()
    }

    /// What is already wrong with the line being typed, when the user wants hints.
    pub fn fault(&self, line: &str) -> Option<Fault> {
        let known = self.hints && self.unfinished.is_none();
        known.then(|| teach::fault(&self.table, line)).flatten()
    }

    /// Offers for the word that ends at the cursor, a byte of the line.
    pub fn complete(&self, line: &str, cursor: usize) -> Completion {
        complete::complete(&self.table, line, cursor)
    }

    /// Opens the first connection.
    pub fn start(&mut self, now_ms: u64) -> Vec<Action> {
        self.now_ms = now_ms;
        self.connect();
        self.take()
    }

    /// Takes a line, or a pasted block of lines, as typed.
    pub fn submit(&mut self, text: &str, now_ms: u64) -> Vec<Action> {
        self.now_ms = now_ms;
        let text = text.strip_suffix('\n').unwrap_or(text);
        for line in text.split('\n') {
            let line = match self.unfinished.take() {
                Some(begun) => format!("{begun}\n{line}"),
                None => line.to_owned(),
            };
            let open = matches!(split::cut(line.as_bytes()).broken, Some((_, SplitError::Open { .. })));
            if open && !split::is_comment(line.as_bytes()) {
                self.unfinished = Some(line);
            } else if self.waiting.len() < WAITING_LINES_MAX {
                self.waiting.push_back(line);
            }
        }
        self.pump();
        self.take()
    }

    /// Runs a command given as arguments, or the tool the options ask for, as `redis-cli COMMAND …` does.
    pub fn execute(&mut self, args: Vec<Vec<u8>>, options: &Options, now_ms: u64) -> Vec<Action> {
        self.now_ms = now_ms;
        match tools::tool(options, self.settings.style.format) {
            Some(tool) => self.start_tool(tool),
            None => self.run_command(args, options, 1),
        }
        self.take()
    }

    /// The line so far, when a quote is open in it, and the open quote's place.
    pub fn unfinished(&self) -> Option<(&str, usize)> {
        let line = self.unfinished.as_deref()?;
        match split::cut(line.as_bytes()).broken {
            Some((_, SplitError::Open { at, .. })) => Some((line, at)),
            _ => None,
        }
    }

    /// The connection asked for stands.
    pub fn connected(&mut self, now_ms: u64) -> Vec<Action> {
        self.now_ms = now_ms;
        self.reset_link(Link::Up);
        if self.settings.password.is_some() {
            self.setup.push_back(Purpose::Authenticate);
        }
        if self.wanted_db != 0 {
            self.setup.push_back(Purpose::Select);
        }
        if self.settings.resp3 {
            self.setup.push_back(Purpose::SwitchProtocol);
        }
        if self.settings.fetch_docs && self.table.is_empty() {
            self.setup.push_back(Purpose::Docs);
        }
        self.next_setup();
        self.take()
    }

    pub fn connect_failed(&mut self, reason: &str, now_ms: u64) -> Vec<Action> {
        self.now_ms = now_ms;
        self.reset_link(Link::Down);
        self.parked = None;
        self.failures += 1;
        let text = format!("Could not connect to Redis at {}: {reason}", self.settings.address.shown());
        self.say(Class::Error, text);
        self.pump();
        self.take()
    }

    /// The connection ended by itself. `reason` is what the system said, if anything.
    pub fn disconnected(&mut self, reason: Option<&str>, now_ms: u64) -> Vec<Action> {
        self.now_ms = now_ms;
        let expected = std::mem::take(&mut self.shutting_down) || self.ended;
        let missed =
            self.sent.iter().any(|p| p.purpose == Purpose::Typed) || self.subscribed || self.monitoring;
        self.reset_link(Link::Down);
        if missed && !expected {
            self.failures += 1;
            self.say(Class::Error, format!("Error: {}", reason.unwrap_or("Server closed the connection")));
        }
        self.pump();
        self.take()
    }

    /// Ctrl-C: drops an unfinished line, leaves SUBSCRIBE and MONITOR, gives up a command that is being waited for.
    pub fn interrupt(&mut self, now_ms: u64) -> Vec<Action> {
        self.now_ms = now_ms;
        self.waiting.clear();
        self.parked = None;
        if self.wanted.take().is_some() {
            return self.take();
        }
        if self.unfinished.is_none() && self.tool.is_some() {
            self.stop_tool();
        } else if self.unfinished.take().is_none() && (self.is_busy() || self.subscribed || self.monitoring) {
            self.paused = None;
            self.connect();
        }
        self.take()
    }

    /// Time has come to what a `Wake` asked for.
    pub fn tick(&mut self, now_ms: u64) -> Vec<Action> {
        self.now_ms = now_ms;
        match self.paused.take() {
            Some((due_ms, pending)) if due_ms <= now_ms => self.send(pending),
            early => self.paused = early,
        }
        self.tool_tick();
        self.take()
    }

    /// Takes bytes from the server.
    pub fn receive(&mut self, bytes: &[u8], now_ms: u64) -> Vec<Action> {
        self.now_ms = now_ms;
        self.decoder.feed(bytes);
        while self.link == Link::Up {
            match self.decoder.next_reply() {
                Ok(Some(reply)) => self.take_reply(reply),
                Ok(None) => break,
                Err(error) => {
                    self.reset_link(Link::Down);
                    self.failures += 1;
                    self.say(Class::Error, format!("Error: {error}"));
                    self.out.push(Action::Disconnect);
                }
            }
        }
        self.pump();
        self.take()
    }

    fn take(&mut self) -> Vec<Action> {
        std::mem::take(&mut self.out)
    }

    fn is_busy(&self) -> bool {
        let sending = !self.sent.is_empty() || !self.setup.is_empty();
        let held = self.parked.is_some() || self.paused.is_some() || self.wanted.is_some();
        sending || held || self.tool.is_some()
    }

    fn say(&mut self, class: Class, text: impl AsRef<str>) {
        self.out.push(Action::Print(Printed::words(class, text)));
    }
}

//! One terminal: lines typed and bytes received go in, actions for the host come out.
//!
//! A line goes through [`Session::submit`]: split, looked at for words meant for the terminal, then sent. Replies come
//! back through [`Session::receive`]; what they mean for the prompt (database, transaction, subscription) is followed
//! here exactly as redis-cli follows it. The host owns the screen, the connection and the clock.

mod standing;

use std::collections::VecDeque;
use std::sync::Arc;

use super::format::{Class, Format, Span, Style, invalidation};
use super::habits;
use super::help;
use super::history::History;
use super::options::{self, Options, leading_integer};
use super::printed::{Printed, PrintedReply};
use super::split::{self, Repeat, SplitError};
use super::table::Table;
use super::teach::{self, Lesson};
use crate::resp::reply::{Decoder, Reply};

pub use standing::Standing;

/// Lines that may wait for the one running.
const WAITING_LINES_MAX: usize = 100_000;
/// From here on the time a command took is shown.
const SLOW_MS: u64 = 500;
/// Shown while messages of a subscription are awaited.
pub const READING: &str = "Reading messages... (press Ctrl-C to quit or any key to type command)";

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
    /// Run one of redis-cli's tools; the session does not do this one itself.
    Run(Box<Options>),
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
    resp3: bool,
    sent: VecDeque<Pending>,
    /// What is sent after a connection is made: setup first, then the command that asked for it.
    setup: VecDeque<Purpose>,
    parked: Option<Pending>,
    asking: bool,
    paused: Option<(u64, Pending)>,
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
            resp3: false,
            sent: VecDeque::new(),
            setup: VecDeque::new(),
            parked: None,
            asking: false,
            paused: None,
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
        if self.unfinished.is_some() {
            return "... ".to_owned();
        }
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

    /// How many error replies typed commands have met.
    pub fn failures(&self) -> u64 {
        self.failures
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

    /// Runs a command given as arguments, as `redis-cli COMMAND …` does.
    pub fn execute(&mut self, args: Vec<Vec<u8>>, options: &Options, now_ms: u64) -> Vec<Action> {
        self.now_ms = now_ms;
        self.run_command(args, options, 1);
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
        if self.unfinished.take().is_none() && (self.is_busy() || self.subscribed || self.monitoring) {
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
        !self.sent.is_empty() || self.parked.is_some() || self.paused.is_some() || !self.setup.is_empty()
    }

    fn say(&mut self, class: Class, text: impl AsRef<str>) {
        self.out.push(Action::Print(Printed::words(class, text)));
    }

    // ---- lines ----

    fn pump(&mut self) {
        while !self.is_busy() && self.link != Link::Opening && !self.ended {
            let Some(line) = self.waiting.pop_front() else { break };
            self.run_line(&line);
        }
    }

    fn run_line(&mut self, line: &str) {
        self.out.push(Action::Echo { prompt: self.prompt(), line: line.to_owned() });
        if split::is_comment(line.as_bytes()) {
            self.remember(line, false);
            return;
        }
        let args = match split::split(line.as_bytes()) {
            Ok(args) if args.is_empty() => return,
            Ok(args) => args,
            Err(error) => {
                self.remember(line, false);
                self.say(Class::Error, "Invalid argument(s)");
                if self.settings.teach {
                    self.teach(teach::bad_quotes(line, error));
                }
                return;
            }
        };
        let (args, times) = match split::repeat_prefix(&args) {
            Repeat::Invalid => {
                return self.say(Class::Error, "Invalid redis-cli repeat command option value.");
            }
            Repeat::Times(times) => (args[1..].to_vec(), Some(times)),
            Repeat::None => (args, None),
        };
        self.remember(line, habits::is_secret(&args));
        match times {
            Some(times) => self.run_command(args, &Options::default(), times),
            None if !self.run_own(line, &args) => self.run_command(args, &Options::default(), 1),
            None => {}
        }
    }

    fn remember(&mut self, line: &str, secret: bool) {
        if self.history.add(line, secret) && !secret {
            self.out.push(Action::Remember(line.to_owned()));
        }
    }

    /// Lines meant for the terminal itself; false for all others.
    fn run_own(&mut self, line: &str, args: &[Vec<u8>]) -> bool {
        let word = String::from_utf8_lossy(&args[0]).to_ascii_lowercase();
        match word.as_str() {
            "quit" | "exit" => {
                self.ended = true;
                self.out.push(Action::Exit);
            }
            "clear" if args.len() == 1 => self.out.push(Action::Clear),
            "restart" => self.say(Class::Notice, "Use 'restart' only in Lua debugging mode."),
            "connect" if args.len() == 3 => self.run_connect(args),
            "redis-cli" | "resplay-cli" => self.run_shell_line(line),
            _ if word.starts_with(':') => self.set_preference(args),
            _ if options::is_flag(&args[0]) => self.run_flags(args),
            _ => return false,
        }
        true
    }

    fn run_connect(&mut self, args: &[Vec<u8>]) {
        if !self.settings.may_connect {
            return self.say(Class::Notice, "This terminal has one server; CONNECT is not possible here.");
        }
        let host = String::from_utf8_lossy(&args[1]).into_owned();
        let port = leading_integer(&args[2]).clamp(0, i64::from(u16::MAX)) as u16;
        self.settings.address = Address::Tcp { host, port };
        self.connect();
    }

    fn set_preference(&mut self, args: &[Vec<u8>]) {
        let shown = |arg: &Vec<u8>| String::from_utf8_lossy(arg).into_owned();
        match args {
            [set, preference, ..] if set.eq_ignore_ascii_case(b":set") => {
                match shown(preference).to_ascii_lowercase().as_str() {
                    "hints" => self.hints = true,
                    "nohints" => self.hints = false,
                    _ => {
                        self.say(
                            Class::Notice,
                            format!("unknown redis-cli preference '{}'", shown(preference)),
                        );
                    }
                }
            }
            [command, ..] => {
                self.say(Class::Notice, format!("unknown redis-cli internal command '{}'", shown(command)));
            }
            [] => {}
        }
    }

    /// A `redis-cli …` line copied from a shell.
    fn run_shell_line(&mut self, line: &str) {
        match split::shell_split(line.as_bytes()) {
            Ok(words) => self.run_flags(&words[1..]),
            Err(split::ShellError::Operator { byte, .. }) => {
                let text =
                    format!("A terminal has no shell behind it: '{}' means nothing here.", char::from(byte));
                self.say(Class::Notice, text);
            }
            Err(split::ShellError::Open { .. }) => self.say(Class::Error, "Invalid argument(s)"),
        }
    }

    /// Flags at the prompt: for one command, or without one for all that follow.
    fn run_flags(&mut self, args: &[Vec<u8>]) {
        let mut options = match options::parse(args) {
            Ok(options) => options,
            Err(message) => return self.say(Class::Error, message),
        };
        if options.help || options.version {
            return self.print_help(&[]);
        }
        let elsewhere = options.host.is_some() || options.port.is_some() || options.socket.is_some();
        if elsewhere && self.settings.may_connect {
            self.change_address(&options);
        }
        if let Some(password) = options.password.take() {
            let mut auth = vec![b"AUTH".to_vec()];
            auth.extend(options.user.take().map(String::into_bytes));
            auth.push(password.into_bytes());
            let rest = unflagged(&mut options);
            if !rest.is_empty() {
                self.waiting.push_front(split::join(&rest));
            }
            return self.run_command(auth, &Options::default(), 1);
        }
        if options.tool.is_some() {
            return self.out.push(Action::Run(Box::new(options)));
        }
        if options.command.is_empty() {
            return self.change_defaults(&options);
        }
        let command = std::mem::take(&mut options.command);
        self.run_command(command, &options, 1);
    }

    fn change_address(&mut self, options: &Options) {
        let (host, port) = match &self.settings.address {
            Address::Tcp { host, port } => (host.clone(), *port),
            Address::Socket(_) => ("127.0.0.1".to_owned(), 6379),
        };
        let address = match &options.socket {
            Some(path) => Address::Socket(path.clone()),
            None => Address::Tcp {
                host: options.host.clone().unwrap_or(host),
                port: options.port.unwrap_or(port),
            },
        };
        if address != self.settings.address {
            self.settings.address = address;
            self.connect();
        }
    }

    /// Flags without a command change what follows.
    fn change_defaults(&mut self, options: &Options) {
        let style = &mut self.settings.style;
        *style = style_with(style, options);
        if let Some(interval_ms) = options.interval_ms {
            self.settings.interval_ms = interval_ms;
        }
        if let Some(show) = options.show_pushes {
            self.settings.show_pushes = show;
        }
        if let Some(format) = options.format {
            self.say(Class::Notice, format!("Replies are printed as {} from now on.", format.name()));
        }
        let mut lines = Vec::new();
        if let Some(db) = options.db {
            lines.push(format!("SELECT {db}"));
        }
        if options.resp3 || options.resp2 {
            lines.push(format!("HELLO {}", if options.resp3 { 3 } else { 2 }));
        }
        for line in lines.into_iter().rev() {
            self.waiting.push_front(line);
        }
    }

    fn print_help(&mut self, args: &[Vec<u8>]) {
        self.out.push(Action::Print(help::help(&self.table, args)));
    }

    // ---- commands ----

    fn run_command(&mut self, args: Vec<Vec<u8>>, options: &Options, times: u64) {
        let Some(name) = args.first() else { return };
        if name.eq_ignore_ascii_case(b"help") || name == b"?" {
            return self.print_help(&args[1..]);
        }
        let times = match options.repeat {
            Some(..0) => u64::MAX,
            Some(0) => return,
            Some(times) => times as u64,
            None => times,
        };
        let mut style = style_with(&self.settings.style, options);
        style.verbatim = habits::prints_verbatim(&args);
        if let Some(db) = options.db.filter(|&db| db != self.db) {
            self.run_quietly_first(vec![b"SELECT".to_vec(), db.to_string().into_bytes()]);
        }
        let json = matches!(style.format, Format::Json | Format::QuotedJson);
        let wants = if options.resp3 || (json && !options.resp2) {
            Some(true)
        } else {
            options.resp2.then_some(false)
        };
        let switch = wants.filter(|&resp3| resp3 != self.resp3 && !self.in_multi && !self.subscribed);
        if let Some(resp3) = switch {
            self.run_quietly_first(hello(resp3));
        }
        let pending = Pending {
            purpose: Purpose::Typed,
            confirmations: 0,
            started_ms: self.now_ms,
            again: times - 1,
            interval_ms: options.interval_ms.unwrap_or(self.settings.interval_ms),
            style,
            args,
        };
        self.issue(pending);
        // JSON needs RESP3 for this one reply only, unless it was asked for.
        if let Some(resp3) = switch
            && times == 1
            && !(options.resp3 || options.resp2)
        {
            self.run_quietly_first(hello(!resp3));
        }
    }

    fn run_quietly_first(&mut self, args: Vec<Vec<u8>>) {
        if self.link == Link::Up {
            let pending = self.quiet(Purpose::Quiet, args);
            self.send(pending);
        }
    }

    fn quiet(&self, purpose: Purpose, args: Vec<Vec<u8>>) -> Pending {
        Pending {
            purpose,
            args,
            style: Style::default(),
            confirmations: 0,
            started_ms: self.now_ms,
            again: 0,
            interval_ms: 0,
        }
    }

    fn issue(&mut self, pending: Pending) {
        if self.link == Link::Up {
            return self.send(pending);
        }
        self.parked = Some(pending);
        if self.link == Link::Down {
            self.connect();
        }
    }

    fn send(&mut self, mut pending: Pending) {
        let name = pending.args[0].to_ascii_lowercase();
        if pending.purpose == Purpose::Typed {
            self.shutting_down |= name == b"shutdown";
            if let Some(_subscribing) = subscription(&name) {
                pending.confirmations = (pending.args.len() - 1).max(1);
            }
        }
        if std::mem::take(&mut self.asking) {
            self.out.push(Action::Send(encode(&[b"ASKING".to_vec()])));
            let asking = self.quiet(Purpose::Quiet, vec![b"ASKING".to_vec()]);
            self.sent.push_back(asking);
        }
        self.out.push(Action::Send(encode(&pending.args)));
        self.sent.push_back(pending);
    }

    // ---- the connection ----

    fn connect(&mut self) {
        self.reset_link(Link::Opening);
        self.out.push(Action::Connect(self.settings.address.clone()));
    }

    fn reset_link(&mut self, link: Link) {
        self.link = link;
        self.decoder = Decoder::new();
        self.sent.clear();
        self.setup.clear();
        self.db = 0;
        self.in_multi = false;
        self.subscribed = false;
        self.monitoring = false;
        self.resp3 = false;
        if link == Link::Down {
            self.paused = None;
        }
    }

    fn next_setup(&mut self) {
        let Some(purpose) = self.setup.pop_front() else {
            if let Some(parked) = self.parked.take() {
                self.send(parked);
            }
            return self.pump();
        };
        let text = |text: &str| text.as_bytes().to_vec();
        let args = match &purpose {
            Purpose::Authenticate => {
                let mut args = vec![text("AUTH")];
                args.extend(self.settings.user.as_deref().map(text));
                args.extend(self.settings.password.as_deref().map(text));
                args
            }
            Purpose::Select => vec![text("SELECT"), self.wanted_db.to_string().into_bytes()],
            Purpose::SwitchProtocol => hello(true),
            _ => vec![text("COMMAND"), text("DOCS")],
        };
        let pending = self.quiet(purpose, args);
        self.send(pending);
    }

    /// The reply to one of the commands sent on the user's behalf.
    fn setup_answered(&mut self, pending: Pending, reply: &Reply) {
        let error = match reply.plain() {
            Reply::Error(text) => Some(String::from_utf8_lossy(text).into_owned()),
            _ => None,
        };
        let failed = match (&pending.purpose, error) {
            (Purpose::Authenticate, Some(error)) => Some(format!("AUTH failed: {error}")),
            (Purpose::Select, Some(error)) => Some(format!("SELECT {} failed: {error}", self.wanted_db)),
            (Purpose::SwitchProtocol, Some(error)) => Some(format!("HELLO 3 failed: {error}")),
            (Purpose::Select, None) => {
                self.db = self.wanted_db;
                None
            }
            (Purpose::SwitchProtocol, None) => {
                self.resp3 = true;
                None
            }
            (Purpose::Docs, None) => {
                self.table = Arc::new(Table::from_command_docs(reply));
                None
            }
            _ => None,
        };
        if let Some(text) = failed {
            self.say(Class::Error, text);
        }
        self.next_setup();
    }

    // ---- replies ----

    fn take_reply(&mut self, reply: Reply) {
        if self.monitoring && is_monitor_line(&reply) {
            return self.print_reply(reply, None);
        }
        let Some(front) = self.sent.front() else {
            return self.take_unasked(reply);
        };
        let expects_pushes = self.subscribed || front.confirmations > 0;
        if reply.is_push() && !expects_pushes {
            return self.take_push(reply);
        }
        if expects_pushes && self.is_pubsub_message(&reply) {
            if !self.confirms(&reply) {
                return self.print_reply(reply, None);
            }
        } else if expects_pushes && reply.is_push() {
            return self.print_reply(reply, None);
        }
        let pending = self.sent.pop_front().expect("the front was just looked at");
        self.answered(pending, reply);
    }

    /// A reply nobody asked for: a message, or a push.
    fn take_unasked(&mut self, reply: Reply) {
        if reply.is_push() && !self.subscribed {
            self.take_push(reply)
        } else {
            self.print_reply(reply, None)
        }
    }

    fn take_push(&mut self, push: Reply) {
        if !self.settings.show_pushes {
            return;
        }
        match invalidation(&push) {
            Some(spans) if self.settings.style.format == Format::Tty => {
                self.out.push(Action::Print(Printed::Words(spans)));
            }
            _ => self.print_reply(push, None),
        }
    }

    /// Whether a reply is a message or confirmation of pub/sub, which RESP2 sends as an array.
    fn is_pubsub_message(&self, reply: &Reply) -> bool {
        let parts = match reply.plain() {
            Reply::Push(parts) if self.resp3 => parts,
            Reply::Array(parts) if !self.resp3 => parts,
            _ => return false,
        };
        let kind = match parts.first() {
            Some(Reply::Bulk(kind)) if parts.len() >= 3 => kind,
            _ => return false,
        };
        kind.ends_with(b"message") || kind.ends_with(b"subscribe")
    }

    /// Counts a confirmation of the (un)subscription at the front; true when it was the last one. The earlier ones and
    /// messages in between are only printed.
    fn confirms(&mut self, message: &Reply) -> bool {
        let kind = message.part(0).and_then(Reply::text).unwrap_or_default();
        let Some(front) = self.sent.front_mut() else { return false };
        if front.confirmations == 0 || !front.args[0].eq_ignore_ascii_case(kind) {
            return false;
        }
        if subscription(&front.args[0].to_ascii_lowercase()) == Some(true) {
            self.subscribed = true;
        }
        front.confirmations -= 1;
        front.confirmations == 0
    }

    fn answered(&mut self, pending: Pending, reply: Reply) {
        match &pending.purpose {
            Purpose::Typed => {}
            Purpose::Quiet => return self.follow(&pending.args, &reply),
            Purpose::KeyType { key, command } => {
                let lesson = teach::wrong_type(&self.table, command, key, &reply);
                return self.teach(lesson);
            }
            _ => return self.setup_answered(pending, &reply),
        }
        if self.settings.cluster && self.redirected(&pending, &reply) {
            return;
        }
        self.print_reply(reply.clone(), Some(&pending));
        self.follow(&pending.args, &reply);
        if reply.is_error() {
            self.failures += 1;
            self.explain(&pending.args, &reply);
        }
        if pending.again > 0 && !self.monitoring {
            return self.send_again(pending);
        }
        let elapsed_ms = self.now_ms.saturating_sub(pending.started_ms);
        if elapsed_ms >= SLOW_MS && self.settings.style.format == Format::Tty {
            self.say(Class::Timing, elapsed_text(elapsed_ms));
        }
    }

    fn send_again(&mut self, mut pending: Pending) {
        if pending.again != u64::MAX - 1 {
            pending.again -= 1;
        }
        if pending.interval_ms == 0 {
            return self.send(pending);
        }
        self.out.push(Action::Wake { after_ms: pending.interval_ms });
        self.paused = Some((self.now_ms + pending.interval_ms, pending));
    }

    fn print_reply(&mut self, reply: Reply, pending: Option<&Pending>) {
        let (style, roles) = match pending {
            Some(pending) => (pending.style.clone(), habits::roles(&pending.args)),
            None => (self.settings.style.clone(), super::format::no_roles as super::format::Roles),
        };
        self.out.push(Action::Print(Printed::Reply(PrintedReply { reply, style, roles })));
    }

    /// What the reply to a command means for the prompt and the protocol.
    fn follow(&mut self, args: &[Vec<u8>], reply: &Reply) {
        let failed = reply.is_error();
        let nil = matches!(reply.plain(), Reply::Nil);
        match (&args[0].to_ascii_lowercase()[..], args.len()) {
            (b"select", 2) if !failed => {
                self.db = leading_integer(&args[1]);
                self.wanted_db = self.db;
            }
            (b"auth", 2 | 3) if self.wanted_db != self.db => {
                self.setup.push_back(Purpose::Select);
                self.next_setup();
            }
            (b"multi", 1) if !failed => {
                self.in_multi = true;
                self.db_before_multi = self.db;
            }
            (b"exec", 1) if self.in_multi => {
                self.in_multi = false;
                if failed || nil {
                    self.restore_db();
                }
            }
            (b"discard", 1) if !failed => {
                self.in_multi = false;
                self.restore_db();
            }
            (b"reset", 1) if !failed => {
                self.in_multi = false;
                self.subscribed = false;
                self.monitoring = false;
                self.resp3 = false;
                self.db = 0;
                self.wanted_db = 0;
            }
            (b"hello", _) => match reply.plain() {
                Reply::Map(_) => self.resp3 = true,
                Reply::Array(_) => self.resp3 = false,
                _ => {}
            },
            (b"monitor", _) if !failed => self.monitoring = !self.in_multi,
            _ => {}
        }
    }

    fn restore_db(&mut self) {
        self.db = self.db_before_multi;
        self.wanted_db = self.db;
    }

    /// Follows `MOVED` and `ASK` when told to.
    fn redirected(&mut self, pending: &Pending, reply: &Reply) -> bool {
        let Reply::Error(text) = reply.plain() else { return false };
        let text = String::from_utf8_lossy(text);
        let mut words = text.split(' ');
        let (Some(kind @ ("MOVED" | "ASK")), Some(slot), Some(place)) =
            (words.next(), words.next(), words.next())
        else {
            return false;
        };
        let Some((host, port)) = place.rsplit_once(':') else { return false };
        let Ok(port) = port.parse() else { return false };
        let host = match &self.settings.address {
            Address::Tcp { host: present, .. } if host.is_empty() => present.clone(),
            _ => host.to_owned(),
        };
        self.say(Class::Notice, format!("-> Redirected to slot [{slot}] located at {host}:{port}"));
        self.settings.address = Address::Tcp { host, port };
        self.asking = kind == "ASK";
        self.connect();
        self.parked = Some(Pending {
            purpose: Purpose::Typed,
            args: pending.args.clone(),
            style: pending.style.clone(),
            confirmations: 0,
            started_ms: pending.started_ms,
            again: pending.again,
            interval_ms: pending.interval_ms,
        });
        true
    }

    // ---- lessons ----

    fn explain(&mut self, args: &[Vec<u8>], reply: &Reply) {
        if !self.settings.teach || self.settings.style.format != Format::Tty {
            return;
        }
        let error = String::from_utf8_lossy(reply.text().unwrap_or_default()).into_owned();
        match teach::lesson(&self.table, args, &error) {
            Lesson::None => {}
            Lesson::Say(spans) => self.teach(spans),
            Lesson::AskType { key, command } => {
                let free = !self.in_multi && !self.subscribed && !self.monitoring;
                if free && self.settings.teach_may_ask {
                    let args = vec![b"TYPE".to_vec(), key.clone()];
                    let pending = self.quiet(Purpose::KeyType { key, command }, args);
                    self.send(pending);
                }
            }
        }
    }

    fn teach(&mut self, spans: Vec<Span>) {
        if !spans.is_empty() {
            self.out.push(Action::Print(Printed::Words(spans)));
        }
    }
}

/// The options without the password, as flags again in front of their command: what is left to do after AUTH.
fn unflagged(options: &mut Options) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    if let Some(db) = options.db {
        words.extend([b"-n".to_vec(), db.to_string().into_bytes()]);
    }
    let flag = match options.format {
        Some(Format::Raw) => "--raw",
        Some(Format::Csv) => "--csv",
        Some(Format::Json) => "--json",
        Some(Format::QuotedJson) => "--quoted-json",
        Some(Format::Tty) => "--no-raw",
        None => "",
    };
    if !flag.is_empty() {
        words.push(flag.as_bytes().to_vec());
    }
    words.append(&mut options.command);
    words
}

fn style_with(style: &Style, options: &Options) -> Style {
    let mut style = style.clone();
    if let Some(format) = options.format {
        style.format = format;
    }
    if let Some(delimiter) = &options.element_delimiter {
        style.element_delimiter = delimiter.clone();
    }
    if let Some(delimiter) = &options.reply_delimiter {
        style.reply_delimiter = delimiter.clone();
    }
    style
}

fn hello(resp3: bool) -> Vec<Vec<u8>> {
    vec![b"HELLO".to_vec(), if resp3 { b"3".to_vec() } else { b"2".to_vec() }]
}

/// `Some(true)` for the commands that subscribe, `Some(false)` for those that unsubscribe.
fn subscription(name: &[u8]) -> Option<bool> {
    match name {
        b"subscribe" | b"psubscribe" | b"ssubscribe" => Some(true),
        b"unsubscribe" | b"punsubscribe" | b"sunsubscribe" => Some(false),
        _ => None,
    }
}

/// MONITOR's lines begin with a time: `1700000000.123456 [0 …`.
fn is_monitor_line(reply: &Reply) -> bool {
    let Reply::Status(text) = reply.plain() else { return false };
    let digits = text.iter().take_while(|b| b.is_ascii_digit() || **b == b'.').count();
    digits > 2 && text[digits..].starts_with(b" [")
}

/// `(1.23s)`.
pub fn elapsed_text(elapsed_ms: u64) -> String {
    format!("({:.2}s)", elapsed_ms as f64 / 1000.0)
}

/// A command as the server reads it.
pub fn encode(args: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::with_capacity(16 + args.iter().map(|arg| arg.len() + 16).sum::<usize>());
    out.extend_from_slice(format!("*{}\r\n", args.len()).as_bytes());
    for arg in args {
        out.extend_from_slice(format!("${}\r\n", arg.len()).as_bytes());
        out.extend_from_slice(arg);
        out.extend_from_slice(b"\r\n");
    }
    out
}

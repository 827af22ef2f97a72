//! Carries a session's actions out: the connection, the clock, standard output. Waits for whatever comes next.

use std::io::{BufRead, ErrorKind, Read, Write};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::time::{Duration, Instant};

use crate::cli::format::Class;
use crate::cli::printed::Printed;
use crate::cli::{Action, Address, Session, Settings, State};

use super::files::HistoryFile;
use super::link::{Dial, Stream, reason};
use super::surface::Surface;

/// Messages that may wait; a server that says more than is shown waits too.
const MESSAGES_MAX: usize = 256;
const READ_BYTES: usize = 64 * 1024;

/// What comes in while a session runs.
pub enum Message {
    Key(crossterm::event::Event),
    /// A line of standard input without its end; nothing at the end.
    Line(Option<Vec<u8>>),
    /// Ctrl-C where it is no key.
    Interrupt,
    Connected(u64, Result<Stream, String>),
    Bytes(u64, Vec<u8>),
    /// The connection's end, and the system's reason if there is one.
    Closed(u64, Option<String>),
}

pub struct Host {
    pub session: Session,
    pub surface: Surface,
    pub history: Option<HistoryFile>,
    /// An error reply ends the program (`-e`).
    pub ends_on_error: bool,
    pub is_tool: bool,
    /// A connection was refused or lost while it was needed, or a tool failed.
    pub has_failed: bool,
    pub exit_code: Option<u8>,
    /// The line being run stands on the screen already.
    pub is_echoed: bool,
    pub shows_lines: bool,
    pub dial: Dial,
    sender: SyncSender<Message>,
    receiver: Receiver<Message>,
    link: Option<Stream>,
    /// Tells the connections of this session apart.
    generation: u64,
    unsent: Vec<u8>,
    wakes_ms: Vec<u64>,
    started: Instant,
}

impl Host {
    pub fn new(settings: Settings, dial: Dial) -> Host {
        let (sender, receiver) = sync_channel(MESSAGES_MAX);
        Host {
            session: Session::new(settings),
            surface: Surface::new(),
            history: None,
            ends_on_error: false,
            is_tool: false,
            has_failed: false,
            exit_code: None,
            is_echoed: false,
            shows_lines: false,
            dial,
            sender,
            receiver,
            link: None,
            generation: 0,
            unsent: Vec::new(),
            wakes_ms: Vec::new(),
            started: Instant::now(),
        }
    }

    pub fn sender(&self) -> SyncSender<Message> {
        self.sender.clone()
    }

    pub fn now_ms(&self) -> u64 {
        self.started.elapsed().as_millis() as u64
    }

    /// A session with nothing left to do but to take a line.
    pub fn is_idle(&self) -> bool {
        matches!(self.session.state(), State::Ready | State::NotConnected | State::Continuing)
    }

    pub fn start(&mut self) {
        let actions = self.session.start(self.now_ms());
        self.perform(actions);
    }

    pub fn submit(&mut self, text: &str) {
        let actions = self.session.submit(text, self.now_ms());
        self.perform(actions);
    }

    pub fn interrupt(&mut self) {
        let actions = self.session.interrupt(self.now_ms());
        self.perform(actions);
    }

    /// Drops a line begun, where one is left open.
    pub fn interrupt_line(&mut self) {
        if self.session.unfinished().is_some() {
            self.interrupt();
        }
    }

    /// Waits for a message and deals with it, unless it is one the caller has to deal with.
    pub fn wait(&mut self) -> Option<Message> {
        self.surface.flush();
        let now_ms = self.now_ms();
        let next_ms = self.wakes_ms.iter().min().copied();
        let message = match next_ms {
            Some(due_ms) => {
                let patience = Duration::from_millis(due_ms.saturating_sub(now_ms));
                self.receiver.recv_timeout(patience).ok()
            }
            None => self.receiver.recv().ok(),
        };
        let message = message.and_then(|message| self.take(message));
        self.wake();
        message
    }

    /// As [`Host::wait`] for what has come already.
    pub fn poll(&mut self) -> Option<Option<Message>> {
        let message = self.receiver.try_recv().ok()?;
        Some(self.take(message))
    }

    fn wake(&mut self) {
        let now_ms = self.now_ms();
        let waiting = self.wakes_ms.len();
        self.wakes_ms.retain(|due_ms| *due_ms > now_ms);
        if self.wakes_ms.len() < waiting {
            let actions = self.session.tick(now_ms);
            self.perform(actions);
        }
    }

    fn take(&mut self, message: Message) -> Option<Message> {
        let now_ms = self.now_ms();
        let failures = self.session.failures();
        let actions = match message {
            Message::Connected(generation, result) if generation == self.generation => match result {
                Ok(stream) => {
                    self.listen(&stream);
                    self.link = Some(stream);
                    self.session.connected(now_ms)
                }
                Err(reason) => {
                    self.has_failed = true;
                    self.session.connect_failed(&reason, now_ms)
                }
            },
            Message::Bytes(generation, bytes) if generation == self.generation => {
                self.session.receive(&bytes, now_ms)
            }
            Message::Closed(generation, reason) if generation == self.generation => {
                self.link = None;
                let actions = self.session.disconnected(reason.as_deref(), now_ms);
                self.has_failed |= self.session.failures() > failures;
                actions
            }
            Message::Connected(_, Ok(stale)) => {
                stale.close();
                return None;
            }
            Message::Connected(..) | Message::Bytes(..) | Message::Closed(..) => return None,
            other => return Some(other),
        };
        self.perform(actions);
        None
    }

    pub fn perform(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Send(bytes) => self.unsent.extend_from_slice(&bytes),
                Action::Print(printed) => self.print(&printed),
                Action::Echo { prompt, line } => {
                    if self.shows_lines && !std::mem::take(&mut self.is_echoed) {
                        self.surface.leave(&prompt, &line);
                    }
                }
                Action::Remember(line) => {
                    if let Some(history) = &self.history {
                        history.add(&line);
                    }
                }
                Action::Clear => self.surface.clear(),
                Action::Exit => {
                    self.exit_code.get_or_insert(0);
                }
                Action::Connect(address) => self.connect(address),
                Action::Disconnect => self.hang_up(),
                Action::Wake { after_ms } => self.wakes_ms.push(self.now_ms() + after_ms),
                Action::Status(text) => self.surface.status(text.as_deref()),
                Action::NeedFile { name, .. } => {
                    let actions = self.session.supply(read_file(name.as_deref()), self.now_ms());
                    self.perform(actions);
                }
                Action::Run(options) => self.surface.line(&super::tools::not_at_the_prompt(&options)),
            }
        }
        self.send();
    }

    fn print(&mut self, printed: &Printed) {
        if self.ends_on_error
            && let Printed::Reply(reply) = printed
            && printed.is_error()
        {
            self.surface.flush();
            eprintln!("{}", String::from_utf8_lossy(reply.reply.text().unwrap_or_default()));
            self.exit_code.get_or_insert(1);
            return;
        }
        if !self.shows_lines && is_complaint(printed) {
            self.has_failed |= self.is_tool;
            self.surface.flush();
            let _ = std::io::stderr().write_all(&printed.text());
            return;
        }
        self.surface.print(printed);
    }

    fn connect(&mut self, address: Address) {
        self.hang_up();
        let (sender, dial, generation) = (self.sender.clone(), self.dial.clone(), self.generation);
        std::thread::spawn(move || {
            // Whoever asked may be gone.
            let _ = sender.send(Message::Connected(generation, Stream::connect(&address, &dial)));
        });
    }

    fn hang_up(&mut self) {
        self.generation += 1;
        self.unsent.clear();
        if let Some(link) = self.link.take() {
            link.close();
        }
    }

    fn listen(&self, stream: &Stream) {
        let (sender, generation) = (self.sender.clone(), self.generation);
        let Ok(mut stream) = stream.try_clone() else { return };
        std::thread::spawn(move || {
            let mut chunk = vec![0; READ_BYTES];
            let message = loop {
                match stream.read(&mut chunk) {
                    Ok(0) => break Message::Closed(generation, None),
                    Ok(count) => {
                        if sender.send(Message::Bytes(generation, chunk[..count].to_vec())).is_err() {
                            return;
                        }
                    }
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => break Message::Closed(generation, Some(reason(&error))),
                }
            };
            let _ = sender.send(message);
        });
    }

    /// A connection that takes no more is noticed where it is read.
    fn send(&mut self) {
        let bytes = std::mem::take(&mut self.unsent);
        if let Some(link) = self.link.as_mut().filter(|_| !bytes.is_empty()) {
            let _ = link.write_all(&bytes);
        }
    }

    /// Reads standard input, a line for each asked for.
    pub fn read_lines(&self) -> Sender<()> {
        let (ask, asked) = channel();
        let sender = self.sender.clone();
        std::thread::spawn(move || {
            let mut input = std::io::stdin().lock();
            while asked.recv().is_ok() {
                let mut line = Vec::new();
                let ended = !matches!(input.read_until(b'\n', &mut line), Ok(1..));
                if line.last() == Some(&b'\n') {
                    line.pop();
                }
                if sender.send(Message::Line((!ended).then_some(line))).is_err() || ended {
                    return;
                }
            }
        });
        ask
    }
}

/// What a line at the prompt wants of a file.
fn read_file(name: Option<&str>) -> Result<Vec<u8>, Option<String>> {
    let name = name.ok_or_else(|| Some("Say which file: redis-cli … < FILE".to_owned()))?;
    std::fs::read(name).map_err(|error| Some(format!("Can't open file '{name}': {}", reason(&error))))
}

/// What redis-cli says on standard error.
fn is_complaint(printed: &Printed) -> bool {
    let Printed::Words(spans) = printed else { return false };
    let Some(first) = spans.first().filter(|span| span.class == Class::Error) else { return false };
    !first.text.starts_with(b"Invalid ")
}

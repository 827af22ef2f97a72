//! The prompt on a real terminal: keys to the editor, the editor's line to the session, all of it drawn.

use std::collections::VecDeque;
use std::io::Write;
use std::time::{Duration, Instant};

use crossterm::event::{
    DisableBracketedPaste, EnableBracketedPaste, Event as Input, KeyCode, KeyEventKind, KeyModifiers,
};
use crossterm::{execute, terminal};
use signal_hook::consts::{SIGHUP, SIGTERM, SIGTSTP};

use crate::cli::State;
use crate::cli::complete::KeyQuery;
use crate::cli::editor::{Editor, Event, Key};
use crate::cli::session::READING;
use crate::cli::table::Table;
use crate::resp::reply::Reply;

use super::host::{Host, Message};
use super::link::{Dial, Stream, Talk};
use super::{files, keys};

/// How long Tab may look for keys.
const KEYS_PATIENCE: Duration = Duration::from_millis(300);
const KEYS_MAX: usize = 500;

/// The terminal in raw mode; it leaves it as it found it.
struct RawMode;

impl RawMode {
    fn enter() -> std::io::Result<RawMode> {
        terminal::enable_raw_mode()?;
        let _ = execute!(std::io::stdout(), EnableBracketedPaste);
        Ok(RawMode)
    }

    fn leave() {
        let _ = execute!(std::io::stdout(), DisableBracketedPaste);
        let _ = terminal::disable_raw_mode();
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        RawMode::leave();
    }
}

struct Prompt {
    host: Host,
    editor: Editor,
    /// Keys typed while there was no prompt.
    typed_ahead: VecDeque<Input>,
    /// A line is being typed between a subscription's messages.
    types_while_reading: bool,
}

/// Runs until the user leaves; the exit code.
pub fn run(mut host: Host) -> u8 {
    let (file, history) = files::HistoryFile::open();
    host.session.history = history;
    host.history = Some(file);
    host.shows_lines = true;
    for line in files::preferences() {
        host.is_echoed = true;
        host.submit(&line);
    }
    let raw_mode = match RawMode::enter() {
        Ok(raw_mode) => raw_mode,
        Err(error) => {
            eprintln!("The terminal cannot be read key by key: {error}");
            return 1;
        }
    };
    host.surface.is_raw = true;
    leave_on_signals();
    let keys = host.sender();
    std::thread::spawn(move || {
        while let Ok(event) = crossterm::event::read() {
            if keys.send(Message::Key(event)).is_err() {
                return;
            }
        }
    });
    host.start();
    let mut prompt =
        Prompt { host, editor: Editor::default(), typed_ahead: VecDeque::new(), types_while_reading: false };
    let code = prompt.run();
    prompt.host.surface.erase();
    prompt.host.surface.flush();
    drop(raw_mode);
    code
}

/// A terminal must not stay raw when the program is told to end or fails.
fn leave_on_signals() {
    if let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGTERM, SIGHUP]) {
        std::thread::spawn(move || {
            if let Some(signal) = signals.forever().next() {
                RawMode::leave();
                std::process::exit(128 + signal);
            }
        });
    }
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        RawMode::leave();
        report(info);
    }));
}

impl Prompt {
    fn run(&mut self) -> u8 {
        loop {
            self.settle();
            if let Some(code) = self.host.exit_code {
                return code;
            }
            self.draw();
            let mut message = self.host.wait();
            loop {
                if let Some(Message::Key(input)) = message {
                    self.typed_ahead.push_back(input);
                }
                match self.host.poll() {
                    Some(next) => message = next,
                    None => break,
                }
            }
        }
    }

    /// Deals with the keys that can be dealt with now.
    fn settle(&mut self) {
        while let Some(input) = self.typed_ahead.pop_front() {
            if self.shows_prompt() || self.host.session.state() == State::Reading {
                self.input(input);
            } else if is_interrupt(&input) {
                self.typed_ahead.clear();
                self.host.surface.erase();
                self.host.interrupt();
            } else {
                self.typed_ahead.push_front(input);
                break;
            }
            if self.host.exit_code.is_some() {
                return;
            }
        }
        // Behind keys that wait for a reply there may be the one that gives it up.
        if let Some(at) = self.typed_ahead.iter().position(is_interrupt) {
            self.typed_ahead.drain(..=at);
            self.host.interrupt();
        }
        let knows_nothing = self.host.session.table().is_empty();
        if knows_nothing && matches!(self.host.session.state(), State::Ready | State::NotConnected) {
            self.host.session.set_table(Table::builtin());
        }
    }

    fn shows_prompt(&self) -> bool {
        match self.host.session.state() {
            State::Ready | State::Continuing | State::NotConnected => true,
            State::Reading => self.types_while_reading,
            State::Waiting | State::Monitoring | State::Connecting => false,
        }
    }

    fn draw(&mut self) {
        let Host { session, surface, .. } = &mut self.host;
        if !self.types_while_reading && session.state() == State::Reading {
            return surface.status(Some(READING));
        }
        let shows = match session.state() {
            State::Ready | State::Continuing | State::NotConnected | State::Reading => true,
            State::Waiting | State::Monitoring | State::Connecting => false,
        };
        if !shows {
            return;
        }
        let view = self.editor.view(&session.history);
        let prompt = view.prompt.map_or_else(|| session.prompt(), str::to_owned);
        let grey = grey(session, &self.editor);
        surface.draw(&prompt, &view, &grey);
    }

    fn input(&mut self, input: Input) {
        match input {
            Input::Resize(..) => {
                self.host.surface.erase();
                self.host.surface.resize();
            }
            Input::Paste(text) => {
                let text = text.replace("\r\n", "\n").replace('\r', "\n");
                self.key(Key::Paste(text.trim_end_matches('\n').to_owned()));
            }
            Input::Key(key) if key.kind != KeyEventKind::Release => {
                let is_suspend =
                    key.code == KeyCode::Char('z') && key.modifiers.contains(KeyModifiers::CONTROL);
                if is_suspend {
                    self.suspend();
                } else if let Some(key) = keys::key(&key) {
                    self.key(key);
                }
            }
            _ => {}
        }
    }

    fn suspend(&mut self) {
        self.host.surface.erase();
        self.host.surface.flush();
        RawMode::leave();
        let _ = signal_hook::low_level::emulate_default_handler(SIGTSTP);
        let _ = terminal::enable_raw_mode();
        let _ = execute!(std::io::stdout(), EnableBracketedPaste);
        self.host.surface.resize();
    }

    fn key(&mut self, key: Key) {
        let is_reading = self.host.session.state() == State::Reading;
        if is_reading && !matches!(key, Key::Interrupt | Key::DeleteOrEnd) {
            self.types_while_reading = true;
        }
        let at_end = self.editor.cursor() == self.editor.text().len() && !self.editor.is_searching();
        if key == Key::Right && at_end && self.host.session.hint(self.editor.text()).is_some() {
            // Only what is seen can be taken.
            return;
        }
        let was_empty = self.editor.text().is_empty() && !self.editor.is_searching();
        let was_searching = self.editor.is_searching();
        let shown = self.editor.text().to_owned();
        match self.editor.key(key, &self.host.session.history) {
            Event::Submit(text) => self.submit(&text),
            Event::Complete => self.complete(),
            Event::Clear => self.host.surface.clear(),
            Event::Interrupt if was_searching => {}
            Event::Interrupt if is_reading && was_empty => self.leave_reading(),
            Event::Interrupt if was_empty && self.host.session.state() != State::Continuing => {
                self.host.exit_code = Some(0);
            }
            Event::Interrupt => {
                let prompt = self.host.session.prompt();
                self.host.surface.leave(&prompt, &format!("{shown}^C"));
                self.host.interrupt_line();
            }
            Event::End if is_reading => self.leave_reading(),
            Event::End => self.host.exit_code = Some(0),
            Event::Changed | Event::Nothing | Event::LeaveField => {}
        }
    }

    fn leave_reading(&mut self) {
        self.types_while_reading = false;
        self.host.surface.erase();
        self.host.interrupt();
    }

    fn submit(&mut self, text: &str) {
        self.types_while_reading = false;
        if text.contains('\n') {
            // Each line of a block is shown when it runs.
            self.host.surface.erase();
            self.host.is_echoed = false;
        } else {
            let prompt = self.host.session.prompt();
            self.host.surface.leave(&prompt, text);
            self.host.is_echoed = true;
        }
        self.host.submit(text);
        if self.host.session.state() == State::Continuing {
            self.host.is_echoed = false;
        }
    }

    fn complete(&mut self) {
        let (text, cursor) = (self.editor.text().to_owned(), self.editor.cursor());
        let mut completion = self.host.session.complete(&text, cursor);
        if let Some(query) = completion.keys.take()
            && matches!(self.host.session.state(), State::Ready | State::Reading)
        {
            let found = live_keys(&self.host, &query).unwrap_or_default();
            completion.add_keys(&found);
        }
        if self.editor.offer(completion) == Event::Nothing {
            // A bell, where the terminal has one.
            let _ = std::io::stdout().write_all(b"\x07");
        }
    }
}

/// The grey text behind the line: what is wrong with it, the hint, or else what the history suggests.
fn grey(session: &crate::cli::Session, editor: &Editor) -> String {
    if editor.is_searching() || editor.text().contains('\n') {
        return String::new();
    }
    match (session.fault(editor.text()), session.hint(editor.text())) {
        (Some(fault), _) => format!("  {}", fault.text),
        (None, Some(hint)) => hint,
        (None, None) => editor.ghost(&session.history).unwrap_or_default().to_owned(),
    }
}

fn is_interrupt(input: &Input) -> bool {
    matches!(input, Input::Key(key) if keys::key(key) == Some(Key::Interrupt))
}

/// Keys for completion, asked on a connection of their own so that the session's replies stay in order.
fn live_keys(host: &Host, query: &KeyQuery) -> Option<Vec<Vec<u8>>> {
    let until = Instant::now() + KEYS_PATIENCE;
    let settings = &host.session.settings;
    let dial = Dial { timeout: Some(KEYS_PATIENCE), ..host.dial.clone() };
    let stream = Stream::connect(&settings.address, &dial).ok()?;
    stream.set_read_timeout(Some(KEYS_PATIENCE)).ok()?;
    let mut talk = Talk::new(stream);
    let bytes = |text: &str| text.as_bytes().to_vec();
    if let Some(password) = &settings.password {
        let mut auth = vec![bytes("AUTH")];
        auth.extend(settings.user.as_deref().map(bytes));
        auth.push(bytes(password));
        talk.ask(&auth).ok()?;
    }
    if host.session.db() != 0 {
        talk.ask(&[bytes("SELECT"), host.session.db().to_string().into_bytes()]).ok()?;
    }
    let mut scan = query.scan();
    let mut found = Vec::new();
    loop {
        let reply = talk.ask(&scan).ok()?;
        let keys = reply.part(1).and_then(Reply::elements).unwrap_or_default();
        found.extend(keys.iter().filter_map(Reply::text).map(<[u8]>::to_vec));
        let cursor = reply.part(0).and_then(Reply::text).unwrap_or(b"0");
        if cursor == b"0" || found.len() >= KEYS_MAX || Instant::now() > until {
            return Some(found);
        }
        scan[1] = cursor.to_vec();
    }
}

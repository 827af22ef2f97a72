//! Commands on their way out, the connection they take and what is said on it first.

use std::sync::Arc;

use super::lines::style_with;
use super::{Action, LISTENING_MAX, Link, Pending, Purpose, Session};
use crate::cli::format::{Class, Format, Style};
use crate::cli::habits;
use crate::cli::options::Options;
use crate::cli::split;
use crate::cli::table::Table;
use crate::resp::reply::{Decoder, Reply};
use crate::resp::request::encode_request;

impl Session {
    pub(super) fn run_command(&mut self, args: Vec<Vec<u8>>, options: &Options, times: u64) {
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
        let name = name.to_ascii_lowercase();
        let mut after = Vec::new();
        if let Some(db) = options.db.filter(|&db| db != self.db) {
            after.extend(Some(select(self.db)).filter(|_| name != b"select"));
            self.run_quietly_first(select(db));
        }
        let json = matches!(style.format, Format::Json | Format::QuotedJson);
        let wants = if options.resp3 || (json && !options.resp2) {
            Some(true)
        } else {
            options.resp2.then_some(false)
        };
        let switch = wants.filter(|&resp3| resp3 != self.resp3 && !self.in_multi && !self.subscribed);
        if let Some(resp3) = switch {
            after.extend(Some(hello(!resp3)).filter(|_| name != b"hello"));
            self.run_quietly_first(hello(resp3));
        }
        let pending = Pending {
            purpose: Purpose::Typed,
            confirmations: 0,
            started_ms: self.now_ms,
            again: times - 1,
            interval_ms: options.interval_ms.unwrap_or(self.settings.interval_ms),
            after,
            style,
            args,
        };
        self.issue(pending);
    }

    pub(super) fn run_quietly_first(&mut self, args: Vec<Vec<u8>>) {
        if self.link == Link::Up {
            let pending = self.quiet(Purpose::Quiet, args);
            self.send(pending);
        }
    }

    pub(super) fn quiet(&self, purpose: Purpose, args: Vec<Vec<u8>>) -> Pending {
        Pending {
            purpose,
            args,
            style: Style::default(),
            confirmations: 0,
            started_ms: self.now_ms,
            again: 0,
            after: Vec::new(),
            interval_ms: 0,
        }
    }

    pub(super) fn issue(&mut self, pending: Pending) {
        if self.link == Link::Up {
            return self.send(pending);
        }
        self.parked = Some(pending);
        if self.link == Link::Down {
            self.connect();
        }
    }

    pub(super) fn send(&mut self, mut pending: Pending) {
        let name = pending.args[0].to_ascii_lowercase();
        if pending.purpose == Purpose::Typed {
            self.shutting_down |= name == b"shutdown";
            let subscribes = subscription(&name).is_some();
            if subscribes {
                pending.confirmations = (pending.args.len() - 1).max(1);
            }
            if (subscribes || name == b"monitor") && self.listening.len() < LISTENING_MAX {
                self.listening.push(split::join(&pending.args));
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

    pub(super) fn connect(&mut self) {
        self.reset_link(Link::Opening);
        self.out.push(Action::Connect(self.settings.address.clone()));
    }

    pub(super) fn reset_link(&mut self, link: Link) {
        self.link = link;
        self.decoder = Decoder::new();
        self.sent.clear();
        self.setup.clear();
        self.db = 0;
        self.in_multi = false;
        self.subscribed = false;
        self.monitoring = false;
        self.listening.clear();
        self.resp3 = false;
        if link == Link::Down {
            self.paused = None;
            self.tool = None;
        }
    }

    pub(super) fn next_setup(&mut self) {
        let Some(purpose) = self.setup.pop_front() else {
            if let Some(parked) = self.parked.take() {
                self.send(parked);
            }
            self.begin_tool();
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
            Purpose::Select => select(self.wanted_db),
            Purpose::SwitchProtocol => hello(true),
            _ => vec![text("COMMAND"), text("DOCS")],
        };
        let pending = self.quiet(purpose, args);
        self.send(pending);
    }

    /// The reply to one of the commands sent on the user's behalf.
    pub(super) fn setup_answered(&mut self, pending: Pending, reply: &Reply) {
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
            // As in redis-cli, what would follow is not tried.
            self.setup.retain(|purpose| *purpose == Purpose::Docs);
        }
        self.next_setup();
    }
}

fn select(db: i64) -> Vec<Vec<u8>> {
    vec![b"SELECT".to_vec(), db.to_string().into_bytes()]
}

fn hello(resp3: bool) -> Vec<Vec<u8>> {
    vec![b"HELLO".to_vec(), if resp3 { b"3".to_vec() } else { b"2".to_vec() }]
}

/// `Some(true)` for the commands that subscribe, `Some(false)` for those that unsubscribe.
pub(super) fn subscription(name: &[u8]) -> Option<bool> {
    match name {
        b"subscribe" | b"psubscribe" | b"ssubscribe" => Some(true),
        b"unsubscribe" | b"punsubscribe" | b"sunsubscribe" => Some(false),
        _ => None,
    }
}

/// A command as the server reads it.
pub fn encode(args: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::with_capacity(16 + args.iter().map(|arg| arg.len() + 16).sum::<usize>());
    encode_request(args.iter().map(Vec::as_slice), &mut out);
    out
}

//! Replies and pushes: which command they answer, what they mean for the prompt, what is added to an error.

use super::sending::subscription;
use super::{Action, Address, Pending, Purpose, SLOW_MS, Session};
use crate::cli::format::{Class, Format, Span, invalidation, no_roles};
use crate::cli::habits;
use crate::cli::options::leading_integer;
use crate::cli::printed::{Printed, PrintedReply};
use crate::cli::teach::{self, Lesson};
use crate::resp::reply::Reply;

impl Session {
    pub(super) fn take_reply(&mut self, reply: Reply) {
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
    pub(super) fn take_unasked(&mut self, reply: Reply) {
        if reply.is_push() && !self.subscribed {
            self.take_push(reply)
        } else {
            self.print_reply(reply, None)
        }
    }

    pub(super) fn take_push(&mut self, push: Reply) {
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
    pub(super) fn is_pubsub_message(&self, reply: &Reply) -> bool {
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
    pub(super) fn confirms(&mut self, message: &Reply) -> bool {
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

    pub(super) fn answered(&mut self, pending: Pending, reply: Reply) {
        match &pending.purpose {
            Purpose::Typed => {}
            Purpose::Quiet => return self.follow(&pending.args, &reply),
            Purpose::Tool => return self.tool_answered(reply),
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
        if !self.subscribed && !self.monitoring {
            pending.after.iter().for_each(|args| self.run_quietly_first(args.clone()));
        }
        let elapsed_ms = self.now_ms.saturating_sub(pending.started_ms);
        if elapsed_ms >= SLOW_MS && self.settings.style.format == Format::Tty {
            self.say(Class::Timing, elapsed_text(elapsed_ms));
        }
    }

    pub(super) fn send_again(&mut self, mut pending: Pending) {
        if pending.again != u64::MAX - 1 {
            pending.again -= 1;
        }
        if pending.interval_ms == 0 {
            return self.send(pending);
        }
        self.out.push(Action::Wake { after_ms: pending.interval_ms });
        self.paused = Some((self.now_ms + pending.interval_ms, pending));
    }

    pub(super) fn print_reply(&mut self, reply: Reply, pending: Option<&Pending>) {
        let printed = match pending {
            Some(Pending { args, style, .. }) => {
                let (roles, pairs) = (habits::roles(args), habits::pairs(args));
                PrintedReply { reply, style: style.clone(), roles, pairs }
            }
            None => {
                let style = self.settings.style.clone();
                PrintedReply { reply, style, roles: no_roles, pairs: None }
            }
        };
        self.out.push(Action::Print(Printed::Reply(printed)));
    }

    /// What the reply to a command means for the prompt and the protocol.
    pub(super) fn follow(&mut self, args: &[Vec<u8>], reply: &Reply) {
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
                self.listening.clear();
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

    pub(super) fn restore_db(&mut self) {
        self.db = self.db_before_multi;
        self.wanted_db = self.db;
    }

    /// Follows `MOVED` and `ASK` when told to.
    pub(super) fn redirected(&mut self, pending: &Pending, reply: &Reply) -> bool {
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
            after: pending.after.clone(),
            interval_ms: pending.interval_ms,
        });
        true
    }

    pub(super) fn explain(&mut self, args: &[Vec<u8>], reply: &Reply) {
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

    pub(super) fn teach(&mut self, spans: Vec<Span>) {
        if !spans.is_empty() {
            self.out.push(Action::Print(Printed::Words(spans)));
        }
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

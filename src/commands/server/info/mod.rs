//! INFO: facts and figures by section.

mod sections;

use std::collections::BTreeSet;
use std::fmt::{Display, Write};

use crate::command::declaration::*;
use crate::command::{Args, Ctx};
use crate::resp::ReplyWriter;
use crate::server::error::Result;

pub const COMMANDS: &[Command] = &[INFO];

/// The text of INFO while it grows.
#[derive(Default)]
struct Report {
    text: String,
}

impl Report {
    fn section(&mut self, title: &str) {
        let gap = if self.text.is_empty() { "" } else { "\r\n" };
        let _ = write!(self.text, "{gap}# {title}\r\n");
    }

    fn field(&mut self, name: &str, value: impl Display) {
        let _ = write!(self.text, "{name}:{value}\r\n");
    }

    fn zeros(&mut self, names: &[&str]) {
        for name in names {
            self.field(name, 0);
        }
    }

    /// Bytes, plainly and for people.
    fn bytes(&mut self, name: &str, value: u64) {
        self.field(name, value);
        self.field(&format!("{name}_human"), human(value));
    }
}

/// `1.50M`
pub fn human(bytes: u64) -> String {
    const UNITS: [(u64, char); 4] = [(1 << 40, 'T'), (1 << 30, 'G'), (1 << 20, 'M'), (1 << 10, 'K')];
    match UNITS.into_iter().find(|(size, _)| bytes >= *size) {
        Some((size, letter)) => format!("{:.2}{letter}", bytes as f64 / size as f64),
        None => format!("{bytes}B"),
    }
}

type Section = fn(&mut Ctx, &mut Report);

/// Name, whether it is shown by default, and what writes it.
const SECTIONS: [(&str, bool, Section); 16] = [
    ("server", true, sections::server),
    ("clients", true, sections::clients),
    ("memory", true, sections::memory),
    ("persistence", true, sections::persistence),
    ("threads", true, sections::threads),
    ("stats", true, sections::stats),
    ("replication", true, sections::replication),
    ("cpu", true, sections::cpu),
    ("modules", true, sections::modules),
    ("commandstats", false, sections::commandstats),
    ("errorstats", true, sections::errorstats),
    ("latencystats", false, sections::latencystats),
    ("cluster", true, sections::cluster),
    ("keyspace", true, sections::keyspace),
    ("keysizes", true, sections::keysizes),
    ("hotkeys", false, sections::hotkeys),
];

pub const INFO: Command = Command {
    name: "INFO",
    syntax: "[section ...]",
    summary: "Reports facts and figures about the server.",
    group: Group::Server,
    flags: LOADING.and(STALE),
    categories: Exceptions::also(Categories::DANGEROUS),
    tips: &["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
    history: &[("7.0.0", "Takes several sections.")],
    run: info,
    ..Command::BASE
};

fn info(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let asked: BTreeSet<Vec<u8>> = args.rest().map(<[u8]>::to_ascii_lowercase).collect();
    let has = |name: &str| asked.contains(name.as_bytes());
    let (everything, defaults) = (has("all") || has("everything"), asked.is_empty() || has("default"));
    let mut report = Report::default();
    for (name, by_default, write) in SECTIONS {
        let in_all = name != "modules" || has("everything");
        if has(name) || (everything && in_all) || (defaults && by_default) {
            write(ctx, &mut report);
        }
    }
    reply.verbatim("txt", report.text.as_bytes());
    Ok(())
}

//! HELP, in redis-cli's layout.

use super::format::{Class, Span};
use super::hints;
use super::printed::Printed;
use super::table::{Doc, Table};

/// What `HELP` and `?` print, given the words after them.
pub fn help(table: &Table, words: &[Vec<u8>]) -> Printed {
    let mut page = Page::default();
    let Some(first) = words.first() else {
        page.general();
        return Printed::Words(page.spans);
    };
    match first.strip_prefix(b"@") {
        Some(group) => {
            for doc in table.docs().iter().filter(|doc| doc.group.as_bytes().eq_ignore_ascii_case(group)) {
                page.command(doc, false);
            }
        }
        None => {
            for doc in table.docs().iter().filter(|doc| begins_with(doc, words)) {
                page.command(doc, true);
            }
        }
    }
    page.put(Class::Plain, "\n");
    Printed::Words(page.spans)
}

fn begins_with(doc: &Doc, words: &[Vec<u8>]) -> bool {
    let mut parts = doc.name.split(' ');
    words.iter().all(|word| parts.next().is_some_and(|part| part.as_bytes().eq_ignore_ascii_case(word)))
}

#[derive(Default)]
struct Page {
    spans: Vec<Span>,
}

impl Page {
    fn put(&mut self, class: Class, text: &str) {
        if !text.is_empty() {
            self.spans.push(Span { class, text: text.as_bytes().to_vec(), path: Vec::new() });
        }
    }

    fn command(&mut self, doc: &Doc, with_group: bool) {
        self.put(Class::Plain, "\n  ");
        self.put(Class::HelpName, &doc.name);
        self.put(Class::Plain, " ");
        self.put(Class::HelpArguments, &hints::syntax(&doc.arguments));
        self.put(Class::Plain, "\n");
        self.fact("summary:", &doc.summary);
        if !doc.since.is_empty() {
            self.fact("since:", &doc.since);
        }
        if with_group {
            self.fact("group:", &doc.group);
        }
    }

    fn fact(&mut self, label: &str, text: &str) {
        self.put(Class::Plain, "  ");
        self.put(Class::HelpLabel, label);
        self.put(Class::Plain, &format!(" {text}\n"));
    }

    fn general(&mut self) {
        const LINES: &[&str] = &[
            "Help on commands:",
            "      \"help @<group>\" lists the commands of a group",
            "      \"help <command>\" explains a command",
            "      \"help <tab>\" goes through all topics",
            "      \"quit\" leaves",
            "",
            "Preferences:",
            "      \":set hints\" shows arguments while you type",
            "      \":set nohints\" does not",
            "",
            "Also at the prompt:",
            "      \"5 INCR x\" runs a command five times, \"-r 5 -i 1 INCR x\" with pauses of a second",
            "      \"--raw\", \"--csv\", \"--json\" before a command change how its reply is printed, alone for all replies",
            "      \"connect <host> <port>\", \"clear\", lines of \"# comment\"",
        ];
        for line in LINES {
            self.put(Class::Plain, &format!("{line}\n"));
        }
    }
}

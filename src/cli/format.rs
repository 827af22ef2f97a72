//! A reply as text in each of redis-cli's output modes, as a stream of classed pieces.
//!
//! The pieces joined are exactly redis-cli's text; their classes and paths let a screen colour, fold and click. The
//! stream is lazy: the first lines of a reply of a million elements cost a few steps.

use std::collections::VecDeque;

use super::split::repr_byte;
use super::walk::{Slot, Step, Walk};
use crate::resp::reply::Reply;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people: quoted strings, types in brackets, numbered elements.
    #[default]
    Tty,
    Raw,
    Csv,
    Json,
    QuotedJson,
}

impl Format {
    pub const ALL: [Format; 5] = [Format::Tty, Format::Raw, Format::Csv, Format::Json, Format::QuotedJson];

    pub fn name(self) -> &'static str {
        match self {
            Format::Tty => "tty",
            Format::Raw => "raw",
            Format::Csv => "csv",
            Format::Json => "json",
            Format::QuotedJson => "quoted-json",
        }
    }

    pub fn named(name: &str) -> Option<Format> {
        Format::ALL.into_iter().find(|format| format.name() == name)
    }
}

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Spaces, newlines, separators.
    Plain,
    Error,
    Status,
    Integer,
    Double,
    String,
    Verbatim,
    Nil,
    Boolean,
    /// `(empty array)` and its like.
    Empty,
    /// `1) `, `1~ `, `1# `.
    Index,
    /// ` => `.
    Arrow,
    /// A string that names a key.
    Key,
    /// A string that names a field, member or other part of a value.
    Field,
    /// What was left out of a text that is too long to show.
    Cut,
    /// `(1.23s)`.
    Timing,
    /// The terminal's own words.
    Notice,
    /// An explanation beside an error.
    Lesson,
    /// In HELP: the command.
    HelpName,
    /// In HELP and hints: its arguments.
    HelpArguments,
    /// In HELP: `summary:` and its like.
    HelpLabel,
}

impl Class {
    pub const ALL: [Class; 21] = [
        Class::Plain,
        Class::Error,
        Class::Status,
        Class::Integer,
        Class::Double,
        Class::String,
        Class::Verbatim,
        Class::Nil,
        Class::Boolean,
        Class::Empty,
        Class::Index,
        Class::Arrow,
        Class::Key,
        Class::Field,
        Class::Cut,
        Class::Timing,
        Class::Notice,
        Class::Lesson,
        Class::HelpName,
        Class::HelpArguments,
        Class::HelpLabel,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Class::Plain => "plain",
            Class::Error => "error",
            Class::Status => "status",
            Class::Integer => "integer",
            Class::Double => "double",
            Class::String => "string",
            Class::Verbatim => "verbatim",
            Class::Nil => "nil",
            Class::Boolean => "boolean",
            Class::Empty => "empty",
            Class::Index => "index",
            Class::Arrow => "arrow",
            Class::Key => "key",
            Class::Field => "field",
            Class::Cut => "cut",
            Class::Timing => "timing",
            Class::Notice => "notice",
            Class::Lesson => "lesson",
            Class::HelpName => "help-name",
            Class::HelpArguments => "help-arguments",
            Class::HelpLabel => "help-label",
        }
    }
}

/// A piece of text. `path` leads to the part of the reply it shows (see [`Reply::at`]); an index belongs to the
/// element it numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    pub class: Class,
    pub text: Vec<u8>,
    pub path: Vec<u32>,
}

/// How replies are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Style {
    pub format: Format,
    /// Printed as it is, whatever the format, and without a closing newline: INFO, LOLWUT, CLIENT LIST …
    pub verbatim: bool,
    /// Between the elements of a raw reply (`-d`).
    pub element_delimiter: Vec<u8>,
    /// After a raw reply (`-D`).
    pub reply_delimiter: Vec<u8>,
    /// A longer text is cut and [`Class::Cut`] says so.
    pub text_max_bytes: usize,
}

impl Default for Style {
    fn default() -> Style {
        Style {
            format: Format::Tty,
            verbatim: false,
            element_delimiter: b"\n".to_vec(),
            reply_delimiter: b"\n".to_vec(),
            text_max_bytes: usize::MAX,
        }
    }
}

impl Style {
    pub fn of(format: Format) -> Style {
        Style { format, ..Style::default() }
    }
}

/// The class of a text in a reply, when the command that was asked tells more than the type: a key, a field.
pub type Roles = fn(path: &[u32], whole: &Reply) -> Option<Class>;

pub fn no_roles(_: &[u32], _: &Reply) -> Option<Class> {
    None
}

/// The whole text at once.
pub fn text(reply: &Reply, style: &Style) -> Vec<u8> {
    let mut out = Vec::new();
    for span in Spans::new(reply, style, no_roles) {
        out.extend_from_slice(&span.text);
    }
    out
}

/// The pieces of a reply's text, in order.
pub struct Spans<'a> {
    whole: &'a Reply,
    style: &'a Style,
    roles: Roles,
    walk: Walk<'a>,
    ready: VecDeque<Span>,
    /// Of each open aggregate in tty format: the column its parts stand in, the width of their numbers, the mark
    /// after them.
    columns: Vec<(usize, usize, &'static str)>,
    ended: bool,
}

impl<'a> Spans<'a> {
    pub fn new(reply: &'a Reply, style: &'a Style, roles: Roles) -> Spans<'a> {
        Spans {
            whole: reply,
            style,
            roles,
            walk: Walk::new(reply),
            ready: VecDeque::new(),
            columns: Vec::new(),
            ended: false,
        }
    }

    fn put(&mut self, class: Class, text: impl Into<Vec<u8>>) {
        let text = text.into();
        if !text.is_empty() {
            self.ready.push_back(Span { class, text, path: self.walk.path().to_vec() });
        }
    }

    fn step(&mut self, step: Step<'a>) {
        if self.style.verbatim {
            return self.raw(step);
        }
        match self.style.format {
            Format::Tty => self.tty(step),
            Format::Raw => self.raw(step),
            Format::Csv => self.csv(step),
            Format::Json | Format::QuotedJson => self.json(step),
        }
    }

    fn end(&mut self) {
        self.ended = true;
        if self.style.verbatim {
            return;
        }
        match self.style.format {
            Format::Raw => self.put(Class::Plain, self.style.reply_delimiter.clone()),
            _ => self.put(Class::Plain, "\n"),
        }
    }

    fn tty(&mut self, step: Step<'a>) {
        match step {
            Step::Leaf(slot, leaf) => {
                self.tty_lead(slot, leaf);
                self.tty_leaf(leaf);
            }
            Step::Open(slot, aggregate) => {
                self.tty_lead(slot, aggregate);
                let count = match aggregate {
                    Reply::Map(pairs) => pairs.len(),
                    other => other.len(),
                };
                let mark = match aggregate {
                    Reply::Map(_) => "#",
                    Reply::Set(_) => "~",
                    _ => ")",
                };
                let column = self.columns.last().map_or(0, |(column, width, _)| column + width + 2);
                self.columns.push((column, digits(count), mark));
                if count == 0 {
                    self.put(Class::Empty, empty_text(aggregate));
                }
            }
            Step::Close(..) => {
                self.columns.pop();
            }
        }
    }

    /// What stands before a part: indent and number, or the arrow before a map's value.
    fn tty_lead(&mut self, slot: Slot, part: &Reply) {
        let (column, width, mark) = self.columns.last().copied().unwrap_or((0, 0, ""));
        match slot {
            Slot::Root => {}
            Slot::Element(index) | Slot::Key(index) => {
                if index > 0 {
                    self.put(Class::Plain, "\n");
                    self.put(Class::Plain, vec![b' '; column]);
                }
                self.put(Class::Index, format!("{:>width$}{mark} ", index + 1));
            }
            Slot::Value(_) => {
                self.put(Class::Arrow, " => ");
                if is_multiline(part) {
                    self.put(Class::Plain, "\n");
                    self.put(Class::Plain, vec![b' '; column + width + 2]);
                }
            }
        }
    }

    fn tty_leaf(&mut self, leaf: &Reply) {
        match leaf {
            Reply::Error(text) => self.put(Class::Error, [b"(error) ", c_text(text)].concat()),
            Reply::Status(text) => self.put(Class::Status, c_text(text)),
            Reply::Integer(n) => self.put(Class::Integer, format!("(integer) {n}")),
            Reply::Double(text) => self.put(Class::Double, [b"(double) ", &text[..]].concat()),
            Reply::BigNumber(text) => self.put(Class::Integer, [b"(big number) ", &text[..]].concat()),
            Reply::Bulk(text) => self.put_repr(text, b""),
            Reply::Verbatim(_, text) => self.put_text(Class::Verbatim, text),
            Reply::Boolean(true) => self.put(Class::Boolean, "(true)"),
            Reply::Boolean(false) => self.put(Class::Boolean, "(false)"),
            _ => self.put(Class::Nil, "(nil)"),
        }
    }

    fn raw(&mut self, step: Step<'a>) {
        let (slot, leaf) = match step {
            Step::Leaf(slot, leaf) => (slot, Some(leaf)),
            Step::Open(slot, _) => (slot, None),
            Step::Close(..) => return,
        };
        match slot {
            Slot::Root => {}
            Slot::Value(_) => self.put(Class::Plain, " "),
            Slot::Element(0) | Slot::Key(0) => {}
            Slot::Element(_) | Slot::Key(_) => self.put(Class::Plain, self.style.element_delimiter.clone()),
        }
        match leaf {
            Some(Reply::Error(text)) => {
                self.put_text(Class::Error, text);
                self.put(Class::Plain, "\n");
            }
            Some(Reply::Status(text)) => self.put_text(Class::Status, text),
            Some(Reply::Bulk(text)) => {
                let class = self.role(Class::String);
                self.put_text(class, text);
            }
            Some(Reply::Verbatim(_, text)) => self.put_text(Class::Verbatim, text),
            Some(Reply::Boolean(yes)) => self.put(Class::Boolean, if *yes { "(true)" } else { "(false)" }),
            Some(number) => self.put_number(number),
            None => {}
        }
    }

    fn csv(&mut self, step: Step<'a>) {
        let (slot, leaf) = match step {
            Step::Leaf(slot, leaf) => (slot, Some(leaf)),
            Step::Open(slot, _) => (slot, None),
            Step::Close(..) => return,
        };
        if !matches!(slot, Slot::Root | Slot::Element(0) | Slot::Key(0)) {
            self.put(Class::Plain, ",");
        }
        match leaf {
            Some(Reply::Error(text)) => {
                self.put(Class::Error, "ERROR,");
                self.put_repr_as(Class::Error, c_text(text), b"");
            }
            Some(Reply::Status(text)) => self.put_repr_as(Class::Status, text, b""),
            Some(Reply::Bulk(text) | Reply::Verbatim(_, text)) => self.put_repr(text, b""),
            Some(Reply::Nil) => self.put(Class::Nil, "NULL"),
            Some(Reply::Boolean(yes)) => self.put(Class::Boolean, if *yes { "true" } else { "false" }),
            Some(number) => self.put_number(number),
            None => {}
        }
    }

    fn json(&mut self, step: Step<'a>) {
        // JSON's keys are strings: any other key is wrapped in quotes as it stands.
        let wrapped = |slot: Slot, key: &Reply| {
            let text =
                matches!(key, Reply::Error(_) | Reply::Status(_) | Reply::Bulk(_) | Reply::Verbatim(..));
            matches!(slot, Slot::Key(_)) && !text
        };
        match step {
            Step::Leaf(slot, leaf) => {
                self.json_lead(slot);
                let quote = if wrapped(slot, leaf) { "\"" } else { "" };
                self.put(Class::Plain, quote);
                self.json_leaf(leaf);
                self.put(Class::Plain, quote);
            }
            Step::Open(slot, aggregate) => {
                self.json_lead(slot);
                let quote = if wrapped(slot, aggregate) { "\"" } else { "" };
                let bracket = if matches!(aggregate, Reply::Map(_)) { '{' } else { '[' };
                self.put(Class::Plain, format!("{quote}{bracket}"));
            }
            Step::Close(slot, aggregate) => {
                let quote = if wrapped(slot, aggregate) { "\"" } else { "" };
                let bracket = if matches!(aggregate, Reply::Map(_)) { '}' } else { ']' };
                self.put(Class::Plain, format!("{bracket}{quote}"));
            }
        }
    }

    fn json_lead(&mut self, slot: Slot) {
        match slot {
            Slot::Root | Slot::Element(0) | Slot::Key(0) => {}
            Slot::Value(_) => self.put(Class::Plain, ":"),
            Slot::Element(_) | Slot::Key(_) => self.put(Class::Plain, ","),
        }
    }

    fn json_leaf(&mut self, leaf: &Reply) {
        match leaf {
            Reply::Error(text) => {
                self.put(Class::Error, "error:");
                self.put_json(Class::Error, c_text(text));
            }
            Reply::Status(text) => self.put_json(Class::Status, text),
            Reply::Bulk(text) | Reply::Verbatim(_, text) => {
                let class = self.role(Class::String);
                self.put_json(class, text);
            }
            Reply::Nil => self.put(Class::Nil, "null"),
            Reply::Boolean(yes) => self.put(Class::Boolean, if *yes { "true" } else { "false" }),
            number => self.put_number(number),
        }
    }

    fn put_number(&mut self, number: &Reply) {
        match number {
            Reply::Integer(n) => self.put(Class::Integer, n.to_string()),
            Reply::Double(text) => self.put(Class::Double, text.clone()),
            Reply::BigNumber(text) => self.put(Class::Integer, text.clone()),
            _ => {}
        }
    }

    fn put_json(&mut self, class: Class, text: &[u8]) {
        if self.style.format == Format::QuotedJson {
            return self.put_repr_as(class, text, b"\\");
        }
        let (shown, left_out) = self.cut(text);
        let mut out = Vec::with_capacity(shown.len() + 2);
        out.push(b'"');
        for &byte in shown {
            json_byte(byte, &mut out);
        }
        out.push(b'"');
        self.put(class, out);
        self.put_cut(left_out);
    }

    /// A string of the reply in quotes; `backslash` goes before each backslash of an escape.
    fn put_repr(&mut self, text: &[u8], backslash: &[u8]) {
        let class = self.role(Class::String);
        self.put_repr_as(class, text, backslash);
    }

    fn put_repr_as(&mut self, class: Class, text: &[u8], backslash: &[u8]) {
        let (shown, left_out) = self.cut(text);
        let mut out = Vec::with_capacity(shown.len() + 2);
        out.push(b'"');
        let mut escaped = Vec::with_capacity(4);
        for &byte in shown {
            escaped.clear();
            repr_byte(byte, &mut escaped);
            for &b in &escaped {
                if b == b'\\' {
                    out.extend_from_slice(backslash);
                }
                out.push(b);
            }
        }
        out.push(b'"');
        self.put(class, out);
        self.put_cut(left_out);
    }

    fn put_text(&mut self, class: Class, text: &[u8]) {
        let (shown, left_out) = self.cut(text);
        self.put(class, shown);
        self.put_cut(left_out);
    }

    fn cut<'t>(&self, text: &'t [u8]) -> (&'t [u8], usize) {
        let shown = text.len().min(self.style.text_max_bytes);
        (&text[..shown], text.len() - shown)
    }

    fn put_cut(&mut self, left_out: usize) {
        if left_out > 0 {
            self.put(Class::Cut, format!("… ({left_out} more bytes)"));
        }
    }

    fn role(&self, class: Class) -> Class {
        (self.roles)(self.walk.path(), self.whole).unwrap_or(class)
    }
}

impl Iterator for Spans<'_> {
    type Item = Span;

    fn next(&mut self) -> Option<Span> {
        loop {
            if let Some(span) = self.ready.pop_front() {
                return Some(span);
            }
            if self.ended {
                return None;
            }
            match self.walk.next() {
                Some(step) => self.step(step),
                None => self.end(),
            }
        }
    }
}

/// The line for invalidated keys of client tracking, when a push is such a message with keys.
pub fn invalidation(push: &Reply) -> Option<Vec<Span>> {
    let Reply::Push(parts) = push.plain() else { return None };
    let [Reply::Bulk(kind), Reply::Array(keys)] = &parts[..] else { return None };
    if !kind.starts_with(b"invalidate") {
        return None;
    }
    let span = |class, text: Vec<u8>, path: Vec<u32>| Span { class, text, path };
    let mut spans = vec![span(Class::Notice, b"-> invalidate: ".to_vec(), Vec::new())];
    for (index, key) in keys.iter().enumerate() {
        if index > 0 {
            spans.push(span(Class::Plain, b", ".to_vec(), Vec::new()));
        }
        let name = c_text(key.text().unwrap_or_default());
        spans.push(span(Class::Key, [b"'", name, b"'"].concat(), vec![1, index as u32]));
    }
    spans.push(span(Class::Plain, b"\n".to_vec(), Vec::new()));
    Some(spans)
}

fn empty_text(aggregate: &Reply) -> &'static str {
    match aggregate {
        Reply::Map(_) => "(empty hash)",
        Reply::Set(_) => "(empty set)",
        Reply::Push(_) => "(empty push)",
        _ => "(empty array)",
    }
}

/// Whether the tty format needs more than one line, by redis-cli's rule: it looks at counts and first parts only.
fn is_multiline(reply: &Reply) -> bool {
    let mut reply = reply.plain();
    loop {
        let next = match reply {
            Reply::Array(items) | Reply::Set(items) | Reply::Push(items) if items.len() <= 1 => items.first(),
            Reply::Map(pairs) if pairs.len() <= 1 => pairs.first().map(|(_, value)| value),
            Reply::Array(_) | Reply::Set(_) | Reply::Push(_) | Reply::Map(_) => return true,
            _ => return false,
        };
        match next {
            Some(part) => reply = part.plain(),
            None => return false,
        }
    }
}

fn digits(n: usize) -> usize {
    n.checked_ilog10().map_or(1, |log| log as usize + 1)
}

/// Redis-cli prints some texts as C strings, which end at a zero byte.
fn c_text(text: &[u8]) -> &[u8] {
    memchr::memchr(0, text).map_or(text, |end| &text[..end])
}

fn json_byte(byte: u8, out: &mut Vec<u8>) {
    match byte {
        b'\\' | b'"' => out.extend_from_slice(&[b'\\', byte]),
        b'\n' => out.extend_from_slice(b"\\n"),
        0x0c => out.extend_from_slice(b"\\f"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        8 => out.extend_from_slice(b"\\b"),
        0..=0x1f => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
        _ => out.push(byte),
    }
}

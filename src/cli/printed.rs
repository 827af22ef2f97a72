//! What a terminal prints: a reply in some format, or words of the terminal's own, as lines of classed spans.

use super::format::{self, Class, Format, Roles, Span, Spans, Style};
use super::grid::{self, Grid, Pairs};
use crate::resp::reply::Reply;

/// One thing printed. Its text is exactly redis-cli's; a reply keeps its values beside it.
#[derive(Clone, Debug)]
pub enum Printed {
    Reply(PrintedReply),
    /// Words of the terminal: notices, HELP, timings, lessons.
    Words(Vec<Span>),
}

#[derive(Clone, Debug)]
pub struct PrintedReply {
    pub reply: Reply,
    pub style: Style,
    pub roles: Roles,
    /// What a flat list of pairs holds.
    pub pairs: Pairs,
}

/// A line on the screen. Without `ended` the next printed thing goes on in the same line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    pub spans: Vec<Span>,
    pub ended: bool,
}

impl Line {
    pub fn text(&self) -> Vec<u8> {
        let mut out: Vec<u8> = self.spans.iter().flat_map(|span| span.text.iter().copied()).collect();
        if self.ended {
            out.push(b'\n');
        }
        out
    }

    /// The path of the last value on the line: lines whose paths share a beginning fold together.
    pub fn path(&self) -> &[u32] {
        self.spans.last().map_or(&[], |span| &span.path)
    }
}

impl Printed {
    pub fn reply(reply: Reply, format: Format) -> Printed {
        Printed::Reply(PrintedReply { reply, style: Style::of(format), roles: format::no_roles, pairs: None })
    }

    /// One line of the terminal's own words.
    pub fn words(class: Class, text: impl AsRef<str>) -> Printed {
        Printed::Words(vec![
            Span { class, text: text.as_ref().as_bytes().to_vec(), path: Vec::new() },
            Span { class: Class::Plain, text: b"\n".to_vec(), path: Vec::new() },
        ])
    }

    /// The whole text.
    pub fn text(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.pieces().for_each(|span| out.extend_from_slice(&span.text));
        out
    }

    /// The lines one after another; only what is taken is computed.
    pub fn lines(&self) -> Lines<'_> {
        Lines { spans: self.pieces(), rest: None }
    }

    /// The pieces one after another, newlines included.
    pub fn pieces(&self) -> Box<dyn Iterator<Item = Span> + '_> {
        match self {
            Printed::Reply(printed) => Box::new(Spans::new(&printed.reply, &printed.style, printed.roles)),
            Printed::Words(spans) => Box::new(spans.iter().cloned()),
        }
    }

    /// The same reply in another format; words stay what they are.
    pub fn in_format(&self, format: Format) -> Printed {
        match self {
            Printed::Reply(printed) => {
                let mut printed = printed.clone();
                printed.style.format = format;
                printed.style.verbatim = printed.style.verbatim && format == Format::Tty;
                Printed::Reply(printed)
            }
            words => words.clone(),
        }
    }

    /// The reply as a table, where it has the shape of one.
    pub fn grid(&self, rows_max: usize) -> Option<Grid> {
        match self {
            Printed::Reply(printed) => grid::grid(&printed.reply, printed.pairs, rows_max),
            Printed::Words(_) => None,
        }
    }

    /// The part of the reply a span shows.
    pub fn value(&self, path: &[u32]) -> Option<&Reply> {
        match self {
            Printed::Reply(printed) => printed.reply.at(path),
            Printed::Words(_) => None,
        }
    }

    /// The bytes that copying a value should give: a text unquoted, a number's digits, an aggregate as redis-cli's raw.
    pub fn copy(&self, path: &[u32]) -> Option<Vec<u8>> {
        let style = Style { verbatim: true, ..Style::default() };
        self.value(path).map(|reply| match reply.text() {
            Some(text) => text.to_vec(),
            None => format::text(reply, &style),
        })
    }

    pub fn is_error(&self) -> bool {
        matches!(self, Printed::Reply(printed) if printed.reply.is_error())
    }
}

/// Lines cut from a stream of spans.
pub struct Lines<'a> {
    spans: Box<dyn Iterator<Item = Span> + 'a>,
    /// A span of several lines and how much of it was given out.
    rest: Option<(Span, usize)>,
}

impl Iterator for Lines<'_> {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        let mut line = Line::default();
        while let Some((span, from)) = self.rest.take().or_else(|| self.spans.next().map(|span| (span, 0))) {
            let Some(end) = memchr::memchr(b'\n', &span.text[from..]) else {
                let text = span.text[from..].to_vec();
                line.spans.push(Span { text, ..span });
                continue;
            };
            if end > 0 {
                let text = span.text[from..from + end].to_vec();
                line.spans.push(Span { class: span.class, text, path: span.path.clone() });
            }
            if from + end + 1 < span.text.len() {
                self.rest = Some((span, from + end + 1));
            }
            line.ended = true;
            return Some(line);
        }
        (!line.spans.is_empty()).then_some(line)
    }
}

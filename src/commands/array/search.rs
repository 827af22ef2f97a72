//! What the elements of a range of an array say together: those that match, their sum, their bits.

use std::borrow::Cow;

use super::{index_of, next_index, parse_limit, write_index};
use crate::command::call::wrong_arity;
use crate::command::declaration::*;
use crate::command::{Args, Ctx, Keys};
use crate::commands::list::bulk;
use crate::data::array::pattern::{Fault, Pattern};
use crate::data::glob;
use crate::data::listpack::{Entry, Needle};
use crate::data::long_double::LongDouble;
use crate::data::number::Text;
use crate::format_error;
use crate::resp::ReplyWriter;
use crate::server::error::{self, Error, Result};

pub const COMMANDS: &[Command] = &[ARGREP, AROP];

const CONDITIONS_MAX: usize = 250;
const PATTERN_MAX_BYTES: usize = 2048;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Exact,
    Match,
    Glob,
    Regular,
}

/// One of ARGREP's conditions.
enum Condition<'a> {
    Exact(&'a [u8]),
    /// In small letters where case does not matter.
    Contains(Cow<'a, [u8]>),
    Glob(&'a [u8]),
    Regular(Pattern),
}

#[derive(Clone, Copy)]
enum Bound {
    First,
    Last,
    Index(u64),
}

impl Bound {
    fn parse(args: &mut Args) -> Result<Self> {
        match args.next()? {
            b"-" => Ok(Bound::First),
            b"+" => Ok(Bound::Last),
            text => index_of(text).map(Bound::Index),
        }
    }

    fn index(self, len: u64) -> u64 {
        match self {
            Bound::First => 0,
            Bound::Last => len.saturating_sub(1),
            Bound::Index(index) => index,
        }
    }
}

/// What ARGREP looks for.
struct Search<'a> {
    conditions: Vec<Condition<'a>>,
    all: bool,
    limit: usize,
    with_values: bool,
    nocase: bool,
}

impl<'a> Search<'a> {
    fn parse(args: &mut Args<'a>) -> Result<Self> {
        let mut search = Search {
            conditions: Vec::new(),
            all: false,
            limit: usize::MAX,
            with_values: false,
            nocase: false,
        };
        let mut wanted = Vec::new();
        while !args.is_empty() {
            if let Some(kind) = accept_kind(args) {
                let text = args.next()?;
                if wanted.len() == CONDITIONS_MAX {
                    return Err(format_error!("ERR too many predicates, maximum is {CONDITIONS_MAX}"));
                }
                if kind == Kind::Regular && text.len() > PATTERN_MAX_BYTES {
                    return Err(format_error!(
                        "ERR regular expression is too long, maximum is {PATTERN_MAX_BYTES} bytes"
                    ));
                }
                wanted.push((kind, text));
            } else if args.accept("LIMIT") {
                search.limit = parse_limit(args)?;
            } else if args.accept("WITHVALUES") {
                search.with_values = true;
            } else if args.accept("NOCASE") {
                search.nocase = true;
            } else if args.accept("AND") {
                search.all = true;
            } else if args.accept("OR") {
                search.all = false;
            } else {
                return Err(error::SYNTAX);
            }
        }
        if wanted.is_empty() {
            return Err(error::SYNTAX);
        }
        // NOCASE may stand behind the patterns it is for.
        for (kind, text) in wanted {
            search.conditions.push(Condition::new(kind, text, search.nocase)?);
        }
        Ok(search)
    }

    fn is_match(&self, element: Entry) -> bool {
        let mut digits = Text::new();
        let text = element.bytes(&mut digits);
        let mut conditions = self.conditions.iter();
        if self.all {
            conditions.all(|condition| condition.is_met(text, self.nocase))
        } else {
            conditions.any(|condition| condition.is_met(text, self.nocase))
        }
    }
}

fn accept_kind(args: &mut Args) -> Option<Kind> {
    const KINDS: [(&str, Kind); 4] =
        [("EXACT", Kind::Exact), ("MATCH", Kind::Match), ("GLOB", Kind::Glob), ("RE", Kind::Regular)];
    KINDS.into_iter().find(|(name, _)| args.accept(name)).map(|(_, kind)| kind)
}

impl<'a> Condition<'a> {
    fn new(kind: Kind, text: &'a [u8], nocase: bool) -> Result<Self> {
        Ok(match kind {
            Kind::Exact => Condition::Exact(text),
            Kind::Match if nocase => Condition::Contains(text.to_ascii_lowercase().into()),
            Kind::Match => Condition::Contains(text.into()),
            Kind::Glob => Condition::Glob(text),
            Kind::Regular if text.is_empty() => {
                return Err(Error::new("ERR regular expression is empty"));
            }
            Kind::Regular => {
                Condition::Regular(Pattern::parse(text, nocase).map_err(|fault| match fault {
                    Fault::BackReference => {
                        Error::new("ERR regular expression backreferences are not supported")
                    }
                    Fault::Invalid(why) => format_error!("ERR invalid regular expression: {why}"),
                })?)
            }
        })
    }

    fn is_met(&self, text: &[u8], nocase: bool) -> bool {
        match self {
            Condition::Exact(wanted) if nocase => text.eq_ignore_ascii_case(wanted),
            Condition::Exact(wanted) => text == *wanted,
            Condition::Contains(wanted) if nocase => {
                memchr::memmem::find(&text.to_ascii_lowercase(), wanted).is_some()
            }
            Condition::Contains(wanted) => memchr::memmem::find(text, wanted).is_some(),
            Condition::Glob(pattern) if nocase => glob::matches_nocase(pattern, text),
            Condition::Glob(pattern) => glob::matches(pattern, text),
            Condition::Regular(pattern) => pattern.is_match(text),
        }
    }
}

pub const ARGREP: Command = Command {
    name: "ARGREP",
    syntax: "key start:string end:string predicate=<exact=('EXACT' string) | match=('MATCH' string) | glob=('GLOB' pattern:string) | re=('RE' pattern:string)> ... options=[AND | OR | LIMIT limit | WITHVALUES | NOCASE]...",
    summary: "Finds the elements in an index range of an array that match text conditions.",
    since: "8.8.0",
    complexity: "O(P*C) with P the positions visited and C the cost of one comparison",
    group: Group::Array,
    flags: READONLY,
    keys: &[Keys::at(1).read_only().access()],
    run: argrep,
    ..Command::BASE
};

fn argrep(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (key, start, end) = (args.next()?, Bound::parse(args)?, Bound::parse(args)?);
    let search = Search::parse(args)?;
    let mark = reply.mark();
    let mut count = 0;
    if let Some(array) = ctx.array(key)? {
        let len = array.len();
        let elements = array.range(start.index(len), end.index(len));
        for (index, element) in elements.filter(|(_, element)| search.is_match(*element)).take(search.limit) {
            if search.with_values {
                reply.array(2);
            }
            write_index(reply, index);
            if search.with_values {
                bulk(reply, element);
            }
            count += 1;
        }
    }
    reply.close_array(mark, count);
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation<'a> {
    Sum,
    Min,
    Max,
    And,
    Or,
    Xor,
    Match(&'a [u8]),
    Used,
}

impl<'a> Operation<'a> {
    fn parse(ctx: &Ctx, args: &mut Args<'a>) -> Result<Self> {
        let operation = match args.next()?.to_ascii_uppercase().as_slice() {
            b"SUM" => Operation::Sum,
            b"MIN" => Operation::Min,
            b"MAX" => Operation::Max,
            b"AND" => Operation::And,
            b"OR" => Operation::Or,
            b"XOR" => Operation::Xor,
            b"USED" => Operation::Used,
            b"MATCH" if args.left() == 1 => Operation::Match(args.next()?),
            b"MATCH" => return Err(Error::new("ERR MATCH requires a value argument")),
            _ => return Err(Error::new("ERR unknown operation")),
        };
        if args.is_empty() { Ok(operation) } else { Err(wrong_arity(ctx.command)) }
    }
}

/// An element as a number, if it is the text of one.
fn number_of(element: Entry) -> Option<LongDouble> {
    match element {
        Entry::Int(number) => Some(LongDouble::from_i64(number)),
        Entry::Bytes(text) => LongDouble::parse(text),
    }
}

fn add(sum: LongDouble, more: LongDouble) -> LongDouble {
    sum.plus(more).unwrap_or(if sum.is_finite() { more } else { sum })
}

pub const AROP: Command = Command {
    name: "AROP",
    syntax: "key start end operation=<SUM | MIN | MAX | AND | OR | XOR | match=('MATCH' value) | USED>",
    summary: "Folds the elements of an index range of an array into one value, such as their sum.",
    since: "8.8.0",
    complexity: "O(P) with P the positions visited in the range",
    group: Group::Array,
    flags: READONLY,
    keys: &[Keys::at(1).read_only().access()],
    run: arop,
    ..Command::BASE
};

fn arop(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (key, start, end) = (args.next()?, next_index(args)?, next_index(args)?);
    let operation = Operation::parse(ctx, args)?;
    let array = ctx.array(key)?;
    let elements = array.into_iter().flat_map(|array| array.range(start, end)).map(|(_, element)| element);
    match operation {
        Operation::Used => reply.count(elements.count()),
        Operation::Match(wanted) => {
            let needle = Needle::new(wanted);
            reply.count(elements.filter(|element| needle.matches(*element)).count());
        }
        Operation::And | Operation::Or | Operation::Xor => {
            let integers = elements.filter_map(|element| match element {
                Entry::Int(number) => Some(number),
                Entry::Bytes(text) => LongDouble::parse(text)?.truncated(),
            });
            let folded = integers.reduce(|a, b| match operation {
                Operation::And => a & b,
                Operation::Or => a | b,
                _ => a ^ b,
            });
            match folded {
                Some(value) => reply.integer(value),
                None => reply.null(),
            }
        }
        Operation::Sum | Operation::Min | Operation::Max => {
            let folded = elements.filter_map(number_of).reduce(|a, b| match operation {
                Operation::Sum => add(a, b),
                Operation::Min if b.is_less(a) => b,
                Operation::Max if a.is_less(b) => b,
                _ => a,
            });
            match folded {
                Some(value) => reply.bulk(&value.to_general_text()),
                None => reply.null(),
            }
        }
    }
    Ok(())
}

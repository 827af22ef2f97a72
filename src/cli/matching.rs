//! Typed words against a command's arguments: what they fill, what is left, what may come next.

use super::table::{Argument, Kind};

/// More words than these get no hints.
const WORDS_MAX: usize = 1000;

/// How much of one argument the words have filled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fill {
    Empty,
    /// Its token is there and nothing behind it.
    Token,
    Block(Vec<Fill>),
    /// Which part of the choice, and how much of it.
    Choice(usize, Box<Fill>),
    /// An argument that may repeat: how much of its last repetition.
    Repeating(Box<Fill>),
    Done,
}

impl Fill {
    pub fn is_empty(&self) -> bool {
        *self == Fill::Empty
    }

    /// Nothing more can be typed into it.
    fn is_full(&self) -> bool {
        match self {
            Fill::Done => true,
            Fill::Choice(_, part) => part.is_full(),
            Fill::Block(parts) => parts.iter().all(Fill::is_full),
            _ => false,
        }
    }
}

/// What could be typed next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next<'a> {
    Token(&'a str),
    Value(&'a Argument),
}

/// How much the words fill of a list of arguments; nothing when they cannot belong to it.
pub fn fill(arguments: &[Argument], words: &[Vec<u8>]) -> Option<Vec<Fill>> {
    if words.len() > WORDS_MAX {
        return None;
    }
    let (used, fills) = sequence(arguments, words)?;
    (used == words.len()).then_some(fills)
}

/// How many of the words find a place before one does not; all of them when the words fit.
pub fn fitting(arguments: &[Argument], words: &[Vec<u8>]) -> usize {
    let words = &words[..words.len().min(WORDS_MAX)];
    (0..=words.len()).rev().find(|&n| fill(arguments, &words[..n]).is_some()).unwrap_or(0)
}

/// Whether a command could end with these arguments so filled.
pub fn is_complete(arguments: &[Argument], fills: &[Fill]) -> bool {
    next(arguments, fills, &mut Vec::new())
}

/// Collects what may be typed next; true when nothing has to be.
pub fn next<'a>(arguments: &'a [Argument], fills: &[Fill], out: &mut Vec<Next<'a>>) -> bool {
    let mut at = 0;
    while at < arguments.len() {
        if !arguments[at].optional {
            if !next_of(&arguments[at], &fills[at], out) {
                return false;
            }
            at += 1;
            continue;
        }
        let end = group_end(arguments, at);
        if end < arguments.len() && !fills[end].is_empty() {
            at = end;
            continue;
        }
        // What was begun comes first, and alone when it must go on.
        for i in at..end {
            if !fills[i].is_empty() && !next_of(&arguments[i], &fills[i], out) {
                return false;
            }
        }
        for i in (at..end).filter(|&i| fills[i].is_empty()) {
            next_of(&arguments[i], &fills[i], out);
        }
        at = end;
    }
    true
}

fn next_of<'a>(argument: &'a Argument, fill: &Fill, out: &mut Vec<Next<'a>>) -> bool {
    match fill {
        Fill::Done => true,
        Fill::Empty => {
            starts(argument, out);
            argument.optional
        }
        Fill::Token => {
            body_starts(argument, out);
            false
        }
        Fill::Block(fills) => next(&argument.parts, fills, out),
        Fill::Choice(which, part) => next_of(&argument.parts[*which], part, out),
        Fill::Repeating(last) => {
            let may_end = next_of(argument, last, out);
            if may_end {
                match argument.token.as_deref() {
                    Some(token) if argument.multiple_token => out.push(Next::Token(token)),
                    _ => body_starts(argument, out),
                }
            }
            may_end
        }
    }
}

fn starts<'a>(argument: &'a Argument, out: &mut Vec<Next<'a>>) {
    match argument.token.as_deref() {
        Some(token) => out.push(Next::Token(token)),
        None => body_starts(argument, out),
    }
}

fn body_starts<'a>(argument: &'a Argument, out: &mut Vec<Next<'a>>) {
    match argument.kind {
        Kind::PureToken => {}
        Kind::OneOf => argument.parts.iter().for_each(|part| starts(part, out)),
        Kind::Block => {
            for part in &argument.parts {
                starts(part, out);
                if !part.optional {
                    break;
                }
            }
        }
        _ => out.push(Next::Value(argument)),
    }
}

/// Where a run of optional arguments, which come in any order, ends.
pub fn group_end(arguments: &[Argument], from: usize) -> usize {
    arguments[from..].iter().position(|argument| !argument.optional).map_or(arguments.len(), |n| from + n)
}

/// Fills arguments one after another; nothing when a required one refuses its words.
fn sequence(arguments: &[Argument], words: &[Vec<u8>]) -> Option<(usize, Vec<Fill>)> {
    let mut fills = vec![Fill::Empty; arguments.len()];
    let mut used = 0;
    let mut at = 0;
    while at < arguments.len() {
        let limit = (at > 0 && used > 0).then(|| counted(&arguments[at - 1], &words[used - 1])).flatten();
        if limit == Some(0) {
            fills[at] = Fill::Done;
            at += 1;
        } else if used == words.len() {
            break;
        } else if arguments[at].optional {
            let end = group_end(arguments, at);
            used += any_order(&arguments[at..end], &words[used..], &mut fills[at..end], limit);
            at = end;
        } else {
            let (n, fill) = one(&arguments[at], &words[used..], limit)?;
            used += n;
            fills[at] = fill;
            at += 1;
        }
    }
    Some((used, fills))
}

/// How often what follows may repeat, when the argument before says so.
fn counted(argument: &Argument, word: &[u8]) -> Option<usize> {
    let counts = argument.name == "numkeys" || argument.name == "numfields";
    std::str::from_utf8(word).ok().filter(|_| counts).and_then(|word| word.parse().ok())
}

/// Fills optional arguments in whatever order the words bring them; answers how many words that took. `limit` says how
/// often the first of them may repeat.
fn any_order(arguments: &[Argument], words: &[Vec<u8>], fills: &mut [Fill], limit: Option<usize>) -> usize {
    let mut used = 0;
    let mut latest: Option<usize> = None;
    'words: while used < words.len() {
        for (i, argument) in arguments.iter().enumerate() {
            let again = matches!(&fills[i], Fill::Done) && argument.multiple && latest != Some(i);
            if !fills[i].is_empty() && !again {
                continue;
            }
            let limit = limit.filter(|_| i == 0 && used == 0);
            if let Some((n, fill)) = one(argument, &words[used..], limit) {
                // What came before is over, even where it could have gone on.
                if let Some(latest) = latest {
                    fills[latest] = Fill::Done;
                }
                used += n;
                fills[i] = fill;
                latest = Some(i);
                continue 'words;
            }
        }
        break;
    }
    used
}

/// Fills one argument, as often as it repeats; at least one word is taken.
fn one(argument: &Argument, words: &[Vec<u8>], limit: Option<usize>) -> Option<(usize, Fill)> {
    let (mut used, mut last) = once(argument, words)?;
    if !argument.multiple {
        return Some((used, last));
    }
    let mut times = 1;
    while used < words.len() && repeats(argument, &last) && limit.is_none_or(|limit| times < limit) {
        let again = match argument.multiple_token || argument.token.is_none() {
            true => once(argument, &words[used..]),
            false => body(argument, &words[used..]),
        };
        let Some((n, fill)) = again else { break };
        used += n;
        last = fill;
        times += 1;
    }
    if limit == Some(times) && last.is_full() {
        return Some((used, Fill::Done));
    }
    Some((used, Fill::Repeating(Box::new(last))))
}

fn repeats(argument: &Argument, last: &Fill) -> bool {
    match last {
        Fill::Block(fills) => is_complete(&argument.parts, fills),
        other => other.is_full(),
    }
}

fn once(argument: &Argument, words: &[Vec<u8>]) -> Option<(usize, Fill)> {
    let Some(token) = &argument.token else { return body(argument, words) };
    if !words.first()?.eq_ignore_ascii_case(token.as_bytes()) {
        return None;
    }
    if argument.kind == Kind::PureToken {
        return Some((1, Fill::Done));
    }
    if words.len() == 1 {
        return Some((1, Fill::Token));
    }
    body(argument, &words[1..]).map(|(used, fill)| (used + 1, fill))
}

fn body(argument: &Argument, words: &[Vec<u8>]) -> Option<(usize, Fill)> {
    let word = words.first()?;
    match argument.kind {
        Kind::Block => {
            let (used, fills) = sequence(&argument.parts, words).filter(|(used, _)| *used > 0)?;
            let full = fills.iter().all(Fill::is_full);
            Some((used, if full { Fill::Done } else { Fill::Block(fills) }))
        }
        Kind::OneOf => argument.parts.iter().enumerate().find_map(|(which, part)| {
            let (used, fill) = one(part, words, None)?;
            Some((used, if fill.is_full() { Fill::Done } else { Fill::Choice(which, Box::new(fill)) }))
        }),
        Kind::Integer | Kind::UnixTime => begins_as_integer(word).then_some((1, Fill::Done)),
        Kind::Double => begins_as_double(word).then_some((1, Fill::Done)),
        Kind::PureToken => None,
        Kind::String | Kind::Key | Kind::Pattern => Some((1, Fill::Done)),
    }
}

/// Redis-cli's test for a number: the word begins as one.
fn begins_as_integer(word: &[u8]) -> bool {
    let word = word.trim_ascii_start();
    let digits = word.strip_prefix(b"-").or(word.strip_prefix(b"+")).unwrap_or(word);
    digits.first().is_some_and(u8::is_ascii_digit)
}

fn begins_as_double(word: &[u8]) -> bool {
    let word = word.trim_ascii_start();
    let rest = word.strip_prefix(b"-").or(word.strip_prefix(b"+")).unwrap_or(word);
    let special = |name: &[u8]| rest.get(..3).is_some_and(|start| start.eq_ignore_ascii_case(name));
    match rest {
        [b'.', digit, ..] | [digit, ..] if digit.is_ascii_digit() => true,
        _ => special(b"inf") || special(b"nan"),
    }
}

//! The inputs of a session as a list of moments to return to.

use super::Part;
use crate::cli::split::quote;
use crate::engine::journal::{Input, Journal};
use crate::resp::RequestParser;
use crate::resp::request::{Parsed, RequestLimits};

const ROWS_MAX: usize = 500;
const WORDS_MAX: usize = 24;
const WORD_BYTES_MAX: usize = 80;

/// `{rows, shown: [{moment, at, client, text, more}]}` of what clients did, the passing of time aside. A moment is the number
/// of inputs up to and with this one. O(inputs).
pub fn timeline(journal: &Journal, from: usize, count: usize) -> Part {
    let mut shown = Vec::new();
    let mut row = 0;
    for (index, input) in journal.inputs().enumerate() {
        if matches!(input, Input::Tick { .. }) {
            continue;
        }
        if row >= from && row - from < count.min(ROWS_MAX) {
            shown.push(moment(index + 1, &input));
        }
        row += 1;
    }
    Part::Record(vec![
        ("rows", Part::count(row)),
        ("from", Part::count(from)),
        ("moments", Part::count(journal.len())),
        ("shown", Part::List(shown)),
    ])
}

pub(super) fn moment(moment: usize, input: &Input) -> Part {
    let (client, text, more) = match input {
        Input::Connect { .. } => (0, "connects".to_owned(), 0),
        Input::Disconnect { client, .. } => (*client, "leaves".to_owned(), 0),
        Input::Receive { client, bytes, .. } => {
            let (line, more) = line_of(bytes);
            (*client, line, more)
        }
        // Hosts may add inputs of their own.
        #[allow(unreachable_patterns)]
        _ => (0, String::new(), 0),
    };
    Part::Record(vec![
        ("moment", Part::count(moment)),
        ("at", Part::time(input.now_ms())),
        ("client", Part::time(client)),
        ("request", Part::Flag(matches!(input, Input::Receive { .. }))),
        ("text", Part::Text(text)),
        ("more", Part::count(more)),
    ])
}

/// The first request as one would type it, and how many follow.
pub(super) fn line_of(bytes: &[u8]) -> (String, usize) {
    let limits = RequestLimits { bulk_bytes_max: u64::MAX, authenticated: true };
    let mut parser = RequestParser::default();
    let (mut line, mut requests, mut at) = (String::new(), 0, 0);
    while requests < 1000 {
        let (words, used): (Vec<String>, usize) = match parser.parse(&bytes[at..], &limits) {
            Ok(Parsed::Multibulk { consumed }) => {
                let buffer = &bytes[at..];
                (parser.spans().iter().take(WORDS_MAX).map(|span| shown(span.of(buffer))).collect(), consumed)
            }
            Ok(Parsed::Inline { consumed }) => {
                let inline = parser.inline();
                (inline.iter().take(WORDS_MAX).map(shown).collect(), consumed)
            }
            _ => break,
        };
        if requests == 0 {
            line = words.join(" ");
        }
        requests += 1;
        at += used;
    }
    if requests == 0 {
        return (shown(bytes), 0);
    }
    (line, requests - 1)
}

fn shown(word: &[u8]) -> String {
    if word.len() <= WORD_BYTES_MAX {
        return quote(word);
    }
    quote(&word[..WORD_BYTES_MAX]) + "…"
}

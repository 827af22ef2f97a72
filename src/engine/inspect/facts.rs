//! What declarations say of a request that runs elsewhere: its command, and the keys it names. Nothing runs here.

use super::{Part, timeline};
use crate::command::keyspec::{Begin, Find};
use crate::command::{Args, Command, declaration, keyspec, registry};
use crate::resp::RequestParser;
use crate::resp::request::{Parsed, RequestLimits};

const KEYS_MAX: usize = 32;

/// A key spec in a few words: where keys begin, and how the others follow. Words are counted as the request has them, its
/// name being word 0.
pub(super) fn spec_words(spec: &keyspec::Keys) -> String {
    let number = |number: i64| number.to_string();
    let (start, base) = match spec.begin {
        Begin::Unknown => return "only the command itself can tell".to_owned(),
        Begin::Index(index) => (["word ", &number(index.into())].concat(), Some(i64::from(index))),
        Begin::Keyword { keyword, .. } => (["the word after ", keyword].concat(), None),
    };
    match spec.find {
        Find::Unknown => "only the command itself can tell".to_owned(),
        Find::Range { last: 0, .. } => start,
        Find::Range { last, step, limit } => {
            let end = match (last, limit) {
                (_, 2..) => [" on, the first 1/", &number(limit.into()), " of the rest"].concat(),
                (-1, _) => " to the last".to_owned(),
                (..-1, _) => [" to the last but ", &number(i64::from(-1 - last))].concat(),
                _ => [" and the ", &number(last.into()), " behind it"].concat(),
            };
            let every =
                if step > 1 { ["every ", &number(step.into()), ". word"].concat() } else { String::new() };
            [every.as_str(), if step > 1 { ", from " } else { "from " }, &start, &end].concat()
        }
        Find::KeyNum { count, first, .. } => match base {
            Some(base) => {
                let (count, first) = (number(base + i64::from(count)), number(base + i64::from(first)));
                ["from word ", &first, " on, as many as word ", &count, " says"].concat()
            }
            None => [start.as_str(), " says how many follow"].concat(),
        },
    }
}

pub(super) fn specs_of(command: &Command) -> Part {
    let specs = command.keys.iter().filter(|spec| !spec.flags.has(keyspec::KeyFlags::NOT_KEY));
    Part::List(specs.map(|spec| Part::Text(spec_words(spec))).collect())
}

/// `{text, name, complexity, summary, readonly, specs, keys: [{key, word, flags}], wordCount}` of the first request in `bytes`; `name` is
/// empty for a command that is not known here.
pub fn facts(known: &registry::Registry, bytes: &[u8]) -> Part {
    let limits = RequestLimits { bulk_bytes_max: u64::MAX, authenticated: true };
    let mut parser = RequestParser::default();
    let mut fields = vec![("text", Part::Text(timeline::line_of(bytes).0))];
    if let Ok(Parsed::Multibulk { .. }) = parser.parse(bytes, &limits)
        && !parser.spans().is_empty()
    {
        let words = Args::new(bytes, parser.spans());
        fields.push(("wordCount", Part::count(words.argc())));
        if let registry::Lookup::Found(number, command) = known.lookup(&words) {
            let found = keyspec::find(command.name, command.keys, words.argc(), &|index| words.get(index));
            let key = |(position, flags): (usize, keyspec::KeyFlags)| {
                Part::Record(vec![
                    ("key", Part::bytes(words.get(position))),
                    ("word", Part::count(position)),
                    ("flags", Part::List(flags.names().map(Part::text).collect())),
                ])
            };
            fields.extend([
                ("name", Part::text(command.name)),
                ("complexity", Part::text(command.complexity)),
                ("summary", Part::text(command.summary)),
                ("readonly", Part::Flag(known.entry(number).flags.has(declaration::READONLY))),
                ("specs", specs_of(command)),
                ("keys", Part::List(found.iter().take(KEYS_MAX).map(key).collect())),
            ]);
            return Part::Record(fields);
        }
    }
    fields.push(("name", Part::text("")));
    Part::Record(fields)
}

//! What declarations say of a request that runs elsewhere: its command, and the keys it names. Nothing runs here.

use super::{Part, timeline};
use crate::command::{Args, declaration, keyspec, registry};
use crate::resp::RequestParser;
use crate::resp::request::{Parsed, RequestLimits};

const KEYS_MAX: usize = 32;

/// `{text, name, complexity, summary, readonly, keys: [{key, flags}], wordCount}` of the first request in `bytes`; `name` is
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
                    ("flags", Part::List(flags.names().map(Part::text).collect())),
                ])
            };
            fields.extend([
                ("name", Part::text(command.name)),
                ("complexity", Part::text(command.complexity)),
                ("summary", Part::text(command.summary)),
                ("readonly", Part::Flag(known.entry(number).flags.has(declaration::READONLY))),
                ("keys", Part::List(found.iter().take(KEYS_MAX).map(key).collect())),
            ]);
            return Part::Record(fields);
        }
    }
    fields.push(("name", Part::text("")));
    Part::Record(fields)
}

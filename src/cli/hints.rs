//! What may still follow the words typed, in the manual's notation, as redis-cli shows it in grey.

use super::matching::{Fill, fill, group_end};
use super::split::{Cut, Repeat, cut, repeat_prefix};
use super::table::{Argument, Doc, Kind, Table};

/// The longest list of subcommands shown.
const SUBCOMMANDS_MAX_CHARS: usize = 100;

/// The grey text behind the line, with a space in front where one is needed. Nothing when the words name no command or
/// cannot belong to it.
pub fn hint(table: &Table, line: &str) -> Option<String> {
    let text = hint_text(table, line)?;
    let spaced = line.ends_with(|c: char| c.is_ascii_whitespace());
    match text.is_empty() {
        true => None,
        false if spaced => Some(text),
        false => Some(format!(" {text}")),
    }
}

/// The hint alone; empty when the line is complete.
pub fn hint_text(table: &Table, line: &str) -> Option<String> {
    let words = finished_words(line);
    let doc = table.find(&words)?;
    let typed = &words[doc.words()..];
    if doc.arguments.is_empty() {
        return if typed.is_empty() { subcommands(table, doc, &begun_word(line)) } else { None };
    }
    let fills = fill(&doc.arguments, typed)?;
    Some(render_sequence(&doc.arguments, &fills, " "))
}

/// The words that are over, without a repeat prefix: the last one counts once a space follows it.
pub fn finished_words(line: &str) -> Vec<Vec<u8>> {
    let cut: Cut = cut(line.as_bytes());
    let unfinished = cut.broken.is_none() && !cut.ends_between_words(line.as_bytes());
    let mut words = cut.texts();
    if matches!(repeat_prefix(&words), Repeat::Times(_)) {
        words.remove(0);
    }
    if unfinished {
        words.pop();
    }
    words
}

/// The word the cursor is still in.
fn begun_word(line: &str) -> String {
    line.rsplit(|c: char| c.is_ascii_whitespace()).next().unwrap_or_default().to_ascii_uppercase()
}

/// The subcommands that begin as the word does; none when it is one of them or can become none.
fn subcommands(table: &Table, doc: &Doc, begun: &str) -> Option<String> {
    let all: Vec<&str> = table.subcommands(&doc.name).filter_map(|sub| sub.name.split(' ').nth(1)).collect();
    if all.is_empty() {
        return Some(String::new());
    }
    let names: Vec<&str> = all.into_iter().filter(|name| name.starts_with(begun)).collect();
    if names.is_empty() || names.contains(&begun) {
        return None;
    }
    let text = names.join("|");
    Some(if text.len() <= SUBCOMMANDS_MAX_CHARS { text } else { "subcommand [arg ...]".to_owned() })
}

/// The arguments in full.
pub fn syntax(arguments: &[Argument]) -> String {
    let fills = vec![Fill::Empty; arguments.len()];
    render_sequence(arguments, &fills, " ")
}

/// What is left of arguments so filled. Optional ones come in any order until the required one behind them is begun;
/// one that is begun comes first.
pub fn render_sequence(arguments: &[Argument], fills: &[Fill], separator: &str) -> String {
    let mut shown: Vec<String> = Vec::new();
    let mut at = 0;
    while at < arguments.len() {
        if !arguments[at].optional {
            shown.push(render(&arguments[at], &fills[at]));
            at += 1;
            continue;
        }
        let end = group_end(arguments, at);
        if end == arguments.len() || fills[end].is_empty() {
            let (begun, untouched): (Vec<usize>, Vec<usize>) = (at..end).partition(|&i| !fills[i].is_empty());
            let both = begun.into_iter().chain(untouched);
            shown.extend(both.map(|i| render(&arguments[i], &fills[i])));
        }
        at = end;
    }
    shown.retain(|text| !text.is_empty());
    shown.join(separator)
}

fn render(argument: &Argument, fill: &Fill) -> String {
    match fill {
        Fill::Done => String::new(),
        Fill::Empty => {
            let token = argument.token.as_deref().map(or_quotes);
            let mut text = spaced(token.unwrap_or_default(), &body(argument));
            if argument.multiple {
                text = spaced(&text, &repetition(argument));
            }
            if argument.optional { format!("[{text}]") } else { text }
        }
        Fill::Repeating(last) => {
            let text = spaced(&render_begun(argument, last), &repetition(argument));
            // Redis-cli closes here the bracket that the typed words have opened.
            if argument.optional { format!("{text}]") } else { text }
        }
        begun => render_begun(argument, begun),
    }
}

fn render_begun(argument: &Argument, fill: &Fill) -> String {
    match fill {
        Fill::Token => body(argument),
        Fill::Block(fills) => render_sequence(&argument.parts, fills, " "),
        Fill::Choice(which, part) => render(&argument.parts[*which], part),
        _ => String::new(),
    }
}

/// An argument without its token and brackets.
fn body(argument: &Argument) -> String {
    let untouched = || vec![Fill::Empty; argument.parts.len()];
    match argument.kind {
        Kind::PureToken => String::new(),
        Kind::OneOf => {
            let parts: Vec<String> = argument.parts.iter().map(|part| render(part, &Fill::Empty)).collect();
            parts.join("|")
        }
        Kind::Block => render_sequence(&argument.parts, &untouched(), " "),
        _ => or_quotes(&argument.name).to_owned(),
    }
}

/// `[key ...]`
fn repetition(argument: &Argument) -> String {
    let token = argument.token.as_deref().filter(|_| argument.multiple_token).map(or_quotes);
    format!("[{} ...]", spaced(token.unwrap_or_default(), &body(argument)))
}

fn spaced(a: &str, b: &str) -> String {
    match (a.is_empty(), b.is_empty()) {
        (true, _) => b.to_owned(),
        (_, true) => a.to_owned(),
        _ => format!("{a} {b}"),
    }
}

/// An empty word is shown as it is typed.
fn or_quotes(text: &str) -> &str {
    if text.is_empty() { "\"\"" } else { text }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::cli::table::Table;
    use crate::command::syntax;

    /// Enough commands to meet every construction of the notation.
    const COMMANDS: &[(&str, &str)] = &[
        ("PING", "[message]"),
        ("GET", "key"),
        ("DECRBY", "key decrement:integer"),
        ("LPOP", "key [count]"),
        ("XRANGE", "key start:string end:string [COUNT count]"),
        ("BITFIELD_RO", "key [GET (encoding offset:integer)]..."),
        ("CONFIG", ""),
        ("CONFIG SET", "(parameter value:string)..."),
        ("ZRANDMEMBER", "key [count:integer [WITHSCORES]]"),
        ("MGET", "key..."),
        ("SCAN", "cursor [MATCH pattern] [COUNT count] [TYPE type:string]"),
        ("BLMOVE", "source:key destination:key <LEFT | RIGHT> <LEFT | RIGHT> timeout:double"),
        (
            "ZRANGE",
            "key min:string max:string [BYSCORE | BYLEX] [REV] [LIMIT (offset:integer count)] [WITHSCORES]",
        ),
        (
            "SET",
            "key value:string [NX | XX] [GET] [EX seconds | PX milliseconds | EXAT unix-time-seconds | \
             PXAT unix-time-milliseconds | KEEPTTL]",
        ),
        (
            "GEORADIUS",
            "key longitude:double latitude:double radius:double <M | KM | FT | MI> [WITHCOORD] [WITHDIST] \
             [WITHHASH] [COUNT count [ANY]] [ASC | DESC] [STORE key | STOREDIST key]",
        ),
        (
            "GEOSEARCH",
            "key <FROMMEMBER member | FROMLONLAT (longitude:double latitude:double)> \
             <(BYRADIUS radius:double <M | KM | FT | MI>) | (BYBOX width:double height:double <M | KM | FT | MI>)> \
             [ASC | DESC] [COUNT count [ANY]] [WITHCOORD] [WITHDIST] [WITHHASH]",
        ),
        ("ZADD", "key [NX | XX] [GT | LT] [CH] [INCR] (score:double member:string)..."),
        ("EVAL", "script:string numkeys [key...] [arg:string...]"),
        ("ZUNION", "numkeys key... [WEIGHTS weight:integer...] [AGGREGATE <SUM | MIN | MAX>] [WITHSCORES]"),
        (
            "SORT",
            "key [BY pattern] [LIMIT (offset:integer count)] [GET pattern]... [ASC | DESC] [ALPHA] [STORE key]",
        ),
    ];

    pub(crate) fn table() -> Table {
        Table::new(
            COMMANDS
                .iter()
                .map(|&(name, line)| Doc {
                    name: name.to_owned(),
                    arguments: syntax::parse(line, 9)
                        .unwrap_or_else(|error| panic!("{line}: {error}"))
                        .iter()
                        .map(Argument::from)
                        .collect(),
                    ..Doc::default()
                })
                .collect(),
        )
    }

    #[test]
    fn prefixes() {
        let suite = include_str!("../../tests/fixtures/cli/hints.txt");
        let table = table();
        let mut checked = 0;
        for line in suite.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (typed, want) = line.split_once('^').expect("typed^hint");
            let hint = hint_text(&table, typed);
            let shown = hint.unwrap_or_else(|| "none".to_owned());
            assert_eq!(shown, want, "hint for {typed:?}");
            checked += 1;
        }
        assert!(checked > 90, "the suite was read");
    }

    /// The commands there are: every kind of argument, typed from the first word to the last. `UPDATE=1` writes the suite anew.
    #[test]
    fn prefixes_of_real_commands() {
        const SUITE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/cli/hints-of-commands.txt");
        let suite = std::fs::read_to_string(SUITE).expect("the suite is there");
        let table = Table::builtin();
        let line = |line: &str| match line.split_once('^').filter(|_| !line.starts_with('#')) {
            None => line.to_owned(),
            Some((typed, _)) => {
                format!("{typed}^{}", hint_text(&table, typed).unwrap_or_else(|| "none".to_owned()))
            }
        };
        let told: String = suite.lines().map(|text| line(text) + "\n").collect();
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(SUITE, &told).expect("it can be written");
        } else {
            told.lines().zip(suite.lines()).for_each(|(told, wanted)| assert_eq!(told, wanted));
        }
        assert!(told.lines().count() > 280, "the suite was read");
    }
}

//! Errors teach: what the terminal adds below the server's own words, which stand first and unchanged.

use super::format::{Class, Span};
use super::hints::{render_sequence, syntax};
use super::marks::{CUT, Shown, around};
use super::matching::{Fill, Next, fill, fitting, next};
use super::options;
use super::split::{self, Repeat, SplitError, quote};
use super::table::{Doc, Kind, Table};
use crate::resp::reply::Reply;

/// How many names are suggested.
const NEAREST_MAX: usize = 3;
/// A longer name typed is not compared with others.
const NAME_MAX_BYTES: usize = 40;
const INDENT: &str = "  ";

/// What there is to say about an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lesson {
    None,
    Say(Vec<Span>),
    /// More can be said once the type of this key is known: see [`wrong_type`].
    AskType {
        key: Vec<u8>,
        command: String,
    },
}

/// What there is to say about the error a command met.
pub fn lesson(table: &Table, args: &[Vec<u8>], error: &str) -> Lesson {
    let doc = table.find(args);
    let spans = if error.starts_with("ERR unknown command") {
        unknown_command(table, args)
    } else if error.starts_with("ERR unknown subcommand") || error.starts_with("ERR Unknown subcommand") {
        unknown_subcommand(table, args)
    } else if error.starts_with("WRONGTYPE") {
        return match doc.and_then(|doc| first_key(doc, args).map(|key| (doc, key))) {
            Some((doc, key)) => Lesson::AskType { key, command: doc.name.clone() },
            None => Lesson::None,
        };
    } else if let Some(text) = known(error) {
        let mut words = Words::default();
        words.line(text);
        words.spans
    } else {
        doc.map(|doc| misplaced(doc, args, error)).unwrap_or_default()
    };
    if spans.is_empty() { Lesson::None } else { Lesson::Say(spans) }
}

/// Errors whose meaning takes a sentence.
fn known(error: &str) -> Option<&'static str> {
    const KNOWN: &[(&str, &str)] = &[
        ("NOAUTH", "This server wants a password first: AUTH password, or AUTH user password."),
        ("WRONGPASS", "The user or the password is not right, or the user is switched off."),
        (
            "NOPERM",
            "The user you are may not do this. ACL WHOAMI tells who you are, ACL DRYRUN tries a command.",
        ),
        (
            "NOSCRIPT",
            "No script with this digest is in the cache: load it with SCRIPT LOAD, or send it with EVAL.",
        ),
        ("READONLY", "This server is a replica: write to its master."),
        (
            "EXECABORT",
            "A command was refused while queueing, so nothing of the transaction has run. Start again with MULTI.",
        ),
        ("CROSSSLOT", "In a cluster all keys of a command must share a slot: give them a common {tag}."),
        ("MOVED", "The key lives on another node; redis-cli -c follows by itself."),
        ("BUSYGROUP", "The group is there already; XINFO GROUPS key lists the groups."),
        ("NOGROUP", "Create the group first: XGROUP CREATE key group $ MKSTREAM."),
        ("BUSYKEY", "The key exists already: RESTORE … REPLACE overwrites it."),
        ("BUSY ", "A script is running for too long. SCRIPT KILL ends it if it has not written yet."),
        (
            "OOM",
            "The memory limit (CONFIG GET maxmemory) is reached and nothing may be evicted (CONFIG GET maxmemory-policy).",
        ),
        (
            "MISCONF",
            "The last save failed, so writing is refused; CONFIG SET stop-writes-on-bgsave-error no allows it.",
        ),
        ("NOREPLICAS", "Fewer replicas are connected than min-replicas-to-write asks for."),
        ("LOADING", "The server is still reading its data from disk. Try again in a moment."),
        ("NOPROTO", "HELLO knows protocols 2 and 3."),
        ("ERR EXEC without MULTI", "A transaction begins with MULTI."),
        ("ERR DISCARD without MULTI", "A transaction begins with MULTI."),
        (
            "ERR MULTI calls can not be nested",
            "A transaction is open already: EXEC runs it, DISCARD drops it.",
        ),
        ("ERR WATCH inside MULTI is not allowed", "WATCH before MULTI: it guards what you read before."),
        ("ERR DB index is out of range", "CONFIG GET databases tells how many databases there are."),
        ("ERR index out of range", "LSET changes elements that exist; LLEN tells how many there are."),
        ("ERR no such key", "The key has to exist here; EXISTS key tells whether it does."),
    ];
    KNOWN.iter().find(|(start, _)| error.starts_with(start)).map(|(_, text)| *text)
}

/// A fault in a line still being typed: the byte it begins at, and a sentence about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub at: usize,
    pub text: String,
}

/// What is already wrong with a line, whatever follows. The last word counts once a space follows it.
pub fn fault(table: &Table, line: &str) -> Option<Fault> {
    if table.is_empty() || split::is_comment(line.as_bytes()) {
        return None;
    }
    let cut = split::cut(line.as_bytes());
    if let Some((_, SplitError::Glued { at })) = cut.broken {
        return Some(Fault { at, text: "A space has to follow the closing quote.".to_owned() });
    }
    let unfinished = cut.broken.is_none() && !cut.ends_between_words(line.as_bytes());
    let mut places: Vec<usize> = cut.words.iter().map(|word| word.start).collect();
    let mut words = cut.texts();
    if matches!(split::repeat_prefix(&words), Repeat::Times(_)) {
        words.remove(0);
        places.remove(0);
    }
    if unfinished {
        words.pop();
    }
    let name = words.first()?;
    if is_own_word(name) {
        return None;
    }
    let sentence = |spans: Vec<Span>, otherwise: &str| {
        let text: Vec<u8> = spans.into_iter().flat_map(|span| span.text).collect();
        let text = String::from_utf8_lossy(&text).trim().to_owned();
        if text.is_empty() { otherwise.to_owned() } else { text }
    };
    let Some(doc) = table.find(&words) else {
        return Some(Fault {
            at: places[0],
            text: sentence(unknown_command(table, &words), "No such command."),
        });
    };
    let is_container = doc.arguments.is_empty() && table.subcommands(&doc.name).next().is_some();
    if is_container && words.len() > 1 {
        return Some(Fault {
            at: places[1],
            text: sentence(unknown_subcommand(table, &words), "No such subcommand."),
        });
    }
    let typed = &words[doc.words()..];
    let fits = fitting(&doc.arguments, typed);
    if fits == typed.len() {
        return None;
    }
    let mut explained = Words::default();
    explained.could_be(doc, &fill(&doc.arguments, &typed[..fits]).unwrap_or_default());
    Some(Fault { at: places[doc.words() + fits], text: sentence(explained.spans, "") })
}

/// Lines that begin with these are not for the server.
fn is_own_word(word: &[u8]) -> bool {
    let own: [&[u8]; 9] =
        [b"help", b"?", b"clear", b"connect", b"exit", b"quit", b"restart", b"redis-cli", b"resplay-cli"];
    own.iter().any(|name| name.eq_ignore_ascii_case(word)) || word.starts_with(b":") || options::is_flag(word)
}

// ---- names ----

fn unknown_command(table: &Table, args: &[Vec<u8>]) -> Vec<Span> {
    let mut words = Words::default();
    let Some(name) = args.first().map(|name| String::from_utf8_lossy(name).to_ascii_uppercase()) else {
        return words.spans;
    };
    // The terminal's own, which a server does not know.
    if name == "CONNECT" {
        words.line("It is CONNECT host port.");
        return words.spans;
    }
    let as_subcommand: Vec<&str> = table
        .docs()
        .iter()
        .filter(|doc| doc.name.split(' ').nth(1) == Some(&name) && name != "HELP")
        .map(|doc| doc.name.as_str())
        .take(NEAREST_MAX)
        .collect();
    let glued = glued_command(table, &name);
    let names = table.docs().iter().map(|doc| doc.name.as_str()).filter(|name| !name.contains(' '));
    let mut candidates = match &glued {
        Some(command) => vec![command.as_str()],
        None => nearest(&name, names),
    };
    candidates.extend(as_subcommand);
    candidates.truncate(NEAREST_MAX);
    words.did_you_mean(&candidates);
    words.spans
}

/// `CONFIGGET` and `CONFIG-GET` for `CONFIG GET`.
fn glued_command(table: &Table, name: &str) -> Option<String> {
    let squeezed = |text: &str| text.replace([' ', '-', '_', '.'], "");
    let wanted = squeezed(name);
    table
        .docs()
        .iter()
        .map(|doc| &doc.name)
        .find(|known| squeezed(known) == wanted && *known != name)
        .cloned()
}

fn unknown_subcommand(table: &Table, args: &[Vec<u8>]) -> Vec<Span> {
    let mut words = Words::default();
    let [container, sub, ..] = args else { return words.spans };
    let container = String::from_utf8_lossy(container).to_ascii_uppercase();
    let sub = String::from_utf8_lossy(sub).to_ascii_uppercase();
    let names: Vec<&str> =
        table.subcommands(&container).filter_map(|doc| doc.name.split(' ').nth(1)).collect();
    let near: Vec<String> =
        nearest(&sub, names.iter().copied()).iter().map(|name| format!("{container} {name}")).collect();
    words.did_you_mean(&near.iter().map(String::as_str).collect::<Vec<_>>());
    if near.is_empty() && !names.is_empty() {
        words.line(&format!("{container} knows: {}", names.join(", ")));
    }
    words.spans
}

/// The names most like one typed, the most like first; only those that could be a slip.
fn nearest<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    if typed.len() > NAME_MAX_BYTES {
        return Vec::new();
    }
    let allowed = match typed.len() {
        0..=2 => 1,
        3..=5 => 2,
        _ => 3,
    };
    let mut scored: Vec<(usize, &str)> = names
        .filter_map(|name| {
            let distance = distance(typed.as_bytes(), name.as_bytes());
            // A beginning that was typed to its end is no slip but an unfinished word.
            let begun = typed.len() >= 3 && name.starts_with(typed);
            let score = if begun { distance.min(2) } else { distance };
            (score <= allowed && (score < typed.len() || begun)).then_some((score, name))
        })
        .collect();
    crate::data::order::sort_by_key(&mut scored, |&(score, name)| {
        (score, name.len().abs_diff(typed.len()), name)
    });
    let best = scored.first().map_or(0, |first| first.0);
    scored.into_iter().filter(|(score, _)| *score == best).map(|(_, name)| name).take(NEAREST_MAX).collect()
}

/// Edits between two names, where exchanging neighbours is one edit (optimal string alignment).
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut rows = [vec![0; b.len() + 1], (0..=b.len()).collect::<Vec<usize>>(), vec![0; b.len() + 1]];
    for i in 1..=a.len() {
        rows[2][0] = i;
        for j in 1..=b.len() {
            let same = a[i - 1] == b[j - 1];
            let mut best = (rows[1][j] + 1).min(rows[2][j - 1] + 1).min(rows[1][j - 1] + usize::from(!same));
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[0][j - 2] + 1);
            }
            rows[2][j] = best;
        }
        rows.rotate_left(1);
    }
    rows[1][b.len()]
}

// ---- arguments ----

/// Shows the syntax with the place where the arguments stop making sense.
fn misplaced(doc: &Doc, args: &[Vec<u8>], error: &str) -> Vec<Span> {
    let mut words = Words::default();
    let arity = error.starts_with("ERR wrong number of arguments");
    let unreadable = error.starts_with("ERR syntax error")
        || error.contains("is not an integer")
        || error.contains("is not a valid float")
        || error.contains("not a float");
    if !(arity || unreadable) || args.len() < doc.words() {
        return words.spans;
    }
    let typed = &args[doc.words()..];
    let fits = fitting(&doc.arguments, typed);
    let fills = fill(&doc.arguments, &typed[..fits]).unwrap_or_default();
    if fits < typed.len() {
        words.typed_with_mark(args, doc.words() + fits);
        words.could_be(doc, &fills);
    } else if arity {
        words.syntax_with_mark(doc, &fills);
        return words.spans;
    } else if error.starts_with("ERR syntax error") {
        words.could_be(doc, &fills);
    }
    if words.spans.is_empty() && !arity {
        return words.spans;
    }
    words.syntax_line(doc);
    words.spans
}

/// The first word that stands where a key stands.
fn first_key(doc: &Doc, args: &[Vec<u8>]) -> Option<Vec<u8>> {
    let typed = args.get(doc.words()..)?;
    typed.iter().enumerate().take(16).find_map(|(at, word)| {
        let fills = fill(&doc.arguments, &typed[..at])?;
        let mut candidates = Vec::new();
        next(&doc.arguments, &fills, &mut candidates);
        let is_key = |next: &Next| matches!(next, Next::Value(argument) if argument.kind == Kind::Key);
        candidates.first().is_some_and(is_key).then(|| word.clone())
    })
}

// ---- types ----

/// For a key of the wrong type: what it holds, and which commands read that. `type_reply` answers TYPE.
pub fn wrong_type(table: &Table, command: &str, key: &[u8], type_reply: &Reply) -> Vec<Span> {
    let mut words = Words::default();
    let held = type_reply.text().map(|text| String::from_utf8_lossy(text).into_owned()).unwrap_or_default();
    let Some((thing, readers)) = type_words(&held) else { return words.spans };
    let wants = table.get(command).map(|doc| doc.group.as_str()).and_then(group_words);
    if wants == Some(thing) {
        return words.spans;
    }
    words.put(Class::Plain, INDENT);
    words.put(Class::Key, &quote(key));
    words.put(Class::Lesson, &format!(" holds {thing}"));
    if let Some(wants) = wants {
        words.put(Class::Lesson, ", and ");
        words.put(Class::HelpName, command);
        words.put(Class::Lesson, &format!(" works on {wants}"));
    }
    words.put(Class::Lesson, ".");
    let known: Vec<&str> = readers.iter().copied().filter(|name| table.get(name).is_some()).collect();
    if !known.is_empty() {
        words.put(Class::Lesson, " Read it with ");
        words.names(&known);
        words.put(Class::Lesson, ".");
    }
    words.put(Class::Plain, "\n");
    words.spans
}

fn type_words(name: &str) -> Option<(&'static str, &'static [&'static str])> {
    Some(match name {
        "string" => ("a string", &["GET", "STRLEN", "GETRANGE"]),
        "list" => ("a list", &["LRANGE", "LLEN", "LINDEX"]),
        "set" => ("a set", &["SMEMBERS", "SCARD", "SISMEMBER"]),
        "zset" => ("a sorted set", &["ZRANGE", "ZCARD", "ZSCORE"]),
        "hash" => ("a hash", &["HGETALL", "HGET", "HLEN"]),
        "stream" => ("a stream", &["XRANGE", "XLEN", "XINFO STREAM"]),
        "vectorset" => ("a vector set", &["VCARD", "VSIM", "VINFO"]),
        "array" => ("an array", &["ARGET", "ARLEN"]),
        "ReJSON-RL" => ("a JSON document", &["JSON.GET", "JSON.TYPE"]),
        _ => return None,
    })
}

fn group_words(group: &str) -> Option<&'static str> {
    Some(match group {
        "string" | "bitmap" | "hyperloglog" => "a string",
        "list" => "a list",
        "set" => "a set",
        "sorted-set" | "geo" => "a sorted set",
        "hash" => "a hash",
        "stream" => "a stream",
        "array" => "an array",
        "json" => "a JSON document",
        _ => return None,
    })
}

// ---- quotes ----

/// Shows where the quotes of a line go wrong.
pub fn bad_quotes(line: &str, error: SplitError) -> Vec<Span> {
    let (at, text) = match error {
        SplitError::Open { at, .. } => (at, "this quote never closes"),
        SplitError::Glued { at } => (at, "a space has to follow the closing quote"),
    };
    let mut words = Words::default();
    let (shown, column) = one_line(line, at);
    words.marked(&shown, column, 1, text);
    words.spans
}

/// The physical line that holds a byte, and the column of that byte in characters.
fn one_line(line: &str, at: usize) -> (String, usize) {
    let at = (0..=at.min(line.len())).rev().find(|&n| line.is_char_boundary(n)).unwrap_or(0);
    let start = line[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let end = line[at..].find('\n').map_or(line.len(), |newline| at + newline);
    (line[start..end].to_owned(), line[start..at].chars().count())
}

// ---- writing ----

#[derive(Default)]
struct Words {
    spans: Vec<Span>,
}

impl Words {
    fn put(&mut self, class: Class, text: &str) {
        if !text.is_empty() {
            self.spans.push(Span { class, text: text.as_bytes().to_vec(), path: Vec::new() });
        }
    }

    fn line(&mut self, text: &str) {
        self.put(Class::Plain, INDENT);
        self.put(Class::Lesson, text);
        self.put(Class::Plain, "\n");
    }

    /// `A, B or C`.
    fn names(&mut self, names: &[&str]) {
        for (index, name) in names.iter().enumerate() {
            match index {
                0 => {}
                _ if index + 1 == names.len() => self.put(Class::Lesson, " or "),
                _ => self.put(Class::Lesson, ", "),
            }
            self.put(Class::HelpName, name);
        }
    }

    fn did_you_mean(&mut self, names: &[&str]) {
        if names.is_empty() {
            return;
        }
        self.put(Class::Plain, INDENT);
        self.put(Class::Lesson, "Did you mean ");
        self.names(names);
        self.put(Class::Lesson, "?");
        self.put(Class::Plain, "\n");
    }

    /// A text with carets under a part of it and words behind them; no more of the text than there is room for.
    fn marked(&mut self, text: &str, column: usize, width: usize, remark: &str) {
        let shown = around(text, column, width);
        self.put(Class::Plain, INDENT);
        self.put(Class::HelpArguments, &shown.part(0, usize::MAX));
        self.carets(&shown, remark);
    }

    fn typed_with_mark(&mut self, args: &[Vec<u8>], at: usize) {
        let before = split::join(&args[..at]);
        let column = before.chars().count() + 1;
        let word = quote(&args[at]);
        let text = format!("{before} {word}");
        let text = if at + 1 < args.len() { format!("{text} {CUT}") } else { text };
        self.marked(&text, column, word.chars().count(), "has no place here");
    }

    fn could_be(&mut self, doc: &Doc, fills: &[Fill]) {
        let mut candidates = Vec::new();
        next(&doc.arguments, fills, &mut candidates);
        let mut names: Vec<String> = candidates.iter().take(12).map(described).collect();
        names.dedup();
        if names.is_empty() {
            return self.line("Nothing may follow here.");
        }
        self.line(&format!("What may come here: {}", names.join(", ")));
    }

    fn syntax_line(&mut self, doc: &Doc) {
        self.put(Class::Plain, INDENT);
        self.put(Class::HelpName, &doc.name);
        self.put(Class::HelpArguments, &format!(" {}", syntax(&doc.arguments)));
        self.put(Class::Plain, "\n");
    }

    /// The syntax with carets under what is missing.
    fn syntax_with_mark(&mut self, doc: &Doc, fills: &[Fill]) {
        let full = syntax(&doc.arguments);
        let fills = if fills.is_empty() { vec![Fill::Empty; doc.arguments.len()] } else { fills.to_vec() };
        let rest = render_sequence(&doc.arguments, &fills, " ");
        let mut candidates = Vec::new();
        next(&doc.arguments, &fills, &mut candidates);
        let missing = candidates.last().map(|candidate| match candidate {
            Next::Value(argument) => argument.name.clone(),
            Next::Token(token) => (*token).to_owned(),
        });
        let column = match full.ends_with(&rest) {
            true => full.len() - rest.len() + first_required(&rest),
            false => missing.as_deref().and_then(|name| full.find(name)).unwrap_or(full.len()),
        };
        let width = full[column..].find([' ', ']', '|']).unwrap_or(full.len() - column);
        let line = format!("{} {full}", doc.name);
        let column = line[..doc.name.len() + 1 + column].chars().count();
        let shown = around(&line, column, width);
        let name = if shown.starts_late { 0 } else { doc.name.chars().count() };
        self.put(Class::Plain, INDENT);
        self.put(Class::HelpName, &shown.part(0, name));
        self.put(Class::HelpArguments, &shown.part(name, shown.column));
        self.put(Class::Error, &shown.part(shown.column, shown.column + shown.width));
        self.put(Class::HelpArguments, &shown.part(shown.column + shown.width, usize::MAX));
        self.carets(&shown, "is missing");
        if shown.is_cut {
            self.syntax_line(doc);
        }
    }

    fn carets(&mut self, shown: &Shown, remark: &str) {
        self.put(Class::Plain, &format!("\n{INDENT}{}", " ".repeat(shown.column)));
        self.put(Class::Lesson, &format!("{} {remark}", "^".repeat(shown.width)));
        self.put(Class::Plain, "\n");
    }
}

/// Where the first argument begins that has no brackets around it.
fn first_required(syntax: &str) -> usize {
    let mut depth = 0;
    let mut starts = true;
    for (at, letter) in syntax.bytes().enumerate() {
        if starts && depth == 0 && letter != b'[' {
            return at;
        }
        depth += i32::from(letter == b'[') - i32::from(letter == b']');
        starts = letter == b' ';
    }
    0
}

fn described(next: &Next) -> String {
    match next {
        Next::Token("") => "\"\"".to_owned(),
        Next::Token(token) => (*token).to_owned(),
        Next::Value(argument) => match argument.kind {
            Kind::Integer | Kind::UnixTime => format!("{} (an integer)", argument.name),
            Kind::Double => format!("{} (a number)", argument.name),
            _ => argument.name.clone(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::hints::tests::table;

    fn text(spans: &[Span]) -> String {
        spans.iter().map(|span| String::from_utf8_lossy(&span.text).into_owned()).collect()
    }

    fn of(line: &str, error: &str) -> String {
        let args = split::split(line.as_bytes()).expect("splits");
        match lesson(&table(), &args, error) {
            Lesson::None => String::new(),
            Lesson::Say(spans) => text(&spans),
            Lesson::AskType { key, command } => format!("TYPE {} for {command}", quote(&key)),
        }
    }

    #[test]
    fn a_slip_names_what_was_meant() {
        let unknown = |line: &str| of(line, "ERR unknown command 'X', with args beginning with: ");
        assert_eq!(unknown("GTE k"), "  Did you mean GET?\n");
        assert_eq!(unknown("zrnge k"), "  Did you mean ZRANGE?\n");
        assert_eq!(unknown("configset a b"), "  Did you mean CONFIG SET?\n");
        assert_eq!(unknown("foobarbaz"), "");
        assert_eq!(unknown("connect here"), "  It is CONNECT host port.\n");
        let unknown = of("CONFIG STE a", "ERR unknown subcommand 'STE'. Try CONFIG HELP.");
        assert_eq!(unknown, "  Did you mean CONFIG SET?\n");
    }

    #[test]
    fn a_missing_argument_is_marked() {
        let arity = |line: &str| of(line, "ERR wrong number of arguments for 'x' command");
        assert_eq!(arity("DECRBY k"), "  DECRBY key decrement\n             ^^^^^^^^^ is missing\n");
        assert_eq!(arity("GET"), "  GET key\n      ^^^ is missing\n");
        assert_eq!(
            arity("CONFIG SET a 1 b"),
            "  CONFIG SET parameter value …\n                       ^^^^^ is missing\n  \
             CONFIG SET parameter value [parameter value ...]\n"
        );
        assert_eq!(
            arity("GET a b c"),
            "  GET a b …\n        ^ has no place here\n  Nothing may follow here.\n  GET key\n"
        );
    }

    /// Whatever is typed, the carets stand under the place they mark, in a line that a small screen does not wrap.
    #[test]
    fn lines_with_a_mark_are_short() {
        let arity = "ERR wrong number of arguments for 'x' command";
        assert_eq!(
            of("ZADD k", arity),
            "  … [INCR] score member …\n           ^^^^^ is missing\n  \
             ZADD key [NX|XX] [GT|LT] [CH] [INCR] score member [score member ...]\n"
        );
        for line in [
            "GEORADIUS a 1 2",
            "SET k",
            "BITFIELD_RO",
            "GET a-rather-long-key-that-has-no-place another one and more of them",
            "SET some:key:with:a:long:name:that:goes:on and:a:value:that:does:as:well FOO BAR BAZ",
            "SET k v \"a word that is itself longer than all there is room for\" x",
        ] {
            let text = of(line, if line.contains("FOO") { "ERR syntax error" } else { arity });
            let lines: Vec<&str> = text.lines().collect();
            let carets: Vec<char> = lines[1].chars().collect();
            assert!(lines[0].chars().count() <= 30, "{text}");
            let column = carets.iter().position(|c| *c == '^').expect("a mark");
            assert!(column < lines[0].chars().count() && column >= 2, "{text}");
            let at: Vec<char> = lines[0].chars().collect();
            assert!(at[column] != ' ' && at[column] != '…' && at[column - 1] == ' ', "{text}");
        }
    }

    #[test]
    fn a_word_without_place_is_marked() {
        assert_eq!(
            of("SET k v ex 5 FOO", "ERR syntax error"),
            "  SET k v ex 5 FOO\n               ^^^ has no place here\n  What may come here: NX, XX, GET\n  \
             SET key value [NX|XX] [GET] [EX seconds|PX milliseconds|EXAT unix-time-seconds|\
             PXAT unix-time-milliseconds|KEEPTTL]\n"
        );
        assert_eq!(
            of("DECRBY k x", "ERR value is not an integer or out of range"),
            "  DECRBY k x\n           ^ has no place here\n  What may come here: decrement (an integer)\n  DECRBY key decrement\n"
        );
        // The value of the key is to blame, not the line.
        assert_eq!(of("DECRBY k 1", "ERR value is not an integer or out of range"), "");
    }

    #[test]
    fn the_type_of_a_key_is_explained() {
        let ask = of("EVAL s 1 k", "WRONGTYPE Operation against a key holding the wrong kind of value");
        assert_eq!(ask, "TYPE k for EVAL");
        let mut docs = table().docs().to_vec();
        for (name, group) in [("HGETALL", "hash"), ("HGET", "hash"), ("LPOP", "list")] {
            docs.insert(0, Doc { name: name.to_owned(), group: group.to_owned(), ..Doc::default() });
        }
        let spans = wrong_type(&Table::new(docs), "LPOP", b"my key", &Reply::status("hash"));
        assert_eq!(
            text(&spans),
            "  \"my key\" holds a hash, and LPOP works on a list. Read it with HGETALL or HGET.\n"
        );
    }

    #[test]
    fn an_open_quote_is_shown() {
        let line = "SET é \"a b";
        let error = split::split(line.as_bytes()).expect_err("open");
        assert_eq!(text(&bad_quotes(line, error)), "  SET é \"a b\n        ^ this quote never closes\n");
    }

    #[test]
    fn faults_are_seen_while_typing() {
        let at = |line: &str| fault(&table(), line).map(|fault| (fault.at, fault.text));
        assert_eq!(at("GTE k"), Some((0, "Did you mean GET?".to_owned())));
        assert_eq!(at("GTE"), None);
        assert_eq!(
            at("3 SET k v FOO "),
            Some((10, "What may come here: NX, XX, GET, EX, PX, EXAT, PXAT, KEEPTTL".to_owned()))
        );
        assert_eq!(at("SET k v FOO"), None);
        assert_eq!(at("GET \"a\"b"), Some((7, "A space has to follow the closing quote.".to_owned())));
        assert_eq!(at("CONFIG STE "), Some((7, "Did you mean CONFIG SET?".to_owned())));
        for fine in [
            "",
            "GET k ",
            "help nothing ",
            "# GTE k ",
            ":set hints ",
            "--raw GET x ",
            "GET \"a b",
            "EVAL s 0 ",
        ] {
            assert_eq!(at(fine), None, "{fine}");
        }
    }

    #[test]
    fn distances() {
        for (a, b, want) in
            [("", "abc", 3), ("get", "get", 0), ("gte", "get", 1), ("zrnge", "zrange", 1), ("ab", "ba", 1)]
        {
            assert_eq!(distance(a.as_bytes(), b.as_bytes()), want, "{a} {b}");
        }
    }
}

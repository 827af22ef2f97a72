//! Completion: commands, subcommands, tokens, groups and live keys for the word under the cursor.
//!
//! Keys live in the server, so they come in a second step: [`Completion::keys`] says which are wanted, the host asks for
//! them and hands them to [`Completion::add_keys`].

use super::matching::{Next, fill, next};
use super::split::{self, Cut, Repeat};
use super::table::{Argument, Doc, Kind, Table};
use crate::command::ctx::type_name_of;
use crate::keyspace::db::{Db, is_expired};

/// What is offered at most.
const ITEMS_MAX: usize = 500;
/// How many live keys are looked at.
const KEYS_SEEN_MAX: usize = 100_000;
/// Words of the terminal itself that stand where commands stand.
const OWN_WORDS: &[(&str, &str)] = &[
    ("HELP", "Explains commands"),
    ("CLEAR", "Empties the screen"),
    ("CONNECT", "Connects to another server"),
    ("EXIT", "Leaves the terminal"),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemKind {
    Command,
    Subcommand,
    Token,
    Key,
    /// `@group`, after HELP.
    Group,
    /// A word of the terminal.
    Own,
}

impl ItemKind {
    pub fn name(self) -> &'static str {
        match self {
            ItemKind::Command => "command",
            ItemKind::Subcommand => "subcommand",
            ItemKind::Token => "token",
            ItemKind::Key => "key",
            ItemKind::Group => "group",
            ItemKind::Own => "own",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What replaces the word, quoted where it has to be.
    pub text: String,
    pub kind: ItemKind,
    /// A few words beside it: a command's summary.
    pub note: String,
}

/// Which live keys would fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyQuery {
    pub prefix: Vec<u8>,
    /// The type the command works on, as TYPE names it.
    pub type_name: Option<&'static str>,
}

impl KeyQuery {
    /// The command that asks a server for them; its second part are keys.
    pub fn scan(&self) -> Vec<Vec<u8>> {
        let mut pattern = Vec::new();
        for &byte in &self.prefix {
            if matches!(byte, b'*' | b'?' | b'[' | b']' | b'\\') {
                pattern.push(b'\\');
            }
            pattern.push(byte);
        }
        pattern.push(b'*');
        let mut args: Vec<Vec<u8>> = vec![b"SCAN".to_vec(), b"0".to_vec(), b"MATCH".to_vec(), pattern];
        args.extend([b"COUNT".to_vec(), b"1000".to_vec()]);
        if let Some(name) = self.type_name {
            args.extend([b"TYPE".to_vec(), name.as_bytes().to_vec()]);
        }
        args
    }
}

/// The live keys of a database that fit, for a host that has the engine at hand. It looks at a bounded number.
pub fn live_keys(db: &Db, query: &KeyQuery, now_ms: u64) -> Vec<Vec<u8>> {
    let mut keys = Vec::new();
    let (mut cursor, mut seen) = (0, 0);
    loop {
        cursor = db.scan(cursor, &mut |entry| {
            seen += 1;
            let typed = query.type_name.is_none_or(|name| type_name_of(entry) == name);
            if typed && entry.key().starts_with(&query.prefix) && !is_expired(entry, now_ms) {
                keys.push(entry.key().to_vec());
            }
        });
        if cursor == 0 || seen >= KEYS_SEEN_MAX || keys.len() >= ITEMS_MAX {
            return keys;
        }
    }
}

/// What may stand in place of the bytes `start..end` of the line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    pub start: usize,
    pub end: usize,
    pub items: Vec<Item>,
    pub keys: Option<KeyQuery>,
    /// What is typed of the word, unquoted.
    prefix: Vec<u8>,
}

impl Completion {
    /// Adds those keys that fit, in the order of their bytes.
    pub fn add_keys<K: AsRef<[u8]>>(&mut self, keys: &[K]) {
        let mut fitting: Vec<&[u8]> =
            keys.iter().map(AsRef::as_ref).filter(|key| key.starts_with(&self.prefix)).collect();
        crate::data::order::sort(&mut fitting);
        fitting.dedup();
        let room = ITEMS_MAX.saturating_sub(self.items.len());
        let item = |key: &[u8]| Item { text: split::quote(key), kind: ItemKind::Key, note: String::new() };
        let keys: Vec<Item> = fitting.into_iter().take(room).map(item).collect();
        self.items.splice(0..0, keys);
    }

    /// What all offers have in common beyond what is typed, to insert at the first Tab.
    pub fn common_prefix(&self) -> &str {
        let Some(first) = self.items.first() else { return "" };
        let shared = self.items.iter().fold(first.text.len(), |shared, item| {
            let same =
                first.text.bytes().zip(item.text.bytes()).take_while(|(a, b)| a.eq_ignore_ascii_case(b));
            shared.min(same.count())
        });
        let end = (0..=shared).rev().find(|&n| first.text.is_char_boundary(n)).unwrap_or(0);
        &first.text[..end]
    }

    /// The line with one offer in place, and where the cursor stands then.
    pub fn apply(&self, line: &str, item: &Item) -> (String, usize) {
        let (before, after) = (&line[..self.start], &line[self.end..]);
        (format!("{before}{}{after}", item.text), self.start + item.text.len())
    }

    fn offer(&mut self, text: &str, kind: ItemKind, note: &str) {
        let typed = std::str::from_utf8(&self.prefix).unwrap_or("\u{fffd}");
        let fits = text.get(..typed.len()).is_some_and(|start| start.eq_ignore_ascii_case(typed));
        if fits && self.items.len() < ITEMS_MAX && !self.items.iter().any(|item| item.text == text) {
            self.items.push(Item { text: text.to_owned(), kind, note: note.to_owned() });
        }
    }
}

/// Completes the word that ends at the cursor (a byte of the line).
pub fn complete(table: &Table, line: &str, cursor: usize) -> Completion {
    let cursor = (0..=cursor.min(line.len())).rev().find(|&n| line.is_char_boundary(n)).unwrap_or(0);
    let typed = &line[..cursor];
    let cut: Cut = split::cut(typed.as_bytes());
    let mut completion = Completion { start: cursor, end: cursor, ..Completion::default() };
    let between = cut.ends_between_words(typed.as_bytes());
    let mut words = cut.words;
    let last = match cut.broken {
        Some((word, split::SplitError::Open { .. })) => Some(word),
        Some(_) => return completion,
        None if between => None,
        None => words.pop(),
    };
    if let Some(last) = last {
        completion.start = last.start;
        completion.prefix = last.text;
    }
    let mut words: Vec<Vec<u8>> = words.into_iter().map(|word| word.text).collect();
    let alone = [words.clone(), vec![b"x".to_vec()]].concat();
    if words.len() == 1 && matches!(split::repeat_prefix(&alone), Repeat::Times(_)) {
        words.clear();
    } else if matches!(split::repeat_prefix(&words), Repeat::Times(_)) {
        words.remove(0);
    }
    next_word(table, &words, &mut completion);
    completion
}

fn next_word(table: &Table, words: &[Vec<u8>], completion: &mut Completion) {
    let Some(first) = words.first() else {
        return command_names(table, completion, true);
    };
    if first.eq_ignore_ascii_case(b"help") || first == b"?" {
        return help_topics(table, &words[1..], completion);
    }
    if first.eq_ignore_ascii_case(b":set") && words.len() == 1 {
        completion.offer("hints", ItemKind::Own, "Shows arguments while you type");
        completion.offer("nohints", ItemKind::Own, "Does not");
        return;
    }
    let Some(doc) = table.find(words) else { return };
    let typed = &words[doc.words()..];
    if typed.is_empty() {
        subcommands(table, doc, completion);
    }
    let Some(fills) = fill(&doc.arguments, typed) else { return };
    let mut candidates = Vec::new();
    next(&doc.arguments, &fills, &mut candidates);
    for candidate in candidates {
        match candidate {
            Next::Token(token) if !token.is_empty() => completion.offer(token, ItemKind::Token, ""),
            Next::Token(_) => {}
            Next::Value(argument) => values(table, doc, argument, completion),
        }
    }
}

fn values(table: &Table, doc: &Doc, argument: &Argument, completion: &mut Completion) {
    match argument.kind {
        Kind::Key => {
            let type_name = type_of(doc, argument);
            let other = completion.keys.as_ref().is_some_and(|query| query.type_name != type_name);
            let type_name = if other { None } else { type_name };
            completion.keys = Some(KeyQuery { prefix: completion.prefix.clone(), type_name });
        }
        Kind::String if argument.name == "command-name" || argument.name == "command" => {
            command_names(table, completion, false);
        }
        _ => {}
    }
}

/// The type of key a command works on; nothing where any will do.
fn type_of(doc: &Doc, argument: &Argument) -> Option<&'static str> {
    let made = ["destination", "dest", "newkey", "storekey"];
    if made.iter().any(|name| argument.name.contains(name)) || doc.name == "SET" {
        return None;
    }
    match doc.group.as_str() {
        "string" | "bitmap" | "hyperloglog" => Some("string"),
        "list" => Some("list"),
        "set" => Some("set"),
        "sorted-set" | "geo" => Some("zset"),
        "hash" => Some("hash"),
        "stream" => Some("stream"),
        _ => None,
    }
}

fn command_names(table: &Table, completion: &mut Completion, own: bool) {
    for doc in table.docs().iter().filter(|doc| !doc.name.contains(' ')) {
        completion.offer(&doc.name, ItemKind::Command, &doc.summary);
    }
    if own && !completion.prefix.is_empty() {
        for (word, note) in OWN_WORDS {
            completion.offer(word, ItemKind::Own, note);
        }
        completion.offer(":set", ItemKind::Own, "Sets a preference");
    }
}

fn subcommands(table: &Table, container: &Doc, completion: &mut Completion) {
    for doc in table.subcommands(&container.name) {
        let name = doc.name.split(' ').nth(1).unwrap_or_default();
        completion.offer(name, ItemKind::Subcommand, &doc.summary);
    }
}

fn help_topics(table: &Table, words: &[Vec<u8>], completion: &mut Completion) {
    match words {
        [] => {
            command_names(table, completion, false);
            for group in table.groups() {
                completion.offer(&format!("@{group}"), ItemKind::Group, "");
            }
        }
        [_] => {
            if let Some(doc) = table.find(words) {
                subcommands(table, doc, completion);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::hints::tests::table;

    fn texts(line: &str) -> Vec<String> {
        complete(&table(), line, line.len()).items.into_iter().map(|item| item.text).collect()
    }

    #[test]
    fn commands_subcommands_and_tokens() {
        assert_eq!(texts("ge"), ["GEORADIUS", "GEOSEARCH", "GET"]);
        assert_eq!(texts("3 zr"), ["ZRANDMEMBER", "ZRANGE"]);
        assert_eq!(texts("config s"), ["SET"]);
        assert_eq!(texts("SET k v e"), ["EX", "EXAT"]);
        assert_eq!(texts("SET k v EX 5 "), ["NX", "XX", "GET"]);
        assert_eq!(texts("SET k v EX "), [] as [&str; 0]);
        assert_eq!(texts("BLMOVE a b l"), ["LEFT"]);
        assert_eq!(texts("GEORADIUS k 1 2 3 M COUNT 5 a"), ["ANY", "ASC"]);
        assert_eq!(texts("help mg"), ["MGET"]);
        assert_eq!(texts("cle"), ["CLEAR"]);
        assert_eq!(texts("SET k v FOO "), [] as [&str; 0]);
    }

    #[test]
    fn keys_are_asked_for_where_keys_stand() {
        let keys = |line: &str| complete(&table(), line, line.len()).keys.map(|query| query.prefix);
        assert_eq!(keys("GET us"), Some(b"us".to_vec()));
        assert_eq!(keys("GET \"a b"), Some(b"a b".to_vec()));
        assert_eq!(keys("MGET a "), Some(b"".to_vec()));
        assert_eq!(keys("SET k "), None);
        assert_eq!(keys("EVAL s 1 "), Some(b"".to_vec()));
        assert_eq!(keys("EVAL s 1 a "), None);
        let query = KeyQuery { prefix: b"a*".to_vec(), type_name: Some("hash") };
        assert_eq!(split::join(&query.scan()), "SCAN 0 MATCH a\\** COUNT 1000 TYPE hash");
    }

    #[test]
    fn keys_are_quoted_and_replace_the_word() {
        let line = "GET \"a b rest";
        let mut completion = complete(&table(), line, 8);
        completion.add_keys(&["a b c", "a b", "other"]);
        assert_eq!(
            completion.items.iter().map(|item| item.text.as_str()).collect::<Vec<_>>(),
            ["\"a b\"", "\"a b c\""]
        );
        assert_eq!(completion.common_prefix(), "\"a b");
        let (line, cursor) = completion.apply(line, &completion.items[1]);
        assert_eq!((line.as_str(), cursor), ("GET \"a b c\" rest", 11));
    }
}

//! The one-line notation in which a command declares its arguments, and the tree of arguments it stands for. Knows no command.
//!
//! ```text
//! name              an argument; its type follows from the name through a small table
//! name:type         an argument of another type
//! name{shown}       shown to users under another name
//! name#1            belongs to that key spec; keys count up by themselves, `#-` belongs to none
//! TOKEN             a word to be typed as it is; anything in 'quotes' too
//! TOKEN name        an argument introduced by a word; so are TOKEN <a | b> and TOKEN (a b).
//!                   A word in quotes stands for itself and introduces nothing.
//! [a]  [a b]        optional; several elements make a block
//! <a | b>  [a | b]  one of these
//! (a b)             a block
//! a ...             may be repeated, an introducing word once in front of all
//! [TOKEN a]...      may be repeated together with its word
//! label=            names the token, block or choice that follows for COMMAND DOCS
//! @7.0.0  @-7.0.0   came with, is deprecated since that version
//! ```

use std::borrow::Cow;

/// What an argument is, as COMMAND DOCS spells it.
#[derive(Default, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    #[default]
    String,
    Integer,
    Double,
    Key,
    Pattern,
    UnixTime,
    PureToken,
    OneOf,
    Block,
}

impl Kind {
    const ALL: [Kind; 9] = [
        Kind::String,
        Kind::Integer,
        Kind::Double,
        Kind::Key,
        Kind::Pattern,
        Kind::UnixTime,
        Kind::PureToken,
        Kind::OneOf,
        Kind::Block,
    ];

    pub fn named(name: &[u8]) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.name().as_bytes() == name)
    }

    pub const fn name(self) -> &'static str {
        match self {
            Kind::String => "string",
            Kind::Integer => "integer",
            Kind::Double => "double",
            Kind::Key => "key",
            Kind::Pattern => "pattern",
            Kind::UnixTime => "unix-time",
            Kind::PureToken => "pure-token",
            Kind::OneOf => "oneof",
            Kind::Block => "block",
        }
    }

    fn from_name(name: &str) -> Option<Kind> {
        let typed = [Kind::String, Kind::Integer, Kind::Double, Kind::Key, Kind::Pattern, Kind::UnixTime];
        typed.into_iter().find(|kind| kind.name() == name)
    }

    /// Choices and blocks hold other arguments.
    pub const fn is_group(self) -> bool {
        matches!(self, Kind::OneOf | Kind::Block)
    }
}

/// An argument of a command with the arguments inside it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Argument {
    pub name: Cow<'static, str>,
    pub kind: Kind,
    /// The word that introduces it, or that it is.
    pub token: Option<&'static str>,
    /// Which of the command's key specs finds it.
    pub key_spec: Option<u8>,
    /// What users see where that is not the name.
    pub display: Option<&'static str>,
    pub since: Option<&'static str>,
    pub deprecated_since: Option<&'static str>,
    pub optional: bool,
    pub multiple: bool,
    /// The token is repeated too.
    pub multiple_token: bool,
    pub arguments: Vec<Argument>,
}

impl Argument {
    fn new(name: impl Into<Cow<'static, str>>, kind: Kind) -> Argument {
        Argument {
            name: name.into(),
            kind,
            token: None,
            key_spec: None,
            display: None,
            since: None,
            deprecated_since: None,
            optional: false,
            multiple: false,
            multiple_token: false,
            arguments: Vec::new(),
        }
    }

    fn group(kind: Kind, arguments: Vec<Argument>) -> Argument {
        let name = default_group_name(kind, &arguments);
        Argument { arguments, ..Argument::new(name, kind) }
    }

    /// The name users see; empty for choices and blocks, which have none.
    pub fn shown(&self) -> &str {
        match self.kind {
            Kind::OneOf | Kind::Block => "",
            Kind::PureToken => self.token.unwrap_or_default(),
            _ => self.display.unwrap_or(&self.name),
        }
    }

    /// The fewest and the most words it takes; no most where it repeats.
    fn words(&self) -> (usize, Option<usize>) {
        let (least, most) = self.words_given();
        (if self.optional { 0 } else { least }, most)
    }

    /// As [`Argument::words`], of an argument that is not left out. A block may hold nothing but optional things.
    fn words_given(&self) -> (usize, Option<usize>) {
        let token = self.token.is_some() as usize;
        let (least, most) = match self.kind {
            Kind::PureToken => (0, Some(0)),
            Kind::Block => words(&self.arguments),
            Kind::OneOf => {
                // Something of the choice has to be there, even of one between optional things.
                let inner = self.arguments.iter().map(Argument::words_given);
                inner.reduce(|a, b| (a.0.min(b.0), most(a.1, b.1, usize::max))).unwrap_or((0, Some(0)))
            }
            _ => (1, Some(1)),
        };
        (least + token, if self.multiple { None } else { most.map(|most| most + token) })
    }
}

fn most(a: Option<usize>, b: Option<usize>, join: fn(usize, usize) -> usize) -> Option<usize> {
    Some(join(a?, b?))
}

fn words(arguments: &[Argument]) -> (usize, Option<usize>) {
    let inner = arguments.iter().map(Argument::words);
    inner.fold((0, Some(0)), |a, b| (a.0 + b.0, most(a.1, b.1, usize::strict_add)))
}

/// The arity of a command as Redis counts it: with the words of its name, negative where it is a minimum.
pub fn arity(name: &str, arguments: &[Argument]) -> i32 {
    let (least, most) = words(arguments);
    let arity = (name.split(' ').count() + least) as i32;
    if most == Some(least) { arity } else { -arity }
}

/// The argument tree a syntax line stands for, or what is wrong with the line. `specs` is the number of the command's key
/// specs: keys get them one after the other, the last one all that remain.
pub fn parse(line: &'static str, specs: usize) -> Result<Vec<Argument>, String> {
    let mut parser = Parser { line, at: 0, specs, keys: 0 };
    let arguments = parser.sequence()?;
    parser.skip_spaces();
    if parser.at < line.len() {
        return Err(parser.complaint("nothing more"));
    }
    Ok(arguments)
}

/// The arguments as HELP and hints show them: `key [key ...] [WITHSCORES]`.
pub fn pretty(arguments: &[Argument]) -> String {
    let mut text = String::new();
    pretty_joined(arguments, " ", &mut text);
    text
}

fn pretty_joined(arguments: &[Argument], separator: &str, text: &mut String) {
    for (index, argument) in arguments.iter().enumerate() {
        if index > 0 {
            text.push_str(separator);
        }
        pretty_argument(argument, text);
    }
}

fn pretty_argument(argument: &Argument, text: &mut String) {
    if argument.optional {
        text.push('[');
    }
    pretty_token(argument, text);
    pretty_inner(argument, text);
    if argument.multiple {
        text.push_str(" [");
        if argument.multiple_token {
            pretty_token(argument, text);
        }
        pretty_inner(argument, text);
        text.push_str(" ...]");
    }
    if argument.optional {
        text.push(']');
    }
}

fn pretty_token(argument: &Argument, text: &mut String) {
    if let Some(token) = argument.token {
        // An empty token has to show somehow.
        text.push_str(if token.is_empty() { "\"\"" } else { token });
        if argument.kind != Kind::PureToken {
            text.push(' ');
        }
    }
}

fn pretty_inner(argument: &Argument, text: &mut String) {
    match argument.kind {
        Kind::PureToken => {}
        Kind::Block => pretty_joined(&argument.arguments, " ", text),
        Kind::OneOf => {
            // The brackets of an optional choice are enough, unless something stands between them and the choice.
            let bare = argument.optional && argument.token.is_none();
            if !bare {
                text.push('<');
            }
            pretty_joined(&argument.arguments, " | ", text);
            if !bare {
                text.push('>');
            }
        }
        _ => text.push_str(argument.display.unwrap_or(&argument.name)),
    }
}

/// The types of all names that are not strings.
const TYPES: [(Kind, &[&str]); 5] = [
    (
        Kind::Integer,
        &[
            "bit",
            "bits",
            "client-id",
            "cluster-bus-port",
            "config-epoch",
            "count",
            "cursor",
            "db",
            "decrement",
            "destination-db",
            "end",
            "end-slot",
            "endslot",
            "entries-added",
            "entriesread",
            "exactly",
            "frequency",
            "idmp-duration",
            "idmp-maxsize",
            "increment",
            "index",
            "index1",
            "index2",
            "integer",
            "k",
            "len",
            "limit",
            "maxage",
            "maxcount",
            "maxsize",
            "milliseconds",
            "min-match-len",
            "ms",
            "num-matches",
            "numfields",
            "numids",
            "numkeys",
            "numlocal",
            "numranges",
            "numreplicas",
            "offset",
            "port",
            "protover",
            "rank",
            "ratio",
            "seconds",
            "size",
            "slot",
            "start",
            "start-slot",
            "startslot",
            "stop",
            "ttl",
            "version",
            "weight",
        ],
    ),
    (
        Kind::Key,
        &[
            "destination",
            "destkey",
            "dst",
            "key",
            "key1",
            "key2",
            "keys",
            "newkey",
            "source",
            "sourcekey",
            "src",
            "storedistkey",
            "storekey",
        ],
    ),
    (Kind::Pattern, &["by-pattern", "get-pattern", "pattern"]),
    (Kind::Double, &["float", "height", "latitude", "longitude", "radius", "score", "timeout", "width"]),
    (Kind::UnixTime, &["unix-time-milliseconds", "unix-time-seconds"]),
];

fn kind_of(name: &str) -> Kind {
    let found = TYPES.iter().find(|(_, names)| names.contains(&name));
    found.map_or(Kind::String, |(kind, _)| *kind)
}

/// The name of a block or choice without a label, by the first word in it.
fn default_group_name(kind: Kind, arguments: &[Argument]) -> Cow<'static, str> {
    let Some(first) = arguments.first() else { return Cow::Borrowed("") };
    let mut inner = first;
    while let (None, Some(next)) = (inner.token, inner.arguments.first()) {
        inner = next;
    }
    let head = inner.token.unwrap_or(&inner.name);
    Cow::Borrowed(match (kind, head) {
        (Kind::OneOf, "NX" | "KEEPREF") => "condition",
        (Kind::OneOf, "ASC") => "order",
        (Kind::OneOf, "M" | "BYTE") => "unit",
        (Kind::OneOf, "EX") => "expiration",
        (Kind::OneOf, "ASYNC") => "flush-type",
        (Kind::OneOf, _) => return first.name.clone(),
        (_, "COUNT") => "count-block",
        (_, "start") => "range",
        _ => "data",
    })
}

struct Parser {
    line: &'static str,
    at: usize,
    specs: usize,
    /// Keys seen so far.
    keys: usize,
}

impl Parser {
    fn sequence(&mut self) -> Result<Vec<Argument>, String> {
        let mut arguments = Vec::new();
        loop {
            self.skip_spaces();
            match self.peek() {
                None | Some(b']' | b'>' | b')' | b'|') => return Ok(arguments),
                Some(_) => arguments.push(self.element()?),
            }
        }
    }

    /// Choices up to a closing bracket: several become one of them, a single one stays a sequence.
    fn choices(&mut self, close: u8) -> Result<Vec<Vec<Argument>>, String> {
        self.at += 1;
        let mut choices = vec![self.sequence()?];
        while self.accept(b'|') {
            choices.push(self.sequence()?);
        }
        if choices.iter().any(Vec::is_empty) {
            return Err(self.complaint("an argument"));
        }
        if !self.accept(close) {
            return Err(self.complaint("a closing bracket"));
        }
        Ok(choices)
    }

    fn element(&mut self) -> Result<Argument, String> {
        let label = self.label();
        let mut argument = match self.peek() {
            Some(b'[') => self.optional()?,
            Some(b'<') => {
                let choices = self.choices(b'>')?;
                Argument::group(Kind::OneOf, choices.into_iter().map(single).collect())
            }
            Some(b'(') => match self.choices(b')')?.pop() {
                Some(arguments) => Argument::group(Kind::Block, arguments),
                None => return Err(self.complaint("an argument")),
            },
            Some(b'\'') => self.quoted()?,
            _ => self.word()?,
        };
        if let Some(label) = label {
            argument.name = Cow::Borrowed(label);
        }
        self.versions(&mut argument)?;
        if argument.optional {
            // Dots behind the bracket repeat all that is inside it.
            if self.accept_dots() {
                argument.multiple = true;
                argument.multiple_token = argument.token.is_some();
            }
            return Ok(argument);
        }
        self.skip_spaces();
        argument.multiple |= self.accept_dots();
        Ok(argument)
    }

    fn optional(&mut self) -> Result<Argument, String> {
        let choices = self.choices(b']')?;
        let mut argument = if choices.len() == 1 {
            choices.into_iter().map(single).next().ok_or_else(|| self.complaint("an argument"))?
        } else {
            Argument::group(Kind::OneOf, choices.into_iter().map(single).collect())
        };
        argument.optional = true;
        Ok(argument)
    }

    fn quoted(&mut self) -> Result<Argument, String> {
        let rest = &self.line[self.at + 1..];
        let end = rest.find('\'').ok_or_else(|| self.complaint("a closing quote"))?;
        self.at += end + 2;
        Ok(token(&rest[..end]))
    }

    fn word(&mut self) -> Result<Argument, String> {
        let start = self.at;
        while self.peek().is_some_and(|byte| !b" []<>()|'@{:#=.".contains(&byte)) {
            self.at += 1;
        }
        let word = &self.line[start..self.at];
        if word.is_empty() {
            return Err(self.complaint("an argument"));
        }
        if word.bytes().any(|byte| byte.is_ascii_lowercase()) { self.name(word) } else { self.token(word) }
    }

    /// A token alone or with the argument it introduces.
    fn token(&mut self, word: &'static str) -> Result<Argument, String> {
        let mut alone = token(word);
        self.versions(&mut alone)?;
        if !self.introduces() {
            return Ok(alone);
        }
        self.skip_spaces();
        let labelled = self.label_ahead().is_some();
        let mut argument = self.element()?;
        argument.token = Some(word);
        argument.since = argument.since.or(alone.since);
        if argument.kind.is_group() && !labelled {
            argument.name = Cow::Owned(word.to_ascii_lowercase());
        }
        Ok(argument)
    }

    /// Whether what follows belongs to the token before it: a name, a choice or a block.
    fn introduces(&mut self) -> bool {
        let start = self.at;
        self.skip_spaces();
        self.label();
        let rest = &self.line.as_bytes()[self.at..];
        let word = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-');
        let name = word.clone().any(u8::is_ascii_lowercase);
        let introduces = name || matches!(rest.first(), Some(b'<' | b'('));
        self.at = start;
        introduces
    }

    fn name(&mut self, name: &'static str) -> Result<Argument, String> {
        let mut argument = Argument::new(name, kind_of(name));
        if self.accept(b':') {
            let kind = self.until(|byte| byte.is_ascii_lowercase() || byte == b'-');
            argument.kind = Kind::from_name(kind).ok_or_else(|| self.complaint("a type before this"))?;
        }
        if argument.kind == Kind::Key {
            // The last spec covers all keys that remain.
            argument.key_spec = (self.specs > 0).then(|| self.keys.min(self.specs - 1) as u8);
            self.keys += 1;
        }
        if self.accept(b'#') {
            let spec = self.until(|byte| byte.is_ascii_digit() || byte == b'-');
            argument.key_spec = spec.parse().ok();
        }
        if self.peek() == Some(b'{') {
            self.at += 1;
            argument.display = Some(self.until(|byte| byte != b'}'));
            if !self.accept(b'}') {
                return Err(self.complaint("a closing brace"));
            }
        }
        Ok(argument)
    }

    fn versions(&mut self, argument: &mut Argument) -> Result<(), String> {
        while self.peek() == Some(b'@') {
            self.at += 1;
            let deprecated = self.peek() == Some(b'-');
            self.at += deprecated as usize;
            let rest = &self.line[self.at..];
            let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
            // Dots behind the number repeat the argument.
            let version = rest[..end].trim_end_matches('.');
            if version.is_empty() {
                return Err(self.complaint("a version"));
            }
            self.at += version.len();
            *(if deprecated { &mut argument.deprecated_since } else { &mut argument.since }) = Some(version);
        }
        Ok(())
    }

    fn label(&mut self) -> Option<&'static str> {
        let label = self.label_ahead()?;
        self.at += label.len() + 1;
        Some(label)
    }

    fn label_ahead(&self) -> Option<&'static str> {
        let rest = &self.line[self.at..];
        let label = rest.split_once('=')?.0;
        let plain =
            label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        (plain && !label.is_empty()).then_some(label)
    }

    fn until(&mut self, belongs: impl Fn(u8) -> bool) -> &'static str {
        let start = self.at;
        while self.peek().is_some_and(&belongs) {
            self.at += 1;
        }
        &self.line[start..self.at]
    }

    fn skip_spaces(&mut self) {
        self.until(|byte| byte == b' ');
    }

    fn peek(&self) -> Option<u8> {
        self.line.as_bytes().get(self.at).copied()
    }

    fn accept(&mut self, byte: u8) -> bool {
        let accepted = self.peek() == Some(byte);
        self.at += accepted as usize;
        accepted
    }

    fn accept_dots(&mut self) -> bool {
        let accepted = self.line[self.at..].starts_with("...");
        self.at += if accepted { 3 } else { 0 };
        accepted
    }

    fn complaint(&self, expected: &str) -> String {
        format!(
            "expected {expected} at {:?} of {:?}",
            self.line.get(self.at..).unwrap_or_default(),
            self.line
        )
    }
}

fn token(word: &'static str) -> Argument {
    let name = if word.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(word.to_ascii_lowercase())
    } else {
        Cow::Borrowed(word)
    };
    Argument { token: Some(word), ..Argument::new(name, Kind::PureToken) }
}

/// A sequence as one argument.
fn single(mut sequence: Vec<Argument>) -> Argument {
    match sequence.pop() {
        Some(only) if sequence.is_empty() => only,
        Some(last) => {
            sequence.push(last);
            Argument::group(Kind::Block, sequence)
        }
        None => Argument::group(Kind::Block, sequence),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(line: &'static str, specs: usize) -> Vec<Argument> {
        parse(line, specs).expect("a good line")
    }

    #[test]
    fn lines_are_shown_as_the_manual_shows_them() {
        let shown = |line: &'static str| pretty(&tree(line, 1));
        assert_eq!(shown("key [EX seconds | PERSIST]"), "key [EX seconds | PERSIST]");
        assert_eq!(shown("key ... timeout"), "key [key ...] timeout");
        assert_eq!(shown("(field value) ..."), "field value [field value ...]");
        assert_eq!(shown("[PREFIX prefix]... [BCAST]"), "[PREFIX prefix [PREFIX prefix ...]] [BCAST]");
        assert_eq!(shown("[WEIGHTS weight ...]"), "[WEIGHTS weight [weight ...]]");
        assert_eq!(shown("[LIMIT (offset count)]"), "[LIMIT offset count]");
        assert_eq!(
            shown("[AGGREGATE <SUM | MIN>@1.0.0] wherefrom=<LEFT | RIGHT>"),
            "[AGGREGATE <SUM | MIN>] <LEFT | RIGHT>"
        );
        assert_eq!(shown("[operator=[equal='=' | approximately=~] threshold]"), "[[= | ~] threshold]");
        assert_eq!(shown("selector=<key | empty=''> old{ip:port}"), "<key | \"\"> ip:port");
    }

    #[test]
    fn arity_counts_the_least() {
        let arity = |name, line| super::arity(name, &tree(line, 1));
        assert_eq!(arity("GET", "key"), 2);
        assert_eq!(arity("XGROUP CREATE", "key group <id | $> [MKSTREAM]"), -5);
        assert_eq!(arity("LMOVE", "a b <LEFT | RIGHT>"), 4);
        assert_eq!(arity("X", "<a | b c>"), -2);
        assert_eq!(arity("MSET", "(key value) ..."), -3);
        assert_eq!(arity("HTTL", "key FIELDS (numfields field ...)"), -5);
    }

    #[test]
    fn names_types_and_specs_follow() {
        let found = tree(
            "source destination count:string [change=CH@3.0.2] [BY by-pattern#1{pattern}] [COUNT count [ANY]]",
            2,
        );
        assert_eq!((found[0].kind, found[0].key_spec, found[1].key_spec), (Kind::Key, Some(0), Some(1)));
        assert_eq!(found[2].kind, Kind::String);
        assert_eq!((&*found[3].name, found[3].token, found[3].since), ("change", Some("CH"), Some("3.0.2")));
        assert_eq!((found[4].kind, found[4].key_spec, found[4].shown()), (Kind::Pattern, Some(1), "pattern"));
        assert_eq!((&*found[5].name, found[5].arguments[0].token), ("count-block", Some("COUNT")));
        assert_eq!(&*tree("FIELDS (numfields field ...)", 0)[0].name, "fields");
    }

    #[test]
    fn bad_lines_are_refused() {
        for line in ["[key", "<a | >", "key)", "a:nothing", "()", "x@", "'open", "n{open", "]"] {
            assert!(parse(line, 1).is_err(), "{line}");
        }
    }
}

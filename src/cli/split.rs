//! A typed line into arguments by redis-cli's quoting rules, and back.
//!
//! `"…"` knows `\n \r \t \b \a \\ \" \xHH`, any other `\c` is `c`; `'…'` knows only `\'`. A quote may open inside a
//! word; its end must be the end of the word.

/// One argument and where it stands in the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    pub text: Vec<u8>,
    pub start: usize,
    pub end: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SplitError {
    /// The quote opened at this byte never closes.
    Open { quote: u8, at: usize },
    /// After the closing quote just before this byte comes something else than a space.
    Glued { at: usize },
}

/// A line cut as far as it can be: whole words, and for a bad one what was read of it and why it is bad.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cut {
    pub words: Vec<Word>,
    pub broken: Option<(Word, SplitError)>,
}

impl Cut {
    /// Whether the line ends after a space, so that the next key typed begins a new word.
    pub fn ends_between_words(&self, line: &[u8]) -> bool {
        self.broken.is_none() && line.last().is_none_or(|&b| is_space(b))
    }

    pub fn texts(self) -> Vec<Vec<u8>> {
        self.words.into_iter().map(|word| word.text).collect()
    }
}

pub fn split(line: &[u8]) -> Result<Vec<Vec<u8>>, SplitError> {
    let cut = cut(line);
    match cut.broken {
        Some((_, error)) => Err(error),
        None => Ok(cut.texts()),
    }
}

pub fn cut(line: &[u8]) -> Cut {
    let mut cut = Cut::default();
    let mut at = 0;
    loop {
        while at < line.len() && is_space(line[at]) {
            at += 1;
        }
        if at == line.len() {
            return cut;
        }
        let start = at;
        let mut text = Vec::new();
        match word(line, &mut at, &mut text) {
            Ok(()) => cut.words.push(Word { text, start, end: at }),
            Err(error) => {
                cut.broken = Some((Word { text, start, end: line.len() }, error));
                return cut;
            }
        }
    }
}

fn word(line: &[u8], at: &mut usize, text: &mut Vec<u8>) -> Result<(), SplitError> {
    while let Some(&byte) = line.get(*at) {
        match byte {
            b' ' | b'\n' | b'\r' | b'\t' => return Ok(()),
            b'"' | b'\'' => {
                let opened = *at;
                *at += 1;
                let closed = if byte == b'"' { double(line, at, text) } else { single(line, at, text) };
                if !closed {
                    return Err(SplitError::Open { quote: byte, at: opened });
                }
                return match line.get(*at) {
                    Some(&next) if !is_space(next) => Err(SplitError::Glued { at: *at }),
                    _ => Ok(()),
                };
            }
            _ => {
                text.push(byte);
                *at += 1;
            }
        }
    }
    Ok(())
}

/// Reads to behind the closing `"`; false when there is none.
fn double(line: &[u8], at: &mut usize, text: &mut Vec<u8>) -> bool {
    while let Some(&byte) = line.get(*at) {
        *at += 1;
        match (byte, line.get(*at)) {
            (b'"', _) => return true,
            (b'\\', Some(&escaped)) => {
                *at += 1;
                if escaped == b'x'
                    && let (Some(high), Some(low)) = (hex(line.get(*at)), hex(line.get(*at + 1)))
                {
                    text.push(high * 16 + low);
                    *at += 2;
                } else {
                    text.push(unescaped(escaped));
                }
            }
            _ => text.push(byte),
        }
    }
    false
}

fn single(line: &[u8], at: &mut usize, text: &mut Vec<u8>) -> bool {
    while let Some(&byte) = line.get(*at) {
        *at += 1;
        match byte {
            b'\'' => return true,
            b'\\' if line.get(*at) == Some(&b'\'') => {
                text.push(b'\'');
                *at += 1;
            }
            _ => text.push(byte),
        }
    }
    false
}

fn unescaped(byte: u8) -> u8 {
    match byte {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 8,
        b'a' => 7,
        other => other,
    }
}

fn hex(byte: Option<&u8>) -> Option<u8> {
    byte.and_then(|&b| char::from(b).to_digit(16)).map(|digit| digit as u8)
}

/// C's `isspace`.
pub fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | 9..=13)
}

/// A line that is a comment.
pub fn is_comment(line: &[u8]) -> bool {
    line.iter().find(|&&b| !is_space(b)) == Some(&b'#')
}

/// The text in double quotes as redis-cli prints a string: whatever is no printable ASCII becomes an escape.
pub fn repr(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 2);
    out.push(b'"');
    for &byte in text {
        repr_byte(byte, &mut out);
    }
    out.push(b'"');
    out
}

pub(crate) fn repr_byte(byte: u8, out: &mut Vec<u8>) {
    match byte {
        b'\\' | b'"' => out.extend_from_slice(&[b'\\', byte]),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        7 => out.extend_from_slice(b"\\a"),
        8 => out.extend_from_slice(b"\\b"),
        0x20..=0x7e => out.push(byte),
        _ => {
            const DIGITS: &[u8; 16] = b"0123456789abcdef";
            out.extend_from_slice(&[
                b'\\',
                b'x',
                DIGITS[usize::from(byte >> 4)],
                DIGITS[usize::from(byte & 15)],
            ]);
        }
    }
}

/// The shortest way to type an argument so that [`split`] gives it back. UTF-8 letters stay readable.
pub fn quote(text: &[u8]) -> String {
    let readable = std::str::from_utf8(text).ok().filter(|t| !t.chars().any(char::is_control));
    match readable {
        Some(plain) if is_bare(plain) => plain.to_owned(),
        Some(plain) => {
            let mut out = String::with_capacity(plain.len() + 2);
            out.push('"');
            for c in plain.chars() {
                if matches!(c, '"' | '\\') {
                    out.push('\\');
                }
                out.push(c);
            }
            out.push('"');
            out
        }
        None => String::from_utf8(repr(text)).expect("escapes are ASCII"),
    }
}

fn is_bare(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('#')
        && !text.chars().any(|c| c.is_whitespace() || c == '"' || c == '\'')
}

/// The arguments as one line.
pub fn join(args: &[Vec<u8>]) -> String {
    args.iter().map(|arg| quote(arg)).collect::<Vec<_>>().join(" ")
}

/// What a leading number on a line means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// The line is an ordinary command.
    None,
    /// The rest of the line, so many times.
    Times(u64),
    Invalid,
}

/// Redis-cli's repeat prefix: a first argument that is a number and not alone.
pub fn repeat_prefix(args: &[Vec<u8>]) -> Repeat {
    let [first, _, ..] = args else { return Repeat::None };
    let trimmed = first.iter().position(|&b| !is_space(b)).map_or(&[][..], |from| &first[from..]);
    let digits = trimmed.strip_prefix(b"+").or(trimmed.strip_prefix(b"-")).unwrap_or(trimmed);
    if !digits.iter().all(u8::is_ascii_digit) || (digits.is_empty() && !first.is_empty()) {
        return Repeat::None;
    }
    match std::str::from_utf8(trimmed).ok().and_then(|t| t.parse::<i64>().ok()) {
        Some(times @ 1..) => Repeat::Times(times as u64),
        _ => Repeat::Invalid,
    }
}

/// What in a shell's line has no meaning here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShellError {
    Open { quote: u8, at: usize },
    Operator { byte: u8, at: usize },
}

/// Words of a line written for a POSIX shell, as in a pasted `redis-cli -n 1 SET a 'b c'`.
pub fn shell_split(line: &[u8]) -> Result<Vec<Vec<u8>>, ShellError> {
    let mut words = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut at = 0;
    while let Some(&byte) = line.get(at) {
        match byte {
            _ if is_space(byte) => words.extend(word.take()),
            b'\\' => {
                at += 1;
                match line.get(at) {
                    Some(b'\n') | None => {}
                    Some(&next) => word.get_or_insert_default().push(next),
                }
            }
            b'\'' | b'"' => {
                let text = word.get_or_insert_default();
                at = shell_quoted(line, at, text).ok_or(ShellError::Open { quote: byte, at })?;
            }
            b'|' | b'<' | b'>' | b';' | b'&' | b'`' | b'$' | b'(' | b')' => {
                return Err(ShellError::Operator { byte, at });
            }
            b'#' if word.is_none() => break,
            _ => word.get_or_insert_default().push(byte),
        }
        at += 1;
    }
    words.extend(word);
    Ok(words)
}

/// Reads a shell's quoted text; answers where its closing quote is.
fn shell_quoted(line: &[u8], opened: usize, text: &mut Vec<u8>) -> Option<usize> {
    let quote = line[opened];
    let mut at = opened + 1;
    while let Some(&byte) = line.get(at) {
        match (byte, line.get(at + 1)) {
            _ if byte == quote => return Some(at),
            (b'\\', Some(&next @ (b'"' | b'\\' | b'$' | b'`'))) if quote == b'"' => {
                text.push(next);
                at += 1;
            }
            _ => text.push(byte),
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(line: &str) -> Result<Vec<String>, SplitError> {
        split(line.as_bytes()).map(|args| args.iter().map(|arg| arg.escape_ascii().to_string()).collect())
    }

    #[test]
    fn quotes_and_escapes() {
        let ok = |line: &str, want: &[&str]| {
            assert_eq!(texts(line), Ok(want.iter().map(|w| (*w).to_owned()).collect()), "{line}");
        };
        ok("", &[]);
        ok(" \t\x0b ", &[]);
        ok("SET a b", &["SET", "a", "b"]);
        ok(r#"a "b c" 'd "e'"#, &["a", "b c", "d \\\"e"]);
        ok(r#""\n\r\t\b\a\\\"\q\x41\xzz""#, &["\\n\\r\\t\\x08\\x07\\\\\\\"qAxzz"]);
        ok(r#"'\n\'x'"#, &["\\\\n\\'x"]);
        ok(r#"key"" v"#, &["key", "v"]);
        ok(r#"pre"fix" v"#, &["prefix", "v"]);
        ok(r#""" ''"#, &["", ""]);
        ok(r"a\ b", &["a\\\\", "b"]);
    }

    #[test]
    fn bad_quotes_say_where() {
        assert_eq!(texts(r#"get ""key"#), Err(SplitError::Glued { at: 6 }));
        assert_eq!(texts(r#"get "key"x"#), Err(SplitError::Glued { at: 9 }));
        assert_eq!(texts(r#"get "key"#), Err(SplitError::Open { quote: b'"', at: 4 }));
        assert_eq!(texts(r#"get "key\"#), Err(SplitError::Open { quote: b'"', at: 4 }));
        assert_eq!(texts(r"get 'key\'"), Err(SplitError::Open { quote: b'\'', at: 4 }));
    }

    #[test]
    fn words_know_their_place() {
        let cut = cut(br#"SET "a b" c"#);
        assert_eq!(cut.words[1], Word { text: b"a b".to_vec(), start: 4, end: 9 });
        assert_eq!((cut.words[2].start, cut.words[2].end), (10, 11));
    }

    #[test]
    fn quoting_is_undone_by_splitting() {
        for text in
            [&b""[..], b"a", b"a b", b"\"", b"'", b"\\", b"a\\", b"\x00\xff\n", "ключ с".as_bytes(), b"#x"]
        {
            let line = quote(text);
            assert_eq!(split(line.as_bytes()), Ok(vec![text.to_vec()]), "{line}");
        }
        assert_eq!(quote("ключ".as_bytes()), "ключ");
        let every: Vec<u8> = (0..=255).collect();
        assert_eq!(split(&repr(&every)), Ok(vec![every]));
    }

    #[test]
    fn a_leading_number_repeats() {
        let of = |line: &str| repeat_prefix(&split(line.as_bytes()).expect("splits"));
        assert_eq!(of("5 INCR x"), Repeat::Times(5));
        assert_eq!(of("+5 INCR x"), Repeat::Times(5));
        assert_eq!(of("5"), Repeat::None);
        assert_eq!(of("GET 5"), Repeat::None);
        assert_eq!(of("5x INCR x"), Repeat::None);
        assert_eq!(of("- INCR x"), Repeat::None);
        for bad in ["0 INCR x", "-1 INCR x", "99999999999999999999 INCR x", "\"\" INCR x"] {
            assert_eq!(of(bad), Repeat::Invalid, "{bad}");
        }
    }

    #[test]
    fn shell_words() {
        let words = |line: &str| {
            shell_split(line.as_bytes())
                .map(|w| w.iter().map(|w| String::from_utf8_lossy(w).into_owned()).collect::<Vec<_>>())
        };
        assert_eq!(
            words(r#"redis-cli -n 1 SET a\ b 'c "d' "e\"f\n" # no"#),
            Ok(["redis-cli", "-n", "1", "SET", "a b", "c \"d", "e\"f\\n"].map(str::to_owned).to_vec())
        );
        assert_eq!(words("a | b"), Err(ShellError::Operator { byte: b'|', at: 2 }));
        assert_eq!(words("a 'b"), Err(ShellError::Open { quote: b'\'', at: 2 }));
        assert_eq!(words("''"), Ok(vec![String::new()]));
    }
}

//! What a typed line is beyond its arguments, and text back into the quotes that [`split`] takes off.

pub use crate::resp::quoted::{Cut, SplitError, Word, cut, is_space, repr, repr_byte, split};

/// A line that is a comment.
pub fn is_comment(line: &[u8]) -> bool {
    line.iter().find(|&&b| !is_space(b)) == Some(&b'#')
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

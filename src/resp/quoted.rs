//! A line into arguments by the quoting rules that inline requests, redis-cli and configuration files share.
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

/// The text in double quotes as Redis and redis-cli show strings: whatever is no printable ASCII becomes an escape.
pub fn repr(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 2);
    out.push(b'"');
    for &byte in text {
        repr_byte(byte, &mut out);
    }
    out.push(b'"');
    out
}

/// One byte of [`repr`].
pub fn repr_byte(byte: u8, out: &mut Vec<u8>) {
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

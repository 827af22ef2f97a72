//! Source text to tokens.

use super::heap::Heap;
use super::number::parse_number;
use super::value::{OutOfMemory, Str};

#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Token {
    End,
    Name(Str),
    Text(Str),
    Number(f64),
    Char(u8),
    Concat,
    Dots,
    Equal,
    GreaterEqual,
    LessEqual,
    NotEqual,
    And,
    Break,
    Do,
    Else,
    Elseif,
    EndWord,
    False,
    For,
    Function,
    If,
    In,
    Local,
    Nil,
    Not,
    Or,
    Repeat,
    Return,
    Then,
    True,
    Until,
    While,
}

const WORDS: [(&str, Token); 21] = [
    ("and", Token::And),
    ("break", Token::Break),
    ("do", Token::Do),
    ("else", Token::Else),
    ("elseif", Token::Elseif),
    ("end", Token::EndWord),
    ("false", Token::False),
    ("for", Token::For),
    ("function", Token::Function),
    ("if", Token::If),
    ("in", Token::In),
    ("local", Token::Local),
    ("nil", Token::Nil),
    ("not", Token::Not),
    ("or", Token::Or),
    ("repeat", Token::Repeat),
    ("return", Token::Return),
    ("then", Token::Then),
    ("true", Token::True),
    ("until", Token::Until),
    ("while", Token::While),
];

pub(crate) fn token_text(token: Token) -> Vec<u8> {
    if let Some((word, _)) = WORDS.iter().find(|(_, t)| *t == token) {
        return word.as_bytes().to_vec();
    }
    match token {
        Token::End => b"<eof>".to_vec(),
        Token::Concat => b"..".to_vec(),
        Token::Dots => b"...".to_vec(),
        Token::Equal => b"==".to_vec(),
        Token::GreaterEqual => b">=".to_vec(),
        Token::LessEqual => b"<=".to_vec(),
        Token::NotEqual => b"~=".to_vec(),
        Token::Char(c) if c.is_ascii_control() => {
            let mut text = b"char(".to_vec();
            text.extend_from_slice(itoa::Buffer::new().format(c).as_bytes());
            text.push(b')');
            text
        }
        Token::Char(c) => vec![c],
        Token::Name(_) => b"<name>".to_vec(),
        Token::Text(_) => b"<string>".to_vec(),
        _ => b"<number>".to_vec(),
    }
}

/// What went wrong, as text; `near` is the piece of source the message shows.
pub(crate) enum LexError {
    Syntax { message: &'static str, near: Option<Vec<u8>> },
    Memory,
}

impl From<OutOfMemory> for LexError {
    fn from(_: OutOfMemory) -> LexError {
        LexError::Memory
    }
}

pub(crate) struct Lexer<'a> {
    source: &'a [u8],
    at: usize,
    pub line: u32,
    /// The current token as it is shown in messages: names, strings and numbers.
    pub buffer: Vec<u8>,
}

fn is_name(c: u8) -> bool {
    c.is_ascii_alphanumeric() || c == b'_'
}

impl<'a> Lexer<'a> {
    pub fn new(source: &'a [u8]) -> Lexer<'a> {
        Lexer { source, at: 0, line: 1, buffer: Vec::new() }
    }

    fn peek(&self) -> Option<u8> {
        self.source.get(self.at).copied()
    }

    fn peek_at(&self, ahead: usize) -> Option<u8> {
        self.source.get(self.at + ahead).copied()
    }

    fn newline(&mut self) {
        let first = self.peek();
        self.at += 1;
        if let Some(c @ (b'\n' | b'\r')) = self.peek()
            && Some(c) != first
        {
            self.at += 1;
        }
        self.line += 1;
    }

    fn error<T>(&self, message: &'static str, near: &[u8]) -> Result<T, LexError> {
        Err(LexError::Syntax { message, near: Some(near.to_vec()) })
    }

    fn error_here<T>(&self, message: &'static str) -> Result<T, LexError> {
        self.error(message, &self.buffer)
    }

    pub fn next(&mut self, heap: &mut Heap) -> Result<Token, LexError> {
        loop {
            let Some(c) = self.peek() else { return Ok(Token::End) };
            match c {
                b'\n' | b'\r' => self.newline(),
                b' ' | b'\t' | 0x0b | 0x0c => self.at += 1,
                b'-' if self.peek_at(1) == Some(b'-') => {
                    self.at += 2;
                    self.comment()?;
                }
                b'[' => {
                    return match self.long_bracket() {
                        Ok(level) => {
                            let text = self.long_text(level, "unfinished long string")?;
                            Ok(Token::Text(heap.string_from(text)?))
                        }
                        Err(0) => {
                            self.at += 1;
                            Ok(Token::Char(b'['))
                        }
                        Err(n) => {
                            self.buffer = self.source[self.at..self.at + n + 1].to_vec();
                            self.error_here("invalid long string delimiter")
                        }
                    };
                }
                b'=' => return Ok(self.one_or_two(b'=', Token::Equal)),
                b'<' => return Ok(self.one_or_two(b'=', Token::LessEqual)),
                b'>' => return Ok(self.one_or_two(b'=', Token::GreaterEqual)),
                b'~' => return Ok(self.one_or_two(b'=', Token::NotEqual)),
                b'"' | b'\'' => {
                    let text = self.quoted(c)?;
                    return Ok(Token::Text(heap.string_from(text)?));
                }
                b'.' if self.peek_at(1) == Some(b'.') => {
                    let three = self.peek_at(2) == Some(b'.');
                    self.at += 2 + three as usize;
                    return Ok(if three { Token::Dots } else { Token::Concat });
                }
                b'.' if !self.peek_at(1).is_some_and(|c| c.is_ascii_digit()) => {
                    self.at += 1;
                    return Ok(Token::Char(c));
                }
                b'.' | b'0'..=b'9' => return self.number(),
                _ if is_name(c) => {
                    let start = self.at;
                    while self.peek().is_some_and(is_name) {
                        self.at += 1;
                    }
                    let name = &self.source[start..self.at];
                    self.buffer.clear();
                    self.buffer.extend_from_slice(name);
                    if let Some((_, token)) = WORDS.iter().find(|(w, _)| w.as_bytes() == name) {
                        return Ok(*token);
                    }
                    return Ok(Token::Name(heap.string(name)?));
                }
                _ => {
                    self.at += 1;
                    return Ok(Token::Char(c));
                }
            }
        }
    }

    fn one_or_two(&mut self, second: u8, both: Token) -> Token {
        let first = self.source[self.at];
        self.at += 1;
        if self.peek() == Some(second) {
            self.at += 1;
            both
        } else {
            Token::Char(first)
        }
    }

    fn comment(&mut self) -> Result<(), LexError> {
        if self.peek() == Some(b'[')
            && let Ok(level) = self.long_bracket()
        {
            self.long_text(level, "unfinished long comment")?;
            return Ok(());
        }
        while !matches!(self.peek(), None | Some(b'\n' | b'\r')) {
            self.at += 1;
        }
        Ok(())
    }

    /// At `[`: the level of a long bracket, or how many `=` follow without a second `[`.
    fn long_bracket(&self) -> Result<usize, usize> {
        let equals = self.source[self.at + 1..].iter().take_while(|c| **c == b'=').count();
        if self.peek_at(equals + 1) == Some(b'[') { Ok(equals) } else { Err(equals) }
    }

    fn long_text(&mut self, level: usize, unfinished: &'static str) -> Result<Vec<u8>, LexError> {
        let start = self.at;
        self.at += level + 2;
        let mut text = Vec::new();
        if matches!(self.peek(), Some(b'\n' | b'\r')) {
            self.newline();
        }
        loop {
            match self.peek() {
                None => return self.error(unfinished, b"<eof>"),
                Some(b']') => {
                    let equals = self.source[self.at + 1..].iter().take_while(|c| **c == b'=').count();
                    if equals == level && self.peek_at(equals + 1) == Some(b']') {
                        self.at += level + 2;
                        self.buffer.clear();
                        self.buffer.extend_from_slice(&self.source[start..self.at]);
                        return Ok(text);
                    }
                    if level == 0 {
                        text.push(b']');
                        self.at += 1;
                    } else {
                        text.extend_from_slice(&self.source[self.at..self.at + 1 + equals]);
                        self.at += 1 + equals;
                    }
                }
                Some(b'[') if level == 0 && self.peek_at(1) == Some(b'[') => {
                    return self.error("nesting of [[...]] is deprecated", b"[");
                }
                Some(b'\n' | b'\r') => {
                    text.push(b'\n');
                    self.newline();
                }
                Some(c) => {
                    text.push(c);
                    self.at += 1;
                }
            }
        }
    }

    fn quoted(&mut self, quote: u8) -> Result<Vec<u8>, LexError> {
        self.at += 1;
        self.buffer.clear();
        self.buffer.push(quote);
        loop {
            match self.peek() {
                None => return self.error("unfinished string", b"<eof>"),
                Some(b'\n' | b'\r') => return self.error_here("unfinished string"),
                Some(b'\\') => {
                    self.at += 1;
                    self.escape()?;
                }
                Some(c) => {
                    self.buffer.push(c);
                    self.at += 1;
                    if c == quote {
                        return Ok(self.buffer[1..self.buffer.len() - 1].to_vec());
                    }
                }
            }
        }
    }

    fn escape(&mut self) -> Result<(), LexError> {
        let Some(c) = self.peek() else { return Ok(()) };
        let byte = match c {
            b'a' => 7,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 11,
            b'\n' | b'\r' => {
                self.newline();
                self.buffer.push(b'\n');
                return Ok(());
            }
            b'0'..=b'9' => {
                let mut n = 0u32;
                for _ in 0..3 {
                    if let Some(d @ b'0'..=b'9') = self.peek() {
                        n = n * 10 + (d - b'0') as u32;
                        self.at += 1;
                    }
                }
                if n > 255 {
                    return self.error_here("escape sequence too large");
                }
                self.buffer.push(n as u8);
                return Ok(());
            }
            c => c,
        };
        self.at += 1;
        self.buffer.push(byte);
        Ok(())
    }

    fn number(&mut self) -> Result<Token, LexError> {
        let start = self.at;
        while self.peek().is_some_and(|c| c.is_ascii_digit() || c == b'.') {
            self.at += 1;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
        }
        while self.peek().is_some_and(is_name) {
            self.at += 1;
        }
        self.buffer.clear();
        self.buffer.extend_from_slice(&self.source[start..self.at]);
        match parse_number(&self.buffer) {
            Some(n) => Ok(Token::Number(n)),
            None => self.error_here("malformed number"),
        }
    }
}

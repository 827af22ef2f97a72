//! JSON text to Lua values, without recursion.

use super::super::host::*;
use super::super::number::strtod;
use super::super::value::*;
use super::super::vm::Vm;
use super::cjson::NULL;

#[derive(Clone, Copy)]
enum Token {
    ObjectBegin,
    ObjectEnd,
    ArrayBegin,
    ArrayEnd,
    Text(Value),
    Number(f64),
    Bool(bool),
    Null,
    Colon,
    Comma,
    End,
    Bad(&'static str),
}

impl Token {
    fn name(self) -> &'static str {
        match self {
            Token::ObjectBegin => "T_OBJ_BEGIN",
            Token::ObjectEnd => "T_OBJ_END",
            Token::ArrayBegin => "T_ARR_BEGIN",
            Token::ArrayEnd => "T_ARR_END",
            Token::Text(_) => "T_STRING",
            Token::Number(_) => "T_NUMBER",
            Token::Bool(_) => "T_BOOLEAN",
            Token::Null => "T_NULL",
            Token::Colon => "T_COLON",
            Token::Comma => "T_COMMA",
            Token::End => "T_END",
            Token::Bad(what) => what,
        }
    }
}

struct Scanner {
    source: Str,
    at: usize,
    /// Where the current token begins, or where it went wrong.
    start: usize,
    text: Vec<u8>,
}

/// Whether a number has a form JSON does not allow: hexadecimal, leading zeros, inf, nan, a plus.
fn is_odd_number(text: &[u8]) -> bool {
    let rest = match text.first() {
        Some(b'+') => return true,
        Some(b'-') => &text[1..],
        _ => text,
    };
    match rest.first() {
        Some(b'0') => matches!(rest.get(1), Some(b'x' | b'X' | b'0'..=b'9')),
        Some(b'1'..=b'9') => false,
        _ => rest.len() >= 3 && matches!(&rest[..3].to_ascii_lowercase()[..], b"inf" | b"nan"),
    }
}

impl Scanner {
    fn next(&mut self, vm: &mut Vm) -> Result<Token> {
        let bytes = vm.heap.strings.bytes(self.source);
        while matches!(bytes.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        self.start = self.at;
        let rest = &bytes[self.at..];
        let Some(c) = rest.first() else { return Ok(Token::End) };
        let simple = match c {
            b'{' => Token::ObjectBegin,
            b'}' => Token::ObjectEnd,
            b'[' => Token::ArrayBegin,
            b']' => Token::ArrayEnd,
            b':' => Token::Colon,
            b',' => Token::Comma,
            b'"' => return self.string(vm),
            b'-' | b'0'..=b'9' => {
                if !vm.json.decode_invalid && is_odd_number(rest) {
                    return Ok(Token::Bad("invalid number"));
                }
                return Ok(self.number(rest));
            }
            _ => {
                for (word, token) in
                    [("true", Token::Bool(true)), ("false", Token::Bool(false)), ("null", Token::Null)]
                {
                    if rest.starts_with(word.as_bytes()) {
                        self.at += word.len();
                        return Ok(token);
                    }
                }
                let odd = matches!(c, b'+' | b'i' | b'I' | b'n' | b'N') && is_odd_number(rest);
                if vm.json.decode_invalid && odd {
                    return Ok(self.number(rest));
                }
                return Ok(Token::Bad("invalid token"));
            }
        };
        self.at += 1;
        Ok(simple)
    }

    fn number(&mut self, rest: &[u8]) -> Token {
        // A number is short; what follows it may not be.
        let (n, used) = strtod(&rest[..rest.len().min(2000)]);
        if used == 0 {
            return Token::Bad("invalid number");
        }
        self.at += used;
        Token::Number(n)
    }

    fn string(&mut self, vm: &mut Vm) -> Result<Token> {
        let bytes = vm.heap.strings.bytes(self.source);
        self.text.clear();
        let mut i = self.at + 1;
        loop {
            let Some(c) = bytes.get(i) else {
                self.start = i;
                return Ok(Token::Bad("unexpected end of string"));
            };
            match c {
                b'"' => break,
                b'\\' => {
                    let short = match bytes.get(i + 1) {
                        Some(b'b') => 8,
                        Some(b'f') => 12,
                        Some(b'n') => b'\n',
                        Some(b'r') => b'\r',
                        Some(b't') => b'\t',
                        Some(c @ (b'"' | b'\\' | b'/')) => *c,
                        Some(b'u') => match unicode(&bytes[i..]) {
                            Some((c, used)) => {
                                self.text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                                i += used;
                                continue;
                            }
                            None => {
                                self.start = i;
                                return Ok(Token::Bad("invalid unicode escape code"));
                            }
                        },
                        _ => {
                            self.start = i;
                            return Ok(Token::Bad("invalid escape code"));
                        }
                    };
                    self.text.push(short);
                    i += 2;
                }
                c => {
                    self.text.push(*c);
                    i += 1;
                }
            }
        }
        self.at = i + 1;
        Ok(Token::Text(Value::Str(vm.heap.string(&self.text)?)))
    }
}

fn hex4(text: &[u8]) -> Option<u32> {
    let digits = text.get(..4)?;
    digits.iter().try_fold(0, |n, c| Some(n << 4 | (*c as char).to_digit(16)?))
}

/// `\uXXXX`, or two of them that are one character.
fn unicode(text: &[u8]) -> Option<(char, usize)> {
    let first = hex4(text.get(2..)?)?;
    if (0xd800..0xdc00).contains(&first) {
        if text.get(6..8)? != b"\\u" {
            return None;
        }
        let second = hex4(&text[8..])?;
        let low = second.checked_sub(0xdc00).filter(|n| *n < 0x400)?;
        return Some((char::from_u32(0x10000 + ((first - 0xd800) << 10) + low)?, 12));
    }
    Some((char::from_u32(first)?, 6))
}

/// A table being filled: with the next index, or the key that waits for its value.
struct Open {
    table: Table,
    index: usize,
    key: Option<Value>,
    object: bool,
}

struct Decoder {
    scanner: Scanner,
    open: Vec<Open>,
}

impl Decoder {
    fn unexpected<T>(&self, vm: &mut Vm, expected: &str, found: Token) -> Result<T> {
        let mut buffer = itoa::Buffer::new();
        let at = buffer.format(self.scanner.start + 1).as_bytes();
        let (expected, found) = (expected.as_bytes(), found.name().as_bytes());
        Err(vm.error_bytes(&join(&[b"Expected ", expected, b" but found ", found, b" at character ", at])))
    }

    fn open(&mut self, vm: &mut Vm, object: bool) -> Result<()> {
        if self.open.len() >= vm.json.decode_depth_max {
            let (mut depth, mut at) = (itoa::Buffer::new(), itoa::Buffer::new());
            let depth = depth.format(self.open.len() + 1).as_bytes();
            let at = at.format(self.scanner.start + 1).as_bytes();
            let parts: [&[u8]; 4] =
                [b"Found too many nested data structures (", depth, b") at character ", at];
            return Err(vm.error_bytes(&join(&parts)));
        }
        vm.heap.memory.fits((self.open.len() + 1) * 2 * size_of::<Open>())?;
        let table = vm.new_table(0, 0)?;
        self.open.push(Open { table, index: 0, key: None, object });
        Ok(())
    }

    /// Reads a key and its colon.
    fn key(&mut self, vm: &mut Vm, token: Token) -> Result<()> {
        let Token::Text(key) = token else { return self.unexpected(vm, "object key string", token) };
        let token = self.scanner.next(vm)?;
        if !matches!(token, Token::Colon) {
            return self.unexpected(vm, "colon", token);
        }
        if let Some(top) = self.open.last_mut() {
            top.key = Some(key);
        }
        Ok(())
    }

    fn value(&mut self, vm: &mut Vm) -> Result<Value> {
        loop {
            let token = self.scanner.next(vm)?;
            let mut done = match token {
                Token::Text(value) => value,
                Token::Number(n) => Value::Number(n),
                Token::Bool(b) => Value::Bool(b),
                Token::Null => NULL,
                Token::ArrayBegin => {
                    self.open(vm, false)?;
                    let before = self.scanner.at;
                    if !matches!(self.scanner.next(vm)?, Token::ArrayEnd) {
                        self.scanner.at = before;
                        continue;
                    }
                    self.close()
                }
                Token::ObjectBegin => {
                    self.open(vm, true)?;
                    let token = self.scanner.next(vm)?;
                    if !matches!(token, Token::ObjectEnd) {
                        self.key(vm, token)?;
                        continue;
                    }
                    self.close()
                }
                token => return self.unexpected(vm, "value", token),
            };
            // A finished value goes into the innermost open table, which may be finished by it.
            loop {
                let Some(top) = self.open.last_mut() else { return Ok(done) };
                let key = top.key.take().unwrap_or_else(|| {
                    top.index += 1;
                    Value::Number(top.index as f64)
                });
                let (table, object) = (top.table, top.object);
                vm.raw_set(table, key, done)?;
                let token = self.scanner.next(vm)?;
                match (token, object) {
                    (Token::ArrayEnd, false) | (Token::ObjectEnd, true) => done = self.close(),
                    (Token::Comma, true) => {
                        let token = self.scanner.next(vm)?;
                        self.key(vm, token)?;
                        break;
                    }
                    (Token::Comma, false) => break,
                    (token, true) => return self.unexpected(vm, "comma or object end", token),
                    (token, false) => return self.unexpected(vm, "comma or array end", token),
                }
            }
        }
    }

    fn close(&mut self) -> Value {
        self.open.pop().map_or(Value::Nil, |o| Value::Table(o.table))
    }
}

pub(super) fn decode(vm: &mut Vm, args: Args) -> Result<Step> {
    if args.n != 1 {
        return Err(vm.bad_argument(0, b"expected 1 argument"));
    }
    let source = vm.check_string(args, 0)?;
    let bytes = vm.bytes(source);
    if bytes.len() >= 2 && (bytes[0] == 0 || bytes[1] == 0) {
        return Err(vm.error("JSON parser does not support UTF-16 or UTF-32"));
    }
    vm.spend(vm.bytes(source).len() / 8);
    let scanner = Scanner { source, at: 0, start: 0, text: Vec::new() };
    let mut decoder = Decoder { scanner, open: Vec::new() };
    let value = decoder.value(vm)?;
    let token = decoder.scanner.next(vm)?;
    if !matches!(token, Token::End) {
        return decoder.unexpected(vm, "the end", token);
    }
    vm.push(value);
    Ok(Step::Return)
}

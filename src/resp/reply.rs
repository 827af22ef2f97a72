//! Replies from bytes: the typed tree of one reply and its incremental decoder, RESP2 and RESP3 alike.
//!
//! It knows the wire format only; which command was answered, and how a reply looks on a screen, it must not know.
//! Input may come from any server, so every length is checked, nesting is bounded and nothing is allocated on the
//! word of a length prefix.

use std::fmt;

/// Aggregates may nest this deep; Redis itself stays far below.
pub const DEPTH_MAX: usize = 128;
/// The longest bulk string accepted, as Redis's own `proto-max-bulk-len`.
pub const BULK_MAX_BYTES: usize = 512 * 1024 * 1024;
/// The longest header or simple line accepted.
pub const LINE_MAX_BYTES: usize = 1024 * 1024;
/// The most elements an aggregate may announce.
const ELEMENTS_MAX: i64 = u32::MAX as i64;
/// What a length prefix may reserve before its elements have arrived.
const RESERVE_MAX: usize = 1024;

/// One reply. Texts stay bytes: Redis promises no encoding.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    Status(Vec<u8>),
    /// The text after `-`, with its code.
    Error(Vec<u8>),
    Integer(i64),
    /// The digits as sent, so that nothing is lost in reading them.
    Double(Vec<u8>),
    BigNumber(Vec<u8>),
    Bulk(Vec<u8>),
    /// A string with its three-letter format, such as `txt` or `mkd`.
    Verbatim([u8; 3], Vec<u8>),
    /// `_`, and RESP2's `$-1` and `*-1`.
    Nil,
    Boolean(bool),
    Array(Vec<Reply>),
    Set(Vec<Reply>),
    Push(Vec<Reply>),
    Map(Vec<(Reply, Reply)>),
    /// Attributes and the reply they belong to.
    Attributed(Box<(Vec<(Reply, Reply)>, Reply)>),
}

impl Reply {
    pub fn bulk(text: impl AsRef<[u8]>) -> Reply {
        Reply::Bulk(text.as_ref().to_vec())
    }

    pub fn status(text: impl AsRef<[u8]>) -> Reply {
        Reply::Status(text.as_ref().to_vec())
    }

    pub fn error(text: impl AsRef<[u8]>) -> Reply {
        Reply::Error(text.as_ref().to_vec())
    }

    pub fn is_error(&self) -> bool {
        matches!(self.plain(), Reply::Error(_))
    }

    pub fn is_push(&self) -> bool {
        matches!(self.plain(), Reply::Push(_))
    }

    /// The reply without its attributes.
    pub fn plain(&self) -> &Reply {
        let mut reply = self;
        while let Reply::Attributed(inner) = reply {
            reply = &inner.1;
        }
        reply
    }

    /// The bytes of anything that is one text: status, error, string, verbatim string, number as sent.
    pub fn text(&self) -> Option<&[u8]> {
        match self.plain() {
            Reply::Status(text)
            | Reply::Error(text)
            | Reply::Bulk(text)
            | Reply::Verbatim(_, text)
            | Reply::Double(text)
            | Reply::BigNumber(text) => Some(text),
            _ => None,
        }
    }

    /// The integer, also when it came as text.
    pub fn integer(&self) -> Option<i64> {
        match self.plain() {
            Reply::Integer(n) => Some(*n),
            other => std::str::from_utf8(other.text()?).ok()?.parse().ok(),
        }
    }

    /// The elements of an array, set or push.
    pub fn elements(&self) -> Option<&[Reply]> {
        match self.plain() {
            Reply::Array(items) | Reply::Set(items) | Reply::Push(items) => Some(items),
            _ => None,
        }
    }

    /// How many parts it has: elements, or keys and values counted alike; 0 for what is no aggregate.
    pub fn len(&self) -> usize {
        match self.plain() {
            Reply::Array(items) | Reply::Set(items) | Reply::Push(items) => items.len(),
            Reply::Map(pairs) => pairs.len() * 2,
            _ => 0,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The part at an index; in a map the key of pair `i` is `2 i` and its value `2 i + 1`.
    pub fn part(&self, index: usize) -> Option<&Reply> {
        match self.plain() {
            Reply::Array(items) | Reply::Set(items) | Reply::Push(items) => items.get(index),
            Reply::Map(pairs) => {
                pairs.get(index / 2).map(|(key, value)| if index.is_multiple_of(2) { key } else { value })
            }
            _ => None,
        }
    }

    /// The reply found by following [`Reply::part`] down a path.
    pub fn at(&self, path: &[u32]) -> Option<&Reply> {
        path.iter().try_fold(self, |reply, &index| reply.part(index as usize))
    }

    /// The value of a field, in a map or in a flat array of fields and values.
    pub fn field(&self, name: &str) -> Option<&Reply> {
        let named = |reply: &Reply| reply.text() == Some(name.as_bytes());
        match self.plain() {
            Reply::Map(pairs) => pairs.iter().find(|(key, _)| named(key)).map(|(_, value)| value),
            Reply::Array(items) => items.chunks_exact(2).find(|pair| named(&pair[0])).map(|pair| &pair[1]),
            _ => None,
        }
    }

    /// Pairs of a map or of a flat array.
    pub fn pairs(&self) -> Vec<(&Reply, &Reply)> {
        match self.plain() {
            Reply::Map(pairs) => pairs.iter().map(|(key, value)| (key, value)).collect(),
            Reply::Array(items) => items.chunks_exact(2).map(|pair| (&pair[0], &pair[1])).collect(),
            _ => Vec::new(),
        }
    }
}

/// The bytes are no RESP; the connection cannot be used further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecodeError {
    UnknownType(u8),
    BadLength,
    BadNumber,
    BadEnd,
    TooDeep,
    TooLong,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecodeError::UnknownType(byte) => {
                write!(f, "Protocol error, got \"{}\" as reply type byte", byte.escape_ascii())
            }
            DecodeError::BadLength => f.write_str("Protocol error, bad length"),
            DecodeError::BadNumber => f.write_str("Protocol error, bad number"),
            DecodeError::BadEnd => f.write_str("Protocol error, a reply does not end in CRLF"),
            DecodeError::TooDeep => f.write_str("Protocol error, a reply nests too deep"),
            DecodeError::TooLong => f.write_str("Protocol error, a reply is too long"),
        }
    }
}

impl std::error::Error for DecodeError {}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Shape {
    Array,
    Set,
    Push,
    Map,
    Attribute,
}

/// An aggregate that still waits for parts.
#[derive(Debug)]
struct Open {
    shape: Shape,
    missing: usize,
    parts: Vec<Reply>,
}

/// Reads replies from bytes as they arrive, in linear time however they are cut.
#[derive(Debug, Default)]
pub struct Decoder {
    buffer: Vec<u8>,
    /// Where the next unread byte is.
    at: usize,
    /// How far the present line was searched for its end.
    searched: usize,
    open: Vec<Open>,
    failed: Option<DecodeError>,
}

impl Decoder {
    pub fn new() -> Decoder {
        Decoder::default()
    }

    pub fn feed(&mut self, bytes: &[u8]) {
        if self.at > 0 && (self.at == self.buffer.len() || self.at > 64 * 1024) {
            self.buffer.drain(..self.at);
            self.searched = self.searched.saturating_sub(self.at);
            self.at = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// Whether a reply has begun and not ended.
    pub fn is_midway(&self) -> bool {
        !self.open.is_empty() || self.at < self.buffer.len()
    }

    /// The next whole reply, `None` when more bytes are needed. An error is final.
    pub fn next_reply(&mut self) -> Result<Option<Reply>, DecodeError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let outcome = self.advance();
        if let Err(error) = &outcome {
            self.failed = Some(error.clone());
        }
        outcome
    }

    /// How many bytes of the input wait for the rest of their reply.
    pub fn pending_bytes(&self) -> usize {
        self.buffer.len() - self.at
    }

    fn advance(&mut self) -> Result<Option<Reply>, DecodeError> {
        loop {
            let Some(part) = self.part()? else { return Ok(None) };
            if let Some(reply) = self.place(part) {
                return Ok(Some(reply));
            }
        }
    }

    /// Puts a finished part into the innermost open aggregate, closing those that became full.
    fn place(&mut self, part: Part) -> Option<Reply> {
        let mut reply = match part {
            Part::Whole(reply) => reply,
            Part::Opened => return None,
        };
        loop {
            let Some(top) = self.open.last_mut() else { return Some(reply) };
            top.parts.push(reply);
            top.missing -= 1;
            if top.missing > 0 {
                return None;
            }
            let full = self.open.pop().expect("the aggregate just filled is open");
            reply = close(full.shape, full.parts);
        }
    }

    /// Reads one leaf or one aggregate's header.
    fn part(&mut self) -> Result<Option<Part>, DecodeError> {
        let Some(end) = self.line_end()? else { return Ok(None) };
        let line = &self.buffer[self.at..end];
        let Some((&kind, rest)) = line.split_first() else { return Err(DecodeError::BadEnd) };
        let leaf = match kind {
            b'+' => Reply::Status(rest.to_vec()),
            b'-' => Reply::Error(rest.to_vec()),
            b':' => Reply::Integer(number(rest)?),
            b',' => Reply::Double(double(rest)?),
            b'(' => Reply::BigNumber(big_number(rest)?),
            b'_' => Reply::Nil,
            b'#' => match rest {
                b"t" => Reply::Boolean(true),
                b"f" => Reply::Boolean(false),
                _ => return Err(DecodeError::BadNumber),
            },
            b'$' | b'=' | b'!' => return self.string(kind, number(rest)?, end),
            b'*' => return self.aggregate(Shape::Array, number(rest)?, end),
            b'~' => return self.aggregate(Shape::Set, number(rest)?, end),
            b'>' => return self.aggregate(Shape::Push, number(rest)?, end),
            b'%' => return self.aggregate(Shape::Map, number(rest)?, end),
            b'|' => return self.aggregate(Shape::Attribute, number(rest)?, end),
            other => return Err(DecodeError::UnknownType(other)),
        };
        self.consume(end + 2);
        Ok(Some(Part::Whole(leaf)))
    }

    fn string(&mut self, kind: u8, length: i64, line_end: usize) -> Result<Option<Part>, DecodeError> {
        if length == -1 {
            self.consume(line_end + 2);
            return Ok(Some(Part::Whole(Reply::Nil)));
        }
        let length = usize::try_from(length).map_err(|_| DecodeError::BadLength)?;
        if length > BULK_MAX_BYTES {
            return Err(DecodeError::TooLong);
        }
        let start = line_end + 2;
        if self.buffer.len() < start + length + 2 {
            return Ok(None);
        }
        if &self.buffer[start + length..start + length + 2] != b"\r\n" {
            return Err(DecodeError::BadEnd);
        }
        let text = &self.buffer[start..start + length];
        let reply = match kind {
            b'$' => Reply::Bulk(text.to_vec()),
            b'!' => Reply::Error(text.to_vec()),
            _ => match text {
                [a, b, c, b':', rest @ ..] => Reply::Verbatim([*a, *b, *c], rest.to_vec()),
                _ => return Err(DecodeError::BadLength),
            },
        };
        self.consume(start + length + 2);
        Ok(Some(Part::Whole(reply)))
    }

    fn aggregate(&mut self, shape: Shape, count: i64, line_end: usize) -> Result<Option<Part>, DecodeError> {
        self.consume(line_end + 2);
        if count == -1 {
            return Ok(Some(Part::Whole(Reply::Nil)));
        }
        if !(0..=ELEMENTS_MAX).contains(&count) {
            return Err(DecodeError::BadLength);
        }
        let missing = match shape {
            Shape::Map => count.checked_mul(2),
            // The reply the attributes belong to follows them.
            Shape::Attribute => count.checked_mul(2).and_then(|n| n.checked_add(1)),
            _ => Some(count),
        };
        let missing = missing.and_then(|n| usize::try_from(n).ok()).ok_or(DecodeError::BadLength)?;
        if missing == 0 {
            return Ok(Some(Part::Whole(close(shape, Vec::new()))));
        }
        if self.open.len() >= DEPTH_MAX {
            return Err(DecodeError::TooDeep);
        }
        self.open.push(Open { shape, missing, parts: Vec::with_capacity(missing.min(RESERVE_MAX)) });
        Ok(Some(Part::Opened))
    }

    fn line_end(&mut self) -> Result<Option<usize>, DecodeError> {
        let mut from = self.searched.max(self.at);
        loop {
            match memchr::memchr(b'\n', &self.buffer[from..]) {
                Some(found) if from + found > self.at && self.buffer[from + found - 1] == b'\r' => {
                    // Kept at the line's end, so that a long string's header is found again at once.
                    self.searched = from + found;
                    return Ok(Some(from + found - 1));
                }
                Some(found) => from += found + 1,
                None => {
                    self.searched = self.buffer.len();
                    if self.buffer.len() - self.at > LINE_MAX_BYTES {
                        return Err(DecodeError::TooLong);
                    }
                    return Ok(None);
                }
            }
        }
    }

    fn consume(&mut self, to: usize) {
        self.at = to;
        self.searched = to;
    }
}

enum Part {
    Whole(Reply),
    Opened,
}

fn close(shape: Shape, mut parts: Vec<Reply>) -> Reply {
    match shape {
        Shape::Array => Reply::Array(parts),
        Shape::Set => Reply::Set(parts),
        Shape::Push => Reply::Push(parts),
        Shape::Map => Reply::Map(paired(parts)),
        Shape::Attribute => {
            let reply = parts.pop().unwrap_or(Reply::Nil);
            Reply::Attributed(Box::new((paired(parts), reply)))
        }
    }
}

fn paired(parts: Vec<Reply>) -> Vec<(Reply, Reply)> {
    let mut pairs = Vec::with_capacity(parts.len() / 2);
    let mut parts = parts.into_iter();
    while let (Some(key), Some(value)) = (parts.next(), parts.next()) {
        pairs.push((key, value));
    }
    pairs
}

fn number(text: &[u8]) -> Result<i64, DecodeError> {
    let text = std::str::from_utf8(text).map_err(|_| DecodeError::BadNumber)?;
    text.parse().map_err(|_| DecodeError::BadNumber)
}

fn double(text: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let readable = std::str::from_utf8(text).ok().is_some_and(|t| t.parse::<f64>().is_ok());
    if readable { Ok(text.to_vec()) } else { Err(DecodeError::BadNumber) }
}

fn big_number(text: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let digits = text.strip_prefix(b"-").or(text.strip_prefix(b"+")).unwrap_or(text);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(DecodeError::BadNumber);
    }
    Ok(text.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(bytes: &[u8]) -> Result<Vec<Reply>, DecodeError> {
        let mut decoder = Decoder::new();
        decoder.feed(bytes);
        let mut replies = Vec::new();
        while let Some(reply) = decoder.next_reply()? {
            replies.push(reply);
        }
        Ok(replies)
    }

    const ALL: &[u8] = b"+OK\r\n-ERR no\r\n:-7\r\n$3\r\na\nb\r\n$-1\r\n*-1\r\n_\r\n,1.50\r\n,inf\r\n(12345678901234567890\r\n\
        #t\r\n#f\r\n=8\r\ntxt:some\r\n!5\r\nERR x\r\n*2\r\n:1\r\n*1\r\n$0\r\n\r\n%1\r\n+k\r\n~1\r\n:2\r\n*0\r\n%0\r\n\
        >2\r\n+invalidate\r\n*1\r\n$1\r\nk\r\n|1\r\n+ttl\r\n:3\r\n+real\r\n";

    #[test]
    fn every_type_is_read() {
        let replies = decode(ALL).expect("valid");
        assert_eq!(replies.len(), 20);
        assert_eq!(replies[2], Reply::Integer(-7));
        assert_eq!(replies[3], Reply::bulk("a\nb"));
        assert_eq!(replies[4..7], [Reply::Nil, Reply::Nil, Reply::Nil]);
        assert_eq!(replies[7], Reply::Double(b"1.50".to_vec()));
        assert_eq!(replies[12], Reply::Verbatim(*b"txt", b"some".to_vec()));
        assert_eq!(replies[13], Reply::error("ERR x"));
        assert_eq!(replies[14], Reply::Array(vec![Reply::Integer(1), Reply::Array(vec![Reply::bulk("")])]));
        assert_eq!(replies[15], Reply::Map(vec![(Reply::status("k"), Reply::Set(vec![Reply::Integer(2)]))]));
        assert_eq!(replies[19].plain(), &Reply::status("real"));
    }

    #[test]
    fn any_cut_gives_the_same_replies() {
        let whole = decode(ALL).expect("valid");
        for step in 1..7 {
            let mut decoder = Decoder::new();
            let mut replies = Vec::new();
            for chunk in ALL.chunks(step) {
                decoder.feed(chunk);
                while let Some(reply) = decoder.next_reply().expect("valid") {
                    replies.push(reply);
                }
            }
            assert_eq!(replies, whole, "cut every {step} bytes");
            assert!(!decoder.is_midway());
        }
    }

    #[test]
    fn nonsense_is_refused_and_stays_refused() {
        for bad in [
            &b"?\r\n"[..],
            b":1x\r\n",
            b"$-2\r\n",
            b"$2\r\nabc\r\n",
            b"#x\r\n",
            b"*99999999999\r\n",
            b"$999999999999\r\n",
            b"\r\n",
            b",abc\r\n",
            b"(1.5\r\n",
        ] {
            assert!(decode(bad).is_err(), "{}", bad.escape_ascii());
        }
        let mut decoder = Decoder::new();
        decoder.feed(b"?\r\n");
        assert!(decoder.next_reply().is_err());
        decoder.feed(b"+OK\r\n");
        assert!(decoder.next_reply().is_err());
    }

    #[test]
    fn depth_is_bounded() {
        assert!(decode(&[b"*1\r\n".repeat(DEPTH_MAX), b"+x\r\n".to_vec()].concat()).is_ok());
        assert_eq!(decode(&b"*1\r\n".repeat(DEPTH_MAX + 1)), Err(DecodeError::TooDeep));
    }

    #[test]
    fn a_large_announcement_reserves_little() {
        let mut decoder = Decoder::new();
        decoder.feed(b"*4294967295\r\n");
        assert_eq!(decoder.next_reply(), Ok(None));
        assert!(decoder.open[0].parts.capacity() <= RESERVE_MAX);
    }
}

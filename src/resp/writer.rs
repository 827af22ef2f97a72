//! Replies to bytes. Commands write RESP3 shapes; this file alone knows how each degrades to RESP2.

use super::double::write_double;

/// The protocol a client speaks, chosen by HELLO.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    #[default]
    Resp2,
    Resp3,
}

/// A place in the reply to return to: after an error, or to fill in a length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark(usize);

/// Writes replies straight into a client's output buffer.
#[derive(Default)]
pub struct ReplyWriter {
    out: Vec<u8>,
    protocol: Protocol,
}

impl ReplyWriter {
    pub fn new(protocol: Protocol) -> Self {
        ReplyWriter { out: Vec::new(), protocol }
    }

    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    pub fn is_resp3(&self) -> bool {
        self.protocol == Protocol::Resp3
    }

    pub fn set_protocol(&mut self, protocol: Protocol) {
        self.protocol = protocol;
    }

    pub fn bytes(&self) -> &[u8] {
        &self.out
    }

    pub fn len(&self) -> usize {
        self.out.len()
    }

    pub fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// The buffer itself, for hosts that drain what they have written to a socket.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// Appends bytes that are RESP already.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    pub fn mark(&self) -> Mark {
        Mark(self.out.len())
    }

    /// Forgets everything written since `mark`.
    pub fn roll_back(&mut self, mark: Mark) {
        self.out.truncate(mark.0);
    }

    pub fn has_written_since(&self, mark: Mark) -> bool {
        self.out.len() > mark.0
    }

    /// What was written since `mark`.
    pub fn since(&self, mark: Mark) -> &[u8] {
        &self.out[mark.0..]
    }

    pub fn ok(&mut self) {
        self.out.extend_from_slice(b"+OK\r\n");
    }

    /// A simple string; line ends inside it would break the protocol and become spaces.
    pub fn simple(&mut self, text: &str) {
        self.line(b'+', text.as_bytes());
    }

    /// As [`ReplyWriter::simple`], for bytes.
    pub fn simple_bytes(&mut self, text: &[u8]) {
        self.line(b'+', text);
    }

    /// An error: `CODE message`, without the leading minus sign.
    pub fn error(&mut self, text: &[u8]) {
        self.line(b'-', text);
    }

    fn line(&mut self, kind: u8, text: &[u8]) {
        self.out.push(kind);
        self.out.extend(text.iter().map(|&byte| if byte == b'\r' || byte == b'\n' { b' ' } else { byte }));
        self.end_line();
    }

    fn end_line(&mut self) {
        self.out.extend_from_slice(b"\r\n");
    }

    fn header(&mut self, kind: u8, count: i64) {
        self.out.push(kind);
        if (0..10).contains(&count) {
            self.out.push(b'0' + count as u8);
        } else {
            self.out.extend_from_slice(itoa::Buffer::new().format(count).as_bytes());
        }
        self.end_line();
    }

    pub fn integer(&mut self, value: i64) {
        self.header(b':', value);
    }

    /// A count that fits a reply integer by construction.
    pub fn count(&mut self, value: usize) {
        self.header(b':', value as i64);
    }

    pub fn bulk(&mut self, bytes: &[u8]) {
        self.out.reserve(bytes.len() + 16);
        self.header(b'$', bytes.len() as i64);
        self.out.extend_from_slice(bytes);
        self.end_line();
    }

    pub fn bulk_str(&mut self, text: &str) {
        self.bulk(text.as_bytes());
    }

    /// An integer as a bulk string.
    pub fn bulk_integer(&mut self, value: i64) {
        self.bulk(itoa::Buffer::new().format(value).as_bytes());
    }

    /// A double as a bulk string in both protocols (ZSCORE's members inside flat arrays, INCRBYFLOAT …).
    pub fn bulk_double(&mut self, value: f64) {
        let mut text = Vec::with_capacity(24);
        write_double(&mut text, value);
        self.bulk(&text);
    }

    /// A bulk string, or null where there is none.
    pub fn bulk_or_null(&mut self, bytes: Option<&[u8]>) {
        match bytes {
            Some(bytes) => self.bulk(bytes),
            None => self.null(),
        }
    }

    /// `_` in RESP3, the null bulk string in RESP2.
    pub fn null(&mut self) {
        self.out.extend_from_slice(if self.is_resp3() { b"_\r\n" } else { b"$-1\r\n" });
    }

    /// `_` in RESP3, the null array in RESP2.
    pub fn null_array(&mut self) {
        self.out.extend_from_slice(if self.is_resp3() { b"_\r\n" } else { b"*-1\r\n" });
    }

    pub fn array(&mut self, count: usize) {
        self.header(b'*', count as i64);
    }

    /// A map of `count` pairs; in RESP2 a flat array of twice as many.
    pub fn map(&mut self, count: usize) {
        match self.protocol {
            Protocol::Resp2 => self.header(b'*', 2 * count as i64),
            Protocol::Resp3 => self.header(b'%', count as i64),
        }
    }

    /// `count` pairs, each opened by [`ReplyWriter::pair`]: nested arrays in RESP3, flat in RESP2.
    pub fn pairs(&mut self, count: usize) {
        match self.protocol {
            Protocol::Resp2 => self.header(b'*', 2 * count as i64),
            Protocol::Resp3 => self.header(b'*', count as i64),
        }
    }

    pub fn pair(&mut self) {
        if self.is_resp3() {
            self.array(2);
        }
    }

    /// A set; in RESP2 an array.
    pub fn set(&mut self, count: usize) {
        self.header(if self.is_resp3() { b'~' } else { b'*' }, count as i64);
    }

    /// An out-of-band push; in RESP2 an array.
    pub fn push(&mut self, count: usize) {
        self.header(if self.is_resp3() { b'>' } else { b'*' }, count as i64);
    }

    /// An attribute map of `count` pairs before the reply proper; nothing may be written for RESP2.
    pub fn attribute(&mut self, count: usize) {
        debug_assert!(self.is_resp3(), "RESP2 has no attributes");
        self.header(b'|', count as i64);
    }

    pub fn double(&mut self, value: f64) {
        if self.is_resp3() {
            self.out.push(b',');
            write_double(&mut self.out, value);
            self.end_line();
        } else {
            self.bulk_double(value);
        }
    }

    pub fn boolean(&mut self, value: bool) {
        self.out.extend_from_slice(match (self.protocol, value) {
            (Protocol::Resp3, true) => b"#t\r\n",
            (Protocol::Resp3, false) => b"#f\r\n",
            (Protocol::Resp2, true) => b":1\r\n",
            (Protocol::Resp2, false) => b":0\r\n",
        });
    }

    /// Text with a three-letter format (`txt`, `mkd`); in RESP2 a bulk string.
    pub fn verbatim(&mut self, format: &str, text: &[u8]) {
        debug_assert_eq!(format.len(), 3, "the format of a verbatim string has three letters");
        if self.is_resp3() {
            self.header(b'=', text.len() as i64 + 4);
            self.out.extend_from_slice(format.as_bytes());
            self.out.push(b':');
            self.out.extend_from_slice(text);
            self.end_line();
        } else {
            self.bulk(text);
        }
    }

    /// A decimal number of any length; in RESP2 a bulk string.
    pub fn big_number(&mut self, digits: &[u8]) {
        if self.is_resp3() {
            self.line(b'(', digits);
        } else {
            self.bulk(digits);
        }
    }

    /// Puts an array header in front of all that was written since `mark`, when the count is known last.
    pub fn close_array(&mut self, mark: Mark, count: usize) {
        self.insert_header(mark, b'*', count);
    }

    /// As [`ReplyWriter::close_array`], for a set.
    pub fn close_set(&mut self, mark: Mark, count: usize) {
        self.insert_header(mark, if self.is_resp3() { b'~' } else { b'*' }, count);
    }

    /// As [`ReplyWriter::close_array`], for a map of `count` pairs.
    pub fn close_map(&mut self, mark: Mark, count: usize) {
        match self.protocol {
            Protocol::Resp2 => self.insert_header(mark, b'*', 2 * count),
            Protocol::Resp3 => self.insert_header(mark, b'%', count),
        }
    }

    /// As [`ReplyWriter::close_array`], for pairs opened by [`ReplyWriter::pair`].
    pub fn close_pairs(&mut self, mark: Mark, count: usize) {
        let items = if self.is_resp3() { count } else { 2 * count };
        self.insert_header(mark, b'*', items);
    }

    fn insert_header(&mut self, mark: Mark, kind: u8, count: usize) {
        let mut digits = itoa::Buffer::new();
        let digits = digits.format(count).as_bytes();
        let added = digits.len() + 3;
        let end = self.out.len();
        self.out.resize(end + added, 0);
        self.out.copy_within(mark.0..end, mark.0 + added);
        let header = &mut self.out[mark.0..mark.0 + added];
        header[0] = kind;
        header[1..=digits.len()].copy_from_slice(digits);
        header[added - 2..].copy_from_slice(b"\r\n");
    }
}

//! Requests from bytes: multibulk and inline, incrementally, arguments borrowed from the input buffer.

use super::quoted;

/// Where an argument lies in its buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub start: u32,
    pub len: u32,
}

impl Span {
    pub fn of(self, buffer: &[u8]) -> &[u8] {
        &buffer[self.start as usize..self.start as usize + self.len as usize]
    }
}

/// A request that owns its bytes: what MULTI queues, what a blocked client runs again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    pub bytes: Vec<u8>,
    pub spans: Vec<Span>,
}

impl Request {
    pub fn of<T: AsRef<[u8]>>(arguments: &[T]) -> Self {
        let mut request = Request::default();
        for argument in arguments {
            request.push(argument.as_ref());
        }
        request
    }

    pub fn push(&mut self, argument: &[u8]) {
        let start = self.bytes.len() as u32;
        self.bytes.extend_from_slice(argument);
        self.spans.push(Span { start, len: argument.len() as u32 });
    }

    pub fn clear(&mut self) {
        self.bytes.clear();
        self.spans.clear();
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.spans.iter().map(|span| span.of(&self.bytes))
    }

    pub fn heap_bytes(&self) -> usize {
        self.bytes.capacity() + self.spans.capacity() * size_of::<Span>()
    }

    /// The request as multibulk bytes.
    pub fn encode(&self, out: &mut Vec<u8>) {
        encode_request(self.iter(), out);
    }
}

/// Appends a request in multibulk form.
pub fn encode_request<'a>(arguments: impl ExactSizeIterator<Item = &'a [u8]>, out: &mut Vec<u8>) {
    let mut digits = itoa::Buffer::new();
    out.push(b'*');
    out.extend_from_slice(digits.format(arguments.len()).as_bytes());
    out.extend_from_slice(b"\r\n");
    for argument in arguments {
        out.push(b'$');
        out.extend_from_slice(digits.format(argument.len()).as_bytes());
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(argument);
        out.extend_from_slice(b"\r\n");
    }
}

/// What input may cost.
#[derive(Clone, Copy, Debug)]
pub struct RequestLimits {
    /// proto-max-bulk-len.
    pub bulk_bytes_max: u64,
    /// Before AUTH, requests are small: ten arguments of 16 KiB at most.
    pub authenticated: bool,
}

pub const INLINE_BYTES_MAX: usize = 64 * 1024;
const MULTIBULK_MAX: i64 = i32::MAX as i64;
const UNAUTHENTICATED_MULTIBULK_MAX: i64 = 10;
const UNAUTHENTICATED_BULK_MAX: u64 = 16384;

/// Why the bytes are not a request. The text follows `Protocol error: `.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProtocolError {
    TooBigInlineRequest,
    UnbalancedQuotes,
    TooBigMultibulkCount,
    InvalidMultibulkLength,
    UnauthenticatedMultibulkLength,
    TooBigBulkCount,
    ExpectedDollar(u8),
    InvalidBulkLength,
    UnauthenticatedBulkLength,
}

impl ProtocolError {
    /// The line for the client, without the leading minus sign.
    pub fn text(&self) -> Vec<u8> {
        let tail: &[u8] = match self {
            Self::TooBigInlineRequest => b"too big inline request",
            Self::UnbalancedQuotes => b"unbalanced quotes in request",
            Self::TooBigMultibulkCount => b"too big mbulk count string",
            Self::InvalidMultibulkLength => b"invalid multibulk length",
            Self::UnauthenticatedMultibulkLength => b"unauthenticated multibulk length",
            Self::TooBigBulkCount => b"too big bulk count string",
            Self::ExpectedDollar(_) => b"expected '$', got '",
            Self::InvalidBulkLength => b"invalid bulk length",
            Self::UnauthenticatedBulkLength => b"unauthenticated bulk length",
        };
        let mut text = b"ERR Protocol error: ".to_vec();
        text.extend_from_slice(tail);
        if let Self::ExpectedDollar(byte) = self {
            text.push(*byte);
            text.push(b'\'');
        }
        text
    }
}

/// What [`RequestParser::parse`] found at the start of the buffer.
#[derive(Debug, PartialEq, Eq)]
pub enum Parsed {
    /// More bytes are needed.
    Incomplete,
    /// A request of [`RequestParser::spans`] into the buffer; so many bytes belong to it. No spans: an empty request.
    Multibulk { consumed: usize },
    /// An inline request, unquoted into [`RequestParser::inline`].
    Inline { consumed: usize },
}

/// The state of a half-read request. It remembers how far it came, so feeding a large request in small pieces stays
/// linear. Positions are relative to the start of the request.
#[derive(Default)]
pub struct RequestParser {
    spans: Vec<Span>,
    inline: Request,
    position: usize,
    arguments_left: i64,
    bulk_len: Option<u64>,
    in_multibulk: bool,
}

impl RequestParser {
    /// The arguments of the multibulk request just parsed.
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// The inline request just parsed.
    pub fn inline(&mut self) -> &mut Request {
        &mut self.inline
    }

    /// How many bytes of input would complete the argument that is being read, if that is known.
    pub fn wanted(&self) -> Option<usize> {
        self.bulk_len.map(|len| self.position + len as usize + 2)
    }

    /// Reads one request from the start of `buffer`; call again with more bytes after `Incomplete`.
    pub fn parse(&mut self, buffer: &[u8], limits: &RequestLimits) -> Result<Parsed, ProtocolError> {
        if !self.in_multibulk {
            match buffer.first() {
                None => return Ok(Parsed::Incomplete),
                Some(b'*') => {}
                Some(_) => return self.parse_inline(buffer),
            }
            let Some((count, next)) = integer_line(buffer, 1) else {
                if buffer.len() > INLINE_BYTES_MAX {
                    return Err(ProtocolError::TooBigMultibulkCount);
                }
                return Ok(Parsed::Incomplete);
            };
            let count = count.filter(|&n| n <= MULTIBULK_MAX).ok_or(ProtocolError::InvalidMultibulkLength)?;
            if count > UNAUTHENTICATED_MULTIBULK_MAX && !limits.authenticated {
                return Err(ProtocolError::UnauthenticatedMultibulkLength);
            }
            self.spans.clear();
            if count <= 0 {
                return Ok(Parsed::Multibulk { consumed: next });
            }
            self.position = next;
            self.arguments_left = count;
            self.in_multibulk = true;
        }
        self.parse_arguments(buffer, limits)
    }

    fn parse_arguments(&mut self, buffer: &[u8], limits: &RequestLimits) -> Result<Parsed, ProtocolError> {
        while self.arguments_left > 0 {
            let len = match self.bulk_len {
                Some(len) => len,
                None => {
                    match buffer.get(self.position) {
                        None => return Ok(Parsed::Incomplete),
                        Some(b'$') => {}
                        Some(&other) => {
                            // The line must be whole before it is judged, as Redis does.
                            return match memchr::memchr(b'\r', &buffer[self.position..]) {
                                None if buffer.len() - self.position <= INLINE_BYTES_MAX => {
                                    Ok(Parsed::Incomplete)
                                }
                                None => Err(ProtocolError::TooBigBulkCount),
                                Some(_) => Err(ProtocolError::ExpectedDollar(other)),
                            };
                        }
                    }
                    let Some((len, next)) = integer_line(buffer, self.position + 1) else {
                        if buffer.len() - self.position > INLINE_BYTES_MAX {
                            return Err(ProtocolError::TooBigBulkCount);
                        }
                        return Ok(Parsed::Incomplete);
                    };
                    let len = len
                        .and_then(|len| u64::try_from(len).ok())
                        .filter(|&len| len <= limits.bulk_bytes_max && len <= u32::MAX as u64 / 2)
                        .ok_or(ProtocolError::InvalidBulkLength)?;
                    if len > UNAUTHENTICATED_BULK_MAX && !limits.authenticated {
                        return Err(ProtocolError::UnauthenticatedBulkLength);
                    }
                    self.position = next;
                    len
                }
            };
            let end = self.position + len as usize;
            if buffer.len() < end + 2 {
                self.bulk_len = Some(len);
                return Ok(Parsed::Incomplete);
            }
            self.bulk_len = None;
            self.spans.push(Span { start: self.position as u32, len: len as u32 });
            self.position = end + 2;
            self.arguments_left -= 1;
        }
        self.in_multibulk = false;
        Ok(Parsed::Multibulk { consumed: self.position })
    }

    fn parse_inline(&mut self, buffer: &[u8]) -> Result<Parsed, ProtocolError> {
        let Some(newline) = memchr::memchr(b'\n', buffer) else {
            if buffer.len() > INLINE_BYTES_MAX {
                return Err(ProtocolError::TooBigInlineRequest);
            }
            return Ok(Parsed::Incomplete);
        };
        let line = buffer[..newline].strip_suffix(b"\r").unwrap_or(&buffer[..newline]);
        // Redis reads the line as a C string.
        let line = &line[..memchr::memchr(0, line).unwrap_or(line.len())];
        self.inline.clear();
        let words = quoted::split(line).map_err(|_| ProtocolError::UnbalancedQuotes)?;
        words.iter().for_each(|word| self.inline.push(word));
        Ok(Parsed::Inline { consumed: newline + 1 })
    }
}

/// The integer between `start` and the next CR LF, and where the line after it begins. `None`: the line is not
/// complete; an inner `None`: it is no integer.
#[inline]
fn integer_line(buffer: &[u8], start: usize) -> Option<(Option<i64>, usize)> {
    // Short positive numbers are nearly all there are.
    let mut value = 0i64;
    let mut position = start;
    while let Some(&byte) = buffer.get(position) {
        if byte.is_ascii_digit() && position - start < 18 {
            value = value * 10 + i64::from(byte - b'0');
            position += 1;
        } else if byte == b'\r' && position > start && (buffer[start] != b'0' || position == start + 1) {
            return (position + 1 < buffer.len()).then_some((Some(value), position + 2));
        } else {
            break;
        }
    }
    let end = start + memchr::memchr(b'\r', buffer.get(start..)?)?;
    if end + 1 >= buffer.len() {
        return None;
    }
    let text = &buffer[start..end];
    let canonical = match text {
        [b'0'] => true,
        [b'-', rest @ ..] | rest => rest.first().is_some_and(|&byte| (b'1'..=b'9').contains(&byte)),
    };
    let number = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).filter(|_| canonical);
    Some((number, end + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: RequestLimits = RequestLimits { bulk_bytes_max: 512 * 1024 * 1024, authenticated: true };

    fn arguments(parser: &RequestParser, buffer: &[u8]) -> Vec<Vec<u8>> {
        parser.spans().iter().map(|span| span.of(buffer).to_vec()).collect()
    }

    #[test]
    fn a_request_may_arrive_byte_by_byte() {
        let bytes = b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n";
        let mut parser = RequestParser::default();
        for end in 0..bytes.len() {
            assert_eq!(parser.parse(&bytes[..end], &LIMITS), Ok(Parsed::Incomplete), "after {end} bytes");
        }
        assert_eq!(parser.parse(bytes, &LIMITS), Ok(Parsed::Multibulk { consumed: bytes.len() }));
        assert_eq!(arguments(&parser, bytes), [b"GET".to_vec(), b"k".to_vec()]);
    }

    #[test]
    fn inline_requests_are_unquoted() {
        let mut parser = RequestParser::default();
        let line = b"SET \"a\\x41\\n\" 'it\\'s'\r\nrest";
        assert_eq!(parser.parse(line, &LIMITS), Ok(Parsed::Inline { consumed: 23 }));
        let words: Vec<_> = parser.inline().iter().map(<[u8]>::to_vec).collect();
        assert_eq!(words, [b"SET".to_vec(), b"aA\n".to_vec(), b"it's".to_vec()]);
        assert_eq!(parser.parse(b"SET \"a\n", &LIMITS), Err(ProtocolError::UnbalancedQuotes));
        assert_eq!(parser.parse(b"SET \"a\"b\n", &LIMITS), Err(ProtocolError::UnbalancedQuotes));
    }

    #[test]
    fn malformed_requests_are_refused() {
        let fails = |bytes: &[u8]| RequestParser::default().parse(bytes, &LIMITS).expect_err("malformed");
        assert_eq!(fails(b"*x\r\n"), ProtocolError::InvalidMultibulkLength);
        assert_eq!(fails(b"*2147483648\r\n"), ProtocolError::InvalidMultibulkLength);
        assert_eq!(fails(b"*1\r\nfoo\r\n"), ProtocolError::ExpectedDollar(b'f'));
        assert_eq!(fails(b"*1\r\n$-5\r\n"), ProtocolError::InvalidBulkLength);
        assert_eq!(fails(b"*1\r\n$536870913\r\n"), ProtocolError::InvalidBulkLength);
        assert_eq!(fails(&[b'a'; INLINE_BYTES_MAX + 1]), ProtocolError::TooBigInlineRequest);
        let unauthenticated = RequestLimits { authenticated: false, ..LIMITS };
        assert_eq!(
            RequestParser::default().parse(b"*11\r\n", &unauthenticated),
            Err(ProtocolError::UnauthenticatedMultibulkLength)
        );
    }
}

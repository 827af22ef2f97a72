//! The id of a stream's entry: milliseconds and a sequence number, ordered.

use crate::data::number::parse_u64;

/// The longest text that may be an id; Redis looks no further.
const TEXT_MAX: usize = 127;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamId {
    pub ms: u64,
    pub seq: u64,
}

impl StreamId {
    pub const MIN: StreamId = StreamId { ms: 0, seq: 0 };
    pub const MAX: StreamId = StreamId { ms: u64::MAX, seq: u64::MAX };

    pub const fn new(ms: u64, seq: u64) -> Self {
        StreamId { ms, seq }
    }

    /// Parses `ms-seq` or `ms`, for which `missing_seq` is put in.
    pub fn parse(text: &[u8], missing_seq: u64) -> Option<StreamId> {
        if text.len() > TEXT_MAX {
            return None;
        }
        match text.iter().position(|&byte| byte == b'-') {
            Some(dash) => Some(StreamId { ms: part(&text[..dash])?, seq: part(&text[dash + 1..])? }),
            None => Some(StreamId { ms: part(text)?, seq: missing_seq }),
        }
    }

    /// The smallest id above this one.
    pub fn next(self) -> Option<StreamId> {
        match self.seq.checked_add(1) {
            Some(seq) => Some(StreamId { ms: self.ms, seq }),
            None => Some(StreamId { ms: self.ms.checked_add(1)?, seq: 0 }),
        }
    }

    /// The greatest id below this one.
    pub fn previous(self) -> Option<StreamId> {
        match self.seq.checked_sub(1) {
            Some(seq) => Some(StreamId { ms: self.ms, seq }),
            None => Some(StreamId { ms: self.ms.checked_sub(1)?, seq: u64::MAX }),
        }
    }

    /// The sixteen bytes that sort like the id.
    pub fn sort_key(self) -> [u8; 16] {
        let mut key = [0; 16];
        key[..8].copy_from_slice(&self.ms.to_be_bytes());
        key[8..].copy_from_slice(&self.seq.to_be_bytes());
        key
    }

    /// The id of which these are the bytes of [`StreamId::sort_key`].
    pub fn from_sort_key(key: &[u8]) -> Option<StreamId> {
        let (ms, seq) = key.split_first_chunk()?;
        Some(StreamId { ms: u64::from_be_bytes(*ms), seq: u64::from_be_bytes(seq.try_into().ok()?) })
    }

    /// `ms-seq`, written into `buffer`.
    pub fn text(self, buffer: &mut IdText) -> &[u8] {
        let mut digits = itoa::Buffer::new();
        let ms = digits.format(self.ms).as_bytes();
        let mut len = ms.len();
        buffer[..len].copy_from_slice(ms);
        buffer[len] = b'-';
        len += 1;
        let seq = digits.format(self.seq).as_bytes();
        buffer[len..len + seq.len()].copy_from_slice(seq);
        &buffer[..len + seq.len()]
    }

    pub fn to_text(self) -> Vec<u8> {
        self.text(&mut IdText::default()).to_vec()
    }
}

/// One of the two numbers. Redis reads what is not canonical as C does: with white space and a plus sign in front.
fn part(text: &[u8]) -> Option<u64> {
    if let Some(number) = parse_u64(text) {
        return Some(number);
    }
    let text = text.trim_ascii_start();
    let digits = text.strip_prefix(b"+").unwrap_or(text);
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    is_number.then(|| std::str::from_utf8(digits).ok()?.parse().ok()).flatten()
}

/// Room for the longest id: two numbers of 20 digits and the dash.
#[derive(Clone, Copy)]
pub struct IdText([u8; 44]);

impl Default for IdText {
    fn default() -> Self {
        IdText([0; 44])
    }
}

impl std::ops::Deref for IdText {
    type Target = [u8; 44];
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl std::ops::DerefMut for IdText {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

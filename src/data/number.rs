//! Numbers as Redis writes and reads them: which texts are integers and floats, and which text a number becomes.
//!
//! This file must not know who asks. `INCRBYFLOAT` arithmetic is in `long_double`.

use std::ops::Deref;

/// Room for any integer or double Redis writes.
const TEXT_MAX: usize = 31;

/// A short number text, held in place.
#[derive(Clone, Copy)]
pub struct Text {
    bytes: [u8; TEXT_MAX],
    len: u8,
}

impl Text {
    pub const fn new() -> Self {
        Text { bytes: [0; TEXT_MAX], len: 0 }
    }

    fn of(text: &[u8]) -> Self {
        let mut this = Self::new();
        this.push(text);
        this
    }

    fn push(&mut self, text: &[u8]) {
        let from = usize::from(self.len);
        self.bytes[from..from + text.len()].copy_from_slice(text);
        self.len += text.len() as u8;
    }
}

impl Default for Text {
    fn default() -> Self {
        Self::new()
    }
}

impl Deref for Text {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl std::fmt::Display for Text {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(std::str::from_utf8(self).unwrap_or(""))
    }
}

/// The integer whose canonical text this is: no plus, no spaces, no leading zeros, no `-0`.
#[inline]
pub fn parse_i64(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || digits.len() > 19 {
        return None;
    }
    if digits[0] == b'0' {
        return (text.len() == 1).then_some(0);
    }
    let mut value = 0u64;
    for &digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + u64::from(digit); // 19 nines fit.
    }
    if negative {
        (value <= 1 << 63).then(|| (value as i64).wrapping_neg())
    } else {
        i64::try_from(value).ok()
    }
}

/// An unsigned integer where Redis falls back to C's `strtoull`: spaces before it, a sign and leading zeros pass, and a
/// minus before leading zeros wraps around as there.
pub fn parse_u64(text: &[u8]) -> Option<u64> {
    if let Some(value) = parse_i64(text) {
        return u64::try_from(value).ok();
    }
    let text = text.trim_ascii_start();
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() {
        return None;
    }
    let mut value = 0u64;
    for &digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    Some(if negative { value.wrapping_neg() } else { value })
}

pub fn i64_text(number: i64) -> Text {
    Text::of(itoa::Buffer::new().format(number).as_bytes())
}

pub fn u64_text(number: u64) -> Text {
    Text::of(itoa::Buffer::new().format(number).as_bytes())
}

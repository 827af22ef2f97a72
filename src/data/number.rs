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

/// A double as C's `strtod` reads all of the text, but nothing before it, no NaN, and nothing too large or too small to
/// represent. Correctly rounded.
pub fn parse_f64(text: &[u8]) -> Option<f64> {
    if let Some(hexadecimal) = Hexadecimal::parse(text) {
        return hexadecimal.to_f64();
    }
    let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    if value.is_nan() || (value.is_infinite() && text.iter().any(u8::is_ascii_digit)) {
        return None;
    }
    (value != 0.0 || is_written_zero(text)).then_some(value)
}

/// Whether a float text that came out as zero has only zeros before its exponent.
pub(crate) fn is_written_zero(text: &[u8]) -> bool {
    let mantissa = text.split(|byte| matches!(byte, b'e' | b'E')).next().unwrap_or_default();
    !mantissa.iter().any(|byte| matches!(byte, b'1'..=b'9'))
}

/// A double as scores are written: integers plainly, others with the fewest digits that read back as the same double.
pub fn f64_text(value: f64) -> Text {
    if value.is_nan() {
        return Text::of(b"nan");
    }
    if value.is_infinite() {
        return Text::of(if value < 0.0 { b"-inf" } else { b"inf" });
    }
    if value == 0.0 {
        return Text::of(if value.is_sign_negative() { b"-0" } else { b"0" });
    }
    // Beyond half the range of an i64 Redis does not trust the conversion.
    const INTEGER_MAX: f64 = (1i64 << 62) as f64;
    if value.abs() <= INTEGER_MAX && value == value as i64 as f64 {
        return i64_text(value as i64);
    }
    let mut buffer = ryu::Buffer::new();
    let (digits, exponent) = decimal_digits(buffer.format_finite(value.abs()).as_bytes());
    lay_out(value < 0.0, &digits, exponent)
}

/// A double with a fixed number of digits after the point, at most 17, as GEODIST writes it. Beyond the range of an `i64`
/// without the point it is cut off there.
pub fn f64_fixed_text(value: f64, fraction_digits: u32) -> Text {
    let scale = 10u64.pow(fraction_digits.min(17));
    let scaled = libm::rint(value * scale as f64) as i64;
    let (whole, fraction) = (scaled.unsigned_abs() / scale, scaled.unsigned_abs() % scale);
    let mut text = Text::new();
    if scaled < 0 {
        text.push(b"-");
    }
    text.push(&u64_text(whole));
    if fraction_digits > 0 {
        // A one before the fraction keeps its leading zeros.
        let fraction = u64_text(scale + fraction);
        text.push(b".");
        text.push(&fraction[1..]);
    }
    text
}

/// Digits without zeros at either end, and the power of ten of the last one.
fn decimal_digits(printed: &[u8]) -> (Text, i32) {
    let (mantissa, exponent) = match printed.iter().position(|&byte| byte == b'e') {
        Some(at) => (&printed[..at], parse_i64(&printed[at + 1..]).unwrap_or(0) as i32),
        None => (printed, 0),
    };
    let point = mantissa.iter().position(|&byte| byte == b'.');
    let fraction_len = point.map_or(0, |at| mantissa.len() - at - 1);
    let mut digits = Text::new();
    for &byte in mantissa {
        if byte != b'.' && (byte != b'0' || digits.len > 0) {
            digits.push(&[byte]);
        }
    }
    let mut exponent = exponent - fraction_len as i32;
    while digits.ends_with(b"0") {
        digits.len -= 1;
        exponent += 1;
    }
    (digits, exponent)
}

/// Chooses between plain and scientific notation as Redis does.
fn lay_out(negative: bool, digits: &[u8], exponent: i32) -> Text {
    let count = digits.len() as i32;
    let scientific = exponent + count - 1;
    let mut text = Text::new();
    if negative {
        text.push(b"-");
    }
    if exponent >= 0 && scientific < count + 7 {
        text.push(digits);
        text.push(&b"000000000000"[..exponent as usize]);
    } else if exponent < 0 && (exponent > -7 || scientific.abs() < 4) {
        let whole = count + exponent;
        if whole <= 0 {
            text.push(b"0.");
            text.push(&b"000000000000"[..whole.unsigned_abs() as usize]);
            text.push(digits);
        } else {
            text.push(&digits[..whole as usize]);
            text.push(b".");
            text.push(&digits[whole as usize..]);
        }
    } else {
        text.push(&digits[..1]);
        if count > 1 {
            text.push(b".");
            text.push(&digits[1..]);
        }
        text.push(if scientific < 0 { b"e-" } else { b"e+" });
        text.push(&u64_text(u64::from(scientific.unsigned_abs())));
    }
    text
}

/// A hexadecimal float as C writes it: `mantissa * 2^exponent`, and whether non-zero bits were left out below.
pub(crate) struct Hexadecimal {
    pub negative: bool,
    pub mantissa: u128,
    pub exponent: i64,
    pub inexact: bool,
}

impl Hexadecimal {
    /// `[+-]0x` digits with a point among them, then `p` and a decimal exponent if any.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let (negative, text) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        let [b'0', b'x' | b'X', body @ ..] = text else { return None };
        let (mut mantissa, mut exponent, mut inexact) = (0u128, 0i64, false);
        let (mut digits, mut point) = (0, false);
        let mut at = 0;
        while at < body.len() {
            let byte = body[at];
            if byte == b'.' && !point {
                point = true;
            } else if let Some(digit) = char::from(byte).to_digit(16) {
                digits += 1;
                if mantissa >> 120 == 0 {
                    mantissa = mantissa << 4 | u128::from(digit);
                    exponent -= if point { 4 } else { 0 };
                } else {
                    inexact |= digit != 0;
                    exponent += if point { 0 } else { 4 };
                }
            } else {
                break;
            }
            at += 1;
        }
        if digits == 0 {
            return None;
        }
        match &body[at..] {
            [] => {}
            [b'p' | b'P', power @ ..] => exponent = exponent.saturating_add(parse_exponent(power)?),
            _ => return None,
        }
        Some(Hexadecimal { negative, mantissa, exponent, inexact })
    }

    fn to_f64(&self) -> Option<f64> {
        let (mantissa, exponent) = round_bits(self.mantissa, self.exponent, self.inexact, 53, -1074);
        if mantissa == 0 {
            let zero = if self.negative { -0.0 } else { 0.0 };
            return (self.mantissa == 0).then_some(zero);
        }
        if exponent > 971 {
            return None;
        }
        let value = libm::scalbn(mantissa as f64, exponent as i32);
        Some(if self.negative { -value } else { value })
    }
}

/// A decimal exponent with a sign; absurd ones are clamped where they overflow anyhow.
pub(crate) fn parse_exponent(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let mut value = 0i64;
    for &digit in digits {
        value = (value * 10 + i64::from(digit - b'0')).min(1 << 40);
    }
    Some(if negative { -value } else { value })
}

/// Rounds `mantissa * 2^exponent`, plus a little when `inexact`, to `bits` bits, ties to even, with no exponent below
/// `exponent_min`. The result has its top bit set unless the exponent is the least. With `inexact` the mantissa needs at
/// least two bits more than `bits`.
pub(crate) fn round_bits(
    mantissa: u128,
    exponent: i64,
    inexact: bool,
    bits: u32,
    exponent_min: i64,
) -> (u64, i64) {
    if mantissa == 0 {
        return (0, exponent_min);
    }
    let len = i64::from(128 - mantissa.leading_zeros());
    let mut drop = len - i64::from(bits);
    if exponent + drop < exponent_min {
        drop = exponent_min - exponent;
    }
    if drop <= 0 {
        return ((mantissa << -drop) as u64, exponent + drop);
    }
    if drop > 128 {
        return (0, exponent_min);
    }
    let kept = mantissa.checked_shr(drop as u32).unwrap_or(0);
    let half = 1u128 << (drop - 1);
    let rest = mantissa & (half - 1) | (mantissa & half);
    let up = rest > half || (rest == half && (inexact || kept & 1 == 1));
    let (kept, exponent) = (kept + u128::from(up), exponent + drop);
    if kept >> bits != 0 { ((kept >> 1) as u64, exponent + 1) } else { (kept as u64, exponent) }
}

#[cfg(test)]
mod tests;

//! The 80-bit floats of x86: what INCRBYFLOAT and HINCRBYFLOAT add with and GEOPOS prints, where Redis uses C's
//! `long double`. Parsing, adding and printing round correctly, so that replies agree with Redis's to the byte.
//!
//! Source: IEEE 754 round to nearest, ties to even, with a 64-bit mantissa and a 15-bit exponent.

use crate::data::number::{Hexadecimal, is_written_zero, parse_exponent, round_bits};

const MANTISSA_BITS: u32 = 64;
const EXPONENT_MIN: i64 = -16445;
const EXPONENT_MAX: i64 = 16320;
/// Redis refuses longer texts.
const TEXT_MAX: usize = 5 * 1024 - 1;
/// Decimal exponents beyond which every value is infinite or zero.
const DECIMAL_POINT_MAX: i64 = 4940;
const DECIMAL_POINT_MIN: i64 = -4960;
/// Digits after the point in Redis's replies.
const FRACTION_DIGITS: usize = 17;
const FRACTION_SCALE: u128 = 10u128.pow(FRACTION_DIGITS as u32);

/// `mantissa * 2^exponent`, or infinity. Never NaN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LongDouble {
    negative: bool,
    infinite: bool,
    mantissa: u64,
    exponent: i64,
}

impl LongDouble {
    pub const ZERO: LongDouble =
        LongDouble { negative: false, infinite: false, mantissa: 0, exponent: EXPONENT_MIN };

    /// Reads what C's `strtold` reads, nothing before or behind it; no NaN, nothing too large or too small.
    pub fn parse(text: &[u8]) -> Option<Self> {
        if text.len() > TEXT_MAX {
            return None;
        }
        if let Some(hexadecimal) = Hexadecimal::parse(text) {
            let Hexadecimal { negative, mantissa, exponent, inexact } = hexadecimal;
            let value = Self::round(negative, mantissa, exponent, inexact);
            return (!value.infinite && (value.mantissa != 0 || mantissa == 0)).then_some(value);
        }
        let (negative, body) = match text {
            [b'-', body @ ..] => (true, body),
            [b'+', body @ ..] => (false, body),
            body => (false, body),
        };
        if body.eq_ignore_ascii_case(b"inf") || body.eq_ignore_ascii_case(b"infinity") {
            return Some(LongDouble { negative, infinite: true, ..Self::ZERO });
        }
        let value = LongDouble { negative, ..parse_decimal(body)? };
        (!value.infinite && (value.mantissa != 0 || is_written_zero(body))).then_some(value)
    }

    pub fn from_i64(number: i64) -> Self {
        Self::round(number < 0, u128::from(number.unsigned_abs()), 0, false)
    }

    /// The same number; zero for NaN.
    pub fn from_f64(number: f64) -> Self {
        let bits = number.to_bits();
        let negative = bits >> 63 == 1;
        let (field, fraction) = ((bits >> 52 & 0x7FF) as i64, u128::from(bits & ((1 << 52) - 1)));
        match (field, fraction) {
            (0x7FF, 0) => LongDouble { negative, infinite: true, ..Self::ZERO },
            (0x7FF, _) => Self::ZERO,
            (0, _) => Self::round(negative, fraction, -1074, false),
            _ => Self::round(negative, fraction | 1 << 52, field - 1075, false),
        }
    }

    pub fn negated(self) -> Self {
        LongDouble { negative: !self.negative, ..self }
    }

    pub fn is_less(self, other: Self) -> bool {
        // The mantissa's top bit is set unless the exponent is the least, so exponents decide first.
        let magnitude = |of: Self| (of.infinite, of.exponent, of.mantissa);
        let is_zero = |of: Self| !of.infinite && of.mantissa == 0;
        match (self.negative, other.negative) {
            _ if is_zero(self) && is_zero(other) => false,
            (false, false) => magnitude(self) < magnitude(other),
            (true, true) => magnitude(self) > magnitude(other),
            (is_negative, _) => is_negative,
        }
    }

    /// The integer nearest to it on the side of zero; nothing when the number is beyond the integers of 64 bits.
    pub fn truncated(self) -> Option<i64> {
        if self.infinite || self.mantissa != 0 && self.exponent > 0 {
            return None;
        }
        let shift = self.exponent.unsigned_abs().min(64) as u32;
        let whole = self.mantissa.checked_shr(shift).unwrap_or(0);
        let fraction = whole.checked_shl(shift).unwrap_or(0) != self.mantissa;
        match (self.negative, i64::try_from(whole)) {
            (false, Ok(i64::MAX)) if fraction => None,
            (false, Ok(whole)) => Some(whole),
            (true, Ok(whole)) => Some(-whole),
            (true, Err(_)) if whole == 1 << 63 && !fraction => Some(i64::MIN),
            _ => None,
        }
    }

    pub fn is_finite(self) -> bool {
        !self.infinite
    }

    /// The sum, or nothing when it is infinite or undefined.
    pub fn plus(self, other: Self) -> Option<Self> {
        if self.infinite || other.infinite {
            return None;
        }
        let (large, small) = if self.exponent >= other.exponent { (self, other) } else { (other, self) };
        // One bit of room for the carry; whatever does not fit below makes the sum inexact.
        let wide = u128::from(large.mantissa) << 63;
        let distance = (large.exponent - small.exponent).min(127) as u32;
        let narrow = u128::from(small.mantissa) << 63;
        let shifted = narrow >> distance;
        let inexact = shifted << distance != narrow;
        let exponent = large.exponent - 63;
        let sum = if large.negative == small.negative {
            Self::round(large.negative, wide + shifted, exponent, inexact)
        } else if wide > shifted {
            Self::round(large.negative, wide - shifted - u128::from(inexact), exponent, inexact)
        } else {
            Self::round(small.negative && wide != shifted, shifted - wide, exponent, false)
        };
        sum.is_finite().then_some(sum)
    }

    /// As `%.17Lf` prints it, without the zeros at the end; -0 and what rounds to it is `0`.
    pub fn to_text(self) -> Vec<u8> {
        if self.infinite {
            return if self.negative { b"-inf".to_vec() } else { b"inf".to_vec() };
        }
        let digits = if self.exponent >= 0 {
            integer_digits(self.mantissa, self.exponent as u32)
        } else {
            fraction_digits(self.mantissa, self.exponent.unsigned_abs())
        };
        if self.negative && digits != b"0" { [b"-", digits.as_slice()].concat() } else { digits }
    }

    /// As `%.17Lg` prints it: 17 digits, without the zeros at the end, with an exponent where that is shorter.
    pub fn to_general_text(self) -> Vec<u8> {
        if self.infinite || self.mantissa == 0 {
            return self.to_text();
        }
        let mut number = Big { limbs: vec![self.mantissa as u32, (self.mantissa >> 32) as u32] };
        let halvings = self.exponent.min(0).unsigned_abs();
        if self.exponent >= 0 {
            number.shift_left(self.exponent as usize);
        }
        // A half is five tenths.
        let mut left = halvings;
        while left > 0 {
            let step = left.min(13);
            number.multiply_add(5u32.pow(step as u32), 0);
            left -= step;
        }
        let (digits, first_power) = round_digits(number.into_digits(), GENERAL_DIGITS);
        lay_out_general(self.negative, &digits, first_power - halvings as i64)
    }

    fn round(negative: bool, mantissa: u128, exponent: i64, inexact: bool) -> Self {
        let (mantissa, exponent) = round_bits(mantissa, exponent, inexact, MANTISSA_BITS, EXPONENT_MIN);
        if exponent > EXPONENT_MAX {
            return LongDouble { negative, infinite: true, ..Self::ZERO };
        }
        LongDouble { negative, infinite: false, mantissa, exponent }
    }
}

/// Reads digits with a point among them and an exponent; infinite when too large, zero when too small.
fn parse_decimal(text: &[u8]) -> Option<LongDouble> {
    let (mut digits, mut point) = (Vec::new(), None);
    let mut exponent = 0;
    let mut any = false;
    for (at, &byte) in text.iter().enumerate() {
        match byte {
            b'0'..=b'9' => {
                any = true;
                if byte != b'0' || !digits.is_empty() {
                    digits.push(byte - b'0');
                } else if point.is_some() {
                    exponent -= 1;
                }
            }
            b'.' if point.is_none() => point = Some(digits.len()),
            b'e' | b'E' if any => {
                exponent += parse_exponent(&text[at + 1..])?;
                break;
            }
            _ => return None,
        }
    }
    if !any {
        return None;
    }
    if let Some(point) = point {
        exponent -= (digits.len() - point) as i64;
    }
    while digits.last() == Some(&0) {
        digits.pop();
        exponent += 1;
    }
    let point = digits.len() as i64 + exponent;
    Some(if digits.is_empty() || point < DECIMAL_POINT_MIN {
        LongDouble::ZERO
    } else if point > DECIMAL_POINT_MAX {
        LongDouble { infinite: true, ..LongDouble::ZERO }
    } else {
        scale_decimal(&digits, exponent)
    })
}

/// `digits * 10^exponent`; the digits begin and end with others than zero.
fn scale_decimal(digits: &[u8], exponent: i64) -> LongDouble {
    if digits.len() <= 19 && (-19..=19).contains(&exponent) {
        let number = digits.iter().fold(0u64, |number, &digit| number * 10 + u64::from(digit));
        let power = 10u64.pow(exponent.unsigned_abs() as u32);
        if exponent >= 0 {
            return LongDouble::round(false, u128::from(number) * u128::from(power), 0, false);
        }
        // The quotient has at least 64 bits, and two more unless the power is large; then the big path is exact.
        let shift = u128::from(number).leading_zeros();
        let (wide, power) = (u128::from(number) << shift, u128::from(power));
        let quotient = wide / power;
        if quotient >> 66 != 0 {
            return LongDouble::round(false, quotient, -i64::from(shift), wide % power != 0);
        }
    }
    let mut number = Big::from_digits(digits);
    if exponent >= 0 {
        number.multiply_power_of_ten(exponent as u64);
        let (top, shift, inexact) = number.top_bits();
        return LongDouble::round(false, top, shift, inexact);
    }
    let mut power = Big::from_digits(&[1]);
    power.multiply_power_of_ten(exponent.unsigned_abs());
    let (quotient, shift, inexact) = number.divide(power);
    LongDouble::round(false, quotient, shift, inexact)
}

const GENERAL_DIGITS: usize = 17;

/// The first digits of a whole number, ties to even, without zeros at the end; and the power of ten of the first one.
fn round_digits(mut digits: Vec<u8>, count: usize) -> (Vec<u8>, i64) {
    let mut power = digits.len() as i64 - 1;
    if digits.len() > count {
        let rest = digits.split_off(count);
        let is_tie = rest[0] == b'5' && rest[1..].iter().all(|digit| *digit == b'0');
        if rest[0] > b'5' || rest[0] == b'5' && (!is_tie || digits[count - 1] & 1 == 1) {
            while digits.last() == Some(&b'9') {
                digits.pop();
            }
            match digits.last_mut() {
                Some(last) => *last += 1,
                None => {
                    digits.push(b'1');
                    power += 1;
                }
            }
        }
    }
    while digits.len() > 1 && digits.last() == Some(&b'0') {
        digits.pop();
    }
    (digits, power)
}

/// `power` is that of the first digit.
fn lay_out_general(negative: bool, digits: &[u8], power: i64) -> Vec<u8> {
    let mut text = if negative { b"-".to_vec() } else { Vec::new() };
    if !(-4..GENERAL_DIGITS as i64).contains(&power) {
        text.push(digits[0]);
        if digits.len() > 1 {
            text.push(b'.');
            text.extend_from_slice(&digits[1..]);
        }
        let sign = if power < 0 { '-' } else { '+' };
        text.extend_from_slice(format!("e{sign}{:02}", power.unsigned_abs()).as_bytes());
    } else if power < 0 {
        text.extend_from_slice(b"0.");
        text.extend(std::iter::repeat_n(b'0', power.unsigned_abs() as usize - 1));
        text.extend_from_slice(digits);
    } else {
        let whole = power as usize + 1;
        text.extend_from_slice(&digits[..whole.min(digits.len())]);
        text.extend(std::iter::repeat_n(b'0', whole.saturating_sub(digits.len())));
        if digits.len() > whole {
            text.push(b'.');
            text.extend_from_slice(&digits[whole..]);
        }
    }
    text
}

fn integer_digits(mantissa: u64, exponent: u32) -> Vec<u8> {
    if exponent <= 64 {
        return (u128::from(mantissa) << exponent).to_string().into_bytes();
    }
    let mut number = Big { limbs: vec![mantissa as u32, (mantissa >> 32) as u32] };
    number.shift_left(exponent as usize);
    number.into_digits()
}

/// `mantissa / 2^shift` with 17 digits after the point, ties to even, then without zeros at the end.
fn fraction_digits(mantissa: u64, shift: u64) -> Vec<u8> {
    // Below 2^121, so a larger shift rounds to zero.
    let scaled = u128::from(mantissa) * FRACTION_SCALE;
    let rounded = match shift {
        122.. => 0,
        _ => {
            let (whole, half) = (scaled >> shift, 1u128 << (shift - 1));
            let rest = scaled & (2 * half - 1);
            whole + u128::from(rest > half || (rest == half && whole & 1 == 1))
        }
    };
    let text = format!("{}.{:017}", rounded / FRACTION_SCALE, rounded % FRACTION_SCALE);
    text.trim_end_matches('0').trim_end_matches('.').as_bytes().to_vec()
}

/// A natural number of at most some 35000 bits; limbs from the lowest.
struct Big {
    limbs: Vec<u32>,
}

impl Big {
    fn from_digits(digits: &[u8]) -> Self {
        let mut number = Big { limbs: Vec::new() };
        for chunk in digits.chunks(9) {
            let value = chunk.iter().fold(0, |value, &digit| value * 10 + u32::from(digit));
            number.multiply_add(10u32.pow(chunk.len() as u32), value);
        }
        number
    }

    fn multiply_add(&mut self, factor: u32, summand: u32) {
        let mut carry = u64::from(summand);
        for limb in &mut self.limbs {
            let product = u64::from(*limb) * u64::from(factor) + carry;
            *limb = product as u32;
            carry = product >> 32;
        }
        if carry > 0 {
            self.limbs.push(carry as u32);
        }
    }

    fn multiply_power_of_ten(&mut self, mut power: u64) {
        while power > 0 {
            let step = power.min(9);
            self.multiply_add(10u32.pow(step as u32), 0);
            power -= step;
        }
    }

    fn bit_len(&self) -> usize {
        self.limbs.last().map_or(0, |top| self.limbs.len() * 32 - top.leading_zeros() as usize)
    }

    fn shift_left(&mut self, bits: usize) {
        let (limbs, bits) = (bits / 32, bits % 32);
        if bits > 0 {
            let mut carry = 0;
            for limb in &mut self.limbs {
                let wide = u64::from(*limb) << bits | carry;
                *limb = wide as u32;
                carry = wide >> 32;
            }
            self.limbs.push(carry as u32);
        }
        self.limbs.splice(0..0, std::iter::repeat_n(0, limbs));
        self.trim();
    }

    fn trim(&mut self) {
        while self.limbs.last() == Some(&0) {
            self.limbs.pop();
        }
    }

    /// The highest 96 bits or more, what power of two they count, and whether anything is left below.
    fn top_bits(&self) -> (u128, i64, bool) {
        let below = self.limbs.len().saturating_sub(4);
        let top = self.limbs[below..].iter().rev().fold(0u128, |top, &limb| top << 32 | u128::from(limb));
        (top, below as i64 * 32, self.limbs[..below].iter().any(|&limb| limb != 0))
    }

    fn is_below(&self, other: &Big) -> bool {
        if self.limbs.len() != other.limbs.len() {
            return self.limbs.len() < other.limbs.len();
        }
        self.limbs.iter().rev().lt(other.limbs.iter().rev())
    }

    fn subtract(&mut self, other: &Big) {
        let mut borrow = 0;
        for (at, limb) in self.limbs.iter_mut().enumerate() {
            let wide = i64::from(*limb) - i64::from(other.limbs.get(at).copied().unwrap_or(0)) - borrow;
            *limb = wide as u32;
            borrow = i64::from(wide < 0);
        }
        self.trim();
    }

    /// The quotient's highest 66 bits or more, what power of two they count, and whether anything is left below.
    fn divide(mut self, mut divisor: Big) -> (u128, i64, bool) {
        let (len, divisor_len) = (self.bit_len(), divisor.bit_len());
        if len < divisor_len {
            self.shift_left(divisor_len - len);
        } else {
            divisor.shift_left(len - divisor_len);
        }
        let mut shift = len as i64 - divisor_len as i64;
        let mut quotient = 0u128;
        for step in 0..68 {
            if step > 0 {
                self.shift_left(1);
                quotient <<= 1;
                shift -= 1;
            }
            if !self.is_below(&divisor) {
                self.subtract(&divisor);
                quotient |= 1;
            }
        }
        (quotient, shift, !self.limbs.is_empty())
    }

    fn into_digits(mut self) -> Vec<u8> {
        let mut chunks = Vec::new();
        while !self.limbs.is_empty() {
            let mut rest = 0u64;
            for limb in self.limbs.iter_mut().rev() {
                let wide = rest << 32 | u64::from(*limb);
                *limb = (wide / 1_000_000_000) as u32;
                rest = wide % 1_000_000_000;
            }
            chunks.push(rest);
            self.trim();
        }
        let mut text = chunks.pop().unwrap_or(0).to_string();
        for chunk in chunks.iter().rev() {
            text.push_str(&format!("{chunk:09}"));
        }
        text.into_bytes()
    }
}

#[cfg(test)]
mod tests;

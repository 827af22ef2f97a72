//! Numbers to text and back, as C's printf and strtod do it, the same on every target.
//! Exact: short cases in 128-bit integers, the others with all decimal digits of the double.

/// Decimal digits of |x| with the place of the point: 0.d1d2d3… × 10^point. No leading zero; zero is empty.
struct Digits {
    digits: Vec<u8>,
    point: i32,
}

fn push_u128(digits: &mut Vec<u8>, mut n: u128) {
    let mut text = [0u8; 40];
    let mut at = text.len();
    while n > 0 {
        // Two steps, because 128-bit division is slow.
        let (high, mut low) = (n / 10u128.pow(19), (n % 10u128.pow(19)) as u64);
        let stop = if high > 0 { at - 19 } else { 0 };
        while low > 0 || (high > 0 && at > stop) {
            at -= 1;
            text[at] = (low % 10) as u8;
            low /= 10;
        }
        n = high;
    }
    digits.extend_from_slice(&text[at..]);
}

fn split(x: f64) -> (u64, i32) {
    let bits = x.to_bits();
    let exponent = (bits >> 52 & 0x7ff) as i32;
    let fraction = bits & ((1 << 52) - 1);
    if exponent == 0 { (fraction, -1074) } else { (fraction | 1 << 52, exponent - 1075) }
}

/// Every digit of the double: at most 767 of them.
fn exact_digits(x: f64) -> Digits {
    let (mantissa, exponent) = split(x);
    if mantissa == 0 {
        return Digits { digits: Vec::new(), point: 0 };
    }
    // Big integers in base 10^9, least significant first.
    const BASE: u64 = 1_000_000_000;
    let mut big = vec![(mantissa % BASE) as u32, (mantissa / BASE) as u32];
    let mut multiply = |factor: u64| {
        let mut carry = 0u64;
        for limb in big.iter_mut() {
            let n = *limb as u64 * factor + carry;
            *limb = (n % BASE) as u32;
            carry = n / BASE;
        }
        while carry > 0 {
            big.push((carry % BASE) as u32);
            carry /= BASE;
        }
    };
    // m × 2^-k = m × 5^k × 10^-k
    let (step, factor, count) = if exponent >= 0 { (29, 2u64, exponent) } else { (12, 5u64, -exponent) };
    let mut left = count;
    while left > 0 {
        let n = left.min(step);
        multiply(factor.pow(n as u32));
        left -= n;
    }
    let mut digits = Vec::with_capacity(big.len() * 9);
    for limb in big.iter().rev() {
        let mut part = [0u8; 9];
        let mut n = *limb;
        for digit in part.iter_mut().rev() {
            *digit = (n % 10) as u8;
            n /= 10;
        }
        digits.extend_from_slice(&part);
    }
    let leading = digits.iter().take_while(|d| **d == 0).count();
    digits.drain(..leading);
    let point = digits.len() as i32 - if exponent < 0 { -exponent } else { 0 };
    Digits { digits, point }
}

/// Keeps `keep` digits, rounding half to even.
fn round(d: &mut Digits, keep: i32) {
    if keep >= d.digits.len() as i32 {
        return;
    }
    if keep < 0 {
        d.digits.clear();
        return;
    }
    let keep = keep as usize;
    let rest = &d.digits[keep..];
    let half = rest[0] == 5 && rest[1..].iter().all(|c| *c == 0);
    let up = if half { keep > 0 && d.digits[keep - 1] & 1 == 1 } else { rest[0] >= 5 };
    d.digits.truncate(keep);
    if !up {
        return;
    }
    for digit in d.digits.iter_mut().rev() {
        if *digit < 9 {
            *digit += 1;
            return;
        }
        *digit = 0;
    }
    d.digits.insert(0, 1);
    d.point += 1;
}

/// |x| × 10^places, rounded half to even, when 128 bits suffice.
fn scaled(x: f64, places: i32) -> Option<u128> {
    let (mantissa, exponent) = split(x);
    let m = mantissa as u128;
    if !(0..=22).contains(&places) {
        return None;
    }
    if exponent >= 0 {
        return if exponent <= 20 && places <= 15 {
            Some((m << exponent) * 10u128.pow(places as u32))
        } else {
            None
        };
    }
    let n = m * 10u128.pow(places as u32);
    let shift = -exponent as u32;
    if shift > 127 {
        return Some(0);
    }
    let (whole, rest) = (n >> shift, n & ((1u128 << shift) - 1));
    let half = 1u128 << (shift - 1);
    Some(whole + (rest > half || (rest == half && whole & 1 == 1)) as u128)
}

fn fixed(x: f64, precision: i32) -> Digits {
    if let Some(n) = scaled(x, precision) {
        let mut digits = Vec::with_capacity(40);
        push_u128(&mut digits, n);
        let point = digits.len() as i32 - precision;
        return Digits { digits, point };
    }
    let mut d = exact_digits(x);
    let keep = d.point + precision;
    round(&mut d, keep);
    d
}

/// Exactly `count` significant digits (zero: none).
fn significant(x: f64, count: i32) -> Digits {
    if x != 0.0 && (1e-5..1e22).contains(&x) {
        // An estimate of the decimal exponent that is right or one too small.
        let estimate = (((x.to_bits() >> 52) as i32 - 1023) * 1233) >> 12;
        for point in [estimate + 1, estimate + 2] {
            if let Some(n) = scaled(x, count - point) {
                let mut digits = Vec::with_capacity(40);
                push_u128(&mut digits, n);
                let found = digits.len() as i32;
                if found == count {
                    return Digits { digits, point };
                }
                if found == count + 1 && digits[1..].iter().all(|d| *d == 0) && point != estimate + 1 {
                    digits.pop();
                    return Digits { digits, point: point + 1 };
                }
            }
        }
    }
    let mut d = exact_digits(x);
    round(&mut d, count);
    d
}

fn write_exponent(out: &mut Vec<u8>, letter: u8, exponent: i32) {
    out.push(letter);
    out.push(if exponent < 0 { b'-' } else { b'+' });
    let n = exponent.unsigned_abs();
    if n >= 100 {
        out.push(b'0' + (n / 100) as u8);
    }
    out.push(b'0' + (n / 10 % 10) as u8);
    out.push(b'0' + (n % 10) as u8);
}

fn digit(d: &Digits, i: i32) -> u8 {
    b'0' + usize::try_from(i).ok().and_then(|i| d.digits.get(i)).copied().unwrap_or(0)
}

fn write_fixed(out: &mut Vec<u8>, d: &Digits, precision: i32, point_always: bool) {
    if d.point <= 0 || d.digits.is_empty() {
        out.push(b'0');
    } else {
        out.extend((0..d.point).map(|i| digit(d, i)));
    }
    if precision > 0 || point_always {
        out.push(b'.');
    }
    let point = if d.digits.is_empty() { 0 } else { d.point };
    out.extend((0..precision).map(|i| digit(d, point + i)));
}

/// Where a number's text is written as `%e`, `%f` or `%g` would: without sign and padding.
/// `alternate` is the flag `#`.
#[inline(never)]
pub fn write_float(out: &mut Vec<u8>, x: f64, conversion: u8, precision: Option<usize>, alternate: bool) {
    let upper = conversion.is_ascii_uppercase();
    let x = x.abs();
    if !x.is_finite() {
        out.extend_from_slice(match (x.is_nan(), upper) {
            (true, false) => b"nan",
            (true, true) => b"NAN",
            (false, false) => b"inf",
            (false, true) => b"INF",
        });
        return;
    }
    let precision = precision.map_or(6, |p| p.min(1000) as i32);
    let letter = if upper { b'E' } else { b'e' };
    match conversion {
        b'f' | b'F' => write_fixed(out, &fixed(x, precision), precision, alternate),
        b'e' | b'E' => {
            let d = significant(x, precision + 1);
            write_scientific(out, &d, precision, letter, alternate);
        }
        _ => {
            let precision = precision.max(1);
            let d = significant(x, precision);
            write_general(out, d, precision, letter, alternate);
        }
    }
}

fn write_scientific(out: &mut Vec<u8>, d: &Digits, precision: i32, letter: u8, alternate: bool) {
    out.push(digit(d, 0));
    if precision > 0 || alternate {
        out.push(b'.');
    }
    out.extend((1..=precision).map(|i| digit(d, i)));
    write_exponent(out, letter, if d.digits.is_empty() { 0 } else { d.point - 1 });
}

fn write_general(out: &mut Vec<u8>, d: Digits, precision: i32, letter: u8, alternate: bool) {
    let exponent = if d.digits.is_empty() { 0 } else { d.point - 1 };
    let significant = d.digits.iter().rposition(|c| *c != 0).map_or(1, |i| i as i32 + 1);
    if exponent < -4 || exponent >= precision {
        let places = if alternate { precision - 1 } else { significant - 1 };
        write_scientific(out, &d, places, letter, alternate);
    } else {
        let places = if alternate { precision - 1 - exponent } else { significant - 1 - exponent };
        write_fixed(out, &d, places.max(0), alternate);
    }
}

/// A number as `tostring` shows it: `%.14g`.
pub fn write_number(out: &mut Vec<u8>, x: f64) {
    let whole = x as i64;
    if whole as f64 == x && whole.unsigned_abs() < 100_000_000_000_000 {
        if x == 0.0 && x.is_sign_negative() {
            out.push(b'-');
        }
        out.extend_from_slice(itoa::Buffer::new().format(whole).as_bytes());
        return;
    }
    if x.is_sign_negative() {
        out.push(b'-');
    }
    if x.is_normal()
        && let Some(d) = shortest(x.abs())
    {
        write_general(out, d, 14, b'e', false);
        return;
    }
    write_float(out, x, b'g', Some(14), false);
}

/// The shortest digits that read back as `x`, cut to 14. A number of up to 14 digits is its own best
/// 14-digit text if it is not subnormal; longer ones round alike, unless the shortest text ends in the 5 of a tie.
fn shortest(x: f64) -> Option<Digits> {
    let mut buffer = ryu::Buffer::new();
    let text = buffer.format_finite(x).as_bytes();
    let mut digits = Vec::with_capacity(24);
    let mut point = None;
    let mut exponent = 0i32;
    for (i, c) in text.iter().enumerate() {
        match c {
            b'.' => point = Some(digits.len() as i32),
            b'e' => {
                let (negative, rest) = match text[i + 1] {
                    b'-' => (true, &text[i + 2..]),
                    _ => (false, &text[i + 1..]),
                };
                exponent = rest.iter().fold(0, |n, c| n * 10 + (c - b'0') as i32);
                if negative {
                    exponent = -exponent;
                }
                break;
            }
            c => digits.push(c - b'0'),
        }
    }
    let mut point = point.unwrap_or(digits.len() as i32) + exponent;
    let leading = digits.iter().take_while(|d| **d == 0).count();
    digits.drain(..leading);
    point -= leading as i32;
    let used = digits.iter().rposition(|d| *d != 0).map_or(0, |i| i + 1);
    digits.truncate(used);
    if digits.len() == 15 && digits[14] == 5 {
        return None;
    }
    let mut d = Digits { digits, point };
    round(&mut d, 14);
    Some(d)
}

fn is_space(c: u8) -> bool {
    matches!(c, b' ' | b'\t'..=b'\r')
}

fn hex_value(c: u8) -> Option<u32> {
    (c as char).to_digit(16)
}

/// C's strtod for hexadecimal text after `0x`: the value and how many bytes it took.
fn parse_hex(text: &[u8]) -> Option<(f64, usize)> {
    let mut mantissa = 0u64;
    let mut exponent = 0i32;
    let mut sticky = false;
    let (mut i, mut any, mut point) = (0, false, false);
    while let Some(c) = text.get(i) {
        if *c == b'.' && !point {
            point = true;
        } else if let Some(d) = hex_value(*c) {
            any = true;
            if mantissa >> 60 == 0 {
                mantissa = mantissa << 4 | d as u64;
                exponent -= if point { 4 } else { 0 };
            } else {
                sticky |= d != 0;
                exponent += if point { 0 } else { 4 };
            }
        } else {
            break;
        }
        i += 1;
    }
    if !any {
        return None;
    }
    if let Some(b'p' | b'P') = text.get(i) {
        let mut j = i + 1;
        let negative = text.get(j) == Some(&b'-');
        if matches!(text.get(j), Some(b'+' | b'-')) {
            j += 1;
        }
        let start = j;
        let mut n = 0i32;
        while let Some(c @ b'0'..=b'9') = text.get(j) {
            n = (n * 10 + (c - b'0') as i32).min(100_000);
            j += 1;
        }
        if j > start {
            exponent = exponent.saturating_add(if negative { -n } else { n });
            i = j;
        }
    }
    if sticky {
        mantissa |= 1;
    }
    // Two steps, so that subnormals round once only from what fits.
    Some((libm::ldexp(mantissa as f64, exponent), i))
}

/// The length of the longest prefix that is a decimal float for strtod.
fn decimal_length(text: &[u8]) -> usize {
    let digits = |mut i: usize| {
        let start = i;
        while text.get(i).is_some_and(u8::is_ascii_digit) {
            i += 1;
        }
        (i, i - start)
    };
    let (mut i, mut count) = digits(0);
    if text.get(i) == Some(&b'.') {
        let (end, more) = digits(i + 1);
        count += more;
        i = end;
    }
    if count == 0 {
        return 0;
    }
    if matches!(text.get(i), Some(b'e' | b'E')) {
        let sign = matches!(text.get(i + 1), Some(b'+' | b'-')) as usize;
        let (end, n) = digits(i + 1 + sign);
        if n > 0 {
            i = end;
        }
    }
    i
}

/// C's strtod: the value and the bytes it took (0: no number).
#[inline(never)]
pub fn strtod(text: &[u8]) -> (f64, usize) {
    let mut i = text.iter().take_while(|c| is_space(**c)).count();
    let negative = text.get(i) == Some(&b'-');
    if matches!(text.get(i), Some(b'+' | b'-')) {
        i += 1;
    }
    let rest = &text[i..];
    let starts = |word: &[u8]| rest.len() >= word.len() && rest[..word.len()].eq_ignore_ascii_case(word);
    let (value, used) = if starts(b"infinity") {
        (f64::INFINITY, 8)
    } else if starts(b"inf") {
        (f64::INFINITY, 3)
    } else if starts(b"nan") {
        (f64::from_bits(0x7ff8 << 48), 3)
    } else if let Some((value, used)) = (starts(b"0x")).then(|| parse_hex(&rest[2..])).flatten() {
        (value, used + 2)
    } else {
        let n = decimal_length(rest);
        let value = std::str::from_utf8(&rest[..n]).ok().and_then(|s| s.parse().ok());
        (value.unwrap_or(0.0), n)
    };
    if used == 0 {
        return (0.0, 0);
    }
    (if negative { -value } else { value }, i + used)
}

/// The number a string stands for in arithmetic and `tonumber`. The string ends at its first zero byte.
#[inline(never)]
pub fn parse_number(text: &[u8]) -> Option<f64> {
    let end = text.iter().position(|c| *c == 0).unwrap_or(text.len());
    let text = &text[..end];
    // Small whole numbers, the common case.
    if !text.is_empty() && text.len() <= 15 && text.iter().all(u8::is_ascii_digit) {
        return Some(text.iter().fold(0u64, |n, c| n * 10 + (c - b'0') as u64) as f64);
    }
    let (value, used) = strtod(text);
    if used == 0 || !text[used..].iter().all(|c| is_space(*c)) { None } else { Some(value) }
}

/// C's strtoul with a base of 2 to 36, the whole text: wraps nothing, stops at the largest u64.
pub fn parse_in_base(text: &[u8], base: u32) -> Option<f64> {
    let end = text.iter().position(|c| *c == 0).unwrap_or(text.len());
    let text = &text[..end];
    let mut i = text.iter().take_while(|c| is_space(**c)).count();
    let negative = text.get(i) == Some(&b'-');
    if matches!(text.get(i), Some(b'+' | b'-')) {
        i += 1;
    }
    if base == 16 && matches!(text.get(i..), Some([b'0', b'x' | b'X', c, ..]) if hex_value(*c).is_some()) {
        i += 2;
    }
    let start = i;
    let mut n = 0u64;
    let mut overflow = false;
    while let Some(d) = text.get(i).and_then(|c| (*c as char).to_digit(base)) {
        match n.checked_mul(base as u64).and_then(|n| n.checked_add(d as u64)) {
            Some(next) => n = next,
            None => overflow = true,
        }
        i += 1;
    }
    if i == start || !text[i..].iter().all(|c| is_space(*c)) {
        return None;
    }
    let n = if overflow {
        u64::MAX
    } else if negative {
        n.wrapping_neg()
    } else {
        n
    };
    Some(n as f64)
}

/// A double to a 64-bit integer as x86-64 converts: out of range becomes the smallest integer.
#[inline]
pub fn to_integer(x: f64) -> i64 {
    if (-9223372036854775808.0..9223372036854775808.0).contains(&x) { x as i64 } else { i64::MIN }
}

/// a × b as the rounded product and what rounding lost (Dekker).
fn exact_product(a: f64, b: f64) -> (f64, f64) {
    let split = |x: f64| {
        let t = x * 134217729.0;
        let high = t - (t - x);
        (high, x - high)
    };
    let product = a * b;
    let ((a1, a2), (b1, b2)) = (split(a), split(b));
    (product, ((a1 * b1 - product) + a1 * b2 + a2 * b1) + a2 * b2)
}

/// A whole power with twice the precision of a double, rounded once.
fn whole_power(base: f64, exponent: f64) -> f64 {
    let multiply = |(a, a2): (f64, f64), (b, b2): (f64, f64)| {
        let (p, e) = exact_product(a, b);
        let e = e + (a * b2 + a2 * b);
        let high = p + e;
        (high, e - (high - p))
    };
    let mut n = exponent.abs() as u32;
    let (mut result, mut square) = ((1.0, 0.0), (base, 0.0));
    while n > 0 {
        if n & 1 == 1 {
            result = multiply(result, square);
        }
        n >>= 1;
        if n > 0 {
            square = multiply(square, square);
        }
    }
    let (high, low) = result;
    if exponent > 0.0 {
        return high + low;
    }
    let r = 1.0 / high;
    let (p, e) = exact_product(r, high);
    r + r * (((1.0 - p) - e) - r * low)
}

/// `base ^ exponent`.
pub fn power(base: f64, exponent: f64) -> f64 {
    if exponent == 2.0 {
        return base * base;
    }
    if exponent == 0.5 && base.is_finite() && base > 0.0 {
        return base.sqrt();
    }
    let rough = libm::pow(base, exponent);
    // libm is one unit off now and then, which 10 ^ -5 shows. Far from overflow, better is cheap.
    let far = |x: f64| (1e-140..1e140).contains(&x.abs());
    if exponent.fract() == 0.0 && exponent.abs() <= 1024.0 && exponent != 0.0 && far(base) && far(rough) {
        return whole_power(base, exponent);
    }
    rough
}

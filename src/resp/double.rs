//! The text of a double as replies carry it: the shortest digits that read back to the same value.

/// Appends `value` as Redis prints it: `inf`, `-inf`, `nan`, integers without a point, else the shortest digits,
/// plain between 1e-7 and digits+7 places and with an exponent beyond.
pub fn write_double(out: &mut Vec<u8>, value: f64) {
    if value.is_nan() {
        out.extend_from_slice(b"nan");
        return;
    }
    if value.is_infinite() {
        out.extend_from_slice(if value > 0.0 { b"inf" } else { b"-inf" });
        return;
    }
    if value == 0.0 {
        out.extend_from_slice(if value.is_sign_negative() { b"-0" } else { b"0" });
        return;
    }
    // Integers that a double holds exactly print as integers.
    if value > -4503599627370496.0 && value < 4503599627370496.0 && value == libm::trunc(value) {
        out.extend_from_slice(itoa::Buffer::new().format(value as i64).as_bytes());
        return;
    }
    if value < 0.0 {
        out.push(b'-');
    }
    let mut buffer = ryu::Buffer::new();
    let (digits, exponent) = digits_of(buffer.format_finite(value.abs()));
    write_digits(out, &digits, exponent);
}

/// The significant digits (no leading or trailing zeros) and the power of ten of the last one.
fn digits_of(text: &str) -> (Vec<u8>, i32) {
    let (mantissa, exponent) = match text.split_once('e') {
        Some((mantissa, exponent)) => (mantissa, exponent.parse().expect("ryu writes a decimal exponent")),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
    let mut power = exponent - fraction.len() as i32;
    while digits.len() > 1 && digits.last() == Some(&b'0') {
        digits.pop();
        power += 1;
    }
    let leading = digits.iter().take_while(|&&digit| digit == b'0').count();
    digits.drain(..leading);
    (digits, power)
}

fn write_digits(out: &mut Vec<u8>, digits: &[u8], power: i32) {
    let count = digits.len() as i32;
    let magnitude = (power + count - 1).abs();
    if power >= 0 && magnitude < count + 7 {
        out.extend_from_slice(digits);
        out.extend(std::iter::repeat_n(b'0', power as usize));
    } else if power < 0 && (power > -7 || magnitude < 4) {
        let point = count + power;
        if point <= 0 {
            out.extend_from_slice(b"0.");
            out.extend(std::iter::repeat_n(b'0', (-point) as usize));
            out.extend_from_slice(digits);
        } else {
            out.extend_from_slice(&digits[..point as usize]);
            out.push(b'.');
            out.extend_from_slice(&digits[point as usize..]);
        }
    } else {
        out.push(digits[0]);
        if count > 1 {
            out.push(b'.');
            out.extend_from_slice(&digits[1..]);
        }
        out.push(b'e');
        out.push(if power + count - 1 < 0 { b'-' } else { b'+' });
        out.extend_from_slice(itoa::Buffer::new().format(magnitude).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::write_double;

    #[test]
    fn doubles_print_as_redis_prints_them() {
        let text = |value| {
            let mut out = Vec::new();
            write_double(&mut out, value);
            String::from_utf8(out).expect("digits are ASCII")
        };
        assert_eq!(text(0.1), "0.1");
        assert_eq!(text(3.0), "3");
        assert_eq!(text(-2.5), "-2.5");
        assert_eq!(text(1e20), "1e+20");
        assert_eq!(text(1.5e300), "1.5e+300");
        assert_eq!(text(1e-10), "1e-10");
        assert_eq!(text(0.0001), "0.0001");
        assert_eq!(text(1.0000000000000002), "1.0000000000000002");
    }
}

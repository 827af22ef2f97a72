use super::*;

fn text(value: f64) -> String {
    f64_text(value).to_string()
}

#[test]
fn only_canonical_integers_are_integers() {
    for number in [0, 1, -1, 10, i64::MAX, i64::MIN, i64::MAX - 1, i64::MIN + 1] {
        assert_eq!(parse_i64(number.to_string().as_bytes()), Some(number));
        assert_eq!(i64_text(number).to_string(), number.to_string());
    }
    for text in [
        "",
        "-",
        "-0",
        "00",
        "01",
        "+1",
        " 1",
        "1 ",
        "1.0",
        "9223372036854775808",
        "-9223372036854775809",
        "1e3",
    ] {
        assert_eq!(parse_i64(text.as_bytes()), None, "{text}");
    }
    assert_eq!(parse_i64(b"99999999999999999999"), None);
}

#[test]
fn unsigned_integers_fall_back_to_c() {
    assert_eq!(parse_u64(b"18446744073709551615"), Some(u64::MAX));
    assert_eq!(parse_u64(b"18446744073709551616"), None);
    assert_eq!(parse_u64(b"007"), Some(7));
    assert_eq!(parse_u64(b"-1"), None);
    assert_eq!(parse_u64(b"1x"), None);
}

#[test]
fn doubles_are_read_as_strtod_reads_them() {
    for (text, value) in [
        ("1.5", 1.5),
        ("+.5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("-inf", f64::NEG_INFINITY),
        ("+Infinity", f64::INFINITY),
        ("0x1p3", 8.0),
        ("-0X.8", -0.5),
        ("0x1.00000000000008p0", 1.0),
        ("0x1.000000000000081p0", 1.0 + f64::EPSILON),
        ("0x1p-1074", 5e-324),
        ("4.9e-324", 5e-324),
        ("0e999", 0.0),
    ] {
        assert_eq!(parse_f64(text.as_bytes()), Some(value), "{text}");
    }
    for text in [
        "", ".", "e5", "1e", "nan", "-nan", " 1", "1 ", "1e400", "1e-400", "0x", "0xg", "0x1p", "0x1p1024",
        "1_0", "1\0",
    ] {
        assert_eq!(parse_f64(text.as_bytes()), None, "{text}");
    }
    assert_eq!(parse_f64(b"0x1p-1076"), None);
}

#[test]
fn doubles_are_written_as_scores_are() {
    for (value, expected) in [
        (0.0, "0"),
        (-0.0, "-0"),
        (3.0, "3"),
        (-17.25, "-17.25"),
        (0.1, "0.1"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1e20, "1e+20"),
        (1e17, "100000000000000000"),
        (1e19, "1e+19"),
        (1.5e22, "1.5e+22"),
        (123456789012345680000.0, "123456789012345680000"),
        (1e-5, "0.00001"),
        (1.5e-7, "1.5e-7"),
        (1e-7, "1e-7"),
        (0.0001234, "1.234e-4"),
        (0.001234, "0.001234"),
        (f64::MAX, "1.7976931348623157e+308"),
        (-5e-324, "-5e-324"),
        (f64::INFINITY, "inf"),
        (f64::NEG_INFINITY, "-inf"),
        (f64::NAN, "nan"),
    ] {
        assert_eq!(text(value), expected);
    }
}

#[test]
fn fixed_digits_round_to_even() {
    let fixed = |value, digits| f64_fixed_text(value, digits).to_string();
    assert_eq!(fixed(166274.15156960033, 4), "166274.1516");
    assert_eq!(fixed(0.0, 4), "0.0000");
    assert_eq!(fixed(0.77505, 3), "0.775");
    assert_eq!(fixed(-2.5, 0), "-2");
    assert_eq!(fixed(-0.05, 4), "-0.0500");
}

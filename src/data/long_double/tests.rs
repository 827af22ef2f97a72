use super::*;

fn sum(left: &str, right: &str) -> Option<String> {
    let sum = LongDouble::parse(left.as_bytes())?.plus(LongDouble::parse(right.as_bytes())?)?;
    Some(String::from_utf8(sum.to_text()).expect("digits"))
}

/// Expected values come from redis-server 7.0.15 on x86-64.
#[test]
fn sums_are_those_of_incrbyfloat() {
    for (left, right, expected) in [
        ("0.1", "0.2", "0.3"),
        ("10.5", "0.1", "10.6"),
        ("5.0e3", "2.0e2", "5200"),
        ("3", "-3", "0"),
        ("-0", "-0", "0"),
        ("1e-30", "0", "0"),
        ("9223372036854775807", "1", "9223372036854775808"),
        ("18446744073709551616", "1", "18446744073709551616"),
        ("0x1p3", "0", "8"),
        ("1e19", "0.5", "10000000000000000000"),
        ("1.1", "2.2", "3.3"),
        ("3.14159265358979323846", "0", "3.14159265358979324"),
    ] {
        assert_eq!(sum(left, right).as_deref(), Some(expected), "{left} + {right}");
    }
    assert_eq!(sum("1e4932", "1").map(|text| text.len()), Some(4933));
    assert_eq!(sum("1.1e4932", "1.1e4932"), None);
    assert_eq!(sum("inf", "1"), None);
}

#[test]
fn texts_are_refused_as_strtold_refuses_them() {
    for text in
        ["", ".", "nan", "1e4933", "1e-4952", "1 ", " 1", "1e", "--1", "+-1", "0x", "0x1p", "0x1p16384"]
    {
        assert_eq!(LongDouble::parse(text.as_bytes()), None, "{text}");
    }
    assert!(LongDouble::parse(&[b'1'; TEXT_MAX]).is_none());
    assert!(LongDouble::parse(&[b'0'; TEXT_MAX]).is_some());
    assert!(LongDouble::parse(&[b'0'; TEXT_MAX + 1]).is_none());
    assert!(LongDouble::parse(b"3e-4951").is_some());
}

#[test]
fn doubles_print_all_their_digits() {
    let text = |value| String::from_utf8(LongDouble::from_f64(value).to_text()).expect("digits");
    assert_eq!(text(13.361389338970184), "13.36138933897018433");
    assert_eq!(text(38.1155563954963), "38.11555639549629859");
    assert_eq!(text(-0.0), "0");
    assert_eq!(text(-1.5), "-1.5");
    assert_eq!(text(1e22), "10000000000000000000000");
    assert_eq!(text(5e-324), "0");
    assert_eq!(text(f64::NEG_INFINITY), "-inf");
}

#[test]
fn general_texts_have_seventeen_digits() {
    for (text, expected) in [
        ("0", "0"),
        ("60.5", "60.5"),
        ("0.1", "0.1"),
        ("100000000000000000000", "1e+20"),
        ("12345678901234567890", "1.2345678901234568e+19"),
        ("99999999999999999.5", "1e+17"),
        ("-0.0001", "-0.0001"),
        ("0.00001234", "1.234e-05"),
        ("1e-4000", "1e-4000"),
        ("10000", "10000"),
    ] {
        let value = LongDouble::parse(text.as_bytes()).expect("a number");
        assert_eq!(String::from_utf8_lossy(&value.to_general_text()), expected);
    }
}

#[test]
fn truncation_keeps_to_the_integers_there_are() {
    for (text, expected) in [
        ("7.9", Some(7)),
        ("-7.9", Some(-7)),
        ("0.3", Some(0)),
        ("9223372036854775807", Some(i64::MAX)),
        ("9223372036854775808", None),
        ("9223372036854775807.5", None),
        ("-9223372036854775808", Some(i64::MIN)),
        ("-9223372036854775809", None),
        ("1e4000", None),
    ] {
        assert_eq!(LongDouble::parse(text.as_bytes()).expect("a number").truncated(), expected, "{text}");
    }
}

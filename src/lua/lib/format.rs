//! `string.format`.

use super::super::host::*;
use super::super::number::{to_integer, write_float};
use super::super::value::*;
use super::super::vm::Vm;

#[derive(Default)]
struct Spec {
    left: bool,
    plus: bool,
    space: bool,
    alternate: bool,
    zero: bool,
    width: usize,
    precision: Option<usize>,
}

/// Reads flags, width and precision.
fn spec(format: &[u8], at: &mut usize) -> Result<Spec, &'static str> {
    let mut spec = Spec::default();
    let start = *at;
    while let Some(c) = format.get(*at) {
        match c {
            b'-' => spec.left = true,
            b'+' => spec.plus = true,
            b' ' => spec.space = true,
            b'#' => spec.alternate = true,
            b'0' => spec.zero = true,
            _ => break,
        }
        *at += 1;
    }
    if *at - start >= 6 {
        return Err("invalid format (repeated flags)");
    }
    let two_digits = |at: &mut usize| {
        let mut n = 0;
        for _ in 0..2 {
            if let Some(d @ b'0'..=b'9') = format.get(*at) {
                n = n * 10 + (d - b'0') as usize;
                *at += 1;
            }
        }
        n
    };
    spec.width = two_digits(at);
    if format.get(*at) == Some(&b'.') {
        *at += 1;
        spec.precision = Some(two_digits(at));
    }
    if format.get(*at).is_some_and(u8::is_ascii_digit) {
        return Err("invalid format (width or precision too long)");
    }
    Ok(spec)
}

/// Appends sign, zeros and digits in a field.
fn pad(out: &mut Vec<u8>, spec: &Spec, prefix: &[u8], body: &[u8], zeros: bool) {
    let missing = spec.width.saturating_sub(prefix.len() + body.len());
    if !spec.left && !zeros {
        out.resize(out.len() + missing, b' ');
    }
    out.extend_from_slice(prefix);
    if !spec.left && zeros {
        out.resize(out.len() + missing, b'0');
    }
    out.extend_from_slice(body);
    if spec.left {
        out.resize(out.len() + missing, b' ');
    }
}

fn integer(out: &mut Vec<u8>, spec: &Spec, prefix: &[u8], digits: &[u8]) {
    integer_or_octal(out, spec, prefix, digits, false);
}

fn integer_or_octal(out: &mut Vec<u8>, spec: &Spec, prefix: &[u8], digits: &[u8], octal: bool) {
    let nothing = spec.precision == Some(0) && digits == b"0" && !(octal && spec.alternate);
    let digits: &[u8] = if nothing { b"" } else { digits };
    match spec.precision {
        Some(p) if p > digits.len() => {
            let mut body = vec![b'0'; p - digits.len()];
            body.extend_from_slice(digits);
            pad(out, spec, prefix, &body, false);
        }
        p => pad(out, spec, prefix, digits, spec.zero && p.is_none()),
    }
}

fn sign(spec: &Spec, negative: bool) -> &'static [u8] {
    match (negative, spec.plus, spec.space) {
        (true, ..) => b"-",
        (_, true, _) => b"+",
        (_, _, true) => b" ",
        _ => b"",
    }
}

fn to_unsigned(n: f64) -> u64 {
    if n >= 9223372036854775808.0 { n as u64 } else { to_integer(n) as u64 }
}

fn in_base(n: u64, bits: u32, digits: &[u8; 16]) -> Vec<u8> {
    let mut text = Vec::new();
    let mut n = n;
    loop {
        text.push(digits[(n & ((1 << bits) - 1)) as usize]);
        n >>= bits;
        if n == 0 {
            break;
        }
    }
    text.reverse();
    text
}

fn unsigned(out: &mut Vec<u8>, spec: &Spec, conversion: u8, n: f64) {
    let n = to_unsigned(n);
    match conversion {
        b'u' => integer(out, spec, b"", itoa::Buffer::new().format(n).as_bytes()),
        b'o' => {
            let mut digits = in_base(n, 3, b"01234567........");
            if spec.alternate && digits[0] != b'0' && spec.precision.is_none_or(|p| p <= digits.len()) {
                digits.insert(0, b'0');
            }
            integer_or_octal(out, spec, b"", &digits, true);
        }
        b'x' => {
            let prefix: &[u8] = if spec.alternate && n != 0 { b"0x" } else { b"" };
            integer(out, spec, prefix, &in_base(n, 4, b"0123456789abcdef"));
        }
        _ => {
            let prefix: &[u8] = if spec.alternate && n != 0 { b"0X" } else { b"" };
            integer(out, spec, prefix, &in_base(n, 4, b"0123456789ABCDEF"));
        }
    }
}

fn quoted(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    for c in text {
        match c {
            b'"' | b'\\' | b'\n' => out.extend_from_slice(&[b'\\', *c]),
            b'\r' => out.extend_from_slice(b"\\r"),
            0 => out.extend_from_slice(b"\\000"),
            c => out.push(*c),
        }
    }
    out.push(b'"');
}

pub(super) fn format(vm: &mut Vm, args: Args) -> Result<Step> {
    let s = vm.check_string(args, 0)?;
    let format = vm.bytes(s).to_vec();
    let mut out = Vec::with_capacity(format.len() + 16);
    let mut number_text = Vec::new();
    let (mut at, mut next) = (0, 0);
    while let Some(c) = format.get(at).copied() {
        at += 1;
        if c != b'%' {
            out.push(c);
            continue;
        }
        if format.get(at) == Some(&b'%') {
            out.push(b'%');
            at += 1;
            continue;
        }
        next += 1;
        if next >= args.n {
            return Err(vm.bad_argument(next, b"no value"));
        }
        let spec = match spec(&format, &mut at) {
            Ok(spec) => spec,
            Err(text) => return Err(vm.error(text)),
        };
        let conversion = format.get(at).copied().unwrap_or(0);
        at += 1;
        match conversion {
            b'c' => {
                let c = vm.check_number(args, next)? as i64 as u8;
                let before = out.len();
                pad(&mut out, &spec, b"", &[c], false);
                if c == 0 {
                    // The result is a C string.
                    let end = out[before..].iter().position(|c| *c == 0).unwrap_or(0);
                    out.truncate(before + end);
                }
            }
            b'd' | b'i' => {
                let n = vm.check_integer(args, next)?;
                let mut buffer = itoa::Buffer::new();
                integer(&mut out, &spec, sign(&spec, n < 0), buffer.format(n.unsigned_abs()).as_bytes());
            }
            b'u' | b'o' | b'x' | b'X' => {
                let n = vm.check_number(args, next)?;
                unsigned(&mut out, &spec, conversion, n);
            }
            b'e' | b'E' | b'f' | b'g' | b'G' => {
                let n = vm.check_number(args, next)?;
                number_text.clear();
                write_float(&mut number_text, n, conversion, spec.precision, spec.alternate);
                let zeros = spec.zero && n.is_finite();
                pad(&mut out, &spec, sign(&spec, n.is_sign_negative()), &number_text, zeros);
            }
            b'q' => {
                let s = vm.check_string(args, next)?;
                vm.heap.memory.fits(out.len() + vm.bytes(s).len() * 4)?;
                quoted(&mut out, vm.bytes(s));
            }
            b's' => {
                let s = vm.check_string(args, next)?;
                vm.heap.memory.fits(out.len() + vm.bytes(s).len())?;
                let text = vm.bytes(s);
                if spec.precision.is_none() && text.len() >= 100 {
                    out.extend_from_slice(text);
                } else {
                    let end = text.iter().position(|c| *c == 0).unwrap_or(text.len());
                    let end = spec.precision.map_or(end, |p| p.min(end));
                    pad(&mut out, &spec, b"", &text[..end], false);
                }
            }
            other => {
                let shown: &[u8] = if other == 0 { b"" } else { &[other] };
                return Err(vm.error_bytes(&join(&[b"invalid option '%", shown, b"' to 'format'"])));
            }
        }
    }
    vm.spend(out.len() / 16);
    vm.push_vec(out)?;
    Ok(Step::Return)
}

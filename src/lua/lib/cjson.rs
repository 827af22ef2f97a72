//! `cjson`: JSON with the settings and messages of lua-cjson 2.1. The parser is in `json_text.rs`.

use super::super::host::*;
use super::super::number::write_float;
use super::super::value::*;
use super::super::vm::Vm;

pub(crate) const NULL: Value = Value::Light(0);

/// What the functions of the library can set. Shared by all scripts of a machine.
pub(crate) struct Settings {
    sparse_convert: bool,
    sparse_ratio: u32,
    sparse_safe: u32,
    encode_depth_max: usize,
    pub decode_depth_max: usize,
    precision: usize,
    keep_buffer: bool,
    /// 0: refuse, 1: as they are, 2: null
    encode_invalid: usize,
    pub decode_invalid: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            sparse_convert: false,
            sparse_ratio: 2,
            sparse_safe: 10,
            encode_depth_max: 1000,
            decode_depth_max: 1000,
            precision: 14,
            keep_buffer: true,
            encode_invalid: 0,
            decode_invalid: true,
        }
    }
}

const FUNCTIONS: [(&str, Builtin); 10] = [
    ("decode", super::json_text::decode),
    ("decode_invalid_numbers", decode_invalid_numbers),
    ("decode_max_depth", decode_max_depth),
    ("encode", encode),
    ("encode_invalid_numbers", encode_invalid_numbers),
    ("encode_keep_buffer", encode_keep_buffer),
    ("encode_max_depth", encode_max_depth),
    ("encode_number_precision", encode_number_precision),
    ("encode_sparse_array", encode_sparse_array),
    ("new", new),
];

pub fn open(vm: &mut Vm) -> Result<()> {
    let t = super::library(vm, "cjson", &FUNCTIONS)?;
    fill(vm, t)
}

fn fill(vm: &mut Vm, t: Table) -> Result<()> {
    vm.raw_set_bytes(t, b"null", NULL)?;
    for (name, text) in [("_NAME", "cjson"), ("_VERSION", "2.1.0")] {
        let text = vm.new_string(text.as_bytes())?;
        vm.raw_set_bytes(t, name.as_bytes(), text)?;
    }
    Ok(())
}

/// Another table of the same functions; the settings are the machine's.
fn new(vm: &mut Vm, _: Args) -> Result<Step> {
    let t = vm.new_table(0, 16)?;
    super::add(vm, t, &FUNCTIONS)?;
    fill(vm, t)?;
    vm.push(Value::Table(t));
    Ok(Step::Return)
}

// Settings.

/// An optional choice: a boolean for the first two, or a word.
fn choice(vm: &mut Vm, args: Args, i: usize, words: &[&str], current: usize) -> Result<usize> {
    match vm.arg(args, i) {
        Value::Nil => Ok(current),
        Value::Bool(b) => Ok(b as usize),
        _ => {
            let s = vm.check_string(args, i)?;
            let text = vm.bytes(s).to_vec();
            match words.iter().position(|w| w.as_bytes() == text) {
                Some(n) => Ok(n),
                None => Err(vm.bad_argument(i, &join(&[b"invalid option '", &text, b"'"]))),
            }
        }
    }
}

fn push_choice(vm: &mut Vm, words: &[&str], chosen: usize) -> Result<()> {
    if chosen < 2 {
        vm.push(Value::Bool(chosen == 1));
        return Ok(());
    }
    vm.push_bytes(words[chosen].as_bytes())
}

fn whole(vm: &mut Vm, args: Args, i: usize, min: i64, max: i64, current: i64) -> Result<i64> {
    if vm.arg(args, i).is_nil() {
        return Ok(current);
    }
    let n = vm.check_integer(args, i)?;
    if (min..=max).contains(&n) {
        return Ok(n);
    }
    let (mut low, mut high) = (itoa::Buffer::new(), itoa::Buffer::new());
    let (low, high) = (low.format(min).as_bytes(), high.format(max).as_bytes());
    Err(vm.bad_argument(i, &join(&[b"expected integer between ", low, b" and ", high])))
}

fn at_most(vm: &mut Vm, args: Args, n: usize) -> Result<()> {
    if args.n > n {
        return Err(vm.bad_argument(n, b"found too many arguments"));
    }
    Ok(())
}

const SWITCH: [&str; 2] = ["off", "on"];
const INVALID: [&str; 3] = ["off", "on", "null"];

fn encode_sparse_array(vm: &mut Vm, args: Args) -> Result<Step> {
    at_most(vm, args, 3)?;
    let convert = choice(vm, args, 0, &SWITCH, vm.json.sparse_convert as usize)? == 1;
    vm.json.sparse_convert = convert;
    vm.json.sparse_ratio = whole(vm, args, 1, 0, i32::MAX as i64, vm.json.sparse_ratio as i64)? as u32;
    vm.json.sparse_safe = whole(vm, args, 2, 0, i32::MAX as i64, vm.json.sparse_safe as i64)? as u32;
    let (ratio, safe) = (vm.json.sparse_ratio as f64, vm.json.sparse_safe as f64);
    vm.ret.extend([Value::Bool(convert), Value::Number(ratio), Value::Number(safe)]);
    Ok(Step::Return)
}

fn encode_max_depth(vm: &mut Vm, args: Args) -> Result<Step> {
    at_most(vm, args, 1)?;
    let n = whole(vm, args, 0, 1, i32::MAX as i64, vm.json.encode_depth_max as i64)?;
    vm.json.encode_depth_max = n as usize;
    vm.push(Value::Number(n as f64));
    Ok(Step::Return)
}

fn decode_max_depth(vm: &mut Vm, args: Args) -> Result<Step> {
    at_most(vm, args, 1)?;
    let n = whole(vm, args, 0, 1, i32::MAX as i64, vm.json.decode_depth_max as i64)?;
    vm.json.decode_depth_max = n as usize;
    vm.push(Value::Number(n as f64));
    Ok(Step::Return)
}

fn encode_number_precision(vm: &mut Vm, args: Args) -> Result<Step> {
    at_most(vm, args, 1)?;
    let n = whole(vm, args, 0, 1, 14, vm.json.precision as i64)?;
    vm.json.precision = n as usize;
    vm.push(Value::Number(n as f64));
    Ok(Step::Return)
}

fn encode_keep_buffer(vm: &mut Vm, args: Args) -> Result<Step> {
    at_most(vm, args, 1)?;
    vm.json.keep_buffer = choice(vm, args, 0, &SWITCH, vm.json.keep_buffer as usize)? == 1;
    vm.push(Value::Bool(vm.json.keep_buffer));
    Ok(Step::Return)
}

fn encode_invalid_numbers(vm: &mut Vm, args: Args) -> Result<Step> {
    at_most(vm, args, 1)?;
    vm.json.encode_invalid = choice(vm, args, 0, &INVALID, vm.json.encode_invalid)?;
    push_choice(vm, &INVALID, vm.json.encode_invalid)?;
    Ok(Step::Return)
}

fn decode_invalid_numbers(vm: &mut Vm, args: Args) -> Result<Step> {
    at_most(vm, args, 1)?;
    vm.json.decode_invalid = choice(vm, args, 0, &SWITCH, vm.json.decode_invalid as usize)? == 1;
    vm.push(Value::Bool(vm.json.decode_invalid));
    Ok(Step::Return)
}

// Encoding.

/// A table being written.
enum Open {
    /// table, next index, length
    Array(Table, usize, usize),
    /// table, position for `next_from`, whether an entry was written
    Object(Table, usize, bool),
}

fn cannot(vm: &mut Vm, value: Value, why: &[u8]) -> Error {
    vm.error_bytes(&join(&[b"Cannot serialise ", value.type_name().as_bytes(), b": ", why]))
}

fn write_text(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    for c in text {
        let short = match c {
            b'"' | b'\\' | b'/' => *c,
            8 => b'b',
            9 => b't',
            10 => b'n',
            12 => b'f',
            13 => b'r',
            0..=31 | 127 => {
                let digits = b"0123456789abcdef";
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&[digits[(c >> 4) as usize], digits[(c & 15) as usize]]);
                continue;
            }
            _ => {
                out.push(*c);
                continue;
            }
        };
        out.extend_from_slice(&[b'\\', short]);
    }
    out.push(b'"');
}

fn write_number(vm: &mut Vm, out: &mut Vec<u8>, n: f64) -> Result<()> {
    if !n.is_finite() {
        match vm.json.encode_invalid {
            0 => return Err(cannot(vm, Value::Number(n), b"must not be NaN or Inf")),
            1 if n.is_nan() => out.extend_from_slice(b"nan"),
            1 => out.extend_from_slice(if n > 0.0 { b"inf" } else { b"-inf" }),
            _ => out.extend_from_slice(b"null"),
        }
        return Ok(());
    }
    if vm.json.precision == 14 {
        super::super::number::write_number(out, n);
    } else {
        if n.is_sign_negative() {
            out.push(b'-');
        }
        write_float(out, n, b'g', Some(vm.json.precision), false);
    }
    Ok(())
}

/// The length of a table that is an array, with holes if they are few.
fn array_length(vm: &mut Vm, t: Table) -> Result<Option<usize>> {
    let (mut max, mut count, mut at) = (0f64, 0f64, 0);
    while let Some((next, key, _)) = vm.heap.object(t).next_from(at) {
        at = next;
        match key {
            Value::Number(n) if n > 0.0 && n.floor() == n => max = max.max(n),
            _ => return Ok(None),
        }
        count += 1.0;
    }
    let json = &vm.json;
    if json.sparse_ratio > 0 && max > count * json.sparse_ratio as f64 && max > json.sparse_safe as f64 {
        if json.sparse_convert {
            return Ok(None);
        }
        return Err(cannot(vm, Value::Table(t), b"excessively sparse array"));
    }
    Ok((max > 0.0).then_some(max as usize))
}

fn encode(vm: &mut Vm, args: Args) -> Result<Step> {
    if args.n != 1 {
        return Err(vm.bad_argument(0, b"expected 1 argument"));
    }
    let mut out = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    let mut value = vm.arg(args, 0);
    loop {
        if out.len() >= out.capacity() / 2 {
            vm.heap.memory.fits(out.len().saturating_mul(3))?;
        }
        if let Some(table) = write_value(vm, &mut out, value, open.len())? {
            open.push(table);
        }
        match next_value(vm, &mut out, &mut open)? {
            Some(next) => value = next,
            None => break,
        }
    }
    vm.spend(out.len() / 8);
    vm.push_vec(out)?;
    Ok(Step::Return)
}

/// Writes a value; a table only as far as its bracket.
fn write_value(vm: &mut Vm, out: &mut Vec<u8>, value: Value, depth: usize) -> Result<Option<Open>> {
    match value {
        Value::Str(s) => {
            vm.heap.memory.fits(out.len().saturating_add(vm.bytes(s).len().saturating_mul(6)))?;
            write_text(out, vm.bytes(s));
        }
        Value::Number(n) => write_number(vm, out, n)?,
        Value::Bool(b) => out.extend_from_slice(if b { b"true" } else { b"false" }),
        Value::Nil | Value::Light(0) => out.extend_from_slice(b"null"),
        Value::Table(t) => {
            if depth + 1 > vm.json.encode_depth_max {
                let mut buffer = itoa::Buffer::new();
                let depth = buffer.format(depth + 1).as_bytes();
                let text = join(&[b"Cannot serialise, excessive nesting (", depth, b")"]);
                return Err(vm.error_bytes(&text));
            }
            return Ok(Some(match array_length(vm, t)? {
                Some(n) => {
                    out.push(b'[');
                    Open::Array(t, 1, n)
                }
                None => {
                    out.push(b'{');
                    Open::Object(t, 0, false)
                }
            }));
        }
        other => return Err(cannot(vm, other, b"type not supported")),
    }
    Ok(None)
}

/// The next value of the innermost table, after its separator and key. Closes tables that are done.
fn next_value(vm: &mut Vm, out: &mut Vec<u8>, open: &mut Vec<Open>) -> Result<Option<Value>> {
    while let Some(top) = open.last_mut() {
        match top {
            Open::Array(t, i, n) if *i <= *n => {
                if *i > 1 {
                    out.push(b',');
                }
                let value = vm.raw_get_index(*t, *i);
                *i += 1;
                return Ok(Some(value));
            }
            Open::Array(..) => out.push(b']'),
            Open::Object(t, at, started) => {
                if let Some((next, key, value)) = vm.heap.object(*t).next_from(*at) {
                    *at = next;
                    if *started {
                        out.push(b',');
                    }
                    *started = true;
                    match key {
                        Value::Number(n) => {
                            out.push(b'"');
                            write_number(vm, out, n)?;
                            out.push(b'"');
                        }
                        Value::Str(s) => write_text(out, vm.bytes(s)),
                        other => return Err(cannot(vm, other, b"table key must be a number or string")),
                    }
                    out.push(b':');
                    return Ok(Some(value));
                }
                out.push(b'}');
            }
        }
        open.pop();
    }
    Ok(None)
}

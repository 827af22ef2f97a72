//! Replies to Lua values and back.

use crate::lua::{Result, Table, Value, Vm};
use crate::resp::ReplyWriter;
use crate::server::stats::Stats;

/// Tables may nest so deep, as Lua 5.1's stack allows Redis.
const DEPTH_MAX: usize = 7990;

/// The Lua value of one reply. The bytes are ours: they are well-formed.
pub fn to_lua(vm: &mut Vm, reply: &[u8]) -> Result<Value> {
    Reader { bytes: reply, at: 0 }.value(vm)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn line(&mut self) -> &'a [u8] {
        let rest = &self.bytes[self.at..];
        let end = memchr::memchr(b'\r', rest).unwrap_or(rest.len());
        self.at += (end + 2).min(rest.len());
        &rest[..end]
    }

    fn number(&mut self) -> i64 {
        let line = self.line();
        let (digits, is_negative) = match line {
            [b'-', digits @ ..] => (digits, true),
            digits => (digits, false),
        };
        let value = digits
            .iter()
            .fold(0i64, |sum, digit| sum.wrapping_mul(10).wrapping_add(i64::from(digit.wrapping_sub(b'0'))));
        if is_negative { value.wrapping_neg() } else { value }
    }

    fn bulk(&mut self, len: usize) -> &'a [u8] {
        let text = &self.bytes[self.at..self.at + len];
        self.at += len + 2;
        text
    }

    fn value(&mut self, vm: &mut Vm) -> Result<Value> {
        let kind = self.bytes.get(self.at).copied().unwrap_or(b'_');
        self.at += 1;
        match kind {
            b'$' => {
                let Ok(len) = usize::try_from(self.number()) else { return Ok(Value::Bool(false)) };
                let text = self.bulk(len);
                vm.new_string(text)
            }
            b':' => Ok(Value::Number(self.number() as f64)),
            b'+' => {
                let text = self.line();
                field(vm, b"ok", text)
            }
            b'-' => {
                let text = self.line();
                error(vm, text)
            }
            b'*' | b'>' => {
                let Ok(count) = usize::try_from(self.number()) else { return Ok(Value::Bool(false)) };
                let table = vm.new_table(count, 0)?;
                for index in 1..=count {
                    let value = self.value(vm)?;
                    vm.raw_set_index(table, index, value)?;
                }
                Ok(Value::Table(table))
            }
            b'%' => {
                let count = self.number();
                let map = vm.new_table(0, count as usize)?;
                for _ in 0..count {
                    let key = self.value(vm)?;
                    let value = self.value(vm)?;
                    set(vm, map, key, value)?;
                }
                wrapped(vm, b"map", Value::Table(map))
            }
            b'~' => {
                let count = self.number();
                let members = vm.new_table(0, count as usize)?;
                for _ in 0..count {
                    let member = self.value(vm)?;
                    set(vm, members, member, Value::Bool(true))?;
                }
                wrapped(vm, b"set", Value::Table(members))
            }
            b'#' => Ok(Value::Bool(self.line() == b"t")),
            b',' => {
                let text = self.line();
                let value = crate::data::number::parse_f64(text).unwrap_or(f64::NAN);
                wrapped(vm, b"double", Value::Number(value))
            }
            b'(' => {
                let digits = self.line();
                field(vm, b"big_number", digits)
            }
            b'=' => {
                let len = self.number().max(4) as usize;
                let text = self.bulk(len);
                let parts = vm.new_table(0, 2)?;
                let string = vm.new_string(&text[4..])?;
                vm.raw_set_bytes(parts, b"string", string)?;
                let format = vm.new_string(&text[..3])?;
                vm.raw_set_bytes(parts, b"format", format)?;
                wrapped(vm, b"verbatim_string", Value::Table(parts))
            }
            b'|' => {
                // Attributes are not shown to scripts.
                for _ in 0..2 * self.number() {
                    self.value(vm)?;
                }
                self.value(vm)
            }
            _ => {
                self.line();
                Ok(Value::Nil)
            }
        }
    }
}

/// A reply may hold what is no key of a table.
fn set(vm: &mut Vm, table: Table, key: Value, value: Value) -> Result<()> {
    match key {
        Value::Nil => Ok(()),
        Value::Number(n) if n.is_nan() => Ok(()),
        key => vm.raw_set(table, key, value),
    }
}

/// A table with one entry.
fn wrapped(vm: &mut Vm, name: &[u8], value: Value) -> Result<Value> {
    let table = vm.new_table(0, 1)?;
    vm.raw_set_bytes(table, name, value)?;
    Ok(Value::Table(table))
}

pub fn field(vm: &mut Vm, name: &[u8], text: &[u8]) -> Result<Value> {
    let text = vm.new_string(text)?;
    wrapped(vm, name, text)
}

/// The error of a command, `CODE message`, which has been counted already.
pub fn error(vm: &mut Vm, text: &[u8]) -> Result<Value> {
    let Value::Table(table) = field(vm, b"err", &with_code(text))? else { return Ok(Value::Nil) };
    vm.raw_set_bytes(table, b"ignore_error_stats_update", Value::Bool(true))?;
    Ok(Value::Table(table))
}

/// A text of one word is a message without a code.
pub fn with_code(text: &[u8]) -> Vec<u8> {
    let end = text.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n')).map_or(0, |last| last + 1);
    let text = &text[..end];
    if text.contains(&b' ') { text.to_vec() } else { [b"ERR ", text].concat() }
}

/// What is still to be written of an aggregate.
enum Rest {
    Items(Table, usize),
    /// The table, the key before, and whether values go out as well.
    Entries(Table, Value, bool),
    /// The value of a key that goes out first.
    One(Value),
}

/// Writes what a script returned. `is_resp3`: the script asked for RESP3, so booleans go out as such.
pub fn write(vm: &mut Vm, value: Value, is_resp3: bool, reply: &mut ReplyWriter, stats: &mut Stats) {
    let mut stack: Vec<Rest> = Vec::new();
    let mut next = Some(value);
    loop {
        if let Some(value) = next.take() {
            if stack.len() >= DEPTH_MAX {
                reply.error(b"ERR reached lua stack limit");
            } else if let Some(rest) = write_one(vm, value, is_resp3, reply, stats) {
                stack.push(rest);
            }
        }
        match stack.last_mut() {
            None => return,
            Some(Rest::Items(table, index)) => {
                *index += 1;
                let value = vm.raw_get_index(*table, *index);
                if value.is_nil() {
                    stack.pop();
                } else {
                    next = Some(value);
                }
            }
            Some(Rest::Entries(table, key, with_values)) => match vm.next(*table, *key) {
                None | Some((Value::Nil, _)) => drop(stack.pop()),
                Some((found, value)) => {
                    *key = found;
                    let with_values = *with_values;
                    if with_values {
                        stack.push(Rest::One(value));
                    }
                    next = Some(found);
                }
            },
            Some(Rest::One(value)) => {
                next = Some(*value);
                stack.pop();
            }
        }
    }
}

/// Writes a scalar, or the head of an aggregate.
fn write_one(
    vm: &mut Vm,
    value: Value,
    is_resp3: bool,
    reply: &mut ReplyWriter,
    stats: &mut Stats,
) -> Option<Rest> {
    match value {
        Value::Str(text) => reply.bulk(vm.bytes(text)),
        Value::Bool(value) if is_resp3 => reply.boolean(value),
        Value::Bool(true) => reply.integer(1),
        Value::Number(number) => reply.integer(truncated(number)),
        Value::Table(table) => return write_table(vm, table, reply, stats),
        _ => reply.null(),
    }
    None
}

/// As a machine of today cuts a double down to an integer.
fn truncated(number: f64) -> i64 {
    let fits = (-9223372036854775808.0..9223372036854775808.0).contains(&number);
    if fits { number as i64 } else { i64::MIN }
}

fn write_table(vm: &mut Vm, table: Table, reply: &mut ReplyWriter, stats: &mut Stats) -> Option<Rest> {
    if let Value::Str(text) = vm.raw_get_bytes(table, b"err") {
        let text = vm.bytes(text).to_vec();
        let is_counted = matches!(vm.raw_get_bytes(table, b"ignore_error_stats_update"), Value::Bool(true));
        write_error(reply, stats, &text, is_counted);
        return None;
    }
    if let Value::Str(text) = vm.raw_get_bytes(table, b"ok") {
        let text = vm.bytes(text).to_vec();
        reply.simple_bytes(&text);
        return None;
    }
    if let Value::Number(number) = vm.raw_get_bytes(table, b"double") {
        reply.double(number);
        return None;
    }
    if let Value::Str(digits) = vm.raw_get_bytes(table, b"big_number") {
        let blank = |byte: &u8| if matches!(byte, b'\r' | b'\n') { b' ' } else { *byte };
        let digits: Vec<u8> = vm.bytes(digits).iter().map(blank).collect();
        reply.big_number(&digits);
        return None;
    }
    if let Value::Table(parts) = vm.raw_get_bytes(table, b"verbatim_string")
        && let Value::Str(format) = vm.raw_get_bytes(parts, b"format")
        && let Value::Str(text) = vm.raw_get_bytes(parts, b"string")
    {
        let mut letters = vm.bytes(format).to_vec();
        letters.resize(3, b' ');
        let letters = String::from_utf8(letters).ok().filter(|letters| letters.is_ascii());
        reply.verbatim(letters.as_deref().unwrap_or("txt"), vm.bytes(text));
        return None;
    }
    for (name, with_values) in [("map", true), ("set", false)] {
        if let Value::Table(entries) = vm.raw_get_bytes(table, name.as_bytes()) {
            let count = count_entries(vm, entries);
            if with_values {
                reply.map(count);
            } else {
                reply.set(count);
            }
            return Some(Rest::Entries(entries, Value::Nil, with_values));
        }
    }
    let mut count = 0;
    while !vm.raw_get_index(table, count + 1).is_nil() {
        count += 1;
    }
    reply.array(count);
    Some(Rest::Items(table, 0))
}

fn count_entries(vm: &Vm, table: Table) -> usize {
    let (mut count, mut key) = (0, Value::Nil);
    while let Some((found, _)) = vm.next(table, key) {
        if found.is_nil() {
            break;
        }
        key = found;
        count += 1;
    }
    count
}

/// An error reply, counted under its code unless it has been.
pub fn write_error(reply: &mut ReplyWriter, stats: &mut Stats, text: &[u8], is_counted: bool) {
    let end = text.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n')).map_or(0, |last| last + 1);
    let text = &text[..end];
    if !is_counted {
        stats.count_error(text.split(|byte| *byte == b' ').next().unwrap_or_default());
    }
    reply.error(text);
}

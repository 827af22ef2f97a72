//! `cmsgpack`: MessagePack, as far as Lua has the types.

use super::super::host::*;
use super::super::value::*;
use super::super::vm::Vm;

const NESTING_MAX: usize = 16;
/// As deep as Lua 5.1's C stack would allow.
const DECODE_NESTING_MAX: usize = 2600;

pub fn open(vm: &mut Vm) -> Result<()> {
    let t = super::library(
        vm,
        "cmsgpack",
        &[("pack", pack), ("unpack", unpack), ("unpack_limit", unpack_limit), ("unpack_one", unpack_one)],
    )?;
    for (name, text) in [
        ("_NAME", "cmsgpack"),
        ("_VERSION", "lua-cmsgpack 0.4.0"),
        ("_COPYRIGHT", "Copyright (C) 2012, Salvatore Sanfilippo"),
        ("_DESCRIPTION", "MessagePack C implementation for Lua"),
    ] {
        let text = vm.new_string(text.as_bytes())?;
        vm.raw_set_bytes(t, name.as_bytes(), text)?;
    }
    Ok(())
}

/// A length or number after its tag, as short as the tags allow.
fn sized(out: &mut Vec<u8>, n: u64, tags: [u8; 4]) {
    if n <= 0xff && tags[0] != 0 {
        out.extend_from_slice(&[tags[0], n as u8]);
    } else if n <= 0xffff {
        out.push(tags[1]);
        out.extend_from_slice(&(n as u16).to_be_bytes());
    } else if n <= 0xffff_ffff {
        out.push(tags[2]);
        out.extend_from_slice(&(n as u32).to_be_bytes());
    } else {
        out.push(tags[3]);
        out.extend_from_slice(&n.to_be_bytes());
    }
}

fn write_number(out: &mut Vec<u8>, n: f64) {
    let whole = super::super::number::to_integer(n);
    if whole as f64 != n || whole == i64::MAX {
        if n as f32 as f64 == n {
            out.push(0xca);
            out.extend_from_slice(&(n as f32).to_be_bytes());
        } else {
            out.push(0xcb);
            out.extend_from_slice(&n.to_be_bytes());
        }
        return;
    }
    match whole {
        0..=127 => out.push(whole as u8),
        -32..=-1 => out.push(whole as u8),
        128.. => sized(out, whole as u64, [0xcc, 0xcd, 0xce, 0xcf]),
        -128..=-33 => out.extend_from_slice(&[0xd0, whole as u8]),
        -32768..=-129 => {
            out.push(0xd1);
            out.extend_from_slice(&(whole as i16).to_be_bytes());
        }
        -0x8000_0000..=-32769 => {
            out.push(0xd2);
            out.extend_from_slice(&(whole as i32).to_be_bytes());
        }
        _ => {
            out.push(0xd3);
            out.extend_from_slice(&whole.to_be_bytes());
        }
    }
}

fn write_text(out: &mut Vec<u8>, text: &[u8]) {
    match text.len() {
        n @ 0..=31 => out.push(0xa0 | n as u8),
        n => sized(out, n as u64, [0xd9, 0xda, 0xdb, 0xdb]),
    }
    out.extend_from_slice(text);
}

/// The length of a table whose keys are 1 to n.
fn array_length(vm: &Vm, t: Table) -> Option<usize> {
    let (mut count, mut max, mut at) = (0usize, 0f64, 0);
    while let Some((next, key, _)) = vm.heap.object(t).next_from(at) {
        at = next;
        match key {
            Value::Number(n) if n > 0.0 && n.fract() == 0.0 => max = max.max(n),
            _ => return None,
        }
        count += 1;
    }
    (max == count as f64).then_some(count)
}

fn write(vm: &mut Vm, out: &mut Vec<u8>, value: Value, level: usize) -> Result<()> {
    vm.heap.memory.fits(out.len().saturating_mul(2))?;
    match value {
        Value::Bool(b) => out.push(0xc2 + b as u8),
        Value::Number(n) => write_number(out, n),
        Value::Str(s) => {
            vm.heap.memory.fits(out.len() + vm.bytes(s).len())?;
            write_text(out, vm.bytes(s));
        }
        Value::Table(t) if level < NESTING_MAX => write_table(vm, out, t, level + 1)?,
        _ => out.push(0xc0),
    }
    Ok(())
}

fn write_table(vm: &mut Vm, out: &mut Vec<u8>, t: Table, level: usize) -> Result<()> {
    if let Some(n) = array_length(vm, t) {
        match n {
            0..=15 => out.push(0x90 | n as u8),
            n => sized(out, n as u64, [0, 0xdc, 0xdd, 0xdd]),
        }
        for i in 1..=n {
            let value = vm.raw_get_index(t, i);
            write(vm, out, value, level)?;
        }
        return Ok(());
    }
    let (mut n, mut at) = (0u64, 0);
    while let Some((next, ..)) = vm.heap.object(t).next_from(at) {
        at = next;
        n += 1;
    }
    match n {
        0..=15 => out.push(0x80 | n as u8),
        n => sized(out, n, [0, 0xde, 0xdf, 0xdf]),
    }
    let mut at = 0;
    while let Some((next, key, value)) = vm.heap.object(t).next_from(at) {
        at = next;
        write(vm, out, key, level)?;
        write(vm, out, value, level)?;
    }
    Ok(())
}

fn pack(vm: &mut Vm, args: Args) -> Result<Step> {
    if args.n == 0 {
        // Its argument 0 is none.
        let (_, name) = vm.called_name();
        let text = join(&[b"bad argument #0 to '", &name, b"' (MessagePack pack needs input.)"]);
        return Err(vm.error_bytes(&text));
    }
    let mut out = Vec::new();
    for i in 0..args.n {
        write(vm, &mut out, vm.arg(args, i), 0)?;
    }
    vm.spend(out.len() / 8);
    vm.push_vec(out)?;
    Ok(Step::Return)
}

/// What decoding can stumble over.
enum Fault {
    Missing,
    Bad,
    Lua(Error),
}

impl From<Error> for Fault {
    fn from(e: Error) -> Fault {
        Fault::Lua(e)
    }
}

/// A table being filled.
struct Open {
    table: Table,
    left: usize,
    /// Array: the last index. Map: unused.
    index: usize,
    map: bool,
    key: Option<Value>,
}

struct Decoder {
    source: Str,
    at: usize,
}

impl Decoder {
    fn take(&mut self, vm: &Vm, n: usize) -> Result<u64, Fault> {
        let bytes = vm.bytes(self.source);
        let Some(part) = bytes.get(self.at..self.at + n) else { return Err(Fault::Missing) };
        self.at += n;
        Ok(part.iter().fold(0, |n, b| n << 8 | *b as u64))
    }

    fn text(&mut self, vm: &mut Vm, n: usize) -> Result<Value, Fault> {
        let bytes = vm.bytes(self.source);
        if n > bytes.len() - self.at {
            return Err(Fault::Missing);
        }
        vm.heap.memory.fits(n).map_err(Error::from)?;
        let text = vm.bytes(self.source)[self.at..self.at + n].to_vec();
        self.at += n;
        Ok(Value::Str(vm.heap.string_from(text).map_err(Error::from)?))
    }

    /// One value; a table comes empty, with how many items follow.
    fn item(&mut self, vm: &mut Vm) -> Result<(Value, Option<(usize, bool)>), Fault> {
        let tag = self.take(vm, 1)? as u8;
        let number = |n: f64| Ok((Value::Number(n), None));
        let length = match tag {
            0x00..=0x7f => return number(tag as f64),
            0xe0..=0xff => return number(tag as i8 as f64),
            0xc0 => return Ok((Value::Nil, None)),
            0xc2 | 0xc3 => return Ok((Value::Bool(tag == 0xc3), None)),
            // Beyond 2^63 the value turns negative, as in the original.
            0xcc..=0xcf => return number(self.take(vm, 1 << (tag - 0xcc))? as i64 as f64),
            0xd0 => return number(self.take(vm, 1)? as i8 as f64),
            0xd1 => return number(self.take(vm, 2)? as i16 as f64),
            0xd2 => return number(self.take(vm, 4)? as i32 as f64),
            0xd3 => return number(self.take(vm, 8)? as i64 as f64),
            0xca => return number(f32::from_bits(self.take(vm, 4)? as u32) as f64),
            0xcb => return number(f64::from_bits(self.take(vm, 8)?)),
            0xa0..=0xbf => return Ok((self.text(vm, (tag & 31) as usize)?, None)),
            0xd9..=0xdb => {
                let n = self.take(vm, 1 << (tag - 0xd9))? as usize;
                return Ok((self.text(vm, n)?, None));
            }
            0x90..=0x9f => ((tag & 15) as usize, false),
            0x80..=0x8f => ((tag & 15) as usize, true),
            0xdc | 0xdd => (self.take(vm, 2 << (tag - 0xdc))? as usize, false),
            0xde | 0xdf => (self.take(vm, 2 << (tag - 0xde))? as usize, true),
            _ => return Err(Fault::Bad),
        };
        let t = vm.heap.table(0, 0).map_err(Error::from)?;
        Ok((Value::Table(t), Some(length)))
    }

    /// One value with all it holds, without recursion.
    fn value(&mut self, vm: &mut Vm) -> Result<Value, Fault> {
        let mut open: Vec<Open> = Vec::new();
        loop {
            let (mut value, content) = self.item(vm)?;
            if let (Value::Table(table), Some((left, map))) = (value, content)
                && left > 0
            {
                if open.len() >= DECODE_NESTING_MAX {
                    return Err(vm.error("stack overflow (in function mp_decode_to_lua_array)").into());
                }
                open.push(Open { table, left, index: 0, map, key: None });
                continue;
            }
            // A finished value goes into the innermost open table, which may be finished by it.
            loop {
                let Some(top) = open.last_mut() else { return Ok(value) };
                if top.map && top.key.is_none() {
                    top.key = Some(value);
                    break;
                }
                let key = match top.key.take() {
                    Some(Value::Nil) => return Err(vm.error_plain(b"table index is nil").into()),
                    Some(Value::Number(n)) if n.is_nan() => {
                        return Err(vm.error_plain(b"table index is NaN").into());
                    }
                    Some(key) => key,
                    None => {
                        top.index += 1;
                        Value::Number(top.index as f64)
                    }
                };
                vm.raw_set(top.table, key, value)?;
                top.left -= 1;
                if top.left > 0 {
                    break;
                }
                value = Value::Table(top.table);
                open.pop();
            }
        }
    }
}

fn decode(vm: &mut Vm, args: Args, limit: i64, offset: i64) -> Result<Step> {
    let source = vm.check_string(args, 0)?;
    let len = vm.bytes(source).len();
    let (mut left_buffer, mut right_buffer) = (itoa::Buffer::new(), itoa::Buffer::new());
    if offset < 0 || limit < 0 {
        let parts: [&[u8]; 5] = [
            b"Invalid request to unpack with offset of ",
            left_buffer.format(offset).as_bytes(),
            b" and limit of ",
            right_buffer.format(len).as_bytes(),
            b".",
        ];
        return Err(vm.error_bytes(&join(&parts)));
    }
    if offset > len as i64 {
        let parts: [&[u8]; 5] = [
            b"Start offset ",
            left_buffer.format(offset).as_bytes(),
            b" greater than input length ",
            right_buffer.format(len).as_bytes(),
            b".",
        ];
        return Err(vm.error_bytes(&join(&parts)));
    }
    let all = limit == 0 && offset == 0;
    let limit = if all { i64::MAX } else { limit };
    let mut decoder = Decoder { source, at: offset as usize };
    let mut count = 0;
    if !all {
        vm.push(Value::Nil);
    }
    while decoder.at < len && count < limit {
        match decoder.value(vm) {
            Ok(value) => vm.push(value),
            Err(Fault::Missing) => return Err(vm.error("Missing bytes in input.")),
            Err(Fault::Bad) => return Err(vm.error("Bad data format in input.")),
            Err(Fault::Lua(e)) => return Err(e),
        }
        if vm.ret.len() > super::base::VALUES_MAX {
            return Err(vm.error("stack overflow (in function mp_unpack_full)"));
        }
        count += 1;
    }
    vm.spend((decoder.at - offset as usize) / 8);
    if !all {
        let next = if decoder.at < len { decoder.at as f64 } else { -1.0 };
        vm.ret[0] = Value::Number(next);
    }
    Ok(Step::Return)
}

fn unpack(vm: &mut Vm, args: Args) -> Result<Step> {
    decode(vm, args, 0, 0)
}

fn unpack_one(vm: &mut Vm, args: Args) -> Result<Step> {
    let offset = vm.opt_int(args, 1, 0)?;
    decode(vm, args, 1, offset)
}

fn unpack_limit(vm: &mut Vm, args: Args) -> Result<Step> {
    let limit = vm.check_int(args, 1)?;
    let offset = vm.opt_int(args, 2, 0)?;
    decode(vm, args, limit, offset)
}

//! `struct`: values to and from the layouts of C structures.

use super::super::host::*;
use super::super::number::to_integer;
use super::super::value::*;
use super::super::vm::Vm;

const SIZE_MAX: usize = 32;
const NATIVE_ALIGNMENT: usize = 8;

pub fn open(vm: &mut Vm) -> Result<()> {
    super::library(vm, "struct", &[("pack", pack), ("size", size), ("unpack", unpack)])?;
    Ok(())
}

#[derive(Clone, Copy, PartialEq)]
enum Item {
    Signed(usize),
    Unsigned(usize),
    Float,
    Double,
    Text(usize),
    ZeroTerminated,
    Padding,
    Unknown(u8),
}

struct Layout {
    format: Vec<u8>,
    at: usize,
    big: bool,
    alignment: usize,
    /// struct.size looks over letters that mean nothing.
    is_measured: bool,
    is_past_end: bool,
}

impl Layout {
    fn new(vm: &mut Vm, args: Args) -> Result<Layout> {
        let s = vm.check_string(args, 0)?;
        Ok(Layout {
            format: vm.bytes(s).to_vec(),
            at: 0,
            big: false,
            alignment: 1,
            is_measured: false,
            is_past_end: false,
        })
    }

    fn number(&mut self, vm: &mut Vm, default: usize) -> Result<usize> {
        let start = self.at;
        let mut n = 0usize;
        while let Some(d @ b'0'..=b'9') = self.format.get(self.at) {
            let digit = (d - b'0') as usize;
            if n > (i32::MAX as usize - digit) / 10 {
                return Err(vm.error("integral size overflow"));
            }
            n = n * 10 + digit;
            self.at += 1;
        }
        Ok(if self.at == start { default } else { n })
    }

    fn integer_size(&mut self, vm: &mut Vm) -> Result<usize> {
        let n = self.number(vm, 4)?;
        if n > SIZE_MAX {
            let mut buffer = itoa::Buffer::new();
            let text =
                join(&[b"integral size ", buffer.format(n).as_bytes(), b" is larger than limit of 32"]);
            return Err(vm.error_bytes(&text));
        }
        Ok(n)
    }

    /// The next item with its size; control options are obeyed on the way.
    fn next(&mut self, vm: &mut Vm) -> Result<Option<(Item, usize)>> {
        while let Some(c) = self.format.get(self.at).copied().filter(|c| *c != 0) {
            self.at += 1;
            let item = match c {
                b'b' => Item::Signed(1),
                b'B' => Item::Unsigned(1),
                b'h' => Item::Signed(2),
                b'H' => Item::Unsigned(2),
                b'l' => Item::Signed(8),
                b'L' | b'T' => Item::Unsigned(8),
                b'i' => Item::Signed(self.integer_size(vm)?),
                b'I' => Item::Unsigned(self.integer_size(vm)?),
                b'f' => Item::Float,
                b'd' => Item::Double,
                b'x' => Item::Padding,
                b's' => Item::ZeroTerminated,
                b'c' => Item::Text(self.number(vm, 1)?),
                b' ' => continue,
                b'<' => {
                    self.big = false;
                    continue;
                }
                b'>' => {
                    self.big = true;
                    continue;
                }
                b'!' => {
                    let n = self.number(vm, NATIVE_ALIGNMENT)?;
                    if !n.is_power_of_two() {
                        let mut buffer = itoa::Buffer::new();
                        let n = buffer.format(n).as_bytes();
                        return Err(vm.error_bytes(&join(&[b"alignment ", n, b" is not a power of 2"])));
                    }
                    self.alignment = n;
                    continue;
                }
                c if self.is_measured && c.is_ascii_alphanumeric() => continue,
                // Where there is no data left, that is told first.
                c if self.is_past_end => Item::Unknown(c),
                c => return Err(invalid_option(vm, c)),
            };
            let size = match item {
                Item::Signed(n) | Item::Unsigned(n) | Item::Text(n) => n,
                Item::Float => 4,
                Item::Double => 8,
                Item::Padding => 1,
                Item::ZeroTerminated | Item::Unknown(_) => 0,
            };
            return Ok(Some((item, size)));
        }
        Ok(None)
    }

    /// Bytes to skip so that an item is aligned.
    fn gap(&self, item: Item, size: usize, at: usize) -> usize {
        if size == 0 || matches!(item, Item::Text(_)) {
            return 0;
        }
        let align = size.min(self.alignment);
        if align > 1 { (align - (at & (align - 1))) & (align - 1) } else { 0 }
    }
}

#[cold]
fn invalid_option(vm: &mut Vm, c: u8) -> Error {
    vm.bad_argument(0, &join(&[b"invalid format option '", &[c], b"'"]))
}

fn put(out: &mut Vec<u8>, value: u64, size: usize, big: bool) {
    let start = out.len();
    for i in 0..size {
        out.push(if i < 8 { (value >> (8 * i)) as u8 } else { 0 });
    }
    if big {
        out[start..].reverse();
    }
}

fn get(bytes: &[u8], big: bool, signed: bool) -> f64 {
    let mut value = 0u64;
    for i in 0..bytes.len() {
        let byte = bytes[if big { i } else { bytes.len() - 1 - i }];
        value = value << 8 | byte as u64;
    }
    if !signed {
        return value as f64;
    }
    let bits = bytes.len() * 8;
    if bits < 64 && bits > 0 && value >> (bits - 1) & 1 == 1 {
        value |= u64::MAX << (bits - 1);
    }
    value as i64 as f64
}

fn pack(vm: &mut Vm, args: Args) -> Result<Step> {
    let mut layout = Layout::new(vm, args)?;
    let mut out = Vec::new();
    let mut next = 1;
    while let Some((item, size)) = layout.next(vm)? {
        let gap = layout.gap(item, size, out.len());
        vm.heap.memory.fits(out.len() + gap + size)?;
        out.resize(out.len() + gap, 0);
        let missing = next >= args.n && !matches!(item, Item::Padding);
        if missing {
            let wanted =
                if matches!(item, Item::Text(_) | Item::ZeroTerminated) { "string" } else { "number" };
            return Err(vm.bad_argument(next, &join(&[wanted.as_bytes(), b" expected, got nil"])));
        }
        match item {
            Item::Signed(_) | Item::Unsigned(_) => {
                let n = vm.check_number(args, next)?;
                let value =
                    if n < 0.0 || n < 9223372036854775808.0 { to_integer(n) as u64 } else { n as u64 };
                put(&mut out, value, size, layout.big);
                next += 1;
            }
            Item::Float => {
                let n = vm.check_number(args, next)? as f32;
                put(&mut out, n.to_bits() as u64, 4, layout.big);
                next += 1;
            }
            Item::Double => {
                let n = vm.check_number(args, next)?;
                put(&mut out, n.to_bits(), 8, layout.big);
                next += 1;
            }
            Item::Text(_) | Item::ZeroTerminated => {
                let s = vm.check_string(args, next)?;
                next += 1;
                let text = vm.bytes(s);
                let n = if size == 0 { text.len() } else { size };
                if text.len() < n {
                    return Err(vm.bad_argument(next, b"string too short"));
                }
                vm.heap.memory.fits(out.len() + n + 1)?;
                out.extend_from_slice(&text[..n]);
                if item == Item::ZeroTerminated {
                    out.push(0);
                }
            }
            Item::Padding => out.push(0),
            Item::Unknown(c) => return Err(invalid_option(vm, c)),
        }
    }
    vm.push_vec(out)?;
    Ok(Step::Return)
}

fn unpack(vm: &mut Vm, args: Args) -> Result<Step> {
    let mut layout = Layout::new(vm, args)?;
    let s = vm.check_string(args, 1)?;
    let len = vm.bytes(s).len();
    let offset = vm.opt_integer(args, 2, 1)?;
    // Below zero it is very large.
    if offset == 0 {
        return Err(vm.bad_argument(2, b"offset must be 1 or greater"));
    }
    let mut at = usize::try_from(offset.wrapping_sub(1)).unwrap_or(usize::MAX);
    layout.is_past_end = at > len;
    while let Some((item, mut size)) = layout.next(vm)? {
        at = at.saturating_add(layout.gap(item, size, at));
        if at > len || size > len - at {
            return Err(vm.bad_argument(1, b"data string too short"));
        }
        if vm.ret.len() > super::base::VALUES_MAX {
            return Err(vm.error("stack overflow (too many results)"));
        }
        match item {
            Item::Signed(_) | Item::Unsigned(_) => {
                let signed = matches!(item, Item::Signed(_));
                let n = get(&vm.bytes(s)[at..at + size], layout.big, signed);
                vm.push(Value::Number(n));
            }
            Item::Float => {
                let bits = get(&vm.bytes(s)[at..at + 4], layout.big, false) as u32;
                vm.push(Value::Number(f32::from_bits(bits) as f64));
            }
            Item::Double => {
                let mut bytes = [0; 8];
                bytes.copy_from_slice(&vm.bytes(s)[at..at + 8]);
                let n = if layout.big { f64::from_be_bytes(bytes) } else { f64::from_le_bytes(bytes) };
                vm.push(Value::Number(n));
            }
            Item::Text(_) => {
                if size == 0 {
                    let Some(Value::Number(n)) = vm.ret.pop() else {
                        return Err(vm.error("format 'c0' needs a previous size"));
                    };
                    size = to_integer(n) as u64 as usize;
                    if size > len - at {
                        return Err(vm.bad_argument(1, b"data string too short"));
                    }
                }
                let text = vm.bytes(s)[at..at + size].to_vec();
                vm.push_vec(text)?;
            }
            Item::ZeroTerminated => {
                let Some(end) = memchr::memchr(0, &vm.bytes(s)[at..]) else {
                    return Err(vm.error("unfinished string in data"));
                };
                let text = vm.bytes(s)[at..at + end].to_vec();
                vm.push_vec(text)?;
                size = end + 1;
            }
            Item::Padding => {}
            Item::Unknown(c) => return Err(invalid_option(vm, c)),
        }
        at += size;
    }
    vm.push(Value::Number((at + 1) as f64));
    Ok(Step::Return)
}

fn size(vm: &mut Vm, args: Args) -> Result<Step> {
    let mut layout = Layout::new(vm, args)?;
    layout.is_measured = true;
    let mut at = 0usize;
    while let Some((item, size)) = layout.next(vm)? {
        at += layout.gap(item, size, at);
        match item {
            Item::ZeroTerminated => return Err(vm.bad_argument(0, b"option 's' has no fixed size")),
            Item::Text(0) => return Err(vm.bad_argument(0, b"option 'c0' has no fixed size")),
            _ => at = at.saturating_add(size),
        }
    }
    vm.push(Value::Number(at as f64));
    Ok(Step::Return)
}

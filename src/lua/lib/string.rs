//! `string`, apart from pattern matching itself and `format`.

use super::super::heap::HostKind;
use super::super::host::*;
use super::super::meta::INDEX;
use super::super::number::write_number;
use super::super::value::*;
use super::super::vm::Vm;
use super::base::VALUES_MAX;
use super::pattern::*;

pub fn open(vm: &mut Vm) -> Result<()> {
    let t = super::library(
        vm,
        "string",
        &[
            ("byte", byte),
            ("char", char),
            ("dump", dump),
            ("find", |vm, a| find(vm, a, true)),
            ("format", super::format::format),
            ("gfind", gmatch),
            ("gmatch", gmatch),
            ("gsub", gsub),
            ("len", len),
            ("lower", |vm, a| map(vm, a, <[u8]>::make_ascii_lowercase)),
            ("match", |vm, a| find(vm, a, false)),
            ("rep", rep),
            ("reverse", |vm, a| map(vm, a, <[u8]>::reverse)),
            ("sub", sub),
            ("upper", |vm, a| map(vm, a, <[u8]>::make_ascii_uppercase)),
        ],
    )?;
    let meta = vm.new_table(0, 1)?;
    vm.raw_set_bytes(meta, b"__index", Value::Table(t))?;
    vm.string_meta = meta.0;
    Ok(())
}

/// A position counted from 1, or from the end when negative.
fn position(i: i64, len: usize) -> i64 {
    if i >= 0 { i } else { (i.saturating_add(len as i64 + 1)).max(0) }
}

fn len(vm: &mut Vm, args: Args) -> Result<Step> {
    let s = vm.check_string(args, 0)?;
    vm.push(Value::Number(vm.bytes(s).len() as f64));
    Ok(Step::Return)
}

fn sub(vm: &mut Vm, args: Args) -> Result<Step> {
    let s = vm.check_string(args, 0)?;
    let len = vm.bytes(s).len();
    let first = position(vm.check_integer(args, 1)?, len).max(1) as usize;
    let last = position(vm.opt_integer(args, 2, -1)?, len).min(len as i64) as usize;
    if first > last {
        vm.push_bytes(b"")?;
    } else if first == 1 && last == len {
        vm.push(Value::Str(s));
    } else {
        let part = vm.bytes(s)[first - 1..last].to_vec();
        vm.push_vec(part)?;
    }
    Ok(Step::Return)
}

fn map(vm: &mut Vm, args: Args, f: fn(&mut [u8])) -> Result<Step> {
    let s = vm.check_string(args, 0)?;
    vm.heap.memory.fits(vm.bytes(s).len())?;
    let mut text = vm.bytes(s).to_vec();
    f(&mut text);
    vm.spend(text.len() / 16);
    vm.push_vec(text)?;
    Ok(Step::Return)
}

fn rep(vm: &mut Vm, args: Args) -> Result<Step> {
    let s = vm.check_string(args, 0)?;
    let n = vm.check_int(args, 1)?;
    let len = vm.bytes(s).len();
    if n <= 0 || len == 0 {
        vm.push_bytes(b"")?;
        return Ok(Step::Return);
    }
    let size = usize::try_from(n).ok().and_then(|n| n.checked_mul(len)).ok_or(OutOfMemory)?;
    vm.heap.memory.fits(size)?;
    vm.spend(size / 16);
    let text = vm.bytes(s).repeat(n as usize);
    vm.push_vec(text)?;
    Ok(Step::Return)
}

fn byte(vm: &mut Vm, args: Args) -> Result<Step> {
    let s = vm.check_string(args, 0)?;
    let len = vm.bytes(s).len();
    let first = position(vm.opt_integer(args, 1, 1)?, len);
    let last = position(vm.opt_integer(args, 2, first)?, len).min(len as i64);
    let first = first.max(1);
    if first > last {
        return Ok(Step::Return);
    }
    if last - first + 1 >= VALUES_MAX as i64 {
        return Err(vm.error("stack overflow (string slice too long)"));
    }
    for i in first..=last {
        let byte = vm.bytes(s)[i as usize - 1];
        vm.push(Value::Number(byte as f64));
    }
    Ok(Step::Return)
}

fn char(vm: &mut Vm, args: Args) -> Result<Step> {
    let mut text = Vec::with_capacity(args.n);
    for i in 0..args.n {
        match u8::try_from(vm.check_int(args, i)?) {
            Ok(c) => text.push(c),
            Err(_) => return Err(vm.bad_argument(i, b"invalid value")),
        }
    }
    vm.push_vec(text)?;
    Ok(Step::Return)
}

/// Gives the mark of compiled code and nothing else: there is no loading it back.
fn dump(vm: &mut Vm, args: Args) -> Result<Step> {
    match vm.arg(args, 0) {
        Value::Function(_) => vm.push_bytes(b"\x1bLuaQ\0")?,
        Value::Host(_) => return Err(vm.error("unable to dump given function")),
        _ => return Err(vm.type_error(args, 0, "function")),
    }
    Ok(Step::Return)
}

// Matching.

/// What a capture is, taken out of the matcher so that the machine is free again.
#[derive(Clone, Copy)]
struct Found {
    start: usize,
    end: usize,
    level: usize,
    captures: [Capture; CAPTURES_MAX],
}

impl Found {
    fn new(m: &Matcher, start: usize, end: usize) -> Found {
        Found { start, end, level: m.level, captures: m.captures }
    }
}

/// Pushes capture `i`; the whole match when there are none.
fn push_capture(vm: &mut Vm, source: Str, found: &Found, i: usize) -> Result<()> {
    let (start, end) = if i >= found.level {
        if i > 0 {
            return Err(vm.error("invalid capture index"));
        }
        (found.start, found.end)
    } else {
        let capture = found.captures[i];
        match capture.length {
            Length::Position => {
                vm.push(Value::Number((capture.start + 1) as f64));
                return Ok(());
            }
            Length::Unclosed => return Err(vm.error("unfinished capture")),
            Length::Bytes(n) => (capture.start, capture.start + n),
        }
    };
    let s = vm.heap_slice(source, start, end)?;
    vm.push(Value::Str(s));
    Ok(())
}

fn push_captures(vm: &mut Vm, source: Str, found: &Found, whole: bool) -> Result<()> {
    let n = if found.level == 0 && whole { 1 } else { found.level };
    for i in 0..n {
        push_capture(vm, source, found, i)?;
    }
    Ok(())
}

impl Vm {
    /// A part of a string as a string.
    fn heap_slice(&mut self, s: Str, start: usize, end: usize) -> Result<Str> {
        let bytes = self.heap.strings.bytes(s);
        if end - start > 64 {
            self.heap.memory.fits(end - start)?;
            let part = bytes[start..end].to_vec();
            return Ok(self.heap.string_from(part)?);
        }
        let mut part = [0u8; 64];
        let part = &mut part[..end - start];
        part.copy_from_slice(&bytes[start..end]);
        Ok(self.heap.string(part)?)
    }

    /// The first match at or after `at`.
    fn search(&mut self, s: Str, p: Str, mut at: usize, anchor: bool) -> Result<Option<Found>> {
        let (source, pattern) = (self.heap.strings.bytes(s), self.heap.strings.bytes(p));
        let mut m = Matcher::new(source, pattern);
        let outcome = loop {
            match m.match_at(at, anchor as usize) {
                Ok(Some(end)) => break Ok(Some(Found::new(&m, at, end))),
                Ok(None) if anchor || at >= source.len() => break Ok(None),
                Ok(None) => at += 1,
                Err(text) => break Err(text),
            }
        };
        let steps = m.steps;
        self.spend(steps / 4);
        outcome.map_err(|text| self.error(text))
    }
}

fn find(vm: &mut Vm, args: Args, positions: bool) -> Result<Step> {
    let s = vm.check_string(args, 0)?;
    let p = vm.check_string(args, 1)?;
    let len = vm.bytes(s).len();
    let init = position(vm.opt_integer(args, 2, 1)?, len).max(1) as usize - 1;
    let init = init.min(len);
    if positions && (vm.arg(args, 3).truthy() || is_plain(vm.bytes(p))) {
        let found = memchr::memmem::find(&vm.bytes(s)[init..], vm.bytes(p));
        vm.spend((len - init) / 64);
        match found {
            Some(at) => {
                let start = init + at;
                let end = start + vm.bytes(p).len();
                vm.ret.extend([Value::Number((start + 1) as f64), Value::Number(end as f64)]);
            }
            None => vm.push(Value::Nil),
        }
        return Ok(Step::Return);
    }
    let anchor = vm.bytes(p).first() == Some(&b'^');
    match vm.search(s, p, init, anchor)? {
        None => vm.push(Value::Nil),
        Some(found) => {
            if positions {
                vm.push(Value::Number((found.start + 1) as f64));
                vm.push(Value::Number(found.end as f64));
            }
            push_captures(vm, s, &found, !positions)?;
        }
    }
    Ok(Step::Return)
}

fn gmatch(vm: &mut Vm, args: Args) -> Result<Step> {
    let s = vm.check_string(args, 0)?;
    let p = vm.check_string(args, 1)?;
    let state = [Value::Str(s), Value::Str(p), Value::Number(0.0)];
    let f = vm.heap.host(HostKind::Builtin(gmatch_step), &state)?;
    vm.push(Value::Host(f));
    Ok(Step::Return)
}

fn gmatch_step(vm: &mut Vm, args: Args) -> Result<Step> {
    let (Value::Str(s), Value::Str(p), Value::Number(at)) =
        (vm.host_upvalue(args, 0), vm.host_upvalue(args, 1), vm.host_upvalue(args, 2))
    else {
        return Ok(Step::Return);
    };
    let at = at as usize;
    if at > vm.bytes(s).len() {
        return Ok(Step::Return);
    }
    let Some(found) = vm.search(s, p, at, false)? else { return Ok(Step::Return) };
    let next = if found.end == found.start { found.end + 1 } else { found.end };
    vm.set_host_upvalue(args, 2, Value::Number(next as f64));
    push_captures(vm, s, &found, true)?;
    Ok(Step::Return)
}

/// A substitution under way; kept on the heap while a replacement function runs.
struct Gsub {
    source: Str,
    pattern: Str,
    replacement: Value,
    anchor: bool,
    at: usize,
    count: i64,
    max: i64,
    out: Vec<u8>,
    found: Option<Found>,
}

fn gsub(vm: &mut Vm, args: Args) -> Result<Step> {
    let source = vm.check_string(args, 0)?;
    let pattern = vm.check_string(args, 1)?;
    let replacement = match vm.arg(args, 2) {
        Value::Number(_) => Value::Str(vm.check_string(args, 2)?),
        r @ (Value::Str(_) | Value::Table(_) | Value::Function(_) | Value::Host(_)) => r,
        _ => return Err(vm.bad_argument(2, b"string/function/table expected")),
    };
    let max = vm.opt_int(args, 3, vm.bytes(source).len() as i64 + 1)?;
    let anchor = vm.bytes(pattern).first() == Some(&b'^');
    let out = Vec::new();
    let state = Gsub { source, pattern, replacement, anchor, at: 0, count: 0, max, out, found: None };
    Box::new(state).run(vm)
}

impl Gsub {
    fn run(mut self: Box<Self>, vm: &mut Vm) -> Result<Step> {
        while self.count < self.max {
            let (source, pattern) = (vm.heap.strings.bytes(self.source), vm.heap.strings.bytes(self.pattern));
            let mut m = Matcher::new(source, pattern);
            // Literal stretches without a match are copied in this loop.
            let (mut error, mut found) = (None, None);
            loop {
                match m.match_at(self.at, self.anchor as usize) {
                    Ok(Some(end)) => found = Some(Found::new(&m, self.at, end)),
                    Ok(None) => {
                        if self.at < source.len() {
                            self.out.push(source[self.at]);
                            self.at += 1;
                            if !self.anchor {
                                continue;
                            }
                        }
                    }
                    Err(text) => error = Some(text),
                }
                break;
            }
            let steps = m.steps;
            vm.spend(steps / 4);
            if let Some(text) = error {
                return Err(vm.error(text));
            }
            let Some(found) = found else { break };
            self.count += 1;
            match self.replacement {
                Value::Str(r) => self.expand(vm, r, &found)?,
                f @ (Value::Function(_) | Value::Host(_)) => {
                    push_captures(vm, self.source, &found, true)?;
                    self.found = Some(found);
                    return Ok(vm.call_then(f, self));
                }
                table => {
                    vm.ret.clear();
                    push_capture(vm, self.source, &found, 0)?;
                    let key = vm.ret.pop().unwrap_or(Value::Nil);
                    match self.look_up(vm, table, key)? {
                        Ok(value) => self.add(vm, value, &found)?,
                        Err((handler, object)) => {
                            vm.ret.extend([object, key]);
                            self.found = Some(found);
                            return Ok(vm.call_then(handler, self));
                        }
                    }
                }
            }
            if !self.advance(vm, &found) {
                break;
            }
        }
        let source = vm.heap.strings.bytes(self.source);
        vm.heap.memory.fits(self.out.len().saturating_add(source.len()))?;
        self.out.extend_from_slice(source.get(self.at..).unwrap_or_default());
        vm.ret.clear();
        let out = std::mem::take(&mut self.out);
        vm.push_vec(out)?;
        vm.push(Value::Number(self.count as f64));
        Ok(Step::Return)
    }

    /// Steps over a match; false at the end.
    fn advance(&mut self, vm: &Vm, found: &Found) -> bool {
        let source = vm.heap.strings.bytes(self.source);
        if found.end > found.start {
            self.at = found.end;
        } else if self.at < source.len() {
            self.out.push(source[self.at]);
            self.at += 1;
        } else {
            return false;
        }
        !self.anchor
    }

    /// `table[key]`, or the function of `__index` and the object to give it.
    fn look_up(&mut self, vm: &mut Vm, table: Value, key: Value) -> Result<Result<Value, (Value, Value)>> {
        let mut at = table;
        for _ in 0..100 {
            if let Value::Table(t) = at {
                let value = vm.raw_get(t, key);
                if !value.is_nil() {
                    return Ok(Ok(value));
                }
            }
            let handler = vm.metamethod(at, INDEX);
            match handler {
                Value::Nil if matches!(at, Value::Table(_)) => return Ok(Ok(Value::Nil)),
                Value::Nil => {
                    let text = join(&[b"attempt to index a ", at.type_name().as_bytes(), b" value"]);
                    return Err(vm.error_plain(&text));
                }
                Value::Function(_) | Value::Host(_) => return Ok(Err((handler, at))),
                _ => at = handler,
            }
        }
        Err(vm.error_plain(b"loop in gettable"))
    }

    fn grow(&mut self, vm: &Vm, more: usize) -> Result<()> {
        let wanted = self.out.len() + more;
        if wanted > self.out.capacity() {
            vm.heap.memory.fits(wanted.saturating_mul(2))?;
        }
        Ok(())
    }

    /// Appends what the match becomes.
    fn add(&mut self, vm: &mut Vm, value: Value, found: &Found) -> Result<()> {
        match value {
            Value::Nil | Value::Bool(false) => {
                self.grow(vm, found.end - found.start)?;
                self.out.extend_from_slice(&vm.heap.strings.bytes(self.source)[found.start..found.end]);
            }
            Value::Str(s) => {
                self.grow(vm, vm.bytes(s).len())?;
                self.out.extend_from_slice(vm.bytes(s));
            }
            Value::Number(n) => write_number(&mut self.out, n),
            other => {
                let kind = other.type_name().as_bytes();
                return Err(vm.error_bytes(&join(&[b"invalid replacement value (a ", kind, b")"])));
            }
        }
        Ok(())
    }

    /// Appends a replacement text with its `%1`.
    fn expand(&mut self, vm: &mut Vm, r: Str, found: &Found) -> Result<()> {
        let len = vm.bytes(r).len();
        self.grow(vm, len)?;
        vm.spend(len / 16);
        if memchr::memchr(b'%', vm.bytes(r)).is_none() {
            self.out.extend_from_slice(vm.heap.strings.bytes(r));
            return Ok(());
        }
        let mut i = 0;
        while let Some(c) = vm.heap.strings.bytes(r).get(i).copied() {
            i += 1;
            if c != b'%' {
                self.out.push(c);
                continue;
            }
            let c = vm.heap.strings.bytes(r).get(i).copied().unwrap_or(0);
            i += 1;
            match c {
                b'0' => self.add(vm, Value::Nil, found)?,
                b'1'..=b'9' => {
                    vm.ret.clear();
                    push_capture(vm, self.source, found, (c - b'1') as usize)?;
                    let value = vm.ret.pop().unwrap_or(Value::Nil);
                    self.add(vm, value, found)?;
                }
                c => self.out.push(c),
            }
        }
        Ok(())
    }
}

impl Continuation for Gsub {
    fn resume(mut self: Box<Self>, vm: &mut Vm, results: Args) -> Result<Step> {
        let Some(found) = self.found.take() else { return Ok(Step::Return) };
        let value = vm.arg(results, 0);
        self.add(vm, value, &found)?;
        if !self.advance(vm, &found) {
            self.max = self.count;
        }
        self.run(vm)
    }

    fn trace(&self, mark: &mut dyn FnMut(Value)) {
        mark(Value::Str(self.source));
        mark(Value::Str(self.pattern));
        mark(self.replacement);
    }
}

//! The slow roads of instructions: coercions, metamethods, and the errors when nothing helps.
//! A metamethod is called by pushing frames; what to do with its result stands in a frame of its own.

use super::coroutine::{Frame, Kind};
use super::host::join;
use super::number::{power, write_number};
use super::proto::{Arith, Op};
use super::table::NO_META;
use super::value::*;
use super::vm::{Act, FRAME, Vm};

pub(crate) const EVENTS: [&str; 16] = [
    "__index",
    "__newindex",
    "__call",
    "__eq",
    "__lt",
    "__le",
    "__concat",
    "__unm",
    "__len",
    "__add",
    "__sub",
    "__mul",
    "__div",
    "__mod",
    "__pow",
    "__tostring",
];

pub(crate) const INDEX: usize = 0;
pub(crate) const NEWINDEX: usize = 1;
pub(crate) const CALL: usize = 2;
pub(crate) const EQ: usize = 3;
pub(crate) const LT: usize = 4;
pub(crate) const LE: usize = 5;
pub(crate) const CONCAT: usize = 6;
pub(crate) const UNM: usize = 7;
pub(crate) const LEN: usize = 8;
pub(crate) const ADD: usize = 9;
pub(crate) const TOSTRING: usize = 15;

/// How many tables an `__index` chain may pass.
const CHAIN_MAX: usize = 100;

/// The NaN of an operation: an operand's, or the negative one x86 makes of invalid operations.
#[cold]
pub(crate) fn nan(x: f64, y: f64) -> f64 {
    if x.is_nan() {
        x
    } else if y.is_nan() {
        y
    } else {
        f64::from_bits(0xfff8 << 48)
    }
}

#[inline]
pub(crate) fn modulo(x: f64, y: f64) -> f64 {
    let quotient = x / y;
    // floor, for quotients an i64 holds
    let whole = quotient as i64 as f64;
    let floor = if quotient.abs() < 9e18 {
        if whole > quotient { whole - 1.0 } else { whole }
    } else {
        quotient.floor()
    };
    x - floor * y
}

pub(crate) fn arith(op: Arith, x: f64, y: f64) -> f64 {
    let r = match op {
        Arith::Add => x + y,
        Arith::Sub => x - y,
        Arith::Mul => x * y,
        Arith::Div => x / y,
        Arith::Mod => modulo(x, y),
        Arith::Pow => power(x, y),
    };
    if r.is_nan() { nan(x, y) } else { r }
}

impl Vm {
    pub(crate) fn meta_of(&self, value: Value) -> u32 {
        match value {
            Value::Table(t) => self.heap.object(t).meta,
            Value::Userdata(u) => self.heap.userdata.items[u.0 as usize].meta,
            Value::Str(_) => self.string_meta,
            _ => NO_META,
        }
    }

    /// A metamethod by metatable; absences are remembered in the metatable.
    #[inline]
    pub(crate) fn event(&mut self, meta: u32, event: usize) -> Value {
        if meta == NO_META {
            return Value::Nil;
        }
        let table = &mut self.heap.tables.items[meta as usize];
        if table.absent & 1 << event != 0 {
            return Value::Nil;
        }
        let name = self.events[event];
        let found = table.get_short(name, self.heap.strings.hash(name));
        if found.is_nil() {
            table.absent |= 1 << event;
        }
        found
    }

    #[inline]
    pub(crate) fn metamethod(&mut self, value: Value, event: usize) -> Value {
        self.event(self.meta_of(value), event)
    }

    /// The first free stack index above the running Lua function.
    pub(crate) fn above(&self) -> usize {
        let Some(frame) = self.frames.last() else { return 0 };
        let registers = self.heap.closures.items[frame.closure as usize]
            .body
            .as_ref()
            .map_or(0, |b| b.proto.registers as usize);
        frame.base as usize + registers
    }

    fn call_meta(&mut self, kind: Kind, aux: usize, f: Value, args: &[Value]) -> Result<Act> {
        let at = self.above();
        self.push_boundary(Frame { kind, aux: aux as u32, func: at as u32, ..FRAME })?;
        self.ensure_stack(at + args.len() + 1)?;
        self.stack[at] = f;
        self.stack[at + 1..at + 1 + args.len()].copy_from_slice(args);
        Ok(self.will_call(at, args.len(), -1))
    }

    /// `object[key]` to the register at stack index `dest`. `operand` is where `object` is.
    pub(crate) fn index(
        &mut self,
        object: Value,
        key: Value,
        dest: usize,
        operand: Option<u16>,
    ) -> Result<Act> {
        let mut at = object;
        for hop in 0..CHAIN_MAX {
            let handler = if let Value::Table(t) = at {
                let found = self.heap.get(t, key);
                if !found.is_nil() {
                    self.stack[dest] = found;
                    return Ok(Act::Lua);
                }
                let handler = self.event(self.heap.object(t).meta, INDEX);
                if handler.is_nil() {
                    self.stack[dest] = Value::Nil;
                    return Ok(Act::Lua);
                }
                handler
            } else {
                let handler = self.metamethod(at, INDEX);
                if handler.is_nil() {
                    return Err(self.operand_error("index", at, operand.filter(|_| hop == 0)));
                }
                handler
            };
            if matches!(handler, Value::Function(_) | Value::Host(_)) {
                return self.call_meta(Kind::Store, dest, handler, &[at, key]);
            }
            at = handler;
        }
        Err(self.run_error(b"loop in gettable"))
    }

    /// `object[key] = value`.
    pub(crate) fn set_index(
        &mut self,
        object: Value,
        key: Value,
        value: Value,
        operand: Option<u16>,
    ) -> Result<Act> {
        let mut at = object;
        for hop in 0..CHAIN_MAX {
            let handler = if let Value::Table(t) = at {
                let meta = self.heap.object(t).meta;
                let handler = if meta != NO_META && self.heap.get(t, key).is_nil() {
                    self.event(meta, NEWINDEX)
                } else {
                    Value::Nil
                };
                if handler.is_nil() {
                    self.check_key(key)?;
                    if self.heap.object(t).readonly {
                        return Err(self.run_error(b"Attempt to modify a readonly table"));
                    }
                    self.heap.set(t, key, value)?;
                    return Ok(Act::Lua);
                }
                handler
            } else {
                let handler = self.metamethod(at, NEWINDEX);
                if handler.is_nil() {
                    return Err(self.operand_error("index", at, operand.filter(|_| hop == 0)));
                }
                handler
            };
            if matches!(handler, Value::Function(_) | Value::Host(_)) {
                return self.call_meta(Kind::Discard, 0, handler, &[at, key, value]);
            }
            at = handler;
        }
        Err(self.run_error(b"loop in settable"))
    }

    pub(crate) fn check_key(&mut self, key: Value) -> Result<()> {
        match key {
            Value::Nil => Err(self.run_error(b"table index is nil")),
            Value::Number(n) if n.is_nan() => Err(self.run_error(b"table index is NaN")),
            _ => Ok(()),
        }
    }

    pub(crate) fn arith_slow(
        &mut self,
        op: Arith,
        x: Value,
        y: Value,
        operands: (u16, u16),
        dest: usize,
    ) -> Result<Act> {
        if let (Some(a), Some(b)) = (self.to_number(x), self.to_number(y)) {
            self.stack[dest] = Value::Number(arith(op, a, b));
            return Ok(Act::Lua);
        }
        let event = ADD + op as usize;
        let mut handler = self.metamethod(x, event);
        if handler.is_nil() {
            handler = self.metamethod(y, event);
        }
        if !handler.is_nil() {
            return self.call_meta(Kind::Store, dest, handler, &[x, y]);
        }
        let (wrong, operand) = if self.to_number(x).is_none() { (x, operands.0) } else { (y, operands.1) };
        Err(self.operand_error("perform arithmetic on", wrong, Some(operand)))
    }

    pub(crate) fn minus_slow(&mut self, x: Value, operand: u16, dest: usize) -> Result<Act> {
        if let Some(n) = self.to_number(x) {
            self.stack[dest] = Value::Number(-n);
            return Ok(Act::Lua);
        }
        let handler = self.metamethod(x, UNM);
        if !handler.is_nil() {
            return self.call_meta(Kind::Store, dest, handler, &[x, x]);
        }
        Err(self.operand_error("perform arithmetic on", x, Some(operand)))
    }

    pub(crate) fn len(&mut self, x: Value, operand: u16, dest: usize) -> Result<Act> {
        self.stack[dest] = match x {
            Value::Table(t) => Value::Number(self.length(t) as f64),
            Value::Str(s) => Value::Number(self.bytes(s).len() as f64),
            _ => {
                let handler = self.metamethod(x, LEN);
                if !handler.is_nil() {
                    return self.call_meta(Kind::Store, dest, handler, &[x, Value::Nil]);
                }
                return Err(self.operand_error("get length of", x, Some(operand)));
            }
        };
        Ok(Act::Lua)
    }

    // Comparisons. The outcome decides the jump that follows.

    fn test_now(&mut self, outcome: bool, expected: bool) -> Result<Act> {
        self.conclude_test(outcome == expected);
        Ok(Act::Lua)
    }

    /// Takes the jump at the saved pc or steps over it.
    pub(crate) fn conclude_test(&mut self, jump: bool) {
        let Some(frame) = self.frames.last_mut() else { return };
        let Some(body) = &self.heap.closures.items[frame.closure as usize].body else { return };
        if jump && let Op::Jmp { to } = body.proto.code[frame.pc as usize] {
            frame.pc = (frame.pc as i64 + 1 + to as i64) as u32;
        } else {
            frame.pc += 1;
        }
    }

    /// After the iterator of a `for` gave its values at `func`: keep the control value or leave the loop.
    pub(crate) fn conclude_iteration(&mut self, func: usize) {
        let control = self.stack[func];
        if !control.is_nil() {
            self.stack[func - 1] = control;
        }
        self.conclude_test(!control.is_nil());
    }

    pub(crate) fn iterate(&mut self, a: usize, wanted: usize) -> Result<Act> {
        for i in 0..3 {
            self.stack[a + 3 + i] = self.stack[a + i];
        }
        let func = (a + 3) as u32;
        self.push_boundary(Frame { kind: Kind::Iterate, wanted: wanted as i32, func, ..FRAME })?;
        // The values move up by what a library function's name in messages needs: nothing.
        Ok(self.will_call(a + 3, 2, -1))
    }

    pub(crate) fn equal_slow(&mut self, x: Value, y: Value, expected: bool) -> Result<Act> {
        let outcome = self.heap.strings.raw_equal(x, y);
        let comparable =
            matches!((x, y), (Value::Table(_), Value::Table(_)) | (Value::Userdata(_), Value::Userdata(_)));
        if outcome || !comparable {
            return self.test_now(outcome, expected);
        }
        match self.common_handler(x, y, EQ) {
            Some(handler) => self.call_meta(Kind::Test, expected as usize, handler, &[x, y]),
            None => self.test_now(false, expected),
        }
    }

    /// A comparison's metamethod, if both operands have the same.
    fn common_handler(&mut self, x: Value, y: Value, event: usize) -> Option<Value> {
        let first = self.metamethod(x, event);
        let second = self.metamethod(y, event);
        (!first.is_nil() && first.same(second)).then_some(first)
    }

    /// `x < y` for library functions: the answer, or the metamethod that knows it.
    pub(crate) fn less(&mut self, x: Value, y: Value) -> Result<bool, Value> {
        match (x, y) {
            (Value::Number(x), Value::Number(y)) => Ok(x < y),
            (Value::Str(x), Value::Str(y)) => Ok(self.bytes(x) < self.bytes(y)),
            _ => Err(self.common_handler(x, y, LT).unwrap_or(Value::Nil)),
        }
    }

    pub(crate) fn less_slow(&mut self, x: Value, y: Value, expected: bool) -> Result<Act> {
        match self.less(x, y) {
            Ok(outcome) => self.test_now(outcome, expected),
            Err(Value::Nil) => Err(self.compare_error(x, y)),
            Err(handler) => self.call_meta(Kind::Test, expected as usize, handler, &[x, y]),
        }
    }

    pub(crate) fn less_equal_slow(&mut self, x: Value, y: Value, expected: bool) -> Result<Act> {
        match (x, y) {
            (Value::Number(x), Value::Number(y)) => self.test_now(x <= y, expected),
            (Value::Str(x), Value::Str(y)) => self.test_now(self.bytes(x) <= self.bytes(y), expected),
            _ => {
                if x.type_name() == y.type_name() {
                    if let Some(handler) = self.common_handler(x, y, LE) {
                        return self.call_meta(Kind::Test, expected as usize, handler, &[x, y]);
                    }
                    if let Some(handler) = self.common_handler(y, x, LT) {
                        return self.call_meta(Kind::Test, expected as usize | 2, handler, &[y, x]);
                    }
                }
                Err(self.compare_error(x, y))
            }
        }
    }

    // Concatenation, from the right.

    /// Joins registers b to c of the running function into a.
    pub(crate) fn concat(&mut self, base: usize, b: u8, c: u8) -> Result<Act> {
        self.concat_from(base + b as usize, base + c as usize)
    }

    fn concat_from(&mut self, first: usize, mut last: usize) -> Result<Act> {
        while last > first {
            // As many strings and numbers as there are at the end.
            let mut start = last + 1;
            while start > first && matches!(self.stack[start - 1], Value::Str(_) | Value::Number(_)) {
                start -= 1;
            }
            if start < last {
                let joined = self.join_registers(start, last)?;
                self.stack[start] = joined;
                last = start;
                continue;
            }
            let (x, y) = (self.stack[last - 1], self.stack[last]);
            let mut handler = self.metamethod(x, CONCAT);
            if handler.is_nil() {
                handler = self.metamethod(y, CONCAT);
            }
            if handler.is_nil() {
                let base = self.frames.last().map_or(0, |f| f.base as usize);
                let fine = matches!(x, Value::Str(_) | Value::Number(_));
                let (wrong, at) = if fine { (y, last) } else { (x, last - 1) };
                return Err(self.operand_error("concatenate", wrong, Some((at - base) as u16)));
            }
            return self.call_meta(Kind::Concat, last - 1, handler, &[x, y]);
        }
        let Some(frame) = self.frames.last() else { return Ok(Act::Lua) };
        if let Some(body) = &self.heap.closures.items[frame.closure as usize].body
            && let Op::Concat { a, .. } = body.proto.code[frame.pc as usize - 1]
        {
            self.stack[frame.base as usize + a as usize] = self.stack[first];
        }
        Ok(Act::Lua)
    }

    /// After a metamethod joined the value at `at` with what followed.
    pub(crate) fn continue_concat(&mut self, at: usize, value: Value) -> Result<Act> {
        self.stack[at] = value;
        let Some(frame) = self.frames.last() else { return Ok(Act::Lua) };
        let Some(body) = &self.heap.closures.items[frame.closure as usize].body else { return Ok(Act::Lua) };
        let Op::Concat { b, .. } = body.proto.code[frame.pc as usize - 1] else { return Ok(Act::Lua) };
        let first = frame.base as usize + b as usize;
        self.concat_from(first, at)
    }

    fn join_registers(&mut self, first: usize, last: usize) -> Result<Value> {
        let mut size = 0usize;
        for i in first..=last {
            size = size.saturating_add(match self.stack[i] {
                Value::Str(s) => self.bytes(s).len(),
                _ => 24,
            });
        }
        self.budget -= (size / 64) as i64;
        if size > 1 << 16 && self.heap.memory.fits(size).is_err() {
            self.collect(self.above());
        }
        self.heap.memory.fits(size)?;
        let mut text = if size > 64 { Vec::with_capacity(size) } else { std::mem::take(&mut self.buffer) };
        text.clear();
        for value in &self.stack[first..=last] {
            match value {
                Value::Str(s) => text.extend_from_slice(self.heap.strings.bytes(*s)),
                Value::Number(n) => write_number(&mut text, *n),
                _ => {}
            }
        }
        if size > 64 {
            return Ok(Value::Str(self.heap.string_from(text)?));
        }
        let s = self.heap.string(&text);
        self.buffer = text;
        Ok(Value::Str(s?))
    }

    /// What `tostring` makes of a value without metamethods.
    pub fn display(&self, value: Value) -> Vec<u8> {
        let mut text = Vec::new();
        match value {
            Value::Nil | Value::Tombstone(_) => text.extend_from_slice(b"nil"),
            Value::Bool(b) => text.extend_from_slice(if b { b"true" } else { b"false" }),
            Value::Number(n) => write_number(&mut text, n),
            Value::Str(s) => text.extend_from_slice(self.bytes(s)),
            Value::Light(0) => text.extend_from_slice(b"userdata: (nil)"),
            Value::Table(Table(i)) => text = address(value, 1, i),
            Value::Function(Closure(i)) => text = address(value, 2, i),
            Value::Host(HostFunction(i)) => text = address(value, 3, i),
            Value::Userdata(Userdata(i)) => text = address(value, 4, i),
            Value::Coroutine(Coroutine(i)) => text = address(value, 5, i),
            Value::Light(i) => text = address(value, 6, i),
        }
        text
    }
}

/// "table: 0x100000a0": looks like an address, is the same in every run.
fn address(value: Value, space: u32, index: u32) -> Vec<u8> {
    let mut n = (space << 28).wrapping_add(index.wrapping_mul(32));
    let mut digits = [b'0'; 8];
    for digit in digits.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(n & 15) as usize];
        n >>= 4;
    }
    join(&[value.type_name().as_bytes(), b": 0x", &digits])
}

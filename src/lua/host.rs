//! What a host and the libraries see of the machine: arguments, results, errors, continuations.

use super::number::{parse_number, to_integer, write_number};
use super::value::*;
use super::vm::Vm;

/// The program around the machine: answers the functions it registered by number.
pub trait Host {
    /// Arguments are read with `vm.arg`, results pushed with `vm.push`.
    fn call(&mut self, vm: &mut Vm, id: u32, args: Args) -> Result<Step>;
}

/// A host without functions.
pub struct NoHost;

impl Host for NoHost {
    fn call(&mut self, vm: &mut Vm, _: u32, _: Args) -> Result<Step> {
        Err(vm.error("no such function"))
    }
}

/// Where the arguments of a host function are. Valid until it returns.
#[derive(Clone, Copy, Debug)]
pub struct Args {
    pub(crate) base: usize,
    pub n: usize,
    /// The function itself, for its upvalues.
    pub(crate) function: u32,
}

pub type Builtin = fn(&mut Vm, Args) -> Result<Step>;

/// What a library function wants next. `Call` and `TailCall` come from `Vm::call_then` and `Vm::call_last`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// The pushed values are the results.
    Return,
    #[doc(hidden)]
    Call,
    #[doc(hidden)]
    TailCall,
}

/// The rest of a library function that called back: kept on the heap, so a script can pause inside.
pub trait Continuation {
    /// Gets the results of the call.
    fn resume(self: Box<Self>, vm: &mut Vm, results: Args) -> Result<Step>;
    /// Shows the values it holds to the collector.
    fn trace(&self, _mark: &mut dyn FnMut(Value)) {}
}

pub(crate) fn join(parts: &[&[u8]]) -> Vec<u8> {
    let mut text = Vec::with_capacity(parts.iter().map(|p| p.len()).sum());
    for part in parts {
        text.extend_from_slice(part);
    }
    text
}

impl Vm {
    /// Argument `i`, from 0; nil when it is missing.
    #[inline]
    pub fn arg(&self, args: Args, i: usize) -> Value {
        if i < args.n { self.stack[args.base + i] } else { Value::Nil }
    }

    pub(crate) fn set_arg(&mut self, args: Args, i: usize, value: Value) {
        self.stack[args.base + i] = value;
    }

    /// Upvalue `i` of the running host function.
    pub(crate) fn host_upvalue(&self, args: Args, i: usize) -> Value {
        self.heap.hosts.items[args.function as usize].upvalues[i]
    }

    pub(crate) fn set_host_upvalue(&mut self, args: Args, i: usize, value: Value) {
        self.heap.hosts.items[args.function as usize].upvalues[i] = value;
    }

    /// Adds a result.
    #[inline]
    pub fn push(&mut self, value: Value) {
        self.ret.push(value);
    }

    #[inline(never)]
    pub fn push_bytes(&mut self, bytes: &[u8]) -> Result<()> {
        let s = self.heap.string(bytes)?;
        self.ret.push(Value::Str(s));
        Ok(())
    }

    #[inline(never)]
    pub(crate) fn push_vec(&mut self, bytes: Vec<u8>) -> Result<()> {
        let s = self.heap.string_from(bytes)?;
        self.ret.push(Value::Str(s));
        Ok(())
    }

    /// Counts work of a library against the budget.
    #[inline]
    pub fn spend(&mut self, steps: usize) {
        self.budget -= steps as i64;
    }

    /// Calls a function with the pushed values, then continues.
    pub fn call_then(&mut self, function: Value, rest: Box<dyn Continuation>) -> Step {
        self.callee = function;
        self.continuations.push(rest);
        Step::Call
    }

    /// Calls a function with the pushed values; its results are the results.
    pub fn call_last(&mut self, function: Value) -> Step {
        self.callee = function;
        Step::TailCall
    }

    // Errors.

    /// An error with the text alone.
    #[cold]
    #[inline(never)]
    pub fn error_plain(&mut self, text: &[u8]) -> Error {
        match self.heap.string(text) {
            Ok(s) => Error(Value::Str(s)),
            Err(e) => e.into(),
        }
    }

    /// An error from within a host function: the text after the position of the caller.
    #[cold]
    #[inline(never)]
    pub fn error(&mut self, text: &str) -> Error {
        self.error_bytes(text.as_bytes())
    }

    #[cold]
    #[inline(never)]
    pub fn error_bytes(&mut self, text: &[u8]) -> Error {
        let position = self.position(1);
        self.error_plain(&join(&[&position, text]))
    }

    /// "bad argument #1 to 'f' (…)"; `i` from 0.
    #[cold]
    #[inline(never)]
    pub fn bad_argument(&mut self, i: usize, why: &[u8]) -> Error {
        let (method, name) = self.called_name();
        let mut number = i + 1;
        if method {
            number -= 1;
            if number == 0 {
                return self.error_bytes(&join(&[b"calling '", &name, b"' on bad self (", why, b")"]));
            }
        }
        let mut buffer = itoa::Buffer::new();
        let number = buffer.format(number).as_bytes();
        self.error_bytes(&join(&[b"bad argument #", number, b" to '", &name, b"' (", why, b")"]))
    }

    #[cold]
    #[inline(never)]
    pub fn type_error(&mut self, args: Args, i: usize, expected: &str) -> Error {
        let got = if i < args.n { self.arg(args, i).type_name() } else { "no value" };
        self.bad_argument(i, &join(&[expected.as_bytes(), b" expected, got ", got.as_bytes()]))
    }

    // Checked arguments.

    pub fn check_any(&mut self, args: Args, i: usize) -> Result<Value> {
        if i < args.n { Ok(self.arg(args, i)) } else { Err(self.bad_argument(i, b"value expected")) }
    }

    #[inline]
    pub fn check_number(&mut self, args: Args, i: usize) -> Result<f64> {
        match self.arg(args, i) {
            Value::Number(n) => Ok(n),
            value => self.check_number_text(args, i, value),
        }
    }

    #[inline(never)]
    fn check_number_text(&mut self, args: Args, i: usize, value: Value) -> Result<f64> {
        match self.to_number(value) {
            Some(n) => Ok(n),
            None => Err(self.type_error(args, i, "number")),
        }
    }

    #[inline(never)]
    pub fn check_integer(&mut self, args: Args, i: usize) -> Result<i64> {
        self.check_number(args, i).map(to_integer)
    }

    #[inline(never)]
    pub fn opt_integer(&mut self, args: Args, i: usize, default: i64) -> Result<i64> {
        if self.arg(args, i).is_nil() { Ok(default) } else { self.check_integer(args, i) }
    }

    /// As [`Vm::check_integer`], cut to the 32 bits of C's `int` as lua5.1 does in many places.
    #[inline(never)]
    pub fn check_int(&mut self, args: Args, i: usize) -> Result<i64> {
        self.check_integer(args, i).map(|n| i64::from(n as i32))
    }

    #[inline(never)]
    pub fn opt_int(&mut self, args: Args, i: usize, default: i64) -> Result<i64> {
        if self.arg(args, i).is_nil() { Ok(default) } else { self.check_int(args, i) }
    }

    #[inline(never)]
    pub fn check_string(&mut self, args: Args, i: usize) -> Result<Str> {
        match self.arg(args, i) {
            Value::Str(s) => Ok(s),
            Value::Number(n) => {
                let s = self.number_string(n)?;
                self.set_arg(args, i, Value::Str(s));
                Ok(s)
            }
            _ => Err(self.type_error(args, i, "string")),
        }
    }

    #[inline(never)]
    pub fn check_table(&mut self, args: Args, i: usize) -> Result<Table> {
        match self.arg(args, i) {
            Value::Table(t) => Ok(t),
            _ => Err(self.type_error(args, i, "table")),
        }
    }

    // Conversions.

    pub fn bytes(&self, s: Str) -> &[u8] {
        self.heap.strings.bytes(s)
    }

    #[inline(never)]
    pub fn number_string(&mut self, n: f64) -> Result<Str> {
        let mut text = std::mem::take(&mut self.buffer);
        text.clear();
        write_number(&mut text, n);
        let s = self.heap.string(&text);
        self.buffer = text;
        Ok(s?)
    }

    /// A number, or a string that reads as one.
    #[inline]
    pub fn to_number(&self, value: Value) -> Option<f64> {
        match value {
            Value::Number(n) => Some(n),
            Value::Str(s) => parse_number(self.bytes(s)),
            _ => None,
        }
    }

    pub fn new_string(&mut self, bytes: &[u8]) -> Result<Value> {
        Ok(Value::Str(self.heap.string(bytes)?))
    }

    pub fn new_table(&mut self, array: usize, hash: usize) -> Result<Table> {
        Ok(self.heap.table(array, hash)?)
    }

    pub fn raw_get(&self, t: Table, key: Value) -> Value {
        self.heap.get(t, key)
    }

    pub fn raw_get_bytes(&mut self, t: Table, key: &[u8]) -> Value {
        match self.heap.string(key) {
            Ok(s) => self.heap.get(t, Value::Str(s)),
            Err(_) => Value::Nil,
        }
    }

    pub fn raw_get_index(&self, t: Table, i: usize) -> Value {
        self.heap.object(t).get_index(i)
    }

    /// Sets without metamethods, in read-only tables too. The key is not nil and not NaN.
    pub fn raw_set(&mut self, t: Table, key: Value, value: Value) -> Result<()> {
        Ok(self.heap.set(t, key, value)?)
    }

    pub fn raw_set_bytes(&mut self, t: Table, key: &[u8], value: Value) -> Result<()> {
        let key = self.new_string(key)?;
        self.raw_set(t, key, value)
    }

    pub fn raw_set_index(&mut self, t: Table, i: usize, value: Value) -> Result<()> {
        Ok(self.heap.set_index(t, i, value)?)
    }

    /// The entry after `key`, beginning with nil; nil after the last.
    pub fn next(&self, t: Table, key: Value) -> Option<(Value, Value)> {
        self.heap.object(t).next(key, &self.heap.strings)
    }

    /// What `#` gives.
    pub fn length(&self, t: Table) -> usize {
        self.heap.object(t).border()
    }

    pub fn set_readonly(&mut self, t: Table, readonly: bool) {
        self.heap.object_mut(t).readonly = readonly;
    }

    pub fn is_readonly(&self, t: Table) -> bool {
        self.heap.object(t).readonly
    }

    pub fn metatable(&self, t: Table) -> Option<Table> {
        let meta = self.heap.object(t).meta;
        (meta != super::table::NO_META).then_some(Table(meta))
    }

    pub fn set_metatable(&mut self, t: Table, meta: Option<Table>) {
        self.heap.object_mut(t).meta = meta.map_or(super::table::NO_META, |m| m.0);
    }

    pub(crate) fn check_writable(&mut self, t: Table) -> Result<()> {
        if self.heap.object(t).readonly {
            // Library functions, as C functions, have no position.
            return Err(self.error_plain(b"Attempt to modify a readonly table"));
        }
        Ok(())
    }
}

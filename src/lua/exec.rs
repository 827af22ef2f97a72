//! The instruction loop. Every Lua function runs here without recursion.
//!
//! Registers are a window of 256 values of the stack, so a register number in a byte needs no bounds check.
//! Whatever can change the stack or the frames ends with `continue 'window` or `continue 'frame`.

use std::rc::Rc;

use super::coroutine::{Kind, WINDOW};
use super::heap::{Body, HostKind, Special, Upvalue};
use super::host::Host;
use super::meta::{INDEX, modulo, nan};
use super::proto::*;
use super::table::NO_META;
use super::value::*;
use super::vm::*;

#[inline(always)]
fn window(stack: &mut [Value], base: usize) -> &mut [Value; WINDOW] {
    (&mut stack[base..base + WINDOW]).try_into().expect("the slice has that length")
}

impl Vm {
    /// Runs the Lua function on top, and those it calls and returns to.
    pub(crate) fn execute(&mut self, host: &mut dyn Host) -> Result<Exit> {
        'frame: loop {
            let Some(frame) = self.frames.last() else { return Ok(Exit::Done) };
            debug_assert_eq!(frame.kind, Kind::Lua);
            let (base, closure) = (frame.base as usize, frame.closure as usize);
            let mut pc = frame.pc as usize;
            let current = self.current;
            let Some(body) = self.heap.closures.items[closure].body.clone() else { return Ok(Exit::Done) };
            let proto = &*body.proto;
            let code = &proto.code[..];
            let constants = &proto.constants[..];
            let hashes = &proto.hashes[..];
            'window: loop {
                let env = self.heap.closures.items[closure].env;
                let regs = window(&mut self.stack, base);

                macro_rules! save {
                    () => {
                        if let Some(frame) = self.frames.last_mut() {
                            frame.pc = pc as u32;
                        }
                    };
                }
                // An act that may call; its instruction is done unless it says so.
                macro_rules! act {
                    ($act:expr) => {{
                        save!();
                        match $act {
                            Act::Lua => {
                                pc = self.frames.last().map_or(0, |f| f.pc as usize);
                                continue 'window;
                            }
                            act => match self.drive(host, act)? {
                                Flow::Lua => continue 'frame,
                                Flow::Exit(exit) => return Ok(exit),
                            },
                        }
                    }};
                }
                macro_rules! operand {
                    ($x:expr) => {
                        if $x < CONSTANT {
                            &regs[$x as u8 as usize]
                        } else {
                            &constants[($x - CONSTANT) as usize]
                        }
                    };
                }
                // Backward jumps pay for the instructions they repeat, and are where a script can pause.
                macro_rules! jump {
                    ($to:expr) => {{
                        let to = $to;
                        pc = (pc as isize + to as isize) as usize;
                        if to < 0 {
                            self.budget += to as i64;
                            if self.budget <= 0 {
                                save!();
                                return Ok(Exit::Paused);
                            }
                        }
                    }};
                }
                macro_rules! test {
                    ($outcome:expr, $expected:expr) => {
                        if $outcome == $expected {
                            if let Op::Jmp { to } = code[pc] {
                                pc += 1;
                                jump!(to);
                            }
                        } else {
                            pc += 1;
                        }
                    };
                }
                macro_rules! arith {
                    ($a:expr, $x:expr, $y:expr, $op:tt, $kind:expr, $operands:expr) => {{
                        // By reference: a value copied whole right after its parts were written waits.
                        if let (&Value::Number(x), &Value::Number(y)) = (&$x, &$y) {
                            let r = x $op y;
                            regs[$a as usize] = Value::Number(if r.is_nan() { nan(x, y) } else { r });
                        } else {
                            let (x, y) = ($x, $y);
                            act!(self.arith_slow($kind, x, y, $operands, base + $a as usize)?);
                        }
                    }};
                }
                macro_rules! arith_constant {
                    ($a:expr, $b:expr, $k:expr, $op:tt, $kind:expr) => {
                        arith!(
                            $a,
                            regs[$b as usize],
                            constants[$k as usize],
                            $op,
                            $kind,
                            ($b as u16, $k + CONSTANT)
                        )
                    };
                }

                loop {
                    let op = code[pc];
                    pc += 1;
                    match op {
                        Op::Move { a, b } => regs[a as usize] = regs[b as usize],
                        Op::LoadK { a, k } => regs[a as usize] = constants[k as usize],
                        Op::LoadBool { a, value, skip } => {
                            regs[a as usize] = Value::Bool(value);
                            pc += skip as usize;
                        }
                        Op::LoadNil { a, b } => regs[a as usize..=b as usize].fill(Value::Nil),
                        Op::GetUpvalue { a, b } => {
                            let id = body.upvalues[b as usize];
                            match self.heap.upvalues.items[id as usize].at {
                                Upvalue::Closed(v) => regs[a as usize] = v,
                                Upvalue::Open(thread, slot) => {
                                    self.stack[base + a as usize] = self.open_upvalue(thread, slot);
                                    continue 'window;
                                }
                            }
                        }
                        Op::SetUpvalue { a, b } => {
                            let id = body.upvalues[b as usize];
                            let value = regs[a as usize];
                            match &mut self.heap.upvalues.items[id as usize].at {
                                Upvalue::Closed(v) => *v = value,
                                Upvalue::Open(thread, slot) => {
                                    let (thread, slot) = (*thread, *slot);
                                    self.set_open_upvalue(thread, slot, value);
                                    continue 'window;
                                }
                            }
                        }
                        Op::GetGlobal { a, k } => {
                            let key = constants[k as usize];
                            let table = &self.heap.tables.items[env as usize];
                            let found = match key {
                                Value::Str(s) if !s.is_long() => table.get_short(s, hashes[k as usize]),
                                _ => Value::Nil,
                            };
                            if found.is_nil() {
                                act!(self.index(Value::Table(Table(env)), key, base + a as usize, None)?);
                            }
                            regs[a as usize] = found;
                        }
                        Op::SetGlobal { a, k } => {
                            let (key, value) = (constants[k as usize], regs[a as usize]);
                            let table = &mut self.heap.tables.items[env as usize];
                            if let Value::Str(s) = key
                                && !table.readonly
                                && let Some(i) = table.find_short(s, hashes[k as usize])
                                && !table.nodes[i].value.is_nil()
                            {
                                table.nodes[i].value = value;
                                continue;
                            }
                            act!(self.set_index(Value::Table(Table(env)), key, value, None)?);
                        }
                        Op::GetField { a, b, k } => {
                            let object = regs[b as usize];
                            let key = constants[k as usize];
                            if let (Value::Table(t), Value::Str(s)) = (object, key) {
                                let mut table = &self.heap.tables.items[t.0 as usize];
                                let hash = hashes[k as usize];
                                let mut found = table.get_short(s, hash);
                                if found.is_nil() && table.meta != NO_META {
                                    // One step of inheritance, the common case of __index.
                                    let meta = &self.heap.tables.items[table.meta as usize];
                                    if meta.absent & (1 << INDEX) == 0 {
                                        let name = self.events[INDEX];
                                        if let Value::Table(p) =
                                            meta.get_short(name, self.heap.strings.hash(name))
                                        {
                                            table = &self.heap.tables.items[p.0 as usize];
                                            found = table.get_short(s, hash);
                                        }
                                        if found.is_nil() {
                                            act!(self.index(
                                                object,
                                                key,
                                                base + a as usize,
                                                Some(b as u16)
                                            )?);
                                        }
                                    }
                                }
                                regs[a as usize] = found;
                            } else {
                                act!(self.index(object, key, base + a as usize, Some(b as u16))?);
                            }
                        }
                        Op::GetTable { a, b, c } => {
                            let key = operand!(c);
                            if let &Value::Table(t) = &regs[b as usize] {
                                let table = &self.heap.tables.items[t.0 as usize];
                                let found = match key {
                                    &Value::Number(n) => table.get_number(n),
                                    key => table.get(*key, &self.heap.strings),
                                };
                                if !found.is_nil() || table.meta == NO_META {
                                    regs[a as usize] = found;
                                    continue;
                                }
                            }
                            let (object, key) = (regs[b as usize], *key);
                            act!(self.index(object, key, base + a as usize, Some(b as u16))?);
                        }
                        Op::SetField { a, k, c } => {
                            let object = regs[a as usize];
                            let key = constants[k as usize];
                            let value = *operand!(c);
                            if let (Value::Table(t), Value::Str(s)) = (object, key) {
                                let table = &mut self.heap.tables.items[t.0 as usize];
                                if !table.readonly {
                                    if let Some(i) = table.find_short(s, hashes[k as usize])
                                        && !table.nodes[i].value.is_nil()
                                    {
                                        table.nodes[i].value = value;
                                        continue;
                                    }
                                    if table.meta == NO_META {
                                        match self.heap.set(t, key, value) {
                                            Ok(()) => continue,
                                            Err(e) => {
                                                save!();
                                                return Err(e.into());
                                            }
                                        }
                                    }
                                }
                            }
                            act!(self.set_index(object, key, value, Some(a as u16))?);
                        }
                        Op::SetTable { a, b, c } => {
                            let object = regs[a as usize];
                            let key = *operand!(b);
                            let value = *operand!(c);
                            if let Value::Table(t) = object {
                                let table = &mut self.heap.tables.items[t.0 as usize];
                                if table.meta == NO_META && !table.readonly {
                                    if let Value::Number(n) = key {
                                        let i = (n as u32).wrapping_sub(1) as usize;
                                        if (i + 1) as f64 == n
                                            && let Some(slot) = table.array.get_mut(i)
                                        {
                                            *slot = value;
                                            continue;
                                        }
                                    }
                                    if !matches!(key, Value::Nil)
                                        && !matches!(key, Value::Number(n) if n.is_nan())
                                    {
                                        match self.heap.set(t, key, value) {
                                            Ok(()) => continue,
                                            Err(e) => {
                                                save!();
                                                return Err(e.into());
                                            }
                                        }
                                    }
                                }
                            }
                            act!(self.set_index(object, key, value, Some(a as u16))?);
                        }
                        Op::NewTable { a, array, hash } => {
                            save!();
                            self.new_table_at(base, a, array, hash)?;
                            continue 'window;
                        }
                        Op::SelfGet { a, b, c } => {
                            let object = regs[b as usize];
                            let key = *operand!(c);
                            regs[a as usize + 1] = object;
                            if let Value::Table(t) = object
                                && let found @ (Value::Function(_) | Value::Host(_)) = self.heap.get(t, key)
                            {
                                regs[a as usize] = found;
                                continue;
                            }
                            act!(self.index(object, key, base + a as usize, Some(b as u16))?);
                        }
                        Op::Add { a, b, c } => arith!(
                            a, regs[b as usize], regs[c as usize], +, Arith::Add, (b as u16, c as u16)
                        ),
                        Op::Sub { a, b, c } => arith!(
                            a, regs[b as usize], regs[c as usize], -, Arith::Sub, (b as u16, c as u16)
                        ),
                        Op::Mul { a, b, c } => arith!(
                            a, regs[b as usize], regs[c as usize], *, Arith::Mul, (b as u16, c as u16)
                        ),
                        Op::Div { a, b, c } => arith!(
                            a, regs[b as usize], regs[c as usize], /, Arith::Div, (b as u16, c as u16)
                        ),
                        Op::AddK { a, b, k } => arith_constant!(a, b, k, +, Arith::Add),
                        Op::SubK { a, b, k } => arith_constant!(a, b, k, -, Arith::Sub),
                        Op::MulK { a, b, k } => arith_constant!(a, b, k, *, Arith::Mul),
                        Op::DivK { a, b, k } => arith_constant!(a, b, k, /, Arith::Div),
                        Op::ModK { a, b, k } => {
                            let (x, y) = (&regs[b as usize], &constants[k as usize]);
                            if let (&Value::Number(x), &Value::Number(y)) = (x, y) {
                                let r = modulo(x, y);
                                regs[a as usize] = Value::Number(if r.is_nan() { nan(x, y) } else { r });
                            } else {
                                let (x, y) = (*x, *y);
                                let operands = (b as u16, k + CONSTANT);
                                act!(self.arith_slow(Arith::Mod, x, y, operands, base + a as usize)?);
                            }
                        }
                        Op::Arith { op, a, b, c } => {
                            let (x, y) = (operand!(b), operand!(c));
                            if let (&Value::Number(x), &Value::Number(y)) = (x, y) {
                                regs[a as usize] = Value::Number(super::meta::arith(op, x, y));
                            } else {
                                let (x, y) = (*x, *y);
                                act!(self.arith_slow(op, x, y, (b, c), base + a as usize)?);
                            }
                        }
                        Op::Unm { a, b } => match regs[b as usize] {
                            Value::Number(n) => regs[a as usize] = Value::Number(-n),
                            x => act!(self.minus_slow(x, b as u16, base + a as usize)?),
                        },
                        Op::Not { a, b } => regs[a as usize] = Value::Bool(!regs[b as usize].truthy()),
                        Op::Len { a, b } => {
                            let x = regs[b as usize];
                            act!(self.len(x, b as u16, base + a as usize)?);
                        }
                        Op::Concat { b, c, .. } => {
                            save!();
                            if self.stress || self.heap.memory.wants_collection() {
                                self.collect(base + proto.registers as usize);
                            }
                            act!(self.concat(base, b, c)?);
                        }
                        Op::Jmp { to } => jump!(to),
                        Op::Eq { value, b, c } => {
                            let (x, y) = (operand!(b), operand!(c));
                            let outcome = match (x, y) {
                                (&Value::Number(x), &Value::Number(y)) => x == y,
                                (&Value::Str(x), &Value::Str(y)) => self.heap.strings.equal(x, y),
                                (Value::Table(_), Value::Table(_))
                                | (Value::Userdata(_), Value::Userdata(_)) => {
                                    let (x, y) = (*x, *y);
                                    act!(self.equal_slow(x, y, value)?)
                                }
                                _ => x.same(*y),
                            };
                            test!(outcome, value);
                        }
                        Op::Lt { value, b, c } => {
                            let (x, y) = (operand!(b), operand!(c));
                            if let (&Value::Number(x), &Value::Number(y)) = (x, y) {
                                test!((x < y), value);
                            } else {
                                let (x, y) = (*x, *y);
                                act!(self.less_slow(x, y, value)?);
                            }
                        }
                        Op::Le { value, b, c } => {
                            let (x, y) = (operand!(b), operand!(c));
                            if let (&Value::Number(x), &Value::Number(y)) = (x, y) {
                                test!((x <= y), value);
                            } else {
                                let (x, y) = (*x, *y);
                                act!(self.less_equal_slow(x, y, value)?);
                            }
                        }
                        Op::Test { a, value } => test!(regs[a as usize].truthy(), value),
                        Op::TestSet { a, b, value } => {
                            let x = regs[b as usize];
                            if x.truthy() == value {
                                regs[a as usize] = x;
                            }
                            test!(x.truthy(), value);
                        }
                        Op::Call { a, b, c } => {
                            let func = base + a as usize;
                            let nargs = if b == 0 { self.top - func - 1 } else { b as usize - 1 };
                            let wanted = c as i32 - 1;
                            match regs[a as usize] {
                                Value::Function(closure) => {
                                    save!();
                                    self.enter(closure, func, nargs, wanted)?;
                                    self.budget -= 4;
                                    if self.budget <= 0 {
                                        return Ok(Exit::Paused);
                                    }
                                    continue 'frame;
                                }
                                Value::Host(h) => {
                                    save!();
                                    match self.call_host(host, h, func, nargs, wanted)? {
                                        Act::Lua if self.current == current => continue 'window,
                                        Act::Lua => continue 'frame,
                                        act => match self.drive(host, act)? {
                                            Flow::Lua => continue 'frame,
                                            Flow::Exit(exit) => return Ok(exit),
                                        },
                                    }
                                }
                                _ => act!(self.will_call(func, nargs, wanted)),
                            }
                        }
                        Op::TailCall { a, b } => {
                            let func = base + a as usize;
                            let nargs = if b == 0 { self.top - func - 1 } else { b as usize - 1 };
                            save!();
                            match regs[a as usize] {
                                Value::Function(closure) => {
                                    self.tail_call(closure, func, nargs)?;
                                    self.budget -= 4;
                                    if self.budget <= 0 {
                                        return Ok(Exit::Paused);
                                    }
                                    continue 'frame;
                                }
                                _ => act!(self.will_call(func, nargs, -1)),
                            }
                        }
                        Op::Return { a, b } => {
                            let from = base + a as usize;
                            let n = if b == 0 { self.top - from } else { b as usize - 1 };
                            if !self.open.is_empty() {
                                self.close_upvalues(base);
                            }
                            let Some(frame) = self.frames.pop() else { return Ok(Exit::Done) };
                            let dest = frame.func as usize;
                            if n == 1 && frame.wanted == 1 {
                                self.stack[dest] = self.stack[from];
                                if self.frames.last().is_some_and(|f| f.kind == Kind::Lua) {
                                    continue 'frame;
                                }
                            }
                            match self.results_to(from, n, dest, frame.wanted) {
                                Act::Lua => continue 'frame,
                                act => match self.drive(host, act)? {
                                    Flow::Lua => continue 'frame,
                                    Flow::Exit(exit) => return Ok(exit),
                                },
                            }
                        }
                        Op::ForPrep { a, to } => {
                            save!();
                            self.prepare_for(base + a as usize)?;
                            pc = (pc as isize + to as isize) as usize;
                            continue 'window;
                        }
                        Op::ForLoop { a, to } => {
                            let at = a as usize;
                            if let (&Value::Number(i), &Value::Number(limit), &Value::Number(step)) =
                                (&regs[at], &regs[at + 1], &regs[at + 2])
                            {
                                let i = i + step;
                                if if step > 0.0 { i <= limit } else { limit <= i } {
                                    regs[at] = Value::Number(i);
                                    regs[at + 3] = Value::Number(i);
                                    jump!(to);
                                }
                            }
                        }
                        Op::TForLoop { a, c } => {
                            let at = a as usize;
                            if let (Value::Host(h), Value::Table(t)) = (regs[at], regs[at + 1])
                                && let HostKind::Special(special) = self.heap.hosts.items[h.0 as usize].kind
                            {
                                let table = &self.heap.tables.items[t.0 as usize];
                                let step = match (special, regs[at + 2]) {
                                    (Special::Next, control) => table.next(control, &self.heap.strings),
                                    (Special::IpairsStep, Value::Number(i)) => {
                                        let v = table.get_number(i + 1.0);
                                        let k = if v.is_nil() { v } else { Value::Number(i + 1.0) };
                                        Some((k, v))
                                    }
                                    _ => None,
                                };
                                if let Some((k, v)) = step {
                                    regs[at + 3] = k;
                                    if !k.is_nil() {
                                        regs[at + 2] = k;
                                        regs[at + 4] = v;
                                        for i in 2..c as usize {
                                            regs[at + 3 + i] = Value::Nil;
                                        }
                                    }
                                    test!((!k.is_nil()), true);
                                    continue;
                                }
                            }
                            act!(self.iterate(base + at, c as usize)?);
                        }
                        Op::SetList { a, b, c } => {
                            save!();
                            self.set_list(base + a as usize, b as usize, c as usize)?;
                            continue 'window;
                        }
                        Op::Close { a } => {
                            self.close_upvalues(base + a as usize);
                            continue 'window;
                        }
                        Op::Closure { a, p } => {
                            save!();
                            if self.stress || self.heap.memory.wants_collection() {
                                self.collect(base + proto.registers as usize);
                            }
                            self.make_closure(&body, p as usize, env, base, a)?;
                            continue 'window;
                        }
                        Op::Vararg { a, b } => {
                            save!();
                            self.vararg(proto.parameters as usize, base + a as usize, b)?;
                            continue 'window;
                        }
                    }
                }
            }
        }
    }

    fn open_upvalue(&self, thread: u32, slot: u32) -> Value {
        let slot = slot as usize;
        if thread == self.current {
            return self.stack[slot];
        }
        let stack = match thread {
            super::coroutine::MAIN => self.main.as_ref().map(|t| &t.stack),
            id => Some(&self.heap.threads.items[id as usize].stack),
        };
        stack.and_then(|s| s.get(slot)).copied().unwrap_or(Value::Nil)
    }

    fn set_open_upvalue(&mut self, thread: u32, slot: u32, value: Value) {
        let slot = slot as usize;
        if thread == self.current {
            self.stack[slot] = value;
            return;
        }
        let stack = match thread {
            super::coroutine::MAIN => self.main.as_mut().map(|t| &mut t.stack),
            id => Some(&mut self.heap.threads.items[id as usize].stack),
        };
        if let Some(place) = stack.and_then(|s| s.get_mut(slot)) {
            *place = value;
        }
    }

    fn new_table_at(&mut self, base: usize, a: u8, array: u8, hash: u8) -> Result<()> {
        if self.stress || self.heap.memory.wants_collection() {
            self.collect(self.above());
        }
        let t = self.heap.table(decode_size(array), decode_size(hash))?;
        self.stack[base + a as usize] = Value::Table(t);
        Ok(())
    }

    /// Replaces the running function by another.
    fn tail_call(&mut self, closure: Closure, func: usize, nargs: usize) -> Result<()> {
        let Some(frame) = self.frames.last().copied() else { return Ok(()) };
        if !self.open.is_empty() {
            self.close_upvalues(frame.base as usize);
        }
        let dest = frame.func as usize;
        self.stack.copy_within(func..func + nargs + 1, dest);
        self.frames.pop();
        self.enter(closure, dest, nargs, frame.wanted)?;
        if let Some(top) = self.frames.last_mut() {
            top.tail_calls = frame.tail_calls.saturating_add(1);
        }
        Ok(())
    }

    fn prepare_for(&mut self, at: usize) -> Result<()> {
        for (i, name) in ["initial", "limit", "step"].iter().enumerate() {
            let value = self.stack[at + i];
            let Some(n) = self.to_number(value) else {
                let what = if i == 0 { "initial value" } else { name };
                let text = super::host::join(&[b"'for' ", what.as_bytes(), b" must be a number"]);
                return Err(self.run_error(&text));
            };
            self.stack[at + i] = Value::Number(n);
        }
        if let (Value::Number(start), Value::Number(step)) = (self.stack[at], self.stack[at + 2]) {
            self.stack[at] = Value::Number(start - step);
        }
        Ok(())
    }

    fn set_list(&mut self, table: usize, b: usize, offset: usize) -> Result<()> {
        let n = if b == 0 { self.top - table - 1 } else { b };
        let Value::Table(t) = self.stack[table] else { return Ok(()) };
        let heap = &mut self.heap;
        let object = &mut heap.tables.items[t.0 as usize];
        if offset + n > object.array.len() {
            let fields = object.nodes.len();
            object.resize(offset + n, fields, &heap.strings, &mut heap.memory)?;
        }
        object.array[offset..offset + n].copy_from_slice(&self.stack[table + 1..table + 1 + n]);
        Ok(())
    }

    fn make_closure(&mut self, body: &Rc<Body>, p: usize, env: u32, base: usize, a: u8) -> Result<()> {
        let proto = Rc::clone(&body.proto.protos[p]);
        let mut upvalues = Vec::with_capacity(proto.upvalues.len());
        for source in &proto.upvalues {
            upvalues.push(match source.register {
                true => self.find_upvalue(base + source.index as usize)?,
                false => body.upvalues[source.index as usize],
            });
        }
        let closure = self.heap.closure(Body { proto, upvalues: upvalues.into_boxed_slice() }, env)?;
        self.stack[base + a as usize] = Value::Function(closure);
        Ok(())
    }

    fn vararg(&mut self, parameters: usize, dest: usize, b: u8) -> Result<()> {
        let Some(frame) = self.frames.last() else { return Ok(()) };
        let (func, base) = (frame.func as usize, frame.base as usize);
        let available = (base - func - 1).saturating_sub(parameters);
        let wanted = if b == 0 { available } else { b as usize - 1 };
        let first = func + 1 + parameters;
        if b == 0 {
            self.ensure_stack(dest + wanted)?;
            self.top = dest + wanted;
        }
        let n = wanted.min(available);
        self.stack.copy_within(first..first + n, dest);
        self.stack[dest + n..dest + wanted].fill(Value::Nil);
        Ok(())
    }
}

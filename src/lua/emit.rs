//! Instructions of one function while it is compiled: registers, jumps, and where expressions end up.

#![allow(clippy::wrong_self_convention, reason = "`to_any` and its like move an expression, not the emitter")]

use std::cell::Cell;
use std::collections::BTreeMap;

use super::heap::Heap;
use super::proto::*;
use super::value::{OutOfMemory, Str, Value};

pub(crate) const NO_JUMP: i32 = -1;
const REGISTERS_MAX: u32 = 250;

/// A compile-time failure inside a function.
pub(crate) enum EmitError {
    Message(&'static str),
    Memory,
}

impl From<OutOfMemory> for EmitError {
    fn from(_: OutOfMemory) -> EmitError {
        EmitError::Memory
    }
}

type Result<T, E = EmitError> = std::result::Result<T, E>;

/// Where the value of an expression is, or how to get it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Place {
    Void,
    Nil,
    True,
    False,
    Number(f64),
    Constant(u32),
    /// A local variable's register.
    Local(u8),
    Upvalue(u8),
    Global(u32),
    /// table register, key operand
    Indexed(u8, u16),
    /// The jump of a comparison: taken when it holds.
    Jump(i32),
    /// An instruction that has not been told its register.
    Pending(u32),
    Register(u8),
    Call(u32),
    Vararg(u32),
}

/// An expression with the jumps that leave it when it is true and when it is false.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expr {
    pub place: Place,
    pub on_true: i32,
    pub on_false: i32,
}

impl From<Place> for Expr {
    fn from(place: Place) -> Expr {
        Expr { place, on_true: NO_JUMP, on_false: NO_JUMP }
    }
}

impl Expr {
    fn has_jumps(&self) -> bool {
        self.on_true != self.on_false
    }
    pub fn is_plain_number(&self) -> Option<f64> {
        match self.place {
            Place::Number(n) if self.on_true == NO_JUMP && self.on_false == NO_JUMP => Some(n),
            _ => None,
        }
    }
}

pub(crate) struct Block {
    pub breaks: i32,
    pub locals: usize,
    /// A closure captured one of its locals.
    pub captured: bool,
    pub is_loop: bool,
}

pub(crate) struct Active {
    pub name: Str,
    /// Its entry in `locals`.
    pub index: usize,
}

pub(crate) struct Function {
    pub proto: Proto,
    pub blocks: Vec<Block>,
    pub active: Vec<Active>,
    /// Declared, not yet visible.
    pub pending: Vec<Active>,
    pub free: u32,
    /// Jumps to the next instruction.
    pending_jumps: i32,
    last_target: i32,
    pub line: u32,
    long_strings: Vec<u32>,
    known: BTreeMap<(u8, u64), u32>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Binary {
    Arith(Arith),
    Concat,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    And,
    Or,
}

impl Function {
    pub fn new(source: Str, line: u32) -> Function {
        Function {
            proto: Proto {
                code: Vec::new(),
                constants: Vec::new(),
                hashes: Vec::new(),
                protos: Vec::new(),
                lines: Vec::new(),
                locals: Vec::new(),
                upvalues: Vec::new(),
                upvalue_names: Vec::new(),
                source,
                line,
                parameters: 0,
                vararg: false,
                wants_arg: false,
                registers: 2,
                bytes: 0,
                mark: Cell::new(0),
            },
            blocks: Vec::new(),
            active: Vec::new(),
            pending: Vec::new(),
            free: 0,
            pending_jumps: NO_JUMP,
            last_target: -1,
            line,
            long_strings: Vec::new(),
            known: BTreeMap::new(),
        }
    }

    pub fn pc(&self) -> usize {
        self.proto.code.len()
    }

    #[inline(never)]
    pub fn emit(&mut self, op: Op) -> Result<u32> {
        let waiting = std::mem::replace(&mut self.pending_jumps, NO_JUMP);
        let here = self.pc() as i32;
        self.patch_to(waiting, here, None, here)?;
        if self.proto.code.len() >= 1 << 26 {
            return Err(EmitError::Message("code size overflow"));
        }
        self.proto.code.push(op);
        self.proto.lines.push(self.line);
        Ok(self.proto.code.len() as u32 - 1)
    }

    pub fn fix_line(&mut self, line: u32) {
        if let Some(last) = self.proto.lines.last_mut() {
            *last = line;
        }
    }

    // Constants.

    #[inline(never)]
    fn constant(&mut self, key: (u8, u64), value: Value, hash: u32) -> u32 {
        let next = self.proto.constants.len() as u32;
        let k = *self.known.entry(key).or_insert(next);
        if k == next {
            self.proto.constants.push(value);
            self.proto.hashes.push(hash);
        }
        k
    }

    pub fn string_constant(&mut self, s: Str, heap: &Heap) -> u32 {
        if s.is_long() {
            // By content, among the first few; the others are kept twice.
            for k in self.long_strings.iter() {
                if heap.strings.raw_equal(self.proto.constants[*k as usize], Value::Str(s)) {
                    return *k;
                }
            }
        }
        let k = self.constant((1, s.0 as u64), Value::Str(s), heap.strings.hash(s));
        if s.is_long() && self.long_strings.len() < 32 {
            self.long_strings.push(k);
        }
        k
    }

    /// Equal numbers share a constant, so the first of 0 and -0 stands for both, as in Lua 5.1.
    fn number_constant(&mut self, n: f64) -> u32 {
        let key = if n == 0.0 { 0 } else { n.to_bits() };
        self.constant((0, key), Value::Number(n), 0)
    }

    // Registers.

    pub fn check_registers(&mut self, n: u32) -> Result<()> {
        let wanted = self.free + n;
        if wanted > REGISTERS_MAX {
            return Err(EmitError::Message("function or expression too complex"));
        }
        self.proto.registers = self.proto.registers.max(wanted as u8);
        Ok(())
    }

    pub fn reserve(&mut self, n: u32) -> Result<()> {
        self.check_registers(n)?;
        self.free += n;
        Ok(())
    }

    fn free_register(&mut self, r: u32) {
        if r >= self.active.len() as u32 {
            self.free -= 1;
            debug_assert_eq!(r, self.free);
        }
    }

    fn free_operand(&mut self, operand: u16) {
        if operand < CONSTANT {
            self.free_register(operand as u32);
        }
    }

    fn free_expr(&mut self, e: &Expr) {
        if let Place::Register(r) = e.place {
            self.free_register(r as u32);
        }
    }

    // Jumps. A list of jumps to one unknown place is linked through the jumps themselves.

    #[inline(never)]
    pub fn jump(&mut self) -> Result<i32> {
        let waiting = std::mem::replace(&mut self.pending_jumps, NO_JUMP);
        let at = self.emit(Op::Jmp { to: NO_JUMP })? as i32;
        self.join(at, waiting)
    }

    fn target(&self, at: i32) -> i32 {
        match self.proto.code[at as usize] {
            Op::Jmp { to } | Op::ForPrep { to, .. } | Op::ForLoop { to, .. } if to != NO_JUMP => at + 1 + to,
            _ => NO_JUMP,
        }
    }

    fn set_target(&mut self, at: i32, target: i32) {
        let distance = target - (at + 1);
        if let Op::Jmp { to } | Op::ForPrep { to, .. } | Op::ForLoop { to, .. } =
            &mut self.proto.code[at as usize]
        {
            *to = distance;
        }
    }

    #[inline(never)]
    pub fn join(&mut self, first: i32, second: i32) -> Result<i32> {
        if second == NO_JUMP {
            return Ok(first);
        }
        if first == NO_JUMP {
            return Ok(second);
        }
        let mut last = first;
        while self.target(last) != NO_JUMP {
            last = self.target(last);
        }
        self.set_target(last, second);
        Ok(first)
    }

    /// Marks the next instruction as a jump target.
    pub fn label(&mut self) -> i32 {
        self.last_target = self.pc() as i32;
        self.last_target
    }

    pub fn patch(&mut self, list: i32, target: i32) -> Result<()> {
        if target == self.pc() as i32 {
            self.patch_here(list)
        } else {
            self.patch_to(list, target, None, target)
        }
    }

    #[inline(never)]
    pub fn patch_here(&mut self, list: i32) -> Result<()> {
        self.label();
        self.pending_jumps = self.join(self.pending_jumps, list)?;
        Ok(())
    }

    /// The test that decides a jump, if one does.
    fn control(&self, at: i32) -> Option<usize> {
        let before = (at as usize).checked_sub(1)?;
        match self.proto.code[before] {
            Op::Eq { .. } | Op::Lt { .. } | Op::Le { .. } | Op::Test { .. } | Op::TestSet { .. } => {
                Some(before)
            }
            _ => None,
        }
    }

    /// Whether a jump of the list leaves no value behind.
    fn needs_value(&self, mut list: i32) -> bool {
        while list != NO_JUMP {
            if !self.control(list).is_some_and(|i| matches!(self.proto.code[i], Op::TestSet { .. })) {
                return true;
            }
            list = self.target(list);
        }
        false
    }

    /// Tells a value-keeping test its register, or makes it a plain test. False if it keeps no value.
    fn patch_test(&mut self, at: i32, register: Option<u8>) -> bool {
        let Some(i) = self.control(at) else { return false };
        let Op::TestSet { b, value, .. } = self.proto.code[i] else { return false };
        self.proto.code[i] = match register {
            Some(a) if a != b => Op::TestSet { a, b, value },
            _ => Op::Test { a: b, value },
        };
        true
    }

    fn patch_to(&mut self, mut list: i32, with_value: i32, register: Option<u8>, other: i32) -> Result<()> {
        while list != NO_JUMP {
            let next = self.target(list);
            let target = if self.patch_test(list, register) { with_value } else { other };
            self.set_target(list, target);
            list = next;
        }
        Ok(())
    }

    fn drop_values(&mut self, mut list: i32) {
        while list != NO_JUMP {
            self.patch_test(list, None);
            list = self.target(list);
        }
    }

    fn invert(&mut self, jump: i32) {
        if let Some(i) = self.control(jump)
            && let Op::Eq { value, .. } | Op::Lt { value, .. } | Op::Le { value, .. } =
                &mut self.proto.code[i]
        {
            *value = !*value;
        }
    }

    // Expressions to registers.

    fn set_a(&mut self, at: u32, r: u8) {
        match &mut self.proto.code[at as usize] {
            Op::GetUpvalue { a, .. }
            | Op::GetGlobal { a, .. }
            | Op::GetTable { a, .. }
            | Op::GetField { a, .. }
            | Op::NewTable { a, .. }
            | Op::Add { a, .. }
            | Op::Sub { a, .. }
            | Op::Mul { a, .. }
            | Op::Div { a, .. }
            | Op::AddK { a, .. }
            | Op::SubK { a, .. }
            | Op::MulK { a, .. }
            | Op::DivK { a, .. }
            | Op::ModK { a, .. }
            | Op::Arith { a, .. }
            | Op::Unm { a, .. }
            | Op::Not { a, .. }
            | Op::Len { a, .. }
            | Op::Concat { a, .. }
            | Op::Closure { a, .. }
            | Op::Vararg { a, .. } => *a = r,
            other => debug_assert!(false, "{other:?} has no pending register"),
        }
    }

    /// `wanted` results of a call or `...`; `None`: all of them.
    pub fn set_results(&mut self, e: &mut Expr, wanted: Option<u8>) -> Result<()> {
        let n = wanted.map_or(0, |n| n + 1);
        match e.place {
            Place::Call(at) => {
                if let Op::Call { c, .. } = &mut self.proto.code[at as usize] {
                    *c = n;
                }
            }
            Place::Vararg(at) => {
                let register = self.free as u8;
                if let Op::Vararg { a, b } = &mut self.proto.code[at as usize] {
                    *b = n;
                    *a = register;
                }
                self.reserve(1)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn one_result(&mut self, e: &mut Expr) {
        match e.place {
            Place::Call(at) => {
                if let Op::Call { a, c, .. } = &mut self.proto.code[at as usize] {
                    *c = 2;
                    e.place = Place::Register(*a);
                }
            }
            Place::Vararg(at) => {
                if let Op::Vararg { b, .. } = &mut self.proto.code[at as usize] {
                    *b = 2;
                }
                e.place = Place::Pending(at);
            }
            _ => {}
        }
    }

    #[inline(never)]
    pub fn discharge(&mut self, e: &mut Expr) -> Result<()> {
        e.place = match e.place {
            Place::Local(r) => Place::Register(r),
            Place::Upvalue(b) => Place::Pending(self.emit(Op::GetUpvalue { a: 0, b })?),
            Place::Global(k) => Place::Pending(self.emit(Op::GetGlobal { a: 0, k })?),
            Place::Indexed(b, key) => {
                self.free_operand(key);
                self.free_register(b as u32);
                let op = match self.field(key) {
                    Some(k) => Op::GetField { a: 0, b, k },
                    None => Op::GetTable { a: 0, b, c: key },
                };
                Place::Pending(self.emit(op)?)
            }
            Place::Call(_) | Place::Vararg(_) => {
                self.one_result(e);
                return Ok(());
            }
            _ => return Ok(()),
        };
        Ok(())
    }

    /// The constant's number when a key operand is a short string.
    fn field(&self, key: u16) -> Option<u16> {
        let k = key.checked_sub(CONSTANT)?;
        matches!(self.proto.constants[k as usize], Value::Str(s) if !s.is_long()).then_some(k)
    }

    pub fn load_nil(&mut self, from: u8, n: u8) -> Result<()> {
        if self.pc() as i32 > self.last_target
            && let Some(Op::LoadNil { a, b }) = self.proto.code.last_mut()
            && *a <= from
            && from <= *b + 1
        {
            *b = (*b).max(from + n - 1);
            return Ok(());
        }
        self.emit(Op::LoadNil { a: from, b: from + n - 1 })?;
        Ok(())
    }

    fn discharge_to(&mut self, e: &mut Expr, r: u8) -> Result<()> {
        self.discharge(e)?;
        match e.place {
            Place::Nil => self.load_nil(r, 1)?,
            Place::True | Place::False => {
                self.emit(Op::LoadBool { a: r, value: e.place == Place::True, skip: false })?;
            }
            Place::Constant(k) => {
                self.emit(Op::LoadK { a: r, k })?;
            }
            Place::Number(n) => {
                let k = self.number_constant(n);
                self.emit(Op::LoadK { a: r, k })?;
            }
            Place::Pending(at) => self.set_a(at, r),
            Place::Register(b) => {
                if b != r {
                    self.emit(Op::Move { a: r, b })?;
                }
            }
            _ => return Ok(()),
        }
        e.place = Place::Register(r);
        Ok(())
    }

    fn discharge_anywhere(&mut self, e: &mut Expr) -> Result<u8> {
        if let Place::Register(r) = e.place {
            return Ok(r);
        }
        self.reserve(1)?;
        let r = (self.free - 1) as u8;
        self.discharge_to(e, r)?;
        Ok(r)
    }

    #[inline(never)]
    pub fn to_register(&mut self, e: &mut Expr, r: u8) -> Result<()> {
        self.discharge_to(e, r)?;
        if let Place::Jump(at) = e.place {
            e.on_true = self.join(e.on_true, at)?;
        }
        if e.has_jumps() {
            let (mut load_false, mut load_true) = (NO_JUMP, NO_JUMP);
            if self.needs_value(e.on_true) || self.needs_value(e.on_false) {
                let over = if matches!(e.place, Place::Jump(_)) { NO_JUMP } else { self.jump()? };
                self.label();
                load_false = self.emit(Op::LoadBool { a: r, value: false, skip: true })? as i32;
                self.label();
                load_true = self.emit(Op::LoadBool { a: r, value: true, skip: false })? as i32;
                self.patch_here(over)?;
            }
            let end = self.label();
            self.patch_to(e.on_false, end, Some(r), load_false)?;
            self.patch_to(e.on_true, end, Some(r), load_true)?;
        }
        *e = Place::Register(r).into();
        Ok(())
    }

    #[inline(never)]
    pub fn to_next(&mut self, e: &mut Expr) -> Result<()> {
        self.discharge(e)?;
        self.free_expr(e);
        self.reserve(1)?;
        self.to_register(e, (self.free - 1) as u8)
    }

    #[inline(never)]
    pub fn to_any(&mut self, e: &mut Expr) -> Result<u8> {
        self.discharge(e)?;
        if let Place::Register(r) = e.place {
            if !e.has_jumps() {
                return Ok(r);
            }
            if r as usize >= self.active.len() {
                self.to_register(e, r)?;
                return Ok(r);
            }
        }
        self.to_next(e)?;
        match e.place {
            Place::Register(r) => Ok(r),
            _ => Err(EmitError::Message("function or expression too complex")),
        }
    }

    pub fn to_value(&mut self, e: &mut Expr) -> Result<()> {
        if e.has_jumps() { self.to_any(e).map(drop) } else { self.discharge(e) }
    }

    /// A register or a constant.
    #[inline(never)]
    pub fn operand(&mut self, e: &mut Expr) -> Result<u16> {
        self.to_value(e)?;
        if self.proto.constants.len() < 60_000 {
            let k = match e.place {
                Place::Nil => Some(self.constant((2, 0), Value::Nil, 0)),
                Place::False => Some(self.constant((2, 1), Value::Bool(false), 0)),
                Place::True => Some(self.constant((2, 2), Value::Bool(true), 0)),
                Place::Number(n) => Some(self.number_constant(n)),
                Place::Constant(k) => Some(k),
                _ => None,
            };
            if let Some(k) = k {
                e.place = Place::Constant(k);
                return Ok(k as u16 + CONSTANT);
            }
        }
        Ok(self.to_any(e)? as u16)
    }

    pub fn store(&mut self, variable: Expr, e: &mut Expr) -> Result<()> {
        match variable.place {
            Place::Local(r) => {
                self.free_expr(e);
                return self.to_register(e, r);
            }
            Place::Upvalue(b) => {
                let a = self.to_any(e)?;
                self.emit(Op::SetUpvalue { a, b })?;
            }
            Place::Global(k) => {
                let a = self.to_any(e)?;
                self.emit(Op::SetGlobal { a, k })?;
            }
            Place::Indexed(a, key) => {
                let c = self.operand(e)?;
                let op = match self.field(key) {
                    Some(k) => Op::SetField { a, k, c },
                    None => Op::SetTable { a, b: key, c },
                };
                self.emit(op)?;
            }
            _ => {}
        }
        self.free_expr(e);
        Ok(())
    }

    pub fn method(&mut self, e: &mut Expr, key: &mut Expr) -> Result<()> {
        let b = self.to_any(e)?;
        self.free_expr(e);
        let a = self.free as u8;
        self.reserve(2)?;
        let c = self.operand(key)?;
        self.emit(Op::SelfGet { a, b, c })?;
        self.free_expr(key);
        e.place = Place::Register(a);
        Ok(())
    }

    pub fn index(&mut self, table: &mut Expr, key: &mut Expr) -> Result<()> {
        let k = self.operand(key)?;
        if let Place::Register(r) | Place::Local(r) = table.place {
            table.place = Place::Indexed(r, k);
        }
        Ok(())
    }

    // Conditions.

    fn conditional(&mut self, op: Op) -> Result<i32> {
        self.emit(op)?;
        self.jump()
    }

    fn jump_when(&mut self, e: &mut Expr, value: bool) -> Result<i32> {
        if let Place::Pending(at) = e.place
            && let Op::Not { b, .. } = self.proto.code[at as usize]
        {
            self.proto.code.pop();
            self.proto.lines.pop();
            return self.conditional(Op::Test { a: b, value: !value });
        }
        let b = self.discharge_anywhere(e)?;
        self.free_expr(e);
        self.conditional(Op::TestSet { a: 255, b, value })
    }

    pub fn go_if_true(&mut self, e: &mut Expr) -> Result<()> {
        self.discharge(e)?;
        let jump = match e.place {
            Place::Constant(_) | Place::Number(_) | Place::True => NO_JUMP,
            Place::False => self.jump()?,
            Place::Jump(at) => {
                self.invert(at);
                at
            }
            _ => self.jump_when(e, false)?,
        };
        e.on_false = self.join(e.on_false, jump)?;
        self.patch_here(e.on_true)?;
        e.on_true = NO_JUMP;
        Ok(())
    }

    fn go_if_false(&mut self, e: &mut Expr) -> Result<()> {
        self.discharge(e)?;
        let jump = match e.place {
            Place::Nil | Place::False => NO_JUMP,
            Place::True => self.jump()?,
            Place::Jump(at) => at,
            _ => self.jump_when(e, true)?,
        };
        e.on_true = self.join(e.on_true, jump)?;
        self.patch_here(e.on_false)?;
        e.on_false = NO_JUMP;
        Ok(())
    }

    // Operators.

    pub fn not(&mut self, e: &mut Expr) -> Result<()> {
        self.discharge(e)?;
        match e.place {
            Place::Nil | Place::False => e.place = Place::True,
            Place::Constant(_) | Place::Number(_) | Place::True => e.place = Place::False,
            Place::Jump(at) => self.invert(at),
            _ => {
                let b = self.discharge_anywhere(e)?;
                self.free_expr(e);
                e.place = Place::Pending(self.emit(Op::Not { a: 0, b })?);
            }
        }
        std::mem::swap(&mut e.on_true, &mut e.on_false);
        self.drop_values(e.on_true);
        self.drop_values(e.on_false);
        Ok(())
    }

    pub fn minus(&mut self, e: &mut Expr) -> Result<()> {
        if let Some(n) = e.is_plain_number() {
            e.place = Place::Number(-n);
            return Ok(());
        }
        let b = self.to_any(e)?;
        self.free_expr(e);
        *e = Place::Pending(self.emit(Op::Unm { a: 0, b })?).into();
        Ok(())
    }

    pub fn length(&mut self, e: &mut Expr) -> Result<()> {
        let b = self.to_any(e)?;
        self.free_expr(e);
        *e = Place::Pending(self.emit(Op::Len { a: 0, b })?).into();
        Ok(())
    }

    /// Before the right operand is compiled.
    pub fn before_right(&mut self, op: Binary, left: &mut Expr) -> Result<()> {
        match op {
            Binary::And => self.go_if_true(left),
            Binary::Or => self.go_if_false(left),
            Binary::Concat => self.to_next(left),
            Binary::Arith(_) if left.is_plain_number().is_some() => Ok(()),
            _ => self.operand(left).map(drop),
        }
    }

    pub fn binary(&mut self, op: Binary, left: &mut Expr, mut right: Expr) -> Result<()> {
        match op {
            Binary::And => {
                self.discharge(&mut right)?;
                right.on_false = self.join(right.on_false, left.on_false)?;
                *left = right;
            }
            Binary::Or => {
                self.discharge(&mut right)?;
                right.on_true = self.join(right.on_true, left.on_true)?;
                *left = right;
            }
            Binary::Concat => return self.concat(left, right),
            Binary::Arith(op) => return self.arith(op, left, right),
            _ => return self.compare(op, left, right),
        }
        Ok(())
    }

    fn concat(&mut self, left: &mut Expr, mut right: Expr) -> Result<()> {
        self.to_value(&mut right)?;
        let Place::Register(first) = left.place else { return Ok(()) };
        if let Place::Pending(at) = right.place
            && let Op::Concat { b, .. } = &mut self.proto.code[at as usize]
        {
            debug_assert_eq!(*b, first + 1);
            *b = first;
            self.free_expr(left);
            *left = Place::Pending(at).into();
            return Ok(());
        }
        self.to_next(&mut right)?;
        let Place::Register(c) = right.place else { return Ok(()) };
        self.free_expr(&right);
        self.free_expr(left);
        *left = Place::Pending(self.emit(Op::Concat { a: 0, b: first, c })?).into();
        Ok(())
    }

    fn arith(&mut self, op: Arith, left: &mut Expr, mut right: Expr) -> Result<()> {
        if let (Some(x), Some(y)) = (left.is_plain_number(), right.is_plain_number())
            && !(matches!(op, Arith::Div | Arith::Mod) && y == 0.0)
        {
            let n = super::meta::arith(op, x, y);
            if !n.is_nan() {
                left.place = Place::Number(n);
                return Ok(());
            }
        }
        let c = self.operand(&mut right)?;
        let b = self.operand(left)?;
        if b > c {
            self.free_expr(left);
            self.free_expr(&right);
        } else {
            self.free_expr(&right);
            self.free_expr(left);
        }
        let a = 0;
        let number = |k: u16| matches!(self.proto.constants[(k - CONSTANT) as usize], Value::Number(_));
        let code = if b < CONSTANT && c < CONSTANT {
            let (rb, rc) = (b as u8, c as u8);
            match op {
                Arith::Add => Op::Add { a, b: rb, c: rc },
                Arith::Sub => Op::Sub { a, b: rb, c: rc },
                Arith::Mul => Op::Mul { a, b: rb, c: rc },
                Arith::Div => Op::Div { a, b: rb, c: rc },
                _ => Op::Arith { op, a, b, c },
            }
        } else if b < CONSTANT && c >= CONSTANT && number(c) {
            let (rb, k) = (b as u8, c - CONSTANT);
            match op {
                Arith::Add => Op::AddK { a, b: rb, k },
                Arith::Sub => Op::SubK { a, b: rb, k },
                Arith::Mul => Op::MulK { a, b: rb, k },
                Arith::Div => Op::DivK { a, b: rb, k },
                Arith::Mod => Op::ModK { a, b: rb, k },
                Arith::Pow => Op::Arith { op, a, b, c },
            }
        } else {
            Op::Arith { op, a, b, c }
        };
        *left = Place::Pending(self.emit(code)?).into();
        Ok(())
    }

    fn compare(&mut self, op: Binary, left: &mut Expr, mut right: Expr) -> Result<()> {
        let mut b = self.operand(left)?;
        let mut c = self.operand(&mut right)?;
        self.free_expr(&right);
        self.free_expr(left);
        if matches!(op, Binary::Gt | Binary::Ge) {
            std::mem::swap(&mut b, &mut c);
        }
        let code = match op {
            Binary::Eq => Op::Eq { value: true, b, c },
            Binary::Ne => Op::Eq { value: false, b, c },
            Binary::Lt | Binary::Gt => Op::Lt { value: true, b, c },
            _ => Op::Le { value: true, b, c },
        };
        *left = Place::Jump(self.conditional(code)?).into();
        Ok(())
    }

    /// Leaves the free register where the active locals end.
    pub fn release_temporaries(&mut self) {
        self.free = self.active.len() as u32;
    }

    pub fn finish_for(&mut self, prepare: u32, to_loop: i32) {
        self.set_target(prepare as i32, to_loop);
    }
}

//! What the compiler makes of a function: instructions over registers, constants, and what messages need.

use std::cell::Cell;
use std::rc::Rc;

use super::value::Str;
use super::value::Value;

/// A `u16` operand below this is a register, from it on a constant.
pub(crate) const CONSTANT: u16 = 256;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Arith {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    Pow,
}

/// One instruction: eight bytes. `a` is the register it sets unless said otherwise; `u16` operands are
/// registers or constants; jumps are relative to the following instruction.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Op {
    Move {
        a: u8,
        b: u8,
    },
    LoadK {
        a: u8,
        k: u32,
    },
    LoadBool {
        a: u8,
        value: bool,
        skip: bool,
    },
    /// Registers a to b.
    LoadNil {
        a: u8,
        b: u8,
    },
    GetUpvalue {
        a: u8,
        b: u8,
    },
    GetGlobal {
        a: u8,
        k: u32,
    },
    GetTable {
        a: u8,
        b: u8,
        c: u16,
    },
    GetField {
        a: u8,
        b: u8,
        k: u16,
    },
    SetGlobal {
        a: u8,
        k: u32,
    },
    SetUpvalue {
        a: u8,
        b: u8,
    },
    /// a[b] = c
    SetTable {
        a: u8,
        b: u16,
        c: u16,
    },
    SetField {
        a: u8,
        k: u16,
        c: u16,
    },
    NewTable {
        a: u8,
        array: u8,
        hash: u8,
    },
    /// a + 1 = b; a = b[c]
    SelfGet {
        a: u8,
        b: u8,
        c: u16,
    },
    Add {
        a: u8,
        b: u8,
        c: u8,
    },
    Sub {
        a: u8,
        b: u8,
        c: u8,
    },
    Mul {
        a: u8,
        b: u8,
        c: u8,
    },
    Div {
        a: u8,
        b: u8,
        c: u8,
    },
    AddK {
        a: u8,
        b: u8,
        k: u16,
    },
    SubK {
        a: u8,
        b: u8,
        k: u16,
    },
    MulK {
        a: u8,
        b: u8,
        k: u16,
    },
    DivK {
        a: u8,
        b: u8,
        k: u16,
    },
    ModK {
        a: u8,
        b: u8,
        k: u16,
    },
    Arith {
        op: Arith,
        a: u8,
        b: u16,
        c: u16,
    },
    Unm {
        a: u8,
        b: u8,
    },
    Not {
        a: u8,
        b: u8,
    },
    Len {
        a: u8,
        b: u8,
    },
    Concat {
        a: u8,
        b: u8,
        c: u8,
    },
    Jmp {
        to: i32,
    },
    /// The jump that follows is taken when the comparison's outcome is `value`.
    Eq {
        value: bool,
        b: u16,
        c: u16,
    },
    Lt {
        value: bool,
        b: u16,
        c: u16,
    },
    Le {
        value: bool,
        b: u16,
        c: u16,
    },
    /// The jump that follows is taken when a's truth is `value`.
    Test {
        a: u8,
        value: bool,
    },
    TestSet {
        a: u8,
        b: u8,
        value: bool,
    },
    /// b - 1 arguments (0: up to the top), c - 1 results (0: all).
    Call {
        a: u8,
        b: u8,
        c: u8,
    },
    TailCall {
        a: u8,
        b: u8,
    },
    /// b - 1 values from a on (0: up to the top).
    Return {
        a: u8,
        b: u8,
    },
    ForLoop {
        a: u8,
        to: i32,
    },
    ForPrep {
        a: u8,
        to: i32,
    },
    TForLoop {
        a: u8,
        c: u8,
    },
    /// a[c + 1 …] = the b registers after a (0: up to the top).
    SetList {
        a: u8,
        b: u8,
        c: u32,
    },
    Close {
        a: u8,
    },
    Closure {
        a: u8,
        p: u32,
    },
    Vararg {
        a: u8,
        b: u8,
    },
}

#[derive(Clone, Copy)]
pub(crate) struct UpvalueSource {
    /// A register of the enclosing function, else one of its upvalues.
    pub register: bool,
    pub index: u8,
}

pub(crate) struct LocalName {
    pub name: Str,
    pub start: u32,
    pub end: u32,
}

pub(crate) struct Proto {
    pub code: Vec<Op>,
    pub constants: Vec<Value>,
    /// Hashes of the constants that are short strings.
    pub hashes: Vec<u32>,
    pub protos: Vec<Rc<Proto>>,
    pub lines: Vec<u32>,
    pub locals: Vec<LocalName>,
    pub upvalues: Vec<UpvalueSource>,
    pub upvalue_names: Vec<Str>,
    /// The name the chunk was loaded under, with its `=` or `@`.
    pub source: Str,
    pub line: u32,
    pub parameters: u8,
    pub vararg: bool,
    /// Wants the table `arg` of Lua 5.0.
    pub wants_arg: bool,
    pub registers: u8,
    pub bytes: usize,
    pub mark: Cell<u8>,
}

/// A table size in one byte: eeeeexxx is 1xxx × 2^(e-1). Rounds up.
pub(crate) fn encode_size(mut n: u32) -> u8 {
    let mut e = 0;
    while n >= 16 {
        n = n.div_ceil(2);
        e += 1;
    }
    if n < 8 { n as u8 } else { ((e + 1) << 3) | (n as u8 - 8) }
}

pub(crate) fn decode_size(b: u8) -> usize {
    let e = (b >> 3) & 31;
    if e == 0 { b as usize } else { ((b & 7) as usize + 8) << (e - 1) }
}

//! Where an error happened and what the value in question was called, as lua5.1 says it.

use super::coroutine::{Frame, Kind};
use super::host::join;
use super::proto::*;
use super::value::{Error, Str, Value};
use super::vm::Vm;

/// How chunk names are shown: `=name` and `@name` as they are, a source text by its first line.
/// At most `size` bytes with a closing zero.
pub fn chunk_id(source: &[u8], size: usize) -> Vec<u8> {
    match source.first() {
        Some(b'=') => source[1..source.len().min(size)].to_vec(),
        Some(b'@') => {
            let name = &source[1..];
            let room = size - 8;
            if name.len() > room { join(&[b"...", &name[name.len() - room..]]) } else { name.to_vec() }
        }
        _ => {
            let line = source.iter().position(|c| matches!(c, b'\n' | b'\r' | 0)).unwrap_or(source.len());
            let room = size - 17;
            let cut = source.get(line).is_some_and(|c| *c != 0) || line > room;
            let shown = &source[..line.min(room)];
            let dots: &[u8] = if cut { b"..." } else { b"" };
            join(&[b"[string \"", shown, dots, b"\"]"])
        }
    }
}

impl Proto {
    fn local_name(&self, register: u8, pc: u32) -> Option<Str> {
        let live = |l: &&LocalName| l.start <= pc && pc < l.end;
        self.locals.iter().filter(live).nth(register as usize).map(|l| l.name)
    }

    /// The last instruction before `end` that set a register, on the straight way there.
    fn setter(&self, end: u32, register: u8) -> Option<u32> {
        let mut last = None;
        let mut pc = 0u32;
        while pc < end {
            let mut next = pc + 1;
            let sets = match self.code[pc as usize] {
                Op::Jmp { to } | Op::ForLoop { to, .. } | Op::ForPrep { to, .. } => {
                    let target = pc as i64 + 1 + to as i64;
                    if target > pc as i64 && target <= end as i64 {
                        next = target as u32;
                    }
                    false
                }
                Op::LoadNil { a, b } => a <= register && register <= b,
                Op::Call { a, .. } | Op::TailCall { a, .. } => register >= a,
                Op::TForLoop { a, .. } => register >= a + 2,
                Op::SelfGet { a, .. } => register == a || register == a + 1,
                Op::Vararg { a, b } => register >= a && (b == 0 || register < a + b - 1),
                Op::Move { a, .. }
                | Op::LoadK { a, .. }
                | Op::LoadBool { a, .. }
                | Op::GetUpvalue { a, .. }
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
                | Op::TestSet { a, .. }
                | Op::Closure { a, .. } => register == a,
                _ => false,
            };
            if sets {
                last = Some(pc);
            }
            if next <= pc {
                break;
            }
            pc = next;
        }
        last
    }
}

impl Vm {
    /// What the value in a register is called: its sort and name.
    fn register_name(&self, proto: &Proto, mut pc: u32, mut register: u8) -> Option<(&'static str, Vec<u8>)> {
        let text = |s: Str| self.bytes(s).to_vec();
        let constant = |k: u16| match proto.constants[k as usize] {
            Value::Str(s) => text(s),
            _ => b"?".to_vec(),
        };
        loop {
            if let Some(name) = proto.local_name(register, pc) {
                return Some(("local", text(name)));
            }
            let at = proto.setter(pc, register)?;
            return match proto.code[at as usize] {
                Op::GetGlobal { k, .. } => match proto.constants[k as usize] {
                    Value::Str(s) => Some(("global", text(s))),
                    _ => None,
                },
                Op::Move { a, b } if b < a => {
                    pc = at;
                    register = b;
                    continue;
                }
                Op::GetField { k, .. } => Some(("field", constant(k))),
                Op::GetTable { c, .. } => {
                    Some(("field", if c >= CONSTANT { constant(c - CONSTANT) } else { b"?".to_vec() }))
                }
                Op::GetUpvalue { b, .. } => {
                    Some(("upvalue", proto.upvalue_names.get(b as usize).map_or(b"?".to_vec(), |s| text(*s))))
                }
                Op::SelfGet { c, .. } => {
                    Some(("method", if c >= CONSTANT { constant(c - CONSTANT) } else { b"?".to_vec() }))
                }
                _ => None,
            };
        }
    }

    fn frame_line(&self, frame: &Frame) -> Option<(Str, u32)> {
        if frame.kind != Kind::Lua {
            return None;
        }
        let body = self.heap.closures.items[frame.closure as usize].body.as_ref()?;
        let pc = (frame.pc as usize).saturating_sub(1);
        Some((body.proto.source, body.proto.lines.get(pc).copied().unwrap_or(0)))
    }

    /// The name the innermost Lua function's chunk was loaded under, and its line. Also of a paused run.
    pub fn current_line(&self) -> Option<(Vec<u8>, u32)> {
        let frame = self.frames.iter().rev().find(|f| f.kind == Kind::Lua)?;
        let (source, line) = self.frame_line(frame)?;
        Some((self.bytes(source).to_vec(), line))
    }

    /// The frame at a level seen from a host function: 1 is its caller. `Err(())`: a lost tail call.
    pub(crate) fn frame_at(&self, level: usize) -> Option<Result<usize, ()>> {
        let mut level = level.checked_sub(1)?;
        for (i, frame) in self.frames.iter().enumerate().rev() {
            match frame.kind {
                Kind::Lua | Kind::Pcall | Kind::Xpcall | Kind::Handler | Kind::Continuation => {
                    if level == 0 {
                        return Some(Ok(i));
                    }
                    level -= 1;
                    for _ in 0..frame.tail_calls {
                        if level == 0 {
                            return Some(Err(()));
                        }
                        level -= 1;
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// "chunk:line: ", or nothing where there is no Lua code.
    pub(crate) fn position(&self, level: usize) -> Vec<u8> {
        let Some(Ok(i)) = self.frame_at(level) else { return Vec::new() };
        let Some((source, line)) = self.frame_line(&self.frames[i]) else { return Vec::new() };
        let mut buffer = itoa::Buffer::new();
        join(&[
            &chunk_id(self.bytes(source), self.chunk_id_size),
            b":",
            buffer.format(line).as_bytes(),
            b": ",
        ])
    }

    /// How the running host function was called: by method syntax, and under which name.
    pub(crate) fn called_name(&self) -> (bool, Vec<u8>) {
        let unknown = (false, b"?".to_vec());
        let Some(frame) = self.frames.iter().rev().find(|f| f.kind != Kind::Iterate) else { return unknown };
        if frame.kind != Kind::Lua {
            return unknown;
        }
        let Some(body) = &self.heap.closures.items[frame.closure as usize].body else { return unknown };
        let pc = frame.pc.saturating_sub(1);
        let (Op::Call { a, .. } | Op::TailCall { a, .. } | Op::TForLoop { a, .. }) =
            body.proto.code[pc as usize]
        else {
            return unknown;
        };
        match self.register_name(&body.proto, pc, a) {
            Some((sort, name)) => (sort == "method", name),
            None => unknown,
        }
    }

    /// A runtime error of the current instruction, with its position if the innermost frame is Lua's.
    #[cold]
    #[inline(never)]
    pub(crate) fn run_error(&mut self, text: &[u8]) -> Error {
        // Frames of metamethods and iterators stand for their Lua function.
        let lua = self.frames.last().is_some_and(|f| {
            matches!(
                f.kind,
                Kind::Lua | Kind::Store | Kind::Discard | Kind::Test | Kind::Concat | Kind::Iterate
            )
        });
        let position = if lua { self.position(1) } else { Vec::new() };
        self.error_plain(&join(&[&position, text]))
    }

    /// "attempt to index local 'x' (a nil value)". The operand is a register or constant, if it has a place.
    #[cold]
    #[inline(never)]
    pub(crate) fn operand_error(&mut self, operation: &str, value: Value, operand: Option<u16>) -> Error {
        let mut name = None;
        if let (Some(frame), Some(operand @ 0..CONSTANT)) = (self.frames.last(), operand)
            && frame.kind == Kind::Lua
            && let Some(body) = &self.heap.closures.items[frame.closure as usize].body
        {
            name = self.register_name(&body.proto, frame.pc.saturating_sub(1), operand as u8);
        }
        let operation = operation.as_bytes();
        let kind = value.type_name().as_bytes();
        let text = match name {
            Some((sort, name)) => join(&[
                b"attempt to ",
                operation,
                b" ",
                sort.as_bytes(),
                b" '",
                &name,
                b"' (a ",
                kind,
                b" value)",
            ]),
            None => join(&[b"attempt to ", operation, b" a ", kind, b" value"]),
        };
        self.run_error(&text)
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn compare_error(&mut self, a: Value, b: Value) -> Error {
        let text = compare_text(a, b);
        self.run_error(&text)
    }

    /// From within a library function: without a position.
    #[cold]
    #[inline(never)]
    pub(crate) fn compare_error_plain(&mut self, a: Value, b: Value) -> Error {
        let text = compare_text(a, b);
        self.error_plain(&text)
    }
}

fn compare_text(a: Value, b: Value) -> Vec<u8> {
    let (a, b) = (a.type_name().as_bytes(), b.type_name().as_bytes());
    if a == b {
        join(&[b"attempt to compare two ", a, b" values"])
    } else {
        join(&[b"attempt to compare ", a, b" with ", b])
    }
}

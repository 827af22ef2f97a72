//! The grammar: one pass over the tokens, emitting code as it goes. Recursion is bounded.

use std::rc::Rc;

use super::emit::*;
use super::heap::Heap;
use super::lexer::*;
use super::proto::*;
use super::value::{OutOfMemory, Str};

const LEVELS_MAX: u32 = 200;
const LOCALS_MAX: usize = 200;
const UPVALUES_MAX: usize = 60;

pub(crate) struct Parser<'a, 'h> {
    pub lexer: Lexer<'a>,
    heap: &'h mut Heap,
    pub token: Token,
    ahead: Option<Token>,
    /// The line of the token before.
    pub last_line: u32,
    levels: u32,
    pub source: Str,
    pub functions: Vec<Function>,
    /// The text of the error, when it is not static.
    composed: Option<Vec<u8>>,
}

pub(crate) type Result<T, E = LexError> = std::result::Result<T, E>;

impl From<EmitError> for LexError {
    fn from(e: EmitError) -> LexError {
        match e {
            EmitError::Message(message) => LexError::Syntax { message, near: None },
            EmitError::Memory => LexError::Memory,
        }
    }
}

/// Why a chunk was refused: the message without its position, and the line.
pub(crate) enum CompileError {
    Syntax(Vec<u8>, u32),
    Memory,
}

impl From<OutOfMemory> for CompileError {
    fn from(_: OutOfMemory) -> CompileError {
        CompileError::Memory
    }
}

pub(crate) fn compile(heap: &mut Heap, source: &[u8], name: Str) -> Result<Rc<Proto>, CompileError> {
    // Code, lines and names take a few times the text's size.
    heap.memory.fits(source.len().saturating_mul(4))?;
    let mut parser = Parser {
        lexer: Lexer::new(source),
        heap,
        token: Token::End,
        ahead: None,
        last_line: 1,
        levels: 0,
        source: name,
        functions: vec![Function::new(name, 0)],
        composed: None,
    };
    parser.functions[0].proto.vararg = true;
    match parser.main() {
        Ok(proto) => {
            let proto = Rc::new(proto);
            parser.heap.memory.charge(proto.bytes)?;
            parser.heap.protos.push(proto.clone());
            Ok(proto)
        }
        Err(LexError::Memory) => Err(CompileError::Memory),
        Err(LexError::Syntax { message, near }) => {
            let mut text = parser.composed.take().unwrap_or_else(|| message.as_bytes().to_vec());
            if let Some(near) = near {
                text.extend_from_slice(b" near '");
                // The message is a C string.
                let end = near.iter().position(|c| *c == 0).unwrap_or(near.len());
                text.extend_from_slice(&near[..end]);
                text.push(b'\'');
            }
            Err(CompileError::Syntax(text, parser.lexer.line))
        }
    }
}

impl Parser<'_, '_> {
    fn main(&mut self) -> Result<Proto> {
        self.advance()?;
        self.chunk()?;
        self.expect_here(Token::End)?;
        self.close_function()
    }

    pub fn f(&mut self) -> &mut Function {
        self.functions.last_mut().expect("the main function is closed last")
    }

    // Tokens.

    #[inline(never)]
    pub fn advance(&mut self) -> Result<()> {
        self.last_line = self.lexer.line;
        let line = self.last_line;
        self.f().line = line;
        self.token = match self.ahead.take() {
            Some(token) => token,
            None => self.lexer.next(self.heap)?,
        };
        Ok(())
    }

    #[inline(never)]
    pub fn error<T>(&self, message: &'static str) -> Result<T> {
        let near = match self.token {
            Token::Name(_) | Token::Text(_) | Token::Number(_) => self.lexer.buffer.clone(),
            token => token_text(token),
        };
        Err(LexError::Syntax { message, near: Some(near) })
    }

    #[inline(never)]
    fn composed<T>(&mut self, text: Vec<u8>, near: bool) -> Result<T> {
        self.composed = Some(text);
        if near { self.error("") } else { Err(LexError::Syntax { message: "", near: None }) }
    }

    fn quoted(token: Token) -> Vec<u8> {
        let mut text = token_text(token);
        text.insert(0, b'\'');
        text.push(b'\'');
        text
    }

    pub fn expect_here(&mut self, token: Token) -> Result<()> {
        if self.token == token {
            return Ok(());
        }
        let mut text = Self::quoted(token);
        if matches!(token, Token::Name(_) | Token::End) {
            text = token_text(token);
            if token == Token::End {
                text = b"'<eof>'".to_vec();
            }
        }
        text.extend_from_slice(b" expected");
        self.composed(text, true)
    }

    #[inline(never)]
    pub fn expect(&mut self, token: Token) -> Result<()> {
        self.expect_here(token)?;
        self.advance()
    }

    #[inline(never)]
    pub fn accept(&mut self, token: Token) -> Result<bool> {
        let found = self.token == token;
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    /// The token that closes what was opened on `line`.
    #[inline(never)]
    pub fn expect_match(&mut self, close: Token, open: Token, line: u32) -> Result<()> {
        if self.token == close {
            return self.advance();
        }
        if line == self.lexer.line {
            return self.expect_here(close);
        }
        let mut text = Self::quoted(close);
        text.extend_from_slice(b" expected (to close ");
        text.extend_from_slice(&Self::quoted(open));
        text.extend_from_slice(b" at line ");
        text.extend_from_slice(itoa::Buffer::new().format(line).as_bytes());
        text.push(b')');
        self.composed(text, true)
    }

    pub fn name(&mut self) -> Result<Str> {
        match self.token {
            Token::Name(name) => {
                self.advance()?;
                Ok(name)
            }
            _ => self.composed(b"'<name>' expected".to_vec(), true),
        }
    }

    pub fn enter(&mut self) -> Result<()> {
        self.levels += 1;
        if self.levels > LEVELS_MAX {
            return Err(LexError::Syntax { message: "chunk has too many syntax levels", near: None });
        }
        Ok(())
    }

    pub fn leave(&mut self) {
        self.levels -= 1;
    }

    pub fn look_ahead(&mut self) -> Result<Token> {
        let buffer = std::mem::take(&mut self.lexer.buffer);
        let token = self.lexer.next(self.heap)?;
        self.ahead = Some(token);
        if !matches!(token, Token::Name(_) | Token::Text(_) | Token::Number(_)) {
            self.lexer.buffer = buffer;
        }
        Ok(token)
    }

    /// Keeps a finished function; its number among those of the enclosing one.
    pub fn add_proto(&mut self, proto: Proto) -> Result<u32> {
        let proto = Rc::new(proto);
        self.heap.memory.charge(proto.bytes)?;
        self.heap.protos.push(proto.clone());
        let inner = &mut self.f().proto.protos;
        inner.push(proto);
        Ok(inner.len() as u32 - 1)
    }

    /// "main function has more than 200 local variables"
    fn limit<T>(&mut self, limit: usize, what: &str) -> Result<T> {
        let line = self.f().proto.line;
        let mut text = Vec::new();
        if line == 0 {
            text.extend_from_slice(b"main function");
        } else {
            text.extend_from_slice(b"function at line ");
            text.extend_from_slice(itoa::Buffer::new().format(line).as_bytes());
        }
        text.extend_from_slice(b" has more than ");
        text.extend_from_slice(itoa::Buffer::new().format(limit).as_bytes());
        text.push(b' ');
        text.extend_from_slice(what.as_bytes());
        self.composed(text, false)
    }

    // Variables.

    #[inline(never)]
    pub fn declare(&mut self, name: Str) -> Result<()> {
        let f = self.f();
        if f.active.len() + f.pending.len() >= LOCALS_MAX {
            return self.limit(LOCALS_MAX, "local variables");
        }
        let index = f.proto.locals.len();
        f.proto.locals.push(LocalName { name, start: 0, end: 0 });
        f.pending.push(Active { name, index });
        Ok(())
    }

    pub fn declare_text(&mut self, name: &str) -> Result<()> {
        let name = self.heap.string(name.as_bytes())?;
        self.declare(name)
    }

    /// Makes the declared locals visible.
    pub fn activate(&mut self) {
        let f = self.f();
        let start = f.pc() as u32;
        let pending = std::mem::take(&mut f.pending);
        for active in pending {
            f.proto.locals[active.index].start = start;
            f.active.push(active);
        }
    }

    fn deactivate(&mut self, to: usize) {
        let f = self.f();
        let end = f.pc() as u32;
        for active in f.active.drain(to..) {
            f.proto.locals[active.index].end = end;
        }
    }

    fn upvalue(&mut self, level: usize, name: Str, source: UpvalueSource) -> Result<u8> {
        let f = &mut self.functions[level];
        for (i, known) in f.proto.upvalues.iter().enumerate() {
            if known.register == source.register && known.index == source.index {
                return Ok(i as u8);
            }
        }
        if f.proto.upvalues.len() >= UPVALUES_MAX {
            // The message names the function that lacks room.
            self.functions.truncate(level + 1);
            return self.limit(UPVALUES_MAX, "upvalues");
        }
        f.proto.upvalues.push(source);
        f.proto.upvalue_names.push(name);
        Ok(f.proto.upvalues.len() as u8 - 1)
    }

    /// Where a name is, seen from a function; `None`: global.
    fn resolve(&mut self, level: usize, name: Str) -> Result<Option<Place>> {
        // Outward to the function that has it as a local, then back in through upvalues.
        let mut owner = level;
        let register = loop {
            let found =
                self.functions[owner].active.iter().rposition(|a| self.heap.strings.equal(a.name, name));
            match found {
                Some(register) => break register,
                None if owner == 0 => return Ok(None),
                None => owner -= 1,
            }
        };
        if owner == level {
            return Ok(Some(Place::Local(register as u8)));
        }
        for block in self.functions[owner].blocks.iter_mut().rev() {
            if block.locals <= register {
                block.captured = true;
                break;
            }
        }
        let mut source = UpvalueSource { register: true, index: register as u8 };
        for inner in owner + 1..=level {
            let index = self.upvalue(inner, name, source)?;
            source = UpvalueSource { register: false, index };
        }
        Ok(Some(Place::Upvalue(source.index)))
    }

    pub fn variable(&mut self) -> Result<Expr> {
        let name = self.name()?;
        self.variable_named(name)
    }

    fn variable_named(&mut self, name: Str) -> Result<Expr> {
        let level = self.functions.len() - 1;
        match self.resolve(level, name)? {
            Some(place) => Ok(place.into()),
            None => Ok(Place::Global(self.string_constant(name)).into()),
        }
    }

    #[inline(never)]
    pub fn string_constant(&mut self, s: Str) -> u32 {
        let f = self.functions.last_mut().expect("the main function is closed last");
        f.string_constant(s, self.heap)
    }

    // Blocks and functions.

    fn open_block(&mut self, is_loop: bool) {
        let f = self.f();
        let locals = f.active.len();
        f.blocks.push(Block { breaks: NO_JUMP, locals, captured: false, is_loop });
    }

    fn close_block(&mut self) -> Result<()> {
        let Some(block) = self.f().blocks.pop() else { return Ok(()) };
        self.deactivate(block.locals);
        let f = self.f();
        if block.captured {
            f.emit(Op::Close { a: block.locals as u8 })?;
        }
        f.release_temporaries();
        f.patch_here(block.breaks)?;
        Ok(())
    }

    pub fn close_function(&mut self) -> Result<Proto> {
        self.deactivate(0);
        self.f().emit(Op::Return { a: 0, b: 1 })?;
        let f = self.functions.pop().expect("opened before");
        let mut proto = f.proto;
        proto.code.shrink_to_fit();
        proto.lines.shrink_to_fit();
        proto.bytes = size_of::<Proto>()
            + proto.code.capacity() * 8
            + proto.lines.capacity() * 4
            + proto.constants.capacity() * 16
            + proto.hashes.capacity() * 4
            + proto.locals.capacity() * 12
            + proto.upvalues.capacity() * 6
            + proto.protos.capacity() * 8;
        if let Some(outer) = self.functions.last_mut() {
            outer.line = self.last_line;
        }
        Ok(proto)
    }

    fn block_ends(&self) -> bool {
        matches!(self.token, Token::Else | Token::Elseif | Token::EndWord | Token::End | Token::Until)
    }

    pub fn chunk(&mut self) -> Result<()> {
        self.enter()?;
        let mut last = false;
        while !last && !self.block_ends() {
            last = self.statement()?;
            self.accept(Token::Char(b';'))?;
            self.f().release_temporaries();
        }
        self.levels -= 1;
        Ok(())
    }

    fn block(&mut self) -> Result<()> {
        self.open_block(false);
        self.chunk()?;
        self.close_block()
    }

    /// True after a statement that must be the last.
    fn statement(&mut self) -> Result<bool> {
        let line = self.lexer.line;
        match self.token {
            Token::If => self.if_statement(line)?,
            Token::While => self.while_statement(line)?,
            Token::Do => {
                self.advance()?;
                self.block()?;
                self.expect_match(Token::EndWord, Token::Do, line)?;
            }
            Token::For => self.for_statement(line)?,
            Token::Repeat => self.repeat_statement(line)?,
            Token::Function => self.function_statement(line)?,
            Token::Local => {
                self.advance()?;
                if self.accept(Token::Function)? {
                    self.local_function()?;
                } else {
                    self.local_statement()?;
                }
            }
            Token::Return => {
                self.return_statement()?;
                return Ok(true);
            }
            Token::Break => {
                self.advance()?;
                self.break_statement()?;
                return Ok(true);
            }
            _ => self.expression_statement()?,
        }
        Ok(false)
    }

    fn condition(&mut self) -> Result<i32> {
        let mut e = self.expression()?;
        if e.place == Place::Nil {
            e.place = Place::False;
        }
        self.f().go_if_true(&mut e)?;
        Ok(e.on_false)
    }

    fn if_statement(&mut self, line: u32) -> Result<()> {
        let mut escapes = NO_JUMP;
        let mut skip = self.then_block()?;
        while self.token == Token::Elseif {
            let out = self.f().jump()?;
            escapes = self.f().join(escapes, out)?;
            self.f().patch_here(skip)?;
            skip = self.then_block()?;
        }
        if self.token == Token::Else {
            let out = self.f().jump()?;
            escapes = self.f().join(escapes, out)?;
            self.f().patch_here(skip)?;
            self.advance()?;
            self.block()?;
        } else {
            escapes = self.f().join(escapes, skip)?;
        }
        self.f().patch_here(escapes)?;
        self.expect_match(Token::EndWord, Token::If, line)
    }

    fn then_block(&mut self) -> Result<i32> {
        self.advance()?;
        let skip = self.condition()?;
        self.expect(Token::Then)?;
        self.block()?;
        Ok(skip)
    }

    fn while_statement(&mut self, line: u32) -> Result<()> {
        self.advance()?;
        let start = self.f().label();
        let exit = self.condition()?;
        self.open_block(true);
        self.expect(Token::Do)?;
        self.block()?;
        let back = self.f().jump()?;
        self.f().patch(back, start)?;
        self.expect_match(Token::EndWord, Token::While, line)?;
        self.close_block()?;
        self.f().patch_here(exit)?;
        Ok(())
    }

    fn repeat_statement(&mut self, line: u32) -> Result<()> {
        let start = self.f().label();
        self.open_block(true);
        self.open_block(false);
        self.advance()?;
        self.chunk()?;
        self.expect_match(Token::Until, Token::Repeat, line)?;
        let exit = self.condition()?;
        let captured = self.f().blocks.last().is_some_and(|b| b.captured);
        if captured {
            self.break_statement()?;
            self.f().patch_here(exit)?;
            self.close_block()?;
            let back = self.f().jump()?;
            self.f().patch(back, start)?;
        } else {
            self.close_block()?;
            self.f().patch(exit, start)?;
        }
        self.close_block()
    }

    fn for_statement(&mut self, line: u32) -> Result<()> {
        self.open_block(true);
        self.advance()?;
        let first = self.name()?;
        match self.token {
            Token::Char(b'=') => self.numeric_for(first, line)?,
            Token::Char(b',') | Token::In => self.generic_for(first)?,
            _ => return self.error("'=' or 'in' expected"),
        }
        self.expect_match(Token::EndWord, Token::For, line)?;
        self.close_block()
    }

    fn expression_to_next(&mut self) -> Result<()> {
        let mut e = self.expression()?;
        self.f().to_next(&mut e)?;
        Ok(())
    }

    fn numeric_for(&mut self, name: Str, line: u32) -> Result<()> {
        let base = self.f().free as u8;
        self.declare_text("(for index)")?;
        self.declare_text("(for limit)")?;
        self.declare_text("(for step)")?;
        let hidden = std::mem::take(&mut self.f().pending);
        self.expect(Token::Char(b'='))?;
        self.expression_to_next()?;
        self.expect(Token::Char(b','))?;
        self.expression_to_next()?;
        if self.accept(Token::Char(b','))? {
            self.expression_to_next()?;
        } else {
            let mut one = Place::Number(1.0).into();
            self.f().to_next(&mut one)?;
        }
        self.f().pending = hidden;
        self.activate();
        self.expect(Token::Do)?;
        let prepare = self.f().emit(Op::ForPrep { a: base, to: NO_JUMP })?;
        self.for_body(&[name])?;
        let here = self.f().label();
        self.f().finish_for(prepare, here);
        let at = self.f().emit(Op::ForLoop { a: base, to: NO_JUMP })?;
        self.f().fix_line(line);
        self.f().finish_for(at, prepare as i32 + 1);
        Ok(())
    }

    fn generic_for(&mut self, first: Str) -> Result<()> {
        let base = self.f().free as u8;
        let mut names = vec![first];
        while self.accept(Token::Char(b','))? {
            names.push(self.name()?);
            if names.len() > LOCALS_MAX {
                return self.limit(LOCALS_MAX, "local variables");
            }
        }
        self.expect(Token::In)?;
        let line = self.lexer.line;
        let (n, last) = self.expressions()?;
        self.adjust(3, n, last)?;
        self.f().check_registers(3)?;
        self.declare_text("(for generator)")?;
        self.declare_text("(for state)")?;
        self.declare_text("(for control)")?;
        self.activate();
        self.expect(Token::Do)?;
        let prepare = self.f().jump()?;
        let start = self.f().pc() as i32;
        self.for_body(&names)?;
        self.f().patch_here(prepare)?;
        self.f().emit(Op::TForLoop { a: base, c: names.len() as u8 })?;
        self.f().fix_line(line);
        let back = self.f().jump()?;
        self.f().patch(back, start).map_err(LexError::from)
    }

    fn for_body(&mut self, names: &[Str]) -> Result<()> {
        self.open_block(false);
        for name in names {
            self.declare(*name)?;
        }
        self.activate();
        self.f().reserve(names.len() as u32)?;
        self.block()?;
        self.close_block()
    }

    fn function_statement(&mut self, line: u32) -> Result<()> {
        self.advance()?;
        let mut target = self.variable()?;
        let mut method = false;
        while self.token == Token::Char(b'.') {
            self.field(&mut target)?;
        }
        if self.token == Token::Char(b':') {
            method = true;
            self.field(&mut target)?;
        }
        let mut body = self.body(method, line)?;
        self.f().store(target, &mut body)?;
        self.f().fix_line(line);
        Ok(())
    }

    fn local_function(&mut self) -> Result<()> {
        let name = self.name()?;
        self.declare(name)?;
        self.f().reserve(1)?;
        self.activate();
        let line = self.lexer.line;
        let mut body = self.body(false, line)?;
        let register = self.f().active.len() as u8 - 1;
        self.f().store(Place::Local(register).into(), &mut body)?;
        // Seen by the debugger from its first instruction on.
        let f = self.f();
        let start = f.pc() as u32;
        if let Some(active) = f.active.last() {
            f.proto.locals[active.index].start = start;
        }
        Ok(())
    }

    fn local_statement(&mut self) -> Result<()> {
        let mut names = 0;
        loop {
            let name = self.name()?;
            self.declare(name)?;
            names += 1;
            if !self.accept(Token::Char(b','))? {
                break;
            }
        }
        let hidden = std::mem::take(&mut self.f().pending);
        let (n, last) =
            if self.accept(Token::Char(b'='))? { self.expressions()? } else { (0, Place::Void.into()) };
        self.adjust(names, n, last)?;
        self.f().pending = hidden;
        self.activate();
        Ok(())
    }

    fn return_statement(&mut self) -> Result<()> {
        self.advance()?;
        if self.block_ends() || self.token == Token::Char(b';') {
            self.f().emit(Op::Return { a: 0, b: 1 })?;
            return Ok(());
        }
        let (n, mut e) = self.expressions()?;
        let f = self.f();
        if matches!(e.place, Place::Call(_) | Place::Vararg(_)) {
            f.set_results(&mut e, None)?;
            if let Place::Call(at) = e.place
                && n == 1
                && let Op::Call { a, b, .. } = f.proto.code[at as usize]
            {
                f.proto.code[at as usize] = Op::TailCall { a, b };
            }
            let a = f.active.len() as u8;
            f.emit(Op::Return { a, b: 0 })?;
        } else if n == 1 {
            let a = f.to_any(&mut e)?;
            f.emit(Op::Return { a, b: 2 })?;
        } else {
            f.to_next(&mut e)?;
            let a = f.active.len() as u8;
            f.emit(Op::Return { a, b: n as u8 + 1 })?;
        }
        Ok(())
    }

    fn break_statement(&mut self) -> Result<()> {
        let f = self.f();
        let Some(inner) = f.blocks.iter().rposition(|b| b.is_loop) else {
            return self.error("no loop to break");
        };
        let captured = f.blocks[inner + 1..].iter().any(|b| b.captured);
        if captured {
            let a = f.blocks[inner].locals as u8;
            f.emit(Op::Close { a })?;
        }
        let out = f.jump()?;
        let breaks = f.blocks[inner].breaks;
        f.blocks[inner].breaks = f.join(breaks, out)?;
        Ok(())
    }

    fn expression_statement(&mut self) -> Result<()> {
        let e = self.suffixed()?;
        if let Place::Call(at) = e.place {
            if let Op::Call { c, .. } = &mut self.f().proto.code[at as usize] {
                *c = 1;
            }
            return Ok(());
        }
        self.assignment(e)
    }

    /// `a, b.c, d[e] = …`, without recursion.
    fn assignment(&mut self, first: Expr) -> Result<()> {
        let mut targets = vec![first];
        loop {
            let last = targets[targets.len() - 1];
            if !matches!(
                last.place,
                Place::Local(_) | Place::Upvalue(_) | Place::Global(_) | Place::Indexed(..)
            ) {
                return self.error("syntax error");
            }
            if !self.accept(Token::Char(b','))? {
                break;
            }
            let e = self.suffixed()?;
            if let Place::Local(r) = e.place {
                self.keep_local(&mut targets, r)?;
            }
            targets.push(e);
            if targets.len() as u32 + self.levels > LEVELS_MAX {
                return self.limit(LEVELS_MAX as usize, "variables in assignment");
            }
        }
        self.expect(Token::Char(b'='))?;
        let (n, mut e) = self.expressions()?;
        if n == targets.len() as u32 {
            let f = self.f();
            if matches!(e.place, Place::Call(_) | Place::Vararg(_)) {
                f.discharge(&mut e)?;
            }
            let last = targets.pop().expect("one target at least");
            f.store(last, &mut e)?;
        } else {
            let wanted = targets.len() as u32;
            self.adjust(wanted, n, e)?;
            if n > wanted {
                self.f().free -= n - wanted;
            }
        }
        while let Some(target) = targets.pop() {
            let f = self.f();
            let mut top = Place::Register((f.free - 1) as u8).into();
            f.store(target, &mut top)?;
        }
        Ok(())
    }

    /// A local that an earlier target uses as table or key is about to be assigned: use a copy there.
    fn keep_local(&mut self, targets: &mut [Expr], r: u8) -> Result<()> {
        let copy = self.f().free as u8;
        let mut conflict = false;
        for target in targets.iter_mut() {
            if let Place::Indexed(table, key) = &mut target.place {
                if *table == r {
                    conflict = true;
                    *table = copy;
                }
                if *key == r as u16 {
                    conflict = true;
                    *key = copy as u16;
                }
            }
        }
        if conflict {
            self.f().emit(Op::Move { a: copy, b: r })?;
            self.f().reserve(1)?;
        }
        Ok(())
    }

    /// Makes `n` expressions, the last of them open, into `wanted` values in registers.
    fn adjust(&mut self, wanted: u32, n: u32, mut last: Expr) -> Result<()> {
        let f = self.f();
        let extra = wanted as i32 - n as i32;
        if matches!(last.place, Place::Call(_) | Place::Vararg(_)) {
            let results = (extra + 1).max(0) as u32;
            if results > 250 {
                return Err(EmitError::Message("function or expression too complex").into());
            }
            f.set_results(&mut last, Some(results as u8))?;
            // One register is the call's own.
            if results > 1 {
                f.reserve(results - 1)?;
            }
            return Ok(());
        }
        if last.place != Place::Void {
            f.to_next(&mut last)?;
        }
        if extra > 0 {
            let from = f.free as u8;
            f.reserve(extra as u32)?;
            f.load_nil(from, extra as u8)?;
        }
        Ok(())
    }
}

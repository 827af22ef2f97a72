//! The grammar of expressions, function bodies and table constructors.

use super::emit::*;
use super::lexer::Token;
use super::parser::{Parser, Result};
use super::proto::*;

/// How many fields a table constructor keeps in registers.
const FLUSH: u32 = 50;
const UNARY_PRIORITY: u8 = 8;

/// An operator with its left and right priority.
fn binary(token: Token) -> Option<(Binary, u8, u8)> {
    Some(match token {
        Token::Char(b'+') => (Binary::Arith(Arith::Add), 6, 6),
        Token::Char(b'-') => (Binary::Arith(Arith::Sub), 6, 6),
        Token::Char(b'*') => (Binary::Arith(Arith::Mul), 7, 7),
        Token::Char(b'/') => (Binary::Arith(Arith::Div), 7, 7),
        Token::Char(b'%') => (Binary::Arith(Arith::Mod), 7, 7),
        Token::Char(b'^') => (Binary::Arith(Arith::Pow), 10, 9),
        Token::Concat => (Binary::Concat, 5, 4),
        Token::NotEqual => (Binary::Ne, 3, 3),
        Token::Equal => (Binary::Eq, 3, 3),
        Token::Char(b'<') => (Binary::Lt, 3, 3),
        Token::LessEqual => (Binary::Le, 3, 3),
        Token::Char(b'>') => (Binary::Gt, 3, 3),
        Token::GreaterEqual => (Binary::Ge, 3, 3),
        Token::And => (Binary::And, 2, 2),
        Token::Or => (Binary::Or, 1, 1),
        _ => return None,
    })
}

impl Parser<'_, '_> {
    pub fn expression(&mut self) -> Result<Expr> {
        self.climb(0)
    }

    /// An expression of operators that bind tighter than `limit`.
    fn climb(&mut self, limit: u8) -> Result<Expr> {
        self.enter()?;
        let mut left = match self.token {
            Token::Not | Token::Char(b'-' | b'#') => {
                let operator = self.token;
                self.advance()?;
                let mut e = self.climb(UNARY_PRIORITY)?;
                match operator {
                    Token::Not => self.f().not(&mut e)?,
                    Token::Char(b'-') => self.f().minus(&mut e)?,
                    _ => self.f().length(&mut e)?,
                }
                e
            }
            _ => self.simple()?,
        };
        while let Some((operator, priority, right_priority)) = binary(self.token) {
            if priority <= limit {
                break;
            }
            self.advance()?;
            self.f().before_right(operator, &mut left)?;
            let right = self.climb(right_priority)?;
            self.f().binary(operator, &mut left, right)?;
        }
        self.leave();
        Ok(left)
    }

    fn simple(&mut self) -> Result<Expr> {
        let place = match self.token {
            Token::Number(n) => Place::Number(n),
            Token::Text(s) => Place::Constant(self.string_constant(s)),
            Token::Nil => Place::Nil,
            Token::True => Place::True,
            Token::False => Place::False,
            Token::Dots => {
                if !self.f().proto.vararg {
                    return self.error("cannot use '...' outside a vararg function");
                }
                let f = self.f();
                f.proto.wants_arg = false;
                Place::Vararg(f.emit(Op::Vararg { a: 0, b: 1 })?)
            }
            Token::Char(b'{') => return self.table(),
            Token::Function => {
                self.advance()?;
                let line = self.lexer.line;
                return self.body(false, line);
            }
            _ => return self.suffixed(),
        };
        self.advance()?;
        Ok(place.into())
    }

    /// The open last of one or more expressions, the others in registers.
    pub fn expressions(&mut self) -> Result<(u32, Expr)> {
        let mut n = 1;
        let mut e = self.expression()?;
        while self.accept(Token::Char(b','))? {
            self.f().to_next(&mut e)?;
            e = self.expression()?;
            n += 1;
        }
        Ok((n, e))
    }

    fn prefix(&mut self) -> Result<Expr> {
        match self.token {
            Token::Char(b'(') => {
                let line = self.lexer.line;
                self.advance()?;
                let mut e = self.expression()?;
                self.expect_match(Token::Char(b')'), Token::Char(b'('), line)?;
                self.f().discharge(&mut e)?;
                Ok(e)
            }
            Token::Name(_) => self.variable(),
            _ => self.error("unexpected symbol"),
        }
    }

    /// A variable or call with its `.name`, `[key]`, `:method(…)` and `(…)`.
    pub fn suffixed(&mut self) -> Result<Expr> {
        let mut e = self.prefix()?;
        loop {
            match self.token {
                Token::Char(b'.') => self.field(&mut e)?,
                Token::Char(b'[') => {
                    self.f().to_any(&mut e)?;
                    let mut key = self.bracketed()?;
                    self.f().index(&mut e, &mut key)?;
                }
                Token::Char(b':') => {
                    self.advance()?;
                    let name = self.name()?;
                    let mut key = Place::Constant(self.string_constant(name)).into();
                    self.f().method(&mut e, &mut key)?;
                    self.call(&mut e)?;
                }
                Token::Char(b'(' | b'{') | Token::Text(_) => {
                    self.f().to_next(&mut e)?;
                    self.call(&mut e)?;
                }
                _ => return Ok(e),
            }
        }
    }

    pub fn field(&mut self, e: &mut Expr) -> Result<()> {
        self.f().to_any(e)?;
        self.advance()?;
        let name = self.name()?;
        let mut key = Place::Constant(self.string_constant(name)).into();
        self.f().index(e, &mut key)?;
        Ok(())
    }

    fn bracketed(&mut self) -> Result<Expr> {
        self.advance()?;
        let mut key = self.expression()?;
        self.f().to_value(&mut key)?;
        self.expect(Token::Char(b']'))?;
        Ok(key)
    }

    fn call(&mut self, e: &mut Expr) -> Result<()> {
        let line = self.lexer.line;
        let mut last: Expr = Place::Void.into();
        match self.token {
            Token::Char(b'(') => {
                if line != self.last_line {
                    return self.error("ambiguous syntax (function call x new statement)");
                }
                self.advance()?;
                if self.token != Token::Char(b')') {
                    last = self.expressions()?.1;
                    self.f().set_results(&mut last, None)?;
                }
                self.expect_match(Token::Char(b')'), Token::Char(b'('), line)?;
            }
            Token::Char(b'{') => last = self.table()?,
            Token::Text(s) => {
                last = Place::Constant(self.string_constant(s)).into();
                self.advance()?;
            }
            _ => return self.error("function arguments expected"),
        }
        let Place::Register(a) = e.place else { return self.error("syntax error") };
        let f = self.f();
        let open = matches!(last.place, Place::Call(_) | Place::Vararg(_));
        if !open && last.place != Place::Void {
            f.to_next(&mut last)?;
        }
        let b = if open { 0 } else { (f.free - a as u32) as u8 };
        *e = Place::Call(f.emit(Op::Call { a, b, c: 2 })?).into();
        f.fix_line(line);
        // The call leaves one value where the function was.
        f.free = a as u32 + 1;
        Ok(())
    }

    fn table(&mut self) -> Result<Expr> {
        let line = self.lexer.line;
        let at = self.f().emit(Op::NewTable { a: 0, array: 0, hash: 0 })?;
        let mut table: Expr = Place::Pending(at).into();
        self.f().to_next(&mut table)?;
        let Place::Register(a) = table.place else { return self.error("syntax error") };
        self.expect(Token::Char(b'{'))?;
        let (mut items, mut waiting, mut fields) = (0u32, 0u32, 0u32);
        let mut item: Expr = Place::Void.into();
        while self.token != Token::Char(b'}') {
            if item.place != Place::Void {
                self.f().to_next(&mut item)?;
                item = Place::Void.into();
                if waiting == FLUSH {
                    self.set_list(a, items, waiting as u8)?;
                    waiting = 0;
                }
            }
            let named = match self.token {
                Token::Name(_) => self.look_ahead()? == Token::Char(b'='),
                Token::Char(b'[') => true,
                _ => false,
            };
            if named {
                self.table_field(a)?;
                fields += 1;
            } else {
                item = self.expression()?;
                items += 1;
                waiting += 1;
            }
            if !self.accept(Token::Char(b','))? && !self.accept(Token::Char(b';'))? {
                break;
            }
        }
        self.expect_match(Token::Char(b'}'), Token::Char(b'{'), line)?;
        if waiting > 0 {
            if matches!(item.place, Place::Call(_) | Place::Vararg(_)) {
                self.f().set_results(&mut item, None)?;
                self.set_list(a, items, 0)?;
                items -= 1;
            } else {
                if item.place != Place::Void {
                    self.f().to_next(&mut item)?;
                }
                self.set_list(a, items, waiting as u8)?;
            }
        }
        if let Op::NewTable { array, hash, .. } = &mut self.f().proto.code[at as usize] {
            *array = encode_size(items);
            *hash = encode_size(fields);
        }
        Ok(table)
    }

    fn set_list(&mut self, a: u8, items: u32, b: u8) -> Result<()> {
        let c = (items - 1) / FLUSH * FLUSH;
        self.f().emit(Op::SetList { a, b, c })?;
        self.f().free = a as u32 + 1;
        Ok(())
    }

    fn table_field(&mut self, a: u8) -> Result<()> {
        let free = self.f().free;
        let mut key = match self.token {
            Token::Name(name) => {
                self.advance()?;
                Place::Constant(self.string_constant(name)).into()
            }
            _ => self.bracketed()?,
        };
        self.expect(Token::Char(b'='))?;
        let mut target: Expr = Place::Register(a).into();
        self.f().index(&mut target, &mut key)?;
        let mut value = self.expression()?;
        self.f().store(target, &mut value)?;
        self.f().free = free;
        Ok(())
    }

    /// Parameters, statements and `end`; the value is the closure.
    pub fn body(&mut self, method: bool, line: u32) -> Result<Expr> {
        let mut inner = Function::new(self.source, line);
        inner.line = self.last_line;
        self.functions.push(inner);
        self.expect(Token::Char(b'('))?;
        if method {
            self.declare_text("self")?;
        }
        self.parameters()?;
        self.expect(Token::Char(b')'))?;
        self.chunk()?;
        self.expect_match(Token::EndWord, Token::Function, line)?;
        let proto = self.close_function()?;
        let p = self.add_proto(proto)?;
        let at = self.f().emit(Op::Closure { a: 0, p })?;
        Ok(Place::Pending(at).into())
    }

    fn parameters(&mut self) -> Result<()> {
        if self.token != Token::Char(b')') {
            loop {
                match self.token {
                    Token::Name(name) => {
                        self.advance()?;
                        self.declare(name)?;
                    }
                    Token::Dots => {
                        self.advance()?;
                        self.declare_text("arg")?;
                        let f = self.f();
                        f.proto.vararg = true;
                        f.proto.wants_arg = true;
                    }
                    _ => return self.error("<name> or '...' expected"),
                }
                if self.f().proto.vararg || !self.accept(Token::Char(b','))? {
                    break;
                }
            }
        }
        self.activate();
        let f = self.f();
        let n = f.active.len() as u32;
        f.proto.parameters = n as u8 - f.proto.vararg as u8;
        f.reserve(n)?;
        Ok(())
    }
}

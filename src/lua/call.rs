//! Calls, returns, errors and coroutine switches: everything that changes the top frame.

use super::coroutine::*;
use super::heap::*;
use super::host::*;
use super::value::*;
use super::vm::*;

const FRAMES_MAX: usize = 20_000;
/// Nested protected calls, metamethods, callbacks and resumes.
const DEPTH_MAX: u32 = 200;

impl Vm {
    /// Makes the stack hold `size` values and a window above them.
    pub(crate) fn ensure_stack(&mut self, size: usize) -> Result<()> {
        let wanted = size + WINDOW;
        if wanted <= self.stack.len() {
            return Ok(());
        }
        let grown = wanted.max(self.stack.len() + self.stack.len() / 2);
        if grown > self.stack.capacity() {
            let more = (grown - self.stack.capacity()) * size_of::<Value>();
            self.heap.memory.charge(more)?;
            self.stack.reserve_exact(grown - self.stack.len());
        }
        self.stack.resize(grown, Value::Nil);
        Ok(())
    }

    fn push_frame(&mut self, frame: Frame) -> Result<()> {
        if self.frames.len() == self.frames.capacity() {
            let more = self.frames.len().max(16);
            self.heap.memory.charge(more * size_of::<Frame>())?;
            self.frames.reserve_exact(more);
        }
        self.frames.push(frame);
        Ok(())
    }

    /// A frame that stands for recursion in C.
    pub(crate) fn push_boundary(&mut self, frame: Frame) -> Result<()> {
        let pushed = if self.depth >= DEPTH_MAX {
            Err(self.run_error(b"C stack overflow"))
        } else {
            self.push_frame(frame)
        };
        if pushed.is_err() && frame.kind == Kind::Continuation {
            self.continuations.pop();
        }
        pushed?;
        self.depth += 1;
        self.boundaries += 1;
        Ok(())
    }

    fn pop_boundary(&mut self) {
        self.depth -= 1;
        self.boundaries -= 1;
    }

    /// Pushes the frame of a Lua function whose arguments are on the stack.
    #[inline]
    pub(crate) fn enter(&mut self, closure: Closure, func: usize, nargs: usize, wanted: i32) -> Result<()> {
        let Some(body) = &self.heap.closures.items[closure.0 as usize].body else { return Ok(()) };
        let proto = &body.proto;
        let parameters = proto.parameters as usize;
        let mut base = func + 1;
        if self.frames.len() >= FRAMES_MAX {
            return Err(self.run_error(b"stack overflow"));
        }
        if proto.vararg {
            let wants_arg = proto.wants_arg;
            base = self.spread(func, nargs, parameters, wants_arg)?;
        } else {
            if self.stack.len() < base + WINDOW * 2 {
                self.ensure_stack(base + WINDOW)?;
            }
            for i in nargs..parameters {
                self.stack[base + i] = Value::Nil;
            }
        }
        let frame = Frame {
            kind: Kind::Lua,
            wanted,
            closure: closure.0,
            base: base as u32,
            func: func as u32,
            pc: 0,
            aux: 0,
            tail_calls: 0,
        };
        if self.frames.len() < self.frames.capacity() {
            self.frames.push(frame);
            Ok(())
        } else {
            self.push_frame(frame)
        }
    }

    /// Moves the fixed parameters above the variable arguments.
    fn spread(&mut self, func: usize, nargs: usize, parameters: usize, wants_arg: bool) -> Result<usize> {
        let given = nargs.max(parameters);
        let base = func + 1 + given;
        self.ensure_stack(base + WINDOW)?;
        for i in nargs..parameters {
            self.stack[func + 1 + i] = Value::Nil;
        }
        for i in 0..parameters {
            self.stack[base + i] = self.stack[func + 1 + i];
            self.stack[func + 1 + i] = Value::Nil;
        }
        if wants_arg {
            let n = given - parameters;
            let t = self.heap.table(n, 1)?;
            for i in 0..n {
                self.heap.set_index(t, i + 1, self.stack[func + 1 + parameters + i])?;
            }
            self.raw_set_bytes(t, b"n", Value::Number(n as f64))?;
            self.stack[base + parameters] = Value::Table(t);
        }
        Ok(base)
    }

    /// Carries out acts until Lua code is on top.
    pub(crate) fn drive(&mut self, host: &mut dyn Host, mut act: Act) -> Result<Flow> {
        self.chain = 0;
        loop {
            act = match act {
                Act::Lua => return Ok(Flow::Lua),
                Act::Exit => return Ok(Flow::Exit(Exit::Done)),
                Act::Call => {
                    let Pending { func, nargs, wanted } = self.next;
                    self.call(host, func, nargs, wanted)?
                }
                Act::Deliver => self.deliver(self.next.func, self.next.nargs)?,
            };
        }
    }

    fn call(&mut self, host: &mut dyn Host, func: usize, nargs: usize, wanted: i32) -> Result<Act> {
        match self.stack[func] {
            Value::Function(closure) => {
                self.enter(closure, func, nargs, wanted)?;
                Ok(Act::Lua)
            }
            Value::Host(h) => self.call_host(host, h, func, nargs, wanted),
            other => {
                let handler = self.metamethod(other, super::meta::CALL);
                if !matches!(handler, Value::Function(_) | Value::Host(_)) {
                    return Err(self.call_error(func, other));
                }
                self.ensure_stack(func + nargs + 2)?;
                self.stack.copy_within(func..func + nargs + 1, func + 1);
                self.stack[func] = handler;
                Ok(self.will_call(func, nargs + 1, wanted))
            }
        }
    }

    pub(crate) fn call_error(&mut self, func: usize, value: Value) -> Error {
        let register = self.frames.last().and_then(|f| func.checked_sub(f.base as usize));
        self.operand_error("call", value, register.filter(|r| *r < 250).map(|r| r as u16))
    }

    pub(crate) fn call_host(
        &mut self,
        host: &mut dyn Host,
        h: HostFunction,
        func: usize,
        nargs: usize,
        wanted: i32,
    ) -> Result<Act> {
        if self.stress || self.heap.memory.wants_collection() {
            self.collect(func + 1 + nargs);
        }
        self.ret.clear();
        self.budget -= 1;
        let args = Args { base: func + 1, n: nargs, function: h.0 };
        let step = match self.heap.hosts.items[h.0 as usize].kind {
            HostKind::Builtin(f) => match f(self, args) {
                // Garbage may be in the way, and a library function that ran out of memory did nothing yet.
                Err(Error(Value::Str(Str(0)))) if self.heap.memory.since > 1 << 16 => {
                    self.collect(func + 1 + nargs);
                    self.ret.clear();
                    f(self, args)?
                }
                step => step?,
            },
            HostKind::External(id) => host.call(self, id, args)?,
            HostKind::Special(special) => return self.special(special, args, func, wanted),
        };
        match step {
            Step::Return => self.returned(func, wanted),
            Step::TailCall => {
                let f = self.callee;
                self.chain += 1;
                if self.chain > DEPTH_MAX {
                    return Err(self.run_error(b"C stack overflow"));
                }
                let nargs = self.place_call(func, f)?;
                Ok(self.will_call(func, nargs, wanted))
            }
            Step::Call => {
                let f = self.callee;
                let callee = func + 1 + nargs;
                let kind = Kind::Continuation;
                self.push_boundary(Frame { kind, wanted, func: func as u32, aux: callee as u32, ..FRAME })?;
                let nargs = self.place_call(callee, f)?;
                Ok(self.will_call(callee, nargs, -1))
            }
        }
    }

    /// Puts a function and the pushed values on the stack.
    fn place_call(&mut self, at: usize, f: Value) -> Result<usize> {
        let n = self.ret.len();
        self.ensure_stack(at + n + 1)?;
        self.stack[at] = f;
        for (place, value) in self.stack[at + 1..].iter_mut().zip(&self.ret) {
            *place = *value;
        }
        Ok(n)
    }

    /// Gives the pushed values to the caller.
    #[inline]
    fn returned(&mut self, dest: usize, wanted: i32) -> Result<Act> {
        let n = self.ret.len();
        if n > WINDOW {
            self.ensure_stack(dest + n)?;
        }
        if wanted >= 0 {
            for i in 0..wanted as usize {
                self.stack[dest + i] = self.ret.get(i).copied().unwrap_or(Value::Nil);
            }
        } else {
            self.stack[dest..dest + n].copy_from_slice(&self.ret);
            self.top = dest + n;
        }
        Ok(self.after(dest, n))
    }

    fn after(&mut self, from: usize, n: usize) -> Act {
        match self.frames.last() {
            Some(frame) if frame.kind == Kind::Lua => Act::Lua,
            _ => {
                self.next = Pending { func: from, nargs: n, wanted: 0 };
                Act::Deliver
            }
        }
    }

    /// Moves `n` results to where the caller wants them.
    pub(crate) fn results_to(&mut self, from: usize, n: usize, dest: usize, wanted: i32) -> Act {
        let count = if wanted < 0 { n } else { n.min(wanted as usize) };
        debug_assert!(dest <= from);
        for i in 0..count {
            self.stack[dest + i] = self.stack[from + i];
        }
        if wanted < 0 {
            self.top = dest + n;
        } else {
            for i in count..wanted as usize {
                self.stack[dest + i] = Value::Nil;
            }
        }
        self.after(dest, n)
    }

    fn special(&mut self, special: Special, args: Args, func: usize, wanted: i32) -> Result<Act> {
        match special {
            Special::Pcall if args.n == 0 && self.pcall_gives_text => {
                self.push(Value::Bool(false));
                self.push_bytes(b"attempt to call a boolean value")?;
                self.returned(func, wanted)
            }
            Special::Pcall => {
                self.check_any(args, 0)?;
                self.push_boundary(Frame { kind: Kind::Pcall, wanted, func: func as u32, ..FRAME })?;
                Ok(self.will_call(func + 1, args.n - 1, -1))
            }
            Special::Xpcall => {
                self.check_any(args, 1)?;
                self.push_boundary(Frame { kind: Kind::Xpcall, wanted, func: func as u32, ..FRAME })?;
                self.stack.swap(func + 1, func + 2);
                Ok(self.will_call(func + 2, 0, -1))
            }
            Special::Next => {
                let t = self.check_table(args, 0)?;
                match self.next(t, self.arg(args, 1)) {
                    None => return Err(self.error("invalid key to 'next'")),
                    Some((Value::Nil, _)) => self.push(Value::Nil),
                    Some((k, v)) => self.ret.extend([k, v]),
                }
                self.returned(func, wanted)
            }
            Special::IpairsStep => {
                let t = self.check_table(args, 0)?;
                let i = self.check_integer(args, 1)?.wrapping_add(1);
                let v = self.heap.get(t, Value::Number(i as f64));
                if !v.is_nil() {
                    self.ret.extend([Value::Number(i as f64), v]);
                }
                self.returned(func, wanted)
            }
            Special::CollectGarbage => {
                let n = super::lib::base::collect_garbage(self, args)?;
                self.push(n);
                self.returned(func, wanted)
            }
            Special::Yield => self.yields(args, func, wanted),
            Special::Resume => {
                let Value::Coroutine(co) = self.arg(args, 0) else {
                    return Err(self.bad_argument(0, b"coroutine expected"));
                };
                self.resume(co.0, args, 1, func, wanted, false)
            }
            Special::Wrapped => {
                let Value::Coroutine(co) = self.host_upvalue(args, 0) else { return Ok(Act::Lua) };
                self.resume(co.0, args, 0, func, wanted, true)
            }
        }
    }

    fn deliver(&mut self, from: usize, n: usize) -> Result<Act> {
        let Some(frame) = self.frames.pop() else { return Ok(Act::Exit) };
        let func = frame.func as usize;
        let first = if n > 0 { self.stack[from] } else { Value::Nil };
        match frame.kind {
            Kind::Entry => {
                self.finish(from, n);
                Ok(Act::Exit)
            }
            Kind::Pcall | Kind::Xpcall => {
                self.pop_boundary();
                self.stack[from - 1] = Value::Bool(true);
                Ok(self.results_to(from - 1, n + 1, func, frame.wanted))
            }
            Kind::Handler => {
                self.pop_boundary();
                self.stack[func] = Value::Bool(false);
                self.stack[func + 1] = first;
                Ok(self.results_to(func, 2, func, frame.wanted))
            }
            Kind::Store => {
                self.pop_boundary();
                self.stack[frame.aux as usize] = first;
                Ok(Act::Lua)
            }
            Kind::Discard => {
                self.pop_boundary();
                Ok(Act::Lua)
            }
            Kind::Test => {
                self.pop_boundary();
                let outcome = first.truthy() != (frame.aux & 2 != 0);
                self.conclude_test(outcome == (frame.aux & 1 != 0));
                Ok(Act::Lua)
            }
            Kind::Concat => {
                self.pop_boundary();
                self.continue_concat(frame.aux as usize, first)
            }
            Kind::Iterate => {
                self.pop_boundary();
                self.results_to(from, n, func, frame.wanted);
                self.conclude_iteration(func);
                Ok(Act::Lua)
            }
            Kind::Continuation => {
                self.pop_boundary();
                self.continuation(frame, from, n)
            }
            Kind::Bottom => {
                self.ret.clear();
                self.ret.extend_from_slice(&self.stack[from..from + n]);
                let (dead, resumer) = (self.current, self.resumer);
                self.switch_to(resumer);
                self.kill(dead);
                self.answer_resume(true)
            }
            Kind::Lua | Kind::Resume | Kind::Yielded => {
                debug_assert!(false, "{:?} takes no results", frame.kind);
                Ok(Act::Lua)
            }
        }
    }

    fn continuation(&mut self, frame: Frame, from: usize, n: usize) -> Result<Act> {
        let Some(rest) = self.continuations.pop() else { return Ok(Act::Lua) };
        self.ret.clear();
        self.budget -= 1;
        match rest.resume(self, Args { base: from, n, function: 0 })? {
            Step::Return => self.returned(frame.func as usize, frame.wanted),
            Step::TailCall => {
                let f = self.callee;
                let func = frame.func as usize;
                let nargs = self.place_call(func, f)?;
                Ok(self.will_call(func, nargs, frame.wanted))
            }
            Step::Call => {
                let f = self.callee;
                self.push_boundary(frame)?;
                let callee = frame.aux as usize;
                let nargs = self.place_call(callee, f)?;
                Ok(self.will_call(callee, nargs, -1))
            }
        }
    }

    /// Pops frames up to one that catches the error.
    pub(crate) fn unwind(&mut self, Error(mut error): Error) -> Result<Act> {
        self.failed_at = self.current_line();
        loop {
            let Some(frame) = self.frames.pop() else { return Err(Error(error)) };
            let func = frame.func as usize;
            match frame.kind {
                Kind::Lua | Kind::Yielded => continue,
                Kind::Entry => return Err(Error(error)),
                Kind::Store | Kind::Discard | Kind::Test | Kind::Concat | Kind::Iterate | Kind::Resume => {
                    self.pop_boundary();
                }
                Kind::Continuation => {
                    self.pop_boundary();
                    self.continuations.pop();
                }
                Kind::Pcall => {
                    self.pop_boundary();
                    self.close_upvalues(func);
                    let mut n = 2;
                    if self.pcall_gives_text
                        && let Value::Table(t) = error
                    {
                        match self.raw_get_bytes(t, b"err") {
                            text @ (Value::Str(_) | Value::Number(_)) => error = text,
                            other => {
                                self.ensure_stack(func + 3)?;
                                self.stack[func + 2] = other;
                                n = 3;
                            }
                        }
                    }
                    self.stack[func] = Value::Bool(false);
                    self.stack[func + 1] = error;
                    return Ok(self.results_to(func, n, func, frame.wanted));
                }
                Kind::Xpcall => {
                    // The handler takes the place of the function that failed.
                    self.close_upvalues(func);
                    self.frames.push(Frame { kind: Kind::Handler, ..frame });
                    self.stack[func + 2] = error;
                    return Ok(self.will_call(func + 1, 1, -1));
                }
                Kind::Handler => {
                    self.pop_boundary();
                    self.close_upvalues(func);
                    self.stack[func] = Value::Bool(false);
                    self.stack[func + 1] = self.error_plain(b"error in error handling").0;
                    return Ok(self.results_to(func, 2, func, frame.wanted));
                }
                Kind::Bottom => {
                    let (dead, resumer) = (self.current, self.resumer);
                    self.switch_to(resumer);
                    self.kill(dead);
                    let wrapped = self.frames.last().is_some_and(|f| f.aux == 1);
                    if !wrapped {
                        self.ret.clear();
                        self.ret.push(error);
                        return self.answer_resume(false);
                    }
                    if let Some(frame) = self.frames.pop() {
                        debug_assert_eq!(frame.kind, Kind::Resume);
                        self.pop_boundary();
                    }
                    if let Value::Str(s) = error {
                        let position = self.position(1);
                        if !position.is_empty() {
                            let text = join(&[&position, self.bytes(s)]);
                            error = self.error_plain(&text).0;
                        }
                    }
                }
            }
        }
    }

    // Upvalues.

    pub(crate) fn find_upvalue(&mut self, slot: usize) -> Result<u32> {
        let mut at = self.open.len();
        while at > 0 {
            let id = self.open[at - 1];
            match self.heap.upvalues.items[id as usize].at {
                Upvalue::Open(_, s) if s as usize == slot => return Ok(id),
                Upvalue::Open(_, s) if s as usize > slot => at -= 1,
                _ => break,
            }
        }
        let mark = self.heap.mark;
        let object = UpvalueObject { at: Upvalue::Open(self.current, slot as u32), mark };
        let id = self.heap.upvalues.add(object, &mut self.heap.memory)?;
        self.open.insert(at, id);
        Ok(id)
    }

    /// Upvalues of the stack from an index on get values of their own.
    pub(crate) fn close_upvalues(&mut self, from: usize) {
        while let Some(id) = self.open.last() {
            let object = &mut self.heap.upvalues.items[*id as usize];
            let Upvalue::Open(_, slot) = object.at else { break };
            if (slot as usize) < from {
                break;
            }
            object.at = Upvalue::Closed(self.stack[slot as usize]);
            self.open.pop();
        }
    }

    // Coroutines.

    /// Exchanges the running state with that of another coroutine, which then runs.
    pub(crate) fn switch_to(&mut self, to: u32) {
        let mut state = match to {
            MAIN => self.main.take(),
            id => Some(std::mem::replace(
                &mut self.heap.threads.items[id as usize],
                Thread::empty(Status::Running),
            )),
        }
        .unwrap_or_else(|| Thread::empty(Status::Running));
        let from = self.current;
        std::mem::swap(&mut self.stack, &mut state.stack);
        std::mem::swap(&mut self.frames, &mut state.frames);
        std::mem::swap(&mut self.open, &mut state.open);
        std::mem::swap(&mut self.continuations, &mut state.continuations);
        std::mem::swap(&mut self.boundaries, &mut state.boundaries);
        std::mem::swap(&mut self.top, &mut state.top);
        let (mark, resumer) = (state.mark, state.resumer);
        state.resumer = self.resumer;
        if to != MAIN {
            let object = &mut self.heap.threads.items[to as usize];
            object.mark = mark;
            object.status = Status::Running;
        }
        self.resumer = resumer;
        self.current = to;
        match from {
            MAIN => self.main = Some(state),
            id => {
                state.mark = self.heap.threads.items[id as usize].mark;
                state.status = Status::Normal;
                self.heap.threads.items[id as usize] = state;
            }
        }
    }

    /// A coroutine that does not run gives up its stack.
    pub(crate) fn kill(&mut self, id: u32) {
        let bytes = self.heap.threads.items[id as usize].bytes();
        let mark = self.heap.threads.items[id as usize].mark;
        let boundaries = self.heap.threads.items[id as usize].boundaries;
        // What it still holds open gets values of its own.
        let object = &mut self.heap.threads.items[id as usize];
        let stack = std::mem::take(&mut object.stack);
        let open = std::mem::take(&mut object.open);
        *object = Thread::empty(Status::Dead);
        object.mark = mark;
        for upvalue in open {
            let object = &mut self.heap.upvalues.items[upvalue as usize];
            if let Upvalue::Open(_, slot) = object.at {
                object.at = Upvalue::Closed(stack[slot as usize]);
            }
        }
        self.depth = self.depth.saturating_sub(boundaries);
        self.heap.memory.release(bytes);
    }

    fn yields(&mut self, args: Args, func: usize, wanted: i32) -> Result<Act> {
        if self.current == MAIN || self.boundaries > 0 {
            return Err(self.error_plain(b"attempt to yield across metamethod/C-call boundary"));
        }
        self.push_frame(Frame { kind: Kind::Yielded, wanted, func: func as u32, ..FRAME })?;
        self.ret.clear();
        self.ret.extend_from_slice(&self.stack[args.base..args.base + args.n]);
        let (yielded, resumer) = (self.current, self.resumer);
        self.switch_to(resumer);
        let object = &mut self.heap.threads.items[yielded as usize];
        object.status = Status::Suspended;
        object.resumer = MAIN;
        self.answer_resume(true)
    }

    /// Gives the pushed values to the resume that waits on top.
    fn answer_resume(&mut self, ok: bool) -> Result<Act> {
        let Some(frame) = self.frames.pop() else { return Ok(Act::Lua) };
        debug_assert_eq!(frame.kind, Kind::Resume);
        self.pop_boundary();
        if frame.aux == 0 {
            self.ret.insert(0, Value::Bool(ok));
        }
        self.ensure_stack(frame.func as usize + self.ret.len())?;
        self.returned(frame.func as usize, frame.wanted)
    }

    fn resume(
        &mut self,
        co: u32,
        args: Args,
        skip: usize,
        func: usize,
        wanted: i32,
        wrap: bool,
    ) -> Result<Act> {
        let status =
            if co == self.current { Status::Running } else { self.heap.threads.items[co as usize].status };
        if status != Status::Suspended {
            let text: &[u8] = match status {
                Status::Dead => b"cannot resume dead coroutine",
                Status::Normal => b"cannot resume normal coroutine",
                _ => b"cannot resume running coroutine",
            };
            if wrap {
                return Err(self.error_bytes(text));
            }
            self.push(Value::Bool(false));
            self.push_bytes(text)?;
            return self.returned(func, wanted);
        }
        self.push_boundary(Frame {
            kind: Kind::Resume,
            wanted,
            func: func as u32,
            aux: wrap as u32,
            ..FRAME
        })?;
        self.ret.clear();
        self.ret.extend_from_slice(&self.stack[args.base + skip..args.base + args.n]);
        let from = self.current;
        self.switch_to(co);
        self.resumer = from;
        let n = self.ret.len();
        match self.frames.pop() {
            Some(frame) => {
                debug_assert_eq!(frame.kind, Kind::Yielded);
                self.ensure_stack(frame.func as usize + n)?;
                self.returned(frame.func as usize, frame.wanted)
            }
            None => {
                self.frames.push(Frame { kind: Kind::Bottom, ..FRAME });
                self.ensure_stack(n + 1)?;
                self.stack[1..=n].copy_from_slice(&self.ret);
                Ok(self.will_call(0, n, -1))
            }
        }
    }

    /// A suspended coroutine that will run a function.
    pub(crate) fn new_coroutine(&mut self, function: Value) -> Result<Value> {
        let mut thread = Thread::empty(Status::Suspended);
        let size = WINDOW + 32;
        self.heap.memory.charge(size * size_of::<Value>() + 4 * size_of::<Frame>())?;
        thread.stack.reserve_exact(size);
        thread.stack.resize(size, Value::Nil);
        thread.frames.reserve_exact(4);
        thread.stack[0] = function;
        thread.top = 1;
        thread.mark = self.heap.mark;
        Ok(Value::Coroutine(Coroutine(self.heap.threads.add(thread, &mut self.heap.memory)?)))
    }
}

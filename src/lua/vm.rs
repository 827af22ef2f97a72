//! The machine as its host sees it: create, load, run, pause, read.

use std::rc::Rc;

use super::coroutine::*;
use super::heap::*;
use super::host::{Continuation, Host, join};
use super::meta::EVENTS;
use super::names::chunk_id;
use super::parser::{CompileError, compile};
use super::random::Random;
use super::table::NO_META;
use super::value::*;

/// How a run ended.
#[derive(Clone, Copy, Debug)]
pub enum Outcome {
    /// The results are in `Vm::results`.
    Done,
    /// The budget is used up: `run` again to continue, or `abort`.
    Paused,
    /// The function raised this value.
    Failed(Value),
}

pub(crate) enum Exit {
    Done,
    Paused,
}

/// Keeps a value alive until it is unpinned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pin(u32);

/// A Lua 5.1 machine. Everything scripts make lives in its heap, under a memory cap.
pub struct Vm {
    pub(crate) heap: Heap,
    // The running coroutine's state; see `Thread`.
    pub(crate) stack: Vec<Value>,
    pub(crate) frames: Vec<Frame>,
    pub(crate) open: Vec<u32>,
    pub(crate) continuations: Vec<Box<dyn Continuation>>,
    pub(crate) boundaries: u32,
    pub(crate) top: usize,
    pub(crate) current: u32,
    pub(crate) resumer: u32,
    /// Frames that Lua 5.1 would recurse in C for.
    pub(crate) depth: u32,
    pub(crate) chain: u32,
    pub(crate) main: Option<Thread>,
    pub(crate) next: Pending,
    /// What `Step::Call` and `Step::TailCall` call.
    pub(crate) callee: Value,

    pub(crate) budget: i64,
    pub(crate) ret: Vec<Value>,
    pub(crate) buffer: Vec<u8>,
    pub(crate) globals: u32,
    pub(crate) string_meta: u32,
    pub(crate) events: [Str; EVENTS.len()],
    pub(crate) mode: Str,
    pins: Vec<Value>,
    free_pins: Vec<u32>,
    results: Vec<Value>,
    pub(crate) failed_at: Option<(Vec<u8>, u32)>,
    /// Collect whenever possible: finds missing roots.
    pub(crate) stress: bool,
    /// What `os.clock` said when the run began, in seconds, and how much an instruction adds.
    pub(crate) clock: f64,
    pub(crate) clock_step: f64,
    /// The budget with which the run began.
    pub(crate) slice: i64,
    pub random: Random,
    /// How long chunk names get in messages: 60 in stock Lua 5.1, 80 in Debian's.
    pub chunk_id_size: usize,
    pub(crate) json: super::lib::cjson::Settings,
    /// Whether `pcall` is Redis's own: of a caught table `{err = text}` it gives the text, of others what is at `err` as well.
    pub pcall_gives_text: bool,
}

impl Vm {
    /// A machine without any library; `cap` bounds the bytes it holds.
    pub fn new(cap: usize) -> Result<Vm> {
        let mut heap = Heap::new(cap);
        let globals = heap.table(0, 0)?.0;
        let mut events = [Str(0); EVENTS.len()];
        for (event, name) in events.iter_mut().zip(EVENTS) {
            *event = heap.string(name.as_bytes())?;
        }
        let mode = heap.string(b"__mode")?;
        Ok(Vm {
            heap,
            stack: Vec::new(),
            frames: Vec::new(),
            open: Vec::new(),
            continuations: Vec::new(),
            boundaries: 0,
            top: 0,
            current: MAIN,
            resumer: MAIN,
            depth: 0,
            chain: 0,
            main: None,
            next: Pending::default(),
            callee: Value::Nil,
            budget: 0,
            ret: Vec::new(),
            buffer: Vec::new(),
            globals,
            string_meta: NO_META,
            events,
            mode,
            pins: Vec::new(),
            free_pins: Vec::new(),
            results: Vec::new(),
            failed_at: None,
            stress: false,
            clock: 0.0,
            clock_step: 0.0,
            slice: 0,
            random: Random::default(),
            chunk_id_size: 60,
            json: super::lib::cjson::Settings::default(),
            pcall_gives_text: false,
        })
    }

    pub fn globals(&self) -> Table {
        Table(self.globals)
    }

    /// What functions loaded from here on see as their globals.
    pub fn set_globals(&mut self, globals: Table) {
        self.globals = globals.0;
    }

    pub fn set_global(&mut self, name: &str, value: Value) -> Result<()> {
        self.raw_set_bytes(Table(self.globals), name.as_bytes(), value)
    }

    pub fn global(&mut self, name: &str) -> Value {
        self.raw_get_bytes(Table(self.globals), name.as_bytes())
    }

    /// A function that calls `Host::call` with this number.
    pub fn host_function(&mut self, id: u32) -> Result<Value> {
        Ok(Value::Host(self.heap.host(HostKind::External(id), &[])?))
    }

    /// Sets what `os.clock` says when the next run begins, unless it is ahead already, and how much each instruction adds
    /// to it, both in seconds.
    pub fn set_clock(&mut self, seconds: f64, seconds_per_step: f64) {
        self.clock = self.clock_now().max(seconds);
        self.clock_step = seconds_per_step;
        self.slice = self.budget;
    }

    pub(crate) fn clock_now(&self) -> f64 {
        self.clock + (self.slice - self.budget) as f64 * self.clock_step
    }

    pub fn memory_used(&self) -> usize {
        self.heap.memory.bytes
    }

    /// Garbage is left alone until so many bytes have been allocated since the last collection. Less keeps the heap smaller
    /// and costs time.
    pub fn set_collection_min(&mut self, bytes: usize) {
        self.heap.memory.threshold_min = bytes;
        self.heap.memory.threshold = bytes;
    }

    pub fn set_memory_cap(&mut self, bytes: usize) {
        self.heap.memory.cap = bytes;
    }

    /// Collects at every opportunity, to find values that are not rooted.
    pub fn set_stress(&mut self, on: bool) {
        self.stress = on;
    }

    /// Compiles a chunk. The error is a string such as `name:1: unexpected symbol near '<eof>'`.
    pub fn load(&mut self, name: &[u8], source: &[u8]) -> Result<Value> {
        let env = self.globals;
        self.load_with(name, source, env)
    }

    pub(crate) fn load_with(&mut self, name: &[u8], source: &[u8], env: u32) -> Result<Value> {
        let name = self.heap.string(name)?;
        match compile(&mut self.heap, source, name) {
            Ok(proto) => {
                let body = Body { proto: Rc::clone(&proto), upvalues: Box::default() };
                Ok(Value::Function(self.heap.closure(body, env)?))
            }
            Err(CompileError::Memory) => Err(OutOfMemory.into()),
            Err(CompileError::Syntax(text, line)) => {
                let id = chunk_id(self.bytes(name), self.chunk_id_size);
                let mut buffer = itoa::Buffer::new();
                Err(self.error_plain(&join(&[&id, b":", buffer.format(line).as_bytes(), b": ", &text])))
            }
        }
    }

    pub fn pin(&mut self, value: Value) -> Pin {
        match self.free_pins.pop() {
            Some(i) => {
                self.pins[i as usize] = value;
                Pin(i)
            }
            None => {
                self.pins.push(value);
                Pin(self.pins.len() as u32 - 1)
            }
        }
    }

    pub fn pinned(&self, pin: Pin) -> Value {
        self.pins[pin.0 as usize]
    }

    pub fn unpin(&mut self, pin: Pin) {
        self.pins[pin.0 as usize] = Value::Nil;
        self.free_pins.push(pin.0);
    }

    pub(crate) fn pins_and_results(&self) -> impl Iterator<Item = Value> {
        self.pins.iter().chain(&self.results).copied()
    }

    /// Prepares a call; `run` carries it out. What ran before is dropped.
    pub fn start(&mut self, function: Value, args: &[Value]) -> Result<()> {
        self.abort();
        self.failed_at = None;
        self.heap.memory.stopped = false;
        self.ensure_stack(args.len() + 2)?;
        self.stack[0] = function;
        self.stack[1..=args.len()].copy_from_slice(args);
        self.frames.push(Frame { kind: Kind::Entry, pc: args.len() as u32, aux: 1, ..FRAME });
        Ok(())
    }

    /// Runs until the function returns or fails, or the budget (about one an instruction) is used up.
    pub fn run(&mut self, host: &mut dyn Host, budget: u64) -> Outcome {
        self.clock = self.clock_now();
        self.budget = i64::try_from(budget).unwrap_or(i64::MAX);
        self.slice = self.budget;
        let mut act = match self.frames.last_mut() {
            Some(frame) if frame.kind == Kind::Entry && frame.aux == 1 => {
                frame.aux = 0;
                let nargs = frame.pc as usize;
                self.will_call(0, nargs, -1)
            }
            Some(_) => Act::Lua,
            None => return Outcome::Failed(Value::Nil),
        };
        loop {
            let ended = match self.drive(host, act) {
                Ok(Flow::Lua) => self.execute(host),
                Ok(Flow::Exit(exit)) => Ok(exit),
                Err(e) => Err(e),
            };
            act = match ended {
                Ok(Exit::Paused) => return Outcome::Paused,
                Ok(Exit::Done) => {
                    self.tidy();
                    return Outcome::Done;
                }
                Err(error) => match self.unwind(error) {
                    Ok(act) => act,
                    Err(Error(value)) => {
                        self.abort();
                        self.results.clear();
                        self.results.push(value);
                        self.tidy();
                        return Outcome::Failed(value);
                    }
                },
            };
        }
    }

    /// Leaves room for what the host does between runs.
    fn tidy(&mut self) {
        let memory = &self.heap.memory;
        if memory.wants_collection() || memory.bytes > memory.cap / 2 {
            self.collect_garbage();
        }
        if self.stack.len() > 1 << 14 && self.frames.is_empty() {
            self.shrink();
        }
    }

    /// Frees what no global, pin or result reaches. Not while a run is paused: it does so itself.
    pub fn collect_garbage(&mut self) {
        if self.frames.is_empty() {
            self.collect(0);
        }
    }

    pub(crate) fn will_call(&mut self, func: usize, nargs: usize, wanted: i32) -> Act {
        self.next = Pending { func, nargs, wanted };
        Act::Call
    }

    pub(crate) fn finish(&mut self, from: usize, n: usize) {
        self.results.clear();
        self.results.extend_from_slice(&self.stack[from..from + n]);
    }

    fn shrink(&mut self) {
        let before = self.stack.capacity();
        self.stack.truncate(1 << 10);
        self.stack.shrink_to_fit();
        self.heap.memory.release((before - self.stack.capacity()) * size_of::<Value>());
    }

    /// The results of a run that is done; valid until the next one starts.
    pub fn results(&self) -> &[Value] {
        &self.results
    }

    /// The metatable of all strings.
    pub fn string_metatable(&self) -> Option<Table> {
        (self.string_meta != NO_META).then_some(Table(self.string_meta))
    }

    /// The chunk and line of the Lua function in which the last error of the last run was raised.
    pub fn failed_at(&self) -> Option<(&[u8], u32)> {
        self.failed_at.as_ref().map(|(name, line)| (&name[..], *line))
    }

    pub fn is_paused(&self) -> bool {
        !self.frames.is_empty() || self.current != MAIN
    }

    /// Drops whatever is running or paused. No Lua code sees it.
    pub fn abort(&mut self) {
        while self.current != MAIN {
            let resumer = self.resumer;
            let dying = self.current;
            self.switch_to(resumer);
            self.kill(dying);
        }
        self.close_upvalues(0);
        self.frames.clear();
        self.continuations.clear();
        self.boundaries = 0;
        self.depth = 0;
        self.top = 0;
    }
}

pub(crate) const FRAME: Frame =
    Frame { kind: Kind::Lua, wanted: -1, closure: 0, base: 0, func: 0, pc: 0, aux: 0, tail_calls: 0 };

/// What the machine does next, outside of Lua code. The details are in `Vm::next`: small results are fast.
#[derive(Clone, Copy)]
pub(crate) enum Act {
    /// Call the value at `func` with the arguments after it.
    Call,
    /// Give `nargs` results from `func` on to the top frame, which is not Lua's.
    Deliver,
    /// Go on with the Lua function on top.
    Lua,
    Exit,
}

#[derive(Clone, Copy, Default)]
pub(crate) struct Pending {
    pub func: usize,
    pub nargs: usize,
    pub wanted: i32,
}

pub(crate) enum Flow {
    Lua,
    Exit(Exit),
}

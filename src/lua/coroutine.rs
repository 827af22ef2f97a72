//! The state of one coroutine: stack and frames, all on the heap.

use super::host::Continuation;
use super::value::Value;

/// Registers a function can reach from its base; every stack has so many values above any base.
pub(crate) const WINDOW: usize = 256;
/// The main coroutine has no object.
pub(crate) const MAIN: u32 = u32::MAX;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Lua,
    /// Where the host entered.
    Entry,
    /// The bottom of a coroutine.
    Bottom,
    Pcall,
    Xpcall,
    /// The message handler of xpcall.
    Handler,
    /// A library function that called back.
    Continuation,
    /// A metamethod whose result goes to the register at stack index `aux`.
    Store,
    /// A metamethod without result.
    Discard,
    /// A comparison: `aux` bit 0 is the outcome that jumps, bit 1 negates.
    Test,
    /// `..`: `aux` is the last register not yet joined.
    Concat,
    /// The iterator of a `for`.
    Iterate,
    /// Waits for the coroutine it resumed; `aux` 1: by a wrapped function.
    Resume,
    /// Stopped in a yield.
    Yielded,
}

#[derive(Clone, Copy)]
pub(crate) struct Frame {
    pub kind: Kind,
    /// How many results the caller wants; negative: all.
    pub wanted: i32,
    pub closure: u32,
    pub base: u32,
    pub func: u32,
    pub pc: u32,
    pub aux: u32,
    /// Calls this frame stands for beyond its own.
    pub tail_calls: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Status {
    Suspended,
    Running,
    Normal,
    Dead,
}

pub(crate) struct Thread {
    pub stack: Vec<Value>,
    pub frames: Vec<Frame>,
    /// Open upvalues by rising stack index.
    pub open: Vec<u32>,
    pub continuations: Vec<Box<dyn Continuation>>,
    /// Frames a yield cannot cross.
    pub boundaries: u32,
    pub top: usize,
    pub status: Status,
    pub resumer: u32,
    pub mark: u8,
}

impl Thread {
    pub fn empty(status: Status) -> Thread {
        Thread {
            stack: Vec::new(),
            frames: Vec::new(),
            open: Vec::new(),
            continuations: Vec::new(),
            boundaries: 0,
            top: 0,
            status,
            resumer: MAIN,
            mark: 0,
        }
    }

    pub fn bytes(&self) -> usize {
        self.stack.capacity() * size_of::<Value>() + self.frames.capacity() * size_of::<Frame>()
    }
}

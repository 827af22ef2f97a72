//! Lua 5.1: a compiler to register code, a machine that runs it, and its libraries.
//!
//! Knows nothing of the program around it. A host creates a `Vm`, opens the libraries it wants, loads
//! chunks, and runs functions in slices: `start`, then `run` with a budget until it is done. Scripts hold
//! no Rust stack, so one can pause anywhere and be resumed or dropped. Memory has a hard cap.
//!
//! ```
//! use resplay::lua::{NoHost, Outcome, Vm, lib};
//! let mut vm = Vm::new(1 << 24).unwrap();
//! lib::open_all(&mut vm).unwrap();
//! let chunk = vm.load(b"=demo", b"return 6 * 7").unwrap();
//! vm.start(chunk, &[]).unwrap();
//! assert!(matches!(vm.run(&mut NoHost, 1000), Outcome::Done));
//! assert_eq!(vm.display(vm.results()[0]), b"42");
//! ```
//!
//! In reading order: `value`, `table`, `heap`, `gc`; `lexer`, `parser`, `expressions`, `emit`, `proto`;
//! `vm`, `exec`, `call`, `meta`, `names`; `host`; `lib/`.

mod call;
mod coroutine;
mod emit;
mod exec;
mod expressions;
mod gc;
mod heap;
mod host;
mod lexer;
pub mod lib;
mod meta;
mod names;
pub mod number;
mod parser;
mod proto;
mod random;
mod table;
mod value;
mod vm;

pub use host::{Args, Builtin, Continuation, Host, NoHost, Step};
pub use random::Random;
pub use value::{Closure, Coroutine, Error, HostFunction, OutOfMemory, Result, Str, Table, Userdata, Value};
pub use vm::{Outcome, Pin, Vm};

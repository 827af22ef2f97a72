//! What redis-cli does for its user, as a pure state machine: splitting a line, hints, HELP, completion, the reply
//! formats, prompt states. It must not know the screen, the DOM or a socket: lines and bytes come in, actions go out.

pub mod split;
pub mod walk;
pub mod format;
pub mod grid;
pub mod printed;
pub mod habits;
pub mod history;
pub mod options;
pub mod table;
pub mod matching;
pub mod hints;
pub mod complete;
pub mod help;
pub mod marks;
pub mod teach;
pub mod editor;
pub mod transcript;
pub mod tools;
pub mod session;

pub use session::{Action, Address, FileUse, Session, Settings, State};

//! What a command is: declaration, arguments, context, the one calling path. Knows no single command.

pub mod declaration;
pub mod keyspec;

pub use declaration::{Categories, Command, Exceptions, Flags, Group};
pub use keyspec::{KeyFlags, Keys};

/// The function of a command.
pub type Run = fn();

pub(crate) fn unreachable_run() {}

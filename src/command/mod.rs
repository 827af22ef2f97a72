//! What a command is: its declaration, its arguments, its context, and the one calling path.

pub mod declaration;
pub mod keyspec;
pub mod syntax;
pub mod registry;
pub mod docs;
pub mod args;
pub mod ctx;
pub mod redact;
pub mod acl;
pub mod call;
pub mod observe;
pub mod expiry;
pub mod play;

pub use args::Args;
pub use ctx::Ctx;
pub use declaration::{Categories, Command, Exceptions, Flags, Group};
pub use keyspec::{KeyFlags, Keys};
pub use registry::{Lookup, Registry};

use crate::resp::ReplyWriter;
use crate::server::error::Result;

/// A command's function: parse all arguments, check, read, write, reply.
pub type Run = fn(&mut Ctx, &mut Args, &mut ReplyWriter) -> Result<()>;

/// The function of a declaration that names none: containers.
pub(crate) fn unreachable_run(_: &mut Ctx, _: &mut Args, _: &mut ReplyWriter) -> Result<()> {
    unreachable!("a container is never run itself")
}

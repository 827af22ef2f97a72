//! Lua scripts and functions: EVAL, FCALL and what manages them. The declarations; what they do is in `scripts` and
//! `functions`, which the feature `scripting` brings.

#[cfg(feature = "scripting")]
mod api;
#[cfg(feature = "scripting")]
mod convert;
#[cfg(feature = "scripting")]
mod environment;
#[cfg(feature = "scripting")]
pub mod functions;
#[cfg(feature = "scripting")]
mod run;
#[cfg(feature = "scripting")]
mod scripts;

#[cfg(feature = "scripting")]
pub use run::go_on;

use crate::command::declaration::{
    ALLOW_BUSY, Command, DENYOOM, Group, MAY_REPLICATE, NO_MANDATORY_KEYS, NOSCRIPT, READONLY, SCRIPT_RUNNER,
    SKIP_MONITOR, STALE, WRITE,
};
use crate::command::{Args, Ctx, Keys, Registry};
use crate::resp::ReplyWriter;
use crate::server::Server;
use crate::server::error::Result;
use crate::server::scripting::Kind;

/// Calls what the feature brings, or says that it is missing.
#[cfg(feature = "scripting")]
macro_rules! machine {
    ($ctx:ident, $args:ident, $reply:ident, $function:path $(, $more:expr)*) => {
        $function($ctx, $args, $reply $(, $more)*)
    };
}

#[cfg(not(feature = "scripting"))]
macro_rules! machine {
    ($ctx:ident, $args:ident, $reply:ident, $function:path $(, $more:expr)*) => {
        missing($ctx, $args, $reply)
    };
}

#[cfg(not(feature = "scripting"))]
const MISSING: crate::server::error::Error =
    crate::server::error::Error::new("ERR This server was built without scripting");

#[cfg(not(feature = "scripting"))]
fn missing(ctx: &mut Ctx, _: &mut Args, _: &mut ReplyWriter) -> Result {
    ctx.server.needs_scripting = true;
    Err(MISSING)
}

#[cfg(not(feature = "scripting"))]
pub fn go_on(_: &mut Server, _: &Registry) {}

pub const COMMANDS: &[Command] = &[
    EVAL,
    EVALSHA,
    EVALSHA_RO,
    EVAL_RO,
    FCALL,
    FCALL_RO,
    FUNCTION_DELETE,
    FUNCTION_DUMP,
    FUNCTION_FLUSH,
    FUNCTION_KILL,
    FUNCTION_LIST,
    FUNCTION_LOAD,
    FUNCTION_RESTORE,
    FUNCTION_STATS,
    SCRIPT_DEBUG,
    SCRIPT_EXISTS,
    SCRIPT_FLUSH,
    SCRIPT_KILL,
    SCRIPT_LOAD,
];

pub const EVAL: Command = Command {
    name: "EVAL",
    syntax: "script numkeys [key ...] [arg ...]",
    summary: "Runs a Lua script.",
    since: "2.6.0",
    complexity: "Depends on the script",
    group: Group::Scripting,
    flags: NOSCRIPT.and(STALE).and(SKIP_MONITOR).and(NO_MANDATORY_KEYS).and(SCRIPT_RUNNER).and(MAY_REPLICATE),
    keys: &[Keys::counted_at(2).read_write().access().update()],
    run: eval,
    ..Command::BASE
};

fn eval(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    machine!(ctx, args, reply, scripts::eval, false)
}

pub const EVAL_RO: Command = Command {
    name: "EVAL_RO",
    syntax: "script numkeys [key ...] [arg ...]",
    summary: "Runs a Lua script that only reads.",
    since: "7.0.0",
    complexity: "Depends on the script",
    group: Group::Scripting,
    flags: READONLY.and(NOSCRIPT).and(STALE).and(SKIP_MONITOR).and(NO_MANDATORY_KEYS).and(SCRIPT_RUNNER),
    keys: &[Keys::counted_at(2).read_only().access()],
    run: eval_ro,
    ..Command::BASE
};

fn eval_ro(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    machine!(ctx, args, reply, scripts::eval, true)
}

pub const EVALSHA: Command = Command {
    name: "EVALSHA",
    syntax: "sha1 numkeys [key ...] [arg ...]",
    summary: "Runs a Lua script that the server has cached, by its SHA1 digest.",
    since: "2.6.0",
    complexity: "Depends on the script",
    group: Group::Scripting,
    flags: NOSCRIPT.and(STALE).and(SKIP_MONITOR).and(NO_MANDATORY_KEYS).and(SCRIPT_RUNNER).and(MAY_REPLICATE),
    keys: &[Keys::counted_at(2).read_write().access().update()],
    run: evalsha,
    ..Command::BASE
};

fn evalsha(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    machine!(ctx, args, reply, scripts::evalsha, false)
}

pub const EVALSHA_RO: Command = Command {
    name: "EVALSHA_RO",
    syntax: "sha1 numkeys [key ...] [arg ...]",
    summary: "Runs a cached Lua script that only reads, by its SHA1 digest.",
    since: "7.0.0",
    complexity: "Depends on the script",
    group: Group::Scripting,
    flags: READONLY.and(NOSCRIPT).and(STALE).and(SKIP_MONITOR).and(NO_MANDATORY_KEYS).and(SCRIPT_RUNNER),
    keys: &[Keys::counted_at(2).read_only().access()],
    run: evalsha_ro,
    ..Command::BASE
};

fn evalsha_ro(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    machine!(ctx, args, reply, scripts::evalsha, true)
}

pub const SCRIPT_LOAD: Command = Command {
    name: "SCRIPT LOAD",
    syntax: "script",
    summary: "Puts a script into the script cache.",
    since: "2.6.0",
    complexity: "O(N) with N the length of the script",
    group: Group::Scripting,
    flags: NOSCRIPT.and(STALE),
    tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
    run: script_load,
    ..Command::BASE
};

fn script_load(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    machine!(ctx, args, reply, scripts::load)
}

pub const SCRIPT_EXISTS: Command = Command {
    name: "SCRIPT EXISTS",
    syntax: "sha1 ...",
    summary: "Tells which scripts are in the script cache.",
    since: "2.6.0",
    complexity: "O(N) with N the number of digests given",
    group: Group::Scripting,
    flags: NOSCRIPT,
    tips: &["request_policy:all_shards", "response_policy:agg_logical_and"],
    run: script_exists,
    ..Command::BASE
};

fn script_exists(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    machine!(ctx, args, reply, scripts::exist)
}

pub const SCRIPT_FLUSH: Command = Command {
    name: "SCRIPT FLUSH",
    syntax: "[ASYNC | SYNC]@6.2.0",
    summary: "Empties the script cache.",
    since: "2.6.0",
    complexity: "O(N) with N the number of cached scripts",
    group: Group::Scripting,
    flags: NOSCRIPT,
    tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
    history: &[("6.2.0", "Knows `ASYNC` and `SYNC`.")],
    run: script_flush,
    ..Command::BASE
};

fn script_flush(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    machine!(ctx, args, reply, scripts::flush)
}

pub const SCRIPT_DEBUG: Command = Command {
    name: "SCRIPT DEBUG",
    syntax: "mode=<YES | SYNC | NO>",
    summary: "Chooses how scripts are debugged on this connection.",
    since: "3.2.0",
    group: Group::Scripting,
    flags: NOSCRIPT,
    run: script_debug,
    ..Command::BASE
};

fn script_debug(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    machine!(ctx, args, reply, scripts::debug)
}

pub const SCRIPT_KILL: Command = Command {
    name: "SCRIPT KILL",
    summary: "Stops the script that is running.",
    since: "2.6.0",
    group: Group::Scripting,
    flags: NOSCRIPT.and(ALLOW_BUSY),
    tips: &["request_policy:all_shards", "response_policy:one_succeeded"],
    run: script_kill,
    ..Command::BASE
};

fn script_kill(ctx: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    ctx.server.kill_script(Kind::Script)?;
    reply.ok();
    Ok(())
}

pub const FCALL: Command = Command {
    name: "FCALL",
    syntax: "function numkeys [key ...] [arg ...]",
    summary: "Calls a function of a loaded library.",
    since: "7.0.0",
    complexity: "Depends on the function",
    group: Group::Scripting,
    flags: NOSCRIPT.and(STALE).and(SKIP_MONITOR).and(NO_MANDATORY_KEYS).and(SCRIPT_RUNNER).and(MAY_REPLICATE),
    keys: &[Keys::counted_at(2).read_write().access().update()],
    run: fcall,
    ..Command::BASE
};

fn fcall(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    machine!(ctx, args, reply, functions::call, false)
}

pub const FCALL_RO: Command = Command {
    name: "FCALL_RO",
    syntax: "function numkeys [key ...] [arg ...]",
    summary: "Calls a function of a loaded library that only reads.",
    since: "7.0.0",
    complexity: "Depends on the function",
    group: Group::Scripting,
    flags: READONLY.and(NOSCRIPT).and(STALE).and(SKIP_MONITOR).and(NO_MANDATORY_KEYS).and(SCRIPT_RUNNER),
    keys: &[Keys::counted_at(2).read_only().access()],
    run: fcall_ro,
    ..Command::BASE
};

fn fcall_ro(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    machine!(ctx, args, reply, functions::call, true)
}

pub const FUNCTION_LOAD: Command = Command {
    name: "FUNCTION LOAD",
    syntax: "[REPLACE] function-code",
    summary: "Loads a library of functions.",
    since: "7.0.0",
    complexity: "O(1) besides compiling the library",
    group: Group::Scripting,
    flags: WRITE.and(DENYOOM).and(NOSCRIPT),
    tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
    run: function_load,
    ..Command::BASE
};

fn function_load(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    machine!(ctx, args, reply, functions::load)
}

pub const FUNCTION_DELETE: Command = Command {
    name: "FUNCTION DELETE",
    syntax: "library-name",
    summary: "Removes a library and its functions.",
    since: "7.0.0",
    group: Group::Scripting,
    flags: WRITE.and(NOSCRIPT),
    tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
    run: function_delete,
    ..Command::BASE
};

fn function_delete(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    machine!(ctx, args, reply, functions::delete)
}

pub const FUNCTION_FLUSH: Command = Command {
    name: "FUNCTION FLUSH",
    syntax: "[ASYNC | SYNC]",
    summary: "Removes all libraries.",
    since: "7.0.0",
    complexity: "O(N) with N the number of functions",
    group: Group::Scripting,
    flags: WRITE.and(NOSCRIPT),
    tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
    run: function_flush,
    ..Command::BASE
};

fn function_flush(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    machine!(ctx, args, reply, functions::flush)
}

pub const FUNCTION_LIST: Command = Command {
    name: "FUNCTION LIST",
    syntax: "[LIBRARYNAME library-name-pattern] [WITHCODE]",
    summary: "Lists the loaded libraries and their functions.",
    since: "7.0.0",
    complexity: "O(N) with N the number of functions",
    group: Group::Scripting,
    flags: NOSCRIPT,
    tips: &["nondeterministic_output_order"],
    run: function_list,
    ..Command::BASE
};

fn function_list(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    machine!(ctx, args, reply, functions::list)
}

pub const FUNCTION_STATS: Command = Command {
    name: "FUNCTION STATS",
    summary: "Tells which function is running and which engines there are.",
    since: "7.0.0",
    group: Group::Scripting,
    flags: NOSCRIPT.and(ALLOW_BUSY),
    tips: &["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
    run: function_stats,
    ..Command::BASE
};

fn function_stats(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    machine!(ctx, args, reply, functions::stats)
}

pub const FUNCTION_KILL: Command = Command {
    name: "FUNCTION KILL",
    summary: "Stops the function that is running.",
    since: "7.0.0",
    group: Group::Scripting,
    flags: NOSCRIPT.and(ALLOW_BUSY),
    tips: &["request_policy:all_shards", "response_policy:one_succeeded"],
    run: function_kill,
    ..Command::BASE
};

fn function_kill(ctx: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    ctx.server.kill_script(Kind::Function)?;
    reply.ok();
    Ok(())
}

pub const FUNCTION_DUMP: Command = Command {
    name: "FUNCTION DUMP",
    summary: "Serializes all loaded libraries.",
    since: "7.0.0",
    complexity: "O(N) with N the number of functions",
    group: Group::Scripting,
    flags: NOSCRIPT,
    run: function_dump,
    ..Command::BASE
};

fn function_dump(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    machine!(ctx, args, reply, functions::dump)
}

pub const FUNCTION_RESTORE: Command = Command {
    name: "FUNCTION RESTORE",
    syntax: "serialized-value policy=[FLUSH | APPEND | REPLACE]",
    summary: "Loads libraries from a serialized payload.",
    since: "7.0.0",
    complexity: "O(N) with N the number of functions in the payload",
    group: Group::Scripting,
    flags: WRITE.and(DENYOOM).and(NOSCRIPT),
    tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
    run: function_restore,
    ..Command::BASE
};

fn function_restore(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    machine!(ctx, args, reply, functions::restore)
}

/// The code of every library, for snapshots.
pub fn libraries(server: &Server) -> Vec<Box<[u8]>> {
    #[cfg(feature = "scripting")]
    return server.scripting.functions.libraries.iter().map(|library| library.code.clone()).collect();
    #[cfg(not(feature = "scripting"))]
    {
        let _ = server;
        Vec::new()
    }
}

/// Loads the code of a library from a snapshot; one of the same name is replaced.
pub fn load_library(server: &mut Server, registry: &Registry, code: &[u8]) -> Result {
    #[cfg(feature = "scripting")]
    return functions::load_library(server, registry, code, true).map(drop);
    #[cfg(not(feature = "scripting"))]
    {
        let _ = (registry, code);
        server.needs_scripting = true;
        Err(MISSING)
    }
}

//! Lua scripts and functions: EVAL, FCALL and what manages them. The declarations; what they do is in `scripts` and
//! `functions`.

mod api;
mod convert;
mod environment;
pub mod functions;
mod run;
mod scripts;

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
    scripts::eval(ctx, args, reply, false)
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
    scripts::eval(ctx, args, reply, true)
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
    scripts::evalsha(ctx, args, reply, false)
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
    scripts::evalsha(ctx, args, reply, true)
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
    run: scripts::load,
    ..Command::BASE
};

pub const SCRIPT_EXISTS: Command = Command {
    name: "SCRIPT EXISTS",
    syntax: "sha1 ...",
    summary: "Tells which scripts are in the script cache.",
    since: "2.6.0",
    complexity: "O(N) with N the number of digests given",
    group: Group::Scripting,
    flags: NOSCRIPT,
    tips: &["request_policy:all_shards", "response_policy:agg_logical_and"],
    run: scripts::exist,
    ..Command::BASE
};

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
    run: scripts::flush,
    ..Command::BASE
};

pub const SCRIPT_DEBUG: Command = Command {
    name: "SCRIPT DEBUG",
    syntax: "mode=<YES | SYNC | NO>",
    summary: "Chooses how scripts are debugged on this connection.",
    since: "3.2.0",
    group: Group::Scripting,
    flags: NOSCRIPT,
    run: scripts::debug,
    ..Command::BASE
};

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
    functions::call(ctx, args, reply, false)
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
    functions::call(ctx, args, reply, true)
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
    run: functions::load,
    ..Command::BASE
};

pub const FUNCTION_DELETE: Command = Command {
    name: "FUNCTION DELETE",
    syntax: "library-name",
    summary: "Removes a library and its functions.",
    since: "7.0.0",
    group: Group::Scripting,
    flags: WRITE.and(NOSCRIPT),
    tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
    run: functions::delete,
    ..Command::BASE
};

pub const FUNCTION_FLUSH: Command = Command {
    name: "FUNCTION FLUSH",
    syntax: "[ASYNC | SYNC]",
    summary: "Removes all libraries.",
    since: "7.0.0",
    complexity: "O(N) with N the number of functions",
    group: Group::Scripting,
    flags: WRITE.and(NOSCRIPT),
    tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
    run: functions::flush,
    ..Command::BASE
};

pub const FUNCTION_LIST: Command = Command {
    name: "FUNCTION LIST",
    syntax: "[LIBRARYNAME library-name-pattern] [WITHCODE]",
    summary: "Lists the loaded libraries and their functions.",
    since: "7.0.0",
    complexity: "O(N) with N the number of functions",
    group: Group::Scripting,
    flags: NOSCRIPT,
    tips: &["nondeterministic_output_order"],
    run: functions::list,
    ..Command::BASE
};

pub const FUNCTION_STATS: Command = Command {
    name: "FUNCTION STATS",
    summary: "Tells which function is running and which engines there are.",
    since: "7.0.0",
    group: Group::Scripting,
    flags: NOSCRIPT.and(ALLOW_BUSY),
    tips: &["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
    run: functions::stats,
    ..Command::BASE
};

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
    run: functions::dump,
    ..Command::BASE
};

pub const FUNCTION_RESTORE: Command = Command {
    name: "FUNCTION RESTORE",
    syntax: "serialized-value policy=[FLUSH | APPEND | REPLACE]",
    summary: "Loads libraries from a serialized payload.",
    since: "7.0.0",
    complexity: "O(N) with N the number of functions in the payload",
    group: Group::Scripting,
    flags: WRITE.and(DENYOOM).and(NOSCRIPT),
    tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
    run: functions::restore,
    ..Command::BASE
};

/// Loads the code of a library from a snapshot; one of the same name is replaced.
pub fn load_library(server: &mut Server, registry: &Registry, code: &[u8]) -> Result {
    functions::load_library(server, registry, code, true).map(drop)
}

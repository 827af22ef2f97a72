//! The server itself: databases as a whole, time, MONITOR.

pub mod config;
pub mod info;
pub mod debug;
pub mod lolwut;
pub mod memory;
pub mod process;
pub mod saving;
pub mod observe;

use crate::command::ctx::Origin;
use crate::command::declaration::*;
use crate::command::{Args, Ctx};
use crate::resp::ReplyWriter;
use crate::server::client::Flags as ClientFlags;
use crate::server::error::{self, Error, Result};

pub const COMMANDS: &[Command] = &[DBSIZE, FLUSHALL, FLUSHDB, MONITOR, SWAPDB, TIME];

pub const DBSIZE: Command = Command {
    name: "DBSIZE",
    summary: "Counts the keys of the current database.",
    group: Group::Server,
    flags: READONLY.and(FAST),
    categories: Exceptions::also(Categories::KEYSPACE),
    tips: &["request_policy:all_shards", "response_policy:agg_sum"],
    run: dbsize,
    ..Command::BASE
};

fn dbsize(ctx: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    reply.count(ctx.server.keyspace.db(ctx.db).len());
    Ok(())
}

/// FLUSHDB and FLUSHALL free at once whatever they are asked: there is no other thread to do it. Says what Redis would
/// leave to a thread, outside a transaction all of it.
fn parse_flush(ctx: &Ctx, args: &mut Args) -> Result<bool> {
    let by_itself = ctx.may_block();
    match args.left() {
        0 => Ok(by_itself),
        1 if args.accept("SYNC") => Ok(by_itself),
        1 if args.accept("ASYNC") => Ok(true),
        _ => Err(error::SYNTAX),
    }
}

fn flush(ctx: &mut Ctx, db: usize, is_lazy: bool) {
    let keys = ctx.server.keyspace.db(db).len() as u64;
    ctx.server.dirty += keys;
    if is_lazy {
        ctx.server.stats.lazily_freed += keys;
    }
    ctx.server.flush(db);
}

pub const FLUSHDB: Command = Command {
    name: "FLUSHDB",
    syntax: "[ASYNC@4.0.0 | SYNC@6.2.0]",
    summary: "Deletes all keys of the current database.",
    complexity: "O(N) with N the number of keys in the database",
    group: Group::Server,
    flags: WRITE,
    categories: Exceptions::also(Categories::DANGEROUS.and(Categories::KEYSPACE)),
    tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
    history: &[
        ("4.0.0", "Knows `ASYNC`."),
        ("6.2.0", "Knows `SYNC`; `lazyfree-lazy-user-flush` decides when neither is given."),
    ],
    run: flushdb,
    ..Command::BASE
};

fn flushdb(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let is_lazy = parse_flush(ctx, args)?;
    flush(ctx, ctx.db, is_lazy);
    ctx.server.invalidate_all();
    // An empty database is flushed on replicas as well: theirs may differ.
    ctx.propagate_always();
    reply.ok();
    Ok(())
}

pub const FLUSHALL: Command = Command {
    name: "FLUSHALL",
    syntax: "[ASYNC@4.0.0 | SYNC@6.2.0]",
    summary: "Deletes all keys of all databases.",
    complexity: "O(N) with N the number of keys in all databases",
    group: Group::Server,
    flags: WRITE,
    categories: Exceptions::also(Categories::DANGEROUS.and(Categories::KEYSPACE)),
    tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
    history: &[
        ("4.0.0", "Knows `ASYNC`."),
        ("6.2.0", "Knows `SYNC`; `lazyfree-lazy-user-flush` decides when neither is given."),
    ],
    run: flushall,
    ..Command::BASE
};

fn flushall(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let is_lazy = parse_flush(ctx, args)?;
    for db in 0..ctx.server.keyspace.databases() {
        flush(ctx, db, is_lazy);
    }
    ctx.server.invalidate_all();
    ctx.propagate_always();
    reply.ok();
    Ok(())
}

pub const SWAPDB: Command = Command {
    name: "SWAPDB",
    syntax: "index1 index2",
    summary: "Swaps two databases.",
    since: "4.0.0",
    complexity: "O(N) with N the clients watching or waiting for keys of either database",
    group: Group::Server,
    flags: WRITE.and(FAST),
    categories: Exceptions::also(Categories::DANGEROUS.and(Categories::KEYSPACE)),
    run: swapdb,
    ..Command::BASE
};

fn swapdb(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let first = args.integer_or(Error::new("ERR invalid first DB index"))?;
    let second = args.integer_or(Error::new("ERR invalid second DB index"))?;
    let databases = ctx.server.keyspace.databases();
    let index = |number: i64| usize::try_from(number).ok().filter(|&index| index < databases);
    let (Some(first), Some(second)) = (index(first), index(second)) else { return Err(error::DB_INDEX) };
    ctx.server.swap_databases(first, second);
    ctx.server.dirty += 1;
    reply.ok();
    Ok(())
}

pub const TIME: Command = Command {
    name: "TIME",
    summary: "Tells the server's time.",
    since: "2.6.0",
    group: Group::Server,
    flags: LOADING.and(STALE).and(FAST),
    tips: &["nondeterministic_output"],
    run: time,
    ..Command::BASE
};

fn time(ctx: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    let now_ms = ctx.now_ms();
    reply.array(2);
    reply.bulk_integer((now_ms / 1000) as i64);
    reply.bulk_integer((now_ms % 1000 * 1000) as i64);
    Ok(())
}

pub const MONITOR: Command = Command {
    name: "MONITOR",
    summary: "Shows every command the server handles, as it happens.",
    group: Group::Server,
    flags: ADMIN.and(NOSCRIPT).and(LOADING).and(STALE),
    run: monitor,
    ..Command::BASE
};

fn monitor(ctx: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    if matches!(ctx.origin, Origin::Exec | Origin::Script) {
        return Err(Error::new("ERR MONITOR isn't allowed for DENY BLOCKING client"));
    }
    let id = ctx.client;
    ctx.client().flags.add(ClientFlags::MONITOR);
    ctx.server.monitors.insert(id);
    reply.ok();
    Ok(())
}

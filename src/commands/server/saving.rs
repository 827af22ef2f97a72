//! Saving the data set.

use crate::command::ctx::Origin;
use crate::command::declaration::*;
use crate::command::{Args, Ctx};
use crate::resp::ReplyWriter;
use crate::server::error::{Error, Result};

pub const COMMANDS: &[Command] = &[BGREWRITEAOF, BGSAVE, LASTSAVE, SAVE];

const SAVE_RUNS: Error = Error::new("ERR Background save already in progress");

pub const SAVE: Command = Command {
    name: "SAVE",
    summary: "Saves the data set to disk while everyone waits.",
    complexity: "O(N) with N the number of keys in all databases",
    group: Group::Server,
    flags: ADMIN.and(NOSCRIPT).and(NO_ASYNC_LOADING).and(NO_MULTI),
    run: save,
    ..Command::BASE
};

fn save(ctx: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    if ctx.server.persistence.save_started_ms.is_some() {
        return Err(SAVE_RUNS);
    }
    ctx.server.save_now().map_err(|_| Error::new("ERR"))?;
    reply.ok();
    Ok(())
}

pub const BGSAVE: Command = Command {
    name: "BGSAVE",
    syntax: "[SCHEDULE@3.2.2]",
    summary: "Saves the data set to disk in the background.",
    group: Group::Server,
    flags: ADMIN.and(NOSCRIPT).and(NO_ASYNC_LOADING),
    history: &[("3.2.2", "Knows `SCHEDULE`.")],
    run: bgsave,
    ..Command::BASE
};

fn bgsave(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    args.accept("SCHEDULE");
    args.end()?;
    if ctx.server.persistence.save_started_ms.is_some() {
        return Err(SAVE_RUNS);
    }
    ctx.server.save_in_background();
    // Inside a transaction a save may not begin: it is put off to its end.
    let is_later = ctx.origin == Origin::Exec;
    reply.simple(if is_later { "Background saving scheduled" } else { "Background saving started" });
    Ok(())
}

pub const LASTSAVE: Command = Command {
    name: "LASTSAVE",
    summary: "Tells when the data set was last saved, as a Unix time.",
    group: Group::Server,
    flags: LOADING.and(STALE).and(FAST),
    categories: Exceptions::also(Categories::ADMIN.and(Categories::DANGEROUS)),
    tips: &["nondeterministic_output"],
    run: lastsave,
    ..Command::BASE
};

fn lastsave(ctx: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    reply.integer((ctx.server.persistence.last_save_ms / 1000) as i64);
    Ok(())
}

pub const BGREWRITEAOF: Command = Command {
    name: "BGREWRITEAOF",
    summary: "Compacts the append-only file in the background.",
    group: Group::Server,
    flags: ADMIN.and(NOSCRIPT).and(NO_ASYNC_LOADING),
    run: bgrewriteaof,
    ..Command::BASE
};

fn bgrewriteaof(ctx: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    if ctx.server.persistence.rewrite_started_ms.is_some() {
        return Err(Error::new("ERR Background append only file rewriting already in progress"));
    }
    ctx.server.rewrite_aof();
    let when = if ctx.origin == Origin::Exec { "scheduled" } else { "started" };
    reply.simple(&format!("Background append only file rewriting {when}"));
    Ok(())
}

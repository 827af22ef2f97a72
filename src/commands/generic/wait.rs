//! WAIT and WAITAOF on an instance without replicas: no other will ever acknowledge, so only time ends the wait.

use crate::command::ctx::Origin;
use crate::command::declaration::*;
use crate::command::{Args, Ctx};
use crate::resp::ReplyWriter;
use crate::server::blocked::OnTimeout;
use crate::server::error::{self, Error, Result};

pub const COMMANDS: &[Command] = &[WAIT, WAITAOF];

pub const WAIT: Command = Command {
    name: "WAIT",
    syntax: "numreplicas timeout:integer",
    summary: "Waits until replicas have received all writes of this connection.",
    since: "3.0.0",
    flags: BLOCKING,
    categories: Exceptions::instead(Categories::CONNECTION),
    tips: &["request_policy:all_shards", "response_policy:agg_min"],
    run: wait,
    ..Command::BASE
};

fn wait(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let replicas = args.integer()?;
    let deadline_ms = ctx.deadline_of_milliseconds(args.next()?)?;
    if replicas <= 0 || !ctx.may_block() {
        reply.integer(0);
        return Ok(());
    }
    ctx.block(reply, [], deadline_ms, OnTimeout::Integer(0));
    Ok(())
}

pub const WAITAOF: Command = Command {
    name: "WAITAOF",
    syntax: "numlocal numreplicas timeout:integer",
    summary: "Waits until the writes of this connection are on disk, here and on replicas.",
    since: "7.2.0",
    flags: BLOCKING,
    categories: Exceptions::instead(Categories::CONNECTION),
    tips: &["request_policy:all_shards", "response_policy:agg_min"],
    run: waitaof,
    ..Command::BASE
};

fn waitaof(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let local = args.integer()?;
    if !(0..=1).contains(&local) {
        return Err(Error::new("ERR value is out of range, value must between 0 and 1"));
    }
    let replicas = args.integer_in(0, i64::MAX, error::OUT_OF_RANGE_POSITIVE)?;
    let deadline_ms = ctx.deadline_of_milliseconds(args.next()?)?;
    if local > 0 && !ctx.server.has_aof() {
        return Err(Error::new(
            "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.",
        ));
    }
    let is_here = ctx.server.sync_aof();
    let is_enough = replicas == 0 && (is_here || local == 0);
    if is_enough || !ctx.may_block() || ctx.origin == Origin::Resumed {
        reply.array(2);
        reply.integer(i64::from(is_here));
        reply.integer(0);
        return Ok(());
    }
    ctx.block(reply, [], deadline_ms, OnTimeout::RunAgain);
    Ok(())
}

//! Transactions: MULTI queues, EXEC runs the queue as one, WATCH makes it fail.

use crate::command::ctx::Origin;
use crate::command::declaration::{ALLOW_BUSY, Command, FAST, Group, LOADING, NOSCRIPT, SKIP_SLOWLOG, STALE};
use crate::command::{Args, Ctx, Keys};
use crate::resp::ReplyWriter;
use crate::server::client::Flags;
use crate::server::error::{self, Result};
use crate::server::scripting::Transaction;

pub const COMMANDS: &[Command] = &[DISCARD, EXEC, MULTI, UNWATCH, WATCH];

pub const MULTI: Command = Command {
    name: "MULTI",
    summary: "Starts a transaction: the commands that follow are queued.",
    since: "1.2.0",
    group: Group::Transactions,
    flags: NOSCRIPT.and(LOADING).and(STALE).and(FAST).and(ALLOW_BUSY),
    run: multi,
    ..Command::BASE
};

fn multi(ctx: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    if ctx.client().flags.has(Flags::MULTI) {
        return Err(error::NESTED_MULTI);
    }
    ctx.client().flags.add(Flags::MULTI);
    reply.ok();
    Ok(())
}

pub const EXEC: Command = Command {
    name: "EXEC",
    summary: "Runs the queued commands of a transaction.",
    since: "1.2.0",
    complexity: "Depends on the queued commands",
    group: Group::Transactions,
    flags: NOSCRIPT.and(LOADING).and(STALE).and(SKIP_SLOWLOG),
    run: exec,
    ..Command::BASE
};

fn exec(ctx: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    if !ctx.client().flags.has(Flags::MULTI) {
        return Err(error::EXEC_WITHOUT_MULTI);
    }
    ctx.server.check_watched_expiry(ctx.client);
    let id = ctx.client;
    let client = ctx.client();
    let (is_dirty, is_broken) = (client.flags.has(Flags::DIRTY_CAS), client.flags.has(Flags::DIRTY_EXEC));
    let queue = std::mem::take(&mut client.queue);
    client.discard_queue();
    ctx.server.unwatch(id);
    if is_broken {
        return Err(error::EXEC_ABORT);
    }
    if is_dirty {
        reply.null_array();
        return Ok(());
    }
    ctx.propagate_nothing();
    let mark = reply.mark();
    reply.array(queue.len());
    let mut queue = queue.into_iter();
    while let Some(request) = queue.next() {
        ctx.call(&request, reply, Origin::Exec);
        if let Some(running) = &mut ctx.server.scripting.running {
            // The rest runs when the script has ended.
            let replies = reply.since(mark).to_vec();
            running.transaction =
                Some(Transaction { replies, queue, command: ctx.registry.find(b"EXEC").unwrap_or_default() });
            reply.roll_back(mark);
            ctx.suspend();
            break;
        }
    }
    Ok(())
}

pub const DISCARD: Command = Command {
    name: "DISCARD",
    summary: "Throws away the queued commands of a transaction.",
    since: "2.0.0",
    complexity: "O(N) with N the number of queued commands",
    group: Group::Transactions,
    flags: NOSCRIPT.and(LOADING).and(STALE).and(FAST).and(ALLOW_BUSY),
    run: discard,
    ..Command::BASE
};

fn discard(ctx: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    if !ctx.client().flags.has(Flags::MULTI) {
        return Err(error::DISCARD_WITHOUT_MULTI);
    }
    let id = ctx.client;
    ctx.client().discard_queue();
    ctx.server.unwatch(id);
    reply.ok();
    Ok(())
}

pub const WATCH: Command = Command {
    name: "WATCH",
    syntax: "key ...",
    summary: "Makes the next transaction fail if one of the keys changes before it runs.",
    since: "2.2.0",
    complexity: "O(1) for each key",
    group: Group::Transactions,
    flags: NOSCRIPT.and(LOADING).and(STALE).and(FAST).and(ALLOW_BUSY),
    keys: &[Keys::from(1).read_only()],
    run: watch,
    ..Command::BASE
};

fn watch(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    if ctx.client().flags.has(Flags::MULTI) {
        return Err(error::WATCH_INSIDE_MULTI);
    }
    if !ctx.client().flags.has(Flags::DIRTY_CAS) {
        for key in args.rest() {
            ctx.server.watch(ctx.client, ctx.db, key);
        }
    }
    reply.ok();
    Ok(())
}

pub const UNWATCH: Command = Command {
    name: "UNWATCH",
    summary: "Forgets all watched keys.",
    since: "2.2.0",
    group: Group::Transactions,
    flags: NOSCRIPT.and(LOADING).and(STALE).and(FAST).and(ALLOW_BUSY),
    run: unwatch,
    ..Command::BASE
};

fn unwatch(ctx: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    let id = ctx.client;
    ctx.server.unwatch(id);
    ctx.client().flags.remove(Flags::DIRTY_CAS);
    reply.ok();
    Ok(())
}

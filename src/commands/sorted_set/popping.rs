//! Taking members from the ends of sorted sets, at once or waiting for them.

use crate::command::declaration::*;
use crate::command::{Args, Ctx, Keys};
use crate::data::sorted_set::SortedSet;
use crate::resp::ReplyWriter;
use crate::server::blocked::OnTimeout;
use crate::server::error::{self, Result};
use crate::server::notify::Class;

use super::drop_if_empty;

pub const COMMANDS: &[Command] = &[BZMPOP, BZPOPMAX, BZPOPMIN, ZMPOP, ZPOPMAX, ZPOPMIN];

/// Which end members are taken from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Min,
    Max,
}

impl End {
    fn event(self) -> &'static str {
        if self == End::Min { "zpopmin" } else { "zpopmax" }
    }

    fn command(self) -> &'static [u8] {
        if self == End::Min { b"ZPOPMIN" } else { b"ZPOPMAX" }
    }

    fn take(self, set: &mut SortedSet) -> Option<(Vec<u8>, f64)> {
        if self == End::Min { set.pop_min() } else { set.pop_max() }
    }
}

/// Takes up to `count` members from a sorted set that is there, and tells everybody.
fn take(ctx: &mut Ctx, key: &[u8], end: End, count: u64) -> Result<Vec<(Vec<u8>, f64)>> {
    let Some(set) = ctx.sorted_set_mut(key)? else { return Ok(Vec::new()) };
    let count = count.min(set.len() as u64);
    let taken: Vec<_> = (0..count).map_while(|_| end.take(set)).collect();
    let is_empty = set.is_empty();
    if !taken.is_empty() {
        ctx.changed_times(key, Class::SORTED_SET, end.event(), taken.len());
        drop_if_empty(ctx, key, is_empty);
    }
    Ok(taken)
}

pub const ZPOPMIN: Command = Command {
    name: "ZPOPMIN",
    syntax: "key [count]",
    summary: "Pops the members of a sorted set with the lowest scores.",
    since: "5.0.0",
    complexity: "O(M*log(N)) with N the size of the sorted set and M the members popped",
    group: Group::SortedSet,
    flags: WRITE.and(FAST),
    keys: &[Keys::at(1).read_write().access().delete()],
    run: zpopmin,
    ..Command::BASE
};

fn zpopmin(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    pop(ctx, args, reply, End::Min)
}

pub const ZPOPMAX: Command = Command {
    name: "ZPOPMAX",
    syntax: "key [count]",
    summary: "Pops the members of a sorted set with the highest scores.",
    since: "5.0.0",
    complexity: "O(M*log(N)) with N the size of the sorted set and M the members popped",
    group: Group::SortedSet,
    flags: WRITE.and(FAST),
    keys: &[Keys::at(1).read_write().access().delete()],
    run: zpopmax,
    ..Command::BASE
};

fn zpopmax(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    pop(ctx, args, reply, End::Max)
}

fn pop(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter, end: End) -> Result {
    let key = args.next()?;
    if args.left() > 1 {
        return Err(error::SYNTAX);
    }
    let count = if args.is_empty() { None } else { Some(args.non_negative()?) };
    let taken = take(ctx, key, end, count.unwrap_or(1) as u64)?;
    if count.is_some() {
        reply.pairs(taken.len());
    } else {
        // Without a count the pair stands alone in both protocols.
        reply.array(2 * taken.len());
    }
    for (member, score) in taken {
        if count.is_some() {
            reply.pair();
        }
        reply.bulk(&member);
        reply.double(score);
    }
    Ok(())
}

pub const BZPOPMIN: Command = Command {
    name: "BZPOPMIN",
    syntax: "key ... timeout",
    summary: "Pops the member with the lowest score, waiting if all the sorted sets are empty.",
    since: "5.0.0",
    complexity: "O(log(N)) with N the size of the sorted set",
    group: Group::SortedSet,
    flags: WRITE.and(BLOCKING).and(FAST),
    keys: &[Keys::at(1).range(-2, 1, 0).read_write().access().delete()],
    history: &[("6.0.0", "The timeout may have decimals.")],
    run: bzpopmin,
    ..Command::BASE
};

fn bzpopmin(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    pop_or_wait(ctx, args, reply, End::Min)
}

pub const BZPOPMAX: Command = Command {
    name: "BZPOPMAX",
    syntax: "key ... timeout",
    summary: "Pops the member with the highest score, waiting if all the sorted sets are empty.",
    since: "5.0.0",
    complexity: "O(log(N)) with N the size of the sorted set",
    group: Group::SortedSet,
    flags: WRITE.and(BLOCKING).and(FAST),
    keys: &[Keys::at(1).range(-2, 1, 0).read_write().access().delete()],
    history: &[("6.0.0", "The timeout may have decimals.")],
    run: bzpopmax,
    ..Command::BASE
};

fn bzpopmax(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    pop_or_wait(ctx, args, reply, End::Max)
}

fn pop_or_wait(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter, end: End) -> Result {
    let keys: Vec<&[u8]> = args.rest().take(args.left() - 1).collect();
    let deadline_ms = ctx.deadline_of_seconds(args.get(args.argc() - 1))?;
    for key in &keys {
        let Some((member, score)) = take(ctx, key, end, 1)?.pop() else { continue };
        reply.array(3);
        reply.bulk(key);
        reply.bulk(&member);
        reply.double(score);
        ctx.propagate_as(&[end.command(), key]);
        return Ok(());
    }
    ctx.block(reply, keys, deadline_ms, OnTimeout::NullArray);
    Ok(())
}

/// `numkeys key … MIN|MAX [COUNT n]`, as ZMPOP and BZMPOP take it.
struct PopOfMany<'a> {
    keys: Vec<&'a [u8]>,
    end: End,
    count: u64,
}

impl<'a> PopOfMany<'a> {
    fn parse(args: &mut Args<'a>) -> Result<Self> {
        let keys = args.counted_keys(error::SYNTAX)?;
        let end = if args.accept("MIN") {
            End::Min
        } else if args.accept("MAX") {
            End::Max
        } else {
            return Err(error::SYNTAX);
        };
        Ok(PopOfMany { keys, end, count: args.count_option()? })
    }

    /// Pops from the first sorted set that is there; false when none is.
    fn run(&self, ctx: &mut Ctx, reply: &mut ReplyWriter) -> Result<bool> {
        for key in &self.keys {
            let taken = take(ctx, key, self.end, self.count)?;
            if taken.is_empty() {
                continue;
            }
            reply.array(2);
            reply.bulk(key);
            reply.array(taken.len());
            for (member, score) in &taken {
                reply.array(2);
                reply.bulk(member);
                reply.double(*score);
            }
            ctx.propagate_as(&[self.end.command(), key, taken.len().to_string().as_bytes()]);
            return Ok(true);
        }
        Ok(false)
    }
}

pub const ZMPOP: Command = Command {
    name: "ZMPOP",
    syntax: "numkeys key ... where=<MIN | MAX> [COUNT count]",
    summary: "Pops the lowest or highest members of the first sorted set that has any.",
    since: "7.0.0",
    complexity: "O(K)+O(M*log(N)) with K the number of keys, N the size of the sorted set and M the members popped",
    group: Group::SortedSet,
    flags: WRITE,
    keys: &[Keys::counted_at(1).read_write().access().delete()],
    run: zmpop,
    ..Command::BASE
};

fn zmpop(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    if !PopOfMany::parse(args)?.run(ctx, reply)? {
        reply.null_array();
    }
    Ok(())
}

pub const BZMPOP: Command = Command {
    name: "BZMPOP",
    syntax: "timeout numkeys key ... where=<MIN | MAX> [COUNT count]",
    summary: "Pops members from the first sorted set that has any, waiting if all are empty.",
    since: "7.0.0",
    complexity: "O(K)+O(M*log(N)) with K the number of keys, N the size of the sorted set and M the members popped",
    group: Group::SortedSet,
    flags: WRITE.and(BLOCKING),
    keys: &[Keys::counted_at(2).read_write().access().delete()],
    run: bzmpop,
    ..Command::BASE
};

fn bzmpop(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    // The time limit comes first and is judged last.
    let limit = args.next()?;
    let popping = PopOfMany::parse(args)?;
    let deadline_ms = ctx.deadline_of_seconds(limit)?;
    if !popping.run(ctx, reply)? {
        ctx.block(reply, popping.keys, deadline_ms, OnTimeout::NullArray);
    }
    Ok(())
}

//! The forms that wait: BLPOP and its family run as their plain forms as soon as a list holds what they want.

use crate::command::declaration::{BLOCKING, Command, DENYOOM, Group, WRITE};
use crate::command::{Args, Ctx, Keys};
use crate::data::list::End;
use crate::resp::ReplyWriter;
use crate::server::blocked::OnTimeout;
use crate::server::error::Result;
use crate::server::notify::Class;

use super::moving::{HowMany, Move};
use super::popping::{PopOfMany, pop_event};
use super::{bulk, drop_if_empty};

pub const COMMANDS: &[Command] = &[BLMOVE, BLMOVEM, BLMPOP, BLPOP, BRPOP, BRPOPLPUSH];

pub const BLPOP: Command = Command {
    name: "BLPOP",
    syntax: "key ... timeout",
    summary: "Pops the first element of the first list that has any, waiting if all are empty.",
    since: "2.0.0",
    complexity: "O(N) with N the number of keys",
    group: Group::List,
    flags: WRITE.and(BLOCKING),
    keys: &[Keys::at(1).range(-2, 1, 0).read_write().access().delete()],
    history: &[("6.0.0", "The timeout may have decimals.")],
    run: blpop,
    ..Command::BASE
};

fn blpop(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    blocking_pop(ctx, args, reply, End::Front)
}

pub const BRPOP: Command = Command {
    name: "BRPOP",
    syntax: "key ... timeout",
    summary: "Pops the last element of the first list that has any, waiting if all are empty.",
    since: "2.0.0",
    complexity: "O(N) with N the number of keys",
    group: Group::List,
    flags: WRITE.and(BLOCKING),
    keys: &[Keys::at(1).range(-2, 1, 0).read_write().access().delete()],
    history: &[("6.0.0", "The timeout may have decimals.")],
    run: brpop,
    ..Command::BASE
};

fn brpop(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    blocking_pop(ctx, args, reply, End::Back)
}

fn blocking_pop(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter, end: End) -> Result {
    let keys: Vec<&[u8]> = args.rest().take(args.left() - 1).collect();
    let deadline_ms = ctx.deadline_of_seconds(args.get(args.argc() - 1))?;
    let limits = ctx.server.config.list;
    for key in &keys {
        let Some(list) = ctx.list_mut(key)? else { continue };
        reply.array(2);
        reply.bulk(key);
        list.pop_with(end, limits, |element| bulk(reply, element));
        let is_empty = list.is_empty();
        ctx.changed(key, Class::LIST, pop_event(end));
        drop_if_empty(ctx, key, is_empty);
        let name: &[u8] = if end == End::Front { b"LPOP" } else { b"RPOP" };
        ctx.propagate_as(&[name, key]);
        return Ok(());
    }
    ctx.block(reply, keys, deadline_ms, OnTimeout::NullArray);
    Ok(())
}

pub const BLMPOP: Command = Command {
    name: "BLMPOP",
    syntax: "timeout numkeys key ... where=<LEFT | RIGHT> [COUNT count]",
    summary: "Pops elements from the first list that has any, waiting if all are empty.",
    since: "7.0.0",
    complexity: "O(N+M) with N the number of keys and M the number of elements popped",
    group: Group::List,
    flags: WRITE.and(BLOCKING),
    keys: &[Keys::counted_at(2).read_write().access().delete()],
    run: blmpop,
    ..Command::BASE
};

fn blmpop(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    // The time limit comes first and is judged last.
    let limit = args.next()?;
    let popping = PopOfMany::parse(args)?;
    let deadline_ms = ctx.deadline_of_seconds(limit)?;
    if !popping.run(ctx, reply)? {
        ctx.block(reply, popping.keys, deadline_ms, OnTimeout::NullArray);
    }
    Ok(())
}

pub const BLMOVE: Command = Command {
    name: "BLMOVE",
    syntax: "source destination wherefrom=<LEFT | RIGHT> whereto=<LEFT | RIGHT> timeout",
    summary: "Moves an element from one list to another, waiting for one if there is none.",
    since: "6.2.0",
    group: Group::List,
    flags: WRITE.and(DENYOOM).and(BLOCKING),
    keys: &[Keys::at(1).read_write().access().delete(), Keys::at(2).read_write().insert()],
    run: blmove,
    ..Command::BASE
};

fn blmove(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let moving = Move::parse(args)?;
    move_or_wait(ctx, args, reply, &moving)
}

pub const BRPOPLPUSH: Command = Command {
    name: "BRPOPLPUSH",
    syntax: "source destination timeout",
    summary: "Moves the last element of a list to the head of another, waiting for one if there is none.",
    since: "2.2.0",
    group: Group::List,
    flags: WRITE.and(DENYOOM).and(BLOCKING),
    keys: &[Keys::at(1).read_write().access().delete(), Keys::at(2).read_write().insert()],
    history: &[("6.0.0", "The timeout may have decimals.")],
    deprecated_since: Some("6.2.0"),
    replaced_by: Some("`BLMOVE` with `RIGHT` and `LEFT`"),
    run: brpoplpush,
    ..Command::BASE
};

fn brpoplpush(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let moving = Move::right_to_left(args)?;
    move_or_wait(ctx, args, reply, &moving)
}

fn move_or_wait(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter, moving: &Move) -> Result {
    let deadline_ms = ctx.deadline_of_seconds(args.next()?)?;
    if !moving.run(ctx, reply)? {
        ctx.block(reply, [moving.source], deadline_ms, OnTimeout::Null);
    }
    Ok(())
}

pub const BLMOVEM: Command = Command {
    name: "BLMOVEM",
    syntax: "source destination wherefrom=<LEFT | RIGHT> whereto=<LEFT | RIGHT> timeout how-many=[selector=<COUNT count | EXACTLY exactly> ordering=<OBO | BULK>]",
    summary: "Moves several elements from one list to another, waiting for them if there are none.",
    since: "8.10.0",
    complexity: "O(N) with N the number of elements moved",
    group: Group::List,
    flags: WRITE.and(DENYOOM).and(BLOCKING),
    keys: &[Keys::at(1).read_write().access().delete(), Keys::at(2).read_write().insert()],
    run: blmovem,
    ..Command::BASE
};

fn blmovem(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let moving = Move::parse(args)?;
    let deadline_ms = ctx.deadline_of_seconds(args.next()?)?;
    let how_many = HowMany::parse(args)?;
    match how_many.available(ctx, moving.source)? {
        Some(count) => how_many.run(ctx, &moving, count, reply),
        None => {
            ctx.block(reply, [moving.source], deadline_ms, OnTimeout::NullArray);
            Ok(())
        }
    }
}

//! Taking elements from the ends of lists at once: LPOP, RPOP, LMPOP.

use crate::command::declaration::{Command, FAST, Group, WRITE};
use crate::command::{Args, Ctx, Keys};
use crate::data::list::{End, List};
use crate::resp::ReplyWriter;
use crate::server::error::{self, Result};
use crate::server::notify::Class;

use super::{bulk, drop_if_empty};

pub const COMMANDS: &[Command] = &[LMPOP, LPOP, RPOP];

pub fn pop_event(end: End) -> &'static str {
    match end {
        End::Front => "lpop",
        End::Back => "rpop",
    }
}

pub const LPOP: Command = Command {
    name: "LPOP",
    syntax: "key [count@6.2.0]",
    summary: "Pops elements from the head of a list.",
    complexity: "O(N) with N the number of elements popped",
    group: Group::List,
    flags: WRITE.and(FAST),
    keys: &[Keys::at(1).read_write().access().delete()],
    history: &[("6.2.0", "Takes a count.")],
    run: lpop,
    ..Command::BASE
};

fn lpop(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    pop(ctx, args, reply, End::Front)
}

pub const RPOP: Command = Command {
    name: "RPOP",
    syntax: "key [count@6.2.0]",
    summary: "Pops elements from the tail of a list.",
    complexity: "O(N) with N the number of elements popped",
    group: Group::List,
    flags: WRITE.and(FAST),
    keys: &[Keys::at(1).read_write().access().delete()],
    history: &[("6.2.0", "Takes a count.")],
    run: rpop,
    ..Command::BASE
};

fn rpop(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    pop(ctx, args, reply, End::Back)
}

fn pop(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter, end: End) -> Result {
    let key = args.next()?;
    if args.left() > 1 {
        return Err(crate::command::call::wrong_arity(ctx.command));
    }
    let count = if args.is_empty() { None } else { Some(args.non_negative()?) };
    let limits = ctx.server.config.list;
    let Some(list) = ctx.list_mut(key)? else {
        if count.is_some() {
            reply.null_array()
        } else {
            reply.null()
        }
        return Ok(());
    };
    let Some(count) = count else {
        list.pop_with(end, limits, |element| bulk(reply, element));
        let is_empty = list.is_empty();
        ctx.changed(key, Class::LIST, pop_event(end));
        drop_if_empty(ctx, key, is_empty);
        return Ok(());
    };
    if count == 0 {
        reply.array(0);
        return Ok(());
    }
    pop_many(ctx, key, end, count as u64, reply)?;
    Ok(())
}

/// Takes up to `count` elements from the list at `key`, which is there, and writes them as an array.
pub fn pop_many(ctx: &mut Ctx, key: &[u8], end: End, count: u64, reply: &mut ReplyWriter) -> Result<usize> {
    let limits = ctx.server.config.list;
    let Some(list) = ctx.list_mut(key)? else { return Ok(0) };
    let count = count.min(list.len() as u64) as usize;
    reply.array(count);
    for _ in 0..count {
        list.pop_with(end, limits, |element| bulk(reply, element));
    }
    let is_empty = list.is_empty();
    ctx.changed_times(key, Class::LIST, pop_event(end), count);
    drop_if_empty(ctx, key, is_empty);
    Ok(count)
}

/// `numkeys key … LEFT|RIGHT [COUNT n]`, as LMPOP and BLMPOP take it.
pub struct PopOfMany<'a> {
    pub keys: Vec<&'a [u8]>,
    pub end: End,
    pub count: u64,
}

impl<'a> PopOfMany<'a> {
    pub fn parse(args: &mut Args<'a>) -> Result<Self> {
        let keys = args.counted_keys(error::SYNTAX)?;
        let end = parse_end(args)?;
        Ok(PopOfMany { keys, end, count: args.count_option()? })
    }

    /// Pops from the first list that holds anything; false when all are empty.
    pub fn run(&self, ctx: &mut Ctx, reply: &mut ReplyWriter) -> Result<bool> {
        for key in &self.keys {
            if ctx.list(key)?.is_none_or(List::is_empty) {
                continue;
            }
            reply.array(2);
            reply.bulk(key);
            let popped = pop_many(ctx, key, self.end, self.count, reply)?;
            let name: &[u8] = if self.end == End::Front { b"LPOP" } else { b"RPOP" };
            ctx.propagate_as(&[name, key, popped.to_string().as_bytes()]);
            return Ok(true);
        }
        Ok(false)
    }
}

/// `LEFT` or `RIGHT`.
pub fn parse_end(args: &mut Args) -> Result<End> {
    if args.accept("LEFT") {
        Ok(End::Front)
    } else if args.accept("RIGHT") {
        Ok(End::Back)
    } else {
        Err(error::SYNTAX)
    }
}

pub const LMPOP: Command = Command {
    name: "LMPOP",
    syntax: "numkeys key ... where=<LEFT | RIGHT> [COUNT count]",
    summary: "Pops elements from the first list that has any.",
    since: "7.0.0",
    complexity: "O(N+M) with N the number of keys and M the number of elements popped",
    group: Group::List,
    flags: WRITE,
    keys: &[Keys::counted_at(1).read_write().access().delete()],
    run: lmpop,
    ..Command::BASE
};

fn lmpop(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    if !PopOfMany::parse(args)?.run(ctx, reply)? {
        reply.null_array();
    }
    Ok(())
}

//! From one list to another: LMOVE, RPOPLPUSH, LMOVEM.

use crate::command::declaration::{Command, DENYOOM, Group, WRITE};
use crate::command::{Args, Ctx, Keys};
use crate::data::list::{End, List};
use crate::resp::ReplyWriter;
use crate::server::error::{self, Result};
use crate::server::notify::Class;

use super::drop_if_empty;
use super::popping::{parse_end, pop_event};

pub const COMMANDS: &[Command] = &[LMOVE, LMOVEM, RPOPLPUSH];

/// Which end of which list goes to which end of which.
pub struct Move<'a> {
    pub source: &'a [u8],
    pub destination: &'a [u8],
    pub from: End,
    pub to: End,
}

impl<'a> Move<'a> {
    pub fn parse(args: &mut Args<'a>) -> Result<Self> {
        let (source, destination) = (args.next()?, args.next()?);
        Ok(Move { source, destination, from: parse_end(args)?, to: parse_end(args)? })
    }

    pub fn right_to_left(args: &mut Args<'a>) -> Result<Self> {
        Ok(Move { source: args.next()?, destination: args.next()?, from: End::Back, to: End::Front })
    }

    /// Moves one element and replies with it; false when the source is empty.
    pub fn run(&self, ctx: &mut Ctx, reply: &mut ReplyWriter) -> Result<bool> {
        if ctx.list_mut(self.source)?.is_none() {
            return Ok(false);
        }
        ctx.list_mut(self.destination)?;
        let moved = self.take(ctx)?;
        self.give(ctx, [&moved[..]].into_iter())?;
        let is_empty = self.is_source_empty(ctx)?;
        // One change with the push.
        ctx.changed_times(self.source, Class::LIST, pop_event(self.from), 0);
        drop_if_empty(ctx, self.source, is_empty);
        self.propagate(ctx);
        reply.bulk(&moved);
        Ok(true)
    }

    fn take(&self, ctx: &mut Ctx) -> Result<Vec<u8>> {
        let limits = ctx.server.config.list;
        let list = ctx.list_mut(self.source)?;
        Ok(list.and_then(|list| list.pop(self.from, limits)).unwrap_or_default())
    }

    fn give<'v>(&self, ctx: &mut Ctx, values: impl Iterator<Item = &'v [u8]>) -> Result {
        let limits = ctx.server.config.list;
        let list = ctx.list_or_create(self.destination, |_| List::new())?;
        for value in values {
            list.push(self.to, value, limits);
        }
        let event = if self.to == End::Front { "lpush" } else { "rpush" };
        ctx.changed(self.destination, Class::LIST, event);
        Ok(())
    }

    fn is_source_empty(&self, ctx: &mut Ctx) -> Result<bool> {
        Ok(ctx.list_mut(self.source)?.is_none_or(|list| list.is_empty()))
    }

    fn propagate(&self, ctx: &mut Ctx) {
        let name = |end: End| -> &[u8] { if end == End::Front { b"LEFT" } else { b"RIGHT" } };
        ctx.propagate_as(&[b"LMOVE" as &[u8], self.source, self.destination, name(self.from), name(self.to)]);
    }
}

pub const LMOVE: Command = Command {
    name: "LMOVE",
    syntax: "source destination wherefrom=<LEFT | RIGHT> whereto=<LEFT | RIGHT>",
    summary: "Moves an element from one end of a list to one end of another.",
    since: "6.2.0",
    group: Group::List,
    flags: WRITE.and(DENYOOM),
    keys: &[Keys::at(1).read_write().access().delete(), Keys::at(2).read_write().insert()],
    run: lmove,
    ..Command::BASE
};

fn lmove(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    if !Move::parse(args)?.run(ctx, reply)? {
        reply.null();
    }
    Ok(())
}

pub const RPOPLPUSH: Command = Command {
    name: "RPOPLPUSH",
    syntax: "source destination",
    summary: "Moves the last element of a list to the head of another.",
    since: "1.2.0",
    group: Group::List,
    flags: WRITE.and(DENYOOM),
    keys: &[Keys::at(1).read_write().access().delete(), Keys::at(2).read_write().insert()],
    deprecated_since: Some("6.2.0"),
    replaced_by: Some("`LMOVE` with `RIGHT` and `LEFT`"),
    run: rpoplpush,
    ..Command::BASE
};

fn rpoplpush(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    if !Move::right_to_left(args)?.run(ctx, reply)? {
        reply.null();
    }
    Ok(())
}

/// How many elements LMOVEM moves, and in what order they arrive.
pub struct HowMany {
    pub count: u64,
    pub is_exact: bool,
    pub keeps_order: bool,
}

impl HowMany {
    /// `COUNT n | EXACTLY n` with `OBO | BULK`, or nothing for one element.
    pub fn parse(args: &mut Args) -> Result<Self> {
        if args.is_empty() {
            return Ok(HowMany { count: 1, is_exact: false, keeps_order: false });
        }
        let is_exact = args.accept("EXACTLY");
        if !is_exact && !args.accept("COUNT") {
            return Err(error::SYNTAX);
        }
        let count = args.integer_in(1, i64::MAX, error::COUNT_NOT_POSITIVE)? as u64;
        let keeps_order = args.accept("BULK");
        if !keeps_order && !args.accept("OBO") {
            return Err(error::SYNTAX);
        }
        args.end()?;
        Ok(HowMany { count, is_exact, keeps_order })
    }

    /// How many elements the source would give now; nothing when that is not enough.
    pub fn available(&self, ctx: &mut Ctx, source: &[u8]) -> Result<Option<usize>> {
        let len = ctx.list(source)?.map_or(0, List::len);
        let is_enough = if self.is_exact { len as u64 >= self.count } else { len > 0 };
        Ok(is_enough.then(|| self.count.min(len as u64) as usize))
    }

    /// Moves `count` elements, which are there, and replies with them in the order of the destination.
    pub fn run(&self, ctx: &mut Ctx, moving: &Move, count: usize, reply: &mut ReplyWriter) -> Result {
        ctx.list_mut(moving.destination)?;
        let mut moved = (0..count).map(|_| moving.take(ctx)).collect::<Result<Vec<_>>>()?;
        // Pushed one by one to the front, they would arrive in reverse; popped from the back, they left in reverse.
        if self.keeps_order && moving.from == moving.to {
            moved.reverse();
        }
        moving.give(ctx, moved.iter().map(|value| &value[..]))?;
        let is_empty = moving.is_source_empty(ctx)?;
        ctx.changed(moving.source, Class::LIST, pop_event(moving.from));
        drop_if_empty(ctx, moving.source, is_empty);
        if moving.to == End::Front {
            moved.reverse();
        }
        reply.array(moved.len());
        moved.iter().for_each(|value| reply.bulk(value));
        Ok(())
    }
}

pub const LMOVEM: Command = Command {
    name: "LMOVEM",
    syntax: "source destination wherefrom=<LEFT | RIGHT> whereto=<LEFT | RIGHT> how-many=[selector=<COUNT count | EXACTLY exactly> ordering=<OBO | BULK>]",
    summary: "Moves several elements from one end of a list to one end of another.",
    since: "8.10.0",
    complexity: "O(N) with N the number of elements moved",
    group: Group::List,
    flags: WRITE.and(DENYOOM),
    keys: &[Keys::at(1).read_write().access().delete(), Keys::at(2).read_write().insert()],
    run: lmovem,
    ..Command::BASE
};

fn lmovem(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let moving = Move::parse(args)?;
    let how_many = HowMany::parse(args)?;
    match how_many.available(ctx, moving.source)? {
        Some(count) => how_many.run(ctx, &moving, count, reply)?,
        None => reply.null_array(),
    }
    Ok(())
}

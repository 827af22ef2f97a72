//! Arrays that are filled one element after the other: the insertion cursor and the ring buffer.

use super::{INVALID_INDEX, SHOWN_MAX, write_element, write_index};
use crate::command::call::wrong_arity;
use crate::command::declaration::*;
use crate::command::{Args, Ctx, Keys};
use crate::data::array::Array;
use crate::data::number;
use crate::format_error;
use crate::resp::ReplyWriter;
use crate::server::error::{self, Error, Result};
use crate::server::notify::Class;

pub const COMMANDS: &[Command] = &[ARINSERT, ARLASTITEMS, ARNEXT, ARRING, ARSEEK];

pub const ARINSERT: Command = Command {
    name: "ARINSERT",
    syntax: "key value ...",
    summary: "Writes values at the insertion cursor of an array and moves the cursor on.",
    since: "8.8.0",
    complexity: "O(N) with N the number of values",
    group: Group::Array,
    flags: WRITE.and(DENYOOM).and(FAST),
    keys: &[Keys::at(1).read_write().update()],
    run: arinsert,
    ..Command::BASE
};

fn arinsert(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let key = args.next()?;
    let limits = ctx.server.config.array;
    let array = ctx.array_or_create(key, |config| Box::new(Array::new(config.array)))?;
    let start = array.next_insert();
    let last = start.and_then(|start| start.checked_add(args.left() as u64 - 1));
    let (Some(start), Some(last)) = (start, last.filter(|last| *last < u64::MAX)) else {
        return Err(Error::new("ERR insert index overflow"));
    };
    for (index, value) in (start..=last).zip(args.rest()) {
        array.set(index, value, limits);
    }
    array.set_last_insert(Some(last));
    ctx.changed(key, Class::ARRAY, "arinsert");
    write_index(reply, last);
    Ok(())
}

pub const ARRING: Command = Command {
    name: "ARRING",
    syntax: "key size value ...",
    summary: "Inserts values into an array that wraps around at a given size.",
    since: "8.8.0",
    complexity: "O(M) with M the number of values; O(N+M) when the ring is resized, N being its size",
    group: Group::Array,
    flags: WRITE.and(DENYOOM),
    keys: &[Keys::at(1).read_write().update()],
    run: arring,
    ..Command::BASE
};

fn arring(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let key = args.next()?;
    let size = args.integer_or(Error::new("ERR invalid size"))?;
    let size = u64::try_from(size).ok().filter(|size| *size > 0);
    let size = size.ok_or(Error::new("ERR size must be positive"))?;
    let limits = ctx.server.config.array;
    let array = ctx.array_or_create(key, |config| Box::new(Array::new(config.array)))?;
    array.fit_ring(size, limits);
    let mut last = 0;
    for value in args.rest() {
        last = array.last_insert().map_or(0, |last| last.wrapping_add(1)) % size;
        array.set(last, value, limits);
        array.set_last_insert(Some(last));
    }
    ctx.changed(key, Class::ARRAY, "arring");
    write_index(reply, last);
    Ok(())
}

pub const ARNEXT: Command = Command {
    name: "ARNEXT",
    syntax: "key",
    summary: "Tells the index at which the next insertion into an array would land.",
    since: "8.8.0",
    group: Group::Array,
    flags: READONLY.and(FAST),
    keys: &[Keys::at(1).read_only().access()],
    run: arnext,
    ..Command::BASE
};

fn arnext(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    match ctx.array(args.next()?)?.map_or(Some(0), |array| array.next_insert()) {
        Some(next) => write_index(reply, next),
        None => reply.null(),
    }
    Ok(())
}

pub const ARSEEK: Command = Command {
    name: "ARSEEK",
    syntax: "key index",
    summary: "Moves the insertion cursor of an array to an index.",
    since: "8.8.0",
    group: Group::Array,
    flags: WRITE.and(FAST),
    keys: &[Keys::at(1).read_write().update()],
    run: arseek,
    ..Command::BASE
};

fn arseek(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (key, index) = (args.next()?, args.next()?);
    // Here the largest number is allowed: no insertion can follow then.
    let index = number::parse_u64(index).ok_or(INVALID_INDEX)?;
    let Some(array) = ctx.array_mut(key)? else {
        reply.integer(0);
        return Ok(());
    };
    array.set_last_insert(index.checked_sub(1));
    ctx.changed(key, Class::ARRAY, "arseek");
    reply.integer(1);
    Ok(())
}

pub const ARLASTITEMS: Command = Command {
    name: "ARLASTITEMS",
    syntax: "key count [REV]",
    summary: "Gets the elements that were inserted last into an array.",
    since: "8.8.0",
    complexity: "O(N) with N the count asked for",
    group: Group::Array,
    flags: READONLY,
    keys: &[Keys::at(1).read_only().access()],
    run: arlastitems,
    ..Command::BASE
};

fn arlastitems(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (key, count) = (args.next()?, args.integer_or(Error::new("ERR invalid COUNT"))?);
    if count <= 0 {
        reply.array(0);
        return Ok(());
    }
    let newest_first = match args.left() {
        0 => false,
        1 if args.accept("REV") => true,
        1 => return Err(error::SYNTAX),
        _ => return Err(wrong_arity(ctx.command)),
    };
    let Some(array) = ctx.array(key)? else {
        reply.array(0);
        return Ok(());
    };
    let len = array.len();
    let count = (count as u64).min(len);
    // More than this may be asked for only where so many elements are.
    if count > array.count() && count > SHOWN_MAX {
        return Err(format_error!("ERR count exceeds maximum of {SHOWN_MAX} items"));
    }
    let newest = array.last_insert().filter(|last| *last < len).unwrap_or(len.saturating_sub(1));
    reply.array(count as usize);
    for step in 0..count {
        let back = if newest_first { step } else { count - 1 - step };
        let index = if back <= newest { newest - back } else { len - (back - newest) };
        write_element(reply, array.get(index));
    }
    Ok(())
}

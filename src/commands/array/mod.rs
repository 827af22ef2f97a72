//! Arrays: elements by index, one by one and in ranges.

pub mod ring;
pub mod search;

use crate::command::call::wrong_arity;
use crate::command::declaration::*;
use crate::command::{Args, Ctx, Keys};
use crate::commands::list::bulk;
use crate::data::array::Array;
use crate::data::listpack::Entry;
use crate::data::number;
use crate::format_error;
use crate::resp::ReplyWriter;
use crate::server::error::{self, Error, Result};
use crate::server::notify::Class;

pub const COMMANDS: &[Command] =
    &[ARCOUNT, ARDEL, ARDELRANGE, ARGET, ARGETRANGE, ARINFO, ARLEN, ARMGET, ARMSET, ARSCAN, ARSET];

/// Positions that are shown at once, whether there is an element or not.
const SHOWN_MAX: u64 = 1_000_000;

const INVALID_INDEX: Error = Error::new("ERR invalid array index");

/// An index below the largest number, which no element has.
fn index_of(text: &[u8]) -> Result<u64> {
    number::parse_u64(text).filter(|index| *index < u64::MAX).ok_or(INVALID_INDEX)
}

fn next_index(args: &mut Args) -> Result<u64> {
    index_of(args.next()?)
}

/// Indexes and lengths may be beyond the integers that clients read.
fn write_index(reply: &mut ReplyWriter, index: u64) {
    match i64::try_from(index) {
        Ok(index) => reply.integer(index),
        Err(_) => reply.big_number(&number::u64_text(index)),
    }
}

fn write_element(reply: &mut ReplyWriter, element: Option<Entry>) {
    match element {
        Some(element) => bulk(reply, element),
        None => reply.null(),
    }
}

/// A limit on how many elements are wanted.
fn parse_limit(args: &mut Args) -> Result<usize> {
    let limit = args.integer()?;
    if limit <= 0 {
        return Err(Error::new("ERR LIMIT must be positive"));
    }
    Ok(usize::try_from(limit).unwrap_or(usize::MAX))
}

pub const ARGET: Command = Command {
    name: "ARGET",
    syntax: "key index",
    summary: "Gets the element at an index of an array.",
    since: "8.8.0",
    group: Group::Array,
    flags: READONLY.and(FAST),
    keys: &[Keys::at(1).read_only().access()],
    run: arget,
    ..Command::BASE
};

fn arget(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let array = ctx.array(args.next()?)?;
    let index = next_index(args)?;
    write_element(reply, array.and_then(|array| array.get(index)));
    Ok(())
}

pub const ARMGET: Command = Command {
    name: "ARMGET",
    syntax: "key index ...",
    summary: "Gets the elements at several indexes of an array.",
    since: "8.8.0",
    complexity: "O(N) with N the number of indexes",
    group: Group::Array,
    flags: READONLY.and(FAST),
    keys: &[Keys::at(1).read_only().access()],
    run: armget,
    ..Command::BASE
};

fn armget(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let array = ctx.array(args.next()?)?;
    let indexes = args.rest().map(index_of).collect::<Result<Vec<_>>>()?;
    reply.array(indexes.len());
    for index in indexes {
        write_element(reply, array.and_then(|array| array.get(index)));
    }
    Ok(())
}

pub const ARGETRANGE: Command = Command {
    name: "ARGETRANGE",
    syntax: "key start end",
    summary: "Gets all elements of an index range of an array, absent ones as nulls.",
    since: "8.8.0",
    complexity: "O(N) with N the length of the range",
    group: Group::Array,
    flags: READONLY,
    keys: &[Keys::at(1).read_only().access()],
    run: argetrange,
    ..Command::BASE
};

fn argetrange(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (key, start, end) = (args.next()?, next_index(args)?, next_index(args)?);
    let array = ctx.array(key)?;
    let (low, high) = (start.min(end), start.max(end));
    let len = high - low + 1;
    if len > SHOWN_MAX {
        return Err(format_error!("ERR range exceeds maximum of {SHOWN_MAX} items"));
    }
    reply.array(len as usize);
    for step in 0..len {
        let index = if start <= end { low + step } else { high - step };
        write_element(reply, array.and_then(|array| array.get(index)));
    }
    Ok(())
}

pub const ARSET: Command = Command {
    name: "ARSET",
    syntax: "key index value ...",
    summary: "Sets one or more successive elements of an array, starting at an index.",
    since: "8.8.0",
    complexity: "O(N) with N the number of values",
    group: Group::Array,
    flags: WRITE.and(DENYOOM).and(FAST),
    keys: &[Keys::at(1).read_write().update()],
    run: arset,
    ..Command::BASE
};

fn arset(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (key, start) = (args.next()?, next_index(args)?);
    let last = start.checked_add(args.left() as u64 - 1).filter(|last| *last < u64::MAX);
    let last = last.ok_or(Error::new("ERR array index overflow"))?;
    let limits = ctx.server.config.array;
    let array = ctx.array_or_create(key, |config| Box::new(Array::new(config.array)))?;
    let added =
        (start..=last).zip(args.rest()).filter(|(index, value)| array.set(*index, value, limits)).count();
    ctx.changed(key, Class::ARRAY, "arset");
    reply.count(added);
    Ok(())
}

pub const ARMSET: Command = Command {
    name: "ARMSET",
    syntax: "key (index value) ...",
    summary: "Sets several elements of an array, each at an index of its own.",
    since: "8.8.0",
    complexity: "O(N) with N the number of pairs",
    group: Group::Array,
    flags: WRITE.and(DENYOOM).and(FAST),
    keys: &[Keys::at(1).read_write().update()],
    run: armset,
    ..Command::BASE
};

fn armset(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let key = args.next()?;
    if !args.left().is_multiple_of(2) {
        return Err(wrong_arity(ctx.command));
    }
    let pairs =
        (0..args.left() / 2).map(|_| Ok((next_index(args)?, args.next()?))).collect::<Result<Vec<_>>>()?;
    let limits = ctx.server.config.array;
    let array = ctx.array_or_create(key, |config| Box::new(Array::new(config.array)))?;
    let added = pairs.iter().filter(|(index, value)| array.set(*index, value, limits)).count();
    ctx.changed(key, Class::ARRAY, "armset");
    reply.count(added);
    Ok(())
}

/// Says what was deleted; an array without elements goes.
fn tell_deleted(ctx: &mut Ctx, key: &[u8], deleted: u64, is_empty: bool, event: &str) {
    if deleted > 0 {
        ctx.changed_times(key, Class::ARRAY, event, usize::try_from(deleted).unwrap_or(usize::MAX));
        if is_empty {
            ctx.delete_emptied(key);
        }
    }
}

pub const ARDEL: Command = Command {
    name: "ARDEL",
    syntax: "key index ...",
    summary: "Deletes the elements at the given indexes of an array.",
    since: "8.8.0",
    complexity: "O(N) with N the number of indexes",
    group: Group::Array,
    flags: WRITE.and(FAST),
    keys: &[Keys::at(1).read_write().delete()],
    run: ardel,
    ..Command::BASE
};

fn ardel(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let key = args.next()?;
    let indexes = args.rest().map(index_of).collect::<Result<Vec<_>>>()?;
    let limits = ctx.server.config.array;
    let Some(array) = ctx.array_mut(key)? else {
        reply.integer(0);
        return Ok(());
    };
    let deleted = indexes.into_iter().filter(|index| array.remove(*index, limits)).count();
    let is_empty = array.is_empty();
    tell_deleted(ctx, key, deleted as u64, is_empty, "ardel");
    reply.count(deleted);
    Ok(())
}

pub const ARDELRANGE: Command = Command {
    name: "ARDELRANGE",
    syntax: "key (start end) ...",
    summary: "Deletes all elements in one or more index ranges of an array.",
    since: "8.8.0",
    complexity: "O(N) with N the number of existing elements touched, however wide the ranges",
    group: Group::Array,
    flags: WRITE,
    keys: &[Keys::at(1).read_write().delete()],
    run: ardelrange,
    ..Command::BASE
};

fn ardelrange(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let key = args.next()?;
    if !args.left().is_multiple_of(2) {
        return Err(wrong_arity(ctx.command));
    }
    let ranges = (0..args.left() / 2)
        .map(|_| Ok((next_index(args)?, next_index(args)?)))
        .collect::<Result<Vec<_>>>()?;
    let limits = ctx.server.config.array;
    let Some(array) = ctx.array_mut(key)? else {
        reply.integer(0);
        return Ok(());
    };
    let mut deleted = 0;
    for (one, other) in ranges {
        deleted += array.remove_range(one.min(other), one.max(other), limits);
    }
    let is_empty = array.is_empty();
    tell_deleted(ctx, key, deleted, is_empty, "ardelrange");
    write_index(reply, deleted);
    Ok(())
}

pub const ARLEN: Command = Command {
    name: "ARLEN",
    syntax: "key",
    summary: "Tells the length of an array: its highest index in use plus one.",
    since: "8.8.0",
    group: Group::Array,
    flags: READONLY.and(FAST),
    keys: &[Keys::at(1).read_only().access()],
    run: arlen,
    ..Command::BASE
};

fn arlen(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let len = ctx.array(args.next()?)?.map_or(0, |array| array.len());
    write_index(reply, len);
    Ok(())
}

pub const ARCOUNT: Command = Command {
    name: "ARCOUNT",
    syntax: "key",
    summary: "Counts the elements of an array that hold a value.",
    since: "8.8.0",
    group: Group::Array,
    flags: READONLY.and(FAST),
    keys: &[Keys::at(1).read_only().access()],
    run: arcount,
    ..Command::BASE
};

fn arcount(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let count = ctx.array(args.next()?)?.map_or(0, |array| array.count());
    write_index(reply, count);
    Ok(())
}

pub const ARSCAN: Command = Command {
    name: "ARSCAN",
    syntax: "key start end [LIMIT limit]",
    summary: "Goes over the existing elements in an index range of an array.",
    since: "8.8.0",
    complexity: "O(P) with P the positions visited in the range",
    group: Group::Array,
    flags: READONLY,
    keys: &[Keys::at(1).read_only().access()],
    run: arscan,
    ..Command::BASE
};

fn arscan(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (key, start, end) = (args.next()?, next_index(args)?, next_index(args)?);
    let limit = match args.left() {
        0 => usize::MAX,
        2 if args.accept("LIMIT") => parse_limit(args)?,
        2 => return Err(error::SYNTAX),
        _ => return Err(wrong_arity(ctx.command)),
    };
    let mark = reply.mark();
    let mut count = 0;
    if let Some(array) = ctx.array(key)? {
        for (index, element) in array.range(start, end).take(limit) {
            reply.array(2);
            write_index(reply, index);
            bulk(reply, element);
            count += 1;
        }
    }
    reply.close_array(mark, count);
    Ok(())
}

pub const ARINFO: Command = Command {
    name: "ARINFO",
    syntax: "key [FULL]",
    summary: "Describes the inside of an array: its size, layout and counters.",
    since: "8.8.0",
    complexity: "O(1), or O(N) with FULL and N the number of slices",
    group: Group::Array,
    flags: READONLY,
    keys: &[Keys::at(1).read_only().access()],
    run: arinfo,
    ..Command::BASE
};

fn arinfo(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let key = args.next()?;
    let is_full = args.accept("FULL");
    args.end()?;
    let array = ctx.array(key)?.ok_or(error::NO_SUCH_KEY)?;
    let facts = array.facts();
    reply.map(if is_full { 12 } else { 7 });
    for (name, value) in [
        ("count", array.count()),
        ("len", array.len()),
        ("next-insert-index", array.next_insert().unwrap_or(0)),
        ("slices", facts.slices),
        ("directory-size", facts.directory_size),
        ("super-dir-entries", facts.blocks),
        ("slice-size", facts.slice_size),
    ] {
        reply.bulk_str(name);
        write_index(reply, value);
    }
    if is_full {
        let facts = array.full_facts();
        let share = |part: u64, of: u64| if of == 0 { 0.0 } else { part as f64 / of as f64 };
        reply.bulk_str("dense-slices");
        write_index(reply, facts.dense);
        reply.bulk_str("sparse-slices");
        write_index(reply, facts.sparse);
        for (name, value) in [
            ("avg-dense-size", share(facts.dense_slots, facts.dense)),
            ("avg-dense-fill", share(facts.dense_elements, facts.dense_slots)),
            ("avg-sparse-size", share(facts.sparse_slots, facts.sparse)),
        ] {
            reply.bulk_str(name);
            reply.double(value);
        }
    }
    Ok(())
}

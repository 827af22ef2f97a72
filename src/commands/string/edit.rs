//! Strings in part: APPEND, GETRANGE, SETRANGE.

use crate::command::ctx::string_of;
use crate::command::declaration::{Command, DENYOOM, FAST, Group, READONLY, WRITE};
use crate::command::{Args, Ctx, Keys};
use crate::data::value::{INLINE_BYTES_MAX, Value};
use crate::keyspace::{Entry, ValueMut};
use crate::resp::ReplyWriter;
use crate::server::error::{self, Result};
use crate::server::notify::Class;

pub const COMMANDS: &[Command] = &[APPEND, GETRANGE, SETRANGE, SUBSTR];

pub const APPEND: Command = Command {
    name: "APPEND",
    syntax: "key value",
    summary: "Adds text to the end of a string, which is created when missing.",
    since: "2.0.0",
    complexity: "Amortized O(1) for short values",
    group: Group::String,
    flags: WRITE.and(DENYOOM).and(FAST),
    keys: &[Keys::at(1).read_write().insert()],
    run: append,
    ..Command::BASE
};

fn append(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (key, tail) = (args.next()?, args.next()?);
    let old_len = ctx.string_to_write(key)?.map(|value| value.len());
    let len = match old_len {
        None => {
            ctx.set_string(key, tail, crate::command::ctx::Ttl::Clear);
            tail.len()
        }
        Some(old_len) => {
            check_len(ctx, old_len as u64 + tail.len() as u64)?;
            edit_string(ctx, key, |value| value.extend_from_slice(tail))
        }
    };
    ctx.changed(key, Class::STRING, "append");
    reply.count(len);
    Ok(())
}

pub const SETRANGE: Command = Command {
    name: "SETRANGE",
    syntax: "key offset value",
    summary: "Overwrites a part of a string, from an offset on.",
    since: "2.2.0",
    complexity: "O(M) with M the length of the value",
    group: Group::String,
    flags: WRITE.and(DENYOOM),
    keys: &[Keys::at(1).read_write().update()],
    run: setrange,
    ..Command::BASE
};

fn setrange(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (key, offset, part) = (args.next()?, args.integer()?, args.next()?);
    let offset = u64::try_from(offset).map_err(|_| error::OFFSET_OUT_OF_RANGE)?;
    let old_len = ctx.string_to_write(key)?.map_or(0, |value| value.len());
    if part.is_empty() {
        reply.count(old_len);
        return Ok(());
    }
    check_len(ctx, offset.saturating_add(part.len() as u64))?;
    let (start, end) = (offset as usize, offset as usize + part.len());
    let len = edit_string(ctx, key, |value| {
        if value.len() < end {
            value.resize(end, 0);
        }
        value[start..end].copy_from_slice(part);
    });
    ctx.changed(key, Class::STRING, "setrange");
    reply.count(len);
    Ok(())
}

pub const GETRANGE: Command = Command {
    name: "GETRANGE",
    syntax: "key start end",
    summary: "Gets a part of a string.",
    since: "2.4.0",
    complexity: "O(N) with N the length of the part",
    group: Group::String,
    flags: READONLY,
    keys: &[Keys::at(1).read_only().access()],
    run: getrange,
    ..Command::BASE
};

fn getrange(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (key, start, end) = (args.next()?, args.integer()?, args.integer()?);
    let value = ctx.string(key)?.unwrap_or_default();
    reply.bulk(range_of(&value, start, end));
    Ok(())
}

pub const SUBSTR: Command = Command {
    name: "SUBSTR",
    syntax: "key start end",
    summary: "Gets a part of a string.",
    complexity: "O(N) with N the length of the part",
    group: Group::String,
    flags: READONLY,
    keys: &[Keys::at(1).read_only().access()],
    deprecated_since: Some("2.0.0"),
    replaced_by: Some("`GETRANGE`"),
    run: substr,
    ..Command::BASE
};

fn substr(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    getrange(ctx, args, reply)
}

/// The bytes from `start` to `end`, both included and counted from the end when negative.
fn range_of(value: &[u8], start: i64, end: i64) -> &[u8] {
    let len = value.len() as i64;
    if start < 0 && end < 0 && start > end {
        return &[];
    }
    let from_front = |at: i64| if at < 0 { (len + at).max(0) } else { at };
    let (start, end) = (from_front(start), from_front(end).min(len - 1));
    if start > end || len == 0 { &[] } else { &value[start as usize..=end as usize] }
}

/// A string may not grow beyond proto-max-bulk-len.
pub fn check_len(ctx: &Ctx, len: u64) -> Result {
    let is_trusted = ctx.origin == crate::command::ctx::Origin::Stream;
    if len > ctx.server.config.proto_max_bulk_len && !is_trusted {
        return Err(error::STRING_TOO_LONG);
    }
    Ok(())
}

/// Changes the string at `key`, which may be missing and must be no other type, in place where it can; the new length.
pub fn edit_string(ctx: &mut Ctx, key: &[u8], change: impl FnOnce(&mut Vec<u8>)) -> usize {
    let Some(entry) = ctx.write(key) else {
        let mut value = Vec::new();
        change(&mut value);
        let len = value.len();
        let mut entry = if len > INLINE_BYTES_MAX {
            Entry::with_boxed(key, Box::new(Value::String(value)))
        } else {
            Entry::with_bytes(key, &value)
        };
        entry.set_edited(true);
        ctx.put_new(entry);
        return len;
    };
    if let ValueMut::Boxed(Value::String(value)) = entry.value_mut() {
        change(value);
        let len = value.len();
        entry.set_edited(true);
        return len;
    }
    let mut value = string_of(entry).map(|value| value.into_owned()).unwrap_or_default();
    change(&mut value);
    let len = value.len();
    if len > INLINE_BYTES_MAX {
        entry.set_boxed(Box::new(Value::String(value)));
    } else {
        entry.set_bytes(&value);
    }
    entry.set_edited(true);
    len
}

//! Consumer groups: making and unmaking them, acknowledging and giving back what they handed out.

use crate::command::declaration::*;
use crate::command::{Args, Ctx, Keys};
use crate::data::stream::{ENTRIES_READ_UNKNOWN, Group as ConsumerGroup, Stream, StreamId};
use crate::resp::ReplyWriter;
use crate::server::error::{self, Error, Result};
use crate::server::notify::Class;

use super::{no_consumer_group, no_group, parse_id, parse_ids, subcommand_syntax};

pub const COMMANDS: &[Command] =
    &[XACK, XGROUP_CREATE, XGROUP_CREATECONSUMER, XGROUP_DELCONSUMER, XGROUP_DESTROY, XGROUP_SETID, XNACK];

const KEY_REQUIRED: Error = Error::new(
    "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option \
     to create an empty stream automatically.",
);

/// `ENTRIESREAD n` and, for CREATE, MKSTREAM.
fn parse_group_options(args: &mut Args, with_mkstream: bool) -> Result<(i64, bool)> {
    let (mut entries_read, mut mkstream) = (ENTRIES_READ_UNKNOWN, false);
    while !args.is_empty() {
        if with_mkstream && args.accept("MKSTREAM") {
            mkstream = true;
        } else if args.accept_with("ENTRIESREAD", 1) {
            entries_read = args.integer()?;
            if entries_read < 0 && entries_read != ENTRIES_READ_UNKNOWN {
                return Err(Error::new("ERR value for ENTRIESREAD must be positive or -1"));
            }
        } else {
            return Err(subcommand_syntax(args, "XGROUP"));
        }
    }
    Ok((entries_read, mkstream))
}

/// `$` is the stream's last id.
fn parse_last_id(text: &[u8], stream: Option<&Stream>) -> Result<StreamId> {
    match text {
        b"$" => Ok(stream.map_or(StreamId::MIN, |stream| stream.last_id)),
        text => parse_id(text, 0),
    }
}

/// A group cannot have read more than was ever added.
fn capped(entries_read: i64, stream: &Stream) -> i64 {
    entries_read.min(i64::try_from(stream.entries_added).unwrap_or(i64::MAX))
}

pub const XGROUP_CREATE: Command = Command {
    name: "XGROUP CREATE",
    syntax: "key group id-selector=<id | new-id=$> [MKSTREAM] [ENTRIESREAD entriesread{entries-read}]",
    summary: "Creates a consumer group.",
    since: "5.0.0",
    group: Group::Stream,
    flags: WRITE.and(DENYOOM),
    keys: &[Keys::at(2).read_write().insert()],
    history: &[("7.0.0", "Knows `ENTRIESREAD`.")],
    run: xgroup_create,
    ..Command::BASE
};

fn xgroup_create(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (key, name, id) = (args.next()?, args.next()?, args.next()?);
    let (entries_read, mkstream) = parse_group_options(args, true)?;
    let is_there = match ctx.stream_mut(key)? {
        Some(_) => true,
        None if mkstream => false,
        None => return Err(KEY_REQUIRED),
    };
    let last_id = parse_last_id(id, ctx.stream_mut(key)?.map(|stream| &**stream))?;
    let stream = ctx.stream_or_create(key, |_| Box::new(Stream::new()))?;
    let group = ConsumerGroup::new(last_id, capped(entries_read, stream));
    if !stream.create_group(name, group) {
        return Err(Error::new("BUSYGROUP Consumer Group name already exists"));
    }
    if is_there {
        ctx.server.dirty += 1;
        ctx.notify(key, Class::STREAM, "xgroup-create");
    } else {
        ctx.changed(key, Class::STREAM, "xgroup-create");
    }
    reply.ok();
    Ok(())
}

fn existing_group<'c>(ctx: &'c mut Ctx, key: &[u8], name: &[u8]) -> Result<&'c mut ConsumerGroup> {
    let stream = ctx.stream_mut(key)?.ok_or(KEY_REQUIRED)?;
    stream.group_mut(name).ok_or_else(|| no_consumer_group(key, name))
}

pub const XGROUP_SETID: Command = Command {
    name: "XGROUP SETID",
    syntax: "key group id-selector=<id | new-id=$> [ENTRIESREAD entriesread{entries-read}]",
    summary: "Sets the ID after which a consumer group goes on reading.",
    since: "5.0.0",
    group: Group::Stream,
    flags: WRITE,
    keys: &[Keys::at(2).read_write().update()],
    history: &[("7.0.0", "Knows `ENTRIESREAD`.")],
    run: xgroup_setid,
    ..Command::BASE
};

fn xgroup_setid(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (key, name, id) = (args.next()?, args.next()?, args.next()?);
    let (entries_read, _) = parse_group_options(args, false)?;
    existing_group(ctx, key, name)?;
    let stream = ctx.stream_mut(key)?.ok_or(KEY_REQUIRED)?;
    // Other than elsewhere, the ends of a range are ids here.
    let last_id = match id {
        b"-" => StreamId::MIN,
        b"+" => StreamId::MAX,
        id => parse_last_id(id, Some(stream))?,
    };
    let entries_read = capped(entries_read, stream);
    let group = stream.group_mut(name).ok_or_else(|| no_consumer_group(key, name))?;
    group.last_id = last_id;
    group.entries_read = entries_read;
    ctx.server.dirty += 1;
    ctx.notify(key, Class::STREAM, "xgroup-setid");
    // Those who wait may find entries before them again.
    ctx.server.waiting.signal(ctx.db, key);
    reply.ok();
    Ok(())
}

pub const XGROUP_DESTROY: Command = Command {
    name: "XGROUP DESTROY",
    syntax: "key group",
    summary: "Removes a consumer group.",
    since: "5.0.0",
    complexity: "O(N) with N the number of pending entries of the group",
    group: Group::Stream,
    flags: WRITE,
    keys: &[Keys::at(2).read_write().delete()],
    run: xgroup_destroy,
    ..Command::BASE
};

fn xgroup_destroy(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (key, name) = (args.next()?, args.next()?);
    let stream = ctx.stream_mut(key)?.ok_or(KEY_REQUIRED)?;
    let is_gone = stream.destroy_group(name);
    if is_gone {
        ctx.server.dirty += 1;
        ctx.notify(key, Class::STREAM, "xgroup-destroy");
        ctx.server.waiting.signal(ctx.db, key);
    }
    reply.integer(i64::from(is_gone));
    Ok(())
}

pub const XGROUP_CREATECONSUMER: Command = Command {
    name: "XGROUP CREATECONSUMER",
    syntax: "key group consumer",
    summary: "Creates a consumer in a consumer group.",
    since: "6.2.0",
    group: Group::Stream,
    flags: WRITE.and(DENYOOM),
    keys: &[Keys::at(2).read_write().insert()],
    run: xgroup_createconsumer,
    ..Command::BASE
};

fn xgroup_createconsumer(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (key, name, consumer) = (args.next()?, args.next()?, args.next()?);
    let now_ms = ctx.now_ms() as i64;
    let group = existing_group(ctx, key, name)?;
    let is_new = group.consumer_number(consumer).is_none();
    if is_new {
        group.create_consumer(consumer, now_ms);
        ctx.server.dirty += 1;
        ctx.notify(key, Class::STREAM, "xgroup-createconsumer");
    }
    reply.integer(i64::from(is_new));
    Ok(())
}

pub const XGROUP_DELCONSUMER: Command = Command {
    name: "XGROUP DELCONSUMER",
    syntax: "key group consumer",
    summary: "Removes a consumer from a consumer group.",
    since: "5.0.0",
    group: Group::Stream,
    flags: WRITE,
    keys: &[Keys::at(2).read_write().delete()],
    run: xgroup_delconsumer,
    ..Command::BASE
};

fn xgroup_delconsumer(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (key, name, consumer) = (args.next()?, args.next()?, args.next()?);
    let group = existing_group(ctx, key, name)?;
    let mut pending = 0;
    if let Some(number) = group.consumer_number(consumer) {
        pending = group.delete_consumer(number);
        ctx.server.dirty += 1;
        ctx.notify(key, Class::STREAM, "xgroup-delconsumer");
    }
    reply.count(pending);
    Ok(())
}

pub const XACK: Command = Command {
    name: "XACK",
    syntax: "key group id ...",
    summary: "Marks entries as done by a consumer group.",
    since: "5.0.0",
    complexity: "O(1) for each entry",
    group: Group::Stream,
    flags: WRITE.and(FAST),
    keys: &[Keys::at(1).read_write().update()],
    run: xack,
    ..Command::BASE
};

fn xack(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (key, name) = (args.next()?, args.next()?);
    let Some(group) = ctx.stream_mut(key)?.and_then(|stream| stream.group_mut(name)) else {
        reply.integer(0);
        return Ok(());
    };
    let ids = args.rest().map(|id| parse_id(id, 0)).collect::<Result<Vec<_>>>()?;
    let acknowledged = ids.into_iter().filter(|&id| group.release(id)).count();
    ctx.server.dirty += acknowledged as u64;
    reply.count(acknowledged);
    Ok(())
}

/// What giving back does to the number of deliveries.
#[derive(Clone, Copy)]
enum Verdict {
    Silent,
    Fail,
    Fatal,
}

const DELIVERIES_MAX: u64 = i64::MAX as u64;

pub const XNACK: Command = Command {
    name: "XNACK",
    syntax: "key group mode=<SILENT | FAIL | FATAL> IDS (numids id ...) [RETRYCOUNT count] [FORCE]",
    summary: "Gives pending entries back to a consumer group, as not done.",
    since: "8.8.0",
    complexity: "O(1) for each entry",
    group: Group::Stream,
    flags: WRITE.and(FAST),
    keys: &[Keys::at(1).read_write().update()],
    run: xnack,
    ..Command::BASE
};

fn xnack(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (key, name) = (args.next()?, args.next()?);
    let verdict = match args.next()? {
        word if word.eq_ignore_ascii_case(b"SILENT") => Verdict::Silent,
        word if word.eq_ignore_ascii_case(b"FAIL") => Verdict::Fail,
        word if word.eq_ignore_ascii_case(b"FATAL") => Verdict::Fatal,
        _ => return Err(error::SYNTAX),
    };
    let (mut ids, mut retry_count, mut force) = (None, None, false);
    while !args.is_empty() {
        if args.accept_with("IDS", 1) {
            ids = Some(parse_ids(args)?);
        } else if args.accept_with("RETRYCOUNT", 1) {
            let count = args.integer()?;
            if count < 0 {
                return Err(error::OUT_OF_RANGE_POSITIVE);
            }
            retry_count = Some(count as u64);
        } else if args.accept("FORCE") {
            force = true;
        } else {
            return Err(error::SYNTAX);
        }
    }
    let ids = ids.ok_or(Error::new("ERR IDS option is required"))?;
    let stream = ctx.stream_mut(key)?.ok_or_else(|| no_group(key, name, ""))?;
    if stream.group(name).is_none() {
        return Err(no_group(key, name, ""));
    }
    let mut given_back = 0;
    for id in ids {
        let exists = force && stream.get(id).is_some();
        let Some(group) = stream.group_mut(name) else { break };
        let deliveries = match (group.get(id), verdict) {
            (None, _) if !exists => continue,
            (None, Verdict::Fatal) | (Some(_), Verdict::Fatal) => DELIVERIES_MAX,
            (None, _) => 0,
            (Some(pending), Verdict::Silent) => pending.deliveries.saturating_sub(1),
            (Some(pending), Verdict::Fail) => pending.deliveries,
        };
        group.disown(id, retry_count.unwrap_or(deliveries));
        given_back += 1;
    }
    if given_back > 0 {
        ctx.server.dirty += given_back;
        ctx.server.waiting.signal(ctx.db, key);
    }
    reply.integer(given_back as i64);
    Ok(())
}

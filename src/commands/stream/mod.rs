//! Streams: reading and deleting entries, and what all commands of the group share.

pub mod add;
pub mod claim;
pub mod groups;
pub mod inspect;
pub mod pending;
pub mod read;

use crate::command::declaration::*;
use crate::command::{Args, Ctx, Keys};
use crate::data::listpack::Entry as Element;
use crate::data::number;
use crate::data::stream::{Entry, IdText, References, Stream, StreamId};
use crate::resp::ReplyWriter;
use crate::server::error::{self, Error, Result};
use crate::server::notify::Class;

pub const COMMANDS: &[Command] = &[XACKDEL, XDEL, XDELEX, XLEN, XRANGE, XREVRANGE];

const INVALID_ID: Error = Error::new("ERR Invalid stream ID specified as stream command argument");

/// An id as it stands in an entry; without a sequence number, `missing_seq` is meant.
fn parse_id(text: &[u8], missing_seq: u64) -> Result<StreamId> {
    StreamId::parse(text, missing_seq).ok_or(INVALID_ID)
}

/// The two ends of a range, both included: `-`, `+`, an id, or an id behind a parenthesis.
fn parse_range(start: &[u8], end: &[u8]) -> Result<(StreamId, StreamId)> {
    Ok((parse_start(start)?, parse_end(end)?))
}

fn parse_start(text: &[u8]) -> Result<StreamId> {
    let (id, is_exclusive) = parse_bound(text, 0)?;
    let bad = Error::new("ERR invalid start ID for the interval");
    if is_exclusive { id.next().ok_or(bad) } else { Ok(id) }
}

fn parse_end(text: &[u8]) -> Result<StreamId> {
    let (id, is_exclusive) = parse_bound(text, u64::MAX)?;
    let bad = Error::new("ERR invalid end ID for the interval");
    if is_exclusive { id.previous().ok_or(bad) } else { Ok(id) }
}

fn parse_bound(text: &[u8], missing_seq: u64) -> Result<(StreamId, bool)> {
    match text {
        b"-" => Ok((StreamId::MIN, false)),
        b"+" => Ok((StreamId::MAX, false)),
        [b'(', id @ ..] if !id.is_empty() => Ok((parse_id(id, missing_seq)?, true)),
        id => Ok((parse_id(id, missing_seq)?, false)),
    }
}

fn write_id(reply: &mut ReplyWriter, id: StreamId) {
    reply.bulk(id.text(&mut IdText::default()));
}

fn write_element(reply: &mut ReplyWriter, element: Element) {
    match element {
        Element::Int(number) => reply.bulk_integer(number),
        Element::Bytes(bytes) => reply.bulk(bytes),
    }
}

fn write_pairs(reply: &mut ReplyWriter, entry: &Entry) {
    reply.array(2 * entry.len());
    for (field, value) in entry.pairs() {
        write_element(reply, field);
        write_element(reply, value);
    }
}

/// An id and its fields and values.
fn write_entry(reply: &mut ReplyWriter, entry: &Entry) {
    reply.array(2);
    write_id(reply, entry.id);
    write_pairs(reply, entry);
}

fn no_group(key: &[u8], group: &[u8], rest: &str) -> Error {
    let mut text = b"NOGROUP No such key '".to_vec();
    text.extend_from_slice(key);
    text.extend_from_slice(b"' or consumer group '");
    text.extend_from_slice(group);
    text.push(b'\'');
    text.extend_from_slice(rest.as_bytes());
    Error::bytes(text)
}

fn no_consumer_group(key: &[u8], group: &[u8]) -> Error {
    let mut text = b"NOGROUP No such consumer group '".to_vec();
    text.extend_from_slice(until_zero(group));
    text.extend_from_slice(b"' for key name '");
    text.extend_from_slice(until_zero(key));
    text.push(b'\'');
    Error::bytes(text)
}

/// Redis's texts end a name at a zero byte.
fn until_zero(name: &[u8]) -> &[u8] {
    name.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// What Redis says when a subcommand's arguments make no sense.
fn subcommand_syntax(args: &Args, container: &str) -> Error {
    let mut text = b"ERR unknown subcommand or wrong number of arguments for '".to_vec();
    text.extend_from_slice(args.get(1));
    text.extend_from_slice(b"'. Try ");
    text.extend_from_slice(container.as_bytes());
    text.extend_from_slice(b" HELP.");
    Error::bytes(text)
}

pub const XLEN: Command = Command {
    name: "XLEN",
    syntax: "key",
    summary: "Counts the entries of a stream.",
    since: "5.0.0",
    group: Group::Stream,
    flags: READONLY.and(FAST),
    keys: &[Keys::at(1).read_only()],
    run: xlen,
    ..Command::BASE
};

fn xlen(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let len = ctx.stream(args.next()?)?.map_or(0, |stream| stream.len());
    reply.count(len);
    Ok(())
}

pub const XRANGE: Command = Command {
    name: "XRANGE",
    syntax: "key start:string end:string [COUNT count]",
    summary: "Gets the entries of a stream in a range of IDs.",
    since: "5.0.0",
    complexity: "O(N) with N the number of entries returned",
    group: Group::Stream,
    flags: READONLY,
    keys: &[Keys::at(1).read_only().access()],
    history: &[("6.2.0", "Knows exclusive ranges.")],
    run: xrange,
    ..Command::BASE
};

fn xrange(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let key = args.next()?;
    let range = parse_range(args.next()?, args.next()?)?;
    range_of(ctx, args, reply, key, range, false)
}

pub const XREVRANGE: Command = Command {
    name: "XREVRANGE",
    syntax: "key end:string start:string [COUNT count]",
    summary: "Gets the entries of a stream in a range of IDs, the latest first.",
    since: "5.0.0",
    complexity: "O(N) with N the number of entries returned",
    group: Group::Stream,
    flags: READONLY,
    keys: &[Keys::at(1).read_only().access()],
    history: &[("6.2.0", "Knows exclusive ranges.")],
    run: xrevrange,
    ..Command::BASE
};

fn xrevrange(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let key = args.next()?;
    let (end, start) = (args.next()?, args.next()?);
    let range = parse_range(start, end)?;
    range_of(ctx, args, reply, key, range, true)
}

fn range_of(
    ctx: &mut Ctx,
    args: &mut Args,
    reply: &mut ReplyWriter,
    key: &[u8],
    (start, end): (StreamId, StreamId),
    from_end: bool,
) -> Result {
    let mut count_max = usize::MAX;
    while !args.is_empty() {
        if !args.accept_with("COUNT", 1) {
            return Err(error::SYNTAX);
        }
        count_max = usize::try_from(args.integer()?.max(0)).unwrap_or(usize::MAX);
    }
    let Some(stream) = ctx.stream(key)? else {
        reply.array(0);
        return Ok(());
    };
    if count_max == 0 {
        reply.null_array();
        return Ok(());
    }
    let mark = reply.mark();
    let mut count = 0;
    let mut write = |entry: Entry| {
        write_entry(reply, &entry);
        count += 1;
    };
    if from_end {
        stream.range_back(start, end).take(count_max).for_each(&mut write);
    } else {
        stream.range(start, end).take(count_max).for_each(&mut write);
    }
    reply.close_array(mark, count);
    Ok(())
}

pub const XDEL: Command = Command {
    name: "XDEL",
    syntax: "key id ...",
    summary: "Deletes entries from a stream.",
    since: "5.0.0",
    complexity: "O(1) for each entry",
    group: Group::Stream,
    flags: WRITE.and(FAST),
    keys: &[Keys::at(1).read_write().delete()],
    run: xdel,
    ..Command::BASE
};

fn xdel(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let key = args.next()?;
    let Some(stream) = ctx.stream_mut(key)? else {
        reply.integer(0);
        return Ok(());
    };
    let ids = args.rest().map(|id| parse_id(id, 0)).collect::<Result<Vec<_>>>()?;
    let deleted = ids.into_iter().filter(|&id| stream.delete(id)).count();
    told_deleted(ctx, key, deleted);
    reply.count(deleted);
    Ok(())
}

fn told_deleted(ctx: &mut Ctx, key: &[u8], deleted: usize) {
    if deleted > 0 {
        ctx.changed_times(key, Class::STREAM, "xdel", deleted);
    }
}

/// `[KEEPREF | DELREF | ACKED] IDS numids id ...`, in any order.
fn parse_deletion(args: &mut Args) -> Result<(References, Vec<StreamId>)> {
    let mut references = None;
    let mut ids: Option<Vec<StreamId>> = None;
    while !args.is_empty() {
        if let Some(given) = accept_references(args) {
            if references.replace(given).is_some() {
                return Err(error::SYNTAX);
            }
        } else if args.accept_with("IDS", 1) {
            ids = Some(parse_ids(args)?);
        } else {
            return Err(error::SYNTAX);
        }
    }
    let ids = ids.ok_or(Error::new("ERR IDS option is required"))?;
    Ok((references.unwrap_or_default(), ids))
}

fn accept_references(args: &mut Args) -> Option<References> {
    let words = [("KEEPREF", References::Keep), ("DELREF", References::Delete), ("ACKED", References::Acked)];
    words.into_iter().find(|(word, _)| args.accept(word)).map(|(_, references)| references)
}

/// `numids id ...`
fn parse_ids(args: &mut Args) -> Result<Vec<StreamId>> {
    let bad = Error::new("ERR Number of IDs must be a positive integer");
    let count = number::parse_i64(args.next()?).filter(|&count| count > 0).ok_or(bad)?;
    if count > args.left() as i64 {
        return Err(Error::new("ERR The `numids` parameter must match the number of arguments"));
    }
    (0..count).map(|_| parse_id(args.next()?, 0)).collect()
}

const NOT_THERE: i64 = -1;
const DONE: i64 = 1;
const STILL_REFERENCED: i64 = 2;

pub const XDELEX: Command = Command {
    name: "XDELEX",
    syntax: "key [KEEPREF | DELREF | ACKED] IDS (numids id ...)",
    summary: "Deletes entries from a stream, with a say in what happens to consumer groups.",
    since: "8.2.0",
    complexity: "O(1) for each entry",
    group: Group::Stream,
    flags: WRITE.and(FAST),
    keys: &[Keys::at(1).read_write().delete()],
    run: xdelex,
    ..Command::BASE
};

fn xdelex(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let key = args.next()?;
    let (references, ids) = parse_deletion(args)?;
    reply.array(ids.len());
    let Some(stream) = ctx.stream_mut(key)? else {
        ids.iter().for_each(|_| reply.integer(NOT_THERE));
        return Ok(());
    };
    let (mut deleted, mut released) = (0, false);
    for id in ids {
        let outcome = if stream.get(id).is_none() {
            released |= references == References::Delete && stream.release_everywhere(id);
            NOT_THERE
        } else {
            delete_entry(stream, id, references)
        };
        deleted += usize::from(outcome == DONE);
        reply.integer(outcome);
    }
    told_deleted(ctx, key, deleted);
    ctx.server.dirty += u64::from(released);
    Ok(())
}

/// Deletes an entry as far as the groups' references allow.
fn delete_entry(stream: &mut Stream, id: StreamId, references: References) -> i64 {
    if references == References::Acked && stream.is_referenced(id) {
        return STILL_REFERENCED;
    }
    stream.delete(id);
    if references == References::Delete {
        stream.release_everywhere(id);
    }
    DONE
}

pub const XACKDEL: Command = Command {
    name: "XACKDEL",
    syntax: "key group [KEEPREF | DELREF | ACKED] IDS (numids id ...)",
    summary: "Marks entries as done by a consumer group and deletes them.",
    since: "8.2.0",
    complexity: "O(1) for each entry",
    group: Group::Stream,
    flags: WRITE.and(FAST),
    keys: &[Keys::at(1).read_write().update().delete()],
    run: xackdel,
    ..Command::BASE
};

fn xackdel(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (key, name) = (args.next()?, args.next()?);
    let (references, ids) = parse_deletion(args)?;
    reply.array(ids.len());
    let stream = ctx.stream_mut(key)?.filter(|stream| stream.group(name).is_some());
    let Some(stream) = stream else {
        ids.iter().for_each(|_| reply.integer(NOT_THERE));
        return Ok(());
    };
    let (mut deleted, mut acknowledged) = (0, 0);
    for id in ids {
        let was_pending = stream.group_mut(name).is_some_and(|group| group.release(id));
        if !was_pending {
            reply.integer(NOT_THERE);
            continue;
        }
        acknowledged += 1;
        let was_there = stream.get(id).is_some();
        let outcome = delete_entry(stream, id, references);
        deleted += usize::from(was_there && outcome == DONE);
        reply.integer(outcome);
    }
    told_deleted(ctx, key, deleted);
    ctx.server.dirty += acknowledged;
    Ok(())
}

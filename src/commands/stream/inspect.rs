//! XINFO: streams, groups and consumers in numbers.

use crate::command::declaration::*;
use crate::command::{Args, Ctx, Keys};
use crate::data::stream::{ENTRIES_READ_UNKNOWN, Entry, Group as ConsumerGroup, Stream, StreamId};
use crate::resp::ReplyWriter;
use crate::server::error::{self, Result};

use super::{no_consumer_group, subcommand_syntax, write_entry, write_id};

pub const COMMANDS: &[Command] = &[XINFO_CONSUMERS, XINFO_GROUPS, XINFO_STREAM];

fn field(reply: &mut ReplyWriter, name: &str, value: i64) {
    reply.bulk_str(name);
    reply.integer(value);
}

fn id_field(reply: &mut ReplyWriter, name: &str, id: StreamId) {
    reply.bulk_str(name);
    write_id(reply, id);
}

fn name_field(reply: &mut ReplyWriter, name: &[u8]) {
    reply.bulk_str("name");
    reply.bulk(name);
}

fn integer_or_null(reply: &mut ReplyWriter, value: Option<i64>) {
    match value {
        Some(value) => reply.integer(value),
        None => reply.null(),
    }
}

pub const XINFO_STREAM: Command = Command {
    name: "XINFO STREAM",
    syntax: "key full-block=[FULL [COUNT count]]",
    summary: "Describes a stream.",
    since: "5.0.0",
    group: Group::Stream,
    flags: READONLY,
    keys: &[Keys::at(2).read_only().access()],
    history: &[
        ("6.0.0", "Knows `FULL`."),
        (
            "7.0.0",
            "Shows `max-deleted-entry-id`, `entries-added`, `recorded-first-entry-id`, `entries-read` and `lag`.",
        ),
        ("7.2.0", "Shows `active-time`; `seen-time` is that of the last attempt."),
        ("8.6.0", "Shows what it knows about repeated entries."),
        ("8.8.0", "Shows `nacked-count` with `FULL`."),
    ],
    run: xinfo_stream,
    ..Command::BASE
};

fn xinfo_stream(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let key = args.next()?;
    let now_ms = ctx.now_ms();
    let config = &ctx.server.config;
    let defaults = (config.stream_idmp_duration, config.stream_idmp_maxsize);
    let stream = ctx.stream(key)?.ok_or(error::NO_SUCH_KEY)?;
    let mut count = 10;
    let is_full = !args.is_empty();
    if is_full {
        if !matches!(args.left(), 1 | 3) || !args.accept("FULL") {
            return Err(subcommand_syntax(args, "XINFO"));
        }
        if !args.is_empty() {
            if !args.accept("COUNT") {
                return Err(subcommand_syntax(args, "XINFO"));
            }
            let given = args.integer()?;
            count = if given < 0 { 10 } else { given };
        }
    }
    reply.map(if is_full { 15 } else { 16 });
    write_numbers(stream, defaults, now_ms, reply);
    if is_full {
        let limit = if count == 0 { usize::MAX } else { usize::try_from(count).unwrap_or(usize::MAX) };
        write_full(stream, limit, reply);
    } else {
        field(reply, "groups", stream.groups().len() as i64);
        reply.bulk_str("first-entry");
        entry_or_null(reply, stream.iter().next());
        reply.bulk_str("last-entry");
        entry_or_null(reply, stream.range_back(StreamId::MIN, StreamId::MAX).next());
    }
    Ok(())
}

fn write_numbers(stream: &Stream, defaults: (u64, u64), now_ms: u64, reply: &mut ReplyWriter) {
    field(reply, "length", stream.len() as i64);
    field(reply, "radix-tree-keys", stream.blocks().len() as i64);
    field(reply, "radix-tree-nodes", stream.radix_nodes() as i64);
    id_field(reply, "last-generated-id", stream.last_id);
    id_field(reply, "max-deleted-entry-id", stream.max_deleted_id);
    field(reply, "entries-added", stream.entries_added as i64);
    id_field(reply, "recorded-first-entry-id", stream.first_id());
    let producers = stream.producers.as_ref();
    let (duration_s, size_max) = producers.map_or(defaults, |known| (known.duration_s, known.size_max));
    let (pids, iids) = producers.map_or((0, 0), |known| known.tracked(now_ms));
    field(reply, "idmp-duration", duration_s as i64);
    field(reply, "idmp-maxsize", size_max as i64);
    field(reply, "pids-tracked", pids as i64);
    field(reply, "iids-tracked", iids as i64);
    field(reply, "iids-added", producers.map_or(0, |known| known.added as i64));
    field(reply, "iids-duplicates", producers.map_or(0, |known| known.duplicates as i64));
}

fn entry_or_null(reply: &mut ReplyWriter, entry: Option<Entry>) {
    match entry {
        Some(entry) => write_entry(reply, &entry),
        None => reply.null(),
    }
}

fn write_full(stream: &Stream, limit: usize, reply: &mut ReplyWriter) {
    reply.bulk_str("entries");
    reply.array(stream.len().min(limit));
    stream.iter().take(limit).for_each(|entry| write_entry(reply, &entry));
    reply.bulk_str("groups");
    reply.array(stream.groups().len());
    for (name, group) in stream.groups() {
        reply.map(8);
        name_field(reply, name);
        write_position(stream, group, reply);
        field(reply, "pel-count", group.pending_len() as i64);
        reply.bulk_str("pending");
        reply.array(group.pending_len().min(limit));
        for (id, pending) in group.pending().take(limit) {
            reply.array(4);
            write_id(reply, id);
            reply.bulk(pending.owner.map_or(b"", |owner| &*group.consumer(owner).name));
            reply.integer(pending.delivered_ms);
            reply.integer(pending.deliveries as i64);
        }
        write_consumers(group, limit, reply);
        field(reply, "nacked-count", group.unowned_len() as i64);
    }
}

fn write_position(stream: &Stream, group: &ConsumerGroup, reply: &mut ReplyWriter) {
    id_field(reply, "last-delivered-id", group.last_id);
    reply.bulk_str("entries-read");
    integer_or_null(reply, Some(group.entries_read).filter(|&read| read != ENTRIES_READ_UNKNOWN));
    reply.bulk_str("lag");
    integer_or_null(reply, stream.lag(group));
}

fn write_consumers(group: &ConsumerGroup, limit: usize, reply: &mut ReplyWriter) {
    reply.bulk_str("consumers");
    reply.array(group.consumers().len());
    for consumer in group.consumers() {
        reply.map(5);
        name_field(reply, &consumer.name);
        field(reply, "seen-time", consumer.seen_ms);
        field(reply, "active-time", consumer.active_ms);
        field(reply, "pel-count", consumer.pending().len() as i64);
        reply.bulk_str("pending");
        reply.array(consumer.pending().len().min(limit));
        for &id in consumer.pending().iter().take(limit) {
            let pending = group.get(id).expect("what a consumer has pending its group has");
            reply.array(3);
            write_id(reply, id);
            reply.integer(pending.delivered_ms);
            reply.integer(pending.deliveries as i64);
        }
    }
}

pub const XINFO_GROUPS: Command = Command {
    name: "XINFO GROUPS",
    syntax: "key",
    summary: "Lists the consumer groups of a stream.",
    since: "5.0.0",
    group: Group::Stream,
    flags: READONLY,
    keys: &[Keys::at(2).read_only().access()],
    history: &[("7.0.0", "Shows `entries-read` and `lag`.")],
    run: xinfo_groups,
    ..Command::BASE
};

fn xinfo_groups(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let stream = ctx.stream(args.next()?)?.ok_or(error::NO_SUCH_KEY)?;
    reply.array(stream.groups().len());
    for (name, group) in stream.groups() {
        reply.map(6);
        name_field(reply, name);
        field(reply, "consumers", group.consumers().len() as i64);
        field(reply, "pending", group.pending_len() as i64);
        write_position(stream, group, reply);
    }
    Ok(())
}

pub const XINFO_CONSUMERS: Command = Command {
    name: "XINFO CONSUMERS",
    syntax: "key group",
    summary: "Lists the consumers of a consumer group.",
    since: "5.0.0",
    group: Group::Stream,
    flags: READONLY,
    keys: &[Keys::at(2).read_only().access()],
    tips: &["nondeterministic_output"],
    history: &[("7.2.0", "Shows `inactive`; `idle` counts from the last attempt.")],
    run: xinfo_consumers,
    ..Command::BASE
};

fn xinfo_consumers(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (key, name) = (args.next()?, args.next()?);
    let now_ms = ctx.now_ms() as i64;
    let stream = ctx.stream(key)?.ok_or(error::NO_SUCH_KEY)?;
    let group = stream.group(name).ok_or_else(|| no_consumer_group(key, name))?;
    reply.array(group.consumers().len());
    for consumer in group.consumers() {
        reply.map(4);
        name_field(reply, &consumer.name);
        field(reply, "pending", consumer.pending().len() as i64);
        field(reply, "idle", (now_ms - consumer.seen_ms).max(0));
        let inactive = if consumer.active_ms < 0 { -1 } else { (now_ms - consumer.active_ms).max(0) };
        field(reply, "inactive", inactive);
    }
    Ok(())
}

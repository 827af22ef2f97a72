//! MEMORY: what takes how much.

use crate::command::declaration::*;
use crate::command::{Args, Ctx, Keys};
use crate::resp::ReplyWriter;
use crate::server::error::{self, Result};
use crate::server::memory::STARTUP_BYTES;

pub const COMMANDS: &[Command] =
    &[MEMORY_DOCTOR, MEMORY_MALLOC_STATS, MEMORY_PURGE, MEMORY_STATS, MEMORY_USAGE];

pub const MEMORY_USAGE: Command = Command {
    name: "MEMORY USAGE",
    syntax: "key [SAMPLES count]",
    summary: "Estimates how many bytes a key and its value take.",
    since: "4.0.0",
    complexity: "O(N) with N the number of samples",
    group: Group::Server,
    flags: READONLY,
    keys: &[Keys::at(2).read_only()],
    run: memory_usage,
    ..Command::BASE
};

/// What a key takes of the table, which is about four fifths full.
const PLACE_BYTES: usize = 11;

fn memory_usage(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let key = args.next()?;
    while !args.is_empty() {
        if !args.accept_with("SAMPLES", 1) {
            return Err(error::SYNTAX);
        }
        // Nothing needs to be sampled: values know their size.
        if args.integer()? < 0 {
            return Err(error::SYNTAX);
        }
    }
    match ctx.peek(key) {
        None => reply.null(),
        // The place in the table on top.
        Some(entry) => reply.count(entry.total_bytes() + PLACE_BYTES),
    }
    Ok(())
}

pub const MEMORY_PURGE: Command = Command {
    name: "MEMORY PURGE",
    summary: "Asks the allocator to give memory back.",
    since: "4.0.0",
    complexity: "Depends on how much memory is in use",
    group: Group::Server,
    tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
    run: memory_purge,
    ..Command::BASE
};

fn memory_purge(_: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    reply.ok();
    Ok(())
}

pub const MEMORY_MALLOC_STATS: Command = Command {
    name: "MEMORY MALLOC-STATS",
    summary: "Shows the figures of the memory allocator.",
    since: "4.0.0",
    complexity: "Depends on how much memory is in use",
    group: Group::Server,
    tips: &["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
    run: memory_malloc_stats,
    ..Command::BASE
};

fn memory_malloc_stats(_: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    reply.verbatim("txt", b"The allocator in use keeps no statistics.\n");
    Ok(())
}

/// Below this there is nothing to say about memory.
const EMPTY_BYTES: u64 = 5 << 20;

pub const MEMORY_DOCTOR: Command = Command {
    name: "MEMORY DOCTOR",
    summary: "Gives a readable diagnosis of memory use.",
    since: "4.0.0",
    group: Group::Server,
    tips: &["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
    run: memory_doctor,
    ..Command::BASE
};

fn memory_doctor(ctx: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    let memory = ctx.server.measure_memory();
    let mut found = Vec::new();
    if memory.peak > memory.used / 2 * 3 {
        found.push("The most memory used so far was more than half again what is used now: the allocator may hold the rest.");
    }
    if memory.resident > memory.used / 5 * 7 && memory.resident > 10 << 20 {
        found.push("The process takes much more memory than the data: fragmentation may be the cause.");
    }
    if memory.clients > memory.used / 4 {
        found.push("The buffers of clients take a large part of the memory.");
    }
    let text = if memory.used < EMPTY_BYTES {
        "There is little or nothing in memory yet, so there is nothing to diagnose.\n".to_string()
    } else if found.is_empty() {
        "Nothing about the use of memory is out of order.\n".to_string()
    } else {
        found.iter().map(|line| format!("* {line}\n")).collect()
    };
    reply.verbatim("txt", text.as_bytes());
    Ok(())
}

pub const MEMORY_STATS: Command = Command {
    name: "MEMORY STATS",
    summary: "Shows what memory is used for.",
    since: "4.0.0",
    group: Group::Server,
    tips: &["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
    run: memory_stats,
    ..Command::BASE
};

fn memory_stats(ctx: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    let memory = ctx.server.measure_memory();
    let keys = ctx.server.keyspace.len() as u64;
    let mark = reply.mark();
    let mut count = 0;
    let mut field = |reply: &mut ReplyWriter, name: &str, value: u64| {
        count += 1;
        reply.bulk_str(name);
        reply.integer(value as i64);
    };
    field(reply, "peak.allocated", memory.peak);
    field(reply, "total.allocated", memory.used);
    field(reply, "startup.allocated", STARTUP_BYTES);
    for name in ["replication.backlog", "replica.fullsyncbuf", "clients.slaves"] {
        field(reply, name, 0);
    }
    field(reply, "clients.normal", memory.clients);
    let scripting = ctx.server.scripting.figures();
    for (name, value) in [
        ("cluster.links", 0),
        ("aof.buffer", 0),
        ("lua.caches", scripting.scripts_bytes),
        ("functions.caches", scripting.functions_bytes),
        ("hash.templates", 0),
    ] {
        field(reply, name, value);
    }
    let mut dbs = 0;
    for (number, db) in ctx.server.keyspace.iter().enumerate().filter(|(_, db)| !db.is_empty()) {
        reply.bulk_str(&format!("db.{number}"));
        reply.map(2);
        reply.bulk_str("overhead.hashtable.main");
        reply.count(db.table().heap_bytes());
        reply.bulk_str("overhead.hashtable.expires");
        reply.integer(0);
        dbs += 1;
    }
    field(reply, "overhead.db.hashtable.lut", memory.tables);
    field(reply, "overhead.db.hashtable.rehashing", 0);
    field(reply, "db.dict.rehashing.count", 0);
    field(reply, "overhead.total", memory.overhead());
    field(reply, "keys.count", keys);
    field(reply, "keys.bytes-per-key", memory.used.saturating_sub(STARTUP_BYTES) / keys.max(1));
    field(reply, "dataset.bytes", memory.dataset());
    let share = |part: u64, whole: u64| part as f64 * 100.0 / whole.max(1) as f64;
    let ratio = memory.resident as f64 / memory.used.max(1) as f64;
    let dataset = share(memory.dataset(), memory.used.saturating_sub(STARTUP_BYTES));
    for (name, value) in
        [("dataset.percentage", dataset), ("peak.percentage", share(memory.used, memory.peak))]
    {
        reply.bulk_str(name);
        reply.double(value);
    }
    field(reply, "allocator.allocated", memory.used);
    field(reply, "allocator.active", memory.used);
    field(reply, "allocator.resident", memory.resident);
    field(reply, "allocator.muzzy", 0);
    for name in ["allocator-fragmentation", "allocator-rss", "rss-overhead"] {
        reply.bulk_str(&format!("{name}.ratio"));
        reply.double(1.0);
        field(reply, &format!("{name}.bytes"), 0);
    }
    reply.bulk_str("fragmentation");
    reply.double(ratio);
    reply.bulk_str("fragmentation.bytes");
    reply.integer(memory.resident as i64 - memory.used as i64);
    let doubles_and_last = 2 + 3 + 2;
    reply.close_map(mark, count + dbs + doubles_and_last);
    Ok(())
}

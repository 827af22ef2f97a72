//! Hashes: their fields.

pub mod expiry;
pub mod getset;
pub mod import;
pub mod increment;

use crate::command::declaration::*;
use crate::command::{Args, Ctx, Keys, call};
use crate::commands::generic::scan::{ScanOf, ScanOptions, parse_cursor};
use crate::commands::list::bulk;
use crate::commands::set::{RANDOM_MAX, parse_random_count};
use crate::data::hash::{Hash, Item};
use crate::data::number;
use crate::resp::ReplyWriter;
use crate::server::error::{self, Result};

pub const COMMANDS: &[Command] = &[
    HDEL, HEXISTS, HGET, HGETALL, HKEYS, HLEN, HMGET, HMSET, HRANDFIELD, HSCAN, HSET, HSETNX, HSTRLEN, HVALS,
];

pub const HSET: Command = Command {
    name: "HSET",
    syntax: "key (field value) ...",
    summary: "Sets fields of a hash, which is created when missing.",
    since: "2.0.0",
    complexity: "O(N) with N the number of fields given",
    group: Group::Hash,
    flags: WRITE.and(DENYOOM).and(FAST),
    keys: &[Keys::at(1).read_write().update()],
    history: &[("4.0.0", "Takes several fields.")],
    run: hset,
    ..Command::BASE
};

fn hset(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let created = set_pairs(ctx, args)?;
    reply.count(created);
    Ok(())
}

pub const HMSET: Command = Command {
    name: "HMSET",
    syntax: "key (field value) ...",
    summary: "Sets several fields of a hash.",
    since: "2.0.0",
    complexity: "O(N) with N the number of fields given",
    group: Group::Hash,
    flags: WRITE.and(DENYOOM).and(FAST),
    keys: &[Keys::at(1).read_write().update()],
    deprecated_since: Some("4.0.0"),
    replaced_by: Some("`HSET` with several fields"),
    run: hmset,
    ..Command::BASE
};

fn hmset(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    set_pairs(ctx, args)?;
    reply.ok();
    Ok(())
}

/// Sets the fields that follow the key; how many are new.
fn set_pairs(ctx: &mut Ctx, args: &mut Args) -> Result<usize> {
    let key = args.next()?;
    let pairs = args.left() / 2;
    if args.left() % 2 == 1 {
        return Err(call::wrong_arity(ctx.command));
    }
    let limits = ctx.server.config.hash;
    let hash = ctx.hash_or_create(key)?;
    hash.prepare(pairs, limits);
    let mut words = args.rest();
    let mut created = 0;
    while let (Some(field), Some(value)) = (words.next(), words.next()) {
        created += usize::from(hash.set(field, value, limits));
    }
    let next = hash.next_expiry();
    ctx.set_field_deadline(key, next);
    ctx.fields_changed(key, "hset", pairs, args.rest().step_by(2));
    Ok(created)
}

pub const HSETNX: Command = Command {
    name: "HSETNX",
    syntax: "key field value",
    summary: "Sets a field of a hash unless it exists.",
    since: "2.0.0",
    group: Group::Hash,
    flags: WRITE.and(DENYOOM).and(FAST),
    keys: &[Keys::at(1).read_write().insert()],
    run: hsetnx,
    ..Command::BASE
};

fn hsetnx(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (key, field, value) = (args.next()?, args.next()?, args.next()?);
    let limits = ctx.server.config.hash;
    let hash = ctx.hash_or_create(key)?;
    let exists = hash.item(field).is_some();
    if !exists {
        hash.set(field, value, limits);
        ctx.fields_changed(key, "hset", 1, [field]);
    }
    reply.integer(i64::from(!exists));
    Ok(())
}

pub const HDEL: Command = Command {
    name: "HDEL",
    syntax: "key field ...",
    summary: "Deletes fields of a hash.",
    since: "2.0.0",
    complexity: "O(N) with N the number of fields given",
    group: Group::Hash,
    flags: WRITE.and(FAST),
    keys: &[Keys::at(1).read_write().delete()],
    history: &[("2.4.0", "Takes several fields.")],
    run: hdel,
    ..Command::BASE
};

fn hdel(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let key = args.next()?;
    let wants_fields = ctx.wants_fields();
    let Some(hash) = ctx.hash_mut(key)? else {
        reply.integer(0);
        return Ok(());
    };
    let mut removed: Vec<&[u8]> = Vec::new();
    let mut count = 0;
    for field in args.rest().filter(|field| hash.remove(field)) {
        count += 1;
        if wants_fields {
            removed.push(field);
        }
    }
    reply.count(count);
    if count > 0 {
        after_removal(ctx, key, count, removed)?;
    }
    Ok(())
}

/// What follows once fields are gone: the deadline, the event, and the key's end when nothing is left.
fn after_removal(ctx: &mut Ctx, key: &[u8], count: usize, removed: Vec<&[u8]>) -> Result {
    let (next, is_empty) =
        ctx.hash_mut(key)?.map_or((None, true), |hash| (hash.next_expiry(), hash.is_empty()));
    ctx.set_field_deadline(key, next);
    ctx.fields_changed(key, "hdel", count, removed);
    if is_empty {
        ctx.delete_emptied(key);
    }
    Ok(())
}

pub const HGET: Command = Command {
    name: "HGET",
    syntax: "key field",
    summary: "Gets the value of a field of a hash.",
    since: "2.0.0",
    group: Group::Hash,
    flags: READONLY.and(FAST),
    keys: &[Keys::at(1).read_only().access()],
    run: hget,
    ..Command::BASE
};

fn hget(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (key, field) = (args.next()?, args.next()?);
    let item = ctx.hash(key)?.and_then(|hash| hash.item(field));
    value_or_null(reply, item);
    Ok(())
}

fn value_or_null(reply: &mut ReplyWriter, item: Option<Item>) {
    match item {
        Some(item) => bulk(reply, item.value),
        None => reply.null(),
    }
}

pub const HMGET: Command = Command {
    name: "HMGET",
    syntax: "key field ...",
    summary: "Gets the values of several fields of a hash.",
    since: "2.0.0",
    complexity: "O(N) with N the number of fields given",
    group: Group::Hash,
    flags: READONLY.and(FAST),
    keys: &[Keys::at(1).read_only().access()],
    run: hmget,
    ..Command::BASE
};

fn hmget(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let hash = ctx.hash(args.next()?)?;
    let fields = args.rest();
    reply.array(fields.len());
    for field in fields {
        value_or_null(reply, hash.and_then(|hash| hash.item(field)));
    }
    Ok(())
}

pub const HEXISTS: Command = Command {
    name: "HEXISTS",
    syntax: "key field",
    summary: "Tells whether a hash has a field.",
    since: "2.0.0",
    group: Group::Hash,
    flags: READONLY.and(FAST),
    keys: &[Keys::at(1).read_only()],
    run: hexists,
    ..Command::BASE
};

fn hexists(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (key, field) = (args.next()?, args.next()?);
    let exists = ctx.hash(key)?.is_some_and(|hash| hash.item(field).is_some());
    reply.integer(i64::from(exists));
    Ok(())
}

pub const HSTRLEN: Command = Command {
    name: "HSTRLEN",
    syntax: "key field",
    summary: "Tells how long the value of a field of a hash is.",
    since: "3.2.0",
    group: Group::Hash,
    flags: READONLY.and(FAST),
    keys: &[Keys::at(1).read_only()],
    run: hstrlen,
    ..Command::BASE
};

fn hstrlen(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (key, field) = (args.next()?, args.next()?);
    let item = ctx.hash(key)?.and_then(|hash| hash.item(field));
    reply.count(item.map_or(0, |item| item.value.text_len()));
    Ok(())
}

pub const HLEN: Command = Command {
    name: "HLEN",
    syntax: "key",
    summary: "Counts the fields of a hash.",
    since: "2.0.0",
    group: Group::Hash,
    flags: READONLY.and(FAST),
    keys: &[Keys::at(1).read_only()],
    run: hlen,
    ..Command::BASE
};

/// Fields whose time is up count until they are reaped, as in Redis.
fn hlen(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let len = ctx.unreaped_hash(args.next()?)?.map_or(0, Hash::len);
    reply.count(len);
    Ok(())
}

pub const HGETALL: Command = Command {
    name: "HGETALL",
    syntax: "key",
    summary: "Gets all fields and values of a hash.",
    since: "2.0.0",
    complexity: "O(N) with N the size of the hash",
    group: Group::Hash,
    flags: READONLY,
    keys: &[Keys::at(1).read_only().access()],
    tips: &["nondeterministic_output_order"],
    run: hgetall,
    ..Command::BASE
};

fn hgetall(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let hash = ctx.hash(args.next()?)?;
    reply.map(hash.map_or(0, Hash::len));
    for item in hash.into_iter().flat_map(Hash::iter) {
        bulk(reply, item.field);
        bulk(reply, item.value);
    }
    Ok(())
}

pub const HKEYS: Command = Command {
    name: "HKEYS",
    syntax: "key",
    summary: "Gets all fields of a hash.",
    since: "2.0.0",
    complexity: "O(N) with N the size of the hash",
    group: Group::Hash,
    flags: READONLY,
    keys: &[Keys::at(1).read_only().access()],
    tips: &["nondeterministic_output_order"],
    run: hkeys,
    ..Command::BASE
};

fn hkeys(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let hash = ctx.hash(args.next()?)?;
    reply.array(hash.map_or(0, Hash::len));
    hash.into_iter().flat_map(Hash::iter).for_each(|item| bulk(reply, item.field));
    Ok(())
}

pub const HVALS: Command = Command {
    name: "HVALS",
    syntax: "key",
    summary: "Gets all values of a hash.",
    since: "2.0.0",
    complexity: "O(N) with N the size of the hash",
    group: Group::Hash,
    flags: READONLY,
    keys: &[Keys::at(1).read_only().access()],
    tips: &["nondeterministic_output_order"],
    run: hvals,
    ..Command::BASE
};

fn hvals(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let hash = ctx.hash(args.next()?)?;
    reply.array(hash.map_or(0, Hash::len));
    hash.into_iter().flat_map(Hash::iter).for_each(|item| bulk(reply, item.value));
    Ok(())
}

pub const HRANDFIELD: Command = Command {
    name: "HRANDFIELD",
    syntax: "key options=[count [WITHVALUES]]",
    summary: "Gets random fields of a hash.",
    since: "6.2.0",
    complexity: "O(N) with N the number of fields returned",
    group: Group::Hash,
    flags: READONLY,
    keys: &[Keys::at(1).read_only().access()],
    tips: &["nondeterministic_output"],
    run: hrandfield,
    ..Command::BASE
};

fn hrandfield(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let key = args.next()?;
    if args.is_empty() {
        let mut rng = ctx.server.rng.clone();
        let item = ctx.hash(key)?.and_then(|hash| hash.random(&mut || rng.next()));
        match item {
            Some(item) => bulk(reply, item.field),
            None => reply.null(),
        }
        ctx.server.rng = rng;
        return Ok(());
    }
    let count = parse_random_count(args)?;
    let with_values = args.accept("WITHVALUES");
    args.end()?;
    if with_values && count.unsigned_abs() > i64::MAX as u64 / 2 {
        return Err(error::OUT_OF_RANGE);
    }
    let mut rng = ctx.server.rng.clone();
    let Some(hash) = ctx.hash(key)? else {
        reply.array(0);
        return Ok(());
    };
    let many = count.unsigned_abs();
    if count < 0 && many > RANDOM_MAX {
        return Err(error::OUT_OF_RANGE);
    }
    let items = if count < 0 {
        hash.random_many(many as usize, &mut || rng.next())
    } else {
        hash.random_distinct(usize::try_from(many).unwrap_or(usize::MAX), &mut || rng.next())
    };
    write_chosen(reply, &items, with_values);
    ctx.server.rng = rng;
    Ok(())
}

fn write_chosen(reply: &mut ReplyWriter, items: &[Item], with_values: bool) {
    if !with_values {
        reply.array(items.len());
        return items.iter().for_each(|item| bulk(reply, item.field));
    }
    reply.pairs(items.len());
    for item in items {
        reply.pair();
        bulk(reply, item.field);
        bulk(reply, item.value);
    }
}

pub const HSCAN: Command = Command {
    name: "HSCAN",
    syntax: "key cursor [MATCH pattern] [COUNT count] [NOVALUES]",
    summary: "Goes over the fields of a hash, some at a time.",
    since: "2.8.0",
    complexity: "O(1) for each call, O(N) for a full round over N fields",
    group: Group::Hash,
    flags: READONLY,
    keys: &[Keys::at(1).read_only().access()],
    tips: &["nondeterministic_output"],
    run: hscan,
    ..Command::BASE
};

fn hscan(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let key = args.next()?;
    let mut cursor = parse_cursor(args.next()?)?;
    let Some(hash) = ctx.hash(key)? else {
        reply.array(2);
        reply.bulk(b"0");
        reply.array(0);
        return Ok(());
    };
    let options = ScanOptions::parse(args, ScanOf::Fields)?;
    let mut found = ReplyWriter::new(reply.protocol());
    let mut count = 0;
    let mut text = number::Text::new();
    let mut seen = 0;
    // A thinly filled table must not make one call walk all of it.
    for _ in 0..options.count.saturating_mul(10) {
        cursor = hash.scan(cursor, &mut |item| {
            seen += 1;
            if !options.matches(item.field.bytes(&mut text)) {
                return;
            }
            count += 1;
            bulk(&mut found, item.field);
            if !options.no_values {
                count += 1;
                bulk(&mut found, item.value);
            }
        });
        if cursor == 0 || seen >= options.count {
            break;
        }
    }
    reply.array(2);
    reply.bulk(&number::u64_text(cursor));
    reply.array(count);
    reply.raw(found.bytes());
    Ok(())
}

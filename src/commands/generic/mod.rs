//! Keys whatever they hold: whether they exist, their names, copies and moves.

pub mod dump;
pub mod migrate;
pub mod expiry;
pub mod object;
pub mod scan;
pub mod sort;
pub mod wait;

use crate::command::ctx::type_name_of;
use crate::command::declaration::*;
use crate::command::{Args, Ctx, Keys};
use crate::data::number;
use crate::data::value::Value;
use crate::keyspace::{Entry, ValueRef};
use crate::resp::ReplyWriter;
use crate::server::error::{self, Error, Result};
use crate::server::notify::Class;

pub const COMMANDS: &[Command] = &[COPY, DEL, EXISTS, MOVE, RANDOMKEY, RENAME, RENAMENX, TOUCH, TYPE, UNLINK];

pub const DEL: Command = Command {
    name: "DEL",
    syntax: "key ...",
    summary: "Deletes keys.",
    complexity: "O(N) with N the number of keys, plus O(M) for each value of M elements",
    flags: WRITE,
    keys: &[Keys::from(1).remove().delete()],
    tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
    run: del,
    ..Command::BASE
};

fn del(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let removed = args.rest().filter(|key| ctx.delete(key)).count();
    reply.count(removed);
    Ok(())
}

pub const UNLINK: Command = Command {
    name: "UNLINK",
    syntax: "key ...",
    summary: "Deletes keys and frees their memory later.",
    since: "4.0.0",
    complexity: "O(1) for each key, plus O(N) in the background with N the number of allocations freed",
    flags: WRITE.and(FAST),
    keys: &[Keys::from(1).remove().delete()],
    tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
    run: unlink,
    ..Command::BASE
};

fn unlink(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let large = args.clone().rest().filter(|key| ctx.peek(key).is_some_and(is_large)).count();
    ctx.server.stats.lazily_freed += large as u64;
    del(ctx, args, reply)
}

/// Whether freeing the value takes a while: then UNLINK counts it.
fn is_large(entry: &Entry) -> bool {
    const BYTES_MIN: usize = 4096;
    let ValueRef::Boxed(value) = entry.value() else { return false };
    !matches!(value, Value::String(_)) && value.heap_bytes() > BYTES_MIN
}

pub const EXISTS: Command = Command {
    name: "EXISTS",
    syntax: "key ...",
    summary: "Counts how many of the given keys exist.",
    complexity: "O(N) with N the number of keys",
    flags: READONLY.and(FAST),
    keys: &[Keys::from(1).read_only()],
    tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
    history: &[("3.0.3", "Takes several keys.")],
    run: exists,
    ..Command::BASE
};

fn exists(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let found = args.rest().filter(|key| ctx.look(key).is_some()).count();
    reply.count(found);
    Ok(())
}

pub const TOUCH: Command = Command {
    name: "TOUCH",
    syntax: "key ...",
    summary: "Counts as a use of the given keys and tells how many of them exist.",
    since: "3.2.1",
    complexity: "O(N) with N the number of keys",
    flags: READONLY.and(FAST),
    keys: &[Keys::from(1).read_only()],
    tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
    run: touch,
    ..Command::BASE
};

fn touch(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let found = args.rest().filter(|key| ctx.read(key).is_some()).count();
    reply.count(found);
    Ok(())
}

pub const TYPE: Command = Command {
    name: "TYPE",
    syntax: "key",
    summary: "Tells the type of the value of a key.",
    flags: READONLY.and(FAST),
    keys: &[Keys::at(1).read_only()],
    run: run_type,
    ..Command::BASE
};

fn run_type(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let name = ctx.look(args.next()?).map_or("none", type_name_of);
    reply.simple(name);
    Ok(())
}

pub const RANDOMKEY: Command = Command {
    name: "RANDOMKEY",
    summary: "Picks a random key of the database.",
    flags: READONLY.and(TOUCHES_ARBITRARY_KEYS),
    tips: &["request_policy:all_shards", "response_policy:special", "nondeterministic_output"],
    run: randomkey,
    ..Command::BASE
};

fn randomkey(ctx: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    // Among keys that have nearly all expired, the search ends some time.
    for _ in 0..100 {
        let (db, now_ms) = (ctx.db, ctx.now_ms());
        let server = &mut *ctx.server;
        let rng = &mut server.rng;
        let Some(entry) = server.keyspace.db(db).random(&mut || rng.next()) else { break };
        let key = entry.key().to_vec();
        if !server.keyspace.is_expired(db, &key, now_ms) {
            reply.bulk(&key);
            return Ok(());
        }
        server.reap(db, &key);
    }
    reply.null();
    Ok(())
}

pub const RENAME: Command = Command {
    name: "RENAME",
    syntax: "key newkey",
    summary: "Renames a key, replacing any key that has the new name.",
    flags: WRITE,
    keys: &[Keys::at(1).read_write().access().delete(), Keys::at(2).overwrite().update()],
    history: &[("3.2.0", "Both names may be the same.")],
    run: rename,
    ..Command::BASE
};

fn rename(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (from, to) = (args.next()?, args.next()?);
    if !ctx.exists(from) {
        return Err(error::NO_SUCH_KEY);
    }
    if from != to {
        move_key(ctx, from, to);
    }
    reply.ok();
    Ok(())
}

pub const RENAMENX: Command = Command {
    name: "RENAMENX",
    syntax: "key newkey",
    summary: "Renames a key unless the new name is taken.",
    flags: WRITE.and(FAST),
    keys: &[Keys::at(1).read_write().access().delete(), Keys::at(2).overwrite().insert()],
    history: &[("3.2.0", "Both names may be the same.")],
    run: renamenx,
    ..Command::BASE
};

fn renamenx(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (from, to) = (args.next()?, args.next()?);
    if !ctx.exists(from) {
        return Err(error::NO_SUCH_KEY);
    }
    let is_free = from != to && !ctx.exists(to);
    if is_free {
        move_key(ctx, from, to);
    }
    reply.integer(i64::from(is_free));
    Ok(())
}

/// Gives an existing key another name; what had that name is gone.
fn move_key(ctx: &mut Ctx, from: &[u8], to: &[u8]) {
    let old_type = ctx.peek(to).map(type_name_of);
    ctx.remove(to);
    let db = ctx.server.keyspace.db_mut(ctx.db);
    let field_deadline_ms = db.field_deadline(from);
    let entry = db.remove(from).expect("the caller has seen it");
    let new_type = type_name_of(&entry);
    db.put_new(entry.renamed(to));
    db.set_field_deadline(to, field_deadline_ms);
    ctx.notify(to, Class::NEW, "new");
    // Both together are one change.
    ctx.changed_times(from, Class::GENERIC, "rename_from", 0);
    ctx.changed(to, Class::GENERIC, "rename_to");
    tell_replaced(ctx, ctx.db, to, old_type, new_type);
}

/// Says that a key of type `old_type` was there before, if one was.
fn tell_replaced(ctx: &mut Ctx, db: usize, key: &[u8], old_type: Option<&str>, new_type: &str) {
    let Some(old_type) = old_type else { return };
    ctx.server.notify(db, key, Class::OVERWRITTEN, "overwritten");
    if old_type != new_type {
        ctx.server.notify(db, key, Class::TYPE_CHANGED, "type_changed");
    }
}

/// The number of a database in an argument.
pub fn parse_db(ctx: &Ctx, text: &[u8]) -> Result<usize> {
    const RANGE: Error =
        Error::new("ERR value is out of range, value must between -2147483648 and 2147483647");
    let number = number::parse_i64(text).ok_or(error::NOT_AN_INTEGER)?;
    let number = i32::try_from(number).map_err(|_| RANGE)?;
    let databases = ctx.server.keyspace.databases();
    usize::try_from(number).ok().filter(|&db| db < databases).ok_or(error::DB_INDEX)
}

pub const MOVE: Command = Command {
    name: "MOVE",
    syntax: "key db",
    summary: "Moves a key to another database.",
    flags: WRITE.and(FAST),
    keys: &[Keys::at(1).read_write().access().update()],
    run: run_move,
    ..Command::BASE
};

fn run_move(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let key = args.next()?;
    let to = parse_db(ctx, args.next()?)?;
    if to == ctx.db {
        return Err(error::SAME_OBJECT);
    }
    let now_ms = ctx.now_ms();
    if ctx.server.keyspace.is_expired(to, key, now_ms) {
        ctx.server.reap(to, key);
    }
    if !ctx.exists(key) || ctx.server.keyspace.exists(to, key, now_ms) {
        reply.integer(0);
        return Ok(());
    }
    let db = ctx.server.keyspace.db_mut(ctx.db);
    let field_deadline_ms = db.field_deadline(key);
    let entry = db.remove(key).expect("it has just been seen");
    let target = ctx.server.keyspace.db_mut(to);
    target.put_new(entry);
    target.set_field_deadline(key, field_deadline_ms);
    ctx.server.notify(to, key, Class::NEW, "new");
    // Both together are one change.
    ctx.changed_times(key, Class::GENERIC, "move_from", 0);
    ctx.changed_in(to, key, Class::GENERIC, "move_to");
    reply.integer(1);
    Ok(())
}

pub const COPY: Command = Command {
    name: "COPY",
    syntax: "source destination [DB destination-db] [REPLACE]",
    summary: "Copies the value of a key to another key.",
    since: "6.2.0",
    complexity: "O(N) with N the number of elements; O(1) for strings",
    flags: WRITE.and(DENYOOM),
    keys: &[Keys::at(1).read_only().access(), Keys::at(2).overwrite().update()],
    run: copy,
    ..Command::BASE
};

fn copy(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (from, to) = (args.next()?, args.next()?);
    let (mut db, mut replaces) = (ctx.db, false);
    while !args.is_empty() {
        if args.accept("REPLACE") {
            replaces = true;
        } else if args.accept_with("DB", 1) {
            db = parse_db(ctx, args.next()?)?;
        } else {
            return Err(error::SYNTAX);
        }
    }
    if db == ctx.db && from == to {
        return Err(error::SAME_OBJECT);
    }
    let field_deadline_ms = ctx.server.keyspace.db(ctx.db).field_deadline(from);
    let Some(entry) = ctx.read(from) else {
        reply.integer(0);
        return Ok(());
    };
    let copied = copy_of(entry, to);
    let now_ms = ctx.now_ms();
    if ctx.server.keyspace.is_expired(db, to, now_ms) {
        ctx.server.reap(db, to);
    }
    let old_type = ctx.server.keyspace.db(db).raw(to).map(type_name_of);
    if old_type.is_some() && !replaces {
        reply.integer(0);
        return Ok(());
    }
    let new_type = type_name_of(&copied);
    let target = ctx.server.keyspace.db_mut(db);
    target.put(copied);
    target.set_field_deadline(to, field_deadline_ms);
    ctx.server.notify(db, to, Class::NEW, "new");
    ctx.changed_in(db, to, Class::GENERIC, "copy_to");
    tell_replaced(ctx, db, to, old_type, new_type);
    reply.integer(1);
    Ok(())
}

/// The same value and time to live under another name.
fn copy_of(entry: &Entry, key: &[u8]) -> Entry {
    let mut copied = match entry.value() {
        ValueRef::Int(value) => Entry::with_int(key, value),
        ValueRef::Bytes(bytes) => Entry::with_bytes(key, bytes),
        ValueRef::Boxed(value) => Entry::with_boxed(key, Box::new(value.clone())),
    };
    copied.set_edited(entry.is_edited());
    copied.set_expires_at(entry.expires_at());
    copied.set_clock(entry.clock());
    copied
}

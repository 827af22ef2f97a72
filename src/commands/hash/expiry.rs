//! Times to live of single fields: setting them, reading them, taking them away.

use crate::command::declaration::*;
use crate::command::expiry::invalid_expire_time;
use crate::command::{Args, Ctx, Keys};
use crate::commands::generic::expiry::Conditions;
use crate::data::number;
use crate::format_error;
use crate::resp::ReplyWriter;
use crate::server::error::{self, Error, Result};

pub const COMMANDS: &[Command] =
    &[HEXPIRE, HEXPIREAT, HEXPIRETIME, HPERSIST, HPEXPIRE, HPEXPIREAT, HPEXPIRETIME, HPTTL, HTTL];

const NO_FIELD: i64 = -2;
const NO_TTL: i64 = -1;
const CONDITION_FAILED: i64 = 0;
const DONE: i64 = 1;
const DELETED: i64 = 2;

/// Redis keeps times of fields in 46 bits.
const TIME_MS_MAX: i64 = (1 << 46) - 1;

pub const HEXPIRE: Command = Command {
    name: "HEXPIRE",
    syntax: "key seconds [NX | XX | GT | LT] FIELDS (numfields field ...)",
    summary: "Gives fields of a hash a time to live, in seconds.",
    since: "7.4.0",
    complexity: "O(N) with N the number of fields given",
    group: Group::Hash,
    flags: WRITE.and(FAST),
    keys: &[Keys::at(1).read_write().update()],
    run: hexpire,
    ..Command::BASE
};

fn hexpire(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let now_ms = ctx.now_ms();
    set_ttl(ctx, args, reply, now_ms, true)
}

pub const HPEXPIRE: Command = Command {
    name: "HPEXPIRE",
    syntax: "key milliseconds [NX | XX | GT | LT] FIELDS (numfields field ...)",
    summary: "Gives fields of a hash a time to live, in milliseconds.",
    since: "7.4.0",
    complexity: "O(N) with N the number of fields given",
    group: Group::Hash,
    flags: WRITE.and(FAST),
    keys: &[Keys::at(1).read_write().update()],
    run: hpexpire,
    ..Command::BASE
};

fn hpexpire(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let now_ms = ctx.now_ms();
    set_ttl(ctx, args, reply, now_ms, false)
}

pub const HEXPIREAT: Command = Command {
    name: "HEXPIREAT",
    syntax: "key unix-time-seconds [NX | XX | GT | LT] FIELDS (numfields field ...)",
    summary: "Makes fields of a hash expire at a Unix time, in seconds.",
    since: "7.4.0",
    complexity: "O(N) with N the number of fields given",
    group: Group::Hash,
    flags: WRITE.and(FAST),
    keys: &[Keys::at(1).read_write().update()],
    run: hexpireat,
    ..Command::BASE
};

fn hexpireat(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    set_ttl(ctx, args, reply, 0, true)
}

pub const HPEXPIREAT: Command = Command {
    name: "HPEXPIREAT",
    syntax: "key unix-time-milliseconds [NX | XX | GT | LT] FIELDS (numfields field ...)",
    summary: "Makes fields of a hash expire at a Unix time, in milliseconds.",
    since: "7.4.0",
    complexity: "O(N) with N the number of fields given",
    group: Group::Hash,
    flags: WRITE.and(FAST),
    keys: &[Keys::at(1).read_write().update()],
    run: hpexpireat,
    ..Command::BASE
};

fn hpexpireat(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    set_ttl(ctx, args, reply, 0, false)
}

/// The Unix time in milliseconds for a time given to a command that makes fields expire.
pub fn parse_time(text: &[u8], in_seconds: bool, base_ms: u64, command: &Command) -> Result<u64> {
    let given = number::parse_i64(text).ok_or(error::NOT_AN_INTEGER)?;
    if given < 0 {
        return Err(Error::new("ERR invalid expire time, must be >= 0"));
    }
    let milliseconds = if in_seconds { given.checked_mul(1000) } else { Some(given) };
    milliseconds
        .and_then(|milliseconds| milliseconds.checked_add(base_ms as i64))
        .filter(|when_ms| *when_ms <= TIME_MS_MAX)
        .map(|when_ms| when_ms as u64)
        .ok_or_else(|| invalid_expire_time(command))
}

/// What follows the time: a condition and the block of fields, in any order.
struct Tail {
    conditions: Conditions,
    fields: std::ops::Range<usize>,
}

impl Tail {
    fn parse(args: &mut Args) -> Result<Self> {
        let mut conditions = Conditions::default();
        let mut condition: Option<&[u8]> = None;
        let mut has_several = false;
        let mut fields = None;
        while let Some(word) = args.peek() {
            if args.accept("FIELDS") {
                if fields.is_some() {
                    return Err(Error::new("ERR FIELDS keyword specified multiple times"));
                }
                fields = Some(parse_counted(args)?);
            } else if conditions.accept(args) {
                has_several |= condition.is_some_and(|known| !known.eq_ignore_ascii_case(word));
                condition = Some(word);
            } else {
                return Err(unknown_argument(word));
            }
        }
        let fields = fields.ok_or(Error::new("ERR missing FIELDS argument"))?;
        if has_several {
            return Err(Error::new("ERR Multiple condition flags specified"));
        }
        Ok(Tail { conditions, fields })
    }
}

/// A number and so many fields; where they stand.
fn parse_counted(args: &mut Args) -> Result<std::ops::Range<usize>> {
    if args.left() < 2 {
        return Err(Error::new("ERR FIELDS requires at least numfields and one field argument"));
    }
    let wrong = Error::new("ERR Parameter `numFields` should be greater than 0");
    let count = args.integer_in(1, i64::from(i32::MAX), wrong)? as usize;
    if count > args.left() {
        return Err(Error::new("ERR wrong number of arguments"));
    }
    let first = args.position();
    args.seek(first + count);
    Ok(first..first + count)
}

pub fn unknown_argument(word: &[u8]) -> Error {
    format_error!("ERR unknown argument: {}", String::from_utf8_lossy(word))
}

fn set_ttl(
    ctx: &mut Ctx,
    args: &mut Args,
    reply: &mut ReplyWriter,
    base_ms: u64,
    in_seconds: bool,
) -> Result {
    let key = args.next()?;
    ctx.hash_mut(key)?;
    let when_ms = parse_time(args.next()?, in_seconds, base_ms, ctx.command)?;
    let tail = Tail::parse(args)?;
    let is_past = ctx.is_past(when_ms);
    reply.array(tail.fields.len());
    let fields = tail.fields.map(|index| args.get(index));
    let Some(hash) = ctx.hash_mut(key)? else {
        fields.for_each(|_| reply.integer(NO_FIELD));
        return Ok(());
    };
    let (mut updated, mut deleted) = (Vec::new(), Vec::new());
    for field in fields {
        let outcome = match hash.item(field) {
            None => NO_FIELD,
            Some(item) if !tail.conditions.hold(item.expires_at, when_ms as i64) => CONDITION_FAILED,
            Some(_) if is_past => {
                hash.remove(field);
                deleted.push(field);
                DELETED
            }
            Some(_) => {
                hash.set_expiry(field, when_ms);
                updated.push(field);
                DONE
            }
        };
        reply.integer(outcome);
    }
    after_ttl(ctx, key, when_ms, &updated, &deleted)
}

/// Tells of fields that were given `when_ms`, and of those that were deleted because it has passed.
pub fn after_ttl(ctx: &mut Ctx, key: &[u8], when_ms: u64, updated: &[&[u8]], deleted: &[&[u8]]) -> Result {
    let Some(hash) = ctx.hash_mut(key)? else { return Ok(()) };
    let (next, is_empty) = (hash.next_expiry(), hash.is_empty());
    ctx.set_field_deadline(key, next);
    for field in deleted {
        ctx.propagate_as(&[b"HDEL" as &[u8], key, field]);
    }
    if !deleted.is_empty() {
        ctx.fields_changed(key, "hdel", deleted.len(), deleted.iter().copied());
    }
    if !updated.is_empty() {
        let (when, count) = (number::u64_text(when_ms), number::u64_text(updated.len() as u64));
        let mut words: Vec<&[u8]> = vec![b"HPEXPIREAT", key, &when, b"FIELDS", &count];
        words.extend(updated);
        ctx.propagate_as(&words);
        ctx.fields_changed(key, "hexpire", updated.len(), updated.iter().copied());
    }
    if is_empty {
        ctx.delete_emptied(key);
    }
    Ok(())
}

pub const HTTL: Command = Command {
    name: "HTTL",
    syntax: "key FIELDS (numfields field ...)",
    summary: "Tells how long fields of a hash have to live, in seconds.",
    since: "7.4.0",
    complexity: "O(N) with N the number of fields given",
    group: Group::Hash,
    flags: READONLY.and(FAST),
    keys: &[Keys::at(1).read_only().access()],
    tips: &["nondeterministic_output"],
    run: httl,
    ..Command::BASE
};

fn httl(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let now_ms = ctx.now_ms();
    show(ctx, args, reply, |when_ms| when_ms.saturating_sub(now_ms).div_ceil(1000))
}

pub const HPTTL: Command = Command {
    name: "HPTTL",
    syntax: "key FIELDS (numfields field ...)",
    summary: "Tells how long fields of a hash have to live, in milliseconds.",
    since: "7.4.0",
    complexity: "O(N) with N the number of fields given",
    group: Group::Hash,
    flags: READONLY.and(FAST),
    keys: &[Keys::at(1).read_only().access()],
    tips: &["nondeterministic_output"],
    run: hpttl,
    ..Command::BASE
};

fn hpttl(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let now_ms = ctx.now_ms();
    show(ctx, args, reply, |when_ms| when_ms.saturating_sub(now_ms))
}

pub const HEXPIRETIME: Command = Command {
    name: "HEXPIRETIME",
    syntax: "key FIELDS (numfields field ...)",
    summary: "Tells at which Unix time fields of a hash will expire, in seconds.",
    since: "7.4.0",
    complexity: "O(N) with N the number of fields given",
    group: Group::Hash,
    flags: READONLY.and(FAST),
    keys: &[Keys::at(1).read_only().access()],
    run: hexpiretime,
    ..Command::BASE
};

fn hexpiretime(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    show(ctx, args, reply, |when_ms| when_ms.div_ceil(1000))
}

pub const HPEXPIRETIME: Command = Command {
    name: "HPEXPIRETIME",
    syntax: "key FIELDS (numfields field ...)",
    summary: "Tells at which Unix time fields of a hash will expire, in milliseconds.",
    since: "7.4.0",
    complexity: "O(N) with N the number of fields given",
    group: Group::Hash,
    flags: READONLY.and(FAST),
    keys: &[Keys::at(1).read_only().access()],
    run: hpexpiretime,
    ..Command::BASE
};

fn hpexpiretime(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    show(ctx, args, reply, |when_ms| when_ms)
}

fn show(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter, shown: impl Fn(u64) -> u64) -> Result {
    let hash = ctx.hash(args.next()?)?;
    parse_block(args)?;
    reply.array(args.left());
    for field in args.rest() {
        reply.integer(match hash.and_then(|hash| hash.item(field)) {
            None => NO_FIELD,
            Some(item) => item.expires_at.map_or(NO_TTL, |when_ms| shown(when_ms) as i64),
        });
    }
    Ok(())
}

/// `FIELDS n`, with n fields behind it and nothing else.
pub fn parse_block(args: &mut Args) -> Result {
    if !args.accept("FIELDS") {
        return Err(Error::new("ERR Mandatory argument FIELDS is missing or not at the right position"));
    }
    let wrong = Error::new("ERR Number of fields must be a positive integer");
    let count = args.integer_in(1, i64::MAX, wrong)?;
    if count as u64 != args.left() as u64 {
        return Err(Error::new("ERR The `numfields` parameter must match the number of arguments"));
    }
    Ok(())
}

pub const HPERSIST: Command = Command {
    name: "HPERSIST",
    syntax: "key FIELDS (numfields field ...)",
    summary: "Removes the expiry of fields of a hash.",
    since: "7.4.0",
    complexity: "O(N) with N the number of fields given",
    group: Group::Hash,
    flags: WRITE.and(FAST),
    keys: &[Keys::at(1).read_write().update()],
    run: hpersist,
    ..Command::BASE
};

fn hpersist(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let key = args.next()?;
    ctx.hash_mut(key)?;
    parse_block(args)?;
    reply.array(args.left());
    let Some(hash) = ctx.hash_mut(key)? else {
        args.rest().for_each(|_| reply.integer(NO_FIELD));
        return Ok(());
    };
    let mut persisted = Vec::new();
    for field in args.rest() {
        let outcome = match hash.item(field).map(|item| item.expires_at) {
            None => NO_FIELD,
            Some(None) => NO_TTL,
            Some(Some(_)) => {
                hash.persist(field);
                persisted.push(field);
                DONE
            }
        };
        reply.integer(outcome);
    }
    if !persisted.is_empty() {
        let next = ctx.hash_mut(key)?.and_then(|hash| hash.next_expiry());
        ctx.set_field_deadline(key, next);
        ctx.fields_changed(key, "hpersist", 1, persisted);
    }
    Ok(())
}

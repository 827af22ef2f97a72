//! Strings: reading and storing them, alone and many at once.

pub mod condition;
pub mod edit;
pub mod increment;
pub mod lcs;

use std::borrow::Cow;

use crate::command::call;
use crate::command::ctx::{Ttl, string_of};
use crate::command::declaration::{Command, DENYOOM, FAST, Group, READONLY, WRITE};
use crate::command::expiry::Expiry;
use crate::command::{Args, Ctx, Keys};
use crate::data::number;
use crate::keyspace::ValueRef;
use crate::resp::ReplyWriter;
use crate::server::error::{self, Error, Result};
use crate::server::notify::Class;

use condition::Condition;

pub const COMMANDS: &[Command] = &[
    DELEX, DIGEST, GET, GETDEL, GETEX, GETSET, MGET, MSET, MSETEX, MSETNX, PSETEX, SET, SETEX, SETNX, STRLEN,
];

pub const GET: Command = Command {
    name: "GET",
    syntax: "key",
    summary: "Gets the value of a string.",
    group: Group::String,
    flags: READONLY.and(FAST),
    keys: &[Keys::at(1).read_only().access()],
    run: get,
    ..Command::BASE
};

fn get(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let Some(entry) = ctx.read(args.next()?) else {
        reply.null();
        return Ok(());
    };
    match entry.value() {
        ValueRef::Bytes(bytes) => reply.bulk(bytes),
        ValueRef::Int(value) => reply.bulk_integer(value),
        ValueRef::Boxed(_) => reply.bulk(&string_of(entry)?),
    }
    Ok(())
}

/// What SET was asked for besides its key and value.
#[derive(Default)]
struct SetOptions<'a> {
    condition: Option<Condition<'a>>,
    expiry: Option<Expiry<'a>>,
    keeps_ttl: bool,
    returns_old: bool,
}

impl<'a> SetOptions<'a> {
    fn parse(args: &mut Args<'a>) -> Result<Self> {
        let mut options = SetOptions::default();
        while !args.is_empty() {
            if let Some(condition) = Condition::accept(args)? {
                if options.condition.replace(condition).is_some_and(|old| !old.is_again(&condition)) {
                    return Err(error::SYNTAX);
                }
            } else if args.accept("GET") {
                options.returns_old = true;
            } else if args.accept("KEEPTTL") {
                if options.expiry.is_some() {
                    return Err(error::SYNTAX);
                }
                options.keeps_ttl = true;
            } else if let Some(expiry) = Expiry::accept(args)? {
                // The same option may come again, and the last one counts.
                if options.keeps_ttl || options.expiry.is_some_and(|old| !old.is_again(&expiry)) {
                    return Err(error::SYNTAX);
                }
                options.expiry = Some(expiry);
            } else {
                return Err(error::SYNTAX);
            }
        }
        Ok(options)
    }

    fn ttl(&self, ctx: &Ctx) -> Result<Ttl> {
        Ok(match self.expiry {
            Some(expiry) => Ttl::At(expiry.resolve(ctx.now_ms(), ctx.command)?),
            None if self.keeps_ttl => Ttl::Keep,
            None => Ttl::Clear,
        })
    }
}

pub const SET: Command = Command {
    name: "SET",
    syntax: "key value [NX | XX | IFEQ ifeq-value@8.4.0 | IFNE ifne-value@8.4.0 | IFDEQ ifdeq-digest@8.4.0 | IFDNE ifdne-digest@8.4.0]@2.6.12 [GET@6.2.0] [EX seconds@2.6.12 | PX milliseconds@2.6.12 | EXAT unix-time-seconds@6.2.0 | PXAT unix-time-milliseconds@6.2.0 | KEEPTTL@6.0.0]",
    summary: "Sets a string, whatever the key held before.",
    group: Group::String,
    flags: WRITE.and(DENYOOM),
    keys: &[Keys::at(1).read_write().access().update().variable_flags()],
    history: &[
        ("2.6.12", "Knows `EX`, `PX`, `NX` and `XX`."),
        ("6.0.0", "Knows `KEEPTTL`."),
        ("6.2.0", "Knows `GET`, `EXAT` and `PXAT`."),
        ("7.0.0", "`NX` and `GET` go together."),
        ("8.4.0", "Knows `IFEQ`, `IFNE`, `IFDEQ` and `IFDNE`."),
    ],
    run: set,
    ..Command::BASE
};

fn set(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (key, value) = (args.next()?, args.next()?);
    if args.is_empty() {
        store(ctx, key, value, Ttl::Clear);
        reply.ok();
        return Ok(());
    }
    let options = SetOptions::parse(args)?;
    let ttl = options.ttl(ctx)?;
    if options.returns_old {
        let old = ctx.string(key)?;
        reply.bulk_or_null(old.as_deref());
    }
    let holds = match &options.condition {
        Some(condition) => condition.holds(ctx, key)?,
        None => true,
    };
    if !holds {
        if !options.returns_old {
            reply.null();
        }
        return Ok(());
    }
    store(ctx, key, value, ttl);
    if !options.returns_old {
        reply.ok();
    }
    Ok(())
}

/// SET without conditions, told to everybody.
fn store(ctx: &mut Ctx, key: &[u8], value: &[u8], ttl: Ttl) {
    ctx.set_string(key, value, ttl);
    ctx.changed(key, Class::STRING, "set");
    if let Ttl::At(when_ms) = ttl {
        ctx.notify(key, Class::GENERIC, "expire");
        ctx.propagate_as(&[b"SET" as &[u8], key, value, b"PXAT", when_ms.to_string().as_bytes()]);
    }
}

pub const SETNX: Command = Command {
    name: "SETNX",
    syntax: "key value",
    summary: "Sets a string unless the key exists.",
    group: Group::String,
    flags: WRITE.and(DENYOOM).and(FAST),
    keys: &[Keys::at(1).overwrite().insert()],
    deprecated_since: Some("2.6.12"),
    replaced_by: Some("`SET` with `NX`"),
    run: setnx,
    ..Command::BASE
};

fn setnx(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (key, value) = (args.next()?, args.next()?);
    let is_new = ctx.write(key).is_none();
    if is_new {
        store(ctx, key, value, Ttl::Clear);
    }
    reply.integer(i64::from(is_new));
    Ok(())
}

pub const SETEX: Command = Command {
    name: "SETEX",
    syntax: "key seconds value",
    summary: "Sets a string that expires after some seconds.",
    since: "2.0.0",
    group: Group::String,
    flags: WRITE.and(DENYOOM),
    keys: &[Keys::at(1).overwrite().update()],
    deprecated_since: Some("2.6.12"),
    replaced_by: Some("`SET` with `EX`"),
    run: setex,
    ..Command::BASE
};

fn setex(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    set_with_ttl(ctx, args, reply, true)
}

pub const PSETEX: Command = Command {
    name: "PSETEX",
    syntax: "key milliseconds value",
    summary: "Sets a string that expires after some milliseconds.",
    since: "2.6.0",
    group: Group::String,
    flags: WRITE.and(DENYOOM),
    keys: &[Keys::at(1).overwrite().update()],
    deprecated_since: Some("2.6.12"),
    replaced_by: Some("`SET` with `PX`"),
    run: psetex,
    ..Command::BASE
};

fn psetex(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    set_with_ttl(ctx, args, reply, false)
}

fn set_with_ttl(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter, in_seconds: bool) -> Result {
    let (key, ttl, value) = (args.next()?, args.next()?, args.next()?);
    let when_ms = Expiry::relative(ttl, in_seconds).resolve(ctx.now_ms(), ctx.command)?;
    store(ctx, key, value, Ttl::At(when_ms));
    reply.ok();
    Ok(())
}

pub const GETSET: Command = Command {
    name: "GETSET",
    syntax: "key value",
    summary: "Sets a string and returns its old value.",
    group: Group::String,
    flags: WRITE.and(DENYOOM).and(FAST),
    keys: &[Keys::at(1).read_write().access().update()],
    deprecated_since: Some("6.2.0"),
    replaced_by: Some("`SET` with `GET`"),
    run: getset,
    ..Command::BASE
};

fn getset(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (key, value) = (args.next()?, args.next()?);
    let old = ctx.string(key)?;
    reply.bulk_or_null(old.as_deref());
    ctx.set_string(key, value, Ttl::Clear);
    ctx.changed(key, Class::STRING, "set");
    ctx.propagate_as(&[b"SET" as &[u8], key, value]);
    Ok(())
}

pub const GETDEL: Command = Command {
    name: "GETDEL",
    syntax: "key",
    summary: "Gets the value of a string and deletes the key.",
    since: "6.2.0",
    group: Group::String,
    flags: WRITE.and(FAST),
    keys: &[Keys::at(1).read_write().access().delete()],
    run: getdel,
    ..Command::BASE
};

fn getdel(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let key = args.next()?;
    let old = ctx.string(key)?;
    let was_there = old.is_some();
    reply.bulk_or_null(old.as_deref());
    if was_there {
        ctx.delete(key);
        ctx.propagate_as(&[b"DEL" as &[u8], key]);
    }
    Ok(())
}

pub const GETEX: Command = Command {
    name: "GETEX",
    syntax: "key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | PERSIST]",
    summary: "Gets the value of a string and changes when it expires.",
    since: "6.2.0",
    group: Group::String,
    flags: WRITE.and(FAST),
    keys: &[Keys::at(1).read_write().access().update()],
    run: getex,
    ..Command::BASE
};

fn getex(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let key = args.next()?;
    let (mut expiry, mut persists) = (None::<Expiry>, false);
    while !args.is_empty() {
        if expiry.is_none() && args.accept("PERSIST") {
            persists = true;
            continue;
        }
        let again = Expiry::accept(args)?.filter(|_| !persists).ok_or(error::SYNTAX)?;
        if expiry.replace(again).is_some_and(|old| !old.is_again(&again)) {
            return Err(error::SYNTAX);
        }
    }
    let old = ctx.string(key)?;
    let was_there = old.is_some();
    let old = old.map(Cow::into_owned);
    if !was_there {
        reply.null();
        return Ok(());
    }
    let when_ms = expiry.map(|expiry| expiry.resolve(ctx.now_ms(), ctx.command)).transpose()?;
    reply.bulk_or_null(old.as_deref());
    if let Some(when_ms) = when_ms {
        if ctx.is_past(when_ms) {
            ctx.delete(key);
            ctx.propagate_as(&[b"DEL" as &[u8], key]);
        } else {
            ctx.set_expiry(key, Some(when_ms));
            ctx.changed(key, Class::GENERIC, "expire");
            ctx.propagate_as(&[b"PEXPIREAT" as &[u8], key, when_ms.to_string().as_bytes()]);
        }
    } else if persists && ctx.write(key).is_some_and(|entry| entry.expires_at().is_some()) {
        ctx.set_expiry(key, None);
        ctx.changed(key, Class::GENERIC, "persist");
        ctx.propagate_as(&[b"PERSIST" as &[u8], key]);
    }
    Ok(())
}

pub const MGET: Command = Command {
    name: "MGET",
    syntax: "key ...",
    summary: "Gets the values of several strings.",
    complexity: "O(N) with N the number of keys",
    group: Group::String,
    flags: READONLY.and(FAST),
    keys: &[Keys::from(1).read_only().access()],
    tips: &["request_policy:multi_shard"],
    run: mget,
    ..Command::BASE
};

fn mget(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let keys = args.rest();
    reply.array(keys.len());
    for key in keys {
        match ctx.read(key).map(string_of) {
            Some(Ok(value)) => reply.bulk(&value),
            // What is not a string counts as missing here.
            Some(Err(_)) | None => reply.null(),
        }
    }
    Ok(())
}

pub const MSET: Command = Command {
    name: "MSET",
    syntax: "(key value) ...",
    summary: "Sets several strings at once.",
    since: "1.0.1",
    complexity: "O(N) with N the number of keys",
    group: Group::String,
    flags: WRITE.and(DENYOOM),
    keys: &[Keys::at(1).range(-1, 2, 0).overwrite().update()],
    tips: &["request_policy:multi_shard", "response_policy:all_succeeded"],
    run: mset,
    ..Command::BASE
};

fn mset(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    if !args.left().is_multiple_of(2) {
        return Err(call::wrong_arity(ctx.command));
    }
    set_all(ctx, args, args.left() / 2, Ttl::Clear)?;
    reply.ok();
    Ok(())
}

pub const MSETNX: Command = Command {
    name: "MSETNX",
    syntax: "(key value) ...",
    summary: "Sets several strings at once, unless one of the keys exists.",
    since: "1.0.1",
    complexity: "O(N) with N the number of keys",
    group: Group::String,
    flags: WRITE.and(DENYOOM),
    keys: &[Keys::at(1).range(-1, 2, 0).overwrite().insert()],
    run: msetnx,
    ..Command::BASE
};

fn msetnx(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    if !args.left().is_multiple_of(2) {
        return Err(call::wrong_arity(ctx.command));
    }
    let is_free = args.rest().step_by(2).all(|key| ctx.write(key).is_none());
    if is_free {
        set_all(ctx, args, args.left() / 2, Ttl::Clear)?;
    }
    reply.integer(i64::from(is_free));
    Ok(())
}

fn set_all(ctx: &mut Ctx, args: &mut Args, pairs: usize, ttl: Ttl) -> Result {
    for _ in 0..pairs {
        let (key, value) = (args.next()?, args.next()?);
        ctx.set_string(key, value, ttl);
        ctx.changed(key, Class::STRING, "set");
        if matches!(ttl, Ttl::At(_)) {
            ctx.notify(key, Class::GENERIC, "expire");
        }
    }
    Ok(())
}

pub const MSETEX: Command = Command {
    name: "MSETEX",
    syntax: "numkeys (key value) ... [NX | XX] [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | KEEPTTL]",
    summary: "Sets several strings at once, with one expiry and on one condition.",
    since: "8.4.0",
    complexity: "O(N) with N the number of keys",
    group: Group::String,
    flags: WRITE.and(DENYOOM),
    keys: &[Keys::at(1).key_num(0, 1, 2).overwrite().update()],
    tips: &["request_policy:multi_shard", "response_policy:all_succeeded"],
    run: msetex,
    ..Command::BASE
};

fn msetex(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    const NUMKEYS: Error = Error::new("ERR invalid numkeys value");
    let pairs =
        number::parse_i64(args.next()?).filter(|n| (1..=i64::from(i32::MAX)).contains(n)).ok_or(NUMKEYS)?;
    let pairs = pairs as usize;
    let first = args.position();
    if args.left() / 2 < pairs {
        return Err(Error::new("ERR wrong number of key-value pairs"));
    }
    args.seek(first + 2 * pairs);
    let options = SetOptions::parse(args)?;
    if options.returns_old || matches!(options.condition, Some(ref condition) if !condition.is_existence()) {
        return Err(error::SYNTAX);
    }
    let ttl = options.ttl(ctx)?;
    let keys: Vec<&[u8]> = (0..pairs).map(|pair| args.get(first + 2 * pair)).collect();
    if let Some(condition) = &options.condition {
        for key in &keys {
            if !condition.holds(ctx, key)? {
                reply.integer(0);
                return Ok(());
            }
        }
    }
    args.seek(first);
    set_all(ctx, args, pairs, ttl)?;
    if let Ttl::At(when_ms) = ttl {
        let mut words: Vec<&[u8]> = (0..first + 2 * pairs).map(|index| args.get(index)).collect();
        let when = when_ms.to_string();
        words.extend([b"PXAT" as &[u8], when.as_bytes()]);
        ctx.propagate_as(&words);
    }
    reply.integer(1);
    Ok(())
}

pub const DELEX: Command = Command {
    name: "DELEX",
    syntax: "key condition=[IFEQ ifeq-value | IFNE ifne-value | IFDEQ ifdeq-digest | IFDNE ifdne-digest]",
    summary: "Deletes a string if its value, or the digest of it, meets a condition.",
    since: "8.4.0",
    complexity: "O(1) when comparing values; O(N) for digests, N being the length of the string",
    group: Group::String,
    flags: WRITE.and(FAST),
    keys: &[Keys::at(1).read_write().delete().variable_flags()],
    run: delex,
    ..Command::BASE
};

fn delex(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    const NO_STRING: Error = Error::new("ERR Key should be of string type if conditions are specified");
    const NO_CONDITION: Error = Error::new("ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE");
    let key = args.next()?;
    let holds = match args.left() {
        0 => true,
        // The key is looked at before the condition is.
        2 => match ctx.write(key).map(|entry| string_of(entry).is_ok()) {
            None => false,
            Some(false) => return Err(NO_STRING),
            Some(true) => match Condition::accept(args)? {
                Some(condition) if !condition.is_existence() => condition.holds(ctx, key)?,
                _ => return Err(NO_CONDITION),
            },
        },
        _ => return Err(call::wrong_arity(ctx.command)),
    };
    let removed = holds && ctx.delete(key);
    if removed {
        ctx.propagate_as(&[b"DEL" as &[u8], key]);
    }
    reply.integer(i64::from(removed));
    Ok(())
}

pub const DIGEST: Command = Command {
    name: "DIGEST",
    syntax: "key",
    summary: "Computes a hash digest of the value of a string.",
    since: "8.4.0",
    complexity: "O(N) with N the length of the string",
    group: Group::String,
    flags: READONLY.and(FAST),
    keys: &[Keys::at(1).read_only().access()],
    run: digest,
    ..Command::BASE
};

fn digest(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    match ctx.string(args.next()?)? {
        Some(value) => reply.bulk(condition::digest_of(&value).as_bytes()),
        None => reply.null(),
    }
    Ok(())
}

pub const STRLEN: Command = Command {
    name: "STRLEN",
    syntax: "key",
    summary: "Tells the length of a string.",
    since: "2.2.0",
    group: Group::String,
    flags: READONLY.and(FAST),
    keys: &[Keys::at(1).read_only()],
    run: strlen,
    ..Command::BASE
};

fn strlen(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let len = ctx.string(args.next()?)?.map_or(0, |value| value.len());
    reply.count(len);
    Ok(())
}

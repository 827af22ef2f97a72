//! Numbers in strings: INCR and its family.

use crate::command::ctx::Ttl;
use crate::command::declaration::{Command, DENYOOM, FAST, Group, WRITE};
use crate::command::expiry::Expiry;
use crate::command::{Args, Ctx, Keys};
use crate::data::long_double::LongDouble;
use crate::data::number;
use crate::data::value::Value;
use crate::keyspace::{Entry, ValueRef};
use crate::resp::ReplyWriter;
use crate::server::error::{self, Error, Result};
use crate::server::notify::Class;

pub const COMMANDS: &[Command] = &[DECR, DECRBY, INCR, INCRBY, INCRBYFLOAT, INCREX];

pub const INCR: Command = Command {
    name: "INCR",
    syntax: "key",
    summary: "Adds one to the number in a string; a missing key counts as 0.",
    group: Group::String,
    flags: WRITE.and(DENYOOM).and(FAST),
    keys: &[Keys::at(1).read_write().access().update()],
    run: incr,
    ..Command::BASE
};

fn incr(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    increment_by(ctx, args.next()?, 1, reply)
}

pub const DECR: Command = Command {
    name: "DECR",
    syntax: "key",
    summary: "Subtracts one from the number in a string; a missing key counts as 0.",
    group: Group::String,
    flags: WRITE.and(DENYOOM).and(FAST),
    keys: &[Keys::at(1).read_write().access().update()],
    run: decr,
    ..Command::BASE
};

fn decr(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    increment_by(ctx, args.next()?, -1, reply)
}

pub const INCRBY: Command = Command {
    name: "INCRBY",
    syntax: "key increment",
    summary: "Adds an integer to the number in a string; a missing key counts as 0.",
    group: Group::String,
    flags: WRITE.and(DENYOOM).and(FAST),
    keys: &[Keys::at(1).read_write().access().update()],
    run: incrby,
    ..Command::BASE
};

fn incrby(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (key, by) = (args.next()?, args.integer()?);
    increment_by(ctx, key, by, reply)
}

pub const DECRBY: Command = Command {
    name: "DECRBY",
    syntax: "key decrement",
    summary: "Subtracts a given integer from the number in a string; a missing key counts as 0.",
    group: Group::String,
    flags: WRITE.and(DENYOOM).and(FAST),
    keys: &[Keys::at(1).read_write().access().update()],
    run: decrby,
    ..Command::BASE
};

fn decrby(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (key, by) = (args.next()?, args.integer()?);
    increment_by(ctx, key, by.checked_neg().ok_or(error::DECREMENT_OVERFLOW)?, reply)
}

/// The integer at `key`; a missing key holds none.
fn integer_at(ctx: &mut Ctx, key: &[u8]) -> Result<Option<i64>> {
    let Some(entry) = ctx.write(key) else { return Ok(None) };
    match entry.value() {
        ValueRef::Int(value) => Ok(Some(value)),
        ValueRef::Bytes(bytes) => number::parse_i64(bytes).map(Some).ok_or(error::NOT_AN_INTEGER),
        ValueRef::Boxed(Value::String(bytes)) => {
            number::parse_i64(bytes).map(Some).ok_or(error::NOT_AN_INTEGER)
        }
        ValueRef::Boxed(_) => Err(error::WRONG_TYPE),
    }
}

fn increment_by(ctx: &mut Ctx, key: &[u8], by: i64, reply: &mut ReplyWriter) -> Result {
    let old = integer_at(ctx, key)?;
    let new = old.unwrap_or(0).checked_add(by).ok_or(error::INCREMENT_OVERFLOW)?;
    store_integer(ctx, key, old.is_some(), new);
    ctx.changed(key, Class::STRING, "incrby");
    reply.integer(new);
    Ok(())
}

/// The change of a number is no overwriting, so listeners for that hear nothing.
fn store_integer(ctx: &mut Ctx, key: &[u8], exists: bool, value: i64) {
    match ctx.write(key).filter(|_| exists) {
        Some(entry) => entry.set_int(value),
        None => ctx.set_integer(key, value, Ttl::Clear),
    }
}

fn store_text(ctx: &mut Ctx, key: &[u8], text: &[u8]) {
    match ctx.write(key) {
        Some(entry) => {
            entry.set_bytes(text);
            entry.set_edited(false);
        }
        // A float stays a text even when it is whole.
        None => ctx.put_new(Entry::with_bytes(key, text)),
    }
}

/// The number at `key` with the precision of INCRBYFLOAT; a missing key holds zero.
fn float_at(ctx: &mut Ctx, key: &[u8]) -> Result<LongDouble> {
    match ctx.string_to_write(key)? {
        Some(value) => LongDouble::parse(&value).ok_or(error::NOT_A_FLOAT),
        None => Ok(LongDouble::ZERO),
    }
}

pub const INCRBYFLOAT: Command = Command {
    name: "INCRBYFLOAT",
    syntax: "key increment:double",
    summary: "Adds a decimal number to the one in a string; a missing key counts as 0.",
    since: "2.6.0",
    group: Group::String,
    flags: WRITE.and(DENYOOM).and(FAST),
    keys: &[Keys::at(1).read_write().access().update()],
    run: incrbyfloat,
    ..Command::BASE
};

fn incrbyfloat(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (key, by) = (args.next()?, args.next()?);
    let old = float_at(ctx, key)?;
    let by = LongDouble::parse(by).ok_or(error::NOT_A_FLOAT)?;
    let new = old.plus(by).filter(|sum| sum.is_finite()).ok_or(error::NAN_OR_INFINITY)?;
    let text = new.to_text();
    store_text(ctx, key, &text);
    ctx.changed(key, Class::STRING, "incrbyfloat");
    ctx.propagate_as(&[b"SET" as &[u8], key, &text, b"KEEPTTL"]);
    reply.bulk(&text);
    Ok(())
}

/// How INCREX counts.
enum By<'a> {
    Integer(i64),
    Float(&'a [u8]),
}

#[derive(Default)]
struct IncrexOptions<'a> {
    by: Option<By<'a>>,
    saturates: bool,
    lower: Option<&'a [u8]>,
    upper: Option<&'a [u8]>,
    expiry: Option<Expiry<'a>>,
    persists: bool,
    only_without_ttl: bool,
}

impl<'a> IncrexOptions<'a> {
    fn parse(args: &mut Args<'a>) -> Result<Self> {
        let mut options = IncrexOptions::default();
        while !args.is_empty() {
            let is_again = if args.accept("BYINT") {
                options.by.replace(By::Integer(args.integer()?)).is_some()
            } else if args.accept("BYFLOAT") {
                options.by.replace(By::Float(args.next()?)).is_some()
            } else if args.accept("LBOUND") {
                options.lower.replace(args.next()?).is_some()
            } else if args.accept("UBOUND") {
                options.upper.replace(args.next()?).is_some()
            } else if args.accept("SATURATE") {
                std::mem::replace(&mut options.saturates, true)
            } else if args.accept("ENX") {
                std::mem::replace(&mut options.only_without_ttl, true)
            } else if args.accept("PERSIST") {
                std::mem::replace(&mut options.persists, true)
            } else {
                let expiry = Expiry::accept(args)?.ok_or(error::SYNTAX)?;
                options.expiry.replace(expiry).is_some()
            };
            if is_again {
                return Err(error::SYNTAX);
            }
        }
        let needs_expiry = options.only_without_ttl && options.expiry.is_none();
        if needs_expiry || (options.persists && options.expiry.is_some()) {
            return Err(error::SYNTAX);
        }
        Ok(options)
    }
}

const BOUNDS: Error = Error::new("ERR LBOUND must be less than or equal to UBOUND");

pub const INCREX: Command = Command {
    name: "INCREX",
    syntax: "key increment=[BYFLOAT float | BYINT integer] [SATURATE] [LBOUND lowerbound] [UBOUND upperbound] [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | PERSIST] [ENX]",
    summary: "Adds to the number in a string within bounds and changes when it expires.",
    since: "8.8.0",
    group: Group::String,
    flags: WRITE.and(DENYOOM).and(FAST),
    keys: &[Keys::at(1).read_write().access().update()],
    run: increx,
    ..Command::BASE
};

fn increx(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let key = args.next()?;
    let options = IncrexOptions::parse(args)?;
    let when_ms = options.expiry.map(|expiry| expiry.resolve(ctx.now_ms(), ctx.command)).transpose()?;
    let changed = match options.by {
        Some(By::Float(by)) => increx_float(ctx, key, by, &options, reply)?,
        Some(By::Integer(by)) => increx_integer(ctx, key, by, &options, reply)?,
        None => increx_integer(ctx, key, 1, &options, reply)?,
    };
    let Some(text) = changed else { return Ok(()) };
    let has_ttl = ctx.write(key).is_some_and(|entry| entry.expires_at().is_some());
    let mut words: Vec<Vec<u8>> = vec![b"SET".to_vec(), key.to_vec(), text];
    if let Some(when_ms) = when_ms.filter(|_| !(options.only_without_ttl && has_ttl)) {
        ctx.set_expiry(key, Some(when_ms));
        ctx.notify(key, Class::GENERIC, "expire");
        words.extend([b"PXAT".to_vec(), when_ms.to_string().into_bytes()]);
    } else if options.persists && has_ttl {
        ctx.set_expiry(key, None);
        ctx.notify(key, Class::GENERIC, "persist");
    } else {
        words.push(b"KEEPTTL".to_vec());
    }
    ctx.propagate_as(&words);
    Ok(())
}

/// Adds within bounds and replies; the new text, or nothing where the bounds forbade it.
fn increx_integer(
    ctx: &mut Ctx,
    key: &[u8],
    by: i64,
    options: &IncrexOptions,
    reply: &mut ReplyWriter,
) -> Result<Option<Vec<u8>>> {
    let bound = |text: Option<&[u8]>, otherwise: i64| match text {
        Some(text) => number::parse_i64(text).ok_or(error::NOT_AN_INTEGER),
        None => Ok(otherwise),
    };
    let (lower, upper) = (bound(options.lower, i64::MIN)?, bound(options.upper, i64::MAX)?);
    if lower > upper {
        return Err(BOUNDS);
    }
    let found = integer_at(ctx, key)?;
    let old = found.unwrap_or(0);
    let wanted = i128::from(old) + i128::from(by);
    let capped = wanted.clamp(i128::from(lower), i128::from(upper)) as i64;
    reply.array(2);
    if i128::from(capped) != wanted && !options.saturates {
        reply.integer(old);
        reply.integer(0);
        return Ok(None);
    }
    let applied = capped.checked_sub(old).ok_or(error::INCREMENT_OVERFLOW)?;
    store_integer(ctx, key, found.is_some(), capped);
    ctx.changed(key, Class::STRING, "incrby");
    reply.integer(capped);
    reply.integer(applied);
    Ok(Some(capped.to_string().into_bytes()))
}

/// As [`increx_integer`], with long doubles.
fn increx_float(
    ctx: &mut Ctx,
    key: &[u8],
    by: &[u8],
    options: &IncrexOptions,
    reply: &mut ReplyWriter,
) -> Result<Option<Vec<u8>>> {
    let float = |text: &[u8]| LongDouble::parse(text).ok_or(error::NOT_A_FLOAT);
    let by = float(by)?;
    let (lower, upper) = (options.lower.map(float).transpose()?, options.upper.map(float).transpose()?);
    if let (Some(lower), Some(upper)) = (lower, upper)
        && upper.is_less(lower)
    {
        return Err(BOUNDS);
    }
    let old = float_at(ctx, key)?;
    let wanted = old.plus(by).filter(|sum| sum.is_finite()).ok_or(error::NAN_OR_INFINITY)?;
    let mut capped = wanted;
    if let Some(lower) = lower.filter(|lower| wanted.is_less(*lower)) {
        capped = lower;
    }
    if let Some(upper) = upper.filter(|upper| upper.is_less(wanted)) {
        capped = upper;
    }
    reply.array(2);
    if capped != wanted && !options.saturates {
        reply.bulk(&old.to_text());
        reply.bulk(b"0");
        return Ok(None);
    }
    let applied =
        capped.plus(old.negated()).filter(|delta| delta.is_finite()).ok_or(error::NAN_OR_INFINITY)?;
    let applied = if capped == wanted { by } else { applied };
    let text = capped.to_text();
    store_text(ctx, key, &text);
    ctx.changed(key, Class::STRING, "incrbyfloat");
    reply.bulk(&text);
    reply.bulk(&applied.to_text());
    Ok(Some(text))
}

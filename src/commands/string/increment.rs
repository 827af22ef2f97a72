//! Numbers in strings: INCR and its family.

use crate::command::ctx::Ttl;
use crate::command::declaration::{Command, DENYOOM, FAST, Group, WRITE};
use crate::command::expiry::Expiry;
use crate::command::{Args, Ctx, Keys};
use crate::data::long_double::LongDouble;
use crate::data::number;
use crate::data::value::Value;
use crate::format_error;
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
    Integer(&'a [u8]),
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
                options.by.replace(By::Integer(args.next()?)).is_some()
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
        if options.persists && (options.expiry.is_some() || options.only_without_ttl) {
            return Err(error::SYNTAX);
        }
        if options.only_without_ttl && options.expiry.is_none() {
            return Err(Error::new("ERR ENX flag requires an expiration"));
        }
        Ok(options)
    }
}

const BOUNDS: Error = Error::new("ERR LBOUND can't be greater than UBOUND");
const APPLIED_OVERFLOW: Error = Error::new("ERR applied increment would overflow");

fn parse_integer(text: &[u8], what: &str) -> Result<i64> {
    number::parse_i64(text).ok_or_else(|| format_error!("ERR {what} is not an integer or out of range"))
}

fn parse_float(text: &[u8], what: &str) -> Result<LongDouble> {
    LongDouble::parse(text).ok_or_else(|| format_error!("ERR {what} is not a valid float"))
}

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
    let sum = match options.by {
        Some(By::Float(by)) => Sum::Float(FloatSum::parse(by, &options)?),
        Some(By::Integer(by)) => Sum::Integer(IntegerSum::parse(Some(by), &options)?),
        None => Sum::Integer(IntegerSum::parse(None, &options)?),
    };
    let when_ms = options.expiry.map(|expiry| expiry.resolve(ctx.now_ms(), ctx.command)).transpose()?;
    let new = match sum {
        Sum::Integer(sum) => sum.run(ctx, key, options.saturates, reply)?,
        Sum::Float(sum) => sum.run(ctx, key, options.saturates, reply)?,
    };
    let Some(new) = new else { return Ok(()) };
    let entry = ctx.write(key);
    let (exists, has_ttl) = (entry.is_some(), entry.is_some_and(|entry| entry.expires_at().is_some()));
    let when_ms = when_ms.filter(|_| !(options.only_without_ttl && has_ttl));
    // A key whose time is up at once goes, and nothing else is told.
    if when_ms.is_some_and(|when_ms| ctx.is_past(when_ms)) {
        if ctx.delete(key) {
            ctx.propagate_as(&[b"DEL" as &[u8], key]);
        }
        return Ok(());
    }
    let text = match new {
        New::Integer(value) => {
            store_integer(ctx, key, exists, value);
            ctx.changed(key, Class::STRING, "incrby");
            value.to_string().into_bytes()
        }
        New::Float(text) => {
            store_text(ctx, key, &text);
            ctx.changed(key, Class::STRING, "incrbyfloat");
            text
        }
    };
    let mut words: Vec<Vec<u8>> = vec![b"SET".to_vec(), key.to_vec(), text];
    if let Some(when_ms) = when_ms {
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

enum Sum {
    Integer(IntegerSum),
    Float(FloatSum),
}

/// What is to be stored.
enum New {
    Integer(i64),
    Float(Vec<u8>),
}

struct IntegerSum {
    by: i64,
    lower: i64,
    upper: i64,
}

impl IntegerSum {
    fn parse(by: Option<&[u8]>, options: &IncrexOptions) -> Result<Self> {
        let or = |text: Option<&[u8]>, what: &str, otherwise: i64| {
            text.map_or(Ok(otherwise), |text| parse_integer(text, what))
        };
        let sum = IntegerSum {
            by: or(by, "Increment", 1)?,
            lower: or(options.lower, "LBOUND", i64::MIN)?,
            upper: or(options.upper, "UBOUND", i64::MAX)?,
        };
        if sum.lower > sum.upper { Err(BOUNDS) } else { Ok(sum) }
    }

    /// Adds within bounds and replies; what to store, or nothing where the bounds forbid it.
    fn run(self, ctx: &mut Ctx, key: &[u8], saturates: bool, reply: &mut ReplyWriter) -> Result<Option<New>> {
        let old = integer_at(ctx, key)?.unwrap_or(0);
        let wanted = i128::from(old) + i128::from(self.by);
        let capped = wanted.clamp(i128::from(self.lower), i128::from(self.upper)) as i64;
        reply.array(2);
        if i128::from(capped) != wanted && !saturates {
            reply.integer(old);
            reply.integer(0);
            return Ok(None);
        }
        let applied = capped.checked_sub(old).ok_or(APPLIED_OVERFLOW)?;
        reply.integer(capped);
        reply.integer(applied);
        Ok(Some(New::Integer(capped)))
    }
}

/// As [`IntegerSum`], with long doubles.
struct FloatSum {
    by: LongDouble,
    lower: Option<LongDouble>,
    upper: Option<LongDouble>,
}

impl FloatSum {
    fn parse(by: &[u8], options: &IncrexOptions) -> Result<Self> {
        let by = parse_float(by, "Increment")?;
        if !by.is_finite() {
            return Err(Error::new("ERR BYFLOAT increment cannot be Infinity"));
        }
        let lower = options.lower.map(|text| parse_float(text, "LBOUND")).transpose()?;
        let upper = options.upper.map(|text| parse_float(text, "UBOUND")).transpose()?;
        if let (Some(lower), Some(upper)) = (lower, upper)
            && upper.is_less(lower)
        {
            return Err(BOUNDS);
        }
        Ok(FloatSum { by, lower, upper })
    }

    fn run(self, ctx: &mut Ctx, key: &[u8], saturates: bool, reply: &mut ReplyWriter) -> Result<Option<New>> {
        let old = float_at(ctx, key)?;
        if !old.is_finite() {
            return Err(Error::new("ERR value cannot be Infinity"));
        }
        let wanted = old.plus(self.by).filter(|sum| sum.is_finite()).ok_or(error::NAN_OR_INFINITY)?;
        let mut capped = wanted;
        if let Some(lower) = self.lower.filter(|lower| wanted.is_less(*lower)) {
            capped = lower;
        }
        if let Some(upper) = self.upper.filter(|upper| upper.is_less(wanted)) {
            capped = upper;
        }
        reply.array(2);
        if capped != wanted && !saturates {
            reply.bulk(&old.to_text());
            reply.bulk(b"0");
            return Ok(None);
        }
        let applied = capped.plus(old.negated()).filter(|delta| delta.is_finite()).ok_or(APPLIED_OVERFLOW)?;
        let applied = if capped == wanted { self.by } else { applied };
        let text = capped.to_text();
        reply.bulk(&text);
        reply.bulk(&applied.to_text());
        Ok(Some(New::Float(text)))
    }
}

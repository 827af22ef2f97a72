//! Numbers in the fields of hashes.

use crate::command::declaration::*;
use crate::command::{Args, Ctx, Keys};
use crate::data::listpack::Entry;
use crate::data::long_double::LongDouble;
use crate::data::number;
use crate::resp::ReplyWriter;
use crate::server::error::{self, Error, Result};

pub const COMMANDS: &[Command] = &[HINCRBY, HINCRBYFLOAT];

pub const HINCRBY: Command = Command {
    name: "HINCRBY",
    syntax: "key field increment",
    summary: "Adds an integer to the number in a field of a hash; a missing field counts as 0.",
    since: "2.0.0",
    group: Group::Hash,
    flags: WRITE.and(DENYOOM).and(FAST),
    keys: &[Keys::at(1).read_write().access().update()],
    run: hincrby,
    ..Command::BASE
};

fn hincrby(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (key, field, by) = (args.next()?, args.next()?, args.integer()?);
    let limits = ctx.server.config.hash;
    let old = match ctx.hash_mut(key)?.and_then(|hash| hash.item(field)) {
        None => 0,
        Some(item) => match item.value {
            Entry::Int(value) => value,
            Entry::Bytes(text) => {
                number::parse_i64(text).ok_or(Error::new("ERR hash value is not an integer"))?
            }
        },
    };
    let new = old.checked_add(by).ok_or(error::INCREMENT_OVERFLOW)?;
    let hash = ctx.hash_or_create(key)?;
    hash.set_keeping_expiry(field, &number::i64_text(new), limits);
    ctx.fields_changed(key, "hincrby", 1, [field]);
    reply.integer(new);
    Ok(())
}

pub const HINCRBYFLOAT: Command = Command {
    name: "HINCRBYFLOAT",
    syntax: "key field increment:double",
    summary: "Adds a decimal number to the one in a field of a hash; a missing field counts as 0.",
    since: "2.6.0",
    group: Group::Hash,
    flags: WRITE.and(DENYOOM).and(FAST),
    keys: &[Keys::at(1).read_write().access().update()],
    run: hincrbyfloat,
    ..Command::BASE
};

fn hincrbyfloat(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (key, field) = (args.next()?, args.next()?);
    let by = LongDouble::parse(args.next()?).ok_or(error::NOT_A_FLOAT)?;
    if !by.is_finite() {
        return Err(Error::new("ERR value is NaN or Infinity"));
    }
    let limits = ctx.server.config.hash;
    let old = match ctx.hash_mut(key)?.and_then(|hash| hash.item(field)) {
        None => LongDouble::ZERO,
        Some(item) => match item.value {
            Entry::Int(value) => LongDouble::from_i64(value),
            Entry::Bytes(text) => {
                LongDouble::parse(text).ok_or(Error::new("ERR hash value is not a float"))?
            }
        },
    };
    let new = old.plus(by).filter(|sum| sum.is_finite()).ok_or(error::NAN_OR_INFINITY)?;
    let text = new.to_text();
    let hash = ctx.hash_or_create(key)?;
    hash.set_keeping_expiry(field, &text, limits);
    ctx.fields_changed(key, "hincrbyfloat", 1, [field]);
    ctx.propagate_as(&[b"HSETEX" as &[u8], key, b"KEEPTTL", b"FIELDS", b"1", field, &text]);
    reply.bulk(&text);
    Ok(())
}

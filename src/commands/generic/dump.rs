//! DUMP and RESTORE: values as bytes that another server takes.

use crate::command::declaration::*;
use crate::command::{Args, Ctx, Keys};
use crate::data::number;
use crate::data::value::Value;
use crate::format_error;
use crate::keyspace::ValueRef;
use crate::keyspace::eviction::{self, Order};
use crate::persist::{self, dump};
use crate::resp::ReplyWriter;
use crate::server::error::{self, Error, Result};
use crate::server::notify::Class;

pub const COMMANDS: &[Command] = &[DUMP, RESTORE, RESTORE_ASKING];

pub const DUMP: Command = Command {
    name: "DUMP",
    syntax: "key",
    summary: "Serializes the value of a key.",
    since: "2.6.0",
    complexity: "O(N*M) with N the number of parts of the value and M their average size",
    flags: READONLY,
    keys: &[Keys::at(1).read_only().access()],
    tips: &["nondeterministic_output"],
    run: dump_key,
    ..Command::BASE
};

fn dump_key(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let key = args.next()?;
    match payload_of(ctx, key) {
        Some(payload) => reply.bulk(&payload),
        None => reply.null(),
    }
    Ok(())
}

/// What DUMP answers for a key, if there is one.
pub fn payload_of(ctx: &mut Ctx, key: &[u8]) -> Option<Vec<u8>> {
    let compresses = ctx.server.config.text_of("rdbcompression") == b"yes";
    ctx.read(key).map(|entry| dump::dump(&entry.value(), compresses))
}

pub const RESTORE: Command = Command {
    name: "RESTORE",
    syntax: "key ttl serialized-value [REPLACE@3.0.0] [ABSTTL@5.0.0] [IDLETIME seconds@5.0.0] [FREQ frequency@5.0.0]",
    summary: "Creates a key from a serialized value.",
    since: "2.6.0",
    complexity: "O(N*M) with N the number of parts of the value and M their average size; O(N*M*log(N)) for sorted sets",
    flags: WRITE.and(DENYOOM),
    categories: Exceptions::also(Categories::DANGEROUS),
    keys: &[Keys::at(1).overwrite().update()],
    history: &[("3.0.0", "Knows `REPLACE`."), ("5.0.0", "Knows `ABSTTL`, `IDLETIME` and `FREQ`.")],
    run: restore,
    ..Command::BASE
};

#[derive(Default)]
struct Options {
    replaces: bool,
    is_absolute: bool,
    idle_seconds: Option<i64>,
    frequency: Option<i64>,
}

fn restore(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (key, ttl, payload) = (args.next()?, args.next()?, args.next()?);
    let options = parse_options(args)?;
    if !options.replaces && ctx.exists(key) {
        return Err(error::BUSY_KEY);
    }
    let ttl = number::parse_i64(ttl).ok_or(error::NOT_AN_INTEGER)?;
    if ttl < 0 {
        return Err(Error::new("ERR Invalid TTL value, must be >= 0"));
    }
    let value = value_of(ctx, payload)?;
    let replaced = options.replaces && ctx.remove(key);
    let now_ms = ctx.now_ms();
    let expires_at = match (ttl as u64, options.is_absolute) {
        (0, _) => None,
        (when_ms, true) => Some(when_ms),
        (after_ms, false) => Some(now_ms.saturating_add(after_ms)),
    };
    if expires_at.is_some_and(|when_ms| ctx.is_past(when_ms)) {
        if replaced {
            ctx.changed(key, Class::GENERIC, "del");
            ctx.propagate_as(&[b"DEL" as &[u8], key]);
        }
        reply.ok();
        return Ok(());
    }
    put(ctx, key, value, expires_at);
    touch(ctx, key, &options);
    ctx.changed(key, Class::GENERIC, "restore");
    if let (Some(when_ms), false) = (expires_at, options.is_absolute) {
        propagate_absolute(ctx, key, when_ms, payload, &options);
    }
    reply.ok();
    Ok(())
}

fn parse_options(args: &mut Args) -> Result<Options> {
    let mut options = Options::default();
    while !args.is_empty() {
        if args.accept("REPLACE") {
            options.replaces = true;
        } else if args.accept("ABSTTL") {
            options.is_absolute = true;
        } else if options.frequency.is_none() && args.accept_with("IDLETIME", 1) {
            let seconds = args.integer()?;
            if seconds < 0 {
                return Err(Error::new("ERR Invalid IDLETIME value, must be >= 0"));
            }
            options.idle_seconds = Some(seconds);
        } else if options.idle_seconds.is_none() && args.accept_with("FREQ", 1) {
            let frequency = args.integer()?;
            if !(0..=255).contains(&frequency) {
                return Err(Error::new("ERR Invalid FREQ value, must be >= 0 and <= 255"));
            }
            options.frequency = Some(frequency);
        } else {
            return Err(error::SYNTAX);
        }
    }
    Ok(options)
}

/// The value in a payload.
fn value_of(ctx: &mut Ctx, payload: &[u8]) -> Result<Value> {
    let checks_sum = !ctx.server.persistence.skips_checksums;
    let payload = dump::open(payload, checks_sum)
        .map_err(|_| Error::new("ERR DUMP payload version or checksum are wrong"))?;
    match dump::restore(payload, &ctx.server.config.limits()) {
        Ok(Value::String(bytes)) if bytes.len() as u64 > ctx.server.config.proto_max_bulk_len => {
            Err(format_error!("ERR Bad data format"))
        }
        Ok(value) => Ok(value),
        Err(_) => Err(Error::new("ERR Bad data format")),
    }
}

/// Puts a value where there is no key.
fn put(ctx: &mut Ctx, key: &[u8], value: Value, expires_at: Option<u64>) {
    let mut entry = persist::entry_of(key, value);
    entry.set_expires_at(expires_at);
    let fields_expire_at = match entry.value() {
        ValueRef::Boxed(Value::Hash(hash)) => hash.next_expiry(),
        _ => None,
    };
    ctx.put_new(entry);
    ctx.set_field_deadline(key, fields_expire_at);
}

/// What RESTORE says of the key's use.
fn touch(ctx: &mut Ctx, key: &[u8], options: &Options) {
    let (now_ms, order) = (ctx.now_ms(), ctx.server.config.eviction.order);
    let Some(entry) = ctx.write(key) else { return };
    match (options.frequency, options.idle_seconds) {
        (Some(frequency), _) if order == Order::Frequency => {
            entry.set_clock(eviction::clock_of_frequency(frequency as u8, now_ms));
        }
        (_, Some(seconds)) if order != Order::Frequency => {
            entry.set_clock(eviction::clock_of_idle(seconds as u64, now_ms));
        }
        _ => {}
    }
}

fn propagate_absolute(ctx: &mut Ctx, key: &[u8], when_ms: u64, payload: &[u8], options: &Options) {
    let (when, idle) = (number::u64_text(when_ms), options.idle_seconds.map(number::i64_text));
    let frequency = options.frequency.map(number::i64_text);
    let mut words: Vec<&[u8]> = vec![b"RESTORE", key, &when, payload, b"ABSTTL"];
    if options.replaces {
        words.push(b"REPLACE");
    }
    if let Some(idle) = &idle {
        words.extend([b"IDLETIME" as &[u8], idle]);
    }
    if let Some(frequency) = &frequency {
        words.extend([b"FREQ" as &[u8], frequency]);
    }
    ctx.propagate_as(&words);
}

pub const RESTORE_ASKING: Command = Command {
    name: "RESTORE-ASKING",
    syntax: "key ttl serialized-value [REPLACE@3.0.0] [ABSTTL@5.0.0] [IDLETIME seconds@5.0.0] [FREQ frequency@5.0.0]",
    summary: "Does what RESTORE does, for a slot that is moving between nodes of a cluster.",
    since: "3.0.0",
    complexity: "O(N*M) with N the number of parts of the value and M their average size; O(N*M*log(N)) for sorted sets",
    group: Group::Server,
    flags: WRITE.and(DENYOOM).and(ASKING),
    categories: Exceptions::also(Categories::KEYSPACE.and(Categories::DANGEROUS)),
    keys: &[Keys::at(1).overwrite().update()],
    history: &[("3.0.0", "Knows `REPLACE`."), ("5.0.0", "Knows `ABSTTL`, `IDLETIME` and `FREQ`.")],
    internal: true,
    run: restore_asking,
    ..Command::BASE
};

fn restore_asking(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    restore(ctx, args, reply)
}

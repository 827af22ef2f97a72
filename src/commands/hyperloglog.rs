//! HyperLogLog: estimates of how many different elements were seen, kept in strings.

use crate::command::declaration::*;
use crate::command::{Args, Ctx, Keys};
use crate::commands::string::edit::edit_string;
use crate::data::hyperloglog::{self, Corrupt, Encoding, Registers};
use crate::format_error;
use crate::resp::ReplyWriter;
use crate::server::error::{Error, Result};
use crate::server::notify::Class;

pub const COMMANDS: &[Command] = &[PFADD, PFCOUNT, PFDEBUG, PFMERGE, PFSELFTEST];

const NOT_ONE: Error = Error::new("WRONGTYPE Key is not a valid HyperLogLog string value.");
const CORRUPT: Error = Error::new("INVALIDOBJ Corrupted HLL object detected");

fn corrupt(_: Corrupt) -> Error {
    CORRUPT
}

/// The HyperLogLog at `key`; any other string is an error.
fn read(ctx: &mut Ctx, key: &[u8]) -> Result<Option<Vec<u8>>> {
    let Some(value) = ctx.string(key)? else { return Ok(None) };
    hyperloglog::encoding(&value).map_err(|_| NOT_ONE)?;
    Ok(Some(value.into_owned()))
}

fn write(ctx: &mut Ctx, key: &[u8], new: Vec<u8>) {
    edit_string(ctx, key, |value| *value = new);
}

pub const PFADD: Command = Command {
    name: "PFADD",
    syntax: "key [element ...]",
    summary: "Adds elements to a HyperLogLog, which is created when missing.",
    since: "2.8.9",
    complexity: "O(1) for each element",
    group: Group::HyperLogLog,
    flags: WRITE.and(DENYOOM).and(FAST),
    keys: &[Keys::at(1).read_write().insert()],
    run: pfadd,
    ..Command::BASE
};

fn pfadd(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let key = args.next()?;
    let sparse_max = ctx.server.config.hll_sparse_max_bytes;
    let found = read(ctx, key)?;
    let mut changes = usize::from(found.is_none());
    let mut value = found.unwrap_or_else(hyperloglog::new);
    for element in args.rest() {
        changes += usize::from(hyperloglog::add(&mut value, element, sparse_max).map_err(corrupt)?);
    }
    if changes > 0 {
        hyperloglog::forget_count(&mut value);
        write(ctx, key, value);
        ctx.changed_times(key, Class::STRING, "pfadd", changes);
    }
    reply.integer(i64::from(changes > 0));
    Ok(())
}

pub const PFCOUNT: Command = Command {
    name: "PFCOUNT",
    syntax: "key ...",
    summary: "Estimates how many different elements one or more HyperLogLogs have seen.",
    since: "2.8.9",
    complexity: "O(1) for one key; O(N) for N keys, each costing more",
    group: Group::HyperLogLog,
    flags: READONLY.and(MAY_REPLICATE),
    keys: &[Keys::from(1).read_write().access()],
    run: pfcount,
    ..Command::BASE
};

fn pfcount(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    if args.left() > 1 {
        let mut registers = Registers::new();
        for key in args.rest() {
            if let Some(value) = read(ctx, key)? {
                registers.merge(&value).map_err(corrupt)?;
            }
        }
        reply.integer(registers.count() as i64);
        return Ok(());
    }
    let key = args.next()?;
    let Some(mut value) = read(ctx, key)? else {
        reply.integer(0);
        return Ok(());
    };
    let count = match hyperloglog::cached_count(&value) {
        Some(count) => count,
        None => {
            let count = hyperloglog::count(&value).map_err(corrupt)?;
            // The estimate is kept in the value, which is a change although nobody is notified of it.
            hyperloglog::cache_count(&mut value, count);
            write(ctx, key, value);
            ctx.changed(key, Class::NONE, "");
            count
        }
    };
    reply.integer(count as i64);
    Ok(())
}

pub const PFMERGE: Command = Command {
    name: "PFMERGE",
    syntax: "destkey [sourcekey ...]",
    summary: "Merges HyperLogLogs into one.",
    since: "2.8.9",
    complexity: "O(N) with N the number of HyperLogLogs, each costing much",
    group: Group::HyperLogLog,
    flags: WRITE.and(DENYOOM),
    keys: &[Keys::at(1).read_write().access().insert(), Keys::from(2).read_only().access()],
    run: pfmerge,
    ..Command::BASE
};

fn pfmerge(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let destination = args.get(1);
    let sparse_max = ctx.server.config.hll_sparse_max_bytes;
    let mut registers = Registers::new();
    let mut is_dense = false;
    for key in args.rest() {
        if let Some(value) = read(ctx, key)? {
            is_dense |= hyperloglog::encoding(&value) == Ok(Encoding::Dense);
            registers.merge(&value).map_err(corrupt)?;
        }
    }
    let mut value = read(ctx, destination)?.unwrap_or_else(hyperloglog::new);
    if is_dense {
        hyperloglog::make_dense(&mut value).map_err(corrupt)?;
    }
    registers.write_to(&mut value, sparse_max).map_err(corrupt)?;
    write(ctx, destination, value);
    ctx.changed(destination, Class::STRING, "pfadd");
    reply.ok();
    Ok(())
}

pub const PFDEBUG: Command = Command {
    name: "PFDEBUG",
    syntax: "subcommand key",
    summary: "Looks inside a HyperLogLog, for debugging.",
    since: "2.8.9",
    group: Group::HyperLogLog,
    flags: WRITE.and(DENYOOM).and(ADMIN),
    keys: &[Keys::at(2).read_write().access()],
    internal: true,
    run: pfdebug,
    ..Command::BASE
};

fn pfdebug(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (subcommand, key) = (args.next()?.to_ascii_uppercase(), args.next()?);
    let Some(mut value) = read(ctx, key)? else {
        return Err(Error::new("ERR The specified key does not exist"));
    };
    let is_sparse = hyperloglog::encoding(&value) == Ok(Encoding::Sparse);
    match &subcommand[..] {
        b"GETREG" => {
            let mut registers = Registers::new();
            registers.merge(&value).map_err(corrupt)?;
            if is_sparse {
                hyperloglog::make_dense(&mut value).map_err(corrupt)?;
                write(ctx, key, value);
                ctx.changed(key, Class::NONE, "");
            }
            reply.array(registers.as_bytes().len());
            registers.as_bytes().iter().for_each(|&register| reply.integer(i64::from(register)));
        }
        b"DECODE" if !is_sparse => return Err(Error::new("ERR HLL encoding is not sparse")),
        b"DECODE" => reply.bulk_str(&hyperloglog::decode_sparse(&value).map_err(corrupt)?),
        b"ENCODING" => reply.simple(if is_sparse { "sparse" } else { "dense" }),
        b"TODENSE" => {
            if is_sparse {
                hyperloglog::make_dense(&mut value).map_err(corrupt)?;
                write(ctx, key, value);
                ctx.changed(key, Class::NONE, "");
            }
            reply.integer(i64::from(is_sparse));
        }
        _ => {
            // Redis's text ends at a zero byte.
            let given = args.get(1).split(|&byte| byte == 0).next().unwrap_or_default();
            let given = String::from_utf8_lossy(given);
            return Err(format_error!("ERR Unknown PFDEBUG subcommand '{given}'"));
        }
    }
    Ok(())
}

pub const PFSELFTEST: Command = Command {
    name: "PFSELFTEST",
    summary: "Tests the HyperLogLog implementation.",
    since: "2.8.9",
    group: Group::HyperLogLog,
    flags: ADMIN,
    internal: true,
    run: pfselftest,
    ..Command::BASE
};

/// Counts a few thousand elements and compares the estimates with the truth.
fn pfselftest(_: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    let mut value = hyperloglog::new();
    for number in 1..=20_000u32 {
        hyperloglog::add(&mut value, number.to_string().as_bytes(), 3000).map_err(corrupt)?;
        if number.is_power_of_two() {
            let estimate = hyperloglog::count(&value).map_err(corrupt)? as f64;
            let error = (estimate - f64::from(number)).abs() / f64::from(number);
            if error > 0.05 {
                return Err(format_error!("ERR TESTFAILED Too big error. card:{number} estimate:{estimate}"));
            }
        }
    }
    reply.ok();
    Ok(())
}

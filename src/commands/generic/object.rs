//! OBJECT: how a value is held.

use crate::command::declaration::*;
pub use crate::command::observe::encoding_of;
use crate::command::{Args, Ctx, Keys};
use crate::keyspace::Entry;
use crate::keyspace::eviction::{self, Order};
use crate::resp::ReplyWriter;
use crate::server::error::{Error, Result};

pub const COMMANDS: &[Command] = &[OBJECT_ENCODING, OBJECT_FREQ, OBJECT_IDLETIME, OBJECT_REFCOUNT];

pub const OBJECT_ENCODING: Command = Command {
    name: "OBJECT ENCODING",
    syntax: "key",
    summary: "Tells how the value of a key is stored inside.",
    since: "2.2.3",
    flags: READONLY,
    keys: &[Keys::at(2).read_only()],
    tips: &["nondeterministic_output"],
    run: object_encoding,
    ..Command::BASE
};

/// Counts a hit or a miss, but tells nobody of a miss and does not count as a use.
fn glance<'c>(ctx: &'c mut Ctx, key: &[u8]) -> Option<&'c Entry> {
    let found = ctx.exists(key);
    let stats = &mut ctx.server.stats;
    let count = if found { &mut stats.keyspace_hits } else { &mut stats.keyspace_misses };
    *count += 1;
    ctx.peek(key)
}

fn object_encoding(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    match glance(ctx, args.next()?) {
        Some(entry) => reply.bulk_str(encoding_of(entry)),
        None => reply.null(),
    }
    Ok(())
}

pub const OBJECT_REFCOUNT: Command = Command {
    name: "OBJECT REFCOUNT",
    syntax: "key",
    summary: "Tells how many references there are to the value of a key.",
    since: "2.2.3",
    flags: READONLY,
    keys: &[Keys::at(2).read_only()],
    tips: &["nondeterministic_output"],
    run: object_refcount,
    ..Command::BASE
};

fn object_refcount(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    match glance(ctx, args.next()?) {
        Some(_) => reply.integer(1),
        None => reply.null(),
    }
    Ok(())
}

pub const OBJECT_IDLETIME: Command = Command {
    name: "OBJECT IDLETIME",
    syntax: "key",
    summary: "Tells for how many seconds a key was not used.",
    since: "2.2.3",
    flags: READONLY,
    keys: &[Keys::at(2).read_only()],
    tips: &["nondeterministic_output"],
    run: object_idletime,
    ..Command::BASE
};

fn object_idletime(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    const FREQUENCIES: Error = Error::new(
        "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.",
    );
    let (now_ms, order) = (ctx.now_ms(), ctx.server.config.eviction.order);
    match glance(ctx, args.next()?) {
        Some(_) if order == Order::Frequency => return Err(FREQUENCIES),
        Some(entry) => reply.integer(eviction::idle_seconds(entry, now_ms) as i64),
        None => reply.null(),
    }
    Ok(())
}

pub const OBJECT_FREQ: Command = Command {
    name: "OBJECT FREQ",
    syntax: "key",
    summary: "Tells how often a key is used, as the LFU eviction policies count it.",
    since: "4.0.0",
    flags: READONLY,
    keys: &[Keys::at(2).read_only()],
    tips: &["nondeterministic_output"],
    run: object_freq,
    ..Command::BASE
};

fn object_freq(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    const NO_FREQUENCIES: Error = Error::new(
        "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.",
    );
    let (now_ms, policy) = (ctx.now_ms(), ctx.server.config.eviction);
    match glance(ctx, args.next()?) {
        Some(_) if policy.order != Order::Frequency => return Err(NO_FREQUENCIES),
        Some(entry) => reply.integer(i64::from(policy.frequency(entry, now_ms))),
        None => reply.null(),
    }
    Ok(())
}

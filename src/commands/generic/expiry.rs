//! Times to live: setting them, reading them, taking them away.

use crate::command::declaration::*;
use crate::command::expiry::invalid_expire_time;
use crate::command::{Args, Ctx, Keys};
use crate::resp::ReplyWriter;
use crate::server::error::{Error, Result};
use crate::server::notify::Class;

pub const COMMANDS: &[Command] =
    &[EXPIRE, EXPIREAT, EXPIRETIME, PERSIST, PEXPIRE, PEXPIREAT, PEXPIRETIME, PTTL, TTL];

/// NX, XX, GT, LT: when a new time to live is set.
#[derive(Clone, Copy, Default)]
pub struct Conditions {
    only_without: bool,
    only_with: bool,
    only_later: bool,
    only_earlier: bool,
}

impl Conditions {
    /// Reads all that is left as conditions.
    fn parse(args: &mut Args) -> Result<Self> {
        let mut conditions = Conditions::default();
        while let Some(word) = args.peek() {
            if !conditions.accept(args) {
                // Redis's text ends at a zero byte.
                let word = word.split(|&byte| byte == 0).next().unwrap_or_default();
                return Err(Error::bytes([b"ERR Unsupported option ", word].concat()));
            }
        }
        conditions.check()?;
        Ok(conditions)
    }

    /// Takes one condition if it comes next.
    pub fn accept(&mut self, args: &mut Args) -> bool {
        let flags = [
            ("NX", &mut self.only_without),
            ("XX", &mut self.only_with),
            ("GT", &mut self.only_later),
            ("LT", &mut self.only_earlier),
        ];
        for (name, flag) in flags {
            if args.accept(name) {
                *flag = true;
                return true;
            }
        }
        false
    }

    pub fn check(&self) -> Result {
        if self.only_without && (self.only_with || self.only_later || self.only_earlier) {
            return Err(Error::new("ERR NX and XX, GT or LT options at the same time are not compatible"));
        }
        if self.only_later && self.only_earlier {
            return Err(Error::new("ERR GT and LT options at the same time are not compatible"));
        }
        Ok(())
    }

    /// Whether `when_ms` may take the place of `present`; no time to live counts as the latest.
    pub fn hold(&self, present: Option<u64>, when_ms: i64) -> bool {
        let present = present.map(|ms| ms as i64);
        !(self.only_without && present.is_some()
            || self.only_with && present.is_none()
            || self.only_later && present.is_none_or(|present| when_ms <= present)
            || self.only_earlier && present.is_some_and(|present| when_ms >= present))
    }
}

pub const EXPIRE: Command = Command {
    name: "EXPIRE",
    syntax: "key seconds [NX | XX | GT | LT]@7.0.0",
    summary: "Gives a key a time to live, in seconds.",
    flags: WRITE.and(FAST),
    keys: &[Keys::at(1).read_write().update()],
    history: &[("7.0.0", "Knows `NX`, `XX`, `GT` and `LT`.")],
    run: expire,
    ..Command::BASE
};

fn expire(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let now_ms = ctx.now_ms();
    set_ttl(ctx, args, reply, now_ms, true)
}

pub const PEXPIRE: Command = Command {
    name: "PEXPIRE",
    syntax: "key milliseconds [NX | XX | GT | LT]@7.0.0",
    summary: "Gives a key a time to live, in milliseconds.",
    since: "2.6.0",
    flags: WRITE.and(FAST),
    keys: &[Keys::at(1).read_write().update()],
    history: &[("7.0.0", "Knows `NX`, `XX`, `GT` and `LT`.")],
    run: pexpire,
    ..Command::BASE
};

fn pexpire(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let now_ms = ctx.now_ms();
    set_ttl(ctx, args, reply, now_ms, false)
}

pub const EXPIREAT: Command = Command {
    name: "EXPIREAT",
    syntax: "key unix-time-seconds [NX | XX | GT | LT]@7.0.0",
    summary: "Makes a key expire at a Unix time, in seconds.",
    since: "1.2.0",
    flags: WRITE.and(FAST),
    keys: &[Keys::at(1).read_write().update()],
    history: &[("7.0.0", "Knows `NX`, `XX`, `GT` and `LT`.")],
    run: expireat,
    ..Command::BASE
};

fn expireat(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    set_ttl(ctx, args, reply, 0, true)
}

pub const PEXPIREAT: Command = Command {
    name: "PEXPIREAT",
    syntax: "key unix-time-milliseconds [NX | XX | GT | LT]@7.0.0",
    summary: "Makes a key expire at a Unix time, in milliseconds.",
    since: "2.6.0",
    flags: WRITE.and(FAST),
    keys: &[Keys::at(1).read_write().update()],
    history: &[("7.0.0", "Knows `NX`, `XX`, `GT` and `LT`.")],
    run: pexpireat,
    ..Command::BASE
};

fn pexpireat(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    set_ttl(ctx, args, reply, 0, false)
}

fn set_ttl(
    ctx: &mut Ctx,
    args: &mut Args,
    reply: &mut ReplyWriter,
    base_ms: u64,
    in_seconds: bool,
) -> Result {
    let (key, given) = (args.next()?, args.next()?);
    let conditions = Conditions::parse(args)?;
    let given = crate::data::number::parse_i64(given).ok_or(crate::server::error::NOT_AN_INTEGER)?;
    let invalid = || invalid_expire_time(ctx.command);
    let milliseconds = if in_seconds { given.checked_mul(1000).ok_or_else(invalid)? } else { given };
    let when_ms = milliseconds.checked_add(base_ms as i64).ok_or_else(invalid)?;
    let Some(entry) = ctx.write(key) else {
        reply.integer(0);
        return Ok(());
    };
    if !conditions.hold(entry.expires_at(), when_ms) {
        reply.integer(0);
        return Ok(());
    }
    if u64::try_from(when_ms).map_or(true, |when_ms| ctx.is_past(when_ms)) {
        ctx.delete(key);
        ctx.propagate_as(&[b"DEL" as &[u8], key]);
    } else {
        ctx.set_expiry(key, Some(when_ms as u64));
        ctx.changed(key, Class::GENERIC, "expire");
        ctx.propagate_as(&[b"PEXPIREAT" as &[u8], key, when_ms.to_string().as_bytes()]);
    }
    reply.integer(1);
    Ok(())
}

pub const PERSIST: Command = Command {
    name: "PERSIST",
    syntax: "key",
    summary: "Removes the expiry of a key.",
    since: "2.2.0",
    flags: WRITE.and(FAST),
    keys: &[Keys::at(1).read_write().update()],
    run: persist,
    ..Command::BASE
};

fn persist(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let key = args.next()?;
    let has_ttl = ctx.write(key).is_some_and(|entry| entry.expires_at().is_some());
    if has_ttl {
        ctx.set_expiry(key, None);
        ctx.changed(key, Class::GENERIC, "persist");
    }
    reply.integer(i64::from(has_ttl));
    Ok(())
}

pub const TTL: Command = Command {
    name: "TTL",
    syntax: "key",
    summary: "Tells how long a key has to live, in seconds.",
    flags: READONLY.and(FAST),
    keys: &[Keys::at(1).read_only().access()],
    tips: &["nondeterministic_output"],
    history: &[("2.8.0", "Answers -2 for a missing key.")],
    run: ttl,
    ..Command::BASE
};

fn ttl(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let now_ms = ctx.now_ms();
    show(ctx, args, reply, |when_ms| (when_ms.saturating_sub(now_ms) + 500) / 1000)
}

pub const PTTL: Command = Command {
    name: "PTTL",
    syntax: "key",
    summary: "Tells how long a key has to live, in milliseconds.",
    since: "2.6.0",
    flags: READONLY.and(FAST),
    keys: &[Keys::at(1).read_only().access()],
    tips: &["nondeterministic_output"],
    history: &[("2.8.0", "Answers -2 for a missing key.")],
    run: pttl,
    ..Command::BASE
};

fn pttl(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let now_ms = ctx.now_ms();
    show(ctx, args, reply, |when_ms| when_ms.saturating_sub(now_ms))
}

pub const EXPIRETIME: Command = Command {
    name: "EXPIRETIME",
    syntax: "key",
    summary: "Tells at which Unix time a key will expire, in seconds.",
    since: "7.0.0",
    flags: READONLY.and(FAST),
    keys: &[Keys::at(1).read_only().access()],
    run: expiretime,
    ..Command::BASE
};

fn expiretime(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    show(ctx, args, reply, |when_ms| when_ms.saturating_add(500) / 1000)
}

pub const PEXPIRETIME: Command = Command {
    name: "PEXPIRETIME",
    syntax: "key",
    summary: "Tells at which Unix time a key will expire, in milliseconds.",
    since: "7.0.0",
    flags: READONLY.and(FAST),
    keys: &[Keys::at(1).read_only().access()],
    run: pexpiretime,
    ..Command::BASE
};

fn pexpiretime(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    show(ctx, args, reply, |when_ms| when_ms)
}

/// -2 without the key, -1 without a time to live.
fn show(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter, shown: impl Fn(u64) -> u64) -> Result {
    let value = match ctx.look(args.next()?) {
        None => -2,
        Some(entry) => entry.expires_at().map_or(-1, |when_ms| shown(when_ms) as i64),
    };
    reply.integer(value);
    Ok(())
}

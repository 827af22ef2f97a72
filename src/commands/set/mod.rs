//! Sets: their members.

pub mod algebra;

use crate::command::declaration::*;
use crate::command::{Args, Ctx, Keys};
use crate::commands::generic::scan::{ScanOf, ScanOptions, parse_cursor};
use crate::commands::list::bulk;
use crate::data::set::Set;
use crate::resp::ReplyWriter;
use crate::server::error::{self, Result};
use crate::server::notify::Class;

pub const COMMANDS: &[Command] =
    &[SADD, SCARD, SISMEMBER, SMEMBERS, SMISMEMBER, SMOVE, SPOP, SRANDMEMBER, SREM, SSCAN];

pub const SADD: Command = Command {
    name: "SADD",
    syntax: "key member ...",
    summary: "Adds members to a set, which is created when missing.",
    complexity: "O(N) with N the number of members given",
    group: Group::Set,
    flags: WRITE.and(DENYOOM).and(FAST),
    keys: &[Keys::at(1).read_write().insert()],
    history: &[("2.4.0", "Takes several members.")],
    run: sadd,
    ..Command::BASE
};

fn sadd(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let key = args.next()?;
    let limits = ctx.server.config.set;
    let (members, first) = (args.left(), args.peek().unwrap_or_default());
    let set = ctx.set_or_create(key, |config| Set::new(members, first, config.set))?;
    set.prepare(members, limits);
    let added = args.rest().filter(|member| set.add(member, limits)).count();
    if added > 0 {
        ctx.changed_times(key, Class::SET, "sadd", added);
    }
    reply.count(added);
    Ok(())
}

pub const SREM: Command = Command {
    name: "SREM",
    syntax: "key member ...",
    summary: "Removes members from a set.",
    complexity: "O(N) with N the number of members given",
    group: Group::Set,
    flags: WRITE.and(FAST),
    keys: &[Keys::at(1).read_write().delete()],
    history: &[("2.4.0", "Takes several members.")],
    run: srem,
    ..Command::BASE
};

fn srem(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let key = args.next()?;
    let Some(set) = ctx.set_mut(key)? else {
        reply.integer(0);
        return Ok(());
    };
    let removed = args.rest().filter(|member| set.remove(member)).count();
    let is_empty = set.is_empty();
    if removed > 0 {
        ctx.changed_times(key, Class::SET, "srem", removed);
        if is_empty {
            ctx.delete_emptied(key);
        }
    }
    reply.count(removed);
    Ok(())
}

pub const SCARD: Command = Command {
    name: "SCARD",
    syntax: "key",
    summary: "Counts the members of a set.",
    group: Group::Set,
    flags: READONLY.and(FAST),
    keys: &[Keys::at(1).read_only()],
    run: scard,
    ..Command::BASE
};

fn scard(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let len = ctx.set(args.next()?)?.map_or(0, Set::len);
    reply.count(len);
    Ok(())
}

pub const SISMEMBER: Command = Command {
    name: "SISMEMBER",
    syntax: "key member",
    summary: "Tells whether a set has a member.",
    group: Group::Set,
    flags: READONLY.and(FAST),
    keys: &[Keys::at(1).read_only()],
    run: sismember,
    ..Command::BASE
};

fn sismember(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (key, member) = (args.next()?, args.next()?);
    let is_member = ctx.set(key)?.is_some_and(|set| set.contains(member));
    reply.integer(i64::from(is_member));
    Ok(())
}

pub const SMISMEMBER: Command = Command {
    name: "SMISMEMBER",
    syntax: "key member ...",
    summary: "Tells which of the given members a set has.",
    since: "6.2.0",
    complexity: "O(N) with N the number of members given",
    group: Group::Set,
    flags: READONLY.and(FAST),
    keys: &[Keys::at(1).read_only().access()],
    run: smismember,
    ..Command::BASE
};

fn smismember(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let set = ctx.set(args.next()?)?;
    let members = args.rest();
    reply.array(members.len());
    for member in members {
        reply.integer(i64::from(set.is_some_and(|set| set.contains(member))));
    }
    Ok(())
}

pub const SMEMBERS: Command = Command {
    name: "SMEMBERS",
    syntax: "key",
    summary: "Gets all members of a set.",
    complexity: "O(N) with N the size of the set",
    group: Group::Set,
    flags: READONLY,
    keys: &[Keys::at(1).read_only().access()],
    tips: &["nondeterministic_output_order"],
    run: smembers,
    ..Command::BASE
};

fn smembers(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let set = ctx.set(args.next()?)?;
    reply.set(set.map_or(0, Set::len));
    for member in set.into_iter().flat_map(Set::iter) {
        bulk(reply, member);
    }
    Ok(())
}

pub const SMOVE: Command = Command {
    name: "SMOVE",
    syntax: "source destination member",
    summary: "Moves a member from one set to another.",
    group: Group::Set,
    flags: WRITE.and(FAST),
    keys: &[Keys::at(1).read_write().access().delete(), Keys::at(2).read_write().insert()],
    run: smove,
    ..Command::BASE
};

fn smove(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (from, to, member) = (args.next()?, args.next()?, args.next()?);
    let limits = ctx.server.config.set;
    let is_member = ctx.set_mut(from)?.map(|set| set.contains(member));
    let Some(is_member) = is_member else {
        reply.integer(0);
        return Ok(());
    };
    ctx.set_mut(to)?;
    if from == to || !is_member {
        reply.integer(i64::from(is_member));
        return Ok(());
    }
    let Some(set) = ctx.set_mut(from)? else { return Ok(()) };
    set.remove(member);
    let is_empty = set.is_empty();
    ctx.changed(from, Class::SET, "srem");
    if is_empty {
        ctx.delete_emptied(from);
    }
    let set = ctx.set_or_create(to, |config| Set::new(1, member, config.set))?;
    if set.add(member, limits) {
        ctx.changed(to, Class::SET, "sadd");
    }
    reply.integer(1);
    Ok(())
}

pub const SPOP: Command = Command {
    name: "SPOP",
    syntax: "key [count@3.2.0]",
    summary: "Removes and returns random members of a set.",
    complexity: "O(1), or O(N) with N the count given",
    group: Group::Set,
    flags: WRITE.and(FAST),
    keys: &[Keys::at(1).read_write().access().delete()],
    tips: &["nondeterministic_output"],
    history: &[("3.2.0", "Takes a count.")],
    run: spop,
    ..Command::BASE
};

fn spop(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let key = args.next()?;
    if args.left() > 1 {
        return Err(error::SYNTAX);
    }
    let count = if args.is_empty() { None } else { Some(args.non_negative()?) };
    let mut rng = ctx.server.rng.clone();
    let limits = ctx.server.config.set;
    let Some(set) = ctx.set_mut(key)? else {
        if count.is_some() {
            reply.set(0)
        } else {
            reply.null()
        }
        return Ok(());
    };
    let popped = match count {
        None => set.pop(&mut || rng.next()).into_iter().collect(),
        Some(count) => set.pop_many(usize::try_from(count).unwrap_or(usize::MAX), &mut || rng.next(), limits),
    };
    let is_empty = set.is_empty();
    ctx.server.rng = rng;
    match (&popped[..], count) {
        ([member], None) => reply.bulk(member),
        (members, _) => {
            reply.set(members.len());
            members.iter().for_each(|member| reply.bulk(member));
        }
    }
    if popped.is_empty() {
        return Ok(());
    }
    ctx.changed_times(key, Class::SET, "spop", popped.len());
    if is_empty {
        ctx.delete_emptied(key);
        ctx.propagate_as(&[b"DEL" as &[u8], key]);
    } else {
        let mut words: Vec<&[u8]> = vec![b"SREM", key];
        words.extend(popped.iter().map(|member| &member[..]));
        ctx.propagate_as(&words);
    }
    Ok(())
}

/// The count of the random readers: negative means that an element may come several times.
pub fn parse_random_count(args: &mut Args) -> Result<i64> {
    let count = args.integer()?;
    if count == i64::MIN { Err(error::OUT_OF_RANGE_NEGATABLE) } else { Ok(count) }
}

/// What one reply of random elements may hold: more is refused as out of range.
pub const RANDOM_MAX: u64 = 1 << 27;

pub const SRANDMEMBER: Command = Command {
    name: "SRANDMEMBER",
    syntax: "key [count@2.6.0]",
    summary: "Gets random members of a set.",
    complexity: "O(1), or O(N) with N the count given",
    group: Group::Set,
    flags: READONLY,
    keys: &[Keys::at(1).read_only().access()],
    tips: &["nondeterministic_output"],
    history: &[("2.6.0", "Takes a count.")],
    run: srandmember,
    ..Command::BASE
};

fn srandmember(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let key = args.next()?;
    if args.left() > 1 {
        return Err(error::SYNTAX);
    }
    let count = if args.is_empty() { None } else { Some(parse_random_count(args)?) };
    let mut rng = ctx.server.rng.clone();
    let mut next = || rng.next();
    let Some(set) = ctx.set(key)? else {
        if count.is_some() {
            reply.array(0)
        } else {
            reply.null()
        }
        return Ok(());
    };
    match count {
        None => match set.random(&mut next) {
            Some(member) => bulk(reply, member),
            None => reply.null(),
        },
        Some(count) => {
            let many = count.unsigned_abs();
            if count < 0 && many > RANDOM_MAX {
                return Err(error::OUT_OF_RANGE);
            }
            let members = if count < 0 {
                set.random_many(many as usize, &mut next)
            } else {
                set.random_distinct(usize::try_from(many).unwrap_or(usize::MAX), &mut next)
            };
            reply.array(members.len());
            members.into_iter().for_each(|member| bulk(reply, member));
        }
    }
    ctx.server.rng = rng;
    Ok(())
}

pub const SSCAN: Command = Command {
    name: "SSCAN",
    syntax: "key cursor [MATCH pattern] [COUNT count]",
    summary: "Goes over the members of a set, some at a time.",
    since: "2.8.0",
    complexity: "O(1) for each call, O(N) for a full round over N members",
    group: Group::Set,
    flags: READONLY,
    keys: &[Keys::at(1).read_only().access()],
    tips: &["nondeterministic_output"],
    run: sscan,
    ..Command::BASE
};

fn sscan(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let key = args.next()?;
    let cursor = parse_cursor(args.next()?)?;
    let set = ctx.set(key)?;
    let options = match set {
        Some(_) => ScanOptions::parse(args, ScanOf::Members)?,
        None => {
            reply.array(2);
            reply.bulk(b"0");
            reply.array(0);
            return Ok(());
        }
    };
    let mut found: Vec<Vec<u8>> = Vec::new();
    let next = set.map_or(0, |set| {
        set.scan(cursor, options.count, &mut |member| {
            let member = member.to_vec();
            if options.matches(&member) {
                found.push(member);
            }
        })
    });
    reply.array(2);
    reply.bulk(next.to_string().as_bytes());
    reply.array(found.len());
    found.iter().for_each(|member| reply.bulk(member));
    Ok(())
}

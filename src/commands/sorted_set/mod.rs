//! Sorted sets: members with scores.

pub mod algebra;
pub mod popping;
pub mod range;

use crate::command::declaration::*;
use crate::command::{Args, Ctx, Keys};
use crate::commands::generic::scan::{ScanOf, ScanOptions, parse_cursor};
use crate::commands::list::bulk;
use crate::commands::set::{RANDOM_MAX, parse_random_count};
use crate::data::number;
use crate::data::sorted_set::{AddHow, Added, SortedSet};
use crate::resp::ReplyWriter;
use crate::server::error::{self, Error, Result};
use crate::server::notify::Class;

pub const COMMANDS: &[Command] =
    &[ZADD, ZCARD, ZINCRBY, ZMSCORE, ZRANDMEMBER, ZRANK, ZREM, ZREVRANK, ZSCAN, ZSCORE];

/// Removes a sorted set that has just become empty.
fn drop_if_empty(ctx: &mut Ctx, key: &[u8], is_empty: bool) {
    if is_empty {
        ctx.delete_emptied(key);
    }
}

pub const ZADD: Command = Command {
    name: "ZADD",
    syntax: "key [NX | XX]@3.0.2 comparison=[GT | LT]@6.2.0 [change=CH@3.0.2] [increment=INCR@3.0.2] (score member) ...",
    summary: "Adds members to a sorted set or changes their scores.",
    since: "1.2.0",
    complexity: "O(log(N)) for each member, with N the size of the sorted set",
    group: Group::SortedSet,
    flags: WRITE.and(DENYOOM).and(FAST),
    keys: &[Keys::at(1).read_write().update()],
    history: &[
        ("2.4.0", "Takes several members."),
        ("3.0.2", "Knows `XX`, `NX`, `CH` and `INCR`."),
        ("6.2.0", "Knows `GT` and `LT`."),
    ],
    run: zadd,
    ..Command::BASE
};

fn zadd(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let key = args.next()?;
    let (how, counts_changes) = parse_how(args, &["NX", "XX", "CH", "INCR", "GT", "LT"]);
    if !args.left().is_multiple_of(2) || args.is_empty() {
        return Err(error::SYNTAX);
    }
    if how.nx && how.xx {
        return Err(Error::new("ERR XX and NX options at the same time are not compatible"));
    }
    if how.gt && how.lt || how.nx && (how.gt || how.lt) {
        return Err(Error::new("ERR GT, LT, and/or NX options at the same time are not compatible"));
    }
    if how.incr && args.left() > 2 {
        return Err(Error::new("ERR INCR option supports a single increment-element pair"));
    }
    let pairs = args.left() / 2;
    if pairs == 1 {
        let pair = [(args.double()?, args.next()?)];
        return add(ctx, key, &pair, how, counts_changes, reply);
    }
    let pairs = (0..pairs).map(|_| Ok((args.double()?, args.next()?))).collect::<Result<Vec<_>>>()?;
    add(ctx, key, &pairs, how, counts_changes, reply)
}

/// How to add, and whether changes are counted: any of these options in any order.
pub fn parse_how(args: &mut Args, options: &[&str]) -> (AddHow, bool) {
    let (mut how, mut counts_changes) = (AddHow::default(), false);
    while let Some(option) = options.iter().find(|option| args.accept(option)) {
        match *option {
            "NX" => how.nx = true,
            "XX" => how.xx = true,
            "CH" => counts_changes = true,
            "INCR" => how.incr = true,
            "GT" => how.gt = true,
            _ => how.lt = true,
        }
    }
    (how, counts_changes)
}

pub fn add(
    ctx: &mut Ctx,
    key: &[u8],
    pairs: &[(f64, &[u8])],
    how: AddHow,
    counts_changes: bool,
    reply: &mut ReplyWriter,
) -> Result {
    let limits = ctx.server.config.sorted_set;
    if how.xx && ctx.sorted_set_mut(key)?.is_none() {
        if how.incr {
            reply.null()
        } else {
            reply.integer(0)
        }
        return Ok(());
    }
    let longest = pairs.iter().map(|(_, member)| member.len()).max().unwrap_or(0);
    let set =
        ctx.sorted_set_or_create(key, |config| SortedSet::new(pairs.len(), longest, config.sorted_set))?;
    let (mut added, mut updated, mut score, mut failed) = (0, 0, None, false);
    for &(new, member) in pairs {
        match set.add(member, new, how, limits) {
            Ok(Added::New(now)) => (added, score) = (added + 1, Some(now)),
            Ok(Added::Updated(now)) => (updated, score) = (updated + 1, Some(now)),
            Ok(Added::Same(now)) => score = Some(now),
            Ok(Added::Skipped) => {}
            Err(_) => {
                failed = true;
                break;
            }
        }
    }
    let is_empty = set.is_empty();
    if is_empty {
        ctx.remove(key);
    } else if added + updated > 0 {
        let event = if how.incr { "zincr" } else { "zadd" };
        ctx.changed_times(key, Class::SORTED_SET, event, added + updated);
    }
    if failed {
        return Err(error::SCORE_NAN);
    }
    match score {
        Some(score) if how.incr => reply.double(score),
        None if how.incr => reply.null(),
        _ => reply.count(if counts_changes { added + updated } else { added }),
    }
    Ok(())
}

pub const ZINCRBY: Command = Command {
    name: "ZINCRBY",
    syntax: "key increment member",
    summary: "Adds to the score of a member of a sorted set.",
    since: "1.2.0",
    complexity: "O(log(N)) with N the size of the sorted set",
    group: Group::SortedSet,
    flags: WRITE.and(DENYOOM).and(FAST),
    keys: &[Keys::at(1).read_write().access().update()],
    run: zincrby,
    ..Command::BASE
};

fn zincrby(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (key, by, member) = (args.next()?, args.double()?, args.next()?);
    add(ctx, key, &[(by, member)], AddHow { incr: true, ..AddHow::default() }, false, reply)
}

pub const ZREM: Command = Command {
    name: "ZREM",
    syntax: "key member ...",
    summary: "Removes members from a sorted set.",
    since: "1.2.0",
    complexity: "O(M*log(N)) with N the size of the sorted set and M the members removed",
    group: Group::SortedSet,
    flags: WRITE.and(FAST),
    keys: &[Keys::at(1).read_write().delete()],
    history: &[("2.4.0", "Takes several members.")],
    run: zrem,
    ..Command::BASE
};

fn zrem(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let key = args.next()?;
    let Some(set) = ctx.sorted_set_mut(key)? else {
        reply.integer(0);
        return Ok(());
    };
    let removed = args.rest().filter(|member| set.remove(member)).count();
    let is_empty = set.is_empty();
    if removed > 0 {
        ctx.changed_times(key, Class::SORTED_SET, "zrem", removed);
        drop_if_empty(ctx, key, is_empty);
    }
    reply.count(removed);
    Ok(())
}

pub const ZCARD: Command = Command {
    name: "ZCARD",
    syntax: "key",
    summary: "Counts the members of a sorted set.",
    since: "1.2.0",
    group: Group::SortedSet,
    flags: READONLY.and(FAST),
    keys: &[Keys::at(1).read_only()],
    run: zcard,
    ..Command::BASE
};

fn zcard(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let len = ctx.sorted_set(args.next()?)?.map_or(0, SortedSet::len);
    reply.count(len);
    Ok(())
}

pub const ZSCORE: Command = Command {
    name: "ZSCORE",
    syntax: "key member",
    summary: "Gets the score of a member of a sorted set.",
    since: "1.2.0",
    group: Group::SortedSet,
    flags: READONLY.and(FAST),
    keys: &[Keys::at(1).read_only().access()],
    run: zscore,
    ..Command::BASE
};

fn zscore(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (key, member) = (args.next()?, args.next()?);
    match ctx.sorted_set(key)?.and_then(|set| set.score(member)) {
        Some(score) => reply.double(score),
        None => reply.null(),
    }
    Ok(())
}

pub const ZMSCORE: Command = Command {
    name: "ZMSCORE",
    syntax: "key member ...",
    summary: "Gets the scores of several members of a sorted set.",
    since: "6.2.0",
    complexity: "O(N) with N the number of members given",
    group: Group::SortedSet,
    flags: READONLY.and(FAST),
    keys: &[Keys::at(1).read_only().access()],
    run: zmscore,
    ..Command::BASE
};

fn zmscore(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let set = ctx.sorted_set(args.next()?)?;
    let members = args.rest();
    reply.array(members.len());
    for member in members {
        match set.and_then(|set| set.score(member)) {
            Some(score) => reply.double(score),
            None => reply.null(),
        }
    }
    Ok(())
}

pub const ZRANK: Command = Command {
    name: "ZRANK",
    syntax: "key member [WITHSCORE]",
    summary: "Tells the rank of a member of a sorted set, from the lowest score.",
    since: "2.0.0",
    complexity: "O(log(N)) with N the size of the sorted set",
    group: Group::SortedSet,
    flags: READONLY.and(FAST),
    keys: &[Keys::at(1).read_only().access()],
    history: &[("7.2.0", "Knows `WITHSCORE`.")],
    run: zrank,
    ..Command::BASE
};

fn zrank(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    show_rank(ctx, args, reply, false)
}

pub const ZREVRANK: Command = Command {
    name: "ZREVRANK",
    syntax: "key member [WITHSCORE]",
    summary: "Tells the rank of a member of a sorted set, from the highest score.",
    since: "2.0.0",
    complexity: "O(log(N)) with N the size of the sorted set",
    group: Group::SortedSet,
    flags: READONLY.and(FAST),
    keys: &[Keys::at(1).read_only().access()],
    history: &[("7.2.0", "Knows `WITHSCORE`.")],
    run: zrevrank,
    ..Command::BASE
};

fn zrevrank(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    show_rank(ctx, args, reply, true)
}

fn show_rank(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter, backwards: bool) -> Result {
    let (key, member) = (args.next()?, args.next()?);
    if args.left() > 1 {
        return Err(crate::command::call::wrong_arity(ctx.command));
    }
    let with_score = args.accept("WITHSCORE");
    args.end()?;
    let found = ctx.sorted_set(key)?.and_then(|set| {
        let (rank, score) = set.rank(member)?;
        Some((if backwards { set.len() - 1 - rank } else { rank }, score))
    });
    match found {
        Some((rank, score)) if with_score => {
            reply.array(2);
            reply.count(rank);
            reply.double(score);
        }
        Some((rank, _)) => reply.count(rank),
        None if with_score => reply.null_array(),
        None => reply.null(),
    }
    Ok(())
}

pub const ZRANDMEMBER: Command = Command {
    name: "ZRANDMEMBER",
    syntax: "key options=[count [WITHSCORES]]",
    summary: "Gets random members of a sorted set.",
    since: "6.2.0",
    complexity: "O(N) with N the number of members returned",
    group: Group::SortedSet,
    flags: READONLY,
    keys: &[Keys::at(1).read_only().access()],
    tips: &["nondeterministic_output"],
    run: zrandmember,
    ..Command::BASE
};

fn zrandmember(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let key = args.next()?;
    let count = if args.is_empty() { None } else { Some(parse_random_count(args)?) };
    let with_scores = args.accept("WITHSCORES");
    args.end()?;
    let many = count.unwrap_or(0).unsigned_abs();
    if with_scores && many > i64::MAX as u64 / 2 || count.is_some_and(|count| count < 0) && many > RANDOM_MAX
    {
        return Err(error::OUT_OF_RANGE);
    }
    let mut rng = ctx.server.rng.clone();
    let mut next = || rng.next();
    let Some(set) = ctx.sorted_set(key)? else {
        if count.is_some() {
            reply.array(0)
        } else {
            reply.null()
        }
        return Ok(());
    };
    let Some(count) = count else {
        match set.random(&mut next) {
            Some((member, _)) => bulk(reply, member),
            None => reply.null(),
        }
        ctx.server.rng = rng;
        return Ok(());
    };
    let found = if count < 0 {
        set.random_many(many as usize, &mut next)
    } else {
        set.random_distinct(usize::try_from(many).unwrap_or(usize::MAX), &mut next)
    };
    if with_scores {
        reply.pairs(found.len());
    } else {
        reply.array(found.len());
    }
    for (member, score) in found {
        if with_scores {
            reply.pair();
        }
        bulk(reply, member);
        if with_scores {
            reply.double(score);
        }
    }
    ctx.server.rng = rng;
    Ok(())
}

pub const ZSCAN: Command = Command {
    name: "ZSCAN",
    syntax: "key cursor [MATCH pattern] [COUNT count]",
    summary: "Goes over the members of a sorted set, some at a time.",
    since: "2.8.0",
    complexity: "O(1) for each call, O(N) for a full round over N members",
    group: Group::SortedSet,
    flags: READONLY,
    keys: &[Keys::at(1).read_only().access()],
    tips: &["nondeterministic_output"],
    run: zscan,
    ..Command::BASE
};

fn zscan(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let key = args.next()?;
    let cursor = parse_cursor(args.next()?)?;
    let Some(set) = ctx.sorted_set(key)? else {
        reply.array(2);
        reply.bulk(b"0");
        reply.array(0);
        return Ok(());
    };
    let options = ScanOptions::parse(args, ScanOf::Members)?;
    let mut found: Vec<(Vec<u8>, f64)> = Vec::new();
    let next = set.scan(cursor, options.count, &mut |member, score| {
        let member = member.to_vec();
        if options.matches(&member) {
            found.push((member, score));
        }
    });
    reply.array(2);
    reply.bulk(next.to_string().as_bytes());
    reply.array(2 * found.len());
    for (member, score) in found {
        reply.bulk(&member);
        reply.bulk(&number::f64_text(score));
    }
    Ok(())
}

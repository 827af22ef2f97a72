//! Ranges of sorted sets: by place, by score, by text; shown, stored, counted, removed.

use std::ops::Range;

use crate::command::ctx::Ttl;
use crate::command::declaration::*;
use crate::command::{Args, Ctx, Keys};
use crate::commands::list::{bulk, range_of};
use crate::data::number;
use crate::data::sorted_set::{LexRange, ScoreRange, SortedSet};
use crate::data::value::Value;
use crate::resp::ReplyWriter;
use crate::server::error::{self, Error, Result};
use crate::server::notify::Class;

use super::drop_if_empty;

pub const COMMANDS: &[Command] = &[
    ZCOUNT,
    ZLEXCOUNT,
    ZRANGE,
    ZRANGEBYLEX,
    ZRANGEBYSCORE,
    ZRANGESTORE,
    ZREMRANGEBYLEX,
    ZREMRANGEBYRANK,
    ZREMRANGEBYSCORE,
    ZREVRANGE,
    ZREVRANGEBYLEX,
    ZREVRANGEBYSCORE,
];

/// What the two ends of a range are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Rank,
    Score,
    Lex,
}

/// The ends of a range, understood.
enum Ends<'a> {
    Ranks(i64, i64),
    Scores(ScoreRange),
    Texts(LexRange<'a>),
}

/// A range as a command asked for it.
struct Query<'a> {
    ends: Ends<'a>,
    backwards: bool,
    limit: Option<(i64, i64)>,
    with_scores: bool,
}

impl<'a> Ends<'a> {
    fn parse(by: By, min: &'a [u8], max: &'a [u8]) -> Result<Self> {
        Ok(match by {
            By::Rank => {
                let parse = |text| number::parse_i64(text).ok_or(error::NOT_AN_INTEGER);
                Ends::Ranks(parse(min)?, parse(max)?)
            }
            By::Score => Ends::Scores(ScoreRange::parse(min, max).ok_or(error::MIN_MAX_NOT_FLOAT)?),
            By::Lex => Ends::Texts(LexRange::parse(min, max).ok_or(error::MIN_MAX_NOT_LEX)?),
        })
    }

    /// The ranks from the front that the range covers; places count from the back when `backwards`.
    fn ranks(&self, set: &SortedSet, backwards: bool) -> Range<usize> {
        match self {
            Ends::Scores(range) => set.ranks_by_score(range),
            Ends::Texts(range) => set.ranks_by_lex(range),
            Ends::Ranks(start, stop) => {
                let (start, count) = range_of(*start, *stop, set.len());
                if backwards { set.len() - start - count..set.len() - start } else { start..start + count }
            }
        }
    }
}

impl<'a> Query<'a> {
    /// The arguments behind the key (or keys): ends and options. `by` and `backwards` are given by the older commands and
    /// asked for by ZRANGE and ZRANGESTORE.
    fn parse(args: &mut Args<'a>, fixed: Option<(By, bool)>, may_show_scores: bool) -> Result<Self> {
        let (min, max) = (args.next()?, args.next()?);
        let (mut by, mut backwards) = fixed.unwrap_or((By::Rank, false));
        let (mut limit, mut with_scores) = (None, false);
        while !args.is_empty() {
            if may_show_scores && args.accept("WITHSCORES") {
                with_scores = true;
            } else if args.accept_with("LIMIT", 2) {
                limit = Some((args.integer()?, args.integer()?));
            } else if fixed.is_none() && !backwards && args.accept("REV") {
                backwards = true;
            } else if fixed.is_none() && by == By::Rank && args.accept("BYSCORE") {
                by = By::Score;
            } else if fixed.is_none() && by == By::Rank && args.accept("BYLEX") {
                by = By::Lex;
            } else {
                return Err(error::SYNTAX);
            }
        }
        // A count of -1 is what no LIMIT means, and is let through.
        if limit.is_some_and(|(_, count)| count != -1) && by == By::Rank {
            return Err(Error::new(
                "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
            ));
        }
        if with_scores && by == By::Lex {
            return Err(Error::new("ERR syntax error, WITHSCORES not supported in combination with BYLEX"));
        }
        // Backwards, the greater end comes first.
        let (min, max) = if backwards && by != By::Rank { (max, min) } else { (min, max) };
        Ok(Query { ends: Ends::parse(by, min, max)?, backwards, limit, with_scores })
    }

    /// The ranks from the front, LIMIT taken into account.
    fn ranks(&self, set: &SortedSet) -> Range<usize> {
        let ranks = self.ends.ranks(set, self.backwards);
        let Some((offset, count)) = self.limit.filter(|_| !matches!(self.ends, Ends::Ranks(..))) else {
            return ranks;
        };
        if offset < 0 {
            return 0..0;
        }
        let skipped = usize::try_from(offset).unwrap_or(usize::MAX).min(ranks.len());
        let left = ranks.len() - skipped;
        let taken = if count < 0 { left } else { usize::try_from(count).unwrap_or(usize::MAX).min(left) };
        if self.backwards {
            ranks.end - skipped - taken..ranks.end - skipped
        } else {
            ranks.start + skipped..ranks.start + skipped + taken
        }
    }
}

pub const ZRANGE: Command = Command {
    name: "ZRANGE",
    syntax: "key start:string stop:string sortby=[BYSCORE | BYLEX]@6.2.0 [REV@6.2.0] [LIMIT (offset count)@6.2.0] [WITHSCORES]",
    summary: "Gets a range of members of a sorted set, by rank, score or name.",
    since: "1.2.0",
    complexity: "O(log(N)+M) with N the size of the sorted set and M the members returned",
    group: Group::SortedSet,
    flags: READONLY,
    keys: &[Keys::at(1).read_only().access()],
    history: &[("6.2.0", "Knows `REV`, `BYSCORE`, `BYLEX` and `LIMIT`.")],
    run: zrange,
    ..Command::BASE
};

fn zrange(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    show(ctx, args, reply, None)
}

pub const ZREVRANGE: Command = Command {
    name: "ZREVRANGE",
    syntax: "key start stop [WITHSCORES]",
    summary: "Gets a range of members of a sorted set by rank, the highest score first.",
    since: "1.2.0",
    complexity: "O(log(N)+M) with N the size of the sorted set and M the members returned",
    group: Group::SortedSet,
    flags: READONLY,
    keys: &[Keys::at(1).read_only().access()],
    deprecated_since: Some("6.2.0"),
    replaced_by: Some("`ZRANGE` with `REV`"),
    run: zrevrange,
    ..Command::BASE
};

fn zrevrange(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    show(ctx, args, reply, Some((By::Rank, true)))
}

pub const ZRANGEBYSCORE: Command = Command {
    name: "ZRANGEBYSCORE",
    syntax: "key min:double max:double [WITHSCORES@2.0.0] [LIMIT (offset count)]",
    summary: "Gets the members of a sorted set with scores in a range.",
    since: "1.0.5",
    complexity: "O(log(N)+M) with N the size of the sorted set and M the members returned",
    group: Group::SortedSet,
    flags: READONLY,
    keys: &[Keys::at(1).read_only().access()],
    history: &[("2.0.0", "Knows `WITHSCORES`.")],
    deprecated_since: Some("6.2.0"),
    replaced_by: Some("`ZRANGE` with `BYSCORE`"),
    run: zrangebyscore,
    ..Command::BASE
};

fn zrangebyscore(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    show(ctx, args, reply, Some((By::Score, false)))
}

pub const ZREVRANGEBYSCORE: Command = Command {
    name: "ZREVRANGEBYSCORE",
    syntax: "key max:double min:double [WITHSCORES] [LIMIT (offset count)]",
    summary: "Gets the members of a sorted set with scores in a range, the highest first.",
    since: "2.2.0",
    complexity: "O(log(N)+M) with N the size of the sorted set and M the members returned",
    group: Group::SortedSet,
    flags: READONLY,
    keys: &[Keys::at(1).read_only().access()],
    history: &[("2.1.6", "Bounds may be exclusive.")],
    deprecated_since: Some("6.2.0"),
    replaced_by: Some("`ZRANGE` with `REV` and `BYSCORE`"),
    run: zrevrangebyscore,
    ..Command::BASE
};

fn zrevrangebyscore(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    show(ctx, args, reply, Some((By::Score, true)))
}

pub const ZRANGEBYLEX: Command = Command {
    name: "ZRANGEBYLEX",
    syntax: "key min max [LIMIT (offset count)]",
    summary: "Gets the members of a sorted set in an alphabetical range.",
    since: "2.8.9",
    complexity: "O(log(N)+M) with N the size of the sorted set and M the members returned",
    group: Group::SortedSet,
    flags: READONLY,
    keys: &[Keys::at(1).read_only().access()],
    deprecated_since: Some("6.2.0"),
    replaced_by: Some("`ZRANGE` with `BYLEX`"),
    run: zrangebylex,
    ..Command::BASE
};

fn zrangebylex(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    show(ctx, args, reply, Some((By::Lex, false)))
}

pub const ZREVRANGEBYLEX: Command = Command {
    name: "ZREVRANGEBYLEX",
    syntax: "key max min [LIMIT (offset count)]",
    summary: "Gets the members of a sorted set in an alphabetical range, the last first.",
    since: "2.8.9",
    complexity: "O(log(N)+M) with N the size of the sorted set and M the members returned",
    group: Group::SortedSet,
    flags: READONLY,
    keys: &[Keys::at(1).read_only().access()],
    deprecated_since: Some("6.2.0"),
    replaced_by: Some("`ZRANGE` with `REV` and `BYLEX`"),
    run: zrevrangebylex,
    ..Command::BASE
};

fn zrevrangebylex(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    show(ctx, args, reply, Some((By::Lex, true)))
}

fn show(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter, fixed: Option<(By, bool)>) -> Result {
    let key = args.next()?;
    let query = Query::parse(args, fixed, true)?;
    let Some(set) = ctx.sorted_set(key)? else {
        reply.array(0);
        return Ok(());
    };
    let ranks = query.ranks(set);
    if query.with_scores {
        reply.pairs(ranks.len());
    } else {
        reply.array(ranks.len());
    }
    let items = set.iter_ranks(ranks);
    let mut write = |(member, score)| {
        if query.with_scores {
            reply.pair();
        }
        bulk(reply, member);
        if query.with_scores {
            reply.double(score);
        }
    };
    if query.backwards {
        items.rev().for_each(&mut write);
    } else {
        items.for_each(&mut write);
    }
    Ok(())
}

pub const ZRANGESTORE: Command = Command {
    name: "ZRANGESTORE",
    syntax: "dst src min max sortby=[BYSCORE | BYLEX] [REV] [LIMIT (offset count)]",
    summary: "Stores a range of members of a sorted set in another.",
    since: "6.2.0",
    complexity: "O(log(N)+M) with N the size of the sorted set and M the members stored",
    group: Group::SortedSet,
    flags: WRITE.and(DENYOOM),
    keys: &[Keys::at(1).overwrite().update(), Keys::at(2).read_only().access()],
    run: zrangestore,
    ..Command::BASE
};

fn zrangestore(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (destination, source) = (args.next()?, args.next()?);
    let query = Query::parse(args, None, false)?;
    let limits = ctx.server.config.sorted_set;
    let mut stored = SortedSet::new(1, 0, limits);
    if let Some(set) = ctx.sorted_set(source)? {
        let ranks = query.ranks(set);
        stored = SortedSet::new(ranks.len(), 0, limits);
        for (member, score) in set.iter_ranks(ranks) {
            stored.insert(&member.to_vec(), score, limits);
        }
    }
    let len = stored.len();
    if stored.is_empty() {
        ctx.delete(destination);
    } else {
        ctx.set_value(destination, Value::SortedSet(stored), Ttl::Clear);
        ctx.changed(destination, Class::SORTED_SET, "zrangestore");
    }
    reply.count(len);
    Ok(())
}

pub const ZCOUNT: Command = Command {
    name: "ZCOUNT",
    syntax: "key min:double max:double",
    summary: "Counts the members of a sorted set with scores in a range.",
    since: "2.0.0",
    complexity: "O(log(N)) with N the size of the sorted set",
    group: Group::SortedSet,
    flags: READONLY.and(FAST),
    keys: &[Keys::at(1).read_only().access()],
    run: zcount,
    ..Command::BASE
};

fn zcount(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    count(ctx, args, reply, By::Score)
}

pub const ZLEXCOUNT: Command = Command {
    name: "ZLEXCOUNT",
    syntax: "key min max",
    summary: "Counts the members of a sorted set in an alphabetical range.",
    since: "2.8.9",
    complexity: "O(log(N)) with N the size of the sorted set",
    group: Group::SortedSet,
    flags: READONLY.and(FAST),
    keys: &[Keys::at(1).read_only().access()],
    run: zlexcount,
    ..Command::BASE
};

fn zlexcount(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    count(ctx, args, reply, By::Lex)
}

fn count(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter, by: By) -> Result {
    let key = args.next()?;
    let ends = Ends::parse(by, args.next()?, args.next()?)?;
    let count = ctx.sorted_set(key)?.map_or(0, |set| ends.ranks(set, false).len());
    reply.count(count);
    Ok(())
}

pub const ZREMRANGEBYRANK: Command = Command {
    name: "ZREMRANGEBYRANK",
    syntax: "key start stop",
    summary: "Removes the members of a sorted set in a range of ranks.",
    since: "2.0.0",
    complexity: "O(log(N)+M) with N the size of the sorted set and M the members removed",
    group: Group::SortedSet,
    flags: WRITE,
    keys: &[Keys::at(1).read_write().delete()],
    run: zremrangebyrank,
    ..Command::BASE
};

fn zremrangebyrank(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    remove(ctx, args, reply, By::Rank, "zremrangebyrank")
}

pub const ZREMRANGEBYSCORE: Command = Command {
    name: "ZREMRANGEBYSCORE",
    syntax: "key min:double max:double",
    summary: "Removes the members of a sorted set with scores in a range.",
    since: "1.2.0",
    complexity: "O(log(N)+M) with N the size of the sorted set and M the members removed",
    group: Group::SortedSet,
    flags: WRITE,
    keys: &[Keys::at(1).read_write().delete()],
    run: zremrangebyscore,
    ..Command::BASE
};

fn zremrangebyscore(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    remove(ctx, args, reply, By::Score, "zremrangebyscore")
}

pub const ZREMRANGEBYLEX: Command = Command {
    name: "ZREMRANGEBYLEX",
    syntax: "key min max",
    summary: "Removes the members of a sorted set in an alphabetical range.",
    since: "2.8.9",
    complexity: "O(log(N)+M) with N the size of the sorted set and M the members removed",
    group: Group::SortedSet,
    flags: WRITE,
    keys: &[Keys::at(1).read_write().delete()],
    run: zremrangebylex,
    ..Command::BASE
};

fn zremrangebylex(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    remove(ctx, args, reply, By::Lex, "zremrangebylex")
}

fn remove(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter, by: By, event: &str) -> Result {
    let key = args.next()?;
    let ends = Ends::parse(by, args.next()?, args.next()?)?;
    let Some(set) = ctx.sorted_set_mut(key)? else {
        reply.integer(0);
        return Ok(());
    };
    let removed = set.remove_ranks(ends.ranks(set, false));
    let is_empty = set.is_empty();
    if removed > 0 {
        ctx.changed_times(key, Class::SORTED_SET, event, removed);
        drop_if_empty(ctx, key, is_empty);
    }
    reply.count(removed);
    Ok(())
}

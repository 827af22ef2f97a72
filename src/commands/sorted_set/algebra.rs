//! Sorted sets among each other: unions, intersections and differences, with weights.

use std::collections::BTreeMap;

use crate::command::ctx::Ttl;
use crate::command::declaration::*;
use crate::command::{Args, Ctx, Keys};
use crate::data::sorted_set::SortedSet;
use crate::data::value::Value;
use crate::format_error;
use crate::keyspace::ValueRef;
use crate::resp::ReplyWriter;
use crate::server::error::{self, Error, Result};
use crate::server::notify::Class;

pub const COMMANDS: &[Command] = &[ZDIFF, ZDIFFSTORE, ZINTER, ZINTERCARD, ZINTERSTORE, ZUNION, ZUNIONSTORE];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Union,
    Intersection,
    Difference,
}

/// How the scores of one member become one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Aggregate {
    Sum,
    Min,
    Max,
    Count,
}

impl Aggregate {
    fn combine(self, a: f64, b: f64) -> f64 {
        match self {
            // Of zero and minus zero the first one stays.
            Aggregate::Min => {
                if b < a {
                    b
                } else {
                    a
                }
            }
            Aggregate::Max => {
                if b > a {
                    b
                } else {
                    a
                }
            }
            // Infinity and minus infinity have no sum; Redis takes zero.
            Aggregate::Sum | Aggregate::Count => {
                if (a + b).is_nan() {
                    0.0
                } else {
                    a + b
                }
            }
        }
    }

    /// What one set gives a member.
    fn weigh(self, score: f64, weight: f64) -> f64 {
        let weighted = if self == Aggregate::Count { weight } else { score * weight };
        if weighted.is_nan() { 0.0 } else { weighted }
    }
}

/// The arguments behind the destination, if there is one.
struct Query<'a> {
    operation: Operation,
    keys: Vec<&'a [u8]>,
    weights: Vec<f64>,
    aggregate: Aggregate,
    with_scores: bool,
}

/// The keys after their count.
fn parse_keys<'a>(ctx: &mut Ctx, args: &mut Args<'a>) -> Result<Vec<&'a [u8]>> {
    let numkeys = args.integer()?;
    if numkeys < 1 {
        let name = ctx.command.full_name();
        return Err(format_error!("ERR at least 1 input key is needed for '{name}' command"));
    }
    if numkeys as u64 > args.left() as u64 {
        return Err(error::SYNTAX);
    }
    let keys = (0..numkeys).map(|_| args.next()).collect::<Result<Vec<_>>>()?;
    check_types(ctx, &keys)?;
    Ok(keys)
}

/// What the keys hold is judged before the options behind them.
fn check_types(ctx: &mut Ctx, keys: &[&[u8]]) -> Result {
    for key in keys {
        match ctx.peek(key).map(|entry| entry.value()) {
            None | Some(ValueRef::Boxed(Value::SortedSet(_) | Value::Set(_))) => {}
            Some(_) => return Err(error::WRONG_TYPE),
        }
    }
    Ok(())
}

impl<'a> Query<'a> {
    fn parse(
        ctx: &mut Ctx,
        args: &mut Args<'a>,
        operation: Operation,
        may_show_scores: bool,
    ) -> Result<Self> {
        let keys = parse_keys(ctx, args)?;
        let mut query = Query {
            operation,
            weights: vec![1.0; keys.len()],
            keys,
            aggregate: Aggregate::Sum,
            with_scores: false,
        };
        let weighs = operation != Operation::Difference;
        while !args.is_empty() {
            if weighs && args.accept_with("WEIGHTS", query.keys.len()) {
                for weight in &mut query.weights {
                    *weight = args.double_or(error::WEIGHT_NOT_FLOAT)?;
                }
            } else if weighs && args.accept_with("AGGREGATE", 1) {
                query.aggregate = if args.accept("SUM") {
                    Aggregate::Sum
                } else if args.accept("MIN") {
                    Aggregate::Min
                } else if args.accept("MAX") {
                    Aggregate::Max
                } else if args.accept("COUNT") {
                    Aggregate::Count
                } else {
                    return Err(error::SYNTAX);
                };
            } else if may_show_scores && args.accept("WITHSCORES") {
                query.with_scores = true;
            } else {
                return Err(error::SYNTAX);
            }
        }
        Ok(query)
    }

    /// The members with their scores, by member.
    fn run(&self, ctx: &mut Ctx) -> Result<BTreeMap<Vec<u8>, f64>> {
        let mut result = BTreeMap::new();
        let mut sources = Vec::with_capacity(self.keys.len());
        for (key, weight) in self.keys.iter().zip(&self.weights) {
            sources.push((scores_of(ctx, key)?, *weight));
        }
        if self.operation != Operation::Difference {
            // The smallest comes first, as in Redis; it shows where sums round, or meet infinities.
            sources.sort_by_key(|(scores, _)| scores.len());
        }
        for (index, (scores, weight)) in sources.into_iter().enumerate() {
            let weigh = |score: f64| self.aggregate.weigh(score, weight);
            match self.operation {
                _ if index == 0 => {
                    result = scores.into_iter().map(|(member, score)| (member, weigh(score))).collect();
                }
                Operation::Union => {
                    for (member, score) in scores {
                        let weighted = weigh(score);
                        let merge = |old: &mut f64| *old = self.aggregate.combine(*old, weighted);
                        result.entry(member).and_modify(merge).or_insert(weighted);
                    }
                }
                Operation::Intersection => {
                    let mut both = BTreeMap::new();
                    for (member, score) in scores {
                        if let Some(old) = result.get(&member) {
                            let combined = self.aggregate.combine(*old, weigh(score));
                            both.insert(member, combined);
                        }
                    }
                    result = both;
                }
                Operation::Difference => {
                    for (member, _) in scores {
                        result.remove(&member);
                    }
                }
            }
        }
        Ok(result)
    }
}

/// The members of a sorted set, or of a set, whose members all score one.
fn scores_of(ctx: &mut Ctx, key: &[u8]) -> Result<Vec<(Vec<u8>, f64)>> {
    match ctx.read(key).map(|entry| entry.value()) {
        None => Ok(Vec::new()),
        Some(ValueRef::Boxed(Value::SortedSet(set))) => {
            Ok(set.iter().map(|(member, score)| (member.to_vec(), score)).collect())
        }
        Some(ValueRef::Boxed(Value::Set(set))) => {
            Ok(set.iter().map(|member| (member.to_vec(), 1.0)).collect())
        }
        Some(_) => Err(error::WRONG_TYPE),
    }
}

pub const ZUNION: Command = Command {
    name: "ZUNION",
    syntax: "numkeys key ... [WEIGHTS weight ...] [AGGREGATE <SUM | MIN | MAX | COUNT@8.8.0>] [WITHSCORES]",
    summary: "Gets the members that at least one of the sorted sets has.",
    since: "6.2.0",
    complexity: "O(N)+O(M*log(M)) with N the total size and M the size of the outcome",
    group: Group::SortedSet,
    flags: READONLY,
    keys: &[Keys::counted_at(1).read_only().access()],
    history: &[("8.8.0", "`AGGREGATE` knows `COUNT`.")],
    run: zunion,
    ..Command::BASE
};

fn zunion(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    show(ctx, args, reply, Operation::Union)
}

pub const ZINTER: Command = Command {
    name: "ZINTER",
    syntax: "numkeys key ... [WEIGHTS weight ...] [AGGREGATE <SUM | MIN | MAX | COUNT@8.8.0>] [WITHSCORES]",
    summary: "Gets the members that all the sorted sets have in common.",
    since: "6.2.0",
    complexity: "O(N*K)+O(M*log(M)) with N the size of the smallest sorted set, K the number of them and M the size of the outcome",
    group: Group::SortedSet,
    flags: READONLY,
    keys: &[Keys::counted_at(1).read_only().access()],
    history: &[("8.8.0", "`AGGREGATE` knows `COUNT`.")],
    run: zinter,
    ..Command::BASE
};

fn zinter(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    show(ctx, args, reply, Operation::Intersection)
}

pub const ZDIFF: Command = Command {
    name: "ZDIFF",
    syntax: "numkeys key ... [WITHSCORES]",
    summary: "Gets the members of the first sorted set that none of the others has.",
    since: "6.2.0",
    complexity: "O(L+(N-K)*log(N)) with L the total size, N that of the first sorted set and K that of the outcome",
    group: Group::SortedSet,
    flags: READONLY,
    keys: &[Keys::counted_at(1).read_only().access()],
    run: zdiff,
    ..Command::BASE
};

fn zdiff(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    show(ctx, args, reply, Operation::Difference)
}

fn show(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter, operation: Operation) -> Result {
    let query = Query::parse(ctx, args, operation, true)?;
    let mut items: Vec<(Vec<u8>, f64)> = query.run(ctx)?.into_iter().collect();
    crate::data::order::sort_by(&mut items, |a, b| {
        a.1.partial_cmp(&b.1).unwrap_or(std::cmp::Ordering::Equal).then_with(|| a.0.cmp(&b.0))
    });
    if query.with_scores {
        reply.pairs(items.len());
    } else {
        reply.array(items.len());
    }
    for (member, score) in items {
        if query.with_scores {
            reply.pair();
        }
        reply.bulk(&member);
        if query.with_scores {
            reply.double(score);
        }
    }
    Ok(())
}

pub const ZUNIONSTORE: Command = Command {
    name: "ZUNIONSTORE",
    syntax: "destination numkeys key ... [WEIGHTS weight ...] [AGGREGATE <SUM | MIN | MAX | COUNT@8.8.0>]",
    summary: "Stores the members that at least one of the sorted sets has.",
    since: "2.0.0",
    complexity: "O(N)+O(M*log(M)) with N the total size and M the size of the outcome",
    group: Group::SortedSet,
    flags: WRITE.and(DENYOOM),
    keys: &[Keys::at(1).overwrite().update(), Keys::counted_at(2).read_only().access()],
    history: &[("8.8.0", "`AGGREGATE` knows `COUNT`.")],
    run: zunionstore,
    ..Command::BASE
};

fn zunionstore(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    store(ctx, args, reply, Operation::Union, "zunionstore")
}

pub const ZINTERSTORE: Command = Command {
    name: "ZINTERSTORE",
    syntax: "destination numkeys key ... [WEIGHTS weight ...] [AGGREGATE <SUM | MIN | MAX | COUNT@8.8.0>]",
    summary: "Stores the members that all the sorted sets have in common.",
    since: "2.0.0",
    complexity: "O(N*K)+O(M*log(M)) with N the size of the smallest sorted set, K the number of them and M the size of the outcome",
    group: Group::SortedSet,
    flags: WRITE.and(DENYOOM),
    keys: &[Keys::at(1).overwrite().update(), Keys::counted_at(2).read_only().access()],
    history: &[("8.8.0", "`AGGREGATE` knows `COUNT`.")],
    run: zinterstore,
    ..Command::BASE
};

fn zinterstore(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    store(ctx, args, reply, Operation::Intersection, "zinterstore")
}

pub const ZDIFFSTORE: Command = Command {
    name: "ZDIFFSTORE",
    syntax: "destination numkeys key ...",
    summary: "Stores the members of the first sorted set that none of the others has.",
    since: "6.2.0",
    complexity: "O(L+(N-K)*log(N)) with L the total size, N that of the first sorted set and K that of the outcome",
    group: Group::SortedSet,
    flags: WRITE.and(DENYOOM),
    keys: &[Keys::at(1).overwrite().update(), Keys::counted_at(2).read_only().access()],
    run: zdiffstore,
    ..Command::BASE
};

fn zdiffstore(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    store(ctx, args, reply, Operation::Difference, "zdiffstore")
}

fn store(
    ctx: &mut Ctx,
    args: &mut Args,
    reply: &mut ReplyWriter,
    operation: Operation,
    event: &str,
) -> Result {
    let destination = args.next()?;
    let items = Query::parse(ctx, args, operation, false)?.run(ctx)?;
    let limits = ctx.server.config.sorted_set;
    if items.is_empty() {
        ctx.delete(destination);
    } else {
        let longest = items.keys().map(Vec::len).max().unwrap_or(0);
        let mut set = SortedSet::new(items.len(), longest, limits);
        for (member, score) in &items {
            set.insert(member, *score, limits);
        }
        ctx.set_value(destination, Value::SortedSet(set), Ttl::Clear);
        ctx.changed(destination, Class::SORTED_SET, event);
    }
    reply.count(items.len());
    Ok(())
}

pub const ZINTERCARD: Command = Command {
    name: "ZINTERCARD",
    syntax: "numkeys key ... [LIMIT limit]",
    summary: "Counts the members that all the sorted sets have in common.",
    since: "7.0.0",
    complexity: "O(N*K) with N the size of the smallest sorted set and K the number of them",
    group: Group::SortedSet,
    flags: READONLY,
    keys: &[Keys::counted_at(1).read_only().access()],
    run: zintercard,
    ..Command::BASE
};

fn zintercard(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let keys = parse_keys(ctx, args)?;
    let mut limit = 0;
    while !args.is_empty() {
        if !args.accept_with("LIMIT", 1) {
            return Err(error::SYNTAX);
        }
        limit = args.integer_in(0, i64::MAX, Error::new("ERR LIMIT can't be negative"))?;
    }
    let query = Query {
        operation: Operation::Intersection,
        weights: vec![1.0; keys.len()],
        keys,
        aggregate: Aggregate::Sum,
        with_scores: false,
    };
    let len = query.run(ctx)?.len() as i64;
    reply.integer(if limit > 0 { len.min(limit) } else { len });
    Ok(())
}

//! Sets among each other: intersections, unions, differences, kept or shown or counted.

use crate::command::ctx::Ttl;
use crate::command::declaration::*;
use crate::command::{Args, Ctx, Keys};
use crate::commands::list::bulk;
use crate::data::set::{Limits, Set};
use crate::data::value::Value;
use crate::keyspace::ValueRef;
use crate::resp::ReplyWriter;
use crate::server::error::{self, Error, Result};
use crate::server::notify::Class;

pub const COMMANDS: &[Command] =
    &[SDIFF, SDIFFCARD, SDIFFSTORE, SINTER, SINTERCARD, SINTERSTORE, SUNION, SUNIONCARD, SUNIONSTORE];

/// Which members of several sets are meant.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Intersection,
    Union,
    Difference,
}

impl Operation {
    /// The set that results; a missing key is an empty set.
    fn run(self, ctx: &mut Ctx, keys: &[&[u8]]) -> Result<Set> {
        for key in keys {
            ctx.set(key)?;
        }
        let limits = ctx.server.config.set;
        let db = ctx.server.keyspace.db(ctx.db);
        let sets: Vec<Option<&Set>> = keys
            .iter()
            .map(|key| match db.raw(key)?.value() {
                ValueRef::Boxed(Value::Set(set)) => Some(set),
                _ => None,
            })
            .collect();
        Ok(self.combine(&sets, limits))
    }

    fn combine(self, sets: &[Option<&Set>], limits: Limits) -> Set {
        let present: Vec<&Set> = sets.iter().copied().flatten().collect();
        match self {
            Operation::Union => Set::union(&present, limits),
            Operation::Intersection if present.len() < sets.len() => Set::new_intset(),
            Operation::Intersection => Set::intersection(&present, limits),
            Operation::Difference => match sets.split_first() {
                Some((Some(first), others)) => {
                    let others: Vec<&Set> = others.iter().copied().flatten().collect();
                    Set::difference(first, &others, limits)
                }
                _ => Set::new_intset(),
            },
        }
    }

    fn store_event(self) -> &'static str {
        match self {
            Operation::Intersection => "sinterstore",
            Operation::Union => "sunionstore",
            Operation::Difference => "sdiffstore",
        }
    }
}

pub const SINTER: Command = Command {
    name: "SINTER",
    syntax: "key ...",
    summary: "Gets the members that all the sets have in common.",
    complexity: "O(N*M) with N the size of the smallest set and M the number of sets",
    group: Group::Set,
    flags: READONLY,
    keys: &[Keys::from(1).read_only().access()],
    tips: &["nondeterministic_output_order"],
    run: sinter,
    ..Command::BASE
};

fn sinter(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    show(ctx, args, reply, Operation::Intersection)
}

pub const SUNION: Command = Command {
    name: "SUNION",
    syntax: "key ...",
    summary: "Gets the members that at least one of the sets has.",
    complexity: "O(N) with N the total size of the sets",
    group: Group::Set,
    flags: READONLY,
    keys: &[Keys::from(1).read_only().access()],
    tips: &["nondeterministic_output_order"],
    run: sunion,
    ..Command::BASE
};

fn sunion(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    show(ctx, args, reply, Operation::Union)
}

pub const SDIFF: Command = Command {
    name: "SDIFF",
    syntax: "key ...",
    summary: "Gets the members of the first set that none of the others has.",
    complexity: "O(N) with N the total size of the sets",
    group: Group::Set,
    flags: READONLY,
    keys: &[Keys::from(1).read_only().access()],
    tips: &["nondeterministic_output_order"],
    run: sdiff,
    ..Command::BASE
};

fn sdiff(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    show(ctx, args, reply, Operation::Difference)
}

fn show(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter, operation: Operation) -> Result {
    let keys: Vec<&[u8]> = args.rest().collect();
    let set = operation.run(ctx, &keys)?;
    reply.set(set.len());
    set.iter().for_each(|member| bulk(reply, member));
    Ok(())
}

pub const SINTERSTORE: Command = Command {
    name: "SINTERSTORE",
    syntax: "destination key ...",
    summary: "Stores the members that all the sets have in common.",
    complexity: "O(N*M) with N the size of the smallest set and M the number of sets",
    group: Group::Set,
    flags: WRITE.and(DENYOOM),
    keys: &[Keys::at(1).overwrite().update(), Keys::from(2).read_only().access()],
    run: sinterstore,
    ..Command::BASE
};

fn sinterstore(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    store(ctx, args, reply, Operation::Intersection)
}

pub const SUNIONSTORE: Command = Command {
    name: "SUNIONSTORE",
    syntax: "destination key ...",
    summary: "Stores the members that at least one of the sets has.",
    complexity: "O(N) with N the total size of the sets",
    group: Group::Set,
    flags: WRITE.and(DENYOOM),
    keys: &[Keys::at(1).overwrite().update(), Keys::from(2).read_only().access()],
    run: sunionstore,
    ..Command::BASE
};

fn sunionstore(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    store(ctx, args, reply, Operation::Union)
}

pub const SDIFFSTORE: Command = Command {
    name: "SDIFFSTORE",
    syntax: "destination key ...",
    summary: "Stores the members of the first set that none of the others has.",
    complexity: "O(N) with N the total size of the sets",
    group: Group::Set,
    flags: WRITE.and(DENYOOM),
    keys: &[Keys::at(1).overwrite().update(), Keys::from(2).read_only().access()],
    run: sdiffstore,
    ..Command::BASE
};

fn sdiffstore(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    store(ctx, args, reply, Operation::Difference)
}

fn store(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter, operation: Operation) -> Result {
    let destination = args.next()?;
    let keys: Vec<&[u8]> = args.rest().collect();
    let set = operation.run(ctx, &keys)?;
    let len = set.len();
    if set.is_empty() {
        ctx.delete(destination);
    } else {
        ctx.set_value(destination, Value::Set(set), Ttl::Clear);
        ctx.changed(destination, Class::SET, operation.store_event());
    }
    reply.count(len);
    Ok(())
}

pub const SINTERCARD: Command = Command {
    name: "SINTERCARD",
    syntax: "numkeys key ... [LIMIT limit]",
    summary: "Counts the members that all the sets have in common.",
    since: "7.0.0",
    complexity: "O(N*M) with N the size of the smallest set and M the number of sets",
    group: Group::Set,
    flags: READONLY,
    keys: &[Keys::counted_at(1).read_only().access()],
    run: sintercard,
    ..Command::BASE
};

fn sintercard(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (keys, limit) = parse_counted(args, false)?;
    for key in &keys {
        ctx.set(key)?;
    }
    let db = ctx.server.keyspace.db(ctx.db);
    let sets: Option<Vec<&Set>> = keys
        .iter()
        .map(|key| match db.raw(key)?.value() {
            ValueRef::Boxed(Value::Set(set)) => Some(set),
            _ => None,
        })
        .collect();
    let mut count = 0;
    Set::intersect(&sets.unwrap_or_default(), &mut |_| {
        count += 1;
        limit == 0 || count < limit
    });
    reply.integer(count);
    Ok(())
}

pub const SUNIONCARD: Command = Command {
    name: "SUNIONCARD",
    syntax: "numkeys key ... [APPROX] [LIMIT limit]",
    summary: "Counts, or estimates, the members that at least one of the sets has.",
    since: "8.10.0",
    complexity: "O(N) with N the total size of the sets",
    group: Group::Set,
    flags: READONLY,
    keys: &[Keys::counted_at(1).read_only().access()],
    run: sunioncard,
    ..Command::BASE
};

fn sunioncard(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    count_of(ctx, args, reply, Operation::Union)
}

pub const SDIFFCARD: Command = Command {
    name: "SDIFFCARD",
    syntax: "numkeys key ... [LIMIT limit]",
    summary: "Counts the members of the first set that none of the others has.",
    since: "8.10.0",
    complexity: "O(N) with N the total size of the sets",
    group: Group::Set,
    flags: READONLY,
    keys: &[Keys::counted_at(1).read_only().access()],
    run: sdiffcard,
    ..Command::BASE
};

fn sdiffcard(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    count_of(ctx, args, reply, Operation::Difference)
}

fn count_of(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter, operation: Operation) -> Result {
    let (keys, limit) = parse_counted(args, operation == Operation::Union)?;
    let len = operation.run(ctx, &keys)?.len() as i64;
    reply.integer(if limit > 0 { len.min(limit) } else { len });
    Ok(())
}

/// `numkeys key … [LIMIT n]`. An exact count is as good as any approximation, so APPROX asks for nothing more.
fn parse_counted<'a>(args: &mut Args<'a>, may_approximate: bool) -> Result<(Vec<&'a [u8]>, i64)> {
    let keys = args.counted_keys(error::TOO_MANY_KEYS)?;
    let mut limit = 0;
    while !args.is_empty() {
        if args.accept_with("LIMIT", 1) {
            limit = args.integer_in(0, i64::MAX, Error::new("ERR LIMIT can't be negative"))?;
        } else if !(may_approximate && args.accept("APPROX")) {
            return Err(error::SYNTAX);
        }
    }
    Ok((keys, limit))
}

//! Lists: pushing, popping, looking, changing in the middle.

pub mod blocking;
pub mod moving;
pub mod popping;

use crate::command::declaration::{Command, DENYOOM, FAST, Group, READONLY, WRITE};
use crate::command::{Args, Ctx, Keys};
use crate::data::list::{End, List};
use crate::data::listpack::Entry;
use crate::resp::ReplyWriter;
use crate::server::error::{self, Error, Result};
use crate::server::notify::Class;

pub const COMMANDS: &[Command] =
    &[LINDEX, LINSERT, LLEN, LPOS, LPUSH, LPUSHX, LRANGE, LREM, LSET, LTRIM, RPUSH, RPUSHX];

/// An element as a bulk string.
pub fn bulk(reply: &mut ReplyWriter, element: Entry) {
    match element {
        Entry::Int(value) => reply.bulk_integer(value),
        Entry::Bytes(bytes) => reply.bulk(bytes),
    }
}

/// Removes a list that has just become empty; told after the event that emptied it.
fn drop_if_empty(ctx: &mut Ctx, key: &[u8], is_empty: bool) {
    if is_empty {
        ctx.delete_emptied(key);
    }
}

pub const LPUSH: Command = Command {
    name: "LPUSH",
    syntax: "key element ...",
    summary: "Adds elements at the head of a list, which is created when missing.",
    complexity: "O(N) with N the number of elements given",
    group: Group::List,
    flags: WRITE.and(DENYOOM).and(FAST),
    keys: &[Keys::at(1).read_write().insert()],
    history: &[("2.4.0", "Takes several elements.")],
    run: lpush,
    ..Command::BASE
};

fn lpush(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    push(ctx, args, reply, End::Front, "lpush")
}

pub const RPUSH: Command = Command {
    name: "RPUSH",
    syntax: "key element ...",
    summary: "Adds elements at the tail of a list, which is created when missing.",
    complexity: "O(N) with N the number of elements given",
    group: Group::List,
    flags: WRITE.and(DENYOOM).and(FAST),
    keys: &[Keys::at(1).read_write().insert()],
    history: &[("2.4.0", "Takes several elements.")],
    run: rpush,
    ..Command::BASE
};

fn rpush(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    push(ctx, args, reply, End::Back, "rpush")
}

pub const LPUSHX: Command = Command {
    name: "LPUSHX",
    syntax: "key element ...",
    summary: "Adds elements at the head of a list, if it exists.",
    since: "2.2.0",
    complexity: "O(N) with N the number of elements given",
    group: Group::List,
    flags: WRITE.and(DENYOOM).and(FAST),
    keys: &[Keys::at(1).read_write().insert()],
    history: &[("4.0.0", "Takes several elements.")],
    run: lpushx,
    ..Command::BASE
};

fn lpushx(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    push_existing(ctx, args, reply, End::Front, "lpush")
}

pub const RPUSHX: Command = Command {
    name: "RPUSHX",
    syntax: "key element ...",
    summary: "Adds elements at the tail of a list, if it exists.",
    since: "2.2.0",
    complexity: "O(N) with N the number of elements given",
    group: Group::List,
    flags: WRITE.and(DENYOOM).and(FAST),
    keys: &[Keys::at(1).read_write().insert()],
    history: &[("4.0.0", "Takes several elements.")],
    run: rpushx,
    ..Command::BASE
};

fn rpushx(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    push_existing(ctx, args, reply, End::Back, "rpush")
}

fn push(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter, end: End, event: &str) -> Result {
    let key = args.next()?;
    let limits = ctx.server.config.list;
    let pushed = args.left();
    let list = ctx.list_or_create(key, |_| List::new())?;
    list.push_many(end, args.rest(), limits);
    let len = list.len();
    ctx.changed_times(key, Class::LIST, event, pushed);
    reply.count(len);
    Ok(())
}

fn push_existing(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter, end: End, event: &str) -> Result {
    let key = args.next()?;
    let limits = ctx.server.config.list;
    let Some(list) = ctx.list_mut(key)? else {
        reply.integer(0);
        return Ok(());
    };
    let pushed = args.left();
    list.push_many(end, args.rest(), limits);
    let len = list.len();
    ctx.changed_times(key, Class::LIST, event, pushed);
    reply.count(len);
    Ok(())
}

pub const LLEN: Command = Command {
    name: "LLEN",
    syntax: "key",
    summary: "Tells the length of a list.",
    group: Group::List,
    flags: READONLY.and(FAST),
    keys: &[Keys::at(1).read_only()],
    run: llen,
    ..Command::BASE
};

fn llen(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let len = ctx.list(args.next()?)?.map_or(0, List::len);
    reply.count(len);
    Ok(())
}

pub const LINDEX: Command = Command {
    name: "LINDEX",
    syntax: "key index",
    summary: "Gets the element at an index of a list.",
    complexity: "O(N) with N the distance of the element from the nearer end",
    group: Group::List,
    flags: READONLY,
    keys: &[Keys::at(1).read_only().access()],
    run: lindex,
    ..Command::BASE
};

fn lindex(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let key = args.next()?;
    // The key is looked at before the index is read.
    let list = ctx.list(key)?;
    let Some(list) = list else {
        reply.null();
        return Ok(());
    };
    match list.get(args.integer()?) {
        Some(element) => bulk(reply, element),
        None => reply.null(),
    }
    Ok(())
}

pub const LSET: Command = Command {
    name: "LSET",
    syntax: "key index element",
    summary: "Replaces the element at an index of a list.",
    complexity: "O(N) with N the distance of the element from the nearer end",
    group: Group::List,
    flags: WRITE.and(DENYOOM),
    keys: &[Keys::at(1).read_write().update()],
    run: lset,
    ..Command::BASE
};

fn lset(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (key, index, value) = (args.next()?, args.next()?, args.next()?);
    let limits = ctx.server.config.list;
    let list = ctx.list_mut(key)?.ok_or(error::NO_SUCH_KEY)?;
    let index = crate::data::number::parse_i64(index).ok_or(error::NOT_AN_INTEGER)?;
    if !list.set(index, value, limits) {
        return Err(error::INDEX_OUT_OF_RANGE);
    }
    ctx.changed(key, Class::LIST, "lset");
    reply.ok();
    Ok(())
}

pub const LINSERT: Command = Command {
    name: "LINSERT",
    syntax: "key where=<BEFORE | AFTER> pivot element",
    summary: "Inserts an element before or after another one in a list.",
    since: "2.2.0",
    complexity: "O(N) with N the number of elements seen before the pivot",
    group: Group::List,
    flags: WRITE.and(DENYOOM),
    keys: &[Keys::at(1).read_write().insert()],
    run: linsert,
    ..Command::BASE
};

fn linsert(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let key = args.next()?;
    let side = if args.accept("BEFORE") {
        End::Front
    } else if args.accept("AFTER") {
        End::Back
    } else {
        return Err(error::SYNTAX);
    };
    let (pivot, element) = (args.next()?, args.next()?);
    let limits = ctx.server.config.list;
    let Some(list) = ctx.list_mut(key)? else {
        reply.integer(0);
        return Ok(());
    };
    if !list.insert_beside(pivot, side, element, limits) {
        reply.integer(-1);
        return Ok(());
    }
    let len = list.len();
    ctx.changed(key, Class::LIST, "linsert");
    reply.count(len);
    Ok(())
}

pub const LRANGE: Command = Command {
    name: "LRANGE",
    syntax: "key start stop",
    summary: "Gets a range of elements of a list.",
    complexity: "O(S+N) with S the distance of the start from the nearer end and N the number of elements in the range",
    group: Group::List,
    flags: READONLY,
    keys: &[Keys::at(1).read_only().access()],
    run: lrange,
    ..Command::BASE
};

fn lrange(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (key, start, stop) = (args.next()?, args.integer()?, args.integer()?);
    let Some(list) = ctx.list(key)? else {
        reply.array(0);
        return Ok(());
    };
    let (start, count) = range_of(start, stop, list.len());
    reply.array(count);
    for element in list.range(start, count) {
        bulk(reply, element);
    }
    Ok(())
}

/// Where a range of indexes begins in a list of `len` elements, and how many it holds. Negative indexes count from the
/// back; both ends belong to it.
pub fn range_of(start: i64, stop: i64, len: usize) -> (usize, usize) {
    let len = len as i64;
    let start = if start < 0 { len.saturating_add(start).max(0) } else { start };
    let stop = if stop < 0 { len.saturating_add(stop) } else { stop }.min(len - 1);
    if start > stop || start >= len { (0, 0) } else { (start as usize, (stop - start + 1) as usize) }
}

pub const LTRIM: Command = Command {
    name: "LTRIM",
    syntax: "key start stop",
    summary: "Cuts a list down to a range of its elements.",
    complexity: "O(N) with N the number of elements removed",
    group: Group::List,
    flags: WRITE,
    keys: &[Keys::at(1).read_write().delete()],
    run: ltrim,
    ..Command::BASE
};

fn ltrim(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (key, start, stop) = (args.next()?, args.integer()?, args.integer()?);
    let limits = ctx.server.config.list;
    if let Some(list) = ctx.list_mut(key)? {
        let len = list.len();
        let (start, count) = range_of(start, stop, len);
        list.trim(start, count, limits);
        let (is_empty, trimmed) = (list.is_empty(), len - list.len());
        ctx.changed_times(key, Class::LIST, "ltrim", trimmed);
        drop_if_empty(ctx, key, is_empty);
    }
    reply.ok();
    Ok(())
}

pub const LREM: Command = Command {
    name: "LREM",
    syntax: "key count element",
    summary: "Removes the elements of a list that equal a value.",
    complexity: "O(N+M) with N the length of the list and M the number of elements removed",
    group: Group::List,
    flags: WRITE,
    keys: &[Keys::at(1).read_write().delete()],
    run: lrem,
    ..Command::BASE
};

fn lrem(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (key, count, element) = (args.next()?, args.integer()?, args.next()?);
    let limits = ctx.server.config.list;
    let Some(list) = ctx.list_mut(key)? else {
        reply.integer(0);
        return Ok(());
    };
    let removed = list.remove_value(count, element, limits);
    let is_empty = list.is_empty();
    if removed > 0 {
        ctx.changed_times(key, Class::LIST, "lrem", removed);
        drop_if_empty(ctx, key, is_empty);
    }
    reply.count(removed);
    Ok(())
}

pub const LPOS: Command = Command {
    name: "LPOS",
    syntax: "key element [RANK rank] [COUNT num-matches] [MAXLEN len]",
    summary: "Finds the positions of an element in a list.",
    since: "6.0.6",
    complexity: "O(N) with N the length of the list; less with MAXLEN",
    group: Group::List,
    flags: READONLY,
    keys: &[Keys::at(1).read_only().access()],
    run: lpos,
    ..Command::BASE
};

fn lpos(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (key, element) = (args.next()?, args.next()?);
    let (mut rank, mut count, mut maxlen) = (1, None, 0);
    while !args.is_empty() {
        if args.accept_with("RANK", 1) {
            rank = args.integer()?;
            if rank == i64::MIN {
                return Err(error::OUT_OF_RANGE_NEGATABLE);
            }
            if rank == 0 {
                return Err(Error::new(
                    "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list",
                ));
            }
        } else if args.accept_with("COUNT", 1) {
            count = Some(args.integer_in(0, i64::MAX, Error::new("ERR COUNT can't be negative"))?);
        } else if args.accept_with("MAXLEN", 1) {
            maxlen = args.integer_in(0, i64::MAX, Error::new("ERR MAXLEN can't be negative"))?;
        } else {
            return Err(error::SYNTAX);
        }
    }
    let wanted = count.unwrap_or(1) as u64;
    let found = match ctx.list(key)? {
        Some(list) => list.positions(element, rank, wanted, maxlen as u64),
        None => Vec::new(),
    };
    if count.is_none() {
        match found.first() {
            Some(&position) => reply.integer(position as i64),
            None => reply.null(),
        }
        return Ok(());
    }
    reply.array(found.len());
    for position in found {
        reply.integer(position as i64);
    }
    Ok(())
}

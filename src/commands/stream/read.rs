//! Reading on from where one was, alone or as a consumer of a group, and waiting for what comes.

use crate::command::declaration::*;
use crate::command::{Args, Ctx, Keys};
use crate::data::stream::{Entry, Group as ConsumerGroup, Stream, StreamId};
use crate::format_error;
use crate::resp::ReplyWriter;
use crate::resp::writer::Mark;
use crate::server::blocked::OnTimeout;
use crate::server::error::{self, Error, Result};

use super::claim::{DELIVERIES_MAX, Told, consumer_of, drop_gone, hand_over};
use super::{no_group, parse_id, write_entry, write_id, write_pairs};

pub const COMMANDS: &[Command] = &[XREAD, XREADGROUP];

#[derive(Default)]
struct Options<'a> {
    group: Option<(&'a [u8], &'a [u8])>,
    /// For each stream; 0 is no limit.
    count: usize,
    budget: Budget,
    /// The end of the wait, if the client is willing to wait.
    deadline_ms: Option<Option<u64>>,
    noack: bool,
    claim_min_idle: Option<i64>,
    keys_at: usize,
    streams: usize,
}

/// What may still be said, over all streams.
#[derive(Clone, Copy, Default)]
struct Budget {
    count_max: Option<usize>,
    bytes_max: Option<usize>,
    written: usize,
    /// Length of the reply's buffer before the command.
    start: usize,
    is_spent: bool,
}

impl Budget {
    /// Whether one more entry may be looked at.
    fn has_room(&self) -> bool {
        !self.is_spent && self.count_max.is_none_or(|max| self.written < max)
    }

    /// Writes an entry unless that would be too much; the first one is written in any case.
    fn write(&mut self, reply: &mut ReplyWriter, write: impl FnOnce(&mut ReplyWriter)) -> bool {
        if !self.has_room() {
            return false;
        }
        let mark = reply.mark();
        write(reply);
        if self.written > 0 && self.bytes_max.is_some_and(|max| reply.len() - self.start > max) {
            reply.roll_back(mark);
            self.is_spent = true;
            return false;
        }
        self.written += 1;
        true
    }
}

/// Where reading goes on.
#[derive(Clone, Copy)]
enum From {
    After(StreamId),
    /// `>`: what the group has not handed out yet.
    New,
}

pub const XREAD: Command = Command {
    name: "XREAD",
    syntax: "[COUNT count] [MAXCOUNT maxcount@8.10.0] [MAXSIZE maxsize@8.10.0] [BLOCK milliseconds] STREAMS (key ... id ...)",
    summary: "Reads the entries of streams after given IDs, and may wait for new ones.",
    since: "5.0.0",
    complexity: "O(M) for each stream, with M the number of entries returned",
    group: Group::Stream,
    flags: READONLY.and(BLOCKING),
    keys: &[Keys::after("STREAMS", 1).range(-1, 1, 2).read_only().access().incomplete()],
    history: &[("8.10.0", "Knows `MAXCOUNT` and `MAXSIZE`.")],
    run: xread,
    ..Command::BASE
};

fn xread(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let mut options = parse(ctx, args, false)?;
    let from = parse_positions(ctx, args, &options)?;
    options.budget.start = reply.len();
    let mark = reply.mark();
    let mut served = 0;
    for (index, from) in from.iter().enumerate() {
        let From::After(after) = *from else { continue };
        let key = args.get(options.keys_at + index);
        let Some(stream) = ctx.stream_mut(key)? else { continue };
        let Some(start) = after.next().filter(|_| options.budget.has_room()) else { continue };
        let (count, mut budget) = (options.count, options.budget);
        served += usize::from(write_stream(reply, key, |reply| {
            let entries = stream.range(start, StreamId::MAX);
            let entries = entries.take(if count == 0 { usize::MAX } else { count });
            let written = entries.take_while(|entry| budget.write(reply, |reply| write_entry(reply, entry)));
            written.count()
        }));
        options.budget = budget;
    }
    finish(ctx, args, reply, &options, (mark, served), &from)
}

/// A stream's name and entries; nothing when there are none.
fn write_stream(
    reply: &mut ReplyWriter,
    key: &[u8],
    write_entries: impl FnOnce(&mut ReplyWriter) -> usize,
) -> bool {
    let before = reply.mark();
    if !reply.is_resp3() {
        reply.array(2);
    }
    reply.bulk(key);
    let mark = reply.mark();
    let count = write_entries(reply);
    if count == 0 {
        reply.roll_back(before);
        return false;
    }
    reply.close_array(mark, count);
    true
}

fn finish(
    ctx: &mut Ctx,
    args: &Args,
    reply: &mut ReplyWriter,
    options: &Options,
    (mark, served): (Mark, usize),
    from: &[From],
) -> Result {
    if served > 0 {
        if reply.is_resp3() {
            reply.close_map(mark, served);
        } else {
            reply.close_array(mark, served);
        }
        return Ok(());
    }
    let Some(deadline_ms) = options.deadline_ms else {
        reply.null_array();
        return Ok(());
    };
    // When it runs again, `$` must still be what it is now.
    let ids_at = options.keys_at + options.streams;
    let ids: Vec<Vec<u8>> = from
        .iter()
        .enumerate()
        .map(|(index, from)| match (args.get(ids_at + index), from) {
            (b"$", From::After(id)) => id.to_text(),
            (text, _) => text.to_vec(),
        })
        .collect();
    let words: Vec<&[u8]> = args.words().take(ids_at).chain(ids.iter().map(Vec::as_slice)).collect();
    let keys = (0..options.streams).map(|index| args.get(options.keys_at + index));
    let wakes_on_delete = options.group.is_some();
    if options.claim_min_idle.is_none() {
        ctx.block_as(reply, &words, keys, deadline_ms, OnTimeout::NullArray, wakes_on_delete);
        return Ok(());
    }
    let retry_ms = next_claim_ms(ctx, args, options, from)?.into_iter().chain(deadline_ms).min();
    ctx.block_as(reply, &words, keys, retry_ms, OnTimeout::RetryUntil(deadline_ms), wakes_on_delete);
    Ok(())
}

/// When the first of the pending entries will have waited for long enough.
fn next_claim_ms(ctx: &mut Ctx, args: &Args, options: &Options, from: &[From]) -> Result<Option<u64>> {
    let (Some((name, _)), Some(min_idle)) = (options.group, options.claim_min_idle) else { return Ok(None) };
    let now_ms = ctx.now_ms();
    let mut first: Option<u64> = None;
    for (index, from) in from.iter().enumerate() {
        let key = args.get(options.keys_at + index);
        let group = ctx.stream_mut(key)?.and_then(|stream| stream.group(name));
        let oldest =
            group.filter(|_| matches!(from, From::New)).and_then(|group| group.pending_by_time().next());
        if let Some((_, pending)) = oldest {
            let when_ms = pending.delivered_ms.saturating_add(min_idle).max(0) as u64;
            first = first.into_iter().chain([when_ms.max(now_ms + 1)]).min();
        }
    }
    Ok(first)
}

fn parse<'a>(ctx: &Ctx, args: &mut Args<'a>, is_group: bool) -> Result<Options<'a>> {
    let name = if is_group { "xreadgroup" } else { "xread" };
    let only_groups = |option: &str| {
        format_error!("ERR The {option} option is only supported by XREADGROUP. You called XREAD instead.")
    };
    let mut options = Options::default();
    while options.keys_at == 0 {
        if args.accept_with("BLOCK", 1) {
            options.deadline_ms = Some(ctx.deadline_of_milliseconds(args.next()?)?);
        } else if args.accept_with("COUNT", 1) {
            options.count = usize::try_from(args.integer()?.max(0)).unwrap_or(usize::MAX);
        } else if args.accept_with("MAXCOUNT", 1) {
            let bad = Error::new("ERR MAXCOUNT must be a positive integer");
            options.budget.count_max =
                Some(usize::try_from(args.integer_in(1, i64::MAX, bad)?).unwrap_or(usize::MAX));
        } else if args.accept_with("MAXSIZE", 1) {
            let bad = Error::new("ERR MAXSIZE must be a positive integer");
            options.budget.bytes_max =
                Some(usize::try_from(args.integer_in(1, i64::MAX, bad)?).unwrap_or(usize::MAX));
        } else if args.accept_with("STREAMS", 1) {
            if !args.left().is_multiple_of(2) {
                let what = if is_group { "ID or '>'" } else { "ID, '+', or '$'" };
                return Err(format_error!(
                    "ERR Unbalanced '{name}' list of streams: for each stream key an {what} must be specified."
                ));
            }
            options.keys_at = args.position();
            options.streams = args.left() / 2;
        } else if args.accept_with("GROUP", 2) {
            if !is_group {
                return Err(only_groups("GROUP"));
            }
            options.group = Some((args.next()?, args.next()?));
        } else if args.accept("NOACK") {
            if !is_group {
                return Err(only_groups("NOACK"));
            }
            options.noack = true;
        } else if args.accept_with("CLAIM", 1) {
            if !is_group {
                return Err(only_groups("CLAIM"));
            }
            let min_idle = args.integer_or(Error::new("ERR min-idle-time is not an integer"))?;
            if min_idle < 0 {
                return Err(Error::new("ERR min-idle-time must be a positive integer"));
            }
            options.claim_min_idle = Some(min_idle);
        } else {
            return Err(error::SYNTAX);
        }
    }
    if options.budget.count_max.is_some_and(|max| max < options.count) {
        return Err(Error::new("ERR MAXCOUNT must be greater than or equal to COUNT"));
    }
    if is_group && options.group.is_none() {
        return Err(Error::new("ERR Missing GROUP option for XREADGROUP"));
    }
    Ok(options)
}

fn parse_positions(ctx: &mut Ctx, args: &Args, options: &Options) -> Result<Vec<From>> {
    let ids_at = options.keys_at + options.streams;
    let is_group = options.group.is_some();
    let meaningless = |sign: &str| {
        format_error!(
            "ERR The {sign} ID is meaningless in the context of XREADGROUP: you want to read the history of this \
             consumer by specifying a proper ID, or use the > ID to get new messages. The {sign} ID would just return \
             an empty result set."
        )
    };
    let mut positions = Vec::with_capacity(options.streams);
    for index in 0..options.streams {
        let key = args.get(options.keys_at + index);
        let stream = ctx.stream(key)?;
        if let Some((group, _)) = options.group
            && stream.is_none_or(|stream| stream.group(group).is_none())
        {
            return Err(no_group(key, group, " in XREADGROUP with GROUP option"));
        }
        positions.push(match args.get(ids_at + index) {
            b"$" if is_group => return Err(meaningless("$")),
            b"+" if is_group => return Err(meaningless("+")),
            b"$" => From::After(stream.map_or(StreamId::MIN, |stream| stream.last_id)),
            // The last entry there is, even if ids above it are taken.
            b"+" => From::After(
                stream.and_then(|stream| stream.last_live_id()?.previous()).unwrap_or(StreamId::MIN),
            ),
            b">" if is_group => From::New,
            b">" => {
                return Err(Error::new(
                    "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> \
                     option.",
                ));
            }
            id => match parse_id(id, 0)? {
                // To a group, the greatest id says the same as `>`.
                StreamId::MAX if is_group => From::New,
                id => From::After(id),
            },
        });
    }
    Ok(positions)
}

pub const XREADGROUP: Command = Command {
    name: "XREADGROUP",
    syntax: "GROUP group-block=(group consumer) [COUNT count] [MAXCOUNT maxcount@8.10.0] [MAXSIZE maxsize@8.10.0] [BLOCK milliseconds] [CLAIM min-idle-time:integer@8.4.0] [NOACK] STREAMS (key ... id ...)",
    summary: "Reads entries of streams as a consumer of a group, and may wait for new ones.",
    since: "5.0.0",
    complexity: "O(M) for each stream, with M the number of entries returned",
    group: Group::Stream,
    flags: WRITE.and(BLOCKING),
    keys: &[Keys::after("STREAMS", 4).range(-1, 1, 2).read_only().access().incomplete()],
    history: &[("8.4.0", "Knows `CLAIM`."), ("8.10.0", "Knows `MAXCOUNT` and `MAXSIZE`.")],
    run: xreadgroup,
    ..Command::BASE
};

fn xreadgroup(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let mut options = parse(ctx, args, true)?;
    let from = parse_positions(ctx, args, &options)?;
    let (group, consumer) = options.group.ok_or(error::SYNTAX)?;
    options.budget.start = reply.len();
    ctx.propagate_nothing();
    let mark = reply.mark();
    let mut served = 0;
    for (index, from) in from.iter().enumerate() {
        let key = args.get(options.keys_at + index);
        if !options.budget.has_room() {
            break;
        }
        let is_served = match *from {
            From::After(after) => read_history(ctx, key, (group, consumer), after, &mut options, reply)?,
            From::New => read_new(ctx, key, (group, consumer), &mut options, reply)?,
        };
        served += usize::from(is_served);
    }
    finish(ctx, args, reply, &options, (mark, served), &from)
}

/// What the consumer has pending; a stream is shown even if that is nothing.
fn read_history(
    ctx: &mut Ctx,
    key: &[u8],
    (group_name, consumer): (&[u8], &[u8]),
    after: StreamId,
    options: &mut Options,
    reply: &mut ReplyWriter,
) -> Result<bool> {
    let owner = consumer_of(ctx, key, group_name, consumer)?;
    let now_ms = ctx.now_ms() as i64;
    let Some(stream) = ctx.stream_mut(key)? else { return Ok(false) };
    let Some(group) = stream.group(group_name) else { return Ok(false) };
    let limit = if options.count == 0 { usize::MAX } else { options.count };
    let ids: Vec<StreamId> = match after.next() {
        Some(start) => group.consumer(owner).pending().range(start..).take(limit).copied().collect(),
        None => Vec::new(),
    };
    if !reply.is_resp3() {
        reply.array(2);
    }
    reply.bulk(key);
    let mark = reply.mark();
    let (mut count, mut delivered) = (0, Vec::new());
    for id in ids {
        let entry = stream.get(id);
        let is_written = options.budget.write(reply, |reply| match &entry {
            Some(entry) => write_entry(reply, entry),
            None => {
                reply.array(2);
                write_id(reply, id);
                reply.null_array();
            }
        });
        if !is_written {
            break;
        }
        count += 1;
        if entry.is_some() {
            delivered.push(id);
        }
    }
    reply.close_array(mark, count);
    if let Some(group) = stream.group_mut(group_name) {
        for id in delivered {
            let deliveries = group.get(id).map_or(0, |pending| pending.deliveries);
            group.assign(id, owner, now_ms, deliveries.saturating_add(1).min(DELIVERIES_MAX));
        }
    }
    Ok(true)
}

/// What the group has not handed out, after what has waited for too long with other consumers.
fn read_new(
    ctx: &mut Ctx,
    key: &[u8],
    (group_name, consumer): (&[u8], &[u8]),
    options: &mut Options,
    reply: &mut ReplyWriter,
) -> Result<bool> {
    let owner = consumer_of(ctx, key, group_name, consumer)?;
    let now_ms = ctx.now_ms() as i64;
    let mut told = Told::new(ctx, key, group_name);
    let Some(stream) = ctx.stream_mut(key)? else { return Ok(false) };
    let limit = if options.count == 0 { usize::MAX } else { options.count };
    let (mut claimed, mut gone, mut new) = (Vec::new(), Vec::new(), Vec::new());
    let Some(group) = stream.group(group_name) else { return Ok(false) };
    let with_delivery = options.claim_min_idle.is_some();
    let budget = &mut options.budget;
    let is_served = write_stream(reply, key, |reply| {
        if let Some(min_idle) = options.claim_min_idle {
            claim_idle(stream, group, (min_idle, now_ms, limit), budget, reply, (&mut claimed, &mut gone));
        }
        let start = group.last_id.next();
        for entry in start.into_iter().flat_map(|start| stream.range(start, StreamId::MAX)) {
            if claimed.len() + new.len() >= limit {
                break;
            }
            let delivery = with_delivery.then_some((0, 0));
            if !budget.write(reply, |reply| write_delivered(reply, &entry, delivery)) {
                break;
            }
            new.push(entry.id);
        }
        claimed.len() + new.len()
    });
    // How far the group is after each of the new entries.
    let (mut last_id, mut entries_read) = (group.last_id, group.entries_read);
    for &id in &new {
        entries_read = stream.entries_read_at(last_id, entries_read, id);
        last_id = id;
    }
    let Some(group) = stream.group_mut(group_name) else { return Ok(false) };
    (group.last_id, group.entries_read) = (last_id, entries_read);
    for &id in &gone {
        drop_gone(group, id, &mut told);
    }
    for &(id, deliveries) in &claimed {
        hand_over(group, id, owner, now_ms, (deliveries + 1).min(DELIVERIES_MAX), now_ms, &mut told);
    }
    if !options.noack {
        for &id in &new {
            hand_over(group, id, owner, now_ms, 1, now_ms, &mut told);
        }
    }
    if !new.is_empty() {
        told.position(group);
    }
    if !(new.is_empty() && claimed.is_empty() && gone.is_empty()) {
        ctx.server.dirty += 1;
    }
    told.send(ctx);
    Ok(is_served)
}

/// Shows the pending entries that may be claimed, and finds those that are gone from the stream.
fn claim_idle(
    stream: &Stream,
    group: &ConsumerGroup,
    (min_idle, now_ms, limit): (i64, i64, usize),
    budget: &mut Budget,
    reply: &mut ReplyWriter,
    (claimed, gone): (&mut Vec<(StreamId, u64)>, &mut Vec<StreamId>),
) {
    for (id, pending) in group.pending_by_time() {
        let idle = now_ms - pending.delivered_ms;
        if claimed.len() >= limit || (pending.owner.is_some() && idle < min_idle) {
            break;
        }
        let Some(entry) = stream.get(id) else {
            gone.push(id);
            continue;
        };
        let delivery = Some((idle.max(0), pending.deliveries as i64));
        if !budget.write(reply, |reply| write_delivered(reply, &entry, delivery)) {
            break;
        }
        claimed.push((id, pending.deliveries));
    }
}

/// With CLAIM, an entry says how long ago it was last delivered and how often it has been.
fn write_delivered(reply: &mut ReplyWriter, entry: &Entry, delivery: Option<(i64, i64)>) {
    match delivery {
        None => write_entry(reply, entry),
        Some((idle, deliveries)) => {
            reply.array(4);
            write_id(reply, entry.id);
            write_pairs(reply, entry);
            reply.integer(idle);
            reply.integer(deliveries);
        }
    }
}

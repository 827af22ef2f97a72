//! Handing pending entries to another consumer.

use crate::command::declaration::*;
use crate::command::{Args, Ctx, Keys};
use crate::data::stream::{ConsumerNumber, Group as ConsumerGroup, IdText, Pending, Stream, StreamId};
use crate::resp::ReplyWriter;
use crate::server::error::{self, Error, Result};
use crate::server::notify::Class;

use super::{no_group, parse_id, parse_start, write_entry, write_id};

pub const COMMANDS: &[Command] = &[XAUTOCLAIM, XCLAIM];

/// Counts of deliveries end where a reply's integers do.
pub(super) const DELIVERIES_MAX: u64 = i64::MAX as u64;

/// The consumer of this name, made where there is none.
pub(super) fn consumer_of(
    ctx: &mut Ctx,
    key: &[u8],
    group_name: &[u8],
    name: &[u8],
) -> Result<ConsumerNumber> {
    let now_ms = ctx.now_ms() as i64;
    let missing = || no_group(key, group_name, "");
    let group = ctx.stream_mut(key)?.and_then(|stream| stream.group_mut(group_name)).ok_or_else(missing)?;
    if let Some(number) = group.consumer_number(name) {
        group.consumer_mut(number).seen_ms = now_ms;
        return Ok(number);
    }
    let number = group.create_consumer(name, now_ms);
    ctx.server.dirty += 1;
    ctx.notify(key, Class::STREAM, "xgroup-createconsumer");
    ctx.propagate_as(&[b"XGROUP" as &[u8], b"CREATECONSUMER", key, group_name, name]);
    Ok(number)
}

/// A group's state that goes to replicas.
pub(super) struct Told<'a> {
    pub key: &'a [u8],
    pub group: &'a [u8],
    pub words: Vec<Vec<Vec<u8>>>,
    /// Whether anybody listens.
    pub is_on: bool,
}

impl<'a> Told<'a> {
    pub fn new(ctx: &Ctx, key: &'a [u8], group: &'a [u8]) -> Self {
        Told { key, group, words: Vec::new(), is_on: ctx.server.propagation.is_on() }
    }

    /// That an entry is pending with this consumer, or is to be dropped where it is gone.
    pub fn claim(&mut self, group: &ConsumerGroup, consumer: &[u8], id: StreamId, pending: Pending) {
        if !self.is_on {
            return;
        }
        let number = |value: i64| value.to_string().into_bytes();
        self.words.push(vec![
            b"XCLAIM".to_vec(),
            self.key.to_vec(),
            self.group.to_vec(),
            consumer.to_vec(),
            b"0".to_vec(),
            id.to_text(),
            b"TIME".to_vec(),
            number(pending.delivered_ms),
            b"RETRYCOUNT".to_vec(),
            number(pending.deliveries as i64),
            b"FORCE".to_vec(),
            b"JUSTID".to_vec(),
            b"LASTID".to_vec(),
            group.last_id.to_text(),
        ]);
    }

    /// How far the group has read.
    pub fn position(&mut self, group: &ConsumerGroup) {
        if self.is_on {
            let words: [&[u8]; 4] = [b"XGROUP", b"SETID", self.key, self.group];
            let mut words: Vec<Vec<u8>> = words.iter().map(|word| word.to_vec()).collect();
            words.push(group.last_id.to_text());
            words.push(b"ENTRIESREAD".to_vec());
            words.push(group.entries_read.to_string().into_bytes());
            self.words.push(words);
        }
    }

    pub fn send(self, ctx: &mut Ctx) {
        for words in &self.words {
            ctx.propagate_as(words);
        }
    }
}

/// Gives an entry to a consumer at `delivered_ms`.
pub(super) fn hand_over(
    group: &mut ConsumerGroup,
    id: StreamId,
    owner: ConsumerNumber,
    delivered_ms: i64,
    deliveries: u64,
    now_ms: i64,
    told: &mut Told,
) {
    group.assign(id, owner, delivered_ms, deliveries);
    group.consumer_mut(owner).active_ms = now_ms;
    if told.is_on
        && let Some(pending) = group.get(id)
    {
        let name = group.consumer(owner).name.clone();
        told.claim(group, &name, id, pending);
    }
}

/// Takes an entry that is no longer in the stream off the list.
pub(super) fn drop_gone(group: &mut ConsumerGroup, id: StreamId, told: &mut Told) {
    if let Some(pending) = group.get(id) {
        let name = pending.owner.map(|owner| group.consumer(owner).name.clone()).unwrap_or_default();
        told.claim(group, &name, id, pending);
        group.release(id);
    }
}

struct ClaimOptions {
    min_idle: i64,
    delivered_ms: i64,
    retry_count: Option<u64>,
    force: bool,
    just_id: bool,
    last_id: StreamId,
}

pub const XCLAIM: Command = Command {
    name: "XCLAIM",
    syntax: "key group consumer min-idle-time id ... [IDLE ms] [TIME unix-time-milliseconds] [RETRYCOUNT count] [FORCE] [JUSTID] [LASTID lastid]",
    summary: "Hands pending entries to another consumer.",
    since: "5.0.0",
    complexity: "O(log(N)) with N the number of pending entries of the group",
    group: Group::Stream,
    flags: WRITE.and(FAST),
    keys: &[Keys::at(1).read_write().update()],
    tips: &["nondeterministic_output"],
    run: xclaim,
    ..Command::BASE
};

fn xclaim(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (key, name, consumer) = (args.next()?, args.next()?, args.next()?);
    let missing = || no_group(key, name, "");
    ctx.stream(key)?.and_then(|stream| stream.group(name)).ok_or_else(missing)?;
    let now_ms = ctx.now_ms() as i64;
    let (ids, options) = parse_claim(args, now_ms)?;
    ctx.propagate_nothing();
    let owner = consumer_of(ctx, key, name, consumer)?;
    let mut told = Told::new(ctx, key, name);
    let stream = ctx.stream_mut(key)?.ok_or_else(missing)?;
    let mut tell_position = false;
    if let Some(group) = stream.group_mut(name)
        && options.last_id > group.last_id
    {
        group.last_id = options.last_id;
        tell_position = true;
    }
    let mark = reply.mark();
    let (mut claimed, mut changes) = (0, 0);
    for id in ids {
        let (is_claimed, is_changed) = claim_one(stream, name, owner, id, &options, now_ms, &mut told);
        changes += u64::from(is_changed);
        if is_claimed {
            claimed += 1;
            match (options.just_id, stream.get(id)) {
                (false, Some(entry)) => write_entry(reply, &entry),
                _ => write_id(reply, id),
            }
        }
    }
    reply.close_array(mark, claimed);
    if tell_position && changes == 0 {
        changes = 1;
        if let Some(group) = stream.group(name) {
            told.position(group);
        }
    }
    ctx.server.dirty += changes;
    told.send(ctx);
    Ok(())
}

/// Whether the entry was claimed, and whether anything changed.
fn claim_one(
    stream: &mut Stream,
    name: &[u8],
    owner: ConsumerNumber,
    id: StreamId,
    options: &ClaimOptions,
    now_ms: i64,
    told: &mut Told,
) -> (bool, bool) {
    let exists = stream.get(id).is_some();
    let Some(group) = stream.group_mut(name) else { return (false, false) };
    let pending = group.get(id);
    if !exists {
        drop_gone(group, id, told);
        return (false, pending.is_some());
    }
    let deliveries = match pending {
        None if !options.force => return (false, false),
        Some(pending)
            if pending.owner.is_some()
                && options.min_idle > 0
                && now_ms - pending.delivered_ms < options.min_idle =>
        {
            return (false, false);
        }
        // An entry forced onto the list counts as delivered once before.
        None => 1,
        Some(pending) => pending.deliveries,
    };
    let more = u64::from(!options.just_id && deliveries < DELIVERIES_MAX);
    let deliveries = options.retry_count.unwrap_or(deliveries + more);
    hand_over(group, id, owner, options.delivered_ms, deliveries, now_ms, told);
    (true, true)
}

fn parse_claim(args: &mut Args, now_ms: i64) -> Result<(Vec<StreamId>, ClaimOptions)> {
    let min_idle = args.integer_or(Error::new("ERR Invalid min-idle-time argument for XCLAIM"))?.max(0);
    let mut ids = Vec::new();
    while let Some(id) = args.peek().and_then(|text| parse_id(text, 0).ok()) {
        ids.push(id);
        args.next()?;
    }
    let mut options = ClaimOptions {
        min_idle,
        delivered_ms: now_ms,
        retry_count: None,
        force: false,
        just_id: false,
        last_id: StreamId::MIN,
    };
    let mut delivered_ms = -1;
    while !args.is_empty() {
        if args.accept("FORCE") {
            options.force = true;
        } else if args.accept("JUSTID") {
            options.just_id = true;
        } else if args.accept_with("IDLE", 1) {
            let idle = args.integer_or(Error::new("ERR Invalid IDLE option argument for XCLAIM"))?;
            delivered_ms = now_ms.wrapping_sub(idle);
        } else if args.accept_with("TIME", 1) {
            delivered_ms = args.integer_or(Error::new("ERR Invalid TIME option argument for XCLAIM"))?;
        } else if args.accept_with("RETRYCOUNT", 1) {
            let count = args.integer_or(Error::new("ERR Invalid RETRYCOUNT option argument for XCLAIM"))?;
            options.retry_count = u64::try_from(count).ok();
        } else if args.accept_with("LASTID", 1) {
            options.last_id = parse_id(args.next()?, 0)?;
        } else {
            let mut text = b"ERR Unrecognized XCLAIM option '".to_vec();
            text.extend_from_slice(args.next()?);
            text.push(b'\'');
            return Err(Error::bytes(text));
        }
    }
    if (0..=now_ms).contains(&delivered_ms) {
        options.delivered_ms = delivered_ms;
    }
    Ok((ids, options))
}

/// Looks at ten times as many entries as may be claimed, as Redis does.
const ATTEMPTS_FACTOR: u64 = 10;

pub const XAUTOCLAIM: Command = Command {
    name: "XAUTOCLAIM",
    syntax: "key group consumer min-idle-time start:string [COUNT count] [JUSTID]",
    summary: "Hands entries that stayed pending for too long to another consumer.",
    since: "6.2.0",
    complexity: "O(1) for a small count",
    group: Group::Stream,
    flags: WRITE.and(FAST),
    keys: &[Keys::at(1).read_write().delete()],
    tips: &["nondeterministic_output"],
    history: &[("7.0.0", "Also tells which entries were gone and left the pending list.")],
    run: xautoclaim,
    ..Command::BASE
};

fn xautoclaim(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (key, name, consumer) = (args.next()?, args.next()?, args.next()?);
    let min_idle = args.integer_or(Error::new("ERR Invalid min-idle-time argument for XAUTOCLAIM"))?.max(0);
    let start = parse_start(args.next()?)?;
    let (mut count, mut just_id) = (100, false);
    while !args.is_empty() {
        if args.accept_with("COUNT", 1) {
            count = args.integer_in(1, i64::MAX / 16, Error::new("ERR COUNT must be > 0"))? as u64;
        } else if args.accept("JUSTID") {
            just_id = true;
        } else {
            return Err(error::SYNTAX);
        }
    }
    let missing = || no_group(key, name, "");
    ctx.stream(key)?.and_then(|stream| stream.group(name)).ok_or_else(missing)?;
    let now_ms = ctx.now_ms() as i64;
    ctx.propagate_nothing();
    let owner = consumer_of(ctx, key, name, consumer)?;
    let mut told = Told::new(ctx, key, name);
    let stream = ctx.stream_mut(key)?.ok_or_else(missing)?;

    let mut attempts = count.saturating_mul(ATTEMPTS_FACTOR);
    let (mut claimed, mut gone) = (Vec::new(), Vec::new());
    let mut cursor = Some(start);
    while attempts > 0 && count > 0 {
        attempts -= 1;
        let group = stream.group(name).ok_or_else(missing)?;
        let Some((id, pending)) = cursor.and_then(|from| group.pending_from(from).next()) else {
            cursor = None;
            break;
        };
        cursor = id.next();
        let exists = stream.get(id).is_some();
        let group = stream.group_mut(name).ok_or_else(missing)?;
        if !exists {
            drop_gone(group, id, &mut told);
            gone.push(id);
            count -= 1;
            continue;
        }
        if pending.owner.is_some() && min_idle > 0 && now_ms - pending.delivered_ms < min_idle {
            continue;
        }
        let more = u64::from(!just_id && pending.deliveries < DELIVERIES_MAX);
        hand_over(group, id, owner, now_ms, pending.deliveries + more, now_ms, &mut told);
        claimed.push(id);
        count -= 1;
    }
    let group = stream.group(name).ok_or_else(missing)?;
    let next = cursor.and_then(|from| group.pending_from(from).next()).map_or(StreamId::MIN, |(id, _)| id);
    reply.array(3);
    reply.bulk(next.text(&mut IdText::default()));
    reply.array(claimed.len());
    for &id in &claimed {
        match (just_id, stream.get(id)) {
            (false, Some(entry)) => write_entry(reply, &entry),
            _ => write_id(reply, id),
        }
    }
    reply.array(gone.len());
    gone.iter().for_each(|&id| write_id(reply, id));
    ctx.server.dirty += (claimed.len() + gone.len()) as u64;
    told.send(ctx);
    Ok(())
}

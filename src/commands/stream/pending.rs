//! What has been handed out and not acknowledged.

use crate::command::declaration::*;
use crate::command::{Args, Ctx, Keys};
use crate::data::number;
use crate::data::stream::{Group as ConsumerGroup, Pending, StreamId};
use crate::resp::ReplyWriter;
use crate::server::error::{self, Result};

use super::{no_group, parse_range, write_id};

pub const COMMANDS: &[Command] = &[XPENDING];

pub const XPENDING: Command = Command {
    name: "XPENDING",
    syntax: "key group filters=[[IDLE min-idle-time:integer@6.2.0] start:string end:string count [consumer]]",
    summary: "Shows the entries that consumers have received and not yet acknowledged.",
    since: "5.0.0",
    complexity: "O(N) with N the number of entries shown, or looked at with IDLE",
    group: Group::Stream,
    flags: READONLY,
    keys: &[Keys::at(1).read_only().access()],
    tips: &["nondeterministic_output"],
    history: &[("6.2.0", "Knows `IDLE` and exclusive ranges.")],
    run: xpending,
    ..Command::BASE
};

fn xpending(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (key, name) = (args.next()?, args.next()?);
    let now_ms = ctx.now_ms() as i64;
    if args.is_empty() {
        let group = ctx.stream(key)?.and_then(|stream| stream.group(name));
        summarize(group.ok_or_else(|| no_group(key, name, ""))?, reply);
        return Ok(());
    }
    if args.argc() < 6 || args.argc() > 9 {
        return Err(error::SYNTAX);
    }
    let mut min_idle = 0;
    if args.accept("IDLE") {
        min_idle = args.integer()?;
        if args.argc() < 8 {
            return Err(error::SYNTAX);
        }
    }
    let (start, end) = (args.next()?, args.next()?);
    let count = number::parse_i64(args.next()?).ok_or(error::NOT_AN_INTEGER)?.max(0);
    let range = parse_range(start, end)?;
    let consumer = args.peek();
    let group = ctx.stream(key)?.and_then(|stream| stream.group(name));
    let group = group.ok_or_else(|| no_group(key, name, ""))?;
    let filter = |pending: &Pending| min_idle == 0 || now_ms - pending.delivered_ms >= min_idle;
    let mark = reply.mark();
    let mut shown = 0;
    let mut show = |id: StreamId, pending: Pending| {
        write_pending(reply, group, id, pending, now_ms);
        shown += 1;
    };
    let (start, end) = range;
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    if start > end {
        reply.array(0);
        return Ok(());
    }
    match consumer {
        None => {
            let found = group.pending_from(start).take_while(|&(id, _)| id <= end);
            found
                .filter(|(_, pending)| filter(pending))
                .take(count)
                .for_each(|(id, pending)| show(id, pending));
        }
        Some(consumer) => {
            if let Some(number) = group.consumer_number(consumer) {
                let found = group.consumer(number).pending().range(start..=end);
                let found = found.filter_map(|&id| Some((id, group.get(id)?)));
                found
                    .filter(|(_, pending)| filter(pending))
                    .take(count)
                    .for_each(|(id, pending)| show(id, pending));
            }
        }
    }
    reply.close_array(mark, shown);
    Ok(())
}

fn summarize(group: &ConsumerGroup, reply: &mut ReplyWriter) {
    reply.array(4);
    reply.count(group.pending_len());
    let (first, last) = (group.pending().next(), group.pending().next_back());
    let (Some((first, _)), Some((last, _))) = (first, last) else {
        reply.null();
        reply.null();
        reply.null_array();
        return;
    };
    write_id(reply, first);
    write_id(reply, last);
    let mark = reply.mark();
    let mut count = 0;
    for consumer in group.consumers().filter(|consumer| !consumer.pending().is_empty()) {
        reply.array(2);
        reply.bulk(&consumer.name);
        reply.bulk_integer(consumer.pending().len() as i64);
        count += 1;
    }
    reply.close_array(mark, count);
}

fn write_pending(
    reply: &mut ReplyWriter,
    group: &ConsumerGroup,
    id: StreamId,
    pending: Pending,
    now_ms: i64,
) {
    reply.array(4);
    write_id(reply, id);
    match pending.owner {
        Some(owner) => {
            reply.bulk(&group.consumer(owner).name);
            reply.integer((now_ms - pending.delivered_ms).max(0));
        }
        None => {
            reply.bulk(b"");
            reply.integer(-1);
        }
    }
    reply.integer(pending.deliveries as i64);
}

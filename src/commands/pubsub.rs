//! Publish and subscribe: channels, patterns, shard channels.

use std::collections::BTreeSet;

use crate::command::ctx::Origin;
use crate::command::declaration::{
    Command, DENYOOM, FAST, Group, LOADING, MAY_REPLICATE, NOSCRIPT, PUBSUB, STALE,
};
use crate::command::{Args, Ctx, Keys};
use crate::data::glob;
use crate::format_error;
use crate::resp::ReplyWriter;
use crate::server::client::{Client, Flags};
use crate::server::error::Result;
use crate::server::pubsub::{self, Listeners, PubSub};

pub const COMMANDS: &[Command] = &[
    PSUBSCRIBE,
    PUBLISH,
    PUBSUB_CHANNELS,
    PUBSUB_NUMPAT,
    PUBSUB_NUMSUB,
    PUBSUB_SHARDCHANNELS,
    PUBSUB_SHARDNUMSUB,
    PUNSUBSCRIBE,
    SPUBLISH,
    SSUBSCRIBE,
    SUBSCRIBE,
    SUNSUBSCRIBE,
    UNSUBSCRIBE,
];

/// The three kinds of subscriptions and what sets them apart.
#[derive(Clone, Copy)]
struct Kind {
    subscribed: &'static str,
    unsubscribed: &'static str,
    names: fn(&mut Client) -> &mut BTreeSet<Box<[u8]>>,
    listeners: fn(&mut PubSub) -> &mut Listeners,
    /// What the replies count: channels and patterns together, or shard channels.
    count: fn(&Client) -> usize,
}

const CHANNELS: Kind = Kind {
    subscribed: "subscribe",
    unsubscribed: "unsubscribe",
    names: |client| &mut client.channels,
    listeners: |pubsub| &mut pubsub.channels,
    count: |client| client.subscriptions(),
};

const PATTERNS: Kind = Kind {
    subscribed: "psubscribe",
    unsubscribed: "punsubscribe",
    names: |client| &mut client.patterns,
    listeners: |pubsub| &mut pubsub.patterns,
    count: |client| client.subscriptions(),
};

const SHARD_CHANNELS: Kind = Kind {
    subscribed: "ssubscribe",
    unsubscribed: "sunsubscribe",
    names: |client| &mut client.shard_channels,
    listeners: |pubsub| &mut pubsub.shard_channels,
    count: |client| client.shard_channels.len(),
};

fn subscribe_to(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter, kind: Kind) -> Result {
    // Who expects one reply to a command cannot subscribe; transactions may, as they always could, but not to shards.
    let is_refused = match ctx.origin {
        Origin::Script => true,
        Origin::Exec => kind.subscribed == SHARD_CHANNELS.subscribed,
        _ => false,
    };
    if is_refused {
        return Err(format_error!("ERR {} isn't allowed for a DENY BLOCKING client", ctx.command.name));
    }
    for name in args.rest() {
        let id = ctx.client;
        if (kind.names)(ctx.client()).insert(name.into()) {
            pubsub::listen((kind.listeners)(&mut ctx.server.pubsub), name, id);
        }
        confirm(ctx, reply, kind.subscribed, Some(name), kind);
    }
    ctx.client().flags.add(Flags::SUBSCRIBED);
    Ok(())
}

fn unsubscribe_from(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter, kind: Kind) -> Result {
    let names: Vec<Box<[u8]>> = if args.is_empty() {
        (kind.names)(ctx.client()).iter().cloned().collect()
    } else {
        args.rest().map(Box::from).collect()
    };
    for name in &names {
        let id = ctx.client;
        if (kind.names)(ctx.client()).remove(name) {
            pubsub::leave((kind.listeners)(&mut ctx.server.pubsub), name, id);
        }
        confirm(ctx, reply, kind.unsubscribed, Some(name), kind);
    }
    if names.is_empty() {
        confirm(ctx, reply, kind.unsubscribed, None, kind);
    }
    let client = ctx.client();
    if client.subscriptions() + client.shard_channels.len() == 0 {
        client.flags.remove(Flags::SUBSCRIBED);
    }
    Ok(())
}

/// A confirmation is a message rather than a reply: CLIENT REPLY OFF does not silence it.
fn confirm(ctx: &mut Ctx, reply: &mut ReplyWriter, event: &str, name: Option<&[u8]>, kind: Kind) {
    let client = ctx.client();
    let count = (kind.count)(client);
    let is_silenced = client.flags.has(Flags::REPLY_OFF) || client.flags.has(Flags::REPLY_SKIP);
    let reply = if is_silenced { &mut client.reply } else { reply };
    reply.push(3);
    reply.bulk_str(event);
    reply.bulk_or_null(name);
    reply.count(count);
}

pub const SUBSCRIBE: Command = Command {
    name: "SUBSCRIBE",
    syntax: "channel ...",
    summary: "Subscribes to channels.",
    since: "2.0.0",
    complexity: "O(N) with N the number of channels",
    group: Group::PubSub,
    flags: DENYOOM.and(PUBSUB).and(NOSCRIPT).and(LOADING).and(STALE),
    history: &[("6.2.0", "`RESET` is allowed while subscribed.")],
    run: subscribe,
    ..Command::BASE
};

fn subscribe(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    subscribe_to(ctx, args, reply, CHANNELS)
}

pub const UNSUBSCRIBE: Command = Command {
    name: "UNSUBSCRIBE",
    syntax: "[channel ...]",
    summary: "Ends subscriptions to channels, or all of them.",
    since: "2.0.0",
    complexity: "O(N) with N the number of channels",
    group: Group::PubSub,
    flags: PUBSUB.and(NOSCRIPT).and(LOADING).and(STALE),
    run: unsubscribe,
    ..Command::BASE
};

fn unsubscribe(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    unsubscribe_from(ctx, args, reply, CHANNELS)
}

pub const PSUBSCRIBE: Command = Command {
    name: "PSUBSCRIBE",
    syntax: "pattern ...",
    summary: "Subscribes to all channels whose names match patterns.",
    since: "2.0.0",
    complexity: "O(N) with N the number of patterns",
    group: Group::PubSub,
    flags: DENYOOM.and(PUBSUB).and(NOSCRIPT).and(LOADING).and(STALE),
    history: &[("6.2.0", "`RESET` is allowed while subscribed.")],
    run: psubscribe,
    ..Command::BASE
};

fn psubscribe(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    subscribe_to(ctx, args, reply, PATTERNS)
}

pub const PUNSUBSCRIBE: Command = Command {
    name: "PUNSUBSCRIBE",
    syntax: "[pattern ...]",
    summary: "Ends subscriptions to patterns, or all of them.",
    since: "2.0.0",
    complexity: "O(N) with N the number of patterns",
    group: Group::PubSub,
    flags: PUBSUB.and(NOSCRIPT).and(LOADING).and(STALE),
    run: punsubscribe,
    ..Command::BASE
};

fn punsubscribe(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    unsubscribe_from(ctx, args, reply, PATTERNS)
}

pub const SSUBSCRIBE: Command = Command {
    name: "SSUBSCRIBE",
    syntax: "shardchannel ...",
    summary: "Subscribes to shard channels.",
    since: "7.0.0",
    complexity: "O(N) with N the number of channels",
    group: Group::PubSub,
    flags: DENYOOM.and(PUBSUB).and(NOSCRIPT).and(LOADING).and(STALE),
    keys: &[Keys::from(1).not_key()],
    run: ssubscribe,
    ..Command::BASE
};

fn ssubscribe(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    subscribe_to(ctx, args, reply, SHARD_CHANNELS)
}

pub const SUNSUBSCRIBE: Command = Command {
    name: "SUNSUBSCRIBE",
    syntax: "[shardchannel ...]",
    summary: "Ends subscriptions to shard channels, or all of them.",
    since: "7.0.0",
    complexity: "O(N) with N the number of channels",
    group: Group::PubSub,
    flags: PUBSUB.and(NOSCRIPT).and(LOADING).and(STALE),
    keys: &[Keys::from(1).not_key()],
    run: sunsubscribe,
    ..Command::BASE
};

fn sunsubscribe(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    unsubscribe_from(ctx, args, reply, SHARD_CHANNELS)
}

pub const PUBLISH: Command = Command {
    name: "PUBLISH",
    syntax: "channel message",
    summary: "Sends a message to a channel.",
    since: "2.0.0",
    complexity: "O(N+M) with N the subscribers of the channel and M the patterns subscribed to",
    group: Group::PubSub,
    flags: PUBSUB.and(LOADING).and(STALE).and(FAST).and(MAY_REPLICATE),
    run: publish,
    ..Command::BASE
};

fn publish(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (channel, message) = (args.next()?, args.next()?);
    let reached = ctx.server.publish(channel, message);
    ctx.propagate_always();
    reply.count(reached);
    Ok(())
}

pub const SPUBLISH: Command = Command {
    name: "SPUBLISH",
    syntax: "shardchannel message",
    summary: "Sends a message to a shard channel.",
    since: "7.0.0",
    complexity: "O(N) with N the number of subscribers",
    group: Group::PubSub,
    flags: PUBSUB.and(LOADING).and(STALE).and(FAST).and(MAY_REPLICATE),
    keys: &[Keys::at(1).not_key()],
    run: spublish,
    ..Command::BASE
};

fn spublish(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (channel, message) = (args.next()?, args.next()?);
    let reached = ctx.server.publish_to_shard(channel, message);
    ctx.propagate_always();
    reply.count(reached);
    Ok(())
}

pub const PUBSUB_CHANNELS: Command = Command {
    name: "PUBSUB CHANNELS",
    syntax: "[pattern]",
    summary: "Lists the channels that have subscribers.",
    since: "2.8.0",
    complexity: "O(N) with N the number of active channels",
    group: Group::PubSub,
    flags: PUBSUB.and(LOADING).and(STALE),
    run: pubsub_channels,
    ..Command::BASE
};

fn pubsub_channels(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    list_channels(&ctx.server.pubsub.channels, args, reply);
    Ok(())
}

pub const PUBSUB_SHARDCHANNELS: Command = Command {
    name: "PUBSUB SHARDCHANNELS",
    syntax: "[pattern]",
    summary: "Lists the shard channels that have subscribers.",
    since: "7.0.0",
    complexity: "O(N) with N the number of active shard channels",
    group: Group::PubSub,
    flags: PUBSUB.and(LOADING).and(STALE),
    run: pubsub_shardchannels,
    ..Command::BASE
};

fn pubsub_shardchannels(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    list_channels(&ctx.server.pubsub.shard_channels, args, reply);
    Ok(())
}

fn list_channels(listeners: &Listeners, args: &mut Args, reply: &mut ReplyWriter) {
    let args = args.clone();
    let pattern = (args.left() > 0).then(|| args.get(args.position()));
    let mark = reply.mark();
    let mut count = 0;
    for name in listeners.keys().filter(|name| pattern.is_none_or(|pattern| glob::matches(pattern, name))) {
        reply.bulk(name);
        count += 1;
    }
    reply.close_array(mark, count);
}

pub const PUBSUB_NUMSUB: Command = Command {
    name: "PUBSUB NUMSUB",
    syntax: "[channel ...]",
    summary: "Counts the subscribers of channels.",
    since: "2.8.0",
    complexity: "O(N) with N the number of channels given",
    group: Group::PubSub,
    flags: PUBSUB.and(LOADING).and(STALE),
    run: pubsub_numsub,
    ..Command::BASE
};

fn pubsub_numsub(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    count_listeners(&ctx.server.pubsub.channels, args, reply);
    Ok(())
}

pub const PUBSUB_SHARDNUMSUB: Command = Command {
    name: "PUBSUB SHARDNUMSUB",
    syntax: "[shardchannel ...]",
    summary: "Counts the subscribers of shard channels.",
    since: "7.0.0",
    complexity: "O(N) with N the number of channels given",
    group: Group::PubSub,
    flags: PUBSUB.and(LOADING).and(STALE),
    run: pubsub_shardnumsub,
    ..Command::BASE
};

fn pubsub_shardnumsub(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    count_listeners(&ctx.server.pubsub.shard_channels, args, reply);
    Ok(())
}

/// A flat array of names and counts in both protocols.
fn count_listeners(listeners: &Listeners, args: &mut Args, reply: &mut ReplyWriter) {
    let names = args.rest();
    reply.array(names.len() * 2);
    for name in names {
        reply.bulk(name);
        reply.count(listeners.get(name).map_or(0, BTreeSet::len));
    }
}

pub const PUBSUB_NUMPAT: Command = Command {
    name: "PUBSUB NUMPAT",
    summary: "Counts the patterns subscribed to.",
    since: "2.8.0",
    group: Group::PubSub,
    flags: PUBSUB.and(LOADING).and(STALE),
    run: pubsub_numpat,
    ..Command::BASE
};

fn pubsub_numpat(ctx: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    reply.count(ctx.server.pubsub.patterns.len());
    Ok(())
}

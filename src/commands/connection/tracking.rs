//! CLIENT TRACKING and CLIENT PAUSE: what clients hear of changed keys, and when nobody may change any.

use std::collections::BTreeSet;

use crate::command::declaration::*;
use crate::command::{Args, Ctx};
use crate::format_error;
use crate::resp::ReplyWriter;
use crate::server::error::{self, Error, Result};
use crate::server::tracking::Mode;

pub const COMMANDS: &[Command] =
    &[CLIENT_CACHING, CLIENT_GETREDIR, CLIENT_PAUSE, CLIENT_TRACKING, CLIENT_TRACKINGINFO, CLIENT_UNPAUSE];

/// The options of CLIENT TRACKING, in any order.
fn parse_mode(ctx: &Ctx, args: &mut Args) -> Result<(Mode, Vec<Box<[u8]>>)> {
    let mut mode = Mode::default();
    let mut prefixes = Vec::new();
    while !args.is_empty() {
        if args.accept_with("REDIRECT", 1) {
            if mode.redirect.is_some() {
                return Err(Error::new("ERR A client can only redirect to a single other client"));
            }
            let serial = args.integer()? as u64;
            if ctx.server.clients.by_serial(serial).is_none() {
                return Err(Error::new("ERR The client ID you want redirect to does not exist"));
            }
            mode.redirect = Some(serial);
        } else if args.accept("BCAST") {
            mode.broadcast = true;
        } else if args.accept("OPTIN") {
            mode.opt_in = true;
        } else if args.accept("OPTOUT") {
            mode.opt_out = true;
        } else if args.accept("NOLOOP") {
            mode.no_loop = true;
        } else if args.accept_with("PREFIX", 1) {
            prefixes.push(args.next()?.into());
        } else {
            return Err(error::SYNTAX);
        }
    }
    Ok((mode, prefixes))
}

/// What may not be combined, or not changed while tracking is on.
fn check_mode(old: Option<&Mode>, mode: &Mode, prefixes: &[Box<[u8]>]) -> Result {
    let fail = |text: &'static str| Err(Error::new(text));
    if !mode.broadcast && !prefixes.is_empty() {
        return fail("ERR PREFIX option requires BCAST mode to be enabled");
    }
    if old.is_some_and(|old| old.broadcast != mode.broadcast) {
        return fail(
            "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then \
             re-enabling it with a different mode.",
        );
    }
    if mode.broadcast && (mode.opt_in || mode.opt_out) {
        return fail("ERR OPTIN and OPTOUT are not compatible with BCAST");
    }
    if mode.opt_in && mode.opt_out {
        return fail("ERR You can't specify both OPTIN mode and OPTOUT mode");
    }
    if old.is_some_and(|old| (mode.opt_in && old.opt_out) || (mode.opt_out && old.opt_in)) {
        return fail(
            "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then \
             re-enabling it with a different mode.",
        );
    }
    Ok(())
}

/// A change must not be told twice, so no prefix may begin another.
fn check_prefixes(known: &BTreeSet<Box<[u8]>>, prefixes: &[Box<[u8]>]) -> Result {
    let overlap = |left: &[u8], right: &[u8]| left.starts_with(right) || right.starts_with(left);
    let shown = |prefix: &[u8]| String::from_utf8_lossy(prefix).into_owned();
    for (index, prefix) in prefixes.iter().enumerate() {
        if let Some(other) = known.iter().find(|other| overlap(prefix, other)) {
            return Err(format_error!(
                "ERR Prefix '{}' overlaps with an existing prefix '{}'. Prefixes for a single client must not overlap.",
                shown(prefix),
                shown(other)
            ));
        }
        if let Some(other) = prefixes[index + 1..].iter().find(|other| overlap(prefix, other)) {
            return Err(format_error!(
                "ERR Prefix '{}' overlaps with another provided prefix '{}'. Prefixes for a single client must not overlap.",
                shown(prefix),
                shown(other)
            ));
        }
    }
    Ok(())
}

pub const CLIENT_TRACKING: Command = Command {
    name: "CLIENT TRACKING",
    syntax: "status=<ON | OFF> [REDIRECT client-id] [PREFIX prefix]... [BCAST] [OPTIN] [OPTOUT] [NOLOOP]",
    summary: "Turns on or off the messages that help a client keep its cache valid.",
    since: "6.0.0",
    complexity: "O(1); some options cost more",
    group: Group::Connection,
    flags: NOSCRIPT.and(LOADING).and(STALE),
    run: client_tracking,
    ..Command::BASE
};

fn client_tracking(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let action = args.next()?.to_ascii_lowercase();
    let (mut mode, prefixes) = parse_mode(ctx, args)?;
    match action.as_slice() {
        b"on" => {
            let old = ctx.client().tracking.clone();
            check_mode(old.as_deref(), &mode, &prefixes)?;
            if mode.broadcast {
                check_prefixes(&old.map(|old| old.prefixes).unwrap_or_default(), &prefixes)?;
            }
            mode.prefixes = prefixes.into_iter().collect();
            ctx.server.start_tracking(ctx.client, mode);
        }
        b"off" => ctx.server.stop_tracking(ctx.client),
        _ => return Err(error::SYNTAX),
    }
    reply.ok();
    Ok(())
}

pub const CLIENT_CACHING: Command = Command {
    name: "CLIENT CACHING",
    syntax: "mode=<YES | NO>",
    summary: "Says whether the keys of the next command are tracked, in the OPTIN and OPTOUT modes.",
    since: "6.0.0",
    group: Group::Connection,
    flags: NOSCRIPT.and(LOADING).and(STALE),
    run: client_caching,
    ..Command::BASE
};

fn client_caching(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let Some(mode) = ctx.client().tracking.as_deref_mut() else {
        return Err(Error::new(
            "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled",
        ));
    };
    match args.next()?.to_ascii_lowercase().as_slice() {
        b"yes" if mode.opt_in => mode.caching = true,
        b"no" if mode.opt_out => mode.caching = true,
        b"yes" => {
            return Err(Error::new(
                "ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.",
            ));
        }
        b"no" => {
            return Err(Error::new(
                "ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.",
            ));
        }
        _ => return Err(error::SYNTAX),
    }
    reply.ok();
    Ok(())
}

pub const CLIENT_GETREDIR: Command = Command {
    name: "CLIENT GETREDIR",
    summary: "Tells to which client this connection's invalidation messages go.",
    since: "6.0.0",
    group: Group::Connection,
    flags: NOSCRIPT.and(LOADING).and(STALE),
    run: client_getredir,
    ..Command::BASE
};

fn client_getredir(ctx: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    reply.integer(ctx.client().redirection());
    Ok(())
}

pub const CLIENT_TRACKINGINFO: Command = Command {
    name: "CLIENT TRACKINGINFO",
    summary: "Shows how this connection's keys are tracked.",
    since: "6.2.0",
    group: Group::Connection,
    flags: NOSCRIPT.and(LOADING).and(STALE),
    run: client_trackinginfo,
    ..Command::BASE
};

fn client_trackinginfo(ctx: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    let client = ctx.client();
    let redirection = client.redirection();
    let off = Mode::default();
    let mode = client.tracking.as_deref().unwrap_or(&off);
    let flags: Vec<&str> = [
        (true, if client.tracking.is_some() { "on" } else { "off" }),
        (mode.broadcast, "bcast"),
        (mode.opt_in, "optin"),
        (mode.opt_in && mode.caching, "caching-yes"),
        (mode.opt_out, "optout"),
        (mode.opt_out && mode.caching, "caching-no"),
        (mode.no_loop, "noloop"),
        (mode.is_broken, "broken_redirect"),
    ]
    .into_iter()
    .filter_map(|(is_set, name)| is_set.then_some(name))
    .collect();
    reply.map(3);
    reply.bulk_str("flags");
    reply.set(flags.len());
    for flag in flags {
        reply.bulk_str(flag);
    }
    reply.bulk_str("redirect");
    reply.integer(redirection);
    reply.bulk_str("prefixes");
    reply.array(mode.prefixes.len());
    for prefix in &mode.prefixes {
        reply.bulk(prefix);
    }
    Ok(())
}

pub const CLIENT_PAUSE: Command = Command {
    name: "CLIENT PAUSE",
    syntax: "timeout:integer mode=[WRITE | ALL]@6.2.0",
    summary: "Holds back the commands of all clients for a while.",
    since: "3.0.0",
    group: Group::Connection,
    flags: ADMIN.and(NOSCRIPT).and(LOADING).and(STALE),
    history: &[("6.2.0", "Knows modes, `WRITE` among them.")],
    run: client_pause,
    ..Command::BASE
};

fn client_pause(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let timeout = args.next()?;
    let writes_only = match args.peek().map(<[u8]>::to_ascii_lowercase).as_deref() {
        None | Some(b"all") => false,
        Some(b"write") => true,
        _ => return Err(Error::new("ERR CLIENT PAUSE mode must be WRITE or ALL")),
    };
    if let Some(until_ms) = ctx.deadline_of_milliseconds(timeout)? {
        ctx.server.pause(until_ms, writes_only);
    }
    reply.ok();
    Ok(())
}

pub const CLIENT_UNPAUSE: Command = Command {
    name: "CLIENT UNPAUSE",
    summary: "Lets paused clients go on.",
    since: "6.2.0",
    complexity: "O(N) with N the number of paused clients",
    group: Group::Connection,
    flags: ADMIN.and(NOSCRIPT).and(LOADING).and(STALE),
    run: client_unpause,
    ..Command::BASE
};

fn client_unpause(ctx: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    ctx.server.pause = None;
    reply.ok();
    Ok(())
}

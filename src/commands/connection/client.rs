//! CLIENT: names, lists, closing and waking of connections.

use crate::command::call;
use crate::command::declaration::*;
use crate::command::{Args, Ctx};
use crate::data::number;
use crate::format_error;
use crate::resp::ReplyWriter;
use crate::server::client::{Client, Flags as ClientFlags};
use crate::server::clients::ClientId;
use crate::server::error::{self, Error, Result};

pub const COMMANDS: &[Command] = &[
    CLIENT_GETNAME,
    CLIENT_ID,
    CLIENT_INFO,
    CLIENT_KILL,
    CLIENT_LIST,
    CLIENT_NO_EVICT,
    CLIENT_NO_TOUCH,
    CLIENT_REPLY,
    CLIENT_SETINFO,
    CLIENT_SETNAME,
    CLIENT_UNBLOCK,
];

pub const CLIENT_ID: Command = Command {
    name: "CLIENT ID",
    summary: "Tells the unique number of this connection.",
    since: "5.0.0",
    group: Group::Connection,
    flags: NOSCRIPT.and(LOADING).and(STALE),
    run: client_id,
    ..Command::BASE
};

fn client_id(ctx: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    reply.integer(ctx.client.serial as i64);
    Ok(())
}

pub const CLIENT_GETNAME: Command = Command {
    name: "CLIENT GETNAME",
    summary: "Gets the name given to this connection.",
    since: "2.6.9",
    group: Group::Connection,
    flags: NOSCRIPT.and(LOADING).and(STALE),
    run: client_getname,
    ..Command::BASE
};

fn client_getname(ctx: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    let name = &ctx.client().identity.name;
    reply.bulk_or_null(Some(&**name).filter(|name| !name.is_empty()));
    Ok(())
}

/// Names stand in CLIENT LIST, whose fields are parted by spaces.
fn is_printable(text: &[u8]) -> bool {
    text.iter().all(|byte| (b'!'..=b'~').contains(byte))
}

pub fn check_name(name: &[u8]) -> Result {
    if is_printable(name) {
        return Ok(());
    }
    Err(Error::new("ERR Client names cannot contain spaces, newlines or special characters."))
}

pub const CLIENT_SETNAME: Command = Command {
    name: "CLIENT SETNAME",
    syntax: "connection-name",
    summary: "Gives this connection a name.",
    since: "2.6.9",
    group: Group::Connection,
    flags: NOSCRIPT.and(LOADING).and(STALE),
    tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
    run: client_setname,
    ..Command::BASE
};

fn client_setname(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let name = args.next()?;
    check_name(name)?;
    ctx.client().identity.name = name.to_vec();
    reply.ok();
    Ok(())
}

pub const CLIENT_SETINFO: Command = Command {
    name: "CLIENT SETINFO",
    syntax: "attr=<LIB-NAME libname | LIB-VER libver>",
    summary: "Tells the server about the client library in use.",
    since: "7.2.0",
    group: Group::Connection,
    flags: NOSCRIPT.and(LOADING).and(STALE),
    tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
    run: client_setinfo,
    ..Command::BASE
};

fn client_setinfo(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (attribute, value) = (args.next()?, args.next()?);
    let shown = String::from_utf8_lossy(attribute);
    let identity = &mut ctx.client().identity;
    let place = match attribute.to_ascii_lowercase().as_slice() {
        b"lib-name" => &mut identity.library_name,
        b"lib-ver" => &mut identity.library_version,
        _ => return Err(format_error!("ERR Unrecognized option '{shown}'")),
    };
    if !is_printable(value) {
        return Err(format_error!("ERR {shown} cannot contain spaces, newlines or special characters."));
    }
    *place = value.to_vec();
    reply.ok();
    Ok(())
}

/// The kinds of connections CLIENT LIST and CLIENT KILL choose by.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Normal,
    Replica,
    PubSub,
    Master,
}

impl Kind {
    fn parse(name: &[u8]) -> Result<Kind> {
        Ok(match name.to_ascii_lowercase().as_slice() {
            b"normal" => Kind::Normal,
            b"slave" | b"replica" => Kind::Replica,
            b"pubsub" => Kind::PubSub,
            b"master" => Kind::Master,
            _ => return Err(format_error!("ERR Unknown client type '{}'", String::from_utf8_lossy(name))),
        })
    }

    fn of(client: &Client) -> Kind {
        match client.flags {
            flags if flags.has(ClientFlags::MASTER) => Kind::Master,
            flags if flags.has(ClientFlags::REPLICA) => Kind::Replica,
            flags if flags.has(ClientFlags::SUBSCRIBED) => Kind::PubSub,
            _ => Kind::Normal,
        }
    }
}

pub const CLIENT_INFO: Command = Command {
    name: "CLIENT INFO",
    summary: "Shows details about this connection.",
    since: "6.2.0",
    group: Group::Connection,
    flags: NOSCRIPT.and(LOADING).and(STALE),
    tips: &["nondeterministic_output"],
    run: client_info,
    ..Command::BASE
};

fn client_info(ctx: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    let text = describe(ctx, ctx.client, reply);
    reply.verbatim("txt", text.as_bytes());
    Ok(())
}

/// One line of CLIENT LIST; nothing for a connection that has been closed already.
fn describe(ctx: &Ctx, id: ClientId, reply: &ReplyWriter) -> String {
    // While a client's own command runs, its replies are with the command.
    let running = if id == ctx.client { reply.len() } else { 0 };
    ctx.server.describe_client(id, running).map(|line| line + "\n").unwrap_or_default()
}

pub const CLIENT_LIST: Command = Command {
    name: "CLIENT LIST",
    syntax: "[TYPE client-type=<NORMAL | MASTER | REPLICA | PUBSUB>@5.0.0] [ID client-id@6.2.0 ...]",
    summary: "Lists the open connections.",
    since: "2.4.0",
    complexity: "O(N) with N the number of connections",
    group: Group::Connection,
    flags: ADMIN.and(NOSCRIPT).and(LOADING).and(STALE),
    tips: &["nondeterministic_output"],
    history: &[
        ("2.8.12", "Shows `id`."),
        ("5.0.0", "Knows `TYPE`."),
        ("6.0.0", "Shows `user`."),
        ("6.2.0", "Shows `argv-mem`, `tot-mem`, `laddr` and `redir`; knows `ID`."),
        ("7.0.0", "Shows `resp`, `multi-mem`, `rbs` and `rbp`."),
        ("7.0.3", "Shows `ssub`."),
        ("7.2.0", "Shows `lib-name` and `lib-ver`."),
        ("7.4.0", "Shows `watch`."),
        ("8.0.0", "Shows `io-thread`."),
    ],
    run: client_list,
    ..Command::BASE
};

fn client_list(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let mut text = String::new();
    if args.is_empty() || (args.left() == 2 && args.accept("TYPE")) {
        let kind = args.peek().map(Kind::parse).transpose()?;
        for id in ctx.server.clients.ids() {
            let wanted = |client: &&Client| kind.is_none_or(|kind| Kind::of(client) == kind);
            if ctx.server.clients.get(id).filter(wanted).is_some() {
                text.push_str(&describe(ctx, id, reply));
            }
        }
    } else if args.accept_with("ID", 1) {
        for word in args.rest() {
            let serial = number::parse_i64(word).ok_or(Error::new("ERR Invalid client ID"))?;
            if let Some(id) = ctx.server.clients.by_serial(serial as u64) {
                text.push_str(&describe(ctx, id, reply));
            }
        }
    } else {
        return Err(error::SYNTAX);
    }
    reply.verbatim("txt", text.as_bytes());
    Ok(())
}

pub const CLIENT_REPLY: Command = Command {
    name: "CLIENT REPLY",
    syntax: "action=<ON | OFF | SKIP>",
    summary: "Turns the replies to this connection on or off.",
    since: "3.2.0",
    group: Group::Connection,
    flags: NOSCRIPT.and(LOADING).and(STALE),
    run: client_reply,
    ..Command::BASE
};

fn client_reply(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let flags = &mut ctx.client().flags;
    if args.accept("ON") {
        flags.remove(ClientFlags::REPLY_OFF);
        flags.remove(ClientFlags::REPLY_SKIP);
        reply.ok();
    } else if args.accept("OFF") {
        flags.add(ClientFlags::REPLY_OFF);
    } else if args.accept("SKIP") {
        if !flags.has(ClientFlags::REPLY_OFF) {
            flags.add(ClientFlags::REPLY_SKIP_NEXT);
        }
    } else {
        return Err(error::SYNTAX);
    }
    Ok(())
}

/// ON or OFF.
fn on_or_off(args: &mut Args) -> Result<bool> {
    match args.next()?.to_ascii_lowercase().as_slice() {
        b"on" => Ok(true),
        b"off" => Ok(false),
        _ => Err(error::SYNTAX),
    }
}

pub const CLIENT_NO_EVICT: Command = Command {
    name: "CLIENT NO-EVICT",
    syntax: "enabled=<ON | OFF>",
    summary: "Exempts this connection from being dropped when clients use too much memory.",
    since: "7.0.0",
    group: Group::Connection,
    flags: ADMIN.and(NOSCRIPT).and(LOADING).and(STALE),
    run: client_no_evict,
    ..Command::BASE
};

fn client_no_evict(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let on = on_or_off(args)?;
    ctx.client().flags.set(ClientFlags::NO_EVICT, on);
    reply.ok();
    Ok(())
}

pub const CLIENT_NO_TOUCH: Command = Command {
    name: "CLIENT NO-TOUCH",
    syntax: "enabled=<ON | OFF>",
    summary: "Says whether this connection's commands count as use of the keys they touch.",
    since: "7.2.0",
    group: Group::Connection,
    flags: NOSCRIPT.and(LOADING).and(STALE),
    run: client_no_touch,
    ..Command::BASE
};

fn client_no_touch(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let on = on_or_off(args)?;
    ctx.client().flags.set(ClientFlags::NO_TOUCH, on);
    reply.ok();
    Ok(())
}

/// What CLIENT KILL chooses by; all that is given must match.
#[derive(Default)]
struct Filters<'a> {
    serial: Option<u64>,
    kind: Option<Kind>,
    user: Option<&'a [u8]>,
    address: Option<&'a [u8]>,
    local_address: Option<&'a [u8]>,
    age_min_seconds: Option<u64>,
    spares_itself: bool,
}

impl Filters<'_> {
    fn matches(&self, client: &Client, itself: ClientId, now_ms: u64) -> bool {
        let age_seconds = (now_ms / 1000).saturating_sub(client.connected_at_ms / 1000);
        self.serial.is_none_or(|serial| client.id.serial == serial)
            && self.kind.is_none_or(|kind| Kind::of(client) == kind)
            && self.user.is_none_or(|user| client.user == user && !client.flags.has(ClientFlags::NEEDS_AUTH))
            && self.address.is_none_or(|address| client.address.as_bytes() == address)
            && self.local_address.is_none_or(|address| client.local_address.as_bytes() == address)
            && self.age_min_seconds.is_none_or(|seconds| age_seconds >= seconds)
            && !(self.spares_itself && client.id == itself)
            && !client.flags.has(ClientFlags::CLOSE_ASAP)
    }
}

fn parse_filters<'a>(ctx: &Ctx, args: &mut Args<'a>) -> Result<Filters<'a>> {
    let mut filters = Filters { spares_itself: true, ..Filters::default() };
    while !args.is_empty() {
        if args.accept_with("ID", 1) {
            let wrong = Error::new("ERR client-id should be greater than 0");
            filters.serial = Some(args.integer_in(1, i64::MAX, wrong)? as u64);
        } else if args.accept_with("MAXAGE", 1) {
            let seconds = args.integer_or(Error::new("ERR maxage is not an integer or out of range"))?;
            if seconds <= 0 {
                return Err(Error::new("ERR maxage should be greater than 0"));
            }
            filters.age_min_seconds = Some(seconds as u64);
        } else if args.accept_with("TYPE", 1) {
            filters.kind = Some(Kind::parse(args.next()?)?);
        } else if args.accept_with("ADDR", 1) {
            filters.address = Some(args.next()?);
        } else if args.accept_with("LADDR", 1) {
            filters.local_address = Some(args.next()?);
        } else if args.accept_with("USER", 1) {
            let user = args.next()?;
            if !ctx.server.knows_user(user) {
                return Err(format_error!("ERR No such user '{}'", String::from_utf8_lossy(user)));
            }
            filters.user = Some(user);
        } else if args.accept_with("SKIPME", 1) {
            filters.spares_itself = match args.next()?.to_ascii_lowercase().as_slice() {
                b"yes" => true,
                b"no" => false,
                _ => return Err(error::SYNTAX),
            };
        } else {
            return Err(error::SYNTAX);
        }
    }
    Ok(filters)
}

pub const CLIENT_KILL: Command = Command {
    name: "CLIENT KILL",
    syntax: "filter=<old-format{ip:port}@-2.8.12 | new-format=<[ID client-id@2.8.12] | [TYPE client-type=<NORMAL | MASTER@3.2.0 | SLAVE | REPLICA@5.0.0 | PUBSUB>@2.8.12] | [USER username] | [ADDR addr{ip:port}] | [LADDR laddr{ip:port}@6.2.0] | [SKIPME <YES | NO>] | [MAXAGE maxage@7.4.0]> ...>",
    summary: "Closes the connections that match.",
    since: "2.4.0",
    complexity: "O(N) with N the number of connections",
    group: Group::Connection,
    flags: ADMIN.and(NOSCRIPT).and(LOADING).and(STALE),
    history: &[
        ("2.8.12", "Takes filters, `ID` among them."),
        ("3.2.0", "`TYPE` knows `master`."),
        ("5.0.0", "`TYPE` calls a `slave` a `replica`, and still knows both."),
        ("6.2.0", "Knows `LADDR`."),
        ("7.4.0", "Knows `MAXAGE`."),
    ],
    run: client_kill,
    ..Command::BASE
};

fn client_kill(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let has_filters = args.left() > 1;
    let filters = if has_filters {
        parse_filters(ctx, args)?
    } else {
        Filters { address: Some(args.next()?), ..Filters::default() }
    };
    let (itself, now_ms) = (ctx.client, ctx.now_ms());
    let clients = ctx.server.clients.ids();
    let matches = |id: &ClientId| {
        ctx.server.clients.get(*id).is_some_and(|client| filters.matches(client, itself, now_ms))
    };
    let killed: Vec<ClientId> = clients.into_iter().filter(matches).collect();
    for &id in &killed {
        if id == itself { ctx.server.close_after_reply(id) } else { ctx.server.kill(id) }
    }
    match has_filters {
        true => reply.count(killed.len()),
        false if killed.is_empty() => return Err(Error::new("ERR No such client")),
        false => reply.ok(),
    }
    Ok(())
}

pub const CLIENT_UNBLOCK: Command = Command {
    name: "CLIENT UNBLOCK",
    syntax: "client-id unblock-type=[TIMEOUT | ERROR]",
    summary: "Ends another client's wait in a blocking command.",
    since: "5.0.0",
    complexity: "O(log(N)) with N the number of connections",
    group: Group::Connection,
    flags: ADMIN.and(NOSCRIPT).and(LOADING).and(STALE),
    run: client_unblock,
    ..Command::BASE
};

fn client_unblock(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let serial = args.next()?;
    let with_error = match args.peek().map(<[u8]>::to_ascii_lowercase).as_deref() {
        None | Some(b"timeout") => false,
        Some(b"error") => true,
        _ => return Err(Error::new("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")),
    };
    let serial = number::parse_i64(serial).ok_or(error::NOT_AN_INTEGER)?;
    let target = ctx.server.clients.by_serial(serial as u64);
    let target = target.filter(|&id| ctx.server.clients.get(id).is_some_and(Client::may_be_unblocked));
    match target {
        None => reply.integer(0),
        Some(id) => {
            if with_error {
                let error = Error::new("UNBLOCKED client unblocked via CLIENT UNBLOCK");
                call::fail_wait(ctx.server, ctx.registry, id, &error);
            } else {
                call::time_out(ctx.server, ctx.registry, id);
            }
            reply.integer(1);
        }
    }
    Ok(())
}

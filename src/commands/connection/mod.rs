//! Connections: who is there, how they talk, and as whom.

pub mod client;
pub mod tracking;

use crate::command::call::wrong_arity;
use crate::command::declaration::*;
use crate::command::{Args, Ctx};
use crate::data::number;
use crate::format_error;
use crate::resp::{Protocol, ReplyWriter};
use crate::server::VERSION;
use crate::server::client::Flags as ClientFlags;
use crate::server::error::{self, Error, Result};

pub const COMMANDS: &[Command] = &[AUTH, ECHO, HELLO, PING, QUIT, RESET, SELECT];

pub const PING: Command = Command {
    name: "PING",
    syntax: "[message]",
    summary: "Answers PONG, or the message given: a sign of life.",
    group: Group::Connection,
    flags: FAST,
    tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
    run: ping,
    ..Command::BASE
};

fn ping(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    if args.left() > 1 {
        return Err(wrong_arity(ctx.command));
    }
    let message = args.peek();
    if reply.protocol() == Protocol::Resp2 && ctx.client().flags.has(ClientFlags::SUBSCRIBED) {
        // A subscriber reads nothing but messages, so the answer looks like one.
        reply.array(2);
        reply.bulk(b"pong");
        reply.bulk(message.unwrap_or_default());
        return Ok(());
    }
    match message {
        Some(message) => reply.bulk(message),
        None => reply.simple("PONG"),
    }
    Ok(())
}

pub const ECHO: Command = Command {
    name: "ECHO",
    syntax: "message",
    summary: "Returns the message it was given.",
    group: Group::Connection,
    flags: LOADING.and(STALE).and(FAST),
    run: echo,
    ..Command::BASE
};

fn echo(_: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    reply.bulk(args.next()?);
    Ok(())
}

pub const SELECT: Command = Command {
    name: "SELECT",
    syntax: "index",
    summary: "Switches the connection to another database.",
    group: Group::Connection,
    flags: LOADING.and(STALE).and(FAST),
    run: select,
    ..Command::BASE
};

fn select(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let index = args.integer()?;
    let databases = ctx.server.keyspace.databases();
    let index = usize::try_from(index).ok().filter(|&index| index < databases).ok_or(error::DB_INDEX)?;
    ctx.client().db = index;
    reply.ok();
    Ok(())
}

pub const QUIT: Command = Command {
    name: "QUIT",
    summary: "Closes the connection.",
    group: Group::Connection,
    flags: NOSCRIPT.and(LOADING).and(STALE).and(FAST).and(NO_AUTH).and(ALLOW_BUSY),
    arity: Some(-1),
    deprecated_since: Some("7.2.0"),
    replaced_by: Some("closing the connection"),
    run: quit,
    ..Command::BASE
};

fn quit(ctx: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    reply.ok();
    ctx.server.close_after_reply(ctx.client);
    Ok(())
}

pub const RESET: Command = Command {
    name: "RESET",
    summary: "Puts the connection back into its first state.",
    since: "6.2.0",
    group: Group::Connection,
    flags: NOSCRIPT.and(LOADING).and(STALE).and(FAST).and(NO_AUTH).and(ALLOW_BUSY),
    run: reset,
    ..Command::BASE
};

fn reset(ctx: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    let id = ctx.client;
    if ctx.client().flags.has(ClientFlags::REPLICA) || ctx.client().flags.has(ClientFlags::MASTER) {
        return Err(Error::new("ERR can only reset normal client connections"));
    }
    ctx.server.leave_all(id);
    ctx.server.log_out(id);
    let client = ctx.client();
    client.discard_queue();
    client.db = 0;
    client.identity.name.clear();
    client.fieldsets.clear();
    for flag in [
        ClientFlags::MONITOR,
        ClientFlags::REPLY_OFF,
        ClientFlags::REPLY_SKIP,
        ClientFlags::REPLY_SKIP_NEXT,
        ClientFlags::NO_EVICT,
        ClientFlags::NO_TOUCH,
        ClientFlags::READONLY,
        ClientFlags::ASKING,
    ] {
        client.flags.remove(flag);
    }
    speak(ctx, reply, Protocol::Resp2);
    reply.simple("RESET");
    Ok(())
}

/// Changes the protocol, beginning with the reply that is being written.
fn speak(ctx: &mut Ctx, reply: &mut ReplyWriter, protocol: Protocol) {
    ctx.client().reply.set_protocol(protocol);
    reply.set_protocol(protocol);
}

pub const AUTH: Command = Command {
    name: "AUTH",
    syntax: "[username@6.0.0] password",
    summary: "Logs the connection in.",
    complexity: "O(N) with N the number of passwords of the user",
    group: Group::Connection,
    flags: NOSCRIPT.and(LOADING).and(STALE).and(FAST).and(NO_AUTH).and(ALLOW_BUSY),
    history: &[("6.0.0", "Takes a user name.")],
    run: auth,
    ..Command::BASE
};

fn auth(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    if args.left() > 2 {
        return Err(error::SYNTAX);
    }
    let user = if args.left() == 2 {
        args.next()?
    } else if ctx.server.default_user_has_no_password() {
        return Err(Error::new(
            "ERR AUTH <password> called without any password configured for the default user. \
             Are you sure your configuration is correct?",
        ));
    } else {
        b"default"
    };
    let password = args.next()?;
    ctx.server.log_in(ctx.client, user, password)?;
    reply.ok();
    Ok(())
}

/// What HELLO was asked for.
#[derive(Default)]
struct Greeting<'a> {
    protocol: Option<Protocol>,
    login: Option<(&'a [u8], &'a [u8])>,
    name: Option<&'a [u8]>,
}

fn parse_greeting<'a>(args: &mut Args<'a>) -> Result<Greeting<'a>> {
    let mut greeting = Greeting::default();
    if let Some(version) = args.peek() {
        args.next()?;
        let version = number::parse_i64(version)
            .ok_or(Error::new("ERR Protocol version is not an integer or out of range"))?;
        greeting.protocol = Some(match version {
            2 => Protocol::Resp2,
            3 => Protocol::Resp3,
            _ => return Err(error::NO_PROTO),
        });
    }
    while let Some(option) = args.peek() {
        if args.accept_with("AUTH", 2) {
            greeting.login = Some((args.next()?, args.next()?));
        } else if args.accept_with("SETNAME", 1) {
            let name = args.next()?;
            client::check_name(name)?;
            greeting.name = Some(name);
        } else {
            return Err(format_error!(
                "ERR Syntax error in HELLO option '{}'",
                String::from_utf8_lossy(option)
            ));
        }
    }
    Ok(greeting)
}

pub const HELLO: Command = Command {
    name: "HELLO",
    syntax: "arguments=[protover [AUTH (username password)] [SETNAME clientname]]",
    summary: "Greets the server: chooses the protocol, may log in and name the connection.",
    since: "6.0.0",
    group: Group::Connection,
    flags: NOSCRIPT.and(LOADING).and(STALE).and(FAST).and(NO_AUTH).and(ALLOW_BUSY),
    history: &[("6.2.0", "The protocol may be left out, which only describes the connection.")],
    run: hello,
    ..Command::BASE
};

fn hello(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let greeting = parse_greeting(args)?;
    if let Some((user, password)) = greeting.login {
        ctx.server.log_in(ctx.client, user, password)?;
    }
    if ctx.client().flags.has(ClientFlags::NEEDS_AUTH) {
        return Err(Error::new(
            "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> \
             AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol \
             version at the same time",
        ));
    }
    if let Some(name) = greeting.name {
        ctx.client().identity.name = name.to_vec();
    }
    if let Some(protocol) = greeting.protocol {
        speak(ctx, reply, protocol);
    }
    reply.map(7);
    for (field, value) in [("server", "redis"), ("version", VERSION)] {
        reply.bulk_str(field);
        reply.bulk_str(value);
    }
    reply.bulk_str("proto");
    reply.integer(if reply.is_resp3() { 3 } else { 2 });
    reply.bulk_str("id");
    reply.integer(ctx.client.serial as i64);
    for (field, value) in [("mode", "standalone"), ("role", "master")] {
        reply.bulk_str(field);
        reply.bulk_str(value);
    }
    reply.bulk_str("modules");
    reply.array(0);
    Ok(())
}

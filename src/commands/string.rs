//! Strings.

use crate::command::ctx::Ttl;
use crate::command::declaration::{Command, DENYOOM, FAST, Group, READONLY, WRITE};
use crate::command::{Args, Ctx, Keys};
use crate::resp::ReplyWriter;
use crate::server::error::Result;
use crate::server::notify::Class;

pub const COMMANDS: &[Command] = &[GET, SET];

pub const GET: Command = Command {
    name: "GET",
    syntax: "key",
    summary: "Returns the string at a key.",
    group: Group::String,
    flags: READONLY.and(FAST),
    keys: &[Keys::at(1).read_only().access()],
    run: get,
    ..Command::BASE
};

fn get(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let text = ctx.string(args.next()?)?;
    reply.bulk_or_null(text.as_deref());
    Ok(())
}

pub const SET: Command = Command {
    name: "SET",
    syntax: "key value",
    summary: "Stores a string at a key.",
    group: Group::String,
    flags: WRITE.and(DENYOOM),
    keys: &[Keys::at(1).overwrite().update()],
    run: set,
    ..Command::BASE
};

fn set(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (key, value) = (args.next()?, args.next()?);
    args.end()?;
    ctx.set_string(key, value, Ttl::Clear);
    ctx.changed(key, Class::STRING, "set");
    reply.ok();
    Ok(())
}

//! Connections: who is there and how they talk.

use crate::command::declaration::{Command, FAST, Group};
use crate::command::{Args, Ctx};
use crate::resp::ReplyWriter;
use crate::server::error::Result;

pub const COMMANDS: &[Command] = &[PING];

pub const PING: Command = Command {
    name: "PING",
    syntax: "[message]",
    summary: "Answers PONG, or the message given.",
    group: Group::Connection,
    flags: FAST,
    tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
    run: ping,
    ..Command::BASE
};

fn ping(_: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    match args.peek() {
        Some(message) => reply.bulk(message),
        None => reply.simple("PONG"),
    }
    Ok(())
}

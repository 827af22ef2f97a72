//! COMMAND: what the server knows of its own commands.

use crate::command::declaration::*;
use crate::command::docs::{self, Filter};
use crate::command::{Args, Categories, Ctx};
use crate::resp::ReplyWriter;
use crate::server::error::{self, Result};

pub const COMMANDS: &[Command] = &[
    COMMAND,
    COMMAND_COUNT,
    COMMAND_DOCS,
    COMMAND_GETKEYS,
    COMMAND_GETKEYSANDFLAGS,
    COMMAND_INFO,
    COMMAND_LIST,
];

pub const COMMAND: Command = Command {
    name: "COMMAND",
    summary: "Describes all commands.",
    since: "2.8.13",
    complexity: "O(N) with N the number of commands",
    group: Group::Server,
    flags: LOADING.and(STALE),
    arity: Some(-1),
    categories: Exceptions::also(Categories::CONNECTION),
    tips: &["nondeterministic_output_order"],
    run: command,
    ..Command::BASE
};

fn command(ctx: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    reply.array(ctx.registry.top_level().len());
    for &number in ctx.registry.top_level() {
        docs::info(ctx.registry, number, reply);
    }
    Ok(())
}

pub const COMMAND_COUNT: Command = Command {
    name: "COMMAND COUNT",
    summary: "Counts the commands this server knows.",
    since: "2.8.13",
    group: Group::Server,
    flags: LOADING.and(STALE),
    categories: Exceptions::also(Categories::CONNECTION),
    run: command_count,
    ..Command::BASE
};

fn command_count(ctx: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    reply.count(ctx.registry.top_level().len());
    Ok(())
}

pub const COMMAND_INFO: Command = Command {
    name: "COMMAND INFO",
    syntax: "[command-name ...]",
    summary: "Describes the given commands, or all: arity, flags and key positions.",
    since: "2.8.13",
    complexity: "O(N) with N the number of commands looked up",
    group: Group::Server,
    flags: LOADING.and(STALE),
    categories: Exceptions::also(Categories::CONNECTION),
    tips: &["nondeterministic_output_order"],
    history: &[("7.0.0", "Describes all commands when none is named.")],
    run: command_info,
    ..Command::BASE
};

fn command_info(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    if args.is_empty() {
        return command(ctx, args, reply);
    }
    reply.array(args.left());
    for name in args.rest() {
        match ctx.registry.find_full(name) {
            Some(number) => docs::info(ctx.registry, number, reply),
            None => reply.null_array(),
        }
    }
    Ok(())
}

pub const COMMAND_DOCS: Command = Command {
    name: "COMMAND DOCS",
    syntax: "[command-name ...]",
    summary: "Explains commands: summary, arguments and history.",
    since: "7.0.0",
    complexity: "O(N) with N the number of commands looked up",
    group: Group::Server,
    flags: LOADING.and(STALE),
    categories: Exceptions::also(Categories::CONNECTION),
    tips: &["nondeterministic_output_order"],
    run: command_docs,
    ..Command::BASE
};

fn command_docs(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let numbers: Vec<usize> = if args.is_empty() {
        ctx.registry.top_level().to_vec()
    } else {
        args.rest().filter_map(|name| ctx.registry.find_full(name)).collect()
    };
    reply.map(numbers.len());
    for number in numbers {
        reply.bulk_str(&ctx.registry.entry(number).full_name);
        docs::docs(ctx.registry, number, reply);
    }
    Ok(())
}

pub const COMMAND_LIST: Command = Command {
    name: "COMMAND LIST",
    syntax: "[FILTERBY <MODULE module-name | ACLCAT category | PATTERN pattern>]",
    summary: "Lists the names of commands.",
    since: "7.0.0",
    complexity: "O(N) with N the number of commands",
    group: Group::Server,
    flags: LOADING.and(STALE),
    categories: Exceptions::also(Categories::CONNECTION),
    tips: &["nondeterministic_output_order"],
    run: command_list,
    ..Command::BASE
};

fn command_list(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let filter = if args.is_empty() {
        Filter::All
    } else if args.left() == 3 && args.accept("FILTERBY") {
        if args.accept("MODULE") {
            Filter::Module(args.next()?)
        } else if args.accept("ACLCAT") {
            Filter::Category(Categories::from_name(args.next()?))
        } else if args.accept("PATTERN") {
            Filter::Pattern(args.next()?)
        } else {
            return Err(error::SYNTAX);
        }
    } else {
        return Err(error::SYNTAX);
    };
    let names = docs::list(ctx.registry, &filter);
    reply.array(names.len());
    for name in names {
        reply.bulk_str(name);
    }
    Ok(())
}

pub const COMMAND_GETKEYS: Command = Command {
    name: "COMMAND GETKEYS",
    syntax: "command [arg ...]",
    summary: "Picks the key names out of a full command.",
    since: "2.8.13",
    complexity: "O(N) with N the number of arguments",
    group: Group::Server,
    flags: LOADING.and(STALE),
    categories: Exceptions::also(Categories::CONNECTION),
    run: command_getkeys,
    ..Command::BASE
};

fn command_getkeys(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let keys = docs::keys_of(ctx.registry, args)?;
    reply.array(keys.len());
    for (key, _) in keys {
        reply.bulk(key);
    }
    Ok(())
}

pub const COMMAND_GETKEYSANDFLAGS: Command = Command {
    name: "COMMAND GETKEYSANDFLAGS",
    syntax: "command [arg ...]",
    summary: "Picks the key names out of a full command and tells what happens to each.",
    since: "7.0.0",
    complexity: "O(N) with N the number of arguments",
    group: Group::Server,
    flags: LOADING.and(STALE),
    categories: Exceptions::also(Categories::CONNECTION),
    run: command_getkeysandflags,
    ..Command::BASE
};

fn command_getkeysandflags(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let keys = docs::keys_of(ctx.registry, args)?;
    reply.array(keys.len());
    for (key, flags) in keys {
        reply.array(2);
        reply.bulk(key);
        docs::key_flags(flags, reply);
    }
    Ok(())
}

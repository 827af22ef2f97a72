//! ACL: users and their rights.

use crate::command::acl::{check_user, from_file, has_spaces, set_user, to_file};
use crate::command::call::{wrong_arity, wrong_subcommand};
use crate::command::declaration::*;
use crate::command::registry::Lookup;
use crate::command::{Args, Categories, Ctx};
use crate::data::number;
use crate::format_error;
use crate::resp::{ReplyWriter, Request};
use crate::server::acl::{DEFAULT, Selector};
use crate::server::error::{self, Error, Result};
use crate::server::event::Event;

pub const COMMANDS: &[Command] = &[
    ACL_CAT,
    ACL_DELUSER,
    ACL_DRYRUN,
    ACL_GENPASS,
    ACL_GETUSER,
    ACL_LIST,
    ACL_LOAD,
    ACL_LOG,
    ACL_SAVE,
    ACL_SETUSER,
    ACL_USERS,
    ACL_WHOAMI,
];

pub const ACL_WHOAMI: Command = Command {
    name: "ACL WHOAMI",
    summary: "Tells the name of the user this connection is logged in as.",
    since: "6.0.0",
    group: Group::Server,
    flags: NOSCRIPT.and(LOADING).and(STALE),
    run: acl_whoami,
    ..Command::BASE
};

fn acl_whoami(ctx: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    reply.bulk(&ctx.client().user);
    Ok(())
}

pub const ACL_USERS: Command = Command {
    name: "ACL USERS",
    summary: "Lists the names of all users.",
    since: "6.0.0",
    complexity: "O(N) with N the number of users",
    group: Group::Server,
    flags: ADMIN.and(NOSCRIPT).and(LOADING).and(STALE),
    run: acl_users,
    ..Command::BASE
};

fn acl_users(ctx: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    reply.array(ctx.server.acl.users.len());
    for name in ctx.server.acl.users.keys() {
        reply.bulk(name);
    }
    Ok(())
}

pub const ACL_LIST: Command = Command {
    name: "ACL LIST",
    summary: "Shows all users as lines of an ACL file.",
    since: "6.0.0",
    complexity: "O(N) with N the number of users",
    group: Group::Server,
    flags: ADMIN.and(NOSCRIPT).and(LOADING).and(STALE),
    run: acl_list,
    ..Command::BASE
};

fn acl_list(ctx: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    reply.array(ctx.server.acl.users.len());
    for (name, user) in &ctx.server.acl.users {
        reply.bulk(&[b"user ", name.as_slice(), b" ", &user.text()].concat());
    }
    Ok(())
}

pub const ACL_GETUSER: Command = Command {
    name: "ACL GETUSER",
    syntax: "username",
    summary: "Shows the rules that apply to one ACL user.",
    since: "6.0.0",
    complexity: "O(N) with N the number of the user's rules",
    group: Group::Server,
    flags: ADMIN.and(NOSCRIPT).and(LOADING).and(STALE),
    history: &[
        ("6.2.0", "Shows channel patterns."),
        ("7.0.0", "Shows selectors; key and channel patterns are written as rules."),
    ],
    run: acl_getuser,
    ..Command::BASE
};

fn acl_getuser(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let Some(user) = ctx.server.acl.users.get(args.next()?) else {
        reply.null();
        return Ok(());
    };
    reply.map(6);
    reply.bulk_str("flags");
    let flags = user.flags();
    reply.set(flags.len());
    for flag in flags {
        reply.bulk_str(flag);
    }
    reply.bulk_str("passwords");
    reply.array(user.passwords.len());
    for password in &user.passwords {
        reply.bulk_str(password);
    }
    describe_selector(&user.root, reply);
    reply.bulk_str("selectors");
    reply.array(user.selectors.len());
    for selector in &user.selectors {
        reply.map(3);
        describe_selector(selector, reply);
    }
    Ok(())
}

fn describe_selector(selector: &Selector, reply: &mut ReplyWriter) {
    reply.bulk_str("commands");
    reply.bulk_str(&selector.commands_text());
    reply.bulk_str("keys");
    reply.bulk(&selector.keys_text());
    reply.bulk_str("channels");
    reply.bulk(&selector.channels_text());
}

pub const ACL_SETUSER: Command = Command {
    name: "ACL SETUSER",
    syntax: "username [rule ...]",
    summary: "Creates a user or changes the rules of one.",
    since: "6.0.0",
    complexity: "O(N) with N the number of rules given",
    group: Group::Server,
    flags: ADMIN.and(NOSCRIPT).and(LOADING).and(STALE),
    tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
    history: &[
        ("6.2.0", "Knows channel patterns."),
        ("7.0.0", "Knows selectors and separate rights to read and write keys."),
    ],
    run: acl_setuser,
    ..Command::BASE
};

fn acl_setuser(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let name = args.next()?;
    if has_spaces(name) {
        return Err(Error::new("ERR Usernames can't contain spaces or null characters"));
    }
    let rules: Vec<&[u8]> = args.rest().collect();
    set_user(ctx.server, ctx.registry, name, &rules)?;
    reply.ok();
    Ok(())
}

pub const ACL_DELUSER: Command = Command {
    name: "ACL DELUSER",
    syntax: "username ...",
    summary: "Removes ACL users and disconnects their clients.",
    since: "6.0.0",
    complexity: "O(N) with N the number of users removed",
    group: Group::Server,
    flags: ADMIN.and(NOSCRIPT).and(LOADING).and(STALE),
    tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
    run: acl_deluser,
    ..Command::BASE
};

fn acl_deluser(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    if args.rest().any(|name| name == DEFAULT) {
        return Err(Error::new("ERR The 'default' user cannot be removed"));
    }
    let removed = args.rest().filter(|name| ctx.server.remove_user(name)).count();
    reply.count(removed);
    Ok(())
}

pub const ACL_CAT: Command = Command {
    name: "ACL CAT",
    syntax: "[category]",
    summary: "Lists the ACL categories, or the commands of one of them.",
    since: "6.0.0",
    complexity: "O(1), as the set of commands is fixed",
    group: Group::Server,
    flags: NOSCRIPT.and(LOADING).and(STALE),
    run: acl_cat,
    ..Command::BASE
};

fn acl_cat(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let Some(name) = args.peek() else {
        reply.array(Categories::NAMES.len());
        for (_, name) in Categories::NAMES {
            reply.bulk_str(name);
        }
        return Ok(());
    };
    if args.left() > 1 {
        return Err(wrong_subcommand(ctx.command));
    }
    let Some(category) = Categories::from_name(name) else {
        let shown = &name[..name.len().min(128)];
        return Err(format_error!("ERR Unknown category '{}'", String::from_utf8_lossy(shown)));
    };
    let entries = ctx.registry.entries().iter().filter(|entry| entry.categories.has(category));
    let names: Vec<&str> = entries.map(|entry| &*entry.full_name).collect();
    reply.array(names.len());
    for name in names {
        reply.bulk_str(name);
    }
    Ok(())
}

const GENPASS_BITS: i64 = 256;
const GENPASS_BITS_MAX: i64 = 4096;

pub const ACL_GENPASS: Command = Command {
    name: "ACL GENPASS",
    syntax: "[bits]",
    summary: "Makes up a random password that is hard to guess.",
    since: "6.0.0",
    group: Group::Server,
    flags: NOSCRIPT.and(LOADING).and(STALE),
    run: acl_genpass,
    ..Command::BASE
};

fn acl_genpass(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    if args.left() > 1 {
        return Err(wrong_subcommand(ctx.command));
    }
    let bits = if args.is_empty() { GENPASS_BITS } else { args.integer()? };
    if !(1..=GENPASS_BITS_MAX).contains(&bits) {
        return Err(format_error!(
            "ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to \
             {GENPASS_BITS_MAX}"
        ));
    }
    let password = ctx.server.rng.hex((bits as usize).div_ceil(4));
    reply.bulk_str(&password);
    Ok(())
}

pub const ACL_LOG: Command = Command {
    name: "ACL LOG",
    syntax: "operation=[count | RESET]",
    summary: "Shows, or clears, the record of recently refused commands and logins.",
    since: "6.0.0",
    complexity: "O(N) with N the number of entries shown",
    group: Group::Server,
    flags: ADMIN.and(NOSCRIPT).and(LOADING).and(STALE),
    history: &[("7.2.0", "Entries carry an id and the times of creation and last change.")],
    run: acl_log,
    ..Command::BASE
};

fn acl_log(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    const SHOWN: usize = 10;
    if args.left() > 1 {
        return Err(wrong_subcommand(ctx.command));
    }
    if args.accept("RESET") {
        ctx.server.acl.log.clear();
        reply.ok();
        return Ok(());
    }
    let count = match args.peek() {
        None => SHOWN,
        Some(word) => number::parse_i64(word).ok_or(error::NOT_AN_INTEGER)?.max(0) as usize,
    };
    let now_ms = ctx.now_ms();
    let log = &ctx.server.acl.log;
    reply.array(count.min(log.entries().len()));
    for entry in log.entries().take(count) {
        reply.map(10);
        reply.bulk_str("count");
        reply.integer(entry.count as i64);
        for (field, value) in [("reason", entry.reason.name()), ("context", entry.context)] {
            reply.bulk_str(field);
            reply.bulk_str(value);
        }
        for (field, value) in [("object", &entry.object), ("username", &entry.user)] {
            reply.bulk_str(field);
            reply.bulk(value);
        }
        reply.bulk_str("age-seconds");
        reply.double(now_ms.saturating_sub(entry.updated_ms) as f64 / 1000.0);
        reply.bulk_str("client-info");
        reply.bulk_str(&entry.client);
        for (field, value) in [
            ("entry-id", entry.id),
            ("timestamp-created", entry.created_ms),
            ("timestamp-last-updated", entry.updated_ms),
        ] {
            reply.bulk_str(field);
            reply.integer(value as i64);
        }
    }
    Ok(())
}

pub const ACL_DRYRUN: Command = Command {
    name: "ACL DRYRUN",
    syntax: "username command [arg ...]",
    summary: "Tells whether a user would be allowed to run a command, without running it.",
    since: "7.0.0",
    group: Group::Server,
    flags: ADMIN.and(NOSCRIPT).and(LOADING).and(STALE),
    run: acl_dryrun,
    ..Command::BASE
};

fn acl_dryrun(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let name = args.next()?;
    let Some(user) = ctx.server.acl.users.get(name) else {
        return Err(format_error!("ERR User '{}' not found", String::from_utf8_lossy(name)));
    };
    let words: Vec<&[u8]> = args.rest().collect();
    let request = Request::of(&words);
    let words = Args::new(&request.bytes, &request.spans);
    let Lookup::Found(number, command) = ctx.registry.lookup(&words) else {
        let shown = String::from_utf8_lossy(words.get(0));
        return Err(format_error!("ERR Command '{shown}' not found"));
    };
    if !ctx.registry.takes(number, words.argc()) {
        return Err(wrong_arity(command));
    }
    match check_user(user, number, command, &words) {
        Ok(()) => reply.ok(),
        Err(denied) => reply.bulk_str(&denied.message(name, ctx.registry, number, &words, true)),
    }
    Ok(())
}

const NO_FILE: Error = Error::new(
    "ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER \
     command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store \
     users in the Redis configuration.",
);

pub const ACL_SAVE: Command = Command {
    name: "ACL SAVE",
    summary: "Writes the current users to the ACL file.",
    since: "6.0.0",
    complexity: "O(N) with N the number of users",
    group: Group::Server,
    flags: ADMIN.and(NOSCRIPT).and(LOADING).and(STALE),
    tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
    run: acl_save,
    ..Command::BASE
};

fn acl_save(ctx: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    if ctx.server.config.text_of("aclfile").is_empty() {
        return Err(NO_FILE);
    }
    let text = to_file(ctx.server);
    ctx.server.emit(Event::SaveAcl(text));
    reply.ok();
    Ok(())
}

pub const ACL_LOAD: Command = Command {
    name: "ACL LOAD",
    summary: "Reads the users anew from the ACL file.",
    since: "6.0.0",
    complexity: "O(N) with N the number of users",
    group: Group::Server,
    flags: ADMIN.and(NOSCRIPT).and(LOADING).and(STALE),
    run: acl_load,
    ..Command::BASE
};

fn acl_load(ctx: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    let path = ctx.server.config.text_of("aclfile").to_vec();
    if path.is_empty() {
        return Err(NO_FILE);
    }
    // A host that can read the file at once has given a way to do so.
    match ctx.server.acl_reader {
        Some(read) => {
            let wrong = |problem: String| format_error!("ERR {problem}");
            let text = read(&path).map_err(wrong)?;
            from_file(ctx.server, ctx.registry, &path, &text).map_err(wrong)?;
        }
        None => return Err(Error::new("ERR The ACL file cannot be read here")),
    }
    reply.ok();
    Ok(())
}

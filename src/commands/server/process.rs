//! Shutting down, replication and modules: what the engine asks its host for, or has to refuse.

use crate::command::declaration::*;
use crate::command::{Args, Ctx};
use crate::data::number;
use crate::format_error;
use crate::resp::ReplyWriter;
use crate::server::error::{self, Error, Result};
use crate::server::event::Event;

pub const COMMANDS: &[Command] = &[
    BACKUP_ABORT,
    BACKUP_CLEANUP,
    BACKUP_LIST,
    BACKUP_SEAL,
    BACKUP_START,
    BACKUP_STATUS,
    FAILOVER,
    MODULE_LIST,
    MODULE_LOAD,
    MODULE_LOADEX,
    MODULE_UNLOAD,
    PSYNC,
    REPLCONF,
    REPLICAOF,
    ROLE,
    SHUTDOWN,
    SLAVEOF,
    SYNC,
];

pub const SHUTDOWN: Command = Command {
    name: "SHUTDOWN",
    syntax: "save-selector=[NOSAVE | SAVE] [NOW@7.0.0] [FORCE@7.0.0] [ABORT@7.0.0]",
    summary: "Saves the data set if so configured and stops the server.",
    complexity: "O(N) when saving, with N the number of keys in all databases; otherwise O(1)",
    group: Group::Server,
    flags: ADMIN.and(NOSCRIPT).and(LOADING).and(STALE).and(NO_MULTI).and(ALLOW_BUSY),
    history: &[("7.0.0", "Knows `NOW`, `FORCE` and `ABORT`.")],
    run: shutdown,
    ..Command::BASE
};

fn shutdown(ctx: &mut Ctx, args: &mut Args, _: &mut ReplyWriter) -> Result {
    let mut save = None;
    let (mut has_other, mut aborts, mut is_forced) = (false, false, false);
    while !args.is_empty() {
        if args.accept("ABORT") {
            aborts = true;
        } else if args.accept("NOSAVE") && save != Some(true) {
            save = Some(false);
        } else if args.accept("SAVE") && save != Some(false) {
            save = Some(true);
        } else if args.accept("NOW") {
            has_other = true;
        } else if args.accept("FORCE") {
            (has_other, is_forced) = (true, true);
        } else {
            return Err(error::SYNTAX);
        }
    }
    if aborts {
        let alone = save.is_none() && !has_other;
        return Err(if alone { Error::new("ERR No shutdown in progress.") } else { error::SYNTAX });
    }
    if let Some(running) = ctx.server.scripting.running.as_ref().filter(|_| save != Some(false)) {
        return Err(running.busy_error());
    }
    if ctx.server.prepare_shutdown(save).is_err() && !is_forced {
        return Err(Error::new("ERR Errors trying to SHUTDOWN. Check logs."));
    }
    ctx.server.emit(Event::Shutdown);
    ctx.server.close_after_reply(ctx.client);
    Ok(())
}

pub const ROLE: Command = Command {
    name: "ROLE",
    summary: "Tells the server's role in replication.",
    since: "2.8.12",
    group: Group::Server,
    flags: NOSCRIPT.and(LOADING).and(STALE).and(FAST),
    categories: Exceptions::also(Categories::ADMIN.and(Categories::DANGEROUS)),
    run: role,
    ..Command::BASE
};

fn role(_: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    reply.array(3);
    reply.bulk_str("master");
    reply.integer(0);
    reply.array(0);
    Ok(())
}

const NO_REPLICATION: Error = Error::new("ERR replication is not supported by this server");

pub const REPLICAOF: Command = Command {
    name: "REPLICAOF",
    syntax: "args=<host-port=(host port) | no-one=(NO ONE)>",
    summary: "Makes the server a replica of another, or a master again.",
    since: "5.0.0",
    group: Group::Server,
    flags: ADMIN.and(NOSCRIPT).and(STALE).and(NO_ASYNC_LOADING),
    run: replicaof,
    ..Command::BASE
};

fn replicaof(_: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (host, port) = (args.next()?, args.next()?);
    if host.eq_ignore_ascii_case(b"no") && port.eq_ignore_ascii_case(b"one") {
        reply.ok();
        return Ok(());
    }
    if !number::parse_i64(port).is_some_and(|port| (0..=65535).contains(&port)) {
        return Err(Error::new("ERR Invalid master port"));
    }
    Err(NO_REPLICATION)
}

pub const SLAVEOF: Command = Command {
    name: "SLAVEOF",
    syntax: "args=<host-port=(host port) | no-one=(NO ONE)>",
    summary: "Makes the server a replica of another, or a master again.",
    group: Group::Server,
    flags: ADMIN.and(NOSCRIPT).and(STALE).and(NO_ASYNC_LOADING),
    deprecated_since: Some("5.0.0"),
    replaced_by: Some("`REPLICAOF`"),
    run: slaveof,
    ..Command::BASE
};

fn slaveof(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    replicaof(ctx, args, reply)
}

pub const FAILOVER: Command = Command {
    name: "FAILOVER",
    syntax: "[TO target=(host port [FORCE])] [ABORT] [TIMEOUT milliseconds]",
    summary: "Hands the master's role to one of its replicas.",
    since: "6.2.0",
    group: Group::Server,
    flags: ADMIN.and(NOSCRIPT).and(STALE),
    run: failover,
    ..Command::BASE
};

fn failover(_: &mut Ctx, args: &mut Args, _: &mut ReplyWriter) -> Result {
    if args.left() == 1 && args.accept("ABORT") {
        return Err(Error::new("ERR No failover in progress."));
    }
    let (mut has_target, mut has_timeout, mut is_forced) = (false, false, false);
    while !args.is_empty() {
        if !has_timeout && args.accept_with("TIMEOUT", 1) {
            has_timeout = true;
            if args.integer()? <= 0 {
                return Err(Error::new("ERR FAILOVER timeout must be greater than 0"));
            }
        } else if !has_target && args.accept_with("TO", 2) {
            has_target = true;
            args.next()?;
            args.integer()?;
        } else if !is_forced && args.accept("FORCE") {
            is_forced = true;
        } else {
            return Err(error::SYNTAX);
        }
    }
    Err(Error::new("ERR FAILOVER requires connected replicas."))
}

pub const SYNC: Command = Command {
    name: "SYNC",
    summary: "Starts replication; sent by old replicas.",
    group: Group::Server,
    flags: ADMIN.and(NOSCRIPT).and(NO_ASYNC_LOADING).and(NO_MULTI),
    run: sync,
    ..Command::BASE
};

fn sync(_: &mut Ctx, _: &mut Args, _: &mut ReplyWriter) -> Result {
    Err(NO_REPLICATION)
}

pub const PSYNC: Command = Command {
    name: "PSYNC",
    syntax: "replicationid offset",
    summary: "Starts or resumes replication; sent by replicas.",
    since: "2.8.0",
    group: Group::Server,
    flags: ADMIN.and(NOSCRIPT).and(NO_ASYNC_LOADING).and(NO_MULTI),
    arity: Some(-3),
    run: psync,
    ..Command::BASE
};

fn psync(_: &mut Ctx, _: &mut Args, _: &mut ReplyWriter) -> Result {
    Err(NO_REPLICATION)
}

pub const REPLCONF: Command = Command {
    name: "REPLCONF",
    summary: "Carries the settings and progress of replication; sent by replicas and masters.",
    since: "3.0.0",
    group: Group::Server,
    flags: ADMIN.and(NOSCRIPT).and(LOADING).and(STALE).and(ALLOW_BUSY),
    arity: Some(-1),
    internal: true,
    run: replconf,
    ..Command::BASE
};

fn replconf(_: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    if !args.left().is_multiple_of(2) {
        return Err(error::SYNTAX);
    }
    while !args.is_empty() {
        let option = args.next()?;
        match option.to_ascii_lowercase().as_slice() {
            b"listening-port" | b"rdb-only" => {
                args.integer()?;
            }
            b"ip-address" | b"capa" | b"rdb-filter-only" => drop(args.next()?),
            // Acknowledgements are never answered.
            b"ack" | b"getack" => return Ok(()),
            _ => {
                return Err(format_error!(
                    "ERR Unrecognized REPLCONF option: {}",
                    String::from_utf8_lossy(option)
                ));
            }
        }
    }
    reply.ok();
    Ok(())
}

pub const MODULE_LIST: Command = Command {
    name: "MODULE LIST",
    summary: "Lists the loaded modules.",
    since: "4.0.0",
    complexity: "O(N) with N the number of modules",
    group: Group::Server,
    flags: ADMIN.and(NOSCRIPT),
    tips: &["nondeterministic_output_order"],
    run: module_list,
    ..Command::BASE
};

fn module_list(_: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    reply.array(0);
    Ok(())
}

const NO_MODULES: Error = Error::new("ERR Error loading the extension. Please check the server logs.");

pub const MODULE_LOAD: Command = Command {
    name: "MODULE LOAD",
    syntax: "path [arg ...]",
    summary: "Loads a module.",
    since: "4.0.0",
    group: Group::Server,
    flags: ADMIN.and(NOSCRIPT).and(NO_ASYNC_LOADING),
    run: module_load,
    ..Command::BASE
};

fn module_load(_: &mut Ctx, _: &mut Args, _: &mut ReplyWriter) -> Result {
    Err(NO_MODULES)
}

pub const MODULE_LOADEX: Command = Command {
    name: "MODULE LOADEX",
    syntax: "path [CONFIG configs=(name value)]... [ARGS args ...]",
    summary: "Loads a module with configuration parameters.",
    since: "7.0.0",
    group: Group::Server,
    flags: ADMIN.and(NOSCRIPT).and(NO_ASYNC_LOADING),
    run: module_loadex,
    ..Command::BASE
};

fn module_loadex(_: &mut Ctx, _: &mut Args, _: &mut ReplyWriter) -> Result {
    Err(NO_MODULES)
}

pub const MODULE_UNLOAD: Command = Command {
    name: "MODULE UNLOAD",
    syntax: "name",
    summary: "Unloads a module.",
    since: "4.0.0",
    group: Group::Server,
    flags: ADMIN.and(NOSCRIPT).and(NO_ASYNC_LOADING),
    run: module_unload,
    ..Command::BASE
};

fn module_unload(_: &mut Ctx, _: &mut Args, _: &mut ReplyWriter) -> Result {
    Err(Error::new("ERR Error unloading module: no such module with that name"))
}

const NO_BACKUPS: Error = Error::new("ERR backups are not supported by this server");

pub const BACKUP_START: Command = Command {
    name: "BACKUP START",
    summary: "Begins a backup of the data set.",
    since: "8.10.0",
    group: Group::Server,
    flags: ADMIN.and(NOSCRIPT),
    run: backup_start,
    ..Command::BASE
};

fn backup_start(_: &mut Ctx, _: &mut Args, _: &mut ReplyWriter) -> Result {
    Err(NO_BACKUPS)
}

pub const BACKUP_SEAL: Command = Command {
    name: "BACKUP SEAL",
    summary: "Closes the backup in progress and makes it final.",
    since: "8.10.0",
    group: Group::Server,
    flags: ADMIN.and(NOSCRIPT),
    run: backup_seal,
    ..Command::BASE
};

fn backup_seal(_: &mut Ctx, _: &mut Args, _: &mut ReplyWriter) -> Result {
    Err(NO_BACKUPS)
}

pub const BACKUP_ABORT: Command = Command {
    name: "BACKUP ABORT",
    summary: "Gives up the backup in progress.",
    since: "8.10.0",
    group: Group::Server,
    flags: ADMIN.and(NOSCRIPT),
    run: backup_abort,
    ..Command::BASE
};

fn backup_abort(_: &mut Ctx, _: &mut Args, _: &mut ReplyWriter) -> Result {
    Err(NO_BACKUPS)
}

pub const BACKUP_CLEANUP: Command = Command {
    name: "BACKUP CLEANUP",
    summary: "Removes what finished or abandoned backups left behind.",
    since: "8.10.0",
    group: Group::Server,
    flags: ADMIN.and(NOSCRIPT),
    run: backup_cleanup,
    ..Command::BASE
};

fn backup_cleanup(_: &mut Ctx, _: &mut Args, _: &mut ReplyWriter) -> Result {
    Err(NO_BACKUPS)
}

pub const BACKUP_LIST: Command = Command {
    name: "BACKUP LIST",
    summary: "Lists the known backups.",
    since: "8.10.0",
    group: Group::Server,
    flags: ADMIN.and(STALE),
    run: backup_list,
    ..Command::BASE
};

fn backup_list(_: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    reply.array(0);
    Ok(())
}

pub const BACKUP_STATUS: Command = Command {
    name: "BACKUP STATUS",
    summary: "Tells how far the current backup has come.",
    since: "8.10.0",
    group: Group::Server,
    flags: ADMIN.and(STALE),
    run: backup_status,
    ..Command::BASE
};

fn backup_status(_: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    reply.map(4);
    for (field, value) in [("state", "idle"), ("error", ""), ("start_time", "0"), ("end_time", "0")] {
        reply.bulk_str(field);
        reply.bulk_str(value);
    }
    Ok(())
}

//! The one calling path: sockets, the terminal, EXEC, scripts, unblocked clients and loading all come through here.

use crate::format_error;
use crate::keyspace::Found;
use crate::resp::quoted::repr;
use crate::resp::{Protocol, ReplyWriter, Span};
use crate::server::Server;
use crate::server::blocked::OnTimeout;
use crate::server::client::{Client, Flags as ClientFlags};
use crate::server::clients::ClientId;
use crate::server::error::{self, Error, Result};
use crate::server::scripting::{Flags as ScriptFlags, Meanwhile};
use crate::server::slowlog;

use super::ctx::{Origin, type_name_of, write_timeout};
use super::declaration::{
    ADMIN, ALLOW_BUSY, DENYOOM, FAST, Group, MAY_REPLICATE, NO_AUTH, NO_MULTI, NOSCRIPT, PUBSUB, READONLY,
    SCRIPT_RUNNER, SKIP_MONITOR, SKIP_SLOWLOG, WRITE,
};
use super::registry::{Lookup, Registry};
use super::{Args, Command, Ctx};
use super::{acl, keyspec, observe, redact};

/// Checks and runs one request of a client; queues it inside MULTI.
pub fn dispatch(
    server: &mut Server,
    registry: &Registry,
    id: ClientId,
    buffer: &[u8],
    spans: &[Span],
    reply: &mut ReplyWriter,
    origin: Origin,
) {
    let words = Args::new(buffer, spans);
    let (number, command) = match registry.lookup(&words) {
        Lookup::Found(number, command) => (number, command),
        lookup => return reject(server, id, None, &unknown(&lookup, &words), reply),
    };
    if !registry.takes(number, words.argc()) {
        return reject(server, id, Some((number, command)), &wrong_arity(command), reply);
    }
    let Some(client) = server.clients.get_mut(id) else { return };
    let flags = client.flags;
    if origin == Origin::Client {
        client.last_command = command.name;
    }
    if server.scripting.running.is_some() && origin == Origin::Client {
        match while_script_is_paused(server, flags, command, &words) {
            Meanwhile::Run => {}
            Meanwhile::Wait => return postpone(server, id, &words),
            Meanwhile::Refuse(error) => return reject(server, id, Some((number, command)), &error, reply),
        }
    }
    if server.has_failing_files()
        && origin == Origin::Client
        && (command.flags.has(WRITE) || command.name == "PING")
        && let Some(error) = server.write_refusal()
    {
        return reject(server, id, Some((number, command)), &error, reply);
    }
    if !flags.is_plain() && origin == Origin::Client {
        let checked = check_auth(flags, command)
            .and_then(|()| check_acl(server, registry, id, flags, (number, command), &words, origin))
            .and_then(|()| check_state(server, id, flags, command));
        if let Err(error) = checked {
            return reject(server, id, Some((number, command)), &error, reply);
        }
    }
    if server.config.maxmemory > 0 {
        let checked = check_memory(server, registry, id, command, origin);
        tell_first(server, id, reply);
        if let Err(error) = checked {
            return reject(server, id, Some((number, command)), &error, reply);
        }
    }
    if server.config.min_replicas_to_write > 0
        && origin == Origin::Client
        && server.lacks_replicas()
        && writes(server, registry, id, command)
    {
        return reject(server, id, Some((number, command)), &error::NO_REPLICAS, reply);
    }
    if origin == Origin::Client && flags.has(ClientFlags::MULTI) && !runs_inside_multi(command) {
        if is_held_back(server, registry, id, command, &words) {
            return postpone(server, id, &words);
        }
        queue(server, id, &words);
        return reply.simple("QUEUED");
    }
    if flags.has(ClientFlags::ACL_LIMITED)
        && origin != Origin::Client
        && let Err(error) = check_acl(server, registry, id, flags, (number, command), &words, origin)
    {
        return reject(server, id, Some((number, command)), &error, reply);
    }
    if server.pause.is_some()
        && origin == Origin::Client
        && is_held_back(server, registry, id, command, &words)
    {
        return postpone(server, id, &words);
    }
    run(server, registry, id, (number, command), words, reply, origin);
}

/// Runs a command that has passed the checks.
pub fn run(
    server: &mut Server,
    registry: &Registry,
    id: ClientId,
    (number, command): (usize, &'static Command),
    words: Args,
    reply: &mut ReplyWriter,
    origin: Origin,
) {
    let Some(client) = server.clients.get_mut(id) else { return };
    let db = client.db;
    let flags = client.flags;
    let request = words.clone();
    let started_at = server.microseconds();
    let mark = reply.mark();
    let dirty = server.dirty;
    if server.witness.is_some() {
        observe::begin(server, id, db, command, &request, origin);
    }
    let mut ctx = Ctx::new(server, registry, id, db, command, origin, words.clone());
    ctx.keep_clocks = flags.has(ClientFlags::NO_TOUCH) && command.name != "TOUCH";
    let mut args = words;
    args.seek(registry.name_words(number));
    let result = (command.run)(&mut ctx, &mut args, reply);
    let is_blocked = ctx.is_blocked();
    ctx.server.tell_misses(db);
    let changed = ctx.server.dirty != dirty;
    ctx.propagate(changed);
    if flags.has(ClientFlags::TRACKING) {
        track_reads(server, id, command, &request);
    }
    if !server.monitors.is_empty()
        && !command.flags.has_any(SKIP_MONITOR.and(ADMIN))
        && origin != Origin::Resumed
        && origin != Origin::Stream
    {
        feed_monitors(server, id, command, &request, origin);
    }
    if server.witness.is_some() {
        observe::end(server, db, is_blocked);
    }
    // A script may end in an error that has been counted when one of its commands gave it.
    let is_error = command.flags.has(SCRIPT_RUNNER) && reply.since(mark).starts_with(b"-");
    let failed = result.is_err() || is_error;
    if let Err(error) = result {
        reply.roll_back(mark);
        server.stats.count_error(error.code());
        reply.error(error.text());
    }
    if origin == Origin::Resumed && !is_blocked {
        server.unblock(id);
    }
    if is_blocked {
        return;
    }
    let microseconds = server.microseconds() - started_at + std::mem::take(&mut server.slept);
    let replied = reply.since(mark).len();
    account(server, id, (number, command), &request, origin, Cost { microseconds, replied, failed });
}

/// What a command took and gave.
pub struct Cost {
    pub microseconds: u64,
    pub replied: usize,
    pub failed: bool,
}

/// The statistics of a command that has ended.
pub fn account(
    server: &mut Server,
    id: ClientId,
    (number, command): (usize, &Command),
    request: &Args,
    origin: Origin,
    Cost { microseconds, replied, failed }: Cost,
) {
    let tracks_latency = server.config.latency_tracking;
    let stats = &mut server.stats;
    stats.commands_processed += 1;
    if let Some(counters) = stats.commands.get_mut(number) {
        counters.calls += 1;
        counters.microseconds += microseconds;
        counters.failed += u64::from(failed);
        if tracks_latency {
            counters.latency.get_or_insert_default().record(microseconds);
        }
    }
    if server.hotkeys.session.is_some() {
        count_hot_keys(server, command, request, microseconds, replied);
    }
    let slower_than = server.config.slowlog_slower_than;
    if (slower_than >= 0 && microseconds >= slower_than as u64) || server.config.latency_threshold_ms > 0 {
        observe_slow(server, id, (number, command), request, origin, microseconds);
    }
}

/// HOTKEYS, while a session of it runs.
fn count_hot_keys(server: &mut Server, command: &Command, words: &Args, microseconds: u64, replied: usize) {
    let now_ms = server.now_ms;
    let Some(session) = server.hotkeys.session.as_mut().filter(|session| session.is_active(now_ms)) else {
        return;
    };
    let received: usize = words.words().map(<[u8]>::len).sum();
    let found = keyspec::find(command.name, command.keys, words.argc(), &|index| words.get(index));
    let keys: Vec<&[u8]> = found.iter().map(|(position, _)| words.get(position)).collect();
    session.count(keys.into_iter(), microseconds, (received + replied) as u64);
}

/// The slow log and the latency monitor.
fn observe_slow(
    server: &mut Server,
    id: ClientId,
    (number, command): (usize, &Command),
    request: &Args,
    origin: Origin,
    microseconds: u64,
) {
    let time = server.now_ms / 1000;
    let threshold_ms = server.config.latency_threshold_ms;
    if threshold_ms > 0 && microseconds / 1000 >= threshold_ms {
        let event = if command.flags.has(FAST) { "fast-command" } else { "command" };
        server.latency.add(event, time, microseconds / 1000);
    }
    let slower_than = server.config.slowlog_slower_than;
    let is_slow = slower_than >= 0 && microseconds >= slower_than as u64;
    if !is_slow || command.flags.has(SKIP_SLOWLOG) || matches!(origin, Origin::Script | Origin::Stream) {
        return;
    }
    if let Some(counters) = server.stats.commands.get_mut(number) {
        let (count, sum, max) = counters.slow;
        counters.slow = (count + 1, sum + microseconds, max.max(microseconds));
    }
    let client = server.clients.get(id);
    let entry = slowlog::Entry {
        id: 0,
        time,
        microseconds,
        arguments: Vec::new(),
        argument_count: 0,
        address: client.map(|client| client.address.clone()).unwrap_or_default(),
        client_name: client.map(|client| client.identity.name.clone()).unwrap_or_default(),
    };
    server.slowlog.push(&server.config, &redact::shown(command.name, request), entry);
}

/// Client-side caching: remembers the keys a client has read.
fn track_reads(server: &mut Server, id: ClientId, command: &Command, words: &Args) {
    if command.flags.has(READONLY) && !command.flags.has_any(PUBSUB.and(SCRIPT_RUNNER)) {
        let found = keyspec::find(command.name, command.keys, words.argc(), &|index| words.get(index));
        server.track_reads(id, found.iter().map(|(position, _)| words.get(position)));
    }
}

/// What a request may do that comes while a script is paused.
fn while_script_is_paused(server: &Server, flags: ClientFlags, command: &Command, words: &Args) -> Meanwhile {
    if check_auth(flags, command).is_err() {
        return Meanwhile::Run;
    }
    let ends_scripts = match command.name {
        "SCRIPT KILL" | "FUNCTION KILL" => true,
        "SHUTDOWN" => words.words().skip(1).any(|word| word.eq_ignore_ascii_case(b"nosave")),
        _ => false,
    };
    let allowed = command.flags.has(ALLOW_BUSY) && command.name != "SHUTDOWN";
    server.meanwhile(allowed, ends_scripts && !flags.has(ClientFlags::MULTI))
}

const WRONG_SCRIPT_ARITY: Error = Error::new("ERR Wrong number of args calling Redis command from script");

/// What a script is allowed to call.
pub struct Rights {
    pub may_write: bool,
    pub ignores_memory: bool,
    /// Set by the first command that may write.
    pub has_written: bool,
}

/// Runs one command for a script; the reply holds its answer, an error of its own included. `Err`: it was not run.
pub fn from_script(
    server: &mut Server,
    registry: &Registry,
    id: ClientId,
    request: &crate::resp::Request,
    rights: &mut Rights,
    reply: &mut ReplyWriter,
) -> Result {
    let words = Args::new(&request.bytes, &request.spans);
    let (number, command) = match registry.lookup(&words) {
        Lookup::Found(number, command) => (number, command),
        lookup => {
            let error = match lookup {
                Lookup::MissingSubcommand(_) => WRONG_SCRIPT_ARITY,
                _ => Error::new("ERR Unknown Redis command called from script"),
            };
            server.stats.count_error(error.code());
            return Err(error);
        }
    };
    if let Err(error) = check_script(server, registry, id, (number, command), &words, rights) {
        server.stats.count_error(error.code());
        if let Some(counters) = server.stats.commands.get_mut(number) {
            counters.rejected += 1;
        }
        return Err(error);
    }
    rights.has_written |= command.flags.has(WRITE);
    run(server, registry, id, (number, command), words, reply, Origin::Script);
    Ok(())
}

fn check_script(
    server: &mut Server,
    registry: &Registry,
    id: ClientId,
    (number, command): (usize, &'static Command),
    words: &Args,
    rights: &Rights,
) -> Result {
    if !registry.takes(number, words.argc()) {
        return Err(WRONG_SCRIPT_ARITY);
    }
    if command.flags.has(NOSCRIPT) && !server.scripting.allows_everything {
        return Err(Error::new("ERR This Redis command is not allowed from script"));
    }
    let flags = server.clients.get(id).map(|client| client.flags).unwrap_or_default();
    check_acl(server, registry, id, flags, (number, command), words, Origin::Script)?;
    if !rights.may_write && command.flags.has_any(WRITE.and(MAY_REPLICATE)) {
        return Err(Error::new("ERR Write commands are not allowed from read-only scripts."));
    }
    if command.flags.has(WRITE) && !rights.has_written && server.lacks_replicas() {
        return Err(error::NO_REPLICAS);
    }
    // A script that has begun to write goes on to its end.
    let is_limited = server.eviction.is_out_of_memory && !rights.ignores_memory;
    if is_limited && command.flags.has(DENYOOM) && !rights.has_written {
        return Err(error::OUT_OF_MEMORY);
    }
    Ok(())
}

/// Whether CLIENT PAUSE keeps a client from running this now.
fn is_held_back(server: &Server, registry: &Registry, id: ClientId, command: &Command, words: &Args) -> bool {
    let Some(pause) = server.current_pause() else { return false };
    if !pause.writes_only || may_write(server, command, words) {
        return true;
    }
    let Some(client) = server.clients.get(id) else { return false };
    command.name == "EXEC" && queues_any(client, registry, &|queued, words| may_write(server, queued, words))
}

/// Whether a request may write or publish; scripts may have promised not to.
fn may_write(server: &Server, command: &Command, words: &Args) -> bool {
    let is_script = command.flags.has(SCRIPT_RUNNER);
    command.flags.has_any(WRITE.and(MAY_REPLICATE))
        && !(is_script
            && server
                .declared_flags(command.name, words.get(1))
                .is_some_and(|flags| flags.has(ScriptFlags::NO_WRITES)))
}

fn postpone(server: &mut Server, id: ClientId, words: &Args) {
    let words: Vec<&[u8]> = words.words().collect();
    server.postpone(id, crate::resp::Request::of(&words));
}

/// Runs the commands of clients whose keys have become ready, until nothing more is.
pub fn serve_waiting(server: &mut Server, registry: &Registry) {
    while let Some((db, key, clients, is_only_gone)) = server.waiting.next_ready() {
        for id in clients {
            let blocked = server.clients.get(id).and_then(|client| client.blocked.as_ref());
            let waits_for_end = blocked.is_some_and(|blocked| blocked.wakes_on_delete);
            if (!is_only_gone || waits_for_end) && wants_what_is_there(server, registry, id, db, &key) {
                resume(server, registry, id);
            }
        }
    }
}

/// Whether a ready key holds what a client waits for: a value of another type, or nothing, wakes nobody.
fn wants_what_is_there(
    server: &mut Server,
    registry: &Registry,
    id: ClientId,
    db: usize,
    key: &[u8],
) -> bool {
    let blocked = server.clients.get(id).and_then(|client| client.blocked.as_ref());
    let Some(blocked) = blocked else { return false };
    if blocked.wakes_on_delete {
        return true;
    }
    let words = Args::new(&blocked.request.bytes, &blocked.request.spans);
    let Lookup::Found(_, command) = registry.lookup(&words) else { return true };
    let wanted = match command.group {
        Group::List => "list",
        Group::SortedSet => "zset",
        Group::Stream => "stream",
        _ => return true,
    };
    let now_ms = server.now_ms;
    matches!(server.keyspace.db_mut(db).find(key, now_ms), Found::Live(entry) if type_name_of(entry) == wanted)
}

/// Runs a waiting client's command again from the start.
fn resume(server: &mut Server, registry: &Registry, id: ClientId) {
    let Some(client) = server.clients.get_mut(id) else { return };
    let Some(blocked) = client.blocked.as_mut() else { return };
    let request = std::mem::take(&mut blocked.request);
    let (db, of_client) = (blocked.db, client.db);
    client.db = db;
    let mut reply = take_reply(client);
    let words = Args::new(&request.bytes, &request.spans);
    if let Lookup::Found(number, command) = registry.lookup(&words) {
        let flags = server.clients.get(id).map(|client| client.flags).unwrap_or_default();
        let checked = check_acl(server, registry, id, flags, (number, command), &words, Origin::Resumed);
        match checked.and_then(|()| check_memory(server, registry, id, command, Origin::Resumed)) {
            Ok(()) => run(server, registry, id, (number, command), words, &mut reply, Origin::Resumed),
            Err(error) => {
                reject(server, id, Some((number, command)), &error, &mut reply);
                server.unblock(id);
            }
        }
    }
    server.propagation.flush();
    let Some(client) = server.clients.get_mut(id) else { return };
    client.db = of_client;
    if let Some(blocked) = client.blocked.as_mut() {
        blocked.request = request;
    }
    give_back(client, reply);
    server.announce(id);
}

/// Ends the wait of a client whose time is up.
pub fn time_out(server: &mut Server, registry: &Registry, id: ClientId) {
    let Some(client) = server.clients.get_mut(id) else { return };
    let Some(on_timeout) = client.blocked.as_ref().map(|blocked| blocked.on_timeout) else { return };
    if let OnTimeout::RetryUntil(end_ms) = on_timeout
        && end_ms.is_none_or(|end_ms| end_ms > server.now_ms)
    {
        return resume(server, registry, id);
    }
    if on_timeout == OnTimeout::RunAgain {
        resume(server, registry, id);
    } else {
        write_timeout(&mut client.reply, on_timeout);
        server.announce(id);
        count_wait(server, registry, id, false);
    }
    server.unblock(id);
}

/// Ends the wait of a client with an error.
pub fn fail_wait(server: &mut Server, registry: &Registry, id: ClientId, error: &Error) {
    count_wait(server, registry, id, true);
    server.stats.count_error(error.code());
    server.write_to(id, |reply| reply.error(error.text()));
    server.unblock(id);
}

/// A command that waited counts as called when its wait ends.
fn count_wait(server: &mut Server, registry: &Registry, id: ClientId, failed: bool) {
    let Some(blocked) = server.clients.get(id).and_then(|client| client.blocked.as_ref()) else { return };
    let words = Args::new(&blocked.request.bytes, &blocked.request.spans);
    if let Lookup::Found(number, _) = registry.lookup(&words)
        && let Some(counters) = server.stats.commands.get_mut(number)
    {
        counters.calls += 1;
        counters.failed += u64::from(failed);
        server.stats.commands_processed += 1;
    }
}

/// Takes a client's reply, to be written elsewhere until [`give_back`]; what is pushed to it meanwhile has a place of its own.
pub fn take_reply(client: &mut Client) -> ReplyWriter {
    let empty = ReplyWriter::new(client.protocol());
    std::mem::replace(&mut client.reply, empty)
}

/// Puts a client's reply back; what was pushed to it meanwhile follows.
pub fn give_back(client: &mut Client, mut reply: ReplyWriter) {
    reply.raw(client.reply.bytes());
    reply.set_protocol(client.reply.protocol());
    client.reply = reply;
}

/// An EXEC that is refused ends the transaction, and says why in an error of its own kind.
fn abort_transaction(server: &mut Server, id: ClientId, error: &Error, reply: &mut ReplyWriter) {
    if let Some(client) = server.clients.get_mut(id) {
        client.discard_queue();
    }
    server.unwatch(id);
    let text = error.text();
    let reason = text.strip_prefix(b"ERR ").unwrap_or(text);
    reply.error(&[b"EXECABORT Transaction discarded because of: ", reason].concat());
}

fn reject(
    server: &mut Server,
    id: ClientId,
    found: Option<(usize, &'static Command)>,
    error: &Error,
    reply: &mut ReplyWriter,
) {
    let (number, command) = (found.map(|(number, _)| number), found.map(|(_, command)| command));
    if let Some(client) = server.clients.get_mut(id).filter(|client| client.flags.has(ClientFlags::MULTI)) {
        client.flags.add(ClientFlags::DIRTY_EXEC);
    }
    server.stats.count_error(error.code());
    if let Some(counters) = number.and_then(|number| server.stats.commands.get_mut(number)) {
        counters.rejected += 1;
    }
    if command.is_some_and(|command| command.name == "EXEC") {
        return abort_transaction(server, id, error, reply);
    }
    reply.error(error.text());
}

fn check_auth(flags: ClientFlags, command: &Command) -> Result {
    if flags.has(ClientFlags::NEEDS_AUTH) && !command.flags.has(NO_AUTH) {
        return Err(error::NO_AUTH);
    }
    Ok(())
}

/// What the client's user may run, if that is not everything.
fn check_acl(
    server: &mut Server,
    registry: &Registry,
    id: ClientId,
    flags: ClientFlags,
    command: (usize, &Command),
    words: &Args,
    origin: Origin,
) -> Result {
    if !flags.has(ClientFlags::ACL_LIMITED) {
        return Ok(());
    }
    let context = match origin {
        Origin::Client if flags.has(ClientFlags::MULTI) => acl::Context::Multi,
        Origin::Client => acl::Context::TopLevel,
        Origin::Exec => acl::Context::Exec,
        Origin::Script => acl::Context::Script,
        // Rights may have changed while the client waited.
        Origin::Resumed => acl::Context::TopLevel,
        Origin::Stream => return Ok(()),
    };
    acl::check(server, registry, id, command, words, context)
}

/// What was pushed to a client before its command runs goes before the reply: keys evicted to make room for it.
fn tell_first(server: &mut Server, id: ClientId, reply: &mut ReplyWriter) {
    if let Some(client) = server.clients.get_mut(id).filter(|client| !client.reply.is_empty()) {
        reply.raw(client.reply.bytes());
        client.reply.buffer().clear();
    }
}

/// Whether a command, or the transaction it ends, has the flag of those that write.
fn writes(server: &Server, registry: &Registry, id: ClientId, command: &Command) -> bool {
    let is_write = |queued: &Command, _: &Args| queued.flags.has(WRITE);
    let queues = || server.clients.get(id).is_some_and(|client| queues_any(client, registry, &is_write));
    command.flags.has(WRITE) || (command.name == "EXEC" && queues())
}

/// Makes room for a command under `maxmemory`; where there is none, what may take more is refused.
fn check_memory(
    server: &mut Server,
    registry: &Registry,
    id: ClientId,
    command: &Command,
    origin: Origin,
) -> Result {
    // A transaction was judged as a whole; while a script is paused, what counts is how it began.
    let is_judged = matches!(origin, Origin::Exec | Origin::Script | Origin::Stream);
    if server.config.maxmemory == 0 || is_judged || server.scripting.running.is_some() {
        return Ok(());
    }
    server.eviction.is_out_of_memory = !server.make_room();
    let Some(client) = server.clients.get(id).filter(|_| server.eviction.is_out_of_memory) else {
        return Ok(());
    };
    let ends_transaction = matches!(command.name, "EXEC" | "DISCARD" | "QUIT" | "RESET");
    let is_refused = command.flags.has(DENYOOM)
        || (client.flags.has(ClientFlags::MULTI) && !ends_transaction)
        || (command.name == "EXEC" && queues_any(client, registry, &|queued, _| queued.flags.has(DENYOOM)));
    if is_refused { Err(error::OUT_OF_MEMORY) } else { Ok(()) }
}

/// Whether there is such a command in the client's queue.
fn queues_any(client: &Client, registry: &Registry, holds: &dyn Fn(&Command, &Args) -> bool) -> bool {
    client.queue.iter().any(|request| {
        let words = Args::new(&request.bytes, &request.spans);
        matches!(registry.lookup(&words), Lookup::Found(_, queued) if holds(queued, &words))
    })
}

/// The checks of clients in a special state.
fn check_state(server: &Server, id: ClientId, flags: ClientFlags, command: &Command) -> Result {
    if flags.has(ClientFlags::MULTI) && command.flags.has(NO_MULTI) {
        return Err(Error::new("ERR Command not allowed inside a transaction"));
    }
    let is_resp2 = server.clients.get(id).is_some_and(|client| client.protocol() == Protocol::Resp2);
    const ALLOWED: [&str; 9] = [
        "SUBSCRIBE",
        "UNSUBSCRIBE",
        "PSUBSCRIBE",
        "PUNSUBSCRIBE",
        "SSUBSCRIBE",
        "SUNSUBSCRIBE",
        "PING",
        "QUIT",
        "RESET",
    ];
    if flags.has(ClientFlags::SUBSCRIBED) && is_resp2 && !ALLOWED.contains(&command.name) {
        return Err(format_error!(
            "ERR Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context",
            command.full_name()
        ));
    }
    Ok(())
}

/// Inside MULTI these run at once instead of being queued.
fn runs_inside_multi(command: &Command) -> bool {
    matches!(command.name, "EXEC" | "DISCARD" | "MULTI" | "WATCH" | "QUIT" | "RESET")
}

fn queue(server: &mut Server, id: ClientId, words: &Args) {
    let Some(client) = server.clients.get_mut(id) else { return };
    let words: Vec<&[u8]> = words.words().collect();
    let request = crate::resp::Request::of(&words);
    client.queue_bytes += request.heap_bytes();
    client.queue.push(request);
}

pub fn wrong_arity(command: &Command) -> Error {
    format_error!("ERR wrong number of arguments for '{}' command", command.full_name())
}

/// For subcommands that take one argument or none, which their arity does not say.
pub fn wrong_subcommand(command: &Command) -> Error {
    let container = command.container_name().unwrap_or_default();
    format_error!(
        "ERR unknown subcommand or wrong number of arguments for '{}'. Try {container} HELP.",
        command.last_name()
    )
}

const SHOWN_BYTES_MAX: usize = 128;

fn unknown(lookup: &Lookup, words: &Args) -> Error {
    // Redis shows words as C does: what lies behind a zero byte is not seen.
    let seen = |word: &'_ [u8]| memchr::memchr(0, word).unwrap_or(word.len()).min(SHOWN_BYTES_MAX);
    let shown = |word: &[u8]| word[..seen(word)].to_vec();
    let mut text = Vec::new();
    if let Lookup::MissingSubcommand(container) = lookup {
        return wrong_arity(container);
    }
    if let Lookup::UnknownSubcommand(container) = lookup {
        text.extend_from_slice(b"ERR unknown subcommand '");
        text.extend(shown(words.get(1)));
        text.extend_from_slice(format!("'. Try {} HELP.", container.name).as_bytes());
        return Error::bytes(text);
    }
    text.extend_from_slice(b"ERR unknown command '");
    text.extend(shown(words.get(0)));
    text.extend_from_slice(b"', with args beginning with: ");
    let mut room = SHOWN_BYTES_MAX;
    for word in words.words().skip(1) {
        if room == 0 {
            break;
        }
        let part = &word[..seen(word).min(room)];
        text.push(b'\'');
        text.extend_from_slice(part);
        text.extend_from_slice(b"' ");
        room = room.saturating_sub(part.len() + 3);
    }
    Error::bytes(text)
}

/// MONITOR: one line a command, to every client that asked for it.
pub(super) fn feed_monitors(
    server: &mut Server,
    id: ClientId,
    command: &Command,
    words: &Args,
    origin: Origin,
) {
    let db = server.clients.get(id).map_or(0, |client| client.db);
    let (seconds, microseconds) = (server.now_ms / 1000, server.now_ms % 1000 * 1000);
    let address = match origin {
        Origin::Script => "lua".to_string(),
        _ => server.clients.get(id).map(|client| client.address.clone()).unwrap_or_default(),
    };
    let mut line = format!("{seconds}.{microseconds:06} [{db} {address}]").into_bytes();
    for word in redact::shown(command.name, words) {
        line.push(b' ');
        line.extend(repr(word));
    }
    let monitors: Vec<ClientId> = server.monitors.iter().copied().collect();
    for monitor in monitors {
        server.write_to(monitor, |reply| {
            reply.raw(b"+");
            reply.raw(&line);
            reply.raw(b"\r\n");
        });
    }
}

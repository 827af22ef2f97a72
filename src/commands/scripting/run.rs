//! A script from its start to its end: slices of so many instructions, between which other clients may be served. The
//! first slice runs inside the command; a script that is not done then is paused, and `go_on` runs the next one whenever
//! the engine ticks. Slices are counted in instructions, so a journal plays the same slices again.

use crate::command::call::{self, Cost};
use crate::command::ctx::Origin;
use crate::command::{Args, Ctx, Registry};
use crate::lua::{Outcome, Value, Vm};
use crate::resp::ReplyWriter;
use crate::server::Server;
use crate::server::client::Flags as ClientFlags;
use crate::server::error::{self, Error, Result};
use crate::server::scripting::machines::Machine;
use crate::server::scripting::{Flags, Kind, Running, Transaction};

use super::api::RedisHost;
use super::convert;

/// Instructions of one slice: a few milliseconds.
const SLICE_STEPS: u64 = 1 << 19;
/// Slices of a script that nothing can interrupt (in the stream of a master, or of an AOF).
const SLICES_MAX: u32 = 1 << 14;
/// What os.clock counts an instruction as.
const SECONDS_PER_STEP: f64 = 4e-9;

/// What must be right before a script may run.
pub fn check(ctx: &Ctx, flags: Flags, read_only: bool) -> Result {
    if flags.has(Flags::UNDECLARED) {
        return Ok(());
    }
    if read_only && !flags.has(Flags::NO_WRITES) {
        return Err(Error::new("ERR Can not execute a script with write flag using *_ro command."));
    }
    if !flags.has(Flags::NO_WRITES) && ctx.server.lacks_replicas() {
        return Err(error::NO_REPLICAS);
    }
    let ignores_memory = flags.has(Flags::ALLOW_OOM) || flags.has(Flags::NO_WRITES);
    if ctx.server.eviction.is_out_of_memory && !ignores_memory {
        return Err(Error::new(
            "OOM allow-oom flag is not set on the script, can not run it when used memory > 'maxmemory'",
        ));
    }
    Ok(())
}

/// Runs what has been prepared with `vm.start`, until it ends or its first slice is over.
pub fn start(
    ctx: &mut Ctx,
    reply: &mut ReplyWriter,
    machine: Box<Machine>,
    kind: Kind,
    name: &[u8],
    (flags, read_only): (Flags, bool),
) -> Result {
    let is_declared = !flags.has(Flags::UNDECLARED);
    let client = ctx.client();
    let is_silent = client.flags.has(ClientFlags::REPLY_OFF) || client.flags.has(ClientFlags::REPLY_SKIP);
    let mut running = Running {
        kind,
        name: name.into(),
        client: ctx.client,
        command: ctx.registry.find(ctx.command.name.as_bytes()).unwrap_or_default(),
        request: Default::default(),
        db: ctx.db,
        started_at_ms: ctx.server.now_ms,
        microseconds: 0,
        may_write: !(read_only || is_declared && flags.has(Flags::NO_WRITES)),
        ignores_memory: is_declared && (flags.has(Flags::ALLOW_OOM) || flags.has(Flags::NO_WRITES)),
        is_resp3: false,
        is_muted: false,
        has_written: false,
        is_killed: false,
        is_orphan: false,
        is_silent,
        transaction: None,
    };
    ctx.propagate_nothing();
    put_back(ctx.server, kind, machine);
    let mut slices = 0;
    let (mut machine, outcome) = loop {
        let (machine, outcome) = slice(ctx.server, ctx.registry, &mut running);
        slices += 1;
        if !matches!(outcome, Outcome::Paused) {
            break (machine, outcome);
        }
        put_back(ctx.server, kind, machine);
        if ctx.origin != Origin::Stream || slices > SLICES_MAX {
            running.request = ctx.request();
            ctx.server.propagation.is_held = true;
            ctx.server.scripting.running = Some(Box::new(running));
            ctx.suspend();
            return Ok(());
        }
    };
    let failed = write_outcome(&mut machine.vm, outcome, &running, ctx.server, reply);
    leave(ctx.server, &running);
    put_back(ctx.server, kind, machine);
    match failed {
        Some(Failure { text, is_counted: false }) => Err(Error::bytes(text)),
        Some(Failure { text, is_counted: true }) => {
            reply.error(&text);
            Ok(())
        }
        None => Ok(()),
    }
}

fn place_of(server: &mut Server, kind: Kind) -> &mut Option<Box<Machine>> {
    match kind {
        Kind::Script => &mut server.scripting.scripts.machine,
        Kind::Function => &mut server.scripting.functions.machine,
    }
}

fn put_back(server: &mut Server, kind: Kind, machine: Box<Machine>) {
    *place_of(server, kind) = Some(machine);
}

/// One slice. The machine comes back apart, for its results to be read.
fn slice(server: &mut Server, registry: &Registry, running: &mut Running) -> (Box<Machine>, Outcome) {
    let mut machine = place_of(server, running.kind).take().expect("a script's machine waits for it");
    let started_at = server.microseconds();
    let (now_ms, access_clock) = (server.now_ms, server.access_clock);
    let elapsed = now_ms.saturating_sub(server.started_at_ms) as f64 / 1000.0;
    machine.vm.set_clock(elapsed, SECONDS_PER_STEP);
    server.now_ms = running.started_at_ms;
    server.current = Some(running.client);
    server.propagation.is_muted = running.is_muted;
    let scratch = std::mem::take(&mut server.scripting.scripts.scratch);
    let mut host = RedisHost { server, registry, scratch, running: Some(running), loading: None };
    let outcome = machine.vm.run(&mut host, SLICE_STEPS);
    let RedisHost { server, scratch, .. } = host;
    server.scripting.scripts.scratch = scratch;
    server.propagation.is_muted = false;
    (server.now_ms, server.access_clock) = (now_ms, access_clock);
    running.microseconds += server.microseconds() - started_at;
    (machine, outcome)
}

/// Gives back to the client what its script has changed of it.
fn leave(server: &mut Server, running: &Running) {
    if let Some(client) = server.clients.get_mut(running.client) {
        client.db = running.db;
    }
}

/// An error that ended a script.
struct Failure {
    text: Vec<u8>,
    /// It has been counted when a command gave it.
    is_counted: bool,
}

/// Writes the result of a script that has ended, unless it failed.
fn write_outcome(
    vm: &mut Vm,
    outcome: Outcome,
    running: &Running,
    server: &mut Server,
    reply: &mut ReplyWriter,
) -> Option<Failure> {
    match outcome {
        Outcome::Failed(value) => Some(failure(vm, value, &running.name)),
        _ => {
            let value = vm.results().first().copied().unwrap_or(Value::Nil);
            convert::write(vm, value, running.is_resp3, reply, &mut server.stats);
            None
        }
    }
}

fn failure(vm: &mut Vm, value: Value, name: &[u8]) -> Failure {
    let place = vm.failed_at().map(|(source, line)| (source.to_vec(), line));
    let (mut text, mut is_counted) = (Vec::new(), false);
    match value {
        Value::Table(table) => {
            if let message @ (Value::Str(_) | Value::Number(_)) = vm.raw_get_bytes(table, b"err") {
                text = vm.display(message);
            }
            is_counted = matches!(vm.raw_get_bytes(table, b"ignore_error_stats_update"), Value::Bool(true));
        }
        value => {
            let message = vm.display(value);
            if message == b"not enough memory" {
                text = [b"ERR Error running script ", name, b", not enough memory"].concat();
                return Failure { text, is_counted };
            }
            text.extend_from_slice(b"ERR ");
            text.extend_from_slice(&message);
        }
    }
    add_place(&mut text, name, place);
    Failure { text, is_counted }
}

/// ` script: NAME, on @user_script:1.`
fn add_place(text: &mut Vec<u8>, name: &[u8], place: Option<(Vec<u8>, u32)>) {
    let Some((source, line)) = place else { return };
    let mut digits = itoa::Buffer::new();
    for part in [b" script: ", name, b", on ", &source, b":", digits.format(line).as_bytes(), b"."] {
        text.extend_from_slice(part);
    }
}

/// Runs the next slice of the paused script, if there is one.
pub fn go_on(server: &mut Server, registry: &Registry) {
    let Some(mut running) = server.scripting.running.take() else { return };
    let kind = running.kind;
    if running.is_killed {
        let mut machine = place_of(server, kind).take().expect("a script's machine waits for it");
        let place = machine.vm.current_line();
        machine.vm.abort();
        put_back(server, kind, machine);
        let mut text = b"ERR Script killed by user with SCRIPT KILL...".to_vec();
        add_place(&mut text, &running.name, place);
        return finish(server, registry, *running, |_, _, _| Some(Failure { text, is_counted: false }));
    }
    let (mut machine, outcome) = slice(server, registry, &mut running);
    if matches!(outcome, Outcome::Paused) {
        put_back(server, kind, machine);
        server.scripting.running = Some(running);
        return;
    }
    finish(server, registry, *running, |server, running, reply| {
        let failed = write_outcome(&mut machine.vm, outcome, running, server, reply);
        put_back(server, kind, machine);
        failed
    });
}

/// Answers the client of a script that was paused; what its transaction still holds runs after it.
fn finish(
    server: &mut Server,
    registry: &Registry,
    mut running: Running,
    write: impl FnOnce(&mut Server, &Running, &mut ReplyWriter) -> Option<Failure>,
) {
    let id = running.client;
    leave(server, &running);
    let Some(client) = server.clients.get_mut(id) else { return };
    let mut reply = call::take_reply(client);
    let before = reply.mark();
    let mut transaction = running.transaction.take();
    if let Some(transaction) = &transaction {
        reply.raw(&transaction.replies);
    }
    let mark = reply.mark();
    let failed = write(server, &running, &mut reply);
    if let Some(Failure { text, is_counted }) = &failed {
        reply.roll_back(mark);
        convert::write_error(&mut reply, &mut server.stats, text, *is_counted);
    }
    let written = reply.since(mark);
    let cost = Cost {
        microseconds: running.microseconds,
        replied: written.len(),
        failed: written.starts_with(b"-"),
    };
    let command = registry.entry(running.command).command;
    let words = Args::new(&running.request.bytes, &running.request.spans);
    let origin = if transaction.is_some() { Origin::Exec } else { Origin::Client };
    call::account(server, id, (running.command, command), &words, origin, cost);
    if let Some(transaction) = &mut transaction {
        let mark = before;
        if run_rest(server, registry, id, transaction, &mut reply) {
            // Another script of the same transaction is paused now.
            transaction.replies = reply.since(mark).to_vec();
            reply.roll_back(mark);
            if let Some(next) = &mut server.scripting.running {
                next.is_silent = running.is_silent;
                next.is_orphan = running.is_orphan;
            }
        }
    }
    if let Some(next) = &mut server.scripting.running {
        next.transaction = transaction;
        if let Some(client) = server.clients.get_mut(id) {
            call::give_back(client, reply);
        }
        return;
    }
    if running.is_silent {
        reply.roll_back(before);
    }
    conclude(server, &running, reply);
}

/// Runs what is left of a transaction; true when it is paused again.
fn run_rest(
    server: &mut Server,
    registry: &Registry,
    id: crate::server::clients::ClientId,
    transaction: &mut Transaction,
    reply: &mut ReplyWriter,
) -> bool {
    for request in transaction.queue.by_ref() {
        call::dispatch(server, registry, id, &request.bytes, &request.spans, reply, Origin::Exec);
        if server.scripting.running.is_some() {
            return true;
        }
    }
    if let Some(counters) = server.stats.commands.get_mut(transaction.command) {
        counters.calls += 1;
    }
    server.stats.commands_processed += 1;
    false
}

/// Lets the client and everybody else go on.
fn conclude(server: &mut Server, running: &Running, reply: ReplyWriter) {
    let id = running.client;
    server.propagation.is_held = false;
    server.propagation.flush();
    if let Some(client) = server.clients.get_mut(id) {
        client.flags.remove(ClientFlags::BLOCKED);
        call::give_back(client, reply);
        server.unblocked.push_back(id);
        server.announce(id);
    }
    if running.is_orphan {
        server.forget(id);
    }
}

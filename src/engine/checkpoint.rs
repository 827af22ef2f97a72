//! A checkpoint: the state of an engine as bytes, with which a journal may start in the place of all inputs so far.
//!
//! The engine that writes one goes on from what the bytes say, as every replay does: so what is not in them is forgotten
//! by both, and both answer the same from then on. Kept are the keys as they are encoded, libraries, cached scripts, users, the
//! configuration, clients with their subscriptions, chance, time, counters and the slow log; not the ACL log, what LATENCY
//! knows, and what libraries remember between calls. While a client waits, watches, is
//! in the middle of a transaction or a request, tracks or monitors, there is no checkpoint.

use crate::persist::{Bad, Reader, Writer};
use crate::resp::{Protocol, Request};
use crate::server::Server;
use crate::server::client::{Client, Flags};
use crate::server::config::PARAMETERS;
use crate::server::pubsub;
use crate::server::rng::Rng;
use crate::server::slowlog;
use crate::server::snapshot::Present;

use super::Engine;
use super::journal::{Input, Journal};

const VERSION: u64 = 1;

type Result<T = ()> = std::result::Result<T, Bad>;

const CORRUPT: Bad = Bad::Corrupt("not a checkpoint");

impl Engine {
    /// Starts the journal anew from the state of now. False where there is no journal, or not at this time.
    pub fn checkpoint(&mut self) -> bool {
        let Some((seed, started_at_ms)) = self.journal.as_ref().map(|j| (j.seed(), j.started_at_ms())) else {
            return false;
        };
        if !is_quiet(&self.server) {
            return false;
        }
        let now_ms = self.server.now_ms;
        let mut fresh = Engine::with_journal(seed, started_at_ms);
        fresh.server.stopwatch = self.server.stopwatch;
        fresh.apply(Input::Restore { state: self.state(), now_ms });
        if !fresh.is_restored {
            return false;
        }
        while fresh.server.next_event().is_some() {}
        while let Some(event) = self.server.next_event() {
            fresh.server.emit(event);
        }
        let (new, old) = (&mut fresh.server, &mut self.server);
        (new.acl_reader, new.exchange, new.can_listen) = (old.acl_reader, old.exchange, old.can_listen);
        (new.process_id, new.resident_bytes) = (old.process_id, old.resident_bytes);
        new.persistence.disk = old.persistence.disk.take();
        new.witness = old.witness.take();
        fresh.unsent_bytes_max = self.unsent_bytes_max;
        *self = fresh;
        true
    }

    /// Applies [`Input::Restore`]; what cannot be read changes nothing.
    pub(super) fn restore(&mut self, state: Vec<u8>, now_ms: u64) {
        let mut fresh = match &self.journal {
            Some(journal) => Engine::with_journal(journal.seed(), journal.started_at_ms()),
            None => return,
        };
        fresh.server.stopwatch = self.server.stopwatch;
        fresh.set_now(now_ms);
        let restored = fresh.read_state(&mut Reader::new(&state));
        if restored.is_err() {
            return;
        }
        let mut journal = Journal::new(fresh.journal_seed(), fresh.server.started_at_ms);
        journal.push(&Input::Restore { state, now_ms });
        fresh.journal = Some(journal);
        fresh.is_restored = true;
        *self = fresh;
    }

    fn journal_seed(&self) -> u64 {
        self.journal.as_ref().map_or(0, Journal::seed)
    }

    fn state(&mut self) -> Vec<u8> {
        let mut out = Writer::new(true);
        let server = &self.server;
        out.number(VERSION);
        server.rng.state().into_iter().for_each(|word| out.i64(word as i64));
        out.number(server.dirty);
        out.number(self.next_sweep_ms);
        let status = &server.persistence;
        for number in [status.last_save_ms, status.saves, status.rewrites, status.dirty_at_save] {
            out.number(number);
        }
        write_config(&mut out, server);
        let users = &server.acl.users;
        out.number(users.len() as u64);
        for (name, user) in users {
            out.string(name);
            out.string(&user.text());
        }
        self.write_stats(&mut out);
        write_slow_log(&mut out, &self.server.slowlog);
        write_scripts(&mut out, &self.server);
        write_clients(&mut out, &self.server);
        let keys = self.server.snapshot_for_ourselves();
        out.number(keys.len() as u64);
        out.raw(&keys);
        out.bytes
    }

    fn read_state(&mut self, from: &mut Reader) -> Result {
        if from.number()? != VERSION {
            return Err(CORRUPT);
        }
        let mut words = [0; 4];
        for word in &mut words {
            *word = from.u64()?;
        }
        let dirty = from.number()?;
        self.next_sweep_ms = from.number()?;
        let mut status = [0; 4];
        for number in &mut status {
            *number = from.number()?;
        }
        read_config(from, &mut self.server)?;
        for _ in 0..from.count(2)? {
            let (name, rules) = (from.string()?, from.string()?);
            let mut words: Vec<&[u8]> = vec![b"ACL", b"SETUSER", &name, b"reset"];
            words.extend(rules.split(|byte| *byte == b' '));
            self.run_alone(&Request::of(&words));
        }
        let stats = self.read_stats(from)?;
        read_slow_log(from, &mut self.server.slowlog)?;
        self.read_scripts(from)?;
        // What was run to get here has left traces.
        let clients = read_clients(from, self)?;
        let keys = from.number()?;
        let keys = from.take(keys)?;
        // Keys whose time is up are still to be told of.
        self.server.persistence.is_loading = true;
        let loaded = self.server.load(keys, Present::Replaced).map_err(|_| CORRUPT)?;
        self.server.persistence.is_loading = false;
        self.load_functions(&loaded).map_err(|_| CORRUPT)?;
        self.server.stats = stats;
        self.server.rng = Rng::of_state(words);
        self.server.dirty = dirty;
        let persistence = &mut self.server.persistence;
        [persistence.last_save_ms, persistence.saves, persistence.rewrites, persistence.dirty_at_save] =
            status;
        (persistence.keys_loaded, persistence.keys_expired) = (0, 0);
        self.server.clients = clients;
        for id in self.server.clients.ids() {
            let Some(client) = self.server.clients.get(id) else { continue };
            let all = &mut self.server.pubsub;
            client.channels.iter().for_each(|name| pubsub::listen(&mut all.channels, name, id));
            client.patterns.iter().for_each(|name| pubsub::listen(&mut all.patterns, name, id));
            client.shard_channels.iter().for_each(|name| pubsub::listen(&mut all.shard_channels, name, id));
        }
        self.server.forget_run();
        Ok(())
    }

    // Counters.

    fn write_stats(&self, out: &mut Writer) {
        let mut stats = self.server.stats.clone();
        for counter in stats.counters() {
            out.number(*counter);
        }
        out.number(stats.errors.len() as u64);
        for (code, count) in &stats.errors {
            out.string(code);
            out.number(*count);
        }
        let called = || stats.commands.iter().enumerate().filter(|(_, one)| one.calls + one.rejected > 0);
        out.number(called().count() as u64);
        for (number, one) in called() {
            out.string(self.registry.entry(number).command.name.as_bytes());
            for counter in
                [one.calls, one.microseconds, one.rejected, one.failed, one.slow.0, one.slow.1, one.slow.2]
            {
                out.number(counter);
            }
        }
    }

    fn read_stats(&self, from: &mut Reader) -> Result<crate::server::stats::Stats> {
        let mut stats = self.server.stats.clone();
        stats.reset();
        for counter in stats.counters() {
            *counter = from.number()?;
        }
        for _ in 0..from.count(2)? {
            let code = from.string()?.into_owned();
            stats.errors.insert(code, from.number()?);
        }
        for _ in 0..from.count(8)? {
            let name = from.string()?;
            let mut counters = [0; 7];
            for counter in &mut counters {
                *counter = from.number()?;
            }
            let entries = self.registry.entries();
            let number = entries.iter().position(|entry| entry.command.name.as_bytes() == &*name);
            if let Some(one) = number.and_then(|number| stats.commands.get_mut(number)) {
                let [calls, microseconds, rejected, failed, slow @ ..] = counters;
                (one.calls, one.microseconds, one.rejected, one.failed) =
                    (calls, microseconds, rejected, failed);
                one.slow = (slow[0], slow[1], slow[2]);
            }
        }
        Ok(stats)
    }

    // Scripts.

    fn read_scripts(&mut self, from: &mut Reader) -> Result {
        for _ in 0..from.count(2)? {
            let (body, used) = (from.string()?, from.number()?);
            self.run_alone(&Request::of(&[b"SCRIPT" as &[u8], b"LOAD", &body]));
            self.server.scripting.mark_used(&body, used);
        }
        let (uses, evicted) = (from.number()?, from.number()?);
        self.server.scripting.set_uses(uses, evicted);
        Ok(())
    }
}

/// Whether nothing is going on that a checkpoint cannot hold.
fn is_quiet(server: &Server) -> bool {
    let busy = [
        Flags::MULTI,
        Flags::BLOCKED,
        Flags::MONITOR,
        Flags::TRACKING,
        Flags::POSTPONED,
        Flags::CLOSE_AFTER_REPLY,
        Flags::REPLY_SKIP,
        Flags::REPLY_SKIP_NEXT,
        Flags::REPLICA,
        Flags::MASTER,
    ];
    let is_quiet = |client: &Client| {
        !busy.iter().any(|flag| client.flags.has(*flag))
            && client.input.is_empty()
            && client.reply.is_empty()
            && client.watched.is_empty()
            && client.queue.is_empty()
            && client.fieldsets.is_empty()
            && client.tracking.is_none()
    };
    server.clients.iter().all(is_quiet)
        && server.tracking.is_idle()
        && server.pause.is_none()
        && server.monitors.is_empty()
        && server.hotkeys.session.is_none()
        && server.scripting.running.is_none()
        && !server.propagation.is_on()
        && server.persistence.save_started_ms.is_none()
}

fn write_config(out: &mut Writer, server: &Server) {
    let differs = |number: &usize| server.config.text(*number) != PARAMETERS[*number].default.as_bytes();
    let numbers: Vec<usize> = (0..PARAMETERS.len()).filter(differs).collect();
    out.number(numbers.len() as u64);
    for number in numbers {
        out.string(PARAMETERS[number].name.as_bytes());
        out.string(server.config.text(number));
    }
    out.byte(u8::from(server.config.active_expire));
    out.byte(u8::from(server.persistence.skips_checksums));
}

fn read_config(from: &mut Reader, server: &mut Server) -> Result {
    for _ in 0..from.count(2)? {
        let (name, text) = (from.string()?, from.string()?);
        if let Some(number) = crate::server::config::find(&name) {
            server.config.put(number, text.into_owned());
            server.follow_config(PARAMETERS[number].name);
        }
    }
    server.config.active_expire = from.byte()? != 0;
    server.persistence.skips_checksums = from.byte()? != 0;
    Ok(())
}

fn write_slow_log(out: &mut Writer, log: &slowlog::SlowLog) {
    for number in log.counters() {
        out.number(number);
    }
    out.number(log.len() as u64);
    for entry in log.entries() {
        for number in [entry.id, entry.time, entry.microseconds, entry.argument_count as u64] {
            out.number(number);
        }
        out.string(entry.address.as_bytes());
        out.string(&entry.client_name);
        out.number(entry.arguments.len() as u64);
        entry.arguments.iter().for_each(|argument| out.string(argument));
    }
}

fn read_slow_log(from: &mut Reader, log: &mut slowlog::SlowLog) -> Result {
    let mut counters = [0; 4];
    for counter in &mut counters {
        *counter = from.number()?;
    }
    let mut entries = Vec::new();
    for _ in 0..from.count(7)? {
        let (id, time, microseconds) = (from.number()?, from.number()?, from.number()?);
        let argument_count = from.number()? as usize;
        let address = String::from_utf8_lossy(&from.string()?).into_owned();
        let client_name = from.string()?.into_owned();
        let mut arguments = Vec::new();
        for _ in 0..from.count(1)? {
            arguments.push(from.string()?.into_owned());
        }
        entries.push(slowlog::Entry {
            id,
            time,
            microseconds,
            arguments,
            argument_count,
            address,
            client_name,
        });
    }
    log.restore(counters, entries);
    Ok(())
}

fn write_scripts(out: &mut Writer, server: &Server) {
    let scripts = server.scripting.cached();
    out.number(scripts.len() as u64);
    for (body, used) in scripts {
        out.string(body);
        out.number(used);
    }
    let (uses, evicted) = server.scripting.uses();
    out.number(uses);
    out.number(evicted);
}

fn write_clients(out: &mut Writer, server: &Server) {
    let (last_serial, free) = server.clients.layout();
    out.number(last_serial);
    out.number(free.len() as u64);
    free.iter().for_each(|slot| out.number(u64::from(*slot)));
    let ids = server.clients.ids();
    out.number(ids.len() as u64);
    for client in ids.iter().filter_map(|id| server.clients.get(*id)) {
        out.number(client.id.serial);
        out.number(client.id.slot() as u64);
        out.number(u64::from(client.flags.bits()));
        out.byte(u8::from(client.protocol() == Protocol::Resp3));
        let identity = &client.identity;
        for text in [&identity.name, &identity.library_name, &identity.library_version, &client.user] {
            out.string(text);
        }
        for text in [client.address.as_str(), &client.local_address, client.last_command] {
            out.string(text.as_bytes());
        }
        for number in [
            client.db as u64,
            client.connected_at_ms,
            client.active_at_ms,
            client.commands,
            client.reads,
            client.input_bytes,
            client.output_bytes,
        ] {
            out.number(number);
        }
        for names in [&client.channels, &client.patterns, &client.shard_channels] {
            out.number(names.len() as u64);
            names.iter().for_each(|name| out.string(name));
        }
    }
}

fn read_clients(from: &mut Reader, engine: &Engine) -> Result<crate::server::clients::Clients> {
    let last_serial = from.number()?;
    let mut free = Vec::new();
    for _ in 0..from.count(1)? {
        free.push(from.number()? as u32);
    }
    let mut clients = Vec::new();
    for _ in 0..from.count(20)? {
        let (serial, slot) = (from.number()?, from.number()? as u32);
        let flags = Flags::of_bits(from.number()? as u32);
        let protocol = if from.byte()? == 0 { Protocol::Resp2 } else { Protocol::Resp3 };
        let mut client = Client::new(crate::server::clients::ClientId::of(serial, slot), 0);
        client.flags = flags;
        client.reply.set_protocol(protocol);
        client.identity.name = from.string()?.into_owned();
        client.identity.library_name = from.string()?.into_owned();
        client.identity.library_version = from.string()?.into_owned();
        client.user = from.string()?.into_owned();
        client.address = String::from_utf8_lossy(&from.string()?).into_owned();
        client.local_address = String::from_utf8_lossy(&from.string()?).into_owned();
        let last_command = from.string()?;
        let mut commands = engine.registry.entries().iter().map(|entry| entry.command.name);
        client.last_command = commands.find(|name| name.as_bytes() == &*last_command).unwrap_or("NULL");
        client.db = from.number()? as usize;
        if client.db >= engine.server.keyspace.databases() {
            return Err(CORRUPT);
        }
        for number in [
            &mut client.connected_at_ms,
            &mut client.active_at_ms,
            &mut client.commands,
            &mut client.reads,
            &mut client.input_bytes,
            &mut client.output_bytes,
        ] {
            *number = from.number()?;
        }
        for names in [&mut client.channels, &mut client.patterns, &mut client.shard_channels] {
            for _ in 0..from.count(1)? {
                names.insert(from.string()?.into_owned().into());
            }
        }
        clients.push(client);
    }
    crate::server::clients::Clients::of(last_serial, free, clients).ok_or(CORRUPT)
}

//! The façade: what a host sees. Bytes, time and a seed go in; bytes, deadlines and events come out.

pub mod inspect;
pub mod journal;
mod checkpoint;
mod saved;

use crate::command::call;
use crate::command::ctx::Origin;
use crate::command::registry::Registry;
use crate::commands::{self, scripting};
use crate::resp::request::{Parsed, RequestLimits};
use crate::resp::{ReplyWriter, Request, RequestParser, Span};
use crate::server::Server;
use crate::server::client::Flags;
use crate::server::event::Event;

pub use crate::server::clients::ClientId;
use journal::{Input, Journal};

/// How often expired keys are looked for, in milliseconds.
const SWEEP_INTERVAL_MS: u64 = 100;
/// Keys looked at in one sweep of one database.
const SWEEP_KEYS_MAX: usize = 10_000;
/// Buffers of clients larger than this are given back to the allocator when they are empty.
const IDLE_BUFFER_BYTES_MAX: usize = 64 * 1024;

/// One Redis instance without any I/O.
pub struct Engine {
    server: Server,
    registry: &'static Registry,
    journal: Option<Journal>,
    next_sweep_ms: u64,
    unsent_bytes_max: usize,
    /// Started from a checkpoint.
    is_restored: bool,
}

impl Engine {
    /// An empty instance. The same seed and the same inputs at the same times give the same outputs.
    pub fn new(seed: u64, now_ms: u64) -> Self {
        let registry = commands::registry();
        let mut server = Server::new(seed, now_ms);
        server.stats.commands = vec![Default::default(); registry.len()];
        Engine {
            server,
            registry,
            journal: None,
            next_sweep_ms: now_ms,
            unsent_bytes_max: usize::MAX,
            is_restored: false,
        }
    }

    /// As [`Engine::new`], writing down every input for [`Engine::journal`]. Whoever has such an engine has it alone, and
    /// may use DEBUG.
    pub fn with_journal(seed: u64, now_ms: u64) -> Self {
        let mut engine = Engine { journal: Some(Journal::new(seed, now_ms)), ..Engine::new(seed, now_ms) };
        engine.server.has_journal = true;
        engine.allow_debug();
        engine
    }

    /// Lets clients use DEBUG, from wherever they come.
    pub fn allow_debug(&mut self) {
        self.server.config.enable("enable-debug-command");
    }

    /// Plays a journal from the start; the engine goes on writing to it. Output that was taken then is waiting again.
    pub fn replay(journal: &Journal) -> Self {
        let mut engine = Engine::with_journal(journal.seed(), journal.started_at_ms());
        for input in journal.inputs() {
            engine.apply(input);
        }
        engine
    }

    /// Applies one input of a journal.
    pub fn apply(&mut self, input: Input) {
        match input {
            Input::Connect { now_ms } => drop(self.connect(now_ms)),
            Input::Disconnect { client, now_ms } => {
                if let Some(id) = self.server.clients.by_serial(client) {
                    self.disconnect(id, now_ms);
                }
            }
            Input::Receive { client, bytes, now_ms } => {
                if let Some(id) = self.server.clients.by_serial(client) {
                    self.receive(id, &bytes, now_ms);
                }
            }
            Input::Tick { now_ms } => self.tick(now_ms),
            Input::Restore { state, now_ms } => self.restore(state, now_ms),
            // What could not be loaded then cannot be loaded now.
            Input::Load { bytes, now_ms } => drop(self.load(&bytes, now_ms)),
        }
    }

    /// Every input so far, if the engine was told to write them down.
    pub fn journal(&self) -> Option<&Journal> {
        self.journal.as_ref()
    }

    /// For hosts: configuration before the first client, figures for INFO.
    pub fn server(&self) -> &Server {
        &self.server
    }

    pub fn server_mut(&mut self) -> &mut Server {
        &mut self.server
    }

    pub fn registry(&self) -> &'static Registry {
        self.registry
    }

    pub fn connect(&mut self, now_ms: u64) -> ClientId {
        self.write_down(|| Input::Connect { now_ms });
        self.set_now(now_ms);
        self.server.stats.connections_received += 1;
        let id = self.server.clients.add(now_ms);
        self.server.log_out(id);
        if let Some(client) = self.server.clients.get_mut(id) {
            client.address = format!("127.0.0.1:{}", 50000 + id.serial % 10000);
            client.local_address = "127.0.0.1:6379".into();
        }
        id
    }

    pub fn disconnect(&mut self, id: ClientId, now_ms: u64) {
        self.write_down(|| Input::Disconnect { client: id.serial, now_ms });
        self.set_now(now_ms);
        if !self.server.keeps_for_script(id) {
            self.server.forget(id);
        }
        self.settle();
    }

    /// Takes bytes from a client: any part of a request, or many.
    pub fn receive(&mut self, id: ClientId, bytes: &[u8], now_ms: u64) {
        self.write_down(|| Input::Receive { client: id.serial, bytes: bytes.to_vec(), now_ms });
        self.set_now(now_ms);
        let Some(client) = self.server.clients.get_mut(id) else { return };
        client.active_at_ms = now_ms;
        client.input_bytes += bytes.len() as u64;
        client.reads += 1;
        self.server.stats.input_bytes += bytes.len() as u64;
        self.server.stats.reads += 1;
        if (client.input.len() + bytes.len()) as u64 > self.server.config.client_query_buffer_limit {
            self.server.stats.query_buffer_limit_disconnections += 1;
            self.server.kill(id);
            return self.settle();
        }
        if client.input.is_empty() && !client.flags.has(Flags::BLOCKED) {
            let used = self.process(id, bytes);
            if let Some(client) = self.server.clients.get_mut(id).filter(|_| used < bytes.len()) {
                let rest = &bytes[used..];
                if let Some(wanted) = client.parser.wanted() {
                    client.input.reserve(wanted.min(4 * rest.len() + 64 * 1024));
                }
                client.input.extend_from_slice(rest);
            }
        } else {
            client.input.extend_from_slice(bytes);
            // A request that takes too much is not run.
            self.server.count_client(id);
            self.server.evict_clients();
            self.process_buffered(id);
        }
        self.server.count_client(id);
        self.settle();
    }

    /// From so much output on that the host has not sent, a client's further requests wait for [`Engine::go_on`]. For hosts
    /// whose clients may not read; what is in the journal does not tell of it.
    pub fn hold_back_at(&mut self, unsent_bytes_max: usize) {
        self.unsent_bytes_max = unsent_bytes_max;
    }

    /// Whether a client's requests wait for its output to be sent.
    pub fn is_held_back(&self, id: ClientId) -> bool {
        self.server.clients.get(id).is_some_and(|client| client.reply.len() >= self.unsent_bytes_max)
    }

    /// Runs requests that were held back.
    pub fn go_on(&mut self, id: ClientId, now_ms: u64) {
        self.set_now(now_ms);
        self.process_buffered(id);
        self.settle();
    }

    /// Lets time pass: blocked clients time out, expired keys go.
    pub fn tick(&mut self, now_ms: u64) {
        self.write_down(|| Input::Tick { now_ms });
        self.set_now(now_ms);
        if self.server.scripting.running.is_some() {
            // Nobody else's time passes while a script is in the middle.
            scripting::go_on(&mut self.server, self.registry);
            return self.settle();
        }
        while let Some(id) = self.server.waiting.next_timeout(now_ms) {
            call::time_out(&mut self.server, self.registry, id);
        }
        self.server.limit_waiting_output();
        self.server.save_if_due();
        self.server.evict_what_is_due();
        self.server.sweep_fields(SWEEP_KEYS_MAX);
        self.server.stats.sample_rates(now_ms);
        if now_ms >= self.next_sweep_ms {
            self.next_sweep_ms = now_ms + SWEEP_INTERVAL_MS;
            self.server.sweep(SWEEP_KEYS_MAX);
        }
        self.settle();
    }

    /// When [`Engine::tick`] should be called next, if nothing else happens.
    pub fn next_deadline(&self) -> Option<u64> {
        if self.server.scripting.running.is_some() {
            return Some(self.server.now_ms);
        }
        let sweep = self.server.keyspace.iter().any(|db| db.has_deadlines()).then_some(self.next_sweep_ms);
        let server = &self.server;
        [
            sweep,
            server.waiting.next_deadline(),
            server.pause_deadline(),
            server.output_deadline(),
            server.eviction_deadline(),
            server.next_save_ms(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// When the next key expires or the next client has waited long enough: the next thing that time alone brings about.
    pub fn next_due(&self) -> Option<u64> {
        let expiries = self.server.keyspace.iter().filter_map(|db| db.next_expiry(self.server.now_ms));
        expiries.chain(self.server.waiting.next_deadline()).chain(self.server.pause_deadline()).min()
    }

    /// A client whose output has grown since it was last named here.
    pub fn next_with_output(&mut self) -> Option<ClientId> {
        self.server.next_announced()
    }

    /// The output of a client that the host has not sent yet. The host drains what it sends.
    pub fn output(&mut self, id: ClientId) -> Option<&mut Vec<u8>> {
        self.server.clients.get_mut(id).map(|client| client.reply.buffer())
    }

    /// All output of a client, taken.
    pub fn take_output(&mut self, id: ClientId) -> Vec<u8> {
        self.output(id).map(std::mem::take).unwrap_or_default()
    }

    /// What the host should do next.
    pub fn next_event(&mut self) -> Option<Event> {
        self.server.next_event()
    }

    fn write_down(&mut self, input: impl FnOnce() -> Input) {
        if let Some(journal) = &mut self.journal {
            journal.push(&input());
        }
    }

    /// Time never runs backwards.
    fn set_now(&mut self, now_ms: u64) {
        self.server.set_now(now_ms);
    }

    /// Runs every whole request at the start of `buffer`; the bytes used.
    fn process(&mut self, id: ClientId, buffer: &[u8]) -> usize {
        let Some(client) = self.server.clients.get_mut(id) else { return buffer.len() };
        let mut parser = std::mem::take(&mut client.parser);
        client.reading = buffer.len();
        let mut reply = call::take_reply(client);
        let mut used = 0;
        loop {
            let Some(client) = self.server.clients.get(id) else { return buffer.len() };
            if client.flags.has(Flags::CLOSE_AFTER_REPLY) {
                used = buffer.len();
                break;
            }
            if client.flags.has(Flags::BLOCKED) || reply.len() >= self.unsent_bytes_max {
                break;
            }
            let limits = RequestLimits {
                bulk_bytes_max: self.server.config.proto_max_bulk_len,
                authenticated: !client.flags.has(Flags::NEEDS_AUTH),
            };
            match parser.parse(&buffer[used..], &limits) {
                Ok(Parsed::Incomplete) => break,
                Ok(Parsed::Multibulk { consumed }) => {
                    self.request(id, &buffer[used..], parser.spans(), &mut reply);
                    used += consumed;
                }
                Ok(Parsed::Inline { consumed }) => {
                    let inline = std::mem::take(parser.inline());
                    self.request(id, &inline.bytes, &inline.spans, &mut reply);
                    used += consumed;
                }
                Err(error) => {
                    reply.error(&error.text());
                    self.server.stats.count_error(b"ERR");
                    self.server.close_after_reply(id);
                    parser = RequestParser::default();
                }
            }
        }
        if let Some(client) = self.server.clients.get_mut(id) {
            client.parser = parser;
            client.reading = 0;
            call::give_back(client, reply);
            self.server.announce(id);
            self.server.limit_output(id);
        }
        used
    }

    /// One request, and everything that follows from it.
    fn request(&mut self, id: ClientId, buffer: &[u8], spans: &[Span], reply: &mut ReplyWriter) {
        if spans.is_empty() {
            return;
        }
        let mark = reply.mark();
        self.server.current = Some(id);
        call::dispatch(&mut self.server, self.registry, id, buffer, spans, reply, Origin::Client);
        self.server.propagation.flush();
        let Some(client) = self.server.clients.get_mut(id) else { return };
        if client.flags.has(Flags::POSTPONED) {
            return;
        }
        client.commands += 1;
        if client.flags.is_plain() && client.reply.is_empty() {
            // The hot path ends here.
        } else {
            if client.flags.has(Flags::REPLY_OFF) || client.flags.has(Flags::REPLY_SKIP) {
                reply.roll_back(mark);
            }
            let skip_next = client.flags.has(Flags::REPLY_SKIP_NEXT);
            client.flags.set(Flags::REPLY_SKIP, skip_next);
            client.flags.remove(Flags::REPLY_SKIP_NEXT);
            if let Some(mode) = &mut client.tracking
                && !client.flags.has(Flags::MULTI)
                && !client.last_command.starts_with("CLIENT ")
            {
                mode.caching = false;
            }
            // HELLO and RESET may have changed the protocol; pushes to oneself follow the reply.
            reply.raw(client.reply.bytes());
            client.reply.buffer().clear();
        }
        if self.server.slept_ms > 0 {
            let slept_ms = std::mem::take(&mut self.server.slept_ms);
            self.set_now(self.server.now_ms + slept_ms);
        }
        if self.server.waiting.has_ready() && self.server.scripting.running.is_none() {
            call::serve_waiting(&mut self.server, self.registry);
        }
    }

    fn process_buffered(&mut self, id: ClientId) {
        let Some(client) = self.server.clients.get_mut(id) else { return };
        if client.flags.has(Flags::BLOCKED) {
            return;
        }
        let mut input = std::mem::take(&mut client.input);
        let used = self.process(id, &input);
        let Some(client) = self.server.clients.get_mut(id) else { return };
        input.drain(..used);
        if input.is_empty() && input.capacity() > IDLE_BUFFER_BYTES_MAX {
            input = Vec::new();
        }
        client.input = input;
    }

    /// What one input may set off: waiting clients are served, and those that no longer wait go on with their input.
    fn settle(&mut self) {
        loop {
            self.server.current = None;
            if self.server.scripting.running.as_ref().is_some_and(|running| running.is_killed) {
                scripting::go_on(&mut self.server, self.registry);
            }
            if self.server.scripting.running.is_none() {
                call::serve_waiting(&mut self.server, self.registry);
            } else if !self.server.is_busy() {
                break;
            }
            if let Some((id, request)) = self.server.next_postponed() {
                self.run_postponed(id, &request);
            } else if let Some(id) = self.server.unblocked.pop_front() {
                self.process_buffered(id);
            } else {
                break;
            }
        }
        self.server.broadcast_invalidations();
        self.server.evict_what_is_due();
        self.server.evict_clients();
    }

    /// Runs a request that waited for the end of a pause.
    fn run_postponed(&mut self, id: ClientId, request: &Request) {
        let Some(client) = self.server.clients.get_mut(id) else { return };
        let mut reply = call::take_reply(client);
        self.request(id, &request.bytes, &request.spans, &mut reply);
        if let Some(client) = self.server.clients.get_mut(id) {
            call::give_back(client, reply);
            self.server.announce(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn talk(engine: &mut Engine, id: ClientId, bytes: &[u8]) -> String {
        engine.receive(id, bytes, 1000);
        String::from_utf8(engine.take_output(id)).expect("replies are ASCII here")
    }

    #[test]
    fn a_client_sets_and_gets() {
        let mut engine = Engine::new(1, 1000);
        let id = engine.connect(1000);
        assert_eq!(talk(&mut engine, id, b"SET k 10\r\nGET k\r\nGET x\r\n"), "+OK\r\n$2\r\n10\r\n$-1\r\n");
        assert_eq!(talk(&mut engine, id, b"*2\r\n$3\r\nGET\r\n$1\r"), "");
        assert_eq!(talk(&mut engine, id, b"\nk\r\n"), "$2\r\n10\r\n");
        assert_eq!(
            talk(&mut engine, id, b"NOPE a b\r\n"),
            "-ERR unknown command 'NOPE', with args beginning with: 'a' 'b' \r\n"
        );
    }

    #[test]
    fn replaying_the_journal_gives_the_same_bytes() {
        let mut engine = Engine::with_journal(1, 1000);
        let id = engine.connect(1000);
        engine.receive(id, b"SET k v\r\nGET k\r\n", 1001);
        let mut again = Engine::replay(engine.journal().expect("it keeps one"));
        assert_eq!(again.journal(), engine.journal());
        assert_eq!(again.take_output(id), engine.take_output(id));
    }
}

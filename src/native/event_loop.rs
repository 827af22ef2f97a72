//! Sockets to the engine and back: one thread, readiness by mio, one write per client and turn of the loop.

pub mod saving;

use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mio::{Events, Poll, Token, Waker};

use crate::engine::{ClientId, Engine};
use crate::server::event::{Event, LogLevel};

use super::aof::{self, Rewrite};
use super::disk::Job;
use super::files;
use super::limits::{Limits, may_time_out};
use super::log::{self, Log};
use super::serve;
use super::sockets::{Accepted, Listener, Stream};

const WAKER: Token = Token(0);
const LISTENERS: usize = 1;
const CLIENTS: usize = 1024;
/// One read takes at most so much; a client with more to say waits for its next turn.
const READ_BYTES: usize = 256 * 1024;
const READS_PER_TURN: usize = 4;
/// With so much left to send, a client's further requests wait until it has read.
const HOLD_BACK_BYTES: usize = 4 << 20;
/// Sent bytes are cut off the front of an output buffer when they are so many and most of it.
const SENT_BYTES_MAX: usize = 1 << 20;
/// How often idle clients are looked for.
const WATCH_INTERVAL_MS: u64 = 1000;
/// For a client that comes from afar while nothing protects the data.
const DENIED: &str = "-DENIED This server is in protected mode: the default user has no password, so only connections \
    from the same machine are taken. Set a password (requirepass, or ACL SETUSER), or switch protected-mode off, with \
    CONFIG SET from the same machine or in the configuration.\r\n";
/// Emptied output buffers larger than this go back to the allocator.
const IDLE_OUTPUT_BYTES_MAX: usize = 64 * 1024;

/// Milliseconds since the Unix epoch.
pub fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64
}

/// Microseconds of a clock that never runs backwards; for statistics only.
pub fn microseconds() -> u64 {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_micros() as u64
}

/// Ends a running loop from another thread or a signal handler.
#[derive(Clone)]
pub struct Stopper {
    asked: Arc<AtomicBool>,
    waker: Arc<Waker>,
}

impl Stopper {
    pub fn stop(&self) {
        self.asked.store(true, Ordering::SeqCst);
        // A loop that cannot be woken sees the flag at its next turn.
        let _ = self.waker.wake();
    }
}

struct Connection {
    stream: Stream,
    id: ClientId,
    /// Its requests wait until it has read its replies.
    is_held_back: bool,
    closes_when_written: bool,
}

pub struct EventLoop {
    engine: Engine,
    poll: Poll,
    listeners: Vec<Listener>,
    /// By the slot of the client's id.
    connections: Vec<Option<Connection>>,
    /// Connections with unread input left from the last turn.
    unfinished: Vec<usize>,
    stopper: Stopper,
    buffer: Vec<u8>,
    log: Log,
    limits: Limits,
    /// Listeners that could not accept for want of files.
    stalled: Vec<usize>,
    next_watch_ms: u64,
    /// A save in the background.
    saving: Option<Job>,
    aof: aof::Shared,
    /// A new base of the append-only file in the making.
    rewriting: Option<(Job, Rewrite)>,
    next_aof_ms: u64,
    is_over: bool,
}

impl EventLoop {
    pub fn new(
        mut listeners: Vec<Listener>,
        mut engine: Engine,
        aof: aof::Shared,
        log: Log,
    ) -> io::Result<EventLoop> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKER)?);
        register(&mut listeners, &poll)?;
        engine.hold_back_at(HOLD_BACK_BYTES);
        let limits = Limits::of(&engine.server().config);
        Ok(EventLoop {
            engine,
            poll,
            listeners,
            connections: Vec::new(),
            unfinished: Vec::new(),
            stopper: Stopper { asked: Arc::new(AtomicBool::new(false)), waker },
            buffer: vec![0; READ_BYTES],
            log,
            limits,
            stalled: Vec::new(),
            next_watch_ms: 0,
            saving: None,
            aof,
            rewriting: None,
            next_aof_ms: 0,
            is_over: false,
        })
    }

    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Serves until SHUTDOWN or [`Stopper::stop`].
    pub fn run(&mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        while !self.is_over {
            let timeout = self.next_timeout();
            match self.poll.poll(&mut events, timeout) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                result => result?,
            }
            let now_ms = now_ms();
            if self.stopper.asked.swap(false, Ordering::SeqCst) {
                self.shut_down(now_ms);
            }
            self.check_jobs();
            if self.engine.next_deadline().is_some_and(|deadline_ms| deadline_ms <= now_ms) {
                self.engine.tick(now_ms);
            }
            if self.aof_deadline().is_some_and(|deadline_ms| deadline_ms <= now_ms) {
                self.watch_aof(now_ms);
            }
            if self.watches() && now_ms >= self.next_watch_ms {
                self.watch(now_ms);
            }
            for slot in std::mem::take(&mut self.unfinished) {
                self.read(slot, now_ms);
            }
            for event in &events {
                match event.token() {
                    WAKER => {}
                    Token(token) if token < CLIENTS => self.accept(token - LISTENERS, now_ms),
                    Token(token) => {
                        // Replies to what is read now wait for what the engine asks for first.
                        if event.is_writable() {
                            self.write(token - CLIENTS);
                        }
                        if event.is_readable() || event.is_error() {
                            self.read(token - CLIENTS, now_ms);
                        }
                    }
                }
            }
            self.settle();
        }
        self.finish_files();
        Ok(())
    }

    fn next_timeout(&self) -> Option<Duration> {
        if !self.unfinished.is_empty() {
            return Some(Duration::ZERO);
        }
        let watch_ms = self.watches().then_some(self.next_watch_ms);
        let deadlines = [self.engine.next_deadline(), watch_ms, self.aof_deadline()];
        let deadline_ms = deadlines.into_iter().flatten().min()?;
        Some(Duration::from_millis(deadline_ms.saturating_sub(now_ms())))
    }

    // Looking after clients now and then.

    fn watches(&self) -> bool {
        self.limits.idle_ms > 0 || !self.stalled.is_empty()
    }

    /// Sends idle clients away.
    fn watch(&mut self, now_ms: u64) {
        self.next_watch_ms = now_ms + WATCH_INTERVAL_MS;
        for listener in std::mem::take(&mut self.stalled) {
            self.accept(listener, now_ms);
        }
        for slot in 0..self.connections.len() {
            let Some(connection) = &self.connections[slot] else { continue };
            let Some(client) = self.engine.server().clients.get(connection.id) else { continue };
            let idle_ms = now_ms.saturating_sub(client.active_at_ms);
            if self.limits.idle_ms > 0 && idle_ms > self.limits.idle_ms && may_time_out(client) {
                self.log.write(LogLevel::Verbose, "Closing idle client");
                self.close(slot, now_ms);
            }
        }
    }

    // Coming in.

    fn accept(&mut self, listener: usize, now_ms: u64) {
        loop {
            let Some(accepted) = self.listeners.get(listener).map(Listener::accept) else { return };
            let Accepted { mut stream, peer, local, is_local } = match accepted {
                Ok(accepted) => accepted,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error)
                    if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::ConnectionAborted) =>
                {
                    continue;
                }
                Err(error) => {
                    self.log.warning(format!("Accepting client connection: {}", super::reason(&error)));
                    self.stalled.push(listener);
                    return;
                }
            };
            let server = self.engine.server_mut();
            let refusal = if server.clients.len() >= server.config.maxclients {
                Some("-ERR max number of clients reached\r\n")
            } else if self.limits.is_protected && !is_local && server.default_user_has_no_password() {
                Some(DENIED)
            } else {
                None
            };
            if let Some(text) = refusal {
                // A client that does not even read this is gone.
                let _ = stream.write(text.as_bytes());
                server.stats.connections_rejected += 1;
                continue;
            }
            let id = self.engine.connect(now_ms);
            if let Some(client) = self.engine.server_mut().clients.get_mut(id) {
                client.address = peer;
                client.local_address = local;
            }
            stream.keep_alive(self.limits.keep_alive_seconds);
            let slot = id.slot();
            if stream.register(self.poll.registry(), Token(CLIENTS + slot)).is_err() {
                self.engine.disconnect(id, now_ms);
                continue;
            }
            if self.connections.len() <= slot {
                self.connections.resize_with(slot + 1, || None);
            }
            self.connections[slot] =
                Some(Connection { stream, id, is_held_back: false, closes_when_written: false });
        }
    }

    /// Reads what has come. A read that does not fill the buffer has drained the socket, and the next bytes will wake us.
    fn read(&mut self, slot: usize, now_ms: u64) {
        for _ in 0..READS_PER_TURN {
            let Some(connection) = self.connections.get_mut(slot).and_then(Option::as_mut) else { return };
            if connection.closes_when_written || connection.is_held_back {
                return;
            }
            match connection.stream.read(&mut self.buffer) {
                Ok(0) => return self.close(slot, now_ms),
                Ok(count) => {
                    let id = connection.id;
                    self.engine.receive(id, &self.buffer[..count], now_ms);
                    if self.engine.is_held_back(id) {
                        self.hold_back(slot, now_ms);
                    }
                    if count < self.buffer.len() {
                        return;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return self.close(slot, now_ms),
            }
        }
        self.unfinished.push(slot);
    }

    /// Sends what a client has to read first; as long as it reads, its requests go on.
    fn hold_back(&mut self, slot: usize, now_ms: u64) {
        loop {
            self.append_to_aof();
            self.write_out(slot);
            let Some(connection) = self.connections.get_mut(slot).and_then(Option::as_mut) else { return };
            let id = connection.id;
            let has_read = self.engine.output(id).is_none_or(|output| output.is_empty());
            connection.is_held_back = !has_read;
            if !has_read {
                return;
            }
            self.engine.go_on(id, now_ms);
            if !self.engine.is_held_back(id) {
                // What came in the meantime is still to be read.
                self.unfinished.push(slot);
                return;
            }
        }
    }

    // Going out.

    fn send_output(&mut self) {
        while let Some(id) = self.engine.next_with_output() {
            self.write(id.slot());
        }
    }

    fn write(&mut self, slot: usize) {
        self.write_out(slot);
        let Some(connection) = self.connections.get(slot).and_then(Option::as_ref) else { return };
        if connection.is_held_back {
            self.hold_back(slot, now_ms());
        }
    }

    fn write_out(&mut self, slot: usize) {
        let Some(connection) = self.connections.get_mut(slot).and_then(Option::as_mut) else { return };
        let Some(client) = self.engine.server_mut().clients.get_mut(connection.id) else { return };
        let before = client.sent;
        let output = client.reply.buffer();
        let mut written = before;
        let mut failed = false;
        while written < output.len() && !failed {
            match connection.stream.write(&output[written..]) {
                Ok(0) => failed = true,
                Ok(count) => written += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => failed = true,
            }
        }
        let left = output.len() - written;
        client.sent = written;
        if left == 0 {
            output.clear();
            if output.capacity() > IDLE_OUTPUT_BYTES_MAX {
                *output = Vec::new();
            }
            client.sent = 0;
        } else if written > SENT_BYTES_MAX && written > output.len() / 2 {
            output.drain(..written);
            client.sent = 0;
        }
        let closes = connection.closes_when_written;
        let id = connection.id;
        let server = self.engine.server_mut();
        server.stats.output_bytes += (written - before) as u64;
        server.count_client(id);
        if failed || (left == 0 && closes) {
            self.close(slot, now_ms());
        }
    }

    fn close(&mut self, slot: usize, now_ms: u64) {
        if let Some(mut connection) = self.connections.get_mut(slot).and_then(Option::take) {
            connection.stream.deregister(self.poll.registry());
            self.engine.disconnect(connection.id, now_ms);
        }
    }

    // What the engine asks for.

    /// Does what the engine asks for, then sends replies: who reads `OK` finds it done.
    fn settle(&mut self) {
        self.append_to_aof();
        let mut next = self.engine.next_event();
        loop {
            while let Some(event) = next {
                self.handle(event);
                next = self.engine.next_event();
            }
            self.append_to_aof();
            self.send_output();
            next = self.engine.next_event();
            if next.is_none() {
                return;
            }
        }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Close(id) => {
                let slot = id.slot();
                // The slot may belong to another client by now.
                let connection = self.connections.get_mut(slot).and_then(Option::as_mut);
                if let Some(connection) = connection.filter(|connection| connection.id == id) {
                    connection.closes_when_written = true;
                    self.write_out(slot);
                }
            }
            Event::Log(level, text) => self.log.write(level, &text),
            Event::Shutdown => self.is_over = true,
            Event::Sleep { microseconds } => std::thread::sleep(Duration::from_micros(microseconds)),
            Event::Crash => std::process::abort(),
            Event::ConfigChanged(name) => self.config_changed(name),
            Event::RewriteConfig => match files::rewrite_config(&self.engine.server().config) {
                Ok(()) => self.log.notice("CONFIG REWRITE executed with success."),
                Err(error) => self.log.warning(format!("CONFIG REWRITE failed: {}", super::reason(&error))),
            },
            Event::SaveAcl(text) => {
                let saved = files::path(&self.engine.server().config, "aclfile")
                    .map(|path| files::replace(&path, &text).map_err(|error| super::reason(&error)));
                if let Some(Err(reason)) = saved {
                    self.log.warning(format!("The ACL file cannot be written: {reason}"));
                }
            }
            Event::Save => self.save_in_background(),
            Event::RewriteAof => self.rewrite_aof(),
        }
    }

    fn config_changed(&mut self, name: &str) {
        let config = &self.engine.server().config;
        match name {
            "loglevel" => self.log.set_level(log::level(config.text_of("loglevel"))),
            "dir" => {
                let changed = files::path(config, "dir").map_or(Ok(()), std::env::set_current_dir);
                if let Err(error) = changed {
                    self.log.warning(format!("Can't chdir to the new dir: {}", super::reason(&error)));
                }
            }
            "port" | "bind" => self.listen_anew(),
            "appendonly" => self.switch_aof(),
            "appendfsync" => {
                if let Some(aof) = &mut *self.aof.get() {
                    aof.follow(config);
                }
            }
            _ => self.limits = Limits::of(config),
        }
    }

    /// Listens where the configuration says now; where that fails, what was bound before stays.
    fn listen_anew(&mut self) {
        let mut old = std::mem::take(&mut self.listeners);
        let unix: Vec<Listener> = old.extract_if(.., |listener| !listener.is_tcp()).collect();
        for listener in &mut old {
            listener.deregister(self.poll.registry());
        }
        match serve::listen_tcp(&self.engine.server().config, &self.log) {
            Ok(new) => self.listeners = new,
            Err(reason) => {
                self.log.warning(reason);
                self.listeners = old;
            }
        }
        self.listeners.extend(unix);
        for listener in &mut self.listeners {
            listener.deregister(self.poll.registry());
        }
        if let Err(error) = register(&mut self.listeners, &self.poll) {
            self.log.warning(format!("Listening failed: {error}"));
        }
    }
}

fn register(listeners: &mut [Listener], poll: &Poll) -> io::Result<()> {
    for (number, listener) in listeners.iter_mut().enumerate() {
        listener.register(poll.registry(), Token(LISTENERS + number))?;
    }
    Ok(())
}

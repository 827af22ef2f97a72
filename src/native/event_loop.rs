//! Sockets to the engine and back: one thread, readiness by mio, one write per client and turn of the loop.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token, Waker};

use crate::engine::{ClientId, Engine};
use crate::server::event::{Event, LogLevel};

use super::log::Log;

const WAKER: Token = Token(0);
const LISTENERS: usize = 1;
const CLIENTS: usize = 1024;
/// One read takes at most so much; a client with more to say waits for its next turn.
const READ_BYTES: usize = 256 * 1024;
const READS_PER_TURN: usize = 4;
/// Replies a client does not read may take so much before it is closed.
const UNREAD_OUTPUT_BYTES_MAX: usize = 1 << 30;
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
    stream: TcpStream,
    id: ClientId,
    /// The peer has more to say than one turn reads.
    has_more_input: bool,
    closes_when_written: bool,
}

pub struct EventLoop {
    engine: Engine,
    poll: Poll,
    listeners: Vec<TcpListener>,
    /// By the slot of the client's id.
    connections: Vec<Option<Connection>>,
    /// Connections with unread input left from the last turn.
    unfinished: Vec<usize>,
    stopper: Stopper,
    buffer: Vec<u8>,
    log: Log,
    is_over: bool,
}

impl EventLoop {
    /// Listens on every address.
    pub fn bind(addresses: &[SocketAddr], engine: Engine, log: Log) -> io::Result<EventLoop> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKER)?);
        let mut listeners = Vec::new();
        for (number, address) in addresses.iter().enumerate() {
            let mut listener = TcpListener::bind(*address)?;
            poll.registry().register(&mut listener, Token(LISTENERS + number), Interest::READABLE)?;
            listeners.push(listener);
        }
        Ok(EventLoop {
            engine,
            poll,
            listeners,
            connections: Vec::new(),
            unfinished: Vec::new(),
            stopper: Stopper { asked: Arc::new(AtomicBool::new(false)), waker },
            buffer: vec![0; READ_BYTES],
            log,
            is_over: false,
        })
    }

    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    pub fn local_addresses(&self) -> Vec<SocketAddr> {
        self.listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect()
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
            if self.stopper.asked.load(Ordering::SeqCst) {
                self.log.write(LogLevel::Warning, "Received a signal to stop");
                return Ok(());
            }
            let now_ms = now_ms();
            if self.engine.next_deadline().is_some_and(|deadline_ms| deadline_ms <= now_ms) {
                self.engine.tick(now_ms);
            }
            for slot in std::mem::take(&mut self.unfinished) {
                self.read(slot, now_ms);
            }
            for event in &events {
                match event.token() {
                    WAKER => {}
                    Token(token) if token < CLIENTS => self.accept(token - LISTENERS, now_ms),
                    Token(token) => {
                        if event.is_readable() || event.is_error() {
                            self.read(token - CLIENTS, now_ms);
                        }
                        if event.is_writable() {
                            self.write(token - CLIENTS);
                        }
                    }
                }
            }
            self.send_output();
            self.handle_events();
        }
        Ok(())
    }

    fn next_timeout(&self) -> Option<Duration> {
        if !self.unfinished.is_empty() {
            return Some(Duration::ZERO);
        }
        let deadline_ms = self.engine.next_deadline()?;
        Some(Duration::from_millis(deadline_ms.saturating_sub(now_ms())))
    }

    fn accept(&mut self, listener: usize, now_ms: u64) {
        loop {
            let (mut stream, peer) = match self.listeners[listener].accept() {
                Ok(accepted) => accepted,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => {
                    self.log.write(LogLevel::Warning, &format!("Accepting client connection: {error}"));
                    return;
                }
            };
            // Nagle's algorithm would hold back replies; failing to switch it off only costs time.
            let _ = stream.set_nodelay(true);
            let maxclients = self.engine.server().config.maxclients;
            if self.engine.server().clients.len() >= maxclients {
                let _ = stream.write(b"-ERR max number of clients reached\r\n");
                self.engine.server_mut().stats.connections_rejected += 1;
                continue;
            }
            let id = self.engine.connect(now_ms);
            let local = stream.local_addr().map(|address| address.to_string()).unwrap_or_default();
            if let Some(client) = self.engine.server_mut().clients.get_mut(id) {
                client.address = peer.to_string();
                client.local_address = local;
            }
            let slot = id.slot();
            let interest = Interest::READABLE.add(Interest::WRITABLE);
            if self.poll.registry().register(&mut stream, Token(CLIENTS + slot), interest).is_err() {
                self.engine.disconnect(id, now_ms);
                continue;
            }
            if self.connections.len() <= slot {
                self.connections.resize_with(slot + 1, || None);
            }
            self.connections[slot] =
                Some(Connection { stream, id, has_more_input: false, closes_when_written: false });
        }
    }

    /// Reads what has come. A read that does not fill the buffer has drained the socket, and the next bytes will wake us.
    fn read(&mut self, slot: usize, now_ms: u64) {
        for _ in 0..READS_PER_TURN {
            let Some(connection) = self.connections.get_mut(slot).and_then(Option::as_mut) else { return };
            if connection.closes_when_written {
                return;
            }
            connection.has_more_input = false;
            match connection.stream.read(&mut self.buffer) {
                Ok(0) => return self.close(slot, now_ms),
                Ok(count) => {
                    self.engine.receive(connection.id, &self.buffer[..count], now_ms);
                    if count < self.buffer.len() {
                        return;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return self.close(slot, now_ms),
            }
        }
        if let Some(connection) = self.connections.get_mut(slot).and_then(Option::as_mut) {
            connection.has_more_input = true;
            self.unfinished.push(slot);
        }
    }

    fn send_output(&mut self) {
        while let Some(id) = self.engine.next_with_output() {
            self.write(id.slot());
        }
    }

    fn write(&mut self, slot: usize) {
        let Some(connection) = self.connections.get_mut(slot).and_then(Option::as_mut) else { return };
        let Some(output) = self.engine.output(connection.id) else { return };
        let mut written = 0;
        let mut failed = false;
        while written < output.len() {
            match connection.stream.write(&output[written..]) {
                Ok(0) => failed = true,
                Ok(count) => written += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => failed = true,
            }
            if failed {
                break;
            }
        }
        if written == output.len() {
            output.clear();
            if output.capacity() > IDLE_OUTPUT_BYTES_MAX {
                *output = Vec::new();
            }
        } else {
            output.drain(..written);
        }
        let left = output.len();
        let closes = connection.closes_when_written;
        self.engine.server_mut().stats.output_bytes += written as u64;
        if failed || (left == 0 && closes) {
            self.close(slot, now_ms());
        } else if left > UNREAD_OUTPUT_BYTES_MAX {
            self.log.write(LogLevel::Warning, "Client closed for overcoming of output buffer limits.");
            self.close(slot, now_ms());
        }
    }

    fn close(&mut self, slot: usize, now_ms: u64) {
        if let Some(mut connection) = self.connections.get_mut(slot).and_then(Option::take) {
            // A socket that is gone already needs no deregistration.
            let _ = self.poll.registry().deregister(&mut connection.stream);
            self.engine.disconnect(connection.id, now_ms);
        }
    }

    fn handle_events(&mut self) {
        while let Some(event) = self.engine.next_event() {
            match event {
                Event::Close(id) => {
                    if let Some(Some(connection)) = self.connections.get_mut(id.slot()) {
                        connection.closes_when_written = true;
                        self.write(id.slot());
                    }
                }
                Event::Log(level, text) => self.log.write(level, &text),
                Event::Shutdown { .. } => self.is_over = true,
                Event::Sleep { microseconds } => std::thread::sleep(Duration::from_micros(microseconds)),
                Event::Crash => std::process::abort(),
                Event::Save { .. }
                | Event::RewriteAof
                | Event::ConfigChanged(_)
                | Event::RewriteConfig
                | Event::SaveAcl(_) => {}
            }
        }
        self.send_output();
    }
}

//! A real redis-server 7.0.15 with a folder of its own, and connections that speak to it or to us.

#![allow(dead_code)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use resplay::resp::Request;
use resplay::resp::reply::{Decoder, Reply};

/// A folder that goes when the test ends.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Folder {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("resplay-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a folder can be made");
        Folder(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn text(&self) -> &str {
        self.0.to_str().expect("its name is ASCII")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub struct Redis {
    process: Child,
    pub port: u16,
    pub connection: Connection,
}

impl Redis {
    /// With words of a configuration besides; nothing is saved unless they say so.
    pub fn start(words: &[&str]) -> Redis {
        let port = free_port();
        let save: &[&str] = if words.contains(&"--save") { &[] } else { &["--save", ""] };
        let log = std::env::temp_dir().join(format!("resplay-redis-{port}.log"));
        let mut process = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--enable-debug-command", "yes"])
            .args(save)
            .args(words)
            .stdout(std::fs::File::create(&log).expect("a log can be written"))
            .spawn()
            .expect("redis-server is installed (apt-get install redis-server)");
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            if process.try_wait().expect("it is our child").is_some() {
                panic!("redis-server ended: {}", std::fs::read_to_string(&log).unwrap_or_default());
            }
            if let Ok(stream) = TcpStream::connect(("127.0.0.1", port)) {
                let mut connection = Connection::of(stream);
                if connection.run_words(&["PING"]) == Reply::status("PONG") {
                    let _ = std::fs::remove_file(&log);
                    return Redis { process, port, connection };
                }
            }
            assert!(Instant::now() < deadline, "redis-server does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn run(&mut self, words: &[&[u8]]) -> Reply {
        self.connection.run(words)
    }

    /// A line parted at its spaces.
    pub fn line(&mut self, line: &str) -> Reply {
        self.connection.line(line)
    }

    /// SHUTDOWN, and waits for the end.
    pub fn shut_down(mut self, how: &str) {
        let words: Vec<&[u8]> = ["SHUTDOWN", how].iter().map(|word| word.as_bytes()).collect();
        self.connection.send(&words[..if how.is_empty() { 1 } else { 2 }]);
        let _ = self.process.wait();
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A port that no other test of this process is given.
pub fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = std::process::id().wrapping_mul(31) + NEXT.fetch_add(1, Ordering::Relaxed);
        let port = 21000 + (number % 10000) as u16;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// One client of a server.
pub struct Connection {
    stream: TcpStream,
    decoder: Decoder,
}

impl Connection {
    pub fn of(stream: TcpStream) -> Connection {
        stream.set_nodelay(true).expect("a TCP socket");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time limit");
        Connection { stream, decoder: Decoder::new() }
    }

    pub fn send(&mut self, words: &[&[u8]]) {
        let mut bytes = Vec::new();
        Request::of(words).encode(&mut bytes);
        self.stream.write_all(&bytes).expect("it reads");
    }

    pub fn run(&mut self, words: &[&[u8]]) -> Reply {
        self.send(words);
        let mut buffer = vec![0; 65536];
        loop {
            if let Some(reply) = self.decoder.next_reply().expect("it speaks RESP") {
                return reply;
            }
            let count = self.stream.read(&mut buffer).expect("it answers");
            assert!(count > 0, "it has hung up");
            self.decoder.feed(&buffer[..count]);
        }
    }

    pub fn run_words(&mut self, words: &[&str]) -> Reply {
        let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
        self.run(&words)
    }

    pub fn line(&mut self, line: &str) -> Reply {
        let words: Vec<&str> = line.split(' ').collect();
        self.run_words(&words)
    }
}

//! The two servers that get the same commands: a redis-server process and an engine of ours.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use resplay::cli::split;
use resplay::engine::{ClientId, Engine};
use resplay::resp::Request;
use resplay::resp::reply::{Decoder, Reply};

use crate::Line;

// The real server.

pub struct Oracle {
    process: Child,
    stream: TcpStream,
}

impl Drop for Oracle {
    fn drop(&mut self) {
        // It keeps nothing, so it may simply be killed.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Oracle {
    #[allow(
        clippy::zombie_processes,
        reason = "where this panics the process ends, and its children with it"
    )]
    pub fn start() -> Oracle {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = port.expect("a free port").port();
        let process = Command::new("redis-server")
            .args([
                "--port",
                &port.to_string(),
                "--save",
                "",
                "--appendonly",
                "no",
                "--enable-debug-command",
                "yes",
            ])
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is installed (apt-get install redis-server)");
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            if let Ok(stream) = TcpStream::connect(("127.0.0.1", port)) {
                stream.set_nodelay(true).expect("a TCP socket");
                return Oracle { process, stream };
            }
            assert!(Instant::now() < deadline, "redis-server does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn run(&mut self, lines: &[Line]) -> Vec<Reply> {
        let mut bytes = Vec::new();
        lines.iter().for_each(|line| Request::of(line).encode(&mut bytes));
        self.stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time limit");
        self.stream.write_all(&bytes).expect("the oracle reads");
        let mut decoder = Decoder::new();
        let mut replies = Vec::new();
        let mut buffer = vec![0; 65536];
        while replies.len() < lines.len() {
            let count = self.stream.read(&mut buffer).unwrap_or_else(|error| {
                let line = split::join(&lines[replies.len()]);
                panic!(
                    "no answer to {line} or one of the {} lines behind it: {error}",
                    lines.len() - replies.len() - 1
                )
            });
            assert!(count > 0, "the oracle has hung up");
            decoder.feed(&buffer[..count]);
            while let Some(reply) = decoder.next_reply().expect("the oracle speaks RESP") {
                replies.push(reply);
            }
        }
        replies
    }
}

// Ours.

pub struct Ours {
    engine: Engine,
    client: ClientId,
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() as u64
}

impl Ours {
    pub fn start(seed: u64) -> Ours {
        let mut engine = Engine::new(seed, now_ms());
        let client = engine.connect(now_ms());
        Ours { engine, client }
    }

    pub fn run(&mut self, lines: &[Line]) -> Vec<Reply> {
        let mut decoder = Decoder::new();
        for line in lines {
            let mut bytes = Vec::new();
            Request::of(line).encode(&mut bytes);
            self.engine.receive(self.client, &bytes, now_ms());
            decoder.feed(&self.engine.take_output(self.client));
        }
        let mut replies = Vec::new();
        while let Some(reply) = decoder.next_reply().expect("we speak RESP") {
            replies.push(reply);
        }
        replies
    }
}

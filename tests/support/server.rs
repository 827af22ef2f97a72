//! The binary as a server, for tests that talk to it.

#![allow(dead_code)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

pub struct Server {
    pub process: Child,
    pub port: u16,
    /// The log up to the line that says it is ready.
    pub greeting: String,
}

impl Server {
    pub fn start() -> Server {
        Server::start_with(&[])
    }

    pub fn start_with(words: &[&str]) -> Server {
        Server::start_bare(&[words, &["--http-port", "0"]].concat())
    }

    /// As it is by itself, on a port of its own.
    pub fn start_bare(words: &[&str]) -> Server {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = port.expect("a free port").port();
        let mut process = Command::new(env!("CARGO_BIN_EXE_resplay"))
            .arg("serve")
            .args(words)
            .args(["--port", &port.to_string()])
            .args(if words.contains(&"--save") { &[] as &[&str] } else { &["--save", ""] })
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut lines = BufReader::new(process.stdout.take().expect("it is piped")).lines();
        let mut greeting = String::new();
        while !greeting.contains("Ready to accept connections") {
            let Some(Ok(line)) = lines.next() else { panic!("it ended before it was ready:\n{greeting}") };
            greeting.push_str(&line);
            greeting.push('\n');
        }
        if words.iter().any(|word| word.ends_with(".conf")) {
            // A Unix socket is told of in one more line.
            greeting.extend(lines.next().and_then(Result::ok));
        }
        // The rest of the log must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Server { process, port, greeting }
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a TCP socket");
        stream
    }

    /// Sends bytes and reads until the reply is as long as expected.
    pub fn exchange(&self, bytes: &[u8], expected: &[u8]) {
        let mut stream = self.connect();
        stream.write_all(bytes).expect("it reads");
        let mut reply = vec![0; expected.len()];
        stream.read_exact(&mut reply).expect("it answers");
        assert_eq!(String::from_utf8_lossy(&reply), String::from_utf8_lossy(expected));
    }

    /// Sends bytes, reads until the connection is closed.
    pub fn last_words(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect();
        // It may close before it has read everything.
        let _ = stream.write_all(bytes);
        let mut reply = Vec::new();
        let _ = stream.read_to_end(&mut reply);
        String::from_utf8_lossy(&reply).into_owned()
    }

    pub fn redis_cli(&self, arguments: &[&str]) -> String {
        let port = self.port.to_string();
        let output = Command::new("redis-cli")
            .args(["-p", &port])
            .args(arguments)
            .output()
            .expect("redis-cli is installed (apt-get install redis-tools)");
        text(&output)
    }

    pub fn stop(self, signal: &str) -> i32 {
        let pid = self.process.id().to_string();
        let killed = Command::new("kill").args([signal, &pid]).status().expect("kill is there");
        assert!(killed.success());
        self.wait()
    }

    /// Waits for the end; the exit code.
    pub fn wait(mut self) -> i32 {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(status) = self.process.try_wait().expect("it is our child") {
                return status.code().unwrap_or(-1);
            }
            assert!(Instant::now() < deadline, "it does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub fn text(output: &Output) -> String {
    [&output.stdout[..], &output.stderr[..]].iter().map(|bytes| String::from_utf8_lossy(bytes)).collect()
}

//! A server whose replies are prepared, and what a redis-cli prints for them.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};

use resplay::resp::reply::{Decoder, Reply};

/// A line typed and the bytes that answer it.
#[derive(Clone, Debug)]
pub struct Exchange {
    pub line: String,
    pub answer: Vec<u8>,
}

impl Exchange {
    pub fn new(line: &str, answer: impl Into<Vec<u8>>) -> Exchange {
        Exchange { line: line.to_owned(), answer: answer.into() }
    }
}

/// What comes between two answers, and how formats with quotes print it.
const MARK: &[u8] = b"+@@@@\r\n";
const PLAIN_MARK: &[u8] = b"@@@@\n";
const QUOTED_MARK: &[u8] = b"\"@@@@\"\n";

/// What the program prints for each answer, all in one run.
pub fn printed(program: &[&str], flags: &[&str], exchanges: &[Exchange]) -> Vec<Vec<u8>> {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let answers: Vec<Vec<u8>> = exchanges.iter().map(|exchange| exchange.answer.clone()).collect();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("redis-cli connects");
        // A second connection would mean that it refused an answer.
        drop(listener);
        let mut requests = Decoder::new();
        let mut chunk = [0; 4096];
        let mut answers = answers.iter();
        while let Ok(n @ 1..) = stream.read(&mut chunk) {
            requests.feed(&chunk[..n]);
            while let Ok(Some(request)) = requests.next_reply() {
                let answer = match request.part(0).and_then(Reply::text) {
                    Some(b"mark") => MARK,
                    Some(b"HELLO") => b"%0\r\n",
                    Some(b"COMMAND") => b"*0\r\n",
                    _ => answers.next().map_or(&b"*0\r\n"[..], Vec::as_slice),
                };
                if stream.write_all(answer).is_err() {
                    return;
                }
            }
        }
    });
    let mut child = Command::new(program[0])
        .args(&program[1..])
        .args(["-p", &port.to_string()])
        .args(flags)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let lines: String = exchanges.iter().map(|exchange| format!("{}\nmark\n", exchange.line)).collect();
    let mut stdin = child.stdin.take().expect("piped");
    // It may end before it has read everything.
    let feeder = std::thread::spawn(move || drop(stdin.write_all(lines.as_bytes())));
    let output = child.wait_with_output().expect("it ends");
    feeder.join().expect("no panic");
    server.join().expect("no panic");
    let quotes = flags.iter().any(|flag| matches!(*flag, "--csv" | "--json" | "--quoted-json"));
    let mark = if quotes { QUOTED_MARK } else { PLAIN_MARK };
    let mut texts = Vec::new();
    let mut rest = &output.stdout[..];
    while let Some(at) = rest.windows(mark.len()).position(|window| window == mark) {
        texts.push(rest[..at].to_vec());
        rest = &rest[at + mark.len()..];
    }
    texts
}

/// Repeatable noise.
pub struct Noise(pub u64);

impl Noise {
    pub fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % n
    }

    pub fn of<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.below(choices.len())]
    }
}

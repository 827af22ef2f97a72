//! The terminal against the real redis-cli: what it prints for replies, recorded in `fixtures/cli` and, where a
//! redis-cli is installed, compared live. `UPDATE=1` records anew.

#[path = "support/canned.rs"]
mod canned;

use std::collections::{BTreeMap, VecDeque};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use canned::{Exchange, Noise, printed};
use resplay::cli::format::{self, Format, Style};
use resplay::cli::printed::Printed;
use resplay::cli::table::Table;
use resplay::cli::transcript;
use resplay::cli::{Action, Address, Session, Settings, State};
use resplay::resp::reply::{Decoder, Reply};

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/cli").join(name)
}

/// Text with `\r \n \t \\ \xHH`, back to bytes.
fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        match bytes.next() {
            Some(b'r') => out.push(b'\r'),
            Some(b'n') => out.push(b'\n'),
            Some(b't') => out.push(b'\t'),
            Some(b'x') => {
                let digits: Vec<u8> = bytes.by_ref().take(2).collect();
                let digits = std::str::from_utf8(&digits).expect("two hex digits");
                out.push(u8::from_str_radix(digits, 16).expect("two hex digits"));
            }
            Some(other) => out.push(other),
            None => {}
        }
    }
    out
}

fn escape(bytes: &[u8]) -> String {
    let mut out = String::new();
    for &byte in bytes {
        match byte {
            b'\r' => out.push_str("\\r"),
            b'\n' => out.push_str("\\n"),
            b'\t' => out.push_str("\\t"),
            b'\\' => out.push_str("\\\\"),
            0x20..=0x7e => out.push(char::from(byte)),
            _ => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out
}

/// One reply and its texts: `tty` and the other formats as now, `tty-7.0` where redis-cli 7.0 printed it otherwise.
#[derive(Default)]
struct Case {
    heading: Vec<String>,
    reply: Vec<u8>,
    texts: BTreeMap<String, Vec<u8>>,
}

fn cases() -> Vec<Case> {
    let text = std::fs::read_to_string(fixture("replies.txt")).expect("the fixture is there");
    let mut cases: Vec<Case> = Vec::new();
    let mut heading = Vec::new();
    for line in text.lines() {
        if line.starts_with('#') {
            heading.push(line.to_owned());
        } else if let Some(reply) = line.strip_prefix("reply: ") {
            cases.push(Case {
                heading: std::mem::take(&mut heading),
                reply: unescape(reply),
                ..Case::default()
            });
        } else if let Some((name, text)) = line.split_once(':') {
            let case = cases.last_mut().expect("a reply comes first");
            case.texts.insert(name.to_owned(), unescape(text.strip_prefix(' ').unwrap_or(text)));
        }
    }
    cases
}

fn decode(bytes: &[u8]) -> Reply {
    let mut decoder = Decoder::new();
    decoder.feed(bytes);
    let reply = decoder.next_reply().expect("valid RESP").expect("a whole reply");
    assert!(!decoder.is_midway(), "one reply only: {}", escape(bytes));
    reply
}

fn has_redis_cli() -> bool {
    Command::new("redis-cli").arg("--version").stdout(Stdio::null()).status().is_ok()
}

/// What the real redis-cli prints for each reply.
fn live_texts(replies: &[&[u8]], format: Format) -> Vec<Vec<u8>> {
    let flag = match format {
        Format::Tty => "--no-raw",
        Format::Raw => "--raw",
        Format::Csv => "--csv",
        Format::Json => "--json",
        Format::QuotedJson => "--quoted-json",
    };
    let exchanges: Vec<Exchange> = replies.iter().map(|reply| Exchange::new("x", *reply)).collect();
    printed(&["redis-cli"], &[flag], &exchanges)
}

#[test]
fn replies_print_as_recorded() {
    for case in cases() {
        let reply = decode(&case.reply);
        for format in Format::ALL {
            let text = format::text(&reply, &Style::of(format));
            let want = case.texts.get(format.name());
            let want = want.unwrap_or_else(|| panic!("no {} for {}", format.name(), escape(&case.reply)));
            assert_eq!(escape(&text), escape(want), "{} of {}", format.name(), escape(&case.reply));
        }
    }
}

/// The lines of a reply joined are its text, for every format.
#[test]
fn lines_are_the_text_cut() {
    for case in cases() {
        let reply = decode(&case.reply);
        for format in Format::ALL {
            let printed = Printed::reply(reply.clone(), format);
            let joined: Vec<u8> = printed.lines().flat_map(|line| line.text()).collect();
            assert_eq!(escape(&joined), escape(&printed.text()));
        }
    }
}

#[test]
fn the_real_redis_cli_prints_the_same() {
    if !has_redis_cli() {
        return;
    }
    let update = std::env::var_os("UPDATE").is_some();
    let mut cases = cases();
    let mut wrong = Vec::new();
    for format in Format::ALL {
        let replies: Vec<&[u8]> = cases.iter().map(|case| &case.reply[..]).collect();
        let texts = live_texts(&replies, format);
        assert_eq!(texts.len(), cases.len(), "redis-cli answered every line ({})", format.name());
        for (case, text) in cases.iter_mut().zip(texts) {
            let older = format!("{}-7.0", format.name());
            let known = case.texts.get(&older).or_else(|| case.texts.get(format.name()));
            if known == Some(&text) {
                continue;
            }
            if !update {
                wrong.push(format!("{} of {}: {}", format.name(), escape(&case.reply), escape(&text)));
                continue;
            }
            let ours = format::text(&decode(&case.reply), &Style::of(format));
            if ours != text {
                case.texts.insert(older, text);
            }
            case.texts.insert(format.name().to_owned(), ours);
        }
    }
    if update {
        write_cases(&cases);
    }
    assert!(wrong.is_empty(), "redis-cli differs:\n{}", wrong.join("\n"));
}

fn write_cases(cases: &[Case]) {
    let mut out = String::new();
    for case in cases {
        for line in &case.heading {
            out.push_str(&format!("{line}\n"));
        }
        out.push_str(&format!("reply: {}\n", escape(&case.reply)));
        for (name, text) in &case.texts {
            out.push_str(&format!("{name}: {}\n", escape(text)));
        }
        out.push('\n');
    }
    std::fs::write(fixture("replies.txt"), out).expect("the fixture can be written");
}

/// A redis-server of its own, gone when dropped.
struct Server {
    process: std::process::Child,
    port: u16,
}

impl Server {
    fn start() -> Option<Server> {
        let port = TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
        let directory = std::env::temp_dir();
        let process = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--save", "", "--appendonly", "no"])
            .arg("--dir")
            .arg(directory)
            .stdout(Stdio::null())
            .spawn()
            .ok()?;
        let server = Server { process, port };
        for _ in 0..200 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Some(server);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        None
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The lines through our session, over a socket.
fn session_text(port: u16, lines: &str) -> String {
    let address = Address::Tcp { host: "127.0.0.1".to_owned(), port };
    let mut session = Session::new(Settings { address, teach: false, ..Settings::default() });
    let mut stream: Option<TcpStream> = None;
    let mut screen = Vec::new();
    let mut actions: VecDeque<Action> = session.start(0).into();
    actions.extend(session.submit(lines, 0));
    loop {
        let Some(action) = actions.pop_front() else {
            if session.state() != State::Waiting {
                break;
            }
            let mut chunk = [0; 65536];
            let n = stream.as_mut().expect("connected").read(&mut chunk).expect("readable");
            actions.extend(match n {
                0 => session.disconnected(None, 0),
                n => session.receive(&chunk[..n], 0),
            });
            continue;
        };
        match action {
            Action::Connect(_) => {
                stream = Some(TcpStream::connect(("127.0.0.1", port)).expect("the server is there"));
                actions.extend(session.connected(0));
            }
            Action::Send(bytes) => stream.as_mut().expect("connected").write_all(&bytes).expect("writable"),
            Action::Print(printed) => screen.extend(printed.text()),
            Action::Exit => break,
            _ => {}
        }
    }
    String::from_utf8_lossy(&screen).into_owned()
}

/// Whole sessions, line by line, against a server, with the real redis-cli.
#[test]
fn the_real_redis_cli_runs_the_same_session() {
    if !has_redis_cli() {
        return;
    }
    // Each its own server, so that client ids are the same too.
    let (Some(server), Some(second)) = (Server::start(), Server::start()) else { return };
    let lines = include_str!("fixtures/cli/session.txt");
    let port = server.port.to_string();
    let mut child = Command::new("redis-cli")
        .args(["-p", &port, "--no-raw"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("redis-cli starts");
    child.stdin.take().expect("piped").write_all(lines.as_bytes()).expect("all lines read");
    let theirs = child.wait_with_output().expect("redis-cli ends").stdout;
    let theirs = String::from_utf8_lossy(&theirs).into_owned();
    let ours = session_text(second.port, lines);
    assert!(theirs.len() > 1000, "redis-cli ran: {theirs}");
    for (number, (ours, theirs)) in ours.lines().zip(theirs.lines()).enumerate() {
        assert_eq!(ours, theirs, "line {} of the screen", number + 1);
    }
    assert_eq!(ours.len(), theirs.len());
}

#[test]
fn no_line_is_too_odd() {
    const PIECES: &[&str] = &[
        " ",
        " ",
        "\"",
        "'",
        "\\",
        "\\x",
        "\n",
        "é",
        "日",
        "GET",
        "set",
        "SELECT 3",
        "5 ",
        "-",
        "--json ",
        "help",
        "@",
        ":set",
        "#",
        "redis-cli ",
        "EX",
        "key",
        "*",
        "0",
        "-1",
        "MULTI",
        "SUBSCRIBE a",
        "config ",
        "\0",
        "\u{feff}",
        "-r 3 ",
    ];
    let mut noise = Noise(1);
    let mut session = Session::new(Settings::default());
    session.set_table(Table::builtin());
    session.start(0);
    session.connected(0);
    for _ in 0..5000 {
        let line: String = (0..noise.below(12)).map(|_| noise.of(PIECES)).collect();
        let cursor = noise.below(line.len() + 2);
        let offers = session.complete(&line, cursor);
        for item in &offers.items {
            let (line, cursor) = offers.apply(&line, item);
            assert!(line.is_char_boundary(cursor));
        }
        session.hint(&line);
        if let Some(fault) = session.fault(&line) {
            assert!(line.is_char_boundary(fault.at), "{line:?}");
        }
        if let Ok(steps) = transcript::parse(&line) {
            assert_eq!(
                transcript::parse(&transcript::print(&steps)).map(|again| again.len()),
                Ok(steps.len())
            );
        }
        for action in session.submit(&line, 0) {
            match action {
                Action::Connect(_) => drop(session.connected(0)),
                Action::Exit => {
                    let table = session.table().clone();
                    session = Session::new(Settings::default());
                    session.set_table(table);
                    session.start(0);
                    session.connected(0);
                }
                _ => {}
            }
        }
        let answers: [&[u8]; 6] = [
            b"+OK\r\n",
            b"-ERR syntax error\r\n",
            b"-WRONGTYPE x\r\n",
            b":1\r\n",
            b"%0\r\n",
            b"-ERR unknown command\r\n",
        ];
        session.receive(answers[noise.below(answers.len())], noise.below(2000) as u64);
        if noise.below(20) == 0 {
            for action in session.interrupt(0) {
                if matches!(action, Action::Connect(_)) {
                    session.connected(0);
                }
            }
        }
    }
}

#[test]
fn no_reply_is_too_odd() {
    let cases = cases();
    let mut noise = Noise(2);
    for round in 0..20_000 {
        let mut bytes = cases[round % cases.len()].reply.clone();
        for _ in 0..1 + noise.below(3) {
            let at = noise.below(bytes.len());
            bytes[at] = b"*$%~:+-_#,(0123456789\r\n\0\xff"[noise.below(25)];
        }
        let mut decoder = Decoder::new();
        decoder.feed(&bytes);
        while let Ok(Some(reply)) = decoder.next_reply() {
            for format in Format::ALL {
                let text = format::text(&reply, &Style::of(format));
                assert!(text.len() < 100_000);
            }
        }
    }
}

/// The first lines of a long reply cost what they show: otherwise this would take a minute.
#[test]
fn long_replies_are_printed_lazily() {
    let reply = Reply::Array((0..200_000).map(Reply::Integer).collect());
    let printed = Printed::reply(reply, Format::Tty);
    for _ in 0..1000 {
        assert_eq!(printed.lines().take(10).count(), 10);
    }
    assert_eq!(printed.lines().last().expect("lines").text(), b"200000) (integer) 199999\n");
}

//! The terminal's texts beside the real redis-cli's, byte by byte, for thousands of replies made up of everything a server may
//! send: both protocols, every way to print, the library and the program. Needs redis-cli; without it nothing is compared.

#[path = "support/canned.rs"]
mod canned;
#[path = "support/server.rs"]
mod server;

use std::process::{Command, Stdio};

use canned::{Exchange, Noise, printed};
use resplay::cli::format::{self, Format, Style};
use resplay::cli::hints;
use resplay::cli::table::Table;
use resplay::command::docs;
use resplay::resp::reply::Decoder;
use resplay::resp::{Protocol, ReplyWriter};
use server::Server;

const REPLIES: usize = 2500;
const REDIS_CLI: &[&str] = &["redis-cli"];
const OURS: &[&str] = &[env!("CARGO_BIN_EXE_resplay"), "cli"];

fn has_redis_cli() -> bool {
    Command::new("redis-cli").arg("--version").stdout(Stdio::null()).status().is_ok()
}

fn flag(format: Format) -> &'static str {
    match format {
        Format::Tty => "--no-raw",
        Format::Raw => "--raw",
        Format::Csv => "--csv",
        Format::Json => "--json",
        Format::QuotedJson => "--quoted-json",
    }
}

// ---- replies

fn text(noise: &mut Noise) -> Vec<u8> {
    const PIECES: &[&[u8]] = &[
        b"a",
        b"Z",
        b"0",
        b" ",
        b"  ",
        b"\"",
        b"'",
        b"\\",
        b"\n",
        b"\r",
        b"\t",
        b"\x07",
        b"\x08",
        b"\0",
        b"\x1b",
        b"\x7f",
        b"\x80",
        b"\xff",
        b"\xc3\xa9",
        b"\xe6\x97\xa5",
        b"\xf0\x9f\x98\x80",
        b"/",
        b"{",
        b"[",
        b",",
        b":",
        b"user:1",
        b"1.5",
        b"nil",
        b"\xc2\x85",
        b"\xe2\x80\xa8",
        b"\x0b",
        b"\x0c",
        b"\x01",
    ];
    (0..noise.below(7)).flat_map(|_| noise.of(PIECES).to_vec()).collect()
}

fn line(noise: &mut Noise) -> String {
    noise
        .of(&["OK", "", "a b", "PONG", "say \"x\"", "back\\slash", "caf\u{e9}", "\ttab", "%d%s", "QUEUED"])
        .to_owned()
}

fn leaf(noise: &mut Noise, resp3: bool, out: &mut Vec<u8>) {
    let kinds = if resp3 { 10 } else { 6 };
    match noise.below(kinds) {
        0 => out.extend(format!("+{}\r\n", line(noise)).bytes()),
        1 => out.extend(format!("-{} {}\r\n", noise.of(&["ERR", "WRONGTYPE", "x"]), line(noise)).bytes()),
        2 => {
            let number = [0, 1, -1, 7, 10, 99, 12345, -1000, i64::MAX, i64::MIN][noise.below(10)];
            out.extend(format!(":{number}\r\n").bytes());
        }
        3 if resp3 => out.extend(b"_\r\n"),
        3 => out.extend(noise.of(&["$-1\r\n", "*-1\r\n"]).bytes()),
        4 | 5 => {
            let text = text(noise);
            out.extend(format!("${}\r\n", text.len()).bytes());
            out.extend(text);
            out.extend(b"\r\n");
        }
        6 => {
            let number = noise.of(&[
                "1.5",
                "0",
                "-0",
                "3",
                "inf",
                "-inf",
                "1e+20",
                "0.10000000000000001",
                "1.0E-7",
                "17",
            ]);
            out.extend(format!(",{number}\r\n").bytes());
        }
        7 => out.extend(noise.of(&["#t\r\n", "#f\r\n"]).bytes()),
        // No big number: redis-cli ends when it meets one.
        8 => {
            let text = text(noise);
            out.extend(format!("={}\r\n{}:", text.len() + 4, noise.of(&["txt", "mkd"])).bytes());
            out.extend(text);
            out.extend(b"\r\n");
        }
        _ => out.extend(b"$0\r\n\r\n"),
    }
}

fn reply(noise: &mut Noise, resp3: bool, depth: usize, out: &mut Vec<u8>) {
    if depth == 0 || noise.below(3) == 0 {
        return leaf(noise, resp3, out);
    }
    // Ten and more make the numbers wider.
    let count = [0, 1, 2, 3, 4, 9, 10, 12][noise.below(8)];
    let count = if depth < 3 { count.min(11) } else { count };
    let mark = if resp3 { ["*", "*", "~", "%"][noise.below(4)] } else { "*" };
    let parts = if mark == "%" { count * 2 } else { count };
    out.extend(format!("{mark}{count}\r\n").bytes());
    for part in 0..parts {
        // Keys are mostly texts, as they are in what servers send.
        if mark == "%" && part % 2 == 0 && noise.below(6) > 0 {
            leaf(noise, resp3, out);
        } else {
            reply(noise, resp3, depth - 1 - usize::from(count > 8 && depth > 1), out);
        }
    }
    if count == 100 {
        leaf(noise, resp3, out);
    }
}

fn corpus(resp3: bool) -> Vec<Exchange> {
    let mut noise = Noise(if resp3 { 3 } else { 2 });
    (0..REPLIES)
        .map(|n| {
            let mut bytes = Vec::new();
            reply(&mut noise, resp3, n % 5, &mut bytes);
            Exchange::new("x", bytes)
        })
        .collect()
}

fn shown(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

fn compare(what: &str, exchanges: &[Exchange], expected: &[Vec<u8>], actual: &[Vec<u8>]) {
    assert_eq!(expected.len(), exchanges.len(), "{what}: redis-cli answered every line");
    assert_eq!(actual.len(), exchanges.len(), "{what}: every line is answered");
    let different: Vec<String> = exchanges
        .iter()
        .zip(expected.iter().zip(actual))
        .filter(|(_, (expected, actual))| expected != actual)
        .map(|(exchange, (expected, actual))| {
            let Exchange { line, answer } = exchange;
            format!("{line} {}\nredis-cli {}\nours      {}", shown(answer), shown(expected), shown(actual))
        })
        .collect();
    let first = different.iter().take(5).cloned().collect::<Vec<_>>().join("\n\n");
    assert!(different.is_empty(), "{what}: {} of {} differ\n{first}", different.len(), exchanges.len());
}

/// The library's text of a reply is redis-cli's, for every reply, protocol and format.
#[test]
fn the_formats_are_those_of_redis_cli() {
    if !has_redis_cli() {
        return;
    }
    for resp3 in [false, true] {
        let exchanges = corpus(resp3);
        for format in Format::ALL {
            let protocol = if resp3 { "-3" } else { "-2" };
            let expected = printed(REDIS_CLI, &[protocol, flag(format)], &exchanges);
            let text = |exchange: &Exchange| {
                let mut decoder = Decoder::new();
                decoder.feed(&exchange.answer);
                let reply = decoder.next_reply().expect("valid RESP").expect("a whole reply");
                format::text(&reply, &Style::of(format))
            };
            let actual: Vec<Vec<u8>> = exchanges.iter().map(text).collect();
            compare(&format!("{protocol} {}", format.name()), &exchanges, &expected, &actual);
        }
    }
}

/// So is what the program prints, with delimiters and for commands whose reply is shown as it is.
#[test]
fn the_program_prints_as_redis_cli_does() {
    if !has_redis_cli() {
        return;
    }
    let mut exchanges: Vec<Exchange> = corpus(true).into_iter().step_by(10).collect();
    exchanges.extend(corpus(false).into_iter().step_by(10));
    for line in [
        "info",
        "INFO all",
        "lolwut",
        "client list",
        "CLIENT INFO",
        "client getname",
        "cluster nodes",
        "cluster info",
        "cluster slots",
        "memory doctor",
        "memory malloc-stats",
        "memory usage k",
        "latency doctor",
        "latency graph x",
        "latency histogram",
        "debug htstats 0",
        "debug object k",
        "debug htstats-key k",
        "proxy info",
        "acl list",
        "lolwut version 5",
        "slowlog get",
        "config get x",
        "xinfo stream s",
        "object encoding k",
    ] {
        for answer in [
            "$17\r\n# Server\r\na:\"1\"\r\n\r\n",
            "=9\r\ntxt:a\"b\\\n\r\n",
            "+plain",
            "-ERR no such thing",
            "*2\r\n$1\r\na\r\n:1\r\n",
            "$-1\r\n",
            "$0\r\n\r\n",
        ] {
            let answer = if answer.ends_with("\r\n") { answer.to_owned() } else { format!("{answer}\r\n") };
            exchanges.push(Exchange::new(line, answer));
        }
    }
    for flags in [
        &["--no-raw"][..],
        &["-3", "--no-raw"],
        &["--raw"],
        &["-d", ";", "-D", "|"],
        &["--raw", "-d", "\\n"],
        &["--csv"],
        &["-3", "--json"],
        &["-2", "--json"],
        &["--quoted-json"],
    ] {
        // The mark needs its line of its own.
        let flags: Vec<&str> = flags.iter().map(|&flag| if flag == "|" { "\n" } else { flag }).collect();
        let expected = printed(REDIS_CLI, &flags, &exchanges);
        let actual = printed(OURS, &flags, &exchanges);
        compare(&flags.join(" "), &exchanges, &expected, &actual);
    }
}

/// Pushes between the replies of RESP3, shown and hidden.
#[test]
fn pushes_are_printed_as_redis_cli_prints_them() {
    if !has_redis_cli() {
        return;
    }
    let pushes: &[&str] = &[
        ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n",
        ">2\r\n$10\r\ninvalidate\r\n*3\r\n$1\r\nk\r\n$3\r\na b\r\n$2\r\n\u{e9}\r\n",
        ">2\r\n$10\r\ninvalidate\r\n_\r\n",
        ">2\r\n$10\r\ninvalidate\r\n*0\r\n",
        ">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nm\r\n",
        ">4\r\n$8\r\npmessage\r\n$1\r\n*\r\n$1\r\nc\r\n$1\r\nm\r\n",
        ">2\r\n+server\r\n:7\r\n",
        ">3\r\n$7\r\nmonitor\r\n%1\r\n$1\r\na\r\n,1.5\r\n~2\r\n:1\r\n:2\r\n",
        ">1\r\n$4\r\nonly\r\n",
    ];
    let mut noise = Noise(5);
    let exchanges: Vec<Exchange> = (0..200)
        .map(|_| {
            let mut answer = Vec::new();
            for _ in 0..noise.below(3) {
                answer.extend(noise.of(pushes).bytes());
            }
            leaf(&mut noise, true, &mut answer);
            Exchange::new("x", answer)
        })
        .collect();
    for show in ["yes", "no"] {
        for format in Format::ALL {
            let flags = ["-3", "--show-pushes", show, flag(format)];
            let expected = printed(REDIS_CLI, &flags, &exchanges);
            let actual = printed(OURS, &flags, &exchanges);
            compare(&flags.join(" "), &exchanges, &expected, &actual);
        }
    }
}

// ---- hints

/// What a program prints when it gets these words; nothing when there is none.
fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).env_remove("REDISCLI_AUTH").output();
    output.as_ref().map(server::text).unwrap_or_default()
}

/// The arguments as redis-cli's HELP prints them for every command there is, read from the same COMMAND DOCS.
#[test]
fn arguments_are_written_as_redis_cli_writes_them() {
    if !has_redis_cli() {
        return;
    }
    let server = Server::start();
    let registry = resplay::commands::registry();
    let mut told = ReplyWriter::new(Protocol::Resp3);
    told.map(registry.top_level().len());
    for &number in registry.top_level() {
        told.bulk_str(&registry.entry(number).full_name);
        docs::docs(registry, number, &mut told);
    }
    let mut docs = told.bytes().to_vec();
    // 7.0 does not know that arguments may be shown under another name.
    if said("redis-cli", &["--version"]).starts_with("redis-cli 7.0") {
        let unknown = String::from_utf8_lossy(&docs).replace("display_text", "display_none");
        docs = unknown.into_bytes();
    }
    let mut decoder = Decoder::new();
    decoder.feed(&docs);
    let table = Table::from_command_docs(&decoder.next_reply().expect("valid RESP").expect("a whole reply"));
    let mut compared = 0;
    for group in table.groups() {
        let page = server.redis_cli(&["help", &format!("@{group}")]);
        for line in page.lines().filter_map(|line| line.trim().strip_prefix("\x1b[1m")) {
            let (name, rest) = line.split_once("\x1b[0m").expect("a name ends");
            let arguments = rest.trim_start().trim_start_matches("\x1b[90m").trim_end_matches("\x1b[0m");
            let doc = table.get(name).unwrap_or_else(|| panic!("{name} is known"));
            let ours = hints::syntax(&doc.arguments);
            assert_eq!(ours, if arguments == "(null)" { "" } else { arguments }, "{name}");
            compared += 1;
        }
    }
    assert_eq!(compared, table.docs().len(), "every command is on a page");
}

/// What is left to be typed, beside a redis-cli that walks through the arguments: 7.2 and later, which answers for a file of
/// lines. `REDIS_CLI` names it where it is not the one on the path.
#[test]
fn hints_are_those_of_redis_cli() {
    let program = std::env::var("REDIS_CLI").unwrap_or_else(|_| "redis-cli".to_owned());
    let server = Server::start();
    let port = server.port.to_string();
    if said(&program, &["-p", &port, "--test_hint", "GET "]) != "key\n" {
        return;
    }
    let suite = include_str!("fixtures/cli/hints-of-commands.txt");
    let (shared, _) = suite.split_once("# Beyond redis-cli").expect("what is beyond comes last");
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    // It reads lines of 255 bytes.
    let questions: Vec<(&str, &str)> = shared
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('^'))
        .filter(|(typed, hint)| *hint != "none" && quoted(typed).len() + quoted(hint).len() < 250)
        .collect();
    let lines: String =
        questions.iter().map(|(typed, hint)| format!("{} {}\n", quoted(typed), quoted(hint))).collect();
    let file = std::env::temp_dir().join(format!("resplay-hints-{}", std::process::id()));
    std::fs::write(&file, lines).expect("a temporary file");
    let verdict = said(&program, &["-p", &port, "--test_hint_file", &file.display().to_string()]);
    std::fs::remove_file(&file).expect("it is ours");
    let number = questions.len();
    assert!(number > 200 && verdict.ends_with(&format!("SUCCESS: {number}/{number} passed\n")), "{verdict}");
}

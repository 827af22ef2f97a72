//! `resplay cli` beside the real redis-cli: the same command lines against the same server print the same bytes on both
//! outputs and end with the same code. The prompt is driven through a pseudo-terminal.

#[path = "support/server.rs"]
mod server;

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Output, Stdio};

use server::Server;

const REDIS_CLI: &[&str] = &["redis-cli"];
const OURS: &[&str] = &[env!("CARGO_BIN_EXE_resplay"), "cli"];

fn run(program: &[&str], port: u16, args: &[&str], input: &str) -> Output {
    let mut child = Command::new(program[0])
        .args(&program[1..])
        .args(["-p", &port.to_string()])
        .args(args)
        .env_remove("REDISCLI_AUTH")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("redis-cli is installed (apt-get install redis-tools)");
    // It may end before it has read everything.
    let _ = child.stdin.take().expect("it is piped").write_all(input.as_bytes());
    child.wait_with_output().expect("it ends")
}

fn shown(output: &Output) -> String {
    format!(
        "code {:?}\n-- out\n{}-- err\n{}",
        output.status.code(),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Runs the same things by both and compares all there is to see.
fn compare(port: u16, cases: &[(&[&str], &str)]) {
    let mut different = Vec::new();
    for (args, input) in cases {
        let expected = shown(&run(REDIS_CLI, port, args, input));
        let actual = shown(&run(OURS, port, args, input));
        if expected != actual {
            different.push(format!("{args:?} < {input:?}\nredis-cli: {expected}\nours: {actual}"));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n\n"));
}

fn filled() -> Server {
    let server = Server::start();
    for line in [
        &["rpush", "l", "a", "b c", "\n"][..],
        &["hset", "h", "f", "v", "g", "w"],
        &["zadd", "z", "1.5", "a", "2", "b"],
        &["set", "s", "10"],
        &["-n", "3", "set", "other", "1"],
    ] {
        server.redis_cli(line);
    }
    server
}

#[test]
fn one_command() {
    let server = filled();
    compare(
        server.port,
        &[
            (&["get", "s"], ""),
            (&["get", "nokey"], ""),
            (&["lrange", "l", "0", "-1"], ""),
            (&["--no-raw", "lrange", "l", "0", "-1"], ""),
            (&["--csv", "lrange", "l", "0", "-1"], ""),
            (&["--json", "hgetall", "h"], ""),
            (&["--quoted-json", "lrange", "l", "0", "-1"], ""),
            (&["-3", "--no-raw", "hgetall", "h"], ""),
            (&["-3", "--no-raw", "zrange", "z", "0", "-1", "withscores"], ""),
            (&["-2", "--json", "hgetall", "h"], ""),
            (&["-n", "3", "get", "other"], ""),
            (&["-d", ",", "lrange", "l", "0", "-1"], ""),
            (&["-D", "--", "-r", "2", "ping"], ""),
            (&["-r", "3", "-i", "0.01", "ping"], ""),
            (&["-r", "0", "ping"], ""),
            (&["exit"], ""),
            (&["clear"], ""),
            (&["5", "ping"], ""),
            (&["lpush", "s", "x"], ""),
            (&["-e", "lpush", "s", "x"], ""),
            (&["-x", "set", "in"], "from standard input\n"),
            (&["-X", "TAG", "set", "TAG", "v"], "key"),
            (&["-X", "TAG", "set", "k", "v"], "key"),
            (&["--quoted-input", "set", "\"\\x41\"", "v"], ""),
            (&["--quoted-input", "get", "\"A"], ""),
            (&["--show-pushes", "no", "ping"], ""),
            (&["--scan", "--pattern", "h*"], ""),
            (&["--scan", "--pattern", "nothing*"], ""),
        ],
    );
}

#[test]
fn what_goes_wrong() {
    let server = filled();
    compare(
        server.port,
        &[
            (&["nosuch", "a"], ""),
            (&["--no-raw", "nosuch"], ""),
            (&["-e", "nosuch"], ""),
            (&["-n", "99", "get", "s"], ""),
            (&["-a", "wrong", "get", "s"], ""),
            (&["-a", "wrong", "--no-auth-warning", "-n", "99", "get", "s"], ""),
            (&["--user", "nobody", "--pass", "x", "get", "s"], ""),
            (&["-u", "redis://u:p@127.0.0.1:1/2", "ping"], ""),
            (&["-p", "1", "get", "s"], ""),
            (&["-s", "/nonexistent/socket", "ping"], ""),
            (&["--nope"], ""),
            (&["-n"], ""),
            (&["-2", "-3", "ping"], ""),
            (&["--eval", "/nonexistent/script"], ""),
        ],
    );
}

#[test]
fn lines_from_a_pipe() {
    let server = filled();
    compare(
        server.port,
        &[
            (&[], "set a 1\nget a\n"),
            (&[], "get a"),
            (&[], "\n\n  \nping\n"),
            (&[], "\"x\nping\n"),
            (&[], "echo \"a\"b\nping\n"),
            (&[], "echo \"a\\nb\\x41\"\n"),
            (&[], "2 ping\n"),
            (&[], "0 ping\nping\n"),
            (&[], "exit\nping\n"),
            (&[], "multi\nset a b\nget a\nexec\n"),
            (&[], "select 3\nget other\n"),
            (&[], "connect 127.0.0.1 1\nping\n"),
            (&["-p", "1"], "ping\nping\n"),
            (&["-e"], "nosuch\nping\n"),
            (&["--no-raw"], "hgetall h\nnosuch\n"),
            (&["--csv"], "set a b\nget a\n"),
            (&[":set"], "x"),
            (&[], ":set nohints\nping\nrestart\n"),
            (&["--json"], "lrange l 0 -1\nhgetall h\n"),
            (&["--pipe"], "*1\r\n$4\r\nPING\r\nSET x 1\r\nNOSUCH\r\n"),
            (&["--pipe"], "PING\r\nSET x 1\r\n"),
        ],
    );
}

#[test]
fn tools_run_and_what_is_missing_is_said() {
    let server = filled();
    for (args, part) in [
        (&["--bigkeys"][..], "Biggest   list found \"l\" has 3 items"),
        (&["--intrinsic-latency", "0"], "total runs"),
        (&["--version"], "redis-cli 8."),
        (&["--help"], "--quoted-pattern"),
        (&["help", "get"], "summary:"),
    ] {
        let output = run(OURS, server.port, args, "");
        assert!(output.status.success() && server::text(&output).contains(part), "{args:?} {output:?}");
    }
    for (args, part) in [
        (&["--cluster", "check", "x"][..], "--cluster"),
        (&["--lru-test", "10"], "--lru-test"),
        (&["--ldb", "--eval", "x"], "--ldb"),
    ] {
        let output = run(OURS, server.port, args, "");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && said.contains(part), "{args:?} {output:?}");
    }
    let many: String = (0..1000).map(|n| format!("SET key:{n} {n}\r\n")).collect();
    let output = run(OURS, server.port, &["--pipe"], &many);
    assert!(server::text(&output).ends_with("errors: 0, replies: 1000\n"), "{output:?}");
    assert_eq!(
        run(OURS, server.port, &["--scan", "--pattern", "key:*"], "")
            .stdout
            .iter()
            .filter(|b| **b == b'\n')
            .count(),
        1000
    );
}

/// What is found on the way and the summary are redis-cli's, but for the order of types and for its two quotes around a key.
#[test]
fn big_keys_are_told_as_redis_cli_tells_them() {
    let server = filled();
    let many: String = (0..40).map(|n| format!("SET key:{n} {}\r\n", "x".repeat(n * 7 + 1))).collect();
    run(OURS, server.port, &["--pipe"], &many);
    let told = |program: &[&str], args: &[&str]| {
        let text =
            server::text(&run(program, server.port, args, "")).replace("'\"", "\"").replace("\"'", "\"");
        let mut lines: Vec<String> =
            text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect();
        lines.sort();
        lines.join("\n")
    };
    for args in
        [&["--bigkeys"][..], &["--memkeys"], &["--memkeys-samples", "2"], &["--bigkeys", "-i", "0.01"]]
    {
        let ours = told(OURS, args);
        assert!(ours.contains("found so far") && ours.contains("Sampled 44 keys"), "{ours}");
        assert_eq!(told(REDIS_CLI, args), ours, "{args:?}");
    }
    // Later versions have this one, and print the same.
    let text = server::text(&run(OURS, server.port, &["--keystats", "--top", "1"], ""));
    for part in [
        "Keys sampled: 44\n",
        "--- Top 1 key sizes ---\n  1 ",
        "list       l has 3 items\n",
        "   50.0000%          22\n",
        " 100.0000%          44\nNote: 0.01% size precision, Mean: ",
        "             6B  100.0000%          44\nTotal key length is 234B (5B avg)\n",
    ] {
        assert!(text.contains(part), "{part}\nin\n{text}");
    }
}

/// A Redis behind TLS that wants to know its clients, with an authority made for it; nothing where tools are missing.
struct Behind {
    process: std::process::Child,
    port: u16,
    folder: std::path::PathBuf,
}

impl Behind {
    fn start() -> Option<Behind> {
        let folder = std::env::temp_dir().join(format!("resplay-tls-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a temporary folder");
        let openssl = |line: &str| {
            let done = Command::new("openssl").args(line.split(' ')).current_dir(&folder).output();
            done.is_ok_and(|output| output.status.success())
        };
        let made = openssl(
            "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -days 2 -subj /CN=authority",
        ) && openssl(
            "req -x509 -CA ca.crt -CAkey ca.key -newkey rsa:2048 -nodes -keyout a.key -out a.crt -days 2 \
                 -subj /CN=anybody -addext basicConstraints=critical,CA:FALSE",
        );
        let port = std::net::TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
        let file = |name: &str| folder.join(name).display().to_string();
        let process = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--tls-port", &port.to_string()])
            .args(["--tls-cert-file", &file("a.crt"), "--tls-key-file", &file("a.key")])
            .args(["--tls-ca-cert-file", &file("ca.crt")])
            .stdout(Stdio::null())
            .spawn();
        let behind = Behind { process: process.ok().filter(|_| made)?, port, folder };
        for _ in 0..200 {
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Some(behind);
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        None
    }
}

impl Drop for Behind {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn connections_are_made_safe() {
    let Some(server) = Behind::start() else { return };
    let file = |name: &str| server.folder.join(name).display().to_string();
    let (ca, cert, key) = (file("ca.crt"), file("a.crt"), file("a.key"));
    let mine = ["--tls", "--cert", &cert, "--key", &key];
    let known = [&mine[..], &["--cacert", &ca]].concat();
    let big = "x".repeat(100_000);
    compare(
        server.port,
        &[
            (&[&known[..], &["ping"]].concat()[..], ""),
            (&[&known[..], &["-x", "set", "big"]].concat(), &big),
            (&[&known[..], &["get", "big"]].concat(), ""),
            (&[&known[..], &["--sni", "localhost", "strlen", "big"]].concat(), ""),
            (&[&known[..], &["--tls-ciphersuites", "TLS_AES_256_GCM_SHA384", "ping"]].concat(), ""),
            (&[&known[..], &["--pipe"]].concat(), "SET a 1\r\nNOSUCH\r\n"),
            (&[&mine[..], &["--insecure", "dbsize"]].concat(), ""),
            (&[&mine[..], &["ping"]].concat(), ""),
        ],
    );
    // These redis-cli says twice, as it tries again.
    for (words, reason) in [
        (&["--cacert", "/nonexistent"][..], "Invalid CA Certificate File/Directory"),
        (&["--cacert", &ca, "--cert", "/nonexistent", "--key", &key], "Invalid client certificate"),
        (&["--cacert", &ca, "--cert", &ca, "--key", &key], "Invalid private key"),
    ] {
        let words = [&["--tls"], words, &["ping"]].concat();
        let said = format!(
            "Could not negotiate a TLS connection: {reason}
"
        );
        let expected = run(REDIS_CLI, server.port, &words, "");
        assert_eq!(String::from_utf8_lossy(&expected.stderr), said.repeat(2));
        let actual = run(OURS, server.port, &words, "");
        assert_eq!((actual.status.code(), String::from_utf8_lossy(&actual.stderr)), (Some(1), said.into()));
    }
    // No certificate for a server that wants one: the newest protocol says so behind the handshake, the one before in it.
    for oldest in [&[][..], &["before"]] {
        let strict = Strict::start(&server.folder, oldest);
        compare(
            strict.port,
            &[(&["--tls", "--cacert", &ca, "ping"], ""), (&["--tls", "--cacert", &ca], "ping\n")],
        );
    }
    let plain = Server::start();
    compare(plain.port, &[(&["--tls", "--cacert", &ca, "ping"], "")]);
}

/// Turns away whoever has no certificate. A Redis then closes while words of the client are unread, and it is a matter of
/// timing what the client gets to see; this one hears it out first.
const STRICT: &str = r#"
import os, socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("a.crt", "a.key")
context.load_verify_locations("ca.crt")
context.verify_mode = ssl.CERT_REQUIRED
if sys.argv[1:]: context.maximum_version = ssl.TLSVersion.TLSv1_2
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    client = listener.accept()[0]
    safe = context.wrap_socket(client, server_side=True, do_handshake_on_connect=False)
    try: safe.do_handshake()
    except OSError: pass
    bare = socket.socket(fileno=os.dup(safe.fileno()))
    bare.settimeout(5)
    try:
        bare.shutdown(socket.SHUT_WR)
        while bare.recv(65536): pass
    except OSError: pass
    bare.close()
    safe.close()
"#;

struct Strict {
    process: std::process::Child,
    port: u16,
}

impl Strict {
    fn start(folder: &std::path::Path, words: &[&str]) -> Strict {
        let mut process = Command::new("python3")
            .args(["-c", STRICT])
            .args(words)
            .current_dir(folder)
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 is installed");
        let mut port = String::new();
        let said = process.stdout.take().expect("it is piped");
        BufReader::new(said).read_line(&mut port).expect("it says where it listens");
        Strict { process, port: port.trim().parse().expect("a port") }
    }
}

impl Drop for Strict {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Types at a prompt in a pseudo-terminal and prints what the screen was sent.
const TYPIST: &str = r#"
import fcntl, os, pty, select, struct, sys, termios, time
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
def until(text):
    out, end = b"", time.time() + 20
    while text not in out and time.time() < end:
        if select.select([fd], [], [], 0.1)[0]:
            try: piece = os.read(fd, 65536)
            except OSError: break
            if not piece: break
            out += piece
    if text not in out:
        print("MISSING", text, "IN", out); sys.exit(1)
    sys.stdout.write(out.decode())
for line in sys.stdin.read().splitlines():
    keys, expected = line.split("\t")
    os.write(fd, eval("b'" + keys + "'"))
    until(eval("b'" + expected + "'"))
print("\nCODE", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"#;

fn type_at_prompt(port: u16, home: &std::path::Path, steps: &[(&str, &str)]) -> String {
    let mut child = Command::new("python3")
        .args(["-c", TYPIST, OURS[0], "cli", "-p", &port.to_string()])
        .envs([("TERM", "xterm"), ("NO_COLOR", "1")])
        .env("HOME", home)
        .env_remove("REDISCLI_HISTFILE")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 is installed");
    let script: String = steps.iter().map(|(keys, expected)| format!("{keys}\t{expected}\n")).collect();
    child.stdin.take().expect("it is piped").write_all(script.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}");
    text
}

#[test]
fn the_prompt_hints_completes_and_remembers() {
    let server = filled();
    let home = std::env::temp_dir().join(format!("resplay-cli-{}", std::process::id()));
    std::fs::create_dir_all(&home).expect("a temporary folder");
    let prompt = format!("127.0.0.1:{}> ", server.port);
    let with_hint = format!("{prompt}set key value");
    let screen = type_at_prompt(
        server.port,
        &home,
        &[
            ("", &prompt),
            ("set ", &with_hint),
            ("k v\\r", "OK"),
            ("get s\\r", "\"10\""),
            ("lpop s\\r", "(error) WRONGTYPE"),
            ("auth secret\\r", "(error)"),
            ("hgeta\\t", "HGETALL"),
            ("h\\t", "HGETALL h"),
            ("\\r", "1) \"f\""),
            ("\\x12get s", "(reverse-i-search): "),
            ("\\r", "\"10\""),
            ("multi\\r", "(TX)> "),
            ("discard\\r", "OK"),
            ("select 3\\r", "[3]> "),
            ("blpop nothing 0\\r", "blpop nothing 0"),
            ("\\x03", "> "),
            ("subscribe news\\r", "Reading messages..."),
            ("ping\\r", "\"pong\""),
            ("\\x03", "> "),
            ("echo gone\\x03", "^C"),
            ("exit\\r", ""),
        ],
    );
    assert!(screen.ends_with("CODE 0\n"), "{screen}");
    let kept = std::fs::read_to_string(home.join(".resplay_history")).expect("lines are kept");
    assert!(kept.starts_with("set k v\nget s\nlpop s\nHGETALL h"), "{kept}");
    assert!(!kept.contains("secret") && !kept.contains("gone"), "{kept}");
    let screen = type_at_prompt(
        server.port,
        &home,
        &[("", &prompt), ("\\x1b[A", "exit"), ("\\x1b[A", "ping"), ("\\x15\\x04", "")],
    );
    assert!(screen.ends_with("CODE 0\n"), "{screen}");
    std::fs::remove_dir_all(&home).expect("it is ours");
}

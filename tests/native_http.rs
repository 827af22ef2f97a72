//! The page that `resplay serve` serves, as a browser would fetch it.

#[path = "support/server.rs"]
mod server;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use server::{Server, text};

/// Codes of closed bridges.
const TOKEN_WRONG: u16 = 4401;
const TARGET_REFUSED: u16 = 4403;
const NOT_REACHED: u16 = 4502;

const INDEX: &[u8] = b"<!doctype html><title>page</title>
<meta http-equiv=\"Content-Security-Policy\" content=\"script-src 'self' 'sha256-AbCd=' 'wasm-unsafe-eval'\">";
const WASM: &[u8] = b"\0asm\x01\0\0\0";

struct Page {
    folder: PathBuf,
    port: u16,
    server: Server,
}

/// A terminal's end of the bridge.
struct Link(TcpStream);

#[derive(Debug, PartialEq, Eq)]
enum Frame {
    Text(String),
    Binary(Vec<u8>),
    Close(u16, String),
}

impl Link {
    fn send(&mut self, bytes: &[u8]) {
        let length = u8::try_from(bytes.len()).expect("tests send little");
        let mut frame = vec![0x82, 0x80 | length, 0, 0, 0, 0];
        frame.extend_from_slice(bytes);
        self.0.write_all(&frame).expect("it reads");
    }

    fn receive(&mut self) -> Frame {
        let mut head = [0; 2];
        self.0.read_exact(&mut head).expect("a frame");
        let mut length = u64::from(head[1]);
        if length == 126 {
            let mut bytes = [0; 2];
            self.0.read_exact(&mut bytes).expect("a length");
            length = u64::from(u16::from_be_bytes(bytes));
        }
        let mut bytes = vec![0; length as usize];
        self.0.read_exact(&mut bytes).expect("a whole frame");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match head[0] & 0x0f {
            1 => Frame::Text(text(&bytes)),
            2 => Frame::Binary(bytes),
            8 => Frame::Close(u16::from_be_bytes([bytes[0], bytes[1]]), text(&bytes[2..])),
            other => panic!("a frame of kind {other}"),
        }
    }
}

struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

impl Page {
    fn start(name: &str) -> Page {
        Page::start_with(name, &[])
    }

    fn start_with(name: &str, words: &[&str]) -> Page {
        let folder = std::env::temp_dir().join(format!("resplay-http-{}-{name}", std::process::id()));
        std::fs::create_dir_all(folder.join("dist/assets")).expect("a temporary folder");
        let dist = folder.join("dist");
        for (name, bytes) in [
            ("dist/index.html", INDEX),
            ("dist/assets/engine-AbCd1234.wasm", WASM),
            ("dist/assets/index-AbCd1234.js", b"export {}"),
            ("dist/assets/index-AbCd1234.js.br", b"compressed"),
            ("dist/assets/index-AbCd1234.js.gz", b"zipped"),
            ("dist/.hidden", b"hidden"),
            ("secret.txt", b"secret"),
        ] {
            std::fs::write(folder.join(name), bytes).expect("the folder is ours");
        }
        std::os::unix::fs::symlink(folder.join("secret.txt"), dist.join("link.txt"))
            .expect("the folder is ours");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = port.expect("a free port").port();
        let root = dist.to_string_lossy().into_owned();
        let own = ["--http-port", &port.to_string(), "--http-root", &root];
        let server = Server::start_bare(&[&own[..], words].concat());
        Page { folder, port, server }
    }

    /// The token, as the log tells it.
    fn token(&self) -> String {
        let (_, rest) = self.server.greeting.split_once("#attach=").expect("the log tells it");
        rest.split_whitespace().next().expect("a token").to_owned()
    }

    /// Asks for the bridge as a page of `origin` would; the status of a refusal.
    fn attach(&self, origin: &str, query: &str, token: &str) -> Result<Link, u16> {
        self.attach_as("127.0.0.1", "127.0.0.1", origin, query, token)
    }

    /// The same, reaching the server at `address` and calling it `name`.
    fn attach_as(
        &self,
        address: &str,
        name: &str,
        origin: &str,
        query: &str,
        token: &str,
    ) -> Result<Link, u16> {
        let mut stream = TcpStream::connect((address, self.port)).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a TCP socket");
        let (host, key) = (format!("{name}:{}", self.port), "dGhlIHNhbXBsZSBub25jZQ==");
        let request = format!(
            "GET /ws{query} HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\nConnection: Upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\
             Sec-WebSocket-Protocol: resplay, token.{token}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).expect("a head");
            head.push(byte[0]);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        if status == 101 { Ok(Link(stream)) } else { Err(status) }
    }

    fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn fetch(&self, method: &str, path: &str, headers: &[&str]) -> Answer {
        self.fetch_as("localhost", method, path, headers)
    }

    fn fetch_as(&self, host: &str, method: &str, path: &str, headers: &[&str]) -> Answer {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a TCP socket");
        let lines: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
        let request = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{lines}\r\n");
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).expect("it answers");
        let end =
            bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a head ends in an empty line");
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        Answer { status, head, body: bytes[end + 4..].to_vec() }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn files_come_with_all_a_browser_needs() {
    let page = Page::start("files");
    let index = page.fetch("GET", "/?x=1", &[]);
    assert_eq!((index.status, index.body.starts_with(b"<!doctype")), (200, true));
    assert_eq!(index.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(index.header("cache-control"), Some("no-cache"));
    let own = "script-src 'self' 'sha256-AbCd=' 'wasm-unsafe-eval'; frame-ancestors 'self'";
    assert_eq!(index.header("content-security-policy"), Some(own));
    let wasm = page.fetch("GET", "/assets/engine-AbCd1234.wasm", &["Accept-Encoding: br"]);
    assert_eq!((wasm.status, &wasm.body[..]), (200, WASM));
    assert_eq!(wasm.header("content-type"), Some("application/wasm"));
    assert!(
        wasm.header("content-security-policy").is_some_and(|policy| policy.contains("default-src 'none'"))
    );
    assert!(wasm.header("cache-control").is_some_and(|text| text.contains("immutable")));
    assert_eq!(wasm.header("vary"), None);
    let head = page.fetch("HEAD", "/assets/engine-AbCd1234.wasm", &[]);
    assert_eq!((head.status, head.header("content-length"), head.body.len()), (200, Some("8"), 0));
    assert_eq!(head.header("etag"), wasm.header("etag"));
}

#[test]
fn what_is_known_is_not_sent_again() {
    let page = Page::start("known");
    let tag = page.fetch("GET", "/", &[]).header("etag").expect("each file has one").to_owned();
    let again = page.fetch("GET", "/", &[&format!("If-None-Match: \"other\", W/{tag}")]);
    assert_eq!((again.status, again.body.len(), again.header("etag")), (304, 0, Some(tag.as_str())));
    assert_eq!(page.fetch("GET", "/", &["If-None-Match: \"other\""]).status, 200);
}

#[test]
fn compressed_copies_go_to_those_who_take_them() {
    let page = Page::start("brotli");
    let path = "/assets/index-AbCd1234.js";
    let plain = page.fetch("GET", path, &[]);
    let packed = page.fetch("GET", path, &["Accept-Encoding: gzip, br"]);
    assert_eq!((&plain.body[..], plain.header("content-encoding")), (&b"export {}"[..], None));
    assert_eq!((&packed.body[..], packed.header("content-encoding")), (&b"compressed"[..], Some("br")));
    let zipped = page.fetch("GET", path, &["Accept-Encoding: gzip;q=1.0, br;q=0"]);
    assert_eq!((&zipped.body[..], zipped.header("content-encoding")), (&b"zipped"[..], Some("gzip")));
    assert_eq!(
        (plain.header("vary"), packed.header("vary")),
        (Some("Accept-Encoding"), Some("Accept-Encoding"))
    );
    assert_ne!(plain.header("etag"), packed.header("etag"));
    assert_eq!(packed.header("content-type"), Some("text/javascript; charset=utf-8"));
}

#[test]
fn nothing_else_is_served() {
    let page = Page::start("else");
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        let answer = page.fetch(method, "/", &[]);
        assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD")), "{method}");
    }
    for path in [
        "/missing",
        "/assets",
        "/assets/",
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/link.txt",
        "/.hidden",
        "/assets/%00",
        "//etc/passwd",
        "/assets/..%5c..%5csecret.txt",
    ] {
        let answer = page.fetch("GET", path, &[]);
        assert_eq!(answer.status, 404, "{path}");
        assert!(!answer.body.windows(6).any(|six| six == b"secret"), "{path}");
    }
}

#[test]
fn a_page_that_cannot_be_served_stops_only_who_asked_for_it() {
    let page = Page::start("taken");
    let port = page.port.to_string();
    let output = Command::new(env!("CARGO_BIN_EXE_resplay"))
        .args(["serve", "--port", "0", "--unixsocket"])
        .arg(page.folder.join("socket"))
        .args(["--http-port", &port])
        .output()
        .expect("the binary starts");
    assert_eq!(output.status.code(), Some(1));
    let told = format!("The playground page cannot be served on port {port}: Address already in use");
    assert!(text(&output).contains(&told), "{}", text(&output));
}

#[test]
fn a_foreign_name_that_points_here_gets_nothing() {
    let page = Page::start("names");
    let refused = page.fetch_as("evil.example", "GET", "/", &[]);
    assert_eq!((refused.status, refused.header("access-control-allow-origin")), (421, None));
    assert!(!refused.body.starts_with(b"<!doctype"));
    let own = format!("127.0.0.1:{}", page.port);
    assert_eq!(page.fetch_as(&own, "GET", "/", &[]).status, 200);
}

#[test]
fn a_terminal_attaches_to_the_server_of_the_page() {
    let page = Page::start("attach");
    let mut link = page.attach(&page.origin(), "", &page.token()).expect("all is right");
    assert_eq!(link.receive(), Frame::Text(format!("connected 127.0.0.1 {}", page.server.port)));
    link.send(b"SET a 1\r\nGET a\r\n");
    let mut replies = Vec::new();
    while replies.len() < b"+OK\r\n$1\r\n1\r\n".len() {
        let Frame::Binary(bytes) = link.receive() else { panic!("bytes") };
        replies.extend(bytes);
    }
    assert_eq!(replies, b"+OK\r\n$1\r\n1\r\n");
    link.send(b"QUIT\r\n");
    assert_eq!(link.receive(), Frame::Binary(b"+OK\r\n".to_vec()));
    assert_eq!(link.receive(), Frame::Close(1000, "Server closed the connection".to_owned()));
}

#[test]
fn the_bridge_wants_the_own_page_and_the_token() {
    let page = Page::start("guard");
    let token = page.token();
    for origin in ["http://evil.example", "null", &format!("http://127.0.0.1:{}", page.port ^ 1)] {
        assert_eq!(page.attach(origin, "", &token).err(), Some(403), "{origin}");
    }
    for wrong in ["", "x", &token[1..], &"0".repeat(32)] {
        let mut link =
            page.attach(&page.origin(), "", wrong).expect("the token is looked at behind the handshake");
        assert!(matches!(link.receive(), Frame::Close(TOKEN_WRONG, _)), "{wrong}");
    }
    // A plain request is none for a bridge.
    assert!([400, 403, 426].contains(&page.fetch("GET", "/ws", &[]).status));
}

#[test]
fn a_foreign_name_that_points_here_gets_no_bridge() {
    // A page of evil.example whose name now leads to this machine: its origin and the host it asks for agree.
    let page = Page::start("rebound");
    let origin = format!("http://evil.example:{}", page.port);
    let refused = page.attach_as("127.0.0.1", "evil.example", &origin, "", &page.token());
    assert_eq!(refused.err(), Some(421));
    let named = Page::start_with("named", &["--http-host", "redis.lan"]);
    let origin = format!("http://redis.lan:{}", named.port);
    assert!(named.attach_as("127.0.0.1", "redis.lan", &origin, "", &named.token()).is_ok());
}

#[test]
fn the_page_and_its_bridge_are_on_loopback_by_default() {
    let page = Page::start("default");
    assert!(page.server.greeting.contains(&format!("http://127.0.0.1:{}/", page.port)));
    // Only servers of this machine, too.
    let mut link = page.attach(&page.origin(), "?host=192.0.2.7&port=6379", &page.token()).expect("attached");
    assert!(matches!(link.receive(), Frame::Close(TARGET_REFUSED, _)));
    // An address of this machine that others reach it by, where there is one. Nothing is sent there.
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").expect("a free port");
    let Some(outer) = socket.connect("192.0.2.1:9").and_then(|()| socket.local_addr()).ok() else { return };
    let outer = outer.ip().to_string();
    assert!(TcpStream::connect((outer.as_str(), page.port)).is_err());
    // Who is told to listen there still lets no terminal of elsewhere in.
    let open = Page::start_with("open", &["--http-bind", "0.0.0.0"]);
    let origin = format!("http://{outer}:{}", open.port);
    assert_eq!(open.attach_as(&outer, &outer, &origin, "", &open.token()).err(), Some(403));
}

#[test]
fn the_bridge_leads_to_this_machine_alone_unless_told_otherwise() {
    let page = Page::start_with("target", &["--http-attach", "192.0.2.1:6379"]);
    let token = page.token();
    let mut link = page.attach(&page.origin(), "?host=192.0.2.7&port=6379", &token).expect("attached");
    assert!(matches!(link.receive(), Frame::Close(TARGET_REFUSED, _)));
    let closed = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let query = format!("?host=localhost&port={}", closed.port());
    let mut link = page.attach(&page.origin(), &query, &token).expect("attached");
    assert!(matches!(link.receive(), Frame::Close(NOT_REACHED, reason) if reason == "Connection refused"));
    let query = format!("?host=%6cocalhost&port={}", page.server.port);
    let mut link = page.attach(&page.origin(), &query, &token).expect("attached");
    assert!(matches!(link.receive(), Frame::Text(_)));
}

#[test]
fn the_bridge_can_be_closed() {
    let page = Page::start_with("closed", &["--http-attach", "no"]);
    assert_eq!(page.attach(&page.origin(), "", "x").err(), Some(404));
}

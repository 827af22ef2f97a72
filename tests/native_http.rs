//! The page that `resplay serve` serves, as a browser would fetch it.

#[path = "support/server.rs"]
mod server;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use server::{Server, text};

const WASM: &[u8] = b"\0asm\x01\0\0\0";

struct Page {
    folder: PathBuf,
    port: u16,
    _server: Server,
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
        let folder = std::env::temp_dir().join(format!("resplay-http-{}-{name}", std::process::id()));
        std::fs::create_dir_all(folder.join("dist/assets")).expect("a temporary folder");
        let dist = folder.join("dist");
        for (name, bytes) in [
            ("dist/index.html", &b"<!doctype html><title>page</title>"[..]),
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
        let server = Server::start_bare(&["--http-port", &port.to_string(), "--http-root", &root]);
        Page { folder, port, _server: server }
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
    assert!(
        index.header("content-security-policy").is_some_and(|policy| policy.contains("'wasm-unsafe-eval'"))
    );
    let wasm = page.fetch("GET", "/assets/engine-AbCd1234.wasm", &["Accept-Encoding: br"]);
    assert_eq!((wasm.status, &wasm.body[..]), (200, WASM));
    assert_eq!(wasm.header("content-type"), Some("application/wasm"));
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

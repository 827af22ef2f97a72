//! The smallest server of static files that a browser is content with, for this machine alone.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::Result;

const REQUEST_MAX_BYTES: u64 = 16 * 1024;
const READ_LIMIT: Duration = Duration::from_secs(10);

/// Listens on the loopback address; port 0 takes any free one. Answers the port.
pub fn start(folder: PathBuf, port: u16) -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .map_err(|error| format!("port {port} cannot be listened on: {error}"))?;
    let port = listener.local_addr().map_err(|error| error.to_string())?.port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let folder = folder.clone();
            thread::spawn(move || answer(&stream, &folder).ok());
        }
    });
    Ok(port)
}

fn answer(stream: &TcpStream, folder: &Path) -> std::io::Result<()> {
    stream.set_read_timeout(Some(READ_LIMIT))?;
    let mut lines = BufReader::new(stream.take(REQUEST_MAX_BYTES)).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let mut words = request.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let file = path_of(target)
        .map(|path| folder.join(path))
        .map(|path| if path.is_dir() { path.join("index.html") } else { path });
    let (status, kind, body) = match file.map(|file| (fs::read(&file), mime(&file))) {
        _ if !["GET", "HEAD"].contains(&method) => {
            ("405 Method Not Allowed", "text/plain", b"GET only\n".to_vec())
        }
        Some((Ok(body), kind)) => ("200 OK", kind, body),
        _ => ("404 Not Found", "text/plain", b"no such file\n".to_vec()),
    };
    let mut stream = stream;
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nCache-Control: no-cache\r\n\
         X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
        body.len()
    )?;
    if method != "HEAD" {
        stream.write_all(&body)?;
    }
    stream.flush()
}

/// The file a request's target names, if it stays inside the folder.
fn path_of(target: &str) -> Option<PathBuf> {
    let path = target.split(['?', '#']).next()?.strip_prefix('/')?;
    let mut bytes = Vec::new();
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        let byte = match byte {
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            byte => byte,
        };
        bytes.push(byte);
    }
    let path = String::from_utf8(bytes).ok()?;
    let inside = !path.contains(['\\', ':', '\0']) && path.split('/').all(|part| !part.starts_with('.'));
    inside.then(|| path.trim_start_matches('/').into())
}

fn mime(file: &Path) -> &'static str {
    match file.extension().and_then(|extension| extension.to_str()).unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" | "md" | "redis" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_stays_inside_the_folder() {
        for target in
            ["/../a", "/a/../../b", "/%2e%2e/a", "/a%5c..", "/.git/config", "/a%00", "a", "", "/%zz", "/%f"]
        {
            assert_eq!(path_of(target), None, "{target}");
        }
    }

    #[test]
    fn a_request_names_a_file() {
        assert_eq!(path_of("/a/b%20c.js?x=1#y"), Some("a/b c.js".into()));
        assert_eq!(path_of("//a"), Some("a".into()));
        assert_eq!(path_of("/"), Some("".into()));
    }
}

//! Talking to another server while everything else waits: what MIGRATE needs. Knows nothing of what is said.

use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use crate::server::Exchanged;

/// Sends `request` and reads `replies` lines. No single step takes longer than the time given.
pub fn exchange(host: &[u8], port: &[u8], timeout_ms: u64, request: &[u8], replies: usize) -> Exchanged {
    let timeout = Duration::from_millis(timeout_ms);
    let mut stream = match connect(host, port, timeout) {
        Ok(stream) => stream,
        // Redis finds out only when it begins to write.
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
            return Exchanged::Broken(Vec::new(), "writing");
        }
        Err(_) => return Exchanged::NotConnected,
    };
    if stream.write_all(request).is_err() {
        return Exchanged::Broken(Vec::new(), "writing");
    }
    let mut reader = BufReader::new(stream);
    let mut answers = Vec::new();
    while answers.len() < replies {
        let mut line = Vec::new();
        match reader.read_until(b'\n', &mut line) {
            Ok(_) if line.ends_with(b"\r\n") => answers.push(line.trim_ascii_end().to_vec()),
            _ => return Exchanged::Broken(answers, "reading"),
        }
    }
    Exchanged::Answers(answers)
}

fn connect(host: &[u8], port: &[u8], timeout: Duration) -> io::Result<TcpStream> {
    let text = |bytes| std::str::from_utf8(bytes).map_err(|_| io::Error::from(ErrorKind::InvalidInput));
    let port: u16 = text(port)?.parse().map_err(|_| io::Error::from(ErrorKind::InvalidInput))?;
    let mut stream = Err(ErrorKind::NotFound.into());
    for address in (text(host)?, port).to_socket_addrs()? {
        stream = TcpStream::connect_timeout(&address, timeout);
        if stream.is_ok() {
            break;
        }
    }
    let stream = stream?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(timeout))?;
    stream.set_write_timeout(Some(timeout))?;
    Ok(stream)
}

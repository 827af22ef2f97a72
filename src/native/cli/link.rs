//! The connection of a terminal: dialling, sockets of both kinds, and a small blocking conversation for the tools that do
//! not need a session.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::tls::Tls;
use crate::cli::Address;
use crate::cli::session::encode;
use crate::resp::reply::{Decoder, Reply};

/// How connections are made.
#[derive(Clone, Debug, Default)]
pub struct Dial {
    pub timeout: Option<Duration>,
    pub family: Family,
    pub tls: Option<Tls>,
}

/// Which addresses of a name are tried first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Family {
    #[default]
    Any,
    Ipv4,
    Ipv6,
}

pub enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Stream {
    /// The error is the system's reason.
    pub fn connect(address: &Address, dial: &Dial) -> Result<Stream, String> {
        match address {
            Address::Socket(path) => UnixStream::connect(path).map(Stream::Unix).map_err(|e| reason(&e)),
            Address::Tcp { host, port } => {
                let found = (host.as_str(), *port).to_socket_addrs().map_err(|e| reason(&e))?;
                let mut addresses: Vec<SocketAddr> = found.collect();
                addresses.sort_by_key(|address| address.is_ipv6() != (dial.family == Family::Ipv6));
                if dial.family != Family::Any {
                    addresses.retain(|address| address.is_ipv6() == (dial.family == Family::Ipv6));
                }
                let mut last = "Name or service not known".to_owned();
                for address in addresses {
                    let stream = match dial.timeout {
                        Some(timeout) => {
                            TcpStream::connect_timeout(&address, timeout.max(Duration::from_millis(1)))
                        }
                        None => TcpStream::connect(address),
                    };
                    match stream {
                        Ok(stream) => {
                            // It only makes replies faster.
                            let _ = stream.set_nodelay(true);
                            return match &dial.tls {
                                Some(tls) => tls.wrap(stream, host, dial.timeout).map(Stream::Unix),
                                None => Ok(Stream::Tcp(stream)),
                            };
                        }
                        Err(error) => last = reason(&error),
                    }
                }
                Err(last)
            }
        }
    }

    pub fn try_clone(&self) -> io::Result<Stream> {
        Ok(match self {
            Stream::Tcp(stream) => Stream::Tcp(stream.try_clone()?),
            Stream::Unix(stream) => Stream::Unix(stream.try_clone()?),
        })
    }

    /// Ends reads in other threads too.
    pub fn close(&self) {
        // One that is closed already is what is wanted.
        let _ = match self {
            Stream::Tcp(stream) => stream.shutdown(Shutdown::Both),
            Stream::Unix(stream) => stream.shutdown(Shutdown::Both),
        };
    }

    pub fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => stream.set_read_timeout(timeout),
            Stream::Unix(stream) => stream.set_read_timeout(timeout),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.read(buffer),
            Stream::Unix(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.write(bytes),
            Stream::Unix(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The system's words for an error, without Rust's additions.
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    if error.kind() == io::ErrorKind::TimedOut {
        return "Connection timed out".to_owned();
    }
    let text = text.strip_prefix("failed to lookup address information: ").unwrap_or(&text);
    text.split(" (os error").next().unwrap_or(text).to_owned()
}

/// Commands and replies one after another.
pub struct Talk {
    pub stream: Stream,
    pub decoder: Decoder,
}

impl Talk {
    pub fn new(stream: Stream) -> Talk {
        Talk { stream, decoder: Decoder::new() }
    }

    pub fn ask(&mut self, args: &[Vec<u8>]) -> Result<Reply, String> {
        self.stream.write_all(&encode(args)).map_err(|e| reason(&e))?;
        self.reply()
    }

    pub fn reply(&mut self) -> Result<Reply, String> {
        let mut chunk = vec![0; 64 * 1024];
        loop {
            if let Some(reply) = self.decoder.next_reply().map_err(|e| e.to_string())? {
                return Ok(reply);
            }
            match self.stream.read(&mut chunk) {
                Ok(0) => return Err("Server closed the connection".to_owned()),
                Ok(count) => self.decoder.feed(&chunk[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(reason(&error)),
            }
        }
    }
}

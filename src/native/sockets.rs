//! Where clients come in: TCP and Unix sockets, bound as redis.conf says, behind one face.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use mio::event::Source;
use mio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use mio::{Interest, Registry, Token};
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};

pub enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener, String),
}

pub enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// A connection just made, as it is shown: `ip:port`, or for a Unix socket its path and `:0`.
pub struct Accepted {
    pub stream: Stream,
    pub peer: String,
    pub local: String,
    /// It comes from this machine.
    pub is_local: bool,
}

/// One entry of `bind`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub shown: String,
    pub address: IpAddr,
    /// Written with `-` in front: left out where the machine has no such address.
    pub is_optional: bool,
}

/// The entries of `bind`; the error names the one that is no address.
pub fn places(bind: &str) -> Result<Vec<Place>, String> {
    let place = |word: &str| {
        let (is_optional, name) = match word.strip_prefix('-') {
            Some(name) => (true, name),
            None => (false, word),
        };
        let address = match name {
            "*" => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            "::*" => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
            name => match name.parse() {
                Ok(address) => address,
                Err(_) => {
                    let found = (name, 0).to_socket_addrs().ok().and_then(|mut found| found.next());
                    found.ok_or_else(|| format!("Name or service not known: {name}"))?.ip()
                }
            },
        };
        Ok(Place { shown: name.to_owned(), address, is_optional })
    };
    bind.split_ascii_whitespace().map(place).collect()
}

impl Listener {
    pub fn tcp(address: SocketAddr, backlog: i32) -> io::Result<Listener> {
        let domain = if address.is_ipv6() { Domain::IPV6 } else { Domain::IPV4 };
        let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
        if address.is_ipv6() {
            // The same port is bound for IPv4 beside it.
            socket.set_only_v6(true)?;
        }
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(backlog)?;
        Ok(Listener::Tcp(TcpListener::from_std(socket.into())))
    }

    /// A socket left behind by an earlier process makes way. `mode` 0 leaves the permissions as they come.
    pub fn unix(path: &str, mode: u32) -> io::Result<Listener> {
        remove_socket(path);
        let listener = UnixListener::bind(path)?;
        if mode != 0 {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))?;
        }
        Ok(Listener::Unix(listener, path.to_owned()))
    }

    pub fn accept(&self) -> io::Result<Accepted> {
        match self {
            Listener::Tcp(listener) => {
                let (stream, peer) = listener.accept()?;
                // Nagle's algorithm would hold back replies; failing to switch it off only costs time.
                let _ = stream.set_nodelay(true);
                let local = stream.local_addr().map(|address| address.to_string()).unwrap_or_default();
                let is_local = peer.ip().to_canonical().is_loopback();
                Ok(Accepted { stream: Stream::Tcp(stream), peer: peer.to_string(), local, is_local })
            }
            Listener::Unix(listener, path) => {
                let (stream, _) = listener.accept()?;
                let shown = format!("{path}:0");
                Ok(Accepted {
                    stream: Stream::Unix(stream),
                    peer: shown.clone(),
                    local: shown,
                    is_local: true,
                })
            }
        }
    }

    pub fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        match self {
            Listener::Tcp(listener) => listener.register(registry, token, Interest::READABLE),
            Listener::Unix(listener, _) => listener.register(registry, token, Interest::READABLE),
        }
    }

    pub fn deregister(&mut self, registry: &Registry) {
        // One that is not registered needs no more.
        let _ = match self {
            Listener::Tcp(listener) => listener.deregister(registry),
            Listener::Unix(listener, _) => listener.deregister(registry),
        };
    }

    pub fn is_tcp(&self) -> bool {
        matches!(self, Listener::Tcp(_))
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Listener::Unix(_, path) = self {
            remove_socket(path);
        }
    }
}

/// Takes a socket's file away, and nothing that is no socket.
fn remove_socket(path: &str) {
    use std::os::unix::fs::FileTypeExt;
    let is_socket = |meta: std::fs::Metadata| meta.file_type().is_socket();
    if std::fs::symlink_metadata(Path::new(path)).is_ok_and(is_socket) {
        let _ = std::fs::remove_file(path);
    }
}

impl Stream {
    pub fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        let interest = Interest::READABLE.add(Interest::WRITABLE);
        match self {
            Stream::Tcp(stream) => stream.register(registry, token, interest),
            Stream::Unix(stream) => stream.register(registry, token, interest),
        }
    }

    pub fn deregister(&mut self, registry: &Registry) {
        // A socket that is gone already needs no deregistration.
        let _ = match self {
            Stream::Tcp(stream) => stream.deregister(registry),
            Stream::Unix(stream) => stream.deregister(registry),
        };
    }

    /// Asks the system to look every so often whether the peer is still there. 0 does not.
    pub fn keep_alive(&self, seconds: u64) {
        if let Stream::Tcp(stream) = self
            && seconds > 0
        {
            let often = TcpKeepalive::new()
                .with_time(Duration::from_secs(seconds))
                .with_interval(Duration::from_secs((seconds / 3).max(1)))
                .with_retries(3);
            // Without it a dead peer is noticed later.
            let _ = SockRef::from(stream).set_tcp_keepalive(&often);
        }
    }
}

impl Read for Stream {
    #[inline]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.read(buffer),
            Stream::Unix(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    #[inline]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bind_lists_addresses() {
        let found = places("127.0.0.1 -::1 * ::*").expect("all are addresses");
        let shown: Vec<(String, bool)> =
            found.iter().map(|place| (place.address.to_string(), place.is_optional)).collect();
        let expected = [("127.0.0.1", false), ("::1", true), ("0.0.0.0", false), ("::", false)];
        assert_eq!(shown, expected.map(|(address, optional)| (address.to_owned(), optional)));
        assert_eq!(places(""), Ok(Vec::new()));
    }
}

//! The bridge between a terminal of the page and a Redis server: WebSocket messages on one side, a TCP connection on the
//! other, bytes as they are. It must not know what they mean.
//!
//! A browser lets any page on the web open a WebSocket to this machine. So the bridge asks three things of whoever comes:
//! the page's own origin, which browsers tell truly; a token, which only someone who saw the server start knows; and, unless
//! the server was told otherwise, to be on this machine and to want a server on this machine.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{ConnectInfo, State};
use axum::http::header::{self, HeaderMap};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::{Site, assets};

/// The name of the conversation; the token comes beside it, where scripts of a page can put one.
const PROTOCOL: &str = "resplay";
const TOKEN_PREFIX: &str = "token.";
const READ_BYTES: usize = 64 * 1024;
const MESSAGE_BYTES_MAX: usize = 64 * 1024 * 1024;
const LINKS_MAX: usize = 64;
const DIAL_LIMIT: Duration = Duration::from_secs(10);

/// Why a link ends, for the page to say: codes that RFC 6455 leaves to applications.
const CODE_TOKEN: u16 = 4401;
const CODE_TARGET: u16 = 4403;
const CODE_FULL: u16 = 4429;
const CODE_DIAL: u16 = 4502;
const CODE_ENDED: u16 = 1000;

/// Whom the bridge lets where.
pub struct Bridge {
    token: String,
    /// Where a link leads that names no target.
    own: Option<SocketAddr>,
    /// Targets on other machines, as `host:port`; with any, terminals on other machines may come too.
    targets: Vec<String>,
    links: Arc<Semaphore>,
}

impl Bridge {
    pub fn new(token: String, own: Option<SocketAddr>, targets: Vec<String>) -> Bridge {
        Bridge { token, own, targets, links: Arc::new(Semaphore::new(LINKS_MAX)) }
    }

    fn knows(&self, token: &str) -> bool {
        // In the same time wherever the first difference is.
        let differences = token.bytes().zip(self.token.bytes()).fold(0, |sum, (a, b)| sum | (a ^ b));
        token.len() == self.token.len() && differences == 0
    }

    /// The address of a target, if links may lead there.
    async fn resolve(&self, host: &str, port: u16) -> Result<SocketAddr, (u16, String)> {
        let is_named = self.targets.iter().any(|target| *target == format!("{host}:{port}"));
        let found = timeout(DIAL_LIMIT, tokio::net::lookup_host((host, port))).await;
        let Ok(Ok(mut found)) = found else {
            return Err((CODE_DIAL, "Name or service not known".to_owned()));
        };
        found.find(|address| is_named || is_loopback(address.ip())).ok_or_else(|| {
            (CODE_TARGET, format!("only servers of this machine; --http-attach {host}:{port} allows more"))
        })
    }
}

/// What a terminal asks for in the address; without it, the server that serves the page.
#[derive(Default)]
pub struct Target {
    host: Option<String>,
    port: Option<u16>,
}

impl Target {
    fn of(query: &str) -> Target {
        let mut target = Target::default();
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            match name {
                "host" => target.host = assets::decoded(value),
                "port" => target.port = value.parse().ok(),
                _ => {}
            }
        }
        target
    }
}

/// Answers a request for `/ws`.
pub async fn answer(
    State(site): State<Arc<Site>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    uri: Uri,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let refused = |status, text: &'static str| super::words(status, text, false);
    if !site.is_called(&headers) {
        return refused(StatusCode::MISDIRECTED_REQUEST, "this server goes by another name\n");
    }
    let Some(bridge) = &site.bridge else {
        return refused(StatusCode::NOT_FOUND, "terminals cannot attach here\n");
    };
    if !comes_from_page(&headers) {
        return refused(StatusCode::FORBIDDEN, "only for the page of this server\n");
    }
    if bridge.targets.is_empty() && !is_loopback(peer.ip()) {
        return refused(StatusCode::FORBIDDEN, "only for terminals on this machine\n");
    }
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(reason) => return reason.into_response(),
    };
    let token = super::listed(&headers, header::SEC_WEBSOCKET_PROTOCOL)
        .find_map(|part| part.strip_prefix(TOKEN_PREFIX))
        .unwrap_or_default()
        .to_owned();
    let target = Target::of(uri.query().unwrap_or_default());
    let site = Arc::clone(&site);
    let upgrade = upgrade.protocols([PROTOCOL]).max_message_size(MESSAGE_BYTES_MAX);
    upgrade.on_upgrade(move |socket| async move {
        if let Some(bridge) = &site.bridge {
            link(bridge, socket, &token, target).await;
        }
    })
}

/// Browsers name the page that opens a WebSocket, and let no page lie about it.
fn comes_from_page(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let (Some(origin), Some(host)) = (text(header::ORIGIN), text(header::HOST)) else { return false };
    origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://")) == Some(host)
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

async fn link(bridge: &Bridge, mut socket: WebSocket, token: &str, target: Target) {
    let (code, reason) = match open(bridge, token, target).await {
        Ok((stream, address, _permit)) => carry(&mut socket, stream, address).await,
        Err(refusal) => refusal,
    };
    // Whoever has gone already does not hear it.
    let _ = socket.send(Message::Close(Some(CloseFrame { code, reason: reason.into() }))).await;
}

type Refusal = (u16, String);

async fn open(
    bridge: &Bridge,
    token: &str,
    target: Target,
) -> Result<(TcpStream, SocketAddr, OwnedSemaphorePermit), Refusal> {
    if !bridge.knows(token) {
        return Err((CODE_TOKEN, "the token is wrong; the server printed it when it started".to_owned()));
    }
    let permit = Arc::clone(&bridge.links).try_acquire_owned();
    let permit = permit.map_err(|_| (CODE_FULL, "too many terminals are attached".to_owned()))?;
    let address = match (target.host, bridge.own) {
        (Some(host), _) => bridge.resolve(&host, target.port.unwrap_or(6379)).await?,
        (None, Some(own)) => own,
        (None, None) => return Err((CODE_TARGET, "this server listens on no port".to_owned())),
    };
    let stream = match timeout(DIAL_LIMIT, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err((CODE_DIAL, super::super::reason(&error))),
        Err(_) => return Err((CODE_DIAL, "Connection timed out".to_owned())),
    };
    // It only makes replies faster.
    let _ = stream.set_nodelay(true);
    Ok((stream, address, permit))
}

/// Carries bytes both ways until one side ends; a side that is slow slows the other.
async fn carry(socket: &mut WebSocket, mut stream: TcpStream, address: SocketAddr) -> Refusal {
    // Tells the page that the server was reached, and where it is.
    if socket
        .send(Message::Text(format!("connected {} {}", address.ip(), address.port()).into()))
        .await
        .is_err()
    {
        return (CODE_ENDED, String::new());
    }
    let mut buffer = vec![0; READ_BYTES];
    loop {
        tokio::select! {
            read = stream.read(&mut buffer) => match read {
                Ok(0) => return (CODE_ENDED, "Server closed the connection".to_owned()),
                Ok(length) => {
                    let bytes = Bytes::copy_from_slice(&buffer[..length]);
                    if socket.send(Message::Binary(bytes)).await.is_err() {
                        return (CODE_ENDED, String::new());
                    }
                }
                Err(error) => return (CODE_DIAL, super::super::reason(&error)),
            },
            message = socket.recv() => match message {
                Some(Ok(Message::Binary(bytes))) => {
                    if let Err(error) = stream.write_all(&bytes).await {
                        return (CODE_DIAL, super::super::reason(&error));
                    }
                }
                Some(Ok(Message::Text(_) | Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Close(_)) | Err(_)) | None => return (CODE_ENDED, String::new()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn tokens_are_compared_whole() {
        let bridge = Bridge::new("abc".to_owned(), None, Vec::new());
        assert!(bridge.knows("abc"));
        for wrong in ["", "ab", "abd", "abcd", "Abc"] {
            assert!(!bridge.knows(wrong), "{wrong}");
        }
    }

    #[test]
    fn only_the_own_page_may_come() {
        for (origin, host, expected) in [
            ("http://127.0.0.1:8379", "127.0.0.1:8379", true),
            ("https://redis.lan", "redis.lan", true),
            ("http://evil.example", "127.0.0.1:8379", false),
            ("http://127.0.0.1:9000", "127.0.0.1:8379", false),
            ("null", "127.0.0.1:8379", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
            headers.insert(header::HOST, HeaderValue::from_static(host));
            assert_eq!(comes_from_page(&headers), expected, "{origin}");
            headers.remove(header::ORIGIN);
            assert!(!comes_from_page(&headers));
        }
    }
}

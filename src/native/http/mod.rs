//! The playground page over HTTP, on a thread of its own: the engine's thread never sees it. It serves files, and at `/ws`
//! the bridge for terminals that attach to a server; it must not know the engine.

mod assets;
mod bridge;

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use axum::routing::any;

use super::launch::Http;
use super::log::Log;
use assets::{Asset, Source};
use bridge::Bridge;

/// What a worker of the page may do: its own scripts and engine, and nothing from elsewhere. The page itself says what it may.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'self'";
const A_YEAR: &str = "public, max-age=31536000, immutable";

const NO_PAGE: &str = "<!doctype html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<title>resplay: the page is not built</title>
<h1>The page is not built</h1>
<p>This server was built without its web page. In a checkout of the project, build it with
<code>cargo xtask www</code> and start the server again, or let <code>cargo xtask play</code> do both.</p>
</html>
";

/// What every answer needs.
struct Site {
    source: Source,
    /// Names that a browser may know this server by, besides addresses and `localhost`.
    names: Vec<String>,
    bridge: Option<Bridge>,
}

/// Serves until the process ends; the error says why it cannot. `own` is where the server that serves the page takes
/// clients, and `token` is what terminals that attach must know.
pub fn serve(http: Http, own: Option<SocketAddr>, token: String, log: &Log) -> Result<(), String> {
    let listener =
        TcpListener::bind(SocketAddr::new(http.address, http.port)).map_err(|error| super::reason(&error))?;
    let address = listener.local_addr().map_err(|error| super::reason(&error))?;
    listener.set_nonblocking(true).map_err(|error| super::reason(&error))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| super::reason(&error))?;
    let told_token = token.clone();
    let bridge = http.may_attach.then(|| Bridge::new(token, own, http.targets));
    let attaches = bridge.is_some();
    let site = Arc::new(Site { source: Source::find(http.folder), names: http.names, bridge });
    let router = Router::new().route("/ws", any(bridge::answer)).fallback(answer).with_state(site);
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let thread = std::thread::Builder::new().name("http".to_owned());
    let told = log.clone();
    let serving = async move {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        axum::serve(listener, service).await
    };
    let started = thread.spawn(move || {
        if let Err(error) = runtime.block_on(serving) {
            told.warning(format!("The playground page is served no longer: {error}"));
        }
    });
    started.map_err(|error| super::reason(&error))?;
    log.notice(format!("The playground page is at http://{address}/"));
    if attaches {
        log.notice(format!("Its terminals attach to this server by http://{address}/#attach={told_token}"));
    }
    Ok(())
}

impl Site {
    /// Whether the request was meant for this server. A foreign page may let a name of its own point to this machine and
    /// would then be of the same origin as what is served here; its requests still carry that name.
    fn is_called(&self, headers: &HeaderMap) -> bool {
        let Some(host) = headers.get(header::HOST).and_then(|host| host.to_str().ok()) else { return false };
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        let name = name.to_ascii_lowercase();
        let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(&name);
        address.parse::<IpAddr>().is_ok()
            || name == "localhost"
            || name.ends_with(".localhost")
            || self.names.contains(&name)
    }
}

async fn answer(State(site): State<Arc<Site>>, request: Request) -> Response {
    let is_head = request.method() == Method::HEAD;
    if !site.is_called(request.headers()) {
        let text = "this server goes by addresses and localhost only; --http-host NAME adds a name\n";
        return words(StatusCode::MISDIRECTED_REQUEST, text, is_head);
    }
    if request.method() != Method::GET && !is_head {
        let mut response = words(StatusCode::METHOD_NOT_ALLOWED, "GET and HEAD only\n", is_head);
        put(&mut response, header::ALLOW, "GET, HEAD");
        return response;
    }
    let name = assets::name_of(request.uri().path());
    if site.source == Source::Nothing && name.as_deref() == Some("index.html") {
        let mut response = whole(StatusCode::OK, "index.html", NO_PAGE.as_bytes().to_vec(), is_head);
        put(&mut response, header::CACHE_CONTROL, "no-store");
        return response;
    }
    match name.and_then(|name| site.source.asset(&name).map(|asset| (name, asset))) {
        Some((name, asset)) => file(&name, asset, request.headers(), is_head),
        None => words(StatusCode::NOT_FOUND, "no such file\n", is_head),
    }
}

fn file(name: &str, asset: Asset, headers: &HeaderMap, is_head: bool) -> Response {
    let own = if name.ends_with(".html") { assets::policy(&asset.bytes) } else { None };
    let policy = own.map_or(POLICY.to_owned(), |own| format!("{own}; frame-ancestors 'self'"));
    let has_variants = asset.brotli.is_some() || asset.gzip.is_some();
    let packed = [(asset.brotli, "br"), (asset.gzip, "gzip")];
    let packed = packed.into_iter().find(|(bytes, coding)| bytes.is_some() && accepts(headers, coding));
    let (bytes, encoding) = match packed {
        Some((Some(bytes), coding)) => (bytes, Some(coding)),
        _ => (asset.bytes, None),
    };
    let tag = assets::tag(&bytes);
    let mut response = if is_known(headers, &tag) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        let mut response = whole(StatusCode::OK, name, bytes.into_owned(), is_head);
        if let Some(encoding) = encoding {
            put(&mut response, header::CONTENT_ENCODING, encoding);
        }
        response
    };
    put(&mut response, header::ETAG, &tag);
    put(&mut response, header::CACHE_CONTROL, if assets::has_hash(name) { A_YEAR } else { "no-cache" });
    if has_variants {
        put(&mut response, header::VARY, "Accept-Encoding");
    }
    // The embeddable terminal is a script for other sites' pages.
    put(&mut response, header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    put(&mut response, HeaderName::from_static("cross-origin-resource-policy"), "cross-origin");
    put(&mut response, header::CONTENT_SECURITY_POLICY, &policy);
    response
}

fn words(status: StatusCode, text: &str, is_head: bool) -> Response {
    whole(status, "words.txt", text.as_bytes().to_vec(), is_head)
}

fn whole(status: StatusCode, name: &str, bytes: Vec<u8>, is_head: bool) -> Response {
    let length = bytes.len();
    let mut response = Response::new(if is_head { Body::empty() } else { Body::from(bytes) });
    *response.status_mut() = status;
    put(&mut response, header::CONTENT_TYPE, assets::mime(name));
    put(&mut response, header::CONTENT_LENGTH, &length.to_string());
    put(&mut response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    put(&mut response, header::REFERRER_POLICY, "no-referrer");
    response
}

fn put(response: &mut Response, name: HeaderName, value: &str) {
    let value = HeaderValue::from_str(value).expect("values are visible ASCII");
    response.headers_mut().insert(name, value);
}

/// The parts of a header that lists, from all its lines.
fn listed(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}

/// Whether `Accept-Encoding` names the coding, or anything, with a weight above nought.
fn accepts(headers: &HeaderMap, coding: &str) -> bool {
    let weight = |wanted: &str| {
        listed(headers, header::ACCEPT_ENCODING).find_map(|part| {
            let (coding, parameters) = part.split_once(';').unwrap_or((part, ""));
            let weight = parameters.trim().strip_prefix("q=").and_then(|q| q.trim().parse::<f32>().ok());
            coding.trim().eq_ignore_ascii_case(wanted).then_some(weight.unwrap_or(1.0))
        })
    };
    weight(coding).or_else(|| weight("*")).is_some_and(|weight| weight > 0.0)
}

/// Whether `If-None-Match` names the tag; a weak comparison, as RFC 9110 asks for.
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    listed(headers, header::IF_NONE_MATCH).any(|known| known == "*" || known.trim_start_matches("W/") == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).expect("visible ASCII"))])
    }

    #[test]
    fn encodings_have_weights() {
        for (value, expected) in [
            ("gzip, deflate, br", true),
            ("BR;q=0.5", true),
            ("br;q=0", false),
            ("br;q=0.0, *", false),
            ("*", true),
            ("*;q=0", false),
            ("gzip", false),
            ("", false),
        ] {
            assert_eq!(accepts(&headers(header::ACCEPT_ENCODING, value), "br"), expected, "{value}");
        }
    }

    #[test]
    fn foreign_names_are_refused() {
        let site = Site { source: Source::Nothing, names: vec!["redis.lan".to_owned()], bridge: None };
        for (value, expected) in [
            ("localhost", true),
            ("LOCALHOST:8379", true),
            ("a.localhost:80", true),
            ("127.0.0.1:8379", true),
            ("10.0.0.7", true),
            ("[::1]:8379", true),
            ("[::1]", true),
            ("redis.lan:1", true),
            ("evil.example", false),
            ("evil.example:8379", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("", false),
            ("localhost:x", false),
        ] {
            assert_eq!(site.is_called(&headers(header::HOST, value)), expected, "{value}");
        }
        assert!(!site.is_called(&HeaderMap::new()));
    }

    #[test]
    fn known_versions_are_recognised() {
        for (value, expected) in [
            ("\"a\"", true),
            ("W/\"a\"", true),
            ("\"b\", \"a\"", true),
            ("*", true),
            ("\"b\"", false),
            ("a", false),
        ] {
            assert_eq!(is_known(&headers(header::IF_NONE_MATCH, value), "\"a\""), expected, "{value}");
        }
    }
}

//! Plays an append-only file: its base, which may be an RDB file, and the commands that follow, one after the other, without
//! checks and without replies.

use crate::persist::file;
use crate::resp::request::{Parsed, RequestLimits};
use crate::resp::{Protocol, ReplyWriter, RequestParser};
use crate::server::Server;
use crate::server::client::Flags;
use crate::server::clients::ClientId;
use crate::server::event::LogLevel;
use crate::server::persistence::AofPart;
use crate::server::snapshot::Present;

use super::ctx::Origin;
use super::registry::Registry;
use super::{Args, Lookup, call};

/// What was found in the files.
#[derive(Debug, PartialEq, Eq)]
pub enum Played {
    Whole,
    /// The last part ends in the middle of a command or a transaction; so many bytes of it are good.
    Truncated(usize),
}

/// Takes the place of all keys by what the parts say. On an error the keys are those of the parts before it.
pub fn load_aof(server: &mut Server, registry: &Registry, parts: &[AofPart]) -> Result<Played, String> {
    for db in 0..server.keyspace.databases() {
        server.flush(db);
    }
    // What is played is not what clients did.
    let stats = std::mem::take(&mut server.stats);
    let dirty = server.dirty;
    let id = server.clients.add(server.now_ms);
    if let Some(client) = server.clients.get_mut(id) {
        client.flags.remove(Flags::NEEDS_AUTH);
    }
    server.persistence.is_loading = true;
    let mut played = Ok(Played::Whole);
    for (number, part) in parts.iter().enumerate() {
        played = load_part(server, registry, id, part);
        let is_last = number + 1 == parts.len();
        if matches!(played, Ok(Played::Truncated(_))) && !is_last {
            played = Err(format!("the append only file {} ends too early", part.name));
        }
        if played.is_err() {
            break;
        }
    }
    server.persistence.is_loading = false;
    server.forget(id);
    (server.stats, server.dirty) = (stats, dirty);
    // Nothing of it is to be written again.
    server.propagation.take();
    server.nothing_to_save();
    played
}

fn load_part(
    server: &mut Server,
    registry: &Registry,
    id: ClientId,
    part: &AofPart,
) -> Result<Played, String> {
    let mut from = 0;
    if file::is_file(&part.bytes) {
        let failed = |reason| format!("the base of the append only file {} is damaged: {reason}", part.name);
        let loaded = server.load(&part.bytes, Present::Replaced).map_err(failed)?;
        if let Some(request) = &loaded.functions {
            let mut reply = ReplyWriter::new(Protocol::Resp2);
            call::dispatch(server, registry, id, &request.bytes, &request.spans, &mut reply, Origin::Stream);
        }
        from = loaded.bytes;
    }
    let name = &part.name;
    let end = play(server, registry, id, &part.bytes, from).map_err(|bad| match bad {
        Unplayable::Unknown(command) => {
            format!("Unknown command '{command}' reading the append only file {name}")
        }
        Unplayable::Malformed => format!(
            "Bad file format reading the append only file {name}: make a backup of your AOF file, then use \
             redis-check-aof --fix <filename.manifest>"
        ),
    })?;
    if end == part.bytes.len() {
        return Ok(Played::Whole);
    }
    let text = format!("!!! Warning: short read while loading the AOF file {name}!!!");
    server.log(LogLevel::Warning, text);
    Ok(Played::Truncated(end))
}

enum Unplayable {
    Malformed,
    Unknown(String),
}

/// Runs the commands from a byte on; the end of the last whole one.
fn play(
    server: &mut Server,
    registry: &Registry,
    id: ClientId,
    bytes: &[u8],
    from: usize,
) -> Result<usize, Unplayable> {
    let end = whole_until(server, bytes, from)?;
    let limits = limits(server);
    let mut parser = RequestParser::default();
    let mut at = from;
    while at < end {
        at = skip_notes(bytes, at).ok_or(Unplayable::Malformed)?;
        if at >= end {
            break;
        }
        let Ok(Parsed::Multibulk { consumed }) = parser.parse(&bytes[at..end], &limits) else {
            return Err(Unplayable::Malformed);
        };
        let words = Args::new(&bytes[at..end], parser.spans());
        if words.argc() > 0 {
            if !matches!(registry.lookup(&words), Lookup::Found(..)) {
                return Err(Unplayable::Unknown(String::from_utf8_lossy(words.get(0)).into_owned()));
            }
            let mut reply = ReplyWriter::new(Protocol::Resp2);
            call::dispatch(server, registry, id, &bytes[at..end], parser.spans(), &mut reply, Origin::Stream);
        }
        at += consumed;
    }
    Ok(end)
}

fn limits(server: &Server) -> RequestLimits {
    RequestLimits { bulk_bytes_max: server.config.proto_max_bulk_len, authenticated: true }
}

/// The end of the last whole command that is not inside of a transaction without an end.
fn whole_until(server: &Server, bytes: &[u8], from: usize) -> Result<usize, Unplayable> {
    let limits = limits(server);
    let mut parser = RequestParser::default();
    let (mut at, mut transaction_at) = (from, None);
    while let Some(start) = skip_notes(bytes, at).filter(|start| *start < bytes.len()) {
        if bytes[start] != b'*' {
            return Err(Unplayable::Malformed);
        }
        match parser.parse(&bytes[start..], &limits) {
            Ok(Parsed::Incomplete) => return Ok(transaction_at.unwrap_or(at)),
            Ok(Parsed::Multibulk { consumed }) => {
                let name = parser.spans().first().map_or(&[][..], |span| span.of(&bytes[start..]));
                if name.eq_ignore_ascii_case(b"multi") {
                    transaction_at.get_or_insert(start);
                } else if name.eq_ignore_ascii_case(b"exec") {
                    transaction_at = None;
                }
                at = start + consumed;
            }
            _ => return Err(Unplayable::Malformed),
        }
    }
    // Notes at the end belong to what is before them.
    Ok(transaction_at.unwrap_or(if skip_notes(bytes, at) == Some(bytes.len()) { bytes.len() } else { at }))
}

/// Where the next command starts behind lines such as `#TS:1700000000`; nothing when such a line has no end.
fn skip_notes(bytes: &[u8], mut at: usize) -> Option<usize> {
    while bytes.get(at) == Some(&b'#') {
        at += bytes[at..].iter().position(|byte| *byte == b'\n')? + 1;
    }
    Some(at)
}

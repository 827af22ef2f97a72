//! MIGRATE: keys leave for another server. The host talks to it; what to say and what comes of the answers is decided here.

use crate::command::declaration::*;
use crate::command::{Args, Ctx, Exceptions, Keys};
use crate::resp::{Protocol, ReplyWriter};
use crate::server::Exchanged;
use crate::server::error::{self, Error, Result};

use super::dump::payload_of;

pub const COMMANDS: &[Command] = &[MIGRATE];

/// How long the other server may take where no time is given.
const TIMEOUT_MS: u64 = 1000;

pub const MIGRATE: Command = Command {
    name: "MIGRATE",
    syntax: "host port key-selector=<key | empty-string=''> destination-db timeout:integer [COPY@3.0.0] [REPLACE@3.0.0] authentication=[AUTH auth{password}@4.0.7 | AUTH2 (username password)@6.0.0] [KEYS keys{key}@3.0.6 ...]",
    summary: "Moves keys to another server.",
    since: "2.6.0",
    complexity: "DUMP and DEL here, RESTORE there, and an O(N) transfer between them",
    flags: WRITE,
    categories: Exceptions::also(Categories::DANGEROUS),
    keys: &[
        Keys::at(3).read_write().access().delete(),
        Keys::after("KEYS", -2).range(-1, 1, 0).read_write().access().delete().incomplete(),
    ],
    tips: &["nondeterministic_output"],
    history: &[
        ("3.0.0", "Knows `COPY` and `REPLACE`."),
        ("3.0.6", "Knows `KEYS`."),
        ("4.0.7", "Knows `AUTH`."),
        ("6.0.0", "Knows `AUTH2`."),
    ],
    run: migrate,
    ..Command::BASE
};

#[derive(Default)]
struct Options<'a> {
    copies: bool,
    replaces: bool,
    /// The words of AUTH.
    auth: Vec<&'a [u8]>,
    keys: Vec<&'a [u8]>,
}

fn migrate(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (host, port, key) = (args.next()?, args.next()?, args.next()?);
    // Options are judged before these numbers.
    let mut numbers = args.clone();
    args.next()?;
    args.next()?;
    let options = parse_options(args, key)?;
    let (db, timeout_ms) = (numbers.integer()?, numbers.integer()?);
    let timeout_ms = u64::try_from(timeout_ms).ok().filter(|&ms| ms > 0).unwrap_or(TIMEOUT_MS);
    let mut request = ReplyWriter::new(Protocol::Resp2);
    if !options.auth.is_empty() {
        say(&mut request, &[&[b"AUTH" as &[u8]], &options.auth[..]].concat());
    }
    say(&mut request, &[b"SELECT", db.to_string().as_bytes()]);
    let greetings = 1 + usize::from(!options.auth.is_empty());
    let mut leaving: Vec<&[u8]> = Vec::new();
    for &key in &options.keys {
        let Some(payload) = payload_of(ctx, key) else { continue };
        let now_ms = ctx.now_ms();
        let expires_at = ctx.peek(key).and_then(|entry| entry.expires_at());
        let ttl_ms = expires_at.map_or(0, |when_ms| when_ms.saturating_sub(now_ms).max(1)).to_string();
        let mut words: Vec<&[u8]> = vec![b"RESTORE", key, ttl_ms.as_bytes(), &payload];
        if options.replaces {
            words.push(b"REPLACE");
        }
        say(&mut request, &words);
        leaving.push(key);
    }
    if leaving.is_empty() {
        reply.simple("NOKEY");
        return Ok(());
    }
    const NO_CONNECTION: Error = Error::new("IOERR error or timeout connecting to the client");
    let Some(exchange) = ctx.server.exchange else { return Err(NO_CONNECTION) };
    let replies = greetings + leaving.len();
    let (answers, failure) = match exchange(host, port, timeout_ms, request.bytes(), replies) {
        Exchanged::NotConnected => return Err(NO_CONNECTION),
        Exchanged::Answers(answers) => (answers, None),
        Exchanged::Broken(answers, doing) => (answers, Some(doing)),
    };
    let refusal = answers.iter().find_map(|answer| answer.strip_prefix(b"-"));
    // A key whose greetings were refused has gone nowhere that is known.
    let is_greeted = answers.iter().take(greetings).all(|answer| !answer.starts_with(b"-"));
    if !options.copies && is_greeted {
        let taken = answers.iter().skip(greetings).map(|answer| !answer.starts_with(b"-"));
        let gone = leaving.iter().zip(taken).filter(|(_, is_taken)| *is_taken).map(|(key, _)| *key);
        leave(ctx, gone.collect());
    }
    if let Some(doing) = failure {
        return Err(Error::bytes(format!("IOERR error or timeout {doing} to target instance").into_bytes()));
    }
    match refusal {
        Some(text) => Err(Error::bytes([b"ERR Target instance replied with error: ", text].concat())),
        None => {
            reply.ok();
            Ok(())
        }
    }
}

fn parse_options<'a>(args: &mut Args<'a>, key: &'a [u8]) -> Result<Options<'a>> {
    let mut options = Options { keys: vec![key], ..Options::default() };
    while !args.is_empty() {
        if args.accept("COPY") {
            options.copies = true;
        } else if args.accept("REPLACE") {
            options.replaces = true;
        } else if args.accept_with("AUTH", 1) {
            options.auth = vec![args.next()?];
        } else if args.accept_with("AUTH2", 2) {
            options.auth = vec![args.next()?, args.next()?];
        } else if args.accept("KEYS") {
            if !key.is_empty() {
                return Err(Error::new(
                    "ERR When using MIGRATE KEYS option, the key argument must be set to the empty string",
                ));
            }
            options.keys = args.rest().collect();
            break;
        } else {
            return Err(error::SYNTAX);
        }
    }
    Ok(options)
}

fn say(request: &mut ReplyWriter, words: &[&[u8]]) {
    request.array(words.len());
    words.iter().for_each(|word| request.bulk(word));
}

/// Takes away the keys that the other server has taken.
fn leave(ctx: &mut Ctx, keys: Vec<&[u8]>) {
    let gone: Vec<&[u8]> = keys.into_iter().filter(|key| ctx.delete(key)).collect();
    if gone.is_empty() {
        ctx.propagate_nothing();
    } else {
        ctx.propagate_as(&[&[b"DEL" as &[u8]], &gone[..]].concat());
    }
}

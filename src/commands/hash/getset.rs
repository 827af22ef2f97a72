//! Reading, setting and deleting fields together with their times to live: HGETEX, HSETEX, HGETDEL.

use crate::command::declaration::*;
use crate::command::{Args, Ctx, Keys, call};
use crate::data::number;
use crate::resp::ReplyWriter;
use crate::server::error::{Error, Result};

use super::expiry::{after_ttl, parse_block, parse_time, unknown_argument};
use super::{after_removal, value_or_null};

pub const COMMANDS: &[Command] = &[HGETDEL, HGETEX, HSETEX];

/// What becomes of the times to live of the fields.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ttl {
    /// Not named: HGETEX leaves them, HSETEX clears them.
    Default,
    At(u64),
    Persist,
    Keep,
}

/// Which existing fields let HSETEX go on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Condition {
    Always,
    AllExist,
    NoneExists,
}

/// The options of HGETEX and HSETEX, which may stand on both sides of the fields.
struct Options {
    ttl: Ttl,
    condition: Condition,
    /// Where the fields, and for HSETEX their values, stand.
    words: std::ops::Range<usize>,
}

/// HGETEX takes fields and knows PERSIST; HSETEX takes pairs and knows KEEPTTL and conditions.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Get,
    Set,
}

impl Options {
    fn parse(ctx: &Ctx, args: &mut Args, form: Form) -> Result<Self> {
        let (mut ttl, mut condition, mut words) = (Ttl::Default, Condition::Always, None);
        while let Some(word) = args.peek() {
            if args.accept("FIELDS") {
                if words.is_some() {
                    return Err(Error::new("ERR FIELDS keyword specified multiple times"));
                }
                words = Some(parse_words(ctx, args, form)?);
            } else if let Some(named) = accept_ttl(ctx, args, form, ttl)? {
                ttl = named;
            } else if let Some(named) = accept_condition(args, form) {
                if condition != Condition::Always {
                    return Err(Error::new("ERR Only one of FXX or FNX arguments can be specified"));
                }
                condition = named;
            } else {
                return Err(unknown_argument(word));
            }
        }
        let words = words.ok_or(Error::new("ERR missing FIELDS argument"))?;
        Ok(Options { ttl, condition, words })
    }
}

/// A number and so many fields or pairs; where they stand.
fn parse_words(ctx: &Ctx, args: &mut Args, form: Form) -> Result<std::ops::Range<usize>> {
    let width = if form == Form::Set { 2 } else { 1 };
    if args.left() < 1 + width {
        return Err(call::wrong_arity(ctx.command));
    }
    let count = args.integer_in(1, i64::from(i32::MAX), Error::new("ERR invalid number of fields"))? as u64;
    if count * width as u64 > args.left() as u64 {
        return Err(call::wrong_arity(ctx.command));
    }
    let first = args.position();
    let words = first..first + count as usize * width;
    args.seek(words.end);
    Ok(words)
}

fn accept_condition(args: &mut Args, form: Form) -> Option<Condition> {
    match form {
        Form::Set if args.accept("FXX") => Some(Condition::AllExist),
        Form::Set if args.accept("FNX") => Some(Condition::NoneExists),
        _ => None,
    }
}

/// Takes what is said of times to live if it comes next; only one such option may be given.
fn accept_ttl(ctx: &Ctx, args: &mut Args, form: Form, known: Ttl) -> Result<Option<Ttl>> {
    const TIMES: [(&str, bool, bool); 4] =
        [("EX", true, true), ("PX", false, true), ("EXAT", true, false), ("PXAT", false, false)];
    let several = match form {
        Form::Get => "ERR Only one of EX, PX, EXAT, PXAT or PERSIST arguments can be specified",
        Form::Set => "ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified",
    };
    let only_once = || if known == Ttl::Default { Ok(()) } else { Err(Error::new(several)) };
    for (name, in_seconds, is_relative) in TIMES {
        if args.accept(name) {
            only_once()?;
            if args.is_empty() {
                return Err(Error::new("ERR missing expire time"));
            }
            let base_ms = if is_relative { ctx.now_ms() } else { 0 };
            return Ok(Some(Ttl::At(parse_time(args.next()?, in_seconds, base_ms, ctx.command)?)));
        }
    }
    let named = match form {
        Form::Get if args.accept("PERSIST") => Ttl::Persist,
        Form::Set if args.accept("KEEPTTL") => Ttl::Keep,
        _ => return Ok(None),
    };
    only_once()?;
    Ok(Some(named))
}

pub const HGETEX: Command = Command {
    name: "HGETEX",
    syntax: "key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | PERSIST] FIELDS (numfields field ...)",
    summary: "Gets the values of fields of a hash and changes when they expire.",
    since: "8.0.0",
    complexity: "O(N) with N the number of fields given",
    group: Group::Hash,
    flags: WRITE.and(FAST),
    keys: &[Keys::at(1).read_write().access().update()],
    run: hgetex,
    ..Command::BASE
};

fn hgetex(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let key = args.next()?;
    let options = Options::parse(ctx, args, Form::Get)?;
    let is_past = matches!(options.ttl, Ttl::At(when_ms) if ctx.is_past(when_ms));
    let fields = options.words.map(|index| args.get(index));
    let Some(hash) = ctx.hash_mut(key)? else {
        reply.array(fields.len());
        fields.for_each(|_| reply.null());
        return Ok(());
    };
    reply.array(fields.len());
    let (mut updated, mut deleted) = (Vec::new(), Vec::new());
    for field in fields {
        let item = hash.item(field);
        value_or_null(reply, item);
        if item.is_none() {
            continue;
        }
        match options.ttl {
            Ttl::At(_) if is_past => {
                hash.remove(field);
                deleted.push(field);
            }
            Ttl::At(when_ms) => {
                hash.set_expiry(field, when_ms);
                updated.push(field);
            }
            Ttl::Persist if hash.persist(field) => updated.push(field),
            _ => {}
        }
    }
    match options.ttl {
        Ttl::At(when_ms) => after_ttl(ctx, key, when_ms, &updated, &deleted),
        Ttl::Persist if !updated.is_empty() => {
            let next = ctx.hash_mut(key)?.and_then(|hash| hash.next_expiry());
            ctx.set_field_deadline(key, next);
            let count = number::u64_text(updated.len() as u64);
            let mut words: Vec<&[u8]> = vec![b"HPERSIST", key, b"FIELDS", &count];
            words.extend(&updated);
            ctx.propagate_as(&words);
            ctx.fields_changed(key, "hpersist", updated.len(), updated);
            Ok(())
        }
        _ => Ok(()),
    }
}

pub const HSETEX: Command = Command {
    name: "HSETEX",
    syntax: "key condition=[FNX | FXX] [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | KEEPTTL] FIELDS (numfields (field value) ...)",
    summary: "Sets fields of a hash together with their expiry.",
    since: "8.0.0",
    complexity: "O(N) with N the number of fields given",
    group: Group::Hash,
    flags: WRITE.and(DENYOOM).and(FAST),
    keys: &[Keys::at(1).read_write().update()],
    run: hsetex,
    ..Command::BASE
};

fn hsetex(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let key = args.next()?;
    let options = Options::parse(ctx, args, Form::Set)?;
    let limits = ctx.server.config.hash;
    let is_past = matches!(options.ttl, Ttl::At(when_ms) if ctx.is_past(when_ms));
    let fields = options.words.clone().step_by(2).map(|index| args.get(index));
    let hash = ctx.hash_mut(key)?;
    let exists = |field: &[u8]| hash.as_ref().is_some_and(|hash| hash.item(field).is_some());
    let goes_on = match options.condition {
        Condition::Always => true,
        Condition::AllExist => fields.clone().all(exists),
        Condition::NoneExists => !fields.clone().any(exists),
    };
    reply.integer(i64::from(goes_on));
    if !goes_on {
        return Ok(());
    }
    let hash = ctx.hash_or_create(key)?;
    hash.prepare(fields.len(), limits);
    for index in options.words.clone().step_by(2) {
        let (field, value) = (args.get(index), args.get(index + 1));
        match options.ttl {
            Ttl::Keep => drop(hash.set_keeping_expiry(field, value, limits)),
            _ => drop(hash.set(field, value, limits)),
        }
        if let Ttl::At(when_ms) = options.ttl
            && !is_past
        {
            hash.set_expiry(field, when_ms);
        }
    }
    let next = hash.next_expiry();
    ctx.set_field_deadline(key, next);
    ctx.fields_changed(key, "hset", fields.len(), fields.clone());
    match options.ttl {
        Ttl::At(_) if is_past => end_at_once(ctx, key, fields.collect()),
        Ttl::At(when_ms) => {
            ctx.fields_changed(key, "hexpire", 0, fields);
            propagate_set(ctx, args, key, when_ms, &options);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Fields that were set with a time that has passed go again.
fn end_at_once(ctx: &mut Ctx, key: &[u8], fields: Vec<&[u8]>) -> Result {
    let Some(hash) = ctx.hash_mut(key)? else { return Ok(()) };
    let removed: Vec<&[u8]> = fields.into_iter().filter(|field| hash.remove(field)).collect();
    for field in &removed {
        ctx.propagate_as(&[b"HDEL" as &[u8], key, field]);
    }
    after_removal(ctx, key, removed.len(), removed)
}

/// As it came, with the time made absolute.
fn propagate_set(ctx: &mut Ctx, args: &Args, key: &[u8], when_ms: u64, options: &Options) {
    let (when, count) = (number::u64_text(when_ms), number::u64_text(options.words.len() as u64 / 2));
    let mut words: Vec<&[u8]> = vec![b"HSETEX", key, b"PXAT", &when, b"FIELDS", &count];
    words.extend(options.words.clone().map(|index| args.get(index)));
    ctx.propagate_as(&words);
}

pub const HGETDEL: Command = Command {
    name: "HGETDEL",
    syntax: "key FIELDS (numfields field ...)",
    summary: "Gets the values of fields of a hash and deletes the fields.",
    since: "8.0.0",
    complexity: "O(N) with N the number of fields given",
    group: Group::Hash,
    flags: WRITE.and(FAST),
    keys: &[Keys::at(1).read_write().access().delete()],
    run: hgetdel,
    ..Command::BASE
};

fn hgetdel(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let key = args.next()?;
    ctx.hash_mut(key)?;
    parse_block(args)?;
    reply.array(args.left());
    let Some(hash) = ctx.hash_mut(key)? else {
        args.rest().for_each(|_| reply.null());
        return Ok(());
    };
    let mut removed = Vec::new();
    for field in args.rest() {
        let item = hash.item(field);
        value_or_null(reply, item);
        if item.is_some() {
            hash.remove(field);
            removed.push(field);
        }
    }
    if removed.is_empty() {
        return Ok(());
    }
    let mut words: Vec<&[u8]> = vec![b"HDEL", key];
    words.extend(args.rest());
    ctx.propagate_as(&words);
    after_removal(ctx, key, removed.len(), removed)
}

//! Adding entries, cutting off old ones, and a stream's own numbers.

use xxhash_rust::xxh3::xxh3_128;

use crate::command::ctx::Origin;
use crate::command::declaration::*;
use crate::command::{Args, Ctx, Keys};
use crate::data::stream::{AddError, IdText, Limits, Producers, References, Stream, StreamId, Trim, TrimTo};
use crate::resp::ReplyWriter;
use crate::server::error::{self, Error, Result};
use crate::server::notify::Class;

use super::{accept_references, parse_id, write_id};

pub const COMMANDS: &[Command] = &[XADD, XCFGSET, XIDMPRECORD, XSETID, XTRIM];

/// How an entry says which message of which producer it is.
enum Message<'a> {
    Given { pid: &'a [u8], iid: &'a [u8] },
    FromContent { pid: &'a [u8] },
}

enum NewId {
    Auto,
    /// The time is given, the sequence number is not.
    AutoSequence(u64),
    Exact(StreamId),
}

/// The options XADD and XTRIM share, and XADD's own.
#[derive(Default)]
struct Options<'a> {
    trim_to: Option<TrimTo>,
    is_approximate: bool,
    limit: Option<i64>,
    references: Option<References>,
    no_mkstream: bool,
    message: Option<Message<'a>>,
}

impl<'a> Options<'a> {
    /// Takes one option; false when there is none.
    fn accept(&mut self, args: &mut Args<'a>) -> Result<bool> {
        if args.accept_with("MAXLEN", 1) {
            self.accept_operator(args)?;
            let len = args.integer()?;
            if len < 0 {
                return Err(Error::new("ERR The MAXLEN argument must be >= 0."));
            }
            self.trim_to = Some(TrimTo::Len(len as u64));
        } else if args.accept_with("MINID", 1) {
            self.accept_operator(args)?;
            self.trim_to = Some(TrimTo::Id(parse_id(args.next()?, 0)?));
        } else if args.accept_with("LIMIT", 1) {
            let limit = args.integer()?;
            if limit < 0 {
                return Err(Error::new("ERR The LIMIT argument must be >= 0."));
            }
            self.limit = Some(limit);
        } else if let Some(references) = accept_references(args) {
            if self.references.replace(references).is_some() {
                return Err(error::SYNTAX);
            }
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn accept_operator(&mut self, args: &mut Args) -> Result {
        if self.trim_to.is_some() {
            return Err(Error::new(
                "ERR syntax error, MAXLEN and MINID options at the same time are not compatible",
            ));
        }
        self.is_approximate = args.accept_with("~", 1);
        if !self.is_approximate {
            args.accept_with("=", 1);
        }
        Ok(())
    }

    fn accept_message(&mut self, args: &mut Args<'a>) -> Result<bool> {
        let message = if args.accept_with("IDMP", 2) {
            Message::Given { pid: args.next()?, iid: args.next()? }
        } else if args.accept_with("IDMPAUTO", 1) {
            Message::FromContent { pid: args.next()? }
        } else {
            return Ok(false);
        };
        if self.message.is_some() {
            return Err(Error::new("ERR IDMP/IDMPAUTO specified multiple times"));
        }
        match &message {
            Message::Given { pid: b"", .. } => {
                return Err(Error::new("ERR IDMP requires a non-empty producer ID"));
            }
            Message::Given { iid: b"", .. } => {
                return Err(Error::new("ERR IDMP requires a non-empty idempotent ID"));
            }
            Message::FromContent { pid: b"" } => {
                return Err(Error::new("ERR IDMPAUTO requires a non-empty producer ID"));
            }
            _ => self.message = Some(message),
        }
        Ok(true)
    }

    /// What is to be cut off; the limit is Redis's, a hundred blocks, unless one is given.
    fn trim(&self, ctx: &Ctx) -> Result<Option<Trim>> {
        let Some(to) = self.trim_to else {
            if self.limit.is_some_and(|limit| limit != 0) {
                return Err(Error::new(
                    "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy",
                ));
            }
            return Ok(None);
        };
        let limit = match (self.limit, self.is_approximate) {
            _ if ctx.origin == Origin::Stream => 0,
            (Some(_), false) => {
                return Err(Error::new(
                    "ERR syntax error, LIMIT cannot be used without the special ~ option",
                ));
            }
            (Some(limit), true) => limit as u64,
            (None, false) => 0,
            (None, true) => match ctx.server.config.stream_node_max_entries.saturating_mul(100) {
                0 => 10_000,
                limit => limit.min(1_000_000),
            },
        };
        let references = self.references.unwrap_or_default();
        Ok(Some(Trim { to, is_approximate: self.is_approximate, limit, references }))
    }
}

pub const XADD: Command = Command {
    name: "XADD",
    syntax: "key [NOMKSTREAM@6.2.0] [KEEPREF | DELREF | ACKED] idmp=[IDMPAUTO pid | IDMP (pid iid)]@8.6.0 trim=[strategy=<MAXLEN | MINID@6.2.0> operator=[equal='=' | approximately=~] threshold [LIMIT count@6.2.0]] id-selector=<auto-id=* | id> (field value) ...",
    summary: "Adds an entry to a stream, which is created when missing.",
    since: "5.0.0",
    complexity: "O(1) to add; O(N) to trim N entries",
    group: Group::Stream,
    flags: WRITE.and(DENYOOM).and(FAST),
    keys: &[Keys::at(1).read_write().update()],
    tips: &["nondeterministic_output"],
    history: &[
        ("6.2.0", "Knows `NOMKSTREAM`, `MINID` and `LIMIT`."),
        ("7.0.0", "The ID may be a time with `*` for the sequence."),
        ("8.2.0", "Knows `KEEPREF`, `DELREF` and `ACKED`."),
    ],
    run: xadd,
    ..Command::BASE
};

fn xadd(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let key = args.next()?;
    let mut options = Options::default();
    let new_id = loop {
        if args.peek() == Some(b"*") {
            args.next()?;
            break NewId::Auto;
        }
        if options.accept(args)? || options.accept_message(args)? {
            continue;
        }
        if args.accept("NOMKSTREAM") {
            options.no_mkstream = true;
            continue;
        }
        let wrong_number = Error::new("ERR wrong number of arguments for 'xadd' command");
        let text = args.peek().ok_or(wrong_number)?;
        args.next()?;
        break parse_new_id(text)?;
    };
    if options.message.is_some() && !matches!(new_id, NewId::Auto) {
        return Err(Error::new("ERR IDMP/IDMPAUTO can be used only with auto-generated IDs"));
    }
    let trim = options.trim(ctx)?;
    if args.is_empty() || !args.left().is_multiple_of(2) {
        return Err(Error::new("ERR wrong number of arguments for 'xadd' command"));
    }
    if matches!(new_id, NewId::Exact(StreamId::MIN)) {
        return Err(Error::new("ERR The ID specified in XADD must be greater than 0-0"));
    }
    let mut pairs: Vec<(&[u8], &[u8])> = Vec::with_capacity(args.left() / 2);
    while !args.is_empty() {
        pairs.push((args.next()?, args.next()?));
    }
    if options.no_mkstream && ctx.stream_mut(key)?.is_none() {
        reply.null();
        return Ok(());
    }
    let now_ms = ctx.now_ms();
    let config = &ctx.server.config;
    let limits =
        Limits { block_bytes: config.stream_node_max_bytes, block_entries: config.stream_node_max_entries };
    let known = (config.stream_idmp_duration, config.stream_idmp_maxsize);
    let message = options.message.as_ref().map(|message| message_of(message, &pairs));

    let stream = ctx.stream_or_create(key, |_| Box::new(Stream::new()))?;
    if let (Some((pid, iid)), Some(producers)) = (&message, &mut stream.producers)
        && let Some(id) = producers.find(pid, iid, now_ms)
    {
        producers.duplicates += 1;
        write_id(reply, id);
        return Ok(());
    }
    let id = add(stream, &new_id, &pairs, limits, now_ms)?;
    if let Some((pid, iid)) = &message {
        producers_of(stream, known).record(pid, iid, id, now_ms);
    }
    let trimmed = trim.as_ref().map_or(0, |trim| stream.trim(trim));
    let left = (stream.len(), stream.first_id());
    write_id(reply, id);
    ctx.changed(key, Class::STREAM, "xadd");
    if trimmed > 0 {
        ctx.notify(key, Class::STREAM, "xtrim");
    }
    let is_repeatable = matches!(new_id, NewId::Exact(_)) && !options.is_approximate;
    if !is_repeatable && ctx.server.propagation.is_on() {
        let mut words: Vec<Vec<u8>> = vec![b"XADD".to_vec(), key.to_vec()];
        push_trim(&mut words, trim.as_ref(), left);
        words.push(id.to_text());
        words.extend(pairs.iter().flat_map(|(field, value)| [field.to_vec(), value.to_vec()]));
        ctx.propagate_as(&words);
        if let Some((pid, iid)) = &message {
            ctx.propagate_as(&[b"XIDMPRECORD", key, pid, iid, id.text(&mut IdText::default())]);
        }
    }
    Ok(())
}

fn parse_new_id(text: &[u8]) -> Result<NewId> {
    match text.strip_suffix(b"-*") {
        Some(ms) => Ok(NewId::AutoSequence(parse_id(ms, 0).and_then(|id| match ms.contains(&b'-') {
            false => Ok(id.ms),
            true => Err(super::INVALID_ID),
        })?)),
        None => Ok(NewId::Exact(parse_id(text, 0)?)),
    }
}

fn add(
    stream: &mut Stream,
    new_id: &NewId,
    pairs: &[(&[u8], &[u8])],
    limits: Limits,
    now_ms: u64,
) -> Result<StreamId> {
    const NOT_ABOVE: Error =
        Error::new("ERR The ID specified in XADD is equal or smaller than the target stream top item");
    if stream.last_id == StreamId::MAX {
        return Err(Error::new(
            "ERR The stream has exhausted the last possible ID, unable to add more items",
        ));
    }
    let id = match *new_id {
        NewId::Auto => stream.next_id(now_ms).ok_or(NOT_ABOVE)?,
        NewId::Exact(id) => id,
        NewId::AutoSequence(ms) if ms == stream.last_id.ms => {
            StreamId::new(ms, stream.last_id.seq.checked_add(1).ok_or(NOT_ABOVE)?)
        }
        NewId::AutoSequence(ms) => StreamId::new(ms, 0),
    };
    stream.add(id, pairs, limits).map_err(|error| match error {
        AddError::NotAboveLast => NOT_ABOVE,
        AddError::TooLarge => Error::new("ERR Elements are too large to be stored"),
    })?;
    Ok(id)
}

/// Producer and message; a message made from content is the same whatever the order of its fields.
fn message_of<'a>(message: &Message<'a>, pairs: &[(&[u8], &[u8])]) -> (&'a [u8], Vec<u8>) {
    match *message {
        Message::Given { pid, iid } => (pid, iid.to_vec()),
        Message::FromContent { pid } => {
            let of_pair = |(field, value): &(&[u8], &[u8])| {
                let mut bytes = (field.len() as u64).to_le_bytes().to_vec();
                bytes.extend_from_slice(field);
                bytes.extend_from_slice(value);
                xxh3_128(&bytes)
            };
            let sum = pairs.iter().map(of_pair).fold(0u128, u128::wrapping_add);
            (pid, sum.to_le_bytes().to_vec())
        }
    }
}

fn producers_of(stream: &mut Stream, (duration_s, size_max): (u64, u64)) -> &mut Producers {
    stream.producers.get_or_insert_with(|| Box::new(Producers::new(duration_s, size_max)))
}

/// What an approximate cut has come to is repeated exactly.
fn push_trim(words: &mut Vec<Vec<u8>>, trim: Option<&Trim>, (len, first): (usize, StreamId)) {
    let Some(trim) = trim else { return };
    match trim.references {
        References::Keep => {}
        References::Delete => words.push(b"DELREF".to_vec()),
        References::Acked => words.push(b"ACKED".to_vec()),
    }
    let (name, threshold) = match trim.to {
        TrimTo::Id(_) if trim.is_approximate && trim.references != References::Acked && len > 0 => {
            ("MINID", first.to_text())
        }
        TrimTo::Id(id) if !trim.is_approximate => ("MINID", id.to_text()),
        TrimTo::Len(len) if !trim.is_approximate => ("MAXLEN", len.to_string().into_bytes()),
        _ => ("MAXLEN", len.to_string().into_bytes()),
    };
    words.extend([name.as_bytes().to_vec(), b"=".to_vec(), threshold]);
}

pub const XTRIM: Command = Command {
    name: "XTRIM",
    syntax: "key trim=(strategy=<MAXLEN | MINID@6.2.0> operator=[equal='=' | approximately=~] threshold [LIMIT count@6.2.0] [KEEPREF | DELREF | ACKED])",
    summary: "Removes the oldest entries of a stream.",
    since: "5.0.0",
    complexity: "O(N) with N the number of entries removed",
    group: Group::Stream,
    flags: WRITE,
    keys: &[Keys::at(1).read_write().delete()],
    tips: &["nondeterministic_output"],
    history: &[("6.2.0", "Knows `MINID` and `LIMIT`.")],
    run: xtrim,
    ..Command::BASE
};

fn xtrim(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let key = args.next()?;
    let mut options = Options::default();
    while !args.is_empty() {
        if !options.accept(args)? {
            return Err(error::SYNTAX);
        }
    }
    let Some(trim) = options.trim(ctx)? else {
        return Err(Error::new("ERR syntax error, XTRIM must be called with a trimming strategy"));
    };
    let Some(stream) = ctx.stream_mut(key)? else {
        reply.integer(0);
        return Ok(());
    };
    let trimmed = stream.trim(&trim);
    let left = (stream.len(), stream.first_id());
    reply.integer(trimmed as i64);
    if trimmed > 0 {
        ctx.changed_times(key, Class::STREAM, "xtrim", trimmed as usize);
        if trim.is_approximate {
            let mut words: Vec<Vec<u8>> = vec![b"XTRIM".to_vec(), key.to_vec()];
            push_trim(&mut words, Some(&trim), left);
            ctx.propagate_as(&words);
        }
    }
    Ok(())
}

pub const XSETID: Command = Command {
    name: "XSETID",
    syntax: "key last-id [ENTRIESADDED entries-added@7.0.0] [MAXDELETEDID max-deleted-id@7.0.0]",
    summary: "Sets the last ID of a stream; sent by masters.",
    since: "5.0.0",
    group: Group::Stream,
    flags: WRITE.and(DENYOOM).and(FAST),
    keys: &[Keys::at(1).read_write().update()],
    history: &[("7.0.0", "Knows `ENTRIESADDED` and `MAXDELETEDID`.")],
    run: xsetid,
    ..Command::BASE
};

fn xsetid(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let key = args.next()?;
    let id = parse_id(args.next()?, 0)?;
    let (mut entries_added, mut max_deleted) = (None, StreamId::MIN);
    while !args.is_empty() {
        if args.accept_with("ENTRIESADDED", 1) {
            let count = args.integer()?;
            if count < 0 {
                return Err(Error::new("ERR entries_added must be positive"));
            }
            entries_added = Some(count as u64);
        } else if args.accept_with("MAXDELETEDID", 1) {
            max_deleted = parse_id(args.next()?, 0)?;
            if id < max_deleted {
                return Err(Error::new(
                    "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id",
                ));
            }
        } else {
            return Err(error::SYNTAX);
        }
    }
    let stream = ctx.stream_mut(key)?.ok_or(error::NO_SUCH_KEY)?;
    if id < stream.max_deleted_id {
        return Err(Error::new(
            "ERR The ID specified in XSETID is smaller than current max_deleted_entry_id",
        ));
    }
    if let Some(top) = stream.last_live_id() {
        if id < top {
            return Err(Error::new(
                "ERR The ID specified in XSETID is smaller than the target stream top item",
            ));
        }
        if entries_added.is_some_and(|count| count < stream.len() as u64) {
            return Err(Error::new(
                "ERR The entries_added specified in XSETID is smaller than the target stream length",
            ));
        }
    }
    stream.last_id = id;
    stream.entries_added = entries_added.unwrap_or(stream.entries_added);
    if max_deleted != StreamId::MIN {
        stream.max_deleted_id = max_deleted;
    }
    ctx.server.dirty += 1;
    ctx.notify(key, Class::STREAM, "xsetid");
    reply.ok();
    Ok(())
}

pub const XCFGSET: Command = Command {
    name: "XCFGSET",
    syntax: "key [IDMP-DURATION idmp-duration] [IDMP-MAXSIZE idmp-maxsize]",
    summary: "Changes how a stream detects entries that were sent twice.",
    since: "8.6.0",
    group: Group::Stream,
    flags: WRITE.and(FAST),
    keys: &[Keys::at(1).read_write().update()],
    run: xcfgset,
    ..Command::BASE
};

fn xcfgset(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let key = args.next()?;
    if args.is_empty() {
        return Err(Error::new("ERR At least one parameter must be specified"));
    }
    let (mut duration_s, mut size_max) = (None, None);
    while !args.is_empty() {
        if args.accept_with("IDMP-DURATION", 1) {
            let bad = Error::new("ERR IDMP-DURATION must be between 1 and 86400 seconds");
            let seconds = args.integer()?;
            duration_s = Some((1..=86400).contains(&seconds).then_some(seconds as u64).ok_or(bad)?);
        } else if args.accept_with("IDMP-MAXSIZE", 1) {
            let bad = Error::new("ERR IDMP-MAXSIZE must be between 1 and 10000 entries");
            let entries = args.integer()?;
            size_max = Some((1..=10000).contains(&entries).then_some(entries as u64).ok_or(bad)?);
        } else {
            return Err(error::SYNTAX);
        }
    }
    let config = &ctx.server.config;
    let defaults = (config.stream_idmp_duration, config.stream_idmp_maxsize);
    let stream = ctx.stream_mut(key)?.ok_or(error::NO_SUCH_KEY)?;
    let producers = producers_of(stream, defaults);
    let before = (producers.duration_s, producers.size_max);
    producers.duration_s = duration_s.unwrap_or(before.0);
    producers.size_max = size_max.unwrap_or(before.1);
    if before != (producers.duration_s, producers.size_max) {
        producers.forget();
    }
    ctx.server.dirty += 1;
    reply.ok();
    Ok(())
}

pub const XIDMPRECORD: Command = Command {
    name: "XIDMPRECORD",
    syntax: "key pid iid stream-id",
    summary: "Records which producer and message an entry came from, so that a repeat is noticed.",
    since: "8.6.2",
    group: Group::Stream,
    flags: WRITE.and(DENYOOM).and(FAST),
    keys: &[Keys::at(1).read_write().update()],
    run: xidmprecord,
    ..Command::BASE
};

fn xidmprecord(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (key, pid, iid) = (args.next()?, args.next()?, args.next()?);
    let id = parse_id(args.next()?, 0)?;
    if pid.is_empty() || iid.is_empty() {
        return Err(Error::new("ERR XIDMPRECORD requires a non-empty producer ID and idempotent ID"));
    }
    let now_ms = ctx.now_ms();
    let config = &ctx.server.config;
    let defaults = (config.stream_idmp_duration, config.stream_idmp_maxsize);
    let stream = ctx.stream_mut(key)?.ok_or(error::NO_SUCH_KEY)?;
    if stream.get(id).is_none() {
        return Err(Error::new("ERR The specified stream ID was deleted or doesn't exist"));
    }
    let producers = producers_of(stream, defaults);
    match producers.find(pid, iid, now_ms) {
        Some(known) if known != id => {
            return Err(Error::new(
                "ERR The specified IDMP producer-id/idempotent-id pair maps to a different stream ID",
            ));
        }
        Some(_) => {}
        None => {
            producers.record(pid, iid, id, now_ms);
            ctx.server.dirty += 1;
        }
    }
    reply.ok();
    Ok(())
}

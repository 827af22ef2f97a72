//! Walking the keyspace: KEYS and SCAN.

use crate::command::ctx::type_name_of;
use crate::command::declaration::*;
use crate::command::{Args, Ctx};
use crate::data::{glob, number};
use crate::format_error;
use crate::resp::ReplyWriter;
use crate::server::error::{self, Result};

pub const COMMANDS: &[Command] = &[KEYS, SCAN];

pub const KEYS: Command = Command {
    name: "KEYS",
    syntax: "pattern",
    summary: "Lists all keys that match a pattern.",
    complexity: "O(N) with N the number of keys in the database",
    flags: READONLY,
    categories: Exceptions::also(Categories::DANGEROUS),
    tips: &["request_policy:all_shards", "nondeterministic_output_order"],
    run: keys,
    ..Command::BASE
};

fn keys(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let pattern = args.next()?;
    let now_ms = ctx.now_ms();
    let mark = reply.mark();
    let mut count = 0;
    for entry in ctx.server.keyspace.db(ctx.db).iter() {
        let is_live = !crate::keyspace::db::is_expired(entry, now_ms);
        if is_live && glob::matches(pattern, entry.key()) {
            reply.bulk(entry.key());
            count += 1;
        }
    }
    reply.close_array(mark, count);
    Ok(())
}

/// A cursor as the SCAN family takes it.
pub fn parse_cursor(text: &[u8]) -> Result<u64> {
    number::parse_u64(text).ok_or(error::INVALID_CURSOR)
}

/// What TYPE may name.
const TYPE_NAMES: [&str; 7] = ["string", "list", "set", "zset", "hash", "stream", "array"];

/// What narrows a walk and paces it.
pub struct ScanOptions<'a> {
    pub pattern: Option<&'a [u8]>,
    pub count: usize,
    pub type_name: Option<&'a [u8]>,
    pub no_values: bool,
    pub no_scores: bool,
}

/// Which options beyond MATCH and COUNT a command of the family takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum ScanOf {
    Keys,
    Fields,
    Members,
}

impl<'a> ScanOptions<'a> {
    pub fn parse(args: &mut Args<'a>, of: ScanOf) -> Result<Self> {
        let mut options =
            ScanOptions { pattern: None, count: 10, type_name: None, no_values: false, no_scores: false };
        while !args.is_empty() {
            if args.accept_with("COUNT", 1) {
                options.count = args.integer()?.try_into().map_err(|_| error::SYNTAX)?;
                if options.count == 0 {
                    return Err(error::SYNTAX);
                }
            } else if args.accept_with("MATCH", 1) {
                options.pattern = Some(args.next()?).filter(|pattern| *pattern != b"*");
            } else if of == ScanOf::Keys && args.accept_with("TYPE", 1) {
                let name = args.next()?;
                if !TYPE_NAMES.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(name)) {
                    return Err(format_error!("ERR unknown type name '{}'", String::from_utf8_lossy(name)));
                }
                options.type_name = Some(name);
            } else if of == ScanOf::Fields && args.accept("NOVALUES") {
                options.no_values = true;
            } else {
                return Err(error::SYNTAX);
            }
        }
        Ok(options)
    }

    pub fn matches(&self, name: &[u8]) -> bool {
        self.pattern.is_none_or(|pattern| glob::matches(pattern, name))
    }
}

pub const SCAN: Command = Command {
    name: "SCAN",
    syntax: "cursor [MATCH pattern] [COUNT count] [TYPE type@6.0.0]",
    summary: "Goes over the keys of the database, some at a time.",
    since: "2.8.0",
    complexity: "O(1) for each call, O(N) for a full round over N keys",
    flags: READONLY.and(TOUCHES_ARBITRARY_KEYS),
    tips: &["nondeterministic_output", "request_policy:special", "response_policy:special"],
    history: &[("6.0.0", "Knows `TYPE`.")],
    run: scan,
    ..Command::BASE
};

fn scan(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let mut cursor = parse_cursor(args.next()?)?;
    let options = ScanOptions::parse(args, ScanOf::Keys)?;
    let now_ms = ctx.now_ms();
    let mut found: Vec<Box<[u8]>> = Vec::new();
    let mut expired: Vec<Box<[u8]>> = Vec::new();
    let mut seen = 0;
    // A thinly filled table must not make one call walk all of it.
    for _ in 0..options.count.saturating_mul(10) {
        cursor = ctx.server.keyspace.db(ctx.db).scan(cursor, &mut |entry| {
            seen += 1;
            let is_of_type = |name: &[u8]| type_name_of(entry).as_bytes().eq_ignore_ascii_case(name);
            if !options.type_name.is_none_or(is_of_type) || !options.matches(entry.key()) {
                return;
            }
            // What the options leave out is not touched, even if its time is up.
            let is_expired = crate::keyspace::db::is_expired(entry, now_ms);
            if is_expired { &mut expired } else { &mut found }.push(entry.key().into());
        });
        if cursor == 0 || seen >= options.count {
            break;
        }
    }
    for key in expired {
        ctx.server.reap(ctx.db, &key);
    }
    reply.array(2);
    reply.bulk(cursor.to_string().as_bytes());
    reply.array(found.len());
    found.iter().for_each(|key| reply.bulk(key));
    Ok(())
}

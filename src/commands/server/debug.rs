//! DEBUG: tools for those who test or learn how things are kept.

use crate::command::ctx::Origin;
use crate::command::declaration::*;
use crate::command::{Args, Ctx, play};
use crate::commands::generic::object::encoding_of;
use crate::data::value::Value;
use crate::data::{glob, number};
use crate::format_error;
use crate::keyspace::{Entry, ValueRef, digest};
use crate::resp::{Protocol, ReplyWriter};
use crate::server::config::parameter::parse_memory;
use crate::server::error::{self, Error, Result};
use crate::server::event::{Event, LogLevel};
use crate::server::notify::Class;
use crate::server::snapshot::Present;

pub const COMMANDS: &[Command] = &[DEBUG];

const HELP: [&str; 43] = [
    "DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "CHANGE-REPL-ID",
    "    Gives the replication history a new name.",
    "DIGEST",
    "    Shows a number that equal data sets share.",
    "DIGEST-VALUE <key> [<key> ...]",
    "    Shows a number for each key that equal values share.",
    "ERROR <string>",
    "    Answers an error with this text.",
    "HTSTATS <dbid>",
    "    Shows how full the table of a database is.",
    "HTSTATS-KEY <key>",
    "    Shows how full the table of a hash, a set or a sorted set is.",
    "LISTPACK <key>",
    "    Says whether the value of a key is a listpack.",
    "LOADAOF",
    "    Loads all keys again from the append-only file.",
    "LOG <message>",
    "    Writes a line to the log.",
    "OBJECT <key>",
    "    Shows how the value of a key is stored.",
    "PANIC, SEGFAULT, RESTART, CRASH-AND-RECOVER",
    "    Ends the server at once.",
    "PAUSE-CRON <0|1>",
    "    Stops the work done from time to time.",
    "POPULATE <count> [<prefix>] [<size>]",
    "    Creates strings named key:<number>, or with another prefix.",
    "PROTOCOL <type>",
    "    Answers a value of one type of the protocol.",
    "QUICKLIST-PACKED-THRESHOLD <size>",
    "    Accepted; list elements are packed as the settings say.",
    "RELOAD [NOSAVE] [NOFLUSH] [MERGE]",
    "    Saves all keys and loads them again.",
    "SDSLEN <key>",
    "    Shows the lengths of a key and its string.",
    "SET-ACTIVE-EXPIRE <0|1>",
    "    Says whether expired keys go before somebody asks for them.",
    "SLEEP <seconds>",
    "    Holds up the server; decimals are allowed.",
    "STRINGMATCH-LEN <length> <pattern>",
    "    Matches a long string with a pattern.",
    "STRUCTSIZE",
    "    Shows the sizes of some structures.",
];

pub const DEBUG: Command = Command {
    name: "DEBUG",
    summary: "Holds tools for debugging the server.",
    complexity: "Depends on the subcommand",
    group: Group::Server,
    flags: ADMIN.and(NOSCRIPT).and(LOADING).and(STALE),
    arity: Some(-2),
    internal: true,
    run: debug,
    ..Command::BASE
};

fn debug(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    check_allowed(ctx)?;
    let name = args.next()?;
    let arguments: Vec<&[u8]> = args.rest().collect();
    match (name.to_ascii_lowercase().as_slice(), arguments.as_slice()) {
        (b"help", []) => {
            reply.array(HELP.len());
            HELP.iter().for_each(|line| reply.simple(line));
        }
        (b"sleep", [seconds]) => sleep(ctx, seconds, reply),
        (b"object", [key]) => return object(ctx, key, reply),
        (b"sdslen", [key]) => return sdslen(ctx, key, reply),
        (b"listpack", [key]) => return listpack(ctx, key, reply),
        (b"set-active-expire", [on]) => {
            ctx.server.config.active_expire = number::parse_i64(on).unwrap_or(0) != 0;
            reply.ok();
        }
        (b"populate", [_, ..]) if arguments.len() <= 3 => return populate(ctx, args, reply),
        (b"set-disable-deny-scripts", [on]) => {
            ctx.server.scripting.allows_everything = number::parse_i64(on).unwrap_or(0) != 0;
            reply.ok();
        }
        (b"loadaof", []) => return loadaof(ctx, reply),
        (b"reload", _) => return reload(ctx, args, reply),
        (b"set-skip-checksum-validation", [on]) => {
            ctx.server.persistence.skips_checksums = number::parse_i64(on).unwrap_or(0) != 0;
            reply.ok();
        }
        (b"digest", []) => {
            let keyspace = &ctx.server.keyspace;
            let of_all = || digest::of_keyspace(keyspace, ctx.server.now_ms);
            reply.simple(&in_hex(if keyspace.is_empty() { 0 } else { of_all() }));
        }
        (b"digest-value", keys) => {
            reply.array(keys.len());
            for key in keys {
                let digest = ctx.peek(key).map_or(0, |entry| digest::of_value(entry.value()));
                reply.simple(&in_hex(digest));
            }
        }
        (b"protocol", [kind]) => return protocol(kind, reply),
        (b"quicklist-packed-threshold", [size]) => {
            if parse_memory(size).is_none_or(|size| size >= 4 << 30) {
                return Err(Error::new(
                    "ERR argument must be a memory value bigger than 1 and smaller than 4gb",
                ));
            }
            reply.ok();
        }
        (b"stringmatch-len", [length, pattern]) => {
            let length = number::parse_i64(length).ok_or(error::NOT_AN_INTEGER)?;
            let text = vec![b'a'; usize::try_from(length).map_or(0, |length| length.min(STRING_BYTES_MAX))];
            reply.integer(i64::from(glob::matches(pattern, &text)));
        }
        (b"change-repl-id", []) => {
            ctx.server.replication_id = ctx.server.rng.hex(40);
            reply.ok();
        }
        (b"error", [text]) => return Err(Error::bytes(text.to_vec())),
        (b"log", [text]) => {
            let text = String::from_utf8_lossy(text).into_owned();
            ctx.server.log(LogLevel::Warning, format!("DEBUG LOG: {text}"));
            reply.ok();
        }
        (b"htstats", [db, ..]) => return htstats(ctx, db, reply),
        (b"htstats-key", [key, ..]) => return htstats_key(ctx, key, reply),
        (b"structsize", []) => {
            reply.bulk_str(&format!("bits:{} entry:{}", usize::BITS, size_of::<Option<Entry>>()));
        }
        (b"segfault" | b"panic" | b"assert" | b"oom", _) | (b"restart" | b"crash-and-recover", _) => {
            ctx.server.emit(Event::Crash);
            ctx.server.close_after_reply(ctx.client);
        }
        (
            b"leak"
            | b"aof-flush-sleep"
            | b"pause-cron"
            | b"dict-resizing"
            | b"replybuffer"
            | b"replicate"
            | b"stringmatch"
            | b"config-rewrite-force-all"
            | b"jmap"
            | b"dict-stats"
            | b"mallctl"
            | b"mallctl-str"
            | b"client-eviction"
            | b"client-enforce-reply-list"
            | b"script"
            | b"delay-rdb-client-free-seconds"
            | b"repl-pause"
            | b"object-freq",
            _,
        ) => reply.ok(),
        _ => {
            return Err(format_error!(
                "ERR unknown subcommand or wrong number of arguments for '{}'. Try DEBUG HELP.",
                String::from_utf8_lossy(name)
            ));
        }
    }
    Ok(())
}

/// Loads what the append-only file says in the place of the keys that are there. Without files that is what is there.
fn loadaof(ctx: &mut Ctx, reply: &mut ReplyWriter) -> Result {
    let server = &mut *ctx.server;
    server.append_propagated();
    if let Some(mut disk) = server.persistence.disk.take() {
        let parts = disk.load_aof(&server.config);
        server.persistence.disk = Some(disk);
        let played = parts.and_then(|parts| play::load_aof(server, ctx.registry, &parts));
        if let Err(reason) = played {
            server.log(LogLevel::Warning, reason);
            return Err(Error::new("ERR Error trying to load the AOF files, check server logs."));
        }
        server.log(LogLevel::Notice, "Append Only File loaded by DEBUG LOADAOF");
    }
    reply.ok();
    Ok(())
}

/// Saves all keys, and loads them again in the place of those that are there.
fn reload(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (mut saves, mut flushes, mut merges) = (true, true, false);
    while !args.is_empty() {
        if args.accept("MERGE") {
            merges = true;
        } else if args.accept("NOFLUSH") {
            flushes = false;
        } else if args.accept("NOSAVE") {
            saves = false;
        } else {
            return Err(Error::new("ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options."));
        }
    }
    let failed = Error::new("ERR Error trying to load the RDB dump, check server logs.");
    if saves {
        ctx.server.save_now().map_err(|_| Error::new("ERR"))?;
    }
    let server = &mut *ctx.server;
    let bytes = match server.persistence.disk.take() {
        Some(mut disk) => {
            let bytes = disk.load(&server.config);
            server.persistence.disk = Some(disk);
            bytes.ok().flatten()
        }
        // Without files the last save is the data set.
        None => Some(server.snapshot(false)),
    };
    let present = match (flushes, merges) {
        (true, _) => Present::Replaced,
        (false, true) => Present::Merged,
        (false, false) => Present::Kept,
    };
    let loaded = bytes.ok_or("there is no file".to_owned()).and_then(|bytes| server.load(&bytes, present));
    let loaded = match loaded {
        Ok(loaded) => loaded,
        Err(reason) => {
            server.log(LogLevel::Warning, format!("The RDB file cannot be loaded: {reason}"));
            return Err(failed);
        }
    };
    if let Some(request) = &loaded.functions {
        let mut answer = ReplyWriter::new(Protocol::Resp2);
        ctx.call(request, &mut answer, Origin::Stream);
        if answer.bytes().starts_with(b"-") {
            return Err(failed);
        }
    }
    ctx.server.nothing_to_save();
    ctx.server.log(LogLevel::Notice, "DB reloaded by DEBUG RELOAD");
    reply.ok();
    Ok(())
}

/// Longer strings are not built for a test of patterns.
const STRING_BYTES_MAX: usize = 1 << 24;

/// Whether a parameter of the values `no`, `yes` and `local` lets this client do something.
pub fn is_allowed(ctx: &Ctx, parameter: &str) -> bool {
    let address = ctx.server.clients.get(ctx.client).map_or("", |client| &client.address);
    let is_local =
        address.is_empty() || ["127.", "[::1]", "::1", "/"].iter().any(|start| address.starts_with(start));
    match ctx.server.config.text_of(parameter) {
        b"yes" => true,
        b"local" => is_local,
        _ => false,
    }
}

/// `enable-debug-command`
fn check_allowed(ctx: &mut Ctx) -> Result {
    match is_allowed(ctx, "enable-debug-command") {
        true => Ok(()),
        false => Err(Error::new(
            "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you can run it \
             from a local connection, otherwise you need to set this option in the configuration file, and then \
             restart the server.",
        )),
    }
}

/// The host sleeps when the command has ended; statistics count the time as the command's.
fn sleep(ctx: &mut Ctx, seconds: &[u8], reply: &mut ReplyWriter) {
    const SECONDS_MAX: f64 = 3600.0;
    let seconds = number::parse_f64(seconds).unwrap_or(0.0).clamp(0.0, SECONDS_MAX);
    let microseconds = (seconds * 1e6) as u64;
    ctx.server.slept += microseconds;
    // A replayed session knows of no time but the one it is given.
    if !ctx.server.has_journal {
        ctx.server.slept_ms += microseconds / 1000;
    }
    if microseconds > 0 {
        ctx.server.emit(Event::Sleep { microseconds });
    }
    reply.ok();
}

/// Stands for the address of a value: the same for one key however its value is edited.
fn address_of(key: &[u8]) -> u64 {
    key.iter().fold(1, |sum: u64, &byte| sum.wrapping_mul(0x0100_0193) ^ u64::from(byte)) & 0xffff_ffff_ffff
}

fn object(ctx: &mut Ctx, key: &[u8], reply: &mut ReplyWriter) -> Result {
    let clock = ctx.server.access_clock;
    let limit = ctx.server.config.list.max_listpack_size;
    // An expired key is shown as long as it is there.
    let entry = ctx.server.keyspace.db(ctx.db).raw(key).ok_or(error::NO_SUCH_KEY)?;
    let idle = clock.wrapping_sub(entry.clock()) & 0x00ff_ffff;
    let mut line = format!(
        "Value at:0x{:012x} refcount:1 encoding:{} serializedlength:{} lru:{} lru_seconds_idle:{idle}",
        address_of(key),
        encoding_of(entry),
        serialized_length(entry),
        entry.clock()
    );
    if let ValueRef::Boxed(Value::List(list)) = entry.value()
        && list.encoding() == "quicklist"
    {
        line.push_str(&format!(" ql_listpack_max:{limit} ql_compressed:0"));
    }
    reply.simple(&line);
    Ok(())
}

/// About what a dump of the value would take.
fn serialized_length(entry: &Entry) -> usize {
    match entry.value() {
        ValueRef::Int(int) => 1 + itoa::Buffer::new().format(int).len().div_ceil(2),
        ValueRef::Bytes(bytes) => bytes.len() + 1,
        ValueRef::Boxed(value) => value.heap_bytes(),
    }
}

fn sdslen(ctx: &mut Ctx, key: &[u8], reply: &mut ReplyWriter) -> Result {
    let entry = ctx.peek(key).ok_or(error::NO_SUCH_KEY)?;
    let (length, room) = match entry.value() {
        ValueRef::Bytes(bytes) => (bytes.len(), 0),
        ValueRef::Boxed(Value::String(bytes)) => (bytes.len(), bytes.capacity() - bytes.len()),
        _ => return Err(Error::new("ERR Not an sds encoded string.")),
    };
    reply.simple(&format!(
        "key_sds_len:{0}, key_sds_avail:0, key_zmalloc: {0}, val_sds_len:{length}, val_sds_avail:{room}, val_zmalloc: {1}",
        key.len(),
        length + room
    ));
    Ok(())
}

fn listpack(ctx: &mut Ctx, key: &[u8], reply: &mut ReplyWriter) -> Result {
    let is_listpack = ctx.peek(key).is_some_and(|entry| encoding_of(entry).starts_with("listpack"));
    if !is_listpack {
        return Err(Error::new("ERR Not a listpack encoded object."));
    }
    reply.simple("The value is a listpack");
    Ok(())
}

const POPULATE_MAX: i64 = 10_000_000;
const POPULATE_BYTES_MAX: i64 = 1 << 30;

/// Keys that are there already stay as they are.
fn populate(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let count = args.non_negative()?;
    let prefix = if args.is_empty() { b"key" as &[u8] } else { args.next()? };
    let size = if args.is_empty() { 0 } else { args.non_negative()? };
    if count > POPULATE_MAX || count.saturating_mul(size.max(1)) > POPULATE_BYTES_MAX {
        return Err(error::OUT_OF_RANGE);
    }
    for number in 0..count {
        let key = [prefix, format!(":{number}").as_bytes()].concat();
        if ctx.exists(&key) {
            continue;
        }
        let mut value = format!("value:{number}").into_bytes();
        if size > 0 {
            value.resize(size as usize, 0);
        }
        ctx.put_new(Entry::with_bytes(&key, &value));
        ctx.changed(&key, Class::STRING, "set");
        ctx.propagate_as(&[b"SET" as &[u8], &key, &value]);
    }
    reply.ok();
    Ok(())
}

fn in_hex(digest: u64) -> String {
    format!("{digest:040x}")
}

/// Redis's example of a double, which is not meant to be pi.
#[allow(clippy::approx_constant)]
fn protocol(kind: &[u8], reply: &mut ReplyWriter) -> Result {
    match kind.to_ascii_lowercase().as_slice() {
        b"string" => reply.bulk(b"Hello World"),
        b"integer" => reply.integer(12345),
        b"double" => reply.double(3.141),
        b"null" => reply.null(),
        b"array" => {
            reply.array(3);
            (0..3).for_each(|number| reply.integer(number));
        }
        b"set" => {
            reply.set(3);
            (0..3).for_each(|number| reply.integer(number));
        }
        b"map" => {
            reply.map(3);
            for number in 0..3 {
                reply.integer(number);
                reply.boolean(number == 1);
            }
        }
        b"attrib" => {
            if reply.is_resp3() {
                reply.attribute(1);
                reply.bulk(b"key-popularity");
                reply.array(2);
                reply.bulk(b"key:123");
                reply.integer(90);
            }
            reply.bulk(b"Some real reply following the attribute");
        }
        b"push" => {
            if !reply.is_resp3() {
                return Err(Error::new("ERR RESP2 is not supported by this command"));
            }
            reply.push(2);
            reply.bulk(b"server-cpu-usage");
            reply.integer(42);
            reply.bulk(b"Some real reply following the push reply");
        }
        b"verbatim" => reply.verbatim("txt", b"This is a verbatim\nstring"),
        b"true" => reply.boolean(true),
        b"false" => reply.boolean(false),
        b"bignum" => reply.big_number(b"1234567999999999999999999999999999999"),
        _ => {
            return Err(Error::new(
                "ERR Wrong protocol type name. Please use one of the following: \
                 string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false",
            ));
        }
    }
    Ok(())
}

fn htstats(ctx: &mut Ctx, db: &[u8], reply: &mut ReplyWriter) -> Result {
    let number = number::parse_i64(db).ok_or(error::NOT_AN_INTEGER)?;
    let number = usize::try_from(number).ok().filter(|&number| number < ctx.server.keyspace.databases());
    let db = ctx.server.keyspace.db(number.ok_or(Error::new("ERR Out of range database"))?);
    let text = format!(
        "[Dictionary HT]\nTable stats:\n number of elements: {}\n bytes: {}\n[Expires HT]\n number of elements: {}\n",
        db.len(),
        db.table().heap_bytes(),
        db.volatile()
    );
    reply.verbatim("txt", text.as_bytes());
    Ok(())
}

fn htstats_key(ctx: &mut Ctx, key: &[u8], reply: &mut ReplyWriter) -> Result {
    let entry = ctx.peek(key).ok_or(error::NO_SUCH_KEY)?;
    if !matches!(encoding_of(entry), "hashtable" | "skiplist") {
        return Err(Error::new(
            "ERR The value stored at the specified key is not represented using an hash table",
        ));
    }
    let text = format!("Table stats:\n bytes: {}\n", entry.total_bytes());
    reply.verbatim("txt", text.as_bytes());
    Ok(())
}

//! HIMPORT: many hashes with the same fields, whose names are told once.

use crate::command::ctx::Ttl;
use crate::command::declaration::*;
use crate::command::{Args, Ctx, Keys};
use crate::data::hash::Hash;
use crate::data::value::Value;
use crate::resp::ReplyWriter;
use crate::server::client::Fieldset;
use crate::server::error::{self, Error, Result};

pub const COMMANDS: &[Command] = &[HIMPORT_DISCARD, HIMPORT_DISCARDALL, HIMPORT_PREPARE, HIMPORT_SET];

/// What the field sets of one connection may hold.
const FIELDSETS_BYTES_MAX: usize = 64 * 1024 * 1024;

pub const HIMPORT_PREPARE: Command = Command {
    name: "HIMPORT PREPARE",
    syntax: "fieldset-name field ...",
    summary: "Names a list of fields, so that many hashes can be written by values alone.",
    since: "8.10.0",
    complexity: "O(N*log(N)) with N the number of fields",
    group: Group::Hash,
    flags: DENYOOM,
    tips: &["request_policy:all_shards"],
    run: himport_prepare,
    ..Command::BASE
};

fn himport_prepare(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let name = args.next()?;
    // Redis holds the fields of a set in this order, the short ones first.
    let mut order: Vec<usize> = (0..args.left()).collect();
    let fields: Vec<&[u8]> = args.rest().collect();
    crate::data::order::sort_by_key(&mut order, |&index| (fields[index].len(), fields[index]));
    if order.windows(2).any(|pair| fields[pair[0]] == fields[pair[1]]) {
        return Err(Error::new("ERR duplicate field name in fieldset"));
    }
    let fields: Vec<(usize, Box<[u8]>)> =
        order.into_iter().map(|index| (index, Box::from(fields[index]))).collect();
    let fieldset = Fieldset::new(fields);
    let client = ctx.client();
    let held: usize = client.fieldsets.values().map(Fieldset::heap_bytes).sum();
    if held + fieldset.heap_bytes() > FIELDSETS_BYTES_MAX {
        return Err(error::OUT_OF_MEMORY);
    }
    client.fieldsets.insert(name.into(), fieldset);
    reply.ok();
    Ok(())
}

pub const HIMPORT_SET: Command = Command {
    name: "HIMPORT SET",
    syntax: "key fieldset-name value ...",
    summary: "Creates a hash from a prepared field set and the values for it.",
    since: "8.10.0",
    complexity: "O(N) with N the number of fields in the field set",
    group: Group::Hash,
    flags: WRITE.and(DENYOOM),
    keys: &[Keys::at(2).overwrite().update()],
    run: himport_set,
    ..Command::BASE
};

fn himport_set(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let (key, name) = (args.next()?, args.next()?);
    ctx.hash_mut(key)?;
    let limits = ctx.server.config.hash;
    let client = ctx.client();
    let fieldset = client.fieldsets.get(name).ok_or(Error::new("ERR no such fieldset"))?;
    if fieldset.fields().len() != args.left() {
        return Err(Error::new("ERR value count does not match fieldset field count"));
    }
    let first = args.position();
    let fields: Vec<(usize, Box<[u8]>)> = fieldset.fields().to_vec();
    let mut hash = Hash::new();
    hash.prepare(fields.len(), limits);
    let mut words: Vec<&[u8]> = vec![b"HSET", key];
    for (index, field) in &fields {
        let value = args.get(first + index);
        hash.set(field, value, limits);
        words.extend([field, value]);
    }
    ctx.set_value(key, Value::Hash(hash), Ttl::Clear);
    ctx.fields_changed(key, "hset", 1, fields.iter().map(|(_, field)| &field[..]));
    ctx.propagate_as(&[b"DEL" as &[u8], key]);
    ctx.propagate_as(&words);
    reply.ok();
    Ok(())
}

pub const HIMPORT_DISCARD: Command = Command {
    name: "HIMPORT DISCARD",
    syntax: "fieldset-name",
    summary: "Forgets one field set this connection prepared.",
    since: "8.10.0",
    complexity: "O(N) with N the number of prepared field sets",
    group: Group::Hash,
    tips: &["request_policy:all_shards"],
    run: himport_discard,
    ..Command::BASE
};

fn himport_discard(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let removed = ctx.client().fieldsets.remove(args.next()?);
    reply.integer(i64::from(removed.is_some()));
    Ok(())
}

pub const HIMPORT_DISCARDALL: Command = Command {
    name: "HIMPORT DISCARDALL",
    summary: "Forgets all field sets this connection prepared.",
    since: "8.10.0",
    complexity: "O(N) with N the number of prepared field sets",
    group: Group::Hash,
    tips: &["request_policy:all_shards"],
    run: himport_discardall,
    ..Command::BASE
};

fn himport_discardall(ctx: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    let removed = std::mem::take(&mut ctx.client().fieldsets);
    reply.count(removed.len());
    Ok(())
}

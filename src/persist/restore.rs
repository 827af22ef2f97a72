//! How values are read, each in every form it ever had.

use crate::data::array::Array;
use crate::data::hash::Hash;
use crate::data::intset::Intset;
use crate::data::list::{List, Node};
use crate::data::listpack::Listpack;
use crate::data::number::{f64_text, parse_f64, parse_i64};
use crate::data::set::Set;
use crate::data::sorted_set::SortedSet;
use crate::data::value::{INLINE_BYTES_MAX, Value};
use crate::keyspace::Entry;

use super::values::{ARRAY_DOUBLE, ARRAY_INTEGER, ARRAY_SHORT_STRING, ARRAY_STRING, node_is_plain};
use super::ziplist::{listpack_of_ziplist, listpack_of_zipmap};
use super::{Bad, Limits, Reader, Result, kind, streams};

const REPEATED: Bad = Bad::Corrupt("an element comes twice");
const NOT_A_LISTPACK: Bad = Bad::Corrupt("not a listpack");

/// A key with a value that was read.
pub fn entry_of(key: &[u8], value: Value) -> Entry {
    match value {
        Value::String(bytes) if bytes.len() <= INLINE_BYTES_MAX => match parse_i64(&bytes) {
            Some(integer) => Entry::with_int(key, integer),
            None => Entry::with_bytes(key, &bytes),
        },
        value => Entry::with_boxed(key, Box::new(value)),
    }
}

/// Reads a value of a type.
pub fn read_value(reader: &mut Reader, kind: u8, limits: &Limits) -> Result<Value> {
    match kind {
        kind::STRING => Ok(Value::String(reader.string()?.into_owned())),
        kind::LIST => read_list(reader, limits),
        kind::SET => read_set(reader, kind, limits),
        kind::SET_TABLE => read_set(reader, kind, &without_listpacks(limits)),
        kind::SORTED_SET | kind::SORTED_SET_2 | kind::SORTED_SET_BIG => read_sorted_set(reader, kind, limits),
        kind::HASH | kind::HASH_EXPIRING | kind::HASH_EXPIRING_ABSOLUTE => read_hash(reader, kind, limits),
        kind::HASH_TABLE => read_hash(reader, kind::HASH, &without_listpacks(limits)),
        kind::HASH_TABLE_EXPIRING => read_hash(reader, kind::HASH_EXPIRING, &without_listpacks(limits)),
        kind::LIST_QUICKLIST | kind::LIST_QUICKLIST_2 => read_quicklist(reader, kind, limits),
        kind::ARRAY => read_array(reader, limits),
        kind::STREAM | kind::STREAM_2 | kind::STREAM_3 | kind::STREAM_4 | kind::STREAM_5 => {
            streams::read(reader, kind).map(|stream| Value::Stream(Box::new(stream)))
        }
        kind::MODULE | kind::MODULE_2 => Err(Bad::Module(module_name(reader.number()?))),
        kind::HASH_LISTPACK_EXPIRING => {
            reader.i64()?;
            read_packed(reader, kind, limits)
        }
        kind::HASH_ZIPMAP..=kind::HASH_ZIPLIST
        | kind::HASH_LISTPACK
        | kind::SORTED_SET_LISTPACK
        | kind::SET_LISTPACK
        | kind::HASH_LISTPACK_EXPIRING_BARE => read_packed(reader, kind, limits),
        _ => Err(Bad::UnknownType(kind)),
    }
}

/// Everything is a table.
fn without_listpacks(limits: &Limits) -> Limits {
    let mut limits = *limits;
    limits.hash.max_listpack_entries = 0;
    (limits.set.max_listpack_entries, limits.set.max_intset_entries) = (0, 0);
    limits
}

pub(super) fn listpack(bytes: &[u8]) -> Result<Listpack> {
    Listpack::from_bytes(bytes).map_err(|_| NOT_A_LISTPACK)
}

/// Values that are one string.
fn read_packed(reader: &mut Reader, kind: u8, limits: &Limits) -> Result<Value> {
    let bytes = reader.string()?;
    if kind == kind::SET_INTSET {
        let integers = Intset::from_bytes(&bytes).map_err(|_| Bad::Corrupt("not an intset"))?;
        return if integers.is_empty() {
            Err(Bad::Empty)
        } else {
            Ok(Value::Set(Set::from_intset(integers, limits.set)))
        };
    }
    let pack = match kind {
        kind::HASH_ZIPMAP => listpack_of_zipmap(&bytes)?,
        kind::LIST_ZIPLIST | kind::SORTED_SET_ZIPLIST | kind::HASH_ZIPLIST => listpack_of_ziplist(&bytes)?,
        _ => listpack(&bytes)?,
    };
    if pack.is_empty() {
        return Err(Bad::Empty);
    }
    match kind {
        kind::LIST_ZIPLIST => Ok(Value::List(List::from_nodes([Node::Packed(pack)], limits.list))),
        kind::SET_LISTPACK => Set::from_listpack(pack, limits.set).map(Value::Set).map_err(|_| REPEATED),
        kind::SORTED_SET_ZIPLIST | kind::SORTED_SET_LISTPACK => {
            let set = SortedSet::from_listpack(pack, limits.sorted_set);
            set.map(Value::SortedSet).map_err(|_| Bad::Corrupt("not a sorted set"))
        }
        kind::HASH_LISTPACK_EXPIRING | kind::HASH_LISTPACK_EXPIRING_BARE => {
            let hash = Hash::from_triples(pack, limits.hash);
            hash.map(Value::Hash).ok_or(Bad::Corrupt("not a hash with fields that expire"))
        }
        _ => Hash::from_pairs(pack, limits.hash).map(Value::Hash).ok_or(Bad::Corrupt("not a hash")),
    }
}

fn read_list(reader: &mut Reader, limits: &Limits) -> Result<Value> {
    let count = reader.count(1)?;
    let mut list = List::new();
    for _ in 0..count {
        list.push(crate::data::list::End::Back, &reader.string()?, limits.list);
    }
    if list.is_empty() { Err(Bad::Empty) } else { Ok(Value::List(list)) }
}

fn read_quicklist(reader: &mut Reader, kind: u8, limits: &Limits) -> Result<Value> {
    let count = reader.count(1)?;
    let mut nodes = Vec::new();
    for _ in 0..count {
        let is_plain = match kind {
            kind::LIST_QUICKLIST_2 => {
                node_is_plain(reader.number()?).ok_or(Bad::Corrupt("unknown kind of node"))?
            }
            _ => false,
        };
        let bytes = reader.string()?;
        nodes.push(match kind {
            kind::LIST_QUICKLIST => Node::Packed(listpack_of_ziplist(&bytes)?),
            _ if is_plain && bytes.is_empty() => return Err(Bad::Corrupt("an empty node")),
            _ if is_plain => Node::Plain(bytes.into()),
            _ => Node::Packed(listpack(&bytes)?),
        });
    }
    let list = List::from_nodes(nodes, limits.list);
    if list.is_empty() { Err(Bad::Empty) } else { Ok(Value::List(list)) }
}

fn read_set(reader: &mut Reader, kind: u8, limits: &Limits) -> Result<Value> {
    let count = reader.count(1)?;
    let mut set = match kind {
        kind::SET => Set::for_loading(count, limits.set),
        _ => Set::new(count.min(1 << 20), b"", limits.set),
    };
    for _ in 0..count {
        if !set.add(&reader.string()?, limits.set) {
            return Err(REPEATED);
        }
    }
    if count == 0 { Err(Bad::Empty) } else { Ok(Value::Set(set)) }
}

fn read_sorted_set(reader: &mut Reader, kind: u8, limits: &Limits) -> Result<Value> {
    let count = reader.count(2)?;
    let mut set = SortedSet::new_big(limits.sorted_set);
    for _ in 0..count {
        let member = reader.string()?;
        let score = if kind == kind::SORTED_SET { text_score(reader)? } else { reader.double()? };
        if score.is_nan() {
            return Err(Bad::Corrupt("a score is not a number"));
        }
        if !set.insert(&member, score, limits.sorted_set) {
            return Err(REPEATED);
        }
    }
    if count == 0 {
        return Err(Bad::Empty);
    }
    if kind != kind::SORTED_SET_BIG {
        set.compact(limits.sorted_set);
    }
    Ok(Value::SortedSet(set))
}

/// A score as text behind its length; the greatest lengths stand for what has no digits.
fn text_score(reader: &mut Reader) -> Result<f64> {
    match reader.byte()? {
        255 => Ok(f64::NEG_INFINITY),
        254 => Ok(f64::INFINITY),
        253 => Ok(f64::NAN),
        len => parse_f64(reader.take(u64::from(len))?).ok_or(Bad::Corrupt("a score is not a number")),
    }
}

fn read_hash(reader: &mut Reader, kind: u8, limits: &Limits) -> Result<Value> {
    let first_expiry = if kind == kind::HASH_EXPIRING { reader.u64()? } else { 0 };
    let count = reader.count(2)?;
    let mut hash = Hash::new();
    hash.prepare(count, limits.hash);
    for _ in 0..count {
        let expires_at = match (kind, if kind == kind::HASH { 0 } else { reader.number()? }) {
            (_, 0) => None,
            (kind::HASH_EXPIRING, after) => Some(first_expiry.saturating_add(after - 1)),
            (_, at) => Some(at),
        };
        let (field, value) = (reader.string()?, reader.string()?);
        if !hash.set(&field, &value, limits.hash) {
            return Err(REPEATED);
        }
        if let Some(at) = expires_at {
            hash.set_expiry(&field, at);
        }
    }
    if count == 0 { Err(Bad::Empty) } else { Ok(Value::Hash(hash)) }
}

fn read_array(reader: &mut Reader, limits: &Limits) -> Result<Value> {
    let count = reader.count(2)?;
    let mut array = Array::new(limits.array);
    array.set_last_insert(match reader.number()? {
        0 => None,
        1 => Some(reader.number()?),
        _ => return Err(Bad::Corrupt("unknown form of an array")),
    });
    let mut next = 0;
    for _ in 0..count {
        let index = reader.number()?;
        if index < next || index == u64::MAX {
            return Err(Bad::Corrupt("indexes of an array out of order"));
        }
        next = index + 1;
        let tag = reader.number()?;
        match tag {
            ARRAY_STRING | ARRAY_SHORT_STRING => array.set(index, &reader.string()?, limits.array),
            ARRAY_INTEGER => {
                let integer = reader.i64()?;
                array.set(index, &crate::data::number::i64_text(integer), limits.array)
            }
            ARRAY_DOUBLE => array.set(index, &f64_text(reader.double()?), limits.array),
            _ => return Err(Bad::Corrupt("unknown kind of element")),
        };
    }
    if count == 0 { Err(Bad::Empty) } else { Ok(Value::Array(Box::new(array))) }
}

// Modules.

/// The letters of a module type's name, six bits each in its id.
const NAME_LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The name in a module type's id: nine letters above ten bits of version.
pub(super) fn module_name(id: u64) -> String {
    (0..9).rev().map(|at| char::from(NAME_LETTERS[(id >> (10 + 6 * at) & 63) as usize])).collect()
}

/// Reads over what a module has written, which says itself what it is made of.
pub(super) fn skip_module_value(reader: &mut Reader) -> Result {
    loop {
        match reader.number()? {
            0 => return Ok(()),
            1 | 2 => drop(reader.number()?),
            3 => drop(reader.take(4)?),
            4 => drop(reader.take(8)?),
            5 => drop(reader.string()?),
            _ => return Err(Bad::Corrupt("unknown part of a module's value")),
        }
    }
}

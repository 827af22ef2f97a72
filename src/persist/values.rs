//! How values are written.

use crate::data::array::Array;
use crate::data::hash::{Hash, Raw};
use crate::data::list::{List, Node};
use crate::data::listpack::Entry as Element;
use crate::data::set::Set;
use crate::data::sorted_set::SortedSet;
use crate::data::value::Value;
use crate::keyspace::ValueRef;

use super::{Writer, kind, streams};

/// For whom a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Anybody: what Redis 7.0 can hold is written as it writes it.
    Anyone,
    /// This engine alone: nothing is lost, not even how a value is encoded.
    Ourselves,
}

/// A node of a quicklist: one large string, or a listpack.
const NODE_PLAIN: u64 = 1;
const NODE_PACKED: u64 = 2;
/// What an element of an array is.
pub(super) const ARRAY_STRING: u64 = 0;
pub(super) const ARRAY_INTEGER: u64 = 1;
pub(super) const ARRAY_DOUBLE: u64 = 2;
pub(super) const ARRAY_SHORT_STRING: u64 = 3;

/// The type byte of a value.
pub fn type_of(value: &ValueRef, target: Target) -> u8 {
    let ours = target == Target::Ourselves;
    let ValueRef::Boxed(value) = value else { return kind::STRING };
    match value {
        Value::String(_) => kind::STRING,
        Value::List(_) => kind::LIST_QUICKLIST_2,
        Value::Set(set) if set.as_intset().is_some() => kind::SET_INTSET,
        Value::Set(set) if set.as_listpack().is_some() && ours => kind::SET_LISTPACK,
        Value::Set(set) if set.encoding() == "hashtable" && ours => kind::SET_TABLE,
        Value::Set(_) => kind::SET,
        Value::SortedSet(set) if set.as_listpack().is_some() => kind::SORTED_SET_LISTPACK,
        Value::SortedSet(_) if ours => kind::SORTED_SET_BIG,
        Value::SortedSet(_) => kind::SORTED_SET_2,
        Value::Hash(hash) => match (hash.raw(), hash.next_expiry()) {
            (Raw::Pairs(_), _) => kind::HASH_LISTPACK,
            (Raw::Triples(_), None) if target == Target::Anyone => kind::HASH,
            (Raw::Triples(_), _) => kind::HASH_LISTPACK_EXPIRING,
            (Raw::Table, None) if ours => kind::HASH_TABLE,
            (Raw::Table, Some(_)) if ours => kind::HASH_TABLE_EXPIRING,
            (Raw::Table, None) => kind::HASH,
            (Raw::Table, Some(_)) => kind::HASH_EXPIRING,
        },
        Value::Stream(stream) => streams::type_of(stream, target),
        Value::Array(_) => kind::ARRAY,
    }
}

/// Writes a value, without its type byte, as [`type_of`] has named it.
pub fn write_value(out: &mut Writer, value: &ValueRef, kind: u8) {
    match value {
        ValueRef::Int(integer) => out.integer(*integer),
        ValueRef::Bytes(bytes) => out.string(bytes),
        ValueRef::Boxed(Value::String(bytes)) => out.string(bytes),
        ValueRef::Boxed(Value::List(list)) => write_list(out, list),
        ValueRef::Boxed(Value::Set(set)) => write_set(out, set, kind),
        ValueRef::Boxed(Value::SortedSet(set)) => write_sorted_set(out, set),
        ValueRef::Boxed(Value::Hash(hash)) => write_hash(out, hash, kind),
        ValueRef::Boxed(Value::Stream(stream)) => streams::write(out, stream, kind),
        ValueRef::Boxed(Value::Array(array)) => write_array(out, array),
    }
}

fn write_list(out: &mut Writer, list: &List) {
    let nodes = list.nodes();
    out.number(nodes.len() as u64);
    for node in nodes {
        match node {
            Node::Packed(pack) => {
                out.number(NODE_PACKED);
                out.string(pack.bytes());
            }
            Node::Plain(bytes) => {
                out.number(NODE_PLAIN);
                out.number(bytes.len() as u64);
                out.raw(bytes);
            }
        }
    }
}

fn write_set(out: &mut Writer, set: &Set, kind: u8) {
    if let Some(integers) = set.as_intset() {
        return out.string(integers.bytes());
    }
    if let (Some(pack), kind::SET_LISTPACK) = (set.as_listpack(), kind) {
        return out.string(pack.bytes());
    }
    out.number(set.len() as u64);
    for member in set.iter() {
        out.entry(member);
    }
}

fn write_sorted_set(out: &mut Writer, set: &SortedSet) {
    if let Some(pack) = set.as_listpack() {
        return out.string(pack.bytes());
    }
    out.number(set.len() as u64);
    // The greatest first, as Redis likes to load them.
    for (member, score) in set.iter().rev() {
        out.entry(member);
        out.double(score);
    }
}

fn write_hash(out: &mut Writer, hash: &Hash, kind: u8) {
    let first_expiry = hash.next_expiry().unwrap_or(0);
    let tells_expiry = matches!(kind, kind::HASH_EXPIRING | kind::HASH_TABLE_EXPIRING);
    if tells_expiry || kind == kind::HASH_LISTPACK_EXPIRING {
        out.i64(first_expiry as i64);
    }
    match hash.raw() {
        Raw::Pairs(pack) => return out.string(pack.bytes()),
        Raw::Triples(pack) if kind == kind::HASH_LISTPACK_EXPIRING => return out.string(pack.bytes()),
        _ => {}
    }
    out.number(hash.len() as u64);
    for item in hash.iter() {
        if tells_expiry {
            // Counted from the first, plus one: zero is for fields that stay.
            out.number(item.expires_at.map_or(0, |at| at.saturating_sub(first_expiry) + 1));
        }
        out.entry(item.field);
        out.entry(item.value);
    }
}

fn write_array(out: &mut Writer, array: &Array) {
    out.number(array.count());
    match array.last_insert() {
        Some(index) => {
            out.number(1);
            out.number(index);
        }
        None => out.number(0),
    }
    for (index, element) in array.iter() {
        out.number(index);
        match element {
            Element::Int(integer) => {
                out.number(ARRAY_INTEGER);
                out.i64(integer);
            }
            Element::Bytes(bytes) => {
                out.number(ARRAY_STRING);
                out.string(bytes);
            }
        }
    }
}

pub(super) fn node_is_plain(container: u64) -> Option<bool> {
    match container {
        NODE_PLAIN => Some(true),
        NODE_PACKED => Some(false),
        _ => None,
    }
}

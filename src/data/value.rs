//! What a key holds when it does not fit into the keyspace's entry itself.

use super::array::Array;
use super::hash::Hash;
use super::list::List;
use super::set::Set;
use super::sorted_set::SortedSet;
use super::stream::Stream;

/// A value in a box of its own.
#[derive(Clone)]
pub enum Value {
    /// A string above [`INLINE_BYTES_MAX`], or one that is edited in place (APPEND, SETRANGE, SETBIT).
    String(Vec<u8>),
    List(List),
    Hash(Hash),
    Set(Set),
    SortedSet(SortedSet),
    Stream(Box<Stream>),
    Array(Box<Array>),
}

/// Longer strings live in a box of their own: from here on its 40 bytes cost less than 4 %, and giving a
/// string another key or an expiry time would copy too much.
pub const INLINE_BYTES_MAX: usize = 1024;

impl Value {
    /// As TYPE names it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::String(_) => "string",
            Value::List(_) => "list",
            Value::Hash(_) => "hash",
            Value::Set(_) => "set",
            Value::SortedSet(_) => "zset",
            Value::Stream(_) => "stream",
            Value::Array(_) => "array",
        }
    }

    /// As OBJECT ENCODING names it.
    pub fn encoding(&self) -> &'static str {
        match self {
            Value::String(_) => "raw",
            Value::List(list) => list.encoding(),
            Value::Hash(hash) => hash.encoding(),
            Value::Set(set) => set.encoding(),
            Value::SortedSet(set) => set.encoding(),
            Value::Stream(stream) => stream.encoding(),
            Value::Array(array) => array.encoding(),
        }
    }

    /// Bytes on the heap, the box itself included: nearly true of a 64-bit machine, and the same on every machine. It
    /// follows from what is held and how it came about, and costs little.
    pub fn heap_bytes(&self) -> usize {
        const BOX: usize = 40;
        BOX + match self {
            Value::String(bytes) => bytes.capacity(),
            Value::List(list) => list.heap_bytes(),
            Value::Hash(hash) => hash.heap_bytes(),
            Value::Set(set) => set.heap_bytes(),
            Value::SortedSet(set) => set.heap_bytes(),
            Value::Stream(stream) => 160 + stream.heap_bytes(),
            Value::Array(array) => 80 + array.heap_bytes(),
        }
    }
}

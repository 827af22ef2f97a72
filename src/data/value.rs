//! What a key holds when it does not fit into the keyspace's entry itself.

use super::hash::Hash;
use super::list::List;
use super::set::Set;
use super::sorted_set::SortedSet;

/// A value in a box of its own.
pub enum Value {
    /// A string above [`INLINE_BYTES_MAX`], or one that is edited in place (APPEND, SETRANGE, SETBIT).
    String(Vec<u8>),
    List(List),
    Hash(Hash),
    Set(Set),
    SortedSet(SortedSet),
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
        }
    }
}

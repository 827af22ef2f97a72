//! RDB files, DUMP payloads and append-only files as bytes: bytes in, bytes out. It must not know files, clients or
//! commands.
//!
//! What strangers send is checked to the last byte: every length against what is left, every value against what its type
//! may hold. Nothing is reserved for elements that are not there.

pub mod crc64;
pub mod lzf;
mod reader;
mod writer;
mod ziplist;
mod values;
mod streams;
mod restore;
pub mod dump;
pub mod file;

use crate::data::{array, hash, list, set, sorted_set};

pub use reader::Reader;
pub use restore::{entry_of, read_value};
pub use values::{Target, type_of, write_value};
pub use writer::Writer;

/// The newest version of the format that is read.
pub const VERSION_MAX: u32 = 15;
/// What Redis 7.0 writes and reads; values that it cannot hold raise the version.
pub const VERSION_BASE: u32 = 10;

/// How loaded values are encoded.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    pub list: list::Limits,
    pub hash: hash::Limits,
    pub set: set::Limits,
    pub sorted_set: sorted_set::Limits,
    pub array: array::Limits,
}

/// Why bytes are not what they should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bad {
    /// They end too early.
    Short,
    /// What it is that cannot be.
    Corrupt(&'static str),
    /// A value of no elements, which no key may hold.
    Empty,
    /// A type that is not known here.
    UnknownType(u8),
    /// The value of a module, with its name.
    Module(String),
    /// Not of a version that is read here.
    Version(u32),
    Checksum,
}

impl std::fmt::Display for Bad {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Bad::Short => out.write_str("unexpected end of the data"),
            Bad::Corrupt(what) => out.write_str(what),
            Bad::Empty => out.write_str("a value without elements"),
            Bad::UnknownType(number) => write!(out, "unknown type {number}"),
            Bad::Module(name) => write!(out, "a value of the module type '{name}', which is not loaded"),
            Bad::Version(version) => write!(out, "can't handle RDB format version {version}"),
            Bad::Checksum => out.write_str("wrong checksum"),
        }
    }
}

pub type Result<T = ()> = std::result::Result<T, Bad>;

/// The first byte of a value: its type and how it is laid out.
pub mod kind {
    pub const STRING: u8 = 0;
    pub const LIST: u8 = 1;
    pub const SET: u8 = 2;
    pub const SORTED_SET: u8 = 3;
    pub const HASH: u8 = 4;
    pub const SORTED_SET_2: u8 = 5;
    pub const MODULE: u8 = 6;
    pub const MODULE_2: u8 = 7;
    pub const HASH_ZIPMAP: u8 = 9;
    pub const LIST_ZIPLIST: u8 = 10;
    pub const SET_INTSET: u8 = 11;
    pub const SORTED_SET_ZIPLIST: u8 = 12;
    pub const HASH_ZIPLIST: u8 = 13;
    pub const LIST_QUICKLIST: u8 = 14;
    pub const STREAM: u8 = 15;
    pub const HASH_LISTPACK: u8 = 16;
    pub const SORTED_SET_LISTPACK: u8 = 17;
    pub const LIST_QUICKLIST_2: u8 = 18;
    pub const STREAM_2: u8 = 19;
    pub const SET_LISTPACK: u8 = 20;
    pub const STREAM_3: u8 = 21;
    /// Fields that expire, of release candidates: absolute times.
    pub const HASH_EXPIRING_ABSOLUTE: u8 = 22;
    pub const HASH_LISTPACK_EXPIRING_BARE: u8 = 23;
    pub const HASH_EXPIRING: u8 = 24;
    pub const HASH_LISTPACK_EXPIRING: u8 = 25;
    /// With the messages of producers (8.6).
    pub const STREAM_4: u8 = 26;
    /// With entries that were given back (8.8).
    pub const STREAM_5: u8 = 27;
    pub const ARRAY: u8 = 28;
    // For this engine alone: what is small enough for a listpack, or would be an integer, and yet is not one.
    pub const SET_TABLE: u8 = 128;
    pub const HASH_TABLE: u8 = 129;
    pub const HASH_TABLE_EXPIRING: u8 = 130;
    pub const SORTED_SET_BIG: u8 = 131;
}

/// The least version of the format that has a type.
pub fn version_of(kind: u8) -> u32 {
    match kind {
        kind::SET_LISTPACK | kind::STREAM_3 => 11,
        kind::HASH_EXPIRING_ABSOLUTE..=kind::HASH_LISTPACK_EXPIRING => 12,
        kind::STREAM_4 => 13,
        kind::STREAM_5 | kind::ARRAY => 14,
        _ => VERSION_BASE,
    }
}

#[cfg(test)]
mod tests;

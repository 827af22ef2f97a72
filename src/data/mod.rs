//! One file a type. Encodings are private to this layer; it knows no keys of a database, no clients, no time.

pub mod number;
pub mod order;
pub mod long_double;
pub mod glob;
pub mod listpack;
pub mod table;
pub mod packed;
pub mod value;
pub mod list;
pub mod hash;
pub mod choice;
pub mod intset;
pub mod set;
pub mod sorted_set;
pub mod stream;

#[cfg(test)]
mod random;
pub mod hyperloglog;
pub mod bits;
pub mod geohash;
pub mod array;

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

/// What all items take when `seen` of them take `bytes`.
fn scaled(bytes: usize, seen: usize, items: usize) -> usize {
    match seen == items {
        true => bytes,
        false => (bytes as u64 * items as u64 / seen as u64) as usize,
    }
}

/// What all items take, judged by some that lie far apart.
fn spread_total<T>(items: &std::collections::VecDeque<T>, bytes_of: fn(&T) -> usize) -> usize {
    const SAMPLES: usize = 16;
    let step = items.len().div_ceil(SAMPLES).max(1);
    let (mut seen, mut bytes) = (0, 0);
    for item in items.iter().step_by(step) {
        seen += 1;
        bytes += bytes_of(item);
    }
    scaled(bytes, seen, items.len())
}

//! The HyperLogLog: an estimate of how many distinct elements were seen, held in a string in exactly Redis's format.
//!
//! The string: `HYLL`, the encoding (0 dense, 1 sparse), three unused bytes, the cached cardinality (eight bytes,
//! little-endian, whose top bit says that it is stale), then 16384 registers. Dense, a register is 6 bits, the
//! first in the lowest bits. Sparse, runs of equal registers are opcodes: `00llllll` a run of zeros, `01llllll llllllll` a
//! long one, `1vvvvvll` a short one of a value; lengths and values less one. Anyone may have written the string, so
//! nothing about it is taken for granted. The estimate is Otmar Ertl's (arXiv:1702.01284). This file must not know
//! keys or clients.

const HEADER: usize = 16;
const INDEX_BITS: u32 = 14;
const REGISTERS: usize = 1 << INDEX_BITS;
/// The longest run of zeros and the one that ends it, in what the hash leaves beside the index.
const RANK_MAX: usize = 64 - INDEX_BITS as usize + 1;
const DENSE_LEN: usize = HEADER + REGISTERS * 6 / 8;
const SPARSE_VALUE_MAX: u8 = 32;
const SPARSE_VALUE_RUN_MAX: usize = 4;
const SPARSE_ZERO_RUN_MAX: usize = 64;
const HASH_SEED: u64 = 0xadc8_3b19;

/// The string is no HyperLogLog at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotHyperLogLog;

/// The string looks like a HyperLogLog, but its registers make no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corrupt;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Dense,
    Sparse,
}

/// The string of one that has seen nothing.
pub fn new() -> Vec<u8> {
    let mut value = b"HYLL\x01".to_vec();
    value.resize(HEADER, 0);
    push_run(&mut value, Run { value: 0, len: REGISTERS });
    value
}

/// Tells a HyperLogLog from other strings by its header and length, as Redis does. O(1).
pub fn encoding(value: &[u8]) -> Result<Encoding, NotHyperLogLog> {
    if value.len() < HEADER || !value.starts_with(b"HYLL") {
        return Err(NotHyperLogLog);
    }
    match value[4] {
        0 if value.len() == DENSE_LEN => Ok(Encoding::Dense),
        1 => Ok(Encoding::Sparse),
        _ => Err(NotHyperLogLog),
    }
}

/// Takes note of an element; says whether a register changed, in which case the cached cardinality is stale. A sparse
/// one becomes dense beyond `sparse_max_bytes` (`hll-sparse-max-bytes`). O(1), sparse O(n).
pub fn add(value: &mut Vec<u8>, element: &[u8], sparse_max_bytes: usize) -> Result<bool, Corrupt> {
    let (index, rank) = place(element);
    raise(value, index, rank, sparse_max_bytes)
}

/// The cardinality noted in the string, unless it is stale. O(1).
pub fn cached_count(value: &[u8]) -> Option<u64> {
    let bytes: [u8; 8] = value.get(8..HEADER)?.try_into().ok()?;
    let count = u64::from_le_bytes(bytes);
    (count >> 63 == 0).then_some(count)
}

/// Notes the cardinality in the string. O(1).
pub fn cache_count(value: &mut [u8], count: u64) {
    value[8..HEADER].copy_from_slice(&count.to_le_bytes());
}

/// Declares the noted cardinality stale. O(1).
pub fn forget_count(value: &mut [u8]) {
    value[HEADER - 1] |= 0x80;
}

/// Estimates the cardinality from the registers, whatever is noted. O(registers).
pub fn count(value: &[u8]) -> Result<u64, Corrupt> {
    let mut histogram = [0; 64];
    for_each_run(value, &mut |run| histogram[usize::from(run.value)] += run.len)?;
    Ok(estimate(&histogram))
}

/// Makes a sparse one dense; the noted cardinality stays. O(registers).
pub fn make_dense(value: &mut Vec<u8>) -> Result<(), Corrupt> {
    if is_dense(value) {
        return Ok(());
    }
    let mut dense = vec![0; DENSE_LEN];
    dense[..HEADER].copy_from_slice(&value[..HEADER]);
    dense[4] = 0;
    let mut index = 0;
    for_each_run(value, &mut |run| {
        if run.value > 0 {
            for at in index..index + run.len {
                set_dense(&mut dense, at, run.value);
            }
        }
        index += run.len;
    })?;
    *value = dense;
    Ok(())
}

/// The opcodes of a sparse one as PFDEBUG DECODE shows them: `z:` and `Z:` runs of zeros, `v:` a value and its run.
pub fn decode_sparse(value: &[u8]) -> Result<String, Corrupt> {
    let mut text = String::new();
    let mut at = HEADER;
    while at < value.len() {
        let (run, size) = decode(value, at).ok_or(Corrupt)?;
        text += &match (run.value, size) {
            (0, 1) => format!("z:{} ", run.len),
            (0, _) => format!("Z:{} ", run.len),
            (value, _) => format!("v:{value},{} ", run.len),
        };
        at += size;
    }
    text.truncate(text.trim_end().len());
    Ok(text)
}

/// All registers, a byte each: what PFMERGE, PFCOUNT of several keys and PFDEBUG GETREG work on.
pub struct Registers(Box<[u8; REGISTERS]>);

impl Default for Registers {
    fn default() -> Self {
        Self::new()
    }
}

impl Registers {
    pub fn new() -> Self {
        Registers(Box::new([0; REGISTERS]))
    }

    /// Raises each register to that of a HyperLogLog; on an error some may have been. O(registers).
    pub fn merge(&mut self, value: &[u8]) -> Result<(), Corrupt> {
        let mut index = 0;
        for_each_run(value, &mut |run| {
            if run.value > 0 {
                for register in &mut self.0[index..index + run.len] {
                    *register = run.value.max(*register);
                }
            }
            index += run.len;
        })
    }

    pub fn count(&self) -> u64 {
        let mut histogram = [0; 64];
        self.0.iter().for_each(|&register| histogram[usize::from(register & 63)] += 1);
        estimate(&histogram)
    }

    /// Raises the registers of a HyperLogLog to these and declares its cardinality stale. O(registers), sparse
    /// O(n * non-zero registers).
    pub fn write_to(&self, value: &mut Vec<u8>, sparse_max_bytes: usize) -> Result<(), Corrupt> {
        for (index, &register) in self.0.iter().enumerate().filter(|&(_, &register)| register > 0) {
            raise(value, index, register, sparse_max_bytes)?;
        }
        forget_count(value);
        Ok(())
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0[..]
    }
}

fn is_dense(value: &[u8]) -> bool {
    value[4] == 0 && value.len() == DENSE_LEN
}

/// Some registers in a row that are equal.
#[derive(Clone, Copy)]
struct Run {
    value: u8,
    len: usize,
}

/// Reads one sparse opcode: its run and its size in bytes.
#[inline]
fn decode(value: &[u8], at: usize) -> Option<(Run, usize)> {
    let first = *value.get(at)?;
    let low = usize::from(first & 0x3f);
    Some(match first >> 6 {
        0 => (Run { value: 0, len: low + 1 }, 1),
        1 => (Run { value: 0, len: (low << 8 | usize::from(*value.get(at + 1)?)) + 1 }, 2),
        _ => (Run { value: (first >> 2 & 0x1f) + 1, len: usize::from(first & 3) + 1 }, 1),
    })
}

fn push_run(out: &mut Vec<u8>, run: Run) {
    let less = run.len - 1;
    match run.value {
        0 if run.len <= SPARSE_ZERO_RUN_MAX => out.push(less as u8),
        0 => out.extend_from_slice(&[0x40 | (less >> 8) as u8, less as u8]),
        value => out.push(0x80 | (value - 1) << 2 | less as u8),
    }
}

/// All registers in order; the runs add up to their number, or it is an error (and some runs may be missing).
fn for_each_run(value: &[u8], each: &mut dyn FnMut(Run)) -> Result<(), Corrupt> {
    if is_dense(value) {
        // Four registers are three bytes.
        for bytes in value[HEADER..].chunks_exact(3) {
            let word = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], 0]);
            for shift in [0, 6, 12, 18] {
                each(Run { value: (word >> shift & 63) as u8, len: 1 });
            }
        }
        return Ok(());
    }
    let (mut at, mut index) = (HEADER, 0);
    while at < value.len() {
        let (run, size) = decode(value, at).ok_or(Corrupt)?;
        index += run.len;
        if index > REGISTERS {
            return Err(Corrupt);
        }
        each(run);
        at += size;
    }
    if index == REGISTERS { Ok(()) } else { Err(Corrupt) }
}

/// Raises one register to `rank`; says whether it was lower.
fn raise(value: &mut Vec<u8>, index: usize, rank: u8, sparse_max_bytes: usize) -> Result<bool, Corrupt> {
    let raised = is_dense(value) && raise_dense(value, index, rank)
        || !is_dense(value) && raise_sparse(value, index, rank, sparse_max_bytes)?;
    if raised {
        forget_count(value);
    }
    Ok(raised)
}

fn raise_dense(value: &mut [u8], index: usize, rank: u8) -> bool {
    let raised = rank > get_dense(value, index);
    if raised {
        set_dense(value, index, rank);
    }
    raised
}

fn get_dense(value: &[u8], index: usize) -> u8 {
    let at = HEADER + index / 4 * 3;
    let word = u32::from_le_bytes([value[at], value[at + 1], value[at + 2], 0]);
    (word >> (index % 4 * 6) & 63) as u8
}

fn set_dense(value: &mut [u8], index: usize, register: u8) {
    let at = HEADER + index / 4 * 3;
    let shift = index % 4 * 6;
    let word = u32::from_le_bytes([value[at], value[at + 1], value[at + 2], 0]);
    let word = word & !(63 << shift) | u32::from(register & 63) << shift;
    value[at..at + 3].copy_from_slice(&word.to_le_bytes()[..3]);
}

/// Splits the opcode that covers the register in up to three, then joins values that became neighbours.
fn raise_sparse(
    value: &mut Vec<u8>,
    index: usize,
    rank: u8,
    sparse_max_bytes: usize,
) -> Result<bool, Corrupt> {
    if rank > SPARSE_VALUE_MAX {
        make_dense(value)?;
        return Ok(raise_dense(value, index, rank));
    }
    let (mut at, mut first, mut before) = (HEADER, 0, HEADER);
    let (run, size) = loop {
        let (run, size) = decode(value, at).ok_or(Corrupt)?;
        if index < first + run.len {
            break (run, size);
        }
        before = at;
        at += size;
        first += run.len;
    };
    if run.value >= rank {
        return Ok(false);
    }
    let mut split = Vec::with_capacity(5);
    let (left, right) = (index - first, first + run.len - 1 - index);
    for part in [Run { len: left, ..run }, Run { value: rank, len: 1 }, Run { len: right, ..run }] {
        if part.len > 0 {
            push_run(&mut split, part);
        }
    }
    if split.len() > size && value.len() + split.len() - size > sparse_max_bytes {
        make_dense(value)?;
        return Ok(raise_dense(value, index, rank));
    }
    value.splice(at..at + size, split);
    join_values(value, before);
    Ok(true)
}

/// Joins runs of the same value among the five opcodes from `at` on: no more can have become neighbours.
fn join_values(value: &mut Vec<u8>, mut at: usize) {
    for _ in 0..5 {
        let Some((run, size)) = decode(value, at) else { return };
        if run.value > 0
            && let Some((next, _)) = decode(value, at + size)
            && next.value == run.value
            && next.len + run.len <= SPARSE_VALUE_RUN_MAX
        {
            value.remove(at);
            value[at] = 0x80 | (run.value - 1) << 2 | (next.len + run.len - 1) as u8;
        } else {
            at += size;
        }
    }
}

/// The register an element belongs to, and how many zeros and the one behind them its hash starts with.
fn place(element: &[u8]) -> (usize, u8) {
    let hash = murmur_hash_64a(element, HASH_SEED);
    let index = hash as usize & (REGISTERS - 1);
    let rest = hash >> INDEX_BITS | 1 << (RANK_MAX - 1);
    (index, rest.trailing_zeros() as u8 + 1)
}

/// Austin Appleby's MurmurHash2, 64-bit variant A, <https://github.com/aappleby/smhasher>.
fn murmur_hash_64a(bytes: &[u8], seed: u64) -> u64 {
    const MULTIPLIER: u64 = 0xc6a4_a793_5bd1_e995;
    let mut hash = seed ^ (bytes.len() as u64).wrapping_mul(MULTIPLIER);
    let mut words = bytes.chunks_exact(8);
    for word in &mut words {
        let word = u64::from_le_bytes(word.try_into().expect("chunks are of eight bytes"));
        let word = word.wrapping_mul(MULTIPLIER);
        hash = (hash ^ (word ^ word >> 47).wrapping_mul(MULTIPLIER)).wrapping_mul(MULTIPLIER);
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        let mut word = [0; 8];
        word[..rest.len()].copy_from_slice(rest);
        hash = (hash ^ u64::from_le_bytes(word)).wrapping_mul(MULTIPLIER);
    }
    hash = (hash ^ hash >> 47).wrapping_mul(MULTIPLIER);
    hash ^ hash >> 47
}

/// Algorithm 6 of the paper, from how many registers have each value.
fn estimate(histogram: &[usize; 64]) -> u64 {
    /// 1 / (2 ln 2)
    const ALPHA: f64 = 0.721_347_520_444_481_7;
    let registers = REGISTERS as f64;
    let mut z = registers * tau((registers - histogram[RANK_MAX] as f64) / registers);
    for &registers_of_value in histogram[1..RANK_MAX].iter().rev() {
        z = (z + registers_of_value as f64) * 0.5;
    }
    z += registers * sigma(histogram[0] as f64 / registers);
    libm::round(ALPHA * registers * registers / z) as u64
}

fn sigma(mut x: f64) -> f64 {
    if x == 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut z) = (1.0, x);
    loop {
        x *= x;
        let last = z;
        z += x * y;
        y += y;
        if z == last {
            return z;
        }
    }
}

fn tau(mut x: f64) -> f64 {
    if x <= 0.0 || x == 1.0 {
        return 0.0;
    }
    let (mut y, mut z) = (1.0, 1.0 - x);
    loop {
        x = libm::sqrt(x);
        let last = z;
        y *= 0.5;
        z -= (1.0 - x) * (1.0 - x) * y;
        if z == last {
            return z / 3.0;
        }
    }
}

#[cfg(test)]
mod tests;

//! RDB files as a whole: a head, facts about who wrote them, libraries of functions, databases, a checksum.

use crate::data::number::parse_i64;
use crate::data::value::Value;
use crate::keyspace::{Entry, Keyspace, ValueRef};

use super::restore::{module_name, skip_module_value};
use super::streams;
use super::{
    Bad, Limits, Reader, Result, Target, VERSION_BASE, VERSION_MAX, Writer, crc64, entry_of, kind,
    read_value, type_of, version_of, write_value,
};

const MAGIC: &[u8; 5] = b"REDIS";
const HEAD_BYTES: usize = 9;
/// A fact about the stream that comes next, which others leave alone.
const ACTIVE_TIMES: &[u8] = b"resplay-active-times";

/// What stands in a file beside values.
mod opcode {
    // For this engine alone.
    /// How a string is held, where its bytes alone do not say so.
    pub const HELD: u8 = 192;
    pub const CLOCK: u8 = 193;
    pub const KEY_METADATA: u8 = 243;
    pub const SLOT_INFO: u8 = 244;
    pub const FUNCTION: u8 = 245;
    pub const MODULE_AUX: u8 = 247;
    pub const IDLE: u8 = 248;
    pub const FREQUENCY: u8 = 249;
    pub const AUX: u8 = 250;
    pub const SIZES: u8 = 251;
    pub const EXPIRY_MS: u8 = 252;
    pub const EXPIRY_SECONDS: u8 = 253;
    pub const SELECT: u8 = 254;
    pub const END: u8 = 255;
}

/// What is known of a key's use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Seconds since it was last used.
    Idle(u64),
    /// How often it is used, on the scale of the LFU policies.
    Frequency(u8),
    /// The clock of the entry, for this engine alone.
    Clock(u32),
}

/// What belongs into a file beside the keys.
pub struct Frame<'a> {
    pub target: Target,
    pub compresses: bool,
    pub has_checksum: bool,
    pub facts: &'a [(&'a [u8], &'a [u8])],
    /// Sources of libraries.
    pub functions: &'a [&'a [u8]],
    /// How the use of a key is told, if it is.
    pub use_of: Option<&'a dyn Fn(&Entry) -> Use>,
}

/// A file with everything.
pub fn write(keyspace: &Keyspace, frame: &Frame) -> Vec<u8> {
    let mut out = Writer::new(frame.compresses);
    out.raw(MAGIC);
    out.raw(b"0000");
    for (name, fact) in frame.facts {
        out.byte(opcode::AUX);
        out.string(name);
        out.string(fact);
    }
    for source in frame.functions {
        out.byte(opcode::FUNCTION);
        out.string(source);
    }
    let mut version = VERSION_BASE;
    for (number, db) in keyspace.iter().enumerate().filter(|(_, db)| !db.is_empty()) {
        out.byte(opcode::SELECT);
        out.number(number as u64);
        out.byte(opcode::SIZES);
        out.number(db.len() as u64);
        out.number(db.volatile() as u64);
        for entry in db.iter() {
            version = version.max(write_entry(&mut out, entry, frame));
        }
    }
    out.byte(opcode::END);
    let digits = [version / 1000, version / 100 % 10, version / 10 % 10, version % 10];
    for (at, digit) in digits.into_iter().enumerate() {
        out.bytes[MAGIC.len() + at] = b'0' + digit as u8;
    }
    let checksum = if frame.has_checksum { crc64::crc64(0, &out.bytes) } else { 0 };
    out.raw(&checksum.to_le_bytes());
    out.bytes
}

/// The least version of the format that can hold it.
fn write_entry(out: &mut Writer, entry: &Entry, frame: &Frame) -> u32 {
    if let Some(at_ms) = entry.expires_at() {
        out.byte(opcode::EXPIRY_MS);
        out.i64(at_ms as i64);
    }
    match frame.use_of.map(|use_of| use_of(entry)) {
        Some(Use::Idle(seconds)) => {
            out.byte(opcode::IDLE);
            out.number(seconds);
        }
        Some(Use::Frequency(frequency)) => out.raw(&[opcode::FREQUENCY, frequency]),
        Some(Use::Clock(clock)) => {
            out.byte(opcode::CLOCK);
            out.raw(&clock.to_le_bytes());
        }
        None => {}
    }
    let held = held(entry);
    if frame.target == Target::Ourselves && held != 0 {
        out.raw(&[opcode::HELD, held]);
    }
    let value = entry.value();
    let kind = type_of(&value, frame.target);
    if let (kind::STREAM_2, ValueRef::Boxed(Value::Stream(stream))) = (kind, &value) {
        let times = streams::active_times(stream);
        if !times.is_empty() {
            out.byte(opcode::AUX);
            out.string(ACTIVE_TIMES);
            out.string(&times);
        }
    }
    out.byte(kind);
    out.string(entry.key());
    write_value(out, &value, kind);
    version_of(kind)
}

/// Libraries alone, as FUNCTION RESTORE takes them.
pub fn libraries(sources: &[&[u8]], compresses: bool) -> Vec<u8> {
    let mut out = Writer::new(compresses);
    for source in sources {
        out.byte(opcode::FUNCTION);
        out.string(source);
    }
    super::dump::seal(out.bytes, VERSION_BASE)
}

const EDITED: u8 = 1;
const AS_TEXT: u8 = 2;
const BOXED: u8 = 4;

/// What loading the string's bytes would not bring back.
fn held(entry: &Entry) -> u8 {
    let edited = u8::from(entry.is_edited()) * EDITED;
    match entry.value() {
        ValueRef::Bytes(bytes) if parse_i64(bytes).is_some() => edited | AS_TEXT,
        ValueRef::Boxed(Value::String(_)) => edited | BOXED,
        _ => edited,
    }
}

/// An entry that is held as it was.
fn held_entry(key: &[u8], value: Value, held: u8) -> Entry {
    let mut entry = match value {
        Value::String(bytes) if held & BOXED != 0 => Entry::with_boxed(key, Box::new(Value::String(bytes))),
        Value::String(bytes) if held & AS_TEXT != 0 => Entry::with_bytes(key, &bytes),
        value => entry_of(key, value),
    };
    entry.set_edited(held & EDITED != 0);
    entry
}

/// What a file holds, in the order in which it does.
pub enum Item<'a> {
    Fact(&'a [u8], &'a [u8]),
    Function(&'a [u8]),
    Key {
        db: u64,
        entry: Entry,
        used: Option<Use>,
    },
    /// A key that cannot be held here.
    Skipped {
        key: &'a [u8],
        why: Bad,
    },
}

/// Whether bytes begin as a file does.
pub fn is_file(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Reads a file and tells what it holds; the bytes behind it.
pub fn read<'a>(
    bytes: &'a [u8],
    limits: &Limits,
    checks_sum: bool,
    each: &mut dyn FnMut(Item) -> Result,
) -> Result<&'a [u8]> {
    let head = bytes.get(..HEAD_BYTES).ok_or(Bad::Short)?;
    let version = std::str::from_utf8(&head[MAGIC.len()..]).ok().and_then(|digits| digits.parse().ok());
    let version = version.filter(|_| is_file(head)).ok_or(Bad::Corrupt("wrong signature"))?;
    if !(1..=VERSION_MAX).contains(&version) {
        return Err(Bad::Version(version));
    }
    let mut reader = Reader::new(&bytes[HEAD_BYTES..]);
    read_items(&mut reader, limits, each)?;
    if version >= 5 {
        let end = bytes.len() - reader.left();
        let checksum = reader.u64()?;
        if checks_sum && checksum != 0 && checksum != crc64::crc64(0, &bytes[..end]) {
            return Err(Bad::Checksum);
        }
    }
    reader.take(reader.left() as u64)
}

fn read_items(reader: &mut Reader, limits: &Limits, each: &mut dyn FnMut(Item) -> Result) -> Result {
    let mut db = 0;
    let (mut expires_at, mut used, mut held) = (None, None, 0);
    let mut active_times = Vec::new();
    loop {
        match reader.byte()? {
            opcode::END => return Ok(()),
            opcode::HELD => held = reader.byte()?,
            opcode::CLOCK => used = Some(Use::Clock(reader.u32()?)),
            opcode::SELECT => db = reader.number()?,
            opcode::SIZES => {
                reader.number()?;
                reader.number()?;
            }
            opcode::SLOT_INFO => {
                for _ in 0..3 {
                    reader.number()?;
                }
            }
            opcode::AUX => {
                let (name, fact) = (reader.string()?, reader.string()?);
                if *name == *ACTIVE_TIMES {
                    active_times = fact.into_owned();
                    continue;
                }
                each(Item::Fact(&name, &fact))?;
            }
            opcode::FUNCTION => each(Item::Function(&reader.string()?))?,
            opcode::MODULE_AUX => {
                reader.number()?;
                skip_module_value(reader)?;
            }
            opcode::KEY_METADATA => {
                for _ in 0..reader.count(5)? {
                    reader.u32()?;
                    skip_module_value(reader)?;
                }
            }
            opcode::IDLE => used = Some(Use::Idle(reader.number()?)),
            opcode::FREQUENCY => used = Some(Use::Frequency(reader.byte()?)),
            opcode::EXPIRY_MS => expires_at = Some(reader.i64()?),
            opcode::EXPIRY_SECONDS => expires_at = Some(i64::from(reader.u32()? as i32) * 1000),
            kind::MODULE_2 => {
                let key = reader.string()?;
                let why = Bad::Module(module_name(reader.number()?));
                skip_module_value(reader)?;
                (expires_at, used) = (None, None);
                each(Item::Skipped { key: &key, why })?;
            }
            kind => {
                let key = reader.string()?;
                let (at_ms, used) = (expires_at.take(), used.take());
                let times = std::mem::take(&mut active_times);
                match read_value(reader, kind, limits) {
                    Ok(mut value) => {
                        if let Value::Stream(stream) = &mut value {
                            streams::set_active_times(stream, &times);
                        }
                        let mut entry = held_entry(&key, value, std::mem::take(&mut held));
                        entry.set_expires_at(at_ms.map(|at_ms| at_ms.max(0) as u64));
                        each(Item::Key { db, entry, used })?;
                    }
                    Err(Bad::Empty) => each(Item::Skipped { key: &key, why: Bad::Empty })?,
                    Err(bad) => return Err(bad),
                }
            }
        }
    }
}

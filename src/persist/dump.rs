//! DUMP payloads: a value with its type, the version of the format and a checksum.

use crate::data::value::Value;
use crate::keyspace::ValueRef;

use super::{
    Bad, Limits, Reader, Result, Target, VERSION_MAX, Writer, crc64, type_of, version_of, write_value,
};

const FOOTER_BYTES: usize = 10;

/// What DUMP answers.
pub fn dump(value: &ValueRef, compresses: bool) -> Vec<u8> {
    let kind = type_of(value, Target::Anyone);
    let mut out = Writer::new(compresses);
    out.byte(kind);
    write_value(&mut out, value, kind);
    seal(out.bytes, version_of(kind))
}

/// Puts version and checksum behind a payload.
pub fn seal(mut bytes: Vec<u8>, version: u32) -> Vec<u8> {
    bytes.extend_from_slice(&(version as u16).to_le_bytes());
    let checksum = crc64::crc64(0, &bytes);
    bytes.extend_from_slice(&checksum.to_le_bytes());
    bytes
}

/// The payload, if its version is known and, where that is asked for, its checksum right.
pub fn open(bytes: &[u8], checks_sum: bool) -> Result<&[u8]> {
    let payload_len = bytes.len().checked_sub(FOOTER_BYTES).ok_or(Bad::Short)?;
    let (payload, footer) = bytes.split_at(payload_len);
    let version = u32::from(u16::from_le_bytes([footer[0], footer[1]]));
    if version > VERSION_MAX {
        return Err(Bad::Version(version));
    }
    let checksum = crc64::crc64(0, &bytes[..payload_len + 2]);
    if checks_sum && footer[2..] != checksum.to_le_bytes() {
        return Err(Bad::Checksum);
    }
    Ok(payload)
}

/// The value in an opened payload. Redis does not mind what follows it.
pub fn restore(payload: &[u8], limits: &Limits) -> Result<Value> {
    let mut reader = Reader::new(payload);
    let kind = reader.byte()?;
    super::read_value(&mut reader, kind, limits)
}

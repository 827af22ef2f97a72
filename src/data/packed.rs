//! The one-word owner of a key, an optional stamp of eight bytes and a payload, in one allocation: a field and
//! its value (stamp: expiry in ms), a set's member, a sorted set's member (stamp: the bits of its score).

use super::table::Element;

#[derive(Clone)]
pub struct Packed(Box<Inner>);

#[derive(Clone)]
struct Inner {
    key: Box<[u8]>,
    stamp: Option<u64>,
    payload: Box<[u8]>,
}

impl Packed {
    pub fn new(key: &[u8], stamp: Option<u64>, payload: &[u8]) -> Packed {
        Packed(Box::new(Inner { key: key.into(), stamp, payload: payload.into() }))
    }
    pub fn key(&self) -> &[u8] {
        &self.0.key
    }
    pub fn payload(&self) -> &[u8] {
        &self.0.payload
    }
    pub fn stamp(&self) -> Option<u64> {
        self.0.stamp
    }
    /// Changes the stamp; in place when there was one before and is one after.
    pub fn set_stamp(&mut self, stamp: Option<u64>) {
        self.0.stamp = stamp;
    }
    /// Changes the payload; in place when the new one needs the same room.
    pub fn set_payload(&mut self, payload: &[u8]) {
        self.0.payload = payload.into();
    }
    /// Bytes of the allocation.
    pub fn heap_bytes(&self) -> usize {
        (3 + self.0.key.len() + self.0.payload.len() + 8 * usize::from(self.0.stamp.is_some()))
            .next_multiple_of(8)
    }
}

impl Element for Packed {
    fn key(&self) -> &[u8] {
        Packed::key(self)
    }
}

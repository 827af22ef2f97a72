//! The counterpart of the reader: appends lengths, strings and numbers.

use crate::data::listpack::Entry;
use crate::data::number::{i64_text, parse_i64};
use crate::data::stream::StreamId;

use super::lzf::Compressor;

/// Shorter strings are not compressed.
const COMPRESSED_BYTES_MIN: usize = 21;
/// Longer strings are no 32-bit integer.
const INTEGER_BYTES_MAX: usize = 11;

#[derive(Default)]
pub struct Writer {
    pub bytes: Vec<u8>,
    compressor: Option<Compressor>,
    compressed: Vec<u8>,
}

impl Writer {
    pub fn new(compresses: bool) -> Self {
        Writer { compressor: compresses.then(Compressor::default), ..Writer::default() }
    }

    pub fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    pub fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub fn i64(&mut self, number: i64) {
        self.raw(&number.to_le_bytes());
    }

    pub fn double(&mut self, number: f64) {
        self.raw(&number.to_le_bytes());
    }

    pub fn number(&mut self, number: u64) {
        match number {
            0..64 => self.byte(number as u8),
            64..0x4000 => self.raw(&[0x40 | (number >> 8) as u8, number as u8]),
            _ => match u32::try_from(number) {
                Ok(small) => {
                    self.byte(0x80);
                    self.raw(&small.to_be_bytes());
                }
                Err(_) => {
                    self.byte(0x81);
                    self.raw(&number.to_be_bytes());
                }
            },
        }
    }

    pub fn string(&mut self, bytes: &[u8]) {
        if bytes.len() <= INTEGER_BYTES_MAX
            && let Some(integer) = parse_i64(bytes).and_then(|integer| i32::try_from(integer).ok())
        {
            return self.small_integer(integer);
        }
        if bytes.len() >= COMPRESSED_BYTES_MIN
            && let Some(compressor) = &mut self.compressor
        {
            let mut compressed = std::mem::take(&mut self.compressed);
            compressed.clear();
            let size = compressor.compress(bytes, &mut compressed);
            if let Some(size) = size {
                self.byte(0xc3);
                self.number(size as u64);
                self.number(bytes.len() as u64);
                self.raw(&compressed);
            }
            self.compressed = compressed;
            if size.is_some() {
                return;
            }
        }
        self.number(bytes.len() as u64);
        self.raw(bytes);
    }

    /// The string that is the text of an integer.
    pub fn integer(&mut self, integer: i64) {
        match i32::try_from(integer) {
            Ok(small) => self.small_integer(small),
            Err(_) => {
                let text = i64_text(integer);
                self.number(text.len() as u64);
                self.raw(&text);
            }
        }
    }

    fn small_integer(&mut self, integer: i32) {
        if let Ok(byte) = i8::try_from(integer) {
            self.raw(&[0xc0, byte as u8]);
        } else if let Ok(short) = i16::try_from(integer) {
            self.byte(0xc1);
            self.raw(&short.to_le_bytes());
        } else {
            self.byte(0xc2);
            self.raw(&integer.to_le_bytes());
        }
    }

    pub fn entry(&mut self, entry: Entry) {
        match entry {
            Entry::Int(integer) => self.integer(integer),
            Entry::Bytes(bytes) => self.string(bytes),
        }
    }

    /// Two numbers.
    pub fn stream_id(&mut self, id: StreamId) {
        self.number(id.ms);
        self.number(id.seq);
    }
}

//! A cursor over the bytes of an RDB file or a DUMP payload: lengths, strings, numbers.

use std::borrow::Cow;

use crate::data::number::i64_text;
use crate::data::stream::StreamId;

use super::{Bad, Result, lzf};

#[derive(Clone)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

/// A length, or what stands in the place of one.
enum Length {
    Plain(u64),
    /// A string in a form of its own.
    Special(u8),
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Reader { rest: bytes }
    }

    /// Bytes not yet read.
    pub fn left(&self) -> usize {
        self.rest.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub fn take(&mut self, count: u64) -> Result<&'a [u8]> {
        let count = usize::try_from(count).map_err(|_| Bad::Short)?;
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(Bad::Short)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(Bad::Short)?;
        self.rest = rest;
        Ok(*taken)
    }

    pub fn byte(&mut self) -> Result<u8> {
        self.array().map(|[byte]| byte)
    }

    pub fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub fn u64(&mut self) -> Result<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// Milliseconds, or a signed number of an array.
    pub fn i64(&mut self) -> Result<i64> {
        self.array().map(i64::from_le_bytes)
    }

    pub fn double(&mut self) -> Result<f64> {
        self.array().map(f64::from_le_bytes)
    }

    fn length(&mut self) -> Result<Length> {
        let first = self.byte()?;
        let low = u64::from(first & 0x3f);
        Ok(match (first >> 6, first) {
            (0, _) => Length::Plain(low),
            (1, _) => Length::Plain(low << 8 | u64::from(self.byte()?)),
            (3, _) => Length::Special(first & 0x3f),
            (_, 0x80) => Length::Plain(u64::from(u32::from_be_bytes(self.array()?))),
            (_, 0x81) => Length::Plain(u64::from_be_bytes(self.array()?)),
            _ => return Err(Bad::Corrupt("unknown length encoding")),
        })
    }

    /// A number, written as lengths are.
    pub fn number(&mut self) -> Result<u64> {
        match self.length()? {
            Length::Plain(length) => Ok(length),
            Length::Special(_) => Err(Bad::Corrupt("a string where a number was expected")),
        }
    }

    /// How many elements of at least `bytes_min` follow; more than there can be is an error.
    pub fn count(&mut self, bytes_min: u64) -> Result<usize> {
        let count = self.number()?;
        if count.saturating_mul(bytes_min.max(1)) > self.left() as u64 {
            return Err(Bad::Short);
        }
        Ok(count as usize)
    }

    pub fn string(&mut self) -> Result<Cow<'a, [u8]>> {
        let integer = match self.length()? {
            Length::Plain(length) => return self.take(length).map(Cow::Borrowed),
            Length::Special(0) => i64::from(self.byte()? as i8),
            Length::Special(1) => i64::from(i16::from_le_bytes(self.array()?)),
            Length::Special(2) => i64::from(i32::from_le_bytes(self.array()?)),
            Length::Special(3) => {
                let (compressed, length) = (self.number()?, self.number()?);
                let compressed = self.take(compressed)?;
                let length = usize::try_from(length).map_err(|_| Bad::Short)?;
                let bytes = lzf::decompress(compressed, length);
                return bytes.map(Cow::Owned).ok_or(Bad::Corrupt("invalid LZF compressed string"));
            }
            Length::Special(_) => return Err(Bad::Corrupt("unknown string encoding")),
        };
        Ok(Cow::Owned(i64_text(integer).to_vec()))
    }

    /// Two numbers.
    pub fn stream_id(&mut self) -> Result<StreamId> {
        Ok(StreamId { ms: self.number()?, seq: self.number()? })
    }

    /// As [`StreamId::sort_key`] writes it.
    pub fn raw_stream_id(&mut self) -> Result<StreamId> {
        let (ms, seq) = (self.array()?, self.array()?);
        Ok(StreamId { ms: u64::from_be_bytes(ms), seq: u64::from_be_bytes(seq) })
    }
}

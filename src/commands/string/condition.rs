//! Conditions on the present value: NX, XX, IFEQ, IFNE, IFDEQ, IFDNE.

use crate::command::{Args, Ctx};
use crate::server::error::{Error, Result};

/// When a string is stored or deleted.
#[derive(Clone, Copy, Debug)]
pub enum Condition<'a> {
    Missing,
    Exists,
    Equals(&'a [u8]),
    Differs(&'a [u8]),
    DigestEquals(&'a [u8]),
    DigestDiffers(&'a [u8]),
}

impl<'a> Condition<'a> {
    /// Takes a condition if one comes next.
    pub fn accept(args: &mut Args<'a>) -> Result<Option<Self>> {
        Ok(Some(if args.accept("NX") {
            Condition::Missing
        } else if args.accept("XX") {
            Condition::Exists
        } else if args.accept("IFEQ") {
            Condition::Equals(args.next()?)
        } else if args.accept("IFNE") {
            Condition::Differs(args.next()?)
        } else if args.accept("IFDEQ") {
            Condition::DigestEquals(valid_digest(args.next()?)?)
        } else if args.accept("IFDNE") {
            Condition::DigestDiffers(valid_digest(args.next()?)?)
        } else {
            return Ok(None);
        }))
    }

    /// Whether two conditions are the same one of those that may come twice.
    pub fn is_again(&self, other: &Condition) -> bool {
        matches!(
            (self, other),
            (Condition::Missing, Condition::Missing) | (Condition::Exists, Condition::Exists)
        )
    }

    /// NX or XX, which look at no value.
    pub fn is_existence(&self) -> bool {
        matches!(self, Condition::Missing | Condition::Exists)
    }

    /// Whether it holds now; a value condition on what is not a string is an error. A missing key differs from every
    /// value.
    pub fn holds(&self, ctx: &mut Ctx, key: &[u8]) -> Result<bool> {
        if self.is_existence() {
            return Ok(ctx.write(key).is_some() == matches!(self, Condition::Exists));
        }
        let value = ctx.string_to_write(key)?;
        Ok(match (self, value) {
            (Condition::Equals(given), Some(value)) => *value == **given,
            (Condition::Differs(given), Some(value)) => *value != **given,
            (Condition::DigestEquals(given), Some(value)) => {
                digest_of(&value).as_bytes().eq_ignore_ascii_case(given)
            }
            (Condition::DigestDiffers(given), Some(value)) => {
                !digest_of(&value).as_bytes().eq_ignore_ascii_case(given)
            }
            (Condition::Differs(_) | Condition::DigestDiffers(_), None) => true,
            _ => false,
        })
    }
}

fn valid_digest(text: &[u8]) -> Result<&[u8]> {
    // Only the length is looked at, whatever the message says.
    if text.len() == 16 { Ok(text) } else { Err(Error::new("ERR must be exactly 16 hexadecimal characters")) }
}

/// XXH3 of a value as 16 hexadecimal digits.
pub fn digest_of(value: &[u8]) -> String {
    format!("{:016x}", xxhash_rust::xxh3::xxh3_64(value))
}

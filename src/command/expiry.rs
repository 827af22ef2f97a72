//! Times to live as options: EX, PX, EXAT, PXAT. They are read first and judged when the whole command has been read.

use crate::data::number;
use crate::format_error;
use crate::server::error::{self, Error, Result};

use super::{Args, Command};

/// A time to live as the client gave it.
#[derive(Clone, Copy, Debug)]
pub struct Expiry<'a> {
    text: &'a [u8],
    in_seconds: bool,
    is_relative: bool,
}

impl<'a> Expiry<'a> {
    /// Takes `EX n`, `PX n`, `EXAT n` or `PXAT n` if one comes next.
    pub fn accept(args: &mut Args<'a>) -> Result<Option<Self>> {
        const OPTIONS: [(&str, bool, bool); 4] =
            [("EX", true, true), ("PX", false, true), ("EXAT", true, false), ("PXAT", false, false)];
        for (name, in_seconds, is_relative) in OPTIONS {
            if args.accept(name) {
                return Ok(Some(Expiry { text: args.next()?, in_seconds, is_relative }));
            }
        }
        Ok(None)
    }

    /// Whether both are the same option, whatever their numbers.
    pub fn is_again(&self, other: &Expiry) -> bool {
        (self.in_seconds, self.is_relative) == (other.in_seconds, other.is_relative)
    }

    /// A relative time in one unit, as SETEX and PSETEX take it.
    pub fn relative(text: &'a [u8], in_seconds: bool) -> Self {
        Expiry { text, in_seconds, is_relative: true }
    }

    /// The Unix time in milliseconds; it must lie in the range of an `i64` and be positive.
    pub fn resolve(self, now_ms: u64, command: &Command) -> Result<u64> {
        let invalid = || invalid_expire_time(command);
        let given = number::parse_i64(self.text).ok_or(error::NOT_AN_INTEGER)?;
        if given <= 0 {
            return Err(invalid());
        }
        let milliseconds = if self.in_seconds { given.checked_mul(1000).ok_or_else(invalid)? } else { given };
        if !self.is_relative {
            return Ok(milliseconds as u64);
        }
        milliseconds.checked_add(now_ms as i64).map(|when_ms| when_ms as u64).ok_or_else(invalid)
    }
}

pub fn invalid_expire_time(command: &Command) -> Error {
    format_error!("ERR invalid expire time in '{}' command", command.full_name())
}

//! A cursor over the arguments of a request; they borrow the input buffer. Its errors are Redis's.

use crate::data::number;
use crate::resp::Span;
use crate::server::error::{self, Error, Result};

#[derive(Clone)]
pub struct Args<'a> {
    buffer: &'a [u8],
    spans: &'a [Span],
    position: usize,
}

impl<'a> Args<'a> {
    /// All words of a request; the cursor stands behind the command's name.
    pub fn new(buffer: &'a [u8], spans: &'a [Span]) -> Self {
        Args { buffer, spans, position: 1 }
    }

    /// How many words the request has, the command's name included.
    pub fn argc(&self) -> usize {
        self.spans.len()
    }

    /// Word `index` of the request; 0 is the command's name.
    #[inline]
    pub fn get(&self, index: usize) -> &'a [u8] {
        self.spans[index].of(self.buffer)
    }

    pub fn words(&self) -> impl ExactSizeIterator<Item = &'a [u8]> + Clone + use<'a> {
        let buffer = self.buffer;
        self.spans.iter().map(move |span| span.of(buffer))
    }

    pub fn position(&self) -> usize {
        self.position
    }

    pub fn seek(&mut self, position: usize) {
        self.position = position;
    }

    /// Arguments not yet taken.
    #[inline]
    pub fn left(&self) -> usize {
        self.spans.len().saturating_sub(self.position)
    }

    pub fn is_empty(&self) -> bool {
        self.left() == 0
    }

    pub fn peek(&self) -> Option<&'a [u8]> {
        (self.position < self.spans.len()).then(|| self.get(self.position))
    }

    /// The next argument; where the arity does not promise it, a missing one is a syntax error.
    #[inline]
    pub fn next(&mut self) -> Result<&'a [u8]> {
        if self.position >= self.spans.len() {
            return Err(error::SYNTAX);
        }
        self.position += 1;
        Ok(self.get(self.position - 1))
    }

    /// Takes the next argument if it is `token`, in any case.
    pub fn accept(&mut self, token: &str) -> bool {
        let is_it = self.peek().is_some_and(|word| word.eq_ignore_ascii_case(token.as_bytes()));
        self.position += usize::from(is_it);
        is_it
    }

    /// As [`Args::accept`], if at least `arguments` more follow the token.
    pub fn accept_with(&mut self, token: &str, arguments: usize) -> bool {
        self.left() > arguments && self.accept(token)
    }

    /// The next argument as a 64-bit integer.
    pub fn integer(&mut self) -> Result<i64> {
        self.integer_or(error::NOT_AN_INTEGER)
    }

    pub fn integer_or(&mut self, otherwise: Error) -> Result<i64> {
        number::parse_i64(self.next()?).ok_or(otherwise)
    }

    /// An integer within `min..=max`, or the error `ERR value is out of range, …` that Redis gives for the range.
    pub fn integer_in(&mut self, min: i64, max: i64, otherwise: Error) -> Result<i64> {
        let value = self.integer_or(otherwise.clone())?;
        if (min..=max).contains(&value) { Ok(value) } else { Err(otherwise) }
    }

    /// A count that may be zero: `ERR value is out of range, must be positive` otherwise.
    pub fn non_negative(&mut self) -> Result<i64> {
        let value = number::parse_i64(self.next()?).ok_or(error::OUT_OF_RANGE_POSITIVE)?;
        if value < 0 { Err(error::OUT_OF_RANGE_POSITIVE) } else { Ok(value) }
    }

    /// `numkeys key …`; `too_many` when there are fewer arguments than it says.
    pub fn counted_keys(&mut self, too_many: Error) -> Result<Vec<&'a [u8]>> {
        let numkeys = self.integer_in(1, i64::MAX, error::NUMKEYS)? as u64;
        if numkeys > self.left() as u64 {
            return Err(too_many);
        }
        (0..numkeys).map(|_| self.next()).collect()
    }

    /// `[COUNT n]` at the end of a request: n, or 1.
    pub fn count_option(&mut self) -> Result<u64> {
        if self.is_empty() {
            return Ok(1);
        }
        if !self.accept_with("COUNT", 1) {
            return Err(error::SYNTAX);
        }
        let count = self.integer_in(1, i64::MAX, error::COUNT_NOT_POSITIVE)?;
        self.end()?;
        Ok(count as u64)
    }

    /// The next argument as a double; NaN is refused.
    pub fn double(&mut self) -> Result<f64> {
        self.double_or(error::NOT_A_FLOAT)
    }

    pub fn double_or(&mut self, otherwise: Error) -> Result<f64> {
        number::parse_f64(self.next()?).ok_or(otherwise)
    }

    /// All that is left, without taking it.
    pub fn rest(&self) -> impl ExactSizeIterator<Item = &'a [u8]> + DoubleEndedIterator + Clone + use<'a> {
        let buffer = self.buffer;
        self.spans[self.position.min(self.spans.len())..].iter().map(move |span| span.of(buffer))
    }

    /// A syntax error unless everything has been taken.
    pub fn end(&self) -> Result {
        if self.is_empty() { Ok(()) } else { Err(error::SYNTAX) }
    }
}

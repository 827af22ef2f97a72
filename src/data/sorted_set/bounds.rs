//! What ZRANGE's ends say: ranges of scores and of texts, and the notation of each.

use crate::data::number::parse_f64;

/// One end of a range of scores.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoreBound {
    pub score: f64,
    pub exclusive: bool,
}

impl ScoreBound {
    /// Reads `1.5`, `(1.5`, `-inf`, `(+inf`; nothing when it is no number. As in Redis, no text at all is 0.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let (exclusive, number) = match text {
            [b'(', number @ ..] => (true, number),
            number => (false, number),
        };
        let score = match number {
            [] => 0.0,
            _ => parse_f64(number).or_else(|| out_of_range(number))?,
        };
        (!score.is_nan()).then_some(ScoreBound { score, exclusive })
    }

    pub fn admits_from_below(self, score: f64) -> bool {
        if self.exclusive { score > self.score } else { score >= self.score }
    }

    pub fn admits_from_above(self, score: f64) -> bool {
        if self.exclusive { score < self.score } else { score <= self.score }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoreRange {
    pub min: ScoreBound,
    pub max: ScoreBound,
}

impl ScoreRange {
    pub fn parse(min: &[u8], max: &[u8]) -> Option<Self> {
        Some(ScoreRange { min: ScoreBound::parse(min)?, max: ScoreBound::parse(max)? })
    }
}

/// One end of a range of texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LexBound<'a> {
    /// `-`
    Lowest,
    /// `+`
    Highest,
    /// `[text`
    Inclusive(&'a [u8]),
    /// `(text`
    Exclusive(&'a [u8]),
}

impl<'a> LexBound<'a> {
    pub fn parse(text: &'a [u8]) -> Option<Self> {
        match text {
            b"-" => Some(LexBound::Lowest),
            b"+" => Some(LexBound::Highest),
            [b'[', rest @ ..] => Some(LexBound::Inclusive(rest)),
            [b'(', rest @ ..] => Some(LexBound::Exclusive(rest)),
            _ => None,
        }
    }

    /// As the lower end.
    pub fn is_at_most(self, text: &[u8]) -> bool {
        match self {
            LexBound::Lowest => true,
            LexBound::Highest => false,
            LexBound::Inclusive(bound) => bound <= text,
            LexBound::Exclusive(bound) => bound < text,
        }
    }

    /// As the upper end.
    pub fn is_at_least(self, text: &[u8]) -> bool {
        match self {
            LexBound::Lowest => false,
            LexBound::Highest => true,
            LexBound::Inclusive(bound) => bound >= text,
            LexBound::Exclusive(bound) => bound > text,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LexRange<'a> {
    pub min: LexBound<'a>,
    pub max: LexBound<'a>,
}

impl<'a> LexRange<'a> {
    pub fn parse(min: &'a [u8], max: &'a [u8]) -> Option<Self> {
        Some(LexRange { min: LexBound::parse(min)?, max: LexBound::parse(max)? })
    }
}

/// Unlike a score, a bound may be too large or too small for a double: it is the nearest one then.
fn out_of_range(number: &[u8]) -> Option<f64> {
    std::str::from_utf8(number).ok()?.parse().ok()
}

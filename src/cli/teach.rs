//! Errors teach: what the terminal adds below the server's own words.

use super::format::{Class, Span};
use super::split::SplitError;
use super::table::Table;
use crate::resp::reply::Reply;

/// What there is to say about an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lesson {
    None,
    Say(Vec<Span>),
    /// More can be said once the type of this key is known: see [`wrong_type`].
    AskType {
        key: Vec<u8>,
        command: String,
    },
}

pub fn lesson(_table: &Table, _args: &[Vec<u8>], _error: &str) -> Lesson {
    Lesson::None
}

pub fn wrong_type(_table: &Table, _command: &str, _key: &[u8], _type_reply: &Reply) -> Vec<Span> {
    Vec::new()
}

pub fn bad_quotes(_line: &str, _error: SplitError) -> Vec<Span> {
    let _ = Class::Lesson;
    Vec::new()
}

//! What may still follow the words typed.

use super::table::Argument;

/// The arguments in the manual's notation.
pub fn syntax(_arguments: &[Argument]) -> String {
    String::new()
}

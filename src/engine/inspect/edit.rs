//! The command that makes an edit: what a host shows and runs when somebody changes a value by hand.

use crate::cli::split::quote;

/// By the name of the edit: the words of its command, where a number stands for a given word.
const EDITS: [(&str, &str); 23] = [
    ("set", "SET 0 1"),
    ("set-keep", "SET 0 1 KEEPTTL"),
    ("bit", "SETBIT 0 1 2"),
    ("field", "HSET 0 1 2"),
    ("unfield", "HDEL 0 1"),
    ("item", "LSET 0 1 2"),
    ("push", "RPUSH 0 1"),
    ("unitem", "LREM 0 1 2"),
    ("push-first", "LPUSH 0 1"),
    ("pop-first", "LPOP 0"),
    ("pop-last", "RPOP 0"),
    ("member", "SADD 0 1"),
    ("unmember", "SREM 0 1"),
    ("score", "ZADD 0 2 1"),
    ("unscore", "ZREM 0 1"),
    ("entry", "XADD 0 * 1 2"),
    ("unentry", "XDEL 0 1"),
    ("cell", "ARSET 0 1 2"),
    ("uncell", "ARDEL 0 1"),
    ("expire", "EXPIRE 0 1"),
    ("persist", "PERSIST 0"),
    ("rename", "RENAME 0 1"),
    ("delete", "DEL 0"),
];

/// The line to type; nothing for an unknown edit. Words that are not given are left out.
pub fn edit(name: &str, given: &[Vec<u8>]) -> Option<String> {
    let (_, pattern) = EDITS.iter().find(|(known, _)| *known == name)?;
    let words = pattern.split(' ').filter_map(|word| match word.parse::<usize>() {
        Ok(index) => given.get(index).map(|given| quote(given)),
        Err(_) => Some(word.to_owned()),
    });
    Some(words.collect::<Vec<_>>().join(" "))
}

//! Which arguments are nobody's business: passwords are kept out of MONITOR and the slow log.

use super::Args;

pub const REDACTED: &[u8] = b"(redacted)";

/// The words of a request as others may see them.
pub fn shown<'a>(name: &str, words: &Args<'a>) -> Vec<&'a [u8]> {
    let mut shown: Vec<&[u8]> = words.words().collect();
    let secret: Vec<usize> = match name {
        "AUTH" => (1..shown.len()).collect(),
        "ACL SETUSER" | "ACL DELUSER" | "ACL GETUSER" => (2..shown.len()).collect(),
        "HELLO" => following(&shown, 2, "AUTH", 2),
        "MIGRATE" => {
            let mut secret = following(&shown, 6, "AUTH", 1);
            secret.extend(following(&shown, 6, "AUTH2", 2));
            secret
        }
        "CONFIG SET" => (2..shown.len())
            .step_by(2)
            .filter(|&index| is_sensitive(shown[index]))
            .map(|index| index + 1)
            .collect(),
        _ => Vec::new(),
    };
    for index in secret {
        if let Some(word) = shown.get_mut(index) {
            *word = REDACTED;
        }
    }
    shown
}

/// Parameters whose values are secrets.
pub fn is_sensitive(parameter: &[u8]) -> bool {
    const SENSITIVE: [&str; 6] = [
        "requirepass",
        "masterauth",
        "masteruser",
        "tls-key-file-pass",
        "tls-client-key-file-pass",
        "primaryauth",
    ];
    SENSITIVE.iter().any(|name| parameter.eq_ignore_ascii_case(name.as_bytes()))
}

/// The positions of the `count` words behind a token.
fn following(words: &[&[u8]], from: usize, token: &str, count: usize) -> Vec<usize> {
    let position = (from..words.len()).find(|&index| words[index].eq_ignore_ascii_case(token.as_bytes()));
    position.map(|position| (position + 1..=position + count).collect()).unwrap_or_default()
}

//! A user: passwords, and selectors of what may be run on which keys and channels. Commands are numbers here.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::data::glob;

/// What a selector allows on the keys of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPattern {
    pub pattern: Vec<u8>,
    pub reads: bool,
    pub writes: bool,
}

/// A set of command numbers; numbers beyond the words are all in it or all out of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Numbers {
    words: Vec<u64>,
    rest: bool,
}

impl Numbers {
    fn has(&self, number: usize) -> bool {
        self.words.get(number / 64).map_or(self.rest, |word| word >> (number % 64) & 1 == 1)
    }

    fn set(&mut self, number: usize, is_in: bool) {
        let index = number / 64;
        if self.words.len() <= index {
            self.words.resize(index + 1, if self.rest { u64::MAX } else { 0 });
        }
        let bit = 1 << (number % 64);
        if is_in { self.words[index] |= bit } else { self.words[index] &= !bit }
    }
}

/// One set of rights; a command must be allowed by one of a user's selectors as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    pub all_keys: bool,
    pub all_channels: bool,
    /// Nothing has been taken away since `+@all`.
    pub all_commands: bool,
    pub keys: Vec<KeyPattern>,
    pub channels: Vec<Vec<u8>>,
    /// `+get`, `-@dangerous` … as ACL LIST shows them behind `+@all` or `-@all`.
    pub rules: Vec<String>,
    allowed: Numbers,
    /// Commands allowed with these first arguments alone.
    first_arguments: BTreeMap<usize, Vec<Vec<u8>>>,
}

impl Selector {
    /// One that allows nothing but, perhaps, all channels.
    pub fn new(all_channels: bool) -> Self {
        Selector { all_channels, ..Selector::default() }
    }

    /// `allcommands` and `nocommands`.
    pub fn set_all_commands(&mut self, allowed: bool) {
        self.allowed = Numbers { words: Vec::new(), rest: allowed };
        self.all_commands = allowed;
        self.rules.clear();
        self.first_arguments.clear();
    }

    /// Whether the rules begin with `+@all`.
    pub fn begins_with_all(&self) -> bool {
        self.allowed.rest
    }

    pub fn set_command(&mut self, number: usize, allowed: bool) {
        self.allowed.set(number, allowed);
        self.all_commands &= allowed;
        self.first_arguments.remove(&number);
    }

    pub fn allow_first_argument(&mut self, number: usize, argument: &[u8]) {
        let arguments = self.first_arguments.entry(number).or_default();
        if !arguments.iter().any(|known| known.eq_ignore_ascii_case(argument)) {
            arguments.push(argument.to_vec());
        }
    }

    /// Remembers a rule, in the place of one for the same command, its subcommands or the same category.
    pub fn add_rule(&mut self, name: &str, allowed: bool) {
        let name = name.to_ascii_lowercase();
        self.rules.retain(|rule| {
            let known = &rule[1..];
            let is_part = known.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('|'));
            known != name && !is_part
        });
        self.rules.push(format!("{}{name}", if allowed { '+' } else { '-' }));
    }

    /// Whether a command may run at all; `first` is its first argument.
    pub fn allows_command(&self, number: usize, first: Option<&[u8]>) -> bool {
        self.all_commands
            || self.allowed.has(number)
            || first.is_some_and(|first| {
                let arguments = self.first_arguments.get(&number);
                arguments.is_some_and(|known| known.iter().any(|known| known.eq_ignore_ascii_case(first)))
            })
    }

    pub fn allows_key(&self, key: &[u8], reads: bool, writes: bool) -> bool {
        self.all_keys
            || self.keys.iter().any(|allowed| {
                (allowed.reads || !reads)
                    && (allowed.writes || !writes)
                    && glob::matches(&allowed.pattern, key)
            })
    }

    /// A pattern subscribed to must be allowed literally.
    pub fn allows_channel(&self, channel: &[u8], is_pattern: bool) -> bool {
        self.all_channels
            || self
                .channels
                .iter()
                .any(|allowed| if is_pattern { allowed == channel } else { glob::matches(allowed, channel) })
    }

    pub fn is_unlimited(&self) -> bool {
        self.all_keys && self.all_channels && self.all_commands
    }

    pub fn keys_text(&self) -> Vec<u8> {
        if self.all_keys {
            return b"~*".to_vec();
        }
        let patterns = self.keys.iter().map(|allowed| {
            let rights: &[u8] = match (allowed.reads, allowed.writes) {
                (true, true) => b"~",
                (true, false) => b"%R~",
                _ => b"%W~",
            };
            [rights, &allowed.pattern].concat()
        });
        patterns.collect::<Vec<_>>().join(&b' ')
    }

    pub fn channels_text(&self) -> Vec<u8> {
        if self.all_channels {
            return b"&*".to_vec();
        }
        self.channels
            .iter()
            .map(|channel| [b"&", channel.as_slice()].concat())
            .collect::<Vec<_>>()
            .join(&b' ')
    }

    pub fn commands_text(&self) -> String {
        let base = if self.begins_with_all() { "+@all" } else { "-@all" };
        let rules = std::iter::once(base).chain(self.rules.iter().map(String::as_str));
        rules.collect::<Vec<_>>().join(" ")
    }

    /// The selector as ACL LIST shows it.
    fn text(&self) -> Vec<u8> {
        let mut parts = vec![self.keys_text()];
        if !self.all_channels {
            parts.push(b"resetchannels".to_vec());
        }
        parts.push(self.channels_text());
        parts.push(self.commands_text().into_bytes());
        parts.retain(|part| !part.is_empty());
        parts.join(&b' ')
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub enabled: bool,
    pub no_password: bool,
    pub skips_sanitizing: bool,
    /// SHA-256 in hexadecimal digits.
    pub passwords: Vec<String>,
    pub root: Selector,
    pub selectors: Vec<Selector>,
}

impl User {
    /// One who may do nothing yet.
    pub fn new(all_channels: bool) -> Self {
        User {
            enabled: false,
            no_password: false,
            skips_sanitizing: false,
            passwords: Vec::new(),
            root: Selector::new(all_channels),
            selectors: Vec::new(),
        }
    }

    /// The user of a server without any rules: may do everything, without a password.
    pub fn unlimited() -> Self {
        let mut user = User { enabled: true, no_password: true, ..User::new(true) };
        user.root.all_keys = true;
        user.root.set_all_commands(true);
        user
    }

    pub fn is_unlimited(&self) -> bool {
        self.root.is_unlimited()
    }

    /// The root selector first.
    pub fn all_selectors(&self) -> impl Iterator<Item = &Selector> {
        std::iter::once(&self.root).chain(&self.selectors)
    }

    pub fn accepts(&self, password: &[u8]) -> bool {
        let hash = hashed(password);
        self.enabled
            && (self.no_password
                || self.passwords.iter().any(|known| is_equal(known.as_bytes(), hash.as_bytes())))
    }

    pub fn flags(&self) -> Vec<&'static str> {
        let mut flags = vec![if self.enabled { "on" } else { "off" }];
        if self.no_password {
            flags.push("nopass");
        }
        flags.push(if self.skips_sanitizing { "skip-sanitize-payload" } else { "sanitize-payload" });
        flags
    }

    /// The user as ACL LIST shows it, without `user` and the name.
    pub fn text(&self) -> Vec<u8> {
        let mut parts: Vec<Vec<u8>> = self.flags().into_iter().map(|flag| flag.as_bytes().to_vec()).collect();
        parts.extend(self.passwords.iter().map(|hash| format!("#{hash}").into_bytes()));
        parts.push(self.root.text());
        parts.extend(self.selectors.iter().map(|selector| [b"(", selector.text().as_slice(), b")"].concat()));
        parts.join(&b' ')
    }
}

/// SHA-256 in hexadecimal digits.
pub fn hashed(password: &[u8]) -> String {
    Sha256::digest(password).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Takes the same time wherever the difference is, so that a password cannot be felt out byte by byte.
fn is_equal(left: &[u8], right: &[u8]) -> bool {
    let difference = left.iter().zip(right).fold(0, |difference, (l, r)| difference | (l ^ r));
    left.len() == right.len() && difference == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_hashed_as_the_standard_says() {
        assert_eq!(hashed(b"foobar"), "c3ab8ff13720e8ad9047dd39466b3c8974e592c2fa383d4a3960714caef0c4f2");
    }

    #[test]
    fn numbers_beyond_the_words_follow_the_rest() {
        let mut selector = Selector::default();
        selector.set_all_commands(true);
        selector.set_command(3, false);
        assert!(!selector.allows_command(3, None) && selector.allows_command(4, None));
        assert!(selector.allows_command(900, None));
        selector.allow_first_argument(3, b"GET");
        assert!(selector.allows_command(3, Some(b"get")) && !selector.allows_command(3, Some(b"set")));
    }

    #[test]
    fn a_rule_takes_the_place_of_narrower_ones() {
        let mut selector = Selector::default();
        for (name, allowed) in
            [("config|get", true), ("get", true), ("getex", true), ("config", false), ("GET", false)]
        {
            selector.add_rule(name, allowed);
        }
        assert_eq!(selector.commands_text(), "-@all +getex -config -get");
    }
}

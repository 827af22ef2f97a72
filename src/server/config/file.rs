//! The lines of redis.conf: how they are read, and how the configuration in force is written back among them.

use crate::resp::quoted::{repr, split};

use super::Config;

/// What a line of redis.conf asks for beyond setting a parameter; the host sees to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Directive {
    Include(Vec<u8>),
    /// The words behind `user`: a name and rules.
    User(Vec<Vec<u8>>),
    Rename {
        from: Vec<u8>,
        to: Vec<u8>,
    },
    LoadModule(Vec<Vec<u8>>),
}

impl Config {
    /// Takes one line of redis.conf. Empty lines and comments do nothing.
    pub fn apply_line(&mut self, line: &[u8]) -> Result<Option<Directive>, String> {
        let line = line.trim_ascii();
        if line.is_empty() || line[0] == b'#' {
            return Ok(None);
        }
        let Ok(words) = split(line) else { return Err("Unbalanced quotes in configuration line".into()) };
        let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
        let Some((name, values)) = words.split_first() else { return Ok(None) };
        let owned = |words: &[&[u8]]| words.iter().map(|word| word.to_vec()).collect::<Vec<_>>();
        let wrong = || Err("Bad directive or wrong number of arguments".to_string());
        if let Some(number) = super::find(name) {
            let parameter = &super::PARAMETERS[number];
            // Many words may come as one, in quotes.
            let parted: Vec<&[u8]>;
            let values = match values {
                [value] if parameter.takes_many && !value.is_empty() => {
                    parted = value.split(|byte| *byte == b' ').filter(|word| !word.is_empty()).collect();
                    &parted[..]
                }
                values => values,
            };
            if parameter.name == "save" {
                return self.add_save(values).map(|()| None);
            }
            return self.set(number, values).map(|_| None);
        }
        match (name.to_ascii_lowercase().as_slice(), values) {
            (b"include", [path]) => Ok(Some(Directive::Include(path.to_vec()))),
            (b"rename-command", [from, to]) => {
                Ok(Some(Directive::Rename { from: from.to_vec(), to: to.to_vec() }))
            }
            (b"user", [_, ..]) => Ok(Some(Directive::User(owned(values)))),
            (b"loadmodule", [_, ..]) => Ok(Some(Directive::LoadModule(owned(values)))),
            // Once known, and still found in old files.
            (b"list-max-ziplist-entries" | b"list-max-ziplist-value" | b"lua-replicate-commands", _) => {
                Ok(None)
            }
            _ => wrong(),
        }
    }

    /// `save` lines of a file add up; the first takes the place of the defaults.
    fn add_save(&mut self, values: &[&[u8]]) -> Result<(), String> {
        let Some(number) = super::find(b"save") else { return Ok(()) };
        let is_first = !std::mem::replace(&mut self.has_save_lines, true);
        let before = if is_first { Vec::new() } else { self.text(number).to_vec() };
        self.set(number, values)?;
        if !before.is_empty() && !self.text(number).is_empty() {
            let all = [before, self.text(number).to_vec()].join(&b' ');
            let words: Vec<&[u8]> = all.split(|byte| *byte == b' ').collect();
            self.set(number, &words)?;
        }
        Ok(())
    }

    /// CONFIG REWRITE: the text of a file with the values in force. Comments and order stay; parameters that are not in
    /// the file and differ from their defaults come last.
    pub fn rewrite(&self, old: &str) -> String {
        let mut text = String::new();
        let mut written = vec![false; super::PARAMETERS.len()];
        for line in old.lines() {
            let word = line.split_ascii_whitespace().next().unwrap_or_default();
            match super::find(word.as_bytes()).filter(|_| !word.starts_with('#')) {
                None => {
                    text.push_str(line);
                    text.push('\n');
                }
                Some(number) if !written[number] => {
                    written[number] = true;
                    text.push_str(&self.line(number));
                }
                Some(_) => {}
            }
        }
        for (number, parameter) in super::PARAMETERS.iter().enumerate() {
            if !written[number] && self.text(number) != parameter.default.as_bytes() {
                text.push_str(&self.line(number));
            }
        }
        text
    }

    /// A parameter as it stands in redis.conf.
    fn line(&self, number: usize) -> String {
        let parameter = &super::PARAMETERS[number];
        let value = self.text(number);
        if value.is_empty() && matches!(parameter.name, "replicaof" | "dir" | "unixsocket" | "pidfile") {
            return String::new();
        }
        let is_plain =
            !value.is_empty() && value.iter().all(|byte| (b'!'..=b'~').contains(byte) && *byte != b'"');
        let value = if is_plain || (parameter.takes_many && !value.is_empty()) {
            String::from_utf8_lossy(value).into_owned()
        } else {
            String::from_utf8(repr(value)).expect("escapes are ASCII")
        };
        format!("{} {value}\n", parameter.name)
    }
}

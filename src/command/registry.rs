//! Every command by name.

use std::collections::HashMap;

use super::{Args, Command};

/// What the first words of a request name.
pub enum Lookup {
    /// The command's number and declaration.
    Found(usize, &'static Command),
    UnknownCommand,
    /// A container was named with a subcommand it does not have.
    UnknownSubcommand(&'static Command),
    /// A container was named alone.
    MissingSubcommand(&'static Command),
}

pub struct Registry {
    commands: Vec<(&'static Command, i32)>,
    by_name: HashMap<Vec<u8>, usize>,
}

impl Registry {
    pub fn new(groups: &[&'static [Command]]) -> Self {
        let commands: Vec<_> =
            groups.iter().flat_map(|group| group.iter()).map(|command| (command, -1)).collect();
        let by_name =
            commands.iter().enumerate().map(|(n, (c, _))| (c.name.as_bytes().to_vec(), n)).collect();
        Registry { commands, by_name }
    }

    pub fn len(&self) -> usize {
        self.commands.len()
    }

    pub fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    pub fn arity(&self, number: usize) -> i32 {
        self.commands[number].1
    }

    pub fn lookup(&self, words: &Args) -> Lookup {
        match self.by_name.get(&words.get(0).to_ascii_uppercase()) {
            Some(&number) => Lookup::Found(number, self.commands[number].0),
            None => Lookup::UnknownCommand,
        }
    }
}

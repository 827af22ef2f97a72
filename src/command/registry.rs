//! Every command by name and by number. What follows from declarations — containers, their HELP, arity, full ACL categories —
//! is worked out here, once.

use super::declaration::{Categories, Command, Flags, LOADING, MOVABLEKEYS, STALE};
use super::keyspec::{OldRange, old_range};
use super::{Args, docs, syntax};

/// A command with all that follows from its declaration.
pub struct Entry {
    pub command: &'static Command,
    /// `xgroup|create`, as errors, COMMAND INFO and logs name it.
    pub full_name: Box<str>,
    /// Exact, or a minimum when negative; counts the words of the name.
    pub arity: i32,
    /// With those that follow from the key specs.
    pub flags: Flags,
    pub categories: Categories,
    pub range: OldRange,
    /// The container's number.
    pub container: Option<usize>,
    /// The numbers of a container's subcommands in the order they are declared, HELP last.
    pub subcommands: Vec<usize>,
}

impl Entry {
    /// Whether a request of `argc` words, its name included, has as many as the command wants.
    #[inline]
    pub fn takes(&self, argc: usize) -> bool {
        let argc = argc as i32;
        if self.arity > 0 { argc == self.arity } else { argc >= -self.arity }
    }

    /// `CREATE` of `XGROUP CREATE`, or the whole name.
    pub fn last_name(&self) -> &'static str {
        self.command.last_name()
    }

    /// The tree of arguments, parsed anew each time.
    pub fn arguments(&self) -> Vec<syntax::Argument> {
        arguments(self.command)
    }

    /// The arguments as HELP shows them.
    pub fn pretty_arguments(&self) -> String {
        syntax::pretty(&self.arguments())
    }
}

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

/// All commands. A command's number is its place in declared order, derived containers before their first subcommand.
pub struct Registry {
    entries: Vec<Entry>,
    top_level: Vec<usize>,
    /// Top-level commands by the hash of their name; an empty name is free. Four times as long as needed.
    slots: Box<[Slot]>,
    seed: u64,
}

/// What a look-up needs, side by side.
#[derive(Clone, Copy)]
struct Slot {
    name: &'static [u8],
    command: &'static Command,
    number: u32,
    has_subcommands: bool,
}

const FREE: Slot = Slot { name: b"", command: &Command::BASE, number: 0, has_subcommands: false };

impl Registry {
    /// Builds the registry of the commands in these lists. Declarations it derives live as long as the program, so a program
    /// builds it once.
    pub fn new(groups: &[&'static [Command]]) -> Registry {
        let declared = || groups.iter().flat_map(|group| group.iter());
        let mut registry =
            Registry { entries: Vec::new(), top_level: Vec::new(), slots: Box::default(), seed: 0 };
        for command in declared() {
            match command.container_name() {
                None => drop(registry.add_top_level(command)),
                Some(name) => {
                    let container = match registry.find_top_level(name) {
                        Some(number) => number,
                        None => {
                            let own = declared().find(|candidate| candidate.name == name);
                            registry.add_top_level(own.unwrap_or_else(|| container_of(command, declared())))
                        }
                    };
                    registry.add_subcommand(container, command);
                }
            }
        }
        for container in registry.top_level.clone() {
            registry.add_help(container);
        }
        registry.index();
        registry
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// [`Entry::takes`].
    #[inline]
    pub fn takes(&self, number: usize, argc: usize) -> bool {
        self.entries[number].takes(argc)
    }

    /// How many words of a request name the command: two for a subcommand.
    #[inline]
    pub fn name_words(&self, number: usize) -> usize {
        1 + usize::from(self.entries[number].container.is_some())
    }

    pub fn entry(&self, number: usize) -> &Entry {
        &self.entries[number]
    }

    /// All commands and subcommands, by number.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The numbers of all commands that are no subcommands.
    pub fn top_level(&self) -> &[usize] {
        &self.top_level
    }

    /// What a request names with its first word, or its first two.
    #[inline]
    pub fn lookup(&self, words: &Args) -> Lookup {
        match self.find_slot(words.get(0)) {
            None => Lookup::UnknownCommand,
            Some(slot) if slot.has_subcommands => self.lookup_subcommand(slot, words),
            Some(slot) => Lookup::Found(slot.number as usize, slot.command),
        }
    }

    fn lookup_subcommand(&self, slot: &Slot, words: &Args) -> Lookup {
        let container = slot.number as usize;
        if words.argc() < 2 {
            // COMMAND is a command of its own as well.
            let runs_alone = self.entries[container].arity == -1;
            return match runs_alone {
                true => Lookup::Found(container, slot.command),
                false => Lookup::MissingSubcommand(slot.command),
            };
        }
        match self.find_subcommand(container, words.get(1)) {
            Some(number) => Lookup::Found(number, self.entries[number].command),
            None => Lookup::UnknownSubcommand(slot.command),
        }
    }

    /// The number of the command or container of a name, in any case.
    pub fn find(&self, name: &[u8]) -> Option<usize> {
        self.find_slot(name).map(|slot| slot.number as usize)
    }

    #[inline]
    fn find_slot(&self, name: &[u8]) -> Option<&Slot> {
        let mask = self.slots.len() - 1;
        let mut at = hash(self.seed, name) as usize & mask;
        loop {
            let slot = &self.slots[at];
            if slot.name.eq_ignore_ascii_case(name) {
                return (!name.is_empty()).then_some(slot);
            }
            if slot.name.is_empty() {
                return None;
            }
            at = (at + 1) & mask;
        }
    }

    /// The number of a container's subcommand, in any case.
    pub fn find_subcommand(&self, container: usize, name: &[u8]) -> Option<usize> {
        let subcommands = &self.entries[container].subcommands;
        subcommands
            .iter()
            .copied()
            .find(|&n| self.entries[n].last_name().as_bytes().eq_ignore_ascii_case(name))
    }

    /// By a name as COMMAND INFO and ACL rules take it: `get`, `config|get`.
    pub fn find_full(&self, name: &[u8]) -> Option<usize> {
        match memchr::memchr(b'|', name) {
            None => self.find(name),
            Some(bar) => self.find_subcommand(self.find(&name[..bar])?, &name[bar + 1..]),
        }
    }

    fn find_top_level(&self, name: &str) -> Option<usize> {
        self.top_level.iter().copied().find(|&number| self.entries[number].command.name == name)
    }

    fn add_top_level(&mut self, command: &'static Command) -> usize {
        if let Some(known) = self.find_top_level(command.name) {
            return known;
        }
        self.top_level.push(self.entries.len());
        self.add(command, None)
    }

    fn add_subcommand(&mut self, container: usize, command: &'static Command) {
        let number = self.add(command, Some(container));
        self.entries[container].subcommands.push(number);
    }

    fn add(&mut self, command: &'static Command, container: Option<usize>) -> usize {
        let range = old_range(command.keys);
        let flags = command.flags.and(if range.movable { MOVABLEKEYS } else { Flags::NONE });
        self.entries.push(Entry {
            command,
            full_name: command.full_name().into(),
            arity: command.arity.unwrap_or_else(|| syntax::arity(command.name, &arguments(command))),
            flags,
            categories: command.categories.resolve(flags, command.group),
            range,
            container,
            subcommands: Vec::new(),
        });
        self.entries.len() - 1
    }

    fn add_help(&mut self, container: usize) {
        let entry = &self.entries[container];
        if entry.subcommands.is_empty() || self.find_subcommand(container, b"HELP").is_some() {
            return;
        }
        let command = entry.command;
        let Some(since) = help_since(command) else { return };
        let of = self.entries[entry.subcommands[0]].command;
        let help = Command {
            name: String::leak(format!("{} HELP", command.name)),
            summary: "Explains the subcommands.",
            since,
            group: command.group,
            flags: LOADING.and(STALE),
            categories: of.categories,
            run: docs::help,
            ..Command::BASE
        };
        self.add_subcommand(container, Box::leak(Box::new(help)));
    }

    /// Lays out the hash table with the seed, of a few, that needs the fewest steps.
    fn index(&mut self) {
        let size = (self.top_level.len() * 4).next_power_of_two().max(16);
        let layouts = (1..=32).map(|seed: u64| {
            let mut slots = vec![FREE; size];
            let mut steps = 0;
            for &number in &self.top_level {
                let Entry { command, subcommands, .. } = &self.entries[number];
                let name = command.name.as_bytes();
                let mut at = hash(seed, name) as usize & (size - 1);
                while !slots[at].name.is_empty() {
                    at = (at + 1) & (size - 1);
                    steps += 1;
                }
                slots[at] =
                    Slot { name, command, number: number as u32, has_subcommands: !subcommands.is_empty() };
            }
            (steps, seed, slots)
        });
        if let Some((_, seed, slots)) = layouts.min_by_key(|(steps, ..)| *steps) {
            self.seed = seed;
            self.slots = slots.into();
        }
    }
}

fn arguments(command: &Command) -> Vec<syntax::Argument> {
    syntax::parse(command.syntax, command.keys.len())
        .unwrap_or_else(|wrong| panic!("the syntax of {} is wrong: {wrong}", command.name))
}

/// The declaration of a container that follows from those of its subcommands.
fn container_of(first: &Command, all: impl Iterator<Item = &'static Command>) -> &'static Command {
    let name = first.container_name().unwrap_or(first.name);
    let since = all
        .filter(|command| command.container_name() == Some(name))
        .map(|command| command.since)
        .min_by_key(|since| version(since));
    Box::leak(Box::new(Command {
        name,
        summary: "Holds the subcommands listed by its HELP.",
        since: since.unwrap_or(first.since),
        complexity: "Depends on the subcommand",
        group: first.group,
        arity: Some(-2),
        categories: super::Exceptions::instead(match name {
            "HIMPORT" => Categories::HASH,
            _ => Categories::NONE,
        }),
        ..Command::BASE
    }))
}

fn version(text: &str) -> [u32; 3] {
    let mut parts = text.split('.').map(|part| part.parse().unwrap_or(0));
    std::array::from_fn(|_| parts.next().unwrap_or(0))
}

/// When a container got its HELP; most had it from the start, one has none.
fn help_since(container: &Command) -> Option<&'static str> {
    Some(match container.name {
        "HIMPORT" => return None,
        "CLIENT" | "CLUSTER" | "COMMAND" | "CONFIG" | "MODULE" | "SCRIPT" => "5.0.0",
        "OBJECT" | "PUBSUB" | "SLOWLOG" => "6.2.0",
        "HOTKEYS" => "8.6.1",
        _ => container.since,
    })
}

/// Hashes a name in either case to the same number: 16 bytes of it, which tells all command names apart but a few.
#[inline]
fn hash(seed: u64, name: &[u8]) -> u64 {
    let (a, b) = if name.len() >= 8 {
        (word(&name[..8]), word(&name[name.len() - 8..]))
    } else if name.len() >= 4 {
        (half(&name[..4]), half(&name[name.len() - 4..]))
    } else {
        let byte = |index: usize| u64::from(name.get(index).copied().unwrap_or(0));
        (byte(0) | byte(1) << 8 | byte(2) << 16, 0)
    };
    const CASE: u64 = !0x2020_2020_2020_2020;
    let mixed = ((a & CASE) ^ (b & CASE).rotate_left(29) ^ seed ^ (name.len() as u64) << 56)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ mixed >> 32
}

fn word(bytes: &[u8]) -> u64 {
    bytes.try_into().map(u64::from_le_bytes).unwrap_or(0)
}

fn half(bytes: &[u8]) -> u64 {
    bytes.try_into().map(u32::from_le_bytes).unwrap_or(0).into()
}

#[cfg(test)]
mod tests {
    use super::super::declaration::{FAST, Group, READONLY};
    use super::super::{Exceptions, Keys};
    use super::*;

    const BASE: Command = Command { group: Group::Stream, ..Command::BASE };
    const COMMANDS: &[Command] = &[
        Command { name: "GET", syntax: "key", keys: &[Keys::at(1)], flags: READONLY.and(FAST), ..BASE },
        Command { name: "XGROUP SETID", syntax: "key group id", since: "5.0.0", ..BASE },
        Command {
            name: "COMMAND",
            arity: Some(-1),
            categories: Exceptions::also(Categories::CONNECTION),
            ..BASE
        },
        Command { name: "XGROUP CREATECONSUMER", syntax: "key group consumer", since: "6.2.0", ..BASE },
        Command { name: "COMMAND COUNT", ..BASE },
        Command { name: "EVAL", syntax: "script numkeys [key ...]", keys: &[Keys::counted_at(2)], ..BASE },
    ];

    fn registry() -> Registry {
        Registry::new(&[COMMANDS])
    }

    #[test]
    fn names_are_found_in_any_case() {
        let registry = registry();
        let name = |found: Option<usize>| found.map(|number| &*registry.entry(number).full_name);
        assert_eq!(name(registry.find(b"gEt")), Some("get"));
        assert_eq!(name(registry.find(b"")), None);
        assert_eq!(name(registry.find(b"gets")), None);
        assert_eq!(name(registry.find(b"get\xa0")), None);
        assert_eq!(name(registry.find_full(b"xgroup|SetID")), Some("xgroup|setid"));
        assert_eq!(name(registry.find_full(b"xgroup|")), None);
        assert_eq!(name(registry.find_full(b"get|x")), None);
        assert_eq!(name(registry.find(b"xgroup|setid")), None);
    }

    #[test]
    fn containers_and_their_help_are_derived() {
        let registry = registry();
        let names: Vec<_> = registry.top_level().iter().map(|&n| registry.entry(n).command.name).collect();
        assert_eq!(names, ["GET", "XGROUP", "COMMAND", "EVAL"]);
        let xgroup = registry.entry(registry.find(b"xgroup").expect("derived"));
        assert_eq!((xgroup.arity, xgroup.command.since), (-2, "5.0.0"));
        assert_eq!(xgroup.categories, Categories::SLOW);
        let subcommands: Vec<_> = xgroup.subcommands.iter().map(|&n| &*registry.entry(n).full_name).collect();
        assert_eq!(subcommands, ["xgroup|setid", "xgroup|createconsumer", "xgroup|help"]);
        let help = registry.entry(registry.find_full(b"xgroup|help").expect("derived"));
        assert_eq!((help.arity, help.flags), (2, LOADING.and(STALE)));
    }

    #[test]
    fn facts_follow_from_declarations() {
        let registry = registry();
        let get = registry.entry(registry.find(b"GET").expect("declared"));
        assert_eq!((get.arity, get.range.first, get.range.last, get.range.step), (2, 1, 1, 1));
        let eval = registry.entry(registry.find(b"EVAL").expect("declared"));
        assert_eq!(eval.arity, -3);
        assert!(eval.flags.has(MOVABLEKEYS) && !get.flags.has(MOVABLEKEYS));
    }
}

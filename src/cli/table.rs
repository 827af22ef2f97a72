//! The commands as the terminal sees them: names, arguments as trees, words for HELP. Built from the engine's own
//! declarations or from any server's COMMAND DOCS; hints, completion, HELP and lessons read nothing else.

use std::sync::{Arc, OnceLock};

use crate::command::registry::{Entry, Registry};
use crate::command::syntax;
pub use crate::command::syntax::Kind;
use crate::commands;
use crate::resp::reply::Reply;

/// One argument, or a choice or block of arguments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Argument {
    /// As shown to users.
    pub name: String,
    pub kind: Kind,
    /// The word before it, or for a pure token the word itself.
    pub token: Option<String>,
    pub optional: bool,
    pub multiple: bool,
    /// When it repeats, its token repeats too.
    pub multiple_token: bool,
    pub parts: Vec<Argument>,
}

/// One command or subcommand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Doc {
    /// Upper case, with its container: `XGROUP CREATE`.
    pub name: String,
    pub summary: String,
    pub since: String,
    pub group: String,
    pub complexity: String,
    pub arguments: Vec<Argument>,
}

impl Doc {
    /// How many words the name has.
    pub fn words(&self) -> usize {
        self.name.split(' ').count()
    }
}

/// All commands, by name.
#[derive(Clone, Debug, Default)]
pub struct Table {
    docs: Vec<Doc>,
}

impl Table {
    pub fn new(mut docs: Vec<Doc>) -> Table {
        crate::data::order::sort_by(&mut docs, |a, b| a.name.cmp(&b.name));
        docs.dedup_by(|a, b| a.name == b.name);
        Table { docs }
    }

    /// The engine's own commands, built once.
    pub fn builtin() -> Arc<Table> {
        static TABLE: OnceLock<Arc<Table>> = OnceLock::new();
        Arc::clone(TABLE.get_or_init(|| Arc::new(Table::from(commands::registry()))))
    }

    /// From the reply to COMMAND DOCS, of either protocol. What is not understood is left out.
    pub fn from_command_docs(reply: &Reply) -> Table {
        let mut docs = Vec::new();
        for (name, facts) in reply.pairs() {
            let Some(name) = name.text().map(upper) else { continue };
            add_docs(&name, facts, &mut docs);
        }
        Table::new(docs)
    }

    pub fn docs(&self) -> &[Doc] {
        &self.docs
    }

    pub fn is_empty(&self) -> bool {
        self.docs.is_empty()
    }

    /// The command of exactly this name, in any case.
    pub fn get(&self, name: &str) -> Option<&Doc> {
        let name = name.to_ascii_uppercase();
        self.docs.binary_search_by(|doc| doc.name.as_str().cmp(&name)).ok().map(|at| &self.docs[at])
    }

    /// The command the words begin with: a subcommand before its container.
    pub fn find(&self, words: &[Vec<u8>]) -> Option<&Doc> {
        let word = |at: usize| words.get(at).and_then(|w| std::str::from_utf8(w).ok());
        let first = word(0)?;
        word(1).and_then(|second| self.get(&format!("{first} {second}"))).or_else(|| self.get(first))
    }

    /// The subcommands of a container, by name.
    pub fn subcommands(&self, container: &str) -> impl Iterator<Item = &Doc> {
        let prefix = format!("{} ", container.to_ascii_uppercase());
        let from = self.docs.partition_point(|doc| doc.name < prefix);
        self.docs[from..].iter().take_while(move |doc| doc.name.starts_with(&prefix))
    }

    /// The groups that occur, by name.
    pub fn groups(&self) -> Vec<&str> {
        let mut groups: Vec<&str> =
            self.docs.iter().map(|doc| doc.group.as_str()).filter(|group| !group.is_empty()).collect();
        crate::data::order::sort(&mut groups);
        groups.dedup();
        groups
    }
}

fn upper(text: &[u8]) -> String {
    String::from_utf8_lossy(text).to_ascii_uppercase()
}

fn text(reply: Option<&Reply>) -> String {
    reply.and_then(Reply::text).map(|text| String::from_utf8_lossy(text).into_owned()).unwrap_or_default()
}

fn add_docs(name: &str, facts: &Reply, docs: &mut Vec<Doc>) {
    docs.push(Doc {
        name: name.to_owned(),
        summary: text(facts.field("summary")),
        since: text(facts.field("since")),
        group: text(facts.field("group")),
        complexity: text(facts.field("complexity")),
        arguments: arguments(facts.field("arguments")),
    });
    // Subcommands nest once; deeper ones would be a server's mistake.
    if name.contains(' ') {
        return;
    }
    for (sub, facts) in facts.field("subcommands").map(Reply::pairs).unwrap_or_default() {
        let Some(sub) = sub.text().map(upper) else { continue };
        let sub = sub.rsplit('|').next().unwrap_or_default();
        add_docs(&format!("{name} {sub}"), facts, docs);
    }
}

fn arguments(list: Option<&Reply>) -> Vec<Argument> {
    list.and_then(Reply::elements).unwrap_or_default().iter().map(argument).collect()
}

fn argument(facts: &Reply) -> Argument {
    let flags = facts.field("flags").and_then(Reply::elements).unwrap_or_default();
    let flagged = |name: &str| flags.iter().any(|flag| flag.text() == Some(name.as_bytes()));
    let shown = facts.field("display_text").or_else(|| facts.field("name"));
    Argument {
        name: text(shown),
        kind: facts.field("type").and_then(Reply::text).and_then(Kind::named).unwrap_or_default(),
        token: facts.field("token").map(|token| text(Some(token))),
        optional: flagged("optional"),
        multiple: flagged("multiple"),
        multiple_token: flagged("multiple_token"),
        parts: arguments(facts.field("arguments")),
    }
}

impl From<&syntax::Argument> for Argument {
    fn from(argument: &syntax::Argument) -> Argument {
        Argument {
            name: argument.display.unwrap_or(&argument.name).to_owned(),
            kind: argument.kind,
            token: argument.token.map(str::to_owned),
            optional: argument.optional,
            multiple: argument.multiple,
            multiple_token: argument.multiple_token,
            parts: argument.arguments.iter().map(Argument::from).collect(),
        }
    }
}

impl From<&Registry> for Table {
    fn from(registry: &Registry) -> Table {
        let doc = |entry: &Entry| Doc {
            name: entry.full_name.replace('|', " ").to_ascii_uppercase(),
            summary: entry.command.summary.to_owned(),
            since: entry.command.since.to_owned(),
            group: entry.command.group.name().to_owned(),
            complexity: entry.command.complexity.to_owned(),
            arguments: entry.arguments().iter().map(Argument::from).collect(),
        };
        Table::new(registry.entries().iter().map(doc).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::docs;
    use crate::resp::reply::Decoder;
    use crate::resp::{Protocol, ReplyWriter};

    /// What any server tells about its commands gives the same table as the declarations do.
    #[test]
    fn command_docs_tell_everything() {
        let registry = commands::registry();
        for protocol in [Protocol::Resp2, Protocol::Resp3] {
            let mut told = ReplyWriter::new(protocol);
            told.map(registry.top_level().len());
            for &number in registry.top_level() {
                told.bulk_str(&registry.entry(number).full_name);
                docs::docs(registry, number, &mut told);
            }
            let mut decoder = Decoder::new();
            decoder.feed(told.bytes());
            let reply = decoder.next_reply().expect("valid").expect("whole");
            let table = Table::from_command_docs(&reply);
            let builtin = Table::builtin();
            assert!(builtin.docs().len() > 50);
            for (told, declared) in table.docs().iter().zip(builtin.docs()) {
                assert_eq!(told, declared);
            }
            assert_eq!(table.docs().len(), builtin.docs().len());
        }
    }

    #[test]
    fn commands_are_found() {
        let table = Table::builtin();
        let words = |line: &str| line.split(' ').map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>();
        assert_eq!(
            table.find(&words("client setname x")).map(|doc| doc.name.as_str()),
            Some("CLIENT SETNAME")
        );
        assert_eq!(table.find(&words("client nothing")).map(|doc| doc.name.as_str()), Some("CLIENT"));
        assert_eq!(table.find(&words("nothing")).map(|doc| doc.name.as_str()), None);
        assert!(table.subcommands("client").count() > 3);
        assert!(table.groups().contains(&"string"));
    }
}

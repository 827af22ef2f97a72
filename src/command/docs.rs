//! What COMMAND INFO, DOCS, LIST and GETKEYS tell, and every container's HELP. Knows no single command.

use crate::data::glob;
use crate::format_error;
use crate::resp::ReplyWriter;
use crate::server::error::{Error, Result};

use super::declaration::{Categories, MODULE, NO_MANDATORY_KEYS};
use super::keyspec::{self, Begin, Find, KeyFlags, Keys};
use super::registry::{Entry, Registry};
use super::syntax::Argument;
use super::{Args, Ctx};

/// One command of COMMAND INFO, its subcommands inside.
pub fn info(registry: &Registry, number: usize, reply: &mut ReplyWriter) {
    let entry = registry.entry(number);
    reply.array(10);
    reply.bulk_str(&entry.full_name);
    reply.integer(entry.arity.into());
    simple_set(entry.flags.names(), reply);
    reply.integer(entry.range.first.into());
    reply.integer(entry.range.last.into());
    reply.integer(entry.range.step.into());
    let categories: Vec<_> = entry.categories.names().collect();
    reply.set(categories.len());
    for category in categories {
        reply.simple(&format!("@{category}"));
    }
    reply.set(entry.command.tips.len());
    for tip in entry.command.tips {
        reply.bulk_str(tip);
    }
    reply.set(entry.command.keys.len());
    for spec in entry.command.keys {
        key_spec(spec, reply);
    }
    if entry.subcommands.is_empty() {
        return reply.set(0);
    }
    reply.array(entry.subcommands.len());
    for &subcommand in &entry.subcommands {
        info(registry, subcommand, reply);
    }
}

fn simple_set(names: impl Iterator<Item = &'static str>, reply: &mut ReplyWriter) {
    let names: Vec<_> = names.collect();
    reply.set(names.len());
    for name in names {
        reply.simple(name);
    }
}

fn key_spec(spec: &Keys, reply: &mut ReplyWriter) {
    reply.map(3);
    reply.bulk_str("flags");
    simple_set(spec.flags.names(), reply);
    reply.bulk_str("begin_search");
    match spec.begin {
        Begin::Unknown => part("unknown", &[], reply),
        Begin::Index(index) => part("index", &[("index", index.into())], reply),
        Begin::Keyword { keyword, from } => {
            part_head("keyword", 2, reply);
            reply.bulk_str("keyword");
            reply.bulk_str(keyword);
            reply.bulk_str("startfrom");
            reply.integer(from.into());
        }
    }
    reply.bulk_str("find_keys");
    match spec.find {
        Find::Unknown => part("unknown", &[], reply),
        Find::Range { last, step, limit } => {
            let fields = [("lastkey", last.into()), ("keystep", step.into()), ("limit", limit.into())];
            part("range", &fields, reply);
        }
        Find::KeyNum { count, first, step } => {
            let fields = [("keynumidx", count.into()), ("firstkey", first.into()), ("keystep", step.into())];
            part("keynum", &fields, reply);
        }
    }
}

/// `type` and `spec` of one part of a key spec.
fn part(kind: &str, fields: &[(&str, i64)], reply: &mut ReplyWriter) {
    part_head(kind, fields.len(), reply);
    for (name, value) in fields {
        reply.bulk_str(name);
        reply.integer(*value);
    }
}

fn part_head(kind: &str, fields: usize, reply: &mut ReplyWriter) {
    reply.map(2);
    reply.bulk_str("type");
    reply.bulk_str(kind);
    reply.bulk_str("spec");
    reply.map(fields);
}

/// One command of COMMAND DOCS without its name, its subcommands inside.
pub fn docs(registry: &Registry, number: usize, reply: &mut ReplyWriter) {
    let entry = registry.entry(number);
    let command = entry.command;
    let mark = reply.mark();
    let mut fields = 0;
    let mut field = |name: &str, reply: &mut ReplyWriter| {
        fields += 1;
        reply.bulk_str(name);
    };
    for (name, text) in [
        ("summary", Some(command.summary)),
        ("since", Some(command.since)),
        ("group", Some(command.group.name())),
        ("complexity", Some(command.complexity)),
        ("module", module_of(entry)),
    ] {
        if let Some(text) = text {
            field(name, reply);
            reply.bulk_str(text);
        }
    }
    if command.internal || command.deprecated_since.is_some() {
        field("doc_flags", reply);
        let deprecated = command.deprecated_since.map(|_| "deprecated");
        simple_set(deprecated.into_iter().chain(command.internal.then_some("syscmd")), reply);
    }
    for (name, text) in [("deprecated_since", command.deprecated_since), ("replaced_by", command.replaced_by)]
    {
        if let Some(text) = text {
            field(name, reply);
            reply.bulk_str(text);
        }
    }
    if !command.history.is_empty() {
        field("history", reply);
        reply.set(command.history.len());
        for (version, change) in command.history {
            reply.array(2);
            reply.bulk_str(version);
            reply.bulk_str(change);
        }
    }
    let tree = entry.arguments();
    if !tree.is_empty() {
        field("arguments", reply);
        arguments(&tree, reply);
    }
    if !entry.subcommands.is_empty() {
        field("subcommands", reply);
        reply.map(entry.subcommands.len());
        for &subcommand in &entry.subcommands {
            reply.bulk_str(&registry.entry(subcommand).full_name);
            docs(registry, subcommand, reply);
        }
    }
    reply.close_map(mark, fields);
}

/// The module a command comes from.
fn module_of(entry: &Entry) -> Option<&'static str> {
    entry.flags.has(MODULE).then_some(entry.command.group.name())
}

fn arguments(tree: &[Argument], reply: &mut ReplyWriter) {
    reply.array(tree.len());
    for argument in tree {
        let is_group = argument.kind.is_group();
        let optional_fields = [
            argument.key_spec.is_some(),
            argument.token.is_some(),
            argument.since.is_some(),
            argument.deprecated_since.is_some(),
            argument.optional || argument.multiple,
        ];
        reply.map(3 + optional_fields.into_iter().filter(|given| *given).count());
        text_field("name", Some(&argument.name), reply);
        text_field("type", Some(argument.kind.name()), reply);
        if !is_group {
            text_field("display_text", Some(argument.display.unwrap_or(&argument.name)), reply);
        }
        if let Some(spec) = argument.key_spec {
            reply.bulk_str("key_spec_index");
            reply.integer(spec.into());
        }
        text_field("token", argument.token, reply);
        text_field("since", argument.since, reply);
        text_field("deprecated_since", argument.deprecated_since, reply);
        if argument.optional || argument.multiple {
            reply.bulk_str("flags");
            let flags = [
                (argument.optional, "optional"),
                (argument.multiple, "multiple"),
                (argument.multiple_token, "multiple_token"),
            ];
            simple_set(flags.into_iter().filter(|(set, _)| *set).map(|(_, name)| name), reply);
        }
        if is_group {
            reply.bulk_str("arguments");
            arguments(&argument.arguments, reply);
        }
    }
}

fn text_field(name: &str, text: Option<&str>, reply: &mut ReplyWriter) {
    if let Some(text) = text {
        reply.bulk_str(name);
        reply.bulk_str(text);
    }
}

/// What COMMAND LIST FILTERBY asks for.
pub enum Filter<'a> {
    All,
    Module(&'a [u8]),
    /// Nothing where there is no such category.
    Category(Option<Categories>),
    Pattern(&'a [u8]),
}

impl Filter<'_> {
    fn lets(&self, entry: &Entry) -> bool {
        match self {
            Filter::All => true,
            Filter::Module(name) => {
                module_of(entry).is_some_and(|module| module.as_bytes().eq_ignore_ascii_case(name))
            }
            Filter::Category(category) => category.is_some_and(|category| entry.categories.has(category)),
            Filter::Pattern(pattern) => glob::matches_nocase(pattern, entry.full_name.as_bytes()),
        }
    }
}

/// The names COMMAND LIST shows, subcommands behind their container.
pub fn list<'r>(registry: &'r Registry, filter: &Filter) -> Vec<&'r str> {
    let numbers = registry.top_level().iter();
    let entries = numbers.flat_map(|&number| {
        let subcommands = registry.entry(number).subcommands.iter().copied();
        std::iter::once(number).chain(subcommands).map(|number| registry.entry(number))
    });
    entries.filter(|entry| filter.lets(entry)).map(|entry| &*entry.full_name).collect()
}

/// The keys of the request that begins at the cursor of `args`, with what happens to them, as COMMAND GETKEYS finds them.
pub fn keys_of<'a>(registry: &Registry, args: &Args<'a>) -> Result<Vec<(&'a [u8], KeyFlags)>> {
    let words: Vec<&[u8]> = args.rest().collect();
    let number = match words.as_slice() {
        [] => None,
        [name, rest @ ..] => registry.find(name).and_then(|number| {
            match (registry.entry(number).subcommands.is_empty(), rest.first()) {
                (false, Some(subcommand)) => registry.find_subcommand(number, subcommand),
                _ => Some(number),
            }
        }),
    };
    let entry = registry.entry(number.ok_or(Error::new("ERR Invalid command specified"))?);
    if !keyspec::may_have_keys(entry.command.keys) {
        return Err(Error::new("ERR The command has no key arguments"));
    }
    if !entry.takes(words.len()) {
        return Err(Error::new("ERR Invalid number of arguments specified for command"));
    }
    let found = keyspec::find(entry.command.name, entry.command.keys, words.len(), &|index| words[index]);
    if found.is_empty() && !entry.flags.has(NO_MANDATORY_KEYS) {
        return Err(Error::new("ERR Invalid arguments specified for command"));
    }
    Ok(found.iter().map(|(position, flags)| (words[position], flags)).collect())
}

/// COMMAND GETKEYSANDFLAGS' second half of a pair.
pub fn key_flags(flags: KeyFlags, reply: &mut ReplyWriter) {
    simple_set(flags.names(), reply);
}

/// The HELP subcommand of every container.
pub fn help(ctx: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result<()> {
    let registry = ctx.registry;
    let name = ctx.command.container_name().unwrap_or_default();
    let Some(container) = registry.find(name.as_bytes()) else {
        return Err(format_error!("ERR no subcommands of '{name}'"));
    };
    let mut lines = vec![format!("{name} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:")];
    for &number in &registry.entry(container).subcommands {
        let entry = registry.entry(number);
        let arguments = entry.pretty_arguments();
        lines.push(format!("{} {arguments}", entry.last_name()).trim_end().to_string());
        let is_help = entry.last_name() == "HELP";
        lines.push(format!("    {}", if is_help { "Prints this help." } else { entry.command.summary }));
    }
    reply.array(lines.len());
    for line in lines {
        reply.simple(&line);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Command;
    use super::super::declaration::{FAST, Group, READONLY};
    use super::*;
    use crate::resp::{Protocol, Request};

    const BASE: Command = Command { group: Group::String, ..Command::BASE };
    const COMMANDS: &[Command] = &[
        Command {
            name: "GET",
            syntax: "key [EX seconds | PERSIST]@6.2.0",
            summary: "Gets.",
            flags: READONLY.and(FAST),
            keys: &[Keys::at(1).read_only().access()],
            tips: &["nondeterministic_output"],
            history: &[("6.2.0", "Knows `EX`.")],
            deprecated_since: Some("8.0.0"),
            replaced_by: Some("`GOT`"),
            ..BASE
        },
        Command { name: "EVAL", syntax: "script numkeys [key ...]", keys: &[Keys::counted_at(2)], ..BASE },
        Command { name: "X SET", syntax: "key", keys: &[Keys::at(2)], ..BASE },
    ];

    fn shown(write: impl Fn(&Registry, usize, &mut ReplyWriter)) -> String {
        let registry = Registry::new(&[COMMANDS]);
        let mut reply = ReplyWriter::new(Protocol::Resp3);
        write(&registry, registry.find(b"get").expect("declared"), &mut reply);
        String::from_utf8_lossy(reply.bytes()).replace("\r\n", " ")
    }

    #[test]
    fn info_has_the_shape_of_redis() {
        let expected = "*10 $3 get :-2 ~2 +readonly +fast :1 :1 :1 ~3 +@read +@string +@fast \
                        ~1 $23 nondeterministic_output \
                        ~1 %3 $5 flags ~2 +RO +access \
                        $12 begin_search %2 $4 type $5 index $4 spec %1 $5 index :1 \
                        $9 find_keys %2 $4 type $5 range $4 spec %3 $7 lastkey :0 $7 keystep :1 $5 limit :0 ~0 ";
        assert_eq!(shown(info), expected);
    }

    #[test]
    fn docs_have_the_shape_of_redis() {
        let expected = "%9 $7 summary $5 Gets. $5 since $5 1.0.0 $5 group $6 string $10 complexity $4 O(1) \
                        $9 doc_flags ~1 +deprecated $16 deprecated_since $5 8.0.0 $11 replaced_by $5 `GOT` \
                        $7 history ~1 *2 $5 6.2.0 $11 Knows `EX`. \
                        $9 arguments *2 \
                        %4 $4 name $3 key $4 type $3 key $12 display_text $3 key $14 key_spec_index :0 \
                        %5 $4 name $10 expiration $4 type $5 oneof $5 since $5 6.2.0 $5 flags ~1 +optional \
                        $9 arguments *2 \
                        %4 $4 name $7 seconds $4 type $7 integer $12 display_text $7 seconds $5 token $2 EX \
                        %4 $4 name $7 persist $4 type $10 pure-token $12 display_text $7 persist $5 token $7 PERSIST ";
        assert_eq!(shown(docs), expected);
    }

    #[test]
    fn lists_are_filtered() {
        let registry = Registry::new(&[COMMANDS]);
        assert_eq!(list(&registry, &Filter::All), ["get", "eval", "x", "x|set", "x|help"]);
        assert_eq!(list(&registry, &Filter::Pattern(b"X*T")), ["x|set"]);
        assert_eq!(list(&registry, &Filter::Category(Some(Categories::READ))), ["get"]);
        assert!(list(&registry, &Filter::Category(None)).is_empty());
        assert!(list(&registry, &Filter::Module(b"string")).is_empty());
    }

    #[test]
    fn keys_are_found_in_full_commands() {
        let registry = Registry::new(&[COMMANDS]);
        let keys = |line: &str| {
            let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
            let request = Request::of(&words);
            let args = Args::new(&request.bytes, &request.spans);
            match keys_of(&registry, &args) {
                Ok(keys) => {
                    keys.iter().map(|(key, _)| String::from_utf8_lossy(key) + " ").collect::<String>()
                }
                Err(error) => String::from_utf8_lossy(error.text()).into_owned(),
            }
        };
        assert_eq!(keys("GETKEYS get a"), "a ");
        assert_eq!(keys("GETKEYS x set b"), "b ");
        assert_eq!(keys("GETKEYS eval s 2 a b"), "a b ");
        assert_eq!(keys("GETKEYS got a"), "ERR Invalid command specified");
        assert_eq!(keys("GETKEYS x what"), "ERR Invalid command specified");
        assert_eq!(keys("GETKEYS x help"), "ERR The command has no key arguments");
        assert_eq!(keys("GETKEYS get"), "ERR Invalid number of arguments specified for command");
        assert_eq!(keys("GETKEYS eval s 3 a"), "ERR Invalid arguments specified for command");
    }
}

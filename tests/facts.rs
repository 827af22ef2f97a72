//! Holds every declaration against the facts of Redis 8.10 in `fixtures/commands.json`: arity, flags, ACL categories, key
//! specs, argument trees, group and version. Says how many commands are still to come.

use std::collections::BTreeSet;

use resplay::command::keyspec::{Begin, Find, Keys};
use resplay::command::registry::{Entry, Registry};
use resplay::command::syntax::Argument;
use resplay::commands::registry;
use serde_json::{Map, Value, json};

#[path = "support/facts.rs"]
mod fixture;

use fixture::{core, facts};

/// What the facts have wrong, or what cannot be derived and does not matter: (command, fact).
const KNOWN_DIFFERENCES: &[(&str, &str)] = &[
    // The facts give the container itself the arity of its subcommands.
    ("BACKUP", "arity"),
];

#[test]
fn declarations_agree_with_the_facts() {
    let facts = facts();
    let registry = registry();
    let mut differences = Vec::new();
    for entry in registry.entries() {
        let name = entry.command.name;
        match facts.get(name) {
            Some(fact) => compare(entry, fact, &mut differences),
            None => differences.push(format!("{name}: Redis has no such command")),
        }
    }
    report_missing(registry, &facts);
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

#[test]
fn every_command_is_described() {
    let described = |entry: &&Entry| {
        let command = entry.command;
        command.summary.ends_with('.') && command.summary.len() < 120 && !command.complexity.is_empty()
    };
    let all = registry().entries().iter();
    let poor: Vec<_> = all.filter(|entry| !described(entry)).map(|entry| entry.command.name).collect();
    assert!(poor.is_empty(), "no proper summary or complexity: {poor:?}");
}

#[test]
fn every_command_is_found_by_its_name() {
    let registry = registry();
    for (number, entry) in registry.entries().iter().enumerate() {
        assert_eq!(registry.find_full(entry.full_name.as_bytes()), Some(number), "{}", entry.full_name);
        assert_eq!(registry.find_full(entry.full_name.to_uppercase().as_bytes()), Some(number));
    }
}

fn report_missing(registry: &Registry, facts: &Map<String, Value>) {
    let core: Vec<_> = core(facts).collect();
    let declared: BTreeSet<_> = registry.entries().iter().map(|entry| entry.command.name).collect();
    let missing: Vec<_> = core.iter().filter(|name| !declared.contains(**name)).collect();
    println!(
        "{} of {} core commands are declared; missing: {missing:?}",
        core.len() - missing.len(),
        core.len()
    );
}

fn compare(entry: &Entry, fact: &Value, differences: &mut Vec<String>) {
    let command = entry.command;
    let mut check = |what: &str, ours: Value, theirs: Value| {
        if ours != theirs && !KNOWN_DIFFERENCES.contains(&(command.name, what)) {
            differences.push(format!("{} {what}:\n  ours   {ours}\n  theirs {theirs}", command.name));
        }
    };
    check("arity", json!(entry.arity), fact["arity"].clone());
    check("since", json!(command.since), fact["since"].clone());
    check("group", json!(command.group.name()), fact["group"].clone());
    check("flags", sorted(entry.flags.names().map(str::to_string)), sorted_fact(&fact["command_flags"]));
    let categories = entry.categories.names().map(|name| format!("@{name}"));
    check("ACL categories", sorted(categories), sorted_fact(&fact["acl_categories"]));
    check("tips", sorted(command.tips.iter().map(|tip| tip.to_string())), sorted_fact(&fact["hints"]));
    check("key specs", command.keys.iter().map(key_spec).collect(), list_fact(&fact["key_specs"]));
    check("arguments", entry.arguments().iter().map(argument).collect(), list_fact(&fact["arguments"]));
    check("deprecated_since", json!(command.deprecated_since), fact["deprecated_since"].clone());
    let is_internal = fact["doc_flags"].as_array().is_some_and(|flags| flags.contains(&json!("syscmd")));
    check("internal", json!(command.internal), json!(is_internal));
}

fn sorted(names: impl Iterator<Item = String>) -> Value {
    json!(names.collect::<BTreeSet<_>>())
}

fn sorted_fact(fact: &Value) -> Value {
    let names = fact.as_array().into_iter().flatten().filter_map(Value::as_str);
    sorted(names.map(str::to_string))
}

fn list_fact(fact: &Value) -> Value {
    fact.as_array().cloned().unwrap_or_default().into()
}

fn key_spec(spec: &Keys) -> Value {
    let mut fields: Map<_, _> = spec.flags.names().map(|name| (name.to_string(), json!(true))).collect();
    let (kind, begin) = match spec.begin {
        Begin::Unknown => ("unknown", json!({})),
        Begin::Index(index) => ("index", json!({ "index": index })),
        Begin::Keyword { keyword, from } => ("keyword", json!({ "keyword": keyword, "startfrom": from })),
    };
    fields.insert("begin_search".into(), json!({ "type": kind, "spec": begin }));
    let (kind, find) = match spec.find {
        Find::Unknown => ("unknown", json!({})),
        Find::Range { last, step, limit } => {
            ("range", json!({ "lastkey": last, "keystep": step, "limit": limit }))
        }
        Find::KeyNum { count, first, step } => {
            ("keynum", json!({ "keynumidx": count, "firstkey": first, "keystep": step }))
        }
    };
    fields.insert("find_keys".into(), json!({ "type": kind, "spec": find }));
    fields.into()
}

fn argument(argument: &Argument) -> Value {
    let mut fields = Map::new();
    fields.insert("name".into(), json!(argument.name));
    fields.insert("type".into(), json!(argument.kind.name()));
    for (name, text) in [
        ("token", argument.token),
        ("display_text", argument.display),
        ("since", argument.since),
        ("deprecated_since", argument.deprecated_since),
    ] {
        if let Some(text) = text {
            fields.insert(name.into(), json!(text));
        }
    }
    if let Some(spec) = argument.key_spec {
        fields.insert("key_spec_index".into(), json!(spec));
    }
    for (name, is_set) in [
        ("optional", argument.optional),
        ("multiple", argument.multiple),
        ("multiple_token", argument.multiple_token),
    ] {
        if is_set {
            fields.insert(name.into(), json!(true));
        }
    }
    if argument.kind.is_group() {
        fields.insert("arguments".into(), argument.arguments.iter().map(self::argument).collect());
    }
    fields.into()
}

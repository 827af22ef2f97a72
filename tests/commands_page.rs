//! Keeps `docs/commands.md`, the list of every command of Redis 8.10 with what is known and how faithfully, equal to the
//! registry and the facts. `UPDATE=1` rewrites the page instead of comparing it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use resplay::command::registry::{Entry, Registry};
use resplay::commands::registry;
use serde_json::{Map, Value};

#[path = "support/facts.rs"]
mod fixture;

use fixture::{core, facts, is_core};

const PAGE: &str = "docs/commands.md";
const NOTES: &str = include_str!("fixtures/fidelity.txt");

/// The groups in the order of the page, with the titles users know them by.
const GROUPS: &[(&str, &str)] = &[
    ("string", "Strings"),
    ("bitmap", "Bitmaps"),
    ("hyperloglog", "HyperLogLog"),
    ("list", "Lists"),
    ("hash", "Hashes"),
    ("set", "Sets"),
    ("sorted-set", "Sorted sets"),
    ("geo", "Geospatial indexes"),
    ("stream", "Streams"),
    ("array", "Arrays"),
    ("generic", "Keys of every type"),
    ("transactions", "Transactions"),
    ("pubsub", "Publish and subscribe"),
    ("scripting", "Scripts and functions"),
    ("connection", "Connections"),
    ("server", "Server"),
    ("cluster", "Cluster"),
];

#[test]
fn the_page_lists_what_the_registry_holds() {
    let facts = facts();
    let page = page(registry(), &facts);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, page).expect("the page can be written");
        return;
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    let stale = written.lines().zip(page.lines()).find(|(old, new)| old != new);
    assert!(
        written == page,
        "{PAGE} is stale: run UPDATE=1 cargo test --test commands_page and read the diff; first difference: {stale:?}"
    );
}

#[test]
fn every_core_command_is_known() {
    let facts = facts();
    let missing: Vec<_> = core(&facts).filter(|name| find(registry(), name).is_none()).collect();
    assert!(missing.is_empty(), "not known: {missing:?}");
}

#[test]
fn every_note_is_on_a_command() {
    let facts = facts();
    let strangers: Vec<_> = notes().into_keys().filter(|name| !facts.contains_key(*name)).collect();
    assert!(strangers.is_empty(), "notes on commands that do not exist: {strangers:?}");
}

/// `NAME: note` a line.
fn notes() -> BTreeMap<&'static str, &'static str> {
    let lines = NOTES.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split_once(": ").expect("a note is `NAME: text`")).collect()
}

fn find<'r>(registry: &'r Registry, name: &str) -> Option<&'r Entry> {
    registry.entries().iter().find(|entry| entry.full_name.replace('|', " ").eq_ignore_ascii_case(name))
}

fn page(registry: &Registry, facts: &Map<String, Value>) -> String {
    let known = core(facts).filter(|name| find(registry, name).is_some()).count();
    let mut page = format!(
        "# Commands\n\n\
         Every command of Redis 8.10. {known} of the {} commands and subcommands of its core are known here, in both \
         protocols, in the\nbrowser and natively. Where nothing is noted, replies, errors and side effects are meant to be \
         Redis's to the byte; a\ndifference is a bug. What Redis's own tests say about it is in \
         [compatibility.md](compatibility.md).\n",
        core(facts).count(),
    );
    let notes = notes();
    for (group, title) in GROUPS {
        let _ = write!(page, "\n## {title}\n\n| command | since | | notes |\n| --- | --- | --- | --- |\n");
        let of_group = |fact: &Value| is_core(fact) && fact["group"] == *group;
        for (name, fact) in facts.iter().filter(|(_, fact)| of_group(fact)) {
            let since = fact["since"].as_str().unwrap_or_default();
            let (summary, missing) = match find(registry, name) {
                Some(entry) => (entry.command.summary, ""),
                None => ("", "Not known yet. "),
            };
            let note = notes.get(name.as_str()).copied().unwrap_or_default();
            let row = format!("| `{name}` | {since} | {summary} | {missing}{note} |");
            page.push_str(&row.replace("  |", " |"));
            page.push('\n');
        }
    }
    page.push_str(&modules(facts));
    page
}

fn modules(facts: &Map<String, Value>) -> String {
    let mut section = "\n## Modules\n\nThe modules that come with Redis are not part of resplay: their commands answer \
                       `ERR unknown command`, as a Redis\nbuilt without them does.\n\n| module | commands |\n| --- | --- |\n"
        .to_string();
    let mut modules: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, fact) in facts.iter().filter(|(_, fact)| !is_core(fact)) {
        modules.entry(fact["module"].as_str().unwrap_or("ReJSON")).or_default().push(name);
    }
    for (module, names) in modules {
        let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        let _ = writeln!(section, "| {module} | {} |", names.join(", "));
    }
    section
}

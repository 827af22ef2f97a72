//! The facts of Redis 8.10's commands in `fixtures/commands.json`.

use serde_json::{Map, Value};

pub fn facts() -> Map<String, Value> {
    match serde_json::from_str(include_str!("../fixtures/commands.json")) {
        Ok(Value::Object(facts)) => facts,
        other => panic!("the fixture is no JSON object: {other:?}"),
    }
}

/// Not of a module.
pub fn is_core(fact: &Value) -> bool {
    fact["module"].is_null() && fact["group"] != "json"
}

/// The names of the core's commands and subcommands.
pub fn core(facts: &Map<String, Value>) -> impl Iterator<Item = &str> {
    facts.iter().filter(|(_, fact)| is_core(fact)).map(|(name, _)| name.as_str())
}

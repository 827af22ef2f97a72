//! What the terminal knows about single commands: whose reply is shown as it is, which lines stay secret, which texts
//! of a reply are keys and which are fields.

use super::format::{Class, Roles, no_roles};
use super::grid::Pairs;
use super::options;
use crate::resp::reply::Reply;

fn is(arg: Option<&Vec<u8>>, name: &str) -> bool {
    arg.is_some_and(|arg| arg.eq_ignore_ascii_case(name.as_bytes()))
}

fn is_any(arg: Option<&Vec<u8>>, names: &[&str]) -> bool {
    names.iter().any(|name| is(arg, name))
}

/// Commands whose reply is a text for people: it is printed as it is, without quotes.
pub fn prints_verbatim(args: &[Vec<u8>]) -> bool {
    let (command, sub) = (args.first(), args.get(1));
    if is_any(command, &["info", "lolwut"]) {
        return true;
    }
    (is(command, "debug") && is_any(sub, &["htstats", "htstats-key", "client-eviction"]))
        || (is(command, "memory") && is_any(sub, &["malloc-stats", "doctor"]))
        || (is(command, "cluster") && is_any(sub, &["nodes", "info"]) && args.len() == 2)
        || (is(command, "client") && is_any(sub, &["list", "info"]))
        || (is(command, "latency") && is(sub, "graph") && args.len() == 3)
        || (is(command, "latency") && is(sub, "doctor") && args.len() == 2)
        || (is(command, "proxy") && is(sub, "info"))
}

/// Lines that carry a secret and must not outlive the session. `args` come without a repeat prefix.
pub fn is_secret(args: &[Vec<u8>]) -> bool {
    let (command, sub) = (args.first(), args.get(1));
    if is_any(command, &["redis-cli", "resplay-cli"]) {
        return is_secret(&args[1..]);
    }
    if command.is_some_and(|word| options::is_flag(word)) {
        const PASSWORDS: [&str; 3] = ["-a", "--pass", "-u"];
        return match options::parse(args) {
            Ok(options) => options.password.is_some() || is_secret(&options.command),
            Err(_) => args.iter().any(|arg| is_any(Some(arg), &PASSWORDS)),
        };
    }
    if is(command, "auth") {
        return true;
    }
    if is(command, "acl") {
        return is_any(sub, &["deluser", "setuser", "getuser"]);
    }
    if is(command, "config") && is(sub, "set") {
        const PASSWORDS: [&str; 5] =
            ["masterauth", "masteruser", "tls-key-file-pass", "tls-client-key-file-pass", "requirepass"];
        return args.iter().skip(2).step_by(2).any(|parameter| is_any(Some(parameter), &PASSWORDS));
    }
    if is(command, "hello") {
        return hello_authenticates(args);
    }
    if is(command, "migrate") {
        return migrate_authenticates(args);
    }
    if is(command, "sentinel") && args.len() > 4 {
        return (is(sub, "config")
            && is(args.get(2), "set")
            && is_any(args.get(3), &["sentinel-pass", "sentinel-user"]))
            || (is(sub, "set") && is_any(args.get(3), &["auth-pass", "auth-user"]));
    }
    false
}

/// `HELLO protover [AUTH user password] [SETNAME name]`.
fn hello_authenticates(args: &[Vec<u8>]) -> bool {
    let mut at = 2;
    while at < args.len() {
        let following = args.len() - 1 - at;
        if is(args.get(at), "auth") && following >= 2 {
            return true;
        }
        if !(is(args.get(at), "setname") && following >= 1) {
            return false;
        }
        at += 2;
    }
    false
}

/// `MIGRATE host port key db timeout [COPY] [REPLACE] [AUTH password | AUTH2 user password] [KEYS …]`.
fn migrate_authenticates(args: &[Vec<u8>]) -> bool {
    for (at, arg) in args.iter().enumerate().skip(6) {
        let following = args.len() - 1 - at;
        if (is(Some(arg), "auth") && following >= 1) || (is(Some(arg), "auth2") && following >= 2) {
            return true;
        }
        if is(Some(arg), "keys") && following >= 1 {
            return false;
        }
    }
    false
}

/// Which texts of the reply to this command are keys, and which are fields.
pub fn roles(args: &[Vec<u8>]) -> Roles {
    let Some(name) = args.first().map(|name| name.to_ascii_uppercase()) else { return no_roles };
    let has = |option: &str| args.iter().skip(1).any(|arg| is(Some(arg), option));
    match &name[..] {
        b"KEYS" | b"RANDOMKEY" => every_text_is_key,
        b"SCAN" => second_part_are_keys,
        b"HGETALL" | b"CONFIG" => pairs_have_fields,
        b"HKEYS" => every_text_is_field,
        b"HSCAN" if has("NOVALUES") => second_part_are_fields,
        b"HSCAN" | b"ZSCAN" => second_part_are_pairs,
        b"SSCAN" => second_part_are_fields,
        b"HRANDFIELD" if has("WITHVALUES") => pairs_have_fields,
        b"HRANDFIELD" => every_text_is_field,
        b"BLPOP" | b"BRPOP" | b"BZPOPMIN" | b"BZPOPMAX" | b"LMPOP" | b"ZMPOP" | b"BLMPOP" | b"BZMPOP" => {
            first_is_key
        }
        b"XREAD" | b"XREADGROUP" => streams_are_keys,
        b"COMMAND" if is(args.get(1), "getkeys") => every_text_is_key,
        _ => no_roles,
    }
}

/// What the pairs of the reply to this command are, when it is a flat list of pairs.
pub fn pairs(args: &[Vec<u8>]) -> Pairs {
    let name = args.first()?.to_ascii_uppercase();
    let has = |option: &str| args.iter().skip(1).any(|arg| is(Some(arg), option));
    match &name[..] {
        b"HGETALL" => Some(("field", "value")),
        b"HRANDFIELD" if has("WITHVALUES") => Some(("field", "value")),
        b"CONFIG" if is(args.get(1), "get") => Some(("parameter", "value")),
        b"PUBSUB" if is(args.get(1), "numsub") || is(args.get(1), "shardnumsub") => {
            Some(("channel", "subscribers"))
        }
        b"ZPOPMIN" | b"ZPOPMAX" => Some(("member", "score")),
        _ if name.starts_with(b"Z") && has("WITHSCORES") => Some(("member", "score")),
        b"XINFO" | b"MEMORY" | b"HELLO" | b"LATENCY" => Some(("name", "value")),
        _ => None,
    }
}

fn every_text_is_key(_: &[u32], _: &Reply) -> Option<Class> {
    Some(Class::Key)
}

fn every_text_is_field(_: &[u32], _: &Reply) -> Option<Class> {
    Some(Class::Field)
}

fn second_part_are_keys(path: &[u32], _: &Reply) -> Option<Class> {
    matches!(path, [1, _]).then_some(Class::Key)
}

fn second_part_are_fields(path: &[u32], _: &Reply) -> Option<Class> {
    matches!(path, [1, _]).then_some(Class::Field)
}

fn second_part_are_pairs(path: &[u32], _: &Reply) -> Option<Class> {
    matches!(path, [1, index] if index % 2 == 0).then_some(Class::Field)
}

fn pairs_have_fields(path: &[u32], whole: &Reply) -> Option<Class> {
    let nested = whole.part(0).is_some_and(|part| part.elements().is_some());
    match path {
        [index] => (index % 2 == 0).then_some(Class::Field),
        [_, 0] if nested => Some(Class::Field),
        _ => None,
    }
}

fn first_is_key(path: &[u32], _: &Reply) -> Option<Class> {
    (path == [0]).then_some(Class::Key)
}

fn streams_are_keys(path: &[u32], whole: &Reply) -> Option<Class> {
    match (path, whole.plain()) {
        ([index], Reply::Map(_)) => (index % 2 == 0).then_some(Class::Key),
        ([_, 0], Reply::Array(_)) => Some(Class::Key),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::split::split;
    use super::*;

    fn of(line: &str) -> Vec<Vec<u8>> {
        split(line.as_bytes()).expect("splits")
    }

    #[test]
    fn secrets() {
        for line in [
            "AUTH x",
            "auth",
            "ACL SETUSER a >b",
            "acl getuser a",
            "CONFIG SET maxmemory 1 requirepass x",
            "config set MASTERAUTH x",
            "HELLO 3 AUTH a b",
            "HELLO 3 SETNAME n AUTH a b",
            "MIGRATE h 1 k 0 10 COPY AUTH p",
            "MIGRATE h 1 \"\" 0 10 AUTH2 u p KEYS a",
            "SENTINEL SET m auth-pass p",
            "SENTINEL CONFIG SET sentinel-pass p",
            "redis-cli -h example.com -a pass PING",
            "redis-cli -u redis://me:pass@example.com",
            "-n 2 AUTH x",
            "--pass x",
            "-a x --nope",
        ] {
            assert!(is_secret(&of(line)), "{line}");
        }
        for line in [
            "GET auth",
            "ACL LIST",
            "CONFIG SET maxmemory requirepass",
            "CONFIG GET requirepass",
            "HELLO 3 SETNAME auth",
            "HELLO 3 AUTH a",
            "MIGRATE h 1 \"\" 0 10 KEYS auth p",
            "SENTINEL SET m quorum 2",
            "redis-cli -h example.com GET auth",
            "-n 2 GET -a",
        ] {
            assert!(!is_secret(&of(line)), "{line}");
        }
    }

    #[test]
    fn verbatim_replies() {
        for line in
            ["info", "LOLWUT 5 1", "memory doctor", "CLUSTER NODES", "client list ID 1", "latency graph x"]
        {
            assert!(prints_verbatim(&of(line)), "{line}");
        }
        for line in ["GET info", "cluster nodes x", "client", "latency graph", "memory usage k"] {
            assert!(!prints_verbatim(&of(line)), "{line}");
        }
    }
}

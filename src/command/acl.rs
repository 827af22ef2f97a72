//! Users and commands: rules by the names of commands and categories, and the check before a command runs.

use crate::format_error;
use crate::server::Server;
use crate::server::acl::user::{KeyPattern, hashed};
use crate::server::acl::{Reason, Selector, User};
use crate::server::client::Flags as ClientFlags;
use crate::server::clients::ClientId;
use crate::server::error::Error;

use super::declaration::NO_AUTH;
use super::registry::Registry;
use super::{Args, Categories, Command, Ctx, keyspec};

type Outcome = Result<(), &'static str>;

const UNKNOWN: &str = "Unknown command or category name in ACL";
const SYNTAX: &str = "Syntax error";
const HASH: &str =
    "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters";

/// One rule of ACL SETUSER, in the order in which they are given.
pub fn apply_rule(user: &mut User, registry: &Registry, rule: &[u8], all_channels: bool) -> Outcome {
    let is = |word: &str| rule.eq_ignore_ascii_case(word.as_bytes());
    match rule {
        [] => {}
        _ if is("on") => user.enabled = true,
        _ if is("off") => user.enabled = false,
        _ if is("skip-sanitize-payload") => user.skips_sanitizing = true,
        _ if is("sanitize-payload") => user.skips_sanitizing = false,
        _ if is("nopass") => {
            user.no_password = true;
            user.passwords.clear();
        }
        _ if is("resetpass") => {
            user.no_password = false;
            user.passwords.clear();
        }
        [b'>' | b'#', ..] => {
            let hash = hash_of(rule)?;
            if !user.passwords.contains(&hash) {
                user.passwords.push(hash);
            }
            user.no_password = false;
        }
        [b'<' | b'!', ..] => {
            let hash = hash_of(rule)?;
            let known = user.passwords.iter().position(|known| *known == hash);
            let known = known.ok_or("The password you are trying to remove from the user does not exist")?;
            user.passwords.remove(known);
        }
        [b'(', inside @ .., b')'] => {
            let mut selector = Selector::new(all_channels);
            for rule in inside.split(|byte| *byte == b' ').filter(|rule| !rule.is_empty()) {
                apply_to_selector(&mut selector, registry, rule)?;
            }
            user.selectors.push(selector);
        }
        _ if is("clearselectors") => user.selectors.clear(),
        _ if is("reset") => *user = User::new(all_channels),
        _ => return apply_to_selector(&mut user.root, registry, rule),
    }
    Ok(())
}

/// The hash a rule names or the password in it has.
fn hash_of(rule: &[u8]) -> Result<String, &'static str> {
    let (kind, word) = (rule[0], &rule[1..]);
    if matches!(kind, b'>' | b'<') {
        return Ok(hashed(word));
    }
    let is_hash = word.len() == 64 && word.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if is_hash { Ok(String::from_utf8_lossy(word).into_owned()) } else { Err(HASH) }
}

fn apply_to_selector(selector: &mut Selector, registry: &Registry, rule: &[u8]) -> Outcome {
    let is = |word: &str| rule.eq_ignore_ascii_case(word.as_bytes());
    match rule {
        _ if is("allkeys") || is("~*") => {
            selector.all_keys = true;
            selector.keys.clear();
        }
        _ if is("resetkeys") => {
            selector.all_keys = false;
            selector.keys.clear();
        }
        _ if is("allchannels") || is("&*") => {
            selector.all_channels = true;
            selector.channels.clear();
        }
        _ if is("resetchannels") => {
            selector.all_channels = false;
            selector.channels.clear();
        }
        _ if is("allcommands") || is("+@all") => selector.set_all_commands(true),
        _ if is("nocommands") || is("-@all") => selector.set_all_commands(false),
        [b'~' | b'%', ..] => return add_key_pattern(selector, rule),
        [b'&', channel @ ..] => {
            if selector.all_channels {
                return Err(
                    "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have \
                     any effect. Try 'resetchannels' to start with an empty list of channels",
                );
            }
            if has_spaces(channel) {
                return Err(SYNTAX);
            }
            if !selector.channels.iter().any(|known| known == channel) {
                selector.channels.push(channel.to_vec());
            }
        }
        [sign @ (b'+' | b'-'), b'@', category @ ..] => {
            set_category(selector, registry, category, *sign == b'+')?;
        }
        [b'+', name @ ..] => return allow_command(selector, registry, name),
        [b'-', name @ ..] => {
            let number = registry.find_full(name).ok_or(UNKNOWN)?;
            set_command(selector, registry, number, false);
            selector.add_rule(&registry.entry(number).full_name, false);
        }
        _ => return Err(SYNTAX),
    }
    Ok(())
}

/// Names and patterns stand in lines that are parted at spaces.
pub fn has_spaces(text: &[u8]) -> bool {
    text.iter().any(|byte| byte.is_ascii_whitespace() || matches!(byte, 0 | 0x0b))
}

fn add_key_pattern(selector: &mut Selector, rule: &[u8]) -> Outcome {
    if selector.all_keys {
        return Err(
            "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any \
                    effect. Try 'resetkeys' to start with an empty list of patterns",
        );
    }
    // Rights without a tilde are taken, as Redis takes them, for a pattern that matches the empty key alone.
    let tilde = memchr::memchr(b'~', rule).unwrap_or(rule.len());
    let (reads, writes) = match rule[..tilde].to_ascii_uppercase().as_slice() {
        b"" | b"%RW" | b"%WR" => (true, true),
        b"%R" => (true, false),
        b"%W" => (false, true),
        _ => return Err(SYNTAX),
    };
    let pattern = rule.get(tilde + 1..).unwrap_or_default();
    if has_spaces(pattern) {
        return Err(SYNTAX);
    }
    match selector.keys.iter_mut().find(|known| known.pattern == pattern) {
        Some(known) => {
            known.reads |= reads;
            known.writes |= writes;
        }
        None => selector.keys.push(KeyPattern { pattern: pattern.to_vec(), reads, writes }),
    }
    Ok(())
}

fn set_category(selector: &mut Selector, registry: &Registry, name: &[u8], allowed: bool) -> Outcome {
    let category = Categories::from_name(name).ok_or(UNKNOWN)?;
    for (number, entry) in registry.entries().iter().enumerate() {
        if entry.categories.has(category) {
            selector.set_command(number, allowed);
        }
    }
    selector.add_rule(&format!("@{}", String::from_utf8_lossy(name)), allowed);
    Ok(())
}

/// A container stands for all its subcommands.
fn set_command(selector: &mut Selector, registry: &Registry, number: usize, allowed: bool) {
    selector.set_command(number, allowed);
    for &subcommand in &registry.entry(number).subcommands {
        selector.set_command(subcommand, allowed);
    }
}

fn allow_command(selector: &mut Selector, registry: &Registry, name: &[u8]) -> Outcome {
    let Some(bar) = name.iter().rposition(|byte| *byte == b'|') else {
        let number = registry.find(name).ok_or(UNKNOWN)?;
        set_command(selector, registry, number, true);
        selector.add_rule(&registry.entry(number).full_name, true);
        return Ok(());
    };
    let (command, argument) = (&name[..bar], &name[bar + 1..]);
    let number = registry.find_full(command).ok_or(UNKNOWN)?;
    let entry = registry.entry(number);
    if entry.container.is_some() {
        return Err("Allowing first-arg of a subcommand is not supported");
    }
    if argument.is_empty() {
        return Err(SYNTAX);
    }
    if entry.subcommands.is_empty() {
        // Old, and still good for SELECT 0 and its like.
        selector.allow_first_argument(number, argument);
    } else {
        let number = registry.find_full(name).ok_or(UNKNOWN)?;
        set_command(selector, registry, number, true);
    }
    selector.add_rule(&String::from_utf8_lossy(name), true);
    Ok(())
}

/// A refusal: what was refused, and the word it is about.
pub struct Denied {
    pub reason: Reason,
    position: usize,
}

/// Whether one of a user's selectors allows a request as a whole; if none does, what stands in the way.
pub fn check_user(user: &User, number: usize, command: &Command, words: &Args) -> Result<(), Denied> {
    let mut denied = Denied { reason: Reason::Command, position: 0 };
    let rank = |reason: Reason| match reason {
        Reason::Command => 0,
        Reason::Key => 1,
        Reason::Channel | Reason::Auth => 2,
    };
    for selector in user.all_selectors() {
        match check_selector(selector, number, command, words) {
            Ok(()) => return Ok(()),
            Err(other) if (rank(other.reason), other.position) > (rank(denied.reason), denied.position) => {
                denied = other;
            }
            Err(_) => {}
        }
    }
    Err(denied)
}

fn check_selector(selector: &Selector, number: usize, command: &Command, words: &Args) -> Result<(), Denied> {
    let first = 1 + usize::from(command.container_name().is_some());
    let first = (first < words.argc()).then(|| words.get(first));
    if !command.flags.has(NO_AUTH) && !selector.allows_command(number, first) {
        return Err(Denied { reason: Reason::Command, position: 0 });
    }
    if !selector.all_keys {
        let found = keyspec::find(command.name, command.keys, words.argc(), &|index| words.get(index));
        for (position, flags) in found.iter() {
            if !selector.allows_key(words.get(position), flags.needs_read(), flags.needs_write()) {
                return Err(Denied { reason: Reason::Key, position });
            }
        }
    }
    let (channels, is_pattern) = match command.name {
        "SUBSCRIBE" | "SSUBSCRIBE" => (1..words.argc(), false),
        "PSUBSCRIBE" => (1..words.argc(), true),
        "PUBLISH" | "SPUBLISH" => (1..2, false),
        _ => (0..0, false),
    };
    for position in channels {
        if !selector.allows_channel(words.get(position), is_pattern) {
            return Err(Denied { reason: Reason::Channel, position });
        }
    }
    Ok(())
}

/// Whether the client may run its command on any key it likes to read.
pub fn reads_every_key(ctx: &mut Ctx) -> bool {
    if !ctx.client().flags.has(ClientFlags::ACL_LIMITED) {
        return true;
    }
    let (registry, command) = (ctx.registry, ctx.command);
    let name = ctx.client().user.clone();
    let Some(user) = ctx.server.acl.users.get(&name) else { return false };
    let number = registry.find_full(command.full_name().as_bytes());
    user.all_selectors().any(|selector| {
        let all_keys =
            selector.all_keys || selector.keys.iter().any(|allowed| allowed.reads && allowed.pattern == b"*");
        all_keys && number.is_some_and(|number| selector.allows_command(number, None))
    })
}

impl Denied {
    /// What the client is told; `named` says which key or channel it was.
    pub fn message(
        &self,
        user: &[u8],
        registry: &Registry,
        number: usize,
        words: &Args,
        named: bool,
    ) -> String {
        let user = String::from_utf8_lossy(user);
        let word = String::from_utf8_lossy(words.get(self.position));
        let kind = if self.reason == Reason::Key { "key" } else { "channel" };
        match self.reason {
            Reason::Command => {
                let command = &registry.entry(number).full_name;
                format!("User {user} has no permissions to run the '{command}' command")
            }
            _ if named => format!("User {user} has no permissions to access the '{word}' {kind}"),
            _ => format!("No permissions to access a {kind}"),
        }
    }
}

/// Where a command comes from, as ACL LOG names it and the error depends on it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Context {
    TopLevel,
    /// Being queued.
    Multi,
    Exec,
    Script,
}

/// The check of one request of a client whose user may not do everything.
pub fn check(
    server: &mut Server,
    registry: &Registry,
    id: ClientId,
    (number, command): (usize, &Command),
    words: &Args,
    context: Context,
) -> Result<(), Error> {
    let Some(name) = server.clients.get(id).map(|client| client.user.clone()) else { return Ok(()) };
    let Some(user) = server.acl.users.get(&name) else { return Ok(()) };
    let Err(denied) = check_user(user, number, command, words) else { return Ok(()) };
    let object = match denied.reason {
        Reason::Command => registry.entry(number).full_name.as_bytes().to_vec(),
        _ => words.get(denied.position).to_vec(),
    };
    let place = match context {
        Context::TopLevel => "toplevel",
        Context::Multi | Context::Exec => "multi",
        Context::Script => "lua",
    };
    server.log_denied(id, denied.reason, place, &object, None);
    let message = denied.message(&name, registry, number, words, false);
    Err(match context {
        Context::TopLevel | Context::Multi => format_error!("NOPERM {message}"),
        Context::Script => format_error!("ERR ACL failure in script: {message}"),
        Context::Exec => {
            let reason = match denied.reason {
                Reason::Command => "no permission to execute the command or subcommand",
                Reason::Key => "no permission to touch the specified keys",
                Reason::Channel | Reason::Auth => {
                    "no permission to access one of the channels used as arguments"
                }
            };
            format_error!(
                "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. \
                 This command is no longer allowed for the following reason: {reason}"
            )
        }
    })
}

/// ACL SETUSER: all rules or none.
pub fn set_user(server: &mut Server, registry: &Registry, name: &[u8], rules: &[&[u8]]) -> Result<(), Error> {
    let all_channels = server.config.acl_all_channels;
    let mut user = server.acl.users.get(name).cloned().unwrap_or_else(|| User::new(all_channels));
    for rule in merged(rules) {
        if rule.first() == Some(&b'(') && rule.last() != Some(&b')') {
            return Err(format_error!(
                "ERR Unmatched parenthesis in acl selector starting at '{}'.",
                String::from_utf8_lossy(&rule)
            ));
        }
        if let Err(problem) = apply_rule(&mut user, registry, &rule, all_channels) {
            return Err(format_error!(
                "ERR Error in ACL SETUSER modifier '{}': {problem}",
                String::from_utf8_lossy(&rule)
            ));
        }
    }
    server.put_user(name, user);
    Ok(())
}

/// A selector may come in several words: `(+get`, `~a)` is one rule.
fn merged(rules: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut merged: Vec<Vec<u8>> = Vec::new();
    let mut is_open = false;
    for rule in rules {
        match merged.last_mut().filter(|_| is_open) {
            Some(selector) => {
                selector.push(b' ');
                selector.extend_from_slice(rule);
            }
            None => merged.push(rule.to_vec()),
        }
        is_open = (is_open || rule.first() == Some(&b'(')) && rule.last() != Some(&b')');
    }
    merged
}

/// The ACL file: a line a user.
pub fn to_file(server: &Server) -> Vec<u8> {
    let mut text = Vec::new();
    for (name, user) in &server.acl.users {
        text.extend_from_slice(&[b"user ", name.as_slice(), b" ", &user.text(), b"\n"].concat());
    }
    text
}

/// Takes the users of an ACL file in the place of all there are; any error leaves everything as it was. Users that are
/// no longer there lose their connections.
pub fn from_file(server: &mut Server, registry: &Registry, path: &[u8], text: &[u8]) -> Result<(), String> {
    let all_channels = server.config.acl_all_channels;
    let path = String::from_utf8_lossy(path);
    let mut users: Vec<(Vec<u8>, User)> = Vec::new();
    let mut problems = String::new();
    for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let number = index + 1;
        let line = line.trim_ascii();
        if line.is_empty() || line[0] == b'#' {
            continue;
        }
        let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').filter(|word| !word.is_empty()).collect();
        let [b"user", name, rules @ ..] = words.as_slice() else {
            problems.push_str(&format!(
                "{path}:{number} should start with user keyword followed by the username. "
            ));
            continue;
        };
        if users.iter().any(|(known, _)| known == name) {
            let name = String::from_utf8_lossy(name);
            problems.push_str(&format!("WARNING: Duplicate user '{name}' found on line {number}. "));
            continue;
        }
        let mut user = User::new(all_channels);
        let mut is_wrong = false;
        for rule in merged(rules) {
            match apply_rule(&mut user, registry, &rule, all_channels) {
                Ok(()) => {}
                Err(UNKNOWN) => {
                    let rule = String::from_utf8_lossy(&rule);
                    problems.push_str(&format!(
                        "{path}:{number}: Error in applying operation '{rule}': {UNKNOWN}. "
                    ));
                }
                // What is wrong after the first may follow from it.
                Err(_) if is_wrong => {}
                Err(problem) => {
                    is_wrong = true;
                    problems.push_str(&format!("{path}:{number}: {problem}. "));
                }
            }
        }
        users.push((name.to_vec(), user));
    }
    if !problems.is_empty() {
        problems.push_str(
            "WARNING: ACL errors detected, no change to the previously active ACL rules was performed",
        );
        return Err(problems);
    }
    let is_default = |(name, _): &(Vec<u8>, User)| name.as_slice() == crate::server::acl::DEFAULT;
    if !users.iter().any(is_default) {
        users.push((crate::server::acl::DEFAULT.to_vec(), User::unlimited()));
    }
    let gone: Vec<Vec<u8>> = server
        .acl
        .users
        .keys()
        .filter(|name| !users.iter().any(|(kept, _)| kept == *name))
        .cloned()
        .collect();
    for name in gone {
        server.remove_user(&name);
    }
    for (name, user) in users {
        server.put_user(&name, user);
    }
    Ok(())
}

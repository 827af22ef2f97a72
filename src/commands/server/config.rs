//! CONFIG: parameters shown, changed many at once or not at all, and written back to the file.

use crate::command::declaration::*;
use crate::command::{Args, Ctx};
use crate::data::glob;
use crate::format_error;
use crate::resp::ReplyWriter;
use crate::server::config::{self, PARAMETERS, Parameter};
use crate::server::error::{self, Error, Result};
use crate::server::event::Event;

use super::debug::is_allowed;

pub const COMMANDS: &[Command] = &[CONFIG_GET, CONFIG_RESETSTAT, CONFIG_REWRITE, CONFIG_SET];

pub const CONFIG_GET: Command = Command {
    name: "CONFIG GET",
    syntax: "parameter ...",
    summary: "Shows the values of configuration parameters.",
    since: "2.0.0",
    complexity: "O(N) with N the number of parameters asked for",
    group: Group::Server,
    flags: ADMIN.and(NOSCRIPT).and(LOADING).and(STALE),
    history: &[("7.0.0", "Takes several patterns.")],
    run: config_get,
    ..Command::BASE
};

fn config_get(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let patterns: Vec<&[u8]> = args.rest().collect();
    // A name in full is shown as it was asked for.
    let wanted = |name: &'static str, parameter: &Parameter| {
        patterns.iter().find_map(|pattern| match memchr::memchr3(b'*', b'?', b'[', pattern) {
            None => name.as_bytes().eq_ignore_ascii_case(pattern).then_some(*pattern),
            Some(_) => (!parameter.is_hidden && glob::matches_nocase(pattern, name.as_bytes()))
                .then_some(name.as_bytes()),
        })
    };
    let mark = reply.mark();
    let mut count = 0;
    for (number, parameter) in PARAMETERS.iter().enumerate() {
        for name in [Some(parameter.name), parameter.alias].into_iter().flatten() {
            if let Some(name) = wanted(name, parameter) {
                reply.bulk(name);
                reply.bulk(ctx.server.config.text(number));
                count += 1;
            }
        }
    }
    reply.close_map(mark, count);
    Ok(())
}

/// A parameter's number, its name as given, and its new value.
type Setting<'a> = (usize, &'a [u8], &'a [u8]);

/// The parameters to be set, checked as far as can be without setting them.
fn parse_settings<'a>(ctx: &Ctx, args: &mut Args<'a>) -> Result<Vec<Setting<'a>>> {
    if !args.left().is_multiple_of(2) {
        return Err(error::SYNTAX);
    }
    let allows_protected = is_allowed(ctx, "enable-protected-configs");
    let mut settings: Vec<Setting> = Vec::new();
    let mut wrong = None;
    while !args.is_empty() {
        let (name, value) = (args.next()?, args.next()?);
        let Some(number) = config::find(name) else {
            return Err(wrong.unwrap_or(format_error!(
                "ERR Unknown option or number of arguments for CONFIG SET - '{}'",
                String::from_utf8_lossy(name)
            )));
        };
        let parameter = &PARAMETERS[number];
        let problem = if parameter.is_fixed {
            Some("can't set immutable config")
        } else if parameter.is_protected && !allows_protected {
            Some("can't set protected config")
        } else if settings.iter().any(|(other, ..)| *other == number) {
            Some("duplicate parameter")
        } else {
            None
        };
        wrong = wrong.or(problem.map(|problem| failed(name, problem)));
        settings.push((number, name, value));
    }
    wrong.map_or(Ok(settings), Err)
}

fn failed(name: &[u8], problem: &str) -> Error {
    format_error!(
        "ERR CONFIG SET failed (possibly related to argument '{}') - {problem}",
        String::from_utf8_lossy(name)
    )
}

pub const CONFIG_SET: Command = Command {
    name: "CONFIG SET",
    syntax: "(parameter value) ...",
    summary: "Changes configuration parameters of the running server.",
    since: "2.0.0",
    complexity: "O(N) with N the number of parameters given",
    group: Group::Server,
    flags: ADMIN.and(NOSCRIPT).and(LOADING).and(STALE),
    tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
    history: &[("7.0.0", "Takes several parameters.")],
    run: config_set,
    ..Command::BASE
};

fn config_set(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let settings = parse_settings(ctx, args)?;
    let config = &mut ctx.server.config;
    let mut old: Vec<(usize, Vec<u8>)> = Vec::new();
    let mut changed = Vec::new();
    for (number, name, value) in settings {
        old.push((number, config.text(number).to_vec()));
        match config.set_string(number, value) {
            Ok(true) => changed.push(number),
            Ok(false) => {}
            Err(problem) => {
                for (number, text) in old {
                    config.put(number, text);
                }
                return Err(failed(name, &problem));
            }
        }
    }
    const LISTENING: [(&str, &str); 2] = [
        ("port", "Unable to listen on this port. Check server logs."),
        ("bind", "Failed to bind to specified addresses."),
    ];
    for (name, problem) in LISTENING {
        let is_changed = changed.iter().any(|&number| PARAMETERS[number].name == name);
        if is_changed && ctx.server.can_listen.is_some_and(|can_listen| !can_listen(config, name)) {
            for (number, text) in old {
                config.put(number, text);
            }
            return Err(failed(name.as_bytes(), problem));
        }
    }
    for number in changed {
        let name = PARAMETERS[number].name;
        ctx.server.follow_config(name);
        ctx.server.emit(Event::ConfigChanged(name));
    }
    reply.ok();
    Ok(())
}

pub const CONFIG_RESETSTAT: Command = Command {
    name: "CONFIG RESETSTAT",
    summary: "Sets the server's counters back to zero.",
    since: "2.0.0",
    group: Group::Server,
    flags: ADMIN.and(NOSCRIPT).and(LOADING).and(STALE),
    tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
    run: config_resetstat,
    ..Command::BASE
};

fn config_resetstat(ctx: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    ctx.server.stats.reset();
    reply.ok();
    Ok(())
}

pub const CONFIG_REWRITE: Command = Command {
    name: "CONFIG REWRITE",
    summary: "Writes the configuration in force to the configuration file.",
    since: "2.8.0",
    group: Group::Server,
    flags: ADMIN.and(NOSCRIPT).and(LOADING).and(STALE),
    tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
    run: config_rewrite,
    ..Command::BASE
};

fn config_rewrite(ctx: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    if ctx.server.config.config_file.is_none() {
        return Err(Error::new("ERR The server is running without a config file"));
    }
    ctx.server.emit(Event::RewriteConfig);
    reply.ok();
    Ok(())
}

//! SLOWLOG, LATENCY and HOTKEYS: what took long, and why.

use crate::command::call::wrong_subcommand;
use crate::command::declaration::*;
use crate::command::{Args, Ctx};
use crate::data::number;
use crate::format_error;
use crate::resp::ReplyWriter;
use crate::server::error::{self, Error, Result};
use crate::server::hotkeys::Session;
use crate::server::latency::Sample;

pub const COMMANDS: &[Command] = &[
    HOTKEYS_GET,
    HOTKEYS_RESET,
    HOTKEYS_START,
    HOTKEYS_STOP,
    LATENCY_DOCTOR,
    LATENCY_GRAPH,
    LATENCY_HISTOGRAM,
    LATENCY_HISTORY,
    LATENCY_LATEST,
    LATENCY_RESET,
    SLOWLOG_GET,
    SLOWLOG_LEN,
    SLOWLOG_RESET,
];

const SLOWLOG_SHOWN: usize = 10;

pub const SLOWLOG_GET: Command = Command {
    name: "SLOWLOG GET",
    syntax: "[count]",
    summary: "Shows the latest entries of the slow log.",
    since: "2.2.12",
    complexity: "O(N) with N the number of entries shown",
    group: Group::Server,
    flags: ADMIN.and(LOADING).and(STALE),
    tips: &["request_policy:all_nodes", "nondeterministic_output"],
    history: &[
        ("4.0.0", "Shows the client's address and name."),
        ("8.10.0", "Shows how many arguments the command had."),
    ],
    run: slowlog_get,
    ..Command::BASE
};

fn slowlog_get(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let count = match args.peek() {
        None => SLOWLOG_SHOWN,
        Some(word) => match number::parse_i64(word) {
            Some(-1) => usize::MAX,
            Some(count @ 0..) => usize::try_from(count).unwrap_or(usize::MAX),
            _ => return Err(Error::new("ERR count should be greater than or equal to -1")),
        },
    };
    if args.left() > 1 {
        return Err(wrong_subcommand(ctx.command));
    }
    let log = &ctx.server.slowlog;
    reply.array(count.min(log.len()));
    for entry in log.entries().take(count) {
        reply.array(7);
        reply.integer(entry.id as i64);
        reply.integer(entry.time as i64);
        reply.integer(entry.microseconds as i64);
        reply.array(entry.arguments.len());
        for argument in &entry.arguments {
            reply.bulk(argument);
        }
        reply.bulk_str(&entry.address);
        reply.bulk(&entry.client_name);
        reply.count(entry.argument_count);
    }
    Ok(())
}

pub const SLOWLOG_LEN: Command = Command {
    name: "SLOWLOG LEN",
    summary: "Counts the entries of the slow log.",
    since: "2.2.12",
    group: Group::Server,
    flags: ADMIN.and(LOADING).and(STALE),
    tips: &["request_policy:all_nodes", "response_policy:agg_sum", "nondeterministic_output"],
    run: slowlog_len,
    ..Command::BASE
};

fn slowlog_len(ctx: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    reply.count(ctx.server.slowlog.len());
    Ok(())
}

pub const SLOWLOG_RESET: Command = Command {
    name: "SLOWLOG RESET",
    summary: "Empties the slow log.",
    since: "2.2.12",
    complexity: "O(N) with N the number of entries",
    group: Group::Server,
    flags: ADMIN.and(LOADING).and(STALE),
    tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
    run: slowlog_reset,
    ..Command::BASE
};

fn slowlog_reset(ctx: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    ctx.server.slowlog.clear();
    reply.ok();
    Ok(())
}

pub const LATENCY_HISTORY: Command = Command {
    name: "LATENCY HISTORY",
    syntax: "event",
    summary: "Lists the recorded latencies of an event.",
    since: "2.8.13",
    group: Group::Server,
    flags: ADMIN.and(NOSCRIPT).and(LOADING).and(STALE),
    tips: &["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
    run: latency_history,
    ..Command::BASE
};

fn latency_history(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let event = args.next()?;
    let series = ctx.server.latency.events.iter().find(|(name, _)| name.as_bytes() == event);
    let samples: Vec<Sample> = series.map(|(_, series)| series.samples().collect()).unwrap_or_default();
    reply.array(samples.len());
    for sample in samples {
        reply.array(2);
        reply.integer(sample.time as i64);
        reply.integer(sample.milliseconds as i64);
    }
    Ok(())
}

pub const LATENCY_LATEST: Command = Command {
    name: "LATENCY LATEST",
    summary: "Lists the latest latency of every event.",
    since: "2.8.13",
    group: Group::Server,
    flags: ADMIN.and(NOSCRIPT).and(LOADING).and(STALE),
    tips: &["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
    run: latency_latest,
    ..Command::BASE
};

fn latency_latest(ctx: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    let events = &ctx.server.latency.events;
    reply.array(events.len());
    for (name, series) in events {
        let last = series.samples().next_back().unwrap_or(Sample { time: 0, milliseconds: 0 });
        reply.array(4);
        reply.bulk_str(name);
        reply.integer(last.time as i64);
        reply.integer(last.milliseconds as i64);
        reply.integer(series.milliseconds_max as i64);
    }
    Ok(())
}

pub const LATENCY_RESET: Command = Command {
    name: "LATENCY RESET",
    syntax: "[event ...]",
    summary: "Forgets the recorded latencies of events.",
    since: "2.8.13",
    group: Group::Server,
    flags: ADMIN.and(NOSCRIPT).and(LOADING).and(STALE),
    tips: &["request_policy:all_nodes", "response_policy:agg_sum"],
    run: latency_reset,
    ..Command::BASE
};

fn latency_reset(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let events = &mut ctx.server.latency.events;
    let before = events.len();
    if args.is_empty() {
        events.clear();
    }
    for event in args.rest() {
        events.retain(|name, _| name.as_bytes() != event);
    }
    reply.count(before - events.len());
    Ok(())
}

/// Rows of a graph, the labels below it aside.
const GRAPH_ROWS: u64 = 4;
const GRAPH_COLUMNS: usize = 80;

pub const LATENCY_GRAPH: Command = Command {
    name: "LATENCY GRAPH",
    syntax: "event",
    summary: "Draws the latency of an event over time.",
    since: "2.8.13",
    group: Group::Server,
    flags: ADMIN.and(NOSCRIPT).and(LOADING).and(STALE),
    tips: &["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
    run: latency_graph,
    ..Command::BASE
};

fn latency_graph(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let event = args.next()?;
    let now = ctx.now_ms() / 1000;
    let series = ctx.server.latency.events.iter().find(|(name, _)| name.as_bytes() == event);
    let Some((name, series)) = series else {
        return Err(format_error!("ERR No samples available for event '{}'", String::from_utf8_lossy(event)));
    };
    let samples: Vec<Sample> = series.samples().collect();
    let shown = &samples[samples.len().saturating_sub(GRAPH_COLUMNS)..];
    let values = || shown.iter().map(|sample| sample.milliseconds);
    let (low, high) = (values().min().unwrap_or(0), values().max().unwrap_or(0));
    let mut text = format!(
        "{name} - high {high} ms, low {low} ms (all time high {} ms)\n{}\n",
        series.milliseconds_max,
        "-".repeat(GRAPH_COLUMNS)
    );
    text.push_str(&columns(shown, low, high));
    text.push_str(&ages(shown, now));
    text.push('\n');
    reply.verbatim("txt", text.as_bytes());
    Ok(())
}

/// The bars: in each row a value may reach the lower, the middle or the upper third.
fn columns(samples: &[Sample], low: u64, high: u64) -> String {
    const TOPS: [char; 3] = ['_', 'o', '#'];
    let steps = GRAPH_ROWS * 3 - 1;
    let level = |sample: &Sample| ((sample.milliseconds - low) * steps).div_ceil((high - low).max(1));
    let mut text = String::new();
    for row in (0..GRAPH_ROWS).rev() {
        let line: String = samples
            .iter()
            .map(|sample| match level(sample) {
                level if level / 3 > row => '|',
                level if level / 3 < row => ' ',
                level => TOPS[(level % 3) as usize],
            })
            .collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// How long ago each sample was, written downwards.
fn ages(samples: &[Sample], now: u64) -> String {
    let labels: Vec<String> = samples
        .iter()
        .map(|sample| match now.saturating_sub(sample.time) {
            seconds @ 0..60 => format!("{seconds}s"),
            seconds @ 60..3600 => format!("{}m", seconds / 60),
            seconds @ 3600..86400 => format!("{}h", seconds / 3600),
            seconds => format!("{}d", seconds / 86400),
        })
        .collect();
    let mut text = String::new();
    for row in 0..labels.iter().map(String::len).max().unwrap_or(0) {
        let line: String =
            labels.iter().map(|label| label.as_bytes().get(row).map_or(' ', |byte| *byte as char)).collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

pub const LATENCY_DOCTOR: Command = Command {
    name: "LATENCY DOCTOR",
    summary: "Gives a readable diagnosis of latency.",
    since: "2.8.13",
    group: Group::Server,
    flags: ADMIN.and(NOSCRIPT).and(LOADING).and(STALE),
    tips: &["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
    run: latency_doctor,
    ..Command::BASE
};

fn latency_doctor(ctx: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    let server = &*ctx.server;
    let mut text = String::new();
    if server.latency.events.is_empty() && server.config.latency_threshold_ms == 0 {
        text.push_str(
            "Latency monitoring is disabled, so there is nothing to look at. \
             CONFIG SET latency-monitor-threshold <milliseconds> enables it.\n",
        );
    } else if server.latency.events.is_empty() {
        text.push_str("No latency spike was seen so far. All is well.\n");
    } else {
        text.push_str("Latency spikes were seen:\n\n");
        for (number, (name, series)) in server.latency.events.iter().enumerate() {
            let samples = series.samples().len() as u64;
            let sum: u64 = series.samples().map(|sample| sample.milliseconds).sum();
            text.push_str(&format!(
                "{}. {name}: {samples} latency spikes (average {}ms, worst all time {}ms).\n",
                number + 1,
                sum / samples.max(1),
                series.milliseconds_max
            ));
        }
        text.push_str(
            "\nAdvice:\n\n- SLOWLOG GET shows which commands took long; see their complexity with HELP.\n\
             - Deleting or walking over very big keys takes time in proportion to their size: \
             prefer UNLINK, SCAN and its kin.\n",
        );
    }
    reply.verbatim("txt", text.as_bytes());
    Ok(())
}

pub const LATENCY_HISTOGRAM: Command = Command {
    name: "LATENCY HISTOGRAM",
    syntax: "[command ...]",
    summary: "Shows how the running times of commands are spread.",
    since: "7.0.0",
    complexity: "O(N) with N the number of commands shown",
    group: Group::Server,
    flags: ADMIN.and(NOSCRIPT).and(LOADING).and(STALE),
    tips: &["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
    run: latency_histogram,
    ..Command::BASE
};

fn latency_histogram(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let mut numbers: Vec<usize> = Vec::new();
    if args.is_empty() {
        numbers.extend(0..ctx.registry.len());
    }
    for name in args.rest() {
        if let Some(number) = ctx.registry.find_full(name) {
            let subcommands = &ctx.registry.entry(number).subcommands;
            if subcommands.is_empty() {
                numbers.push(number);
            }
            numbers.extend(subcommands);
        }
    }
    let mark = reply.mark();
    let mut count = 0;
    for number in numbers {
        let Some(stats) = ctx.server.stats.commands.get(number) else { continue };
        let Some(histogram) = &stats.latency else { continue };
        reply.bulk_str(&ctx.registry.entry(number).full_name);
        reply.map(2);
        reply.bulk_str("calls");
        reply.integer(histogram.total() as i64);
        reply.bulk_str("histogram_usec");
        let buckets = histogram.cumulative();
        reply.map(buckets.len());
        for (limit, seen) in buckets {
            reply.integer(limit as i64);
            reply.integer(seen as i64);
        }
        count += 1;
    }
    reply.close_map(mark, count);
    Ok(())
}

pub const HOTKEYS_START: Command = Command {
    name: "HOTKEYS START",
    syntax: "METRICS (count [CPU] [NET]) [COUNT k] [DURATION seconds] [SAMPLE ratio] [SLOTS (count slot ...)]",
    summary: "Starts to look for the keys that cost most.",
    since: "8.6.0",
    group: Group::Server,
    flags: ADMIN.and(NOSCRIPT),
    arity: Some(-2),
    tips: &["request_policy:special"],
    run: hotkeys_start,
    ..Command::BASE
};

fn hotkeys_start(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    let mut metrics = None;
    let now_ms = ctx.now_ms();
    let mut session = Session::new(now_ms, false, false);
    while !args.is_empty() {
        if args.accept_with("METRICS", 1) {
            metrics = Some(args.integer_in(1, 2, Error::new("ERR METRICS count must be positive"))?);
            for _ in 0..metrics.unwrap_or(0) {
                match () {
                    () if args.accept("CPU") => session.by_cpu = true,
                    () if args.accept("NET") => session.by_net = true,
                    () => return Err(error::SYNTAX),
                }
            }
        } else if args.accept_with("COUNT", 1) {
            session.count =
                args.integer_in(1, 64, Error::new("ERR COUNT must be between 1 and 64"))? as usize;
        } else if args.accept_with("DURATION", 1) {
            let seconds = args.integer_in(0, 1_000_000, error::OUT_OF_RANGE)? as u64;
            session.ends_ms = (seconds > 0).then(|| now_ms + seconds * 1000);
        } else if args.accept_with("SAMPLE", 1) {
            session.sample_ratio = args.integer_in(1, i64::MAX, error::OUT_OF_RANGE_POSITIVE)? as u64;
        } else if args.accept("SLOTS") {
            return Err(Error::new("ERR SLOTS parameter cannot be used in non-cluster mode"));
        } else {
            return Err(error::SYNTAX);
        }
    }
    if metrics.is_none() {
        return Err(Error::new("ERR METRICS parameter is required"));
    }
    if ctx.server.hotkeys.is_active(now_ms) {
        return Err(Error::new("ERR hotkeys collection is already in progress"));
    }
    ctx.server.hotkeys.session = Some(session);
    reply.ok();
    Ok(())
}

pub const HOTKEYS_STOP: Command = Command {
    name: "HOTKEYS STOP",
    summary: "Stops looking for hot keys and keeps what was found.",
    since: "8.6.0",
    group: Group::Server,
    flags: ADMIN.and(NOSCRIPT),
    tips: &["request_policy:special"],
    run: hotkeys_stop,
    ..Command::BASE
};

fn hotkeys_stop(ctx: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    let now_ms = ctx.now_ms();
    match ctx.server.hotkeys.session.as_mut().filter(|session| session.is_active(now_ms)) {
        None => reply.null(),
        Some(session) => {
            session.stopped_ms = Some(now_ms);
            reply.ok();
        }
    }
    Ok(())
}

pub const HOTKEYS_RESET: Command = Command {
    name: "HOTKEYS RESET",
    summary: "Drops what the search for hot keys has gathered.",
    since: "8.6.0",
    group: Group::Server,
    flags: ADMIN.and(NOSCRIPT),
    tips: &["request_policy:special"],
    run: hotkeys_reset,
    ..Command::BASE
};

fn hotkeys_reset(ctx: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    if ctx.server.hotkeys.is_active(ctx.now_ms()) {
        return Err(Error::new("ERR hotkeys collection is in progress, stop it first"));
    }
    ctx.server.hotkeys.session = None;
    reply.ok();
    Ok(())
}

pub const HOTKEYS_GET: Command = Command {
    name: "HOTKEYS GET",
    summary: "Shows the hot keys found so far.",
    since: "8.6.0",
    complexity: "O(K) with K the number of hot keys shown",
    group: Group::Server,
    flags: ADMIN.and(NOSCRIPT),
    tips: &["nondeterministic_output", "request_policy:special", "response_policy:special"],
    run: hotkeys_get,
    ..Command::BASE
};

fn hotkeys_get(ctx: &mut Ctx, _: &mut Args, reply: &mut ReplyWriter) -> Result {
    let now_ms = ctx.now_ms();
    let Some(session) = &ctx.server.hotkeys.session else {
        reply.null_array();
        return Ok(());
    };
    reply.array(1);
    reply.map(7 + 3 * usize::from(session.by_cpu) + 2 * usize::from(session.by_net));
    let mut field = |name: &str, value: u64| {
        reply.bulk_str(name);
        reply.integer(value as i64);
    };
    field("tracking-active", u64::from(session.is_active(now_ms)));
    field("sample-ratio", session.sample_ratio);
    reply.bulk_str("selected-slots");
    reply.array(1);
    reply.array(2);
    reply.integer(0);
    reply.integer(16383);
    let mut field = |name: &str, value: u64| {
        reply.bulk_str(name);
        reply.integer(value as i64);
    };
    field("all-commands-all-slots-us", session.microseconds);
    field("net-bytes-all-commands-all-slots", session.net_bytes);
    field("collection-start-time-unix-ms", session.started_ms);
    field("collection-duration-ms", session.ended_ms(now_ms) - session.started_ms);
    if session.by_cpu {
        field("total-cpu-time-user-ms", session.microseconds / 1000);
        field("total-cpu-time-sys-ms", 0);
    }
    if session.by_net {
        field("total-net-bytes", session.net_bytes);
    }
    for (is_wanted, name, by_cpu) in
        [(session.by_cpu, "by-cpu-time-us", true), (session.by_net, "by-net-bytes", false)]
    {
        if is_wanted {
            let top = session.top(by_cpu);
            reply.bulk_str(name);
            reply.array(2 * top.len());
            for (key, cost) in top {
                reply.bulk(key);
                reply.integer(cost as i64);
            }
        }
    }
    Ok(())
}

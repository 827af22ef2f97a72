//! Against a real redis-server 7.0.15: commands generated from the syntax lines go to both, and every reply must be the
//! same, byte for byte once decoded, in RESP2 and RESP3. `ORACLE_SEEDS=10000` runs more seeds, `ORACLE_FIRST=n` begins at
//! another, `ORACLE_SEED=n` runs one; a failure prints a minimal transcript. Without a redis-server on the machine the test
//! says so and fails: `cargo xtask test` installs it.

mod compare;
mod generator;
mod servers;

use resplay::cli::format::{self, Style};
use resplay::cli::split;
use resplay::resp::reply::Reply;

use compare::{first_difference, with_changes};
use generator::Generator;
use servers::{Oracle, Ours};

const COMMANDS_PER_SEED: usize = 300;
const SEEDS: u64 = 150;

/// A library with a function that calls the command it is given.
const LIBRARY: &str = "#!lua name=library\n\
    redis.register_function('call', function(keys, args) return redis.call(unpack(args)) end)";

type Line = Vec<Vec<u8>>;

fn words(text: &str) -> Line {
    text.split(' ').map(|word| word.as_bytes().to_vec()).collect()
}

/// Values of every type and encoding as the other server dumps them.
fn payloads(oracle: &mut Oracle) -> Vec<Vec<u8>> {
    let many = |start: &str, in_pairs: bool| {
        let mut line = words(start);
        for number in 0..600 {
            line.push(number.to_string().into_bytes());
            if in_pairs {
                line.push(format!("value {number}").into_bytes());
            }
        }
        line
    };
    let lines = [
        words("SET d:1 text"),
        words("SET d:2 12345"),
        vec![b"SET".to_vec(), b"d:3".to_vec(), vec![b'x'; 500]],
        words("RPUSH d:4 a b 3"),
        many("RPUSH d:5", true),
        words("SADD d:6 1 2 70000"),
        words("SADD d:7 a b c"),
        many("SADD d:8", true),
        words("ZADD d:9 1 a 2.5 b inf c"),
        many("ZADD d:10", true),
        words("HSET d:11 a 1 b 2"),
        many("HSET d:12", true),
        words("XADD d:13 5-1 a 1 b 2"),
        words("XADD d:13 6-1 a 1 b 2"),
        words("XGROUP CREATE d:13 g1 0"),
        words("XREADGROUP GROUP g1 c1 COUNT 1 STREAMS d:13 >"),
    ];
    oracle.run(&lines);
    let dumps: Vec<Line> = (1..=13).map(|number| words(&format!("DUMP d:{number}"))).collect();
    let dumped = |reply| if let Reply::Bulk(payload) = reply { Some(payload) } else { None };
    oracle.run(&dumps).into_iter().filter_map(dumped).collect()
}

/// What both answer to the lines, on empty databases.
fn run_both(oracle: &mut Oracle, lines: &[Line], protocol: &str) -> (Vec<Reply>, Vec<Reply>) {
    let mut fresh = ["FLUSHALL", "SELECT 0", "UNWATCH", "CLIENT SETNAME ", "FUNCTION FLUSH", protocol]
        .map(words)
        .to_vec();
    fresh.push(["FUNCTION", "LOAD", LIBRARY].map(|word| word.as_bytes().to_vec()).to_vec());
    oracle.run(&fresh);
    let mut ours = Ours::start(1);
    ours.run(&fresh);
    (ours.run(lines), oracle.run(lines))
}

/// Takes lines away as long as the last one still gets different replies.
fn shrink(oracle: &mut Oracle, mut lines: Vec<Line>, protocol: &str) -> Vec<Line> {
    let mut size = lines.len() / 2;
    while size > 0 {
        let mut at = 0;
        while at + size < lines.len() {
            let mut fewer = lines.clone();
            fewer.drain(at..at + size);
            // Outside a transaction some would wait.
            let (ours, theirs) =
                if is_sound(&fewer) { run_both(oracle, &fewer, protocol) } else { (Vec::new(), Vec::new()) };
            if first_difference(&fewer, &ours, &theirs) == Some(fewer.len() - 1) {
                lines = fewer;
            } else {
                at += size;
            }
        }
        size /= 2;
    }
    lines
}

/// Whether every transaction has its beginning and its end.
fn is_sound(lines: &[Line]) -> bool {
    let mut is_open = false;
    for line in lines {
        match &line[0][..] {
            b"EVAL" | b"FCALL" => {}
            b"MULTI" if !is_open => is_open = true,
            b"EXEC" | b"DISCARD" if is_open => is_open = false,
            b"MULTI" | b"EXEC" | b"DISCARD" => return false,
            name if !is_open
                && (name.starts_with(b"BL")
                    || name.starts_with(b"BZ")
                    || name == b"BRPOP"
                    || name == b"BRPOPLPUSH") =>
            {
                return false;
            }
            _ if !is_open && line.iter().any(|word| word == b"BLOCK") => return false,
            _ => {}
        }
    }
    !is_open
}

/// A reply as redis-cli shows it, as far as it is worth reading.
fn printed(reply: &Reply) -> String {
    const LINES_MAX: usize = 24;
    let text = format::text(reply, &Style::default());
    let text = String::from_utf8_lossy(&text);
    text.lines().take(LINES_MAX).map(|line| format!("{line}\n")).collect()
}

/// The session as Redis had it, with our last reply below.
fn report(oracle: &mut Oracle, lines: &[Line], protocol: &str) -> String {
    let (ours, theirs) = run_both(oracle, lines, protocol);
    let (ours, theirs) = (with_changes(lines, ours), with_changes(lines, theirs));
    let mut text = format!("> {protocol}\n");
    for (index, line) in lines.iter().enumerate() {
        text.push_str(&format!("> {}\n{}", split::join(line), printed(&theirs[index])));
    }
    let last = ours.get(lines.len() - 1).map(printed).unwrap_or_default();
    text.push_str(&format!("ours:\n{last}"));
    text
}

#[test]
fn replies_are_those_of_redis() {
    let variable = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let registry = resplay::commands::registry();
    let mut oracle = Oracle::start();
    // Neither sweeps for keys whose time is up.
    oracle.run(&[words("DEBUG SET-ACTIVE-EXPIRE 0")]);
    let payloads = payloads(&mut oracle);
    let first = variable("ORACLE_FIRST").unwrap_or(0);
    let seeds = match variable("ORACLE_SEED") {
        Some(seed) => seed..seed + 1,
        None => first..first + variable("ORACLE_SEEDS").unwrap_or(SEEDS),
    };
    let failures_max = variable("ORACLE_FAILURES").unwrap_or(1) as usize;
    let (mut failures, mut count) = (Vec::new(), 0);
    for seed in seeds {
        println!("seed {seed}");
        let protocol = if seed % 2 == 0 { "HELLO 2" } else { "HELLO 3" };
        let lines = Generator::new(registry, &payloads, seed).lines(COMMANDS_PER_SEED);
        count += lines.len();
        let (ours, theirs) = run_both(&mut oracle, &lines, protocol);
        if let Some(mut at) = first_difference(&lines, &ours, &theirs) {
            // A transaction is looked at as a whole.
            while at + 1 < lines.len() && !is_sound(&lines[..=at]) {
                at += 1;
            }
            let minimal = shrink(&mut oracle, lines[..=at].to_vec(), protocol);
            failures.push(format!("seed {seed}:\n{}", report(&mut oracle, &minimal, protocol)));
            if failures.len() >= failures_max {
                break;
            }
        }
    }
    println!("{count} commands");
    assert!(failures.is_empty(), "replies differ from redis-server's:\n\n{}", failures.join("\n"));
}

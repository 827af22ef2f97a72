//! Against a real redis-server 7.0.15: commands generated from the syntax lines go to both, and every reply must be the
//! same, byte for byte once decoded. `ORACLE_SEEDS=10000` runs more seeds, `ORACLE_SEED=n` one; a failure prints a minimal
//! transcript. Without a redis-server on the machine the test says so and fails: `cargo xtask test` installs it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use resplay::cli::format::{self, Style};
use resplay::cli::split;
use resplay::command::registry::Registry;
use resplay::command::syntax::{Argument, Kind};
use resplay::command::{Group, declaration};
use resplay::engine::{ClientId, Engine};
use resplay::resp::Request;
use resplay::resp::reply::{Decoder, Reply};
use resplay::server::rng::Rng;

const COMMANDS_PER_SEED: usize = 300;
const SEEDS: u64 = 150;

type Line = Vec<Vec<u8>>;

// The real server.

struct Oracle {
    process: Child,
    stream: TcpStream,
}

impl Drop for Oracle {
    fn drop(&mut self) {
        // It keeps nothing, so it may simply be killed.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Oracle {
    #[allow(
        clippy::zombie_processes,
        reason = "where this panics the process ends, and its children with it"
    )]
    fn start() -> Oracle {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = port.expect("a free port").port();
        let process = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--save", "", "--appendonly", "no"])
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is installed (apt-get install redis-server)");
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            if let Ok(stream) = TcpStream::connect(("127.0.0.1", port)) {
                stream.set_nodelay(true).expect("a TCP socket");
                return Oracle { process, stream };
            }
            assert!(Instant::now() < deadline, "redis-server does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn run(&mut self, lines: &[Line]) -> Vec<Reply> {
        let mut bytes = Vec::new();
        lines.iter().for_each(|line| Request::of(line).encode(&mut bytes));
        self.stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time limit");
        self.stream.write_all(&bytes).expect("the oracle reads");
        let mut decoder = Decoder::new();
        let mut replies = Vec::new();
        let mut buffer = vec![0; 65536];
        while replies.len() < lines.len() {
            let count = self.stream.read(&mut buffer).unwrap_or_else(|error| {
                let line = split::join(&lines[replies.len()]);
                panic!(
                    "no answer to {line} or one of the {} lines behind it: {error}",
                    lines.len() - replies.len() - 1
                )
            });
            assert!(count > 0, "the oracle has hung up");
            decoder.feed(&buffer[..count]);
            while let Some(reply) = decoder.next_reply().expect("the oracle speaks RESP") {
                replies.push(reply);
            }
        }
        replies
    }
}

// Ours.

struct Ours {
    engine: Engine,
    client: ClientId,
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() as u64
}

impl Ours {
    fn start(seed: u64) -> Ours {
        let mut engine = Engine::new(seed, now_ms());
        let client = engine.connect(now_ms());
        Ours { engine, client }
    }

    fn run(&mut self, lines: &[Line]) -> Vec<Reply> {
        let mut decoder = Decoder::new();
        for line in lines {
            let mut bytes = Vec::new();
            Request::of(line).encode(&mut bytes);
            self.engine.receive(self.client, &bytes, now_ms());
            decoder.feed(&self.engine.take_output(self.client));
        }
        let mut replies = Vec::new();
        while let Some(reply) = decoder.next_reply().expect("we speak RESP") {
            replies.push(reply);
        }
        replies
    }
}

// What is generated.

/// Random answers, or answers that rest on what 7.0.15 did not have: not compared, so not generated.
const LEFT_OUT: &[&str] = &[
    "SPOP",
    "SRANDMEMBER",
    "HRANDFIELD",
    "ZRANDMEMBER",
    "RANDOMKEY",
    "SCAN",
    "SSCAN",
    "HSCAN",
    "ZSCAN",
    "BLPOP",
    "BRPOP",
    "BLMOVE",
    "BRPOPLPUSH",
    "BLMPOP",
    "BZPOPMIN",
    "BZPOPMAX",
    "BZMPOP",
    "WAIT",
    "WAITAOF",
    // It takes Redis seconds.
    "PFSELFTEST",
    "MIGRATE",
    "OBJECT REFCOUNT",
    "OBJECT IDLETIME",
    "OBJECT FREQ",
    "DUMP",
    "RESTORE",
    "TOUCH",
    "XREAD",
    "XREADGROUP",
    "XADD",
    "XINFO STREAM",
    "XINFO CONSUMERS",
    "XINFO GROUPS",
    "XPENDING",
    "XCLAIM",
    "XAUTOCLAIM",
    "XSETID",
];

/// Words that came after 7.0 without a mark in the syntax line.
const NEWER_TOKENS: &[&str] =
    &["WITHSCORE", "NOVALUES", "DIFF", "DIFF1", "ANDOR", "ONE", "KEEPREF", "DELREF", "ACKED"];

/// Their elements come in an order that Redis leaves open.
const UNORDERED: &[&str] = &["SMEMBERS", "SINTER", "SUNION", "SDIFF", "HGETALL", "HKEYS", "HVALS", "KEYS"];

fn is_generated(command: &declaration::Command) -> bool {
    let groups = [
        Group::String,
        Group::Generic,
        Group::List,
        Group::Set,
        Group::SortedSet,
        Group::Hash,
        Group::Bitmap,
        Group::HyperLogLog,
        Group::Geo,
        Group::Stream,
    ];
    groups.contains(&command.group)
        && !LEFT_OUT.contains(&command.name)
        && is_known_to_oracle(Some(command.since))
        && !command.name.ends_with(" HELP")
}

/// Whether 7.0.15 has what came with this version.
fn is_known_to_oracle(since: Option<&str>) -> bool {
    let Some(since) = since else { return true };
    let mut parts = since.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) <= (7, 0)
}

struct Generator<'r> {
    rng: Rng,
    registry: &'r Registry,
    commands: Vec<usize>,
    /// The last count of keys, so that the keys that follow can agree with it.
    keys_wanted: Option<usize>,
}

impl<'r> Generator<'r> {
    fn new(registry: &'r Registry, seed: u64) -> Self {
        let commands: Vec<usize> = (0..registry.len())
            .filter(|&number| {
                let entry = registry.entry(number);
                is_generated(entry.command) && registry.entry(number).subcommands.is_empty()
            })
            .collect();
        assert!(commands.len() > 50, "the commands are registered");
        Generator { rng: Rng::new(seed), registry, commands, keys_wanted: None }
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.rng.below(100) < percent
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.rng.below(from.len() as u64) as usize]
    }

    fn line(&mut self) -> Line {
        let number = self.commands[self.rng.below(self.commands.len() as u64) as usize];
        let entry = self.registry.entry(number);
        let mut line: Line = entry.command.name.split(' ').map(|word| word.as_bytes().to_vec()).collect();
        self.keys_wanted = None;
        for argument in &entry.arguments() {
            self.argument(argument, entry.command.group, &mut line);
        }
        // A request without a word gets no reply.
        if self.chance(2) && line.len() > 1 {
            line.pop();
        }
        // 7.2 gave these a fourth word.
        let is_rank = entry.command.name.ends_with("RANK");
        if self.chance(2) && !is_rank {
            line.push(self.text());
        }
        let has = |line: &Line, token: &[u8]| line.iter().any(|word| word.eq_ignore_ascii_case(token));
        // By text, members of different scores have no defined order.
        if entry.command.name.contains("LEX") || has(&line, b"BYLEX") {
            for word in line.iter_mut().filter(|word| **word == b"z1" || **word == b"z2") {
                *word = b"y1".to_vec();
            }
        }
        // 7.0 takes this rank, which has no counterpart.
        if entry.command.name == "LPOS" {
            line.retain(|word| word != b"-9223372036854775808");
        }
        // Without weights of their own, elements come in an order that Redis leaves open.
        if entry.command.name.starts_with("SORT") && has(&line, b"BY") {
            let by = line.iter().position(|word| word == b"BY").unwrap_or(0);
            if let Some(pattern) = line.get_mut(by + 1) {
                *pattern = b"k*".to_vec();
            }
            line.retain(|word| word != b"ALPHA");
        }
        line
    }

    fn argument(&mut self, argument: &Argument, group: Group, line: &mut Line) {
        let is_newer = argument.token.is_some_and(|token| NEWER_TOKENS.contains(&token));
        if is_newer || !is_known_to_oracle(argument.since) || argument.optional && self.chance(65) {
            return;
        }
        let times = match (argument.multiple, self.keys_wanted.take()) {
            (true, Some(wanted)) if argument.kind == Kind::Key => wanted,
            (true, _) => 1 + self.rng.below(3) as usize,
            _ => 1,
        };
        for time in 0..times {
            if let Some(token) = argument.token.filter(|_| time == 0 || argument.multiple_token) {
                line.push(token.as_bytes().to_vec());
            }
            self.value(argument, group, line);
        }
    }

    fn value(&mut self, argument: &Argument, group: Group, line: &mut Line) {
        let value = match argument.kind {
            Kind::PureToken => return,
            Kind::Block => {
                for part in &argument.arguments {
                    self.argument(part, group, line);
                }
                return;
            }
            Kind::OneOf => {
                let is_known = |choice: &&Argument| {
                    is_known_to_oracle(choice.since)
                        && !choice.token.is_some_and(|token| NEWER_TOKENS.contains(&token))
                };
                let known: Vec<&Argument> = argument.arguments.iter().filter(is_known).collect();
                if !known.is_empty() {
                    let choice = self.pick(&known);
                    self.argument(choice, group, line);
                }
                return;
            }
            Kind::Key => self.key(group),
            Kind::Integer if argument.name == "numkeys" => {
                let count = self.rng.below(3) as usize + 1;
                self.keys_wanted = Some(count);
                count.to_string().into_bytes()
            }
            // Times to live are long, so that both servers agree while the test runs.
            Kind::Integer if argument.name.contains("seconds") => {
                self.pick(&["100000", "-1", "0", "99999999999", "200000"]).as_bytes().to_vec()
            }
            Kind::UnixTime => {
                self.pick(&["1", "99999999999", "99999999999999", "-5", "x"]).as_bytes().to_vec()
            }
            Kind::Integer => self.integer(),
            Kind::Double => self.double(),
            Kind::Pattern => self.pick(&["*", "k*", "l?", "[a-z]*", "s*"]).as_bytes().to_vec(),
            Kind::String => match &*argument.name {
                "min" | "max" | "start" | "stop" if group == Group::SortedSet => self.bound(),
                "score" | "weight" => self.double(),
                "encoding" => self.pick(&["u8", "i5", "u1", "i64", "u63", "u64", "x"]).as_bytes().to_vec(),
                _ => self.text(),
            },
        };
        line.push(value);
    }

    fn key(&mut self, group: Group) -> Vec<u8> {
        let own: &[&str] = match group {
            Group::List => &["l1", "l2"],
            Group::Set => &["s1", "s2", "s3"],
            Group::SortedSet | Group::Geo => &["z1", "z2"],
            Group::Hash => &["h1", "h2"],
            Group::HyperLogLog => &["p1", "p2"],
            Group::Stream => &["x1"],
            Group::String | Group::Bitmap => &["k1", "k2", "k3"],
            _ => &["k1", "l1", "s1", "z1", "h1", "l2", "s2", "none"],
        };
        let all = ["k1", "k2", "l1", "l2", "s1", "s2", "z1", "z2", "h1", "h2", "none"];
        if self.chance(92) { self.pick(own) } else { self.pick(&all) }.as_bytes().to_vec()
    }

    fn integer(&mut self) -> Vec<u8> {
        let edges =
            ["9223372036854775807", "-9223372036854775808", "9223372036854775808", "x", "", "1.5", "007"];
        if self.chance(6) {
            return self.pick(&edges).as_bytes().to_vec();
        }
        (self.rng.below(14) as i64 - 4).to_string().into_bytes()
    }

    /// Doubles that have the same shortest and 17-digit text, so that both versions print them alike.
    fn double(&mut self) -> Vec<u8> {
        let edges = ["inf", "-inf", "nan", "x", "+5", "1e3", "0x10", "-0"];
        if self.chance(8) {
            return self.pick(&edges).as_bytes().to_vec();
        }
        let quarters = self.rng.below(40) as i64 - 12;
        format!("{}", quarters as f64 / 4.0).into_bytes()
    }

    fn bound(&mut self) -> Vec<u8> {
        let lex = ["-", "+", "[a", "(a", "[m", "(z", "[", "x"];
        match self.rng.below(4) {
            0 => self.pick(&lex).as_bytes().to_vec(),
            1 => [b"(".to_vec(), self.double()].concat(),
            _ => self.integer(),
        }
    }

    fn text(&mut self) -> Vec<u8> {
        match self.rng.below(10) {
            0..5 => self.pick(&["a", "b", "c", "d", "m", "z", "aa", "member", "field"]).as_bytes().to_vec(),
            5..8 => (self.rng.below(20) as i64 - 5).to_string().into_bytes(),
            8 => vec![b'x'; self.rng.below(90) as usize],
            _ => self
                .pick(&["", "a\0b", "\u{ff}\u{fe}", "3.5", "1e5", " 1", "hello world"])
                .as_bytes()
                .to_vec(),
        }
    }
}

// Comparing.

fn sort_deeply(reply: &mut Reply, in_pairs: bool) {
    let Reply::Array(items) = reply else { return };
    let text = |reply: &Reply| format::text(reply, &Style::default());
    if in_pairs && items.len().is_multiple_of(2) {
        let mut pairs: Vec<Vec<Reply>> = items.chunks(2).map(<[Reply]>::to_vec).collect();
        pairs.sort_by_key(|pair| text(&pair[0]));
        *items = pairs.concat();
    } else {
        items.sort_by_key(text);
    }
}

/// What may differ between the versions or is left open is made equal.
fn normalized(line: &Line, reply: &Reply) -> Reply {
    let name = String::from_utf8_lossy(&line[0]).to_ascii_uppercase();
    let mut reply = reply.clone();
    if UNORDERED.contains(&name.as_str()) {
        sort_deeply(&mut reply, name == "HGETALL");
    }
    if let Reply::Array(items) = &reply {
        return Reply::Array(items.iter().map(|item| normalized(line, item)).collect());
    }
    let is_object = name == "OBJECT";
    match &reply {
        // 7.2 reads the range before it looks at the key, 7.0 does not read it where nothing is.
        Reply::Error(_) | Reply::Integer(-1 | 0) if name == "BITCOUNT" || name == "BITPOS" => {
            Reply::Integer(0)
        }
        // 7.2 brought the listpack encoding of sets, and lists that are listpacks; SORT makes a skiplist.
        Reply::Bulk(text)
            if is_object
                && [&b"listpack"[..], b"quicklist", b"hashtable", b"skiplist"].contains(&&text[..]) =>
        {
            Reply::bulk("(small or big)")
        }
        // 7.0 shows doubles with seventeen digits, coordinates with twenty, and large ones with an exponent; 8 shows what
        // is needed, and plainly.
        Reply::Bulk(text)
            if text.contains(&b'e')
                || name.starts_with("GEO")
                || text.len() > 15 && name.starts_with('Z') =>
        {
            match std::str::from_utf8(text).map(str::parse::<f64>) {
                Ok(Ok(value)) if name.starts_with("GEO") => Reply::bulk(format!("{value:.12}")),
                Ok(Ok(value)) => {
                    let mut plain = Vec::new();
                    resplay::resp::double::write_double(&mut plain, value);
                    Reply::Bulk(plain)
                }
                _ => reply,
            }
        }
        // Times to live differ by the moment of asking.
        Reply::Integer(value) if name.ends_with("TTL") && *value > 1000 => Reply::Integer(1000),
        Reply::Integer(value) if name.ends_with("EXPIRETIME") && *value > 0 => Reply::Integer(1000),
        _ => reply,
    }
}

/// The first line whose replies differ.
fn first_difference(lines: &[Line], ours: &[Reply], theirs: &[Reply]) -> Option<usize> {
    (0..lines.len()).find(|&index| {
        let ours = ours.get(index).map(|reply| normalized(&lines[index], reply));
        ours != Some(normalized(&lines[index], &theirs[index]))
    })
}

fn run_both(oracle: &mut Oracle, lines: &[Line]) -> (Vec<Reply>, Vec<Reply>) {
    oracle.run(&[vec![b"FLUSHALL".to_vec()]]);
    let (mut ours, mut theirs) = (Ours::start(1).run(lines), oracle.run(lines));
    count_changes(lines, &mut ours);
    count_changes(lines, &mut theirs);
    (ours, theirs)
}

/// Leaves of INFO how many changes there were since the last INFO.
fn count_changes(lines: &[Line], replies: &mut [Reply]) {
    let mut last = 0;
    for (index, (line, reply)) in lines.iter().zip(replies).enumerate() {
        let Reply::Bulk(text) = reply else { continue };
        if line[0] == b"INFO" {
            let text = String::from_utf8_lossy(text);
            let line = text.lines().find_map(|line| line.strip_prefix("rdb_changes_since_last_save:"));
            let count: i64 = line.and_then(|count| count.parse().ok()).expect("INFO persistence has it");
            // Since 8 a bit that is what it was does not count.
            let counts_less = matches!(&lines[index.saturating_sub(1)][0][..], b"BITFIELD" | b"SETBIT");
            *reply = Reply::Integer(if index == 0 || counts_less { 0 } else { count - last });
            last = count;
        }
    }
}

/// Takes lines away as long as the last one still gets different replies.
fn shrink(oracle: &mut Oracle, mut lines: Vec<Line>) -> Vec<Line> {
    let mut size = lines.len() / 2;
    while size > 0 {
        let mut at = 0;
        while at + size < lines.len() {
            let mut fewer = lines.clone();
            fewer.drain(at..at + size);
            let (ours, theirs) = run_both(oracle, &fewer);
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

/// The session as Redis had it, with our last reply below.
fn report(oracle: &mut Oracle, lines: &[Line]) -> String {
    let (ours, theirs) = run_both(oracle, lines);
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        text.push_str(&format!("> {}\n", split::join(line)));
        text.push_str(&String::from_utf8_lossy(&format::text(&theirs[index], &Style::default())));
    }
    text.push_str("ours:\n");
    if let Some(last) = ours.get(lines.len() - 1) {
        text.push_str(&String::from_utf8_lossy(&format::text(last, &Style::default())));
    }
    text
}

#[test]
fn replies_are_those_of_redis() {
    let variable = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let registry = resplay::commands::registry();
    let mut oracle = Oracle::start();
    let seeds = match variable("ORACLE_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..variable("ORACLE_SEEDS").unwrap_or(SEEDS),
    };
    let failures_max = variable("ORACLE_FAILURES").unwrap_or(1) as usize;
    let mut failures = Vec::new();
    for seed in seeds {
        println!("seed {seed}");
        let mut generator = Generator::new(registry, seed);
        let info = split::split(b"INFO persistence").expect("a line");
        let mut lines: Vec<Line> =
            vec![info.clone(), split::split(b"ZADD y1 0 a 0 b 0 m 0 z 0 zz").expect("a line")];
        for _ in 0..COMMANDS_PER_SEED {
            lines.push(generator.line());
            lines.push(info.clone());
        }
        let (ours, theirs) = run_both(&mut oracle, &lines);
        if let Some(at) = first_difference(&lines, &ours, &theirs) {
            let minimal = shrink(&mut oracle, lines[..=at].to_vec());
            failures.push(format!("seed {seed}:\n{}", report(&mut oracle, &minimal)));
            if failures.len() >= failures_max {
                break;
            }
        }
    }
    assert!(failures.is_empty(), "replies differ from redis-server's:\n\n{}", failures.join("\n"));
}

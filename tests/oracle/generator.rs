//! Random commands, made from the syntax lines of their declarations: mostly sensible, over few keys, now and then wrong.

use resplay::command::registry::Registry;
use resplay::command::syntax::{Argument, Kind};
use resplay::command::{Group, declaration};
use resplay::server::rng::Rng;

use crate::{Line, compare, words};

/// Their answers rest on time, on chance or on what only one of the two has.
const LEFT_OUT: &[&str] = &["WAIT", "WAITAOF", "PFDEBUG", "PFSELFTEST", "MIGRATE"];

/// Generated besides the groups below.
const BESIDES: &[&str] = &[
    "CLIENT GETNAME",
    "CLIENT SETNAME",
    "DBSIZE",
    "ECHO",
    "FLUSHALL",
    "FLUSHDB",
    "PING",
    "PUBLISH",
    "SELECT",
    "SWAPDB",
    "UNWATCH",
    "WATCH",
];

const CALL: &str = "return redis.call(unpack(ARGV))";

/// They would wait, but not inside a transaction.
const WAITING: &[&str] =
    &["BLPOP", "BRPOP", "BLMOVE", "BRPOPLPUSH", "BLMPOP", "BZPOPMIN", "BZPOPMAX", "BZMPOP"];

/// With a count that takes everything they leave nothing to chance.
const RANDOM: &[&str] = &["SPOP", "SRANDMEMBER", "HRANDFIELD", "ZRANDMEMBER"];

/// With a count that takes everything they answer at once.
const WALKING: &[&str] = &["SCAN", "SSCAN", "HSCAN", "ZSCAN"];

/// Words that came after 7.0 without a mark in the syntax line, or that mean something else since.
const NEWER_TOKENS: &[&str] =
    &["WITHSCORE", "NOVALUES", "DIFF", "DIFF1", "ANDOR", "ONE", "KEEPREF", "DELREF", "ACKED", "ENTRIESREAD"];

/// Since 7.2 these make their consumer even if they find nothing for it, so it is made before.
fn makes_consumer(line: &Line) -> bool {
    matches!(&line[0][..], b"XREADGROUP" | b"XAUTOCLAIM" | b"XCLAIM")
}

/// Whether what the command answers needs no putting in order, even inside something else.
fn is_plain(line: &Line) -> bool {
    let name = String::from_utf8_lossy(&line[0]);
    !(RANDOM.contains(&&*name)
        || WALKING.contains(&&*name)
        || compare::is_unordered(&name)
        || matches!(&*name, "XINFO" | "XPENDING" | "OBJECT" | "DUMP" | "RANDOMKEY" | "BITCOUNT" | "BITPOS")
        || name.starts_with("GEO")
        || name.starts_with('Z')
        || name.ends_with("TTL")
        || name.ends_with("EXPIRETIME")
        || name.starts_with("XREAD"))
}

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
    (groups.contains(&command.group) || BESIDES.contains(&command.name))
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

/// The commands that are generated, by name.
pub fn generated(registry: &Registry) -> Vec<usize> {
    (0..registry.len())
        .filter(|&number| {
            let entry = registry.entry(number);
            is_generated(entry.command) && entry.subcommands.is_empty()
        })
        .collect()
}

pub struct Generator<'r> {
    rng: Rng,
    registry: &'r Registry,
    commands: Vec<usize>,
    /// What DUMP gave on the other server for one value of each type.
    payloads: &'r [Vec<u8>],
    /// The last count of keys, so that the keys that follow can agree with it.
    keys_wanted: Option<usize>,
    /// How many keys were named, so that as many identifiers follow.
    ids_wanted: Option<usize>,
    in_transaction: bool,
    serial: u64,
}

impl<'r> Generator<'r> {
    pub fn new(registry: &'r Registry, payloads: &'r [Vec<u8>], seed: u64) -> Self {
        let commands = generated(registry);
        assert!(commands.len() > 150, "the commands are registered");
        Generator {
            rng: Rng::new(seed),
            registry,
            commands,
            payloads,
            keys_wanted: None,
            ids_wanted: None,
            in_transaction: false,
            serial: 0,
        }
    }

    pub fn chance(&mut self, percent: u64) -> bool {
        self.rng.below(100) < percent
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.rng.below(from.len() as u64) as usize]
    }

    /// So many commands, and what goes with them.
    pub fn lines(&mut self, count: usize) -> Vec<Line> {
        let mut lines = vec![words("INFO persistence"), words("ZADD y1 0 a 0 b 0 m 0 z 0 zz")];
        while lines.len() < count {
            match self.rng.below(100) {
                0 => self.transaction(&mut lines),
                1 => lines.push(self.filling()),
                2 => {
                    let line = self.command();
                    // Since 8 it takes a command of one word, and counts the streams of XREAD with more care.
                    if line.len() > 1 && !line[0].starts_with(b"XREAD") {
                        lines.push([words("COMMAND GETKEYS"), line].concat());
                    }
                }
                3..6 => lines.push(self.script()),
                6..20 => lines.push(words("INFO persistence")),
                _ => self.push_command(&mut lines),
            }
        }
        lines
    }

    fn push_command(&mut self, lines: &mut Vec<Line>) {
        let line = self.command();
        if makes_consumer(&line) {
            for key in ["x1", "x2"] {
                for group in ["g1", "g2"] {
                    lines.extend(
                        ["c1", "c2"]
                            .map(|name| words(&format!("XGROUP CREATECONSUMER {key} {group} {name}"))),
                    );
                }
            }
        }
        lines.push(line);
    }

    fn transaction(&mut self, lines: &mut Vec<Line>) {
        lines.push(words("MULTI"));
        self.in_transaction = true;
        for _ in 0..self.rng.below(6) {
            self.push_command(lines);
        }
        self.in_transaction = false;
        lines.push(words(if self.chance(90) { "EXEC" } else { "DISCARD" }));
    }

    /// A command called by a script, or by the function that the library of [`crate::LIBRARY`] brings.
    fn script(&mut self) -> Line {
        // 7.0 refuses there what may wait.
        let mut line = self.command();
        while makes_consumer(&line) {
            line = self.command();
        }
        let start = match self.rng.below(6) {
            _ if !is_plain(&line) => ["EVAL", CALL, "0"],
            0 => ["FCALL", "call", "0"],
            1 => ["EVAL", "return redis.pcall(unpack(ARGV))", "0"],
            2 => ["EVAL", "return {1.9, false, {true, redis.call(unpack(ARGV))}, {ok = 'fine'}}", "0"],
            3 => ["EVAL", "return cjson.encode({redis.pcall(unpack(ARGV))})", "0"],
            4 => ["EVAL", "return cmsgpack.pack({redis.pcall(unpack(ARGV))})", "0"],
            _ => ["EVAL", CALL, "0"],
        };
        [start.map(|word| word.as_bytes().to_vec()).to_vec(), line].concat()
    }

    /// Makes a collection too big for a small encoding.
    fn filling(&mut self) -> Line {
        let start = self.pick(&["RPUSH l1", "SADD s1", "ZADD z1", "HSET h1", "SADD s2", "ZADD z3"]);
        let mut line = words(start);
        let is_in_pairs = matches!(&line[0][..], b"ZADD" | b"HSET");
        for number in 0..100 + self.rng.below(500) {
            if is_in_pairs {
                line.push((number * 7 % 100).to_string().into_bytes());
            }
            line.push(number.to_string().into_bytes());
        }
        line
    }

    fn command(&mut self) -> Line {
        loop {
            let number = self.commands[self.rng.below(self.commands.len() as u64) as usize];
            let name = self.registry.entry(number).command.name;
            let is_rare = matches!(name, "FLUSHALL" | "FLUSHDB" | "SELECT" | "SWAPDB");
            let would_wait = WAITING.contains(&name) && !self.in_transaction;
            if !would_wait && (!is_rare || self.chance(15)) {
                return self.line(number);
            }
        }
    }

    fn line(&mut self, number: usize) -> Line {
        let entry = self.registry.entry(number);
        let name = entry.command.name;
        let mut line: Line = words(name);
        (self.keys_wanted, self.ids_wanted) = (None, None);
        for argument in &entry.arguments() {
            self.argument(argument, entry.command.group, &mut line);
        }
        if RANDOM.contains(&name) {
            line.truncate(2);
            line.push(b"100000".to_vec());
            return line;
        }
        if WALKING.contains(&name) {
            line.extend(words("COUNT 100000"));
            return line;
        }
        // A request without a word gets no reply.
        if self.chance(2) && line.len() > 1 {
            line.pop();
        }
        // 7.2 gave these a fourth word.
        let is_rank = name.ends_with("RANK");
        if self.chance(2) && !is_rank {
            line.push(self.text());
        }
        let has = |line: &Line, token: &[u8]| line.iter().any(|word| word.eq_ignore_ascii_case(token));
        // By text, members of different scores have no defined order.
        if name.contains("LEX") || has(&line, b"BYLEX") {
            for word in line.iter_mut().filter(|word| word.len() == 2 && word[0] == b'z') {
                *word = b"y1".to_vec();
            }
        }
        // Since 7.4 this is the last entry.
        if name.starts_with("XREAD") {
            line.retain(|word| word != b"+");
        }
        // 7.0 takes this rank, which has no counterpart.
        if name == "LPOS" {
            line.retain(|word| word != b"-9223372036854775808");
        }
        // Without weights of their own, elements come in an order that Redis leaves open.
        if name.starts_with("SORT") && has(&line, b"BY") {
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
        let is_wait = argument.token == Some("BLOCK") && !self.in_transaction;
        if is_newer || is_wait || !is_known_to_oracle(argument.since) || argument.optional && self.chance(65)
        {
            return;
        }
        let wanted =
            if argument.kind == Kind::Key { self.keys_wanted.take() } else { self.ids_wanted.take() };
        let times = match (argument.multiple, wanted) {
            (true, Some(wanted)) => wanted,
            (true, None) => 1 + self.rng.below(3) as usize,
            _ => 1,
        };
        if group == Group::Stream && argument.kind == Kind::Key && argument.multiple {
            self.ids_wanted = Some(times);
        }
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
                        && !choice.token.is_some_and(|token| NEWER_TOKENS.contains(&token) || token == "*")
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
            Kind::Integer if argument.name == "cursor" => self.pick(&["0", "0", "0", "x"]).into(),
            Kind::Integer if argument.name == "min-idle-time" => self.pick(&["0", "0", "999999"]).into(),
            Kind::Integer if argument.name == "ttl" => self.pick(&["0", "0", "-1", "100000", "x"]).into(),
            Kind::Integer
                if matches!(&*argument.name, "index" | "index1" | "index2") && group != Group::List =>
            {
                self.pick(&["0", "0", "1", "2", "99"]).into()
            }
            Kind::Integer if argument.name.contains("seconds") => self.time_to_live(),
            // A key whose time is up on arrival counts as a change more when it is overwritten.
            Kind::UnixTime if line[0] == b"SET" => self.pick(&["99999999999999", "-5", "x"]).into(),
            Kind::UnixTime => self.pick(&["1", "99999999999", "99999999999999", "-5", "x"]).into(),
            Kind::Integer => self.integer(),
            // What is out of range is said in other words since.
            Kind::Double if argument.name == "timeout" => self.pick(&["0", "1", "0.5", "-1", "x"]).into(),
            Kind::Double => self.double(),
            Kind::Pattern => self.pick(&["*", "k*", "l?", "[a-z]*", "s*"]).into(),
            Kind::String => match &*argument.name {
                "min" | "max" | "start" | "stop" if group == Group::SortedSet => self.bound(),
                "id" | "lastid" | "last-id" | "start" | "end" | "threshold" | "max-deleted-id"
                    if group == Group::Stream =>
                {
                    self.stream_id(line)
                }
                "group" => self.pick(&["g1", "g2"]).into(),
                "consumer" => self.pick(&["c1", "c2"]).into(),
                "score" | "weight" => self.double(),
                "encoding" => self.pick(&["u8", "i5", "u1", "i64", "u63", "u64", "x"]).into(),
                "type" => self.pick(&["string", "LIST", "set", "zset", "hash", "stream"]).into(),
                "serialized-value" => self.payload(),
                _ => self.text(),
            },
        };
        line.push(value);
    }

    fn key(&mut self, group: Group) -> Vec<u8> {
        let own: &[&str] = match group {
            Group::List => &["l1", "l2"],
            Group::Set => &["s1", "s2", "s3"],
            Group::SortedSet => &["z1", "z2", "z3"],
            Group::Geo => &["o1", "o2"],
            Group::Hash => &["h1", "h2"],
            Group::HyperLogLog => &["p1", "p2"],
            Group::Stream => &["x1", "x2"],
            Group::String | Group::Bitmap => &["k1", "k2", "k3"],
            _ => &["k1", "l1", "s1", "z1", "h1", "x1", "l2", "s2", "none"],
        };
        // Of members at one distance, which come first is open; those of the sorted sets above are often at one.
        if group == Group::Geo && !self.chance(92) {
            return self.pick(&["k1", "l1", "h1", "x1", "none"]).into();
        }
        let all = ["k1", "k2", "l1", "l2", "s1", "s2", "z1", "z2", "h1", "h2", "x1", "p1", "none"];
        if self.chance(92) { self.pick(own) } else { self.pick(&all) }.into()
    }

    fn integer(&mut self) -> Vec<u8> {
        let edges =
            ["9223372036854775807", "-9223372036854775808", "9223372036854775808", "x", "", "1.5", "007"];
        if self.chance(6) {
            return self.pick(&edges).into();
        }
        (self.rng.below(14) as i64 - 4).to_string().into_bytes()
    }

    /// Long, so that both servers agree while the test runs, and no two alike: the moments differ at which they begin.
    fn time_to_live(&mut self) -> Vec<u8> {
        if self.chance(25) {
            return self.pick(&["-1", "0", "9999999999999999", "x"]).into();
        }
        self.serial += 1;
        (100_000 + self.serial * 7919 % 10_000 * 10).to_string().into_bytes()
    }

    /// Mostly such that XADD takes them: each greater than the last.
    fn stream_id(&mut self, line: &Line) -> Vec<u8> {
        self.serial += 1;
        let (serial, less) = (self.serial, self.rng.below(self.serial.min(300)));
        match self.rng.below(20) {
            _ if line[0] == b"XADD" && self.chance(85) => format!("{serial}-{}", less % 3).into(),
            0 => format!("{serial}-*").into(),
            1..3 => "-".into(),
            3..5 => "+".into(),
            5 => "$".into(),
            6..9 => ">".into(),
            9 => "x".into(),
            10 => "0-0".into(),
            11 => format!("({}-1", serial - less).into(),
            12..14 => "0".into(),
            14 => "18446744073709551615-18446744073709551615".into(),
            15 => format!("{}-{}", serial - less, less % 3).into(),
            _ => (serial - less).to_string().into(),
        }
    }

    /// A value as RESTORE takes it, seldom damaged.
    fn payload(&mut self) -> Vec<u8> {
        let mut payload = self.payloads[self.rng.below(self.payloads.len() as u64) as usize].clone();
        if self.chance(10) {
            let at = self.rng.below(payload.len() as u64) as usize;
            payload[at] ^= 1 << self.rng.below(8);
        }
        payload
    }

    /// Doubles that have the same shortest and 17-digit text, so that both versions print them alike. A negative zero loses
    /// its sign in a small encoding, which 7.0 leaves later.
    fn double(&mut self) -> Vec<u8> {
        let edges = ["inf", "-inf", "nan", "x", "+5", "1e3", "0x10"];
        if self.chance(8) {
            return self.pick(&edges).into();
        }
        let quarters = self.rng.below(40) as i64 - 12;
        format!("{}", quarters as f64 / 4.0).into_bytes()
    }

    fn bound(&mut self) -> Vec<u8> {
        let lex = ["-", "+", "[a", "(a", "[m", "(z", "[", "x"];
        match self.rng.below(4) {
            0 => self.pick(&lex).into(),
            1 => [b"(".to_vec(), self.double()].concat(),
            _ => self.integer(),
        }
    }

    fn text(&mut self) -> Vec<u8> {
        match self.rng.below(10) {
            0..5 => self.pick(&["a", "b", "c", "d", "m", "z", "aa", "member", "field"]).into(),
            5..8 => (self.rng.below(20) as i64 - 5).to_string().into_bytes(),
            8 => vec![b'x'; self.rng.below(90) as usize],
            _ => self.pick(&["", "q\0b", "\u{ff}\u{fe}", "3.5", "1e5", " 1", "hello world"]).into(),
        }
    }
}

//! Scripts against a real redis-server 7.0.15: what EVAL answers must be the same, byte for byte. Written scripts (one a line in
//! `fixtures/lua/scripts.txt`), the cases and generators made for lua5.1, and generated calls of every function of every
//! library. `SCRIPT_SEEDS=100` runs more of the latter.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use resplay::engine::{ClientId, Engine};
use resplay::resp::Request;
use resplay::resp::reply::Decoder;
use resplay::server::rng::Rng;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/lua/");
const NOW_MS: u64 = 1_700_000_000_000;

fn fixture(name: &str) -> String {
    std::fs::read_to_string(format!("{FIXTURES}{name}")).expect("the fixture exists")
}

/// A real server and ours, asked the same.
struct Both {
    process: Child,
    stream: TcpStream,
    engine: Engine,
    client: ClientId,
    asked: usize,
    wrong: Vec<String>,
}

impl Drop for Both {
    fn drop(&mut self) {
        // It keeps nothing, so it may simply be killed.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Both {
    #[allow(
        clippy::zombie_processes,
        reason = "where this panics the process ends, and its children with it"
    )]
    fn start() -> Both {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = port.expect("a free port").port();
        let process = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--save", "", "--appendonly", "no"])
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is installed (apt-get install redis-server)");
        let deadline = Instant::now() + Duration::from_secs(20);
        let stream = loop {
            if let Ok(stream) = TcpStream::connect(("127.0.0.1", port)) {
                break stream;
            }
            assert!(Instant::now() < deadline, "redis-server does not answer");
            std::thread::sleep(Duration::from_millis(20));
        };
        stream.set_nodelay(true).expect("a TCP socket");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time limit");
        let mut engine = Engine::new(1, NOW_MS);
        let client = engine.connect(NOW_MS);
        Both { process, stream, engine, client, asked: 0, wrong: Vec::new() }
    }

    /// One reply of each.
    fn ask(&mut self, words: &[&[u8]]) -> (Vec<u8>, Vec<u8>) {
        let mut bytes = Vec::new();
        Request::of(words).encode(&mut bytes);
        self.stream.write_all(&bytes).expect("the oracle reads");
        let (mut decoder, mut theirs) = (Decoder::new(), Vec::new());
        let mut buffer = vec![0; 65536];
        loop {
            let count = self.stream.read(&mut buffer).expect("the oracle answers in time");
            assert!(count > 0, "the oracle has hung up at {}", String::from_utf8_lossy(&bytes));
            theirs.extend_from_slice(&buffer[..count]);
            decoder.feed(&buffer[..count]);
            if decoder.next_reply().expect("the oracle speaks RESP").is_some() {
                break;
            }
        }
        self.engine.receive(self.client, &bytes, NOW_MS);
        let mut ours = self.engine.take_output(self.client);
        while ours.is_empty() {
            self.engine.tick(NOW_MS);
            ours = self.engine.take_output(self.client);
        }
        (ours, theirs)
    }

    fn compare(&mut self, name: &str, words: &[&[u8]]) {
        let (ours, theirs) = self.ask(words);
        self.asked += 1;
        if shortened(&ours) != shortened(&theirs) {
            let text = |bytes: &[u8]| bytes.escape_ascii().to_string();
            self.wrong.push(format!("{name}\n  real {}\n  ours {}", text(&theirs), text(&ours)));
        }
    }

    fn eval(&mut self, name: &str, script: &str) {
        self.compare(name, &[b"EVAL", script.as_bytes(), b"2", b"k1", b"k2", b"a1", b"41", b"a3"]);
    }

    fn finish(self, at_least: usize) {
        let shown = std::env::var("SCRIPT_SHOWN").ok().and_then(|count| count.parse().ok()).unwrap_or(20);
        let shown = &self.wrong[..self.wrong.len().min(shown)];
        assert!(shown.is_empty(), "{} of {} differ:\n{}", self.wrong.len(), self.asked, shown.join("\n"));
        assert!(self.asked >= at_least, "only {} were compared", self.asked);
        println!("{} scripts compared", self.asked);
    }
}

/// Without the texts of chunks that errors quote, and the length that depends on them: Debian's Lua quotes more.
fn shortened(reply: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(reply).into_owned();
    if !text.contains("[string \"") {
        return reply.to_vec();
    }
    let parts = text.split("[string \"").enumerate();
    let cut = parts
        .map(|(i, part)| if i == 0 { "" } else { part.split_once("\"]").map_or(part, |(_, rest)| rest) });
    cut.collect::<Vec<_>>().concat().into_bytes()
}

#[test]
fn written_scripts_agree() {
    let mut both = Both::start();
    for line in fixture("scripts.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let script = line.replace("\\n", "\n");
        if let Some(code) = script.strip_prefix("LOAD ") {
            both.compare(line, &[b"FUNCTION", b"LOAD", b"REPLACE", code.as_bytes()]);
        } else if let Some(name) = script.strip_prefix("FCALL ") {
            both.compare(line, &[b"FCALL", name.as_bytes(), b"1", b"k1", b"a1"]);
        } else if let Some(script) = script.strip_prefix("RO ") {
            both.compare(line, &[b"EVAL_RO", script.as_bytes(), b"0"]);
        } else {
            both.eval(line, &script);
        }
    }
    both.finish(300);
}

#[test]
fn cases_of_the_language_agree() {
    let mut both = Both::start();
    let prelude = fixture("prelude.lua");
    let prelude = prelude.trim_end_matches('\n');
    let mut cases: Vec<(String, String)> = Vec::new();
    for line in fixture("cases.lua").lines() {
        match line.strip_prefix("--@@ ") {
            Some(name) => cases.push((name.into(), String::new())),
            None => {
                if let Some((_, source)) = cases.last_mut() {
                    source.push_str(line);
                    source.push('\n');
                }
            }
        }
    }
    for (name, source) in &cases {
        // Compiled code is not loaded here, memory has another limit, and Debian took some functions away.
        const APART: [&str; 5] = ["bytecode", "big_table", "setfenv", "newproxy", "parse_limits"];
        if name.contains("NOREDIS") || APART.iter().any(|apart| name.starts_with(apart)) {
            continue;
        }
        let is_whole = name.starts_with("compile_error") || name.starts_with("uncaught");
        let script = if is_whole { source.clone() } else { format!("{prelude}{source}end)())") };
        both.eval(name, &script);
    }
    let common = fixture("differential/common.lua");
    for case in ["format", "numbers", "pattern", "tables", "syntax"] {
        let source = fixture(&format!("differential/{case}.lua"));
        for seed in 1..=10 {
            let script =
                format!("local ROUNDS, SEED = 20, {seed}\n{common}{source}\nreturn table.concat(out, '\\n')");
            both.eval(&format!("{case} {seed}"), &script);
        }
    }
    // The order of the functions in a new cjson is of no account.
    for line in fixture("libraries.txt").lines().filter(|line| !line.contains("cjson.new()")) {
        let (source, _) = line.split_once('\t').expect("two columns");
        both.eval(source, &format!("{SHOW} return show(pcall(function() {source} end))"));
    }
    both.finish(250);
}

/// Writes values down; what differs from run to run by its type alone.
const SHOW: &str = r#"local function one(v, d)
  local t = type(v)
  if t == 'string' then return "'" .. v:gsub('0x%x+', '0x'):gsub('[^%w%p ]', function(c) return ('\\%03d'):format(c:byte()) end) .. "'" end
  if t == 'number' then return v ~= v and 'nan' or ('%.14g'):format(v) end
  if t == 'nil' or t == 'boolean' then return tostring(v) end
  if t == 'table' and d < 4 then
    local o, n = {}, 0
    for k, x in pairs(v) do n = n + 1 if n < 40 then o[#o + 1] = one(k, d + 1) .. '=' .. one(x, d + 1) end end
    return '{' .. table.concat(o, ', ') .. '}'
  end
  return t
end
local function show(...)
  local o = {}
  for i = 1, math.min(select('#', ...), 60) do o[i] = one((select(i, ...)), 0) end
  return table.concat(o, ' | ')
end
"#;

/// Every function that answers the same each time, and asks for no more memory than its arguments say.
const FUNCTIONS: &[&str] = &[
    "assert",
    "error",
    "getmetatable",
    "ipairs",
    "loadstring",
    "next",
    "pairs",
    "pcall",
    "rawequal",
    "rawget",
    "rawset",
    "select",
    "setmetatable",
    "tonumber",
    "tostring",
    "type",
    "unpack",
    "xpcall",
    "string.byte",
    "string.char",
    "string.find",
    "string.format",
    "string.gmatch",
    "string.gsub",
    "string.len",
    "string.lower",
    "string.match",
    "string.reverse",
    "string.sub",
    "string.upper",
    "string.gfind",
    "table.concat",
    "table.foreach",
    "table.foreachi",
    "table.getn",
    "table.insert",
    "table.maxn",
    "table.remove",
    "table.setn",
    "table.sort",
    "math.abs",
    "math.acos",
    "math.asin",
    "math.atan",
    "math.atan2",
    "math.ceil",
    "math.cos",
    "math.cosh",
    "math.deg",
    "math.exp",
    "math.floor",
    "math.fmod",
    "math.frexp",
    "math.ldexp",
    "math.log",
    "math.log10",
    "math.max",
    "math.min",
    "math.mod",
    "math.modf",
    "math.pow",
    "math.rad",
    "math.sin",
    "math.sinh",
    "math.sqrt",
    "math.tan",
    "math.tanh",
    "coroutine.create",
    "coroutine.resume",
    "coroutine.running",
    "coroutine.status",
    "coroutine.wrap",
    "coroutine.yield",
    "bit.tobit",
    "bit.tohex",
    "bit.bnot",
    "bit.band",
    "bit.bor",
    "bit.bxor",
    "bit.lshift",
    "bit.rshift",
    "bit.arshift",
    "bit.rol",
    "bit.ror",
    "bit.bswap",
    "cjson.encode",
    "cjson.decode",
    "cmsgpack.pack",
    "cmsgpack.unpack",
    "struct.pack",
    "struct.unpack",
    "struct.size",
    "redis.sha1hex",
    "redis.error_reply",
    "redis.status_reply",
];

const VALUES: &[&str] = &[
    "nil",
    "true",
    "false",
    "0",
    "1",
    "2",
    "3",
    "-1",
    "-2",
    "10",
    "1.5",
    "-0.5",
    "2^31",
    "2^32",
    "2^53",
    "-2^31",
    "1/0",
    "-1/0",
    "0/0",
    "1e15",
    "1e100",
    "0.1",
    "255",
    "''",
    "'a'",
    "'abc'",
    "'10'",
    "'0x10'",
    "' 5 '",
    "'1e3'",
    "'%d'",
    "'%s %5.2f'",
    "'%q'",
    "'%x'",
    "'a+'",
    "'(.)b'",
    "'[a-c]*'",
    "'%w+'",
    "'^a'",
    "'.-'",
    "'%b()'",
    "'%'",
    "'[a'",
    "'return 1'",
    "'return +'",
    "'>I2'",
    "'<i4'",
    "'bBhHiIlL'",
    "'s'",
    "'c0'",
    "'[1,2,{\"a\":null}]'",
    "'{\"a\":[]}'",
    "'[1,'",
    "'\\147\\1\\2\\3'",
    "'\\129\\161a\\1'",
    "{}",
    "{1,2,3}",
    "{3,1,2}",
    "{1,nil,3}",
    "{a=1}",
    "{'x','y'}",
    "{{1},{2}}",
    "{[1.5]=1}",
    "{n=5}",
    "setmetatable({}, {__index=function(t,k) return k end})",
    "setmetatable({}, {__tostring=function() return 'shown' end})",
    "function(...) return ... end",
    "function(a, b) return a < b end",
    "function() error('inside') end",
    "print_me",
    "string.upper",
    "cjson.null",
    "coroutine.create(function(a) local b = coroutine.yield(a) return b end)",
];

fn call(rng: &mut Rng) -> String {
    let pick = |rng: &mut Rng, list: &[&'static str]| list[rng.below(list.len() as u64) as usize];
    let function = pick(rng, FUNCTIONS);
    let count = rng.below(4);
    let values: Vec<&str> = (0..count).map(|_| pick(rng, VALUES)).collect();
    let values = values.join(", ").replace("print_me", "'print_me'");
    let separator = if values.is_empty() { "" } else { ", " };
    format!("pcall({function}{separator}{values})")
}

#[test]
fn generated_calls_agree() {
    let seeds: u64 = std::env::var("SCRIPT_SEEDS").ok().and_then(|count| count.parse().ok()).unwrap_or(6);
    let mut both = Both::start();
    for seed in 1..=seeds {
        let mut rng = Rng::new(seed);
        for _ in 0..500 {
            let call = call(&mut rng);
            both.eval(&call, &format!("{SHOW}return show({call})"));
        }
    }
    both.finish(1000);
}

/// A value of nested tables, strings and numbers, as Lua writes it.
fn value(rng: &mut Rng, depth: u64) -> String {
    match rng.below(if depth < 4 { 10 } else { 7 }) {
        0 => ["true", "false"][rng.below(2) as usize].into(),
        1 => (rng.below(1 << 40) as i64 - (1 << 39)).to_string(),
        2 => (rng.below(600) as i64 - 300).to_string(),
        3 => format!("{}/{}", rng.below(1 << 30), 1 + rng.below(1000)),
        4 => {
            ["0.1", "1e10", "-1e-5", "2^53", "65535", "65536", "-32768", "-129"][rng.below(8) as usize].into()
        }
        5 => {
            let bytes: Vec<String> = (0..rng.below(40)).map(|_| format!("\\{:03}", rng.below(256))).collect();
            format!("'{}'", bytes.concat())
        }
        6 => format!("('{}'):rep({})", (b'a' + rng.below(26) as u8) as char, rng.below(70000) % 300),
        7 | 8 => {
            let items: Vec<String> = (0..rng.below(6)).map(|_| value(rng, depth + 1)).collect();
            format!("{{{}}}", items.join(", "))
        }
        _ => {
            let items: Vec<String> =
                (0..rng.below(4)).map(|i| format!("k{i}={}", value(rng, depth + 1))).collect();
            format!("{{{}}}", items.join(", "))
        }
    }
}

#[test]
fn formats_agree_on_generated_values() {
    let mut both = Both::start();
    let mut rng = Rng::new(77);
    for _ in 0..150 {
        let value = value(&mut rng, 0);
        let script = format!(
            "{SHOW}local v = {value} local p = cmsgpack.pack(v) return {{p, show(cmsgpack.unpack(p))}}"
        );
        both.eval(&script, &script);
        let ascii = value.replace('\\', "x");
        let script =
            format!("{SHOW}local j = cjson.encode({ascii}) return {{j, show(cjson.decode('['..j..']'))}}");
        both.eval(&script, &script);
        both.eval(&value, &format!("return {value}"));
        let format: Vec<&str> = (0..1 + rng.below(6))
            .map(|_| {
                ["b", "B", "h", "H", "i", "I", "l", "L", "I3", "i5", "f", "d", "s", "x", "<", ">", "!4"]
                    [rng.below(17) as usize]
            })
            .collect();
        let numbers: Vec<String> = (0..6).map(|_| (rng.below(70000) as i64 - 300).to_string()).collect();
        let (format, numbers) = (format.concat(), numbers.join(", "));
        let script = format!(
            "{SHOW}local ok, p = pcall(struct.pack, '{format}', {numbers}) \
             return {{tostring(ok), p, show(pcall(struct.unpack, '{format}', p)), show(pcall(struct.size, '{format}'))}}"
        );
        both.eval(&script, &script);
        let (a, b) = (rng.below(1 << 33) as i64 - (1 << 32), rng.below(80) as i64 - 40);
        let script = format!(
            "{SHOW}return show(bit.band({a},{b}), bit.bor({a},{b}), bit.bxor({a},{b}), bit.lshift({a},{b}), \
             bit.rshift({a},{b}), bit.arshift({a},{b}), bit.rol({a},{b}), bit.ror({a},{b}), bit.tohex({a},{b}), bit.bswap({a}))"
        );
        both.eval(&script, &script);
    }
    both.finish(500);
}

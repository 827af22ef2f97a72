//! The Lua machine against what Debian's lua5.1 says, and against scripts that mean harm.

use std::collections::HashMap;

use resplay::lua::{Args, Continuation, Error, Host, Outcome, Result, Step, Value, Vm, lib};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/lua/");

fn fixture(name: &str) -> String {
    std::fs::read_to_string(format!("{FIXTURES}{name}")).expect("the fixture exists")
}

/// A host with a few commands.
#[derive(Default)]
struct Store(HashMap<Vec<u8>, Vec<u8>>);

const CALL: u32 = 0;
const PCALL: u32 = 1;
const EACH: u32 = 2;
const PRINT: u32 = 3;

fn text_table(vm: &mut Vm, key: &[u8], text: &[u8]) -> Result<Value> {
    let t = vm.new_table(0, 1)?;
    let text = vm.new_string(text)?;
    vm.raw_set_bytes(t, key, text)?;
    Ok(Value::Table(t))
}

struct Counting(Value, f64);

impl Continuation for Counting {
    fn resume(mut self: Box<Self>, vm: &mut Vm, _: Args) -> Result<Step> {
        self.1 += 1.0;
        if self.1 > 5.0 {
            return Ok(Step::Return);
        }
        vm.push(Value::Number(self.1));
        Ok(vm.call_then(self.0, self))
    }

    fn trace(&self, mark: &mut dyn FnMut(Value)) {
        mark(self.0);
    }
}

impl Host for Store {
    fn call(&mut self, vm: &mut Vm, id: u32, args: Args) -> Result<Step> {
        if id == PRINT {
            return Ok(Step::Return);
        }
        if id == EACH {
            return Box::new(Counting(vm.arg(args, 0), 0.0)).resume(vm, args);
        }
        let mut words = Vec::new();
        for i in 0..args.n {
            words.push(vm.display(vm.arg(args, i)));
        }
        let words: Vec<&[u8]> = words.iter().map(|w| &w[..]).collect();
        let answer = match words[..] {
            [b"SET", key, value] => {
                self.0.insert(key.to_vec(), value.to_vec());
                text_table(vm, b"ok", b"OK")?
            }
            [b"GET", key] => match self.0.get(key) {
                Some(value) => vm.new_string(value)?,
                None => Value::Bool(false),
            },
            [b"LIST", ..] => {
                let t = vm.new_table(args.n, 0)?;
                for i in 1..args.n {
                    vm.raw_set_index(t, i, vm.arg(args, i))?;
                }
                Value::Table(t)
            }
            [b"NILBULK"] => Value::Bool(false),
            _ => {
                let error = text_table(vm, b"err", b"ERR unknown command")?;
                if id == CALL {
                    return Err(Error(error));
                }
                error
            }
        };
        vm.push(answer);
        Ok(Step::Return)
    }
}

fn list(vm: &mut Vm, name: &str, items: &[&str]) {
    let t = vm.new_table(items.len(), 0).expect("fits");
    for (i, item) in items.iter().enumerate() {
        let item = vm.new_string(item.as_bytes()).expect("fits");
        vm.raw_set_index(t, i + 1, item).expect("fits");
    }
    vm.set_global(name, Value::Table(t)).expect("fits");
}

fn machine(cap: usize) -> Vm {
    let mut vm = Vm::new(cap).expect("fits");
    lib::open_all(&mut vm).expect("fits");
    vm.chunk_id_size = 80;
    vm.set_global("os", Value::Nil).expect("fits");
    list(&mut vm, "KEYS", &["k1", "k2"]);
    list(&mut vm, "ARGV", &["a1", "41", "a3"]);
    let redis = vm.new_table(0, 3).expect("fits");
    for (name, id) in [("call", CALL), ("pcall", PCALL), ("each", EACH)] {
        let f = vm.host_function(id).expect("fits");
        vm.raw_set_bytes(redis, name.as_bytes(), f).expect("fits");
    }
    vm.set_global("redis", Value::Table(redis)).expect("fits");
    let print = vm.host_function(PRINT).expect("fits");
    vm.set_global("print", print).expect("fits");
    vm
}

fn shown(vm: &mut Vm, value: Value) -> String {
    let bytes = match value {
        Value::Table(t) => {
            let err = vm.raw_get_bytes(t, b"err");
            [b"table:", &vm.display(err)[..]].concat()
        }
        value => vm.display(value),
    };
    String::from_utf8_lossy(&bytes).replace('\n', "\\n")
}

/// Runs a script in slices of `slice` up to `slices` times.
fn run(vm: &mut Vm, source: &[u8], slice: u64, slices: usize) -> String {
    let f = match vm.load(b"@user_script", source) {
        Ok(f) => f,
        Err(Error(e)) => return format!("COMPILE {}", shown(vm, e)),
    };
    vm.start(f, &[]).expect("fits");
    let mut host = Store::default();
    for _ in 0..slices {
        match vm.run(&mut host, slice) {
            Outcome::Done => {
                let value = vm.results().first().copied().unwrap_or(Value::Nil);
                return format!("OK {}", shown(vm, value));
            }
            Outcome::Failed(e) => return format!("ERR {}", shown(vm, e)),
            Outcome::Paused => {}
        }
    }
    vm.abort();
    "KILLED".to_string()
}

struct Case {
    name: String,
    flags: String,
    source: String,
}

fn cases() -> Vec<Case> {
    let prelude = fixture("prelude.lua");
    let prelude = prelude.trim_end_matches('\n');
    let mut cases: Vec<Case> = Vec::new();
    for line in fixture("cases.lua").lines() {
        if let Some(head) = line.strip_prefix("--@@ ") {
            let (name, flags) = head.split_once(' ').unwrap_or((head, ""));
            cases.push(Case { name: name.into(), flags: flags.into(), source: String::new() });
        } else if let Some(case) = cases.last_mut() {
            if !case.source.is_empty() {
                case.source.push('\n');
            }
            case.source.push_str(line);
        }
    }
    for case in &mut cases {
        if !case.name.starts_with("compile_error") && !case.name.starts_with("uncaught") {
            case.source = format!("{prelude}{}\nend)())", case.source);
        }
    }
    cases
}

fn check_battery(stress: bool, slice: u64) {
    let expected: HashMap<String, String> = fixture("expected-lua5.1.txt")
        .lines()
        .filter_map(|l| l.split_once('\t').map(|(name, text)| (name.to_string(), text.to_string())))
        .collect();
    let mut wrong = Vec::new();
    let mut checked = 0;
    for case in cases() {
        // We load no compiled code.
        if case.flags.contains("REDISONLY") || case.name == "bytecode_INFO" {
            continue;
        }
        let heavy = ["recursion", "parse", "tailcalls", "big_table", "gsub_recursion", "pcall_nest"];
        if stress && heavy.iter().any(|h| case.name.contains(h)) {
            continue;
        }
        let mut vm = machine(1 << 26);
        vm.set_stress(stress);
        let got = run(&mut vm, case.source.as_bytes(), slice, 10_000_000);
        let want = expected.get(&case.name).cloned().unwrap_or_default();
        checked += 1;
        if got != want {
            wrong.push(format!("{}\n  want {want}\n  got  {got}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{} of {checked} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(checked > 50);
}

#[test]
fn battery_agrees_with_lua51() {
    check_battery(false, 1_000_000_000);
}

/// Pausing as often as can be changes nothing.
#[test]
fn battery_agrees_when_paused_all_the_time() {
    check_battery(false, 1);
}

/// Collecting at every chance changes nothing: every live value has a root.
#[test]
fn battery_agrees_under_constant_collection() {
    check_battery(true, 1_000_000_000);
}

#[test]
fn hostile_scripts_end_cleanly_within_limits() {
    let cap = 64 << 20;
    let mut names: Vec<_> = std::fs::read_dir(format!("{FIXTURES}hostile"))
        .expect("the folder exists")
        .map(|e| e.expect("readable").path())
        .collect();
    names.sort();
    for path in names {
        let source = std::fs::read(&path).expect("readable");
        let mut vm = machine(cap);
        let got = run(&mut vm, &source, 100_000, 200);
        assert!(vm.memory_used() <= cap, "{path:?} holds {}", vm.memory_used());
        // Whatever happened, the machine still works.
        assert_eq!(run(&mut vm, b"collectgarbage() return 6*7", 1000, 10), "OK 42", "after {path:?}: {got}");
    }
}

/// Generated cases whose every answer must be lua5.1's, where that is installed.
#[test]
fn generated_cases_agree_with_lua51() {
    if std::process::Command::new("lua5.1").arg("-v").output().is_err() {
        return;
    }
    let rounds: usize = std::env::var("LUA_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(300);
    let seed: usize = std::env::var("LUA_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    let common = fixture("differential/common.lua");
    for name in ["format", "numbers", "pattern", "tables", "programs", "syntax"] {
        let case = fixture(&format!("differential/{name}.lua"));
        let settings = format!("local ROUNDS, SEED = {rounds}, {seed}\n");
        let source = format!("{settings}{common}{case}\nreturn table.concat(out, '\\n')");
        let file = std::env::temp_dir().join(format!("resplay-{}-{name}.lua", std::process::id()));
        std::fs::write(&file, &source).expect("the temporary folder is writable");
        let program = format!("io.write(assert(loadfile({:?}))())", file.to_string_lossy());
        let reference = std::process::Command::new("lua5.1").args(["-e", &program]).output();
        let reference = reference.expect("lua5.1 runs").stdout;
        let mut vm = machine(1 << 28);
        let chunk = format!("@{}", file.to_string_lossy());
        let f = vm.load(chunk.as_bytes(), source.as_bytes()).expect("the script is valid");
        vm.start(f, &[]).expect("fits");
        let ours = match vm.run(&mut Store::default(), 1 << 40) {
            Outcome::Done => vm.display(vm.results()[0]),
            Outcome::Failed(e) => vm.display(e),
            Outcome::Paused => b"paused".to_vec(),
        };
        let _ = std::fs::remove_file(&file);
        let (ours, theirs) = (String::from_utf8_lossy(&ours), String::from_utf8_lossy(&reference));
        let wrong: Vec<String> = ours
            .lines()
            .zip(theirs.lines())
            .enumerate()
            .filter(|(_, (a, b))| a != b)
            .map(|(i, (a, b))| format!("line {i}\n  lua5.1 {b}\n  ours   {a}"))
            .collect();
        assert!(
            wrong.is_empty(),
            "{name}: {} lines differ\n{}",
            wrong.len(),
            wrong[..wrong.len().min(12)].join("\n")
        );
        assert_eq!(ours.lines().count(), theirs.lines().count(), "{name}: {ours:.300}");
    }
}

/// Writes values down, strings quoted, other bytes in hexadecimal.
const SHOW: &str = r#"local hex hex=function(v) local t=type(v) if t=='string' then return "'"..(v:gsub('[^%w%p ]',function(c) return string.format('\\%02x',c:byte()) end)).."'" elseif t=='number' then return string.format('%.17g',v) elseif t=='table' then local r={} for i=1,#v do r[i]=hex(v[i]) end return '{'..table.concat(r,', ')..'}' else return tostring(v) end end "#;

/// What redis-server's libraries answer; each line is a script and its results.
#[test]
fn libraries_answer_as_redis_does() {
    let mut wrong = Vec::new();
    for line in fixture("libraries.txt").lines() {
        let (source, want) = line.split_once('\t').expect("two columns");
        for stress in [false, true] {
            let mut vm = machine(1 << 26);
            lib::open_formats(&mut vm).expect("fits");
            vm.set_stress(stress);
            let script = format!(
                "{SHOW}local r={{pcall(function() {source} end)}} local o={{}} for i=1,#r do o[i]=hex(r[i]) end return table.concat(o,' | ')"
            );
            let got = run(&mut vm, script.as_bytes(), 1000, 1_000_000);
            if got.replace("user_script:", "script:") != format!("OK {want}") {
                wrong.push(format!("{source}\n  want OK {want}\n  got  {got}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

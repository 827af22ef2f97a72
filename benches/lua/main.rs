//! Times the scripts beside this file on the engine's machine and on `lua5.1`, when that is installed.
//! With a file as argument: runs it and prints what it returns.

use std::process::Command;
use std::time::Instant;

use resplay::lua::{Args, Host, Outcome, Result, Step, Value, Vm, lib};

#[derive(Default)]
struct Store(std::collections::HashMap<Vec<u8>, Vec<u8>>);

impl Host for Store {
    fn call(&mut self, vm: &mut Vm, _: u32, args: Args) -> Result<Step> {
        let (Value::Str(command), Value::Str(key)) = (vm.arg(args, 0), vm.arg(args, 1)) else {
            return Err(vm.error("command and key expected"));
        };
        if vm.bytes(command) == b"SET"
            && let Value::Str(value) = vm.arg(args, 2)
        {
            self.0.insert(vm.bytes(key).to_vec(), vm.bytes(value).to_vec());
            return Ok(Step::Return);
        }
        match self.0.get(vm.bytes(key)) {
            Some(value) => vm.push_bytes(value)?,
            None => vm.push(Value::Bool(false)),
        }
        Ok(Step::Return)
    }
}

fn machine() -> Result<Vm> {
    let mut vm = Vm::new(1 << 30)?;
    vm.chunk_id_size = 80;
    lib::open_all(&mut vm)?;
    lib::open_formats(&mut vm)?;
    let redis = vm.new_table(0, 1)?;
    let call = vm.host_function(0)?;
    vm.raw_set_bytes(redis, b"call", call)?;
    vm.set_global("redis", Value::Table(redis))?;
    Ok(vm)
}

fn run(source: &[u8]) -> String {
    let mut vm = machine().expect("a gigabyte is enough");
    let shown = |vm: &Vm, v| String::from_utf8_lossy(&vm.display(v)).into_owned();
    let chunk = match vm.load(b"@script", source) {
        Ok(chunk) => chunk,
        Err(e) => return shown(&vm, e.0),
    };
    if vm.start(chunk, &[]).is_err() {
        return "no memory".into();
    }
    match vm.run(&mut Store::default(), u64::MAX) {
        Outcome::Done => {
            let values: Vec<String> = vm.results().iter().map(|v| shown(&vm, *v)).collect();
            values.join("\t")
        }
        Outcome::Failed(e) => format!("error: {}", shown(&vm, e)),
        Outcome::Paused => "paused".into(),
    }
}

/// Processor time of this thread where Linux tells it, as `os.clock` does; else time.
fn cpu_ms() -> f64 {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let told = told.and_then(|t| t.split_whitespace().next()?.parse::<f64>().ok());
    told.map_or_else(|| START.get_or_init(Instant::now).elapsed().as_secs_f64() * 1e3, |ns| ns / 1e6)
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    if let Some(file) = args.first() {
        println!("{}", run(&std::fs::read(file).expect("the file is readable")));
        return;
    }
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/lua/");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .expect("the folder exists")
        .filter_map(|e| Some(e.ok()?.file_name().to_string_lossy().into_owned()))
        .filter(|n| n.ends_with(".lua") && n.starts_with(|c: char| c.is_ascii_digit()))
        .collect();
    files.sort();
    for file in files {
        let source = std::fs::read(format!("{folder}{file}")).expect("the file is readable");
        let mut ours = f64::MAX;
        let mut theirs = f64::MAX;
        for _ in 0..3 {
            let start = cpu_ms();
            let _ = run(&source);
            ours = ours.min(cpu_ms() - start);
            let puc = Command::new("lua5.1").args(["puc.lua", &file]).current_dir(folder).output();
            if let Ok(output) = puc {
                let text = String::from_utf8_lossy(&output.stdout).into_owned();
                if let Some(ms) = text.split_whitespace().next().and_then(|w| w.parse::<f64>().ok()) {
                    theirs = theirs.min(ms);
                }
            }
        }
        println!("{file:24} {ours:9.1} ms   lua5.1 {theirs:9.1} ms   ratio {:.2}", ours / theirs);
    }
}

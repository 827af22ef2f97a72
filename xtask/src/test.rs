//! `cargo xtask test`: everything that is checked, one named step after another, a table at the end.

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use crate::command::{Counts, cargo, interrupted, shown, typed};
use crate::{Result, root};

/// One line of the table.
struct Step {
    name: &'static str,
    about: &'static str,
    /// Whether it runs tests; then one that ran none has failed.
    tests: bool,
    run: fn(&mut Run) -> Result<()>,
}

/// All steps, in order. A new one is a line here.
const STEPS: &[Step] = &[
    Step { name: "format", about: "rustfmt changes nothing", tests: false, run: format },
    Step { name: "clippy", about: "no warnings, native and wasm32", tests: false, run: clippy },
    Step { name: "engine", about: "units, transcripts and every other tests/*.rs", tests: true, run: engine },
    Step { name: "xtask", about: "the chores themselves", tests: true, run: xtask },
];

/// Files of tests/*.rs that have a step of their own; the step `engine` runs all others.
const OWN_STEP: &[&str] = &["oracle", "wire"];

const STEP_LIMIT: Duration = Duration::from_secs(30 * 60);

const HELP: &str = "\
cargo xtask test [options]

Checks everything, goes on after a failure, and ends with a table. Installs what a step needs where it can,
or says what to install.

  --only a,b   these steps alone
  --skip a,b   all but these
  --list       the steps
";

/// What a running step may do, and what came of it so far.
pub struct Run {
    counts: Counts,
    notes: Vec<String>,
}

impl Run {
    /// Runs a program with its output shown and its tests counted.
    fn command(&mut self, command: Command) -> Result<()> {
        println!("$ {}", typed(&command));
        let (counts, result) = shown(command, STEP_LIMIT);
        self.counts.add(counts);
        result
    }

    fn cargo(&mut self, arguments: &[&str]) -> Result<()> {
        self.command(cargo(arguments))
    }
}

fn format(run: &mut Run) -> Result<()> {
    run.cargo(&["fmt", "--all", "--", "--check"])
}

fn clippy(run: &mut Run) -> Result<()> {
    let native = run.cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]);
    let wasm = run.cargo(&["clippy", "--lib", "--target", "wasm32-unknown-unknown", "--", "-D", "warnings"]);
    native.and(wasm)
}

fn engine(run: &mut Run) -> Result<()> {
    let mut arguments = vec!["test", "--no-fail-fast", "--lib"];
    if root().join("src/main.rs").exists() {
        arguments.push("--bins");
    }
    let names = integration_tests()?;
    for name in names.iter().filter(|name| !OWN_STEP.contains(&name.as_str())) {
        arguments.extend(["--test", name]);
    }
    run.cargo(&arguments)
}

fn xtask(run: &mut Run) -> Result<()> {
    run.cargo(&["test", "--package", "xtask"])
}

fn integration_tests() -> Result<Vec<String>> {
    let Ok(folder) = std::fs::read_dir(root().join("tests")) else { return Ok(Vec::new()) };
    let mut names = Vec::new();
    for entry in folder {
        let name = entry.map_err(|error| format!("tests/: {error}"))?.file_name();
        names.extend(name.to_string_lossy().strip_suffix(".rs").map(str::to_owned));
    }
    names.sort();
    Ok(names)
}

struct Outcome {
    step: &'static Step,
    took: Duration,
    run: Run,
    result: Result<()>,
}

pub fn main(arguments: Vec<String>) -> Result<ExitCode> {
    let mut steps: Vec<&Step> = STEPS.iter().collect();
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--help" | "-h" => {
                print!("{HELP}");
                return Ok(ExitCode::SUCCESS);
            }
            "--list" => {
                for step in STEPS {
                    println!("{:14} {}", step.name, step.about);
                }
                return Ok(ExitCode::SUCCESS);
            }
            "--only" | "--skip" => {
                let names = named(arguments.next().unwrap_or_default())?;
                steps.retain(|step| names.iter().any(|name| name == step.name) == (argument == "--only"));
            }
            other => return Err(format!("no option `{other}`\n\n{HELP}")),
        }
    }
    let began = Instant::now();
    let mut outcomes = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        if interrupted() {
            break;
        }
        println!("\n━━ {} ({} of {}): {}", step.name, at + 1, steps.len(), step.about);
        outcomes.push(perform(step));
    }
    Ok(table(&outcomes, steps.len(), began.elapsed()))
}

fn named(list: String) -> Result<Vec<String>> {
    let names: Vec<String> = list.split(',').map(str::trim).map(str::to_owned).collect();
    match names.iter().find(|name| STEPS.iter().all(|step| step.name != **name)) {
        None => Ok(names),
        Some(unknown) => Err(format!("no step `{unknown}`; `cargo xtask test --list` shows them")),
    }
}

fn perform(step: &'static Step) -> Outcome {
    let began = Instant::now();
    let mut run = Run { counts: Counts::default(), notes: Vec::new() };
    let mut result = (step.run)(&mut run);
    if step.tests && result.is_ok() && run.counts.passed == 0 {
        result = Err("no test ran".to_owned());
    }
    if result.is_ok() && run.counts.failed > 0 {
        result = Err(format!("{} tests failed", run.counts.failed));
    }
    let took = began.elapsed();
    match &result {
        Ok(()) => println!("   {} ok, {:.1} s", step.name, took.as_secs_f64()),
        Err(error) => println!("   {} FAILED, {:.1} s: {error}", step.name, took.as_secs_f64()),
    }
    Outcome { step, took, run, result }
}

fn table(outcomes: &[Outcome], planned: usize, took: Duration) -> ExitCode {
    let mut total = Counts::default();
    println!("\n{:14} {:>8} {:>8}  result", "step", "time", "tests");
    for Outcome { step, took, run, result } in outcomes {
        total.add(run.counts);
        let tests = if step.tests { run.counts.passed.to_string() } else { String::new() };
        let result = match result {
            Ok(()) => "ok".to_owned(),
            Err(error) => format!("FAILED: {}", error.lines().next().unwrap_or_default()),
        };
        println!("{:14} {:>6.1} s {tests:>8}  {result}", step.name, took.as_secs_f64());
        if run.counts.failed > 0 || run.counts.skipped > 0 {
            println!("{:33}  {} failed, {} skipped", "", run.counts.failed, run.counts.skipped);
        }
        for note in &run.notes {
            println!("{:33}  {note}", "");
        }
    }
    let failed = outcomes.iter().filter(|outcome| outcome.result.is_err()).count();
    let verdict = match (failed, planned - outcomes.len()) {
        (0, 0) => "all ok".to_owned(),
        (0, left) => format!("interrupted, {left} steps not run"),
        (failed, 0) => format!("{failed} FAILED"),
        (failed, left) => format!("{failed} FAILED, {left} not run"),
    };
    println!("{:14} {:>6.1} s {:>8}  {verdict}", "all", took.as_secs_f64(), total.passed);
    if failed == 0 && outcomes.len() == planned { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

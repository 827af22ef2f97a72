//! `cargo xtask test`: everything that is checked, one named step after another, a table at the end.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use crate::command::{Counts, cargo, interrupted, program, shown, typed};
use crate::{Result, budget, npm, page, play, root, tools, wasm};

/// One line of the table.
struct Step {
    name: &'static str,
    about: &'static str,
    /// The file or folder that holds what it checks; without it the step is not there.
    of: &'static str,
    /// Whether it runs tests; then one that ran none has failed.
    tests: bool,
    run: fn(&mut Run) -> Result<()>,
}

const fn check(
    name: &'static str,
    of: &'static str,
    about: &'static str,
    run: fn(&mut Run) -> Result<()>,
) -> Step {
    Step { name, about, of, tests: false, run }
}

const fn tests(
    name: &'static str,
    of: &'static str,
    about: &'static str,
    run: fn(&mut Run) -> Result<()>,
) -> Step {
    Step { name, about, of, tests: true, run }
}

/// All steps, in order. A new one is a line here.
const STEPS: &[Step] = &[
    check("format", "src", "rustfmt changes nothing", format),
    check("clippy", "src", "no warnings, native and wasm32", clippy),
    tests("engine", "src", "units, transcripts and every other tests/*.rs", engine),
    tests("oracle", "tests/oracle", "the same replies as a real redis-server", oracle),
    tests("wire", "tests/wire.rs", "real sockets and real clients", wire),
    check("clients", "tests/clients/run.sh", "real clients with the scripts they bring", clients),
    tests("module", "tests/web/module", "the wasm module in Node", module_in_node),
    tests("chromium", "tests/web/module", "the wasm module in Chromium", module_in_chromium),
    tests("www", "www/test", "the page's own units", www),
    tests("page", "tests/web/page", "the page in Chromium, end to end", page_in_chromium),
    tests("phone", "tests/web/phone", "the page on a phone", page_on_a_phone),
    tests("browsers", "tests/web/browsers", "the page in Firefox and WebKit", page_in_other_browsers),
    tests("accessibility", "tests/web/accessibility", "axe finds nothing on the page", accessibility),
    tests("docs", "docs/transcripts.md", "the examples in the documents", docs),
    check("budget", "www/scripts/sizes.mjs", "the page is light enough", budget),
    tests("xtask", "xtask", "the chores themselves", xtask),
];

/// Files of tests/*.rs that have a step of their own; the step `engine` runs all others.
const OWN_STEP: &[&str] = &["oracle", "wire"];

/// What the wire tests speak through, besides redis-cli.
const PYTHON_CLIENT: &[&str] = &["redis==7.1.0"];

/// How long one program of a step may run, compiling included.
const STEP_LIMIT: Duration = Duration::from_secs(15 * 60);

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

    /// Runs one project of `tests/web/playwright.config.ts` against the page at an address.
    fn playwright(&mut self, project: &str, address: &str, binary: &Path) -> Result<()> {
        let folder = npm::install(&root().join("tests/web"))?;
        tools::chromium()?;
        let mut command =
            program("node", &["node_modules/@playwright/test/cli.js", "test", "--project", project]);
        command.current_dir(folder).env("RESPLAY_URL", address).env("RESPLAY_BINARY", binary);
        self.command(command)
    }

    /// Runs one project against the built page, as `resplay serve` serves it.
    fn on_the_page(&mut self, project: &str) -> Result<()> {
        let folder = page::build()?;
        let binary = play::server(false)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
        let port = listener.map_err(|error| error.to_string())?.port();
        let _served = play::page_server(&binary, &folder, port)?;
        // Where it is, some tests start a server of their own.
        self.playwright(project, &format!("http://127.0.0.1:{port}/"), &binary)
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
    // In the profile of the alias, so that what runs this is not compiled a second time.
    run.cargo(&["test", "--profile", "xtask", "--package", "xtask"])
}

fn oracle(run: &mut Run) -> Result<()> {
    tools::redis()?;
    run.cargo(&["test", "--test", "oracle"])
}

fn wire(run: &mut Run) -> Result<()> {
    tools::redis()?;
    let mut command = cargo(&["test", "--test", "wire"]);
    match tools::python(PYTHON_CLIENT) {
        Ok(python) => drop(command.env("RESPLAY_PYTHON", python)),
        Err(why) => run.notes.push(format!("without redis-py: {}", why.lines().next().unwrap_or_default())),
    }
    run.command(command)
}

fn clients(run: &mut Run) -> Result<()> {
    run.command(cargo(&["build", "--bin", "resplay"]))?;
    let target = std::env::var("CARGO_TARGET_DIR").map_or_else(|_| root().join("target"), Into::into);
    let server = target.join("debug/resplay");
    run.command(program("tests/clients/run.sh", &[&server.to_string_lossy()]))
}

fn module_in_node(run: &mut Run) -> Result<()> {
    npm::node()?;
    wasm::build()?;
    run.command(program("node", &["--test", "--test-reporter=spec", "tests/web/module/"]))
}

fn module_in_chromium(run: &mut Run) -> Result<()> {
    wasm::build()?;
    // The module is all this needs: no server.
    run.playwright("module", "http://localhost/", Path::new(""))
}

fn www(run: &mut Run) -> Result<()> {
    let folder = npm::install(&root().join("www"))?;
    wasm::build()?;
    run.command(npm::npm(&folder, &["test"]))
}

fn page_in_chromium(run: &mut Run) -> Result<()> {
    run.on_the_page("page")
}

fn page_on_a_phone(run: &mut Run) -> Result<()> {
    run.on_the_page("phone")
}

fn page_in_other_browsers(run: &mut Run) -> Result<()> {
    page::build()?;
    let folder = npm::install(&root().join("tests/web"))?;
    tools::firefox()?;
    let mut browsers = "Firefox,WebKit";
    if let Err(why) = tools::webkit() {
        run.notes.push(format!("without WebKit: {why}"));
        browsers = "Firefox";
    }
    // They start the server themselves, for they also end it.
    let binary = play::server(false)?;
    let mut command = program("node", &["--test", "--test-reporter=spec", "browsers/smoke.test.js"]);
    command.current_dir(folder).env("RESPLAY_BINARY", binary).env("RESPLAY_BROWSERS", browsers);
    run.command(command)
}

fn accessibility(run: &mut Run) -> Result<()> {
    run.on_the_page("accessibility")
}

fn budget(run: &mut Run) -> Result<()> {
    run.command(budget::weigh()?)
}

fn docs(run: &mut Run) -> Result<()> {
    let mut files = Vec::new();
    for folder in ["", "docs"] {
        let Ok(entries) = std::fs::read_dir(root().join(folder)) else { continue };
        let paths = entries.flatten().map(|entry| entry.path());
        files.extend(paths.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    }
    files.sort();
    let mut command = cargo(&["run", "--quiet", "--bin", "resplay", "--", "doctest"]);
    command.args(files);
    run.command(command)
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
    let present = || STEPS.iter().filter(|step| root().join(step.of).exists());
    let mut steps: Vec<&Step> = present().collect();
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--help" | "-h" => {
                print!("{HELP}");
                return Ok(ExitCode::SUCCESS);
            }
            "--list" => {
                for step in present() {
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
    match names.iter().find(|name| !STEPS.iter().any(|step| step.name == **name)) {
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

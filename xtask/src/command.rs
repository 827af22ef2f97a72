//! Running other programs: shown live and counted, or quietly with the output kept for when it fails.

use std::io::{BufRead, BufReader, IsTerminal, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::{Result, root};

/// How many tests a program said it ran.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counts {
    pub passed: u64,
    pub failed: u64,
    pub skipped: u64,
}

impl Counts {
    pub fn add(&mut self, other: Counts) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

/// A program, in the root of the repository.
pub fn program(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(name);
    command.args(arguments).current_dir(root());
    command
}

/// The cargo that runs this.
pub fn cargo(arguments: &[&str]) -> Command {
    program(&std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()), arguments)
}

/// The command as one would type it.
pub fn typed(command: &Command) -> String {
    let name = command.get_program().to_string_lossy();
    let name = name.rsplit(['/', '\\']).next().unwrap_or(&name).to_owned();
    let words = command.get_args().map(|word| word.to_string_lossy().into_owned());
    std::iter::once(name).chain(words).collect::<Vec<_>>().join(" ")
}

/// Runs to the end with every line shown as it comes; answers the tests the lines tell of, and whether it succeeded.
/// Kills the program and all it started after `limit`, or when the user interrupts.
pub fn shown(mut command: Command, limit: Duration) -> (Counts, Result<()>) {
    let text = typed(&command);
    if std::io::stdout().is_terminal() {
        command.env("CARGO_TERM_COLOR", "always").env("FORCE_COLOR", "1");
    } else {
        command.env("NO_COLOR", "1");
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    own_group(&mut command);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return (Counts::default(), Err(format!("`{text}` does not start: {error}"))),
    };
    let counts = Arc::new(Mutex::new(Counts::default()));
    let readers = [
        child.stdout.take().map(|pipe| pass_on(pipe, std::io::stdout(), counts.clone())),
        child.stderr.take().map(|pipe| pass_on(pipe, std::io::stderr(), counts.clone())),
    ];
    let result = wait(&mut child, limit, &text);
    for reader in readers.into_iter().flatten() {
        reader.join().ok();
    }
    let counts = *counts.lock().expect("no reader panics");
    (counts, result)
}

/// Runs to the end and answers its standard output; what it said to both outputs goes into the error.
pub fn quiet(mut command: Command) -> Result<String> {
    let text = typed(&command);
    let output =
        command.stdin(Stdio::null()).output().map_err(|error| format!("`{text}` does not start: {error}"))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(said);
    }
    Err(format!("`{text}` failed, {}:\n{said}{}", output.status, String::from_utf8_lossy(&output.stderr)))
}

/// Whether the user pressed Ctrl-C, from the first call on.
pub fn interrupted() -> bool {
    static FLAG: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| {
        let flag = Arc::new(AtomicBool::new(false));
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            signal_hook::flag::register(signal, flag.clone()).ok();
        }
        flag
    });
    FLAG.load(Ordering::Relaxed)
}

/// A process group of its own, so that all a program started can be ended with it.
fn own_group(command: &mut Command) {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    #[cfg(not(unix))]
    let _ = command;
}

fn end_group(child: &mut Child, signal: &str) {
    if cfg!(unix) {
        let group = format!("-{}", child.id());
        Command::new("kill").args([signal, "--", &group]).stderr(Stdio::null()).status().ok();
    } else {
        child.kill().ok();
    }
}

fn wait(child: &mut Child, limit: Duration, text: &str) -> Result<()> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            // What it left behind would hold the pipes open, and a port or two.
            end_group(child, "-TERM");
            return if status.success() { Ok(()) } else { Err(format!("`{text}` failed, {status}")) };
        }
        let why = if interrupted() { "was interrupted" } else { "ran out of time" };
        if interrupted() || Instant::now() > deadline {
            end_group(child, "-TERM");
            thread::sleep(Duration::from_millis(500));
            end_group(child, "-KILL");
            child.wait().ok();
            return Err(format!("`{text}` {why}"));
        }
        thread::sleep(Duration::from_millis(20));
    }
}

fn pass_on(
    pipe: impl Read + Send + 'static,
    mut to: impl Write + Send + 'static,
    counts: Arc<Mutex<Counts>>,
) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let mut lines = BufReader::new(pipe);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
            to.write_all(&line).and_then(|()| to.flush()).ok();
            if let Some(told) = counted(&String::from_utf8_lossy(&line)) {
                counts.lock().expect("no reader panics").add(told);
            }
            line.clear();
        }
    })
}

/// The tests one line of output tells of: the closing lines of cargo test, node:test, vitest, Playwright and doctest.
fn counted(line: &str) -> Option<Counts> {
    let plain = without_colours(line);
    let plain = plain.trim();
    let mut words = plain.split_whitespace();
    let first = words.next()?;
    let parts = if let Some(result) = plain.strip_prefix("test result: ") {
        result.split_once(". ")?.1.to_owned()
    } else if ["ℹ", "#"].contains(&first) {
        // node:test says `pass 3`, the others `3 passed`.
        let (kind, number) = (words.next()?, words.next()?);
        number.parse::<u64>().ok()?;
        format!("{number} {kind}")
    } else if first == "Tests" {
        plain.strip_prefix("Tests")?.replace('|', ";")
    } else if first.parse::<u64>().is_ok() {
        plain.replace(", ", ";")
    } else {
        return None;
    };
    let mut counts = Counts::default();
    let mut known = false;
    for part in parts.split(';') {
        let mut words = part.split_whitespace();
        let (Some(number), Some(kind)) = (words.next(), words.next()) else { continue };
        let Ok(number) = number.parse::<u64>() else { continue };
        match kind {
            "passed" | "pass" => counts.passed += number,
            "failed" | "fail" => counts.failed += number,
            "ignored" | "skipped" | "todo" => counts.skipped += number,
            _ => continue,
        }
        known = true;
    }
    known.then_some(counts)
}

fn without_colours(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, escape)) = rest.split_once('\x1b') {
        plain.push_str(before);
        rest = escape.split_once('m').map_or("", |(_, after)| after);
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(passed: u64, failed: u64, skipped: u64) -> Option<Counts> {
        Some(Counts { passed, failed, skipped })
    }

    #[test]
    fn closing_lines_are_counted() {
        let cargo = "test result: FAILED. 12 passed; 3 failed; 1 ignored; 0 measured; 4 filtered out; finished in 0.01s";
        assert_eq!(counted(cargo), counts(12, 3, 1));
        assert_eq!(counted("ℹ pass 7"), counts(7, 0, 0));
        assert_eq!(counted("# fail 2"), counts(0, 2, 0));
        assert_eq!(
            counted("\x1b[2m      Tests \x1b[22m \x1b[31m1 failed\x1b[39m | \x1b[32m5 passed\x1b[39m (6)"),
            counts(5, 1, 0)
        );
        assert_eq!(counted("  4 passed (2.1s)"), counts(4, 0, 0));
        assert_eq!(counted("12 passed, 1 failed"), counts(12, 1, 0));
    }

    #[test]
    fn other_lines_are_not() {
        for line in [
            "",
            "running 3 tests",
            "test a::b ... ok",
            "ℹ duration_ms 12.5",
            "3 clients connected at once",
            "# Subtest: x",
        ] {
            assert_eq!(counted(line), None, "{line}");
        }
    }
}

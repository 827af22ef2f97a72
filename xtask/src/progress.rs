//! One line for each task, with its time; on a terminal the time runs while the task does, and the line shows
//! what it is at.

use std::io::{BufRead, BufReader, IsTerminal, Read, Write};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use crate::Result;
use crate::command::typed;

struct Running {
    name: &'static str,
    began: Instant,
    at: String,
}

/// The running tasks, oldest first. Their lines stand below all others.
static RUNNING: Mutex<Vec<Running>> = Mutex::new(Vec::new());

/// A task that runs until it is done, or dropped when it failed.
pub struct Task {
    name: &'static str,
    began: Instant,
}

impl Task {
    pub fn start(name: &'static str) -> Task {
        let began = Instant::now();
        if !std::io::stdout().is_terminal() {
            // Otherwise a log would be silent for the minutes that a first build takes.
            say(&format!("  {name:22}      …"));
        }
        redraw("", |running| running.push(Running { name, began, at: String::new() }));
        static TICKER: std::sync::Once = std::sync::Once::new();
        TICKER.call_once(|| {
            thread::spawn(|| {
                while std::io::stdout().is_terminal() {
                    thread::sleep(Duration::from_millis(200));
                    redraw("", |_| ());
                }
            });
        });
        Task { name, began }
    }

    /// Runs a program to its end and shows the last line it wrote. All it wrote goes into the error when it fails.
    pub fn run(&self, mut command: Command) -> Result<()> {
        let text = typed(&command);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("`{text}` does not start: {error}"))?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let (out, err) = thread::scope(|scope| {
            let out = scope.spawn(|| out.map(|pipe| self.follow(pipe)).unwrap_or_default());
            let err = err.map(|pipe| self.follow(pipe)).unwrap_or_default();
            (out.join().unwrap_or_default(), err)
        });
        let status = child.wait().map_err(|error| format!("`{text}`: {error}"))?;
        if status.success() { Ok(()) } else { Err(format!("`{text}` failed, {status}:\n{out}{err}")) }
    }

    pub fn done(self, what: &str) {
        let line = format!("  {:22} {:>6.1} s  {what}", self.name, self.began.elapsed().as_secs_f64());
        redraw(&line, |running| running.retain(|task| task.name != self.name));
    }

    fn follow(&self, pipe: impl Read) -> String {
        let mut all = String::new();
        for line in BufReader::new(pipe).split(b'\n').map_while(std::result::Result::ok) {
            let line = String::from_utf8_lossy(&line);
            let at: String =
                line.trim().chars().filter(|character| !character.is_control()).take(50).collect();
            for task in lock().iter_mut().filter(|task| task.name == self.name && !at.is_empty()) {
                task.at.clone_from(&at);
            }
            all.push_str(&line);
            all.push('\n');
        }
        all
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        redraw("", |running| running.retain(|task| task.name != self.name));
    }
}

/// Prints a line above those of the running tasks.
pub fn say(line: &str) {
    redraw(line, |_| ());
}

fn lock() -> MutexGuard<'static, Vec<Running>> {
    RUNNING.lock().expect("no task panics while it draws")
}

/// Changes the running tasks, prints a line above theirs, and draws theirs again.
fn redraw(line: &str, edit: impl FnOnce(&mut Vec<Running>)) {
    let mut running = lock();
    let drawn = if std::io::stdout().is_terminal() { running.len() } else { 0 };
    let mut text = "\x1b[A\x1b[2K".repeat(drawn);
    edit(&mut running);
    if !line.is_empty() {
        text.push_str(&format!("{line}\n"));
    }
    if std::io::stdout().is_terminal() {
        for Running { name, began, at } in running.iter() {
            text.push_str(&format!("  {name:22} {:>6.1} s  … {at}\n", began.elapsed().as_secs_f64()));
        }
    }
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).ok();
}

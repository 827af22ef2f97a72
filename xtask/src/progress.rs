//! One line for each task, with its time; on a terminal the time runs while the task does.

use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

/// The running tasks, oldest first. Their lines stand below all others.
static RUNNING: Mutex<Vec<(&'static str, Instant)>> = Mutex::new(Vec::new());

/// A task that runs until it is done, or dropped when it failed.
pub struct Task {
    name: &'static str,
    began: Instant,
}

impl Task {
    pub fn start(name: &'static str) -> Task {
        let began = Instant::now();
        change(|running| running.push((name, began)), "");
        if !std::io::stdout().is_terminal() {
            println!("  {name:22} …");
        }
        static TICKER: std::sync::Once = std::sync::Once::new();
        TICKER.call_once(|| {
            thread::spawn(|| {
                loop {
                    thread::sleep(Duration::from_millis(200));
                    change(|_| (), "");
                }
            });
        });
        Task { name, began }
    }

    pub fn done(self, what: &str) {
        let line = format!("  {:22} {:>6.1} s  {what}", self.name, self.began.elapsed().as_secs_f64());
        change(|running| running.retain(|(name, _)| *name != self.name), &line);
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        change(|running| running.retain(|(name, _)| *name != self.name), "");
    }
}

/// Changes the running tasks, prints a line above theirs, and draws theirs again.
fn change(edit: impl FnOnce(&mut Vec<(&'static str, Instant)>), line: &str) {
    let mut running = RUNNING.lock().expect("no task panics while it draws");
    let mut text = String::new();
    if std::io::stdout().is_terminal() {
        for _ in running.iter() {
            text.push_str("\x1b[A\x1b[2K");
        }
    }
    edit(&mut running);
    if !line.is_empty() {
        text.push_str(&format!("{line}\n"));
    }
    if std::io::stdout().is_terminal() {
        for (name, began) in running.iter() {
            text.push_str(&format!("  {name:22} {:>6.1} s  …\n", began.elapsed().as_secs_f64()));
        }
    }
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).ok();
}

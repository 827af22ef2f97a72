//! The files of a terminal's user: history and preferences, where redis-cli's environment variables say.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use crate::cli::history::{History, LINES_MAX};

/// A file named by the variable, or else by this name in the home folder; `/dev/null` means none.
fn dotfile(variable: &str, name: &str) -> Option<PathBuf> {
    match std::env::var_os(variable).filter(|path| !path.is_empty()) {
        Some(path) if path == "/dev/null" => None,
        Some(path) => Some(path.into()),
        None => std::env::var_os("HOME")
            .filter(|home| !home.is_empty())
            .map(|home| PathBuf::from(home).join(name)),
    }
}

/// Lines kept between sessions. Failing to keep them is no reason to stop.
pub struct HistoryFile {
    path: Option<PathBuf>,
}

impl HistoryFile {
    /// The file and what it holds. One that has grown far too long is cut.
    pub fn open() -> (HistoryFile, History) {
        let file = HistoryFile { path: dotfile("REDISCLI_HISTFILE", ".resplay_history") };
        let bytes = file.path.as_ref().and_then(|path| fs::read(path).ok()).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().collect();
        let recent = &lines[lines.len().saturating_sub(LINES_MAX)..];
        if lines.len() > 2 * LINES_MAX
            && let Some(mut writer) = file.writer(true)
        {
            let _ = writer.write_all((recent.join("\n") + "\n").as_bytes());
        }
        (file, History::from_lines(recent.iter().copied()))
    }

    /// A line of several lines is not kept: the file holds one entry a line.
    pub fn add(&self, line: &str) {
        if line.contains('\n') {
            return;
        }
        if let Some(mut writer) = self.writer(false) {
            let _ = writer.write_all(format!("{line}\n").as_bytes());
        }
    }

    /// Readable by its owner alone.
    fn writer(&self, afresh: bool) -> Option<File> {
        let mut options = OpenOptions::new();
        options.create(true).mode(0o600).append(!afresh).write(true).truncate(afresh);
        options.open(self.path.as_ref()?).ok()
    }
}

/// The lines of the preferences file that begin with `:`.
pub fn preferences() -> Vec<String> {
    let text = dotfile("REDISCLI_RCFILE", ".redisclirc").and_then(|path| fs::read_to_string(path).ok());
    let text = text.unwrap_or_default();
    text.lines().map(str::trim).filter(|line| line.starts_with(':')).map(str::to_owned).collect()
}

//! The server's log, in the shape of Redis's: `pid:role date level text`.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::server::event::LogLevel;

/// What the process is at a line: still starting, or a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Starting,
    Master,
}

#[derive(Clone, Debug)]
pub struct Log {
    /// Nothing is written below it, and nothing at all without one.
    level: Option<LogLevel>,
    path: Option<PathBuf>,
    coloured: bool,
    pub role: Role,
}

/// The value of `loglevel`.
pub fn level(word: &[u8]) -> Option<LogLevel> {
    match word {
        b"debug" => Some(LogLevel::Debug),
        b"verbose" => Some(LogLevel::Verbose),
        b"warning" => Some(LogLevel::Warning),
        b"nothing" => None,
        _ => Some(LogLevel::Notice),
    }
}

impl Log {
    /// To a file, or to standard output.
    pub fn new(level: Option<LogLevel>, path: Option<PathBuf>) -> Log {
        let coloured =
            path.is_none() && std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Log { level, path, coloured, role: Role::Starting }
    }

    pub fn set_level(&mut self, level: Option<LogLevel>) {
        self.level = level;
    }

    pub fn notice(&self, text: impl AsRef<str>) {
        self.write(LogLevel::Notice, text.as_ref());
    }

    pub fn warning(&self, text: impl AsRef<str>) {
        self.write(LogLevel::Warning, text.as_ref());
    }

    /// One line. A log that cannot be written is no reason to stop serving.
    pub fn write(&self, level: LogLevel, text: &str) {
        if self.level.is_none_or(|least| level < least) {
            return;
        }
        let role = match self.role {
            Role::Starting => 'C',
            Role::Master => 'M',
        };
        let sign = match level {
            LogLevel::Debug => '.',
            LogLevel::Verbose => '-',
            LogLevel::Notice => '*',
            LogLevel::Warning => '#',
        };
        let line = format!("{}:{role} {} {sign} {text}\n", std::process::id(), timestamp());
        let _ = match &self.path {
            Some(path) => std::fs::OpenOptions::new()
                .create(true)
                .append(true)
                .open(path)
                .and_then(|mut file| file.write_all(line.as_bytes())),
            None if self.coloured && level == LogLevel::Warning => {
                std::io::stdout().write_all(format!("\x1b[33m{}\x1b[0m\n", line.trim_end()).as_bytes())
            }
            None => std::io::stdout().write_all(line.as_bytes()),
        };
    }
}

/// `22 Nov 2026 15:04:05.123`, in UTC.
fn timestamp() -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (days, seconds) = (now.as_secs() / 86400, now.as_secs() % 86400);
    let (year, month, day) = civil(days as i64);
    format!(
        "{day:02} {} {year} {:02}:{:02}:{:02}.{:03}",
        MONTHS[month as usize - 1],
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60,
        now.subsec_millis()
    )
}

/// The date of a day counted from 1970-01-01 (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn civil(days: i64) -> (i64, u32, u32) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * month + 2) / 5 + 1) as u32;
    let month = if month < 10 { month + 3 } else { month - 9 } as u32;
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    #[test]
    fn dates_are_civil() {
        assert_eq!(super::civil(0), (1970, 1, 1));
        assert_eq!(super::civil(11_016), (2000, 2, 29));
        assert_eq!(super::civil(20_779), (2026, 11, 22));
    }
}

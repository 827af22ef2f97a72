//! What has been saved and when. What a command needs done at once is done by the host's [`Disk`]; the rest the engine asks
//! for by events, and the host says how it went.

use super::Server;
use super::config::Config;
use super::error::Error;
use super::event::{Event, LogLevel};
use crate::format_error;

const SAVE_FAILED: Error = Error::new(
    "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that may \
     modify the data set are disabled, because this instance is configured to report errors during writes if RDB \
     snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB error.",
);
/// After a save in the background has failed, the next is not tried at once.
const RETRY_MS: u64 = 5000;

/// The files of a host.
pub trait Disk: Send {
    /// Puts an RDB file in the place of the last one.
    fn save(&mut self, config: &Config, bytes: &[u8]) -> Result<(), String>;
    /// The RDB file, if there is one.
    fn load(&mut self, config: &Config) -> Result<Option<Vec<u8>>, String>;
    /// Adds to the append-only file, as far as it is kept.
    fn append(&mut self, bytes: &[u8]) -> Result<(), String>;
    /// What was added to the append-only file is on disk when this returns.
    fn sync(&mut self) -> Result<(), String>;
    /// The parts of the append-only file; none where there is no such file.
    fn load_aof(&mut self, config: &Config) -> Result<Vec<AofPart>, String>;
}

/// One file of an append-only file.
pub struct AofPart {
    pub name: String,
    pub bytes: Vec<u8>,
}

pub struct Persistence {
    pub disk: Option<Box<dyn Disk>>,
    pub last_save_ms: u64,
    pub saves: u64,
    pub rewrites: u64,
    pub last_save_failed: bool,
    pub last_rewrite_failed: bool,
    pub rewrite_started_ms: Option<u64>,
    pub last_rewrite_took_seconds: Option<u64>,
    /// Bytes of the append-only file, and how many they were after the last rewrite; while it is kept.
    pub aof_bytes: Option<(u64, u64)>,
    /// Why the last write to the append-only file failed.
    pub aof_error: Option<String>,
    /// Of a save in the background that has not ended.
    pub save_started_ms: Option<u64>,
    pub last_save_took_seconds: Option<u64>,
    /// Changes when the last save began.
    pub dirty_at_save: u64,
    /// The same of the one that runs.
    dirty_at_start: u64,
    last_try_ms: u64,
    pub is_loading: bool,
    /// DEBUG SET-SKIP-CHECKSUM-VALIDATION.
    pub skips_checksums: bool,
    pub keys_loaded: u64,
    /// Keys of the last file that had expired before it was loaded.
    pub keys_expired: u64,
}

impl Persistence {
    pub fn new(now_ms: u64) -> Self {
        Persistence {
            disk: None,
            last_save_ms: now_ms,
            saves: 0,
            rewrites: 0,
            last_save_failed: false,
            last_rewrite_failed: false,
            rewrite_started_ms: None,
            last_rewrite_took_seconds: None,
            aof_bytes: None,
            aof_error: None,
            save_started_ms: None,
            last_save_took_seconds: None,
            dirty_at_save: 0,
            dirty_at_start: 0,
            last_try_ms: 0,
            is_loading: false,
            skips_checksums: false,
            keys_loaded: 0,
            keys_expired: 0,
        }
    }
}

impl Server {
    /// SAVE: writes a file before anything else happens. Where there are no files, there is nothing that could fail.
    pub fn save_now(&mut self) -> Result<(), String> {
        self.save_begins();
        let mut saved = Ok(());
        if let Some(mut disk) = self.persistence.disk.take() {
            let bytes = self.snapshot(false);
            saved = disk.save(&self.config, &bytes);
            self.persistence.disk = Some(disk);
        }
        match &saved {
            Ok(()) => self.log(LogLevel::Notice, "DB saved on disk"),
            Err(reason) => self.log(LogLevel::Warning, format!("Error saving DB on disk: {reason}")),
        }
        // Only what fails in the background, where nobody hears of it, is held against writes.
        let had_failed = self.persistence.last_save_failed;
        self.save_ended(saved.is_ok());
        self.persistence.last_save_failed &= had_failed;
        saved
    }

    /// SHUTDOWN, or a signal: saves as it says, or as the configuration does.
    pub fn prepare_shutdown(&mut self, save: Option<bool>) -> Result<(), String> {
        self.log(LogLevel::Warning, "User requested shutdown...");
        if !save.unwrap_or(!self.config.save_points.is_empty()) || self.persistence.disk.is_none() {
            return Ok(());
        }
        self.log(LogLevel::Notice, "Saving the final RDB snapshot before exiting.");
        self.save_now()
    }

    /// BGSAVE: asks the host, which says when it is done.
    pub fn save_in_background(&mut self) {
        self.save_begins();
        if self.persistence.disk.is_some() {
            self.emit(Event::Save);
        } else {
            self.save_ended(true);
        }
    }

    fn save_begins(&mut self) {
        let (now_ms, dirty) = (self.now_ms, self.dirty);
        let persistence = &mut self.persistence;
        (persistence.save_started_ms, persistence.last_try_ms) = (Some(now_ms), now_ms);
        persistence.dirty_at_start = dirty;
        persistence.saves += 1;
    }

    /// Whether [`Server::write_refusal`] may have something to say.
    #[inline]
    pub fn has_failing_files(&self) -> bool {
        self.persistence.last_save_failed || self.persistence.aof_error.is_some()
    }

    /// Why changes are refused, if they are: they might be lost.
    pub fn write_refusal(&self) -> Option<Error> {
        if let Some(reason) = &self.persistence.aof_error {
            return Some(format_error!("MISCONF Errors writing to the AOF file: {reason}"));
        }
        let saves = !self.config.save_points.is_empty();
        let stops = saves && self.config.text_of("stop-writes-on-bgsave-error") == b"yes";
        (self.persistence.last_save_failed && stops).then_some(SAVE_FAILED)
    }

    /// BGREWRITEAOF: asks the host, which says when it is done.
    pub fn rewrite_aof(&mut self) {
        let now_ms = self.now_ms;
        self.persistence.rewrites += 1;
        if self.persistence.disk.is_some() {
            self.persistence.rewrite_started_ms = Some(now_ms);
            self.emit(Event::RewriteAof);
        }
    }

    /// How a rewrite went.
    pub fn rewrite_ended(&mut self, went_well: bool) {
        let now_ms = self.now_ms;
        let started_ms = self.persistence.rewrite_started_ms.take().unwrap_or(now_ms);
        self.persistence.last_rewrite_took_seconds = Some(now_ms.saturating_sub(started_ms) / 1000);
        self.persistence.last_rewrite_failed = !went_well;
    }

    /// Writes what has been propagated to the append-only file.
    pub fn append_propagated(&mut self) {
        let bytes = self.propagation.take();
        let Some(disk) = &mut self.persistence.disk else { return };
        let appended = if bytes.is_empty() { Ok(()) } else { disk.append(&bytes) };
        if let Err(reason) = &appended {
            let text = format!("Error writing to the AOF file: {reason}");
            self.emit(Event::Log(LogLevel::Warning, text));
        }
        if !bytes.is_empty() {
            self.persistence.aof_error = appended.err();
        }
    }

    /// Whether an append-only file is kept.
    pub fn has_aof(&self) -> bool {
        self.persistence.disk.is_some() && self.config.text_of("appendonly") == b"yes"
    }

    /// Brings the append-only file to the disk; false where that fails, or none is kept.
    pub fn sync_aof(&mut self) -> bool {
        if !self.has_aof() {
            return false;
        }
        self.append_propagated();
        let disk = self.persistence.disk.as_mut();
        self.persistence.aof_error.is_none() && disk.is_some_and(|disk| disk.sync().is_ok())
    }

    /// How a save went.
    pub fn save_ended(&mut self, went_well: bool) {
        let now_ms = self.now_ms;
        let persistence = &mut self.persistence;
        persistence.last_save_failed = !went_well;
        let started_ms = persistence.save_started_ms.take().unwrap_or(now_ms);
        persistence.last_save_took_seconds = Some(now_ms.saturating_sub(started_ms) / 1000);
        if went_well {
            persistence.last_save_ms = now_ms;
            persistence.dirty_at_save = persistence.dirty_at_start;
        }
    }

    /// The keys are as the last save left them: after a file was loaded.
    pub fn nothing_to_save(&mut self) {
        self.persistence.dirty_at_save = self.dirty;
    }

    /// `save`: when so many changes have waited for so long that a save is due.
    fn save_deadline(&self) -> Option<(u64, (u64, u64))> {
        let status = &self.persistence;
        if status.disk.is_none() || status.save_started_ms.is_some() {
            return None;
        }
        let changes = self.dirty.saturating_sub(status.dirty_at_save);
        let points = self.config.save_points.iter().filter(|point| changes >= point.1);
        let due = |point: &(u64, u64)| status.last_save_ms + point.0 * 1000 + 1;
        let (when_ms, point) = points.map(|point| (due(point), *point)).min()?;
        let retry_ms = if status.last_save_failed { status.last_try_ms + RETRY_MS } else { 0 };
        Some((when_ms.max(retry_ms), point))
    }

    /// When [`Server::save_if_due`] has something to do, if nothing changes.
    pub fn next_save_ms(&self) -> Option<u64> {
        self.save_deadline().map(|(when_ms, _)| when_ms)
    }

    pub fn save_if_due(&mut self) {
        let Some((when_ms, (seconds, changes))) = self.save_deadline() else { return };
        if when_ms <= self.now_ms {
            self.log(LogLevel::Notice, format!("{changes} changes in {seconds} seconds. Saving..."));
            self.save_in_background();
        }
    }
}

//! What has been saved and when. The engine asks for it by events; the host says how it went.

use super::Server;
use super::event::Event;

#[derive(Clone, Debug)]
pub struct Persistence {
    pub last_save_ms: u64,
    pub saves: u64,
    pub rewrites: u64,
    pub last_save_failed: bool,
    pub last_rewrite_failed: bool,
    pub save_started_ms: Option<u64>,
    pub last_save_took_seconds: Option<u64>,
    /// Changes when the last save began.
    pub dirty_at_save: u64,
    pub is_loading: bool,
    /// DEBUG SET-SKIP-CHECKSUM-VALIDATION.
    pub skips_checksums: bool,
}

impl Persistence {
    pub fn new(now_ms: u64) -> Self {
        Persistence {
            last_save_ms: now_ms,
            saves: 0,
            rewrites: 0,
            last_save_failed: false,
            last_rewrite_failed: false,
            save_started_ms: None,
            last_save_took_seconds: None,
            dirty_at_save: 0,
            is_loading: false,
            skips_checksums: false,
        }
    }
}

impl Server {
    /// SAVE, BGSAVE: asks the host, and takes it for done until the host says otherwise.
    pub fn ask_to_save(&mut self, background: bool) {
        self.emit(Event::Save { background });
        self.save_ended(true);
    }

    /// For hosts: how a save went.
    pub fn save_ended(&mut self, went_well: bool) {
        let persistence = &mut self.persistence;
        persistence.last_save_failed = !went_well;
        persistence.save_started_ms = None;
        if went_well {
            persistence.last_save_ms = self.now_ms;
            persistence.last_save_took_seconds = Some(0);
            persistence.saves += 1;
            persistence.dirty_at_save = self.dirty;
        }
    }
}

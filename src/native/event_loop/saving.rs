//! What the event loop does about files: saves in the background, the append-only file and its rewriting.

use crate::native::aof::{self, Aof};
use crate::native::disk::{self, Job};
use crate::native::log::Log;
use crate::server::event::LogLevel;

use super::{EventLoop, now_ms};

/// How often the append-only file is synced.
const SYNC_INTERVAL_MS: u64 = 1000;

impl EventLoop {
    /// A signal asks for the end, which a save that fails puts off.
    pub(super) fn shut_down(&mut self, now_ms: u64) {
        self.engine.tick(now_ms);
        match self.engine.server_mut().prepare_shutdown(None) {
            Ok(()) => self.is_over = true,
            Err(_) => self.log.warning(
                "SIGTERM received but errors trying to shut down the server, check the logs for more information",
            ),
        }
    }

    /// Leaves nothing half-done behind.
    pub(super) fn finish_files(&mut self) {
        self.engine.server_mut().append_propagated();
        if let Some(saving) = self.saving.take() {
            let _ = saving.wait();
        }
        if let Some((job, _)) = self.rewriting.take() {
            let _ = job.wait();
        }
        if let Some(aof) = &mut *self.aof.get() {
            aof.finish();
        }
    }

    pub(super) fn check_jobs(&mut self) {
        if let Some(outcome) = self.saving.as_ref().and_then(Job::outcome) {
            self.saving = None;
            match &outcome {
                Ok(()) => self.log.notice("Background saving terminated with success"),
                Err(reason) => self.log.warning(format!("Background saving error: {reason}")),
            }
            self.engine.server_mut().set_now(now_ms());
            self.engine.server_mut().save_ended(outcome.is_ok());
        }
        let outcome = self.rewriting.as_ref().and_then(|(job, _)| job.outcome());
        if let Some((outcome, (_, rewrite))) =
            outcome.and_then(|outcome| Some((outcome, self.rewriting.take()?)))
        {
            let ended = outcome.and_then(|()| match &mut *self.aof.get() {
                Some(aof) => aof.end_rewrite(rewrite),
                // Nobody has turned it on: the base stands alone.
                None => Aof::open(&self.engine.server().config).and_then(|mut aof| aof.end_rewrite(rewrite)),
            });
            match &ended {
                Ok(()) => self.log.notice("Background AOF rewrite finished successfully"),
                Err(reason) => self.log.warning(format!("Background AOF rewrite failed: {reason}")),
            }
            self.engine.server_mut().set_now(now_ms());
            self.engine.server_mut().rewrite_ended(ended.is_ok());
        }
    }

    /// BGSAVE: the bytes are made here and now, so that nothing changes while they are, and written by a thread.
    pub(super) fn save_in_background(&mut self) {
        let bytes = self.engine.snapshot();
        let path = disk::rdb_path(&self.engine.server().config);
        self.log.notice("Background saving started");
        let waker = self.stopper.waker.clone();
        self.saving = Some(Job::start(waker, move || disk::write(&path, &bytes)));
    }

    // The append-only file.

    /// Commands go to disk before anybody reads that they are done.
    pub(super) fn append_to_aof(&mut self) {
        if !self.engine.server().propagation.is_on() {
            return;
        }
        let server = self.engine.server_mut();
        server.append_propagated();
        if server.persistence.aof_error.is_some() && server.config.text_of("appendfsync") == b"always" {
            self.log.warning(
                "Can't recover from AOF write error when the AOF fsync policy is 'always'. Exiting...",
            );
            std::process::exit(1);
        }
    }

    pub(super) fn aof_deadline(&self) -> Option<u64> {
        self.engine.server().propagation.is_on().then_some(self.next_aof_ms)
    }

    /// Syncs what was written in the last second, tries again what could not be, and rewrites a file that has grown.
    pub(super) fn watch_aof(&mut self, now_ms: u64) {
        self.next_aof_ms = now_ms + SYNC_INTERVAL_MS;
        let server = self.engine.server_mut();
        let mut wants_rewrite = false;
        if let Some(aof) = &mut *self.aof.get() {
            let (to_sync, written) = aof.every_second();
            if let Some(file) = to_sync {
                std::thread::spawn(move || file.sync_data());
            }
            if written.is_ok() && server.persistence.aof_error.take().is_some() {
                server.log(LogLevel::Warning, "AOF write error looks solved, Redis can write again.");
            }
            server.persistence.aof_bytes = Some(aof.bytes());
            wants_rewrite =
                server.persistence.rewrite_started_ms.is_none() && aof.wants_rewrite(&server.config);
        }
        if wants_rewrite {
            server.log(LogLevel::Notice, "Starting automatic rewriting of AOF");
            server.rewrite_aof();
        }
    }

    /// BGREWRITEAOF. Commands from now on go to a new file; all before are in the base, which a thread writes.
    pub(super) fn rewrite_aof(&mut self) {
        let server = self.engine.server_mut();
        server.append_propagated();
        // A new file names its database first.
        let is_on = server.propagation.is_on();
        server.propagation.set_on(is_on);
        let is_rdb = aof::base_is_rdb(&server.config);
        let begun = match &mut *self.aof.get() {
            Some(aof) => aof.begin_rewrite(is_rdb),
            None => Aof::open(&server.config).and_then(|mut aof| aof.begin_rewrite(is_rdb)),
        };
        match begun {
            Ok(rewrite) => {
                let bytes = self.engine.aof_base(is_rdb);
                let (path, waker) = (rewrite.path.clone(), self.stopper.waker.clone());
                self.log.notice("Background append only file rewriting started");
                self.rewriting = Some((Job::start(waker, move || disk::write(&path, &bytes)), rewrite));
            }
            Err(reason) => {
                self.log.warning(format!("The AOF cannot be rewritten: {reason}"));
                self.engine.server_mut().rewrite_ended(false);
            }
        }
    }

    /// CONFIG SET appendonly.
    pub(super) fn switch_aof(&mut self) {
        let is_wanted = aof::is_on(&self.engine.server().config);
        let server = self.engine.server_mut();
        if is_wanted == self.aof.get().is_some() {
            return;
        }
        if !is_wanted {
            server.append_propagated();
            server.propagation.set_on(false);
            server.persistence.aof_bytes = None;
            if let Some(mut aof) = self.aof.get().take() {
                aof.finish();
            }
            return;
        }
        let started = Aof::open(&server.config).and_then(|aof| self.start_aof(aof));
        if let Err(reason) = started {
            self.log.warning(format!("The append only file cannot be started: {reason}"));
            let config = &mut self.engine.server_mut().config;
            if let Some(number) = crate::server::config::find(b"appendonly") {
                config.put(number, b"no".to_vec());
            }
        }
    }

    /// Everything that is there becomes the base, at once; what comes is added.
    fn start_aof(&mut self, aof: Aof) -> Result<(), String> {
        let is_rdb = aof::base_is_rdb(&self.engine.server().config);
        let bytes = self.engine.aof_base(is_rdb);
        let aof = rebased(aof, is_rdb, &bytes)?;
        let server = self.engine.server_mut();
        server.persistence.aof_bytes = Some(aof.bytes());
        server.propagation.set_on(true);
        *self.aof.get() = Some(aof);
        self.log.notice("AOF enabled");
        Ok(())
    }
}

/// Writes a new base for all that was before, and opens a file for what comes.
pub fn rebased(mut aof: Aof, is_rdb: bool, bytes: &[u8]) -> Result<Aof, String> {
    let rewrite = aof.begin_rewrite(is_rdb)?;
    disk::write(&rewrite.path, bytes)?;
    aof.end_rewrite(rewrite)?;
    aof.grow()?;
    Ok(aof)
}

/// At the start: plays the append-only file, or begins one.
pub fn load_aof(engine: &mut crate::engine::Engine, shared: &aof::Shared, log: &Log) -> Result<(), String> {
    use crate::command::play::Played;
    let config = &engine.server().config;
    let (is_rdb, cuts) = (aof::base_is_rdb(config), config.text_of("aof-load-truncated") == b"yes");
    let mut aof = Aof::open(config)?;
    aof.remove_history();
    if aof.is_empty() {
        let bytes = engine.aof_base(is_rdb);
        log.notice("Creating AOF base file on server start");
        aof = rebased(aof, is_rdb, &bytes)?;
    } else {
        let started = std::time::Instant::now();
        let parts = aof.parts()?;
        let played = engine.load_aof(&parts, now_ms());
        while let Some(event) = engine.next_event() {
            if let crate::server::event::Event::Log(level, line) = event {
                log.write(level, &line);
            }
        }
        if let Played::Truncated(bytes) = played? {
            if !cuts {
                return Err("Unexpected end of file reading the append only file. You can set the \
                            'aof-load-truncated' configuration option to yes, or fix the file with redis-check-aof"
                    .to_owned());
            }
            log.warning(format!("!!! Truncating the log at offset {bytes} !!!"));
            aof.cut_last(bytes as u64)?;
            log.warning("AOF loaded anyway because aof-load-truncated is enabled");
        }
        log.notice(format!(
            "DB loaded from append only file: {:.3} seconds",
            started.elapsed().as_secs_f64()
        ));
        aof.grow()?;
    }
    let server = engine.server_mut();
    server.persistence.aof_bytes = Some(aof.bytes());
    server.propagation.set_on(true);
    *shared.get() = Some(aof);
    Ok(())
}

//! The data set on disk: the RDB file, written whole beside its place and then put there in one step.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError, channel};

use mio::Waker;

use crate::server::config::Config;
use crate::server::persistence::{AofPart, Disk};

use super::{aof, files, reason};

/// The files of the configuration's folder.
#[derive(Clone, Default)]
pub struct Folder {
    pub aof: aof::Shared,
}

impl Disk for Folder {
    fn save(&mut self, config: &Config, bytes: &[u8]) -> Result<(), String> {
        write(&rdb_path(config), bytes)
    }

    fn load(&mut self, config: &Config) -> Result<Option<Vec<u8>>, String> {
        read(&rdb_path(config))
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.aof.get().as_mut().map_or(Ok(()), |aof| aof.append(bytes))
    }

    fn sync(&mut self) -> Result<(), String> {
        self.aof.get().as_mut().map_or(Ok(()), |aof| aof.sync())
    }

    fn load_aof(&mut self, config: &Config) -> Result<Vec<AofPart>, String> {
        match self.aof.get().as_ref() {
            Some(aof) => aof.parts(),
            // A rewrite on demand leaves files, also while nothing is appended to them.
            None => match aof::Aof::open(config)? {
                aof if aof.is_empty() => Err("There is no append-only file".to_owned()),
                aof => aof.parts(),
            },
        }
    }
}

/// `dbfilename` in `dir`.
pub fn rdb_path(config: &Config) -> PathBuf {
    in_folder(config, &files::path(config, "dbfilename").unwrap_or_default())
}

pub fn in_folder(config: &Config, name: &Path) -> PathBuf {
    files::path(config, "dir").unwrap_or_default().join(name)
}

/// The bytes of a file, if it is there.
pub fn read(path: &Path) -> Result<Option<Vec<u8>>, String> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("Failed opening {}: {}", path.display(), reason(&error))),
    }
}

/// Puts a file in its place: a reader finds the old one or the new one, whole, whatever happens meanwhile.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let beside = path.with_file_name(format!("temp-{}.{number}.rdb", std::process::id()));
    let written = File::create(&beside)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&beside, path));
    if let Err(error) = written {
        let _ = fs::remove_file(&beside);
        return Err(format!("{}: {}", path.display(), reason(&error)));
    }
    sync_folder_of(path);
    Ok(())
}

/// Makes sure that a renamed file keeps its name; where a folder cannot be synced, the system does so in time.
pub fn sync_folder_of(path: &Path) {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}

/// Work on a thread of its own.
pub struct Job {
    outcome: Receiver<Result<(), String>>,
}

impl Job {
    /// Wakes the event loop when it is done.
    pub fn start(waker: Arc<Waker>, work: impl FnOnce() -> Result<(), String> + Send + 'static) -> Job {
        let (sender, outcome) = channel();
        std::thread::spawn(move || {
            // A loop that has ended wants to hear nothing.
            let _ = sender.send(work());
            let _ = waker.wake();
        });
        Job { outcome }
    }

    /// How it went, once it is done.
    pub fn outcome(&self) -> Option<Result<(), String>> {
        match self.outcome.try_recv() {
            Ok(outcome) => Some(outcome),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(Err("the thread has ended".to_owned())),
        }
    }

    pub fn wait(self) -> Result<(), String> {
        self.outcome.recv().unwrap_or_else(|_| Err("the thread has ended".to_owned()))
    }
}

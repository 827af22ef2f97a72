//! The append-only file: a folder with a base, files of commands that follow it, and a manifest that names them in order,
//! as Redis 7 keeps it.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::data::number;
use crate::server::config::Config;
use crate::server::persistence::AofPart;

use super::disk;
use super::reason;

type Result<T = ()> = std::result::Result<T, String>;

/// The file as the event loop and the engine share it.
#[derive(Clone, Default)]
pub struct Shared(Arc<Mutex<Option<Aof>>>);

impl Shared {
    pub fn get(&self) -> MutexGuard<'_, Option<Aof>> {
        // Nothing panics while it is locked, and what it guards is whole at every step.
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Base,
    /// Commands since the base.
    Increment,
    /// Not needed any more.
    History,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    name: String,
    number: u64,
    kind: Kind,
}

/// What the manifest says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Manifest {
    parts: Vec<Part>,
}

impl Manifest {
    fn parse(text: &str) -> Result<Manifest> {
        let mut manifest = Manifest::default();
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let wrong = || format!("Invalid AOF manifest file format: {line}");
            let words: Vec<&str> = line.split(' ').collect();
            let ["file", name, "seq", number, "type", kind, ..] = words[..] else { return Err(wrong()) };
            let kind = match kind {
                "b" => Kind::Base,
                "i" => Kind::Increment,
                "h" => Kind::History,
                _ => return Err(wrong()),
            };
            // A name leads nowhere else.
            let is_name = !name.contains('/') && !name.is_empty() && name != "." && name != "..";
            let number = number.parse().ok().filter(|_| is_name).ok_or_else(wrong)?;
            manifest.parts.push(Part { name: name.to_owned(), number, kind });
        }
        if manifest.parts.iter().filter(|part| part.kind == Kind::Base).count() > 1 {
            return Err("Found duplicate base file information".to_owned());
        }
        Ok(manifest)
    }

    fn text(&self) -> String {
        let letter = |kind| match kind {
            Kind::Base => 'b',
            Kind::Increment => 'i',
            Kind::History => 'h',
        };
        let line =
            |part: &Part| format!("file {} seq {} type {}\n", part.name, part.number, letter(part.kind));
        self.parts.iter().map(line).collect()
    }

    fn of_kind(&self, kind: Kind) -> impl DoubleEndedIterator<Item = &Part> {
        self.parts.iter().filter(move |part| part.kind == kind)
    }

    fn last_number(&self, kind: Kind) -> u64 {
        self.of_kind(kind).map(|part| part.number).max().unwrap_or(0)
    }

    /// Adds an increment and names it.
    fn add_increment(&mut self, prefix: &str) -> String {
        let number = self.last_number(Kind::Increment) + 1;
        let name = format!("{prefix}.{number}.incr.aof");
        self.parts.push(Part { name: name.clone(), number, kind: Kind::Increment });
        name
    }

    /// Puts a base in the place of everything before the increment `first_kept`.
    fn rebase(&mut self, base: Part, first_kept: u64) {
        for part in &mut self.parts {
            if part.kind == Kind::Base || part.kind == Kind::Increment && part.number < first_kept {
                part.kind = Kind::History;
            }
        }
        self.parts.insert(0, base);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sync {
    Always,
    EverySecond,
    Never,
}

pub struct Aof {
    folder: PathBuf,
    prefix: String,
    manifest: Manifest,
    /// The increment that grows; none while nothing is kept and only a base was asked for.
    file: Option<File>,
    /// Good bytes in it. What a failed write left behind them is cut off.
    file_bytes: u64,
    /// What could not be written yet.
    unwritten: Vec<u8>,
    sync: Sync,
    needs_sync: bool,
    /// Of all parts, and of them after the last rewrite.
    bytes: u64,
    base_bytes: u64,
}

/// A base that is to be written and then taken.
pub struct Rewrite {
    base: Part,
    first_kept: u64,
    pub path: PathBuf,
}

impl Aof {
    /// Reads the manifest, if there is one; an append-only file of a single part is moved into the folder.
    pub fn open(config: &Config) -> Result<Aof> {
        let text = |name| String::from_utf8_lossy(config.text_of(name)).into_owned();
        let folder = disk::in_folder(config, Path::new(&text("appenddirname")));
        let prefix = text("appendfilename");
        let mut aof = Aof {
            folder,
            prefix,
            manifest: Manifest::default(),
            file: None,
            file_bytes: 0,
            unwritten: Vec::new(),
            sync: Sync::EverySecond,
            needs_sync: false,
            bytes: 0,
            base_bytes: 0,
        };
        aof.follow(config);
        if let Some(text) = disk::read(&aof.manifest_path())? {
            aof.manifest = Manifest::parse(&String::from_utf8_lossy(&text))?;
        } else {
            let single = disk::in_folder(config, Path::new(&aof.prefix));
            if single.is_file() {
                aof.make_folder()?;
                aof.manifest.parts.push(Part { name: aof.prefix.clone(), number: 1, kind: Kind::Base });
                aof.write_manifest()?;
                fs::rename(&single, aof.folder.join(&aof.prefix)).map_err(|error| reason(&error))?;
            }
        }
        Ok(aof)
    }

    pub fn follow(&mut self, config: &Config) {
        self.sync = match config.text_of("appendfsync") {
            b"always" => Sync::Always,
            b"no" => Sync::Never,
            _ => Sync::EverySecond,
        };
    }

    fn manifest_path(&self) -> PathBuf {
        self.folder.join(format!("{}.manifest", self.prefix))
    }

    fn make_folder(&self) -> Result {
        fs::create_dir_all(&self.folder).map_err(|error| {
            format!("Can't open or create append-only dir {}: {}", self.folder.display(), reason(&error))
        })
    }

    fn write_manifest(&self) -> Result {
        disk::write(&self.manifest_path(), self.manifest.text().as_bytes())
    }

    /// What is to be played, in order.
    pub fn parts(&self) -> Result<Vec<AofPart>> {
        let parts = self.manifest.of_kind(Kind::Base).chain(self.manifest.of_kind(Kind::Increment));
        let read = |part: &Part| match disk::read(&self.folder.join(&part.name))? {
            Some(bytes) => Ok(AofPart { name: part.name.clone(), bytes }),
            None => Err(format!("The AOF file {} does not exist", part.name)),
        };
        parts.map(read).collect()
    }

    pub fn is_empty(&self) -> bool {
        self.manifest.of_kind(Kind::Base).next().is_none()
            && self.manifest.of_kind(Kind::Increment).next().is_none()
    }

    /// Cuts off what the last part has too much.
    pub fn cut_last(&mut self, bytes: u64) -> Result {
        let bases = self.manifest.of_kind(Kind::Base);
        let Some(last) = bases.chain(self.manifest.of_kind(Kind::Increment)).next_back() else {
            return Ok(());
        };
        let path = self.folder.join(&last.name);
        let cut = OpenOptions::new().write(true).open(path).and_then(|file| file.set_len(bytes));
        cut.map_err(|error| format!("Error truncating the AOF file: {}", reason(&error)))
    }

    /// Opens the increment that grows, and makes one where there is none.
    pub fn grow(&mut self) -> Result {
        self.make_folder()?;
        let last = self.manifest.of_kind(Kind::Increment).next_back().map(|last| last.name.clone());
        if let Some(name) = last {
            return self.open_increment(&name);
        }
        let name = self.manifest.add_increment(&self.prefix);
        self.open_increment(&name)?;
        self.write_manifest()
    }

    fn open_increment(&mut self, name: &str) -> Result {
        let path = self.folder.join(name);
        let file = OpenOptions::new().create(true).append(true).open(&path);
        let file =
            file.map_err(|error| format!("Can't open the append-only file {name}: {}", reason(&error)))?;
        self.file_bytes = file.metadata().map_or(0, |meta| meta.len());
        self.file = Some(file);
        self.count_bytes();
        Ok(())
    }

    fn count_bytes(&mut self) {
        let parts = self.manifest.parts.iter().filter(|part| part.kind != Kind::History);
        let size = |part: &Part| fs::metadata(self.folder.join(&part.name)).map_or(0, |meta| meta.len());
        self.bytes = parts.map(size).sum();
        if self.base_bytes == 0 {
            self.base_bytes = self.bytes;
        }
    }

    /// Writes; with `appendfsync always` it is on disk when this returns.
    pub fn append(&mut self, bytes: &[u8]) -> Result {
        self.unwritten.extend_from_slice(bytes);
        self.write_out()
    }

    fn write_out(&mut self) -> Result {
        let Some(file) = &mut self.file else {
            self.unwritten.clear();
            return Ok(());
        };
        if self.unwritten.is_empty() {
            return Ok(());
        }
        if let Err(error) = file.write_all(&self.unwritten) {
            // No part of a command stays.
            let _ = file.set_len(self.file_bytes);
            return Err(reason(&error));
        }
        self.file_bytes += self.unwritten.len() as u64;
        self.bytes += self.unwritten.len() as u64;
        self.unwritten = Vec::new();
        if self.sync == Sync::Always {
            return file.sync_data().map_err(|error| reason(&error));
        }
        self.needs_sync = true;
        Ok(())
    }

    /// All that was appended is on disk when this returns.
    pub fn sync(&mut self) -> Result {
        self.write_out()?;
        self.needs_sync = false;
        // Even if a thread is at it already: it may not be done.
        self.file.as_ref().map_or(Ok(()), |file| file.sync_data().map_err(|error| reason(&error)))
    }

    /// Called about every second: a file to be synced by somebody who can wait, and how a write went that had failed.
    pub fn every_second(&mut self) -> (Option<File>, Result) {
        let written = self.write_out();
        let syncs = self.sync == Sync::EverySecond && std::mem::take(&mut self.needs_sync);
        (self.file.as_ref().filter(|_| syncs).and_then(|file| file.try_clone().ok()), written)
    }

    /// Before the end, when nobody hears of errors any more.
    pub fn finish(&mut self) {
        let _ = self.sync();
    }

    pub fn bytes(&self) -> (u64, u64) {
        (self.bytes, self.base_bytes)
    }

    /// `auto-aof-rewrite-percentage`, `auto-aof-rewrite-min-size`.
    pub fn wants_rewrite(&self, config: &Config) -> bool {
        let number = |name| number::parse_u64(config.text_of(name)).unwrap_or(0);
        let percentage = number("auto-aof-rewrite-percentage");
        let growth = self.bytes.saturating_mul(100) / self.base_bytes.max(1);
        percentage > 0
            && self.bytes > number("auto-aof-rewrite-min-size")
            && growth >= percentage.saturating_add(100)
    }

    /// From now on commands go into a new increment; the caller writes a base of all that was before.
    pub fn begin_rewrite(&mut self, is_rdb: bool) -> Result<Rewrite> {
        self.make_folder()?;
        self.write_out()?;
        let number = self.manifest.last_number(Kind::Base) + 1;
        let ending = if is_rdb { "rdb" } else { "aof" };
        let name = format!("{}.{number}.base.{ending}", self.prefix);
        if self.file.is_some() {
            let increment = self.manifest.add_increment(&self.prefix);
            if let Some(old) = &self.file {
                let _ = old.sync_data();
            }
            self.open_increment(&increment)?;
            self.write_manifest()?;
        }
        let first_kept =
            if self.file.is_some() { self.manifest.last_number(Kind::Increment) } else { u64::MAX };
        let path = self.folder.join(&name);
        Ok(Rewrite { base: Part { name, number, kind: Kind::Base }, first_kept, path })
    }

    /// The base is written: what it holds is not needed any more.
    pub fn end_rewrite(&mut self, rewrite: Rewrite) -> Result {
        self.manifest.rebase(rewrite.base, rewrite.first_kept);
        self.write_manifest()?;
        self.remove_history();
        self.write_manifest()?;
        self.base_bytes = 0;
        self.count_bytes();
        Ok(())
    }

    pub fn remove_history(&mut self) {
        for part in self.manifest.of_kind(Kind::History) {
            let _ = fs::remove_file(self.folder.join(&part.name));
        }
        self.manifest.parts.retain(|part| part.kind != Kind::History);
    }
}

/// Whether the configuration asks for an append-only file.
pub fn is_on(config: &Config) -> bool {
    config.text_of("appendonly") == b"yes"
}

/// Whether a base is an RDB file.
pub fn base_is_rdb(config: &Config) -> bool {
    config.text_of("aof-use-rdb-preamble") == b"yes"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_is_read_and_written() {
        let text = "file a.aof.1.base.rdb seq 1 type b\nfile a.aof.1.incr.aof seq 1 type i\n";
        let mut manifest = Manifest::parse(&format!("# said\n{text}")).expect("it is one");
        assert_eq!(manifest.text(), text);
        assert_eq!(manifest.add_increment("a.aof"), "a.aof.2.incr.aof");
        let base = Part { name: "a.aof.2.base.rdb".to_owned(), number: 2, kind: Kind::Base };
        manifest.rebase(base, 2);
        let after = "file a.aof.2.base.rdb seq 2 type b\nfile a.aof.1.base.rdb seq 1 type h\n\
            file a.aof.1.incr.aof seq 1 type h\nfile a.aof.2.incr.aof seq 2 type i\n";
        assert_eq!(manifest.text(), after);
        for wrong in ["file ../a seq 1 type b", "file a seq x type b", "file a seq 1 type z", "nonsense"] {
            assert!(Manifest::parse(wrong).is_err(), "{wrong}");
        }
        assert!(Manifest::parse("file a seq 1 type b\nfile b seq 2 type b").is_err());
    }
}

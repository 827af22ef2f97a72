//! What was made of which input, so that nothing is made twice.

use std::fmt;
use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::path::Path;

use crate::{Result, kept};

/// A hash of what something is made of.
#[derive(Default)]
pub struct Hash(DefaultHasher);

impl Hash {
    pub fn new() -> Hash {
        Hash::default()
    }

    pub fn bytes(mut self, bytes: &[u8]) -> Hash {
        self.0.write_usize(bytes.len());
        self.0.write(bytes);
        self
    }

    pub fn text(self, text: &str) -> Hash {
        self.bytes(text.as_bytes())
    }

    /// Every file under a folder, but for those whose name is in `without`, and dot files.
    pub fn folder(mut self, folder: &Path, without: &[&str]) -> Result<Hash> {
        let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let mut paths: Vec<_> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
        paths.sort();
        for path in paths {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if without.contains(&name.as_str()) || name.starts_with('.') {
                continue;
            }
            self = self.text(&name);
            self = if path.is_dir() { self.folder(&path, without)? } else { self.file(&path)? };
        }
        Ok(self)
    }

    pub fn file(self, path: &Path) -> Result<Hash> {
        Ok(self.bytes(&fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, to: &mut fmt::Formatter) -> fmt::Result {
        write!(to, "{:016x}", self.0.finish())
    }
}

/// Whether `made` exists and was last made of this input.
pub fn is(made: &Path, name: &str, input: &Hash) -> bool {
    let stamp = fs::read_to_string(kept().join("stamps").join(name));
    made.exists() && stamp.is_ok_and(|stamp| stamp == input.to_string())
}

/// Remembers what `name` was made of. To be called once it is made.
pub fn set(name: &str, input: &Hash) -> Result<()> {
    let folder = kept().join("stamps");
    fs::create_dir_all(&folder)
        .and_then(|()| fs::write(folder.join(name), input.to_string()))
        .map_err(|error| format!("{}: {error}", folder.display()))
}

//! The transcripts of `tests/suite`, in the order of their paths. `SUITE=text` keeps those with the text in their path.

use std::fs;
use std::path::{Path, PathBuf};

use resplay::cli::transcript::{self, Step};

pub struct Transcript {
    pub path: PathBuf,
    pub steps: Vec<Step>,
}

pub fn transcripts() -> Vec<Transcript> {
    let mut paths = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite"), &mut paths);
    paths.sort();
    let filter = std::env::var("SUITE").unwrap_or_default();
    paths.retain(|path| path.to_string_lossy().contains(&filter));
    assert!(!paths.is_empty(), "there are transcripts");
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a transcript is readable");
        let steps = transcript::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Transcript { path, steps }
    };
    paths.into_iter().map(read).collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "txt") {
            paths.push(path);
        }
    }
}

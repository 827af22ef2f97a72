//! The rules of the house that a machine can check: the arrows between layers, the size of files, what no file may hold.

use std::fs;
use std::path::{Path, PathBuf};

/// The layers from left to right. A module imports only from its left.
const LAYERS: [&str; 13] = [
    "resp", "data", "keyspace", "persist", "lua", "server", "command", "commands", "cli", "engine",
    "playback", "wasm", "native",
];

/// A layer may not import these although they stand to its left.
const FORBIDDEN: [(&str, &str); 3] = [("lua", "keyspace"), ("lua", "persist"), ("native", "wasm")];

/// Longer files want to be split where a reader would draw a line.
const LINES_MAX: usize = 1200;

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder is there").flatten() {
        let path = entry.path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&root, &mut files);
    files.sort();
    assert!(files.len() > 20, "the sources are where they are looked for");
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a source is readable");
        (path.strip_prefix(&root).expect("it is below the root").to_path_buf(), text)
    };
    files.into_iter().map(read).collect()
}

/// The layer a file belongs to, by its place in the list.
fn layer_of(path: &Path) -> Option<usize> {
    let first = path.components().next()?.as_os_str().to_str()?;
    let name = first.strip_suffix(".rs").unwrap_or(first);
    LAYERS.iter().position(|layer| *layer == name)
}

/// The layers that a line names as `crate::layer`, alone or in braces.
fn imported_layers(line: &str) -> Vec<usize> {
    let mut found = Vec::new();
    for (at, _) in line.match_indices("crate::") {
        let rest = &line[at + "crate::".len()..];
        let names: Vec<&str> = match rest.strip_prefix('{') {
            Some(list) => list.split(['{', '}', ',', ' ']).collect(),
            None => vec![rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default()],
        };
        for name in names {
            let name = name.split("::").next().unwrap_or_default();
            found.extend(LAYERS.iter().position(|layer| *layer == name));
        }
    }
    found
}

#[test]
fn imports_point_left() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let Some(own) = layer_of(&path) else { continue };
        for (number, line) in
            text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"))
        {
            for imported in imported_layers(line) {
                let pair = (LAYERS[own], LAYERS[imported]);
                if imported > own || FORBIDDEN.contains(&pair) {
                    wrong.push(format!(
                        "src/{}:{}: {} imports {}",
                        path.display(),
                        number + 1,
                        pair.0,
                        pair.1
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "imports must point to the left:\n{}", wrong.join("\n"));
}

#[test]
fn the_engine_does_no_io() {
    let forbidden =
        ["std::fs", "std::net", "std::time", "std::thread", "SystemTime", "Instant::now", "println!"];
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let is_host = layer_of(&path).is_none_or(|layer| layer >= 11);
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (number, line) in code.lines().enumerate() {
            if !is_host && forbidden.iter().any(|word| line.contains(word)) {
                wrong.push(format!("src/{}:{}: {}", path.display(), number + 1, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "the engine asks no clock, file or socket:\n{}", wrong.join("\n"));
}

#[test]
fn files_say_what_they_are_and_stay_readable() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        if !text.starts_with("//!") && !path.ends_with("tests.rs") {
            wrong.push(format!("src/{}: opens without a line that says what it is", path.display()));
        }
        if text.lines().count() > LINES_MAX {
            wrong.push(format!("src/{}: {} lines", path.display(), text.lines().count()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nobody_leaves_notes_to_self() {
    let words = ["TODO", "FIXME", "XXX", "HACK", "dbg!(", "todo!(", "unimplemented!("];
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        for (number, line) in text.lines().enumerate() {
            // `XXX` is also what a test may store.
            if words.iter().any(|word| line.contains(word) && (*word != "XXX" || line.contains("// XXX"))) {
                wrong.push(format!("src/{}:{}: {}", path.display(), number + 1, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "finish it or say it in an issue:\n{}", wrong.join("\n"));
}

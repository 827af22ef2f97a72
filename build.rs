//! Puts the built web page, when there is one, into release builds. Other builds read it from `www/dist` as they run.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=PROFILE");
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let dist = root.join("www/dist");
    let is_release = env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let is_native = env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch != "wasm32");
    let mut files = Vec::new();
    if is_release && is_native && dist.join("index.html").exists() {
        println!("cargo:rerun-if-changed={}", dist.display());
        collect(&dist, &mut files);
        files.sort();
    } else if is_release && is_native {
        // A page that is built later belongs into the next build.
        println!("cargo:rerun-if-changed={}", root.join("www").display());
    }
    let mut table = String::from("pub const EMBEDDED: &[(&str, &[u8])] = &[\n");
    for path in files {
        let name = path.strip_prefix(&dist).expect("it was found there").to_string_lossy().replace('\\', "/");
        writeln!(table, "    ({name:?}, include_bytes!({:?})),", path.display().to_string())
            .expect("a String takes all");
    }
    table.push_str("];\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join("page.rs"), table).expect("cargo's folder is writable");
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}

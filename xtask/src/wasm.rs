//! The engine as a module of the web page: `www/pkg`, made by cargo and wasm-bindgen.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use wasm_bindgen_cli_support::Bindgen;

use crate::command::{cargo, program, quiet};
use crate::progress::Task;
use crate::split::{FLAG, Module};
use crate::stamp::{self, Hash};
use crate::{Result, root, target};

const TRIPLE: &str = "wasm32-unknown-unknown";

const HELP: &str = "\
cargo xtask wasm

Builds the engine for the web page into www/pkg.
";

pub fn main(arguments: Vec<String>) -> Result<ExitCode> {
    if !helped(&arguments, HELP)? {
        build()?;
    }
    Ok(ExitCode::SUCCESS)
}

/// For chores without options: whether the arguments asked for help, and got it.
pub fn helped(arguments: &[String], help: &str) -> Result<bool> {
    match arguments.first().map(String::as_str) {
        None => Ok(false),
        Some("--help" | "-h") => {
            print!("{help}");
            Ok(true)
        }
        Some(other) => Err(format!("no option `{other}`\n\n{help}")),
    }
}

/// Makes `www/pkg` what the sources say it should be.
///
/// Without wasm-opt: after it the module is an eleventh smaller, but a twentieth larger once compressed by brotli, and
/// no faster.
pub fn build() -> Result<()> {
    let task = Task::start("engine to wasm");
    let module = compile(&task)?;
    let made_of = Hash::new()
        .file(&module)?
        .text(include_str!("split.rs"))
        .file(&root().join("www/scripts/first-session.mjs"))?;
    let package = root().join("www/pkg");
    let output = package.join("resplay_rest.wasm");
    if stamp::is(&output, "wasm", &made_of) {
        task.done("unchanged");
        return Ok(());
    }
    glue(&module, &package)?;
    let (first, rest) = split(&package)?;
    stamp::set("wasm", &made_of)?;
    task.done(&format!("www/pkg, {} KB and {} KB", first.div_ceil(1000), rest.div_ceil(1000)));
    Ok(())
}

/// Cuts the module in two by what a first session runs. The module as a whole stays, for others than the page.
fn split(package: &Path) -> Result<(usize, usize)> {
    let write = |name: &str, bytes: &[u8]| {
        let path = package.join(name);
        fs::write(&path, bytes).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok::<_, String>(path)
    };
    let whole = package.join("resplay_bg.wasm");
    let whole = fs::read(&whole).map_err(|error| format!("{}: {error}", whole.display()))?;
    let module = Module::parse(&whole)?;
    let watched = write("watched.wasm", &module.watched())?;
    let said = quiet(program("node", &["www/scripts/first-session.mjs", &watched.to_string_lossy(), FLAG]))?;
    fs::remove_file(&watched).ok();
    let ran: Vec<bool> = said.trim().bytes().map(|flag| flag == b'1').collect();
    let (first, rest) = module.split(&ran)?;
    write("resplay_first.wasm", &first)?;
    write("resplay_rest.wasm", &rest)?;
    Ok((first.len(), rest.len()))
}

fn compile(task: &Task) -> Result<PathBuf> {
    let build = ["build", "--lib", "--profile", "wasm", "--target", TRIPLE];
    if let Err(error) = task.run(cargo(&build)) {
        if !error.contains("target may not be installed") {
            return Err(error);
        }
        task.run(program("rustup", &["target", "add", TRIPLE])).map_err(|why| {
            format!("Rust's target {TRIPLE} is missing and rustup could not add it; install it, then run this again\n{why}")
        })?;
        task.run(cargo(&build))?;
    }
    Ok(target().join(TRIPLE).join("wasm/resplay.wasm"))
}

fn glue(module: &Path, package: &Path) -> Result<()> {
    Bindgen::new()
        .input_path(module)
        .web(true)
        .and_then(|bindgen| {
            bindgen
                .typescript(true)
                .remove_name_section(true)
                .remove_producers_section(true)
                .generate(package)
        })
        .map_err(|error| format!("wasm-bindgen: {error:#}"))
}

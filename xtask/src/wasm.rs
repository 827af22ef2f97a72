//! The engine as a module of the web page: `www/pkg`, made by cargo, wasm-bindgen and, for a release, wasm-opt.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use wasm_bindgen_cli_support::Bindgen;

use crate::command::{cargo, program};
use crate::progress::Task;
use crate::stamp::{self, Hash};
use crate::{Result, npm, root, target};

const TRIPLE: &str = "wasm32-unknown-unknown";

const HELP: &str = "\
cargo xtask wasm [--release]

Builds the engine for the web page into www/pkg.

  --release    also runs wasm-opt, from npm's binaryen: smaller before compression, slow to make
";

#[derive(Clone, Copy, PartialEq)]
pub enum Optimise {
    No,
    /// By wasm-opt; the answer is kept and used again for the same input.
    Yes,
}

pub fn main(arguments: Vec<String>) -> Result<ExitCode> {
    if let Some(optimise) = options(&arguments, HELP)? {
        build(optimise)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What the arguments ask for; `None` when they asked for help, and got it.
pub fn options(arguments: &[String], help: &str) -> Result<Option<Optimise>> {
    let mut optimise = Optimise::No;
    for argument in arguments {
        match argument.as_str() {
            "--help" | "-h" => {
                print!("{help}");
                return Ok(None);
            }
            "--release" => optimise = Optimise::Yes,
            other => return Err(format!("no option `{other}`\n\n{help}")),
        }
    }
    Ok(Some(optimise))
}

/// Makes `www/pkg` what the sources say it should be.
pub fn build(optimise: Optimise) -> Result<()> {
    let task = Task::start("engine to wasm");
    let module = compile(&task)?;
    let mut bytes = fs::read(&module).map_err(|error| format!("{}: {error}", module.display()))?;
    let made_of = Hash::new().bytes(&bytes).text(&format!(
        "{} {}",
        env!("CARGO_PKG_VERSION"),
        optimise == Optimise::Yes
    ));
    let package = root().join("www/pkg");
    if stamp::is(&package.join("resplay_bg.wasm"), "wasm", &made_of) {
        task.done("unchanged");
        return Ok(());
    }
    glue(&module, &package)?;
    let output = package.join("resplay_bg.wasm");
    if optimise == Optimise::Yes {
        bytes = optimised(&task, &output)?;
        fs::write(&output, &bytes).map_err(|error| format!("{}: {error}", output.display()))?;
    }
    let size = fs::metadata(&output).map_err(|error| error.to_string())?.len();
    stamp::set("wasm", &made_of)?;
    task.done(&format!("www/pkg, {} KB", size.div_ceil(1000)));
    Ok(())
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

/// What wasm-opt makes of a module; asked once for each module.
fn optimised(task: &Task, module: &Path) -> Result<Vec<u8>> {
    const FLAGS: &[&str] = &[
        "-O3",
        "--enable-bulk-memory",
        "--enable-nontrapping-float-to-int",
        "--enable-sign-ext",
        "--enable-mutable-globals",
        "--enable-reference-types",
        "--enable-multivalue",
        "--enable-bulk-memory-opt",
    ];
    let input = fs::read(module).map_err(|error| format!("{}: {error}", module.display()))?;
    let folder = crate::kept().join("wasm-opt");
    let kept = folder.join(format!("{}.wasm", Hash::new().bytes(&input).text(&FLAGS.join(" "))));
    if !kept.exists() {
        let tool = npm::install(&root().join("xtask/wasm-opt"))?.join("node_modules/.bin/wasm-opt");
        fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let half_written = folder.join("new.wasm");
        let mut command = program(&tool.to_string_lossy(), FLAGS);
        command.arg(module).arg("-o").arg(&half_written);
        task.run(command)?;
        fs::rename(&half_written, &kept).map_err(|error| error.to_string())?;
    }
    fs::read(&kept).map_err(|error| format!("{}: {error}", kept.display()))
}

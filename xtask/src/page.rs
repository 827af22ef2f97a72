//! The web page: `www/dist`, made by Vite from `www`, with the engine in it.

use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;

use crate::progress::Task;
use crate::stamp::{self, Hash};
use crate::{Result, npm, root, wasm};

const HELP: &str = "\
cargo xtask www

Builds the web page, with the engine in it, into www/dist.
";

pub fn main(arguments: Vec<String>) -> Result<ExitCode> {
    if !wasm::helped(&arguments, HELP)? {
        build()?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Makes `www/dist` what the sources say it should be. Answers that folder.
pub fn build() -> Result<PathBuf> {
    npm::node()?;
    let folder = root().join("www");
    // Packages come over the network while the engine keeps the processor busy.
    let (packages, module) = thread::scope(|scope| {
        let packages = scope.spawn(|| npm::install(&folder));
        let module = wasm::build();
        (packages.join().unwrap_or_else(|_| Err("npm ci: panicked".to_owned())), module)
    });
    module.and(packages)?;
    let task = Task::start("page");
    let made_of = Hash::new().folder(&folder, &["node_modules", "dist"])?;
    let built = folder.join("dist");
    if stamp::is(&built.join("index.html"), "page", &made_of) {
        task.done("unchanged");
        return Ok(built);
    }
    task.run(npm::npm(&folder, &["run", "build"]))?;
    stamp::set("page", &made_of)?;
    task.done("www/dist");
    Ok(built)
}

//! `cargo xtask <command>`: every chore of the project. `cargo xtask help` lists them.

mod budget;
mod command;
mod npm;
mod page;
mod play;
mod progress;
mod split;
mod stamp;
mod test;
mod tools;
mod wasm;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What went wrong, in words for the person at the terminal.
pub type Result<T> = std::result::Result<T, String>;

struct Chore {
    name: &'static str,
    about: &'static str,
    run: fn(Vec<String>) -> Result<ExitCode>,
}

const CHORES: &[Chore] = &[
    Chore { name: "play", about: "build the page and the server, and start them", run: play::main },
    Chore { name: "test", about: "check everything: format, lints, engine, page", run: test::main },
    Chore { name: "wasm", about: "build the engine for the web page, into www/pkg", run: wasm::main },
    Chore { name: "www", about: "build the web page, into www/dist", run: page::main },
    Chore { name: "budget", about: "weigh the page's parts against their limits", run: budget::main },
];

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_else(|| "help".to_owned());
    if ["help", "--help", "-h"].contains(&name.as_str()) {
        println!("cargo xtask <command>\n");
        for chore in CHORES {
            println!("  {:8} {}", chore.name, chore.about);
        }
        println!("\n`cargo xtask <command> --help` tells more.");
        return ExitCode::SUCCESS;
    }
    let Some(chore) = CHORES.iter().find(|chore| chore.name == name) else {
        eprintln!("xtask: no command `{name}`; `cargo xtask help` lists them");
        return ExitCode::from(2);
    };
    (chore.run)(arguments.collect()).unwrap_or_else(|error| {
        eprintln!("xtask {name}: {error}");
        ExitCode::FAILURE
    })
}

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the repository")
}

/// Cargo's target folder.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |path| root().join(path))
}

/// The folder of everything xtask keeps between two runs.
pub fn kept() -> PathBuf {
    target().join("kept")
}

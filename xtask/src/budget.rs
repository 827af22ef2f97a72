//! `cargo xtask budget`: what the page weighs. The budgets stand in `www/scripts/sizes.mjs`.

use std::process::{Command, ExitCode};
use std::time::Duration;

use crate::command::{program, shown};
use crate::{Result, page, wasm};

const HELP: &str = "\
cargo xtask budget

Builds the page and weighs its parts, compressed by brotli, against www/scripts/sizes.mjs.
";

pub fn main(arguments: Vec<String>) -> Result<ExitCode> {
    if wasm::helped(&arguments, HELP)? {
        return Ok(ExitCode::SUCCESS);
    }
    let (_, result) = shown(weigh()?, Duration::from_secs(60));
    result.map(|()| ExitCode::SUCCESS)
}

/// The program that weighs the page, which is built.
pub fn weigh() -> Result<Command> {
    page::build()?;
    Ok(program("node", &["www/scripts/sizes.mjs"]))
}

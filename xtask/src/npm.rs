//! Node and npm: that they are new enough, and that a folder has the packages its lock file names.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::command::{program, quiet};
use crate::progress::Task;
use crate::stamp::{self, Hash};

const NODE_AT_LEAST: u32 = 20;

/// Says what is missing, if Node is not here or too old.
pub fn node() -> Result<()> {
    let wanted = format!("Node {NODE_AT_LEAST} or newer is needed (https://nodejs.org)");
    let version =
        quiet(program("node", &["--version"])).map_err(|_| format!("{wanted}; `node` was not found"))?;
    let version = version.trim();
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < NODE_AT_LEAST) {
        return Err(format!("{wanted}; this is {version}"));
    }
    Ok(())
}

/// `npm` with arguments, in a folder.
pub fn npm(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = program(if cfg!(windows) { "npm.cmd" } else { "npm" }, arguments);
    command.current_dir(folder).env("npm_config_update_notifier", "false").env("npm_config_fund", "false");
    command
}

/// Installs what the folder's lock file names, unless that is what is installed. Answers the folder.
pub fn install(folder: &Path) -> Result<PathBuf> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let lock = Hash::new().file(&folder.join("package-lock.json"))?;
    let stamp = format!("npm-{name}");
    if !stamp::is(&folder.join("node_modules"), &stamp, &lock) {
        node()?;
        let task = Task::start(if name == "www" { "packages of the page" } else { "packages of the tests" });
        task.run(npm(folder, &["ci", "--no-audit"]))?;
        stamp::set(&stamp, &lock)?;
        task.done("npm ci");
    }
    Ok(folder.to_owned())
}

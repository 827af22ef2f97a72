//! Programs that tests need and cargo and npm do not bring: installed where that is possible, named where not.

use std::path::PathBuf;
use std::process::Command;

use crate::command::{program, quiet};
use crate::progress::{Task, say};
use crate::{Result, kept, npm};

/// Redis itself and its tools: what the engine is compared with.
pub fn redis() -> Result<()> {
    let programs = ["redis-server", "redis-cli", "redis-benchmark"];
    if programs.iter().all(|name| found(name).is_some()) {
        return Ok(());
    }
    installed(&["redis-server", "redis-tools"], "Redis's redis-server, redis-cli and redis-benchmark")?;
    // Debian starts the server it installs; it would hold the port that `play` wants.
    Command::new("service").args(["redis-server", "stop"]).output().ok();
    Ok(())
}

/// A Chromium that Playwright can drive. `playwright.config.ts` finds it in the same places.
pub fn chromium() -> Result<()> {
    let named = std::env::var_os("RESPLAY_CHROMIUM").is_some();
    let mac = ["/Applications/Google Chrome.app", "/Applications/Chromium.app"];
    let here = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    if named
        || here.iter().any(|name| found(name).is_some())
        || mac.iter().any(|path| PathBuf::from(path).exists())
    {
        return Ok(());
    }
    let Err(why) = installed(&["chromium"], "Chromium") else { return Ok(()) };
    let folder = crate::root().join("tests/web");
    let task = Task::start("chromium");
    let downloaded = quiet(npm::npm(&folder, &["exec", "playwright", "install", "chromium"]));
    downloaded.map_err(|_| format!("{why}, or set RESPLAY_CHROMIUM to one"))?;
    task.done("by Playwright");
    Ok(())
}

/// A Firefox that tests can drive. `tests/web/browsers/firefox.js` finds it in the same places.
pub fn firefox() -> Result<()> {
    let named = std::env::var_os("RESPLAY_FIREFOX").is_some();
    let mac = PathBuf::from("/Applications/Firefox.app").exists();
    if named || mac || found("firefox-esr").is_some() || found("firefox").is_some() {
        return Ok(());
    }
    installed(&["firefox-esr"], "Firefox").map_err(|why| format!("{why}, or set RESPLAY_FIREFOX to one"))
}

/// WebKitGTK's browser with what drives it, and a screen for it.
pub fn webkit() -> Result<()> {
    if ["WebKitWebDriver", "xvfb-run"].iter().all(|name| found(name).is_some()) {
        return Ok(());
    }
    installed(&["webkit2gtk-driver", "libwebkit2gtk-4.1-0", "xvfb", "xauth"], "WebKitGTK's browser")
}

/// A Python of our own with the given packages of PyPI, or why there is none.
pub fn python(packages: &[&str]) -> Result<PathBuf> {
    let folder = kept().join("python");
    let python = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let input = crate::stamp::Hash::new().text(&packages.join(" "));
    if !crate::stamp::is(&python, "python", &input) {
        let task = Task::start("python packages");
        quiet(program("python3", &["-m", "venv", &folder.to_string_lossy()]))?;
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        quiet(program(&python.to_string_lossy(), &[&install, packages].concat()))?;
        crate::stamp::set("python", &input)?;
        task.done(&packages.join(" "));
    }
    Ok(python)
}

fn found(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Installs packages of Debian or Ubuntu, which takes root; otherwise says what to install.
fn installed(packages: &[&str], what: &str) -> Result<()> {
    let words = packages.join(" ");
    let missing = format!("{what} is missing; install it, on Debian or Ubuntu by `apt-get install {words}`");
    let root = quiet(program("id", &["-u"])).is_ok_and(|user| user.trim() == "0");
    if !root || found("apt-get").is_none() {
        return Err(missing);
    }
    let task = Task::start("system packages");
    let install = || {
        let mut command = program("apt-get", &["install", "--yes", "--no-install-recommends"]);
        command.args(packages).env("DEBIAN_FRONTEND", "noninteractive");
        quiet(command)
    };
    if install().is_err() {
        // A fresh container knows no packages until it is told to look.
        quiet(program("apt-get", &["update"])).and_then(|_| install()).map_err(|why| {
            say(&why);
            missing
        })?;
    }
    task.done(&words);
    Ok(())
}

//! `cargo xtask play`: from a fresh clone to a running server and its page.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::command::{cargo, interrupted, program, typed};
use crate::progress::{Task, say};
use crate::{Result, kept, page, target};

const HELP: &str = "\
cargo xtask play [options]

Builds the page and the server, as far as anything changed, and starts them. Ctrl-C stops.

  --port N        the port of Redis clients (6379)
  --http-port N   the port of the web page (8379)
  --open          open the page in a browser
  --no-server     the page alone: no Redis client can connect
";

/// How long the server may take to listen, and to end once it was asked to.
const PATIENCE: Duration = Duration::from_secs(10);

struct Options {
    port: u16,
    http_port: u16,
    open: bool,
    server: bool,
}

pub fn main(arguments: Vec<String>) -> Result<ExitCode> {
    let Some(options) = options(arguments)? else { return Ok(ExitCode::SUCCESS) };
    let began = Instant::now();
    if options.server {
        free(options.port, "--port")?;
    }
    free(options.http_port, "--http-port")?;
    let (folder, binary) = build(&options)?;
    say(&format!("  ready in {:.1} s", began.elapsed().as_secs_f64()));
    run(&options, &folder, &binary)
}

fn options(arguments: Vec<String>) -> Result<Option<Options>> {
    let mut options = Options { port: 6379, http_port: 8379, open: false, server: true };
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let mut number = || {
            let value = arguments.next().unwrap_or_default();
            value.parse().map_err(|_| format!("{argument} wants a port, not `{value}`"))
        };
        match argument.as_str() {
            "--port" => options.port = number()?,
            "--http-port" => options.http_port = number()?,
            "--open" => options.open = true,
            "--no-server" => options.server = false,
            "--help" | "-h" => {
                print!("{HELP}");
                return Ok(None);
            }
            other => return Err(format!("no option `{other}`\n\n{HELP}")),
        }
    }
    Ok(Some(options))
}

/// Says so now, rather than after the build, when something else listens on the port.
fn free(port: u16, option: &str) -> Result<()> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            Err(format!("something listens on port {port} already; stop it, or choose another with {option}"))
        }
        Err(error) => {
            Err(format!("port {port} cannot be listened on ({error}); choose another with {option}"))
        }
    }
}

/// The folder of the page and the server's binary, both up to date.
fn build(options: &Options) -> Result<(PathBuf, PathBuf)> {
    thread::scope(|scope| {
        let binary = scope.spawn(|| told(server(options.server)));
        let folder = told(page::build());
        let binary = binary.join().map_err(|_| "building the server panicked".to_owned())?;
        Ok((folder?, binary?))
    })
    .map_err(|_: String| "not started, see above".to_owned())
}

/// Shows an error at once, while the other builds go on.
fn told<T>(result: Result<T>) -> Result<T> {
    result.inspect_err(|error| say(error))
}

/// The binary: built for speed for a server of clients, quickly built for the page alone.
pub fn server(fast: bool) -> Result<PathBuf> {
    let task = Task::start("server");
    let profile = if fast { "release" } else { "debug" };
    task.run(cargo(&["build", "--bin", "resplay", "--profile", if fast { "release" } else { "dev" }]))?;
    task.done(&format!("target/{profile}/resplay"));
    Ok(target().join(profile).join(if cfg!(windows) { "resplay.exe" } else { "resplay" }))
}

/// A server that was started, of clients or of the page alone.
pub struct Served {
    child: Child,
    text: String,
}

impl Served {
    /// Answers once something listens on the last of the ports.
    pub fn start(mut command: Command, port: u16) -> Result<Served> {
        interrupted();
        let text = typed(&command);
        let child = command.spawn().map_err(|error| format!("`{text}` does not start: {error}"))?;
        let mut served = Served { child, text };
        let began = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            if let Some(status) = served.child.try_wait().map_err(|error| error.to_string())? {
                return Err(format!("`{}` ended before it listened, {status}", served.text));
            }
            if interrupted() || began.elapsed() > PATIENCE {
                return Err(format!("`{}` did not listen", served.text));
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(served)
    }

    fn wait(mut self) -> Result<ExitCode> {
        loop {
            if let Some(status) = self.child.try_wait().map_err(|error| error.to_string())? {
                let clean = status.success() || interrupted();
                return if clean {
                    Ok(ExitCode::SUCCESS)
                } else {
                    Err(format!("`{}` ended, {status}", self.text))
                };
            }
            if interrupted() {
                return Ok(ExitCode::SUCCESS);
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// The page alone, on a port of this machine: no Redis client can connect.
pub fn page_server(binary: &Path, folder: &Path, http_port: u16) -> Result<Served> {
    let mut command = program(&binary.to_string_lossy(), &["serve", "--port", "0", "--save", ""]);
    command.args(["--loglevel", "warning", "--http-port", &http_port.to_string(), "--http-root"]).arg(folder);
    Served::start(command, http_port)
}

fn run(options: &Options, folder: &Path, binary: &Path) -> Result<ExitCode> {
    let (port, http_port) = (options.port.to_string(), options.http_port.to_string());
    let served = if options.server {
        let dumps = kept().join("play");
        std::fs::create_dir_all(&dumps).map_err(|error| format!("{}: {error}", dumps.display()))?;
        let mut command = program(&binary.to_string_lossy(), &["serve", "--port", &port]);
        command.args(["--http-port", &http_port, "--http-root"]).arg(folder).arg("--dir").arg(dumps);
        Served::start(command, options.port)?
    } else {
        page_server(binary, folder, options.http_port)?
    };
    println!("\n  page   http://127.0.0.1:{http_port}/");
    if options.server {
        println!("  Redis  redis-cli -p {port}");
    }
    println!("\nCtrl-C stops.\n");
    open(options);
    served.wait()
}

/// Ctrl-C reached the server from the terminal; a signal to this program alone did not.
fn end(child: &mut Child) {
    let began = Instant::now();
    let mut asked = false;
    while child.try_wait().is_ok_and(|status| status.is_none()) && began.elapsed() < PATIENCE {
        if !asked && began.elapsed() > Duration::from_millis(500) {
            Command::new("kill").arg(child.id().to_string()).stderr(Stdio::null()).status().ok();
            asked = true;
        }
        thread::sleep(Duration::from_millis(10));
    }
    child.kill().ok();
    child.wait().ok();
}

fn open(options: &Options) {
    if options.open {
        let opener = if cfg!(target_os = "macos") {
            "open"
        } else if cfg!(windows) {
            "explorer"
        } else {
            "xdg-open"
        };
        let address = format!("http://127.0.0.1:{}/", options.http_port);
        if program(opener, &[&address]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().is_err() {
            println!("`{opener}` is missing, so no browser was opened.");
        }
    }
}

//! `resplay serve`: redis-server from its command line to its clean end.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::data::number;
use crate::engine::Engine;
use crate::server::VERSION;
use crate::server::config::{Config, PARAMETERS};
use crate::server::event::Event;
use crate::server::persistence::Disk;

use super::aof;
use super::disk::{self, Folder};
use super::event_loop::saving;
use super::event_loop::{EventLoop, Stopper, microseconds, now_ms};
use super::launch::{Launch, launch};
use super::log::{self, Log, Role};
use super::sockets::{Listener, Place, places};
use super::{files, http};

/// The port of the page where nothing else is said.
const HTTP_PORT: u16 = 8379;
/// Files a server needs beside its clients' sockets.
const OTHER_FILES: u64 = 64;
/// Tells a process that it is the one in the background.
const IN_BACKGROUND: &str = "RESPLAY_IN_BACKGROUND";

const USAGE: &str = "\
Usage: resplay serve [/path/to/redis.conf] [--DIRECTIVE VALUE ...] [-]

  /path/to/redis.conf   a configuration file
  --DIRECTIVE VALUE     any line of such a file: --port 7000 --requirepass secret --save 60 1
  -                     read more of the configuration from standard input

Beside what redis.conf knows:
  --http-port N         the port of the playground page (8379); 0 serves none
  --http-bind ADDRESS   where the page is served (127.0.0.1)
  --http-host NAME      a name the page may be asked for by, besides addresses and localhost
  --http-attach H:P|no  let the page's terminals attach to this server too, besides those of this machine; or to none
  --http-root FOLDER    serve this folder in place of the page that is built in
  --seed N              the seed of everything random

  -h, --help            this text
  -v, --version         the version

Without --bind only this machine is listened to: 127.0.0.1 and ::1. Called by the name of redis-server, it listens
everywhere, as redis-server does, in protected mode, and serves no page.
";

/// By which name the program was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CalledAs {
    Resplay,
    RedisServer,
}

/// Runs until it is told to stop; the process's exit code.
pub fn serve(arguments: Vec<OsString>, called_as: CalledAs) -> u8 {
    let words: Vec<Vec<u8>> = arguments.iter().cloned().map(OsStringExt::into_vec).collect();
    match words.first().map(Vec::as_slice) {
        Some(b"-v" | b"--version") => {
            let (package, bits) = (env!("CARGO_PKG_VERSION"), usize::BITS);
            println!(
                "Redis server v={VERSION} sha=00000000:0 malloc=mimalloc bits={bits} build=resplay-{package}"
            );
            return 0;
        }
        Some(b"-h" | b"--help") => {
            print!("{USAGE}");
            return 0;
        }
        Some(word @ (b"--test-memory" | b"--check-system" | b"--sentinel")) => {
            eprintln!("{} is not available", String::from_utf8_lossy(word));
            return 1;
        }
        _ => {}
    }
    let (defaults, http_port) = match called_as {
        CalledAs::Resplay => ("bind 127.0.0.1 -::1", HTTP_PORT),
        CalledAs::RedisServer => ("", 0),
    };
    let launched = match launch(&words, defaults, http_port) {
        Ok(launched) => launched,
        Err(refusal) => {
            match (refusal.text(), &refusal) {
                (Some(text), _) => {
                    eprint!("{text}");
                    // Under the other name it says what redis-server says, and no more.
                    if called_as == CalledAs::Resplay {
                        eprintln!("\n`resplay serve --help` tells which options there are.");
                    }
                }
                (None, super::launch::Refusal::File(text)) => {
                    Log::new(log::level(b"notice"), None).warning(text)
                }
                (None, _) => {}
            }
            return 1;
        }
    };
    let config = &launched.config;
    if config.text_of("daemonize") == b"yes" && std::env::var_os(IN_BACKGROUND).is_none() {
        return go_to_background(&arguments, called_as);
    }
    let log_file = files::path(config, "logfile");
    if let Some(path) = &log_file
        && let Err(error) = std::fs::OpenOptions::new().create(true).append(true).open(path)
    {
        let reason = format!("Can't open the log file: {}", super::reason(&error));
        eprint!("{}", super::launch::Refusal::Config(reason).text().unwrap_or_default());
        return 1;
    }
    let log = Log::new(log::level(config.text_of("loglevel")), log_file);
    run(launched, log)
}

/// Starts the same program again without a terminal and leaves it alone.
fn go_to_background(arguments: &[OsString], called_as: CalledAs) -> u8 {
    let started = std::env::current_exe().and_then(|program| {
        let mut command = Command::new(program);
        if called_as == CalledAs::RedisServer {
            command.arg0("redis-server");
        } else {
            command.arg("serve");
        }
        command.args(arguments).env(IN_BACKGROUND, "1").process_group(0);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
    });
    match started {
        Ok(_) => 0,
        Err(error) => {
            eprintln!("Going to the background failed: {error}");
            1
        }
    }
}

fn run(launched: Launch, mut log: Log) -> u8 {
    let Launch { config, users, http, seed } = launched;
    let (package, bits, pid) = (env!("CARGO_PKG_VERSION"), usize::BITS, std::process::id());
    let port = number::parse_i64(config.text_of("port")).unwrap_or(0) as u16;
    log.notice("oO0OoO0OoO0Oo resplay is starting oO0OoO0OoO0Oo");
    log.notice(format!(
        "Redis version={VERSION}, resplay version={package}, bits={bits}, pid={pid}, just started"
    ));
    log.notice("Configuration loaded");
    log.role = Role::Master;
    // Those who have asked for Redis's logo look for the process in it.
    if config.text_of("always-show-logo") == b"yes" {
        log.notice(format!("resplay {package} as Redis {VERSION}, Port: {port}, PID: {pid}"));
    }
    log.notice(format!("Running mode=standalone, port={port}."));
    raise_file_limit(&config, &log);
    let listeners = match listen(&config, http.is_asked_for, &log) {
        Ok(listeners) => listeners,
        Err(reason) => {
            log.warning(reason);
            return 1;
        }
    };
    let mut engine = Engine::new(seed.unwrap_or_else(random_seed), now_ms());
    let server = engine.server_mut();
    server.stopwatch = Some(microseconds);
    server.process_id = std::process::id();
    server.resident_bytes = Some(resident_bytes);
    server.can_listen = Some(can_listen);
    server.acl_reader = Some(files::read_users);
    server.exchange = Some(super::exchange::exchange);
    let seeds =
        (server.config.hash.table_seed, server.config.set.table_seed, server.config.sorted_set.table_seed);
    server.config = config;
    let config = &mut server.config;
    (config.hash.table_seed, config.set.table_seed, config.sorted_set.table_seed) = seeds;
    for parameter in PARAMETERS {
        server.follow_config(parameter.name);
    }
    if let Err(reason) = files::load_users(&mut engine, users, now_ms()) {
        eprint!("{}", super::launch::Refusal::Config(reason).text().unwrap_or_default());
        return 1;
    }
    let aof = aof::Shared::default();
    if let Err(reason) = load(&mut engine, &aof, &log) {
        log.warning(format!("Fatal error loading the DB, check server logs. Exiting. ({reason})"));
        return 1;
    }
    let pid_file = files::path(&engine.server().config, "pidfile");
    let kinds: Vec<&str> = listeners.iter().map(|l| if l.is_tcp() { "tcp" } else { "unix" }).collect();
    let own = own_address(&engine.server().config);
    let mut event_loop = match EventLoop::new(listeners, engine, aof, log.clone()) {
        Ok(event_loop) => event_loop,
        Err(error) => {
            log.warning(format!("The event loop does not start: {error}"));
            return 1;
        }
    };
    handle_signals(event_loop.stopper(), &log);
    if http.port != 0
        && let Err(reason) = http::serve(http.clone(), own, token(), &log)
    {
        log.warning(format!("The playground page cannot be served on port {}: {reason}", http.port));
        log.notice("--http-port N serves it on another port, --http-port 0 not at all");
        if http.is_asked_for {
            return 1;
        }
    }
    if let Some(path) = &pid_file {
        // As in Redis, a server without its file is a server.
        let _ = std::fs::write(path, format!("{pid}\n"));
    }
    log.notice("Server initialized");
    for kind in ["tcp", "unix"].into_iter().filter(|kind| kinds.contains(kind)) {
        log.notice(format!("Ready to accept connections {kind}"));
    }
    let result = event_loop.run();
    if let Some(path) = &pid_file {
        let _ = std::fs::remove_file(path);
    }
    match result {
        Ok(()) => {
            log.warning("resplay is now ready to exit, bye bye...");
            0
        }
        Err(error) => {
            log.warning(format!("The event loop failed: {error}"));
            1
        }
    }
}

/// Loads what an earlier run has saved.
fn load(engine: &mut Engine, aof: &aof::Shared, log: &Log) -> Result<(), String> {
    let mut folder = Folder { aof: aof.clone() };
    if aof::is_on(&engine.server().config) {
        engine.server_mut().persistence.disk = Some(Box::new(folder));
        return saving::load_aof(engine, aof, log);
    }
    let started = std::time::Instant::now();
    let bytes = folder.load(&engine.server().config)?;
    engine.server_mut().persistence.disk = Some(Box::new(folder));
    let Some(bytes) = bytes else { return Ok(()) };
    let path = disk::rdb_path(&engine.server().config);
    log.notice(format!("Loading {} bytes from {}", bytes.len(), path.display()));
    let loaded = engine.load(&bytes, now_ms());
    while let Some(event) = engine.next_event() {
        if let Event::Log(level, line) = event {
            log.write(level, &line);
        }
    }
    loaded?;
    log.notice(format!("DB loaded from disk: {:.3} seconds", started.elapsed().as_secs_f64()));
    Ok(())
}

/// Binds all that the configuration names: nothing at all is only for a server that was asked for the page.
fn listen(config: &Config, serves_page: bool, log: &Log) -> Result<Vec<Listener>, String> {
    let mut listeners = listen_tcp(config, log)?;
    if let Some(path) = files::path(config, "unixsocket") {
        let mode = String::from_utf8_lossy(config.text_of("unixsocketperm")).into_owned();
        let mode = u32::from_str_radix(&mode, 8).unwrap_or(0);
        let path = std::path::absolute(&path).unwrap_or(path);
        let failed =
            |error: std::io::Error| format!("Failed opening Unix socket: bind: {}", super::reason(&error));
        listeners.push(Listener::unix(&path.to_string_lossy(), mode).map_err(failed)?);
    }
    if listeners.is_empty() && !serves_page {
        return Err("Configured to not listen anywhere, exiting.".to_owned());
    }
    Ok(listeners)
}

/// Binds the addresses of `bind` on `port`; none where the port is 0.
pub fn listen_tcp(config: &Config, log: &Log) -> Result<Vec<Listener>, String> {
    let mut listeners = Vec::new();
    let int = |name: &str| number::parse_i64(config.text_of(name)).unwrap_or(0);
    let port = int("port") as u16;
    if port == 0 {
        return Ok(listeners);
    }
    let bind = String::from_utf8_lossy(config.text_of("bind")).into_owned();
    for place in places(&bind)? {
        let error = match Listener::tcp(SocketAddr::new(place.address, port), int("tcp-backlog") as i32) {
            Ok(listener) => {
                listeners.push(listener);
                continue;
            }
            Err(error) => error,
        };
        if place.is_optional && lacks_address(&error) {
            continue;
        }
        log.warning(format!(
            "Warning: Could not create server TCP listening socket {}:{port}: bind: {}",
            place.shown,
            super::reason(&error)
        ));
        return Err(format!("Failed listening on port {port} (tcp), aborting."));
    }
    Ok(listeners)
}

/// Whether the port or the addresses that CONFIG SET asks for can be had. They are asked for again when the engine has
/// said yes. Of addresses alone the port is in use, by this server.
fn can_listen(config: &Config, changed: &str) -> bool {
    let bind = String::from_utf8_lossy(config.text_of("bind")).into_owned();
    let port = number::parse_i64(config.text_of("port")).unwrap_or(0) as u16;
    let is_off = port == 0;
    let port = if changed == "port" { port } else { 0 };
    let is_free = |place: Place| match Listener::tcp(SocketAddr::new(place.address, port), 1) {
        Ok(_) => true,
        Err(error) => place.is_optional && lacks_address(&error),
    };
    is_off || places(&bind).is_ok_and(|places| places.into_iter().all(is_free))
}

/// The machine does not have such an address, or such addresses at all.
fn lacks_address(error: &std::io::Error) -> bool {
    use rustix::io::Errno;
    let known = [Errno::ADDRNOTAVAIL, Errno::AFNOSUPPORT, Errno::PROTONOSUPPORT];
    error.raw_os_error().is_some_and(|code| known.iter().any(|errno| errno.raw_os_error() == code))
}

/// The first signal ends the loop, the second the process.
fn handle_signals(stopper: Stopper, log: &Log) {
    let told = log.clone();
    match Signals::new([SIGINT, SIGTERM, SIGHUP]) {
        Ok(mut signals) => {
            std::thread::spawn(move || {
                let mut is_asked = false;
                for signal in signals.forever() {
                    let name = if signal == SIGINT { "SIGINT" } else { "SIGTERM" };
                    if signal == SIGHUP {
                        continue;
                    }
                    if std::mem::replace(&mut is_asked, true) {
                        told.warning("You insist... exiting now.");
                        std::process::exit(1);
                    }
                    told.warning(format!("Received {name} scheduling shutdown..."));
                    stopper.stop();
                }
            });
        }
        Err(error) => log.warning(format!("Signals cannot be handled: {error}")),
    }
}

/// Each client takes an open file; the system's limit may be lower than what it allows us to ask for.
fn raise_file_limit(config: &Config, log: &Log) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let wanted = config.maxclients as u64 + OTHER_FILES;
    let limit = getrlimit(Resource::Nofile);
    let Some(current) = limit.current.filter(|current| *current < wanted) else { return };
    let possible = limit.maximum.map_or(wanted, |maximum| wanted.min(maximum));
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(possible), maximum: limit.maximum });
    let files = if raised.is_ok() { possible } else { current };
    if files < wanted {
        log.warning(format!(
            "Only {files} files may be open, so fewer than maxclients ({}) can connect. Raise it with 'ulimit -n'.",
            config.maxclients
        ));
    }
}

/// A seed from the operating system's randomness, by way of the standard library's hasher keys.
fn random_seed() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}

/// Memory the process holds, as Linux tells it; 0 elsewhere.
fn resident_bytes() -> u64 {
    const PAGE_BYTES: u64 = 4096;
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.and_then(|text| text.split(' ').nth(1)?.parse::<u64>().ok());
    pages.unwrap_or(0) * PAGE_BYTES
}

/// Where this machine's own clients find the server; nowhere when it takes none over TCP.
fn own_address(config: &Config) -> Option<SocketAddr> {
    let port = number::parse_i64(config.text_of("port")).and_then(|port| u16::try_from(port).ok())?;
    let bind = String::from_utf8_lossy(config.text_of("bind")).into_owned();
    let address = places(&bind).ok()?.first()?.address;
    let address = match address {
        IpAddr::V4(address) if address.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(address) if address.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        address => address,
    };
    (port != 0).then(|| SocketAddr::new(address, port))
}

/// What a terminal of the page must know to attach: 128 bits from the operating system.
fn token() -> String {
    use std::io::Read;
    let mut bytes = [0; 16];
    if std::fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes)).is_err() {
        bytes[..8].copy_from_slice(&random_seed().to_le_bytes());
        bytes[8..].copy_from_slice(&random_seed().to_le_bytes());
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

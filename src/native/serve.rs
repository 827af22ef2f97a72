//! `resplay serve`: the server from its options to its clean end.

use std::net::{IpAddr, SocketAddr};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::engine::Engine;
use crate::server::event::LogLevel;

use super::event_loop::{EventLoop, microseconds, now_ms};
use super::log::Log;

/// What `resplay serve` takes.
#[derive(clap::Args, Debug)]
pub struct Options {
    /// The port of the Redis protocol.
    #[arg(long, default_value_t = 6379)]
    pub port: u16,
    /// An address to listen on; may be given several times.
    #[arg(long, default_value = "127.0.0.1")]
    pub bind: Vec<IpAddr>,
    /// The port of the playground page; 0 serves none.
    #[arg(long, default_value_t = 8379)]
    pub http_port: u16,
    /// The seed of everything random; by default the system gives one.
    #[arg(long)]
    pub seed: Option<u64>,
}

/// Runs until it is told to stop; the process's exit code.
pub fn serve(options: &Options) -> u8 {
    let log = Log::new(LogLevel::Notice, None);
    log.write(LogLevel::Notice, "oO0OoO0OoO0Oo resplay is starting oO0OoO0OoO0Oo");
    log.write(
        LogLevel::Notice,
        &format!(
            "resplay version={}, port={}, pid={}",
            env!("CARGO_PKG_VERSION"),
            options.port,
            std::process::id()
        ),
    );
    let seed = options.seed.unwrap_or_else(random_seed);
    let mut engine = Engine::new(seed, now_ms());
    engine.server_mut().stopwatch = Some(microseconds);
    engine.server_mut().process_id = std::process::id();
    let addresses: Vec<SocketAddr> =
        options.bind.iter().map(|address| SocketAddr::new(*address, options.port)).collect();
    let mut event_loop = match EventLoop::bind(&addresses, engine, log.clone()) {
        Ok(event_loop) => event_loop,
        Err(error) => {
            log.write(
                LogLevel::Warning,
                &format!("Failed listening on port {} (tcp), aborting: {error}", options.port),
            );
            return 1;
        }
    };
    let stopper = event_loop.stopper();
    match Signals::new([SIGINT, SIGTERM]) {
        Ok(mut signals) => {
            std::thread::spawn(move || {
                if signals.forever().next().is_some() {
                    stopper.stop();
                }
            });
        }
        Err(error) => log.write(LogLevel::Warning, &format!("Signals cannot be handled: {error}")),
    }
    for address in event_loop.local_addresses() {
        log.write(LogLevel::Notice, &format!("Listening on {address}"));
    }
    log.write(LogLevel::Notice, "Ready to accept connections");
    match event_loop.run() {
        Ok(()) => {
            log.write(LogLevel::Warning, "resplay is now ready to exit, bye bye...");
            0
        }
        Err(error) => {
            log.write(LogLevel::Warning, &format!("The event loop failed: {error}"));
            1
        }
    }
}

/// A seed from the operating system's randomness, by way of the standard library's hasher keys.
fn random_seed() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}

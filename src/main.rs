//! The binary: `serve`, `cli` and the tools around them. Called by the name of redis-server or redis-cli, it is that.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use resplay::native::serve::CalledAs;
use resplay::native::{cli, doctest, serve};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A Redis-compatible server, and the playground that runs it in the browser.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the Redis protocol over TCP, and the playground page over HTTP. Takes what redis-server takes.
    #[command(disable_help_flag = true)]
    Serve {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Talk to a server. Takes what redis-cli takes.
    #[command(disable_help_flag = true)]
    Cli {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Run the transcripts in documents and compare what they print.
    Doctest(doctest::Options),
}

fn main() -> ExitCode {
    let mut words = std::env::args_os();
    let program = words.next().unwrap_or_default();
    let name = Path::new(&program).file_name().unwrap_or_default().to_string_lossy().into_owned();
    if name.contains("redis-cli") {
        return ExitCode::from(cli::cli(words.collect()));
    }
    if name.contains("redis-server") {
        return ExitCode::from(serve::serve(words.collect(), CalledAs::RedisServer));
    }
    match Arguments::parse().command {
        Command::Serve { arguments } => ExitCode::from(serve::serve(arguments, CalledAs::Resplay)),
        Command::Cli { arguments } => ExitCode::from(cli::cli(arguments)),
        Command::Doctest(options) => ExitCode::from(doctest::doctest(&options)),
    }
}

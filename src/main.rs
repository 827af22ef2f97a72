//! The binary: `serve`, `cli` and the tools around them.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use resplay::native::{doctest, serve};

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
    /// Serve the Redis protocol over TCP, and the playground page over HTTP.
    Serve(serve::Options),
    /// Run the transcripts in documents and compare what they print.
    Doctest(doctest::Options),
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Serve(options) => ExitCode::from(serve::serve(&options)),
        Command::Doctest(options) => ExitCode::from(doctest::doctest(&options)),
    }
}

//! `resplay doctest`: runs the transcripts in documents against the engine, offline and in virtual time.

use std::path::{Path, PathBuf};

use crate::cli::transcript::{self, Step, What};
use crate::engine::Engine;
use crate::playback::{Playback, SEED, STARTED_AT_MS};

/// What `resplay doctest` takes.
#[derive(clap::Args, Debug)]
pub struct Options {
    /// Markdown files with transcripts, in fences marked `redis` or in `redis-cli` shortcodes, or plain transcripts
    /// (`.txt`).
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Write the output as it really is into the files.
    #[arg(long)]
    bless: bool,
    /// Only say how many examples hold.
    #[arg(long)]
    quiet: bool,
}

/// A transcript in a document: the lines from `start` to `end`, counted from 0, `end` excluded.
struct Example {
    start: usize,
    end: usize,
}

/// Runs everything; 0 when all examples hold, 1 when one does not, 2 when a file cannot be read.
pub fn doctest(options: &Options) -> u8 {
    let (mut held, mut failed) = (0, 0);
    for path in &options.files {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                eprintln!("{}: {error}", path.display());
                return 2;
            }
        };
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let examples = examples_in(path, &lines);
        // From the last to the first, so that a longer output moves no line that is still needed.
        for example in examples.iter().rev() {
            match run(path, &lines, example, options.quiet) {
                Ok(None) => held += 1,
                Ok(Some(played)) => {
                    failed += 1;
                    if options.bless {
                        lines.splice(example.start..example.end, played.lines().map(str::to_owned));
                    }
                }
                Err(message) => {
                    failed += 1;
                    println!("{}:{message}", path.display());
                }
            }
        }
        if options.bless
            && failed > 0
            && let Err(error) = std::fs::write(path, lines.join("\n") + "\n")
        {
            eprintln!("{}: {error}", path.display());
            return 2;
        }
    }
    println!("{held} passed, {failed} failed");
    u8::from(failed > 0 && !options.bless)
}

/// Where transcripts stand in a document.
fn examples_in(path: &Path, lines: &[String]) -> Vec<Example> {
    if path.extension().is_some_and(|extension| extension == "txt") {
        return vec![Example { start: 0, end: lines.len() }];
    }
    let mut examples = Vec::new();
    let mut open: Option<(usize, &str)> = None;
    // A document about documents shows blocks inside a longer fence.
    let mut is_shown = false;
    for (number, line) in lines.iter().enumerate() {
        let line = line.trim();
        is_shown ^= line.starts_with("````");
        match open {
            None if is_shown => {}
            Some((start, close)) if line.starts_with(close) => {
                examples.push(Example { start, end: number });
                open = None;
            }
            Some(_) => {}
            None if line.starts_with("```redis") => open = Some((number + 1, "```")),
            None if line.starts_with("{{% redis-cli %}}") => open = Some((number + 1, "{{% /redis-cli %}}")),
            None => {}
        }
    }
    examples
}

/// Nothing when the example holds; the whole example as it really is otherwise.
fn run(path: &Path, lines: &[String], example: &Example, quiet: bool) -> Result<Option<String>, String> {
    let text = lines[example.start..example.end].join("\n") + "\n";
    let parsed = transcript::parse(&text);
    let steps = parsed.map_err(|error| format!("{}: {}", example.start + error.line, error.message))?;
    let played = Playback::new(Engine::with_journal(SEED, STARTED_AT_MS), false).play(&steps);
    if comparable(&played) == comparable(&steps) {
        return Ok(None);
    }
    if !quiet {
        show_difference(path, example.start, &steps, &played);
    }
    Ok(Some(transcript::print(&played)))
}

/// Blank lines and the blanks at the ends of lines are no difference.
fn comparable(steps: &[Step]) -> Vec<Vec<String>> {
    let trimmed = |lines: &[String]| -> Vec<String> {
        lines.iter().map(|line| line.trim_end().to_owned()).filter(|line| !line.is_empty()).collect()
    };
    let one = |step: &Step| match &step.what {
        What::Command { output, .. } => Some(trimmed(output)),
        What::Received { client, output } => Some([vec![client.clone()], trimmed(output)].concat()),
        _ => None,
    };
    steps.iter().filter_map(one).collect()
}

fn show_difference(path: &Path, start: usize, expected: &[Step], actual: &[Step]) {
    let commands = |steps: &[Step]| -> Vec<(usize, String, Vec<String>)> {
        let one = |step: &Step| match &step.what {
            What::Command { text, output, .. } => Some((step.line, text.clone(), output.clone())),
            _ => None,
        };
        steps.iter().filter_map(one).collect()
    };
    for ((line, text, expected), (_, _, actual)) in commands(expected).iter().zip(commands(actual)) {
        if expected.iter().map(|line| line.trim_end()).ne(actual.iter().map(|line| line.trim_end())) {
            println!("{}:{}: {text}", path.display(), start + line);
            expected.iter().for_each(|line| println!("  - {line}"));
            actual.iter().for_each(|line| println!("  + {line}"));
        }
    }
}

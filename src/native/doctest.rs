//! `resplay doctest`: runs the transcripts in documents against the engine, offline and in virtual time.

use std::path::{Path, PathBuf};

use crate::cli::transcript::{self, Step, What};
use crate::engine::Engine;
use crate::playback::{Playback, SEED, STARTED_AT_MS};

/// What `resplay doctest` takes.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Exit code: 0 all hold or were written, 1 an output is another, 2 a file cannot be read, or there is nothing to run"
)]
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
    is_closed: bool,
}

#[derive(Default)]
struct Count {
    held: usize,
    /// Print another output than the document says.
    differ: usize,
    /// Are no transcripts, so that there is nothing to write into the file either.
    broken: usize,
}

/// Runs everything; 0 when all examples hold or were written anew, 1 when one does not, 2 when a file cannot be read or
/// written, or nowhere is an example.
pub fn doctest(options: &Options) -> u8 {
    let mut count = Count::default();
    for path in &options.files {
        if let Err(error) = run_all(path, options, &mut count) {
            eprintln!("{}: {error}", path.display());
            return 2;
        }
    }
    let Count { held, differ, broken } = count;
    if held + differ + broken == 0 {
        eprintln!("no transcripts found; in Markdown they stand in fences marked ```redis");
        return 2;
    }
    let (failed, written) = if options.bless { (broken, differ) } else { (differ + broken, 0) };
    match written {
        0 => println!("{held} passed, {failed} failed"),
        _ => println!("{held} passed, {failed} failed, {written} written anew"),
    }
    u8::from(failed > 0)
}

/// The examples of one document.
fn run_all(path: &Path, options: &Options, count: &mut Count) -> std::io::Result<()> {
    let text = std::fs::read_to_string(path)?;
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let before = count.differ;
    // From the last to the first, so that a longer output moves no line that is still needed.
    for example in examples_in(path, &lines).iter().rev() {
        match run(path, &lines, example, options.quiet) {
            Ok(None) => count.held += 1,
            Ok(Some(played)) => {
                count.differ += 1;
                if options.bless {
                    lines.splice(example.start..example.end, played.lines().map(str::to_owned));
                }
            }
            Err(message) => {
                count.broken += 1;
                println!("{}:{message}", path.display());
            }
        }
    }
    if options.bless && count.differ > before {
        std::fs::write(path, lines.join("\n") + "\n")?;
    }
    Ok(())
}

/// Where transcripts stand in a document.
fn examples_in(path: &Path, lines: &[String]) -> Vec<Example> {
    if path.extension().is_some_and(|extension| extension == "txt") {
        return vec![Example { start: 0, end: lines.len(), is_closed: true }];
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
                examples.push(Example { start, end: number, is_closed: true });
                open = None;
            }
            Some(_) => {}
            None if line.starts_with("```redis") => open = Some((number + 1, "```")),
            None if line.starts_with("{{% redis-cli %}}") => open = Some((number + 1, "{{% /redis-cli %}}")),
            None => {}
        }
    }
    examples.extend(open.map(|(start, _)| Example { start, end: lines.len(), is_closed: false }));
    examples
}

/// Nothing when the example holds; the whole example as it really is otherwise.
fn run(path: &Path, lines: &[String], example: &Example, quiet: bool) -> Result<Option<String>, String> {
    if !example.is_closed {
        return Err(format!("{}: this block is never closed", example.start));
    }
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

//! Runs every transcript below tests/suite: in RESP2 against its text, in RESP3, with all small encodings off, from its
//! journal, and from its propagation stream. `UPDATE=1` rewrites the texts instead of comparing them.

use std::fs;
use std::path::Path;

use resplay::cli::split;
use resplay::cli::transcript::{self, What};
use resplay::command::Group;
use resplay::command::syntax::Argument;
use resplay::commands;
use resplay::engine::{Engine, journal::Journal};
use resplay::keyspace::digest;
use resplay::playback::{Playback, SEED, STARTED_AT_MS};
use resplay::resp::reply::{Decoder, Reply};

#[path = "support/transcripts.rs"]
mod transcripts;

use transcripts::{Transcript, transcripts};

impl Transcript {
    /// `@ skip word …` keeps a transcript out of some of the ways to run it; the line above says why.
    fn skips(&self, way: &str) -> bool {
        self.steps.iter().any(|step| match &step.what {
            What::Directive { name, arguments } => {
                name == "skip" && arguments.split(' ').any(|word| word == way)
            }
            _ => false,
        })
    }
}

fn engine() -> Engine {
    Engine::with_journal(SEED, STARTED_AT_MS)
}

fn check(failures: Vec<String>) {
    assert!(failures.is_empty(), "{} failed:\n{}", failures.len(), failures.join("\n"));
}

/// The first lines that differ, with their number.
fn difference(path: &Path, expected: &str, actual: &str) -> String {
    let (mut left, mut right) = (expected.lines(), actual.lines());
    let mut number = 0;
    loop {
        number += 1;
        match (left.next(), right.next()) {
            (None, None) => return format!("{}: differs in its last line end", path.display()),
            (a, b) if a == b => {}
            (a, b) => {
                let (a, b) = (a.unwrap_or("(the end)"), b.unwrap_or("(the end)"));
                return format!("{}:{number}:\n  expected: {a}\n  actual:   {b}", path.display());
            }
        }
    }
}

#[test]
fn transcripts_hold() {
    let mut failures = Vec::new();
    for transcript in transcripts() {
        let played = transcript::print(&Playback::new(engine(), false).play(&transcript.steps));
        let text = fs::read_to_string(&transcript.path).expect("a transcript is readable");
        if played == text {
            continue;
        }
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&transcript.path, &played).expect("a transcript is writable");
        } else {
            failures.push(difference(&transcript.path, &text, &played));
        }
    }
    check(failures);
}

/// The scalars of a reply in their order: what RESP2 and RESP3 share.
fn flatten(reply: &Reply, out: &mut Vec<String>) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match reply {
        Reply::Array(items) | Reply::Set(items) | Reply::Push(items) => {
            items.iter().for_each(|item| flatten(item, out));
        }
        Reply::Map(pairs) => pairs.iter().for_each(|(key, value)| {
            flatten(key, out);
            flatten(value, out);
        }),
        Reply::Attributed(inner) => flatten(&inner.1, out),
        Reply::Boolean(value) => out.push(i32::from(*value).to_string()),
        Reply::Nil => out.push("(nil)".into()),
        Reply::Integer(value) => out.push(value.to_string()),
        Reply::Status(bytes)
        | Reply::Error(bytes)
        | Reply::Double(bytes)
        | Reply::BigNumber(bytes)
        | Reply::Bulk(bytes)
        | Reply::Verbatim(_, bytes) => out.push(text(bytes)),
    }
}

fn flat(replies: &[(String, Reply)]) -> Vec<(String, Vec<String>)> {
    let one = |(command, reply): &(String, Reply)| {
        let mut out = Vec::new();
        flatten(reply, &mut out);
        (command.clone(), out)
    };
    replies.iter().map(one).collect()
}

#[test]
fn resp3_says_the_same_in_its_own_shapes() {
    let mut failures = Vec::new();
    for transcript in transcripts().iter().filter(|transcript| !transcript.skips("resp3")) {
        let mut in_resp2 = Playback::new(engine(), false);
        in_resp2.play(&transcript.steps);
        let mut in_resp3 = Playback::new(engine(), true);
        in_resp3.play(&transcript.steps);
        let (expected, actual) = (flat(in_resp2.replies()), flat(in_resp3.replies()));
        if let Some((expected, actual)) = expected.iter().zip(&actual).find(|(a, b)| a != b) {
            failures.push(format!("{}: {expected:?}\n  in RESP3: {actual:?}", transcript.path.display()));
        } else if expected.len() != actual.len() {
            failures.push(format!("{}: another number of replies", transcript.path.display()));
        }
    }
    check(failures);
}

#[test]
fn small_encodings_are_invisible() {
    let mut failures = Vec::new();
    for transcript in transcripts().iter().filter(|transcript| !transcript.skips("encodings")) {
        let mut small = Playback::new(engine(), false);
        small.play(&transcript.steps);
        let mut big = Playback::new(without_small_encodings(), false);
        big.play(&transcript.steps);
        // Where an encoding has an order of its own, the order may differ.
        let sorted = |replies: Vec<(String, Vec<String>)>| -> Vec<(String, Vec<String>)> {
            replies
                .into_iter()
                .map(|(command, mut scalars)| {
                    scalars.sort();
                    (command, scalars)
                })
                .collect()
        };
        let (expected, actual) = (sorted(flat(small.replies())), sorted(flat(big.replies())));
        if let Some((expected, actual)) = expected.iter().zip(&actual).find(|(a, b)| a != b) {
            let path = transcript.path.display();
            failures.push(format!("{path}: {expected:?}\n  without small encodings: {actual:?}"));
        }
    }
    check(failures);
}

fn without_small_encodings() -> Engine {
    let mut engine = engine();
    let config = &mut engine.server_mut().config;
    config.list.max_listpack_size = 1;
    config.hash.max_listpack_entries = 0;
    config.set.max_intset_entries = 0;
    config.set.max_listpack_entries = 0;
    config.sorted_set.max_listpack_entries = 0;
    engine
}

#[test]
fn a_journal_gives_the_same_bytes_again() {
    let mut failures = Vec::new();
    for transcript in transcripts() {
        let mut first = Playback::new(engine(), false);
        first.play(&transcript.steps);
        let sent = first.sent().clone();
        let bytes = first.engine().journal().expect("it keeps one").bytes().to_vec();
        let journal = Journal::from_bytes(&bytes).expect("a journal reads what it wrote");
        let mut again = Engine::replay(&journal);
        for (serial, expected) in sent {
            let id = again.server().clients.by_serial(serial);
            let actual = id.map(|id| again.take_output(id)).unwrap_or_default();
            // What a client was sent before it left is gone with it.
            if id.is_some() && actual != expected {
                failures.push(format!("{}: client {serial} was sent other bytes", transcript.path.display()));
            }
        }
    }
    check(failures);
}

#[test]
fn the_propagation_stream_makes_an_equal_replica() {
    let mut failures = Vec::new();
    for transcript in transcripts().iter().filter(|transcript| !transcript.skips("propagation")) {
        let mut master = engine();
        master.server_mut().propagation.set_on(true);
        let mut playback = Playback::new(master, false);
        playback.play(&transcript.steps);
        let now_ms = playback.now_ms();
        let stream = playback.engine().server_mut().propagation.take();
        let mut replica = engine();
        let id = replica.connect(now_ms);
        replica.receive(id, &stream, now_ms);
        let output = replica.take_output(id);
        let mut decoder = Decoder::new();
        decoder.feed(&output);
        let mut replies = std::iter::from_fn(|| decoder.next_reply().ok().flatten());
        let error = replies.find_map(|reply| match reply {
            Reply::Error(text) => Some(String::from_utf8_lossy(&text).into_owned()),
            _ => None,
        });
        let digest_of = |engine: &Engine| digest::of_keyspace(&engine.server().keyspace, now_ms);
        if let Some(error) = error {
            failures.push(format!("{}: the stream is refused: {error}", transcript.path.display()));
        } else if digest_of(playback.engine()) != digest_of(&replica) {
            failures.push(format!(
                "{}: the replica differs; the stream was {:?}",
                transcript.path.display(),
                String::from_utf8_lossy(&stream)
            ));
        }
    }
    check(failures);
}

/// Commands that no transcript shows, and why.
const WITHOUT_TRANSCRIPT: &[(&str, &str)] = &[
    ("LOLWUT", "prints a picture"),
    ("MEMORY STATS", "prints figures of the machine it runs on"),
    ("RESTORE-ASKING", "is RESTORE under the name that a cluster's MIGRATE uses"),
];

/// The commands of all transcripts, in capital letters.
fn shown_lines() -> Vec<Vec<String>> {
    let mut lines = Vec::new();
    for transcript in transcripts() {
        for step in &transcript.steps {
            let What::Command { text, .. } = &step.what else { continue };
            let words = split::split(text.as_bytes()).unwrap_or_default();
            lines.push(words.iter().map(|word| String::from_utf8_lossy(word).to_ascii_uppercase()).collect());
        }
    }
    lines
}

#[test]
fn every_command_and_option_has_a_transcript() {
    if std::env::var_os("SUITE").is_some() {
        return;
    }
    let lines = shown_lines();
    let mut failures = Vec::new();
    for entry in commands::registry().entries() {
        let name = entry.command.name;
        let words: Vec<&str> = name.split(' ').collect();
        let shown: Vec<_> = lines
            .iter()
            .filter(|line| line.iter().map(|word| &word[..]).take(words.len()).eq(words.iter().copied()))
            .collect();
        let is_exempt = WITHOUT_TRANSCRIPT.iter().any(|(exempt, _)| *exempt == name);
        // HELP is derived from the declarations by one function; the transcript of one stands for all.
        if shown.is_empty() && !is_exempt && !name.ends_with(" HELP") {
            failures.push(format!("{name}: no transcript shows it"));
        }
        if !shown.is_empty() && is_exempt {
            failures.push(format!("{name}: is shown by now; take it from the exceptions"));
        }
        let mut tokens = Vec::new();
        collect_tokens(&entry.arguments(), &mut tokens);
        // Cluster commands say one thing, whatever their options.
        let has_options = !shown.is_empty() && entry.command.group != Group::Cluster;
        for token in tokens.iter().filter(|_| has_options) {
            if !shown.iter().any(|line| line.iter().any(|word| word == token)) {
                failures.push(format!("{name}: no transcript shows its option {token}"));
            }
        }
    }
    check(failures);
}

fn collect_tokens(arguments: &[Argument], tokens: &mut Vec<&'static str>) {
    for argument in arguments {
        tokens.extend(argument.token.filter(|token| !token.is_empty()));
        collect_tokens(&argument.arguments, tokens);
    }
}

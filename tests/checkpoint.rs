//! A journal that starts from a checkpoint gives the same session as one that has every input: every transcript is played
//! with a checkpoint after each step, wherever one can be written.

use resplay::engine::Engine;
use resplay::engine::journal::Journal;
use resplay::playback::{Playback, SEED, STARTED_AT_MS};

#[path = "support/transcripts.rs"]
mod transcripts;

use transcripts::{Transcript, transcripts};

/// Transcripts in which somebody is told what a checkpoint forgets, as the head of the engine's file says.
const FORGETFUL: &[&str] = &["acl/log.txt", "server/latency.txt", "scripting/functions.txt"];

fn engine() -> Engine {
    Engine::with_journal(SEED, STARTED_AT_MS)
}

/// What an engine answers to many questions.
fn asked(engine: &mut Engine, now_ms: u64) -> String {
    let id = engine.connect(now_ms);
    let questions = "DEBUG DIGEST\r\nKEYS *\r\nRANDOMKEY\r\nRANDOMKEY\r\nSCAN 0 COUNT 3\r\nCLIENT LIST\r\nSLOWLOG GET\r\nACL LIST\r\n\
        CONFIG GET *\r\nINFO everything\r\nPUBSUB CHANNELS\r\nPUBSUB NUMPAT\r\nFUNCTION LIST WITHCODE\r\nLASTSAVE\r\n\
        EVAL \"return math.random(1000000)\" 0\r\nSELECT 1\r\nKEYS *\r\n";
    engine.receive(id, questions.as_bytes(), now_ms);
    let answers = String::from_utf8_lossy(&engine.take_output(id)).into_owned();
    engine.disconnect(id, now_ms);
    answers
}

fn drained(engine: &mut Engine) {
    while let Some(id) = engine.next_with_output() {
        engine.take_output(id);
    }
}

/// The first command that was answered in two ways.
fn difference(one: &Playback, other: &Playback) -> String {
    let mut pairs = one.replies().iter().zip(other.replies());
    pairs.find(|(left, right)| left != right).map_or(String::new(), |pair| format!("{pair:?}"))
}

#[test]
fn sessions_go_on_from_their_checkpoints() {
    let mut failures = Vec::new();
    let (mut written, mut tried, mut shorter) = (0, 0, 0);
    for Transcript { path, steps, .. } in transcripts() {
        let name = path.display();
        let mut plain = Playback::new(engine(), false);
        plain.play(&steps);
        let mut playback = Playback::new(engine(), false);
        for step in steps.chunks(1) {
            playback.play(step);
            tried += 1;
            written += u32::from(playback.engine().checkpoint());
        }
        let now_ms = playback.now_ms();
        if playback.sent() != plain.sent() && !FORGETFUL.iter().any(|forgetful| path.ends_with(forgetful)) {
            failures
                .push(format!("{name}: clients were sent other bytes: {}", difference(&plain, &playback)));
        }
        let journal = playback.engine().journal().expect("it keeps one");
        shorter += u32::from(journal.len() < steps.len());
        let journal = Journal::from_bytes(journal.bytes()).expect("a journal reads what it wrote");
        let mut again = Engine::replay(&journal);
        drained(&mut again);
        let (live, replayed) = (asked(playback.engine(), now_ms), asked(&mut again, now_ms));
        if live != replayed {
            let different = live.lines().zip(replayed.lines()).find(|(left, right)| left != right);
            failures.push(format!("{name}: the replay differs: {different:?}"));
        }
    }
    assert!(written * 2 > tried, "{written} checkpoints in {tried} steps");
    assert!(shorter > 0);
    assert!(failures.is_empty(), "{} failed:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn a_damaged_checkpoint_is_no_checkpoint() {
    let mut engine = engine();
    let id = engine.connect(STARTED_AT_MS);
    engine.receive(id, b"SET k v\r\nSUBSCRIBE c\r\n", STARTED_AT_MS);
    engine.take_output(id);
    assert!(engine.checkpoint());
    let whole = engine.journal().expect("it keeps one").bytes().to_vec();
    let first = Engine::replay(&Journal::from_bytes(&whole).expect("it is whole"));
    assert_eq!(first.server().keyspace.len(), 1);
    for at in 0..whole.len() {
        for changed in [0, 0xff, whole[at] ^ 1] {
            let mut wrong = whole.clone();
            wrong[at] = changed;
            if let Some(journal) = Journal::from_bytes(&wrong).filter(|_| !(16..24).contains(&at)) {
                Engine::replay(&journal);
            }
        }
    }
}

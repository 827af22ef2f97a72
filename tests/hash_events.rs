//! What hashes tell the world: keyspace events, events that name fields, and the stream of effects.

use resplay::cli::transcript;
use resplay::engine::Engine;
use resplay::playback::{Playback, SEED, STARTED_AT_MS};
use resplay::server::notify::Class;

/// Plays a transcript on an instance that notifies of `classes` and checks its output; returns the stream of effects,
/// one request a line.
fn play(classes: &str, text: &str) -> String {
    let mut engine = Engine::new(SEED, STARTED_AT_MS);
    engine.server_mut().config.notify = Class::parse(classes.as_bytes()).expect("letters of the setting");
    engine.server_mut().propagation.set_on(true);
    let mut playback = Playback::new(engine, false);
    let steps = transcript::parse(text).expect("a transcript");
    let played = transcript::print(&playback.play(&steps));
    assert_eq!(played, text, "played:\n{played}");
    requests(&playback.engine().server_mut().propagation.take())
}

fn requests(stream: &[u8]) -> String {
    let text = String::from_utf8_lossy(stream);
    let mut lines = String::new();
    for line in text.split("\r\n").filter(|line| !line.is_empty()) {
        match line.as_bytes()[0] {
            b'*' => lines.push('\n'),
            b'$' => {}
            _ => lines.extend([line, " "]),
        }
    }
    lines.replace(" \n", "\n").trim().to_owned()
}

#[test]
fn commands_tell_their_events() {
    let stream = play("Eghx", include_str!("fixtures/hash_events.txt"));
    assert_eq!(stream, include_str!("fixtures/hash_stream.txt").trim());
}

#[test]
fn fields_are_named() {
    play("STIVh", include_str!("fixtures/hash_fields.txt"));
}

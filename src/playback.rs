//! Plays transcripts on an engine of their own, in virtual time: the test suite, lessons, share links and doctests are
//! all this. The same transcript gives the same output everywhere.

use std::collections::BTreeMap;

use crate::cli::format::{self, Style};
use crate::cli::habits;
use crate::cli::split::{self, Repeat};
use crate::cli::transcript::{Step, What};
use crate::engine::{ClientId, Engine};
use crate::resp::Request;
use crate::resp::reply::{Decoder, Reply};

/// When every transcript begins: 2023-11-14 22:13:20 UTC.
pub const STARTED_AT_MS: u64 = 1_700_000_000_000;
pub const SEED: u64 = 1;
/// Slices of a script that run before the next step.
const SLICES_AT_ONCE: u32 = 8;
/// A repeat prefix in a transcript may ask for so many runs.
const REPEATS_MAX: u64 = 1_000_000;

struct Player {
    id: ClientId,
    decoder: Decoder,
}

/// A run in progress.
pub struct Playback {
    engine: Engine,
    now_ms: u64,
    players: BTreeMap<String, Player>,
    is_resp3: bool,
    /// Every byte each client was sent, by the serial of the client.
    sent: BTreeMap<u64, Vec<u8>>,
    /// Every reply and push in the order of their arrival, with what asked for it.
    replies: Vec<(String, Reply)>,
}

impl Playback {
    /// Plays on an engine that is new, or has been set up by the caller. With `is_resp3`, clients say HELLO 3 first.
    pub fn new(mut engine: Engine, is_resp3: bool) -> Self {
        engine.allow_debug();
        Playback {
            engine,
            now_ms: STARTED_AT_MS,
            players: BTreeMap::new(),
            is_resp3,
            sent: BTreeMap::new(),
            replies: Vec::new(),
        }
    }

    /// Plays all steps; the same steps with the output as it really was.
    pub fn play(&mut self, steps: &[Step]) -> Vec<Step> {
        let mut played = Vec::with_capacity(steps.len());
        for step in steps {
            match &step.what {
                What::Received { .. } => continue,
                What::Blank | What::Comment(_) => played.push(step.clone()),
                What::Clock { ms } => {
                    played.push(step.clone());
                    self.pass(*ms);
                }
                What::Directive { name, arguments } => {
                    played.push(step.clone());
                    self.directive(name, arguments);
                }
                What::Command { client, prompt, text, .. } => {
                    let output = self.command(client, text);
                    let (client, prompt, text) = (client.clone(), prompt.clone(), text.clone());
                    let what = What::Command { client, prompt, text, output };
                    played.push(Step { line: step.line, what });
                }
            }
            self.receive_others(step.line, &mut played);
        }
        played
    }

    pub fn engine(&mut self) -> &mut Engine {
        &mut self.engine
    }

    pub fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// Every byte sent to each client, by its serial.
    pub fn sent(&self) -> &BTreeMap<u64, Vec<u8>> {
        &self.sent
    }

    /// Every reply and push with the command line that brought it.
    pub fn replies(&self) -> &[(String, Reply)] {
        &self.replies
    }

    /// Lets time pass, stopping at every deadline on the way as a host would.
    fn pass(&mut self, ms: u64) {
        let until_ms = self.now_ms.saturating_add(ms);
        while let Some(deadline_ms) = self.engine.next_deadline().filter(|&at| at <= until_ms) {
            self.now_ms = self.now_ms.max(deadline_ms) + 1;
            self.engine.tick(self.now_ms);
        }
        self.now_ms = self.now_ms.max(until_ms);
        self.engine.tick(self.now_ms);
    }

    /// `@ resp 2|3` changes what clients that connect from here on speak; other directives are for those who run the
    /// transcript.
    fn directive(&mut self, name: &str, arguments: &str) {
        if name == "resp" {
            self.is_resp3 = arguments == "3";
        }
    }

    fn player(&mut self, client: &str) -> ClientId {
        if let Some(player) = self.players.get(client) {
            return player.id;
        }
        let id = self.engine.connect(self.now_ms);
        if self.is_resp3 {
            self.engine.receive(id, b"HELLO 3\r\n", self.now_ms);
            let greeting = self.engine.take_output(id);
            self.sent.entry(id.serial).or_default().extend_from_slice(&greeting);
        }
        self.players.insert(client.to_owned(), Player { id, decoder: Decoder::new() });
        id
    }

    fn command(&mut self, client: &str, text: &str) -> Vec<String> {
        let id = self.player(client);
        if split::is_comment(text.as_bytes()) {
            return Vec::new();
        }
        let Ok(words) = split::split(text.as_bytes()) else { return vec!["Invalid argument(s)".to_owned()] };
        let (times, words) = match split::repeat_prefix(&words) {
            Repeat::Times(times) => (times.min(REPEATS_MAX), &words[1..]),
            _ => (1, &words[..]),
        };
        if words.is_empty() {
            return Vec::new();
        }
        let mut bytes = Vec::new();
        Request::of(words).encode(&mut bytes);
        for _ in 0..times {
            self.engine.receive(id, &bytes, self.now_ms);
            self.go_on_with_script();
        }
        while self.engine.next_event().is_some() {}
        self.output_of(client, text)
    }

    /// A script that takes a little longer ends without a step that lets time pass.
    fn go_on_with_script(&mut self) {
        for _ in 0..SLICES_AT_ONCE {
            if self.engine.server().scripting.running.is_none() {
                break;
            }
            self.engine.tick(self.now_ms);
        }
    }

    /// What a client has been sent since it was last asked, as redis-cli prints it.
    fn output_of(&mut self, client: &str, asked_by: &str) -> Vec<String> {
        let Some(player) = self.players.get_mut(client) else { return Vec::new() };
        let bytes = self.engine.take_output(player.id);
        self.sent.entry(player.id.serial).or_default().extend_from_slice(&bytes);
        player.decoder.feed(&bytes);
        let mut text = Vec::new();
        while let Ok(Some(reply)) = player.decoder.next_reply() {
            let words = split::split(asked_by.as_bytes()).unwrap_or_default();
            let verbatim = habits::prints_verbatim(&words);
            text.extend(format::text(&reply, &Style { verbatim, ..Style::default() }));
            self.replies.push((asked_by.to_owned(), reply));
        }
        String::from_utf8_lossy(&text).lines().map(str::to_owned).collect()
    }

    fn receive_others(&mut self, line: usize, played: &mut Vec<Step>) {
        let names: Vec<String> = self.players.keys().cloned().collect();
        for client in names {
            let output = self.output_of(&client, "");
            if !output.is_empty() {
                played.push(Step { line, what: What::Received { client, output } });
            }
        }
    }
}

//! A moment of a session, played again beside it: the keyspace as it was before and after one input, and what that input did.
//! It only ever plays on. A host that can put its own memory back has all earlier moments, and every one exactly as it was.

use super::Part;
use super::step::Deed;
use crate::command::observe;
use crate::engine::Engine;
use crate::engine::journal::{Input, Inputs, Journal};
use crate::resp::Protocol;
use crate::server::Server;

/// An engine that follows a journal, and keeps none.
struct Player {
    engine: Engine,
    /// The time of the last input.
    now_ms: u64,
    played: usize,
}

impl Player {
    fn new(seed: u64, now_ms: u64) -> Player {
        let mut engine = Engine::new(seed, now_ms);
        engine.server_mut().has_journal = true;
        engine.allow_debug();
        Player { engine, now_ms, played: 0 }
    }

    /// Answers what clients were sent, by serial.
    fn play(&mut self, seed: u64, input: Input) -> Vec<(u64, Vec<u8>)> {
        self.now_ms = input.now_ms();
        self.played += 1;
        if matches!(input, Input::Restore { .. }) {
            // It takes the place of everything, and only an engine with a journal knows its seed.
            self.engine = Engine::with_journal(seed, self.engine.server().started_at_ms);
            self.engine.apply(input);
            self.engine.journal = None;
        } else {
            self.engine.apply(input);
        }
        let mut output = Vec::new();
        while let Some(id) = self.engine.next_with_output() {
            output.push((id.serial, self.engine.take_output(id)));
        }
        while self.engine.next_event().is_some() {}
        output
    }
}

pub struct Past {
    seed: u64,
    before: Player,
    after: Player,
    deed: Deed,
}

impl Past {
    /// Before the first input.
    pub fn new(seed: u64, started_at_ms: u64) -> Past {
        let player = || Player::new(seed, started_at_ms);
        Past { seed, before: player(), after: player(), deed: Deed::default() }
    }

    /// The moment after `moment` inputs; at most the last.
    pub fn of(journal: &Journal, moment: usize) -> Past {
        let mut past = Past::new(journal.seed(), journal.started_at_ms());
        let mut inputs = journal.inputs();
        inputs.by_ref().take(moment).for_each(drop);
        past.play(inputs.played());
        past
    }

    /// How many inputs have been played before the one of this moment: [`Past::play`] goes on behind them.
    pub fn played(&self) -> usize {
        self.before.played
    }

    /// Goes on to the moment after the last of `inputs`: a journal's bytes from the input of this moment on.
    pub fn play(&mut self, inputs: &[u8]) {
        let mut inputs = Inputs::of(inputs, self.before.now_ms);
        let Some(mut last) = inputs.next() else { return };
        // The first is the one of this moment, which the engine after it has played.
        let mut is_played = self.after.played > self.before.played;
        for input in inputs {
            let input = std::mem::replace(&mut last, input);
            if !is_played {
                self.after.play(self.seed, input.clone());
            }
            is_played = false;
            self.after.engine.server_mut().witness = None;
            self.before.play(self.seed, input);
        }
        if is_played {
            return;
        }
        observe::watch(self.after.engine.server_mut(), true);
        self.after.engine.server_mut().propagation.set_on(true);
        let output = self.after.play(self.seed, last.clone());
        let propagated = self.after.engine.server_mut().propagation.take();
        self.deed = Deed { input: Some(last), output, propagated };
        self.after.engine.server_mut().propagation.set_on(false);
    }

    pub fn moment(&self) -> usize {
        self.after.played
    }

    /// The server as it was after the input.
    pub fn server(&self) -> &Server {
        self.after.engine.server()
    }

    /// What the input of this moment did: the request, the commands, the keys before and after, the replies.
    pub fn step(&self) -> Part {
        super::step::step(self.after.played, &self.deed, self.before.engine.server(), &self.after.engine)
    }

    /// The bytes that the client would have been sent in the other protocol. The moment before is no more afterwards.
    pub fn reply_as(&mut self, protocol: Protocol) -> Vec<u8> {
        let Some(Input::Receive { client, bytes, now_ms }) = &self.deed.input else { return Vec::new() };
        let engine = &mut self.before.engine;
        let Some(id) = engine.server().clients.by_serial(*client) else { return Vec::new() };
        if let Some(client) = engine.server_mut().clients.get_mut(id) {
            client.reply.set_protocol(protocol);
        }
        engine.receive(id, bytes, *now_ms);
        engine.take_output(id)
    }
}

//! A moment of a session, played again beside it: the keyspace as it was before and after one input, and what that input did.

use super::Part;
use super::step::Deed;
use crate::command::observe;
use crate::engine::Engine;
use crate::engine::journal::{Cursor, Input, Journal};
use crate::resp::Protocol;
use crate::server::Server;

/// An engine that follows a journal.
struct Player {
    engine: Engine,
    cursor: Cursor,
    played: usize,
}

impl Player {
    fn new(journal: &Journal) -> Player {
        let mut engine = Engine::new(journal.seed(), journal.started_at_ms());
        engine.server_mut().has_journal = true;
        engine.allow_debug();
        Player { engine, cursor: journal.start(), played: 0 }
    }

    /// The next input, if there is one.
    fn next(&mut self, journal: &Journal) -> Option<Input> {
        let mut inputs = journal.inputs_from(self.cursor);
        let input = inputs.next()?;
        self.cursor = inputs.cursor();
        self.played += 1;
        Some(input)
    }

    fn play_until(&mut self, journal: &Journal, moment: usize) {
        while self.played < moment
            && let Some(input) = self.next(journal)
        {
            self.engine.apply(input);
            self.take_output();
        }
    }

    /// What clients were sent, by serial.
    fn take_output(&mut self) -> Vec<(u64, Vec<u8>)> {
        let mut output = Vec::new();
        while let Some(id) = self.engine.next_with_output() {
            output.push((id.serial, self.engine.take_output(id)));
        }
        while self.engine.next_event().is_some() {}
        output
    }
}

pub struct Past {
    before: Player,
    after: Player,
    deed: Deed,
}

impl Past {
    /// The moment after `moment` inputs; at most the last.
    pub fn new(journal: &Journal, moment: usize) -> Past {
        let mut past =
            Past { before: Player::new(journal), after: Player::new(journal), deed: Deed::default() };
        past.seek(journal, moment);
        past
    }

    /// Goes to another moment of the same session: on from here where that is possible, else from its start.
    pub fn seek(&mut self, journal: &Journal, moment: usize) {
        let moment = moment.min(journal.len());
        if moment == self.after.played {
            return;
        }
        if moment < self.after.played {
            // Players that are behind their journal by less than it is long only play on.
            self.after = Player::new(journal);
            if moment <= self.before.played {
                self.before = Player::new(journal);
            }
        }
        let last = moment.saturating_sub(1);
        self.before.play_until(journal, last);
        self.after.engine.server_mut().witness = None;
        self.after.play_until(journal, last);
        self.deed = Deed::default();
        let Some(input) = self.after.next(journal) else { return };
        observe::watch(self.after.engine.server_mut(), true);
        self.after.engine.server_mut().propagation.set_on(true);
        self.after.engine.apply(input.clone());
        self.deed = Deed {
            input: Some(input),
            output: self.after.take_output(),
            propagated: self.after.engine.server_mut().propagation.take(),
        };
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

    /// The bytes that the client would have been sent in the other protocol.
    pub fn reply_as(&self, journal: &Journal, protocol: Protocol) -> Vec<u8> {
        let mut player = Player::new(journal);
        player.play_until(journal, self.after.played.saturating_sub(1));
        let Some(Input::Receive { client, bytes, now_ms }) = player.next(journal) else { return Vec::new() };
        let Some(id) = player.engine.server().clients.by_serial(client) else { return Vec::new() };
        if let Some(client) = player.engine.server_mut().clients.get_mut(id) {
            client.reply.set_protocol(protocol);
        }
        player.engine.receive(id, &bytes, now_ms);
        player.engine.take_output(id)
    }
}

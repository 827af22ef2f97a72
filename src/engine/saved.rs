//! What hosts with storage ask of the engine: a snapshot of the keys, and to start from one.

use crate::command::ctx::Origin;
use crate::resp::{Protocol, ReplyWriter, Request};
use crate::server::client::Flags;
use crate::server::snapshot::{Loaded, Present};

use super::Engine;
use super::journal::Input;
use crate::command::call;
use crate::command::play::{self, Played};
use crate::server::persistence::AofPart;

impl Engine {
    /// All keys and libraries of functions as an RDB file.
    pub fn snapshot(&mut self) -> Vec<u8> {
        self.server.snapshot(false)
    }

    /// Takes the place of all keys and libraries of functions by those of an RDB file; on an error nothing changes.
    pub fn load(&mut self, bytes: &[u8], now_ms: u64) -> Result<(), String> {
        self.write_down(|| Input::Load { bytes: bytes.to_vec(), now_ms });
        self.set_now(now_ms);
        let loaded = self.server.load(bytes, Present::Replaced);
        if let Ok(loaded) = &loaded {
            self.load_functions(loaded)?;
            self.server.nothing_to_save();
        }
        self.settle();
        loaded.map(|_| ())
    }

    /// Takes the place of all keys by what an append-only file says. Not for engines with a journal.
    pub fn load_aof(&mut self, parts: &[AofPart], now_ms: u64) -> Result<Played, String> {
        self.set_now(now_ms);
        let played = play::load_aof(&mut self.server, self.registry, parts);
        self.settle();
        played
    }

    /// The bytes of a new base for the append-only file. What has been propagated before is in it.
    pub fn aof_base(&mut self, is_rdb: bool) -> Vec<u8> {
        if is_rdb { self.server.snapshot(true) } else { self.server.snapshot_as_commands() }
    }

    /// Libraries that cannot be compiled are an error, as in Redis.
    pub(super) fn load_functions(&mut self, loaded: &Loaded) -> Result<(), String> {
        let Some(request) = &loaded.functions else { return Ok(()) };
        let reply = self.run_alone(request);
        match reply.strip_prefix(b"-") {
            None => Ok(()),
            Some(error) => {
                Err(format!("the libraries of functions: {}", String::from_utf8_lossy(error.trim_ascii())))
            }
        }
    }

    /// Runs a command for nobody.
    pub(super) fn run_alone(&mut self, request: &Request) -> Vec<u8> {
        let id = self.server.clients.add(self.server.now_ms);
        if let Some(client) = self.server.clients.get_mut(id) {
            client.flags.remove(Flags::NEEDS_AUTH);
        }
        let mut reply = ReplyWriter::new(Protocol::Resp2);
        let (server, registry) = (&mut self.server, self.registry);
        call::dispatch(server, registry, id, &request.bytes, &request.spans, &mut reply, Origin::Stream);
        self.server.forget(id);
        reply.bytes().to_vec()
    }
}

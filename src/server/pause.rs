//! CLIENT PAUSE: commands are held back until a time comes.

use super::Server;
use super::blocked::{Blocked, OnTimeout};
use super::client::Flags;
use super::clients::ClientId;
use crate::resp::Request;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    pub until_ms: u64,
    /// Only what may change or publish something is held back.
    pub writes_only: bool,
}

impl Server {
    /// A pause never becomes shorter or milder by another one.
    pub fn pause(&mut self, until_ms: u64, writes_only: bool) {
        let old = self.pause.filter(|old| old.until_ms > self.now_ms);
        self.pause = Some(match old {
            None => Pause { until_ms, writes_only },
            Some(old) => {
                Pause { until_ms: old.until_ms.max(until_ms), writes_only: old.writes_only && writes_only }
            }
        });
    }

    /// The pause in force.
    pub fn current_pause(&self) -> Option<Pause> {
        self.pause.filter(|pause| pause.until_ms > self.now_ms)
    }

    /// Puts a client's request aside.
    pub fn postpone(&mut self, id: ClientId, request: Request) {
        let Some(client) = self.clients.get_mut(id) else { return };
        client.flags.add(Flags::BLOCKED);
        client.flags.add(Flags::POSTPONED);
        client.blocked = Some(Box::new(Blocked {
            request,
            db: client.db,
            keys: Vec::new(),
            wakes_on_delete: false,
            deadline_ms: None,
            since_ms: self.now_ms,
            on_timeout: OnTimeout::RunAgain,
            order: self.waiting.next_order(),
        }));
        self.postponed.push_back(id);
    }

    /// A request that waited for the end of a pause that is over now.
    pub fn next_postponed(&mut self) -> Option<(ClientId, Request)> {
        let is_held = self.current_pause().is_some() || (self.scripting.running.is_some() && !self.is_busy());
        if self.postponed.is_empty() || is_held {
            return None;
        }
        while let Some(id) = self.postponed.pop_front() {
            let Some(client) = self.clients.get_mut(id).filter(|c| c.flags.has(Flags::POSTPONED)) else {
                continue;
            };
            client.flags.remove(Flags::POSTPONED);
            let Some(blocked) = &mut client.blocked else { continue };
            let request = std::mem::take(&mut blocked.request);
            self.unblock(id);
            return Some((id, request));
        }
        None
    }

    /// When clients that are held back may go on.
    pub fn pause_deadline(&self) -> Option<u64> {
        if self.postponed.is_empty() { None } else { self.pause.map(|pause| pause.until_ms) }
    }
}

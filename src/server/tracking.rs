//! Client-side caching: which client has read which key, and who is told when it changes. Knows no commands.

use std::collections::{BTreeMap, BTreeSet};

use crate::resp::ReplyWriter;

use super::Server;
use super::client::Flags;
use super::clients::ClientId;

/// How a client is tracked: CLIENT TRACKING ON and its options.
#[derive(Clone, Debug, Default)]
pub struct Mode {
    /// The serial of the client that gets the messages instead.
    pub redirect: Option<u64>,
    pub broadcast: bool,
    pub opt_in: bool,
    pub opt_out: bool,
    pub no_loop: bool,
    /// CLIENT CACHING was said: the next command is an exception.
    pub caching: bool,
    /// The client that should get the messages is gone.
    pub is_broken: bool,
    pub prefixes: BTreeSet<Box<[u8]>>,
}

/// Those who want to hear of all keys that begin alike.
#[derive(Default)]
struct Broadcast {
    clients: BTreeSet<ClientId>,
    /// Changed since the last message, with the client that changed them last.
    changed: BTreeMap<Box<[u8]>, Option<ClientId>>,
}

/// Keys read and prefixes asked for. Names of databases play no part in it.
#[derive(Default)]
pub struct Tracking {
    readers: BTreeMap<Box<[u8]>, BTreeSet<ClientId>>,
    items: usize,
    prefixes: BTreeMap<Box<[u8]>, Broadcast>,
    clients: BTreeSet<ClientId>,
}

impl Tracking {
    pub fn is_idle(&self) -> bool {
        self.clients.is_empty()
    }

    /// Clients that are tracked.
    pub fn clients(&self) -> usize {
        self.clients.len()
    }

    /// Keys that somebody may have in a cache.
    pub fn keys(&self) -> usize {
        self.readers.len()
    }

    /// Pairs of a key and a client.
    pub fn items(&self) -> usize {
        self.items
    }

    pub fn prefixes(&self) -> usize {
        self.prefixes.len()
    }
}

impl Server {
    pub fn start_tracking(&mut self, id: ClientId, mut mode: Mode) {
        let Some(client) = self.clients.get_mut(id) else { return };
        if let Some(old) = client.tracking.take() {
            mode.prefixes.extend(old.prefixes.iter().cloned());
        }
        if mode.broadcast {
            if mode.prefixes.is_empty() {
                mode.prefixes.insert(Box::default());
            }
            for prefix in &mode.prefixes {
                self.tracking.prefixes.entry(prefix.clone()).or_default().clients.insert(id);
            }
        }
        client.flags.add(Flags::TRACKING);
        client.tracking = Some(Box::new(mode));
        self.tracking.clients.insert(id);
    }

    pub fn stop_tracking(&mut self, id: ClientId) {
        let Some(client) = self.clients.get_mut(id) else { return };
        client.flags.remove(Flags::TRACKING);
        let Some(mode) = client.tracking.take() else { return };
        for prefix in &mode.prefixes {
            if let Some(broadcast) = self.tracking.prefixes.get_mut(prefix) {
                broadcast.clients.remove(&id);
                if broadcast.clients.is_empty() {
                    self.tracking.prefixes.remove(prefix);
                }
            }
        }
        self.tracking.clients.remove(&id);
        if self.tracking.clients.is_empty() {
            self.tracking.readers.clear();
            self.tracking.items = 0;
        }
    }

    /// Remembers that a client has read these keys.
    pub fn track_reads<'a>(&mut self, id: ClientId, keys: impl Iterator<Item = &'a [u8]>) {
        let Some(mode) = self.clients.get(id).and_then(|client| client.tracking.as_ref()) else { return };
        if mode.broadcast || (mode.opt_in && !mode.caching) || (mode.opt_out && mode.caching) {
            return;
        }
        for key in keys {
            let is_new = match self.tracking.readers.get_mut(key) {
                Some(readers) => readers.insert(id),
                None => self.tracking.readers.insert(key.into(), BTreeSet::from([id])).is_none(),
            };
            self.tracking.items += usize::from(is_new);
        }
        self.limit_tracked_keys();
    }

    /// Above `tracking-table-max-keys` some keys are forgotten, which their readers are told.
    pub(super) fn limit_tracked_keys(&mut self) {
        let max = self.config.tracking_table_max_keys;
        // It is nobody's doing: whoever wants no echo is told as well.
        let current = self.current.take();
        while max > 0 && self.tracking.readers.len() as u64 > max {
            let Some((key, readers)) = self.tracking.readers.pop_first() else { break };
            self.tell_readers(&key, &readers);
        }
        self.current = current;
    }

    /// A key has changed: those who have it in their cache are told.
    pub fn invalidate(&mut self, key: &[u8]) {
        if self.tracking.is_idle() {
            return;
        }
        for (prefix, broadcast) in &mut self.tracking.prefixes {
            if key.starts_with(prefix) {
                broadcast.changed.insert(key.into(), self.current);
            }
        }
        if let Some(readers) = self.tracking.readers.remove(key) {
            self.tell_readers(key, &readers);
        }
    }

    fn tell_readers(&mut self, key: &[u8], readers: &BTreeSet<ClientId>) {
        self.tracking.items -= readers.len();
        for &id in readers {
            let mode = self.clients.get(id).and_then(|client| client.tracking.as_ref());
            let is_echo = |no_loop: bool| no_loop && self.current == Some(id);
            let listens = mode.is_some_and(|mode| !(mode.broadcast || is_echo(mode.no_loop)));
            if listens {
                self.tell_invalid(id, &|reply| {
                    reply.array(1);
                    reply.bulk(key);
                });
            }
        }
    }

    /// Sends what has gathered for those who listen to prefixes: one message for all keys.
    pub fn broadcast_invalidations(&mut self) {
        let mut messages: Vec<(ClientId, Vec<Box<[u8]>>)> = Vec::new();
        for broadcast in self.tracking.prefixes.values_mut() {
            let changed = std::mem::take(&mut broadcast.changed);
            for &id in broadcast.clients.iter().filter(|_| !changed.is_empty()) {
                let mode = self.clients.get(id).and_then(|client| client.tracking.as_ref());
                let no_loop = mode.is_some_and(|mode| mode.no_loop);
                let keys: Vec<_> = changed
                    .iter()
                    .filter(|(_, author)| !(no_loop && **author == Some(id)))
                    .map(|(key, _)| key.clone())
                    .collect();
                if !keys.is_empty() {
                    messages.push((id, keys));
                }
            }
        }
        for (id, keys) in messages {
            self.tell_invalid(id, &|reply| {
                reply.array(keys.len());
                for key in &keys {
                    reply.bulk(key);
                }
            });
        }
    }

    /// A database was emptied: every cache is void.
    pub fn invalidate_all(&mut self) {
        if self.tracking.is_idle() {
            return;
        }
        self.tracking.readers.clear();
        self.tracking.items = 0;
        for id in self.tracking.clients.clone() {
            self.tell_invalid(id, &ReplyWriter::null);
        }
    }

    /// A push for a client that speaks RESP3, a message of a channel for one that gets redirected messages in RESP2.
    fn tell_invalid(&mut self, id: ClientId, keys: &dyn Fn(&mut ReplyWriter)) {
        let Some(client) = self.clients.get(id) else { return };
        let redirect = client.tracking.as_ref().and_then(|mode| mode.redirect);
        let target = match redirect {
            None => Some(id),
            Some(serial) => self.clients.by_serial(serial).filter(|&target| self.is_open(target)),
        };
        let Some(target) = target else {
            return self.tell_broken_redirection(id, redirect.unwrap_or_default());
        };
        let Some(client) = self.clients.get(target) else { return };
        let (is_resp3, is_subscribed) = (client.reply.is_resp3(), client.flags.has(Flags::SUBSCRIBED));
        if is_resp3 {
            self.write_to(target, |reply| {
                reply.push(2);
                reply.bulk(b"invalidate");
                keys(reply);
            });
        } else if redirect.is_some() && is_subscribed {
            self.write_to(target, |reply| {
                reply.push(3);
                reply.bulk(b"message");
                reply.bulk(b"__redis__:invalidate");
                keys(reply);
            });
        }
    }

    fn tell_broken_redirection(&mut self, id: ClientId, serial: u64) {
        let Some(client) = self.clients.get_mut(id) else { return };
        if let Some(mode) = &mut client.tracking {
            mode.is_broken = true;
        }
        if client.reply.is_resp3() {
            self.write_to(id, |reply| {
                reply.push(2);
                reply.bulk(b"tracking-redir-broken");
                reply.integer(serial as i64);
            });
        }
    }

    /// Whether a client is there and not about to be closed by another.
    pub fn is_open(&self, id: ClientId) -> bool {
        self.clients.get(id).is_some_and(|client| !client.flags.has(Flags::CLOSE_ASAP))
    }
}

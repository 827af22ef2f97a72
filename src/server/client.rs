//! One session: protocol, database, MULTI queue, watches, subscriptions, buffers.

use std::collections::{BTreeMap, BTreeSet};

use crate::resp::{Protocol, ReplyWriter, Request, RequestParser};

use super::blocked::Blocked;
use super::clients::ClientId;

/// States of a client that make a command more than parse, run, reply. One test of `is_plain` keeps them off the hot
/// path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(u32);

impl Flags {
    pub const MULTI: Flags = Flags(1);
    pub const DIRTY_CAS: Flags = Flags(1 << 1);
    pub const DIRTY_EXEC: Flags = Flags(1 << 2);
    pub const MONITOR: Flags = Flags(1 << 3);
    pub const BLOCKED: Flags = Flags(1 << 4);
    pub const CLOSE_AFTER_REPLY: Flags = Flags(1 << 5);
    pub const REPLY_OFF: Flags = Flags(1 << 6);
    pub const REPLY_SKIP_NEXT: Flags = Flags(1 << 7);
    pub const REPLY_SKIP: Flags = Flags(1 << 8);
    pub const NO_EVICT: Flags = Flags(1 << 9);
    pub const NO_TOUCH: Flags = Flags(1 << 10);
    pub const NEEDS_AUTH: Flags = Flags(1 << 11);
    pub const SUBSCRIBED: Flags = Flags(1 << 12);
    pub const TRACKING: Flags = Flags(1 << 13);
    pub const REPLICA: Flags = Flags(1 << 14);
    pub const MASTER: Flags = Flags(1 << 15);
    pub const READONLY: Flags = Flags(1 << 16);
    pub const ASKING: Flags = Flags(1 << 17);
    pub const RUNNING: Flags = Flags(1 << 18);
    pub const ACL_LIMITED: Flags = Flags(1 << 19);
    pub const INTERNAL: Flags = Flags(1 << 20);
    /// Closed by another client: gone for everyone who looks.
    pub const CLOSE_ASAP: Flags = Flags(1 << 21);
    /// Waits for the end of a pause.
    pub const POSTPONED: Flags = Flags(1 << 22);

    /// Flags without which a command needs no check of the client's state.
    const ATTENTION: u32 = Self::MULTI.0
        | Self::BLOCKED.0
        | Self::CLOSE_AFTER_REPLY.0
        | Self::REPLY_OFF.0
        | Self::REPLY_SKIP_NEXT.0
        | Self::REPLY_SKIP.0
        | Self::NEEDS_AUTH.0
        | Self::SUBSCRIBED.0
        | Self::TRACKING.0
        | Self::REPLICA.0
        | Self::MASTER.0
        | Self::ACL_LIMITED.0;

    pub fn bits(self) -> u32 {
        self.0
    }

    pub fn of_bits(bits: u32) -> Flags {
        Flags(bits)
    }

    pub fn has(self, flag: Flags) -> bool {
        self.0 & flag.0 != 0
    }

    pub fn add(&mut self, flag: Flags) {
        self.0 |= flag.0;
    }

    pub fn remove(&mut self, flag: Flags) {
        self.0 &= !flag.0;
    }

    pub fn set(&mut self, flag: Flags, on: bool) {
        if on { self.add(flag) } else { self.remove(flag) }
    }

    pub fn is_plain(self) -> bool {
        self.0 & Self::ATTENTION == 0
    }
}

/// What CLIENT SETNAME, HELLO and CLIENT SETINFO told.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    pub name: Vec<u8>,
    pub library_name: Vec<u8>,
    pub library_version: Vec<u8>,
}

/// Fields named by HIMPORT PREPARE.
pub struct Fieldset {
    fields: Vec<(usize, Box<[u8]>)>,
}

impl Fieldset {
    /// In the order in which a hash holds them, each with the place of its value.
    pub fn new(fields: Vec<(usize, Box<[u8]>)>) -> Self {
        Fieldset { fields }
    }

    pub fn fields(&self) -> &[(usize, Box<[u8]>)] {
        &self.fields
    }

    pub fn heap_bytes(&self) -> usize {
        self.fields.iter().map(|(_, field)| field.len() + size_of::<(usize, Box<[u8]>)>()).sum()
    }
}

pub struct Client {
    pub id: ClientId,
    pub flags: Flags,
    pub db: usize,
    pub identity: Identity,
    /// `ip:port` of the peer, as the host told at connect.
    pub address: String,
    pub local_address: String,
    pub user: Vec<u8>,
    pub connected_at_ms: u64,
    pub active_at_ms: u64,
    /// The last command's full name, for CLIENT LIST.
    pub last_command: &'static str,
    pub commands: u64,
    /// How often the host brought bytes.
    pub reads: u64,
    pub input_bytes: u64,
    pub output_bytes: u64,
    /// Output not yet taken by the host. While the client's own command runs, pushes for it collect here and follow the
    /// reply.
    pub reply: ReplyWriter,
    /// Bytes at the front of `reply` that the host has sent already.
    pub sent: usize,
    /// Input that is not yet a whole request, or that waits for a blocked client.
    pub input: Vec<u8>,
    pub parser: RequestParser,
    /// Bytes of input being gone through, the running request's among them.
    pub reading: usize,
    pub queue: Vec<Request>,
    pub queue_bytes: usize,
    /// Databases and keys of WATCH; the flag says whether the key had expired already when it was watched.
    pub watched: Vec<(usize, Box<[u8]>, bool)>,
    pub channels: BTreeSet<Box<[u8]>>,
    pub patterns: BTreeSet<Box<[u8]>>,
    pub shard_channels: BTreeSet<Box<[u8]>>,
    pub blocked: Option<Box<Blocked>>,
    pub tracking: Option<Box<super::tracking::Mode>>,
    pub fieldsets: BTreeMap<Box<[u8]>, Fieldset>,
    /// Since when more output waits than the soft limit allows.
    pub over_soft_limit_since_ms: Option<u64>,
    /// What was last counted for it, and whether it may be evicted; only while memory is limited.
    pub counted: Option<(u64, bool)>,
    /// In the list of clients whose output the host has still to see.
    pub is_announced: bool,
}

impl Client {
    pub fn new(id: ClientId, now_ms: u64) -> Self {
        Client {
            id,
            flags: Flags::default(),
            db: 0,
            identity: Identity::default(),
            address: String::new(),
            local_address: String::new(),
            user: b"default".to_vec(),
            connected_at_ms: now_ms,
            active_at_ms: now_ms,
            last_command: "NULL",
            commands: 0,
            reads: 0,
            input_bytes: 0,
            output_bytes: 0,
            reply: ReplyWriter::default(),
            sent: 0,
            input: Vec::new(),
            parser: RequestParser::default(),
            reading: 0,
            queue: Vec::new(),
            queue_bytes: 0,
            watched: Vec::new(),
            channels: BTreeSet::new(),
            patterns: BTreeSet::new(),
            shard_channels: BTreeSet::new(),
            blocked: None,
            tracking: None,
            fieldsets: BTreeMap::new(),
            over_soft_limit_since_ms: None,
            counted: None,
            is_announced: false,
        }
    }

    pub fn protocol(&self) -> Protocol {
        self.reply.protocol()
    }

    pub fn subscriptions(&self) -> usize {
        self.channels.len() + self.patterns.len()
    }

    /// Where invalidation messages go: -1 without tracking, 0 to the client itself.
    pub fn redirection(&self) -> i64 {
        self.tracking.as_ref().map_or(-1, |mode| mode.redirect.unwrap_or(0) as i64)
    }

    /// Whether CLIENT UNBLOCK may end its wait.
    pub fn may_be_unblocked(&self) -> bool {
        self.blocked.is_some() && !self.flags.has(Flags::POSTPONED)
    }

    /// An estimate of all that the client takes, its unsent output aside; the same on every machine.
    pub fn memory_bytes(&self) -> usize {
        const STATE_BYTES: usize = 640;
        const WATCHED_BYTES: usize = 72;
        const NAME_BYTES: usize = 72;
        let watched: usize = self.watched.iter().map(|(_, key, _)| key.len() + WATCHED_BYTES).sum();
        let prefixes = self.tracking.as_ref().map_or(0, |mode| mode.prefixes.len());
        STATE_BYTES
            + self.input.len()
            + self.queue_bytes
            + self.identity.name.len()
            + watched
            + (self.subscriptions() + self.shard_channels.len() + prefixes) * NAME_BYTES
    }

    /// Leaves MULTI: forgets the queue and its errors, not the watches.
    pub fn discard_queue(&mut self) {
        self.queue = Vec::new();
        self.queue_bytes = 0;
        self.flags.remove(Flags::MULTI);
        self.flags.remove(Flags::DIRTY_CAS);
        self.flags.remove(Flags::DIRTY_EXEC);
    }
}

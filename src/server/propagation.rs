//! The stream of effects: what an AOF and a replica are fed. Off until somebody reads it.

use crate::resp::request::encode_request;

#[derive(Default)]
pub struct Propagation {
    is_on: bool,
    bytes: Vec<u8>,
    selected: Option<usize>,
    /// Nothing is added: a script wants its effects to stay here.
    pub is_muted: bool,
    /// Effects wait for the end of a script that is paused.
    pub is_held: bool,
    /// Effects of the command or transaction that is running: database and encoded request.
    pending: Vec<(usize, Vec<u8>)>,
}

impl Propagation {
    pub fn is_on(&self) -> bool {
        self.is_on
    }

    pub fn set_on(&mut self, on: bool) {
        self.is_on = on;
        self.selected = None;
    }

    /// Adds one effect of what is running now.
    pub fn add<'a>(&mut self, db: usize, arguments: impl ExactSizeIterator<Item = &'a [u8]>) {
        if self.is_on && !self.is_muted {
            let mut bytes = Vec::new();
            encode_request(arguments, &mut bytes);
            self.pending.push((db, bytes));
        }
    }

    /// What ran has ended: its effects go out, several as one transaction.
    pub fn flush(&mut self) {
        if self.pending.is_empty() || self.is_held {
            return;
        }
        let pending = std::mem::take(&mut self.pending);
        let is_transaction = pending.len() > 1;
        for (index, (db, bytes)) in pending.iter().enumerate() {
            if self.selected != Some(*db) {
                let number = db.to_string();
                encode_request([b"SELECT" as &[u8], number.as_bytes()].into_iter(), &mut self.bytes);
                self.selected = Some(*db);
            }
            if is_transaction && index == 0 {
                encode_request([b"MULTI" as &[u8]].into_iter(), &mut self.bytes);
            }
            self.bytes.extend_from_slice(bytes);
        }
        if is_transaction {
            encode_request([b"EXEC" as &[u8]].into_iter(), &mut self.bytes);
        }
    }

    /// The stream since the last call.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }
}

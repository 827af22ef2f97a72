//! The fields of a large hash in a table, and in the order of their expiry as far as they expire.

use std::collections::BTreeSet;

use super::item_of;
use crate::data::packed::Packed;
use crate::data::table::Table;

/// Field, value and expiry in one allocation each; `due` orders the fields that expire.
pub(super) struct Fields {
    pub table: Table<Packed>,
    pub due: BTreeSet<Due>,
    /// Bytes of all fields with their values.
    packed_bytes: usize,
    seed: u64,
}

#[derive(Clone)]
pub(super) struct Due {
    pub at: u64,
    field: Packed,
}

impl Fields {
    pub(super) fn new(seed: u64) -> Self {
        Fields { table: Table::new(seed), due: BTreeSet::new(), packed_bytes: 0, seed }
    }

    pub(super) fn reserve(&mut self, fields: usize) {
        self.table.reserve(fields);
    }

    pub(super) fn set(&mut self, field: &[u8], value: &[u8], keep_expiry: bool) -> bool {
        let (packed, fresh) = self.table.find_or_insert_with(field, || Packed::new(field, None, value));
        if fresh {
            self.packed_bytes += packed.heap_bytes();
            return true;
        }
        let before = packed.heap_bytes();
        if !keep_expiry && let Some(at) = packed.stamp() {
            packed.set_stamp(None);
            self.due.remove(&Due::new(at, field));
        }
        packed.set_payload(value);
        self.packed_bytes = self.packed_bytes - before + packed.heap_bytes();
        false
    }

    /// Takes in a field that is known to be absent.
    pub(super) fn insert_new(&mut self, packed: Packed) {
        self.packed_bytes += packed.heap_bytes();
        self.table.insert_new(packed);
    }

    pub(super) fn set_expiry(&mut self, field: &[u8], expires_at: Option<u64>) -> bool {
        let Some(packed) = self.table.get_mut(field) else { return false };
        if let Some(old) = packed.stamp() {
            self.due.remove(&Due::new(old, field));
        }
        let before = packed.heap_bytes();
        packed.set_stamp(expires_at);
        self.packed_bytes = self.packed_bytes - before + packed.heap_bytes();
        if let Some(at) = expires_at {
            self.due.insert(Due::new(at, field));
        }
        true
    }

    pub(super) fn remove(&mut self, field: &[u8]) -> bool {
        let Some(packed) = self.table.remove(field) else { return false };
        self.packed_bytes -= packed.heap_bytes();
        if let Some(at) = packed.stamp() {
            self.due.remove(&Due { at, field: packed });
        }
        true
    }

    pub(super) fn reap(&mut self, now: u64, limit: usize, each: &mut dyn FnMut(&[u8])) -> usize {
        let mut reaped = 0;
        while reaped < limit
            && self.due.first().is_some_and(|due| due.at <= now)
            && let Some(due) = self.due.pop_first()
        {
            let removed = self.table.remove(due.field.key());
            self.packed_bytes -= removed.map_or(0, |packed| packed.heap_bytes());
            each(due.field.key());
            reaped += 1;
        }
        reaped
    }

    pub(super) fn heap_bytes(&self) -> usize {
        // A B-tree's nodes are about two thirds full.
        const DUE: usize = 24;
        let field = self.due.first().map_or(0, |due| due.field.heap_bytes());
        self.table.heap_bytes() + self.packed_bytes + self.due.len() * (field + DUE)
    }
}

impl Clone for Fields {
    fn clone(&self) -> Self {
        let mut fields =
            Fields { table: Table::new(self.seed), due: self.due.clone(), packed_bytes: 0, seed: self.seed };
        fields.reserve(self.table.len());
        for packed in self.table.iter() {
            fields.insert_new(packed.clone());
        }
        fields
    }
}

impl std::fmt::Debug for Fields {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_list().entries(self.table.iter().map(item_of)).finish()
    }
}

impl Due {
    pub(super) fn new(at: u64, field: &[u8]) -> Self {
        Due { at, field: Packed::new(field, None, &[]) }
    }

    pub(super) fn order(&self) -> (u64, &[u8]) {
        (self.at, self.field.key())
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.order().cmp(&other.order())
    }
}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.order() == other.order()
    }
}

impl Eq for Due {}

//! A hash: fields with values, each with an expiry time of its own if wanted. A listpack of pairs while it is small, a
//! listpack of triples ordered by expiry once a field of a small hash was given one, a table afterwards.
//!
//! This file must not know keys, clients or the clock: `now` comes in. A field lives while `now <= expires_at`; expired
//! fields are counted and iterated until [`Hash::reap`] takes them, so readers who care ask [`Item::is_live`].

use std::collections::BTreeSet;

use crate::data::listpack::{self, Entry, Listpack};
use crate::data::number::Text;
use crate::data::packed::Packed;

mod fields;
mod small;

use fields::{Due, Fields};
use small::{
    NEVER, distinct_fields, expiry_of, put_pair, put_triple, remove_tuple, set_triple_expiry, triples_of,
};

/// The settings a hash's encoding depends on.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// `hash-max-listpack-entries`: more fields become a table.
    pub max_listpack_entries: usize,
    /// `hash-max-listpack-value`: a longer field or value makes a table.
    pub max_listpack_value: usize,
    /// Seed of the table's hash function.
    pub table_seed: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { max_listpack_entries: 512, max_listpack_value: 64, table_seed: 0 }
    }
}

/// A field with what belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item<'a> {
    pub field: Entry<'a>,
    pub value: Entry<'a>,
    pub expires_at: Option<u64>,
}

impl Item<'_> {
    pub fn is_live(&self, now: u64) -> bool {
        self.expires_at.is_none_or(|at| now <= at)
    }
}

/// How a hash is held, for those who save it.
pub enum Raw<'a> {
    /// field, value, field, value, …
    Pairs(&'a Listpack),
    /// field, value, expiry in ms or 0, …; the soonest expiry first, fields without one last.
    Triples(&'a Listpack),
    /// Neither: iterate.
    Table,
}

#[derive(Clone, Debug, Default)]
pub struct Hash {
    repr: Repr,
}

#[derive(Clone, Debug)]
enum Repr {
    Pairs(Listpack),
    Triples(Listpack),
    Table(Box<Fields>),
}

impl Default for Repr {
    fn default() -> Self {
        Repr::Pairs(Listpack::new())
    }
}

impl Hash {
    pub fn new() -> Self {
        Self::default()
    }

    /// A hash from a listpack of pairs, as RDB files hold it. None when fields lack values or come twice. O(n log n).
    pub fn from_pairs(pack: Listpack, limits: Limits) -> Option<Self> {
        let distinct = distinct_fields(&pack, 2)?;
        let mut hash = Hash { repr: Repr::Pairs(pack) };
        hash.outgrow(distinct, limits);
        Some(hash)
    }

    /// A hash from a listpack of triples, as RDB files hold it. None when malformed, out of order or with a field twice.
    /// O(n log n).
    pub fn from_triples(pack: Listpack, limits: Limits) -> Option<Self> {
        let distinct = distinct_fields(&pack, 3)?;
        let mut last = 1;
        for entry in pack.iter().skip(2).step_by(3) {
            let Entry::Int(at) = entry else { return None };
            let rank = if at == NEVER { i64::MAX } else { at };
            if rank < last {
                return None;
            }
            last = rank;
        }
        let mut hash = Hash { repr: Repr::Triples(pack) };
        hash.outgrow(distinct, limits);
        Some(hash)
    }

    pub fn raw(&self) -> Raw<'_> {
        match &self.repr {
            Repr::Pairs(pack) => Raw::Pairs(pack),
            Repr::Triples(pack) => Raw::Triples(pack),
            Repr::Table(_) => Raw::Table,
        }
    }

    /// Number of fields, those expired but not yet reaped included. O(1).
    pub fn len(&self) -> usize {
        match &self.repr {
            Repr::Pairs(pack) => pack.len() / 2,
            Repr::Triples(pack) => pack.len() / 3,
            Repr::Table(fields) => fields.table.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of fields that have not expired. O(1 + expired fields).
    pub fn live_len(&self, now: u64) -> usize {
        let expired = match &self.repr {
            Repr::Pairs(_) => 0,
            Repr::Triples(_) => self.iter().take_while(|item| !item.is_live(now)).count(),
            Repr::Table(fields) => fields.due.iter().take_while(|due| due.at < now).count(),
        };
        self.len() - expired
    }

    /// The name OBJECT ENCODING gives.
    pub fn encoding(&self) -> &'static str {
        match &self.repr {
            Repr::Pairs(_) => "listpack",
            Repr::Triples(_) => "listpackex",
            Repr::Table(_) => "hashtable",
        }
    }

    /// Bytes allocated on a 64-bit machine. O(1).
    pub fn heap_bytes(&self) -> usize {
        match &self.repr {
            Repr::Pairs(pack) | Repr::Triples(pack) => pack.heap_bytes(),
            Repr::Table(fields) => fields.heap_bytes(),
        }
    }

    // Reading.

    /// The field with its value and expiry, expired or not. O(n) in a listpack, O(1) in a table.
    pub fn item(&self, field: &[u8]) -> Option<Item<'_>> {
        match &self.repr {
            Repr::Pairs(pack) => {
                let at = pack.find(pack.first()?, field, 1)?;
                let value = pack.get(pack.next(at)?);
                Some(Item { field: pack.get(at), value, expires_at: None })
            }
            Repr::Triples(pack) => {
                let at = pack.find(pack.first()?, field, 2)?;
                let value_at = pack.next(at)?;
                let expires_at = expiry_of(pack.get(pack.next(value_at)?));
                Some(Item { field: pack.get(at), value: pack.get(value_at), expires_at })
            }
            Repr::Table(fields) => fields.table.get(field).map(item_of),
        }
    }

    /// Value of a field that has not expired. Complexity of [`Self::item`].
    pub fn get(&self, field: &[u8], now: u64) -> Option<Entry<'_>> {
        self.item(field).filter(|item| item.is_live(now)).map(|item| item.value)
    }

    /// Complexity of [`Self::item`].
    pub fn contains(&self, field: &[u8], now: u64) -> bool {
        self.get(field, now).is_some()
    }

    /// All fields: in the order of a listpack, or in an order that follows from the table's seed and history.
    pub fn iter(&self) -> Iter<'_> {
        match &self.repr {
            Repr::Pairs(pack) => Iter::Pairs(pack.iter()),
            Repr::Triples(pack) => Iter::Triples(pack.iter()),
            Repr::Table(fields) => Iter::Table(Box::new(fields.table.iter())),
        }
    }

    /// One step of HSCAN: calls `each` for some fields and returns the next cursor, 0 when done. Small hashes come whole.
    pub fn scan(&self, cursor: u64, each: &mut dyn FnMut(Item<'_>)) -> u64 {
        if let Repr::Table(fields) = &self.repr {
            return fields.table.scan(cursor, &mut |packed| each(item_of(packed)));
        }
        self.iter().for_each(each);
        0
    }

    /// A random field, expired or not. O(n) in a listpack, O(1) in a table.
    pub fn random(&self, rng: &mut dyn FnMut() -> u64) -> Option<Item<'_>> {
        match &self.repr {
            Repr::Table(fields) => fields.table.random(rng).map(item_of),
            _ if self.is_empty() => None,
            _ => self.iter().nth((rng() % self.len() as u64) as usize),
        }
    }

    /// `count` random fields, any of them as often as chance has it; none from an empty hash. O(n + count) in a
    /// listpack, O(count) in a table.
    pub fn random_many(&self, count: usize, rng: &mut dyn FnMut() -> u64) -> Vec<Item<'_>> {
        if self.is_empty() {
            return Vec::new();
        }
        if matches!(self.repr, Repr::Table(_)) {
            return (0..count).filter_map(|_| self.random(rng)).collect();
        }
        let items: Vec<_> = self.iter().collect();
        (0..count).map(|_| items[(rng() % items.len() as u64) as usize]).collect()
    }

    /// Up to `count` different random fields. O(n), or O(count) where `count` is a small part of a table.
    pub fn random_distinct(&self, count: usize, rng: &mut dyn FnMut() -> u64) -> Vec<Item<'_>> {
        let count = count.min(self.len());
        if let Repr::Table(fields) = &self.repr
            && count * 4 < fields.table.len()
        {
            let mut chosen = BTreeSet::new();
            let mut items = Vec::with_capacity(count);
            while items.len() < count {
                let Some(packed) = fields.table.random(rng) else { break };
                if chosen.insert(packed.key()) {
                    items.push(item_of(packed));
                }
            }
            return items;
        }
        let mut items: Vec<_> = self.iter().collect();
        for at in 0..count {
            let other = at + (rng() % (items.len() - at) as u64) as usize;
            items.swap(at, other);
        }
        items.truncate(count);
        items
    }

    // Changing.

    /// Says that `fields` are about to be set by one command; Redis then decides at once. O(n) when it becomes a table.
    pub fn prepare(&mut self, fields: usize, limits: Limits) {
        if fields > limits.max_listpack_entries {
            self.become_table(limits).reserve(fields);
        }
    }

    /// Sets a field and takes its expiry away. True when the field is new. O(n) in a listpack, O(1) in a table.
    pub fn set(&mut self, field: &[u8], value: &[u8], limits: Limits) -> bool {
        self.put(field, value, false, limits)
    }

    /// [`Self::set`], but a field that exists keeps its expiry.
    pub fn set_keeping_expiry(&mut self, field: &[u8], value: &[u8], limits: Limits) -> bool {
        self.put(field, value, true, limits)
    }

    /// Gives a field an expiry time in ms, instead of the one it may have. False without such a field. O(n) in a
    /// listpack, O(log n) in a table.
    pub fn set_expiry(&mut self, field: &[u8], at: u64) -> bool {
        if let Repr::Pairs(pack) = &self.repr {
            if pack.first().and_then(|first| pack.find(first, field, 1)).is_none() {
                return false;
            }
            self.repr = Repr::Triples(triples_of(pack));
        }
        match &mut self.repr {
            Repr::Pairs(_) => false,
            Repr::Triples(pack) => set_triple_expiry(pack, field, i64::try_from(at).unwrap_or(i64::MAX)),
            Repr::Table(fields) => fields.set_expiry(field, Some(at)),
        }
    }

    /// Takes a field's expiry away. True when it had one. Complexity of [`Self::set_expiry`].
    pub fn persist(&mut self, field: &[u8]) -> bool {
        if self.item(field).is_none_or(|item| item.expires_at.is_none()) {
            return false;
        }
        match &mut self.repr {
            Repr::Pairs(_) => false,
            Repr::Triples(pack) => set_triple_expiry(pack, field, NEVER),
            Repr::Table(fields) => fields.set_expiry(field, None),
        }
    }

    /// Removes a field, expired or not. True when there was one. O(n) in a listpack, O(1) in a table.
    pub fn remove(&mut self, field: &[u8]) -> bool {
        match &mut self.repr {
            Repr::Pairs(pack) => remove_tuple(pack, field, 2),
            Repr::Triples(pack) => remove_tuple(pack, field, 3),
            Repr::Table(fields) => fields.remove(field),
        }
    }

    // Expiry.

    /// The soonest time any field expires. O(1) in a listpack, O(log n) in a table.
    pub fn next_expiry(&self) -> Option<u64> {
        match &self.repr {
            Repr::Pairs(_) => None,
            Repr::Triples(pack) => pack.get_index(2).and_then(expiry_of),
            Repr::Table(fields) => fields.due.first().map(|due| due.at),
        }
    }

    /// Removes up to `limit` fields with `expires_at <= now`, the soonest first, and tells `each` their names. Returns how
    /// many. O(removed) in a listpack and its tail, O(removed log n) in a table.
    pub fn reap(&mut self, now: u64, limit: usize, each: &mut dyn FnMut(&[u8])) -> usize {
        match &mut self.repr {
            Repr::Pairs(_) => 0,
            Repr::Triples(pack) => {
                let mut reaped = 0;
                let mut text = Text::new();
                let mut entries = pack.iter();
                while let (true, Some(field), Some(_), Some(at)) =
                    (reaped < limit, entries.next(), entries.next(), entries.next())
                {
                    if expiry_of(at).is_none_or(|at| at > now) {
                        break;
                    }
                    each(field.bytes(&mut text));
                    reaped += 1;
                }
                pack.remove_range(0, reaped * 3);
                reaped
            }
            Repr::Table(fields) => fields.reap(now, limit, each),
        }
    }

    // Encodings.

    fn put(&mut self, field: &[u8], value: &[u8], keep_expiry: bool, limits: Limits) -> bool {
        let longest = field.len().max(value.len());
        match &mut self.repr {
            Repr::Table(fields) => return fields.set(field, value, keep_expiry),
            Repr::Pairs(pack) | Repr::Triples(pack) => {
                let size = pack.size_bytes() + field.len() + value.len();
                if longest > limits.max_listpack_value || size > listpack::SIZE_MAX_BYTES {
                    return self.become_table(limits).set(field, value, keep_expiry);
                }
            }
        }
        let fresh = match &mut self.repr {
            Repr::Pairs(pack) => put_pair(pack, field, value),
            Repr::Triples(pack) => put_triple(pack, field, value, keep_expiry),
            Repr::Table(fields) => fields.set(field, value, keep_expiry),
        };
        if self.len() > limits.max_listpack_entries {
            self.become_table(limits);
        }
        fresh
    }

    /// A loaded listpack may be larger than the settings allow.
    fn outgrow(&mut self, longest: usize, limits: Limits) {
        if self.len() > limits.max_listpack_entries || longest > limits.max_listpack_value {
            self.become_table(limits);
        }
    }

    fn become_table(&mut self, limits: Limits) -> &mut Fields {
        if !matches!(self.repr, Repr::Table(_)) {
            let mut fields = Fields::new(limits.table_seed);
            fields.reserve(self.len());
            let (mut field_text, mut value_text) = (Text::new(), Text::new());
            for item in self.iter() {
                let field = item.field.bytes(&mut field_text);
                fields.insert_new(Packed::new(field, item.expires_at, item.value.bytes(&mut value_text)));
                if let Some(at) = item.expires_at {
                    fields.due.insert(Due::new(at, field));
                }
            }
            self.repr = Repr::Table(Box::new(fields));
        }
        match &mut self.repr {
            Repr::Table(fields) => fields,
            _ => unreachable!("it was made a table above"),
        }
    }
}

fn item_of(packed: &Packed) -> Item<'_> {
    Item {
        field: Entry::Bytes(packed.key()),
        value: Entry::Bytes(packed.payload()),
        expires_at: packed.stamp(),
    }
}

/// Fields of a hash.
pub enum Iter<'a> {
    Pairs(listpack::Iter<'a>),
    Triples(listpack::Iter<'a>),
    Table(Box<dyn Iterator<Item = &'a Packed> + 'a>),
}

impl<'a> Iterator for Iter<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        match self {
            Iter::Pairs(entries) => {
                Some(Item { field: entries.next()?, value: entries.next()?, expires_at: None })
            }
            Iter::Triples(entries) => {
                let (field, value) = (entries.next()?, entries.next()?);
                Some(Item { field, value, expires_at: expiry_of(entries.next()?) })
            }
            Iter::Table(elements) => elements.next().map(item_of),
        }
    }
}

#[cfg(test)]
mod tests;

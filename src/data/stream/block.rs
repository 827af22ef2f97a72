//! A run of entries in one listpack, laid out as RDB files hold it: so sizes, and with them the places where a stream may
//! be cut cheaply, are Redis's.
//!
//! First the block's own head: live entries, deleted entries, the fields of its first entry with their number before
//! and a zero behind. Then the entries: flags, the id as a difference to the block's, the fields and values (or the
//! values alone, where the fields are those of the head), and how many elements that were, for walking back.

use crate::data::listpack::{Entry as Element, Listpack, Position};

use super::id::StreamId;

const DELETED: i64 = 1;
const SAME_FIELDS: i64 = 2;

#[derive(Clone)]
pub struct Block {
    /// The id of the entry the block was made for.
    pub first: StreamId,
    pack: Listpack,
}

/// One live entry.
#[derive(Clone, Copy)]
pub struct Entry<'a> {
    pub id: StreamId,
    pack: &'a Listpack,
    /// Where its flags are.
    at: Position,
    /// Where its first value is, or its first field if it has fields of its own.
    content: Position,
    /// Where the fields are, if they are the head's.
    shared_fields: Option<Position>,
    pairs: usize,
}

fn number(pack: &Listpack, at: Position) -> i64 {
    pack.get(at).as_i64().unwrap_or(0)
}

fn skip(pack: &Listpack, from: Position, count: usize) -> Position {
    let mut at = from;
    for _ in 0..count {
        match pack.next(at) {
            Some(next) => at = next,
            None => return pack.end(),
        }
    }
    at
}

impl Block {
    /// A block whose head has the fields of the entry it is made for, and no entry yet.
    pub fn new(first: StreamId, pairs: &[(&[u8], &[u8])]) -> Block {
        let mut pack = Listpack::new();
        pack.push_back_int(0);
        pack.push_back_int(0);
        pack.push_back_int(pairs.len() as i64);
        for (field, _) in pairs {
            pack.push_back(field);
        }
        pack.push_back_int(0);
        Block { first, pack }
    }

    pub fn from_pack(first: StreamId, pack: Listpack) -> Block {
        Block { first, pack }
    }

    pub fn pack(&self) -> &Listpack {
        &self.pack
    }

    pub fn size_bytes(&self) -> usize {
        self.pack.size_bytes()
    }

    pub fn heap_bytes(&self) -> usize {
        self.pack.heap_bytes()
    }

    /// Live entries.
    pub fn live(&self) -> usize {
        self.counter(0)
    }

    /// Live and deleted entries.
    pub fn entries(&self) -> usize {
        self.counter(0) + self.counter(1)
    }

    fn counter(&self, index: i64) -> usize {
        self.pack.get_index(index).and_then(Element::as_i64).unwrap_or(0).max(0) as usize
    }

    fn set_counter(&mut self, index: i64, value: usize) {
        if let Some(at) = self.pack.seek(index) {
            self.pack.replace_int(at, value as i64);
        }
    }

    /// How many fields the head has, and where they start.
    fn shared_fields(&self) -> (usize, Position) {
        let at = skip(&self.pack, self.pack.first().unwrap_or(0), 2);
        let count = number(&self.pack, at).max(0) as usize;
        (count, self.pack.next(at).unwrap_or_else(|| self.pack.end()))
    }

    /// Where the first entry's flags are.
    fn entries_at(&self) -> Position {
        let (count, at) = self.shared_fields();
        skip(&self.pack, at, count + 1)
    }

    fn shares_fields(&self, pairs: &[(&[u8], &[u8])]) -> bool {
        let (count, mut at) = self.shared_fields();
        count == pairs.len()
            && pairs.iter().all(|(field, _)| {
                let is_same = self.pack.get(at).equals(field);
                at = skip(&self.pack, at, 1);
                is_same
            })
    }

    /// Adds an entry behind all others.
    pub fn push(&mut self, id: StreamId, pairs: &[(&[u8], &[u8])]) {
        let is_same = self.shares_fields(pairs);
        let pack = &mut self.pack;
        pack.push_back_int(if is_same { SAME_FIELDS } else { 0 });
        pack.push_back_int(id.ms.wrapping_sub(self.first.ms) as i64);
        pack.push_back_int(id.seq.wrapping_sub(self.first.seq) as i64);
        if !is_same {
            pack.push_back_int(pairs.len() as i64);
        }
        for (field, value) in pairs {
            if !is_same {
                pack.push_back(field);
            }
            pack.push_back(value);
        }
        let elements = if is_same { pairs.len() + 3 } else { 2 * pairs.len() + 4 };
        pack.push_back_int(elements as i64);
        let live = self.live();
        self.set_counter(0, live + 1);
    }

    /// Marks an entry as gone; its bytes stay until the block goes.
    pub fn delete(&mut self, entry_at: Position) {
        let flags = number(&self.pack, entry_at);
        self.pack.replace_int(entry_at, flags | DELETED);
        let (live, deleted) = (self.counter(0), self.counter(1));
        self.set_counter(0, live.saturating_sub(1));
        self.set_counter(1, deleted + 1);
    }

    /// The entry whose flags are at `at`, whether it is live, and where the one behind it starts.
    fn decode(&self, at: Position) -> (Entry<'_>, bool, Position) {
        let pack = &self.pack;
        let flags = number(pack, at);
        let ms_at = skip(pack, at, 1);
        let seq_at = skip(pack, ms_at, 1);
        let id = StreamId {
            ms: self.first.ms.wrapping_add(number(pack, ms_at) as u64),
            seq: self.first.seq.wrapping_add(number(pack, seq_at) as u64),
        };
        let after = skip(pack, seq_at, 1);
        let (content, shared_fields, pairs, elements) = if flags & SAME_FIELDS != 0 {
            let (count, fields) = self.shared_fields();
            (after, Some(fields), count, count)
        } else {
            let count = number(pack, after).max(0) as usize;
            (skip(pack, after, 1), None, count, 2 * count)
        };
        let next = skip(pack, content, elements + 1);
        (Entry { id, pack, at, content, shared_fields, pairs }, flags & DELETED == 0, next)
    }

    /// Live entries from the front.
    pub fn iter(&self) -> Forward<'_> {
        Forward { block: self, at: self.entries_at() }
    }

    /// Live entries from the back.
    pub fn iter_back(&self) -> Backward<'_> {
        Backward { block: self, end: self.pack.end() }
    }
}

impl<'a> Entry<'a> {
    pub(super) fn position(&self) -> Position {
        self.at
    }

    /// The number of field-value pairs.
    pub fn len(&self) -> usize {
        self.pairs
    }

    pub fn is_empty(&self) -> bool {
        self.pairs == 0
    }

    /// Fields and values, in the order in which they were given.
    pub fn pairs(&self) -> impl Iterator<Item = (Element<'a>, Element<'a>)> + use<'a> {
        let pack = self.pack;
        let mut at = self.content;
        let mut field_at = self.shared_fields;
        (0..self.pairs).map(move |_| {
            let field = match &mut field_at {
                Some(place) => {
                    let field = pack.get(*place);
                    *place = skip(pack, *place, 1);
                    field
                }
                None => {
                    let field = pack.get(at);
                    at = skip(pack, at, 1);
                    field
                }
            };
            let value = pack.get(at);
            at = skip(pack, at, 1);
            (field, value)
        })
    }
}

#[derive(Clone)]
pub struct Forward<'a> {
    block: &'a Block,
    at: Position,
}

impl<'a> Iterator for Forward<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        while self.at < self.block.pack.end() {
            let (entry, is_live, next) = self.block.decode(self.at);
            self.at = next;
            if is_live {
                return Some(entry);
            }
        }
        None
    }
}

#[derive(Clone)]
pub struct Backward<'a> {
    block: &'a Block,
    end: Position,
}

impl<'a> Iterator for Backward<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        loop {
            let pack = &self.block.pack;
            let count_at = pack.prev(self.end)?;
            let count = number(pack, count_at);
            // The head ends with a zero.
            if count <= 0 {
                return None;
            }
            let mut at = count_at;
            for _ in 0..count {
                at = pack.prev(at)?;
            }
            self.end = at;
            let (entry, is_live, _) = self.block.decode(at);
            if is_live {
                return Some(entry);
            }
        }
    }
}

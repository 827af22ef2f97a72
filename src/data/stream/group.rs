//! A consumer group: how far it has read, which entries it has handed out and to whom. It must not know the entries.

use std::collections::{BTreeMap, BTreeSet};

use super::id::StreamId;

/// The read counter of a group that does not know how many entries lie before its last id.
pub const ENTRIES_READ_UNKNOWN: i64 = -1;

/// A consumer's place in its group.
pub type ConsumerNumber = u32;

/// An entry handed out and not acknowledged.
#[derive(Clone, Copy, Debug)]
pub struct Pending {
    /// Nobody, after XNACK.
    pub owner: Option<ConsumerNumber>,
    /// Unix time in milliseconds; 0 after XNACK.
    pub delivered_ms: i64,
    pub deliveries: u64,
    /// Those that were given back come first, in the order in which they were.
    order: u64,
}

#[derive(Clone)]
pub struct Consumer {
    pub name: Box<[u8]>,
    /// When it last tried something.
    pub seen_ms: i64,
    /// When it last got something; -1 before that.
    pub active_ms: i64,
    pending: BTreeSet<StreamId>,
}

impl Consumer {
    pub fn pending(&self) -> &BTreeSet<StreamId> {
        &self.pending
    }
}

#[derive(Clone)]
pub struct Group {
    pub last_id: StreamId,
    pub entries_read: i64,
    pending: BTreeMap<StreamId, Pending>,
    /// The same by time of delivery, the longest waiting first.
    by_time: BTreeSet<(i64, u64, StreamId)>,
    consumers: Vec<Option<Consumer>>,
    by_name: BTreeMap<Box<[u8]>, ConsumerNumber>,
    free: Vec<ConsumerNumber>,
    last_order: u64,
    unowned: usize,
}

impl Group {
    pub fn new(last_id: StreamId, entries_read: i64) -> Group {
        Group {
            last_id,
            entries_read,
            pending: BTreeMap::new(),
            by_time: BTreeSet::new(),
            consumers: Vec::new(),
            by_name: BTreeMap::new(),
            free: Vec::new(),
            last_order: 0,
            unowned: 0,
        }
    }

    // Consumers.

    pub fn consumer_number(&self, name: &[u8]) -> Option<ConsumerNumber> {
        self.by_name.get(name).copied()
    }

    pub fn consumer(&self, number: ConsumerNumber) -> &Consumer {
        self.consumers[number as usize].as_ref().expect("numbers of consumers are those that are there")
    }

    pub fn consumer_mut(&mut self, number: ConsumerNumber) -> &mut Consumer {
        self.consumers[number as usize].as_mut().expect("numbers of consumers are those that are there")
    }

    /// By name, in the order of the names.
    pub fn consumers(&self) -> impl ExactSizeIterator<Item = &Consumer> {
        self.by_name.values().map(|&number| self.consumer(number))
    }

    /// Adds a consumer whose name is not taken.
    pub fn create_consumer(&mut self, name: &[u8], now_ms: i64) -> ConsumerNumber {
        let consumer =
            Consumer { name: name.into(), seen_ms: now_ms, active_ms: -1, pending: BTreeSet::new() };
        let number = self.free.pop().unwrap_or_else(|| {
            self.consumers.push(None);
            (self.consumers.len() - 1) as ConsumerNumber
        });
        self.consumers[number as usize] = Some(consumer);
        self.by_name.insert(name.into(), number);
        number
    }

    /// Removes a consumer with all it has pending; how much that was.
    pub fn delete_consumer(&mut self, number: ConsumerNumber) -> usize {
        let Some(consumer) = self.consumers[number as usize].take() else { return 0 };
        self.by_name.remove(&consumer.name);
        self.free.push(number);
        for id in &consumer.pending {
            if let Some(pending) = self.pending.remove(id) {
                self.by_time.remove(&(pending.delivered_ms, pending.order, *id));
            }
        }
        consumer.pending.len()
    }

    // Pending entries.

    pub fn pending_len(&self) -> usize {
        self.pending.len()
    }

    /// How many were given back and belong to nobody.
    pub fn unowned_len(&self) -> usize {
        self.unowned
    }

    pub fn get(&self, id: StreamId) -> Option<Pending> {
        self.pending.get(&id).copied()
    }

    pub fn pending(&self) -> impl DoubleEndedIterator<Item = (StreamId, Pending)> + '_ {
        self.pending.iter().map(|(&id, &pending)| (id, pending))
    }

    pub fn pending_from(&self, start: StreamId) -> impl Iterator<Item = (StreamId, Pending)> + '_ {
        self.pending.range(start..).map(|(&id, &pending)| (id, pending))
    }

    /// Those given back first, then by time of delivery.
    pub fn pending_by_time(&self) -> impl Iterator<Item = (StreamId, Pending)> + '_ {
        self.by_time.iter().filter_map(|&(_, _, id)| Some((id, self.get(id)?)))
    }

    /// Hands an entry to a consumer, whoever had it before.
    pub fn assign(&mut self, id: StreamId, owner: ConsumerNumber, delivered_ms: i64, deliveries: u64) {
        self.release(id);
        self.insert(id, Pending { owner: Some(owner), delivered_ms, deliveries, order: 0 });
    }

    /// Gives an entry back to the group.
    pub fn disown(&mut self, id: StreamId, deliveries: u64) {
        self.release(id);
        self.last_order += 1;
        self.insert(id, Pending { owner: None, delivered_ms: 0, deliveries, order: self.last_order });
    }

    fn insert(&mut self, id: StreamId, pending: Pending) {
        match pending.owner {
            Some(owner) => {
                self.consumer_mut(owner).pending.insert(id);
            }
            None => self.unowned += 1,
        }
        self.by_time.insert((pending.delivered_ms, pending.order, id));
        self.pending.insert(id, pending);
    }

    /// Takes an entry off the list; false when it was not there.
    pub fn release(&mut self, id: StreamId) -> bool {
        let Some(pending) = self.pending.remove(&id) else { return false };
        self.by_time.remove(&(pending.delivered_ms, pending.order, id));
        match pending.owner {
            Some(owner) => {
                self.consumer_mut(owner).pending.remove(&id);
            }
            None => self.unowned -= 1,
        }
        true
    }

    pub fn heap_bytes(&self) -> usize {
        // A tree's node has room for eleven items and is two thirds full on average.
        let in_tree = |len: usize, item: usize| len * item * 3 / 2;
        let consumers = self.consumers.iter().flatten();
        in_tree(self.pending.len(), 48)
            + in_tree(self.by_time.len(), 32)
            + self.consumers.capacity() * 80
            + consumers.map(|one| 2 * one.name.len() + 24 + in_tree(one.pending.len(), 16)).sum::<usize>()
    }
}

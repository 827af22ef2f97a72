//! Which messages of which producers a stream has taken, so that a message sent twice is added once.

use std::collections::{BTreeMap, VecDeque};

use super::id::StreamId;

#[derive(Clone, Default)]
struct Producer {
    by_iid: BTreeMap<Box<[u8]>, StreamId>,
    /// The oldest first.
    order: VecDeque<(StreamId, Box<[u8]>)>,
}

#[derive(Clone)]
pub struct Producers {
    pub duration_s: u64,
    pub size_max: u64,
    /// Over the stream's life.
    pub added: u64,
    pub duplicates: u64,
    by_pid: BTreeMap<Box<[u8]>, Producer>,
}

impl Producers {
    pub fn new(duration_s: u64, size_max: u64) -> Producers {
        Producers { duration_s, size_max, added: 0, duplicates: 0, by_pid: BTreeMap::new() }
    }

    /// Whether something taken for the entry `id` is forgotten by now.
    fn is_over(&self, id: StreamId, now_ms: u64) -> bool {
        now_ms >= id.ms.saturating_add(self.duration_s.saturating_mul(1000))
    }

    /// The entry a message has become, while it is remembered.
    pub fn find(&self, pid: &[u8], iid: &[u8], now_ms: u64) -> Option<StreamId> {
        let id = *self.by_pid.get(pid)?.by_iid.get(iid)?;
        (!self.is_over(id, now_ms)).then_some(id)
    }

    pub fn record(&mut self, pid: &[u8], iid: &[u8], id: StreamId, now_ms: u64) {
        let size_max = self.size_max.max(1) as usize;
        let limit_ms = self.duration_s.saturating_mul(1000);
        let producer = self.by_pid.entry(pid.into()).or_default();
        if producer.by_iid.remove(iid).is_some() {
            producer.order.retain(|(_, known)| **known != *iid);
        }
        while let Some((oldest, known)) = producer.order.front() {
            if producer.order.len() < size_max && now_ms < oldest.ms.saturating_add(limit_ms) {
                break;
            }
            producer.by_iid.remove(known);
            producer.order.pop_front();
        }
        producer.by_iid.insert(iid.into(), id);
        producer.order.push_back((id, iid.into()));
        self.added += 1;
    }

    /// Forgets all messages; XCFGSET with other limits does so.
    pub fn forget(&mut self) {
        self.by_pid.clear();
    }

    /// How many producers and messages are remembered.
    pub fn tracked(&self, now_ms: u64) -> (usize, usize) {
        let live =
            |producer: &Producer| producer.order.iter().filter(|(id, _)| !self.is_over(*id, now_ms)).count();
        let counts = self.by_pid.values().map(live).filter(|&count| count > 0);
        counts.fold((0, 0), |(producers, messages), count| (producers + 1, messages + count))
    }

    /// Producer, message and entry, the oldest first for each producer.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8], StreamId)> {
        self.by_pid
            .iter()
            .flat_map(|(pid, producer)| producer.order.iter().map(move |(id, iid)| (&**pid, &**iid, *id)))
    }

    pub fn heap_bytes(&self) -> usize {
        self.iter().map(|(_, iid, _)| 2 * iid.len() + 96).sum::<usize>()
            + self.by_pid.keys().map(|pid| pid.len() + 96).sum::<usize>()
    }
}

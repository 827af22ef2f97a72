//! Streams: entries in packed blocks ordered by id, the groups that consume them, the producers that must not repeat
//! themselves. It must not know keys, clients or time.

pub mod block;
pub mod group;
pub mod id;
pub mod producers;
mod trim;

use std::collections::{BTreeMap, VecDeque};

pub use block::{Block, Entry};
pub use group::{Consumer, ConsumerNumber, ENTRIES_READ_UNKNOWN, Group, Pending};
pub use id::{IdText, StreamId};
pub use producers::Producers;
pub use trim::{References, Trim, TrimTo};

/// Redis refuses larger entries.
pub const BLOCK_BYTES_MAX: u64 = 1 << 30;

/// When a block is full; 0 is no limit.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub block_bytes: u64,
    pub block_entries: u64,
}

/// Why an entry is not added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddError {
    NotAboveLast,
    TooLarge,
}

#[derive(Clone)]
pub struct Stream {
    blocks: VecDeque<Block>,
    len: u64,
    pub last_id: StreamId,
    pub max_deleted_id: StreamId,
    /// Over the stream's life.
    pub entries_added: u64,
    groups: BTreeMap<Box<[u8]>, Group>,
    pub producers: Option<Box<Producers>>,
}

impl Default for Stream {
    fn default() -> Self {
        Stream::new()
    }
}

impl Stream {
    pub fn new() -> Stream {
        Stream {
            blocks: VecDeque::new(),
            len: 0,
            last_id: StreamId::MIN,
            max_deleted_id: StreamId::MIN,
            entries_added: 0,
            groups: BTreeMap::new(),
            producers: None,
        }
    }

    pub fn len(&self) -> usize {
        self.len as usize
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn encoding(&self) -> &'static str {
        "stream"
    }

    /// Bytes allocated on a 64-bit machine, nearly: of many blocks some are looked at. O(groups + consumers).
    pub fn heap_bytes(&self) -> usize {
        const BLOCK: usize = 64;
        const GROUP: usize = 320;
        self.blocks.capacity() * BLOCK
            + super::spread_total(&self.blocks, Block::heap_bytes)
            + self.groups.iter().map(|(name, group)| name.len() + GROUP + group.heap_bytes()).sum::<usize>()
            + self.producers.as_ref().map_or(0, |known| 64 + known.heap_bytes())
    }

    // Reading.

    pub fn blocks(&self) -> &VecDeque<Block> {
        &self.blocks
    }

    /// For loaders: blocks come in the order of their ids, and say themselves how many entries they hold.
    pub fn push_block(&mut self, block: Block) {
        self.len += block.live() as u64;
        self.blocks.push_back(block);
    }

    /// The block that holds `id`, if any does: the last one that starts at it or before.
    fn block_of(&self, id: StreamId) -> Option<usize> {
        self.blocks.partition_point(|block| block.first <= id).checked_sub(1)
    }

    /// Live entries from `start` to `end`, both included. O(log n) to start.
    pub fn range(&self, start: StreamId, end: StreamId) -> impl Iterator<Item = Entry<'_>> {
        self.blocks
            .range(self.block_of(start).unwrap_or(0)..)
            .flat_map(Block::iter)
            .skip_while(move |entry| entry.id < start)
            .take_while(move |entry| entry.id <= end)
    }

    /// As [`Stream::range`], from the end.
    pub fn range_back(&self, start: StreamId, end: StreamId) -> impl Iterator<Item = Entry<'_>> {
        self.blocks
            .range(..self.block_of(end).map_or(0, |index| index + 1))
            .rev()
            .flat_map(Block::iter_back)
            .skip_while(move |entry| entry.id > end)
            .take_while(move |entry| entry.id >= start)
    }

    pub fn iter(&self) -> impl Iterator<Item = Entry<'_>> {
        self.range(StreamId::MIN, StreamId::MAX)
    }

    pub fn get(&self, id: StreamId) -> Option<Entry<'_>> {
        self.range(id, id).next()
    }

    /// The first live entry's id; 0-0 where there is none.
    pub fn first_id(&self) -> StreamId {
        self.iter().next().map_or(StreamId::MIN, |entry| entry.id)
    }

    /// The last live entry's id.
    pub fn last_live_id(&self) -> Option<StreamId> {
        self.range_back(StreamId::MIN, StreamId::MAX).next().map(|entry| entry.id)
    }

    /// Nodes of the radix tree in which Redis would keep the blocks.
    pub fn radix_nodes(&self) -> usize {
        let keys: Vec<[u8; 16]> = self.blocks.iter().map(|block| block.first.sort_key()).collect();
        if keys.is_empty() { 1 } else { radix_nodes(&keys, 0) }
    }

    // Adding and deleting.

    /// The id a new entry gets at this time.
    pub fn next_id(&self, now_ms: u64) -> Option<StreamId> {
        if now_ms > self.last_id.ms { Some(StreamId::new(now_ms, 0)) } else { self.last_id.next() }
    }

    /// Adds an entry behind all that ever were. O(1) amortised.
    pub fn add(&mut self, id: StreamId, pairs: &[(&[u8], &[u8])], limits: Limits) -> Result<(), AddError> {
        if id <= self.last_id {
            return Err(AddError::NotAboveLast);
        }
        let bytes: u64 = pairs.iter().map(|(field, value)| (field.len() + value.len()) as u64).sum();
        if bytes > BLOCK_BYTES_MAX {
            return Err(AddError::TooLarge);
        }
        let bytes_max = match limits.block_bytes {
            0 => BLOCK_BYTES_MAX,
            limit => limit.min(BLOCK_BYTES_MAX),
        };
        let has_room = self.blocks.back().is_some_and(|block| {
            block.size_bytes() as u64 + bytes < bytes_max
                && (limits.block_entries == 0 || (block.entries() as u64) < limits.block_entries)
        });
        if !has_room {
            self.blocks.push_back(Block::new(id, pairs));
        }
        self.blocks.back_mut().expect("there is a block with room").push(id, pairs);
        self.len += 1;
        self.entries_added += 1;
        self.last_id = id;
        Ok(())
    }

    /// Deletes an entry and remembers that there is a hole; false when it is not there.
    pub fn delete(&mut self, id: StreamId) -> bool {
        let is_gone = self.take(id);
        if is_gone {
            self.max_deleted_id = self.max_deleted_id.max(id);
        }
        is_gone
    }

    fn take(&mut self, id: StreamId) -> bool {
        let Some(index) = self.block_of(id) else { return false };
        let block = &self.blocks[index];
        let Some(at) = block.iter().find(|entry| entry.id == id).map(|entry| entry.position()) else {
            return false;
        };
        if block.live() == 1 {
            self.blocks.remove(index);
        } else {
            self.blocks[index].delete(at);
        }
        self.len -= 1;
        true
    }

    // Groups.

    pub fn groups(&self) -> &BTreeMap<Box<[u8]>, Group> {
        &self.groups
    }

    pub fn groups_mut(&mut self) -> impl Iterator<Item = &mut Group> {
        self.groups.values_mut()
    }

    pub fn group(&self, name: &[u8]) -> Option<&Group> {
        self.groups.get(name)
    }

    pub fn group_mut(&mut self, name: &[u8]) -> Option<&mut Group> {
        self.groups.get_mut(name)
    }

    /// False when there is one of that name.
    pub fn create_group(&mut self, name: &[u8], group: Group) -> bool {
        let is_new = !self.groups.contains_key(name);
        if is_new {
            self.groups.insert(name.into(), group);
        }
        is_new
    }

    pub fn destroy_group(&mut self, name: &[u8]) -> bool {
        self.groups.remove(name).is_some()
    }

    /// Whether a group has yet to read the entry or has it pending.
    pub fn is_referenced(&self, id: StreamId) -> bool {
        self.groups.values().any(|group| id > group.last_id || group.get(id).is_some())
    }

    /// Takes an entry off every group's list; whether it was on any.
    pub fn release_everywhere(&mut self, id: StreamId) -> bool {
        let released = self.groups.values_mut().filter_map(|group| group.release(id).then_some(()));
        released.count() > 0
    }

    /// Whether there may be a hole at `start` or behind it.
    fn has_holes_from(&self, start: StreamId) -> bool {
        !self.is_empty() && self.max_deleted_id != StreamId::MIN && start <= self.max_deleted_id
    }

    /// How many entries were ever added up to `id`, where that can be told.
    pub fn entries_up_to(&self, id: StreamId) -> Option<u64> {
        if self.entries_added == 0 {
            return Some(0);
        }
        if self.is_empty() && id <= self.last_id {
            return Some(self.entries_added);
        }
        if id != StreamId::MIN && id < self.max_deleted_id {
            return None;
        }
        if id >= self.last_id {
            return (id == self.last_id).then_some(self.entries_added);
        }
        let first = self.first_id();
        if self.max_deleted_id != StreamId::MIN && self.max_deleted_id >= first {
            return None;
        }
        let before = self.entries_added.saturating_sub(self.len);
        match id.cmp(&first) {
            std::cmp::Ordering::Less => Some(before),
            std::cmp::Ordering::Equal => Some(before + 1),
            std::cmp::Ordering::Greater => None,
        }
    }

    /// The read counter of a group that stands at `last_id` with this counter and goes on to the entry `id`.
    pub fn entries_read_at(&self, last_id: StreamId, entries_read: i64, id: StreamId) -> i64 {
        if entries_read != ENTRIES_READ_UNKNOWN && !self.has_holes_from(last_id) {
            return entries_read + 1;
        }
        if self.entries_added == 0 {
            return entries_read;
        }
        self.entries_up_to(id).map_or(ENTRIES_READ_UNKNOWN, |count| count as i64)
    }

    /// How many entries a group has yet to read, where that can be told.
    pub fn lag(&self, group: &Group) -> Option<i64> {
        if self.entries_added == 0 || self.is_empty() {
            return Some(0);
        }
        let first = self.first_id();
        if group.last_id < first && self.max_deleted_id < first {
            return Some(self.len as i64);
        }
        if group.entries_read != ENTRIES_READ_UNKNOWN && !self.has_holes_from(group.last_id) {
            return Some(self.entries_added as i64 - group.entries_read);
        }
        self.entries_up_to(group.last_id).map(|read| self.entries_added as i64 - read as i64)
    }
}

/// Nodes of a path-compressed tree over sorted keys that share the bytes before `depth`: a node for every run of bytes
/// without a branch, one for every branching, one for every end.
fn radix_nodes(keys: &[[u8; 16]], depth: usize) -> usize {
    let (first, last) = (&keys[0], &keys[keys.len() - 1]);
    let split = (depth..16).find(|&at| first[at] != last[at]).unwrap_or(16);
    let run = usize::from(split > depth);
    if split == 16 {
        return run + 1;
    }
    let children = keys.chunk_by(|left, right| left[split] == right[split]);
    run + 1 + children.map(|group| radix_nodes(group, split + 1)).sum::<usize>()
}

#[cfg(test)]
mod tests;

//! A list: one listpack while it is small, a sequence of listpack nodes (a quicklist) afterwards.
//!
//! When the encoding changes is Redis's rule; inside a node nothing is compressed. This file must not know keys, clients
//! or time.

use std::collections::VecDeque;

use crate::data::listpack::{Entry, Listpack, Needle};

mod quicklist;

pub use quicklist::{Limits, Node};
use quicklist::{NodeIter, Quicklist};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Front,
    Back,
}

#[derive(Clone, Debug, Default)]
pub struct List {
    repr: Repr,
}

#[derive(Clone, Debug)]
enum Repr {
    /// Always `Packed`: one listpack is the whole list.
    Listpack(Node),
    Nodes(Box<Quicklist>),
}

impl Default for Repr {
    fn default() -> Self {
        Repr::Listpack(Node::Packed(Listpack::new()))
    }
}

impl List {
    pub fn new() -> Self {
        Self::default()
    }

    /// A list from the nodes of an RDB file; empty nodes are left out.
    pub fn from_nodes(nodes: impl IntoIterator<Item = Node>, limits: Limits) -> Self {
        let nodes: VecDeque<Node> = nodes.into_iter().filter(|node| !node.is_empty()).collect();
        let len = nodes.iter().map(Node::len).sum();
        let mut list = List { repr: Repr::Nodes(Box::new(Quicklist { nodes, len })) };
        list.join_within(limits.size_max(), limits.len_max(), limits);
        list
    }

    /// The nodes in order, to be saved; a small list is one packed node.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = &Node> {
        (0..self.node_count()).map(|index| self.node(index))
    }

    /// Number of elements. O(1).
    pub fn len(&self) -> usize {
        match &self.repr {
            Repr::Listpack(node) => node.len(),
            Repr::Nodes(quicklist) => quicklist.len,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The name OBJECT ENCODING gives.
    pub fn encoding(&self) -> &'static str {
        match &self.repr {
            Repr::Listpack(_) => "listpack",
            Repr::Nodes(_) => "quicklist",
        }
    }

    /// Bytes allocated on a 64-bit machine, nearly: of many nodes some are looked at. O(1).
    pub fn heap_bytes(&self) -> usize {
        match &self.repr {
            Repr::Listpack(node) => node.heap_bytes(),
            Repr::Nodes(quicklist) => {
                const NODE: usize = 32;
                let nodes = &quicklist.nodes;
                nodes.capacity() * NODE + super::spread_total(nodes, Node::heap_bytes)
            }
        }
    }

    // Reading.

    /// The element with this index; negative indexes count from the back. O(nodes + elements of a node).
    pub fn get(&self, index: i64) -> Option<Entry<'_>> {
        let (node, offset) = self.locate(self.absolute(index)?);
        self.node(node).get(offset)
    }

    /// The element that [`Self::pop`] would take. O(1).
    pub fn peek(&self, end: End) -> Option<Entry<'_>> {
        match end {
            End::Front => self.get(0),
            End::Back => self.get(-1),
        }
    }

    /// All elements from the front. O(1) to start.
    pub fn iter(&self) -> Walk<'_> {
        self.walk(0, End::Back)
    }

    /// All elements from the back. O(1) to start.
    pub fn iter_rev(&self) -> Walk<'_> {
        self.walk(self.len().saturating_sub(1), End::Front)
    }

    /// Up to `count` elements from index `start` on. O(nodes + elements of a node) to start.
    pub fn range(&self, start: usize, count: usize) -> Walk<'_> {
        let mut walk = self.walk(start, End::Back);
        walk.remaining = walk.remaining.min(count);
        walk
    }

    /// The elements from index `start` on towards an end, the one at `start` included; empty when out of range.
    pub fn walk(&self, start: usize, towards: End) -> Walk<'_> {
        if start >= self.len() {
            return Walk { list: self, node: 0, current: NodeIter::Plain(None), towards, remaining: 0 };
        }
        let (node, offset) = self.locate(start);
        let (current, remaining) = match towards {
            End::Back => (self.node(node).iter_from(offset), self.len() - start),
            End::Front => (self.node(node).iter_to(offset + 1), start + 1),
        };
        Walk { list: self, node, current, towards, remaining }
    }

    /// Indexes of elements equal to `value`, as LPOS looks for them: from the `rank`-th match on (from the back when
    /// negative), up to `count` of them, looking at up to `maxlen` elements; 0 means all for both. O(n).
    pub fn positions(&self, value: &[u8], rank: i64, count: u64, maxlen: u64) -> Vec<u64> {
        let needle = Needle::new(value);
        let count = if count == 0 { u64::MAX } else { count };
        let maxlen = if maxlen == 0 { u64::MAX } else { maxlen };
        let mut skip = rank.unsigned_abs().saturating_sub(1);
        let (walk, last) = match rank {
            ..0 => (self.iter_rev(), self.len() as u64 - u64::from(!self.is_empty())),
            _ => (self.iter(), 0),
        };
        let mut found = Vec::new();
        for (step, entry) in (0..maxlen).zip(walk) {
            if !needle.matches(entry) {
                continue;
            }
            if skip > 0 {
                skip -= 1;
                continue;
            }
            found.push(step.abs_diff(last));
            if found.len() as u64 >= count {
                break;
            }
        }
        found
    }

    // Changing.

    /// O(1) amortised.
    pub fn push(&mut self, end: End, value: &[u8], limits: Limits) {
        self.make_room(1, value.len(), limits);
        self.push_within(end, value, limits);
    }

    /// Pushes one after the other, as LPUSH and RPUSH do. O(number of values).
    pub fn push_many<'v>(
        &mut self,
        end: End,
        values: impl Iterator<Item = &'v [u8]> + Clone,
        limits: Limits,
    ) {
        let (count, bytes) =
            values.clone().fold((0, 0), |(count, bytes), value| (count + 1, bytes + value.len()));
        self.make_room(count, bytes, limits);
        for value in values {
            self.push_within(end, value, limits);
        }
    }

    /// Takes the element at an end away. O(1) amortised.
    pub fn pop(&mut self, end: End, limits: Limits) -> Option<Vec<u8>> {
        self.pop_with(end, limits, |entry| entry.to_vec())
    }

    /// [`Self::pop`] without a copy: `read` sees the element before it goes. O(1) amortised.
    pub fn pop_with<R>(&mut self, end: End, limits: Limits, read: impl FnOnce(Entry<'_>) -> R) -> Option<R> {
        let result = read(self.peek(end)?);
        let index = match end {
            End::Front => 0,
            End::Back => self.len() - 1,
        };
        self.remove_run(index, 1);
        self.settle(limits);
        Some(result)
    }

    /// Replaces the element with this index; negative indexes count from the back. O(nodes + bytes of a node).
    pub fn set(&mut self, index: i64, value: &[u8], limits: Limits) -> bool {
        let Some(index) = self.absolute(index) else { return false };
        self.make_room(1, value.len(), limits);
        let (node, offset) = self.locate(index);
        if limits.is_large(value.len()) {
            self.remove_run(index, 1);
            self.insert_large(index, value);
        } else {
            match self.node_mut(node) {
                Node::Packed(pack) => {
                    let at = pack.seek(offset as i64).expect("the offset was located in this node");
                    pack.replace(at, value);
                }
                plain => *plain = Node::of_one(value, limits),
            }
        }
        self.settle(limits);
        true
    }

    /// Inserts before the element with index `index`, or at the back when `index` is the length; false beyond it.
    /// O(nodes + bytes of a node).
    pub fn insert(&mut self, index: usize, value: &[u8], limits: Limits) -> bool {
        if index == self.len() {
            self.push(End::Back, value, limits);
            return true;
        }
        self.insert_beside_index(index, End::Front, value, limits)
    }

    /// Inserts before (`End::Front`) or after (`End::Back`) the element with index `index`; false without one.
    /// O(nodes + bytes of a node).
    pub fn insert_beside_index(&mut self, index: usize, side: End, value: &[u8], limits: Limits) -> bool {
        if index >= self.len() {
            return false;
        }
        self.make_room(1, value.len(), limits);
        let place = index + usize::from(side == End::Back);
        match &mut self.repr {
            Repr::Listpack(node) => node.insert(place, value),
            Repr::Nodes(quicklist) if limits.is_large(value.len()) => quicklist.insert_large(place, value),
            Repr::Nodes(quicklist) => quicklist.insert(index, side, value, limits),
        }
        true
    }

    /// Inserts beside the first element equal to `pivot` as LINSERT does: `End::Front` before it, `End::Back` after it.
    /// False without such an element. O(n).
    pub fn insert_beside(&mut self, pivot: &[u8], side: End, value: &[u8], limits: Limits) -> bool {
        let needle = Needle::new(pivot);
        match self.iter().position(|entry| needle.matches(entry)) {
            Some(index) => self.insert_beside_index(index, side, value, limits),
            None => false,
        }
    }

    /// Removes elements equal to `value` as LREM does: the first `count`, the last `-count`, or all for 0. Returns how
    /// many. O(n).
    pub fn remove_value(&mut self, count: i64, value: &[u8], limits: Limits) -> usize {
        let needle = Needle::new(value);
        let wanted = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
        let mut skip = 0;
        if count < 0 {
            let matches = self.iter().filter(|&entry| needle.matches(entry)).count();
            skip = matches.saturating_sub(wanted);
        }
        let mut left = if count > 0 { wanted } else { usize::MAX };
        let len_before = self.len();
        let mut goes = |entry: Entry<'_>| {
            if left == 0 || !needle.matches(entry) {
                return false;
            }
            if skip > 0 {
                skip -= 1;
                return false;
            }
            left -= 1;
            true
        };
        match &mut self.repr {
            Repr::Listpack(Node::Packed(pack)) => pack.retain(|entry| !goes(entry)),
            Repr::Listpack(Node::Plain(_)) => unreachable!("a list in one listpack is packed"),
            Repr::Nodes(quicklist) => {
                for node in &mut quicklist.nodes {
                    let before = node.len();
                    node.remove_if(&mut goes);
                    quicklist.len -= before - node.len();
                }
                quicklist.nodes.retain(|node| !node.is_empty());
            }
        }
        self.settle(limits);
        len_before - self.len()
    }

    /// Keeps `count` elements from index `start` on. O(elements removed + bytes of a node).
    pub fn trim(&mut self, start: usize, count: usize, limits: Limits) {
        let len = self.len();
        let start = start.min(len);
        let end = start.saturating_add(count).min(len);
        self.remove_run(end, len - end);
        self.remove_run(0, start);
        self.settle(limits);
    }

    // Encodings.

    /// Becomes a quicklist when the values to come would make the one listpack too large.
    fn make_room(&mut self, count: usize, bytes: usize, limits: Limits) {
        let Repr::Listpack(Node::Packed(pack)) = &mut self.repr else { return };
        if !limits.exceeded_by(pack.size_bytes() + bytes, pack.len() + count) {
            return;
        }
        let len = pack.len();
        let mut nodes = VecDeque::new();
        if len > 0 {
            nodes.push_back(Node::Packed(std::mem::take(pack)));
        }
        self.repr = Repr::Nodes(Box::new(Quicklist { nodes, len }));
    }

    /// Becomes a listpack again after shrinking below half of the limit.
    fn settle(&mut self, limits: Limits) {
        self.join_within(limits.size_max() / 2, limits.len_max() / 2, limits);
    }

    fn join_within(&mut self, size_max: usize, len_max: usize, limits: Limits) {
        let Repr::Nodes(quicklist) = &mut self.repr else { return };
        if quicklist.nodes.is_empty() {
            *self = Self::new();
            return;
        }
        if quicklist.nodes.len() != 1 {
            return;
        }
        // A setting that counts elements does not look at the size here, as in Redis.
        let size_max = if limits.max_listpack_size < 0 { size_max } else { usize::MAX };
        if let Some(Node::Packed(pack)) = quicklist.nodes.front_mut()
            && pack.size_bytes() <= size_max
            && pack.len() <= len_max
        {
            self.repr = Repr::Listpack(Node::Packed(std::mem::take(pack)));
        }
    }

    // Nodes.

    fn node_count(&self) -> usize {
        match &self.repr {
            Repr::Listpack(_) => 1,
            Repr::Nodes(quicklist) => quicklist.nodes.len(),
        }
    }

    fn node(&self, index: usize) -> &Node {
        match &self.repr {
            Repr::Listpack(node) => node,
            Repr::Nodes(quicklist) => &quicklist.nodes[index],
        }
    }

    fn node_mut(&mut self, index: usize) -> &mut Node {
        match &mut self.repr {
            Repr::Listpack(node) => node,
            Repr::Nodes(quicklist) => &mut quicklist.nodes[index],
        }
    }

    fn absolute(&self, index: i64) -> Option<usize> {
        let len = self.len() as i64;
        let index = if index < 0 { index + len } else { index };
        (0..len).contains(&index).then_some(index as usize)
    }

    /// Node and offset in it of the element with this index, which is below the length.
    fn locate(&self, index: usize) -> (usize, usize) {
        match &self.repr {
            Repr::Listpack(_) => (0, index),
            Repr::Nodes(quicklist) => quicklist.locate(index),
        }
    }

    fn push_within(&mut self, end: End, value: &[u8], limits: Limits) {
        match &mut self.repr {
            Repr::Listpack(node) => node.push(end, value),
            Repr::Nodes(quicklist) => quicklist.push(end, value, limits),
        }
    }

    fn insert_large(&mut self, index: usize, value: &[u8]) {
        match &mut self.repr {
            Repr::Listpack(_) => unreachable!("room for a large element was made before"),
            Repr::Nodes(quicklist) => quicklist.insert_large(index, value),
        }
    }

    fn remove_run(&mut self, start: usize, count: usize) {
        match &mut self.repr {
            Repr::Listpack(node) => node.remove_run(start, count),
            Repr::Nodes(quicklist) => quicklist.remove_run(start, count),
        }
    }
}

/// Elements of a list in one direction.
#[derive(Clone)]
pub struct Walk<'a> {
    list: &'a List,
    node: usize,
    current: NodeIter<'a>,
    towards: End,
    remaining: usize,
}

impl<'a> Iterator for Walk<'a> {
    type Item = Entry<'a>;

    #[inline]
    fn next(&mut self) -> Option<Entry<'a>> {
        if self.remaining == 0 {
            return None;
        }
        self.remaining -= 1;
        loop {
            let entry = match (&mut self.current, self.towards) {
                (NodeIter::Packed(iter), End::Back) => iter.next(),
                (NodeIter::Packed(iter), End::Front) => iter.next_back(),
                (NodeIter::Plain(value), _) => value.take().map(Entry::Bytes),
            };
            if entry.is_some() {
                return entry;
            }
            let next = match self.towards {
                End::Back => self.node + 1,
                End::Front => self.node.checked_sub(1)?,
            };
            if next >= self.list.node_count() {
                return None;
            }
            self.node = next;
            let node = self.list.node(next);
            self.current = match self.towards {
                End::Back => node.iter_from(0),
                End::Front => node.iter_to(node.len()),
            };
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.remaining, Some(self.remaining))
    }
}

impl ExactSizeIterator for Walk<'_> {}

#[cfg(test)]
mod tests;

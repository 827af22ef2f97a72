//! The nodes of a large list, and when a node is full. Nothing here knows when a list becomes large.

use std::collections::VecDeque;

use super::End;
use crate::data::listpack::{self, Entry, Listpack};

/// Sizes in bytes that `list-max-listpack-size` -1 to -5 stand for.
const SIZES_MAX_BYTES: [usize; 5] = [4096, 8192, 16384, 32768, 65536];
/// The size no node passes when the setting counts elements.
const SIZE_SAFE_BYTES: usize = 8192;
/// What one more element may cost a node beyond its text.
const OVERHEAD_BYTES: usize = 8;

/// The settings a list's encoding depends on.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// `list-max-listpack-size`: elements a node when positive, a size class of 4 KB to 64 KB when negative.
    pub max_listpack_size: i32,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { max_listpack_size: -2 }
    }
}

impl Limits {
    pub(super) fn size_max(self) -> usize {
        match self.max_listpack_size {
            0.. => SIZE_SAFE_BYTES,
            negative => SIZES_MAX_BYTES[(negative.unsigned_abs() as usize).min(SIZES_MAX_BYTES.len()) - 1],
        }
    }

    pub(super) fn len_max(self) -> usize {
        if self.max_listpack_size < 0 { usize::MAX } else { self.max_listpack_size.max(1) as usize }
    }

    pub(super) fn exceeded_by(self, size_bytes: usize, len: usize) -> bool {
        size_bytes > self.size_max() || len > self.len_max()
    }

    /// Whether a string of this length gets a node of its own.
    pub(super) fn is_large(self, len: usize) -> bool {
        len > self.size_max()
    }
}

/// A part of a list: many elements, or a single large one.
#[derive(Clone, Debug)]
pub enum Node {
    Packed(Listpack),
    Plain(Box<[u8]>),
}

/// No node is empty.
#[derive(Clone, Debug, Default)]
pub(super) struct Quicklist {
    pub nodes: VecDeque<Node>,
    pub len: usize,
}

#[derive(Clone)]
pub(super) enum NodeIter<'a> {
    Packed(listpack::Iter<'a>),
    Plain(Option<&'a [u8]>),
}

impl Quicklist {
    pub(super) fn locate(&self, index: usize) -> (usize, usize) {
        if index <= self.len / 2 {
            let mut left = index;
            for (at, node) in self.nodes.iter().enumerate() {
                if left < node.len() {
                    return (at, left);
                }
                left -= node.len();
            }
        } else {
            let mut right = self.len - index;
            for (at, node) in self.nodes.iter().enumerate().rev() {
                if right <= node.len() {
                    return (at, node.len() - right);
                }
                right -= node.len();
            }
        }
        unreachable!("the index is below the length, which is the sum of the nodes' lengths")
    }

    pub(super) fn push(&mut self, end: End, value: &[u8], limits: Limits) {
        self.len += 1;
        let outer = match end {
            End::Front => self.nodes.front_mut(),
            End::Back => self.nodes.back_mut(),
        };
        match outer {
            Some(node) if node.has_room(value, limits) => node.push(end, value),
            full => {
                // The inner nodes of a long list are where its memory is; they keep no room to grow.
                if let Some(Node::Packed(pack)) = full {
                    pack.shrink_to_fit();
                }
                let mut node = Node::of_one(value, limits);
                if let Node::Packed(pack) = &mut node
                    && self.nodes.len() > 1
                    && limits.max_listpack_size < 0
                {
                    // A list this long fills the next node as well; growing it step by step would leave gaps behind.
                    let room = limits.size_max().saturating_sub(pack.size_bytes());
                    let front = if end == End::Front { room } else { 0 };
                    pack.reserve(front, room - front);
                }
                match end {
                    End::Front => self.nodes.push_front(node),
                    End::Back => self.nodes.push_back(node),
                }
            }
        }
    }

    /// The element goes to the node of its neighbour, else to the next node if it has room, else to a new node or half of
    /// one: as in Redis, so that saved bytes agree.
    pub(super) fn insert(&mut self, neighbour: usize, side: End, value: &[u8], limits: Limits) {
        let (at, offset) = self.locate(neighbour);
        self.len += 1;
        let last = self.nodes[at].len() - 1;
        if self.nodes[at].has_room(value, limits) {
            self.nodes[at].insert(offset + usize::from(side == End::Back), value);
        } else if side == End::Back && offset == last {
            match self.nodes.get_mut(at + 1) {
                Some(next) if next.has_room(value, limits) => next.push(End::Front, value),
                _ => self.nodes.insert(at + 1, Node::of_one(value, limits)),
            }
        } else if side == End::Front && offset == 0 {
            match at.checked_sub(1).map(|before| &mut self.nodes[before]) {
                Some(previous) if previous.has_room(value, limits) => previous.push(End::Back, value),
                _ => self.nodes.insert(at, Node::of_one(value, limits)),
            }
        } else {
            self.split(at, offset, side, value);
            self.merge_around(at + usize::from(side == End::Front), limits);
        }
    }

    /// Splits a node beside an element and puts a new one where the halves part: into the half that lacks the neighbour.
    pub(super) fn split(&mut self, at: usize, offset: usize, side: End, value: &[u8]) {
        let mut right = self.nodes[at].split_off(offset + usize::from(side == End::Back));
        match side {
            End::Front => self.nodes[at].push(End::Back, value),
            End::Back => right.push(End::Front, value),
        }
        self.nodes.insert(at + 1, right);
    }

    /// After a split: joins the two nodes before `center`, the two behind it, then these with it.
    pub(super) fn merge_around(&mut self, mut center: usize, limits: Limits) {
        if center >= 2 && self.merge(center - 2, limits) {
            center -= 1;
        }
        self.merge(center + 1, limits);
        if center >= 1 && self.merge(center - 1, limits) {
            center -= 1;
        }
        self.merge(center, limits);
    }

    pub(super) fn insert_large(&mut self, index: usize, value: &[u8]) {
        let plain = Node::Plain(value.into());
        if index == self.len {
            self.nodes.push_back(plain);
        } else {
            let (at, offset) = self.locate(index);
            if offset == 0 {
                self.nodes.insert(at, plain);
            } else {
                let right = self.nodes[at].split_off(offset);
                self.nodes.insert(at + 1, plain);
                self.nodes.insert(at + 2, right);
            }
        }
        self.len += 1;
    }

    /// Joins the nodes `at` and `at + 1` when one node may hold both.
    pub(super) fn merge(&mut self, at: usize, limits: Limits) -> bool {
        let (Some(Node::Packed(left)), Some(Node::Packed(right))) =
            (self.nodes.get(at), self.nodes.get(at + 1))
        else {
            return false;
        };
        // Two listpacks' headers and ends become one.
        let size = left.size_bytes() + right.size_bytes() - 7;
        if limits.exceeded_by(size, left.len() + right.len()) {
            return false;
        }
        if let Some(Node::Packed(right)) = self.nodes.remove(at + 1)
            && let Node::Packed(left) = &mut self.nodes[at]
        {
            left.append(&right);
        }
        true
    }

    pub(super) fn remove_run(&mut self, start: usize, count: usize) {
        if count == 0 || start >= self.len {
            return;
        }
        let count = count.min(self.len - start);
        let (first, mut offset) = self.locate(start);
        let (mut at, mut left) = (first, count);
        let (mut emptied_from, mut emptied) = (0, 0);
        while left > 0 {
            let node = &mut self.nodes[at];
            let here = left.min(node.len() - offset);
            if here == node.len() {
                if emptied == 0 {
                    emptied_from = at;
                }
                emptied += 1;
            } else {
                node.remove_run(offset, here);
            }
            left -= here;
            offset = 0;
            at += 1;
        }
        match emptied {
            0 => {}
            1 => drop(self.nodes.remove(emptied_from)),
            _ => drop(self.nodes.drain(emptied_from..emptied_from + emptied)),
        }
        self.len -= count;
        if self.nodes.capacity() > 4 * self.nodes.len() + 16 {
            self.nodes.shrink_to(2 * self.nodes.len());
        }
    }
}

impl Node {
    pub(super) fn of_one(value: &[u8], limits: Limits) -> Self {
        if limits.is_large(value.len()) {
            return Node::Plain(value.into());
        }
        let mut pack = Listpack::new();
        pack.push_back(value);
        Node::Packed(pack)
    }

    pub fn len(&self) -> usize {
        match self {
            Node::Packed(pack) => pack.len(),
            Node::Plain(_) => 1,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn heap_bytes(&self) -> usize {
        match self {
            Node::Packed(pack) => pack.heap_bytes(),
            Node::Plain(value) => value.len(),
        }
    }

    pub(super) fn get(&self, offset: usize) -> Option<Entry<'_>> {
        match self {
            Node::Packed(pack) => pack.get_index(offset as i64),
            Node::Plain(value) => (offset == 0).then_some(Entry::Bytes(value)),
        }
    }

    pub(super) fn has_room(&self, value: &[u8], limits: Limits) -> bool {
        match self {
            Node::Packed(pack) if !limits.is_large(value.len()) => {
                !limits.exceeded_by(pack.size_bytes() + value.len() + OVERHEAD_BYTES, pack.len() + 1)
            }
            _ => false,
        }
    }

    pub(super) fn pack(&mut self) -> &mut Listpack {
        match self {
            Node::Packed(pack) => pack,
            Node::Plain(_) => unreachable!("a plain node has no room and nothing to split"),
        }
    }

    pub(super) fn push(&mut self, end: End, value: &[u8]) {
        match end {
            End::Front => self.pack().push_front(value),
            End::Back => self.pack().push_back(value),
        }
    }

    pub(super) fn insert(&mut self, offset: usize, value: &[u8]) {
        let pack = self.pack();
        let at = pack.seek(offset as i64).unwrap_or(pack.end());
        pack.insert(at, value);
    }

    pub(super) fn split_off(&mut self, offset: usize) -> Node {
        Node::Packed(self.pack().split_off(offset))
    }

    pub(super) fn remove_run(&mut self, offset: usize, count: usize) {
        if count > 0 {
            self.pack().remove_range(offset as i64, count);
        }
    }

    pub(super) fn remove_if(&mut self, goes: &mut impl FnMut(Entry<'_>) -> bool) {
        match self {
            Node::Packed(pack) => pack.retain(|entry| !goes(entry)),
            Node::Plain(value) => {
                if goes(Entry::Bytes(value)) {
                    *self = Node::Packed(Listpack::new());
                }
            }
        }
    }

    pub(super) fn iter_from(&self, offset: usize) -> NodeIter<'_> {
        match self {
            Node::Packed(pack) => NodeIter::Packed(pack.iter_from(offset)),
            Node::Plain(value) => NodeIter::Plain(Some(value)),
        }
    }

    pub(super) fn iter_to(&self, len: usize) -> NodeIter<'_> {
        match self {
            Node::Packed(pack) => NodeIter::Packed(pack.iter_to(len)),
            Node::Plain(value) => NodeIter::Plain(Some(value)),
        }
    }
}

//! A list: one listpack while it is small, a sequence of listpack nodes (a quicklist) afterwards.
//!
//! When the encoding changes is Redis's rule; inside a node nothing is compressed. This file must not know keys, clients
//! or time.

use std::collections::VecDeque;

use crate::data::listpack::{self, Entry, Listpack, Needle};

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
    fn size_max(self) -> usize {
        match self.max_listpack_size {
            0.. => SIZE_SAFE_BYTES,
            negative => SIZES_MAX_BYTES[(negative.unsigned_abs() as usize).min(SIZES_MAX_BYTES.len()) - 1],
        }
    }

    fn len_max(self) -> usize {
        if self.max_listpack_size < 0 { usize::MAX } else { self.max_listpack_size.max(1) as usize }
    }

    fn exceeded_by(self, size_bytes: usize, len: usize) -> bool {
        size_bytes > self.size_max() || len > self.len_max()
    }

    /// Whether a string of this length gets a node of its own.
    fn is_large(self, len: usize) -> bool {
        len > self.size_max()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Front,
    Back,
}

/// A part of a list: many elements, or a single large one.
#[derive(Clone, Debug)]
pub enum Node {
    Packed(Listpack),
    Plain(Box<[u8]>),
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

/// No node is empty.
#[derive(Clone, Debug, Default)]
struct Quicklist {
    nodes: VecDeque<Node>,
    len: usize,
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

    /// O(nodes).
    pub fn heap_bytes(&self) -> usize {
        match &self.repr {
            Repr::Listpack(node) => node.heap_bytes(),
            Repr::Nodes(quicklist) => {
                let own = size_of::<Quicklist>() + quicklist.nodes.capacity() * size_of::<Node>();
                own + quicklist.nodes.iter().map(Node::heap_bytes).sum::<usize>()
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

impl Quicklist {
    fn locate(&self, index: usize) -> (usize, usize) {
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

    fn push(&mut self, end: End, value: &[u8], limits: Limits) {
        self.len += 1;
        let outer = match end {
            End::Front => self.nodes.front_mut(),
            End::Back => self.nodes.back_mut(),
        };
        match outer {
            Some(node) if node.has_room(value, limits) => node.push(end, value),
            _ => {
                let node = Node::of_one(value, limits);
                match end {
                    End::Front => self.nodes.push_front(node),
                    End::Back => self.nodes.push_back(node),
                }
            }
        }
    }

    /// The element goes to the node of its neighbour, else to the next node if it has room, else to a new node or half of
    /// one: as in Redis, so that saved bytes agree.
    fn insert(&mut self, neighbour: usize, side: End, value: &[u8], limits: Limits) {
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
    fn split(&mut self, at: usize, offset: usize, side: End, value: &[u8]) {
        let mut right = self.nodes[at].split_off(offset + usize::from(side == End::Back));
        match side {
            End::Front => self.nodes[at].push(End::Back, value),
            End::Back => right.push(End::Front, value),
        }
        self.nodes.insert(at + 1, right);
    }

    /// After a split: joins the two nodes before `center`, the two behind it, then these with it.
    fn merge_around(&mut self, mut center: usize, limits: Limits) {
        if center >= 2 && self.merge(center - 2, limits) {
            center -= 1;
        }
        self.merge(center + 1, limits);
        if center >= 1 && self.merge(center - 1, limits) {
            center -= 1;
        }
        self.merge(center, limits);
    }

    fn insert_large(&mut self, index: usize, value: &[u8]) {
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
    fn merge(&mut self, at: usize, limits: Limits) -> bool {
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

    fn remove_run(&mut self, start: usize, count: usize) {
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
    fn of_one(value: &[u8], limits: Limits) -> Self {
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

    fn heap_bytes(&self) -> usize {
        match self {
            Node::Packed(pack) => pack.heap_bytes(),
            Node::Plain(value) => value.len(),
        }
    }

    fn get(&self, offset: usize) -> Option<Entry<'_>> {
        match self {
            Node::Packed(pack) => pack.get_index(offset as i64),
            Node::Plain(value) => (offset == 0).then_some(Entry::Bytes(value)),
        }
    }

    fn has_room(&self, value: &[u8], limits: Limits) -> bool {
        match self {
            Node::Packed(pack) if !limits.is_large(value.len()) => {
                !limits.exceeded_by(pack.size_bytes() + value.len() + OVERHEAD_BYTES, pack.len() + 1)
            }
            _ => false,
        }
    }

    fn pack(&mut self) -> &mut Listpack {
        match self {
            Node::Packed(pack) => pack,
            Node::Plain(_) => unreachable!("a plain node has no room and nothing to split"),
        }
    }

    fn push(&mut self, end: End, value: &[u8]) {
        match end {
            End::Front => self.pack().push_front(value),
            End::Back => self.pack().push_back(value),
        }
    }

    fn insert(&mut self, offset: usize, value: &[u8]) {
        let pack = self.pack();
        let at = pack.seek(offset as i64).unwrap_or(pack.end());
        pack.insert(at, value);
    }

    fn split_off(&mut self, offset: usize) -> Node {
        Node::Packed(self.pack().split_off(offset))
    }

    fn remove_run(&mut self, offset: usize, count: usize) {
        if count > 0 {
            self.pack().remove_range(offset as i64, count);
        }
    }

    fn remove_if(&mut self, goes: &mut impl FnMut(Entry<'_>) -> bool) {
        match self {
            Node::Packed(pack) => pack.retain(|entry| !goes(entry)),
            Node::Plain(value) => {
                if goes(Entry::Bytes(value)) {
                    *self = Node::Packed(Listpack::new());
                }
            }
        }
    }

    fn iter_from(&self, offset: usize) -> NodeIter<'_> {
        match self {
            Node::Packed(pack) => NodeIter::Packed(pack.iter_from(offset)),
            Node::Plain(value) => NodeIter::Plain(Some(value)),
        }
    }

    fn iter_to(&self, len: usize) -> NodeIter<'_> {
        match self {
            Node::Packed(pack) => NodeIter::Packed(pack.iter_to(len)),
            Node::Plain(value) => NodeIter::Plain(Some(value)),
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

#[derive(Clone)]
enum NodeIter<'a> {
    Packed(listpack::Iter<'a>),
    Plain(Option<&'a [u8]>),
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

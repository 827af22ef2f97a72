//! The nodes of the order: arrays of items and nothing that knows where other nodes are or what order means.

use std::ops::{Index, IndexMut};

pub const LEAF: usize = 64;
pub const INNER: usize = 32;
/// No node.
pub const NONE: u32 = u32::MAX;

#[derive(Clone)]
pub struct Leaf {
    pub len: u32,
    pub prev: u32,
    pub next: u32,
    pub numbers: [u32; LEAF],
    pub scores: [f64; LEAF],
}

#[derive(Clone)]
pub struct Inner {
    pub len: u32,
    pub children: [u32; INNER],
    pub counts: [u32; INNER],
    pub numbers: [u32; INNER],
    pub scores: [f64; INNER],
}

/// An item of the tree: the score is the member's, copied to where it is compared.
#[derive(Clone, Copy)]
pub struct Item {
    pub score: f64,
    pub number: u32,
}

impl Leaf {
    pub fn empty() -> Self {
        Leaf { len: 0, prev: NONE, next: NONE, numbers: [0; LEAF], scores: [0.0; LEAF] }
    }

    #[inline]
    pub fn item(&self, at: usize) -> Item {
        Item { score: self.scores[at], number: self.numbers[at] }
    }

    #[inline]
    pub fn partition(&self, is_before: impl FnMut(Item) -> bool) -> usize {
        partition(0, self.len as usize, |at| self.item(at), is_before)
    }

    pub fn insert(&mut self, at: usize, item: Item) {
        let len = self.len as usize;
        self.numbers.copy_within(at..len, at + 1);
        self.scores.copy_within(at..len, at + 1);
        (self.numbers[at], self.scores[at]) = (item.number, item.score);
        self.len += 1;
    }

    pub fn remove(&mut self, at: usize) {
        let len = self.len as usize;
        self.numbers.copy_within(at + 1..len, at);
        self.scores.copy_within(at + 1..len, at);
        self.len -= 1;
    }

    pub fn split_off(&mut self, keep: usize) -> Leaf {
        let mut right = Leaf::empty();
        right.take(self, keep);
        self.len = keep as u32;
        right
    }

    pub fn append(&mut self, other: &Leaf) {
        self.take(other, 0);
    }

    fn take(&mut self, other: &Leaf, from: usize) {
        let (len, more) = (self.len as usize, other.len as usize - from);
        self.numbers[len..len + more].copy_from_slice(&other.numbers[from..from + more]);
        self.scores[len..len + more].copy_from_slice(&other.scores[from..from + more]);
        self.len += more as u32;
    }
}

impl Inner {
    pub fn empty() -> Self {
        Inner { len: 0, children: [0; INNER], counts: [0; INNER], numbers: [0; INNER], scores: [0.0; INNER] }
    }

    #[inline]
    pub fn item(&self, at: usize) -> Item {
        Item { score: self.scores[at], number: self.numbers[at] }
    }

    /// The last child whose first item satisfies `holds`, or the first child.
    #[inline]
    pub fn child_of(&self, holds: impl FnMut(Item) -> bool) -> usize {
        partition(1, self.len as usize, |at| self.item(at), holds) - 1
    }

    pub fn insert(&mut self, at: usize, child: u32, first: Item, count: u32) {
        let len = self.len as usize;
        self.children.copy_within(at..len, at + 1);
        self.counts.copy_within(at..len, at + 1);
        self.numbers.copy_within(at..len, at + 1);
        self.scores.copy_within(at..len, at + 1);
        (self.children[at], self.counts[at]) = (child, count);
        (self.numbers[at], self.scores[at]) = (first.number, first.score);
        self.len += 1;
    }

    pub fn remove(&mut self, at: usize) {
        let len = self.len as usize;
        self.children.copy_within(at + 1..len, at);
        self.counts.copy_within(at + 1..len, at);
        self.numbers.copy_within(at + 1..len, at);
        self.scores.copy_within(at + 1..len, at);
        self.len -= 1;
    }

    pub fn split_off(&mut self, keep: usize) -> Inner {
        let mut right = Inner::empty();
        right.take(self, keep);
        self.len = keep as u32;
        right
    }

    pub fn append(&mut self, other: &Inner) {
        self.take(other, 0);
    }

    fn take(&mut self, other: &Inner, from: usize) {
        let (len, more) = (self.len as usize, other.len as usize - from);
        self.children[len..len + more].copy_from_slice(&other.children[from..from + more]);
        self.counts[len..len + more].copy_from_slice(&other.counts[from..from + more]);
        self.numbers[len..len + more].copy_from_slice(&other.numbers[from..from + more]);
        self.scores[len..len + more].copy_from_slice(&other.scores[from..from + more]);
        self.len += more as u32;
    }
}

/// First index in `low..high` whose item does not satisfy `holds`.
#[inline]
fn partition(
    mut low: usize,
    mut high: usize,
    item: impl Fn(usize) -> Item,
    mut holds: impl FnMut(Item) -> bool,
) -> usize {
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(item(middle)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

/// Nodes by number, each in an allocation of its own that goes when the node goes.
#[derive(Clone)]
pub struct Arena<N> {
    nodes: Vec<Option<Box<N>>>,
    vacant: Vec<u32>,
}

impl<N> Arena<N> {
    pub fn new() -> Self {
        Arena { nodes: Vec::new(), vacant: Vec::new() }
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.nodes.len() - self.vacant.len()
    }

    pub fn add(&mut self, node: N) -> u32 {
        let number = self.vacant.pop().unwrap_or(self.nodes.len() as u32);
        if number as usize == self.nodes.len() {
            self.nodes.push(None);
        }
        self.nodes[number as usize] = Some(Box::new(node));
        number
    }

    pub fn remove(&mut self, number: u32) {
        self.nodes[number as usize] = None;
        self.vacant.push(number);
    }

    pub fn get(&self, number: u32) -> Option<&N> {
        self.nodes.get(number as usize)?.as_deref()
    }

    pub fn get_mut(&mut self, number: u32) -> Option<&mut N> {
        self.nodes.get_mut(number as usize)?.as_deref_mut()
    }

    pub fn heap_bytes(&self) -> usize {
        (self.nodes.len() - self.vacant.len()) * size_of::<N>()
            + self.nodes.capacity() * 8
            + self.vacant.capacity() * size_of::<u32>()
    }
}

impl<N> Index<u32> for Arena<N> {
    type Output = N;

    #[inline]
    fn index(&self, number: u32) -> &N {
        self.nodes[number as usize].as_ref().expect("nobody refers to a node that is gone")
    }
}

impl<N> IndexMut<u32> for Arena<N> {
    #[inline]
    fn index_mut(&mut self, number: u32) -> &mut N {
        self.nodes[number as usize].as_mut().expect("nobody refers to a node that is gone")
    }
}

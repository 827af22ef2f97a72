//! The order of a big sorted set: a counted B+-tree of (score, member number), so rank, position and order cost
//! O(log n) alike.
//!
//! A node's separators are copies of the first item below each child, kept exact. Nodes that fall below half are
//! merged with a neighbour when both fit into three quarters of one, which leaves room before the next split. Items that
//! arrive in ascending or descending order fill their leaves. This file must not know how a member's text is found:
//! `Members` is asked, and only when scores are equal.

use super::members::Members;
use super::nodes::{Arena, INNER, Inner, Item, LEAF, Leaf, NONE};
use std::cmp::Ordering;

/// Where an item is or would be: the leaf, the place in it, and how many items come before.
#[derive(Clone, Copy, Debug)]
struct Spot {
    leaf: u32,
    at: usize,
    rank: usize,
}

#[derive(Clone)]
pub struct Ranked {
    leaves: Arena<Leaf>,
    inners: Arena<Inner>,
    /// A leaf when `height` is 0, otherwise an inner node whose children's height is one less.
    root: u32,
    height: u32,
    len: usize,
    last: u32,
}

impl Default for Ranked {
    fn default() -> Self {
        Self::new()
    }
}

impl Ranked {
    pub fn new() -> Self {
        let mut leaves = Arena::new();
        let root = leaves.add(Leaf::empty());
        Ranked { leaves, inners: Arena::new(), root, height: 0, len: 0, last: root }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    /// Puts in a member by its score and text, both of which `members` already knows. O(log n).
    pub fn insert(&mut self, members: &Members, number: u32) {
        let item = Item { score: members.score(number), number };
        if let Some(sibling) = self.insert_below(members, self.root, self.height, item) {
            let mut root = Inner::empty();
            for child in [self.root, sibling] {
                let (first, count) = (self.first_of(child, self.height), self.count_of(child, self.height));
                root.insert(root.len as usize, child, first, count);
            }
            self.root = self.inners.add(root);
            self.height += 1;
        }
        self.len += 1;
    }

    /// Takes out a member, of which `members` must still know the score and text it was put in with. O(log n).
    pub fn remove(&mut self, members: &Members, number: u32) {
        let item = Item { score: members.score(number), number };
        self.remove_below(members, self.root, self.height, item);
        self.len -= 1;
        while self.height > 0 && self.inners[self.root].len == 1 {
            let child = self.inners[self.root].children[0];
            self.inners.remove(self.root);
            self.root = child;
            self.height -= 1;
        }
    }

    /// Moves a member to where a new score puts it, and tells `members` the score. O(log n), and cheaper when the
    /// order stays.
    pub fn rescore(&mut self, members: &mut Members, number: u32, score: f64) {
        let spot = self.spot_of(members, number);
        let leaf = &mut self.leaves[spot.leaf];
        let target = Item { score, number };
        // The first of a leaf is also a separator, so it takes the long way.
        let inside = spot.at > 0 && spot.at + 1 < leaf.len as usize;
        if inside
            && before(members, leaf.item(spot.at - 1), target)
            && !before(members, leaf.item(spot.at + 1), target)
        {
            leaf.scores[spot.at] = score;
            members.set_score(number, score);
            return;
        }
        self.remove(members, number);
        members.set_score(number, score);
        self.insert(members, number);
    }

    /// Gives a member another number; `members` must still know it under the old one. O(log n).
    pub fn renumber(&mut self, members: &Members, old: u32, new: u32) {
        let target = Item { score: members.score(old), number: old };
        let (mut node, mut height) = (self.root, self.height);
        while height > 0 {
            let inner = &mut self.inners[node];
            let at = inner.child_of(|item| !after(members, item, target));
            if inner.numbers[at] == old {
                inner.numbers[at] = new;
            }
            node = inner.children[at];
            height -= 1;
        }
        let leaf = &mut self.leaves[node];
        let at = leaf.partition(|item| before(members, item, target));
        debug_assert_eq!(leaf.numbers[at], old);
        leaf.numbers[at] = new;
    }

    /// How many members come before this one. O(log n).
    pub fn rank(&self, members: &Members, number: u32) -> usize {
        self.spot_of(members, number).rank
    }

    /// How many members there are for which `is_before` holds, which must hold for the first so many only. O(log n).
    pub fn partition(&self, mut is_before: impl FnMut(f64, u32) -> bool) -> usize {
        self.descend(|item| is_before(item.score, item.number)).rank
    }

    /// The member with this rank. O(log n).
    pub fn number_at(&self, rank: usize) -> Option<u32> {
        self.iter(rank, rank + 1).next()
    }

    /// The members with ranks `from..to`, from either end. O(log n) to start.
    pub fn iter(&self, from: usize, to: usize) -> Iter<'_> {
        let to = to.min(self.len);
        if from >= to {
            return Iter { tree: self, front: (0, 0), back: (0, 0), remaining: 0 };
        }
        Iter { tree: self, front: self.select(from), back: self.select(to - 1), remaining: to - from }
    }

    pub fn heap_bytes(&self) -> usize {
        self.leaves.heap_bytes() + self.inners.heap_bytes()
    }

    fn spot_of(&self, members: &Members, number: u32) -> Spot {
        let target = Item { score: members.score(number), number };
        // Separators are first items, so looking for the last child that is not after the member finds its leaf.
        let spot = self.descend(|item| before(members, item, target));
        let leaf = &self.leaves[spot.leaf];
        if spot.at < leaf.len as usize {
            return spot;
        }
        // The member is first in the next leaf.
        Spot { leaf: leaf.next, at: 0, rank: spot.rank }
    }

    /// The first place where `is_before` no longer holds; it may be behind the last item of a leaf.
    fn descend(&self, mut is_before: impl FnMut(Item) -> bool) -> Spot {
        let (mut node, mut height, mut rank) = (self.root, self.height, 0);
        while height > 0 {
            let inner = &self.inners[node];
            let at = inner.child_of(&mut is_before);
            rank += inner.counts[..at].iter().map(|&count| count as usize).sum::<usize>();
            node = inner.children[at];
            height -= 1;
        }
        let at = self.leaves[node].partition(is_before);
        Spot { leaf: node, at, rank: rank + at }
    }

    fn select(&self, rank: usize) -> (u32, usize) {
        debug_assert!(rank < self.len);
        let (mut node, mut height, mut rest) = (self.root, self.height, rank);
        if rank + 1 == self.len {
            return (self.last, self.leaves[self.last].len as usize - 1);
        }
        while height > 0 {
            let inner = &self.inners[node];
            let mut at = 0;
            while rest >= inner.counts[at] as usize {
                rest -= inner.counts[at] as usize;
                at += 1;
            }
            node = inner.children[at];
            height -= 1;
        }
        (node, rest)
    }

    fn first_of(&self, node: u32, height: u32) -> Item {
        if height == 0 { self.leaves[node].item(0) } else { self.inners[node].item(0) }
    }

    fn count_of(&self, node: u32, height: u32) -> u32 {
        if height == 0 {
            return self.leaves[node].len;
        }
        let inner = &self.inners[node];
        inner.counts[..inner.len as usize].iter().sum()
    }

    fn len_of(&self, node: u32, height: u32) -> usize {
        let len = if height == 0 { self.leaves[node].len } else { self.inners[node].len };
        len as usize
    }

    /// Returns the new right sibling when the node had to be split.
    fn insert_below(&mut self, members: &Members, node: u32, height: u32, item: Item) -> Option<u32> {
        if height == 0 {
            let at = self.leaves[node].partition(|other| before(members, other, item));
            return self.insert_in_leaf(node, at, item);
        }
        let inner = &self.inners[node];
        let at = inner.child_of(|other| before(members, other, item));
        let child = inner.children[at];
        let sibling = self.insert_below(members, child, height - 1, item);
        self.refresh(node, at, height);
        let sibling = sibling?;
        let (first, count) = (self.first_of(sibling, height - 1), self.count_of(sibling, height - 1));
        if (self.inners[node].len as usize) < INNER {
            self.inners[node].insert(at + 1, sibling, first, count);
            return None;
        }
        let keep = if at + 1 == INNER { INNER } else { INNER / 2 };
        let mut right = self.inners[node].split_off(keep);
        if at < keep && keep < INNER {
            self.inners[node].insert(at + 1, sibling, first, count);
        } else {
            right.insert(at + 1 - keep, sibling, first, count);
        }
        Some(self.inners.add(right))
    }

    fn insert_in_leaf(&mut self, node: u32, at: usize, item: Item) -> Option<u32> {
        let leaf = &mut self.leaves[node];
        if (leaf.len as usize) < LEAF {
            leaf.insert(at, item);
            return None;
        }
        // Whoever adds at an end is likely to go on there: the full leaf stays full.
        let keep = if at == LEAF && leaf.next == NONE {
            LEAF
        } else if at == 0 && leaf.prev == NONE {
            0
        } else {
            LEAF / 2
        };
        let mut right = leaf.split_off(keep);
        if at < keep || (at == keep && keep < LEAF) {
            leaf.insert(at, item);
        } else {
            right.insert(at - keep, item);
        }
        (right.prev, right.next) = (node, leaf.next);
        let sibling = self.leaves.add(right);
        let next = std::mem::replace(&mut self.leaves[node].next, sibling);
        self.set_prev(next, sibling);
        Some(sibling)
    }

    fn remove_below(&mut self, members: &Members, node: u32, height: u32, item: Item) {
        if height == 0 {
            let leaf = &mut self.leaves[node];
            let at = leaf.partition(|other| before(members, other, item));
            debug_assert!(leaf.numbers[at] == item.number);
            leaf.remove(at);
            return;
        }
        let inner = &self.inners[node];
        let at = inner.child_of(|other| !after(members, other, item));
        let child = inner.children[at];
        self.remove_below(members, child, height - 1, item);
        self.mend(node, at, height);
    }

    /// After a removal below the child at `at`: drops it when empty, merges it when small.
    fn mend(&mut self, node: u32, at: usize, height: u32) {
        let child = self.inners[node].children[at];
        let room = if height == 1 { LEAF } else { INNER };
        let len = self.len_of(child, height - 1);
        if len == 0 {
            self.inners[node].remove(at);
            self.free(child, height - 1);
            return;
        }
        self.refresh(node, at, height);
        if len >= room / 2 {
            return;
        }
        let siblings = self.inners[node].len as usize;
        for left in [at.wrapping_sub(1), at] {
            if left >= siblings || left + 1 >= siblings {
                continue;
            }
            let pair = [left, left + 1].map(|at| self.inners[node].children[at]);
            if pair.iter().map(|&child| self.len_of(child, height - 1)).sum::<usize>() <= room * 3 / 4 {
                self.merge(pair, height - 1);
                self.inners[node].remove(left + 1);
                self.refresh(node, left, height);
                return;
            }
        }
    }

    fn merge(&mut self, [left, right]: [u32; 2], height: u32) {
        if height == 0 {
            let from = self.leaves[right].clone();
            self.leaves[left].append(&from);
            self.leaves[right].len = 0;
        } else {
            let from = self.inners[right].clone();
            self.inners[left].append(&from);
            self.inners[right].len = 0;
        }
        self.free(right, height);
    }

    /// Brings separator and count of the child at `at` up to date.
    fn refresh(&mut self, node: u32, at: usize, height: u32) {
        let child = self.inners[node].children[at];
        let (first, count) = (self.first_of(child, height - 1), self.count_of(child, height - 1));
        let inner = &mut self.inners[node];
        (inner.scores[at], inner.numbers[at], inner.counts[at]) = (first.score, first.number, count);
    }

    fn set_prev(&mut self, leaf: u32, prev: u32) {
        match self.leaves.get_mut(leaf) {
            Some(leaf) => leaf.prev = prev,
            None => self.last = prev,
        }
    }

    fn free(&mut self, node: u32, height: u32) {
        if height > 0 {
            self.inners.remove(node);
            return;
        }
        let (prev, next) = (self.leaves[node].prev, self.leaves[node].next);
        if let Some(prev) = self.leaves.get_mut(prev) {
            prev.next = next;
        }
        self.set_prev(next, prev);
        self.leaves.remove(node);
    }
}

/// Texts are read only when scores tie, and an item's own never.
#[inline]
fn compare(members: &Members, item: Item, target: Item) -> Ordering {
    if item.score < target.score {
        Ordering::Less
    } else if item.score > target.score {
        Ordering::Greater
    } else if item.number == target.number {
        Ordering::Equal
    } else {
        members.text(item.number).cmp(members.text(target.number))
    }
}

#[inline]
fn before(members: &Members, item: Item, target: Item) -> bool {
    compare(members, item, target) == Ordering::Less
}

#[inline]
fn after(members: &Members, item: Item, target: Item) -> bool {
    compare(members, item, target) == Ordering::Greater
}

/// Member numbers in order, from either end.
#[derive(Clone)]
pub struct Iter<'a> {
    tree: &'a Ranked,
    front: (u32, usize),
    back: (u32, usize),
    remaining: usize,
}

impl<'a> Iter<'a> {
    #[cfg(test)]
    fn items(mut self) -> impl Iterator<Item = Item> + use<'a> {
        std::iter::from_fn(move || self.next_item())
    }

    #[inline]
    fn next_item(&mut self) -> Option<Item> {
        self.remaining = self.remaining.checked_sub(1)?;
        let (node, at) = self.front;
        let leaf = &self.tree.leaves[node];
        self.front = if at + 1 < leaf.len as usize { (node, at + 1) } else { (leaf.next, 0) };
        Some(leaf.item(at))
    }
}

impl Iterator for Iter<'_> {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        self.next_item().map(|item| item.number)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.remaining, Some(self.remaining))
    }
}

impl DoubleEndedIterator for Iter<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<u32> {
        self.remaining = self.remaining.checked_sub(1)?;
        let (node, at) = self.back;
        let leaf = &self.tree.leaves[node];
        self.back = match at.checked_sub(1) {
            Some(at) => (node, at),
            None => match self.tree.leaves.get(leaf.prev) {
                Some(prev) => (leaf.prev, prev.len as usize - 1),
                None => (NONE, 0),
            },
        };
        Some(leaf.numbers[at])
    }
}

impl ExactSizeIterator for Iter<'_> {}

#[cfg(test)]
impl Ranked {
    /// Everything that must hold between the nodes.
    pub fn check(&self, members: &Members) {
        assert_eq!(self.count_of(self.root, self.height) as usize, self.len);
        let mut leaves = Vec::new();
        self.check_below(self.root, self.height, &mut leaves);
        assert_eq!(leaves.last(), Some(&self.last));
        for (at, &leaf) in leaves.iter().enumerate() {
            let node = &self.leaves[leaf];
            assert_eq!(node.prev, if at == 0 { NONE } else { leaves[at - 1] });
            assert_eq!(node.next, leaves.get(at + 1).copied().unwrap_or(NONE));
        }
        assert_eq!(leaves.len(), self.leaves.len());
        let items: Vec<Item> = self.iter(0, self.len).items().collect();
        for pair in items.windows(2) {
            assert!(before(members, pair[0], pair[1]));
        }
        assert!(items.iter().all(|item| members.score(item.number) == item.score));
    }

    fn check_below(&self, node: u32, height: u32, leaves: &mut Vec<u32>) {
        assert!(node == self.root || self.len_of(node, height) > 0);
        if height == 0 {
            return leaves.push(node);
        }
        let inner = &self.inners[node];
        for at in 0..inner.len as usize {
            let first = self.first_of(inner.children[at], height - 1);
            assert_eq!((inner.scores[at], inner.numbers[at]), (first.score, first.number));
            assert_eq!(inner.counts[at], self.count_of(inner.children[at], height - 1));
            self.check_below(inner.children[at], height - 1, leaves);
        }
    }
}

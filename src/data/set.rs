//! The set: distinct members without order.
//!
//! Small sets of integers are an intset, small sets of anything a listpack, others a hash table; each becomes the next at
//! the sizes at which Redis's does. `Entry` is how a member is given out, whichever it is.

use super::choice::{self, Rng};
use super::intset::{self, Intset};
use super::listpack::{self, Entry, Listpack, SIZE_MAX_BYTES};
use super::number::{Text, i64_text, parse_i64};
use super::packed::Packed;
use super::table::Table;
use foldhash::fast::FixedState;
use std::collections::HashSet;

#[cfg(test)]
mod tests;

/// Up to which size a set is an intset or a listpack, and the seed of a hash table.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// `set-max-intset-entries`: more integers become a hash table.
    pub max_intset_entries: usize,
    /// `set-max-listpack-entries`: more members leave the listpack.
    pub max_listpack_entries: usize,
    /// `set-max-listpack-value`: a longer member leaves the listpack.
    pub max_listpack_value: usize,
    /// Seed of the hash function of a big one.
    pub table_seed: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { max_intset_entries: 512, max_listpack_entries: 128, max_listpack_value: 64, table_seed: 0 }
    }
}

impl Limits {
    fn intset_max(self) -> usize {
        self.max_intset_entries.min(1 << 30)
    }
}

/// The listpack given to [`Set::from_listpack`] holds something twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corrupt;

#[derive(Clone)]
pub struct Set(Encoding);

enum Encoding {
    Intset(Intset),
    Listpack(Listpack),
    Hashtable(Box<Hashtable>),
}

/// A table and the bytes of its members, counted along.
struct Hashtable {
    table: Table<Packed>,
    members_bytes: usize,
    seed: u64,
}

impl Set {
    /// For about so many members to come, the first of which is known: what SADD creates.
    pub fn new(members: usize, first: &[u8], limits: Limits) -> Self {
        if members <= limits.max_intset_entries && parse_i64(first).is_some() {
            return Set(Encoding::Intset(Intset::new()));
        }
        if members <= limits.max_listpack_entries {
            return Set(Encoding::Listpack(Listpack::new()));
        }
        Set(Encoding::Hashtable(Box::new(Hashtable::new(limits.table_seed, members))))
    }

    /// For exactly so many members to come: what loading an RDB file creates.
    pub fn for_loading(members: usize, limits: Limits) -> Self {
        if members <= limits.intset_max() {
            return Self::new_intset();
        }
        Set(Encoding::Hashtable(Box::new(Hashtable::new(limits.table_seed, members.min(1 << 20)))))
    }

    /// An empty set that stays an intset while it can: what SUNIONSTORE and SDIFFSTORE fill.
    pub fn new_intset() -> Self {
        Set(Encoding::Intset(Intset::new()))
    }

    /// Takes over the intset of an RDB file or DUMP payload. O(1), beyond the limit O(n).
    pub fn from_intset(intset: Intset, limits: Limits) -> Self {
        let mut this = Set(Encoding::Intset(intset));
        if this.len() > limits.max_intset_entries {
            this.make_hashtable(0, limits);
        }
        this
    }

    /// Takes over the listpack of an RDB file or DUMP payload, if its elements are distinct. O(n).
    pub fn from_listpack(pack: Listpack, limits: Limits) -> Result<Self, Corrupt> {
        let mut seen = Hashtable::new(limits.table_seed, pack.len());
        let mut text = Text::new();
        if !pack.iter().all(|entry| seen.add(entry.bytes(&mut text))) {
            return Err(Corrupt);
        }
        if pack.len() > limits.max_listpack_entries {
            return Ok(Set(Encoding::Hashtable(Box::new(seen))));
        }
        Ok(Set(Encoding::Listpack(pack)))
    }

    /// The intset, when it is one, as RDB files and DUMP payloads hold it.
    pub fn as_intset(&self) -> Option<&Intset> {
        if let Encoding::Intset(ints) = &self.0 { Some(ints) } else { None }
    }

    /// The listpack, when it is one, as RDB files and DUMP payloads hold it.
    pub fn as_listpack(&self) -> Option<&Listpack> {
        if let Encoding::Listpack(pack) = &self.0 { Some(pack) } else { None }
    }

    /// What OBJECT ENCODING says.
    pub fn encoding(&self) -> &'static str {
        match &self.0 {
            Encoding::Intset(_) => "intset",
            Encoding::Listpack(_) => "listpack",
            Encoding::Hashtable(_) => "hashtable",
        }
    }

    /// Bytes allocated on a 64-bit machine. O(1).
    pub fn heap_bytes(&self) -> usize {
        match &self.0 {
            Encoding::Intset(ints) => ints.heap_bytes(),
            Encoding::Listpack(pack) => pack.heap_bytes(),
            Encoding::Hashtable(hash) => hash.table.heap_bytes() + hash.members_bytes,
        }
    }

    /// O(1).
    pub fn len(&self) -> usize {
        match &self.0 {
            Encoding::Intset(ints) => ints.len(),
            Encoding::Listpack(pack) => pack.len(),
            Encoding::Hashtable(hash) => hash.table.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Announces that one command is about to add up to so many members: if these alone are beyond the limit, a small set
    /// becomes a hash table at once, as in Redis even if most are there already.
    pub fn prepare(&mut self, members: usize, limits: Limits) {
        let too_many = match &self.0 {
            Encoding::Intset(_) => members > limits.max_intset_entries,
            Encoding::Listpack(_) => members > limits.max_listpack_entries,
            Encoding::Hashtable(_) => false,
        };
        if too_many {
            self.make_hashtable(members, limits);
        }
    }

    /// Says whether the member is new. O(1); an intset or listpack O(n).
    pub fn add(&mut self, member: &[u8], limits: Limits) -> bool {
        match &mut self.0 {
            Encoding::Hashtable(hash) => hash.add(member),
            Encoding::Listpack(pack) => {
                if pack.first().is_some_and(|first| pack.find(first, member, 0).is_some()) {
                    return false;
                }
                if pack.len() < limits.max_listpack_entries
                    && member.len() <= limits.max_listpack_value
                    && pack.size_bytes() + member.len() <= SIZE_MAX_BYTES / 2
                {
                    pack.push_back(member);
                } else {
                    self.make_hashtable(1, limits).add(member);
                }
                true
            }
            Encoding::Intset(ints) => match parse_i64(member) {
                Some(number) => {
                    let new = ints.insert(number);
                    if ints.len() > limits.intset_max() {
                        self.make_hashtable(0, limits);
                    }
                    new
                }
                None => {
                    self.add_text_to_intset(member, limits);
                    true
                }
            },
        }
    }

    /// [`Self::add`] of another set's member.
    pub fn add_entry(&mut self, member: Entry<'_>, limits: Limits) -> bool {
        if let (Encoding::Intset(ints), Entry::Int(number)) = (&mut self.0, member) {
            let new = ints.insert(number);
            if ints.len() > limits.intset_max() {
                self.make_hashtable(0, limits);
            }
            return new;
        }
        self.add(member.bytes(&mut Text::new()), limits)
    }

    /// Says whether the member was there. No encoding ever changes back. O(1); an intset or listpack O(n).
    pub fn remove(&mut self, member: &[u8]) -> bool {
        match &mut self.0 {
            Encoding::Intset(ints) => parse_i64(member).is_some_and(|number| ints.remove(number)),
            Encoding::Listpack(pack) => {
                let found = pack.first().and_then(|first| pack.find(first, member, 0));
                if let Some(at) = found {
                    pack.remove(at);
                }
                found.is_some()
            }
            Encoding::Hashtable(hash) => hash.remove(member),
        }
    }

    /// O(1); an intset O(log n), a listpack O(n).
    pub fn contains(&self, member: &[u8]) -> bool {
        match &self.0 {
            Encoding::Intset(ints) => parse_i64(member).is_some_and(|number| ints.contains(number)),
            Encoding::Listpack(pack) => {
                pack.first().is_some_and(|first| pack.find(first, member, 0).is_some())
            }
            Encoding::Hashtable(hash) => hash.table.contains(member),
        }
    }

    /// [`Self::contains`] of another set's member.
    pub fn contains_entry(&self, member: Entry<'_>) -> bool {
        match (&self.0, member) {
            (Encoding::Intset(ints), Entry::Int(number)) => ints.contains(number),
            _ => self.contains(member.bytes(&mut Text::new())),
        }
    }

    /// All members: an intset's ascending, a listpack's in the order they came, a hash table's in none.
    pub fn iter(&self) -> Iter<'_> {
        Iter(match &self.0 {
            Encoding::Intset(ints) => Walk::Intset(ints.iter()),
            Encoding::Listpack(pack) => Walk::Listpack(pack.iter()),
            Encoding::Hashtable(hash) => Walk::Hashtable(Box::new(hash.table.iter())),
        })
    }

    /// A random member, each about equally likely. O(1); a listpack O(n).
    pub fn random(&self, rng: Rng<'_>) -> Option<Entry<'_>> {
        match &self.0 {
            Encoding::Hashtable(hash) => hash.table.random(rng).map(|member| Entry::Bytes(member.key())),
            _ if self.is_empty() => None,
            Encoding::Intset(ints) => ints.get(choice::below(ints.len(), rng)).map(Entry::Int),
            Encoding::Listpack(pack) => pack.get_index(choice::below(pack.len(), rng) as i64),
        }
    }

    /// `count` random members, any of them as often as chance has it; none from an empty set. O(count); a small
    /// encoding O(n + count).
    pub fn random_many(&self, count: usize, rng: Rng<'_>) -> Vec<Entry<'_>> {
        if matches!(self.0, Encoding::Hashtable(_)) {
            return (0..count).map_while(|_| self.random(rng)).collect();
        }
        let all: Vec<_> = self.iter().collect();
        if all.is_empty() {
            return all;
        }
        (0..count).map(|_| all[choice::below(all.len(), rng)]).collect()
    }

    /// Up to `count` distinct random members: all of them, and those of a listpack, in the order of [`Set::iter`], others
    /// in random order. O(count) expected, or O(n) when that is not much more.
    pub fn random_distinct(&self, count: usize, rng: Rng<'_>) -> Vec<Entry<'_>> {
        if let Encoding::Hashtable(hash) = &self.0
            && count <= hash.table.len() / 3
            && let Some(few) = hash.random_few(count, rng)
        {
            return few;
        }
        let all: Vec<_> = self.iter().collect();
        if count >= all.len() {
            return all;
        }
        let mut chosen = choice::distinct(all.len(), count, rng);
        if matches!(self.0, Encoding::Listpack(_)) {
            chosen.sort_unstable();
        }
        chosen.into_iter().map(|at| all[at]).collect()
    }

    /// Removes and returns a random member. O(1); an intset or listpack O(n).
    pub fn pop(&mut self, rng: Rng<'_>) -> Option<Vec<u8>> {
        let member = self.random(rng)?.to_vec();
        self.remove(&member);
        Some(member)
    }

    /// Removes and returns up to `count` distinct random members. When few would remain, these are moved to a new set,
    /// which may be smaller in encoding, as in Redis. O(count), or O(n) when that is not much more.
    pub fn pop_many(&mut self, count: usize, rng: Rng<'_>, limits: Limits) -> Vec<Vec<u8>> {
        let remaining = self.len().saturating_sub(count);
        if remaining > 0 && remaining.saturating_mul(5) <= count {
            let mut kept = match &self.0 {
                Encoding::Intset(_) => Self::new_intset(),
                _ => Set(Encoding::Listpack(Listpack::new())),
            };
            let mut is_kept = vec![false; self.len()];
            choice::distinct(self.len(), remaining, rng).into_iter().for_each(|at| is_kept[at] = true);
            let mut popped = Vec::with_capacity(self.len() - remaining);
            for (member, is_kept) in self.iter().zip(is_kept) {
                if is_kept {
                    kept.add_entry(member, limits);
                } else {
                    popped.push(member.to_vec());
                }
            }
            *self = kept;
            return popped;
        }
        let popped: Vec<Vec<u8>> =
            self.random_distinct(count, rng).into_iter().map(|member| member.to_vec()).collect();
        for member in &popped {
            self.remove(member);
        }
        popped
    }

    /// One step of SSCAN: calls `each` for about `count` members (a small encoding gives all) and returns the next
    /// cursor, 0 when done. A member that is there all the time is given at least once, whatever changes in between.
    pub fn scan(&self, cursor: u64, count: usize, each: &mut dyn FnMut(Entry<'_>)) -> u64 {
        let Encoding::Hashtable(hash) = &self.0 else {
            self.iter().for_each(each);
            return 0;
        };
        // Tables may be mostly empty: Redis visits at most ten buckets for every member asked for.
        let (mut cursor, mut given) = (cursor, 0);
        for _ in 0..count.max(1).saturating_mul(10) {
            cursor = hash.table.scan(cursor, &mut |member| {
                given += 1;
                each(Entry::Bytes(member.key()));
            });
            if cursor == 0 || given >= count {
                break;
            }
        }
        cursor
    }

    /// The members that are in any of the sets, as SUNIONSTORE keeps them. O(n) in all members.
    pub fn union(sets: &[&Set], limits: Limits) -> Set {
        let mut result = Self::new_intset();
        for set in sets {
            for member in set.iter() {
                result.add_entry(member, limits);
            }
        }
        result
    }

    /// The members of the first that are in none of the others, as SDIFFSTORE keeps them: by asking the others or by
    /// taking their members out, whichever is less work. O(n) in all members, or O(n of the first * sets).
    pub fn difference(first: &Set, others: &[&Set], limits: Limits) -> Set {
        let mut result = Self::new_intset();
        let asking = first.len().saturating_mul(others.len() + 1) / 2;
        let taking = others.iter().fold(first.len(), |sum, set| sum.saturating_add(set.len()));
        if others.iter().any(|set| std::ptr::eq(*set, first)) {
            return result;
        }
        if asking <= taking {
            let mut others = others.to_vec();
            super::order::sort_by_key(&mut others, |set| std::cmp::Reverse(set.len()));
            for member in first.iter().filter(|&member| !others.iter().any(|set| set.contains_entry(member)))
            {
                result.add_entry(member, limits);
            }
            return result;
        }
        for member in first.iter() {
            result.add_entry(member, limits);
        }
        let mut text = Text::new();
        for set in others {
            for member in set.iter() {
                result.remove(member.bytes(&mut text));
            }
            if result.is_empty() {
                break;
            }
        }
        result
    }

    /// Calls `each` for the members that are in all of the sets, until it says false. O(n of the smallest * sets).
    pub fn intersect(sets: &[&Set], each: &mut dyn FnMut(Entry<'_>) -> bool) {
        let mut sets = sets.to_vec();
        super::order::sort_by_key(&mut sets, |set| set.len());
        let Some((smallest, others)) = sets.split_first() else { return };
        for member in smallest.iter() {
            let everywhere =
                others.iter().all(|set| std::ptr::eq(*set, *smallest) || set.contains_entry(member));
            if everywhere && !each(member) {
                return;
            }
        }
    }

    /// The members that are in all of the sets, as SINTERSTORE keeps them: an intset whenever it can be one.
    pub fn intersection(sets: &[&Set], limits: Limits) -> Set {
        let from_intset =
            sets.iter().min_by_key(|set| set.len()).is_some_and(|set| set.as_intset().is_some());
        let mut result =
            if from_intset { Self::new_intset() } else { Set(Encoding::Listpack(Listpack::new())) };
        Self::intersect(sets, &mut |member| {
            result.add_entry(member, limits);
            true
        });
        result.make_intset_if_possible(limits);
        result
    }

    fn make_intset_if_possible(&mut self, limits: Limits) {
        if self.as_intset().is_some() || self.len() > limits.intset_max() {
            return;
        }
        let Some(mut numbers) = self.iter().map(Entry::as_i64).collect::<Option<Vec<i64>>>() else { return };
        super::order::sort(&mut numbers);
        let mut ints = Intset::new();
        for number in numbers {
            ints.insert(number);
        }
        self.0 = Encoding::Intset(ints);
    }

    /// A text comes into a set of integers: it becomes a listpack if all of it fits into one.
    fn add_text_to_intset(&mut self, member: &[u8], limits: Limits) {
        let Encoding::Intset(ints) = &self.0 else { return };
        let widest = [ints.min(), ints.max()].into_iter().flatten().map(|end| i64_text(end).len()).max();
        let widest = widest.unwrap_or(0);
        if ints.len() >= limits.max_listpack_entries
            || member.len() > limits.max_listpack_value
            || widest > limits.max_listpack_value
            || ints.len() * 11 + member.len() > SIZE_MAX_BYTES / 2
        {
            self.make_hashtable(1, limits).add(member);
            return;
        }
        let mut pack = Listpack::with_capacity(ints.len() * 4 + member.len() + 2);
        ints.iter().for_each(|number| pack.push_back_int(number));
        pack.push_back(member);
        self.0 = Encoding::Listpack(pack);
    }

    fn make_hashtable(&mut self, more: usize, limits: Limits) -> &mut Hashtable {
        if !matches!(self.0, Encoding::Hashtable(_)) {
            let mut hash = Hashtable::new(limits.table_seed, self.len() + more);
            let mut text = Text::new();
            for member in self.iter() {
                hash.add(member.bytes(&mut text));
            }
            self.0 = Encoding::Hashtable(Box::new(hash));
        }
        match &mut self.0 {
            Encoding::Hashtable(hash) => hash,
            _ => unreachable!("it was made one above"),
        }
    }
}

impl Hashtable {
    fn new(seed: u64, members: usize) -> Self {
        let mut table = Table::new(seed);
        table.reserve(members);
        Hashtable { table, members_bytes: 0, seed }
    }

    fn add(&mut self, member: &[u8]) -> bool {
        let (packed, new) = self.table.find_or_insert_with(member, || Packed::new(member, None, &[]));
        if new {
            self.members_bytes += packed.heap_bytes();
        }
        new
    }

    fn remove(&mut self, member: &[u8]) -> bool {
        let removed = self.table.remove(member);
        self.members_bytes -= removed.as_ref().map_or(0, Packed::heap_bytes);
        removed.is_some()
    }

    /// `count` distinct members, at most a third of all; nothing if chance is against it.
    fn random_few(&self, count: usize, rng: Rng<'_>) -> Option<Vec<Entry<'_>>> {
        let mut chosen = Vec::with_capacity(count);
        let mut seen = HashSet::with_capacity_and_hasher(count, FixedState::default());
        for _ in 0..64 + 4 * count {
            if chosen.len() == count {
                return Some(chosen);
            }
            let member = self.table.random(rng)?;
            if seen.insert(std::ptr::from_ref(member)) {
                chosen.push(Entry::Bytes(member.key()));
            }
        }
        None
    }
}

impl Clone for Encoding {
    fn clone(&self) -> Self {
        match self {
            Encoding::Intset(ints) => Encoding::Intset(ints.clone()),
            Encoding::Listpack(pack) => Encoding::Listpack(pack.clone()),
            Encoding::Hashtable(hash) => Encoding::Hashtable(hash.clone()),
        }
    }
}

impl Clone for Hashtable {
    fn clone(&self) -> Self {
        let mut copy = Hashtable::new(self.seed, self.table.len());
        for member in self.table.iter() {
            copy.table.insert_new(member.clone());
        }
        copy.members_bytes = self.members_bytes;
        copy
    }
}

/// The members of a set.
pub struct Iter<'a>(Walk<'a>);

enum Walk<'a> {
    Intset(intset::Iter<'a>),
    Listpack(listpack::Iter<'a>),
    Hashtable(Box<dyn Iterator<Item = &'a Packed> + 'a>),
}

impl<'a> Iterator for Iter<'a> {
    type Item = Entry<'a>;

    #[inline]
    fn next(&mut self) -> Option<Entry<'a>> {
        match &mut self.0 {
            Walk::Intset(numbers) => numbers.next().map(Entry::Int),
            Walk::Listpack(entries) => entries.next(),
            Walk::Hashtable(members) => members.next().map(|member| Entry::Bytes(member.key())),
        }
    }
}

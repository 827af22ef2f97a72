//! The sorted set: distinct members in the order of their scores, then of their bytes.
//!
//! Every range, by score, by text or by place, becomes a range of ranks; what can be done with ranks is done once. Small
//! sorted sets are a listpack of member and score in turn; big ones are `Members` put in order by `Ranked`. A score is
//! never NaN: whoever brings one gets an error before anything changes.

use super::choice::{self, Rng};
use super::listpack::{Entry, Listpack, Needle, Position, SIZE_MAX_BYTES};
use super::number::{Text, f64_text, parse_f64};
use members::Members;
use ranked::Ranked;
use std::ops::Range;

pub use bounds::{LexBound, LexRange, ScoreBound, ScoreRange};

mod bounds;
mod members;
mod nodes;
mod ranked;
#[cfg(test)]
mod tests;

/// Up to which size a sorted set is a listpack, and the seed of a big one's hash.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// `zset-max-listpack-entries`: more members leave the listpack.
    pub max_listpack_entries: usize,
    /// `zset-max-listpack-value`: a longer member leaves the listpack.
    pub max_listpack_value: usize,
    /// Seed of the hash function of a big one.
    pub table_seed: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { max_listpack_entries: 128, max_listpack_value: 64, table_seed: 0 }
    }
}

/// The sum of infinity and minus infinity was asked for, or a score was not a number from the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotANumber;

/// The listpack given to [`SortedSet::from_listpack`] is none of a sorted set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corrupt;

/// ZADD's conditions. `INCR` adds the score to the present one.
#[derive(Clone, Copy, Debug, Default)]
pub struct AddHow {
    pub nx: bool,
    pub xx: bool,
    pub gt: bool,
    pub lt: bool,
    pub incr: bool,
}

/// What [`SortedSet::add`] did, with the member's score from then on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Added {
    New(f64),
    Updated(f64),
    /// The member had this score before.
    Same(f64),
    /// A condition did not hold.
    Skipped,
}

#[derive(Clone)]
pub struct SortedSet(Encoding);

#[derive(Clone)]
enum Encoding {
    Listpack(Listpack),
    Skiplist(Box<Skiplist>),
}

/// Named for what OBJECT ENCODING says.
#[derive(Clone)]
struct Skiplist {
    members: Members,
    order: Ranked,
}

impl SortedSet {
    /// For so many members to come, the first of which is so long: what ZADD creates.
    pub fn new(members: usize, first_len: usize, limits: Limits) -> Self {
        if members <= limits.max_listpack_entries && first_len <= limits.max_listpack_value {
            return SortedSet(Encoding::Listpack(Listpack::new()));
        }
        Self::new_big(limits)
    }

    /// What ZUNIONSTORE and its like and RDB files fill, to be followed by [`Self::compact`].
    pub fn new_big(limits: Limits) -> Self {
        let members = Members::new(limits.table_seed);
        SortedSet(Encoding::Skiplist(Box::new(Skiplist { members, order: Ranked::new() })))
    }

    /// Takes over the listpack of an RDB file or DUMP payload: pairs, scores, order and distinctness are checked. O(n).
    pub fn from_listpack(pack: Listpack, limits: Limits) -> Result<Self, Corrupt> {
        if !pack.len().is_multiple_of(2) {
            return Err(Corrupt);
        }
        let mut seen = Members::new(limits.table_seed);
        let mut last: Option<(f64, u32)> = None;
        let mut entries = pack.iter();
        while let (Some(member), Some(score)) = (entries.next(), entries.next()) {
            let score = match score {
                Entry::Int(number) => number as f64,
                Entry::Bytes(text) => parse_f64(text).ok_or(Corrupt)?,
            };
            let mut text = Text::new();
            let member = member.bytes(&mut text);
            let in_order = last.is_none_or(|(last_score, number)| {
                last_score < score || last_score == score && seen.text(number) < member
            });
            if score.is_nan() || !in_order || seen.find(member).is_some() {
                return Err(Corrupt);
            }
            last = Some((score, seen.push(member, score)));
        }
        let mut this = SortedSet(Encoding::Listpack(pack));
        this.prepare(this.len(), limits);
        Ok(this)
    }

    /// The listpack, when it is one, as RDB files and DUMP payloads hold it.
    pub fn as_listpack(&self) -> Option<&Listpack> {
        match &self.0 {
            Encoding::Listpack(pack) => Some(pack),
            Encoding::Skiplist(_) => None,
        }
    }

    /// What OBJECT ENCODING says.
    pub fn encoding(&self) -> &'static str {
        match &self.0 {
            Encoding::Listpack(_) => "listpack",
            Encoding::Skiplist(_) => "skiplist",
        }
    }

    /// Bytes allocated on a 64-bit machine. O(1).
    pub fn heap_bytes(&self) -> usize {
        match &self.0 {
            Encoding::Listpack(pack) => pack.heap_bytes(),
            Encoding::Skiplist(big) => big.members.heap_bytes() + big.order.heap_bytes(),
        }
    }

    /// O(1).
    pub fn len(&self) -> usize {
        match &self.0 {
            Encoding::Listpack(pack) => pack.len() / 2,
            Encoding::Skiplist(big) => big.members.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Announces that one command is about to add up to so many members: beyond the limit a listpack becomes big
    /// at once, as in Redis even if most are there already.
    pub fn prepare(&mut self, members: usize, limits: Limits) {
        if let Encoding::Listpack(pack) = &self.0
            && members > limits.max_listpack_entries
        {
            self.0 = Encoding::Skiplist(Box::new(Skiplist::from_listpack(pack, limits.table_seed)));
        }
    }

    /// Makes a listpack of a big sorted set that fits into one. O(n).
    pub fn compact(&mut self, limits: Limits) {
        let Encoding::Skiplist(big) = &self.0 else { return };
        if big.members.len() > limits.max_listpack_entries {
            return;
        }
        let (mut longest, mut total) = (0, 0);
        for number in 0..big.members.len() as u32 {
            let len = big.members.text(number).len();
            (longest, total) = (longest.max(len), total + len);
        }
        if longest > limits.max_listpack_value || total > SIZE_MAX_BYTES / 2 {
            return;
        }
        let mut pack = Listpack::with_capacity(total + 8 * big.members.len());
        for number in big.order.iter(0, big.order.len()) {
            pack.push_back(big.members.text(number));
            push_score(&mut pack, big.members.score(number));
        }
        self.0 = Encoding::Listpack(pack);
    }

    /// ZADD and ZINCRBY of one member. Nothing changes on an error. O(log n); a listpack O(n).
    pub fn add(
        &mut self,
        member: &[u8],
        score: f64,
        how: AddHow,
        limits: Limits,
    ) -> Result<Added, NotANumber> {
        if score.is_nan() {
            return Err(NotANumber);
        }
        let place = self.find(member);
        let Some((place, old)) = place else {
            if how.xx {
                return Ok(Added::Skipped);
            }
            self.insert_new(member, score, limits);
            return Ok(Added::New(score));
        };
        if how.nx {
            return Ok(Added::Skipped);
        }
        let score = if how.incr { old + score } else { score };
        if score.is_nan() {
            return Err(NotANumber);
        }
        if how.lt && score >= old || how.gt && score <= old {
            return Ok(Added::Skipped);
        }
        if score == old {
            return Ok(Added::Same(score));
        }
        match (&mut self.0, place) {
            (Encoding::Skiplist(big), Place::Number(number)) => {
                big.order.rescore(&mut big.members, number, score);
            }
            (Encoding::Listpack(pack), Place::Position(at)) => {
                pack.remove_many(at, 2);
                insert_in_order(pack, member, score);
            }
            _ => {}
        }
        Ok(Added::Updated(score))
    }

    /// Puts in a member or gives it another score, without conditions; says whether it is new. `score` must not be NaN.
    pub fn insert(&mut self, member: &[u8], score: f64, limits: Limits) -> bool {
        matches!(self.add(member, score, AddHow::default(), limits), Ok(Added::New(_)))
    }

    /// Says whether the member was there. O(log n); a listpack O(n).
    pub fn remove(&mut self, member: &[u8]) -> bool {
        match (self.find(member), &mut self.0) {
            (Some((Place::Position(at), _)), Encoding::Listpack(pack)) => {
                pack.remove_many(at, 2);
                true
            }
            (Some((Place::Number(number), _)), Encoding::Skiplist(big)) => {
                big.remove(number);
                true
            }
            _ => false,
        }
    }

    /// O(1); a listpack O(n).
    pub fn score(&self, member: &[u8]) -> Option<f64> {
        self.find(member).map(|(_, score)| score)
    }

    /// The number of members before this one, and its score. From behind it is `len() - 1 - rank`. O(log n).
    pub fn rank(&self, member: &[u8]) -> Option<(usize, f64)> {
        match &self.0 {
            Encoding::Listpack(pack) => {
                let needle = Needle::new(member);
                let rank = pack.iter().step_by(2).position(|entry| needle.matches(entry))?;
                Some((rank, score_of(pack.get_index(2 * rank as i64 + 1)?)))
            }
            Encoding::Skiplist(big) => {
                let number = big.members.find(member)?;
                Some((big.order.rank(&big.members, number), big.members.score(number)))
            }
        }
    }

    /// The member with this rank. O(log n); a listpack O(n).
    pub fn at(&self, rank: usize) -> Option<(Entry<'_>, f64)> {
        self.iter_ranks(rank..rank.saturating_add(1)).next()
    }

    /// All members in order, from either end.
    pub fn iter(&self) -> Iter<'_> {
        self.iter_ranks(0..self.len())
    }

    /// Members and scores of a range of ranks, from either end; what is beyond the last is left out. O(log n) to
    /// start, O(1) a member.
    pub fn iter_ranks(&self, ranks: Range<usize>) -> Iter<'_> {
        let to = ranks.end.min(self.len());
        let from = ranks.start.min(to);
        Iter(match &self.0 {
            Encoding::Skiplist(big) => {
                Walk::Skiplist { members: &big.members, numbers: big.order.iter(from, to) }
            }
            Encoding::Listpack(pack) => Walk::Listpack {
                pack,
                front: pack.seek(2 * from as i64).unwrap_or(pack.end()),
                back: pack.seek(2 * to as i64).unwrap_or(pack.end()),
                remaining: to - from,
            },
        })
    }

    /// Ranks of the members with these scores. O(log n); a listpack O(n).
    pub fn ranks_by_score(&self, range: &ScoreRange) -> Range<usize> {
        let from = self.partition(|score, _| !range.min.admits_from_below(score));
        let to = self.partition(|score, _| range.max.admits_from_above(score));
        from..to.max(from)
    }

    /// Ranks of the members with these texts, provided all scores are equal (otherwise Redis promises nothing).
    /// O(log n); a listpack O(n).
    pub fn ranks_by_lex(&self, range: &LexRange<'_>) -> Range<usize> {
        let from = self.partition(|_, text| !range.min.is_at_most(text));
        let to = self.partition(|_, text| range.max.is_at_least(text));
        from..to.max(from)
    }

    /// Removes a range of ranks and returns how many members that were. O(k log n); a listpack O(n).
    pub fn remove_ranks(&mut self, ranks: Range<usize>) -> usize {
        let to = ranks.end.min(self.len());
        let from = ranks.start.min(to);
        match &mut self.0 {
            Encoding::Listpack(pack) => pack.remove_range(2 * from as i64, 2 * (to - from)),
            Encoding::Skiplist(big) => {
                for _ in from..to {
                    match big.order.number_at(from) {
                        Some(number) => big.remove(number),
                        None => break,
                    }
                }
            }
        }
        to - from
    }

    /// Removes and returns the first member. O(log n).
    pub fn pop_min(&mut self) -> Option<(Vec<u8>, f64)> {
        self.pop_at(0)
    }

    /// Removes and returns the last member. O(log n).
    pub fn pop_max(&mut self) -> Option<(Vec<u8>, f64)> {
        self.pop_at(self.len().checked_sub(1)?)
    }

    /// A random member, each equally likely. O(1); a listpack O(n).
    pub fn random(&self, rng: Rng<'_>) -> Option<(Entry<'_>, f64)> {
        if self.is_empty() {
            return None;
        }
        let number = choice::below(self.len(), rng);
        match &self.0 {
            Encoding::Listpack(_) => self.at(number),
            Encoding::Skiplist(big) => Some(big.pair(number as u32)),
        }
    }

    /// `count` random members, any of them as often as chance has it; none from an empty set. O(count); a listpack O(n
    /// + count).
    pub fn random_many(&self, count: usize, rng: Rng<'_>) -> Vec<(Entry<'_>, f64)> {
        if self.is_empty() {
            return Vec::new();
        }
        if let Encoding::Skiplist(big) = &self.0 {
            return (0..count).map(|_| big.pair(choice::below(big.members.len(), rng) as u32)).collect();
        }
        let all: Vec<_> = self.iter().collect();
        (0..count).map(|_| all[choice::below(all.len(), rng)]).collect()
    }

    /// Up to `count` distinct random members in random order. O(count) expected; a listpack O(n).
    pub fn random_distinct(&self, count: usize, rng: Rng<'_>) -> Vec<(Entry<'_>, f64)> {
        if count >= self.len() {
            let mut all: Vec<_> = self.iter().collect();
            all.reverse();
            return all;
        }
        let mut chosen = choice::distinct(self.len(), count, rng);
        if matches!(self.0, Encoding::Listpack(_)) {
            super::order::sort(&mut chosen);
        }
        match &self.0 {
            Encoding::Listpack(_) => {
                let all: Vec<_> = self.iter().collect();
                chosen.into_iter().map(|number| all[number]).collect()
            }
            Encoding::Skiplist(big) => chosen.into_iter().map(|number| big.pair(number as u32)).collect(),
        }
    }

    /// One step of ZSCAN: calls `each` for about `count` members (a listpack gives all) and returns the next cursor, 0
    /// when done. A member that is there all the time is given at least once, whatever changes in between.
    pub fn scan(&self, cursor: u64, count: usize, each: &mut dyn FnMut(Entry<'_>, f64)) -> u64 {
        match &self.0 {
            Encoding::Listpack(_) => {
                self.iter().for_each(|(member, score)| each(member, score));
                0
            }
            Encoding::Skiplist(big) => {
                // Downwards, since a member's number only ever falls. The cursor is how many numbers are left.
                let len = big.members.len();
                let left =
                    if cursor == 0 { len } else { usize::try_from(cursor).map_or(len, |left| left.min(len)) };
                let rest = left.saturating_sub(count.max(1));
                for number in (rest..left).rev() {
                    let (member, score) = big.pair(number as u32);
                    each(member, score);
                }
                rest as u64
            }
        }
    }

    fn find(&self, member: &[u8]) -> Option<(Place, f64)> {
        match &self.0 {
            Encoding::Listpack(pack) => {
                let at = pack.find(pack.first()?, member, 1)?;
                let score = score_of(pack.get(pack.next(at)?));
                Some((Place::Position(at), score))
            }
            Encoding::Skiplist(big) => {
                let number = big.members.find(member)?;
                Some((Place::Number(number), big.members.score(number)))
            }
        }
    }

    fn insert_new(&mut self, member: &[u8], score: f64, limits: Limits) {
        if let Encoding::Listpack(pack) = &mut self.0 {
            if pack.len() / 2 < limits.max_listpack_entries
                && member.len() <= limits.max_listpack_value
                && pack.size_bytes() + member.len() <= SIZE_MAX_BYTES / 2
            {
                return insert_in_order(pack, member, score);
            }
            self.0 = Encoding::Skiplist(Box::new(Skiplist::from_listpack(pack, limits.table_seed)));
        }
        if let Encoding::Skiplist(big) = &mut self.0 {
            big.push(member, score);
        }
    }

    /// How many members there are for which `is_before` holds, which must hold for the first so many only.
    fn partition(&self, is_before: impl Fn(f64, &[u8]) -> bool) -> usize {
        match &self.0 {
            Encoding::Listpack(_) => {
                let mut text = Text::new();
                self.iter().take_while(|&(member, score)| is_before(score, member.bytes(&mut text))).count()
            }
            Encoding::Skiplist(big) => {
                big.order.partition(|score, number| is_before(score, big.members.text(number)))
            }
        }
    }

    fn pop_at(&mut self, rank: usize) -> Option<(Vec<u8>, f64)> {
        let (member, score) = self.at(rank)?;
        let member = member.to_vec();
        self.remove_ranks(rank..rank + 1);
        Some((member, score))
    }
}

/// Where a member is.
enum Place {
    Position(Position),
    Number(u32),
}

impl Skiplist {
    fn from_listpack(pack: &Listpack, seed: u64) -> Self {
        let mut this = Skiplist { members: Members::new(seed), order: Ranked::new() };
        this.members.reserve(pack.len() / 2 + 1);
        let mut text = Text::new();
        let mut entries = pack.iter();
        while let (Some(member), Some(score)) = (entries.next(), entries.next()) {
            this.push(member.bytes(&mut text), score_of(score));
        }
        this
    }

    fn push(&mut self, member: &[u8], score: f64) {
        let number = self.members.push(member, score);
        self.order.insert(&self.members, number);
    }

    fn remove(&mut self, number: u32) {
        self.order.remove(&self.members, number);
        let last = self.members.len() as u32 - 1;
        if number != last {
            self.order.renumber(&self.members, last, number);
        }
        self.members.remove(number);
    }

    fn pair(&self, number: u32) -> (Entry<'_>, f64) {
        (Entry::Bytes(self.members.text(number)), self.members.score(number))
    }
}

/// Whole numbers are held as integers, so minus zero loses its sign here, as in Redis.
fn push_score(pack: &mut Listpack, score: f64) {
    insert_score(pack, pack.end(), score);
}

fn insert_score(pack: &mut Listpack, at: Position, score: f64) {
    match whole(score) {
        Some(number) => pack.insert_entry(at, Entry::Int(number)),
        None => pack.insert_entry(at, Entry::of(&f64_text(score))),
    };
}

fn whole(score: f64) -> Option<i64> {
    const HALF: f64 = (i64::MAX / 2) as f64;
    let number = score as i64;
    ((-HALF..=HALF).contains(&score) && number as f64 == score).then_some(number)
}

/// A score's text was checked when the listpack was made.
#[inline]
fn score_of(entry: Entry<'_>) -> f64 {
    match entry {
        Entry::Int(number) => number as f64,
        Entry::Bytes(text) => parse_f64(text).unwrap_or(0.0),
    }
}

fn insert_in_order(pack: &mut Listpack, member: &[u8], score: f64) {
    let mut text = Text::new();
    let mut next = pack.first();
    let mut place = pack.end();
    while let Some(at) = next {
        let Some(score_at) = pack.next(at) else { break };
        let other = score_of(pack.get(score_at));
        if other > score || other == score && pack.get(at).bytes(&mut text) > member {
            place = at;
            break;
        }
        next = pack.next(score_at);
    }
    let after = pack.insert_entry(place, Entry::of(member));
    insert_score(pack, after, score);
}

/// Members and scores in order, from either end.
#[derive(Clone)]
pub struct Iter<'a>(Walk<'a>);

#[derive(Clone)]
enum Walk<'a> {
    Listpack { pack: &'a Listpack, front: Position, back: Position, remaining: usize },
    Skiplist { members: &'a Members, numbers: ranked::Iter<'a> },
}

impl<'a> Iterator for Iter<'a> {
    type Item = (Entry<'a>, f64);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Walk::Listpack { pack, front, remaining, .. } => {
                *remaining = remaining.checked_sub(1)?;
                let at = pack.next(*front)?;
                let pair = (pack.get(*front), score_of(pack.get(at)));
                *front = pack.next(at).unwrap_or(pack.end());
                Some(pair)
            }
            Walk::Skiplist { members, numbers } => {
                let number = numbers.next()?;
                Some((Entry::Bytes(members.text(number)), members.score(number)))
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let len = match &self.0 {
            Walk::Listpack { remaining, .. } => *remaining,
            Walk::Skiplist { numbers, .. } => numbers.len(),
        };
        (len, Some(len))
    }
}

impl DoubleEndedIterator for Iter<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Walk::Listpack { pack, back, remaining, .. } => {
                *remaining = remaining.checked_sub(1)?;
                let score_at = pack.prev(*back)?;
                *back = pack.prev(score_at)?;
                Some((pack.get(*back), score_of(pack.get(score_at))))
            }
            Walk::Skiplist { members, numbers } => {
                let number = numbers.next_back()?;
                Some((Entry::Bytes(members.text(number)), members.score(number)))
            }
        }
    }
}

impl ExactSizeIterator for Iter<'_> {}

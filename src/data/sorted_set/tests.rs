use super::*;
use std::collections::{BTreeSet, HashMap};

fn numbers(mut state: u64) -> impl FnMut() -> u64 {
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }
}

/// A sorted vector of (score, member), and the score of each.
#[derive(Default)]
struct Model {
    order: Vec<(f64, Vec<u8>)>,
    scores: HashMap<Vec<u8>, f64>,
}

impl Model {
    fn place(&self, score: f64, member: &[u8]) -> usize {
        self.order.partition_point(|(other, text)| *other < score || *other == score && text[..] < *member)
    }

    fn set(&mut self, member: &[u8], score: f64) {
        self.remove(member);
        self.order.insert(self.place(score, member), (score, member.to_vec()));
        self.scores.insert(member.to_vec(), score);
    }

    fn remove(&mut self, member: &[u8]) -> bool {
        let Some(score) = self.scores.remove(member) else { return false };
        let at = self.place(score, member);
        assert_eq!(self.order.remove(at).1, member);
        true
    }
}

fn listed(set: &SortedSet, ranks: Range<usize>) -> Vec<(f64, Vec<u8>)> {
    set.iter_ranks(ranks).map(|(member, score)| (score, member.to_vec())).collect()
}

fn check_whole(set: &SortedSet, model: &Model) {
    assert_eq!(set.len(), model.order.len());
    assert_eq!(listed(set, 0..usize::MAX), model.order);
    let backwards: Vec<_> = set.iter().rev().map(|(member, score)| (score, member.to_vec())).collect();
    assert!(backwards.iter().rev().eq(model.order.iter()));
    assert_eq!(set.iter().len(), model.order.len());
    if let Encoding::Skiplist(big) = &set.0 {
        big.order.check(&big.members);
    }
}

fn bound(next: &mut impl FnMut() -> u64, scores: u64) -> ScoreBound {
    let score = match next() % 12 {
        0 => f64::INFINITY,
        1 => f64::NEG_INFINITY,
        _ => score(next() % scores),
    };
    ScoreBound { score, exclusive: next().is_multiple_of(2) }
}

fn score(number: u64) -> f64 {
    match number {
        0 => 0.5,
        1 => f64::INFINITY,
        2 => f64::NEG_INFINITY,
        3 => 1e300,
        4 => -3.25,
        number => number as f64 - 100.0,
    }
}

fn check_ranges(set: &SortedSet, model: &Model, next: &mut impl FnMut() -> u64, scores: u64) {
    let range = ScoreRange { min: bound(next, scores), max: bound(next, scores) };
    let admitted = |score: f64| range.min.admits_from_below(score) && range.max.admits_from_above(score);
    let expected: Vec<_> = model.order.iter().filter(|(score, _)| admitted(*score)).cloned().collect();
    assert_eq!(listed(set, set.ranks_by_score(&range)), expected, "{range:?}");
    if let Some((_, member)) = model.order.get(next() as usize % (model.order.len() + 1)) {
        let (rank, score) = set.rank(member).expect("the model has it");
        assert_eq!(model.order[rank], (score, member.clone()));
        assert_eq!(set.at(rank).map(|(entry, score)| (entry.to_vec(), score)), Some((member.clone(), score)));
        assert_eq!(set.score(member), Some(score));
        let to = (rank + 40).min(model.order.len());
        assert_eq!(listed(set, rank..to), model.order[rank..to]);
        let backwards: Vec<_> = set.iter_ranks(rank..to).rev().map(|(entry, _)| entry.to_vec()).collect();
        assert!(backwards.iter().eq(model.order[rank..to].iter().rev().map(|(_, member)| member)));
    }
}

fn run(limits: Limits, universe: u64, scores: u64, steps: u64, seed: u64) {
    let mut next = numbers(seed);
    let (mut set, mut model) = (SortedSet::new(0, 0, limits), Model::default());
    for step in 0..steps {
        let growing = step * 4 / steps != 2;
        let member = match next() % universe {
            even if even % 2 == 0 => even.to_string().into_bytes(),
            odd => format!("member:{odd}").into_bytes(),
        };
        match next() % 100 {
            0 => {
                let from = next() as usize % (set.len() + 1);
                let to = (from + next() as usize % 30).min(set.len());
                assert_eq!(set.remove_ranks(from..to), to - from);
                for (_, member) in model.order.drain(from..to) {
                    model.scores.remove(&member);
                }
            }
            1 => {
                let first = set.pop_min();
                let expected = model.order.first().cloned();
                expected.iter().for_each(|(_, member)| assert!(model.remove(member)));
                assert_eq!(first, expected.map(|(score, member)| (member, score)));
            }
            2 => {
                let last = set.pop_max();
                let expected = model.order.last().cloned();
                expected.iter().for_each(|(_, member)| assert!(model.remove(member)));
                assert_eq!(last, expected.map(|(score, member)| (member, score)));
            }
            chance if chance < if growing { 70 } else { 30 } => {
                let score = score(next() % scores);
                let new = set.insert(&member, score, limits);
                assert_eq!(new, !model.scores.contains_key(&member));
                model.set(&member, score);
            }
            _ => assert_eq!(set.remove(&member), model.remove(&member)),
        }
        if step % 64 == 0 {
            check_ranges(&set, &model, &mut next, scores);
        }
        if step % (steps / 10) == 0 {
            check_whole(&set, &model);
            check_whole(&set.clone(), &model);
        }
    }
    check_whole(&set, &model);
    assert_eq!(set.remove_ranks(0..usize::MAX), model.order.len());
    assert!(set.is_empty() && set.pop_min().is_none() && set.pop_max().is_none());
}

#[test]
fn behaves_like_a_sorted_vector() {
    let none = Limits { max_listpack_entries: 0, max_listpack_value: 0, table_seed: 5 };
    run(Limits::default(), 60, 20, 3000, 1);
    run(Limits::default(), 300, 5, 3000, 2);
    run(none, 60, 300, 3000, 3);
    run(none, 2000, 1, 20_000, 4);
    run(none, 30_000, 8, 60_000, 5);
    run(none, 30_000, 3000, 60_000, 6);
}

#[test]
fn items_in_order_fill_their_nodes() {
    for descending in [false, true] {
        let mut set = SortedSet::new_big(Limits::default());
        for number in 0..20_000 {
            let score = if descending { -f64::from(number) } else { f64::from(number) };
            set.insert(number.to_string().as_bytes(), score, Limits::default());
        }
        let Encoding::Skiplist(big) = &set.0 else { panic!("made big") };
        big.order.check(&big.members);
        let per_item = big.order.heap_bytes() / 20_000;
        assert!(per_item <= 14, "{per_item} bytes for 12 of content");
        set.remove_ranks(100..20_000);
        let Encoding::Skiplist(big) = &set.0 else { panic!("stays big") };
        big.order.check(&big.members);
        assert!(big.order.heap_bytes() < 40_000);
        assert!(set.heap_bytes() < 50_000);
    }
}

#[test]
fn texts_are_ranged_as_by_redis() {
    for limits in [Limits::default(), Limits { max_listpack_entries: 0, ..Limits::default() }] {
        let mut set = SortedSet::new(0, 0, limits);
        for member in ["", "a", "aa", "ab", "b", "c", "d"] {
            set.insert(member.as_bytes(), 0.0, limits);
        }
        for (min, max, expected) in [
            ("-", "+", 0..7),
            ("+", "-", 7..7),
            ("[a", "[b", 1..5),
            ("(a", "(b", 2..4),
            ("[", "[", 0..1),
            ("(", "+", 1..7),
            ("-", "[aaa", 0..3),
            ("(d", "+", 7..7),
            ("[b", "[a", 4..4),
            ("-", "-", 0..0),
        ] {
            let range = LexRange::parse(min.as_bytes(), max.as_bytes()).expect("well-formed");
            assert_eq!(set.ranks_by_lex(&range), expected, "{min} {max}");
        }
    }
    assert_eq!(LexRange::parse(b"a", b"+"), None);
    assert_eq!(LexRange::parse(b"", b"+"), None);
    assert_eq!(LexRange::parse(b"-", b"++"), None);
}

#[test]
fn bounds_are_read_as_by_redis() {
    let parsed = |text: &[u8]| ScoreBound::parse(text).map(|bound| (bound.score, bound.exclusive));
    assert_eq!(parsed(b"1.5"), Some((1.5, false)));
    assert_eq!(parsed(b"(1.5"), Some((1.5, true)));
    assert_eq!(parsed(b"-inf"), Some((f64::NEG_INFINITY, false)));
    assert_eq!(parsed(b"(+inf"), Some((f64::INFINITY, true)));
    assert_eq!(parsed(b"("), Some((0.0, true)));
    assert_eq!(parsed(b""), Some((0.0, false)));
    assert_eq!(parsed(b"-1e400"), Some((f64::NEG_INFINITY, false)));
    assert_eq!(parsed(b"nan"), None);
    assert_eq!(parsed(b"((1"), None);
    assert_eq!(parsed(b"1x"), None);
}

#[test]
fn conditions_decide_as_zadd_does() {
    use Added::*;
    for limits in [Limits::default(), Limits { max_listpack_entries: 0, ..Limits::default() }] {
        let mut set = SortedSet::new(1, 1, limits);
        let how = AddHow::default();
        let mut add = |score: f64, how: AddHow| set.add(b"m", score, how, limits);
        assert_eq!(add(1.0, AddHow { xx: true, ..how }), Ok(Skipped));
        assert_eq!(add(1.0, AddHow { gt: true, ..how }), Ok(New(1.0)));
        assert_eq!(add(2.0, AddHow { nx: true, ..how }), Ok(Skipped));
        assert_eq!(add(1.0, how), Ok(Same(1.0)));
        assert_eq!(add(0.5, AddHow { gt: true, ..how }), Ok(Skipped));
        assert_eq!(add(1.5, AddHow { lt: true, ..how }), Ok(Skipped));
        assert_eq!(add(1.5, AddHow { gt: true, xx: true, ..how }), Ok(Updated(1.5)));
        assert_eq!(add(-2.0, AddHow { incr: true, ..how }), Ok(Updated(-0.5)));
        assert_eq!(add(1.0, AddHow { incr: true, lt: true, ..how }), Ok(Skipped));
        assert_eq!(add(f64::NAN, AddHow { nx: true, ..how }), Err(NotANumber));
        assert_eq!(add(f64::INFINITY, how), Ok(Updated(f64::INFINITY)));
        assert_eq!(add(f64::NEG_INFINITY, AddHow { incr: true, ..how }), Err(NotANumber));
        assert_eq!(set.score(b"m"), Some(f64::INFINITY));
    }
}

#[test]
fn encodings_change_where_those_of_redis_do() {
    let limits = Limits { max_listpack_entries: 3, max_listpack_value: 4, table_seed: 0 };
    assert_eq!(SortedSet::new(3, 4, limits).encoding(), "listpack");
    assert_eq!(SortedSet::new(4, 4, limits).encoding(), "skiplist");
    assert_eq!(SortedSet::new(3, 5, limits).encoding(), "skiplist");
    let mut set = SortedSet::new(1, 1, limits);
    for member in ["a", "b", "1234", "c"] {
        assert_eq!(set.encoding(), "listpack");
        set.insert(member.as_bytes(), 1.0, limits);
    }
    assert_eq!(set.encoding(), "skiplist");
    set.remove(b"c");
    set.compact(limits);
    assert_eq!(set.encoding(), "listpack");
    set.insert(b"12345", 1.0, limits);
    assert_eq!(set.encoding(), "skiplist");
    set.remove(b"a");
    set.compact(limits);
    assert_eq!(set.encoding(), "skiplist");
    let mut set = SortedSet::new(1, 1, limits);
    set.insert(b"a", 1.0, limits);
    set.prepare(4, limits);
    assert_eq!((set.encoding(), set.score(b"a")), ("skiplist", Some(1.0)));
}

#[test]
fn listpacks_are_those_of_redis_and_checked() {
    let limits = Limits::default();
    let mut set = SortedSet::new(1, 1, limits);
    set.insert(b"x", 1.5, limits);
    set.insert(b"7", 1.0, limits);
    let pack = set.as_listpack().expect("small").clone();
    let entries: Vec<_> = pack.iter().collect();
    assert_eq!(entries, [Entry::Int(7), Entry::Int(1), Entry::Bytes(b"x"), Entry::Bytes(b"1.5")]);
    assert!(SortedSet::from_listpack(pack, limits).is_ok_and(|copy| copy.iter().eq(set.iter())));
    for entries in [
        &["a"][..],
        &["a", "x"],
        &["a", "nan"],
        &["a", "2", "b", "1"],
        &["b", "1", "a", "1"],
        &["a", "1", "a", "2"],
    ] {
        let mut pack = Listpack::new();
        entries.iter().for_each(|entry| pack.push_back(entry.as_bytes()));
        assert!(SortedSet::from_listpack(pack, limits).is_err(), "{entries:?}");
    }
}

#[test]
fn a_scan_misses_nobody_who_stays() {
    let limits = Limits { max_listpack_entries: 0, ..Limits::default() };
    let mut next = numbers(11);
    for round in 0..20 {
        let mut set = SortedSet::new_big(limits);
        for number in 0..1000 {
            set.insert(format!("stay:{number}").as_bytes(), number as f64, limits);
            set.insert(format!("go:{number}").as_bytes(), number as f64, limits);
        }
        let mut seen = BTreeSet::new();
        let mut cursor = 0;
        loop {
            cursor = set.scan(cursor, 7 + round, &mut |member, _| {
                seen.insert(member.to_vec());
            });
            if cursor == 0 {
                break;
            }
            for _ in 0..15 {
                set.remove(format!("go:{}", next() % 1000).as_bytes());
                set.insert(format!("come:{}", next() % 300).as_bytes(), 1.0, limits);
            }
        }
        for number in 0..1000 {
            assert!(seen.contains(format!("stay:{number}").as_bytes()));
        }
    }
}

#[test]
fn random_members_are_members() {
    for limits in [Limits::default(), Limits { max_listpack_entries: 0, ..Limits::default() }] {
        let mut next = numbers(3);
        let mut set = SortedSet::new(0, 0, limits);
        assert!(set.random(&mut next).is_none() && set.random_many(3, &mut next).is_empty());
        for number in 0..100 {
            set.insert(format!("{number}").as_bytes(), f64::from(number), limits);
        }
        let mut seen = BTreeSet::new();
        for _ in 0..2000 {
            let (member, score) = set.random(&mut next).expect("not empty");
            assert_eq!(member.as_i64(), Some(score as i64));
            seen.insert(score as i64);
        }
        assert_eq!(seen.len(), 100);
        for count in [0, 1, 10, 99, 100, 200] {
            let chosen = set.random_distinct(count, &mut next);
            let distinct: BTreeSet<_> = chosen.iter().map(|(_, score)| *score as i64).collect();
            assert_eq!((chosen.len(), distinct.len()), (count.min(100), count.min(100)));
            assert_eq!(set.random_many(count, &mut next).len(), count);
        }
    }
}

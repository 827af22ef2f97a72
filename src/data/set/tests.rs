use super::*;
use std::collections::BTreeSet;

type Model = BTreeSet<Vec<u8>>;

const NONE: Limits =
    Limits { max_intset_entries: 0, max_listpack_entries: 0, max_listpack_value: 0, table_seed: 3 };
const SMALL: Limits =
    Limits { max_intset_entries: 4, max_listpack_entries: 3, max_listpack_value: 5, table_seed: 3 };

fn numbers(mut state: u64) -> impl FnMut() -> u64 {
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }
}

fn members(set: &Set) -> Vec<Vec<u8>> {
    set.iter().map(|member| member.to_vec()).collect()
}

fn set_of(members: &[&str], limits: Limits) -> Set {
    let mut set = Set::new(members.len(), members.first().map_or(b"", |first| first.as_bytes()), limits);
    for member in members {
        set.add(member.as_bytes(), limits);
    }
    set
}

fn check_whole(set: &Set, model: &Model) {
    let mut all = members(set);
    assert_eq!((set.len(), set.is_empty()), (model.len(), model.is_empty()));
    all.sort();
    assert!(all.iter().eq(model.iter()));
    let mut copy = members(&set.clone());
    copy.sort();
    assert_eq!((set.clone().encoding(), copy), (set.encoding(), all));
}

fn run(limits: Limits, universe: u64, steps: u64, integers: bool) {
    let mut next = numbers(steps ^ universe);
    let (mut set, mut model) = (Set::new(1, b"", limits), Model::new());
    if integers {
        set = Set::new(1, b"1", limits);
    }
    for step in 0..steps {
        let mut member = (next() % universe).to_string().into_bytes();
        if !integers && next().is_multiple_of(2) {
            member.insert(0, b'0');
        }
        let growing = step * 4 / steps != 2;
        match next() % 100 {
            0 => {
                let popped = set.pop(&mut next);
                assert_eq!(popped.is_none(), model.is_empty());
                popped.iter().for_each(|member| assert!(model.remove(member)));
            }
            1 => {
                let count = next() as usize % 5;
                let popped = set.pop_many(count, &mut next, limits);
                assert_eq!(popped.len(), count.min(model.len()));
                popped.iter().for_each(|member| assert!(model.remove(member)));
            }
            chance if chance < if growing { 65 } else { 30 } => {
                assert_eq!(set.add(&member, limits), model.insert(member));
            }
            _ => assert_eq!(set.remove(&member), model.remove(&member)),
        }
        let asked = (next() % universe).to_string().into_bytes();
        assert_eq!(set.contains(&asked), model.contains(&asked));
        if step % (steps / 20) == 0 {
            check_whole(&set, &model);
        }
    }
    check_whole(&set, &model);
    let all = set.pop_many(usize::MAX, &mut next, limits);
    assert_eq!(all.len(), model.len());
    assert!(set.is_empty() && set.pop(&mut next).is_none());
}

#[test]
fn behaves_like_a_set_of_texts() {
    for integers in [false, true] {
        run(Limits::default(), 60, 3000, integers);
        run(Limits::default(), 2000, 10_000, integers);
        run(NONE, 60, 3000, integers);
        run(NONE, 20_000, 40_000, integers);
        run(SMALL, 6, 3000, integers);
    }
}

#[test]
fn encodings_change_where_those_of_redis_do() {
    let steps = |members: &[&str], limits: Limits| -> Vec<&str> {
        let mut set = Set::new(1, members[0].as_bytes(), limits);
        let step = |member: &&str| {
            set.add(member.as_bytes(), limits);
            set.encoding()
        };
        members.iter().map(step).collect()
    };
    let hashtable = "hashtable";
    assert_eq!(steps(&["1", "2", "3", "4", "5"], SMALL)[3..], ["intset", hashtable]);
    assert_eq!(steps(&["a", "b", "c", "c", "d"], SMALL)[2..], ["listpack", "listpack", hashtable]);
    assert_eq!(steps(&["1", "2", "x", "y"], SMALL), ["intset", "intset", "listpack", hashtable]);
    assert_eq!(steps(&["1", "2", "3", "x"], SMALL)[2..], ["intset", hashtable]);
    assert_eq!(steps(&["a", "12345", "123456"], SMALL), ["listpack", "listpack", hashtable]);
    assert_eq!(steps(&["1", "123456", "x"], SMALL), ["intset", "intset", hashtable]);
    assert_eq!(steps(&["1", "x12345"], SMALL), ["intset", hashtable]);
    assert_eq!(steps(&["1", "01"], SMALL), ["intset", "listpack"]);
    assert_eq!(steps(&["1"], NONE), [hashtable]);

    assert_eq!(Set::new(4, b"1", SMALL).encoding(), "intset");
    assert_eq!(Set::new(5, b"1", SMALL).encoding(), hashtable);
    assert_eq!(Set::new(3, b"x", SMALL).encoding(), "listpack");
    assert_eq!(Set::new(4, b"x", SMALL).encoding(), hashtable);
    let mut set = set_of(&["1", "2"], SMALL);
    set.prepare(4, SMALL);
    assert_eq!(set.encoding(), "intset");
    set.prepare(5, SMALL);
    assert_eq!(set.encoding(), hashtable);
    assert!(set.contains(b"1") && set.contains(b"2"));

    let mut set = set_of(&["1", "2", "3", "x", "4", "5", "6"], SMALL);
    assert_eq!(set.encoding(), hashtable);
    assert_eq!(set.pop_many(5, &mut numbers(1), SMALL).len(), 5);
    assert_eq!(set.encoding(), hashtable);
    let mut set = set_of(&["1", "2", "3", "x", "4", "5", "6"], SMALL);
    assert_eq!(set.pop_many(6, &mut numbers(1), SMALL).len(), 6);
    assert_eq!(set.encoding(), "listpack");
}

#[test]
fn small_sets_keep_the_order_of_redis() {
    assert_eq!(members(&set_of(&["b", "3", "a"], SMALL)), [b"b", b"3", b"a"]);
    assert_eq!(members(&set_of(&["3", "-1", "2"], SMALL)), [&b"-1"[..], b"2", b"3"]);
    assert_eq!(members(&set_of(&["3", "1", "b"], SMALL)), [b"1", b"3", b"b"]);
}

#[test]
fn loaded_bytes_are_checked() {
    let mut pack = Listpack::new();
    ["a", "7", "b"].iter().for_each(|member| pack.push_back(member.as_bytes()));
    let set = Set::from_listpack(pack.clone(), SMALL).expect("distinct");
    assert_eq!((set.encoding(), set.len()), ("listpack", 3));
    pack.push_back(b"c");
    assert_eq!(Set::from_listpack(pack.clone(), SMALL).map(|set| set.encoding()), Ok("hashtable"));
    pack.push_back(b"7");
    assert!(Set::from_listpack(pack, SMALL).is_err());
    let ints = set_of(&["1", "2", "3", "4"], SMALL).as_intset().expect("small").clone();
    assert_eq!(Set::from_intset(ints.clone(), SMALL).encoding(), "intset");
    assert_eq!(Set::from_intset(ints, NONE).encoding(), "hashtable");
}

#[test]
fn algebra_agrees_with_that_of_texts() {
    let mut next = numbers(5);
    for round in 0..400 {
        let limits = [Limits::default(), SMALL, NONE][round % 3];
        let sets: Vec<(Set, Model)> = (0..1 + next() % 4)
            .map(|_| {
                let (mut set, mut model) = (Set::new(1, b"0", limits), Model::new());
                for _ in 0..next() % 30 {
                    let mut member = (next() % 15).to_string();
                    if round % 2 == 0 && next().is_multiple_of(4) {
                        member.push('x');
                    }
                    set.add(member.as_bytes(), limits);
                    model.insert(member.into_bytes());
                }
                (set, model)
            })
            .collect();
        let all: Vec<&Set> = sets.iter().map(|(set, _)| set).collect();
        let models = || sets.iter().map(|(_, model)| model.clone());
        check_whole(&Set::union(&all, limits), &models().flatten().collect());
        let common = models().reduce(|left, right| &left & &right).expect("one at least");
        let inter = Set::intersection(&all, limits);
        check_whole(&inter, &common);
        if common.iter().all(|member| parse_i64(member).is_some())
            && common.len() <= limits.max_intset_entries
        {
            assert_eq!(inter.encoding(), "intset");
        }
        let rest = models().reduce(|left, right| &left - &right).expect("one at least");
        check_whole(&Set::difference(all[0], &all[1..], limits), &rest);
        assert!(Set::difference(all[0], &[all[0]], limits).is_empty());
    }
}

#[test]
fn a_scan_misses_nobody_who_stays() {
    let mut next = numbers(8);
    let mut set = Set::new(1, b"", NONE);
    for number in 0..2000 {
        set.add(format!("stay:{number}").as_bytes(), NONE);
    }
    for round in 0..10 {
        let (mut seen, mut cursor) = (Model::new(), 0);
        loop {
            cursor = set.scan(cursor, 3 + round, &mut |member| {
                seen.insert(member.to_vec());
            });
            if cursor == 0 {
                break;
            }
            for _ in 0..9 {
                set.add(format!("come:{}", next() % 3000).as_bytes(), NONE);
                set.remove(format!("come:{}", next() % 3000).as_bytes());
            }
        }
        assert!((0..2000).all(|number| seen.contains(format!("stay:{number}").as_bytes())));
    }
    let small = set_of(&["1", "2", "3"], SMALL);
    let mut given = 0;
    assert_eq!((small.scan(0, 1, &mut |_| given += 1), given), (0, 3));
}

#[test]
fn random_members_are_members() {
    for limits in [Limits::default(), NONE] {
        for texts in [false, true] {
            let mut next = numbers(9);
            let mut set = Set::new(0, if texts { b"x" } else { b"0" }, limits);
            assert!(set.random(&mut next).is_none() && set.random_many(2, &mut next).is_empty());
            for number in 0..90 {
                set.add(number.to_string().as_bytes(), limits);
            }
            for count in [0, 1, 10, 89, 90, 200] {
                let chosen = set.random_distinct(count, &mut next);
                let distinct: Model = chosen.iter().map(|member| member.to_vec()).collect();
                assert_eq!((chosen.len(), distinct.len()), (count.min(90), count.min(90)));
                assert!(distinct.iter().all(|member| set.contains(member)));
            }
            let many = set.random_many(3000, &mut next);
            assert_eq!(many.iter().map(|member| member.to_vec()).collect::<Model>().len(), 90);
        }
    }
}

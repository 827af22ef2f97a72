use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::*;

struct Number([u8; 8], u64);

impl Element for Number {
    fn key(&self) -> &[u8] {
        &self.0
    }
}

fn number(n: u64) -> Number {
    Number(n.to_be_bytes(), n)
}

fn dice(mut state: u64) -> impl FnMut() -> u64 {
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }
}

fn check(table: &Table<Number>) {
    assert_eq!(table.len(), table.segments.iter().map(|s| s.iter().count()).sum::<usize>());
    assert_eq!(table.buckets, table.segments.iter().map(Segment::buckets).sum::<usize>());
    for (at, segment) in table.segments.iter().enumerate() {
        assert_eq!(segment.len as usize, segment.iter().count());
        if table.depth > 0 {
            assert!(
                table.directory[table.run(segment.prefix, segment.depth)]
                    .iter()
                    .all(|view| view.number() == at)
            );
        }
    }
    if table.depth > 0 {
        assert_eq!(table.directory.len(), 1 << table.depth);
        let runs: usize = table.segments.iter().map(|s| 1usize << (table.depth - s.depth)).sum();
        assert_eq!(runs, table.directory.len());
    }
    if table.len() > 20_000 {
        let slots = table.buckets * SLOTS;
        assert!(slots < table.len() * 3, "{slots} slots for {}", table.len());
    }
}

#[test]
fn behaves_like_a_map() {
    for seed in 0..6 {
        let mut roll = dice(seed);
        let mut table: Table<Number> = Table::new(seed);
        let mut model: HashMap<u64, u64> = HashMap::new();
        let keys = [10, 100, 3000, 20_000, 60_000, 100_000][seed as usize];
        for round in 0..6u64 {
            // Rounds of growing, of shrinking and of both.
            let removes = [1, 5, 9][round as usize % 3];
            for _ in 0..keys {
                let key = roll() % keys;
                let value = roll();
                if roll() % 10 < removes {
                    assert_eq!(table.remove(&key.to_be_bytes()).map(|e| e.1), model.remove(&key));
                } else if value.is_multiple_of(2) {
                    let old = table.insert(Number(key.to_be_bytes(), value));
                    assert_eq!(old.map(|e| e.1), model.insert(key, value));
                } else {
                    let (element, fresh) =
                        table.find_or_insert_with(&key.to_be_bytes(), || Number(key.to_be_bytes(), value));
                    assert_eq!(fresh, !model.contains_key(&key));
                    assert_eq!(element.1, *model.entry(key).or_insert(value));
                }
                let probe = roll() % keys;
                assert_eq!(table.get(&probe.to_be_bytes()).map(|e| e.1), model.get(&probe).copied());
            }
            assert_eq!(table.len(), model.len());
            check(&table);
        }
        let listed: BTreeMap<u64, u64> = table.iter().map(|e| (u64::from_be_bytes(e.0), e.1)).collect();
        assert_eq!(listed, model.iter().map(|(&k, &v)| (k, v)).collect());
        table.retain(|e| e.1 % 16 == 0);
        model.retain(|_, v| *v % 16 == 0);
        assert_eq!(table.len(), model.len());
        check(&table);
        assert!(model.iter().all(|(k, v)| table.get(&k.to_be_bytes()).is_some_and(|e| e.1 == *v)));
        for key in model.keys() {
            assert!(table.remove(&key.to_be_bytes()).is_some());
        }
        assert_eq!(table.heap_bytes(), 0);
    }
}

#[test]
fn scan_gives_what_stays_once_whatever_else_changes() {
    for seed in 0..24 {
        let mut roll = dice(seed);
        let mut table: Table<Number> = Table::new(seed);
        let stays = [0, 1, 5, 50, 500, 5000][roll() as usize % 6];
        (0..stays).for_each(|n| table.insert_new(number(n)));
        let others = [0, 10, 1000, 6000][roll() as usize % 4];
        let mut present = BTreeSet::new();
        let (mut given, mut cursor, mut steps, mut growing) = (vec![0; stays as usize], 0, 0u64, true);
        loop {
            cursor = table.scan(cursor, &mut |e| {
                if e.1 < stays {
                    given[e.1 as usize] += 1;
                }
            });
            steps += 1;
            if cursor == 0 {
                break;
            }
            if roll().is_multiple_of(40) {
                growing = !growing;
            }
            for _ in 0..roll() % (others / 8 + 1) {
                let n = stays + roll() % (others + 1);
                if !growing {
                    present.pop_last().map(|n: u64| table.remove(&n.to_be_bytes()));
                } else if present.insert(n) {
                    table.insert_new(number(n));
                }
            }
            assert!(steps < 1 << 20);
        }
        assert!(given.iter().all(|&times| times == 1), "seed {seed}");
        check(&table);
    }
}

#[test]
fn scan_takes_any_cursor_and_keeps_cursors_small() {
    let mut table = Table::new(1);
    (0..10_000).for_each(|n| table.insert_new(number(n)));
    let mut roll = dice(9);
    for _ in 0..1000 {
        table.scan(roll(), &mut |_| ());
    }
    let (mut cursor, mut steps) = (0, 0);
    loop {
        cursor = table.scan(cursor, &mut |_| ());
        assert!(cursor < 10_000);
        steps += 1;
        if cursor == 0 {
            break;
        }
    }
    assert!((1000..4000).contains(&steps));
}

#[test]
fn random_elements_are_equally_likely() {
    for len in [1u64, 3, 40, 2000] {
        let mut table = Table::new(5);
        (0..len).for_each(|n| table.insert_new(number(n)));
        let (mut roll, mut hits) = (dice(len), vec![0u64; len as usize]);
        let rolls = len * 200;
        for _ in 0..rolls {
            hits[table.random(&mut roll).expect("not empty").1 as usize] += 1;
        }
        // The sum of squared deviations over the expected 200 is about `len`, give or take a few roots of it.
        let chi: f64 = hits.iter().map(|&n| (n as f64 - 200.0).powi(2) / 200.0).sum();
        assert!(chi < len as f64 + 6.0 * (2.0 * len as f64).sqrt(), "{len}: {chi}");
    }
}

#[test]
fn same_seed_same_order() {
    let order = |seed| {
        let mut table: Table<Number> = Table::new(seed);
        (0..5000).for_each(|n| table.insert_new(number(n)));
        (0..2500).for_each(|n| assert!(table.remove(&(n * 2u64).to_be_bytes()).is_some()));
        table.iter().map(|e| e.1).collect::<Vec<_>>()
    };
    assert_eq!(order(3), order(3));
    assert_ne!(order(3), order(4));
}

#[test]
fn colliding_keys_cost_time_but_no_memory() {
    // As if someone knew the seed: 30 000 hashes share their first 40 bits.
    let mut table = Table::new(0);
    for n in 0..30_000u64 {
        table.put(0xabcd_ef12_3400_0000 | n, number(n));
    }
    assert!(table.directory.len() <= 1 << 12);
    assert!(table.heap_bytes() < 30_000 * 40);
    assert_eq!(table.iter().count(), 30_000);
}

#[test]
fn reserving_makes_the_room_that_growing_would() {
    let mut table = Table::new(0);
    table.reserve(50_000);
    let before = table.heap_bytes();
    (0..50_000).for_each(|n| table.insert_new(number(n)));
    check(&table);
    assert!(table.heap_bytes() < before + before / 8);
    table.reserve(usize::MAX);
}

#[test]
fn hints_lead_home() {
    use crate::data::packed::Packed;
    let mut table = Table::new(11);
    let mut roll = dice(3);
    let key = |n: u64| n.to_be_bytes();
    let finds_all = |table: &Table<Packed>, range: std::ops::Range<u64>| {
        assert_eq!(table.len() as u64, range.end - range.start);
        assert!(range.into_iter().all(|n| table.get(&key(n)).is_some()));
    };
    for size in [1000, 20_000, 60_000] {
        for n in table.len() as u64..size {
            table.insert_new(Packed::new(&key(n), None, b""));
        }
        finds_all(&table, 0..size);
        // Elements that lose their hints, in all the ways there are.
        for _ in 0..size / 4 {
            let chosen = key(roll() % size);
            if let Some(element) = table.get_mut(&chosen) {
                match roll() % 3 {
                    0 => element.set_payload(&[1; 300]),
                    1 => element.set_stamp(Some(1)),
                    _ => *element = Packed::new(&chosen, None, b"new"),
                }
            }
            table.insert(Packed::new(&key(roll() % size), None, b"newer"));
        }
        finds_all(&table.clone(), 0..size);
    }
    let mut other = Table::new(12);
    for n in 0..40_000 {
        let element = table.remove(&key(n));
        other.insert_new(element.expect("it was put in"));
    }
    finds_all(&table, 40_000..60_000);
    finds_all(&other, 0..40_000);
    for n in 0..39_500 {
        assert!(other.remove(&key(n)).is_some());
    }
    finds_all(&other, 39_500..40_000);
}

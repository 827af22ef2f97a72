use std::collections::BTreeMap;

use super::*;
use crate::data::random::Random;

type Model = BTreeMap<Vec<u8>, (Vec<u8>, Option<u64>)>;

fn text(random: &mut Random, kinds: u64) -> Vec<u8> {
    match random.below(20) {
        0 => vec![b'x'; random.below(70) as usize],
        _ => random.below(kinds).to_string().into_bytes(),
    }
}

fn sorted(hash: &Hash) -> Model {
    let model: Model =
        hash.iter().map(|item| (item.field.to_vec(), (item.value.to_vec(), item.expires_at))).collect();
    assert_eq!(model.len(), hash.len(), "a field came twice");
    model
}

#[test]
fn behaves_like_a_map() {
    let plain = Limits::default();
    for (seed, limits) in (0..).zip([
        plain,
        Limits { max_listpack_entries: 0, ..plain },
        Limits { max_listpack_entries: 40, ..plain },
        Limits { max_listpack_value: 20, ..plain },
        Limits { max_listpack_entries: 100, max_listpack_value: 60, table_seed: 9 },
    ]) {
        let mut random = Random(seed);
        let (mut hash, mut model) = (Hash::new(), Model::new());
        for now in 0..4000 {
            change(&mut random, now, &mut hash, &mut model, limits);
            assert_eq!(hash.len(), model.len());
            let next = model.values().filter_map(|(_, at)| *at).min();
            assert_eq!(hash.next_expiry(), next);
            let live = model.values().filter(|(_, at)| at.is_none_or(|at| now <= at)).count();
            assert_eq!(hash.live_len(now), live);
            let field = text(&mut random, 150);
            let expected = model.get(&field).filter(|(_, at)| at.is_none_or(|at| now <= at));
            assert_eq!(hash.get(&field, now).map(Entry::to_vec), expected.map(|(value, _)| value.clone()));
            if now % 40 == 0 {
                check(&mut random, &hash, &model, limits);
            }
        }
    }
}

fn change(random: &mut Random, now: u64, hash: &mut Hash, model: &mut Model, limits: Limits) {
    let (field, value) = (text(random, 150), text(random, 1000));
    match random.below(12) {
        0..4 => {
            let old = model.insert(field.clone(), (value.clone(), None));
            assert_eq!(hash.set(&field, &value, limits), old.is_none());
        }
        4..6 => {
            let kept = model.get(&field).and_then(|(_, at)| *at);
            let old = model.insert(field.clone(), (value.clone(), kept));
            assert_eq!(hash.set_keeping_expiry(&field, &value, limits), old.is_none());
        }
        6..8 => {
            let at = now + 1 + random.below(300);
            assert_eq!(hash.set_expiry(&field, at), model.contains_key(&field));
            if let Some((_, expiry)) = model.get_mut(&field) {
                *expiry = Some(at);
            }
        }
        8 => {
            let had = model.get_mut(&field).and_then(|(_, at)| at.take());
            assert_eq!(hash.persist(&field), had.is_some());
        }
        9 => assert_eq!(hash.remove(&field), model.remove(&field).is_some()),
        10 => {
            let limit = random.below(4) as usize;
            let mut names = Vec::new();
            assert_eq!(hash.reap(now, limit, &mut |name| names.push(name.to_vec())), names.len());
            let due = model.values().filter(|(_, at)| at.is_some_and(|at| at <= now)).count();
            assert_eq!(names.len(), due.min(limit));
            for name in names {
                let (_, at) = model.remove(&name).expect("it was reaped from the same fields");
                assert!(at.is_some_and(|at| at <= now));
            }
        }
        _ => {
            assert_eq!(
                hash.item(&field).map(|item| item.value.to_vec()),
                model.get(&field).map(|(value, _)| value.clone())
            );
        }
    }
}

fn check(random: &mut Random, hash: &Hash, model: &Model, limits: Limits) {
    assert_eq!(&sorted(hash), model);
    assert_eq!(sorted(&hash.clone()), *model);
    let again = match hash.raw() {
        Raw::Pairs(pack) => Hash::from_pairs(pack.clone(), limits),
        Raw::Triples(pack) => Hash::from_triples(pack.clone(), limits),
        Raw::Table => Some(hash.clone()),
    };
    assert_eq!(sorted(&again.expect("its own bytes are well-formed")), *model);

    let (mut cursor, mut scanned) = (0, BTreeMap::new());
    loop {
        cursor =
            hash.scan(cursor, &mut |item| drop(scanned.insert(item.field.to_vec(), item.value.to_vec())));
        if cursor == 0 {
            break;
        }
    }
    assert_eq!(scanned.len(), model.len());

    let mut rng = || random.next();
    let count = (rng() % 20) as usize;
    let many = hash.random_many(count, &mut rng);
    assert_eq!(many.len(), if model.is_empty() { 0 } else { count });
    let mut distinct: Vec<_> =
        hash.random_distinct(count, &mut rng).iter().map(|item| item.field.to_vec()).collect();
    assert_eq!(distinct.len(), count.min(model.len()));
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), count.min(model.len()));
    assert_eq!(hash.random(&mut rng).is_some(), !model.is_empty());
}

#[test]
fn encodings_change_where_redis_changes_them() {
    let limits = Limits { max_listpack_entries: 3, max_listpack_value: 4, table_seed: 1 };
    let mut hash = Hash::new();
    for field in [b"a", b"b", b"c"] {
        assert!(hash.set(field, b"1234", limits));
        assert_eq!(hash.encoding(), "listpack");
    }
    assert!(!hash.set_expiry(b"x", 5));
    assert_eq!(hash.encoding(), "listpack");
    assert!(hash.set_expiry(b"b", 5));
    assert_eq!(hash.encoding(), "listpackex");
    assert!(hash.persist(b"b"));
    assert_eq!(hash.encoding(), "listpackex");
    let mut long = hash.clone();
    assert!(!long.set(b"a", b"12345", limits));
    assert_eq!(long.encoding(), "hashtable");
    assert!(hash.set(b"d", b"", limits));
    assert_eq!(hash.encoding(), "hashtable");
    hash.remove(b"d");
    assert_eq!(hash.encoding(), "hashtable");
    let mut many = Hash::new();
    many.prepare(4, limits);
    assert_eq!(many.encoding(), "hashtable");
}

#[test]
fn small_hashes_keep_redis_order() {
    let fields = |hash: &Hash| -> Vec<Vec<u8>> { hash.iter().map(|item| item.field.to_vec()).collect() };
    let limits = Limits::default();
    let mut hash = Hash::new();
    for field in [b"a", b"b", b"c", b"d", b"e"] {
        hash.set(field, b"v", limits);
    }
    hash.set(b"b", b"w", limits);
    assert_eq!(fields(&hash), [b"a", b"b", b"c", b"d", b"e"]);
    // The soonest first, a new one before others as soon, those without expiry last in the order they lost it.
    hash.set_expiry(b"d", 100);
    hash.set_expiry(b"c", 50);
    hash.set_expiry(b"e", 100);
    assert_eq!(fields(&hash), [b"c", b"e", b"d", b"a", b"b"]);
    hash.persist(b"c");
    hash.set(b"d", b"w", limits);
    hash.set_keeping_expiry(b"e", b"w", limits);
    assert_eq!(fields(&hash), [b"e", b"a", b"b", b"c", b"d"]);
}

#[test]
fn malformed_listpacks_are_refused() {
    let pack = |entries: &[&[u8]]| {
        let mut pack = Listpack::new();
        entries.iter().for_each(|entry| pack.push_back(entry));
        pack
    };
    let limits = Limits::default();
    assert!(Hash::from_pairs(pack(&[b"a", b"1", b"b", b"2"]), limits).is_some());
    assert!(Hash::from_pairs(pack(&[b"a", b"1", b"b"]), limits).is_none());
    assert!(Hash::from_pairs(pack(&[b"a", b"1", b"a", b"2"]), limits).is_none());
    assert!(Hash::from_triples(pack(&[b"a", b"1", b"7", b"b", b"2", b"0"]), limits).is_some());
    assert!(Hash::from_triples(pack(&[b"a", b"1", b"0", b"b", b"2", b"7"]), limits).is_none());
    assert!(Hash::from_triples(pack(&[b"a", b"1", b"x"]), limits).is_none());
    assert!(Hash::from_triples(pack(&[b"a", b"1", b"-1"]), limits).is_none());
    let small = Limits { max_listpack_entries: 1, ..limits };
    let loaded = Hash::from_pairs(pack(&[b"a", b"1", b"b", b"2"]), small);
    assert_eq!(loaded.map(|hash| hash.encoding()), Some("hashtable"));
}

use super::*;
use crate::data::random::Random;

fn value(random: &mut Random) -> Vec<u8> {
    match random.below(30) {
        0 => vec![b'x'; 3000 + random.below(3000) as usize],
        1 => vec![b'y'; 8180 + random.below(30) as usize],
        2..6 => vec![b'z'; random.below(300) as usize],
        _ => random.below(12).to_string().into_bytes(),
    }
}

fn check(list: &List, model: &[Vec<u8>], limits: Limits) {
    assert_eq!(list.len(), model.len());
    assert!(list.iter().map(Entry::to_vec).eq(model.iter().cloned()));
    assert!(list.iter_rev().map(Entry::to_vec).eq(model.iter().rev().cloned()));
    match &list.repr {
        Repr::Listpack(node) => assert!(!limits.exceeded_by(node.pack_size() - 200, node.len())),
        Repr::Nodes(quicklist) => {
            assert!(quicklist.nodes.iter().all(|node| !node.is_empty()));
            assert_eq!(quicklist.nodes.iter().map(Node::len).sum::<usize>(), list.len());
        }
    }
    let copy = List::from_nodes(list.nodes().cloned(), limits);
    assert!(copy.iter().eq(list.iter()));
}

impl Node {
    fn pack_size(&self) -> usize {
        match self {
            Node::Packed(pack) => pack.size_bytes().max(200),
            Node::Plain(_) => unreachable!("a small list is packed"),
        }
    }
}

#[test]
fn behaves_like_a_vector() {
    for (seed, size) in (0..).zip([-2, -1, -5, 0, 1, 2, 5, 100, -2, -1, 7, 128, i32::MIN, i32::MAX]) {
        let mut random = Random(seed);
        let limits = Limits { max_listpack_size: size };
        let (mut list, mut model) = (List::new(), Vec::new());
        let mut phase = 0;
        for step in 0..1200 {
            if step % 150 == 0 {
                phase = random.below(3);
            }
            change(&mut random, phase, &mut list, &mut model, limits);
            if step % 50 == 0 {
                check(&list, &model, limits);
            }
            read(&mut random, &list, &model);
        }
        check(&list, &model, limits);
    }
}

fn change(random: &mut Random, phase: u64, list: &mut List, model: &mut Vec<Vec<u8>>, limits: Limits) {
    let item = value(random);
    let len = model.len() as u64;
    let index = random.below(len + 1) as usize;
    match random.below(if phase == 0 { 10 } else { 16 }) {
        0..2 => {
            list.push(End::Back, &item, limits);
            model.push(item);
        }
        2 | 3 => {
            list.push(End::Front, &item, limits);
            model.insert(0, item);
        }
        4 => {
            let items: Vec<_> = (0..random.below(20)).map(|_| value(random)).collect();
            list.push_many(End::Back, items.iter().map(Vec::as_slice), limits);
            model.extend(items);
        }
        5 | 6 => {
            assert!(list.insert(index, &item, limits));
            model.insert(index, item);
        }
        7 => {
            assert_eq!(list.set(index as i64, &item, limits), index < model.len());
            if index < model.len() {
                model[index] = item;
            }
        }
        8 => {
            let pivot = random.below(12).to_string().into_bytes();
            let side = if random.below(2) == 0 { End::Front } else { End::Back };
            let at = model.iter().position(|other| *other == pivot);
            assert_eq!(list.insert_beside(&pivot, side, &item, limits), at.is_some());
            if let Some(at) = at {
                model.insert(at + usize::from(side == End::Back), item);
            }
        }
        9 => {
            let count = random.below(7) as i64 - 3;
            let mut indexes: Vec<usize> = (0..model.len()).filter(|&at| model[at] == item).collect();
            if count < 0 {
                indexes.reverse();
            }
            indexes.truncate(if count == 0 { usize::MAX } else { count.unsigned_abs() as usize });
            assert_eq!(list.remove_value(count, &item, limits), indexes.len());
            indexes.sort_unstable();
            for at in indexes.iter().rev() {
                model.remove(*at);
            }
        }
        10 if phase == 2 => {
            let count = model.len() - model.len().min(random.below(40) as usize);
            let start = (index / 8).min(model.len());
            list.trim(start, count, limits);
            *model = model[start..(start + count).min(model.len())].to_vec();
        }
        choice if choice % 2 == 0 => {
            assert_eq!(list.pop(End::Front, limits), (!model.is_empty()).then(|| model.remove(0)));
        }
        _ => assert_eq!(list.pop(End::Back, limits), model.pop()),
    }
}

fn read(random: &mut Random, list: &List, model: &[Vec<u8>]) {
    let start = random.below(model.len() as u64 + 2) as usize;
    let count = random.below(5) as usize;
    let expected: Vec<_> = model.iter().skip(start).take(count).cloned().collect();
    assert_eq!(list.range(start, count).map(Entry::to_vec).collect::<Vec<_>>(), expected);
    assert_eq!(list.get(start as i64).map(Entry::to_vec), model.get(start).cloned());
    let back: Vec<_> = list.walk(start, End::Front).take(count).map(Entry::to_vec).collect();
    let expected: Vec<_> = if start < model.len() {
        model[..=start].iter().rev().take(count).cloned().collect()
    } else {
        Vec::new()
    };
    assert_eq!(back, expected);
}

#[test]
fn positions_are_those_of_lpos() {
    let mut list = List::new();
    let limits = Limits { max_listpack_size: 3 };
    list.push_many(End::Back, "a b c 1 2 3 c c".split(' ').map(str::as_bytes), limits);
    assert_eq!(list.positions(b"c", 1, 1, 0), [2]);
    assert_eq!(list.positions(b"c", 2, 1, 0), [6]);
    assert_eq!(list.positions(b"c", -1, 1, 0), [7]);
    assert_eq!(list.positions(b"c", -1, 2, 0), [7, 6]);
    assert_eq!(list.positions(b"c", 1, 0, 0), [2, 6, 7]);
    assert_eq!(list.positions(b"c", -3, 0, 0), [2]);
    assert_eq!(list.positions(b"c", 1, 0, 2), [0u64; 0]);
    assert_eq!(list.positions(b"2", 1, 0, 0), [4]);
    assert_eq!(list.positions(b"c", i64::MIN, 0, 0), [0u64; 0]);
    assert_eq!(List::new().positions(b"c", -1, 0, 0), [0u64; 0]);
}

#[test]
fn encodings_change_where_redis_changes_them() {
    let limits = Limits { max_listpack_size: 6 };
    let mut list = List::new();
    for round in 0..7 {
        assert_eq!(list.encoding(), "listpack");
        list.push(End::Back, round.to_string().as_bytes(), limits);
    }
    assert_eq!(list.encoding(), "quicklist");
    // Two nodes, then one above half of the limit, then one of half of it.
    list.pop(End::Back, limits);
    assert_eq!((list.node_count(), list.encoding()), (1, "quicklist"));
    list.pop(End::Back, limits);
    list.pop(End::Back, limits);
    assert_eq!(list.encoding(), "quicklist");
    list.pop(End::Back, limits);
    assert_eq!(list.encoding(), "listpack");

    let limits = Limits::default();
    let mut list = List::new();
    list.push(End::Back, &[b'x'; 8192 - 7], limits);
    assert_eq!(list.encoding(), "listpack");
    list.push(End::Back, b"y", limits);
    assert_eq!(list.encoding(), "quicklist");
    list.pop(End::Front, limits);
    assert_eq!(list.encoding(), "listpack");
    list.push(End::Back, &[b'x'; 8193], limits);
    assert!(matches!(list.nodes().last(), Some(Node::Plain(_))));
    list.set(-1, b"small", limits);
    assert!(matches!(list.nodes().last(), Some(Node::Packed(_))));
}

#[test]
fn a_queue_stays_small() {
    let limits = Limits::default();
    let mut list = List::new();
    for round in 0..100_000u32 {
        list.push(End::Back, &round.to_be_bytes(), limits);
    }
    for _ in 0..99_990 {
        list.pop(End::Front, limits);
    }
    assert_eq!(list.encoding(), "listpack");
    assert!(list.heap_bytes() < 500, "{}", list.heap_bytes());
}

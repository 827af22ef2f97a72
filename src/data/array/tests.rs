use std::collections::BTreeMap;

use super::*;
use crate::data::random::Random;

fn check(array: &Array, model: &BTreeMap<u64, Vec<u8>>) {
    let all: Vec<(u64, Vec<u8>)> = array.iter().map(|(index, entry)| (index, entry.to_vec())).collect();
    let expected: Vec<(u64, Vec<u8>)> = model.iter().map(|(index, value)| (*index, value.clone())).collect();
    assert_eq!(all, expected);
    assert_eq!(array.count(), model.len() as u64);
    assert_eq!(array.len(), model.last_key_value().map_or(0, |(index, _)| index + 1));
    let blocks: std::collections::BTreeSet<u64> = array.slices.keys().map(|id| id / BLOCK_SLICES).collect();
    match array.directory.blocks {
        Some((capacity, entries)) => assert!(entries == blocks.len() as u64 && entries <= capacity),
        None => assert!(array.slices.keys().all(|id| *id < array.directory.flat)),
    }
}

#[test]
fn an_array_agrees_with_a_map() {
    for (seed, limits) in [
        (1, Limits::default()),
        (2, Limits { slice_size: 16, sparse_max: 3, sparse_min: 2 }),
        (3, Limits { slice_size: 64, sparse_max: 0, sparse_min: 0 }),
        (4, Limits { slice_size: 1, sparse_max: 1, sparse_min: 0 }),
        (5, Limits { slice_size: 4, sparse_max: 2, sparse_min: 100 }),
    ] {
        let mut random = Random(seed);
        let mut array = Array::new(limits);
        let mut model = BTreeMap::new();
        for step in 0..6000u64 {
            let index = match random.below(8) {
                0 => u64::MAX - 1 - random.below(40),
                1 => random.below(1 << 40),
                2 => 10_000_000 + random.below(3000),
                _ => random.below(300),
            };
            match random.below(10) {
                0..7 => {
                    let value = match random.below(3) {
                        0 => step.to_string().into_bytes(),
                        1 => vec![b'x'; random.below(15) as usize],
                        _ => vec![b'y'; 15 + random.below(300) as usize],
                    };
                    let is_new = model.insert(index, value.clone()).is_none();
                    assert_eq!(array.set(index, &value, limits), is_new);
                }
                7..9 => assert_eq!(array.remove(index, limits), model.remove(&index).is_some()),
                _ => {
                    let to = index.saturating_add(random.below(60));
                    let gone: Vec<u64> = model.range(index..=to).map(|(index, _)| *index).collect();
                    gone.iter().for_each(|index| drop(model.remove(index)));
                    assert_eq!(array.remove_range(index, to, limits), gone.len() as u64);
                }
            }
            assert_eq!(array.get(index).map(Entry::to_vec), model.get(&index).cloned());
            if step % 50 == 0 {
                check(&array, &model);
                let (from, to) = (random.below(300), random.below(300));
                let mut expected: Vec<u64> =
                    model.range(from.min(to)..=from.max(to)).map(|(index, _)| *index).collect();
                if from > to {
                    expected.reverse();
                }
                assert_eq!(array.range(from, to).map(|(index, _)| index).collect::<Vec<_>>(), expected);
            }
        }
        assert_eq!(array.remove_range(0, u64::MAX, limits), model.len() as u64);
        assert!(array.is_empty() && array.facts().slices == 0);
    }
}

#[test]
fn small_elements_cost_sixteen_bytes() {
    let limits = Limits::default();
    let mut array = Array::new(limits);
    for index in 0..100_000u64 {
        array.set(index, index.to_string().as_bytes(), limits);
    }
    assert!(array.heap_bytes() < 100_000 * 17, "{}", array.heap_bytes());
}

use std::collections::BTreeMap;

use super::*;
use crate::data::random::Random;

const LIMITS: Limits = Limits { block_bytes: 4096, block_entries: 5 };

fn ids(entries: impl Iterator<Item = StreamId>) -> Vec<u64> {
    entries.map(|id| id.ms).collect()
}

#[test]
fn agrees_with_an_ordered_map() {
    let mut random = Random(7);
    let mut stream = Stream::new();
    let mut model: BTreeMap<StreamId, Vec<u8>> = BTreeMap::new();
    for step in 1..4000u64 {
        match random.below(10) {
            0..6 => {
                let id = StreamId::new(step / 3 + 1, step);
                let value = vec![b'x'; random.below(40) as usize];
                let field: &[u8] = if random.below(3) == 0 { b"other" } else { b"field" };
                stream.add(id, &[(field, &value)], LIMITS).expect("ids grow");
                model.insert(id, value);
            }
            6..9 => {
                let ms = random.below(step / 3 + 2);
                if let Some((&id, _)) = model.range(StreamId::new(ms, 0)..).next() {
                    assert!(stream.delete(id));
                    assert!(!stream.delete(id));
                    model.remove(&id);
                }
            }
            _ => {
                let len = (model.len() as u64).saturating_sub(random.below(5));
                let trim = Trim {
                    to: TrimTo::Len(len),
                    is_approximate: false,
                    limit: 0,
                    references: References::Keep,
                };
                stream.trim(&trim);
                while model.len() as u64 > len {
                    model.pop_first();
                }
            }
        }
        assert_eq!(stream.len(), model.len());
        let (low, high) = (StreamId::new(random.below(step), 3), StreamId::new(random.below(step), 9));
        let expected: Vec<StreamId> =
            if low > high { Vec::new() } else { model.range(low..=high).map(|(&id, _)| id).collect() };
        let found: Vec<StreamId> = stream.range(low, high).map(|entry| entry.id).collect();
        assert_eq!(found, expected);
        let mut back: Vec<StreamId> = stream.range_back(low, high).map(|entry| entry.id).collect();
        back.reverse();
        assert_eq!(back, expected);
    }
    for entry in stream.iter() {
        let (_, value) = entry.pairs().next().expect("one pair each");
        assert_eq!(value.to_vec(), model[&entry.id]);
    }
}

#[test]
fn counts_the_nodes_of_a_radix_tree() {
    let mut stream = Stream::new();
    assert_eq!(stream.radix_nodes(), 1);
    stream
        .add(StreamId::new(1, 1), &[(b"f", b"v")], Limits { block_bytes: 0, block_entries: 1 })
        .expect("new");
    assert_eq!(stream.radix_nodes(), 2);
    stream
        .add(StreamId::new(1, 2), &[(b"f", b"v")], Limits { block_bytes: 0, block_entries: 1 })
        .expect("new");
    assert_eq!(stream.radix_nodes(), 4);
}

#[test]
fn keeps_what_is_referenced_when_trimming() {
    let mut stream = Stream::new();
    for ms in 1..=10 {
        stream.add(StreamId::new(ms, 0), &[(b"f", b"v")], LIMITS).expect("ids grow");
    }
    let mut group = Group::new(StreamId::new(8, 0), 8);
    let owner = group.create_consumer(b"c", 0);
    group.assign(StreamId::new(2, 0), owner, 0, 1);
    assert!(stream.create_group(b"g", group));
    let trim = Trim { to: TrimTo::Len(0), is_approximate: false, limit: 0, references: References::Acked };
    assert_eq!(stream.trim(&trim), 7);
    assert_eq!(ids(stream.iter().map(|entry| entry.id)), [2, 9, 10]);
}

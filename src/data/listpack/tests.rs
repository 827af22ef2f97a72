use super::*;
use crate::data::random::Random;

/// An element whose size and kind are likely to be at an edge of the format.
fn element(random: &mut Random) -> Vec<u8> {
    match random.below(8) {
        0 => random.next().to_string().into_bytes(),
        1 => ((random.next() as i64) >> random.below(64)).to_string().into_bytes(),
        2 => vec![b'x'; random.below(200) as usize],
        3 => vec![b'y'; 4090 + random.below(12) as usize],
        4 => format!("0{}", random.below(9)).into_bytes(),
        _ => random.below(50).to_string().into_bytes(),
    }
}

fn contents(pack: &Listpack) -> Vec<Vec<u8>> {
    pack.iter().map(Entry::to_vec).collect()
}

#[test]
fn bytes_are_those_of_redis() {
    // DUMP of a list made by redis-server 7.0.15, without the frame around the listpack.
    let expected = "7c000000170000017f01c08002dfff02d00002cfff02f1001003f1ffef03f1ff7f03f200800004f2ff7fff04f2ffff7f04\
                    f30000800005f3ffff7fff05f3ffffff7f05f4000000800000000009f4ffffff7fffffffff09f4ffffffffffffff7f09f4\
                    0000000000000080098330303704822d300383616263048001ff";
    let mut pack = Listpack::new();
    let values = "0 127 128 -1 -4096 4095 4096 -4097 32767 32768 -32769 8388607 8388608 -8388609 2147483647 2147483648 \
                  -2147483649 9223372036854775807 -9223372036854775808 007 -0 abc ";
    for value in values.split(' ') {
        pack.push_back(value.as_bytes());
    }
    let hex: String = pack.bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, expected.replace(' ', ""));
    assert_eq!(Listpack::from_bytes(pack.bytes()), Ok(pack));
}

#[test]
fn long_strings_have_long_lengths() {
    let mut pack = Listpack::new();
    for (len, total) in [
        (63, 65),
        (64, 67),
        (125, 128),
        (126, 130),
        (4095, 4099),
        (4096, 4103),
        (16377, 16384),
        (16378, 16386),
        (3_000_000, 3_000_009),
    ] {
        let before = pack.size_bytes();
        pack.push_back(&vec![b'x'; len]);
        assert_eq!(pack.size_bytes() - before, total, "{len}");
    }
    assert_eq!(
        pack.iter().rev().map(Entry::text_len).sum::<usize>(),
        63 + 64 + 125 + 126 + 8191 + 32755 + 3_000_000
    );
    assert_eq!(Listpack::from_bytes(pack.bytes()), Ok(pack));
}

#[test]
fn behaves_like_a_vector() {
    for seed in 0..60 {
        let mut random = Random(seed);
        let (mut pack, mut model) = (Listpack::new(), Vec::<Vec<u8>>::new());
        for _ in 0..400 {
            change(&mut random, &mut pack, &mut model);
            assert_eq!(pack.len(), model.len());
            let index = random.below(model.len() as u64 + 3) as i64 - 1;
            let expected = usize::try_from(index).ok().and_then(|index| model.get(index));
            if index >= 0 {
                assert_eq!(pack.get_index(index).map(Entry::to_vec).as_ref(), expected);
            }
            if expected.is_some() {
                assert_eq!(pack.get_index(index - model.len() as i64).map(Entry::to_vec).as_ref(), expected);
            }
        }
        assert_eq!(contents(&pack), model);
        assert!(pack.iter().rev().map(Entry::to_vec).eq(model.iter().rev().cloned()));
        assert_eq!(Listpack::from_bytes(pack.bytes()), Ok(pack));
    }
}

fn change(random: &mut Random, pack: &mut Listpack, model: &mut Vec<Vec<u8>>) {
    let value = element(random);
    let index = random.below(model.len() as u64 + 1) as usize;
    match random.below(13) {
        0..3 => {
            pack.push_back(&value);
            model.push(value);
        }
        3..5 => {
            pack.push_front(&value);
            model.insert(0, value);
        }
        5 => {
            pack.insert(pack.seek(index as i64).unwrap_or(pack.end()), &value);
            model.insert(index, value);
        }
        6 if index < model.len() => {
            pack.replace(pack.seek(index as i64).expect("below the length"), &value);
            model[index] = value;
        }
        7 if !model.is_empty() => {
            pack.remove(pack.first().expect("not empty"));
            model.remove(0);
        }
        8 if !model.is_empty() => {
            pack.remove(pack.last().expect("not empty"));
            model.pop();
        }
        9 => {
            let count = random.below(4) as usize;
            pack.remove_range(index as i64, count);
            model.drain(index..(index + count).min(model.len()));
        }
        10 => {
            pack.retain(|entry| !entry.equals(&value));
            model.retain(|other| *other != value);
        }
        11 => {
            let mut tail = pack.split_off(index);
            assert_eq!(contents(&tail), model[index..]);
            std::mem::swap(pack, &mut tail);
            pack.append(&tail);
            model.rotate_left(index);
        }
        _ => {
            let found = pack.first().and_then(|first| pack.find(first, &value, 0));
            let expected = model.iter().position(|other| *other == value);
            assert_eq!(found, expected.and_then(|index| pack.seek(index as i64)));
        }
    }
}

#[test]
fn corrupt_bytes_are_refused_or_read_safely() {
    let mut random = Random(7);
    let mut pack = Listpack::new();
    for _ in 0..12 {
        pack.push_back(&element(&mut random)[..]);
    }
    let mut accepted = 0;
    for _ in 0..20_000 {
        let mut bytes = pack.bytes().to_vec();
        for _ in 0..1 + random.below(3) {
            let at = random.below(bytes.len() as u64) as usize;
            bytes[at] = random.next() as u8;
        }
        if random.below(4) == 0 {
            bytes.truncate(random.below(bytes.len() as u64) as usize);
        }
        if let Ok(pack) = Listpack::from_bytes(&bytes) {
            accepted += 1;
            assert_eq!(pack.iter().count(), pack.iter().rev().count());
        }
    }
    assert!(accepted > 0);
    for len in 0..12 {
        assert_eq!(Listpack::from_bytes(&[0xFF; 12][..len]), Err(Corrupt));
    }
}

#[test]
fn both_ends_cost_the_same() {
    let mut pack = Listpack::new();
    for _ in 0..1000 {
        pack.push_front(b"some element");
    }
    for round in 0..100_000 {
        pack.push_back(b"some element");
        pack.remove(pack.first().expect("a thousand"));
        if round % 2 == 0 {
            pack.push_front(b"some element");
            pack.remove(pack.last().expect("a thousand"));
        }
    }
    assert_eq!(pack.len(), 1000);
    assert!(pack.heap_bytes() < 2 * pack.size_bytes());
}

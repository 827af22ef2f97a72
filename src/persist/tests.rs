//! Values written and read again, and what happens to bytes that somebody has changed.

use super::*;
use crate::data::array::Array;
use crate::data::hash::Hash;
use crate::data::list::{End, List};
use crate::data::set::Set;
use crate::data::sorted_set::SortedSet;
use crate::data::stream::{self, Group, Producers, Stream, StreamId};
use crate::data::value::Value;
use crate::keyspace::{Keyspace, ValueRef, digest};

fn text(number: usize, len: usize) -> Vec<u8> {
    format!("{number}:").bytes().chain((0..len).map(|at| b'a' + ((at * number) % 17) as u8)).collect()
}

fn hash(fields: usize, len: usize, expiring: usize) -> Value {
    let mut hash = Hash::new();
    for number in 0..fields {
        hash.set(&text(number, len), number.to_string().as_bytes(), Limits::default().hash);
    }
    for number in 0..expiring {
        hash.set_expiry(&text(number, len), 1_800_000_000_000 + 1000 * number as u64);
    }
    Value::Hash(hash)
}

fn set(members: impl Iterator<Item = Vec<u8>>) -> Value {
    let limits = Limits::default().set;
    let mut set = Set::for_loading(0, limits);
    for member in members {
        set.add(&member, limits);
    }
    Value::Set(set)
}

fn sorted_set(members: usize) -> Value {
    let limits = Limits::default().sorted_set;
    let mut set = SortedSet::new(members, 4, limits);
    for number in 0..members {
        let score = [number as f64, -0.5 * number as f64, f64::INFINITY, f64::NEG_INFINITY][number % 4];
        set.insert(&text(number, 3), score, limits);
    }
    Value::SortedSet(set)
}

fn list(elements: usize, len: usize) -> Value {
    let limits = Limits::default().list;
    let mut list = List::new();
    (0..elements).for_each(|number| list.push(End::Back, &text(number, len), limits));
    Value::List(list)
}

fn stream(entries: u64, groups: bool, gives_back: bool, producers: bool) -> Value {
    let mut stream = Stream::new();
    let limits = stream::Limits { block_bytes: 4096, block_entries: 10 };
    for number in 1..=entries {
        let pairs: &[(&[u8], &[u8])] =
            if number % 3 == 0 { &[(b"f", b"12")] } else { &[(b"f", b"v"), (b"g", b"w")] };
        stream.add(StreamId::new(number, number % 2), pairs, limits).expect("it is above the last");
    }
    stream.delete(StreamId::new(4, 0));
    if groups {
        let mut group = Group::new(StreamId::new(9, 1), 9);
        let one = group.create_consumer(b"one", 5000);
        group.consumer_mut(one).active_ms = 5000;
        let two = group.create_consumer(b"two", 6000);
        group.consumer_mut(two).active_ms = 6000;
        group.assign(StreamId::new(1, 1), one, 4000, 1);
        group.assign(StreamId::new(7, 1), two, 4100, 300);
        group.assign(StreamId::new(2, 0), two, 4200, 2);
        if gives_back {
            group.disown(StreamId::new(7, 1), 5);
            group.disown(StreamId::new(1, 1), 6);
        }
        stream.create_group(b"empty", Group::new(StreamId::MIN, -1));
        stream.create_group(b"group", group);
    }
    if producers {
        let mut known = Producers::new(50, 60);
        known.record(b"p", b"m1", StreamId::new(1, 1), 0);
        known.record(b"p", b"m2", StreamId::new(2, 0), 0);
        known.record(b"q", b"m1", StreamId::new(3, 1), 0);
        known.duplicates = 3;
        stream.producers = Some(Box::new(known));
    }
    Value::Stream(Box::new(stream))
}

fn array() -> Value {
    let limits = Limits::default().array;
    let mut array = Array::new(limits);
    for (index, value) in [(0, b"x" as &[u8]), (5, b"-17"), (5000, b"1.5"), (u64::MAX - 1, &[7; 40])] {
        array.set(index, value, limits);
    }
    array.set_last_insert(Some(5));
    Value::Array(Box::new(array))
}

/// Values of every type in every encoding.
fn values() -> Vec<Value> {
    let repeated = b"abcabcabcabcabcabcabcabcabcabcabcabcabc".repeat(40);
    let mut values = vec![Value::String(b"".to_vec()), Value::String(repeated)];
    for string in ["0", "-1", "127", "-129", "40000", "2147483648", "-9223372036854775808", "00", "+1", "abc"]
    {
        values.push(Value::String(string.into()));
    }
    values.extend([list(3, 2), list(500, 40), list(3, 9000), list(40, 700)]);
    values.extend([hash(3, 2, 0), hash(600, 2, 0), hash(3, 90, 0), hash(5, 2, 3), hash(600, 2, 400)]);
    values.push(set((0..5).map(|number| format!("{}", number * 70_000).into())));
    values.push(set((0..5).map(|number| text(number, 3))));
    values.push(set((0..900).map(|number| number.to_string().into())));
    values.push(set((0..300).map(|number| text(number, 3))));
    values.extend([sorted_set(6), sorted_set(400)]);
    values.extend([stream(0, true, false, false), stream(25, false, false, false)]);
    values.extend([
        stream(25, true, false, false),
        stream(25, true, false, true),
        stream(25, true, true, false),
    ]);
    values.extend([stream(25, true, true, true), array()]);
    values
}

fn written(value: &Value, target: Target) -> Vec<u8> {
    let value = ValueRef::Boxed(value);
    let kind = type_of(&value, target);
    let mut out = Writer::new(true);
    out.byte(kind);
    write_value(&mut out, &value, kind);
    out.bytes
}

#[test]
fn every_value_is_read_as_it_was_written() {
    for value in values() {
        let (sum, encoding) = (digest::of_value(ValueRef::Boxed(&value)), value.encoding());
        for target in [Target::Anyone, Target::Ourselves] {
            let bytes = written(&value, target);
            let again = dump::restore(&bytes, &Limits::default()).expect("it was written well");
            assert_eq!(again.encoding(), encoding, "{}", value.type_name());
            assert_eq!(digest::of_value(ValueRef::Boxed(&again)), sum, "{} {encoding}", value.type_name());
            assert_eq!(written(&again, target).len(), bytes.len(), "{} {encoding}", value.type_name());
        }
    }
}

#[test]
fn lengths_are_those_of_redis() {
    for (number, bytes) in [
        (63, &b"\x3f"[..]),
        (64, b"\x40\x40"),
        (16383, b"\x7f\xff"),
        (16384, b"\x80\0\0\x40\0"),
        (1 << 32, b"\x81\0\0\0\x01\0\0\0\0"),
    ] {
        let mut out = Writer::default();
        out.number(number);
        assert_eq!(out.bytes, bytes);
        assert_eq!(Reader::new(bytes).number(), Ok(number));
    }
    assert!(Reader::new(b"\x82\0\0").number().is_err());
    assert!(Reader::new(b"\xc0\0").number().is_err());
}

#[test]
fn payloads_are_sealed() {
    // What redis-server 7.0.15 answers to DUMP of the string "hello".
    let payload = b"\x00\x05hello\x0a\x00cr\xdfve4 \x0a";
    let ours = dump::dump(&ValueRef::Bytes(b"hello"), true);
    assert_eq!(ours, payload);
    assert!(dump::open(&ours, true).is_ok());
    let mut wrong = ours.clone();
    wrong[3] ^= 1;
    assert_eq!(dump::open(&wrong, true), Err(Bad::Checksum));
    assert!(dump::open(&wrong, false).is_ok());
    assert_eq!(dump::open(&dump::seal(b"\0\x05hello".to_vec(), 16), true), Err(Bad::Version(16)));
    assert_eq!(dump::open(b"short", true), Err(Bad::Short));
}

/// Nothing that is read may panic or take memory that its bytes do not justify, nor leave a value behind that does.
#[test]
fn changed_payloads_do_no_harm() {
    let mut state = 42u64;
    let mut next = move || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as usize
    };
    let limits = Limits::default();
    for value in values() {
        let bytes = written(&value, Target::Anyone);
        let rounds = if cfg!(debug_assertions) { 300 } else { 5000 };
        for round in 0..rounds {
            let mut wrong = bytes.clone();
            for _ in 0..=round % 4 {
                let at = next() % wrong.len().min(if round % 2 == 0 { 64 } else { usize::MAX });
                match next() % 4 {
                    0 => wrong[at] = [0, 0xff, 0x80, 0x81, 0xc3, 0x7f][next() % 6],
                    1 => wrong[at] ^= 1 << (next() % 8),
                    2 => wrong.truncate(at + 1),
                    _ => drop(wrong.splice(at..at, [next() as u8, next() as u8])),
                }
            }
            if let Ok(read) = dump::restore(&wrong, &limits) {
                // A value that was accepted can be walked through and written.
                digest::of_value(ValueRef::Boxed(&read));
                let again = written(&read, Target::Anyone);
                assert!(dump::restore(&again, &limits).is_ok(), "{}", read.type_name());
            }
        }
    }
}

#[test]
fn a_file_holds_every_database() {
    let mut keyspace = Keyspace::new(4, 1);
    for (number, value) in values().into_iter().enumerate() {
        let mut entry = entry_of(format!("key{number}").as_bytes(), value);
        entry.set_expires_at((number % 3 == 0).then_some(2_000_000_000_000 + number as u64));
        keyspace.db_mut(number % 2 * 3).put(entry);
    }
    let frame = file::Frame {
        target: Target::Anyone,
        compresses: true,
        has_checksum: true,
        facts: &[(b"redis-ver", b"8.10.0")],
        functions: &[b"#!lua name=x"],
        use_of: Some(&|_| file::Use::Idle(70)),
    };
    let bytes = file::write(&keyspace, &frame);
    assert_eq!(&bytes[..9], b"REDIS0014");
    let mut again = Keyspace::new(4, 2);
    let mut beside = Vec::new();
    let rest = file::read(&[&bytes[..], b"behind"].concat(), &Limits::default(), true, &mut |item| {
        match item {
            file::Item::Fact(name, fact) => beside.push([name, b"=", fact].concat()),
            file::Item::Function(source) => beside.push(source.to_vec()),
            file::Item::Key { db, entry, used } => {
                assert_eq!(used, Some(file::Use::Idle(70)));
                drop(again.db_mut(db as usize).put(entry));
            }
            file::Item::Skipped { .. } => return Err(Bad::Corrupt("nothing is skipped here")),
        }
        Ok(())
    })
    .map(<[u8]>::to_vec);
    assert_eq!(rest.as_deref(), Ok(&b"behind"[..]));
    assert_eq!(beside, [b"redis-ver=8.10.0".to_vec(), b"#!lua name=x".to_vec()]);
    assert_eq!(digest::of_keyspace(&again, 0), digest::of_keyspace(&keyspace, 0));
    let mut wrong = bytes.clone();
    *wrong.last_mut().expect("a file is not empty") ^= 1;
    let result = file::read(&wrong, &Limits::default(), true, &mut |_| Ok(())).map(<[u8]>::len);
    assert_eq!(result, Err(Bad::Checksum));
    for end in 0..bytes.len().min(3000) {
        assert!(file::read(&bytes[..end], &Limits::default(), true, &mut |_| Ok(())).is_err());
    }
}

use super::*;

fn registers(value: &[u8]) -> Vec<u8> {
    let mut registers = Registers::new();
    registers.merge(value).expect("well-formed");
    registers.as_bytes().to_vec()
}

#[test]
fn the_empty_one_is_that_of_redis() {
    assert_eq!(new(), b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\0\x7f\xff");
    assert_eq!(count(&new()), Ok(0));
    assert_eq!(cached_count(&new()), Some(0));
}

// The figures of the following tests are those of redis-server 7.0.

#[test]
fn hashes_are_those_of_redis() {
    for (element, decoded) in [
        ("a", "Z:12711 v:2,1 Z:3672"),
        ("", "Z:5938 v:2,1 Z:10445"),
        ("foo", "Z:7348 v:5,1 Z:9035"),
        ("12345678", "Z:10579 v:3,1 Z:5804"),
        ("hello, world", "Z:5834 v:2,1 Z:10549"),
        ("0123456789abcdef", "Z:5949 v:1,1 Z:10434"),
    ] {
        let mut value = new();
        assert_eq!(add(&mut value, element.as_bytes(), 3000), Ok(true));
        assert_eq!(decode_sparse(&value).as_deref(), Ok(decoded));
    }
}

/// Fowler, Noll and Vo's hash, to compare long strings.
fn digest(value: &[u8]) -> u64 {
    value
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[test]
fn strings_and_estimates_are_those_of_redis() {
    let (mut value, mut number) = (new(), 0);
    for (elements, estimate, len, hash) in [
        (10, 10, 48, 0x911d_3109_64eb_aba7),
        (100, 99, 285, 0x033e_4e4e_6be9_ec79),
        (500, 502, 1050, 0xc9dc_690d_7dab_3bbd),
        (1000, 997, 1897, 0xb2a2_cc50_8fc5_ee31),
        (1500, 1500, 2722, 0xac1c_3b14_4623_00f7),
        (2000, 2004, 12304, 0x6f04_93b0_7f19_385c),
        (10000, 10017, 12304, 0x3feb_9def_f73f_099f),
        (100_000, 100_039, 12304, 0xf9c0_1647_cea5_9fdd),
    ] {
        for element in number..elements {
            add(&mut value, format!("element:{element}").as_bytes(), 3000).expect("well-formed");
        }
        number = elements;
        assert_eq!(count(&value), Ok(estimate));
        cache_count(&mut value, estimate);
        assert_eq!((value.len(), digest(&value)), (len, hash), "after {elements}");
    }
    let [mut left, mut right, mut merged] = [new(), new(), new()];
    for element in 0..600 {
        let side = if element % 3 == 0 { &mut right } else { &mut left };
        add(side, format!("element:{element}").as_bytes(), 3000).expect("well-formed");
    }
    let mut registers = Registers::new();
    registers.merge(&left).and_then(|()| registers.merge(&right)).expect("well-formed");
    registers.write_to(&mut merged, 3000).expect("well-formed");
    assert_eq!((registers.count(), merged.len(), digest(&merged)), (602, 1229, 0xa05f_292e_1bb2_3851));
}

#[test]
fn sparse_and_dense_hold_the_same_registers() {
    let (mut sparse, mut dense) = (new(), new());
    make_dense(&mut dense).expect("well-formed");
    for number in 0..3000u32 {
        let element = number.to_string();
        let changed = add(&mut dense, element.as_bytes(), 0);
        assert_eq!(add(&mut sparse, element.as_bytes(), usize::MAX), changed);
        if number % 100 == 0 {
            assert_eq!(registers(&sparse), registers(&dense));
            assert_eq!(count(&sparse), count(&dense));
        }
    }
    assert_eq!((encoding(&sparse), encoding(&dense)), (Ok(Encoding::Sparse), Ok(Encoding::Dense)));
    make_dense(&mut sparse).expect("well-formed");
    assert_eq!(sparse, dense);
}

#[test]
fn estimates_are_close() {
    let mut value = new();
    let mut checkpoint = 1;
    for number in 1..=100_000u64 {
        add(&mut value, &number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes(), 3000)
            .expect("well-formed");
        if number == checkpoint {
            let estimate = count(&value).expect("well-formed") as f64;
            let error = (estimate - number as f64).abs() / number as f64;
            assert!(error < 0.03, "{estimate} for {number}");
            checkpoint *= 10;
        }
    }
    assert_eq!(encoding(&value), Ok(Encoding::Dense));
}

#[test]
fn promotion_comes_at_the_limit_or_a_large_register() {
    let mut value = new();
    let mut number = 0u32;
    while encoding(&value) == Ok(Encoding::Sparse) {
        assert!(value.len() <= 100);
        add(&mut value, &number.to_le_bytes(), 100).expect("well-formed");
        number += 1;
    }
    assert_eq!(value.len(), DENSE_LEN);
    let mut value = new();
    assert_eq!(raise(&mut value, 5, 32, 3000), Ok(true));
    assert_eq!(decode_sparse(&value).as_deref(), Ok("z:5 v:32,1 Z:16378"));
    assert_eq!(raise(&mut value, 5, 33, 3000), Ok(true));
    assert_eq!((encoding(&value), get_dense(&value, 5)), (Ok(Encoding::Dense), 33));
}

#[test]
fn opcodes_are_split_and_joined() {
    let mut value = new();
    let mut decoded = |index: usize, rank: u8| {
        raise(&mut value, index, rank, 3000).expect("well-formed");
        decode_sparse(&value).expect("well-formed")
    };
    assert_eq!(decoded(100, 1), "Z:100 v:1,1 Z:16283");
    assert_eq!(decoded(102, 1), "Z:100 v:1,1 z:1 v:1,1 Z:16281");
    assert_eq!(decoded(101, 1), "Z:100 v:1,3 Z:16281");
    assert_eq!(decoded(101, 2), "Z:100 v:1,1 v:2,1 v:1,1 Z:16281");
    assert_eq!(decoded(100, 2), "Z:100 v:2,2 v:1,1 Z:16281");
    assert_eq!(decoded(0, 3), "v:3,1 Z:99 v:2,2 v:1,1 Z:16281");
    assert_eq!(decoded(16383, 3), "v:3,1 Z:99 v:2,2 v:1,1 Z:16280 v:3,1");
    assert_eq!(decoded(16383, 3), "v:3,1 Z:99 v:2,2 v:1,1 Z:16280 v:3,1");
}

#[test]
fn merging_takes_the_larger_registers() {
    let (mut left, mut right, mut both) = (new(), new(), new());
    for number in 0..500u32 {
        let element = number.to_le_bytes();
        add(if number % 3 == 0 { &mut left } else { &mut right }, &element, 3000).expect("well-formed");
        add(&mut both, &element, 3000).expect("well-formed");
    }
    let mut merged = Registers::new();
    merged.merge(&left).and_then(|()| merged.merge(&right)).expect("well-formed");
    assert_eq!(Ok(merged.count()), count(&both));
    merged.write_to(&mut left, 3000).expect("well-formed");
    assert_eq!(registers(&left), registers(&both));
    assert_eq!(cached_count(&left), None);
}

#[test]
fn the_noted_cardinality_goes_stale() {
    let mut value = new();
    cache_count(&mut value, 77);
    assert_eq!(cached_count(&value), Some(77));
    assert_eq!(add(&mut value, b"a", 3000), Ok(true));
    assert_eq!(cached_count(&value), None);
    cache_count(&mut value, 1);
    assert_eq!(add(&mut value, b"a", 3000), Ok(false));
    assert_eq!(cached_count(&value), Some(1));
}

#[test]
fn strangers_are_refused() {
    for value in
        [&b""[..], b"HYLL", b"HYLX\x01aaaaaaaaaaaaaaa", b"HYLL\x02aaaaaaaaaaaaaaa", b"HYLL\0aaaaaaaaaaaaaaa"]
    {
        assert_eq!(encoding(value), Err(NotHyperLogLog));
    }
    let header = &new()[..HEADER];
    // Too few, too many, an opcode cut off, a run past the end.
    for opcodes in [&b""[..], b"\x00", b"\x7f\xff\x00", b"\x7f", b"\x7f\xfe\x83", b"\x7f\xff\x7f\xff"] {
        let mut value = [header, opcodes].concat();
        assert_eq!(encoding(&value), Ok(Encoding::Sparse));
        assert_eq!(count(&value), Err(Corrupt));
        assert_eq!(Registers::new().merge(&value), Err(Corrupt));
        assert_eq!(make_dense(&mut value.clone()), Err(Corrupt));
        for number in 0..200u32 {
            let _ = add(&mut value, &number.to_le_bytes(), 40);
        }
    }
}

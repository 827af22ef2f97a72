//! Commands that make a value of every type in every encoding, and commands that read a value whole.

#![allow(dead_code)]

use resplay::resp::reply::Reply;

/// Keys with the commands that make them; all are known to Redis 7.0.
pub fn makers() -> Vec<(&'static str, Vec<Vec<String>>)> {
    let line = |text: String| -> Vec<String> { text.split(' ').map(str::to_owned).collect() };
    let many = |command: &str, items: &mut dyn Iterator<Item = String>| {
        let mut words = line(command.to_owned());
        words.extend(items.flat_map(|item| item.split(' ').map(str::to_owned).collect::<Vec<_>>()));
        words
    };
    let long = "x".repeat(90);
    let huge = "The quick brown fox. ".repeat(900).replace(' ', "_");
    let mut makers = vec![
        ("int", vec![line("SET int 12345".into())]),
        ("negative", vec![line("SET negative -9223372036854775808".into())]),
        ("embstr", vec![line("SET embstr hello".into())]),
        ("empty", vec![line("SET empty ".into())]),
        ("raw", vec![line(format!("SET raw {huge}"))]),
        ("list", vec![line("RPUSH list a 1 -7 70000 5000000000 b".into())]),
        ("quicklist", vec![many("RPUSH quicklist", &mut (0..2000).map(|n| format!("element{}", n * 37)))]),
        ("plain", vec![line(format!("RPUSH plain a {huge} b"))]),
        ("intset", vec![line("SADD intset 1 2 3 -70000 5000000000".into())]),
        ("smallset", vec![line("SADD smallset a b c 12 1.5".into())]),
        ("bigset", vec![many("SADD bigset", &mut (0..700).map(|n| format!("m{n}")))]),
        ("longset", vec![line(format!("SADD longset a {long}"))]),
        ("smallhash", vec![line("HSET smallhash f 1 g two h 3.5".into())]),
        ("bighash", vec![many("HSET bighash", &mut (0..700).map(|n| format!("f{n} {}", n * n)))]),
        ("longhash", vec![line(format!("HSET longhash f {long}"))]),
        ("smallzset", vec![line("ZADD smallzset 1 a 2.5 b -inf c +inf d 1e20 e 0.1 f".into())]),
        (
            "bigzset",
            vec![many("ZADD bigzset", &mut (0..700).map(|n| format!("{} m{n}", f64::from(n) / 7.0)))],
        ),
        ("longzset", vec![line(format!("ZADD longzset 3 a 4.25 {long}"))]),
        ("hll", vec![many("PFADD hll", &mut (0..20).map(|n| format!("e{n}")))]),
        ("densehll", vec![many("PFADD densehll", &mut (0..5000).map(|n| format!("e{n}")))]),
        ("bits", vec![line("SETBIT bits 1000 1".into())]),
        ("geo", vec![line("GEOADD geo 13.361389 38.115556 Palermo 15.087269 37.502669 Catania".into())]),
    ];
    let mut stream: Vec<Vec<String>> =
        (1..250).map(|n| line(format!("XADD stream {n}-{} f {n} g v{}", n % 3, n % 5))).collect();
    for text in [
        "XADD stream 300-1 other fields 7 8 x y",
        "XDEL stream 5-2 6-0",
        "XGROUP CREATE stream g1 0",
        "XGROUP CREATE stream g2 100",
        "XGROUP CREATECONSUMER stream g2 idle",
        "XREADGROUP GROUP g1 alice COUNT 10 STREAMS stream >",
        "XREADGROUP GROUP g1 bob COUNT 5 STREAMS stream >",
        "XACK stream g1 1-1 2-2",
    ] {
        stream.push(line(text.into()));
    }
    makers.push(("stream", stream));
    makers.push((
        "emptystream",
        ["XADD emptystream 5-5 a b", "XDEL emptystream 5-5", "XGROUP CREATE emptystream g $"]
            .map(|text| line(text.into()))
            .to_vec(),
    ));
    makers
}

/// Keys of the types that Redis 7.0 does not know.
pub fn newer_makers() -> Vec<(&'static str, Vec<Vec<String>>)> {
    let line = |text: &str| -> Vec<String> { text.split(' ').map(str::to_owned).collect() };
    let mut table = line("HSET expiringtable");
    table.extend((0..1200).map(|n| format!("f{n}")));
    vec![
        (
            "expiringpack",
            vec![
                line("HSET expiringpack f 1 g 2 h 3"),
                line("HPEXPIREAT expiringpack 4000000000000 FIELDS 2 f h"),
            ],
        ),
        ("expiringtable", vec![table, line("HPEXPIREAT expiringtable 4000000000123 FIELDS 2 f0 f200")]),
        ("array", vec![line("ARSET array 0 x y -17"), line("ARSET array 5000 1.5")]),
    ]
}

/// The command that reads all of a value of this type.
pub fn reading<'k>(type_name: &str, key: &'k str) -> Vec<&'k str> {
    match type_name {
        "string" => vec!["GET", key],
        "list" => vec!["LRANGE", key, "0", "-1"],
        "set" => vec!["SMEMBERS", key],
        "hash" => vec!["HGETALL", key],
        "zset" => vec!["ZRANGE", key, "0", "-1", "WITHSCORES"],
        "stream" => vec!["XRANGE", key, "-", "+"],
        "array" => vec!["ARSCAN", key, "0", "18446744073709551614"],
        other => panic!("no command reads a {other}"),
    }
}

/// What is unordered, in an order; scores as numbers, which 7.0 writes with 17 digits.
pub fn sorted(type_name: &str, reply: Reply) -> Reply {
    match (type_name, reply) {
        ("set", Reply::Array(mut items)) => {
            items.sort_by_key(|item| format!("{item:?}"));
            Reply::Array(items)
        }
        ("hash", Reply::Array(items)) => {
            let mut pairs: Vec<Reply> = items.chunks(2).map(|pair| Reply::Array(pair.to_vec())).collect();
            pairs.sort_by_key(|item| format!("{item:?}"));
            Reply::Array(pairs)
        }
        ("zset", Reply::Array(mut items)) => {
            for score in items.iter_mut().skip(1).step_by(2) {
                let Reply::Bulk(text) = score else { continue };
                let number: f64 = String::from_utf8_lossy(text).parse().expect("a score is a number");
                *score = Reply::bulk(number.to_string());
            }
            Reply::Array(items)
        }
        (_, reply) => reply,
    }
}

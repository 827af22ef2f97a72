use super::*;
use crate::engine::{ClientId, Engine};

fn engine() -> (Engine, ClientId) {
    let mut engine = Engine::with_journal(1, 1000);
    let id = engine.connect(1000);
    (engine, id)
}

fn run(engine: &mut Engine, id: ClientId, line: &str) {
    engine.receive(id, format!("{line}\r\n").as_bytes(), 1000);
}

fn query(open: &[&str], filter: &str) -> KeysQuery {
    let open = open.iter().map(|path| path.as_bytes().to_vec()).collect();
    KeysQuery { db: 0, open, filter: filter.into(), from: 0, count: 100 }
}

fn list<'a>(part: &'a Part, name: &str) -> &'a [Part] {
    match part.get(name) {
        Some(Part::List(parts)) => parts,
        other => panic!("{name} is a list, not {other:?}"),
    }
}

/// Rows as indented names; groups with their number of keys.
fn tree(part: &Part) -> Vec<String> {
    let text = |row: &Part, name: &str| match row.get(name) {
        Some(Part::Bytes(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
        Some(Part::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    let row = |row: &Part| {
        let depth: usize = text(row, "depth").parse().expect("a depth is a number");
        format!("{}{} {}", "  ".repeat(depth), text(row, "name"), text(row, "keys")).trim_end().to_owned()
    };
    list(part, "shown").iter().map(row).collect()
}

#[test]
fn keys_fold_at_colons() {
    let (mut engine, id) = engine();
    for key in ["plain", "user:1:name", "user:1:age", "user:2:name", "lone:key", "a:b:1", "a:b:2"] {
        run(&mut engine, id, &format!("SET {key} x"));
    }
    let server = engine.server();
    assert_eq!(tree(&keys(server, &query(&[], ""))), ["a:b: 2", "lone:key", "plain", "user: 3"]);
    assert_eq!(
        tree(&keys(server, &query(&["user:", "user:1:"], ""))),
        ["a:b: 2", "lone:key", "plain", "user: 3", "  1: 2", "    age", "    name", "  2:name"]
    );
    assert_eq!(tree(&keys(server, &query(&[], "name"))), ["user: 2"]);
    assert_eq!(tree(&keys(server, &query(&[], "*:1"))), ["a:b:1"]);
    let window = KeysQuery { from: 1, count: 2, ..query(&[], "") };
    assert_eq!(tree(&keys(server, &window)), ["lone:key", "plain"]);
    assert_eq!(keys(server, &KeysQuery { db: 99, ..query(&[], "") }), Part::Nothing);
}

#[test]
fn every_type_shows_its_elements() {
    let (mut engine, id) = engine();
    for line in [
        "SET s hello",
        "SET n 42",
        "RPUSH l a b c",
        "HSET h f v",
        "SADD set x",
        "ZADD z 1 one 2.5 two",
        "GEOADD geo 13.361389 38.115556 Palermo",
        "XADD x 1-1 f v",
        "XGROUP CREATE x g 0",
        "XREADGROUP GROUP g bob STREAMS x >",
        "PFADD hll a b c",
        "ARSET ar 5 five",
    ] {
        run(&mut engine, id, line);
    }
    let look = |key: &str| value(engine.server(), 0, key.as_bytes(), 0, 10);
    assert_eq!(look("s").get("text"), Some(&Part::bytes(b"hello")));
    assert_eq!(look("n").get("number"), Some(&Part::Integer(42)));
    assert_eq!(list(&look("l"), "rows").len(), 3);
    assert_eq!(
        list(&look("h"), "rows"),
        [Part::List(vec![Part::bytes(b"f"), Part::bytes(b"v"), Part::Nothing])]
    );
    assert_eq!(list(&look("set"), "rows"), [Part::bytes(b"x")]);
    assert_eq!(look("z").get("most"), Some(&Part::Number(2.5)));
    assert_eq!(list(&look("z"), "rows")[0], Part::List(vec![Part::bytes(b"one"), Part::Number(1.0)]));
    let geo = look("geo");
    let Part::List(place) = &list(&geo, "rows")[0] else { panic!("a row is a list") };
    assert_eq!(place.len(), 4);
    let stream = look("x");
    assert_eq!(list(&stream, "rows").len(), 1);
    let group = &list(&stream, "groups")[0];
    assert_eq!(list(group, "pending").len(), 1);
    assert_eq!(look("hll").get("estimate"), Some(&Part::Integer(3)));
    assert_eq!(list(&look("ar"), "rows"), [Part::List(vec![Part::Number(5.0), Part::bytes(b"five")])]);
    assert_eq!(look("none"), Part::Nothing);
}

#[test]
fn a_moment_tells_what_its_input_did() {
    let (mut engine, id) = engine();
    run(&mut engine, id, "HSET h f 1");
    run(&mut engine, id, &format!("HSET h g {}", "x".repeat(100)));
    run(&mut engine, id, "DEL h");
    let journal = engine.journal().expect("it keeps one").clone();
    let past = Past::of(&journal, 3);
    assert_eq!(past.moment(), 3);
    let told = past.step();
    let step = &list(&told, "steps")[0];
    assert_eq!(step.get("name"), Some(&Part::text("HSET")));
    let key = &list(step, "keys")[0];
    let encoding = |when: &str| key.get(when).and_then(|look| look.get("encoding")).cloned();
    assert_eq!(encoding("before"), Some(Part::text("listpack")));
    assert_eq!(encoding("after"), Some(Part::text("hashtable")));
    assert_eq!(list(step, "notices")[0].get("event"), Some(&Part::text("hset")));
    assert_eq!(list(&told, "differences").len(), 1);
    let propagated = told.get("propagated").expect("it is there");
    assert!(list(propagated, "parts").len() > 4);

    let past = Past::of(&journal, 4);
    assert_eq!(past.step().get("differences").map(|_| ()), Some(()));
    assert_eq!(value(past.server(), 0, b"h", 0, 10), Part::Nothing);
    let mut past = Past::of(&journal, 2);
    let Some(Part::Number(size)) = value(past.server(), 0, b"h", 0, 10).get("size").cloned() else {
        panic!("the hash is there again")
    };
    assert_eq!(size, 1.0);
    let reply = past.reply_as(crate::resp::Protocol::Resp3);
    assert_eq!(reply, b":1\r\n");
}

#[test]
fn scripts_and_transactions_show_their_commands() {
    let (mut engine, id) = engine();
    run(&mut engine, id, "MULTI");
    run(&mut engine, id, "SET a 1");
    run(&mut engine, id, "INCR a");
    run(&mut engine, id, "EXEC");
    let journal = engine.journal().expect("it keeps one").clone();
    let told = Past::of(&journal, journal.len()).step();
    let depths: Vec<_> = list(&told, "steps")
        .iter()
        .map(|step| (step.get("name").cloned(), step.get("depth").cloned()))
        .collect();
    let at = |name: &str, depth: f64| (Some(Part::text(name)), Some(Part::Number(depth)));
    assert_eq!(depths, [at("EXEC", 0.0), at("SET", 1.0), at("INCR", 1.0)]);
}

#[test]
fn the_wire_is_taken_apart() {
    let told = wire::wire(b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n");
    let notes: Vec<_> = list(&told, "parts").iter().map(|part| part.get("note").cloned()).collect();
    let text = |note: &str| Some(Part::text(note));
    assert_eq!(notes, [text("array of 2 elements"), text("string of 3 bytes"), text("string of 1 byte")]);
    // Nothing of this panics or goes on for ever.
    for broken in
        ["", "\r\n", "$99999999999999999999\r\n", "*9223372036854775807\r\n:1", "%2\r\n+a\r\n", "$5\r\nab"]
    {
        wire::wire(broken.as_bytes());
    }
}

#[test]
fn facts_come_from_declarations_alone() {
    let engine = Engine::new(1, 1000);
    let told = facts(engine.registry(), b"*3\r\n$3\r\nset\r\n$1\r\nk\r\n$1\r\nv\r\n");
    assert_eq!(told.get("name"), Some(&Part::text("SET")));
    assert_eq!(told.get("text"), Some(&Part::text("set k v")));
    assert_eq!(told.get("readonly"), Some(&Part::Flag(false)));
    let keys = list(&told, "keys");
    assert_eq!((keys.len(), keys[0].get("key")), (1, Some(&Part::bytes(b"k"))));
    assert_eq!(
        (keys[0].get("word"), list(&told, "specs")),
        (Some(&Part::count(1)), &[Part::text("word 1")][..])
    );
    let specs = |name: &str| {
        let number = engine.registry().entries().iter().find(|entry| &*entry.full_name == name);
        let Part::List(specs) = facts::specs_of(number.expect("it is there").command) else {
            panic!("a list")
        };
        let text = |part: Part| if let Part::Text(text) = part { text } else { panic!("words") };
        specs.into_iter().map(text).collect::<Vec<_>>()
    };
    for (name, expected) in [
        ("mset", &["every 2. word, from word 1 to the last"][..]),
        ("del", &["from word 1 to the last"]),
        ("blpop", &["from word 1 to the last but 1"]),
        ("xread", &["from the word after STREAMS on, the first 1/2 of the rest"]),
        ("eval", &["from word 3 on, as many as word 2 says"]),
        ("rename", &["word 1", "word 2"]),
        ("ping", &[]),
    ] {
        assert_eq!(specs(name), expected, "{name}");
    }
    let unknown = facts(engine.registry(), b"*1\r\n$6\r\nNOSUCH\r\n");
    assert_eq!((unknown.get("name"), unknown.get("keys")), (Some(&Part::text("")), None));
    for broken in ["", "*1\r\n", "*1\r\n$99\r\nab", "\r\n", "*0\r\n"] {
        facts(engine.registry(), broken.as_bytes());
    }
}

#[test]
fn edits_are_commands() {
    let words = |words: &[&str]| words.iter().map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>();
    assert_eq!(edit("field", &words(&["h", "a b", "1"])).as_deref(), Some("HSET h \"a b\" 1"));
    assert_eq!(edit("score", &words(&["z", "bob", "7"])).as_deref(), Some("ZADD z 7 bob"));
    assert_eq!(edit("nothing", &[]), None);
}

#[test]
fn the_timeline_names_what_clients_did() {
    let (mut engine, id) = engine();
    run(&mut engine, id, "SET a 1");
    engine.tick(2000);
    run(&mut engine, id, "GET a");
    let told = timeline(engine.journal().expect("it keeps one"), 0, 10);
    let moments: Vec<_> = list(&told, "shown")
        .iter()
        .map(|row| (row.get("moment").cloned(), row.get("text").cloned()))
        .collect();
    let at = |moment: f64, text: &str| (Some(Part::Number(moment)), Some(Part::text(text)));
    assert_eq!(moments, [at(1.0, "connects"), at(2.0, "SET a 1"), at(4.0, "GET a")]);
}

#[test]
fn the_past_plays_on_in_any_pieces_and_from_a_checkpoint() {
    let (mut engine, id) = engine();
    run(&mut engine, id, "SET a 1");
    engine.take_output(id);
    assert!(engine.checkpoint());
    for line in ["SADD s x y z", "INCR a", "SPOP s", "SRANDMEMBER s"] {
        run(&mut engine, id, line);
    }
    let journal = engine.journal().expect("it keeps one").clone();
    let bytes = |from: usize, to: usize| {
        let mut inputs = journal.inputs();
        inputs.by_ref().take(from).for_each(drop);
        let start = inputs.played().len();
        inputs.by_ref().take(to - from).for_each(drop);
        inputs.played()[start..].to_vec()
    };
    for middle in 0..=journal.len() {
        for end in middle..=journal.len() {
            let mut past = Past::of(&journal, middle);
            assert_eq!(past.played(), middle.saturating_sub(1));
            past.play(&bytes(past.played(), end));
            assert_eq!(past.moment(), end);
            assert_eq!(past.step(), Past::of(&journal, end).step(), "{middle} {end}");
            assert_eq!(past.server().keyspace.len(), if end < 2 { end } else { 2 });
        }
    }
}

#[test]
fn what_time_brings_next_is_told() {
    let (mut engine, id) = engine();
    assert_eq!(engine.next_due(), None);
    for line in
        ["SET long x PX 9000", "SET brief x PX 500", "HSET h f 1", "HPEXPIRE h 700 FIELDS 1 f", "BLPOP q 3"]
    {
        run(&mut engine, id, line);
    }
    let mut told = Vec::new();
    while let Some(due_ms) = engine.next_due() {
        told.push(due_ms);
        engine.tick(due_ms + 1);
    }
    assert_eq!(told, [1500, 1700, 4000, 10_000]);
}

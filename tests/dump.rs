//! DUMP and RESTORE against a real redis-server 7.0.15: what one dumps the other restores, for every type in every
//! encoding, and nothing is lost on the way there and back.

mod support {
    pub mod data;
    pub mod redis;
}

use resplay::engine::{ClientId, Engine};
use resplay::resp::Request;
use resplay::resp::reply::{Decoder, Reply};
use support::data::{makers, newer_makers, reading, sorted};
use support::redis::Redis;

/// Now, so that nothing has expired on either side.
fn now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.expect("after 1970").as_millis() as u64
}

struct Ours {
    engine: Engine,
    client: ClientId,
}

impl Ours {
    fn start() -> Ours {
        let mut engine = Engine::new(1, now_ms());
        let client = engine.connect(now_ms());
        Ours { engine, client }
    }

    fn run(&mut self, words: &[&[u8]]) -> Reply {
        let mut bytes = Vec::new();
        Request::of(words).encode(&mut bytes);
        self.engine.receive(self.client, &bytes, now_ms());
        let mut decoder = Decoder::new();
        decoder.feed(&self.engine.take_output(self.client));
        decoder.next_reply().expect("we speak RESP").expect("every command is answered")
    }

    fn run_words(&mut self, words: &[&str]) -> Reply {
        let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
        self.run(&words)
    }
}

fn is_error(reply: &Reply) -> bool {
    matches!(reply, Reply::Error(_))
}

fn bytes_of(reply: Reply) -> Vec<u8> {
    match reply {
        Reply::Bulk(bytes) | Reply::Status(bytes) => bytes,
        other => panic!("no string: {other:?}"),
    }
}

fn run_words(redis: &mut Redis, words: &[&str]) -> Reply {
    redis.connection.run_words(words)
}

fn type_of(redis: &mut Redis, key: &str) -> String {
    String::from_utf8(bytes_of(run_words(redis, &["TYPE", key]))).expect("types have ASCII names")
}

#[test]
fn what_redis_dumps_is_restored_here_and_taken_back() {
    let mut redis = Redis::start(&[]);
    let mut ours = Ours::start();
    for (key, lines) in makers() {
        for line in &lines {
            let words: Vec<&str> = line.iter().map(String::as_str).collect();
            let reply = run_words(&mut redis, &words);
            assert!(!is_error(&reply), "{words:?}: {reply:?}");
        }
        let payload = bytes_of(run_words(&mut redis, &["DUMP", key]));
        let restored = ours.run(&[b"RESTORE", key.as_bytes(), b"0", &payload]);
        assert_eq!(restored, Reply::status("OK"), "{key}");
        let kind = type_of(&mut redis, key);
        let words = reading(&kind, key);
        let theirs = sorted(&kind, run_words(&mut redis, &words));
        assert_eq!(sorted(&kind, ours.run_words(&words)), theirs, "{key}");
        // There and back: Redis cannot tell the value from its own.
        let ours_dumped = bytes_of(ours.run_words(&["DUMP", key]));
        let reply = redis.run(&[b"RESTORE", b"back", b"0", &ours_dumped, b"REPLACE"]);
        assert_eq!(reply, Reply::status("OK"), "{key}");
        let digests = run_words(&mut redis, &["DEBUG", "DIGEST-VALUE", key, "back"]);
        let Reply::Array(digests) = digests else { panic!("{digests:?}") };
        assert_eq!(digests[0], digests[1], "{key}");
        if kind == "stream" {
            for words in [["XINFO", "STREAM", key, "FULL"], ["XINFO", "STREAM", "back", "FULL"]] {
                assert!(!is_error(&run_words(&mut redis, &words)));
            }
            let full =
                |redis: &mut Redis, key| run_words(redis, &["XINFO", "STREAM", key, "FULL", "COUNT", "0"]);
            assert_eq!(full(&mut redis, key), full(&mut redis, "back"), "{key}");
        }
        let ours_kind = bytes_of(ours.run_words(&["OBJECT", "ENCODING", key]));
        let theirs_kind = bytes_of(run_words(&mut redis, &["OBJECT", "ENCODING", key]));
        // Since 7.0 short lists and sets have become listpacks, and a long one has kept its name.
        if !["list", "smallset"].contains(&key) {
            assert_eq!(String::from_utf8_lossy(&ours_kind), String::from_utf8_lossy(&theirs_kind), "{key}");
        }
    }
}

#[test]
fn what_is_made_here_is_restored_by_redis() {
    let mut redis = Redis::start(&[]);
    let mut ours = Ours::start();
    for (key, lines) in makers() {
        for line in &lines {
            let words: Vec<&str> = line.iter().map(String::as_str).collect();
            let reply = ours.run_words(&words);
            assert!(!is_error(&reply), "{words:?}: {reply:?}");
        }
        let payload = bytes_of(ours.run_words(&["DUMP", key]));
        assert_eq!(&payload[payload.len() - 10..payload.len() - 8], b"\x0a\0", "{key} is of version 10");
        let reply = redis.run(&[b"RESTORE", key.as_bytes(), b"0", &payload]);
        assert_eq!(reply, Reply::status("OK"), "{key}");
        let kind = type_of(&mut redis, key);
        let words = reading(&kind, key);
        let theirs = sorted(&kind, run_words(&mut redis, &words));
        assert_eq!(sorted(&kind, ours.run_words(&words)), theirs, "{key}");
    }
}

#[test]
fn newer_types_survive_their_own_payloads() {
    let mut ours = Ours::start();
    for (key, lines) in makers().into_iter().chain(newer_makers()) {
        for line in &lines {
            let words: Vec<&str> = line.iter().map(String::as_str).collect();
            let reply = ours.run_words(&words);
            assert!(!is_error(&reply), "{words:?}: {reply:?}");
        }
        let before = ours.run_words(&["DEBUG", "DIGEST-VALUE", key]);
        let encoding = ours.run_words(&["OBJECT", "ENCODING", key]);
        let payload = bytes_of(ours.run_words(&["DUMP", key]));
        let reply = ours.run(&[b"RESTORE", key.as_bytes(), b"0", &payload, b"REPLACE"]);
        assert_eq!(reply, Reply::status("OK"), "{key}");
        assert_eq!(ours.run_words(&["DEBUG", "DIGEST-VALUE", key]), before, "{key}");
        // Strings lose that they were edited in place, as in Redis.
        if key != "bits" && key != "hll" {
            assert_eq!(ours.run_words(&["OBJECT", "ENCODING", key]), encoding, "{key}");
        }
    }
}

//! Real sockets and real clients: redis-cli, redis-benchmark and redis-py against the binary, and input no client would
//! send. What is not installed is named; `cargo xtask test` installs it.

#[path = "support/server.rs"]
mod server;

use std::io::{Read, Write};
use std::process::Command;

use server::{Server, text};

#[test]
fn it_says_who_it_is_and_ends_cleanly() {
    for signal in ["-INT", "-TERM"] {
        let server = Server::start();
        for part in ["version=", "port=", "pid=", "Ready to accept connections"] {
            assert!(server.greeting.contains(part), "{part} is missing in:\n{}", server.greeting);
        }
        assert_eq!(server.redis_cli(&["ping"]), "PONG\n");
        assert_eq!(server.stop(signal), 0);
    }
}

#[test]
fn redis_cli_talks_to_it() {
    let server = Server::start();
    assert_eq!(server.redis_cli(&["set", "k", "v", "ex", "100"]), "OK\n");
    assert_eq!(server.redis_cli(&["get", "k"]), "v\n");
    assert_eq!(server.redis_cli(&["-3", "hset", "h", "a", "1"]), "1\n");
    assert!(server.redis_cli(&["command", "docs", "get"]).contains("summary"));
    assert!(server.redis_cli(&["info", "server"]).contains("redis_version:8.10"));
    assert!(server.redis_cli(&["--bigkeys"]).contains("summary"));
}

#[test]
fn redis_benchmark_runs_its_whole_set() {
    let server = Server::start();
    let output = Command::new("redis-benchmark")
        .args(["-p", &server.port.to_string(), "-q", "-n", "2000", "-c", "10"])
        .output()
        .expect("redis-benchmark is installed (apt-get install redis-tools)");
    let text = text(&output);
    assert!(output.status.success(), "{text}");
    for row in ["PING_INLINE", "SET", "LRANGE_600 (first 600 elements)", "MSET (10 keys)", "ZADD", "SPOP"] {
        assert!(text.contains(&format!("{row}:")), "{row} is missing in:\n{text}");
    }
    assert!(!text.to_lowercase().contains("error"), "{text}");
}

#[test]
fn requests_may_come_in_any_pieces() {
    let server = Server::start();
    let mut stream = server.connect();
    for byte in b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nhello\r\n" {
        stream.write_all(&[*byte]).expect("it reads");
    }
    let mut reply = [0; 5];
    stream.read_exact(&mut reply).expect("it answers");
    assert_eq!(&reply, b"+OK\r\n");
    server.exchange(&b"PING\r\n".repeat(10_000), &b"+PONG\r\n".repeat(10_000));
}

#[test]
fn what_is_no_request_is_answered_and_closed() {
    let server = Server::start();
    let cases: [(&[u8], &str); 5] = [
        (b"*x\r\n", "-ERR Protocol error: invalid multibulk length\r\n"),
        (b"*1\r\nPING\r\n", "-ERR Protocol error: expected '$', got 'P'\r\n"),
        (b"*1\r\n$536870913\r\n", "-ERR Protocol error: invalid bulk length\r\n"),
        (b"*1\r\n$-1\r\n", "-ERR Protocol error: invalid bulk length\r\n"),
        (b"SET \"k\r\n", "-ERR Protocol error: unbalanced quotes in request\r\n"),
    ];
    for (bytes, expected) in cases {
        assert_eq!(server.last_words(bytes), expected);
    }
    assert_eq!(server.last_words(&[b'a'; 70_000]), "-ERR Protocol error: too big inline request\r\n");
    assert_eq!(server.redis_cli(&["ping"]), "PONG\n");
}

#[test]
fn large_input_is_taken_and_too_large_is_refused() {
    let server = Server::start();
    let mut request = b"*1000001\r\n$3\r\nDEL\r\n".to_vec();
    request.extend(b"$1\r\nk\r\n".repeat(1_000_000));
    server.exchange(&request, b":0\r\n");
    let value = vec![b'v'; 20_000_000];
    let mut request = format!("*3\r\n$3\r\nSET\r\n$1\r\nb\r\n${}\r\n", value.len()).into_bytes();
    request.extend(&value);
    request.extend(b"\r\n*2\r\n$6\r\nSTRLEN\r\n$1\r\nb\r\n");
    server.exchange(&request, b"+OK\r\n:20000000\r\n");
    assert!(
        server
            .redis_cli(&["setrange", "b", "536870912", "x"])
            .contains("string exceeds maximum allowed size")
    );
}

#[test]
fn a_client_that_never_reads_does_not_stop_the_others() {
    let server = Server::start();
    server.redis_cli(&["setrange", "big", "1000000", "x"]);
    let mut deaf = server.connect();
    deaf.write_all(&b"GET big\r\n".repeat(200)).expect("it reads");
    for _ in 0..20 {
        assert_eq!(server.redis_cli(&["ping"]), "PONG\n");
    }
}

#[test]
fn redis_py_works() {
    let script = r#"
import sys, threading, redis
r = redis.Redis(port=int(sys.argv[1]), decode_responses=True)
assert r.set("k", "v") and r.get("k") == "v"
with r.pipeline() as p:
    p.incr("n"); p.incr("n"); p.hset("h", mapping={"a": 1, "b": 2})
    assert p.execute() == [1, 2, 2]
assert r.hgetall("h") == {"a": "1", "b": "2"}
sub = r.pubsub(); sub.subscribe("news")
assert sub.get_message(timeout=5)["type"] == "subscribe"
assert r.publish("news", "hello") == 1
assert sub.get_message(timeout=5)["data"] == "hello"
got = []
t = threading.Thread(target=lambda: got.append(redis.Redis(port=int(sys.argv[1]), decode_responses=True).blpop("q", timeout=5)))
t.start()
while r.client_list(_type="normal") and not any(c["cmd"] == "blpop" for c in r.client_list()): pass
r.rpush("q", "job"); t.join()
assert got == [("q", "job")], got
r3 = redis.Redis(port=int(sys.argv[1]), protocol=3, decode_responses=True)
assert r3.hgetall("h") == {"a": "1", "b": "2"} and r3.zadd("z", {"m": 1.5}) == 1 and r3.zscore("z", "m") == 1.5
def double(pipe):
    n = int(pipe.get("n")); pipe.multi(); pipe.set("n", n * 2)
r.transaction(double, "n")
assert r.get("n") == "4"
print("done")
"#;
    let server = Server::start();
    let python = std::env::var("RESPLAY_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let output = Command::new(python)
        .args(["-c", script, &server.port.to_string()])
        .output()
        .expect("python3 is installed");
    assert_eq!(text(&output), "done\n", "redis-py must be installed (pip install redis)");
}

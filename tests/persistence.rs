//! The data set on disk: our files in the hands of a real redis-server 7.0.15 and its tools, its files in ours, and what a
//! server keeps over its end.

#[path = "support/data.rs"]
mod data;
#[path = "support/redis.rs"]
mod redis;
#[path = "support/server.rs"]
mod server;

use std::path::Path;
use std::process::Command;

use data::{makers, newer_makers, reading, sorted};
use redis::{Connection, Folder, Redis};
use resplay::resp::reply::Reply;
use server::Server;

fn connect(server: &Server) -> Connection {
    Connection::of(server.connect())
}

fn text(reply: Reply) -> String {
    match reply {
        Reply::Bulk(bytes) | Reply::Status(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        other => panic!("no string: {other:?}"),
    }
}

fn fill(connection: &mut Connection, with_newer: bool) {
    let newer = if with_newer { newer_makers() } else { Vec::new() };
    for (_, lines) in makers().into_iter().chain(newer) {
        for line in &lines {
            let words: Vec<&str> = line.iter().map(String::as_str).collect();
            let reply = connection.run_words(&words);
            assert!(!matches!(reply, Reply::Error(_)), "{words:?}: {reply:?}");
        }
    }
    for line in [
        "SET expires soon PX 100000000",
        "PEXPIREAT list 4000000000000",
        "SELECT 7",
        "SET seven 7",
        "SELECT 0",
    ] {
        connection.line(line);
    }
    load_library(connection);
}

fn load_library(connection: &mut Connection) {
    let library = "#!lua name=seven\nredis.register_function('seven', function() return 7 end)";
    connection.run_words(&["FUNCTION", "LOAD", library]);
}

/// All keys of database 0 with what they hold.
fn contents(connection: &mut Connection) -> Vec<(String, Reply)> {
    let Reply::Array(keys) = connection.line("KEYS *") else { panic!("KEYS answers an array") };
    let mut keys: Vec<String> = keys.into_iter().map(text).collect();
    keys.sort();
    let mut contents = Vec::new();
    for key in keys {
        let kind = text(connection.run_words(&["TYPE", &key]));
        if kind == "none" {
            continue;
        }
        let value = sorted(&kind, connection.run_words(&reading(&kind, &key)));
        contents.push((format!("{key} at {:?}", connection.run_words(&["PEXPIRETIME", &key])), value));
    }
    connection.line("SELECT 7");
    contents.push(("seven".to_owned(), connection.line("GET seven")));
    contents.push(("function seven".to_owned(), connection.line("FCALL seven 0")));
    connection.line("SELECT 0");
    contents
}

/// `redis-check-rdb` finds no fault.
fn check_rdb(path: &Path) {
    let checked = Command::new("redis-check-rdb").arg(path).output().expect("redis-tools are installed");
    let said = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(checked.status.success() && said.contains("RDB looks OK"), "{said}");
}

/// Until INFO says so.
fn wait_for(connection: &mut Connection, wanted: &str) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while !text(connection.line("INFO persistence")).contains(wanted) {
        assert!(std::time::Instant::now() < deadline, "INFO never says {wanted}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

fn ours(folder: &Folder, words: &[&str]) -> Server {
    let mut all = vec!["--dir", folder.text(), "--enable-debug-command", "yes"];
    all.extend(words);
    Server::start_with(&all)
}

fn theirs(folder: &Folder, words: &[&str]) -> Redis {
    let mut all = vec!["--dir", folder.text()];
    all.extend(words);
    Redis::start(&all)
}

#[test]
fn redis_starts_from_our_file() {
    let folder = Folder::new();
    let server = ours(&folder, &[]);
    let mut connection = connect(&server);
    fill(&mut connection, false);
    let before = contents(&mut connection);
    assert_eq!(connection.line("SAVE"), Reply::status("OK"));
    check_rdb(&folder.path().join("dump.rdb"));
    let mut redis = theirs(&folder, &[]);
    assert_eq!(contents(&mut redis.connection), before);
}

#[test]
fn we_start_from_the_file_of_redis() {
    for words in
        [&["--save", "1000 1"][..], &["--save", "1000 1", "--rdbcompression", "no", "--rdbchecksum", "no"]]
    {
        let folder = Folder::new();
        let mut redis = theirs(&folder, words);
        fill(&mut redis.connection, false);
        redis.line("SET volatile x PX 20");
        let before: Vec<_> = contents(&mut redis.connection)
            .into_iter()
            .filter(|(key, _)| !key.starts_with("volatile"))
            .collect();
        // What has expired in the meantime is left out.
        std::thread::sleep(std::time::Duration::from_millis(30));
        redis.shut_down("");
        let server = ours(&folder, &[]);
        assert!(server.greeting.contains("Loading RDB produced by version 7.0.15"), "{}", server.greeting);
        assert!(server.greeting.contains("DB loaded from disk"), "{}", server.greeting);
        assert_eq!(contents(&mut connect(&server)), before);
    }
}

#[test]
fn nothing_is_lost_over_our_own_end() {
    let folder = Folder::new();
    let server = ours(&folder, &["--save", "10000 100"]);
    let mut connection = connect(&server);
    fill(&mut connection, true);
    let digest = connection.line("DEBUG DIGEST");
    assert_eq!(connection.line("DEBUG RELOAD"), Reply::status("OK"));
    assert_eq!(connection.line("DEBUG DIGEST"), digest);
    connection.line("XGROUP CREATECONSUMER stream g2 never");
    connection.line("DEBUG RELOAD");
    // 7.0 does not keep when a consumer last got something; we do, in its format.
    let Reply::Array(consumers) = connection.line("XINFO CONSUMERS stream g2") else {
        panic!("there are some")
    };
    assert!(consumers.iter().any(|one| format!("{one:?}").contains("Integer(-1)")), "{consumers:?}");
    let digest = connection.line("DEBUG DIGEST");
    assert_eq!(server.stop("-TERM"), 0);
    assert!(folder.path().join("dump.rdb").exists());
    let server = ours(&folder, &["--save", "10000 100"]);
    let mut connection = connect(&server);
    assert_eq!(connection.line("DEBUG DIGEST"), digest);
    let info = text(connection.line("INFO persistence"));
    assert!(info.contains("rdb_changes_since_last_save:0\r\n"), "{info}");
    // SHUTDOWN saves as it is told, or as the configuration says.
    connection.line("SET more 1");
    connection.send(&[b"SHUTDOWN", b"NOSAVE"]);
    assert_eq!(server.wait(), 0);
    let server = ours(&folder, &["--save", "10000 100"]);
    let mut connection = connect(&server);
    assert_eq!(connection.line("EXISTS more"), Reply::Integer(0));
    connection.line("SET more 1");
    connection.send(&[b"SHUTDOWN"]);
    assert_eq!(server.wait(), 0);
    let server = ours(&folder, &[]);
    let mut connection = connect(&server);
    assert_eq!(connection.line("EXISTS more"), Reply::Integer(1));
}

#[test]
fn changes_are_saved_in_the_background() {
    let folder = Folder::new();
    let server = ours(&folder, &["--save", "1 3", "--dbfilename", "other.rdb"]);
    let mut connection = connect(&server);
    for line in ["SET a 1", "SET b 1"] {
        connection.line(line);
    }
    assert!(text(connection.line("INFO persistence")).contains("rdb_changes_since_last_save:2\r\n"));
    connection.line("SET c 1");
    wait_for(&mut connection, "rdb_changes_since_last_save:0\r\n");
    check_rdb(&folder.path().join("other.rdb"));
    assert_eq!(connection.line("BGSAVE"), Reply::status("Background saving started"));
    drop(server);
    let left: Vec<_> = std::fs::read_dir(folder.path()).expect("it is there").flatten().collect();
    assert!(left.iter().any(|file| file.file_name() == "other.rdb"), "{left:?}");
}

#[test]
fn a_save_that_fails_says_so() {
    let folder = Folder::new();
    let server = ours(&folder, &["--save", "10000 100"]);
    let mut connection = connect(&server);
    connection.line("SET a 1");
    std::fs::create_dir(folder.path().join("dump.rdb")).expect("nothing was saved yet");
    assert!(matches!(connection.line("SAVE"), Reply::Error(_)));
    assert_eq!(connection.line("BGSAVE"), Reply::status("Background saving started"));
    wait_for(&mut connection, "rdb_last_bgsave_status:err");
    let reply = connection.line("SHUTDOWN");
    assert_eq!(reply, Reply::error("ERR Errors trying to SHUTDOWN. Check logs."));
    let Reply::Error(refused) = connection.line("SET b 1") else { panic!("writes are refused") };
    assert!(refused.starts_with(b"MISCONF "), "{}", String::from_utf8_lossy(&refused));
    assert_eq!(connection.line("GET a"), Reply::bulk("1"));
    connection.line("CONFIG SET stop-writes-on-bgsave-error no");
    assert_eq!(connection.line("SET b 1"), Reply::status("OK"));
    std::fs::remove_dir(folder.path().join("dump.rdb")).expect("it is empty");
    assert_eq!(connection.line("SAVE"), Reply::status("OK"));
    connection.send(&[b"SHUTDOWN", b"NOSAVE"]);
    assert_eq!(server.wait(), 0);
}

/// What the server says when it does not start with the files in `folder`.
fn refusal(folder: &Folder, options: &[&str]) -> String {
    let mut serve = Command::new(env!("CARGO_BIN_EXE_resplay"));
    serve.args([
        "serve",
        "--port",
        "0",
        "--unixsocket",
        "none.sock",
        "--http-port",
        "0",
        "--dir",
        folder.text(),
    ]);
    let output = serve.args(options).output().expect("the binary starts");
    let said = server::text(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    said
}

#[test]
fn a_damaged_file_is_not_loaded() {
    let folder = Folder::new();
    let server = ours(&folder, &[]);
    let mut connection = connect(&server);
    fill(&mut connection, true);
    connection.line("SAVE");
    drop(server);
    let path = folder.path().join("dump.rdb");
    let mut bytes = std::fs::read(&path).expect("it was saved");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    std::fs::write(&path, bytes).expect("it can be written");
    assert!(refusal(&folder, &[]).contains("Fatal error loading the DB"));
}

// The append-only file.

/// `redis-check-aof` finds no fault.
fn check_aof(folder: &Folder) {
    let manifest = folder.path().join("appendonlydir/appendonly.aof.manifest");
    let checked = Command::new("redis-check-aof").arg(manifest).output().expect("redis-tools are installed");
    let said = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(checked.status.success() && said.contains("is valid"), "{said}");
}

const AOF: [&str; 2] = ["--appendonly", "yes"];

#[test]
fn redis_starts_from_our_append_only_file() {
    for preamble in ["yes", "no"] {
        let folder = Folder::new();
        let server = ours(&folder, &["--appendonly", "yes", "--aof-use-rdb-preamble", preamble]);
        let mut connection = connect(&server);
        fill(&mut connection, false);
        connection.line("MULTI");
        connection.line("INCR counter");
        connection.line("INCR counter");
        connection.line("EXEC");
        connection.line("BGREWRITEAOF");
        wait_for(&mut connection, "aof_rewrite_in_progress:0");
        connection.line("SPOP bigset 3");
        connection.line("INCRBYFLOAT counter 0.5");
        connection.line("SET later x EX 1000");
        let before = contents(&mut connection);
        // Killed: what was answered is there.
        drop(server);
        check_aof(&folder);
        let mut redis = theirs(&folder, &AOF);
        assert_eq!(contents(&mut redis.connection), before);
    }
}

#[test]
fn we_start_from_the_append_only_file_of_redis() {
    let folder = Folder::new();
    let mut redis = theirs(&folder, &AOF);
    fill(&mut redis.connection, false);
    redis.line("BGREWRITEAOF");
    wait_for(&mut redis.connection, "aof_rewrite_in_progress:0");
    for line in [
        "SPOP bigset 3",
        "SET later x EX 1000",
        "SET past x PX 50",
        "GETEX past PX 60",
        "MULTI",
        "SET a 1",
        "SET b 2",
        "EXEC",
    ] {
        redis.line(line);
    }
    let mut before = contents(&mut redis.connection);
    before.retain(|(key, _)| !key.starts_with("past"));
    redis.shut_down("");
    std::thread::sleep(std::time::Duration::from_millis(70));
    let server = ours(&folder, &AOF);
    assert!(server.greeting.contains("DB loaded from append only file"), "{}", server.greeting);
    let mut connection = connect(&server);
    assert_eq!(contents(&mut connection), before);
    // And goes on with it.
    connection.line("SET more 1");
    let digest = connection.line("DEBUG DIGEST");
    assert_eq!(connection.line("DEBUG LOADAOF"), Reply::status("OK"));
    assert_eq!(connection.line("DEBUG DIGEST"), digest);
    drop(server);
    check_aof(&folder);
    let mut redis = theirs(&folder, &AOF);
    assert_eq!(redis.line("GET more"), Reply::bulk("1"));
}

#[test]
fn a_truncated_append_only_file_is_cut() {
    let folder = Folder::new();
    let server = ours(&folder, &AOF);
    let mut connection = connect(&server);
    for line in ["SET a 1", "SET b 2", "MULTI", "SET c 3", "SET d 4", "EXEC"] {
        connection.line(line);
    }
    drop(server);
    let path = folder.path().join("appendonlydir/appendonly.aof.1.incr.aof");
    let whole = std::fs::read(&path).expect("it was written");
    for (cut, left) in [(1, 2), (10, 2), (60, 2), (whole.len() - 30, 0)] {
        std::fs::write(&path, &whole[..whole.len() - cut]).expect("it can be written");
        let server = ours(&folder, &AOF);
        assert!(server.greeting.contains("Truncating the log"), "{}", server.greeting);
        let mut connection = connect(&server);
        assert_eq!(connection.line("DBSIZE"), Reply::Integer(left), "{cut}");
        connection.line("SET e 5");
        drop(server);
        check_aof(&folder);
        let server = ours(&folder, &AOF);
        assert_eq!(connect(&server).line("DBSIZE"), Reply::Integer(left + 1), "{cut}");
    }
    std::fs::write(&path, [&whole[..], b"nonsense"].concat()).expect("it can be written");
    assert!(refusal(&folder, &AOF).contains("Bad file format"));
}

#[test]
fn keys_that_expired_since_are_kept_until_the_file_is_read() {
    let folder = Folder::new();
    let server = ours(&folder, &AOF);
    drop(server);
    let path = folder.path().join("appendonlydir/appendonly.aof.1.incr.aof");
    let commands = "SELECT 0\r\nSET kept 1\r\nPEXPIREAT kept 1000\r\nINCR kept\r\nPERSIST kept\r\nSET gone 1 PXAT 1000\r\n";
    let mut bytes = b"#TS:1700000000\r\n".to_vec();
    for line in commands.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        resplay::resp::Request::of(&words).encode(&mut bytes);
    }
    std::fs::write(&path, bytes).expect("it can be written");
    let server = ours(&folder, &AOF);
    let mut connection = connect(&server);
    assert_eq!(connection.line("GET kept"), Reply::bulk("2"));
    assert_eq!(connection.line("GET gone"), Reply::Nil);
}

#[test]
fn the_append_only_file_can_be_switched_on_and_off() {
    let folder = Folder::new();
    let server = ours(&folder, &[]);
    let mut connection = connect(&server);
    connection.line("SET before 1");
    assert_eq!(connection.line("CONFIG SET appendonly yes"), Reply::status("OK"));
    connection.line("SET during 2");
    let local = Reply::Array(vec![Reply::Integer(1), Reply::Integer(0)]);
    assert_eq!(connection.line("WAITAOF 1 0 0"), local);
    assert!(text(connection.line("INFO persistence")).contains("aof_current_size:"));
    assert_eq!(connection.line("WAITAOF 1 0 0"), Reply::Array(vec![Reply::Integer(1), Reply::Integer(0)]));
    connection.line("CONFIG SET appendfsync always");
    connection.line("SET synced 3");
    connection.line("CONFIG SET appendonly no");
    connection.line("SET after 4");
    drop(server);
    check_aof(&folder);
    let server = ours(&folder, &AOF);
    let mut connection = connect(&server);
    assert_eq!(
        connection.line("MGET before during synced after").to_owned(),
        Reply::Array(vec![Reply::bulk("1"), Reply::bulk("2"), Reply::bulk("3"), Reply::Nil])
    );
}

#[test]
fn a_rewrite_on_demand_can_be_loaded_while_nothing_is_appended() {
    let folder = Folder::new();
    let server = ours(&folder, &["--enable-debug-command", "yes"]);
    let mut connection = connect(&server);
    let refused = connection.line("DEBUG LOADAOF");
    assert!(matches!(refused, Reply::Error(_)), "{refused:?}");
    connection.line("SET kept 1");
    connection.line("BGREWRITEAOF");
    wait_for(&mut connection, "aof_rewrite_in_progress:0");
    connection.line("SET later 2");
    assert_eq!(connection.line("DEBUG LOADAOF"), Reply::status("OK"));
    assert_eq!(connection.line("MGET kept later"), Reply::Array(vec![Reply::bulk("1"), Reply::Nil]));
}

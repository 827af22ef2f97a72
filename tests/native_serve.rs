//! `resplay serve` in the place of redis-server: its command line, redis.conf, its sockets and its limits.

#[path = "support/server.rs"]
mod server;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use server::{Server, text};

const OURS: &str = env!("CARGO_BIN_EXE_resplay");

/// A folder for one test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("resplay-serve-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a temporary folder");
        Folder(path)
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, text).expect("the folder is ours");
        path.to_string_lossy().into_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn refused(program: &str, folder: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(if program == "redis-server" { "redis-server" } else { OURS });
    // By this name the page is not served and the defaults are redis-server's.
    command.arg0("redis-server").args(words).current_dir(folder).stdin(Stdio::null());
    command.output().expect("redis-server is installed (apt-get install redis-server)")
}

#[test]
fn under_its_own_name_it_points_at_its_help() {
    let folder = Folder::new("help");
    let mut command = Command::new(OURS);
    command.args(["serve", "--nosuch", "1"]).current_dir(&folder.0).stdin(Stdio::null());
    let output = command.output().expect("it was built");
    assert!(text(&output).contains(">>> 'nosuch"), "{output:?}");
    assert!(text(&output).ends_with("`resplay serve --help` tells which options there are.\n"), "{output:?}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn mistakes_are_told_as_redis_server_tells_them() {
    let folder = Folder::new("mistakes");
    folder.file("unknown.conf", "maxclients 10\nnosuch 1\n");
    folder.file("number.conf", "# a comment\n\nport abc\n");
    folder.file("quotes.conf", "port 1\n\"open\n");
    folder.file("outer.conf", "include unknown.conf\n");
    let cases: &[&[&str]] = &[
        &["unknown.conf"],
        &["number.conf"],
        &["quotes.conf"],
        &["outer.conf"],
        &["--nosuch", "1"],
        &["--port", "abc"],
        &["--port"],
        &["--port", "1", "--maxmemory", "10x"],
        &["number.conf", "--port", "1"],
        &["--dir", "/nonexistent"],
        &["--maxmemory-policy", "sometimes"],
        &["--appendonly", "perhaps"],
        &["--logfile", "/nonexistent/log"],
        &["--port", "6379", "6380"],
        &["--port", "--loglevel", "verbose"],
        &["--port", "--bla", "--loglevel", "verbose"],
        &["--shutdown-on-sigint", "now force", "--shutdown-on-sigterm"],
        &["--replicaof", "--127.0.0.1", "--abc"],
        &["--user", "foo", "--user", "foo"],
    ];
    for words in cases {
        let (theirs, ours) = (refused("redis-server", &folder.0, words), refused("ours", &folder.0, words));
        let expected = text(&theirs).replace("Redis 7.0.15", "Redis 8.10.0");
        // Redis 8 knows policies more.
        if words[0] != "--maxmemory-policy" {
            assert_eq!(text(&ours), expected, "{words:?}");
        }
        assert_eq!(ours.status.code(), theirs.status.code(), "{words:?}");
    }
    for (words, part) in [
        (&["missing.conf"][..], "# Fatal error, can't open config file '"),
        (&["--port", "0"], "# Configured to not listen anywhere, exiting."),
        (
            &["--unixsocket", "/nonexistent/socket", "--port", "0"],
            "# Failed opening Unix socket: bind: No such file",
        ),
        (
            &["--bind", "192.0.2.1", "--port", "1234"],
            "socket 192.0.2.1:1234: bind: Cannot assign requested address",
        ),
    ] {
        let (theirs, ours) = (refused("redis-server", &folder.0, words), refused("ours", &folder.0, words));
        assert!(text(&theirs).contains(part), "{words:?} {}", text(&theirs));
        assert!(text(&ours).contains(part), "{words:?} {}", text(&ours));
        assert_eq!((ours.status.code(), theirs.status.code()), (Some(1), Some(1)), "{words:?}");
    }
}

#[test]
fn a_port_that_is_taken_is_named() {
    let server = Server::start();
    let port = server.port.to_string();
    let output = Command::new(OURS).args(["serve", "--http-port", "0", "--port", &port]).output();
    let output = output.expect("the binary starts");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains(&format!("socket 127.0.0.1:{port}: bind: Address already in use")));
    assert!(text(&output).contains(&format!("Failed listening on port {port}")));
}

#[test]
fn config_set_refuses_what_it_cannot_listen_to() {
    let (server, other) = (Server::start(), Server::start());
    let taken = other.port.to_string();
    let says = |words: &[&str]| server.redis_cli(words);
    let failed = "ERR CONFIG SET failed (possibly related to argument";
    assert_eq!(
        says(&["CONFIG", "SET", "maxclients", "77", "port", &taken]).trim(),
        format!("{failed} 'port') - Unable to listen on this port. Check server logs.")
    );
    assert!(says(&["CONFIG", "GET", "maxclients"]).contains("10000"), "nothing of it is set");
    assert_eq!(
        says(&["CONFIG", "SET", "bind", "999.999.999.999"]).trim(),
        format!("{failed} 'bind') - Failed to bind to specified addresses.")
    );
    assert_eq!(says(&["PING"]).trim(), "PONG");
}

#[test]
fn users_come_from_a_file_and_go_back_to_it() {
    let folder = Folder::new("users");
    let path =
        folder.file("users.acl", "user alice on nopass ~* +@all\nuser default on nopass ~* &* +@all\n");
    let server = Server::start_with(&["--aclfile", &path]);
    let says = |words: &[&str]| server.redis_cli(words).trim().to_owned();
    assert_eq!(says(&["ACL", "USERS"]), "alice\ndefault");
    folder.file("users.acl", "user bob on nopass ~* +@all\n");
    assert_eq!(says(&["ACL", "LOAD"]), "OK");
    assert_eq!(says(&["ACL", "USERS"]), "bob\ndefault");
    folder.file("users.acl", "user carol on\nuser carol on\nuser dora +nosuch\nnobody\n");
    assert_eq!(
        says(&["ACL", "LOAD"]),
        format!(
            "ERR WARNING: Duplicate user 'carol' found on line 2. {path}:3: Error in applying operation '+nosuch': \
             Unknown command or category name in ACL. {path}:4 should start with user keyword followed by the \
             username. WARNING: ACL errors detected, no change to the previously active ACL rules was performed"
        )
    );
    assert_eq!(says(&["ACL", "USERS"]), "bob\ndefault");
    assert_eq!(says(&["ACL", "SAVE"]), "OK");
    assert!(std::fs::read_to_string(&path).is_ok_and(|text| text.starts_with("user bob on ")));
    std::fs::remove_file(&path).expect("it is there");
    assert!(says(&["ACL", "LOAD"]).ends_with("No such file or directory"));
}

#[test]
fn a_configuration_file_is_followed_and_rewritten() {
    let folder = Folder::new("conf");
    folder.file("more.conf", "maxclients 3\nuser ann on >secret ~a:* +@read +ping\n");
    let socket = folder.0.join("redis.sock");
    let path = folder.file(
        "redis.conf",
        &format!(
            "# mine\ninclude {}/more.conf\ndatabases 4\nunixsocket {}\nunixsocketperm 700\nmaxmemory 100mb\n",
            folder.0.display(),
            socket.display()
        ),
    );
    let server = Server::start_with(&[&path, "--timeout", "0", "--requirepass", "pass word"]);
    assert!(server.greeting.contains("Ready to accept connections unix"), "{}", server.greeting);
    assert!(server.redis_cli(&["ping"]).contains("NOAUTH"));
    let config =
        |name: &str| server.redis_cli(&["--no-auth-warning", "-a", "pass word", "config", "get", name]);
    assert_eq!(config("databases"), "databases\n4\n");
    assert_eq!(config("maxmemory"), "maxmemory\n104857600\n");
    assert_eq!(config("dir"), format!("dir\n{}\n", std::env::current_dir().expect("there is one").display()));
    let as_ann = |words: &[&str]| {
        server.redis_cli(&[&["--no-auth-warning", "--user", "ann", "-a", "secret"], words].concat())
    };
    assert_eq!(as_ann(&["ping"]), "PONG\n");
    assert!(as_ann(&["set", "a:1", "x"]).contains("NOPERM"));
    assert!(
        server
            .redis_cli(&["--no-auth-warning", "-a", "pass word", "-n", "4", "ping"])
            .contains("out of range")
    );
    // Over the Unix socket.
    let mut stream = UnixStream::connect(&socket).expect("it listens");
    stream
        .write_all(
            b"AUTH \"pass word\"\r\nCLIENT INFO\r\nCONFIG SET maxmemory 1gb timeout 7\r\nCONFIG REWRITE\r\n",
        )
        .expect("it reads");
    let mut replies = String::new();
    while !replies.ends_with("+OK\r\n+OK\r\n") {
        let mut chunk = [0; 4096];
        let count = stream.read(&mut chunk).expect("it answers");
        assert!(count > 0, "{replies}");
        replies.push_str(&String::from_utf8_lossy(&chunk[..count]));
    }
    assert!(replies.contains(&format!("addr={}:0", socket.display())), "{replies}");
    let rewritten = std::fs::read_to_string(&path).expect("it is there");
    assert!(rewritten.starts_with("# mine\ninclude "), "{rewritten}");
    for line in ["maxmemory 1073741824", "timeout 7", "requirepass \"pass word\""] {
        assert!(rewritten.lines().any(|other| other == line), "{line} is missing in:\n{rewritten}");
    }
    // Three clients and no more.
    let others = [server.connect(), server.connect()];
    assert_eq!(server.last_words(b""), "-ERR max number of clients reached\r\n");
    drop((others, stream));
    assert_eq!(server.stop("-TERM"), 0);
    assert!(!socket.exists());
}

#[test]
fn idle_clients_are_sent_away() {
    let server = Server::start_with(&["--timeout", "1"]);
    let mut idle = server.connect();
    let mut subscribed = server.connect();
    subscribed.write_all(b"SUBSCRIBE c\r\n").expect("it reads");
    let mut rest = Vec::new();
    idle.read_to_end(&mut rest).expect("it is closed, not reset");
    assert!(rest.is_empty());
    assert_eq!(server.redis_cli(&["publish", "c", "still here"]), "1\n");
}

/// Memory the process has in use now, in bytes.
fn resident_bytes(server: &Server) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.process.id())).expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("Linux");
    let kilobytes = line.split_ascii_whitespace().nth(1).and_then(|number| number.parse::<usize>().ok());
    kilobytes.expect("a number") * 1024
}

#[test]
fn a_client_that_never_reads_takes_little() {
    let server = Server::start();
    server.redis_cli(&["setrange", "big", "999999", "x"]);
    let before = resident_bytes(&server);
    let mut deaf = server.connect();
    deaf.write_all(&b"GET big\r\n".repeat(2000)).expect("it reads");
    assert_eq!(server.redis_cli(&["ping"]), "PONG\n");
    let grown = resident_bytes(&server).saturating_sub(before);
    assert!(grown < 64 << 20, "2 GB of replies wait in {grown} bytes");
    // It gets them all when it reads at last.
    let mut left = 2000 * (1_000_000 + b"$1000000\r\n\r\n".len());
    let mut chunk = vec![0; 1 << 20];
    while left > 0 {
        let count = deaf.read(&mut chunk).expect("it goes on");
        assert!(count > 0, "{left} bytes are missing");
        left -= count;
    }
    server.exchange(b"PING\r\n", b"+PONG\r\n");
}

#[test]
fn a_subscriber_that_never_reads_is_closed() {
    let server = Server::start_with(&["--client-output-buffer-limit", "pubsub", "1mb", "0", "0"]);
    let mut deaf = server.connect();
    deaf.write_all(b"SUBSCRIBE c\r\n").expect("it reads");
    server.exchange(b"SETRANGE big 999999 x\r\n", b":1000000\r\n");
    let message = "m".repeat(100_000);
    let request = format!("*3\r\n$7\r\nPUBLISH\r\n$1\r\nc\r\n$100000\r\n{message}\r\n");
    let mut speaker = server.connect();
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        speaker.write_all(request.as_bytes()).expect("it reads");
        let mut reply = [0; 4];
        speaker.read_exact(&mut reply).expect("it answers");
        if &reply == b":0\r\n" {
            break;
        }
        assert!(Instant::now() < deadline, "it is still there");
    }
}

#[test]
fn signals_and_shutdown() {
    let server = Server::start();
    let hangup = Command::new("kill").args(["-HUP", &server.process.id().to_string()]).status();
    assert!(hangup.expect("kill is there").success());
    assert_eq!(server.redis_cli(&["ping"]), "PONG\n");
    assert_eq!(server.redis_cli(&["shutdown", "nosave"]), "");
    assert_eq!(server.wait(), 0);
    // DEBUG is for those who ask for it.
    assert!(Server::start().redis_cli(&["debug", "sleep", "0"]).contains("DEBUG command not allowed"));
    // One that is kept from ending by a long pause ends at the second signal.
    let server = Server::start_with(&["--enable-debug-command", "yes"]);
    let mut busy = server.connect();
    busy.write_all(b"DEBUG SLEEP 30\r\n").expect("it reads");
    std::thread::sleep(Duration::from_millis(200));
    let pid = server.process.id().to_string();
    Command::new("kill").args(["-TERM", &pid]).status().expect("kill is there");
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(server.stop("-TERM"), 1);
}

#[test]
fn it_goes_to_the_background_and_writes_its_pid() {
    let folder = Folder::new("background");
    let (pid_file, socket) = (folder.0.join("pid"), folder.0.join("socket"));
    let (pid_file, socket) = (pid_file.to_string_lossy().into_owned(), socket.to_string_lossy().into_owned());
    let words = ["--daemonize", "yes", "--port", "0", "--unixsocket", &socket, "--pidfile", &pid_file];
    let started = Command::new(OURS).arg0("redis-server").args(words).status().expect("it starts");
    assert!(started.success());
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut stream = loop {
        match UnixStream::connect(&socket) {
            Ok(stream) => break stream,
            Err(_) => assert!(Instant::now() < deadline, "it does not listen"),
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    stream.write_all(b"PING\r\n").expect("it reads");
    let mut reply = [0; 7];
    stream.read_exact(&mut reply).expect("it answers");
    let pid: u32 =
        std::fs::read_to_string(&pid_file).expect("it is written").trim().parse().expect("a number");
    assert!(Command::new("kill").arg(pid.to_string()).status().expect("kill is there").success());
    while Path::new(&pid_file).exists() {
        assert!(Instant::now() < deadline, "it does not end");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn only_this_machine_is_listened_to_unless_asked() {
    let server = Server::start();
    assert_eq!(server.redis_cli(&["config", "get", "bind"]), "bind\n127.0.0.1 -::1\n");
    assert_eq!(server.redis_cli(&["config", "get", "protected-mode"]), "protected-mode\nyes\n");
    // A new port is listened on without a restart, and the old one no longer.
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let port = free.expect("a free port").port();
    assert_eq!(server.redis_cli(&["config", "set", "port", &port.to_string()]), "OK\n");
    let deadline = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < deadline, "it does not listen on the new port");
    }
    assert!(TcpStream::connect(("127.0.0.1", server.port)).is_err());
}

#[test]
fn versions_and_help() {
    for (words, part) in [
        (&["serve", "--version"][..], "Redis server v=8."),
        (&["serve", "--help"], "--http-port"),
        (&["--version"], "resplay "),
    ] {
        let output = Command::new(OURS).args(words).output().expect("the binary starts");
        assert!(output.status.success() && text(&output).contains(part), "{words:?} {}", text(&output));
    }
}

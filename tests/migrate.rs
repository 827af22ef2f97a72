//! MIGRATE between two servers.

#[path = "support/server.rs"]
mod server;

use std::net::TcpListener;

use server::Server;

fn says(server: &Server, words: &[&str]) -> String {
    server.redis_cli(words).trim().to_owned()
}

#[test]
fn keys_move_to_another_server() {
    let (here, there) = (Server::start(), Server::start());
    let port = there.port.to_string();
    says(&here, &["RPUSH", "list", "a", "b"]);
    says(&here, &["SET", "brief", "v", "EX", "1000"]);
    assert_eq!(says(&here, &["MIGRATE", "127.0.0.1", &port, "list", "3", "1000", "COPY"]), "OK");
    assert_eq!(says(&there, &["-n", "3", "LRANGE", "list", "0", "-1"]), "a\nb");
    assert_eq!(says(&here, &["EXISTS", "list"]), "1", "it was a copy");
    let busy = says(&here, &["MIGRATE", "127.0.0.1", &port, "list", "3", "1000"]);
    assert_eq!(busy, "ERR Target instance replied with error: BUSYKEY Target key name already exists.");
    assert_eq!(says(&here, &["EXISTS", "list"]), "1", "it has not gone");
    let moved = says(
        &here,
        &["MIGRATE", "127.0.0.1", &port, "", "3", "1000", "REPLACE", "KEYS", "list", "no", "brief"],
    );
    assert_eq!(moved, "OK");
    assert_eq!(says(&here, &["DBSIZE"]), "0");
    let ttl: i64 = says(&there, &["-n", "3", "TTL", "brief"]).parse().expect("a number of seconds");
    assert!((990..=1000).contains(&ttl), "{ttl}");
}

#[test]
fn what_the_other_server_refuses_is_told() {
    let (here, there) = (Server::start(), Server::start_with(&["--requirepass", "secret"]));
    let port = there.port.to_string();
    says(&here, &["SET", "k", "v"]);
    let refused = says(&here, &["MIGRATE", "127.0.0.1", &port, "k", "0", "1000"]);
    assert_eq!(refused, "ERR Target instance replied with error: NOAUTH Authentication required.");
    assert!(
        says(&here, &["MIGRATE", "127.0.0.1", &port, "k", "0", "1000", "AUTH", "wrong"])
            .contains("WRONGPASS")
    );
    assert_eq!(says(&here, &["EXISTS", "k"]), "1");
    assert_eq!(
        says(&here, &["MIGRATE", "127.0.0.1", &port, "k", "0", "1000", "AUTH2", "default", "secret"]),
        "OK"
    );
    assert_eq!(says(&here, &["EXISTS", "k"]), "0");
    // One that takes the connection and says nothing.
    let mute = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = mute.local_addr().expect("it is bound").port().to_string();
    says(&here, &["SET", "k", "v"]);
    let mute_says = says(&here, &["MIGRATE", "127.0.0.1", &port, "k", "0", "50"]);
    assert_eq!(mute_says, "IOERR error or timeout reading to target instance");
    drop(mute);
    let nobody = says(&here, &["MIGRATE", "127.0.0.1", &port, "k", "0", "50"]);
    assert_eq!(nobody, "IOERR error or timeout writing to target instance");
    assert_eq!(says(&here, &["EXISTS", "k"]), "1");
}

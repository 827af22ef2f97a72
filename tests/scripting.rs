//! Scripts that are paused, killed, left behind by their clients, or mean harm: the engine goes on, and its journal gives the
//! same bytes again.

use resplay::commands::registry;
use resplay::engine::{ClientId, Engine};
use resplay::resp::Request;
use resplay::server::rng::Rng;

const NOW_MS: u64 = 1_700_000_000_000;
const LOOP: &str = "local i = 0 while true do i = i + 1 end";

struct Session {
    engine: Engine,
    now_ms: u64,
    /// Everything each client was sent.
    sent: Vec<(u64, Vec<u8>)>,
}

impl Session {
    fn new() -> Session {
        let mut session =
            Session { engine: Engine::with_journal(7, NOW_MS), now_ms: NOW_MS, sent: Vec::new() };
        session.engine.server_mut().scripting.memory_bytes_max = 16 << 20;
        session
    }

    fn connect(&mut self) -> ClientId {
        let id = self.engine.connect(self.now_ms);
        self.sent.push((id.serial, Vec::new()));
        id
    }

    fn ask(&mut self, id: ClientId, words: &[&str]) -> String {
        let mut bytes = Vec::new();
        Request::of(words).encode(&mut bytes);
        self.engine.receive(id, &bytes, self.now_ms);
        self.output(id)
    }

    fn tick(&mut self, count: u64) {
        for _ in 0..count {
            self.now_ms += 1;
            self.engine.tick(self.now_ms);
        }
    }

    fn output(&mut self, id: ClientId) -> String {
        let bytes = self.engine.take_output(id);
        if let Some((_, sent)) = self.sent.iter_mut().find(|(serial, _)| *serial == id.serial) {
            sent.extend_from_slice(&bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn is_paused(&self) -> bool {
        self.engine.server().scripting.running.is_some()
    }

    /// Ends whatever runs.
    fn calm(&mut self) {
        let helper = self.connect();
        for _ in 0..20_000 {
            if !self.is_paused() {
                break;
            }
            self.tick(1);
        }
        assert!(!self.is_paused(), "a script that has written runs for ever");
        self.engine.disconnect(helper, self.now_ms);
    }

    /// The journal gives the same bytes to everybody who is still there.
    fn check_replay(&mut self) {
        for (serial, sent) in &mut self.sent {
            if let Some(id) = self.engine.server().clients.by_serial(*serial) {
                sent.extend_from_slice(&self.engine.take_output(id));
            }
        }
        let journal = self.engine.journal().expect("it keeps one");
        let mut again = Engine::replay(journal);
        for (serial, sent) in &self.sent {
            if let Some(id) = again.server().clients.by_serial(*serial) {
                assert_eq!(&again.take_output(id), sent, "client {serial}");
            }
        }
        assert_eq!(again.journal(), Some(journal));
    }
}

#[test]
fn a_killed_script_replays_to_the_same_bytes() {
    let mut session = Session::new();
    let (first, second) = (session.connect(), session.connect());
    session.ask(first, &["CONFIG", "SET", "busy-reply-threshold", "5"]);
    for ticks in [0, 1, 3, 9] {
        assert_eq!(session.ask(first, &["EVAL", LOOP, "0"]), "");
        // What comes before the threshold waits; what comes after it is refused.
        let early = session.ask(second, &["INCR", "n"]);
        assert_eq!(early, "");
        session.tick(ticks);
        let refused = session.output(second);
        assert_eq!(refused.starts_with("-BUSY"), ticks >= 5, "{refused}");
        let (third, last) = (session.connect(), session.connect());
        assert_eq!(session.ask(third, &["SCRIPT", "KILL"]), "+OK\r\n");
        assert!(session.output(first).starts_with("-ERR Script killed by user with SCRIPT KILL... script: "));
        assert_eq!(session.ask(last, &["PING"]), "+PONG\r\n");
        session.output(second);
    }
    assert_eq!(session.ask(first, &["GET", "n"]), "$1\r\n3\r\n");
    session.check_replay();
}

#[test]
fn what_others_sent_meanwhile_runs_in_its_order() {
    let mut session = Session::new();
    let clients: Vec<ClientId> = (0..4).map(|_| session.connect()).collect();
    session.ask(clients[0], &["EVAL", "for i = 1, 1000000 do end redis.call('RPUSH', 'l', 'script')", "0"]);
    assert!(session.is_paused());
    for (number, client) in clients.iter().enumerate().skip(1) {
        assert_eq!(session.ask(*client, &["RPUSH", "l", &number.to_string()]), "");
    }
    // The script's own client may have sent more.
    assert_eq!(session.ask(clients[0], &["RPUSH", "l", "after"]), "");
    session.tick(100);
    assert!(!session.is_paused());
    let order = session.ask(clients[1], &["LRANGE", "l", "0", "-1"]);
    assert!(order.contains("script\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n"), "{order}");
    assert!(order.contains("after"), "{order}");
    session.check_replay();
}

#[test]
fn a_script_outlives_the_connection_of_its_client() {
    let mut session = Session::new();
    let (first, second) = (session.connect(), session.connect());
    let script = "redis.call('SET', 'k', 'begun') for i = 1, 2000000 do end redis.call('SET', 'k', 'done')";
    session.ask(first, &["EVAL", script, "0"]);
    assert!(session.is_paused());
    session.engine.disconnect(first, session.now_ms);
    session.calm();
    assert_eq!(session.ask(second, &["GET", "k"]), "$4\r\ndone\r\n");
    assert_eq!(session.ask(second, &["CLIENT", "LIST"]).matches("id=").count(), 1);
    // CLIENT KILL of it as well.
    session.ask(second, &["CONFIG", "SET", "busy-reply-threshold", "1"]);
    let third = session.connect();
    session.ask(third, &["EVAL", script, "0"]);
    session.tick(3);
    let killer = session.connect();
    session.ask(killer, &["CLIENT", "KILL", "ID", &third.serial.to_string()]);
    session.engine.disconnect(third, session.now_ms);
    session.calm();
    assert_eq!(session.ask(second, &["GET", "k"]), "$4\r\ndone\r\n");
    session.check_replay();
}

#[test]
fn waiting_clients_are_served_after_the_script() {
    let mut session = Session::new();
    let (first, second) = (session.connect(), session.connect());
    assert_eq!(session.ask(second, &["BLPOP", "l", "0"]), "");
    session.ask(
        first,
        &["EVAL", "redis.call('RPUSH', 'l', 'a') for i = 1, 1000000 do end redis.call('DEL', 'l')", "0"],
    );
    session.tick(100);
    assert_eq!(session.output(second), "", "the list was gone again at the end of the script");
    session.ask(first, &["EVAL", "redis.call('RPUSH', 'l', 'a') for i = 1, 1000000 do end", "0"]);
    assert_eq!(session.output(second), "");
    session.tick(100);
    assert_eq!(session.output(second), "*2\r\n$1\r\nl\r\n$1\r\na\r\n");
    session.check_replay();
}

#[test]
fn time_stands_still_for_a_script() {
    let mut session = Session::new();
    let first = session.connect();
    let script =
        "redis.call('SET', 'k', 'v', 'PX', 2) for i = 1, 6000000 do end return redis.call('EXISTS', 'k')";
    session.ask(first, &["EVAL", script, "0"]);
    session.tick(100);
    assert_eq!(session.output(first), ":1\r\n");
    assert_eq!(session.ask(first, &["EXISTS", "k"]), ":0\r\n");
}

#[test]
fn effects_of_a_script_go_out_as_one_transaction() {
    let mut session = Session::new();
    session.engine.server_mut().propagation.set_on(true);
    let (first, second) = (session.connect(), session.connect());
    session.ask(
        first,
        &["EVAL", "redis.call('SET', 'a', 1) for i = 1, 1000000 do end redis.call('INCR', 'a')", "0"],
    );
    session.ask(second, &["SET", "b", "1"]);
    session.tick(100);
    session.ask(first, &["EVAL", "redis.set_repl(redis.REPL_NONE) redis.call('SET', 'hidden', 1)", "0"]);
    let stream = String::from_utf8_lossy(&session.engine.server_mut().propagation.take()).into_owned();
    let words: Vec<&str> = stream.split("\r\n").filter(|word| !word.starts_with(['*', '$'])).collect();
    assert_eq!(words.join(" ").trim(), "SELECT 0 MULTI SET a 1 INCR a EXEC SET b 1");
}

#[test]
fn hostile_scripts_leave_the_engine_as_it_was() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/lua/hostile");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder exists")
        .map(|entry| entry.expect("readable").path())
        .collect();
    paths.sort();
    for path in paths {
        let source = std::fs::read_to_string(&path).expect("readable");
        let mut session = Session::new();
        let (first, second) = (session.connect(), session.connect());
        session.ask(first, &["EVAL", &source, "0"]);
        session.tick(10);
        if session.is_paused() {
            assert_eq!(session.ask(second, &["SCRIPT", "KILL"]), "+OK\r\n", "{path:?}");
        }
        assert_ne!(session.output(first).len() + session.sent[0].1.len(), 0, "{path:?} is answered");
        assert_eq!(session.ask(first, &["EVAL", "return 6 * 7", "0"]), ":42\r\n", "after {path:?}");
        assert_eq!(
            session.ask(first, &["EVAL", "return tostring(string.rep == ('').rep)", "0"]),
            "$4\r\ntrue\r\n"
        );
    }
}

/// Every command with nonsense behind it, from scripts: none may end the engine.
#[test]
fn any_command_may_be_called_with_anything() {
    const WORDS: &[&str] = &[
        "'k'",
        "'l'",
        "'h'",
        "'z'",
        "'s'",
        "'x'",
        "0",
        "1",
        "-1",
        "2",
        "10",
        "1e300",
        "'nan'",
        "'inf'",
        "''",
        "'*'",
        "'$'",
        "'+'",
        "'-'",
        "'('",
        "'[a'",
        "'COUNT'",
        "'LIMIT'",
        "'STORE'",
        "'GET'",
        "'EX'",
        "'PX'",
        "'NX'",
        "'BY'",
        "'FIELDS'",
        "'STREAMS'",
        "'GROUP'",
        "'WITHSCORES'",
        "'MATCH'",
        "'9223372036854775807'",
        "'-9223372036854775808'",
    ];
    let mut rng = Rng::new(5);
    let mut session = Session::new();
    let first = session.connect();
    let entries = registry().entries();
    for round in 0..4000 {
        let entry = &entries[rng.below(entries.len() as u64) as usize];
        let name: Vec<String> = entry.command.name.split(' ').map(|word| format!("'{word}'")).collect();
        let arguments: Vec<&str> =
            (0..rng.below(8)).map(|_| WORDS[rng.below(WORDS.len() as u64) as usize]).collect();
        let all = name.iter().map(String::as_str).chain(arguments).collect::<Vec<_>>().join(", ");
        let version = 2 + round % 2;
        let script = format!("redis.setresp({version}) return {{redis.pcall({all}), redis.pcall('PING')}}");
        let reply = session.ask(first, &["EVAL", &script, "0"]);
        session.engine.server_mut().config.client_query_buffer_limit = 1 << 30;
        while session.engine.next_event().is_some() {}
        assert!(reply.contains("PONG") || reply.starts_with('*'), "{script}: {reply}");
        if round % 500 == 499 {
            session.ask(first, &["FLUSHALL"]);
        }
    }
}

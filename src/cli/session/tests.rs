//! Sessions against a server of canned replies, written as what the screen shows.

use std::collections::VecDeque;

use super::*;
use crate::cli::hints::tests::table;
use crate::resp::reply::Reply;

/// A terminal, a server that answers what it is told to, and the screen.
struct Stage {
    session: Session,
    answers: VecDeque<Vec<u8>>,
    sent: Vec<String>,
    screen: String,
    kept: Vec<String>,
    now_ms: u64,
    refuse: bool,
}

impl Stage {
    fn new(settings: Settings) -> Stage {
        let mut session = Session::new(settings);
        session.set_table(Arc::new(table()));
        let mut stage = Stage {
            session,
            answers: VecDeque::new(),
            sent: Vec::new(),
            screen: String::new(),
            kept: Vec::new(),
            now_ms: 0,
            refuse: false,
        };
        let actions = stage.session.start(0);
        stage.act(actions);
        stage
    }

    fn plain() -> Stage {
        Stage::new(Settings { teach: false, ..Settings::default() })
    }

    fn answer(&mut self, replies: &[&str]) -> &mut Stage {
        self.answers.extend(replies.iter().map(|reply| format!("{reply}\r\n").into_bytes()));
        self
    }

    fn line(&mut self, line: &str) -> &mut Stage {
        let actions = self.session.submit(line, self.now_ms);
        self.act(actions);
        self
    }

    fn bytes(&mut self, bytes: &str) -> &mut Stage {
        let actions = self.session.receive(bytes.as_bytes(), self.now_ms);
        self.act(actions);
        self
    }

    fn act(&mut self, actions: Vec<Action>) {
        let mut todo: VecDeque<Action> = actions.into();
        while let Some(action) = todo.pop_front() {
            let more = match action {
                Action::Send(bytes) => {
                    self.sent.push(request(&bytes));
                    match self.answers.pop_front() {
                        Some(answer) => self.session.receive(&answer, self.now_ms),
                        None => Vec::new(),
                    }
                }
                Action::Print(printed) => {
                    self.screen.push_str(&String::from_utf8_lossy(&printed.text()));
                    Vec::new()
                }
                Action::Echo { prompt, line } => {
                    self.screen.push_str(&format!("{prompt}{line}\n"));
                    Vec::new()
                }
                Action::Connect(_) if self.refuse => {
                    self.session.connect_failed("Connection refused", self.now_ms)
                }
                Action::Connect(address) => {
                    self.sent.push(format!("<{}>", address.shown()));
                    self.session.connected(self.now_ms)
                }
                Action::Remember(line) => {
                    self.kept.push(line);
                    Vec::new()
                }
                Action::Clear => {
                    self.screen.clear();
                    Vec::new()
                }
                Action::Exit => {
                    self.screen.push_str("<exit>");
                    Vec::new()
                }
                Action::Wake { after_ms } => {
                    self.now_ms += after_ms;
                    self.session.tick(self.now_ms)
                }
                Action::NeedFile { name, .. } => {
                    let text = name.ok_or(None).map(|name| format!("the text of {name}").into_bytes());
                    self.session.supply(text, self.now_ms)
                }
                Action::Disconnect | Action::Run(_) | Action::Status(_) => Vec::new(),
            };
            todo.extend(more);
        }
    }

    fn sent(&mut self) -> String {
        std::mem::take(&mut self.sent).join(" | ")
    }

    fn screen(&mut self) -> String {
        std::mem::take(&mut self.screen)
    }
}

fn request(bytes: &[u8]) -> String {
    let mut decoder = Decoder::new();
    decoder.feed(bytes);
    let reply = decoder.next_reply().expect("valid").expect("whole");
    let words = reply.elements().expect("an array").iter();
    words.map(|word| split::quote(word.text().expect("a string"))).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_prompt_follows_database_and_transaction() {
    let mut stage = Stage::plain();
    assert_eq!(stage.session.prompt(), "127.0.0.1:6379> ");
    stage.answer(&["+OK", "+OK", "+QUEUED", "*1\r\n+OK"]);
    stage.line("SELECT 3");
    assert_eq!(stage.session.prompt(), "127.0.0.1:6379[3]> ");
    stage.line("multi");
    assert_eq!(stage.session.prompt(), "127.0.0.1:6379[3](TX)> ");
    stage.line("SELECT 5");
    assert_eq!(stage.session.prompt(), "127.0.0.1:6379[5](TX)> ");
    stage.line("EXEC");
    assert_eq!(stage.session.prompt(), "127.0.0.1:6379[5]> ");
    for (reply, ends) in [("*-1", "EXEC"), ("-EXECABORT x", "EXEC"), ("+OK", "DISCARD")] {
        stage.answer(&["+OK", "+QUEUED", reply]);
        stage.line("MULTI").line("SELECT 7").line(ends);
        assert_eq!(stage.session.prompt(), "127.0.0.1:6379[5]> ", "{ends} {reply}");
    }
    stage.answer(&["-ERR DB index is out of range"]).line("SELECT 99");
    assert_eq!(stage.session.prompt(), "127.0.0.1:6379[5]> ");
    stage.answer(&["+OK", "+RESET"]).line("MULTI").line("RESET");
    assert_eq!(stage.session.prompt(), "127.0.0.1:6379> ");
}

#[test]
fn a_subscription_reads_messages_and_takes_commands() {
    let mut stage = Stage::plain();
    let confirm = |kind: &str, channel: &str, n: i64| {
        format!("*3\r\n${}\r\n{kind}\r\n${}\r\n{channel}\r\n:{n}\r\n", kind.len(), channel.len())
    };
    stage.line("SUBSCRIBE a b");
    assert_eq!(stage.session.state(), State::Waiting);
    stage.bytes(&confirm("subscribe", "a", 1));
    stage.bytes("*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nhi\r\n");
    assert_eq!(stage.session.state(), State::Waiting);
    stage.bytes(&confirm("subscribe", "b", 2));
    assert_eq!(stage.session.state(), State::Reading);
    assert_eq!(stage.session.prompt(), "127.0.0.1:6379(subscribed mode)> ");
    assert_eq!(
        stage.screen(),
        "127.0.0.1:6379> SUBSCRIBE a b\n1) \"subscribe\"\n2) \"a\"\n3) (integer) 1\n1) \"message\"\n2) \"a\"\n3) \"hi\"\n\
         1) \"subscribe\"\n2) \"b\"\n3) (integer) 2\n"
    );
    // A message before the reply to PING is not taken for it.
    stage.line("PING");
    stage.bytes("*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nho\r\n");
    assert_eq!(stage.session.state(), State::Waiting);
    stage.bytes("*2\r\n$4\r\npong\r\n$0\r\n\r\n");
    assert_eq!(stage.session.state(), State::Reading);
    stage.line("UNSUBSCRIBE a").bytes(&confirm("unsubscribe", "a", 1));
    assert_eq!(stage.session.state(), State::Reading);
    assert_eq!(stage.session.listens(), ["SUBSCRIBE a b", "UNSUBSCRIBE a"]);
    stage.answer(&["+RESET"]).line("RESET");
    assert_eq!(stage.session.state(), State::Ready);
    assert!(stage.session.listens().is_empty());
}

#[test]
fn pushes_of_resp3_are_no_replies() {
    let mut stage = Stage::plain();
    stage.answer(&["%1\r\n$5\r\nproto\r\n:3"]).line("HELLO 3");
    assert!(stage.session.is_resp3());
    stage.bytes(">2\r\n$10\r\ninvalidate\r\n*2\r\n$1\r\nk\r\n$1\r\nl\r\n");
    stage.line("GET k");
    stage.bytes(">2\r\n$10\r\ninvalidate\r\n_\r\n$1\r\nv\r\n");
    assert_eq!(
        stage.screen(),
        "127.0.0.1:6379> HELLO 3\n1# \"proto\" => (integer) 3\n-> invalidate: 'k', 'l'\n127.0.0.1:6379> GET k\n\
         1) \"invalidate\"\n2) (nil)\n\"v\"\n"
    );
    stage.line("SUBSCRIBE c").bytes(">3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n");
    stage.line("GET k").bytes(">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nm\r\n$1\r\nv\r\n");
    assert_eq!(stage.session.state(), State::Reading);
    assert!(stage.screen().ends_with("3) \"m\"\n\"v\"\n"));
    assert_eq!(stage.session.listens(), ["HELLO 3", "SUBSCRIBE c"]);
}

#[test]
fn monitor_goes_on_until_interrupted() {
    let mut stage = Stage::plain();
    stage.answer(&["+OK"]).line("MONITOR");
    assert_eq!(stage.session.state(), State::Monitoring);
    stage.bytes("+1700000000.123456 [0 127.0.0.1:1] \"PING\"\r\n");
    stage.answer(&["+1700000000.2 [0 127.0.0.1:1] \"GET\" \"k\"\r\n$1\r\nv"]).line("GET k");
    assert_eq!(
        stage.screen(),
        "127.0.0.1:6379> MONITOR\nOK\n1700000000.123456 [0 127.0.0.1:1] \"PING\"\n127.0.0.1:6379> GET k\n\
         1700000000.2 [0 127.0.0.1:1] \"GET\" \"k\"\n\"v\"\n"
    );
    stage.sent();
    let actions = stage.session.interrupt(0);
    stage.act(actions);
    assert_eq!((stage.session.state(), stage.sent()), (State::Ready, "<127.0.0.1:6379>".to_owned()));
    stage.answer(&["-ERR no"]).line("MONITOR");
    assert_eq!(stage.session.state(), State::Ready);
}

#[test]
fn repetitions() {
    let mut stage = Stage::plain();
    stage.sent();
    stage.answer(&[":1", ":2", ":3"]).line("3 INCR x");
    assert_eq!(stage.screen(), "127.0.0.1:6379> 3 INCR x\n(integer) 1\n(integer) 2\n(integer) 3\n");
    assert_eq!(stage.sent(), "INCR x | INCR x | INCR x");
    stage.line("-4 INCR x");
    assert_eq!(stage.screen(), "127.0.0.1:6379> -4 INCR x\nInvalid redis-cli repeat command option value.\n");
    stage.answer(&["+PONG", "+PONG"]).line("-r 2 -i 0.4 PING");
    assert_eq!(stage.screen(), "127.0.0.1:6379> -r 2 -i 0.4 PING\nPONG\nPONG\n");
    assert_eq!(stage.now_ms, 400);
    stage.answer(&["-ERR unknown command '5'"]).line("5");
    assert_eq!(stage.screen(), "127.0.0.1:6379> 5\n(error) ERR unknown command '5'\n");
}

#[test]
fn slow_replies_tell_their_time() {
    let mut stage = Stage::plain();
    stage.line("BLPOP q 2");
    stage.now_ms = 1234;
    stage.bytes("*-1\r\n");
    assert_eq!(stage.screen(), "127.0.0.1:6379> BLPOP q 2\n(nil)\n(1.23s)\n");
    stage.line("--raw BLPOP q 2");
    stage.now_ms += 499;
    stage.bytes("$1\r\na\r\n");
    assert_eq!(stage.screen(), "127.0.0.1:6379> --raw BLPOP q 2\na\n");
}

#[test]
fn a_lost_connection_is_made_again() {
    let mut stage = Stage::new(Settings {
        db: 2,
        password: Some("secret".to_owned()),
        resp3: true,
        teach: false,
        ..Settings::default()
    });
    stage.answers.clear();
    assert_eq!(stage.sent(), "<127.0.0.1:6379> | AUTH secret");
    stage.answer(&["+OK", "%0"]).bytes("+OK\r\n");
    assert_eq!(stage.sent(), "SELECT 2 | HELLO 3");
    assert_eq!(stage.session.prompt(), "127.0.0.1:6379[2]> ");
    stage.line("BLPOP a 0");
    let actions = stage.session.disconnected(None, 0);
    stage.act(actions);
    assert_eq!(stage.session.prompt(), "not connected> ");
    stage.refuse = true;
    stage.line("GET a");
    stage.refuse = false;
    stage.sent();
    stage.answer(&["+OK", "+OK", "%0", "$1\r\nv"]).line("GET a");
    assert_eq!(stage.sent(), "<127.0.0.1:6379> | AUTH secret | SELECT 2 | HELLO 3 | GET a");
    assert_eq!(
        stage.screen(),
        "127.0.0.1:6379[2]> BLPOP a 0\nError: Server closed the connection\nnot connected> GET a\n\
         Could not connect to Redis at 127.0.0.1:6379: Connection refused\nnot connected> GET a\n\"v\"\n"
    );
}

#[test]
fn shutdown_is_no_error() {
    let mut stage = Stage::plain();
    stage.line("SHUTDOWN NOSAVE");
    let actions = stage.session.disconnected(None, 0);
    stage.act(actions);
    assert_eq!(stage.screen(), "127.0.0.1:6379> SHUTDOWN NOSAVE\n");
    assert_eq!(stage.session.state(), State::NotConnected);
}

#[test]
fn a_pasted_block_runs_line_by_line() {
    let mut stage = Stage::plain();
    stage.sent();
    stage.line("SET a 1\n# a comment\n\nSET b \"two\nlines\"\nGET 'x");
    assert_eq!(stage.session.state(), State::Continuing);
    assert_eq!(stage.session.prompt(), "... ");
    assert_eq!(stage.session.unfinished(), Some(("GET 'x", 4)));
    assert_eq!(stage.sent(), "SET a 1");
    stage.answer(&["+OK", "$-1"]).bytes("+OK\r\n").line("y'");
    assert_eq!(stage.sent(), "SET b \"two\\nlines\" | GET \"x\\ny\"");
    assert_eq!(
        stage.screen(),
        "127.0.0.1:6379> SET a 1\nOK\n127.0.0.1:6379> # a comment\n127.0.0.1:6379> \n\
         127.0.0.1:6379> SET b \"two\nlines\"\nOK\n127.0.0.1:6379> GET 'x\ny'\n(nil)\n"
    );
}

#[test]
fn formats_by_flag() {
    let mut stage = Stage::plain();
    stage.sent();
    stage.answer(&["%0", "%1\r\n$1\r\nf\r\n$1\r\nv", "*0"]).line("--json HGETALL h");
    assert_eq!(stage.sent(), "HELLO 3 | HGETALL h | HELLO 2");
    assert_eq!(stage.screen(), "127.0.0.1:6379> --json HGETALL h\n{\"f\":\"v\"}\n");
    assert!(!stage.session.is_resp3());
    stage.answer(&["*1\r\n$1\r\na"]).line("redis-cli -h else --csv KEYS '*'");
    assert_eq!(stage.sent(), "<else:6379> | KEYS *");
    assert_eq!(stage.screen(), "127.0.0.1:6379> redis-cli -h else --csv KEYS '*'\n\"a\"\n");
    stage.answer(&["$2\r\na\n"]).line("--raw").line("GET x");
    assert_eq!(
        stage.screen(),
        "else:6379> --raw\nReplies are printed as raw from now on.\nelse:6379> GET x\na\n\n"
    );
    stage.line("--no-raw").answer(&["$11\r\n# Server\r\na"]).line("INFO");
    assert!(stage.screen().ends_with("else:6379> INFO\n# Server\r\na"));
    stage.line("redis-cli GET x | wc").line("--nonsense");
    assert!(stage.screen().contains("'|' means nothing here"));
}

#[test]
fn words_for_the_terminal() {
    let mut stage = Stage::plain();
    stage.sent();
    stage.line(":set nohints");
    assert!(!stage.session.hints());
    stage.line(":set foo").line(":foo").line("restart").line("GET \"a\"b");
    assert_eq!(
        stage.screen(),
        "127.0.0.1:6379> :set nohints\n127.0.0.1:6379> :set foo\nunknown redis-cli preference 'foo'\n\
         127.0.0.1:6379> :foo\nunknown redis-cli internal command ':foo'\n127.0.0.1:6379> restart\n\
         Use 'restart' only in Lua debugging mode.\n127.0.0.1:6379> GET \"a\"b\nInvalid argument(s)\n"
    );
    stage.line("clear");
    assert_eq!(stage.screen(), "");
    stage.line("connect other 7000");
    assert_eq!(
        (stage.sent(), stage.session.prompt()),
        ("<other:7000>".to_owned(), "other:7000> ".to_owned())
    );
    stage.screen();
    stage.line("help mget");
    assert_eq!(stage.screen(), "other:7000> help mget\n\n  MGET key [key ...]\n  summary: \n  group: \n\n");
    stage.line("exit").line("PING");
    assert_eq!(stage.screen(), "other:7000> exit\n<exit>");
}

#[test]
fn secrets_are_not_kept() {
    let mut stage = Stage::plain();
    stage.answer(&["+OK"; 8]);
    stage.line("AUTH x").line("5 config set requirepass x").line("PING").line("PING").line("# note");
    assert_eq!(stage.kept, ["PING", "# note"]);
    assert_eq!(stage.session.history.len(), 4);
}

#[test]
fn errors_teach() {
    let mut stage = Stage::new(Settings::default());
    stage.answer(&["-ERR unknown command 'GTE', with args beginning with: 'k' "]).line("GTE k");
    assert_eq!(
        stage.screen(),
        "127.0.0.1:6379> GTE k\n(error) ERR unknown command 'GTE', with args beginning with: 'k' \n  Did you mean GET?\n"
    );
    stage.sent();
    stage.answer(&["-WRONGTYPE Operation against a key", "+hash"]).line("LPOP user:1");
    assert_eq!(stage.sent(), "LPOP user:1 | TYPE user:1");
    assert!(stage.screen().ends_with("  user:1 holds a hash.\n"));
    // Nothing is asked in a transaction.
    stage.answer(&["+OK", "-WRONGTYPE x"]).line("MULTI").line("LPOP a");
    assert_eq!(stage.sent(), "MULTI | LPOP a");
}

#[test]
fn a_cluster_is_followed() {
    let mut stage = Stage::new(Settings { cluster: true, teach: false, ..Settings::default() });
    stage.sent();
    stage.answer(&["-MOVED 3999 10.0.0.1:6381", "$1\r\nv"]).line("GET x");
    assert_eq!(stage.sent(), "GET x | <10.0.0.1:6381> | GET x");
    stage.answer(&["-ASK 3999 :7000", "+OK", "$1\r\nw"]).line("GET x");
    assert_eq!(stage.sent(), "GET x | <10.0.0.1:7000> | ASKING | GET x");
    assert_eq!(
        stage.screen(),
        "127.0.0.1:6379> GET x\n-> Redirected to slot [3999] located at 10.0.0.1:6381\n\"v\"\n\
         10.0.0.1:6381> GET x\n-> Redirected to slot [3999] located at 10.0.0.1:7000\n\"w\"\n"
    );
}

#[test]
fn keys_and_fields_are_told_apart() {
    let mut stage = Stage::plain();
    let mut classes = |line: &str, reply: &str| {
        stage.answers.push_back(Vec::new());
        let mut actions = stage.session.submit(line, 0);
        actions.extend(stage.session.receive(reply.as_bytes(), 0));
        let printed = actions.into_iter().find_map(|action| match action {
            Action::Print(printed) => Some(printed),
            _ => None,
        });
        let pieces: Vec<_> = printed.expect("a reply").pieces().map(|span| span.class).collect();
        pieces
            .into_iter()
            .filter(|class| *class != Class::Plain && *class != Class::Index)
            .collect::<Vec<_>>()
    };
    assert_eq!(classes("KEYS *", "*1\r\n$1\r\na\r\n"), [Class::Key]);
    assert_eq!(classes("SCAN 0", "*2\r\n$1\r\n0\r\n*1\r\n$1\r\na\r\n"), [Class::String, Class::Key]);
    assert_eq!(classes("HGETALL h", "*2\r\n$1\r\nf\r\n$1\r\nv\r\n"), [Class::Field, Class::String]);
    assert_eq!(
        classes("HGETALL h", "%1\r\n$1\r\nf\r\n$1\r\nv\r\n"),
        [Class::Field, Class::Arrow, Class::String]
    );
}

#[test]
fn bytes_that_are_no_reply_end_the_connection() {
    let mut stage = Stage::plain();
    stage.line("GET a").bytes("HTTP/1.1 400 Bad\r\n");
    assert!(stage.screen().contains("Error: Protocol error, got \"H\" as reply type byte"));
    assert_eq!(stage.session.state(), State::NotConnected);
    assert_eq!(stage.session.failures(), 1);
}

#[test]
fn values_are_copied_as_they_are() {
    let reply =
        Reply::Array(vec![Reply::bulk("a\"b"), Reply::Integer(5), Reply::Array(vec![Reply::bulk("x")])]);
    let printed = Printed::reply(reply, crate::cli::format::Format::Tty);
    assert_eq!(printed.copy(&[0]), Some(b"a\"b".to_vec()));
    assert_eq!(printed.copy(&[1]), Some(b"5".to_vec()));
    assert_eq!(printed.copy(&[]), Some(b"a\"b\n5\nx".to_vec()));
    assert_eq!(printed.copy(&[9]), None);
}

#[test]
fn tools_run_beside_the_prompt() {
    let mut stage = Stage::plain();
    stage.sent();
    stage.answer(&["*2\r\n$1\r\n7\r\n*1\r\n$1\r\na", "*2\r\n$1\r\n0\r\n*1\r\n$3\r\nb c"]);
    stage.line("redis-cli --scan --pattern '*' --count 5");
    assert_eq!(stage.sent(), "SCAN 0 MATCH * COUNT 5 | SCAN 7 MATCH * COUNT 5");
    assert!(stage.screen().ends_with("\"a\"\n\"b c\"\n"));
    assert_eq!(stage.session.state(), State::Ready);
    stage.answer(&[
        ":3",
        "*2\r\n$1\r\n0\r\n*3\r\n$1\r\na\r\n$1\r\nl\r\n$1\r\nz",
        "+string",
        "+list",
        "+none",
        ":7",
        ":2",
    ]);
    stage.line("--bigkeys");
    assert_eq!(stage.sent(), "DBSIZE | SCAN 0 | TYPE a | TYPE l | TYPE z | STRLEN a | LLEN l");
    let screen = stage.screen();
    assert!(
        screen.contains("Sampled 2 keys in the keyspace!\nTotal key length in bytes is 2 (avg len 1.00)\n")
    );
    assert!(
        screen.contains("Biggest string found \"a\" has 7 bytes\nBiggest   list found \"l\" has 2 items\n")
    );
    assert!(screen.contains("1 strings with 7 bytes (50.00% of keys, avg size 7.00)\n"));
    assert!(screen.contains("0 sets with 0 members (00.00% of keys, avg size 0.00)\n"));
}

#[test]
fn a_tool_ends_when_interrupted() {
    let mut stage = Stage::plain();
    stage.sent();
    stage.line("--stat");
    assert_eq!((stage.sent(), stage.session.state()), ("INFO".to_owned(), State::Waiting));
    let information = "used_memory:2048\r\nconnected_clients:1\r\nblocked_clients:0\r\ntotal_commands_processed:9\r\n\
                       total_connections_received:1\r\ndb0:keys=3,expires=0\r\ndb4:keys=2,expires=0\r\n";
    let actions = stage.session.receive(format!("${}\r\n{information}\r\n", information.len()).as_bytes(), 0);
    assert!(matches!(actions.last(), Some(Action::Wake { after_ms: 1000 })));
    stage.act(actions);
    assert!(
        stage.screen().ends_with("5          2.00K    1       0       9 (+0)              1           \n")
    );
    assert_eq!(stage.sent(), "INFO");
    let actions = stage.session.interrupt(1000);
    stage.act(actions);
    // The reply under way is dropped.
    stage.bytes("$1\r\nx\r\n").answer(&["+PONG"]).line("PING");
    assert_eq!(stage.screen(), "127.0.0.1:6379> PING\nPONG\n");
}

#[test]
fn flags_before_a_command_are_for_it_alone() {
    let mut stage = Stage::plain();
    stage.sent();
    stage.answer(&["+OK", "$1\r\n1", "+OK"]).line("redis-cli -n 2 GET x");
    assert_eq!(stage.sent(), "SELECT 2 | GET x | SELECT 0");
    assert_eq!(stage.session.prompt(), "127.0.0.1:6379> ");
    stage.answer(&["+OK", ":1", ":2", "+OK"]).line("-n 2 -r 2 INCR x");
    assert_eq!(stage.sent(), "SELECT 2 | INCR x | INCR x | SELECT 0");
    stage.answer(&["+OK"]).line("-n 2");
    assert_eq!(
        (stage.sent().as_str(), stage.session.prompt()),
        ("SELECT 2", "127.0.0.1:6379[2]> ".to_owned())
    );
    stage.answer(&["%0", "%0", "*0"]).line("-3 HGETALL x");
    assert_eq!(stage.sent(), "HELLO 3 | HGETALL x | HELLO 2");
    assert!(!stage.session.is_resp3());
}

#[test]
fn files_are_asked_for() {
    let mut stage = Stage::plain();
    stage.sent();
    stage.answer(&[":1"]).line("--eval add.lua k1 k2 , 5");
    assert_eq!(stage.sent(), "EVAL \"the text of add.lua\" 2 k1 k2 5");
    stage.answer(&["+OK"]).line("redis-cli -x SET note < note.txt");
    assert_eq!(stage.sent(), "SET note \"the text of note.txt\"");
    stage.answer(&["-ERR x"]).line("redis-cli --pipe < commands.txt");
    assert_eq!(stage.sent(), "the text of commands.txt");
    assert!(stage.screen().ends_with("ERR x\nerrors: 1, replies: 1\n"));
    stage.line("-x SET note");
    assert!(stage.screen().ends_with("No file, so nothing was done.\n"));
    assert_eq!(stage.session.state(), State::Ready);
    let actions = stage.session.submit("--pipe", 0);
    assert!(matches!(actions[..], [_, .., Action::NeedFile { name: None, use_: FileUse::Commands }]));
    assert_eq!(stage.session.state(), State::Waiting);
    stage.session.interrupt(0);
    assert_eq!(stage.session.state(), State::Ready);
}

// Runs a first session on a module whose functions raise a flag when they run, and prints all flags, a digit each: what
// raised none is left to the part of the engine that the page loads later.
import { readFileSync } from "node:fs";
import { Engine, Session, class_names, initSync } from "../pkg/resplay.js";

/** What somebody new may do before the rest has arrived, the page's guide above all; other commands wait for the rest. */
const LINES = [
  "PING",
  "SET greeting hello",
  "SET n 1 EX 100 NX",
  "GET greeting",
  "GET nothing",
  "DEL n",
  "EXISTS greeting",
  "TYPE greeting",
  "INCR visits",
  "EXPIRE visits 60",
  "TTL visits",
  "KEYS *",
  "LPUSH tasks one two",
  "RPUSH tasks three",
  "LRANGE tasks 0 -1",
  "LPOP tasks",
  "HSET user name Ann age 30",
  "HGET user name",
  "HGETALL user",
  "SADD tags a b",
  "SMEMBERS tags",
  "ZADD board 1 a 2.5 b",
  "ZRANGE board 0 -1 WITHSCORES",
  "ZRANGE board 0 -1 REV WITHSCORES",
  "MULTI",
  "SET a 1",
  "EXEC",
  "HELP SET",
  "HELP @hash",
  "BLPOP queue 0",
  "SUBSCRIBE news",
  "LPUSH greeting x",
  "NONSENSE a",
  "GET",
  "SET 'open",
];
const TYPED = ["s", "se", "SET k", "SET k v E", "zadd board ", "xyz "];

const [, , path, flag] = process.argv;
const exports = initSync({ module: readFileSync(path) });
let now = 1_700_000_000_000;

/** One client of an engine, as the page's worker keeps it. */
class Terminal {
  constructor(engine, resume = null) {
    this.engine = engine;
    this.session = new Session();
    this.client = 0;
    if (resume) {
      this.client = resume.client;
      this.session.resume(resume.standing);
      this.session.db();
    } else this.act(this.session.start(now));
  }

  run(line) {
    for (let end = 1; end <= line.length; end++) this.session.hint(line.slice(0, end));
    this.act(this.session.submit(line, now));
    now += 1000;
    this.engine.tick(now);
  }

  act(actions) {
    for (const action of actions) {
      if (action.t === "send") this.engine.receive(this.client, action.bytes, now);
      if (action.t === "print") {
        action.printed.slice(0, 200, 8192);
        action.printed.views();
        action.printed.view("raw")?.free();
        action.printed.free();
      }
      if (action.t === "connect") {
        this.client = this.engine.connect(now);
        this.act(this.session.connected(now));
      }
    }
  }

  /** Where it stands, for whoever takes it up after a fault. */
  standing() {
    this.session.prompt();
    this.session.state();
    this.session.resp();
    this.session.awaits();
    this.session.listens();
    return { client: this.client, standing: this.session.standing() };
  }
}

function settle(engine, terminals) {
  for (let id; (id = engine.next_with_output()) !== undefined; ) {
    const bytes = engine.take_output(id);
    const terminal = terminals.find(({ client }) => client === id);
    terminal?.act(terminal.session.receive(bytes, now));
  }
  engine.next_to_close();
  engine.next_deadline();
  engine.dirty();
  engine.moment();
  engine.is_running();
  engine.journal_from(engine.journal_length());
}

class_names();
const engine = new Engine(7, now);
const first = new Terminal(engine);
const second = new Terminal(engine);
const terminals = [first, second];
const stood = [];
const run = (terminal, line) => {
  terminal.run(line);
  settle(engine, terminals);
  const { client, standing } = terminal.standing();
  if (standing) stood.push({ client, standing, journal: engine.journal_from(0) });
};
for (const line of LINES) run(first, line);
// The panels, which may be open from the start.
const look = () => {
  const bytes = (text) => new TextEncoder().encode(text);
  engine.tree(first.session.db(), [], new Uint8Array(), 0, 100);
  for (const key of ["greeting", "visits", "tasks", "user", "tags", "board"]) engine.value(0, bytes(key), 0, 100);
  engine.changes();
  engine.timeline(0, 100);
  engine.now();
  engine.next_due();
};
look();
engine.watch();
run(first, "SET n 2");
look();
run(second, "PUBLISH news hello");
first.act(first.session.interrupt(now));
run(first, "BLPOP queue 0");
run(second, "RPUSH queue job");
for (const line of TYPED) {
  first.session.hint(line);
  first.session.complete(line, line.length, engine);
}
// Coming back, by a reload or after a fault, with the rest out of reach.
for (const { client, standing, journal } of stood) {
  const again = Engine.replay(journal);
  again.tick(now);
  const [other] = again.clients().filter((id) => id !== client);
  const back = new Terminal(again, { client, standing });
  settle(again, [back]);
  if (other !== undefined) again.disconnect(other, now);
  back.run("GET greeting");
  settle(again, [back]);
  back.session.free();
  again.free();
}
first.session.free();
engine.free();

const flags = [];
for (let at = 0; exports[flag + at]; at++) flags.push(exports[flag + at].value);
console.log(flags.join(""));

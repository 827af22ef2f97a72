// What the engine's module promises to JavaScript. Node and Chromium run the same cases: `run` gets the module and
// node:assert's deep strict equality.

const START = 1_700_000_000_000;
const bytes = (text) => new TextEncoder().encode(text);
const text = (bytes) => new TextDecoder().decode(bytes);
const request = (...words) =>
  bytes(`*${words.length}\r\n` + words.map((word) => `$${bytes(word).length}\r\n${word}\r\n`).join(""));

/** One engine with one client, which answers at once. */
function connected(resplay, seed = 1) {
  const engine = new resplay.Engine(seed, START);
  const client = engine.connect(START);
  const ask = (...words) => {
    engine.receive(client, request(...words), START);
    return text(engine.take_output(client));
  };
  return { engine, client, ask };
}

export const cases = [
  {
    name: "tells its version",
    run(resplay, equal) {
      equal(/^\d+\.\d+\.\d+$/.test(resplay.version()), true);
    },
  },
  {
    name: "answers in the protocol of sockets",
    run(resplay, equal) {
      const { ask } = connected(resplay);
      equal(ask("SET", "key", "ünï"), "+OK\r\n");
      equal(ask("GET", "key"), "$5\r\nünï\r\n");
      equal(ask("INCR", "key"), "-ERR value is not an integer or out of range\r\n");
    },
  },
  {
    name: "keeps integers beyond those of JavaScript",
    run(resplay, equal) {
      const { ask } = connected(resplay);
      equal(ask("SET", "n", "9223372036854775806"), "+OK\r\n");
      equal(ask("INCR", "n"), ":9223372036854775807\r\n");
      equal(ask("INCR", "n"), "-ERR increment or decrement would overflow\r\n");
    },
  },
  {
    name: "takes many requests at once, and a request in parts",
    run(resplay, equal) {
      const { engine, client } = connected(resplay);
      const one = request("PING");
      const many = new Uint8Array(one.length * 1000);
      for (let at = 0; at < 1000; at++) many.set(one, at * one.length);
      engine.receive(client, many, START);
      equal(text(engine.take_output(client)), "+PONG\r\n".repeat(1000));
      for (const byte of one) engine.receive(client, Uint8Array.of(byte), START);
      equal(text(engine.take_output(client)), "+PONG\r\n");
    },
  },
  {
    name: "expires keys by the time it is told",
    run(resplay, equal) {
      const { engine, client, ask } = connected(resplay);
      equal(ask("SET", "key", "value", "PX", "1000"), "+OK\r\n");
      engine.receive(client, request("EXISTS", "key"), START + 999);
      equal(text(engine.take_output(client)), ":1\r\n");
      engine.receive(client, request("EXISTS", "key"), START + 1001);
      equal(text(engine.take_output(client)), ":0\r\n");
    },
  },
  {
    name: "a client does not see another's replies, and is gone once closed",
    run(resplay, equal) {
      const { engine, client, ask } = connected(resplay);
      const other = engine.connect(START);
      equal(ask("SET", "key", "value"), "+OK\r\n");
      equal(text(engine.take_output(other)), "");
      // The first client stands in the queue, although its output was taken without asking whose turn it is.
      while (engine.next_with_output() !== undefined);
      engine.receive(other, request("GET", "key"), START);
      equal(engine.next_with_output(), other);
      equal(text(engine.take_output(other)), "$5\r\nvalue\r\n");
      equal([...engine.clients()], [client, other]);
      engine.disconnect(other, START);
      equal([...engine.clients()], [client]);
    },
  },
  {
    name: "a journal played again gives the same keyspace",
    run(resplay, equal) {
      const { engine, ask } = connected(resplay, 7);
      for (let at = 0; at < 200; at++) ask("SET", `key:${at}`, `value:${at}`);
      const scan = ask("SCAN", "0", "COUNT", "50");
      const again = resplay.Engine.replay(engine.journal_from(0));
      const client = again.connect(START);
      again.receive(client, request("SCAN", "0", "COUNT", "50"), START);
      equal(text(again.take_output(client)), scan);
      equal(again.clients().length, 2);
    },
  },
  {
    name: "a damaged journal is refused",
    run(resplay, equal) {
      let refused = "";
      try {
        resplay.Engine.replay(bytes("not a journal"));
      } catch (error) {
        refused = error.message;
      }
      equal(refused, "the journal is damaged");
    },
  },
  {
    name: "a session turns lines into requests and replies into text",
    run(resplay, equal) {
      const { engine, client } = connected(resplay);
      const session = new resplay.Session();
      const printed = [];
      const perform = (actions) => {
        for (const action of actions) {
          if (action.t === "connect") perform(session.connected(START));
          if (action.t === "print") printed.push(action.printed.slice(0, 100, 10_000).text);
          if (action.t === "send") {
            engine.receive(client, action.bytes, START);
            perform(session.receive(engine.take_output(client), START));
          }
        }
      };
      perform(session.start(START));
      perform(session.submit("MSET a 1 b 'two words'", START));
      perform(session.submit("mget a b c", START));
      equal(printed.join("").trim().split("\n"), ["OK", '1) "1"', '2) "two words"', "3) (nil)"]);
      equal(session.prompt().endsWith("> "), true);
    },
  },
];

/** A transcript of tests/suite gives here what it gives natively. */
export function transcriptCase(path, transcript) {
  return {
    name: path,
    run(resplay, equal) {
      equal(resplay.play_transcript(transcript), transcript);
    },
  };
}

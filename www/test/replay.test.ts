// Any moment of a session, gone to in any order, is what it was when the session was played from the start. The sessions are
// the suite's transcripts, typed in one after another.

import { readFileSync, readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { Replay } from "../src/replay";

// Its types are made with it, and it is made when it is tested.
const pkg = await import("../pkg/resplay.js");
const { memory } = pkg.initSync({ module: readFileSync(new URL("../pkg/resplay_bg.wasm", import.meta.url)) }) as { memory: WebAssembly.Memory };
const suite = new URL("../../tests/suite/", import.meta.url);

interface Step {
  pass: number | null;
  client: string | null;
  line: string | null;
}

function journalOf(files: string[]): Uint8Array {
  let now = Date.UTC(2026, 0, 1);
  const engine = new pkg.Engine(7, now);
  const bytes = (text: string) => new TextEncoder().encode(text);
  for (const file of files) {
    const steps = pkg.transcript_steps(readFileSync(new URL(file, suite), "utf8")) as Step[] | string;
    if (typeof steps === "string") continue;
    const clients = new Map<string, number>();
    for (const { pass, client, line } of steps) {
      now += pass ?? 1;
      engine.tick(now);
      if (client === null || line === null) continue;
      if (!clients.has(client)) clients.set(client, engine.connect(now));
      engine.receive(clients.get(client)!, bytes(`${line}\r\n`), now);
    }
    const last = engine.connect(now);
    for (const client of clients.values()) engine.disconnect(client, now);
    engine.receive(last, bytes("FLUSHALL\r\n"), now);
    engine.disconnect(last, now);
  }
  const journal = engine.journal_from(0);
  engine.free();
  return journal;
}

const files = (readdirSync(suite, { recursive: true }) as string[]).filter((name) => name.endsWith(".txt")).sort();

function replayOf(journal: Uint8Array, bytesMax?: number): Replay {
  const replay = new Replay(pkg.Past, memory, bytesMax);
  replay.append(journal);
  return replay;
}

/** All that can be seen of a moment. */
function seen(replay: Replay, moment: number): string {
  const past = replay.goTo(moment);
  expect(past.moment()).toBe(moment);
  const text = (value: unknown) => JSON.stringify(value, (_, part) => (typeof part === "bigint" ? `${part}n` : part instanceof Uint8Array ? [...part].join() : part));
  return text([past.step(), past.tree(0, [], new Uint8Array(), 0, 100)]);
}

/** Numbers below `max` in an order that no session knows. */
function* anywhere(max: number, count: number): Generator<number> {
  let number = 12345;
  for (let drawn = 0; drawn < count; drawn++) {
    number = (Math.imul(number, 1103515245) + 12345) >>> 0;
    yield number % max;
  }
}

test("every moment is what it was, in any order", { timeout: 120_000 }, () => {
  const journal = journalOf(files);
  const replay = replayOf(journal);
  expect(replay.moments).toBeGreaterThan(5000);
  const places = [...anywhere(replay.moments + 1, 120)];
  // From the start to the end, as it happened.
  const plain = replayOf(journal);
  const happened = new Map([...places].sort((a, b) => a - b).map((place) => [place, seen(plain, place)]));
  plain.free();
  while (replay.prepare(50));
  for (const place of places) {
    replay.played = 0;
    expect(seen(replay, place), `moment ${place}`).toBe(happened.get(place));
    expect(replay.played).toBeLessThanOrEqual(2048);
    replay.spoil(place, (past) => past.reply_as(3));
  }
  replay.free();
});

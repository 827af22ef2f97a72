import { describe, expect, test } from "vitest";
import { JournalError, journalOf, readJournal } from "../src/journal";
import { encoded, lineOf, replyAt, requests } from "../src/resp";
import { LINK_MAX, fragmentOf, readFragment, sharedOf, textOf } from "../src/share";

const bytes = (text: string) => new TextEncoder().encode(text);
const request = (...words: string[]) => `*${words.length}\r\n${words.map((word) => `$${bytes(word).length}\r\n${word}\r\n`).join("")}`;

describe("requests", () => {
  test("are read one after another, and a torn one is left", () => {
    const text = `${request("SET", "a", "1")}#TS:1700000000\r\n${request("GET", "a")}`;
    const whole = bytes(text);
    expect([...requests(whole)].map(({ words }) => lineOf(words))).toEqual(["SET a 1", "GET a"]);
    const torn = whole.subarray(0, whole.length - 3);
    const found = [...requests(torn)];
    expect(found.length).toBe(1);
    expect([...requests(bytes("PING\r\n"))]).toEqual([]);
    expect([...requests(bytes("*99999999999\r\n"))]).toEqual([]);
  });

  test("are written as redis-cli reads them", () => {
    const line = (...words: string[]) => lineOf(words.map(bytes));
    expect(line("SET", "a b", "")).toBe('SET "a b" ""');
    expect(line("SET", 'say "hi"', "it's")).toBe('SET "say \\"hi\\"" "it\'s"');
    expect(line("SET", "a\nb", "\x00\x7f")).toBe('SET "a\\nb" "\\x00\\x7f"');
    expect(line("SET", "grün", "#x")).toBe('SET grün "#x"');
    expect(lineOf([new Uint8Array([0xff, 0x41])])).toBe('"\\xffA"');
  });
});

describe("replies", () => {
  test("of every kind are read, and a torn one is waited for", () => {
    const whole = bytes("+OK\r\n-ERR no\r\n:42\r\n$3\r\na\r\n\r\n$-1\r\n*2\r\n$1\r\n0\r\n*1\r\n$1\r\nk\r\n");
    const found = [];
    for (let at = 0; at < whole.length; ) {
      const next = replyAt(whole, at)!;
      found.push(next.reply);
      at = next.end;
    }
    expect(found).toEqual([bytes("OK"), new Error("ERR no"), 42, bytes("a\r\n"), null, [bytes("0"), [bytes("k")]]]);
    for (const torn of ["$3\r\nab", "*2\r\n:1\r\n", ":4", "*1\r\n$5\r\n"]) expect(replyAt(bytes(torn), 0), torn).toBe(null);
    expect(() => replyAt(bytes("%1\r\n"), 0)).toThrow(/protocol/);
  });

  test("to what is encoded are those of the same words", () => {
    expect([...requests(encoded(["SET", new Uint8Array([0, 255]), "ü"]))].map(({ words }) => words)).toEqual([[bytes("SET"), new Uint8Array([0, 255]), bytes("ü")]]);
  });
});

describe("the journal", () => {
  test("of an RDB file is read back", () => {
    const data = new Uint8Array(300).fill(7);
    expect(readJournal(journalOf(data, 5, 1000))).toEqual({ seed: 5, lines: [], data, checkpoint: false });
  });

  test("that is none, torn or newer is refused", () => {
    const journal = journalOf(new Uint8Array(10), 1, 1);
    expect(() => readJournal(bytes("hello"))).toThrow(JournalError);
    expect(() => readJournal(journal.subarray(0, journal.length - 1))).toThrow(/ends in the middle/);
    journal[24] = 99;
    expect(() => readJournal(journal)).toThrow(/newer/);
  });

  test("names clients by the lowest number that is free", () => {
    const one = [2, 0, 7, 14, ...bytes(request("PING"))];
    const two = [2, 5, 9, 14, ...bytes(request("PING"))];
    const gone = [1, 0, 7];
    const journal = new Uint8Array([...bytes("RPJOUR01"), ...new Array(16).fill(0), ...one, ...two, ...gone, ...two, ...[2, 0, 11, 14, ...bytes(request("PING"))]]);
    expect(readJournal(journal).lines.map(({ client, at }) => [client, at])).toEqual([[1, 0], [2, 5], [2, 10], [1, 10]]);
  });
});

describe("a link", () => {
  const shared = {
    seed: 42,
    clients: ["Ada", "Worker"],
    panel: "keys",
    lines: [
      { client: 2, line: "BLPOP q 0" },
      { client: 1, line: 'RPUSH q "a b" \u00fc' },
    ],
    data: null as Uint8Array | null,
    left: 0,
  };

  test("brings back what was put in", async () => {
    const fragment = await fragmentOf(shared);
    expect(fragment).toMatch(/^#v1\.[\w-]+$/);
    expect(await readFragment(fragment)).toEqual(shared);
    expect(sharedOf(textOf(shared))).toEqual(shared);
  });

  test("brings data along, and clients beyond the ninth", async () => {
    const full = { ...shared, data: new Uint8Array([0x52, 0, 255, 7]), lines: [{ client: 12, line: "PING" }] };
    expect(await readFragment(await fragmentOf(full))).toEqual(full);
    const alone = { ...full, lines: [] };
    expect((await readFragment(await fragmentOf(alone))).data).toEqual(full.data);
    expect(textOf(full)).not.toContain("undefined");
  });

  test("with more commands than a page takes tells how many are left out", () => {
    const text = textOf({ ...shared, lines: Array.from({ length: 10_007 }, () => ({ client: 1, line: "PING" })) });
    expect(sharedOf(text)).toMatchObject({ left: 7 });
  });

  test("of a hundred commands is short enough", async () => {
    const lines = Array.from({ length: 100 }, (_, at) => ({ client: 1, line: `HSET user:${at} name User${at} visits ${at * 7}` }));
    expect((await fragmentOf({ ...shared, lines })).length).toBeLessThan(LINK_MAX);
  });

  test("that is damaged says so", async () => {
    const fragment = await fragmentOf(shared);
    for (const broken of ["#v1.", "#v1.!!!", fragment.slice(0, -8), "#v1.AAAA"]) {
      await expect(readFragment(broken), broken).rejects.toThrow(/damaged/);
    }
    const noData = await fragmentOf({ ...shared, panel: "keys\n@ data %%%" });
    await expect(readFragment(noData)).rejects.toThrow(/damaged/);
    await expect(readFragment("#v9.abc")).rejects.toThrow(/newer/);
  });

  test("that unpacks to far too much is refused", async () => {
    const bomb = await fragmentOf({ ...shared, lines: [{ client: 1, line: "x".repeat(3_000_000) }] });
    expect(bomb.length).toBeLessThan(10_000);
    await expect(readFragment(bomb)).rejects.toThrow(/more than a page/);
  });
});

test("a transcript with prompts of any kind is read, its outputs are not", () => {
  const text = '# A comment\nredis> SET a 1\nOK\n127.0.0.1:6379[1]> GET a\n"1"\nB> PING\n2: push\n@ +4s\n';
  expect(sharedOf(text)!.lines).toEqual([
    { client: 1, line: "SET a 1" },
    { client: 1, line: "GET a" },
    { client: 2, line: "PING" },
  ]);
  expect(sharedOf("nothing here")).toBe(null);
});

import { describe, expect, test } from "vitest";
import { History, LINES_MAX, Walk, type HistoryStore } from "../src/history";

function memory(lines: string[] = []): HistoryStore & { lines: string[] } {
  return {
    lines,
    read() {
      return this.lines;
    },
    write(next) {
      this.lines = next;
    },
  };
}

function keep(history: History, line: string): void {
  history.add(line);
  history.keep(line);
}

describe("what is kept", () => {
  test("no repeats in a row, no blanks, no secrets in the store", () => {
    const store = memory();
    const history = new History(store);
    keep(history, "one");
    keep(history, "one");
    keep(history, "  ");
    history.add("secret");
    keep(history, "two");
    expect(store.lines).toEqual(["one", "two"]);
    expect(history.length).toBe(3);
    expect(history.at(1)).toBe("secret");
  });

  test("at most a thousand lines", () => {
    const store = memory();
    const history = new History(store);
    for (let i = 0; i < LINES_MAX + 10; i++) keep(history, `line ${i}`);
    expect(history.length).toBe(LINES_MAX);
    expect(store.lines.length).toBe(LINES_MAX);
    expect(history.at(0)).toBe("line 10");
  });
});

test("walking keeps the line being typed", () => {
  const history = new History(memory(["one", "two"]));
  const walk = new Walk(history);
  expect(walk.move(-1, "dra")).toBe("two");
  expect(walk.move(-1, "two")).toBe("one");
  expect(walk.move(-1, "one")).toBeNull();
  expect(walk.move(1, "one")).toBe("two");
  expect(walk.move(1, "two")).toBe("dra");
  expect(walk.move(1, "dra")).toBeNull();
});

test("suggestions are the latest line that goes on", () => {
  const history = new History(memory(["get a", "get b", "set x"]));
  expect(history.suggest("get")).toBe(" b");
  expect(history.suggest("get a")).toBe("");
  expect(history.suggest("")).toBe("");
  expect(history.suggest("nothing")).toBe("");
});

test("searching goes on from where it is, in both directions", () => {
  const history = new History(memory(["SET a 1", "get a", "set b 2"]));
  const last = history.search("set", history.length, -1);
  expect(last).toEqual({ index: 2, at: 0 });
  expect(history.search("set", 2, -1)).toEqual({ index: 0, at: 0 });
  expect(history.search("set", 0, -1)).toBeNull();
  expect(history.search("set", 0, 1)).toEqual({ index: 2, at: 0 });
  expect(history.search("", 3, -1)).toBeNull();
});

test("a broken store is an empty history", () => {
  const history = new History({ read: () => [], write: () => {} });
  expect(history.length).toBe(0);
});

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Host, type LaneView } from "../src/host";
import type { Report, Request } from "../src/protocol";

/** A worker that remembers what it was asked and says what the test wants. */
class FakeWorker {
  static all: FakeWorker[] = [];
  asked: Request[] = [];
  alive = true;
  onmessage: ((event: { data: Report[] }) => void) | null = null;
  onerror: ((event: { preventDefault(): void; message: string }) => void) | null = null;

  constructor() {
    FakeWorker.all.push(this);
  }

  postMessage(batch: Request[]): void {
    this.asked.push(...batch);
  }

  terminate(): void {
    this.alive = false;
  }

  says(...reports: Report[]): void {
    this.onmessage?.({ data: reports });
  }

  kinds(): string[] {
    return this.asked.map(({ t }) => t);
  }
}

const ready: Report = { t: "ready", classes: ["plain"], module: {} as WebAssembly.Module };
const bytes = (...values: number[]) => new Uint8Array(values);

function view() {
  return { echo: vi.fn(), remember: vi.fn(), print: vi.fn(), state: vi.fn(), clear: vi.fn(), status: vi.fn(), notice: vi.fn() } satisfies LaneView;
}

function host(): Host {
  return new Host(() => new FakeWorker() as unknown as Worker, () => Promise.resolve({} as WebAssembly.Module));
}

const last = () => FakeWorker.all.at(-1)!;
/** Enough turns for a module to be handed over and a batch to be sent. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
}

beforeEach(() => {
  vi.useFakeTimers();
  FakeWorker.all = [];
});
afterEach(() => vi.useRealTimers());

test("nothing starts before a lane wants it", () => {
  host().addSpace("main");
  expect(FakeWorker.all.length).toBe(0);
});

test("a lane starts the engine: keyspaces first, then lanes", async () => {
  const one = host();
  one.addSpace("main");
  one.openLane("main", view());
  await settled();
  expect(last().kinds()).toEqual(["start", "space", "open", "attached"]);
});

test("after a crash another worker gets the journal and the standing of the lanes", async () => {
  const one = host();
  one.addSpace("main");
  const seen = view();
  one.openLane("main", seen);
  await settled();
  const resume = { client: 7, standing: new Float64Array([1]) };
  last().says(ready, { t: "journal", space: "main", bytes: bytes(1, 2), whole: true });
  last().says({ t: "journal", space: "main", bytes: bytes(3), whole: false });
  last().says({ t: "state", lane: 1, resp: 2, prompt: "> ", state: "ready", awaits: "", listens: "", resume });
  const first = last();
  vi.advanceTimersByTime(10_000);
  first.says({ t: "crashed", message: "unreachable" });
  await settled();
  expect(first.alive).toBe(false);
  expect(FakeWorker.all.length).toBe(2);
  expect(last().asked.find(({ t }) => t === "space")).toMatchObject({ journal: bytes(1, 2, 3) });
  expect(last().asked.find(({ t }) => t === "open")).toMatchObject({ lane: 1, resume });
  expect(seen.notice).toHaveBeenCalledWith(expect.stringContaining("unreachable"), "error");
});

test("a dead worker is not heard any more", async () => {
  const one = host();
  one.addSpace("main");
  const seen = view();
  one.openLane("main", seen);
  await settled();
  const first = last();
  first.says(ready);
  one.stop();
  first.says({ t: "clear", lane: 1 });
  expect(seen.clear).not.toHaveBeenCalled();
});

test("an engine that keeps crashing is given up, until someone tries again", async () => {
  const one = host();
  one.addSpace("main");
  one.openLane("main", view());
  await settled();
  for (let crash = 0; crash < 4; crash++) {
    last().says(ready);
    last().says({ t: "crashed", message: "again" });
    await settled();
  }
  expect(one.state).toBe("failed");
  expect(one.failure).toBe("again");
  const before = FakeWorker.all.length;
  one.retry();
  await settled();
  expect(FakeWorker.all.length).toBe(before + 1);
  expect(one.state).toBe("loading");
});

test("a worker that does not load at all is a failure at once", async () => {
  const one = host();
  one.openLane("main", view());
  await settled();
  last().onerror?.({ preventDefault() {}, message: "" });
  expect(one.state).toBe("failed");
});

test("a module that cannot be had is a failure, and is asked for again", async () => {
  let broken = true;
  const one = new Host(
    () => new FakeWorker() as unknown as Worker,
    () => (broken ? Promise.reject(new Error("404")) : Promise.resolve({} as WebAssembly.Module)),
  );
  one.addSpace("main");
  one.openLane("main", view());
  await settled();
  expect(one.state).toBe("failed");
  expect(one.failure).toBe("404");
  broken = false;
  one.retry();
  await settled();
  expect(last().kinds()).toEqual(["start", "space", "open", "attached"]);
});

test("an answer that is long in coming makes the host busy, its arrival ready", async () => {
  const one = host();
  one.addSpace("main");
  const lane = one.openLane("main", view());
  await settled();
  last().says(ready, { t: "done", count: 4 });
  lane.submit("a line");
  await settled();
  vi.advanceTimersByTime(300);
  expect(one.state).toBe("ready");
  vi.advanceTimersByTime(200);
  expect(one.state).toBe("busy");
  last().says({ t: "done", count: 1 });
  expect(one.state).toBe("ready");
});

test("questions are answered in whatever order", async () => {
  const one = host();
  one.addSpace("main");
  const lane = one.openLane("main", view());
  await settled();
  const first = lane.hint("a");
  const second = lane.hint("b");
  last().says({ t: "hint", seq: 2, hint: { text: "two" } }, { t: "hint", seq: 1, hint: null });
  expect(await first).toBeNull();
  expect(await second).toEqual({ text: "two" });
});

test("starting over empties the journal and connects all lanes afresh, setup included", async () => {
  const one = host();
  one.addSpace("main");
  one.openLane("main", view(), ["a line"]);
  await settled();
  last().says(ready, { t: "journal", space: "main", bytes: bytes(1), whole: true });
  last().says({ t: "state", lane: 1, resp: 2, prompt: "> ", state: "ready", awaits: "", listens: "", resume: null });
  one.resetSpace("main");
  await settled();
  expect(last().kinds().slice(-3)).toEqual(["drop", "space", "open"]);
  expect(last().asked.at(-2)).toMatchObject({ journal: null });
  expect(last().asked.at(-1)).toMatchObject({ setup: ["a line"], resume: null });
});

test("an answer is shown once its input is written", async () => {
  const one = host();
  let written = () => {};
  let writing: Promise<void> | null = null;
  const store = {
    append: () => (writing = new Promise<void>((resolve) => (written = resolve))),
    replace: () => {},
    written: () => writing,
    opening: false,
    again: vi.fn(),
    close: vi.fn(),
  };
  one.addSpace("main", store);
  const seen = view();
  one.openLane("main", seen);
  await settled();
  last().says(ready);
  await settled();
  last().says({ t: "print", lane: 1, blocks: [] }, { t: "journal", space: "main", bytes: bytes(1), whole: false });
  await settled();
  expect(seen.print).not.toHaveBeenCalled();
  writing = null;
  written();
  await settled();
  expect(seen.print).toHaveBeenCalledTimes(1);
});

test("what changed nothing is answered before there is a place to write to, and nothing else", async () => {
  const one = host();
  let opened = () => {};
  const opening = new Promise<void>((resolve) => (opened = resolve));
  const store = { append: vi.fn(), replace: vi.fn(), written: () => opening, again: vi.fn(), close: vi.fn(), opening: true };
  const lane = view();
  one.addSpace("main", store);
  one.openLane("main", lane);
  await settled();
  last().says(ready, { t: "journal", space: "main", bytes: bytes(1), whole: false, idle: true }, { t: "print", lane: 1, blocks: [] });
  await settled();
  expect(lane.print).toHaveBeenCalledTimes(1);
  last().says({ t: "journal", space: "main", bytes: bytes(2), whole: false, idle: false }, { t: "print", lane: 1, blocks: [] });
  last().says({ t: "journal", space: "main", bytes: bytes(3), whole: false, idle: true }, { t: "print", lane: 1, blocks: [] });
  await settled();
  expect(lane.print).toHaveBeenCalledTimes(1);
  opened();
  await settled();
  await settled();
  expect(lane.print).toHaveBeenCalledTimes(3);
});

test("a keyspace that nobody keeps any more writes nothing", async () => {
  const one = host();
  const store = { append: vi.fn(), replace: vi.fn(), written: () => null, again: vi.fn(), close: vi.fn(), opening: false };
  one.addSpace("main", store);
  one.openLane("main", view());
  await settled();
  last().says(ready, { t: "journal", space: "main", bytes: bytes(1), whole: false });
  one.detach("main");
  last().says({ t: "journal", space: "main", bytes: bytes(2), whole: false });
  await settled();
  expect(store.append).toHaveBeenCalledTimes(1);
  expect(one.journal("main")).toEqual(bytes(1, 2));
});

/**
 * The engine's home: a worker that holds any number of keyspaces, each with its clients. It carries bytes between engine
 * and sessions, keeps their clocks, and reports. It decides nothing about commands.
 */

import { Engine, Session, class_names, initSync, play_transcript, transcript_steps, type Printed, edit_line } from "../pkg/resplay.js";
import { joined } from "./bytes";
import { Player } from "./player";
import type { Block, FileUse, Job, LaneState, Report, Request, Requests, Table, Value } from "./protocol";
import { Clockwork } from "./clock";
import { answer } from "./inspector";
import type { Attached } from "./attached";
import type { Remote } from "./remote";
import { RestMissing, expectRest } from "./rest";

/** What a page gets at first of one printed thing; the rest waits here until it is asked for. */
const SHOWN_LINES = 200;
const SHOWN_LENGTH = 8 * 1024;
/** Printed things whose rest is held. */
const HELD_MAX = 64;
/** How long output is carried before other messages get their turn. */
const TURN_MS = 50;
/** How long reports may wait for others while commands run. */
const QUIET_MS = 16;
/** Small blocks travel and are drawn together up to this length. */
const JOINED_LENGTH = 4096;
const TIMER_MAX_MS = 60_000;
/** Deadlines served one by one while time is skipped. */
const STOPS_MAX = 5_000;

interface Space {
  name: string;
  engine: Engine;
  /** How much of its journal the page has. */
  journaled: number;
  /** What it has grown by since the last report. */
  unsaved: Uint8Array[];
  /** Changes to the data up to what is unsaved, and up to the last report. */
  changes: number;
  reported: number;
  /** The report is to take the place of all that was kept. */
  afresh: boolean;
  lanes: Map<number, LaneHome>;
  /** Its clients speak to a server elsewhere; the engine lies idle. */
  remote: Remote | null;
  attached: Attached | null;
  attaching: Promise<Attached> | null;
  timer: Timer | null;
  clock: Clockwork;
  /** The moment of the last request. */
  asked: number;
  /** A script runs, in turns with all else. */
  running: boolean;
  /** Output is still to be carried: a turn ended before all was. */
  unsettled: boolean;
}

interface LaneHome {
  id: number;
  space: Space;
  /** The engine's client; 0 when not connected. */
  client: number;
  /** The connection to a server elsewhere. */
  link: { send(bytes: Uint8Array): void; close(): void } | null;
  /** How often it was sent elsewhere. */
  calls: number;
  session: Session;
  /** What the page last heard of prompt and state. */
  told: string;
  /** Its setup runs: nothing is shown. */
  unseen: boolean;
  wake: Timer | null;
  /** The block of this lane at the end of what is yet to be told: more may be joined to it. */
  tail: Joinable | null;
  /** What comes next answers a line just shown: a reply that may be viewed otherwise. */
  echoed: boolean;
  exited: boolean;
}

interface Joinable {
  text: string;
  spans: number[];
}

type Timer = ReturnType<typeof setTimeout>;

type Action =
  | { t: "send"; bytes: Uint8Array }
  | { t: "print"; printed: Printed }
  | { t: "echo"; prompt: string; line: string }
  | { t: "remember"; line: string }
  | { t: "wake"; after: number }
  | { t: "status"; text: string | undefined }
  | { t: "file"; name: string | undefined; use: FileUse }
  | { t: "rdb"; name: string }
  | { t: "connect"; host: string; port: number }
  | { t: "disconnect" | "clear" | "exit" };

const spaces = new Map<string, Space>();
const lanes = new Map<number, LaneHome>();
const held = new Map<number, Printed>();
let nextHeld = 1;
let out: Report[] = [];
/** Lanes whose prompt may have changed in this turn. */
const touched = new Set<LaneHome>();
let flushedAt = 0;
let lessonClass = -1;

const port = self as unknown as {
  onmessage: ((event: MessageEvent<Request[]>) => void) | null;
  postMessage(message: unknown): void;
};

/** The engine whose address came with this worker's own: it is here before anybody asks for it. */
const ahead = location.hash ? engineAt(location.hash.slice(1)) : null;
// Whoever needs it hears of it.
ahead?.catch(() => {});

/** What came in while the engine is fetched. */
let early: Request[][] | null = null;

port.onmessage = ({ data }) => {
  const [first] = data;
  if (early) early.push(data);
  else if (first?.t === "start" && typeof first.engine === "string") void fetchEngine(first, data);
  else take(data);
};

function take(batch: Request[]): void {
  guard(() => {
    for (const request of batch) handle(request);
    say({ t: "done", count: batch.length });
  });
}

async function fetchEngine(request: Extract<Request, { t: "start" }>, batch: Request[]): Promise<void> {
  early = [batch];
  try {
    request.engine = await (ahead ?? engineAt(request.engine as string));
  } catch (reason) {
    return crashed(reason);
  }
  const batches = early;
  early = null;
  batches.forEach(take);
}

async function engineAt(url: string): Promise<WebAssembly.Module | ArrayBuffer> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${response.url} answers ${response.status}`);
  // What is compiled as it comes in is also kept compiled, for the next visit.
  const typed = response.headers.get("content-type")?.startsWith("application/wasm");
  return typed ? WebAssembly.compileStreaming(response) : response.arrayBuffer();
}

function start(engine: WebAssembly.Module | ArrayBuffer, rest: string): void {
  const module = engine instanceof WebAssembly.Module ? engine : new WebAssembly.Module(engine);
  expectRest(rest, initSync({ module }) as unknown as WebAssembly.Exports);
  lessonClass = class_names().indexOf("lesson");
  say({ t: "ready", classes: class_names(), module });
}

function handle(request: Request): void {
  switch (request.t) {
    case "start":
      start(request.engine as WebAssembly.Module | ArrayBuffer, request.rest);
      break;
    case "space":
      openSpace(request);
      break;
    case "attached":
      releaseOthers(request.space);
      break;
    case "drop":
      dropSpace(request.space);
      break;
    case "open":
      openLane(request);
      break;
    case "close":
      withLane(request.lane, closeLane);
      break;
    case "submit":
      withLane(request.lane, (lane) => submit(lane, request.lines));
      break;
    case "interrupt":
      withLane(request.lane, (lane) => {
        act(lane, lane.session.interrupt(now(lane.space)));
        settle(lane.space);
        touched.add(lane);
      });
      break;
    case "hint":
      say({ t: "hint", seq: request.seq, hint: lanes.get(request.lane)?.session.hint(request.line) ?? null });
      break;
    case "complete": {
      const lane = lanes.get(request.lane);
      const completion = lane?.session.complete(request.line, request.cursor, lane.space.attached?.known ?? lane.space.engine);
      say({ t: "complete", seq: request.seq, completion: completion ?? { lines: [], cursors: [], labels: [], notes: [] } });
      break;
    }
    case "unfold":
      say({ t: "unfold", seq: request.seq, block: unfold(request.id, request.from, request.to) });
      break;
    case "view":
      say({ t: "view", seq: request.seq, shown: viewed(request.id, request.view) });
      break;
    case "copy":
      say({ t: "copy", seq: request.seq, text: held.get(request.id)?.copy() ?? null });
      break;
    case "value": {
      const printed = held.get(request.id);
      const { place } = request;
      const value = printed && ("at" in place ? printed.value_at(place.view, place.at) : printed.value_in(place.row, place.column));
      say({ t: "value", seq: request.seq, value: (value as Value | null) ?? null });
      break;
    }
    case "supply":
      withLane(request.lane, (lane) => {
        act(lane, lane.session.supply(request.bytes, now(lane.space)));
        settle(lane.space);
        touched.add(lane);
      });
      break;
    case "job":
      doJob(request.job, request.seq);
      break;
    case "sync":
      say({ t: "synced", seq: request.seq });
      break;
    case "probe": {
      const space = spaces.get(request.space);
      say({ t: "probe", seq: request.seq, answers: space ? probe(space, request.lines) : [] });
      break;
    }
    case "inspect": {
      const space = spaces.get(request.space);
      const db = lanes.get(request.lane)?.session.db() ?? 0;
      const { ask, seq } = request;
      if (space?.attaching && ask.q !== "edit" && ask.q !== "transcript") {
        later(
          space.attaching.then((attached) => attached.answer(ask, db)),
          (value) => say({ t: "inspect", seq, value: value ?? null }),
          () => say({ t: "inspect", seq, value: null }),
        );
        break;
      }
      const value =
        ask.q === "edit" ? edit_line(ask.name, ask.words) : ask.q === "transcript" ? transcript_steps(ask.text) : space && ask.q !== "more" ? answer(space, db, ask) : null;
      say({ t: "inspect", seq: request.seq, value: value ?? null });
      break;
    }
    case "clock":
      withSpace(request.space, (space) => {
        space.clock.set(request.paused, request.rate);
        tellClock(space);
        settle(space);
      });
      break;
    case "pass":
      withSpace(request.space, (space) => pass(space, request.ms));
      break;
    case "stop":
      withSpace(request.space, (space) => {
        // One that has written cannot be ended alone: what it did goes with it.
        if (space.engine.is_running() && !space.engine.stop_script(now(space))) branch(space, space.engine.calm());
        settle(space);
      });
      break;
    case "branch":
      withSpace(request.space, (space) => branch(space, request.moment));
      break;
    case "crash":
      [...spaces.values()][0]?.engine.crash_for_test();
      break;
  }
}

/** Says what becomes of something that takes its time. */
function later<T>(what: Promise<T>, done: (value: T) => void, failed: (reason: unknown) => void): void {
  what.then(
    (value) => guard(() => done(value)),
    (reason) => guard(() => failed(reason)),
  );
}

function withSpace(name: string, run: (space: Space) => void): void {
  const space = spaces.get(name);
  if (space) run(space);
}

function withLane(id: number, run: (lane: LaneHome) => void): void {
  const lane = lanes.get(id);
  if (lane) run(lane);
}

// ---- Keyspaces

function openSpace({ space: name, journal, seed, clock, remote }: Extract<Request, { t: "space" }>): void {
  const replayed = journal && replay(name, journal);
  const engine = replayed || new Engine(seed, Date.now());
  const space: Space = {
    name,
    engine,
    journaled: replayed ? replayed.journal_length() : 0,
    unsaved: [],
    changes: 0,
    reported: 0,
    // A journal that does not play must not be there at the next visit.
    afresh: !replayed,
    lanes: new Map(),
    remote,
    attached: null,
    attaching: null,
    timer: null,
    clock: new Clockwork(engine.now(), clock),
    asked: 0,
    running: false,
    unsettled: false,
  };
  engine.watch();
  spaces.set(name, space);
  if (remote) attach(space, remote);
  if (replayed) space.engine.tick(now(space));
  record(space);
  tellClock(space);
}

/** Goes on from a moment as if nothing had followed it; its clients connect afresh. */
function branch(space: Space, moment: number): void {
  const engine = space.engine.branch(moment);
  if (!engine) return;
  space.engine.free();
  space.engine = engine;
  space.journaled = engine.journal_length();
  space.unsaved = [engine.journal_from(0)];
  space.afresh = true;
  space.reported = -1;
  engine.watch();
  space.asked = moment;
  space.clock.show(engine.now());
  for (const client of engine.clients()) engine.disconnect(client, now(space));
  const homes = [...space.lanes.values()];
  space.lanes.clear();
  for (const lane of homes) {
    lane.client = 0;
    lane.session.free();
    lane.session = new Session();
    act(lane, lane.session.start(now(space)));
    touched.add(lane);
  }
  tellClock(space);
  settle(space);
}

function replay(name: string, journal: Uint8Array): Engine | null {
  try {
    return Engine.replay(journal);
  } catch (reason) {
    if (reason instanceof WebAssembly.RuntimeError) throw reason;
    say({ t: "lost", space: name, message: reason instanceof Error ? reason.message : String(reason) });
    return null;
  }
}

/** Ends the connections of an earlier page that no lane has taken up. */
function releaseOthers(name: string): void {
  const space = spaces.get(name);
  if (!space) return;
  for (const client of space.engine.clients()) {
    if (!space.lanes.has(client)) space.engine.disconnect(client, now(space));
  }
  settle(space);
}

function dropSpace(name: string): void {
  const space = spaces.get(name);
  if (!space) return;
  reportJournal(space);
  void space.attaching?.then((attached) => attached.close());
  if (space.timer !== null) clearTimeout(space.timer);
  for (const lane of lanes.values()) if (lane.space === space) forget(lane);
  space.engine.free();
  spaces.delete(name);
}

const FEED_ERRORS_MAX = 20;

function doJob(job: Job, seq: number): void {
  if (job.do === "copy") {
    const attaching = spaces.get(job.space)?.attaching ?? Promise.reject(new Error("no server is attached"));
    later(
      attaching.then((attached) => attached.copy()),
      (done) => say({ t: "job", seq, done, failed: null }),
      (reason) => say({ t: "job", seq, done: null, failed: reason instanceof Error ? reason.message : String(reason) }),
    );
    return;
  }
  try {
    say({ t: "job", seq, done: result(job), failed: null });
  } catch (reason) {
    if (reason instanceof WebAssembly.RuntimeError) throw reason;
    say({ t: "job", seq, done: null, failed: reason instanceof Error ? reason.message : String(reason) });
  }
}

function result(job: Exclude<Job, { do: "copy" }>): unknown {
  switch (job.do) {
    case "snapshot":
      return spaces.get(job.space)?.engine.snapshot() ?? null;
    case "compact": {
      const engine = Engine.replay(job.journal);
      try {
        // Whoever was connected then is not any more, and one that waits would be in the way.
        for (const client of engine.clients()) engine.disconnect(client, Date.now());
        return engine.checkpoint() ? engine.journal_from(0) : null;
      } finally {
        engine.free();
      }
    }
    case "examine": {
      const engine = new Engine(1, Date.now());
      try {
        engine.load(job.rdb, Date.now());
        const player = new Player(engine, Date.now());
        const count = player.raw("INFO keyspace");
        player.free();
        return [...count.matchAll(/keys=(\d+)/g)].reduce((sum, [, keys]) => sum + Number(keys), 0);
      } finally {
        engine.free();
      }
    }
    case "feed":
      return feed(job.space, job.requests);
    case "transcript":
      return play_transcript(job.text);
  }
}

function feed(name: string, all: Requests[]): string[] {
  const space = spaces.get(name);
  if (!space) return [];
  const client = space.engine.connect(now(space));
  const errors: string[] = [];
  for (const { bytes, spans } of all) {
    for (let i = 0; i < spans.length; i += 2) {
      space.engine.receive(client, bytes.subarray(spans[i], spans[i + 1]), now(space));
      const reply = space.engine.take_output(client);
      if (reply[0] === 0x2d && errors.length < FEED_ERRORS_MAX) errors.push(new TextDecoder().decode(reply.subarray(1, reply.indexOf(13))));
    }
  }
  space.engine.disconnect(client, now(space));
  settle(space);
  return errors;
}

/** Asks a copy of the keyspace, so that neither its journal nor its clients notice. */
function probe(space: Space, lines: string[]): string[] {
  const engine = Engine.replay(space.engine.journal_from(0));
  const player = new Player(engine, now(space));
  try {
    return lines.map((line) => player.raw(line));
  } finally {
    player.free();
    engine.free();
  }
}

/** Takes what the journal has grown by out of the instance, where a trap cannot reach it. */
function record(space: Space): void {
  const length = space.engine.journal_length();
  if (length === space.journaled) return;
  space.unsaved.push(space.engine.journal_from(space.journaled));
  space.journaled = length;
  space.changes = space.engine.dirty();
}

function reportJournal(space: Space): void {
  if (space.unsaved.length === 0) return;
  const idle = space.changes === space.reported;
  out.push({ t: "journal", space: space.name, bytes: joined(space.unsaved), whole: space.afresh, idle });
  space.unsaved = [];
  space.reported = space.changes;
  space.afresh = false;
}

// ---- Clients

function openLane({ space: name, lane: id, resume, setup }: Extract<Request, { t: "open" }>): void {
  const space = spaces.get(name);
  if (!space) return;
  const session = newSession(space);
  const lane: LaneHome = { id, space, client: 0, link: null, calls: 0, session, told: "", unseen: setup.length > 0, wake: null, tail: null, echoed: false, exited: false };
  lanes.set(id, lane);
  if (resume && space.engine.clients().includes(resume.client)) {
    session.resume(resume.standing);
    lane.client = resume.client;
    space.lanes.set(lane.client, lane);
  } else {
    act(lane, session.start(now(space)));
  }
  if (setup.length > 0) {
    act(lane, session.submit(setup.join("\n"), now(space)));
    settle(space);
    lane.unseen = false;
  }
  settle(space);
  touched.add(lane);
}

function newSession({ remote }: Space): Session {
  return remote ? Session.at(remote.host, remote.port) : new Session();
}

function closeLane(lane: LaneHome): void {
  const { space } = lane;
  hangUp(lane);
  forget(lane);
  settle(space);
}

function forget(lane: LaneHome): void {
  touched.delete(lane);
  if (lane.wake !== null) clearTimeout(lane.wake);
  lane.link?.close();
  lane.space.lanes.delete(lane.client);
  lanes.delete(lane.id);
  lane.session.free();
}

function hangUp(lane: LaneHome): void {
  lane.link?.close();
  lane.link = null;
  lane.calls++;
  if (lane.client === 0) return;
  lane.space.lanes.delete(lane.client);
  lane.space.engine.disconnect(lane.client, now(lane.space));
  lane.client = 0;
}

function submit(lane: LaneHome, lines: string[]): void {
  if (lane.exited) {
    // A line after the end begins anew.
    lane.session.free();
    lane.session = newSession(lane.space);
    lane.exited = false;
    act(lane, lane.session.start(now(lane.space)));
  }
  act(lane, lane.session.submit(lines.join("\n"), now(lane.space)));
  settle(lane.space);
  touched.add(lane);
}

/** Does what a session asks for, in order. */
function act(lane: LaneHome, actions: Action[]): void {
  for (const action of actions) {
    if (action.t !== "print" && action.t !== "send") lane.tail = null;
    switch (action.t) {
      case "print":
        if (lane.unseen) action.printed.free();
        else print(lane, blockOf(action.printed, lane.echoed));
        lane.echoed = false;
        break;
      case "send":
        // Should this never come back, the page has what went before, and its journal tells no more than was shown.
        record(lane.space);
        if (Date.now() - flushedAt > QUIET_MS) flush();
        lane.link?.send(action.bytes);
        if (lane.client === 0) break;
        lane.space.engine.receive(lane.client, action.bytes, now(lane.space));
        lane.space.asked = lane.space.engine.moment();
        if (lane.echoed && !lane.unseen) say({ t: "moment", lane: lane.id, moment: lane.space.asked });
        break;
      case "echo":
        lane.echoed = true;
        if (!lane.unseen) say({ t: "echo", lane: lane.id, prompt: action.prompt, line: action.line });
        break;
      case "remember":
        if (!lane.unseen) say({ t: "remember", lane: lane.id, line: action.line });
        break;
      case "clear":
        say({ t: "clear", lane: lane.id });
        break;
      case "status":
        say({ t: "status", lane: lane.id, text: action.text ?? null });
        break;
      case "rdb":
        say({ t: "rdb", lane: lane.id, name: action.name });
        break;
      case "file":
        say({ t: "file", lane: lane.id, name: action.name ?? null, use: action.use });
        break;
      case "connect":
        hangUp(lane);
        if (lane.space.remote) {
          dial(lane, action.host, action.port);
          break;
        }
        lane.client = lane.space.engine.connect(now(lane.space));
        lane.space.lanes.set(lane.client, lane);
        act(lane, lane.session.connected(now(lane.space)));
        break;
      case "disconnect":
        hangUp(lane);
        break;
      case "exit":
        hangUp(lane);
        lane.exited = true;
        break;
      case "wake":
        wakeLater(lane, action.after);
        break;
    }
  }
}

/** Connects a lane to a server elsewhere. */
function dial(lane: LaneHome, host: string, port: number): void {
  const turn = (run: () => Action[]) => {
    guard(() => {
      if (lanes.get(lane.id) !== lane) return;
      act(lane, run());
      settle(lane.space);
      touched.add(lane);
    });
  };
  const asks = { id: lane.id, standing: () => ({ resp: lane.session.resp(), db: Math.max(0, lane.session.db()) }) };
  const calls = ++lane.calls;
  void lane.space.attaching?.then((attached) => {
    // The lane may have been closed, or sent elsewhere, in between.
    if (lanes.get(lane.id) !== lane || lane.calls !== calls) return;
    lane.link = attached.dial(asks, host, port, {
      connected: () => turn(() => lane.session.connected(now(lane.space))),
      received: (bytes) => turn(() => lane.session.receive(bytes, now(lane.space))),
      sent: (moment) => {
        if (lane.echoed && !lane.unseen) say({ t: "moment", lane: lane.id, moment });
      },
      ended: (reason, before) =>
        turn(() => {
          lane.link = null;
          return before ? lane.session.connect_failed(reason, now(lane.space)) : lane.session.disconnected(now(lane.space));
        }),
    });
  });
}

/** Fetches what shows a server elsewhere. */
function attach(space: Space, remote: Remote): void {
  const changed = () => guard(() => say({ t: "journal", space: space.name, bytes: new Uint8Array(), whole: false }));
  space.attaching = import("./attached").then(({ Attached }) => (space.attached = new Attached(remote, changed)));
  space.attaching.catch((reason) => crashed(reason));
}

/** Tells a block, joined to the one before where that is possible. */
function print(lane: LaneHome, block: Block): void {
  const { tail } = lane;
  const joinable = !block.fold && !block.reply && block.text.endsWith("\n") && !explains(block);
  if (joinable && tail && tail.text.length + block.text.length <= JOINED_LENGTH) {
    const offset = tail.text.length;
    tail.text += block.text;
    for (let i = 0; i < block.spans.length; i += 2) tail.spans.push(block.spans[i]! + offset, block.spans[i + 1]!);
    return;
  }
  const told = joinable ? { text: block.text, spans: Array.from(block.spans) } : block;
  lane.tail = joinable ? (told as Joinable) : null;
  say({ t: "print", lane: lane.id, blocks: [told] });
}

/** An explanation stands alone: the page leaves it out of copies. */
function explains({ spans }: Block): boolean {
  for (let i = 1; i < spans.length; i += 2) if (spans[i] === lessonClass) return true;
  return false;
}

function wakeLater(lane: LaneHome, after: number): void {
  if (lane.wake !== null) clearTimeout(lane.wake);
  lane.wake = setTimeout(() => {
    guard(() => {
      lane.wake = null;
      act(lane, lane.session.tick(now(lane.space)));
      settle(lane.space);
      touched.add(lane);
    });
  }, after);
}

/** Carries output to its sessions until there is none or the turn is over, then reports and sets the clock. */
function settle(space: Space): void {
  const { engine } = space;
  const until = Date.now() + TURN_MS;
  let client: number | undefined;
  do {
    client = engine.next_with_output();
    if (client === undefined) break;
    const bytes = engine.take_output(client);
    const lane = space.lanes.get(client);
    if (!lane || bytes.length === 0) continue;
    act(lane, lane.session.receive(bytes, now(lane.space)));
    touched.add(lane);
  } while (Date.now() < until);
  for (let closed = engine.next_to_close(); closed !== undefined; closed = engine.next_to_close()) {
    closedByEngine(space, closed);
  }
  if (client !== undefined && !space.unsettled) {
    space.unsettled = true;
    setTimeout(() => {
      guard(() => {
        space.unsettled = false;
        settle(space);
      });
    });
  }
  const running = space.engine.is_running();
  if (running !== space.running) {
    space.running = running;
    say({ t: "running", space: space.name, running });
  }
  record(space);
  schedule(space);
}

function closedByEngine(space: Space, client: number): void {
  const lane = space.lanes.get(client);
  const last = space.engine.take_output(client);
  space.engine.disconnect(client, now(space));
  if (!lane) return;
  space.lanes.delete(client);
  lane.client = 0;
  if (last.length > 0) act(lane, lane.session.receive(last, now(lane.space)));
  act(lane, lane.session.disconnected(now(lane.space)));
  touched.add(lane);
}

function tellState(lane: LaneHome): void {
  if (lane.unseen) return;
  const prompt = lane.exited ? "" : lane.session.prompt();
  const state = lane.exited ? "closed" : (lane.session.state() as LaneState);
  const standing = lane.session.standing();
  const listens = lane.session.listens();
  const told = `${state} ${prompt} ${lane.client} ${standing ?? ""} ${lane.session.resp()} ${listens}`;
  if (told === lane.told) return;
  lane.told = told;
  const awaits = lane.exited ? "" : (lane.session.awaits() ?? "");
  say({ t: "state", lane: lane.id, prompt, state, awaits, listens, resume: standing ? { client: lane.client, standing } : null, resp: lane.session.resp() });
}

// ---- Time

function now(space: Space): number {
  return space.clock.now();
}

function tellClock(space: Space): void {
  say({ t: "clock", space: space.name, clock: space.clock.told() });
}

/** Lets time pass at once, stopping at every deadline on the way. */
function pass(space: Space, ms: number): void {
  const until = now(space) + ms;
  for (let stops = 0; stops < STOPS_MAX; stops++) {
    const deadline = space.engine.next_deadline();
    if (deadline === undefined || deadline >= until) break;
    space.clock.show(Math.max(deadline + 1, now(space)));
    space.engine.tick(now(space));
    settle(space);
  }
  space.clock.show(Math.max(until, now(space)));
  space.engine.tick(now(space));
  tellClock(space);
  settle(space);
}

function schedule(space: Space): void {
  if (space.timer !== null) clearTimeout(space.timer);
  space.timer = null;
  const deadline = space.engine.next_deadline();
  if (deadline === undefined) return;
  const wait = space.clock.until(deadline);
  if (wait === null) return;
  space.timer = setTimeout(() => {
    guard(() => {
      space.engine.tick(now(space));
      settle(space);
    });
  }, Math.min(Math.max(wait, 1), TIMER_MAX_MS));
}

// ---- Printed things

function blockOf(printed: Printed, viewable = false): Block {
  const block: Block = printed.slice(0, SHOWN_LINES, SHOWN_LENGTH);
  const views = viewable ? printed.views() : [];
  if (!block.fold && views.length === 0) {
    printed.free();
    return block;
  }
  const id = nextHeld++;
  if (block.fold) block.fold.id = id;
  if (views.length > 0) block.reply = { id, views };
  held.set(id, printed);
  if (held.size > HELD_MAX) {
    const [oldest, rest] = held.entries().next().value!;
    rest.free();
    held.delete(oldest);
  }
  return block;
}

function viewed(id: number, view: string): Block | Table | null {
  const printed = held.get(id);
  if (!printed) return null;
  if (view === "table") return printed.table() as Table | null;
  const other = printed.view(view);
  return other ? blockOf(other) : null;
}

function unfold(id: number, from: number, to: number): Block | null {
  const printed = held.get(id);
  if (!printed) return null;
  const block: Block = printed.slice(from, Number.MAX_SAFE_INTEGER, to - from);
  if (block.fold) block.fold.id = id;
  return block;
}

// ---- Reports

function say(report: Report): void {
  out.push(report);
}

function flush(): void {
  flushedAt = Date.now();
  for (const space of spaces.values()) reportJournal(space);
  if (out.length === 0) return;
  port.postMessage(out);
  out = [];
  for (const lane of lanes.values()) lane.tail = null;
}

/** Ends a turn: tells where the prompts stand now, and sends what is to be told. */
function finish(): void {
  for (const lane of touched) tellState(lane);
  touched.clear();
  flush();
}

function guard(run: () => void): void {
  try {
    run();
    finish();
  } catch (reason) {
    crashed(reason);
  }
}

/** What was reported up to now is sound; the instance is not. The page starts another worker. */
function crashed(reason: unknown): void {
  const trap = reason instanceof WebAssembly.RuntimeError && !(reason instanceof RestMissing);
  const message = trap ? "out of memory, or a fault of its own" : reason instanceof Error ? reason.message : String(reason);
  say({ t: "crashed", message });
  flush();
  self.close();
}

/**
 * The page's side of the engine: one worker, killed and started afresh when it must be. The journals of all keyspaces
 * are kept here, out of the worker's reach, so that neither a trap nor a kill can take a session along.
 */

import { joined } from "./bytes";
import type { Block, Completion, Hint, Job, LaneState, Place, Report, Request, Resume, Table, Ask, Clock, Value } from "./protocol";
import { timeOn } from "./clock";
import type { Remote } from "./remote";
import type { JournalStore } from "./storage";

/** Where a lane's output goes. */
export interface LaneView {
  echo(prompt: string, line: string): void;
  /** The line just echoed may be kept for later visits. */
  remember(line: string): void;
  print(blocks: Block[]): void;
  /** `awaits` stands in an empty prompt while something comes in by itself. */
  state(prompt: string, state: LaneState, awaits: string): void;
  clear(): void;
  /** A line below all that is printed, until it is taken away. */
  status(text: string | null): void;
  /** The line just echoed was sent; the session then had so many inputs. */
  moment?(moment: number): void;
  notice(text: string, kind: NoticeKind): void;
}

export type NoticeKind = "info" | "error";
export type HostState = "idle" | "loading" | "ready" | "busy" | "failed";

/** A reply slower than this makes the page say so and offer to stop. */
const BUSY_AFTER_MS = 400;
/** A worker that dies this often in a row without living for `STABLE_MS` is not started again by itself. */
const CRASHES_MAX = 3;
const STABLE_MS = 3000;
/** A worker that said something so recently still listens. */
const LISTENS_MS = 2000;
/** A worker that computes for so long is not waited for. */
const SYNC_MS = 2000;

/** Reports that answer nobody, so they need not wait for what is written. */
const SAYS_NOTHING = /^(ready|done|journal|state|clock|running)$/;

interface Space {
  journal: Uint8Array[];
  bytes: number;
  store: JournalStore | null;
  seed: number;
  clock: Clock | null;
  /** Another server is behind it. */
  remote: Remote | null;
  /** Another one whenever the journal is not what it was and more. */
  version: number;
}

export class Lane {
  resume: Resume | null = null;
  state: LaneState = "waiting";
  prompt = "";
  /** The protocol it speaks, 2 or 3. */
  resp = 2;
  /** Lines that make another client hear the same. */
  declare listens?: string;
  /** Its setup ran, so the journal has it. */
  prepared = false;

  constructor(
    private readonly host: Host,
    readonly id: number,
    readonly space: string,
    readonly view: LaneView,
    readonly setup: string[],
  ) {}

  submit(...lines: string[]): void {
    this.host.send({ t: "submit", lane: this.id, lines });
  }

  interrupt(): void {
    this.host.send({ t: "interrupt", lane: this.id });
  }

  hint(line: string): Promise<Hint | null> {
    return this.host.ask((seq) => ({ t: "hint", lane: this.id, line, seq }));
  }

  complete(line: string, cursor: number): Promise<Completion> {
    return this.host.ask((seq) => ({ t: "complete", lane: this.id, line, cursor, seq }));
  }

  unfold(id: number, from: number, to: number): Promise<Block | null> {
    return this.host.ask((seq) => ({ t: "unfold", id, from, to, seq }));
  }

  viewAs(id: number, view: string): Promise<Block | Table | null> {
    return this.host.ask((seq) => ({ t: "view", id, view, seq }));
  }

  copy(id: number): Promise<string | null> {
    return this.host.ask((seq) => ({ t: "copy", id, seq }));
  }

  value(id: number, place: Place): Promise<Value | null> {
    return this.host.ask((seq) => ({ t: "value", id, place, seq }));
  }

  close(): void {
    this.host.closeLane(this);
  }
}

export class Host extends EventTarget {
  state: HostState = "idle";
  /** Why the engine does not run, in the state "failed". */
  failure = "";
  /** The names of the classes that spans speak of, by number. */
  classes: readonly string[] = [];
  private worker: Worker | null = null;
  /** The engine, once it is compiled. */
  module: WebAssembly.Module | null = null;
  readonly spaces = new Map<string, Space>();
  private readonly lanes = new Map<number, Lane>();
  private readonly answers = new Map<number, (value: never) => void>();
  /** Panels that wait; they hear of an engine that ended. */
  private readonly inspections = new Map<number, (value: unknown) => void>();
  private outbox: Request[] = [];
  private readonly unheard: { worker: Worker; reports: Report[] }[] = [];
  private handed = false;
  private everReady = false;
  /** Keyspaces in which a script runs. */
  private readonly running = new Set<string>();
  private sent = 0;
  private done = 0;
  private sequence = 0;
  private nextLane = 1;
  private busyTimer: ReturnType<typeof setTimeout> | null = null;
  private crashes = 0;
  private bornAt = 0;
  /** Somebody wants what runs ended, and the worker did not listen. */
  private stopping = false;
  /** When the worker last said anything. */
  private heardAt = 0;

  constructor(
    /** Starts the worker of the engine, or another one. */
    readonly spawn: (url?: string) => Worker,
    private readonly fetchEngine: () => Promise<WebAssembly.Module | ArrayBuffer | string>,
    readonly rest = "",
  ) {
    super();
  }

  /** Declares a keyspace; `kept` is what an earlier page left of it. */
  addSpace(name: string, store: JournalStore | null = null, kept: Uint8Array[] = [], seed = randomSeed(), remote: Remote | null = null): void {
    if (this.spaces.has(name)) return;
    const space: Space = { ...begun(kept), store, seed, clock: null, remote };
    this.spaces.set(name, space);
    if (this.worker) this.send(spaceRequest(name, space));
  }

  /** Throws a keyspace away and begins an empty one; its lanes connect again. */
  resetSpace(name: string): void {
    const space = this.spaces.get(name);
    if (!space) return;
    Object.assign(space, begun([]));
    space.seed = randomSeed();
    space.clock = null;
    space.store?.replace(null);
    this.send({ t: "drop", space: name }, spaceRequest(name, space));
    for (const lane of this.lanes.values()) {
      if (lane.space !== name) continue;
      lane.resume = null;
      lane.prepared = false;
      this.send(openRequest(lane));
    }
  }

  /** Ends the connections that an earlier page left in a keyspace, once its lanes are open. */
  releaseOthers(name: string): void {
    this.send({ t: "attached", space: name });
  }

  /** Takes a keyspace away that no lane shows any more. */
  removeSpace(name: string): void {
    if (this.spaces.delete(name)) this.send({ t: "drop", space: name });
  }

  /** Goes on with a keyspace without keeping it. */
  detach(name: string): void {
    const space = this.spaces.get(name);
    if (space) space.store = null;
  }

  /** Keeps a keyspace from now on, with all it has. */
  keepIn(name: string, store: JournalStore): void {
    const space = this.spaces.get(name);
    if (!space) return;
    space.store = store;
    store.replace(this.journal(name));
  }

  /** What a keyspace's journal holds up to now. */
  journal(name: string): Uint8Array {
    const space = this.spaces.get(name);
    if (!space) return new Uint8Array();
    space.journal = [joined(space.journal)];
    return space.journal[0]!;
  }

  /** Settles when all that was asked for is done, told and written. */
  async sync(): Promise<void> {
    if (!this.worker) return;
    const late = new Promise<void>((resolve) => setTimeout(resolve, SYNC_MS));
    await Promise.race([this.ask<void>((seq) => ({ t: "sync", seq })), late]);
    await this.written();
  }

  /** What lines would be answered by a copy of the keyspace: nobody notices the question. */
  probe(space: string, lines: string[]): Promise<string[]> {
    return this.ask((seq) => ({ t: "probe", space, lines, seq }));
  }

  /** Work on a whole keyspace; the error is the engine's. */
  async job<T>(job: Job): Promise<T> {
    const { done, failed } = await this.ask<{ done: T; failed: string | null }>((seq) => ({ t: "job", job, seq }));
    if (failed !== null) throw new Error(failed);
    return done;
  }

  /** What a panel wants to know of the present, or nothing where the engine does not run; `lane` says whose database is meant. */
  inspect<T>(space: string, lane: number, ask: Ask): Promise<T | null> {
    if (!this.worker) return Promise.resolve(null);
    return new Promise((resolve) => {
      const seq = ++this.sequence;
      this.inspections.set(seq, resolve as (value: unknown) => void);
      this.send({ t: "inspect", space, lane, ask, seq });
    });
  }

  clockOf(space: string): Clock | null {
    return this.spaces.get(space)?.clock ?? null;
  }

  /** The time in a keyspace now. */
  timeIn(space: string): number {
    const clock = this.clockOf(space);
    return clock ? timeOn(clock) : Date.now();
  }

  setClock(space: string, paused: boolean, rate: number): void {
    this.send({ t: "clock", space, paused, rate });
  }

  /** Lets time pass at once. */
  pass(space: string, ms: number): void {
    this.send({ t: "pass", space, ms });
  }

  /** Goes on from a moment, as if nothing had followed it. */
  branch(space: string, moment: number): void {
    this.send({ t: "branch", space, moment });
  }

  /** Puts a session that was left at some time in the place of this one; its lanes connect again. */
  restore(name: string, journal: Uint8Array, time: number): void {
    const space = this.spaces.get(name);
    if (!space) return;
    Object.assign(space, begun([journal]));
    space.clock = { real: Date.now(), shown: time, rate: 1, paused: false };
    space.store?.replace(journal);
    this.send({ t: "drop", space: name }, spaceRequest(name, space));
    for (const lane of this.lanes.values()) {
      if (lane.space !== name) continue;
      lane.resume = null;
      this.send(openRequest(lane));
    }
    this.send({ t: "attached", space: name });
  }

  openLane(space: string, view: LaneView, setup: string[] = []): Lane {
    const lane = new Lane(this, this.nextLane++, space, view, setup);
    this.lanes.set(lane.id, lane);
    if (this.worker) this.send(openRequest(lane));
    else if (this.state !== "failed") this.start();
    return lane;
  }

  /** Fetches and starts the engine before anyone needs it. */
  warm(): void {
    if (!this.worker && this.state === "idle") this.start();
  }

  closeLane(lane: Lane): void {
    if (!this.lanes.delete(lane.id)) return;
    this.send({ t: "close", lane: lane.id });
  }

  /** Kills the worker whatever it does, and brings the session back up to the last finished input. */
  stop(): void {
    if (!this.worker) return;
    if (this.running.size > 0 && Date.now() - this.heardAt < LISTENS_MS) {
      // The worker listens while scripts run.
      for (const space of this.running) this.send({ t: "stop", space });
      return;
    }
    const ran = this.state === "busy";
    this.stopping = true;
    this.kill();
    this.tellAll(
      ran
        ? "Stopped. The session is back as it was before the command that ran."
        : "Nothing ran. The engine was restarted and the session played back.",
      "info",
    );
    this.start();
  }

  retry(): void {
    this.crashes = 0;
    this.kill();
    this.start();
  }

  /** The worker has not done all that it was asked. */
  get owes(): boolean {
    return this.done < this.sent;
  }

  crashForTest(): void {
    this.send({ t: "crash" });
  }

  send(...requests: Request[]): void {
    if (!this.worker) return;
    if (this.outbox.length === 0) queueMicrotask(() => this.flush());
    this.outbox.push(...requests);
  }

  ask<T>(request: (seq: number) => Request): Promise<T> {
    if (!this.worker) return new Promise(() => {});
    const seq = ++this.sequence;
    this.send(request(seq));
    return new Promise((resolve) => this.answers.set(seq, resolve as (value: never) => void));
  }

  private flush(transfer: Transferable[] = []): void {
    if (!this.handed) return;
    const batch = this.outbox;
    this.outbox = [];
    if (!this.worker || batch.length === 0) return;
    this.sent += batch.length;
    this.worker.postMessage(batch, transfer);
    this.watch();
  }

  private start(): void {
    let worker: Worker;
    try {
      worker = this.spawn();
    } catch (reason) {
      this.failed(String(reason));
      return;
    }
    this.worker = worker;
    this.bornAt = Date.now();
    this.setState("loading");
    worker.onmessage = ({ data }: MessageEvent<Report[]>) => {
      this.heardAt = Date.now();
      void this.take(worker, data);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      if (this.worker === worker) this.crashed(event.message || "the worker could not be loaded");
    };
    void this.hand(worker);
    for (const [name, space] of this.spaces) this.send(spaceRequest(name, space));
    for (const lane of this.lanes.values()) this.send(openRequest(lane));
    for (const name of this.spaces.keys()) this.send({ t: "attached", space: name });
  }

  /** Gives the worker its engine; all else waits until then. The first worker compiles it for all to come. */
  private async hand(worker: Worker): Promise<void> {
    try {
      const engine = this.module ?? (await this.fetchEngine());
      if (this.worker !== worker) return;
      this.handed = true;
      this.outbox.unshift({ t: "start", engine, rest: this.rest });
      this.flush(engine instanceof ArrayBuffer ? [engine] : []);
    } catch (reason) {
      if (this.worker === worker) this.failed(reason instanceof Error ? reason.message : String(reason));
    }
  }

  private kill(): void {
    this.handed = false;
    this.worker?.terminate();
    this.worker = null;
    this.outbox = [];
    this.sent = this.done = 0;
    this.running.clear();
    this.answers.clear();
    const waiting = [...this.inspections.values()];
    this.inspections.clear();
    for (const resolve of waiting) resolve(null);
    if (this.busyTimer !== null) clearTimeout(this.busyTimer);
    this.busyTimer = null;
  }

  private crashed(message: string): void {
    const young = Date.now() - this.bornAt < STABLE_MS;
    this.crashes = young ? this.crashes + 1 : 1;
    this.kill();
    if (!this.everReady || this.crashes > CRASHES_MAX) {
      this.failed(message);
      return;
    }
    this.tellAll(
      `The engine crashed (${message}). It was started afresh and the session played back, without the input that crashed it.`,
      "error",
    );
    this.start();
  }

  private failed(message: string): void {
    this.kill();
    this.failure = message;
    this.setState("failed");
  }

  private tellAll(text: string, kind: NoticeKind): void {
    for (const lane of this.lanes.values()) lane.view.notice(text, kind);
  }

  /** Hears what the worker says, but only once what it answered is written down. */
  private async take(worker: Worker, reports: Report[]): Promise<void> {
    if (this.worker !== worker) return;
    for (const report of reports) if (report.t === "journal") this.record(report.space, report.bytes, report.whole);
    this.unheard.push({ worker, reports });
    if (this.unheard.length > 1) return;
    for (let next = this.unheard[0]; next; next = this.unheard[0]) {
      const writing = next.reports.every(({ t }) => SAYS_NOTHING.test(t)) ? null : this.written(next.reports.every(changesNothing));
      if (writing) await writing;
      if (this.worker === next.worker) for (const report of next.reports) this.hear(report);
      this.unheard.shift();
    }
  }

  /** What changed nothing need not wait for a storage that is still to be opened. */
  private written(idle = false): Promise<unknown> | null {
    const writing = [...this.spaces.values()].flatMap(({ store }) => (store && !(idle && store.opening) && store.written()) || []);
    return writing.length > 0 ? Promise.all(writing) : null;
  }

  private hear(report: Report): void {
    switch (report.t) {
      case "ready":
        this.everReady = true;
        this.classes = report.classes;
        this.module = report.module;
        this.setState("ready");
        this.dispatchEvent(new Event("turn"));
        break;
      case "done":
        this.done += report.count;
        if (this.done >= this.sent) this.stopping = false;
        this.watch();
        break;
      case "journal":
        // Recorded when it came in; see `take`. Something happened: what panels show may be old.
        this.dispatchEvent(new Event("turn"));
        break;
      case "lost":
        for (const lane of this.lanes.values()) {
          if (lane.space === report.space) {
            lane.view.notice(`The kept session could not be brought back (${report.message}); this one starts empty.`, "error");
          }
        }
        break;
      case "crashed":
        this.crashed(report.message);
        break;
      case "hint":
        this.answer(report.seq, report.hint);
        break;
      case "complete":
        this.answer(report.seq, report.completion);
        break;
      case "view":
        this.answer(report.seq, report.shown);
        break;
      case "copy":
        this.answer(report.seq, report.text);
        break;
      case "value":
        this.answer(report.seq, report.value);
        break;
      case "unfold":
        this.answer(report.seq, report.block);
        break;
      case "job":
        this.answer(report.seq, report);
        break;
      case "synced":
        this.answer(report.seq, undefined);
        break;
      case "probe":
        this.answer(report.seq, report.answers);
        break;
      case "inspect":
        this.inspections.get(report.seq)?.(report.value);
        this.inspections.delete(report.seq);
        break;
      case "running":
        if (report.running) this.running.add(report.space);
        else this.running.delete(report.space);
        // What was stopped runs again when the session is played back.
        if (report.running && this.stopping) this.send({ t: "stop", space: report.space });
        this.watch();
        break;
      case "clock": {
        const space = this.spaces.get(report.space);
        if (space) space.clock = report.clock;
        this.dispatchEvent(new Event("clock"));
        break;
      }
      default:
        this.hearLane(report);
    }
  }

  private hearLane(report: Extract<Report, { lane: number }>): void {
    const lane = this.lanes.get(report.lane);
    if (!lane) return;
    if (report.t === "echo" || report.t === "print") this.dispatchEvent(new CustomEvent("heard", { detail: { lane, report } }));
    switch (report.t) {
      case "echo":
        lane.view.echo(report.prompt, report.line);
        break;
      case "remember":
        lane.view.remember(report.line);
        break;
      case "print":
        lane.view.print(report.blocks);
        break;
      case "clear":
        lane.view.clear();
        break;
      case "moment":
        lane.view.moment?.(report.moment);
        break;
      case "status":
        lane.view.status(report.text);
        break;
      case "file":
        void import("./file-wanted").then(({ want }) => want(report.name, report.use)).then((bytes) => this.send({ t: "supply", lane: lane.id, bytes }));
        break;
      case "rdb":
        void import("./rdb-wanted").then(({ give }) => give(this, lane, report.name));
        break;
      case "state":
        lane.state = report.state;
        lane.prompt = report.prompt;
        lane.resume = report.resume;
        lane.resp = report.resp;
        lane.listens = report.listens;
        lane.prepared = true;
        lane.view.state(report.prompt, report.state, report.awaits);
        break;
    }
  }

  private answer(seq: number, value: unknown): void {
    this.answers.get(seq)?.(value as never);
    this.answers.delete(seq);
  }

  private record(name: string, bytes: Uint8Array, whole: boolean): void {
    const space = this.spaces.get(name);
    if (!space) return;
    if (whole) {
      Object.assign(space, begun([bytes]));
      space.store?.replace(bytes);
    } else {
      space.journal.push(bytes);
      space.bytes += bytes.length;
      space.store?.append(bytes);
      // Many small chunks cost more than they weigh.
      if (space.journal.length > 4096) space.journal = [joined(space.journal)];
    }
  }

  /** Says "busy" when the worker has owed an answer for too long. */
  private watch(): void {
    if (this.done >= this.sent && this.running.size === 0) {
      if (this.busyTimer !== null) clearTimeout(this.busyTimer);
      this.busyTimer = null;
      if (this.state === "busy") this.setState("ready");
    } else if (this.busyTimer === null) {
      this.busyTimer = setTimeout(() => {
        if (this.state === "ready") this.setState("busy");
      }, BUSY_AFTER_MS);
    }
  }

  private setState(state: HostState): void {
    if (this.state === state) return;
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }
}

function changesNothing(report: Report): boolean {
  return report.t !== "journal" || report.idle === true;
}

let versions = 0;

/** A journal that is not the one before and more. */
function begun(journal: Uint8Array[]) {
  return { journal, bytes: journal.reduce((sum, { length }) => sum + length, 0), version: ++versions };
}

function spaceRequest(name: string, space: Space): Request {
  return { t: "space", space: name, journal: space.bytes > 0 ? joined(space.journal) : null, seed: space.seed, clock: space.clock, remote: space.remote };
}

function openRequest(lane: Lane): Request {
  return { t: "open", space: lane.space, lane: lane.id, resume: lane.resume, setup: lane.prepared ? [] : lane.setup };
}

function randomSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]!;
}

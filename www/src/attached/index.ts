/**
 * A server elsewhere as the panels see it: what the terminals send and are sent passes here, keys are looked at over a second
 * connection before and after each command, and notifications are listened to on a third. Fetched by the worker when a page
 * attaches.
 */

import { Engine } from "../../pkg/resplay.js";
import type { Ask } from "../protocol";
import { bytesOf, idOf } from "../bytes";
import type { Row, Tree, Value } from "../panels/look";
import { Link, type LinkEvents, type Remote } from "../remote";
import { encoded, requests, type Reply } from "../resp";
import { copyAll } from "./copy";
import { Frames, type Frame } from "./frames";
import { Drawer, Limits, exists, look, textOf, type Held } from "./looks";
import { Names } from "./names";
import { Reader, type Credentials } from "./reader";
import { Records, changedKeys, hear, keysOf, mayWrite, stepOf, type Deed } from "./records";

/** Values up to this many bytes are compared before and after a command. */
const COMPARED_BYTES_MAX = 64 * 1024;
/** How long a command waits at most for the look at its keys. */
const HELD_BACK_MS = 1000;
/** How often it is asked whether others changed the server. */
const POLL_MS = 2000;
const RESCAN_MS = 2000;
const RESCAN_MANY_MS = 15_000;
const RETRY_MS = 2000;
/** Facts of keys in sight are asked again after so long. */
const FRESH_MS = 1000;
const OUTPUT_KEPT_MAX = 64 * 1024;
/** A command without an answer for so long is one that waits. */
const WAITS_MS = 200;
const PUSH = 0x3e;
const NOTIFY = "notify-keyspace-events";

interface Lane {
  /** Its number among the terminals, from 1. */
  id: number;
  link: Link;
  frames: Frames;
  /** Requests without a reply, the oldest first. */
  waiting: Deed[];
  last: Deed | null;
  /** What a transaction has queued. */
  queued: Deed[] | null;
  /** Requests wait for the look at the keys of one before them. */
  sending: Promise<void> | null;
  /** The protocol and database it speaks in; asked of its session. */
  standing: () => { resp: number; db: number };
  closed: boolean;
}

interface LaneAsks {
  id: number;
  standing: () => { resp: number; db: number };
}

export class Attached {
  private readonly engine = new Engine(1, Date.now());
  private readonly records = new Records(this.engine);
  private readonly drawer = new Drawer();
  private readonly pastDrawer = new Drawer();
  private readonly lanes = new Map<number, Lane>();
  /** Terminals keep their number when they connect again. */
  private readonly numbers = new Map<number, number>();
  private limits = new Limits();
  private credentials: Credentials | null;
  private address: { host: string; port: number };
  private reader: Reader | null = null;
  private listener: Reader | null = null;
  private unreachable: string | null = null;
  private triedAt = 0;
  private names: Names | null = null;
  private scanning: Promise<void> | null = null;
  private scannedAt = 0;
  private stale = true;
  private readonly rows = new Map<string, { held: Held; at: number }>();
  private changes: [number, Uint8Array][] = [];
  /** The deeds that what happens now may belong to. */
  private readonly under = new Set<Deed>();
  /** As the server has it; null where that may not be asked. */
  private notify: string | null = null;
  private notifyAsked = false;
  private watched = false;
  private readonly timer: ReturnType<typeof setInterval>;
  private treeAskedAt = 0;
  private toldAt = 0;
  private selected: { db: number; key: Uint8Array; seen: string } | null = null;
  private closed = false;

  /** `changed` is called when what panels show may be old. */
  constructor(
    private readonly remote: Remote,
    private readonly changed: () => void,
  ) {
    this.credentials = remote.credentials ?? null;
    this.address = { host: remote.host, port: remote.port };
    this.timer = setInterval(() => void this.poll(), POLL_MS);
  }

  close(): void {
    this.closed = true;
    clearInterval(this.timer);
    for (const lane of this.lanes.values()) lane.link.close();
    this.forget();
    this.drawer.free();
    this.pastDrawer.free();
    this.engine.free();
  }

  /** For completion: an engine with the names of keys. */
  get known(): Engine | null {
    return this.names?.tree ?? null;
  }

  // ---- What passes between terminals and the server

  /** Connects a terminal. */
  dial(asks: LaneAsks, host: string, port: number, events: LinkEvents & { sent(moment: number): void }): { send(bytes: Uint8Array): void; close(): void } {
    const frames = new Frames(OUTPUT_KEPT_MAX);
    let greeting = this.remote.credentials ? new Frames() : null;
    const link = new Link(this.remote, host, port, {
      connected: (at, number) => {
        const other = at !== this.address.host || number !== this.address.port;
        if (other || this.unreachable !== null || this.reader?.ended) {
          this.address = { host: at, port: number };
          this.forget();
          this.tell();
        }
        if (greeting) link.send(encoded(["AUTH", ...this.remote.credentials!]));
        else events.connected(at, number);
      },
      received: (bytes) => {
        if (greeting) {
          // It answers the credentials, which the terminal knows nothing of.
          if (greeting.feed(bytes).length === 0) return;
          greeting = null;
          events.connected(this.address.host, this.address.port);
          return;
        }
        const found = frames.feed(bytes);
        events.received(bytes);
        for (const frame of found) this.heard(lane, frame);
      },
      ended: (reason, before) => {
        this.ended(lane);
        if (before) this.lost(reason);
        else this.tell();
        events.ended(reason, before);
      },
    });
    const number = this.numbers.get(asks.id) ?? this.numbers.size + 1;
    this.numbers.set(asks.id, number);
    const lane: Lane = { id: number, link, frames, waiting: [], last: null, queued: null, sending: null, standing: asks.standing, closed: false };
    this.lanes.set(number, lane);
    return {
      send: (bytes) => this.send(lane, bytes, events.sent),
      close: () => {
        this.ended(lane);
        link.close();
      },
    };
  }

  private send(lane: Lane, bytes: Uint8Array, sent: (moment: number) => void): void {
    let at = 0;
    for (const { words, end } of requests(bytes)) {
      const request = bytes.subarray(at, end);
      const deed = this.records.add(lane.id, lane.standing().db, request);
      at = end;
      sent(deed.moment);
      const name = deed.facts.name;
      if (name === "EXEC") deed.queued = lane.queued ?? [];
      this.noteCredentials(deed, words);
      const keys = lane.queued && name !== "EXEC" ? [] : keysOf(deed);
      const looks = this.watched && mayWrite(deed) && keys.length > 0;
      const go = () => {
        if (lane.closed) return;
        lane.waiting.push(deed);
        lane.last = deed;
        this.under.add(deed);
        lane.link.send(request);
        // One that waits is shown as it waits.
        setTimeout(() => deed.state === "sent" && this.tell(), WAITS_MS);
      };
      if (!looks && !lane.sending) {
        go();
        continue;
      }
      const before = (lane.sending ?? Promise.resolve()).then(async () => {
        if (looks) await Promise.race([this.lookBefore(deed, keys), new Promise((resolve) => setTimeout(resolve, HELD_BACK_MS))]);
        go();
        if (lane.sending === before) lane.sending = null;
      });
      lane.sending = before;
    }
    // What is no request of the usual shape passes as it is.
    if (at < bytes.length) lane.link.send(bytes.subarray(at));
  }

  private async lookBefore(deed: Deed, keys: Uint8Array[]): Promise<void> {
    try {
      const before = await look(this.reading(), deed.db, keys, COMPARED_BYTES_MAX, this.limits);
      // Too late is not before.
      if (deed.state === "sent" && !this.under.has(deed)) deed.before = before;
    } catch {
      /* the command goes without it */
    }
  }

  private heard(lane: Lane, frame: Frame): void {
    const { resp } = lane.standing();
    const [first] = lane.waiting;
    const isPush = frame.bytes[0] === PUSH;
    const answers = first && !(isPush && !/SUBSCRIBE/.test(first.facts.name));
    for (const deed of this.under) if (deed.lane !== lane.id && !deed.joined) hear(deed, lane.id, resp, frame);
    if (!answers) {
      if (lane.last) hear(lane.last, lane.id, resp, frame);
      return;
    }
    lane.waiting.shift();
    hear(first, lane.id, resp, frame);
    first.now = Date.now();
    first.state = "answered";
    this.followTransaction(lane, first, frame);
    if (first.facts.name === "AUTH" || first.facts.name === "HELLO") this.authenticated(first);
    void this.settle(first);
  }

  private followTransaction(lane: Lane, deed: Deed, frame: Frame): void {
    const { name } = deed.facts;
    if (name === "MULTI" && !deed.failed) lane.queued = [];
    else if (name === "EXEC" || name === "DISCARD" || name === "RESET") lane.queued = null;
    else if (lane.queued && new TextDecoder().decode(frame.bytes.subarray(0, 7)) === "+QUEUED") {
      deed.joined = true;
      lane.queued.push(deed);
    }
  }

  /** Looks at what a command left behind. */
  private async settle(deed: Deed): Promise<void> {
    const keys = deed.joined ? [] : keysOf(deed);
    if (/^CONFIG/.test(deed.facts.name)) this.notifyAsked = false;
    try {
      if (this.watched) {
        if (!this.notifyAsked) await this.askNotify();
        if (keys.length > 0) {
          const after = await look(this.reading(), deed.db, keys, COMPARED_BYTES_MAX, this.limits);
          deed.after = after;
          if (!mayWrite(deed)) deed.before = after;
          this.took(deed, after);
        }
        if (mayWrite(deed) && !deed.joined && keys.length === 0) this.stale = true;
        // Notifications of it came before the answer to this.
        await this.listener?.ask([["PING"]]);
      }
    } catch {
      /* the look is missing */
    }
    this.under.delete(deed);
    if (deed.state === "answered") deed.state = "seen";
    this.records.weigh(deed);
    this.tell();
  }

  private took(deed: Deed, after: Held[]): void {
    const changed = changedKeys(deed);
    if (changed.length > 0) this.changes = changed.map((key) => [deed.db, key]);
    if (this.names?.db !== deed.db) return;
    for (const held of after) {
      this.names.set(held.key, exists(held));
      this.rows.delete(idOf(held.key));
    }
    if (mayWrite(deed)) void this.poll(true);
  }

  private ended(lane: Lane): void {
    if (lane.closed) return;
    lane.closed = true;
    if (this.lanes.get(lane.id) === lane) this.lanes.delete(lane.id);
    for (const deed of lane.waiting) this.under.delete(deed);
  }

  // ---- Who asks

  private noteCredentials(deed: Deed, words: Uint8Array[]): void {
    const { name } = deed.facts;
    if (name === "AUTH") this.offered.set(deed, words.slice(1));
    const at = name === "HELLO" ? words.findIndex((word) => idOf(word).toUpperCase() === "AUTH") : -1;
    if (at > 0) this.offered.set(deed, words.slice(at + 1, at + 3));
  }

  /** In memory only, until the answer comes. */
  private readonly offered = new WeakMap<Deed, Uint8Array[]>();

  private authenticated(deed: Deed): void {
    const offered = this.offered.get(deed);
    this.offered.delete(deed);
    if (!offered || deed.failed) return;
    this.credentials = offered.map((word) => word.slice());
    this.forget();
  }

  private reading(): Reader {
    if (this.closed) throw new Error("closed");
    if (this.reader?.ended) {
      this.reader = null;
      this.stale = true;
      this.rows.clear();
    }
    if (this.listener?.ended) {
      this.listener = null;
      this.notifyAsked = false;
    }
    this.reader ??= new Reader(this.remote, this.address, this.credentials);
    return this.reader;
  }

  /** Everything is asked afresh: it is another server, another user, or the connection was lost. */
  private forget(): void {
    this.reader?.close();
    this.listener?.close();
    this.reader = this.listener = null;
    this.unreachable = null;
    this.triedAt = 0;
    this.notifyAsked = false;
    this.limits = new Limits();
    this.names?.free();
    this.names = null;
    this.scanning = null;
    this.stale = true;
    this.rows.clear();
    this.changes = [];
  }

  private lost(reason: string): void {
    this.lose(reason);
    this.tell();
  }

  private lose(reason: string): void {
    this.forget();
    this.unreachable = reason;
    this.triedAt = Date.now();
  }

  private tell(): void {
    this.toldAt = Date.now();
    if (!this.closed) this.changed();
  }

  /** Whether others changed the server; `now` right after a command of one's own. */
  private async poll(now = false): Promise<void> {
    if (this.closed || (this.treeAskedAt <= this.toldAt && !now)) return;
    if (this.unreachable !== null) {
      if (Date.now() - this.triedAt >= RETRY_MS) {
        this.forget();
        this.tell();
      }
      return;
    }
    const { names } = this;
    if (!names?.scanned || this.scanning) return;
    // Somebody reads along, and these questions are not what they want to read.
    if (!now && [...this.lanes.values()].some(({ last }) => last?.facts.name === "MONITOR")) return;
    try {
      const { expected } = names;
      await names.count(this.reading(), this.limits);
      if (this.names !== names) return;
      const pause = names.complete ? RESCAN_MS : RESCAN_MANY_MS;
      if (names.total !== expected && (now || Date.now() - this.scannedAt > pause)) {
        // With all names at hand a number tells; otherwise it tells only of more.
        this.stale ||= names.complete || !now;
        this.tell();
        return;
      }
      const { selected } = this;
      if (!selected || now) return;
      const [held] = await look(this.reading(), selected.db, [selected.key], -1, this.limits);
      const seen = seenOf(held);
      if (this.selected === selected && selected.seen !== seen) {
        selected.seen = seen;
        this.rows.delete(idOf(selected.key));
        this.tell();
      }
    } catch (reason) {
      this.lost(reasonOf(reason));
    }
  }

  // ---- Notifications

  private async askNotify(): Promise<void> {
    this.notifyAsked = true;
    const [reply] = await this.reading().ask([["CONFIG", "GET", NOTIFY]]);
    this.notify = Array.isArray(reply) ? textOf(reply[1]) : null;
    const wants = this.notify !== "" && this.notify !== null;
    // One who may not ask may still listen.
    if (wants === (this.listener !== null)) return;
    this.listener?.close();
    this.listener = null;
    if (!wants) return;
    const listener = new Reader(this.remote, this.address, this.credentials, (message) => this.noticed(message));
    this.listener = listener;
    await listener.ask([["PING"]]);
    listener.send(["PSUBSCRIBE", "__key*__:*"]);
    // What is denied is answered in the place of this.
    const [answered] = await listener.ask([["PING"]]);
    this.limits.heard("PSUBSCRIBE", answered);
    if (!(answered instanceof Error)) return;
    listener.close();
    this.listener = null;
    this.notify = null;
  }

  private noticed(message: Reply): void {
    const [kind, , channel, content] = Array.isArray(message) ? message : [];
    if (textOf(kind) !== "pmessage" || !(channel instanceof Uint8Array) || !(content instanceof Uint8Array)) return;
    const [, space, db, rest] = /^__key(space|event)@(\d+)__:([^]*)$/.exec(idOf(channel)) ?? [];
    if (space === undefined) return;
    // Where both kinds are sent, one is enough.
    if (space === "space" && (this.notify ?? "").includes("E")) return;
    const [event, key] = space === "event" ? [rest!, content.slice()] : [idOf(content), bytesOf(rest!)];
    const id = idOf(key);
    const open = [...this.under].filter((deed) => deed.db === Number(db) || deed.queued.length > 0);
    const named = open.filter((deed) => keysOf(deed).some((one) => idOf(one) === id));
    const of = named.at(-1) ?? open.filter(mayWrite).at(-1);
    if (of) of.events.push({ event, key });
    if (this.names?.db !== Number(db)) return;
    this.rows.delete(id);
    if (named.length > 0) return;
    if (/^(del|expired|evicted|rename_from|move_from)$/.test(event)) this.names.set(key, false);
    else if (event !== "new" && event !== "keymiss") this.names.set(key, true);
    if (Date.now() - this.toldAt > 200) this.tell();
  }

  private noticeWords(): { told: string | null; offer: string | null } {
    if (this.notify === null) return { told: "unknown: this user may not ask whether notifications are on", offer: null };
    if (this.notify === "") return { told: "unknown: this server sends no keyspace notifications", offer: `CONFIG SET ${NOTIFY} KEA` };
    return { told: null, offer: null };
  }

  // ---- What panels ask

  async answer(ask: Ask, db: number): Promise<unknown> {
    this.watched = true;
    switch (ask.q) {
      case "tree":
        if (ask.moment !== null) return this.pastTree(ask, ask.db ?? db, ask.moment);
        return this.tree(ask, ask.db ?? db);
      case "value":
        if (ask.moment !== null) {
          const held = this.records.heldAt(ask.moment, ask.db).get(idOf(ask.key));
          return held ? this.recorded(held, ask.db, ask.from, ask.count) : null;
        }
        return this.value(ask.db, ask.key, ask.from, ask.count);
      case "step": {
        const deed = this.records.at(ask.moment);
        return deed ? stepOf(deed, this.drawer, this.noticeWords()) : null;
      }
      case "timeline":
        return this.records.timeline(ask.from, ask.count);
      case "more":
        if (this.names) await this.names.more(this.reading(), this.limits);
        this.tell();
        return null;
      default:
        return null;
    }
  }

  private async value(db: number, key: Uint8Array, from: number, count: number): Promise<Value | null> {
    try {
      const value = await this.drawer.value(this.reading(), db, key, from, count, this.limits);
      this.selected = { db, key, seen: value ? seenOf(value) : "" };
      return value;
    } catch {
      return null;
    }
  }

  private recorded(held: Held, db: number, from: number, count: number): Value {
    return held.payload
      ? this.pastDrawer.ofPayload(db, held, from, count)
      : { db, key: held.key, type: held.type!, encoding: held.encoding, size: held.size ?? 0, bytes: held.bytes ?? 0, expires: held.expires, now: Date.now(), from, note: "What it held was too long to be kept." };
  }

  private async tree(ask: Extract<Ask, { q: "tree" }>, db: number): Promise<unknown> {
    this.treeAskedAt = Date.now() + 1;
    const plain = { db, total: 0, found: 0, rows: 0, from: 0, shown: [], now: Date.now(), changed: [], moment: 0 };
    const silent = () => ({ ...plain, notes: [`The server does not answer: ${this.unreachable}. The panels try again by themselves.`] });
    if (this.unreachable !== null) return silent();
    try {
      const names = await this.namesOf(db);
      const filter = textOf(ask.filter) ?? "";
      if (filter === "") names.search = null;
      else if (!names.complete && names.search?.filter !== filter) void names.find(this.reading(), filter, this.limits, () => this.tell()).catch(() => {});
      return await this.drawn(names, ask, filter);
    } catch (reason) {
      if (this.closed) return plain;
      if (this.unreachable === null) this.lose(reasonOf(reason));
      return silent();
    }
  }

  private async namesOf(db: number): Promise<Names> {
    if (this.names?.db !== db) {
      this.names?.free();
      this.names = new Names(db);
      this.rows.clear();
      this.stale = true;
      this.scanning = null;
    }
    const { names } = this;
    if (this.stale) {
      this.stale = false;
      this.scanning ??= names.scan(this.reading(), this.limits).finally(() => {
        this.scanning = null;
        this.scannedAt = Date.now();
        this.rows.clear();
      });
    }
    await this.scanning;
    return names;
  }

  private async drawn(names: Names, ask: Extract<Ask, { q: "tree" }>, filter: string): Promise<unknown> {
    let tree = names.tree.tree(names.slot, ask.open, ask.filter, ask.from, ask.count) as Tree;
    for (let tries = 0; tries < 3 && (await this.fill(names, tree.shown)); tries++) {
      tree = names.tree.tree(names.slot, ask.open, ask.filter, ask.from, ask.count) as Tree;
    }
    const notes = this.limits.told();
    const size = names.known.size.toLocaleString("en");
    const more = !names.complete && !this.limits.denied.has("SCAN");
    if (more) {
      const { search } = names;
      if (filter !== "" && search) {
        notes.push(search.done ? "All keys were searched, as far as SCAN came." : "Searching all keys…");
      } else {
        notes.push(`${size} of ${(names.total ?? 0).toLocaleString("en")} keys were looked at. Find searches all of them.`);
      }
    }
    const shown = tree.shown.map((row) => this.described(row));
    const changed = this.changes;
    this.changes = [];
    return { ...tree, db: names.db, total: Math.max(names.total ?? 0, names.known.size), shown, now: Date.now(), changed, moment: 0, notes, more: more && filter === "" };
  }

  /** Asks how the keys in sight are held; true when one of them is gone. */
  private async fill(names: Names, shown: Row[]): Promise<boolean> {
    const now = Date.now();
    const wanted = shown.flatMap(({ key }) => (key && now - (this.rows.get(idOf(key))?.at ?? 0) > FRESH_MS ? [key] : []));
    if (wanted.length === 0) return false;
    const held = await look(this.reading(), names.db, wanted, -1, this.limits);
    let gone = false;
    for (const one of held) {
      if (exists(one)) this.rows.set(idOf(one.key), { held: one, at: now });
      else {
        names.set(one.key, false);
        gone = true;
      }
    }
    return gone;
  }

  private described(row: Row): Row {
    const held = row.key && this.rows.get(idOf(row.key))?.held;
    if (!held) return row;
    const { type, encoding, bytes, expires } = held;
    return { ...row, type: type === "unknown" ? "?" : type!, encoding, bytes, expires };
  }

  /** The keys that commands touched until then; of others nothing is known. */
  private pastTree(ask: Extract<Ask, { q: "tree" }>, db: number, moment: number): unknown {
    const held = this.records.heldAt(moment, db);
    const names = new Names(db);
    try {
      for (const one of held.values()) names.set(one.key, true);
      const tree = names.tree.tree(names.slot, ask.open, ask.filter, ask.from, ask.count) as Tree;
      const shown = tree.shown.map((row) => {
        const one = row.key && held.get(idOf(row.key));
        return one ? { ...row, type: one.type!, encoding: one.encoding, bytes: one.bytes, expires: one.expires } : row;
      });
      const at = this.records.at(moment)?.now ?? Date.now();
      return { ...tree, db, shown, now: at, changed: [], moment, notes: ["Only keys that commands of these terminals touched: of others nothing was recorded."] };
    } finally {
      names.free();
    }
  }

  /** All keys of a small server, as an RDB file for a sandbox. */
  async copy(): Promise<unknown> {
    return copyAll(this.reading(), this.limits);
  }
}

function seenOf(held: { type: string | null; encoding: string; bytes: number | null; expires: number | null } | undefined): string {
  // Timers that were read twice differ a little.
  return held ? [held.type, held.encoding, held.bytes, held.expires === null ? "" : Math.round(held.expires / 1000)].join(" ") : "";
}

function reasonOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}

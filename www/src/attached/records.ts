/** The commands that the terminals sent to a server elsewhere, each with what was seen of it from outside. */

import { Engine, wire_parts } from "../../pkg/resplay.js";
import { idOf } from "../bytes";
import type { Command, Difference, Look, Moment, Step, Wire } from "../panels/look";
import type { Frame } from "./frames";
import { exists, type Drawer, type Held } from "./looks";

const RECORDS_MAX = 500;
const PAYLOADS_MAX = 48 * 1024 * 1024;
const REQUEST_KEPT_MAX = 64 * 1024;
const OUTPUT_FRAMES_MAX = 200;
const COMPARED = 60;
const DIFFERENCES_MAX = 20;
const ERROR = 0x2d;

/** What declarations say of a request. */
interface Facts {
  text: string;
  name: string;
  complexity?: string;
  summary?: string;
  readonly?: boolean;
  specs?: string[];
  keys?: { key: Uint8Array; word: number; flags: string[] }[];
  wordCount?: number;
}

export interface Event {
  event: string;
  key: Uint8Array;
}

export interface Output {
  lane: number;
  resp: number;
  bytes: Uint8Array[];
  length: number;
  elements: number;
}

export interface Deed {
  moment: number;
  at: number;
  now: number;
  lane: number;
  db: number;
  bytes: Uint8Array;
  length: number;
  facts: Facts;
  /** The commands of a transaction that this one runs. */
  queued: Deed[];
  /** It was sent, was answered, or all was looked at. */
  state: "sent" | "answered" | "seen";
  failed: boolean;
  /** It only joined a transaction. */
  joined: boolean;
  outputs: Output[];
  before: Held[] | null;
  after: Held[] | null;
  events: Event[];
}

export class Records {
  readonly all: Deed[] = [];
  /** How many were dropped to stay small. */
  private dropped = 0;
  private payloads = 0;

  constructor(private readonly engine: Engine) {}

  add(lane: number, db: number, request: Uint8Array): Deed {
    const facts = this.engine.facts(request) as Facts;
    const bytes = request.slice(0, REQUEST_KEPT_MAX);
    const deed: Deed = {
      moment: this.dropped + this.all.length + 1,
      at: Date.now(),
      now: Date.now(),
      lane,
      db,
      bytes,
      length: request.length,
      facts,
      queued: [],
      state: "sent",
      failed: false,
      joined: false,
      outputs: [],
      before: null,
      after: null,
      events: [],
    };
    this.all.push(deed);
    while (this.all.length > RECORDS_MAX || this.payloads > PAYLOADS_MAX) {
      const oldest = this.all.shift();
      if (!oldest) break;
      this.dropped++;
      this.payloads -= weight(oldest);
    }
    return deed;
  }

  weigh(deed: Deed): void {
    this.payloads += weight(deed);
  }

  at(moment: number | null): Deed | undefined {
    return moment === null ? this.all.at(-1) : this.all[moment - 1 - this.dropped];
  }

  timeline(from: number, count: number): { rows: number; from: number; moments: number; shown: Moment[]; now: number } {
    const shown = this.all.slice(from, from + Math.min(count, 500)).map(momentOf);
    return { rows: this.all.length, from, moments: this.dropped + this.all.length, shown, now: Date.now() };
  }

  /** What the keys that commands touched were after one of them: the last that is known of each. */
  heldAt(moment: number, db: number): Map<string, Held> {
    const held = new Map<string, Held>();
    for (const deed of this.all) {
      if (deed.moment > moment) {
        // Nobody touched it in between, as far as is known here.
        if (deed.db === db) for (const one of deed.before ?? []) if (!held.has(idOf(one.key))) held.set(idOf(one.key), one);
        continue;
      }
      if (deed.db === db) for (const one of deed.after ?? deed.before ?? []) held.set(idOf(one.key), one);
    }
    return new Map([...held].filter(([, one]) => exists(one)));
  }
}

function weight(deed: Deed): number {
  const of = (held: Held[] | null) => (held ?? []).reduce((sum, { payload }) => sum + (payload?.length ?? 0), 0);
  return deed.length + of(deed.before) + (deed.after === deed.before ? 0 : of(deed.after));
}

/** The keys that a request names, its transaction's included; each once. */
export function keysOf(deed: Deed): Uint8Array[] {
  const keys = new Map<string, Uint8Array>();
  for (const { facts } of [deed, ...deed.queued]) for (const { key } of facts.keys ?? []) keys.set(idOf(key), key);
  return [...keys.values()].slice(0, 64);
}

/** Whether a request may have changed something. */
export function mayWrite(deed: Deed): boolean {
  return deed.queued.length > 0 ? deed.queued.some(mayWrite) : deed.facts.readonly !== true;
}

/** A reply, or what came with it. */
export function hear(deed: Deed, lane: number, resp: number, frame: Frame): void {
  let output = deed.outputs.find((known) => known.lane === lane);
  if (!output) {
    output = { lane, resp, bytes: [], length: 0, elements: frame.elements };
    deed.outputs.push(output);
    if (lane === deed.lane) deed.failed = frame.bytes[0] === ERROR;
  }
  if (output.bytes.length < OUTPUT_FRAMES_MAX) output.bytes.push(frame.bytes);
  output.length += frame.length;
}

function momentOf(deed: Deed): Moment {
  return { moment: deed.moment, at: deed.at, client: deed.lane, request: true, text: deed.facts.text, more: 0 };
}

function wireOf(bytes: Uint8Array, length: number): Wire {
  const wire = wire_parts(bytes) as Wire;
  return { ...wire, length, rest: wire.rest + length - bytes.length };
}

function lookOf(held: Held | undefined): Look | null {
  if (!held || !exists(held)) return null;
  return { type: held.type!, encoding: held.encoding, size: held.size, expires: held.expires, bytes: held.bytes };
}

/** The keys that it changed, as far as one can see. */
export function changedKeys(deed: Deed): Uint8Array[] {
  if (deed.failed || !deed.after || deed.after === deed.before || !mayWrite(deed)) return [];
  const before = new Map((deed.before ?? []).map((held) => [idOf(held.key), held]));
  return deed.after.filter((after) => differs(before.get(idOf(after.key)), after)).map(({ key }) => key);
}

/** Two looks at a timer that runs differ by the time they took. */
const TIMER_SLACK_MS = 60;

function differs(before: Held | undefined, after: Held): boolean {
  if (!before || before.type !== after.type) return true;
  if (!exists(after)) return false;
  if ((before.expires === null) !== (after.expires === null) || Math.abs((before.expires ?? 0) - (after.expires ?? 0)) > TIMER_SLACK_MS) return true;
  if (before.payload && after.payload) return before.payload.length !== after.payload.length || before.payload.some((byte, at) => byte !== after.payload![at]);
  // Nothing to compare: what is known to write is taken to have written.
  return before.size !== after.size || before.bytes !== after.bytes || before.encoding !== after.encoding || before.payload === null;
}

/** All that is known of it, in the shape that the engine tells of its own commands. */
export function stepOf(deed: Deed, drawer: Drawer, notices: { told: string | null; offer: string | null }): Step {
  const held = (all: Held[] | null, key: Uint8Array) => all?.find((one) => idOf(one.key) === idOf(key));
  const command = ({ facts }: Deed, depth: number): Command => ({
    name: facts.name || facts.text.split(" ")[0]!.toUpperCase(),
    client: deed.lane,
    origin: depth > 0 ? "exec" : "client",
    depth,
    words: [],
    wordCount: facts.wordCount ?? 0,
    complexity: facts.name ? (facts.complexity ?? "") : "unknown",
    summary: facts.name ? (facts.summary ?? "") : "This command is not known here.",
    specs: facts.specs ?? [],
    keys: (facts.keys ?? []).map(({ key, word, flags }) => ({
      key,
      word,
      flags,
      unseen: deed.before === null,
      before: lookOf(held(deed.before, key)),
      after: lookOf(held(deed.after ?? deed.before, key)),
    })),
    // Which command of a transaction an event comes from is not told: the transaction has them all.
    notices: depth === 0 ? deed.events.map(({ event, key }) => ({ event, key, sent: true })) : [],
    changes: null,
    lookups: null,
    blocked: deed.state === "sent",
  });
  const changed = changedKeys(deed);
  const value = (one: Held | undefined) => (one && exists(one) && one.payload ? drawer.compared(deed.db, one, COMPARED) : null);
  const differences: Difference[] = [];
  for (const key of deed.before ? changed.slice(0, DIFFERENCES_MAX) : []) {
    const [before, after] = [held(deed.before, key), held(deed.after, key)];
    // Of what is too long to be copied there is nothing to compare.
    if ((before && exists(before) && !before.payload) || (after && exists(after) && !after.payload)) continue;
    differences.push({ db: deed.db, key, before: value(before), after: value(after) });
  }
  const ran = deed.joined ? [] : [command(deed, 0), ...deed.queued.map((one) => command(one, 1))];
  const notes: string[] = [];
  if (deed.joined) notes.push("It was queued: EXEC runs it.");
  if (/^(EVAL|EVALSHA|FCALL|EVAL_RO|EVALSHA_RO|FCALL_RO)$/.test(deed.facts.name)) notes.push("Which commands the script called cannot be seen from outside; what it did to the keys it names can.");
  if (!deed.before && mayWrite(deed) && (deed.facts.keys?.length ?? 0) > 0 && deed.state === "seen") notes.push("How its keys were before was not looked at.");
  return {
    input: momentOf(deed),
    before: deed.at,
    now: deed.now,
    request: wireOf(deed.bytes, deed.length),
    output: deed.outputs.map(({ lane, resp, bytes, length, elements }) => {
      const all = new Uint8Array(bytes.reduce((sum, part) => sum + part.length, 0));
      let at = 0;
      for (const part of bytes) {
        all.set(part, at);
        at += part.length;
      }
      return { client: lane, resp, elements, wire: wireOf(all, length) };
    }),
    propagated: null,
    steps: ran,
    missed: 0,
    changes: changed.length,
    differences,
    attached: {
      notices: deed.events.length > 0 ? null : notices.told,
      offer: notices.offer,
      propagated: "Not to be seen from outside: a server tells it only its replicas and its append-only file.",
      notes,
    },
  };
}

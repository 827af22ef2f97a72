/**
 * How keys of a server elsewhere are held, and what they hold: asked with commands that change nothing, and drawn by an
 * engine of the panels' own that gets a copy of one value at a time.
 */

import { Engine } from "../../pkg/resplay.js";
import type { Value } from "../panels/look";
import { encoded, type Reply } from "../resp";
import type { Reader, Word } from "./reader";

/** Values up to this many bytes are copied whole; of others, a window is read. */
const COPIED_BYTES_MAX = 256 * 1024;
/** Bytes of a string in one window. */
const STRING_WINDOW = 4096;
const STREAM_GROUPS_NOTE = "Its groups are not read here: XINFO GROUPS tells of them.";
/** The engine that draws begins anew when it has taken in so much. */
const DRAWN_BYTES_MAX = 16 * 1024 * 1024;

/** How one key is held. What may not be asked is missing. */
export interface Held {
  key: Uint8Array;
  type: string | null;
  encoding: string;
  bytes: number | null;
  expires: number | null;
  size: number | null;
  /** The value as DUMP gives it, where it was wanted and is short. */
  payload: Uint8Array | null;
}

/** How much of a value there is, a window of it, and the command that makes the window again elsewhere. */
interface Window {
  size: string;
  read: (key: Word, from: number, count: number) => Word[];
  make: (key: Word, read: Reply) => Word[][];
  /** What is shown when a window can only be had from one place. */
  note?: string;
}

const words = (reply: Reply): Word[] => (Array.isArray(reply) ? (reply as Word[]) : []);
const scanned = (reply: Reply, most: number): Word[] => words(Array.isArray(reply) ? reply[1]! : null).slice(0, most);
const SCAN_MAX = 200;

const WINDOWS: Record<string, Window> = {
  string: {
    size: "STRLEN",
    read: (key, from) => ["GETRANGE", key, String(from), String(from + STRING_WINDOW - 1)],
    make: (key, read) => [["SET", key, read as Uint8Array]],
  },
  list: {
    size: "LLEN",
    read: (key, from, count) => ["LRANGE", key, String(from), String(from + count - 1)],
    make: (key, read) => [["RPUSH", key, ...words(read)]],
  },
  hash: {
    size: "HLEN",
    read: (key) => ["HSCAN", key, "0", "COUNT", String(SCAN_MAX / 2)],
    make: (key, read) => [["HSET", key, ...scanned(read, SCAN_MAX)]],
    note: "These are the fields that HSCAN begins with.",
  },
  set: {
    size: "SCARD",
    read: (key) => ["SSCAN", key, "0", "COUNT", String(SCAN_MAX / 2)],
    make: (key, read) => [["SADD", key, ...scanned(read, SCAN_MAX / 2)]],
    note: "These are the members that SSCAN begins with.",
  },
  zset: {
    size: "ZCARD",
    read: (key, from, count) => ["ZRANGE", key, String(from), String(from + count - 1), "WITHSCORES"],
    make: (key, read) => {
      const pairs = words(read);
      const turned: Word[] = [];
      for (let at = 0; at + 1 < pairs.length; at += 2) turned.push(pairs[at + 1]!, pairs[at]!);
      return [["ZADD", key, ...turned]];
    },
  },
  stream: {
    size: "XLEN",
    read: (key, _, count) => ["XREVRANGE", key, "+", "-", "COUNT", String(count)],
    make: (key, read) => (read as [Word, Word[]][]).reverse().map(([id, pairs]) => ["XADD", key, id, ...pairs]),
    note: `These are the latest entries. ${STREAM_GROUPS_NOTE}`,
  },
};

export function textOf(reply: Reply | undefined): string | null {
  return reply instanceof Uint8Array ? new TextDecoder().decode(reply) : null;
}

function numberOf(reply: Reply | undefined): number | null {
  return typeof reply === "number" ? reply : null;
}

/** What a user may not run, as far as it was tried. */
export class Limits {
  readonly denied = new Set<string>();
  someKeys = false;
  needsPassword = false;

  /** Takes note of an answer to a command. */
  heard(command: string, reply: Reply | undefined): void {
    if (!(reply instanceof Error)) return;
    const text = reply.message;
    if (text.startsWith("NOAUTH")) this.needsPassword = true;
    else if (text.startsWith("NOPERM")) {
      if (/key/i.test(text)) this.someKeys = true;
      else this.denied.add(command);
    }
  }

  told(): string[] {
    if (this.needsPassword) return ["The server wants a password. AUTH in a terminal, and the panels use the same one."];
    const notes: string[] = [];
    if (this.denied.size > 0) notes.push(`This user may not run ${[...this.denied].join(", ")}: what only that could tell is left out.`);
    if (this.someKeys) notes.push("Some keys are closed to this user.");
    return notes;
  }
}

/** How keys are held; `payloads` up to so many bytes. */
export async function look(reader: Reader, db: number, keys: Uint8Array[], payloadMax: number, limits: Limits): Promise<Held[]> {
  const asked = ["TYPE", "PTTL", "OBJECT ENCODING", "MEMORY USAGE"];
  const replies = await reader.ask(
    keys.flatMap((key) => asked.map((name) => [...name.split(" "), key])),
    db,
  );
  const now = Date.now();
  const held = keys.map((key, index): Held => {
    const [type, left, encoding, bytes] = replies.slice(index * asked.length);
    asked.forEach((name, at) => limits.heard(name, replies[index * asked.length + at]));
    const ms = numberOf(left);
    return {
      key,
      type: textOf(type),
      encoding: textOf(encoding) ?? "",
      bytes: numberOf(bytes),
      expires: ms !== null && ms >= 0 ? now + ms : null,
      size: null,
      payload: null,
    };
  });
  const there = held.filter(({ type }) => type !== "none");
  const more: { request: Word[]; take: (reply: Reply) => void }[] = [];
  for (const one of there) {
    const window = one.type === null ? undefined : WINDOWS[one.type];
    if (window) more.push({ request: [window.size, one.key], take: (reply) => ((one.size = numberOf(reply)), limits.heard(window.size, reply)) });
    const short = one.bytes === null ? false : one.bytes <= payloadMax;
    if (short) {
      more.push({
        request: ["DUMP", one.key],
        take: (reply) => {
          limits.heard("DUMP", reply);
          if (reply instanceof Uint8Array) one.payload = reply.slice();
        },
      });
    }
  }
  if (payloadMax >= 0 && more.length > 0) {
    const answers = await reader.ask(more.map(({ request }) => request), db);
    more.forEach(({ take }, at) => take(answers[at]!));
  }
  return held.map((one) => (one.type === "none" ? { ...one, type: null, payload: null } : { ...one, type: one.type ?? "unknown" }));
}

/** Whether there is such a key. */
export function exists({ type }: Held): boolean {
  return type !== null;
}

/** Draws values on an engine of its own. */
export class Drawer {
  private engine: Engine | null = null;
  private client = 0;
  private taken = 0;

  free(): void {
    this.engine?.free();
    this.engine = null;
  }

  /** Runs requests on the engine that draws; the first error, or nothing. */
  private make(requests: Word[][]): string | null {
    if (this.taken > DRAWN_BYTES_MAX) this.free();
    if (!this.engine) {
      this.engine = new Engine(1, Date.now());
      this.client = this.engine.connect(Date.now());
      this.taken = 0;
    }
    for (const request of requests) {
      const bytes = encoded(request);
      this.taken += bytes.length;
      this.engine.receive(this.client, bytes, Date.now());
      const reply = this.engine.take_output(this.client);
      if (reply[0] === 0x2d) return new TextDecoder().decode(reply.subarray(1, reply.indexOf(13)));
    }
    return null;
  }

  /** A value of which the payload is here. */
  ofPayload(db: number, held: Held, from: number, count: number): Value {
    const trouble = this.make([["FLUSHALL"], ["RESTORE", held.key, "0", held.payload!, "REPLACE"]]);
    return this.drawn(db, held, from, count, trouble === null ? null : `It cannot be drawn here: ${trouble}.`);
  }

  private drawn(db: number, held: Held, from: number, count: number, note: string | null): Value {
    const value = note === null ? (this.engine!.value(0, held.key, from, count) as Value | null) : null;
    const plain: Value = { db, key: held.key, type: held.type!, encoding: "", size: 0, bytes: 0, expires: null, now: 0, from };
    return {
      ...(value ?? plain),
      db,
      type: held.type!,
      encoding: held.encoding || value?.encoding || "",
      size: held.size ?? value?.size ?? 0,
      bytes: held.bytes ?? value?.bytes ?? 0,
      expires: held.expires,
      now: Date.now(),
      note,
    };
  }

  /** A value with a payload as one that holds the latest entries last. */
  compared(db: number, held: Held, count: number): Value {
    const from = held.type === "stream" ? Math.max(0, (held.size ?? 0) - count) : 0;
    return this.ofPayload(db, held, from, count);
  }

  /** A value, or a window of it where it is large or may not be copied. */
  async value(reader: Reader, db: number, key: Uint8Array, from: number, count: number, limits: Limits): Promise<Value | null> {
    const [held] = await look(reader, db, [key], COPIED_BYTES_MAX, limits);
    if (!held || !exists(held)) return null;
    if (held.payload) return this.ofPayload(db, held, from, count);
    const window = WINDOWS[held.type!];
    if (!window) return this.drawn(db, held, from, count, `A value of the type “${held.type}” cannot be drawn here.`);
    const [read, least, most] = await reader.ask([window.read(key, from, count), ...(held.type === "zset" ? [["ZRANGE", key, "0", "0", "WITHSCORES"], ["ZRANGE", key, "-1", "-1", "WITHSCORES"]] : [])], db);
    if (read instanceof Error || read === null || read === undefined) return this.drawn(db, held, from, count, `It cannot be read: ${read instanceof Error ? read.message : "it is gone"}.`);
    const trouble = this.make([["FLUSHALL"], ...window.make(key, read)]);
    const value = this.drawn(db, held, 0, SCAN_MAX, trouble === null ? null : `It cannot be drawn here: ${trouble}.`);
    const score = (reply: Reply | undefined) => Number(textOf(words(reply ?? null)[1] as Reply));
    if (held.type === "zset") Object.assign(value, { least: score(least), most: score(most) });
    const whole = held.size !== null && value.rows !== undefined && value.rows.length >= held.size;
    return { ...value, from: window.note ? 0 : from, note: value.note ?? (window.note && !whole ? window.note : null), window: Boolean(window.note) && !whole };
  }
}

/**
 * A copy of some keys of a server elsewhere, so that the panels can draw them as they draw any others. It looks with
 * commands that change nothing, and tells what has to be done to its copy for the two to be alike again.
 */

import { joined } from "./bytes";
import { Link, type Remote } from "./remote";
import { encoded, replyAt, type Reply } from "./resp";

const KEYS_MAX = 1000;
const VALUE_BYTES_MAX = 256 * 1024;
const ALL_BYTES_MAX = 8 * 1024 * 1024;
/** How soon after something happened it looks, and how often at most. */
const AFTER_MS = 150;
const EVERY_MS = 1000;
/** Two looks at the same timer differ by the time they took. */
const TIMER_SLACK_MS = 100;

interface Copied {
  key: Uint8Array;
  payload: string;
  /** When it expires, or 0. */
  expires: number;
}

type Word = string | Uint8Array;

export class Mirror {
  private link: Link | null = null;
  private db = 0;
  private readonly copied = new Map<string, Copied>();
  private timer: ReturnType<typeof setTimeout> | null = null;
  private looking = false;
  private again = false;
  private failed = false;
  private lookedAt = 0;
  private buffer = new Uint8Array();
  private waiting: { count: number; replies: Reply[]; resolve: (replies: Reply[]) => void; reject: (reason: unknown) => void } | null = null;

  /** `apply` runs requests on the copy, in the database that was asked for. */
  constructor(
    private readonly remote: Remote,
    private readonly apply: (db: number, requests: Uint8Array[]) => void,
  ) {}

  /** Looks soon, if the copy may be old. */
  look(db = this.db): void {
    if (db !== this.db) {
      this.db = db;
      this.copied.clear();
    }
    if (this.failed) return;
    if (this.looking) {
      this.again = true;
      return;
    }
    const wait = Math.max(AFTER_MS, this.lookedAt + EVERY_MS - Date.now());
    this.timer ??= setTimeout(() => {
      this.timer = null;
      void this.lookNow();
    }, wait);
  }

  close(): void {
    this.failed = true;
    if (this.timer !== null) clearTimeout(this.timer);
    this.link?.close();
    this.waiting?.reject(new Error("closed"));
  }

  private async lookNow(): Promise<void> {
    this.looking = true;
    this.again = false;
    const { db } = this;
    try {
      if (!this.link) await this.connect();
      await this.ask([["SELECT", String(db)]]);
      const found = await this.fetch(await this.keys());
      if (db === this.db) this.bring(found);
    } catch {
      // A password, an ACL, or a server that went away: there is nothing to show then.
      this.link?.close();
      this.link = null;
      this.failed = true;
    }
    this.looking = false;
    this.lookedAt = Date.now();
    if (this.again) this.look();
  }

  private async keys(): Promise<Uint8Array[]> {
    const keys = new Map<string, Uint8Array>();
    let cursor: Word = "0";
    do {
      const [reply] = await this.ask([["SCAN", cursor, "COUNT", "500"]]);
      if (!Array.isArray(reply)) break;
      cursor = reply[0] as Uint8Array;
      for (const key of reply[1] as Uint8Array[]) keys.set(nameOf(key), key);
    } while (nameOf(cursor as Uint8Array) !== "0" && keys.size < KEYS_MAX);
    return [...keys.values()].slice(0, KEYS_MAX);
  }

  private async fetch(keys: Uint8Array[]): Promise<Copied[]> {
    const sizes = await this.ask(keys.flatMap((key) => [["MEMORY", "USAGE", key], ["PTTL", key]]));
    const now = Date.now();
    let room = ALL_BYTES_MAX;
    const wanted = keys.flatMap((key, at) => {
      const [size, left] = [Number(sizes[2 * at] ?? 0), Number(sizes[2 * at + 1] ?? -1)];
      if (!(size <= VALUE_BYTES_MAX) || size > room || left === -2) return [];
      room -= size;
      return [{ key, expires: left > 0 ? now + left : 0 }];
    });
    const payloads = await this.ask(wanted.map(({ key }) => ["DUMP", key]));
    return wanted.flatMap(({ key, expires }, at) => {
      const payload = payloads[at];
      return payload instanceof Uint8Array ? [{ key, expires, payload: nameOf(payload) }] : [];
    });
  }

  private bring(found: Copied[]): void {
    const requests: Uint8Array[] = [];
    const present = new Set<string>();
    for (const key of found) {
      const name = nameOf(key.key);
      present.add(name);
      const before = this.copied.get(name);
      if (before && before.payload === key.payload && Math.abs(before.expires - key.expires) < TIMER_SLACK_MS) continue;
      this.copied.set(name, key);
      requests.push(encoded(["RESTORE", key.key, String(key.expires), bytesOf(key.payload), "REPLACE", "ABSTTL"]));
    }
    for (const [name, { key }] of this.copied) {
      if (present.has(name)) continue;
      this.copied.delete(name);
      requests.push(encoded(["DEL", key]));
    }
    if (requests.length > 0) this.apply(this.db, requests);
  }

  // ---- The conversation

  private connect(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.link = new Link(this.remote, this.remote.host, this.remote.port, {
        connected: () => resolve(),
        received: (bytes) => this.receive(bytes),
        ended: (reason) => {
          this.link = null;
          this.waiting?.reject(new Error(reason));
          reject(new Error(reason));
        },
      });
    });
  }

  private ask(requests: Word[][]): Promise<Reply[]> {
    if (requests.length === 0) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      this.waiting = { count: requests.length, replies: [], resolve, reject };
      this.link?.send(joined(requests.map(encoded)));
    });
  }

  private receive(bytes: Uint8Array): void {
    this.buffer = joined([this.buffer, bytes]) as Uint8Array<ArrayBuffer>;
    const { waiting } = this;
    if (!waiting) return;
    let at = 0;
    try {
      for (let found = replyAt(this.buffer, at); found; found = at < this.buffer.length ? replyAt(this.buffer, at) : null) {
        if (found.reply instanceof Error && waiting.replies.length === 0) throw found.reply;
        waiting.replies.push(found.reply);
        at = found.end;
      }
    } catch (reason) {
      waiting.reject(reason);
      return;
    }
    this.buffer = this.buffer.slice(at);
    if (waiting.replies.length < waiting.count) return;
    this.waiting = null;
    waiting.resolve(waiting.replies);
  }
}

/** Bytes as a text of the same length, to be compared and looked up. */
function nameOf(bytes: Uint8Array): string {
  let name = "";
  for (let at = 0; at < bytes.length; at += 8192) name += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return name;
}

function bytesOf(name: string): Uint8Array {
  return Uint8Array.from(name, (char) => char.charCodeAt(0));
}

/** The names of the keys of a server elsewhere, as far as they were looked at, in an engine that folds them into a tree. */

import { Engine } from "../../pkg/resplay.js";
import { bytesOf, idOf } from "../bytes";
import { encoded, type Reply } from "../resp";
import type { Limits } from "./looks";
import type { Reader, Word } from "./reader";

/** Names looked at before somebody asks for more, and how many more then. */
const PAGE = 20_000;
const SCAN_COUNT = 1000;
/** What a search finds at most, and how many names it walks past. */
const FOUND_MAX = 2000;
const WALKED_MAX = 5_000_000;
const DATABASES = 16;
const JOURNAL_MAX = 64 * 1024 * 1024;

interface Search {
  filter: string;
  found: number;
  done: boolean;
}

export class Names {
  readonly known = new Set<string>();
  /** Keys the server has, where it tells. */
  total: number | null = null;
  complete = false;
  /** Keys counted that SCAN does not tell of, such as those whose time is up. */
  private unlisted = 0;
  scanned = false;
  search: Search | null = null;
  private engine = new Engine(1, Date.now());
  private client = this.engine.connect(Date.now());
  private cursor: Word = "0";
  private wanted = PAGE;

  /** The database of the engine that has them: the same one, where there is such a one. */
  readonly slot: number;

  constructor(readonly db: number) {
    this.slot = db < DATABASES ? db : 0;
    this.run(["SELECT", String(this.slot)]);
  }

  free(): void {
    this.engine.free();
  }

  /** For completion: what holds the names. */
  get tree(): Engine {
    return this.engine;
  }

  /** Walks over the names afresh, up to as many as were wanted. */
  async scan(reader: Reader, limits: Limits): Promise<void> {
    const found = new Set<string>();
    this.cursor = "0";
    await this.count(reader, limits);
    this.complete = await this.walk(reader, limits, found);
    this.scanned = true;
    this.unlisted = this.complete && this.total !== null ? this.total - found.size : 0;
    // Where not all was walked over, names that commands told of stay.
    if (this.complete || this.known.size > this.wanted + FOUND_MAX) this.remove([...this.known].filter((name) => !found.has(name)));
  }

  /** How many keys there should be, if nobody else changed any. */
  get expected(): number | null {
    return this.complete ? this.known.size + this.unlisted : this.total;
  }

  async more(reader: Reader, limits: Limits): Promise<void> {
    this.wanted += PAGE;
    this.complete = await this.walk(reader, limits, new Set(this.known));
  }

  /** Looks for names in all keys, not only in those at hand; tells whenever it found some. */
  async find(reader: Reader, filter: string, limits: Limits, told: () => void): Promise<void> {
    const search: Search = { filter, found: 0, done: false };
    this.search = search;
    const pattern = /[*?[]/.test(filter) ? filter : `*${filter.replace(/\\/g, "\\\\")}*`;
    let cursor: Word = "0";
    for (let walked = 0; walked < WALKED_MAX && search.found < FOUND_MAX; walked += 5 * SCAN_COUNT) {
      const [reply] = await reader.ask([["SCAN", cursor, "MATCH", bytesOf(filter === pattern ? filter : pattern), "COUNT", String(5 * SCAN_COUNT)]], this.db);
      limits.heard("SCAN", reply);
      if (!Array.isArray(reply) || this.search !== search) break;
      const names = (reply[1] as Uint8Array[]).map(idOf);
      this.add(names);
      search.found += names.length;
      if (names.length > 0) told();
      cursor = reply[0] as Uint8Array;
      if (idOf(cursor as Uint8Array) === "0") break;
    }
    search.done = true;
    told();
  }

  async count(reader: Reader, limits: Limits): Promise<void> {
    const [total] = await reader.ask([["DBSIZE"]], this.db);
    limits.heard("DBSIZE", total);
    this.total = typeof total === "number" ? total : null;
  }

  /** One key, as a command left it. */
  set(key: Uint8Array, there: boolean): void {
    if (there) this.add([idOf(key)]);
    else this.remove([idOf(key)]);
  }

  private async walk(reader: Reader, limits: Limits, found: Set<string>): Promise<boolean> {
    do {
      const [reply] = await reader.ask([["SCAN", this.cursor, "COUNT", String(SCAN_COUNT)]], this.db);
      limits.heard("SCAN", reply);
      if (!Array.isArray(reply)) return false;
      this.cursor = (reply[0] as Uint8Array).slice();
      const names = (reply[1] as Uint8Array[]).map(idOf);
      for (const name of names) found.add(name);
      this.add(names);
      if (idOf(this.cursor) === "0") return true;
    } while (found.size < this.wanted);
    return false;
  }

  private add(names: string[]): void {
    const fresh = names.filter((name) => !this.known.has(name));
    for (const name of fresh) this.known.add(name);
    for (let at = 0; at < fresh.length; at += 500) this.run(["MSET", ...fresh.slice(at, at + 500).flatMap((name) => [bytesOf(name), ""])]);
  }

  private remove(names: string[]): void {
    for (const name of names) this.known.delete(name);
    for (let at = 0; at < names.length; at += 500) this.run(["DEL", ...names.slice(at, at + 500).map(bytesOf)]);
  }

  private run(request: Word[]): Reply {
    this.engine.receive(this.client, encoded(request), Date.now());
    this.engine.take_output(this.client);
    // What led here is of no use.
    if (this.engine.journal_length() > JOURNAL_MAX) this.engine.checkpoint();
    return null;
  }
}

/** Takes a copy of a small server: every key of every database, into an engine that writes it down as an RDB file. */

import { Engine } from "../../pkg/resplay.js";
import { encoded } from "../resp";
import { textOf, type Limits } from "./looks";
import type { Reader, Word } from "./reader";

const KEYS_MAX = 100_000;
const BYTES_MAX = 128 * 1024 * 1024;
const BATCH = 200;

export interface Copy {
  rdb: Uint8Array;
  keys: number;
  /** Keys that could not be taken along, and why the first of them. */
  left: number;
  reason: string | null;
}

export async function copyAll(reader: Reader, limits: Limits): Promise<Copy> {
  const [info] = await reader.ask([["INFO", "keyspace"]]);
  limits.heard("INFO", info);
  const dbs = [...(textOf(info) ?? "db0:keys=0").matchAll(/^db(\d+):keys=(\d+)/gm)].map(([, db, keys]) => [Number(db), Number(keys)] as const);
  const total = dbs.reduce((sum, [, keys]) => sum + keys, 0);
  if (total > KEYS_MAX) throw new Error(`The server has ${total.toLocaleString("en")} keys; a sandbox takes up to ${KEYS_MAX.toLocaleString("en")}.`);
  const engine = new Engine(1, Date.now());
  const copy: Copy = { rdb: new Uint8Array(), keys: 0, left: 0, reason: null };
  try {
    const client = engine.connect(Date.now());
    const make = (request: Word[]): string | null => {
      engine.receive(client, encoded(request), Date.now());
      const reply = engine.take_output(client);
      return reply[0] === 0x2d ? new TextDecoder().decode(reply.subarray(1, reply.indexOf(13))) : null;
    };
    let room = BYTES_MAX;
    for (const [db] of dbs) {
      const trouble = make(["SELECT", String(db)]);
      if (trouble !== null) throw new Error(`A sandbox has no database ${db}.`);
      let cursor: Word = "0";
      do {
        const [scanned] = await reader.ask([["SCAN", cursor, "COUNT", String(BATCH)]], db);
        if (!Array.isArray(scanned)) throw new Error(`The keys cannot be listed: ${scanned instanceof Error ? scanned.message : "no answer"}`);
        cursor = (scanned[0] as Uint8Array).slice();
        const keys = scanned[1] as Uint8Array[];
        const replies = await reader.ask(keys.flatMap((key) => [["DUMP", key], ["PTTL", key]]), db);
        keys.forEach((key, at) => {
          const [payload, left] = [replies[2 * at], replies[2 * at + 1]];
          // It is gone since.
          if (payload === null) return;
          const expires = typeof left === "number" && left >= 0 ? Date.now() + left : 0;
          const failed =
            payload instanceof Uint8Array ? make(["RESTORE", key, String(expires), payload, "REPLACE", "ABSTTL"]) : payload instanceof Error ? payload.message : "no answer";
          if (failed === null) copy.keys++;
          else {
            copy.left++;
            copy.reason ??= failed;
          }
          room -= payload instanceof Uint8Array ? payload.length : 0;
        });
        if (room < 0) throw new Error(`The server holds more than a sandbox takes: ${BYTES_MAX / 1024 / 1024} MB.`);
      } while (textOf(cursor) !== "0");
    }
    copy.rdb = engine.snapshot();
    return copy;
  } finally {
    engine.free();
  }
}

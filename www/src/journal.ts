/** The journal of a keyspace, read as what its clients typed. The layout is that of `src/engine/journal.rs`. */

import { lineOf, requests } from "./resp";

const MAGIC = "RPJOUR01";
const HEADER = 24;

export interface Typed {
  /** From 1, the lowest number that was free when the client first spoke. */
  client: number;
  line: string;
  /** Milliseconds since the beginning. */
  at: number;
}

export interface Session {
  seed: number;
  lines: Typed[];
  /** What the session began with. */
  data: Uint8Array | null;
  /** It is a checkpoint of this engine, not an RDB file. */
  checkpoint: boolean;
}

export class JournalError extends Error {}

export function readJournal(bytes: Uint8Array): Session {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < HEADER || String.fromCharCode(...bytes.subarray(0, 8)) !== MAGIC) throw new JournalError("this is no journal");
  const session: Session = { seed: Number(view.getBigUint64(8, true) & 0xffffffffn), lines: [], data: null, checkpoint: false };
  const slots: (number | null)[] = [];
  let position = HEADER;
  let at = 0;

  function varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[position++];
      if (byte === undefined || scale > 2 ** 49) throw new JournalError("the journal ends in the middle");
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }
  function blob(): Uint8Array {
    const length = varint();
    position += length;
    if (position > bytes.length) throw new JournalError("the journal ends in the middle");
    return bytes.subarray(position - length, position);
  }
  function slotOf(client: number): number {
    let slot = slots.indexOf(client);
    if (slot < 0) {
      slot = slots.indexOf(null);
      if (slot < 0) slot = slots.length;
      slots[slot] = client;
    }
    return slot + 1;
  }

  while (position < bytes.length) {
    const kind = bytes[position++];
    at += varint();
    switch (kind) {
      case 0:
      case 3:
        break;
      case 1: {
        const slot = slots.indexOf(varint());
        if (slot >= 0) slots[slot] = null;
        break;
      }
      case 2: {
        const client = varint();
        for (const { words } of requests(blob())) session.lines.push({ client: slotOf(client), line: lineOf(words), at });
        break;
      }
      case 4:
      case 5:
        // A file or a checkpoint: what went before is gone.
        session.data = blob().slice();
        session.checkpoint = kind === 5;
        session.lines = [];
        break;
      default:
        throw new JournalError("the journal was written by a newer version of this page");
    }
  }
  return session;
}

/** A journal of a keyspace that begins with an RDB file. */
export function journalOf(data: Uint8Array, seed: number, now: number): Uint8Array {
  const length: number[] = [];
  for (let rest = data.length; ; rest = Math.floor(rest / 128)) {
    length.push(rest >= 128 ? (rest % 128) | 0x80 : rest);
    if (rest < 128) break;
  }
  const journal = new Uint8Array(HEADER + 2 + length.length + data.length);
  journal.set(new TextEncoder().encode(MAGIC));
  const view = new DataView(journal.buffer);
  view.setBigUint64(8, BigInt(seed), true);
  view.setBigUint64(16, BigInt(now), true);
  journal.set([4, 0, ...length], HEADER);
  journal.set(data, HEADER + 2 + length.length);
  return journal;
}

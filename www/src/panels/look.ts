/** What the engine tells panels, and how they show what users stored. The engine's words are shown as they come. */

import { noChange } from "lit";
import { Directive, directive, PartType, type ElementPart, type PartInfo } from "lit/directive.js";

export { bytesOf, idOf } from "../bytes";

/** Bytes of a user, or the first of them. */
export type Cell = Uint8Array | { bytes: Uint8Array; length: number };

export interface Row {
  depth: number;
  name: Uint8Array;
  /** A group of keys. */
  group?: Uint8Array;
  keys?: number;
  open?: boolean;
  /** A key. */
  key?: Uint8Array;
  type?: string;
  encoding?: string;
  size?: number;
  bytes?: number | null;
  expires?: number | null;
}

export interface Tree {
  db: number;
  total: number;
  found: number;
  rows: number;
  from: number;
  shown: Row[];
  now: number;
  changed: [number, Uint8Array][];
  moment: number;
  /** What there is to say of a server elsewhere, and whether more of its keys can be looked at. */
  notes?: string[];
  more?: boolean;
}

export interface Value {
  db: number;
  key: Uint8Array;
  type: string;
  encoding: string;
  size: number;
  bytes: number;
  expires: number | null;
  now: number;
  from: number;
  rows?: unknown[];
  text?: Uint8Array;
  number?: bigint;
  estimate?: bigint;
  least?: number;
  most?: number;
  lastId?: string;
  added?: number;
  groups?: Group[];
  /** What there is to say about how it was read. */
  note?: string | null;
  /** Only this part of it can be had. */
  window?: boolean;
}

export interface Group {
  name: Uint8Array;
  lastId: string;
  lag: number | null;
  waiting: number;
  consumers: { name: Uint8Array; pending: number; seen: number }[];
  pending: { id: string; consumer: Uint8Array | null; delivered: number; deliveries: number }[];
}

export interface WirePart {
  depth: number;
  head: string;
  body: string;
  note: string;
}

export interface Wire {
  parts: WirePart[];
  length: number;
  rest: number;
}

export interface Look {
  type: string;
  encoding: string;
  /** Elements or bytes of a string; nothing where it could not be asked. */
  size: number | null;
  expires: number | null;
  /** What it takes, where a server elsewhere told it. */
  bytes?: number | null;
}

export interface Command {
  name: string;
  client: number;
  origin: string;
  depth: number;
  words: Uint8Array[];
  wordCount: number;
  complexity: string;
  summary: string;
  /** How its declaration finds keys. */
  specs: string[];
  keys: {
    key: Uint8Array;
    word: number;
    flags: string[];
    /** How it was before is not known. */
    unseen?: boolean;
    before: Look | null;
    after: Look | null;
  }[];
  notices: { event: string; key: Uint8Array; sent: boolean }[];
  /** Unknown of a command that ran elsewhere, as the lookups. */
  changes: number | null;
  lookups: number | null;
  blocked: boolean;
}

export interface Moment {
  moment: number;
  at: number;
  client: number;
  request: boolean;
  text: string;
  more: number;
}

export interface Difference {
  db: number;
  key: Uint8Array;
  before: Value | null;
  after: Value | null;
}

export interface Step {
  input: Moment;
  before: number;
  now: number;
  request: Wire | null;
  output: { client: number; resp: number; elements: number | null; wire: Wire }[];
  propagated: Wire | null;
  steps: Command[];
  missed: number;
  changes: number;
  differences: Difference[];
  /** Of a command that ran on a server elsewhere: what could be seen from outside. */
  attached?: Outside;
}

/** What an observer beside a server can tell of a command, and what not. */
export interface Outside {
  /** About its notifications; nothing where they are all here. */
  notices: string | null;
  /** A command that would tell more. */
  offer: string | null;
  propagated: string;
  /** What else is to be said. */
  notes: string[];
}

export interface Timeline {
  rows: number;
  from: number;
  moments: number;
  shown: Moment[];
  now: number;
}

/** One thing a transcript does: it says, lets time pass, or has a client run a line. */
export interface PlayStep {
  say: string | null;
  pass: number | null;
  client: string | null;
  line: string | null;
}

const strict = new TextDecoder("utf-8", { fatal: true });
const encoder = new TextEncoder();

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** As text where it is text, else with escapes. */
export function shown(bytes: Uint8Array): string {
  try {
    const text = strict.decode(bytes);
    // What cannot be seen is escaped.
    if (!/[\x00-\x08\x0b-\x1f\x7f]/.test(text)) return text;
  } catch {
    /* not text */
  }
  let text = "";
  for (const byte of bytes) text += byte >= 32 && byte < 127 ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`;
  return text;
}

export function isText(bytes: Uint8Array): boolean {
  try {
    return !/[\x00-\x08\x0e-\x1f\x7f]/.test(strict.decode(bytes));
  } catch {
    return false;
  }
}

/** A part of a text, without the halves of characters at its ends. */
export function trimmed(bytes: Uint8Array): Uint8Array {
  let [from, to] = [0, bytes.length];
  while (from < 3 && from < to && (bytes[from]! & 0xc0) === 0x80) from++;
  let last = to - 1;
  while (last > from && to - last < 4 && (bytes[last]! & 0xc0) === 0x80) last--;
  const head = bytes[last] ?? 0;
  const wanted = head >= 0xf0 ? 4 : head >= 0xe0 ? 3 : head >= 0xc0 ? 2 : 1;
  if (last >= from && to - last < wanted) to = last;
  return bytes.subarray(from, to);
}

/** What can be typed for bytes: a text as it is, or with escapes where a line cannot hold it. */
export function typed(bytes: Uint8Array, escaped: boolean): string {
  if (!escaped) return strict.decode(bytes);
  let text = "";
  for (const byte of bytes) {
    const plain = byte >= 32 && byte < 127 && byte !== 0x5c;
    text += plain ? String.fromCharCode(byte) : byte === 0x5c ? "\\\\" : byte === 10 ? "\\n" : `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return text;
}

/** Whether bytes are a text that one line of input holds. */
export function isLine(bytes: Uint8Array): boolean {
  return isText(bytes) && !/[\t\n\r\x0b\x0c]/.test(strict.decode(bytes));
}

/** The bytes of what was typed; with `escaped`, `\xHH`, `\n`, `\r`, `\t` and `\\` stand for one byte each. */
export function bytesTyped(text: string, escaped: boolean): Uint8Array {
  if (!escaped) return encoder.encode(text);
  const bytes: number[] = [];
  for (const [, hex, short, rest] of text.matchAll(/\\x([0-9a-f]{2})|\\([nrt\\])|([^])/giu)) {
    if (hex !== undefined) bytes.push(parseInt(hex, 16));
    else if (short !== undefined) bytes.push({ n: 10, r: 13, t: 9 }[short.toLowerCase()] ?? 0x5c);
    else bytes.push(...encoder.encode(rest));
  }
  return Uint8Array.from(bytes);
}

export function cellText(cell: Cell): string {
  return cell instanceof Uint8Array ? shown(cell) : `${shown(cell.bytes)}…`;
}

/** The whole bytes of a cell, where they are here. */
export function wholeCell(cell: Cell): Uint8Array | null {
  return cell instanceof Uint8Array ? cell : null;
}

export function sizeText(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1000).toFixed(bytes < 10_000 ? 1 : 0)} KB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

export function countText(count: number, what: string): string {
  return `${count.toLocaleString("en")} ${what}${count === 1 ? "" : what.endsWith("ch") ? "es" : "s"}`;
}

/** A span of time in at most two units, whole ones where it is whole. */
export function spanText(ms: number): string {
  const seconds = Math.max(0, ms / 1000);
  if (seconds < 10) return `${Number.isInteger(seconds) ? seconds : seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return twoUnits(minutes, "min", Math.floor(seconds % 60), "s");
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return twoUnits(hours, "h", minutes % 60, "min");
  return twoUnits(Math.floor(hours / 24), "d", hours % 24, "h");
}

function twoUnits(large: number, unit: string, small: number, smallUnit: string): string {
  return `${large} ${unit}${small > 0 ? ` ${small} ${smallUnit}` : ""}`;
}

export function timeText(ms: number): string {
  return new Date(ms).toLocaleTimeString("en-GB");
}

/** Custom properties of an element, set by script: a page's policy may forbid style attributes. */
class Variables extends Directive {
  constructor(part: PartInfo) {
    super(part);
    if (part.type !== PartType.ELEMENT) throw new Error("variables belong to an element");
  }
  render(_variables: Record<string, string | number>): unknown {
    return noChange;
  }
  override update(part: ElementPart, [variables]: [Record<string, string | number>]): unknown {
    for (const [name, value] of Object.entries(variables)) (part.element as HTMLElement).style.setProperty(name, String(value));
    return noChange;
  }
}

export const vars = directive(Variables);

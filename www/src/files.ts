/** Files that come and go: what a file is, what it becomes, and how one is saved. */

import type { Host } from "./host";
import type { Requests } from "./protocol";
import { journalOf } from "./journal";
import { requests } from "./resp";
import { sizeText } from "./panel-styles";
import { runUnseen } from "./transfer";

/** What a browser can hold several times over: as a file, in the journal, and as keys. */
export const FILE_MAX = 256 * 1024 * 1024;
/** Beyond this, commands that run one by one would take minutes. */
const TEXT_MAX = 64 * 1024 * 1024;

const STAR = 0x2a;
/** How long the page may stand still. */
const TURN_MS = 30;

export type Kind = "rdb" | "aof" | "script" | "transcript";

export interface Opened {
  name: string;
  kind: Kind;
  /** The session that a keyspace begins with, or nothing for an empty one. */
  journal: Uint8Array;
  /** What is to run then. */
  requests: Requests[];
  lines: string[];
  /** Of a transcript. */
  text: string;
  notes: string[];
}

/** Commands may follow; see `tailOf`. */
function isRdb(bytes: Uint8Array): boolean {
  return /^REDIS\d{4}/.test(new TextDecoder().decode(bytes.subarray(0, 9)));
}

export function kindOf(bytes: Uint8Array): Kind {
  if (isRdb(bytes)) return "rdb";
  const head = new TextDecoder().decode(bytes.subarray(0, 16));
  if (/^(\*\d+\r\n|#TS:)/.test(head)) return "aof";
  const text = new TextDecoder().decode(bytes.subarray(0, 1 << 16));
  return /^(\d|[A-Z]|[\w.:\-]+(\[\d+\])?)?> \S/m.test(text) ? "transcript" : "script";
}

/** Lets the page do other things when something has taken long. */
class Pause {
  private since = performance.now();

  async now(): Promise<void> {
    if (performance.now() - this.since < TURN_MS) return;
    await new Promise((resolve) => setTimeout(resolve));
    this.since = performance.now();
  }
}

/** Where the commands behind an RDB preamble begin; the end where there are none. */
async function tailOf(bytes: Uint8Array): Promise<number> {
  const pause = new Pause();
  let looked = 0;
  // The preamble ends with an opcode 0xff and a checksum of eight bytes.
  for (let at = bytes.indexOf(STAR, 18); at > 0; at = bytes.indexOf(STAR, at + 1)) {
    if (++looked % 1024 === 0) await pause.now();
    const digit = bytes[at + 1]!;
    if (bytes[at - 9] !== 0xff || digit < 0x31 || digit > 0x39 || requests(bytes, at).next().done) continue;
    const found = await requestsIn(bytes, at);
    if (found.end === bytes.length) return at;
  }
  return bytes.length;
}

/** The requests from a place on, without what an append-only file notes between them, and where the last one ends. */
async function requestsIn(bytes: Uint8Array, start: number): Promise<Requests & { end: number }> {
  const pause = new Pause();
  const spans: number[] = [];
  let end = start;
  for (const found of requests(bytes, start)) {
    spans.push(bytes.indexOf(STAR, end), found.end);
    end = found.end;
    if (spans.length % 1024 === 0) await pause.now();
  }
  return { bytes, spans: Uint32Array.from(spans), end };
}

/** Reads one file, or the files of one append-only folder, which belong together. */
export async function openFiles(host: Host, files: File[], told: (step: string) => void): Promise<Opened> {
  const ordered = await inOrder(files);
  if (ordered.length === 0) throw new Error("There is no file to open.");
  const size = ordered.reduce((sum, file) => sum + file.size, 0);
  if (size > FILE_MAX) {
    const what = ordered.length > 1 ? "These files have" : `${ordered[0]!.name} has`;
    throw new Error(`${what} ${sizeText(size)}, and a page can hold at most ${sizeText(FILE_MAX)}. “resplay serve” on this machine takes more.`);
  }
  host.warm();
  const opened: Opened = { name: nameOf(files[0]!), kind: "script", journal: new Uint8Array(), requests: [], lines: [], text: "", notes: [] };
  for (const [index, file] of ordered.entries()) {
    told(`Reading ${file.name}, ${sizeText(file.size)}…`);
    const bytes = new Uint8Array(await file.arrayBuffer());
    const start = isRdb(bytes) ? await tailOf(bytes) : 0;
    const kind = start > 0 && start < bytes.length ? "aof" : kindOf(bytes);
    if (index === 0 || kind === "aof") opened.kind = kind;
    switch (kind) {
      case "rdb":
        told(`Looking for the keys in ${file.name}, ${sizeText(file.size)}…`);
        await takeData(host, opened, bytes, file.name);
        break;
      case "aof": {
        if (start > 0) await takeData(host, opened, bytes.subarray(0, start), file.name);
        await takeRequests(opened, bytes, start, file.name);
        break;
      }
      case "script":
        if (bytes.length > TEXT_MAX) throw new Error(`${file.name} is no file of Redis that this page knows, and too large for a list of commands.`);
        // Pictures, archives: no text has such a byte, while values write it as \x00.
        if (bytes.includes(0)) throw new Error(`${file.name} is no file of Redis that this page knows, and no text either.`);
        opened.lines = new TextDecoder().decode(bytes).split(/\r?\n/).filter((line) => line.trim() !== "" && !line.trimStart().startsWith("#"));
        if (opened.lines.length === 0) throw new Error(`${file.name} holds no command.`);
        break;
      case "transcript":
        opened.text = new TextDecoder().decode(bytes);
        break;
    }
  }
  return opened;
}

async function takeData(host: Host, opened: Opened, bytes: Uint8Array, name: string): Promise<void> {
  let keys: number;
  try {
    keys = await host.job<number>({ do: "examine", rdb: bytes });
  } catch (reason) {
    throw new Error(`${name} cannot be read: ${reason instanceof Error ? reason.message : String(reason)}.`);
  }
  opened.journal = journalOf(bytes, crypto.getRandomValues(new Uint32Array(1))[0]!, Date.now());
  opened.notes.push(`${name}: ${keys} ${keys === 1 ? "key" : "keys"}`);
}

async function takeRequests(opened: Opened, bytes: Uint8Array, start: number, name: string): Promise<void> {
  const { spans, end } = await requestsIn(bytes, start);
  opened.requests.push({ bytes, spans });
  const count = spans.length / 2;
  opened.notes.push(`${name}: ${count} ${count === 1 ? "command" : "commands"}`);
  if (end < bytes.length) opened.notes.push(`${name} ends in the middle of a command; ${bytes.length - end} bytes are left out.`);
}

/** By the manifest, where there is one; otherwise the base first, then what was added, by number. */
async function inOrder(files: File[]): Promise<File[]> {
  const manifest = files.find(({ name }) => name.endsWith(".manifest"));
  const rank = (file: File) => (file.name.endsWith(".rdb") || file.name.includes(".base.") ? 0 : 1) * 1e9 + Number(/\.(\d+)\./.exec(file.name)?.[1] ?? 0);
  const others = files.filter((file) => file !== manifest).sort((a, b) => rank(a) - rank(b));
  if (!manifest) return others;
  const named = [...(await manifest.text()).matchAll(/^file (\S+) seq \d+ type [bi]/gm)].map(([, name]) => name!);
  const missing = named.filter((name) => !others.some((file) => file.name === name));
  if (missing.length > 0) throw new Error(`The manifest names ${missing.join(", ")}: add ${missing.length === 1 ? "it" : "them"} to the selection.`);
  return named.map((name) => others.find((file) => file.name === name)!);
}

function nameOf(file: File): string {
  return file.name.replace(/\.(rdb|aof|redis|txt|manifest)$/i, "").replace(/\.(aof|base|incr|\d+)(?=\.|$)/g, "") || file.name;
}

/** Runs what was opened on a keyspace that began with its journal; answers what went wrong. */
export async function runOpened(host: Host, space: string, opened: Opened, told: (step: string) => void): Promise<string[]> {
  const errors: string[] = [];
  // All by one client: a database chosen and a transaction begun hold until they end.
  if (opened.requests.length > 0) errors.push(...(await host.job<string[]>({ do: "feed", space, requests: opened.requests })));
  if (opened.lines.length > 0) {
    errors.push(...(await runUnseen(host, space, opened.lines, (done) => told(`${done} of ${opened.lines.length} commands ran…`))));
  }
  await host.sync();
  return errors;
}

export function save(name: string, bytes: BlobPart, type: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([bytes], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

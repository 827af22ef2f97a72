/** Files that come and go: what a file is, what it becomes, and how one is saved. */

import type { Host } from "./host";
import { journalOf } from "./journal";
import { requests } from "./resp";
import { sizeText } from "./panel-styles";
import { runUnseen } from "./transfer";

/** What a browser can hold several times over: as a file, in the journal, and as keys. */
export const FILE_MAX = 256 * 1024 * 1024;
/** Beyond this, commands that run one by one would take minutes. */
const TEXT_MAX = 64 * 1024 * 1024;

export type Kind = "rdb" | "aof" | "script" | "transcript";

export interface Opened {
  name: string;
  kind: Kind;
  /** The session that a keyspace begins with, or nothing for an empty one. */
  journal: Uint8Array;
  /** What is to run then. */
  requests: Uint8Array[];
  lines: string[];
  /** Of a transcript. */
  text: string;
  notes: string[];
}

export function kindOf(bytes: Uint8Array): Kind {
  const head = new TextDecoder().decode(bytes.subarray(0, 16));
  if (/^REDIS\d{4}/.test(head)) return tailOf(bytes) < bytes.length ? "aof" : "rdb";
  if (/^(\*\d+\r\n|#TS:)/.test(head)) return "aof";
  const text = new TextDecoder().decode(bytes.subarray(0, 1 << 16));
  return /^(\d|[A-Z]|[\w.:\-]+(\[\d+\])?)?> \S/m.test(text) ? "transcript" : "script";
}

/** Where the commands behind an RDB preamble begin; the end where there are none. */
export function tailOf(bytes: Uint8Array): number {
  // The preamble ends with an opcode 0xff and a checksum of eight bytes.
  for (let at = bytes.indexOf(0x2a, 18); at > 0; at = bytes.indexOf(0x2a, at + 1)) {
    if (bytes[at - 9] !== 0xff) continue;
    let end = at;
    for (const found of requests(bytes, at)) end = found.end;
    if (end === bytes.length) return at;
  }
  return bytes.length;
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
    const kind = kindOf(bytes);
    if (index === 0 || kind === "aof") opened.kind = kind;
    switch (kind) {
      case "rdb":
        told(`Looking for the keys in ${file.name}, ${sizeText(file.size)}…`);
        await takeData(host, opened, bytes, file.name);
        break;
      case "aof": {
        const preamble = bytes[0] === 0x52;
        const start = preamble ? tailOf(bytes) : 0;
        if (preamble) await takeData(host, opened, bytes.subarray(0, start), file.name);
        takeRequests(opened, bytes, start, file.name);
        break;
      }
      case "script":
        if (bytes.length > TEXT_MAX) throw new Error(`${file.name} is no file of Redis that this page knows, and too large for a list of commands.`);
        opened.lines = new TextDecoder().decode(bytes).split(/\r?\n/).filter((line) => line.trim() !== "" && !line.trimStart().startsWith("#"));
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

function takeRequests(opened: Opened, bytes: Uint8Array, start: number, name: string): void {
  let [end, before] = [start, opened.requests.length];
  for (const found of requests(bytes, start)) {
    // Without what an append-only file notes between requests.
    const begin = bytes.indexOf(0x2a, end);
    opened.requests.push(bytes.subarray(begin, found.end));
    end = found.end;
  }
  const count = opened.requests.length - before;
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

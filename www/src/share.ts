/**
 * A session as text and as a link. The text is a transcript with a head of directives; the link is the same, deflated, in the
 * fragment, which no server ever sees.
 */

import { joined } from "./bytes";
import type { Typed } from "./journal";

export interface Shared {
  seed: number;
  clients: string[];
  panel: string | null;
  lines: Pick<Typed, "client" | "line">[];
  /** An RDB file that it begins with. */
  data: Uint8Array | null;
  /** Commands that were too many to take. */
  left: number;
}

/** Longer links are cut or refused somewhere on their way. */
export const LINK_MAX = 8 * 1024;
/** A small link may not unpack to anything large. */
const TEXT_MAX = 1 << 20;
const LINES_MAX = 10_000;
const CLIENTS_MAX = 99;
const PREFIX = "#v1.";

export function textOf({ seed, clients, panel, lines, data }: Shared): string {
  const used = lines.reduce((most, { client }) => Math.max(most, client), 1);
  const head = [`@ seed ${seed}`, ...clients.slice(0, used).map((name, at) => `@ client ${at + 1} ${name.replace(/\s+/g, " ")}`)];
  if (panel) head.push(`@ panel ${panel}`);
  if (data) head.push(`@ data ${base64(data)}`);
  return [...head, ...lines.map(({ client, line }) => `${client === 1 ? "" : client}> ${line}`)].join("\n");
}

/** Reads what {@link textOf} wrote, or any transcript; its outputs are left out. Nothing when nothing is in it. */
export function sharedOf(text: string): Shared | null {
  const shared: Shared = { seed: 1, clients: [], panel: null, lines: [], data: null, left: 0 };
  for (const line of text.split(/\r?\n/)) {
    const [, directive, value = ""] = /^@ (seed|client|panel|data) (.+)$/.exec(line) ?? [];
    const [, prompt, command] = /^(?:([1-9]\d?|[A-Z])|[\w.:\-]+(?:\[\d+\])?(?:\(TX\))?)?> (.+)$/.exec(line) ?? [];
    if (directive === "seed" && /^\d{1,10}$/.test(value)) shared.seed = Number(value) % 2 ** 32;
    else if (directive === "client") {
      const [, number, name] = /^([1-9]\d?) (.{1,24})/.exec(value) ?? [];
      if (name && Number(number) <= CLIENTS_MAX) shared.clients[Number(number) - 1] = name;
    } else if (directive === "panel" && /^[\w-]{1,20}$/.test(value)) shared.panel = value;
    else if (directive === "data") shared.data = bytesOf(value);
    else if (command !== undefined && shared.lines.length === LINES_MAX) shared.left++;
    else if (command !== undefined) {
      const client = prompt === undefined ? 1 : /\d/.test(prompt) ? Number(prompt) : prompt.charCodeAt(0) - 64;
      shared.lines.push({ client: Math.min(client, CLIENTS_MAX), line: command });
    }
  }
  return shared.lines.length > 0 || shared.data ? shared : null;
}

export async function fragmentOf(shared: Shared): Promise<string> {
  const bytes = new TextEncoder().encode(textOf(shared));
  const packed = await through(bytes, new CompressionStream("deflate-raw"), Infinity);
  return PREFIX + base64(packed).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

export function isShared(fragment: string): boolean {
  return fragment.startsWith(PREFIX);
}

/** What a link's fragment holds; the error says what is wrong with it. */
export async function readFragment(fragment: string): Promise<Shared> {
  if (!isShared(fragment)) throw new Error("it was made by a newer version of this page");
  const damaged = new Error("it is damaged, perhaps cut off");
  let bytes: Uint8Array;
  try {
    bytes = await through(bytesOf(fragment.slice(PREFIX.length).replace(/-/g, "+").replace(/_/g, "/")), new DecompressionStream("deflate-raw"), TEXT_MAX);
  } catch (reason) {
    throw reason instanceof RangeError ? reason : damaged;
  }
  let shared: Shared | null = null;
  try {
    shared = sharedOf(new TextDecoder().decode(bytes));
  } catch {
    /* its data is no base64 */
  }
  if (!shared) throw damaged;
  return shared;
}

function base64(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += 8192) binary += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(binary);
}

function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
}

async function through(bytes: Uint8Array, stream: CompressionStream | DecompressionStream, max: number): Promise<Uint8Array> {
  const reader = new Blob([bytes as BlobPart]).stream().pipeThrough(stream as ReadableWritablePair<Uint8Array, Uint8Array<ArrayBuffer>>).getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    length += part.value.length;
    if (length > max) {
      void reader.cancel();
      throw new RangeError("it unpacks to more than a page should take");
    }
    chunks.push(part.value);
  }
  return joined(chunks);
}

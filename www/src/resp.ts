/** Requests as bytes: read one after another, and written as lines that `redis-cli` would read. */

export interface Found {
  words: Uint8Array[];
  /** Where the request ends. */
  end: number;
}

const STAR = 0x2a;
const DOLLAR = 0x24;
const HASH = 0x23;
const WORDS_MAX = 1 << 20;

/**
 * The requests in `bytes` from `start` on, as clients and append-only files have them. Ends at the first thing that is none;
 * `end` of the last one found says where.
 */
export function* requests(bytes: Uint8Array, start = 0): Generator<Found> {
  let at = start;
  while (at < bytes.length) {
    // Append-only files may note the time between two requests.
    if (bytes[at] === HASH) {
      const line = lineEnd(bytes, at);
      if (line < 0) return;
      at = line;
      continue;
    }
    const found = request(bytes, at);
    if (!found) return;
    yield found;
    at = found.end;
  }
}

function request(bytes: Uint8Array, start: number): Found | null {
  const count = number(bytes, start, STAR);
  if (!count || count.value < 0 || count.value > WORDS_MAX) return null;
  const words: Uint8Array[] = [];
  let at = count.end;
  for (let i = 0; i < count.value; i++) {
    const length = number(bytes, at, DOLLAR);
    if (!length || length.value < 0 || length.end + length.value + 2 > bytes.length) return null;
    words.push(bytes.subarray(length.end, length.end + length.value));
    at = length.end + length.value + 2;
  }
  return { words, end: at };
}

function number(bytes: Uint8Array, at: number, mark: number): { value: number; end: number } | null {
  if (bytes[at] !== mark) return null;
  // A number is short: what is none may go on for megabytes without an end of line.
  let end = at + 1;
  while (end < at + 16 && bytes[end - 1] !== 0x0a) end++;
  if (bytes[end - 1] !== 0x0a || bytes[end - 2] !== 0x0d) return null;
  const text = String.fromCharCode(...bytes.subarray(at + 1, end - 2));
  return /^-?\d+$/.test(text) ? { value: Number(text), end } : null;
}

/** Behind the next CR LF, or -1. */
function lineEnd(bytes: Uint8Array, at: number): number {
  const newline = bytes.indexOf(0x0a, at);
  return newline > at && bytes[newline - 1] === 0x0d ? newline + 1 : -1;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const ESCAPES: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\x07": "\\a", "\b": "\\b", '"': '\\"', "\\": "\\\\" };

/** A request as one line: words that need it stand in quotes, and bytes that are no text are written as `\xHH`. */
export function lineOf(words: Uint8Array[]): string {
  return words.map(wordOf).join(" ");
}

function wordOf(word: Uint8Array): string {
  let text: string;
  try {
    text = decoder.decode(word);
  } catch {
    return `"${Array.from(word, quotedByte).join("")}"`;
  }
  if (/^[^\s"'\\#\x00-\x1f\x7f][^\s"'\\\x00-\x1f\x7f]*$/u.test(text)) return text;
  return `"${text.replace(/[\x00-\x1f\x7f"\\]/g, (char) => ESCAPES[char] ?? hex(char.charCodeAt(0)))}"`;
}

function quotedByte(byte: number): string {
  const char = String.fromCharCode(byte);
  return byte >= 0x20 && byte < 0x7f ? (ESCAPES[char] ?? char) : (ESCAPES[char] ?? hex(byte));
}

function hex(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, "0")}`;
}

const encoder = new TextEncoder();

/** A request as bytes. */
export function encoded(words: (string | Uint8Array)[]): Uint8Array {
  const parts: Uint8Array[] = [encoder.encode(`*${words.length}\r\n`)];
  for (const word of words) {
    const bytes = typeof word === "string" ? encoder.encode(word) : word;
    parts.push(encoder.encode(`$${bytes.length}\r\n`), bytes, encoder.encode("\r\n"));
  }
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export type Reply = Uint8Array | number | null | Error | Reply[];

const DEPTH_MAX = 8;

/** The reply of RESP2 at a place and where it ends; nothing while it is not whole. */
export function replyAt(bytes: Uint8Array, start: number, depth = 0): { reply: Reply; end: number } | null {
  const end = lineEnd(bytes, start);
  if (end < 0 || depth > DEPTH_MAX) return null;
  const head = bytes.subarray(start + 1, end - 2);
  const text = String.fromCharCode(...head.subarray(0, 512));
  switch (bytes[start]) {
    case 0x2b:
      return { reply: head, end };
    case 0x2d:
      return { reply: new Error(text), end };
    case 0x3a:
      return { reply: Number(text), end };
    case DOLLAR: {
      const length = Number(text);
      if (length < 0) return { reply: null, end };
      return end + length + 2 <= bytes.length ? { reply: bytes.subarray(end, end + length), end: end + length + 2 } : null;
    }
    case STAR: {
      const elements: Reply[] = [];
      let at = end;
      for (let i = 0; i < Number(text); i++) {
        const element = replyAt(bytes, at, depth + 1);
        if (!element) return null;
        elements.push(element.reply);
        at = element.end;
      }
      return { reply: elements, end: at };
    }
    default:
      throw new Error("the server speaks another protocol");
  }
}

/** Readline's keys over a line and a cursor: pure, so that it can be tested without a page. */

export interface Line {
  text: string;
  cursor: number;
}

export type Edit =
  | "home" | "end" | "back" | "forward" | "wordBack" | "wordForward"
  | "deleteBack" | "deleteForward" | "killEnd" | "killStart" | "killWordBack" | "killSpaceBack" | "killWordForward"
  | "transpose" | "yank";

export interface Edited extends Line {
  /** What was cut, for the yank key. */
  killed?: string;
}

const wordCharacter = /[\p{L}\p{N}]/u;

function wordStart(text: string, from: number): number {
  let at = from;
  while (at > 0 && !wordCharacter.test(text[at - 1]!)) at--;
  while (at > 0 && wordCharacter.test(text[at - 1]!)) at--;
  return at;
}

function wordEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length && !wordCharacter.test(text[at]!)) at++;
  while (at < text.length && wordCharacter.test(text[at]!)) at++;
  return at;
}

/** Ctrl-W cuts to white space, unlike Alt-Backspace. */
function spaceStart(text: string, from: number): number {
  let at = from;
  while (at > 0 && /\s/.test(text[at - 1]!)) at--;
  while (at > 0 && !/\s/.test(text[at - 1]!)) at--;
  return at;
}

/** One character to the left, a surrogate pair being one. */
export function before(text: string, at: number): number {
  if (at <= 0) return 0;
  const low = text.charCodeAt(at - 1);
  return low >= 0xdc00 && low < 0xe000 && at > 1 ? at - 2 : at - 1;
}

export function after(text: string, at: number): number {
  if (at >= text.length) return text.length;
  const high = text.charCodeAt(at);
  return high >= 0xd800 && high < 0xdc00 ? Math.min(at + 2, text.length) : at + 1;
}

function cut(text: string, from: number, to: number): Edited {
  return { text: text.slice(0, from) + text.slice(to), cursor: from, killed: text.slice(from, to) };
}

function plainCut(text: string, from: number, to: number): Edited {
  return { text: text.slice(0, from) + text.slice(to), cursor: from };
}

export function apply(edit: Edit, { text, cursor }: Line, clipboard = ""): Edited {
  switch (edit) {
    case "home": return { text, cursor: 0 };
    case "end": return { text, cursor: text.length };
    case "back": return { text, cursor: before(text, cursor) };
    case "forward": return { text, cursor: after(text, cursor) };
    case "wordBack": return { text, cursor: wordStart(text, cursor) };
    case "wordForward": return { text, cursor: wordEnd(text, cursor) };
    case "deleteBack": return plainCut(text, before(text, cursor), cursor);
    case "deleteForward": return plainCut(text, cursor, after(text, cursor));
    case "killEnd": return cut(text, cursor, text.length);
    case "killStart": return cut(text, 0, cursor);
    case "killWordBack": return cut(text, wordStart(text, cursor), cursor);
    case "killSpaceBack": return cut(text, spaceStart(text, cursor), cursor);
    case "killWordForward": return cut(text, cursor, wordEnd(text, cursor));
    case "transpose": return transpose(text, cursor);
    case "yank": return { text: text.slice(0, cursor) + clipboard + text.slice(cursor), cursor: cursor + clipboard.length };
  }
}

function transpose(text: string, cursor: number): Edited {
  const middle = cursor === text.length ? before(text, cursor) : cursor;
  const left = before(text, middle);
  const right = after(text, middle);
  if (left === middle || middle === right) return { text, cursor };
  return {
    text: text.slice(0, left) + text.slice(middle, right) + text.slice(left, middle) + text.slice(right),
    cursor: right,
  };
}

/** The edit a key asks for; `null` when the key is not ours. */
export function editOf(event: Pick<KeyboardEvent, "key" | "ctrlKey" | "altKey" | "metaKey" | "shiftKey">): Edit | null {
  if (event.metaKey) return null;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (event.ctrlKey && !event.altKey && !event.shiftKey) return controlEdits[key] ?? null;
  if (event.altKey && !event.ctrlKey && !event.shiftKey) return altEdits[key] ?? null;
  return null;
}

const controlEdits: Record<string, Edit> = {
  a: "home", e: "end", b: "back", f: "forward", h: "deleteBack", k: "killEnd", u: "killStart", w: "killSpaceBack",
  t: "transpose", y: "yank", ArrowLeft: "wordBack", ArrowRight: "wordForward", Backspace: "killWordBack",
};

const altEdits: Record<string, Edit> = {
  b: "wordBack", f: "wordForward", d: "killWordForward", Backspace: "killWordBack",
};

/**
 * What a page and the engine's worker say to each other. Plain values only, many messages to a `postMessage`.
 * It must not know Redis: lines go in, printed blocks come out, and both are opaque here.
 */

import type { Remote } from "./remote";

/** A printed piece of text. `spans` holds pairs (end, class): `text[previous end..end]` is of that class. */
export interface Block {
  text: string;
  spans: ArrayLike<number>;
  /** Present when the worker keeps the rest back: what is missing, and the handle to ask for it. */
  fold?: Fold;
  /** Present when the reply can be shown in other ways, or its value copied. */
  reply?: Viewable;
}

export interface Viewable {
  id: number;
  /** The names of the ways; the first is the one it has. */
  views: string[];
}

export interface Table {
  heading: string[];
  rows: string[][];
}

export interface Fold {
  id: number;
  /** Where the shown part ends; a position means something to the worker only. */
  shown: number;
  /** The position where the whole ends. */
  length: number;
  /** Lines not shown. */
  lines: number;
}

/**
 * What the prompt of a lane is doing: `ready` for a line, wanting `more` of one, `waiting` for a reply, `listening` to
 * what comes by itself, or `closed`.
 */
export type LaneState = "ready" | "more" | "waiting" | "listening" | "closed";

export interface Completion {
  /** Whole lines, in the order Tab walks them. */
  lines: string[];
  /** Where the cursor stands in each, in UTF-16 units. */
  cursors: number[];
  /** What the list shows for each. */
  labels: string[];
  /** A few words beside each, or none. */
  notes: string[];
}

export interface Hint {
  text: string;
  /** Where the line is wrong already, in UTF-16 units, and a sentence about it. */
  fault?: number;
  teach?: string;
}

/** One value of a reply. */
export interface Value {
  text: string;
  /** Its bytes, where it names a key. */
  key?: Uint8Array;
}

/** Where a value is shown: at a UTF-16 unit of a view's text, or in a cell of its table. */
export type Place = { view: string; at: number } | { row: number; column: number };

/** What becomes of a file that a line asks for. */
export type FileUse = "script" | "argument" | "commands";

/** Requests within bytes: where each begins and ends. */
export interface Requests {
  bytes: Uint8Array;
  spans: Uint32Array;
}

/** Work on whole keyspaces, for files that come and go. */
export type Job =
  /** All keys as an RDB file. */
  | { do: "snapshot"; space: string }
  /** A journal that begins with the state another leads to; nothing where that cannot be. */
  | { do: "compact"; journal: Uint8Array }
  /** Whether an RDB file can be read; how many keys it holds. */
  | { do: "examine"; rdb: Uint8Array }
  /** Runs requests as a client of their own; answers how many, and the errors. */
  | { do: "feed"; space: string; requests: Requests[] }
  /** All keys of a server elsewhere, as an RDB file with a few words. */
  | { do: "copy"; space: string }
  /** A transcript with its outputs. */
  | { do: "transcript"; text: string };

/** What a panel asks; the answers are in `look.ts`. A `moment` counts the inputs of a session; null is the present. */
export type Ask =
  | { q: "tree"; db: number | null; open: Uint8Array[]; filter: Uint8Array; from: number; count: number; moment: number | null }
  | { q: "value"; db: number; key: Uint8Array; from: number; count: number; moment: number | null }
  | { q: "step"; moment: number | null }
  | { q: "replyAs"; moment: number; resp: number }
  | { q: "transcript"; text: string }
  | { q: "timeline"; from: number; count: number }
  /** The moment of the last request, the client's database, and when time alone brings something about. */
  | { q: "where" }
  | { q: "edit"; name: string; words: Uint8Array[] }
  /** More keys of a server elsewhere. */
  | { q: "more" };

/** The answer to the question of that name. */
export interface Where {
  asked: number;
  db: number;
  due: number | null;
}

/** A keyspace's clock: at the `real` time it showed `shown`, and since then it has run `rate` times as fast, or not at all. */
export interface Clock {
  real: number;
  shown: number;
  rate: number;
  paused: boolean;
}

/** To the worker. `space` names a keyspace, `lane` a client of it; both are chosen by the page. */
export type Request =
  /** `engine` may be the first part of it, compiled or not, or the address of that; then `rest` is where the other is. */
  | { t: "start"; engine: WebAssembly.Module | ArrayBuffer | string; rest: string }
  | { t: "space"; space: string; journal: Uint8Array | null; seed: number; clock: Clock | null; remote: Remote | null }
  | { t: "attached"; space: string }
  | { t: "drop"; space: string }
  | { t: "open"; space: string; lane: number; resume: Resume | null; setup: string[] }
  | { t: "close"; lane: number }
  | { t: "submit"; lane: number; lines: string[] }
  | { t: "interrupt"; lane: number }
  | { t: "hint"; lane: number; line: string; seq: number }
  | { t: "complete"; lane: number; line: string; cursor: number; seq: number }
  | { t: "unfold"; id: number; from: number; to: number; seq: number }
  | { t: "view"; id: number; view: string; seq: number }
  | { t: "copy"; id: number; seq: number }
  | { t: "value"; id: number; place: Place; seq: number }
  | { t: "supply"; lane: number; bytes: Uint8Array | null }
  | { t: "sync"; seq: number }
  | { t: "job"; job: Job; seq: number }
  | { t: "probe"; space: string; lines: string[]; seq: number }
  | { t: "inspect"; space: string; lane: number; ask: Ask; seq: number }
  | { t: "clock"; space: string; paused: boolean; rate: number }
  | { t: "pass"; space: string; ms: number }
  | { t: "branch"; space: string; moment: number }
  | { t: "stop"; space: string }
  | { t: "crash" };

/** What a lane needs to go on in a fresh worker; opaque to the page. */
export interface Resume {
  client: number;
  standing: Float64Array;
}

/** From the worker. */
export type Report =
  /** With the engine compiled, for a worker to come. */
  | { t: "ready"; classes: string[]; module: WebAssembly.Module }
  | { t: "done"; count: number }
  | { t: "echo"; lane: number; prompt: string; line: string }
  | { t: "remember"; lane: number; line: string }
  | { t: "print"; lane: number; blocks: Block[] }
  | { t: "state"; lane: number; prompt: string; state: LaneState; awaits: string; listens: string; resume: Resume | null; resp: number }
  | { t: "clear"; lane: number }
  | { t: "status"; lane: number; text: string | null }
  | { t: "rdb"; lane: number; name: string }
  | { t: "hint"; seq: number; hint: Hint | null }
  | { t: "complete"; seq: number; completion: Completion }
  | { t: "unfold"; seq: number; block: Block | null }
  | { t: "view"; seq: number; shown: Block | Table | null }
  | { t: "copy"; seq: number; text: string | null }
  | { t: "value"; seq: number; value: Value | null }
  | { t: "file"; lane: number; name: string | null; use: FileUse }
  | { t: "synced"; seq: number }
  | { t: "job"; seq: number; done: unknown; failed: string | null }
  | { t: "probe"; seq: number; answers: string[] }
  | { t: "inspect"; seq: number; value: unknown }
  | { t: "clock"; space: string; clock: Clock }
  | { t: "running"; space: string; running: boolean }
  | { t: "moment"; lane: number; moment: number }
  /** `idle` inputs have changed no data. */
  | { t: "journal"; space: string; bytes: Uint8Array; whole: boolean; idle?: boolean }
  | { t: "lost"; space: string; message: string }
  | { t: "crashed"; message: string };

/** The page's side of moments played again: a worker of their own answers, so that neither the session nor the page waits. */

import { joined } from "./bytes";
import type { Host, Lane } from "./host";
import workerUrl from "./past-worker.ts?worker&url";
import type { Ask, Where } from "./protocol";

/** What can be asked of a moment. */
export type PastAsk = Extract<Ask, { q: "tree" | "value" | "step" | "replyAs" }>;

export type PastRequest =
  | { t: "start"; module: WebAssembly.Module; rest: string }
  /** `bytes` is what the journal has grown by; `afresh` says that it is another one. `db` is that of the client which asks. */
  | { t: "ask"; seq: number; afresh: boolean; bytes: Uint8Array; moment: number; db: number; ask: PastAsk };

/** The `seq` 0 tells of a crash. */
export interface PastAnswer {
  seq: number;
  value: unknown;
  /** Inputs played for it. */
  played: number;
}

/** A journal in pieces, and what tells it from others. */
export interface Told {
  readonly journal: Uint8Array[];
  readonly bytes: number;
  readonly version: number;
}

const pasts = new WeakMap<Host, Pasts>();

/** What a panel wants to know, of the present or of a moment; nothing where the engine does not run. */
export async function inspect<T>({ host, space, lane }: { host: Host; space: string; lane: Lane | null }, ask: Ask): Promise<T | null> {
  const client = lane?.id ?? 0;
  const isPast = ask.q === "step" || ("moment" in ask && ask.moment !== null);
  if (!isPast || host.spaces.get(space)?.remote) return host.inspect<T>(space, client, ask);
  const where = await host.inspect<Where>(space, client, { q: "where" });
  const told = host.spaces.get(space);
  return where && told && host.module ? pastsOf(host).ask<T>(host.module, told, where, ask as PastAsk) : null;
}

/** How sessions of a page are played again; for those who measure it. */
export function pastsOf(host: Host): Pasts {
  let known = pasts.get(host);
  if (!known) pasts.set(host, (known = new Pasts(host.spawn, host.rest)));
  return known;
}

class Pasts {
  /** Inputs played for the last answer. */
  played = 0;
  private worker: Worker | null = null;
  private readonly waiting = new Map<number, (value: unknown) => void>();
  private sequence = 0;
  private version = -1;
  private sent = 0;

  constructor(
    private readonly spawn: (url: string) => Worker,
    private readonly rest: string,
  ) {}

  /** Nothing, where it cannot be played. */
  ask<T>(module: WebAssembly.Module, told: Told, { asked, db }: Where, ask: PastAsk): Promise<T | null> {
    const worker = (this.worker ??= this.start(module));
    const afresh = told.version !== this.version;
    const bytes = tail(told, afresh ? 0 : this.sent);
    this.version = told.version;
    this.sent = told.bytes;
    const seq = ++this.sequence;
    return new Promise((resolve) => {
      this.waiting.set(seq, resolve as (value: unknown) => void);
      worker.postMessage({ t: "ask", seq, afresh, bytes, moment: ask.moment ?? asked, db, ask } satisfies PastRequest);
    });
  }

  private start(module: WebAssembly.Module): Worker {
    const worker = this.spawn(workerUrl);
    this.version = -1;
    worker.onmessage = ({ data: { seq, value, played } }: MessageEvent<PastAnswer>) => {
      if (this.worker !== worker) return;
      if (seq === 0) {
        this.end();
        return;
      }
      this.played = played;
      this.waiting.get(seq)?.(value);
      this.waiting.delete(seq);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      if (this.worker === worker) this.end();
    };
    worker.postMessage({ t: "start", module, rest: this.rest } satisfies PastRequest);
    return worker;
  }

  private end(): void {
    this.worker?.terminate();
    this.worker = null;
    for (const resolve of this.waiting.values()) resolve(null);
    this.waiting.clear();
  }
}

function tail({ journal, bytes }: Told, from: number): Uint8Array {
  const pieces: Uint8Array[] = [];
  let at = bytes;
  for (let number = journal.length - 1; number >= 0 && at > from; number--) {
    const piece = journal[number]!;
    at -= piece.length;
    pieces.unshift(at < from ? piece.subarray(from - at) : piece);
  }
  return joined(pieces);
}

/** The lines typed so far: walking, searching, and which of them outlive the page. */

export interface HistoryStore {
  read(): string[];
  write(lines: string[]): void;
}

export const LINES_MAX = 1000;
/** A pasted megabyte is not worth a place in the store. */
const LINE_MAX = 10_000;

export class History {
  private entries: { text: string; kept: boolean }[];

  constructor(private readonly store: HistoryStore | null = null) {
    this.entries = (store?.read() ?? []).slice(-LINES_MAX).map((text) => ({ text, kept: true }));
  }

  get length(): number {
    return this.entries.length;
  }

  at(index: number): string | undefined {
    return this.entries[index]?.text;
  }

  /** Takes a line for this visit; it may hold a secret, so it is not kept for others. */
  add(text: string): void {
    if (text.trim() === "" || text.length > LINE_MAX || this.entries.at(-1)?.text === text) return;
    this.entries.push({ text, kept: false });
    if (this.entries.length > LINES_MAX) this.entries.shift();
  }

  /** Keeps a line that was added, for later visits too. */
  keep(text: string): void {
    const entry = this.entries.findLast((candidate) => candidate.text === text);
    if (!entry || entry.kept) return;
    entry.kept = true;
    this.store?.write(this.entries.filter(({ kept }) => kept).map(({ text }) => text));
  }

  /** The latest line that goes on where `prefix` stops: what follows it, or nothing. */
  suggest(prefix: string): string {
    if (prefix.trim().length < 1) return "";
    for (let i = this.entries.length - 1; i >= 0; i--) {
      const { text } = this.entries[i]!;
      if (text.length > prefix.length && text.startsWith(prefix) && !text.includes("\n")) return text.slice(prefix.length);
    }
    return "";
  }

  /** The next entry from `from` (exclusive) in `direction` that holds `query`, and where in it. */
  search(query: string, from: number, direction: -1 | 1): { index: number; at: number } | null {
    if (query === "") return null;
    const wanted = query.toLowerCase();
    for (let index = from + direction; index >= 0 && index < this.entries.length; index += direction) {
      const at = this.entries[index]!.text.toLowerCase().indexOf(wanted);
      if (at >= 0) return { index, at };
    }
    return null;
  }
}

/** A place in the history while Up and Down walk it; the line being typed waits at the end. */
export class Walk {
  private index: number;
  private draft = "";

  constructor(private readonly history: History) {
    this.index = history.length;
  }

  move(direction: -1 | 1, current: string): string | null {
    const next = Math.min(this.index, this.history.length) + direction;
    if (next < 0 || next > this.history.length) return null;
    if (this.index >= this.history.length) this.draft = current;
    this.index = next;
    return next === this.history.length ? this.draft : (this.history.at(next) ?? null);
  }

  reset(): void {
    this.index = this.history.length;
    this.draft = "";
  }
}

/** Local storage may be forbidden or full; a history is never worth an error. */
export function localStore(key: string): HistoryStore {
  return {
    read() {
      try {
        const lines: unknown = JSON.parse(localStorage.getItem(key) ?? "[]");
        return Array.isArray(lines) ? lines.filter((line) => typeof line === "string") : [];
      } catch {
        return [];
      }
    },
    write(lines) {
      try {
        localStorage.setItem(key, JSON.stringify(lines));
      } catch {
        /* stays in memory */
      }
    },
  };
}

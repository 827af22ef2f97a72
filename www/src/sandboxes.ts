/**
 * The sandboxes of this browser: which one the page shows, and that one tab at a time writes it. A Web Lock says who; a
 * channel asks the tab that has it to give it up. It must not know what a sandbox holds.
 */

import { joined } from "./bytes";
import type { Host, NoticeKind } from "./host";
import type { Remote } from "./remote";
import type { Shelf } from "./shelf";
import { FIRST, Opening, Storage, Taken, fresh, type JournalStore, type Sandbox } from "./storage";

/** `kept` is written down; `copied` shows what another tab has and keeps nothing; `taken` was kept until another tab took it. */
export type Keeping = "opening" | "kept" | "copied" | "taken" | "unkept";

/** Why nothing is kept where it was before: the storage is full, its user has cleared it, or it fails otherwise. */
export type Trouble = "full" | "cleared" | "failing";

/** What the page does around a change of keyspaces. */
export interface Stage {
  /** Ends the connections of all terminals. */
  leave(): void;
  /** Connects all terminals to a keyspace. */
  enter(space: string): void;
  notice(text: string, kind?: NoticeKind): void;
}

/** How long a removed sandbox can be brought back. */
const GRACE_MS = 24 * 3600 * 1000;
/** How long another tab may take to give a sandbox up. */
const YIELD_MS = 1500;
const RELOAD_MS = 400;
/** About half a million commands, a second of playing. */
const JOURNAL_MAX = 16 * 1024 * 1024;
const LAST = "resplay.sandbox";
/** Long enough for a first prompt to be drawn. */
const LATER_MS = 80;

type Call = { t: "yield"; id: string } | { t: "changed" };

export class Sandboxes extends EventTarget {
  keeping: Keeping = "opening";
  current: Sandbox = fresh(FIRST, "My sandbox");
  /** The server elsewhere that the terminals speak to. */
  attached: Remote | null = null;
  /** An earlier visit left something in it. */
  returning = false;
  /** What came between, while nothing is kept. */
  trouble: Trouble | null = null;
  private storage: Storage | null = null;
  private store: JournalStore | null = null;
  private readonly tab = newId();
  private readonly channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("resplay-sandboxes");
  private release: (() => void) | null = null;
  private opened = false;
  /** The terminals have entered before the storage is open. */
  private early: Opening | null = null;
  private visiting: string | null = null;
  /** Bytes of a journal beyond which the next visit begins with a snapshot. */
  private readonly journalMax = Number(setting("resplay.journalMax")) || JOURNAL_MAX;

  constructor(
    private readonly host: Host,
    private readonly stage: Stage,
  ) {
    super();
    this.channel?.addEventListener("message", ({ data }: MessageEvent<Call>) => void this.hear(data));
  }

  /** The keyspace that terminals show. */
  get space(): string {
    return this.visiting ?? this.current.id;
  }

  get visits(): boolean {
    return this.visiting !== null;
  }

  /** Nothing tells of an earlier visit, so the terminals need not wait for the storage. */
  get entersEarly(): boolean {
    return this.early !== null;
  }

  /** Opens what was open last. The terminals may enter afterwards, or at once: see `entersEarly`. */
  async start(): Promise<void> {
    if (remembered() === null) {
      this.early = new Opening();
      this.host.addSpace(FIRST, this.early);
      // The engine first: until somebody changes data, nothing waits for this.
      await new Promise((resolve) => this.host.addEventListener("state", resolve, { once: true }));
      await new Promise((resolve) => setTimeout(resolve, LATER_MS));
    }
    try {
      this.storage = await Storage.open(this.lost);
      const all = await this.storage.list();
      for (const { id, removed } of all) {
        if (removed !== null && Date.now() - removed > GRACE_MS) void this.storage.erase(id).catch(() => {});
      }
      const alive = all.filter(({ removed }) => removed === null).sort((a, b) => b.used - a.used);
      const last = remembered();
      this.current = alive.find(({ id }) => id === last) ?? alive[0] ?? this.current;
      if (alive.length === 0) await this.storage.put(this.current);
    } catch {
      this.storage = null;
    }
    await this.begin(false);
    this.changed();
  }

  async list(): Promise<Sandbox[]> {
    const all = (await this.storage?.list()) ?? [];
    return all.sort((a, b) => a.made - b.made);
  }

  /** Whether anything can be kept here. */
  get keeps(): boolean {
    return this.storage !== null;
  }

  /** Shows another sandbox. `take` has the tab that writes it give it up; otherwise this one shows a copy. */
  async open(id: string, take = false): Promise<void> {
    const sandbox = await this.storage?.get(id);
    if (!sandbox || (id === this.current.id && this.keeping === "kept" && !this.visiting)) return;
    await this.end();
    this.current = sandbox;
    await this.begin(take);
    this.stage.enter(this.space);
    this.host.releaseOthers(this.space);
    // Told last: whoever hears of it may type at once.
    this.changed();
  }

  /** A new sandbox, with a journal to begin with; it is shown. */
  async create(name: string, journal: Uint8Array = new Uint8Array()): Promise<Sandbox | null> {
    const sandbox = fresh(newId(), name.trim() || "Sandbox", journal.length);
    if (!this.storage) return null;
    await this.storage.add(sandbox, journal);
    askToPersist();
    await this.open(sandbox.id);
    this.tell();
    return sandbox;
  }

  async rename(id: string, name: string): Promise<void> {
    if (name.trim() === "") return;
    await this.storage?.change(id, { name: name.trim() });
    if (id === this.current.id) this.current = { ...this.current, name: name.trim() };
    this.tell();
  }

  /** A copy of a sandbox, which is not shown. */
  async duplicate(id: string): Promise<Sandbox | null> {
    const sandbox = await this.storage?.get(id);
    if (!this.storage || !sandbox) return null;
    const copy = fresh(newId(), `${sandbox.name} (copy)`);
    await this.storage.add(copy, await this.journal(id));
    await this.storage.copyShelf(id, copy.id);
    this.tell();
    return copy;
  }

  /** Keeps what this tab shows, under a name of its own, and goes on there. */
  async keepAs(name: string): Promise<void> {
    await this.create(name, this.host.journal(this.space));
  }

  /** Takes a sandbox away; `restore` brings it back for a while. */
  async remove(id: string): Promise<void> {
    await this.storage?.change(id, { removed: Date.now() });
    if (id === this.current.id) {
      const other = (await this.list()).filter(({ removed }) => removed === null)[0];
      if (other) await this.open(other.id);
      else await this.create("My sandbox");
    }
    this.tell();
  }

  async restore(id: string): Promise<void> {
    await this.storage?.change(id, { removed: null });
    this.tell();
  }

  /** The journal of any sandbox, the open one included. */
  async journal(id: string): Promise<Uint8Array> {
    if (id === this.current.id) {
      await this.host.sync();
      return this.host.journal(id);
    }
    return joined((await this.storage?.journal(id)) ?? []);
  }

  /** What is kept beside the journal of the sandbox that is open; nothing while a visit is shown, or where nothing can be kept. */
  async shelf(): Promise<Shelf | null> {
    if (this.visiting || !this.storage) return null;
    return this.storage.shelf(this.current.id, this.keeping === "kept" ? this.tab : null);
  }

  // ---- Keyspaces that nobody keeps

  /** Shows a keyspace of its own for a while, such as a lesson's; `home` comes back. */
  visit(space: string, seed?: number, journal: Uint8Array = new Uint8Array(), remote: Remote | null = null): void {
    this.stage.leave();
    if (this.visiting) this.host.removeSpace(this.visiting);
    this.visiting = space;
    this.host.removeSpace(space);
    this.host.addSpace(space, null, journal.length > 0 ? [journal] : [], seed, remote);
    this.attached = remote;
    this.stage.enter(space);
    this.changed();
  }

  home(): void {
    if (!this.visiting) return;
    this.stage.leave();
    this.host.removeSpace(this.visiting);
    this.visiting = null;
    this.attached = null;
    this.stage.enter(this.space);
    this.changed();
  }

  // ---- Owning

  private async begin(take: boolean): Promise<void> {
    const { id } = this.current;
    if (take) this.channel?.postMessage({ t: "yield", id } satisfies Call);
    const owns = this.storage !== null && (await this.own(id, take));
    let kept: Uint8Array[] = [];
    try {
      if (owns) {
        const opened = await this.storage!.keep(id, this.tab, this.heardOf(id));
        kept = opened.kept;
        this.store = opened.store;
        if (sizeOf(kept) > this.journalMax) {
          kept = [await this.compacted(joined(kept))];
          opened.store.replace(kept[0]!);
        }
        this.place(id, opened.store, kept);
        this.keeping = "kept";
        remember(id);
      } else {
        kept = (await this.storage?.journal(id)) ?? [];
        this.place(id, null, kept);
        this.keeping = this.storage ? "copied" : "unkept";
      }
    } catch {
      this.place(id, null, []);
      this.keeping = "unkept";
    }
    this.returning = kept.length > 0;
    this.opened = true;
  }

  /** Puts the sandbox where the terminals are, or will be. One entered early goes on, unless there is something else after all. */
  private place(id: string, store: JournalStore | null, kept: Uint8Array[]): void {
    const { early } = this;
    this.early = null;
    if (early && id === FIRST && kept.length === 0) {
      if (store) this.host.keepIn(id, store);
      else this.host.detach(id);
    } else {
      if (early) this.stage.leave();
      if (early) this.host.removeSpace(FIRST);
      this.host.addSpace(id, store, kept);
      if (early) this.stage.enter(id);
    }
    early?.opened(store?.written() ?? null);
  }

  /** A journal that begins with all that this one leads to. A history of such length would hold up every visit to come. */
  private async compacted(journal: Uint8Array): Promise<Uint8Array> {
    this.host.warm();
    try {
      return (await this.host.job<Uint8Array | null>({ do: "compact", journal })) ?? journal;
    } catch {
      return journal;
    }
  }

  /** Leaves the open sandbox with all that was answered written down. */
  private async end(): Promise<void> {
    this.stage.leave();
    await this.host.sync();
    if (this.visiting) this.host.removeSpace(this.visiting);
    this.visiting = null;
    this.attached = null;
    if (this.opened) this.host.removeSpace(this.current.id);
    await this.letGo();
    this.opened = false;
  }

  private async letGo(): Promise<void> {
    await this.store?.close().catch(() => {});
    this.store = null;
    this.trouble = null;
    this.release?.();
    this.release = null;
  }

  /** True when this tab has the sandbox from now on. */
  private own(id: string, take: boolean): Promise<boolean> {
    if (!("locks" in navigator)) return Promise.resolve(true);
    return new Promise((resolve) => {
      let granted = false;
      const hold = (lock: Lock | null): Promise<void> | undefined => {
        resolve(lock !== null);
        if (lock === null) return undefined;
        granted = true;
        return new Promise<void>((free) => (this.release = free));
      };
      const name = `resplay-sandbox-${id}`;
      // One that was stolen rejects the request of the tab that had it.
      const lost = () => (this.opened && this.current.id === id && (this.keeping === "kept" || this.trouble) ? this.lose("taken") : resolve(false));
      const mine = sessionSetting() === id;
      if (!take && !mine) {
        navigator.locks.request(name, { ifAvailable: true }, hold).catch(lost);
        return;
      }
      // The page before a reload may need a moment to let go.
      const waited = AbortSignal.timeout(take ? YIELD_MS : RELOAD_MS);
      navigator.locks.request(name, { signal: waited }, hold).catch(() => {
        // The other tab is frozen: it cannot answer, and cannot write either.
        if (!granted && take) navigator.locks.request(name, { steal: true }, hold).catch(lost);
        else lost();
      });
    });
  }

  private async hear(call: Call): Promise<void> {
    if (call.t === "yield" && call.id === this.current.id && this.release) {
      await this.host.sync();
      this.lose("taken");
      await this.letGo();
    }
    if (call.t === "changed") this.changed();
  }

  /** Goes on with what it has, which nobody keeps. */
  private lose(how: Keeping): void {
    if (this.keeping !== "kept" && !this.trouble) return;
    this.host.detach(this.current.id);
    this.keeping = how;
    this.changed();
  }

  /** What a write tells: that it failed, or that all is written again. */
  private heardOf(id: string): (trouble: unknown) => void {
    return (reason) => {
      if (id !== this.current.id) return;
      if (reason instanceof Taken) {
        this.lose("taken");
        return;
      }
      const name = (reason as Error | null)?.name;
      this.fail(reason === null ? null : name === "QuotaExceededError" ? "full" : name === "NotFoundError" ? "cleared" : "failing");
    };
  }

  private fail(trouble: Trouble | null): void {
    if (trouble === this.trouble || this.keeping === "copied" || this.keeping === "taken") return;
    this.trouble = trouble;
    this.keeping = trouble ? "unkept" : "kept";
    if (trouble) this.stage.notice(`${TROUBLES[trouble]} All of it is still in this tab: “Save to a file” in the menu takes it along.`, "error");
    this.changed();
  }

  /** The database was closed by the browser: because its user cleared it, or for a reason of its own. */
  private readonly lost = async (): Promise<void> => {
    try {
      this.storage = await Storage.open(this.lost);
      const sandbox = await this.storage.get(this.current.id);
      if (this.keeping !== "kept" && !this.trouble) return;
      if (sandbox?.owner === this.tab) await this.keepAgain();
      else this.fail("cleared");
    } catch {
      this.fail("failing");
    }
  };

  /** Keeps once more what this tab has, after something came between. */
  async keepAgain(): Promise<void> {
    if (this.trouble === "full") {
      await this.store?.again();
      return;
    }
    const { id } = this.current;
    await this.store?.close().catch(() => {});
    const storage = await Storage.open(this.lost);
    if (!(await storage.get(id))) await storage.put({ ...this.current, place: undefined });
    this.storage = storage;
    this.store = (await storage.keep(id, this.tab, this.heardOf(id))).store;
    this.trouble = null;
    this.keeping = "kept";
    this.host.keepIn(id, this.store);
    await this.store.again();
    this.tell();
  }

  private tell(): void {
    this.channel?.postMessage({ t: "changed" } satisfies Call);
    this.changed();
  }

  private changed(): void {
    this.dispatchEvent(new Event("change"));
  }
}

const TROUBLES: Record<Trouble, string> = {
  full: "The browser has no room left for this sandbox, so what follows is not kept.",
  cleared: "The storage of this page was cleared, so the sandbox is not kept any more.",
  failing: "The browser does not keep what is written, so what follows may be lost.",
};

/** Or the browser may clear the sandboxes when room is short. Asked when something is made to last, for it may ask its user. */
function askToPersist(): void {
  navigator.storage?.persist?.().catch(() => {});
}

/** A page that came from another machine without TLS has no `crypto.randomUUID`. */
function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function sizeOf(chunks: Uint8Array[]): number {
  return chunks.reduce((sum, chunk) => sum + chunk.length, 0);
}

/** Each tab its own, a new tab the one used last. */
function remembered(): string | null {
  try {
    return sessionStorage.getItem(LAST) ?? localStorage.getItem(LAST);
  } catch {
    return null;
  }
}

/** For tests. */
function setting(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

function sessionSetting(): string | null {
  try {
    return sessionStorage.getItem(LAST);
  } catch {
    return null;
  }
}

function remember(id: string): void {
  try {
    sessionStorage.setItem(LAST, id);
    localStorage.setItem(LAST, id);
  } catch {
    /* the one used last is opened next time */
  }
}

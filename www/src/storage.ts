/**
 * Where sandboxes outlive the page: their records in IndexedDB, their journals in files of the origin's private file system,
 * or in IndexedDB too where there are no such files. Here is what a visit begins with; `journals.ts` writes.
 */

import { joined } from "./bytes";
import type { Shelf } from "./shelf";

const DATABASE = "resplay";
export const SANDBOXES = "sandboxes";
/** Journals that are not in files. */
export const CHUNKS = "chunks";
/** What stands beside the sandboxes' own journals, and its bytes; see `shelf.ts`. */
export const SHELF = "shelf";
export const SHELF_BYTES = "shelf-bytes";
/** A write that takes longer than this is not waited for: the page must answer. */
const PATIENCE_MS = 1000;
/** One that failed is tried again with what follows it, but not more often than this. */
const AGAIN_MS = 1000;

export interface JournalStore {
  append(bytes: Uint8Array): void;
  /** Puts `bytes` in the place of all that is kept; afterwards either the one or the other is there. */
  replace(bytes: Uint8Array | null): void;
  /** Settles once all that was given is written, or cannot be; nothing when it is already. */
  written(): Promise<void> | null;
  /** Tries once more what could not be written. */
  again(): Promise<void>;
  /** Lets go, with all written. */
  close(): Promise<void>;
  /** Its place is still to be opened. */
  readonly opening: boolean;
}

/** What a {@link JournalStore} writes with. */
export interface Backend {
  write(bytes: Uint8Array, afresh: boolean): Promise<void>;
  close(): Promise<void>;
}

export interface Sandbox {
  id: string;
  name: string;
  made: number;
  used: number;
  /** Of its journal. */
  bytes: number;
  /** Which tab may write. */
  owner: string;
  /** When it was removed; it can be brought back for a while. */
  removed: number | null;
  /** Where its journal is; in IndexedDB when this is missing. */
  place?: "files" | undefined;
}

export interface Chunk {
  sandbox: string;
  bytes: Uint8Array;
}

/** What was read of a journal. */
export interface Kept {
  chunks: Uint8Array[];
  /** The file it is in, and where what is sound of it ends. */
  file: { generation: number; end: number } | null;
}

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 3);
    request.onupgradeneeded = ({ oldVersion }) => upgrade(request.result, request.transaction!, oldVersion);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("the database is in use by an older version of this page"));
  });
}

function upgrade(database: IDBDatabase, transaction: IDBTransaction, from: number): void {
  database.createObjectStore(SHELF, { keyPath: ["sandbox", "name"] });
  database.createObjectStore(SHELF_BYTES);
  if (from > 1) return;
  database.createObjectStore(SANDBOXES, { keyPath: "id" });
  const chunks = database.createObjectStore(CHUNKS, { autoIncrement: true });
  chunks.createIndex("sandbox", "sandbox");
  if (from !== 1) return;
  // There was one session, and it had no name.
  const request = transaction.objectStore("journal").getAll();
  request.onsuccess = () => {
    const bytes = joined(request.result as Uint8Array[]);
    if (bytes.length > 0) {
      chunks.add({ sandbox: FIRST, bytes } satisfies Chunk);
      transaction.objectStore(SANDBOXES).add(fresh(FIRST, "My sandbox", bytes.length));
    }
    database.deleteObjectStore("journal");
  };
}

/** The sandbox of those who never asked for one. */
export const FIRST = "main";

export function fresh(id: string, name: string, bytes = 0): Sandbox {
  return { id, name, made: Date.now(), used: Date.now(), bytes, owner: "", removed: null };
}

export function asked<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Another tab has the sandbox. */
export class Taken extends Error {}

export function done(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new Taken("the sandbox belongs to another tab now"));
  });
}

/** Changes a record, and what else the transaction is for; not when it belongs to another than `owner`, if one is named. */
export function changed(transaction: IDBTransaction, id: string, owner: string | null, to: (sandbox: Sandbox) => Sandbox): void {
  const store = transaction.objectStore(SANDBOXES);
  const request = store.get(id) as IDBRequest<Sandbox | undefined>;
  request.onsuccess = () => {
    if (owner !== null && request.result?.owner !== owner) transaction.abort();
    else if (request.result) store.put(to(request.result));
  };
}

/** Takes away what a sandbox has now; not what the same transaction adds later, as a cursor that walks would. */
export function clearChunks(transaction: IDBTransaction, id: string): void {
  const chunks = transaction.objectStore(CHUNKS);
  const request = chunks.index("sandbox").getAllKeys(IDBKeyRange.only(id));
  request.onsuccess = () => {
    for (const key of request.result) chunks.delete(key);
  };
}

/** Stands for a store until it can be opened, so that what changes data is answered only when that has written it. */
export class Opening implements JournalStore {
  readonly opening = true;
  /** Tells what has come of it. */
  opened!: (writing: Promise<void> | null) => void;
  private readonly done = new Promise<void>((resolve) => (this.opened = (writing) => resolve(writing ?? undefined)));

  append(): void {}
  replace(): void {}
  async again(): Promise<void> {}
  async close(): Promise<void> {}

  written(): Promise<void> {
    return inTime(this.done);
  }
}

function inTime(writing: Promise<void>): Promise<void> {
  return Promise.race([writing, new Promise<void>((resolve) => setTimeout(resolve, PATIENCE_MS))]);
}

export class Storage {
  private constructor(
    private readonly database: IDBDatabase,
    lost: () => void,
  ) {
    // A newer version of the page in another tab must not wait for this one.
    database.onversionchange = () => database.close();
    database.onclose = lost;
  }

  /** `lost` hears of a browser that takes it all away, as its user may want. */
  static async open(lost: () => void): Promise<Storage> {
    return new Storage(await open(), lost);
  }

  async list(): Promise<Sandbox[]> {
    const store = this.database.transaction(SANDBOXES).objectStore(SANDBOXES);
    return asked(store.getAll() as IDBRequest<Sandbox[]>);
  }

  async get(id: string): Promise<Sandbox | undefined> {
    return asked(this.database.transaction(SANDBOXES).objectStore(SANDBOXES).get(id) as IDBRequest<Sandbox | undefined>);
  }

  /** Makes or changes a sandbox's record. */
  async put(sandbox: Sandbox): Promise<void> {
    const transaction = this.write();
    transaction.objectStore(SANDBOXES).put(sandbox);
    await done(transaction);
  }

  /** Changes parts of a record, whoever owns it. */
  async change(id: string, parts: Partial<Sandbox>): Promise<void> {
    const transaction = this.write();
    changed(transaction, id, null, (sandbox) => ({ ...sandbox, ...parts }));
    await done(transaction);
  }

  /** Makes a sandbox with a journal. */
  async add(sandbox: Sandbox, journal: Uint8Array): Promise<void> {
    const { addSandbox } = await import("./journals");
    await addSandbox(this.database, sandbox, journal);
  }

  async journal(id: string): Promise<Uint8Array[]> {
    const sandbox = await this.get(id);
    return sandbox ? (await this.read(sandbox)).chunks : [];
  }

  /** For good. */
  async erase(id: string): Promise<void> {
    const transaction = this.database.transaction([SANDBOXES, CHUNKS, SHELF, SHELF_BYTES], "readwrite");
    transaction.objectStore(SANDBOXES).delete(id);
    clearChunks(transaction, id);
    for (const store of [SHELF, SHELF_BYTES]) transaction.objectStore(store).delete(IDBKeyRange.bound([id], [id, []]));
    await done(transaction);
    await (await import("./journals")).removeFiles(id).catch(() => {});
  }

  /** What stands beside a sandbox's journal; `owner` is null for one that may only look. */
  async shelf(id: string, owner: string | null): Promise<Shelf> {
    const { Shelf } = await import("./shelf");
    return new Shelf(this.database, id, owner);
  }

  async copyShelf(from: string, to: string): Promise<void> {
    const { copyShelf } = await import("./shelf");
    await copyShelf(this.database, from, to);
  }

  /** The journal of a sandbox that `owner` has taken. `told` hears of a write that did not come through, and of the next one that did. */
  async keep(id: string, owner: string, told: (trouble: unknown) => void): Promise<{ store: JournalStore; kept: Uint8Array[] }> {
    await this.change(id, { owner, used: Date.now() });
    const sandbox = (await this.get(id))!;
    const before = await this.read(sandbox);
    const open = async () => (await import("./journals")).openBackend(this.database, sandbox, owner, before);
    // The page will add to what it has; what was read stays as it is.
    return { store: new Writer(open, told), kept: [...before.chunks] };
  }

  private async read(sandbox: Sandbox): Promise<Kept> {
    if (sandbox.place === "files") return (await import("./journals")).readFile(sandbox.id);
    const index = this.database.transaction(CHUNKS).objectStore(CHUNKS).index("sandbox");
    const chunks = await asked(index.getAll(IDBKeyRange.only(sandbox.id)) as IDBRequest<Chunk[]>);
    return { chunks: chunks.map(({ bytes }) => bytes), file: null };
  }

  private write(): IDBTransaction {
    return this.database.transaction(SANDBOXES, "readwrite", { durability: "relaxed" });
  }
}

/** Writes at once, and together what comes in while a write is under way. What cannot be written waits for the next try. */
class Writer implements JournalStore {
  private backend: Backend | null = null;
  private waiting: Uint8Array[] = [];
  private afresh = false;
  private writing: Promise<void> | null = null;
  /** When a write failed, until one succeeds. */
  private failedAt: number | null = null;
  private ended = false;

  constructor(
    private readonly open: () => Promise<Backend>,
    private readonly told: (trouble: unknown) => void,
  ) {}

  get opening(): boolean {
    return this.backend === null;
  }

  append(bytes: Uint8Array): void {
    this.waiting.push(bytes);
    this.begin();
  }

  replace(bytes: Uint8Array | null): void {
    this.waiting = bytes === null ? [] : [bytes];
    this.afresh = true;
    this.begin(true);
  }

  written(): Promise<void> | null {
    if (!this.writing || this.failedAt !== null) return null;
    return inTime(this.writing);
  }

  async again(): Promise<void> {
    this.begin(true);
    await this.writing;
  }

  async close(): Promise<void> {
    await this.writing;
    this.ended = true;
    await this.backend?.close();
  }

  private begin(now = false): void {
    if (this.ended || (!now && this.failedAt !== null && Date.now() - this.failedAt < AGAIN_MS)) return;
    this.writing ??= this.writeAll();
  }

  private async writeAll(): Promise<void> {
    try {
      this.backend ??= await this.open();
      while (!this.ended && (this.waiting.length > 0 || this.afresh)) await this.writeSome(this.backend);
      if (this.failedAt !== null) this.told(null);
      this.failedAt = null;
    } catch (reason) {
      this.ended = reason instanceof Taken;
      if (this.failedAt === null || this.ended) this.told(reason);
      this.failedAt = Date.now();
    }
    this.writing = null;
  }

  private async writeSome(backend: Backend): Promise<void> {
    const [bytes, afresh] = [joined(this.waiting), this.afresh];
    this.waiting = [];
    this.afresh = false;
    try {
      await backend.write(bytes, afresh);
    } catch (reason) {
      // Unless all was replaced meanwhile, it comes before what came in.
      if (!this.afresh) this.waiting.unshift(bytes);
      this.afresh ||= afresh;
      throw reason;
    }
  }
}

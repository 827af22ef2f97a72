/**
 * Where sandboxes outlive the page: IndexedDB, one record a sandbox, its journal in chunks beside it. A write names the
 * owner that the record must still have, so a tab that lost a sandbox cannot write into it any more.
 */

import { joined } from "./bytes";
import type { Shelf } from "./shelf";

const DATABASE = "resplay";
export const SANDBOXES = "sandboxes";
/** What stands beside the sandboxes' own journals, and its bytes; see `shelf.ts`. */
export const SHELF = "shelf";
export const SHELF_BYTES = "shelf-bytes";
const CHUNKS = "chunks";
/** A write that takes longer than this is not waited for: the page must answer. */
const PATIENCE_MS = 1000;
/** Chunks of a journal beyond which they are made one when it is read. */
const CHUNKS_MAX = 64;

export interface JournalStore {
  append(bytes: Uint8Array): void;
  /** Puts `bytes` in the place of all that is kept, in one transaction, so that it cannot tear. */
  replace(bytes: Uint8Array | null): void;
  /** Settles once all that was given is written, or cannot be; nothing when it is already. */
  written(): Promise<void> | null;
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
}

interface Chunk {
  sandbox: string;
  bytes: Uint8Array;
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

export function done(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new Error("the sandbox belongs to another tab now"));
  });
}

export class Storage {
  private constructor(private readonly database: IDBDatabase) {
    // A newer version of the page in another tab must not wait for this one.
    database.onversionchange = () => database.close();
  }

  static async open(): Promise<Storage> {
    return new Storage(await open());
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
    const store = transaction.objectStore(SANDBOXES);
    const request = store.get(id) as IDBRequest<Sandbox | undefined>;
    request.onsuccess = () => {
      if (request.result) store.put({ ...request.result, ...parts });
    };
    await done(transaction);
  }

  /** Makes a sandbox with a journal. */
  async add(sandbox: Sandbox, journal: Uint8Array): Promise<void> {
    const transaction = this.write();
    transaction.objectStore(SANDBOXES).put({ ...sandbox, bytes: journal.length });
    if (journal.length > 0) transaction.objectStore(CHUNKS).add({ sandbox: sandbox.id, bytes: journal } satisfies Chunk);
    await done(transaction);
  }

  async journal(id: string): Promise<Uint8Array[]> {
    const index = this.database.transaction(CHUNKS).objectStore(CHUNKS).index("sandbox");
    const chunks = await asked(index.getAll(IDBKeyRange.only(id)) as IDBRequest<Chunk[]>);
    return chunks.map(({ bytes }) => bytes);
  }

  /** For good. */
  async erase(id: string): Promise<void> {
    const transaction = this.database.transaction([SANDBOXES, CHUNKS, SHELF, SHELF_BYTES], "readwrite");
    transaction.objectStore(SANDBOXES).delete(id);
    clear(transaction, id);
    for (const store of [SHELF, SHELF_BYTES]) transaction.objectStore(store).delete(IDBKeyRange.bound([id], [id, []]));
    await done(transaction);
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

  private write(): IDBTransaction {
    return this.database.transaction([SANDBOXES, CHUNKS], "readwrite", { durability: "relaxed" });
  }

  /** The journal of a sandbox that `owner` has taken. `failed` hears of the first write that did not come through. */
  async keep(id: string, owner: string, failed: (reason: unknown) => void): Promise<{ store: JournalStore; kept: Uint8Array[] }> {
    await this.change(id, { owner, used: Date.now() });
    const kept = await this.journal(id);
    const store = new Writer(() => this.write(), id, owner, failed);
    // One record reads faster than the many that a visit leaves.
    if (kept.length > CHUNKS_MAX) store.replace(joined(kept));
    return { store, kept };
  }
}

/** Takes away what a sandbox has now; not what the same transaction adds later, as a cursor that walks would. */
function clear(transaction: IDBTransaction, id: string): void {
  const chunks = transaction.objectStore(CHUNKS);
  const request = chunks.index("sandbox").getAllKeys(IDBKeyRange.only(id));
  request.onsuccess = () => {
    for (const key of request.result) chunks.delete(key);
  };
}

/** Writes at once, and together what comes in while a write is under way. */
class Writer implements JournalStore {
  private waiting: Uint8Array[] = [];
  private afresh = false;
  private writing: Promise<void> | null = null;
  private ended = false;

  constructor(
    private readonly begin: () => IDBTransaction,
    private readonly id: string,
    private readonly owner: string,
    private readonly failed: (reason: unknown) => void,
  ) {}

  append(bytes: Uint8Array): void {
    this.waiting.push(bytes);
    this.writing ??= this.writeAll();
  }

  replace(bytes: Uint8Array | null): void {
    this.waiting = bytes === null ? [] : [bytes];
    this.afresh = true;
    this.writing ??= this.writeAll();
  }

  written(): Promise<void> | null {
    if (!this.writing) return null;
    return Promise.race([this.writing, new Promise<void>((resolve) => setTimeout(resolve, PATIENCE_MS))]);
  }

  private async writeAll(): Promise<void> {
    while (!this.ended && (this.waiting.length > 0 || this.afresh)) {
      const [bytes, afresh] = [joined(this.waiting), this.afresh];
      this.waiting = [];
      this.afresh = false;
      try {
        await this.writeOne(bytes, afresh);
      } catch (reason) {
        // What follows would not fit behind a gap.
        this.ended = true;
        this.failed(reason);
      }
    }
    this.writing = null;
  }

  private writeOne(bytes: Uint8Array, afresh: boolean): Promise<void> {
    const transaction = this.begin();
    const records = transaction.objectStore(SANDBOXES);
    const request = records.get(this.id) as IDBRequest<Sandbox | undefined>;
    request.onsuccess = () => {
      const sandbox = request.result;
      if (sandbox?.owner !== this.owner) {
        transaction.abort();
        return;
      }
      if (afresh) clear(transaction, this.id);
      if (bytes.length > 0) transaction.objectStore(CHUNKS).add({ sandbox: this.id, bytes } satisfies Chunk);
      const before = afresh ? 0 : sandbox.bytes;
      records.put({ ...sandbox, bytes: before + bytes.length, used: Date.now() });
    };
    return done(transaction);
  }
}

/**
 * Where journals are written: into files by the keeper where the browser has such files, otherwise into IndexedDB. A journal
 * moves from one to the other when it is opened; the record of its sandbox says where it is, and changes last.
 */

import { joined } from "./bytes";
import { FOLDER, unframed } from "./frames";
import type { Done, Order } from "./keeper";
import keeperUrl from "./keeper.ts?worker&url";
import { CHUNKS, SANDBOXES, asked, changed, clearChunks, done, type Backend, type Chunk, type Kept, type Sandbox } from "./storage";

/** Chunks of a journal beyond which they are made one when it is opened. */
const CHUNKS_MAX = 64;
/** How long the record may be behind its journal. */
const RECORD_MS = 500;
/** Files beyond this are looked through by the keeper. */
const LARGE = 1024 * 1024;
/** A folder that belongs to no record for so long is what a crash has left. */
const ORPHAN_MS = 24 * 3600 * 1000;

// ---- The keeper

let worker: Worker | null = null;
let sequence = 0;
const waiting = new Map<number, { resolve(read: Done["read"]): void; reject(reason: unknown): void }>();

function order(what: Order): Promise<Done["read"]> {
  worker ??= hired();
  const seq = ++sequence;
  worker.postMessage({ ...what, seq });
  return new Promise((resolve, reject) => waiting.set(seq, { resolve, reject }));
}

function hired(): Worker {
  const keeper = new Worker(new URL(keeperUrl, import.meta.url), { type: "module" });
  keeper.onmessage = ({ data: { seq, failed, read } }: MessageEvent<Done>) => {
    const asker = waiting.get(seq);
    waiting.delete(seq);
    if (failed) asker?.reject(new DOMException(failed.message, failed.name));
    else asker?.resolve(read);
  };
  keeper.onerror = (event) => {
    event.preventDefault();
    worker = null;
    for (const { reject } of waiting.values()) reject(new Error("the script that keeps files could not be loaded"));
    waiting.clear();
  };
  return keeper;
}

/** Web Locks see to it that one tab writes; where they are missing, each transaction does. */
function filesPossible(): boolean {
  return "locks" in navigator && "storage" in navigator && "getDirectory" in navigator.storage;
}

const isNamed = (reason: unknown, ...names: string[]) => names.includes((reason as Error)?.name);

// ---- Opening

async function files(): Promise<FileSystemDirectoryHandle> {
  return (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER);
}

export async function removeFiles(id: string): Promise<void> {
  await (await files()).removeEntry(id, { recursive: true });
}

/** The latest file that begins soundly: one that was to take its place may have come to nothing. */
export async function readFile(id: string): Promise<Kept> {
  const none: Kept = { chunks: [], file: null };
  const folder = await files()
    .then((all) => all.getDirectoryHandle(id))
    .catch((reason: Error) => (reason.name === "NotFoundError" ? null : Promise.reject(reason)));
  if (!folder) return none;
  const names: number[] = [];
  for await (const name of (folder as unknown as { keys(): AsyncIterable<string> }).keys()) names.push(Number(name));
  for (const generation of names.sort((a, b) => b - a)) {
    const file = await (await folder.getFileHandle(String(generation))).getFile();
    const here = async () => unframed(new Uint8Array(await file.arrayBuffer()));
    const found = await (file.size > LARGE ? order({ do: "read", id, generation }).catch(here) : here());
    if (found) return { chunks: found.bytes.length > 0 ? [found.bytes] : [], file: { generation, end: found.end } };
  }
  return none;
}

/** What writes the journal of a sandbox that `owner` has; `before` is what was read of it. */
export async function openBackend(database: IDBDatabase, sandbox: Sandbox, owner: string, before: Kept): Promise<Backend> {
  const { id } = sandbox;
  if (filesPossible()) {
    try {
      // The page reads them, so it must be let in as well.
      await navigator.storage.getDirectory();
      if (sandbox.place !== "files") {
        await order({ do: "renew", id, bytes: joined(before.chunks) });
        await move(database, id, owner, "files", null);
      } else {
        await openFile(id, before);
      }
      void tidy(database).catch(() => {});
      return new Files(database, id, before);
    } catch (reason) {
      if (isNamed(reason, "QuotaExceededError") && sandbox.place === "files") throw reason;
    }
  }
  if (sandbox.place === "files") await move(database, id, owner, undefined, joined(before.chunks));
  const chunks = new Chunks(database, id, owner);
  if (before.chunks.length > CHUNKS_MAX) await chunks.write(joined(before.chunks), true);
  return chunks;
}

async function openFile(id: string, { file, chunks }: Kept): Promise<void> {
  if (file) {
    try {
      await order({ do: "open", id, ...file });
      return;
    } catch (reason) {
      // A tab that is frozen holds it: what follows goes into a new file.
      if (!isNamed(reason, "NoModificationAllowedError")) throw reason;
    }
  }
  await order({ do: "renew", id, bytes: joined(chunks) });
}

/** Says where the journal is from now on, and removes or brings what IndexedDB has of it, in one transaction. */
async function move(database: IDBDatabase, id: string, owner: string, place: Sandbox["place"], journal: Uint8Array | null): Promise<void> {
  const transaction = writing(database);
  changed(transaction, id, owner, (sandbox) => {
    clearChunks(transaction, id);
    if (journal && journal.length > 0) transaction.objectStore(CHUNKS).add({ sandbox: id, bytes: journal } satisfies Chunk);
    return { ...sandbox, place };
  });
  await done(transaction);
}

function writing(database: IDBDatabase): IDBTransaction {
  return database.transaction([SANDBOXES, CHUNKS], "readwrite", { durability: "relaxed" });
}

/** Makes a sandbox with a journal. */
export async function addSandbox(database: IDBDatabase, sandbox: Sandbox, journal: Uint8Array): Promise<void> {
  const { id } = sandbox;
  let place: Sandbox["place"];
  if (filesPossible()) {
    try {
      await navigator.storage.getDirectory();
      await order({ do: "renew", id, bytes: journal });
      await order({ do: "close", id });
      place = "files";
    } catch (reason) {
      if (isNamed(reason, "QuotaExceededError")) throw reason;
    }
  }
  const transaction = writing(database);
  transaction.objectStore(SANDBOXES).put({ ...sandbox, bytes: journal.length, place });
  if (!place && journal.length > 0) transaction.objectStore(CHUNKS).add({ sandbox: id, bytes: journal } satisfies Chunk);
  await done(transaction);
}

/** Removes the folders of sandboxes that are not there: of one that was being made, or erased, when all ended. */
async function tidy(database: IDBDatabase): Promise<void> {
  const ids = new Set(await asked(database.transaction(SANDBOXES).objectStore(SANDBOXES).getAllKeys()));
  const folder = await files();
  const entries = (folder as unknown as { entries(): AsyncIterable<[string, FileSystemDirectoryHandle]> }).entries();
  for await (const [id, sandbox] of entries) {
    if (ids.has(id)) continue;
    let latest = 0;
    for await (const file of (sandbox as unknown as { values(): AsyncIterable<FileSystemFileHandle> }).values()) {
      latest = Math.max(latest, (await file.getFile()).lastModified);
    }
    if (Date.now() - latest > ORPHAN_MS) await folder.removeEntry(id, { recursive: true });
  }
}

// ---- Writing

class Files implements Backend {
  private bytes: number;
  private late: ReturnType<typeof setTimeout> | null = null;

  constructor(
    private readonly database: IDBDatabase,
    private readonly id: string,
    before: Kept,
  ) {
    this.bytes = before.chunks.reduce((sum, { length }) => sum + length, 0);
  }

  async write(bytes: Uint8Array, afresh: boolean): Promise<void> {
    if (!afresh && bytes.length === 0) return;
    await order({ do: afresh ? "renew" : "append", id: this.id, bytes });
    this.bytes = (afresh ? 0 : this.bytes) + bytes.length;
    if (afresh) await this.note();
    else this.late ??= setTimeout(() => void this.note(), RECORD_MS);
  }

  async close(): Promise<void> {
    await this.note();
    await order({ do: "close", id: this.id });
  }

  /** The list of the sandboxes shows it; nothing else depends on it. */
  private async note(): Promise<void> {
    if (this.late !== null) clearTimeout(this.late);
    this.late = null;
    try {
      const transaction = this.database.transaction(SANDBOXES, "readwrite", { durability: "relaxed" });
      changed(transaction, this.id, null, (sandbox) => ({ ...sandbox, bytes: this.bytes, used: Date.now() }));
      await done(transaction);
    } catch {
      /* next time */
    }
  }
}

/** Each write names the owner that the record must still have, so a tab that lost a sandbox cannot write into it any more. */
class Chunks implements Backend {
  constructor(
    private readonly database: IDBDatabase,
    private readonly id: string,
    private readonly owner: string,
  ) {}

  async write(bytes: Uint8Array, afresh: boolean): Promise<void> {
    const transaction = writing(this.database);
    changed(transaction, this.id, this.owner, (sandbox) => {
      if (afresh) clearChunks(transaction, this.id);
      if (bytes.length > 0) transaction.objectStore(CHUNKS).add({ sandbox: this.id, bytes } satisfies Chunk);
      return { ...sandbox, bytes: (afresh ? 0 : sandbox.bytes) + bytes.length, used: Date.now() };
    });
    await done(transaction);
  }

  async close(): Promise<void> {}
}

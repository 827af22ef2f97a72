/** Where a session's journal outlives the page: IndexedDB, one owner at a time by a Web Lock. */

import { joined } from "./bytes";

const DATABASE = "resplay";
const STORE = "journal";
const WRITE_EVERY_MS = 100;

export interface JournalStore {
  read(): Promise<Uint8Array[]>;
  append(bytes: Uint8Array): void;
  /** Puts `bytes` in the place of all that is kept, in one transaction, so that it cannot tear. */
  replace(bytes: Uint8Array | null): void;
}

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { autoIncrement: true });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("the database is in use by an older version of this page"));
  });
}

/** Opens the store; `failed` hears of the first write that did not come through. */
export async function openJournal(failed: (reason: unknown) => void): Promise<JournalStore> {
  const database = await open();
  let waiting: Uint8Array[] = [];
  let scheduled = false;
  let writtenAt = 0;

  function write(run: (store: IDBObjectStore) => void): void {
    try {
      const transaction = database.transaction(STORE, "readwrite", { durability: "relaxed" });
      run(transaction.objectStore(STORE));
      transaction.onabort = () => failed(transaction.error);
    } catch (reason) {
      failed(reason);
    }
  }

  function flush(): void {
    scheduled = false;
    writtenAt = performance.now();
    const blob = joined(waiting);
    waiting = [];
    if (blob.length > 0) write((store) => store.add(blob));
  }

  return {
    read: () =>
      new Promise((resolve, reject) => {
        const request = database.transaction(STORE, "readonly").objectStore(STORE).getAll();
        request.onsuccess = () => resolve(request.result.filter((chunk) => chunk instanceof Uint8Array));
        request.onerror = () => reject(request.error);
      }),
    append(bytes) {
      waiting.push(bytes);
      if (scheduled) return;
      scheduled = true;
      // At once after a pause, together while much comes in.
      if (performance.now() - writtenAt > WRITE_EVERY_MS) queueMicrotask(flush);
      else setTimeout(flush, WRITE_EVERY_MS);
    },
    replace(bytes) {
      waiting = [];
      write((store) => {
        store.clear();
        if (bytes !== null) store.add(bytes);
      });
    },
  };
}

/** True when this page now owns the stored session, until it closes; false when another page does. */
export async function ownSession(): Promise<boolean> {
  if (!("locks" in navigator)) return true;
  return new Promise((resolve) => {
    navigator.locks
      .request("resplay-session", { ifAvailable: true }, (lock) => {
        resolve(lock !== null);
        return lock === null ? undefined : new Promise<void>(() => {});
      })
      .catch(() => resolve(false));
  });
}

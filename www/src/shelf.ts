/**
 * What is kept beside a sandbox's own journal: further pieces by name, such as branches of its session. They are duplicated
 * and erased along with their sandbox. It must not know what a piece holds; it is loaded when somebody has one to keep.
 */

import { SANDBOXES, SHELF, SHELF_BYTES, asked, done, type Sandbox } from "./storage";

export interface Shelved {
  /** Of its sandbox alone. */
  name: string;
  made: number;
  /** How much its bytes are. */
  size: number;
  /** Whatever whoever put it there wants to know before reading it. */
  note: unknown;
}

interface Entry extends Shelved {
  sandbox: string;
}

export class Shelf {
  constructor(
    private readonly database: IDBDatabase,
    private readonly sandbox: string,
    /** The tab that may write; nobody where this one shows a copy. */
    private readonly owner: string | null,
  ) {}

  /** What is there, in the order it was made; without its bytes. */
  async list(): Promise<Shelved[]> {
    const store = this.database.transaction(SHELF).objectStore(SHELF);
    const entries = await asked(store.getAll(ofSandbox(this.sandbox)) as IDBRequest<Entry[]>);
    return entries.map(({ name, made, size, note }) => ({ name, made, size, note })).sort((a, b) => a.made - b.made);
  }

  async read(name: string): Promise<Uint8Array | null> {
    const store = this.database.transaction(SHELF_BYTES).objectStore(SHELF_BYTES);
    return (await asked(store.get([this.sandbox, name]) as IDBRequest<Uint8Array | undefined>)) ?? null;
  }

  /** Puts a piece there, in the place of the one that has this name. Once this settles it is written; an error says that it is not. */
  async put(name: string, bytes: Uint8Array, note: unknown = null): Promise<void> {
    await this.write((entries, contents) => {
      entries.put({ sandbox: this.sandbox, name, made: Date.now(), size: bytes.length, note } satisfies Entry);
      contents.put(bytes, [this.sandbox, name]);
    });
  }

  /** Gives a piece another name, or another note, or both. */
  async change(name: string, parts: { name?: string; note?: unknown }): Promise<void> {
    const to = parts.name ?? name;
    await this.write((entries, contents) => {
      const request = entries.get([this.sandbox, name]) as IDBRequest<Entry | undefined>;
      request.onsuccess = () => {
        if (!request.result) return;
        entries.delete([this.sandbox, name]);
        entries.put({ ...request.result, ...parts, name: to });
      };
      if (to === name) return;
      const bytes = contents.get([this.sandbox, name]) as IDBRequest<Uint8Array | undefined>;
      bytes.onsuccess = () => {
        if (!bytes.result) return;
        contents.delete([this.sandbox, name]);
        contents.put(bytes.result, [this.sandbox, to]);
      };
    });
  }

  async remove(name: string): Promise<void> {
    await this.write((entries, contents) => {
      entries.delete([this.sandbox, name]);
      contents.delete([this.sandbox, name]);
    });
  }

  /** All in one transaction, which holds only while the sandbox is still this tab's. */
  private async write(run: (entries: IDBObjectStore, contents: IDBObjectStore) => void): Promise<void> {
    if (this.owner === null) throw new Error("this tab shows a copy, which nobody keeps");
    const transaction = this.database.transaction([SANDBOXES, SHELF, SHELF_BYTES], "readwrite", { durability: "relaxed" });
    const request = transaction.objectStore(SANDBOXES).get(this.sandbox) as IDBRequest<Sandbox | undefined>;
    request.onsuccess = () => {
      if (request.result?.owner !== this.owner) transaction.abort();
      else run(transaction.objectStore(SHELF), transaction.objectStore(SHELF_BYTES));
    };
    await done(transaction);
  }
}

/** Puts all that stands beside one sandbox beside another too. */
export async function copyShelf(database: IDBDatabase, from: string, to: string): Promise<void> {
  const transaction = database.transaction([SHELF, SHELF_BYTES], "readwrite", { durability: "relaxed" });
  const [entries, contents] = [transaction.objectStore(SHELF), transaction.objectStore(SHELF_BYTES)];
  const request = entries.getAll(ofSandbox(from)) as IDBRequest<Entry[]>;
  request.onsuccess = () => {
    for (const entry of request.result) {
      const bytes = contents.get([from, entry.name]) as IDBRequest<Uint8Array>;
      bytes.onsuccess = () => {
        entries.put({ ...entry, sandbox: to });
        contents.put(bytes.result, [to, entry.name]);
      };
    }
  };
  await done(transaction);
}

function ofSandbox(id: string): IDBKeyRange {
  return IDBKeyRange.bound([id], [id, []]);
}

/**
 * The worker that writes journals into the origin's private file system: only a worker may, and this one never waits for the
 * engine. A sandbox has a folder; in it the file with the highest number that begins soundly counts. It must not know what a journal says.
 */

import { joined } from "./bytes";
import { FOLDER, headOf, unframed } from "./frames";

/** A tab that is gone may hold its file for a moment longer. */
const TRIES = 15;
const TRY_MS = 40;

/** Shorter bytes are written in one call with what stands before them. */
const TOGETHER = 64 * 1024;

export type Order =
  /** Goes on behind `end` in a file that is there; what follows it was never answered. */
  | { do: "open"; id: string; generation: number; end: number }
  /** Begins a new file with all that is to be kept, which then takes the place of those before. */
  | { do: "renew"; id: string; bytes: Uint8Array }
  | { do: "append"; id: string; bytes: Uint8Array }
  | { do: "close"; id: string }
  /** What is sound in a file, for a page that has better to do than to look through a large one. */
  | { do: "read"; id: string; generation: number };

export interface Done {
  seq: number;
  failed: { name: string; message: string } | null;
  read: { bytes: Uint8Array<ArrayBuffer>; end: number } | null;
}

/** As TypeScript's library for pages does not know it. Older browsers answer promises. */
interface AccessHandle {
  write(bytes: Uint8Array, options: { at: number }): number;
  truncate(size: number): void | Promise<void>;
  flush(): void | Promise<void>;
  close(): void | Promise<void>;
}

interface Opened {
  folder: FileSystemDirectoryHandle;
  handle: AccessHandle;
  generation: number;
  end: number;
}

const open = new Map<string, Opened>();
let before: Promise<void> = Promise.resolve();

self.onmessage = ({ data }: MessageEvent<Order & { seq: number }>) => {
  before = before.then(async () => {
    let [failed, read]: [Done["failed"], Done["read"]] = [null, null];
    try {
      if (data.do === "read") read = await soundIn(data.id, data.generation);
      else await obey(data);
    } catch (reason) {
      const { name, message } = reason as Error;
      failed = { name, message };
    }
    (self as unknown as Worker).postMessage({ seq: data.seq, failed, read } satisfies Done, read ? [read.bytes.buffer] : []);
  });
};

async function obey(order: Exclude<Order, { do: "read" }>): Promise<void> {
  switch (order.do) {
    case "open":
      await close(order.id);
      return goOn(order.id, order.generation, order.end);
    case "renew":
      return renew(order.id, order.bytes);
    case "append":
      return append(open.get(order.id), order.bytes);
    case "close":
      return close(order.id);
  }
}

async function folderOf(id: string): Promise<FileSystemDirectoryHandle> {
  const root = await navigator.storage.getDirectory();
  return (await root.getDirectoryHandle(FOLDER, { create: true })).getDirectoryHandle(id, { create: true });
}

async function soundIn(id: string, generation: number): Promise<Done["read"]> {
  const file = await (await (await folderOf(id)).getFileHandle(String(generation))).getFile();
  return unframed(new Uint8Array(await file.arrayBuffer()));
}

async function access(folder: FileSystemDirectoryHandle, name: string, create: boolean, tries: number): Promise<AccessHandle> {
  const file = (await folder.getFileHandle(name, { create })) as FileSystemFileHandle & { createSyncAccessHandle(): Promise<AccessHandle> };
  for (let left = tries; ; left--) {
    try {
      return await file.createSyncAccessHandle();
    } catch (reason) {
      if ((reason as Error).name !== "NoModificationAllowedError" || left <= 1) throw reason;
      await new Promise((resolve) => setTimeout(resolve, TRY_MS));
    }
  }
}

async function goOn(id: string, generation: number, end: number): Promise<void> {
  const folder = await folderOf(id);
  const handle = await access(folder, String(generation), false, TRIES);
  await handle.truncate(end);
  open.set(id, { folder, handle, generation, end });
}

async function renew(id: string, bytes: Uint8Array): Promise<void> {
  const folder = await folderOf(id);
  const names: string[] = [];
  for await (const name of (folder as unknown as { keys(): AsyncIterable<string> }).keys()) names.push(name);
  const generation = Math.max(0, ...names.map(Number).filter(Number.isSafeInteger)) + 1;
  const handle = await access(folder, String(generation), true, 1);
  const opened: Opened = { folder, handle, generation, end: 0 };
  try {
    await append(opened, bytes);
  } catch (reason) {
    await handle.close();
    await folder.removeEntry(String(generation)).catch(() => {});
    throw reason;
  }
  await close(id);
  open.set(id, opened);
  // One that a frozen tab still holds stays; it does not count any more.
  for (const name of names) await folder.removeEntry(name).catch(() => {});
}

async function append(opened: Opened | undefined, bytes: Uint8Array): Promise<void> {
  if (!opened) throw new DOMException("the file is not open", "InvalidStateError");
  const { folder, handle, generation, end } = opened;
  try {
    let at = end;
    const head = headOf(bytes, end);
    for (const part of bytes.length <= TOGETHER ? [joined([head, bytes])] : [head, bytes]) {
      const written = handle.write(part, { at });
      // A full disk is told by a number that is too small, or none at all.
      if (written !== part.length) throw new DOMException("the browser has no room for so much", "QuotaExceededError");
      at += written;
    }
    await handle.flush();
    opened.end = at;
  } catch (reason) {
    // When the user has cleared the storage, a write fails for no reason that it tells.
    await folder.getFileHandle(String(generation)).catch(() => {
      throw new DOMException("the storage was cleared", "NotFoundError");
    });
    await handle.truncate(end);
    throw reason;
  }
}

async function close(id: string): Promise<void> {
  const opened = open.get(id);
  open.delete(id);
  await opened?.handle.close();
}

// Where sandboxes are kept: files, IndexedDB where there are none, and what happens when either gives way.

import { expect, test, type Page } from "@playwright/test";
import { Playground } from "../playground.ts";

// Pages that come and go: slow on a machine that builds something else meanwhile.
test.setTimeout(120_000);

const status = (page: Page) => page.getByRole("status").first();

interface Found {
  /** Of each folder, its files and their sizes. */
  files: Record<string, [string, number][]>;
  places: Record<string, string | undefined>;
  chunks: number;
}

/** What the browser holds, as an outsider sees it. */
function found(page: Page): Promise<Found> {
  return page.evaluate(async () => {
    const files: Record<string, [string, number][]> = {};
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle("resplay").catch(() => null);
    for await (const [id, sandbox] of (folder as unknown as { entries(): AsyncIterable<[string, FileSystemDirectoryHandle]> } | null)?.entries() ?? []) {
      files[id] = [];
      for await (const [name, file] of (sandbox as unknown as { entries(): AsyncIterable<[string, FileSystemFileHandle]> }).entries()) {
        files[id].push([name, (await file.getFile()).size]);
      }
      files[id].sort();
    }
    const database = await new Promise<IDBDatabase>((resolve) => {
      const request = indexedDB.open("resplay");
      request.onsuccess = () => resolve(request.result);
    });
    const all = <T>(store: string) =>
      new Promise<T[]>((resolve) => {
        const request = database.transaction(store).objectStore(store).getAll();
        request.onsuccess = () => resolve(request.result as T[]);
      });
    const records = await all<{ id: string; place?: string }>("sandboxes");
    const chunks = (await all("chunks")).length;
    database.close();
    return { files, places: Object.fromEntries(records.map(({ id, place }) => [id, place])), chunks };
  });
}

/** Takes the private file system away, as some browsers do in their private windows. */
async function withoutFiles(page: Page): Promise<void> {
  await page.addInitScript(() => {
    navigator.storage.getDirectory = () => Promise.reject(new DOMException("Security error when calling GetDirectory", "SecurityError"));
  });
}

async function kill(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const crashed = page.waitForEvent("crash");
  void session.send("Page.crash").catch(() => {});
  await crashed;
}

test("a journal is a file, of which a torn end is cut off", async ({ page, context }) => {
  const playground = await Playground.open(page);
  await playground.run("SET whole yes");
  await playground.run("INCR n");
  await expect(playground.log()).toContainText("(integer) 1");
  const { files, places, chunks } = await found(page);
  expect(places).toEqual({ main: "files" });
  expect(chunks).toBe(0);
  expect(files["main"]!.length).toBe(1);
  await kill(page);
  const blank = await context.newPage();
  await blank.goto("./icon.svg");
  // A crash in the middle of a write: a frame that promises more than there is.
  for (const tail of [[9, 0, 0, 0, 1, 2, 3, 4, 5], new Array(64).fill(0), [1, 0, 0, 0, 1, 2, 3, 4, 77]]) {
    await expect
      .poll(() =>
        blank.evaluate(async (bytes) => {
          const folder = await (await (await navigator.storage.getDirectory()).getDirectoryHandle("resplay")).getDirectoryHandle("main");
          for await (const file of (folder as unknown as { values(): AsyncIterable<FileSystemFileHandle> }).values()) {
            const { size } = await file.getFile();
            const writing = await file.createWritable({ keepExistingData: true }).catch(() => null);
            if (!writing) return false;
            await writing.write({ type: "write", position: size, data: new Uint8Array(bytes) });
            await writing.close();
          }
          return true;
        }, tail),
      )
      .toBe(true);
    const again = await Playground.open(await context.newPage());
    await expect(status(again.page)).toContainText("is kept");
    await again.run("INCR n");
    await expect(again.log()).toContainText(/\(integer\) \d/);
    await again.run("GET whole");
    await expect(again.log()).toContainText('"yes"');
    await again.page.close();
  }
  const last = await Playground.open(await context.newPage());
  await last.run("GET n");
  await expect(last.log()).toContainText('"4"');
});

test("a file that was to take the place of another and is not whole does not count", async ({ page, context }) => {
  const playground = await Playground.open(page);
  await playground.run("SET whole yes");
  await expect(playground.log()).toContainText("OK");
  const before = (await found(page)).files["main"]![0]![0];
  await page.close();
  const blank = await context.newPage();
  await blank.goto("./icon.svg");
  await blank.evaluate(async (name) => {
    const folder = await (await (await navigator.storage.getDirectory()).getDirectoryHandle("resplay")).getDirectoryHandle("main");
    const writing = await (await folder.getFileHandle(name, { create: true })).createWritable();
    await writing.write(new TextEncoder().encode("RPKEPT01\x40\0\0\0abcdefgh"));
    await writing.close();
  }, String(Number(before) + 1));
  const again = await Playground.open(blank);
  await again.run("GET whole");
  await expect(again.log()).toContainText('"yes"');
  // What is begun anew removes both.
  await blank.getByRole("button", { name: "Start over" }).click();
  await blank.locator("#ask").getByRole("button", { name: "Start over" }).click();
  await again.run("SET after yes");
  await expect(again.log()).toContainText("OK");
  expect((await found(blank)).files["main"]!.map(([name]) => Number(name))).toEqual([Number(before) + 3]);
  await blank.reload();
  await again.ready();
  await again.run("MGET whole after");
  await expect.poll(() => again.text()).toMatch(/1\) \(nil\)\n2\) "yes"$/);
});

test("where there are no files IndexedDB keeps, and what it has moves once there are", async ({ page, context }) => {
  await withoutFiles(page);
  const playground = await Playground.open(page);
  await playground.run("SET kept 1");
  await expect(playground.log()).toContainText("OK");
  await expect(status(page)).toContainText("is kept");
  await page.reload();
  await playground.ready();
  await playground.run("INCR kept");
  await expect(playground.log()).toContainText("(integer) 2");
  await kill(page);
  const blank = await context.newPage();
  await blank.goto("./icon.svg");
  const old = await found(blank);
  expect(old.places).toEqual({ main: undefined });
  expect(old.chunks).toBeGreaterThan(0);
  // What a move that was killed in the middle leaves: a whole file, and a record that does not know of it.
  await blank.evaluate(async () => {
    const all = await (await navigator.storage.getDirectory()).getDirectoryHandle("resplay", { create: true });
    const file = await (await all.getDirectoryHandle("main", { create: true })).getFileHandle("1", { create: true });
    const writing = await file.createWritable();
    await writing.write(new TextEncoder().encode("RPKEPT01"));
    await writing.close();
  });
  const moved = await Playground.open(blank);
  await moved.run("INCR kept");
  await expect(moved.log()).toContainText("(integer) 3");
  const now = await found(blank);
  expect(now.places).toEqual({ main: "files" });
  expect(now.chunks).toBe(0);
  expect(now.files["main"]!.map(([name]) => name)).toEqual(["2"]);
  await kill(blank);
  const again = await Playground.open(await context.newPage());
  await again.run("INCR kept");
  await expect(again.log()).toContainText("(integer) 4");
});

test("sandboxes of the page before there were files are taken over, whole", async ({ page }) => {
  const playground = await Playground.open(page);
  await playground.run("SET from before");
  await playground.run("INCR n");
  await expect(playground.log()).toContainText("(integer) 1");
  const journal = await page.locator("redis-playground").evaluate((element) => {
    const { host } = element as unknown as { host: { journal(space: string): Uint8Array } };
    return [...host.journal("main")];
  });
  const session = await page.context().newCDPSession(page);
  await page.goto("./icon.svg");
  await session.send("Storage.clearDataForOrigin", { origin: new URL(page.url()).origin, storageTypes: "indexeddb,file_systems" });
  // As that page left it: the journal in many chunks, a name of its own, another sandbox.
  await page.evaluate(async (bytes) => {
    const request = indexedDB.open("resplay", 2);
    request.onupgradeneeded = () => {
      const sandboxes = request.result.createObjectStore("sandboxes", { keyPath: "id" });
      const chunks = request.result.createObjectStore("chunks", { autoIncrement: true });
      chunks.createIndex("sandbox", "sandbox");
      const record = { made: 1, used: 2, bytes: bytes.length, owner: "gone", removed: null };
      sandboxes.add({ ...record, id: "main", name: "Älteste" });
      sandboxes.add({ ...record, id: "other", name: "Other", used: 1 });
      for (const sandbox of ["main", "other"]) for (let at = 0; at < bytes.length; at++) chunks.add({ sandbox, bytes: new Uint8Array([bytes[at]!]) });
    };
    await new Promise((resolve) => (request.onsuccess = resolve));
    request.result.close();
  }, journal);
  await page.goto("./");
  await playground.ready();
  await expect(status(page)).toContainText("“Älteste” is kept");
  await playground.run("INCR n");
  await expect(playground.log()).toContainText("(integer) 2");
  expect((await found(page)).places).toEqual({ main: "files", other: undefined });
  const panel = await playground.panel("Sandbox");
  await panel.locator("li .name").filter({ hasText: "Other" }).click();
  await expect(status(page)).toContainText("“Other” is kept");
  await playground.run("GET from");
  await expect(playground.log()).toContainText('"before"');
  const { places, chunks } = await found(page);
  expect([places, chunks]).toEqual([{ main: "files", other: "files" }, 0]);
});

test("where the keeper of files does not start, what files hold moves to IndexedDB", async ({ page }) => {
  const playground = await Playground.open(page);
  await playground.run("SET kept 1");
  await expect(playground.log()).toContainText("OK");
  expect((await found(page)).places).toEqual({ main: "files" });
  await page.route(/\/assets\/keeper-.*\.js$/, (route) => route.abort());
  await page.reload();
  await playground.ready();
  await playground.run("INCR kept");
  await expect(playground.log()).toContainText("(integer) 2");
  await expect(status(page)).toContainText("is kept");
  expect((await found(page)).places).toEqual({ main: undefined });
  await page.unroute(/\/assets\/keeper-.*\.js$/);
  await page.reload();
  await playground.ready();
  await playground.run("INCR kept");
  await expect(playground.log()).toContainText("(integer) 3");
  expect((await found(page)).places).toEqual({ main: "files" });
});

test("a full disk is told, nothing is lost meanwhile, and all is written once there is room", async ({ page, context }) => {
  const playground = await Playground.open(page);
  await playground.run("SET small 1");
  await expect(playground.log()).toContainText("OK");
  const session = await context.newCDPSession(page);
  const origin = new URL(page.url()).origin;
  const { usage } = await session.send("Storage.getUsageAndQuota", { origin });
  await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: usage + 20_000 });
  await playground.run(`SET large "${"x".repeat(200_000)}"`);
  await expect(status(page)).toContainText("is not kept now");
  await expect(playground.log()).toContainText("no room left");
  await playground.run("INCR small");
  await expect(playground.log()).toContainText("(integer) 2");
  const panel = await playground.panel("Sandbox");
  await expect(panel).toContainText("Nothing is lost while this tab is open");
  await panel.getByRole("button", { name: "Try again" }).click();
  await expect(status(page)).toContainText("is not kept now");
  // The engine fails as well, and the session is still there.
  await playground.crash();
  await expect(playground.log()).toContainText("The engine crashed");
  await session.send("Storage.overrideQuotaForOrigin", { origin });
  await panel.getByRole("button", { name: "Try again" }).click();
  await expect(status(page)).toContainText("is kept");
  await playground.run("INCR small");
  await expect(playground.log()).toContainText("(integer) 3");
  await page.reload();
  await playground.ready();
  await playground.run("STRLEN large");
  await expect(playground.log()).toContainText("(integer) 200000");
  await playground.run("GET small");
  await expect(playground.log()).toContainText('"3"');
});

test("storage that is cleared under an open sandbox is told, and can be filled again", async ({ page, context }) => {
  const playground = await Playground.open(page);
  await playground.run("SET here 1");
  await expect(playground.log()).toContainText("OK");
  const session = await context.newCDPSession(page);
  await session.send("Storage.clearDataForOrigin", { origin: new URL(page.url()).origin, storageTypes: "indexeddb,file_systems" });
  await playground.run("INCR here");
  await expect(playground.log()).toContainText("(integer) 2");
  await expect(status(page)).toContainText("is not kept now");
  await expect(playground.log()).toContainText("was cleared");
  const panel = await playground.panel("Sandbox");
  await panel.getByRole("button", { name: "Keep it again" }).click();
  await expect(status(page)).toContainText("is kept");
  await playground.run("INCR here");
  await expect(playground.log()).toContainText("(integer) 3");
  await page.reload();
  await playground.ready();
  await playground.run("GET here");
  await expect(playground.log()).toContainText('"3"');
});

test("a frozen tab loses its sandbox, and what it writes later does no harm", async ({ page, context }) => {
  const first = await Playground.open(page);
  await first.run("SET mine 1");
  await expect(first.log()).toContainText("OK");
  // Frozen: it hears no request to let go, and its keeper still holds the file.
  await page.evaluate(() => {
    BroadcastChannel.prototype.postMessage = () => {};
    const { sandboxes } = document.querySelector("redis-playground") as unknown as { sandboxes: { channel: BroadcastChannel } };
    sandboxes.channel.close();
  });
  const second = await Playground.open(await context.newPage());
  const panel = await second.panel("Sandbox");
  await panel.getByRole("button", { name: "Use it here" }).click();
  await expect(status(second.page)).toContainText("is kept");
  await second.run("INCR mine");
  await expect(second.log()).toContainText("(integer) 2");
  await expect(status(page)).toContainText("another tab keeps");
  await first.run("INCRBY mine 100");
  await expect(first.log()).toContainText("(integer) 101");
  await kill(page);
  await second.page.reload();
  await second.ready();
  await second.run("INCR mine");
  await expect(second.log()).toContainText("(integer) 3");
});

test("many sandboxes with names of all scripts, opened one after another", async ({ page }) => {
  test.setTimeout(120_000);
  const playground = await Playground.open(page);
  const names = Array.from({ length: 30 }, (_, at) => `Sándbox ${at} – 砂場 🏖️ "<b>"`);
  await page.locator("redis-playground").evaluate(
    async (element, all) => {
      const { sandboxes } = element as unknown as { sandboxes: { create(name: string): Promise<unknown> } };
      for (const name of all) await sandboxes.create(name);
    },
    names,
  );
  await playground.run("SET in last");
  await expect(playground.log()).toContainText("OK");
  const panel = await playground.panel("Sandbox");
  await expect(panel.locator("li .name")).toHaveCount(31);
  for (const name of [names[3]!, names[17]!]) {
    await panel.locator("li .name").filter({ hasText: name }).click();
    await expect(status(page)).toContainText(name);
    await playground.run(`SET in "${name.slice(0, 10)}"`);
    await expect(playground.log()).toContainText("OK");
  }
  await page.reload();
  await playground.ready();
  await expect(status(page)).toContainText(names[17]!);
  await playground.run("GET in");
  await expect(playground.log()).toContainText("ndbox 17");
  await panel.locator("li .name").filter({ hasText: names[29]! }).click();
  await expect(status(page)).toContainText(names[29]!);
  await playground.run("GET in");
  await expect(playground.log()).toContainText('"last"');
});

// Sandboxes: kept in the browser, one tab at a time, nothing lost that was answered.

import { expect, test, type Locator, type Page } from "@playwright/test";
import { Playground } from "../playground.ts";

function panel(page: Page): Locator {
  return page.locator("rp-sandboxes");
}

async function open(page: Page): Promise<void> {
  if (!(await panel(page).isVisible())) await page.locator('[data-panel="sandboxes"]').click();
  await expect(panel(page)).toBeVisible();
}

const named = (page: Page, name: string) => panel(page).locator(".name").filter({ hasText: name });
const actions = (page: Page, name: string) => panel(page).getByRole("group", { name, exact: true });

test("several are kept apart, and the one used last opens after a reload", async ({ page }) => {
  const playground = await Playground.open(page);
  await playground.run("SET where first");
  await expect(playground.log()).toContainText("OK");
  await open(page);
  await panel(page).getByRole("button", { name: "New" }).click();
  await expect(page.getByRole("status").first()).toContainText("Sandbox 2");
  await playground.run("GET where");
  await expect(playground.log()).toContainText("(nil)");
  await playground.run("SET where second");
  await expect(playground.log()).toContainText("OK");
  await page.reload();
  await playground.ready();
  await expect(page.getByRole("status").first()).toContainText("Sandbox 2");
  await playground.run("GET where");
  await expect(playground.log()).toContainText('"second"');
  await open(page);
  await named(page, "My sandbox").click();
  await expect(page.getByRole("status").first()).toContainText("My sandbox");
  await playground.run("GET where");
  await expect(playground.log()).toContainText('"first"');
});

test("they are renamed, duplicated, removed, and brought back", async ({ page }) => {
  const playground = await Playground.open(page);
  await playground.run("SET a 1");
  await expect(playground.log()).toContainText("OK");
  await open(page);
  await actions(page, "My sandbox").getByRole("button", { name: "Duplicate" }).click();
  await actions(page, "My sandbox (copy)").getByRole("button", { name: "Rename" }).click();
  await page.keyboard.type("Experiment");
  await page.keyboard.press("Enter");
  await named(page, "Experiment").click();
  await expect(page.getByRole("status").first()).toContainText("Experiment");
  await playground.run("GET a");
  await expect(playground.log()).toContainText('"1"');
  await actions(page, "Experiment").getByRole("button", { name: "Remove" }).click();
  await expect(named(page, "Experiment")).toBeHidden();
  await expect(named(page, "My sandbox")).toHaveAttribute("aria-current", "true");
  await panel(page).getByRole("button", { name: "Undo" }).click();
  await expect(named(page, "Experiment")).toBeVisible();
  await named(page, "Experiment").click();
  await expect(page.getByRole("status").first()).toContainText("Experiment");
  await playground.run("INCR a");
  await expect(playground.log()).toContainText("(integer) 2");
});

test("clients of an earlier visit are gone when a sandbox is opened again", async ({ page }) => {
  const playground = await Playground.open(page);
  await playground.run("BLPOP jobs 0");
  await expect(playground.lane("Client A")).toContainText("waiting");
  await open(page);
  await panel(page).getByRole("button", { name: "New" }).click();
  await expect(page.getByRole("status").first()).toContainText("Sandbox 2");
  await named(page, "My sandbox").click();
  await expect(page.getByRole("status").first()).toContainText("My sandbox");
  await playground.ready();
  await playground.run("RPUSH jobs one");
  await playground.run("LLEN jobs");
  await expect.poll(() => playground.text()).toMatch(/LLEN jobs\n\(integer\) 1$/);
  await page.reload();
  await playground.ready();
  await playground.run("CLIENT LIST");
  await expect(playground.log()).toContainText("id=");
  expect((await playground.text()).match(/id=\d+/g)!.length).toBe(1);
});

test("a second tab sees a copy, says so, and can take over with nothing lost", async ({ page, context }) => {
  const first = await Playground.open(page);
  await first.run("SET mine 1");
  await expect(first.log()).toContainText("OK");
  const second = await Playground.open(await context.newPage());
  await expect(second.page.getByRole("status").first()).toContainText("another tab");
  await second.run("INCR mine");
  await expect(second.log()).toContainText("(integer) 2");
  await first.run("INCRBY mine 40");
  await expect(first.log()).toContainText("(integer) 41");
  await open(second.page);
  await panel(second.page).getByRole("button", { name: "Use it here" }).click();
  await expect(second.page.getByRole("status").first()).toContainText("is kept");
  await second.run("GET mine");
  await expect(second.log()).toContainText('"41"');
  await expect(page.getByRole("status").first()).toContainText("another tab keeps");
  // What the first tab does from now on is its own.
  await first.run("SET mine lost");
  await expect(first.log()).toContainText("OK");
  await second.page.reload();
  await second.ready();
  await second.run("GET mine");
  await expect(second.log()).toContainText('"41"');
  await open(page);
  await panel(page).getByRole("button", { name: "Use it here" }).click();
  await expect(page.getByRole("status").first()).toContainText("is kept");
  await first.run("GET mine");
  await expect(first.log()).toContainText('"41"');
});

test("a copy can be kept under a name of its own", async ({ page, context }) => {
  const first = await Playground.open(page);
  await first.run("SET mine 1");
  await expect(first.log()).toContainText("OK");
  const second = await Playground.open(await context.newPage());
  await second.run("SET mine 2");
  await expect(second.log()).toContainText("OK");
  await open(second.page);
  await panel(second.page).getByRole("button", { name: "Keep this copy" }).click();
  await expect(second.page.getByRole("status").first()).toContainText("“My sandbox (copy)” is kept");
  await second.run("GET mine");
  await expect(second.log()).toContainText('"2"');
});

test("what was answered is there after the tab is killed", async ({ page, context }) => {
  const playground = await Playground.open(page);
  await playground.run("300 INCR n");
  await expect(playground.log()).toContainText("(integer) 300");
  // Killed without a chance to say good-bye.
  const session = await context.newCDPSession(page);
  const crashed = page.waitForEvent("crash");
  void session.send("Page.crash").catch(() => {});
  await crashed;
  const again = await Playground.open(await context.newPage());
  await again.run("GET n");
  await expect(again.log()).toContainText('"300"');
  await expect(again.page.getByRole("status").first()).toContainText("is kept");
});

test("a long history gives way to a snapshot at the next visit, and nothing is missing", async ({ page }) => {
  const playground = await Playground.open(page);
  await page.evaluate(() => localStorage.setItem("resplay.journalMax", "20000"));
  await playground.run("HSET user:1 name Ada");
  await playground.run("SET soon gone EX 1000");
  await playground.run("CONFIG SET maxmemory-policy allkeys-lru");
  await playground.run("2000 INCR n");
  await expect(playground.log()).toContainText("(integer) 2000");
  await open(page);
  await expect(named(page, "My sandbox")).toContainText("KB");
  await page.reload();
  await playground.ready();
  await playground.run("MGET n soon");
  await expect(playground.log()).toContainText('1) "2000"');
  await playground.run("INCR n");
  await expect(playground.log()).toContainText("(integer) 2001");
  await expect.poll(() => named(page, "My sandbox").textContent()).toMatch(/[\d.]+ (bytes|KB)/);
  expect(parseFloat((await named(page, "My sandbox").textContent())!.split("·")[1]!)).toBeLessThan(20_000);
  await page.reload();
  await playground.ready();
  await playground.run("HGET user:1 name");
  await expect(playground.log()).toContainText('"Ada"');
  await playground.run("GET n");
  await expect(playground.log()).toContainText('"2001"');
  await playground.run("CONFIG GET maxmemory-policy");
  await expect(playground.log()).toContainText('"allkeys-lru"');
});

test("what stands beside a sandbox is kept, renamed, duplicated and erased with it", async ({ page, context }) => {
  interface Shelf {
    list(): Promise<{ name: string; size: number; note: unknown }[]>;
    read(name: string): Promise<Uint8Array | null>;
    put(name: string, bytes: Uint8Array, note?: unknown): Promise<void>;
    change(name: string, parts: object): Promise<void>;
    remove(name: string): Promise<void>;
  }
  type WithShelf = HTMLElement & { sandboxes: { shelf(): Promise<Shelf> } };
  const playground = await Playground.open(page);
  const element = page.locator("redis-playground");
  await element.evaluate(async (host: WithShelf) => {
    const shelf = await host.sandboxes.shelf();
    await shelf.put("Zweig ünicode 🌿", new Uint8Array([1, 2, 3]), { moment: 7 });
    await shelf.put("other", new Uint8Array([9]));
    await shelf.put("other", new Uint8Array([8, 8]));
    await shelf.change("other", { name: "renamed" });
    await shelf.put("gone", new Uint8Array(1));
    await shelf.remove("gone");
  });
  await page.reload();
  await playground.ready();
  const told = () =>
    element.evaluate(async (host: WithShelf) => {
      const shelf = await host.sandboxes.shelf();
      const all = await shelf.list();
      return Promise.all(all.map(async ({ name, size, note }) => [name, size, note, [...((await shelf.read(name)) ?? [])]]));
    });
  const all = [
    ["Zweig ünicode 🌿", 3, { moment: 7 }, [1, 2, 3]],
    ["renamed", 2, null, [8, 8]],
  ];
  expect(await told()).toEqual(all);
  await open(page);
  await actions(page, "My sandbox").getByRole("button", { name: "Duplicate" }).click();
  await named(page, "My sandbox (copy)").click();
  await expect(page.getByRole("status").first()).toContainText("“My sandbox (copy)” is kept");
  expect(await told()).toEqual(all);
  // A tab that shows a copy may look, and not write.
  const second = await Playground.open(await context.newPage());
  await expect(second.page.getByRole("status").first()).toContainText("another tab");
  const refused = await second.page.locator("redis-playground").evaluate(async (host: WithShelf) => {
    const shelf = await host.sandboxes.shelf();
    return [(await shelf.list()).length, await shelf.put("no", new Uint8Array(1)).catch((reason: Error) => reason.message)];
  });
  expect(refused).toEqual([2, "this tab shows a copy, which nobody keeps"]);
});

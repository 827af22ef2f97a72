// The values of a reply: keys to inspect, parts to copy, other views; lines that want a file.

import { expect, test, type Page } from "@playwright/test";
import { Playground } from "../playground.ts";

const copied = (page: Page) => page.evaluate(() => navigator.clipboard.readText());
const bar = (page: Page) => page.getByRole("toolbar", { name: "Show this reply as" });

async function filled(page: Page): Promise<Playground> {
  const playground = await Playground.open(page);
  for (const line of ['SET "user:1 ☃" "a\\nb"', "HSET user:2 name Ann age 41", "RPUSH list x y"]) await playground.run(line);
  return playground;
}

test("a key that is pressed is shown", async ({ page }) => {
  const playground = await filled(page);
  await playground.run("KEYS user:*");
  await playground.log().locator(".c-key", { hasText: "user:2" }).click();
  const keys = page.getByRole("region", { name: "Keys", exact: true });
  await expect(keys).toContainText("Ann");
  await playground.log().locator(".c-key", { hasText: "user:1" }).click();
  await expect(keys).toContainText("3 bytes");
  await bar(page).getByRole("button", { name: "copy value" }).click();
  await expect.poll(() => copied(page)).toBe("user:1 ☃");
});

test("each value can be copied, in every view", async ({ page }) => {
  const playground = await filled(page);
  await playground.run("HGETALL user:2");
  const copy = bar(page).getByRole("button", { name: "copy value" });
  await playground.log().getByText('"Ann"').click();
  await copy.click();
  await expect.poll(() => copied(page)).toBe("Ann");
  await bar(page).getByRole("button", { name: "table" }).click();
  await playground.log().getByRole("cell", { name: "41" }).click();
  await copy.click();
  await expect.poll(() => copied(page)).toBe("41");
  await bar(page).getByRole("button", { name: "csv" }).click();
  await playground.log().getByText('"age"').click();
  await copy.click();
  await expect.poll(() => copied(page)).toBe("age");
  expect(await playground.text()).toContain('"name","Ann","age","41"');
});

test("the keyboard reaches every value", async ({ page }) => {
  const playground = await filled(page);
  await playground.run("SCAN 0 MATCH l*");
  await expect(playground.log()).toContainText('"list"');
  await page.keyboard.press("Alt+v");
  await expect(bar(page).getByRole("button", { name: "text", exact: true })).toBeFocused();
  // The number, the cursor, the number of the list, the number of the key, the key.
  for (let step = 0; step < 5; step++) {
    await page.keyboard.press("ArrowDown");
    await expect(playground.log().locator(".picked:focus")).toHaveCount(1);
    await page.waitForTimeout(50);
  }
  await expect(playground.log().locator(".picked")).toHaveText('"list"');
  await page.keyboard.press("c");
  await expect.poll(() => copied(page)).toBe("list");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("region", { name: "Keys", exact: true })).toContainText("2 elements");
  await page.keyboard.press("Escape");
  await expect(playground.prompt()).toBeFocused();
});

test("lines that want a file get it", async ({ page }) => {
  const playground = await Playground.open(page);
  const dialog = page.getByRole("dialog");
  await playground.run("--eval add.lua n , 5");
  await expect(dialog).toContainText("add.lua");
  await dialog.getByLabel("A file").setInputFiles({
    name: "add.lua",
    mimeType: "text/plain",
    buffer: Buffer.from("return redis.call('INCRBY', KEYS[1], ARGV[1])"),
  });
  await expect(playground.log()).toContainText("(integer) 5");
  await expect(playground.prompt()).toBeFocused();
  await playground.run("redis-cli --pipe < commands.txt");
  await dialog.getByLabel("or text").fill("SET a 1\nINCR a\nNOPE");
  await dialog.getByRole("button", { name: "Use the text" }).click();
  await expect(playground.log()).toContainText("errors: 1, replies: 3");
  await playground.run("-x SET note");
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await expect(playground.log()).toContainText("No file, so nothing was done.");
  await expect(playground.promptText()).toHaveText("127.0.0.1:6379> ");
});

test("what is wrong is marked while it is typed", async ({ page }) => {
  const playground = await Playground.open(page);
  await playground.prompt().pressSequentially("GETT ");
  await expect(playground.ghost()).toContainText("Did you mean GET?");
  await expect(playground.lane("Client A").locator(".wrong")).toHaveText("GETT ");
  await playground.prompt().fill("SET key value EXX 5");
  await expect(playground.ghost()).toContainText("What may come here: NX, XX");
  await expect(playground.lane("Client A").locator(".wrong")).toHaveText("EXX 5");
});

test("the prompt says what it waits for", async ({ page }) => {
  const playground = await Playground.open(page);
  await playground.run("SUBSCRIBE news");
  await expect(playground.ghost()).toHaveText("Reading messages... (press Ctrl-C to quit or any key to type command)");
  await playground.prompt().pressSequentially("PING ");
  await expect(playground.ghost()).toHaveText("[message]");
  await playground.prompt().press("Control+c");
  await playground.prompt().press("Control+c");
  await playground.run("MONITOR");
  await expect(playground.ghost()).toContainText("press Ctrl-C to quit");
});

test("what can be done with a reply goes away with it", async ({ page }) => {
  const playground = await Playground.open(page);
  await playground.run("RPUSH l a b");
  await playground.run("LRANGE l 0 -1");
  await expect(playground.log()).toContainText('2) "b"');
  await playground.prompt().press("Alt+v");
  const bar = page.getByRole("toolbar", { name: "Show this reply as" });
  await expect(bar).toBeVisible();
  await playground.lane("Client A").getByRole("button", { name: "Clear" }).click();
  await expect(bar).toBeHidden();
});

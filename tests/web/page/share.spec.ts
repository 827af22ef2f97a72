// Sessions as links: shown first, run on demand.

import { expect, test, type Locator, type Page } from "@playwright/test";
import { Playground } from "../playground.ts";

const dialog = (page: Page): Locator => page.locator("rp-transfer").getByRole("dialog");

async function menu(page: Page, entry: RegExp): Promise<void> {
  await page.getByRole("button", { name: "Menu" }).click();
  await page.locator("#menu").getByRole("button", { name: entry }).click();
  await expect(dialog(page)).toBeVisible();
}

async function link(page: Page): Promise<string> {
  await menu(page, /Share as a link/);
  const field = dialog(page).getByRole("textbox", { name: "Link" });
  await expect(field).toHaveValue(/#v1\./);
  const value = await field.inputValue();
  await dialog(page).getByRole("button", { name: "Close" }).click();
  return value;
}

test("a session travels in a link, is shown first, and runs on a click", async ({ page, browser, baseURL }) => {
  const playground = await Playground.open(page);
  await playground.run("SET greeting hello");
  await expect(playground.log()).toContainText("OK");
  await playground.addLane();
  await playground.ready("Client B");
  await playground.run("SUBSCRIBE news", "Client B");
  await expect(playground.lane("Client B")).toContainText("listening");
  await playground.run('PUBLISH news "it works"');
  await expect(playground.log("Client B")).toContainText("it works");
  const address = await link(page);
  expect(address.length).toBeLessThan(500);

  const context = await browser.newContext({ baseURL });
  const guest = await Playground.open(await context.newPage());
  await guest.run("SET mine 1");
  await expect(guest.log()).toContainText("OK");
  await guest.page.goto(address);
  await guest.page.reload();
  await guest.page.goto(address);
  await expect(dialog(guest.page)).toContainText("Nothing has run yet");
  await expect(dialog(guest.page)).toContainText("SUBSCRIBE news");
  expect(new URL(guest.page.url()).hash).toBe("");
  await dialog(guest.page).getByRole("button", { name: "Run" }).click();
  await expect(guest.log("Client B")).toContainText('"it works"');
  await guest.run("GET greeting");
  await expect(guest.log()).toContainText('"hello"');
  await guest.run("EXISTS mine");
  await expect(guest.log()).toContainText("(integer) 0");
  await guest.page.locator('[data-panel="sandboxes"]').click();
  await guest.page.locator("rp-sandboxes").getByRole("button", { name: /Back to/ }).click();
  await guest.run("GET mine");
  await expect(guest.log()).toContainText('"1"');
  await context.close();
});

test("a link that is refused runs nothing, one that is damaged says so", async ({ page }) => {
  const playground = await Playground.open(page);
  await playground.run("SET a 1");
  await expect(playground.log()).toContainText("OK");
  const address = await link(page);
  await page.goto(`${address.slice(0, -6)}`);
  await expect(dialog(page)).toContainText("damaged");
  await dialog(page).getByRole("button", { name: "Close" }).click();
  await page.goto(address);
  await expect(dialog(page)).toContainText("SET a 1");
  await dialog(page).getByRole("button", { name: "Not now" }).click();
  await playground.run("DBSIZE");
  await expect(playground.log()).toContainText("(integer) 1");
});

test("a session too long for a link is offered as a file", async ({ page }) => {
  const playground = await Playground.open(page);
  const noise = Array.from({ length: 400 }, (_, at) => `SET ${(at * 2654435761).toString(36)} ${(at * 40503 * 7919).toString(36)}${Math.sin(at)}`);
  await playground.prompt().focus();
  await page.evaluate((text) => navigator.clipboard.writeText(text), `${noise.join("\n")}\n`);
  await playground.prompt().press("ControlOrMeta+v");
  await playground.run("DBSIZE");
  await expect(playground.log()).toContainText("(integer) 400");
  await menu(page, /Share as a link/);
  await expect(dialog(page)).toContainText("too long for a link");
  const download = page.waitForEvent("download");
  await dialog(page).getByRole("button", { name: "Save the session" }).click();
  expect((await download).suggestedFilename()).toBe("my-sandbox.txt");
});

test("the keys as they are travel in a link too, with what they hold and when they end", async ({ page, browser, baseURL }) => {
  const playground = await Playground.open(page);
  for (const line of ["SET greeting wrong", "SET greeting hällo EX 5000", "ZADD board 42 alice"]) await playground.run(line);
  await expect(playground.log()).toContainText("(integer) 1");
  await menu(page, /Share as a link/);
  const field = dialog(page).getByRole("textbox", { name: "Link" });
  const typed = await field.inputValue();
  await dialog(page).getByRole("radio", { name: /The keys as they are/ }).check();
  await expect(dialog(page)).toContainText("2 keys");
  await expect(field).not.toHaveValue(typed);
  const address = await field.inputValue();
  expect(address.length).toBeLessThan(1000);

  const context = await browser.newContext({ baseURL });
  const guest = await context.newPage();
  await guest.goto(address);
  await expect(dialog(guest)).toContainText("2 keys");
  await expect(dialog(guest)).toContainText("Nothing has run yet");
  await dialog(guest).getByRole("button", { name: "Look into it" }).click();
  const shown = new Playground(guest);
  await shown.ready();
  await shown.run("TTL greeting");
  await expect(shown.log()).toContainText(/\(integer\) 4\d\d\d/);
  await shown.run("ZSCORE board alice");
  await expect(shown.log()).toContainText('"42"');
  // What goes on from there is shared with what it began with.
  await shown.run("INCR visits");
  await expect(shown.log()).toContainText("(integer) 1");
  await menu(guest, /Share as a link/);
  await expect(dialog(guest)).toContainText("2 keys and 3 commands");
  const next = await dialog(guest).getByRole("textbox", { name: "Link" }).inputValue();
  await guest.goto("about:blank");
  await guest.goto(next);
  await expect(dialog(guest)).toContainText("INCR visits");
  await dialog(guest).getByRole("button", { name: "Run" }).click();
  await expect(shown.log()).toContainText('"42"');
  await shown.run("DBSIZE");
  await expect(shown.log()).toContainText("(integer) 3");
  await context.close();
});

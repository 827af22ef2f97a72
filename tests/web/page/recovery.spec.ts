// What happens when the engine traps, hangs or is missing, and when there is far too much output.

import { expect, test } from "@playwright/test";
import { Playground } from "../playground.ts";

// A trace takes a picture of the whole page at every step: too slow for pages this long.
test.use({ trace: "off" });

test("after a trap the session is back, without the input that trapped", async ({ page }) => {
  const playground = await Playground.open(page);
  await playground.addLane();
  await playground.ready("Client B");
  await playground.run("SUBSCRIBE news", "Client B");
  await playground.run("SET a 1");
  await playground.run("MULTI");
  await expect(playground.promptText()).toHaveText("127.0.0.1:6379(TX)> ");
  await playground.crash();
  await expect(playground.log()).toContainText("The engine crashed");
  await playground.ready();
  await expect(playground.promptText()).toHaveText("127.0.0.1:6379(TX)> ");
  await playground.run("GET a");
  await playground.run("EXEC");
  await expect(playground.log()).toContainText('1) "1"');
  await playground.run("PUBLISH news again");
  await expect(playground.log("Client B")).toContainText('"again"');
});

test("Stop ends whatever runs and keeps what was done before", async ({ page }) => {
  const playground = await Playground.open(page);
  await playground.run("SET a 1");
  await expect(playground.log()).toContainText("OK");
  await page.getByRole("button", { name: "Stop" }).click();
  await expect(playground.log()).toContainText("restarted");
  await playground.ready();
  await playground.run("GET a");
  await expect(playground.log()).toContainText('"1"');
});

test("an engine that cannot be fetched is said to be missing, and can be tried again", async ({ page }) => {
  let broken = true;
  await page.route(/\/assets\/worker-.*\.js$/, (route) => (broken ? route.abort() : route.continue()));
  await page.goto("./");
  const alert = page.getByRole("alert").filter({ hasText: "The engine does not run" });
  await expect(alert).toBeVisible();
  broken = false;
  await alert.getByRole("button", { name: "Try again" }).click();
  await new Playground(page).ready();
});

test("a flood of output leaves the page quick and its record bounded", async ({ page }) => {
  test.setTimeout(120_000);
  const playground = await Playground.open(page);
  await playground.addLane();
  await playground.ready("Client B");
  await playground.run("MONITOR", "Client B");
  await expect(playground.lane("Client B")).toContainText("listening");
  await playground.run("100000 INCR n");
  await expect(playground.log()).toContainText("(integer) 100000", { timeout: 90_000 });
  await expect(playground.log("Client B")).toContainText("earlier lines are no longer shown");
  const nodes = await playground.log("Client B").evaluate((log) => log.childElementCount);
  expect(nodes).toBeLessThan(5100);
  const began = Date.now();
  await playground.run("PING");
  await expect(playground.log()).toContainText("PONG");
  expect(Date.now() - began).toBeLessThan(2000);
});

test("a long reply is folded, shown in parts, and copied whole", async ({ page }) => {
  const playground = await Playground.open(page);
  await playground.run(`100 RPUSH list${" an-element".repeat(30)}`);
  await expect(playground.log()).toContainText("(integer) 3000");
  await playground.prompt().press("Control+l");
  await playground.run("LRANGE list 0 -1");
  await expect(playground.log()).toContainText("2,800 more lines");
  await playground.log().getByRole("button", { name: "Show more" }).click();
  await expect(playground.log()).toContainText('3000) "an-element"');
  const lines = (await playground.text()).split("\n");
  expect(lines.length).toBe(3001);
  expect(lines[1]).toBe('   1) "an-element"');
});

test("one huge value is folded within its line", async ({ page }) => {
  const playground = await Playground.open(page);
  await playground.run("SETRANGE big 10000000 x");
  await expect(playground.log()).toContainText("(integer) 10000001");
  await playground.run("GET big");
  await expect(playground.log()).toContainText("more characters");
  await playground.run("STRLEN big");
  await expect.poll(() => playground.text()).toMatch(/STRLEN big\n\(integer\) 10000001$/);
});

// The part of the engine that comes after the first prompt.

import { expect, test } from "@playwright/test";
import { Playground } from "../playground.ts";

const REST = /resplay_rest.*\.wasm/;

test("it comes by itself, and a command that needs it answers", async ({ page }) => {
  const arrived = page.waitForResponse(REST);
  const playground = await Playground.open(page);
  expect((await arrived).ok()).toBe(true);
  await playground.run("XADD s 1-1 a b");
  await playground.expectText('127.0.0.1:6379> XADD s 1-1 a b\n"1-1"');
});

test("a command that needs it before it is there waits for it", async ({ page }) => {
  let asked = 0;
  await page.route(REST, (route) => (++asked === 1 ? route.abort() : route.continue()));
  const playground = await Playground.open(page);
  await expect.poll(() => asked).toBe(1);
  await playground.run("XADD s 1-1 a b");
  await playground.expectText('127.0.0.1:6379> XADD s 1-1 a b\n"1-1"');
  expect(asked).toBe(2);
});

test("when it does not come, the session goes on without that command", async ({ page }) => {
  await page.route(REST, (route) => route.abort());
  const playground = await Playground.open(page);
  await playground.run("SET k v");
  await playground.run("XADD s 1-1 a b");
  await expect(playground.log()).toContainText("could not be loaded");
  await playground.ready();
  await playground.run("GET k");
  await expect(playground.log()).toContainText('"v"');
});

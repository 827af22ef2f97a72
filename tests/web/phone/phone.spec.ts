// A phone: narrow, touched, with clients as tabs.

import { expect, test } from "@playwright/test";
import { Playground } from "../playground.ts";

test.use({ viewport: { width: 360, height: 740 } });

test("nothing is wider than the screen", async ({ page }) => {
  const playground = await Playground.open(page);
  await playground.run("SET a 1");
  await expect(playground.log()).toContainText("OK");
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  for (const name of ["Guide", "Help", "Client", "Stop", "Start over"]) {
    await expect(page.getByRole("button", { name, exact: true })).toBeInViewport();
  }
});

test("clients are tabs", async ({ page }) => {
  const playground = await Playground.open(page);
  await playground.addLane();
  await expect(playground.lane("Client A")).toBeHidden();
  await playground.ready("Client B");
  await playground.run("SUBSCRIBE news", "Client B");
  await page.getByRole("tab", { name: "Client A" }).tap();
  await expect(playground.lane("Client B")).toBeHidden();
  await playground.run("PUBLISH news hello");
  await expect(playground.log()).toContainText("(integer) 1");
  await page.getByRole("tab", { name: "Client B" }).tap();
  await expect(playground.log("Client B")).toContainText('"hello"');
});

test("keys that a phone lacks are on the screen", async ({ page }) => {
  const playground = await Playground.open(page);
  await playground.run("SET a 1");
  await page.getByRole("button", { name: "Up", exact: true }).tap();
  await expect(playground.prompt()).toHaveValue("SET a 1");
  await page.getByRole("button", { name: "Interrupt" }).tap();
  await expect(playground.prompt()).toHaveValue("");
});

test("a step of the guide runs by touch", async ({ page }) => {
  const playground = await Playground.open(page);
  await page.getByRole("button", { name: /SET greeting/ }).tap();
  await expect(playground.log()).toContainText("OK");
});

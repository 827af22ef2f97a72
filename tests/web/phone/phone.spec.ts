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

test("a panel stands below the prompt, half or whole, by touch and by keyboard", async ({ page }) => {
  const playground = await Playground.open(page);
  const keys = await playground.panel("Keys");
  await playground.run("HSET user:1 name Ada");
  await expect(keys.getByRole("table")).toContainText("Ada");
  await expect(playground.prompt()).toBeInViewport();
  expect((await playground.lane("Client A").boundingBox())!.height).toBeGreaterThan(200);
  const grip = page.getByRole("separator", { name: "Height of the panel" });
  const height = async () => (await keys.boundingBox())!.height;
  const half = await height();
  await grip.tap();
  await expect.poll(height).toBeGreaterThan(half + 100);
  await expect(playground.promptText()).toBeInViewport({ ratio: 0.9 });
  await grip.tap();
  await expect.poll(height).toBe(half);
  await grip.focus();
  await page.keyboard.press("ArrowDown");
  await expect.poll(height).toBeLessThan(half);
  // The keyboard of the phone takes its part.
  await page.setViewportSize({ width: 360, height: 440 });
  await expect(playground.promptText()).toBeInViewport({ ratio: 0.9 });
  await keys.getByRole("button", { name: "Rename" }).tap();
  await expect(keys.getByLabel("new name")).toBeInViewport({ ratio: 0.9 });
  await expect(keys.getByRole("button", { name: "Run it" })).toBeInViewport({ ratio: 0.9 });
});

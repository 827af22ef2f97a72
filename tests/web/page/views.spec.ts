// One reply in other ways: by pointer and by keyboard.

import { expect, test } from "@playwright/test";
import { Playground } from "../playground.ts";

test("a reply pointed at shows as JSON, as a table, and as text again", async ({ page }) => {
  const playground = await Playground.open(page);
  await playground.run("ZADD scores 42 ada 99 eve");
  await playground.run("ZRANGE scores 0 -1 WITHSCORES");
  const asText = '1) "ada"\n2) "42"\n3) "eve"\n4) "99"';
  await expect.poll(() => playground.text()).toContain(asText);
  await playground.log().locator(".out").last().hover();
  const views = page.getByRole("toolbar", { name: "Show this reply as" });
  await views.getByRole("button", { name: "json" }).click();
  await expect.poll(() => playground.text()).toContain('["ada","42","eve","99"]');
  await views.getByRole("button", { name: "table" }).click();
  await expect(playground.log().getByRole("row", { name: "ada 42" })).toBeVisible();
  await views.getByRole("button", { name: "text" }).click();
  await expect.poll(() => playground.text()).toContain(asText);
});

test("Alt V offers the latest reply's views, Up those of an earlier one, Escape goes back", async ({ page }) => {
  const playground = await Playground.open(page);
  await playground.run("SET first one");
  await playground.run("GET first");
  await playground.run("SET second two");
  await playground.run("GET second");
  await expect(playground.log()).toContainText('"two"');
  await playground.prompt().press("Alt+v");
  const views = page.getByRole("toolbar", { name: "Show this reply as" });
  await expect(views.getByRole("button", { name: "text" })).toBeFocused();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Enter");
  await expect.poll(() => playground.text()).toMatch(/GET second\ntwo$/);
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("Enter");
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe("one");
  await page.keyboard.press("Escape");
  await expect(views).toBeHidden();
  await expect(playground.prompt()).toBeFocused();
});

test("a status, a number and an error have no other views", async ({ page }) => {
  const playground = await Playground.open(page);
  for (const line of ["SET a 1", "INCR a", "NOSUCH"]) await playground.run(line);
  await expect(playground.log()).toContainText("unknown command");
  await playground.prompt().press("Alt+v");
  await expect(page.getByRole("toolbar", { name: "Show this reply as" })).toBeHidden();
});

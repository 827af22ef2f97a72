// WCAG 2.2 AA as far as a program can tell, in every state and both themes; and the keyboard alone.

import { expect, test } from "@playwright/test";
import { clean } from "../axe.ts";
import { Playground } from "../playground.ts";

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    test("the first page", async ({ page }) => {
      await Playground.open(page);
      await clean(page);
    });

    test("replies, errors, a list of completions, two clients", async ({ page }) => {
      const playground = await Playground.open(page);
      for (const line of ["SET a 1", "GET a", "GET b", "INCR a", "NOSUCH", "HELP GET"]) await playground.run(line);
      await playground.addLane();
      await playground.ready("Client B");
      await playground.run("SUBSCRIBE news", "Client B");
      await expect(playground.lane("Client B")).toContainText("listening");
      await playground.prompt().fill("ge");
      await playground.prompt().press("Tab");
      await expect(page.getByRole("listbox")).toBeVisible();
      await clean(page);
    });

    test("a reply as a table, with its views", async ({ page }) => {
      const playground = await Playground.open(page);
      await playground.run("ZADD scores 42 ada 99 eve");
      await playground.run("ZRANGE scores 0 -1 WITHSCORES");
      await expect(playground.log()).toContainText('"eve"');
      await playground.prompt().press("Alt+v");
      await page.getByRole("button", { name: "table" }).click();
      await expect(playground.log().getByRole("row", { name: "ada 42" })).toBeVisible();
      await clean(page);
    });

    test("after a crash", async ({ page }) => {
      const playground = await Playground.open(page);
      await playground.crash();
      await expect(playground.log()).toContainText("The engine crashed");
      await playground.ready();
      await clean(page);
    });

    test("the help", async ({ page }) => {
      await Playground.open(page);
      await page.getByRole("button", { name: "Help", exact: true }).click();
      await expect(page.getByRole("dialog")).toBeVisible();
      await clean(page);
    });
  });
}

test("a phone's width", async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  const playground = await Playground.open(page);
  await playground.addLane();
  await playground.ready("Client B");
  await clean(page);
});

test("the keyboard reaches everything and is never trapped", async ({ page }) => {
  const playground = await Playground.open(page);
  const prompt = playground.prompt();
  await expect(prompt).toBeFocused();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Tab");
  await expect(prompt).not.toBeFocused();
  await expect(page.getByRole("separator", { name: "Width of the panel" })).toBeFocused();
  await page.keyboard.press("Shift+Tab");
  await expect(prompt).toBeFocused();
  await page.keyboard.press("Shift+Tab");
  await expect(page.getByRole("button", { name: "Clear" })).toBeFocused();
  await page.getByRole("button", { name: "Guide", exact: true }).focus();
  await page.keyboard.press("Tab");
  await expect(page.getByRole("button", { name: "Help", exact: true })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toBeHidden();
});

test("the theme follows the system until it is chosen, and the choice stays", async ({ page }) => {
  await page.emulateMedia({ colorScheme: "dark" });
  await Playground.open(page);
  const ground = () => page.locator("redis-playground").evaluate((element) => getComputedStyle(element).backgroundColor);
  const dark = await ground();
  await page.emulateMedia({ colorScheme: "light" });
  expect(await ground()).not.toBe(dark);
  const theme = page.getByRole("button", { name: /^Theme/ });
  await theme.click();
  await theme.click();
  expect(await ground()).toBe(dark);
  await page.reload();
  await expect(theme).toHaveAccessibleName(/dark/);
  expect(await ground()).toBe(dark);
});

// WCAG 2.2 AA in the panels of lessons and sandboxes, in both themes and on a narrow screen.

import { expect, test } from "@playwright/test";
import { clean } from "../axe.ts";
import { Playground } from "../playground.ts";

for (const colorScheme of ["light", "dark"] as const) {
  for (const width of [1280, 360]) {
    test.describe(`${colorScheme}, ${width} pixels`, () => {
      test.use({ colorScheme, viewport: { width, height: 800 } });

      test("the lessons, a step, a step that is done", async ({ page }) => {
        await Playground.open(page);
        await page.locator('[data-panel="lessons"]').click();
        const panel = page.locator("rp-lessons");
        await expect(panel.getByRole("heading", { name: "Learn Redis" })).toBeVisible();
        await clean(page);
        await panel.getByRole("button", { name: /Your first keys/ }).click();
        await panel.getByRole("button", { name: "Hint" }).click();
        await clean(page);
        await panel.getByRole("button", { name: "Show me" }).click();
        await expect(panel.getByText("Well done.")).toBeVisible();
        await clean(page);
      });

      test("what is shared, saved and opened", async ({ page }) => {
        const playground = await Playground.open(page);
        await playground.run("SET a 1");
        await expect(playground.log()).toContainText("OK");
        const dialog = page.locator("rp-transfer").getByRole("dialog");
        for (const entry of [/Share as/, /Save to/, /Open a/]) {
          await page.getByRole("button", { name: "Menu" }).click();
          await page.locator("#menu").getByRole("button", { name: entry }).click();
          await expect(dialog).toBeVisible();
          await expect(dialog).not.toContainText("One moment");
          await clean(page);
          await page.keyboard.press("Escape");
          await expect(dialog).toBeHidden();
        }
        await page.getByRole("button", { name: "Menu" }).click();
        await page.locator("#menu").getByRole("button", { name: /Attach to/ }).click();
        const attach = page.locator("rp-attach").getByRole("dialog");
        await attach.getByLabel("Token").fill("wrong");
        await attach.getByLabel("Another").check();
        await attach.getByRole("button", { name: "Attach" }).click();
        await expect(attach).toContainText("the token is wrong");
        await clean(page);
        await page.keyboard.press("Escape");
        await page.goto("./#v1.SzVS0FEwUtBRcHVRMFQwAgA");
        await expect(dialog).toContainText("damaged");
        await clean(page);
      });

      test("the sandboxes, one being renamed, one removed", async ({ page }) => {
        await Playground.open(page);
        await page.locator('[data-panel="sandboxes"]').click();
        const panel = page.locator("rp-sandboxes");
        await panel.getByRole("button", { name: "New" }).click();
        await expect(panel.getByRole("listitem")).toHaveCount(2);
        await panel.getByRole("group", { name: "My sandbox" }).getByRole("button", { name: "Rename" }).click();
        await clean(page);
        await panel.getByRole("button", { name: "Cancel" }).click();
        await panel.getByRole("group", { name: "Sandbox 2" }).getByRole("button", { name: "Remove" }).click();
        await expect(panel.getByRole("button", { name: "Undo" })).toBeVisible();
        await clean(page);
      });
    });
  }
}

// What helps while typing: hints, completion, HELP. All of it comes from the engine.

import { expect, test } from "@playwright/test";
import { Playground } from "../playground.ts";

test("grey text shows what is missing, less what is typed", async ({ page }) => {
  const playground = await Playground.open(page);
  const prompt = playground.prompt();
  await prompt.pressSequentially("GETRANGE ");
  await expect(playground.ghost()).toHaveText("key start end");
  await prompt.pressSequentially("k 0 ");
  await expect(playground.ghost()).toHaveText("end");
});

test("Tab completes, cycles through a list, and Escape restores", async ({ page }) => {
  const playground = await Playground.open(page);
  const prompt = playground.prompt();
  await prompt.pressSequentially("getr");
  await prompt.press("Tab");
  await expect(prompt).toHaveValue(/^getrange/i);
  await prompt.press("Control+u");
  await prompt.pressSequentially("ge");
  await prompt.press("Tab");
  const list = page.getByRole("listbox", { name: "Completions" });
  await expect(list).toBeVisible();
  await expect(list.getByRole("option", { selected: true })).toHaveCount(1);
  const first = await prompt.inputValue();
  await prompt.press("Tab");
  expect(await prompt.inputValue()).not.toBe(first);
  await prompt.press("Shift+Tab");
  await expect(prompt).toHaveValue(first);
  await prompt.press("Escape");
  await expect(list).toBeHidden();
  await expect(prompt).toHaveValue("ge");
});

test("keys that live complete too", async ({ page }) => {
  const playground = await Playground.open(page);
  await playground.run("SET unmistakable 1");
  await playground.prompt().pressSequentially("GET unm");
  await playground.prompt().press("Tab");
  await expect(playground.prompt()).toHaveValue(/^GET unmistakable/);
});

test("HELP explains", async ({ page }) => {
  const playground = await Playground.open(page);
  await playground.run("HELP GETRANGE");
  await expect(playground.log()).toContainText("GETRANGE key start end");
  await expect(playground.log()).toContainText("summary:");
});

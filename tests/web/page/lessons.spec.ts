// Lessons: read, tried, checked, shown, and gone on with.

import { expect, test, type Locator, type Page } from "@playwright/test";
import { Playground } from "../playground.ts";

const panel = (page: Page): Locator => page.locator("rp-lessons");
const button = (page: Page, name: string | RegExp): Locator => panel(page).getByRole("button", { name });

async function open(page: Page, lesson: string): Promise<void> {
  if (!(await panel(page).isVisible())) await page.locator('[data-panel="lessons"]').click();
  await button(page, new RegExp(lesson)).click();
  await expect(panel(page).getByRole("heading", { name: lesson, exact: true })).toBeVisible();
}

test("a task is done when the learner does it, and not before", async ({ page }) => {
  const playground = await Playground.open(page);
  await open(page, "Your first keys");
  await button(page, "Run").first().click();
  await expect(playground.log()).toContainText('"Hello, world"');
  await playground.run("GET name");
  await expect(panel(page).getByText("Well done.")).toBeHidden();
  await button(page, "Hint").click();
  await expect(panel(page).getByText("The command, then the key")).toBeVisible();
  await playground.run("SET name Ada");
  await expect(panel(page).getByText("Well done.")).toBeVisible();
  await button(page, "Next step").click();
  await expect(panel(page).getByRole("heading", { name: /What is not there/ })).toBeFocused();
});

test("an example in which time passes is run at once", async ({ page }) => {
  const playground = await Playground.open(page);
  await open(page, "Keys that go away");
  await expect(page.locator("#guide")).toBeHidden();
  const example = panel(page).locator("figure").filter({ hasText: "@ +9s" });
  for (let step = 1; !(await example.isVisible()); step++) {
    await button(page, new RegExp(`^Step ${step + 1}:`)).click();
    await expect(panel(page).locator("#step")).toContainText(`Step ${step + 1} of`);
  }
  await example.getByRole("button", { name: "Run" }).click();
  await expect(playground.log()).toContainText("9 s later");
  await expect(playground.log()).toContainText("(nil)");
  expect(await playground.text()).toMatch(/TTL flash\n\(integer\) 1\n/);
  await button(page, "← All lessons").click();
  await expect(page.locator("#guide")).toBeVisible();
});

test("Show me plays the solution, over two clients where it takes two", async ({ page }) => {
  const playground = await Playground.open(page);
  await open(page, "Lists and queues");
  await button(page, /^Step 3: Wait for work/).click();
  await expect(panel(page).getByRole("heading", { name: /Wait for work/ })).toBeVisible();
  await button(page, "Show me").click();
  await expect(playground.log("Client B")).toContainText('"order-1"');
  await expect(panel(page).getByText("Well done.")).toBeVisible();
});

test("a whole lesson by Show me alone; progress outlives a reload; the sandbox is untouched", async ({ page }) => {
  test.setTimeout(90_000);
  const playground = await Playground.open(page);
  await playground.run("SET mine 1");
  await expect(playground.log()).toContainText("OK");
  await open(page, "Your first keys");
  for (let step = 1; step <= 4; step++) {
    await button(page, "Show me").click();
    await expect(panel(page).getByText("Well done.")).toBeVisible();
    await button(page, step < 4 ? "Next step" : "Finish").click();
  }
  await expect(panel(page).getByRole("heading", { name: /That was/ })).toBeVisible();
  await button(page, "Choose another").click();
  await expect(button(page, /Your first keys.*Finished/)).toBeVisible();
  await playground.run("KEYS *");
  await expect.poll(() => playground.text()).toMatch(/KEYS \*\n1\) "mine"$/);
  await page.reload();
  await playground.ready();
  await expect(button(page, /Your first keys.*Finished/)).toBeVisible();
  await playground.run("GET mine");
  await expect(playground.log()).toContainText('"1"');
});

test("a lesson that was left is gone on with where it was, as if all before had been done", async ({ page }) => {
  const playground = await Playground.open(page);
  await open(page, "Lists and queues");
  await button(page, "Show me").click();
  await expect(panel(page).getByText("Well done.")).toBeVisible();
  await button(page, "Next step").click();
  await page.reload();
  await playground.ready();
  await button(page, /Lists and queues.*Go on at step 2/).click();
  await expect(panel(page).getByRole("heading", { name: /First in, first out/ })).toBeVisible();
  await playground.run("LPOP todo");
  await expect(panel(page).getByText("Well done.")).toBeVisible();
});

test("what was tried in a lesson can be kept", async ({ page }) => {
  const playground = await Playground.open(page);
  await open(page, "Hashes");
  await playground.run("SET free play");
  await expect(playground.log()).toContainText("OK");
  await button(page, "Start again").click();
  await playground.run("EXISTS free");
  await expect(playground.log()).toContainText("(integer) 0");
  await playground.run("SET free again");
  await page.locator('[data-panel="sandboxes"]').click();
  await page.locator("rp-sandboxes").getByRole("button", { name: "Keep it as a sandbox" }).click();
  await expect(page.getByRole("status").first()).toContainText("is kept");
  await playground.run("GET free");
  await expect(playground.log()).toContainText('"again"');
});

test("sample data comes in one click", async ({ page }) => {
  const playground = await Playground.open(page);
  await page.locator('[data-panel="lessons"]').click();
  await button(page, /A small shop/).click();
  await expect(panel(page).getByText("is loaded: ")).toBeVisible();
  await playground.run("HGET product:1 title");
  await expect(playground.log()).toContainText('"Desk lamp"');
});

test("the keyboard alone takes a lesson", async ({ page }) => {
  const playground = await Playground.open(page);
  await page.locator('[data-panel="lessons"]').focus();
  await page.keyboard.press("Enter");
  await button(page, /Your first keys/).focus();
  await page.keyboard.press("Enter");
  await expect(panel(page).getByRole("heading", { name: /Store and read/ })).toBeFocused();
  await page.keyboard.press("Tab");
  await expect(panel(page).getByRole("region", { name: "Example" }).first()).toBeFocused();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await expect(playground.log()).toContainText('"Hello, world"');
});

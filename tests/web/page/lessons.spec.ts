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

test("a wrong answer is told what is missing, and the step can begin afresh", async ({ page }) => {
  const playground = await Playground.open(page);
  await open(page, "Lists and queues");
  await playground.run("LPUSH todo plan build test");
  await expect(panel(page).locator(".lacking")).toHaveText("Not yet. LRANGE todo 0 -1 answers test build plan and should be plan build test.");
  await button(page, "Start this step over").click();
  await expect(panel(page).locator(".lacking")).toBeHidden();
  await playground.run("rpush 'todo' plan \"build\" test");
  await expect(panel(page).getByText("Well done.")).toBeVisible();
});

test("Show me finds its way past a wrong answer", async ({ page }) => {
  const playground = await Playground.open(page);
  await open(page, "Lists and queues");
  await playground.run("LPUSH todo plan build test");
  await button(page, "Show me").click();
  await expect(playground.log()).toContainText("the step begins afresh");
  await expect(panel(page).getByText("Well done.")).toBeVisible();
  await expect(button(page, "Next step")).toBeFocused();
});

test("running the example is not doing the task", async ({ page }) => {
  const playground = await Playground.open(page);
  await open(page, "Client-side caching");
  await button(page, "Run").click();
  await expect(playground.log()).toContainText('"redirect" =>');
  await expect(panel(page).locator("[aria-disabled=true]")).toHaveCount(0);
  await playground.run("PING");
  await expect(panel(page).locator(".lacking")).toContainText("HELLO");
  await playground.run("hello 3");
  await playground.run("client tracking on");
  await expect(panel(page).getByText("Well done.")).toBeVisible();
});

test("a step that was skipped is done for the learner, since later ones build on it", async ({ page }) => {
  const playground = await Playground.open(page);
  await open(page, "Keys that go away");
  await button(page, "Skip").click();
  await expect(panel(page).getByRole("heading", { name: /Both at once/ })).toBeFocused();
  await button(page, "Skip").click();
  await expect(panel(page).getByRole("heading", { name: /Watch time pass/ })).toBeFocused();
  await playground.run("PERSIST session");
  await expect(panel(page).getByText("Well done.")).toBeVisible();
  for (let step = 3; step <= 5; step++) await button(page, step === 3 ? "Next step" : "Skip").click();
  await button(page, "Choose another").click();
  // What was skipped is still to be done.
  await button(page, /Keys that go away.*Go on at step 1 of 5/).click();
  await expect(panel(page).getByRole("heading", { name: /Set a timer/ })).toBeFocused();
});

test("who leaves while a lesson plays finds nothing of it in the sandbox", async ({ page }) => {
  const playground = await Playground.open(page);
  await open(page, "Streams");
  await button(page, "Run").click();
  await expect(playground.log()).toContainText("XADD temps 1-0");
  await button(page, "← All lessons").click();
  await open(page, "Streams");
  await button(page, /^Step 6/).click();
  await button(page, "← All lessons").click();
  await page.waitForTimeout(1500);
  await playground.run("DBSIZE");
  await playground.expectText("127.0.0.1:6379> DBSIZE\n(integer) 0");
});

test("clients are called what they are called on the page", async ({ page }) => {
  const playground = await Playground.open(page);
  await playground.addLane();
  const name = playground.lane("Client B").getByRole("textbox", { name: "Name of this client" });
  await name.fill("worker");
  await name.press("Enter");
  await open(page, "Lists and queues");
  await button(page, /^Step 3/).click();
  await expect(panel(page).locator(".task")).toContainText("In worker, wait for orders; then push order-1 to it from Client A.");
  await expect(panel(page).locator("figure")).toContainText("worker> BLPOP jobs 0");
  await playground.run("BLPOP orders 0", "worker");
  await expect(panel(page).locator(".lacking")).toContainText("Somebody waits");
  await playground.run("LPUSH orders order-1");
  await expect(panel(page).getByText("Well done.")).toBeVisible();
});

test("the keyboard alone takes a lesson to its end", async ({ page }) => {
  const playground = await Playground.open(page);
  await page.locator('[data-panel="lessons"]').focus();
  await page.keyboard.press("Enter");
  await expect(button(page, /Your first keys/)).toBeFocused();
  await page.keyboard.press("Enter");
  const heading = (name: RegExp) => panel(page).getByRole("heading", { name });
  await expect(heading(/Store and read/)).toBeFocused();
  await page.keyboard.press("Tab");
  await expect(panel(page).getByRole("region", { name: "Example" }).first()).toBeFocused();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await expect(playground.log()).toContainText('"Hello, world"');
  await expect(button(page, "Run")).toBeFocused();
  await page.keyboard.press("Tab");
  for (let hint = 1; hint <= 2; hint++) await page.keyboard.press("Enter");
  await expect(panel(page).locator(".hint")).toHaveCount(2);
  await expect(button(page, "Show me")).toBeFocused();
  for (const [lines, next] of [
    [["SET name Ada"], /What is not there/],
    [["EXISTS name greeting nobody"], /Overwrite and remove/],
    [["SET name Grace", "DEL greeting"], /Values have types/],
    [["SET shopping done"], /That was/],
  ] as const) {
    await page.keyboard.press("Alt+l");
    await expect(playground.prompt()).toBeFocused();
    for (const line of lines) {
      await page.keyboard.type(line);
      await page.keyboard.press("Enter");
    }
    await expect(panel(page).getByText("Well done.")).toBeVisible();
    await page.keyboard.press("Alt+l");
    await expect(button(page, /Next step|Finish/)).toBeFocused();
    await page.keyboard.press("Enter");
    await expect(heading(next)).toBeFocused();
  }
});

test("what is typed at the head of a step goes to the prompt", async ({ page }) => {
  const playground = await Playground.open(page);
  await open(page, "Counters");
  await expect(panel(page).getByRole("heading", { name: /Up and down/ })).toBeFocused();
  await page.keyboard.type("SET likes 3\n");
  await expect(playground.log()).toContainText("SET likes 3");
  await expect(panel(page).getByText("Well done.")).toBeVisible();
});

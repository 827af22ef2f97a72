// Time: the clock, every moment of the session, what each changed, and branches.

import AxeBuilder from "@axe-core/playwright";
import { expect, test } from "@playwright/test";
import { Playground } from "../playground.ts";

test("a paused clock keeps keys alive; skipping lets them go, and ends waits", async ({ page }) => {
  const playground = await Playground.open(page);
  const time = await playground.panel("Time");
  await time.getByRole("button", { name: "Pause" }).click();
  await expect(time).toContainText("paused");
  await playground.run("SET brief x EX 5");
  await playground.run("BLPOP nothing 30");
  await expect(playground.lane("Client A")).toContainText("waiting");
  await time.getByRole("button", { name: "Skip 1 min" }).click();
  await expect(playground.log()).toContainText("(nil)");
  await playground.run("EXISTS brief");
  await expect(playground.log()).toContainText("(integer) 0");
  await playground.run("SET kept x EX 100");
  await time.getByRole("button", { name: "Skip 10 s" }).click();
  await playground.run("TTL kept");
  await expect(playground.log()).toContainText("(integer) 90");
  await time.getByRole("button", { name: "Run", exact: true }).click();
  await time.getByRole("combobox", { name: "Speed" }).selectOption("×3600");
  await expect.poll(async () => {
    await playground.run("EXISTS kept");
    return (await playground.text()).trimEnd().endsWith("(integer) 0");
  }).toBe(true);
});

test("a moment shows its change, the keys as they were, and goes on as a branch", async ({ page }) => {
  const playground = await Playground.open(page);
  const time = await playground.panel("Time");
  for (const line of ["HSET user name Ada", "HSET user city London", "DEL user"]) await playground.run(line);
  // A command brings back the present, so it must not be on its way any more.
  await expect(time.getByRole("option", { name: /DEL user/ })).toBeVisible();
  await time.getByRole("option", { name: /HSET user city/ }).click();
  const changes = time.getByRole("group", { name: "What it changed" });
  await expect(changes).toContainText("city London");
  await expect(changes).not.toContainText("Ada");
  await expect(page.getByText(/You look at moment \d+/)).toBeVisible();
  const keys = await playground.panel("Keys");
  await expect(keys.getByRole("treeitem", { name: /user/ })).toBeVisible();
  await keys.getByRole("treeitem", { name: /user/ }).click();
  await expect(keys.getByRole("table")).toContainText("London");
  await expect(keys.getByRole("button", { name: "Delete" })).toHaveCount(0);
  await playground.panel("Time");
  await time.getByRole("button", { name: "Go on from here" }).click();
  await expect(playground.log()).toContainText("a branch of its own");
  await playground.run("HLEN user");
  await expect(playground.log()).toContainText("(integer) 2");
  await time.getByRole("button", { name: "the first line", exact: true }).click();
  await expect(playground.log()).toContainText("Back on the first line.");
  await playground.run("EXISTS user");
  await expect(playground.log()).toContainText("(integer) 0");
});

test("a line of the record leads to its moment; the next command to the present", async ({ page }) => {
  const playground = await Playground.open(page);
  await playground.run("SET a 1");
  await playground.run("SET a 2");
  await playground.log().getByText("127.0.0.1:6379> ").first().click();
  const time = await playground.panel("Time");
  await expect(time.getByRole("listbox").getByRole("option", { selected: true })).toContainText("SET a 1");
  await playground.run("GET a");
  await expect(playground.log()).toContainText('"2"');
  await expect(page.getByText(/You look at moment/)).toHaveCount(0);
});

test("what was clicked behind a command stays when its reply comes", async ({ page }) => {
  const playground = await Playground.open(page);
  const time = await playground.panel("Time");
  for (const line of ["SET a 1", "SET a 2"]) await playground.run(line);
  await expect(time.getByRole("option", { name: /SET a 2/ })).toBeVisible();
  // The next command is on its way when the moment is gone to.
  await playground.prompt().fill("SET a 3");
  await time.getByRole("option", { name: /SET a 1/ }).evaluate((row: HTMLElement) => {
    const find = (root: Document | ShadowRoot): HTMLTextAreaElement | null => {
      for (const element of root.querySelectorAll("*")) {
        const found = element instanceof HTMLTextAreaElement ? element : element.shadowRoot && find(element.shadowRoot);
        if (found) return found;
      }
      return null;
    };
    find(document)!.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
    row.click();
  });
  await expect(playground.log()).toContainText("SET a 3");
  await expect(time.getByRole("option", { name: /SET a 3/ })).toBeVisible();
  await expect(page.getByText(/You look at moment/)).toBeVisible();
  await expect(time.getByRole("group", { name: "What it changed" })).toContainText("1");
});

test("time skips to what is due next: keys that expire, clients that wait", async ({ page }) => {
  const errors: string[] = [];
  page.on("pageerror", ({ message }) => errors.push(message));
  const playground = await Playground.open(page);
  const time = await playground.panel("Time");
  await time.getByRole("button", { name: "Pause" }).click();
  await expect(time.getByRole("button", { name: /Next expiry/ })).toBeDisabled();
  await playground.run("SET brief x EX 50");
  await playground.run("SET long x EX 5000");
  await playground.run("BLPOP nothing 300");
  const next = time.getByRole("button", { name: /Next expiry/ });
  await expect(next).toContainText("in 50 s");
  await next.click();
  await expect(next).toContainText("in 4 min");
  await expect(playground.lane("Client A")).toContainText("waiting");
  await next.click();
  await expect(playground.log()).toContainText("(300.");
  await playground.run("MGET brief long");
  await expect(playground.log()).toContainText('1) (nil)\n2) "x"');
  await expect(next).toContainText(/in 1 h 18 min/);
  await expect(time.getByRole("group", { name: "What it changed" })).toContainText("It changed no key.");
  expect(errors).toEqual([]);
});

test("a session of ten thousand commands is walked at once", async ({ page }) => {
  test.setTimeout(120_000);
  const playground = await Playground.open(page);
  await playground.run("10000 INCR counter");
  await expect(playground.log()).toContainText("(integer) 10000", { timeout: 30_000 });
  const time = await playground.panel("Time");
  const moments = time.getByRole("listbox", { name: "Moments" });
  await expect(moments.getByRole("option").last()).toHaveAttribute("aria-setsize", "10001");
  await moments.getByRole("option").last().click();
  await page.keyboard.press("Home");
  await expect(moments.locator("[role=option]:focus")).toHaveAttribute("aria-posinset", "1");
  await page.keyboard.press("ArrowDown");
  await expect(time.getByRole("group", { name: "What it changed" })).toContainText("1");
  for (let page_ = 0; page_ < 3; page_++) await page.keyboard.press("PageDown");
  await expect(moments.locator("[role=option]:focus")).not.toHaveAttribute("aria-posinset", "2");
  expect(await moments.getByRole("option").count()).toBeLessThan(120);
  // Dragging: wherever it goes, a few hundred commands are played for it.
  const slider = time.getByRole("slider", { name: "Moment" });
  const changes = time.getByRole("group", { name: "What it changed" });
  await slider.fill("10000");
  await expect(changes).toContainText("9999");
  // From here on all is prepared, for the end was reached.
  for (const place of [5000, 1234, 9000, 4321, 77, 8765]) {
    await slider.fill(String(place));
    await expect(slider).toHaveAttribute("aria-valuetext", new RegExp(`^${place} of 10001: `));
    await expect(changes).toContainText(`+${place - 1}`);
    expect(await time.locator("rp-time").getAttribute("data-played").then(Number)).toBeLessThanOrEqual(512);
  }
});

test("branches have names, stand in a tree, and are there after a reload", async ({ page }) => {
  test.setTimeout(120_000);
  const playground = await Playground.open(page);
  let time = await playground.panel("Time");
  for (const line of ["SET a 1", "SET a 2", "SET a 3"]) await playground.run(line);
  await expect(time.getByRole("option", { name: /SET a 3/ })).toBeVisible();
  await time.getByRole("option", { name: /SET a 2/ }).click();
  await time.getByRole("button", { name: "Go on from here" }).click();
  await expect(playground.log()).toContainText("a branch of its own");
  await playground.run("APPEND a x");
  await expect(time.getByRole("option", { name: /APPEND a x/ })).toBeVisible();
  let branches = time.getByRole("region", { name: "Branches" });
  await expect(branches.locator("[aria-current]")).toHaveText("branch 1");
  await branches.getByRole("group", { name: "branch 1" }).getByRole("button", { name: "Rename" }).click();
  await page.keyboard.type("with an x");
  await page.keyboard.press("Enter");
  await expect(branches.locator("[aria-current]")).toHaveText("with an x");

  await page.reload();
  await playground.ready();
  time = await playground.panel("Time");
  branches = time.getByRole("region", { name: "Branches" });
  await expect(branches.getByRole("listitem")).toHaveText([/the first line/, /with an x/]);
  await expect(branches.locator("[aria-current]")).toHaveText("with an x");
  await playground.run("GET a");
  await expect(playground.log()).toContainText('"2x"');
  await branches.getByRole("button", { name: "the first line", exact: true }).click();
  await expect(playground.log()).toContainText("Back on the first line.");
  await playground.run("GET a");
  await expect(playground.log()).toContainText('"3"');

  await page.reload();
  await playground.ready();
  time = await playground.panel("Time");
  branches = time.getByRole("region", { name: "Branches" });
  await expect(branches.locator("[aria-current]")).toHaveText("the first line");
  await branches.getByRole("group", { name: "with an x" }).getByRole("button", { name: "Delete" }).click();
  await branches.getByRole("button", { name: "Undo" }).click();
  await branches.getByRole("group", { name: "with an x" }).getByRole("button", { name: "Keep as sandbox" }).click();
  await expect(page.getByRole("status").first()).toContainText("with an x");
  await playground.run("GET a");
  await expect(playground.log()).toContainText('"2x"');
  await expect(branches).toHaveCount(0);
});

test("360 pixels are enough", async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  const playground = await Playground.open(page);
  for (const line of ["SET a 1", "SET a 2"]) await playground.run(line);
  const time = await playground.panel("Time");
  await expect(time.getByRole("option", { name: /SET a 1/ })).toBeVisible();
  await time.getByRole("option", { name: /SET a 1/ }).click();
  await time.getByRole("button", { name: "Go on from here" }).click();
  await expect(time.getByRole("region", { name: "Branches" })).toBeVisible();
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  for (const button of await time.getByRole("button").all()) {
    const box = (await button.boundingBox())!;
    expect(box.x).toBeGreaterThanOrEqual(0);
    expect(box.x + box.width).toBeLessThanOrEqual(360);
  }
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`axe finds nothing, ${colorScheme}`, async ({ browser }) => {
    test.setTimeout(60_000);
    const context = await browser.newContext({ colorScheme, reducedMotion: "reduce" });
    const page = await context.newPage();
    const playground = await Playground.open(page);
    for (const line of ["SET a 1", "SET b 2", "SET a 3"]) await playground.run(line);
    const time = await playground.panel("Time");
    await time.getByRole("option", { name: /SET b 2/ }).click();
    await expect(time.getByRole("group", { name: "What it changed" })).toContainText("2");
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)).toEqual([]);
    await context.close();
  });
}

// The first minute of somebody who has never heard of Redis; clients, and transcripts that play across them.

import { expect, test } from "@playwright/test";
import { Playground } from "../playground.ts";

test("a first success takes two presses, is seen among the keys, and the next step is offered", async ({ page }) => {
  const playground = await Playground.open(page);
  const guide = page.getByRole("navigation", { name: "First commands" });
  await guide.getByRole("button", { name: /SET greeting/ }).click();
  await expect(playground.log()).toContainText("OK");
  await expect(guide).toContainText("the server keeps it");
  const keys = page.getByRole("region", { name: "Keys", exact: true });
  await expect(keys.getByRole("treeitem", { name: /greeting/ })).toHaveClass(/hot/);
  await expect(keys.getByRole("group", { name: "Value" })).toContainText("Hello, world");
  await guide.getByRole("button", { name: "Next" }).click();
  await guide.getByRole("button", { name: /GET greeting/ }).click();
  await expect(playground.log()).toContainText('"Hello, world"');
});

test("every step of the guide does what it says", async ({ page }) => {
  test.setTimeout(90_000);
  const playground = await Playground.open(page);
  const guide = page.getByRole("navigation", { name: "First commands" });
  const count = await guide.getByRole("listitem").count();
  for (let step = 0; step < count; step++) {
    await guide.locator(".try").click();
    if (step < count - 1) await guide.getByRole("button", { name: "Next" }).click();
  }
  await expect(playground.log("Client B")).toContainText('2) "first"');
  await expect(playground.log()).toContainText("HGETALL");
  await expect(playground.log()).not.toContainText("(error)");
  await guide.getByRole("button", { name: "Go on with the lessons" }).click();
  await expect(page.getByRole("region", { name: "Learn", exact: true })).toBeVisible();
});

test("a client changes its protocol", async ({ page }) => {
  const playground = await Playground.open(page);
  await playground.lane("Client A").getByRole("button", { name: "RESP2" }).click();
  await expect(playground.log()).toContainText("HELLO 3");
  await expect(playground.lane("Client A").getByRole("button", { name: "RESP3" })).toBeEnabled();
  await playground.run("HSET h f v");
  await playground.run("HGETALL h");
  await expect(playground.log()).toContainText('1# "f" => "v"');
});

test("more clients than colours", async ({ page }) => {
  const playground = await Playground.open(page);
  for (let client = 0; client < 7; client++) await playground.addLane();
  await playground.ready("Client H");
  await playground.run("PING", "Client H");
  await expect(playground.log("Client H")).toContainText("PONG");
});

test("a transcript plays across the clients, alike every time", async ({ page }) => {
  const playground = await Playground.open(page);
  const play = async () => {
    await page.getByRole("button", { name: "Menu" }).click();
    await page.getByRole("button", { name: /Play a transcript/ }).click();
    const dialog = page.getByRole("dialog", { name: "Play a transcript" });
    await dialog.getByRole("textbox", { name: "Transcript" }).fill("# Two wait.\n2> BLPOP q 0\n3> BLPOP q 5\n> RPUSH q one\n@ +6s\n> SET lock mine NX EX 10\n@ +11s\n> EXISTS lock\n> DEL q");
    await dialog.getByRole("combobox", { name: "Speed" }).selectOption("at once");
    await dialog.getByRole("button", { name: "Play" }).click();
    await expect(page.getByText("Played 9 of 9")).toBeVisible({ timeout: 20_000 });
  };
  await play();
  await expect(playground.log("Client B")).toContainText('2) "one"');
  await expect(playground.log("Client C")).toContainText("(nil)");
  await expect(playground.log()).toContainText(/EXISTS lock\s*\(integer\) 0/);
  const texts = () => Promise.all(["Client A", "Client B", "Client C"].map((name) => playground.text(name)));
  const first = await texts();
  for (const name of ["Client A", "Client B", "Client C"]) await playground.prompt(name).press("Control+l");
  await play();
  // A wait says how long it took on the clock; that is alike, too.
  await expect.poll(texts).toEqual(first);
  await page.getByRole("button", { name: "Back to the sandbox" }).click();
  await playground.run("DBSIZE");
  await expect(playground.log()).toContainText("(integer) 0");
});

test("playing can be paused and taken step by step, at another speed", async ({ page }) => {
  const playground = await Playground.open(page);
  await page.getByRole("button", { name: "Menu" }).click();
  await page.getByRole("button", { name: /Play a transcript/ }).click();
  const dialog = page.getByRole("dialog", { name: "Play a transcript" });
  await dialog.getByRole("textbox", { name: "Transcript" }).fill("@ client 2 worker\n> SET a 1\n> INCR a\n2> INCR a\n> GET a");
  await dialog.getByRole("combobox", { name: "Speed" }).selectOption("slow");
  await dialog.getByRole("button", { name: "Play", exact: true }).click();
  const bar = page.getByRole("group", { name: "Playing" });
  await expect(bar.getByRole("button", { name: "Pause" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(bar).toContainText("Paused at 0 of 4");
  await bar.getByRole("button", { name: "Step" }).click();
  await expect(bar).toContainText("Paused at 1 of 4");
  await page.keyboard.press("Enter");
  await expect(bar).toContainText("Paused at 2 of 4");
  await expect(playground.lane("Client B")).toHaveCount(0);
  await expect(bar.getByRole("button", { name: "Step" })).toBeFocused();
  await bar.getByRole("combobox", { name: "Speed" }).selectOption("at once");
  await bar.getByRole("button", { name: "Go on" }).click();
  await expect(bar).toContainText("Played 4 of 4");
  await expect(playground.log("worker")).toContainText("(integer) 3");
});

test("the keyboard goes from client to client", async ({ page }) => {
  const playground = await Playground.open(page);
  await expect(playground.prompt()).toBeFocused();
  await page.keyboard.press("Alt+n");
  await playground.ready("Client B");
  await expect(playground.prompt("Client B")).toBeFocused();
  await page.keyboard.press("Alt+PageDown");
  await expect(playground.prompt("Client A")).toBeFocused();
  await page.keyboard.press("Alt+PageUp");
  await expect(playground.prompt("Client B")).toBeFocused();
});

test("Stop ends a script that runs for ever, and nothing else", async ({ page }) => {
  test.setTimeout(60_000);
  const playground = await Playground.open(page);
  await playground.run("SET before 1");
  await playground.run('EVAL "while true do end" 0');
  await expect(page.locator("footer")).toContainText("Running");
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  await expect(playground.log()).toContainText(/killed/i);
  await playground.run("GET before");
  await expect(playground.log()).toContainText('"1"');
  await playground.run("EVAL \"redis.call('set', 'half', 1) while true do end\" 0");
  await expect(page.locator("footer")).toContainText("Running");
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  await expect(page.locator("footer")).toContainText("Ready");
  await playground.run("MGET before half");
  await expect(playground.log()).toContainText(/1\) "1"\s*2\) \(nil\)/);
});

test("who types commands of their own has done the steps, and goes on with their own keys", async ({ page }) => {
  const playground = await Playground.open(page);
  const guide = page.getByRole("navigation", { name: "First commands" });
  await playground.run("SET mine");
  await expect(playground.log()).toContainText("wrong number of arguments");
  await expect(guide).toContainText("Keep a text under a name.");
  await playground.run("set mine 7");
  await expect(guide).toContainText("the server keeps it");
  // It reads their key, and overwrites none.
  await expect(guide.locator(".try")).toContainText("SET greeting");
  await guide.getByRole("button", { name: "Next" }).click();
  await expect(guide.getByRole("button", { name: "GET mine" })).toBeFocused();
  // Out of order, and one that is of no step.
  await playground.run("hset h f v");
  await playground.run("ECHO hello");
  await expect(guide).toContainText("5 of 10 A hash");
  await expect(guide.getByRole("button", { name: /^Step 5:.* Done\.$/ })).toBeVisible();
  await guide.getByRole("button", { name: "Next" }).click();
  await expect(guide).toContainText("6 of 10 Make a leaderboard.");
  await guide.getByRole("button", { name: "Hide the guide" }).click();
  await expect(guide).toBeHidden();
  await expect(playground.prompt()).toBeFocused();
  await page.reload();
  await playground.ready();
  await expect(guide).toBeHidden();
});

for (const [width, height] of [[1280, 800], [1000, 800], [360, 740]] as const) {
  test(`nothing moves while the guide is followed, at ${width} pixels`, async ({ page }) => {
    test.setTimeout(90_000);
    await page.setViewportSize({ width, height });
    await Playground.open(page);
    const guide = page.getByRole("navigation", { name: "First commands" });
    const heightNow = () => guide.evaluate((element) => element.getBoundingClientRect().height);
    const count = await guide.locator("li").count();
    const begun = await heightNow();
    for (let step = 0; step < count; step++) {
      await guide.locator(".try").click();
      await expect(guide.locator(".did")).toBeVisible();
      expect(await heightNow(), `step ${step + 1}`).toBe(begun);
      if (step < count - 1) await guide.getByRole("button", { name: "Next" }).click();
    }
  });
}

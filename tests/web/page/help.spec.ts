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

test("carets stand under what is missing, on a small screen too", async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  const playground = await Playground.open(page);
  for (const [line, missing] of [
    ["ZADD k", "score"],
    ["XREADGROUP GROUP g", "consumer"],
    ["GEOSEARCHSTORE destination source", "FROMMEMBER"],
  ]) {
    await playground.run("CLEAR");
    await playground.run(line!);
    await expect(playground.log()).toContainText("is missing");
    const places = await playground.log().evaluate((log, word) => {
      const place = (text: string, from: number) => {
        const walker = document.createTreeWalker(log, NodeFilter.SHOW_TEXT);
        let at = 0;
        for (let node = walker.nextNode(); node; node = walker.nextNode()) {
          const found = at >= from ? node.textContent!.indexOf(text) : -1;
          at += node.textContent!.length;
          if (found < 0) continue;
          const range = document.createRange();
          range.setStart(node, found);
          range.setEnd(node, found + text.length);
          const { left, top, height } = range.getBoundingClientRect();
          return { left, top, height };
        }
        throw new Error(`${text} is not there`);
      };
      const answer = log.textContent!.indexOf("ERR wrong number") + 1;
      return { word: place(word!, answer), carets: place("^".repeat(word!.length), answer) };
    }, missing);
    expect(Math.abs(places.word.left - places.carets.left)).toBeLessThan(1);
    // In the line below, so the line above did not wrap.
    expect(places.carets.top - places.word.top).toBeLessThan(places.word.height * 1.8);
  }
});

test("--rdb saves the keys; what a page cannot do says why", async ({ page }) => {
  const playground = await Playground.open(page);
  await playground.run("SET kept 1");
  const download = page.waitForEvent("download");
  await playground.run("redis-cli --rdb /tmp/all.rdb");
  const file = await download;
  expect(file.suggestedFilename()).toBe("all.rdb");
  const bytes = await (await file.createReadStream()).toArray();
  expect(Buffer.concat(bytes).subarray(0, 5).toString()).toBe("REDIS");
  await expect(playground.log()).toContainText("all.rdb, ");
  await playground.run("--functions-rdb f.rdb");
  await expect(playground.log()).toContainText("FUNCTION DUMP gives them alone");
  await playground.run("GET kept");
  await expect(playground.log()).toContainText('"1"');
});

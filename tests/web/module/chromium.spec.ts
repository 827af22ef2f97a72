// The cases of the module, in Chromium: an empty page imports the module as a site does.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { expect, test, type Page } from "@playwright/test";
import { cases } from "./cases.js";
import { transcripts } from "./transcripts.js";

const FILES: Record<string, [string, string]> = {
  "/cases.js": ["./cases.js", "text/javascript"],
  "/resplay.js": ["../../../www/pkg/resplay.js", "text/javascript"],
  "/resplay_bg.wasm": ["../../../www/pkg/resplay_bg.wasm", "application/wasm"],
};

test.beforeEach(async ({ page }) => {
  await page.route("http://localhost/**", async (route) => {
    const file = FILES[new URL(route.request().url()).pathname];
    if (!file) return route.fulfill({ body: "<!doctype html>", contentType: "text/html" });
    const [path, contentType] = file;
    await route.fulfill({ body: await readFile(new URL(path, import.meta.url)), contentType });
  });
  await page.goto("http://localhost/");
});

/** Runs a case in the page, by its name or made of a transcript; compares here what it compared there. */
async function holds(page: Page, one: { name: string; transcript?: string }): Promise<void> {
  const compared = await page.evaluate(async ({ name, transcript }) => {
    const resplay = await import("http://localhost/resplay.js" as string);
    await resplay.default({ module_or_path: "/resplay_bg.wasm" });
    const { cases, transcriptCase } = await import("http://localhost/cases.js" as string);
    const compared: [unknown, unknown][] = [];
    const found = cases.find((one: { name: string }) => one.name === name);
    const { run } = transcript === undefined ? found : transcriptCase(name, transcript);
    await run(resplay, (actual: unknown, wanted: unknown) => compared.push([actual, wanted]));
    return compared;
  }, one);
  expect(compared).not.toEqual([]);
  for (const [actual, wanted] of compared) assert.deepStrictEqual(actual, wanted);
}

for (const { name } of cases) {
  test(name, ({ page }) => holds(page, { name }));
}

// One page for a whole group: a fresh one for each transcript would take longer than all of them.
for (const group of new Set(transcripts.map(([path]) => path.split(/[\\/]/)[0]))) {
  test(`transcripts of ${group}`, async ({ page }) => {
    for (const [path, transcript] of transcripts.filter(([path]) => path.split(/[\\/]/)[0] === group)) {
      await test.step(path, () => holds(page, { name: path, transcript }));
    }
  });
}

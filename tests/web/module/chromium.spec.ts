// The cases of the module, in Chromium: an empty page imports the module as a site does.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { expect, test } from "@playwright/test";
import { cases } from "./cases.js";

const FILES: Record<string, [string, string]> = {
  "/": ["", "text/html"],
  "/cases.js": ["./cases.js", "text/javascript"],
  "/resplay.js": ["../../../www/pkg/resplay.js", "text/javascript"],
  "/resplay_bg.wasm": ["../../../www/pkg/resplay_bg.wasm", "application/wasm"],
};

test.beforeEach(async ({ page }) => {
  await page.route("http://localhost/**", async (route) => {
    const [path, contentType] = FILES[new URL(route.request().url()).pathname] ?? ["", "text/plain"];
    const body = path === "" ? "" : await readFile(new URL(path, import.meta.url));
    await route.fulfill({ body, contentType });
  });
  await page.goto("http://localhost/");
});

for (const { name } of cases) {
  test(name, async ({ page }) => {
    const compared = await page.evaluate(async (name) => {
      const resplay = await import("http://localhost/resplay.js" as string);
      await resplay.default({ module_or_path: "/resplay_bg.wasm" });
      const { cases } = await import("http://localhost/cases.js" as string);
      const compared: [unknown, unknown][] = [];
      const one = cases.find((one: { name: string }) => one.name === name);
      await one.run(resplay, (actual: unknown, wanted: unknown) => compared.push([actual, wanted]));
      return compared;
    }, name);
    expect(compared).not.toEqual([]);
    for (const [actual, wanted] of compared) assert.deepStrictEqual(actual, wanted);
  });
}

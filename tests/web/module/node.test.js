// The cases of the module, in Node.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { cases } from "./cases.js";

const resplay = await import("../../../www/pkg/resplay.js");
await resplay.default({ module_or_path: await readFile(new URL("../../../www/pkg/resplay_bg.wasm", import.meta.url)) });

for (const { name, run } of cases) {
  test(name, () => run(resplay, assert.deepStrictEqual));
}

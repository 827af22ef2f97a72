// The cases of the module, in Node.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { cases, transcriptCase } from "./cases.js";
import { transcripts } from "./transcripts.js";

const resplay = await import("../../../www/pkg/resplay.js");
await resplay.default({ module_or_path: await readFile(new URL("../../../www/pkg/resplay_bg.wasm", import.meta.url)) });

for (const { name, run } of [...cases, ...transcripts.map(([path, text]) => transcriptCase(path, text))]) {
  test(name, () => run(resplay, assert.deepStrictEqual));
}

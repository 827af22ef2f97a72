// Weighs the compressed copies of what was built, as a browser fetches them, and fails when a budget is broken.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

/** All budgets, in kilobytes of 1000 bytes, brotli. */
const BUDGETS = {
  "embed shell, before first intent": 20,
  "script and style of the page": 42,
  "page to first prompt, engine included": 250,
  "the rest of the engine, loaded behind the prompt": 400,
};

const dist = join(dirname(fileURLToPath(import.meta.url)), "../dist");
const files = readdirSync(dist, { recursive: true }).map((name) => join(dist, name)).filter((file) => statSync(file).isFile());
const weights = new Map();
for (const file of files) {
  if (!/\.(js|css|html|svg|wasm)$/.test(file)) continue;
  weights.set(relative(dist, file).replaceAll("\\", "/"), statSync(existsSync(`${file}.br`) ? `${file}.br` : file).size);
}

/** The one file whose name matches: a budget of nothing would always hold. */
function only(pattern) {
  const found = [...weights.keys()].filter((name) => pattern.test(name));
  if (found.length !== 1) throw new Error(`${found.length} files match ${pattern}: ${found.join(", ")}`);
  return found[0];
}

/** A module and all it imports at once. */
function closure(entry, seen = new Set()) {
  if (seen.has(entry)) return seen;
  seen.add(entry);
  const text = readFileSync(join(dist, entry), "utf8");
  for (const [, name] of text.matchAll(/(?:import|from)\s*["'](\.[^"']+\.js)["']/g)) {
    closure(join(dirname(entry), name).replaceAll("\\", "/"), seen);
  }
  return seen;
}

const worker = only(/^assets\/worker-.*\.js$/);
const page = new Set([...closure(only(/^assets\/index-.*\.js$/)), only(/^index\.html$/), worker]);
const parts = {
  "embed shell, before first intent": closure("embed.js"),
  "script and style of the page": page,
  "page to first prompt, engine included": new Set([...page, only(/^icon\.svg$/), only(/resplay_first-.*\.wasm$/)]),
  "the rest of the engine, loaded behind the prompt": new Set([only(/resplay_rest-.*\.wasm$/)]),
};

for (const [part, limit] of Object.entries(BUDGETS)) {
  const bytes = [...parts[part]].reduce((total, name) => total + weights.get(name), 0);
  const over = bytes > limit * 1000;
  console.log(`${over ? "OVER" : "  ok"}  ${part}: ${(bytes / 1000).toFixed(1)} of ${limit} KB`);
  if (over) process.exitCode = 1;
}

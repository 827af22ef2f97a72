// Weighs what was built, as a browser would fetch it, and fails when a budget is broken.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants } from "node:zlib";

const dist = join(dirname(fileURLToPath(import.meta.url)), "../dist");
const files = readdirSync(dist, { recursive: true }).map((name) => join(dist, name)).filter((file) => statSync(file).isFile());
const weights = new Map();
for (const file of files) {
  if (!/\.(js|css|html|svg|wasm)$/.test(file)) continue;
  const params = { [constants.BROTLI_PARAM_QUALITY]: file.endsWith(".wasm") ? 9 : 11 };
  weights.set(relative(dist, file).replaceAll("\\", "/"), brotliCompressSync(readFileSync(file), { params }).length);
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

const sum = (names) => [...names].reduce((total, name) => total + (weights.get(name) ?? 0), 0);
const names = [...weights.keys()];
const wasm = names.filter((name) => name.endsWith(".wasm"));
const worker = names.filter((name) => /worker-.*\.js$/.test(name));
const index = names.find((name) => /assets\/index-.*\.js$/.test(name));
const shell = closure("embed.js");
const page = new Set([...closure(index), "index.html", "page.css", ...worker]);

let broken = false;
function budget(what, bytes, max) {
  const over = bytes > max;
  broken ||= over;
  console.log(`${over ? "OVER" : "  ok"}  ${what}: ${(bytes / 1024).toFixed(1)} of ${(max / 1024).toFixed(0)} KB, brotli`);
}
budget("embed shell", sum(shell), 20 * 1024);
budget("script and style of the page", sum(page), 40 * 1024);
budget("engine", sum(wasm), 360 * 1024);
process.exitCode = broken ? 1 : 0;

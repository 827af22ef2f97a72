// Writes the service worker of what was built: every file of the page, and a version that changes with any of them.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const scripts = dirname(fileURLToPath(import.meta.url));
const dist = join(scripts, "../dist");
const names = readdirSync(dist, { recursive: true })
  .map((name) => name.replaceAll("\\", "/"))
  // Other sites' pages fetch embed.js; a copy would be of no use here.
  .filter((name) => !/(\.(br|gz|map)|^embed\.js|^service-worker\.js)$/.test(name) && statSync(join(dist, name)).isFile())
  .sort();
const version = createHash("sha256");
for (const name of names) version.update(`${name}\0`).update(readFileSync(join(dist, name)));
const text = readFileSync(join(scripts, "service-worker.js"), "utf8")
  .replace("@VERSION@", version.digest("hex").slice(0, 16))
  .replace("/* @FILES@ */ []", JSON.stringify(names.map((name) => `./${name}`)));
writeFileSync(join(dist, "service-worker.js"), text);

// The transcripts of tests/suite, which hold in the module as they do natively.

import { readdirSync, readFileSync } from "node:fs";

const suite = new URL("../../suite/", import.meta.url);

/** Pairs of path and text, sorted by path. */
export const transcripts = readdirSync(suite, { recursive: true })
  .map(String)
  .filter((path) => path.endsWith(".txt"))
  .sort()
  .map((path) => [path, readFileSync(new URL(path, suite), "utf8")]);

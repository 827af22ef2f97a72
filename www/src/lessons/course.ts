/** The lessons that come with the page, in their order. */

import { parseLesson, type Lesson } from "./parse";

const texts = import.meta.glob<string>("../../lessons/*.md", { query: "?raw", import: "default", eager: true });

/** Files are named `07-leaderboards.md`: the number orders, the rest names. */
export const course: Lesson[] = Object.entries(texts)
  .sort(([a], [b]) => a.localeCompare(b))
  .map(([path, text]) => parseLesson(nameOf(path).replace(/^\d+-/, ""), text));

function nameOf(path: string): string {
  return path.split("/").at(-1)!.replace(/\.\w+$/, "");
}

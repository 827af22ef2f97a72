/** The lessons and datasets that come with the page, in their order. */

import { parseLesson, type Lesson } from "./parse";

const texts = import.meta.glob<string>("../../lessons/*.md", { query: "?raw", import: "default", eager: true });
const scripts = import.meta.glob<string>("../../lessons/data/*.redis", { query: "?raw", import: "default", eager: true });

/** Files are named `07-leaderboards.md`: the number orders, the rest names. */
export const course: Lesson[] = Object.entries(texts)
  .sort(([a], [b]) => a.localeCompare(b))
  .map(([path, text]) => parseLesson(nameOf(path).replace(/^\d+-/, ""), text));

export interface Dataset {
  id: string;
  title: string;
  summary: string;
  lines: string[];
}

/** A dataset begins with two comments: its title, and what is in it. */
export const datasets: Dataset[] = Object.entries(scripts)
  .sort(([a], [b]) => a.localeCompare(b))
  .map(([path, text]) => {
    const lines = text.split("\n");
    const comment = (at: number) => lines[at]?.replace(/^# /, "") ?? "";
    return { id: nameOf(path), title: comment(0), summary: comment(1), lines: lines.filter((line) => line.trim() !== "" && !line.startsWith("#")) };
  });

function nameOf(path: string): string {
  return path.split("/").at(-1)!.replace(/\.\w+$/, "");
}

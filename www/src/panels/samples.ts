/** Keys to look at: the datasets that come with the page, and how one is loaded. */

import { runUnseen } from "../transfer";
import type { Shell } from "./index";
import { countText } from "./look";

const scripts = import.meta.glob<string>("../../lessons/data/*.redis", { query: "?raw", import: "default", eager: true });

export interface Dataset {
  id: string;
  title: string;
  summary: string;
  lines: string[];
}

/** A dataset begins with two comments: its title, and what is in it. Its last command is on the key that is worth a look. */
export const datasets: Dataset[] = Object.entries(scripts)
  .sort(([a], [b]) => a.localeCompare(b))
  .map(([path, text]) => {
    const lines = text.split("\n");
    const comment = (at: number) => lines[at]?.replace(/^# /, "") ?? "";
    const id = path.split("/").at(-1)!.replace(/\.\w+$/, "");
    return { id, title: comment(0), summary: comment(1), lines: lines.filter((line) => line.trim() !== "" && !line.startsWith("#")) };
  });

/** Puts a dataset into what the terminals show, and says there what came of it; answers that in a sentence. */
export async function loadDataset(shell: Shell, data: Dataset): Promise<string> {
  const { host, space } = shell;
  const count = async () => Number(/\d+/.exec((await host.probe(space, ["DBSIZE"]))[0] ?? "")?.[0] ?? 0);
  const before = await count();
  const troubles = await runUnseen(host, space, data.lines);
  const added = (await count()) - before;
  const told = troubles.length > 0 ? `“${data.title}”: ${troubles.join("; ")}` : `“${data.title}” is loaded: ${added > 0 ? `${countText(added, "new key")}.` : "its keys were here, and are as at first again."}`;
  shell.notice(`${told} ${shell.sandboxes.attached ? "" : "In the panel “Time” the moments before lead back."}`, troubles.length > 0 ? "error" : "info");
  return told;
}

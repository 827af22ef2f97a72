/** Runs many lines on a keyspace without showing them, and tells what went wrong. */

import type { Host, LaneView } from "./host";

/** Lines sent together; between two batches the page may do other things. */
const BATCH = 500;
const TROUBLES_MAX = 20;

export async function runUnseen(host: Host, space: string, lines: string[], told?: (done: number) => void): Promise<string[]> {
  const troubles: string[] = [];
  let line = "";
  const nothing = () => {};
  const view: LaneView = {
    echo: (_, text) => (line = text),
    remember: nothing,
    print: (blocks) => {
      for (const { text } of blocks) {
        if (text.startsWith("(error)") && troubles.length < TROUBLES_MAX) troubles.push(`${line}: ${text.split("\n")[0]}`);
      }
    },
    state: nothing,
    clear: nothing,
    status: nothing,
    notice: (text) => troubles.push(text),
  };
  const lane = host.openLane(space, view);
  try {
    for (let at = 0; at < lines.length; at += BATCH) {
      lane.submit(...lines.slice(at, at + BATCH));
      await host.sync();
      told?.(Math.min(at + BATCH, lines.length));
    }
    await host.sync();
    if (lane.state === "more") troubles.push("A quote is left open, so what is behind it did not run");
    if (lane.state === "waiting") troubles.push(`${line}: it waits for something that does not come, so what is behind it did not run`);
  } finally {
    lane.close();
  }
  return troubles;
}

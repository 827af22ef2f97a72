/** The line `--rdb FILE`: all keys of the lane's server as a file for its user. */

import type { Host, Lane } from "./host";

export async function give(host: Host, { space, view }: Lane, path: string): Promise<void> {
  const name = path.split("/").pop() || "dump.rdb";
  try {
    const elsewhere = host.spaces.get(space)?.remote;
    const rdb = elsewhere
      ? (await host.job<{ rdb: Uint8Array }>({ do: "copy", space })).rdb
      : await host.job<Uint8Array | null>({ do: "snapshot", space });
    if (!rdb) throw new Error("the engine does not run");
    // Not by `files.ts`: what this shared with it would be fetched with every terminal.
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([rdb as BlobPart], { type: "application/octet-stream" }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    view.notice(`${name}, ${rdb.length} bytes, is on its way to your downloads.`, "info");
  } catch (reason) {
    view.notice(`${name} could not be made: ${reason instanceof Error ? reason.message : String(reason)}.`, "error");
  }
}

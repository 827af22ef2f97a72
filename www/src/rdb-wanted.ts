/** The line `--rdb FILE`: all keys of the lane's server as a file for its user. */

import { save } from "./files";
import type { Host, Lane } from "./host";

export async function give(host: Host, { space, view }: Lane, path: string): Promise<void> {
  const name = path.split("/").pop() || "dump.rdb";
  try {
    const elsewhere = host.spaces.get(space)?.remote;
    const rdb = elsewhere
      ? (await host.job<{ rdb: Uint8Array }>({ do: "copy", space })).rdb
      : await host.job<Uint8Array | null>({ do: "snapshot", space });
    if (!rdb) throw new Error("the engine does not run");
    save(name, rdb as BlobPart, "application/octet-stream");
    view.notice(`${name}, ${rdb.length} bytes, is on its way to your downloads.`, "info");
  } catch (reason) {
    view.notice(`${name} could not be made: ${reason instanceof Error ? reason.message : String(reason)}.`, "error");
  }
}

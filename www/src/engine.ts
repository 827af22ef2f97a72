/** Where the worker comes from. A page of another origin may not start it directly, so it gets a line that imports it. */

import firstUrl from "../pkg/resplay_first.wasm?url";
import restUrl from "../pkg/resplay_rest.wasm?url";
import workerUrl from "./worker.ts?worker&url";
import type { Early } from "./early";
import { Host } from "./host";

function spawn(from = workerUrl): Worker {
  const url = new URL(from, import.meta.url);
  if (url.origin === location.origin) return new Worker(url, { type: "module" });
  const shim = URL.createObjectURL(new Blob([`import ${JSON.stringify(url.href)};`], { type: "text/javascript" }));
  const worker = new Worker(shim, { type: "module" });
  // Early messages wait in the worker's port until its module has run.
  worker.addEventListener("message", () => URL.revokeObjectURL(shim), { once: true });
  return worker;
}

async function bytesAt(url: string): Promise<ArrayBuffer> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answers ${response.status}`);
  return response.arrayBuffer();
}

/** The module is fetched beside the worker's script, not after it, and compiled over there: this thread has the page to draw. */
export function newHost(wasm: string | null = null, early?: Early): Host {
  const url = (name: string): string => new URL(name, import.meta.url).href;
  return new Host(
    (from) => (from ? undefined : early?.worker()) ?? spawn(from),
    () => early?.engine() ?? bytesAt(wasm ?? url(firstUrl)),
    url(restUrl),
  );
}

let shared: Host | null = null;

/** The one host that all embedded terminals of a page use. */
export function sharedHost(wasm: string | null = null): Host {
  shared ??= newHost(wasm);
  return shared;
}

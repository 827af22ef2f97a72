/**
 * The part of the engine that a first session hardly needs. It comes when the network has nothing better to do, or at once
 * when a command calls for it: then the worker stands still until it is there, and the command never notices.
 */

/** Long enough for the first prompt to be drawn and answered. */
const LATER_MS = 300;

/** The engine stopped in the middle of what it did, as at a trap. */
export class RestMissing extends WebAssembly.RuntimeError {}

let url = "";
let exports: WebAssembly.Exports = {};
let loaded = false;

/** The engine calls this by name. */
(self as unknown as Record<string, unknown>).load_rest_of_engine = (): void => {
  if (loaded) return;
  const request = new XMLHttpRequest();
  request.open("GET", url, false);
  request.responseType = "arraybuffer";
  try {
    request.send();
  } catch {
    throw missing();
  }
  if (request.status !== 200) throw missing();
  complete(new WebAssembly.Module(request.response as ArrayBuffer));
};

/** Says where the rest is, and of what it is the rest. */
export function expectRest(from: string, first: WebAssembly.Exports): void {
  url = from;
  exports = first;
  loaded = false;
  const { connection } = navigator as { connection?: { saveData?: boolean } };
  // A module as a whole lends nothing to a rest.
  if ("m" in first && !connection?.saveData) setTimeout(() => void fetchAhead(), LATER_MS);
}

async function fetchAhead(): Promise<void> {
  try {
    const response = await fetch(url);
    if (!loaded && response.ok) complete(await WebAssembly.compile(await response.arrayBuffer()));
  } catch {
    // It is asked for again when it is needed.
  }
}

function complete(module: WebAssembly.Module): void {
  if (loaded) return;
  new WebAssembly.Instance(module, { "": exports as WebAssembly.ModuleImports });
  loaded = true;
}

function missing(): Error {
  return new RestMissing(`${url} could not be loaded`);
}

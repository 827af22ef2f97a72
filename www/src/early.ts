/**
 * What the page needs longest to have, asked for before its script has come: the engine, and the worker it will live in. The
 * page as built says where they are; where it does not, they are asked for later.
 */

interface Early {
  worker?: Worker | undefined;
  /** Its bytes, or the address where the worker finds them itself. */
  engine?: Promise<ArrayBuffer | string> | undefined;
}

/** What a page has asked for comes to its workers as well, without a second request: so Chromium's cache works. */
const SHARES = "userAgentData" in navigator;

function begun(): Early {
  const engine = document.querySelector<HTMLLinkElement>("link[data-engine]");
  const worker = document.querySelector<HTMLScriptElement>("script[data-worker]")?.dataset.worker;
  if (!engine || !worker) return {};
  const bytes = fetch(engine.href).then((response) => (response.ok ? response.arrayBuffer() : Promise.reject(new Error(`${engine.href} answers ${response.status}`))));
  // Whoever needs it hears of it.
  bytes.catch(() => {});
  const early: Early = { worker: new Worker(new URL(worker, document.baseURI), { type: "module" }), engine: SHARES ? Promise.resolve(engine.href) : bytes };
  early.worker!.onerror = (event) => {
    event.preventDefault();
    early.worker = undefined;
  };
  return early;
}

const all = begun();

/** Each is there once, and not again for a worker that follows. */
function taken<Key extends keyof Early>(key: Key): Early[Key] {
  const value = all[key];
  delete all[key];
  return value;
}

export const early = { worker: () => taken("worker"), engine: () => taken("engine") };

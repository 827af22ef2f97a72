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

const HELD_MS = 15_000;

function begun(): Early {
  const engine = document.querySelector<HTMLLinkElement>("link[data-engine]");
  const worker = document.querySelector<HTMLScriptElement>("script[data-worker]")?.dataset.worker;
  if (!engine || !worker) return {};
  const asked = fetch(engine.href);
  const early: Early = { worker: new Worker(new URL(worker, document.baseURI), { type: "module" }) };
  if (SHARES) {
    early.engine = Promise.resolve(engine.href);
    // Not read here, for that takes this thread's time; to let go of it early would be to ask again.
    asked.then(({ body }) => setTimeout(() => void body?.cancel(), HELD_MS)).catch(() => {});
  } else {
    early.engine = asked.then((response) => (response.ok ? response.arrayBuffer() : Promise.reject(new Error(`${engine.href} answers ${response.status}`))));
    // Whoever needs it hears of it.
    early.engine.catch(() => {});
  }
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

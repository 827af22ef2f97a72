/**
 * What the page needs longest to have, asked for before anything else of it has come: the engine, and the worker it will live
 * in. The page as built has this script within it, and says there where both are; elsewhere they are asked for later.
 */

interface Begun {
  worker?: Worker | undefined;
  /** Its bytes, or the address where the worker finds them itself. */
  engine?: Promise<ArrayBuffer | string> | undefined;
}

export interface Early {
  worker(): Begun["worker"];
  engine(): Begun["engine"];
}

/** What a page has asked for comes to its workers as well, without a second request: so Chromium's cache works. */
const SHARES = "userAgentData" in navigator;

const HELD_MS = 15_000;

function begun({ engine: from, worker: script }: DOMStringMap): Begun {
  if (!from || !script) return {};
  const engine = new URL(from, document.baseURI).href;
  const asked = fetch(engine);
  const all: Begun = {};
  const url = new URL(script, document.baseURI);
  if (SHARES) {
    // It need not be told by this thread, which has the page to draw.
    url.hash = engine;
    all.engine = Promise.resolve(engine);
    // Not read here, for that takes this thread's time; to let go of it early would be to ask again.
    asked.then(({ body }) => setTimeout(() => void body?.cancel(), HELD_MS)).catch(() => {});
  } else {
    all.engine = asked.then((response) => (response.ok ? response.arrayBuffer() : Promise.reject(new Error(`${engine} answers ${response.status}`))));
    // Whoever needs it hears of it.
    all.engine.catch(() => {});
  }
  all.worker = new Worker(url, { type: "module" });
  all.worker.onerror = (event) => {
    event.preventDefault();
    all.worker = undefined;
  };
  return all;
}

const all = begun((document.currentScript as HTMLScriptElement).dataset);

/** Each is there once, and not again for a worker that follows. */
function taken<Key extends keyof Begun>(key: Key): Begun[Key] {
  const value = all[key];
  delete all[key];
  return value;
}

try {
  // The first look into each waits for another process, and there is time for it now.
  void (localStorage.length + sessionStorage.length);
} catch {
  // A browser may forbid it.
}

declare global {
  interface Window {
    early?: Early;
  }
}

window.early = { worker: () => taken("worker"), engine: () => taken("engine") };

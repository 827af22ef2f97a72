// Serves the page without a network, once it was visited. `offline.mjs` puts the list of files and their version in.

const VERSION = "@VERSION@";
const FILES = /* @FILES@ */ [];

const PREFIX = "resplay-";
const CACHE = PREFIX + VERSION;
/** How long the network may take for the page itself before the kept one is shown. */
const PATIENCE_MS = 3000;

self.addEventListener("install", (event) => {
  // Hashed names never change their content, so what the browser has of them will do.
  const wanted = FILES.map((name) => new Request(name, { cache: name.startsWith("./assets/") ? "default" : "no-cache" }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(wanted)));
});

// A page says which script it runs. When that is of this version and no other page is open, nobody needs the one before.
self.addEventListener("message", (event) => {
  const { shown } = event.data ?? {};
  if (!FILES.some((name) => new URL(name, self.registration.scope).href === shown)) return;
  const takeOver = async () => {
    const open = await self.clients.matchAll({ includeUncontrolled: true, type: "window" });
    if (open.length === 1) await self.skipWaiting();
  };
  event.waitUntil(takeOver());
});

self.addEventListener("activate", (event) => {
  // This version takes over when no tab shows the one before, so nobody misses its files: a worker of an old page may still need
  // the rest of its engine, which the server has no more.
  const old = async () => {
    const names = await caches.keys();
    await Promise.all(names.filter((name) => name.startsWith(PREFIX) && name !== CACHE).map((name) => caches.delete(name)));
    await self.clients.claim();
  };
  event.waitUntil(old());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || !url.href.startsWith(self.registration.scope)) return;
  if (request.mode === "navigate") {
    const path = url.href.slice(self.registration.scope.length).split(/[?#]/)[0];
    if (path === "" || path === "index.html") event.respondWith(page(request));
    return;
  }
  event.respondWith(file(request));
});

/** The page itself: the newest that can be had. */
async function page(request) {
  const kept = () => caches.match("./index.html", { cacheName: CACHE });
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS)).then(kept);
  // A server that is out of order is no better than none.
  const fresh = fetch(request).then(async (answer) => (answer.status < 500 ? answer : ((await kept()) ?? answer)), kept);
  return (await Promise.race([fresh, late])) ?? fresh;
}

/** A page that is newer than this worker finds what it needs with the worker that waits for it. */
async function file(request) {
  const options = { ignoreSearch: true };
  return (await caches.match(request, { ...options, cacheName: CACHE })) ?? (await caches.match(request, options)) ?? fetch(request);
}

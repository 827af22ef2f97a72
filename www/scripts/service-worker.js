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

self.addEventListener("activate", (event) => {
  // This version takes over when no tab shows the one before, so nobody misses its files.
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
  const fresh = fetch(request).catch(kept);
  return (await Promise.race([fresh, late])) ?? fresh;
}

async function file(request) {
  return (await caches.match(request, { ignoreSearch: true, cacheName: CACHE })) ?? fetch(request);
}

/** Has the page kept by the browser, so that it works without a network from the next visit on. */

export function keepOffline(): void {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  // A browser may forbid it; the page works without.
  navigator.serviceWorker.register(new URL("service-worker.js", document.baseURI), { scope: "./" }).catch(() => {});
}

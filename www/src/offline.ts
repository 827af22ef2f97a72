/**
 * What makes an application of the page: the browser keeps it, so that it works without a network from the next visit on, and
 * gives it the files that its user opens with it.
 */

import type { Shell } from "./panels/index";

interface LaunchQueue {
  setConsumer(consumer: (launch: { files: FileSystemFileHandle[] }) => void): void;
}

export function keepOffline(shell: Shell): void {
  (globalThis as { launchQueue?: LaunchQueue }).launchQueue?.setConsumer(({ files }) => {
    if (files.length > 0) void open(shell, files);
  });
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  // A browser may forbid it; the page works without.
  void register().catch(() => {});
}

async function open(shell: Shell, handles: FileSystemFileHandle[]): Promise<void> {
  const files = await Promise.all(handles.map((handle) => handle.getFile()));
  (await import("./transfer-dialog")).show(shell, "open", files);
}

async function register(): Promise<void> {
  const registration = await navigator.serviceWorker.register(new URL("service-worker.js", document.baseURI), { scope: "./" });
  const shown = document.querySelector<HTMLScriptElement>("script[type=module]")?.src;
  // A version that waits may take over when this page, which it knows, is the only one.
  const offer = () => registration.waiting?.postMessage({ shown });
  registration.addEventListener("updatefound", () => registration.installing?.addEventListener("statechange", offer));
  offer();
}

/** Installs the service worker, which shows a page of ours when the server cannot be reached. */
export function startOfflineShell(): void {
  // Only where browsers allow it: over TLS, or on this machine.
  if (!("serviceWorker" in navigator)) return;
  navigator.serviceWorker.register("/service-worker.js", { updateViaCache: "none" }).catch(() => undefined);
}

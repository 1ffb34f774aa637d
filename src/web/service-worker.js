// Shows a page of ours when the server cannot be reached, and nothing else: no answer of the interface, no video and no
// page of the app is kept. Its name changes with what it keeps, so that a new version takes over.
const KEPT = "kinora-offline-{{version}}";
const FILES = ["/offline.html", "{{style}}", "{{icon}}", "{{offline}}"];

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(KEPT).then((cache) => cache.addAll(FILES)));
  self.skipWaiting();
});

self.addEventListener("activate", (event) => {
  const old = caches
    .keys()
    .then((names) => Promise.all(names.filter((name) => name !== KEPT).map((name) => caches.delete(name))));
  event.waitUntil(old.then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.mode === "navigate") {
    event.respondWith(
      fetch(request).catch(() => caches.match("/offline.html").then((page) => page ?? Response.error())),
    );
    return;
  }
  // The offline page's own files, which never change under one name.
  const { pathname } = new URL(request.url);
  if (!FILES.includes(pathname)) return;
  event.respondWith(fetch(request).catch(() => caches.match(pathname).then((file) => file ?? Response.error())));
});

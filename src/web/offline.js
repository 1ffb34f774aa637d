// Of the offline page, which stands at the address that was asked for: leads there as soon as the server answers.
const RETRY_MS = 4000;
const wanted = location.pathname === "/offline.html" ? "/" : location.href;
document.getElementById("again").href = wanted;

async function retry() {
  // A page that nobody looks at asks nothing.
  if (document.hidden) return;
  const answer = await fetch("/healthz", { cache: "no-store" }).catch(() => null);
  if (answer?.ok) location.replace(wanted);
}

addEventListener("online", retry);
document.addEventListener("visibilitychange", retry);
setInterval(retry, RETRY_MS);

// Of the offline page, which stands at the address that was asked for: leads there as soon as the server answers.
const RETRY_MS = 2000;
const PATIENCE_MS = 10_000;
// Without a fragment: to go to where one is, with one, loads nothing.
const wanted = location.pathname === "/offline.html" ? "/" : location.pathname + location.search;
document.getElementById("again").href = wanted;
let isAsking = false;

async function retry() {
  // A page that nobody looks at asks nothing.
  if (document.hidden || isAsking) return;
  isAsking = true;
  const answer = await fetch("/healthz", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) }).catch(
    () => null,
  );
  // Going there once is enough, even where it is a download, which leaves this page where it is.
  if (answer?.ok) location.replace(wanted);
  else isAsking = false;
}

addEventListener("online", retry);
document.addEventListener("visibilitychange", retry);
setInterval(retry, RETRY_MS);

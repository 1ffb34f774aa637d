import { messageOf } from "../api.ts";
import { notify } from "../notices.tsx";
import { here } from "../router.ts";
import { mayUpload, signInAddress, signOut, user } from "../session.ts";
import { overallPercent } from "../upload/queue.ts";
import { Mark } from "./icons.tsx";

/** The way around, who is signed in, and how far a running upload is. */
export function Header() {
  const who = user.value;
  const leave = () => {
    signOut().catch((error: unknown) => notify(messageOf(error), { kind: "error" }));
  };
  return (
    <header class="site">
      <a class="wordmark" href="/" aria-label="Kinora, start page">
        <Mark />
        <span>Kinora</span>
      </a>
      {who && (
        <nav aria-label="Main">
          {mayUpload(who) && <NavLink to="/videos">My videos</NavLink>}
          <NavLink to="/library">Library</NavLink>
          {mayUpload(who) && (
            <NavLink to="/upload">
              Upload
              {overallPercent.value !== null && <span class="count">{overallPercent.value} %</span>}
            </NavLink>
          )}
        </nav>
      )}
      {who ? (
        <div class="who">
          <a
            class="username"
            href="/account"
            title={`Signed in as ${who.username}`}
            aria-label={`Account of ${who.username}`}
            aria-current={here.value.path === "/account" ? "page" : undefined}
          >
            {who.username}
          </a>
          <button type="button" class="plain" onClick={leave}>
            Sign out
          </button>
        </div>
      ) : (
        here.value.path !== "/sign-in" && (
          <div class="who">
            <a href={signInAddress()}>Sign in</a>
          </div>
        )
      )}
    </header>
  );
}

function NavLink({ to, children }: { to: string; children: preact.ComponentChildren }) {
  return (
    <a href={to} aria-current={here.value.path === to ? "page" : undefined}>
      {children}
    </a>
  );
}

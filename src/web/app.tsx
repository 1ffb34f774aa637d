import { rich, t } from "./i18n/i18n.ts";
import "./messages/en/core.ts";
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { messageOf } from "./api.ts";
import { Header } from "./components/header.tsx";
import { Heading } from "./components/heading.tsx";
import { lazy } from "./lazy.tsx";
import { Notices } from "./notices.tsx";
import {
  AccountPage,
  AdminPage,
  CollectionPage,
  CollectionsPage,
  SignInPage,
  UploadPage,
  WatchPage,
} from "./pages/lazy-pages.ts";
import { TitlesPage } from "./pages/titles.tsx";
import { here, navigate } from "./router.ts";
import { loadSession, signInAddress, startPage, user } from "./session.ts";
import { whereToGo } from "./where-to-go.tsx";

const Background = lazy(async () => (await import("./background.tsx")).Background, { quiet: true, plain: true });

/** The whole app: who is signed in, then the page the address names. */
export function App() {
  const [failure, setFailure] = useState<string | null>(null);
  useEffect(() => {
    loadSession().catch((error: unknown) => setFailure(messageOf(error)));
  }, []);
  if (failure !== null) return <Unreachable message={failure} />;
  if (user.value === undefined) return <main class="page" aria-busy="true" />;
  return (
    <>
      <a class="skip" href="#content">
        {t("app.skip")}
      </a>
      <Header />
      <main class="page" id="content">
        <Page />
      </main>
      <div class="edge">
        <Notices />
        {user.value && <Background />}
      </div>
    </>
  );
}

function Page() {
  const { path } = here.value;
  if (path === "/sign-in") return <SignInPage />;
  const watched = /^\/watch\/([^/]+)$/.exec(path)?.[1];
  const collected = /^\/collections\/([^/]+)$/.exec(path)?.[1];
  if (collected !== undefined) return <CollectionPage key={collected} id={collected} />;
  // A public video is for everybody; the server says which. One after the other plays in the same player.
  if (watched !== undefined) return <WatchPage id={watched} />;
  if (user.value === null && isPage(path)) return <GoTo address={async () => signInAddress()} />;
  if (user.value === null) return <Nowhere />;
  if (path === "/") return <GoTo address={startPage} />;
  if (path === "/upload") return <UploadPage />;
  if (path === "/account") return <AccountPage />;
  if (path.startsWith("/admin/")) return <AdminPage />;
  if (path === "/collections") return <CollectionsPage />;
  if (path === "/videos") return <TitlesPage key="videos" owner="me" />;
  if (path === "/library") return <TitlesPage key="library" owner={null} />;
  return <Nowhere />;
}

const isPage = (path: string) => /^\/(upload|account|collections|videos|library|admin(\/.*)?)?$/.test(path);

function GoTo({ address }: { address: () => Promise<string> }) {
  useEffect(() => {
    address().then(
      (to) => navigate(to, { replace: true }),
      () => navigate("/library", { replace: true }),
    );
  }, []);
  return null;
}

function Nowhere() {
  return (
    <section class="message">
      <Heading title={t("app.no-page")} />
      <p>{user.value ? whereToGo() : rich("app.go-to-start", { start: (text) => <a href="/">{text}</a> })}</p>
    </section>
  );
}

function Unreachable({ message }: { message: string }) {
  return (
    <main class="page">
      <Message heading={t("app.no-answer")}>
        <p role="alert">{message}</p>
        <button type="button" onClick={() => location.reload()}>
          {t("app.try-again")}
        </button>
      </Message>
    </main>
  );
}

function Message({ heading, children }: { heading: string; children: ComponentChildren }) {
  return (
    <section class="message">
      <h1>{heading}</h1>
      {children}
    </section>
  );
}

import { useEffect, useRef, useState } from "preact/hooks";
import { call } from "../api.ts";
import { None } from "../components/none.tsx";
import { formatMoment } from "../format.ts";
import { t } from "../i18n/i18n.ts";
import "../messages/en/share.ts";
import { Address } from "./address.tsx";
import type { Shared } from "./share-dialog.tsx";

/** A link as the list has it. */
interface Link {
  readonly id: string;
  readonly titleId: string | null;
  readonly collectionId: string | null;
  readonly createdAt: string;
  readonly expiresAt: string;
}

/** A link as it is answered once, when it is made. */
interface NewLink {
  readonly id: string;
  readonly url: string;
  readonly pageUrl: string;
  readonly hlsUrl: string | null;
  readonly rtspUrl: string | null;
  readonly expiresAt: string;
}

interface LinksProps {
  readonly shared: Shared;
  /** How many private videos of a collection a link shows. */
  readonly privateShown: number;
  onSay(text: string): void;
  onFail(error: unknown): void;
}

/** Hours a link may be made for; the empty one is as long as this server allows. */
const LIFETIMES = [1, 4] as const;

/** Makes links to a video or a collection, shows their addresses once, and revokes those that count. */
export function Links({ shared, privateShown, onSay, onFail }: LinksProps) {
  const [links, setLinks] = useState<readonly Link[] | null>(null);
  const [made, setMade] = useState<NewLink | null>(null);
  const [longest, setLongest] = useState<number | null>(null);
  const [hours, setHours] = useState("");
  const [busy, setBusy] = useState(false);
  const maker = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    loadLinks(shared).then((loaded) => {
      // One may have been made meanwhile.
      setLinks((before) => joined(before ?? [], loaded.links));
      setLongest(loaded.longestSeconds);
    }, onFail);
  }, []);
  const make = async () => {
    setBusy(true);
    try {
      const link = await makeLink(shared, hours);
      const createdAt = new Date().toISOString();
      setMade(link);
      setLinks((before) => [{ ...link, titleId: null, collectionId: null, createdAt }, ...(before ?? [])]);
      onSay(t("share.made"));
    } finally {
      setBusy(false);
    }
  };
  const revoke = async ({ id }: Link) => {
    await call("DELETE", `/api/links/${id}`);
    setLinks((before) => (before ?? []).filter((link) => link.id !== id));
    if (made?.id === id) setMade(null);
    // With the last one goes all of the list.
    if (links?.length === 1) maker.current?.focus();
    onSay(t("share.revoked"));
  };
  return (
    <>
      <p>{t("share.links-why")}</p>
      <div class="field-line">
        <label class="field">
          <span>{t("share.counts-for")}</span>
          <select value={hours} onChange={(event) => setHours(event.currentTarget.value)}>
            {LIFETIMES.filter((count) => longest === null || count * HOUR < longest).map((count) => (
              <option key={count} value={count}>
                {t("share.hours", { count })}
              </option>
            ))}
            <option value="">
              {longest === null ? t("share.longest") : t("share.longest-is", { span: spanOf(longest) })}
            </option>
          </select>
        </label>
        <button
          ref={maker}
          type="button"
          class="primary"
          aria-disabled={busy}
          onClick={() => busy || void make().catch(onFail)}
        >
          {t("share.make-link")}
        </button>
      </div>
      {privateShown > 0 && <p class="hint">{t("share.shows-private", { count: privateShown })}</p>}
      {made && <Addresses link={made} onSay={onSay} />}
      <None when={links?.length === 0}>
        <p class="hint">{t("share.no-links")}</p>
      </None>
      {links && links.length > 0 && (
        <section class="links">
          <h3>{t("share.links")}</h3>
          <ul>
            {links.map((link) => (
              <li key={link.id}>
                <span class="meta">
                  <span>{t("share.made-on", { date: formatMoment(link.createdAt) })}</span>
                  <span>{t("share.until", { date: formatMoment(link.expiresAt) })}</span>
                </span>
                <button
                  type="button"
                  class="danger"
                  aria-label={t("share.revoke-of", { date: formatMoment(link.createdAt) })}
                  onClick={() => void revoke(link).catch(onFail)}
                >
                  {t("share.revoke")}
                </button>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

function Addresses({ link, onSay }: { link: NewLink; onSay(text: string): void }) {
  const { pageUrl, hlsUrl, rtspUrl, url } = link;
  const forPlayers = [
    [t("share.hls"), hlsUrl, t("share.hls-hint")],
    [t("share.rtsp"), rtspUrl, t("share.rtsp-hint")],
    [t("share.file"), url, t("share.file-hint")],
  ] as const;
  return (
    <div class="addresses">
      <Address label={t("share.page")} value={pageUrl} hint={t("share.page-hint")} onSay={onSay} />
      {/* A collection has only its page. */}
      {hlsUrl !== null && (
        <details>
          <summary>{t("share.players")}</summary>
          {forPlayers.map(
            ([label, value, hint]) =>
              value !== null && <Address key={label} label={label} value={value} hint={hint} onSay={onSay} />,
          )}
        </details>
      )}
    </div>
  );
}

const HOUR = 3_600;

/** In the largest unit that it is a whole number of. */
function spanOf(seconds: number): string {
  if (seconds % HOUR !== 0) return t("share.minutes", { count: Math.round(seconds / 60) });
  const hours = seconds / HOUR;
  // “24 hours” is read faster than “1 day”.
  return hours > 24 && hours % 24 === 0 ? t("share.days", { count: hours / 24 }) : t("share.hours", { count: hours });
}

interface LoadedLinks {
  readonly links: readonly Link[];
  readonly longestSeconds: number;
}

function joined(made: readonly Link[], loaded: readonly Link[]): Link[] {
  return [...made.filter(({ id }) => !loaded.some((link) => link.id === id)), ...loaded];
}

/** My links to this one that count, the newest first, and the longest that a new one can. */
async function loadLinks({ kind, id }: Shared): Promise<LoadedLinks> {
  let longestSeconds = 0;
  const found: Link[] = [];
  let cursor: string | null = null;
  do {
    const query: string = new URLSearchParams({ limit: "200", ...(cursor ? { cursor } : {}) }).toString();
    const page: { items: Link[]; nextCursor: string | null; longestSeconds: number } = await call(
      "GET",
      `/api/links?${query}`,
    );
    found.push(...page.items.filter((link) => (kind === "title" ? link.titleId : link.collectionId) === id));
    cursor = page.nextCursor;
    longestSeconds = page.longestSeconds;
  } while (cursor);
  return { links: found, longestSeconds };
}

function makeLink({ kind, id }: Shared, hours: string): Promise<NewLink> {
  return call<NewLink>("POST", "/api/links", {
    ...(kind === "title" ? { titleId: id } : { collectionId: id }),
    ...(hours === "" ? {} : { expiresIn: `${hours}h` }),
  });
}

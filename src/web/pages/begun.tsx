import { useEffect, useState } from "preact/hooks";
import type { Title, TitlePage } from "../../catalog/contract.ts";
import { call } from "../api.ts";
import { Cover } from "../components/cover.tsx";
import { formatTimeLeft } from "../format.ts";
import { t } from "../i18n/i18n.ts";
import "../messages/en/library.ts";
import { savesSettled } from "../player/progress-saves.ts";
import { user } from "../session.ts";
import { changes } from "./use-titles.ts";

const ASK = "/api/titles?inProgress=true&availability=ready&sort=last-watched&limit=8";
/** The list below waits for it, so that it is not pushed down; no longer than this. */
const WAIT_MS = 300;

/** What I have begun and not finished, the last watched first; null until that is known, nothing unless `wanted`. */
export function useBegun(wanted: boolean): readonly Title[] | null {
  const asks = wanted && Boolean(user.value);
  const [begun, setBegun] = useState<readonly Title[] | null>(asks ? null : []);
  useEffect(() => {
    if (!asks) return setBegun([]);
    const abort = new AbortController();
    const show = (titles: readonly Title[]) => !abort.signal.aborted && setBegun(titles);
    const timer = setTimeout(() => setBegun((before) => before ?? []), WAIT_MS);
    savesSettled()
      .then(() => call<TitlePage>("GET", ASK, undefined, { signal: abort.signal }))
      .then(
        ({ items }) => show(items),
        // The list says what is wrong.
        () => show([]),
      );
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [asks, changes.value]);
  return begun;
}

/** A row of what I have begun, each with how much is left. */
export function Begun({ titles }: { titles: readonly Title[] }) {
  return (
    <section class="begun" aria-labelledby="begun">
      <div>
        <h2 id="begun">{t("library.continue")}</h2>
        <a href="/library?inProgress=true&sort=last-watched">{t("library.show-all")}</a>
      </div>
      <ul>
        {titles.map((title) => (
          <li key={title.id}>
            <a href={`/watch/${title.id}`} title={title.name}>
              <Cover title={title} />
              <span class="name">{title.name}</span>
            </a>
            <span class="meta">{timeLeft(title)}</span>
          </li>
        ))}
      </ul>
      <h2>{t("library.all")}</h2>
    </section>
  );
}

const timeLeft = ({ durationSeconds, mine }: Title) =>
  durationSeconds === null ? "" : formatTimeLeft(durationSeconds - (mine?.positionSeconds ?? 0));

import { useEffect, useState } from "preact/hooks";
import type { Title } from "../../catalog/contract.ts";
import { loadCollection, loadTitles } from "../collections/collection-calls.ts";
import { Cover } from "../components/cover.tsx";
import { carrying } from "../grant.ts";
import { t } from "../i18n/i18n.ts";
import "../messages/en/watch.ts";
import type { Neighbour } from "../player/player.tsx";
import { navigate } from "../router.ts";
import { isPlayable } from "./title-parts.tsx";

/** The collection that is played, and what stands beside the current title in it. */
export interface PlayedQueue {
  readonly name: string;
  readonly address: string;
  readonly titles: readonly Title[];
  readonly next: Neighbour | null;
  readonly previous: Neighbour | null;
  addressOf(title: Title): string;
}

/** The collection `id` around the title that is played; null without one, and until it is loaded. */
export function useQueue(id: string | null, titleId: string, grant: string): PlayedQueue | null {
  const [found, setFound] = useState<{ id: string; name: string; titles: readonly Title[] } | null>(null);
  useEffect(() => {
    if (id === null) return;
    let isCurrent = true;
    Promise.all([loadCollection(id, grant), loadTitles(id, grant)]).then(
      ([{ name }, titles]) => isCurrent && setFound({ id, name, titles }),
      // The video plays all the same.
      () => isCurrent && setFound(null),
    );
    return () => {
      isCurrent = false;
    };
  }, [id, grant]);
  if (found === null || found.id !== id) return null;
  const { name, titles } = found;
  const at = titles.findIndex((title) => title.id === titleId);
  const addressOf = (title: Title) => carrying(`/watch/${title.id}?collection=${id}`, grant);
  const neighbour = (title: Title | undefined): Neighbour | null =>
    title ? { name: title.name, go: () => navigate(addressOf(title)) } : null;
  return {
    name,
    titles,
    addressOf,
    address: carrying(`/collections/${id}`, grant),
    next: at < 0 ? null : neighbour(titles.slice(at + 1).find(isPlayable)),
    previous: at < 0 ? null : neighbour(titles.slice(0, at).findLast(isPlayable)),
  };
}

/** The collection in its order, with where one is in it. */
export function Queue({ queue, currentId }: { queue: PlayedQueue; currentId: string }) {
  const { titles } = queue;
  const at = titles.findIndex(({ id }) => id === currentId);
  return (
    <section class="queue" aria-label={t("watch.queue", { name: queue.name })}>
      <div class="queue-head">
        <h2>
          <a href={queue.address}>{queue.name}</a>
        </h2>
        {at >= 0 && <p class="meta">{t("watch.place", { place: at + 1, of: titles.length })}</p>}
      </div>
      <ol>
        {titles.map((title) => (
          <li key={title.id}>
            <a
              href={queue.addressOf(title)}
              aria-current={title.id === currentId ? "true" : undefined}
              data-availability={title.availability}
            >
              <Cover title={title} />
              <span>{title.name}</span>
            </a>
          </li>
        ))}
      </ol>
    </section>
  );
}

import { useEffect, useState } from "preact/hooks";
import type { Collection, CollectionPage } from "../../catalog/contract.ts";
import { call, messageOf } from "../api.ts";
import { coverStyle, Still } from "../components/cover.tsx";
import { Heading } from "../components/heading.tsx";
import { Empty, Skeleton } from "../components/parts.tsx";
import { formatDuration, initialsOf } from "../format.ts";
import { t } from "../i18n/i18n.ts";
import "../messages/en/collections.ts";
import { navigate } from "../router.ts";
import { user } from "../session.ts";
import { NameDialog } from "./name-dialog.tsx";

/** All collections that I may see; the way to a new one. */
export function CollectionsPage() {
  const [items, setItems] = useState<readonly Collection[] | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [naming, setNaming] = useState(false);
  useEffect(() => {
    loadAll().then(setItems, (error: unknown) => setProblem(messageOf(error)));
  }, []);
  const create = async (name: string, description: string) => {
    const { id } = await call<Collection>("POST", "/api/collections", { name, description });
    navigate(`/collections/${id}`);
  };
  return (
    <section class="collections">
      <div class="title-bar">
        <Heading title={t("nav.collections")} />
        <button type="button" onClick={() => setNaming(true)}>
          {t("collections.new")}
        </button>
      </div>
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      {items === null && problem === null && <Skeleton lines={4} />}
      {items?.length === 0 && (
        <Empty heading={t("collections.none")} text={t("collections.none-why")}>
          <button type="button" class="primary" onClick={() => setNaming(true)}>
            {t("collections.new")}
          </button>
          <a class="button" href="/library">
            {t("library.open-library")}
          </a>
        </Empty>
      )}
      {items && items.length > 0 && (
        <ul class="collection-cards">
          {items.map((collection) => (
            <li key={collection.id}>
              <CollectionCard collection={collection} />
            </li>
          ))}
        </ul>
      )}
      {naming && <NameDialog heading={t("collections.new")} onSave={create} onClose={() => setNaming(false)} />}
    </section>
  );
}

async function loadAll(): Promise<Collection[]> {
  const items: Collection[] = [];
  let cursor: string | null = null;
  do {
    const query: string = new URLSearchParams({ limit: "200", ...(cursor ? { cursor } : {}) }).toString();
    const page: CollectionPage = await call<CollectionPage>("GET", `/api/collections?${query}`);
    items.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor);
  return items;
}

function CollectionCard({ collection }: { collection: Collection }) {
  const { id, name, titles, durationSeconds, visibility, owner, coverTitleId } = collection;
  const mine = owner?.id === user.value?.id;
  const parts = [
    t("library.count", { count: titles }),
    durationSeconds > 0 ? formatDuration(durationSeconds) : null,
    mine ? t(`title.${visibility}`) : (owner?.username ?? null),
  ];
  return (
    <article class="card">
      <span class="cover stack" style={coverStyle(coverTitleId ?? id)} aria-hidden="true">
        <span class="cover-initials">{initialsOf(name)}</span>
        {coverTitleId && <Still id={coverTitleId} />}
      </span>
      <a class="name" href={`/collections/${id}`}>
        {name}
      </a>
      <span class="meta">{parts.map((part) => part !== null && <span key={part}>{part}</span>)}</span>
    </article>
  );
}

import { useEffect, useState } from "preact/hooks";
import type { Collection, Title, TitlePage, Visibility } from "../../catalog/contract.ts";
import { ApiError, call, messageOf } from "../api.ts";
import { Heading } from "../components/heading.tsx";
import { PlayIcon } from "../components/icons.tsx";
import { Menu } from "../components/menu.tsx";
import { Empty, Skeleton } from "../components/parts.tsx";
import { formatDuration } from "../format.ts";
import { t } from "../i18n/i18n.ts";
import "../messages/en/collections.ts";
import { notify } from "../notices.tsx";
import { here, navigate } from "../router.ts";
import { user } from "../session.ts";
import { whereToGo } from "../where-to-go.tsx";
import { CollectionTitles } from "./collection-titles.tsx";
import { NameDialog } from "./name-dialog.tsx";
import { ShareDialog } from "./share-dialog.tsx";

const visibilities: readonly Visibility[] = ["private", "members", "public"];

/** One collection: its titles in order, to play from any of them; its owner orders, shares and edits it. */
export function CollectionPage({ id }: { id: string }) {
  const [collection, setCollection] = useState<Collection | null>(null);
  const [titles, setTitles] = useState<readonly Title[] | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [dialog, setDialog] = useState<"edit" | "share" | null>(null);
  const grant = grantOf(here.value.query);
  const load = async () => {
    setCollection(
      await call<Collection>(
        "GET",
        `/api/collections/${encodeURIComponent(id)}${grant ? `?${grant}` : ""}`,
        undefined,
        anyone(grant),
      ),
    );
    setTitles(await loadTitles(id, grant));
  };
  useEffect(() => {
    load().catch((error: unknown) => setProblem(explain(error)));
  }, [id]);
  if (problem !== null) return <NotHere problem={problem} />;
  if (!collection || !titles) {
    return (
      <section class="collection" aria-busy="true">
        <Skeleton lines={6} />
      </section>
    );
  }
  const editable = collection.owner?.id === user.value?.id || user.value?.role === "admin";
  const patch = async (changes: object) =>
    setCollection(await call<Collection>("PATCH", `/api/collections/${id}`, changes));
  const fail = (error: unknown) => notify(messageOf(error), { kind: "error" });
  const remove = async () => {
    await call("DELETE", `/api/collections/${id}`);
    navigate("/collections");
    notify(t("collections.deleted", { name: collection.name }));
  };
  const first = titles.find(({ availability }) => availability === "ready");
  return (
    <section class="collection">
      <div class="title-bar">
        <Heading title={collection.name} />
        <p class="meta">
          <span>{t("library.count", { count: titles.length })}</span>
          {collection.durationSeconds > 0 && <span>{formatDuration(collection.durationSeconds)}</span>}
          <span>{editable ? t(`title.${collection.visibility}`) : (collection.owner?.username ?? "")}</span>
        </p>
      </div>
      {collection.description && <p class="description">{collection.description}</p>}
      <div class="actions">
        {first && (
          <a class="button primary" href={`/watch/${first.id}?collection=${id}${grant && `&${grant}`}`}>
            <PlayIcon />
            {t("collections.play-all")}
          </a>
        )}
        {editable && (
          <>
            <button type="button" onClick={() => setDialog("share")}>
              {t("collections.share")}
            </button>
            <Menu id="collection-menu" button={t("do.more")}>
              <button type="button" class="menu-item" onClick={() => setDialog("edit")}>
                {t("collections.rename")}
              </button>
              <fieldset class="menu-part">
                <legend>{t("collections.who")}</legend>
                {visibilities.map((visibility) => (
                  <button
                    key={visibility}
                    type="button"
                    class="menu-item"
                    aria-pressed={collection.visibility === visibility}
                    onClick={() => void patch({ visibility }).catch(fail)}
                  >
                    {t(`title.${visibility}`)}
                  </button>
                ))}
              </fieldset>
              <button type="button" class="menu-item danger" onClick={() => void remove().catch(fail)}>
                {t("collections.delete")}
              </button>
            </Menu>
          </>
        )}
      </div>
      {titles.length === 0 ? (
        <Empty heading={t("collections.empty")} text={t("collections.empty-why")}>
          <a class="button primary" href="/library">
            {t("library.open-library")}
          </a>
        </Empty>
      ) : (
        <CollectionTitles collectionId={id} grant={grant} titles={titles} editable={editable} onChange={setTitles} />
      )}
      {dialog === "edit" && (
        <NameDialog
          heading={t("collections.rename")}
          name={collection.name}
          description={collection.description}
          onSave={(name, description) => patch({ name, description })}
          onClose={() => setDialog(null)}
        />
      )}
      {dialog === "share" && <ShareDialog collection={collection} onClose={() => setDialog(null)} />}
    </section>
  );
}

/** The link that somebody without an account came by, as a query; empty without one. */
function grantOf(query: URLSearchParams): string {
  const grant = query.get("grant");
  return grant ? new URLSearchParams({ grant }).toString() : "";
}

/** With a link, a refusal is not the end of a session. */
const anyone = (grant: string) => ({ anonymous: grant !== "" });

async function loadTitles(id: string, grant: string): Promise<Title[]> {
  const items: Title[] = [];
  let cursor: string | null = null;
  do {
    const query = new URLSearchParams({
      collection: id,
      sort: "position",
      limit: "200",
      ...(cursor ? { cursor } : {}),
    });
    const page: TitlePage = await call<TitlePage>(
      "GET",
      `/api/titles?${query}${grant && `&${grant}`}`,
      undefined,
      anyone(grant),
    );
    items.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor);
  return items;
}

function NotHere({ problem }: { problem: string }) {
  return (
    <section class="message">
      <Heading title={t("collections.not-here")} />
      <p role="alert">{problem}</p>
      <p>{whereToGo()}</p>
    </section>
  );
}

function explain(error: unknown): string {
  if (error instanceof ApiError && error.status === 401) return t("collections.link-over");
  return error instanceof ApiError && error.status === 404 ? t("collections.no-such") : messageOf(error);
}

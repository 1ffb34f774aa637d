import { useEffect, useRef, useState } from "preact/hooks";
import type { Collection, Title } from "../../catalog/contract.ts";
import { ApiError, call, messageOf } from "../api.ts";
import { Heading } from "../components/heading.tsx";
import { PlayIcon } from "../components/icons.tsx";
import { Menu } from "../components/menu.tsx";
import { Empty, Skeleton } from "../components/parts.tsx";
import { EditConflict, saveEdit } from "../components/save-edit.ts";
import { formatDuration } from "../format.ts";
import { carrying, grantOf, isLinkOver } from "../grant.ts";
import { t } from "../i18n/i18n.ts";
import "../messages/en/collections.ts";
import "../messages/en/share.ts";
import { notify } from "../notices.tsx";
import { here, navigate } from "../router.ts";
import { user } from "../session.ts";
import { ShareDialog } from "../share/share-dialog.tsx";
import { whereToGo } from "../where-to-go.tsx";
import { loadCollection, loadTitles } from "./collection-calls.ts";
import { CollectionTitles } from "./collection-titles.tsx";
import { NameDialog } from "./name-dialog.tsx";

/** One collection: its titles in order, to play from any of them; its owner orders, shares and edits it. */
export function CollectionPage({ id }: { id: string }) {
  const [collection, setCollection] = useState<Collection | null>(null);
  const [titles, setTitles] = useState<readonly Title[] | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  /** As it was when editing began, or when somebody else's changes were shown last. */
  const base = useRef<Collection | null>(null);
  const [dialog, setDialog] = useState<"edit" | "share" | null>(null);
  const grant = grantOf(here.value.query);
  const load = async () => {
    setCollection(await loadCollection(id, grant));
    setTitles(await loadTitles(id, grant));
  };
  useEffect(() => {
    load().catch((error: unknown) => {
      // The link is over; a member may see it all the same.
      if (isLinkOver(error, grant) && user.peek()) navigate(here.peek().path, { replace: true });
      else setProblem(explain(error, grant));
    });
  }, [id, grant]);
  if (problem !== null) return <NotHere problem={problem} />;
  if (!collection || !titles) {
    return (
      <section class="collection" aria-busy="true">
        <Skeleton lines={6} />
      </section>
    );
  }
  const me = user.value;
  const editable = me ? collection.owner?.id === me.id || me.role === "admin" : false;
  const patch = async (changes: object) =>
    setCollection(await call<Collection>("PATCH", `/api/collections/${id}`, changes));
  const rename = async (name: string, description: string) => {
    try {
      base.current ??= collection;
      setCollection(await saveEdit(`/api/collections/${id}`, base.current, { name, description }));
    } catch (error) {
      if (error instanceof EditConflict) base.current = error.theirs as Collection;
      throw error;
    }
  };
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
          {editable && <span>{t(`title.${collection.visibility}`)}</span>}
          {!editable && collection.owner && <span>{collection.owner.username}</span>}
        </p>
      </div>
      {collection.description && <p class="description">{collection.description}</p>}
      <div class="actions">
        {first && (
          <a class="button primary" href={carrying(`/watch/${first.id}?collection=${id}`, grant)}>
            <PlayIcon />
            {t("collections.play-all")}
          </a>
        )}
        {editable && (
          <>
            <a class={titles.length === 0 ? "button primary" : "button"} href={pickingFor(id)}>
              {t("collections.add-videos")}
            </a>
            <button type="button" onClick={() => setDialog("share")}>
              {t("share.share")}
            </button>
            <Menu id="collection-menu" button={t("do.more")}>
              <button type="button" class="menu-item" onClick={() => setDialog("edit")}>
                {t("collections.rename")}
              </button>
              <button type="button" class="menu-item danger" onClick={() => void remove().catch(fail)}>
                {t("collections.delete")}
              </button>
            </Menu>
          </>
        )}
      </div>
      {titles.length === 0 ? (
        <Empty
          heading={t("collections.empty")}
          text={t(editable ? "collections.empty-why" : "collections.empty-now")}
        />
      ) : (
        <CollectionTitles collectionId={id} grant={grant} titles={titles} editable={editable} onChange={setTitles} />
      )}
      {dialog === "edit" && (
        <NameDialog
          heading={t("collections.rename")}
          name={collection.name}
          description={collection.description}
          onSave={rename}
          onClose={() => {
            base.current = null;
            setDialog(null);
          }}
        />
      )}
      {dialog === "share" && (
        <ShareDialog
          shared={{ kind: "collection", ...collection }}
          titles={titles}
          onVisibility={(visibility) => patch({ visibility })}
          onClose={() => setDialog(null)}
        />
      )}
    </section>
  );
}

/** The library, to choose what comes into this collection. */
const pickingFor = (id: string) => `/library?${new URLSearchParams({ collect: id })}`;

function NotHere({ problem }: { problem: string }) {
  return (
    <section class="message">
      <Heading title={t("collections.not-here")} />
      <p role="alert">{problem}</p>
      <p>{whereToGo()}</p>
    </section>
  );
}

function explain(error: unknown, grant: string): string {
  if (isLinkOver(error, grant)) return t("share.link-over");
  return error instanceof ApiError && error.status === 404 ? t("collections.no-such") : messageOf(error);
}

import { useEffect, useState } from "preact/hooks";
import { messageOf } from "../api.ts";
import { addTitles, loadCollection } from "../collections/collection-calls.ts";
import { t } from "../i18n/i18n.ts";
import "../messages/en/collections.ts";
import "../messages/en/manage.ts";
import { notify } from "../notices.tsx";
import { navigate } from "../router.ts";
import type { Selection } from "./selection.ts";

/** Chooses videos for a collection, puts them in and goes back to it. */
export function CollectBar({ collectionId, selection }: { collectionId: string; selection: Selection }) {
  const [name, setName] = useState("");
  const [busy, setBusy] = useState(false);
  const ids = [...selection.ids];
  const back = () => navigate(`/collections/${collectionId}`);
  const fail = (error: unknown) => notify(messageOf(error), { kind: "error" });
  useEffect(() => {
    loadCollection(collectionId, "").then((collection) => setName(collection.name), fail);
  }, [collectionId]);
  // Escape takes the choice back, not what it is made for.
  useEffect(() => {
    if (!selection.active) selection.begin();
  }, [selection.active]);
  const add = async () => {
    setBusy(true);
    try {
      await addTitles(collectionId, ids);
      back();
      notify(t("collections.added", { count: ids.length, name }));
    } catch (error) {
      fail(error);
      setBusy(false);
    }
  };
  return (
    <fieldset class="play-bar select-bar" data-focus-back>
      <legend class="visually-hidden">{t("manage.bar")}</legend>
      <p role="status">
        {ids.length > 0 ? (
          <strong>{t("manage.selected", { count: ids.length })}</strong>
        ) : (
          name && t("manage.choosing-for", { name })
        )}
      </p>
      <div class="actions">
        <button type="button" class="plain" onClick={back}>
          {t("do.cancel")}
        </button>
        <button
          type="button"
          class="primary"
          disabled={ids.length === 0}
          aria-disabled={busy}
          onClick={() => busy || void add()}
        >
          {ids.length === 0 ? t("collections.add-videos") : t("manage.add-count", { count: ids.length })}
        </button>
      </div>
    </fieldset>
  );
}

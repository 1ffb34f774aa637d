import { useEffect, useState } from "preact/hooks";
import type { Collection, CollectionPage } from "../../catalog/contract.ts";
import { call, messageOf } from "../api.ts";
import { Dialog } from "../components/dialog.tsx";
import { t } from "../i18n/i18n.ts";
import "../messages/en/collections.ts";
import { notify } from "../notices.tsx";
import { navigate } from "../router.ts";
import { addTitles } from "./collection-calls.ts";

interface AddToCollectionProps {
  readonly titleIds: readonly string[];
  onClose(): void;
  /** Called when they are in a collection. */
  onAdded?(): void;
}

/** A dialog that puts titles into one of my collections, or into a new one. */
export function AddToCollection({ titleIds, onClose, onAdded }: AddToCollectionProps) {
  const [mine, setMine] = useState<readonly Collection[] | null>(null);
  const [name, setName] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    call<CollectionPage>("GET", "/api/collections?owner=me&limit=200").then(
      ({ items }) => setMine(items),
      (error: unknown) => setProblem(messageOf(error)),
    );
  }, []);
  const add = async (find: () => Promise<Collection>) => {
    setBusy(true);
    setProblem(null);
    try {
      const collection = await find();
      await addTitles(collection.id, titleIds);
      const action = { label: t("do.show"), run: async () => navigate(`/collections/${collection.id}`) };
      notify(t("collections.added", { count: titleIds.length, name: collection.name }), { action });
      onClose();
      onAdded?.();
    } catch (error) {
      setProblem(messageOf(error));
      setBusy(false);
    }
  };
  const create = () => {
    if (name.trim() && !busy) void add(() => call<Collection>("POST", "/api/collections", { name: name.trim() }));
  };
  return (
    <Dialog heading={t("collections.add-heading")} onClose={onClose}>
      <div class="field-line">
        <label class="field">
          <span>{t("collections.new-name")}</span>
          <input
            value={name}
            maxLength={300}
            autofocus
            onInput={(event) => setName(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key !== "Enter") return;
              event.preventDefault();
              create();
            }}
          />
        </label>
        <button type="button" class="primary" disabled={!name.trim() || busy} onClick={create}>
          {t("collections.create")}
        </button>
      </div>
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      {mine && mine.length > 0 && (
        <ul class="choices" aria-label={t("collections.mine")}>
          {mine.map((collection) => (
            <li key={collection.id}>
              <button type="button" class="menu-item" disabled={busy} onClick={() => void add(async () => collection)}>
                {collection.name} <span class="meta">{t("library.count", { count: collection.titles })}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </Dialog>
  );
}

import { useState } from "preact/hooks";
import type { Title } from "../../catalog/contract.ts";
import { call, messageOf } from "../api.ts";
import { copyText } from "../clipboard.ts";
import { AddToCollection } from "../collections/add-to-collection.tsx";
import { HeartIcon } from "../components/icons.tsx";
import { carrying } from "../grant.ts";
import { t } from "../i18n/i18n.ts";
import "../messages/en/share.ts";
import "../messages/en/watch.ts";
import { notify } from "../notices.tsx";
import { user } from "../session.ts";

interface WatchActionsProps {
  readonly title: Title;
  readonly grant: string;
  readonly editable: boolean;
  readonly editing: boolean;
  onEdit(): void;
  onShare(): void;
  onChange(title: Title): void;
}

/** What can be done with the title that is watched. */
export function WatchActions({ title, grant, editable, editing, onEdit, onShare, onChange }: WatchActionsProps) {
  const [adding, setAdding] = useState(false);
  const isMember = user.value !== null && grant === "";
  const like = async (mine: NonNullable<Title["mine"]>) => {
    const favourite = !mine.favourite;
    onChange({ ...title, mine: { ...mine, favourite } });
    try {
      await call(favourite ? "PUT" : "DELETE", `/api/titles/${title.id}/favourite`);
    } catch (error) {
      onChange({ ...title, mine });
      notify(messageOf(error), { kind: "error" });
    }
  };
  const { mine } = title;
  return (
    <div class="actions">
      {mine && (
        <button
          type="button"
          class="like"
          aria-pressed={mine.favourite}
          aria-label={t("watch.favourite")}
          title={t("watch.favourite")}
          onClick={() => void like(mine)}
        >
          <HeartIcon />
        </button>
      )}
      {isMember && (
        <>
          <button type="button" onClick={onShare}>
            {t("share.share")}
          </button>
          <button type="button" onClick={() => setAdding(true)}>
            {t("watch.add-to-collection")}
          </button>
        </>
      )}
      {editable && (
        <button type="button" aria-expanded={editing} onClick={onEdit}>
          {t("do.edit")}
        </button>
      )}
      {!isMember && title.visibility === "public" && (
        <button type="button" onClick={() => void copyLink(title)}>
          {t("watch.copy-link")}
        </button>
      )}
      {title.availability !== "unavailable" && (
        <a class="button" href={carrying(`/stream/${title.id}/original`, grant)} download>
          {t("watch.download")}
        </a>
      )}
      {adding && <AddToCollection titleIds={[title.id]} onClose={() => setAdding(false)} />}
    </div>
  );
}

/** Copies the address of a title for somebody else; where the browser forbids that, shows it. */
async function copyLink({ id }: Title): Promise<void> {
  const address = `${location.origin}/watch/${id}`;
  if (await copyText(address)) notify(t("watch.link-copied"));
  else notify(t("watch.link-is", { address }), { seconds: 60 });
}

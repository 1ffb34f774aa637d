import type { Title } from "../../catalog/contract.ts";
import { HeartIcon, LockIcon } from "../components/icons.tsx";
import { formatBytes, formatDate } from "../format.ts";
import { t } from "../i18n/i18n.ts";
import "../messages/en/library.ts";
import { user } from "../session.ts";
import type { Selection } from "./selection.ts";
import type { TitleActions } from "./title-list.tsx";

export interface TitleItemProps {
  readonly title: Title;
  /** Whether the list holds only my own, so that the owner need not be named. */
  readonly owned: boolean;
  readonly chosen: boolean;
  /** Whether Tab stops here; the arrows lead to the others. */
  readonly isStop: boolean;
  readonly place: { readonly position: number; readonly of: number };
  readonly selection: Selection;
  /** Takes it into the selection or out of it; with everything since the last one when `range` is true. */
  onSelect(range: boolean): void;
  readonly actions: TitleActions;
}

export const isPlayable = (title: Title) => title.availability === "ready";

/** Who a title belongs to; null for strangers, who are not told. */
const ownerName = ({ owner }: Title): string | null => owner?.username ?? (user.value ? t("title.from-folder") : null);

export const isMine = (title: Title) => title.owner !== null && title.owner.id === user.value?.id;

/** What is said of a title below its name. */
export function Details({ title, owned, size, id }: { title: Title; owned: boolean; size: boolean; id?: string }) {
  // Whom a link lets see it is not told whom else it is for.
  const isPrivate = title.visibility === "private" && Boolean(user.value);
  const owner = owned ? null : ownerName(title);
  const parts = [
    title.availability === "ready" ? null : t(`title.${title.availability}`),
    // Of others' private videos, which admins see among all, it is said as well.
    owned || isPrivate || isMine(title) ? t(`title.${title.visibility}`) : null,
    size ? formatBytes(title.sizeBytes) : null,
    formatDate(title.createdAt),
  ];
  return (
    <span class="meta" id={id}>
      {isPrivate && <LockIcon />}
      {owner !== null && <span class="giving">{owner}</span>}
      {parts.map((part) => part !== null && <span key={part}>{part}</span>)}
      {title.needsRendition && <span class="giving">{t("library.not-every-browser")}</span>}
      {title.mine?.watched && <span class="visually-hidden">{t("library.watched")}</span>}
    </span>
  );
}

/** Marks a title as one of my favourites. */
export function Favourite({ title, isStop, actions }: Pick<TitleItemProps, "title" | "isStop" | "actions">) {
  if (!title.mine) return null;
  return (
    <button
      type="button"
      class="favourite"
      aria-pressed={title.mine.favourite}
      aria-label={t("library.favourite", { name: title.name })}
      title={t("library.favourites")}
      tabIndex={isStop ? 0 : -1}
      onClick={() => actions.favourite(title)}
    >
      <HeartIcon />
    </button>
  );
}

/** The mark in the corner by which a mouse begins to select; the keyboard has the button above the list. */
export function SelectMark({ title, selection, onSelect }: Pick<TitleItemProps, "title" | "selection" | "onSelect">) {
  if (selection.active) return null;
  return (
    <button
      type="button"
      class="select-mark"
      tabIndex={-1}
      aria-label={t("library.select-one", { name: title.name })}
      onClick={(event) => onSelect(event.shiftKey)}
    />
  );
}

/** The checkbox of a title while titles are being selected. */
export function SelectBox({ title, isStop, selection, onSelect, id }: TitleItemProps & { id: string }) {
  return (
    <input
      type="checkbox"
      class="stop select-box"
      id={id}
      data-id={title.id}
      checked={selection.ids.has(title.id)}
      tabIndex={isStop ? 0 : -1}
      aria-label={t("library.select-one", { name: title.name })}
      onClick={(event) => onSelect(event.shiftKey)}
    />
  );
}

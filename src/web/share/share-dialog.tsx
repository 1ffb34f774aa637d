import { useState } from "preact/hooks";
import type { Title, Visibility } from "../../catalog/contract.ts";
import { messageOf } from "../api.ts";
import { Dialog } from "../components/dialog.tsx";
import { VisibilityChoice } from "../components/visibility-choice.tsx";
import { t } from "../i18n/i18n.ts";
import "../messages/en/share.ts";
import { user } from "../session.ts";
import { Address } from "./address.tsx";
import { Links } from "./links.tsx";

/** What can be shared. */
export interface Shared {
  readonly kind: "title" | "collection";
  readonly id: string;
  readonly name: string;
  readonly visibility: Visibility;
  /** False where making it private is not for this person. */
  readonly mayHide?: boolean | undefined;
}

interface ShareDialogProps {
  readonly shared: Shared;
  /** What a collection holds. */
  readonly titles?: readonly Title[];
  /** Changes who may see it; without it that is not for this person to say. */
  onVisibility?: ((visibility: Visibility) => Promise<void>) | undefined;
  onClose(): void;
}

/** Who may see a video or a collection, and links that play it without an account. */
export function ShareDialog({ shared, titles = [], onVisibility, onClose }: ShareDialogProps) {
  const [said, setSaid] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const { visibility } = shared;
  const hidden = hiddenFrom(visibility, titles);
  const say = (text: string) => {
    setProblem(null);
    setSaid(text);
  };
  const fail = (error: unknown) => setProblem(messageOf(error));
  const choose = async (next: Visibility) => {
    await onVisibility?.(next);
    say(t("share.saved", { who: t(`title.${next}`) }));
  };
  return (
    <Dialog heading={t("share.heading", { name: shared.name })} class="share" onClose={onClose}>
      {onVisibility && (
        <VisibilityChoice
          chosen={visibility}
          mayHide={shared.mayHide}
          onChoose={(next) => void choose(next).catch(fail)}
        />
      )}
      {visibility === "public" && (
        <Address label={t("share.public-address")} value={pageOf(shared)} hint={t("edit.public-hint")} onSay={say} />
      )}
      {visibility !== "private" && hidden > 0 && (
        <p class="hint">{t(`share.hides-${visibility}`, { count: hidden })}</p>
      )}
      <Links shared={shared} privateShown={privateShown(titles)} onSay={say} onFail={fail} />
      <p class="said" role="status">
        {said}
      </p>
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
    </Dialog>
  );
}

/** How many videos of a collection those do not see whom it is shared with. */
function hiddenFrom(visibility: Visibility, titles: readonly Title[]): number {
  const seen = visibility === "public" ? ["public"] : ["public", "members"];
  return titles.filter((title) => !seen.includes(title.visibility)).length;
}

/** How many private ones a link of mine shows all the same: others' are passed on by nobody but their owners. */
function privateShown(titles: readonly Title[]): number {
  const isMine = ({ owner }: Title) => owner === null || owner.id === user.value?.id;
  return titles.filter((title) => title.visibility === "private" && isMine(title)).length;
}

const pageOf = ({ kind, id }: Shared) => `${location.origin}/${kind === "title" ? "watch" : "collections"}/${id}`;

import { useEffect, useState } from "preact/hooks";
import type { Title } from "../../catalog/contract.ts";
import { formatCodec } from "../format.ts";
import { carrying } from "../grant.ts";
import { t } from "../i18n/i18n.ts";
import "../messages/en/watch.ts";
import { canPlayType, findUndecodable } from "../player/decode.ts";
import type { Player as PlayerComponent } from "../player/player.tsx";
import { user } from "../session.ts";
import type { PlayedQueue } from "./watch-queue.tsx";

interface ScreenProps {
  readonly title: Title;
  readonly startAtSeconds: number | null;
  readonly resumes: boolean;
  readonly Player: typeof PlayerComponent;
  readonly grant: string;
  readonly queue: PlayedQueue | null;
  /** It does not play, or not on. */
  onTrouble(): void;
}

/** The player, or why there is none. */
export function Screen({ title, startAtSeconds, resumes, Player, grant, queue, onTrouble }: ScreenProps) {
  const [anyway, setAnyway] = useState(false);
  useEffect(() => setAnyway(false), [title.id]);
  const undecodable = findUndecodable(title, canPlayType);
  if (title.availability !== "ready") return <Away title={title} />;
  if (undecodable.video !== null && !anyway) {
    const original = carrying(`/stream/${title.id}/original`, grant);
    return <Undecodable original={original} codec={undecodable.video} onTryAnyway={() => setAnyway(true)} />;
  }
  return (
    <div class="screen">
      <Player
        title={title}
        startAtSeconds={startAtSeconds}
        resumes={resumes}
        keepsProgress={user.value !== null && grant === ""}
        grant={grant}
        collection={queue?.name ?? null}
        next={queue?.next ?? null}
        previous={queue?.previous ?? null}
        onTrouble={onTrouble}
      />
      {undecodable.audio !== null && (
        <p class="hint" role="status">
          {t("watch.no-sound", { codec: formatCodec(undecodable.audio) })}
        </p>
      )}
    </div>
  );
}

function Undecodable({ original, codec, onTryAnyway }: { original: string; codec: string; onTryAnyway(): void }) {
  return (
    <div class="no-player" role="alert">
      <p class="no-player-heading">{t("watch.undecodable", { codec: formatCodec(codec) })}</p>
      <p>{t("watch.undecodable-why")}</p>
      <p class="actions">
        <a class="button primary" href={original} download>
          {t("watch.download-original")}
        </a>
        <button type="button" onClick={onTryAnyway}>
          {t("watch.try-anyway")}
        </button>
      </p>
    </div>
  );
}

function Away({ title }: { title: Title }) {
  if (title.availability === "ready") return null;
  return (
    <div class="no-player" role="alert">
      <p class="no-player-heading">{t(`title.${title.availability}`)}</p>
      <p>{t(`watch.${title.availability}`)}</p>
    </div>
  );
}

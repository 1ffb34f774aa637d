import { t } from "../i18n/i18n.ts";
import "../messages/en/watch.ts";
import { useEffect, useState } from "preact/hooks";
import type { Title } from "../../catalog/contract.ts";
import { ApiError, call, messageOf } from "../api.ts";
import { copyText } from "../clipboard.ts";
import { Heading } from "../components/heading.tsx";
import { Tags } from "../components/tags.tsx";
import { formatBytes, formatCodec, formatDate, formatDuration } from "../format.ts";
import { notify } from "../notices.tsx";
import { canPlayType, findUndecodable } from "../player/decode.ts";
import type { Player as PlayerComponent } from "../player/player.tsx";
import { savesSettled } from "../player/progress-keeper.ts";
import { resumePosition } from "../player/resume.ts";
import { navigate } from "../router.ts";
import { mayEditTitle, user } from "../session.ts";
import { whereToGo } from "../where-to-go.tsx";
import { removeTitle } from "./remove-title.ts";
import { TitleEditor } from "./title-editor.tsx";

interface Loaded {
  readonly title: Title;
  readonly startAtSeconds: number | null;
  readonly Player: typeof PlayerComponent;
}

/** Plays one title and shows, edits or deletes what is known of it. */
export function WatchPage({ id }: { id: string }) {
  const [loaded, setLoaded] = useState<Loaded | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [editing, setEditing] = useState(false);
  const [leaving, setLeaving] = useState(false);
  useEffect(() => {
    load(id).then(setLoaded, (error: unknown) => setProblem(explain(error)));
  }, [id]);

  useEffect(() => {
    if (!leaving || !loaded) return;
    // The player is gone by now: nothing asks for more of a video that is being deleted, or saves a position in it.
    void savesSettled()
      .then(() => removeTitle(loaded.title))
      .then((gone) => gone || setLeaving(false));
  }, [leaving]);

  if (problem !== null) return <NotHere problem={problem} />;
  if (!loaded) return <section class="watch" aria-busy="true" />;
  const { title } = loaded;
  const editable = mayEditTitle(user.value, title);
  const changed = (next: Title) => {
    setLoaded({ ...loaded, title: next });
    setEditing(false);
  };
  return (
    <section class="watch">
      {leaving ? <div class="no-player" /> : <Screen {...loaded} />}
      <div class="watch-head">
        <Heading title={title.name} />
        <div class="actions">
          {editable && (
            <button type="button" aria-expanded={editing} onClick={() => setEditing(!editing)}>
              {t("do.edit")}
            </button>
          )}
          {title.visibility === "public" && (
            <button type="button" onClick={() => void copyLink(title)}>
              {t("watch.copy-link")}
            </button>
          )}
          <a class="button" href={`/stream/${title.id}/original`} download>
            {t("watch.download")}
          </a>
        </div>
      </div>
      {editing ? (
        <TitleEditor
          title={title}
          leaving={leaving}
          onSaved={changed}
          onCancel={() => setEditing(false)}
          onDelete={() => setLeaving(true)}
        />
      ) : (
        <About title={title} />
      )}
    </section>
  );
}

async function load(id: string): Promise<Loaded> {
  const code = import("../player/player.tsx");
  const path = `/api/titles/${encodeURIComponent(id)}`;
  const title = await call<Title>("GET", path);
  const startAtSeconds = user.peek() ? await loadPosition(title) : null;
  return { title, startAtSeconds, Player: (await code).Player };
}

async function loadPosition(title: Title): Promise<number | null> {
  try {
    const { positionSeconds } = await call<{ positionSeconds: number }>("GET", `/api/titles/${title.id}/progress`);
    return resumePosition(positionSeconds, title.durationSeconds);
  } catch {
    // Not knowing where it stopped is no reason not to play.
    return null;
  }
}

/** The player, or why there is none. */
function Screen({ title, startAtSeconds, Player }: Loaded) {
  const [anyway, setAnyway] = useState(false);
  const undecodable = findUndecodable(title, canPlayType);
  if (title.availability !== "ready") return <Away title={title} />;
  if (undecodable.video !== null && !anyway) {
    return <Undecodable title={title} codec={undecodable.video} onTryAnyway={() => setAnyway(true)} />;
  }
  return (
    <>
      <Player title={title} startAtSeconds={startAtSeconds} keepsProgress={user.value !== null} />
      {undecodable.audio !== null && (
        <p class="hint" role="status">
          {t("watch.no-sound", { codec: formatCodec(undecodable.audio) })}
        </p>
      )}
    </>
  );
}

function Undecodable({ title, codec, onTryAnyway }: { title: Title; codec: string; onTryAnyway(): void }) {
  return (
    <div class="no-player" role="alert">
      <p class="no-player-heading">{t("watch.undecodable", { codec: formatCodec(codec) })}</p>
      <p>{t("watch.undecodable-why")}</p>
      <p class="actions">
        <a class="button primary" href={`/stream/${title.id}/original`} download>
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

function About({ title }: { title: Title }) {
  const { video, audio } = title;
  const sharedWith = {
    private: t("title.private"),
    members: t("fact.all-members"),
    public: t("fact.everybody"),
  }[title.visibility];
  const owner = title.owner?.username ?? t("title.from-folder");
  const facts: [string, string][] = [
    [t("fact.from"), owner],
    [t("fact.added"), formatDate(title.createdAt)],
    [
      t("fact.seen-by"),
      title.owner && user.value?.id !== title.owner.id && title.visibility === "private" ? owner : sharedWith,
    ],
    [t("fact.length"), formatDuration(title.durationSeconds)],
    [t("fact.size"), formatBytes(title.sizeBytes)],
    [t("fact.picture"), video ? `${video.width} × ${video.height}, ${formatCodec(video.codec)}` : t("fact.none")],
    [t("fact.sound"), [...new Set(audio.map(({ codec }) => formatCodec(codec)))].join(", ") || t("fact.none")],
  ];
  return (
    <div class="about">
      {title.description && <p class="description">{title.description}</p>}
      <Tags tags={title.tags} onChoose={(tag) => navigate(`/library?${new URLSearchParams({ tag })}`)} />
      <dl class="facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

function NotHere({ problem }: { problem: string }) {
  return (
    <section class="message">
      <Heading title={t("watch.not-here")} />
      <p role="alert">{problem}</p>
      <p>{whereToGo()}</p>
    </section>
  );
}

/** Copies the address of a title for somebody else; where the browser forbids that, shows it. */
async function copyLink({ id }: Title): Promise<void> {
  const address = `${location.origin}/watch/${id}`;
  if (await copyText(address)) notify(t("watch.link-copied"));
  else notify(t("watch.link-is", { address }), { seconds: 60 });
}

function explain(error: unknown): string {
  if (error instanceof ApiError && error.status === 404) return t("watch.no-such");
  return messageOf(error);
}

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
              Edit
            </button>
          )}
          {title.visibility === "public" && (
            <button type="button" onClick={() => void copyLink(title)}>
              Copy link
            </button>
          )}
          <a class="button" href={`/stream/${title.id}/original`} download>
            Download
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
          There may be no sound: this browser does not decode {formatCodec(undecodable.audio)} audio. The original has
          it.
        </p>
      )}
    </>
  );
}

function Undecodable({ title, codec, onTryAnyway }: { title: Title; codec: string; onTryAnyway(): void }) {
  return (
    <div class="no-player" role="alert">
      <p class="no-player-heading">This browser cannot decode {formatCodec(codec)} video</p>
      <p>
        The original is untouched. Another browser or device may have the decoder, and players such as VLC do: download
        it and open it there.
      </p>
      <p class="actions">
        <a class="button primary" href={`/stream/${title.id}/original`} download>
          Download the original
        </a>
        <button type="button" onClick={onTryAnyway}>
          Try anyway
        </button>
      </p>
    </div>
  );
}

function Away({ title }: { title: Title }) {
  const text = {
    receiving: ["Still arriving", "This video is being uploaded. Load the page again when it is there."],
    unavailable: ["Not available right now", "The disk or server that has this video is away. It comes back with it."],
    failed: ["Could not be read", "The file is damaged or not a video. Delete it and upload it again."],
    ready: ["", ""],
  }[title.availability];
  return (
    <div class="no-player" role="alert">
      <p class="no-player-heading">{text[0]}</p>
      <p>{text[1]}</p>
    </div>
  );
}

function About({ title }: { title: Title }) {
  const { video, audio } = title;
  const sharedWith = { private: "Only me", members: "All members", public: "Everybody" }[title.visibility];
  const owner = title.owner?.username ?? "Library folder";
  const facts: [string, string][] = [
    ["From", owner],
    ["Added", formatDate(title.createdAt)],
    [
      "Seen by",
      title.owner && user.value?.id !== title.owner.id && title.visibility === "private" ? owner : sharedWith,
    ],
    ["Length", formatDuration(title.durationSeconds)],
    ["Size", formatBytes(title.sizeBytes)],
    ["Picture", video ? `${video.width} × ${video.height}, ${formatCodec(video.codec)}` : "None"],
    ["Sound", [...new Set(audio.map(({ codec }) => formatCodec(codec)))].join(", ") || "None"],
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
      <Heading title="This video cannot be shown" />
      <p role="alert">{problem}</p>
      <p>
        Go to <a href="/videos">my videos</a> or the <a href="/library">library</a>.
      </p>
    </section>
  );
}

/** Copies the address of a title for somebody else; where the browser forbids that, shows it. */
async function copyLink({ id }: Title): Promise<void> {
  const address = `${location.origin}/watch/${id}`;
  if (await copyText(address)) notify("Link copied. Whoever has it can watch.");
  else notify(`The link is ${address}`, { seconds: 60 });
}

function explain(error: unknown): string {
  if (error instanceof ApiError && error.status === 404) return "There is no such video, or it is not shared with you.";
  return messageOf(error);
}

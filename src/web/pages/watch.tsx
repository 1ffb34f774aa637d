import { t } from "../i18n/i18n.ts";
import "../messages/en/share.ts";
import "../messages/en/watch.ts";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Title, Visibility } from "../../catalog/contract.ts";
import { ApiError, type CallOptions, call, messageOf } from "../api.ts";
import { Heading } from "../components/heading.tsx";
import { carrying, grantOf, isLinkOver } from "../grant.ts";
import { parseMoment } from "../player/moment.ts";
import type { Player as PlayerComponent } from "../player/player.tsx";
import { loadPlayer } from "../player/player-code.ts";
import { savesSettled } from "../player/progress-saves.ts";
import { resumePosition } from "../player/resume.ts";
import { here, navigate } from "../router.ts";
import { mayEditTitle, mayHideTitle, user } from "../session.ts";
import { ShareDialog } from "../share/share-dialog.tsx";
import { whereToGo } from "../where-to-go.tsx";
import { removeTitle } from "./remove-title.ts";
import { TitleEditor } from "./title-editor.tsx";
import { changeKept } from "./use-titles.ts";
import { About } from "./watch-about.tsx";
import { WatchActions } from "./watch-actions.tsx";
import { Queue, useQueue } from "./watch-queue.tsx";
import { Screen } from "./watch-screen.tsx";

interface Loaded {
  readonly title: Title;
  readonly startAtSeconds: number | null;
  readonly resumes: boolean;
  readonly Player: typeof PlayerComponent;
}

/** How often a video that is not there yet, or plays, is asked for again. */
const ASK_AGAIN_MS = 4_000;
/** How long an answer is waited for. */
const ANSWER_MS = 10_000;

/** Plays one title and shows, edits, shares or deletes what is known of it; in a collection, leads to the next one. */
export function WatchPage({ id }: { id: string }) {
  const { query } = here.value;
  const grant = grantOf(query);
  const [loaded, setLoaded] = useState<Loaded | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [open, setOpen] = useState<"edit" | "share" | null>(null);
  const [leaving, setLeaving] = useState(false);
  const queue = useQueue(query.get("collection"), id, grant);
  const patch = (title: Title) => {
    changeKept((other) => (other.id === title.id ? title : other));
    setLoaded((before) => before && { ...before, title });
  };
  useLoaded(id, grant, setLoaded, setProblem, () => setOpen(null));
  useArrival(loaded?.title ?? null, grant, patch);
  const look = useNews(leaving || problem !== null ? null : (loaded?.title ?? null), grant, {
    keeps: open !== null,
    // What is being edited is compared when it is saved.
    onChange: (title) => open === "edit" || patch(title),
    onRefused: (error) => setProblem(explain(error, grant)),
  });
  useEffect(() => {
    if (!leaving || !loaded) return;
    // The player is gone by now: nothing asks for more of a video that is being deleted, or saves a position in it.
    void savesSettled()
      .then(() => removeTitle(loaded.title))
      .then((gone) => gone || setLeaving(false));
  }, [leaving]);

  if (problem !== null) return <NotHere problem={problem} />;
  const inCollection = query.has("collection");
  if (!loaded) {
    return (
      <section class="watch" data-queue={inCollection} aria-busy="true">
        {/* Not to be taken for what comes after the player. */}
        <div key="ghost" class="player-ghost" />
      </section>
    );
  }
  const { title } = loaded;
  const editable = mayEditTitle(user.value, title) && grant === "";
  return (
    <section class="watch" data-queue={inCollection}>
      {leaving ? <div class="no-player" /> : <Screen {...loaded} grant={grant} queue={queue} onTrouble={look} />}
      <div class="watch-head">
        <Heading title={title.name} />
        <WatchActions
          title={title}
          grant={grant}
          editable={editable}
          editing={open === "edit"}
          onEdit={() => setOpen(open === "edit" ? null : "edit")}
          onShare={() => setOpen("share")}
          onChange={patch}
        />
      </div>
      <div class="watch-below" data-queue={queue !== null}>
        {open === "edit" ? (
          <TitleEditor
            key={title.id}
            title={title}
            leaving={leaving}
            onSaved={(next) => {
              patch(next);
              setOpen(null);
            }}
            onCancel={() => setOpen(null)}
            onDelete={() => setLeaving(true)}
          />
        ) : (
          <About key={title.id} title={title} isShared={grant !== ""} />
        )}
        {queue && <Queue queue={queue} currentId={id} />}
      </div>
      {open === "share" && (
        <ShareDialog
          shared={{ kind: "title", ...title, mayHide: mayHideTitle(user.value, title) }}
          onVisibility={editable ? async (visibility) => patch(await setVisibility(title, visibility)) : undefined}
          onClose={() => setOpen(null)}
        />
      )}
    </section>
  );
}

/** Loads the title; while another one is being loaded, the one before stays. */
function useLoaded(
  id: string,
  grant: string,
  onLoaded: (loaded: Loaded) => void,
  onProblem: (problem: string | null) => void,
  onOther: () => void,
): void {
  useEffect(() => {
    let isCurrent = true;
    load(id, grant).then(
      (loaded) => {
        if (!isCurrent) return;
        onOther();
        onProblem(null);
        onLoaded(loaded);
      },
      (error: unknown) => {
        if (!isCurrent) return;
        // The link is over; a member may see it all the same.
        if (isLinkOver(error, grant) && user.peek()) navigate(here.peek().path, { replace: true });
        else onProblem(explain(error, grant));
      },
    );
    return () => {
      isCurrent = false;
    };
  }, [id, grant]);
}

/** Asks for a video that is on its way, or whose disk is away, until it is there. */
function useArrival(title: Title | null, grant: string, onChange: (title: Title) => void): void {
  const waits = title?.availability === "receiving" || title?.availability === "unavailable";
  useEffect(() => {
    if (!title || !waits) return;
    const ask = () => loadTitle(title.id, grant).then(onChange, () => undefined);
    const timer = setInterval(() => void ask(), ASK_AGAIN_MS);
    return () => clearInterval(timer);
  }, [title?.id, waits]);
}

interface News {
  /** Whether something is being done that must not be lost. */
  readonly keeps: boolean;
  onChange(title: Title): void;
  onRefused(error: ApiError): void;
}

/**
 * Asks again whenever the window is looked at again: the title may have been edited in another one. So it does while it
 * plays: what is buffered would play on when its link is revoked, or it was deleted. The result asks at once.
 */
function useNews(title: Title | null, grant: string, news: News): () => void {
  const latest = useRef({ title, ...news });
  latest.current = { title, ...news };
  const look = useRef(() => {});
  useEffect(() => {
    if (!title) return;
    let isCurrent = true;
    let askedAt = performance.now();
    const wasMember = user.peek() !== null;
    const ask = (stops = isPlaying()) => {
      askedAt = performance.now();
      const before = latest.current.title;
      // A session that is over ends what plays, too; what is being edited is not lost to it.
      const anonymous = grant !== "" || !wasMember || latest.current.keeps || !stops;
      loadTitle(title.id, grant, { anonymous, signal: AbortSignal.timeout(ANSWER_MS) }).then(
        // What was done here meanwhile is newer.
        (next) => isCurrent && latest.current.title === before && latest.current.onChange(next),
        (error: unknown) => isCurrent && isRefusal(error, grant, wasMember) && latest.current.onRefused(error),
      );
    };
    const askSeen = () => document.visibilityState === "visible" && ask();
    const askPlaying = () => {
      if (isPlaying() && performance.now() - askedAt > ASK_AGAIN_MS / 2) ask();
    };
    look.current = () => ask(true);
    const timer = setInterval(askPlaying, ASK_AGAIN_MS);
    document.addEventListener("visibilitychange", askSeen);
    addEventListener("focus", askSeen);
    // Events of media do not bubble.
    addEventListener("play", askPlaying, true);
    return () => {
      isCurrent = false;
      look.current = () => {};
      clearInterval(timer);
      document.removeEventListener("visibilitychange", askSeen);
      removeEventListener("focus", askSeen);
      removeEventListener("play", askPlaying, true);
    };
  }, [title?.id, grant]);
  return () => look.current();
}

function isPlaying(): boolean {
  const video = document.querySelector<HTMLVideoElement>(".player video");
  return video !== null && !video.paused;
}

/** Whether one may not see a title any more. A session that is over is not that: it goes on after signing in. */
function isRefusal(error: unknown, grant: string, wasMember: boolean): error is ApiError {
  if (!(error instanceof ApiError)) return false;
  return error.status === 401 ? grant !== "" || !wasMember : [403, 404, 410].includes(error.status);
}

async function load(id: string, grant: string): Promise<Loaded> {
  const player = loadPlayer();
  // Whoever waits for the title first hears of this one too.
  player.catch(() => undefined);
  const title = await loadTitle(id, grant);
  const moment = parseMoment(here.peek().query.get("t"));
  const hasMoment = moment !== null && moment < (title.durationSeconds ?? Number.POSITIVE_INFINITY);
  const stopped = !hasMoment && user.peek() && grant === "" ? await loadPosition(title) : null;
  return { title, startAtSeconds: hasMoment ? moment : stopped, resumes: !hasMoment, Player: await player };
}

/** With a link, a refusal is not the end of a session. */
const loadTitle = (id: string, grant: string, options: CallOptions = { anonymous: grant !== "" }) =>
  call<Title>("GET", carrying(`/api/titles/${encodeURIComponent(id)}`, grant), undefined, options);

async function loadPosition(title: Title): Promise<number | null> {
  try {
    const { positionSeconds } = await call<{ positionSeconds: number }>("GET", `/api/titles/${title.id}/progress`);
    return resumePosition(positionSeconds, title.durationSeconds);
  } catch {
    // Not knowing where it stopped is no reason not to play.
    return null;
  }
}

const setVisibility = (title: Title, visibility: Visibility) =>
  call<Title>("PATCH", `/api/titles/${title.id}`, { visibility });

function NotHere({ problem }: { problem: string }) {
  return (
    <section class="message">
      <Heading title={t("watch.not-here")} />
      <p role="alert">{problem}</p>
      <p>{whereToGo()}</p>
    </section>
  );
}

function explain(error: unknown, grant: string): string {
  if (isLinkOver(error, grant)) return t("share.link-over");
  if (error instanceof ApiError && [401, 404].includes(error.status)) return t("watch.no-such");
  return messageOf(error);
}

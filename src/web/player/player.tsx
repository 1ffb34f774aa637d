import { t } from "../i18n/i18n.ts";
import "../messages/en/watch.ts";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Title } from "../../catalog/contract.ts";
import { formatDuration } from "../format.ts";
import { carrying } from "../grant.ts";
import { Chapters } from "./chapters.tsx";
import "./elements.ts";
import { startMediaSession } from "./media-session.ts";
import { describeMediaError, soundOnly } from "./player-errors.ts";
import { preferences } from "./preferences.ts";
import { SettingsMenu } from "./settings-menu.tsx";
import { ShortcutsDialog } from "./shortcuts-dialog.tsx";
import { TimeDisplay } from "./time-display.tsx";
import { TimeLine } from "./time-line.tsx";
import { UpNext } from "./up-next.tsx";
import { useFlash } from "./use-flash.ts";
import { usePlayback } from "./use-playback.ts";
import { useShortcuts } from "./use-shortcuts.ts";
import { useWords } from "./use-words.ts";

/** Another video of the collection that is played. */
export interface Neighbour {
  readonly name: string;
  go(): void;
}

export interface PlayerProps {
  readonly title: Title;
  readonly startAtSeconds: number | null;
  /** Whether that is where one stopped, which is said, and not a moment that the address names. */
  readonly resumes: boolean;
  /** Whether the position is kept for next time. */
  readonly keepsProgress: boolean;
  /** The link that one came by, as a query that all addresses carry; empty without one. */
  readonly grant: string;
  /** The name of the collection that is played. */
  readonly collection: string | null;
  readonly next: Neighbour | null;
  readonly previous: Neighbour | null;
  /** It does not play, or not on: called with every problem that is shown. */
  onTrouble(): void;
}

/** Plays a title, with controls. Given another title, it plays that, in the same place: also over the whole screen. */
export function Player(props: PlayerProps) {
  const { title, grant, collection, next, previous } = props;
  const video = useRef<HTMLVideoElement>(null);
  const controller = useRef<HTMLElement>(null);
  const playback = usePlayback(props, video);
  const { problem, setProblem } = playback;
  const [helps, setHelps] = useState(false);
  const [hasEnded, setHasEnded] = useState(false);
  const [flash, say] = useFlash();
  const words = useWords();
  const help = () => setHelps(true);
  useShortcuts({
    video,
    controller,
    frameRate: title.video?.frameRate || 25,
    next: next?.go ?? null,
    previous: previous?.go ?? null,
    help,
    say,
  });
  useEffect(() => setHasEnded(false), [title.id]);
  useEffect(() => {
    if (!video.current) return;
    return startMediaSession(video.current, title, {
      collection,
      next: next?.go ?? null,
      previous: previous?.go ?? null,
    });
  }, [title.id, title.name, collection, next?.name, previous?.name]);
  const { captionSize, captionColour, captionBackground } = preferences.value;
  return (
    <>
      <div
        class="player"
        data-delivery={playback.delivery ?? ""}
        data-caption-size={captionSize}
        data-caption-colour={captionColour}
        data-caption-background={captionBackground}
      >
        <media-controller ref={controller} lang={words} nohotkeys aria-label={t("player.label", { name: title.name })}>
          {/* biome-ignore lint/a11y/useMediaCaption: subtitles come from the stream when it has any */}
          <video
            slot="media"
            ref={video}
            playsInline
            // Arriving here is a wish to play; where the browser disagrees, the button is there.
            autoplay
            preload="auto"
            onError={(event) => setProblem(describeMediaError(event.currentTarget.error, title))}
            onLoadedData={(event) => {
              // Some browsers play the sound of a file whose picture they cannot decode, without an error.
              if (title.video && event.currentTarget.videoWidth === 0) setProblem(soundOnly(title.video.codec));
            }}
            onPlaying={() => {
              setHasEnded(false);
              playback.settle();
            }}
            onEnded={() => setHasEnded(true)}
          />
          {/* Controls read their names once: another language, others of them. The video stays. */}
          <media-captions-menu key={`menu-${words}`} hidden anchor="auto" />
          <media-loading-indicator key={`loading-${words}`} slot="centered-chrome" noautohide />
          <media-control-bar key={`time-${words}`} class="time-bar">
            <TimeLine video={video} title={title} grant={grant} onTrouble={props.onTrouble} />
          </media-control-bar>
          <media-control-bar key={`bar-${words}`}>
            <media-play-button />
            {next && (
              <button type="button" class="player-button" aria-label={t("player.next", next)} onClick={next.go}>
                <NextIcon />
              </button>
            )}
            <media-seek-backward-button seekoffset={10} class="wide" />
            <media-seek-forward-button seekoffset={10} class="wide" />
            <media-mute-button />
            <media-volume-range class="wide" />
            <TimeDisplay video={video} durationSeconds={title.durationSeconds} />
            <span class="spacer" />
            <media-captions-menu-button />
            <SettingsMenu
              video={video}
              inCollection={collection !== null}
              onHelp={help}
              onRemote={(kind) => void playback.showElsewhere(kind)}
            />
            <media-pip-button class="wide" />
            <media-fullscreen-button />
          </media-control-bar>
        </media-controller>
        <p class="player-flash" role="status" data-shown={flash !== ""}>
          {flash}
        </p>
        {playback.resumed !== null && problem === null && (
          <p class="player-note" role="status">
            {t("player.resumed", { time: formatDuration(playback.resumed) })} <span aria-hidden="true">·</span>
            <button type="button" class="plain" onClick={playback.startOver}>
              {t("player.start-again")}
            </button>
          </p>
        )}
        {hasEnded && next && preferences.value.playsNext && (
          <UpNext name={next.name} onPlay={next.go} onCancel={() => setHasEnded(false)} />
        )}
        {problem && (
          <div class="player-problem" role="alert">
            <p>{problem}</p>
            <p class="actions">
              <button type="button" onClick={playback.again}>
                {t("app.try-again")}
              </button>
              <a class="button" href={carrying(`/stream/${title.id}/original`, grant)} download>
                {t("watch.download-original")}
              </a>
            </p>
          </div>
        )}
      </div>
      <Chapters video={video} titleId={title.id} grant={grant} />
      {helps && <ShortcutsDialog inCollection={collection !== null} onClose={() => setHelps(false)} />}
    </>
  );
}

function NextIcon() {
  return (
    <svg viewBox="0 0 24 24" aria-hidden="true" focusable="false" class="icon">
      <path d="M5 4.5v15L16 12zM17 5h2.5v14H17z" />
    </svg>
  );
}

import { t } from "../i18n/i18n.ts";
import "../messages/en/watch.ts";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Title } from "../../catalog/contract.ts";
import { formatCodec, formatDuration } from "../format.ts";
import { attach, type Delivery } from "./attach.ts";
import "./elements.ts";
import { ProgressKeeper } from "./progress-keeper.ts";
import { TimeDisplay } from "./time-display.tsx";

export interface PlayerProps {
  readonly title: Title;
  readonly startAtSeconds: number | null;
  /** Whether the position is kept for next time. */
  readonly keepsProgress: boolean;
}

/** Plays a title, with controls. */
export function Player({ title, startAtSeconds, keepsProgress }: PlayerProps) {
  const video = useRef<HTMLVideoElement>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [delivery, setDelivery] = useState<Delivery | null>(null);
  const [attempt, setAttempt] = useState(0);
  const [resumed, setResumed] = useState(startAtSeconds);

  useEffect(() => {
    const element = video.current;
    if (!element) return;
    setProblem(null);
    const startAt = attempt === 0 ? startAtSeconds : element.currentTime || startAtSeconds;
    const detach = attach(element, title, { startAtSeconds: startAt, onDelivery: setDelivery, onFatal: setProblem });
    const keeper = keepsProgress ? new ProgressKeeper(element, title.id) : null;
    return () => {
      keeper?.close();
      detach();
    };
  }, [title.id, attempt]);

  const startOver = () => {
    if (video.current) video.current.currentTime = 0;
    setResumed(null);
  };
  return (
    <div class="player" data-delivery={delivery ?? ""}>
      <media-controller aria-label={t("player.label", { name: title.name })}>
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
          onPlaying={() => setTimeout(() => setResumed(null), 6000)}
        />
        <media-captions-menu hidden anchor="auto" />
        <media-loading-indicator slot="centered-chrome" noautohide />
        <media-control-bar class="time-bar">
          <media-time-range />
        </media-control-bar>
        <media-control-bar>
          <media-play-button />
          <media-seek-backward-button seekoffset={10} class="wide" />
          <media-seek-forward-button seekoffset={10} class="wide" />
          <media-mute-button />
          <media-volume-range class="wide" />
          <TimeDisplay video={video} durationSeconds={title.durationSeconds} />
          <span class="spacer" />
          <media-playback-rate-button rates="0.5 0.75 1 1.25 1.5 2" />
          <media-captions-menu-button />
          <media-pip-button class="wide" />
          <media-fullscreen-button />
        </media-control-bar>
      </media-controller>
      {resumed !== null && problem === null && (
        <p class="player-note" role="status">
          {t("player.resumed", { time: formatDuration(resumed) })} <span aria-hidden="true">·</span>
          <button type="button" class="plain" onClick={startOver}>
            {t("player.start-again")}
          </button>
        </p>
      )}
      {problem && (
        <div class="player-problem" role="alert">
          <p>{problem}</p>
          <p class="actions">
            <button type="button" onClick={() => setAttempt(attempt + 1)}>
              {t("app.try-again")}
            </button>
            <a class="button" href={`/stream/${title.id}/original`} download>
              {t("watch.download-original")}
            </a>
          </p>
        </div>
      )}
    </div>
  );
}

function soundOnly(codec: string): string {
  return t("player.sound-only", { codec: formatCodec(codec) });
}

/** What a failed player means for the person in front of it, with the codecs. */
function describeMediaError(error: MediaError | null, title: Title): string {
  const codecs = [title.video?.codec, ...title.audio.map(({ codec }) => codec)].filter((codec) => codec !== undefined);
  const named = [...new Set(codecs)].map(formatCodec).join(", ") || t("player.unknown");
  switch (error?.code) {
    case MediaError.MEDIA_ERR_NETWORK:
      return t("player.lost");
    case MediaError.MEDIA_ERR_DECODE:
      return t("player.decode", { codecs: named });
    default:
      return t("player.cannot", { codecs: named });
  }
}

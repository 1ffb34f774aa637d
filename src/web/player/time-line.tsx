import type MediaTimeRange from "media-chrome/media-time-range";
import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Title } from "../../catalog/contract.ts";
import { formatDuration } from "../format.ts";
import { speakPlace } from "./spoken-place.ts";
import { hasScenes, useScenes } from "./use-scenes.ts";

interface TimeLineProps {
  readonly video: RefObject<HTMLVideoElement | null>;
  readonly title: Title;
  readonly grant: string;
  /** A picture is refused. */
  onTrouble(): void;
}

/** So long a place that keys have chosen is shown after the last of them. */
const LINGER_MS = 2_000;

/**
 * The time line, with the time, the chapter and a picture of the place that the pointer is at, a finger drags it to or
 * keys move it to. The pictures are for eyes only.
 */
export function TimeLine({ video, title, grant, onTrouble }: TimeLineProps) {
  const line = useRef<MediaTimeRange>(null);
  const pointed = useRef<HTMLSpanElement>(null);
  const stepped = useRef<HTMLSpanElement>(null);
  const [step, setStep] = useState<number | null>(null);
  const place = () => stepped.current ?? pointed.current;
  const want = useScenes(title, {
    grant,
    show: (picture) => put(place(), picture),
    wait: () => {
      const { dataset } = place() ?? {};
      if (dataset) dataset.waits = "true";
    },
    onRefused: onTrouble,
  });
  useEffect(() => {
    const durationOf = () => title.durationSeconds ?? video.current?.duration ?? Number.NaN;
    return line.current ? speakPlace(line.current, durationOf) : undefined;
  }, [title.id]);
  useEffect(() => {
    setStep(null);
    return line.current ? followPlace(line.current, { onPoint: want, onStep: setStep }) : undefined;
  }, [title.id]);
  useEffect(() => {
    if (step === null) return;
    line.current?.updateBar();
    want(step);
    const timer = setTimeout(() => setStep(null), LINGER_MS);
    return () => clearTimeout(timer);
  }, [step]);
  return (
    <media-time-range ref={line}>
      <Scene title={title} slot="preview" place={pointed} />
      <media-preview-chapter-display slot="preview" />
      <media-preview-time-display slot="preview" />
      {step !== null && (
        <span slot="current" class="stepped" aria-hidden="true">
          <Scene title={title} place={stepped} />
          <span class="stepped-time">{formatDuration(step)}</span>
        </span>
      )}
    </media-time-range>
  );
}

/** Where a picture will be, in the shape that it will have. */
function Scene({ title, slot, place }: { title: Title; slot?: string; place: RefObject<HTMLSpanElement | null> }) {
  const { width, height, rotation } = title.video ?? {};
  const isUpright = (rotation ?? 0) % 180 !== 0;
  const shape = width && height ? (isUpright ? height / width : width / height) : 16 / 9;
  return hasScenes(title) ? (
    <span class="scene" key={title.id} slot={slot} ref={place} style={{ "--shape": shape }} aria-hidden="true" />
  ) : null;
}

function put(place: HTMLElement | null, picture: HTMLCanvasElement | null): void {
  if (!place) return;
  place.dataset.waits = "false";
  place.dataset.none = String(picture === null);
  place.replaceChildren(...(picture ? [picture] : []));
  if (picture) place.style.setProperty("--shape", String(picture.width / picture.height));
}

/** Told where the pointer is, null when it has left, and to where keys on the line have moved. */
function followPlace(
  line: HTMLElement,
  { onPoint, onStep }: { onPoint(seconds: number | null): void; onStep(seconds: number | null): void },
): () => void {
  let isByKey = false;
  const listeners: Readonly<Record<string, (event: Event) => void>> = {
    keydown: () => {
      isByKey = true;
    },
    pointerdown: () => {
      isByKey = false;
    },
    focusout: () => onStep(null),
    mediapreviewrequest: (event) => {
      const seconds = placeOf(event);
      if (seconds !== null) onStep(null);
      onPoint(seconds);
    },
    mediaseekrequest: (event) => isByKey && onStep(placeOf(event)),
  };
  for (const [name, listener] of Object.entries(listeners)) line.addEventListener(name, listener);
  return () => {
    for (const [name, listener] of Object.entries(listeners)) line.removeEventListener(name, listener);
  };
}

const placeOf = (event: Event): number | null =>
  event instanceof CustomEvent && Number.isFinite(event.detail) ? event.detail : null;

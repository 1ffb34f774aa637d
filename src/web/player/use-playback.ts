import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { messageOf } from "../api.ts";
import { t } from "../i18n/i18n.ts";
import "../messages/en/watch.ts";
import { notify } from "../notices.tsx";
import { attach, type Delivery } from "./attach.ts";
import type { PlayerProps } from "./player.tsx";
import { ProgressKeeper } from "./progress-keeper.ts";
import { chooseScreen, remoteAddress } from "./remote.ts";

/** Connects the element to the title, and again after a failure or for another screen. */
export function usePlayback(
  { title, startAtSeconds, resumes, keepsProgress, grant, onTrouble }: PlayerProps,
  video: RefObject<HTMLVideoElement | null>,
) {
  const [problem, setProblem] = useState<string | null>(null);
  const [delivery, setDelivery] = useState<Delivery | null>(null);
  const [attempt, setAttempt] = useState(0);
  const [remoteUrl, setRemoteUrl] = useState<string | null>(null);
  const resumedAt = resumes ? startAtSeconds : null;
  const [resumed, setResumed] = useState(resumedAt);
  const playing = useRef<string | null>(null);
  useEffect(() => {
    const element = video.current;
    if (!element) return;
    setProblem(null);
    const isSame = playing.current === title.id;
    playing.current = title.id;
    if (!isSame) setResumed(resumedAt);
    const startAt = isSame ? element.currentTime || startAtSeconds : startAtSeconds;
    const options = { startAtSeconds: startAt, grant, remoteUrl, onDelivery: setDelivery, onFatal: setProblem };
    const detach = attach(element, title, options);
    const keeper = keepsProgress ? new ProgressKeeper(element, title.id) : null;
    return () => {
      keeper?.close();
      detach();
    };
  }, [title.id, attempt, remoteUrl]);
  useEffect(() => setRemoteUrl(null), [title.id]);
  useEffect(() => {
    if (problem !== null) onTrouble();
  }, [problem]);
  return {
    problem,
    setProblem,
    delivery,
    resumed,
    again: () => setAttempt(attempt + 1),
    /** It plays: what was said of its place has been read soon. */
    settle: () => setTimeout(() => setResumed(null), 6000),
    startOver: () => {
      if (video.current) video.current.currentTime = 0;
      setResumed(null);
    },
    showElsewhere: async (kind: "airplay" | "cast") => {
      const element = video.current;
      if (!element) return;
      try {
        setRemoteUrl(remoteUrl ?? (await remoteAddress(title, grant, kind)));
        await loaded(element);
        await chooseScreen(element);
      } catch (error) {
        if (error instanceof DOMException && error.name === "NotAllowedError") return;
        const none = error instanceof DOMException;
        notify(none ? t("player.no-screen") : messageOf(error), { kind: "error" });
      }
    },
  };
}

/** Resolves when what an element was given last can be shown elsewhere. */
function loaded(video: HTMLVideoElement): Promise<void> {
  return new Promise((resolve) => {
    // The address comes with the next rendering.
    setTimeout(() => {
      if (video.readyState >= HTMLMediaElement.HAVE_METADATA) resolve();
      else video.addEventListener("loadedmetadata", () => resolve(), { once: true });
    }, 50);
  });
}

import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";
import { copyText } from "../clipboard.ts";
import { Menu } from "../components/menu.tsx";
import { formatDuration } from "../format.ts";
import { formatNumber, t } from "../i18n/i18n.ts";
import "../messages/en/watch.ts";
import { notify } from "../notices.tsx";
import {
  captionBackgrounds,
  captionColours,
  captionSizes,
  type Preferences,
  prefer,
  preferences,
} from "./preferences.ts";
import { remoteOf } from "./remote.ts";
import { setSpeed, speeds } from "./speeds.ts";

interface SettingsMenuProps {
  readonly video: RefObject<HTMLVideoElement | null>;
  readonly inCollection: boolean;
  onHelp(): void;
  onRemote(kind: "airplay" | "cast"): void;
}

/** Speed, how subtitles look, what comes next, another screen, and the keys. */
export function SettingsMenu({ video, inCollection, onHelp, onRemote }: SettingsMenuProps) {
  const rate = useRate(video);
  const [remote, setRemote] = useState<ReturnType<typeof remoteOf>>(null);
  const [hasPip, setHasPip] = useState(false);
  const { captionSize, captionColour, captionBackground, playsNext } = preferences.value;
  useEffect(() => {
    if (video.current) setRemote(remoteOf(video.current));
    setHasPip(document.pictureInPictureEnabled === true);
  }, []);
  const part = <Name extends keyof Preferences>(
    name: Name,
    legend: string,
    choices: readonly Preferences[Name][],
    chosen: Preferences[Name],
    label: (choice: Preferences[Name]) => string,
  ) => (
    <Part
      legend={legend}
      choices={choices.map((choice) => ({
        label: label(choice),
        pressed: choice === chosen,
        press: () => prefer({ [name]: choice } as Partial<Preferences>),
      }))}
    />
  );
  return (
    <Menu id="player-settings" class="player-button" label={t("player.settings")} button={<SettingsIcon />}>
      <Part
        legend={t("player.speed")}
        choices={speeds.map((speed) => ({
          label: `${formatNumber(speed)}×`,
          pressed: Math.abs(rate - speed) < 0.01,
          press: () => video.current && setSpeed(video.current, speed),
        }))}
      />
      {part("captionSize", t("player.caption-size"), captionSizes, captionSize, (size) => t(`player.size.${size}`))}
      {part("captionColour", t("player.caption-colour"), captionColours, captionColour, (colour) =>
        t(`player.colour.${colour}`),
      )}
      {part("captionBackground", t("player.caption-background"), captionBackgrounds, captionBackground, (background) =>
        t(`player.background.${background}`),
      )}
      <div class="menu-part">
        {inCollection && (
          <button
            type="button"
            class="menu-item"
            aria-pressed={playsNext}
            onClick={() => prefer({ playsNext: !playsNext })}
          >
            {t("player.plays-next")}
          </button>
        )}
        {hasPip && (
          <button type="button" class="menu-item" onClick={() => void togglePictureInPicture(video.current)}>
            {t("player.pip")}
          </button>
        )}
        {remote && (
          <button type="button" class="menu-item" onClick={() => onRemote(remote)}>
            {t(remote === "airplay" ? "player.airplay" : "player.cast")}
          </button>
        )}
        <button type="button" class="menu-item" onClick={() => void copyMoment(video.current)}>
          {t("player.copy-moment")}
        </button>
        <button type="button" class="menu-item" onClick={onHelp}>
          {t("key.heading")}
        </button>
      </div>
    </Menu>
  );
}

interface PartProps {
  readonly legend: string;
  readonly choices: readonly { readonly label: string; readonly pressed: boolean; press(): void }[];
}

function Part({ legend, choices }: PartProps) {
  return (
    <fieldset class="menu-part">
      <legend>{legend}</legend>
      <div class="segments">
        {choices.map(({ label, pressed, press }) => (
          <button key={label} type="button" aria-pressed={pressed} onClick={press}>
            {label}
          </button>
        ))}
      </div>
    </fieldset>
  );
}

/** How fast the video plays, whoever made it so. */
function useRate(video: RefObject<HTMLVideoElement | null>): number {
  const [rate, setRate] = useState(1);
  useEffect(() => {
    const element = video.current;
    if (!element) return;
    const update = () => setRate(element.playbackRate);
    element.addEventListener("ratechange", update);
    return () => element.removeEventListener("ratechange", update);
  }, []);
  return rate;
}

async function togglePictureInPicture(video: HTMLVideoElement | null): Promise<void> {
  try {
    if (document.pictureInPictureElement) await document.exitPictureInPicture();
    else await video?.requestPictureInPicture();
  } catch {
    // Nothing to show yet, or the browser does not let this video out: it stays where it is.
  }
}

/** Copies the address of this page, to begin where the video is now; where the browser forbids that, shows it. */
async function copyMoment(video: HTMLVideoElement | null): Promise<void> {
  const address = new URL(location.href);
  const seconds = Math.floor(video?.currentTime ?? 0);
  address.searchParams.set("t", String(seconds));
  if (await copyText(address.href)) notify(t("player.moment-copied", { time: formatDuration(seconds) }));
  else notify(t("watch.link-is", { address: address.href }), { seconds: 60 });
}

function SettingsIcon() {
  return (
    <svg viewBox="0 0 24 24" aria-hidden="true" focusable="false" class="icon line">
      <path d="M4 7h9m4 0h3M4 17h3m4 0h9" />
      <circle cx="15" cy="7" r="2" />
      <circle cx="9" cy="17" r="2" />
    </svg>
  );
}

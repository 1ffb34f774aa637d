import { useState } from "preact/hooks";
import type { Title } from "../../catalog/contract.ts";
import { call, messageOf } from "../api.ts";
import { copyText } from "../clipboard.ts";
import { Tags } from "../components/tags.tsx";
import { formatBytes, formatCodec, formatDate, formatDuration } from "../format.ts";
import { formatNumber, language, t } from "../i18n/i18n.ts";
import "../messages/en/watch.ts";
import { notify } from "../notices.tsx";
import { momentsIn } from "../player/moment.ts";
import { navigate } from "../router.ts";
import { user } from "../session.ts";

type Fact = readonly [name: string, value: preact.ComponentChildren];

/** What is known of a title. `isShared`: seen by a link, which tells of its bytes and nothing else. */
export function About({ title, isShared }: { title: Title; isShared: boolean }) {
  return (
    <div class="about">
      {title.description && <Description title={title} />}
      <Tags tags={title.tags} onChoose={(tag) => navigate(`/library?${new URLSearchParams({ tag })}`)} />
      <Facts facts={isShared ? bytesOf(title) : [...peopleOf(title), ...bytesOf(title)]} />
      <Details title={title} />
    </div>
  );
}

/** What somebody wrote; a time in it leads there. */
function Description({ title: { description, durationSeconds } }: { title: Title }) {
  return (
    <p class="description">
      {momentsIn(description, durationSeconds).map(({ text, seconds }, index) =>
        seconds === null ? (
          text
        ) : (
          <button key={index} type="button" class="plain moment" onClick={() => goTo(seconds)}>
            {text}
          </button>
        ),
      )}
    </p>
  );
}

function goTo(seconds: number): void {
  const video = document.querySelector<HTMLVideoElement>(".player video");
  if (!video) return;
  video.currentTime = seconds;
  video.scrollIntoView({ block: "nearest" });
}

function Facts({ facts }: { facts: readonly Fact[] }) {
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function peopleOf(title: Title): Fact[] {
  return [
    [t("fact.from"), title.owner?.username ?? t("title.from-folder")],
    [t("fact.added"), formatDate(title.createdAt)],
    [t("fact.seen-by"), seenBy(title)],
  ];
}

function seenBy({ owner, visibility }: Title): string {
  if (visibility !== "private") return t(visibility === "members" ? "fact.all-members" : "fact.everybody");
  if (!owner) return t("fact.admins");
  return owner.id === user.value?.id ? t("fact.me-and-admins") : t("fact.owner-and-admins", { name: owner.username });
}

function bytesOf({ durationSeconds, sizeBytes, video, audio }: Title): Fact[] {
  return [
    [t("fact.length"), formatDuration(durationSeconds)],
    [t("fact.size"), formatBytes(sizeBytes)],
    [t("fact.picture"), video ? `${video.width} × ${video.height}, ${formatCodec(video.codec)}` : t("fact.none")],
    [t("fact.sound"), [...new Set(audio.map(({ codec }) => formatCodec(codec)))].join(", ") || t("fact.none")],
  ];
}

const containerNames: Readonly<Record<string, string>> = {
  mp4: "MP4",
  mov: "QuickTime",
  matroska: "Matroska",
  webm: "WebM",
  mpegts: "MPEG-TS",
};

/** What few want to know: how it is coded, its SHA-256, and for admins where it lies. */
function Details({ title }: { title: Title }) {
  const [place, setPlace] = useState<string | null>(null);
  const isAdmin = user.value?.role === "admin";
  const { video, audio, container, mediaId } = title;
  const loadPlace = () => {
    if (isAdmin && place === null) placeOf(title).then(setPlace, (error: unknown) => setPlace(messageOf(error)));
  };
  const facts: Fact[] = [
    [t("fact.container"), container === null ? "–" : (containerNames[container] ?? container)],
    ...(video ? [[t("fact.frame-rate"), t("fact.per-second", { rate: rounded(video.frameRate) })] as const] : []),
    ...audio.map((track, index) => [t("fact.track", { number: index + 1 }), describeTrack(track)] satisfies Fact),
    [t("fact.id"), <Code key="id" text={title.id} name={t("fact.id")} />],
    ...(mediaId === null ? [] : [["SHA-256", <Code key="sha" text={mediaId} name="SHA-256" />] satisfies Fact]),
    ...(isAdmin ? [[t("fact.place"), place === null ? "…" : <code>{place}</code>] satisfies Fact] : []),
  ];
  return (
    <details class="details" onToggle={loadPlace}>
      <summary>{t("watch.details")}</summary>
      <Facts facts={facts} />
    </details>
  );
}

function describeTrack({ codec, channels, sampleRate, language: spoken }: Title["audio"][number]): string {
  const channelNames: Readonly<Record<number, string>> = { 1: t("fact.mono"), 2: t("fact.stereo"), 6: "5.1", 8: "7.1" };
  return [
    formatCodec(codec),
    channelNames[channels] ?? t("fact.channels", { count: channels }),
    `${rounded(sampleRate / 1000)} kHz`,
    spoken && languageName(spoken),
  ]
    .filter(Boolean)
    .join(", ");
}

const rounded = (value: number) => formatNumber(value, { maximumFractionDigits: 3 });

function languageName(tag: string): string {
  try {
    return new Intl.DisplayNames([language.value], { type: "language" }).of(tag) ?? tag;
  } catch {
    // Files name languages in any way.
    return tag;
  }
}

/** A long id, with a button that copies it. */
function Code({ text, name }: { text: string; name: string }) {
  const copy = async () => {
    if (await copyText(text)) notify(t("watch.copied", { what: name }));
  };
  return (
    <>
      <code>{text}</code>
      <button type="button" class="plain" aria-label={t("watch.copy-of", { what: name })} onClick={() => void copy()}>
        {t("watch.copy")}
      </button>
    </>
  );
}

async function placeOf({ id }: Title): Promise<string> {
  const { folder, path } = await call<{ folder: string | null; path: string | null }>(
    "GET",
    `/api/library/titles/${id}`,
  );
  return folder === null || path === null ? t("fact.own-storage") : `${folder}/${path}`;
}

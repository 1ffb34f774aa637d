import { basename, dirname, extname } from "node:path";
import type { Metadata } from "../media/metadata/metadata.ts";
import type { AnnouncedFolder } from "./contract.ts";

/** Folders whose names become tags: the outermost ones. */
const MAX_FOLDER_TAGS = 8;
const MAX_TAG_LENGTH = 64;
/** Tags of artists and the like that a file brings along. */
const MAX_OWN_TAGS = 8;
const MAX_CHAPTERS = 100;

/** What a title is called and found by, as far as its file tells. */
export interface FileText {
  readonly name: string;
  readonly description: string;
  readonly tags: readonly string[];
}

const EPISODE = /^(?<show>.*?)[\s._-]*\bS(?<season>\d{1,3})[\s._-]*E(?<episode>\d{1,4})(?!\d)(?<rest>.*)$/iu;
const YEAR = /^(?<name>.+?)[\s._]*[([](?<year>(?:18|19|20)\d\d)[)\]](?<rest>.*)$/u;
/** What release names are followed by: nothing after it belongs to a title. */
const NOISE =
  /[\s._-]+(?:\d{3,4}[pi]|4k|8k|uhd|web-?dl|web-?rip|blu-?ray|bdrip|brrip|dvd-?rip|hdtv|remux|[xh][. ]?26[45]|hevc|av1|10bit)(?![\p{L}\d]).*$/iu;

/**
 * Name, description and tags of a library file. `Name (Year)` and `Show S01E02` are understood; any other file is
 * called what it calls itself, else what its file is called. Folder names below the library folder are tags.
 */
export function describeFile(path: string, metadata: Metadata | null = null): FileText {
  const stem = stemOf(path);
  const folders = dirname(path) === "." ? [] : dirname(path).split("/");
  const { name, tags } = episode(stem, folders) ?? dated(stem) ?? plain(stem, metadata);
  const own = [metadata?.artist, metadata?.genre, yearOf(metadata?.date ?? null)].filter((tag) => tag != null);
  const all = [...folders.slice(0, MAX_FOLDER_TAGS), ...tags, ...own.slice(0, MAX_OWN_TAGS)];
  return { name, description: descriptionOf(metadata), tags: all.map(tidy).filter((tag) => tag !== "") };
}

/** What a file is called, without folders and extension. */
export const stemOf = (path: string): string => basename(path, extname(path));

interface NameAndTags {
  readonly name: string;
  readonly tags: readonly string[];
}

/** `Show.Name.S01E02.Its.Title.1080p`, or `S01E02` in a folder that has the show's name. */
function episode(stem: string, folders: readonly string[]): NameAndTags | null {
  const { show = "", season = "", episode: number = "", rest = "" } = EPISODE.exec(stem)?.groups ?? {};
  if (season === "") return null;
  const series =
    words(show) || words(folders.findLast((folder) => !/^(season|staffel|s)[\s._]*\d+$/i.test(folder)) ?? "");
  const code = `S${season.padStart(2, "0")}E${number.padStart(2, "0")}`;
  const title = words(rest.replace(NOISE, ""));
  const name = [series, code, title].filter((part) => part !== "").join(" ");
  return { name, tags: [...(series === "" ? [] : [series]), `Season ${Number(season)}`] };
}

/** `Name (2010)`, whatever follows. */
function dated(stem: string): NameAndTags | null {
  const { name = "", year = "" } = YEAR.exec(stem)?.groups ?? {};
  return words(name) === "" ? null : { name: `${words(name)} (${year})`, tags: [year] };
}

function plain(stem: string, metadata: Metadata | null): NameAndTags {
  const title = metadata?.title?.trim() ?? "";
  return { name: isTitle(title) ? title : stem, tags: [] };
}

/** Programs write their own address or name where a title should be. */
const isTitle = (text: string) =>
  /\p{L}/u.test(text) && !/(https?:|www\.|\.(com|net|org|info|mkv|mp4|avi)\b)/i.test(text) && text.length <= 200;

/** Dots and underscores for spaces, as in release names; names with spaces keep their dots. */
function words(text: string): string {
  const spaced = /\s/.test(text.trim()) ? text : text.replace(/[._]+/g, " ");
  return spaced.replace(/^[\s._-]+|[\s._-]+$/g, "").replace(/\s+/g, " ");
}

const tidy = (tag: string) => tag.replaceAll("_", " ").trim().slice(0, MAX_TAG_LENGTH).trim();
const yearOf = (date: string | null) => /^\s*((?:18|19|20)\d\d)(?!\d)/.exec(date ?? "")?.[1] ?? null;

function descriptionOf(metadata: Metadata | null): string {
  if (!metadata) return "";
  const chapters = metadata.chapters
    .slice(0, MAX_CHAPTERS)
    .map((one) => `${clock(one.startSeconds)} ${one.name}`.trim());
  const parts = [metadata.description?.trim() ?? "", chapters.length > 1 ? chapters.join("\n") : ""];
  return parts.filter((part) => part !== "").join("\n\n");
}

function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (value: number) => String(value).padStart(2, "0");
  return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}

/** The folders a file lies in, the library folder first. Their ids follow from their paths. */
export function foldersOf(folder: string, path: string): AnnouncedFolder[] {
  const inside = dirname(path) === "." ? [] : dirname(path).split("/");
  const root = { id: folderId(folder, ""), name: basename(folder) || folder };
  return [root, ...inside.map((name, depth) => ({ id: folderId(folder, inside.slice(0, depth + 1).join("/")), name }))];
}

/** A UUID (version 8, RFC 9562) of a folder's place. */
export function folderId(folder: string, path: string): string {
  const hex = new Bun.CryptoHasher("sha256").update(`${folder}\0${path}`).digest("hex");
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 3) | 8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    variant + hex.slice(17, 20),
    hex.slice(20, 32),
  ].join("-");
}

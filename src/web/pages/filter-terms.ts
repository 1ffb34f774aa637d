import { formatCodec } from "../format.ts";
import { findText, t } from "../i18n/i18n.ts";
import "../messages/en/library.ts";

/** The parameters of the address that narrow a list, as `GET /api/titles` names them. */
export const filterNames = [
  "minDuration",
  "maxDuration",
  "minHeight",
  "maxHeight",
  "codec",
  "owner",
  "visibility",
  "availability",
  "favourite",
  "watched",
  "inProgress",
  "folder",
  "tag",
] as const;
export type FilterName = (typeof filterNames)[number];

/** One thing that a list is narrowed by, and the parameters that say so. */
export interface Term {
  readonly text: string;
  readonly params: readonly (readonly [FilterName, string])[];
}

/** Choices of length and of size, as ranges of two parameters. */
export const lengths = [
  { key: "short", min: null, max: 300 },
  { key: "medium", min: 300, max: 1200 },
  { key: "long", min: 1200, max: 3600 },
  { key: "film", min: 3600, max: null },
] as const;
export const heights = [2160, 1080, 720] as const;
export const codecs = ["h264", "h265", "vp9", "av1"] as const;
export const states = [
  { key: "favourite", name: "favourite", value: "true" },
  { key: "in-progress", name: "inProgress", value: "true" },
  { key: "watched", name: "watched", value: "true" },
  { key: "not-watched", name: "watched", value: "false" },
] as const;
export const availabilities = ["ready", "receiving", "unavailable", "failed"] as const;

/** What the address narrows a list by, one by one, to be shown and taken away. */
export function termsOf(query: URLSearchParams): Term[] {
  return filterNames.flatMap((name) =>
    query.getAll(name).flatMap((value): Term[] => {
      if (name === "maxDuration" && query.has("minDuration")) return [];
      if (name === "minDuration" || name === "maxDuration") return [lengthTerm(query)];
      return [{ text: textOf(name, value), params: [[name, value]] }];
    }),
  );
}

function lengthTerm(query: URLSearchParams): Term {
  const [min, max] = [query.get("minDuration"), query.get("maxDuration")];
  const known = lengths.find(
    (length) => String(length.min ?? "") === (min ?? "") && String(length.max ?? "") === (max ?? ""),
  );
  const range = `${Number(min ?? 0) / 60}–${max === null ? "" : Number(max) / 60} min`;
  const params: [FilterName, string][] = [];
  if (min !== null) params.push(["minDuration", min]);
  if (max !== null) params.push(["maxDuration", max]);
  return { text: known ? t(`filter.length.${known.key}`) : range, params };
}

function textOf(name: FilterName, value: string): string {
  switch (name) {
    case "minHeight":
      return t("filter.lines", { lines: value });
    case "codec":
      return formatCodec(value);
    case "owner":
      return t("filter.mine");
    case "folder":
      return t("filter.folder");
    case "tag":
      return value;
    case "favourite":
    case "watched":
    case "inProgress": {
      const state = states.find((candidate) => candidate.name === name && candidate.value === value);
      return state ? t(`filter.${state.key}`) : value;
    }
    default:
      return findText(`title.${value}`) ?? findText(`filter.${value}`) ?? value;
  }
}

import type { Selectable } from "kysely";
import type { TitleIndex, TitleRecord, TitleWithSources } from "../../catalog/title-repository.ts";
import type { MediaInfo } from "../../streaming/contract.ts";
import type { TitleTable } from "./catalog-tables.ts";

export type TitleRow = Selectable<TitleTable>;

/** Longest name of a codec that can be searched for. */
const CODEC_LENGTH = 32;

/** The row of a title, without its place in time. */
export function toRow(
  title: TitleRecord & Pick<TitleWithSources, "tagWords">,
  index: TitleIndex,
): Omit<TitleRow, "seq"> {
  return {
    id: title.id,
    name: title.name,
    name_folded: index.nameFolded,
    name_key: index.nameKey,
    description: title.description,
    file_names: index.fileNames.length === 0 ? null : index.fileNames.join("\n"),
    owner_id: title.owner?.id ?? null,
    owner_name: title.owner?.username ?? null,
    origin: title.origin,
    visibility: title.visibility,
    availability: title.availability,
    media_id: title.mediaId,
    size_bytes: title.sizeBytes,
    info: title.info && JSON.stringify(title.info),
    created_at: title.createdAt,
    deleted_at: title.deletedAt,
    duration_ms: title.info ? Math.round(title.info.durationSeconds * 1000) : -1,
    height: title.info?.video?.height ?? 0,
    codec: title.info?.video?.codec.slice(0, CODEC_LENGTH) ?? "",
    tag_words: title.tagWords ? JSON.stringify(title.tagWords) : null,
  };
}

export function toRecord(row: TitleRow, tags: readonly string[]): TitleRecord {
  return {
    id: row.id,
    mediaId: row.media_id,
    name: row.name,
    description: row.description,
    tags,
    owner: row.owner_id === null ? null : { id: row.owner_id, username: row.owner_name ?? "" },
    origin: row.origin,
    visibility: row.visibility,
    availability: row.availability,
    sizeBytes: Number(row.size_bytes),
    info: row.info === null ? null : (JSON.parse(row.info) as MediaInfo),
    createdAt: row.created_at,
    deletedAt: row.deleted_at === null ? null : Number(row.deleted_at),
  };
}

import type { Title } from "../../catalog/contract.ts";
import { formatCodec } from "../format.ts";
import { t } from "../i18n/i18n.ts";
import "../messages/en/watch.ts";

/** What is said where a picture does not come, but sound does. */
export function soundOnly(codec: string): string {
  return t("player.sound-only", { codec: formatCodec(codec) });
}

/** What a failed player means for the person in front of it, with the codecs. */
export function describeMediaError(error: MediaError | null, title: Title): string {
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

/** Why a stream that played does not go on: what the server answered, or what else it was. */
export type StreamTrouble = { readonly status: number } | "connection" | "browser";

/** What that means for the person in front of it, and what to do. `byLink`: they came by a link, without an account. */
export function describeStreamTrouble(trouble: StreamTrouble, byLink: boolean): string {
  if (trouble === "connection") return t("player.lost");
  if (trouble === "browser") return t("player.stopped");
  if (trouble.status === 401) return t(byLink ? "player.link-over" : "player.signed-out");
  if ([403, 404, 410].includes(trouble.status)) return t("player.gone");
  if (trouble.status === 429) return t("player.busy");
  return t("player.away");
}

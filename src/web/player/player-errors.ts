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

import type { OpenAPIHono } from "@hono/zod-openapi";
import type { HttpEnv } from "../http/env.ts";
import type { Chapter } from "../media/metadata/metadata.ts";
import { readMetadata } from "../media/metadata/read-metadata.ts";

import { withLocated } from "./original.ts";
import { answerPlan, type PackagedAnswerDependencies, playableOf, textBody } from "./packaged-answer.ts";
import { reading } from "./reading.ts";
import { describe } from "./route-docs.ts";

const JSON_TYPE = "application/json";

/** `/stream/{titleId}/chapters`: `{items: [{startSeconds, endSeconds, name}]}`, in order; empty for most. */
export function addChapters(app: OpenAPIHono<HttpEnv>, dependencies: PackagedAnswerDependencies): void {
  describe(app, "/stream/{titleId}/chapters", ["titleId"], "The chapters of a title, perhaps none", JSON_TYPE);
  app.get("/stream/:titleId/chapters", async (c) => {
    const { playable, file } = await playableOf(c, dependencies);
    const { metadata, info } = playable.source;
    // What a scan has read is kept; of uploads nothing is, for nothing else asks for it.
    const { chapters } = metadata ?? (await reading(file, () => withLocated(file, readMetadata)));
    const body = textBody(JSON.stringify({ items: inOrder(chapters, info.durationSeconds) }));
    return answerPlan(c, { playable, file, contentType: JSON_TYPE, body, state: [] });
  });
}

/** Each lasts until the next begins. */
function inOrder(chapters: readonly Chapter[], durationSeconds: number) {
  const sorted = chapters
    .filter(({ startSeconds }) => startSeconds >= 0 && startSeconds < durationSeconds)
    .toSorted((a, b) => a.startSeconds - b.startSeconds);
  return sorted
    .map(({ startSeconds, name }, index) => ({
      startSeconds,
      endSeconds: sorted[index + 1]?.startSeconds ?? durationSeconds,
      name,
    }))
    .filter(({ startSeconds, endSeconds }) => endSeconds > startSeconds);
}

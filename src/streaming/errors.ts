import { ProblemError } from "../errors.ts";
import type { MediaInfo } from "./contract.ts";

/** 422 `not-a-video`: the bytes are no container that is known, or hold no video. */
export class NotAVideoError extends ProblemError {
  constructor(detail: string, cause?: unknown) {
    super("not-a-video", `This file is not a video Kinora can read. ${detail}`, { status: 422, cause });
  }
}

/** 422 `not-a-video`: the file can be read, but has no picture. */
export class SoundOnlyError extends ProblemError {
  constructor(cause?: unknown) {
    super("not-a-video", "This file is not a video: it has sound only, no picture.", { status: 422, cause });
  }
}

/** 422 `truncated`: the file ends before its content does. */
export class TruncatedError extends ProblemError {
  constructor(detail: string, cause?: unknown) {
    super("truncated", `This video is cut off: its end is missing. ${detail}`, { status: 422, cause });
  }
}

/** 422 `empty`: there are no bytes. */
export class EmptyError extends ProblemError {
  constructor() {
    super("empty", "This file is empty.", { status: 422 });
  }
}

/** 409 `conflict`: the finished upload is not the size it was announced with. */
export class SizeMismatchError extends ProblemError {
  constructor(expectedBytes: number, foundBytes: number) {
    super("conflict", `The upload should have ${expectedBytes} bytes, the file has ${foundBytes}.`, { status: 409 });
  }
}

/** 422 `not-packaged`: this file is not packaged for adaptive streaming; the original can be played. */
export class NotPackagedError extends ProblemError {
  constructor({ container, video, audio }: Pick<MediaInfo, "container" | "video" | "audio">) {
    const codecs = [...new Set([...(video ? [video.codec] : []), ...audio.map(({ codec }) => codec)])].join(" and ");
    const detail = `HLS and DASH are not available for ${container} files with ${codecs}. Play the original instead.`;
    super("not-packaged", detail, { status: 422 });
  }
}

/** 403 `quota-exceeded`: this user has as many streams as one may have. */
export class TooManyStreamsError extends ProblemError {
  constructor(max: number) {
    super("quota-exceeded", `You have ${max} streams already. Stop one of them first.`, { status: 403 });
  }
}

/** 422 `not-packaged`: RTP carries none of this file's codecs; the original can be played. */
export class NoRtpTrackError extends ProblemError {
  constructor() {
    super("not-packaged", "RTP carries neither picture nor sound of this video. Play the original instead.", {
      status: 422,
    });
  }
}

/** 403 `private-to-owner`: an admin asked for a link to what somebody else keeps private. */
export class PrivateToOwnerError extends ProblemError {
  constructor() {
    super("private-to-owner", "This is private: only its owner makes links to it. Its visibility can be changed.", {
      status: 403,
    });
  }
}

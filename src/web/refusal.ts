/** What a refused file is told as: of those that are no video, one with sound only has words of its own. */
export const refusalOf = (code: string, detail: string) =>
  code === "not-a-video" && detail.includes("sound only") ? "sound-only" : code;

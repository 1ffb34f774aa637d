/** A time as people write it, `90`, `1m30s`, `1:30` or `1:02:03`, in seconds; null for what is none. */
export function parseMoment(text: string | null): number | null {
  if (text === null) return null;
  const [, hours = "0", minutes = "0", seconds = "0"] =
    /^(?:(\d{1,3})h)?(?:(\d{1,4})m)?(?:(\d{1,6})s?)?$/.exec(text) ??
    /^(?:(\d{1,3}):)?(\d{1,2}):(\d{2})$/.exec(text) ??
    [];
  const found = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  return found > 0 ? found : null;
}

/** A text in pieces: those that name a time of the video, and what stands between. */
export function momentsIn(
  text: string,
  durationSeconds: number | null,
): readonly { readonly text: string; readonly seconds: number | null }[] {
  // The bracket keeps the times among the pieces.
  return text.split(/(?<![\d:])((?:\d{1,2}:)?\d{1,2}:\d{2})(?![\d:])/).map((piece, index) => {
    const seconds = index % 2 === 0 ? null : piece.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
    return { text: piece, seconds: seconds !== null && seconds <= (durationSeconds ?? 0) ? seconds : null };
  });
}

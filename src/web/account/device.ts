/** What a user agent says of a device, for people. */
export interface Device {
  /** `Firefox`, `kinora 0.1.0`; null when it says nothing we know. */
  readonly program: string | null;
  /** `macOS`, `Android`; null likewise. */
  readonly system: string | null;
}

// In this order: each names itself after those before it as well.
const programs: readonly (readonly [sign: RegExp, name: string])[] = [
  [/\bEdg(?:A|iOS)?\//, "Edge"],
  [/\bOPR\//, "Opera"],
  [/\bSamsungBrowser\//, "Samsung Internet"],
  [/\b(?:Firefox|FxiOS)\//, "Firefox"],
  [/\b(?:Chrome|CriOS|HeadlessChrome)\//, "Chrome"],
  [/\bSafari\//, "Safari"],
  [/^curl\//, "curl"],
];

const systems: readonly (readonly [sign: RegExp, name: string])[] = [
  [/iPhone/, "iPhone"],
  [/iPad/, "iPad"],
  [/Android/, "Android"],
  [/Windows|win32/, "Windows"],
  [/Macintosh|Mac OS X|darwin/, "macOS"],
  [/CrOS/, "ChromeOS"],
  [/Linux|linux/, "Linux"],
];

/** The program and system that a session was opened with. */
export function deviceOf(userAgent: string | null): Device {
  const text = userAgent ?? "";
  const own = /^kinora\/([\w.+-]+)/.exec(text)?.[1];
  const find = (table: typeof programs) => table.find(([sign]) => sign.test(text))?.[1] ?? null;
  return { program: own === undefined ? find(programs) : `kinora ${own}`, system: find(systems) };
}

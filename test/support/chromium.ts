import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium, type Page } from "playwright-core";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--autoplay-policy=no-user-gesture-required",
];

/**
 * Chromium without its own windows and tool bars: the same engine for half the work. The long run takes the whole program
 * everywhere, `npm test` where a suite asks for it.
 */
const SHELL = "chromium-headless-shell";
const isLong = process.env.KINORA_TEST_LONG === "1";

const programFor = (isWhole: boolean): string =>
  (isWhole || isLong ? null : Bun.which(SHELL)) ?? Bun.which("chromium") ?? "chromium";

export interface ViewOptions {
  readonly width?: number;
  readonly height?: number;
  readonly colorScheme?: "light" | "dark";
  /** A phone: touch, and scroll bars that take no room. */
  readonly phone?: boolean;
  /** The whole Chromium, not its shell alone. */
  readonly isWhole?: boolean;
}

/** One person's browser with a profile of its own, and everything that went wrong in it. */
export interface Browser {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Console errors, uncaught errors, policy violations and requests to other origins, as they came. */
  readonly troubles: readonly string[];
  /** Every URL that was asked for. */
  readonly requested: readonly string[];
  close(): Promise<void>;
}

/** Starts Debian's Chromium, headless. `expected` names console errors that belong to what is tested. */
export async function openBrowser(
  origin: string,
  { width = 1280, height = 800, colorScheme = "light", phone = false, isWhole = false }: ViewOptions = {},
  expected: readonly RegExp[] = [],
): Promise<Browser> {
  const profile = mkdtempSync(join(tmpdir(), "kinora-chromium-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: programFor(isWhole),
    args: FLAGS,
    headless: true,
    baseURL: origin,
    viewport: { width, height },
    colorScheme,
    isMobile: phone,
    hasTouch: phone,
    locale: "en-GB",
    acceptDownloads: true,
  });
  const troubles: string[] = [];
  const requested: string[] = [];
  const page = context.pages()[0] ?? (await context.newPage());
  page.setDefaultTimeout(15_000);
  page.on("pageerror", (error) => troubles.push(`uncaught: ${error.message}`));
  page.on("console", (message) => {
    const text = `${message.type()}: ${message.text()} ${message.location().url}`;
    if (message.type() !== "error" && !/Content Security Policy|Media Chrome/i.test(text)) return;
    // Chromium logs every 4xx. Asking who is signed in is answered with 401, a new name in the form with 404.
    if (/(401|404) .*\/api\/session$/.test(text) || expected.some((pattern) => pattern.test(text))) return;
    // A video without a picture keeps its cover.
    if (/\/stream\/[^/]+\/still(\?|$)/.test(text)) return;
    troubles.push(text);
  });
  context.on("request", (request) => {
    const url = request.url();
    requested.push(url);
    if (!url.startsWith(`${origin}/`) && !/^(data|blob|about):/.test(url)) troubles.push(`outside: ${url}`);
  });
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) =>
      console.error(`Content Security Policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`),
    );
  });
  return {
    page,
    context,
    troubles,
    requested,
    async close() {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}

/** Waits until `condition` gives something, asking again and again; fails with `what`, and what is `seen`, after `timeoutMs`. */
export async function eventually<T>(
  what: string,
  condition: () => Promise<T | null | undefined | false>,
  timeoutMs = 15_000,
  seen?: () => Promise<unknown>,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (performance.now() > deadline) {
      const state = seen ? `; it is ${JSON.stringify(await seen())}` : "";
      throw new Error(`did not happen within ${timeoutMs} ms: ${what}${state}`);
    }
    await Bun.sleep(50);
  }
}

/**
 * Turns the wheel and waits for the next picture, with what is there now in the document. Without that a busy browser is
 * scrolled past what somebody looks for before it has shown it.
 */
export async function turnWheel(page: Page, pixels: number): Promise<void> {
  await page.mouse.wheel(0, pixels);
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve))));
}

/** What the video element on the page says of itself. */
export function videoState(page: Page) {
  return page.evaluate(() => {
    const video = document.querySelector("video");
    if (!video) return null;
    return {
      currentTime: video.currentTime,
      duration: video.duration,
      paused: video.paused,
      seeking: video.seeking,
      readyState: video.readyState,
      frames: video.getVideoPlaybackQuality().totalVideoFrames,
      error: video.error?.message ?? null,
      delivery: document.querySelector<HTMLElement>(".player")?.dataset.delivery ?? null,
    };
  });
}

/** What is there once somebody is signed in. */
const accountButton = (page: Page) => page.getByRole("button", { name: /^Account of/ });

/** Fills the sign-in form as a person does; a new name gets its account. */
export async function enter(page: Page, username: string, password: string): Promise<void> {
  await page.getByLabel("Name", { exact: true }).fill(username);
  await page.getByLabel("Password", { exact: false }).first().fill(password);
  const again = page.getByLabel("Password, once more");
  // The first account of all is made at once.
  if (!(await again.isVisible())) await page.getByRole("button", { name: "Continue" }).click();
  await again.or(accountButton(page)).waitFor();
  if (!(await again.isVisible())) return;
  await again.fill(password);
  await page.getByRole("button", { name: "Create account" }).click();
  await accountButton(page).waitFor();
}

/** Signs out by the account menu, and waits for the sign-in page. */
export async function leave(page: Page): Promise<void> {
  await accountButton(page).click();
  const menu = page.getByRole("group", { name: /^Account of/ });
  await menu.getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL(/\/sign-in/);
}

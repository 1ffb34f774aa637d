/**
 * Takes `docs/screenshots/{page}-{width}-{scheme}.png` of every page, at 1280 and 390 px, light and dark, from a real
 * Kinora with made-up videos. Needs ffmpeg, Chromium and ImageMagick's `convert`, which makes the files small.
 * Arguments choose pages by name.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { buildWeb } from "../test/support/build-web.ts";
import { enter, eventually, openBrowser, videoState } from "../test/support/chromium.ts";
import { fixture } from "../test/support/fixtures.ts";
import { startTestKinora, TestUser } from "../test/support/kinora.ts";
import { accountScenes, enterAsAdmin, fillAccounts } from "./account-scenes.ts";
import { film, sceneries } from "./scenery.ts";

const target = join(import.meta.dir, "..", "docs", "screenshots");
const PASSWORD = "correct horse battery";
const COLOURS = 200;
/** Bytes per second at which an upload of a minute's video lasts until the next picture was taken. */
const SLOW = 250_000;
const DAWN = "Filmed from the breakwater on the first calm morning in March.\nThe ferry comes in at the end.";
const MINE = `${DAWN}\nThe wind came up an hour later.`;
const THEIRS =
  "Filmed from the breakwater, looking east.\n\n00:00 First light\n00:04 The gulls\n00:08 The ferry comes in";
const sizes = [
  { width: 1280, height: 800, phone: false },
  { width: 390, height: 844, phone: true },
] as const;

interface Scene {
  readonly page: Page;
  /** Title ids by name. */
  readonly ids: ReadonlyMap<string, string>;
  readonly collectionId: string;
  readonly emptyId: string;
  throttle(bytesPerSecond: number): Promise<void>;
}

/** Before anybody has an account. */
const emptyScenes: Readonly<Record<string, (scene: Pick<Scene, "page">) => Promise<void>>> = {
  "first-visit": async ({ page }) => {
    await page.goto("/");
    await page.getByRole("button", { name: "Create account" }).waitFor();
  },
};

/** What is shown, in the order it is taken; the first two to nobody who is signed in. */
const scenes: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
  "sign-in": async ({ page }) => {
    await page.goto("/sign-in");
    await page.getByRole("button", { name: "Continue" }).waitFor();
  },
  "sign-in-new": async ({ page }) => {
    await page.goto("/sign-in");
    await page.getByLabel("Name", { exact: true }).fill("ingrid");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByLabel("Password, once more").waitFor();
    await page.getByLabel("Password, once more").fill("another one");
    await page.getByRole("button", { name: "Create account" }).click();
    await page.getByRole("alert").filter({ hasText: "not the same" }).waitFor();
  },
  upload: async ({ page }) => {
    await page.goto("/sign-in");
    await enter(page, "maria", PASSWORD);
    await page.goto("/upload");
    await page.getByRole("heading", { name: "Upload" }).waitFor();
  },
  "upload-running": async ({ page, throttle }) => {
    await page.goto("/upload");
    await throttle(SLOW);
    const files = await Promise.all([fixture("h264-aac-60s.mp4"), fixture("h264-aac-60s.mkv")]);
    await page.locator("input[type=file]").setInputFiles(files);
    await page.getByRole("button", { name: /^Upload/ }).click();
    await page.getByText(/s left/).waitFor();
    await eventually("some is sent", async () =>
      page.getByRole("progressbar").evaluate((bar: HTMLProgressElement) => bar.position > 0.1),
    );
  },
  "upload-unfinished": async ({ page, throttle }) => {
    page.once("dialog", (dialog) => void dialog.accept());
    await page.goto("/upload");
    await throttle(-1);
    const notVideo = { name: "shopping list.mp4", mimeType: "video/mp4", buffer: Buffer.alloc(20_000, "milk, ") };
    await page.locator("input[type=file]").setInputFiles(notVideo);
    await page.getByRole("button", { name: /^Upload/ }).click();
    await page.getByRole("alert").waitFor();
    const discard = page.getByRole("button", { name: "Discard h264-aac-60s.mp4" });
    await discard.waitFor();
    await discard.scrollIntoViewIfNeeded();
  },
  "videos-empty": async ({ page }) => {
    await page.getByRole("button", { name: /^Discard/ }).click();
    await page.getByRole("heading", { name: "Unfinished" }).waitFor({ state: "detached" });
    await page.goto("/videos?tag=nothing-has-this");
    await page.getByRole("heading", { name: "Nothing fits" }).waitFor();
  },
  videos: async ({ page }) => {
    await page.goto("/videos");
    await page.getByRole("radio", { name: "Harbour at dawn" }).press("Space");
    await page.mouse.move(0, 0);
  },
  select: async ({ page }) => {
    await page.getByRole("button", { name: "Select", exact: true }).click();
    await page.getByRole("checkbox", { name: /^Select Harbour/ }).check();
    await page.getByRole("checkbox", { name: /^Select Concert/ }).check();
    await page.mouse.move(0, 0);
  },
  "add-to-collection": async ({ page }) => {
    await page.getByRole("button", { name: "Add to collection" }).click();
    await page.getByRole("dialog").getByText("Summer at the coast").waitFor();
  },
  notice: async ({ page }) => {
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Who may see it" }).click();
    await page.getByRole("button", { name: "Members" }).click();
    await page.getByText(/videos? changed/).waitFor();
    await page.locator(".play-bar:not(.select-bar)").waitFor();
  },
  library: async ({ page }) => {
    const dismiss = page.getByRole("button", { name: "Dismiss" });
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByText(/as (it was|they were)/).waitFor();
    for (let left = await dismiss.count(); left > 0; left--) await dismiss.last().click();
    await page.goto("/library");
    await page.getByText("Harbour at dawn").first().waitFor();
  },
  "library-filters": async ({ page }) => {
    await page.goto("/library?tag=sea&maxDuration=300");
    await page.getByRole("button", { name: "Filters" }).click();
    await page.getByText("Over an hour").waitFor();
  },
  "select-all": async ({ page }) => {
    await page.goto("/library");
    await page.getByText("Harbour at dawn").first().waitFor();
    await page.getByRole("button", { name: "Select", exact: true }).click();
    await page.getByRole("button", { name: "Select all" }).click();
    await page.getByText(/^[1-9] selected/).waitFor();
    await page.mouse.move(0, 0);
  },
  "not-found": async ({ page }) => {
    await page.goto("/nothing/here");
    await page.getByRole("heading", { name: "There is no such page" }).waitFor();
  },
  "account-menu": async ({ page }) => {
    await page.goto("/collections");
    await page.getByText("Summer at the coast").waitFor();
    await page.getByRole("button", { name: "Account of maria" }).click();
    await page.getByRole("button", { name: "Sign out" }).waitFor();
  },
  collections: async ({ page }) => {
    await page.goto("/collections");
    await page.getByText("Summer at the coast").waitFor();
  },
  collection: async ({ page, collectionId }) => {
    await page.goto(`/collections/${collectionId}`);
    await page.getByText("Harbour at dawn").waitFor();
  },
  "collection-empty": async ({ page, emptyId }) => {
    await page.goto(`/collections/${emptyId}`);
    await page.getByText("Nothing in it yet").waitFor();
  },
  "collection-choose": async ({ page }) => {
    await page.getByRole("link", { name: "Add videos" }).click();
    await page.getByRole("checkbox", { name: /^Select Concert/ }).check();
    await page.mouse.move(0, 0);
    await page.getByRole("button", { name: "Add 1 video" }).waitFor();
  },
  "collection-share": async ({ page, collectionId }) => {
    await page.goto(`/collections/${collectionId}`);
    await page.getByRole("button", { name: "Share" }).click();
    await page.getByRole("button", { name: "Make a link" }).click();
    await page.getByRole("textbox", { name: "Link" }).waitFor();
  },
  watch: async ({ page, ids }) => {
    await page.goto(`/watch/${ids.get("Harbour at dawn")}`);
    await page.locator("video").evaluate((video: HTMLVideoElement) => {
      video.muted = true;
    });
    await eventually("it plays", async () => ((await videoState(page))?.currentTime ?? 0) > 2);
    await page.locator("video").evaluate((video: HTMLVideoElement) => video.pause());
    await page.getByText("Resumed at").waitFor({ state: "detached" });
  },
  "watch-settings": async ({ page }) => {
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByText("Subtitles: size").waitFor();
  },
  "watch-keys": async ({ page }) => {
    await page.getByRole("button", { name: "Keyboard shortcuts" }).click();
    await page.getByRole("dialog").waitFor();
  },
  "watch-share": async ({ page }) => {
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Share" }).click();
    await page.getByRole("button", { name: "Make a link" }).click();
    await page.getByRole("textbox", { name: "Link" }).waitFor();
  },
  "watch-share-players": async ({ page }) => {
    const players = page.getByText("For VLC and other players");
    await players.click();
    await players.scrollIntoViewIfNeeded();
  },
  "watch-details": async ({ page }) => {
    await page.keyboard.press("Escape");
    const details = page.getByText("Details of the file");
    await details.click();
    await page.getByText("In Kinora's own storage").scrollIntoViewIfNeeded();
  },
  "watch-edit": async ({ page }) => {
    await page.getByRole("button", { name: "Edit" }).click();
    await page.getByRole("button", { name: "Save" }).scrollIntoViewIfNeeded();
  },
  "watch-conflict": async ({ page, ids }) => {
    const form = page.getByRole("form", { name: "Edit" });
    await form.getByLabel("Name").fill("Harbour at dawn, in March");
    await form.getByLabel("Description").fill(MINE);
    const path = `/api/titles/${ids.get("Harbour at dawn")}`;
    await patch(page, path, { name: "Harbour, first light", description: THEIRS });
    await form.getByRole("button", { name: "Save" }).click();
    const conflict = form.getByRole("alert").filter({ hasText: "Somebody else changed this" });
    await conflict.waitFor();
    // The pictures after this one show what was.
    await patch(page, path, { name: "Harbour at dawn", description: DAWN });
    await conflict.evaluate((element) => element.scrollIntoView({ block: "center" }));
  },
  account: async ({ page }) => {
    await page.goto("/account");
    await page.getByRole("heading", { name: "Change password" }).waitFor();
  },
  "watch-collection": async ({ page, ids, collectionId }) => {
    await page.goto(`/watch/${ids.get("Harbour at dawn")}?collection=${collectionId}`);
    await page.getByRole("region", { name: /^Collection/ }).waitFor();
    await pauseAt(page, 4);
    await page.getByRole("region", { name: /^Collection/ }).scrollIntoViewIfNeeded();
  },
  "watch-next": async ({ page }) => {
    await page.evaluate(() => scrollTo(0, 0));
    await page.locator("video").evaluate((video: HTMLVideoElement) => {
      video.currentTime = video.duration - 0.1;
      void video.play();
    });
    await page.getByRole("status").filter({ hasText: "Next" }).waitFor();
  },
  "watch-chapters": async ({ page, ids }) => {
    await page.goto(`/watch/${ids.get("A walk in two parts")}`);
    await page.getByRole("navigation", { name: "Chapters" }).waitFor();
    await pauseAt(page, 1);
  },
  "watch-by-link": async ({ page, ids }) => {
    const titleId = ids.get("Grandmother tells of the winter of 1962");
    const address = await page.evaluate(async (id) => {
      const headers = { "Content-Type": "application/json" };
      const made = await fetch("/api/links", { method: "POST", headers, body: JSON.stringify({ titleId: id }) });
      return ((await made.json()) as { pageUrl: string }).pageUrl;
    }, titleId);
    await page.goto(address);
    await pauseAt(page, 2);
  },
  "watch-gone": async ({ page }) => {
    await page.goto("/watch/01890a5d-ac96-774b-bcce-b302099a8057");
    await page.getByRole("heading", { name: "This video cannot be shown" }).waitFor();
  },
  "watch-undecodable": async ({ page, ids }) => {
    await page.goto(`/watch/${ids.get("Drone over the fells")}`);
    await page.getByRole("alert").waitFor();
  },
};

/** Changes something as if by somebody else. */
async function patch(page: Page, path: string, changes: object): Promise<void> {
  const status = await page.evaluate(
    async ([path, body]) => {
      const headers = { "Content-Type": "application/json" };
      return (await fetch(path, { method: "PATCH", headers, body })).status;
    },
    [path, JSON.stringify(changes)] as const,
  );
  if (status !== 200) throw new Error(`PATCH ${path} answered ${status}`);
}

/** Shows the picture at a time, with the controls. */
async function pauseAt(page: Page, seconds: number): Promise<void> {
  await eventually("it plays", async () => ((await videoState(page))?.currentTime ?? 0) > 0.2);
  await page.locator("video").evaluate((video: HTMLVideoElement, time) => {
    video.pause();
    video.currentTime = time;
  }, seconds);
  await page.getByText("Resumed at").waitFor({ state: "detached" });
}

type Films = Readonly<Record<keyof typeof sceneries, string>>;

/** Something calmer to look at than test cards. */
async function filmAll(folder: string): Promise<Films> {
  const chapters = join(folder, "chapters.txt");
  const chapter = (start: number, end: number, name: string) =>
    `[CHAPTER]\nTIMEBASE=1/1\nSTART=${start}\nEND=${end}\ntitle=${name}\n`;
  await Bun.write(chapters, `;FFMETADATA1\n${chapter(0, 4, "Through the wood")}${chapter(4, 10, "Along the ridge")}`);
  const made = Object.entries(sceneries).map(async ([name, scenery]) => {
    const path = await film(folder, name, scenery, name === "mountains" ? { chapters } : {});
    return [name, path] as const;
  });
  return Object.fromEntries(await Promise.all(made)) as Films;
}

async function fill(kinora: { url: string }, films: Films): Promise<Map<string, string>> {
  const maria = await TestUser.signIn(kinora, "maria", PASSWORD);
  const jonas = await TestUser.signIn(kinora, "jonas", PASSWORD);
  const give = async (
    who: TestUser,
    file: string,
    name: string,
    tags: string[],
    visibility: string,
    description = "",
  ) => {
    const { id } = await who.upload(file, { name, tags });
    await who.send("PATCH", `/api/titles/${id}`, { visibility, ...(description ? { description } : {}) });
    return [name, id] as const;
  };
  const h265 = await fixture("h265-aac.mp4");
  return new Map([
    await give(maria, films.mountains, "A walk in two parts", ["mountains"], "private"),
    await give(jonas, films.beach, "First steps in the sand", ["family", "sea"], "members"),
    await give(maria, films.town, "Concert in the old town hall", ["music"], "public"),
    await give(jonas, films.sail, "Sailing lesson, second day", ["sea", "sailing"], "members"),
    await give(maria, h265, "Drone over the fells", ["mountains"], "private"),
    await give(maria, films.winter, "Grandmother tells of the winter of 1962", ["family", "interview"], "private"),
    await give(maria, films.dawn, "Harbour at dawn", ["sea", "holiday 2026"], "members", DAWN),
  ]);
}

/** A collection of a few of them, one begun and one liked. */
async function collect(kinora: { url: string }, ids: ReadonlyMap<string, string>) {
  const maria = await TestUser.signIn(kinora, "maria", PASSWORD);
  const names = ["Harbour at dawn", "Sailing lesson, second day", "First steps in the sand"];
  const make = async (name: string) =>
    ((await (await maria.post("/api/collections", { name })).json()) as { id: string }).id;
  const id = await make("Summer at the coast");
  await maria.post(`/api/collections/${id}/titles`, { titleIds: names.map((name) => ids.get(name)) });
  const emptyId = await make("Evenings with music");
  await maria.send("PUT", `/api/titles/${ids.get(names[1] ?? "")}/progress`, { positionSeconds: 6 });
  await maria.send("PUT", `/api/titles/${ids.get(names[0] ?? "")}/favourite`);
  return { collectionId: id, emptyId };
}

async function shoot(page: Page, name: string): Promise<void> {
  const path = join(target, `${name}.png`);
  await page.evaluate(() => document.fonts.ready);
  // Those that can be had are there within a moment.
  const pictures = page.locator(".still:not(:has([data-whole]))");
  for (let tries = 0; tries < 20 && (await pictures.count()) > 0; tries++) await page.waitForTimeout(100);
  await page.waitForTimeout(250);
  await page.screenshot({ path, animations: "disabled", caret: "hide" });
  const convert = [
    "convert",
    path,
    "-dither",
    name.startsWith("watch") ? "FloydSteinberg" : "None",
    "-colors",
    String(COLOURS),
    "-define",
    "png:compression-level=9",
    `PNG8:${path}`,
  ];
  if ((await Bun.spawn(convert).exited) !== 0) throw new Error(`convert failed for ${path}`);
}

const chosen = Bun.argv.slice(2);
/** These scenes need none of the others before them. */
const noAccounts = chosen.length > 0 && !chosen.some((name) => name in accountScenes);
const onlyAccounts = chosen.length > 0 && chosen.every((name) => name in accountScenes);
await buildWeb();
mkdirSync(target, { recursive: true });
const media = mkdtempSync(join(tmpdir(), "kinora-sky-"));
const films = await filmAll(media);
for (const size of sizes) {
  for (const colorScheme of ["light", "dark"] as const) {
    const data = mkdtempSync(join(tmpdir(), "kinora-screenshots-"));
    const kinora = await startTestKinora({ data });
    const browser = await openBrowser(kinora.url, { ...size, colorScheme, isWhole: true }, [/./]);
    const network = await browser.context.newCDPSession(browser.page);
    await network.send("Network.enable");
    const throttle = async (uploadThroughput: number) => {
      const conditions = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput };
      await network.send("Network.emulateNetworkConditions", conditions);
    };
    try {
      const take = async (name: string) => {
        if (chosen.length > 0 && !chosen.includes(name)) return;
        await shoot(browser.page, `${name}-${size.width}-${colorScheme}`);
      };
      for (const [name, show] of Object.entries(emptyScenes)) {
        await show(browser);
        await take(name);
      }
      const ids = await fill(kinora, films);
      const collections = await collect(kinora, ids);
      for (const [name, show] of onlyAccounts ? [] : Object.entries(scenes)) {
        await show({ page: browser.page, ids, ...collections, throttle });
        await take(name);
      }
      if (onlyAccounts) await enterAsAdmin(browser.page, PASSWORD);
      if (noAccounts) continue;
      await fillAccounts(kinora, PASSWORD);
      for (const [name, show] of Object.entries(accountScenes)) {
        if (onlyAccounts && !chosen.includes(name)) continue;
        await show({ page: browser.page, kinora, password: PASSWORD });
        await take(name);
      }
    } finally {
      await browser.close();
      await kinora.close();
      rmSync(data, { recursive: true, force: true });
    }
  }
}
rmSync(media, { recursive: true, force: true });

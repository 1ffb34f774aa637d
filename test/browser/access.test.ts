import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cpus } from "node:os";
import type { Page } from "playwright-core";
import { faultsOf } from "../support/axe.ts";
import { buildWeb } from "../support/build-web.ts";
import { type Browser, enter, eventually, openBrowser, videoState } from "../support/chromium.ts";
import { has } from "../support/debian.ts";
import { fixture } from "../support/fixtures.ts";
import { startTestKinora, type TestKinora, TestUser } from "../support/kinora.ts";

const PASSWORD = "correct horse battery";
const isLong = process.env.KINORA_TEST_LONG === "1";

/** Widths in px, light and dark. */
const looks = [
  [1280, "light"],
  [390, "dark"],
  ...(isLong
    ? ([
        [1280, "dark"],
        [390, "light"],
        [320, "dark"],
        [2560, "light"],
      ] as const)
    : []),
] as const;

/** Each page and state: how one comes there. Those that begin with `/` are addresses. */
type Steps = (page: Page) => Promise<unknown>;

describe.skipIf(!has("chromium", "ffmpeg"))("for everybody, axe finds nothing on", () => {
  let kinora: TestKinora;
  let collectionId = "";
  let emptyId = "";
  const ids: string[] = [];
  let browser: Browser | undefined;
  const pages: { readonly look: string; readonly page: Page }[] = [];
  const began = performance.now();
  const faults: string[] = [];
  let looked = 0;

  beforeAll(async () => {
    await buildWeb();
    kinora = await startTestKinora();
    const maria = await TestUser.signIn(kinora, "maria", PASSWORD);
    const file = await fixture("h264-only.mp4");
    for (const name of ["Harbour at dawn", "Concert", "Night train to Lisbon"])
      ids.push((await maria.upload(file, { name, tags: ["sea", "family"] })).id);
    for (const name of ["h264-chapters.mp4", "h265-aac.mp4"] as const)
      ids.push((await maria.upload(await fixture(name))).id);
    await maria.send("PUT", `/api/titles/${ids[0]}/progress`, { positionSeconds: 2 });
    await maria.send("PUT", `/api/titles/${ids[1]}/favourite`);
    const make = async (name: string) =>
      ((await (await maria.post("/api/collections", { name })).json()) as { id: string }).id;
    collectionId = await make("Summer");
    emptyId = await make("Winter");
    await maria.post(`/api/collections/${collectionId}/titles`, { titleIds: ids });
    browser = await openBrowser(kinora.url);
    await browser.page.goto("/sign-in");
    await enter(browser.page, "maria", PASSWORD);
    const storageState = await browser.context.storageState();
    for (const [width, colorScheme] of looks) {
      // A window each: a tab that is not in front is drawn once a second. In the middle of a change colours are
      // neither what they were nor what they will be.
      const own = { viewport: { width, height: 800 }, colorScheme, reducedMotion: "reduce" } as const;
      const context = await browser.context
        .browser()
        ?.newContext({ baseURL: kinora.url, locale: "en-GB", storageState, ...own });
      const page = await context?.newPage();
      if (!page) throw new Error("there is no browser to open a window of");
      page.setDefaultTimeout(30_000);
      pages.push({ look: `${width} px, ${colorScheme}`, page });
    }
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await kinora?.close();
    if (isLong) await keepResult();
  });

  const open = (page: Page, path: string) => page.goto(path).then(() => page.locator("h1").waitFor());
  const press = (page: Page, name: string | RegExp) => page.getByRole("button", { name, exact: true }).click();
  const inList = async (page: Page, path: string) => {
    await open(page, path);
    await page.locator(".cell").first().waitFor();
  };
  const states: readonly (readonly [string, Steps])[] = [
    ["the library", (page) => inList(page, "/library")],
    ["its filters", (page) => press(page, "Filters").then(() => page.getByText("Over an hour").waitFor())],
    ["my videos", (page) => inList(page, "/videos")],
    ["my videos, one chosen", (page) => page.getByRole("radio", { name: "Concert" }).press("Space")],
    [
      "my videos, some selected",
      async (page) => {
        await press(page, "Select");
        await page.getByRole("checkbox", { name: /Concert/ }).check();
        await page.getByText("1 selected").waitFor();
      },
    ],
    [
      "the tag dialog",
      async (page) => {
        await press(page, "Tag");
        await page.getByRole("dialog").waitFor();
      },
    ],
    [
      "the collection dialog",
      async (page) => {
        await page.keyboard.press("Escape");
        await press(page, "Add to collection");
        await page.getByRole("dialog").getByText("Summer").waitFor();
      },
    ],
    ["an empty list", (page) => open(page, "/videos?tag=nothing").then(() => page.getByText("Nothing fits").waitFor())],
    ["the collections", (page) => open(page, "/collections").then(() => page.getByText("Summer").waitFor())],
    [
      "the library, to choose for a collection",
      async (page) => {
        await open(page, `/library?collect=${collectionId}`);
        await page.getByText("Choose videos for").waitFor();
        await page.getByRole("checkbox", { name: /Concert/ }).check();
      },
    ],
    [
      "a collection, with a notice",
      async (page) => {
        await press(page, /^Add 1 video/);
        await page.locator(".notice").waitFor();
        await page.getByRole("heading", { name: "Summer" }).waitFor();
      },
    ],
    ["an empty collection", (page) => open(page, `/collections/${emptyId}`)],
    ["a collection", (page) => open(page, `/collections/${collectionId}`)],
    ["its share dialog", (page) => press(page, "Share").then(() => page.getByRole("dialog").waitFor())],
    ["the upload page", (page) => open(page, "/upload")],
    [
      "the upload page with a file chosen",
      (page) =>
        page
          .locator("input[type=file]")
          .setInputFiles({ name: "a.mp4", mimeType: "video/mp4", buffer: Buffer.alloc(9) }),
    ],
    ["the account page", (page) => open(page, "/account")],
    [
      "the account menu",
      async (page) => {
        await press(page, "Account of maria");
        await page.getByRole("button", { name: "Sign out" }).first().waitFor();
      },
    ],
    [
      "a video of a collection",
      async (page) => {
        await open(page, `/watch/${ids[1]}?collection=${collectionId}`);
        await page.getByRole("region", { name: "Collection: Summer" }).waitFor();
        // What has not been loaded yet begins to play all the same, and after its end the next one.
        await eventually("it plays", async () => ((await videoState(page))?.currentTime ?? 0) > 0, 30_000);
        await page.locator("video").evaluate((video: HTMLVideoElement) => video.pause());
      },
    ],
    ["its settings", (page) => press(page, "Settings").then(() => page.getByText("Subtitles: size").waitFor())],
    ["its shortcuts", (page) => press(page, "Keyboard shortcuts").then(() => page.getByRole("dialog").waitFor())],
    [
      "its details",
      async (page) => {
        await page.keyboard.press("Escape");
        await page.getByText("Details of the file").click();
        await page.getByText("In Kinora's own storage").waitFor();
      },
    ],
    [
      "its share dialog, with a link",
      async (page) => {
        await press(page, "Share");
        await press(page, "Make a link");
        await page.getByText("For VLC and other players").click();
        await page.getByRole("textbox", { name: "HLS" }).waitFor();
      },
    ],
    ["its editor", (page) => page.keyboard.press("Escape").then(() => press(page, "Edit"))],
    [
      "its end, with what comes next",
      async (page) => {
        await press(page, "Cancel");
        await page.locator("video").evaluate((video: HTMLVideoElement) => {
          video.currentTime = video.duration - 0.1;
          void video.play();
        });
        await page.getByRole("status").filter({ hasText: "Next" }).waitFor();
      },
    ],
    [
      "a video with chapters",
      (page) => open(page, `/watch/${ids[3]}`).then(() => page.getByRole("button", { name: /One/ }).waitFor()),
    ],
    [
      "a video that the browser cannot decode",
      (page) => open(page, `/watch/${ids[4]}`).then(() => page.getByRole("alert").waitFor()),
    ],
    ["a video that is not there", (page) => open(page, "/watch/01890a5d-ac96-774b-bcce-b302099a8057")],
    ["a page that is not there", (page) => open(page, "/collections/none")],
  ];

  /** In all looks at once, each in its own window. */
  async function look(state: string, steps: Steps): Promise<void> {
    const found = await Promise.all(
      pages.map(async ({ look, page }) => {
        await steps(page);
        return (await faultsOf(page)).map((fault) => `${state}, ${look}: ${fault}`);
      }),
    );
    faults.push(...found.flat());
    looked += found.length;
    expect(found.flat()).toEqual([]);
  }

  test.each(states)("%s", look);

  test("the sign-in page", async () => {
    await look("the sign-in page", async (page) => {
      await page.context().clearCookies();
      await open(page, "/sign-in");
    });
  });

  /** The long run's figures, dated. */
  async function keepResult(): Promise<void> {
    const date = new Date().toISOString().slice(0, 10);
    const seconds = Math.round((performance.now() - began) / 1000);
    const list = faults.length === 0 ? "None." : faults.map((fault) => `- ${fault}`).join("\n");
    const text = `# What axe finds on the pages, ${date}

${states.length + 1} pages and states of the web app, each in ${looks.length} looks (${pages.map(({ look }) => look).join("; ")}): ${looked} runs of
axe-core, WCAG 2.2 A and AA and its good practices, in ${seconds} s on ${cpus().length} cores.

## Faults

${list}
`;
    await Bun.write(new URL(`../../bench/results/access-${date}.md`, import.meta.url), text);
  }
});

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { faultsOf } from "../support/axe.ts";
import { buildWeb } from "../support/build-web.ts";
import { type Browser, enter, openBrowser } from "../support/chromium.ts";
import { has } from "../support/debian.ts";
import { fixture } from "../support/fixtures.ts";
import { startTestKinora, type TestKinora, TestUser } from "../support/kinora.ts";

const PASSWORD = "correct horse battery";

/** Each page and state: how one comes there. Those that begin with `/` are addresses. */
type Steps = (page: Page) => Promise<unknown>;

describe.skipIf(!has("chromium", "ffmpeg"))("for everybody, axe finds nothing on", () => {
  let kinora: TestKinora;
  let collectionId = "";
  let emptyId = "";
  const ids: string[] = [];
  const browsers: Browser[] = [];

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
    const long = process.env.KINORA_TEST_LONG
      ? ([
          [1280, "dark"],
          [390, "light"],
          [320, "dark"],
          [2560, "light"],
        ] as const)
      : [];
    for (const [width, colorScheme] of [[1280, "light"], [390, "dark"], ...long] as const) {
      const browser = await openBrowser(kinora.url, { width, colorScheme });
      browsers.push(browser);
      // In the middle of a change colours are neither what they were nor what they will be.
      await browser.page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await browser.page.goto("/sign-in");
      await enter(browser.page, "maria", PASSWORD);
    }
  }, 60_000);
  afterAll(async () => {
    for (const browser of browsers) await browser.close();
    await kinora?.close();
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

  test.each(states)("%s", async (_, steps) => {
    for (const { page } of browsers) {
      await steps(page);
      expect(await faultsOf(page)).toEqual([]);
    }
  });

  test("the sign-in page", async () => {
    for (const { page, context } of browsers) {
      await context.clearCookies();
      await open(page, "/sign-in");
      expect(await faultsOf(page)).toEqual([]);
    }
  });
});

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { buildWeb } from "../support/build-web.ts";
import { type Browser, enter, eventually, leave, openBrowser, turnWheel, videoState } from "../support/chromium.ts";
import { has } from "../support/debian.ts";
import { type FixtureName, fixture } from "../support/fixtures.ts";
import { startTestKinora, type TestKinora, TestUser } from "../support/kinora.ts";

const PASSWORD = "correct horse battery";

describe.skipIf(!has("chromium", "ffmpeg"))("where things are not plain, the web app", () => {
  let kinora: TestKinora;
  let maria: TestUser;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    await buildWeb();
    kinora = await startTestKinora();
    maria = await TestUser.signIn(kinora, "maria", PASSWORD);
    // Refused sign-ins and titles that are not there are what is tested here.
    // So is whatever a page asks for at the moment when its session ends: the list, its folders, the events.
    const expected = [
      /(401|429) .*\/api\/session/,
      /401 .*\/api\/(titles|folders|events)/,
      /404 .*\/api\/titles/,
      /404 .*\/films$/,
    ];
    browser = await openBrowser(kinora.url, {}, expected);
    page = browser.page;
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await kinora?.close();
  });

  const give = async (name: FixtureName) => (await maria.upload(await fixture(name))).id;
  const asked = (id: string, what: string) =>
    browser.requested.filter((url) => url === `${kinora.url}/stream/${id}${what}`).length;
  const alert = (text: string | RegExp) => page.getByRole("alert").filter({ hasText: text }).waitFor();

  test("has a page for addresses that do not exist, which leads on and asks nobody to sign in first", async () => {
    expect((await page.goto("/films"))?.status()).toBe(404);
    await page.getByRole("heading", { name: "There is no such page" }).waitFor();
    expect(await page.title()).toBe("There is no such page · Kinora");
    await page.getByRole("link", { name: "start page", exact: true }).click();
    await page.getByLabel("Password").waitFor();
  });

  test("says that the two passwords of a new account differ", async () => {
    await page.goto("/sign-in");
    await page.getByLabel("Name", { exact: true }).fill("newcomer");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByText("Nobody is called “newcomer” yet").waitFor();
    await page.getByLabel("Password, once more").fill("something else");
    await page.getByRole("button", { name: "Create account" }).click();
    await alert("The two passwords are not the same");
    expect((await new TestUser(kinora).get("/api/session")).status).toBe(401);
  });

  test("says that name and password do not fit, and how long to wait after too many attempts", async () => {
    await page.goto("/sign-in");
    await page.getByLabel("Name", { exact: true }).fill("somebody");
    await TestUser.signIn(kinora, "somebody", PASSWORD);
    const button = page.getByRole("button", { name: "Continue" });
    const attempt = async () => {
      await page.getByLabel("Password").fill("not the password");
      await button.click();
    };
    await attempt();
    await alert("do not fit");
    for (let attempts = 0; attempts < 50; attempts++) {
      if (await page.getByText("Too many attempts").isVisible()) break;
      await eventually(
        "the form is ready again",
        async () => (await button.isEnabled()) || page.getByText("Too many").isVisible(),
      );
      if (await button.isEnabled()) await attempt();
    }
    await alert(/Too many attempts\. Try again in \d+ s\./);
    expect(await button.isDisabled()).toBe(true);
  });

  test("sends nobody to another site after sign-in", async () => {
    await page.goto("/sign-in?next=https://evil.test/");
    await enter(page, "maria", PASSWORD);
    await page.waitForURL(/\/(videos|upload)$/);
    await page.goto("/sign-in?next=//evil.test/");
    await page.waitForURL(/\/(videos|upload)$/);
  });

  test("says which codec the browser cannot decode, and offers the original", async () => {
    const id = await give("h265-aac.mp4");
    await page.goto(`/watch/${id}`);
    await alert("This browser cannot decode H.265 (HEVC) video");
    const download = page.waitForEvent("download");
    await page.getByRole("link", { name: "Download the original" }).click();
    expect((await download).url()).toBe(`${kinora.url}/stream/${id}/original`);
    await page.getByRole("button", { name: "Try anyway" }).click();
    await alert(/cannot (decode|play) .*H\.265 \(HEVC\)/);
    await page.getByRole("button", { name: "Try again" }).waitFor();
  });

  test("plays the sound of MP4 with MP3, which segments would lose", async () => {
    await page.goto(`/watch/${await give("h264-mp3.mp4")}`);
    const heard = () =>
      page.evaluate(() => {
        const video = document.querySelector<HTMLVideoElement & { webkitAudioDecodedByteCount?: number }>("video");
        return video?.webkitAudioDecodedByteCount ?? 0;
      });
    await eventually("sound is decoded", async () => (await heard()) > 0);
    expect((await videoState(page))?.delivery).toBe("progressive");
  });

  test.each([
    ["vp9-opus.webm", "hls"],
    ["h264-aac.mkv", "hls"],
    ["h264-aac.ts", "hls"],
    // No segments are asked for where there are none, or where they would be silent.
    ["vp8-opus.webm", "progressive"],
    ["vp9-vorbis.webm", "progressive"],
    // No browser opens the file, none decodes the sound: the picture plays.
    ["h264-ac3.ts", "hls"],
  ] as const)("plays %s by %s", async (name, delivery) => {
    const id = await give(name);
    await page.goto(`/watch/${id}`);
    const state = await eventually("it plays", async () => {
      const now = await videoState(page);
      return now && now.currentTime > 0.5 && now;
    });
    expect(state).toMatchObject({ error: null, delivery });
    expect(asked(id, "/hls/master.m3u8")).toBe(delivery === "hls" ? 1 : 0);
  });

  test("says that the sound of a video cannot be decoded while its picture plays", async () => {
    await page.getByRole("status").filter({ hasText: "does not decode AC-3 (Dolby Digital) audio" }).waitFor();
  });

  test("shows the same length in the list and in the player, and the whole of it at the end", async () => {
    const id = await give("h264-aac-3.72s.mp4");
    await page.goto(`/videos?selected=${id}`);
    expect(
      await page
        .locator(".row", { has: page.locator(`[value="${id}"]`) })
        .locator(".cover-length")
        .textContent(),
    ).toBe("0:04");
    await page.goto(`/watch/${id}`);
    await page.getByText(/^0:0\d \/ 0:04$/).waitFor({ state: "attached" });
    await page.getByText("0:04 / 0:04", { exact: true }).waitFor({ state: "attached" });
  });

  test("resumes with a way back to the beginning; seen to the end, it begins anew and says nothing", async () => {
    const id = await give("h264-aac-60s.mp4");
    const openAt = async (positionSeconds: number) => {
      await maria.send("PUT", `/api/titles/${id}/progress`, { positionSeconds });
      await page.goto(`/watch/${id}`);
      await eventually("it plays", async () => ((await videoState(page))?.currentTime ?? 0) > 0.3);
    };
    await openAt(30);
    await page.getByText("Resumed at 0:30 ·").waitFor();
    await page.getByRole("button", { name: "Start again" }).click();
    await eventually("it is at the beginning", async () => ((await videoState(page))?.currentTime ?? 99) < 5);
    expect(await page.getByText("Resumed at").count()).toBe(0);
    await openAt(59);
    expect((await videoState(page))?.currentTime).toBeLessThan(5);
    expect(await page.getByText("Resumed at").count()).toBe(0);
  });

  test("copies the address of a public video, and says so", async () => {
    const id = await give("h264-aac.mp4");
    await page.goto(`/watch/${id}`);
    await browser.context.grantPermissions(["clipboard-read", "clipboard-write"]);
    await page.getByRole("button", { name: "Share" }).click();
    const dialog = page.getByRole("dialog");
    const copy = dialog.getByRole("button", { name: "Copy: Address of its page" });
    expect(await copy.count()).toBe(0);
    await dialog.getByRole("radio", { name: /Public/ }).check();
    await dialog.getByRole("status").filter({ hasText: "Saved: Public." }).waitFor();
    await copy.click();
    await dialog.getByRole("status").filter({ hasText: "Copied." }).waitFor();
    const copied = () => page.evaluate(() => navigator.clipboard.readText());
    expect(await copied()).toBe(`${kinora.url}/watch/${id}`);
    await page.evaluate(async () => {
      await navigator.clipboard.writeText("something else");
      // As over plain HTTP on another address.
      Object.defineProperty(navigator, "clipboard", { value: undefined });
    });
    await copy.click();
    await page.reload();
    await page.getByRole("button", { name: "Share" }).waitFor();
    expect(await copied()).toBe(`${kinora.url}/watch/${id}`);
  });

  test("plays a public video for somebody who has not signed in, and sends them to sign in for any other", async () => {
    const shown = await give("h264-aac.mp4");
    const hidden = await give("h264-only.mp4");
    await maria.send("PATCH", `/api/titles/${shown}`, { visibility: "public" });
    await leave(page);
    await page.goto(`/watch/${shown}`);
    await eventually("it plays", async () => ((await videoState(page))?.currentTime ?? 0) > 0.5);
    expect(await page.getByRole("button", { name: "Edit" }).count()).toBe(0);
    await page.goto(`/watch/${hidden}`);
    await page.waitForURL(`${kinora.url}/sign-in?next=${encodeURIComponent(`/watch/${hidden}`)}`);
    await enter(page, "stranger", PASSWORD);
    await page.waitForURL(`${kinora.url}/watch/${hidden}`);
    await alert("There is no such video, or it is not shared with you.");
  });

  test("shows more of a long list as one scrolls down, each video once", async () => {
    const many = await TestUser.signIn(kinora, "collector", PASSWORD);
    const path = await fixture("h264-only.mp4");
    for (let number = 1; number <= 55; number++) await many.upload(path, { name: `Video ${number}` });
    await leave(page);
    await enter(page, "collector", PASSWORD);
    await page.waitForURL(/\/videos$/);
    await page.getByText("50+ videos").waitFor();
    const seen = new Set<string>();
    await page.mouse.move(400, 400);
    await eventually("all were seen", async () => {
      for (const name of await page.locator(".row .name").allTextContents()) seen.add(name);
      await turnWheel(page, 400);
      return seen.size >= 55;
    });
    expect(seen.size).toBe(55);
    await page.getByText("55 videos").waitFor();
  });

  test("notices that the session is over and leads back after the next sign-in", async () => {
    await page.evaluate(() => fetch("/api/session", { method: "DELETE" }));
    await page.getByRole("link", { name: "Library" }).click();
    await page.waitForURL(`${kinora.url}/sign-in?next=%2Flibrary`);
    await page.getByText(/^Your session has ended/).waitFor();
    await enter(page, "collector", PASSWORD);
    await page.waitForURL(/\/library$/);
  });

  test("had no other error in the console, no breach of the policy, and asked nobody else for anything", () => {
    expect(browser.troubles).toEqual([]);
  });
});

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { buildWeb } from "../support/build-web.ts";
import { type Browser, enter, eventually, openBrowser, videoState } from "../support/chromium.ts";
import { has } from "../support/debian.ts";
import { fixture } from "../support/fixtures.ts";
import { startTestKinora, type TestKinora, TestUser } from "../support/kinora.ts";

const PASSWORD = "correct horse battery";

describe.skipIf(!has("chromium", "ffmpeg"))("the player", () => {
  let kinora: TestKinora;
  let maria: TestUser;
  let browser: Browser;
  let page: Page;
  let visitor: Browser;
  let collectionId = "";
  let chaptered = "";
  const ids: string[] = [];

  beforeAll(async () => {
    await buildWeb();
    kinora = await startTestKinora();
    maria = await TestUser.signIn(kinora, "maria", PASSWORD);
    const file = await fixture("h264-aac-60s.mp4");
    chaptered = (await maria.upload(await fixture("h264-chapters.mp4"), { name: "Chapters" })).id;
    for (const name of ["Harbour", "Concert"]) ids.push((await maria.upload(file, { name })).id);
    collectionId = ((await (await maria.post("/api/collections", { name: "An evening" })).json()) as { id: string }).id;
    await maria.post(`/api/collections/${collectionId}/titles`, { titleIds: ids });
    const refused = [/(401|404) .*\/(api|stream)\//];
    browser = await openBrowser(kinora.url, {}, refused);
    visitor = await openBrowser(kinora.url, { width: 390 }, refused);
    page = browser.page;
    await page.goto("/sign-in");
    await enter(page, "maria", PASSWORD);
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await visitor?.close();
    await kinora?.close();
  });

  const button = (name: string | RegExp) => page.getByRole("button", { name, exact: true });
  const video = <T>(read: (video: HTMLVideoElement) => T, on = page) => on.locator("video").evaluate(read);
  const plays = (on = page) =>
    eventually(
      "it plays",
      async () => ((await videoState(on))?.currentTime ?? 0) > 0.3,
      15_000,
      () => videoState(on),
    );
  /** Lets a page have the first segments of what it plays, and the others when the result is called. */
  const holdAfterStart = async (on: Page) => {
    const held = Promise.withResolvers<void>();
    const segments = /\/stream\/[^?]*\/hls\/[^?]*\.(m4s|mp4|m4v|m4a)/;
    let asked = 0;
    await on.route(segments, async (route) => {
      if (++asked > 6) await held.promise;
      await route.continue().catch(() => undefined);
    });
    return async () => {
      held.resolve();
      await on.unroute(segments);
    };
  };
  /** Moves over the time line, to a share of it. */
  const pointer = async (on: Page) => {
    const bar = await on.locator("media-time-range").boundingBox();
    if (!bar) throw new Error("there is no time line");
    return (share: number) => on.mouse.move(bar.x + bar.width * share, bar.y + bar.height / 2);
  };
  const shows = (on: Page, place: string, colour: number) =>
    eventually(`${colour} of red, green and blue is seen`, () =>
      on.evaluate(
        ([selector, strongest]) => {
          const canvas = document.querySelector<HTMLCanvasElement>(`${selector} canvas`);
          if (!canvas?.checkVisibility({ visibilityProperty: true })) return false;
          const [...data] = canvas.getContext("2d")?.getImageData(40, 40, 1, 1).data ?? [];
          return data.slice(0, 3).every((value, i) => (i === strongest ? value > 200 : value < 60));
        },
        [place, colour] as const,
      ),
    );
  const line = () => page.locator("media-time-range").getByRole("slider");

  test("tells its place on the time line as a person would", async () => {
    await page.goto(`/watch/${ids[0]}`);
    await plays();
    await page.keyboard.press("Space");
    await page.keyboard.press("5");
    await eventually(
      "it is said",
      async () => (await line().getAttribute("aria-valuetext")) === "30 seconds of 1 minute",
    );
    await line().focus();
    await page.keyboard.press("ArrowRight");
    await eventually("so is each step", async () =>
      /^3[1-9] seconds of 1 minute$/.test((await line().getAttribute("aria-valuetext")) ?? ""),
    );
  });

  test("shows no ring around the heading after a key, though the page began with the focus there", async () => {
    await page.goto("/videos");
    await page.getByText("Harbour", { exact: true }).click();
    await plays();
    expect(await page.evaluate(() => document.activeElement?.localName)).toBe("h1");
    await page.keyboard.press("l");
    const heading = page.getByRole("heading", { name: "Harbour" });
    expect(await heading.evaluate((element) => getComputedStyle(element).outlineStyle)).toBe("none");
  });

  test("calls its controls in another language at once, and plays on", async () => {
    await video((element) => Object.assign(element, { isStill: true }));
    for (const name of [/^pause$/i, /^mute$/i, /picture in picture/i]) await button(name).first().waitFor();
    await button("Account of maria").click();
    await button("Español").click();
    for (const name of [/^(pausar|reproducir)$/i, /^silenciar$/i, /imagen en imagen/i])
      await button(name).first().waitFor();
    const said = await eventually("the place is in Spanish", async () => {
      const text = await line().getAttribute("aria-valuetext");
      return text?.endsWith("de 1 minuto") && text;
    });
    expect(said).toMatch(/^\d+ segundos de 1 minuto$/);
    expect(await video((element) => "isStill" in element)).toBe(true);
    const before = (await videoState(page))?.currentTime ?? 0;
    if ((await videoState(page))?.paused) await page.keyboard.press("Space");
    await eventually("it goes on", async () => ((await videoState(page))?.currentTime ?? 0) > before);
    await page.keyboard.press("Escape");
    await button("Cuenta de maria").click();
    await button("English").click();
    await button(/^pause$/i).waitFor();
  });

  test("begins at the moment that an address names, and copies such an address", async () => {
    await page.goto(`/watch/${ids[0]}?t=0m20s`);
    await eventually("it is there", async () => ((await videoState(page))?.currentTime ?? 0) > 20);
    expect(await page.getByText("Resumed at").count()).toBe(0);
    await page.keyboard.press("Space");
    await page.keyboard.press("5");
    await eventually("it is in the middle", async () => (await video(({ currentTime }) => currentTime)) === 30);
    await browser.context.grantPermissions(["clipboard-read", "clipboard-write"]);
    await button("Settings").click();
    await button("Copy link to this moment").click();
    await page.getByRole("status").filter({ hasText: "It begins at 0:30." }).waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(`${kinora.url}/watch/${ids[0]}?t=30`);
    await page.keyboard.press("Escape");
  });

  test("goes to a time that the description names, to the picture beside, and from chapter to chapter", async () => {
    await maria.send("PATCH", `/api/titles/${chaptered}`, {
      description: "Both parts; the second is at 0:02, not 9:99.",
    });
    await page.goto(`/watch/${chaptered}`);
    await page.getByRole("navigation", { name: "Chapters" }).getByRole("button").nth(1).waitFor();
    await page.keyboard.press("Space");
    await button("0:02").click();
    await eventually("it is there", async () => (await video(({ currentTime }) => currentTime)) === 2);
    expect(await button("9:99").count()).toBe(0);
    await page.keyboard.press(".");
    await page.keyboard.press(".");
    expect(await video(({ currentTime, paused }) => [Math.floor(currentTime * 25), paused])).toEqual([52, true]);
    await page.keyboard.press(",");
    expect(await video(({ currentTime }) => Math.floor(currentTime * 25))).toBe(51);
    await page.locator("media-play-button").focus();
    await page.keyboard.press("PageUp");
    await eventually("it is in the first", async () => (await video(({ currentTime }) => currentTime)) === 0);
    await page.keyboard.press("PageDown");
    await page.getByRole("status").filter({ hasText: "Two" }).waitFor();
    expect(await video(({ currentTime }) => currentTime)).toBe(2);
  });

  test("shows the place on the time line that one points at or goes to by keys, and asks for nothing before", async () => {
    const { id } = await maria.upload(await fixture("h264-scenes.mp4"), { name: "Scenes" });
    const asked = () => browser.requested.filter((url) => url.includes(`/stream/${id}/`));
    await page.goto(`/watch/${id}`);
    await plays();
    await page.keyboard.press("Space");
    await eventually("all is there", () => video(({ buffered }) => buffered.length > 0 && buffered.end(0) > 23));
    expect(asked().some((url) => url.includes("iframes.m3u8"))).toBe(false);
    const before = asked().length;
    const point = await pointer(page);
    await point(0.5);
    await shows(page, ".scene", 1);
    for (let share = 0.05; share < 0.95; share += 0.005) await point(share);
    await shows(page, ".scene", 2);
    await point(0.1);
    await shows(page, ".scene", 0);
    // Three to find the key frames, and each of those once.
    expect(asked().length - before).toBeLessThanOrEqual(3 + 6 + 2);
    await page.mouse.move(0, 0);
    await line().focus();
    await page.keyboard.press("End");
    await shows(page, ".stepped", 2);
    await page.keyboard.press("Home");
    await shows(page, ".stepped", 0);
    expect(await page.locator(".scene, .stepped").evaluateAll((all) => all.every((one) => one.ariaHidden))).toBe(true);
    await page.keyboard.press("Tab");
    await eventually("it is gone", async () => (await page.locator(".stepped").count()) === 0);
  });

  test("shows places to whoever has the link, and nothing more of them once it is revoked", async () => {
    const { id } = await maria.upload(await fixture("h264-scenes.mp4"), { name: "Scenes by link" });
    const link = (await (await maria.post("/api/links", { titleId: id })).json()) as { id: string; pageUrl: string };
    const there = visitor.page;
    await there.goto(link.pageUrl);
    await plays(there);
    await video((element) => element.pause(), there);
    const point = await pointer(there);
    await point(0.5);
    await shows(there, ".scene", 1);
    await maria.send("DELETE", `/api/links/${link.id}`);
    await point(0.95);
    await there.getByRole("heading", { name: "This video cannot be shown" }).waitFor();
    expect(await there.locator("canvas").count()).toBe(0);
  });

  test("does what media keys, headphones and lock screens ask for", async () => {
    await page.addInitScript(() => {
      // What the system would call: a browser without a screen has no keys of its own.
      const given: Record<string, MediaSessionActionHandler | null> = {};
      const { setActionHandler } = MediaSession.prototype;
      MediaSession.prototype.setActionHandler = function (action, handler) {
        given[action] = handler;
        setActionHandler.call(this, action, handler);
      };
      Object.assign(window, { mediaKeys: given });
    });
    await page.goto(`/watch/${ids[0]}?collection=${collectionId}`);
    await plays();
    const press = (action: MediaSessionAction, more: Partial<MediaSessionActionDetails> = {}) =>
      page.evaluate(
        ([name, details]) => {
          const { mediaKeys } = window as unknown as { mediaKeys: Record<string, MediaSessionActionHandler | null> };
          mediaKeys[name]?.({ action: name, ...details });
          return mediaKeys[name] !== null;
        },
        [action, more] as const,
      );
    await press("pause");
    await eventually("it pauses", async () => (await videoState(page))?.paused);
    await press("seekto", { seekTime: 30 });
    await press("seekforward");
    await press("seekbackward", { seekOffset: 5 });
    expect(await video(({ currentTime }) => currentTime)).toBe(35);
    await press("play");
    await eventually("it plays", async () => (await videoState(page))?.paused === false);
    await press("stop");
    await eventually("it stops", async () => (await videoState(page))?.paused);
    // The first of the collection has none before it.
    expect(await press("previoustrack")).toBe(false);
    expect(await press("nexttrack")).toBe(true);
    await page.waitForURL(`**/watch/${ids[1]}?collection=${collectionId}`);
    await page.getByRole("heading", { name: "Concert" }).waitFor();
    await eventually("it is the last", async () => !(await press("nexttrack")));
    expect(await page.evaluate(() => navigator.mediaSession.metadata?.title)).toBe("Concert");
  });

  test("goes into a picture of its own and back, by the button, the menu and the key", async () => {
    await page.goto(`/watch/${ids[0]}`);
    await plays();
    const isOut = () => page.evaluate(() => document.pictureInPictureElement !== null);
    expect(await page.evaluate(() => document.pictureInPictureEnabled)).toBe(true);
    await button(/^enter picture in picture mode$/i).click();
    await eventually("it is out", isOut);
    await button(/^exit picture in picture mode$/i).click();
    await eventually("it is back", async () => !(await isOut()));
    await page.keyboard.press("p");
    await eventually("it is out again", isOut);
    await button("Settings").click();
    await button("Picture in picture").click();
    await eventually("it is back again", async () => !(await isOut()));
    expect(await videoState(page)).toMatchObject({ error: null });
    await page.keyboard.press("Escape");
  });

  test("says to a visitor in their language that the link is over, and where an account leads", async () => {
    const link = (await (await maria.post("/api/links", { titleId: ids[0] })).json()) as {
      id: string;
      pageUrl: string;
    };
    const there = visitor.page;
    await there.addInitScript(() => localStorage.setItem("kinora-language", "es"));
    const release = await holdAfterStart(there);
    await there.goto(link.pageUrl);
    await plays(there);
    await maria.send("DELETE", `/api/links/${link.id}`);
    await release();
    const alert = there.getByRole("alert");
    await alert.filter({ hasText: "Este enlace ha caducado o fue revocado. Pide otro a quien te lo envió." }).waitFor();
    await there.reload();
    await there.getByRole("heading", { name: "Este vídeo no se puede mostrar" }).waitFor();
    expect(await there.getByRole("link", { name: /biblioteca|mis vídeos/ }).count()).toBe(0);
    await there.getByRole("main").getByRole("link", { name: "inicia sesión" }).click();
    await there.waitForURL(/\/sign-in\?next=%2Fwatch%2F/);
    // A member sees by their own right what the link showed no more.
    await page.goto(link.pageUrl.slice(kinora.url.length));
    await page.waitForURL(`${kinora.url}/watch/${ids[0]}`);
    await plays();
  });

  test("stops when the session ends while it plays, though more of it is here, and says so", async () => {
    await page.goto(`/watch/${ids[1]}`);
    await plays();
    // As an administrator ends it, or another device: this page is not told.
    await page.evaluate(() => fetch("/api/session", { method: "DELETE" }));
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.getByText("Your session has ended: on another page or device").waitFor();
    expect(page.url()).toContain(`next=%2Fwatch%2F${ids[1]}`);
    expect(await page.locator("video").count()).toBe(0);
  });

  test("had no other error in the console, no breach of the policy, and asked nobody else for anything", () => {
    expect([...browser.troubles, ...visitor.troubles]).toEqual([]);
  });
});

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, truncateSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CDPSession, Page } from "playwright-core";
import { buildWeb } from "../support/build-web.ts";
import { type Browser, enter, eventually, openBrowser } from "../support/chromium.ts";
import { type CutProxy, startCutProxy } from "../support/cut-proxy.ts";
import { has } from "../support/debian.ts";
import { fixture } from "../support/fixtures.ts";
import { startTestKinora, type TestKinora } from "../support/kinora.ts";

/** Slow enough to press a button in between. */
const SLOW_BYTES_PER_SECOND = 700_000;

describe.skipIf(!has("chromium", "ffmpeg"))("uploading in a browser", () => {
  let kinora: TestKinora;
  let proxy: CutProxy;
  let browser: Browser;
  let page: Page;
  let network: CDPSession;
  let folder: string;

  beforeAll(async () => {
    await buildWeb();
    folder = mkdtempSync(join(tmpdir(), "kinora-files-"));
    kinora = await startTestKinora();
    proxy = await startCutProxy(kinora.url);
    // Files that are refused are answered with 4xx, which Chromium logs, as it does connections that are lost.
    browser = await openBrowser(proxy.url, {}, [/(4\d\d|503|net::ERR_\w+) .*\/api\/(uploads|events)/]);
    page = browser.page;
    network = await browser.context.newCDPSession(page);
    await page.goto("/upload");
    await enter(page, "maria", "correct horse battery");
    await page.waitForURL(/\/upload$/);
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await proxy?.close();
    await kinora?.close();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  const throttle = (uploadThroughput: number) =>
    network.send("Network.emulateNetworkConditions", {
      offline: false,
      latency: 0,
      downloadThroughput: -1,
      uploadThroughput,
    });

  /** A copy under a name of its own, so that one test's file is not another's. */
  async function copyOf(name: "h264-aac.mp4" | "h264-aac-60s.mp4", as: string): Promise<string> {
    const path = join(folder, as);
    await copyFile(await fixture(name), path);
    return path;
  }

  async function send(...paths: string[]): Promise<void> {
    await page.locator("input[type=file]").setInputFiles(paths);
    await page.getByRole("button", { name: /^Upload/ }).click();
  }

  const sentPercent = async () => {
    const progress = page.getByRole("progressbar");
    return (await progress.count()) === 0 ? 0 : progress.evaluate((bar: HTMLProgressElement) => bar.position * 100);
  };

  test("shows speed and time left, pauses, and goes on from there", async () => {
    await network.send("Network.enable");
    await throttle(SLOW_BYTES_PER_SECOND);
    await page.getByLabel("Tags").fill("slow");
    await send(await copyOf("h264-aac-60s.mp4", "paused.mp4"));
    expect(await page.getByLabel("Tags").inputValue()).toBe("");
    expect(await page.evaluate(() => document.activeElement?.textContent)).toStartWith("Upload");
    await page.getByText(/\d+ % of 5\.\d MB\s+·\s+\d+ KB\/s\s+·\s+\d+ s left/).waitFor();
    await eventually("some is sent", async () => (await sentPercent()) > 10);
    await page.getByRole("button", { name: "Pause", exact: true }).press("Enter");
    await page.getByText(/%, paused/).waitFor();
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Resume");
    const atPause = await sentPercent();
    await Bun.sleep(700);
    expect(await sentPercent()).toBe(atPause);
    expect(atPause).toBeLessThan(100);
    await throttle(-1);
    await page.getByRole("button", { name: "Resume", exact: true }).click();
    await page.waitForURL(/\/videos\?selected=/);
    expect(await page.getByRole("radio", { name: /paused/ }).isChecked()).toBe(true);
    await page.locator(".row", { hasText: "paused" }).getByRole("button", { name: "slow" }).waitFor();
  });

  test("goes on by itself when a lost connection is back, and says meanwhile that it is lost", async () => {
    await page.goto("/upload");
    await throttle(SLOW_BYTES_PER_SECOND);
    await send(await copyOf("h264-aac-60s.mp4", "cut.mp4"));
    await eventually("some is sent", async () => (await sentPercent()) > 20);
    const offsets: number[] = [];
    page.on("request", (request) => {
      if (request.method() === "PATCH") offsets.push(Number(request.headers()["upload-offset"]));
    });
    proxy.cut();
    const lost = page.getByText(/\d+ %, connection lost\. Reconnecting…/);
    await lost.waitFor();
    expect(await page.getByText("/s").count()).toBe(0);
    // Longer than the first attempts: it must not give up.
    await Bun.sleep(3500);
    expect(await lost.isVisible()).toBe(true);
    expect(await page.getByRole("alert").filter({ hasText: /./ }).count()).toBe(0);
    proxy.mend();
    await throttle(-1);
    await page.evaluate(() => dispatchEvent(new Event("online")));
    await page.waitForURL(/\/videos\?selected=/);
    expect(await page.getByRole("radio", { name: /cut/ }).isChecked()).toBe(true);
    expect(Math.min(...offsets)).toBeGreaterThan(100_000);
  });

  test("keeps what is sent when a proxy answers for a server that is away", async () => {
    await page.goto("/upload");
    await throttle(SLOW_BYTES_PER_SECOND);
    await send(await copyOf("h264-aac-60s.mp4", "away.mp4"));
    await eventually("some is sent", async () => (await sentPercent()) > 20);
    await page.getByRole("button", { name: "Pause", exact: true }).click();
    let refusals = 0;
    await page.route("**/api/uploads/*", (route) =>
      route.request().method() === "HEAD" && refusals++ === 0 ? route.fulfill({ status: 503 }) : route.fallback(),
    );
    const sent = page.waitForRequest((request) => request.method() === "PATCH");
    await throttle(-1);
    await page.getByRole("button", { name: "Resume", exact: true }).click();
    expect(Number((await sent).headers()["upload-offset"])).toBeGreaterThan(100_000);
    await page.waitForURL(/\/videos\?selected=/);
    await page.unroute("**/api/uploads/*");
    expect(refusals).toBe(2);
  });

  test("the list leads from a video that is still arriving to its upload", async () => {
    await page.goto("/upload");
    await throttle(SLOW_BYTES_PER_SECOND);
    await send(await copyOf("h264-aac-60s.mp4", "arriving.mp4"));
    await eventually("some is sent", async () => (await sentPercent()) > 5);
    await page.getByRole("link", { name: "Skip to my videos" }).click();
    await page.getByText("Still arriving").waitFor();
    await page.getByRole("link", { name: "Go to the upload" }).click();
    await page
      .getByRole("button", { name: "Cancel" })
      .or(page.getByLabel(/Remove arriving/))
      .click();
    await throttle(-1);
    await eventually("it is off the list", async () => (await page.getByText("arriving.mp4").count()) === 0);
  });

  test("after a reload says what is unfinished, and goes on when the same file is chosen", async () => {
    const path = await copyOf("h264-aac-60s.mp4", "reloaded.mp4");
    await page.goto("/upload");
    await throttle(SLOW_BYTES_PER_SECOND);
    await send(path);
    await eventually("some is sent", async () => (await sentPercent()) > 15);
    page.once("dialog", (dialog) => void dialog.accept());
    await page.reload();
    await page.getByRole("heading", { name: "Unfinished" }).waitFor();
    await page.getByText("reloaded.mp4").waitFor();
    await throttle(-1);
    const patches: number[] = [];
    page.on("request", (request) => {
      if (request.method() === "PATCH") patches.push(Number(request.headers()["upload-offset"]));
    });
    await page.locator("input[type=file]").setInputFiles(path);
    await page.getByText(/^5\.\d MB, continues at [\d.]+ [KM]B$/).waitFor();
    expect(await page.getByRole("heading", { name: "Unfinished" }).count()).toBe(0);
    await page.getByLabel("Tags").fill("later");
    await page.getByRole("button", { name: /^Upload/ }).click();
    await page.waitForURL(/\/videos\?selected=/);
    expect(await page.getByRole("radio", { name: /reloaded/ }).isChecked()).toBe(true);
    await page.reload();
    await page.getByRole("button", { name: "later" }).waitFor();
    expect(patches).toHaveLength(1);
    expect(patches[0]).toBeGreaterThan(100_000);
    await page.goto("/upload");
    await page.getByRole("heading", { name: "Upload" }).waitFor();
    expect(await page.getByRole("heading", { name: "Unfinished" }).count()).toBe(0);
  });

  test("an unfinished upload can be thrown away", async () => {
    await page.goto("/upload");
    await throttle(SLOW_BYTES_PER_SECOND);
    await send(await copyOf("h264-aac-60s.mp4", "thrown-away.mp4"));
    await eventually("some is sent", async () => (await sentPercent()) > 5);
    page.once("dialog", (dialog) => void dialog.accept());
    await page.reload();
    await throttle(-1);
    await page.getByRole("button", { name: "Discard thrown-away.mp4" }).click();
    await eventually("it is off the list", async () => (await page.getByText("thrown-away.mp4").count()) === 0);
    await page.reload();
    await page.getByRole("heading", { name: "Upload" }).waitFor();
    await Bun.sleep(300);
    expect(await page.getByText("thrown-away.mp4").count()).toBe(0);
  });

  test("several files go one after the other", async () => {
    await page.goto("/upload");
    await throttle(-1);
    await send(await copyOf("h264-aac.mp4", "first.mp4"), await copyOf("h264-aac.mp4", "second.mp4"));
    await page.waitForURL(/\/videos\?selected=/);
    await page.getByRole("radio", { name: /first/ }).waitFor({ state: "attached" });
    expect(await page.getByRole("radio", { name: /second/ }).isChecked()).toBe(true);
  });

  test("when one of several files fails, the others are there, and a link leads to them", async () => {
    const refused = join(folder, "list.mp4");
    await Bun.write(refused, "milk, ".repeat(5000));
    await page.goto("/upload");
    await page.getByText("The videos you choose get them.").waitFor();
    await send(await copyOf("h264-aac.mp4", "third.mp4"), await copyOf("h264-aac.mp4", "fourth.mp4"), refused);
    await page.getByText("2 of 3 uploaded.").waitFor();
    expect(new URL(page.url()).pathname).toBe("/upload");
    await page.getByRole("link", { name: "Show in my videos" }).click();
    await page.waitForURL(/\/videos\?selected=/);
    await page.getByRole("radio", { name: /fourth/ }).waitFor({ state: "attached" });
    expect(await page.getByRole("radio", { name: /fourth/ }).isChecked()).toBe(true);
    await page.getByRole("link", { name: "Upload", exact: true }).click();
    await page.getByRole("button", { name: "Remove list.mp4" }).click();
    expect(await page.getByText("fourth.mp4").count()).toBe(0);
  });

  const refusals: [string, (path: string) => Promise<void>, RegExp][] = [
    [
      "notes.mp4",
      async (path) => void (await Bun.write(path, "dear diary, ".repeat(5000))),
      /not a video that Kinora can read/,
    ],
    ["nothing.mp4", async (path) => void (await Bun.write(path, "")), /This file is empty/],
    [
      "song.mp4",
      async (path) => void (await copyFile(await fixture("aac-only.m4a"), path)),
      /This file has sound only, no picture/,
    ],
    [
      "cut-off.mp4",
      async (path) => {
        await copyFile(await fixture("h264-aac.mp4"), path);
        truncateSync(path, 300_000);
      },
      /The end of this file is missing/,
    ],
  ];
  test.each(refusals)("of %s it says what is wrong and what to do", async (name, make, expected) => {
    const path = join(folder, name);
    await make(path);
    await page.goto("/upload");
    await send(path);
    await page.getByRole("alert").filter({ hasText: expected }).waitFor();
    expect(new URL(page.url()).pathname).toBe("/upload");
    await page.getByRole("button", { name: `Remove ${name}` }).click();
    await page.reload();
    await page.getByRole("heading", { name: "Upload" }).waitFor();
    await Bun.sleep(300);
    expect(await page.getByText(name).count()).toBe(0);
  });

  test("elsewhere the tray says how many failed, closes, and clears them all", async () => {
    const paths = [join(folder, "first.mp4"), join(folder, "second.mp4")];
    for (const path of paths) await Bun.write(path, "");
    const tray = page.getByRole("region", { name: "On their way" });
    const fail = async () => {
      await page.getByRole("link", { name: "Upload", exact: true }).click();
      await send(...paths);
      await eventually("both failed", async () => (await page.getByText("Not uploaded").count()) === paths.length);
      await page.getByRole("link", { name: "Library" }).click();
      await tray.getByRole("button", { name: /Uploads have ended\s*2 failed/ }).click();
    };
    await fail();
    await page.getByRole("link", { name: "Collections" }).click();
    await tray.getByRole("button", { name: /Uploads have ended/, expanded: false }).click();
    await tray.getByRole("button", { name: "Clear all" }).click();
    await tray.waitFor({ state: "detached" });
    await fail();
    await tray.getByRole("button", { name: "Close" }).click();
    await tray.waitFor({ state: "detached" });
    await page.getByRole("link", { name: "Upload", exact: true }).click();
    expect(await page.getByText("Not uploaded").count()).toBe(paths.length);
  });

  test("had no error in the console, no breach of the policy, and asked nobody else for anything", () => {
    expect(browser.troubles).toEqual([]);
  });
});

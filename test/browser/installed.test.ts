import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
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

describe.skipIf(!has("chromium", "ffmpeg"))("behind the pages", () => {
  let kinora: TestKinora;
  let proxy: CutProxy;
  let browser: Browser;
  let page: Page;
  let network: CDPSession;
  const folder = mkdtempSync(join(tmpdir(), "kinora-tray-"));

  beforeAll(async () => {
    await buildWeb();
    kinora = await startTestKinora();
    proxy = await startCutProxy(kinora.url);
    browser = await openBrowser(proxy.url, { width: 390, isWhole: true }, [/net::ERR_/]);
    page = browser.page;
    network = await browser.context.newCDPSession(page);
    await page.goto("/upload");
    await enter(page, "maria", "correct horse battery");
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await proxy?.close();
    await kinora?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test("an upload goes on while one browses: the tray shows how far it is, pauses and resumes it", async () => {
    await network.send("Network.enable");
    const throttle = (uploadThroughput: number) =>
      network.send("Network.emulateNetworkConditions", {
        offline: false,
        latency: 0,
        downloadThroughput: -1,
        uploadThroughput,
      });
    await throttle(700_000);
    const path = join(folder, "holiday.mp4");
    await copyFile(await fixture("h264-aac-60s.mp4"), path);
    await page.getByLabel(/Choose videos/).setInputFiles(path);
    await page.getByRole("button", { name: "Upload", exact: true }).click();
    await page.getByRole("progressbar").waitFor();
    await page.getByRole("link", { name: "Library" }).click();
    const tray = page.getByRole("region", { name: "On their way" });
    await tray.getByRole("progressbar").waitFor();
    await tray.getByRole("button", { name: /1 upload/ }).click();
    await page.getByRole("link", { name: "Collections" }).click();
    await tray.getByRole("button", { name: "Pause" }).click();
    await tray.getByText(/%, paused/).waitFor();
    await throttle(-1);
    await tray.getByRole("button", { name: "Resume" }).click();
    await page.getByText("holiday.mp4 is uploaded.").waitFor();
    expect(await tray.count()).toBe(0);
    await page.getByRole("button", { name: "Show" }).click();
    await page.getByRole("radio", { name: /holiday/ }).waitFor({ state: "attached" });
    expect(await page.getByRole("radio", { name: /holiday/ }).isChecked()).toBe(true);
  });

  test("pages in a row leave no connections behind: a browser has six, and the history keeps pages alive", async () => {
    for (const path of [
      "/library",
      "/upload",
      "/collections",
      "/account",
      "/videos",
      "/library",
      "/upload",
      "/account",
    ])
      await page.goto(path);
    await page.goto("/library");
    await page.getByRole("heading", { name: "Library", level: 1 }).waitFor();
  });

  test("it can be installed: a manifest whose icons are there, and a worker", async () => {
    const manifest = await page.evaluate(async () => {
      const address = document.querySelector<HTMLLinkElement>("link[rel=manifest]")?.href ?? "";
      return (await (await fetch(address)).json()) as { display: string; icons: { src: string; type: string }[] };
    });
    expect(manifest.display).toBe("standalone");
    for (const { src, type } of manifest.icons) {
      const response = await fetch(new URL(src, kinora.url));
      expect([src, response.status, response.headers.get("Content-Type")]).toEqual([src, 200, type]);
    }
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => true));
  });

  test("offline a page says so, in our colours; nothing of the interface is kept, and it leads back by itself when the server is there", async () => {
    await eventually("the worker has the page", () => page.evaluate(() => navigator.serviceWorker.controller !== null));
    proxy.cut();
    await page.goto("/library?sort=name#content");
    await page.getByRole("heading", { name: "You are offline" }).waitFor();
    expect(await page.evaluate(() => getComputedStyle(document.body).fontFamily)).toContain("Instrument Sans");
    const kept = await page.evaluate(async () => {
      const paths: string[] = [];
      for (const name of await caches.keys())
        for (const { url } of await (await caches.open(name)).keys()) paths.push(new URL(url).pathname);
      return paths;
    });
    expect(
      kept.filter((path) => !/^\/(offline\.html|assets\/(main|icon|offline)-[\w]+\.(css|svg|js))$/.test(path)),
    ).toEqual([]);
    const again = page.getByRole("link", { name: /Try again/ });
    await eventually(
      "it leads to what was asked for",
      async () => (await again.getAttribute("href")) === "/library?sort=name",
    );
    proxy.mend();
    // By itself.
    await page.getByRole("heading", { name: "Library", level: 1 }).waitFor();
    expect(new URL(page.url()).pathname).toBe("/library");
  });

  test("had no other error in the console, no breach of the policy, and asked nobody else for anything", () => {
    expect(browser.troubles).toEqual([]);
  });
});

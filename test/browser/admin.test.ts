import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import type { Title } from "../../src/catalog/contract.ts";
import { faultsOf } from "../support/axe.ts";
import { buildWeb } from "../support/build-web.ts";
import { type Browser, enter, eventually, leave, openBrowser } from "../support/chromium.ts";
import { has } from "../support/debian.ts";
import { fixture } from "../support/fixtures.ts";
import { startTestKinora, type TestKinora, TestUser } from "../support/kinora.ts";
import { until } from "../support/until.ts";

const PASSWORD = "correct horse battery";

describe.skipIf(!has("chromium", "ffmpeg"))("administration in the browser", () => {
  let kinora: TestKinora;
  let browser: Browser;
  let page: Page;
  let maria: TestUser;
  let jonas: TestUser;
  const films = mkdtempSync(join(tmpdir(), "kinora-films-"));

  beforeAll(async () => {
    await buildWeb();
    kinora = await startTestKinora();
    maria = await TestUser.signIn(kinora, "maria", PASSWORD);
    jonas = await TestUser.signIn(kinora, "jonas", PASSWORD);
    await maria.post("/api/users", { username: "ingrid", password: PASSWORD, role: "viewer" });
    mkdirSync(join(films, "Trips"));
    await Bun.write(join(films, "Trips", "lake.mp4"), Bun.file(await fixture("h264-only.mp4")));
    await Bun.write(join(films, "notes.mp4"), "milk, bread");
    browser = await openBrowser(kinora.url, { width: 1280 }, [/(400|401|403|409) .*\/api\//]);
    page = browser.page;
    await page.goto("/sign-in");
    await enter(page, "maria", PASSWORD);
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await kinora?.close();
    rmSync(films, { recursive: true, force: true });
  });

  const dialog = () => page.getByRole("dialog");
  const button = (name: string | RegExp) => page.getByRole("button", { name, exact: true });
  const user = (name: string) => page.getByRole("listitem").filter({ has: page.getByText(name, { exact: true }) });
  const manage = async (name: string, what: string) => {
    await button(`Manage ${name}`).click();
    await page
      .getByRole("group", { name: `Manage ${name}` })
      .getByRole("button", { name: what })
      .click();
  };

  test("the account menu leads to the pages; users are made, searched, given another role, disabled and deleted", async () => {
    await button("Account of maria").click();
    await page.getByRole("link", { name: "Users" }).click();
    await page.getByRole("heading", { name: "Users", level: 1 }).waitFor();
    await button("New user").click();
    await dialog().getByLabel("Name").fill("paula");
    await dialog().getByLabel("Password").fill(PASSWORD);
    await dialog()
      .getByRole("radio", { name: /^May watch/ })
      .check();
    await dialog().getByRole("button", { name: "New user" }).click();
    await page.getByText("paula may sign in now.").waitFor();
    expect((await TestUser.signIn(kinora, "paula", PASSWORD)).cookie).not.toBe("");

    await page.getByRole("searchbox", { name: "Search users" }).fill("PAU");
    await page.getByText("jonas").waitFor({ state: "detached" });
    await manage("paula", "Change role");
    await dialog()
      .getByRole("radio", { name: /^May upload/ })
      .check();
    await dialog().getByRole("button", { name: "Save" }).click();
    await user("paula").getByText("May upload").waitFor();
    await manage("paula", "Disable");
    await dialog().getByRole("button", { name: "Disable" }).click();
    await user("paula").getByText("disabled").waitFor();
    expect(await button("Manage paula").evaluate((element) => element === document.activeElement)).toBe(true);
    await manage("paula", "Delete");
    await dialog().getByText("paula has no videos.").waitFor();
    await dialog()
      .getByRole("radio", { name: /^Delete them with the account/ })
      .check();
    expect(await dialog().getByLabel("Who gets them").count()).toBe(0);
    await dialog().getByRole("button", { name: "Delete" }).click();
    await page.getByText("paula is deleted.").waitFor();
    await page.getByText("Nobody has a name with this in it.").waitFor();
    await page.getByRole("searchbox", { name: "Search users" }).fill("");
    await user("jonas").waitFor();
    await manage("maria", "Change role");
    await dialog()
      .getByRole("radio", { name: /^May watch/ })
      .check();
    await dialog().getByRole("button", { name: "Save" }).click();
    await page.getByRole("alert").filter({ hasText: "This is the last active admin." }).waitFor();
    await page.keyboard.press("Escape");
  });

  test("an invitation is made, its link lets somebody in, and another one is revoked", async () => {
    const invite = async () => {
      await button("Invite somebody").click();
      await dialog()
        .getByRole("radio", { name: /^May watch/ })
        .check();
      await dialog().getByLabel("Valid for").selectOption("1 day");
      await dialog().getByRole("button", { name: "Make the invitation" }).click();
      const made = await dialog().getByLabel("Code").inputValue();
      expect(await dialog().getByLabel("Link").inputValue()).toBe(`${kinora.url}/sign-in?invite=${made}`);
      await page.keyboard.press("Escape");
      await dialog().getByRole("alert").filter({ hasText: "This is not shown again." }).waitFor();
      await dialog().getByRole("button", { name: "I have saved it" }).click();
      return made;
    };
    const register = (username: string, code: string) =>
      new TestUser(kinora).post("/api/session", { username, password: PASSWORD, invite: code });
    expect((await register("guest", await invite())).status).toBe(201);
    const late = await invite();
    await page.reload();
    await page.getByText("used by guest").waitFor();
    await button(/^Revoke the invitation/).click();
    await page.getByText("The invitation is revoked.").waitFor();
    expect((await register("late", late)).status).toBe(403);
  });

  test("a folder is added, its files that were not taken are named with the reason, and it is removed", async () => {
    await page.getByRole("link", { name: "Folders" }).click();
    await page.getByRole("status").filter({ hasText: "No library folders yet" }).waitFor();
    await button("Add a folder").click();
    await dialog().getByLabel("Folder").fill("/etc");
    await dialog().getByRole("button", { name: "Add a folder" }).click();
    await page.getByRole("alert").filter({ hasText: /\S/ }).waitFor();
    await dialog().getByLabel("Folder").fill(join(films, "flims"));
    await dialog().getByRole("button", { name: "Add a folder" }).click();
    await page
      .getByRole("alert")
      .filter({ hasText: "Kinora finds no such folder. Type the path as it is on" })
      .waitFor();
    await dialog().getByLabel("Folder").fill(films);
    await dialog().getByRole("button", { name: "Add a folder" }).click();
    await page.getByText("1 video").waitFor();
    await page.getByText("1 file was not taken").click();
    await page.getByText("notes.mp4").waitFor();
    await page.getByText("No video that Kinora can read: something else, or damaged.").waitFor();
    expect(await page.getByText(/expected MP4/).isVisible()).toBe(false);
    await page.getByText("Technical reason").click();
    await page.getByText(/expected MP4/).waitFor();
    await button("Scan again").click();
    await page.getByText("All folders are being scanned again.").waitFor();
    await staysWhilePointedAt();
    await button(`Remove: ${films}`).click();
    await dialog().getByRole("button", { name: "Remove" }).click();
    await page.getByText("No library folders yet").waitFor();
    expect(await Bun.file(join(films, "Trips", "lake.mp4")).exists()).toBe(true);
  });

  test("removing a folder asks what becomes of its videos, and once more before they are forgotten, then or later", async () => {
    const removed = page.getByRole("list", { name: "Removed folders" });
    const forget = removed.getByRole("button", { name: `Forget its videos: ${films}` });
    const remove = button(`Remove: ${films}`);
    const isSure = page.getByRole("dialog", { name: "Forget 1 video for good?" });
    const cancel = () => dialog().getByRole("button", { name: "Cancel" }).click();
    const lake = async () => {
      const { items } = (await (await maria.get("/api/titles?q=lake")).json()) as { items: readonly Title[] };
      return items.map(({ availability }) => availability);
    };

    // It was removed, and its video kept.
    await removed.getByText("1 video").waitFor();
    expect(await lake()).toEqual(["unavailable"]);
    await forget.click();
    await isSure.waitFor();
    expect(await faultsOf(page)).toEqual([]);
    await cancel();
    await hasFocus(forget);
    await forget.click();
    await isSure.getByRole("button", { name: "Forget for good" }).click();
    await removed.waitFor({ state: "detached" });
    await until(async () => (await lake()).length === 0);
    await hasFocus(page.getByRole("heading", { name: "Folders", level: 1 }));

    await maria.post("/api/library/folders", { path: films });
    await page.reload();
    await page.getByText("1 video").waitFor();
    await remove.click();
    const choice = page.getByRole("dialog", { name: `Remove ${films}?` });
    expect(await choice.getByRole("radio", { name: /^Keep them They stay/ }).isChecked()).toBe(true);
    expect(await faultsOf(page)).toEqual([]);
    await choice.getByRole("radio", { name: /^Forget them/ }).check();
    await choice.getByRole("button", { name: "Remove" }).click();
    await isSure.waitFor();
    await hasFocus(isSure.getByRole("heading"));
    expect(await faultsOf(page)).toEqual([]);
    await cancel();
    await hasFocus(remove);
    expect(await lake()).toEqual(["ready"]);
    await remove.click();
    await choice.getByRole("radio", { name: /^Forget them/ }).check();
    await choice.getByRole("button", { name: "Remove" }).click();
    await isSure.getByRole("button", { name: "Forget for good" }).click();
    await page.getByText("The folder is removed from the library, and its videos are being forgotten.").waitFor();
    await page.getByText("No library folders yet").waitFor();
    await until(async () => (await lake()).length === 0);
    await removed.waitFor({ state: "detached" });
    await hasFocus(page.getByRole("heading", { name: "Library folders", exact: true }));
    expect(await Bun.file(join(films, "Trips", "lake.mp4")).exists()).toBe(true);
  });

  const hasFocus = (what: Locator) =>
    eventually(
      "it has the focus",
      async () => (await what.count()) === 1 && what.evaluate((element) => element === document.activeElement),
      15_000,
      () => page.evaluate(() => document.activeElement?.outerHTML.slice(0, 200)),
    );

  /** In a window of its own, whose time runs as the test wants. */
  async function staysWhilePointedAt(): Promise<void> {
    const other = await browser.context.newPage();
    await other.clock.install();
    await other.goto("/admin/library");
    await other.getByRole("button", { name: "Scan again" }).click();
    const notice = other.getByText("All folders are being scanned again.");
    // It moves when what stands below it, the scan that is on its way, comes and goes.
    for (let seconds = 0; seconds < 60; seconds += 3) {
      await notice.hover();
      await other.clock.runFor(3_000);
    }
    expect(await notice.isVisible()).toBe(true);
    await other.mouse.move(0, 0);
    await other.clock.runFor(12_000);
    await notice.waitFor({ state: "detached" });
    await other.close();
  }

  test("somebody is deleted, and their videos go to whom the admin chooses: to themselves at first", async () => {
    const rosa = await TestUser.signIn(kinora, "rosa", PASSWORD);
    const { id } = await rosa.upload(await fixture("h264-only.mp4"), { name: "Of Rosa" });
    await page.goto("/admin/users");
    await manage("rosa", "Delete");
    const heir = dialog().getByLabel("Who gets them");
    await heir.locator("option", { hasText: "jonas" }).waitFor({ state: "attached" });
    expect(await heir.locator("option").allInnerTexts()).toEqual(["maria (you)", "jonas"]);
    await heir.selectOption("jonas");
    await dialog().getByRole("button", { name: "Delete" }).click();
    await page.getByText("rosa is deleted. The videos belong to jonas now.").waitFor();
    await until(async () => (await jonas.get(`/api/titles/${id}`)).status === 200);
    await jonas.send("DELETE", `/api/titles/${id}`);
  });

  test("services and storage say what runs and what takes space; indexes are deleted", async () => {
    await page.getByRole("link", { name: "Services" }).click();
    for (const name of ["Entry and web app", "Accounts", "Catalog", "Uploads", "Streaming"])
      await page.getByText(name, { exact: true }).waitFor();
    await page.getByText(/^heartbeat/).waitFor();
    await jonas.upload(await fixture("h264-aac.mp4"), { name: "Concert" });
    await page.getByRole("link", { name: "Storage" }).click();
    await page.getByText(/ free of /).waitFor();
    // It is measured every few seconds at most.
    await until(async () => {
      await page.reload();
      await page.getByText(/ free of /).waitFor();
      return button("Delete indexes").isEnabled();
    }, 20_000);
    await button("Delete indexes").click();
    await page.getByText(/freed\.$/).waitFor();
    await page.getByText("jonas", { exact: true }).waitFor();
  });

  test("a stream appears by itself, is stopped, and is gone", async () => {
    await page.getByRole("link", { name: "Streams now" }).click();
    await page.getByText("No stream is under control.").waitFor();
    const { items } = (await (await jonas.get("/api/titles?owner=me")).json()) as { items: { id: string }[] };
    const body = { titleId: items[0]?.id, protocol: "hls" };
    const { url } = (await (await jonas.post("/api/streams", body)).json()) as { url: string };
    expect((await fetch(url)).status).toBe(200);
    await page.getByText("jonas, over HLS").waitFor();
    await button("Stop Concert of jonas").click();
    await page.getByText("The stream of jonas is stopped.").waitFor();
    await page.getByText("No stream is under control.").waitFor();
    expect((await fetch(url)).status).toBe(401);
  });

  test("what somebody watches is listed, with how and how much", async () => {
    const { items } = (await (await jonas.get("/api/titles?owner=me")).json()) as { items: { id: string }[] };
    for (const path of ["master.m3u8", "1/1.m4s"])
      await (await jonas.get(`/stream/${items[0]?.id}/hls/${path}`)).arrayBuffer();
    await page.goto("/admin/streams");
    const watched = page.getByRole("list", { name: "Being watched" }).getByRole("listitem");
    await watched.getByRole("link", { name: "Concert" }).waitFor();
    expect(await watched.innerText()).toMatch(/jonas, over HLS · started .* · [\d.]+ [kK]B/);
  });

  const isLong = process.env.KINORA_TEST_LONG === "1";
  const widths = isLong ? [320, 390, 768, 1280, 3840] : [390];
  const schemes = isLong ? (["light", "dark"] as const) : (["dark"] as const);
  const sample: readonly (readonly [string, () => Promise<unknown>])[] = [
    ["/account", async () => page.getByRole("region", { name: "API keys" }).waitFor()],
    ["/admin/users", async () => button("Manage jonas").click()],
    ["/admin/users", async () => button("New user").click()],
    ["/admin/services", async () => page.getByText(/^heartbeat/).waitFor()],
    ["/admin/storage", async () => page.getByText(/ free of /).waitFor()],
  ];
  /** Secrets that are shown once, with what is said to somebody who would leave. */
  const showInvitation = async () => {
    await button("Invite somebody").click();
    await dialog().getByRole("button", { name: "Make the invitation" }).click();
    await dialog().getByLabel("Link").waitFor();
    await page.keyboard.press("Escape");
    await dialog().getByRole("alert").filter({ hasText: /\S/ }).waitFor();
  };
  const showKey = async () => {
    await button("New API key").click();
    await dialog().getByLabel("Name").fill("axe");
    await button("Make the key").click();
    await dialog().getByLabel("API key", { exact: true }).waitFor();
  };
  const others: typeof sample = [
    ["/account", async () => button("New API key").click()],
    ["/account", async () => button("Set up two-step sign-in").click()],
    ["/admin/users", async () => user("jonas").waitFor()],
    ["/admin/users", async () => button("Invite somebody").click()],
    ["/admin/users", async () => manage("jonas", "Delete").then(() => dialog().getByLabel("Who gets them").waitFor())],
    ["/admin/users", async () => showInvitation()],
    ["/account", async () => showKey()],
    ["/admin/library", async () => button("Add a folder").click()],
    ["/admin/streams", async () => page.getByText("No stream is under control.").waitFor()],
  ];
  const states = isLong ? [...sample, ...others] : sample;

  test(
    "axe finds nothing on any of the pages, and nothing is wider than the screen",
    async () => {
      // It takes minutes, in which the machine may be busy with others.
      if (isLong) page.setDefaultTimeout(60_000);
      for (const width of widths) {
        await page.setViewportSize({ width, height: 900 });
        for (const colorScheme of schemes) {
          await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
          for (const [path, reach] of states) {
            await page.goto(path);
            await reach();
            const tooWide = await page.evaluate(
              // The place of the scroll bar may be left free.
              () => Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth),
            );
            expect([path, width, colorScheme, await faultsOf(page), tooWide]).toEqual([
              ...[path, width, colorScheme],
              [],
              0,
            ]);
          }
        }
      }
    },
    isLong ? 600_000 : 60_000,
  );

  test("for others there is no such page", async () => {
    await leave(page);
    await enter(page, "ingrid", PASSWORD);
    for (const path of ["/admin/users", "/admin/nothing"]) {
      await page.goto(path);
      await page.getByRole("heading", { name: "There is no such page" }).waitFor();
    }
    await button("Account of ingrid").click();
    await page.getByRole("group", { name: "Account of ingrid" }).getByRole("link", { name: "Account" }).waitFor();
    expect(await page.getByRole("link", { name: "Users" }).count()).toBe(0);
  });

  test("had no other error in the console, no breach of the policy, and asked nobody else for anything", () => {
    expect(browser.troubles).toEqual([]);
  });
});

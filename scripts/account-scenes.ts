import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import type { LibraryReport } from "../src/streaming/contract.ts";
import { enter } from "../test/support/chromium.ts";
import { fixture } from "../test/support/fixtures.ts";
import { TestUser } from "../test/support/kinora.ts";
import { codeOf } from "../test/support/totp.ts";
import { until } from "../test/support/until.ts";

const PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1 Version/19.0 Safari/604.1";

/** People, devices, folders and streams for the pages of accounts and administration. `maria` is the admin. */
export async function fillAccounts(kinora: { readonly url: string }, password: string): Promise<void> {
  const maria = await TestUser.signIn(kinora, "maria", password);
  for (const [username, role] of [
    ["ingrid", "viewer"],
    ["torsten.larsson", "editor"],
    ["ada", "editor"],
  ] as const)
    await maria.post("/api/users", { username, password, role });
  for (const device of [PHONE, "kinora/0.1.0 (linux)"]) {
    const headers = { "Content-Type": "application/json", "User-Agent": device };
    const body = JSON.stringify({ username: "maria", password });
    await new TestUser(kinora).fetch("/api/session", { method: "POST", headers, body });
  }
  await maria.post("/api/auth/api-key/create", { name: "backup script", expiresIn: 90 * 86_400 });
  const ada = await TestUser.signIn(kinora, "ada", password);
  const begun = (await (await ada.post("/api/auth/two-factor/enable", { password })).json()) as { totpURI: string };
  await ada.post("/api/auth/two-factor/verify-totp", { code: codeOf(begun.totpURI) });
  const { items } = (await (await maria.get("/api/users?q=torsten")).json()) as { items: { id: string }[] };
  await maria.send("PATCH", `/api/users/${items[0]?.id}`, { disabled: true });
  const { code } = (await (await maria.post("/api/invites", { role: "viewer" })).json()) as { code: string };
  await new TestUser(kinora).post("/api/session", { username: "paula", password, invite: code });
  await maria.post("/api/invites", { role: "editor", expiresIn: 86_400 });
  const films = join(mkdtempSync(join(tmpdir(), "kinora-films-")), "films");
  mkdirSync(films, { recursive: true });
  await Bun.write(join(films, "Trips", "lake.mp4"), Bun.file(await fixture("h264-only.mp4")));
  await Bun.write(join(films, "shopping list.mp4"), "milk, bread");
  await maria.post("/api/library/folders", { path: films });
}

/** A folder that was removed, with its video kept. */
async function removeFolder(maria: TestUser): Promise<void> {
  const videos = join(mkdtempSync(join(tmpdir(), "kinora-films-")), "old disk");
  await Bun.write(join(videos, "Garden.mp4"), Bun.file(await fixture("h264-aac.mp4")));
  await maria.post("/api/library/folders", { path: videos });
  const { id } = await until(async () => {
    const { items } = (await (await maria.get("/api/library")).json()) as LibraryReport;
    return items.find(({ folder, state, files }) => folder.endsWith("old disk") && state === "ready" && files === 1);
  }, 60_000);
  await maria.send("DELETE", `/api/library/folders/${id}?titles=keep`);
}

/** What is shown to whoever is signed in as `maria`, each by itself. */
export const accountScenes: Readonly<
  Record<string, (scene: { page: Page; kinora: { url: string }; password: string }) => Promise<void>>
> = {
  "account-devices": async ({ page }) => {
    await page.goto("/account");
    await page.getByText("backup script").waitFor();
    await page
      .getByRole("heading", { name: "Two-step sign-in" })
      .evaluate((heading) => heading.scrollIntoView({ block: "start" }));
  },
  "account-two-factor": async ({ page, password }) => {
    await page.goto("/account");
    await page.getByRole("button", { name: "Set up two-step sign-in" }).click();
    await page.getByRole("dialog").getByLabel("Current password").fill(password);
    await page.getByRole("button", { name: "Next" }).click();
    await page.getByRole("img", { name: /QR/ }).waitFor();
  },
  "account-key": async ({ page }) => {
    await page.goto("/account");
    await page.getByRole("button", { name: "New API key" }).click();
    await page.getByLabel("Name").fill("phone upload");
    await page.getByRole("button", { name: "Make the key" }).click();
    await page.getByText("Copy it now").waitFor();
  },
  "account-deleted": async ({ page, kinora, password }) => {
    const maria = await TestUser.signIn(kinora, "maria", password);
    const { id } = await maria.upload(await fixture("h264-aac.mp4"), { name: "Harbour, second try" });
    await maria.send("DELETE", `/api/titles/${id}`);
    await page.goto("/account");
    await page.getByRole("button", { name: "Restore Harbour, second try" }).waitFor();
    await page
      .getByRole("heading", { name: "Recently deleted" })
      .evaluate((heading) => heading.scrollIntoView({ block: "center" }));
  },
  "admin-users": async ({ page }) => {
    await page.goto("/admin/users");
    await page.getByText("torsten.larsson").waitFor();
    await page.getByText(/used by paula/).waitFor();
  },
  "admin-user-menu": async ({ page }) => {
    await page.goto("/admin/users");
    await page.getByRole("button", { name: "Manage ada" }).click();
  },
  "admin-user-delete": async ({ page }) => {
    await page.goto("/admin/users");
    await page.getByRole("button", { name: "Manage jonas" }).click();
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByText(/^jonas has/).waitFor();
    await page.getByRole("combobox", { name: "Who gets them" }).waitFor();
  },
  "admin-invite": async ({ page }) => {
    await page.goto("/admin/users");
    await page.getByRole("button", { name: "Invite somebody" }).click();
    await page.getByRole("dialog").waitFor();
  },
  "admin-invite-made": async ({ page }) => {
    await page.goto("/admin/users");
    await page.getByRole("button", { name: "Invite somebody" }).click();
    await page.getByRole("button", { name: "Make the invitation" }).click();
    await page.getByRole("dialog").getByLabel("Code").waitFor();
    await page.keyboard.press("Escape");
  },
  "admin-folders": async ({ page }) => {
    await page.goto("/admin/library");
    await page.getByText("1 file was not taken").click();
  },
  "admin-folder-add": async ({ page }) => {
    await page.goto("/admin/library");
    await page.getByRole("button", { name: "Add a folder" }).click();
    await page.getByRole("dialog").getByLabel("Folder").fill("/etc");
    await page.getByRole("dialog").getByRole("button", { name: "Add a folder" }).click();
    await page.getByRole("alert").filter({ hasText: /\S/ }).waitFor();
  },
  "admin-folder-remove": async ({ page }) => {
    await page.goto("/admin/library");
    await page.getByRole("button", { name: /^Remove:/ }).click();
    await page
      .getByRole("dialog")
      .getByRole("radio", { name: /^Forget/ })
      .check();
    await page.getByRole("dialog").getByRole("button", { name: "Remove" }).and(page.locator(":enabled")).waitFor();
  },
  "admin-folder-forget": async ({ page }) => {
    await page.goto("/admin/library");
    await page.getByRole("button", { name: /^Remove:/ }).click();
    await page
      .getByRole("dialog")
      .getByRole("radio", { name: /^Forget/ })
      .check();
    await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await page.getByRole("button", { name: "Forget for good" }).and(page.locator(":enabled")).waitFor();
  },
  "admin-folders-removed": async ({ page, kinora, password }) => {
    await removeFolder(await TestUser.signIn(kinora, "maria", password));
    await page.goto("/admin/library");
    await page.getByRole("list", { name: "Removed folders" }).scrollIntoViewIfNeeded();
  },
  "admin-services": async ({ page }) => {
    await page.goto("/admin/services");
    await page.getByText(/^heartbeat/).waitFor();
  },
  "admin-storage": async ({ page }) => {
    await page.goto("/admin/storage");
    await page.getByText(/ free of /).waitFor();
  },
  "admin-streams-none": async ({ page }) => {
    await page.goto("/admin/streams");
    await page.getByText("No stream is under control.").waitFor();
  },
  "admin-streams": async ({ page, kinora, password }) => {
    const jonas = await TestUser.signIn(kinora, "jonas", password);
    const { items } = (await (await jonas.get("/api/titles?owner=me")).json()) as { items: { id: string }[] };
    for (const [index, { id: titleId }] of items.entries()) {
      await jonas.post("/api/streams", { titleId, protocol: index % 2 === 0 ? "rtsp" : "hls" });
      if (index > 1) continue;
      for (const path of ["master.m3u8", "1/1.m4s"])
        await (await jonas.get(`/stream/${titleId}/hls/${path}`)).arrayBuffer();
    }
    await page.goto("/admin/streams");
    await page
      .getByText(/^jonas, over/)
      .first()
      .waitFor();
  },
  "account-codes": async ({ page, password }) => {
    await page.goto("/account");
    await page.getByRole("button", { name: "Set up two-step sign-in" }).click();
    await page.getByRole("dialog").getByLabel("Current password").fill(password);
    const answer = page.waitForResponse(/two-factor\/enable$/);
    await page.getByRole("button", { name: "Next" }).click();
    const { totpURI } = (await (await answer).json()) as { totpURI: string };
    await page.getByLabel("Code from the app").fill(codeOf(totpURI));
    await page.getByRole("button", { name: "Switch on" }).click();
    await page.getByText("Keep these codes").waitFor();
  },
  "sign-in-second": async ({ page, password }) => {
    await page.context().clearCookies();
    await page.goto("/sign-in");
    await page.getByLabel("Name", { exact: true }).fill("ada");
    await page.getByLabel("Password").fill(password);
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByRole("heading", { name: "One more step" }).waitFor();
  },
};

/** Signs in as the admin, for scenes that begin there. */
export async function enterAsAdmin(page: Page, password: string): Promise<void> {
  await page.goto("/sign-in");
  await enter(page, "maria", password);
}

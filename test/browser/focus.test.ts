import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Locator, Page } from "playwright-core";
import { buildWeb } from "../support/build-web.ts";
import { type Browser, enter, eventually, openBrowser, videoState } from "../support/chromium.ts";
import { has } from "../support/debian.ts";
import { fixture } from "../support/fixtures.ts";
import { startTestKinora, type TestKinora, TestUser } from "../support/kinora.ts";
import { codeOf } from "../support/totp.ts";

const PASSWORD = "correct horse battery";

/** WCAG 2.2, 2.4.3: after everything that is done with the keyboard, something sensible has the focus. */
describe.skipIf(!has("chromium", "ffmpeg"))("with the keyboard alone", () => {
  let kinora: TestKinora;
  let maria: TestUser;
  let browser: Browser;
  let page: Page;
  const ids = new Map<string, string>();
  const idOf = (name: string) => ids.get(name) ?? "";

  beforeAll(async () => {
    await buildWeb();
    kinora = await startTestKinora({ registration: "open" });
    maria = await TestUser.signIn(kinora, "maria", PASSWORD);
    const file = await fixture("h264-only.mp4");
    for (let number = 1; number <= 8; number++) {
      const name = `Video ${number}`;
      ids.set(name, (await maria.upload(file, { name, tags: ["sea", "sun"] })).id);
    }
    // A deleted video, a wrong password, and events of a session that two-step sign-in has replaced are refused.
    const refused = [/404 .*\/api\/titles\/[0-9a-f-]{36}$/, /40[013] .*\/api\/(auth\/two-factor|events)/];
    browser = await openBrowser(kinora.url, {}, refused);
    page = browser.page;
    await page.goto("/sign-in");
    await enter(page, "maria", PASSWORD);
    await page.waitForURL(/\/videos$/);
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await kinora?.close();
  });

  const button = (name: string | RegExp) => page.getByRole("button", { name, exact: true });
  const press = async (target: Locator) => {
    // A key on what is not ready yet would be lost.
    await eventually("it can be pressed", async () => (await target.isVisible()) && (await target.isEnabled()));
    await target.press("Enter");
  };
  const notice = (text: string) => page.locator(".notice", { hasText: text });
  /** What a screen reader calls what has the focus, with its element and, in a list of videos, the video. */
  const focused = () =>
    page.evaluate(() => {
      const { activeElement } = document;
      if (!activeElement || activeElement === document.body) return "nothing";
      const label = activeElement instanceof HTMLInputElement ? activeElement.labels?.[0]?.textContent : null;
      const text = activeElement.getAttribute("aria-label") ?? label ?? activeElement.textContent;
      return `${activeElement.localName} ${text?.trim()}`;
    });
  const focusIsOn = (wanted: string | RegExp) =>
    eventually(
      `the focus is on ${wanted}`,
      async () => {
        const now = await focused();
        return typeof wanted === "string" ? now === wanted : wanted.test(now);
      },
      10_000,
      focused,
    );
  const showGrid = async () => {
    await page.goto("/videos");
    await page.locator(".cells .cell").first().waitFor();
    const grid = button("Show as grid");
    if ((await grid.count()) > 0) await press(grid);
    await page.locator(".cells[data-view=grid]").waitFor();
  };
  const card = (name: string) => page.locator("a.stop", { hasText: name });

  test("what was edited, or not, leads back to Edit; there Space presses it, and k plays from anywhere", async () => {
    await page.goto(`/watch/${idOf("Video 1")}`);
    await eventually("it plays", async () => ((await videoState(page))?.currentTime ?? 0) > 0);
    const paused = () => page.locator("video").evaluate((video: HTMLVideoElement) => video.paused);
    // Its end would pause it as well.
    await page.locator("video").evaluate((video: HTMLVideoElement) => Object.assign(video, { loop: true }));
    await press(button("Edit"));
    await focusIsOn("input Name");
    await press(button("Cancel"));
    await focusIsOn("button Edit");
    await press(button("Edit"));
    await page.getByLabel("Description").fill("At the lake");
    await press(button("Save"));
    await page.getByText("At the lake").waitFor();
    await focusIsOn("button Edit");
    await page.locator("video").evaluate((video: HTMLVideoElement) => video.play());
    await page.keyboard.press("Space");
    await focusIsOn("input Name");
    expect(await paused()).toBe(false);
    await press(button("Cancel"));
    await focusIsOn("button Edit");
    await page.keyboard.press("k");
    await eventually("it pauses", paused);
    await page.getByRole("heading", { name: "Video 1" }).focus();
    await page.keyboard.press("Space");
    await eventually("it plays", async () => !(await paused()));
  });

  test("dialogs lead back to what opened them, whether they are done, cancelled or closed", async () => {
    await press(button("Share"));
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await focusIsOn("button Share");
    await press(button("Add to collection"));
    await page.getByRole("dialog").getByLabel("New collection").fill("Summer");
    await page.keyboard.press("Enter");
    await notice("Summer").waitFor();
    await focusIsOn("button Add to collection");
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
    await press(button("Close"));
    await focusIsOn("button Add to collection");
  });

  test("links are revoked one after the other", async () => {
    await press(button("Share"));
    const dialog = page.getByRole("dialog");
    for (let times = 0; times < 2; times++) {
      await press(dialog.getByRole("button", { name: "Make a link" }));
      await dialog
        .getByRole("button", { name: /^Revoke/ })
        .nth(times)
        .waitFor();
    }
    await press(dialog.getByRole("button", { name: /^Revoke/ }).first());
    await eventually("one is left", async () => (await dialog.getByRole("button", { name: /^Revoke/ }).count()) === 1);
    await focusIsOn(/^button Revoke the link/);
    await page.keyboard.press("Enter");
    await focusIsOn("button Make a link");
    await page.keyboard.press("Escape");
    await focusIsOn("button Share");
  });

  test("tags that are refused are told beside their field, nothing is sent and nothing typed is lost", async () => {
    const long = "x".repeat(80);
    const sent: string[] = [];
    const note = (request: { method(): string; url(): string }) => {
      if (request.method() !== "GET") sent.push(new URL(request.url()).pathname);
    };
    const told = (where: Page | Locator) => where.getByRole("alert").filter({ hasText: /64 characters.* has 80\.$/ });
    const atField = async (where: Page | Locator, label: string) => {
      const field = where.getByRole("textbox", { name: label });
      await field.fill(`sea, ${long}`);
      sent.length = 0;
      page.on("request", note);
      await page.keyboard.press("Enter");
      await told(where).waitFor();
      page.off("request", note);
      expect(sent.filter((path) => /titles|uploads/.test(path))).toEqual([]);
      expect(await field.inputValue()).toBe(`sea, ${long}`);
      await focusIsOn(`input ${label}`);
      expect(await field.getAttribute("aria-invalid")).toBe("true");
      await field.fill("sea");
      await told(where).waitFor({ state: "detached" });
    };
    await page.goto(`/watch/${idOf("Video 8")}`);
    await press(button("Edit"));
    const form = page.getByRole("form", { name: "Edit" });
    await form.getByRole("textbox", { name: "Name" }).fill("Video eight");
    await atField(form, "Tags");
    page.on("request", note);
    await form.getByRole("textbox", { name: "Tags" }).fill("night");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Video eight" }).waitFor();
    page.off("request", note);
    // Name and tags go together.
    expect(sent.filter((path) => path.startsWith("/api/titles/"))).toEqual([`/api/titles/${idOf("Video 8")}`]);
    await maria.send("PATCH", `/api/titles/${idOf("Video 8")}`, { name: "Video 8", tags: ["sea", "sun"] });
    await page.goto("/upload");
    await atField(page, "Tags");
    await showGrid();
    await card("Video 7").focus();
    await page.keyboard.press("x");
    await press(button("Tag"));
    const dialog = page.getByRole("dialog", { name: "Tag 1 video" });
    await atField(dialog, "Add these tags");
    // What the server refuses leaves the dialog as it is.
    const more = Array.from({ length: 99 }, (_, index) => `tag ${index}`).join(", ");
    await dialog.getByRole("textbox", { name: "Add these tags" }).fill(more);
    await page.keyboard.press("Enter");
    await dialog.getByText("1 video could not be changed: A title has at most 100 tags").waitFor();
    expect(await dialog.getByRole("textbox", { name: "Add these tags" }).inputValue()).toBe(more);
    await press(dialog.getByRole("button", { name: "Cancel" }));
    await page.keyboard.press("Escape");
  });

  test("selecting, changing, cancelling and deleting stay in the list", async () => {
    await showGrid();
    await card("Video 6").focus();
    await page.keyboard.press("x");
    await focusIsOn(/^input .*Video 6/);
    await page.keyboard.press("Escape");
    await focusIsOn("a Video 6");
    await page.keyboard.press("x");
    await press(button("Cancel"));
    await focusIsOn("a Video 6");
    await page.keyboard.press("x");
    await press(button("Who may see it"));
    await press(page.locator(".menu-item", { hasText: "Members" }));
    await notice("1 video changed.").waitFor();
    await focusIsOn("a Video 6");
    await page.keyboard.press("x");
    await press(button("Tag"));
    await page.getByLabel("Add these tags").fill("boats");
    await page.keyboard.press("Enter");
    await notice("1 video changed.").nth(1).waitFor();
    await focusIsOn("a Video 6");
    await page.keyboard.press("x");
    await press(button("Delete"));
    await notice("1 video deleted.").waitFor();
    await card("Video 6").waitFor({ state: "detached" });
    await focusIsOn("a Video 5");
    await press(notice("deleted").getByRole("button", { name: "Undo" }));
    await notice("1 video is back.").waitFor();
    await focusIsOn("a Video 5");
    await card("Video 1").focus();
    await page.keyboard.press("x");
    await press(button("Delete"));
    await card("Video 1").waitFor({ state: "detached" });
    await focusIsOn("a Video 2");
    // It has taken the place of the one before.
    expect(await notice("1 video is back.").count()).toBe(0);
    await press(notice("1 video deleted.").getByRole("button", { name: "Dismiss" }));
    await focusIsOn("a Video 2");
  });

  test("a menu that is opened the moment it is there stays open", async () => {
    await showGrid();
    await card("Video 2").focus();
    const isOpen = await page.evaluate(async () => {
      const opened = new Promise<void>((resolve) => {
        // Before the next picture.
        const observer = new MutationObserver(() => {
          const opener = document.querySelector<HTMLElement>("[popovertarget=share-menu]:enabled");
          if (!opener) return;
          observer.disconnect();
          opener.click();
          resolve();
        });
        observer.observe(document.body, { childList: true, subtree: true });
      });
      document.activeElement?.dispatchEvent(new KeyboardEvent("keydown", { key: "x", bubbles: true }));
      await opened;
      await new Promise((resolve) => setTimeout(resolve, 300));
      return document.querySelector("#share-menu")?.matches(":popover-open");
    });
    expect(isOpen).toBe(true);
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
  });

  test("filters are taken away one after the other", async () => {
    await page.goto("/videos?tag=sea&tag=sun");
    await card("Video 2").waitFor();
    await press(page.locator(".tags.chosen button").first());
    await eventually("one is left", async () => (await page.locator(".tags.chosen button").count()) === 1);
    await focusIsOn(/^button .*sun/);
    await page.keyboard.press("Enter");
    await page.locator(".tags.chosen").waitFor({ state: "detached" });
    await focusIsOn("input Search");
  });

  test("a deleted video leads to the list, and its undoing back to where one was", async () => {
    await page.goto(`/watch/${idOf("Video 3")}`);
    await press(button("Edit"));
    await press(button("Delete video"));
    await page.waitForURL(/\/videos$/);
    await focusIsOn("h1 My videos");
    await card("Video 4").focus();
    await press(notice("Video 3").getByRole("button", { name: "Undo" }));
    await card("Video 3").waitFor();
    await focusIsOn("a Video 4");
  });

  test("taking a video out of a collection leads to the next one, undoing to where one was", async () => {
    const { id } = (await (await maria.post("/api/collections", { name: "Days" })).json()) as { id: string };
    const titleIds = ["Video 4", "Video 5", "Video 7"].map(idOf);
    await maria.post(`/api/collections/${id}/titles`, { titleIds });
    await page.goto(`/collections/${id}`);
    const take = (name: string) => page.getByRole("listitem").filter({ hasText: name }).locator("button.close");
    await press(take("Video 5"));
    await focusIsOn(/^button .*Video 7/);
    await notice("Video 5").waitFor();
    await press(notice("Video 5").getByRole("button", { name: "Undo" }));
    await take("Video 5").waitFor();
    await focusIsOn(/^button .*Video 7/);
    await page.keyboard.press("Enter");
    await focusIsOn(/^button .*Video 5/);
    await press(button("More"));
    await press(button("Rename"));
    await page.getByRole("dialog").getByRole("textbox", { name: "Name" }).fill("Nights");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Nights" }).waitFor();
    await focusIsOn("button More");
  });

  test("admins' lists pass it on as well", async () => {
    for (const name of ["paula", "quentin"])
      await maria.post("/api/users", { username: name, password: PASSWORD, role: "viewer" });
    for (let times = 0; times < 2; times++) await maria.post("/api/invites", { role: "viewer", expiresIn: 3600 });
    await page.goto("/admin/users");
    await press(button("Manage paula"));
    await press(page.locator(".menu:popover-open .menu-item.danger"));
    await press(page.getByRole("dialog").getByRole("button", { name: "Cancel" }));
    await focusIsOn("button Manage paula");
    await page.keyboard.press("Enter");
    await press(page.locator(".menu:popover-open .menu-item.danger"));
    await press(page.getByRole("dialog").locator("button[type=submit]"));
    await button("Manage paula").waitFor({ state: "detached" });
    await focusIsOn("button Manage quentin");
    const revoke = page.getByRole("button", { name: /^Revoke/ });
    await press(revoke.first());
    await eventually("one is left", async () => (await revoke.count()) === 1);
    await focusIsOn(/^button Revoke/);
    await page.keyboard.press("Enter");
    await revoke.waitFor({ state: "detached" });
    await focusIsOn("h2 Invitations");
  });

  test("sessions, keys and deleted videos go one after the other, the last one to the heading", async () => {
    for (const device of ["kinora/0.1.0", "kinora/0.2.0"]) {
      const headers = { "Content-Type": "application/json", "User-Agent": device };
      const body = JSON.stringify({ username: "maria", password: PASSWORD });
      await new TestUser(kinora).fetch("/api/session", { method: "POST", headers, body });
    }
    for (const name of ["Video 7", "Video 8"]) await maria.send("DELETE", `/api/titles/${idOf(name)}`);
    await page.goto("/account");
    const region = (name: string) => page.getByRole("region", { name });
    await press(button("Sign out kinora 0.2.0"));
    await page.getByText("Signed out there.").waitFor();
    await focusIsOn("button Sign out kinora 0.1.0");
    await press(button("Sign out everywhere else"));
    await region("Where you are signed in").getByText("You are signed in nowhere else.").waitFor();
    await focusIsOn("h2 Where you are signed in");

    for (const name of ["one", "two"]) {
      await press(button("New API key"));
      await page.getByRole("dialog").getByLabel("Name").fill(name);
      await page.keyboard.press("Enter");
      await press(button("I have saved it"));
      await focusIsOn("button New API key");
    }
    await press(button("Delete two"));
    await press(page.getByRole("dialog").getByRole("button", { name: "Cancel" }));
    await focusIsOn("button Delete two");
    await page.keyboard.press("Enter");
    await press(page.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }));
    await focusIsOn("button Delete one");
    await page.keyboard.press("Enter");
    await press(page.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }));
    await region("API keys").getByText("No keys yet.").waitFor();
    await focusIsOn("h2 API keys");

    const restore = region("Recently deleted").getByRole("button", { name: /^Restore/ });
    const [first = ""] = await restore.allInnerTexts();
    expect(first).not.toBe("");
    for (let left = (await restore.count()) - 1; left >= 0; left--) {
      await press(restore.first());
      await eventually("it is gone", async () => (await restore.count()) === left);
      await focusIsOn(left > 0 ? /^button Restore Video/ : "h2 Recently deleted");
    }
  });

  test("the steps of two-step sign-in take the focus, and give it back", async () => {
    await press(button("Set up two-step sign-in"));
    await focusIsOn("input Current password");
    await page.keyboard.type("wrong password");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").filter({ hasText: "The password is not right." }).waitFor();
    await focusIsOn("input Current password");
    await page.getByRole("dialog").getByLabel("Current password").fill(PASSWORD);
    await press(page.getByRole("dialog").getByRole("button", { name: "Next" }));
    await focusIsOn(/^input Code from the app/);
    await page.getByText("Type it in instead").press("Enter");
    const secret = (await page.getByRole("dialog").locator("code").innerText()).replaceAll(" ", "");
    await page.getByLabel("Code from the app").fill(codeOf(`otpauth://totp/x?secret=${secret}`));
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Two-step sign-in is on" }).waitFor();
    expect(await focused()).not.toBe("nothing");
    await press(button("I have saved them"));
    await button("Switch off two-step sign-in").waitFor();
    await focusIsOn("h2 Two-step sign-in");
    await press(button("Switch off two-step sign-in"));
    await page.getByRole("dialog").getByLabel("Current password").fill(PASSWORD);
    await page.keyboard.press("Enter");
    await button("Set up two-step sign-in").waitFor();
    await focusIsOn("h2 Two-step sign-in");
  });

  test("had no error in the console, no breach of the policy, and asked nobody else for anything", () => {
    expect(browser.troubles).toEqual([]);
  });
});

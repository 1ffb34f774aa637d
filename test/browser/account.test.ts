import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Locator, Page, Request } from "playwright-core";
import decodeQR from "qr/decode.js";
import { buildWeb } from "../support/build-web.ts";
import { type Browser, enter, eventually, leave, openBrowser } from "../support/chromium.ts";
import { has } from "../support/debian.ts";
import { fixture } from "../support/fixtures.ts";
import { startTestKinora, type TestKinora, TestUser } from "../support/kinora.ts";
import { codeOf } from "../support/totp.ts";

/** What a phone's camera reads in a QR code. */
async function readQr(picture: Locator): Promise<string> {
  const sides = 6;
  const { path, size } = await picture.evaluate((svg) => ({
    path: svg.querySelector("path")?.getAttribute("d") ?? "",
    size: (svg as SVGSVGElement).viewBox.baseVal.width,
  }));
  const [width, height] = [size * sides, size * sides];
  const data = new Uint8Array(width * height * 4).fill(255);
  for (const [, x, y] of path.matchAll(/M(\d+) (\d+)h1v1h-1z/g)) {
    for (let row = 0; row < sides; row++)
      for (let column = 0; column < sides; column++) {
        const at = 4 * ((Number(y) * sides + row) * width + Number(x) * sides + column);
        data.fill(0, at, at + 3);
      }
  }
  return decodeQR({ width, height, data });
}

const PASSWORD = "correct horse battery";
const NEXT = "a staple, another horse";

describe.skipIf(!has("chromium", "ffmpeg"))("accounts in the browser", () => {
  let kinora: TestKinora;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    await buildWeb();
    // A name that others see Kinora under makes the first account take the code.
    kinora = await startTestKinora({ registration: "open", trustedProxies: ["127.0.0.1"] });
    // Refusals are answered with 4xx, which Chromium logs.
    browser = await openBrowser(kinora.url, { width: 390 }, [
      /(401|403|409) .*\/api\/(session|events|auth\/two-factor)/,
    ]);
    page = browser.page;
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await kinora?.close();
  });

  const accountPage = () => page.getByRole("region", { name: "Account", exact: true });
  const name = () => page.getByLabel("Name", { exact: true });
  /** What is shown once is not lost to Escape or a press beside it, as often as it is tried; its button closes it. */
  const staysUntilSaved = async (saved: string) => {
    const dialog = page.getByRole("dialog");
    const button = dialog.getByRole("button", { name: saved });
    expect(await dialog.getByRole("button", { name: "Close" }).count()).toBe(0);
    for (let times = 0; times < 3; times++) await page.keyboard.press("Escape");
    await alert(`This is not shown again. Save it first, then choose “${saved}”.`);
    expect(await button.evaluate((element) => element === document.activeElement)).toBe(true);
    await page.mouse.click(2, 2);
    const { pathname } = new URL(page.url());
    for (let times = 0; times < 2; times++) {
      await page.evaluate(() => history.back());
      await eventually("one is here again", async () => new URL(page.url()).pathname === pathname);
      expect(await dialog.isVisible()).toBe(true);
    }
    // A gesture that no page can refuse.
    await dialog.evaluate((element: HTMLDialogElement) => element.close());
    expect(await dialog.evaluate((element: HTMLDialogElement) => element.open)).toBe(true);
    await button.press("Enter");
    await dialog.waitFor({ state: "detached" });
  };
  const alert = (text: string | RegExp) => page.getByRole("alert").filter({ hasText: text }).waitFor();

  test("the form says what a name is made of, before it is sent", async () => {
    await page.goto("/sign-in");
    await page.getByText("Letters, digits, dot, dash and underscore").waitFor();
    await name().fill("Maria Silva");
    await page.getByText("A name has no spaces. Try “maria.silva”.").waitFor();
    await page.getByLabel("Password").first().fill(PASSWORD);
    await page.getByRole("button", { name: "Create account" }).click();
    expect(await name().evaluate((input: HTMLInputElement) => input.validationMessage)).toContain("no spaces");
    await name().fill(" Maria ");
    await page.getByText("Capital letters become small: “maria”.").waitFor();
  });

  test("the first account is announced as the administrator's; its code is asked for in plain words", async () => {
    await page.getByRole("heading", { name: "Create the administrator's account" }).waitFor();
    await page.getByText("the first account becomes the administrator").waitFor();
    expect(await page.getByRole("button", { name: "Continue" }).count()).toBe(0);
    await page.getByLabel("Password, once more").fill(PASSWORD);
    await page.getByText(/It stands in the terminal, or the log, where Kinora was started/).waitFor();
    expect(await page.getByText("setupCode").count()).toBe(0);
    const code = page.getByLabel("Setup code");
    await code.fill("AAAA-BBBB-CCCC-DDDD");
    await page.getByRole("button", { name: "Create account" }).click();
    await alert("This is not the setup code.");
    await code.fill(kinora.firstAdminCode ?? "");
    await page.getByRole("button", { name: "Create account" }).click();
    await page.waitForURL(/\/upload$/);
    await page.getByText("You are the administrator of this Kinora.").waitFor();
    await page.getByRole("button", { name: "Account of maria" }).waitFor();
  });

  test("the name in the header leads to the account, where the password is changed", async () => {
    const elsewhere = await TestUser.signIn(kinora, "maria", PASSWORD);
    await page.getByRole("button", { name: "Account of maria" }).click();
    await page.getByRole("link", { name: "Account", exact: true }).click();
    await page.waitForURL(/\/account$/);
    await page.reload();
    await page.getByText("Signed in as maria, administrator.").waitFor();
    const change = async (current: string, next: string, again = next) => {
      await page.getByLabel("Current password").fill(current);
      await page.getByLabel("New password", { exact: true }).fill(next);
      await page.getByLabel("New password, once more").fill(again);
      await page.getByRole("button", { name: "Change password" }).click();
    };
    await change(PASSWORD, NEXT, PASSWORD);
    await alert("The two new passwords are not the same.");
    await change("not the password", NEXT);
    await alert("The current password is not right.");
    expect(new URL(page.url()).pathname).toBe("/account");
    await change(PASSWORD, NEXT);
    await page.getByText("Password changed.").waitFor();
    expect((await elsewhere.get("/api/session")).status).toBe(401);
    const widths = await page.evaluate(() => {
      const { scrollWidth, clientWidth } = document.documentElement;
      return { scrollWidth, clientWidth };
    });
    expect(widths.scrollWidth).toBeLessThanOrEqual(widths.clientWidth);
  });

  test("the account page signs out, and the new password counts", async () => {
    await accountPage().getByRole("button", { name: "Sign out", exact: true }).click();
    await page.waitForURL(/\/sign-in/);
    await enter(page, "maria", NEXT);
    await page.waitForURL(/\/upload$/);
  });

  test("the account page lists where one is signed in, and signs out a device and all others", async () => {
    for (const device of ["kinora/0.1.0 (darwin)", "curl/8.0", "curl/8.1"]) {
      const headers = { "Content-Type": "application/json", "User-Agent": device };
      const body = JSON.stringify({ username: "maria", password: NEXT });
      await new TestUser(kinora).fetch("/api/session", { method: "POST", headers, body });
    }
    await page.goto("/account");
    const sessions = page.getByRole("region", { name: "Where you are signed in" });
    await sessions.getByText("This device").waitFor();
    expect(await sessions.getByRole("listitem").count()).toBe(4);
    await sessions.getByRole("button", { name: "Sign out kinora 0.1.0 on macOS" }).click();
    await page.getByText("Signed out there.").waitFor();
    await sessions.getByRole("button", { name: "Sign out everywhere else" }).click();
    await page.getByText("Signed out on 2 other devices.").waitFor();
    await sessions.getByText("You are signed in nowhere else.").waitFor();
  });

  test("an API key is made, shown once, works, and is deleted", async () => {
    const follow = (path: string) =>
      page
        .locator(`a[href="${path}"]`)
        .first()
        .evaluate((link: HTMLElement) => link.click());
    await follow("/library");
    await page.getByRole("heading", { name: "Library", level: 1 }).waitFor();
    await page.getByRole("button", { name: /^Account of/ }).click();
    await follow("/account");
    await page.getByRole("button", { name: "New API key" }).click();
    await page.getByLabel("Name").fill("backup script");
    await page.getByLabel("Valid for").selectOption("30 days");
    await page.getByRole("button", { name: "Make the key" }).click();
    const shown = page.getByLabel("API key", { exact: true });
    const key = await shown.inputValue();
    await shown.focus();
    await eventually("it is shown from its beginning", () =>
      shown.evaluate((field: HTMLInputElement) => field.scrollWidth > field.clientWidth && field.scrollLeft === 0),
    );
    await page.getByRole("dialog").getByRole("button", { name: "Copy" }).waitFor();
    const headers = { Authorization: `Bearer ${key}` };
    expect((await new TestUser(kinora).fetch("/api/session", { headers })).status).toBe(200);
    await staysUntilSaved("I have saved it");
    await page.reload();
    const keys = page.getByRole("region", { name: "API keys" });
    await keys.getByText("backup script").waitFor();
    expect(await page.content()).not.toContain(key);
    await keys.getByRole("button", { name: "Delete backup script" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }).click();
    await keys.getByRole("status").filter({ hasText: "No keys yet." }).waitFor();
    expect((await new TestUser(kinora).fetch("/api/session", { headers })).status).toBe(401);
  });

  test("two-step sign-in is set up by the picture or by hand, asked for at sign-in, and switched off", async () => {
    await page.getByRole("button", { name: "Set up two-step sign-in" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Current password").fill(NEXT);
    await dialog.getByRole("button", { name: "Next" }).click();
    const address = await readQr(dialog.getByRole("img", { name: "QR code for the authenticator app" }));
    expect(decodeURIComponent(address)).toStartWith(`otpauth://totp/Kinora:maria@${new URL(kinora.url).host}?secret=`);
    await dialog.getByText("Type it in instead").click();
    const secret = new URL(address).searchParams.get("secret") ?? "";
    expect((await dialog.locator("code").innerText()).replaceAll(" ", "")).toBe(secret);
    await dialog.getByLabel("Code from the app").fill("000000");
    await dialog.getByRole("button", { name: "Switch on" }).click();
    await alert(/This code is not right/);
    await dialog.getByLabel("Code from the app").fill(codeOf(address));
    await dialog.getByRole("button", { name: "Switch on" }).click();
    await page.getByRole("heading", { name: "Two-step sign-in is on" }).waitFor();
    const codes = await dialog.getByRole("listitem").allInnerTexts();
    expect(codes).toHaveLength(10);
    const download = page.waitForEvent("download");
    await dialog.getByRole("link", { name: "Download" }).click();
    expect(await Bun.file(await (await download).path()).text()).toBe(`${codes.join("\n")}\n`);
    await staysUntilSaved("I have saved them");
    await page.getByText("On", { exact: true }).waitFor();

    await accountPage().getByRole("button", { name: "Sign out", exact: true }).click();
    await name().fill("maria");
    await page.getByLabel("Password").fill(NEXT);
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByRole("heading", { name: "One more step" }).waitFor();
    await page.getByLabel("Code").fill("000000");
    await page.getByRole("button", { name: "Continue" }).click();
    await alert(/This code is not right/);
    await page.getByLabel("Code").fill(codes[0] ?? "");
    await page.getByRole("button", { name: "Continue" }).click();
    await page.waitForURL(/\/upload$/);

    await page.goto("/account");
    await page.getByRole("button", { name: "Switch off two-step sign-in" }).click();
    await dialog.getByLabel("Current password").fill("not the password");
    await dialog.getByRole("button", { name: "Switch off two-step sign-in" }).click();
    await alert("The password is not right.");
    await dialog.getByLabel("Current password").fill(NEXT);
    await dialog.getByRole("button", { name: "Switch off two-step sign-in" }).click();
    await page.getByText("Two-step sign-in is off.").waitFor();
  });

  test("a deleted video is listed and brought back", async () => {
    const maria = await TestUser.signIn(kinora, "maria", NEXT);
    const { id } = await maria.upload(await fixture("h264-only.mp4"), { name: "By mistake" });
    await maria.send("DELETE", `/api/titles/${id}`);
    await page.goto("/videos");
    const way = page.getByRole("link", { name: "Recently deleted" });
    await way.hover();
    await page.mouse.down();
    // What comes by itself meanwhile, as here because the page is seen again, takes nothing away under the pointer.
    const readAgain = page.waitForResponse(/\/api\/titles\?/);
    await page.evaluate(() => ["freeze", "resume"].map((type) => document.dispatchEvent(new Event(type))));
    await (await readAgain).finished();
    await page.mouse.up();
    await page.waitForURL(/\/account\?show=deleted$/);
    const deleted = page.getByRole("region", { name: "Recently deleted" });
    await deleted.getByText("Deleted videos can be brought back for 1 minute.").waitFor();
    await deleted.getByRole("button", { name: "Restore By mistake" }).click();
    await page.getByText("“By mistake” is back.").waitFor();
    await deleted.getByText("Nothing to bring back.").waitFor();
    expect((await maria.get(`/api/titles/${id}`)).status).toBe(200);
  });

  test("while one signs out, the page does not ask for the events of the session that is over", async () => {
    const refused: string[] = [];
    page.on("response", (response) => {
      if (response.status() === 401 && response.url().endsWith("/api/events")) refused.push(response.url());
    });
    await page.route("**/api/session", async (route) => {
      if (route.request().method() !== "DELETE") return route.continue();
      const response = await route.fetch();
      // The session is over, and the page does not know it yet.
      await Bun.sleep(1_000);
      await route.fulfill({ response });
    });
    const reading = new Set<Request>();
    let reads = 0;
    page.on("request", (request) => request.url().includes("/api/titles") && reading.add(request));
    page.on("requestfinished", (request) => {
      if (reading.delete(request) && new URL(request.url()).search === "") reads++;
    });
    page.on("requestfailed", (request) => reading.delete(request));
    await page.goto("/library");
    // Once at first and once when events are followed: what is asked for before the session ends may be refused after.
    await eventually("the library is read", () => Promise.resolve(reads >= 2 && reading.size === 0));
    await leave(page);
    await page.unroute("**/api/session");
    expect(refused).toEqual([]);
    await enter(page, "maria", NEXT);
    await page.waitForURL(/\/(upload|videos|library)/);
  });

  test("more than 20 videos are deleted only after a question, and what is said of them is said once", async () => {
    const maria = await TestUser.signIn(kinora, "maria", NEXT);
    const file = await fixture("h264-only.mp4");
    const ids: string[] = [];
    for (let number = 1; number <= 20; number++) ids.push((await maria.upload(file, { name: `Copy ${number}` })).id);
    await page.goto("/videos");
    await page.getByRole("button", { name: "Select", exact: true }).click();
    await page.getByRole("button", { name: "Select all" }).click();
    await page.getByText("21 selected").waitFor();
    const bar = page.getByRole("group", { name: "With the selected videos" });
    await bar.getByRole("button", { name: "Delete" }).click();
    const dialog = page.getByRole("dialog", { name: "Delete 21 videos?" });
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await page.getByText("21 selected").waitFor();
    await bar.getByRole("button", { name: "Delete" }).click();
    await dialog.getByRole("button", { name: "Delete" }).click();
    await page.getByText("21 videos deleted.").waitFor();
    // In what is empty now, and in what is said.
    const ways = page.getByRole("link", { name: "Recently deleted" });
    await eventually("both lead to what was deleted", async () => (await ways.count()) === 2);
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByText("21 videos are back.").waitFor();
    await page.getByRole("button", { name: "Select", exact: true }).click();
    await page.getByRole("checkbox", { name: "Select Copy 20" }).check();
    await bar.getByRole("button", { name: "Delete" }).click();
    await page.getByText("1 video deleted.").waitFor();
    expect(await page.getByText("videos are back").count()).toBe(0);
    await maria.post("/api/titles/batch", { ids: ids.slice(0, 19), delete: true });
    await page.goto("/account");
  });

  test("language and appearance are chosen on the account page", async () => {
    await page.getByRole("radio", { name: "Español" }).check();
    await page.getByRole("heading", { name: "Cuenta", exact: true }).waitFor();
    await page.getByRole("radio", { name: "English" }).check();
    await page.getByRole("radio", { name: "Dark" }).check();
    expect(await page.locator("html").getAttribute("data-theme")).toBe("dark");
  });

  test("an account after the first is not announced as the administrator's", async () => {
    await leave(page);
    // Whoever signed out knows why.
    await page.getByText("New here? Choose a name and a password.").waitFor();
    await name().fill("jonas");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByText("Nobody is called “jonas” yet").waitFor();
    expect(await page.getByText("administrator").count()).toBe(0);
  });

  test("an invitation greets, with its code in the form", async () => {
    await page.goto("/sign-in?invite=ABCD-EFGH");
    await page.getByRole("heading", { name: "You are invited" }).waitFor();
    expect(await page.getByLabel("Invitation").inputValue()).toBe("ABCD-EFGH");
    await page.getByLabel("Password, once more").waitFor();
    await page.getByRole("button", { name: "I have an account: sign in" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    expect(await page.getByLabel("Password, once more").count()).toBe(0);
  });

  test("an invitation makes an account in one step, and says when a name is taken", async () => {
    const maria = await TestUser.signIn(kinora, "maria", NEXT);
    const { code } = (await (await maria.post("/api/invites", {})).json()) as { code: string };
    await page.goto(`/sign-in?invite=${code}`);
    const create = async (called: string) => {
      await name().fill(called);
      await page.locator("input[name=password]").fill(PASSWORD);
      await page.getByLabel("Password, once more").fill(PASSWORD);
      await page.getByRole("button", { name: "Create account" }).click();
    };
    await create("Maria");
    await alert("The name “maria” is taken. Choose another one.");
    await create("olga");
    await page.waitForURL(/\/(upload|library|videos)$/);
  });

  test("had no other error in the console, no breach of the policy, and asked nobody else for anything", () => {
    expect(browser.troubles).toEqual([]);
  });
});

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { buildWeb } from "../support/build-web.ts";
import { type Browser, enter, leave, openBrowser } from "../support/chromium.ts";
import { has } from "../support/debian.ts";
import { startTestKinora, type TestKinora, TestUser } from "../support/kinora.ts";

const PASSWORD = "correct horse battery";
const NEXT = "a staple, another horse";

describe.skipIf(!has("chromium"))("accounts in the browser", () => {
  let kinora: TestKinora;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    await buildWeb();
    // A name that others see Kinora under makes the first account take the code.
    kinora = await startTestKinora({ registration: "open", trustedProxies: ["127.0.0.1"] });
    // Refusals are answered with 4xx, which Chromium logs.
    browser = await openBrowser(kinora.url, { width: 390 }, [/(401|403) .*\/api\/session/]);
    page = browser.page;
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await kinora?.close();
  });

  const name = () => page.getByLabel("Name", { exact: true });
  const alert = (text: string | RegExp) => page.getByRole("alert").filter({ hasText: text }).waitFor();

  test("the form says what a name is made of, before it is sent", async () => {
    await page.goto("/sign-in");
    await page.getByText("Letters, digits, dot, dash and underscore").waitFor();
    await name().fill("Maria Silva");
    await page.getByText("A name has no spaces. Try “maria.silva”.").waitFor();
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Continue" }).click();
    expect(await name().evaluate((input: HTMLInputElement) => input.validationMessage)).toContain("no spaces");
    await name().fill(" Maria ");
    await page.getByText("Capital letters become small: “maria”.").waitFor();
  });

  test("the first account is announced as the administrator's; its code is asked for in plain words", async () => {
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByText("Create the first account; it will be the administrator.").waitFor();
    await page.getByLabel("Password, once more").fill(PASSWORD);
    await page.getByRole("button", { name: "Create account" }).click();
    await alert(/It stands in the terminal, or the log, where Kinora was started/);
    expect(await page.getByText("setupCode").count()).toBe(0);
    const code = page.getByLabel("Setup code");
    await code.fill("AAAA-BBBB-CCCC-DDDD");
    await page.getByRole("button", { name: "Create account" }).click();
    await alert("This is not the setup code.");
    await code.fill(kinora.firstAdminCode ?? "");
    await page.getByRole("button", { name: "Create account" }).click();
    await page.waitForURL(/\/upload$/);
    await page.getByText("Your account is the administrator’s.").waitFor();
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
    const { scrollWidth, clientWidth } = await page.evaluate(() => document.documentElement);
    expect(scrollWidth).toBe(clientWidth);
  });

  test("the account page signs out, and the new password counts", async () => {
    await page.getByRole("region", { name: "Account" }).getByRole("button", { name: "Sign out" }).click();
    await page.waitForURL(/\/sign-in/);
    await enter(page, "maria", NEXT);
    await page.waitForURL(/\/upload$/);
  });

  test("an account after the first is not announced as the administrator's", async () => {
    await leave(page);
    await name().fill("jonas");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByText("Nobody is called “jonas” yet").waitFor();
    expect(await page.getByText("administrator").count()).toBe(0);
  });

  test("had no other error in the console, no breach of the policy, and asked nobody else for anything", () => {
    expect(browser.troubles).toEqual([]);
  });
});

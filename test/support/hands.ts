import type { Locator, Page } from "playwright-core";
import { eventually } from "./chromium.ts";

/** How a person works a page: what they find by role and name, they press, type into, choose. */
export interface Hands {
  press(target: Locator): Promise<void>;
  type(target: Locator, text: string): Promise<void>;
  check(target: Locator): Promise<void>;
  chooseFiles(target: Locator, paths: readonly string[]): Promise<void>;
  /** Moves a slider to its middle. */
  halve(slider: Locator): Promise<void>;
}

/** With a mouse or a finger. */
export const pointer = (page: Page): Hands => ({
  press: (target) => target.click(),
  type: (target, text) => target.fill(text),
  check: (target) => target.check(),
  chooseFiles: (target, paths) => target.setInputFiles([...paths]),
  async halve(slider) {
    const box = await slider.boundingBox();
    if (!box) throw new Error("the slider is not on the page");
    await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
  },
});

const MAX_TABS = 80;

/** With the keyboard alone: Tab leads everywhere, arrows inside lists of videos, and nothing else is used. */
export function keyboard(page: Page): Hands {
  const { keyboard: keys } = page;
  // From now on files are asked of the test. If that began with a press of a key, the browser might ask nobody before it
  // hears of it, and wait for that answer from then on.
  page.on("filechooser", () => undefined);
  const hasFocus = (target: Locator) =>
    target.evaluate((element) => {
      let focused = document.activeElement;
      // Of a control of the player, the focus is inside it or on it.
      if (focused === (element.getRootNode() as ShadowRoot).host)
        focused = focused?.shadowRoot?.activeElement ?? focused;
      return focused === element;
    });
  const isIn = (group: Locator) => group.evaluate((element) => element.contains(document.activeElement));
  const tabTo = async (what: string, isThere: () => Promise<boolean>) => {
    for (let presses = 0; presses <= MAX_TABS; presses++) {
      if (await isThere()) return;
      await keys.press("Tab");
    }
    throw new Error(`${MAX_TABS} presses of Tab do not lead to ${what}`);
  };
  const reach = async (target: Locator) => {
    await target.waitFor({ state: "attached" });
    const list = page.getByRole("group", { name: "Videos", exact: true }).filter({ has: target });
    // Inside a list of videos, Tab stops at one of them, and the arrows lead to the others.
    if ((await list.count()) === 0 || !(await target.evaluate((element) => element.matches(".stop"))))
      return tabTo(String(target), () => hasFocus(target));
    await tabTo("the list", () => isIn(list));
    await keys.press("Home");
    for (let presses = 0; !(await hasFocus(target)); presses++) {
      if (presses > MAX_TABS) throw new Error(`the arrows do not lead to ${target}`);
      await keys.press("ArrowRight");
      if (!(await hasFocus(target))) await keys.press("ArrowDown");
    }
  };
  return {
    async press(target) {
      await reach(target);
      await keys.press("Enter");
    },
    async type(target, text) {
      await reach(target);
      await keys.press("ControlOrMeta+a");
      if (text === "") await keys.press("Delete");
      else await keys.type(text);
    },
    async check(target) {
      await reach(target);
      await keys.press("Space");
      await eventually("it is checked", () => target.isChecked());
    },
    async chooseFiles(target, paths) {
      await reach(target);
      const opened = page.waitForEvent("filechooser");
      await keys.press("Enter");
      await (await opened).setFiles([...paths]);
    },
    async halve() {
      await keys.press("5");
    },
  };
}

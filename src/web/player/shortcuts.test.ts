import { expect, test } from "bun:test";
import { actionOf, isCharacter } from "./shortcuts.ts";

const press = (key: string, more: Partial<Record<"altKey" | "ctrlKey" | "metaKey", boolean>> = {}) =>
  actionOf({ key, altKey: false, ctrlKey: false, metaKey: false, ...more });

test("the keys of a player do what people know from others", () => {
  expect([" ", "k", "m", "f", "c", "p", "?"].map((key) => press(key)?.kind)).toEqual([
    ...(["play", "play", "mute", "fullscreen", "captions", "picture-in-picture", "help"] as const),
  ]);
  expect(press("ArrowLeft")).toEqual({ kind: "seek", bySeconds: -5 });
  expect(press("l")).toEqual({ kind: "seek", bySeconds: 10 });
  expect(press(">")).toEqual({ kind: "speed", step: 1 });
  expect([press(","), press(".")]).toEqual([
    { kind: "frame", step: -1 },
    { kind: "frame", step: 1 },
  ]);
  expect(press("PageDown")).toEqual({ kind: "chapter", step: 1 });
  expect(press("0")).toEqual({ kind: "jump", toShare: 0 });
  expect(press("9")).toEqual({ kind: "jump", toShare: 0.9 });
});

test("with Caps Lock they do the same; with Shift, N and P lead to another video", () => {
  expect(press("M")?.kind).toBe("mute");
  expect([press("N")?.kind, press("P")?.kind, press("p")?.kind, press("n")]).toEqual([
    ...(["next", "previous", "picture-in-picture", null] as const),
  ]);
});

test("what is the browser's stays the browser's", () => {
  expect(press("f", { ctrlKey: true })).toBeNull();
  expect(press("ArrowLeft", { altKey: true })).toBeNull();
  expect(press("m", { metaKey: true })).toBeNull();
  expect([press("Enter"), press("Tab"), press("Escape"), press("x")]).toEqual([null, null, null, null]);
});

test("single characters can be told from the keys that stay when those are switched off", () => {
  expect(["m", "?", "5", "<"].map((key) => isCharacter({ key }))).toEqual([true, true, true, true]);
  expect([" ", "ArrowLeft", "PageUp"].map((key) => isCharacter({ key }))).toEqual([false, false, false]);
});

import { signal } from "@preact/signals";
import type { VNode } from "preact";
import type { account } from "../messages/en/account.ts";
import type { admin } from "../messages/en/admin.ts";
import type { collections } from "../messages/en/collections.ts";
import type { core } from "../messages/en/core.ts";
import type { edit } from "../messages/en/edit.ts";
import type { errors } from "../messages/en/errors.ts";
import type { library } from "../messages/en/library.ts";
import type { manage } from "../messages/en/manage.ts";
import type { share } from "../messages/en/share.ts";
import type { signIn } from "../messages/en/sign-in.ts";
import type { upload } from "../messages/en/upload.ts";
import type { watch } from "../messages/en/watch.ts";
import { english, type Message, type MessageTable } from "./define.ts";
import { type Language, languageOf, languages, localeOf } from "./languages.ts";

type Messages = typeof account &
  typeof admin &
  typeof collections &
  typeof core &
  typeof edit &
  typeof errors &
  typeof library &
  typeof manage &
  typeof share &
  typeof signIn &
  typeof upload &
  typeof watch;

/** The name of a text. */
export type Key = keyof Messages;

type Names<Text> = Text extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never;
type NamesOf<Value> = Value extends string ? Names<Value> : "count" | Names<Value[keyof Value]>;
type Given<Name extends string> = { readonly [N in Name]: N extends "count" ? number : string | number };
/** What a text's placeholders take; nothing when it has none. */
export type Params<K extends Key> = [NamesOf<Messages[K]>] extends [never] ? [] : [Given<NamesOf<Messages[K]>>];

const STORED = "kinora-language";

/** The language of the page, and its variant that dates and numbers follow. */
export const language = signal<Language>("en");
export const locale = signal("en");

/** The texts of the language; English needs none beside its own. */
let translated: MessageTable = {};

/** The text `key` in the language of the page, with its placeholders filled. Read while rendering, it follows a switch. */
export function t<K extends Key>(key: K, ...params: Params<K>): string {
  return fill(messageFor(key), params[0]);
}

/** The text of a key that is made at run time; null when there is none. */
export function findText(key: string): string | null {
  const message = language.value === "en" ? english[key] : translated[key];
  return message === undefined ? null : fill(message, undefined);
}

function messageFor(key: Key): Message {
  return (language.value === "en" ? english[key] : (translated[key] ?? english[key])) ?? key;
}

function fill(message: Message, given: Readonly<Record<string, string | number>> | undefined): string {
  return formOf(message, Number(given?.count)).replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = given?.[name];
    if (value === undefined) return whole;
    return typeof value === "number" ? formatNumber(value) : value;
  });
}

const pluralRules = new Map<string, Intl.PluralRules>();

function formOf(message: Message, count: number): string {
  if (typeof message === "string") return message;
  const rules = pluralRules.get(language.value) ?? new Intl.PluralRules(language.value);
  pluralRules.set(language.value, rules);
  return message[rules.select(count)] ?? message.other;
}

/** A number as the reader writes it. */
export function formatNumber(value: number, options: Intl.NumberFormatOptions = {}): string {
  return new Intl.NumberFormat(locale.value, options).format(value);
}

type Part = (text: string) => VNode;

/**
 * A text with parts that are more than text: `Go to <a>my videos</a>.` with `{a: (text) => <a href="/videos">{text}</a>}`.
 * Marks do not nest.
 */
export function rich<K extends Key>(
  key: K,
  parts: Readonly<Record<string, Part>>,
  ...params: Params<K>
): (string | VNode)[] {
  // What stands in the placeholders is never read as a mark.
  return formOf(messageFor(key), Number(countOf(params[0])))
    .split(/(<\w+>.*?<\/\w+>)/)
    .map((piece) => {
      const [, name = "", inner = ""] = /^<(\w+)>(.*)<\/\1>$/.exec(piece) ?? [];
      const part = parts[name];
      return part ? part(fill(inner, params[0])) : fill(piece, params[0]);
    });
}

function countOf(given: object | undefined): unknown {
  return given && "count" in given ? given.count : undefined;
}

/** Settles the language: the one chosen in this browser, else the first of the browser's that there is. */
export async function startLanguage(): Promise<void> {
  const stored = languages.find(({ code }) => code === localStorage.getItem(STORED))?.code;
  await use(stored ?? languageOf(navigator.languages));
}

/** Switches the language of the page and keeps the choice in this browser. */
export async function chooseLanguage(code: Language): Promise<void> {
  await use(code);
  localStorage.setItem(STORED, code);
}

async function use(code: Language): Promise<void> {
  const load = languages.find((candidate) => candidate.code === code)?.load;
  if (load) translated = await load();
  locale.value = localeOf(code, navigator.languages);
  language.value = code;
  document.documentElement.lang = code;
}

import type { z } from "zod";

type Issue = z.core.$ZodIssue;

const kinds: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
  null: "null",
};
const formats: Readonly<Record<string, string>> = {
  uuid: "an id (a UUID)",
  guid: "an id (a UUID)",
  datetime: "a time such as 2026-01-31T18:05:00Z",
  date: "a date such as 2026-01-31",
  url: "a URL",
  email: "an e-mail address",
  regex: "a text of another form",
  json_string: "JSON",
};
const units: Readonly<Record<string, readonly [one: string, more: string]>> = {
  string: ["character", "characters"],
  array: ["entry", "entries"],
  set: ["entry", "entries"],
  file: ["byte", "bytes"],
};
/** How zod begins what it says by itself. Anything else was written for people. */
const OWN_WORDS = /^(Invalid|Too small|Too big|Unrecognized)\b/;

/** What was expected of a value, for people: `expected a text of 1 character or more`. */
export function expectation(issue: Issue): string {
  if (!OWN_WORDS.test(issue.message)) return issue.message;
  switch (issue.code) {
    case "invalid_type":
      return issue.message.endsWith("received undefined") ? "is missing" : `expected ${kindOf(issue.expected)}`;
    case "too_small":
    case "too_big":
      return sizeOf(issue);
    case "invalid_format":
      return `expected ${formats[issue.format] ?? `a text of the form ${issue.format}`}`;
    case "invalid_value":
      return `expected ${issue.values.map((value) => JSON.stringify(value)).join(" or ")}`;
    case "unrecognized_keys":
      return `there is no ${issue.keys.join(", ")}`;
    case "not_multiple_of":
      return `expected a multiple of ${issue.divisor}`;
    case "invalid_union":
      return choiceOf(issue.errors);
    default:
      return issue.message;
  }
}

const kindOf = (name: string) => kinds[name] ?? `a value of the kind ${name}`;

function sizeOf(issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig): string {
  const isLow = issue.code === "too_small";
  const bound = Number(isLow ? issue.minimum : issue.maximum);
  const names = units[issue.origin];
  if (names === undefined) {
    const how = isLow ? (issue.inclusive ? "at least" : "more than") : issue.inclusive ? "at most" : "less than";
    return `expected ${how} ${bound}`;
  }
  const count = `${bound} ${bound === 1 ? names[0] : names[1]}`;
  if (issue.exact) return `expected exactly ${count}`;
  return isLow ? `expected ${count} or more` : `expected ${count} at most`;
}

/** Of several kinds: what is wrong with the one that was meant, where the value is of one of them. */
function choiceOf(errors: readonly (readonly Issue[])[]): string {
  const meant = errors.filter(([first]) => first && (first.path.length > 0 || first.code !== "invalid_type"));
  const told = (meant.length > 0 ? meant : errors).flatMap(([first]) => (first ? [expectation(first)] : []));
  const [head = "expected another value", ...rest] = new Set(told);
  return [head, ...rest.map((text) => text.replace(/^expected /, ""))].join(" or ");
}

import { type Title, title, titlePage } from "../catalog/contract.ts";
import type { Api } from "./api.ts";
import type { ClientContext } from "./context.ts";
import { ClientError, EXIT } from "./errors.ts";
import { prompts } from "./prompts.ts";
import { sizeText, timeText, titleLine } from "./title-text.ts";

const ID = /^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{64})$/i;
/** So many are offered, or named in the error. */
const CHOICES = 20;

/**
 * The title that is meant by an id, a media id, a whole name, or a part of a name that only one has. Of several one is
 * chosen at a terminal; otherwise `ambiguous-title` names them. `wrong-media-id` or `title-not-found` when there is none.
 */
export async function findTitle(context: ClientContext, api: Api, wanted: string): Promise<Title> {
  if (ID.test(wanted)) return api.call("GET", `/api/titles/${wanted.toLowerCase()}`, title);
  const find = (exact: boolean) =>
    api.call("GET", "/api/titles", titlePage, {
      query: { name: wanted, sort: "name", limit: CHOICES, ...(exact ? { exact: true } : {}) },
    });
  const exact = await find(true);
  const { items, nextCursor } = exact.items.length > 0 ? exact : await find(false);
  const [first, ...others] = items;
  if (!first) throw notFound(wanted);
  if (others.length === 0) return first;
  if (!context.isInteractive) throw ambiguous(wanted, items);
  if (nextCursor !== null) context.out.note(`These are the first ${CHOICES}.`);
  return prompts.choose(
    "Which one?",
    items.map((value) => ({ name: titleLine(value), value, description: tellingApart(value) })),
  );
}

/** What tells titles of one name apart: the same file that was uploaded twice is two titles. */
const tellingApart = ({ id, sizeBytes, owner, createdAt }: Title) =>
  `${id}  ${timeText(createdAt)}, ${sizeText(sizeBytes)}, ${owner?.username ?? "library"}`;

const notFound = (wanted: string) =>
  new ClientError("title-not-found", `No video is called ${wanted}.`, {
    exit: EXIT.notFound,
    hint: "kinora search shows the videos that you may see.",
  });

function ambiguous(wanted: string, items: readonly Title[]): ClientError {
  return new ClientError("ambiguous-title", `Several videos are called ${wanted}.`, {
    exit: EXIT.conflict,
    hint: ["Name one by its id:", ...items.map((one) => `  ${tellingApart(one)}  ${one.name}`)].join("\n"),
    data: { candidates: items.map(({ id, name, createdAt, sizeBytes }) => ({ id, name, createdAt, sizeBytes })) },
  });
}

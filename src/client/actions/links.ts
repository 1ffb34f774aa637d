import { type ListedLink, link, linkPage } from "../answers.ts";
import type { ClientContext } from "../context.ts";
import { requireId, usageError } from "../errors.ts";
import { findTitle } from "../find-title.ts";
import { printable } from "../terminal/printable.ts";
import { timeText } from "../title-text.ts";

export interface LinkOptions {
  /** Seconds. */
  readonly expires?: number;
  readonly list?: boolean;
  readonly revoke?: string;
}

/** `kinora link TITLE`, `kinora link --list`, `kinora link --revoke ID` */
export async function links(context: ClientContext, wanted: string | undefined, options: LinkOptions): Promise<void> {
  const { list, revoke } = options;
  const meant = [wanted !== undefined, list === true, revoke !== undefined].filter(Boolean).length;
  if (meant !== 1) throw usageError("Name one title, or use --list or --revoke ID.");
  if (wanted !== undefined) return makeLink(context, wanted, options.expires);
  if (options.expires !== undefined) throw usageError("--expires goes with a title.");
  return revoke === undefined ? listLinks(context) : revokeLink(context, revoke);
}

async function makeLink(context: ClientContext, wanted: string, expiresIn: number | undefined): Promise<void> {
  const { out } = context;
  const api = await context.connect();
  const { id: titleId } = await findTitle(context, api, wanted);
  const made = await api.call("POST", "/api/links", link, {
    body: { titleId, ...(expiresIn === undefined ? {} : { expiresIn }) },
  });
  out.result(made, () =>
    out.pairs([
      ["Link", made.url],
      ["Page", made.pageUrl],
      ["HLS", made.hlsUrl],
      ["DASH", made.dashUrl],
      ["RTSP", made.rtspUrl],
      ["Until", timeText(made.expiresAt)],
      ["Id", made.id],
    ]),
  );
}

async function listLinks(context: ClientContext): Promise<void> {
  const { out } = context;
  const api = await context.connect();
  const items: ListedLink[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const query = cursor === undefined ? {} : { cursor };
    const page: { items: ListedLink[]; nextCursor: string | null } = await api.call("GET", "/api/links", linkPage, {
      query,
    });
    items.push(...page.items);
    cursor = page.nextCursor;
  }
  out.result({ items }, () => {
    if (items.length === 0) return out.note("You have no links.");
    out.table(
      [
        { header: "TITLE", of: nameOf, least: 16 },
        { header: "MADE", of: ({ createdAt }) => timeText(createdAt), expendable: 1 },
        { header: "UNTIL", of: ({ expiresAt }) => timeText(expiresAt) },
        { header: "ID", of: ({ id }) => id },
      ],
      items,
    );
  });
}

const nameOf = ({ titleName, titleId, collectionName, collectionId }: ListedLink) =>
  titleName ?? collectionName ?? titleId ?? collectionId ?? "";

async function revokeLink(context: ClientContext, wanted: string): Promise<void> {
  const id = requireId(wanted, "link", "kinora link --list shows the ids of your links.");
  await (await context.connect()).tell("DELETE", `/api/links/${id}`);
  context.out.result({ id, revoked: true }, () => context.out.line(`Revoked ${printable(id)}.`));
}

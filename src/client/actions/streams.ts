import type { StreamSummary } from "../../streaming/contract.ts";
import { streamList } from "../answers.ts";
import type { ClientContext } from "../context.ts";
import { requireId } from "../errors.ts";
import { printable } from "../terminal/printable.ts";
import type { Column } from "../terminal/table.ts";
import { timeText } from "../title-text.ts";

const columns: readonly Column<StreamSummary>[] = [
  { header: "TITLE", of: ({ title }) => title.name, least: 16 },
  { header: "STATE", of: ({ state }) => state },
  { header: "BY", of: ({ protocol }) => protocol },
  { header: "USER", of: ({ user }) => user.username, least: 8, expendable: 1 },
  { header: "SINCE", of: ({ createdAt }) => timeText(createdAt), expendable: 2 },
  { header: "ID", of: ({ id }) => id },
];

/** `kinora streams` */
export async function listStreams(context: ClientContext): Promise<void> {
  const { out } = context;
  const found = await (await context.connect()).call("GET", "/api/streams", streamList);
  out.result(found, () => (found.items.length === 0 ? out.note("Nothing plays.") : out.table(columns, found.items)));
}

/** `kinora stop ID` */
export async function stopStream(context: ClientContext, wanted: string): Promise<void> {
  const id = requireId(wanted, "stream", "kinora streams shows the ids of those that play.");
  await (await context.connect()).tell("DELETE", `/api/streams/${id}`);
  context.out.result({ id, stopped: true }, () => context.out.line(`Stopped ${printable(id)}.`));
}

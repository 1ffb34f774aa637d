import { z } from "zod";
import { serviceInstance } from "../../main/contract.ts";
import { type LibraryReport, libraryReport } from "../../streaming/contract.ts";
import type { Api } from "../api.ts";
import type { ClientContext } from "../context.ts";
import { printable } from "../terminal/printable.ts";
import { timeText } from "../title-text.ts";

const POLL_MS = 500;

/** `kinora services` */
export async function listServices(context: ClientContext): Promise<void> {
  const { out } = context;
  const answer = z.object({ items: z.array(serviceInstance) });
  const found = await (await context.connect()).call("GET", "/api/services", answer);
  out.result(found, () =>
    out.table(
      [
        { header: "SERVICE", of: ({ service }) => service },
        { header: "ADDRESSES", of: ({ addresses }) => addresses.join(" "), least: 12 },
        { header: "SINCE", of: ({ since }) => timeText(since), expendable: 1 },
        { header: "INSTANCE", of: ({ instance }) => instance },
      ],
      found.items,
    ),
  );
}

/** `kinora rescan` (admin): scans the library folders again. */
export async function rescan(context: ClientContext, options: { wait?: boolean }): Promise<void> {
  const { out } = context;
  const api = await context.connect();
  let report = await api.call("POST", "/api/library/rescan", libraryReport);
  while (options.wait && report.items.some(({ state }) => state === "scanning")) {
    await Bun.sleep(POLL_MS);
    report = await api.call("GET", "/api/library", libraryReport);
  }
  out.result(report, () => tellReport(context, report, api));
}

function tellReport({ out }: ClientContext, { items }: LibraryReport, { origin }: Api): void {
  if (items.length === 0) {
    out.note(`${origin} has no library folders. (kinora serve FOLDER adds one.)`);
    return;
  }
  out.table(
    [
      { header: "FOLDER", of: ({ folder }) => folder, least: 16 },
      { header: "STATE", of: ({ state }) => state },
      { header: "VIDEOS", of: ({ files }) => String(files), align: "right" },
      { header: "REFUSED", of: ({ refused }) => String(refused.length), align: "right" },
    ],
    items,
  );
  for (const { refused } of items) {
    for (const { path, detail } of refused) out.line(printable(`${path}: ${detail}`));
  }
}

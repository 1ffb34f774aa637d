import type { Principal } from "../auth/contract.ts";
import type { Title } from "../catalog/contract.ts";
import { TooLargeError } from "./errors.ts";
import { readForm } from "./form.ts";
import { bodyChunks } from "./request-body.ts";
import { titleFields } from "./upload-metadata.ts";
import type { Uploads } from "./uploads.ts";

/** What boundaries, headers and text fields may add to a file's size. */
const FORM_BYTES = 1 << 20;

/** Takes a whole video as one form. Leaves nothing behind when it fails. */
export async function uploadForm(uploads: Uploads, request: Request, who: Principal): Promise<Title> {
  const announced = Number(request.headers.get("Content-Length") ?? 0);
  if (announced > uploads.maxSizeBytes + FORM_BYTES) throw TooLargeError.forLimit(uploads.maxSizeBytes);
  await uploads.requireRoom(Math.max(0, announced - FORM_BYTES));
  const id = Bun.randomUUIDv7();
  return uploads.receptions.run(id, who, async (reception) => {
    const chunks = bodyChunks(request.body, reception.signal);
    try {
      const form = await readForm(request.headers.get("Content-Type") ?? "", chunks, async (fileName, file) => {
        const record = await uploads.createForm(id, fileName, who);
        return { record, fileName, sizeBytes: await uploads.receiveForm(record, file, reception) };
      });
      reception.received();
      const { record, fileName, sizeBytes } = form.file;
      return await uploads.completeForm(record, { ...titleFields(form.name, form.tags, fileName), sizeBytes });
    } catch (error) {
      await uploads.abandonForm(id);
      throw error;
    }
  });
}

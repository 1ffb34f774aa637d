import type { Principal } from "../auth/contract.ts";
import type { Title } from "../catalog/contract.ts";
import { TooLargeError } from "./errors.ts";
import { readForm } from "./form.ts";
import { bodyChunks } from "./request-body.ts";
import { titleFields } from "./upload-metadata.ts";
import type { UploadRecord } from "./upload-records.ts";
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
    const contentType = request.headers.get("Content-Type") ?? "";
    let received: { record: UploadRecord; fileName: string | null; sizeBytes: number } | null = null;
    try {
      const fields = await readForm(contentType, bodyChunks(request.body, reception.signal), async (fileName, chunks) => {
        const { name } = titleFields(null, [], fileName);
        const record = await uploads.createForm(id, name, who);
        received = { record, fileName, sizeBytes: await uploads.receiveForm(record, chunks, reception) };
      });
      reception.received();
      const { record, fileName, sizeBytes } = requireReceived(received);
      return await uploads.completeForm(record, { ...titleFields(fields.name, fields.tags, fileName), sizeBytes });
    } catch (error) {
      await uploads.abandonForm(id);
      throw error;
    }
  });
}

function requireReceived<Received>(received: Received | null): Received {
  if (received === null) throw new Error("readForm returned without a file.");
  return received;
}

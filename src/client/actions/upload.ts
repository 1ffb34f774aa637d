import { statSync } from "node:fs";
import { basename, resolve } from "node:path";
import { type Title, title, type Visibility } from "../../catalog/contract.ts";
import type { Api } from "../api.ts";
import type { ClientContext } from "../context.ts";
import { asClientError, ClientError, EXIT, usageError } from "../errors.ts";
import { untilSignal } from "../signals.ts";
import { printable } from "../terminal/printable.ts";
import { ProgressLine } from "../upload/progress-line.ts";
import { sendFile } from "../upload/transfer.ts";
import { type FileIdentity, UnfinishedUploads } from "../upload/unfinished-uploads.ts";

export interface UploadOptions {
  readonly name?: string;
  readonly tag?: string[];
  readonly visibility?: Visibility;
}

/** What became of one file. */
interface Outcome {
  readonly file: string;
  readonly title: Title | null;
  readonly error: ClientError | null;
}

/** `kinora upload FILE…`: one after the other; what fails does not keep the others back. */
export async function uploadFiles(
  context: ClientContext,
  files: readonly string[],
  options: UploadOptions,
): Promise<void> {
  if (options.name !== undefined && files.length > 1) throw usageError("--name goes with one file.");
  const api = await context.connect();
  const signals = untilSignal();
  const outcomes: Outcome[] = [];
  try {
    for (const file of files) {
      const outcome = await uploadOne(context, api, file, options, signals.signal);
      outcomes.push(outcome);
      tell(context, outcome, files.length);
      if (outcome.error && isForAll(outcome.error)) break;
    }
  } finally {
    signals.release();
  }
  const { out } = context;
  out.result({ items: outcomes.map(outcomeJson) }, () => undefined);
  conclude(files.length, outcomes, signals.exit);
}

/** What is wrong with the server or the person is so for all files. */
const isForAll = ({ exit }: ClientError) =>
  [EXIT.notSignedIn, EXIT.forbidden, EXIT.unreachable, EXIT.interrupted].includes(exit as 3 | 5 | 6 | 130);

async function uploadOne(
  context: ClientContext,
  api: Api,
  file: string,
  options: UploadOptions,
  signal: AbortSignal,
): Promise<Outcome> {
  try {
    const { size, mtimeMs } = requireFile(file);
    const path = resolve(file);
    const userId = context.servers.get(api.origin)?.userId ?? "";
    const identity = { origin: api.origin, userId, path, sizeBytes: size, mtimeMs };
    return { file, title: await send(context, api, identity, options, signal), error: null };
  } catch (error) {
    return { file, title: null, error: asClientError(error) };
  }
}

function requireFile(file: string) {
  const found = statSync(file, { throwIfNoEntry: false });
  if (!found) throw new ClientError("no-such-file", `There is no file ${file}.`, { exit: EXIT.usage });
  if (!found.isFile()) throw new ClientError("no-such-file", `${file} is no file.`, { exit: EXIT.usage });
  return found;
}

async function send(
  context: ClientContext,
  api: Api,
  file: FileIdentity,
  options: UploadOptions,
  signal: AbortSignal,
): Promise<Title> {
  const unfinished = new UnfinishedUploads(context.folder);
  const line = new ProgressLine(context.out, basename(file.path), file.sizeBytes);
  const url = unfinished.find(file);
  if (url !== null) line.say("going on where it stopped");
  const goesOn = (error: ClientError) =>
    [EXIT.interrupted, EXIT.unreachable, EXIT.notSignedIn].includes(error.exit as 3 | 6 | 130);
  try {
    const id = await sendFile(api, {
      path: file.path,
      sizeBytes: file.sizeBytes,
      name: options.name,
      tags: options.tag ?? [],
      url,
      signal,
      onUrl: (made) => unfinished.keep(file, made),
      onProgress: (sentBytes) => line.update(sentBytes),
      onWaiting: (error, seconds) => line.say(`${error.message} Trying again in ${seconds} s.`),
    });
    unfinished.forget(file);
    return await complete(api, id, options);
  } catch (error) {
    if (!goesOn(asClientError(error))) unfinished.forget(file);
    throw error;
  } finally {
    line.clear();
  }
}

/** Who may see it; and, where it went on with an upload from before, the name and tags given now. */
async function complete(api: Api, id: string, { name, tag = [], visibility }: UploadOptions): Promise<Title> {
  let made = await api.call("GET", `/api/titles/${id}`, title);
  const change = {
    ...(name !== undefined && name !== made.name ? { name } : {}),
    ...(visibility !== undefined && visibility !== made.visibility ? { visibility } : {}),
  };
  if (Object.keys(change).length > 0) made = await api.call("PATCH", `/api/titles/${id}`, title, { body: change });
  if (tag.some((one) => !made.tags.includes(one)))
    made = await api.call("POST", `/api/titles/${id}/tags`, title, { body: { tags: tag } });
  return made;
}

function tell({ out }: ClientContext, { file, title, error }: Outcome, count: number): void {
  // That of the only file is what the command ends with.
  if (out.json || (error && count === 1)) return;
  if (title) out.line(printable(`${file}: ${title.name}  ${title.id}`));
  else out.note(`${printable(file)}: ${printable(error?.message ?? "")}`);
}

function outcomeJson({ file, title, error }: Outcome) {
  return { file, title, error: error && { code: error.code, detail: error.message } };
}

function conclude(count: number, outcomes: readonly Outcome[], signalExit: number | null): void {
  const failed = outcomes.flatMap(({ error }) => (error ? [error] : []));
  const [first] = failed;
  if (!first) return;
  const done = outcomes.length - failed.length;
  const hint = "The same command goes on where it stopped.";
  if (signalExit !== null) throw new ClientError("interrupted", "Stopped.", { exit: signalExit, hint });
  if (count === 1) throw first;
  throw new ClientError("some-failed", `${count - done} of ${count} files were not uploaded.`, {
    exit: done > 0 ? EXIT.partly : first.exit,
    hint: first.hint,
  });
}

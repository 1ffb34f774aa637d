import { once } from "node:events";
import type { Readable } from "node:stream";
import busboy from "busboy";
import { TAG_MAX, TAGS_MAX } from "../catalog/contract.ts";
import { InvalidRequestError } from "../errors.ts";
import { IncompleteBodyError, UnsupportedMediaTypeError } from "./errors.ts";

/** Bytes of one text field: the longest name in UTF-8 is shorter. */
const FIELD_BYTES = 4096;
const FIELDS_MAX = TAGS_MAX + 1;

/** An upload form: its text fields and what became of its file. */
export interface Form<File> {
  readonly name: string | null;
  readonly tags: readonly string[];
  readonly file: File;
}

export type FileReceiver<File> = (fileName: string | null, chunks: AsyncIterable<Uint8Array>) => Promise<File>;

/**
 * Reads a `multipart/form-data` body (RFC 7578) as it arrives: `file` goes to `receive`, `name` and repeated `tags`
 * are returned, in any order. Only as much is read as `receive` takes. `InvalidRequestError` for unknown fields,
 * more than one file, or none; whatever `receive` throws is thrown.
 */
export function readForm<File>(
  contentType: string,
  body: AsyncIterable<Uint8Array>,
  receive: FileReceiver<File>,
): Promise<Form<File>> {
  return new FormReader(contentType, receive).read(body);
}

class FormReader<File> {
  readonly #parser: busboy.Busboy;
  readonly #receive: FileReceiver<File>;
  readonly #failed = Promise.withResolvers<never>();
  #failure: { readonly error: unknown } | null = null;
  #wake: () => void = () => undefined;
  #name: string | null = null;
  readonly #tags: string[] = [];
  #file: Promise<File> | null = null;

  constructor(contentType: string, receive: FileReceiver<File>) {
    this.#receive = receive;
    this.#parser = createParser(contentType);
    // Whoever waits for it gets the rejection; nobody waiting is fine as well.
    this.#failed.promise.catch(() => undefined);
    this.#parser.on("drain", () => this.#wake());
    this.#parser.on("error", (error) => this.#fail(new IncompleteBodyError(error)));
    this.#parser.on("fieldsLimit", () => this.#refuse(`Expected at most ${FIELDS_MAX} fields.`));
    // A part without a name has none whatever the types say.
    this.#parser.on("field", (name: string | undefined, value, info) =>
      this.#onField(name ?? "", value, info.valueTruncated),
    );
    this.#parser.on("file", (name: string | undefined, stream, info) =>
      this.#onFile(name ?? "", stream, info.filename ?? null),
    );
  }

  async read(body: AsyncIterable<Uint8Array>): Promise<Form<File>> {
    const closed = once(this.#parser, "close");
    closed.catch(() => undefined);
    try {
      for await (const chunk of body) {
        if (this.#failure) throw this.#failure.error;
        if (!this.#parser.write(chunk)) await this.#drained();
      }
      if (this.#failure) throw this.#failure.error;
      this.#parser.end();
      await Promise.race([closed, this.#failed.promise]);
      if (!this.#file) throw new InvalidRequestError("file: expected one file, none came.");
      const file = await Promise.race([this.#file, this.#failed.promise]);
      return { name: this.#name, tags: this.#tags, file };
    } catch (error) {
      this.#fail(error);
      this.#parser.destroy();
      await this.#file?.catch(() => undefined);
      throw error;
    }
  }

  #onField(name: string, value: string, truncated: boolean): void {
    if (truncated) this.#refuse(`${name}: expected at most ${FIELD_BYTES} bytes.`);
    else if (name === "tags") this.#tags.push(value);
    else if (name === "name" && this.#name === null) this.#name = value;
    else if (name === "name") this.#refuse("name: expected once.");
    else if (name === "file") this.#refuse("file: expected a file, text came.");
    else this.#refuse(`${name.slice(0, TAG_MAX)}: unknown field. Known are file, name and tags.`);
  }

  #onFile(name: string, stream: Readable, fileName: string | null): void {
    // Its errors reach whoever reads it; a stream nobody reads must not end the process.
    stream.on("error", () => undefined);
    if (name !== "file") this.#refuse(`${name.slice(0, TAG_MAX)}: unknown file. Send it as field file.`);
    else if (this.#file) this.#refuse("file: expected one file, two came.");
    else this.#file = this.#take(stream, fileName);
    if (this.#file === null || name !== "file") stream.resume();
  }

  #take(stream: Readable, fileName: string | null): Promise<File> {
    void this.#failed.promise.catch((error: unknown) =>
      stream.destroy(error instanceof Error ? error : new IncompleteBodyError(error)),
    );
    const taken = this.#receive(fileName, stream as AsyncIterable<Uint8Array>);
    taken.catch((error: unknown) => this.#fail(error));
    return taken;
  }

  #refuse(message: string): void {
    this.#fail(new InvalidRequestError(message));
  }

  /** The first failure is the answer; what follows from it is not. */
  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#failed.reject(error);
    this.#wake();
  }

  /** Resolves when the parser takes more, or has failed. Not a race with `#failed`: that would remember every wait. */
  #drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      if (this.#failure) resolve();
    });
  }
}

function createParser(contentType: string): busboy.Busboy {
  if (!/^multipart\/form-data\b/i.test(contentType)) throw new UnsupportedMediaTypeError("multipart/form-data");
  try {
    return busboy({
      headers: { "content-type": contentType },
      highWaterMark: 1 << 20,
      fileHwm: 1 << 20,
      defParamCharset: "utf8",
      limits: { fieldSize: FIELD_BYTES, fields: FIELDS_MAX, files: 2, headerPairs: 32 },
    });
  } catch (error) {
    throw new InvalidRequestError(`Content-Type: ${error instanceof Error ? error.message : String(error)}.`);
  }
}

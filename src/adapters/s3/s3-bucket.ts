import { S3Client } from "bun";
import { StartError } from "../../errors.ts";
import { isRefusal, MissingObjectError, StorageUnavailableError } from "./s3-errors.ts";

/** Where the objects are, and who may use them. */
export interface S3Access {
  readonly bucket: string;
  /** What all keys begin with: empty, or with `/` at its end. */
  readonly prefix: string;
  /** Null for Amazon's own. */
  readonly endpoint: string | null;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | null;
  /** How long one request may take, in milliseconds. */
  readonly timeoutMs: number;
}

/** An object as a listing shows it; its key without the prefix. */
export interface ListedObject {
  readonly key: string;
  readonly sizeBytes: number;
}

/** A request that failed for the moment is made again after so many milliseconds. */
const RETRY_AFTER_MS = [100, 400];
/** How long a signature counts: it is checked when a request begins. */
const SIGNED_SECONDS = 300;
const DELETES_AT_ONCE = 8;
/** What the keys of objects begin with that are only there to be deleted again. */
const TRIAL = "kinora-write-test-";

/**
 * The objects below a prefix of a bucket. Bun's client signs; requests are made here, so that they have time-outs, can be
 * repeated, and read exactly a range. Rejects with `StorageUnavailableError` when the store is away, refuses or is too slow.
 */
export class S3Bucket {
  readonly #access: S3Access;
  readonly #client: S3Client;
  readonly #onReachable: (isThere: boolean, reason?: string) => void;

  /** `onReachable` is told after each request whether the store did it, and why not. */
  constructor(access: S3Access, onReachable: (isThere: boolean, reason?: string) => void = () => undefined) {
    this.#access = access;
    this.#onReachable = onReachable;
    const { bucket, endpoint, region, accessKeyId, secretAccessKey, sessionToken } = access;
    this.#client = new S3Client({
      ...{ bucket, region, accessKeyId, secretAccessKey },
      ...(endpoint === null ? {} : { endpoint }),
      ...(sessionToken === null ? {} : { sessionToken }),
    });
  }

  /** The bytes of an object from `start` to `end`, all of them. `MissingObjectError` when there is no such object. */
  get(key: string, start: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    return this.#persistently(async () => {
      const headers = { Range: `bytes=${start}-${end - 1}` };
      const answer = await this.#send("GET", key, { headers });
      // What ignores ranges would send 16 MiB for each few bytes.
      if (answer.status !== 206) throw await refusalOf(answer, key);
      const bytes = await answer.bytes();
      if (bytes.length !== end - start) throw new StorageUnavailableError("short answer");
      return bytes;
    });
  }

  /** Stores an object, in place of one that may be there. It is durable when this resolves. */
  put(key: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    return this.#persistently(async () => {
      const answer = await this.#send("PUT", key, { body: bytes });
      if (!answer.ok) throw await refusalOf(answer, key);
      await answer.body?.cancel();
    });
  }

  /** Deletes an object, if it is there. */
  delete(key: string): Promise<void> {
    return this.#persistently(async () => {
      const answer = await this.#send("DELETE", key);
      if (!answer.ok && answer.status !== 404) throw await refusalOf(answer, key);
      await answer.body?.cancel();
    });
  }

  /** All objects whose keys begin like this. */
  async list(start: string): Promise<ListedObject[]> {
    const found: ListedObject[] = [];
    for (let continuationToken: string | undefined; ; ) {
      const page = await this.#page(start, continuationToken === undefined ? {} : { continuationToken });
      for (const { key, size } of page.contents ?? []) {
        found.push({ key: key.slice(this.#access.prefix.length), sizeBytes: Number(size) });
      }
      continuationToken = page.isTruncated ? page.nextContinuationToken : undefined;
      if (continuationToken === undefined) return found;
    }
  }

  /** Deletes all objects whose keys begin like this. */
  async deleteAll(start: string): Promise<void> {
    const keys = (await this.list(start)).map(({ key }) => key);
    while (keys.length > 0) {
      await Promise.all(keys.splice(0, DELETES_AT_ONCE).map((key) => this.delete(key)));
    }
  }

  /** Lists, which shows that the store is there and lets us in. */
  async check(): Promise<void> {
    await this.#page(TRIAL, { maxKeys: 1 });
  }

  /**
   * The same and more, for the start: writes, reads and deletes an object. `StartError` when the store refuses that;
   * `StorageUnavailableError` when it is away.
   */
  async tryOut(): Promise<void> {
    const key = TRIAL + Bun.randomUUIDv7();
    try {
      await this.check();
      await this.put(key, new Uint8Array(16));
      await this.get(key, 4, 8);
      await this.delete(key);
    } catch (error) {
      if (isRefusal(error)) throw startErrorOf(error.reason, this.#access);
      throw error;
    }
  }

  #page(start: string, options: { continuationToken?: string; maxKeys?: number }) {
    return this.#persistently(async () => {
      const listing = this.#client.list({ prefix: this.#access.prefix + start, ...options });
      // The client has no time-out of its own.
      const late = AbortSignal.timeout(this.#access.timeoutMs);
      const timeout = new Promise<never>((_, reject) => {
        late.addEventListener("abort", () => reject(new StorageUnavailableError("time-out")), { once: true });
      });
      try {
        return await Promise.race([listing, timeout]);
      } catch (error) {
        throw error instanceof StorageUnavailableError ? error : new StorageUnavailableError(codeOf(error));
      }
    });
  }

  async #send(method: "GET" | "PUT" | "DELETE", key: string, init: RequestInit = {}): Promise<Response> {
    const url = this.#client.presign(this.#access.prefix + key, { method, expiresIn: SIGNED_SECONDS });
    try {
      return await fetch(url, {
        ...init,
        method,
        redirect: "error",
        signal: AbortSignal.timeout(this.#access.timeoutMs),
      });
    } catch (error) {
      // The error itself names the URL, which is signed.
      throw new StorageUnavailableError(codeOf(error));
    }
  }

  async #persistently<T>(request: () => Promise<T>): Promise<T> {
    try {
      const result = await this.#repeatedly(request);
      this.#onReachable(true);
      return result;
    } catch (error) {
      if (error instanceof StorageUnavailableError) this.#onReachable(false, error.reason);
      throw error;
    }
  }

  async #repeatedly<T>(request: () => Promise<T>): Promise<T> {
    for (const delay of RETRY_AFTER_MS) {
      try {
        return await request();
      } catch (error) {
        const failure = error instanceof MissingObjectError ? error : asUnavailable(error);
        if (!(failure instanceof StorageUnavailableError) || isRefusal(failure)) throw failure;
      }
      await Bun.sleep(delay);
    }
    return request().catch((error: unknown) => {
      throw error instanceof MissingObjectError ? error : asUnavailable(error);
    });
  }
}

/** A body that breaks off throws errors of the network. */
const asUnavailable = (error: unknown) =>
  error instanceof StorageUnavailableError ? error : new StorageUnavailableError(codeOf(error));

function codeOf(error: unknown): string {
  if (error instanceof Error && error.name === "TimeoutError") return "time-out";
  return error instanceof Error && "code" in error ? String(error.code) : "network";
}

async function refusalOf(answer: Response, key: string): Promise<Error> {
  const text = await answer.text().catch(() => "");
  const code = /<Code>(\w{1,64})<\/Code>/.exec(text)?.[1] ?? `status ${answer.status}`;
  return code === "NoSuchKey" || (answer.status === 404 && code !== "NoSuchBucket")
    ? new MissingObjectError(key)
    : new StorageUnavailableError(code);
}

function startErrorOf(reason: string, { bucket }: S3Access): StartError {
  if (reason === "NoSuchBucket")
    return new StartError(`S3 has no bucket ${bucket}.`, "Make it first, or name another one in `storage`.");
  if (reason === "RequestTimeTooSkewed")
    return new StartError("S3 refuses requests of this machine: its clock is wrong.", "Set the clock, best with NTP.");
  return new StartError(
    `S3 refuses the credentials for the bucket ${bucket} (${reason}).`,
    "Check `s3.accessKeyId` (KINORA_S3_ACCESS_KEY_ID) and `s3.secretAccessKey` (KINORA_S3_SECRET_ACCESS_KEY), and that they may list the bucket and read, write and delete objects.",
  );
}

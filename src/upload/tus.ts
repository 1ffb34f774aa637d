import type { Readable } from "node:stream";
import { DataStore, Server, Upload } from "@tus/server";
import type { Principal } from "../auth/contract.ts";
import { ConflictError, InvalidRequestError, NotFoundError, ProblemError } from "../errors.ts";
import { problemResponse } from "../http/problem.ts";
import { Checksum, checksumAlgorithms } from "./checksum.ts";
import { TusVersionError, UnsupportedMediaTypeError, UploadGoneError, UploadNotFoundError } from "./errors.ts";
import { EXPIRY_MS } from "./intake.ts";
import type { Reception } from "./receptions.ts";
import { bodyChunks } from "./request-body.ts";
import { TUS_PATH } from "./tus-path.ts";
import { readMetadata } from "./upload-metadata.ts";
import type { Uploads } from "./uploads.ts";

const TUS_VERSION = "1.0.0";
const OFFSET_TYPE = "application/offset+octet-stream";

/** One request of the tus protocol, by a caller who may make it. */
export interface TusRequest {
  readonly raw: Request;
  readonly who: Principal;
  /** The upload it is about: a new id for POST. */
  readonly id: string;
  /** Aborted when Kinora stops: the upload goes on later. */
  readonly stopping: AbortSignal;
}

/** Answers requests of the tus protocol 1.0.0 with all its extensions but concatenation and deferred length. */
export class TusProtocol {
  readonly #uploads: Uploads;

  constructor(uploads: Uploads) {
    this.#uploads = uploads;
  }

  /** POST, and PATCH: both may bring bytes, so both are the only ones to do so. */
  send(request: TusRequest): Promise<Response> {
    if (request.raw.method === "PATCH") requireOffsetHeaders(request.raw.headers);
    const { id, who, stopping } = request;
    return this.#uploads.receptions.run(id, who, (reception) => this.#serve(request, reception), stopping);
  }

  async head(request: TusRequest): Promise<Response> {
    await this.#uploads.receptions.yieldSilent(request.id);
    return this.#serve(request, null);
  }

  delete(request: TusRequest): Promise<Response> {
    return this.#serve(request, null);
  }

  /** What is spoken here. */
  async options(request: TusRequest): Promise<Response> {
    const response = await this.#serve(request, null);
    response.headers.set("Tus-Checksum-Algorithm", checksumAlgorithms.join(","));
    return response;
  }

  async #serve(request: TusRequest, reception: Reception | null): Promise<Response> {
    const { raw, id } = request;
    if (raw.method !== "OPTIONS" && raw.headers.get("Tus-Resumable") !== TUS_VERSION) throw new TusVersionError();
    let failure: unknown = null;
    const server = new Server({
      path: TUS_PATH,
      datastore: new UploadStore(this.#uploads, request, reception),
      relativeLocation: true,
      allowedOrigins: () => false,
      maxSize: this.#uploads.maxSizeBytes,
      namingFunction: () => id,
      getFileIdFromRequest: () => id,
      // `Receptions` sees to it that only one request sends.
      locker: { newLock: () => ({ lock: async () => undefined, unlock: async () => undefined }) },
      onUploadFinish: async () => {
        if (reception) await this.#uploads.complete(id, reception);
        return {};
      },
      onResponseError: (_request, error) => {
        failure = error;
        return { status_code: 500, body: "" };
      },
    });
    // The body takes the short way into the store: through the server's streams it would be copied twice.
    const response = await server.handleWeb(new Request(raw.url, { method: raw.method, headers: raw.headers }));
    return failure === null && response.status < 400
      ? withoutCors(response)
      : asProblem(failure ?? { status_code: response.status, body: await response.text() }, response.headers);
  }
}

/** What the tus server stores through, for one request. */
class UploadStore extends DataStore {
  override extensions = ["creation", "creation-with-upload", "termination", "expiration", "checksum"];
  readonly #uploads: Uploads;
  readonly #who: Principal;
  readonly #raw: Request;
  readonly #reception: Reception | null;

  constructor(uploads: Uploads, { who, raw }: TusRequest, reception: Reception | null) {
    super();
    this.#uploads = uploads;
    this.#who = who;
    this.#raw = raw;
    this.#reception = reception;
  }

  override async create(upload: Upload): Promise<Upload> {
    const metadata = upload.metadata ?? {};
    const sizeBytes = upload.size ?? 0;
    await this.#uploads.createResumable(upload.id, { ...readMetadata(metadata), metadata, sizeBytes }, this.#who);
    return upload;
  }

  override async write(empty: Readable, id: string, offset: number): Promise<number> {
    empty.resume();
    const reception = this.#reception;
    if (!reception) throw new InvalidRequestError("This request cannot bring bytes.");
    const checksum = Checksum.parse(this.#raw.headers.get("Upload-Checksum"));
    const chunks = bodyChunks(this.#raw.body, reception.signal);
    return this.#uploads.append(id, offset, { chunks, checksum }, reception);
  }

  override async getUpload(id: string): Promise<Upload> {
    const record = await this.#uploads.find(id, this.#who);
    if (record.state === "failed" && !this.#reception) throw new UploadGoneError(record.error?.detail);
    return new Upload({
      id,
      size: record.sizeBytes,
      offset: await this.#uploads.reachableOffset(record),
      metadata: { ...record.metadata },
      // The server adds `getExpiration()` to it; an upload that goes on is kept longer.
      creation_date: new Date(record.expiresAt.getTime() - EXPIRY_MS).toISOString(),
    });
  }

  override async remove(id: string): Promise<void> {
    await this.#uploads.terminate(id);
  }

  override getExpiration(): number {
    return EXPIRY_MS;
  }
}

function requireOffsetHeaders(headers: Headers): void {
  if (headers.get("Content-Type") !== OFFSET_TYPE) throw new UnsupportedMediaTypeError(OFFSET_TYPE);
  if (headers.get("Upload-Offset") === null) throw new InvalidRequestError("Upload-Offset: expected, nothing came.");
}

/** Problem documents for what the tus server itself refuses, by its status. */
const refusals: Readonly<Record<number, (detail: string) => ProblemError>> = {
  400: (detail) => new InvalidRequestError(detail),
  403: (detail) => new InvalidRequestError(detail),
  404: () => new UploadNotFoundError(),
  405: () => new NotFoundError(),
  409: (detail) => new ConflictError(detail),
  410: () => new UploadGoneError(),
  413: (detail) => new ProblemError("too-large", detail, { status: 413 }),
  501: (detail) => new ProblemError("not-implemented", detail, { status: 501 }),
};

function asProblem(failure: unknown, tusHeaders: Headers): Response {
  const response = problemResponse(toProblem(failure));
  const version = tusHeaders.get("Tus-Resumable");
  if (version) response.headers.set("Tus-Resumable", version);
  return response;
}

function toProblem(failure: unknown): unknown {
  if (failure instanceof Error) return failure;
  const { status_code: status, body } = failure as { status_code: number; body: string };
  return refusals[status]?.(body.trim() || "This request does not follow tus 1.0.0.") ?? failure;
}

/** Only pages of this origin may read the answers. */
function withoutCors(response: Response): Response {
  for (const name of [...response.headers.keys()]) {
    if (name.startsWith("access-control-")) response.headers.delete(name);
  }
  return response;
}

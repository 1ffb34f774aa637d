import { createHmac } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import S3rver from "s3rver";
import { type S3Access, S3Bucket } from "../../src/adapters/s3/s3-bucket.ts";

/** What s3rver knows its only account by. */
const KEY = "S3RVER";
const BUCKET = "films";

/**
 * A real server of the S3 protocol (s3rver) on a temporary folder, behind a gate that checks the signature of each request
 * (AWS Signature Version 4), which s3rver does not, and that can be shut, slow or out of order.
 */
export class TestS3 {
  readonly #folder: string;
  readonly #server: S3rver;
  readonly #inner: number;
  #gate: Bun.Server<undefined> | null = null;
  #port = 0;
  /** Requests by method, of all times. */
  readonly requests: Record<string, number> = {};
  /** Bytes of objects sent out. */
  sentBytes = 0;
  /** How long each request waits. */
  delayMs = 0;
  /** Answered instead of what was asked for. */
  failWith: number | null = null;

  private constructor(server: S3rver, folder: string, inner: number) {
    this.#server = server;
    this.#folder = folder;
    this.#inner = inner;
  }

  static async start(): Promise<TestS3> {
    const directory = mkdtempSync(join(tmpdir(), "kinora-s3-"));
    const configureBuckets = [{ name: BUCKET }];
    const options = { address: "127.0.0.1", port: 0, directory, silent: true, vhostBuckets: false, configureBuckets };
    const server = new S3rver(options);
    const { port } = await server.run();
    const s3 = new TestS3(server, directory, port);
    s3.open();
    return s3;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** What `storage` is set to. */
  get url(): string {
    return `s3://${BUCKET}/kinora?endpoint=${this.endpoint}&timeout=5s`;
  }

  get credentials() {
    return { accessKeyId: KEY, secretAccessKey: KEY };
  }

  access(changes: Partial<S3Access> = {}): S3Access {
    const place = { bucket: BUCKET, prefix: "kinora/", endpoint: this.endpoint, region: "us-east-1" };
    return { ...place, ...this.credentials, sessionToken: null, timeoutMs: 5_000, ...changes };
  }

  bucket(changes: Partial<S3Access> = {}): S3Bucket {
    return new S3Bucket(this.access(changes));
  }

  /** Keys of all objects, without the prefix. */
  keys(): string[] {
    return readdirSync(join(this.#folder, BUCKET), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith("._S3rver_object"))
      .map((name) => name.slice("kinora/".length, -"._S3rver_object".length))
      .toSorted();
  }

  /** Nobody can connect any more. */
  async shut(): Promise<void> {
    await this.#gate?.stop(true);
    this.#gate = null;
  }

  /** The gate is open again where it was. */
  open(): void {
    this.#gate ??= Bun.serve({
      hostname: "127.0.0.1",
      port: this.#port,
      idleTimeout: 60,
      maxRequestBodySize: 64 << 20,
      fetch: (request) => this.#pass(request),
    });
    this.#port = this.#gate.port ?? 0;
  }

  async close(): Promise<void> {
    await this.shut();
    await this.#server.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #pass(request: Request): Promise<Response> {
    this.requests[request.method] = (this.requests[request.method] ?? 0) + 1;
    if (this.delayMs > 0) await Bun.sleep(this.delayMs);
    if (this.failWith !== null) return refusal(this.failWith, "InternalError");
    if (!isSigned(request)) return refusal(403, "SignatureDoesNotMatch");
    const { pathname, search } = new URL(request.url);
    const body = request.method === "PUT" ? await request.arrayBuffer() : null;
    const url = `http://127.0.0.1:${this.#inner}${pathname}${search}`;
    const answer = await fetch(url, { method: request.method, headers: request.headers, body });
    const bytes = await answer.arrayBuffer();
    if (request.method === "GET") this.sentBytes += bytes.byteLength;
    const headers = new Headers(answer.headers);
    for (const name of ["content-encoding", "transfer-encoding", "content-length"]) headers.delete(name);
    return new Response(answer.status === 204 ? null : bytes, { status: answer.status, headers });
  }
}

const refusal = (status: number, code: string) =>
  new Response(`<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>No.</Message></Error>`, {
    status,
    headers: { "Content-Type": "application/xml" },
  });

const hmac = (key: string | Uint8Array, text: string) => createHmac("sha256", key).update(text).digest();
const sha256 = (text: string) => new Bun.CryptoHasher("sha256").update(text).digest("hex");

/** What a request says of its signature, in its query or its header. */
function signatureOf({ url, headers }: Request) {
  const query = new URL(url).searchParams;
  const header = headers.get("Authorization");
  if (header === null) {
    return {
      credential: query.get("X-Amz-Credential") ?? "",
      signedHeaders: query.get("X-Amz-SignedHeaders") ?? "",
      signature: query.get("X-Amz-Signature") ?? "",
      date: query.get("X-Amz-Date") ?? "",
      payload: "UNSIGNED-PAYLOAD",
    };
  }
  const part = (name: string) => new RegExp(`${name}=([^,\\s]+)`).exec(header)?.[1] ?? "";
  return {
    credential: part("Credential"),
    signedHeaders: part("SignedHeaders"),
    signature: part("Signature"),
    date: headers.get("x-amz-date") ?? "",
    payload: headers.get("x-amz-content-sha256") ?? "",
  };
}

/** Whether a request has the signature that our secret gives (AWS Signature Version 4). */
function isSigned(request: Request): boolean {
  const { credential, signedHeaders, signature, date, payload } = signatureOf(request);
  const [keyId, day = "", region = "", service = ""] = credential.split("/");
  if (keyId !== KEY || signature === "") return false;
  const url = new URL(request.url);
  const query = url.search
    .slice(1)
    .split("&")
    .filter((pair) => pair !== "" && !pair.startsWith("X-Amz-Signature="))
    .map((pair) => (pair.includes("=") ? pair : `${pair}=`))
    .toSorted()
    .join("&");
  const names = signedHeaders.split(";");
  const lines = names.map((name) => `${name}:${(request.headers.get(name) ?? "").trim()}\n`).join("");
  const canonical = [request.method, url.pathname, query, lines, signedHeaders, payload].join("\n");
  const scope = `${day}/${region}/${service}/aws4_request`;
  const key = hmac(hmac(hmac(hmac(`AWS4${KEY}`, day), region), service), "aws4_request");
  const text = ["AWS4-HMAC-SHA256", date, scope, sha256(canonical)].join("\n");
  return hmac(key, text).toString("hex") === signature;
}

import { afterAll, beforeAll, expect, test } from "bun:test";
import { connect } from "node:net";
import { until } from "../../test/support/until.ts";
import { UploadHarness, videoBytes } from "../../test/support/upload-harness.ts";

let kinora: UploadHarness;
beforeAll(async () => {
  kinora = await UploadHarness.start({ idleTimeoutSeconds: 1 });
});
afterAll(() => kinora.close());

/** A connection that sends one request, reads the answer, and then says nothing more. */
class Silent {
  readonly #begun = performance.now();
  answer = "";
  closedAfterMs: number | null = null;

  constructor(method: string, path: string, headers: readonly string[] = [], body = new Uint8Array()) {
    const { hostname, port } = new URL(kinora.url);
    const socket = connect(Number(port), hostname);
    socket.on("data", (bytes) => {
      this.answer += bytes.toString();
    });
    socket.on("close", () => {
      this.closedAfterMs = performance.now() - this.#begun;
    });
    socket.on("error", () => undefined);
    const common = ["Host: localhost", "X-Test-User: ada", "Tus-Resumable: 1.0.0"];
    socket.write(`${method} ${path} HTTP/1.1\r\n${[...common, ...headers].join("\r\n")}\r\n\r\n`);
    socket.write(body);
  }

  get status(): number {
    return Number(/^HTTP\/1\.1 (\d{3})/.exec(this.answer)?.[1] ?? 0);
  }
}

test.concurrent("a connection that says nothing after an upload request is closed like any other", async () => {
  const [path, other] = [await kinora.create(1_000), await kinora.create(1_000)];
  const offset = ["Upload-Offset: 0", "Content-Type: application/offset+octet-stream", "Content-Length: 1000"];
  const asked = [
    new Silent("OPTIONS", "/api/uploads"),
    new Silent("GET", path),
    new Silent("HEAD", path),
    new Silent("DELETE", other),
    new Silent("POST", "/api/uploads", ["Upload-Length: 1000", "Content-Length: 0"]),
    new Silent("PATCH", path, offset, videoBytes(1_000)),
    new Silent("POST", "/api/titles", ["Content-Type: multipart/form-data; boundary=b", "Content-Length: 0"]),
  ];
  await until(() => asked.every(({ status }) => status !== 0));
  expect(asked.map(({ status }) => status)).toEqual([204, 200, 200, 204, 201, 204, 400]);
  await until(() => asked.every(({ closedAfterMs }) => closedAfterMs !== null), 20_000);
}, 30_000);

test.concurrent("a sender that is silent for longer than other connections may be is not cut", async () => {
  const path = await kinora.create(1_000);
  const bytes = videoBytes(1_000);
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      controller.enqueue(bytes.subarray(0, 500));
      await Bun.sleep(6_000);
      controller.enqueue(bytes.subarray(500));
      controller.close();
    },
  });
  expect((await kinora.append(path, 0, body)).status).toBe(204);
}, 30_000);

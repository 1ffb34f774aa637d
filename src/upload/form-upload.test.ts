import { afterAll, beforeAll, expect, test } from "bun:test";
import { ada, sha256, UploadHarness, vic, videoBytes } from "../../test/support/upload-harness.ts";

let kinora: UploadHarness;
beforeAll(async () => {
  kinora = await UploadHarness.start({ maxSizeBytes: 8 << 20 });
});
afterAll(() => kinora.close());

type Field = readonly [name: string, value: string | Blob, fileName?: string];

function post(fields: readonly Field[], who: typeof ada | null = ada) {
  const form = new FormData();
  for (const [name, value, fileName] of fields) {
    if (typeof value === "string") form.append(name, value);
    else form.append(name, value, fileName);
  }
  return kinora.fetch("/api/titles", { method: "POST", body: form }, who);
}

const video = (sizeBytes: number, seed?: number) => new Blob([videoBytes(sizeBytes, seed)]);

test("a form with fields before and after the file becomes a ready title", async () => {
  const bytes = videoBytes(3_000_000, 5);
  const response = await post([
    ["tags", "one"],
    ["file", new Blob([bytes]), "C:\\Users\\ada\\Holiday 2024.mp4"],
    ["tags", "two"],
    ["name", "  Our\tholiday "],
  ]);
  expect(response.status).toBe(201);
  const title = await response.json();
  expect(title).toMatchObject({
    name: "Our holiday",
    tags: ["one", "two"],
    mediaId: sha256(bytes),
    sizeBytes: bytes.length,
    availability: "ready",
    visibility: "private",
    owner: { id: ada.userId, username: "ada" },
  });
  expect(response.headers.get("Location")).toBe(`/api/titles/${title.id}`);
  expect(kinora.leftBehind()).toEqual([]);
});

test("without a name the title is called like the file", async () => {
  const title = await (await post([["file", video(20_000, 6), "../../etc/Le été.final.mp4"]])).json();
  expect(title.name).toBe("Le été.final");
});

test("what is refused leaves no file, no title and no upload", async () => {
  kinora.catalog.titles.clear();
  const table: [Promise<Response>, number, string][] = [
    [post([["file", new Blob([]), "empty.mp4"]]), 422, "empty"],
    [post([["file", new Blob(["some text"]), "text.mp4"]]), 422, "not-a-video"],
    [post([["file", new Blob([new Uint8Array(20_000)]), "zeros.mp4"]]), 422, "not-a-video"],
    [post([["file", video(9 << 20), "large.mp4"]]), 413, "too-large"],
    [
      post([
        ["file", video(20_000), "a.mp4"],
        ["file", video(20_000), "b.mp4"],
      ]),
      400,
      "invalid-request",
    ],
    [
      post([
        ["file", video(20_000), "a.mp4"],
        ["colour", "red"],
      ]),
      400,
      "invalid-request",
    ],
    [
      post([
        ["file", video(20_000), "a.mp4"],
        ["tags", ""],
      ]),
      400,
      "invalid-request",
    ],
    [
      post([
        ["file", video(20_000), "a.mp4"],
        ["name", "x".repeat(301)],
      ]),
      400,
      "invalid-request",
    ],
    [post([["name", "no file"]]), 400, "invalid-request"],
    [post([["file", video(20_000), "a.mp4"]], vic), 403, "forbidden"],
    [post([["file", video(20_000), "a.mp4"]], null), 401, "unauthorized"],
    [kinora.fetch("/api/titles", { method: "POST", body: "{}" }), 415, "unsupported-media-type"],
    [kinora.fetch("/api/titles?name=x", { method: "POST", body: new FormData() }), 400, "invalid-request"],
  ];
  for (const [answer, status, code] of table) {
    const response = await answer;
    expect(response.headers.get("Content-Type")).toBe("application/problem+json");
    expect([response.status, (await response.json()).code]).toEqual([status, code]);
  }
  expect(kinora.leftBehind()).toEqual([]);
  expect(kinora.catalog.titles.size).toBe(0);
});

test("too many bytes without a length are refused while they come", async () => {
  const boundary = "xyz";
  const head = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n`;
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (sent === 0) controller.enqueue(new TextEncoder().encode(head));
      controller.enqueue(sent === 0 ? videoBytes(1 << 20) : new Uint8Array(1 << 20));
      if (++sent === 64) controller.close();
    },
  });
  const headers = { "Content-Type": `multipart/form-data; boundary=${boundary}` };
  const response = await kinora.fetch("/api/titles", { method: "POST", body, headers });
  expect([response.status, (await response.json()).code]).toEqual([413, "too-large"]);
  expect(kinora.leftBehind()).toEqual([]);
});

test("a part without a name, or with an empty one, is an unknown field", async () => {
  for (const disposition of ['name=""', 'filename="a.mp4"', 'name=""; filename="a.mp4"']) {
    const body = `--b\r\nContent-Disposition: form-data; ${disposition}\r\n\r\nabc\r\n--b--\r\n`;
    const headers = { "Content-Type": "multipart/form-data; boundary=b" };
    const answer = await kinora.fetch("/api/titles", { method: "POST", headers, body });
    expect([disposition, answer.status, (await answer.json()).code]).toEqual([disposition, 400, "invalid-request"]);
  }
});

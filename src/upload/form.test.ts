import { expect, test } from "bun:test";
import { sha256, videoBytes } from "../../test/support/upload-harness.ts";
import { readForm } from "./form.ts";

const BOUNDARY = "----WebKitFormBoundaryABCDEF0123456789";
const TYPE = `multipart/form-data; boundary=${BOUNDARY}`;

type Part = readonly [name: string, value: string | Uint8Array, fileName?: string];

function encode(parts: readonly Part[], end = `--${BOUNDARY}--\r\n`): Buffer {
  const pieces = parts.flatMap(([name, value, fileName]) => {
    const file = fileName === undefined ? "" : `; filename="${fileName}"\r\nContent-Type: application/octet-stream`;
    return [`--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n`, value, "\r\n"];
  });
  return Buffer.concat([...pieces, end].map((piece) => Buffer.from(piece as Uint8Array)));
}

/** The body in pieces of random sizes, from a fixed seed. */
async function* cut(body: Uint8Array, seed: number, most: number) {
  let state = seed;
  for (let at = 0; at < body.length; ) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const size = 1 + ((state >>> 8) % most);
    yield body.slice(at, at + size);
    at += size;
  }
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const held: Uint8Array[] = [];
  // Slower than the sender, and holding on to the chunks, as the disk does.
  for await (const chunk of chunks) {
    held.push(chunk);
    await Promise.resolve();
  }
  return Buffer.concat(held);
}

const read = (body: AsyncIterable<Uint8Array>, type = TYPE) =>
  readForm(type, body, async (fileName, chunks) => ({ fileName, bytes: await collect(chunks) }));

test("fields are read in any order, and the file's bytes however the body is cut", async () => {
  const file: Part = ["file", videoBytes(200_000), "Ünï ✓.mp4"];
  const fields: Part[] = [
    ["name", "Größe 名"],
    ["tags", "a"],
    ["tags", "b"],
  ];
  const orders = [
    [file, ...fields],
    [...fields, file],
    [fields[0], file, fields[1], fields[2]],
  ] as Part[][];
  for (const parts of orders) {
    for (const [seed, most] of [
      [1, 7],
      [2, 100],
      [3, 5_000],
      [4, 70_000],
    ] as const) {
      const form = await read(cut(encode(parts), seed, most));
      expect(form.name).toBe("Größe 名");
      expect(form.tags).toEqual(["a", "b"]);
      expect(form.file.fileName).toBe("Ünï ✓.mp4");
      expect(sha256(form.file.bytes)).toBe(sha256(file[1] as Uint8Array));
    }
  }
});

test("bytes that look like the beginning of a boundary arrive unchanged", async () => {
  const almost = Buffer.from(`\r\n--${BOUNDARY.slice(0, -1)}\r\r\n-\r\n--\r`.repeat(3_000));
  for (let seed = 1; seed <= 20; seed++) {
    const form = await read(cut(encode([["file", almost, "x"]]), seed, 1 + seed * 37));
    expect(Buffer.compare(form.file.bytes, almost)).toBe(0);
  }
});

test("a form that is not as it should be is refused with the reason", async () => {
  const file: Part = ["file", "bytes", "a.mp4"];
  const table: [Uint8Array, string][] = [
    [encode([["name", "x"]]), "file: expected one file, none came."],
    [encode([file, file]), "file: expected one file, two came."],
    [encode([file, ["other", "x"]]), "other: unknown field. Known are file, name and tags."],
    [encode([["poster", "x", "p.png"], file]), "poster: unknown file. Send it as field file."],
    [encode([["file", "text"]]), "file: expected a file, text came."],
    [encode([["name", "a"], ["name", "b"], file]), "name: expected once."],
    [encode([["name", "x".repeat(5_000)], file]), "name: expected at most 4096 bytes."],
    [encode([...Array.from({ length: 200 }, (): Part => ["tags", "t"]), file]), "Expected at most 101 fields."],
    [encode([file], ""), "The request's body ended early."],
    [new Uint8Array(), "The request's body ended early."],
  ];
  for (const [body, message] of table) {
    for (const most of [11, 100_000]) expect(read(cut(body, 5, most))).rejects.toThrow(message);
    await read(cut(body, 5, 100)).catch(() => undefined);
  }
  expect(() => read(cut(new Uint8Array(), 1, 1), "application/json")).toThrow("multipart/form-data");
  expect(() => read(cut(new Uint8Array(), 1, 1), "multipart/form-data")).toThrow("Boundary");
});

test("no more is read than the receiver takes", async () => {
  let sent = 0;
  const body = async function* () {
    yield encode([["file", "", "x"]], "").subarray(0, -2);
    for (; sent < 1000; sent++) yield Buffer.alloc(65_536, 1);
  };
  const first = Promise.withResolvers<void>();
  const reading = readForm(TYPE, body(), async (_name, chunks) => {
    for await (const _chunk of chunks) {
      await first.promise;
      throw new Error("enough");
    }
  });
  await Bun.sleep(50);
  expect(sent).toBeLessThan(80);
  first.resolve();
  expect(reading).rejects.toThrow("enough");
  await reading.catch(() => undefined);
  expect(sent).toBeLessThan(80);
});

test("what is refused is refused at once, not after the rest of the body", async () => {
  const endless = (start: Buffer) => {
    const counter = { sent: 0 };
    const chunks = async function* () {
      yield start;
      for (; counter.sent < 1_000; counter.sent++) {
        yield Buffer.alloc(65_536, 1);
        await Bun.sleep(0);
      }
    };
    return { counter, chunks: chunks() };
  };
  const open = encode([["file", "", "x"]], "").subarray(0, -2);
  const field = endless(Buffer.concat([encode([["colour", "red"]], ""), open]));
  await expect(read(field.chunks)).rejects.toThrow("colour: unknown field");
  expect(field.counter.sent).toBeLessThan(10);
  const file = endless(open);
  const refusing = readForm(TYPE, file.chunks, async (_name, chunks) => {
    for await (const _chunk of chunks) throw new Error("no video");
  });
  await expect(refusing).rejects.toThrow("no video");
  expect(file.counter.sent).toBeLessThan(10);
});

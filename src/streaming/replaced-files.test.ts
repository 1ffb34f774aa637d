import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  chmodSync,
  closeSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import pino from "pino";
import { fixture } from "../../test/support/fixtures.ts";
import { Stage } from "../../test/support/streaming-stage.ts";
import { until } from "../../test/support/until.ts";
import { DoubtfulFiles } from "./doubtful-files.ts";
import type { Source } from "./source.ts";
import type { ConfirmedFile, SourceRepository } from "./source-repository.ts";

const LARGE = 9 * 2 ** 20;
const PAST = new Date(1_600_000_000_000);
const video = readFileSync(await fixture("h264-aac.mp4"));

let stage: Stage;
/** What was saved of sources, by the repository's operations. */
let writes: string[];
/** Changes what is saved, as an earlier version would have. */
let saved: (source: Source) => Source;
beforeEach(async () => {
  [writes, saved] = [[], (source) => source];
  stage = await new Stage(watched).start();
});
afterEach(() => stage.close());

function watched(sources: SourceRepository): SourceRepository {
  return new Proxy(sources, {
    get(target, name: keyof SourceRepository) {
      if (name === "saveAll") {
        return (some: readonly Source[]) => {
          writes.push(...some.map(() => name));
          return target.saveAll(some.map(saved));
        };
      }
      if (name === "confirmAll") {
        return (files: readonly ConfirmedFile[]) => {
          writes.push(...files.map(() => name));
          return target.confirmAll(files);
        };
      }
      if (name === "identify") writes.push(name);
      return target[name].bind(target);
    },
  });
}

const at = (name: string) => join(stage.library, name);
/** Another content of equal length for each `mark`: all of it differs, as of two videos, but for the index in front. */
const bytesOf = (mark: number, length = LARGE) => {
  const box = Buffer.alloc(length - video.length, mark);
  box.writeUInt32BE(box.length);
  box.write("free", 4);
  return Buffer.concat([video, box]);
};
const shaOf = (bytes: Uint8Array) => new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
/** Writes a file, or over the one that is there, under a time that is always the same. */
function write(name: string, bytes: Uint8Array): void {
  writeFileSync(at(name), bytes);
  utimesSync(at(name), PAST, PAST);
}
/** What is known of a title's content: that which was announced last. */
const contentOf = (name: string) => stage.announced.findLast((one) => one.name === name)?.mediaId;
/** Waits until a title's content is known to be these bytes. */
function known(bytes: Uint8Array, ...names: readonly string[]): Promise<unknown> {
  const sha = shaOf(bytes);
  return until(() => names.every((name) => contentOf(name) === sha));
}
const sourcesOf = (name: string) =>
  new Set(stage.announced.filter((one) => one.name === name).map(({ sourceId }) => sourceId));
const restart = async (meanwhile: () => void = () => undefined) => {
  await stage.stopService();
  meanwhile();
  await stage.startService(undefined, { rootCheckMs: 3_600_000 });
  await (await stage.report()).settled();
};
const isHashed = async () => {
  const { unhashedBytes } = (await (await stage.askAdmin("GET", "/api/library")).json()) as { unhashedBytes: number };
  return unhashedBytes === 0;
};

test("a large file that is replaced in place under its size and time while Kinora is stopped is another one at the next start", async () => {
  write("film.mp4", bytesOf(1));
  await restart();
  await known(bytesOf(1), "film");
  await restart(() => write("film.mp4", bytesOf(2)));
  await known(bytesOf(2), "film");
  expect(sourcesOf("film").size).toBe(1);
  const id = stage.announced[0]?.sourceId ?? "";
  stage.titles.set(id, { id, ownerId: null, visibility: "members", mediaId: null, name: "film" });
  const answer = await stage.ask(`/stream/${id}/original`);
  expect(shaOf(await answer.bytes())).toBe(shaOf(bytesOf(2)));
});

test("a large file that is replaced in place is read again when the system tells of it, under all its names", async () => {
  write("film.mp4", bytesOf(1));
  linkSync(at("film.mp4"), at("same.mp4"));
  await restart();
  await known(bytesOf(1), "film", "same");
  write("film.mp4", bytesOf(2));
  await known(bytesOf(2), "film", "same");
});

test("other permissions, names and backups cost no new hash: the file is compared once, and not at the start after", async () => {
  const names = ["chmod.mp4", "link.mp4", "small.mp4"];
  for (const name of names) write(name, bytesOf(1, name === "small.mp4" ? 2 ** 20 : LARGE));
  await restart();
  await until(isHashed);
  await until(() => names.every((name) => contentOf(name.slice(0, -4))));
  const announced = stage.announced.length;
  writes = [];
  await restart(() => {
    for (const name of ["chmod.mp4", "small.mp4"]) chmodSync(at(name), 0o600);
    linkSync(at("link.mp4"), join(stage.folder.path, "backup"));
  });
  await until(() => writes.length === 3);
  expect(writes).toEqual(["confirmAll", "confirmAll", "confirmAll"]);
  await restart();
  expect(stage.announced.length).toBe(announced);
  expect(writes.length).toBe(3);
  // What is renamed is known by its inode, and not read either.
  await restart(() => renameSync(at("chmod.mp4"), at("renamed.mp4")));
  await known(bytesOf(1), "renamed");
  await restart();
  expect(writes.slice(3)).toEqual(["saveAll"]);
});

test("what a file says of itself is compared too, wherever it stands in the file", async () => {
  const chaptered = readFileSync(await fixture("h264-chapters.mp4"));
  const named = (name: string) => {
    const bytes = Buffer.concat([chaptered, bytesOf(1).subarray(video.length)]);
    for (let from = bytes.indexOf("One"); from >= 0; from = bytes.indexOf("One", from + 1)) bytes.write(name, from);
    return bytes;
  };
  write("film.mp4", named("One"));
  await restart();
  await known(named("One"), "film");
  await restart(() => write("film.mp4", named("Uno")));
  await known(named("Uno"), "film");
});

test("what an earlier version has taken counts as it is, and is compared from then on", async () => {
  saved = (source) => ({ ...source, ctimeMs: null, sample: null });
  write("film.mp4", bytesOf(1));
  write("small.mp4", bytesOf(1, 2 ** 20));
  await restart();
  await until(isHashed);
  await until(() => contentOf("film") && contentOf("small"));
  saved = (source) => source;
  await restart();
  await until(() => writes.filter((name) => name === "confirmAll").length >= 2);
  await stage.stopService();
  const announced = stage.announced.length;
  await restart();
  expect(stage.announced.length).toBe(announced);
  await restart(() => {
    write("film.mp4", bytesOf(2));
    write("small.mp4", bytesOf(2, 2 ** 20));
  });
  await known(bytesOf(2), "film");
  await known(bytesOf(2, 2 ** 20), "small");
});

test("a file that is replaced before its content is known is hashed as it is then", async () => {
  write("film.mp4", bytesOf(1, 40 * 2 ** 20));
  const file = openSync(at("film.mp4"), "r+");
  try {
    await stage.report().then((report) => report.rescan());
    writeSync(file, bytesOf(2, 40 * 2 ** 20));
    utimesSync(at("film.mp4"), PAST, PAST);
  } finally {
    closeSync(file);
  }
  await known(bytesOf(2, 40 * 2 ** 20), "film");
  expect(statSync(at("film.mp4")).mtimeMs).toBe(PAST.getTime());
});

test("more files than can wait are found by another scan", async () => {
  const [looked, rests]: [string[], number[]] = [[], []];
  const doubtful = new DoubtfulFiles({
    sources: {
      find: async (id) => {
        looked.push(id);
        return null;
      },
      findByFileKeys: async () => [],
      confirmAll: async () => undefined,
    },
    log: pino({ level: "silent" }),
    isOurs: () => true,
    yieldTo: () => null,
    readAgain: () => undefined,
    onRest: () => void rests.push(looked.length),
    maxWaiting: 2,
  });
  doubtful.add(["a", "b", "b", "c"]);
  doubtful.wake();
  await until(() => rests.length > 0);
  expect([looked.toSorted(), rests]).toEqual([["a", "b"], [2]]);
  doubtful.add(["c"]);
  doubtful.wake();
  await until(() => looked.length === 3);
  await doubtful.close();
  expect(rests).toEqual([2]);
});

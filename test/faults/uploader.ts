import { readFileSync } from "node:fs";
import { fixture } from "../support/fixtures.ts";
import type { Fleet } from "../support/fleet.ts";
import type { TestUser } from "../support/kinora.ts";
import { until } from "../support/until.ts";
import { type Failure, type Operation, operate } from "./attempts.ts";

const CHUNKS = 3;
/** One piece of each upload comes slowly, so that some are always under way. */
const SLOW_PIECE = 1;
const SLOW_STEPS = 12;
const SLOW_STEP_MS = 100;
const tus = { "Tus-Resumable": "1.0.0" };

/** An upload whose last byte was acknowledged. */
interface Finished {
  readonly id: string;
  readonly sha256: string;
}

const sha256 = (bytes: Uint8Array) => new Bun.CryptoHasher("sha256").update(bytes).digest("hex");

/** Sends videos by tus, in pieces, and goes on where the server says after each failure. */
export class Uploader {
  readonly #user: TestUser;
  readonly #video: Uint8Array;
  readonly #mayStepBack: boolean;
  readonly #finished: Finished[] = [];
  /** What was acknowledged and is not there any more. */
  readonly lost: string[] = [];

  private constructor(user: TestUser, video: Uint8Array, mayStepBack: boolean) {
    this.#user = user;
    this.#video = video;
    this.#mayStepBack = mayStepBack;
  }

  /** Where the part in hand lies with its instance, an unfinished upload may step back to the last whole part. */
  static async open({ storage }: Fleet, user: TestUser): Promise<Uploader> {
    return new Uploader(user, readFileSync(await fixture("h264-aac.mp4")), storage === "s3");
  }

  get acknowledged(): number {
    return this.#finished.length;
  }

  /** One upload from its creation to its last byte. */
  async upload(give: AbortSignal, onFailure: () => void): Promise<Operation> {
    const startedAtMs = performance.now();
    const failures: Failure[] = [];
    let rightAgainAtMs = startedAtMs;
    const bytes = this.#unique();
    const run = async (asked: Parameters<typeof operate>[1]) => {
      const done = await operate("upload", asked, give, onFailure);
      failures.push(...done.failures);
      if (done.failures.length > 0) rightAgainAtMs = done.endedAtMs;
      return !done.lost && !give.aborted;
    };
    const done = (lost: boolean): Operation => ({
      ...{ kind: "upload", startedAtMs, endedAtMs: performance.now() },
      ...{ failures, lost, rightAgainAtMs },
    });
    let place = "";
    const created = await run({
      // An upload that was made twice is an empty one, which goes away by itself.
      isRepeatable: true,
      send: (signal) => this.#create(bytes.length, signal),
      read: async (answer) => {
        place = new URL(answer.headers.get("Location") ?? "", "http://none").pathname;
        return answer.status === 201 ? null : `${answer.status}: ${await answer.text()}`;
      },
    });
    if (!created) return done(!give.aborted);
    const sent = await this.#send(place, bytes, run);
    if (sent) this.#finished.push({ id: place.slice(place.lastIndexOf("/") + 1), sha256: sha256(bytes) });
    return done(!sent && !give.aborted);
  }

  /** Waits until all that was acknowledged can be watched as it was sent; what cannot is lost. */
  async verify(): Promise<void> {
    for (const { id, sha256: expected } of this.#finished) {
      const seen: { last: string } = { last: "" };
      const there = await until(async () => {
        const answer = await this.#user.fetch(`/stream/${id}/original`).catch(() => null);
        if (!answer?.ok) seen.last = `${answer?.status}: ${await answer?.text()}`;
        return answer?.ok ? { hash: sha256(await answer.bytes()) } : null;
      }, 60_000).catch(() => null);
      if (there?.hash !== expected) this.lost.push(`${id} (${there ? "other bytes" : seen.last})`);
    }
  }

  async #send(
    place: string,
    bytes: Uint8Array,
    run: (asked: Parameters<typeof operate>[1]) => Promise<boolean>,
  ): Promise<boolean> {
    const step = Math.ceil(bytes.length / CHUNKS);
    let acknowledged = 0;
    while (acknowledged < bytes.length) {
      let [offset, isKnown] = [acknowledged, true];
      const end = acknowledged + step;
      let isSlow = acknowledged === SLOW_PIECE * step;
      const ok = await run({
        // After a failure the server says how much it has.
        isRepeatable: true,
        before: async () => {
          if (!isKnown) {
            offset = await this.#offset(place, acknowledged);
            isSlow = false;
          }
          isKnown = false;
        },
        send: (signal) =>
          // The answer to the last piece may have got lost.
          offset === bytes.length
            ? this.#user.fetch(place, { method: "HEAD", headers: tus, signal })
            : this.#patch(place, isSlow ? slowly(bytes.slice(offset, end)) : bytes.slice(offset, end), offset, signal),
        read: async (answer) => {
          if (!answer.ok) return `${answer.status}: ${await answer.text()}`;
          acknowledged = Number(answer.headers.get("Upload-Offset"));
          return null;
        },
      });
      if (!ok) return false;
    }
    return true;
  }

  #create(length: number, signal: AbortSignal): Promise<Response> {
    return this.#user.fetch("/api/uploads", {
      method: "POST",
      headers: { ...tus, "Upload-Length": String(length), "Upload-Metadata": `filename ${btoa("load.mp4")}` },
      signal,
    });
  }

  #patch(
    place: string,
    body: Uint8Array<ArrayBuffer> | ReadableStream,
    offset: number,
    signal: AbortSignal,
  ): Promise<Response> {
    return this.#user.fetch(place, {
      method: "PATCH",
      headers: { ...tus, "Upload-Offset": String(offset), "Content-Type": "application/offset+octet-stream" },
      body,
      signal,
    });
  }

  /** What the server has; less than it acknowledged is a loss. */
  async #offset(place: string, acknowledged: number): Promise<number> {
    const head = await this.#user.fetch(place, { method: "HEAD", headers: tus, signal: AbortSignal.timeout(10_000) });
    if (!head.ok) throw new Error(`${head.status} to HEAD`);
    const offset = Number(head.headers.get("Upload-Offset"));
    if (offset < acknowledged && !this.#mayStepBack)
      this.lost.push(`${place}: ${acknowledged} bytes were acknowledged, ${offset} are there`);
    return offset;
  }

  /** The video with a box at its end that no player reads, so that no two have the same content. */
  #unique(): Uint8Array<ArrayBuffer> {
    const box = Buffer.alloc(24);
    box.writeUInt32BE(box.length, 0);
    box.write("free", 4, "latin1");
    box.set(crypto.getRandomValues(new Uint8Array(16)), 8);
    return new Uint8Array(Buffer.concat([this.#video, box]));
  }
}

/** A body that takes its time. */
function slowly(bytes: Uint8Array): ReadableStream<Uint8Array> {
  const step = Math.ceil(bytes.length / SLOW_STEPS);
  let at = 0;
  return new ReadableStream({
    async pull(controller) {
      if (at > 0) await Bun.sleep(SLOW_STEP_MS);
      if (at < bytes.length) controller.enqueue(bytes.slice(at, at + step));
      at += step;
      if (at >= bytes.length) controller.close();
    },
  });
}

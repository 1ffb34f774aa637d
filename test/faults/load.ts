import { readFileSync } from "node:fs";
import { fixture } from "../support/fixtures.ts";
import type { Fleet } from "../support/fleet.ts";
import { TestUser } from "../support/kinora.ts";
import { until } from "../support/until.ts";
import { type Asked, type Kind, kinds, type Operation, operate } from "./attempts.ts";
import { Probes } from "./probes.ts";
import { Uploader } from "./uploader.ts";

/** How often each kind begins at full load, in milliseconds, and how many may be under way at once. */
const EVERY_MS: Readonly<Record<Kind, number>> = {
  segment: 50,
  range: 50,
  search: 150,
  "sign-in": 1_000,
  upload: 1_000,
};
const MOST_AT_ONCE = 40;
/** Uploads are sent slowly; only what takes longer than this is overdue. */
const UPLOAD_MS = 4_000;
const LEARN_MS = 5_000;
const RANGE_BYTES = 64 << 10;

/** Something that is under way. */
interface Begun {
  readonly kind: Kind;
  readonly atMs: number;
  /** Attempts. */
  failed: number;
}

type Begin = Readonly<Record<Kind, (onFailure: () => void) => Asked | Promise<Operation>>>;

/** Viewers, searches, sign-ins and uploads, at a constant rate, and somebody who tries what is not allowed. */
export class Load {
  readonly #operations: Operation[] = [];
  readonly #timers: Timer[] = [];
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #give = new AbortController();
  readonly probes: Probes;
  readonly uploader: Uploader;
  readonly #begin: Begin;

  private constructor(parts: { probes: Probes; uploader: Uploader; begin: Begin }) {
    this.probes = parts.probes;
    this.uploader = parts.uploader;
    this.#begin = parts.begin;
  }

  static async open(fleet: Fleet): Promise<Load> {
    const video = await fixture("h264-aac-60s.mp4");
    const [owner, stranger] = await Promise.all(["owner", "stranger"].map((name) => TestUser.signIn(fleet, name)));
    if (!owner || !stranger) throw new Error("nobody signed in");
    const title = await owner.upload(video, { name: "Under load", tags: ["load"] });
    const uploader = await Uploader.open(fleet, owner);
    const probes = new Probes(fleet, title.id);
    const begin = {
      segment: await segments(fleet, owner, title.id),
      range: ranges(owner, title.id, readFileSync(video)),
      search: () => search(owner, title.id),
      "sign-in": () => signIn(fleet),
      upload: (onFailure: () => void) => uploader.upload(load.#give.signal, onFailure),
    };
    const load: Load = new Load({ probes, uploader, begin });
    await probes.start(owner, stranger);
    return load;
  }

  /** At a part of the full load. */
  start(part: number): void {
    for (const kind of kinds) this.#timers.push(setInterval(() => this.#once(kind), EVERY_MS[kind] / part));
  }

  /** Begins nothing more, and waits for what is under way. */
  async stop(): Promise<void> {
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
    await Promise.all(this.#underWay);
    this.#give.abort();
    await this.probes.stop();
  }

  /** How long the slowest answers take while nothing is wrong. */
  get usualMs(): number {
    return Math.max(0, ...this.#usual);
  }

  /** Learns from the last moments how long answers take. */
  learn(): void {
    this.#usual = this.since(performance.now() - LEARN_MS)
      .filter(({ kind, failures }) => kind !== "upload" && failures.length === 0)
      .map(({ startedAtMs, endedAtMs }) => endedAtMs - startedAtMs);
  }

  /** What has begun after a moment, or was under way then. */
  since(atMs: number): readonly Operation[] {
    return this.#operations.filter(({ endedAtMs }) => endedAtMs >= atMs);
  }

  /** Waits until nothing has failed, and nothing is overdue, for so long. */
  async calm(forMs: number, withinMs: number): Promise<void> {
    const from = performance.now();
    await until(() => {
      const now = performance.now();
      if (now - from < forMs) return false;
      const recent = this.#operations.filter(({ endedAtMs }) => endedAtMs > now - forMs);
      return this.#overdue(forMs).length === 0 && recent.every(({ failures }) => failures.length === 0);
    }, withinMs).catch((cause: unknown) => {
      throw new Error(`not calm: ${this.#troubles(forMs)}`, { cause });
    });
  }

  /** What fails and what is overdue. */
  #troubles(forMs: number): string {
    const failed = this.since(performance.now() - forMs)
      .filter(({ failures }) => failures.length > 0)
      .map(({ kind, failures }) => `${kind} failed ${failures.length} times, with ${failures.at(-1)?.what}`);
    return [...failed, ...this.#overdue(forMs)].join("; ");
  }

  #usual: readonly number[] = [];
  #begun = new Map<Promise<unknown>, Begun>();

  /** What is under way and has failed before, or takes too long. */
  #overdue(forMs: number): string[] {
    const now = performance.now();
    return [...this.#begun.values()]
      .filter(({ kind, atMs, failed }) => failed > 0 || now - atMs > forMs + (kind === "upload" ? UPLOAD_MS : 0))
      .map(({ kind, atMs, failed }) => `${kind} under way for ${Math.round(now - atMs)} ms, failed ${failed} times`);
  }

  #once(kind: Kind): void {
    if (this.#underWay.size >= MOST_AT_ONCE) return;
    const state: Begun = { kind, atMs: performance.now(), failed: 0 };
    const onFailure = () => void state.failed++;
    const begun = this.#begin[kind](onFailure);
    const { signal } = this.#give;
    const running = ("send" in begun ? operate(kind, begun, signal, onFailure) : begun).then((operation) => {
      this.#operations.push(operation);
      this.#underWay.delete(running);
      this.#begun.delete(running);
    });
    this.#underWay.add(running);
    this.#begun.set(running, state);
  }
}

const expecting = async (answer: Response, status: number, isRight: (body: Uint8Array) => boolean) => {
  const body = await answer.bytes();
  if (answer.status !== status) return `${answer.status}: ${new TextDecoder().decode(body.slice(0, 200))}`;
  return isRight(body) ? null : "a wrong answer";
};

/** Segments by a link, as a player without an account asks for them; each is the same every time. */
async function segments(fleet: Fleet, owner: TestUser, titleId: string): Promise<() => Asked> {
  const link = (await (await owner.post("/api/links", { titleId })).json()) as { hlsUrl: string };
  const get = async (url: string) => {
    const answer = await fetch(url);
    if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
    return answer;
  };
  const master = new URL(new URL(link.hlsUrl).pathname + new URL(link.hlsUrl).search, fleet.url).href;
  const names = (text: string, base: string) =>
    text
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => new URL(line, base).href);
  const [playlist = ""] = names(await (await get(master)).text(), master);
  const urls = names(await (await get(playlist)).text(), playlist);
  const digest = (bytes: Uint8Array) => Bun.hash(bytes);
  const known = new Map<string, ReturnType<typeof digest>>();
  for (const url of urls) known.set(url, digest(await (await get(url)).bytes()));
  let turn = 0;
  return () => {
    const url = urls[turn++ % urls.length] ?? "";
    return {
      isRepeatable: true,
      send: (signal) => fetch(url, { signal }),
      read: (answer) => expecting(answer, 200, (body) => digest(body) === known.get(url)),
    };
  };
}

/** Pieces of the original, as a browser without HLS asks for them. */
function ranges(owner: TestUser, titleId: string, bytes: Uint8Array): () => Asked {
  return () => {
    const from = Math.floor(Math.random() * (bytes.length - RANGE_BYTES));
    const end = from + RANGE_BYTES;
    return {
      isRepeatable: true,
      send: (signal) =>
        owner.fetch(`/stream/${titleId}/original`, { headers: { Range: `bytes=${from}-${end - 1}` }, signal }),
      read: (answer) => expecting(answer, 206, (body) => Buffer.compare(body, bytes.subarray(from, end)) === 0),
    };
  };
}

const search = (owner: TestUser, titleId: string): Asked => ({
  isRepeatable: true,
  send: (signal) => owner.fetch("/api/titles?q=under", { signal }),
  read: (answer) => expecting(answer, 200, (body) => new TextDecoder().decode(body).includes(titleId)),
});

const signIn = (fleet: Fleet): Asked => ({
  isRepeatable: false,
  send: (signal) =>
    fetch(`${fleet.url}/api/session`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ username: "stranger", password: "correct horse battery" }),
      signal,
    }),
  read: (answer) => expecting(answer, 200, () => answer.headers.getSetCookie().length > 0),
});

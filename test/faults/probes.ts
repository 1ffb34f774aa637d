import type { Fleet } from "../support/fleet.ts";
import { TestUser } from "../support/kinora.ts";

/** From the answer to a revocation on, nobody may be let in after this. */
const REVOKED_WITHIN_MS = 1_000;
const PROBE_MS = 1_000;
/** Credentials that ended are tried for a while. */
const MOST_ENDED = 24;
const EVERY_MS = 250;

/** Something that let nobody in any more, from a moment on. */
interface Ended {
  readonly what: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly endedAtMs: number;
}

export interface Wrong {
  readonly what: string;
  readonly where: string;
  readonly status: number;
  /** Since the revocation was acknowledged; 0 for what never had a right. */
  readonly afterMs: number;
}

/** Asks all the time for what must be refused, of the load balancer and of each instance directly. */
export class Probes {
  readonly #fleet: Fleet;
  readonly #titleId: string;
  readonly #ended: Ended[] = [];
  #stopped = false;
  #running: Promise<unknown> = Promise.resolve();
  /** Who was let in and must not have been. */
  readonly wrong: Wrong[] = [];
  asked = 0;
  refused = 0;
  /** Within the time that a revocation may take. */
  letIn = 0;
  revoked = 0;
  /** The longest time after a revocation in which what was revoked still counted. */
  longestMs = 0;

  constructor(fleet: Fleet, titleId: string) {
    this.#fleet = fleet;
    this.#titleId = titleId;
  }

  async start(owner: TestUser, stranger: TestUser): Promise<void> {
    const path = `/stream/${this.#titleId}/original`;
    const never = { path, endedAtMs: Number.NEGATIVE_INFINITY };
    this.#ended.push(
      { ...never, what: "nobody", headers: {} },
      { ...never, what: "a stranger", headers: { Cookie: stranger.cookie } },
      { ...never, what: "a forged session", headers: { Cookie: `${owner.cookie.slice(0, -6)}AAAAAA` } },
      { ...never, what: "an empty token", headers: { Authorization: "Bearer " } },
    );
    this.#running = Promise.all([this.#revoking(owner), this.#probing()]);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  /** Makes credentials and ends them, one kind after the other. */
  async #revoking(owner: TestUser): Promise<void> {
    const makers = [this.#link, this.#token, this.#link, this.#session];
    for (let n = 0; !this.#stopped; n++) {
      const ended = await makers[n % makers.length]?.call(this, owner).catch(() => null);
      if (ended) {
        this.revoked++;
        this.#ended.push(ended);
        if (this.#ended.length > MOST_ENDED) this.#ended.splice(4, 1);
      }
      await Bun.sleep(EVERY_MS);
    }
  }

  async #link(owner: TestUser): Promise<Ended | null> {
    const made = await owner.post("/api/links", { titleId: this.#titleId });
    if (made.status !== 201) return null;
    const { id, url } = (await made.json()) as { id: string; url: string };
    const path = `/stream/${this.#titleId}/original${new URL(url).search}`;
    await this.#useEverywhere(path, {});
    const gone = await owner.send("DELETE", `/api/links/${id}`);
    return gone.status === 204 ? { what: "a link", path, headers: {}, endedAtMs: performance.now() } : null;
  }

  async #token(owner: TestUser): Promise<Ended | null> {
    const made = await owner.post("/api/tokens");
    if (made.status !== 201) return null;
    const { id, token } = (await made.json()) as { id: string; token: string };
    const [path, headers] = [`/stream/${this.#titleId}/original`, { Authorization: `Bearer ${token}` }];
    await this.#useEverywhere(path, headers);
    const gone = await owner.send("DELETE", `/api/tokens/${id}`);
    return gone.status === 204 ? { what: "a token", path, headers, endedAtMs: performance.now() } : null;
  }

  async #session(): Promise<Ended | null> {
    const user = await TestUser.signIn(this.#fleet, "owner");
    const [path, headers] = [`/stream/${this.#titleId}/original`, { Cookie: user.cookie }];
    await this.#useEverywhere(path, headers);
    const gone = await user.send("DELETE", "/api/session");
    return gone.status === 204 ? { what: "a session", path, headers, endedAtMs: performance.now() } : null;
  }

  /** What counts is known to all instances, so that forgetting it takes hearing of its end. */
  async #useEverywhere(path: string, headers: Readonly<Record<string, string>>): Promise<void> {
    await Promise.all(this.#places().map(({ url }) => this.#ask(url, path, headers)));
  }

  async #probing(): Promise<void> {
    for (let n = 0; !this.#stopped; n++) {
      const ended = this.#ended[n % this.#ended.length];
      if (ended) await Promise.all(this.#places().map((place) => this.#probe(ended, place)));
      await Bun.sleep(20);
    }
  }

  async #probe({ what, path, headers, endedAtMs }: Ended, { name, url }: { name: string; url: string }): Promise<void> {
    const sentAtMs = performance.now();
    const status = await this.#ask(url, path, headers);
    this.asked++;
    if (status === 401 || status === 404) this.refused++;
    if (status === null || status >= 300) return;
    this.letIn++;
    const afterMs = endedAtMs === Number.NEGATIVE_INFINITY ? 0 : sentAtMs - endedAtMs;
    this.longestMs = Math.max(this.longestMs, afterMs);
    if (afterMs === 0 || afterMs > REVOKED_WITHIN_MS)
      this.wrong.push({ what, where: name, status, afterMs: Math.round(afterMs) });
  }

  #places() {
    const streaming = this.#fleet.instances.filter(({ service }) => service === "streaming");
    return [
      { name: "edge", url: this.#fleet.url },
      ...streaming.map(({ name, process }) => ({ name, url: process.url })),
    ];
  }

  async #ask(url: string, path: string, headers: Readonly<Record<string, string>>): Promise<number | null> {
    try {
      const answer = await fetch(`${url}${path}`, {
        headers: { ...headers, Range: "bytes=0-99" },
        signal: AbortSignal.timeout(PROBE_MS),
        keepalive: false,
      });
      await answer.arrayBuffer();
      return answer.status;
    } catch {
      return null;
    }
  }
}

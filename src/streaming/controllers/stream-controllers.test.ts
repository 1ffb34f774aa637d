import { beforeEach, describe, expect, test } from "bun:test";
import pino from "pino";
import type { GrantHolder, Principal, Role } from "../../auth/contract.ts";
import { TemporaryUnavailableError, WrongMediaIdError } from "../../errors.ts";
import type { StopReason, StreamEvent, StreamProtocol } from "../contract.ts";
import { LiveStreams } from "../live-streams.ts";
import type { Clock } from "./clock.ts";
import type { OpenedStream, RtpPush } from "./stream-controller.ts";
import { StreamControllers } from "./stream-controllers.ts";

/** Time that passes when the test says so. */
class HandClock implements Clock {
  #nowMs = 1_000_000;
  readonly #waiting = new Set<{ timeMs: number; run: () => void }>();

  now() {
    return this.#nowMs;
  }

  at(timeMs: number, run: () => void) {
    const entry = { timeMs, run };
    this.#waiting.add(entry);
    return () => void this.#waiting.delete(entry);
  }

  get waiting() {
    return this.#waiting.size;
  }

  /** Runs what is due on the way, in order. */
  async pass(ms: number) {
    const end = this.#nowMs + ms;
    for (;;) {
      const next = [...this.#waiting].sort((a, b) => a.timeMs - b.timeMs)[0];
      if (!next || next.timeMs > end) break;
      this.#nowMs = Math.max(this.#nowMs, next.timeMs);
      this.#waiting.delete(next);
      next.run();
      await settle();
    }
    this.#nowMs = end;
  }
}

/** What is under way in microtasks is done. */
const settle = () => Bun.sleep(0);

const person = (username: string, role: Role = "editor"): Principal => ({
  userId: Bun.randomUUIDv7(),
  username,
  role,
  credential: { kind: "token", id: Bun.randomUUIDv7() },
});
const ada = person("ada");
const bob = person("bob");
const root = person("root", "admin");
const HOUR_MS = 3_600_000;
const titleId = Bun.randomUUIDv7();

/** The world around controllers, and what they did to it. */
class World {
  readonly clock = new HandClock();
  readonly live = new LiveStreams();
  readonly events: string[] = [];
  readonly revoked: string[] = [];
  readonly calls: string[] = [];
  readonly watches = new Set<{ who: Principal | GrantHolder; cut: () => void }>();
  /** What the catalog says of whoever asks. */
  admit: (who: Principal) => Promise<unknown> = async () => undefined;
  revokeGrant = async (id: string) => void this.revoked.push(id);
  push: RtpPush | null = null;
  readonly controllers: StreamControllers;

  constructor() {
    this.controllers = new StreamControllers({
      ...{ clock: this.clock, instance: "one", graceMs: 10_000, perUser: 2, max: 3, live: this.live },
      onRevoked: (who, cut) => {
        const watch = { who, cut };
        this.watches.add(watch);
        return () => void this.watches.delete(watch);
      },
      admit: (_titleId, who) => this.admit(who),
      revokeGrant: (id) => this.revokeGrant(id),
      onChange: () => undefined,
      publish: async (_id, event) => void this.events.push(text(event)),
      log: pino({ level: "silent" }),
    });
  }

  /** Starts a stream whose credential counts for 30 s. */
  create(who = ada, protocol: StreamProtocol = "rtsp", elsewhere = 0, open = () => this.opened(who, protocol)) {
    return this.controllers.create({ who, protocol, titleId, expiresAtMs: this.in(30_000) }, elsewhere, async () =>
      open(),
    );
  }

  in(ms: number) {
    return this.clock.now() + ms;
  }

  opened(who: Principal, protocol: StreamProtocol): OpenedStream {
    const id = Bun.randomUUIDv7();
    const expiresAt = new Date(this.in(12 * HOUR_MS)).toISOString();
    const grant = { grantId: id, titleId, collectionId: null, kind: "stream" as const, issuer: who, expiresAt };
    this.push = protocol === "rtp" ? this.#recordingPush() : null;
    return {
      ...{ id, url: `${protocol}://somewhere/${id}`, sdp: protocol === "rtp" ? "v=0" : null },
      ...{ grant: protocol === "rtp" ? null : grant, push: this.push, title: { id: titleId, name: "Film" } },
      limitAtMs: Date.parse(expiresAt),
    };
  }

  revoke(named: (who: Principal | GrantHolder) => boolean) {
    for (const watch of [...this.watches]) if (named(watch.who)) watch.cut();
  }

  #recordingPush(): RtpPush {
    return {
      pause: () => void this.calls.push("pause"),
      resume: () => void this.calls.push("resume"),
      close: () => void this.calls.push("close"),
      onEnd: () => undefined,
    };
  }
}

const text = (event: StreamEvent) => (event.type === "stopped" ? `stopped ${event.reason}` : event.type);

let world: World;
beforeEach(() => {
  world = new World();
});

describe("time", () => {
  test("it asks when the credential expires, goes on for the grace and then stops, with its grant", async () => {
    const { id, expiresAt } = await world.create();
    expect(Date.parse(expiresAt)).toBe(world.in(30_000));
    await world.clock.pass(29_999);
    expect(world.events).toEqual([]);
    await world.clock.pass(1);
    expect(world.events).toEqual(["requestAuthentication"]);
    expect(world.controllers.list(null)).toMatchObject([{ id, state: "asking" }]);
    await world.clock.pass(9_999);
    expect(world.revoked).toEqual([]);
    await world.clock.pass(1);
    expect([world.events, world.revoked]).toEqual([["requestAuthentication", "stopped expired"], [id]]);
    expect(world.controllers.list(null)).toEqual([]);
    expect([world.clock.waiting, world.watches.size]).toEqual([0, 0]);
  });

  test("refreshed in time, also while it asks, it goes on with the same URL", async () => {
    const first = await world.create();
    for (let minute = 0; minute < 10; minute++) {
      await world.clock.pass(minute % 2 === 0 ? 25_000 : 39_000);
      const renewed = await world.controllers.refresh(first.id, ada, world.in(30_000));
      expect(renewed).toEqual({ ...first, expiresAt: new Date(world.in(30_000)).toISOString() });
    }
    expect(world.events.filter((event) => event.startsWith("stopped"))).toEqual([]);
    await world.clock.pass(40_000);
    expect(world.events.at(-1)).toBe("stopped expired");
  });

  test("it ends with its grant's life, however often it is refreshed", async () => {
    const { id } = await world.create();
    for (let hour = 0; hour < 13; hour++) {
      await world.controllers.refresh(id, ada, world.in(2 * HOUR_MS)).catch(() => undefined);
      await world.clock.pass(HOUR_MS);
    }
    expect(world.events).toEqual(["stopped time-limit"]);
  });
});

describe("revocation", () => {
  test.each([
    ["its credential", (who: Principal | GrantHolder) => "credential" in who],
    ["its grant", (who: Principal | GrantHolder) => "grantId" in who],
  ])("of %s ends it at once", async (_what, named) => {
    const { id } = await world.create();
    const closed: StopReason[] = [];
    world.live.register(id, { pause() {}, resume() {}, close: (reason) => void closed.push(reason) });
    world.revoke(named);
    await settle();
    expect([world.events, world.revoked, closed]).toEqual([["stopped revoked"], [id], ["revoked"]]);
    expect([world.clock.waiting, world.watches.size]).toEqual([0, 0]);
  });

  test("of the credential that made it ends it, and of the last that renewed it, not of one in between", async () => {
    const [between, last] = [1, 2].map(
      (): Principal => ({ ...ada, credential: { kind: "session", id: crypto.randomUUID() } }),
    );
    for (const credential of [ada, last]) {
      const { id } = await world.create();
      if (between) await world.controllers.refresh(id, between, world.in(30_000));
      if (last) await world.controllers.refresh(id, last, world.in(30_000));
      world.revoke((who) => who === between);
      expect(world.controllers.has(id)).toBe(true);
      world.revoke((who) => who === credential);
      expect(world.controllers.has(id)).toBe(false);
    }
  });

  test("a grant that cannot be revoked is told to whoever stops, and the stream is over all the same", async () => {
    world.revokeGrant = () => Promise.reject(new TemporaryUnavailableError("auth is away"));
    const { id } = await world.create();
    await expect(world.controllers.stop(id, ada)).rejects.toMatchObject({ status: 503 });
    await settle();
    expect([world.controllers.list(null), world.events]).toEqual([[], ["stopped stopped"]]);
  });
});

describe("its title", () => {
  test("hidden while the stream was being opened ends it all the same", async () => {
    world.admit = () => Promise.reject(new WrongMediaIdError());
    await world.create(ada, "rtp");
    await settle();
    expect([world.events, world.calls]).toEqual([["stopped title-unavailable"], ["close"]]);
  });

  test("deleted or hidden ends it; changed otherwise it goes on", async () => {
    await world.create(ada);
    await world.create(bob);
    world.controllers.titleChanged(Bun.randomUUIDv7());
    world.controllers.titleChanged(titleId);
    await settle();
    expect(world.events).toEqual([]);
    world.admit = async ({ username }) => {
      if (username === "ada") throw new WrongMediaIdError();
    };
    world.controllers.titleChanged(titleId);
    await settle();
    expect(world.events).toEqual(["stopped title-unavailable"]);
    expect(world.controllers.list(null)).toMatchObject([{ user: { username: "bob" } }]);
  });

  test("is asked for again while the catalog is away", async () => {
    await world.create();
    world.admit = () => Promise.reject(new TemporaryUnavailableError("away"));
    world.controllers.titleChanged(titleId);
    await settle();
    expect(world.events).toEqual([]);
    world.admit = () => Promise.reject(new WrongMediaIdError());
    await world.clock.pass(1_000);
    expect(world.events).toEqual(["stopped title-unavailable"]);
  });

  test("is looked at when the stream is refreshed", async () => {
    const { id } = await world.create();
    world.admit = () => Promise.reject(new WrongMediaIdError());
    await expect(world.controllers.refresh(id, ada, world.in(30_000))).rejects.toMatchObject({
      code: "wrong-media-id",
    });
  });
});

describe("whose it is", () => {
  test("others get 404 for everything, as for what is not there", async () => {
    const { id } = await world.create();
    const { controllers } = world;
    for (const [streamId, who] of [
      [id, bob],
      [Bun.randomUUIDv7(), ada],
      [Bun.randomUUIDv7(), root],
    ] as const) {
      const notThere = { code: "not-found", status: 404, message: "You have no stream with this id." };
      await expect(controllers.refresh(streamId, who, world.in(1))).rejects.toMatchObject(notThere);
      await expect(controllers.stop(streamId, who)).rejects.toMatchObject(notThere);
      for (const ask of [
        () => controllers.pause(streamId, who),
        () => controllers.resume(streamId, who),
        () => controllers.get(streamId, who),
      ])
        expect(ask).toThrow("You have no stream with this id.");
    }
    expect(controllers.list(bob.userId)).toEqual([]);
  });

  test("an admin sees, pauses and stops it, and does not renew it", async () => {
    const { id } = await world.create();
    const { controllers } = world;
    expect(controllers.list(null)).toMatchObject([
      { id, user: { username: "ada" }, title: { name: "Film" }, instance: "one" },
    ]);
    await expect(controllers.refresh(id, root, world.in(1))).rejects.toMatchObject({ code: "forbidden", status: 403 });
    expect(controllers.pause(id, root).state).toBe("paused");
    await controllers.stop(id, root);
    expect(world.events).toEqual(["paused", "stopped stopped"]);
  });
});

describe("limits", () => {
  test("of one user count streams that are being opened and those of other instances, and free with each end", async () => {
    const gate = Promise.withResolvers<void>();
    const slow = world.controllers.create(
      { who: ada, protocol: "hls", titleId, expiresAtMs: world.in(1) },
      0,
      async () => {
        await gate.promise;
        return world.opened(ada, "hls");
      },
    );
    const { id } = await world.create();
    const tooMany = { code: "quota-exceeded", status: 403 };
    await expect(world.create()).rejects.toMatchObject(tooMany);
    await expect(world.create(bob, "hls", 2)).rejects.toMatchObject(tooMany);
    gate.resolve();
    await slow;
    await expect(world.create()).rejects.toMatchObject(tooMany);
    await world.controllers.stop(id, ada);
    await world.create();
  });

  test("of all users together are told with when to come back", async () => {
    await world.create(ada);
    await world.create(ada);
    await world.create(bob);
    await expect(world.create(root)).rejects.toMatchObject({ code: "rate-limited", headers: { "Retry-After": "30" } });
  });

  test("a stream that could not be opened takes no place", async () => {
    const failing = () => {
      throw new WrongMediaIdError();
    };
    for (let n = 0; n < 5; n++) expect(world.create(ada, "hls", 0, failing)).rejects.toThrow();
    await settle();
    await world.create();
    await world.create();
  });
});

describe("pause and resume", () => {
  test("reach RTP and what plays over RTSP, once each", async () => {
    const { id } = await world.create(ada, "rtp");
    const { controllers, calls } = world;
    controllers.pause(id, ada);
    expect(controllers.pause(id, ada).state).toBe("paused");
    expect(controllers.resume(id, ada).state).toBe("running");
    expect(calls).toEqual(["pause", "resume"]);
    expect(world.events).toEqual(["paused", "resumed"]);
    const rtsp = await world.create(ada, "rtsp");
    world.live.register(rtsp.id, {
      pause: () => void calls.push("rtsp pause"),
      resume: () => void calls.push("rtsp resume"),
      close: () => void calls.push("rtsp close"),
    });
    controllers.pause(rtsp.id, ada);
    controllers.resume(rtsp.id, ada);
    await controllers.stop(rtsp.id, ada);
    expect(calls.slice(2)).toEqual(["rtsp pause", "rtsp resume", "rtsp close"]);
  });

  test("resume begins RTP that has not begun by itself", async () => {
    const { id } = await world.create(ada, "rtp");
    world.controllers.resume(id, ada);
    expect([world.calls, world.events]).toEqual([["resume"], []]);
  });

  test("are no matter of HLS", async () => {
    const { id } = await world.create(ada, "hls");
    expect(() => world.controllers.pause(id, ada)).toThrow("pause the player");
  });
});

describe("the end", () => {
  test("of RTP is told, and ends the stream; a failure says why", async () => {
    const { id } = await world.create(ada, "rtp");
    world.push?.onEnd(null);
    expect([world.events, world.controllers.has(id), world.calls]).toEqual([
      ["ended", "stopped ended"],
      false,
      ["close"],
    ]);
    await world.create(ada, "rtp");
    world.push?.onEnd("unreachable");
    expect(world.events.slice(2)).toEqual(["stopped unreachable"]);
  });

  test("closing ends all, those too that are just being opened", async () => {
    const gate = Promise.withResolvers<void>();
    const slow = world.controllers.create(
      { who: bob, protocol: "hls", titleId, expiresAtMs: world.in(1) },
      0,
      async () => {
        await gate.promise;
        return world.opened(bob, "hls");
      },
    );
    await world.create();
    await world.controllers.close();
    gate.resolve();
    await slow;
    await settle();
    expect([world.controllers.list(null), world.revoked.length, world.clock.waiting]).toEqual([[], 2, 0]);
    expect(world.events).toEqual(["stopped shutdown", "stopped shutdown"]);
  });
});

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chownSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { serviceNames } from "../src/bus/contract.ts";
import { mayChroot, type RootProgram, runInRoot } from "./support/chroot.ts";
import { ensureDebianPackages, has } from "./support/debian.ts";
import { readDockerfile } from "./support/dockerfile.ts";
import { fixture } from "./support/fixtures.ts";
import { TestUser } from "./support/kinora.ts";
import { freePort } from "./support/nats.ts";
import { startRedis, type TestRedis } from "./support/redis.ts";
import type { TestSqlServer } from "./support/sql-server.ts";
import { deployedServer } from "./support/sql-servers.ts";
import { until } from "./support/until.ts";

const long = Boolean(process.env.KINORA_TEST_LONG);
const repository = join(import.meta.dir, "..");
const folder = long ? mkdtempSync(join(tmpdir(), "kinora-image-")) : "";
const image = join(folder, "image");
const dockerfile = readDockerfile(readFileSync(join(repository, "deploy/Dockerfile"), "utf8"));

/** Debian as the image's base has it; false, and why, where there is no mirror of Debian to be reached. */
async function bareDebian(): Promise<boolean> {
  await ensureDebianPackages({
    debootstrap: "debootstrap",
    mariadbd: "mariadb-server",
    "redis-server": "redis-server",
    ffmpeg: "ffmpeg",
  });
  if (!mayChroot() || !has("debootstrap", "mariadbd", "redis-server", "ffmpeg")) return false;
  const base = /^debian:(\w+)-slim$/.exec(dockerfile.from)?.[1] ?? "none";
  const child = Bun.spawn(["debootstrap", "--variant=minbase", base, image], { stdio: ["ignore", "pipe", "pipe"] });
  const said = await new Response(child.stdout).text();
  if ((await child.exited) === 0) return true;
  console.warn(`Left out, as debootstrap made no root: ${said.trim().split("\n").at(-1)}`);
  return false;
}
const isThere = long && (await bareDebian());

describe.skipIf(!isThere)("the image, made with debootstrap as deploy/Dockerfile says", () => {
  const running: RootProgram[] = [];
  const user = "10001:10001";

  /** A volume of the image's user. */
  const volume = (name: string) => {
    const path = join(folder, "volumes", name);
    mkdirSync(path, { recursive: true });
    chownSync(path, 10_001, 10_001);
    return path;
  };
  const start = (command: readonly string[], env: Record<string, string>, folders: Record<string, string>) => {
    const [program = "", ...args] = [...dockerfile.entrypoint, ...command];
    const all = { PATH: "/usr/local/bin:/usr/bin:/usr/sbin", ...dockerfile.env, ...env };
    const started = runInRoot(image, [`/usr/local/bin/${program}`, ...args], { env: all, user, folders });
    running.push(started);
    return started;
  };

  beforeAll(async () => {
    cpSync("/etc/resolv.conf", join(image, "etc/resolv.conf"));
    for (const command of dockerfile.run) {
      const child = Bun.spawn(["chroot", image, "/bin/sh", "-ec", command], { stdio: ["ignore", "ignore", "inherit"] });
      expect(await child.exited).toBe(0);
    }
    for (const { from, to } of dockerfile.copy)
      if (from !== "/kinora/dist/kinora") cpSync(join(repository, from), join(image, to), { recursive: true });
    const target = dockerfile.copy.find(({ from }) => from === "/kinora/dist/kinora")?.to ?? "none";
    const build = [process.execPath, join(repository, "scripts/build.ts"), join(image, target)];
    expect(await Bun.spawn(build, { stdout: "ignore" }).exited).toBe(0);
  }, 900_000);
  afterAll(async () => {
    await Promise.all(running.map((one) => one.stop()));
    rmSync(folder, { recursive: true, force: true });
  });

  test("it runs as the user it makes", () => {
    expect(dockerfile.user).toBe("kinora");
    expect(readFileSync(join(image, "etc/passwd"), "utf8")).toContain("\nkinora:x:10001:");
  });

  test("started with nothing said it refuses: who may register must be named", async () => {
    const refused = start(dockerfile.command, {}, { data: volume("refused") });
    expect([await refused.exited, refused.output()]).toEqual([2, expect.stringContaining("registration")]);
  });

  test("it starts, signs in, takes a video and plays it, and its health check says so", async () => {
    const listen = `127.0.0.1:${await freePort()}`;
    const env = { KINORA_REGISTRATION: "invite", KINORA_LISTEN: listen, KINORA_RTSP_LISTEN: "127.0.0.1:0" };
    const data = volume("alone");
    const kinora = start(dockerfile.command, env, { data });
    const [, firstAdminCode = ""] = await kinora.printed(/takes this code:\s+(\S+)/);
    const url = `http://${listen}`;
    const ann = await TestUser.signIn({ url, firstAdminCode }, "ann");
    const video = await fixture("h264-aac.mp4");
    const { id } = await ann.upload(video, { name: "In the image" });
    expect(await (await ann.get(`/stream/${id}/original`)).bytes()).toEqual(await Bun.file(video).bytes());
    expect(await (await ann.get(`/stream/${id}/hls/master.m3u8`)).text()).toContain("#EXTM3U");
    expect(await (await ann.get("/")).text()).toContain("<title>");
    const probe = start(["probe", `${url}/readyz`], {}, { data });
    expect([await probe.exited, probe.output()]).toEqual([0, expect.stringContaining("ready")]);
    expect(await kinora.stop()).toBe(0);
  }, 60_000);

  test("its broker and services, as deploy/compose.yaml starts them", async () => {
    const compose = parse(readFileSync(join(repository, "deploy/compose.yaml"), "utf8"), { merge: true }) as {
      services: Record<string, { command: string[]; volumes?: string[] }>;
    };
    const servers: [TestSqlServer, TestRedis] = await Promise.all([deployedServer.start(), startRedis()]);
    try {
      const [database, redis] = servers;
      const broker = `127.0.0.1:${await freePort()}`;
      const shared = {
        KINORA_SECRET: Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("hex"),
        KINORA_NATS: `nats://${broker}`,
        KINORA_DATABASE: await database.newDatabase(),
        KINORA_REDIS: redis.url,
        KINORA_RTSP_LISTEN: "127.0.0.1:0",
      };
      const urls = new Map<string, string>();
      const videos = volume("videos");
      const programs = new Map<string, RootProgram>();
      for (const name of ["nats", ...serviceNames]) {
        const { command, volumes = [] } = compose.services[name] ?? { command: [] };
        const listen = `127.0.0.1:${await freePort()}`;
        urls.set(name, `http://${listen}`);
        const given = command.map((word) => (word === "0.0.0.0:4222" ? broker : word));
        const media: Record<string, string> = volumes.includes("videos:/videos") ? { videos } : {};
        programs.set(name, start(given, { ...shared, KINORA_LISTEN: listen }, { data: volume(name), ...media }));
      }
      const [, firstAdminCode = ""] = (await programs.get("auth")?.printed(/takes this code:\s+(\S+)/)) ?? [];
      const main = { url: urls.get("main") ?? "", firstAdminCode };
      for (const name of serviceNames)
        await until(async () => (await fetch(`${urls.get(name)}/readyz`).catch(() => null))?.ok, 60_000);
      const ann = await until(() => TestUser.signIn(main, "ann").catch(() => null), 30_000);
      const video = await fixture("h264-aac.mp4");
      const { id } = await ann.upload(video, { name: "Spread out" });
      expect(await (await ann.get(`/stream/${id}/original`)).bytes()).toEqual(await Bun.file(video).bytes());
      expect(await (await ann.get(`/stream/${id}/hls/master.m3u8`)).text()).toContain("#EXTM3U");
      for (const name of serviceNames) expect([name, await programs.get(name)?.stop()]).toEqual([name, 0]);
      expect(await programs.get("nats")?.stop()).toBe(0);
    } finally {
      await Promise.all(servers.map((one) => one.close()));
    }
  }, 180_000);
});

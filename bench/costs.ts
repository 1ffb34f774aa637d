import { readFileSync } from "node:fs";
import { type ServiceName, serviceNames } from "../src/bus/contract.ts";
import { Cluster } from "../test/support/cluster.ts";
import { TestUser } from "../test/support/kinora.ts";
import { startMariaDb } from "../test/support/mariadb.ts";
import { startRedis, type TestRedis } from "../test/support/redis.ts";
import { fullHdMinute } from "./support/media.ts";
import { cpuSecondsOf, familyOf, rssBytesOf, sum } from "./support/process.ts";
import { type Figure, figure } from "./support/report.ts";

const SERVERS = ["mariadbd", "redis-server", "nats-server"] as const;
type Tier = ServiceName | (typeof SERVERS)[number];
const TIERS: readonly Tier[] = [...serviceNames, ...SERVERS];
/** How many run at a time. */
const AT_ONCE = 8;
const WARM_UP = 20;
const IDLE_MS = 4_000;
const LEAST_MS = 0.05;
const PASSWORD = "correct horse battery";

interface Stage {
  readonly url: (service: ServiceName) => string;
  readonly pids: (tier: Tier) => readonly number[];
  readonly redis: TestRedis;
}

/** What one of each thing that people do takes of every tier: each service and server is a process of its own. */
export async function benchCosts(): Promise<Figure[]> {
  const closing: { close(): unknown }[] = [];
  try {
    const [cluster, redis, database] = await Promise.all([Cluster.open(), startRedis(), startMariaDb()]);
    closing.push(cluster, redis, database);
    const env = { KINORA_DATABASE: await database.newDatabase(), KINORA_REDIS: redis.url };
    const all = await Promise.all(serviceNames.map((name) => cluster.run(name, [name], { env })));
    const processOf = (name: ServiceName) => {
      const found = all.find((one) => one.name === name);
      if (!found) throw new Error(`${name} does not run`);
      return found;
    };
    const named = (name: string) => familyOf(process.pid).filter((pid) => nameOf(pid) === name);
    const pids = (tier: Tier) =>
      serviceNames.some((name) => name === tier) ? familyOf(processOf(tier as ServiceName).pid) : named(tier);
    const stage = { url: (service: ServiceName) => processOf(service).url, pids, redis };
    return await measure(stage, cluster.firstAdminCode);
  } finally {
    for (const one of closing.reverse()) await one.close();
  }
}

const nameOf = (pid: number) => readFileSync(`/proc/${pid}/comm`, "utf8").trim();

async function measure(stage: Stage, firstAdminCode: string | null): Promise<Figure[]> {
  const { url } = stage;
  const ann = await TestUser.signIn({ url: url("main"), firstAdminCode }, "ann");
  const film = await fullHdMinute();
  const { id } = await ann.upload(film, { name: "Film", tags: ["sea"] });
  const base = `/stream/${id}/hls/`;
  const master = await (await ann.get(`${base}master.m3u8`)).text();
  const segments = async (form: RegExp) => {
    const playlist = base + (form.exec(master)?.[1] ?? "");
    const media = await (await ann.get(playlist)).text();
    const folder = playlist.slice(0, playlist.lastIndexOf("/") + 1);
    return media.split("\n").flatMap((line) => (line.endsWith(".m4s") ? [folder + line] : []));
  };
  const picture = await segments(/^(?!#)(.+\.m3u8)$/m);
  const sound = await segments(/TYPE=AUDIO.*URI="([^"]+)"/);
  const get = (service: ServiceName, path: (n: number) => string, headers?: (n: number) => HeadersInit) => {
    const user = new TestUser({ url: url(service) });
    user.cookie = ann.cookie;
    return async (n: number) => {
      const answer = await user.fetch(path(n), { headers: headers?.(n) ?? {} });
      if (!answer.ok) throw new Error(`${path(n)}: ${answer.status}`);
      await answer.arrayBuffer();
    };
  };
  const each = (paths: readonly string[]) => (n: number) => paths[n % paths.length] ?? "";
  const range = (n: number) => ({ Range: `bytes=${(n % 40) * 2 ** 20}-${(n % 40) * 2 ** 20 + 2 ** 20 - 1}` });
  const signIn = async () => {
    const answer = await new TestUser({ url: url("auth") }).post("/api/session", {
      username: "ann",
      password: PASSWORD,
    });
    if (!answer.ok) throw new Error(`sign-in: ${answer.status}`);
  };
  const upload = async () => {
    const user = new TestUser({ url: url("upload") });
    user.cookie = ann.cookie;
    await user.upload(film, { name: "Again" });
  };
  const session = await keyBytes(stage.redis, "kinora:session:*");
  const watcher = new TestUser({ url: url("catalog") });
  watcher.cookie = ann.cookie;
  const stopAt = async (n: number) => {
    const answer = await watcher.send("PUT", `/api/titles/${id}/progress`, { positionSeconds: n % 50 });
    if (!answer.ok) throw new Error(`progress: ${answer.status}`);
  };
  const idle = await idleOf(stage);
  const costs: readonly (readonly [string, number, Once])[] = [
    ["segment of picture, 4 s of 1080p at 6 Mbit/s", 400, get("streaming", each(picture))],
    ["segment of sound, 4 s", 400, get("streaming", each(sound))],
    ["the same segment of picture through main", 200, get("main", each(picture))],
    ["1 MiB of an original", 400, get("streaming", () => `/stream/${id}/original`, range)],
    ["master playlist", 400, get("streaming", () => `${base}master.m3u8`)],
    ["title, asked for before", 1_000, get("catalog", () => `/api/titles/${id}`)],
    ["page of a search", 400, get("catalog", (n) => `/api/titles?q=${"fis"[n % 3]}`)],
    ["where somebody stopped", 400, stopAt],
    ["who is signed in", 1_000, get("auth", () => "/api/session")],
    ["sign-in", 24, signIn],
    ["upload of 46 MB", 6, upload],
  ];
  const figures = [figure("nothing, for a second", `${told(idle)} ms CPU`)];
  for (const [what, count, once] of costs) figures.push(await cost(stage, idle, what, count, once));
  const title = await keyBytes(stage.redis, "kinora:title:*");
  return [
    ...figures,
    figure("memory in Redis of a session, of a title that is asked for", `${session} and ${title} bytes`),
    figure(
      "memory after all this",
      TIERS.map((tier) => `${tier} ${rssMib(stage, tier)}`)
        .join(", ")
        .concat(" MiB"),
    ),
  ];
}

const rssMib = ({ pids }: Stage, tier: Tier) => Math.round(sum(pids(tier).map(rssBytesOf)) / 2 ** 20);

/** What the largest such key takes, with its name and all that Redis keeps about it. */
async function keyBytes(redis: TestRedis, pattern: string): Promise<number> {
  const keys = (await redis.send("KEYS", pattern)) as string[];
  const sizes = await Promise.all(keys.map(async (key) => Number(await redis.send("MEMORY", "USAGE", key))));
  return Math.max(0, ...sizes);
}

/** What every tier takes while nobody does anything, in CPU seconds a second: heartbeats, and looking for work. */
async function idleOf(stage: Stage): Promise<Usage> {
  const [before, since] = [cpuOfTiers(stage), performance.now()];
  await Bun.sleep(IDLE_MS);
  return usage(before, cpuOfTiers(stage), (performance.now() - since) / 1000);
}

type Usage = ReadonlyMap<Tier, number>;

const cpuOfTiers = ({ pids }: Stage): Usage => new Map(TIERS.map((tier) => [tier, sum(pids(tier).map(cpuSecondsOf))]));

const usage = (before: Usage, after: Usage, divisor: number): Usage =>
  new Map(TIERS.map((tier) => [tier, ((after.get(tier) ?? 0) - (before.get(tier) ?? 0)) / divisor]));

/** Tiers that take next to nothing are not named. */
const told = (used: Usage) =>
  [...used]
    .filter(([, seconds]) => seconds * 1000 >= LEAST_MS)
    .map(([tier, seconds]) => `${tier} ${(seconds * 1000).toFixed(seconds < 0.01 ? 2 : 0)}`)
    .join(", ") || `each below ${LEAST_MS}`;

/** CPU that every tier takes for one, beyond what it takes anyway. */
async function cost(stage: Stage, idle: Usage, what: string, count: number, once: Once): Promise<Figure> {
  for (let n = 0; n < Math.min(count, WARM_UP); n++) await once(n);
  const [before, since] = [cpuOfTiers(stage), performance.now()];
  let next = 0;
  const worker = async () => {
    while (next < count) await once(next++);
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, count) }, worker));
  const elapsed = (performance.now() - since) / 1000;
  const used = usage(before, cpuOfTiers(stage), count);
  const beyond = new Map(
    [...used].map(([tier, seconds]) => [tier, seconds - ((idle.get(tier) ?? 0) * elapsed) / count]),
  );
  return figure(what, `${told(beyond)} ms CPU`);
}

type Once = (n: number) => Promise<void>;

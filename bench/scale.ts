import { caddyfile } from "../scripts/edge-caddy.ts";
import { nginxConf } from "../scripts/edge-nginx.ts";
import type { ServiceName } from "../src/bus/contract.ts";
import { Cluster, type ClusterProcess } from "../test/support/cluster.ts";
import { type EdgeProgram, makeCertificate, startCaddy, startNginx } from "../test/support/edge.ts";
import { TestUser } from "../test/support/kinora.ts";
import { startMariaDb } from "../test/support/mariadb.ts";
import { freePort } from "../test/support/nats.ts";
import { startRedis } from "../test/support/redis.ts";
import { cpuShare } from "./support/cpu-share.ts";
import { fullHdMinute } from "./support/media.ts";
import { cpuSecondsOf, familyOf, median, sum } from "./support/process.ts";
import { type Figure, figure } from "./support/report.ts";
import { wrk } from "./support/wrk.ts";

const RUNS = 5;
const SECONDS = 2;
const VIEWERS = 32;
/** What an instance gets where the machine's cores must not be the limit: those of the edge and the load are free. */
const SHARE = 0.25;

/** Debian's names; the programs of the whole bench are in `run.ts`. */
export const scalePackages = {
  caddy: "caddy",
  mariadbd: "mariadb-server",
  "redis-server": "redis-server",
  openssl: "openssl",
} as const;

interface Edge {
  readonly name: string;
  readonly instances: number;
  readonly url: string;
  readonly program: EdgeProgram;
}

/** Warm segments of one title from one and from two streaming instances that share a volume, behind nginx and Caddy. */
export async function benchScale(): Promise<Figure[]> {
  const closing: { close(): unknown }[] = [];
  try {
    const [cluster, redis, database] = await Promise.all([Cluster.open(), startRedis(), startMariaDb()]);
    closing.push(cluster, redis, database);
    const env = { KINORA_DATABASE: await database.newDatabase(), KINORA_REDIS: redis.url };
    const rest: readonly ServiceName[] = ["main", "auth", "catalog", "upload"];
    const processes = await Promise.all([
      cluster.run("rest", rest, { env }),
      cluster.run("streaming-1", ["streaming"], { env }),
      cluster.run("streaming-2", ["streaming"], { env }),
    ]);
    const [others, ...streaming] = processes;
    if (!others) throw new Error("nothing runs");
    const user = await TestUser.signIn({ url: others.url, firstAdminCode: cluster.firstAdminCode }, "ann");
    const title = await user.upload(await fullHdMinute(), { name: "Film" });
    const edges = await startEdges(others, streaming, cluster.folder);
    closing.push(...edges.map(({ program }) => program));
    const paths = await segmentsOf(user, title.id);
    const asked = { paths, cookie: user.cookie };
    const figures = await measureAll(edges, streaming, { ...asked, share: null });
    const shares = streaming.map((_, n) => cpuShare(`scale-${n}`, SHARE));
    if (shares.every((share) => share !== null)) {
      for (const [n, share] of shares.entries()) share.add(streaming[n]?.pid ?? 0);
      const behindNginx = edges.filter(({ name }) => name === "nginx");
      figures.push(...(await measureAll(behindNginx, streaming, { ...asked, share: SHARE })));
      for (const share of shares) share.close();
    }
    return figures;
  } finally {
    for (const one of closing.reverse()) await one.close();
  }
}

/** nginx and Caddy before one instance and before both, over plain HTTP: what encryption costs is not Kinora's. */
async function startEdges(
  others: ClusterProcess,
  streaming: readonly ClusterProcess[],
  folder: string,
): Promise<Edge[]> {
  const certificate = await makeCertificate(folder);
  const hostOf = ({ url }: ClusterProcess) => new URL(url).host;
  const edges: Edge[] = [];
  for (const instances of [1, 2]) {
    const upstreams = (service: ServiceName) =>
      service === "streaming" ? streaming.slice(0, instances).map(hostOf) : [hostOf(others)];
    const [nginxPort, caddyPort] = [await freePort(), await freePort()];
    const nginx = nginxConf({
      global: "worker_processes 1; user root;\n",
      upstreams,
      listen: `127.0.0.1:${nginxPort}`,
      serverName: "localhost",
      certificate: certificate.certificate,
      certificateKey: certificate.key,
    });
    const caddy = caddyfile({
      global: "{\n\tadmin off\n\tlog {\n\t\tlevel ERROR\n\t}\n}\n",
      site: `http://localhost:${caddyPort}`,
      upstreams: (service) => `to ${upstreams(service).join(" ")}`,
    });
    const url = (port: number) => `http://localhost:${port}`;
    edges.push(
      { name: "nginx", instances, url: url(nginxPort), program: await startNginx(nginx, [nginxPort]) },
      { name: "Caddy", instances, url: url(caddyPort), program: await startCaddy(caddy, [caddyPort]) },
    );
  }
  return edges;
}

/** Addresses of the title's segments of picture. */
async function segmentsOf(user: TestUser, id: string): Promise<string[]> {
  const base = `/stream/${id}/hls/`;
  const master = await (await user.get(`${base}master.m3u8`)).text();
  const playlist = base + (/^(?!#)(.+\.m3u8)$/m.exec(master)?.[1] ?? "");
  const media = await (await user.get(playlist)).text();
  const folder = playlist.slice(0, playlist.lastIndexOf("/") + 1);
  return media.split("\n").flatMap((line) => (line.endsWith(".m4s") ? [folder + line] : []));
}

interface Load {
  readonly rate: number;
  readonly streamingMs: number;
  readonly edgeMs: number;
}

/** Loads each edge in turn, several times over. */
async function measureAll(
  edges: readonly Edge[],
  streaming: readonly ClusterProcess[],
  { paths, cookie, share }: { paths: readonly string[]; cookie: string; share: number | null },
): Promise<Figure[]> {
  const loads = new Map(edges.map((edge) => [edge, [] as Load[]]));
  const requests = paths.map((path) => ({ path, headers: { Cookie: cookie } }));
  for (let run = 0; run <= RUNS; run++) {
    for (const [edge, measured] of loads) {
      const cpu = () => [sum(streaming.map(({ pid }) => cpuOf(pid))), cpuOf(edge.program.pid)] as const;
      const before = cpu();
      const result = await wrk(edge.url, { connections: VIEWERS, seconds: SECONDS, requests });
      if (result.errors > 0) throw new Error(`${edge.name}: ${result.errors} errors`);
      const after = cpu();
      const each = (n: 0 | 1) => ((after[n] - before[n]) / result.requests) * 1000;
      // The first run warms up.
      if (run > 0) measured.push({ rate: result.requests / result.seconds, streamingMs: each(0), edgeMs: each(1) });
    }
  }
  return figuresOf(loads, share);
}

const cpuOf = (pid: number) => sum(familyOf(pid).map(cpuSecondsOf));

function figuresOf(loads: ReadonlyMap<Edge, readonly Load[]>, share: number | null): Figure[] {
  const of = (measured: readonly Load[], key: keyof Load) => median(measured.map((load) => load[key]));
  const each = share === null ? "the machine's cores shared by all" : `each with ${share * 100} % of a core`;
  const figures: Figure[] = [];
  for (const [{ name, instances }, measured] of loads) {
    const what = `${instances} streaming instance${instances > 1 ? "s" : ""} behind ${name}, ${each}`;
    const rate = `${Math.round(of(measured, "rate"))} segments/s`;
    const cpu = `${of(measured, "streamingMs").toFixed(2)} ms CPU each in streaming, ${of(measured, "edgeMs").toFixed(2)} ms in ${name}`;
    figures.push(figure(what, `${rate} at ${cpu}`));
  }
  for (const name of new Set([...loads.keys()].map((edge) => edge.name))) {
    const [one, two] = [...loads].filter(([edge]) => edge.name === name).map(([, measured]) => of(measured, "rate"));
    figures.push(figure(`2 instances against 1 behind ${name}, ${each}`, `${((two ?? 0) / (one ?? 1)).toFixed(2)} ×`));
  }
  return figures;
}

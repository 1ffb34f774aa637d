import { type ServiceName, serviceNames } from "../../src/bus/contract.ts";
import { type Balancer, startBalancer } from "./balancer.ts";
import { Cluster, type ClusterProcess } from "./cluster.ts";
import { TestUser } from "./kinora.ts";
import type { TestNetwork } from "./namespaces.ts";
import { startRedis, type TestRedis } from "./redis.ts";
import type { TestS3 } from "./s3.ts";
import type { TestSqlServer } from "./sql-server.ts";
import { usualServer } from "./sql-servers.ts";
import { until } from "./until.ts";

export interface FleetOptions {
  /** Gives the order in which services start. */
  readonly seed: number;
  /** Each instance runs in a namespace of its own. */
  readonly network?: TestNetwork | undefined;
  /** Where videos are kept; a folder that all share by default. */
  readonly s3?: TestS3 | undefined;
}

/** Which numbers of a row come first, by a seed. */
const shuffled = <T>(items: readonly T[], seed: number): T[] =>
  items
    .map((item, n) => ({ item, place: Math.abs(Math.sin(seed + n * 7919)) }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);

/** A Kinora of two instances of each service, ten processes, on MariaDB, Redis and NATS, behind a load balancer. */
export class Fleet {
  readonly database: TestSqlServer;
  readonly redis: TestRedis;
  readonly cluster: Cluster;
  /** In the order they were started in. */
  readonly instances: readonly Instance[];
  readonly storage: "file" | "s3";
  readonly #balancer: Balancer;

  private constructor(parts: {
    storage: "file" | "s3";
    database: TestSqlServer;
    redis: TestRedis;
    cluster: Cluster;
    instances: Instance[];
    balancer: Balancer;
  }) {
    this.database = parts.database;
    this.storage = parts.storage;
    this.redis = parts.redis;
    this.cluster = parts.cluster;
    this.instances = parts.instances;
    this.#balancer = parts.balancer;
  }

  static async open({ seed, network, s3 }: FleetOptions): Promise<Fleet> {
    const host = network?.host ?? "127.0.0.1";
    const [database, redis, cluster] = await Promise.all([
      usualServer.start(...(network ? [`--bind-address=${host}`] : [])),
      startRedis(host),
      Cluster.open(host),
    ]);
    const url = await database.newDatabase();
    const env = {
      KINORA_DATABASE: url.replace("@127.0.0.1", `@${host}`),
      KINORA_REDIS: redis.url,
      ...(s3 ? { KINORA_STORAGE: s3.url } : {}),
      ...(s3 ? { KINORA_S3_ACCESS_KEY_ID: s3.credentials.accessKeyId } : {}),
      ...(s3 ? { KINORA_S3_SECRET_ACCESS_KEY: s3.credentials.secretAccessKey } : {}),
    };
    const planned = serviceNames.flatMap((service) => [1, 2].map((n) => ({ service, name: `${service}-${n}` })));
    // Together, in this order, and none waits for another.
    const starting = shuffled(planned, seed).map(async ({ service, name }) => {
      const process = await cluster.run(name, [service], { env, network: network?.add() });
      return { service, name, process };
    });
    const instances = await Promise.all(starting).catch(async (error: unknown) => {
      await Promise.all([cluster.close(), database.close(), redis.close()]);
      throw error;
    });
    const mains = instances.filter(({ service }) => service === "main");
    const balancer = await startBalancer(mains.map(({ process }) => process.url));
    return new Fleet({ storage: s3 ? "s3" : "file", database, redis, cluster, instances, balancer });
  }

  /** Where people reach it. */
  get url(): string {
    return this.#balancer.url;
  }

  /** The first of the two instances of a service. */
  first(service: ServiceName): Instance {
    const found = this.instances.find(({ name }) => name === `${service}-1`);
    if (!found) throw new Error(`there is no ${service}`);
    return found;
  }

  /** Both instances of all services are known, as `/api/services` has it. */
  async complete(user: TestUser, withinMs = 30_000): Promise<void> {
    await until(async () => {
      const answer = await user.get("/api/services").catch(() => null);
      if (!answer?.ok) return false;
      const { items } = (await answer.json()) as { items: unknown[] };
      return items.length === this.instances.length;
    }, withinMs);
  }

  /** The first account. */
  admin(): Promise<TestUser> {
    return until(
      () => TestUser.signIn({ url: this.url, firstAdminCode: this.cluster.firstAdminCode }, "admin").catch(() => null),
      30_000,
    );
  }

  async close(): Promise<void> {
    await this.#balancer.close();
    await this.cluster.close();
    await Promise.all([this.database.close(), this.redis.close()]);
  }
}

export interface Instance {
  readonly service: ServiceName;
  readonly name: string;
  readonly process: ClusterProcess;
}

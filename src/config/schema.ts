import { join } from "node:path";
import { z } from "zod";
import {
  byteSize,
  cidr,
  duration,
  formatListenAddress,
  hostName,
  httpAddress,
  integer,
  isLoopback,
  type ListenAddress,
  listenAddress,
  listenAddressOrOff,
  type MysqlAddress,
  natsAddress,
  oneOf,
  origin,
  parseMysqlAddress,
  parsePath,
  parseS3Address,
  path,
  redisAddress,
  type S3Address,
  sharedSecret,
} from "./values.ts";

/** Where the RTSP server listens unless something else is said. */
const DEFAULT_RTSP: ListenAddress = { host: "127.0.0.1", port: 8554 };

/** Where uploaded videos are kept. */
function storage() {
  const expects =
    "file:PATH, such as file:/srv/media, or s3://bucket/prefix with endpoint, region or timeout after a `?`";
  return z
    .string()
    .transform((text, context): StoragePlace => {
      const path = text.startsWith("file:") ? parsePath(text.slice(5).replace(/^\/\/(?=\/)/, "")) : undefined;
      const s3 = parseS3Address(text);
      if (path !== undefined) return { kind: "file", path };
      if (s3) return { kind: "s3", ...s3 };
      context.addIssue({ code: "custom", message: `expected ${expects}` });
      return z.NEVER;
    })
    .meta({ expects });
}

/** A disk or shared volume, or objects. */
export type StoragePlace = { readonly kind: "file"; readonly path: string } | ({ readonly kind: "s3" } & S3Address);

/** What a database may be called. */
function database() {
  const expects =
    "sqlite:PATH, such as sqlite:/var/lib/kinora/kinora.db, or mysql://user:password@host:3306/name with ssl, ca, pool or timeout after a `?`";
  return z
    .string()
    .transform((text, context): DatabasePlace => {
      const file = text.startsWith("sqlite:") ? parsePath(text.slice(7).replace(/^\/\/(?=\/)/, "")) : undefined;
      const mysql = parseMysqlAddress(text);
      if (file !== undefined) return { kind: "sqlite", path: file };
      if (mysql) return { kind: "mysql", ...mysql };
      context.addIssue({ code: "custom", message: `expected ${expects}` });
      return z.NEVER;
    })
    .meta({ expects });
}

/** Which database, and where it is. */
export type DatabasePlace =
  | { readonly kind: "sqlite"; readonly path: string }
  | ({ readonly kind: "mysql" } & MysqlAddress);

const folder = z
  .union([z.string(), z.strictObject({ path: z.string(), visibility: z.string().optional() })])
  .transform((entry) => (typeof entry === "string" ? { path: entry } : entry))
  .pipe(z.strictObject({ path: path(), visibility: oneOf(["private", "members", "public"]).default("members") }))
  .meta({ expects: "a path, or {path, visibility} with visibility private, members or public" });

/**
 * Every key there is. To add one: a value type of `values.ts`, its default as a person would write it
 * (`.prefault(…)`), and last `.meta({ description })`. The file, variable, sample and reference page follow;
 * `secret: true` hides the value wherever it would be printed.
 */
export const configShape = z.strictObject({
  listen: listenAddress().prefault("127.0.0.1:8080").meta({
    description:
      "Where the web app and the HTTP interface listen. `0.0.0.0:8080` opens Kinora to your network; `registration` must be set then. Port 0 takes any free port.",
  }),
  tls: z
    .strictObject({
      cert: path().nullable().default(null).meta({
        description:
          "Certificate (PEM, with the chain) that Kinora answers HTTPS with, where no proxy does it. Read at the start.",
        example: "/etc/kinora/tls/fullchain.pem",
      }),
      key: path().nullable().default(null).meta({
        description: "The private key (PEM) of `tls.cert`.",
        example: "/etc/kinora/tls/privkey.pem",
      }),
    })
    .prefault({}),
  data: path().prefault("./data").meta({
    description: "The folder for the database, secrets and uploaded videos. Made on first start, for one Kinora only.",
  }),
  publicUrl: origin().nullable().default(null).meta({
    description:
      "The address people use when a proxy stands in front. Links carry it, requests from its pages are accepted, and Kinora answers to its name.",
    example: "https://video.example.org",
  }),
  allowedHosts: z
    .array(hostName())
    .default([])
    .meta({
      description:
        "Further names that Kinora answers to; requests for any other are refused with `wrong-host`, as a trick of another site's page (DNS rebinding). Addresses, `localhost` and `publicUrl`'s name are always accepted, and away from loopback this machine's own name, also with `.local`.",
      example: ["nas.lan", "*.example.org"],
    }),
  trustedProxies: z
    .array(cidr())
    .default([])
    .meta({
      description:
        "Proxies whose `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Forwarded-Host` count. Everybody else's are ignored. Limits on sign-in attempts use the address found this way.",
      example: ["127.0.0.1", "10.0.0.0/8"],
    }),
  registration: oneOf(["open", "invite", "closed"]).nullable().default(null).meta({
    description:
      "Who may create an account: anybody (`open`), holders of an invitation (`invite`), or nobody (`closed`). Must be named unless `listen` is a loopback address.",
    defaultText: "`open` while listening on loopback only",
    example: "invite",
  }),
  rtsp: z
    .strictObject({
      listen: listenAddressOrOff().prefault(formatListenAddress(DEFAULT_RTSP)).meta({
        description:
          "Where the RTSP server listens, for players that are no browser. When another program has the default address, Kinora starts without RTSP and says so; without an address that you chose it does not start.",
        example: "0.0.0.0:8554",
      }),
      advertise: listenAddress().nullable().default(null).meta({
        description: "The address at which players reach this RTSP server when another instance sends them here.",
        defaultText: "`rtsp.listen`, with this machine's address when that is 0.0.0.0",
        example: "10.0.0.5:8554",
      }),
      udpPort: integer(0, 65_534)
        .prefault(0)
        .refine((port) => port % 2 === 0, "expected an even number: RTCP takes the next one")
        .meta({
          description:
            "The UDP port that RTP is sent from, an even one; the next one is for RTCP. Name it where a firewall must know it; 0 takes any two that are free.",
          example: 8600,
        }),
      sessionTimeout: duration("2s", "1h").prefault("60s").meta({
        description: "How long a session lives without a sign of life from its player.",
      }),
      memory: byteSize().prefault("512MiB").meta({
        description:
          "What packets of all streams over RTSP and RTP may take in memory together, those that wait for slow readers included. Past it the readers that are longest behind are closed, and no further ones begin. A reader at a place of its own takes 1 to 2 MiB, one that has stalled a quarter of that.",
      }),
      perGrant: integer(1, 100_000).prefault(100).meta({
        description: "How many RTSP sessions there may be at a time under one grant: of one playback link or stream.",
      }),
      perUser: integer(1, 100_000).prefault(300).meta({
        description:
          "How many RTSP sessions there may be at a time in the name of one user, under all their links too.",
      }),
      perAddress: integer(1, 100_000).prefault(500).meta({
        description:
          "How many connections and sessions one address may have over RTSP at a time; of IPv6, one /64 network.",
      }),
    })
    .prefault({}),
  streams: z
    .strictObject({
      grace: duration("0ms", "1h").prefault("10s").meta({
        description: "How long a stream goes on after it has asked for renewal, before it stops.",
      }),
      perUser: integer(0, 1_000).prefault(8).meta({
        description: "How many streams one user may have under control at a time; further ones are refused.",
      }),
      max: integer(0, 100_000).prefault(1_000).meta({
        description: "How many streams one instance has under control at a time, of all users together.",
      }),
    })
    .prefault({}),
  library: z
    .strictObject({
      folders: z
        .array(folder)
        .default([])
        .meta({
          description:
            "Folders whose videos join the library. Kinora only reads them. Their titles are for all members unless the folder says otherwise. Folders on the command line are added.",
          example: ["~/Videos", { path: "/srv/films", visibility: "public" }],
        }),
      rescanInterval: duration("1s", "31d").prefault("15m").meta({
        description:
          "How often folders are scanned again whose changes the system does not tell: network disks, and where its limit of watches is reached. The others are scanned once a day.",
      }),
      settle: duration("0ms", "1h").prefault("1500ms").meta({
        description: "How long size and time of a file must stay the same before it is read: it may still be written.",
      }),
      adding: oneOf(["admins", "nobody"]).nullable().default(null).meta({
        description: "Who may add and remove library folders while Kinora runs.",
        defaultText: "`admins` while listening on loopback only, else `nobody`",
        example: "admins",
      }),
    })
    .prefault({}),
  database: database().nullable().default(null).meta({
    description:
      "The database: a SQLite file, or MySQL 8.0 or MariaDB 10.6 and newer (tested with MySQL 9.7 and MariaDB 10.11), as `mysql://user:password@host:3306/name`. Signs in a password are percent-encoded. After a `?` may stand `ssl=true` (encrypted, the certificate is checked, against the file that `ca=` names or the system's) or `ssl=insecure` (encrypted, unchecked), `pool=10` (connections that one process opens at most) and `timeout=10s` (how long a statement may run).",
    defaultText: "`kinora.db` in the data folder",
    example: "sqlite:/var/lib/kinora/kinora.db",
  }),
  storage: storage().nullable().default(null).meta({
    description:
      "Where uploaded videos are kept: a folder of this machine, or one that upload and streaming instances share, or S3 as `s3://bucket/prefix`. After a `?` may stand `endpoint=https://s3.example.org` (Amazon's own without), `region=eu-central-1` and `timeout=30s` (how long one request may take).",
    defaultText: "`media` in the data folder",
    example: "file:/srv/media",
  }),
  s3: z
    .strictObject({
      accessKeyId: z.string().min(1).nullable().default(null).meta({
        description: "The access key of `storage: s3://…`. `AWS_ACCESS_KEY_ID` counts where this is not set.",
        expects: "an access key's id",
        alsoEnv: "AWS_ACCESS_KEY_ID",
        example: "kinora",
        secret: true,
      }),
      secretAccessKey: z.string().min(1).nullable().default(null).meta({
        description: "Its secret. `AWS_SECRET_ACCESS_KEY` counts where this is not set.",
        expects: "an access key's secret",
        alsoEnv: "AWS_SECRET_ACCESS_KEY",
        example: "the secret of that key",
        secret: true,
      }),
      sessionToken: z.string().min(1).nullable().default(null).meta({
        description: "The token that belongs to a temporary key. `AWS_SESSION_TOKEN` counts where this is not set.",
        expects: "a session token",
        alsoEnv: "AWS_SESSION_TOKEN",
        example: "the token of that key",
        secret: true,
      }),
      cache: byteSize().prefault("256MiB").meta({
        description: "How much of what was read from S3 a streaming instance keeps in memory.",
      }),
    })
    .prefault({}),
  redis: redisAddress().nullable().default(null).meta({
    description:
      "A Redis (6 or newer) or Valkey that instances share: limits on sign-in attempts, sessions, titles, and which instance receives an upload. Without it each process keeps these to itself. Keys begin with `kinora:` unless `?prefix=` says something else; `rediss://…` encrypts.",
    example: "redis://redis.internal:6379/0",
    secret: true,
  }),
  nats: natsAddress().nullable().default(null).meta({
    description:
      "The broker between services that run in several processes. Without it one process runs them all. `tls://…` encrypts; several servers of a cluster are separated by commas.",
    example: "nats://broker.internal:4222",
    secret: true,
  }),
  bus: z
    .strictObject({
      balance: oneOf(["round-robin", "random", "least-outstanding"]).prefault("round-robin").meta({
        description: "Which of several live instances a call goes to.",
      }),
      credentials: path().nullable().default(null).meta({
        description:
          "A JSON file with the password of each service that runs here, as `kinora nats-config` writes it. Without, and without a user in `nats`, the passwords derive from `secret`.",
        example: "/etc/kinora/nats-credentials.json",
      }),
      ca: path().nullable().default(null).meta({
        description: "Certificates (PEM) that the broker's certificate is checked against, with `tls://`.",
        defaultText: "the system's",
        example: "/etc/kinora/nats-ca.pem",
      }),
    })
    .prefault({}),
  secret: sharedSecret().nullable().default(null).meta({
    description:
      "What sessions, tokens and the broker's passwords derive from; the same for all instances of auth, and for `kinora nats-config`. 32 characters or more.",
    defaultText: "random, in the data folder",
    secret: true,
  }),
  advertise: httpAddress().nullable().default(null).meta({
    description: "The address at which main reaches this process when services run in several.",
    defaultText: "`listen`, or this machine's addresses when that is 0.0.0.0",
    example: "http://10.0.0.5:8080",
  }),
  redirectTo: origin().nullable().default(null).meta({
    description:
      "Where players reach this streaming instance without main. Main then answers requests for its videos that bring a grant (playback links, streams) with 307 to there, and sends on the bytes of all others itself.",
    defaultText: "main sends all bytes on",
    example: "https://media2.example.org",
  }),
  auth: z
    .strictObject({
      defaultRole: oneOf(["admin", "editor", "viewer"]).prefault("editor").meta({
        description: "The role of new users. The first one is always an admin.",
      }),
      tokenLifetime: duration("10ms", "1d").prefault("30s").meta({
        description: "How long a token counts before it must be renewed.",
      }),
      grantLifetime: duration("1s", "31d").prefault("12h").meta({
        description:
          "How long a playback link counts at most, and does when nothing else is asked for. Streams that a controller steers end after this time as well.",
      }),
      keyLifetime: duration("1s", "3650d").prefault("30d").meta({
        description:
          "How often the keys that tokens and links are signed with are replaced. Nobody is signed out by it: what an old key has signed counts until it expires.",
      }),
      sessionLifetime: duration("10ms", "400d").prefault("31d").meta({
        description: "How long a browser stays signed in.",
      }),
    })
    .prefault({}),
  upload: z
    .strictObject({
      maxSize: byteSize().prefault("64GiB").meta({
        description: "The largest upload that is accepted; larger ones are refused with `too-large`.",
      }),
    })
    .prefault({}),
  trash: z
    .strictObject({
      keep: duration("1m", "365d").prefault("1m").meta({
        description:
          "How long a deleted video can be brought back. Its bytes take space until then; with more than some minutes the account page has a list to restore from.",
        example: "30d",
      }),
    })
    .prefault({}),
  log: z
    .strictObject({
      level: oneOf(["debug", "info", "warn", "error", "silent"]).prefault("info").meta({
        description: "How much is logged. Logs are lines of JSON on standard output, or short lines on a terminal.",
      }),
    })
    .prefault({}),
});

/** The configuration as the program uses it: value types parsed, what depends on other keys filled in. */
export const configSchema = configShape.transform((config, context) => {
  const loopback = isLoopback(config.listen.host);
  const alone = config.nats === null;
  const rtsp = config.rtsp.listen;
  if (config.registration === null && !loopback && alone) {
    context.addIssue({
      code: "custom",
      path: ["registration"],
      message:
        "must be named (open, invite or closed) when listen is not a loopback address: others will reach this Kinora",
    });
    return z.NEVER;
  }
  const { cert, key } = config.tls;
  if ((cert === null) !== (key === null)) {
    const missing = cert === null ? "cert" : "key";
    context.addIssue({ code: "custom", path: ["tls", missing], message: "must be set as well: TLS takes both" });
    return z.NEVER;
  }
  const { accessKeyId, secretAccessKey, sessionToken } = config.s3;
  if (config.storage?.kind === "s3" && (accessKeyId === null || secretAccessKey === null)) {
    context.addIssue({
      code: "custom",
      path: ["s3", accessKeyId === null ? "accessKeyId" : "secretAccessKey"],
      message: "must be set with storage in S3 (KINORA_S3_ACCESS_KEY_ID and KINORA_S3_SECRET_ACCESS_KEY)",
    });
    return z.NEVER;
  }
  return {
    ...config,
    /** Null where HTTP is spoken in plain. */
    tls: cert !== null && key !== null ? { cert, key } : null,
    /** Null when the process that runs auth must name it: this one cannot tell who reaches Kinora. */
    registration: config.registration ?? (alone ? ("open" as const) : null),
    /** Whether only this machine reaches the HTTP interface. */
    loopbackOnly: loopback,
    /** Whether the first account takes the one-time code: always, unless only people at this machine can register. */
    firstNeedsCode: !(
      loopback &&
      alone &&
      (config.registration ?? "open") === "open" &&
      config.publicUrl === null &&
      config.trustedProxies.length === 0
    ),
    rtsp: {
      ...config.rtsp,
      /** Null when there is to be no RTSP server. */
      listen: rtsp === "off" ? null : rtsp,
      /** Whether the operator chose the address: then Kinora does not start without it. */
      isRequired: rtsp !== "off" && formatListenAddress(rtsp) !== formatListenAddress(DEFAULT_RTSP),
    },
    library: { ...config.library, mayAdd: (config.library.adding ?? (loopback ? "admins" : "nobody")) === "admins" },
    database: config.database ?? ({ kind: "sqlite", path: join(config.data, "kinora.db") } satisfies DatabasePlace),
    storage: config.storage ?? ({ kind: "file", path: join(config.data, "media") } satisfies StoragePlace),
    /** Null where no key is set. */
    s3Credentials:
      accessKeyId !== null && secretAccessKey !== null ? { accessKeyId, secretAccessKey, sessionToken } : null,
  };
});

export type Config = z.output<typeof configSchema>;
export type ConfigInput = z.input<typeof configSchema>;

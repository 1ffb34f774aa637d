import { MESSAGE_BYTES_MAX } from "../../bus/bus.ts";
import { type ServiceName, serviceNames } from "../../bus/contract.ts";
import { durableTopics, type PermissionTable } from "../../bus/permissions.ts";
import { consumerOf, STORE_KEEPER, STREAM, subjects } from "./nats-subjects.ts";

/** What one service may do on the broker: subjects it may publish to and subscribe to. */
export interface NatsPermissions {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

/**
 * What the table means on the broker. Answers need no entry: who got a request may answer it once
 * (`allow_responses`). Nobody may listen to another's inbox, call or publish in another's name, or answer for another service.
 */
function natsPermissions(table: PermissionTable, service: ServiceName): NatsPermissions {
  const inbox = `${subjects.inbox(service)}.>`;
  const granted = table.get(service);
  if (!granted) return { publish: [], subscribe: [inbox] };
  const callees = [...granted.call];
  const kept = durableTopics(table);
  const storing = granted.durable.size > 0 || [...granted.publish].some((topic) => kept.has(topic));
  return {
    publish: [
      ...[...granted.publish].map((topic) => subjects.events(topic, service)),
      ...callees.flatMap((callee) => [
        `kinora.call.${callee}.${service}.*`,
        subjects.any(callee, service),
        subjects.who(callee),
      ]),
      subjects.live(service),
      ...(storing ? storeSubjects(service) : []),
      ...[...granted.durable].flatMap((topic) => consumerSubjects(consumerOf(service, topic))),
    ],
    subscribe: [
      inbox,
      ...[...granted.subscribe].map((topic) => subjects.events(topic)),
      `kinora.call.${service}.*.*`,
      subjects.any(service, "*"),
      subjects.who(service),
      ...callees.map((callee) => subjects.live(callee)),
    ],
  };
}

/** The store is made by whoever comes first; creating one that is there changes nothing of it. */
const storeSubjects = (service: ServiceName) =>
  ["INFO", "CREATE", ...(service === STORE_KEEPER ? ["UPDATE"] : [])].map((verb) => `$JS.API.STREAM.${verb}.${STREAM}`);

const consumerSubjects = (consumer: string) => [
  `$JS.API.CONSUMER.CREATE.${STREAM}.${consumer}.>`,
  `$JS.API.CONSUMER.DURABLE.CREATE.${STREAM}.${consumer}`,
  `$JS.API.CONSUMER.INFO.${STREAM}.${consumer}`,
  `$JS.API.CONSUMER.MSG.NEXT.${STREAM}.${consumer}`,
  `$JS.ACK.${STREAM}.${consumer}.>`,
];

export interface NatsServerOptions {
  /** `host:port`. */
  readonly listen: string;
  /** Where events are kept; the server's default when null. */
  readonly storeFolder: string | null;
  /** Certificate and key (PEM) of the server; null without TLS. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
  /** Each service's user and password, or the bcrypt hash of one. */
  readonly logins: ReadonlyMap<ServiceName, { readonly user: string; readonly password: string }>;
}

/** How long an answer may take: the inspection of the largest upload is the longest call there is. */
const ANSWER_WITHIN = "2h";

/** A configuration for nats-server: a user for each service that may do what the table grants and nothing else. */
export function natsServerConfig(table: PermissionTable, options: NatsServerOptions): string {
  const { listen, storeFolder, tls, logins } = options;
  const users = serviceNames.flatMap((service) => {
    const login = logins.get(service);
    return login ? [userOf(login, natsPermissions(table, service))] : [];
  });
  const text = JSON.stringify;
  return `# Written by \`kinora nats-config\` from the services' contracts. Do not edit: write it anew after each upgrade.
listen: ${text(listen)}
max_payload: ${MESSAGE_BYTES_MAX + 4096}
write_deadline: "10s"
ping_interval: "5s"
ping_max: 2
jetstream {${storeFolder === null ? "" : `\n  store_dir: ${text(storeFolder)}`}
  max_file_store: 1GB
}
${tls ? `tls {\n  cert_file: ${text(tls.cert)}\n  key_file: ${text(tls.key)}\n}\n` : ""}authorization {
  users: [
${users.join("\n")}
  ]
}
`;
}

function userOf(login: { readonly user: string; readonly password: string }, { publish, subscribe }: NatsPermissions) {
  const list = (subjectList: readonly string[]) =>
    subjectList.length === 0
      ? '{ deny: ">" }'
      : `{ allow: [\n${subjectList.map((subject) => `          ${JSON.stringify(subject)}`).join("\n")}\n        ] }`;
  return `    {
      user: ${JSON.stringify(login.user)}
      password: ${JSON.stringify(login.password)}
      permissions {
        publish: ${list(publish)}
        subscribe: ${list(subscribe)}
        allow_responses: { max: 1, expires: "${ANSWER_WITHIN}" }
      }
    }`;
}

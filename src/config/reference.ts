import { asYaml } from "./effective.ts";
import { type ConfigField, configFields } from "./fields.ts";

const groupOf = ({ key }: ConfigField) => (key.includes(".") ? (key.split(".")[0] ?? "") : "");
const nameOf = ({ key }: ConfigField) => key.slice(key.lastIndexOf(".") + 1);

const defaultOf = (field: ConfigField) =>
  field.defaultText ?? (field.default === null ? "not set" : `\`${asYaml(field.default)}\``);

/** The text of `kinora.example.yaml`: every key, commented out, with its default or an example. */
export function sampleFile(): string {
  const lines = [
    "# Every setting of Kinora, with its default. Copy this file to kinora.yaml and remove the # of what you change.",
    "# Generated from src/config/schema.ts by scripts/build-docs.ts; docs/configuration.md says more.",
  ];
  let group = "";
  for (const field of configFields) {
    const indent = groupOf(field) ? "  " : "";
    lines.push("");
    if (groupOf(field) && groupOf(field) !== group) lines.push(`${groupOf(field)}:`);
    group = groupOf(field);
    for (const line of wrap(field.description, 110)) lines.push(`${indent}# ${line}`);
    if (field.default === null) lines.push(`${indent}# By default: ${defaultOf(field)}.`);
    lines.push(`${indent}# ${nameOf(field)}: ${asYaml(field.example ?? field.default)}`);
  }
  return `${lines.join("\n")}\n`;
}

/** The text of `docs/configuration.md`. */
export function referencePage(): string {
  const rows = configFields.map((field) => {
    const cells = [
      `\`${field.key}\``,
      `\`${field.env}\``,
      defaultOf(field),
      `${field.description} Takes ${field.expects}.`,
    ];
    return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  });
  return `${[introduction, ...rows].join("\n")}\n${afterword}`;
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line && line.length + word.length + 1 > width) {
      lines.push(line);
      line = word;
    } else line = line ? `${line} ${word}` : word;
  }
  return [...lines, line];
}

const introduction = `# Configuration

<!-- Generated from src/config/schema.ts by scripts/build-docs.ts. Change the schema, then run \`npm run docs\`. -->

Kinora starts without any. What you change comes from three places, each winning over the one before:

1. a YAML file: \`--config FILE\`, else the one \`KINORA_CONFIG\` names, else \`./kinora.yaml\` when it is there.
   [kinora.example.yaml](../kinora.example.yaml) has every key;
2. environment variables, one for each key. Lists are separated by commas. An empty variable is not set;
3. the command line: \`--listen\`, \`--data\`, \`--set key=value\`. Folders given to \`kinora serve\` are added to \`library.folders\`.

\`kinora config\` prints what is in effect and where each value comes from. A key or \`KINORA_\` variable that does not exist, or a
value that cannot be used, stops the start with exit code 2 and a line for each problem. Relative paths start where Kinora
was started; \`~\` is your home folder.

| key | variable | default | meaning |
|---|---|---|---|`;

const afterword = `
## Opening Kinora to others

As delivered only your own machine reaches Kinora, and whoever uses it may create an account. To open it to your network, name both where
to listen and who may register:

\`\`\`sh
npm start -- --listen 0.0.0.0:8080 --set registration=invite
\`\`\`

The first account is the admin's. It takes the one-time code that is printed at start, unless only this machine reaches Kinora: all services run in one process, \`listen\` is a
loopback address, registration is \`open\`, and neither \`publicUrl\` nor \`trustedProxies\` says that a proxy stands in front.

Kinora answers to addresses, to \`localhost\`, to the name in \`publicUrl\` and, away from loopback, to the machine's own name (\`nas\`, \`nas.local\`). For any
other name, such as one that your router or a VPN gives the machine, add it to \`allowedHosts\`; until then it gets a \`wrong-host\` problem. The same goes for the
\`Host\` a proxy sends and the \`X-Forwarded-Host\` of a trusted one. \`/healthz\` answers to every name.

Behind a proxy set \`publicUrl\` to the address people use and \`trustedProxies\` to the proxy's. A proxy on the same machine reaches
Kinora on its loopback address, where registration is \`open\` unless you say otherwise: name \`registration\` then.

## The data folder

\`data\` holds the database, the index of known videos, uploaded files and \`secrets.json\` (mode 0600, made on first start). Back up all of it.
One running Kinora at a time may use it; the lock ends with the process, however that ends.

## Operations

| path | for | answer |
|---|---|---|
| \`/healthz\` | everybody | 200 while the process answers |
| \`/readyz\` | everybody | 200 when every service here can work: it has room to write, reaches database, Redis, storage and broker, and somebody runs the services that it calls. Else 503 with \`reasons\`: for each thing missing its \`name\` (\`broker\`, a service, or the setting \`data\`, \`database\`, \`redis\`, \`storage\`) and a \`reason\` |
| \`/readyz?only=self\` | everybody | the same without broker and other services: whether to send requests here rather than to another instance. For load balancers, and for what starts and stops processes |
| \`/metrics\` | admins, and whoever asks from Kinora's own machine without a proxy | counters in the format of Prometheus |

Every answer carries \`X-Request-Id\`, and every line of the log about that request has the same id. Queries, cookies and tokens are never
logged. SIGINT, SIGTERM and SIGHUP stop Kinora within 10 s: running answers may end; a second signal stops it at once. Exit codes: 0 stopped,
1 could not start or stop (the address is in use, the data folder cannot be written or another Kinora has it), 2 configuration.
`;

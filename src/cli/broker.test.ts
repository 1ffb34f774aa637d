import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "@nats-io/transport-node";
import { ensureDebianPackages, has } from "../../test/support/debian.ts";
import { freePort } from "../../test/support/nats.ts";
import { until } from "../../test/support/until.ts";
import { serviceNames } from "../bus/contract.ts";
import { derivedLogin } from "../config/bus-logins.ts";

await ensureDebianPackages({ "nats-server": "nats-server", openssl: "openssl" });

const program = join(import.meta.dir, "../kinora.ts");
const secret = "a secret of more than thirty-two characters";
let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kinora-broker-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function kinora(args: string[], env: Record<string, string> = {}) {
  return Bun.spawn([process.execPath, program, ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? "", HOME: folder, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function run(args: string[], env: Record<string, string> = {}) {
  const child = kinora(args, env);
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { stdout, stderr, code: await child.exited };
}

test("nats-config without a secret says what to set", async () => {
  const { code, stderr } = await run(["nats-config"]);
  expect(code).toBe(2);
  expect(stderr).toContain("KINORA_SECRET");
  expect(stderr).toContain("--credentials FILE");
});

test("nats-config has a user for each service, and no password that could be read", async () => {
  const { stdout } = await run(["nats-config"], { KINORA_SECRET: secret });
  for (const service of serviceNames) {
    expect(stdout).toContain(`user: "${service}"`);
    expect(stdout).not.toContain(derivedLogin(secret, service).password);
  }
  expect(stdout).not.toContain(secret);
});

test("broker where nats-server is not installed names the Debian package", async () => {
  const { code, stderr } = await run(["broker"], { PATH: "/nowhere", KINORA_SECRET: secret });
  expect(code).toBe(2);
  expect(stderr).toContain("apt-get install nats-server");
});

describe.skipIf(!has("nats-server", "openssl"))("with nats-server", () => {
  test("generated passwords are kept in a file of their own, and used again", async () => {
    const args = ["nats-config", "--credentials", "passwords.json", "--out", "nats.conf"];
    expect((await run(args)).code).toBe(0);
    const before = await Bun.file(join(folder, "passwords.json")).text();
    expect(statSync(join(folder, "passwords.json")).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, "nats.conf")).mode & 0o777).toBe(0o600);
    expect((await run(args)).code).toBe(0);
    expect(await Bun.file(join(folder, "passwords.json")).text()).toBe(before);
    expect(await Bun.spawn(["nats-server", "-t", "-c", join(folder, "nats.conf")], { stderr: "ignore" }).exited).toBe(
      0,
    );
  });

  test("broker starts one that takes the services' passwords, over TLS when it has a certificate, and ends with it", async () => {
    const certificate = [
      "-keyout",
      "key.pem",
      "-out",
      "cert.pem",
      "-subj",
      "/CN=localhost",
      "-addext",
      "subjectAltName=IP:127.0.0.1",
    ];
    await Bun.spawn(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", ...certificate], {
      cwd: folder,
      stdio: ["ignore", "ignore", "ignore"],
    }).exited;
    const listen = `127.0.0.1:${await freePort()}`;
    const child = kinora(["broker", "--nats-listen", listen, "--tls-cert", "cert.pem", "--tls-key", "key.pem"], {
      KINORA_SECRET: secret,
    });
    try {
      const { user, password: pass } = derivedLogin(secret, "catalog");
      const tls = { ca: await Bun.file(join(folder, "cert.pem")).text() };
      const connection = await until(() => connect({ servers: listen, user, pass, tls }).catch(() => null), 20_000);
      expect(connection.info?.jetstream).toBe(true);
      expect(connection.info?.tls_required).toBe(true);
      await connection.close();
      const refused = await connect({ servers: listen, user, pass: "guess", tls }).catch((error: Error) => error.name);
      expect(refused).toBe("AuthorizationError");
    } finally {
      child.kill("SIGTERM");
      expect(await child.exited).toBe(0);
    }
  }, 40_000);
});

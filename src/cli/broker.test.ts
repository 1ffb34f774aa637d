import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
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

test("a file of passwords without a line for the service names the service, with exit code 2", async () => {
  const path = join(folder, "logins.json");
  writeFileSync(path, JSON.stringify({ streaming: "secret-enough" }));
  const env = { KINORA_NATS: "nats://127.0.0.1:1", KINORA_BUS_CREDENTIALS: path };
  const listen = ["--listen", "127.0.0.1:0", "--set", "registration=invite"];
  for (const args of [["serve", "auth", ...listen], ["nats-config"]]) {
    const { code, stderr } = await run(args, env);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/bus\.credentials.*no password for (auth|main)/s)]);
  }
}, 20_000);

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

  test("broker with a certificate that is not there says so, with exit code 2, before it says that it listens", async () => {
    const files = ["--tls-cert", "/nope.pem", "--tls-key", "/nope.key"];
    const { code, stdout, stderr } = await run(["broker", "--nats-listen", "127.0.0.1:1", ...files], {
      KINORA_SECRET: secret,
    });
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain("/nope.pem");
  }, 20_000);

  /** A `kinora broker` that takes connections. */
  async function start(listen: string, env: Record<string, string> = {}) {
    const child = kinora(["broker", "--nats-listen", listen], { KINORA_SECRET: secret, ...env });
    for await (const text of child.stdout) if (new TextDecoder().decode(text).includes("The broker listens")) break;
    await until(() => isTaken(listen), 20_000);
    return child;
  }

  test("broker that is killed with -9 takes its nats-server along, so that the next one starts", async () => {
    const listen = `127.0.0.1:${await freePort()}`;
    const first = await start(listen);
    first.kill("SIGKILL");
    await first.exited;
    const second = await start(listen);
    expect(second.exitCode).toBeNull();
    second.kill("SIGTERM");
    expect(await second.exited).toBe(0);
    await until(async () => !(await isTaken(listen)));
  }, 60_000);

  test("broker whose address is taken says so and ends with 1, and names the nats-server that was left there", async () => {
    const listen = `127.0.0.1:${await freePort()}`;
    const [hostname, port] = listen.split(":");
    const other = Bun.listen({ hostname: hostname ?? "", port: Number(port), socket: { data: () => undefined } });
    const taken = await run(["broker", "--nats-listen", listen], { KINORA_SECRET: secret });
    expect([taken.code, taken.stdout]).toEqual([1, ""]);
    expect(taken.stderr).toContain(`${listen} is in use by another program.`);
    expect(taken.stderr).toContain("--nats-listen");
    other.stop(true);
    const away = await run(["broker", "--nats-listen", "192.0.2.1:4222"], { KINORA_SECRET: secret });
    expect([away.code, away.stderr]).toEqual([1, expect.stringContaining("this machine does not have that address")]);
    // Where setpriv may not do its work, nats-server runs all the same, and outlives a broker that is killed.
    mkdirSync(join(folder, "bin"));
    writeFileSync(join(folder, "bin", "setpriv"), "#!/bin/sh\nexit 127\n", { mode: 0o755 });
    symlinkSync(Bun.which("nats-server") ?? "", join(folder, "bin", "nats-server"));
    const killed = await start(listen, { PATH: join(folder, "bin") });
    const pid = Number(await until(() => Bun.file(join(folder, "data", "nats", "nats.pid")).text(), 20_000));
    killed.kill("SIGKILL");
    await killed.exited;
    try {
      const next = await run(["broker", "--nats-listen", listen], { KINORA_SECRET: secret });
      expect(next.code).toBe(1);
      expect(next.stderr).toContain(
        `the nats-server of another \`kinora broker\` with this data folder (process ${pid})`,
      );
      expect(next.stderr).toContain(`kill ${pid}`);
    } finally {
      process.kill(pid, "SIGKILL");
    }
  }, 60_000);
});

const isTaken = (listen: string) =>
  Bun.connect({
    hostname: listen.split(":")[0] ?? "",
    port: Number(listen.split(":")[1]),
    socket: { data: () => undefined },
  }).then(
    (socket) => {
      socket.terminate();
      return true;
    },
    () => false,
  );

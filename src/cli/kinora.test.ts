import { afterAll, afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readable } from "./log.ts";

const program = join(import.meta.dir, "../kinora.ts");
const running = new Set<Bun.Subprocess>();
let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kinora-cli-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
afterAll(() => {
  for (const child of running) child.kill("SIGKILL");
});

function kinora(args: string[], env: Record<string, string> = {}) {
  const child = Bun.spawn([process.execPath, program, ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? "", HOME: folder, ...env },
    stdout: "pipe",
    stderr: "pipe",
  });
  running.add(child);
  return child;
}

async function run(args: string[], env: Record<string, string> = {}) {
  const child = kinora(args, env);
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { stdout, stderr, code };
}

/** Starts `serve` on a free port and waits until it says where it is. */
async function serve(args: string[] = []) {
  const child = kinora(["serve", "--listen", "127.0.0.1:0", ...args]);
  const reader = child.stdout.getReader();
  const decoder = new TextDecoder();
  let output = "";
  let url: string | undefined;
  while (!url) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`it ended: ${output}${await new Response(child.stderr).text()}`);
    output += decoder.decode(value);
    url = /Kinora is at\s+(http:\S+)[\s\S]*\n\n?$/.exec(output)?.[1];
  }
  /** Everything printed until the end. */
  const rest = async () => {
    for (let next = await reader.read(); !next.done; next = await reader.read()) output += decoder.decode(next.value);
    return output;
  };
  /** Waits until it has printed something. */
  const said = async (what: string) => {
    while (!output.includes(what)) {
      const { value, done } = await reader.read();
      if (done) throw new Error(`it ended without “${what}”: ${output}`);
      output += decoder.decode(value);
    }
  };
  return { child, url, output, rest, said };
}

describe("kinora serve", () => {
  test("says where it is, where the data is and what opens it to the network, and stops on SIGTERM with code 0", async () => {
    const { child, url, output } = await serve();
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect(output).toContain(join(folder, "data"));
    expect(output).toContain("KINORA_LISTEN=0.0.0.0");
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
  });

  test("a second signal stops at once, whatever still runs", async () => {
    const { child, url, said } = await serve();
    const { hostname, port } = new URL(url);
    const socket = await Bun.connect({ hostname, port: Number(port), socket: { data: () => undefined } });
    // A request whose body never comes: its answer would be waited for.
    socket.write(
      `POST /api/session HTTP/1.1\r\nHost: ${hostname}\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{`,
    );
    await fetch(`${url}/healthz`);
    child.kill("SIGTERM");
    // Two that come at once are one.
    await said("Stopping");
    await Bun.sleep(100);
    expect(child.exitCode).toBeNull();
    const begin = performance.now();
    child.kill("SIGTERM");
    expect(await child.exited).toBe(1);
    expect(performance.now() - begin).toBeLessThan(2_000);
    socket.end();
  });

  test("a folder that is in use by another Kinora, or left by a killed one", async () => {
    const first = await serve();
    const refused = await run(["serve", "--listen", "127.0.0.1:0"]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(`Another Kinora is running with the data folder ${join(folder, "data")}.`);
    expect(refused.stderr).toContain("KINORA_DATA");
    first.child.kill("SIGKILL");
    await first.child.exited;
    const { child } = await serve();
    child.kill("SIGINT");
    expect(await child.exited).toBe(0);
  });

  test("a port that is in use ends the start with code 1 and what to do", async () => {
    const other = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
    const { port } = other;
    const { code, stderr } = await run(["serve", "--listen", `127.0.0.1:${port}`]);
    await other.stop(true);
    expect(code).toBe(1);
    expect(stderr).toContain(`127.0.0.1:${port} is in use by another program.`);
    expect(stderr.split("\n").length).toBeLessThan(5);
  });

  test("a data folder that cannot be made ends the start with code 1", async () => {
    writeFileSync(join(folder, "data"), "");
    const { code, stderr } = await run(["serve", "--listen", "127.0.0.1:0"]);
    expect(code).toBe(1);
    expect(stderr).toContain("cannot be written");
    expect(stderr).not.toContain("    at ");
  });

  test("a bad value ends the start with code 2, its name and source, and no stack trace", async () => {
    const { code, stderr } = await run(["serve"], { KINORA_UPLOAD_MAX_SIZE: "big" });
    expect(code).toBe(2);
    expect(stderr).toContain("upload.maxSize (environment KINORA_UPLOAD_MAX_SIZE): expected a size with a unit");
    expect(stderr).not.toContain("    at ");
  });

  test("a folder on the command line must be there", async () => {
    const { code, stderr } = await run(["serve", "nowhere"]);
    expect(code).toBe(2);
    expect(stderr).toContain("There is no folder nowhere.");
  });

  test("it must be named: a folder or option of it alone is answered with the whole command", async () => {
    mkdirSync(join(folder, "films"));
    for (const args of [["films"], ["--listen", "127.0.0.1:0"]]) {
      const { code, stderr } = await run(args);
      expect([code, stderr]).toEqual([2, expect.stringContaining(`kinora serve ${args.join(" ")}`)]);
    }
  });

  test("./kinora.yaml is read, and folders of the command line join those in it", async () => {
    mkdirSync(join(folder, "films"));
    writeFileSync(join(folder, "kinora.yaml"), "data: elsewhere\nlibrary: { folders: [nowhere] }");
    const { child, output } = await serve(["films"]);
    expect(output).toContain(join(folder, "elsewhere"));
    expect(output).toContain(join(folder, "nowhere"));
    expect(output).toContain(join(folder, "films"));
    child.kill("SIGTERM");
    await child.exited;
  });

  test("what is logged without a terminal is JSON, one object a line, with request ids", async () => {
    const { child, url, rest } = await serve();
    await fetch(`${url}/api/nothing?grant=s3cret`);
    child.kill("SIGTERM");
    const lines = (await rest()).split("\n").filter((line) => line.startsWith("{"));
    const answered = lines.map((line) => JSON.parse(line)).find(({ path }) => path === "/api/nothing");
    expect(answered).toMatchObject({ status: 404, method: "GET", requestId: expect.any(String) });
    expect(lines.join()).not.toContain("s3cret");
  });
});

test("kinora config prints values and sources, and hides secrets", async () => {
  const { stdout, code } = await run(["config", "--set", "upload.maxSize=1GiB"], { KINORA_LISTEN: "127.0.0.1:9" });
  expect(code).toBe(0);
  expect(stdout).toMatch(/^listen: 127\.0\.0\.1:9 +# environment KINORA_LISTEN$/m);
  expect(stdout).toMatch(/^ {2}maxSize: 1GiB +# command line$/m);
  expect(stdout).toMatch(/^registration: open +# default$/m);
});

test("kinora version, --version and --help", async () => {
  const [version, option, help] = await Promise.all([run(["version"]), run(["--version"]), run(["--help"])]);
  expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  expect(option.stdout).toBe(version.stdout);
  expect(help.stdout).toContain("serve [options] [services or folders...]");
});

test("at a terminal a line of the log is for people", () => {
  const time = new Date(2026, 0, 2, 3, 4, 5).getTime();
  const line = JSON.stringify({ level: 40, time, pid: 1, hostname: "h", requestId: "r", status: 404, msg: "answered" });
  expect(readable(line)).toBe("03:04:05 WARN  answered status=404");
});

describe("serve with names of services", () => {
  test("needs a broker, and says which setting and command bring one", async () => {
    const { code, stderr } = await run(["serve", "auth", "catalog"]);
    expect(code).toBe(1);
    expect(stderr).toContain("auth, catalog alone cannot reach the other services");
    expect(stderr).toContain("KINORA_NATS");
    expect(stderr).toContain("kinora broker");
  });

  test("takes everything else as folders, which only streaming has a use for", async () => {
    mkdirSync(join(folder, "auth"));
    const refused = await run(["serve", "main", "./auth"], { KINORA_NATS: "nats://127.0.0.1:1" });
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("./auth would not join the library: only streaming reads folders");
    const missing = await run(["serve", "streaming", "auht"], { KINORA_NATS: "nats://127.0.0.1:1" });
    expect(missing.stderr).toContain("There is no folder auht.");
  });
});

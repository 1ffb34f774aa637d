import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Subprocess } from "bun";
import { TestUser } from "../../test/support/kinora.ts";
import { cpuSecondsOf, familyOf, rssBytesOf, sum } from "./process.ts";

export interface BenchServer {
  readonly url: string;
  readonly pid: number;
  readonly folder: string;
  cpuSeconds(): number;
  rssBytes(): number;
  close(): Promise<void>;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

async function untilAnswers(url: string, process: Subprocess): Promise<void> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    if (process.exitCode !== null) throw new Error(`the server ended with code ${process.exitCode}`);
    try {
      await fetch(url);
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await Bun.sleep(2);
    }
  }
}

function serverOf(process: Subprocess, url: string, folder: string): BenchServer {
  const family = () => familyOf(process.pid);
  return {
    url,
    pid: process.pid,
    folder,
    cpuSeconds: () => sum(family().map(cpuSecondsOf)),
    rssBytes: () => sum(family().map(rssBytesOf)),
    async close() {
      process.kill("SIGTERM");
      await process.exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A Kinora of its own process, as `npm start` runs it; `data` is kept when given. */
export async function startKinoraProcess(folders: readonly string[] = [], data?: string): Promise<BenchServer> {
  const folder = mkdtempSync(join(tmpdir(), "kinora-bench-"));
  const port = await freePort();
  const child = Bun.spawn([process.execPath, "src/kinora.ts", "serve", ...folders], {
    env: {
      ...process.env,
      KINORA_DATA: data ?? join(folder, "data"),
      KINORA_LISTEN: `127.0.0.1:${port}`,
      KINORA_RTSP_LISTEN: "127.0.0.1:0",
      // All players of a bench come by one link.
      ...{ KINORA_RTSP_PER_GRANT: "1000", KINORA_RTSP_PER_USER: "1000", KINORA_RTSP_PER_ADDRESS: "1000" },
      KINORA_LOG_LEVEL: "warn",
    },
    stdio: ["ignore", "ignore", "inherit"],
  });
  const url = `http://127.0.0.1:${port}`;
  await untilAnswers(`${url}/healthz`, child);
  return serverOf(child, url, folder);
}

/** nginx with sendfile, one worker, serving a folder: the peer. */
export async function startNginx(root: string): Promise<BenchServer> {
  const folder = mkdtempSync(join(tmpdir(), "kinora-bench-nginx-"));
  const port = await freePort();
  const configuration = `daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log stderr error; user root;
    events { worker_connections 4096; }
    http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; keepalive_timeout 300s; send_timeout 300s;
      client_body_temp_path ${folder}; proxy_temp_path ${folder}; fastcgi_temp_path ${folder}; uwsgi_temp_path ${folder}; scgi_temp_path ${folder};
      server { listen 127.0.0.1:${port}; root ${root}; } }`;
  const path = join(folder, "nginx.conf");
  writeFileSync(path, configuration);
  const child = Bun.spawn(["nginx", "-c", path, "-p", folder], { stdio: ["ignore", "ignore", "inherit"] });
  const url = `http://127.0.0.1:${port}`;
  await untilAnswers(url, child);
  return serverOf(child, url, folder);
}

/** The first user of a server, signed in. */
export const signIn = (server: BenchServer) => TestUser.signIn(server, "bench");

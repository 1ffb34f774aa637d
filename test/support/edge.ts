import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BoundServer, startBound } from "./bound-server.ts";
import { until } from "./until.ts";

/** A program in front of Kinora, with its own folder. */
export interface EdgeProgram {
  readonly pid: number;
  close(): Promise<void>;
}

/** A certificate for `localhost`, signed by itself. */
export interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

export async function makeCertificate(folder: string): Promise<Certificate> {
  const made = { certificate: join(folder, "localhost.pem"), key: join(folder, "localhost.key") };
  if (existsSync(made.key)) return made;
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  const files = ["-keyout", made.key, "-out", made.certificate];
  const child = Bun.spawn(["openssl", "req", "-x509", ...curve, ...subject, ...files], { stderr: "ignore" });
  if ((await child.exited) !== 0) throw new Error("openssl made no certificate");
  return made;
}

const STREAM_MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so";

/** What nginx needs where it is not the system's: Debian has its stream module in a file of its own. */
export function nginxGlobals(folder: string): string {
  const module = existsSync(STREAM_MODULE) ? `load_module ${STREAM_MODULE};` : "";
  return `${module} pid ${join(folder, "nginx.pid")}; error_log ${join(folder, "error.log")} warn;`;
}

/** Starts nginx with this configuration; `ports` are those it must answer on. */
export async function startNginx(config: string, ports: readonly number[]): Promise<EdgeProgram> {
  const folder = mkdtempSync(join(tmpdir(), "kinora-nginx-"));
  const path = join(folder, "nginx.conf");
  // Its own places for what it would write to those of the system.
  const places = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${folder}/t;`);
  writeFileSync(path, config.replace("http {\n", `http {\n    access_log off;\n    ${places.join(" ")}\n`));
  const globals = `daemon off; ${nginxGlobals(folder)}`;
  const server = await startBound(folder, ["nginx", "-c", path, "-g", globals]);
  return started(folder, server, ports, join(folder, "error.log"), "SIGQUIT");
}

/** Starts Caddy with this configuration; its options must name no place of the system's. */
export async function startCaddy(config: string, ports: readonly number[]): Promise<EdgeProgram> {
  const folder = mkdtempSync(join(tmpdir(), "kinora-caddy-"));
  const path = join(folder, "Caddyfile");
  mkdirSync(join(folder, "home"));
  writeFileSync(path, config);
  const command = ["caddy", "run", "--adapter", "caddyfile", "--config", path];
  const home = `HOME=${join(folder, "home")}`;
  const server = await startBound(folder, ["env", home, ...command]);
  return started(folder, server, ports, path, "SIGKILL");
}

async function started(
  folder: string,
  server: BoundServer,
  ports: readonly number[],
  log: string,
  end: NodeJS.Signals,
): Promise<EdgeProgram> {
  await until(async () => {
    if (server.exitCode !== null) throw new Error(`it ended: ${existsSync(log) ? await Bun.file(log).text() : ""}`);
    return (await Promise.all(ports.map(accepts))).every(Boolean);
  }, 30_000);
  return {
    pid: server.pid,
    async close() {
      // nginx's workers end with their master only when it is asked to.
      if (end !== "SIGKILL" && server.exitCode === null) {
        process.kill(server.pid, "SIGTERM");
        await until(() => server.exitCode !== null);
      } else await server.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Whether something listens there. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    const say = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.on("connect", () => say(true));
    socket.on("error", () => say(false));
  });
}

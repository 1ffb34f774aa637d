import type { ServiceName } from "../src/bus/contract.ts";
import {
  type EdgePath,
  edgePaths,
  edgeServices,
  FOR_PLACEMENT,
  GENERATED,
  type Placement,
  SERVICE_PORT,
} from "./edge.ts";

export interface NginxOptions {
  readonly placement: Placement;
  /** Lines that come before everything. */
  readonly global: string;
  /** `host:port` of each of a service's instances. */
  readonly upstreams: (service: ServiceName) => readonly string[];
  readonly listen: string;
  readonly serverName: string;
  readonly certificate: string;
  readonly certificateKey: string;
}

const defaults: NginxOptions = {
  placement: "shared",
  global: "worker_processes auto;\n",
  upstreams: (service) => [`${service}:${SERVICE_PORT}`],
  listen: "443 ssl http2",
  serverName: "kinora.example.org",
  certificate: "/etc/kinora/tls/fullchain.pem",
  certificateKey: "/etc/kinora/tls/privkey.pem",
};

/** What every proxied request needs: Kinora has limits of its own, and streams both ways. */
const PROXY = `        client_max_body_size 0;
        proxy_request_buffering off;
        proxy_buffering off;
        proxy_buffer_size 64k;
        proxy_busy_buffers_size 96k;
        proxy_buffers 4 32k;
        proxy_http_version 1.1;
        # Longer than a paused player is silent, and an upload over a bad line.
        proxy_read_timeout 300s;
        proxy_send_timeout 300s;
        send_timeout 300s;
        client_body_timeout 300s;
        proxy_connect_timeout 2s;
        proxy_set_header Connection "";
        proxy_set_header Host $http_host;
        # What the client says of itself is not passed on.
        proxy_set_header Forwarded "";
        proxy_set_header X-Real-IP "";
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_set_header X-Forwarded-Host $http_host;
`;

/** nginx in front, with a certificate of yours; from version 1.18. */
export function nginxConf(options: Partial<NginxOptions> = {}): string {
  const { placement, global, upstreams, listen, serverName, certificate, certificateKey } = { ...defaults, ...options };
  return `# ${GENERATED}
# Change the addresses of the upstreams (a line for each instance), server_name and the certificate's paths.
# ${FOR_PLACEMENT[placement]}
${global}events { worker_connections 4096; }

http {
${edgeServices.map((service) => upstream(service, upstreams(service))).join("")}${maps(placement, "http://")}
    server {
        listen ${listen};
        server_name ${serverName};
        ssl_certificate ${certificate};
        ssl_certificate_key ${certificateKey};

${PROXY}
${locations(placement, (service) => `http://${service}`).join("")}        location / { proxy_pass http://main; }
    }
}
`;
}

/** Where the pages of the system that Kinora follows were, by port. */
const ORIGINAL_PAGES = [
  { port: 5000, page: "/sign-in", what: "signing in" },
  { port: 5001, page: "/upload", what: "uploading" },
  { port: 5002, page: "/videos", what: "one's own videos" },
] as const;
const ORIGINAL_SERVERS = [
  { port: 3306, target: "mysql:3306" },
  { port: 6379, target: "redis:6379" },
] as const;

export interface OriginalPortsOptions {
  readonly global: string;
  /** Asked for a service's address again as it comes and goes. */
  readonly resolver: string;
  /** `host:port` of a service, and of the servers behind 3306 and 6379. */
  readonly target: (name: string) => string;
  /** `host:port` to listen on in place of a port. */
  readonly listen: (port: number) => string;
}

const originalDefaults: OriginalPortsOptions = {
  global: "worker_processes auto;\n",
  resolver: "127.0.0.11 valid=2s ipv6=off",
  target: (name) => (name.includes(":") ? name : `${name}:${SERVICE_PORT}`),
  listen: (port) => String(port),
};

/** nginx on the five ports of the original system, for compose's profile of that name. */
export function originalPortsConf(options: Partial<OriginalPortsOptions> = {}): string {
  const { global, resolver, target, listen } = { ...originalDefaults, ...options };
  const servers = ORIGINAL_PAGES.map(
    ({ port, page, what }) => `    # ${port}: ${what}.
    server {
        listen ${listen(port)};
        absolute_redirect off;
${PROXY}
        location = / { return 302 ${page}; }
${locations("shared", (service) => `$kinora_${service}`).join("")}        location / { proxy_pass $kinora_main; }
    }
`,
  );
  const variables = edgeServices.map(
    (service) => `    map "" $kinora_${service} { default http://${target(service)}; }\n`,
  );
  const streams = ORIGINAL_SERVERS.map(
    (server) =>
      `    map "" $target_${server.port} { default ${target(server.target)}; }\n    server {\n        listen ${listen(server.port)};\n        proxy_connect_timeout 2s;\n        proxy_timeout 1h;\n        proxy_pass $target_${server.port};\n    }\n`,
  );
  return `# ${GENERATED}
# The ports of the system that Kinora follows. Its pages were on three of them, one after the other: each shows all of
# Kinora here and begins with its page. Sessions count on all three: cookies know no ports.
${global}events { worker_connections 1024; }

http {
    resolver ${resolver};
${variables.join("")}${maps("shared", "")}
${servers.join("\n")}}

stream {
    resolver ${resolver};
${streams.join("")}}
`;
}

/** nginx on the RTSP port, where several streaming instances share one address: each connection goes to one of them. */
export function rtspConf(options: Partial<OriginalPortsOptions> = {}): string {
  const { global, resolver, target, listen } = { ...originalDefaults, ...options };
  return `# ${GENERATED}
# RTSP over TCP; what a player wants over UDP it must get from streaming itself.
${global}events { worker_connections 4096; }

stream {
    resolver ${resolver};
    map "" $streaming { default ${target(`streaming:${RTSP_PORT}`)}; }
    server {
        listen ${listen(RTSP_PORT)};
        proxy_connect_timeout 2s;
        proxy_timeout 1h;
        proxy_pass $streaming;
    }
}
`;
}

const RTSP_PORT = 8554;

function upstream(service: ServiceName, addresses: readonly string[]): string {
  const servers = addresses.map((address) => `        server ${address} max_fails=1 fail_timeout=5s;\n`).join("");
  // Shorter than Kinora keeps an idle connection: none is used that is being closed.
  return `    upstream ${service} {\n        least_conn;\n${servers}        keepalive 32;\n        keepalive_timeout 30s;\n    }\n`;
}

const withMethods = (placement: Placement) => edgePaths(placement).filter(({ methods }) => methods.size > 0);
const variableOf = ({ path }: EdgePath) => `$kinora_to${path.replace(/\W/g, "_")}`;

/** Who gets a path whose owner depends on the method. A variable's value may be a variable. */
function maps(placement: Placement, prefix: "http://" | ""): string {
  const to = (service: ServiceName) => (prefix === "" ? `$kinora_${service}` : `${prefix}${service}`);
  return withMethods(placement)
    .map((path) => {
      const cases = [...path.methods].map(([method, service]) => `        ${method} ${to(service)};\n`).join("");
      return `    map $request_method ${variableOf(path)} {\n        default ${to(path.service)};\n${cases}    }\n`;
    })
    .join("");
}

function locations(placement: Placement, to: (service: ServiceName) => string): string[] {
  return edgePaths(placement).map((path) => {
    const target = path.methods.size > 0 ? variableOf(path) : to(path.service);
    const below = `        location ^~ ${path.path}/ { proxy_pass ${to(path.service)}; }\n`;
    return `        location = ${path.path} { proxy_pass ${target}; }\n${below}`;
  });
}

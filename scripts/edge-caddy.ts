import type { ServiceName } from "../src/bus/contract.ts";
import {
  type EdgeRoute,
  edgeRoutes,
  edgeServices,
  FOR_PLACEMENT,
  GENERATED,
  type Placement,
  SERVICE_PORT,
} from "./edge.ts";

export interface CaddyOptions {
  readonly placement: Placement;
  /** Lines that come before everything: global options. */
  readonly global: string;
  /** Where people reach it. */
  readonly site: string;
  /** Lines of the site beside its routes. */
  readonly siteOptions: string;
  /** Where a service's instances are: lines of `reverse_proxy`. */
  readonly upstreams: (service: ServiceName) => string;
}

const defaults: CaddyOptions = {
  placement: "shared",
  global: "",
  site: "{$KINORA_HOST}",
  siteOptions: "",
  upstreams: (service) => `dynamic a {
			name ${service}
			port ${SERVICE_PORT}
			refresh 2s
		}`,
};

/** Caddy in front: HTTPS by itself, each path to the service that answers it. */
export function caddyfile(options: Partial<CaddyOptions> = {}): string {
  const { placement, global, site, siteOptions, upstreams } = { ...defaults, ...options };
  return `# ${GENERATED}
# KINORA_HOST is the name people open. Every name of a service stands for all of its instances.
# ${FOR_PLACEMENT[placement]}
${global}(proxying) {
	# Bytes go on as they come: uploads, event streams, segments.
	flush_interval -1
	lb_policy least_conn
	# An instance that does not take the connection is passed over, and left alone for a while.
	lb_try_duration 3s
	fail_duration 5s
	# What the client says of itself is not passed on.
	header_up -Forwarded
	header_up -X-Real-IP
	transport http {
		# Shorter than Kinora keeps an idle connection: none is used that is being closed.
		keepalive 30s
		dial_timeout 2s
	}
}
${edgeServices.map((service) => snippet(service, upstreams(service))).join("")}
${site} {
${siteOptions}${edgeRoutes(placement).map(handle).join("")}	handle {
		import main
	}
}
`;
}

function handle({ service, path, exact, methods }: EdgeRoute, index: number): string {
  const matchers = [`path ${exact ? path : `${path} ${path}/*`}`, ...(methods ? [`method ${methods.join(" ")}`] : [])];
  const name = `@${index}_${service}`;
  return `	${name} {
${matchers.map((line) => `\t\t${line}\n`).join("")}	}
	handle ${name} {
		import ${service}
	}
`;
}

const snippet = (service: ServiceName, upstreams: string) => `(${service}) {
	reverse_proxy {
		${upstreams}
		import proxying
	}
}
`;

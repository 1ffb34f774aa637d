import { caddyfile } from "./edge-caddy.ts";
import { ingress } from "./edge-ingress.ts";
import { nginxConf, originalPortsConf, rtspConf } from "./edge-nginx.ts";

/** Configurations of edge proxies that are made from the contracts, by their path in the repository. */
export const generatedEdges = (): Readonly<Record<string, string>> => ({
  "deploy/caddy/Caddyfile": caddyfile(),
  "deploy/caddy/own-bytes/Caddyfile": caddyfile({ placement: "own" }),
  "deploy/nginx/kinora.conf": nginxConf(),
  "deploy/nginx/own-bytes/kinora.conf": nginxConf({ placement: "own" }),
  "deploy/nginx/original-ports.conf": originalPortsConf(),
  "deploy/nginx/rtsp.conf": rtspConf(),
  "deploy/kubernetes/ingress.yaml": ingress(),
  "deploy/kubernetes/own-bytes/ingress.yaml": ingress("own"),
});

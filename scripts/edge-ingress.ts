import type { ServiceName } from "../src/bus/contract.ts";
import { edgePaths, FOR_PLACEMENT, GENERATED, type Placement, SERVICE_PORT } from "./edge.ts";

/**
 * The table as a Kubernetes Ingress. That knows no methods: what depends on them goes to main, which sends it on.
 */
export function ingress(placement: Placement = "shared"): string {
  const paths = edgePaths(placement).flatMap(({ path, service, methods }) => [
    ...(methods.size > 0 ? [pathOf(path, "Exact", "main")] : []),
    pathOf(path, "Prefix", service),
  ]);
  return `# ${GENERATED}
# ${FOR_PLACEMENT[placement]}
# Change the host's name and the class. The annotations are those of ingress-nginx: bodies of any size, nothing held back.
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: kinora
  annotations:
    nginx.ingress.kubernetes.io/proxy-body-size: "0"
    nginx.ingress.kubernetes.io/proxy-request-buffering: "off"
    nginx.ingress.kubernetes.io/proxy-buffering: "off"
    nginx.ingress.kubernetes.io/proxy-read-timeout: "300"
    nginx.ingress.kubernetes.io/proxy-send-timeout: "300"
spec:
  ingressClassName: nginx
  tls:
    - hosts: [kinora.example.org]
      secretName: kinora-tls
  rules:
    - host: kinora.example.org
      http:
        paths:
${[...paths, pathOf("/", "Prefix", "main")].join("")}`;
}

const pathOf = (path: string, pathType: "Exact" | "Prefix", service: ServiceName) =>
  `          - path: ${path}
            pathType: ${pathType}
            backend:
              service:
                name: ${service}
                port:
                  number: ${SERVICE_PORT}
`;

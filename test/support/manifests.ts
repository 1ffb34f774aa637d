import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { parseAllDocuments } from "yaml";

/** A Kubernetes object, with where it stands. */
export interface Manifest {
  readonly file: string;
  readonly object: ManifestObject;
}

type Labels = Readonly<Record<string, string>>;

/** As far as the tests look into it; the schemas say what must be there. */
export interface ManifestObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Labels };
  readonly data?: Readonly<Record<string, string>>;
  /** Of a kustomization. */
  readonly resources?: readonly string[];
  readonly spec?: {
    /** A Service has the labels themselves. */
    readonly selector?: Labels & { readonly matchLabels?: Labels };
    readonly ports?: readonly { readonly targetPort: string }[];
    readonly scaleTargetRef?: { readonly kind: string; readonly name: string };
    readonly template?: PodTemplate;
  };
}

interface PodTemplate {
  readonly metadata: { readonly labels: Labels };
  readonly spec: { readonly securityContext: unknown; readonly containers: readonly Container[] };
}

interface Container {
  readonly args?: readonly string[];
  readonly env?: readonly {
    readonly name: string;
    readonly value?: string;
    readonly valueFrom?: { readonly secretKeyRef: { readonly key: string } };
  }[];
  readonly ports: readonly { readonly name: string }[];
  readonly securityContext: unknown;
  readonly readinessProbe: unknown;
  readonly livenessProbe: unknown;
}

/** All documents of a folder's YAML files, those of folders in it included. */
export function manifestsIn(folder: string): Manifest[] {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".yaml"));
  return files.sort().flatMap((path) =>
    parseAllDocuments(readFileSync(join(folder, path), "utf8"), { merge: true }).map((document) => {
      if (document.errors.length > 0) throw new Error(`${path}: ${document.errors[0]?.message}`);
      return { file: relative(folder, join(folder, path)), object: document.toJS() as ManifestObject };
    }),
  );
}

interface Validate {
  (data: unknown): boolean;
  readonly errors?: readonly { readonly instancePath: string; readonly message?: string; readonly keyword: string }[];
}

/**
 * What Kubernetes' own schemas find wrong with an object, fields that no schema knows included. Those validators let
 * unknown fields pass but read every known one: what they never read is unknown.
 */
export async function problemsOf(object: ManifestObject): Promise<string[]> {
  const [group = "", version = group] = object.apiVersion.split("/");
  const models = (await import(`kubernetes-models/${object.apiVersion}`)) as Record<string, unknown>;
  if (!(object.kind in models)) return [`${object.apiVersion} has no ${object.kind}`];
  const owner = version === group ? "Core" : pascal(group.split(".")[0] ?? "");
  const schema = `IoK8sApi${owner}${pascal(version)}${object.kind}`;
  const { validate } = (await import(`kubernetes-models/_schemas/${schema}`)) as { validate: Validate };
  const unread = new Set<string>();
  const valid = validate(recording(object, "", unread));
  const failures = (valid ? [] : (validate.errors ?? [])).map((error) => `${error.instancePath}: ${error.keyword}`);
  return [...failures, ...[...unread].map((path) => `${path}: no such field`)];
}

const pascal = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

/** The same value; a field that has not been read stays in `unread`. */
function recording(value: unknown, path: string, unread: Set<string>): unknown {
  if (typeof value !== "object" || value === null) return value;
  const isList = Array.isArray(value);
  if (!isList) for (const key of Object.keys(value)) unread.add(`${path}/${key}`);
  const children = new Map<PropertyKey, unknown>();
  return new Proxy(value, {
    get(target, key) {
      const child: unknown = Reflect.get(target, key);
      if (typeof key === "symbol" || !Object.hasOwn(target, key)) return child;
      unread.delete(`${path}/${key}`);
      if (!children.has(key)) children.set(key, recording(child, `${path}/${key}`, unread));
      return children.get(key);
    },
  });
}

import { call } from "../api.ts";
import { Skeleton } from "../components/parts.tsx";
import { Section } from "../components/section.tsx";
import { useLoaded } from "../components/use-loaded.ts";
import { formatBytes } from "../format.ts";
import { formatMoment } from "../format-time.ts";
import { formatNumber, t } from "../i18n/i18n.ts";
import "../messages/en/admin.ts";
import { Problem } from "./problem.tsx";
import { useRefreshed } from "./use-refreshed.ts";

const names = ["main", "auth", "catalog", "upload", "streaming"] as const;
/** Heartbeats come every 2 s. */
const EVERY_MS = 2_000;

interface Instance {
  readonly service: (typeof names)[number];
  readonly instance: string;
  readonly addresses: readonly string[];
  readonly since: string;
  readonly version?: string;
  readonly heardAt?: string;
  readonly load?: { readonly cpu: number; readonly memoryBytes: number };
}

const loadServices = async () => {
  const { items } = await call<{ items: Instance[] }>("GET", "/api/services");
  return { items, atMs: Date.now() };
};

/** What runs: each process with its services, version, heartbeat and load. */
export function ServicesPage() {
  const services = useLoaded(loadServices);
  useRefreshed(services.reload, EVERY_MS);
  const items = services.data?.items ?? [];
  const processes = [...new Set(items.map(({ instance }) => instance))].map((id) =>
    items.filter(({ instance }) => instance === id),
  );
  const missing = names.filter((name) => !items.some(({ service }) => service === name));
  const versions = new Set(items.map(({ version }) => version));
  return (
    <Section layout="below" heading={t("services.heading")} text={t("services.why")}>
      {services.problem && <Problem text={services.problem} onRetry={() => void services.reload()} />}
      {!services.data && !services.problem && <Skeleton lines={4} />}
      <div role="status">
        {services.data && missing.length > 0 && (
          <p class="problem">
            {t("services.missing", { names: missing.map((name) => t(`services.name-${name}`)).join(", ") })}{" "}
            {t("services.missing-why", { names: missing.join(" ") })}
          </p>
        )}
        {versions.size > 1 && <p class="problem">{t("services.versions")}</p>}
      </div>
      <ul class="cards">
        {processes.map((group) => (
          <Process key={group[0]?.instance} group={group} nowMs={services.data?.atMs ?? 0} />
        ))}
      </ul>
    </Section>
  );
}

function Process({ group, nowMs }: { group: readonly Instance[]; nowMs: number }) {
  const [first] = group;
  if (!first) return null;
  const { instance, version, load, since } = first;
  const heardMs = Math.min(...group.map(({ heardAt }) => (heardAt ? nowMs - Date.parse(heardAt) : 0)));
  const seconds = Math.max(0, Math.round(heardMs / 1000));
  const heard = seconds < 2 ? t("services.now") : t("services.seconds-ago", { count: seconds });
  const facts = [
    version && t("services.version", { version }),
    load && t("services.cpu", { percent: formatNumber(load.cpu, { style: "percent", maximumFractionDigits: 0 }) }),
    load && t("services.memory", { size: formatBytes(load.memoryBytes) }),
    t("services.heard", { when: heard }),
    t("services.since", { date: formatMoment(since) }),
  ];
  return (
    <li class="card-box">
      <h3>{t("services.process", { id: instance })}</h3>
      <ul class="badges">
        {group.map(({ service }) => (
          <li key={service} class="badge good">
            {t(`services.name-${service}`)}
          </li>
        ))}
      </ul>
      <ul class="process-facts">{facts.map((fact) => fact && <li key={fact}>{fact}</li>)}</ul>
      <ul class="process-facts path">
        {[...new Set(group.flatMap(({ addresses }) => addresses))].map((address) => (
          <li key={address}>{address}</li>
        ))}
      </ul>
    </li>
  );
}

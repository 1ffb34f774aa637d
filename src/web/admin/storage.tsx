import type { StorageReport } from "../../streaming/contract.ts";
import { call, messageOf } from "../api.ts";
import { None } from "../components/none.tsx";
import { Skeleton } from "../components/parts.tsx";
import { Section } from "../components/section.tsx";
import { useLoaded } from "../components/use-loaded.ts";
import { formatBytes } from "../format.ts";
import { locale, t } from "../i18n/i18n.ts";
import "../messages/en/admin.ts";
import { notify } from "../notices.tsx";
import { Problem } from "./problem.tsx";
import { useRefreshed } from "./use-refreshed.ts";

const EVERY_MS = 30_000;
/** Less than this part of a disk is nearly full. */
const NEARLY_FULL = 0.05;

export const loadStorage = () => call<StorageReport>("GET", "/api/storage");

/** What takes space, whose it is, what is free, and what may be deleted. */
export function StoragePage() {
  const storage = useLoaded(loadStorage);
  useRefreshed(storage.reload, EVERY_MS);
  const { data } = storage;
  const clear = async () => {
    const { bytes } = await call<{ bytes: number }>("DELETE", "/api/storage/index");
    await storage.reload();
    notify(t("storage.cleared", { size: formatBytes(bytes) }));
  };
  const most = Math.max(1, ...(data?.owners.map(({ bytes }) => bytes) ?? []));
  return (
    <>
      {storage.problem && <Problem text={storage.problem} onRetry={() => void storage.reload()} />}
      <Section heading={t("storage.volumes")} text={t("storage.volumes-why")}>
        {!data && !storage.problem && <Skeleton lines={2} />}
        <ul class="entries">
          {data?.volumes.map((volume) => (
            <Volume key={volume.path} volume={volume} />
          ))}
        </ul>
      </Section>
      <Section heading={t("storage.areas")} text={t("storage.areas-why")}>
        {!data && !storage.problem && <Skeleton lines={4} />}
        <ul class="entries">
          {data?.areas.map((area) => (
            <Area
              key={area.kind}
              area={area}
              onClear={() => void clear().catch((error: unknown) => notify(messageOf(error), { kind: "error" }))}
            />
          ))}
        </ul>
      </Section>
      <Section heading={t("storage.owners")} text={t("storage.owners-why")}>
        {!data && !storage.problem && <Skeleton lines={2} />}
        <None when={data?.owners.length === 0}>
          <p class="meta">{t("storage.no-owners")}</p>
        </None>
        <ul class="entries">
          {data?.owners.map(({ user, bytes, files }) => (
            <li key={user.id} class="entry">
              <div class="entry-text">
                <span class="entry-name">{user.username}</span>
                <Bar part={bytes / most} />
              </div>
              <span class="amount">
                {formatBytes(bytes)}
                <span class="meta">{t("storage.videos", { count: files })}</span>
              </span>
            </li>
          ))}
        </ul>
      </Section>
    </>
  );
}

const list = (parts: readonly string[]) => new Intl.ListFormat(locale.value, { type: "conjunction" }).format(parts);

/** How much of something; what it says stands beside it in words. */
function Bar({ part, full = false }: { part: number; full?: boolean }) {
  return <progress class={full ? "full" : undefined} value={part} max={1} aria-hidden="true" />;
}

function Volume({ volume: { holds, path, freeBytes, totalBytes } }: { volume: StorageReport["volumes"][number] }) {
  const isFull = freeBytes < NEARLY_FULL * totalBytes;
  const sizes = { free: formatBytes(freeBytes), total: formatBytes(totalBytes) };
  return (
    <li class="entry volume">
      <div class="entry-text">
        <span class="entry-name">
          {t("storage.holds", { what: list(holds.map((held) => t(`storage.holds-${held}`))) })}
        </span>
        <Bar part={totalBytes === 0 ? 0 : 1 - freeBytes / totalBytes} full={isFull} />
        <span class="meta path">{path}</span>
        {isFull && <p class="problem">{t("storage.full")}</p>}
      </div>
      <span class="amount">{t("storage.free", sizes)}</span>
    </li>
  );
}

function Area({ area, onClear }: { area: StorageReport["areas"][number]; onClear(): void }) {
  const { kind, bytes, files, removable } = area;
  return (
    <li class="entry">
      <div class="entry-text">
        <span class="entry-name">{t(`storage.kind-${kind}`)}</span>
        <span class="meta">{t(`storage.why-${kind}`)}</span>
        {removable && (
          <div class="actions">
            <button type="button" onClick={() => bytes > 0 && onClear()} aria-disabled={bytes === 0}>
              {t("storage.clear")}
            </button>
          </div>
        )}
      </div>
      <span class="amount">
        {formatBytes(bytes)}
        {files !== null && <span class="meta">{t("storage.files", { count: files })}</span>}
      </span>
    </li>
  );
}

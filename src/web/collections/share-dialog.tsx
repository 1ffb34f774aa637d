import { useEffect, useState } from "preact/hooks";
import type { Collection } from "../../catalog/contract.ts";
import { call, messageOf } from "../api.ts";
import { copyText } from "../clipboard.ts";
import { Dialog } from "../components/dialog.tsx";
import { formatMoment } from "../format.ts";
import { t } from "../i18n/i18n.ts";
import "../messages/en/collections.ts";
import { notify } from "../notices.tsx";

/** The part of a playback link that is shown. */
interface Link {
  readonly id: string;
  readonly url: string;
  readonly expiresAt: string;
  readonly collectionId?: string | null;
}

/** Makes links that show a collection without an account, and revokes them. */
export function ShareDialog({ collection, onClose }: { collection: Collection; onClose(): void }) {
  const [links, setLinks] = useState<readonly Link[]>([]);
  const [problem, setProblem] = useState<string | null>(null);
  const fail = (error: unknown) => setProblem(messageOf(error));
  useEffect(() => {
    call<{ items: Link[] }>("GET", "/api/links").then(
      ({ items }) => setLinks(items.filter(({ collectionId }) => collectionId === collection.id)),
      fail,
    );
  }, []);
  const create = async () => {
    const link = await call<Link>("POST", "/api/links", { collectionId: collection.id });
    setLinks([link, ...links]);
    await copy(link);
  };
  const revoke = async (link: Link) => {
    await call("DELETE", `/api/links/${link.id}`);
    setLinks(links.filter(({ id }) => id !== link.id));
    notify(t("collections.link-revoked"));
  };
  return (
    <Dialog heading={t("collections.share-heading", { name: collection.name })} onClose={onClose}>
      <p>{t("collections.share-why")}</p>
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <div class="actions">
        <button type="button" class="primary" onClick={() => void create().catch(fail)}>
          {t("collections.make-link")}
        </button>
      </div>
      {links.length > 0 && (
        <ul class="links" aria-label={t("collections.links")}>
          {links.map((link) => (
            <li key={link.id}>
              <input
                readOnly
                value={link.url}
                aria-label={t("collections.link")}
                onFocus={(event) => event.currentTarget.select()}
              />
              <span class="meta">{t("collections.until", { date: formatMoment(link.expiresAt) })}</span>
              <span class="actions">
                <button type="button" onClick={() => void copy(link)}>
                  {t("collections.copy")}
                </button>
                <button type="button" class="danger" onClick={() => void revoke(link).catch(fail)}>
                  {t("collections.revoke")}
                </button>
              </span>
            </li>
          ))}
        </ul>
      )}
    </Dialog>
  );
}

async function copy({ url }: Link): Promise<void> {
  if (await copyText(url)) notify(t("collections.copied"));
}

import { useEffect, useState } from "preact/hooks";
import { call } from "../api.ts";
import { SearchIcon } from "../components/icons.tsx";
import { Skeleton } from "../components/parts.tsx";
import { Section } from "../components/section.tsx";
import { useLoaded } from "../components/use-loaded.ts";
import { formatDate } from "../format.ts";
import { formatAgo, formatMoment } from "../format-time.ts";
import { t } from "../i18n/i18n.ts";
import "../messages/en/admin.ts";
import { Menu } from "../components/menu.tsx";
import { user } from "../session.ts";
import { Invites } from "./invites.tsx";
import { Problem } from "./problem.tsx";
import type { Role } from "./roles.ts";
import { UserDialog, type UserTask } from "./user-dialog.tsx";

/** An account as the interface lists it. */
export interface Account {
  readonly id: string;
  readonly username: string;
  readonly role: Role;
  readonly disabled: boolean;
  readonly twoFactor: boolean;
  readonly createdAt: string;
  readonly lastSeenAt: string | null;
}

interface Page {
  readonly items: readonly Account[];
  readonly nextCursor: string | null;
}

const PAGE = 100;
const SEARCH_AFTER_MS = 200;

/** So many pages of the accounts with this in their names, the oldest first. */
export async function loadUsers(q: string, pages: number): Promise<Page> {
  const items: Account[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < pages; page++) {
    const query: string = new URLSearchParams({
      limit: String(PAGE),
      ...(q && { q }),
      ...(cursor && { cursor }),
    }).toString();
    const found: Page = await call<Page>("GET", `/api/users?${query}`);
    items.push(...found.items);
    cursor = found.nextCursor;
    if (cursor === null) break;
  }
  return { items, nextCursor: cursor };
}

/** Who may sign in: found, made, changed, invited. */
export function UsersPage() {
  const [q, setQ] = useState("");
  const [typed, setTyped] = useState("");
  const [pages, setPages] = useState(1);
  const [task, setTask] = useState<UserTask | null>(null);
  const users = useLoaded(() => loadUsers(q, pages), [q, pages]);
  useEffect(() => {
    // Nothing was typed: what more was asked for meanwhile stays.
    if (typed.trim() === q) return;
    const timer = setTimeout(() => {
      setPages(1);
      setQ(typed.trim());
    }, SEARCH_AFTER_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  const close = (hasChanged: boolean) => {
    setTask(null);
    if (hasChanged) void users.reload();
  };
  return (
    <>
      <Section
        layout="below"
        heading={t("users.list")}
        text={t("users.list-why")}
        action={
          <button type="button" class="primary" onClick={() => setTask({ kind: "new" })}>
            {t("users.new")}
          </button>
        }
      >
        <search class="search-field">
          <SearchIcon />
          <input
            type="search"
            value={typed}
            onInput={(event) => setTyped(event.currentTarget.value)}
            aria-label={t("users.search")}
            placeholder={t("users.search")}
            maxLength={64}
            autocapitalize="none"
            spellcheck={false}
          />
        </search>
        {users.problem && <Problem text={users.problem} onRetry={() => void users.reload()} />}
        {!users.data && !users.problem && <Skeleton lines={5} />}
        <p class="meta" role="status">
          {users.data?.items.length === 0 && t("users.none")}
        </p>
        <ul class="entries" aria-label={t("users.list")}>
          {users.data?.items.map((account) => (
            <UserEntry key={account.id} account={account} onTask={setTask} />
          ))}
        </ul>
        {users.data?.nextCursor && (
          <div class="actions">
            <button type="button" onClick={() => setPages(pages + 1)}>
              {t("admin.load-more")}
            </button>
          </div>
        )}
      </Section>
      <Invites />
      {task && <UserDialog task={task} onClose={close} />}
    </>
  );
}

function UserEntry({ account, onTask }: { account: Account; onTask(task: UserTask): void }) {
  const { id, username, role, disabled, twoFactor, createdAt, lastSeenAt } = account;
  const isMe = id === user.value?.id;
  const seen = isMe ? null : lastSeenAt ? t("users.seen", { when: formatAgo(lastSeenAt) }) : t("users.never-seen");
  const choices = [
    ["role", t("users.change-role")],
    ["password", t("users.reset-password")],
    ...(twoFactor ? [["two-factor", t("users.end-two-factor")] as const] : []),
    ...(isMe ? [] : [["state", t(disabled ? "users.enable" : "users.disable")] as const]),
    ...(isMe ? [] : [["delete", t("users.delete")] as const]),
  ] as const;
  return (
    <li class={`entry ${disabled ? "off" : ""}`}>
      <div class="entry-text">
        <span class="entry-name">
          <span>{username}</span>
          {isMe && <span class="badge">{t("users.you")}</span>}
          <span class={`badge ${role === "admin" ? "good" : ""}`}>{t(`users.role-${role}`)}</span>
          {twoFactor && <span class="badge">{t("users.two-factor")}</span>}
          {disabled && <span class="badge warn">{t("users.disabled")}</span>}
        </span>
        <span class="meta" title={lastSeenAt ? formatMoment(lastSeenAt) : undefined}>
          {[seen, t("users.since", { date: formatDate(createdAt) })].filter((part) => part).join(" · ")}
        </span>
      </div>
      <Menu
        id={`user-${id}`}
        class="plain"
        label={t("users.manage-who", { name: username })}
        button={t("users.manage")}
      >
        {choices.map(([kind, text]) => (
          <button
            key={kind}
            type="button"
            class={`menu-item ${kind === "delete" ? "danger" : ""}`}
            onClick={() => onTask({ kind, account })}
          >
            {text}
          </button>
        ))}
      </Menu>
    </li>
  );
}

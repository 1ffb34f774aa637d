import type { Role } from "../../auth/contract.ts";
import { type Account, account, accountPage, invite } from "../answers.ts";
import type { Api } from "../api.ts";
import type { ClientContext } from "../context.ts";
import { ClientError, EXIT, usageError } from "../errors.ts";
import { linesOfInput, newPassword, prompts } from "../prompts.ts";
import { printable } from "../terminal/printable.ts";
import { timeText } from "../title-text.ts";

const PAGE = 200;

async function allUsers(api: Api): Promise<Account[]> {
  const users: Account[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page: { items: Account[]; nextCursor: string | null } = await api.call("GET", "/api/users", accountPage, {
      query: { limit: PAGE, ...(cursor === undefined ? {} : { cursor }) },
    });
    users.push(...page.items);
    cursor = page.nextCursor;
  }
  return users;
}

/** The user with this name or id. */
async function findUser(api: Api, wanted: string): Promise<Account> {
  const name = wanted.toLowerCase();
  const found = (await allUsers(api)).find(({ id, username }) => username === name || id === name);
  if (!found)
    throw new ClientError("user-not-found", `There is no user ${wanted}.`, {
      exit: EXIT.notFound,
      hint: "kinora users list",
    });
  return found;
}

/** `kinora users list` */
export async function listUsers(context: ClientContext): Promise<void> {
  const { out } = context;
  const items = await allUsers(await context.connect());
  out.result({ items }, () =>
    out.table(
      [
        { header: "NAME", of: ({ username }) => username, least: 8 },
        { header: "ROLE", of: ({ role }) => role },
        { header: "STATE", of: ({ disabled }) => (disabled ? "disabled" : "active") },
        { header: "SINCE", of: ({ createdAt }) => timeText(createdAt), expendable: 1 },
        { header: "ID", of: ({ id }) => id },
      ],
      items,
    ),
  );
}

interface PasswordOptions {
  readonly passwordStdin?: boolean;
}

async function passwordFor(context: ClientContext, name: string, { passwordStdin }: PasswordOptions): Promise<string> {
  if (passwordStdin) return (await linesOfInput(1))[0] ?? "";
  if (!context.isInteractive)
    throw usageError("There is no terminal to ask at.", "--password-stdin takes the password from standard input.");
  return newPassword(`Password for ${printable(name)}`);
}

/** `kinora users add NAME` */
export async function addUser(
  context: ClientContext,
  username: string,
  options: PasswordOptions & { role?: Role },
): Promise<void> {
  const api = await context.connect();
  const password = await passwordFor(context, username, options);
  const body = { username, password, ...(options.role === undefined ? {} : { role: options.role }) };
  tellUser(context, await api.call("POST", "/api/users", account, { body }));
}

/** `kinora users role|disable|enable NAME` */
export async function changeUser(
  context: ClientContext,
  wanted: string,
  change: { role?: Role; disabled?: boolean },
): Promise<void> {
  const api = await context.connect();
  const { id } = await findUser(api, wanted);
  tellUser(context, await api.call("PATCH", `/api/users/${id}`, account, { body: change }));
}

/** `kinora users reset-password NAME` */
export async function resetPassword(context: ClientContext, wanted: string, options: PasswordOptions): Promise<void> {
  const api = await context.connect();
  const { id, username } = await findUser(api, wanted);
  const password = await passwordFor(context, username, options);
  tellUser(context, await api.call("PATCH", `/api/users/${id}`, account, { body: { password } }));
}

function tellUser({ out }: ClientContext, user: Account): void {
  out.result(user, () => out.line(printable(`${user.username}: ${user.role}${user.disabled ? ", disabled" : ""}`)));
}

/** `kinora users delete NAME`: asks first at a terminal. */
export async function deleteUser(
  context: ClientContext,
  wanted: string,
  options: { yes?: boolean; videosTo?: string },
): Promise<void> {
  const { out } = context;
  const api = await context.connect();
  const { id, username } = await findUser(api, wanted);
  const heir = options.videosTo === undefined ? null : await findUser(api, options.videosTo);
  const fate = heir ? `their videos go to ${printable(heir.username)}` : "their videos are deleted as well";
  if (!options.yes) {
    if (!context.isInteractive)
      throw usageError("There is no terminal to ask at whether to delete.", "--yes deletes without asking.");
    if (!(await prompts.confirm(`Delete the user ${username}? Of the account nothing stays; ${fate}.`)))
      throw new ClientError("declined", "Nobody was deleted.");
  }
  await api.tell("DELETE", `/api/users/${id}`, { query: { videosTo: heir?.id } });
  const result = { id, username, deleted: true, videosTo: heir?.username ?? null };
  out.result(result, () => out.line(`Deleted ${printable(username)}: ${fate}.`));
}

/** `kinora users invite` */
export async function inviteUser(context: ClientContext, options: { role?: Role; expires?: number }): Promise<void> {
  const { out } = context;
  const { role, expires } = options;
  const api = await context.connect();
  const made = await api.call("POST", "/api/invites", invite, {
    body: { ...(role === undefined ? {} : { role }), ...(expires === undefined ? {} : { expiresIn: expires }) },
  });
  out.result(made, () => {
    out.pairs([
      ["Code", made.code],
      ["Role", made.role],
      ["Until", timeText(made.expiresAt)],
    ]);
    out.note(
      `It lets one person in, once: kinora login NAME --create --invite ${printable(made.code)} --server ${api.origin}`,
    );
  });
}

import { Api } from "../api.ts";
import type { ClientContext } from "../context.ts";
import { ClientError, EXIT, usageError } from "../errors.ts";
import { linesOfInput, newPassword, prompts } from "../prompts.ts";
import { isReadableOnTheWay, serverOrigin } from "../server-address.ts";
import { printable } from "../terminal/printable.ts";

export interface LoginOptions {
  readonly server?: string;
  readonly passwordStdin?: boolean;
  readonly create?: boolean;
  readonly invite?: string;
  readonly setupCode?: string;
  readonly twoFactorCode?: string;
}

/** `kinora login [name]`: signs in and keeps the session. */
export async function login(
  context: ClientContext,
  username: string | undefined,
  options: LoginOptions,
): Promise<void> {
  const { out } = context;
  if (!context.isInteractive && (username === undefined || !options.passwordStdin))
    throw usageError(
      "Without a terminal to ask at, name and password must be given.",
      "kinora login NAME --password-stdin",
    );
  const asked = options.server === undefined && context.isInteractive && !options.passwordStdin;
  const origin = asked ? serverOrigin(await prompts.text("Server", { default: context.origin })) : context.origin;
  const name = username ?? (await prompts.text("Name", { required: true }));
  const user = await enter(context, origin, name, options);
  out.result({ server: origin, user }, () =>
    out.line(`Signed in to ${origin} as ${printable(user.username)} (${user.role}).`),
  );
}

/** Signs in and saves the session; asks for what is missing when there is somebody to ask. */
export async function enter(context: ClientContext, origin: string, username: string, options: LoginOptions) {
  if (isReadableOnTheWay(origin))
    context.out.note(`${origin} is not encrypted: whoever is on the way there can read the password.`);
  const password = options.passwordStdin ? ((await linesOfInput(1))[0] ?? "") : await prompts.password("Password");
  const before = context.servers.get(origin);
  const api = new Api(origin, null);
  const user = await signIn(context, api, { ...options, username, password });
  try {
    const session = api.session ?? "";
    context.servers.put(
      origin,
      { userId: user.id, username: user.username, session, usedAt: new Date().toISOString() },
      true,
    );
  } catch (error) {
    await api.signOut().catch(() => undefined);
    throw error;
  }
  // The session from before would be left behind with nobody to end it.
  if (before) await new Api(origin, before.session).signOut().catch(() => undefined);
  return user;
}

type Credentials = LoginOptions & { readonly username: string; readonly password: string };

async function signIn(context: ClientContext, api: Api, given: Credentials): ReturnType<Api["signIn"]> {
  const { username, password, create = false, invite, setupCode, twoFactorCode } = given;
  try {
    return await api.signIn({ username, password, create, invite, setupCode, twoFactorCode });
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    const mayAsk = context.isInteractive && !given.passwordStdin;
    if (error.code === "unknown-user") {
      if (!mayAsk) throw unknownUser(api.origin, username, error);
      if (!(await prompts.confirm(`There is no account ${username} at ${api.origin}. Create it?`)))
        throw unknownUser(api.origin, username, error);
      if ((await prompts.password("The password again")) !== password) throw usageError("These were not the same.");
      return signIn(context, api, { ...given, create: true });
    }
    if (error.code === "setup-code-required" && mayAsk && setupCode === undefined) {
      context.out.note(error.message);
      return signIn(context, api, { ...given, setupCode: await prompts.text("Code", { required: true }) });
    }
    if (error.code === "two-factor-required" && mayAsk && given.twoFactorCode === undefined) {
      context.out.note("The account has a second factor.");
      const asked = await prompts.text("Code of the app, or a backup code", { required: true });
      return signIn(context, api, { ...given, twoFactorCode: asked });
    }
    if (error.code === "unauthorized") throw wrongPassword(error);
    throw error;
  }
}

const unknownUser = (origin: string, username: string, cause: ClientError) =>
  new ClientError("unknown-user", `There is no account ${username} at ${origin}.`, {
    exit: EXIT.notFound,
    status: 404,
    hint: "--create makes it.",
    cause,
  });

const wrongPassword = (cause: ClientError) =>
  new ClientError(cause.code, cause.message, { exit: EXIT.notSignedIn, status: 401, cause });

/** `kinora logout`: ends the session on the server and forgets it here. */
export async function logout(context: ClientContext, options: { local?: boolean }): Promise<void> {
  const { out, servers, origin } = context;
  const saved = servers.get(origin);
  if (saved && !options.local) {
    await new Api(origin, saved.session).signOut().catch((error: unknown) => {
      // It has ended already: what was wanted.
      if (error instanceof ClientError && error.exit === EXIT.notSignedIn) return;
      if (!(error instanceof ClientError)) throw error;
      const hint =
        "You are still signed in. kinora logout --local forgets the sign-in here; on the server it lasts 31 days.";
      throw new ClientError(error.code, error.message, { exit: error.exit, hint, cause: error });
    });
  }
  if (saved) servers.remove(origin);
  out.result({ server: origin, signedOut: saved !== null }, () =>
    out.line(saved ? `Signed out of ${origin}.` : `You were not signed in to ${origin}.`),
  );
}

/** `kinora passwd`: changes one's own password. All other sessions, tokens and API keys of the account end. */
export async function changePassword(context: ClientContext, options: { passwordStdin?: boolean }): Promise<void> {
  const api = await context.connect();
  if (!context.isInteractive && !options.passwordStdin)
    throw usageError(
      "There is no terminal to ask at.",
      "--password-stdin takes the present password and the new one, a line each.",
    );
  const [current = "", next = ""] = options.passwordStdin
    ? await linesOfInput(2)
    : [await prompts.password("Present password"), await newPassword("New password")];
  await api.changePassword(current, next);
  context.out.result({ server: api.origin, changed: true }, () =>
    context.out.line("Changed. All other sessions, tokens and API keys of the account have ended."),
  );
}

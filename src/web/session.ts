import { signal } from "@preact/signals";
import type { User } from "../auth/contract.ts";
import type { Title, TitlePage } from "../catalog/contract.ts";
import { ApiError, call, onSignedOut } from "./api.ts";
import { t } from "./i18n/i18n.ts";
import { dismissAll } from "./notices.tsx";
import { here, navigate } from "./router.ts";

/** Who is signed in; null for nobody, undefined until the server has said. */
export const user = signal<User | null | undefined>(undefined);

interface SessionAnswer {
  readonly user: User;
}

/** While the server has no account at all: whether the first one takes the code it printed at its start. Null otherwise. */
export const firstAccount = signal<{ readonly takesSetupCode: boolean } | null>(null);

/** Whether whoever was signed in is not any more, and it was not done on this page. */
export const sessionEnded = signal(false);

/** Whether this page is signing out right now: nothing is to be asked of the server that it would refuse. */
export const signingOut = signal(false);

/** Asks the server who is signed in. */
export async function loadSession(): Promise<void> {
  try {
    user.value = (await call<SessionAnswer>("GET", "/api/session", undefined, { anonymous: true })).user;
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 401)) throw error;
    const { first, takesSetupCode } = error.members;
    firstAccount.value = first === true ? { takesSetupCode: takesSetupCode === true } : null;
    if (user.peek() && !signingOut.peek()) sessionEnded.value = true;
    user.value = null;
  }
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
  /** False: an unknown name is refused with `unknown-user` instead of becoming an account. */
  readonly create: boolean;
  /** The code of an invitation. */
  readonly invite?: string;
  /** The code that the server printed at its start, for the first account. */
  readonly setupCode?: string;
  /** Of the second factor: a code of the app, or a backup code. */
  readonly twoFactorCode?: string;
}

/** Signs in, or creates the account. */
export async function signIn(credentials: Credentials): Promise<void> {
  user.value = (await call<SessionAnswer>("POST", "/api/session", credentials, { anonymous: true })).user;
  firstAccount.value = null;
  sessionEnded.value = false;
}

/** Changes the password; every other session, token and API key of the account ends. */
export async function changePassword(current: string, next: string): Promise<void> {
  try {
    await call("PUT", "/api/session/password", { current, next }, { anonymous: true });
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 401)) throw error;
    // The same answer means a wrong password and a session that is over: asking who I am tells which.
    await call("GET", "/api/session");
    throw new ApiError(401, "wrong-password", t("error.wrong-password"));
  }
}

export async function signOut(): Promise<void> {
  signingOut.value = true;
  try {
    await call("DELETE", "/api/session", undefined, { anonymous: true });
    user.value = null;
  } finally {
    signingOut.value = false;
  }
  // What was still asked for meanwhile has been refused.
  sessionEnded.value = false;
  dismissAll();
  navigate("/sign-in");
}

/** Where a person starts: their videos, or the library where they have none, or uploading where there is nothing yet. */
export async function startPage(): Promise<string> {
  if (!mayUpload(user.peek())) return "/library";
  const mine = await call<TitlePage>("GET", "/api/titles?owner=me&limit=1");
  if (mine.items.length > 0) return "/videos";
  const all = await call<TitlePage>("GET", "/api/titles?limit=1");
  return all.items.length > 0 ? "/library" : "/upload";
}

export function mayUpload(who: User | null | undefined): boolean {
  return who?.role === "admin" || who?.role === "editor";
}

/** Whether the server would let this person change the title. */
export function mayEditTitle(who: User | null | undefined, title: Pick<Title, "owner">): boolean {
  if (!who || who.role === "viewer") return false;
  return who.role === "admin" || title.owner === null || title.owner.id === who.id;
}

/** Whether the server would let this person make the title private: only admins would see one of the library then. */
export function mayHideTitle(who: User | null | undefined, title: Pick<Title, "owner">): boolean {
  return who?.role === "admin" || title.owner !== null;
}

/** Where what one has deleted is listed. */
export const deletedAddress = "/account?show=deleted";

/** The sign-in page that leads back to where we are. */
export function signInAddress(): string {
  const { path, query } = here.peek();
  const search = query.toString();
  const next =
    path === "/" || path === "/sign-in" ? "" : `?next=${encodeURIComponent(search ? `${path}?${search}` : path)}`;
  return `/sign-in${next}`;
}

onSignedOut(() => {
  if (user.peek()) sessionEnded.value = true;
  if (here.peek().path !== "/sign-in") navigate(signInAddress(), { replace: true });
  user.value = null;
});

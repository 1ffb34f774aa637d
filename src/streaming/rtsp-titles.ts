import type { Principal } from "../auth/contract.ts";
import { TemporaryUnavailableError, UnauthorizedError } from "../errors.ts";
import type { Authenticator } from "../identity/authenticator.ts";
import type { RtspCredential } from "../rtsp/authorization-header.ts";
import type {
  ControlledSession,
  MovedTitle,
  OpenTitle,
  RtspTitles,
  RtspViewer,
  SessionRegistration,
} from "../rtsp/titles.ts";
import type { StopReason } from "./contract.ts";
import type { Elsewhere } from "./elsewhere.ts";
import type { LiveStreams } from "./live-streams.ts";
import type { RtpOriginals, RtpTitle } from "./rtp-originals.ts";
import type { TitleGate, Viewer } from "./title-gate.ts";

/** A time-out cannot be longer. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;
/** While nobody can tell whether a changed title may still be seen, it is asked again so often, this far apart. */
const ATTEMPTS = 4;
const RETRY_MS = 200;

export interface PlayableTitlesDependencies {
  readonly originals: RtpOriginals;
  readonly gate: TitleGate;
  readonly authenticator: Pick<Authenticator, "authenticate" | "resolveGrant" | "onRevoked">;
  readonly live: LiveStreams;
  readonly elsewhere: Pick<Elsewhere, "rtspOf">;
}

/** Somebody who has a title open, and is to be told when they may no longer have it. */
interface Watch {
  readonly viewer: Viewer;
  cut(reason: StopReason): void;
}

/** Titles as the RTSP server opens them, under the rules of HTTP. */
export class PlayableTitles implements RtspTitles {
  readonly #dependencies: PlayableTitlesDependencies;
  readonly #watches = new Map<string, Set<Watch>>();

  constructor(dependencies: PlayableTitlesDependencies) {
    this.#dependencies = dependencies;
  }

  async open(titleId: string, credential: RtspCredential | null): Promise<OpenTitle | MovedTitle> {
    const viewer = await this.#viewerOf(credential);
    let title: RtpTitle;
    try {
      title = await this.#dependencies.originals.open(titleId, viewer);
    } catch (error) {
      if (!(error instanceof TemporaryUnavailableError)) throw error;
      const movedTo = await this.#movedTo(titleId, viewer);
      if (movedTo === null) throw error;
      return { movedTo };
    }
    return this.#opened(title, viewer);
  }

  /** Where else a viewer who may have the title gets it. */
  async #movedTo(titleId: string, viewer: Viewer): Promise<string | null> {
    const { gate, elsewhere } = this.#dependencies;
    const access = await gate.find(titleId, viewer);
    return access && elsewhere.rtspOf(access);
  }

  #opened(title: RtpTitle, viewer: Viewer): OpenTitle {
    return {
      titleId: title.titleId,
      name: title.name,
      durationSeconds: title.original.presentation.description.durationSeconds,
      original: title.original,
      viewer: namesOf(viewer),
      onCut: (cut) => this.#watch(title, viewer, cut),
      register: (session) => this.#register(viewer, session),
    };
  }

  /** A title was changed or deleted: whoever may not see it any more is cut. */
  async titleChanged(titleId: string): Promise<void> {
    const watches = [...(this.#watches.get(titleId) ?? [])];
    await Promise.all(
      watches.map(async (watch) => {
        if (!(await this.#maySee(titleId, watch.viewer))) watch.cut("title-unavailable");
      }),
    );
  }

  /** Whether they may; not when it cannot be told for a while. */
  async #maySee(titleId: string, viewer: Viewer): Promise<boolean> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      try {
        return (await this.#dependencies.gate.find(titleId, viewer)) !== null;
      } catch {
        await Bun.sleep(RETRY_MS);
      }
    }
    return false;
  }

  async #viewerOf(credential: RtspCredential | null): Promise<Viewer> {
    if (credential === null) return null;
    const { authenticator } = this.#dependencies;
    const viewer =
      credential.kind === "grant"
        ? await titleGrant(authenticator, credential.text)
        : await apiKeyUser(authenticator, credential.text);
    if (!viewer) throw new UnauthorizedError("This grant or API key does not count.");
    return viewer;
  }

  #watch({ titleId }: RtpTitle, viewer: Viewer, cut: (reason: string) => void): () => void {
    const ends: (() => void)[] = [];
    let isOver = false;
    const end = () => {
      isOver = true;
      for (const one of ends.splice(0)) one();
    };
    const cutOnce = (reason: StopReason) => {
      if (isOver) return;
      end();
      cut(reason);
    };
    const watch: Watch = { viewer, cut: cutOnce };
    const watches = this.#watches.get(titleId) ?? new Set();
    this.#watches.set(titleId, watches.add(watch));
    ends.push(() => {
      watches.delete(watch);
      if (watches.size === 0 && this.#watches.get(titleId) === watches) this.#watches.delete(titleId);
    });
    if (viewer) ends.push(this.#dependencies.authenticator.onRevoked(viewer, () => cutOnce("revoked")));
    if (viewer && "expiresAt" in viewer) {
      const left = Math.max(0, Date.parse(viewer.expiresAt) - Date.now());
      const timer = setTimeout(() => cutOnce("time-limit"), Math.min(left, LONGEST_TIMEOUT_MS));
      ends.push(() => clearTimeout(timer));
    }
    return end;
  }

  #register(viewer: Viewer, session: ControlledSession): SessionRegistration {
    if (!viewer || !("grantId" in viewer)) return { ended: () => undefined, release: () => undefined };
    return this.#dependencies.live.register(viewer.grantId, session);
  }
}

/** Collections are for pages and players of one's own: an RTSP URL has the grant of its one title. */
async function titleGrant(authenticator: Pick<Authenticator, "resolveGrant">, text: string) {
  const holder = await authenticator.resolveGrant(text);
  return holder?.titleId == null ? null : holder;
}

/** A token runs out after seconds and nothing in RTSP renews it: of Bearer credentials only API keys count. */
async function apiKeyUser(authenticator: Pick<Authenticator, "authenticate">, text: string): Promise<Principal | null> {
  const headers = { Authorization: `Bearer ${text}` };
  const principal = await authenticator.authenticate(new Request("http://rtsp.invalid/", { headers }));
  return principal?.credential.kind === "api-key" ? principal : null;
}

function namesOf(viewer: Viewer): RtspViewer {
  if (!viewer) return {};
  return "grantId" in viewer ? { grantId: viewer.grantId, userId: viewer.issuer.userId } : { userId: viewer.userId };
}

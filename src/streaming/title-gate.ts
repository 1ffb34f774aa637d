import type { GrantHolder, Principal } from "../auth/contract.ts";
import type { ServiceProxy } from "../bus/proxy.ts";
import { type catalogContract, maySee, type TitleAccess } from "../catalog/contract.ts";
import { UnauthorizedError, WrongMediaIdError } from "../errors.ts";

/** How long an answer of the catalog counts when no event says otherwise, in milliseconds. */
const FRESH_MS = 30_000;
const MAX_ENTRIES = 10_000;

/** Who wants to watch: somebody signed in, the holder of a grant, or nobody. */
export type Viewer = Principal | GrantHolder | null;

interface Entry {
  readonly access: TitleAccess | null;
  readonly until: number;
}

/**
 * Decides for every request whether its caller may have a title's bytes. Keeps what the catalog says of a title
 * until it changes, so that a segment costs no call.
 */
export class TitleGate {
  readonly #catalog: Pick<ServiceProxy<typeof catalogContract>, "getAccess">;
  readonly #entries = new Map<string, Entry>();
  /** Grows with each change, so that an answer that was under way when it came is not kept. */
  #changes = 0;

  constructor(catalog: Pick<ServiceProxy<typeof catalogContract>, "getAccess">) {
    this.#catalog = catalog;
  }

  /**
   * The title, when the caller may see it. `unauthorized` to nobody, `wrong-media-id` to somebody else. Whoever holds a
   * grant may see its title alone, and only while its issuer may.
   */
  async admit(titleId: string, who: Viewer): Promise<TitleAccess> {
    const access = await this.find(titleId, who);
    if (access) return access;
    if (!who) throw new UnauthorizedError();
    throw new WrongMediaIdError();
  }

  /** The same, with null for a title that is not there or not for them to see. */
  async find(titleId: string, who: Viewer): Promise<TitleAccess | null> {
    const access = isTitleId(titleId) ? await this.#accessOf(titleId) : null;
    return access && mayWatch(who, access) ? access : null;
  }

  /** A title was changed or deleted; with null, any may have been. */
  drop(titleId: string | null): void {
    this.#changes++;
    if (titleId === null) this.#entries.clear();
    else this.#entries.delete(titleId);
  }

  async #accessOf(titleId: string): Promise<TitleAccess | null> {
    const known = this.#entries.get(titleId);
    if (known && known.until > Date.now()) return known.access;
    const changes = this.#changes;
    const access = await this.#catalog.getAccess({ id: titleId });
    if (changes === this.#changes) this.#keep(titleId, access);
    return access;
  }

  #keep(titleId: string, access: TitleAccess | null): void {
    this.#entries.delete(titleId);
    this.#entries.set(titleId, { access, until: Date.now() + FRESH_MS });
    const oldest = this.#entries.keys().next().value;
    if (this.#entries.size > MAX_ENTRIES && oldest !== undefined) this.#entries.delete(oldest);
  }
}

function mayWatch(who: Viewer, access: TitleAccess): boolean {
  if (who === null || !("grantId" in who)) return maySee(who, access);
  return who.titleId === access.id && maySee(who.issuer, access);
}

const isTitleId = (text: string) => /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(text);

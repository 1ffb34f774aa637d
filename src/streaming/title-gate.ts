import type { GrantHolder, Principal } from "../auth/contract.ts";
import { STANDING_MS } from "../bus/bus.ts";
import { detached } from "../bus/call-in-hand.ts";
import type { ServiceProxy } from "../bus/proxy.ts";
import {
  type CollectionAccess,
  type catalogContract,
  mayPassOn,
  maySee,
  type TitleAccess,
} from "../catalog/contract.ts";
import { UnauthorizedError, WrongMediaIdError } from "../errors.ts";

/** How long an answer of the catalog counts when no event says otherwise and it can be asked again, in milliseconds. */
const FRESH_MS = 30_000;
const MAX_ENTRIES = 10_000;
/** Collections of which it is kept what is in them: each may have a thousand titles. */
const MAX_COLLECTIONS = 500;

/** Who wants to watch: somebody signed in, the holder of a grant, or nobody. */
export type Viewer = Principal | GrantHolder | null;

type Catalog = Pick<ServiceProxy<typeof catalogContract>, "getAccess" | "getCollectionAccess">;

/** What deciding about a collection's titles takes. */
interface KnownCollection extends Pick<CollectionAccess, "name" | "ownerId" | "visibility"> {
  readonly titleIds: ReadonlySet<string>;
}

/**
 * Decides for every request whether its caller may have a title's bytes. Keeps what the catalog says of a title
 * until it changes, so that a segment costs no call.
 */
export class TitleGate {
  readonly #titles: Kept<TitleAccess>;
  readonly #collections: Kept<KnownCollection>;

  /** `hears`: as `BusConnection` has it. */
  constructor(catalog: Catalog, hears: () => "all" | "nothing" | "unknown" = () => "all") {
    // The broker is looked after from the first question on.
    hears();
    this.#titles = new Kept(MAX_ENTRIES, hears, (id) => detached(() => catalog.getAccess({ id })));
    this.#collections = new Kept(MAX_COLLECTIONS, hears, async (id) => {
      const access = await detached(() => catalog.getCollectionAccess({ id }));
      return access && { ...access, titleIds: new Set(access.titleIds) };
    });
  }

  /**
   * The title, when the caller may see it. `unauthorized` to nobody, `wrong-media-id` to somebody else. Whoever holds a
   * grant may see its title alone, or those in its collection, and only while its issuer may.
   */
  async admit(titleId: string, who: Viewer): Promise<TitleAccess> {
    const access = await this.find(titleId, who);
    if (access) return access;
    if (!who) throw new UnauthorizedError();
    throw new WrongMediaIdError();
  }

  /** The same, with null for a title that is not there or not for them to see. */
  async find(titleId: string, who: Viewer): Promise<TitleAccess | null> {
    const access = isId(titleId) ? await this.#titles.get(titleId) : null;
    return access && (await this.#mayWatch(who, access)) ? access : null;
  }

  /** What deciding about a collection takes, when the caller may see it; null otherwise. */
  async findCollection(
    collectionId: string,
    who: Principal,
  ): Promise<Pick<CollectionAccess, "name" | "ownerId" | "visibility"> | null> {
    const access = isId(collectionId) ? await this.#collections.get(collectionId) : null;
    return access && maySee(who, access) ? access : null;
  }

  /** A title was changed or deleted; with null, any title or collection may have been. */
  drop(titleId: string | null): void {
    this.#titles.drop(titleId);
    if (titleId === null) this.#collections.drop(null);
  }

  /** What is in a collection, or who may see it, was changed. */
  dropCollection(collectionId: string): void {
    this.#collections.drop(collectionId);
  }

  async #mayWatch(who: Viewer, access: TitleAccess): Promise<boolean> {
    if (who === null || !("grantId" in who)) return maySee(who, access);
    // A stream is its issuer's own watching; a link shows it to others.
    const may = who.kind === "stream" ? maySee : mayPassOn;
    if (!may(who.issuer, access)) return false;
    if (who.collectionId === null) return who.titleId === access.id;
    const collection = await this.#collections.get(who.collectionId);
    return collection !== null && may(who.issuer, collection) && collection.titleIds.has(access.id);
  }
}

/** What the catalog says, kept for a while unless it is dropped; longer while there is no broker, by which it could have changed. */
class Kept<Value> {
  readonly #max: number;
  readonly #hears: () => "all" | "nothing" | "unknown";
  readonly #ask: (id: string) => Promise<Value | null>;
  readonly #entries = new Map<string, { readonly value: Value | null; readonly atMs: number }>();
  /** Grows with each change, so that an answer that was under way when it came is not kept. */
  #changes = 0;

  constructor(max: number, hears: () => "all" | "nothing" | "unknown", ask: (id: string) => Promise<Value | null>) {
    this.#max = max;
    this.#hears = hears;
    this.#ask = ask;
  }

  async get(id: string): Promise<Value | null> {
    const known = this.#entries.get(id);
    if (known && this.#counts(known.atMs)) return known.value;
    const changes = this.#changes;
    const value = await this.#ask(id);
    if (changes === this.#changes) this.#keep(id, value);
    return value;
  }

  #counts(atMs: number): boolean {
    const ageMs = Date.now() - atMs;
    return ageMs < FRESH_MS || (ageMs < STANDING_MS && this.#hears() === "nothing");
  }

  drop(id: string | null): void {
    this.#changes++;
    if (id === null) this.#entries.clear();
    else this.#entries.delete(id);
  }

  #keep(id: string, value: Value | null): void {
    this.#entries.delete(id);
    this.#entries.set(id, { value, atMs: Date.now() });
    const oldest = this.#entries.keys().next().value;
    if (this.#entries.size > this.#max && oldest !== undefined) this.#entries.delete(oldest);
  }
}

const isId = (text: string) => /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(text);

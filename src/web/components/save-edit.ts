import { ApiError, call } from "../api.ts";

/** What may be edited of videos and collections. */
interface Editable {
  readonly name: string;
  readonly description: string;
  readonly visibility: string;
}
export type EditedField = keyof Editable;

const fields = ["name", "description", "visibility"] as const satisfies readonly EditedField[];
/** How often it is tried again when something is changed between reading and saving that nobody edits here. */
const TRIES = 3;

/** Somebody else has changed, since it was read, what was edited here; nothing is saved. */
export class EditConflict<Thing extends Editable = Editable> extends Error {
  /** As it is now. */
  readonly theirs: Thing;
  /** What both have changed, each to something else. */
  readonly fields: readonly EditedField[];
  /** Texts that the form's fields get, by name: what only the other has changed. */
  readonly taken: Readonly<Record<string, string>>;

  constructor(theirs: Thing, clashing: readonly EditedField[], taken: Readonly<Record<string, string>>) {
    super("changed meanwhile");
    this.theirs = theirs;
    this.fields = clashing;
    this.taken = taken;
  }
}

/**
 * Saves what differs between `mine` and `base`, which is what was there when editing began; what is there afterwards. What somebody else
 * has changed meanwhile stays, and where both have changed the same it rejects with `EditConflict`. `more` says
 * what else is to be changed of what is there: all of it is saved, or nothing.
 */
export async function saveEdit<Thing extends Editable>(
  path: string,
  base: Thing,
  mine: Partial<Editable>,
  more: (now: Thing) => Readonly<Record<string, unknown>> = () => ({}),
): Promise<Thing> {
  const edited = fields.filter((field) => mine[field] !== undefined && mine[field] !== base[field]);
  for (let tries = 1; ; tries++) {
    let tag = "";
    const now = await call<Thing>("GET", path, undefined, {
      onTag: (current) => {
        tag = current;
      },
    });
    const clashing = edited.filter((field) => now[field] !== base[field] && now[field] !== mine[field]);
    const untouched = fields.filter((field) => mine[field] !== undefined && !edited.includes(field));
    if (clashing.length > 0)
      throw new EditConflict(now, clashing, Object.fromEntries(untouched.map((field) => [field, now[field]])));
    const texts = edited.filter((field) => now[field] !== mine[field]).map((field) => [field, mine[field]]);
    const changes = { ...Object.fromEntries(texts), ...more(now) };
    if (Object.keys(changes).length === 0) return now;
    try {
      return await call<Thing>("PATCH", path, changes, { headers: { "If-Match": tag } });
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 412) || tries === TRIES) throw error;
    }
  }
}

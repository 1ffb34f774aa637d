/** What a user name is made of, as `auth` has it. */
export const NAME_RULES = "Letters, digits, dot, dash and underscore";

interface NameAdvice {
  readonly text: string;
  /** Whether the server would refuse the name. */
  readonly refused: boolean;
}

/** What to say of a name while it is typed; null when there is nothing to say. */
export function adviseName(name: string): NameAdvice | null {
  if (name === "") return null;
  if (/\s/.test(name)) {
    const joined = name.toLowerCase().replace(/\s+/g, ".");
    return { text: `A name has no spaces. Try “${joined}”.`, refused: true };
  }
  const wrong = /[^A-Za-z0-9._-]/u.exec(name)?.[0];
  if (wrong)
    return {
      text: `“${wrong}” cannot be in a name: only letters a to z, digits, dot, dash and underscore.`,
      refused: true,
    };
  if (name.length < 2) return { text: "A name has 2 characters or more.", refused: true };
  const small = name.toLowerCase();
  return small === name ? null : { text: `Capital letters become small: “${small}”.`, refused: false };
}

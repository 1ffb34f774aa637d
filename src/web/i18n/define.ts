/** A text, or its forms by the plural category of `count` (Unicode CLDR: one, few, many, other …). */
export type Message = string | ({ readonly other: string } & Partial<Readonly<Record<Intl.LDMLPluralRule, string>>>);

export type MessageTable = Readonly<Record<string, Message>>;

/** The English texts of the areas loaded so far. */
export const english: Record<string, Message> = {};

/** Makes an area's English texts known. A page imports the area it shows, so that no page loads another one's. */
export function define<const Area extends MessageTable>(area: Area): Area {
  Object.assign(english, area);
  return area;
}

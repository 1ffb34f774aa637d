import { z } from "@hono/zod-openapi";
import { tags, titleQuery } from "./contract.ts";

const { shape } = titleQuery;

/** A query parameter that may come several times. */
export const repeated = <Item extends z.ZodType>(items: z.ZodArray<Item>) =>
  z.preprocess((value) => (typeof value === "string" ? [value] : value), items);

const texts = { type: "array" as const, items: { type: "string" as const } };

/** A number in a query. */
const number = <Schema extends z.ZodType<number, number>>(schema: Schema, description: string, integer = false) =>
  z
    .string()
    .regex(integer ? /^\d{1,9}$/ : /^\d{1,10}(\.\d{1,9})?$/, integer ? "expected a whole number" : "expected a number")
    .transform(Number)
    .pipe(schema)
    .optional()
    .openapi({ type: integer ? "integer" : "number", minimum: 0, description });

/** How many of a list to give at most. */
export const limitOf = (maximum: number, normal: number) =>
  z
    .string()
    .regex(/^\d{1,4}$/, "expected a whole number")
    .transform(Number)
    .pipe(z.number().int().min(1).max(maximum))
    .optional()
    .openapi({ type: "integer", minimum: 1, maximum, default: normal });

/** `limit` of most lists. */
export const limit = limitOf(200, 50);

const isTrue = z
  .literal("true")
  .optional()
  .transform((value) => value && (true as const));

/** What narrows a search. */
const filters = {
  q: shape.q.describe("Words by their beginning, in name, tags and description."),
  name: shape.name.describe("A part of the name; the whole of it with `exact=true`."),
  exact: z.enum(["true", "false"]).optional(),
  tag: repeated(shape.tags.unwrap()).optional().openapi(texts),
  match: shape.match,
  owner: shape.owner.describe("`me`, or a user's id."),
  visibility: shape.visibility,
  availability: shape.availability,
  minDuration: number(shape.minDuration.unwrap(), "Seconds, included."),
  maxDuration: number(shape.maxDuration.unwrap(), "Seconds, included."),
  minHeight: number(shape.minHeight.unwrap(), "Lines of the picture, included.", true),
  maxHeight: number(shape.maxHeight.unwrap(), "Lines of the picture, included.", true),
  codec: repeated(shape.codecs.unwrap())
    .optional()
    .openapi({ ...texts, description: "Any of these families of video codecs." }),
  favourite: isTrue,
  watched: z
    .enum(["true", "false"])
    .optional()
    .transform((value) => value && value === "true"),
  inProgress: isTrue,
  collection: shape.collection,
  folder: shape.folder.describe("Only titles that lie in this folder (`GET /api/folders`)."),
  below: z.enum(["true", "false"]).optional().openapi({ description: "Also in the folders below it." }),
};

interface Narrowed {
  readonly tag?: string[] | undefined;
  readonly codec?: string[] | undefined;
  readonly exact?: "true" | "false" | undefined;
  readonly below?: "true" | "false" | undefined;
}

const toQuery = <Query extends Narrowed>({ tag, codec, exact, below, ...query }: Query) =>
  titleQuery.parse({
    ...query,
    tags: tag ?? [],
    codecs: codec ?? [],
    exact: exact === "true",
    below: below === "true",
  });

/** What counts titles by tag, codec and height. */
export const facetsQuery = z.strictObject(filters).transform(toQuery);

const findShape = z.strictObject({
  ...filters,
  sort: shape.sort
    .unwrap()
    .optional()
    .describe("`newest`, but `position` in a collection. `last-watched`: what you never watched comes after."),
  limit,
  cursor: shape.cursor,
  grant: z.string().optional().openapi({
    description: "The grant of a collection's link: only with `collection`, `sort`, `limit` and `cursor` beside it.",
  }),
});

/** What finds titles. */
export const findQuery = findShape
  .refine(({ sort, collection }) => sort !== "position" || collection !== undefined, {
    path: ["sort"],
    message: "expected a collection beside sort=position",
  })
  .transform(({ grant: _, sort, ...query }) =>
    toQuery({ ...query, sort: sort ?? (query.collection === undefined ? "newest" : "position") }),
  );

export const tagsQuery = z.strictObject({ tag: repeated(tags.min(1)).openapi(texts) });

import { z } from "zod";
import { role, user } from "../auth/contract.ts";
import { streamSummary } from "../streaming/contract.ts";

const { id } = user.shape;
const timestamp = z.iso.datetime();

/** Answers of the HTTP interface that no contract describes; the others are taken from the contracts. */
export const session = z.object({ user });
export type Session = z.infer<typeof session>;

export const account = z.object({ ...user.shape, disabled: z.boolean(), createdAt: timestamp });
export type Account = z.infer<typeof account>;
export const accountPage = z.object({ items: z.array(account), nextCursor: z.string().nullable() });

export const invite = z.object({ id, code: z.string(), role, expiresAt: timestamp });

/** A playback link as it is made: its URLs hold the grant. */
export const link = z.object({
  id,
  url: z.string(),
  pageUrl: z.string(),
  hlsUrl: z.string(),
  dashUrl: z.string(),
  rtspUrl: z.string(),
  expiresAt: timestamp,
});
export type Link = z.infer<typeof link>;

/** A link as lists show it: without its grant. */
const listedLink = z.object({
  id,
  titleId: id.nullable(),
  titleName: z.string().nullable(),
  collectionId: id.nullable(),
  collectionName: z.string().nullable(),
  user: user.pick({ id: true, username: true }),
  createdAt: timestamp,
  expiresAt: timestamp,
});
export type ListedLink = z.infer<typeof listedLink>;
export const linkPage = z.object({ items: z.array(listedLink), nextCursor: z.string().nullable() });

export const streamList = z.object({ items: z.array(streamSummary) });

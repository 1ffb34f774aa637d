import type { Handlers } from "../../bus/proxy.ts";
import type { streamingContract } from "../contract.ts";
import type { StreamControllers } from "./stream-controllers.ts";

/** The operations that other instances ask about the controllers held here. */
export type StreamOperations = Pick<
  Handlers<typeof streamingContract>,
  "listStreams" | "refreshStream" | "controlStream"
>;

/** Answers them. */
export function operationsOf(controllers: StreamControllers): StreamOperations {
  return {
    listStreams: async ({ userId, id }) => ({
      items: controllers.list(userId).filter((stream) => id === undefined || stream.id === id),
    }),
    refreshStream: ({ id, who, expiresAt }) => controllers.refresh(id, who, Date.parse(expiresAt)),
    controlStream: async ({ id, who, action }) => controllers[action](id, who),
  };
}

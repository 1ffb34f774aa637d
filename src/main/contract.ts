import { z } from "zod";
import { defineService, defineTopic, serviceNames } from "../bus/contract.ts";
import { id, none, timestamp } from "../bus/schemas.ts";

export const serviceInstance = z.object({
  service: z.enum(serviceNames),
  instance: z.string(),
  /** Base URLs of its HTTP listener. */
  addresses: z.array(z.string()),
  since: timestamp,
  /** `host:port` of its RTSP server, as players reach it; absent where there is none. */
  rtsp: z.string().optional(),
  /** Base URL at which players reach its videos without main; absent where they do not. */
  direct: z.string().optional(),
  /** The store of uploads that it reaches; absent where it reaches none. */
  store: z.string().optional(),
  version: z.string().optional(),
  /** What its process takes, with the other services in it. */
  load: z
    .object({
      /** Of one core, since the heartbeat before: 0.5 is half of one, 2 are two. */
      cpu: z.number().nonnegative(),
      memoryBytes: z.number().int().nonnegative(),
    })
    .optional(),
  /** The name of its data folder, by which uploads know the instance that receives them. */
  writer: z.string().optional(),
});
export type ServiceInstance = z.infer<typeof serviceInstance>;

/** A heartbeat every 2 s, a goodbye on stop. An instance is gone after 3 missed heartbeats or a refused call. */
export const ServiceAvailability = defineTopic(
  "ServiceAvailability",
  z.discriminatedUnion("type", [
    z.object({ type: z.literal("available"), ...serviceInstance.shape }),
    z.object({ type: z.literal("goodbye"), service: z.enum(serviceNames), instance: z.string() }),
  ]),
);

export type Availability = z.infer<(typeof ServiceAvailability)["payload"]>;

/** How far some work is. Goes to the user it belongs to and to admins; to all signed-in users when `userId` is null, unless it is for admins alone. */
const progressEvent = z.object({
  /** `stream`: one under control has begun, changed or ended; only its owner and admins hear of it. */
  kind: z.enum(["scan", "upload", "job", "stream"]),
  id: z.string(),
  userId: id.nullable(),
  /** What it is about is nobody's and seen by admins alone, such as a library folder that is theirs. */
  adminsOnly: z.boolean().default(false),
  state: z.enum(["running", "done", "failed"]),
  /** What it works on, for people: a file's or folder's name. */
  label: z.string(),
  /** Units done and in all (bytes, or files in a scan); `total` is null while it is unknown. */
  done: z.number(),
  total: z.number().nullable(),
  titleId: id.nullable().default(null),
  error: z.object({ code: z.string(), detail: z.string() }).nullable().default(null),
});
export type ProgressEvent = z.infer<typeof progressEvent>;
export const Progress = defineTopic("Progress", progressEvent);

export const mainContract = defineService({
  name: "main",
  operations: {
    /** An active instance of a service, another one each time in turn; `temporary-unavailable` when there is none. */
    locate: { input: z.object({ service: z.enum(serviceNames) }), output: serviceInstance, repeatable: true },
    /** The key with which this instance proves that it sent a request on to the calling service. Asked of an instance by name. */
    getForwardKey: { input: none, output: z.object({ key: z.string() }), repeatable: true },
    listServices: { input: none, output: z.object({ items: z.array(serviceInstance) }), repeatable: true },
  },
  publishes: ["ServiceAvailability"],
  subscribes: ["ServiceAvailability", "Progress", "AuthenticationStatus"],
  calls: ["main", "auth", "catalog", "upload", "streaming"],
  routes: [{ path: "/" }],
});

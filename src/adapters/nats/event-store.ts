import {
  AckPolicy,
  DeliverPolicy,
  DiscardPolicy,
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from "@nats-io/jetstream";
import { nanos } from "@nats-io/nats-core";
import type { ServiceName } from "../../bus/contract.ts";
import { StartError } from "../../errors.ts";
import type { NatsLink } from "./nats-link.ts";
import { consumerOf, STORE_KEEPER, STREAM, subjects } from "./nats-subjects.ts";

/** How long events wait for a service that does not run, and how many bytes of them: the oldest go. */
const KEPT_MS = 7 * 24 * 3_600_000;
const KEPT_BYTES = 256 << 20;
/** An instance that took an event and has not said a word since is taken for dead after this. */
export const ACK_WAIT_MS = 10_000;
/** The broker's store may take a moment after the broker itself. */
const OPEN_WITHIN_MS = 10_000;
const RETRY_MS = 200;

/** The broker's store of events that must not be lost (JetStream). */
export class EventStore {
  readonly client: JetStreamClient;
  readonly #manager: JetStreamManager;
  readonly #topics: readonly string[];
  readonly #isKeeper: boolean;

  private constructor(
    client: JetStreamClient,
    manager: JetStreamManager,
    topics: readonly string[],
    isKeeper: boolean,
  ) {
    this.client = client;
    this.#manager = manager;
    this.#topics = topics;
    this.#isKeeper = isKeeper;
  }

  /**
   * Makes the store when it is not there; auth also changes one that keeps something else, or keeps it otherwise.
   * `StartError` when the broker can have none.
   */
  static async open(link: NatsLink, topics: ReadonlySet<string>, service: ServiceName): Promise<EventStore> {
    const manager = await jetstreamManager(link.connection, { checkAPI: false });
    const store = new EventStore(jetstream(link.connection), manager, [...topics].sort(), service === STORE_KEEPER);
    for (const until = performance.now() + OPEN_WITHIN_MS; ; await Bun.sleep(RETRY_MS)) {
      try {
        await store.ensure();
        return store;
      } catch (cause) {
        if (performance.now() < until && link.connection.info?.jetstream) continue;
        const hint = "Start it with `kinora broker`, or with JetStream: `nats-server -js`, or a `jetstream` block.";
        throw new StartError(`The broker keeps no events: ${cause}`, hint, { cause });
      }
    }
  }

  /** The store is there, whatever has become of the broker's disk. */
  async ensure(): Promise<void> {
    const wanted = this.#topics.map((topic) => subjects.events(topic));
    const config = {
      name: STREAM,
      subjects: wanted,
      storage: StorageType.File,
      retention: RetentionPolicy.Limits,
      discard: DiscardPolicy.Old,
      max_age: nanos(KEPT_MS),
      max_bytes: KEPT_BYTES,
    };
    const known = await this.#manager.streams.info(STREAM).catch(() => null);
    if (known === null) await this.#manager.streams.add(config);
    else if (this.#isKeeper && !isAsWanted(known.config, config)) await this.#manager.streams.update(STREAM, config);
  }

  /** A service's place in a topic, made when it is not there. */
  async consumer(service: ServiceName, topic: string) {
    await this.ensure();
    const name = consumerOf(service, topic);
    await this.#manager.consumers.add(STREAM, {
      name,
      durable_name: name,
      filter_subject: subjects.events(topic),
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.All,
      ack_wait: nanos(ACK_WAIT_MS),
      // One at a time, so that they come in order whoever handles them.
      max_ack_pending: 1,
    });
    return this.client.consumers.get(STREAM, name);
  }
}

/** Whether a store keeps what is wanted, in the way that is wanted. */
function isAsWanted(known: Partial<StreamConfig>, wanted: Partial<StreamConfig>): boolean {
  const sorted = (config: Partial<StreamConfig>) => ({ ...config, subjects: [...(config.subjects ?? [])].sort() });
  return Bun.deepEquals({ ...sorted(known), ...sorted(wanted) }, sorted(known));
}

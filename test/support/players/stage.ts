import { type FixtureName, fixture } from "../fixtures.ts";
import { startTestKinora, type TestKinora, TestUser } from "../kinora.ts";
import { explainedBy } from "./cases.ts";
import { factsOf } from "./original-facts.ts";
import { type OriginalFacts, type Protocol, randomSeeks, type Task } from "./player.ts";

/** Codecs whose silence is known. */
const silentCodecs = /mp4a\.40\.2|opus/i;
const paths = { hls: "hls/master.m3u8", dash: "dash/manifest.mpd" } as const;

/** A Kinora with videos that anybody may watch. */
export class Stage {
  readonly kinora: TestKinora;
  readonly owner: TestUser;
  readonly #titles = new Map<FixtureName, Promise<string>>();
  readonly #facts = new Map<FixtureName, ReturnType<typeof factsOf>>();

  private constructor(kinora: TestKinora, owner: TestUser) {
    this.kinora = kinora;
    this.owner = owner;
  }

  static async open(): Promise<Stage> {
    const kinora = await startTestKinora();
    return new Stage(kinora, await TestUser.signIn(kinora, "ada"));
  }

  /** The id of the public title made of a fixture, uploaded the first time. */
  title(name: FixtureName): Promise<string> {
    return remembered(this.#titles, name, async () => {
      const { id } = await this.owner.upload(await fixture(name));
      await this.owner.send("PATCH", `/api/titles/${id}`, { visibility: "public" });
      return id;
    });
  }

  async url(name: FixtureName, protocol: Protocol, origin = this.kinora.url): Promise<string> {
    return `${origin}/stream/${await this.title(name)}/${paths[protocol]}`;
  }

  /** What a player is to do with a fixture; `origin` where it is not to ask Kinora itself. */
  async task(name: FixtureName, protocol: Protocol, seeks = 2, origin = this.kinora.url): Promise<Task> {
    const original = await remembered(this.#facts, name, () => this.#factsOf(name));
    const url = await this.url(name, protocol, origin);
    return {
      url,
      protocol,
      original,
      seeks: randomSeeks(`${name} ${protocol}`, original, seeks),
      explained: explainedBy(name),
    };
  }

  /** Of what is packaged: some sound that no segment carries is left out, and what starts late is filled up. */
  async #factsOf(name: FixtureName): Promise<OriginalFacts> {
    const facts = await factsOf(await fixture(name));
    const playlist = await (await fetch(await this.url(name, "hls"))).text();
    if (!playlist.includes("TYPE=AUDIO")) return { ...facts, soundAfterPictureSeconds: null };
    const after = facts.soundAfterPictureSeconds ?? 0;
    if (after < 0) {
      // The first picture is shown from the start on.
      return { ...facts, soundAfterPictureSeconds: 0, longestStepSeconds: facts.longestStepSeconds - after };
    }
    const isFilled = after > 0 && silentCodecs.test(playlist);
    return isFilled ? { ...facts, soundAfterPictureSeconds: 0 } : facts;
  }

  close(): Promise<void> {
    return this.kinora.close();
  }
}

function remembered<K, V>(kept: Map<K, V>, key: K, make: () => V): V {
  const known = kept.get(key);
  if (known !== undefined) return known;
  const made = make();
  kept.set(key, made);
  return made;
}

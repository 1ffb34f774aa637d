import { expect, test } from "bun:test";
import { refusedNames } from "../../test/support/fixture-refused.ts";
import { fixture } from "../../test/support/fixtures.ts";
import { fileSource } from "../../test/support/packets.ts";
import { MediaError } from "./errors.ts";
import { openMedia } from "./open.ts";

test("what is none of the containers read is refused by its name", async () => {
  const names = Object.entries(refusedNames).filter(([, title]) => !/without|encrypted/.test(title));
  for (const [name, title] of names) {
    const source = await fileSource(await fixture(name as keyof typeof refusedNames));
    const error = await openMedia(source).then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(MediaError);
    expect(error).toMatchObject({ code: "not-a-video", offset: 0, got: title });
  }
});

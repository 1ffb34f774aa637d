import { expect, test } from "bun:test";
import { isMeantFor, subjects } from "./nats-subjects.ts";

test("a message counts for a subscription only under a subject that it asks for", () => {
  const event = subjects.event("MediaAnnouncements", "streaming", "k");
  expect(isMeantFor(subjects.events("MediaAnnouncements"), event)).toBe(true);
  expect(isMeantFor(subjects.events("MediaAnnouncements", "streaming"), event)).toBe(true);
  expect(isMeantFor(subjects.events("MediaAnnouncements", "catalog"), event)).toBe(false);
  expect(isMeantFor(subjects.events("TitleChanges"), event)).toBe(false);
  expect(isMeantFor(subjects.live("auth"), event)).toBe(false);
  expect(isMeantFor(subjects.live("auth"), subjects.live("auth"))).toBe(true);
  expect(isMeantFor(subjects.call("auth", "*", "one"), subjects.call("auth", "main", "one"))).toBe(true);
  expect(isMeantFor(subjects.call("auth", "*", "one"), subjects.call("auth", "main", "two"))).toBe(false);
  expect(isMeantFor(subjects.call("auth", "*", "one"), `${subjects.call("auth", "main", "one")}.more`)).toBe(false);
});

import { expect, test } from "bun:test";
import { CommandLine } from "../../test/support/client.ts";
import { behindCommand } from "./leading-options.ts";

test.each([
  ["--server u search sea", "search sea --server u"],
  ["--json --server=u users list", "users list --json --server=u"],
  ["--server u tag Film -- -x", "tag Film --server u -- -x"],
  ["search --server u", "search --server u"],
  ["--server u", "--server u"],
  ["--server", "--server"],
  ["--json --help", "--json --help"],
  ["--help --server u", "--help --server u"],
  ["", ""],
])("kinora %s means kinora %s", (given, meant) => {
  const words = (text: string) => text.split(" ").filter((word) => word !== "");
  expect(behindCommand(words(given))).toEqual(words(meant));
});

test("kinora --server URL search without a sign-in there says how to sign in there", async () => {
  using somebody = new CommandLine();
  const { code, stderr } = await somebody.run(["--server", "http://127.0.0.1:9", "search", "sea"]);
  expect([code, stderr]).toEqual([
    3,
    "kinora: You are not signed in to http://127.0.0.1:9.\nkinora login --server http://127.0.0.1:9\n",
  ]);
});

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CommandLine } from "../../test/support/client.ts";
import { has } from "../../test/support/debian.ts";
import { fixture } from "../../test/support/fixtures.ts";
import { startTestKinora, type TestKinora } from "../../test/support/kinora.ts";
import { until } from "../../test/support/until.ts";

const TOKEN_MS = 1_000;

let kinora: TestKinora;
let ada: CommandLine;
let titleId: string;
let players: string;

beforeAll(async () => {
  kinora = await startTestKinora({ auth: { tokenLifetime: `${TOKEN_MS}ms` }, rtsp: { listen: "127.0.0.1:0" } });
  ada = new CommandLine();
  await ada.signIn(kinora.url, "ada");
  const made = await ada.json(["upload", await fixture("h264-aac-3.72s.mp4"), "--name", "The; sea $(x)"]);
  titleId = (made as { items: { title: { id: string } }[] }).items[0]?.title.id ?? "";
  players = join(ada.home, "players");
  mkdirSync(players);
});
afterAll(async () => {
  ada[Symbol.dispose]();
  await kinora.close();
});

interface Running {
  readonly state: string;
  readonly id: string;
  readonly expiresAt: string;
}
const streams = async () => ((await ada.json(["streams"])) as { items: Running[] }).items;
const aStream = () => until(async () => (await streams())[0]);

/**
 * A player that records its arguments and what its last one answers, and plays until there is a file `close`.
 * `body` is the rest of a program for `sh`.
 */
function installPlayer(name: string, body?: string): { readonly seen: string; close(): void } {
  const seen = join(ada.home, `${name}.seen`);
  const closed = join(ada.home, `${name}.close`);
  for (const file of [seen, closed]) rmSync(file, { force: true });
  const script = `#!${process.execPath}
    const { existsSync, renameSync, writeFileSync } = require("node:fs");
    const args = process.argv.slice(2);
    const response = await fetch(args.at(-1));
    writeFileSync(${JSON.stringify(seen)} + ".new", JSON.stringify({ args, status: response.status, text: await response.text() }));
    renameSync(${JSON.stringify(seen)} + ".new", ${JSON.stringify(seen)});
    while (!existsSync(${JSON.stringify(closed)})) await Bun.sleep(20);`;
  const path = join(players, name);
  writeFileSync(path, body === undefined ? script : `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
  ada.env = { PATH: `${players}:${process.env.PATH ?? ""}` };
  return { seen, close: () => writeFileSync(closed, "") };
}

const seenBy = async ({ seen }: { readonly seen: string }) => {
  await until(async () => existsSync(seen));
  return JSON.parse(readFileSync(seen, "utf8")) as { args: string[]; status: number; text: string };
};

async function ended(child: ReturnType<CommandLine["start"]>) {
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { stdout, stderr, code };
}

describe("kinora play", () => {
  test("gives the first player found an address that plays, keeps the stream while it runs, and stops it when it closes", async () => {
    const player = installPlayer("mpv");
    const child = ada.start(["play", "the; SEA", "--json"]);
    const { args, status, text } = await seenBy(player);
    expect([status, text]).toEqual([200, expect.stringContaining("#EXTM3U")]);
    expect(args).toContain("--force-media-title=The; sea $(x)");
    expect(args.at(-2)).toBe("--");
    const first = await aStream();
    // Three tokens later it runs on.
    await until(async () => Date.parse((await aStream()).expiresAt) > Date.parse(first.expiresAt) + 3 * TOKEN_MS);
    expect((await streams()).map(({ id }) => id)).toEqual([first.id]);
    player.close();
    const { stdout, stderr, code } = await ended(child);
    expect([code, stderr]).toEqual([0, ""]);
    expect(JSON.parse(stdout)).toEqual({
      ...{ titleId, name: "The; sea $(x)", streamId: first.id, protocol: "hls", player: "mpv", playerExit: 0 },
      stopped: null,
    });
    expect(await streams()).toEqual([]);
    expect((await fetch(args.at(-1) ?? "")).status).toBe(401);
  }, 60_000);

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)(
    "%s closes the player, stops the stream and ends with %d; the address is not shown",
    async (signal, exit) => {
      const player = installPlayer("mpv");
      const child = ada.start(["play", titleId]);
      const { args } = await seenBy(player);
      child.kill(signal);
      const { stdout, stderr, code } = await ended(child);
      expect(code).toBe(exit);
      expect(stderr).toContain("Playing The; sea $(x) with mpv.");
      expect(stdout + stderr).not.toContain("grant");
      expect(await streams()).toEqual([]);
      expect((await fetch(args.at(-1) ?? "")).status).toBe(401);
    },
  );

  test("a stream that is stopped from elsewhere closes the player; the reason is told", async () => {
    const player = installPlayer("mpv");
    const child = ada.start(["play", titleId, "--json"]);
    await seenBy(player);
    const { id } = await aStream();
    expect(await ada.json(["stop", id])).toEqual({ id, stopped: true });
    const { stderr, code } = await ended(child);
    expect([code, JSON.parse(stderr)]).toMatchObject([1, { code: "stream-stopped", reason: "stopped" }]);
    expect((await ada.run(["stop", id])).code).toBe(4);
  });

  test("--url-only prints the address, which plays until Ctrl+C", async () => {
    const child = ada.start(["play", titleId, "--url-only", "--json"]);
    const reader = child.stdout.getReader();
    const { url } = JSON.parse(new TextDecoder().decode((await reader.read()).value)) as { url: string };
    await Bun.sleep(2 * TOKEN_MS);
    expect((await fetch(url)).status).toBe(200);
    child.kill("SIGINT");
    expect(await child.exited).toBe(130);
    expect((await fetch(url)).status).toBe(401);
  });

  test("a player that fails, or is not there, is code 1; without any it is said what to install", async () => {
    installPlayer("broken", "exit 3");
    const failed = await ada.run(["play", titleId, "--player", "broken", "--json"]);
    expect([failed.code, JSON.parse(failed.stderr)]).toMatchObject([1, { code: "player-failed" }]);
    expect((await ada.run(["play", titleId, "--player", "no-such-player"])).code).toBe(1);
    ada.env = { PATH: ada.home };
    expect((await ada.run(["play", titleId])).stderr).toContain("Install mpv, VLC or ffplay");
    expect(await streams()).toEqual([]);
  });

  test.skipIf(!has("ffmpeg"))(
    "RTP: the player has the description, listens before the first packet comes, and closes after the last",
    async () => {
      const out = join(ada.home, "rtp.txt");
      const sdp = "for last; do :; done";
      installPlayer(
        "ffplay",
        `${sdp}; exec ffmpeg -v error -protocol_whitelist file,udp,rtp -i "$last" -map 0:v -c copy -f framehash "${out}"`,
      );
      const { code, stderr } = await ada.run(["play", titleId, "--rtp", "--player", "ffplay"]);
      expect([code, stderr]).toEqual([0, expect.stringContaining("Playing")]);
      const frames = readFileSync(out, "utf8")
        .split("\n")
        .filter((line) => line.startsWith("0,"));
      expect(frames).toHaveLength(93);
      expect(await streams()).toEqual([]);
    },
  );

  test.skipIf(!has("ffplay"))(
    "a real player, ffplay, to the end over HLS and RTSP",
    async () => {
      ada.env = { SDL_VIDEODRIVER: "dummy", SDL_AUDIODRIVER: "dummy" };
      const plays = ["hls", "rtsp"].map((protocol) =>
        ada.run(["play", titleId, "--player", "ffplay", "--protocol", protocol]),
      );
      for (const { code, stderr } of await Promise.all(plays))
        expect([code, stderr]).toEqual([0, "Playing The; sea $(x) with ffplay. Ctrl+C stops.\n"]);
    },
    60_000,
  );

  test.skipIf(!has("cvlc"))(
    "a real player, VLC, over HLS",
    async () => {
      // VLC refuses to run as root.
      const asNobody = process.getuid?.() === 0 ? "setpriv --reuid=65534 --regid=65534 --clear-groups" : "";
      const home = mkdtempSync(join(tmpdir(), "kinora-vlc-"));
      chmodSync(home, 0o777);
      installPlayer("vlc", `exec ${asNobody} env HOME='${home}' cvlc -I dummy -V dummy --aout=adummy "$@"`);
      const { code, stdout } = await ada.run(["play", titleId, "--player", "vlc", "--json"]);
      rmSync(home, { recursive: true, force: true });
      expect([code, JSON.parse(stdout)]).toMatchObject([0, { player: "vlc", playerExit: 0, stopped: null }]);
    },
    60_000,
  );
});

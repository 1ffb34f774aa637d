import { afterAll, beforeAll, expect, test } from "bun:test";
import { appendFileSync, copyFileSync, readFileSync, statSync, truncateSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { CommandLine } from "../../../test/support/client.ts";
import { type CutProxy, startCutProxy } from "../../../test/support/cut-proxy.ts";
import { fixture } from "../../../test/support/fixtures.ts";
import { startTestKinora, type TestKinora } from "../../../test/support/kinora.ts";
import { until } from "../../../test/support/until.ts";

const PADDING = 512 * 1024 * 1024;

let kinora: TestKinora;
let proxy: CutProxy;
let ada: CommandLine;
let film: string;

beforeAll(async () => {
  kinora = await startTestKinora();
  proxy = await startCutProxy(kinora.url);
  ada = new CommandLine();
  await ada.signIn(proxy.url, "ada");
  film = join(ada.home, "film.mp4");
  copyFileSync(await fixture("h264-aac.mp4"), film);
  // A `free` box (ISO/IEC 14496-12 section 8.1.2), mostly hole: a big video that costs nothing to make.
  const header = Buffer.alloc(8);
  header.writeUInt32BE(PADDING);
  header.write("free", 4);
  appendFileSync(film, header);
  const { size } = statSync(film);
  truncateSync(film, size - 8 + PADDING);
});
afterAll(async () => {
  ada[Symbol.dispose]();
  await proxy.close();
  await kinora.close();
});

const begun = () => {
  const { uploads } = JSON.parse(readFileSync(join(ada.configFolder, "uploads.json"), "utf8")) as {
    uploads: Record<string, { url: string }>;
  };
  return Object.values(uploads).map(({ url }) => url);
};

/** How much the server has of the one upload. */
async function offset(): Promise<number> {
  const [url = ""] = begun();
  const cookie = JSON.parse(readFileSync(join(ada.configFolder, "servers.json"), "utf8")).servers[proxy.url].session;
  const response = await fetch(url.replace(proxy.url, kinora.url), { headers: { Cookie: cookie } });
  return ((await response.json()) as { offset: number }).offset;
}

/**
 * The most memory a process had in hand, in bytes, asked until it ends. What the system counts for a child at its end
 * (`maxRSS`) begins with the memory of the process that started it.
 */
async function peakMemoryOf(pid: number): Promise<number> {
  let peak = 0;
  for (;;) {
    try {
      const kibibytes = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
      if (kibibytes === undefined) return peak;
      peak = Math.max(peak, Number(kibibytes) * 1024);
    } catch {
      return peak;
    }
    await Bun.sleep(20);
  }
}

test("an upload that was interrupted goes on where it stopped, through lost connections, in little memory", async () => {
  const first = ada.start(["upload", film, "--tag", "sea"]);
  const isUnderWay = async () => {
    try {
      return (await offset()) > 0;
    } catch {
      return false;
    }
  };
  await until(isUnderWay);
  first.kill("SIGINT");
  expect(await first.exited).toBe(130);
  expect(await new Response(first.stderr).text()).toContain("goes on where it stopped");
  const [url] = begun();
  const stoppedAt = await offset();
  expect(stoppedAt).toBeLessThan(PADDING);

  const second = ada.start(["upload", film, "--tag", "sea", "--name", "Film", "--json"]);
  await until(async () => (await offset()) > stoppedAt);
  proxy.cut();
  await Bun.sleep(100);
  expect(begun()).toEqual([url ?? ""]);
  proxy.mend();
  const peak = peakMemoryOf(second.pid);
  const [text, code] = await Promise.all([new Response(second.stdout).text(), second.exited]);
  expect(code).toBe(0);
  const { items } = JSON.parse(text) as { items: { title: Record<string, unknown> & { id: string } }[] };
  // The name was given when it went on: it counts as well.
  expect(items[0]?.title).toMatchObject({
    name: "Film",
    tags: ["sea"],
    availability: "ready",
    sizeBytes: statSync(film).size,
  });
  expect(url).toEndWith(`/${items[0]?.title.id}`);
  expect(begun()).toEqual([]);
  expect(await peak).toBeLessThan(250e6);
}, 60_000);

test("a file that has changed since is another upload", async () => {
  const first = ada.start(["upload", film]);
  await until(() => begun().length === 1);
  first.kill("SIGTERM");
  expect(await first.exited).toBe(143);
  utimesSync(film, new Date(), new Date(0));
  const second = ada.start(["upload", film]);
  await until(() => begun().length === 2);
  second.kill("SIGINT");
  expect(await second.exited).toBe(130);
}, 60_000);

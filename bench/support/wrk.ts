import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface WrkResult {
  readonly requests: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly errors: number;
}

/** Loads a server with wrk: each of `connections` asks for the next of `requests` as soon as it has the last. */
export async function wrk(
  url: string,
  options: {
    readonly connections: number;
    readonly seconds: number;
    readonly requests: readonly { readonly path: string; readonly headers: Readonly<Record<string, string>> }[];
  },
): Promise<WrkResult> {
  const script = join(tmpdir(), `kinora-wrk-${process.pid}-${Bun.randomUUIDv7()}.lua`);
  writeFileSync(script, luaOf(options.requests));
  try {
    const args = ["-t1", `-c${options.connections}`, `-d${options.seconds}s`, "--timeout", "30s", "-s", script, url];
    const child = Bun.spawn(["wrk", ...args], { stdio: ["ignore", "pipe", "inherit"] });
    const output = await new Response(child.stdout).text();
    const match = /RESULT (\d+) (\d+) (\d+) (\d+)/.exec(output);
    if (!match) throw new Error(`wrk said: ${output}`);
    const [requests = 0, bytes = 0, microseconds = 0, errors = 0] = match.slice(1).map(Number);
    return { requests, bytes, seconds: microseconds / 1e6, errors };
  } finally {
    rmSync(script, { force: true });
  }
}

function luaOf(requests: readonly { path: string; headers: Readonly<Record<string, string>> }[]): string {
  const quote = (text: string) => `"${text.replace(/["\\]/g, "\\$&")}"`;
  const rows = requests.map(({ path, headers }) => {
    const fields = Object.entries(headers).map(([name, value]) => `[${quote(name)}]=${quote(value)}`);
    return `{${quote(path)},{${fields.join(",")}}}`;
  });
  return `local list = {${rows.join(",\n")}}
local at = 0
request = function()
  at = at % #list + 1
  return wrk.format("GET", list[at][1], list[at][2])
end
done = function(summary)
  local e = summary.errors
  io.write(string.format("RESULT %d %d %d %d\\n", summary.requests, summary.bytes, summary.duration,
    e.connect + e.read + e.write + e.status + e.timeout))
end
`;
}

/** What the last stage of a Dockerfile says. */
export interface Dockerfile {
  readonly from: string;
  readonly run: readonly string[];
  readonly copy: readonly { readonly from: string; readonly to: string }[];
  readonly env: Readonly<Record<string, string>>;
  readonly user: string | null;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
}

/** Reads a Dockerfile, as far as ours goes. */
export function readDockerfile(text: string): Dockerfile {
  const lines = text
    .replace(/^\s*#.*\n/gm, "")
    .replace(/\\\n/g, " ")
    .split("\n");
  const from = lines.findLastIndex((line) => line.startsWith("FROM "));
  const all = (instruction: string) =>
    lines
      .slice(from)
      .flatMap((line) => (line.startsWith(`${instruction} `) ? [line.slice(instruction.length + 1).trim()] : []));
  const list = (instruction: string) => JSON.parse(all(instruction).at(-1) ?? "[]") as string[];
  return {
    from: all("FROM")[0] ?? "",
    run: all("RUN"),
    copy: all("COPY").map((line) => {
      const [from = "", to = ""] = line.split(" ").filter((word) => !word.startsWith("--"));
      return { from, to };
    }),
    env: Object.fromEntries(all("ENV").flatMap((line) => line.split(" ").map((pair) => pair.split("=", 2)))),
    user: all("USER").at(-1) ?? null,
    entrypoint: list("ENTRYPOINT"),
    command: list("CMD"),
  };
}

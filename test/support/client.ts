import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const program = join(import.meta.dir, "..", "..", "src", "kinora.ts");

export interface Ran {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

/** Somebody at a command line: the real `kinora` with a home of their own. */
export class CommandLine implements Disposable {
  readonly home = mkdtempSync(join(tmpdir(), "kinora-client-"));
  readonly configFolder = join(this.home, ".config", "kinora");
  /** What the environment has beside `HOME` and `PATH`. */
  env: Record<string, string> = {};

  /** How `kinora` is started here, for a program that starts it. */
  command(...args: string[]): string[] {
    return [process.execPath, program, ...args];
  }

  get environment(): Record<string, string> {
    return { PATH: process.env.PATH ?? "", HOME: this.home, ...this.env };
  }

  /** Starts it; the caller waits for its end. */
  start(args: readonly string[], input = "") {
    return Bun.spawn(this.command(...args), {
      cwd: this.home,
      env: this.environment,
      stdin: new TextEncoder().encode(input),
      stdout: "pipe",
      stderr: "pipe",
    });
  }

  /** Runs it to its end. */
  async run(args: readonly string[], input = ""): Promise<Ran> {
    const child = this.start(args, input);
    const [stdout, stderr, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    return { stdout, stderr, code };
  }

  /** Runs it with `--json` and returns what it tells; an error with what it printed when it fails. */
  async json(args: readonly string[], input = ""): Promise<unknown> {
    const { stdout, stderr, code } = await this.run([...args, "--json"], input);
    if (code !== 0) throw new Error(`kinora ${args.join(" ")} ended with ${code}: ${stderr}`);
    return JSON.parse(stdout);
  }

  /** Signs in; makes the account when the name is new. */
  async signIn(server: string, username: string, password = PASSWORD): Promise<void> {
    await this.json(["login", username, "--server", server, "--create", "--password-stdin"], password);
  }

  [Symbol.dispose](): void {
    rmSync(this.home, { recursive: true, force: true });
  }
}

export const PASSWORD = "correct horse battery";

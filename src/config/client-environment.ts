import { homedir } from "node:os";
import { join } from "node:path";

/** What the command-line client takes from its environment. */
export interface ClientEnvironment {
  /** Where the client keeps what it knows: a folder of its own in the person's configuration folder. */
  readonly configFolder: string;
  /** Colours are unwanted (https://no-color.org) or not understood. */
  readonly noColor: boolean;
  /** The search path for players. */
  readonly path: string;
}

type Variables = Readonly<Record<string, string | undefined>>;

/** Reads the client's part of the environment. `platform` as in `process.platform`. */
export function readClientEnvironment(
  env: Variables = process.env,
  platform: string = process.platform,
): ClientEnvironment {
  return {
    configFolder: configFolder(env, platform),
    noColor: (env.NO_COLOR ?? "") !== "" || env.TERM === "dumb",
    path: env.PATH ?? "",
  };
}

function configFolder(env: Variables, platform: string): string {
  const home = env.HOME || homedir();
  // XDG Base Directory Specification: a path that is not absolute is to be ignored.
  if (env.XDG_CONFIG_HOME?.startsWith("/")) return join(env.XDG_CONFIG_HOME, "kinora");
  if (platform === "win32") return join(env.APPDATA || join(home, "AppData", "Roaming"), "kinora");
  if (platform === "darwin") return join(home, "Library", "Application Support", "kinora");
  return join(home, ".config", "kinora");
}

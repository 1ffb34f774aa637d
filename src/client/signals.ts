import { EXIT } from "./errors.ts";

/** Something to end at Ctrl-C or when the terminal or the system wants it. */
export interface Signals {
  readonly signal: AbortSignal;
  /** The exit code for the signal that came; null while none has. */
  readonly exit: number | null;
  /** From now on signals end the process again. */
  release(): void;
}

/** Takes signals until `release`: the first aborts, another one ends the process at once. */
export function untilSignal(): Signals {
  const controller = new AbortController();
  let exit: number | null = null;
  const onSignal = (name: NodeJS.Signals) => {
    const code = name === "SIGINT" ? EXIT.interrupted : EXIT.terminated;
    if (exit !== null) process.exit(code);
    exit = code;
    controller.abort();
  };
  const names = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const name of names) process.on(name, onSignal);
  return {
    signal: controller.signal,
    get exit() {
      return exit;
    },
    release() {
      for (const name of names) process.off(name, onSignal);
    },
  };
}

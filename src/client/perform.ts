import { ClientContext, type ClientOptions } from "./context.ts";
import { asClientError } from "./errors.ts";

/** Runs a command, tells why it failed, and sets the exit code. */
export async function perform(
  options: ClientOptions,
  action: (context: ClientContext) => Promise<void>,
): Promise<void> {
  // Whoever reads our output may leave early (`kinora search | head -1`).
  process.stdout.on("error", () => process.exit());
  const context = new ClientContext(options);
  try {
    await action(context);
  } catch (error) {
    const problem = asClientError(error);
    context.out.problem(problem);
    process.exitCode = problem.exit;
  }
}

import pino, { type Logger } from "pino";

const levels: Readonly<Record<number, string>> = { 20: "debug", 30: "info", 40: "WARN", 50: "ERROR", 60: "FATAL" };

/** Fields every line has, or that say nothing to a person at a terminal. */
const LEFT_OUT = new Set(["level", "time", "pid", "hostname", "msg", "requestId", "err"]);

/** Logs to standard output: lines of JSON, or short readable lines when a person is looking. */
export function createLog(level: string): Logger {
  if (!process.stdout.isTTY) return pino({ level });
  return pino({ level }, { write: (line: string) => void process.stdout.write(`${readable(line)}\n`) });
}

/** `12:30:01 info  answered method=GET path=/api/titles status=200 ms=3.1`. */
export function readable(json: string): string {
  const line = JSON.parse(json) as Record<string, unknown>;
  const time = new Date(Number(line.time)).toTimeString().slice(0, 8);
  const fields = Object.entries(line).flatMap(([name, value]) =>
    LEFT_OUT.has(name) ? [] : [`${name}=${typeof value === "string" ? value : JSON.stringify(value)}`],
  );
  const stack = (line.err as { stack?: string } | undefined)?.stack;
  const head = [time, (levels[Number(line.level)] ?? String(line.level)).padEnd(5), line.msg, ...fields].join(" ");
  return stack ? `${head}\n${stack}` : head;
}

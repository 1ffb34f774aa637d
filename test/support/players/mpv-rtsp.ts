import { join } from "node:path";
import { temporaryFolder } from "../folder.ts";
import { until } from "../until.ts";
import type { Complaints } from "./player.ts";

export interface MpvTask {
  readonly url: string;
  readonly transport: "tcp" | "udp";
  readonly durationSeconds: number;
  readonly seekTo: number;
}

/** How near to a place counts as there. */
const toleranceSeconds = 0.3;
/** Longer than a pause takes to be noticed. */
const pauseMs = 1_000;
/** On a busy machine a player takes its time. */
const patienceMs = 60_000;

interface Message {
  readonly event?: string;
  readonly reason?: string;
  readonly data?: unknown;
  readonly error?: string;
  readonly request_id?: number;
}

/** An mpv without picture and sound, told what to do by its JSON IPC. */
class Mpv {
  readonly ends: string[] = [];
  /** Places it was at, in seconds, as it tells them. */
  readonly places: number[] = [];
  readonly #answers = new Map<number, Message>();
  readonly #child: Bun.Subprocess;
  readonly #socketPath: string;
  #socket: Bun.Socket | null = null;
  #requests = 0;
  #rest = "";

  constructor({ url, transport }: MpvTask, socketPath: string) {
    this.#socketPath = socketPath;
    const quiet = ["--no-config", "--vo=null", "--ao=null", "--really-quiet", "--keep-open=no"];
    this.#child = Bun.spawn(
      ["mpv", ...quiet, `--rtsp-transport=${transport}`, `--input-ipc-server=${socketPath}`, "--pause", url],
      { stdio: ["ignore", "ignore", "ignore"] },
    );
  }

  /** Resolves when the video is open; it is paused. */
  async begin(): Promise<void> {
    this.#socket = await until(() => this.#connect().catch(() => null), patienceMs);
    await this.#ask("observe_property", 1, "time-pos");
    await until(async () => (await this.get("duration")) !== null, patienceMs);
  }

  async get(property: string): Promise<number | null> {
    const { data } = await this.#ask("get_property", property);
    return typeof data === "number" ? data : null;
  }

  pause(isPaused: boolean): Promise<Message> {
    return this.#ask("set_property", "pause", isPaused);
  }

  seek(seconds: number): Promise<Message> {
    return this.#ask("seek", seconds, "absolute");
  }

  close(): void {
    this.#child.kill();
    this.#socket?.terminate();
  }

  #connect(): Promise<Bun.Socket> {
    return Bun.connect({
      unix: this.#socketPath,
      socket: { data: (_socket, bytes) => this.#receive(bytes), error: () => undefined },
    });
  }

  async #ask(...command: readonly unknown[]): Promise<Message> {
    const id = ++this.#requests;
    this.#socket?.write(`${JSON.stringify({ command, request_id: id })}\n`);
    return until(() => this.#answers.get(id), patienceMs);
  }

  #receive(bytes: Uint8Array): void {
    const lines = (this.#rest + Buffer.from(bytes).toString()).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      const message = JSON.parse(line) as Message;
      if (message.event === "end-file") this.ends.push(message.reason ?? "");
      else if (message.event === "property-change" && typeof message.data === "number") this.places.push(message.data);
      else if (message.event === undefined && message.request_id) this.#answers.set(message.request_id, message);
    }
  }
}

/** mpv (libavformat): paused, resumed and to the end; then anew, with a seek. */
export async function playRtspWithMpv(task: MpvTask): Promise<Complaints> {
  return [...(await playing(task, pausedAndResumed)), ...(await playing(task, afterSeek))];
}

async function playing(task: MpvTask, play: (mpv: Mpv, task: MpvTask) => Promise<string[]>): Promise<string[]> {
  using folder = temporaryFolder();
  const mpv = new Mpv(task, join(folder.path, "mpv"));
  try {
    await mpv.begin();
    const found = await play(mpv, task);
    const [end] = await until(() => mpv.ends.length > 0 && mpv.ends, patienceMs);
    const last = mpv.places.at(-1) ?? 0;
    if (end !== "eof") found.push(`it ended by ${end}`);
    if (last < task.durationSeconds - toleranceSeconds) found.push(`it ended at ${last} s`);
    return found;
  } finally {
    mpv.close();
  }
}

async function pausedAndResumed(mpv: Mpv, { durationSeconds }: MpvTask): Promise<string[]> {
  const found: string[] = [];
  const duration = (await mpv.get("duration")) ?? 0;
  if (Math.abs(duration - durationSeconds) > 0.05) found.push(`it takes it for ${duration} s`);
  await mpv.pause(false);
  await until(() => mpv.places.some((place) => place > 0.5), patienceMs);
  await mpv.pause(true);
  const [at, count] = [(await mpv.get("time-pos")) ?? 0, mpv.places.length];
  await Bun.sleep(pauseMs);
  if (((await mpv.get("time-pos")) ?? 0) !== at) found.push("it went on while it was paused");
  await mpv.pause(false);
  const next = await until(() => mpv.places.slice(count).find((place) => place > at), patienceMs);
  if (next > at + toleranceSeconds) found.push(`it went on at ${next} s from ${at} s`);
  return found;
}

async function afterSeek(mpv: Mpv, { seekTo }: MpvTask): Promise<string[]> {
  await mpv.pause(false);
  await until(() => mpv.places.some((place) => place > 0.3), patienceMs);
  const count = mpv.places.length;
  await mpv.seek(seekTo);
  const at = await until(() => mpv.places.slice(count).find((place) => place > seekTo), patienceMs);
  return at > seekTo + toleranceSeconds ? [`the seek to ${seekTo} s led to ${at} s`] : [];
}

import type { ByteSource } from "../../src/media/byte-source.ts";
import { MediaError } from "../../src/media/errors.ts";
import { maxDecodedBytes, partBytes, type SegmentPlan } from "../../src/media/segment-plan.ts";

/** What was expected of every input, and is not so for this one. */
export class Violation extends Error {}

export function expectThat(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Violation(message);
}

/** Runs work in which the only error that a damaged original may cause is a `MediaError`. */
export async function orMediaError(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof MediaError)) throw error;
  }
}

const isCount = (value: number) => Number.isSafeInteger(value) && value >= 0;

/** Bytes of the input; refuses reads outside and counts the others. */
export class CheckedSource implements ByteSource {
  readonly size: number;
  readonly #bytes: Uint8Array;
  bytesRead = 0;
  reads = 0;
  /** The first read outside: some readers take every error for damage. */
  refused: string | null = null;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.size = bytes.length;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const isInside = isCount(offset) && isCount(length) && offset + length <= this.size;
    if (!isInside) this.refused ??= `read of ${length} bytes at ${offset} of ${this.size}`;
    expectThat(isInside, `read of ${length} bytes at ${offset} of ${this.size}`);
    this.bytesRead += length;
    this.reads++;
    return this.#bytes.slice(offset, offset + length);
  }
}

let allocated = 0;
const arrayNames = ["Uint8Array", "Uint16Array", "Uint32Array", "Int16Array", "Int32Array", "Float64Array"] as const;

/** From now on counts the bytes of all typed arrays that are made with a length. */
export function countAllocations(): void {
  for (const name of arrayNames) {
    const original: new (...args: unknown[]) => object = globalThis[name];
    const { BYTES_PER_ELEMENT } = globalThis[name];
    const counting = new Proxy(original, {
      construct(target, args): object {
        const [length] = args;
        if (typeof length === "number" && length > 0) allocated += length * BYTES_PER_ELEMENT;
        return Reflect.construct(target, args);
      },
    });
    Object.defineProperty(globalThis, name, { value: counting, writable: true, configurable: true });
  }
}

/** Fixed costs that are allowed whatever the size of the input, and the multiple of its size. */
export const bounds = {
  allocatedBytes: (size: number) => 2 ** 20 + 64 * size,
  bytesRead: (size: number) => 2 ** 18 + 32 * size,
  reads: (size: number) => 1000 + size / 4,
  textBytes: (size: number) => 2 ** 14 + 64 * size,
  residentBytes: (size: number) => 96 * 2 ** 20 + 64 * size,
} as const;

/** Runs one step of the work and holds what it allocates and reads against the bounds. */
export async function bounded<T>(what: string, source: CheckedSource, work: () => T | Promise<T>): Promise<T> {
  allocated = 0;
  source.bytesRead = 0;
  source.reads = 0;
  try {
    return await work();
  } finally {
    const { size, bytesRead, reads } = source;
    expectThat(source.refused === null, `${what}: ${source.refused}`);
    const exceeds = (name: string, value: number, bound: number) =>
      expectThat(value <= bound, `${what}: ${name} ${value} for a file of ${size} bytes`);
    exceeds("allocated", allocated, bounds.allocatedBytes(size));
    exceeds("read", bytesRead, bounds.bytesRead(size));
    exceeds("reads", reads, bounds.reads(size));
  }
}

/** Every number in a description, a list of times and so on is finite and not below zero. */
export function checkNumbers(what: string, value: unknown): void {
  if (typeof value === "number") expectThat(Number.isFinite(value) && value >= 0, `${what} is ${value}`);
  else if (typeof value === "object" && value !== null) {
    for (const [name, part] of Object.entries(value)) checkNumbers(`${what}.${name}`, part);
  }
}

const attributes = /^#EXT-X-[A-Z-]+:[A-Z0-9-]+=("[^"\r\n]*"|[^",\s]+)(,[A-Z0-9-]+=("[^"\r\n]*"|[^",\s]+))*$/;
const plainTag = /^#(EXTM3U|EXT-X-[A-Z-]+(:[A-Z0-9.@]+)?)$/;
const comment = /^# [^"<>\p{Cc}]*$/u;
const segmentTag = /^#EXTINF:\d+(\.\d+)?,$/;
const reference = /^[a-z0-9][a-z0-9./-]*$/i;

/** A playlist has the grammar of RFC 8216, whatever names and codecs the original has. Returns how many segments. */
export function checkPlaylist(text: string, size: number): number {
  expectThat(text.length <= bounds.textBytes(size), `a playlist of ${text.length} characters for ${size} bytes`);
  let segments = 0;
  for (const line of text.trimEnd().split("\n")) {
    const valid = [segmentTag, reference, plainTag, attributes, comment].some((form) => form.test(line));
    expectThat(valid, `the playlist has the line ${JSON.stringify(line.slice(0, 200))}`);
    if (segmentTag.test(line)) segments++;
  }
  return segments;
}

const xmlToken = /<(\/?)([A-Za-z][\w.-]*)((?: [A-Za-z][\w:.-]*="[^"<]*")*)(\/?)>/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
const xmlText = /(?:[^<&\u0000-\u0008\u000b-\u001f]|&(?:amp|lt|gt|quot|apos);)*/y;

/** A manifest is well-formed XML without comments, CDATA and the like, which it never needs. */
export function checkXml(text: string, size: number): void {
  expectThat(text.length <= bounds.textBytes(size), `a manifest of ${text.length} characters for ${size} bytes`);
  const open: string[] = [];
  let at = text.indexOf("\n") + 1;
  const here = () => JSON.stringify(text.slice(at, at + 100));
  while (at < text.length) {
    xmlText.lastIndex = at;
    at += xmlText.exec(text)?.[0].length ?? 0;
    if (at === text.length) break;
    xmlToken.lastIndex = at;
    const [token, isEnd, name = "", attributes = "", isEmpty] = xmlToken.exec(text) ?? [];
    expectThat(token !== undefined && !/&(?!(?:amp|lt|gt|quot|apos);)/.test(attributes), `the manifest has ${here()}`);
    if (isEnd) expectThat(open.pop() === name, `the manifest closes at ${here()}`);
    else if (!isEmpty) open.push(name);
    at += token.length;
  }
  expectThat(open.length === 0, `the manifest leaves open ${open.join(" ")}`);
}

const sessionLine = /^(?:[vosct]|m|a)=[\x20-\x7e]+$/;

/** A session description has lines of these kinds only, each with its end (RFC 8866 section 9). */
export function checkSessionDescription(text: string, size: number): void {
  expectThat(text.length <= bounds.textBytes(size), `a description of ${text.length} characters for ${size} bytes`);
  const lines = text.split("\r\n");
  expectThat(lines.pop() === "", "a description without a last end of line");
  for (const line of lines)
    expectThat(sessionLine.test(line), `the description has ${JSON.stringify(line.slice(0, 200))}`);
}

const cueTimes = /^(\d{2,}):([0-5]\d):([0-5]\d)\.(\d{3}) --> (\d{2,}):([0-5]\d):([0-5]\d)\.(\d{3})( [^\0]*)?$/;

/** A WebVTT file has a header and cues only, each with times that run forward and text without an arrow. */
export function checkWebVtt(text: string, size: number): void {
  expectThat(text.length <= bounds.textBytes(size), `WebVTT of ${text.length} characters for ${size} bytes`);
  const [header, ...blocks] = text.trimEnd().split("\n\n");
  expectThat(header === "WEBVTT", `WebVTT starts with ${JSON.stringify(header?.slice(0, 100))}`);
  for (const block of blocks) {
    const [times = "", ...lines] = block.split("\n");
    const shown = JSON.stringify(block.slice(0, 200));
    const numbers = (cueTimes.exec(times) ?? []).slice(1, 9).map(Number);
    const at = ([h = 0, m = 0, s = 0, ms = 0]: number[]) => ((h * 60 + m) * 60 + s) * 1000 + ms;
    expectThat(
      numbers.length === 8 && at(numbers.slice(0, 4)) < at(numbers.slice(4)),
      `WebVTT has the times of ${shown}`,
    );
    expectThat(lines.length > 0 && lines.every((line) => !line.includes("-->")), `WebVTT has the cue ${shown}`);
  }
}

const containers = new Set("moov trak edts mdia minf dinf stbl mvex moof traf".split(" "));

/** Boxes fill the bytes exactly, and so do the boxes in them. The last `open` bytes need not be there. */
export function checkBoxes(bytes: Uint8Array, missing = 0, path = "file"): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  while (at + 8 <= bytes.length) {
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const large = view.getUint32(at) === 1;
    const size = large ? Number(view.getBigUint64(at + 8)) : view.getUint32(at);
    const isLast = at + size === bytes.length + missing;
    expectThat(size >= 8 && (at + size <= bytes.length || isLast), `${path}/${type} has ${size} bytes`);
    if (containers.has(type)) checkBoxes(bytes.subarray(at + 8, at + size), 0, `${path}/${type}`);
    at += size;
  }
  expectThat(at === bytes.length + missing, `${path}: ${bytes.length + missing} bytes, boxes of ${at}`);
}

/** A plan names bytes of the original only, and its size is what is sent. Reads and makes them all. */
export async function checkPlan(plan: SegmentPlan, source: CheckedSource): Promise<void> {
  let payload = 0;
  for (const part of plan.ranges) {
    payload += partBytes(part);
    if ("bytes" in part) continue;
    const { offset, length } = part;
    expectThat(isCount(offset) && isCount(length), `a plan's range of ${length} bytes at ${offset}`);
    expectThat(offset + length <= source.size, `a plan's range ${offset} + ${length} of ${source.size}`);
    if (!("decode" in part)) continue;
    expectThat(length <= maxDecodedBytes, `${length} bytes to decode at once`);
    const made = part.decode(await source.read(offset, length)).length;
    expectThat(made === part.sizeBytes, `${made} bytes decoded, ${part.sizeBytes} promised`);
  }
  const size = plan.header.length + payload;
  expectThat(size === plan.sizeBytes, `a plan of ${size} bytes says ${plan.sizeBytes}`);
}

import { maxDecodedBytes } from "../segment-plan.ts";
import type { Frame } from "./access-units.ts";
import { lengthBytes, nalUnits } from "./annex-b.ts";
import type { ElementaryBuffer } from "./elementary-buffer.ts";
import { GrowingColumn } from "./growing-column.ts";
import { maxStride } from "./packet.ts";

/** Parts of samples whose packets are too far apart to be read at once: of large pictures, mostly. */
export class PartRecord {
  /** The sample that each is of. */
  readonly samples = new GrowingColumn();
  readonly packets = new GrowingColumn();
  readonly skips = new GrowingColumn();
  readonly lastPackets = new GrowingColumn();
  /** Bytes in the stream, and as part of the sample, without the head. */
  readonly rawSizes = new GrowingColumn();
  readonly sizes = new GrowingColumn();
  /** The NAL unit length that is sent before the part; 0 for none. */
  readonly heads = new GrowingColumn();
  /** 1: whole NAL units after start codes; 0: bytes that stay as they are. */
  readonly areUnits = new GrowingColumn();

  /** Notes a sample that is `[from, to)` of the stream as it is. */
  addBytes(sample: number, buffer: ElementaryBuffer, from: number, to: number, firstHead = 0): void {
    let head = firstHead;
    for (let at = from; at < to; ) {
      const end = buffer.reach(at, to, this.#lastPacket(buffer, at));
      this.#add(sample, buffer, { start: at, end, size: end - at }, head);
      head = 0;
      at = end;
    }
  }

  /** Notes an access unit: as many whole NAL units together as fit, those that do not in parts. */
  addUnits(sample: number, buffer: ElementaryBuffer, from: number, to: number): void {
    let group = null as Frame | null;
    for (const nal of nalUnits(buffer.view(from, to))) {
      const [code, start, end] = [from + nal.code, from + nal.start, from + nal.end];
      const first: number = group?.start ?? code;
      if (buffer.reach(first, end, this.#lastPacket(buffer, first)) === end) {
        group = { start: first, end, size: (group?.size ?? 0) + lengthBytes + end - start };
        continue;
      }
      if (group !== null) this.#add(sample, buffer, group);
      const isSmall = buffer.reach(code, end, this.#lastPacket(buffer, code)) === end;
      group = isSmall ? { start: code, end, size: lengthBytes + end - start } : null;
      if (!isSmall) this.addBytes(sample, buffer, start, end, end - start);
    }
    if (group !== null) this.#add(sample, buffer, group);
  }

  #lastPacket(buffer: ElementaryBuffer, position: number): number {
    return buffer.placeOf(position).packet + maxDecodedBytes - maxStride;
  }

  /** `head` is left out for whole NAL units. */
  #add(sample: number, buffer: ElementaryBuffer, { start, end, size }: Frame, head?: number): void {
    const { packet, skip } = buffer.placeOf(start);
    this.samples.push(sample);
    this.packets.push(packet);
    this.skips.push(skip);
    this.lastPackets.push(buffer.placeOf(end - 1).packet);
    this.rawSizes.push(end - start);
    this.sizes.push(size);
    this.heads.push(head ?? 0);
    this.areUnits.push(head === undefined ? 1 : 0);
  }
}

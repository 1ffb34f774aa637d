/** A sample of a fragment, and how it is presented. */
export interface Picture {
  readonly trackId: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** In ticks of the track: how much later it is shown than decoded. */
  readonly composition: number;
}

/** A box (ISO/IEC 14496-12 section 4.2): where what is in it begins and ends. */
interface Box {
  readonly type: string;
  readonly from: number;
  readonly to: number;
}

/** `trun` flags, section 8.8.8. */
const trun = { dataOffset: 0x1, firstFlags: 0x4, duration: 0x100, size: 0x200, flags: 0x400, composition: 0x800 };

/**
 * The first sample of a fragment that ends with it, as the byte ranges of an I-frame playlist do: `moof`, then as much
 * of `mdat`. Null for what is none.
 */
export function firstPicture(fragment: Uint8Array<ArrayBuffer>): Picture | null {
  const view = viewOf(fragment);
  const moof = find(view, 0, fragment.length, "moof");
  const traf = moof && find(view, moof.from, moof.to, "traf");
  const header = traf && find(view, traf.from, traf.to, "tfhd");
  const run = traf && find(view, traf.from, traf.to, "trun");
  if (!moof || !header || !run || header.to - header.from < 8 || run.to - run.from < 12) return null;
  const flags = view.getUint32(run.from) & 0xff_ffff;
  if (!(flags & trun.dataOffset)) return null;
  // Offsets count from the beginning of the `moof`, whose header has 8 bytes.
  const start = moof.from - 8 + view.getInt32(run.from + 8);
  const entry = run.from + 12 + (flags & trun.firstFlags ? 4 : 0);
  const before = [trun.duration, trun.size, trun.flags].filter((flag) => flags & flag).length * 4;
  const hasComposition = (flags & trun.composition) !== 0;
  if (entry + before + (hasComposition ? 4 : 0) > run.to) return null;
  const size = flags & trun.size ? view.getUint32(entry + (flags & trun.duration ? 4 : 0)) : fragment.length - start;
  if (start < moof.to || size <= 0 || start + size > fragment.length) return null;
  return {
    trackId: view.getUint32(header.from + 4),
    bytes: fragment.subarray(start, start + size),
    composition: hasComposition ? view.getInt32(entry + before) : 0,
  };
}

/** An MP4 file of one picture at time 0, which every browser opens: a truncated segment is not for all of them. */
export function pictureFile(init: Uint8Array<ArrayBuffer>, { trackId, bytes, composition }: Picture): Blob {
  // One second in most files, which is longer than it has to be shown; 0x2000000: it depends on no other.
  const ticks = 90_000;
  const moof = (dataOffset: number) =>
    box(
      "moof",
      box("mfhd", words(0, 1)),
      box(
        "traf",
        // The track alone; offsets from the `moof` (`default-base-is-moof`).
        box("tfhd", words(0x02_0000, trackId)),
        box("tfdt", words(0, 0)),
        box(
          "trun",
          words(
            ...[0x0100_0000 | trun.dataOffset | trun.duration | trun.size | trun.flags | trun.composition, 1],
            ...[dataOffset, ticks, bytes.length, 0x0200_0000, composition],
          ),
        ),
      ),
    );
  const header = moof(moof(0).length + 8);
  return new Blob([init, header, words(bytes.length + 8), ascii("mdat"), bytes], { type: "video/mp4" });
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const ascii = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

function words(...values: readonly number[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(values.length * 4);
  values.forEach((value, i) => {
    viewOf(bytes).setUint32(i * 4, value);
  });
  return bytes;
}

function box(type: string, ...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const size = parts.reduce((sum, part) => sum + part.length, 8);
  const bytes = new Uint8Array(size);
  let at = 8;
  bytes.set(words(size));
  bytes.set(ascii(type), 4);
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** The first box of a type; sizes of 64 bits are left out, as boxes that are looked for have none. */
function find(view: DataView, from: number, to: number, wanted: string): Box | null {
  for (let at = from; at + 8 <= to; ) {
    const size = view.getUint32(at);
    const type = String.fromCharCode(...[4, 5, 6, 7].map((i) => view.getUint8(at + i)));
    if (size < 8 || at + size > to) return null;
    if (type === wanted) return { type, from: at + 8, to: at + size };
    at += size;
  }
  return null;
}

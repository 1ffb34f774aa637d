import { join } from "node:path";

type Colour = readonly [number, number, number];

/** A landscape: the sky from top to horizon, a sun or moon, and hills from the farthest to the nearest. */
export interface Scenery {
  readonly sky: readonly [Colour, Colour];
  readonly sun: { readonly x: number; readonly y: number; readonly radius: number; readonly colour: Colour };
  readonly hills: readonly Colour[];
  /** 0 is flat, like the sea. */
  readonly steepness: number;
  readonly seed: number;
}

const HEIGHT = 720;

const mix = (a: Colour, b: Colour, share: number): Colour => [
  a[0] + (b[0] - a[0]) * share,
  a[1] + (b[1] - a[1]) * share,
  a[2] + (b[2] - a[2]) * share,
];

/** The colour at a place, from 0 to 1 both ways. */
function colourAt({ sky, sun, hills, steepness, seed }: Scenery, x: number, y: number): Colour {
  let colour = mix(sky[0], sky[1], Math.min(1, y * 1.4));
  const away = Math.hypot((x - sun.x) * 1.78, y - sun.y) / sun.radius;
  colour = mix(colour, sun.colour, away < 1 ? 1 : 0.6 * Math.exp(1 - away));
  for (const [index, hill] of hills.entries()) {
    const phase = seed + index * 1.7;
    const waves =
      Math.sin(x * 5 + phase) + 0.5 * Math.sin(x * 11 + phase * 2.3) + 0.22 * Math.sin(x * 27 + phase * 5.1);
    const top = 0.52 + (0.44 * index) / hills.length - (steepness * waves) / (1 + index * 0.4);
    if (y > top) colour = mix(hill, sky[1], Math.max(0, 0.28 - (y - top)) * (index === hills.length - 1 ? 0.2 : 1));
  }
  return colour;
}

/** Films a landscape: `{folder}/{name}.mp4`, H.264 and the sound of wind. */
export async function film(
  folder: string,
  name: string,
  scenery: Scenery,
  { seconds = 10, width = 1280, chapters }: { seconds?: number; width?: number; chapters?: string } = {},
): Promise<string> {
  const pixels = new Uint8Array(width * HEIGHT * 3);
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < width; x++) pixels.set(colourAt(scenery, x / width, y / HEIGHT), (y * width + x) * 3);
  }
  const path = join(folder, `${name}.mp4`);
  const picture = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", `${width}x${HEIGHT}`, "-r", "1", "-i", "-"];
  const sound = ["-f", "lavfi", "-i", `anoisesrc=color=brown:amplitude=0.1:duration=${seconds}`];
  const still = [
    "-vf",
    `loop=-1:1,fps=25,trim=duration=${seconds}`,
    "-c:v",
    "libx264",
    "-preset",
    "veryfast",
    "-g",
    "50",
  ];
  const marks = chapters === undefined ? [] : ["-i", chapters, "-map_chapters", "2"];
  const command = [
    "ffmpeg",
    "-v",
    "error",
    "-y",
    ...picture,
    ...sound,
    ...marks,
    ...still,
    "-pix_fmt",
    "yuv420p",
    "-c:a",
    "aac",
    path,
  ];
  const made = Bun.spawn(command, { stdin: pixels });
  if ((await made.exited) !== 0) throw new Error(`ffmpeg could not film ${name}`);
  return path;
}

const rgb = (hex: number): Colour => [hex >> 16, (hex >> 8) & 0xff, hex & 0xff];

export const sceneries = {
  dawn: {
    sky: [rgb(0x16213e), rgb(0xf3b98b)],
    sun: { x: 0.62, y: 0.5, radius: 0.05, colour: rgb(0xffe6bd) },
    hills: [rgb(0x7a6a7d), rgb(0x3f4766), rgb(0x1c2438)],
    steepness: 0.018,
    seed: 2,
  },
  mountains: {
    sky: [rgb(0x4f86b8), rgb(0xdfeaf0)],
    sun: { x: 0.2, y: 0.18, radius: 0.045, colour: rgb(0xfffbe8) },
    hills: [rgb(0x9db4c4), rgb(0x6b8a96), rgb(0x3f6257), rgb(0x1f3b30)],
    steepness: 0.11,
    seed: 5,
  },
  beach: {
    sky: [rgb(0x5fb3cf), rgb(0xf7efdc)],
    sun: { x: 0.8, y: 0.22, radius: 0.05, colour: rgb(0xffffff) },
    hills: [rgb(0x2f8aa3), rgb(0x66c0bf), rgb(0xe9d3a3)],
    steepness: 0.012,
    seed: 9,
  },
  town: {
    sky: [rgb(0x1b1030), rgb(0x6d2f5c)],
    sun: { x: 0.5, y: 0.3, radius: 0.06, colour: rgb(0xffd27a) },
    hills: [rgb(0x4a1f4a), rgb(0x2c1233), rgb(0x150a1c)],
    steepness: 0.05,
    seed: 13,
  },
  sail: {
    sky: [rgb(0x2a5f8f), rgb(0xbfe0ea)],
    sun: { x: 0.34, y: 0.3, radius: 0.04, colour: rgb(0xfff6d8) },
    hills: [rgb(0x3d7ea6), rgb(0x215f86), rgb(0x0f3d5c)],
    steepness: 0.02,
    seed: 21,
  },
  winter: {
    sky: [rgb(0xa9b8c6), rgb(0xeef1f3)],
    sun: { x: 0.7, y: 0.26, radius: 0.04, colour: rgb(0xffffff) },
    hills: [rgb(0xc7d2da), rgb(0xdfe6ea), rgb(0xf6f8f9)],
    steepness: 0.07,
    seed: 30,
  },
} as const satisfies Record<string, Scenery>;

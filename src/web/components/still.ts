import { canPlayType, findUndecodable } from "../player/decode.ts";

export { canPlayType, findUndecodable };

/** Pictures that are kept for when they are shown again; each takes half a megabyte. */
const KEPT = 150;
/** Made at once: the browser has few connections to a server, and a player may want them. */
const AT_ONCE = 4;
const WIDTH = 480;
const PATIENCE_MS = 20_000;
/** A browser may say that there is a frame before it can be copied. */
const [TRIES, TRY_AGAIN_MS] = [40, 50];

/** By title; null for what has no picture, or none that this browser can decode. The last used is the last. */
const kept = new Map<string, HTMLCanvasElement | null>();
const waiting = new Map<Element, { readonly id: string; readonly address: string }>();
let running = 0;

const seen = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      if (target instanceof HTMLElement) target.dataset.near = String(isIntersecting);
    }
    next();
  },
  { rootMargin: "25%" },
);

/**
 * Puts the picture of a title into `place` once that is near the screen. The server sends a key frame of the original and
 * this browser decodes it; where it cannot, `place` stays empty. Ends with what is returned.
 */
export function showStill(place: HTMLElement, id: string, address: string): () => void {
  const known = kept.get(id);
  if (known) put(place, id, known);
  else if (known === undefined) {
    waiting.set(place, { id, address });
    seen.observe(place);
  }
  return () => {
    waiting.delete(place);
    seen.unobserve(place);
  };
}

function next(): void {
  for (const [place, { id, address }] of waiting) {
    if (running >= AT_ONCE) return;
    if (!(place instanceof HTMLElement) || place.dataset.near !== "true") continue;
    waiting.delete(place);
    seen.unobserve(place);
    running++;
    void draw(address)
      .catch(() => null)
      .then((picture) => {
        running--;
        if (picture) {
          put(place, id, picture);
          picture.animate([{ opacity: 0 }, { opacity: 1 }], motionMs()).onfinish = () => {
            // From now on nothing of the cover is seen behind it.
            picture.dataset.whole = "true";
          };
        } else kept.set(id, null);
        next();
      });
  }
}

function put(place: HTMLElement, id: string, picture: HTMLCanvasElement): void {
  kept.delete(id);
  kept.set(id, picture);
  const [oldest] = kept.keys();
  if (kept.size > KEPT && oldest !== undefined) kept.delete(oldest);
  place.replaceChildren(picture);
}

const motionMs = () => (matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 200);

/** Plays the file of one picture, unseen, and copies it. */
async function draw(address: string): Promise<HTMLCanvasElement | null> {
  const video = document.createElement("video");
  // Where nothing is loaded unless it plays, this does.
  Object.assign(video, { muted: true, playsInline: true, autoplay: true, preload: "auto", src: address });
  try {
    await new Promise((resolve, reject) => {
      video.onloadeddata = resolve;
      video.onerror = reject;
      setTimeout(reject, PATIENCE_MS);
    });
    const { videoWidth, videoHeight } = video;
    const picture = document.createElement("canvas");
    picture.width = Math.min(WIDTH, videoWidth);
    picture.height = Math.round((picture.width * videoHeight) / videoWidth);
    picture.dataset.upright = String(videoHeight > videoWidth);
    return (await copy(video, picture)) ? picture : null;
  } finally {
    video.removeAttribute("src");
    video.load();
  }
}

/** Whether something came over: a canvas is clear at first, and a frame is not. */
async function copy(video: HTMLVideoElement, picture: HTMLCanvasElement): Promise<boolean> {
  const canvas = picture.getContext("2d", { willReadFrequently: true });
  for (let tries = 0; canvas && tries < TRIES; tries++) {
    canvas.drawImage(video, 0, 0, picture.width, picture.height);
    if (canvas.getImageData(picture.width >> 1, picture.height >> 1, 1, 1).data[3]) return true;
    await new Promise((resolve) => setTimeout(resolve, TRY_AGAIN_MS));
  }
  return false;
}

import { canPlayType, findUndecodable } from "../player/decode.ts";
import { drawPicture } from "./draw-picture.ts";

export { canPlayType, findUndecodable };

/** Pictures that are kept for when they are shown again; each takes half a megabyte. */
const KEPT = 150;
/** Made at once: the browser has few connections to a server, and a player may want them. */
const AT_ONCE = 4;
const WIDTH = 480;

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
  // A title may stand in two places of a page.
  if (known) put(place, id, known.isConnected ? copyOf(known) : known);
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
    void drawPicture(address, WIDTH)
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

function copyOf(picture: HTMLCanvasElement): HTMLCanvasElement {
  const copy = picture.cloneNode() as HTMLCanvasElement;
  copy.getContext("2d")?.drawImage(picture, 0, 0);
  return copy;
}

const motionMs = () => (matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 200);

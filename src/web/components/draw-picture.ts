const PATIENCE_MS = 20_000;
/** A browser may say that there is a frame before it can be copied. */
const [TRIES, TRY_AGAIN_MS] = [40, 50];

/**
 * The first picture of a file, `widthPx` wide at most, decoded by this browser in a `<video>` that is never shown. Null
 * where nothing came; rejects where it cannot be decoded.
 */
export async function drawPicture(address: string, widthPx: number): Promise<HTMLCanvasElement | null> {
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
    picture.width = Math.min(widthPx, videoWidth);
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

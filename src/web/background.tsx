import { useEffect, useState } from "preact/hooks";
import { followEvents, works } from "./events.ts";
import { lazy } from "./lazy.tsx";
import { startOfflineShell } from "./offline-shell.ts";
import { here, navigate } from "./router.ts";
import { mayUpload, user } from "./session.ts";
import { queue } from "./upload/state.ts";

const Tray = lazy(async () => (await import("./upload/tray.tsx")).Tray, { quiet: true });
const DropHere = lazy(async () => (await import("./upload/drop-here.tsx")).DropHere, { quiet: true });

let started = false;

/** What goes on behind every page, loaded after the first is there: progress, files dropped, the offline page. */
export function Background() {
  const over = useDrop();
  useEffect(() => {
    if (started) return;
    started = true;
    followEvents();
    startOfflineShell();
  }, []);
  const hasWork = [...works.value.values()].some(({ kind }) => kind !== "upload");
  const hasUploads = here.value.path !== "/upload" && queue.value.some(({ step }) => step !== "chosen");
  return (
    <>
      {over && <DropHere />}
      {(hasWork || hasUploads) && <Tray />}
    </>
  );
}

const isFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;

/** Files dropped on any page are chosen on the upload page. True while some are held over the page. */
function useDrop(): boolean {
  const [over, setOver] = useState(false);
  useEffect(() => {
    // Each element under the pointer says that it is entered and left.
    let depth = 0;
    const held = (change: number) => {
      depth = Math.max(0, depth + change);
      setOver(depth > 0);
    };
    const listeners = {
      dragenter: (event: DragEvent) => isFiles(event) && mayUpload(user.peek()) && held(1),
      dragleave: () => held(-1),
      dragover: (event: DragEvent) => isFiles(event) && event.preventDefault(),
      drop: (event: DragEvent) => {
        held(-depth);
        if (event.defaultPrevented || !isFiles(event) || !mayUpload(user.peek())) return;
        event.preventDefault();
        void take([...(event.dataTransfer?.files ?? [])]);
      },
    } as const;
    const all = Object.entries(listeners) as [keyof typeof listeners, (event: DragEvent) => void][];
    for (const [name, listener] of all) addEventListener(name, listener);
    return () => {
      for (const [name, listener] of all) removeEventListener(name, listener);
    };
  }, []);
  return over;
}

async function take(files: readonly File[]): Promise<void> {
  const { choose } = await import("./upload/queue.ts");
  choose(files);
  navigate("/upload");
}

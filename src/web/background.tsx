import { useEffect } from "preact/hooks";
import { followEvents } from "./events.ts";
import { startOfflineShell } from "./offline-shell.ts";
import { DropAnywhere } from "./upload/drop-anywhere.tsx";
import { Tray } from "./upload/tray.tsx";

let started = false;

/** What goes on behind every page, loaded after the first is there: progress, files dropped, the offline shell. */
export function Background() {
  useEffect(() => {
    if (started) return;
    started = true;
    followEvents();
    startOfflineShell();
  }, []);
  return (
    <>
      <DropAnywhere />
      <Tray />
    </>
  );
}

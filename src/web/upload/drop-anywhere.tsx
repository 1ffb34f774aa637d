import { useEffect, useState } from "preact/hooks";
import { t } from "../i18n/i18n.ts";
import { navigate } from "../router.ts";
import { mayUpload, user } from "../session.ts";

const isFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;

/** Files dropped on any page are chosen on the upload page. */
export function DropAnywhere() {
  const [over, setOver] = useState(false);
  useEffect(() => {
    // Each element under the pointer says that it is entered and left.
    let depth = 0;
    const enter = (event: DragEvent) => {
      if (!isFiles(event) || !mayUpload(user.peek())) return;
      depth++;
      setOver(true);
    };
    const leave = () => {
      depth = Math.max(0, depth - 1);
      if (depth === 0) setOver(false);
    };
    const hold = (event: DragEvent) => {
      if (isFiles(event)) event.preventDefault();
    };
    const drop = (event: DragEvent) => {
      depth = 0;
      setOver(false);
      if (event.defaultPrevented || !isFiles(event) || !mayUpload(user.peek())) return;
      event.preventDefault();
      const files = [...(event.dataTransfer?.files ?? [])];
      void import("./queue.ts").then(({ choose }) => {
        choose(files);
        navigate("/upload");
      });
    };
    addEventListener("dragenter", enter);
    addEventListener("dragleave", leave);
    addEventListener("dragover", hold);
    addEventListener("drop", drop);
    return () => {
      removeEventListener("dragenter", enter);
      removeEventListener("dragleave", leave);
      removeEventListener("dragover", hold);
      removeEventListener("drop", drop);
    };
  }, []);
  return over ? (
    <p class="drop-here" aria-hidden="true">
      {t("tray.drop")}
    </p>
  ) : null;
}

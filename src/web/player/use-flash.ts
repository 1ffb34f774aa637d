import { useRef, useState } from "preact/hooks";

const FLASH_MS = 1200;

/** A word over the picture, gone after a moment. */
export function useFlash(): [string, (text: string) => void] {
  const [flash, setFlash] = useState("");
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  return [
    flash,
    (text) => {
      clearTimeout(timer.current);
      setFlash(text);
      timer.current = setTimeout(() => setFlash(""), FLASH_MS);
    },
  ];
}

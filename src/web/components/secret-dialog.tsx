import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../i18n/i18n.ts";
import "../messages/en/account.ts";
import { stayHere } from "../router.ts";
import { Dialog } from "./dialog.tsx";

interface SecretDialogProps {
  readonly heading: string;
  /** What it is and that it is shown this once; read out with the heading. */
  readonly text: string;
  /** What the one button that closes it says: that the secret is kept. */
  readonly saved: string;
  readonly children: ComponentChildren;
  onClose(): void;
}

/** A dialog with a secret that is shown this once: only its button closes it, anything else, also Back, says why it stays. */
export function SecretDialog({ heading, text, saved, children, onClose }: SecretDialogProps) {
  const [asked, setAsked] = useState(0);
  const button = useRef<HTMLButtonElement>(null);
  const refuse = () => {
    setAsked((times) => times + 1);
    button.current?.focus();
  };
  useEffect(() => stayHere(refuse), []);
  return (
    <Dialog heading={heading} text={text} onClose={onClose} onDismiss={refuse}>
      {children}
      {/* A new element each time, so that it is read out each time. */}
      <p class="problem" role="alert" key={asked}>
        {asked > 0 && t("account.save-first", { saved })}
      </p>
      <div class="actions">
        <button ref={button} type="button" class="primary" onClick={onClose}>
          {saved}
        </button>
      </div>
    </Dialog>
  );
}

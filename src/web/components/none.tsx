import type { ComponentChildren } from "preact";

/** What stands where a list would be and is empty; read out when the list turns out to be, or becomes, empty. */
export function None({ when, children }: { when: boolean | undefined; children: ComponentChildren }) {
  return (
    <div role="status" class={when ? undefined : "visually-hidden"}>
      {when && children}
    </div>
  );
}

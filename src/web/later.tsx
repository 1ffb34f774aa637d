import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";

interface LaterProps<Props extends object> {
  load(): Promise<ComponentType<Props>>;
  readonly props: Props;
}

/** A page whose code is loaded when it is opened, so that the lists do not wait for it. */
export function Later<Props extends object>({ load, props }: LaterProps<Props>) {
  const [Page, setPage] = useState<ComponentType<Props> | null>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    load().then(
      (page) => setPage(() => page),
      () => setFailed(true),
    );
  }, []);
  if (Page) return <Page {...props} />;
  if (!failed) return <div aria-busy="true" />;
  return (
    <section class="message" role="alert">
      <h1>This page could not be loaded</h1>
      <p>Check that the server runs and that you are connected.</p>
      <button type="button" onClick={() => location.reload()}>
        Load again
      </button>
    </section>
  );
}

import type { ComponentChildren } from "preact";

/** What stands where there is nothing yet: why, and what to do next. */
export function Empty({ heading, text, children }: { heading: string; text: string; children?: ComponentChildren }) {
  return (
    <div class="nothing">
      <h2>{heading}</h2>
      <p>{text}</p>
      {children && <p class="actions">{children}</p>}
    </div>
  );
}

/** Grey lines in the place of what is being loaded, of about its size. */
export function Skeleton({ lines = 3 }: { lines?: number }) {
  return (
    <div class="skeleton" aria-hidden="true">
      {Array.from({ length: lines }, (_, line) => (
        <span key={line} />
      ))}
    </div>
  );
}

interface TableProps {
  readonly caption: string;
  readonly columns: readonly string[];
  readonly children: ComponentChildren;
}

/** A table that scrolls by itself where it is wider than the screen. Rows are `<tr>` with `<td>`. */
export function Table({ caption, columns, children }: TableProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be scrolled by keyboard
    <section class="table-frame" aria-label={caption} tabIndex={0}>
      <table>
        <caption class="visually-hidden">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </section>
  );
}

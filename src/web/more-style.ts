let loading: Promise<void> | null = null;

/** Loads the styles that the lists do without. Without them a page is plain but works. */
export function loadMoreStyle(): Promise<void> {
  loading ??= new Promise((resolve) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = document.querySelector<HTMLMetaElement>("meta[name=more-style]")?.content ?? "";
    link.onload = () => resolve();
    link.onerror = () => {
      loading = null;
      link.remove();
      resolve();
    };
    document.head.append(link);
  });
  return loading;
}

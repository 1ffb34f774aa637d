/** Folders that systems keep in a share for themselves, in lower case. */
const SYSTEM_NAMES = new Set([
  ...["@eadir", "#recycle", "#snapshot", "lost+found", "$recycle.bin", "system volume information"],
  ...["@recycle", "@recently-snapshot", "@tmp", "__macosx", "thumbs.db", "desktop.ini"],
]);
/** What programs write to before a file has its name. */
const UNFINISHED = /\.(part|partial|crdownload|download|opdownload|aria2|tmp|temp|!ut|!qb|bc!|filepart|unconfirmed)$/i;

/**
 * Whether a file or folder of this name is no part of a library: hidden (so is what `rsync` and `Syncthing` write to), a
 * system's own, or unfinished.
 */
export function isPassedOver(name: string): boolean {
  return (
    name.startsWith(".") ||
    name.startsWith("~") ||
    name.endsWith("~") ||
    SYSTEM_NAMES.has(name.toLowerCase()) ||
    UNFINISHED.test(name)
  );
}

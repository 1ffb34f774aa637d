import { lazy } from "../lazy.tsx";

/** The pages that the lists do without. */
export const AccountPage = lazy(async () => (await import("./account.tsx")).AccountPage);
export const AdminPage = lazy(async () => (await import("../admin/admin.tsx")).AdminPage);
export const CollectionPage = lazy(async () => (await import("../collections/collection.tsx")).CollectionPage);
export const CollectionsPage = lazy(async () => (await import("../collections/collections.tsx")).CollectionsPage);
export const SignInPage = lazy(async () => (await import("./sign-in.tsx")).SignInPage);
export const UploadPage = lazy(async () => (await import("./upload.tsx")).UploadPage);
export const WatchPage = lazy(async () => {
  // At the same time: the page needs it next. If it fails, the page says so.
  import("../player/player.tsx").catch(() => undefined);
  return (await import("./watch.tsx")).WatchPage;
});

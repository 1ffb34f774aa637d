import type { Title } from "../../catalog/contract.ts";
import { call, messageOf } from "../api.ts";
import { t } from "../i18n/i18n.ts";
import "../messages/en/library.ts";
import "../messages/en/watch.ts";
import { notify } from "../notices.tsx";
import { here, navigate } from "../router.ts";
import { deletedAddress, user } from "../session.ts";
import { changeKept, titlesChanged } from "./use-titles.ts";

/** As long as the server can take a deletion back. */
const UNDO_SECONDS = 60;

/** Deletes, goes to the list and offers to take it back. False when it could not be deleted. */
export async function removeTitle(title: Title): Promise<boolean> {
  try {
    await call("DELETE", `/api/titles/${title.id}`);
    changeKept((other) => (other.id === title.id ? null : other));
  } catch (error) {
    notify(messageOf(error), { kind: "error" });
    return false;
  }
  navigate(listOf(title));
  notify(t("title.deleted", { name: title.name }), {
    action: { label: t("do.undo"), run: () => restore(title) },
    link: { label: t("library.deleted"), address: deletedAddress },
    about: `title-${title.id}`,
    seconds: UNDO_SECONDS,
  });
  return true;
}

const listOf = (title: Title) => (user.peek()?.id === title.owner?.id ? "/videos" : "/library");

/** In a list, the title is chosen in it again; on any other page one stays there. */
async function restore(title: Title): Promise<void> {
  await call("POST", `/api/titles/${title.id}/restore`);
  const list = here.peek().path === "/library" ? "/library" : listOf(title);
  const address = `${list}?${new URLSearchParams({ selected: title.id })}`;
  if (here.peek().path === list) {
    navigate(address, { replace: true });
    titlesChanged();
  } else {
    notify(t("title.back", { name: title.name }), {
      action: { label: t("do.show"), run: async () => navigate(address) },
      about: `title-${title.id}`,
    });
  }
}

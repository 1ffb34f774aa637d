import { define } from "../../i18n/define.ts";

/** Forms that edit a video or a collection. */
export const edit = define({
  "edit.form": "Edit",
  "edit.name": "Name",
  "edit.description": "Description",
  "edit.tags": "Tags",
  "edit.commas": "Separated by commas",
  "tags.too-long": "A tag has {most} characters at most: “{tag}…” has {count}.",
  "tags.too-many": "A video has {most} tags at most: these are {count}.",
  "edit.who": "Who may see it",
  "edit.private-hint": "only its owner and administrators",
  "edit.members-hint": "everybody who signs in",
  "edit.public-hint": "everybody who has its address, without an account",
  "edit.delete": "Delete video",
  "edit.changed-meanwhile":
    "Somebody else changed this while you were editing. Nothing of yours is lost, and nothing is saved yet: compare, and save again.",
  "edit.theirs": "{field}, as it was saved",
  "edit.take-theirs": "Take theirs",
  "edit.take-mine": "Take mine again",
});

import { define } from "../../i18n/define.ts";

/** Forms that edit a video or a collection. */
export const edit = define({
  "edit.form": "Edit",
  "edit.name": "Name",
  "edit.description": "Description",
  "edit.tags": "Tags",
  "edit.commas": "Separated by commas",
  "edit.who": "Who may see it",
  "edit.private-hint": "only its owner and administrators",
  "edit.members-hint": "everybody who signs in",
  "edit.public-hint": "everybody with the link",
  "edit.delete": "Delete video",
});

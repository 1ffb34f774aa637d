import { define } from "../../i18n/define.ts";

/** Collections: the list, one of them, and adding to them. */
export const collections = define({
  "collections.heading": "Collections",
});

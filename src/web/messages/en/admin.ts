import { define } from "../../i18n/define.ts";

/** The pages of administrators. */
export const admin = define({
  "admin.heading": "Administration",
});

import { account } from "./account.ts";
import { admin } from "./admin.ts";
import { collections } from "./collections.ts";
import { core } from "./core.ts";
import { edit } from "./edit.ts";
import { errors } from "./errors.ts";
import { library } from "./library.ts";
import { manage } from "./manage.ts";
import { share } from "./share.ts";
import { signIn } from "./sign-in.ts";
import { upload } from "./upload.ts";
import { watch } from "./watch.ts";

/** All texts in Spanish: loaded as one file, when somebody reads Spanish. */
export const es = {
  ...account,
  ...admin,
  ...collections,
  ...core,
  ...edit,
  ...errors,
  ...library,
  ...manage,
  ...share,
  ...signIn,
  ...upload,
  ...watch,
};

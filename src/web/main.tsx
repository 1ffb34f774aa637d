import { render } from "preact";
import { App } from "./app.tsx";
import { startLanguage } from "./i18n/i18n.ts";
import { startRouter } from "./router.ts";
import { startTheme } from "./theme.ts";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/components.css";
import "./styles/lists.css";
import "./styles/system.css";

const root = document.getElementById("app");
if (!root) throw new Error("the page has no element #app");
startTheme();
startRouter();
// Without its texts a language is English, which is part of the pages.
await startLanguage().catch(() => undefined);
render(<App />, root);
void import("./components/keep-focus.ts").then(
  ({ keepFocus }) => keepFocus(),
  // A page that has lost its server says so by itself.
  () => undefined,
);

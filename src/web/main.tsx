import { render } from "preact";
import { App } from "./app.tsx";
import { startRouter } from "./router.ts";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/components.css";
import "./styles/pages.css";

const root = document.getElementById("app");
if (!root) throw new Error("the page has no element #app");
startRouter();
render(<App />, root);

import type { ApiContent, ApiDocument, ApiOperation, ApiSchema } from "./openapi.ts";
import { schemaText } from "./schema-text.ts";

const style = `
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 20%, transparent); }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1 { margin-bottom: 0; } h2 { margin-top: 2.5rem; } h4 { margin: 1rem 0 0.25rem; }
code, pre { font: 0.875em/1.45 ui-monospace, monospace; }
pre { margin: 0.25rem 0; padding: 0.5rem 0.75rem; overflow-x: auto; border: 1px solid var(--line); border-radius: 6px; }
details { border: 1px solid var(--line); border-radius: 8px; margin: 0.5rem 0; padding: 0 0.75rem; }
details[open] { padding-bottom: 0.75rem; }
summary { cursor: pointer; padding: 0.5rem 0; overflow-wrap: anywhere; }
.method { display: inline-block; min-width: 4.5rem; font-weight: 700; }
.what { opacity: 0.75; margin-left: 0.5rem; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: 0.25rem 0.75rem 0.25rem 0; border-bottom: 1px solid var(--line); }
`;

/** The interface as one page without scripts, and the hash that a policy allows its style by. */
export function renderApiPage(document: ApiDocument): { html: string; styleHash: string } {
  const groups = new Map<string, string[]>();
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const tag = operation.tags?.[0] ?? "other";
      const group = tag.charAt(0).toUpperCase() + tag.slice(1);
      groups.set(group, [...(groups.get(group) ?? []), renderOperation(method, path, operation)]);
    }
  }
  // What people come for first; the paths come in the order the services were mounted in.
  const isLast = ([name]: [string, string[]]) => Number(name === "Operations" || name === "Better-auth");
  const sections = [...groups]
    .sort((a, b) => isLast(a) - isLast(b))
    .map(([name, entries]) => `<h2>${escapeHtml(name)}</h2>\n${entries.join("\n")}`);
  const { title, version, description = "" } = document.info;
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}: the interface</title>
<style>${style}</style>
</head>
<body>
<h1>${escapeHtml(title)} ${escapeHtml(version)}</h1>
<p>${prose(description)} As data: <a href="/api/openapi.json">/api/openapi.json</a>.</p>
${sections.join("\n")}
<h2>Schemas</h2>
${Object.entries(document.components.schemas ?? {})
  .map(renderSchema)
  .join("\n")}
</body>
</html>
`;
  const hash = new Bun.CryptoHasher("sha256").update(style).digest("base64");
  return { html, styleHash: `sha256-${hash}` };
}

function renderOperation(method: string, path: string, operation: ApiOperation): string {
  const { parameters = [], requestBody, responses, description } = operation;
  const rows = parameters.map(
    ({ name, in: place, required, schema, description: about }) =>
      `<tr><td><code>${escapeHtml(name)}</code>${required ? "" : " (optional)"}</td><td>${escapeHtml(place)}</td>` +
      `<td><code>${escapeHtml(schemaText(schema ?? {}))}</code></td><td>${prose(about ?? "")}</td></tr>`,
  );
  const answers = Object.entries(responses).map(
    ([status, answer]) =>
      `<h4>${escapeHtml(status)}: ${prose(answer.description)}</h4>${renderContent(answer.content ?? {})}`,
  );
  return `<details>
<summary><span class="method">${escapeHtml(method.toUpperCase())}</span><code>${escapeHtml(path)}</code><span class="what">${escapeHtml(operation.summary ?? "")}</span></summary>
${description ? `<p>${prose(description)}</p>` : ""}
${rows.length > 0 ? `<h4>Parameters</h4><table>${rows.join("")}</table>` : ""}
${requestBody ? `<h4>Body</h4>${renderContent(requestBody.content)}` : ""}
${answers.join("\n")}
</details>`;
}

function renderContent(content: ApiContent): string {
  return Object.entries(content)
    .map(
      ([type, { schema }]) =>
        `<code>${escapeHtml(type)}</code>${schema ? `<pre>${escapeHtml(schemaText(schema))}</pre>` : ""}`,
    )
    .join("");
}

const renderSchema = ([name, schema]: [string, ApiSchema]) =>
  `<details id="${escapeHtml(name)}"><summary><code>${escapeHtml(name)}</code></summary><pre>${escapeHtml(schemaText(schema))}</pre></details>`;

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (character) => escapes[character] ?? character);

/** Text in which `code` is marked by backticks. */
const prose = (text: string) => escapeHtml(text).replace(/`([^`]+)`/g, "<code>$1</code>");

type Attributes = Readonly<Record<string, string | number | null>>;

const references: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** An element with its attributes (those that are null are left out) and content, which is XML already. */
export function element(name: string, attributes: Attributes, ...content: readonly string[]): string {
  const written = Object.entries(attributes).flatMap(([key, value]) => {
    return value === null ? [] : [` ${key}="${escapeXml(String(value))}"`];
  });
  const start = `<${name}${written.join("")}`;
  return content.length === 0 ? `${start}/>` : `${start}>${content.join("")}</${name}>`;
}

/** Text for content or an attribute; characters that XML 1.0 cannot hold (section 2.2) are dropped. */
export function escapeXml(text: string): string {
  return (
    text
      .toWellFormed()
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must go
      .replaceAll(/[\u0000-\u001f\ufffe\uffff]/g, "")
      .replaceAll(/[&<>"]/g, (character) => references[character] ?? character)
  );
}
